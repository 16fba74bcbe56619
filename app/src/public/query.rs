//! What the addresses and forms of the public pages carry.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use cupo_core::parse::{FieldErrors, FieldProblem};
use cupo_core::text::Locale;
use cupo_core::wire::{AppointmentView, BookingRequest, EventTypeView};
use cupo_core::zone::TimeZoneName;
use serde::{Deserialize, Serialize};

use super::month::Address;
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
    fn from_month(first: NaiveDate) -> Self {
        Self { from: first, to: first + Months::new(2) - Days::new(1) }
    }
}

/// Query of `/{org}/{slug}`. Whatever cannot be read counts as not given: the visitor gets the step before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BookingQuery {
    /// `2026-11`.
    pub month: Option<String>,
    /// `2026-11-23`.
    pub day: Option<String>,
    /// `Europe/Madrid`.
    pub tz: Option<String>,
    /// `2026-11-23T09:00:00Z`.
    pub slot: Option<String>,
    /// `1`: without the page's frame, for an iframe.
    pub embed: Option<String>,
    /// `en` or `es`.
    pub lang: Option<String>,
}

/// Body of the form that is posted to `/{org}/{slug}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BookingForm {
    /// The picked slot, RFC 3339.
    pub slot: String,
    /// The visitor's zone.
    pub tz: String,
    /// The visitor's name.
    pub name: String,
    /// The visitor's e-mail address.
    pub email: String,
    /// The visitor's phone number; empty where it is not asked for.
    pub phone: String,
    /// What the visitor wants to say.
    pub notes: String,
    /// See [`super::BookingState::idempotency_key`].
    pub idempotency_key: String,
    /// As in [`BookingQuery`].
    pub embed: Option<String>,
    /// As in [`BookingQuery`].
    pub lang: Option<String>,
}

/// Query of `/manage/{token}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ManageQuery {
    /// `1` right after the booking.
    pub booked: Option<String>,
    /// `cancelled` or `rescheduled` right after it.
    pub done: Option<String>,
    /// `cancel` or `reschedule`: the form to show.
    pub step: Option<String>,
    /// As in [`BookingQuery`].
    pub month: Option<String>,
    /// As in [`BookingQuery`].
    pub day: Option<String>,
    /// As in [`BookingQuery`].
    pub tz: Option<String>,
    /// As in [`BookingQuery`].
    pub slot: Option<String>,
    /// As in [`BookingQuery`].
    pub embed: Option<String>,
    /// As in [`BookingQuery`].
    pub lang: Option<String>,
}

/// Body of the form that is posted to `/manage/{token}/cancel`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CancelForm {
    /// Why; may be empty.
    pub reason: String,
    /// As in [`BookingQuery`].
    pub embed: Option<String>,
    /// As in [`BookingQuery`].
    pub lang: Option<String>,
}

/// Body of the form that is posted to `/manage/{token}/reschedule`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RescheduleForm {
    /// The new slot, RFC 3339.
    pub slot: String,
    /// The visitor's zone.
    pub tz: String,
    /// As in [`BookingQuery`].
    pub embed: Option<String>,
    /// As in [`BookingQuery`].
    pub lang: Option<String>,
}

impl BookingQuery {
    /// The dates whose slots the page needs.
    pub fn slots_range(&self, event: &EventTypeView, now: DateTime<Utc>) -> SlotsRange {
        SlotsRange::from_month(self.raw().month(self.raw().zone(&event.time_zone), now))
    }

    pub(super) fn raw(&self) -> RawPicks<'_> {
        RawPicks { month: &self.month, day: &self.day, tz: &self.tz, slot: &self.slot }
    }
}

impl ManageQuery {
    /// The dates whose slots the page needs; `None` where it shows none.
    pub fn slots_range(&self, appointment: &AppointmentView, now: DateTime<Utc>) -> Option<SlotsRange> {
        let raw = self.raw();
        (self.step.as_deref() == Some("reschedule"))
            .then(|| SlotsRange::from_month(raw.month(raw.zone(&appointment.time_zone), now)))
    }

    /// The page's address with this query.
    pub fn address(&self, token: &str) -> String {
        let pairs = [
            ("booked", &self.booked),
            ("done", &self.done),
            ("step", &self.step),
            ("month", &self.month),
            ("day", &self.day),
            ("tz", &self.tz),
            ("slot", &self.slot),
            ("embed", &self.embed),
            ("lang", &self.lang),
        ];
        let given: Vec<_> = pairs.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?.clone()))).collect();
        Address { path: format!("/manage/{token}"), kept: Vec::new() }.with(&given)
    }

    pub(super) fn raw(&self) -> RawPicks<'_> {
        RawPicks { month: &self.month, day: &self.day, tz: &self.tz, slot: &self.slot }
    }
}

impl BookingForm {
    /// The request for the engine.
    ///
    /// # Errors
    /// A slot that is no instant, at `start`.
    pub fn to_request(&self, org: &str, event: &str, locale: Locale) -> Result<BookingRequest, FieldErrors> {
        let filled = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
        let start = instant(&self.slot).ok_or_else(|| FieldProblem::new("error.required").at("start"))?;
        Ok(BookingRequest {
            org: org.to_owned(),
            event: event.to_owned(),
            start,
            duration: None,
            name: self.name.clone(),
            email: self.email.clone(),
            phone: filled(&self.phone),
            notes: filled(&self.notes),
            time_zone: self.tz.clone(),
            locale: Some(locale.as_str().to_owned()),
            hold: None,
        })
    }

    /// The query with which the page is rendered again after a refusal. A slot that is gone leaves its day behind.
    pub fn to_query(&self, keep_slot: bool) -> BookingQuery {
        let tz = Some(self.tz.clone());
        let raw = RawPicks { month: &None, day: &None, tz: &tz, slot: &Some(self.slot.clone()) };
        let day = raw.picked_day(raw.zone("UTC")).map(|day| day.to_string());
        BookingQuery {
            month: None,
            day,
            slot: keep_slot.then(|| self.slot.clone()),
            embed: self.embed.clone(),
            lang: self.lang.clone(),
            tz,
        }
    }

    /// Where the visitor goes once it is booked.
    pub fn after_booking(&self, token: &str) -> String {
        let query = ManageQuery {
            booked: Some("1".to_owned()),
            embed: self.embed.clone(),
            lang: self.lang.clone(),
            ..ManageQuery::default()
        };
        query.address(token)
    }
}

/// Picks as they stand in an address.
#[derive(Clone, Copy)]
pub(super) struct RawPicks<'a> {
    month: &'a Option<String>,
    day: &'a Option<String>,
    tz: &'a Option<String>,
    slot: &'a Option<String>,
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

    fn picked_day(self, tz: Tz) -> Option<NaiveDate> {
        let day = self.day.as_deref().and_then(date);
        day.or_else(|| Some(date_in(self.slot.as_deref().and_then(instant)?, tz)))
    }

    /// The month whose slots are asked for, never one before the present.
    fn month(self, tz: Tz, now: DateTime<Utc>) -> NaiveDate {
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

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (1970..=9000).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_posted_form_becomes_a_request_with_its_empty_fields_left_out() {
        let form = BookingForm {
            slot: "2026-12-03T10:00:00+01:00".to_owned(),
            name: "Ana".to_owned(),
            phone: " ".to_owned(),
            ..BookingForm::default()
        };
        let request = form.to_request("studio", "intro", Locale::Es).unwrap();
        assert_eq!(request.start, at("2026-12-03T09:00:00Z"));
        assert_eq!((request.phone, request.locale.as_deref()), (None, Some("es")));
    }

    #[test]
    fn a_form_without_a_slot_is_refused_at_its_start() {
        let errors = BookingForm::default().to_request("studio", "intro", Locale::Es).unwrap_err();
        assert_eq!(errors.0[0].field, "start");
    }

    #[test]
    fn a_slot_that_is_gone_leaves_the_day_of_the_visitor_picked() {
        let form = BookingForm {
            slot: "2026-12-03T23:30:00Z".to_owned(),
            tz: "Asia/Tokyo".to_owned(),
            ..BookingForm::default()
        };
        let query = form.to_query(false);
        assert_eq!((query.day.as_deref(), query.slot), (Some("2026-12-04"), None));
        assert_eq!(form.to_query(true).slot, Some(form.slot));
    }

    #[test]
    fn the_address_after_a_booking_keeps_frame_and_language() {
        let form = BookingForm { embed: Some("1".to_owned()), lang: Some("es".to_owned()), ..BookingForm::default() };
        assert_eq!(form.after_booking("t0k"), "/manage/t0k?booked=1&embed=1&lang=es");
    }

    #[test]
    fn a_value_cannot_add_a_pair_to_an_address() {
        let query = ManageQuery { tz: Some("Etc/GMT+5&x=1#y".to_owned()), ..ManageQuery::default() };
        assert_eq!(query.address("t0k"), "/manage/t0k?tz=Etc/GMT%2B5%26x=1%23y");
    }
}
