//! Cases of writing.

use chrono::TimeDelta;
use cupo_core::ids::ClaimId;
use cupo_providers::{
    Attendee, CalendarEvent, EventChange, EventMark, EventTime, Expected, ProviderError, PutOutcome, Reminder,
    ReminderMethod, Reminders, ResponseStatus, Transparency, Visibility,
};

use super::Subject;
use super::diary::{day, time, utc, window};

const CLAIM: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";
const GUEST: &str = "guest@example.net";
const FRIEND: &str = "friend@example.net";

fn at(text: &str) -> EventTime {
    EventTime::Instant { at: utc(time(text)), time_zone: Some("Europe/Madrid".to_owned()) }
}

fn mark() -> EventMark {
    EventMark { claim_id: ClaimId::parse(CLAIM).unwrap(), installation: "cupo.example".to_owned() }
}

/// The event of an appointment, with everything that Cupo says.
fn visit() -> CalendarEvent {
    CalendarEvent {
        description: Some("Name: Guest; \"quoted\", 50 % <b>\nSecond line — ñandú".to_owned()),
        location: Some("Calle Mayor 1, 2º; Madrid".to_owned()),
        attendees: vec![Attendee::invited(GUEST, Some("Guest, the \"first\"".to_owned()))],
        visibility: Visibility::Private,
        reminders: Reminders::Own(vec![Reminder { method: ReminderMethod::Popup, minutes_before: 20 }]),
        mark: Some(mark()),
        ..CalendarEvent::draft("First visit: Guest", at("2026-10-20T09:00:00"), at("2026-10-20T09:30:00"))
    }
}

async fn put(
    subject: &dyn Subject,
    event: &CalendarEvent,
    expected: Expected<'_>,
) -> Result<PutOutcome, ProviderError> {
    subject.provider().put_event(subject.access(), subject.calendar(), event, expected).await
}

async fn get(subject: &dyn Subject, id: &str) -> Option<CalendarEvent> {
    subject.provider().get_event(subject.access(), subject.calendar(), id).await.unwrap()
}

/// The times at which something stands in the calendar.
async fn standing(subject: &dyn Subject) -> Vec<CalendarEvent> {
    let whole = subject.provider().changes(subject.access(), subject.calendar(), None, window()).await.unwrap();
    let events = whole.events.into_iter().filter_map(|change| match change {
        EventChange::Upsert(event) => Some(*event),
        EventChange::Series { .. } => panic!("nobody made a series"),
        EventChange::Removed { .. } => None,
    });
    events.collect()
}

/// Whether both are the same instant on the same clock. Outlook has one name for the zones of Madrid and Paris.
fn is_same(read: &EventTime, written: &EventTime) -> bool {
    let local = |time: &EventTime| match time {
        EventTime::Instant { at, time_zone } => {
            let zone: chrono_tz::Tz = time_zone.as_deref().expect("it names its zone").parse().unwrap();
            (*at, at.with_timezone(&zone).naive_local())
        }
        EventTime::Day(day) => panic!("a day: {day}"),
    };
    local(read) == local(written)
}

/// The addresses of those who are invited besides the owner.
fn guests(event: &CalendarEvent, owner: &str) -> Vec<String> {
    let others = event.attendees.iter().filter(|attendee| !attendee.email.eq_ignore_ascii_case(owner));
    let mut emails: Vec<_> = others.map(|attendee| attendee.email.clone()).collect();
    emails.sort();
    emails
}

pub async fn an_event_is_read_as_it_was_written(subject: &mut dyn Subject) {
    let written = visit();
    let outcome = put(subject, &written, Expected::Create).await.unwrap();
    let read = get(subject, &outcome.id).await.expect("it is there");
    assert_eq!(read.id, outcome.id);
    assert_eq!(read.etag, outcome.etag);
    assert!(outcome.ical_uid.is_some());
    assert_eq!(read.ical_uid, outcome.ical_uid);
    assert_eq!(read.title, written.title);
    assert_eq!(read.description, written.description);
    assert_eq!(read.location, written.location);
    assert!(is_same(&read.start, &written.start), "{:?}", read.start);
    assert!(is_same(&read.end, &written.end), "{:?}", read.end);
    assert_eq!(read.transparency, Transparency::Opaque);
    assert_eq!(read.visibility, written.visibility);
    assert_eq!(read.reminders, written.reminders);
    assert_eq!(read.mark, written.mark);
    assert_eq!(guests(&read, subject.owner()), [GUEST]);
    let guest = read.attendees.iter().find(|attendee| attendee.email == GUEST).unwrap();
    assert_eq!(guest.response, ResponseStatus::NeedsAction);
    assert!(guest.name.is_some());
}

pub async fn a_repeated_creation_finds_the_first_one(subject: &mut dyn Subject) {
    let first = put(subject, &visit(), Expected::Create).await.unwrap();
    let again = put(subject, &visit(), Expected::Create).await.unwrap();
    assert_eq!(again.id, first.id);
    // The answer was lost, and the appointment or its event has moved before the repetition: the caller decides which.
    let moved = CalendarEvent { start: at("2026-10-21T09:00:00"), end: at("2026-10-21T09:30:00"), ..visit() };
    let later = put(subject, &moved, Expected::Create).await.unwrap();
    assert_eq!(later.id, first.id);
    let found = later.stands.expect("it stands at another time");
    assert!(is_same(&found.start, &visit().start), "{:?}", found.start);
    assert_eq!((&found.mark, &found.etag), (&visit().mark, &later.etag));
    let standing = standing(subject).await;
    assert_eq!(standing.len(), 1);
    assert!(is_same(&standing[0].start, &visit().start), "{:?}", standing[0].start);
    let change = CalendarEvent { id: later.id, ..moved.clone() };
    let updated = put(subject, &change, Expected::Update { etag: later.etag.as_deref() }).await.unwrap();
    assert_eq!(updated.stands, None);
    assert!(is_same(&get(subject, &first.id).await.unwrap().start, &moved.start));
}

pub async fn a_change_keeps_what_others_did_and_a_stale_one_is_refused(subject: &mut dyn Subject) {
    let made = put(subject, &visit(), Expected::Create).await.unwrap();
    let first = made.etag.clone().expect("it bears an etag");
    let moved = CalendarEvent {
        id: made.id.clone(),
        title: "Moved".to_owned(),
        location: None,
        start: at("2026-10-22T11:00:00"),
        end: at("2026-10-22T11:45:00"),
        // An update says nothing of these.
        attendees: Vec::new(),
        reminders: Reminders::Default,
        ..visit()
    };
    let second = put(subject, &moved, Expected::Update { etag: Some(&first) }).await.unwrap();
    assert_ne!(second.etag, made.etag);
    let read = get(subject, &made.id).await.unwrap();
    assert_eq!((read.title.as_str(), &read.location), ("Moved", &None));
    assert!(is_same(&read.start, &moved.start), "{:?}", read.start);
    assert!(is_same(&read.end, &moved.end), "{:?}", read.end);
    assert_eq!(guests(&read, subject.owner()), [GUEST], "nobody was uninvited");
    assert_eq!(read.reminders, visit().reminders);
    assert_eq!(read.mark, visit().mark);

    let stale = put(subject, &moved, Expected::Update { etag: Some(&first) }).await;
    assert_eq!(stale, Err(ProviderError::Conflict));
    let absent = CalendarEvent { id: format!("{}x", made.id), ..moved };
    let refused = put(subject, &absent, Expected::Update { etag: None }).await;
    assert_eq!(refused, Err(ProviderError::NotFound));
}

pub async fn guests_come_and_go(subject: &mut dyn Subject) {
    let made = put(subject, &visit(), Expected::Create).await.unwrap();
    let both = CalendarEvent {
        id: made.id.clone(),
        attendees: vec![Attendee::invited(GUEST, None), Attendee::invited(FRIEND, Some("Friend".to_owned()))],
        ..visit()
    };
    let came = Expected::UpdateAttendees { etag: made.etag.as_deref(), gone: &[] };
    let second = put(subject, &both, came).await.unwrap();
    assert_eq!(guests(&get(subject, &made.id).await.unwrap(), subject.owner()), [FRIEND, GUEST]);
    let one = CalendarEvent { attendees: vec![Attendee::invited(FRIEND, None)], ..both };
    let gone = [GUEST.to_owned()];
    let left = Expected::UpdateAttendees { etag: second.etag.as_deref(), gone: &gone };
    put(subject, &one, left).await.unwrap();
    assert_eq!(guests(&get(subject, &made.id).await.unwrap(), subject.owner()), [FRIEND]);
}

pub async fn a_written_event_comes_back_as_an_echo_with_its_mark(subject: &mut dyn Subject) {
    let before = subject.provider().changes(subject.access(), subject.calendar(), None, window()).await.unwrap();
    let made = put(subject, &visit(), Expected::Create).await.unwrap();
    let after = subject.provider().changes(subject.access(), subject.calendar(), Some(&before.cursor), window()).await;
    let after = after.unwrap();
    let echoes = after.events.iter().map(|change| match change {
        EventChange::Upsert(event) => (event.id.as_str(), event.etag.clone(), event.mark.clone()),
        other => panic!("{other:?}"),
    });
    let echoes: Vec<_> = echoes.collect();
    assert_eq!(echoes.last(), Some(&(made.id.as_str(), made.etag.clone(), Some(mark()))));
}

pub async fn a_deleted_event_is_gone_and_can_be_made_again(subject: &mut dyn Subject) {
    let made = put(subject, &visit(), Expected::Create).await.unwrap();
    let before = subject.provider().changes(subject.access(), subject.calendar(), None, window()).await.unwrap();
    let delete = async |id: &str| subject.provider().delete_event(subject.access(), subject.calendar(), id, true).await;
    assert_eq!(delete(&made.id).await, Ok(()));
    assert_eq!(delete(&made.id).await, Ok(()), "what is gone is no error");
    assert_eq!(get(subject, &made.id).await, None);
    let after = subject.provider().changes(subject.access(), subject.calendar(), Some(&before.cursor), window()).await;
    assert_eq!(after.unwrap().events, [EventChange::Removed { id: made.id.clone() }]);
    let gone = put(subject, &CalendarEvent { id: made.id.clone(), ..visit() }, Expected::Update { etag: None }).await;
    assert_eq!(gone, Err(ProviderError::NotFound));

    let again = put(subject, &visit(), Expected::Create).await.unwrap();
    assert!(get(subject, &again.id).await.is_some());
    assert_eq!(standing(subject).await.len(), 1);
}

pub async fn days_are_written_as_days(subject: &mut dyn Subject) {
    let days = CalendarEvent {
        start: EventTime::Day(day("2026-10-25")),
        end: EventTime::Day(day("2026-10-27")),
        transparency: Transparency::Transparent,
        attendees: Vec::new(),
        ..visit()
    };
    let made = put(subject, &days, Expected::Create).await.unwrap();
    let read = get(subject, &made.id).await.unwrap();
    assert_eq!((&read.start, &read.end), (&days.start, &days.end));
    assert_eq!(read.transparency, Transparency::Transparent);
    assert_eq!(read.busy_interval(chrono_tz::Europe::Madrid), None);
    let opaque = CalendarEvent { transparency: Transparency::Opaque, ..read };
    let busy = opaque.busy_interval(chrono_tz::Europe::Madrid).unwrap();
    assert_eq!(busy.duration(), TimeDelta::hours(49), "one of the days has 25 hours");
}
