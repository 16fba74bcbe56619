//! What is said about a start, in the reader's language and the event type's zone.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use cupo_core::{
    event_type::WhenStale,
    interval::Interval,
    slots::{Explanation, HostReason, Part, Period, Reason},
    text::{self, Locale},
    wire::ReasonView,
};

use cupo_store::Calendar;

use super::{Named, Source, plain};
use crate::mail::when;

/// The language and the zone of the sentences.
pub(super) struct Words {
    pub(super) locale: Locale,
    pub(super) tz: Tz,
}

type Arguments<'a> = &'a [(&'a str, &'a dyn std::fmt::Display)];

impl Words {
    pub(super) fn say(&self, key: &str, arguments: Arguments<'_>) -> String {
        text::format(self.locale, &format!("why.{key}"), arguments)
    }

    fn time(&self, at: DateTime<Utc>) -> String {
        when::time(self.locale, at, self.tz)
    }

    /// The time of day, with the date where it is not that of `near`.
    fn time_near(&self, at: DateTime<Utc>, near: DateTime<Utc>) -> String {
        let date = |at: DateTime<Utc>| at.with_timezone(&self.tz).date_naive();
        if date(at) == date(near) { self.time(at) } else { when::moment(self.locale, at, self.tz) }
    }

    fn span(&self, interval: Interval, near: DateTime<Utc>) -> String {
        let (from, to) = (self.time_near(interval.start, near), self.time_near(interval.end, interval.start));
        format!("{from} – {to}")
    }

    /// All of it in one sentence.
    pub(super) fn verdict(&self, named: &Named, explanation: &Explanation<Source>, start: DateTime<Utc>) -> String {
        let time = self.time(start);
        if explanation.is_offered() {
            let seats = explanation.reasons.iter().find_map(|reason| match reason {
                Reason::SeatsLeft { seats_left } => Some(*seats_left),
                _ => None,
            });
            return match seats {
                Some(1) => self.say("offered_one_seat", &[("time", &time)]),
                Some(seats) => self.say("offered_seats", &[("time", &time), ("seats", &seats)]),
                None => self.say("offered", &[("time", &time)]),
            };
        }
        let general = explanation.reasons.iter().map(|reason| self.reason(reason, start).sentence);
        let counted = named.counted();
        let has_several = counted.len() > 1;
        let of_hosts = counted.iter().zip(&explanation.hosts).filter_map(|(at, host)| {
            let first = host.reasons.first()?;
            let reason = self.host_reason(first, start);
            let name = &named.situation.hosts[*at].user.name;
            Some(if has_several { self.say("of_host", &[("host", name), ("reason", &reason)]) } else { reason })
        });
        let reasons: Vec<_> = general.chain(of_hosts).take(4).collect();
        self.say("refused", &[("time", &time), ("reasons", &reasons.join("; "))])
    }

    /// A reason that concerns no single host.
    pub(super) fn reason(&self, reason: &Reason, start: DateTime<Utc>) -> ReasonView {
        let (kind, sentence, from, to) = match reason {
            Reason::Notice { earliest } => {
                let sentence = self.say("notice", &[("when", &self.time_near(*earliest, start))]);
                ("notice", sentence, None, Some(*earliest))
            }
            Reason::Window { opens: Some(opens), .. } if start < *opens => {
                let sentence = self.say("window_opens", &[("when", &when::date(self.locale, *opens, self.tz))]);
                ("window", sentence, None, Some(*opens))
            }
            Reason::Window { closes, .. } => {
                let last = closes.map(|closes| closes - chrono::TimeDelta::microseconds(1));
                let date = last.map(|last| when::date(self.locale, last, self.tz)).unwrap_or_default();
                ("window", self.say("window_closes", &[("when", &date)]), *closes, None)
            }
            Reason::Limit(reached) => {
                let (kind, key) = match reached.period {
                    Period::Day => ("limit_day", "limit_day"),
                    Period::Week => ("limit_week", "limit_week"),
                    Period::Month => ("limit_month", "limit_month"),
                };
                let sentence = self.say(key, &[("count", &reached.count), ("minutes", &reached.minutes)]);
                (kind, sentence, Some(reached.starts.start), Some(reached.starts.end))
            }
            Reason::SeatsLeft { seats_left } => {
                ("seats_left", self.say("seats_left", &[("seats", seats_left)]), None, None)
            }
            Reason::Full => ("full", self.say("full", &[]), None, None),
            Reason::OffGrid { before, after } => ("off_grid", self.off_grid(*before, *after, start), *before, *after),
            Reason::NotFirst { first: Some(first) } => {
                ("not_first", self.say("not_first", &[("first", &self.time(*first))]), Some(*first), None)
            }
            Reason::NotFirst { first: None } => ("not_first", self.say("not_first_taken", &[]), None, None),
        };
        ReasonView { from, to, ..plain(kind, sentence) }
    }

    /// A calendar whose mirror is stale, and what an event type does about it.
    pub(super) fn stale(&self, calendar: &Calendar, when_stale: WhenStale) -> ReasonView {
        let name = &calendar.name;
        let since = match calendar.synced_at {
            Some(at) => {
                self.say("stale_since", &[("calendar", name), ("when", &when::moment(self.locale, at, self.tz))])
            }
            None => self.say("stale_never", &[("calendar", name)]),
        };
        let key = match when_stale {
            WhenStale::Offer => "stale_offer",
            WhenStale::Ask => "stale_ask",
            WhenStale::Approve => "stale_approve",
        };
        let sentence = self.say(key, &[("since", &since)]);
        ReasonView { from: calendar.synced_at, calendar: Some(name.clone()), ..plain("stale_calendar", sentence) }
    }

    fn off_grid(&self, before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>, start: DateTime<Utc>) -> String {
        let time = |at: DateTime<Utc>| self.time_near(at, start);
        match (before, after) {
            (Some(before), Some(after)) => self.say("off_grid", &[("before", &time(before)), ("after", &time(after))]),
            (Some(only), None) | (None, Some(only)) => self.say("off_grid_one", &[("start", &time(only))]),
            (None, None) => self.say("off_grid_none", &[]),
        }
    }

    /// A reason that concerns one host.
    pub(super) fn host_reason(&self, reason: &HostReason<Source>, start: DateTime<Utc>) -> String {
        match reason {
            HostReason::OutsideHours { before, after } => {
                // The nearer of the two says more.
                let distance = |hours: &Interval| (hours.start - start).abs().min((hours.end - start).abs());
                let nearest = before.iter().chain(after).min_by_key(|hours| distance(hours));
                match nearest {
                    Some(hours) => self.say("outside_hours", &[("hours", &self.span(*hours, start))]),
                    None => self.say("outside_hours_none", &[]),
                }
            }
            HostReason::OffGrid { before, after } => self.off_grid(*before, *after, start),
            HostReason::Taken { source, interval, part } => {
                let what = self.obstacle(source, *interval, start);
                match part {
                    Part::Appointment => what,
                    Part::BufferBefore => self.say("in_buffer_before", &[("reason", &what)]),
                    Part::BufferAfter => self.say("in_buffer_after", &[("reason", &what)]),
                }
            }
        }
    }

    /// What takes the time, with when that is.
    pub(super) fn obstacle(&self, source: &Source, interval: Interval, near: DateTime<Utc>) -> String {
        let span = self.span(interval, near);
        match source {
            Source::Calendar { name, title: Some(title) } => {
                self.say("titled_event", &[("calendar", name), ("title", title), ("time", &span)])
            }
            Source::Calendar { name, title: None } => {
                self.say("calendar_event", &[("calendar", name), ("time", &span)])
            }
            Source::Appointment { .. } => self.say("appointment", &[("time", &span)]),
            Source::Buffer { .. } => self.say("buffer", &[("time", &span)]),
            Source::Hold => self.say("hold", &[("time", &span)]),
        }
    }
}
