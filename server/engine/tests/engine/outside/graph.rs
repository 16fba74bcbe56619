use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::Url;

use super::{Outside, Standing, VISITOR, Which};
use crate::world::{OUTLOOK, World, at};

const SECOND: &str = "Personal";

/// The simulated Microsoft.
pub(super) struct Graph {
    world: World,
}

fn calendar(which: Which) -> String {
    match which {
        Which::Main => OUTLOOK.to_owned(),
        Which::Second => format!("{OUTLOOK}/{SECOND}"),
    }
}

fn start_of(event: &Value) -> DateTime<Utc> {
    assert_eq!(event["start"]["timeZone"], "UTC");
    at(&format!("{}Z", event["start"]["dateTime"].as_str().unwrap().split('.').next().unwrap()))
}

impl Graph {
    /// The events of a calendar, by start.
    fn events(&self, which: Which) -> Vec<Value> {
        // A calendar that was deleted has none.
        let mut events = self.world.microsoft().events(&calendar(which)).unwrap_or_default();
        events.retain(|event| event["isCancelled"] != true && event["type"] != "exception");
        events.sort_by_key(start_of);
        events
    }

    fn patch(&self, change: Value) {
        let id = self.events(Which::Second)[0]["id"].as_str().unwrap().to_owned();
        self.world.microsoft().patch_event(&calendar(Which::Second), &id, change).unwrap();
    }
}

impl Outside for Graph {
    async fn start() -> Self {
        Self { world: World::with_microsoft().await }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn connect(&self) {
        self.world.connect_outlook(OUTLOOK).await;
    }

    fn name(&self, which: Which) -> &'static str {
        match which {
            Which::Main => "Calendar",
            Which::Second => SECOND,
        }
    }

    async fn standing(&self, which: Which) -> Vec<Standing> {
        let standing = |event: &Value| Standing { start: start_of(event), recurs: event["type"] == "seriesMaster" };
        self.events(which).iter().map(standing).collect()
    }

    async fn move_event(&self, start: &str, end: &str) {
        let time = |text: &str| json!({ "dateTime": text.trim_end_matches('Z'), "timeZone": "UTC" });
        self.patch(json!({ "start": time(start), "end": time(end) }));
    }

    async fn cancel_event(&self) {
        self.patch(json!({ "isCancelled": true }));
    }

    async fn delete_event(&self) {
        let id = self.events(Which::Second)[0]["id"].as_str().unwrap().to_owned();
        self.world.microsoft().delete_event(&calendar(Which::Second), &id).unwrap();
    }

    async fn answer(&self, declines: bool) {
        let response = if declines { "declined" } else { "accepted" };
        let guest =
            json!({ "emailAddress": { "address": VISITOR }, "type": "required", "status": { "response": response } });
        self.patch(json!({ "attendees": [guest] }));
    }

    async fn make_recur(&self) {
        let pattern = json!({
            "type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"], "firstDayOfWeek": "sunday",
        });
        let range = json!({
            "type": "numbered", "startDate": "2026-11-25", "numberOfOccurrences": 3, "recurrenceTimeZone": "UTC",
        });
        self.patch(json!({ "recurrence": { "pattern": pattern, "range": range } }));
    }

    async fn drop_first_date(&self) {
        // What is done by hand names a date by its id, which Graph tells.
        let microsoft = self.world.microsoft();
        let id = self.events(Which::Second)[0]["id"].as_str().unwrap().to_owned();
        let token = microsoft.issue_tokens(OUTLOOK, &["Calendars.Read"]).unwrap().access_token;
        let mut address = Url::parse(&microsoft.base_url()).unwrap();
        address.path_segments_mut().unwrap().extend(["v1.0", "me", "events", &id, "instances"]);
        let window = [("startDateTime", "2026-11-25T00:00:00Z"), ("endDateTime", "2026-11-26T00:00:00Z")];
        address.query_pairs_mut().extend_pairs(window);
        let client = reqwest::Client::builder().build().unwrap();
        let answer = client.get(address).bearer_auth(token).send().await.unwrap();
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let first = told["value"][0]["id"].as_str().unwrap();
        microsoft.delete_event(&calendar(Which::Second), first).unwrap();
    }

    async fn change_calendar(&self, from: Which, to: Which) {
        let id = self.events(from)[0]["id"].as_str().unwrap().to_owned();
        self.world.microsoft().move_event(&calendar(from), &id, &calendar(to)).unwrap();
    }

    async fn delete_calendar(&self) {
        self.world.microsoft().delete_calendar(&calendar(Which::Second)).unwrap();
    }

    async fn revoke(&self) {
        self.world.microsoft().revoke(OUTLOOK);
    }
}
