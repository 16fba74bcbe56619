use chrono::Offset;
use chrono_tz::Tz;
use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::super::{events, free_busy};
use super::*;

const CLAIM_ID: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";

fn read(json: &Value) -> Result<CalendarEvent, Unreadable> {
    event(wire::parse("events.get", json.to_string().as_bytes()).unwrap())
}

fn timed(changes: Value) -> Value {
    let mut json = json!({
        "kind": "calendar#event", "id": "e1", "etag": "\"1\"", "status": "confirmed",
        "start": {"dateTime": "2026-11-23T10:00:00+01:00", "timeZone": "Europe/Madrid"},
        "end": {"dateTime": "2026-11-23T11:00:00+01:00", "timeZone": "Europe/Madrid"},
    });
    json.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json
}

#[test]
fn an_event_id_is_made_of_the_characters_that_google_allows() {
    let claim = ClaimId::parse(CLAIM_ID).unwrap();
    assert_eq!(event_id(&claim, 0), "cupo018f4e9e7a3b7c219d7e3b1f6a2c4d5e");
    assert_eq!(event_id(&claim, 3), "cupo018f4e9e7a3b7c219d7e3b1f6a2c4d5e3");
    assert!(is_id_of(&claim, &event_id(&claim, 0)) && is_id_of(&claim, &event_id(&claim, 12)));
    let other = ClaimId::parse("018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5f").unwrap();
    let instance = format!("{}_20261123T090000Z", event_id(&claim, 0));
    for foreign in [event_id(&other, 0), instance, "5f2k9copied".to_owned()] {
        assert!(!is_id_of(&claim, &foreign), "{foreign}");
    }
    assert!(event_id(&claim, 7).bytes().all(|byte| matches!(byte, b'a'..=b'v' | b'0'..=b'9')));
}

#[test]
fn an_absent_transparency_is_opaque_and_unknown_values_are_tolerated() {
    let plain = read(&timed(json!({}))).unwrap();
    assert_eq!((plain.transparency, plain.kind), (Transparency::Opaque, EventKind::Default));
    let odd = json!({"eventType": "holodeck", "visibility": "dim", "status": "perhaps", "unheardOf": {"a": [1]}});
    let odd = read(&timed(odd)).unwrap();
    assert_eq!(odd.kind, EventKind::Other("holodeck".into()));
    assert!(odd.busy_interval(Tz::UTC).is_some());
}

#[test]
fn event_types_are_told_apart() {
    for (name, blocks) in [
        ("workingLocation", false),
        ("birthday", false),
        ("outOfOffice", true),
        ("focusTime", true),
        ("fromGmail", true),
    ] {
        let busy = read(&timed(json!({"eventType": name}))).unwrap().busy_interval(Tz::UTC);
        assert_eq!(busy.is_some(), blocks, "{name}");
    }
}

#[test]
fn an_event_that_the_owner_declined_does_not_block() {
    let attendees = json!([{"email": "ana@example.com", "self": true, "responseStatus": "declined"}]);
    assert_eq!(read(&timed(json!({"attendees": attendees}))).unwrap().busy_interval(Tz::UTC), None);
    let attendees = json!([{"email": "guest@example.com", "responseStatus": "declined"}]);
    assert!(read(&timed(json!({"attendees": attendees}))).unwrap().busy_interval(Tz::UTC).is_some());
}

#[test]
fn an_invitation_without_an_answer_blocks_and_is_known_as_such() {
    let attendees = json!([
        {"email": "ana@example.com", "self": true, "responseStatus": "needsAction"},
        {"email": "boss@example.com", "organizer": true, "responseStatus": "accepted"},
    ]);
    let event = read(&timed(json!({"attendees": attendees}))).unwrap();
    assert!(event.is_unanswered() && event.busy_interval(Tz::UTC).is_some());
}

#[test]
fn a_private_event_of_a_shared_calendar_has_a_time_and_nothing_else_and_blocks() {
    let private = json!({
        "kind": "calendar#event", "id": "e1", "etag": "\"1\"", "status": "confirmed", "visibility": "private",
        "start": {"dateTime": "2026-11-23T10:00:00+01:00"}, "end": {"dateTime": "2026-11-23T11:00:00+01:00"},
    });
    let event = read(&private).unwrap();
    assert_eq!((event.title.as_str(), event.visibility), ("", Visibility::Private));
    assert!(event.busy_interval(Tz::UTC).is_some());
}

#[test]
fn a_local_time_without_an_offset_is_read_in_its_zone() {
    let start = json!({"dateTime": "2026-07-01T10:00:00", "timeZone": "Europe/Madrid"});
    let event = read(&timed(json!({"start": start}))).unwrap();
    assert_eq!(event.start.instant(Tz::UTC).to_rfc3339(), "2026-07-01T08:00:00+00:00");
}

#[test]
fn a_needed_field_that_is_missing_or_unreadable_is_named() {
    for (field, wrong) in [
        ("id", Value::Null),
        ("start", Value::Null),
        ("end", json!({})),
        ("start", json!({"dateTime": "tomorrow"})),
        ("start", json!({"dateTime": "2026-07-01T10:00:00"})),
        ("end", json!({"date": "+262142-12-31"})),
    ] {
        assert_eq!(read(&timed(json!({field: wrong}))).unwrap_err(), Unreadable::Field(field));
    }
    let wrong_type = br#"{"items": [{"id": "a"}, {"id": 5}]}"#;
    let error = wire::parse::<wire::EventPage>("events.list", wrong_type).unwrap_err();
    assert!(error.to_string().contains("`items[1].id`"), "{error}");
}

#[test]
fn an_unknown_time_zone_is_named_where_it_is_needed() {
    let at = |zone: &str| json!({"dateTime": "2026-07-01T10:00:00", "timeZone": zone});
    let told = read(&timed(json!({"start": at("Europe/Atlantis")}))).unwrap_err();
    assert_eq!(told, Unreadable::UnknownZone("Europe/Atlantis".into()));
    let told = told.of("events.get", "").to_string();
    assert!(told.contains("unknown time zone `Europe/Atlantis`"), "{told}");
    assert_eq!(read(&timed(json!({"end": at("ask ana@example.com")}))), Err(Unreadable::Field("end")));
    // With an offset the instant is known, whatever the zone is called.
    let known = json!({"dateTime": "2026-07-01T10:00:00+02:00", "timeZone": "Europe/Atlantis"});
    assert_eq!(
        read(&timed(json!({"start": known}))).unwrap().start.instant(Tz::UTC).to_rfc3339(),
        "2026-07-01T08:00:00+00:00"
    );
}

#[test]
fn an_error_does_not_quote_the_answer() {
    let private = br#"{"items": "dinner with eve@example.com"}"#;
    let error = wire::parse::<wire::EventPage>("events.list", private).unwrap_err();
    assert!(!error.to_string().contains("dinner"), "{error}");
}

#[test]
fn a_meeting_is_pending_until_it_has_a_link_or_has_failed() {
    let with = |data: Value| read(&timed(json!({"conferenceData": data}))).unwrap().meeting;
    let request = |status: &str| json!({"createRequest": {"requestId": "r", "status": {"statusCode": status}}});
    assert_eq!(with(request("pending")), Meeting::Pending);
    assert_eq!(with(request("success")), Meeting::Pending);
    assert_eq!(with(request("failure")), Meeting::Failed);
    let url = "https://meet.google.com/abc-defg-hij";
    let points = json!([{"entryPointType": "phone", "uri": "tel:+1"}, {"entryPointType": "video", "uri": url}]);
    assert_eq!(with(json!({"entryPoints": points})), Meeting::Ready { url: url.into() });
    assert_eq!(read(&timed(json!({"hangoutLink": url}))).unwrap().meeting, Meeting::Ready { url: url.into() });
    assert_eq!(read(&timed(json!({"hangoutLink": "javascript:alert(1)"}))).unwrap().meeting, Meeting::None);
}

#[test]
fn a_mark_that_cannot_be_read_is_none() {
    let with = |private: Value| read(&timed(json!({"extendedProperties": {"private": private}}))).unwrap().mark;
    let mark = with(json!({CLAIM: CLAIM_ID, INSTALLATION: "here"})).unwrap();
    assert_eq!((mark.claim_id.as_str(), mark.installation.as_str()), (CLAIM_ID, "here"));
    assert_eq!(with(json!({CLAIM: "me", INSTALLATION: "here"})), None);
    assert_eq!(with(json!({CLAIM: CLAIM_ID})), None);
}

#[test]
fn a_patch_leaves_out_what_belongs_to_the_calendar_and_clears_what_became_empty() {
    let mut event = read(&timed(json!({"attendees": [{"email": "guest@example.com"}], "location": "Office"}))).unwrap();
    event.location = None;
    event.reminders = Reminders::Own(Vec::new());
    let patch = patch_body(&event);
    for kept in ["attendees", "reminders", "status", "transparency", "visibility", "id"] {
        assert_eq!(patch.get(kept), None, "{kept}");
    }
    assert_eq!(patch["location"], "");
}

fn event_time() -> impl Strategy<Value = EventTime> {
    let zone = option::of(prop::sample::select(vec!["Europe/Madrid", "America/Santiago", "Asia/Kathmandu", "UTC"]));
    prop_oneof![
        (0..253_402_300_800_i64, zone).prop_map(|(seconds, zone)| EventTime::Instant {
            at: DateTime::from_timestamp(seconds, 0).unwrap(),
            time_zone: zone.map(str::to_owned),
        }),
        (0..2_932_896_u32).prop_map(|days| {
            EventTime::Day(NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::Days::new(u64::from(days)))
        }),
    ]
}

fn person() -> impl Strategy<Value = Attendee> {
    let response = prop::sample::select(vec![
        ResponseStatus::NeedsAction,
        ResponseStatus::Accepted,
        ResponseStatus::Tentative,
        ResponseStatus::Declined,
    ]);
    (any::<String>(), option::of(any::<String>()), response)
        .prop_map(|(email, name, response)| Attendee { response, ..Attendee::invited(email, name) })
}

fn some_reminders() -> impl Strategy<Value = Reminders> {
    let method = prop::sample::select(vec![ReminderMethod::Email, ReminderMethod::Popup]);
    let own = vec((method, any::<u32>()), 0..4);
    option::of(own).prop_map(|own| match own {
        None => Reminders::Default,
        Some(own) => Reminders::Own(
            own.into_iter().map(|(method, minutes_before)| Reminder { method, minutes_before }).collect(),
        ),
    })
}

fn some_mark() -> impl Strategy<Value = EventMark> {
    ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", any::<String>())
        .prop_map(|(id, installation)| EventMark { claim_id: ClaimId::parse(&id).unwrap(), installation })
}

/// Everything that Cupo writes, at any value.
fn written_event() -> impl Strategy<Value = CalendarEvent> {
    let texts = (any::<String>(), option::of(".+"), option::of(".+"));
    let flags = (
        prop::sample::select(vec![EventStatus::Confirmed, EventStatus::Tentative]),
        prop::sample::select(vec![Transparency::Opaque, Transparency::Transparent]),
        prop::sample::select(vec![
            Visibility::Default,
            Visibility::Public,
            Visibility::Private,
            Visibility::Confidential,
        ]),
    );
    let lists = (vec(person(), 0..4), some_reminders());
    (texts, event_time(), event_time(), flags, lists, option::of("[a-z0-9]{1,20}"), option::of(some_mark())).prop_map(
        |((title, description, location), start, end, (status, transparency, visibility), lists, request_id, mark)| {
            let (attendees, reminders) = lists;
            CalendarEvent {
                description,
                location,
                status,
                transparency,
                visibility,
                attendees,
                reminders,
                meeting: request_id.map_or(Meeting::None, |request_id| Meeting::Request { request_id }),
                mark,
                ..CalendarEvent::draft(title, start, end)
            }
        },
    )
}

/// JSON of the names that are read and of values that are nearly right.
fn nearly_google_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "id",
        "etag",
        "status",
        "summary",
        "start",
        "end",
        "date",
        "dateTime",
        "timeZone",
        "transparency",
        "eventType",
        "attendees",
        "email",
        "self",
        "responseStatus",
        "reminders",
        "useDefault",
        "overrides",
        "minutes",
        "conferenceData",
        "createRequest",
        "requestId",
        "statusCode",
        "entryPoints",
        "uri",
        "extendedProperties",
        "private",
        "cupoAppointment",
        "originalStartTime",
        "items",
        "nextPageToken",
        "nextSyncToken",
        "calendars",
        "busy",
        "errors",
        "reason",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "2026-11-23",
            "9999-12-31",
            "0000-01-01",
            "-0001-01-01",
            "+262142-12-31",
            "2026-11-23T09:00:00Z",
            "9999-12-31T23:59:60-23:59",
            "0000-01-01T00:00:00+23:59",
            "2026-03-29T02:30:00",
            "Europe/Madrid",
            "cancelled",
            "https://meet.google.com/a",
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

/// What Google makes of a body that was written: empty texts are left out, times are told in their zone with an offset,
/// and much is added that Cupo does not ask about.
fn echo(written: &Value) -> Value {
    let mut echo = written.clone();
    let members = echo.as_object_mut().unwrap();
    members.retain(|_, value| value.as_str() != Some(""));
    for name in ["start", "end"] {
        let time = &mut members[name];
        let Some(at) = time.get("dateTime").and_then(Value::as_str) else { continue };
        let zone: Tz = time.get("timeZone").and_then(Value::as_str).unwrap_or("Europe/Madrid").parse().unwrap();
        let at: DateTime<Utc> = at.parse().unwrap();
        let told = at.with_timezone(&zone);
        // Offsets are told in minutes; those of long ago had seconds.
        let told = if told.offset().fix().local_minus_utc() % 60 == 0 { told.to_rfc3339() } else { at.to_rfc3339() };
        time["dateTime"] = told.into();
    }
    if members.get("reminders").is_none() {
        members.insert("reminders".into(), json!({"useDefault": true}));
    }
    if members.get("attendees").is_some() {
        for attendee in members["attendees"].as_array_mut().unwrap() {
            attendee["id"] = "117".into();
            attendee["optional"] = false.into();
        }
    }
    members.extend(
        json!({
            "kind": "calendar#event", "etag": "\"3480\"", "iCalUID": "cupo1@google.com", "sequence": 0,
            "htmlLink": "https://www.google.com/calendar/event?eid=Y3Vwbw", "created": "2026-11-01T10:00:00.000Z",
            "updated": "2026-11-01T10:00:00.123Z", "eventType": "default", "guestsCanInviteOthers": false,
            "creator": {"email": "ana@example.com", "self": true}, "organizer": {"email": "ana@example.com", "self": true},
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    echo
}

proptest! {
    #[test]
    fn an_event_survives_the_way_to_google_and_back(event in written_event()) {
        let read = read(&echo(&insert_body(&event, "cupo1"))).unwrap();
        prop_assert!(says_the_same(&read, &event));
        prop_assert_eq!(read, CalendarEvent {
            id: "cupo1".into(),
            etag: Some("\"3480\"".into()),
            ical_uid: Some("cupo1@google.com".into()),
            html_link: Some("https://www.google.com/calendar/event?eid=Y3Vwbw".into()),
            ..event
        });
    }

    #[test]
    fn what_cupo_writes_comes_back_the_same(event in written_event()) {
        let read = read(&insert_body(&event, "cupo1")).unwrap();
        prop_assert!(says_the_same(&read, &event));
        prop_assert_eq!(read, CalendarEvent { id: "cupo1".into(), ..event });
    }

    #[test]
    fn a_patch_over_any_event_makes_it_say_the_same(before in written_event(), wanted in written_event()) {
        let mut json = insert_body(&before, "cupo1");
        json.as_object_mut().unwrap().extend(patch_body(&wanted).as_object().unwrap().clone());
        let after = read(&json).unwrap();
        let mark = if wanted.mark.is_some() { &wanted.mark } else { &before.mark };
        prop_assert_eq!(&after.attendees, &before.attendees);
        let expected = CalendarEvent { mark: mark.clone(), ..wanted };
        prop_assert!(says_the_same(&after, &expected));
    }

    #[test]
    fn reading_any_answer_never_panics(json in nearly_google_json(), zone in prop::sample::select(vec![Tz::UTC, Tz::Pacific__Apia])) {
        let bytes = json.to_string().into_bytes();
        if let Ok(Ok(event)) = wire::parse("events.get", &bytes).map(event) {
            event.busy_interval(zone);
            insert_body(&event, "cupo1");
        }
        events::read_any_page(&bytes);
        free_busy::read_any_answer(&json);
    }

    #[test]
    fn reading_any_bytes_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        events::read_any_page(&bytes);
    }
}
