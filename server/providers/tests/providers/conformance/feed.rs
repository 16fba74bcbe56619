//! A calendar feed on a real HTTP server with ETags.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::Days;
use cupo_providers::ics_feed::IcsProvider;
use cupo_providers::{
    Access, CalendarEvent, CalendarProvider, Expected, FeedConfig, FeedReader, ProviderError, Secret, WatchRequest,
};
use url::Url;

use super::diary::When;
use super::{Diary, Entry, Repeats, Shows, Subject, reads};

const OWNER: &str = "ana@example.com";

/// The file as it is now, and the number of its version.
type File = Arc<Mutex<(String, u32)>>;

struct Feed {
    file: File,
    provider: IcsProvider,
    access: Access,
    calendar: String,
}

impl Feed {
    async fn start() -> Self {
        let file: File = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/ana.ics", listener.local_addr().unwrap());
        let router = Router::new().route("/ana.ics", get(serve)).with_state(file.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let config = FeedConfig { allows_private_addresses: true, ..FeedConfig::default() };
        let provider = IcsProvider::new(FeedReader::new(config).unwrap());
        let access = Access::feed("account", Secret::new(address));
        let mut feed = Self { file, provider, access, calendar: String::new() };
        feed.keep(&Diary::default()).await;
        feed.calendar = feed.provider.list_calendars(&feed.access).await.unwrap().remove(0).id;
        feed
    }
}

async fn serve(State(file): State<File>, headers: HeaderMap) -> Response {
    let (text, version) = file.lock().unwrap().clone();
    let etag = format!("\"{version}\"");
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    ([(ETAG, etag)], text).into_response()
}

/// An entry as an iCalendar program writes it, with `\n` at the end of each line but the last.
pub fn vevents(uid: &str, entry: &Entry, owner: &str) -> String {
    let stamp = "20260901T080000Z";
    let local = |at: chrono::NaiveDateTime| format!(";TZID=Europe/Madrid:{}", at.format("%Y%m%dT%H%M%S"));
    let times = |when: When| match when {
        When::Times { start, end } => [format!("DTSTART{}", local(start)), format!("DTEND{}", local(end))],
        When::Days { first, end } => [
            format!("DTSTART;VALUE=DATE:{}", first.format("%Y%m%d")),
            format!("DTEND;VALUE=DATE:{}", end.format("%Y%m%d")),
        ],
    };
    let invited = |answer: &str| {
        vec!["ORGANIZER:mailto:host@example.net".to_owned(), format!("ATTENDEE;PARTSTAT={answer}:mailto:{owner}")]
    };
    let shows = match entry.shows {
        Shows::Busy => Vec::new(),
        Shows::Free => vec!["TRANSP:TRANSPARENT".to_owned()],
        Shows::Tentative => vec!["STATUS:TENTATIVE".to_owned()],
        Shows::Declined => invited("DECLINED"),
        Shows::Unanswered => invited("NEEDS-ACTION"),
        Shows::Private => vec!["CLASS:PRIVATE".to_owned()],
        Shows::Away => vec!["X-MICROSOFT-CDO-BUSYSTATUS:OOF".to_owned()],
    };
    let event = |when: When, more: &[String]| {
        let head = ["BEGIN:VEVENT".to_owned(), format!("UID:{uid}"), format!("DTSTAMP:{stamp}")];
        let times = times(when);
        let lines = head.iter().chain(&times).chain(more).chain(&shows).cloned();
        lines.chain(["END:VEVENT".to_owned()]).collect::<Vec<_>>().join("\n")
    };
    let (Repeats::Weekly { count, cancelled, moved }, When::Times { start, end }) = (&entry.repeats, entry.when) else {
        return event(entry.when, &[]);
    };
    let of = |number: u32| start + Days::new(7 * u64::from(number));
    let mut rule = vec![format!("RRULE:FREQ=WEEKLY;COUNT={count}")];
    rule.extend(cancelled.map(|number| format!("EXDATE{}", local(of(number)))));
    let mut events = vec![event(entry.when, &rule)];
    if let Some((number, to)) = moved {
        let when = When::Times { start: *to, end: *to + (end - start) };
        events.push(event(when, &[format!("RECURRENCE-ID{}", local(of(*number)))]));
    }
    events.join("\n")
}

#[async_trait]
impl Subject for Feed {
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
        OWNER
    }

    async fn keep(&mut self, diary: &Diary) {
        let events: Vec<_> = diary.0.iter().map(|(name, entry)| vevents(name, entry, OWNER)).collect();
        let text = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//host//EN\nX-WR-CALNAME:{OWNER}\nX-WR-TIMEZONE:Europe/Madrid\n{}\n\
             END:VCALENDAR\n",
            events.join("\n")
        );
        let mut file = self.file.lock().unwrap();
        *file = (text.replace("\n\n", "\n").replace('\n', "\r\n"), file.1 + 1);
    }

    async fn expire_cursors(&self) {
        // Its tags never grow too old.
    }
}

reads!(Feed::start());

#[tokio::test]
async fn a_feed_cannot_be_written_to_and_tells_nothing_by_itself() {
    let feed = Feed::start().await;
    let (provider, access) = (&feed.provider, &feed.access);
    let at = |text: &str| cupo_providers::EventTime::Instant { at: text.parse().unwrap(), time_zone: None };
    let event = CalendarEvent::draft("Visit", at("2026-10-20T09:00:00Z"), at("2026-10-20T10:00:00Z"));
    let put = provider.put_event(access, &feed.calendar, &event, Expected::Create).await;
    assert!(matches!(put, Err(ProviderError::Rejected(_))), "{put:?}");
    let delete = provider.delete_event(access, &feed.calendar, "x", true).await;
    assert!(matches!(delete, Err(ProviderError::Rejected(_))), "{delete:?}");
    assert!(!provider.has_notifications());
    let request = WatchRequest {
        id: "id".to_owned(),
        token: Secret::new("token"),
        address: Url::parse("https://cupo.example/webhooks/feed").unwrap(),
        ttl: std::time::Duration::from_secs(60),
    };
    assert!(matches!(provider.watch(access, &feed.calendar, &request).await, Err(ProviderError::Rejected(_))));
    assert!(!provider.list_calendars(access).await.unwrap()[0].can_write);
}
