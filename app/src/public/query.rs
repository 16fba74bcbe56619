//! What the addresses of the public pages carry.

use chrono::{DateTime, Utc};
use cupo_core::wire::{AppointmentView, EventTypeView, HostView};
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::picks::{RawPicks, SlotsRange};

/// Query of `/{org}/{slug}`. Whatever cannot be read counts as not given: the visitor gets the step before it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// `45`: one of the lengths on offer, in minutes.
    pub duration: Option<String>,
    /// The id of one of the hosts among whom there is a choice.
    pub host: Option<String>,
    /// The secret of a single-use link.
    pub link: Option<String>,
    /// `1`: without the page's frame, for an iframe.
    pub embed: Option<String>,
    /// A BCP 47 tag, such as `es-MX`.
    pub lang: Option<String>,
}

cupo_core::shown_in_debug!(BookingQuery { month, day, tz, slot, duration, host, embed, lang });

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

/// Query of `/{org}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganizationQuery {
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

    /// The length to ask for: the picked one, else the first on offer; `None` where there is no choice.
    pub fn duration(&self, event: &EventTypeView) -> Option<u32> {
        let choice = Some(&event.durations).filter(|durations| durations.len() > 1)?;
        self.picked_duration(event).or_else(|| choice.first().copied())
    }

    /// The picked length, if it is on offer.
    pub(super) fn picked_duration(&self, event: &EventTypeView) -> Option<u32> {
        let minutes = self.duration.as_deref()?.parse().ok()?;
        event.durations.contains(&minutes).then_some(minutes)
    }

    /// The picked host, if there is the choice.
    pub fn host<'a>(&self, event: &'a EventTypeView) -> Option<&'a HostView> {
        let picked = self.host.as_deref()?;
        event.hosts.iter().find(|host| host.id == picked)
    }

    /// The secret of a single-use link, if there is one.
    pub fn link(&self) -> Option<&str> {
        self.link.as_deref().filter(|link| !link.is_empty())
    }

    pub(super) fn raw(&self) -> RawPicks<'_> {
        RawPicks { month: &self.month, day: &self.day, tz: &self.tz, slot: &self.slot }
    }
}

impl ManageQuery {
    /// The dates whose slots the page needs; `None` where it shows none.
    pub fn slots_range(&self, appointment: &AppointmentView, now: DateTime<Utc>) -> Option<SlotsRange> {
        let raw = self.raw();
        (self.step.as_deref() == Some("reschedule") && appointment.can_reschedule)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_a_pair_to_an_address() {
        let query = ManageQuery { tz: Some("Etc/GMT+5&x=1#y".to_owned()), ..ManageQuery::default() };
        assert_eq!(query.address("t0k"), "/manage/t0k?tz=Etc/GMT%2B5%26x=1%23y");
    }

    #[test]
    fn an_address_without_a_query_has_no_question_mark() {
        assert_eq!(ManageQuery::default().address("t0k"), "/manage/t0k");
    }
}
