use chrono::Timelike;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::event::{EventStatus, ResponseStatus};

const MADRID: Tz = Tz::Europe__Madrid;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn window(from: &str, to: &str) -> Interval {
    Interval::new(at(&format!("{from}T00:00:00Z")), at(&format!("{to}T00:00:00Z"))).unwrap()
}

fn year() -> Interval {
    window("2026-01-01", "2027-01-01")
}

fn file(parts: &[&str]) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{}\nEND:VCALENDAR\n", parts.join("\n")).replace('\n', "\r\n")
}

fn vevent(lines: &str) -> String {
    format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT")
}

fn read_file(text: &str, window: Interval) -> Result<IcsEvents, IcsError> {
    events(text, window, MADRID, Some("ana@example.com"))
}

fn calendar_events(read: IcsEvents) -> Vec<CalendarEvent> {
    let of = |event| match event {
        IcsEvent::Single(event) => vec![event],
        IcsEvent::Series { instances, .. } => instances,
    };
    read.events.into_iter().flat_map(of).collect()
}

/// `start/end` in UTC, of all that lies in the window.
fn told(vevents: &[&str], window: Interval) -> Vec<String> {
    let vevents: Vec<_> = vevents.iter().map(|lines| vevent(lines)).collect();
    let vevents: Vec<_> = vevents.iter().map(String::as_str).collect();
    let read = calendar_events(read_file(&file(&vevents), window).unwrap());
    let time = |time: &EventTime| match time {
        EventTime::Day(day) => day.format("%m-%d").to_string(),
        EventTime::Instant { at, .. } => at.format("%m-%dT%H:%M").to_string(),
    };
    read.iter().map(|event| format!("{}/{}", time(&event.start), time(&event.end))).collect()
}

fn wrong(vevents: &[&str]) -> IcsError {
    let vevents: Vec<_> = vevents.iter().map(|lines| vevent(lines)).collect();
    let vevents: Vec<_> = vevents.iter().map(String::as_str).collect();
    read_file(&file(&vevents), year()).unwrap_err()
}

const OUTLOOK: &str = "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
    TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
    BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE";

#[test]
fn a_time_is_read_in_its_zone() {
    for (start, utc) in [
        ("DTSTART:20261123T090000Z", "11-23T09:00"),
        ("DTSTART;TZID=Europe/Madrid:20261123T090000", "11-23T08:00"),
        ("DTSTART;TZID=\"America/New_York\":20261123T090000", "11-23T14:00"),
        ("DTSTART;TZID=Romance Standard Time:20260623T090000", "06-23T07:00"),
        ("DTSTART;TZID=/freeassociation.sourceforge.net/Asia/Calcutta:20261123T090000", "11-23T03:30"),
        ("DTSTART;TZID=tzone://Microsoft/Utc:20261123T090000", "11-23T09:00"),
        // A time that is told in UTC is not in another zone.
        ("DTSTART;TZID=Europe/Madrid:20261123T090000Z", "11-23T09:00"),
        // A floating time is the calendar's.
        ("DTSTART:20261123T090000", "11-23T08:00"),
        ("DTSTART;VALUE=DATE-TIME:20260623T090000", "06-23T07:00"),
    ] {
        assert_eq!(told(&[start], year()), [format!("{utc}/{utc}")], "{start}");
    }
}

#[test]
fn an_end_is_told_by_a_time_a_length_or_not_at_all() {
    let start = "DTSTART;TZID=Europe/Madrid:20261123T090000";
    for (end, utc) in [
        ("DTEND;TZID=Europe/Madrid:20261123T103000", "11-23T08:00/11-23T09:30"),
        ("DTEND:20261123T093000Z", "11-23T08:00/11-23T09:30"),
        ("DTEND;TZID=America/New_York:20261123T090000", "11-23T08:00/11-23T14:00"),
        ("DURATION:PT45M", "11-23T08:00/11-23T08:45"),
        ("DURATION:P1DT1H", "11-23T08:00/11-24T09:00"),
        ("DTEND;VALUE=DATE:20261124", "11-23T08:00/11-23T23:00"),
        ("X-NONE:1", "11-23T08:00/11-23T08:00"),
    ] {
        assert_eq!(told(&[&format!("{start}\n{end}")], year()), [utc], "{end}");
    }
    let day = "DTSTART;VALUE=DATE:20261123";
    for (end, days) in [
        ("DTEND;VALUE=DATE:20261125", "11-23/11-25"),
        ("DTEND;VALUE=DATE:20261123", "11-23/11-24"),
        ("DURATION:P1W", "11-23/11-30"),
        ("DURATION:PT36H", "11-23/11-25"),
        ("DTEND:20261124T120000", "11-23/11-25"),
        ("X-NONE:1", "11-23/11-24"),
    ] {
        assert_eq!(told(&[&format!("{day}\n{end}")], year()), [days], "{end}");
    }
}

#[test]
fn a_local_time_in_a_gap_or_a_fold_is_that_of_rfc_5545() {
    // 02:00 to 03:00 is skipped on 29 March, and comes twice on 25 October.
    let read = |from: &str, to: &str| {
        let lines = format!("DTSTART;TZID=Europe/Madrid:{from}\nDTEND;TZID=Europe/Madrid:{to}");
        told(&[&lines], year()).concat()
    };
    assert_eq!(read("20260329T023000", "20260329T040000"), "03-29T01:30/03-29T02:00");
    assert_eq!(read("20260329T010000", "20260329T040000"), "03-29T00:00/03-29T02:00");
    // It would end as it begins: it takes as long as it says.
    assert_eq!(read("20260329T023000", "20260329T033000"), "03-29T01:30/03-29T02:30");
    assert_eq!(read("20261025T023000", "20261025T033000"), "10-25T00:30/10-25T02:30");
    assert_eq!(read("20261025T013000", "20261025T023000"), "10-24T23:30/10-25T00:30");
    // The example of section 3.3.5, in the year of the window.
    let new_york = "DTSTART;TZID=America/New_York:20260308T023000\nDURATION:PT1H";
    assert_eq!(told(&[new_york], year()), ["03-08T07:30/03-08T08:30"]);
}

#[test]
fn an_event_that_repeats_stays_at_its_local_time_over_a_clock_change() {
    let weekly = "UID:1\nDTSTART;TZID=Europe/Madrid:20200106T090000\nDTEND;TZID=Europe/Madrid:20200106T100000\nRRULE:FREQ=WEEKLY";
    assert_eq!(
        told(&[weekly], window("2026-10-19", "2026-11-01")),
        ["10-19T07:00/10-19T08:00", "10-26T08:00/10-26T09:00"]
    );
    // In the gap it is where a clock that was not put forward shows it, and takes its time.
    let at_night = "UID:1\nDTSTART;TZID=Europe/Madrid:20200105T023000\nDTEND;TZID=Europe/Madrid:20200105T033000\nRRULE:FREQ=WEEKLY";
    assert_eq!(
        told(&[at_night], window("2026-03-28", "2026-04-06")),
        ["03-29T01:30/03-29T02:30", "04-05T00:30/04-05T01:30"]
    );
    // With an end each night is as long as the first, with a length of days each ends at the same hour.
    let night = "UID:1\nDTSTART;TZID=Europe/Madrid:20260327T220000\nRRULE:FREQ=DAILY;COUNT=3";
    assert_eq!(
        told(&[&format!("{night}\nDTEND;TZID=Europe/Madrid:20260328T220000")], year())[1],
        "03-28T21:00/03-29T21:00"
    );
    assert_eq!(told(&[&format!("{night}\nDURATION:P1D")], year())[1], "03-28T21:00/03-29T20:00");
}

#[test]
fn whole_days_repeat_as_days() {
    let days = "UID:1\nDTSTART;VALUE=DATE:20261024\nDTEND;VALUE=DATE:20261026\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=3";
    assert_eq!(told(&[days], year()), ["10-24/10-26", "10-26/10-28", "10-28/10-30"]);
    // The window is asked in the calendar's zone: the 28th begins at 23:00 UTC of the 27th.
    let late = Interval::new(at("2026-10-27T23:30:00Z"), at("2026-10-27T23:45:00Z")).unwrap();
    assert_eq!(told(&[days], late), ["10-28/10-30"]);
    let early = Interval::new(at("2026-10-27T22:30:00Z"), at("2026-10-27T22:45:00Z")).unwrap();
    assert_eq!(told(&[days], early), ["10-26/10-28"]);
}

#[test]
fn a_rule_ends_with_its_last_instant_its_last_day_or_its_count() {
    let start = "UID:1\nDTSTART;TZID=Europe/Madrid:20261026T090000\nRRULE:FREQ=DAILY";
    for (end, count) in [
        // 09:00 of the 28th is 08:00 UTC.
        ("UNTIL=20261028T080000Z", 3),
        ("UNTIL=20261028T075959Z", 2),
        ("UNTIL=20261028", 3),
        ("UNTIL=20261028T090000", 3),
        ("UNTIL=20261028T085959", 2),
        ("UNTIL=20250101T000000Z", 1),
        ("COUNT=4", 4),
    ] {
        assert_eq!(told(&[&format!("{start};{end}")], year()).len(), count, "{end}");
    }
    let days = "UID:1\nDTSTART;VALUE=DATE:20261026\nRRULE:FREQ=DAILY";
    for (end, count) in [("UNTIL=20261028", 3), ("UNTIL=20261028T000000Z", 3), ("UNTIL=20261027T230000Z", 3)] {
        assert_eq!(told(&[&format!("{days};{end}")], year()).len(), count, "{end}");
    }
}

#[test]
fn dates_are_added_and_left_out() {
    let series = "UID:1\nDTSTART;TZID=Europe/Madrid:20261102T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4\n\
        RDATE;TZID=Europe/Madrid:20261105T120000\nRDATE;VALUE=PERIOD:20261106T120000Z/20261106T140000Z,20261107T120000Z/PT30M\n\
        RDATE;VALUE=DATE:20261108\n\
        EXDATE;TZID=Europe/Madrid:20261109T090000\nEXDATE:20261116T080000Z\nEXDATE:";
    assert_eq!(
        told(&[series], year()),
        [
            "11-02T08:00/11-02T09:00",
            "11-05T11:00/11-05T12:00",
            "11-06T12:00/11-06T14:00",
            "11-07T12:00/11-07T12:30",
            "11-08T08:00/11-08T09:00",
            "11-23T08:00/11-23T09:00",
        ]
    );
    let by_day =
        "UID:1\nDTSTART;TZID=Europe/Madrid:20261102T090000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261103";
    assert_eq!(told(&[by_day], year()).len(), 2);
    let days = "UID:1\nDTSTART;VALUE=DATE:20261102\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261103T000000,20261104";
    assert_eq!(told(&[days], year()), ["11-02/11-03"]);
}

const SERIES: &str = "UID:1\nSUMMARY:Standup\nDTSTART;TZID=Europe/Madrid:20261102T090000\nDTEND;TZID=Europe/Madrid:20261102T093000\n\
    RRULE:FREQ=DAILY";

#[test]
fn an_instance_is_moved_into_the_window_out_of_it_and_cancelled() {
    let window = window("2026-11-03", "2026-11-06");
    let of = |change: &str| told(&[SERIES, &format!("UID:1\n{change}")], window);
    assert_eq!(of("X:1\nRECURRENCE-ID:20300101T080000Z\nDTSTART:20300101T080000Z").len(), 3);
    let out = "RECURRENCE-ID;TZID=Europe/Madrid:20261104T090000\nDTSTART;TZID=Europe/Madrid:20261120T090000";
    assert_eq!(of(out), ["11-03T08:00/11-03T08:30", "11-05T08:00/11-05T08:30"]);
    let into = "RECURRENCE-ID:20261120T080000Z\nDTSTART:20261104T150000Z\nDURATION:PT2H";
    assert_eq!(of(into)[2], "11-04T15:00/11-04T17:00");
    assert_eq!(of(into).len(), 4);
    let cancelled = "RECURRENCE-ID;TZID=Europe/Madrid:20261104T090000\nDTSTART;TZID=Europe/Madrid:20261104T090000\nSTATUS:CANCELLED";
    assert_eq!(of(cancelled), ["11-03T08:00/11-03T08:30", "11-05T08:00/11-05T08:30"]);
    let by_day = "RECURRENCE-ID;VALUE=DATE:20261104\nDTSTART;TZID=Europe/Madrid:20261104T120000\nDURATION:PT1H";
    assert_eq!(of(by_day)[1], "11-04T11:00/11-04T12:00");
    assert_eq!(of(by_day).len(), 3);
    let newer = "RECURRENCE-ID:20261104T080000Z\nSEQUENCE:2\nDTSTART:20261104T130000Z";
    let older = "UID:1\nRECURRENCE-ID:20261104T080000Z\nSEQUENCE:1\nDTSTART:20261104T140000Z";
    assert_eq!(told(&[SERIES, &format!("UID:1\n{newer}"), older], window)[1], "11-04T13:00/11-04T13:00");
}

#[test]
fn an_instance_bears_the_series_and_where_it_began() {
    let moved = "UID:1\nSUMMARY:Later\nRECURRENCE-ID:20261104T080000Z\nDTSTART:20261104T150000Z";
    let text = file(&[&vevent(SERIES), &vevent(moved)]);
    let read = read_file(&text, window("2026-11-04", "2026-11-06")).unwrap();
    let [IcsEvent::Series { uid, instances }] = read.events.as_slice() else { panic!("{read:?}") };
    assert_eq!(uid, "1");
    let told: Vec<_> = instances.iter().map(|event| (event.id.as_str(), event.title.as_str())).collect();
    assert_eq!(told, [("1#20261104T080000Z", "Later"), ("1#20261105T080000Z", "Standup")]);
    let original = instances[0].original_start.as_ref().unwrap();
    assert_eq!(original.instant(Tz::UTC), at("2026-11-04T08:00:00Z"));
    assert_eq!(instances[0].recurring_event_id.as_deref(), Some("1"));
    let EventTime::Instant { time_zone, .. } = &instances[1].start else { panic!() };
    assert_eq!(time_zone.as_deref(), Some("Europe/Madrid"));
}

#[test]
fn this_and_all_that_follow_are_moved_together() {
    let later = "UID:1\nSUMMARY:Later\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Madrid:20261104T090000\n\
        DTSTART;TZID=Europe/Madrid:20261104T110000\nDURATION:PT1H";
    let once = "UID:1\nRECURRENCE-ID;TZID=Europe/Madrid:20261106T090000\nDTSTART:20261106T150000Z";
    assert_eq!(
        told(&[SERIES, later, once], window("2026-11-03", "2026-11-07")),
        ["11-03T08:00/11-03T08:30", "11-04T10:00/11-04T11:00", "11-05T10:00/11-05T11:00", "11-06T15:00/11-06T15:00",]
    );
    let ended = format!("{later}\nSTATUS:CANCELLED");
    assert_eq!(told(&[SERIES, &ended], window("2026-11-03", "2026-11-07")).len(), 1);
    let next_day = "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261104T080000Z\nDTSTART:20261114T080000Z\nDURATION:PT1H";
    assert_eq!(told(&[SERIES, next_day], window("2026-11-20", "2026-11-21")), ["11-20T08:00/11-20T09:00"]);
}

#[test]
fn an_instance_without_its_series_is_told() {
    let alone = "UID:1\nRECURRENCE-ID:20261104T080000Z\nDTSTART:20261104T150000Z\nDURATION:PT1H";
    assert_eq!(told(&[alone], year()), ["11-04T15:00/11-04T16:00"]);
}

#[test]
fn of_two_versions_the_later_holds_and_two_events_with_one_id_are_both_told() {
    let event = |sequence: u32, hour: u32| format!("UID:1\nSEQUENCE:{sequence}\nDTSTART:20261104T{hour:02}0000Z");
    let told_at = |events: &[&str]| told(events, year()).concat();
    assert_eq!(told_at(&[&event(1, 9), &event(2, 10)]), "11-04T10:00/11-04T10:00");
    assert_eq!(told_at(&[&event(2, 10), &event(1, 9)]), "11-04T10:00/11-04T10:00");
    let namesakes = [event(1, 9), event(1, 10), event(1, 10), event(0, 11)].map(|lines| vevent(&lines));
    let read = read_file(&file(&namesakes.each_ref().map(String::as_str)), year()).unwrap();
    let ids: Vec<_> = calendar_events(read).into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["1#20261104T090000Z", "1#20261104T100000Z", "1#20261104T100000Z+1"]);
    assert_eq!(told(&["DTSTART:20261104T090000Z", "DTSTART:20261104T100000Z"], year()).len(), 2);
}

#[test]
fn what_touches_the_window_is_told_and_what_is_cancelled_is_not() {
    let window = Interval::new(at("2026-11-23T09:00:00Z"), at("2026-11-23T10:00:00Z")).unwrap();
    let is_told = |from: &str, to: &str| {
        let lines = format!("DTSTART:20261123T{from}Z\nDTEND:20261123T{to}Z");
        !told(&[&lines], window).is_empty()
    };
    for (from, to, expected) in [
        ("080000", "090000", false),
        ("080000", "090001", true),
        ("095959", "110000", true),
        ("100000", "110000", false),
        ("000000", "235959", true),
        ("090000", "090000", true),
        ("100000", "100000", false),
    ] {
        assert_eq!(is_told(from, to), expected, "{from} {to}");
    }
    assert_eq!(told(&["DTSTART:20261123T090000Z\nSTATUS:CANCELLED"], window), [""; 0]);
    assert_eq!(told(&[&format!("{SERIES}\nSTATUS:CANCELLED")], window), [""; 0]);
}

#[test]
fn a_zone_that_the_file_tells_is_followed() {
    let series = "UID:1\nDTSTART;TZID=Customized Time Zone:20200106T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY";
    let text = file(&[OUTLOOK, &vevent(series)]);
    let read = calendar_events(read_file(&text, window("2026-10-19", "2026-11-01")).unwrap());
    let starts: Vec<_> = read.iter().map(|event| event.start.clone()).collect();
    let instant = |text| EventTime::Instant { at: at(text), time_zone: None };
    assert_eq!(starts, [instant("2026-10-19T07:00:00Z"), instant("2026-10-26T08:00:00Z")]);
}

#[test]
fn a_zone_by_its_name_wins_over_what_the_file_tells() {
    let stale = OUTLOOK.replace("Customized Time Zone", "Asia/Kolkata");
    let text = file(&[&stale, &vevent("DTSTART;TZID=Asia/Kolkata:20261123T090000")]);
    let read = calendar_events(read_file(&text, year()).unwrap());
    assert_eq!(read[0].start.instant(Tz::UTC), at("2026-11-23T03:30:00Z"));
    // A name of its own, modelled on a zone that is known.
    let modelled = OUTLOOK.replace("TZID:Customized Time Zone", "TZID:Work\nX-LIC-LOCATION:Asia/Kolkata");
    let text = file(&[&modelled, &vevent("DTSTART;TZID=Work:20261123T090000")]);
    assert_eq!(
        calendar_events(read_file(&text, year()).unwrap())[0].start.instant(Tz::UTC),
        at("2026-11-23T03:30:00Z")
    );
}

#[test]
fn a_zone_of_single_changes_is_followed() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Base\nBEGIN:STANDARD\nDTSTART:20260101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\nEND:STANDARD\n\
        BEGIN:DAYLIGHT\nDTSTART:20260601T000000\nRDATE:20260801T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0430\nEND:DAYLIGHT\n\
        BEGIN:STANDARD\nDTSTART:20260701T000000\nTZOFFSETFROM:+0430\nTZOFFSETTO:+0300\nEND:STANDARD\nEND:VTIMEZONE";
    for (local, utc) in [
        ("20250601T120000", "09:00"),
        ("20260601T120000", "07:30"),
        ("20260701T120000", "09:00"),
        ("20260801T120000", "07:30"),
        // In the gap of 1 June, and in the fold of 1 July.
        ("20260601T003000", "21:30"),
        ("20260630T233000", "19:00"),
    ] {
        let text = file(&[zone, &vevent(&format!("DTSTART;TZID=Base:{local}"))]);
        let read = calendar_events(read_file(&text, window("2025-01-01", "2027-01-01")).unwrap());
        assert_eq!(read[0].start.instant(Tz::UTC).format("%R").to_string(), utc, "{local}");
    }
}

#[test]
fn an_unknown_zone_is_named_and_never_taken_for_utc() {
    for name in ["Customized Time Zone", "Mars/Olympus", "tzone://Microsoft/Custom"] {
        let start = format!("DTSTART;TZID={name}:20261123T090000");
        assert_eq!(wrong(&[&start]), IcsError::UnknownTimeZone(name.to_owned()));
        let end = format!("DTSTART:20261123T090000Z\nDTEND;TZID={name}:20261123T100000");
        assert_eq!(wrong(&[&end]), IcsError::UnknownTimeZone(name.to_owned()));
        let left_out = format!("{SERIES}\nEXDATE;TZID={name}:20261123T100000");
        assert_eq!(wrong(&[&left_out]), IcsError::UnknownTimeZone(name.to_owned()));
    }
    let text = file(&["BEGIN:VTIMEZONE\nTZID:Empty\nEND:VTIMEZONE", &vevent("DTSTART;TZID=Empty:20261123T090000")]);
    assert_eq!(read_file(&text, year()), Err(IcsError::UnknownTimeZone("Empty".into())));
    // What is over, whatever its zone, is not asked for it.
    assert_eq!(told(&["DTSTART;TZID=Mars/Olympus:20161123T090000\nDURATION:PT1H"], year()), [""; 0]);
}

#[test]
fn an_event_that_cannot_be_read_is_told_by_its_place_and_property() {
    let good = "UID:0\nDTSTART:20261123T090000Z";
    for (lines, property) in [
        ("SUMMARY:No start", "DTSTART"),
        ("DTSTART:soon", "DTSTART"),
        ("DTSTART:20261340", "DTSTART"),
        ("DTSTART:20261123T090000Z\nDTEND:later", "DTEND"),
        ("DTSTART:20261123T090000Z\nDTEND:20261123T080000Z", "DTEND"),
        ("DTSTART;VALUE=DATE:20261123\nDTEND;VALUE=DATE:20261122", "DTEND"),
        ("DTSTART:20261123T090000Z\nDURATION:1 hour", "DURATION"),
        ("DTSTART:20261123T090000Z\nDURATION:-PT1H", "DURATION"),
        ("DTSTART:20261123T090000Z\nRRULE:FREQ=SECONDLY", "RRULE"),
        ("DTSTART:20261123T090000Z\nRRULE:whenever", "RRULE"),
        ("DTSTART:20261123T090000Z\nRDATE:sometimes", "RDATE"),
        ("DTSTART:20261123T090000Z\nRDATE:20261123T090000Z/never", "RDATE"),
        ("DTSTART:20261123T090000Z\nRRULE:FREQ=DAILY\nEXDATE:sometimes", "EXDATE"),
        ("DTSTART:20261123T090000Z\nRECURRENCE-ID:first", "RECURRENCE-ID"),
    ] {
        assert_eq!(
            wrong(&[good, &format!("UID:1\n{lines}")]),
            IcsError::UnreadableEvent { position: 2, property },
            "{lines}"
        );
    }
}

#[test]
fn what_cannot_block_time_is_not_read() {
    let todo = "BEGIN:VTODO\nUID:2\nDUE;TZID=Mars/Olympus:soon\nEND:VTODO";
    let text =
        file(&[todo, "BEGIN:VJOURNAL\nDTSTART:1\nEND:VJOURNAL", &vevent("DTSTART:20261123T090000Z"), "X-ODD LINE"]);
    assert_eq!(read_file(&text, year()).unwrap().events.len(), 1);
}

#[test]
fn published_free_busy_time_blocks() {
    let busy = "BEGIN:VFREEBUSY\nUID:f\nFREEBUSY:20261123T090000Z/PT1H,20261123T120000Z/20261123T130000Z\n\
        FREEBUSY;FBTYPE=FREE:20261123T150000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20261124T090000Z/PT1H\nEND:VFREEBUSY";
    let read = calendar_events(read_file(&file(&[busy]), year()).unwrap());
    let starts: Vec<_> = read.iter().map(|event| event.start.instant(Tz::UTC).format("%dT%H").to_string()).collect();
    assert_eq!(starts, ["23T09", "23T12", "24T09"]);
    assert!(read.iter().all(|event| event.busy_interval(Tz::UTC).is_some()));
    let wrong = busy.replace("/PT1H", "");
    assert_eq!(
        read_file(&file(&[&wrong]), year()),
        Err(IcsError::UnreadableEvent { position: 1, property: "FREEBUSY" })
    );
}

#[test]
fn a_calendar_says_its_name_and_where_it_is() {
    let named = |lines: &str| {
        let read = read_file(&file(&[lines]), year()).unwrap();
        (read.name, read.time_zone)
    };
    assert_eq!(
        named("X-WR-CALNAME:Ana\\, work\nX-WR-TIMEZONE:Europe/Madrid"),
        (Some("Ana, work".into()), Some(MADRID))
    );
    assert_eq!(named("NAME:Ana"), (Some("Ana".into()), None));
    assert_eq!(named("X-WR-CALNAME:\nX-WR-TIMEZONE:Mars"), (None, None));
    let one = OUTLOOK.replace("Customized Time Zone", "Romance Standard Time");
    assert_eq!(named(&one).1, Some(Tz::Europe__Paris));
    assert_eq!(named(&[&one, OUTLOOK].concat().replace("END:VTIMEZONEBEGIN", "END:VTIMEZONE\nBEGIN")).1, None);
}

#[test]
fn a_floating_time_is_read_where_the_file_says_that_the_calendar_is_or_not_at_all() {
    let floating = vevent("DTSTART:20261123T090000\nDURATION:PT1H");
    let read_or = |other, parts: &[&str]| {
        events_in(&file(parts), year(), CalendarZone::OfFileOr(other), None).map(calendar_events)
    };
    let read = |parts: &[&str]| read_or(None, parts);
    assert_eq!(read(&[&floating]), Err(IcsError::FloatingTime));
    assert_eq!(read_or(Some(MADRID), &[&floating]).unwrap()[0].start.instant(Tz::UTC), at("2026-11-23T08:00:00Z"));
    let told = read(&["X-WR-TIMEZONE:America/New_York", &floating]).unwrap();
    assert_eq!(told[0].start.instant(Tz::UTC), at("2026-11-23T14:00:00Z"));
    assert_eq!(
        read_or(Some(MADRID), &["X-WR-TIMEZONE:Mars/Olympus", &floating]),
        Err(IcsError::UnknownTimeZone("Mars/Olympus".into()))
    );
    // Whole days do not float: each calendar has its own.
    assert_eq!(read(&[&vevent("DTSTART;VALUE=DATE:20261123")]).unwrap().len(), 1);
}

#[test]
fn the_owner_is_whom_the_file_says() {
    let invited = vevent("DTSTART:20261123T090000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.com");
    let blocks = |lines: &str| {
        let read = events(&file(&[lines, &invited]), year(), MADRID, None).unwrap();
        calendar_events(read)[0].busy_interval(MADRID).is_some()
    };
    assert!(blocks("X-WR-CALNAME:Ana"));
    assert!(!blocks("X-WR-CALNAME:Ana@example.com"));
    assert!(!blocks("X-WR-CALNAME:Work\nX-OWNER;CN=Ana:mailto:ana@example.com"));
}

#[test]
fn one_event_is_read_whenever_it_takes_place_and_though_it_is_cancelled() {
    let moved = vevent("UID:1\nRECURRENCE-ID:20301123T090000Z\nDTSTART:20301123T100000Z");
    let master = vevent(
        "UID:1\nDTSTART;TZID=Europe/Madrid:20301122T100000\nDURATION:PT1H\nSTATUS:CANCELLED\nATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.com",
    );
    let read = event(&file(&[&moved, &master]), MADRID, Some("ana@example.com")).unwrap().unwrap();
    assert_eq!((read.id.as_str(), read.status), ("1", EventStatus::Cancelled));
    assert_eq!(read.start.instant(Tz::UTC), at("2030-11-22T09:00:00Z"));
    assert_eq!(read.attendees[0].response, ResponseStatus::Declined);
    assert!(read.attendees[0].is_self);
    assert_eq!(event(&file(&["BEGIN:VTODO\nUID:2\nEND:VTODO"]), MADRID, None), Ok(None));
    assert_eq!(event("", MADRID, None), Err(IcsError::Unreadable));
}

#[test]
fn what_is_no_calendar_or_asks_for_too_much_is_refused() {
    let read = |text: &str| read_file(text, window("2026-01-01", "2036-01-01")).unwrap_err();
    assert_eq!(read(""), IcsError::Unreadable);
    assert_eq!(read("<html>Please sign in</html>"), IcsError::Unreadable);
    assert_eq!(read(&"x".repeat(MOST_EVENT_BYTES + 1)), IcsError::TooLarge);
    assert_eq!(
        read(&file(&[&"BEGIN:VEVENT\nDTSTART:20261123\nEND:VEVENT\n".repeat(MOST_EVENTS + 1)])),
        IcsError::TooMany
    );
    let hourly = "DTSTART:20260101T000000Z\nRRULE:FREQ=HOURLY";
    assert_eq!(read(&file(&[&vevent(hourly)])), IcsError::TooMany);
    let never = vevent("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31");
    assert_eq!(read(&file(&[&never; 4].map(String::as_str))), IcsError::TooMany);
    let zone = OUTLOOK.replace("FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", "FREQ=HOURLY");
    let text = file(&[&zone, &vevent("DTSTART;TZID=Customized Time Zone:20261123T090000")]);
    assert_eq!(read(&text), IcsError::TooMany);
    // A text that comes back with each instance.
    let heavy = format!("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\nDESCRIPTION:{}", "x".repeat(1_000_000));
    let heavy: Vec<_> = (0..3).map(|uid| vevent(&format!("UID:{uid}\n{heavy}"))).collect();
    assert_eq!(read(&file(&heavy.iter().map(String::as_str).collect::<Vec<_>>())), IcsError::TooMany);
    // Its id as well.
    let uid = format!("UID:{}\nDTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;COUNT=3", "x".repeat(1_000_000));
    let told = calendar_events(read_file(&file(&[&vevent(&uid)]), year()).unwrap());
    assert!(told.len() == 3 && told.iter().all(|event| event.id.len() < 200));
    let dates = format!("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\nEXDATE:{}", "20260101T000000Z,".repeat(250_000));
    assert_eq!(read(&file(&[&vevent(&dates)])), IcsError::TooMany);
}

/// Walks each quarter of an hour of local time of each day, and asks what instant has it first.
fn oracle(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let near = local.and_utc() - TimeDelta::hours(30);
    let mut before = near.with_timezone(&zone).naive_local() - near.naive_utc();
    for quarter in 0..(60 * 4) {
        let instant = near + TimeDelta::minutes(15 * quarter);
        let shows = instant.with_timezone(&zone).naive_local();
        if shows == local {
            return instant;
        }
        if shows > local {
            // It was skipped: the clock that is not put forward shows it.
            return local.and_utc() - before;
        }
        before = shows - instant.naive_utc();
    }
    unreachable!("a local time within 30 hours")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn daily_and_weekly_events_over_clock_changes_are_those_of_a_walk(
        zone in prop::sample::select(vec![
            "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Africa/Casablanca",
        ]),
        change in prop::sample::select(vec![(2026, 3, 29), (2026, 10, 25), (2026, 4, 5), (2026, 10, 4), (2026, 11, 1), (2026, 3, 8), (2026, 9, 6)]),
        before in 0_i64..400, quarter in 0_u32..96, is_weekly in any::<bool>(), interval in 1_i64..4, length in 1_i64..100,
        is_custom in any::<bool>(),
    ) {
        let tz: Tz = zone.parse().unwrap();
        let (year, month, day) = change;
        let around = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let first = (around - TimeDelta::days(before)).and_hms_opt(quarter / 4, quarter % 4 * 15, 0).unwrap();
        let midnight = around.and_time(NaiveTime::MIN).and_utc();
        let window = Interval::new(midnight - TimeDelta::days(4), midnight + TimeDelta::days(5)).unwrap();

        let step = interval * if is_weekly { 7 } else { 1 };
        let lasts = TimeDelta::minutes(15 * length);
        let expected: Vec<_> = (0..800).map(|n| oracle(tz, first + TimeDelta::days(n * step)))
            .take_while(|start| *start < window.end)
            .filter(|start| *start + lasts > window.start)
            .map(|start| (start, start + lasts))
            .collect();

        let name = if is_custom { "Mine" } else { zone };
        let lines = format!(
            "UID:1\nDTSTART;TZID={name}:{}\nDURATION:PT{}M\nRRULE:FREQ={};INTERVAL={interval}",
            first.format("%Y%m%dT%H%M%S"), 15 * length, if is_weekly { "WEEKLY" } else { "DAILY" },
        );
        // The zone as we write it, under another name.
        let told = crate::ics::vtimezone::component(tz, window);
        let mut written = String::new();
        told.write(&mut written);
        let written = written.replace(&format!("TZID:{zone}"), "TZID:Mine").replace(&format!("X-LIC-LOCATION:{zone}"), "X-NONE:1");
        let text = file(&[written.trim_end(), &vevent(&lines)]);
        let read = calendar_events(events(&text, window, Tz::UTC, None).unwrap());
        let found: Vec<_> = read.iter().map(|event| (event.start.instant(Tz::UTC), event.end.instant(Tz::UTC))).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }
}

/// Lines that are nearly right.
fn line() -> impl Strategy<Value = String> {
    let time = prop_oneof![
        "(19|20)[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])(T[0-2][0-9][0-5][0-9]00Z?)?",
        prop::sample::select(vec![
            "00010101",
            "99981231T235959",
            "99981231T235959Z",
            "16010101T000000",
            "20260329T023000",
            "20261225T240000",
            "20260101T000000Z/PT1H",
            "20260101T000000Z/P9999D",
            "20260101T000000Z/99981231T000000Z",
        ])
        .prop_map(str::to_owned),
    ];
    let part = prop_oneof![
        "FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY)",
        "INTERVAL=[0-9]{1,5}",
        "COUNT=[0-9]{1,6}",
        "UNTIL=(20[0-9]{2}|9998)1231(T000000Z?)?",
        "BYDAY=-?[1-5]?(MO|TU|SU)(,[1-5]?FR)?",
        "BYMONTH=1?[0-9]",
        "BYMONTHDAY=-?[0-3]?[0-9]",
        "BYYEARDAY=-?[0-3]?[0-9]{1,2}",
        "BYWEEKNO=-?[0-5]?[0-9]",
        "BYHOUR=[0-2]?[0-9](,1[0-9])?",
        "BYMINUTE=[0-5]?[0-9]",
        "BYSETPOS=-?[1-4]",
        "WKST=(MO|SU)",
        any::<String>(),
    ];
    let name = prop::sample::select(vec![
        "DTSTART",
        "DTEND",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "RECURRENCE-ID;RANGE=THISANDFUTURE",
    ]);
    let zone = prop::sample::select(vec![
        "",
        ";VALUE=DATE",
        ";TZID=Europe/Madrid",
        ";TZID=Mine",
        ";TZID=Nowhere",
        ";VALUE=PERIOD",
    ]);
    prop_oneof![
        4 => (name, zone, time).prop_map(|(name, zone, time)| format!("{name}{zone}:{time}")),
        4 => vec(part, 1..6).prop_map(|parts| format!("RRULE:{}", parts.join(";"))),
        1 => "(BEGIN|END|begin):(VEVENT|VCALENDAR|VALARM|VTIMEZONE|STANDARD|VFREEBUSY|)",
        1 => "DURATION:-?P[0-9]{0,6}[DWT]?[0-9]{0,3}[DH]?",
        1 => "(TZOFFSETFROM|TZOFFSETTO):[+-][0-9]{4,6}",
        1 => "TZID:Mine",
        1 => "(SUMMARY|ATTENDEE|FREEBUSY|TRIGGER|URL|X-CUPO-CLAIM)[;:=a-z\"\\\\^]{0,8}",
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn reading_lines_that_are_nearly_right_never_panics(lines in vec(line(), 0..30), end in "\r?\n ?") {
        let text = format!("BEGIN:VCALENDAR{end}BEGIN:VEVENT{end}{}{end}END:VEVENT{end}END:VCALENDAR", lines.join(&end));
        let _read_or_refused = read_file(&text, year());
        let _read_or_refused = event(&text, MADRID, None);
    }

    #[test]
    fn reading_any_event_and_any_zone_never_panics(
        first in "(19|20|99)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])(T[01][0-9]0000Z?)?",
        onset in "(16|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])T[01][0-9]0000",
        offsets in ("[+-][01][0-9][0-5]0", "[+-][01][0-9][0-5]0"),
        lines in vec(line(), 0..5), rules in vec(line(), 0..2),
    ) {
        let whole = |line: &&String| !line.starts_with("BEGIN") && !line.starts_with("END") && !line.starts_with("begin");
        let lines: Vec<_> = lines.iter().filter(whole).cloned().collect();
        let rules: Vec<_> = rules.iter().filter(|line| line.starts_with("RRULE")).cloned().collect();
        let zone = format!(
            "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:{onset}\nTZOFFSETFROM:{}\nTZOFFSETTO:{}\n{}\nEND:STANDARD\nEND:VTIMEZONE",
            offsets.0, offsets.1, rules.join("\n"),
        );
        let event = vevent(&format!("UID:1\nDTSTART;TZID=Mine:{first}\n{}", lines.join("\n")));
        if let Ok(read) = read_file(&file(&[&zone, &event]), year()) {
            for event in calendar_events(read) {
                let (start, end) = (event.start.instant(MADRID), event.end.instant(MADRID));
                prop_assert!(start <= end && start < year().end && end >= year().start);
                prop_assert!(start.nanosecond() == 0);
            }
        }
    }

    #[test]
    fn reading_any_bytes_never_panics(bytes in vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _read_or_refused = read_file(&text, year());
    }
}
