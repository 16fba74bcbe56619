//! The event model that is common to all providers.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use cupo_core::ids::ClaimId;
use cupo_core::interval::Interval;
use cupo_core::zone::first_instant_at_or_after;

/// An event of a calendar, or one instance of a recurring event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEvent {
    /// The provider's id within the calendar.
    pub id: String,
    pub etag: Option<String>,
    /// RFC 5545 `UID`.
    pub ical_uid: Option<String>,
    /// Empty when the provider hides it.
    pub title: String,
    pub description: Option<String>,
    pub location: Option<String>,
    pub start: EventTime,
    /// Exclusive.
    pub end: EventTime,
    pub status: EventStatus,
    pub transparency: Transparency,
    pub kind: EventKind,
    pub visibility: Visibility,
    pub attendees: Vec<Attendee>,
    /// Whether the attendees see one another.
    pub guests_see_each_other: bool,
    pub reminders: Reminders,
    pub meeting: Meeting,
    /// Present on the events that a Cupo wrote.
    pub mark: Option<EventMark>,
    /// The id of the series, for an instance of one.
    pub recurring_event_id: Option<String>,
    pub original_start: Option<EventTime>,
    /// Of a recurring event as a whole: the id of its first instance that takes place. That instance's are the times and the
    /// answers, and what else it says; the id, the etag and the mark are those of the whole.
    pub first_instance: Option<String>,
    pub html_link: Option<String>,
}

impl CalendarEvent {
    /// An opaque, confirmed event without attendees, reminders of its own or a meeting: what the fields of an event
    /// that is to be created default to.
    pub fn draft(title: impl Into<String>, start: EventTime, end: EventTime) -> Self {
        Self {
            id: String::new(),
            etag: None,
            ical_uid: None,
            title: title.into(),
            description: None,
            location: None,
            start,
            end,
            status: EventStatus::Confirmed,
            transparency: Transparency::Opaque,
            kind: EventKind::Default,
            visibility: Visibility::Default,
            attendees: Vec::new(),
            guests_see_each_other: true,
            reminders: Reminders::Default,
            meeting: Meeting::None,
            mark: None,
            recurring_event_id: None,
            original_start: None,
            first_instance: None,
            html_link: None,
        }
    }

    /// What stands for the recurring event `whole`: the first of its `instances` that takes place. `None` when none does.
    pub(crate) fn first_of(whole: Self, instances: impl IntoIterator<Item = Self>) -> Option<Self> {
        let takes_place = instances.into_iter().filter(|instance| instance.status != EventStatus::Cancelled);
        let first = takes_place.min_by_key(|instance| instance.start.instant(Tz::UTC))?;
        Some(Self {
            id: whole.id,
            etag: whole.etag,
            ical_uid: whole.ical_uid,
            mark: whole.mark,
            recurring_event_id: None,
            original_start: None,
            first_instance: Some(first.id),
            ..first
        })
    }

    /// The time that this event takes from the calendar's owner: the single rule of what blocks.
    ///
    /// `None` for what is cancelled, transparent, declined by the owner, a working location or a birthday, and for an
    /// event that has no length. A tentative event and one of an unknown kind block. All-day events run from the
    /// start of their first day to the start of the day after the last in `calendar_zone`, be these days 23 or 25
    /// hours long.
    pub fn busy_interval(&self, calendar_zone: Tz) -> Option<Interval> {
        let blocks = self.status != EventStatus::Cancelled
            && self.transparency == Transparency::Opaque
            && !matches!(self.kind, EventKind::WorkingLocation | EventKind::Birthday)
            && !self.attendees.iter().any(|attendee| attendee.is_self && attendee.response == ResponseStatus::Declined);
        if !blocks {
            return None;
        }
        Interval::new(self.start.instant(calendar_zone), self.end.instant(calendar_zone))
    }

    /// Whether the calendar's owner was invited and has said neither yes nor no.
    pub fn is_unanswered(&self) -> bool {
        self.attendees.iter().any(|attendee| attendee.is_self && attendee.response == ResponseStatus::NeedsAction)
    }
}

/// A point of time of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTime {
    /// An instant, and the zone (IANA) in which it was entered.
    Instant { at: DateTime<Utc>, time_zone: Option<String> },
    /// The start of a day in the calendar's zone.
    Day(NaiveDate),
}

impl EventTime {
    /// The instant; a day begins at midnight or, where a clock change skips midnight, right after the gap.
    pub fn instant(&self, calendar_zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Instant { at, .. } => *at,
            Self::Day(day) => first_instant_at_or_after(calendar_zone, day.and_time(NaiveTime::MIN)),
        }
    }

    /// Whether it is the same point of time, whatever the zone in which it was entered.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Instant { at: one, .. }, Self::Instant { at: other, .. }) => one == other,
            _ => self == other,
        }
    }
}

impl CalendarEvent {
    pub(crate) fn is_at_time_of(&self, other: &Self) -> bool {
        self.start.is_same(&other.start) && self.end.is_same(&other.end)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStatus {
    Confirmed,
    Tentative,
    Cancelled,
}

/// RFC 5545 `TRANSP`: whether the event takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transparency {
    Opaque,
    Transparent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    Default,
    OutOfOffice,
    FocusTime,
    WorkingLocation,
    Birthday,
    /// A kind that Cupo does not know, by the provider's name; it blocks.
    Other(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    Default,
    Public,
    Private,
    Confidential,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Empty when the provider hides it.
    pub email: String,
    pub name: Option<String>,
    pub response: ResponseStatus,
    /// The owner of the calendar in which the event was read.
    pub is_self: bool,
    pub is_organizer: bool,
}

impl Attendee {
    /// Somebody to invite.
    pub fn invited(email: impl Into<String>, name: Option<String>) -> Self {
        Self { email: email.into(), name, response: ResponseStatus::NeedsAction, is_self: false, is_organizer: false }
    }
}

/// RFC 5545 `PARTSTAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseStatus {
    NeedsAction,
    Accepted,
    Tentative,
    Declined,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reminders {
    /// Those of the calendar.
    Default,
    /// These and no others; empty means none.
    Own(Vec<Reminder>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    pub method: ReminderMethod,
    pub minutes_before: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReminderMethod {
    Email,
    Popup,
}

/// A kind of video meeting that a provider makes with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeetingKind {
    GoogleMeet,
    /// Teams of a work or school account (Graph `teamsForBusiness`).
    MicrosoftTeams,
}

/// The video meeting of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meeting {
    None,
    /// To be made by the provider. The same `request_id` is made once only; after a failure take a new one.
    Request {
        request_id: String,
    },
    /// The provider is making it: read the event again.
    Pending,
    Ready {
        url: String,
    },
    Failed,
}

/// What is known of the link to an event's video meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingLink {
    None,
    Pending,
    Ready { url: String },
    Failed,
}

impl From<Meeting> for MeetingLink {
    fn from(meeting: Meeting) -> Self {
        match meeting {
            Meeting::None => Self::None,
            Meeting::Request { .. } | Meeting::Pending => Self::Pending,
            Meeting::Ready { url } => Self::Ready { url },
            Meeting::Failed => Self::Failed,
        }
    }
}

/// By which Cupo knows its own events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMark {
    /// The time that the event takes: one event stands for all appointments that share a slot's seats.
    pub claim_id: ClaimId,
    /// The installation that wrote the event: another Cupo may share the calendar.
    pub installation: String,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(text: &str) -> EventTime {
        EventTime::Instant { at: text.parse().unwrap(), time_zone: None }
    }

    fn meeting() -> CalendarEvent {
        CalendarEvent::draft("Meeting", at("2026-11-23T09:00:00Z"), at("2026-11-23T10:00:00Z"))
    }

    fn all_day(from: &str, to: &str) -> CalendarEvent {
        CalendarEvent::draft("Away", EventTime::Day(from.parse().unwrap()), EventTime::Day(to.parse().unwrap()))
    }

    fn answered(response: ResponseStatus, is_self: bool) -> Attendee {
        Attendee { response, is_self, ..Attendee::invited("someone@example.com", None) }
    }

    #[test]
    fn an_ordinary_event_blocks_from_its_start_to_its_end() {
        let busy = meeting().busy_interval(Tz::Europe__Madrid).unwrap();
        assert_eq!(busy.start.to_rfc3339(), "2026-11-23T09:00:00+00:00");
        assert_eq!(busy.duration(), TimeDelta::hours(1));
    }

    #[test]
    fn what_is_free_cancelled_or_declined_by_the_owner_does_not_block() {
        let declined = vec![answered(ResponseStatus::Declined, true)];
        for event in [
            CalendarEvent { transparency: Transparency::Transparent, ..meeting() },
            CalendarEvent { status: EventStatus::Cancelled, ..meeting() },
            CalendarEvent { kind: EventKind::WorkingLocation, ..meeting() },
            CalendarEvent { kind: EventKind::Birthday, ..meeting() },
            CalendarEvent { attendees: declined, ..meeting() },
            CalendarEvent { end: meeting().start, ..meeting() },
        ] {
            assert_eq!(event.busy_interval(Tz::UTC), None, "{event:?}");
        }
    }

    #[test]
    fn what_is_tentative_out_of_office_focus_or_unknown_blocks() {
        let declined_by_a_guest = vec![answered(ResponseStatus::Declined, false)];
        let unanswered = vec![answered(ResponseStatus::NeedsAction, true)];
        for event in [
            CalendarEvent { status: EventStatus::Tentative, ..meeting() },
            CalendarEvent { kind: EventKind::OutOfOffice, ..meeting() },
            CalendarEvent { kind: EventKind::FocusTime, ..meeting() },
            CalendarEvent { kind: EventKind::Other("fromGmail".into()), ..meeting() },
            CalendarEvent { attendees: declined_by_a_guest, ..meeting() },
            CalendarEvent { attendees: unanswered, ..meeting() },
        ] {
            assert!(event.busy_interval(Tz::UTC).is_some(), "{event:?}");
        }
    }

    #[test]
    fn only_the_owners_own_answer_is_awaited() {
        let with = |response, is_self| CalendarEvent { attendees: vec![answered(response, is_self)], ..meeting() };
        assert!(with(ResponseStatus::NeedsAction, true).is_unanswered());
        assert!(!with(ResponseStatus::NeedsAction, false).is_unanswered());
        assert!(!with(ResponseStatus::Tentative, true).is_unanswered());
        assert!(!meeting().is_unanswered());
    }

    #[test]
    fn an_all_day_event_runs_in_the_calendars_zone_and_its_end_is_exclusive() {
        let busy = all_day("2026-11-23", "2026-11-24").busy_interval(Tz::America__New_York).unwrap();
        assert_eq!(busy.start.to_rfc3339(), "2026-11-23T05:00:00+00:00");
        assert_eq!(busy.end.to_rfc3339(), "2026-11-24T05:00:00+00:00");
    }

    #[test]
    fn a_day_of_a_clock_change_is_as_long_as_it_is() {
        let spring = all_day("2026-03-29", "2026-03-30").busy_interval(Tz::Europe__Madrid).unwrap();
        assert_eq!(spring.duration(), TimeDelta::hours(23));
        let autumn = all_day("2026-10-25", "2026-10-26").busy_interval(Tz::Europe__Madrid).unwrap();
        assert_eq!(autumn.duration(), TimeDelta::hours(25));
        // Midnight does not exist on this day: Santiago goes from 24:00 to 01:00.
        let gap = all_day("2026-09-06", "2026-09-07").busy_interval(Tz::America__Santiago).unwrap();
        assert_eq!(
            (gap.start.to_rfc3339().as_str(), gap.duration()),
            ("2026-09-06T04:00:00+00:00", TimeDelta::hours(23))
        );
    }
}
