//! The CalDAV adapter on a real server.

use chrono::TimeDelta;
use cupo_core::interval::Interval;
use cupo_providers::caldav::{CaldavProvider, DiscoveryError, DiscoveryInput, discover};
use cupo_providers::clock::Clock;
use cupo_providers::{
    Access, Attendee, CalendarEvent, CalendarProvider, Changes, EventChange, EventTime, Expected, MeetingLink,
    ProviderError, ReauthReason, ResponseStatus, Secret, Transport, TransportConfig, instance_id,
};

use crate::radicale::{ANA, BEN, PASSWORD, Radicale};
use crate::world::{APPOINTMENT, GUEST, appointment_event, hour, hours, instant};

struct World {
    radicale: Radicale,
    caldav: CaldavProvider,
    ana: Access,
    /// In Madrid.
    calendar: String,
}

impl World {
    async fn start() -> Self {
        let radicale = Radicale::start();
        let calendar = radicale.make_calendar(ANA, "Work", Some("Europe/Madrid"), &["VEVENT"]).await;
        let ana = radicale.access(ANA);
        Self { caldav: CaldavProvider::new(transport(), clock()), radicale, ana, calendar }
    }

    async fn put(
        &self,
        event: &CalendarEvent,
        expected: Expected<'_>,
    ) -> Result<cupo_providers::PutOutcome, ProviderError> {
        self.caldav.put_event(&self.ana, &self.calendar, event, expected).await
    }

    async fn get(&self, id: &str) -> Option<CalendarEvent> {
        self.caldav.get_event(&self.ana, &self.calendar, id).await.unwrap()
    }

    async fn changes(&self, since: Option<&Changes>, window: Interval) -> Result<Changes, ProviderError> {
        self.caldav.changes(&self.ana, &self.calendar, since.map(|round| &round.cursor), window).await
    }
}

fn transport() -> Transport {
    Transport::new(TransportConfig::default()).unwrap()
}

fn clock() -> Clock {
    Clock::new(|| hour(-24))
}

/// The last part of each id, `-` before those removed and `*` before the recurring ones; sorted.
fn told(changes: &Changes) -> Vec<String> {
    let name = |id: &str| id.rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
    let mut told: Vec<String> = changes
        .events
        .iter()
        .map(|change| match change {
            EventChange::Upsert(event) => name(&event.id),
            EventChange::Series { id, .. } => format!("*{}", name(id)),
            EventChange::Removed { id } => format!("-{}", name(id)),
        })
        .collect();
    told.sort();
    told
}

fn week() -> Interval {
    hours(0, 24 * 7)
}

/// The lines of an event from one hour of 2 November to another, in UTC.
fn lines(from: u32, to: u32, more: &str) -> String {
    format!("DTSTART:20261102T{from:02}0000Z\nDTEND:20261102T{to:02}0000Z\nSUMMARY:Host's own\n{more}")
        .trim_end()
        .to_owned()
}

fn input(server: &str, username: &str, password: &str) -> DiscoveryInput {
    DiscoveryInput { server_or_email: server.into(), username: username.into(), password: Secret::new(password) }
}

#[tokio::test]
async fn the_home_is_found_from_the_servers_address_and_from_any_below_it() {
    let world = World::start().await;
    let home = world.radicale.home_of(ANA);
    for typed in [world.radicale.url().as_str(), home.as_str(), world.calendar.as_str()] {
        let found = discover(&transport(), &input(typed, ANA, PASSWORD)).await.unwrap();
        assert_eq!((&found.home, &found.principal), (&home, &home), "{typed}");
    }
    let host = world.radicale.url().authority().to_owned();
    assert_eq!(discover(&transport(), &input(&host, ANA, PASSWORD)).await.unwrap().home, home);
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_from_an_account_without_calendars() {
    let world = World::start().await;
    let server = world.radicale.url().as_str();
    let refused = discover(&transport(), &input(server, ANA, "wrong")).await;
    assert_eq!(refused, Err(DiscoveryError::WrongPassword));
    let refused = discover(&transport(), &input(server, BEN, PASSWORD)).await;
    assert_eq!(refused, Err(DiscoveryError::NoCalendars));
    world.radicale.make_calendar(BEN, "Tasks", None, &["VTODO"]).await;
    let refused = discover(&transport(), &input(server, BEN, PASSWORD)).await;
    assert_eq!(refused, Err(DiscoveryError::NoCalendars));

    let wrong = world.radicale.access_with(ANA, "wrong");
    let reauth = ProviderError::Reauth(ReauthReason::WrongPassword);
    assert_eq!(world.caldav.list_calendars(&wrong).await, Err(reauth.clone()));
    assert_eq!(world.caldav.changes(&wrong, &world.calendar, None, week()).await, Err(reauth.clone()));
    assert_eq!(world.caldav.free_busy(&wrong, &[&world.calendar], week()).await, Err(reauth.clone()));
    let put = world.caldav.put_event(&wrong, &world.calendar, &appointment_event(), Expected::Create).await;
    assert_eq!(put, Err(reauth));
}

#[tokio::test]
async fn the_calendars_for_events_are_listed_with_what_the_server_knows_of_them() {
    let world = World::start().await;
    world.radicale.make_calendar(ANA, "Tasks", None, &["VTODO"]).await;
    let other = world.radicale.make_calendar(ANA, "Default", None, &["VEVENT", "VTODO"]).await;
    let mut calendars = world.caldav.list_calendars(&world.ana).await.unwrap();
    calendars.sort_by(|a, b| b.name.cmp(&a.name));
    let [work, default] = calendars.as_slice() else { panic!("{calendars:?}") };
    assert_eq!((&work.id, work.name.as_str()), (&world.calendar, "Work"));
    assert_eq!((work.color.as_deref(), work.time_zone.as_deref()), (Some("#1e88e5"), Some("Europe/Madrid")));
    assert!(work.can_write && work.meetings.is_empty());
    assert_eq!((&default.id, default.time_zone.as_deref()), (&other, None));
    assert!(default.is_primary && !work.is_primary);
    assert!(!world.caldav.has_notifications());
}

#[tokio::test]
async fn an_event_is_created_moved_and_deleted() {
    let world = World::start().await;
    let created = world.put(&appointment_event(), Expected::Create).await.unwrap();
    assert!(created.id.starts_with(&world.calendar) && created.id.ends_with(".ics"), "{}", created.id);
    assert_eq!(created.ical_uid, Some(format!("cupo-{APPOINTMENT}@https://cupo.example")));
    assert_eq!((created.meeting.clone(), created.html_link.clone()), (MeetingLink::None, None));
    assert!(created.etag.is_some());

    let mut event = world.get(&created.id).await.unwrap();
    assert_eq!((&event.id, &event.etag, &event.ical_uid), (&created.id, &created.etag, &created.ical_uid));
    assert_eq!((&event.mark, &event.title), (&appointment_event().mark, &appointment_event().title));
    assert_eq!((event.start.clone(), event.end.clone()), (instant(hour(9)), instant(hour(10))));

    (event.start, event.end) = (instant(hour(14)), instant(hour(15)));
    let moved = world.put(&event, Expected::Update { etag: created.etag.as_deref() }).await.unwrap();
    assert_eq!((&moved.id, &moved.ical_uid), (&created.id, &created.ical_uid));
    assert_ne!(moved.etag, created.etag);
    let found = world.get(&created.id).await.unwrap();
    assert_eq!((found.start, found.etag), (instant(hour(14)), moved.etag));

    world.caldav.delete_event(&world.ana, &world.calendar, &created.id, true).await.unwrap();
    assert_eq!(world.get(&created.id).await, None);
    world.caldav.delete_event(&world.ana, &world.calendar, &created.id, false).await.unwrap();
}

#[tokio::test]
async fn creating_twice_makes_one_event_and_writes_again_only_when_something_differs() {
    let world = World::start().await;
    let first = world.put(&appointment_event(), Expected::Create).await.unwrap();
    let again = world.put(&appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(again, first);
    let mut more = appointment_event();
    more.attendees.push(Attendee::invited("second@example.net", None));
    let updated = world.put(&more, Expected::Create).await.unwrap();
    assert_eq!((updated.id.as_str(), updated.stands), (first.id.as_str(), None));
    // It may have been moved there: it is told, and left alone.
    let mut later = appointment_event();
    (later.start, later.end) = (instant(hour(11)), instant(hour(12)));
    let left = world.put(&later, Expected::Create).await.unwrap();
    assert_eq!(
        (left.id.as_str(), left.stands.unwrap().start.instant(chrono_tz::Tz::UTC)),
        (first.id.as_str(), hour(9))
    );
    let found = world.get(&first.id).await.unwrap();
    assert_eq!((found.start.instant(chrono_tz::Tz::UTC), found.attendees.len()), (hour(9), more.attendees.len()));
    assert_eq!(world.radicale.names(&world.calendar).await.len(), 1);
}

#[tokio::test]
async fn an_event_that_was_deleted_can_be_created_again() {
    let world = World::start().await;
    let first = world.put(&appointment_event(), Expected::Create).await.unwrap();
    world.caldav.delete_event(&world.ana, &world.calendar, &first.id, true).await.unwrap();
    let again = world.put(&appointment_event(), Expected::Create).await.unwrap();
    assert!(world.get(&again.id).await.is_some());
    assert_eq!(world.radicale.names(&world.calendar).await.len(), 1);
}

#[tokio::test]
async fn a_name_or_a_uid_that_a_stranger_holds_gives_way_to_the_next_one() {
    let world = World::start().await;
    let first = world.put(&appointment_event(), Expected::Create).await.unwrap();
    world.radicale.delete(&first.id).await;
    let name = first.id.rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
    world.radicale.write(&world.calendar, &name, &lines(1, 2, "")).await;
    let second = world.put(&appointment_event(), Expected::Create).await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!(world.put(&appointment_event(), Expected::Create).await.unwrap(), second);

    world.radicale.delete(&second.id).await;
    let uid = second.ical_uid.unwrap();
    let taken = format!("BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n{}\nEND:VEVENT", lines(3, 4, ""));
    world.radicale.write(&world.calendar, "stranger", &taken).await;
    let third = world.put(&appointment_event(), Expected::Create).await.unwrap();
    assert_ne!(third.id, second.id);
    assert_eq!(world.get(&third.id).await.unwrap().mark, appointment_event().mark);
}

#[tokio::test]
async fn an_event_that_a_program_gave_another_name_is_not_made_twice() {
    let world = World::start().await;
    let first = world.put(&appointment_event(), Expected::Create).await.unwrap();
    let text = world.radicale.read(&first.id).await;
    world.radicale.delete(&first.id).await;
    let (_, event) = text.split_once("BEGIN:VEVENT").unwrap();
    let event = format!("BEGIN:VEVENT{}END:VEVENT", event.split_once("END:VEVENT").unwrap().0);
    let renamed = world.radicale.write(&world.calendar, "renamed", &event).await;
    let again = world.put(&appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(again.id, renamed);
    assert_eq!(world.radicale.names(&world.calendar).await, ["renamed.ics"]);
}

#[tokio::test]
async fn an_update_of_what_the_host_changed_is_a_conflict_and_of_what_they_deleted_is_not_found() {
    let world = World::start().await;
    let created = world.put(&appointment_event(), Expected::Create).await.unwrap();
    let mut by_host = appointment_event();
    (by_host.id, by_host.title) = (created.id.clone(), "Moved by hand".into());
    world.put(&by_host, Expected::Update { etag: None }).await.unwrap();

    let mut wanted = appointment_event();
    wanted.id = created.id.clone();
    for expected in [
        Expected::Update { etag: created.etag.as_deref() },
        Expected::UpdateAttendees { etag: created.etag.as_deref(), gone: &[] },
    ] {
        assert_eq!(world.put(&wanted, expected).await, Err(ProviderError::Conflict));
    }
    assert_eq!(world.get(&created.id).await.unwrap().title, "Moved by hand");

    world.radicale.delete(&created.id).await;
    assert_eq!(world.put(&wanted, Expected::Update { etag: None }).await, Err(ProviderError::NotFound));
    let elsewhere = world.calendar.replace("/work/", "/neverheardof/");
    let refused = world.caldav.put_event(&world.ana, &elsewhere, &appointment_event(), Expected::Create).await;
    assert_eq!(refused, Err(ProviderError::NotFound));
}

#[tokio::test]
async fn an_update_keeps_what_the_hosts_program_wrote() {
    let world = World::start().await;
    let created = world.put(&appointment_event(), Expected::Create).await.unwrap();
    let text = world.radicale.read(&created.id).await;
    let guest = text.lines().find(|line| line.starts_with("ATTENDEE") && line.contains(GUEST)).unwrap();
    let answered = format!("ATTENDEE;PARTSTAT=ACCEPTED:mailto:{GUEST}");
    let kept = "ATTENDEE;PARTSTAT=TENTATIVE:mailto:colleague@example.com\nX-HOST-NOTE:bring the keys\nBEGIN:VALARM\n\
                ACTION:DISPLAY\nDESCRIPTION:soon\nTRIGGER:-PT15M\nEND:VALARM\nEND:VEVENT";
    let text = text.replace(guest, &answered).replace("END:VEVENT", kept).replace('\n', "\r\n");
    let (status, _) = world.radicale.ask(ANA, "PUT", &created.id, &[("content-type", "text/calendar")], text).await;
    assert!(status.is_success());

    let mut wanted = appointment_event();
    (wanted.id, wanted.title) = (created.id.clone(), "Consultation, second floor".into());
    world.put(&wanted, Expected::Update { etag: None }).await.unwrap();
    let text = world.radicale.read(&created.id).await;
    assert!(text.contains("X-HOST-NOTE:bring the keys") && text.contains("TRIGGER:-PT15M"), "{text}");
    let found = world.get(&created.id).await.unwrap();
    assert_eq!(found.title, wanted.title);
    let answers: Vec<_> = found.attendees.iter().map(|attendee| (attendee.email.as_str(), attendee.response)).collect();
    assert!(answers.contains(&(GUEST, ResponseStatus::Accepted)), "{answers:?}");
    assert!(answers.contains(&("colleague@example.com", ResponseStatus::Tentative)), "{answers:?}");
}

#[tokio::test]
async fn the_host_invites_and_visitors_who_share_seats_come_and_go() {
    let world = World::start().await;
    let created = world.put(&appointment_event(), Expected::Create).await.unwrap();
    let text = world.radicale.read(&created.id).await;
    assert!(
        text.lines().any(|line| line.starts_with("ORGANIZER") && line.ends_with(&format!("mailto:{ANA}"))),
        "{text}"
    );

    let put = async |visitors: &[&str], gone: &[String]| {
        let mut wanted = appointment_event();
        wanted.id = created.id.clone();
        wanted.attendees = visitors.iter().map(|email| Attendee::invited(*email, None)).collect();
        world.put(&wanted, Expected::UpdateAttendees { etag: None, gone }).await.unwrap();
        let found = world.get(&created.id).await.unwrap();
        let mut emails: Vec<_> = found.attendees.into_iter().filter(|a| !a.is_self).map(|a| a.email).collect();
        emails.sort();
        emails
    };
    assert_eq!(put(&[GUEST, "second@example.net"], &[]).await, [GUEST, "second@example.net"]);
    assert_eq!(put(&["second@example.net"], &["Guest@example.net".to_owned()]).await, ["second@example.net"]);
}

#[tokio::test]
async fn a_host_whose_address_nobody_knows_writes_events_all_the_same() {
    let world = World::start().await;
    let calendar = world.radicale.make_calendar(BEN, "Work", None, &["VEVENT"]).await;
    let ben = world.radicale.access(BEN);
    let created = world.caldav.put_event(&ben, &calendar, &appointment_event(), Expected::Create).await.unwrap();
    let found = world.caldav.get_event(&ben, &calendar, &created.id).await.unwrap().unwrap();
    assert_eq!(found.mark, appointment_event().mark);
    let (_, text) = world.radicale.ask(BEN, "GET", &created.id, &[], "").await;
    assert!(!text.contains("ORGANIZER"), "{text}");
}

#[tokio::test]
async fn a_full_round_tells_the_window_and_the_next_what_changed_since() {
    let world = World::start().await;
    for (name, from) in [("kept", 1), ("moved", 3), ("deleted", 5), ("left", 7)] {
        world.radicale.write(&world.calendar, name, &lines(from, from + 1, "")).await;
    }
    let far = "DTSTART:20270302T090000Z\nDTEND:20270302T100000Z\nSUMMARY:Far";
    world.radicale.write(&world.calendar, "far", far).await;
    let first = world.changes(None, week()).await.unwrap();
    assert_eq!(told(&first), ["deleted", "kept", "left", "moved"]);
    assert!(first.is_whole);
    assert_eq!(first.time_zone.as_deref(), Some("Europe/Madrid"));

    let nothing = world.changes(Some(&first), week()).await.unwrap();
    assert_eq!((told(&nothing), nothing.is_whole), (Vec::new(), false));

    world.radicale.write(&world.calendar, "moved", &lines(9, 10, "")).await;
    world.radicale.write(&world.calendar, "added", &lines(11, 12, "")).await;
    world.radicale.write(&world.calendar, "cancelled", &lines(13, 14, "STATUS:CANCELLED")).await;
    world.radicale.write(&world.calendar, "left", far).await;
    world.radicale.delete(&format!("{}deleted.ics", world.calendar)).await;
    // The window of the first round holds.
    let second = world.changes(Some(&nothing), hours(0, 1)).await.unwrap();
    assert_eq!(told(&second), ["-cancelled", "-deleted", "-left", "added", "moved"]);
    assert!(!second.is_whole);
    let moved = second.events.iter().find_map(|change| match change {
        EventChange::Upsert(event) if event.id.ends_with("/moved.ics") => Some(event),
        _ => None,
    });
    assert_eq!(moved.unwrap().start.instant(chrono_tz::Tz::UTC), hour(9));
    assert!(told(&world.changes(Some(&second), week()).await.unwrap()).is_empty());
}

#[tokio::test]
async fn an_appointment_that_the_host_moved_out_of_the_window_is_told_and_not_taken_for_deleted() {
    let world = World::start().await;
    let created = world.put(&appointment_event(), Expected::Create).await.unwrap();
    let first = world.changes(None, week()).await.unwrap();
    let mut moved = world.get(&created.id).await.unwrap();
    (moved.start, moved.end) = (instant(hour(24 * 100)), instant(hour(24 * 100 + 1)));
    world.put(&moved, Expected::Update { etag: None }).await.unwrap();
    let second = world.changes(Some(&first), week()).await.unwrap();
    let [EventChange::Upsert(event)] = second.events.as_slice() else { panic!("{second:?}") };
    assert_eq!((&event.id, event.start.clone()), (&created.id, moved.start));
    assert_eq!(event.mark, appointment_event().mark);
    world.radicale.delete(&created.id).await;
    let third = world.changes(Some(&second), week()).await.unwrap();
    assert_eq!(third.events, [EventChange::Removed { id: created.id }]);
}

#[tokio::test]
async fn more_changes_than_one_request_asks_for_are_one_round() {
    let world = World::start().await;
    let first = world.changes(None, week()).await.unwrap();
    for index in 0..110 {
        world.radicale.write(&world.calendar, &format!("event{index}"), &lines(index % 20, index % 20 + 1, "")).await;
    }
    let second = world.changes(Some(&first), week()).await.unwrap();
    assert_eq!(second.events.len(), 110);
    assert_eq!(world.changes(None, week()).await.unwrap().events.len(), 110);
}

#[tokio::test]
async fn an_expired_sync_token_asks_for_a_full_round_and_a_lost_calendar_does_not() {
    let world = World::start().await;
    world.radicale.write(&world.calendar, "one", &lines(1, 2, "")).await;
    let first = world.changes(None, week()).await.unwrap();
    world.radicale.expire_sync_tokens();
    world.radicale.write(&world.calendar, "two", &lines(3, 4, "")).await;
    assert_eq!(world.changes(Some(&first), week()).await, Err(ProviderError::CursorExpired));
    assert_eq!(told(&world.changes(None, week()).await.unwrap()), ["one", "two"]);
    world.radicale.delete(&world.calendar).await;
    assert_eq!(world.changes(None, week()).await, Err(ProviderError::NotFound));
    assert_eq!(world.changes(Some(&first), week()).await, Err(ProviderError::NotFound));
}

#[tokio::test]
async fn a_recurring_event_is_told_by_its_instances_with_its_exceptions() {
    let world = World::start().await;
    let zone = "BEGIN:VTIMEZONE\nTZID:Europe/Madrid\nBEGIN:STANDARD\nDTSTART:19701025T030000\n\
                RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\n\
                BEGIN:DAYLIGHT\nDTSTART:19700329T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nTZOFFSETFROM:+0100\n\
                TZOFFSETTO:+0200\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
    let series = |rule: &str, exceptions: &str| {
        format!(
            "{zone}BEGIN:VEVENT\nUID:series\nDTSTAMP:20260101T000000Z\nSUMMARY:Stand-up\n\
             DTSTART;TZID=Europe/Madrid:20261005T090000\nDTEND;TZID=Europe/Madrid:20261005T091500\n\
             RRULE:{rule}\n{exceptions}"
        )
    };
    let exceptions = "EXDATE;TZID=Europe/Madrid:20261104T090000\nEND:VEVENT\n\
                      BEGIN:VEVENT\nUID:series\nDTSTAMP:20260101T000000Z\nSUMMARY:Stand-up of another day\n\
                      RECURRENCE-ID;TZID=Europe/Madrid:20261103T090000\nDTSTART;TZID=Europe/Madrid:20261103T170000\n\
                      DTEND;TZID=Europe/Madrid:20261103T171500\nEND:VEVENT";
    let url = world.radicale.write(&world.calendar, "series", &series("FREQ=DAILY", exceptions)).await;
    let round = world.changes(None, hours(0, 24 * 4)).await.unwrap();
    let [EventChange::Series { id, instances }] = round.events.as_slice() else { panic!("{:?}", round.events) };
    assert_eq!(*id, url);
    // From 2 to 5 November, without the 4th; in winter nine o'clock is eight.
    let starts: Vec<_> = instances.iter().map(|event| event.start.instant(chrono_tz::Tz::UTC)).collect();
    assert_eq!(starts, [hour(8), hour(24 + 16), hour(72 + 8)]);
    let moved = &instances[1];
    assert_eq!((&moved.id, moved.title.as_str()), (&instance_id(&url, hour(24 + 8)), "Stand-up of another day"));
    assert_eq!(moved.recurring_event_id.as_ref(), Some(&url));
    assert_eq!(world.get(&moved.id).await.as_ref(), Some(moved));
    assert_eq!(world.get(&instance_id(&url, hour(48 + 8))).await, None);

    // An end before the window leaves nothing of it.
    let ended = series("FREQ=DAILY;UNTIL=20261010T000000Z", "END:VEVENT");
    world.radicale.write(&world.calendar, "series", &ended).await;
    let next = world.changes(Some(&round), week()).await.unwrap();
    assert_eq!(told(&next), ["-series"]);
}

#[tokio::test]
async fn an_instance_of_a_recurring_event_is_neither_changed_nor_deleted() {
    let world = World::start().await;
    let url = world.radicale.write(&world.calendar, "series", &lines(9, 10, "RRULE:FREQ=DAILY;COUNT=3")).await;
    let instance = instance_id(&url, hour(24 + 9));
    let refused = world.caldav.delete_event(&world.ana, &world.calendar, &instance, false).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    let event = CalendarEvent { id: instance, ..appointment_event() };
    let refused = world.put(&event, Expected::Update { etag: None }).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    // Nor is the calendar, however it comes to be taken for an event.
    let refused = world.caldav.delete_event(&world.ana, &world.calendar, &world.calendar, false).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    assert_eq!(world.radicale.names(&world.calendar).await, ["series.ics"]);
}

#[tokio::test]
async fn all_day_and_floating_events_are_read_in_the_calendars_zone() {
    let world = World::start().await;
    let away = "DTSTART;VALUE=DATE:20261103\nDTEND;VALUE=DATE:20261105\nSUMMARY:Away";
    world.radicale.write(&world.calendar, "away", away).await;
    world.radicale.write(&world.calendar, "floating", "DTSTART:20261106T090000\nDURATION:PT1H\nSUMMARY:x").await;
    let round = world.changes(None, week()).await.unwrap();
    let zone = round.time_zone.as_deref().unwrap().parse().unwrap();
    let busy = round.events.iter().map(|change| match change {
        EventChange::Upsert(event) => event.busy_interval(zone).unwrap(),
        other => panic!("{other:?}"),
    });
    let busy = cupo_core::interval::normalize(busy.collect());
    assert_eq!(busy, [hours(24 - 1, 72 - 1), hours(96 + 8, 96 + 9)]);
    let answer = world.caldav.free_busy(&world.ana, &[&world.calendar], week()).await.unwrap();
    assert_eq!(answer[0].busy, Ok(busy));
}

#[tokio::test]
async fn a_calendar_without_a_zone_is_read_in_the_hosts() {
    let world = World::start().await;
    let calendar = world.radicale.make_calendar(ANA, "Zoneless", None, &["VEVENT"]).await;
    let away = "DTSTART;VALUE=DATE:20261103\nDTEND;VALUE=DATE:20261104\nSUMMARY:Away";
    world.radicale.write(&calendar, "away", away).await;
    let ana = world.ana.clone().in_zone(chrono_tz::Tz::America__New_York);
    assert_eq!(world.caldav.changes(&ana, &calendar, None, week()).await.unwrap().time_zone, None);
    let answer = world.caldav.free_busy(&ana, &[&calendar], week()).await.unwrap();
    assert_eq!(answer[0].busy, Ok(vec![hours(24 + 5, 48 + 5)]));

    // Where the host's is not known either, it is not taken for UTC.
    let answer = world.caldav.free_busy(&world.ana, &[&calendar], week()).await.unwrap();
    assert!(answer[0].busy.is_err(), "{answer:?}");
    assert_eq!(told(&world.caldav.changes(&world.ana, &calendar, None, week()).await.unwrap()), ["away"]);
    world.radicale.write(&calendar, "floating", "DTSTART:20261106T090000\nDURATION:PT1H\nSUMMARY:x").await;
    let refused = world.caldav.changes(&world.ana, &calendar, None, week()).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    assert_eq!(world.caldav.changes(&ana, &calendar, None, week()).await.unwrap().events.len(), 2);
}

#[tokio::test]
async fn an_all_day_appointment_keeps_its_days() {
    let world = World::start().await;
    let mut event = appointment_event();
    (event.start, event.end) =
        (EventTime::Day("2026-11-03".parse().unwrap()), EventTime::Day("2026-11-04".parse().unwrap()));
    let created = world.put(&event, Expected::Create).await.unwrap();
    let found = world.get(&created.id).await.unwrap();
    assert_eq!((found.start, found.end), (event.start, event.end));
}

#[tokio::test]
async fn an_event_in_an_unknown_zone_is_an_error_that_names_it() {
    let world = World::start().await;
    let event = "DTSTART;TZID=Customized Time Zone:20261103T090000\nDTEND;TZID=Customized Time Zone:20261103T100000";
    let (status, _) = {
        let text = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:odd\nDTSTAMP:20260101T000000Z\n{event}\n\
             END:VEVENT\nEND:VCALENDAR\n"
        );
        let url = format!("{}odd.ics", world.calendar);
        world.radicale.ask(ANA, "PUT", &url, &[("content-type", "text/calendar")], text.replace('\n', "\r\n")).await
    };
    assert!(status.is_success(), "{status}");
    let refused = world.changes(None, week()).await.unwrap_err();
    assert!(matches!(&refused, ProviderError::Rejected(why) if why.contains("`Customized Time Zone`")), "{refused:?}");
    let answer = world.caldav.free_busy(&world.ana, &[&world.calendar], week()).await.unwrap();
    let problem = answer[0].busy.clone().unwrap_err();
    assert!(problem.reason.contains("Customized Time Zone"), "{problem:?}");
}

#[tokio::test]
async fn busy_time_follows_the_rule_of_what_blocks() {
    let world = World::start().await;
    let declined = format!("ORGANIZER:mailto:boss@example.com\nATTENDEE;PARTSTAT=DECLINED:mailto:{ANA}");
    for (index, more) in [
        "",
        "TRANSP:TRANSPARENT",
        declined.as_str(),
        "STATUS:TENTATIVE",
        "STATUS:CANCELLED",
        "CLASS:PRIVATE",
        "RRULE:FREQ=DAILY;COUNT=2",
    ]
    .into_iter()
    .enumerate()
    {
        let from = 2 * u32::try_from(index).unwrap();
        world.radicale.write(&world.calendar, &format!("event{index}"), &lines(from, from + 1, more)).await;
    }
    let other = world.radicale.make_calendar(ANA, "Home", None, &["VEVENT"]).await;
    world.radicale.write(&other, "overlapping", &lines(0, 23, "")).await;
    let gone = world.calendar.replace("/work/", "/neverheardof/");
    // It begins within an event.
    let range = Interval::new(hour(0) + TimeDelta::minutes(30), hour(48)).unwrap();
    let answers = world.caldav.free_busy(&world.ana, &[&world.calendar, &gone, &other], range).await.unwrap();
    let order: Vec<_> = answers.iter().map(|answer| answer.calendar.as_str()).collect();
    assert_eq!(order, [world.calendar.as_str(), &gone, &other]);
    let first = Interval::new(range.start, hour(1)).unwrap();
    assert_eq!(answers[0].busy, Ok(vec![first, hours(6, 7), hours(10, 11), hours(12, 13), hours(36, 37)]));
    assert_eq!(answers[1].busy.as_ref().unwrap_err().reason, "notFound");
    assert_eq!(answers[2].busy, Ok(vec![Interval::new(range.start, hour(23)).unwrap()]));
    assert_eq!(world.caldav.free_busy(&world.ana, &[], range).await, Ok(Vec::new()));

    let round = world.changes(None, range).await.unwrap();
    let read = round.events.iter().flat_map(|change| match change {
        EventChange::Upsert(event) => vec![(**event).clone()],
        EventChange::Series { instances, .. } => instances.clone(),
        EventChange::Removed { .. } => Vec::new(),
    });
    let read = read.filter_map(|event| event.busy_interval(chrono_tz::Tz::UTC)?.intersection(&range));
    assert_eq!(Ok(cupo_core::interval::normalize(read.collect())), answers[0].busy);
}

#[tokio::test]
async fn what_is_not_of_the_accounts_server_is_refused_before_anything_is_sent() {
    let world = World::start().await;
    let elsewhere = "https://elsewhere.example/ana/work/";
    let refused = |told: Result<Changes, ProviderError>| matches!(told, Err(ProviderError::Rejected(_)));
    assert!(refused(world.caldav.changes(&world.ana, elsewhere, None, week()).await));
    assert!(refused(world.caldav.changes(&world.ana, "work", None, week()).await));
    let told = world.caldav.get_event(&world.ana, &world.calendar, "https://elsewhere.example/ana/work/1.ics").await;
    assert!(matches!(told, Err(ProviderError::Rejected(_))), "{told:?}");
    let bearer = Access::bearer("account", Secret::new("token"));
    assert!(refused(world.caldav.changes(&bearer, &world.calendar, None, week()).await));
}

#[tokio::test]
async fn an_event_that_was_moved_into_another_calendar_is_found_there_by_its_uid() {
    let world = World::start().await;
    let written = world.put(&appointment_event(), Expected::Create).await.unwrap();
    let other = world.radicale.make_calendar(ANA, "Home", Some("Europe/Madrid"), &["VEVENT"]).await;
    let find = async |calendar: &str| {
        let uid = written.ical_uid.as_deref();
        world.caldav.find_moved(&world.ana, calendar, &written.id, uid).await.unwrap()
    };
    assert_eq!(find(&other).await, None);
    let address = world.radicale.move_to(&written.id, &other).await;
    let found = find(&other).await.unwrap();
    assert_eq!((found.id, found.mark), (address, appointment_event().mark));
    assert_eq!(find(&world.calendar).await, None);
}

#[tokio::test]
async fn a_password_that_was_changed_is_refused_and_the_new_one_goes_on() {
    let world = World::start().await;
    world.radicale.change_password("another");
    let refused = world.caldav.list_calendars(&world.ana).await;
    assert_eq!(refused, Err(ProviderError::Reauth(ReauthReason::WrongPassword)));
    let ana = world.radicale.access_with(ANA, "another");
    assert_eq!(world.caldav.list_calendars(&ana).await.unwrap().len(), 1);
}
