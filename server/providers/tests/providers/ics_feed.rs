//! Calendar feeds before servers of every kind.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use chrono_tz::Tz;
use cupo_core::interval::Interval;
use cupo_providers::ics_feed::IcsProvider;
use cupo_providers::{
    Access, CalendarProvider, Changes, EventChange, FeedConfig, FeedReader, ProviderError, ReauthReason, Secret,
    SyncCursor,
};

const CALENDAR: &str = "feed";
const SECRET: &str = "secret-path";

/// What the server answers with, and what it was asked.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Served>>);

#[derive(Default)]
struct Served {
    text: String,
    status: StatusCode,
    etag: Option<String>,
    last_modified: Option<String>,
    /// The conditions of the last request.
    asked: HeaderMap,
    answers: Vec<StatusCode>,
}

impl File {
    fn set(&self, change: impl FnOnce(&mut Served)) {
        change(&mut self.0.lock().unwrap());
    }

    fn asked(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap().asked.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    fn last_answer(&self) -> StatusCode {
        *self.0.lock().unwrap().answers.last().unwrap()
    }
}

async fn serve_file(State(file): State<File>, headers: HeaderMap) -> Response {
    let mut served = file.0.lock().unwrap();
    let is = |name: &str, known: &Option<String>| {
        known.as_ref().is_some_and(|known| headers.get(name).is_some_and(|told| told.as_bytes() == known.as_bytes()))
    };
    let is_known = is("if-none-match", &served.etag) || is("if-modified-since", &served.last_modified);
    served.asked = headers;
    let mut told = HeaderMap::new();
    for (name, value) in [("etag", &served.etag), ("last-modified", &served.last_modified)] {
        if let Some(value) = value {
            told.insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    let status = if is_known { StatusCode::NOT_MODIFIED } else { served.status };
    served.answers.push(status);
    let text = if is_known { String::new() } else { served.text.clone() };
    (status, told, text).into_response()
}

struct Feed {
    file: File,
    provider: IcsProvider,
    access: Access,
}

impl Feed {
    /// A file in which these lines stand.
    async fn of(lines: &str) -> Self {
        let file = File::default();
        file.set(|served| served.text = calendar(lines));
        let router = Router::new().route(&format!("/{SECRET}.ics"), get(serve_file)).with_state(file.clone());
        let address = format!("{}/{SECRET}.ics", serve(router).await);
        let access = Access::feed("account", Secret::new(address)).in_zone(Tz::Europe__Madrid);
        Self { file, provider: provider(FeedConfig::default()), access }
    }

    async fn changes(&self, cursor: Option<&SyncCursor>) -> Result<Changes, ProviderError> {
        self.provider.changes(&self.access, CALENDAR, cursor, november()).await
    }

    async fn busy(&self) -> Result<Vec<String>, String> {
        let told = self.provider.free_busy(&self.access, &[CALENDAR], november()).await.unwrap().remove(0);
        let busy = told.busy.map_err(|problem| problem.reason)?;
        Ok(busy
            .iter()
            .map(|busy| format!("{}/{}", busy.start.format("%dT%H:%M"), busy.end.format("%dT%H:%M")))
            .collect())
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// One that may visit this machine.
fn provider(config: FeedConfig) -> IcsProvider {
    IcsProvider::new(FeedReader::new(FeedConfig { allows_private_addresses: true, ..config }).unwrap())
}

fn november() -> Interval {
    Interval::new("2026-11-01T00:00:00Z".parse().unwrap(), "2026-12-01T00:00:00Z".parse().unwrap()).unwrap()
}

fn calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{lines}\nEND:VCALENDAR\n").replace('\n', "\r\n")
}

fn event(uid: &str, lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\n{lines}\nEND:VEVENT")
}

fn meeting(uid: &str, day: u32) -> String {
    event(uid, &format!("DTSTART:202611{day:02}T090000Z\nDTEND:202611{day:02}T100000Z"))
}

fn ids(changes: &Changes) -> Vec<&str> {
    fn id(change: &EventChange) -> &str {
        match change {
            EventChange::Upsert(event) => &event.id,
            EventChange::Series { id, .. } | EventChange::Removed { id } => id,
        }
    }
    changes.events.iter().map(id).collect()
}

#[tokio::test]
async fn a_feed_is_one_calendar_that_cannot_be_written_to() {
    let feed = Feed::of("X-WR-CALNAME:Ana\nX-WR-TIMEZONE:America/New_York").await;
    let calendars = feed.provider.list_calendars(&feed.access).await.unwrap();
    let [calendar] = calendars.as_slice() else { panic!("{calendars:?}") };
    assert_eq!((calendar.id.as_str(), calendar.name.as_str(), calendar.can_write), (CALENDAR, "Ana", false));
    assert_eq!(calendar.time_zone.as_deref(), Some("America/New_York"));
    let nameless = Feed::of("").await;
    let calendars = nameless.provider.list_calendars(&nameless.access).await.unwrap();
    assert_eq!((calendars[0].name.as_str(), &calendars[0].time_zone), ("127.0.0.1", &None));
}

#[tokio::test]
async fn a_file_is_read_again_only_when_its_etag_is_another() {
    let feed = Feed::of(&[meeting("1", 2), meeting("2", 3)].join("\n")).await;
    feed.file.set(|served| served.etag = Some("\"a\"".into()));
    let first = feed.changes(None).await.unwrap();
    assert_eq!((ids(&first), first.is_whole), (vec!["1", "2"], true));

    let second = feed.changes(Some(&first.cursor)).await.unwrap();
    assert_eq!((ids(&second), second.is_whole, &second.cursor), (vec![], false, &first.cursor));
    assert_eq!(feed.file.asked("if-none-match").as_deref(), Some("\"a\""));
    assert_eq!(feed.file.last_answer(), StatusCode::NOT_MODIFIED);

    feed.file.set(|served| {
        served.etag = Some("\"b\"".into());
        served.text = calendar(&meeting("2", 4));
    });
    let third = feed.changes(Some(&second.cursor)).await.unwrap();
    // What is not named is gone.
    assert_eq!((ids(&third), third.is_whole), (vec!["2"], true));
}

#[tokio::test]
async fn a_server_without_etags_is_asked_by_the_date_that_it_told() {
    let feed = Feed::of(&meeting("1", 2)).await;
    feed.file.set(|served| served.last_modified = Some("Sun, 01 Nov 2026 10:00:00 GMT".into()));
    let first = feed.changes(None).await.unwrap();
    let second = feed.changes(Some(&first.cursor)).await.unwrap();
    assert_eq!((ids(&second), second.is_whole), (vec![], false));
    assert_eq!(feed.file.asked("if-modified-since").as_deref(), Some("Sun, 01 Nov 2026 10:00:00 GMT"));
    assert_eq!(feed.file.last_answer(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_server_that_tells_neither_is_read_and_compared() {
    let feed = Feed::of(&meeting("1", 2)).await;
    let first = feed.changes(None).await.unwrap();
    let second = feed.changes(Some(&first.cursor)).await.unwrap();
    assert_eq!((ids(&second), second.is_whole), (vec![], false));
    assert_eq!(feed.file.last_answer(), StatusCode::OK);
    feed.file.set(|served| served.text = calendar(&meeting("1", 3)));
    let third = feed.changes(Some(&second.cursor)).await.unwrap();
    assert_eq!((ids(&third), third.is_whole), (vec!["1"], true));
}

#[tokio::test]
async fn later_rounds_keep_the_window_of_the_first() {
    let feed = Feed::of(&meeting("1", 2)).await;
    let first = feed.changes(None).await.unwrap();
    let december = event("2", "DTSTART:20261224T090000Z\nDTEND:20261224T100000Z");
    feed.file.set(|served| served.text = calendar(&[meeting("1", 2), december].join("\n")));
    let year = Interval::new("2026-01-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap()).unwrap();
    let kept = feed.provider.changes(&feed.access, CALENDAR, Some(&first.cursor), year).await.unwrap();
    assert_eq!(ids(&kept), ["1"]);
    let anew = feed.provider.changes(&feed.access, CALENDAR, None, year).await.unwrap();
    assert_eq!(ids(&anew), ["1", "2"]);
}

#[tokio::test]
async fn a_cursor_of_another_kind_asks_for_a_full_round() {
    let feed = Feed::of("").await;
    for cursor in ["", "{}", "CPDAlvWDx70CEPDAlvWDx70CGAU="] {
        assert_eq!(feed.changes(Some(&SyncCursor::new(cursor))).await, Err(ProviderError::CursorExpired), "{cursor}");
    }
    let other = feed.provider.changes(&feed.access, "primary", None, november()).await;
    assert_eq!(other, Err(ProviderError::NotFound));
}

#[tokio::test]
async fn a_floating_time_is_the_hosts_and_moves_with_their_zone() {
    let feed = Feed::of(&event("1", "DTSTART:20261102T090000\nDTEND:20261102T100000")).await;
    feed.file.set(|served| served.etag = Some("\"a\"".into()));
    let first = feed.changes(None).await.unwrap();
    assert_eq!(feed.busy().await.unwrap(), ["02T08:00/02T09:00"]);
    let moved = Feed { access: feed.access.clone().in_zone(Tz::America__New_York), ..feed };
    let second = moved.changes(Some(&first.cursor)).await.unwrap();
    assert_eq!((ids(&second), second.is_whole), (vec!["1"], true));
    assert_eq!(moved.busy().await.unwrap(), ["02T14:00/02T15:00"]);
}

#[tokio::test]
async fn without_any_zone_what_needs_one_is_unknown() {
    let feed = Feed::of(&event("1", "DTSTART;VALUE=DATE:20261102")).await;
    assert_eq!(feed.busy().await.unwrap(), ["01T23:00/02T23:00"]);
    let address = match feed.access.target() {
        cupo_providers::Target::Feed(address) => address.clone(),
        other => panic!("{other:?}"),
    };
    let nowhere = Feed { access: Access::feed("account", address), ..feed };
    assert_eq!(nowhere.busy().await, Err("floating_time".to_owned()));
    // The mirror keeps days as days.
    assert_eq!(ids(&nowhere.changes(None).await.unwrap()), ["1"]);
    nowhere.file.set(|served| served.text = calendar(&event("1", "DTSTART:20261102T090000")));
    assert_eq!(nowhere.changes(None).await, Err(ProviderError::Rejected("floating_time".into())));
}

#[tokio::test]
async fn busy_time_is_sorted_merged_and_within_the_range() {
    let weekly = event("1", "DTSTART;TZID=Europe/Madrid:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU");
    let over = event("2", "DTSTART:20261103T083000Z\nDTEND:20261103T093000Z");
    let long = event("3", "DTSTART:20261030T000000Z\nDTEND:20261101T120000Z");
    let free = event("4", "DTSTART:20261105T083000Z\nDTEND:20261105T093000Z\nTRANSP:TRANSPARENT");
    let feed = Feed::of(&[weekly, over, long, free].join("\n")).await;
    let busy = feed.busy().await.unwrap();
    assert_eq!(busy[..3], ["01T00:00/01T12:00", "02T08:00/02T09:00", "03T08:00/03T09:30"]);
    assert_eq!(busy.len(), 10);
}

#[tokio::test]
async fn busy_time_that_cannot_be_read_is_unknown() {
    let feed = Feed::of(&meeting("1", 2)).await;
    feed.file.set(|served| served.status = StatusCode::SERVICE_UNAVAILABLE);
    assert!(feed.busy().await.unwrap_err().contains("503"));
    let told = feed.provider.free_busy(&feed.access, &["other"], november()).await.unwrap();
    assert_eq!(told[0].busy.clone().unwrap_err().reason, "notFound");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_with_a_reason() {
    let feed = Feed::of("").await;
    let known = feed.changes(None).await.unwrap().cursor;
    let huge = "X-LONG:".to_owned() + &"x".repeat(6 * 1024 * 1024);
    for (text, reason) in [
        ("<html>Please sign in</html>".to_owned(), "not_a_calendar"),
        (calendar(&event("1", "DTSTART:soon")), "unreadable_event: DTSTART of event 1 is missing or not readable"),
        (
            calendar(&[meeting("1", 2), event("2", "DTSTART;TZID=Mars/Olympus:20261102T090000")].join("\n")),
            "unknown_time_zone: unknown time zone `Mars/Olympus`",
        ),
        (
            calendar(&event("1", "DTSTART:20261102T090000Z\nRRULE:FREQ=SECONDLY")),
            "unreadable_event: RRULE of event 1 is missing or not readable",
        ),
        (calendar(&event("1", "DTSTART:16010101T000000Z\nRRULE:FREQ=HOURLY;COUNT=9000000")), "too_many_dates"),
        (calendar(&huge), "too_large"),
    ] {
        feed.file.set(|served| served.text = text);
        let refused = Err(ProviderError::Rejected(reason.to_owned()));
        assert_eq!(feed.changes(Some(&known)).await, refused, "{reason}");
        assert_eq!(feed.busy().await, Err(reason.to_owned()));
    }
}

#[tokio::test]
async fn an_answer_is_told_as_what_is_to_be_done() {
    let feed = Feed::of("").await;
    for (status, error) in [
        (401, ProviderError::Reauth(ReauthReason::GrantRevoked)),
        (403, ProviderError::Rejected("refused 403".into())),
        (404, ProviderError::NotFound),
        (410, ProviderError::NotFound),
        (418, ProviderError::Rejected("refused 418".into())),
        (429, ProviderError::Transient("429".into())),
        (500, ProviderError::Transient("500".into())),
        // It was not asked whether the file is another.
        (304, ProviderError::Rejected("refused 304".into())),
    ] {
        feed.file.set(|served| served.status = StatusCode::from_u16(status).unwrap());
        assert_eq!(feed.changes(None).await, Err(error.clone()), "{status}");
        assert_eq!(feed.provider.list_calendars(&feed.access).await, Err(error));
    }
}

#[tokio::test]
async fn redirects_are_followed_with_the_conditions() {
    let file = File::default();
    file.set(|served| {
        served.text = calendar(&meeting("1", 2));
        served.etag = Some("\"a\"".into());
    });
    let router = Router::new()
        .route("/old.ics", get(async || Redirect::permanent("/new.ics")))
        .route("/loop.ics", get(async || Redirect::temporary("/loop.ics")))
        .route("/new.ics", get(serve_file))
        .with_state(file.clone());
    let address = serve(router).await;
    let provider = provider(FeedConfig::default());
    let access = Access::feed("account", Secret::new(format!("{address}/old.ics")));
    let first = provider.changes(&access, CALENDAR, None, november()).await.unwrap();
    assert_eq!(ids(&first), ["1"]);
    let second = provider.changes(&access, CALENDAR, Some(&first.cursor), november()).await.unwrap();
    assert!(!second.is_whole);
    assert_eq!(file.last_answer(), StatusCode::NOT_MODIFIED);
    let endless = Access::feed("account", Secret::new(format!("{address}/loop.ics")));
    let told = provider.list_calendars(&endless).await;
    assert_eq!(told, Err(ProviderError::Rejected("refused too many redirects".into())));
}

#[tokio::test]
async fn a_file_without_end_is_not_read_to_the_end() {
    let endless = async || {
        let line = || Ok::<_, Infallible>("X-MORE:".to_owned() + &"x".repeat(10_000) + "\r\n");
        Body::from_stream(futures::stream::repeat_with(line))
    };
    let silent = async || {
        let first = futures::stream::iter([Ok::<_, Infallible>("BEGIN:VCALENDAR\r\n")]);
        Body::from_stream(futures::StreamExt::chain(first, futures::stream::pending()))
    };
    let address = serve(Router::new().route("/endless", get(endless)).route("/silent", get(silent))).await;
    let hasty = provider(FeedConfig { total_timeout: Duration::from_secs(5), ..FeedConfig::default() });
    let told = hasty.list_calendars(&Access::feed("account", Secret::new(format!("{address}/endless")))).await;
    assert_eq!(told, Err(ProviderError::Rejected("too_large".into())));
    let hasty = provider(FeedConfig { total_timeout: Duration::from_millis(300), ..FeedConfig::default() });
    let told = hasty.list_calendars(&Access::feed("account", Secret::new(format!("{address}/silent")))).await;
    assert!(matches!(told, Err(ProviderError::Transient(_))), "{told:?}");
}

#[tokio::test]
async fn this_machine_is_not_visited_and_no_error_tells_the_address() {
    let feed = Feed::of("").await;
    let public_only = IcsProvider::new(FeedReader::new(FeedConfig::default()).unwrap());
    let private = public_only.changes(&feed.access, CALENDAR, None, november()).await.unwrap_err();
    assert_eq!(private, ProviderError::Rejected("private_address".into()));
    assert!(feed.file.0.lock().unwrap().answers.is_empty());

    feed.file.set(|served| served.status = StatusCode::FORBIDDEN);
    let nobody = Access::feed("account", Secret::new(format!("http://nobody.invalid/{SECRET}")));
    let no_address = Access::feed("account", Secret::new(format!("file:///{SECRET}")));
    for access in [&feed.access, &nobody, &no_address] {
        let told = feed.provider.changes(access, CALENDAR, None, november()).await.unwrap_err();
        assert!(!format!("{told} {told:?} {access:?}").contains(SECRET), "{told:?}");
        let busy = feed.provider.free_busy(access, &[CALENDAR], november()).await.unwrap().remove(0).busy.unwrap_err();
        assert!(!busy.reason.contains(SECRET), "{busy:?}");
    }
}

#[tokio::test]
async fn an_event_is_found_by_its_id() {
    let weekly = event("1", "DTSTART:20261102T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nSUMMARY:Weekly");
    let moved = event("1", "RECURRENCE-ID:20261109T090000Z\nDTSTART:20261110T150000Z\nSUMMARY:Moved");
    let cancelled = event("3", "DTSTART:20261102T090000Z\nSTATUS:CANCELLED");
    let feed = Feed::of(&[weekly, moved, meeting("2", 2), cancelled].join("\n")).await;
    let title = async |id: &str| {
        let found = feed.provider.get_event(&feed.access, CALENDAR, id).await.unwrap();
        found.map(|event| (event.id, event.title))
    };
    let found = |id: &str, title: &str| Some((id.to_owned(), title.to_owned()));
    assert_eq!(title("2").await, found("2", ""));
    assert_eq!(title("1").await, found("1", "Weekly"));
    assert_eq!(title("1#20261116T090000Z").await, found("1#20261116T090000Z", "Weekly"));
    assert_eq!(title("1#20261109T090000Z").await, found("1#20261109T090000Z", "Moved"));
    for none in ["3", "4", "1#20261117T090000Z", "1#soon"] {
        assert_eq!(title(none).await, None, "{none}");
    }
}

#[tokio::test]
async fn only_a_feed_is_read() {
    let provider = provider(FeedConfig::default());
    let told = provider.list_calendars(&Access::bearer("account", Secret::new("token"))).await;
    assert!(matches!(told, Err(ProviderError::Rejected(_))), "{told:?}");
}
