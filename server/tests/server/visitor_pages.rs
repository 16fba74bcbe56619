//! The visitor's pages without JavaScript, for what event types decide: the list, single-use links, questions, series.

use chrono::{DateTime, Utc};
use cupo_core::event_type::{Listing, Options};
use cupo_engine::EventTypeInput;
use reqwest::Response;
use serde_json::{Value, json};

use crate::world::World;

fn listed_as(listing: Listing) -> EventTypeInput {
    EventTypeInput { options: Options { listing, ..Options::default() }, ..EventTypeInput::default() }
}

fn location(answer: &Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

fn slot(start: DateTime<Utc>) -> String {
    start.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A filled-in form for a slot, with what else is posted.
fn fields<'a>(slot: &'a str, key: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("slot", slot),
        ("tz", "Europe/Madrid"),
        ("name", "Vera Visitor"),
        ("email", "vera@example.com"),
        ("idempotency_key", key),
    ];
    fields.extend_from_slice(more);
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_an_organization_has_what_everybody_can_book_and_takes_no_other_address() {
    let world = World::start().await;
    world.offer("hidden-visit", listed_as(Listing::Unlisted)).await;
    world.offer("secret-visit", listed_as(Listing::LinkOnly)).await;
    world.offer("closed-visit", EventTypeInput { is_active: false, ..EventTypeInput::default() }).await;
    let page = world.browse("/demo").await;
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors"));
    let page = page.text().await.unwrap();
    assert!(page.contains("href=\"/demo/intro\"") && page.contains("30 min · 45 min · 1 h"), "{page}");
    for slug in ["hidden-visit", "secret-visit", "closed-visit"] {
        assert!(!page.contains(slug), "{slug} is in no list");
    }
    assert_eq!(world.browse("/demo/hidden-visit").await.status(), 200, "who knows the address may book");

    assert_eq!(world.browse("/nobody").await.status(), 404);
    for path in ["/docs", "/sign-in", "/healthz", "/robots.txt"] {
        assert_eq!(world.browse(path).await.status(), 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_use_link_opens_its_page_once() {
    let world = World::start().await;
    let id = world.offer("secret-visit", listed_as(Listing::LinkOnly)).await;
    let made = world.server.engine.booking_link_make(&world.ana().await, &id.parse().unwrap(), None).await.unwrap();
    let secret = made.url.split("link=").nth(1).unwrap();
    let path = format!("/demo/secret-visit?link={secret}");

    assert_eq!(world.browse("/demo/secret-visit").await.status(), 404);
    let page = world.browse(&path).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains(&format!("link={secret}&amp;month=")), "every step keeps it");

    let start = slot(world.slots_of("secret-visit", &format!("&link={secret}")).await[3]);
    let form = fields(&start, "a-key-of-a-link", &[("link", secret)]);
    let booked = world.form("/demo/secret-visit", &form).await;
    assert_eq!(booked.status(), 303);

    let over = world.browse(&path).await;
    assert_eq!(over.status(), 409);
    let over = over.text().await.unwrap();
    assert!(over.contains("This link is no longer valid") && over.contains("href=\"/demo\""), "{over}");
    let again = fields(&start, "a-key-of-somebody-else", &[("link", secret)]);
    let again = world.form("/demo/secret-visit", &again).await;
    assert!(again.text().await.unwrap().contains("This link is no longer valid"));

    // The appointment itself needs no link, but there is no other time to offer once it is cancelled.
    let manage = location(&booked).split('?').next().unwrap().to_owned();
    let moving = world.browse(&format!("{manage}?step=reschedule")).await.text().await.unwrap();
    assert!(moving.contains("&amp;slot="), "{moving}");
    world.form(&format!("{manage}/cancel"), &[("reason", "")]).await;
    let cancelled = world.browse(&manage).await.text().await.unwrap();
    assert!(cancelled.contains("It is cancelled") && !cancelled.contains("/demo/secret-visit\""), "{cancelled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_questions_of_an_event_type_are_answered_in_the_form() {
    let world = World::start().await;
    let start = slot(*world.slots_of("portrait", "").await.last().unwrap());
    let wrong = [("answers.occasion", "A birthday"), ("answers.size", "Large"), ("answers.people", "9")];
    let refused = world.form("/demo/portrait", &fields(&start, "a-key-of-a-portrait", &wrong)).await;
    assert_eq!(refused.status(), 422);
    let page = refused.text().await.unwrap();
    assert!(page.contains("id=\"answers-people-problem\"") && page.contains("name=\"answers.terms\""), "{page}");
    assert!(
        page.contains(">A birthday</textarea>") && page.contains("value=\"Large\" checked"),
        "nothing typed is lost"
    );

    let right = [wrong[0], wrong[1], ("answers.people", "2"), ("answers.terms", "on")];
    let requested = world.form("/demo/portrait", &fields(&start, "a-key-of-a-portrait", &right)).await;
    assert_eq!(requested.status(), 303);
    let page = world.browse(location(&requested)).await.text().await.unwrap();
    assert!(page.contains("Your request has been sent") && page.contains("Demo Studio has until"), "{page}");
    assert!(page.contains("<dt>Which size?</dt>") && page.contains(">Large</dd>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_is_seen_before_it_is_booked_and_changed_from_a_date_on() {
    let world = World::start().await;
    let start = world.slots_of("lesson", "").await[4];
    let first = slot(start);
    let path = format!("/embed/v1/series?org=demo&event=lesson&start={first}&frequency=weekly&count=5");
    let dates: Value = world.get(&path).await.json().await.unwrap();
    let third = dates["dates"][2]["start"].as_str().unwrap().parse().unwrap();
    world.booked_with("in-the-way", "lesson", third, json!({})).await;

    let asked = [("frequency", "weekly"), ("count", "5")];
    let seen = world.form("/demo/lesson", &fields(&first, "a-key-of-a-series", &asked)).await;
    assert_eq!(seen.status(), 200);
    let page = seen.text().await.unwrap();
    assert!(page.contains("Nothing is booked yet.") && page.contains("4 of 5 dates are free."), "{page}");
    assert!(page.contains("value=\"Vera Visitor\"") && page.contains("name=\"skip_taken\""), "{page}");

    let mark = format!("{first} weekly 5");
    let whole = [asked[0], asked[1], ("dates_seen", mark.as_str())];
    let refused = world.form("/demo/lesson", &fields(&first, "a-key-of-a-series", &whole)).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("4 of 5 dates are free."));
    let free = [whole[0], whole[1], whole[2], ("skip_taken", "1")];
    let booked = world.form("/demo/lesson", &fields(&first, "a-key-of-a-series", &free)).await;
    assert_eq!(booked.status(), 303);

    let manage = location(&booked).to_owned();
    let page = world.browse(&manage).await.text().await.unwrap();
    let others: Vec<&str> =
        page.split("<li><a href=\"/manage/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(others.len(), 3, "{page}");
    let second = format!("/manage/{}", others[0].split('?').next().unwrap());
    let from_here_on = [("reason", ""), ("scope", "following")];
    let cancelled = world.form(&format!("{second}/cancel"), &from_here_on).await;
    assert_eq!(cancelled.status(), 303);
    let page = world.browse(&manage).await.text().await.unwrap();
    assert!(!page.contains("<li><a href=\"/manage/"), "the first one stands alone: {page}");
}
