use chrono::NaiveDate;
use cupo_core::ids::ClaimId;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::event::EventMark;
use crate::ics::{self, IcsEvent};

const CLAIM_ID: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn stamp() -> DateTime<Utc> {
    at("2026-11-01T12:00:00Z")
}

fn in_zone(text: &str, zone: &str) -> EventTime {
    EventTime::Instant { at: at(text), time_zone: Some(zone.to_owned()) }
}

fn appointment() -> CalendarEvent {
    CalendarEvent {
        description: Some("Booked through the site\nBring the papers; all, please".into()),
        location: Some("Calle Mayor 1".into()),
        attendees: vec![Attendee::invited("guest@example.net", Some("Gus \"the\" Guest, Jr.".into()))],
        mark: Some(EventMark {
            claim_id: ClaimId::parse(CLAIM_ID).unwrap(),
            installation: "https://cupo.example".into(),
        }),
        ..CalendarEvent::draft(
            "Consultation",
            in_zone("2026-11-23T09:00:00Z", "Europe/Madrid"),
            in_zone("2026-11-23T10:00:00Z", "Europe/Madrid"),
        )
    }
}

fn written(event: &CalendarEvent) -> String {
    write_event(event, "cupo-1@cupo.example", Some("ana@example.com"), stamp())
}

fn lines(text: &str) -> Vec<String> {
    icalendar::parser::unfold(text).lines().map(str::to_owned).collect()
}

fn read(text: &str) -> CalendarEvent {
    ics::event(text, Tz::UTC, Some("ana@example.com")).unwrap().unwrap()
}

#[test]
fn an_event_is_written_with_its_zone_and_its_mark() {
    let text = written(&appointment());
    let lines = lines(&text);
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Cupo//Cupo//EN",
        "TZID:Europe/Madrid",
        "UID:cupo-1@cupo.example",
        "DTSTAMP:20261101T120000Z",
        "SEQUENCE:0",
        "DTSTART;TZID=Europe/Madrid:20261123T100000",
        "DTEND;TZID=Europe/Madrid:20261123T110000",
        "SUMMARY:Consultation",
        "DESCRIPTION:Booked through the site\\nBring the papers\\; all\\, please",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "X-CUPO-CLAIM:018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e",
        "X-CUPO-INSTALLATION:https://cupo.example",
        "ORGANIZER:mailto:ana@example.com",
        "ATTENDEE;CN=\"Gus ^'the^' Guest, Jr.\";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;\
         SCHEDULE-AGENT=CLIENT:mailto:guest@example.net",
    ] {
        assert!(lines.iter().any(|written| written == line), "{line}\n{text}");
    }
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    assert!(!text.contains("METHOD"));
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
}

#[test]
fn the_zone_that_is_written_is_the_one_of_the_database() {
    for zone in [
        "Europe/Madrid",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Asia/Kolkata",
        "Europe/Dublin",
    ] {
        let tz: Tz = zone.parse().unwrap();
        let mut component = String::new();
        vtimezone::component(tz, around(&appointment())).write(&mut component);
        let component = component.replace(&format!("TZID:{zone}"), "TZID:Mine").replace("X-LIC-LOCATION", "X-NONE");
        for days in [-300, -100, 0, 100, 200, 300, 600] {
            let noon = at("2026-11-23T12:00:00Z") + TimeDelta::days(days);
            let text = format!(
                "BEGIN:VCALENDAR\r\n{component}BEGIN:VEVENT\r\nDTSTART;TZID=Mine:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                noon.format(FORM)
            );
            let expected = Zone::Named(tz).instant(noon.naive_utc());
            assert_eq!(read(&text).start.instant(Tz::UTC), expected, "{zone} {days}\n{text}");
        }
    }
}

#[test]
fn an_instant_that_no_local_time_tells_is_written_in_utc() {
    let mut event = appointment();
    // 02:30 comes twice in Madrid; a local time means the first.
    event.start = in_zone("2026-10-25T00:30:00Z", "Europe/Madrid");
    event.end = in_zone("2026-10-25T01:30:00Z", "Europe/Madrid");
    let text = written(&event);
    assert!(text.contains("DTSTART;TZID=Europe/Madrid:20261025T023000\r\n"), "{text}");
    assert!(text.contains("DTEND:20261025T013000Z\r\n"), "{text}");
    for zone in ["UTC", "Mars/Olympus"] {
        event.start = in_zone("2026-11-23T09:00:00Z", zone);
        assert!(written(&event).contains("DTSTART:20261123T090000Z\r\n"), "{zone}");
    }
}

#[test]
fn the_server_invites_nobody() {
    let text = icalendar::parser::unfold(&written(&appointment()));
    assert!(text.contains(";SCHEDULE-AGENT=CLIENT:mailto:guest@example.net"), "{text}");
    assert!(read(&text).guests_see_each_other);
}

#[test]
fn guests_who_do_not_see_one_another_are_not_told_by_the_server() {
    let event = CalendarEvent { guests_see_each_other: false, ..appointment() };
    let text = icalendar::parser::unfold(&written(&event));
    assert!(text.contains(";SCHEDULE-AGENT=NONE:mailto:guest@example.net"), "{text}");
    assert!(!read(&text).guests_see_each_other);
}

#[test]
fn nothing_that_a_visitor_writes_becomes_a_property() {
    let evil = "x\r\nATTENDEE:mailto:eve@example.com\nBEGIN:VALARM\r\";CN=y:z";
    let event = CalendarEvent {
        title: evil.into(),
        description: Some(evil.into()),
        location: Some(evil.into()),
        attendees: vec![Attendee::invited("guest@example.net\r\nX-EVIL:1", Some(evil.into()))],
        meeting: Meeting::Ready { url: "https://example.com/\r\nX-EVIL:1".into() },
        ..appointment()
    };
    let fresh = written(&event);
    let change = AttendeeChange::Invite { gone: &[], organizer: Some("ana@example.com\r\nX-EVIL:1") };
    let changed = rewrite_event(&written(&appointment()), &event, change, stamp()).unwrap();
    for text in [fresh, changed] {
        let lines = lines(&text);
        assert!(!lines.iter().any(|line| line.starts_with("X-EVIL") || line == "BEGIN:VALARM"), "{text}");
        assert!(
            lines.iter().filter(|line| line.starts_with("ATTENDEE")).all(|line| line.contains("guest@example.net"))
        );
    }
}

const FOREIGN: &str = "BEGIN:VCALENDAR\r\nPRODID:-//Other//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nX-WR-CALNAME:Ana\r\n\
    BEGIN:VTIMEZONE\r\nTZID:Europe/Madrid\r\nBEGIN:STANDARD\r\nDTSTART:20200101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n\
    END:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nSEQUENCE:4\r\nDTSTART;TZID=Europe/Madrid:20261123T100000\r\n\
    DURATION:PT1H\r\nsummary;LANGUAGE=es:Consulta\r\nDESCRIPTION:Old\r\nX-ALT-DESC;FMTTYPE=text/html:<b>Old</b>\r\n\
    COLOR:tomato\r\nCATEGORIES:a,b\\,c\r\nORGANIZER;CN=Ana:mailto:ana@example.com\r\n\
    ATTENDEE;PARTSTAT=ACCEPTED;X-NUM=1:mailto:guest@example.net\r\nATTENDEE;PARTSTAT=DECLINED:mailto:Gone@example.net\r\n\
    BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT7M\r\nX-WR-ALARMUID:9\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn a_change_keeps_what_cupo_does_not_write() {
    let event = CalendarEvent {
        start: in_zone("2028-07-03T08:00:00Z", "Europe/Madrid"),
        end: in_zone("2028-07-03T09:00:00Z", "Europe/Madrid"),
        ..appointment()
    };
    let text = rewrite_event(FOREIGN, &event, AttendeeChange::Keep, stamp()).unwrap();
    let lines = lines(&text);
    for kept in [
        "PRODID:-//Other//EN",
        "X-WR-CALNAME:Ana",
        "UID:1",
        "COLOR:tomato",
        "CATEGORIES:a,b\\,c",
        "ORGANIZER;CN=Ana:mailto:ana@example.com",
        "ATTENDEE;PARTSTAT=ACCEPTED;X-NUM=1:mailto:guest@example.net",
        "ATTENDEE;PARTSTAT=DECLINED:mailto:Gone@example.net",
        "TRIGGER:-PT7M",
        "X-WR-ALARMUID:9",
    ] {
        assert!(lines.iter().any(|line| line == kept), "{kept}\n{text}");
    }
    for changed in [
        "SEQUENCE:5",
        "DTSTAMP:20261101T120000Z",
        "LAST-MODIFIED:20261101T120000Z",
        "DTSTART;TZID=Europe/Madrid:20280703T100000",
        "DTEND;TZID=Europe/Madrid:20280703T110000",
        "SUMMARY:Consultation",
        "LOCATION:Calle Mayor 1",
    ] {
        assert_eq!(lines.iter().filter(|line| *line == changed).count(), 1, "{changed}\n{text}");
    }
    for gone in ["DURATION", "METHOD", "X-ALT-DESC", "summary"] {
        assert!(!lines.iter().any(|line| line.starts_with(gone)), "{gone}\n{text}");
    }
    // The zone is told for the new time.
    assert_eq!(lines.iter().filter(|line| *line == "BEGIN:VTIMEZONE").count(), 1);
    assert!(text.contains("DTSTART:20280326T020000"), "{text}");
}

#[test]
fn what_says_the_same_already_stays_as_it_is_written() {
    let event = CalendarEvent {
        title: "Consulta".into(),
        start: in_zone("2026-11-23T09:00:00Z", "Europe/Berlin"),
        end: in_zone("2026-11-23T10:00:00Z", "Europe/Berlin"),
        ..appointment()
    };
    let existing = FOREIGN.replace("DURATION:PT1H", "DTEND:20261123T100000Z");
    let text = rewrite_event(&existing, &event, AttendeeChange::Keep, stamp()).unwrap();
    for line in ["DTSTART;TZID=Europe/Madrid:20261123T100000", "DTEND:20261123T100000Z", "summary;LANGUAGE=es:Consulta"]
    {
        assert!(text.contains(&format!("{line}\r\n")), "{line}\n{text}");
    }
    assert!(!text.contains("Berlin"), "{text}");
}

#[test]
fn a_recurring_event_moves_with_its_rule_and_without_the_exceptions_of_the_old_times() {
    let series = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261123T090000Z\r\nDTEND:20261123T100000Z\r\n\
                  RRULE:FREQ=WEEKLY;BYDAY=MO\r\nEXDATE:20261130T090000Z\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\n\
                  RECURRENCE-ID:20261207T090000Z\r\nDTSTART:20261208T090000Z\r\nDTEND:20261208T100000Z\r\n\
                  END:VEVENT\r\nEND:VCALENDAR\r\n";
    let tuesday = CalendarEvent {
        start: in_zone("2026-11-24T09:00:00Z", "UTC"),
        end: in_zone("2026-11-24T10:00:00Z", "UTC"),
        ..appointment()
    };
    let text = rewrite_event(series, &tuesday, AttendeeChange::Keep, stamp()).unwrap();
    assert!(text.contains("RRULE:FREQ=WEEKLY\r\n") && text.contains("DTSTART:20261124T090000Z\r\n"), "{text}");
    assert!(!text.contains("EXDATE") && !text.contains("RECURRENCE-ID"), "{text}");
    let there = CalendarEvent {
        start: in_zone("2026-11-23T09:00:00Z", "UTC"),
        end: in_zone("2026-11-23T10:00:00Z", "UTC"),
        ..appointment()
    };
    let text = rewrite_event(series, &there, AttendeeChange::Keep, stamp()).unwrap();
    for kept in ["RRULE:FREQ=WEEKLY;BYDAY=MO", "EXDATE:20261130T090000Z", "RECURRENCE-ID:20261207T090000Z"] {
        assert!(text.contains(kept), "{kept}\n{text}");
    }
}

#[test]
fn who_is_gone_is_no_longer_invited_and_who_stays_keeps_their_answer() {
    let mut event = appointment();
    event.attendees.push(Attendee::invited("new@example.net", None));
    let gone = ["gone@EXAMPLE.net".to_owned()];
    let change = AttendeeChange::Invite { gone: &gone, organizer: Some("other@example.com") };
    let text = rewrite_event(FOREIGN, &event, change, stamp()).unwrap();
    let told: Vec<_> = read(&text).attendees.into_iter().map(|attendee| (attendee.email, attendee.response)).collect();
    assert_eq!(
        told,
        [
            ("guest@example.net".to_owned(), ResponseStatus::Accepted),
            ("new@example.net".to_owned(), ResponseStatus::NeedsAction),
        ]
    );
    assert!(
        text.contains("ORGANIZER;CN=Ana:mailto:ana@example.com\r\n") && !text.contains("other@example.com"),
        "{text}"
    );
    let without = FOREIGN.replace("ORGANIZER;CN=Ana:mailto:ana@example.com\r\n", "");
    let text = rewrite_event(&without, &event, change, stamp()).unwrap();
    assert!(text.contains("ORGANIZER:mailto:other@example.com\r\n"), "{text}");
}

#[test]
fn the_series_is_changed_and_its_exceptions_stay() {
    let exception = "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20261130T090000Z\r\nDTSTART:20261130T120000Z\r\nSUMMARY:Other\r\nEND:VEVENT\r\n";
    let existing = FOREIGN.replace("BEGIN:VEVENT\r\n", &format!("{exception}BEGIN:VEVENT\r\n")).replacen(
        "DURATION",
        "RRULE:FREQ=WEEKLY\r\nDURATION",
        1,
    );
    let text = rewrite_event(&existing, &appointment(), AttendeeChange::Keep, stamp()).unwrap();
    for line in ["RECURRENCE-ID:20261130T090000Z", "SUMMARY:Other", "SUMMARY:Consultation", "RRULE:FREQ=WEEKLY"] {
        assert!(text.contains(&format!("{line}\r\n")), "{line}\n{text}");
    }
}

#[test]
fn what_holds_no_event_is_not_changed() {
    for text in ["", "<html>", "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR"] {
        assert_eq!(
            rewrite_event(text, &appointment(), AttendeeChange::Keep, stamp()),
            Err(IcsError::Unreadable),
            "{text}"
        );
    }
    let large = "x".repeat(MOST_EVENT_BYTES + 1);
    assert_eq!(rewrite_event(&large, &appointment(), AttendeeChange::Keep, stamp()), Err(IcsError::TooLarge));
}

fn text() -> impl Strategy<Value = String> {
    // `\r` and other control characters do not come through; what is around a text does not either.
    "[\\PC\n]{0,120}".prop_map(|text| text.trim().to_owned())
}

prop_compose! {
    fn attendee()(
        email in "[a-z]{1,8}@[a-z]{1,8}\\.example", name in of(text()),
        response in prop::sample::select(vec![
            ResponseStatus::NeedsAction, ResponseStatus::Accepted, ResponseStatus::Tentative, ResponseStatus::Declined,
        ]),
    ) -> Attendee {
        Attendee { response, name: name.filter(|name| !name.is_empty()), ..Attendee::invited(email, None) }
    }
}

fn times() -> impl Strategy<Value = (EventTime, EventTime)> {
    let zone = prop::sample::select(vec![
        "Europe/Madrid",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Pacific/Apia",
    ]);
    let instants = (zone, 1_700_000_000_i64..1_950_000_000, 0_i64..1_000_000).prop_map(|(zone, start, length)| {
        let time = |seconds| EventTime::Instant {
            at: DateTime::from_timestamp(seconds, 0).unwrap(),
            time_zone: Some(zone.to_owned()),
        };
        (time(start), time(start + length))
    });
    let days = (0_u64..9_000, 1_u64..100).prop_map(|(first, length)| {
        let day = |days| EventTime::Day(NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + chrono::Days::new(days));
        (day(first), day(first + length))
    });
    prop_oneof![3 => instants, 1 => days]
}

prop_compose! {
    fn calendar_event()(
        (start, end) in times(), title in text(), description in of(text()), location in of(text()),
        attendees in vec(attendee(), 0..4), sees in any::<bool>(), minutes in vec((any::<bool>(), 0_u32..50_000), 1..4),
        status in prop::sample::select(vec![EventStatus::Confirmed, EventStatus::Tentative, EventStatus::Cancelled]),
        is_free in any::<bool>(), is_away in any::<bool>(), installation in "https://[a-z]{1,80}\\.example", is_marked in any::<bool>(),
        visibility in prop::sample::select(vec![
            Visibility::Default, Visibility::Public, Visibility::Private, Visibility::Confidential,
        ]),
        meeting in of("https://meet\\.example/[a-z0-9?&=]{1,80}"),
    ) -> CalendarEvent {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        CalendarEvent {
            id: "cupo-1@cupo.example".into(),
            ical_uid: Some("cupo-1@cupo.example".into()),
            description: some(description),
            location: some(location),
            status,
            transparency: if is_free { Transparency::Transparent } else { Transparency::Opaque },
            kind: if is_away { EventKind::OutOfOffice } else { EventKind::Default },
            visibility,
            guests_see_each_other: sees || attendees.is_empty(),
            attendees,
            reminders: Reminders::Own(minutes.into_iter().map(|(by_mail, minutes_before)| Reminder {
                method: if by_mail { ReminderMethod::Email } else { ReminderMethod::Popup },
                minutes_before,
            }).collect()),
            meeting: meeting.map_or(Meeting::None, |url| Meeting::Ready { url }),
            mark: is_marked.then(|| EventMark { claim_id: ClaimId::parse(CLAIM_ID).unwrap(), installation }),
            ..CalendarEvent::draft(title, start, end)
        }
    }
}

/// Of a zone only the instant counts where no local time tells it.
fn without_zones(event: &CalendarEvent) -> CalendarEvent {
    let plain = |time: &EventTime| match time {
        EventTime::Instant { at, .. } => EventTime::Instant { at: *at, time_zone: None },
        day => day.clone(),
    };
    CalendarEvent { start: plain(&event.start), end: plain(&event.end), ..event.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_written_is_read_again(event in calendar_event()) {
        let text = written(&event);
        let found = read(&text);
        prop_assert_eq!(without_zones(&found), without_zones(&event), "{}", text);
        if let (EventTime::Instant { time_zone: Some(found), .. }, EventTime::Instant { time_zone: Some(told), .. }) = (&found.start, &event.start) {
            prop_assert_eq!(found, told);
        }
        let start = event.start.instant(Tz::UTC);
        let around = Interval { start: start - TimeDelta::days(2), end: start + TimeDelta::days(2) };
        let events = ics::events(&text, around, Tz::UTC, None).unwrap().events;
        match event.status {
            EventStatus::Cancelled => prop_assert!(events.is_empty()),
            _ => prop_assert!(matches!(events.as_slice(), [IcsEvent::Single(_)])),
        }
    }

    #[test]
    fn what_was_changed_is_read_again(old in calendar_event(), new in calendar_event()) {
        let change = AttendeeChange::Invite { gone: &[], organizer: None };
        let text = rewrite_event(&written(&old), &new, change, stamp()).unwrap();
        let found = without_zones(&read(&text));
        let wanted = without_zones(&new);
        prop_assert_eq!((&found.title, &found.description, &found.location), (&wanted.title, &wanted.description, &wanted.location));
        prop_assert_eq!((&found.start, &found.end), (&wanted.start, &wanted.end), "{}", text);
        prop_assert_eq!((&found.reminders, found.status, found.visibility), (&old.reminders, old.status, old.visibility));
        prop_assert_eq!(found.mark.as_ref(), new.mark.as_ref().or(old.mark.as_ref()));
        let is_there = |attendee: &Attendee| found.attendees.iter().any(|there| there.email == attendee.email);
        prop_assert!(old.attendees.iter().chain(&new.attendees).all(is_there));
    }

    #[test]
    fn changing_any_text_never_panics(existing in any::<String>(), cut in 0_usize..2_000) {
        let _changed_or_refused = rewrite_event(&existing, &appointment(), AttendeeChange::Keep, stamp());
        let short = &FOREIGN[..FOREIGN.floor_char_boundary(cut.min(FOREIGN.len()))];
        let _changed_or_refused = rewrite_event(short, &appointment(), AttendeeChange::Keep, stamp());
    }
}
