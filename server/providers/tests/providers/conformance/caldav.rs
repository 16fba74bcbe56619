//! A real CalDAV server.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cupo_providers::caldav::CaldavProvider;
use cupo_providers::{Access, CalendarProvider, Clock, Transport, TransportConfig};

use super::feed::vevents;
use super::{Diary, Entry, Subject, reads, writes};
use crate::radicale::{ANA, Radicale};

struct Caldav {
    radicale: Radicale,
    provider: CaldavProvider,
    access: Access,
    calendar: String,
    kept: BTreeMap<&'static str, (String, Entry)>,
}

impl Caldav {
    async fn start() -> Self {
        let radicale = Radicale::start();
        let calendar = radicale.make_calendar(ANA, "Work", Some("Europe/Madrid"), &["VEVENT"]).await;
        let now = "2026-10-01T08:00:00Z".parse().unwrap();
        let transport = Transport::new(TransportConfig::default()).unwrap();
        let provider = CaldavProvider::new(transport, Clock::new(move || now));
        let access = radicale.access(ANA);
        Self { radicale, provider, access, calendar, kept: BTreeMap::new() }
    }
}

#[async_trait]
impl Subject for Caldav {
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
        ANA
    }

    async fn keep(&mut self, diary: &Diary) {
        let gone: Vec<_> = self.kept.keys().copied().filter(|name| !diary.0.contains_key(name)).collect();
        for name in gone {
            let (url, _) = self.kept.remove(name).unwrap();
            self.radicale.delete(&url).await;
        }
        for (name, entry) in &diary.0 {
            if self.kept.get(name).is_some_and(|(_, kept)| kept == entry) {
                continue;
            }
            let resource = name.replace(' ', "-");
            let url = self.radicale.write(&self.calendar, &resource, &vevents(&resource, entry, ANA)).await;
            self.kept.insert(name, (url, entry.clone()));
        }
    }

    async fn expire_cursors(&self) {
        self.radicale.expire_sync_tokens();
    }
}

reads!(Caldav::start());
writes!(Caldav::start());
