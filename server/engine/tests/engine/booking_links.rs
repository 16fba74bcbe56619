//! Secret addresses that book once.

use chrono::TimeDelta;
use cupo_core::event_type::{Listing, Options};
use cupo_core::wire::BookingRequest;
use cupo_engine::{EngineError, EventTypeInput, SignUp, SlotsRequest};
use url::Url;

use crate::world::{World, ana, fields, first_visit, request, slots_request};

fn by_link_only() -> EventTypeInput {
    EventTypeInput { options: Options { listing: Listing::LinkOnly, ..Options::default() }, ..first_visit() }
}

impl World {
    /// The token of a new link.
    async fn token(&self, days: Option<u32>) -> String {
        let id = self.event_type("first-visit").await;
        let made = self.engine.booking_link_make(&self.principal, &id, days).await.unwrap();
        let url = Url::parse(&made.url).unwrap();
        assert_eq!(url.as_str().split('?').next(), Some("https://cupo.example/ruiz/first-visit"));
        url.query_pairs().find(|(name, _)| name == "link").unwrap().1.into_owned()
    }

    async fn is_open_by(&self, token: Option<&str>) -> bool {
        let request = SlotsRequest { link: token, ..slots_request("2026-11-25", "2026-11-25") };
        self.engine.slots(&request).await.is_ok_and(|answer| !answer.starts.is_empty())
    }
}

#[tokio::test]
async fn a_link_opens_what_nobody_else_finds_and_books_once() {
    let world = World::new().await;
    world.offer(by_link_only()).await;
    let token = world.token(None).await;
    assert!(!world.is_open_by(None).await);
    assert!(!world.is_open_by(Some("guessed")).await);
    assert!(world.is_open_by(Some(&token)).await);
    let booking = |start| BookingRequest { link: Some(token.clone()), ..request(start) };
    world.engine.book("one", booking("2026-11-25T09:00:00Z")).await.unwrap();
    assert!(world.engine.book("two", booking("2026-11-25T10:00:00Z")).await.is_err());
    let id = world.event_type("first-visit").await;
    let links = world.engine.booking_links(&world.principal, &id).await.unwrap();
    assert!(links[0].used_at.is_some() && links[0].appointment_id.is_some());
}

#[tokio::test]
async fn a_link_ends_with_its_days_or_when_it_is_taken_back() {
    let world = World::new().await;
    world.offer(by_link_only()).await;
    let (short, long) = (world.token(Some(1)).await, world.token(None).await);
    world.clock.advance(TimeDelta::hours(25));
    assert!(!world.is_open_by(Some(&short)).await);
    assert!(world.is_open_by(Some(&long)).await);
    let id = world.event_type("first-visit").await;
    for link in world.engine.booking_links(&world.principal, &id).await.unwrap() {
        world.engine.booking_link_delete(&world.principal, &link.id).await.unwrap();
    }
    assert!(!world.is_open_by(Some(&long)).await);
}

#[tokio::test]
async fn links_are_for_those_who_may_change_the_event_type() {
    let world = World::new().await;
    world.offer(by_link_only()).await;
    let id = world.event_type("first-visit").await;
    world.token(None).await;
    let link = world.engine.booking_links(&world.principal, &id).await.unwrap()[0].id.clone();
    let other = SignUp { email: "eva@other.example".into(), organization_slug: "other".into(), ..ana() };
    let eva = world.engine.sign_up(other).await.unwrap().principal;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    for other in [eva, bea] {
        assert!(matches!(world.engine.booking_links(&other, &id).await, Err(EngineError::NotFound(_))));
        assert!(matches!(world.engine.booking_link_make(&other, &id, None).await, Err(EngineError::NotFound(_))));
        assert!(matches!(world.engine.booking_link_delete(&other, &link).await, Err(EngineError::NotFound(_))));
    }
    let refused = world.engine.booking_link_make(&world.principal, &id, Some(0)).await;
    assert_eq!(fields(refused.unwrap_err()), ["days"]);
}
