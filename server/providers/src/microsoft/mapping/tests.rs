use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeZone, Utc};
use cupo_core::ids::ClaimId;
use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{delta, free_busy};
use super::write::Difference;
use super::*;
use crate::event::EventMark;
use crate::zones::{windows_name, zone_named};

const CLAIM_ID: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";

fn parsed(json: &Value) -> wire::Event {
    wire::parse("events.get", json.to_string().as_bytes()).unwrap()
}

fn read(json: &Value) -> Result<CalendarEvent, Unreadable> {
    event(parsed(json), None)
}

fn timed(changes: &Value) -> Value {
    let mut json = json!({
        "id": "AAMk=", "@odata.etag": "W/\"1\"", "subject": "Consultation", "isAllDay": false, "showAs": "busy",
        "type": "singleInstance", "originalStartTimeZone": "Europe/Madrid", "originalEndTimeZone": "Europe/Madrid",
        "start": {"dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-23T10:00:00.0000000", "timeZone": "UTC"},
    });
    json.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json
}

fn with(changes: Value) -> CalendarEvent {
    read(&timed(&changes)).unwrap()
}

fn instant_of(text: &str, zone: Option<&str>) -> EventTime {
    EventTime::Instant { at: text.parse().unwrap(), time_zone: zone.map(str::to_owned) }
}

#[test]
fn times_are_instants_labelled_with_the_zone_they_were_entered_in() {
    let plain = with(json!({}));
    assert_eq!(plain.start, instant_of("2026-11-23T09:00:00Z", Some("Europe/Madrid")));
    let windows = with(json!({"originalStartTimeZone": "Pacific Standard Time"}));
    assert_eq!(windows.start, instant_of("2026-11-23T09:00:00Z", Some("America/Los_Angeles")));
    for unknown in ["Customized Time Zone", "tzone://Microsoft/Custom", ""] {
        let unlabelled = with(json!({"originalStartTimeZone": unknown}));
        assert_eq!(unlabelled.start, instant_of("2026-11-23T09:00:00Z", None), "{unknown}");
    }
    let utc = with(json!({"originalStartTimeZone": "tzone://Microsoft/Utc"}));
    assert_eq!(utc.start, instant_of("2026-11-23T09:00:00Z", Some("Etc/UTC")));
}

#[test]
fn a_time_in_another_zone_is_read_there_and_one_in_an_unknown_zone_is_an_error_that_names_it() {
    let local = |zone: &str| json!({"start": {"dateTime": "2026-07-01T10:00:00.0000000", "timeZone": zone}});
    for zone in ["Europe/Madrid", "Romance Standard Time"] {
        assert_eq!(with(local(zone)).start.instant(Tz::UTC).to_rfc3339(), "2026-07-01T08:00:00+00:00");
    }
    let unknown = read(&timed(&local("Customized Time Zone"))).unwrap_err();
    assert_eq!(unknown, Unreadable::TimeZone("Customized Time Zone".into()));
    let told = unknown.told("events.get", "").to_string();
    assert!(told.contains("unknown time zone `Customized Time Zone`"), "{told}");
}

#[test]
fn an_all_day_event_is_of_days_and_its_end_is_exclusive() {
    let midnight = |day: &str| json!({"dateTime": format!("{day}T00:00:00.0000000"), "timeZone": "UTC"});
    let days = json!({"isAllDay": true, "start": midnight("2026-11-23"), "end": midnight("2026-11-25")});
    let day = |text: &str| EventTime::Day(text.parse().unwrap());
    let away = with(days);
    assert_eq!((away.start.clone(), away.end.clone()), (day("2026-11-23"), day("2026-11-25")));
    assert_eq!(away.busy_interval(Tz::Europe__Madrid).unwrap().start.to_rfc3339(), "2026-11-22T23:00:00+00:00");
    // Told in UTC although it was entered in Madrid.
    let shifted = |text: &str| json!({"dateTime": text, "timeZone": "UTC"});
    let shifted =
        json!({"isAllDay": true, "start": shifted("2026-11-22T23:00:00"), "end": shifted("2026-11-24T23:00:00")});
    let away = with(shifted.clone());
    assert_eq!((away.start, away.end), (day("2026-11-23"), day("2026-11-25")));
    // Nobody knows where: it has all the days that it touches.
    let mut unlabelled = timed(&shifted);
    unlabelled["originalStartTimeZone"] = "Customized Time Zone".into();
    unlabelled["originalEndTimeZone"] = "Customized Time Zone".into();
    let away = read(&unlabelled).unwrap();
    assert_eq!((away.start, away.end), (day("2026-11-22"), day("2026-11-25")));
}

#[test]
fn how_an_event_is_shown_decides_whether_it_blocks_and_what_is_unknown_does() {
    for (show_as, blocks) in [
        (json!("free"), false),
        (json!("workingElsewhere"), false),
        (json!("tentative"), true),
        (json!("busy"), true),
        (json!("oof"), true),
        (json!("unknown"), true),
        (json!("holodeck"), true),
        (Value::Null, true),
    ] {
        for is_all_day in [false, true] {
            let mut changes = json!({"showAs": show_as, "isAllDay": is_all_day});
            if is_all_day {
                for (name, day) in [("start", 23), ("end", 24)] {
                    changes[name] = json!({"dateTime": format!("2026-11-{day}T00:00:00"), "timeZone": "UTC"});
                }
            }
            assert_eq!(with(changes).busy_interval(Tz::UTC).is_some(), blocks, "{show_as} {is_all_day}");
        }
    }
    assert_eq!(with(json!({"showAs": "oof"})).kind, EventKind::OutOfOffice);
    assert_eq!(with(json!({"showAs": "tentative"})).status, EventStatus::Tentative);
    assert_eq!(with(json!({"isCancelled": true})).busy_interval(Tz::UTC), None);
}

#[test]
fn the_owners_own_answer_is_read_from_beside_the_list() {
    let person = json!({"address": "guest@example.net"});
    let guest = json!([{"type": "required", "status": {"response": "declined"}, "emailAddress": person}]);
    let invited = |response: &str| {
        with(json!({"isOrganizer": false, "responseStatus": {"response": response}, "attendees": guest}))
    };
    assert_eq!(invited("declined").busy_interval(Tz::UTC), None);
    assert!(invited("accepted").busy_interval(Tz::UTC).is_some());
    assert!(invited("notResponded").is_unanswered());
    assert!(!invited("tentativelyAccepted").is_unanswered());
    for own in ["organizer", "none"] {
        let event = with(json!({"isOrganizer": true, "responseStatus": {"response": own}, "attendees": guest}));
        assert!(event.attendees.iter().all(|attendee| !attendee.is_self), "{own}");
        assert!(event.busy_interval(Tz::UTC).is_some(), "a guest who declines leaves the owner busy");
    }
    let known = timed(&json!({
        "isOrganizer": false, "responseStatus": {"response": "accepted"},
        "attendees": [{"emailAddress": {"address": "Ana@contoso.example"}, "status": {"response": "none"}}],
    }));
    let known = event(parsed(&known), Some("ana@contoso.example")).unwrap();
    assert_eq!(known.attendees.len(), 1);
    assert_eq!((known.attendees[0].is_self, known.attendees[0].response), (true, ResponseStatus::Accepted));
}

#[test]
fn a_name_that_is_only_the_address_again_is_none() {
    let person = json!({"address": "guest@example.net", "name": "guest@example.net"});
    let organizer = json!({"emailAddress": {"address": "GUEST@example.net"}});
    let event = with(json!({"attendees": [{"emailAddress": person}], "organizer": organizer}));
    assert_eq!((event.attendees[0].name.as_deref(), event.attendees[0].is_organizer), (None, true));
}

#[test]
fn a_meeting_is_pending_until_it_has_a_link() {
    assert_eq!(with(json!({"isOnlineMeeting": false, "onlineMeeting": null})).meeting, Meeting::None);
    assert_eq!(with(json!({"isOnlineMeeting": true, "onlineMeeting": null})).meeting, Meeting::Pending);
    let url = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_1%40thread.v2/0";
    let ready = with(json!({"isOnlineMeeting": true, "onlineMeeting": {"joinUrl": url}}));
    assert_eq!(ready.meeting, Meeting::Ready { url: url.into() });
    let odd = json!({"isOnlineMeeting": true, "onlineMeeting": {"joinUrl": "javascript:alert(1)"}});
    assert_eq!(with(odd).meeting, Meeting::Pending);
}

#[test]
fn the_mark_is_read_from_the_property_or_where_it_is_absent_from_the_transaction_id() {
    let mark = EventMark { claim_id: ClaimId::parse(CLAIM_ID).unwrap(), installation: "cupo.example:8443".into() };
    let text = transaction_id(&mark, 3);
    assert_eq!(text, format!("cupo:{CLAIM_ID}:3:cupo.example:8443"));
    let property = json!([{"id": MARK.replace("5d3fa2b6", "5D3FA2B6"), "value": text}]);
    assert_eq!(with(json!({"singleValueExtendedProperties": property})).mark, Some(mark.clone()));
    assert_eq!(with(json!({"transactionId": text})).mark, Some(mark.clone()));
    let other = transaction_id(&EventMark { installation: "elsewhere".into(), ..mark.clone() }, 0);
    let both = with(json!({"transactionId": other, "singleValueExtendedProperties": property}));
    assert_eq!(both.mark, Some(mark));
    for odd in
        ["", "localevent:9a", "cupo:me:0:here", &format!("cupo:{CLAIM_ID}:x:here"), &format!("cupo:{CLAIM_ID}:0")]
    {
        assert_eq!(with(json!({"transactionId": odd})).mark, None, "{odd}");
    }
    let foreign = json!([{"id": "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color", "value": text}]);
    assert_eq!(with(json!({"singleValueExtendedProperties": foreign})).mark, None);
}

#[test]
fn a_needed_field_that_is_missing_or_unreadable_is_named() {
    for (field, wrong) in [
        ("id", Value::Null),
        ("start", Value::Null),
        ("end", json!({})),
        ("start", json!({"dateTime": "tomorrow", "timeZone": "UTC"})),
        ("start", json!({"dateTime": "2026-07-01T10:00:00"})),
        ("end", json!({"dateTime": "+262142-12-31T00:00:00", "timeZone": "UTC"})),
        ("originalStart", json!("yesterday")),
    ] {
        assert_eq!(read(&timed(&json!({field: wrong}))).unwrap_err(), Unreadable::Field(field));
    }
    let wrong_type = br#"{"value": [{"id": "a"}, {"id": 5}]}"#;
    let error = wire::parse::<wire::Page<wire::Event>>("events.list", wrong_type).unwrap_err();
    assert!(error.to_string().contains("`value[1].id`"), "{error}");
}

#[test]
fn an_error_does_not_quote_the_answer() {
    let private = br#"{"value": "dinner with eve@example.com"}"#;
    let error = wire::parse::<wire::Page<wire::Event>>("events.list", private).unwrap_err();
    assert!(!error.to_string().contains("dinner"), "{error}");
}

#[test]
fn a_time_is_written_in_its_zone_but_in_the_hour_that_a_clock_change_repeats() {
    let written = |at: &str, zone: &str| {
        let body = time::body(&instant_of(at, Some(zone)));
        (body["dateTime"].as_str().unwrap().to_owned(), body["timeZone"].as_str().unwrap().to_owned())
    };
    let plain = ("2026-11-23T10:00:00".to_owned(), "Europe/Madrid".to_owned());
    assert_eq!(written("2026-11-23T09:00:00Z", "Europe/Madrid"), plain);
    for repeated in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
        let utc = (repeated.trim_end_matches('Z').to_owned(), "UTC".to_owned());
        assert_eq!(written(repeated, "Europe/Madrid"), utc);
    }
    let utc = ("2026-11-23T09:00:00".to_owned(), "UTC".to_owned());
    assert_eq!(written("2026-11-23T09:00:00Z", "Neverland/Nowhere"), utc);
}

fn draft() -> CalendarEvent {
    let at = |text| instant_of(text, Some("Europe/Madrid"));
    CalendarEvent::draft("Consultation", at("2026-11-23T09:00:00Z"), at("2026-11-23T10:00:00Z"))
}

#[test]
fn a_title_that_is_too_long_for_exchange_is_cut_and_stays_so() {
    let long = CalendarEvent { title: "ñ".repeat(300), ..draft() };
    let created = echo(&create_body(&long, 0, false));
    assert_eq!(read(&created).unwrap().title, "ñ".repeat(255));
    let found = parsed(&created);
    assert!(difference(&found, &read(&created).unwrap(), &long, None, false).is_empty());
}

#[test]
fn a_meeting_is_asked_for_only_when_teams_makes_it() {
    let wanted = CalendarEvent { meeting: Meeting::Request { request_id: "r".into() }, ..draft() };
    let body = create_body(&wanted, 0, true);
    assert_eq!((&body["isOnlineMeeting"], &body["onlineMeetingProvider"]), (&json!(true), &json!("teamsForBusiness")));
    assert_eq!(create_body(&wanted, 0, false).get("isOnlineMeeting"), None);
}

#[test]
fn an_event_that_says_what_is_wanted_is_not_written_again() {
    let wanted =
        CalendarEvent { description: Some("Bring\nthe plans".into()), location: Some("Office".into()), ..draft() };
    let found = echo(&create_body(&wanted, 0, false));
    assert_eq!(compare(&found, &wanted, None, false), Difference::default());
    // Whom the host invited, how it is shown, and the reminder are the calendar's.
    let attendees = json!([{"emailAddress": {"address": "guest@example.net"}, "type": "optional"}]);
    let mut changed = found.clone();
    (changed["attendees"], changed["showAs"], changed["reminderMinutesBeforeStart"]) =
        (attendees, "free".into(), 5.into());
    assert_eq!(compare(&changed, &wanted, None, false), Difference::default());
    let emptied = CalendarEvent { description: None, location: None, ..wanted };
    let members = compare(&found, &emptied, None, false).members;
    assert_eq!(members["location"], json!({"displayName": ""}));
    assert_eq!(members["body"], json!({"contentType": "text", "content": ""}));
    assert_eq!(members.len(), 2);
}

#[test]
fn what_teams_wrote_into_an_event_is_left_alone() {
    let wanted = CalendarEvent { description: Some("Bring the plans".into()), ..draft() };
    let mut found = echo(&create_body(&wanted, 0, true));
    found["location"] = json!({"displayName": "Microsoft Teams Meeting"});
    let text = format!("Bring the plans\r\n{}\r\nJoin the meeting", "_".repeat(80));
    found["body"] = json!({"contentType": "text", "content": text});
    assert_eq!(compare(&found, &wanted, None, true), Difference::default());
    let other = CalendarEvent { description: Some("Bring nothing".into()), ..wanted };
    let difference = compare(&found, &other, None, true);
    assert_eq!((difference.members, difference.above_meeting.as_deref()), (Map::new(), Some("Bring nothing")));
}

#[test]
fn those_who_stay_keep_their_answers_and_kinds() {
    let guest = |address: &str, kind: &str, response: &str| {
        let person = json!({"address": address, "name": address});
        json!({"type": kind, "emailAddress": person, "status": {"response": response}})
    };
    let (first, room) =
        (guest("guest@example.net", "required", "accepted"), guest("room@example.com", "resource", "accepted"));
    let gone = guest("Gone@example.net", "required", "none");
    let mut found = echo(&create_body(&draft(), 0, false));
    found["attendees"] = json!([first, gone, room]);
    let mut wanted = draft();
    wanted.attendees = vec![Attendee::invited("GUEST@example.net", None), Attendee::invited("new@example.net", None)];
    let members = compare(&found, &wanted, Some(&["gone@example.net".to_owned()]), false).members;
    let come = json!({"type": "required", "emailAddress": {"address": "new@example.net"}});
    assert_eq!(Value::Object(members), json!({"attendees": [first, room, come]}));
    wanted.attendees.pop();
    assert_eq!(compare(&found, &wanted, Some(&[]), false), Difference::default());
}

fn compare(found: &Value, wanted: &CalendarEvent, gone: Option<&[String]>, with_meeting: bool) -> Difference {
    difference(&parsed(found), &read(found).unwrap(), wanted, gone, with_meeting)
}

/// What Graph answers after a create or, laid over an event, a PATCH: times in UTC, labels beside them, and what was
/// not said.
fn echo(written: &Value) -> Value {
    let mut event = json!({
        "id": "AAMk=", "@odata.etag": "W/\"2\"", "type": "singleInstance", "isCancelled": false, "isOrganizer": true,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"}, "hideAttendees": false,
        "isOnlineMeeting": false, "onlineMeeting": null, "onlineMeetingUrl": null, "isReminderOn": true,
        "reminderMinutesBeforeStart": 15, "attendees": [], "transactionId": null, "seriesMasterId": null,
        "location": {"displayName": "", "locationType": "default"}, "body": {"contentType": "text", "content": ""},
        "webLink": "https://outlook.office365.com/owa/?itemid=AAMk%3D&exvsurl=1&path=/calendar/item",
        "organizer": {"emailAddress": {"name": "Ana", "address": "ana@contoso.example"}},
    });
    lay_over(&mut event, written);
    event
}

fn lay_over(event: &mut Value, written: &Value) {
    for (name, value) in written.as_object().unwrap() {
        event[name] = value.clone();
        match name.as_str() {
            "start" | "end" => {
                let label = if name == "start" { "originalStartTimeZone" } else { "originalEndTimeZone" };
                event[label] = value["timeZone"].clone();
                let zone = zone_named(value["timeZone"].as_str().unwrap()).unwrap();
                let local = value["dateTime"].as_str().unwrap();
                let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S").unwrap();
                let at =
                    zone.from_local_datetime(&local).single().expect("a time that is written says which instant it is");
                let text = at.naive_utc().format("%Y-%m-%dT%H:%M:%S.0000000").to_string();
                event[name] = json!({"dateTime": text, "timeZone": "UTC"});
            }
            "body" => {
                let content = format!("{}\r\n", value["content"].as_str().unwrap().replace('\n', "\r\n"));
                event["body"] = json!({"contentType": "text", "content": content});
            }
            "attendees" => {
                for attendee in event["attendees"].as_array_mut().unwrap() {
                    if attendee.get("status").is_none() {
                        attendee["status"] = json!({"response": "none", "time": "0001-01-01T00:00:00Z"});
                    }
                    if attendee["emailAddress"].get("name").is_none() {
                        attendee["emailAddress"]["name"] = attendee["emailAddress"]["address"].clone();
                    }
                }
            }
            _ => {}
        }
    }
}

fn event_times() -> impl Strategy<Value = (EventTime, EventTime)> {
    let zone = option::of(prop::sample::select(vec!["Europe/Madrid", "America/Santiago", "Asia/Kathmandu", "UTC"]));
    prop_oneof![
        (86_400..253_402_200_000_i64, 0..100_000_i64, zone).prop_map(|(seconds, length, zone)| {
            let at = |seconds| EventTime::Instant {
                at: DateTime::from_timestamp(seconds, 0).unwrap(),
                time_zone: zone.map(str::to_owned),
            };
            (at(seconds), at(seconds + length))
        }),
        (0..2_932_000_u64, 1..30_u64).prop_map(|(days, length)| {
            let day = |days| EventTime::Day(NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::Days::new(days));
            (day(days), day(days + length))
        }),
    ]
}

fn some_zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(vec![Tz::Europe__Madrid, Tz::America__Los_Angeles, Tz::Pacific__Apia, Tz::UTC])
}

fn person() -> impl Strategy<Value = Attendee> {
    let response = prop::sample::select(vec![
        ResponseStatus::NeedsAction,
        ResponseStatus::Accepted,
        ResponseStatus::Tentative,
        ResponseStatus::Declined,
    ]);
    ("[a-z]{1,8}@[a-z]{1,8}\\.example", option::of("[A-Z][a-z ]{0,10}"), response)
        .prop_map(|(email, name, response)| Attendee { response, ..Attendee::invited(email, name) })
}

/// One that pops up is what Graph has.
fn some_reminders() -> impl Strategy<Value = Reminders> {
    option::of(option::of(0..50_000_u32)).prop_map(|own| match own {
        None => Reminders::Default,
        Some(minutes) => {
            let reminder = |minutes_before| Reminder { method: ReminderMethod::Popup, minutes_before };
            Reminders::Own(minutes.map(reminder).into_iter().collect())
        }
    })
}

fn some_mark() -> impl Strategy<Value = EventMark> {
    ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", any::<String>())
        .prop_map(|(id, installation)| EventMark { claim_id: ClaimId::parse(&id).unwrap(), installation })
}

/// A text without the white space at its borders, which Exchange does not keep.
fn text() -> impl Strategy<Value = String> {
    "[^\\s_]([^_\r\\p{Cc}]|\n){0,40}[^\\s_]"
}

/// Everything that Cupo writes and Graph can say.
fn written_event() -> impl Strategy<Value = CalendarEvent> {
    let texts = (text(), option::of(text()), option::of(text()));
    let shown = prop::sample::select(vec![
        (EventStatus::Confirmed, Transparency::Opaque, EventKind::Default),
        (EventStatus::Tentative, Transparency::Opaque, EventKind::Default),
        (EventStatus::Confirmed, Transparency::Transparent, EventKind::Default),
        (EventStatus::Confirmed, Transparency::Opaque, EventKind::OutOfOffice),
        (EventStatus::Confirmed, Transparency::Transparent, EventKind::WorkingLocation),
    ]);
    let visibility = prop::sample::select(vec![Visibility::Default, Visibility::Private, Visibility::Confidential]);
    let lists = (vec(person(), 0..4), some_reminders(), any::<bool>());
    (texts, event_times(), shown, visibility, lists, option::of(some_mark())).prop_map(
        |((title, description, location), (start, end), (status, transparency, kind), visibility, lists, mark)| {
            let (attendees, reminders, guests_see_each_other) = lists;
            CalendarEvent {
                description,
                location,
                status,
                transparency,
                kind,
                visibility,
                attendees,
                guests_see_each_other,
                reminders,
                mark,
                ..CalendarEvent::draft(title, start, end)
            }
        },
    )
}

/// `written`, as it is read back: with what Graph adds, and with the labels that the repeated hour loses.
fn as_read(written: &CalendarEvent, read: &CalendarEvent) -> CalendarEvent {
    let labelled = |time: &EventTime| match time {
        EventTime::Instant { at, time_zone } => {
            let zone = time_zone.as_deref().and_then(zone_named).unwrap_or(Tz::UTC);
            let local = at.with_timezone(&zone).naive_local();
            let zone =
                if zone.from_local_datetime(&local).single() == Some(at.with_timezone(&zone)) { zone } else { Tz::UTC };
            EventTime::Instant { at: *at, time_zone: Some(zone.name().to_owned()) }
        }
        day => day.clone(),
    };
    CalendarEvent {
        id: read.id.clone(),
        etag: read.etag.clone(),
        html_link: read.html_link.clone(),
        start: labelled(&written.start),
        end: labelled(&written.end),
        reminders: match &written.reminders {
            Reminders::Default => read.reminders.clone(),
            own => own.clone(),
        },
        ..written.clone()
    }
}

/// JSON of the names that are read and of values that are nearly right.
fn nearly_graph_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "id",
        "value",
        "@odata.etag",
        "@odata.nextLink",
        "@odata.deltaLink",
        "@removed",
        "type",
        "seriesMasterId",
        "subject",
        "body",
        "contentType",
        "content",
        "location",
        "displayName",
        "start",
        "end",
        "dateTime",
        "timeZone",
        "originalStart",
        "originalStartTimeZone",
        "isAllDay",
        "isCancelled",
        "isOrganizer",
        "showAs",
        "sensitivity",
        "responseStatus",
        "response",
        "attendees",
        "emailAddress",
        "address",
        "isReminderOn",
        "reminderMinutesBeforeStart",
        "isOnlineMeeting",
        "onlineMeeting",
        "joinUrl",
        "transactionId",
        "singleValueExtendedProperties",
        "scheduleItems",
        "workingHours",
        "status",
        "error",
        "responseCode",
        "subscriptionId",
        "clientState",
        "lifecycleEvent",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "2026-11-23T09:00:00.0000000",
            "2026-11-23T00:00:00",
            "9999-12-31T23:59:60",
            "0000-01-01T00:00:00",
            "-0001-01-01T00:00:00",
            "+262142-12-31T00:00:00",
            "9999-12-31T23:59:59-23:59",
            "2026-11-23T09:00:00Z",
            "UTC",
            "Europe/Madrid",
            "Pacific Standard Time",
            "tzone://Microsoft/Utc",
            "html",
            "<div",
            "seriesMaster",
            "occurrence",
            "declined",
            "channel.hush",
            "missed",
            CLAIM_ID,
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            hash_map(name.clone(), inner, 0..12).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_cupo_writes_comes_back_the_same(event in written_event()) {
        let answer = echo(&create_body(&event, 0, false));
        let read = read(&answer).unwrap();
        prop_assert_eq!(&read, &as_read(&event, &read));
        prop_assert_eq!(compare(&answer, &event, Some(&[]), false), Difference::default());
    }

    #[test]
    fn a_patch_over_any_event_makes_it_say_the_same(before in written_event(), wanted in written_event()) {
        let mut answer = echo(&create_body(&before, 0, false));
        let patch = compare(&answer, &wanted, None, false);
        lay_over(&mut answer, &Value::Object(patch.members));
        prop_assert_eq!(compare(&answer, &wanted, None, false), Difference::default());
        let after = read(&answer).unwrap();
        let kept = read(&echo(&create_body(&before, 0, false))).unwrap();
        prop_assert_eq!(&after.attendees, &kept.attendees);
        prop_assert_eq!((after.transparency, after.visibility), (kept.transparency, kept.visibility));
        prop_assert_eq!(&after.reminders, &kept.reminders);
        let mark = wanted.mark.as_ref().or(before.mark.as_ref());
        prop_assert_eq!((&after.title, &after.description, &after.location, after.mark.as_ref()),
            (&wanted.title, &wanted.description, &wanted.location, mark));
        prop_assert_eq!((after.start.instant(Tz::UTC), after.end.instant(Tz::UTC)),
            (wanted.start.instant(Tz::UTC), wanted.end.instant(Tz::UTC)));
    }

    #[test]
    fn a_windows_label_of_a_zone_is_the_zone_or_one_like_it(seconds in 0..4_000_000_000_i64, zone in some_zone()) {
        let at: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).unwrap();
        prop_assume!(at.year() > 2010);
        let label = windows_name(zone).unwrap();
        let local = at.with_timezone(&zone).naive_local();
        prop_assume!(zone.from_local_datetime(&local).single().is_some());
        let time = json!({"dateTime": local.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": label});
        let event = with(json!({"start": time, "originalStartTimeZone": label}));
        prop_assert_eq!(event.start.instant(Tz::UTC), at);
    }

    #[test]
    fn reading_any_answer_never_panics(json in nearly_graph_json(), zone in some_zone()) {
        let bytes = json.to_string().into_bytes();
        if let Ok(Ok(event)) = wire::parse("events.get", &bytes).map(|found| event(found, None)) {
            event.busy_interval(zone);
            create_body(&event, 0, true);
        }
        delta::read_any_page(&bytes);
        free_busy::read_any_answer(&bytes);
        let _read_or_refused = super::super::subscriptions::read_notifications(&bytes);
    }

    #[test]
    fn reading_any_bytes_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        delta::read_any_page(&bytes);
        let _read_or_refused = super::super::subscriptions::read_notifications(&bytes);
    }

    #[test]
    fn any_text_is_read_from_html_without_panic(html in ".{0,80}", own in ".{0,20}") {
        let body = wire::ItemBody { content_type: Some("html".into()), content: Some(html.clone()) };
        body::description(body, true);
        body::above_meeting(&format!("{html}{}{html}", "_".repeat(80)), &own);
    }
}

fn contract_directory() -> Option<PathBuf> {
    let named = std::env::var_os("CUPO_CONTRACT_DIR").map(PathBuf::from);
    let above = || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("shared/contract"));
    let directory = named.or_else(|| above().find(|directory| directory.is_dir()))?;
    directory.join("msgraph-docs-examples.json").is_file().then_some(directory)
}

#[test]
fn the_answers_of_the_reference_pages_can_be_read() {
    let Some(directory) = contract_directory() else {
        eprintln!("LEFT OUT: answers are not checked against Microsoft's reference pages; set CUPO_CONTRACT_DIR");
        return;
    };
    let text = std::fs::read(directory.join("msgraph-docs-examples.json")).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    let mut whole_events = 0;
    let mut others = 0;
    for example in document["examples"].as_array().unwrap() {
        let (path, body) = (example["path"].as_str().unwrap(), &example["body"]);
        let bytes = body.to_string().into_bytes();
        let page = body["value"].as_array();
        if body.is_null() {
            continue;
        } else if path.ends_with("getSchedule") {
            let page: wire::Page<wire::Schedule> = wire::parse(path, &bytes).unwrap();
            for schedule in page.value.unwrap() {
                assert!(schedule.schedule_items.is_some_and(|items| !items.is_empty()));
                others += 1;
            }
        } else if path.starts_with("/subscriptions") {
            if page.is_some() {
                let page: wire::Page<wire::Subscription> = wire::parse(path, &bytes).unwrap();
                assert!(page.value.unwrap()[0].notification_url.is_some());
            } else {
                let subscription: wire::Subscription = wire::parse(path, &bytes).unwrap();
                assert!(DateTime::parse_from_rfc3339(&subscription.expiration_date_time.unwrap()).is_ok());
            }
            others += 1;
        } else if path == "/me/calendars" && page.is_some() {
            let page: wire::Page<wire::Calendar> = wire::parse(path, &bytes).unwrap();
            assert!(page.value.unwrap()[0].owner.is_some());
            others += 1;
        } else if path == "/me/calendars" || path == "/me/calendar" {
            let calendar: wire::Calendar = wire::parse(path, &bytes).unwrap();
            assert_eq!(calendar.allowed_online_meeting_providers.unwrap(), ["teamsForBusiness"]);
            others += 1;
        } else {
            let events = match page {
                Some(_) => wire::parse::<wire::Page<wire::Event>>(path, &bytes).unwrap().value.unwrap(),
                None => vec![wire::parse::<wire::Event>(path, &bytes).unwrap()],
            };
            for found in events {
                // Some pages show a part of an event, or `datetime-value` in the place of one.
                let is_whole = found.id.is_some() && found.start.is_some() && found.end.is_some();
                if is_whole && example["placeholders"] == false {
                    let read = event(found, None).unwrap();
                    assert!(read.busy_interval(Tz::UTC).is_some(), "{path}");
                    whole_events += 1;
                }
            }
        }
    }
    assert!(whole_events >= 5 && others >= 10, "{whole_events} events and {others} other answers were read");
}
