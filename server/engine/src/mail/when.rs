//! Times as people read them: in their language and their zone, with the zone named.

use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;
use cupo_core::{dates, text::LanguageTag};

/// `Monday, November 23, 2026`, `lunes, 23 de noviembre de 2026`.
pub(crate) fn date(language: impl Into<LanguageTag>, instant: DateTime<Utc>, tz: Tz) -> String {
    dates::of(language.into()).date(instant.with_timezone(&tz).date_naive())
}

pub(crate) fn time(language: impl Into<LanguageTag>, instant: DateTime<Utc>, tz: Tz) -> String {
    dates::of(language.into()).time(instant.with_timezone(&tz).time())
}

/// `Monday, November 23, 2026, 9:00 AM`.
pub(crate) fn moment(language: impl Into<LanguageTag>, instant: DateTime<Utc>, tz: Tz) -> String {
    let language = language.into();
    [date(language, instant, tz).as_str(), dates::of(language).comma(), &time(language, instant, tz)].concat()
}

/// `9:00 AM – 9:30 AM (Europe/Madrid, UTC+1)`; with the date of the end where it is another day.
pub(super) fn time_range(language: LanguageTag, start: DateTime<Utc>, end: DateTime<Utc>, tz: Tz) -> String {
    let same_day = start.with_timezone(&tz).date_naive() == end.with_timezone(&tz).date_naive();
    let until = if same_day { time(language, end, tz) } else { moment(language, end, tz) };
    let zone = format!("{}, {}", tz.name().replace('_', " "), offset(start, tz));
    // A zone's name is read from left to right, whatever surrounds it.
    let zone = if language.locale().is_rtl() { format!("\u{2066}{zone}\u{2069}") } else { zone };
    format!("{} – {until} ({zone})", time(language, start, tz))
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

    fn tag(text: &str) -> LanguageTag {
        LanguageTag::parse(text).unwrap()
    }

    #[test]
    fn times_are_told_in_the_readers_zone_with_its_name_and_offset() {
        let (start, end) = (at("2026-11-23T08:00:00Z"), at("2026-11-23T08:30:00Z"));
        assert_eq!(time_range(tag("es"), start, end, Tz::Europe__Madrid), "9:00 – 9:30 (Europe/Madrid, UTC+1)");
        assert_eq!(
            time_range(tag("en"), start, end, Tz::America__St_Johns),
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
        let told = time_range(tag("en"), start, end, Tz::Europe__Madrid);
        assert_eq!(told, "11:30 PM – Tuesday, November 24, 2026, 12:30 AM (Europe/Madrid, UTC+1)");
    }

    #[test]
    fn dates_are_written_in_the_readers_language_and_by_the_customs_of_the_region() {
        let told = |text| moment(tag(text), at("2026-11-23T15:00:00Z"), Tz::UTC);
        for (language, moment) in [
            ("en", "Monday, November 23, 2026, 3:00 PM"),
            ("en-GB", "Monday, 23 November 2026, 15:00"),
            ("es", "lunes, 23 de noviembre de 2026, 15:00"),
            ("es-MX", "lunes, 23 de noviembre de 2026, 3:00 p.m."),
            ("pt", "segunda-feira, 23 de novembro de 2026, 15:00"),
            ("fr", "lundi 23 novembre 2026, 15:00"),
            ("de", "Montag, 23. November 2026, 15:00"),
            ("it", "lunedì 23 novembre 2026, 15:00"),
            ("ar", "الاثنين، 23 نوفمبر 2026، 3:00 م"),
        ] {
            assert_eq!(told(language), moment, "{language}");
        }
    }

    #[test]
    fn a_zone_is_read_from_left_to_right_within_arabic() {
        let (start, end) = (at("2026-11-23T08:00:00Z"), at("2026-11-23T08:30:00Z"));
        let told = time_range(tag("ar"), start, end, Tz::Africa__Cairo);
        assert!(told.ends_with("(\u{2066}Africa/Cairo, UTC+2\u{2069})"), "{told}");
    }
}
