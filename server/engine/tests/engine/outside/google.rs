use cupo_core::event_type::RulesInput;
use cupo_engine::EventTypeInput;
use cupo_simulators::google::GoogleSimulator;
use serde_json::{Value, json};

use super::{Outside, Standing, VISITOR, Which, booked, sync};
use crate::world::{CALENDAR, World, at, first_visit, to};

/// The simulated Google.
pub(super) struct Google {
    world: World,
    /// The id of the second calendar.
    second: String,
}

impl Google {
    fn google(&self) -> &GoogleSimulator {
        &self.world.google
    }

    fn id(&self, which: Which) -> &str {
        match which {
            Which::Main => CALENDAR,
            Which::Second => &self.second,
        }
    }

    /// The events of a calendar that take place, by start.
    fn events(&self, which: Which) -> Vec<Value> {
        // A calendar that was deleted has none.
        let mut events = self.google().events(self.id(which)).unwrap_or_default();
        events.retain(|event| event["status"] != "cancelled" && event.get("recurringEventId").is_none());
        events.sort_by_key(start_of);
        events
    }

    fn patch(&self, change: Value) {
        let id = self.events(Which::Second)[0]["id"].as_str().unwrap().to_owned();
        self.google().patch_event(&self.second, &id, change).unwrap();
    }
}

fn start_of(event: &Value) -> chrono::DateTime<chrono::Utc> {
    at(event["start"]["dateTime"].as_str().unwrap())
}

impl Outside for Google {
    async fn start() -> Self {
        let world = World::new().await;
        let second = world.google.calendar_named(CALENDAR, "Personal").unwrap();
        Self { world, second }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn connect(&self) {
        self.world.connect().await;
    }

    fn name(&self, which: Which) -> &'static str {
        match which {
            Which::Main => CALENDAR,
            Which::Second => "Personal",
        }
    }

    async fn standing(&self, which: Which) -> Vec<Standing> {
        let standing = |event: &Value| Standing { start: start_of(event), recurs: event["recurrence"].is_array() };
        self.events(which).iter().map(standing).collect()
    }

    async fn move_event(&self, start: &str, end: &str) {
        self.patch(json!({ "start": { "dateTime": start }, "end": { "dateTime": end } }));
    }

    async fn cancel_event(&self) {
        self.patch(json!({ "status": "cancelled" }));
    }

    async fn delete_event(&self) {
        let id = self.events(Which::Second)[0]["id"].as_str().unwrap().to_owned();
        self.google().delete_event(&self.second, &id).unwrap();
    }

    async fn answer(&self, declines: bool) {
        let response = if declines { "declined" } else { "accepted" };
        self.patch(json!({ "attendees": [{ "email": VISITOR, "responseStatus": response }] }));
    }

    async fn make_recur(&self) {
        self.patch(json!({ "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3"] }));
    }

    async fn drop_first_date(&self) {
        let id = self.events(Which::Second)[0]["id"].as_str().unwrap().to_owned();
        self.google().delete_event(&self.second, &format!("{id}_20261125T090000Z")).unwrap();
    }

    async fn change_calendar(&self, from: Which, to: Which) {
        let id = self.events(from)[0]["id"].as_str().unwrap().to_owned();
        self.google().move_event(self.id(from), &id, self.id(to)).unwrap();
    }

    async fn delete_calendar(&self) {
        self.google().delete_calendar(&self.second).unwrap();
    }

    async fn revoke(&self) {
        self.google().revoke(CALENDAR);
    }
}

#[tokio::test]
async fn an_event_that_nobody_has_any_more_is_deleted_in_the_calendar_that_it_was_carried_to() {
    let (outside, view) = Box::pin(booked::<Google>()).await;
    let world = outside.world();
    let shared = RulesInput { seats: 3, ..RulesInput::default() };
    world.change(EventTypeInput { rules: shared, ..first_visit() }).await;
    let next = "2026-11-26T09:00:00Z";
    // Who moves out of a slot with seats leaves its event behind, to be deleted.
    world.engine.reschedule_by_token(&view.token, &to(next)).await.unwrap();
    outside.change_calendar(Which::Second, Which::Main).await;
    sync(&outside).await;
    sync(&outside).await;
    let start = at(next);
    assert_eq!(outside.standing(Which::Main).await, [Standing { start, recurs: false }]);
    assert_eq!(outside.standing(Which::Second).await, []);
    assert!(world.is_offered("2026-11-25T09:00:00Z").await);
}
