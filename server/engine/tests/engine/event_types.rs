//! Event types and who is booked by them.

use cupo_core::event_type::{Assignment, Options, RulesInput};
use cupo_engine::{EngineError, EventTypeHostInput, EventTypeInput, Principal};
use serde_json::json;

use crate::{
    schedules::office_hours,
    world::{World, fields, first_visit},
};

fn host(principal: &Principal) -> EventTypeHostInput {
    EventTypeHostInput { user_id: principal.user_id.to_string(), ..EventTypeHostInput::default() }
}

fn round_robin(hosts: Vec<EventTypeHostInput>) -> EventTypeInput {
    let options = Options { assignment: Assignment::RoundRobin, ..Options::default() };
    EventTypeInput { options, hosts, ..first_visit() }
}

#[tokio::test]
async fn who_makes_an_event_type_is_its_host_unless_others_are_named() {
    let world = World::new().await;
    let made = world.engine.event_type_save(&world.principal, None, first_visit()).await.unwrap();
    let hosts = world.engine.event_type_hosts(&world.principal, &made.id).await.unwrap();
    assert_eq!(hosts.len(), 1);
    assert_eq!((&hosts[0].user_id, &hosts[0].schedule_id), (&world.principal.user_id, &made.schedule_id));
    assert_eq!((hosts[0].is_required, hosts[0].weight, hosts[0].priority), (true, 1, 1));
}

#[tokio::test]
async fn hosts_are_kept_in_their_order_and_stay_when_none_are_named() {
    let world = World::new().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    let light = EventTypeHostInput { weight: 3, priority: 2, is_required: false, ..host(&bea) };
    let input = round_robin(vec![light, host(&world.principal)]);
    let made = world.engine.event_type_save(&world.principal, None, input).await.unwrap();
    // It stays with who made it, although Bea comes first.
    assert_eq!(made.host_user_id, world.principal.user_id);
    let renamed = EventTypeInput { title: "Second visit".into(), ..round_robin(Vec::new()) };
    world.engine.event_type_save(&world.principal, Some(&made.id), renamed).await.unwrap();
    let hosts = world.engine.event_type_hosts(&world.principal, &made.id).await.unwrap();
    let told: Vec<_> = hosts.iter().map(|host| (&host.user_id, host.weight, host.priority, host.is_required)).collect();
    assert_eq!(told, [(&bea.user_id, 3, 2, false), (&world.principal.user_id, 1, 1, true)]);
}

#[tokio::test]
async fn an_event_type_passes_to_its_first_host_when_its_owner_is_none_any_more() {
    let world = World::new().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    let made = world.engine.event_type_save(&world.principal, None, first_visit()).await.unwrap();
    let passed = EventTypeInput { hosts: vec![host(&bea)], ..first_visit() };
    let passed = world.engine.event_type_save(&world.principal, Some(&made.id), passed).await.unwrap();
    assert_eq!(passed.host_user_id, bea.user_id);
    assert_eq!(world.engine.schedules(&bea).await.unwrap()[0].schedule.id, passed.schedule_id);
    assert_eq!(world.engine.event_types(&bea).await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_wrong_field_of_a_host_is_named_by_its_number() {
    let world = World::new().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    let of_ana = world.default_schedule().await.to_string();
    let nobody = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e".to_owned();
    let save = async |hosts| {
        fields(world.engine.event_type_save(&world.principal, None, round_robin(hosts)).await.unwrap_err())
    };
    let wrong = EventTypeHostInput { weight: 101, priority: 0, schedule_id: "mine".into(), ..host(&bea) };
    let named = ["hosts.1.schedule_id", "hosts.1.weight", "hosts.1.priority"];
    assert_eq!(save(vec![host(&world.principal), wrong]).await, named);
    assert_eq!(save(vec![host(&bea), host(&bea)]).await, ["hosts.1.user_id"]);
    let stranger = EventTypeHostInput { user_id: nobody.clone(), ..host(&bea) };
    let borrowed = EventTypeHostInput { schedule_id: of_ana, ..host(&bea) };
    assert_eq!(save(vec![stranger, borrowed]).await, ["hosts.0.user_id", "hosts.1.schedule_id"]);
    let calendars = EventTypeHostInput { conflict_calendar_ids: Some(vec![nobody]), ..host(&bea) };
    assert_eq!(save(vec![calendars]).await, ["hosts.0.conflict_calendar_ids"]);
}

#[tokio::test]
async fn conflicts_are_looked_for_in_calendars_of_the_host() {
    let world = World::new().await;
    world.connect().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    let members = world.engine.members(&world.principal).await.unwrap();
    let of_ana = members.iter().find(|member| member.user_id == world.principal.user_id).unwrap();
    let calendar = of_ana.calendars[0].id.to_string();
    let with =
        |principal| EventTypeHostInput { conflict_calendar_ids: Some(vec![calendar.clone()]), ..host(principal) };
    let refused = world.engine.event_type_save(&world.principal, None, round_robin(vec![with(&bea)])).await;
    assert_eq!(fields(refused.unwrap_err()), ["hosts.0.conflict_calendar_ids"]);
    let made = world.engine.event_type_save(&world.principal, None, round_robin(vec![with(&world.principal)])).await;
    let hosts = world.engine.event_type_hosts(&world.principal, &made.unwrap().id).await.unwrap();
    assert_eq!(hosts[0].conflict_calendar_ids.as_ref().unwrap()[0].as_str(), calendar);
}

#[tokio::test]
async fn the_number_of_hosts_goes_with_how_they_are_needed() {
    let world = World::new().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    let save = async |assignment, hosts| {
        let options = Options { assignment, ..Options::default() };
        let input = EventTypeInput { options, hosts, ..first_visit() };
        fields(world.engine.event_type_save(&world.principal, None, input).await.unwrap_err())
    };
    let both = vec![host(&world.principal), host(&bea)];
    assert_eq!(save(Assignment::Single, both.clone()).await, ["hosts"]);
    let optional = both.iter().map(|host| EventTypeHostInput { is_required: false, ..host.clone() }).collect();
    assert_eq!(save(Assignment::Collective, optional).await, ["hosts"]);
    assert_eq!(save(Assignment::RoundRobin, vec![host(&bea); 101]).await, ["hosts"]);
}

#[tokio::test]
async fn a_plain_host_changes_their_own_event_types_and_offers_nobody_elses_time() {
    let world = World::new().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    let of_ana = world.engine.event_type_save(&world.principal, None, first_visit()).await.unwrap();
    let engine = &world.engine;
    assert!(engine.event_types(&bea).await.unwrap().is_empty());
    let stolen = engine.event_type_save(&bea, Some(&of_ana.id), first_visit()).await;
    assert!(matches!(stolen, Err(EngineError::NotFound("event type"))));
    assert!(matches!(engine.event_type_hosts(&bea, &of_ana.id).await, Err(EngineError::NotFound(_))));
    assert!(matches!(engine.event_type_delete(&bea, &of_ana.id).await, Err(EngineError::NotFound(_))));
    let named = |hosts| EventTypeInput { slug: "with-bea".into(), ..round_robin(hosts) };
    let refused = engine.event_type_save(&bea, None, named(vec![host(&bea), host(&world.principal)])).await;
    assert_eq!(fields(refused.unwrap_err()), ["hosts.1.user_id"]);
    let own = engine.event_type_save(&bea, None, named(vec![host(&bea)])).await.unwrap();
    assert_eq!(engine.event_types(&bea).await.unwrap()[0].id, own.id);
}

#[tokio::test]
async fn wrong_rules_and_options_are_named_together() {
    let world = World::new().await;
    let input = EventTypeInput {
        title: String::new(),
        rules: RulesInput { seats: 0, ..RulesInput::default() },
        ..first_visit()
    };
    let refused = world.engine.event_type_save(&world.principal, None, input).await;
    assert_eq!(fields(refused.unwrap_err()), ["title", "seats"]);
    let options = Options { approval_hours: 0, ..Options::default() };
    let refused =
        world.engine.event_type_save(&world.principal, None, EventTypeInput { options, ..first_visit() }).await;
    assert_eq!(fields(refused.unwrap_err()), ["approval_hours"]);
}

#[tokio::test]
async fn what_an_event_type_was_can_still_be_told() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let id = world.event_type("first-visit").await;
    world.clock.advance(chrono::TimeDelta::hours(1));
    let evenings = json!({"weekly_hours": {"wednesday": [{"start": "20:00", "end": "22:00"}]}});
    let evenings = office_hours("Evenings", evenings);
    let evenings = world.engine.schedule_save(&world.principal, None, evenings).await.unwrap();
    let in_the_evening = EventTypeHostInput { schedule_id: evenings.id.to_string(), ..host(&world.principal) };
    let rules = RulesInput { duration_minutes: 60, increment_minutes: 60, ..RulesInput::default() };
    let changed = EventTypeInput { rules, hosts: vec![in_the_evening], ..first_visit() };
    world.engine.event_type_save(&world.principal, Some(&id), changed).await.unwrap();
    world.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(world.starts_at("2026-11-23T08:30:00Z", "2026-11-25").await, 16);
    assert_eq!(world.starts_at("2026-11-23T09:30:00Z", "2026-11-25").await, 2);
}
