//! Google Calendar, simulated.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::SecondsFormat;
use cupo_providers::{Access, CalendarProvider};
use serde_json::{Value, json};

use super::diary::{When, utc};
use super::{Diary, Entry, Repeats, Shows, Subject, reads, writes};
use crate::world::{ANA, World};

struct Google {
    world: World,
    /// The id and the state of each entry that is there.
    kept: BTreeMap<&'static str, (String, Entry)>,
}

impl Google {
    async fn start() -> Self {
        Self { world: World::start().await, kept: BTreeMap::new() }
    }

    fn add(&self, name: &str, entry: &Entry) -> String {
        let mut event = body(entry);
        event["summary"] = name.into();
        if let Repeats::Weekly { count, .. } = entry.repeats {
            event["recurrence"] = json!([format!("RRULE:FREQ=WEEKLY;COUNT={count}")]);
        }
        let added = self.world.simulator.insert_event(ANA, event).unwrap();
        let id = added["id"].as_str().unwrap().to_owned();
        if let (Repeats::Weekly { cancelled, moved, .. }, When::Times { start, end }) = (&entry.repeats, entry.when) {
            let instance = |number: u32| {
                let original = utc(start + chrono::Days::new(7 * u64::from(number)));
                format!("{id}_{}", original.format("%Y%m%dT%H%M%SZ"))
            };
            if let Some(number) = cancelled {
                self.world.simulator.delete_event(ANA, &instance(*number)).unwrap();
            }
            if let Some((number, to)) = moved {
                let when = When::Times { start: *to, end: *to + (end - start) };
                let patch = body(&Entry { when, ..entry.clone() });
                self.world.simulator.patch_event(ANA, &instance(*number), patch).unwrap();
            }
        }
        id
    }
}

fn body(entry: &Entry) -> Value {
    let mut event = match entry.when {
        When::Times { start, end } => {
            let time = |local| json!({ "dateTime": utc(local).to_rfc3339_opts(SecondsFormat::Secs, true), "timeZone": "Europe/Madrid" });
            json!({ "start": time(start), "end": time(end) })
        }
        When::Days { first, end } => json!({ "start": { "date": first }, "end": { "date": end } }),
    };
    event["transparency"] = if entry.shows == Shows::Free { "transparent" } else { "opaque" }.into();
    match entry.shows {
        Shows::Busy | Shows::Free => {}
        Shows::Tentative => event["status"] = "tentative".into(),
        Shows::Declined => event["attendees"] = json!([{ "email": ANA, "responseStatus": "declined" }]),
        Shows::Private => event["visibility"] = "private".into(),
        Shows::Unanswered => event["attendees"] = json!([{ "email": ANA, "responseStatus": "needsAction" }]),
        Shows::Away => event["eventType"] = "outOfOffice".into(),
    }
    if entry.shows != Shows::Tentative {
        event["status"] = "confirmed".into();
    }
    event
}

#[async_trait]
impl Subject for Google {
    fn provider(&self) -> &dyn CalendarProvider {
        &self.world.google
    }

    fn access(&self) -> &Access {
        &self.world.token
    }

    fn calendar(&self) -> &str {
        ANA
    }

    fn owner(&self) -> &'static str {
        ANA
    }

    async fn keep(&mut self, diary: &Diary) {
        let gone: Vec<_> = self.kept.keys().copied().filter(|name| !diary.0.contains_key(name)).collect();
        for name in gone {
            let (id, _) = self.kept.remove(name).unwrap();
            self.world.simulator.delete_event(ANA, &id).unwrap();
        }
        for (name, entry) in &diary.0 {
            let id = match self.kept.get(name) {
                Some((_, kept)) if kept == entry => continue,
                Some((id, kept)) if kept.repeats == Repeats::Never && entry.repeats == Repeats::Never => {
                    self.world.simulator.patch_event(ANA, id, body(entry)).unwrap();
                    id.clone()
                }
                Some((id, _)) => {
                    self.world.simulator.delete_event(ANA, id).unwrap();
                    self.add(name, entry)
                }
                None => self.add(name, entry),
            };
            self.kept.insert(name, (id, entry.clone()));
        }
    }

    async fn expire_cursors(&self) {
        self.world.simulator.expire_sync_tokens();
    }
}

reads!(Google::start());
writes!(Google::start());
