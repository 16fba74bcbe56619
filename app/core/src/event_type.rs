//! What can be booked: the rules of its slots and where it takes place.

use chrono::TimeDelta;

use crate::parse::{FieldErrors, FieldProblem, HttpUrl, PhoneNumber, number_between, required_text};

/// The rules by which an event type offers slots. Every duration is a whole number of minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The length of an appointment: 5 minutes to 12 hours.
    pub duration: TimeDelta,
    /// From one offered start to the next: 5 minutes to 12 hours.
    pub increment: TimeDelta,
    /// Kept free before an appointment: up to 8 hours.
    pub buffer_before: TimeDelta,
    /// Kept free after an appointment: up to 8 hours.
    pub buffer_after: TimeDelta,
    /// How long before its start a slot stops being offered: up to 90 days.
    pub notice: TimeDelta,
    /// For how many days, counted from today in the host's zone, slots are offered: 1 to 365.
    pub window_days: u32,
}

/// [`Rules`] as people write them, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RulesInput {
    /// See [`Rules::duration`].
    pub duration_minutes: u32,
    /// See [`Rules::increment`].
    pub increment_minutes: u32,
    /// See [`Rules::buffer_before`].
    pub buffer_before_minutes: u32,
    /// See [`Rules::buffer_after`].
    pub buffer_after_minutes: u32,
    /// See [`Rules::notice`].
    pub notice_minutes: u32,
    /// See [`Rules::window_days`].
    pub window_days: u32,
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
        let window_days = errors.collect("window_days", number_between(input.window_days, 1, 365));
        match (duration, increment, buffer_before, buffer_after, notice, window_days) {
            (
                Some(duration),
                Some(increment),
                Some(buffer_before),
                Some(buffer_after),
                Some(notice),
                Some(window_days),
            ) => Ok(Self { duration, increment, buffer_before, buffer_after, notice, window_days }),
            _ => Err(errors),
        }
    }

    /// The same rules in whole minutes.
    pub fn to_input(&self) -> RulesInput {
        let minutes = |duration: TimeDelta| duration.num_minutes() as u32;
        RulesInput {
            duration_minutes: minutes(self.duration),
            increment_minutes: minutes(self.increment),
            buffer_before_minutes: minutes(self.buffer_before),
            buffer_after_minutes: minutes(self.buffer_after),
            notice_minutes: minutes(self.notice),
            window_days: self.window_days,
        }
    }
}

/// Where an appointment takes place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// A Google Meet conference that is made with the event.
    GoogleMeet,
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
            "phone" if detail.trim().is_empty() => Ok(Self::Phone(None)),
            "phone" => PhoneNumber::parse(detail).map(|number| Self::Phone(Some(number))).map_err(at_detail),
            "address" => required_text(detail, 300).map(Self::Address).map_err(at_detail),
            "link" => HttpUrl::parse(detail).map(Self::Link).map_err(at_detail),
            _ => Err(FieldProblem::new("error.location_kind").with("value", kind).at("location_kind").into()),
        }
    }

    /// `meet`, `phone`, `address` or `link`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GoogleMeet => "meet",
            Self::Phone(_) => "phone",
            Self::Address(_) => "address",
            Self::Link(_) => "link",
        }
    }

    /// The number, place or address; empty where there is none.
    pub fn detail(&self) -> &str {
        match self {
            Self::GoogleMeet | Self::Phone(None) => "",
            Self::Phone(Some(number)) => number.as_str(),
            Self::Address(place) => place,
            Self::Link(url) => url.as_str(),
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
            increment_minutes: 15,
            buffer_before_minutes: 481,
            buffer_after_minutes: 0,
            notice_minutes: 60,
            window_days: 366,
        };
        let errors = Rules::parse(input).unwrap_err();
        let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
        assert_eq!(fields, ["duration_minutes", "buffer_before_minutes", "window_days"]);
    }

    #[test]
    fn a_location_survives_its_kind_and_detail() {
        for (kind, detail) in [
            ("meet", ""),
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
