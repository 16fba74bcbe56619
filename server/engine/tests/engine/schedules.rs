//! Schedules, overrides, travels and absences, as they show in the slots.

use chrono::{DateTime, NaiveDate, Utc};
use cupo_core::ids::ScheduleId;
use cupo_engine::{AbsenceInput, EngineError, EventTypeHostInput, EventTypeInput, ScheduleInput, SignUp};
use serde_json::{Value, json};

use crate::world::{World, ana, at, fields, first_visit};

/// Nine to five from Monday to Friday in Madrid, with what `changes` says.
pub fn office_hours(name: &str, changes: Value) -> ScheduleInput {
    let day = json!([{"start": "09:00", "end": "17:00"}]);
    let mut input = json!({
        "name": name,
        "time_zone": "Europe/Madrid",
        "weekly_hours": {"monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day},
    });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(input).unwrap()
}

impl World {
    pub async fn default_schedule(&self) -> ScheduleId {
        self.engine.schedules(&self.principal).await.unwrap()[0].schedule.id.clone()
    }

    /// Ana's default schedule becomes office hours with `changes`.
    pub async fn reschedule(&self, changes: Value) {
        let id = self.default_schedule().await;
        self.engine.schedule_save(&self.principal, Some(&id), office_hours("Ana", changes)).await.unwrap();
    }

    /// How many slots were offered on a date of Madrid, as it was at a past moment.
    pub async fn starts_at(&self, as_of: &str, date: &str) -> usize {
        let (id, date) = (self.event_type("first-visit").await, date.parse::<NaiveDate>().unwrap());
        let offered = self.engine.replay(&self.principal, &id, at(as_of), date, date).await.unwrap().slots;
        let is_on_date = |start: &DateTime<Utc>| start.with_timezone(&chrono_tz::Europe::Madrid).date_naive() == date;
        offered.iter().filter(|start| is_on_date(start)).count()
    }
}

#[tokio::test]
async fn changed_hours_show_in_the_slots_at_once() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    assert_eq!(world.starts("2026-11-25", "2026-11-25").await.len(), 16);
    world.reschedule(json!({"weekly_hours": {"wednesday": [{"start": "10:00", "end": "11:00"}]}})).await;
    let left = world.starts("2026-11-23", "2026-11-27").await;
    assert_eq!(left, [at("2026-11-25T09:00:00Z"), at("2026-11-25T09:30:00Z")]);
}

#[tokio::test]
async fn a_date_of_its_own_stands_instead_of_the_weekly_hours() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let saturday_morning = json!({"date": "2026-11-28", "hours": [{"start": "10:00", "end": "11:00"}]});
    world.reschedule(json!({"overrides": [saturday_morning, {"date": "2026-11-25"}]})).await;
    assert!(world.starts("2026-11-25", "2026-11-25").await.is_empty());
    assert_eq!(
        world.starts("2026-11-28", "2026-11-28").await,
        [at("2026-11-28T09:00:00Z"), at("2026-11-28T09:30:00Z")]
    );
    assert_eq!(world.starts("2026-11-26", "2026-11-26").await.len(), 16);
}

#[tokio::test]
async fn on_a_journey_the_hours_are_those_of_the_place() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let new_york = json!({"first": "2026-11-25", "last": "2026-11-25", "time_zone": "America/New_York"});
    world.reschedule(json!({"travels": [new_york]})).await;
    assert_eq!(world.starts("2026-11-25", "2026-11-25").await[0], at("2026-11-25T14:00:00Z"));
    assert_eq!(world.starts("2026-11-26", "2026-11-26").await[0], at("2026-11-26T08:00:00Z"));
}

#[tokio::test]
async fn every_wrong_field_of_a_schedule_is_named() {
    let world = World::new().await;
    let id = world.default_schedule().await;
    let save = async |input| fields(world.engine.schedule_save(&world.principal, Some(&id), input).await.unwrap_err());
    let hours = json!({"monday": [{"start": "9", "end": "10:00"}], "lunes": []});
    let wrong = office_hours(" ", json!({"time_zone": "Madrid", "weekly_hours": hours}));
    assert_eq!(save(wrong).await, ["name", "time_zone", "weekly_hours", "weekly_hours.monday"]);
    let wrong = json!({
        "overrides": [
            {"date": "2026-12-24"},
            {"date": "soon"},
            {"date": "2026-12-31", "hours": [{"start": "09:00", "end": "12:00"}, {"start": "11:00", "end": "13:00"}]},
        ],
        "travels": [{"first": "2026-12-24", "last": "2026-12-23", "time_zone": "UTC"}, {"first": "2026-12-24"}],
        "holiday_calendar_ids": ["none"],
    });
    let named = [
        "overrides.1.date",
        "overrides.2.hours",
        "travels.0.last",
        "travels.1.last",
        "travels.1.time_zone",
        "holiday_calendar_ids",
    ];
    assert_eq!(save(office_hours("Ana", wrong)).await, named);
    let twice = json!({"overrides": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]});
    assert_eq!(save(office_hours("Ana", twice)).await, ["overrides"]);
    let unknown = json!({"holiday_calendar_ids": ["018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e"]});
    assert_eq!(save(office_hours("Ana", unknown)).await, ["holiday_calendar_ids"]);
}

#[tokio::test]
async fn an_event_type_may_use_another_schedule_than_the_default() {
    let world = World::new().await;
    let evenings = json!({"weekly_hours": {"wednesday": [{"start": "20:00", "end": "21:00"}]}});
    let evenings = office_hours("Evenings", evenings);
    let evenings = world.engine.schedule_save(&world.principal, None, evenings).await.unwrap();
    assert!(!evenings.is_default);
    let host = EventTypeHostInput {
        user_id: world.principal.user_id.to_string(),
        schedule_id: evenings.id.to_string(),
        ..EventTypeHostInput::default()
    };
    world.offer(EventTypeInput { hosts: vec![host], ..first_visit() }).await;
    let starts = world.starts("2026-11-23", "2026-11-27").await;
    assert_eq!(starts, [at("2026-11-25T19:00:00Z"), at("2026-11-25T19:30:00Z")]);
    let listed = world.engine.schedules(&world.principal).await.unwrap();
    let used: Vec<_> = listed.iter().map(|of| (of.schedule.name.as_str(), of.event_types.len())).collect();
    assert_eq!(used, [("Ana Ruiz", 0), ("Evenings", 1)]);
}

#[tokio::test]
async fn the_default_schedule_and_one_in_use_stay() {
    let world = World::new().await;
    let (engine, ana) = (&world.engine, &world.principal);
    let first = world.default_schedule().await;
    let second = engine.schedule_save(ana, None, office_hours("Second", json!({}))).await.unwrap().id;
    let refused = engine.schedule_delete(ana, &first).await;
    assert!(matches!(refused, Err(EngineError::Conflict("error.schedule_in_use"))));
    engine.schedule_make_default(ana, &second).await.unwrap();
    assert_eq!(world.default_schedule().await, second);
    world.offer(first_visit()).await;
    engine.schedule_delete(ana, &first).await.unwrap();
    assert!(matches!(engine.schedule(ana, &first).await, Err(EngineError::NotFound("schedule"))));
    let third = engine.schedule_save(ana, None, office_hours("Third", json!({}))).await.unwrap().id;
    engine.schedule_make_default(ana, &third).await.unwrap();
    assert!(matches!(engine.schedule_delete(ana, &second).await, Err(EngineError::Conflict(_))));
}

#[tokio::test]
async fn a_schedule_is_its_members_own() {
    let world = World::new().await;
    let other = SignUp { email: "eva@other.example".into(), organization_slug: "other".into(), ..ana() };
    let stranger = world.engine.sign_up(other).await.unwrap().principal;
    let colleague = world.colleague("bea", "bea@clinic.example").await.0;
    let id = world.default_schedule().await;
    for other in [stranger, colleague] {
        let engine = &world.engine;
        assert!(matches!(engine.schedule(&other, &id).await, Err(EngineError::NotFound(_))));
        let saved = engine.schedule_save(&other, Some(&id), office_hours("Mine", json!({}))).await;
        assert!(matches!(saved, Err(EngineError::NotFound(_))));
        assert!(matches!(engine.schedule_make_default(&other, &id).await, Err(EngineError::NotFound(_))));
        assert!(matches!(engine.schedule_delete(&other, &id).await, Err(EngineError::NotFound(_))));
    }
}

fn absence(first: (&str, &str), last: (&str, &str)) -> AbsenceInput {
    AbsenceInput {
        first_date: first.0.into(),
        first_time: first.1.into(),
        last_date: last.0.into(),
        last_time: last.1.into(),
        note: "Dentist".into(),
    }
}

#[tokio::test]
async fn an_absence_closes_its_days_or_its_hours_until_it_is_called_off() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let days = absence(("2026-11-24", ""), ("2026-11-25", ""));
    let days = world.engine.absence_save(&world.principal, days).await.unwrap();
    let hours = absence(("2026-11-26", "12:00"), ("2026-11-26", "24:00"));
    world.engine.absence_save(&world.principal, hours).await.unwrap();
    assert!(world.starts("2026-11-24", "2026-11-25").await.is_empty());
    assert_eq!(world.starts("2026-11-26", "2026-11-26").await.len(), 6);
    assert_eq!(world.starts("2026-11-27", "2026-11-27").await.len(), 16);
    world.engine.absence_delete(&world.principal, &days.id).await.unwrap();
    assert_eq!(world.starts("2026-11-24", "2026-11-25").await.len(), 32);
    assert_eq!(world.engine.absences(&world.principal).await.unwrap().len(), 1);
    let again = world.engine.absence_delete(&world.principal, &days.id).await;
    assert!(matches!(again, Err(EngineError::NotFound("absence"))));
}

#[tokio::test]
async fn every_wrong_field_of_an_absence_is_named() {
    let world = World::new().await;
    for (wrong, named) in [
        (absence(("", "25:00"), ("x", "noon")), vec!["first_date", "first_time", "last_date", "last_time"]),
        (absence(("2026-11-25", ""), ("2026-11-24", "")), vec!["last_date"]),
        (absence(("2026-11-25", "12:00"), ("2026-11-25", "12:00")), vec!["last_time"]),
        (absence(("2026-11-25", ""), ("2206-11-25", "")), vec!["last_date"]),
    ] {
        let refused = world.engine.absence_save(&world.principal, wrong).await.unwrap_err();
        assert_eq!(fields(refused), named);
    }
}

#[tokio::test]
async fn what_was_offered_before_a_change_can_still_be_told() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    world.clock.advance(chrono::TimeDelta::hours(1));
    let away = absence(("2026-11-26", ""), ("2026-11-26", ""));
    let away = world.engine.absence_save(&world.principal, away).await.unwrap();
    world.reschedule(json!({"overrides": [{"date": "2026-11-25"}]})).await;
    world.clock.advance(chrono::TimeDelta::hours(1));
    world.reschedule(json!({})).await;
    world.engine.absence_delete(&world.principal, &away.id).await.unwrap();
    world.clock.advance(chrono::TimeDelta::hours(1));
    let (before, meanwhile, after) = ("2026-11-23T08:30:00Z", "2026-11-23T09:30:00Z", "2026-11-23T10:30:00Z");
    for date in ["2026-11-25", "2026-11-26"] {
        assert_eq!(world.starts_at(before, date).await, 16, "{date}");
        assert_eq!(world.starts_at(meanwhile, date).await, 0, "{date}");
        assert_eq!(world.starts_at(after, date).await, 16, "{date}");
    }
}
