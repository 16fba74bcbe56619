//! What a visitor has picked so far: zone, month, day and slot.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use cupo_core::zone::TimeZoneName;

use crate::time::date_in;

/// The dates, both included, whose slots a page shows; as `from` and `to` of the engine's slots request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotsRange {
    /// First date.
    pub from: NaiveDate,
    /// Last date; never more than 61 days after the first.
    pub to: NaiveDate,
}

impl SlotsRange {
    /// The month and the one after it: a visitor who comes on the last day of a month sees the next free days at once.
    pub(super) fn from_month(first: NaiveDate) -> Self {
        Self { from: first, to: first + Months::new(2) - Days::new(1) }
    }
}

/// Picks as they stand in an address.
#[derive(Clone, Copy)]
pub(super) struct RawPicks<'a> {
    pub(super) month: &'a Option<String>,
    pub(super) day: &'a Option<String>,
    pub(super) tz: &'a Option<String>,
    pub(super) slot: &'a Option<String>,
}

/// Picks that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picks {
    /// The visitor's zone.
    pub(super) tz: Tz,
    /// The first day of the shown month.
    pub(super) month: NaiveDate,
    /// The picked day.
    pub(super) day: Option<NaiveDate>,
    /// The picked slot, whether or not it is still offered.
    pub(super) slot: Option<DateTime<Utc>>,
}

impl RawPicks<'_> {
    /// The picked zone, else `fallback`, else UTC.
    pub(super) fn zone(self, fallback: &str) -> Tz {
        let parse = |name: &str| TimeZoneName::parse(name).ok().map(TimeZoneName::tz);
        self.tz.as_deref().and_then(parse).or_else(|| parse(fallback)).unwrap_or(Tz::UTC)
    }

    fn picked_month(self, tz: Tz) -> Option<NaiveDate> {
        let month = self.month.as_deref().and_then(|text| date(&format!("{text}-01")));
        month.or_else(|| Some(first_of_month(self.picked_day(tz)?)))
    }

    pub(super) fn picked_day(self, tz: Tz) -> Option<NaiveDate> {
        let day = self.day.as_deref().and_then(date);
        day.or_else(|| Some(date_in(self.slot.as_deref().and_then(instant)?, tz)))
    }

    /// The month whose slots are asked for, never one before the present.
    pub(super) fn month(self, tz: Tz, now: DateTime<Utc>) -> NaiveDate {
        let present = first_of_month(date_in(now, tz));
        self.picked_month(tz).map_or(present, |month| month.max(present))
    }

    /// The picks, given what is free in rising order. Without a picked month it is the first that has a slot, without a
    /// picked day the first free one of the month.
    pub(super) fn resolve(self, fallback_zone: &str, now: DateTime<Utc>, slots: &[DateTime<Utc>]) -> Picks {
        let tz = self.zone(fallback_zone);
        let mut month = self.month(tz, now);
        if self.picked_month(tz).is_none()
            && let Some(first) = slots.iter().map(|slot| date_in(*slot, tz)).find(|date| *date >= month)
        {
            month = first_of_month(first);
        }
        let first_free = || slots.iter().map(|slot| date_in(*slot, tz)).find(|date| first_of_month(*date) == month);
        Picks { tz, month, day: self.picked_day(tz).or_else(first_free), slot: self.slot.as_deref().and_then(instant) }
    }
}

fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).expect("every month has a first day")
}

/// A date that leaves room for arithmetic on both sides.
fn date(text: &str) -> Option<NaiveDate> {
    text.parse::<NaiveDate>().ok().filter(|date| (1970..=9000).contains(&date.year()))
}

pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (1970..=9000).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::super::query::BookingQuery;
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn picks(query: &BookingQuery, slots: &[&str]) -> Picks {
        let slots: Vec<_> = slots.iter().map(|slot| at(slot)).collect();
        query.raw().resolve("Europe/Madrid", at("2026-11-30T10:00:00Z"), &slots)
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_visitor_at_the_end_of_a_month_sees_the_month_of_the_first_slot() {
        let picks = picks(&BookingQuery::default(), &["2026-12-03T09:00:00Z"]);
        assert_eq!((picks.month, picks.day), (day("2026-12-01"), Some(day("2026-12-03"))));
    }

    #[test]
    fn a_picked_month_stays_even_when_nothing_is_free_in_it() {
        let query = BookingQuery { month: Some("2026-11".to_owned()), ..BookingQuery::default() };
        assert_eq!(picks(&query, &["2026-12-03T09:00:00Z"]).month, day("2026-11-01"));
    }

    #[test]
    fn a_slot_is_on_the_day_of_the_visitor() {
        let query = BookingQuery {
            slot: Some("2026-12-03T23:30:00Z".to_owned()),
            tz: Some("Asia/Tokyo".to_owned()),
            ..BookingQuery::default()
        };
        assert_eq!(picks(&query, &[]).day, Some(day("2026-12-04")));
    }

    #[test]
    fn what_cannot_be_read_counts_as_not_given() {
        let text = || Some("9999999-99".to_owned());
        let query = BookingQuery { month: text(), day: text(), tz: text(), slot: text(), ..BookingQuery::default() };
        let picks = picks(&query, &[]);
        assert_eq!(picks, Picks { tz: chrono_tz::Europe::Madrid, month: day("2026-11-01"), day: None, slot: None });
    }

    #[test]
    fn the_months_before_the_present_are_not_asked_for_and_a_range_is_never_too_long() {
        let now = at("2026-07-10T10:00:00Z");
        let query = BookingQuery { month: Some("2020-01".to_owned()), ..BookingQuery::default() };
        let range = SlotsRange::from_month(query.raw().month(chrono_tz::UTC, now));
        assert_eq!((range.from, range.to), (day("2026-07-01"), day("2026-08-31")));
        assert!((range.to - range.from).num_days() < 62);
    }
}
