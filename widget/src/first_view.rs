//! The first view as the server writes it: the widget's own state and view, with dates as the `Intl` of browsers has them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, NaiveDate, NaiveTime, Weekday};
use cupo_core::dates::{self, Dates};
use cupo_core::text::LanguageTag;
use cupo_core::wire::FirstView;

use crate::calendar::{Day, Instant, MINUTE, Month};
use crate::html::html;
use crate::state::{Visitor, Wishes, open};
use crate::view::{self, Words};
use crate::zone::Zone;

/// Whom a first view is for.
pub struct Reader<'a> {
    /// The language and the region.
    pub language: LanguageTag,
    /// The zone's IANA name.
    pub zone: &'a str,
    /// How the free times are shown: `month`, `week` or `list`; empty for the usual way.
    pub view: &'a str,
    /// The secret of a single-use link; empty without one.
    pub link: &'a str,
    pub now: Instant,
}

/// The HTML of what the widget will show first; `None` where it cannot read what it is given. `learn` learns a zone of this name
/// between two instants.
#[must_use]
pub fn markup(
    first: &FirstView,
    reader: &Reader<'_>,
    learn: impl Fn(&str, Instant, Instant) -> Zone,
) -> Option<String> {
    let visitor = Visitor {
        language: reader.language.to_string(),
        zone: reader.zone.to_owned(),
        link: reader.link.to_owned(),
        now: reader.now,
    };
    let wishes = |_: &_| Wishes { view: reader.view.to_owned(), ..Wishes::default() };
    let (state, _) = open(&serde_json::to_value(first).ok()?, visitor, learn, wishes)?;
    let dates = dates::of(dates::agreed(reader.language));
    let words = CatalogueWords { strings: &first.event_type.strings, dates };
    Some(html(&view::widget(&state, &words)))
}

type Strings = BTreeMap<Cow<'static, str>, Cow<'static, str>>;

/// The texts that go along, and dates, times and numbers by the CLDR.
struct CatalogueWords<'a> {
    strings: &'a Strings,
    dates: Rc<Dates>,
}

impl Words for CatalogueWords<'_> {
    fn text(&self, key: &str) -> String {
        self.strings.get(key).map_or_else(|| key.to_owned(), |text| text.to_string())
    }

    fn plural(&self, key: &str, count: u32) -> String {
        self.text(&[key, ".", self.dates.plural(count.into())].concat())
    }

    fn number(&self, number: u32) -> String {
        self.dates.number(number.into())
    }

    fn month(&self, month: Month) -> String {
        let (year, month, _) = month.first().civil();
        self.dates.month(year, month.unsigned_abs())
    }

    fn day(&self, day: Day) -> String {
        let (year, month, day) = day.civil();
        let date = NaiveDate::from_ymd_opt(year, month.unsigned_abs(), day.unsigned_abs());
        self.dates.day(date.unwrap_or_default())
    }

    fn weekday(&self, weekday: i32) -> (String, String) {
        let weekday = u8::try_from(weekday).ok().and_then(|weekday| Weekday::try_from(weekday).ok());
        self.dates.weekday(weekday.unwrap_or(Weekday::Mon))
    }

    fn time(&self, at: Instant, zone: &Zone) -> String {
        let local = DateTime::from_timestamp_millis(at + Instant::from(zone.offset(at)) * MINUTE);
        self.dates.time(local.map_or(NaiveTime::MIN, |local| local.time()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_instant;

    const BEFORE: &str = "2026-10-25T00:30:00Z";
    const CHANGE: &str = "2026-10-25T01:00:00Z";
    const AFTER: &str = "2026-10-25T01:30:00Z";

    fn at(text: &str) -> Instant {
        parse_instant(text).unwrap()
    }

    fn told(tag: &str) -> String {
        let text = |text: &'static str| Cow::Borrowed(text);
        let strings = Strings::from([(text("times.one"), text("one")), (text("times.other"), text("other"))]);
        let dates = dates::of(LanguageTag::parse(tag).unwrap());
        let words = CatalogueWords { strings: &strings, dates };
        let madrid =
            Zone::learn("Europe/Madrid".to_owned(), at("2026-10-01T00:00:00Z"), at("2026-12-01T00:00:00Z"), |it| {
                if it < at(CHANGE) { 120 } else { 60 }
            });
        let sunday = Day::parse("2026-10-25").unwrap();
        [
            words.month(sunday.month()),
            words.day(sunday),
            words.weekday(sunday.weekday()).1,
            words.time(at(BEFORE), &madrid),
            words.time(at(AFTER), &madrid),
            words.plural("times", 1),
            words.plural("times", 2),
            words.text("nowhere"),
        ]
        .join("|")
    }

    #[test]
    fn dates_and_times_are_told_in_the_language_and_the_zone_of_the_visitor() {
        assert_eq!(told("es"), "octubre de 2026|domingo, 25 de octubre|domingo|2:30|2:30|one|other|nowhere");
        assert_eq!(told("en-GB"), "October 2026|Sunday 25 October|Sunday|2:30|2:30|one|other|nowhere");
    }
}
