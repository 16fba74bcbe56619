//! Cases of reading.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use cupo_core::interval::{Interval, normalize};
use cupo_providers::{CalendarEvent, Changes, EventChange, EventKind, EventStatus, ProviderError, SyncCursor};

use super::diary::{ZONE, time, utc, window};
use super::{Diary, Entry, Shows, Subject};

/// A copy of the calendar's busy time that is kept as the engine keeps it.
#[derive(Default)]
struct Mirror {
    busy: BTreeMap<String, Interval>,
    cursor: Option<SyncCursor>,
}

impl Mirror {
    async fn follow(&mut self, subject: &dyn Subject) -> Changes {
        let (provider, access) = (subject.provider(), subject.access());
        let changes = provider.changes(access, subject.calendar(), self.cursor.as_ref(), window()).await.unwrap();
        self.apply(&changes);
        changes
    }

    fn apply(&mut self, changes: &Changes) {
        if changes.is_whole {
            self.busy.clear();
        }
        let tz: Tz = changes.time_zone.as_deref().map_or(ZONE, |name| name.parse().unwrap());
        for change in &changes.events {
            let (id, events) = match change {
                EventChange::Upsert(event) => (&event.id, vec![&**event]),
                EventChange::Series { id, instances } => (id, instances.iter().collect()),
                EventChange::Removed { id } => (id, Vec::new()),
            };
            self.busy.retain(|known, _| known != id && !known.starts_with(&format!("{id}#")));
            let busy = events.iter().filter_map(|event| Some((event.id.clone(), event.busy_interval(tz)?)));
            self.busy.extend(busy);
        }
        self.cursor = Some(changes.cursor.clone());
    }

    fn busy(&self) -> Vec<Interval> {
        normalize(self.busy.values().filter_map(|busy| busy.intersection(&window())).collect())
    }
}

async fn free_busy(subject: &dyn Subject) -> Vec<Interval> {
    let answer = subject.provider().free_busy(subject.access(), &[subject.calendar()], window()).await.unwrap();
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].calendar, subject.calendar());
    answer[0].busy.clone().unwrap()
}

/// A calendar of all kinds of entries.
fn full() -> Diary {
    Diary(BTreeMap::from([
        ("dentist", Entry::at("2026-10-06T09:00:00", "2026-10-06T10:30:00")),
        ("fair", Entry::on("2026-10-08", "2026-10-10")),
        ("birthday", Entry::on("2026-10-12", "2026-10-13").that(Shows::Free)),
        ("maybe", Entry::at("2026-10-13T16:00:00", "2026-10-13T17:00:00").that(Shows::Tentative)),
        ("errand", Entry::at("2026-10-14T12:00:00", "2026-10-14T13:00:00").that(Shows::Free)),
        ("party", Entry::at("2026-10-15T20:00:00", "2026-10-15T23:00:00").that(Shows::Declined)),
        ("doctor", Entry::at("2026-10-16T08:00:00", "2026-10-16T08:45:00").that(Shows::Private)),
        ("invitation", Entry::at("2026-10-20T11:00:00", "2026-10-20T12:00:00").that(Shows::Unanswered)),
        ("trip", Entry::at("2026-10-21T09:00:00", "2026-10-22T18:00:00").that(Shows::Away)),
        // The end of summer time, from midnight to midnight: 25 hours.
        ("long night", Entry::on("2026-10-25", "2026-10-26")),
        (
            "yoga",
            Entry::at("2026-10-07T18:00:00", "2026-10-07T19:00:00").weekly(
                6,
                Some(1),
                Some((3, "2026-10-29T07:00:00")),
            ),
        ),
    ]))
}

pub async fn its_calendars_are_listed(subject: &mut dyn Subject) {
    let calendars = subject.provider().list_calendars(subject.access()).await.unwrap();
    let ours = calendars.iter().find(|calendar| calendar.id == subject.calendar()).expect("the calendar is listed");
    assert!(!ours.name.is_empty());
    assert_eq!(calendars.iter().filter(|calendar| calendar.id == ours.id).count(), 1);
}

pub async fn a_whole_round_tells_what_the_window_holds(subject: &mut dyn Subject) {
    let diary = full();
    subject.keep(&diary).await;
    let mut mirror = Mirror::default();
    let changes = mirror.follow(subject).await;
    assert!(changes.is_whole);
    assert_eq!(mirror.busy(), diary.busy(window()));
    let events = changes.events.iter().flat_map(|change| match change {
        EventChange::Upsert(event) => std::slice::from_ref(&**event),
        EventChange::Series { instances, .. } => instances,
        EventChange::Removed { .. } => &[],
    });
    let events: Vec<&CalendarEvent> = events.collect();
    let count = |is: fn(&CalendarEvent) -> bool| events.iter().filter(|event| is(event)).count();
    // What blocks by choice is told apart. An invitation without answer may be tentative as well.
    let is_tentative = |event: &CalendarEvent| event.status == EventStatus::Tentative && !event.is_unanswered();
    assert_eq!(count(is_tentative), 1, "{events:?}");
    assert_eq!(count(CalendarEvent::is_unanswered), 1, "{events:?}");
    assert_eq!(count(|event| event.kind == EventKind::OutOfOffice), 1, "{events:?}");
}

pub async fn free_busy_and_the_mirror_agree_after_every_change_by_hand(subject: &mut dyn Subject) {
    let mut diary = full();
    subject.keep(&diary).await;
    let mut mirror = Mirror::default();
    mirror.follow(subject).await;
    let steps: [(&str, Option<Entry>); 9] = [
        ("new", Some(Entry::at("2026-11-02T09:00:00", "2026-11-02T10:00:00"))),
        ("new", Some(Entry::at("2026-11-03T15:00:00", "2026-11-03T15:30:00"))),
        ("dentist", None),
        ("fair", Some(Entry::on("2026-10-09", "2026-10-12"))),
        ("maybe", Some(Entry::at("2026-10-13T16:00:00", "2026-10-13T17:00:00"))),
        ("errand", Some(Entry::at("2026-10-14T12:00:00", "2026-10-14T13:00:00"))),
        ("new", Some(Entry::at("2026-11-03T15:00:00", "2026-11-03T15:30:00").that(Shows::Free))),
        ("yoga", None),
        ("doctor", Some(Entry::at("2026-10-16T08:00:00", "2026-10-16T09:45:00").that(Shows::Private))),
    ];
    for (name, entry) in steps {
        match entry {
            Some(entry) => drop(diary.0.insert(name, entry)),
            None => drop(diary.0.remove(name)),
        }
        subject.keep(&diary).await;
        mirror.follow(subject).await;
        let expected = diary.busy(window());
        assert_eq!(mirror.busy(), expected, "the mirror after {name}");
        assert_eq!(free_busy(subject).await, expected, "free/busy after {name}");
    }
}

pub async fn a_series_keeps_its_local_time_and_its_exceptions(subject: &mut dyn Subject) {
    let series = |cancelled, moved| {
        let entry = Entry::at("2026-10-19T09:00:00", "2026-10-19T10:00:00").weekly(4, cancelled, moved);
        Diary(BTreeMap::from([("visit", entry)]))
    };
    subject.keep(&series(None, None)).await;
    let mut mirror = Mirror::default();
    mirror.follow(subject).await;
    let starts: Vec<_> = mirror.busy().iter().map(|busy| busy.start).collect();
    let at = |text: &str| utc(time(text));
    // Nine o'clock in Madrid is 07:00 UTC in summer and 08:00 UTC in winter.
    assert_eq!(
        starts,
        [at("2026-10-19T09:00:00"), at("2026-10-26T09:00:00"), at("2026-11-02T09:00:00"), at("2026-11-09T09:00:00")]
    );
    assert_eq!((starts[1] - starts[0]).num_hours(), 7 * 24 + 1);

    subject.keep(&series(Some(2), Some((1, "2026-10-27T12:00:00")))).await;
    mirror.follow(subject).await;
    let starts: Vec<_> = mirror.busy().iter().map(|busy| busy.start).collect();
    assert_eq!(starts, [at("2026-10-19T09:00:00"), at("2026-10-27T12:00:00"), at("2026-11-09T09:00:00")]);

    subject.keep(&Diary::default()).await;
    mirror.follow(subject).await;
    assert_eq!(mirror.busy(), []);
}

pub async fn nothing_is_told_twice_and_nothing_changed_is_told_as_nothing(subject: &mut dyn Subject) {
    subject.keep(&full()).await;
    let mut mirror = Mirror::default();
    mirror.follow(subject).await;
    let again = mirror.follow(subject).await;
    assert_eq!(again.events, [], "nothing happened");
    assert!(!again.is_whole, "an empty whole round would say that everything is gone");
    assert_eq!(mirror.busy(), full().busy(window()));
}

pub async fn an_expired_cursor_leads_to_a_whole_round(subject: &mut dyn Subject) {
    let mut diary = full();
    subject.keep(&diary).await;
    let mut mirror = Mirror::default();
    mirror.follow(subject).await;
    diary.0.remove("dentist");
    diary.0.insert("new", Entry::at("2026-11-02T09:00:00", "2026-11-02T10:00:00"));
    subject.keep(&diary).await;
    subject.expire_cursors().await;
    let (provider, access) = (subject.provider(), subject.access());
    match provider.changes(access, subject.calendar(), mirror.cursor.as_ref(), window()).await {
        Err(ProviderError::CursorExpired) => mirror.cursor = None,
        // A calendar whose cursors never expire tells the changes.
        Ok(changes) => mirror.apply(&changes),
        Err(error) => panic!("{error}"),
    }
    if mirror.cursor.is_none() {
        assert!(mirror.follow(subject).await.is_whole);
    }
    assert_eq!(mirror.busy(), diary.busy(window()));
}

pub async fn an_unknown_calendar_is_never_free(subject: &mut dyn Subject) {
    subject.keep(&full()).await;
    let unknown = format!("{}-unknown", subject.calendar());
    let asked = [subject.calendar(), unknown.as_str()];
    let answer = subject.provider().free_busy(subject.access(), &asked, window()).await.unwrap();
    assert_eq!(answer.len(), 2);
    assert_eq!(answer[0].busy.as_deref(), Ok(&full().busy(window())[..]), "the other one is known all the same");
    assert!(answer[1].busy.is_err(), "{:?}", answer[1]);
    let cursor = None;
    let told = subject.provider().changes(subject.access(), &unknown, cursor, window()).await;
    assert!(matches!(told, Err(ProviderError::NotFound | ProviderError::Rejected(_))), "{told:?}");
}
