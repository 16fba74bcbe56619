//! Microsoft 365, simulated.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cupo_providers::microsoft::{MicrosoftEndpoints, MicrosoftProvider};
use cupo_providers::{Access, CalendarProvider, Clock, Secret, Target, Transport, TransportConfig};
use cupo_simulators::microsoft::{MicrosoftOptions, MicrosoftSimulator};
use serde_json::{Value, json};
use url::Url;

use super::diary::When;
use super::{Diary, Entry, Repeats, Shows, Subject, reads, writes};
use crate::microsoft_world::assert_contract_is_kept;

const ANA: &str = "ana@contoso.example";
const CARLA: &str = "carla@outlook.example";

struct Microsoft {
    simulator: MicrosoftSimulator,
    provider: MicrosoftProvider,
    access: Access,
    owner: &'static str,
    calendar: String,
    kept: BTreeMap<&'static str, (String, Entry)>,
}

impl Microsoft {
    async fn of(owner: &'static str, target: Target) -> Self {
        let mut options = MicrosoftOptions::default();
        options.users.iter_mut().for_each(|user| user.time_zone = "Europe/Madrid".to_owned());
        let simulator = MicrosoftSimulator::start(options).await.unwrap();
        let graph_url = Url::parse(&format!("{}/v1.0", simulator.base_url())).unwrap();
        let transport = Transport::new(TransportConfig::default()).unwrap();
        let now = "2026-10-01T08:00:00Z".parse().unwrap();
        simulator.clock().set(now);
        let provider = MicrosoftProvider::new(transport, MicrosoftEndpoints { graph_url }, Clock::new(move || now));
        let tokens = simulator.issue_tokens(owner, &["Calendars.ReadWrite", "User.Read"]).unwrap();
        let access = Access::bearer("account", Secret::new(tokens.access_token)).to(target);
        let calendars = provider.list_calendars(&access).await.unwrap();
        let calendar = calendars.into_iter().find(|calendar| calendar.is_primary).unwrap().id;
        Self { simulator, provider, access, owner, calendar, kept: BTreeMap::new() }
    }

    async fn start() -> Self {
        Self::of(ANA, Target::Own).await
    }

    /// The ids of a series' instances, in order, as Outlook asks for them.
    async fn instances(&self, id: &str) -> Vec<String> {
        let base = self.simulator.base_url();
        let window = "startDateTime=2026-09-01T00:00:00Z&endDateTime=2027-03-01T00:00:00Z&$top=100";
        let address = format!("{base}/v1.0/me/events/{id}/instances?{window}");
        let token = self.access.token().unwrap().expose();
        let client = reqwest::Client::builder().build().unwrap();
        let request = client.get(address).bearer_auth(token);
        let answer = request.header("prefer", "IdType=\"ImmutableId\"").send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        let ids = answer["value"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    async fn add(&self, name: &str, entry: &Entry) -> String {
        let mut event = body(entry, self.owner);
        event["subject"] = name.into();
        if let (Repeats::Weekly { count, .. }, When::Times { start, .. }) = (&entry.repeats, entry.when) {
            event["recurrence"] = json!({
                "pattern": { "type": "weekly", "interval": 1, "daysOfWeek": [weekday(start)] },
                "range": {
                    "type": "numbered", "numberOfOccurrences": count, "startDate": start.date(),
                    "recurrenceTimeZone": "Romance Standard Time",
                },
            });
        }
        let added = self.simulator.insert_event(self.owner, event).unwrap();
        let id = added["id"].as_str().unwrap().to_owned();
        if let (Repeats::Weekly { cancelled, moved, .. }, When::Times { start, end }) = (&entry.repeats, entry.when) {
            let instances = self.instances(&id).await;
            let instance = |number: u32| instances[number as usize].as_str();
            if let Some((number, to)) = moved {
                let when = When::Times { start: *to, end: *to + (end - start) };
                let patch = body(&Entry { when, ..entry.clone() }, self.owner);
                self.simulator.patch_event(self.owner, instance(*number), patch).unwrap();
            }
            if let Some(number) = cancelled {
                self.simulator.delete_event(self.owner, instance(*number)).unwrap();
            }
        }
        id
    }
}

impl Drop for Microsoft {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_contract_is_kept(&self.simulator);
        }
    }
}

fn weekday(at: chrono::NaiveDateTime) -> String {
    use chrono::Datelike;
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    names[at.weekday().num_days_from_monday() as usize].to_owned()
}

fn body(entry: &Entry, owner: &str) -> Value {
    let time = |local: chrono::NaiveDateTime| json!({ "dateTime": local.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "Romance Standard Time" });
    let mut event = match entry.when {
        When::Times { start, end } => json!({ "start": time(start), "end": time(end), "isAllDay": false }),
        When::Days { first, end } => {
            let (start, end) = (first.and_time(Default::default()), end.and_time(Default::default()));
            json!({ "start": time(start), "end": time(end), "isAllDay": true })
        }
    };
    event["showAs"] = match entry.shows {
        Shows::Busy | Shows::Private => "busy",
        Shows::Free => "free",
        // So Outlook shows an invitation until it is answered.
        Shows::Tentative | Shows::Unanswered => "tentative",
        Shows::Away => "oof",
        // Outlook leaves it as it was: the answer alone says that nobody comes.
        Shows::Declined => "busy",
    }
    .into();
    match entry.shows {
        Shows::Private => event["sensitivity"] = "private".into(),
        Shows::Declined | Shows::Unanswered => {
            event["organizer"] = json!({ "emailAddress": { "address": "ben@contoso.example", "name": "Ben" } });
            event["attendees"] = json!([{ "type": "required", "emailAddress": { "address": owner } }]);
            let answer = if entry.shows == Shows::Declined { "declined" } else { "notResponded" };
            event["responseStatus"] = json!({ "response": answer });
        }
        Shows::Busy | Shows::Free | Shows::Tentative | Shows::Away => {}
    }
    event
}

#[async_trait]
impl Subject for Microsoft {
    fn provider(&self) -> &dyn CalendarProvider {
        &self.provider
    }

    fn access(&self) -> &Access {
        &self.access
    }

    fn calendar(&self) -> &str {
        &self.calendar
    }

    fn owner(&self) -> &'static str {
        self.owner
    }

    async fn keep(&mut self, diary: &Diary) {
        let gone: Vec<_> = self.kept.keys().copied().filter(|name| !diary.0.contains_key(name)).collect();
        for name in gone {
            let (id, _) = self.kept.remove(name).unwrap();
            self.simulator.delete_event(self.owner, &id).unwrap();
        }
        for (name, entry) in &diary.0 {
            let id = match self.kept.get(name) {
                Some((_, kept)) if kept == entry => continue,
                Some((id, kept)) if kept.repeats == Repeats::Never && entry.repeats == Repeats::Never => {
                    self.simulator.patch_event(self.owner, id, body(entry, self.owner)).unwrap();
                    id.clone()
                }
                Some((id, _)) => {
                    self.simulator.delete_event(self.owner, id).unwrap();
                    self.add(name, entry).await
                }
                None => self.add(name, entry).await,
            };
            self.kept.insert(name, (id, entry.clone()));
        }
    }

    async fn expire_cursors(&self) {
        self.simulator.expire_sync_tokens();
    }
}

reads!(Microsoft::start());
writes!(Microsoft::start());

/// Outlook.com knows no `getSchedule`.
mod personal {
    use super::*;

    reads!(Microsoft::of(CARLA, Target::Personal));
    writes!(Microsoft::of(CARLA, Target::Personal));
}
