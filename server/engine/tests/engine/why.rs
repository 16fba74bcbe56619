//! Why a start is offered or not, what was offered at a past moment, what a change would bring.

use chrono::TimeDelta;
use cupo_core::{
    event_type::{Limit, Limits, Options, RulesInput, Window},
    wire::ExplanationView,
};
use cupo_engine::{EngineError, EventTypeInput, ScheduleInput};

use crate::world::{CALENDAR, World, at, event, first_visit, hold_request};

const START: &str = "2026-11-25T09:00:00Z";

async fn explain(world: &World, start: &str) -> ExplanationView {
    let id = world.event_type("first-visit").await;
    world.engine.explain(&world.principal, &id, at(start), None, None).await.unwrap()
}

fn kinds(told: &ExplanationView) -> Vec<String> {
    let general = told.reasons.iter();
    general.chain(told.hosts.iter().flat_map(|host| &host.reasons)).map(|reason| reason.kind.clone()).collect()
}

#[tokio::test]
async fn each_obstacle_is_named_with_its_calendar_or_appointment() {
    let world = World::open_for_business().await;
    let rules = RulesInput { buffer_after_minutes: 15, ..RulesInput::default() };
    world.change(EventTypeInput { rules, ..first_visit() }).await;
    world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T10:00:00Z")).unwrap();
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    world.book("key", "2026-11-25T12:00:00Z").await;

    let told = explain(&world, START).await;
    assert!(!told.is_offered && told.refusal.as_deref() == Some("busy"));
    let reason = &told.hosts[0].reasons[0];
    assert_eq!((reason.kind.as_str(), reason.title.as_deref()), ("calendar_event", Some("Dentist")));
    assert!(told.sentence.contains("Dentist") && told.sentence.contains("10:00"), "{}", told.sentence);

    let told = explain(&world, "2026-11-25T08:30:00Z").await;
    assert_eq!(told.hosts[0].reasons[0].part.as_deref(), Some("buffer_after"));

    let told = explain(&world, "2026-11-25T12:00:00Z").await;
    assert_eq!(kinds(&told), ["appointment", "buffer"]);
    assert!(told.hosts[0].reasons[0].appointment_id.is_some());
    let told = explain(&world, "2026-11-25T12:30:00Z").await;
    assert_eq!(kinds(&told), ["buffer"]);

    world.engine.hold(hold_request("2026-11-25T14:00:00Z")).await.unwrap();
    assert_eq!(kinds(&explain(&world, "2026-11-25T14:00:00Z").await), ["hold"]);
    assert_eq!(kinds(&explain(&world, "2026-11-25T07:00:00Z").await), ["outside_hours"]);
    assert_eq!(kinds(&explain(&world, "2026-11-25T15:10:00Z").await), ["off_grid"]);
    assert_eq!(kinds(&explain(&world, "2026-11-20T09:00:00Z").await), ["notice"]);
    assert_eq!(kinds(&explain(&world, "2027-03-05T09:00:00Z").await)[0], "window");
    assert!(explain(&world, "2026-11-25T15:00:00Z").await.is_offered);
}

#[tokio::test]
async fn a_calendars_titles_are_for_its_owner_alone() {
    let world = World::open_for_business().await;
    world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T10:00:00Z")).unwrap();
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    let (ben, _) = world.colleague("Ben Mora", "ben@clinic.example").await;
    let hosts = vec![crate::world::host(&world.principal), crate::world::host(&ben)];
    let options = Options { assignment: cupo_core::event_type::Assignment::Collective, ..Options::default() };
    world.change(EventTypeInput { hosts, options, ..first_visit() }).await;
    let id = world.event_type("first-visit").await;
    let told = world.engine.explain(&ben, &id, at(START), None, None).await.unwrap();
    assert!(!serde_json::to_string(&told).unwrap().contains("Dentist"));
    let told = world.engine.explain(&world.principal, &id, at(START), None, None).await.unwrap();
    assert!(serde_json::to_string(&told).unwrap().contains("Dentist"));
}

#[tokio::test]
async fn a_day_is_told_as_bands_and_moments_that_agree_with_the_slots() {
    let world = World::open_for_business().await;
    world.book("key", START).await;
    let id = world.event_type("first-visit").await;
    let date = "2026-11-25".parse().unwrap();
    let day = world.engine.day(&world.principal, &id, date, None, None).await.unwrap();
    assert_eq!(day.offered, world.starts("2026-11-25", "2026-11-25").await);
    let said: Vec<_> = day.moments.iter().filter(|moment| moment.is_offered).map(|moment| moment.at).collect();
    assert_eq!(said, day.offered);
    assert_eq!((day.hosts[0].hours.len(), day.hosts[0].busy.len()), (1, 1));
    assert_eq!(day.hosts[0].busy[0].kind, "appointment");
    assert_eq!(day.moments.len(), 288);
    // The day on which the clocks go back.
    let date = "2027-10-31".parse().unwrap();
    let day = world.engine.day(&world.principal, &id, date, None, None).await.unwrap();
    assert_eq!(day.end - day.start, TimeDelta::hours(25));
}

#[tokio::test]
async fn what_was_offered_is_known_from_the_rules_and_the_mirror_of_then() {
    let world = World::open_for_business().await;
    let id = world.event_type("first-visit").await;
    let mut known = Vec::new();
    let remember = async |known: &mut Vec<_>| {
        world.pass(TimeDelta::minutes(20));
        world.engine.run_periodic().await.unwrap();
        world.run().await;
        known.push((world.engine.now(), world.starts("2026-11-25", "2026-11-26").await));
        world.pass(TimeDelta::minutes(1));
    };
    remember(&mut known).await;
    let dentist = world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T10:00:00Z")).unwrap();
    remember(&mut known).await;
    let view = world.book("key", "2026-11-25T12:00:00Z").await;
    remember(&mut known).await;
    let rules = RulesInput { increment_minutes: 60, ..RulesInput::default() };
    world.change(EventTypeInput { rules, ..first_visit() }).await;
    remember(&mut known).await;
    world.google.delete_event(CALENDAR, dentist["id"].as_str().unwrap()).unwrap();
    world.engine.cancel_by_token(&view.token, &crate::world::because("")).await.unwrap();
    remember(&mut known).await;
    let hours = r#"{"name":"Mornings","time_zone":"Europe/Madrid","weekly_hours":{"wednesday":[{"start":"10:00","end":"12:00"}]}}"#;
    let schedule = world.engine.schedules(&world.principal).await.unwrap()[0].schedule.id.clone();
    let hours: ScheduleInput = serde_json::from_str(hours).unwrap();
    world.engine.schedule_save(&world.principal, Some(&schedule), hours).await.unwrap();
    remember(&mut known).await;
    // A hold does not last as long as that: what is offered beside it is looked at right away.
    let hold = world.engine.hold(hold_request(START)).await.unwrap();
    world.pass(TimeDelta::minutes(1));
    assert!(!world.is_offered(START).await);
    known.push((world.engine.now(), world.starts("2026-11-25", "2026-11-26").await));
    world.pass(TimeDelta::minutes(1));
    world.engine.hold_release(&hold.hold).await.unwrap();
    remember(&mut known).await;

    let distinct: std::collections::HashSet<_> = known.iter().map(|(_, starts)| starts.clone()).collect();
    assert!(distinct.len() >= 5, "each step changed what is offered");
    for (moment, offered) in known {
        let (from, to) = ("2026-11-25".parse().unwrap(), "2026-11-26".parse().unwrap());
        let replayed = world.engine.replay(&world.principal, &id, moment, from, to).await.unwrap().slots;
        let in_madrid = |start: &chrono::DateTime<chrono::Utc>| {
            let date = start.with_timezone(&chrono_tz::Europe::Madrid).date_naive();
            (from..=to).contains(&date)
        };
        let replayed: Vec<_> = replayed.into_iter().filter(in_madrid).collect();
        assert_eq!(replayed, offered, "as of {moment}");
    }
    let future = world.engine.now() + TimeDelta::hours(1);
    let (from, to) = ("2026-11-25".parse().unwrap(), "2026-11-26".parse().unwrap());
    let refused = world.engine.replay(&world.principal, &id, future, from, to).await;
    assert!(matches!(refused, Err(EngineError::Invalid(errors)) if errors.0[0].field == "as_of"));
    let before = world.engine.replay(&world.principal, &id, at("2026-11-22T00:00:00Z"), from, to).await;
    assert!(matches!(before, Err(EngineError::NotFound(_))), "there was no such event type yet");
}

#[tokio::test]
async fn a_dry_run_tells_what_a_schedule_would_change_and_changes_nothing() {
    let world = World::open_for_business().await;
    let view = world.book("key", "2026-11-25T15:00:00Z").await;
    let before = world.starts("2026-11-25", "2026-11-25").await;
    let schedule = world.engine.schedules(&world.principal).await.unwrap()[0].schedule.clone();
    let mornings = r#"{"name":"Mornings","time_zone":"Europe/Madrid","weekly_hours":{
        "wednesday":[{"start":"08:00","end":"10:00"}]}}"#;
    let input: ScheduleInput = serde_json::from_str(mornings).unwrap();
    let impacts = world.engine.schedule_preview(&world.principal, Some(&schedule.id), input.clone()).await.unwrap();
    assert_eq!(impacts.len(), 1);
    let impact = &impacts[0];
    let day = |list: &[chrono::DateTime<chrono::Utc>]| {
        list.iter().filter(|start| start.date_naive().to_string() == "2026-11-25").count()
    };
    assert_eq!((day(&impact.gained), day(&impact.lost)), (2, 13), "8:00 and 8:30 come; 10:00 to 15:30 go, and 16:00");
    assert_eq!(impact.outside.len(), 1);
    assert_eq!((impact.outside[0].start, impact.outside[0].visitor_name.as_str()), (view.start, "Leo Pérez"));
    assert_eq!(world.starts("2026-11-25", "2026-11-25").await, before);
    world.engine.schedule_save(&world.principal, Some(&schedule.id), input).await.unwrap();
    let after = world.starts("2026-11-25", "2026-11-25").await;
    assert_eq!(after.len(), before.len() + 2 - 13);
}

#[tokio::test]
async fn a_dry_run_of_an_event_type_counts_its_slots_before_it_is_made_or_changed() {
    let world = World::open_for_business().await;
    let window = Window::RollingDays { days: 7 };
    let rules = RulesInput { window, ..RulesInput::default() };
    let new = EventTypeInput { slug: "new".into(), rules, ..first_visit() };
    let impact = world.engine.event_type_preview(&world.principal, None, new).await.unwrap();
    // Five days of sixteen, the first of which has begun.
    assert_eq!((impact.gained.len(), impact.lost.len()), (5 * 16 - 1, 0));
    let id = world.event_type("first-visit").await;
    let limits = Limits { day: Limit { count: Some(1), minutes: None }, ..Limits::default() };
    world.book("key", START).await;
    let changed = EventTypeInput { rules: RulesInput { limits, ..first_visit().rules }, ..first_visit() };
    let impact = world.engine.event_type_preview(&world.principal, Some(&id), changed.clone()).await.unwrap();
    assert_eq!((impact.gained.len(), impact.lost.len()), (0, 15), "the rest of the one day");
    let closed = EventTypeInput { is_active: false, ..changed };
    let impact = world.engine.event_type_preview(&world.principal, Some(&id), closed).await.unwrap();
    assert!(impact.gained.is_empty() && impact.lost.len() > 500);
    assert!(matches!(
        world.engine.event_type_preview(&world.principal, None, EventTypeInput::default()).await,
        Err(EngineError::Invalid(_))
    ));
}

#[tokio::test]
async fn the_weeks_around_a_clock_change_are_told_on_both_clocks() {
    let world = World::open_for_business().await;
    let id = world.event_type("first-visit").await;
    let view = world.engine.clock_change_preview(&world.principal, &id, "America/New_York").await.unwrap();
    let zones: Vec<_> = view.changes.iter().map(|change| change.time_zone.as_str()).collect();
    assert_eq!(zones, ["America/New_York", "Europe/Madrid"], "two weeks lie between them");
    let hours = |date: &str| {
        let day = view.days.iter().find(|day| day.date.to_string() == date).unwrap();
        (day.host_hours[0].clone(), day.visitor_hours[0].clone())
    };
    assert_eq!(hours("2027-03-12"), ("09:00–17:00".to_owned(), "03:00–11:00".to_owned()));
    assert_eq!(hours("2027-03-15"), ("09:00–17:00".to_owned(), "04:00–12:00".to_owned()));
    assert_eq!(hours("2027-03-29"), ("09:00–17:00".to_owned(), "03:00–11:00".to_owned()));
    let wrong = world.engine.clock_change_preview(&world.principal, &id, "Mars").await;
    assert!(matches!(wrong, Err(EngineError::Invalid(errors)) if errors.0[0].field == "zone"));
}
