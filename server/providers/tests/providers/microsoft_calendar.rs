//! What the adapter for Microsoft Graph does when nothing fails.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_providers::{
    Attendee, CalendarEvent, CalendarProvider, EventChange, EventTime, Expected, Meeting, MeetingKind, MeetingLink,
    NotificationState, ProviderError, Reminder, ReminderMethod, Reminders, Renewal, ResponseStatus, Secret, Visibility,
    WatchRequest,
};
use cupo_simulators::microsoft::{
    Behaviour, CalendarSeed, DuplicateTransaction, InvitationKind, LifecycleEvent, MicrosoftOptions, UserSeed,
};
use serde_json::{Value, json};

use crate::microsoft_receiver::Receiver;
use crate::microsoft_world::{ANA, BEN, CARLA, MicrosoftWorld, by_hand};
use crate::world::{APPOINTMENT, GUEST, appointment_event, hour, hours, instant};

/// The ids of a round, `-` before those removed.
fn ids(events: &[EventChange]) -> Vec<String> {
    let id = |change: &EventChange| match change {
        EventChange::Upsert(event) => event.title.clone(),
        EventChange::Series { id, .. } => format!("series {id}"),
        EventChange::Removed { id } => format!("-{id}"),
    };
    events.iter().map(id).collect()
}

/// The label beside it may be that of another zone with the same Windows name.
fn at(time: &EventTime) -> DateTime<Utc> {
    time.instant(Tz::UTC)
}

async fn create(world: &MicrosoftWorld, event: &CalendarEvent) -> cupo_providers::PutOutcome {
    world.microsoft.put_event(&world.access, &world.calendar, event, Expected::Create).await.unwrap()
}

async fn get(world: &MicrosoftWorld, id: &str) -> Option<CalendarEvent> {
    world.microsoft.get_event(&world.access, &world.calendar, id).await.unwrap()
}

#[tokio::test]
async fn every_calendar_of_the_account_is_listed_over_all_pages_with_the_mailboxs_zone() {
    let named = (0..120).map(|index| CalendarSeed {
        color: Some("#0088aa".into()),
        ..CalendarSeed::named(&format!("Calendar {index}"))
    });
    let mut options = MicrosoftOptions::default();
    options.users[0].calendars.extend(named);
    let world = MicrosoftWorld::with(options).await;
    let calendars = world.microsoft.list_calendars(&world.access).await.unwrap();
    let named: Vec<_> = calendars.iter().filter(|calendar| calendar.name.starts_with("Calendar ")).collect();
    assert_eq!(named.len(), 120);
    assert_eq!((named[0].color.as_deref(), named[0].can_write), (Some("#0088aa"), true));
    assert_eq!(world.count("GET", "/me/calendars"), 2);
    let primary: Vec<_> = calendars.iter().filter(|calendar| calendar.is_primary).collect();
    assert_eq!(primary.len(), 1);
    assert_eq!(
        (primary[0].id.as_str(), primary[0].meetings.as_slice()),
        (world.calendar.as_str(), &[MeetingKind::MicrosoftTeams][..])
    );
    // A Windows zone stands for several: Romance Standard Time is told by its Windows name.
    let zones: Vec<_> = calendars.iter().map(|calendar| calendar.time_zone.as_deref()).collect();
    assert!(zones.iter().all(|zone| matches!(zone, Some("Europe/Madrid" | "Europe/Paris"))), "{zones:?}");
    assert!(calendars.iter().any(|calendar| !calendar.can_write));
}

#[tokio::test]
async fn a_personal_account_has_no_teams_and_is_not_asked_for_its_schedule() {
    let world = MicrosoftWorld::start().await;
    let carla = world.personal();
    let calendars = world.microsoft.list_calendars(&carla).await.unwrap();
    assert!(calendars.len() >= 2);
    assert!(calendars.iter().all(|calendar| calendar.meetings.is_empty() && calendar.time_zone.is_none()));
    world.simulator.insert_event(CARLA, by_hand("Lunch", 12, 13)).unwrap();
    let own = world.simulator.calendar_id(CARLA).unwrap();
    let told = world.microsoft.free_busy(&carla, &[&own], hours(0, 24)).await.unwrap();
    assert_eq!(told[0].busy, Ok(vec![hours(12, 13)]));
    assert_eq!(world.count("POST", "/getSchedule"), 0);
    let me = world.microsoft.me(&carla).await.unwrap();
    assert_eq!((me.email.as_str(), me.name.as_deref()), (CARLA, Some("Carla Vidal")));
}

#[tokio::test]
async fn an_event_is_created_moved_and_cancelled_and_the_guests_are_told() {
    let world = MicrosoftWorld::start().await;
    let created = create(&world, &appointment_event()).await;
    assert_eq!(created.meeting, MeetingLink::None);
    assert!(created.ical_uid.is_some() && created.html_link.is_some());

    let mut event = get(&world, &created.id).await.unwrap();
    assert_eq!((event.mark.clone(), event.etag.clone()), (appointment_event().mark, created.etag.clone()));
    assert_eq!((at(&event.start), event.attendees[0].email.as_str()), (hour(9), GUEST));
    assert_eq!(event.description.as_deref(), Some("Booked through the site"));

    (event.start, event.end) = (instant(hour(14)), instant(hour(15)));
    let expected = Expected::Update { etag: created.etag.as_deref() };
    let moved = world.microsoft.put_event(&world.access, &world.calendar, &event, expected).await.unwrap();
    assert_ne!(moved.etag, created.etag);
    assert_eq!(at(&get(&world, &created.id).await.unwrap().start), hour(14));

    world.microsoft.delete_event(&world.access, &world.calendar, &created.id, true).await.unwrap();
    assert_eq!(get(&world, &created.id).await, None);
    world.microsoft.delete_event(&world.access, &world.calendar, &created.id, true).await.unwrap();
    let told = world.simulator.invitations().into_iter().map(|invitation| (invitation.kind, invitation.to));
    let guest = vec![GUEST.to_owned()];
    let kinds = [InvitationKind::Invited, InvitationKind::Updated, InvitationKind::Cancelled];
    assert_eq!(told.collect::<Vec<_>>(), kinds.map(|kind| (kind, guest.clone())));
    assert_eq!(world.count("POST", "/cancel"), 1);
}

#[tokio::test]
async fn an_event_is_read_as_it_was_written() {
    let world = MicrosoftWorld::start().await;
    let written = CalendarEvent {
        location: Some("Calle Mayor 1".into()),
        visibility: Visibility::Private,
        guests_see_each_other: false,
        reminders: Reminders::Own(vec![Reminder { method: ReminderMethod::Popup, minutes_before: 45 }]),
        description: Some("First line\nSecond <line> & more".into()),
        ..appointment_event()
    };
    let created = create(&world, &written).await;
    let read = get(&world, &created.id).await.unwrap();
    let expected = CalendarEvent {
        id: read.id.clone(),
        etag: read.etag.clone(),
        ical_uid: read.ical_uid.clone(),
        html_link: read.html_link.clone(),
        start: read.start.clone(),
        end: read.end.clone(),
        ..written.clone()
    };
    assert_eq!(read, expected);
    assert_eq!((at(&read.start), at(&read.end)), (hour(9), hour(10)));
    let events = world.simulator.events(ANA).unwrap();
    assert_eq!((&events[0]["hideAttendees"], &events[0]["sensitivity"]), (&json!(true), &json!("private")));
    let unchanged = CalendarEvent { id: created.id.clone(), ..written };
    let expected = Expected::UpdateAttendees { etag: None, gone: &[] };
    let same = world.microsoft.put_event(&world.access, &world.calendar, &unchanged, expected).await.unwrap();
    assert_eq!((same.etag, world.simulator.invitations().len()), (created.etag, 1), "nobody is written to");
}

#[tokio::test]
async fn an_all_day_event_keeps_its_days() {
    let world = MicrosoftWorld::start().await;
    let day = |text: &str| EventTime::Day(text.parse().unwrap());
    let away = CalendarEvent { start: day("2026-11-05"), end: day("2026-11-07"), ..appointment_event() };
    let created = create(&world, &away).await;
    let read = get(&world, &created.id).await.unwrap();
    assert_eq!((read.start, read.end), (day("2026-11-05"), day("2026-11-07")));
}

#[tokio::test]
async fn an_update_keeps_the_answers_and_guests_that_the_calendar_has() {
    let world = MicrosoftWorld::start().await;
    let created = create(&world, &appointment_event()).await;
    let attendees = json!([
        {"type": "required", "emailAddress": {"address": GUEST, "name": "Guest"}, "status": {"response": "accepted"}},
        {"type": "optional", "emailAddress": {"address": "colleague@example.com"},
            "status": {"response": "tentativelyAccepted"}},
    ]);
    world.simulator.patch_event(ANA, &created.id, json!({"attendees": attendees})).unwrap();
    let put = async |visitors: &[&str], gone: Option<&[String]>| {
        let mut wanted = appointment_event();
        wanted.id = created.id.clone();
        wanted.title = format!("Consultation of {}", visitors.len());
        wanted.attendees = visitors.iter().map(|email| Attendee::invited(*email, None)).collect();
        let expected = match gone {
            Some(gone) => Expected::UpdateAttendees { etag: None, gone },
            None => Expected::Update { etag: None },
        };
        world.microsoft.put_event(&world.access, &world.calendar, &wanted, expected).await.unwrap();
        let found = get(&world, &created.id).await.unwrap();
        assert_eq!(found.title, wanted.title);
        found.attendees.into_iter().map(|attendee| (attendee.email, attendee.response)).collect::<Vec<_>>()
    };
    let guest = (GUEST.to_owned(), ResponseStatus::Accepted);
    let colleague = ("colleague@example.com".to_owned(), ResponseStatus::Tentative);
    let second = ("second@example.net".to_owned(), ResponseStatus::NeedsAction);
    assert_eq!(put(&[], None).await, [guest.clone(), colleague.clone()]);
    assert_eq!(put(&[GUEST, "second@example.net"], Some(&[])).await, [guest, colleague.clone(), second.clone()]);
    let gone = ["Guest@example.net".to_owned()];
    assert_eq!(put(&["second@example.net"], Some(&gone)).await, [colleague, second]);
}

#[tokio::test]
async fn an_update_of_what_the_host_changed_is_a_conflict_and_of_what_they_deleted_is_not_found() {
    let world = MicrosoftWorld::start().await;
    let created = create(&world, &appointment_event()).await;
    world.simulator.patch_event(ANA, &created.id, json!({"subject": "Moved by hand"})).unwrap();
    let wanted = CalendarEvent { id: created.id.clone(), ..appointment_event() };
    let put = async |etag: Option<&str>, id: &str| {
        let wanted = CalendarEvent { id: id.into(), ..wanted.clone() };
        world.microsoft.put_event(&world.access, &world.calendar, &wanted, Expected::Update { etag }).await
    };
    assert_eq!(put(created.etag.as_deref(), &created.id).await, Err(ProviderError::Conflict));
    world.simulator.delete_event(ANA, &created.id).unwrap();
    assert_eq!(put(None, &created.id).await, Err(ProviderError::NotFound));
    assert_eq!(put(None, "neverheardof").await, Err(ProviderError::NotFound));
    assert_eq!(get(&world, "neverheardof").await, None);
    assert_eq!(world.microsoft.delete_event(&world.access, &world.calendar, "neverheardof", false).await, Ok(()));
    assert_eq!(world.count("PATCH", ""), 0);
}

#[tokio::test]
async fn creating_twice_makes_one_event_however_the_second_one_is_refused() {
    for duplicate_transaction in [DuplicateTransaction::BadRequest, DuplicateTransaction::Conflict] {
        let world = MicrosoftWorld::start().await;
        world.simulator.set_behaviour(Behaviour { duplicate_transaction, ..world.simulator.behaviour() });
        let first = create(&world, &appointment_event()).await;
        let again = create(&world, &appointment_event()).await;
        assert_eq!(again, first, "{duplicate_transaction:?}");
        assert_eq!(world.simulator.invitations().len(), 1, "nothing changed, so nobody is written to");

        let renamed = CalendarEvent { title: "Another title".into(), ..appointment_event() };
        assert_eq!(create(&world, &renamed).await.id, first.id);
        assert_eq!(get(&world, &first.id).await.unwrap().title, "Another title");
        // It may have been moved there: it is told, and left alone.
        let mut later = appointment_event();
        (later.start, later.end) = (instant(hour(11)), instant(hour(12)));
        let left = create(&world, &later).await;
        assert_eq!((left.id.as_str(), at(&left.stands.unwrap().start)), (first.id.as_str(), hour(9)));
        assert_eq!(at(&get(&world, &first.id).await.unwrap().start), hour(9));
        assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_event_that_is_in_another_calendar_is_made_anew_here() {
    let world = MicrosoftWorld::start().await;
    let first = create(&world, &appointment_event()).await;
    world.simulator.move_event(ANA, &first.id, "ana@contoso.example/Personal").unwrap();
    let second = create(&world, &appointment_event()).await;
    assert_ne!(second.id, first.id);
    assert_eq!(create(&world, &appointment_event()).await.id, second.id);
    let texts: Vec<_> =
        world.simulator.events(ANA).unwrap().into_iter().map(|event| event["transactionId"].clone()).collect();
    assert_eq!(texts, [json!(format!("cupo:{APPOINTMENT}:1:https://cupo.example"))]);
}

#[tokio::test]
async fn an_event_without_a_mark_is_not_created() {
    let world = MicrosoftWorld::start().await;
    let unmarked = CalendarEvent { mark: None, ..appointment_event() };
    let refused = world.microsoft.put_event(&world.access, &world.calendar, &unmarked, Expected::Create).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_teams_link_is_pending_then_there_and_outlives_a_change_of_the_text() {
    let world = MicrosoftWorld::start().await;
    world.simulator.set_behaviour(Behaviour { meeting_pending_ms: 60_000, ..world.simulator.behaviour() });
    let mut event = appointment_event();
    event.meeting = Meeting::Request { request_id: "018f-1".into() };
    let created = create(&world, &event).await;
    assert_eq!(created.meeting, MeetingLink::Pending);
    world.simulator.clock().advance(TimeDelta::minutes(2));
    let found = get(&world, &created.id).await.unwrap();
    let Meeting::Ready { url } = &found.meeting else { panic!("{:?}", found.meeting) };
    assert!(url.starts_with("https://"), "{url}");
    assert_eq!(found.description, event.description);

    let rewritten = CalendarEvent {
        id: created.id.clone(),
        meeting: Meeting::None,
        description: Some("Bring <the> plans".into()),
        ..event.clone()
    };
    let expected = Expected::Update { etag: None };
    let updated = world.microsoft.put_event(&world.access, &world.calendar, &rewritten, expected).await.unwrap();
    assert_eq!(updated.meeting, MeetingLink::Ready { url: url.clone() });
    let found = get(&world, &created.id).await.unwrap();
    assert_eq!(
        (found.description.as_deref(), &found.meeting),
        (Some("Bring <the> plans"), &Meeting::Ready { url: url.clone() })
    );
}

#[tokio::test]
async fn a_meeting_of_a_personal_account_has_failed_and_its_event_is_there() {
    let world = MicrosoftWorld::start().await;
    let carla = world.personal();
    let calendar = world.simulator.calendar_id(CARLA).unwrap();
    let event = CalendarEvent { meeting: Meeting::Request { request_id: "018f-1".into() }, ..appointment_event() };
    let created = world.microsoft.put_event(&carla, &calendar, &event, Expected::Create).await.unwrap();
    assert_eq!(created.meeting, MeetingLink::Failed);
    assert_eq!(world.simulator.events(CARLA).unwrap().len(), 1);
}

#[tokio::test]
async fn a_first_round_tells_the_window_and_the_next_one_what_changed() {
    let world = MicrosoftWorld::start().await;
    let at = |subject: &str, day: u32| {
        let time =
            |hour: u32| json!({"dateTime": format!("2026-11-{day:02}T{hour:02}:00:00"), "timeZone": "Europe/Madrid"});
        json!({"subject": subject, "start": time(9), "end": time(10)})
    };
    let insert = |subject: &str, day| {
        world.simulator.insert_event(ANA, at(subject, day)).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (first_id, second_id) = (insert("inside1", 2), insert("inside2", 3));
    insert("outside", 20);
    let window = hours(0, 24 * 7);
    let first = world.microsoft.changes(&world.access, &world.calendar, None, window).await.unwrap();
    assert!(first.is_whole);
    assert_eq!(ids(&first.events), ["inside1", "inside2"]);
    let next =
        async |cursor| world.microsoft.changes(&world.access, &world.calendar, Some(cursor), window).await.unwrap();
    let quiet = next(&first.cursor).await;
    assert_eq!((ids(&quiet.events), quiet.is_whole), (vec![], false));

    world.simulator.patch_event(ANA, &first_id, json!({"subject": "renamed"})).unwrap();
    world.simulator.delete_event(ANA, &second_id).unwrap();
    let second = next(&quiet.cursor).await;
    let EventChange::Upsert(inside) = &first.events[1] else { panic!("{:?}", first.events) };
    assert_eq!(ids(&second.events), ["renamed".to_owned(), format!("-{}", inside.id)]);
}

#[tokio::test]
async fn an_event_of_ours_that_the_host_moved_out_of_the_window_is_not_taken_for_deleted() {
    let world = MicrosoftWorld::start().await;
    let created = create(&world, &appointment_event()).await;
    let window = hours(0, 24);
    let first = world.microsoft.changes(&world.access, &world.calendar, None, window).await.unwrap();
    let EventChange::Upsert(own) = &first.events[0] else { panic!("{:?}", first.events) };
    assert_eq!(
        (own.id.as_str(), &own.mark),
        (created.id.as_str(), &appointment_event().mark),
        "the mark is told without being asked for"
    );
    let time = |hour: u32| json!({"dateTime": format!("2027-01-04T{hour:02}:00:00"), "timeZone": "UTC"});
    world.simulator.patch_event(ANA, &created.id, json!({"start": time(9), "end": time(10)})).unwrap();
    let second = world.microsoft.changes(&world.access, &world.calendar, Some(&first.cursor), window).await.unwrap();
    let [EventChange::Upsert(moved)] = second.events.as_slice() else { panic!("{:?}", second.events) };
    assert_eq!(
        (moved.id.as_str(), moved.start.instant(Tz::UTC).to_rfc3339().as_str()),
        (created.id.as_str(), "2027-01-04T09:00:00+00:00")
    );
    assert_eq!(moved.mark, appointment_event().mark);
}

fn every_day(subject: &str, show_as: &str, count: u32) -> Value {
    let mut series = by_hand(subject, 12, 13);
    series["showAs"] = show_as.into();
    series["recurrence"] = json!({
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-11-02", "numberOfOccurrences": count,
            "recurrenceTimeZone": "UTC"},
    });
    series
}

#[tokio::test]
async fn the_occurrences_of_a_series_block_as_it_does_and_the_series_takes_no_time_itself() {
    let world = MicrosoftWorld::start().await;
    world.simulator.insert_event(ANA, every_day("Lunch", "busy", 3)).unwrap();
    world.simulator.insert_event(ANA, every_day("Office hours", "free", 2)).unwrap();
    let window = hours(0, 24 * 7);
    let first = world.microsoft.changes(&world.access, &world.calendar, None, window).await.unwrap();
    let read = |changes: &[EventChange]| -> Vec<CalendarEvent> {
        let events = changes.iter().map(|change| match change {
            EventChange::Upsert(event) => CalendarEvent::clone(event),
            other => panic!("{other:?}"),
        });
        events.collect()
    };
    let events = read(&first.events);
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.recurring_event_id.is_some()));
    let busy: Vec<_> = events.iter().filter_map(|event| event.busy_interval(Tz::UTC)).collect();
    assert_eq!(busy, [hours(12, 13), hours(36, 37), hours(60, 61)]);

    let lunch = events.iter().find(|event| event.title == "Lunch").unwrap();
    world.simulator.patch_event(ANA, &lunch.id, json!({"subject": "Late lunch"})).unwrap();
    let second = world.microsoft.changes(&world.access, &world.calendar, Some(&first.cursor), window).await.unwrap();
    assert!(read(&second.events).iter().any(|event| event.id == lunch.id && event.title == "Late lunch"), "{second:?}");

    let series = lunch.recurring_event_id.clone().unwrap();
    world.simulator.delete_event(ANA, &series).unwrap();
    let third = world.microsoft.changes(&world.access, &world.calendar, Some(&second.cursor), window).await.unwrap();
    let removed: Vec<_> = events
        .iter()
        .filter(|event| event.recurring_event_id.as_deref() == Some(&series))
        .map(|event| format!("-{}", event.id))
        .collect();
    let told = ids(&third.events);
    assert!(removed.iter().all(|id| told.contains(id)), "{told:?}");
}

#[tokio::test]
async fn of_an_event_that_comes_twice_the_last_one_holds() {
    let world = MicrosoftWorld::start().await;
    world.simulator.insert_event(ANA, by_hand("Lunch", 12, 13)).unwrap();
    world.fault(cupo_simulators::microsoft::Fault { double_delta_events: true, ..Default::default() });
    let changes = world.microsoft.changes(&world.access, &world.calendar, None, hours(0, 24)).await.unwrap();
    let [EventChange::Upsert(event)] = changes.events.as_slice() else { panic!("{:?}", changes.events) };
    assert_eq!((event.title.as_str(), event.busy_interval(Tz::UTC)), ("Lunch", Some(hours(12, 13))));
}

#[tokio::test]
async fn the_busy_time_of_all_calendars_is_asked_for_in_one_batch() {
    let world = MicrosoftWorld::start().await;
    let personal = world.simulator.calendar_id("ana@contoso.example/Personal").unwrap();
    let hours_of = |name: &str, show_as: &str, from, to| {
        let mut event = by_hand("Something", from, to);
        event["showAs"] = show_as.into();
        world.simulator.insert_event(name, event).unwrap();
    };
    for (show_as, from) in [("free", 8), ("workingElsewhere", 10), ("tentative", 12), ("oof", 14), ("busy", 15)] {
        hours_of(ANA, show_as, from, from + 1);
    }
    hours_of(&personal, "busy", 9, 10);
    let mut declined = by_hand("Not for me", 17, 18);
    declined["responseStatus"] = json!({"response": "declined"});
    declined["organizer"] = json!({"emailAddress": {"address": BEN, "name": "Ben"}});
    world.simulator.insert_event(&personal, declined).unwrap();
    let whole_day = |day: u32| json!({"dateTime": format!("2026-11-{day:02}T00:00:00"), "timeZone": "Europe/Madrid"});
    let day = json!({"subject": "Away", "isAllDay": true, "showAs": "oof", "start": whole_day(4), "end": whole_day(5)});
    world.simulator.insert_event(&personal, day).unwrap();
    let told = world.microsoft.free_busy(&world.access, &[&world.calendar, &personal], hours(0, 24 * 7)).await.unwrap();
    assert_eq!(told[0].busy, Ok(vec![hours(12, 13), hours(14, 16)]));
    // A day of Madrid begins at 23:00 UTC of the day before.
    assert_eq!(told[1].busy, Ok(vec![hours(9, 10), hours(47, 71)]));
    assert_eq!(world.count("POST", "/$batch"), 1);
    assert_eq!(world.count("POST", "/getSchedule"), 1);

    world.simulator.clear_exchanges();
    let told =
        world.microsoft.free_busy(&world.access, &[&personal, &world.calendar], hours(0, 24 * 100)).await.unwrap();
    assert_eq!(told[1].busy, Ok(vec![hours(12, 13), hours(14, 16)]), "over two parts");
    assert_eq!((world.count("POST", "/getSchedule"), world.count("GET", "/me/calendar")), (2, 0));
}

#[tokio::test]
async fn a_mailbox_is_reached_by_application_access_where_its_administrator_allows_it() {
    let mut options = MicrosoftOptions::default();
    options.users.push(UserSeed {
        email: "dora@contoso.example".into(),
        time_zone: "UTC".into(),
        ..UserSeed::default()
    });
    let world = MicrosoftWorld::with(options).await;
    let ben = world.application(BEN);
    let calendars = world.microsoft.list_calendars(&ben).await.unwrap();
    let own = calendars.iter().find(|calendar| calendar.is_primary).unwrap();
    let created = world.microsoft.put_event(&ben, &own.id, &appointment_event(), Expected::Create).await.unwrap();
    let told = world.microsoft.free_busy(&ben, &[&own.id], hours(0, 24)).await.unwrap();
    assert_eq!(told[0].busy, Ok(vec![hours(9, 10)]));
    let changes = world.microsoft.changes(&ben, &own.id, None, hours(0, 24)).await.unwrap();
    assert_eq!(changes.events.len(), 1);
    world.microsoft.delete_event(&ben, &own.id, &created.id, true).await.unwrap();
    assert_eq!(world.simulator.events(BEN).unwrap(), Vec::<Value>::new());
    assert!(
        world.calls().iter().all(|call| call.contains("/users/ben@contoso.example") || call.contains("$batch")),
        "{:?}",
        world.calls()
    );

    let told = world.microsoft.list_calendars(&world.application("dora@contoso.example")).await;
    assert_eq!(told, Err(ProviderError::ConsentNeeded("403 ErrorAccessDenied".into())));
    let told = world.microsoft.list_calendars(&world.application("nobody@contoso.example")).await;
    assert_eq!(told, Err(ProviderError::Rejected("404 ErrorInvalidUser".into())));
}

#[tokio::test]
async fn a_subscription_tells_of_changes_lives_on_and_ends() {
    let world = MicrosoftWorld::start().await;
    let receiver = Receiver::start().await;
    let channel = WatchRequest {
        id: "018f-channel".into(),
        token: Secret::new("hush"),
        address: receiver.address(),
        ttl: Duration::from_secs(3600),
    };
    let watch = world.microsoft.watch(&world.access, &world.calendar, &channel).await.unwrap();
    let left = watch.expires_at - world.simulator.clock().now();
    assert!(left > TimeDelta::minutes(55) && left <= TimeDelta::minutes(60), "{left}");
    let subscription = &world.simulator.subscriptions()[0];
    assert_eq!(subscription.id, watch.resource_id);

    world.simulator.insert_event(ANA, by_hand("Lunch", 12, 13)).unwrap();
    let read = async |path: &str| {
        let body = receiver.next(path).await;
        let mut read = world.microsoft.read_notifications(&http::HeaderMap::new(), &body).unwrap();
        assert_eq!(read.len(), 1);
        let read = read.remove(0);
        assert_eq!((read.channel_id.as_str(), read.resource_id.as_str()), ("018f-channel", watch.resource_id.as_str()));
        assert!(read.channel_token.matches("hush"));
        read.state
    };
    assert_eq!(read("/hook").await, NotificationState::Exists);
    world.simulator.lifecycle(&watch.resource_id, LifecycleEvent::ReauthorizationRequired).unwrap();
    assert_eq!(read("/hook/lifecycle").await, NotificationState::RenewalNeeded);
    world.simulator.lifecycle(&watch.resource_id, LifecycleEvent::Missed).unwrap();
    assert_eq!(read("/hook/lifecycle").await, NotificationState::Missed);

    let renewed =
        world.microsoft.renew(&world.access, &watch.resource_id, Duration::from_secs(30 * 24 * 3600)).await.unwrap();
    let Renewal::Extended(until) = renewed else { panic!("{renewed:?}") };
    let left = until - world.simulator.clock().now();
    assert!(left > TimeDelta::minutes(10_000) && left <= TimeDelta::minutes(10_080), "{left}");

    // The same calendar and address again: the first subscription gives way.
    let second = WatchRequest { id: "018f-second".into(), ..channel };
    let second = world.microsoft.watch(&world.access, &world.calendar, &second).await.unwrap();
    assert_eq!(world.simulator.subscriptions().len(), 1);
    assert_eq!(
        world.microsoft.renew(&world.access, &watch.resource_id, Duration::from_secs(3600)).await,
        Ok(Renewal::Replace)
    );
    for _ in 0..2 {
        world.microsoft.unwatch(&world.access, "018f-second", &second.resource_id).await.unwrap();
    }
    assert!(world.simulator.subscriptions().is_empty());
}
