//! Dates and times as people write them, in English and Spanish.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::text::{self, Locale};

/// `10:00 AM` or `10:00`.
pub(crate) fn clock(at: DateTime<Utc>, tz: Tz, locale: Locale) -> String {
    local_clock(at.with_timezone(&tz).time(), locale)
}

/// The same for a local time.
pub(crate) fn local_clock(local: NaiveTime, locale: Locale) -> String {
    match locale {
        Locale::En => local.format("%-I:%M %p").to_string(),
        Locale::Es => local.format("%-H:%M").to_string(),
    }
}

/// `Monday, November 23, 2026` or `lunes, 23 de noviembre de 2026`.
pub(crate) fn date(date: NaiveDate, locale: Locale) -> String {
    let args: [(&str, &dyn std::fmt::Display); 4] = [
        ("weekday", &weekday(date, locale)),
        ("day", &date.day()),
        ("month", &month(date, locale)),
        ("year", &date.year()),
    ];
    text::format(locale, "public.date", &args)
}

/// `November 2026` or `noviembre de 2026`.
pub(crate) fn month_and_year(date: NaiveDate, locale: Locale) -> String {
    text::format(locale, "public.month_and_year", &[("month", &month(date, locale)), ("year", &date.year())])
}

/// The local date of an instant.
pub(crate) fn date_in(at: DateTime<Utc>, tz: Tz) -> NaiveDate {
    at.with_timezone(&tz).date_naive()
}

/// Date, start and end of an appointment; the end with its own date where it lies on another.
pub(crate) fn span(start: DateTime<Utc>, end: DateTime<Utc>, tz: Tz, locale: Locale) -> String {
    let (first, last) = (date_in(start, tz), date_in(end, tz));
    let until = if first == last {
        clock(end, tz, locale)
    } else {
        format!("{}, {}", date(last, locale), clock(end, tz, locale))
    };
    format!("{}, {} – {until}", date(first, locale), clock(start, tz, locale))
}

/// From a local time to another one.
pub(crate) fn local_span(from: NaiveDateTime, to: NaiveDateTime, locale: Locale) -> String {
    let start = format!("{}, {}", date(from.date(), locale), local_clock(from.time(), locale));
    let until = local_clock(to.time(), locale);
    if from.date() == to.date() {
        format!("{start} – {until}")
    } else {
        format!("{start} – {}, {until}", date(to.date(), locale))
    }
}

/// From a date to another one, both included.
pub(crate) fn dates(first: NaiveDate, last: NaiveDate, locale: Locale) -> String {
    if first == last { date(first, locale) } else { format!("{} – {}", date(first, locale), date(last, locale)) }
}

/// An instant with date and clock time.
pub(crate) fn instant(at: DateTime<Utc>, tz: Tz, locale: Locale) -> String {
    format!("{}, {}", date(date_in(at, tz), locale), clock(at, tz, locale))
}

/// How long ago `at` was: `just now`, `5 minutes ago`, `3 hours ago`, `2 days ago`.
pub(crate) fn ago(at: DateTime<Utc>, now: DateTime<Utc>, locale: Locale) -> String {
    let passed = now.signed_duration_since(at).max(TimeDelta::zero());
    let (key, count) = match (passed.num_minutes(), passed.num_hours(), passed.num_days()) {
        (0, ..) => return text::lookup(locale, "public.just_now").to_owned(),
        (1, ..) => ("public.minute_ago", 1),
        (minutes, 0, _) => ("public.minutes_ago", minutes),
        (_, 1, _) => ("public.hour_ago", 1),
        (_, hours, 0) => ("public.hours_ago", hours),
        (_, _, 1) => ("public.day_ago", 1),
        (_, _, days) => ("public.days_ago", days),
    };
    text::format(locale, key, &[("count", &count)])
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
pub(crate) fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
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
    format!("{} (GMT{offset})", tz.name().replace('_', " "))
}

/// `Monday` or `lunes`.
pub(crate) fn weekday(date: NaiveDate, locale: Locale) -> String {
    const KEYS: [&str; 7] = [
        "public.monday",
        "public.tuesday",
        "public.wednesday",
        "public.thursday",
        "public.friday",
        "public.saturday",
        "public.sunday",
    ];
    text::lookup(locale, KEYS[date.weekday().num_days_from_monday() as usize]).to_owned()
}

fn month(date: NaiveDate, locale: Locale) -> &'static str {
    const KEYS: [&str; 12] = [
        "public.january",
        "public.february",
        "public.march",
        "public.april",
        "public.may",
        "public.june",
        "public.july",
        "public.august",
        "public.september",
        "public.october",
        "public.november",
        "public.december",
    ];
    text::lookup(locale, KEYS[date.month0() as usize])
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
