//! The adapter for Microsoft Graph before a server that answers as it is told: what the simulator does not do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use cupo_core::ids::ClaimId;
use cupo_providers::microsoft::{MicrosoftEndpoints, MicrosoftProvider};
use cupo_providers::{
    Access, Attendee, CalendarEvent, CalendarProvider, Clock, EventChange, EventMark, EventTime, Expected, Meeting,
    MeetingLink, ProviderError, ReauthReason, Renewal, Secret, SyncCursor, Target, Transport, TransportConfig,
    WatchRequest,
};
use cupo_simulators::contract::MicrosoftContract;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::world::{APPOINTMENT, appointment_event, hour, hours};

const CALENDAR: &str = "AAMkCalendar=";
const EVENT: &str = "AAMkEvent=";
const EVENT_PATH: &str = "/v1.0/me/calendars/AAMkCalendar=/events/AAMkEvent=";

/// What is answered to one request; `{base}` in the body stands for Graph's address.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

fn reply(status: u16, body: Value) -> Reply {
    Reply { status, headers: Vec::new(), body }
}

fn refusal(status: u16, code: &str) -> Reply {
    reply(status, json!({"error": {"code": code, "message": "ana@contoso.example may not"}}))
}

#[derive(Debug, Clone)]
struct Seen {
    method: String,
    /// With the query, as it was sent.
    address: String,
    headers: HeaderMap,
    body: Option<Value>,
}

/// A Graph that gives the replies in order.
struct Scripted {
    microsoft: MicrosoftProvider,
    access: Access,
    base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Scripted {
    async fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(TransportConfig { max_retries: 0, ..TransportConfig::default() }, replies).await
    }

    async fn with(config: TransportConfig, replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1.0", listener.local_addr().unwrap());
        let replies: VecDeque<Reply> = replies.into_iter().collect();
        let (replies, seen) = (Arc::new(Mutex::new(replies)), Arc::new(Mutex::new(Vec::new())));
        let (log, address) = (seen.clone(), base.clone());
        let server = Router::new().fallback(async move |request: Request| {
            let seen = seen_of(request).await;
            log.lock().unwrap().push(seen);
            let reply = replies.lock().unwrap().pop_front();
            answer(reply.unwrap_or_else(|| refusal(418, "NothingLeftToSay")), &address)
        });
        tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
        let endpoints = MicrosoftEndpoints { graph_url: Url::parse(&base).unwrap() };
        let now: DateTime<Utc> = "2026-11-02T09:00:00Z".parse().unwrap();
        let microsoft = MicrosoftProvider::new(Transport::new(config).unwrap(), endpoints, Clock::new(move || now));
        Self { microsoft, access: Access::bearer("account", Secret::new("very-secret")), base, seen }
    }

    /// The requests so far, as `METHOD path`.
    fn calls(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let path = |seen: &Seen| seen.address.split('?').next().unwrap_or_default().to_owned();
        seen.iter().map(|seen| format!("{} {}", seen.method, path(seen))).collect()
    }

    fn body(&self, index: usize) -> Value {
        self.seen.lock().unwrap()[index].body.clone().unwrap()
    }

    /// Every request so far against the official description, and with the preferences that all must have.
    fn assert_contract_is_kept(&self) {
        let seen = self.seen.lock().unwrap();
        assert!(!seen.is_empty());
        for seen in seen.iter() {
            let prefer = seen.headers["prefer"].to_str().unwrap();
            for preference in [r#"IdType="ImmutableId""#, r#"outlook.timezone="UTC""#] {
                assert!(prefer.contains(preference), "{} {}", seen.method, seen.address);
            }
        }
        let Some(contract) = MicrosoftContract::load() else {
            eprintln!("LEFT OUT: requests are not checked against Microsoft's description; set CUPO_CONTRACT_DIR");
            return;
        };
        for seen in seen.iter() {
            let verdict = contract.validate_request(&seen.method, &seen.address, seen.body.as_ref());
            assert_eq!(verdict, Ok(()), "{} {} {:?}", seen.method, seen.address, seen.body);
        }
    }
}

async fn seen_of(request: Request) -> Seen {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Seen {
        method: parts.method.to_string(),
        address: parts.uri.path_and_query().unwrap().to_string(),
        headers: parts.headers,
        body: (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap()),
    }
}

fn answer(reply: Reply, base: &str) -> Response {
    let mut response = match reply.body {
        Value::Null => Bytes::new().into_response(),
        body => body.to_string().replace("{base}", base).into_response(),
    };
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    for (name, value) in reply.headers {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

fn mark() -> Value {
    json!([{
        "id": "String {5D3FA2B6-90c1-4f3e-8a55-6f0d5e1c7b92} Name CupoMark",
        "value": format!("cupo:{APPOINTMENT}:0:https://cupo.example"),
    }])
}

/// The appointment's event as Graph tells it.
fn found(etag: u32, changes: &Value) -> Value {
    let mut event = json!({
        "@odata.etag": format!("W/\"{etag}\""), "id": EVENT, "subject": "Consultation", "type": "singleInstance",
        "isAllDay": false, "isCancelled": false, "isOrganizer": true, "showAs": "busy", "iCalUId": "0400",
        "body": {"contentType": "text", "content": "Booked through the site\r\n"}, "isOnlineMeeting": false,
        "originalStartTimeZone": "Europe/Madrid", "originalEndTimeZone": "Europe/Madrid",
        "start": {"dateTime": "2026-11-02T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-02T10:00:00.0000000", "timeZone": "UTC"},
        "location": {"displayName": ""}, "singleValueExtendedProperties": mark(),
        "attendees": [{"type": "required", "status": {"response": "accepted"},
            "emailAddress": {"name": "Guest", "address": "guest@example.net"}}],
    });
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

fn wanted(title: &str) -> CalendarEvent {
    CalendarEvent { id: EVENT.into(), title: title.into(), ..appointment_event() }
}

fn ids(events: &[EventChange]) -> Vec<String> {
    let id = |change: &EventChange| match change {
        EventChange::Upsert(event) => event.id.clone(),
        EventChange::Series { id, .. } => format!("series {id}"),
        EventChange::Removed { id } => format!("-{id}"),
    };
    events.iter().map(id).collect()
}

#[tokio::test]
async fn a_next_link_is_followed_within_graph_only() {
    let listed = |next: &str| reply(200, json!({"value": [{"id": CALENDAR}], "@odata.nextLink": next}));
    let last = reply(200, json!({"value": [{"id": "AAMkOther="}]}));
    let good = Scripted::new([listed("{base}/me/calendars?$top=100&$skip=100"), last]).await;
    assert_eq!(good.microsoft.list_calendars(&good.access).await.unwrap().len(), 2);
    assert_eq!(good.calls(), ["GET /v1.0/me/calendars", "GET /v1.0/me/calendars"]);
    good.assert_contract_is_kept();

    let elsewhere = Scripted::new([]).await;
    for link in [format!("{}/me/calendars", elsewhere.base), "{base}/../beta/me/calendars".to_owned()] {
        let bad = Scripted::new([listed(&link)]).await;
        let told = bad.microsoft.list_calendars(&bad.access).await;
        assert!(matches!(told, Err(ProviderError::Rejected(_))), "{told:?}");
        assert_eq!(bad.calls().len(), 1);
    }
    assert_eq!(elsewhere.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_without_end_are_stopped() {
    let page = || reply(200, json!({"value": [], "@odata.nextLink": "{base}/me/calendars?$skip=1"}));
    let graph = Scripted::new((0..1_001).map(|_| page())).await;
    let told = graph.microsoft.list_calendars(&graph.access).await;
    assert!(matches!(told, Err(ProviderError::Rejected(_))), "{told:?}");
    assert_eq!(graph.calls().len(), 1_000);
}

#[tokio::test]
async fn a_cursor_that_leads_elsewhere_is_expired_and_nothing_is_sent_there() {
    let elsewhere = Scripted::new([]).await;
    let graph = Scripted::new([]).await;
    let link = format!("{}/me/calendars/{CALENDAR}/calendarView/delta?$deltatoken=a", elsewhere.base);
    let cursor = SyncCursor::new(link);
    let told = graph.microsoft.changes(&graph.access, CALENDAR, Some(&cursor), hours(0, 24)).await;
    assert_eq!(told, Err(ProviderError::CursorExpired));
    assert_eq!((graph.calls(), elsewhere.calls()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn the_links_of_a_round_are_sent_as_they_are() {
    let next = "{base}/me/calendars/x/calendarView/delta?$skiptoken=R0us%2Bx%3D";
    let page = json!({"value": [found(1, &json!({}))], "@odata.nextLink": next});
    let delta = "{base}/me/calendars/x/calendarView/delta?%24deltatoken=a%2Fb%3D&odd=+";
    let last = json!({"value": [], "@odata.deltaLink": delta});
    let graph = Scripted::new([reply(200, page), reply(200, last), reply(410, Value::Null)]).await;
    let first = graph.microsoft.changes(&graph.access, CALENDAR, None, hours(0, 24)).await.unwrap();
    assert!(first.is_whole);
    assert_eq!(ids(&first.events), [EVENT]);
    let link = format!("{}/me/calendars/x/calendarView/delta?%24deltatoken=a%2Fb%3D&odd=+", graph.base);
    assert_eq!(first.cursor.as_str(), link);
    let told = graph.microsoft.changes(&graph.access, CALENDAR, Some(&first.cursor), hours(0, 24)).await;
    assert_eq!(told, Err(ProviderError::CursorExpired));
    let seen = graph.seen.lock().unwrap();
    let addresses: Vec<&str> = seen.iter().map(|seen| seen.address.as_str()).collect();
    let first = "/v1.0/me/calendars/AAMkCalendar=/calendarView/delta\
        ?startDateTime=2026-11-02T00%3A00%3A00Z&endDateTime=2026-11-03T00%3A00%3A00Z";
    let next = "/v1.0/me/calendars/x/calendarView/delta?$skiptoken=R0us%2Bx%3D";
    assert_eq!(addresses, [first, next, "/v1.0/me/calendars/x/calendarView/delta?%24deltatoken=a%2Fb%3D&odd=+"]);
    assert!(seen.iter().all(|seen| seen.headers["prefer"].to_str().unwrap().contains("odata.maxpagesize=200")));
}

fn cursor(graph: &Scripted) -> SyncCursor {
    SyncCursor::new(format!("{}/me/calendars/{CALENDAR}/calendarView/delta?$deltatoken=a", graph.base))
}

fn round(items: Value) -> Reply {
    let link = "{base}/me/calendars/AAMkCalendar=/calendarView/delta?$deltatoken=b";
    reply(200, json!({"value": items, "@odata.deltaLink": link}))
}

#[tokio::test]
async fn what_is_called_removed_is_asked_for_and_told_as_it_is() {
    let removed = |id: &str| json!({"id": id, "@removed": {"reason": "deleted"}});
    let moved = found(
        2,
        &json!({"id": "moved", "start": {"dateTime": "2027-01-04T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2027-01-04T10:00:00", "timeZone": "UTC"}}),
    );
    let answers = json!({"responses": [
        {"id": "2", "status": 200, "body": found(3, &json!({"id": "cancelled", "isCancelled": true}))},
        {"id": "1", "status": 200, "headers": {"Content-Type": "application/json"}, "body": moved},
        {"id": "0", "status": 404, "body": {"error": {"code": "ErrorItemNotFound"}}},
        {"id": "3", "status": 200, "body": found(3, &json!({"id": "series", "type": "seriesMaster"}))},
    ]});
    let items = json!([removed("gone"), removed("moved"), removed("cancelled"), removed("series")]);
    let graph = Scripted::new([round(items), reply(200, answers)]).await;
    let changes = graph.microsoft.changes(&graph.access, CALENDAR, Some(&cursor(&graph)), hours(0, 24)).await.unwrap();
    assert!(!changes.is_whole);
    assert_eq!(ids(&changes.events), ["-gone", "moved", "-cancelled"]);
    let EventChange::Upsert(moved) = &changes.events[1] else { panic!("{:?}", changes.events) };
    assert_eq!(moved.start.instant(chrono_tz::Tz::UTC).to_rfc3339(), "2027-01-04T09:00:00+00:00");
    assert_eq!(moved.mark, appointment_event().mark, "an event of ours is known when it is asked for");
    let inner = &graph.body(1)["requests"][0];
    assert!(inner["url"].as_str().unwrap().starts_with("/me/calendars/AAMkCalendar=/events/gone?"), "{inner}");
    assert!(inner["headers"]["prefer"].as_str().unwrap().contains("ImmutableId"), "{inner}");
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn a_round_whose_removals_cannot_be_confirmed_fails_and_may_be_repeated() {
    let items = json!([{"id": "gone", "@removed": {"reason": "deleted"}}]);
    let graph = Scripted::new([round(items), refusal(503, "ServiceUnavailable")]).await;
    let told = graph.microsoft.changes(&graph.access, CALENDAR, Some(&cursor(&graph)), hours(0, 24)).await;
    assert_eq!(told, Err(ProviderError::Transient("503".into())));
}

#[tokio::test]
async fn a_series_that_changed_without_naming_its_occurrences_is_asked_for_them() {
    let master = found(5, &json!({"id": "master", "type": "seriesMaster", "showAs": "free"}));
    let occurrence = found(5, &json!({"id": "o1", "type": "occurrence", "seriesMasterId": "master", "showAs": "free"}));
    let graph = Scripted::new([round(json!([master])), reply(200, json!({"value": [occurrence]}))]).await;
    let changes = graph.microsoft.changes(&graph.access, CALENDAR, Some(&cursor(&graph)), hours(0, 24)).await.unwrap();
    assert_eq!(ids(&changes.events), ["o1"]);
    assert_eq!(graph.calls()[1], "GET /v1.0/me/events/master/instances");
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn the_occurrences_of_a_series_that_was_cancelled_are_removed() {
    let cancelled = json!({"id": "master", "type": "seriesMaster", "isCancelled": true});
    let occurrence = json!({"id": "o1", "type": "occurrence", "seriesMasterId": "master", "isCancelled": true});
    let listed = reply(200, json!({"value": [found(5, &occurrence)]}));
    let graph = Scripted::new([round(json!([found(5, &cancelled)])), listed]).await;
    let changes = graph.microsoft.changes(&graph.access, CALENDAR, Some(&cursor(&graph)), hours(0, 24)).await.unwrap();
    assert_eq!(ids(&changes.events), ["-o1"]);
}

#[tokio::test]
async fn an_occurrence_whose_series_is_not_in_the_round_takes_what_it_lacks_from_there() {
    let bare = json!({"id": "o1", "type": "occurrence", "seriesMasterId": "master",
        "start": {"dateTime": "2026-11-02T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-02T10:00:00", "timeZone": "UTC"}});
    let master = found(5, &json!({"id": "master", "type": "seriesMaster", "subject": "Lunch", "showAs": "free"}));
    let graph = Scripted::new([round(json!([bare])), reply(200, master)]).await;
    let changes = graph.microsoft.changes(&graph.access, CALENDAR, Some(&cursor(&graph)), hours(0, 24)).await.unwrap();
    let EventChange::Upsert(read) = &changes.events[0] else { panic!("{:?}", changes.events) };
    assert_eq!((read.title.as_str(), read.busy_interval(chrono_tz::Tz::UTC)), ("Lunch", None));
}

#[tokio::test]
async fn a_transaction_id_that_a_deleted_event_holds_gives_way_to_the_next_one() {
    let mut taken = refusal(400, "ErrorInvalidRequest");
    taken.body["error"]["@event.existingEventId"] = EVENT.into();
    let created = reply(201, found(1, &json!({"id": "second"})));
    let graph = Scripted::new([taken, refusal(404, "ErrorItemNotFound"), created]).await;
    let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &appointment_event(), Expected::Create).await;
    assert_eq!(outcome.unwrap().id, "second");
    let (first, second) = (graph.body(0)["transactionId"].clone(), graph.body(2)["transactionId"].clone());
    assert_eq!(first, format!("cupo:{APPOINTMENT}:0:https://cupo.example"));
    assert_eq!(second, format!("cupo:{APPOINTMENT}:1:https://cupo.example"));
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn transaction_ids_that_are_all_taken_end_the_attempt() {
    let taken = || refusal(409, "ErrorDuplicateTransactionId");
    let nothing = || reply(200, json!({"value": []}));
    let graph = Scripted::new((0..8).flat_map(|_| [taken(), nothing()])).await;
    let told = graph.microsoft.put_event(&graph.access, CALENDAR, &appointment_event(), Expected::Create).await;
    assert!(matches!(told, Err(ProviderError::Rejected(_))), "{told:?}");
    assert_eq!(graph.calls().len(), 16);
}

#[tokio::test]
async fn a_duplicate_that_names_no_event_is_found_by_its_mark_and_left_alone_when_nothing_differs() {
    let listed = reply(200, json!({"value": [{"id": EVENT}]}));
    let taken = refusal(409, "ErrorDuplicateTransactionId");
    let graph = Scripted::new([taken, listed, reply(200, found(7, &json!({})))]).await;
    let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &appointment_event(), Expected::Create).await;
    let outcome = outcome.unwrap();
    assert_eq!((outcome.id.as_str(), outcome.etag.as_deref()), (EVENT, Some("W/\"7\"")));
    assert_eq!(outcome.ical_uid.as_deref(), Some("0400"));
    let events = "/v1.0/me/calendars/AAMkCalendar=/events";
    assert_eq!(graph.calls(), [format!("POST {events}"), format!("GET {events}"), format!("GET {EVENT_PATH}")]);
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn a_create_that_is_answered_with_the_event_of_an_earlier_one_looks_where_that_is_now() {
    let noon = |hour: u32| json!({"dateTime": format!("2026-11-02T{hour}:00:00"), "timeZone": "UTC"});
    let earlier = || found(1, &json!({"start": noon(12), "end": noon(13)}));
    let graph = Scripted::new([reply(201, earlier()), reply(200, earlier())]).await;
    let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &appointment_event(), Expected::Create).await;
    let standing = outcome.unwrap().stands.unwrap();
    assert_eq!(standing.start.instant(chrono_tz::Tz::UTC), hour(12));
    assert_eq!(graph.calls().len(), 2, "its host may have moved it: nothing is written");

    let renamed = found(2, &json!({"subject": "Something else"}));
    let graph = Scripted::new([reply(201, earlier()), reply(200, renamed), reply(200, found(3, &json!({})))]).await;
    let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &appointment_event(), Expected::Create).await;
    let outcome = outcome.unwrap();
    assert_eq!((outcome.etag.as_deref(), outcome.stands), (Some("W/\"3\""), None));
    assert_eq!(graph.body(2)["subject"], appointment_event().title);
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn a_conflict_in_passing_is_read_again_and_written_once_more() {
    let conflict = || refusal(412, "ErrorIrresolvableConflict");
    let stale = || reply(200, found(1, &json!({})));
    let fresh = || reply(200, found(2, &json!({})));
    let done = || reply(200, found(3, &json!({"subject": "Moved"})));
    let put = async |replies: Vec<Reply>, etag: Option<&str>| {
        let graph = Scripted::new(replies).await;
        let expected = Expected::Update { etag };
        let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &wanted("Moved"), expected).await;
        graph.assert_contract_is_kept();
        let seen = graph.seen.lock().unwrap();
        let tags = seen.iter().filter_map(|seen| Some(seen.headers.get("if-match")?.to_str().unwrap().to_owned()));
        (outcome.map(|outcome| outcome.etag.unwrap()), tags.collect::<Vec<_>>())
    };
    let (one, two) = ("W/\"1\"".to_owned(), "W/\"2\"".to_owned());
    // No etag was given: the newest one will do.
    let told = put(vec![stale(), conflict(), fresh(), done()], None).await;
    assert_eq!(told, (Ok("W/\"3\"".to_owned()), vec![one.clone(), two.clone()]));
    // The event is still what the caller knows.
    let told = put(vec![stale(), conflict(), stale(), done()], Some("W/\"1\"")).await;
    assert_eq!(told, (Ok("W/\"3\"".to_owned()), vec![one.clone(), one.clone()]));
    // It is not, from the beginning or since.
    let told = put(vec![fresh()], Some("W/\"1\"")).await;
    assert_eq!(told, (Err(ProviderError::Conflict), vec![]));
    let told = put(vec![stale(), conflict(), fresh()], Some("W/\"1\"")).await;
    assert_eq!(told, (Err(ProviderError::Conflict), vec![one.clone()]));
    // Twice is no passing.
    let told = put(vec![stale(), conflict(), fresh(), conflict()], None).await;
    assert_eq!(told, (Err(ProviderError::Conflict), vec![one, two]));
}

#[tokio::test]
async fn only_what_differs_is_written() {
    let done = reply(200, found(2, &json!({"subject": "Moved"})));
    let graph = Scripted::new([reply(200, found(1, &json!({}))), done]).await;
    let expected = Expected::Update { etag: Some("W/\"1\"") };
    graph.microsoft.put_event(&graph.access, CALENDAR, &wanted("Moved"), expected).await.unwrap();
    assert_eq!(graph.body(1), json!({"subject": "Moved"}));
    let graph = Scripted::new([reply(200, found(1, &json!({})))]).await;
    let same = graph.microsoft.put_event(&graph.access, CALENDAR, &wanted("Consultation"), expected).await.unwrap();
    assert_eq!((same.etag.as_deref(), graph.calls().len()), (Some("W/\"1\""), 1));
}

#[tokio::test]
async fn another_text_of_a_meeting_keeps_what_teams_wrote_below_it() {
    let border = "_".repeat(80);
    let join = "https://teams.microsoft.com/l/meetup-join/1";
    let online =
        |body: Value| found(1, &json!({"isOnlineMeeting": true, "onlineMeeting": {"joinUrl": join}, "body": body}));
    let text = json!({"contentType": "text", "content": format!("An older text\r\n{border}\r\nJoin: {join}")});
    let html =
        format!("<html><body><div>An older text</div><br><div>{border}</div><a href=\"{join}\">Join</a></body></html>");
    let html = json!({"contentType": "html", "content": html});
    let graph =
        Scripted::new([reply(200, online(text.clone())), reply(200, online(html)), reply(200, online(text))]).await;
    let expected = Expected::Update { etag: None };
    let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &wanted("Consultation"), expected).await.unwrap();
    assert_eq!(outcome.meeting, MeetingLink::Ready { url: join.into() });
    let written = graph.body(2);
    assert_eq!(written["body"]["contentType"], "html");
    let content = written["body"]["content"].as_str().unwrap();
    assert!(content.contains("Booked through the site") && content.contains(join), "{content}");
    assert!(!content.contains("An older text"), "{content}");
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn a_meeting_where_teams_makes_none_is_not_asked_for_and_has_failed() {
    let calendar = |providers: Value| reply(200, json!({"id": CALENDAR, "allowedOnlineMeetingProviders": providers}));
    let mut event = appointment_event();
    event.meeting = Meeting::Request { request_id: "018f".into() };
    let replies = [calendar(json!(["skypeForBusiness"])), reply(201, found(1, &json!({})))];
    let graph = Scripted::new(replies).await;
    let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &event, Expected::Create).await.unwrap();
    assert_eq!(outcome.meeting, MeetingLink::Failed);
    assert_eq!(graph.body(1).get("isOnlineMeeting"), None);
    graph.assert_contract_is_kept();

    let graph = Scripted::new([reply(201, found(1, &json!({})))]).await;
    let personal = graph.access.clone().to(Target::Personal);
    let outcome = graph.microsoft.put_event(&personal, CALENDAR, &event, Expected::Create).await.unwrap();
    assert_eq!((outcome.meeting, graph.calls().len()), (MeetingLink::Failed, 1));

    let pending = reply(201, found(1, &json!({"isOnlineMeeting": true, "onlineMeeting": null})));
    let graph = Scripted::new([calendar(json!(["teamsForBusiness"])), pending]).await;
    let outcome = graph.microsoft.put_event(&graph.access, CALENDAR, &event, Expected::Create).await.unwrap();
    assert_eq!(outcome.meeting, MeetingLink::Pending);
    assert_eq!(graph.body(1)["onlineMeetingProvider"], "teamsForBusiness");
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn a_busy_time_that_fails_inside_a_batch_is_asked_for_again_alone_or_unknown() {
    let view = json!({"value": [found(1, &json!({}))]});
    let answers = json!({"responses": [
        {"id": "1", "status": 404, "body": {"error": {"code": "ErrorItemNotFound", "message": "no"}}},
        {"id": "0", "status": 429, "headers": {"Retry-After": "1"},
            "body": {"error": {"code": "ApplicationThrottled"}}},
        {"id": "2", "status": 403, "body": {"error": {"code": "ErrorAccessDenied"}}},
    ]});
    let graph = Scripted::new([reply(200, answers), reply(200, view)]).await;
    let personal = graph.access.clone().to(Target::Personal);
    let calendars = [CALENDAR, "gone", "denied"];
    let told = graph.microsoft.free_busy(&personal, &calendars, hours(0, 24)).await.unwrap();
    assert_eq!(told.iter().map(|told| told.calendar.as_str()).collect::<Vec<_>>(), calendars);
    assert_eq!(told[0].busy, Ok(vec![hours(9, 10)]));
    assert_eq!(told[1].busy.as_ref().unwrap_err().reason, "notFound");
    assert_eq!(told[2].busy.as_ref().unwrap_err().reason, "403 ErrorAccessDenied");
    assert_eq!(graph.calls()[1], "GET /v1.0/me/calendars/AAMkCalendar=/calendarView");
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn an_unanswered_question_is_unknown_and_a_dead_token_fails_all() {
    let graph =
        Scripted::new([reply(200, json!({"responses": [{"id": "0", "status": 200, "body": {"value": []}}]}))]).await;
    let personal = graph.access.clone().to(Target::Personal);
    let told = graph.microsoft.free_busy(&personal, &["a", "b"], hours(0, 24)).await.unwrap();
    assert_eq!(told[0].busy, Ok(vec![]));
    assert!(told[1].busy.is_err());
    let expired = json!({"id": "1", "status": 401, "body": {"error": {"code": "InvalidAuthenticationToken"}}});
    let good = json!({"id": "0", "status": 200, "body": {"value": []}});
    let graph = Scripted::new([reply(200, json!({"responses": [good, expired]}))]).await;
    let told = graph.microsoft.free_busy(&personal, &["a", "b"], hours(0, 24)).await;
    assert_eq!(told, Err(ProviderError::Reauth(ReauthReason::AccessTokenExpired)));
}

#[tokio::test]
async fn a_view_of_several_pages_is_read_to_its_end() {
    let next = "{base}/me/calendars/AAMkCalendar=/calendarView?$skip=500";
    let page = json!({"value": [found(1, &json!({}))], "@odata.nextLink": next});
    let noon = json!({"dateTime": "2026-11-02T12:00:00", "timeZone": "UTC"});
    let last = json!({"value": [found(1, &json!({"id": "b", "end": noon}))]});
    let graph = Scripted::new([reply(200, page), reply(200, last)]).await;
    let personal = graph.access.clone().to(Target::Personal);
    let told = graph.microsoft.free_busy(&personal, &[CALENDAR], hours(0, 24)).await.unwrap();
    assert_eq!(told[0].busy, Ok(vec![hours(9, 12)]));
}

#[tokio::test]
async fn which_calendar_is_the_default_one_is_asked_once() {
    let default = reply(200, json!({"id": CALENDAR, "owner": {"address": "ana@contoso.example", "name": "Ana"}}));
    let busy = json!([{"status": "busy", "start": {"dateTime": "2026-11-02T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-02T10:00:00.0000000", "timeZone": "UTC"}}]);
    let schedule = || reply(200, json!({"value": [{"scheduleId": "ana@contoso.example", "scheduleItems": busy}]}));
    let graph = Scripted::new([default, schedule(), schedule()]).await;
    for _ in 0..2 {
        let told = graph.microsoft.free_busy(&graph.access, &[CALENDAR], hours(0, 24)).await.unwrap();
        assert_eq!(told[0].busy, Ok(vec![hours(9, 10)]));
    }
    let schedule = "POST /v1.0/me/calendar/getSchedule";
    assert_eq!(graph.calls(), ["GET /v1.0/me/calendar", schedule, schedule]);
    assert_eq!(graph.body(1)["schedules"], json!(["ana@contoso.example"]));
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn more_questions_than_a_batch_holds_go_in_several() {
    let answers = |count: usize| {
        let one = |id: usize| json!({"id": id.to_string(), "status": 200, "body": {"value": []}});
        reply(200, json!({"responses": (0..count).map(one).collect::<Vec<_>>()}))
    };
    let graph = Scripted::new([answers(20), answers(20)]).await;
    let personal = graph.access.clone().to(Target::Personal);
    let calendars: Vec<String> = (0..25).map(|index| format!("calendar{index}")).collect();
    let calendars: Vec<&str> = calendars.iter().map(String::as_str).collect();
    let told = graph.microsoft.free_busy(&personal, &calendars, hours(0, 24)).await.unwrap();
    assert!(told.iter().all(|told| told.busy == Ok(vec![])), "{told:?}");
    let sizes: Vec<usize> = (0..2).map(|index| graph.body(index)["requests"].as_array().unwrap().len()).collect();
    assert_eq!((sizes.iter().max(), sizes.iter().sum()), (Some(&20), 25));
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn a_mailbox_by_application_access_has_its_own_path_and_its_administrator_is_asked() {
    let mailbox = Target::Mailbox("ana@contoso.example".into());
    let graph = Scripted::new([reply(200, json!({"value": []})), refusal(403, "ErrorAccessDenied")]).await;
    let access = graph.access.clone().to(mailbox);
    assert_eq!(graph.microsoft.list_calendars(&access).await, Ok(vec![]));
    let told = graph.microsoft.list_calendars(&access).await;
    assert_eq!(told, Err(ProviderError::ConsentNeeded("403 ErrorAccessDenied".into())));
    assert_eq!(graph.calls()[0], "GET /v1.0/users/ana@contoso.example/calendars");
    let refused = graph.microsoft.list_calendars(&graph.access.clone().to(Target::Mailbox("..".into()))).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    graph.assert_contract_is_kept();
}

fn channel() -> WatchRequest {
    WatchRequest {
        id: "018f-channel".into(),
        token: Secret::new("hush"),
        address: Url::parse("https://cupo.example/webhooks/microsoft").unwrap(),
        ttl: Duration::from_secs(30 * 24 * 3600),
    }
}

#[tokio::test]
async fn a_subscription_is_asked_for_with_its_lifecycle_and_the_longest_life() {
    let opened = json!({"id": "s1", "expirationDateTime": "2026-11-09T08:55:00.9356913Z", "resource": "r"});
    let graph = Scripted::new([reply(201, opened)]).await;
    let watch = graph.microsoft.watch(&graph.access, CALENDAR, &channel()).await.unwrap();
    assert_eq!(watch.resource_id, "s1");
    assert_eq!(watch.expires_at.timestamp(), "2026-11-09T08:55:00Z".parse::<DateTime<Utc>>().unwrap().timestamp());
    let expected = json!({
        "changeType": "created,updated,deleted", "clientState": "018f-channel.hush",
        "notificationUrl": "https://cupo.example/webhooks/microsoft",
        "lifecycleNotificationUrl": "https://cupo.example/webhooks/microsoft/lifecycle",
        "resource": "me/calendars/AAMkCalendar=/events", "expirationDateTime": "2026-11-09T08:55:00Z",
    });
    assert_eq!(graph.body(0), expected);
    graph.assert_contract_is_kept();
    let dotted = WatchRequest { token: Secret::new("hu.sh"), ..channel() };
    let refused = graph.microsoft.watch(&graph.access, CALENDAR, &dotted).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
}

#[tokio::test]
async fn a_subscription_that_stands_in_the_way_is_closed_first() {
    let address = "https://cupo.example/webhooks/microsoft";
    let resource = "/me/calendars/AAMkCalendar=/events";
    let listed = json!({"value": [
        {"id": "other", "resource": "me/events", "notificationUrl": address},
        {"id": "same", "resource": resource, "notificationUrl": address},
        {"id": "elsewhere", "resource": resource, "notificationUrl": "https://other.example/"},
    ]});
    let opened = json!({"id": "s2", "expirationDateTime": "2026-11-09T08:55:00Z"});
    let replies = [refusal(409, "ExtensionError"), reply(200, listed), reply(204, Value::Null), reply(201, opened)];
    let graph = Scripted::new(replies).await;
    assert_eq!(graph.microsoft.watch(&graph.access, CALENDAR, &channel()).await.unwrap().resource_id, "s2");
    assert_eq!(graph.calls()[2], "DELETE /v1.0/subscriptions/same");
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn a_subscription_is_lengthened_and_one_that_has_ended_is_to_be_replaced() {
    let renewed = json!({"id": "s1", "expirationDateTime": "2026-11-02T10:00:00Z"});
    let gone = || refusal(404, "ResourceNotFound");
    let graph = Scripted::new([reply(200, renewed), gone(), gone()]).await;
    let hour_long = Duration::from_secs(3600);
    let told = graph.microsoft.renew(&graph.access, "s1", hour_long).await;
    assert_eq!(told, Ok(Renewal::Extended(hour(10))));
    assert_eq!(graph.body(0), json!({"expirationDateTime": "2026-11-02T10:00:00Z"}));
    assert_eq!(graph.microsoft.renew(&graph.access, "s1", hour_long).await, Ok(Renewal::Replace));
    assert_eq!(graph.microsoft.unwatch(&graph.access, "018f-channel", "s1").await, Ok(()));
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn only_an_organizer_with_attendees_cancels() {
    let of = |changes: Value| reply(200, found(1, &changes));
    for (event, last) in [
        (of(json!({})), format!("POST /v1.0/me/events/{EVENT}/cancel")),
        (of(json!({"attendees": []})), format!("DELETE {EVENT_PATH}")),
        (of(json!({"isOrganizer": false})), format!("DELETE {EVENT_PATH}")),
        (of(json!({"isCancelled": true})), format!("DELETE {EVENT_PATH}")),
        (refusal(404, "ErrorItemNotFound"), format!("DELETE {EVENT_PATH}")),
    ] {
        let graph = Scripted::new([event, refusal(404, "ErrorItemNotFound")]).await;
        assert_eq!(graph.microsoft.delete_event(&graph.access, CALENDAR, EVENT, true).await, Ok(()));
        assert_eq!(graph.calls()[1..], [last]);
        graph.assert_contract_is_kept();
    }
    let graph = Scripted::new([reply(204, Value::Null)]).await;
    assert_eq!(graph.microsoft.delete_event(&graph.access, CALENDAR, EVENT, false).await, Ok(()));
    assert_eq!(graph.calls(), [format!("DELETE {EVENT_PATH}")]);
}

#[tokio::test]
async fn whose_account_it_is_is_told_even_without_a_mailbox_address() {
    let replies = [
        reply(
            200,
            json!({"displayName": "Ana Ruiz", "mail": "ana@contoso.example", "userPrincipalName": "a@contoso.example"}),
        ),
        reply(200, json!({"displayName": "", "mail": null, "userPrincipalName": "carla@outlook.example"})),
        reply(200, json!({"displayName": "Nobody"})),
    ];
    let graph = Scripted::new(replies).await;
    let me = async || graph.microsoft.me(&graph.access).await.map(|me| (me.email, me.name));
    assert_eq!(me().await, Ok(("ana@contoso.example".into(), Some("Ana Ruiz".into()))));
    assert_eq!(me().await, Ok(("carla@outlook.example".into(), None)));
    assert!(matches!(me().await, Err(ProviderError::Rejected(_))));
    graph.assert_contract_is_kept();
}

#[tokio::test]
async fn no_error_quotes_an_answer_or_an_address() {
    let calls = async |reply: Reply| {
        let graph = Scripted::new([reply]).await;
        graph.microsoft.get_event(&graph.access, CALENDAR, EVENT).await.unwrap_err().to_string()
    };
    let odd_zone = json!({"dateTime": "2026-11-02T09:00:00", "timeZone": "Customized Time Zone"});
    for (reply, told) in [
        (refusal(400, "ErrorPropertyValidationFailure"), "400 ErrorPropertyValidationFailure"),
        (reply(200, json!({"id": EVENT, "subject": 5})), "`subject`"),
        (reply(200, json!({"id": EVENT, "subject": "dinner with eve"})), "`start`"),
        (reply(200, found(1, &json!({"start": odd_zone}))), "unknown time zone `Customized Time Zone`"),
        (reply(200, Value::Null), "not JSON"),
    ] {
        let text = calls(reply).await;
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("ana@contoso.example") && !text.contains("dinner"), "{text}");
    }
}

#[tokio::test]
async fn the_mark_of_another_installation_is_read_as_such() {
    let mark = json!([{"id": mark()[0]["id"], "value": format!("cupo:{APPOINTMENT}:0:other.example")}]);
    let graph = Scripted::new([reply(200, found(1, &json!({"singleValueExtendedProperties": mark})))]).await;
    let read = graph.microsoft.get_event(&graph.access, CALENDAR, EVENT).await.unwrap().unwrap();
    let claim_id = ClaimId::parse(APPOINTMENT).unwrap();
    assert_eq!(read.mark, Some(EventMark { claim_id, installation: "other.example".into() }));
    assert_eq!(read.attendees.first().map(|guest| guest.email.as_str()), Some("guest@example.net"));
    assert_eq!(
        read.attendees,
        [Attendee {
            response: cupo_providers::ResponseStatus::Accepted,
            ..Attendee::invited("guest@example.net", Some("Guest".into()))
        }]
    );
}

fn weekly() -> Value {
    json!({
        "type": "seriesMaster",
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday"],
                "firstDayOfWeek": "sunday", "index": "first"},
            "range": {"type": "noEnd", "startDate": "2026-11-02", "endDate": "0001-01-01",
                "recurrenceTimeZone": "UTC", "numberOfOccurrences": 0},
        },
    })
}

fn occurrence(id: &str, day: u32) -> Value {
    let time = |hour: u32| json!({"dateTime": format!("2026-11-{day:02}T{hour:02}:00:00.0000000"), "timeZone": "UTC"});
    let changes = json!({
        "id": id, "type": "occurrence", "seriesMasterId": EVENT, "start": time(9), "end": time(10),
        "singleValueExtendedProperties": null,
    });
    found(1, &changes)
}

#[tokio::test]
async fn a_series_is_read_by_its_first_date_that_takes_place() {
    let instances = reply(200, json!({"value": [occurrence("later", 16), occurrence("sooner", 9)]}));
    let graph = Scripted::new([reply(200, found(7, &weekly())), instances]).await;
    let read = graph.microsoft.get_event(&graph.access, CALENDAR, EVENT).await.unwrap().unwrap();
    assert_eq!((read.id.as_str(), read.first_instance.as_deref()), (EVENT, Some("sooner")));
    assert_eq!(read.start.instant(chrono_tz::Tz::UTC).to_rfc3339(), "2026-11-09T09:00:00+00:00");
    assert_eq!((read.etag.as_deref(), read.mark.is_some()), (Some("W/\"7\""), true));
    assert_eq!(graph.calls().len(), 2);
    graph.assert_contract_is_kept();

    let none = || reply(200, json!({"value": []}));
    let graph = Scripted::new([reply(200, found(7, &weekly())), none(), none()]).await;
    assert_eq!(graph.microsoft.get_event(&graph.access, CALENDAR, EVENT).await.unwrap(), None);
}

#[tokio::test]
async fn a_series_that_is_moved_takes_its_pattern_along() {
    let graph = Scripted::new([reply(200, found(7, &weekly())), reply(200, found(8, &json!({})))]).await;
    let at = |text: &str| EventTime::Instant { at: text.parse().unwrap(), time_zone: Some("Europe/Madrid".into()) };
    let moved =
        CalendarEvent { start: at("2026-11-05T11:00:00Z"), end: at("2026-11-05T12:00:00Z"), ..wanted("Consultation") };
    let expected = Expected::Update { etag: Some("W/\"7\"") };
    graph.microsoft.put_event(&graph.access, CALENDAR, &moved, expected).await.unwrap();
    let recurrence = &graph.body(1)["recurrence"];
    assert_eq!(recurrence["pattern"]["daysOfWeek"], json!(["thursday"]));
    assert_eq!(recurrence["range"]["startDate"], "2026-11-05");
    graph.assert_contract_is_kept();
}
