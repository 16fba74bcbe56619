//! Times as people read them: in their language and their zone, with the zone named.

use chrono::{DateTime, Datelike, Offset, Utc};
use chrono_tz::Tz;
use cupo_core::text::{self, Locale};

/// `Monday, November 23, 2026`, `lunes, 23 de noviembre de 2026`.
pub(crate) fn date(locale: Locale, instant: DateTime<Utc>, tz: Tz) -> String {
    let local = instant.with_timezone(&tz);
    let weekday = format!("mail.weekday.{}", local.weekday().number_from_monday());
    let month = format!("mail.month.{}", local.month());
    text::format(
        locale,
        "mail.date",
        &[
            ("weekday", &text::lookup(locale, &weekday)),
            ("day", &local.day()),
            ("month", &text::lookup(locale, &month)),
            ("year", &local.year()),
        ],
    )
}

pub(crate) fn time(locale: Locale, instant: DateTime<Utc>, tz: Tz) -> String {
    let pattern = match locale {
        Locale::En => "%-I:%M %p",
        Locale::Es => "%-H:%M",
    };
    instant.with_timezone(&tz).format(pattern).to_string()
}

/// `Monday, November 23, 2026, 9:00 AM`.
pub(crate) fn moment(locale: Locale, instant: DateTime<Utc>, tz: Tz) -> String {
    format!("{}, {}", date(locale, instant, tz), time(locale, instant, tz))
}

/// `9:00 AM – 9:30 AM (Europe/Madrid, UTC+1)`; with the date of the end where it is another day.
pub(super) fn time_range(locale: Locale, start: DateTime<Utc>, end: DateTime<Utc>, tz: Tz) -> String {
    let same_day = start.with_timezone(&tz).date_naive() == end.with_timezone(&tz).date_naive();
    let end_time = time(locale, end, tz);
    let end_time = if same_day { end_time } else { format!("{}, {end_time}", date(locale, end, tz)) };
    format!("{} – {end_time} ({}, {})", time(locale, start, tz), tz.name().replace('_', " "), offset(start, tz))
}

/// `UTC`, `UTC+1`, `UTC−3:30`.
fn offset(instant: DateTime<Utc>, tz: Tz) -> String {
    let minutes = instant.with_timezone(&tz).offset().fix().local_minus_utc() / 60;
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_told_in_the_readers_zone_with_its_name_and_offset() {
        let (start, end) = (at("2026-11-23T08:00:00Z"), at("2026-11-23T08:30:00Z"));
        assert_eq!(time_range(Locale::Es, start, end, Tz::Europe__Madrid), "9:00 – 9:30 (Europe/Madrid, UTC+1)");
        assert_eq!(
            time_range(Locale::En, start, end, Tz::America__St_Johns),
            "4:30 AM – 5:00 AM (America/St Johns, UTC−3:30)"
        );
    }

    #[test]
    fn the_offset_is_that_of_the_day_not_of_today() {
        let july = at("2026-07-01T08:00:00Z");
        assert_eq!(offset(july, Tz::Europe__Madrid), "UTC+2");
        assert_eq!(offset(july, Tz::Europe__London), "UTC+1");
        assert_eq!(offset(july, Tz::UTC), "UTC");
    }

    #[test]
    fn an_end_on_another_day_names_it() {
        let (start, end) = (at("2026-11-23T22:30:00Z"), at("2026-11-23T23:30:00Z"));
        let told = time_range(Locale::En, start, end, Tz::Europe__Madrid);
        assert_eq!(told, "11:30 PM – Tuesday, November 24, 2026, 12:30 AM (Europe/Madrid, UTC+1)");
    }

    #[test]
    fn dates_are_written_in_the_readers_language() {
        let instant = at("2026-11-23T08:00:00Z");
        assert_eq!(date(Locale::En, instant, Tz::UTC), "Monday, November 23, 2026");
        assert_eq!(date(Locale::Es, instant, Tz::UTC), "lunes, 23 de noviembre de 2026");
    }
}
