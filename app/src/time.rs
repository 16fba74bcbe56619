//! Dates and times as people write them, in the language and by the customs of the reader's region.

use std::rc::Rc;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::dates::{self, Dates};
use cupo_core::text::{self, LanguageTag, Locale};

fn of(language: impl Into<LanguageTag>) -> Rc<Dates> {
    dates::of(language.into())
}

/// `10:00 AM` or `10:00`.
pub(crate) fn clock(at: DateTime<Utc>, tz: Tz, language: impl Into<LanguageTag>) -> String {
    local_clock(at.with_timezone(&tz).time(), language)
}

/// The same for a local time.
pub(crate) fn local_clock(local: NaiveTime, language: impl Into<LanguageTag>) -> String {
    of(language).time(local)
}

/// `Monday, November 23, 2026` or `lunes, 23 de noviembre de 2026`.
pub(crate) fn date(date: NaiveDate, language: impl Into<LanguageTag>) -> String {
    of(language).date(date)
}

/// `November 2026` or `noviembre de 2026`.
pub(crate) fn month_and_year(date: NaiveDate, language: impl Into<LanguageTag>) -> String {
    of(language).month(date.year(), date.month())
}

/// The local date of an instant.
pub(crate) fn date_in(at: DateTime<Utc>, tz: Tz) -> NaiveDate {
    at.with_timezone(&tz).date_naive()
}

/// Date, start and end of an appointment; the end with its own date where it lies on another.
pub(crate) fn span(start: DateTime<Utc>, end: DateTime<Utc>, tz: Tz, language: impl Into<LanguageTag>) -> String {
    local_span(start.with_timezone(&tz).naive_local(), end.with_timezone(&tz).naive_local(), language)
}

/// From a local time to another one.
pub(crate) fn local_span(from: NaiveDateTime, to: NaiveDateTime, language: impl Into<LanguageTag>) -> String {
    let dates = of(language);
    let start = local_instant(from, &dates);
    if from.date() == to.date() {
        format!("{start} – {}", dates.time(to.time()))
    } else {
        format!("{start} – {}", local_instant(to, &dates))
    }
}

/// From a date to another one, both included.
pub(crate) fn dates(first: NaiveDate, last: NaiveDate, language: impl Into<LanguageTag>) -> String {
    let dates = of(language);
    if first == last { dates.date(first) } else { format!("{} – {}", dates.date(first), dates.date(last)) }
}

/// An instant with date and clock time.
pub(crate) fn instant(at: DateTime<Utc>, tz: Tz, language: impl Into<LanguageTag>) -> String {
    local_instant(at.with_timezone(&tz).naive_local(), &of(language))
}

fn local_instant(at: NaiveDateTime, dates: &Dates) -> String {
    [dates.date(at.date()).as_str(), dates.comma(), &dates.time(at.time())].concat()
}

/// How long ago `at` was: `just now`, `5 minutes ago`, `3 hours ago`, `2 days ago`.
pub(crate) fn ago(at: DateTime<Utc>, now: DateTime<Utc>, language: impl Into<LanguageTag>) -> String {
    let language = language.into();
    let passed = now.signed_duration_since(at).max(TimeDelta::zero());
    let (key, count) = match (passed.num_minutes(), passed.num_hours(), passed.num_days()) {
        (0, ..) => return text::lookup(language.locale(), "public.just_now").to_owned(),
        (minutes, 0, _) => ("public.minutes_ago", minutes),
        (_, hours, 0) => ("public.hours_ago", hours),
        (_, _, days) => ("public.days_ago", days),
    };
    text::counted(language, key, count.unsigned_abs(), &[])
}

/// How far ahead `at` is: `in a moment`, `in 5 minutes`, `in 3 hours`, `in 2 days`.
pub(crate) fn ahead(at: DateTime<Utc>, now: DateTime<Utc>, locale: Locale) -> String {
    let left = at.signed_duration_since(now).max(TimeDelta::zero());
    let (key, count) = match (left.num_minutes(), left.num_hours(), left.num_days()) {
        (0, ..) => return text::lookup(locale, "dashboard.in_a_moment").to_owned(),
        (1, ..) => ("dashboard.in_minute", 1),
        (minutes, 0, _) => ("dashboard.in_minutes", minutes),
        (_, 1, _) => ("dashboard.in_hour", 1),
        (_, hours, 0) => ("dashboard.in_hours", hours),
        (_, _, 1) => ("dashboard.in_day", 1),
        (_, _, days) => ("dashboard.in_days", days),
    };
    text::format(locale, key, &[("count", &count)])
}

/// `45 min`, `1 h`, `1 h 30 min`.
pub(crate) fn duration(minutes: u32, language: impl Into<LanguageTag>) -> String {
    let language = language.into();
    let told = |key, count: u32| text::counted(language, key, count.into(), &[]);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => told("widget.minutes", minutes),
        (hours, 0) => told("widget.hours", hours),
        (hours, minutes) => {
            let (hours, minutes) = (told("widget.hours", hours), told("widget.minutes", minutes));
            let parts: [(&str, &dyn std::fmt::Display); 2] = [("hours", &hours), ("minutes", &minutes)];
            text::format(language.locale(), "widget.hours_and_minutes", &parts)
        }
    }
}

/// `Europe/Madrid (GMT+1)`: a zone and its offset at an instant.
pub(crate) fn zone(tz: Tz, at: DateTime<Utc>) -> String {
    use chrono::Offset;
    let seconds = at.with_timezone(&tz).offset().fix().local_minus_utc();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    let offset = match (minutes / 60, minutes % 60) {
        (0, 0) => String::new(),
        (hours, 0) => format!("{sign}{hours}"),
        (hours, minutes) => format!("{sign}{hours}:{minutes:02}"),
    };
    left_to_right(format!("{} (GMT{offset})", tz.name().replace('_', " ")), crate::text::locale())
}

/// `Mon` and `Monday`.
pub(crate) fn weekday(date: NaiveDate, language: impl Into<LanguageTag>) -> (String, String) {
    of(language).weekday(date.weekday())
}

/// A text that is read from left to right whatever surrounds it, such as a zone's name or an offset.
pub(crate) fn left_to_right(text: String, language: impl Into<LanguageTag>) -> String {
    if language.into().locale().is_rtl() { format!("\u{2066}{text}\u{2069}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_appointment_is_told_in_its_zone_and_language() {
        let (start, end) = (at("2026-11-23T09:00:00Z"), at("2026-11-23T09:30:00Z"));
        assert_eq!(
            span(start, end, chrono_tz::Europe::Madrid, Locale::En),
            "Monday, November 23, 2026, 10:00 AM – 10:30 AM"
        );
        assert_eq!(
            span(start, end, chrono_tz::America::Bogota, Locale::Es),
            "lunes, 23 de noviembre de 2026, 4:00 – 4:30"
        );
    }

    #[test]
    fn an_end_after_midnight_has_its_own_date() {
        let told = span(at("2026-11-23T22:30:00Z"), at("2026-11-23T23:30:00Z"), chrono_tz::Europe::Madrid, Locale::En);
        assert_eq!(told, "Monday, November 23, 2026, 11:30 PM – Tuesday, November 24, 2026, 12:30 AM");
    }

    #[test]
    fn the_region_decides_how_times_are_written() {
        let (start, end) = (at("2026-11-23T15:00:00Z"), at("2026-11-23T15:30:00Z"));
        let told = |tag| span(start, end, chrono_tz::UTC, LanguageTag::parse(tag).unwrap());
        assert_eq!(told("es-MX"), "lunes, 23 de noviembre de 2026, 3:00 p.m. – 3:30 p.m.");
        assert_eq!(told("ar"), "الاثنين، 23 نوفمبر 2026، 3:00 م – 3:30 م");
    }

    #[test]
    fn lengths_are_told_by_the_plural_rules() {
        assert_eq!([45, 60, 90].map(|minutes| duration(minutes, Locale::En)), ["45 min", "1 h", "1 h 30 min"]);
        assert_eq!(
            [2, 30, 65].map(|minutes| duration(minutes, Locale::Ar)),
            ["دقيقتان", "30 دقيقة", "ساعة واحدة و5 دقائق"]
        );
    }

    #[test]
    fn the_past_is_counted_in_one_unit() {
        let now = at("2026-11-23T09:00:00Z");
        for (then, told) in [
            ("2026-11-23T08:59:30Z", "just now"),
            ("2026-11-23T08:59:00Z", "1 minute ago"),
            ("2026-11-23T08:01:00Z", "59 minutes ago"),
            ("2026-11-23T08:00:00Z", "1 hour ago"),
            ("2026-11-22T10:00:00Z", "23 hours ago"),
            ("2026-11-20T09:00:00Z", "3 days ago"),
            ("2026-11-23T09:01:00Z", "just now"),
        ] {
            assert_eq!(ago(at(then), now, Locale::En), told, "{then}");
        }
    }

    #[test]
    fn the_future_is_counted_in_one_unit() {
        let now = at("2026-11-23T09:00:00Z");
        for (then, told) in [
            ("2026-11-23T08:00:00Z", "in a moment"),
            ("2026-11-23T09:00:59Z", "in a moment"),
            ("2026-11-23T09:01:00Z", "in 1 minute"),
            ("2026-11-23T09:59:00Z", "in 59 minutes"),
            ("2026-11-23T10:00:00Z", "in 1 hour"),
            ("2026-11-24T08:00:00Z", "in 23 hours"),
            ("2026-11-30T09:00:00Z", "in 7 days"),
        ] {
            assert_eq!(ahead(at(then), now, Locale::En), told, "{then}");
        }
    }

    #[test]
    fn a_zone_is_told_with_its_offset_at_the_time() {
        assert_eq!(zone(chrono_tz::Asia::Kolkata, at("2026-11-23T09:00:00Z")), "Asia/Kolkata (GMT+5:30)");
        assert_eq!(zone(chrono_tz::America::New_York, at("2026-07-23T09:00:00Z")), "America/New York (GMT-4)");
        assert_eq!(zone(chrono_tz::UTC, at("2026-07-23T09:00:00Z")), "UTC (GMT)");
    }
}
