//! What can be booked: the rules of its slots, who is booked, and where it takes place.

use chrono::{NaiveDate, TimeDelta};

use crate::{
    parse::{FieldErrors, FieldProblem, HttpUrl, PhoneNumber, number_between, required_text},
    question::{Question, checked_questions},
};

/// The most seats of one slot.
pub const MOST_SEATS: u32 = 500;
/// The most dates of a series.
pub const MOST_OCCURRENCES: u32 = 24;
/// The most hosts of one event type.
pub const MOST_HOSTS: usize = 100;

/// The rules by which an event type offers slots. Every duration is a whole number of minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The length of an appointment: 5 minutes to 12 hours.
    pub duration: TimeDelta,
    /// From one offered start to the next: 5 minutes to 12 hours.
    pub increment: TimeDelta,
    /// From where the starts are counted.
    pub alignment: Alignment,
    /// Kept free before an appointment: up to 8 hours.
    pub buffer_before: TimeDelta,
    /// Kept free after an appointment: up to 8 hours.
    pub buffer_after: TimeDelta,
    /// How long before its start a slot stops being offered: up to 90 days.
    pub notice: TimeDelta,
    /// On which days slots are offered.
    pub window: Window,
    /// How much may be booked in a day, a week, a month.
    pub limits: Limits,
    /// Which slots of a day are offered.
    pub daily: DailyOffer,
    /// How many can book the same slot: 1 to 500.
    pub seats: u32,
}

/// On which days slots are offered, by dates of the event type's zone. What the calendars' mirror does not reach is never
/// offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
pub enum Window {
    /// Today and the days after it, so many in all: 1 to 365.
    RollingDays {
        /// The number of days.
        days: u32,
    },
    /// Like rolling days, but only Mondays to Fridays are counted: 1 to 260.
    BusinessDays {
        /// The number of days that are counted.
        days: u32,
    },
    /// From a date to another one, both included.
    Dates {
        /// The first date.
        first: NaiveDate,
        /// The last date.
        last: NaiveDate,
    },
    /// As far as the calendars are known.
    Open,
}

/// How much of an event type may be booked in a day, a week (from Monday) and a month of its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Limits {
    /// In a day.
    pub day: Limit,
    /// In a week, from Monday.
    pub week: Limit,
    /// In a month.
    pub month: Limit,
}

/// The most that may be booked in a period; slots with seats count once, however many have booked them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limit {
    /// So many appointments: 1 to 1,000.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub count: Option<u32>,
    /// So many minutes of appointments, without buffers: 5 to 44,640.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub minutes: Option<u32>,
}

impl Limit {
    /// Whether anything is limited.
    pub fn is_set(&self) -> bool {
        self.count.is_some() || self.minutes.is_some()
    }
}

impl Limits {
    /// Whether anything is limited.
    pub fn are_set(&self) -> bool {
        self.day.is_set() || self.week.is_set() || self.month.is_set()
    }
}

/// Which slots of a day are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum DailyOffer {
    /// All that are free.
    #[default]
    All,
    /// The earliest that is free: one slot a day at most.
    FirstFree,
    /// The first of the day's hours, if it is free, and no other.
    FirstOnly,
}

/// [`Rules`] as people write them, in whole minutes; the JSON that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct RulesInput {
    /// See [`Rules::duration`].
    pub duration_minutes: u32,
    /// See [`Rules::increment`].
    pub increment_minutes: u32,
    /// See [`Rules::alignment`].
    pub alignment: Alignment,
    /// See [`Rules::buffer_before`].
    pub buffer_before_minutes: u32,
    /// See [`Rules::buffer_after`].
    pub buffer_after_minutes: u32,
    /// See [`Rules::notice`].
    pub notice_minutes: u32,
    /// See [`Rules::window`].
    pub window: Window,
    /// See [`Rules::limits`].
    pub limits: Limits,
    /// See [`Rules::daily`].
    pub daily: DailyOffer,
    /// See [`Rules::seats`].
    pub seats: u32,
}

/// Half an hour every half hour, 60 days ahead, without anything else.
impl Default for RulesInput {
    fn default() -> Self {
        Self {
            duration_minutes: 30,
            increment_minutes: 30,
            alignment: Alignment::Interval,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            notice_minutes: 0,
            window: Window::RollingDays { days: 60 },
            limits: Limits::default(),
            daily: DailyOffer::All,
            seats: 1,
        }
    }
}

impl Rules {
    /// Checks every bound and names every field that breaks one.
    pub fn parse(input: RulesInput) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut minutes = |field, value, least, most| {
            errors.collect(field, number_between(value, least, most)).map(|value| TimeDelta::minutes(i64::from(value)))
        };
        let duration = minutes("duration_minutes", input.duration_minutes, 5, 720);
        let increment = minutes("increment_minutes", input.increment_minutes, 5, 720);
        let buffer_before = minutes("buffer_before_minutes", input.buffer_before_minutes, 0, 480);
        let buffer_after = minutes("buffer_after_minutes", input.buffer_after_minutes, 0, 480);
        let notice = minutes("notice_minutes", input.notice_minutes, 0, 90 * 1440);
        match input.window {
            Window::RollingDays { days } => drop(errors.collect("window_days", number_between(days, 1, 365))),
            Window::BusinessDays { days } => drop(errors.collect("window_days", number_between(days, 1, 260))),
            Window::Dates { first, last } if last < first => {
                errors.0.push(FieldProblem::new("error.date_order").at("window_last"));
            }
            Window::Dates { .. } | Window::Open => {}
        }
        for (period, limit) in [("day", input.limits.day), ("week", input.limits.week), ("month", input.limits.month)] {
            if let Some(count) = limit.count {
                errors.collect(format!("limit_{period}_count"), number_between(count, 1, 1_000));
            }
            if let Some(minutes) = limit.minutes {
                errors.collect(format!("limit_{period}_minutes"), number_between(minutes, 5, 44_640));
            }
        }
        let seats = errors.collect("seats", number_between(input.seats, 1, MOST_SEATS));
        match (duration, increment, buffer_before, buffer_after, notice, seats) {
            (Some(duration), Some(increment), Some(buffer_before), Some(buffer_after), Some(notice), Some(seats))
                if errors.is_empty() =>
            {
                Ok(Self {
                    duration,
                    increment,
                    alignment: input.alignment,
                    buffer_before,
                    buffer_after,
                    notice,
                    window: input.window,
                    limits: input.limits,
                    daily: input.daily,
                    seats,
                })
            }
            _ => Err(errors),
        }
    }

    /// The same rules in whole minutes.
    pub fn to_input(&self) -> RulesInput {
        let minutes = |duration: TimeDelta| duration.num_minutes() as u32;
        RulesInput {
            duration_minutes: minutes(self.duration),
            increment_minutes: minutes(self.increment),
            alignment: self.alignment,
            buffer_before_minutes: minutes(self.buffer_before),
            buffer_after_minutes: minutes(self.buffer_after),
            notice_minutes: minutes(self.notice),
            window: self.window,
            limits: self.limits,
            daily: self.daily,
            seats: self.seats,
        }
    }
}

/// From where the starts of an open interval are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Alignment {
    /// From the interval's own start: 09:10, 09:40, 10:10.
    #[default]
    Interval,
    /// From the last full hour of the local clock at or before it: 09:30, 10:00, 10:30.
    Hour,
}

/// Which of an event type's hosts an appointment needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Assignment {
    /// Its one host.
    #[default]
    Single,
    /// Any one of them, chosen fairly.
    RoundRobin,
    /// All that are required, and those of the others that are free.
    Collective,
}

impl Assignment {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Single, Self::RoundRobin, Self::Collective];

    /// `single`, `round_robin` or `collective`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::RoundRobin => "round_robin",
            Self::Collective => "collective",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignment| assignment.as_str() == text)
    }
}

/// Who can see an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Listing {
    /// Everybody; it stands in lists.
    #[default]
    Public,
    /// Who knows its address.
    Unlisted,
    /// Who has a single-use link.
    LinkOnly,
}

impl Listing {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Public, Self::Unlisted, Self::LinkOnly];

    /// `public`, `unlisted` or `link_only`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::LinkOnly => "link_only",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|listing| listing.as_str() == text)
    }
}

/// What happens while a calendar that decides about slots is stale: its mirror is too old to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum WhenStale {
    /// Slots are offered and booked by what was last known.
    Offer,
    /// The provider is asked: without its answer nothing is offered and nothing booked.
    #[default]
    Ask,
    /// Slots are offered by what was last known. What is booked without the provider's answer is a request, to which a host
    /// has to agree.
    Approve,
}

impl WhenStale {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Offer, Self::Ask, Self::Approve];

    /// `offer`, `ask` or `approve`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Ask => "ask",
            Self::Approve => "approve",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|when_stale| when_stale.as_str() == text)
    }
}

/// What an event type decides beyond the rules of its slots; the JSON that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Options {
    /// Lengths that can be chosen besides [`Rules::duration`], in minutes; sorted, each once.
    pub other_durations: Vec<u32>,
    /// Which of its hosts an appointment needs.
    pub assignment: Assignment,
    /// Whether visitors may choose one of several hosts.
    pub host_choice: bool,
    /// Whether a rescheduled appointment may change to another host; otherwise it stays with its own.
    pub reschedule_to_any_host: bool,
    /// Whether visitors see how many seats are left.
    pub seats_shown: bool,
    /// Whether a host has to agree to each appointment.
    pub needs_approval: bool,
    /// For how many hours a host may think about it: 1 to 720. It ends with the appointment's start in any case.
    pub approval_hours: u32,
    /// What happens while a calendar that decides about its slots is stale.
    pub when_stale: WhenStale,
    /// How many dates may be booked at once: 1 to 24.
    pub most_occurrences: u32,
    /// Who can see it.
    pub listing: Listing,
    /// How many minutes before the start a visitor can no longer cancel: up to 90 days.
    pub cancel_notice_minutes: u32,
    /// How many minutes before the start a visitor can no longer reschedule: up to 90 days.
    pub reschedule_notice_minutes: u32,
    /// What visitors are asked besides name and e-mail address.
    pub questions: Vec<Question>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            other_durations: Vec::new(),
            assignment: Assignment::Single,
            host_choice: false,
            reschedule_to_any_host: false,
            seats_shown: true,
            needs_approval: false,
            approval_hours: 48,
            when_stale: WhenStale::Ask,
            most_occurrences: 1,
            listing: Listing::Public,
            cancel_notice_minutes: 0,
            reschedule_notice_minutes: 0,
            questions: Vec::new(),
        }
    }
}

impl Options {
    /// The options, if every bound is kept and they go with the rules; durations sorted, questions trimmed.
    ///
    /// # Errors
    /// The fields that break a bound, by their names here; of questions such as `questions.0.label`.
    pub fn checked(mut self, rules: &Rules) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        for minutes in &self.other_durations {
            errors.collect("other_durations", number_between(*minutes, 5, 720));
        }
        let default = rules.to_input().duration_minutes;
        self.other_durations.retain(|minutes| *minutes != default);
        self.other_durations.sort_unstable();
        self.other_durations.dedup();
        errors.collect("approval_hours", number_between(self.approval_hours, 1, 720));
        errors.collect("most_occurrences", number_between(self.most_occurrences, 1, MOST_OCCURRENCES));
        errors.collect("cancel_notice_minutes", number_between(self.cancel_notice_minutes, 0, 90 * 1440));
        errors.collect("reschedule_notice_minutes", number_between(self.reschedule_notice_minutes, 0, 90 * 1440));
        if rules.seats > 1 && self.most_occurrences > 1 {
            errors.0.push(FieldProblem::new("error.seats_in_series").at("most_occurrences"));
        }
        match checked_questions(self.questions) {
            Ok(questions) => {
                self.questions = questions;
                errors.into_result().map(|()| self)
            }
            Err(more) => {
                errors.0.extend(more.0);
                Err(errors)
            }
        }
    }

    /// Every length on offer in minutes, sorted.
    pub fn durations(&self, rules: &Rules) -> Vec<u32> {
        let mut all = self.other_durations.clone();
        all.push(rules.to_input().duration_minutes);
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Where an appointment takes place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// A Google Meet conference that is made with the event.
    GoogleMeet,
    /// A Microsoft Teams meeting that is made with the event.
    MicrosoftTeams,
    /// A call. With a number the visitor calls it; without one the host calls the visitor, whose number is then asked for.
    Phone(Option<PhoneNumber>),
    /// A place: up to 300 characters.
    Address(String),
    /// A fixed address on the web.
    Link(HttpUrl),
}

impl Location {
    /// Reads a [`kind`](Self::kind) and its detail.
    ///
    /// # Errors
    /// An unknown kind at `location_kind`, a missing or malformed detail at `location_detail`.
    pub fn parse(kind: &str, detail: &str) -> Result<Self, FieldErrors> {
        let at_detail = |problem: FieldProblem| FieldErrors::from(problem.at("location_detail"));
        match kind {
            "meet" => Ok(Self::GoogleMeet),
            "teams" => Ok(Self::MicrosoftTeams),
            "phone" if detail.trim().is_empty() => Ok(Self::Phone(None)),
            "phone" => PhoneNumber::parse(detail).map(|number| Self::Phone(Some(number))).map_err(at_detail),
            "address" => required_text(detail, 300).map(Self::Address).map_err(at_detail),
            "link" => HttpUrl::parse(detail).map(Self::Link).map_err(at_detail),
            _ => Err(FieldProblem::new("error.location_kind").with("value", kind).at("location_kind").into()),
        }
    }

    /// `meet`, `teams`, `phone`, `address` or `link`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GoogleMeet => "meet",
            Self::MicrosoftTeams => "teams",
            Self::Phone(_) => "phone",
            Self::Address(_) => "address",
            Self::Link(_) => "link",
        }
    }

    /// The number, place or address; empty where there is none.
    pub fn detail(&self) -> &str {
        match self {
            Self::GoogleMeet | Self::MicrosoftTeams | Self::Phone(None) => "",
            Self::Phone(Some(number)) => number.as_str(),
            Self::Address(place) => place,
            Self::Link(url) => url.as_str(),
        }
    }

    /// The service whose meeting the calendar provider makes with the event, by its own name.
    pub fn meeting_service(&self) -> Option<&'static str> {
        match self {
            Self::GoogleMeet => Some("Google Meet"),
            Self::MicrosoftTeams => Some("Microsoft Teams"),
            Self::Phone(_) | Self::Address(_) | Self::Link(_) => None,
        }
    }

    /// Whether the visitor must leave a number, because the host calls them.
    pub fn needs_visitor_phone(&self) -> bool {
        matches!(self, Self::Phone(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_out_of_bounds_is_named() {
        let input = RulesInput {
            duration_minutes: 0,
            buffer_before_minutes: 481,
            window: Window::RollingDays { days: 366 },
            limits: Limits { week: Limit { count: Some(0), minutes: None }, ..Limits::default() },
            seats: 0,
            ..RulesInput::default()
        };
        let errors = Rules::parse(input).unwrap_err();
        let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
        assert_eq!(fields, ["duration_minutes", "buffer_before_minutes", "window_days", "limit_week_count", "seats"]);
    }

    #[test]
    fn a_window_of_dates_does_not_end_before_it_begins() {
        let date = |text: &str| text.parse().unwrap();
        let window = Window::Dates { first: date("2026-12-02"), last: date("2026-12-01") };
        let errors = Rules::parse(RulesInput { window, ..RulesInput::default() }).unwrap_err();
        assert_eq!(errors.0[0].field, "window_last");
    }

    #[test]
    fn the_lengths_on_offer_are_sorted_and_told_once() {
        let rules = Rules::parse(RulesInput::default()).unwrap();
        let options = Options { other_durations: vec![60, 15, 30, 60], ..Options::default() }.checked(&rules).unwrap();
        assert_eq!(options.other_durations, [15, 60]);
        assert_eq!(options.durations(&rules), [15, 30, 60]);
    }

    #[test]
    fn every_option_out_of_bounds_is_named() {
        let rules = Rules::parse(RulesInput { seats: 10, ..RulesInput::default() }).unwrap();
        let options = Options {
            other_durations: vec![1],
            approval_hours: 0,
            most_occurrences: 25,
            cancel_notice_minutes: 90 * 1440 + 1,
            ..Options::default()
        };
        let errors = options.checked(&rules).unwrap_err();
        let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
        assert_eq!(
            fields,
            ["other_durations", "approval_hours", "most_occurrences", "cancel_notice_minutes", "most_occurrences"]
        );
    }

    #[cfg(feature = "serde")]
    #[test]
    fn rules_survive_json_and_what_is_left_out_has_its_default() {
        let date = |text: &str| text.parse().unwrap();
        let rules = RulesInput {
            window: Window::Dates { first: date("2026-12-01"), last: date("2026-12-24") },
            limits: Limits { day: Limit { count: Some(3), minutes: Some(120) }, ..Limits::default() },
            daily: DailyOffer::FirstFree,
            alignment: Alignment::Hour,
            seats: 8,
            ..RulesInput::default()
        };
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<RulesInput>(&json).unwrap(), rules);
        assert_eq!(serde_json::from_str::<RulesInput>("{}").unwrap(), RulesInput::default());
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_happens_while_stale_is_stored_by_its_name_and_asks_where_nothing_is_stored() {
        for when_stale in WhenStale::ALL {
            assert_eq!(WhenStale::parse(when_stale.as_str()), Some(when_stale));
            let json = serde_json::to_value(Options { when_stale, ..Options::default() }).unwrap();
            assert_eq!(json["when_stale"], when_stale.as_str());
        }
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap().when_stale, WhenStale::Ask);
        assert_eq!(WhenStale::parse("never"), None);
    }

    #[test]
    fn a_location_survives_its_kind_and_detail() {
        for (kind, detail) in [
            ("meet", ""),
            ("teams", ""),
            ("phone", ""),
            ("phone", "+34600123456"),
            ("address", "Calle Mayor 1"),
            ("link", "https://x.example/room"),
        ] {
            let location = Location::parse(kind, detail).unwrap();
            assert_eq!((location.kind(), location.detail()), (kind, detail));
        }
    }

    #[test]
    fn a_location_without_its_detail_names_the_field() {
        for (kind, field) in [("address", "location_detail"), ("link", "location_detail"), ("zoom", "location_kind")] {
            assert_eq!(Location::parse(kind, " ").unwrap_err().0[0].field, field);
        }
    }
}
