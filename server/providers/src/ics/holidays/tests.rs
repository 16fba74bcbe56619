use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn file(events: &[&str]) -> String {
    let events: Vec<_> = events.iter().map(|lines| format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n")).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{}END:VCALENDAR\n", events.concat()).replace('\n', "\r\n")
}

/// `first` or `first/last`, of the holidays from 2026 to 2028.
fn read(events: &[&str]) -> Vec<String> {
    let found = holidays(&file(events), date("2026-01-01"), date("2028-12-31")).unwrap();
    let told = found.iter().map(|holiday| {
        if holiday.first == holiday.last {
            holiday.first.to_string()
        } else {
            format!("{}/{}", holiday.first, holiday.last)
        }
    });
    told.collect()
}

#[test]
fn an_end_is_the_first_date_that_is_free_again() {
    assert_eq!(read(&["DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227"]), ["2026-12-25/2026-12-26"]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20261225"]), ["2026-12-25"]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261225"]), ["2026-12-25"]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20261225\nDURATION:P1W1D"]), ["2026-12-25/2027-01-01"]);
}

#[test]
fn what_reaches_into_the_range_counts_at_its_full_length() {
    assert_eq!(read(&["DTSTART;VALUE=DATE:20251224\nDTEND;VALUE=DATE:20260107"]), ["2025-12-24/2026-01-06"]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20251224\nDTEND;VALUE=DATE:20260101"]), [""; 0]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20290101"]), [""; 0]);
}

#[test]
fn only_whole_days_are_holidays() {
    assert_eq!(read(&["DTSTART:20261225T090000Z\nDTEND:20261225T100000Z"]), [""; 0]);
    assert_eq!(read(&["DTSTART:20261225\nDTEND:20261226"]), ["2026-12-25"]);
    let midnights = "DTSTART;TZID=Europe/Madrid:20261225T000000\nDTEND;TZID=Europe/Madrid:20261226T000000";
    assert_eq!(read(&[midnights]), ["2026-12-25"]);
}

#[test]
fn a_rule_of_other_characters_costs_the_rule_alone() {
    let odd = "DTSTART;VALUE=DATE:20260106\nRRULE:FREQ=WEEKLY;BYDAY=éO";
    assert_eq!(read(&[odd]), ["2026-01-06"]);
}

#[test]
fn a_yearly_holiday_comes_each_year() {
    let fixed = "DTSTART;VALUE=DATE:20200106\nRRULE:FREQ=YEARLY";
    assert_eq!(read(&[fixed]), ["2026-01-06", "2027-01-06", "2028-01-06"]);
    let fourth_thursday = "DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH";
    assert_eq!(read(&[fourth_thursday]), ["2026-11-26", "2027-11-25", "2028-11-23"]);
    let leap_day = "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29";
    assert_eq!(read(&[leap_day]), ["2028-02-29"]);
}

#[test]
fn a_rule_ends_with_its_last_date_or_its_count() {
    let until = "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=MONTHLY;UNTIL=20260301";
    assert_eq!(read(&[until]), ["2026-01-01", "2026-02-01", "2026-03-01"]);
    let count = "DTSTART;VALUE=DATE:20251231\nRRULE:FREQ=DAILY;COUNT=3";
    assert_eq!(read(&[count]), ["2026-01-01", "2026-01-02"]);
}

#[test]
fn dates_are_added_left_out_moved_and_cancelled() {
    let series = "UID:a\nDTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY\nRDATE;VALUE=DATE:20260502,20270502\n\
                  EXDATE;VALUE=DATE:20280501";
    assert_eq!(read(&[series]), ["2026-05-01", "2026-05-02", "2027-05-01", "2027-05-02"]);
    let moved = "UID:a\nRECURRENCE-ID;VALUE=DATE:20270501\nDTSTART;VALUE=DATE:20270503";
    assert_eq!(read(&[series, moved]), ["2026-05-01", "2026-05-02", "2027-05-02", "2027-05-03"]);
    let called_off = format!("{moved}\nSTATUS:CANCELLED");
    assert_eq!(read(&[series, &called_off]), ["2026-05-01", "2026-05-02", "2027-05-02"]);
    assert_eq!(read(&[&format!("{series}\nSTATUS:CANCELLED")]), [""; 0]);
}

#[test]
fn whether_an_event_takes_time_is_not_asked() {
    assert_eq!(read(&["DTSTART;VALUE=DATE:20261225\nTRANSP:TRANSPARENT"]), ["2026-12-25"]);
}

#[test]
fn a_name_is_unfolded_and_unescaped_and_two_on_one_date_are_both_told() {
    let named = "DTSTART;VALUE=DATE:20261206\nSUMMARY;LANGUAGE=es:Día de la Constitución\\, \n España";
    let second = "DTSTART;VALUE=DATE:20261206\nsummary:Nikolaus";
    let found = holidays(&file(&[named, second, second]), date("2026-01-01"), date("2026-12-31")).unwrap();
    let names: Vec<_> = found.iter().map(|holiday| holiday.name.as_str()).collect();
    assert_eq!(names, ["Día de la Constitución, España", "Nikolaus"]);
}

#[test]
fn what_cannot_be_read_in_an_event_costs_that_event_alone() {
    let good = "DTSTART;VALUE=DATE:20261225";
    for wrong in ["SUMMARY:No date", "DTSTART;VALUE=DATE:20261340", "DTSTART;VALUE=DATE:soon", "§§§\nDTSTART:"] {
        assert_eq!(read(&[wrong, good]), ["2026-12-25"], "{wrong}");
    }
    for rule in ["RRULE:FREQ=SECONDLY", "RRULE:whenever", "RRULE:FREQ=YEARLY;BYDAY=XX", "RRULE:FREQ=WEEKLY;INTERVAL=0"]
    {
        assert_eq!(read(&[&format!("{good}\n{rule}")]), ["2026-12-25"], "{rule}");
    }
}

#[test]
fn a_file_may_hold_several_calendars_and_line_ends_of_any_kind() {
    let one = file(&["DTSTART;VALUE=DATE:20261225"]);
    let two = file(&["DTSTART;VALUE=DATE:20260101"]).replace("\r\n", "\n");
    let found = holidays(&format!("\u{feff}{one}{two}"), date("2026-01-01"), date("2026-12-31")).unwrap();
    assert_eq!(found.len(), 2);
}

#[test]
fn what_is_no_calendar_or_asks_for_too_much_is_refused() {
    let read = |text: &str| holidays(text, date("2026-01-01"), date("2036-12-31")).unwrap_err();
    assert_eq!(read(""), IcsError::Unreadable);
    assert_eq!(read("<html>Please sign in</html>"), IcsError::Unreadable);
    assert_eq!(read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR"), IcsError::Unreadable);
    assert_eq!(read(&"BEGIN:VCALENDAR\n".repeat(60_000)), IcsError::Unreadable);
    assert_eq!(read(&"x".repeat(MOST_BYTES + 1)), IcsError::TooLarge);
    assert_eq!(read(&file(&["DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY"])), IcsError::TooMany);
    let never = "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31";
    assert_eq!(read(&file(&[never; 20])), IcsError::TooMany);
    let from_of_old = "DTSTART;VALUE=DATE:16010101\nRRULE:FREQ=DAILY;BYMONTH=1;BYMONTHDAY=1";
    assert_eq!(read(&file(&[from_of_old; 20])), IcsError::TooMany);
}

/// Lines that are nearly right.
fn line() -> impl Strategy<Value = String> {
    let day = prop_oneof![
        "(19|20)[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])",
        prop::sample::select(vec!["00000101", "99991231", "16010101", "20240229", "20261225T000000", "2026é225"])
            .prop_map(str::to_owned),
    ];
    let part = prop_oneof![
        "FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY)",
        "INTERVAL=[0-9]{1,5}",
        "COUNT=[0-9]{1,6}",
        "UNTIL=20[0-9]{2}1231",
        "BYDAY=-?[1-5]?(MO|TU|SU)(,[1-5]?FR)?",
        "BYMONTH=1?[0-9]",
        "BYMONTHDAY=-?[0-3]?[0-9]",
        "BYYEARDAY=-?[0-3]?[0-9]{1,2}",
        "BYWEEKNO=-?[0-5]?[0-9]",
        "BYSETPOS=-?[1-4]",
        "WKST=(MO|SU)",
        any::<String>(),
    ];
    let name = prop::sample::select(vec!["DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"]);
    prop_oneof![
        (name, day).prop_map(|(name, day)| format!("{name};VALUE=DATE:{day}")),
        vec(part, 1..6).prop_map(|parts| format!("RRULE:{}", parts.join(";"))),
        "(BEGIN|END|begin):(VEVENT|VCALENDAR|VALARM|)",
        "DURATION:-?P[0-9]{0,6}[DWT]?[0-9]{0,3}[DH]?",
        "(SUMMARY|DTSTART|RRULE)[;:=a-z\"\\\\]{0,8}",
        Just("RRULE:FREQ=YEARLY".to_owned()),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn reading_lines_that_are_nearly_right_never_panics(lines in vec(line(), 0..30), end in "\r?\n ?") {
        let text = format!("BEGIN:VCALENDAR{end}BEGIN:VEVENT{end}{}{end}END:VEVENT{end}END:VCALENDAR", lines.join(&end));
        if let Ok(found) = holidays(&text, date("2026-01-01"), date("2028-12-31")) {
            prop_assert!(found.iter().all(|holiday| holiday.first <= holiday.last));
        }
    }

    #[test]
    fn reading_any_rule_never_panics(rule in vec(line(), 1..4), first in "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])") {
        let rules: Vec<_> = rule.into_iter().filter(|line| line.starts_with("RRULE")).collect();
        let event = format!("DTSTART;VALUE=DATE:{first}\n{}", rules.join("\n"));
        let _read_or_refused = holidays(&file(&[&event]), date("2026-01-01"), date("2028-12-31"));
    }

    #[test]
    fn reading_any_bytes_never_panics(bytes in vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _read_or_refused = holidays(&text, date("2026-01-01"), date("2028-12-31"));
    }
}
