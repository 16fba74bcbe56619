//! Dates, times, numbers and plural categories as the `Intl` of browsers writes them, by the customs of the reader's region.
//!
//! The data is that of the Unicode CLDR, by ICU4X. Patterns follow the Gregorian calendar in every region, as the calendars of
//! Cupo do.

use std::{cell::RefCell, rc::Rc};

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike, Weekday};
use icu_calendar::{Date, Gregorian, types, week::WeekInformation};
use icu_datetime::{
    FixedCalendarDateTimeFormatter, NoCalendarFormatter,
    fieldsets::{E, MDE, T, YM, YMDE},
    input::Time,
};
use icu_decimal::DecimalFormatter;
use icu_locale_core::Locale as IcuLocale;
use icu_plurals::{PluralCategory, PluralRules};

use crate::language::{LanguageTag, Locale};

type Formatter<Fields> = FixedCalendarDateTimeFormatter<Gregorian, Fields>;

/// How dates, times and numbers are written for a reader.
#[derive(Debug)]
pub struct Dates {
    /// Missing in Portuguese: see [`Dates::month`].
    month: Option<Formatter<YM>>,
    day: Formatter<MDE>,
    date: Formatter<YMDE>,
    short_weekday: Formatter<E>,
    weekday: Formatter<E>,
    time: NoCalendarFormatter<T>,
    number: DecimalFormatter,
    plural: PluralRules,
    first_weekday: Weekday,
    is_arabic: bool,
}

/// How it is written for the reader of a language. The latest one of a thread is kept: a page or a mail asks for one many
/// times.
pub fn of(language: LanguageTag) -> Rc<Dates> {
    thread_local! {
        static LATEST: RefCell<Option<(LanguageTag, Rc<Dates>)>> = const { RefCell::new(None) };
    }
    LATEST.with_borrow_mut(|latest| match latest {
        Some((tag, dates)) if *tag == language => Rc::clone(dates),
        _ => {
            let dates = Rc::new(Dates::of(&language.to_string()));
            *latest = Some((language, Rc::clone(&dates)));
            dates
        }
    })
}

/// The tag by which server and browsers write alike for a reader. Of some regions the CLDR of ICU4X and that of browsers tell
/// different customs: there it is the tag of another one, whose customs are the same or nearest and beyond dispute.
pub fn agreed(language: LanguageTag) -> LanguageTag {
    let near = match language.to_string().as_str() {
        "en-IN" => "en-AU",
        "es-AR" | "es-CL" => "es-CO",
        "fr-CH" => "fr",
        "it-CH" => "it",
        _ => return language,
    };
    LanguageTag::parse(near).unwrap_or(language)
}

impl Dates {
    /// Takes a BCP 47 tag such as `es-MX`. What the region does not settle its language does; English stands in for what
    /// cannot be read, and for languages that Cupo does not speak.
    pub fn of(tag: &str) -> Self {
        let known = LanguageTag::parse(tag).unwrap_or_default();
        let tag = known.to_string();
        let Some(locale) = [tag.as_str(), known.locale().as_str(), Locale::En.as_str()]
            .into_iter()
            .find_map(|tag| IcuLocale::try_from_str(tag).ok())
        else {
            unreachable!("en is a language tag")
        };
        Self::load(&locale, known.locale()).expect("the compiled data holds every locale by its fallback")
    }

    fn load(locale: &IcuLocale, language: Locale) -> Option<Self> {
        let is_portuguese = language == Locale::Pt;
        let month = (!is_portuguese).then(|| Formatter::try_new(locale.into(), YM::long()));
        // The data of ICU4X shortens the whole date of Portugal to numbers.
        let of_date = if is_portuguese { IcuLocale::try_from_str(Locale::Pt.as_str()).ok()? } else { locale.clone() };
        Some(Self {
            month: month.transpose().ok()?,
            day: Formatter::try_new(locale.into(), MDE::long()).ok()?,
            date: Formatter::try_new((&of_date).into(), YMDE::long()).ok()?,
            short_weekday: Formatter::try_new(locale.into(), E::short()).ok()?,
            weekday: Formatter::try_new(locale.into(), E::long()).ok()?,
            time: NoCalendarFormatter::try_new(locale.into(), T::hm()).ok()?,
            number: DecimalFormatter::try_new(locale.into(), Default::default()).ok()?,
            plural: PluralRules::try_new_cardinal(locale.into()).ok()?,
            first_weekday: of_icu(WeekInformation::try_new(locale.into()).ok()?.first_weekday),
            is_arabic: language == Locale::Ar,
        })
    }

    /// `November 2026`, `noviembre de 2026`: `{month: "long", year: "numeric"}`. `month` is 1 to 12.
    pub fn month(&self, year: i32, month: u32) -> String {
        let Some(first) = NaiveDate::from_ymd_opt(year, month, 1) else { return String::new() };
        match &self.month {
            Some(month) => told(first, |date| month.format(&date).to_string()),
            // The data of ICU4X 2.4 lacks the pattern in Portuguese. The whole date ends with it: "domingo, 1 de novembro de
            // 2026".
            None => {
                let date = self.date(first);
                date.split_once(" 1 de ").map_or(date.as_str(), |(_, month)| month).to_owned()
            }
        }
    }

    /// `Monday, November 23`: `{weekday: "long", day: "numeric", month: "long"}`.
    pub fn day(&self, date: NaiveDate) -> String {
        told(date, |date| self.day.format(&date).to_string())
    }

    /// `Monday, November 23, 2026`: the same with the year.
    pub fn date(&self, date: NaiveDate) -> String {
        told(date, |date| self.date.format(&date).to_string())
    }

    /// `Mon` and `Monday`.
    pub fn weekday(&self, weekday: Weekday) -> (String, String) {
        // 2024-01-01 was a Monday.
        let number = u8::try_from(weekday.number_from_monday()).unwrap_or(1);
        let date = Date::try_new_gregorian(2024, 1, number).expect("January has more than seven days");
        (self.short_weekday.format(&date).to_string(), self.weekday.format(&date).to_string())
    }

    /// `9:05 AM`, `9:05`: `{hour: "numeric", minute: "2-digit"}`.
    pub fn time(&self, time: NaiveTime) -> String {
        let [hour, minute] = [time.hour(), time.minute()].map(|part| u8::try_from(part).unwrap_or_default());
        let time = Time::try_new(hour, minute, 0, 0).expect("chrono's times are times");
        // The CLDR pads the hour in many languages and sets AM off by a narrow space; `Intl` does neither.
        let told = self.time.format(&time).to_string().replace(['\u{202f}', '\u{a0}'], " ");
        let mut digits = told.chars();
        match (digits.next(), digits.next()) {
            (Some('0' | '٠'), Some(second)) if second.is_numeric() => told.chars().skip(1).collect(),
            _ => told,
        }
    }

    /// `1,234`, with the digits and the separators of the region.
    pub fn number(&self, number: u64) -> String {
        self.number.format(&number.into()).to_string()
    }

    /// The CLDR category of a count: `zero`, `one`, `two`, `few`, `many` or `other`.
    pub fn plural(&self, count: u64) -> &'static str {
        match self.plural.category_for(count) {
            PluralCategory::Zero => "zero",
            PluralCategory::One => "one",
            PluralCategory::Two => "two",
            PluralCategory::Few => "few",
            PluralCategory::Many => "many",
            PluralCategory::Other => "other",
        }
    }

    /// The day with which a week begins.
    pub fn first_weekday(&self) -> Weekday {
        self.first_weekday
    }

    /// What stands between a date and a time, and between the parts of a list.
    pub fn comma(&self) -> &'static str {
        if self.is_arabic { "، " } else { ", " }
    }
}

/// A date in words; as a plain number of ISO 8601 in the far years of which ICU4X knows nothing.
fn told(date: NaiveDate, write: impl FnOnce(Date<Gregorian>) -> String) -> String {
    let [month, day] = [date.month(), date.day()].map(|part| u8::try_from(part).unwrap_or_default());
    match Date::try_new_gregorian(date.year(), month, day) {
        Ok(date) => write(date),
        Err(_) => date.to_string(),
    }
}

fn of_icu(weekday: types::Weekday) -> Weekday {
    match weekday {
        types::Weekday::Monday => Weekday::Mon,
        types::Weekday::Tuesday => Weekday::Tue,
        types::Weekday::Wednesday => Weekday::Wed,
        types::Weekday::Thursday => Weekday::Thu,
        types::Weekday::Friday => Weekday::Fri,
        types::Weekday::Saturday => Weekday::Sat,
        types::Weekday::Sunday => Weekday::Sun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monday() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
    }

    /// A tag, then what the `Intl` of Chromium writes by it for Monday, 2026-11-23, 9:05 and for 1234, and its first day of the
    /// week (1 is Monday). The regions whose customs the CLDR of ICU4X tells otherwise than that of Chromium 156 are left out:
    /// those of [`agreed`].
    const INTL: &str = include_str!("dates/intl.json");

    #[test]
    fn dates_times_and_numbers_are_written_as_browsers_do() {
        let rows: Vec<[String; 9]> = serde_json::from_str(INTL).unwrap();
        assert!(rows.len() > 30);
        let mut others = Vec::new();
        for [tag, intl @ ..] in rows {
            let dates = Dates::of(&tag);
            let (short, long) = dates.weekday(Weekday::Mon);
            let written = [
                dates.month(2026, 11),
                dates.day(monday()),
                dates.date(monday()),
                short,
                long,
                dates.time(NaiveTime::from_hms_opt(9, 5, 0).unwrap()),
                dates.number(1234),
                dates.first_weekday().number_from_monday().to_string(),
            ];
            if written != intl {
                others.push((tag, written, intl));
            }
        }
        assert!(others.is_empty(), "{others:#?}");
    }

    #[test]
    fn where_browsers_write_otherwise_a_tag_is_taken_of_which_it_is_known_that_they_do_not() {
        let rows: Vec<[String; 9]> = serde_json::from_str(INTL).unwrap();
        let read = |tag: &str| LanguageTag::parse(tag).unwrap();
        let known = |tag: LanguageTag| rows.iter().any(|row| read(&row[0]) == tag);
        for tag in ["en-IN", "es-AR", "es-CL", "fr-CH", "it-CH"].map(read) {
            let near = agreed(tag);
            assert!(!known(tag) && known(near) && near.locale() == tag.locale(), "{tag} {near}");
        }
        for row in &rows {
            assert_eq!(agreed(read(&row[0])), read(&row[0]));
        }
    }

    #[test]
    fn no_region_is_without_words() {
        for language in Locale::ALL {
            for (first, second) in (b'A'..=b'Z').flat_map(|first| (b'A'..=b'Z').map(move |second| (first, second))) {
                let tag = format!("{}-{}{}", language.as_str(), char::from(first), char::from(second));
                let dates = Dates::of(&tag);
                let (date, month) = (dates.date(monday()), dates.month(2026, 11));
                assert!(
                    !month.is_empty() && date.contains(dates.weekday(Weekday::Mon).1.as_str()),
                    "{tag}: {date}, {month}"
                );
                assert!(!dates.time(NaiveTime::MIN).is_empty() && !dates.day(monday()).is_empty(), "{tag}");
            }
        }
    }

    #[test]
    fn midnight_keeps_its_digit() {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        assert_eq!([at(0, 0), at(0, 5), at(10, 0)].map(|time| Dates::of("de").time(time)), ["0:00", "0:05", "10:00"]);
        assert_eq!([at(0, 0), at(12, 30)].map(|time| Dates::of("en").time(time)), ["12:00 AM", "12:30 PM"]);
    }

    #[test]
    fn what_is_not_spoken_is_written_in_english() {
        for tag in ["", "nl-NL", "not a tag", "x-private"] {
            assert_eq!(Dates::of(tag).month(2026, 11), "November 2026", "{tag}");
        }
    }

    #[test]
    fn a_region_that_nobody_knows_leaves_the_language() {
        assert_eq!(Dates::of("de-ZZ").day(monday()), "Montag, 23. November");
    }

    #[test]
    fn weeks_begin_as_in_the_region() {
        for (tag, first) in [
            ("en", Weekday::Sun),
            ("en-GB", Weekday::Mon),
            ("es", Weekday::Mon),
            ("es-MX", Weekday::Sun),
            ("pt-BR", Weekday::Sun),
            ("ar-EG", Weekday::Sat),
        ] {
            assert_eq!(Dates::of(tag).first_weekday(), first, "{tag}");
        }
    }

    #[test]
    fn arabic_counts_in_six_categories() {
        let arabic = Dates::of("ar");
        let counts =
            [(0, "zero"), (1, "one"), (2, "two"), (3, "few"), (10, "few"), (11, "many"), (99, "many"), (100, "other")];
        for (count, category) in counts {
            assert_eq!(arabic.plural(count), category, "{count}");
        }
        assert_eq!([0, 1, 2].map(|count| Dates::of("fr").plural(count)), ["one", "one", "other"]);
        assert_eq!([0, 1, 2].map(|count| Dates::of("es").plural(count)), ["other", "one", "other"]);
    }

    #[test]
    fn the_next_language_does_not_get_the_words_of_the_one_before() {
        let told = |locale: Locale| of(locale.into()).weekday(Weekday::Mon).1;
        assert_eq!([Locale::De, Locale::It, Locale::De].map(told), ["Montag", "lunedì", "Montag"]);
    }

    #[test]
    fn a_year_out_of_reach_is_told_in_numbers() {
        assert!(Dates::of("en").date(NaiveDate::MAX).starts_with("+262142"));
        assert_eq!(Dates::of("en").month(2026, 13), "");
    }
}
