//! The demo organization.

use std::collections::BTreeSet;

use cupo_core::event_type::Assignment;
use cupo_server::commands::{SeedOptions, seed};

use crate::world::{SITE, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_has_something_of_every_kind_and_all_of_it_can_be_booked() {
    let world = World::start().await;
    let event_types = world.server.engine.event_types(&world.ana().await).await.unwrap();
    let assignments: BTreeSet<_> = event_types.iter().map(|it| it.options.assignment.as_str()).collect();
    assert_eq!(assignments, Assignment::ALL.map(Assignment::as_str).into());
    assert!(event_types.iter().any(|it| it.rules.seats > 1 && it.options.seats_shown));
    assert!(event_types.iter().any(|it| it.options.needs_approval && !it.options.questions.is_empty()));
    assert!(event_types.iter().any(|it| !it.options.other_durations.is_empty()));
    assert!(event_types.iter().any(|it| it.options.most_occurrences > 1));
    for event_type in &event_types {
        assert!(!world.slots_of(event_type.slug.as_str(), "").await.is_empty(), "{}", event_type.slug);
    }
    let schedules = world.server.engine.schedules(&world.ana().await).await.unwrap();
    let with_break = schedules.iter().find(|it| it.schedule.weekly_hours.days()[0].len() == 2).unwrap();
    assert!(!with_break.schedule.overrides.is_empty() && !with_break.event_types.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_again_changes_nothing() {
    let world = World::start().await;
    let ana = world.ana().await;
    let engine = &world.server.engine;
    let counted = async || {
        let people = engine.members(&ana).await.unwrap().len();
        let schedules = engine.schedules(&ana).await.unwrap().len();
        (people, schedules, engine.event_types(&ana).await.unwrap().len(), engine.sites(&ana).await.unwrap().len())
    };
    let before = counted().await;
    let options = SeedOptions { site_origin: SITE.to_owned(), simulator: None };
    let again = seed(engine, &world.config, &options).await.unwrap();
    assert_eq!((again.event, again.password), (world.demo.event.clone(), world.demo.password.clone()));
    assert_eq!(counted().await, before);
}
