//! Every parser of bytes that come from others, each behind one function that takes any bytes: for the targets in `fuzz/` and
//! the bounded runs of the tests. Nothing else uses them.
//!
//! The adapters run as they are, over a transport that gives the bytes for an answer. What is returned is about how much
//! memory the outcome takes, in bytes, by which tests see that a small input does not become a large one.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use cupo_core::ids::ClaimId;
use cupo_core::interval::Interval;
use futures::executor::block_on;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;

use crate::access::{Access, Target};
use crate::caldav::{self, CaldavProvider};
use crate::clock::Clock;
use crate::event::{Attendee, CalendarEvent, EventMark, EventTime, Meeting};
use crate::google::oauth::{GoogleClient, GoogleOauth};
use crate::google::service_account::{self, ServiceAccountKey};
use crate::google::{GoogleEndpoints, GoogleProvider};
use crate::ics::{self, IcsEvent};
use crate::microsoft::oauth::{ClientCredential, MicrosoftClient, MicrosoftOauth};
use crate::microsoft::{MicrosoftEndpoints, MicrosoftProvider};
use crate::oauth::TokenGrant;
use crate::provider::{CalendarProvider, Changes, EventChange, Expected, Notification, SyncCursor, WatchRequest};
use crate::secret::Secret;
use crate::transport::{ProviderResponse, Transport};
use crate::zones::{windows_name, zone_named};

/// What is held beside the texts of an event, of a calendar or of an interval.
const EACH: usize = 64;
const CLAIM: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";

/// A delivery of Google's: header lines.
pub fn google_notification(bytes: &[u8]) -> usize {
    notifications(&GoogleProvider::new(empty(), google_endpoints()), &headers(bytes), b"")
}

/// Answers of the Calendar API to everything that the adapter asks.
pub fn google_answer(bytes: &[u8]) -> usize {
    let provider = || GoogleProvider::new(scripted(bytes), google_endpoints());
    every_verb(provider, &bearer(), "ana@example.com")
}

/// A delivery of Graph's: its body.
pub fn graph_notification(bytes: &[u8]) -> usize {
    notifications(&MicrosoftProvider::new(empty(), graph_endpoints(), clock()), &HeaderMap::new(), bytes)
}

/// Answers of Graph to everything that the adapter asks, for each kind of mailbox.
pub fn graph_answer(bytes: &[u8]) -> usize {
    let provider = || MicrosoftProvider::new(scripted(bytes), graph_endpoints(), clock());
    let mailbox = || bearer().to(Target::Mailbox("ana@contoso.example".into()));
    let who = block_on(provider().me(&bearer())).map_or(0, |_| EACH);
    who + [bearer(), bearer().to(Target::Personal), mailbox()]
        .iter()
        .map(|access| every_verb(provider, access, "AAMkAGI2TG93AAA="))
        .sum::<usize>()
}

/// A calendar file, read for its events and written again.
pub fn ics_events(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let own = Some("ana@example.com");
    let read = ics::events(&text, window(), Tz::Europe__Madrid, own).map_or(0, |read| {
        let of_event = |event: &IcsEvent| match event {
            IcsEvent::Single(event) => weight(event),
            IcsEvent::Series { uid, instances } => uid.len() + instances.iter().map(weight).sum::<usize>(),
        };
        read.events.iter().map(of_event).sum()
    });
    let Ok(Some(event)) = ics::event(&text, Tz::Europe__Madrid, own) else { return read };
    let written = ics::write_event(&event, "uid", Some("ana@example.com"), now());
    read + weight(&event) + written.len()
}

/// A calendar file, read for its holidays.
pub fn ics_holidays(bytes: &[u8]) -> usize {
    let (from, to) = (day(2026, 1, 1), day(2027, 12, 31));
    let holidays = ics::holidays(&String::from_utf8_lossy(bytes), from, to).unwrap_or_default();
    holidays.iter().map(|holiday| EACH + holiday.name.len()).sum()
}

/// Answers of a CalDAV server to everything that the adapter asks.
pub fn caldav_multistatus(bytes: &[u8]) -> usize {
    let provider = || CaldavProvider::new(Transport::scripted(bytes, StatusCode::MULTI_STATUS), clock());
    let home = url("https://dav.example/calendars/ana/");
    let access = Access::basic("account", home, "ana", Secret::new("password")).in_zone(Tz::Europe__Madrid);
    every_verb(provider, &access, "https://dav.example/calendars/ana/work/")
}

/// Answers of a server that is searched for calendars; the first line is what the host typed in.
pub fn caldav_discovery(bytes: &[u8]) -> usize {
    let (typed, answers) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let input = caldav::DiscoveryInput {
        server_or_email: String::from_utf8_lossy(typed).into_owned(),
        username: "ana".into(),
        password: Secret::new("password"),
    };
    let transport = Transport::scripted(answers.get(1..).unwrap_or_default(), StatusCode::MULTI_STATUS);
    block_on(caldav::discover(&transport, &input)).map_or(0, |found| {
        found.home.as_str().len() + found.addresses.iter().map(|address| EACH + address.len()).sum::<usize>()
    })
}

/// The name of a time zone.
pub fn zone_name(bytes: &[u8]) -> usize {
    let zone = zone_named(&String::from_utf8_lossy(bytes));
    zone.and_then(windows_name).map_or(0, str::len)
}

/// The headers of an answer that says when to come back.
pub fn retry_after(bytes: &[u8]) -> usize {
    let headers = headers(bytes);
    let answer = ProviderResponse { status: StatusCode::TOO_MANY_REQUESTS, headers, body: Vec::new().into() };
    // Whoever adds it to the present must get a time that there is.
    answer.retry_after().map_or(0, |pause| (now() + pause).to_rfc3339().len())
}

/// Answers of the token endpoints, and the key files that are put before them.
pub fn oauth_answer(bytes: &[u8]) -> usize {
    let (code, verifier) = ("code", Secret::new("v".repeat(43)));
    let google = || {
        let client = GoogleClient {
            client_id: "client".into(),
            client_secret: Secret::new("secret"),
            auth_url: url("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: url("https://oauth2.googleapis.com/token"),
            revoke_url: url("https://oauth2.googleapis.com/revoke"),
            redirect_url: url("https://cupo.example/oauth/google/callback"),
        };
        GoogleOauth::new(scripted(bytes), client)
    };
    let microsoft = || {
        let client = MicrosoftClient {
            client_id: "client".into(),
            credential: ClientCredential::Secret(Secret::new("secret")),
            tenant: "contoso.example".into(),
            login_url: url("https://login.microsoftonline.com"),
            redirect_url: url("https://cupo.example/oauth/microsoft/callback"),
        };
        MicrosoftOauth::new(scripted(bytes), client, clock())
    };
    let grants = [
        block_on(google().exchange(code, &verifier)),
        block_on(google().refresh(&verifier)),
        block_on(microsoft().exchange(code, &verifier)),
        block_on(microsoft().refresh(&verifier)),
        block_on(microsoft().application_token()),
        service_account::read_answer(&first_answer(bytes), &[]),
    ];
    // Neither has anything but an error to give.
    let _revoked = block_on(google().revoke(&verifier));
    let _key = ServiceAccountKey::parse(&String::from_utf8_lossy(bytes));
    grants.iter().flatten().map(of_grant).sum()
}

fn of_grant(grant: &TokenGrant) -> usize {
    let ends = [Some(grant.expires_in), grant.refresh_expires_in];
    // As for `Retry-After`: these are added to the present.
    let ends: usize = ends.into_iter().flatten().map(|life| (now() + life).to_rfc3339().len()).sum();
    let refresh = grant.refresh_token.as_ref().map_or(0, |token| token.expose().len());
    let scopes: usize = grant.scopes.iter().map(|scope| EACH + scope.len()).sum();
    ends + grant.access_token.expose().len() + refresh + scopes
}

/// Everything that can be asked of a provider, each with an adapter of its own.
fn every_verb<P: CalendarProvider>(provider: impl Fn() -> P, access: &Access, calendar: &str) -> usize {
    let cursors = [None, Some(SyncCursor::new("https://graph.microsoft.com/v1.0/me/calendarView/delta?$deltatoken=t"))];
    let (event, gone) = (event(), ["guest@example.net".to_owned()]);
    let all = [
        Expected::Create,
        Expected::Update { etag: Some("\"1\"") },
        Expected::UpdateAttendees { etag: None, gone: &gone },
    ];
    let event = CalendarEvent { id: format!("{calendar}event.ics"), ..event };
    let channel = WatchRequest {
        id: "channel".into(),
        token: Secret::new("token"),
        address: url("https://cupo.example/webhooks"),
        ttl: Duration::from_secs(3600),
    };
    block_on(async {
        let calendars = provider().list_calendars(access).await.unwrap_or_default();
        let mut held: usize = calendars.iter().map(|calendar| EACH + calendar.id.len() + calendar.name.len()).sum();
        for cursor in &cursors {
            held +=
                provider().changes(access, calendar, cursor.as_ref(), window()).await.map_or(0, |it| of_changes(&it));
        }
        let busy = provider().free_busy(access, &[calendar, "other@example.com"], window()).await.unwrap_or_default();
        held += busy.iter().map(|calendar| calendar.busy.as_ref().map_or(0, |busy| EACH * busy.len())).sum::<usize>();
        for expected in all {
            held += usize::from(provider().put_event(access, calendar, &event, expected).await.is_ok());
        }
        held += provider().get_event(access, calendar, &event.id).await.ok().flatten().as_ref().map_or(0, weight);
        held += usize::from(provider().delete_event(access, calendar, &event.id, true).await.is_ok());
        held += usize::from(provider().watch(access, calendar, &channel).await.is_ok());
        held += usize::from(provider().renew(access, "resource", channel.ttl).await.is_ok());
        held + usize::from(provider().unwatch(access, &channel.id, "resource").await.is_ok())
    })
}

fn notifications(provider: &impl CalendarProvider, headers: &HeaderMap, body: &[u8]) -> usize {
    let each = |told: &Notification| EACH + told.channel_id.len() + told.channel_token.expose().len();
    provider.read_notifications(headers, body).unwrap_or_default().iter().map(each).sum()
}

fn of_changes(changes: &Changes) -> usize {
    let each = |change: &EventChange| match change {
        EventChange::Upsert(event) => weight(event),
        EventChange::Series { id, instances } => id.len() + instances.iter().map(weight).sum::<usize>(),
        EventChange::Removed { id } => EACH + id.len(),
    };
    changes.cursor.as_str().len() + changes.events.iter().map(each).sum::<usize>()
}

/// The texts of an event; what blocks is found out on the way.
fn weight(event: &CalendarEvent) -> usize {
    let busy = event.busy_interval(Tz::Pacific__Apia).map_or(0, |_| EACH);
    let texts = [&event.description, &event.location, &event.etag, &event.ical_uid, &event.html_link];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let attendees: usize = event.attendees.iter().map(|attendee| EACH + attendee.email.len()).sum();
    busy + EACH + event.id.len() + event.title.len() + texts + attendees
}

/// An event as the engine would write it.
fn event() -> CalendarEvent {
    let at = |text: &str| EventTime::Instant { at: instant(text), time_zone: Some("Europe/Madrid".into()) };
    CalendarEvent {
        attendees: vec![Attendee::invited("visitor@example.net", Some("Visitor".into()))],
        meeting: Meeting::Request { request_id: "request".into() },
        mark: ClaimId::parse(CLAIM)
            .ok()
            .map(|claim_id| EventMark { claim_id, installation: "https://cupo.example".into() }),
        ..CalendarEvent::draft("Consultation", at("2026-11-23T09:00:00Z"), at("2026-11-23T10:00:00Z"))
    }
}

/// Lines of a name, a colon and a value; what is none is passed over.
fn headers(bytes: &[u8]) -> HeaderMap {
    let line = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        Some((HeaderName::from_bytes(&line[..colon]).ok()?, value))
    };
    // A server takes no more of them.
    bytes.split(|byte| *byte == b'\n').filter_map(line).take(100).collect()
}

fn scripted(bytes: &[u8]) -> Transport {
    Transport::scripted(bytes, StatusCode::OK)
}

fn empty() -> Transport {
    scripted(b"")
}

fn first_answer(bytes: &[u8]) -> ProviderResponse {
    Transport::first_of_script(bytes)
}

fn bearer() -> Access {
    Access::bearer("account", Secret::new("token")).in_zone(Tz::Europe__Madrid)
}

fn google_endpoints() -> GoogleEndpoints {
    GoogleEndpoints { api_url: url("https://www.googleapis.com/calendar/v3") }
}

fn graph_endpoints() -> MicrosoftEndpoints {
    MicrosoftEndpoints { graph_url: url("https://graph.microsoft.com/v1.0") }
}

fn clock() -> Clock {
    Clock::new(now)
}

fn now() -> DateTime<Utc> {
    instant("2026-11-02T09:00:00Z")
}

fn window() -> Interval {
    let window = Interval::new(instant("2026-11-01T00:00:00Z"), instant("2027-02-01T00:00:00Z"));
    window.expect("the end is after the start")
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant of this file")
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date of this file")
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("an address of this file")
}
