//! The CalDAV adapter before servers whose habits differ from Radicale's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cupo_core::interval::Interval;
use cupo_providers::{
    CalendarProvider, Changes, EventChange, Expected, ProviderError, Secret, SyncCursor, WatchRequest,
};
use url::Url;

use crate::caldav_server::{
    Asked, StandIn, error, event, multistatus, provider, resource, status, text, told, with_headers, with_status,
};
use crate::world::{APPOINTMENT, appointment_event, hours};

const WORK: &str = "/ana/work/";

fn week() -> Interval {
    hours(0, 24 * 7)
}

/// Whether it asks how far the calendar is.
fn asks_for_state(asked: &Asked) -> bool {
    asked.method == "PROPFIND" && asked.names("getctag")
}

/// Whether it asks who the account's owner is.
fn asks_for_owner(asked: &Asked) -> bool {
    asked.method == "PROPFIND" && asked.names("calendar-user-address-set")
}

async fn round(stand_in: &StandIn, cursor: Option<&SyncCursor>) -> Result<Changes, ProviderError> {
    provider().changes(&stand_in.ana(), &stand_in.at(WORK), cursor, week()).await
}

fn names(changes: &Changes) -> Vec<String> {
    let name = |id: &str| id.rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
    let told = changes.events.iter().map(|change| match change {
        EventChange::Upsert(event) => name(&event.id),
        EventChange::Series { id, .. } => format!("*{}", name(id)),
        EventChange::Removed { id } => format!("-{}", name(id)),
    });
    told.collect()
}

#[tokio::test]
async fn without_sync_tokens_a_changed_ctag_makes_the_round_whole_and_an_unchanged_one_ends_it() {
    let ctag = Arc::new(AtomicU32::new(1));
    let now = ctag.clone();
    let stand_in = StandIn::start(move |asked| {
        let now = now.load(Ordering::SeqCst);
        if asks_for_state(asked) {
            // It has a token, but says that it does not take one.
            let reports = "<D:supported-report-set><D:supported-report><D:report><C:calendar-query/></D:report>\
                           </D:supported-report></D:supported-report-set><D:sync-token>x</D:sync-token>";
            return multistatus(resource(WORK, &format!("<CS:getctag>{now}</CS:getctag>{reports}")));
        }
        match asked.method.as_str() {
            "REPORT" => multistatus(resource(&format!("{WORK}{now}.ics"), &event("u", "e", now))),
            _ => status(404),
        }
    })
    .await;
    let first = round(&stand_in, None).await.unwrap();
    assert_eq!((names(&first), first.is_whole), (vec!["1".to_owned()], true));
    let nothing = round(&stand_in, Some(&first.cursor)).await.unwrap();
    assert_eq!((names(&nothing), nothing.is_whole), (Vec::new(), false));
    ctag.store(2, Ordering::SeqCst);
    let second = round(&stand_in, Some(&nothing.cursor)).await.unwrap();
    assert_eq!((names(&second), second.is_whole), (vec!["2".to_owned()], true));
    let calls = ["PROPFIND /ana/work/", "REPORT /ana/work/"];
    assert_eq!(stand_in.calls(), [calls[0], calls[1], calls[0], calls[0], calls[1]]);
}

#[tokio::test]
async fn without_tokens_of_any_kind_the_etags_tell_whether_anything_changed() {
    let version = Arc::new(AtomicU32::new(1));
    let now = version.clone();
    let stand_in = StandIn::start(move |asked| {
        let now = now.load(Ordering::SeqCst);
        if asks_for_state(asked) {
            return multistatus(resource(WORK, ""));
        }
        match asked.method.as_str() {
            "REPORT" if asked.names("calendar-data") => {
                multistatus(resource(&format!("{WORK}a.ics"), &event("a", &format!("v{now}"), now)))
            }
            "REPORT" => multistatus(resource(&format!("{WORK}a.ics"), &format!("<D:getetag>v{now}</D:getetag>"))),
            _ => status(404),
        }
    })
    .await;
    let first = round(&stand_in, None).await.unwrap();
    let nothing = round(&stand_in, Some(&first.cursor)).await.unwrap();
    assert_eq!((names(&nothing), nothing.is_whole), (Vec::new(), false));
    version.store(2, Ordering::SeqCst);
    let second = round(&stand_in, Some(&nothing.cursor)).await.unwrap();
    assert_eq!((names(&second), second.is_whole), (vec!["a".to_owned()], true));
    assert_ne!(second.cursor, first.cursor);
}

/// Answers `sync-collection` from one token to the next, and everything else as little as it may.
fn paged(asked: &Asked) -> axum::response::Response {
    if asks_for_state(asked) {
        return multistatus(resource(WORK, "<D:sync-token>t0</D:sync-token>"));
    }
    let changed = |name: &str| resource(&format!("{WORK}{name}.ics"), "<D:getetag>\"1\"</D:getetag>");
    let gone = |name: &str| told(&format!("{WORK}{name}.ics"), "404 Not Found");
    let more = |token: &str| told(WORK, "507 Insufficient Storage") + &format!("<D:sync-token>{token}</D:sync-token>");
    if asked.names("sync-collection") {
        return match asked.body.split("sync-token>").nth(1) {
            Some(token) if token.starts_with("t1<") => multistatus(changed("a") + &gone("b") + &more("t2")),
            // The collection itself is named by some servers.
            Some(token) if token.starts_with("t2<") => multistatus(changed("b") + &resource(WORK, "") + &more("t3")),
            Some(token) if token.starts_with("t3<") => {
                multistatus(changed("c") + &gone("a") + "<D:sync-token>t4</D:sync-token>")
            }
            Some(token) if token.starts_with("stuck<") => multistatus(changed("a") + &more("stuck")),
            _ => error(507, "D:number-of-matches-within-limits"),
        };
    }
    if asked.names("calendar-multiget") {
        // It is gone meanwhile.
        return multistatus(resource(&format!("{WORK}b.ics"), &event("b", "1", 3)) + &gone("c"));
    }
    status(404)
}

fn cursor(token: &str) -> SyncCursor {
    let window = serde_json::to_value(week()).unwrap();
    SyncCursor::new(serde_json::json!({"window": window, "at": {"sync_token": token}}).to_string())
}

#[tokio::test]
async fn the_pages_of_a_sync_report_are_one_round_in_which_the_later_holds() {
    let stand_in = StandIn::start(paged).await;
    let told = round(&stand_in, Some(&cursor("t1"))).await.unwrap();
    let mut told_names = names(&told);
    told_names.sort();
    assert_eq!(told_names, ["-a", "-c", "b"]);
    let json = |cursor: &SyncCursor| serde_json::from_str::<serde_json::Value>(cursor.as_str()).unwrap();
    assert_eq!(json(&told.cursor), json(&cursor("t4")));
    let depths: Vec<_> = stand_in.asked().into_iter().filter(|asked| asked.names("sync-collection")).collect();
    assert!(depths.iter().all(|asked| asked.header("depth") == Some("0")), "{depths:?}");
}

#[tokio::test]
async fn a_sync_report_that_does_not_go_on_or_is_too_long_asks_for_a_full_round() {
    let stand_in = StandIn::start(paged).await;
    for token in ["stuck", "forgotten"] {
        assert_eq!(round(&stand_in, Some(&cursor(token))).await, Err(ProviderError::CursorExpired), "{token}");
    }
    assert_eq!(
        round(&stand_in, Some(&SyncCursor::new("of another provider"))).await,
        Err(ProviderError::CursorExpired)
    );
    for answer in [(403, "D:valid-sync-token"), (409, "D:valid-sync-token"), (400, "D:x"), (410, "D:x")] {
        let stand_in = StandIn::start(move |asked| {
            if asks_for_state(asked) {
                paged(asked)
            } else if asks_for_owner(asked) {
                status(404)
            } else {
                error(answer.0, answer.1)
            }
        })
        .await;
        assert_eq!(round(&stand_in, Some(&cursor("t1"))).await, Err(ProviderError::CursorExpired), "{answer:?}");
    }
}

#[tokio::test]
async fn one_resource_has_one_id_however_the_server_writes_its_address() {
    let stand_in = StandIn::start(|asked| {
        if asks_for_state(asked) {
            return multistatus(resource(WORK, "<D:sync-token>t2</D:sync-token>"));
        }
        if asked.names("sync-collection") {
            let changed = resource("/ana/work/b%c3%bcro%40x.ics", "<D:getetag>1</D:getetag>");
            return multistatus(changed + "<D:sync-token>t2</D:sync-token>");
        }
        let host = asked.header("host").unwrap();
        match asked.method.as_str() {
            "REPORT" if asked.names("calendar-multiget") => {
                multistatus(resource("/ana/work/b\u{fc}ro@x.ics", &event("u", "1", 1)))
            }
            "REPORT" => {
                let href = format!("http://{host}/ana/work/b%C3%BCro@x.ics");
                multistatus(resource(&href, &event("u", "1", 1)) + &resource("http://127.0.0.1:1/ana/work/x.ics", ""))
            }
            _ => status(404),
        }
    })
    .await;
    let id = stand_in.at("/ana/work/b%C3%BCro%40x.ics");
    for cursor in [None, Some(cursor("t1"))] {
        let told = round(&stand_in, cursor.as_ref()).await.unwrap();
        let [EventChange::Upsert(event)] = told.events.as_slice() else { panic!("{told:?}") };
        assert_eq!((event.id.as_str(), event.etag.as_deref()), (id.as_str(), Some("\"1\"")));
    }
    assert_eq!(stand_in.asked().iter().filter(|asked| asked.method == "GET").count(), 0);
}

#[tokio::test]
async fn what_an_answer_leaves_out_is_asked_for_again() {
    let stand_in = StandIn::start(|asked| {
        if asks_for_state(asked) {
            return multistatus(resource(WORK, "<CS:getctag>1</CS:getctag>"));
        }
        match (asked.method.as_str(), asked.path.as_str()) {
            ("REPORT", _) if asked.names("calendar-multiget") => multistatus(
                resource(&format!("{WORK}b.ics"), &event("b", "1", 3)) + &told("/ana/work/d.ics", "404 Gone"),
            ),
            ("REPORT", _) => {
                let bare = |name: &str| resource(&format!("{WORK}{name}.ics"), "<D:getetag>1</D:getetag>");
                let whole = resource(&format!("{WORK}a.ics"), &event("a", "1", 1));
                multistatus(whole + &bare("b") + &bare("c") + &bare("d") + &bare("e"))
            }
            ("GET", "/ana/work/c.ics") => with_headers(200, &[("etag", "W/\"7\"")], text("c", 5)),
            _ => status(404),
        }
    })
    .await;
    let told = round(&stand_in, None).await.unwrap();
    assert_eq!(names(&told), ["a", "b", "c"]);
    let EventChange::Upsert(event) = &told.events[2] else { panic!("{told:?}") };
    assert_eq!(event.etag.as_deref(), Some("\"7\""));
}

#[tokio::test]
async fn a_window_that_matches_too_much_is_asked_for_in_parts() {
    for refusal in ["error", "status"] {
        let stand_in = StandIn::start(move |asked| {
            if asks_for_state(asked) {
                return multistatus(resource(WORK, "<CS:getctag>1</CS:getctag>"));
            }
            if asked.method != "REPORT" {
                return status(404);
            }
            // The adapter asks for a day more at both ends.
            let bound = |name: &str| {
                let text = asked.body.split(&format!("{name}=\"")).nth(1).unwrap();
                chrono::NaiveDateTime::parse_from_str(&text[..16], "%Y%m%dT%H%M%SZ").unwrap()
            };
            if bound("end") - bound("start") > chrono::TimeDelta::days(5) {
                return match refusal {
                    "error" => error(403, "D:number-of-matches-within-limits"),
                    _ => multistatus(told(WORK, "507 Insufficient Storage")),
                };
            }
            multistatus(resource(&format!("{WORK}a.ics"), &event("a", "1", 1)))
        })
        .await;
        let told = round(&stand_in, None).await.unwrap();
        assert_eq!(names(&told), ["a"], "{refusal}");
        assert!(stand_in.calls().len() >= 4, "{refusal}");
    }
    let stand_in = StandIn::start(|asked| {
        if asks_for_state(asked) {
            multistatus(resource(WORK, ""))
        } else {
            error(403, "D:number-of-matches-within-limits")
        }
    })
    .await;
    let refused = round(&stand_in, None).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_multistatus_passes_and_a_hostile_one_does_not() {
    for (code, body) in [(200, "<html>maintenance</html>"), (207, "<html/>"), (207, "<D:multistatus xmlns:D='DAV:'>")] {
        let stand_in = StandIn::start(move |_| with_status(code, body)).await;
        let refused = round(&stand_in, None).await;
        assert!(matches!(refused, Err(ProviderError::Transient(_))), "{body}: {refused:?}");
    }
    let stand_in = StandIn::start(|_| with_status(207, "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")).await;
    let refused = round(&stand_in, None).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    assert_eq!(stand_in.asked().len(), 1);
}

#[tokio::test]
async fn resources_that_are_cheap_alone_and_endless_together_are_refused() {
    let hourly = |index: u32| {
        let text = text(&format!("u{index}"), 1).replace("SUMMARY:x", "RRULE:FREQ=HOURLY");
        resource(&format!("{WORK}{index}.ics"), &format!("<C:calendar-data>{text}</C:calendar-data>"))
    };
    for (count, is_read) in [(1, true), (60, false)] {
        let stand_in = StandIn::start(move |asked| match asked.method.as_str() {
            _ if asks_for_owner(asked) => status(404),
            "REPORT" => multistatus((0..count).map(hourly).collect::<String>()),
            _ => multistatus(resource(WORK, "")),
        })
        .await;
        let year = hours(0, 24 * 365);
        let told = provider().changes(&stand_in.ana(), &stand_in.at(WORK), None, year).await;
        assert_eq!(told.is_ok(), is_read, "{count}");
        let busy = provider().free_busy(&stand_in.ana(), &[&stand_in.at(WORK)], year).await.unwrap();
        assert_eq!(busy[0].busy.is_ok(), is_read, "{count}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_password() {
    let elsewhere = StandIn::start(|_| multistatus("")).await;
    let location = elsewhere.at("/");
    let stand_in = StandIn::start(move |_| with_headers(301, &[("location", location.as_str())], "")).await;
    assert_eq!(round(&stand_in, None).await, Err(ProviderError::Rejected("301".into())));
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_locked_resource_and_a_busy_server_pass() {
    let stand_in = StandIn::start(|_| status(423)).await;
    assert_eq!(round(&stand_in, None).await, Err(ProviderError::Transient("423".into())));
    let stand_in = StandIn::start(|_| with_headers(503, &[("retry-after", "60")], "")).await;
    assert_eq!(round(&stand_in, None).await, Err(ProviderError::Throttled(Duration::from_secs(60))));
}

#[tokio::test]
async fn the_etag_of_what_was_written_is_asked_for_when_the_server_does_not_tell_it() {
    let stand_in = StandIn::start(|asked| match asked.method.as_str() {
        "PUT" => status(201),
        "PROPFIND" if asks_for_owner(asked) => status(404),
        "PROPFIND" => multistatus(resource(&asked.path, "<D:getetag>W/\"7\"</D:getetag>")),
        _ => status(404),
    })
    .await;
    let put = provider().put_event(&stand_in.ana(), &stand_in.at(WORK), &appointment_event(), Expected::Create).await;
    let put = put.unwrap();
    assert_eq!(put.etag.as_deref(), Some("\"7\""));
    let asked = stand_in.asked();
    let sent = asked.iter().find(|asked| asked.method == "PUT").unwrap();
    assert_eq!(sent.header("if-none-match"), Some("*"));
    assert!(sent.header("content-type").unwrap().starts_with("text/calendar"));
    assert!(sent.path.starts_with(&format!("{WORK}cupo-{APPOINTMENT}")), "{}", sent.path);
    assert_eq!(put.id, stand_in.at(&sent.path));
}

#[tokio::test]
async fn a_lost_answer_of_a_create_does_not_make_a_second_event() {
    let stored = Arc::new(std::sync::Mutex::new(None::<String>));
    let store = stored.clone();
    let stand_in = StandIn::start(move |asked| {
        let mut store = store.lock().unwrap();
        match asked.method.as_str() {
            "PUT" if store.is_some() => status(412),
            "PUT" => {
                *store = Some(asked.body.clone());
                // What was done is not told.
                status(502)
            }
            "GET" => with_headers(200, &[("etag", "\"1\"")], store.clone().unwrap()),
            _ => status(404),
        }
    })
    .await;
    let put = provider().put_event(&stand_in.ana(), &stand_in.at(WORK), &appointment_event(), Expected::Create).await;
    assert_eq!(put.unwrap().etag.as_deref(), Some("\"1\""));
    let paths: Vec<_> =
        stand_in.asked().into_iter().filter(|asked| asked.method == "PUT").map(|asked| asked.path).collect();
    assert_eq!(paths.len(), 2);
    assert_eq!(paths[0], paths[1]);
}

#[tokio::test]
async fn an_update_is_written_over_what_was_read_and_nothing_else() {
    let stand_in = StandIn::start(|asked| match (asked.method.as_str(), asked.header("if-match")) {
        ("GET", _) => with_headers(200, &[("etag", "W/\"1\"")], text("u", 9)),
        // Somebody is quicker.
        ("PUT", Some("\"1\"")) => status(412),
        ("PUT", _) => status(500),
        _ => status(404),
    })
    .await;
    let mut wanted = appointment_event();
    wanted.id = stand_in.at("/ana/work/u.ics");
    let put = async |expected: Expected<'_>| {
        provider().put_event(&stand_in.ana(), &stand_in.at(WORK), &wanted, expected).await
    };
    assert_eq!(put(Expected::Update { etag: None }).await, Err(ProviderError::Conflict));
    assert_eq!(put(Expected::Update { etag: Some("\"1\"") }).await, Err(ProviderError::Conflict));
    assert_eq!(put(Expected::Update { etag: Some("W/\"1\"") }).await, Err(ProviderError::Conflict));
    let writes = stand_in.asked().iter().filter(|asked| asked.method == "PUT").count();
    assert_eq!(writes, 3);
    // That it has changed already is known without writing.
    assert_eq!(put(Expected::Update { etag: Some("\"0\"") }).await, Err(ProviderError::Conflict));
    assert_eq!(stand_in.asked().iter().filter(|asked| asked.method == "PUT").count(), writes);
}

#[tokio::test]
async fn a_server_that_tells_no_etags_is_held_to_the_one_that_the_caller_knows() {
    let stand_in = StandIn::start(|asked| match asked.method.as_str() {
        "REPORT" => multistatus(""),
        "GET" => with_status(200, text("u", 9)),
        "PUT" => status(204),
        "PROPFIND" if !asks_for_owner(asked) => multistatus(resource(&asked.path, "")),
        _ => status(404),
    })
    .await;
    let mut wanted = appointment_event();
    wanted.id = stand_in.at("/ana/work/u.ics");
    for etag in [Some("\"7\""), None] {
        let expected = Expected::Update { etag };
        let put = provider().put_event(&stand_in.ana(), &stand_in.at(WORK), &wanted, expected).await;
        assert_eq!(put.unwrap().etag, None);
    }
    let asked = stand_in.asked();
    let conditions = asked.iter().filter(|asked| asked.method == "PUT").map(|asked| asked.header("if-match"));
    // Where nobody knows one, the event must at least be there.
    assert_eq!(conditions.collect::<Vec<_>>(), [Some("\"7\""), Some("*")]);
}

#[tokio::test]
async fn the_host_invites_from_the_address_that_the_server_knows_them_by() {
    let stand_in = StandIn::start(|asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("PROPFIND", "/ana/") => multistatus(resource(
            "/ana/",
            "<D:current-user-principal><D:href>/principals/ana/</D:href></D:current-user-principal>",
        )),
        ("PROPFIND", "/principals/ana/") => multistatus(resource(
            "/principals/ana/",
            "<C:calendar-user-address-set><D:href>mailto:ana.a@x.example</D:href></C:calendar-user-address-set>",
        )),
        ("PUT", _) => with_headers(201, &[("etag", "\"1\"")], ""),
        _ => status(404),
    })
    .await;
    let caldav = provider();
    for _ in 0..2 {
        let put = caldav.put_event(&stand_in.ana(), &stand_in.at(WORK), &appointment_event(), Expected::Create).await;
        put.unwrap();
    }
    let asked = stand_in.asked();
    let sent = asked.iter().find(|asked| asked.method == "PUT").unwrap();
    assert!(sent.body.contains("mailto:ana.a@x.example"), "{}", sent.body);
    // It is asked once.
    assert_eq!(asked.iter().filter(|asked| asks_for_owner(asked)).count(), 2);
}

#[tokio::test]
async fn a_deletion_of_which_nobody_is_told_says_so() {
    let stand_in = StandIn::start(|_| status(204)).await;
    let id = stand_in.at("/ana/work/u.ics");
    for notify in [true, false] {
        provider().delete_event(&stand_in.ana(), &stand_in.at(WORK), &id, notify).await.unwrap();
    }
    let asked = stand_in.asked();
    assert!(asked.iter().all(|asked| asked.is("DELETE", "/ana/work/u.ics")));
    assert_eq!((asked[0].header("schedule-reply"), asked[1].header("schedule-reply")), (None, Some("F")));
}

#[tokio::test]
async fn a_calendar_of_which_only_the_busy_time_may_be_read_tells_that() {
    let stand_in = StandIn::start(|asked| {
        if asked.names("free-busy-query") {
            let body = "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nFREEBUSY:20261101T220000Z/20261102T010000Z\r\n\
                        FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261102T090000Z/PT1H\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n";
            return with_status(200, body);
        }
        if asks_for_owner(asked) { status(404) } else { error(403, "D:need-privileges") }
    })
    .await;
    let (ana, work) = (stand_in.ana(), stand_in.at(WORK));
    let answers = provider().free_busy(&ana, &[&work], hours(0, 24)).await.unwrap();
    assert_eq!(answers[0].busy, Ok(vec![hours(0, 1), hours(9, 10)]));
}

#[tokio::test]
async fn busy_time_that_cannot_be_read_is_unknown_for_its_calendar_alone() {
    let stand_in = StandIn::start(|asked| match asked.path.as_str() {
        _ if asks_for_owner(asked) => status(404),
        "/ana/closed/" => error(403, "D:need-privileges"),
        "/ana/broken/" => status(500),
        path if asked.method == "REPORT" => multistatus(resource(&format!("{path}a.ics"), &event("a", "1", 9))),
        path => multistatus(resource(path, "")),
    })
    .await;
    let (ana, caldav) = (stand_in.ana(), provider());
    let ids = ["/ana/closed/", "/ana/broken/", WORK].map(|path| stand_in.at(path));
    let answers = caldav.free_busy(&ana, &[&ids[0], &ids[1], &ids[2]], hours(0, 24)).await.unwrap();
    let reasons: Vec<_> =
        answers.iter().map(|answer| answer.busy.as_ref().map_err(|problem| problem.reason.as_str())).collect();
    assert_eq!(reasons, [Err("403 need-privileges"), Err("500"), Ok(&vec![hours(9, 10)])]);
}

#[tokio::test]
async fn there_are_no_notifications() {
    let stand_in = StandIn::start(|_| status(404)).await;
    let (ana, caldav) = (stand_in.ana(), provider());
    let channel = WatchRequest {
        id: "channel".into(),
        token: Secret::new("hush"),
        address: Url::parse("https://cupo.example/webhooks/caldav").unwrap(),
        ttl: Duration::from_secs(3600),
    };
    assert!(!caldav.has_notifications());
    assert!(caldav.watch(&ana, &stand_in.at(WORK), &channel).await.is_err());
    assert_eq!(caldav.unwatch(&ana, "channel", "resource").await, Ok(()));
    assert!(caldav.read_notifications(&http::HeaderMap::new(), b"").unwrap().is_empty());
    assert!(stand_in.asked().is_empty());
}
