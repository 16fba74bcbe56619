//! What the adapter does when nothing fails.

use std::time::Duration;

use chrono::TimeDelta;
use cupo_core::interval::Interval;
use cupo_providers::{
    Attendee, CalendarEvent, CalendarProvider, EventChange, EventTime, Expected, Meeting, MeetingLink, ProviderError,
    ResponseStatus, Secret, SyncCursor, WatchRequest,
};
use cupo_simulators::google::{CalendarSeed, GoogleOptions, InvitationKind, MeetSettings, UserSeed};
use serde_json::json;
use url::Url;

use crate::world::{ANA, APPOINTMENT_EVENT, GUEST, World, appointment_event, hour, hours, instant};

fn with_calendars(count: usize) -> GoogleOptions {
    let named = (0..count).map(|index| CalendarSeed {
        id: Some(format!("calendar{index}@group.calendar.google.com")),
        ..CalendarSeed::named(&format!("Calendar {index}"))
    });
    let ana = UserSeed { email: ANA.into(), time_zone: "Europe/Madrid".into(), calendars: named.collect() };
    GoogleOptions { users: vec![ana], ..GoogleOptions::default() }
}

/// The ids of a round, `-` before those removed.
fn ids(events: &[EventChange]) -> Vec<String> {
    let id = |change: &EventChange| match change {
        EventChange::Upsert(event) => event.id.clone(),
        EventChange::Series { id, .. } => panic!("Google tells instances: {id}"),
        EventChange::Removed { id } => format!("-{id}"),
    };
    events.iter().map(id).collect()
}

#[tokio::test]
async fn every_calendar_of_the_account_is_listed_over_all_pages() {
    let world = World::with(with_calendars(300)).await;
    let calendars = world.google.list_calendars(&world.token).await.unwrap();
    assert_eq!(calendars.iter().filter(|calendar| calendar.name.starts_with("Calendar ")).count(), 300);
    assert_eq!(world.calls().len(), 2);
    let primary: Vec<_> = calendars.iter().filter(|calendar| calendar.is_primary).collect();
    assert_eq!(primary.len(), 1);
    assert_eq!((primary[0].id.as_str(), primary[0].can_write), (ANA, true));
    assert_eq!(primary[0].time_zone.as_deref(), Some("Europe/Madrid"));
}

#[tokio::test]
async fn an_event_is_created_moved_and_deleted_and_the_guests_are_told() {
    let world = World::start().await;
    let created = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(created.id, APPOINTMENT_EVENT);
    assert_eq!(created.meeting, MeetingLink::None);

    let mut event = world.google.get_event(&world.token, ANA, &created.id).await.unwrap().unwrap();
    assert_eq!(event.mark, appointment_event().mark);
    assert_eq!((event.start.clone(), event.attendees[0].email.as_str()), (instant(hour(9)), GUEST));

    (event.start, event.end) = (instant(hour(14)), instant(hour(15)));
    let expected = Expected::Update { etag: created.etag.as_deref() };
    let moved = world.google.put_event(&world.token, ANA, &event, expected).await.unwrap();
    assert_ne!(moved.etag, created.etag);
    let found = world.google.get_event(&world.token, ANA, &created.id).await.unwrap().unwrap();
    assert_eq!(found.start, instant(hour(14)));

    world.google.delete_event(&world.token, ANA, &created.id, true).await.unwrap();
    assert_eq!(world.google.get_event(&world.token, ANA, &created.id).await.unwrap(), None);
    let told: Vec<_> =
        world.simulator.invitations().into_iter().map(|invitation| (invitation.kind, invitation.to)).collect();
    let guest = vec![GUEST.to_owned()];
    assert_eq!(
        told,
        [
            (InvitationKind::Invited, guest.clone()),
            (InvitationKind::Updated, guest.clone()),
            (InvitationKind::Cancelled, guest)
        ]
    );
}

#[tokio::test]
async fn a_silent_deletion_tells_nobody_and_a_second_one_is_no_error() {
    let world = World::start().await;
    world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    let before = world.simulator.invitations().len();
    world.google.delete_event(&world.token, ANA, APPOINTMENT_EVENT, false).await.unwrap();
    world.google.delete_event(&world.token, ANA, APPOINTMENT_EVENT, false).await.unwrap();
    world.google.delete_event(&world.token, ANA, "neverheardof", false).await.unwrap();
    assert_eq!(world.simulator.invitations().len(), before);
}

#[tokio::test]
async fn an_update_keeps_the_answers_and_guests_that_the_calendar_has() {
    let world = World::start().await;
    world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    let attendees = json!([
        {"email": GUEST, "responseStatus": "accepted"},
        {"email": "colleague@example.com", "responseStatus": "needsAction"},
    ]);
    world.simulator.patch_event(ANA, APPOINTMENT_EVENT, json!({"attendees": attendees})).unwrap();
    let mut wanted = appointment_event();
    wanted.id = APPOINTMENT_EVENT.into();
    wanted.title = "Consultation, second floor".into();
    world.google.put_event(&world.token, ANA, &wanted, Expected::Update { etag: None }).await.unwrap();
    let found = world.google.get_event(&world.token, ANA, APPOINTMENT_EVENT).await.unwrap().unwrap();
    assert_eq!(found.title, wanted.title);
    let answers: Vec<_> = found.attendees.iter().map(|attendee| (attendee.email.as_str(), attendee.response)).collect();
    assert!(answers.contains(&(GUEST, ResponseStatus::Accepted)), "{answers:?}");
    assert!(answers.contains(&("colleague@example.com", ResponseStatus::NeedsAction)), "{answers:?}");
}

#[tokio::test]
async fn visitors_who_share_seats_come_and_go_and_the_others_keep_their_answers() {
    let world = World::start().await;
    world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    let attendees = json!([
        {"email": GUEST, "responseStatus": "accepted"},
        {"email": "colleague@example.com", "responseStatus": "tentative"},
    ]);
    world.simulator.patch_event(ANA, APPOINTMENT_EVENT, json!({"attendees": attendees})).unwrap();
    let put = async |visitors: &[&str], gone: &[String]| {
        let mut wanted = appointment_event();
        wanted.id = APPOINTMENT_EVENT.into();
        wanted.attendees = visitors.iter().map(|email| Attendee::invited(*email, None)).collect();
        let expected = Expected::UpdateAttendees { etag: None, gone };
        world.google.put_event(&world.token, ANA, &wanted, expected).await.unwrap();
        let found = world.google.get_event(&world.token, ANA, APPOINTMENT_EVENT).await.unwrap().unwrap();
        let answers = found.attendees.into_iter().map(|attendee| (attendee.email, attendee.response));
        answers.collect::<Vec<_>>()
    };
    let guest = (GUEST.to_owned(), ResponseStatus::Accepted);
    let colleague = ("colleague@example.com".to_owned(), ResponseStatus::Tentative);
    let second = ("second@example.net".to_owned(), ResponseStatus::NeedsAction);
    let told = put(&[GUEST, "second@example.net"], &[]).await;
    assert_eq!(told, [guest, colleague.clone(), second.clone()]);
    let told = put(&["second@example.net"], &["Guest@example.net".to_owned()]).await;
    assert_eq!(told, [colleague, second]);
}

#[tokio::test]
async fn an_update_of_what_the_host_changed_is_a_conflict_and_of_what_they_deleted_is_not_found() {
    let world = World::start().await;
    let created = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    world.simulator.patch_event(ANA, &created.id, json!({"summary": "Moved by hand"})).unwrap();
    let mut wanted = appointment_event();
    wanted.id = created.id.clone();
    let expected = Expected::Update { etag: created.etag.as_deref() };
    let refused = world.google.put_event(&world.token, ANA, &wanted, expected).await;
    assert_eq!(refused, Err(ProviderError::Conflict));

    world.simulator.delete_event(ANA, &created.id).unwrap();
    let refused = world.google.put_event(&world.token, ANA, &wanted, Expected::Update { etag: None }).await;
    assert_eq!(refused, Err(ProviderError::NotFound));
    wanted.id = "neverheardof".into();
    let refused = world.google.put_event(&world.token, ANA, &wanted, Expected::Update { etag: None }).await;
    assert_eq!(refused, Err(ProviderError::NotFound));
}

#[tokio::test]
async fn creating_twice_makes_one_event_and_says_it_again_only_when_something_differs() {
    let world = World::start().await;
    let first = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    let again = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(world.simulator.invitations().len(), 1, "nothing changed, so nobody is written to");

    let renamed = CalendarEvent { title: "Another title".into(), ..appointment_event() };
    let updated = world.google.put_event(&world.token, ANA, &renamed, Expected::Create).await.unwrap();
    assert_eq!((updated.id.as_str(), updated.stands), (first.id.as_str(), None));
    // It may have been moved there: it is told, and left alone.
    let mut later = appointment_event();
    (later.start, later.end) = (instant(hour(11)), instant(hour(12)));
    let left = world.google.put_event(&world.token, ANA, &later, Expected::Create).await.unwrap();
    assert_eq!((left.id.as_str(), &left.stands.unwrap().start), (first.id.as_str(), &appointment_event().start));
    let found = world.google.get_event(&world.token, ANA, &first.id).await.unwrap().unwrap();
    assert_eq!((found.title.as_str(), found.start), ("Another title", appointment_event().start));
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
}

#[tokio::test]
async fn an_id_that_a_deleted_event_or_a_stranger_holds_gives_way_to_the_next_one() {
    let world = World::start().await;
    let first = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    world.google.delete_event(&world.token, ANA, &first.id, false).await.unwrap();
    let stranger = json!({
        "id": format!("{APPOINTMENT_EVENT}1"), "summary": "Not ours",
        "start": {"dateTime": "2026-11-02T09:00:00Z"}, "end": {"dateTime": "2026-11-02T10:00:00Z"},
    });
    world.simulator.insert_event(ANA, stranger).unwrap();
    let third = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(third.id, format!("{APPOINTMENT_EVENT}2"));
    let again = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(again.id, third.id);
    let untouched = world.google.get_event(&world.token, ANA, &format!("{APPOINTMENT_EVENT}1")).await.unwrap().unwrap();
    assert_eq!(untouched.title, "Not ours");
}

#[tokio::test]
async fn an_event_without_a_mark_is_not_created() {
    let world = World::start().await;
    let mut unmarked = appointment_event();
    unmarked.mark = None;
    let refused = world.google.put_event(&world.token, ANA, &unmarked, Expected::Create).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_meeting_link_is_pending_then_there() {
    let world = World::start().await;
    world.simulator.set_meet(MeetSettings { pending_ms: 60_000, fail: false });
    let mut event = appointment_event();
    event.meeting = Meeting::Request { request_id: "018f-1".into() };
    let created = world.google.put_event(&world.token, ANA, &event, Expected::Create).await.unwrap();
    assert_eq!(created.meeting, MeetingLink::Pending);
    world.simulator.clock().advance(TimeDelta::minutes(2));
    let found = world.google.get_event(&world.token, ANA, &created.id).await.unwrap().unwrap();
    let Meeting::Ready { url } = &found.meeting else { panic!("{:?}", found.meeting) };
    assert!(url.starts_with("https://"), "{url}");

    event.id = created.id.clone();
    event.title = "Consultation by video".into();
    let updated = world.google.put_event(&world.token, ANA, &event, Expected::Update { etag: None }).await.unwrap();
    assert_eq!(updated.meeting, MeetingLink::Ready { url: url.clone() }, "the same request makes no other meeting");
}

#[tokio::test]
async fn a_meeting_that_cannot_be_made_has_failed() {
    let world = World::start().await;
    world.simulator.set_meet(MeetSettings { pending_ms: 0, fail: true });
    let mut event = appointment_event();
    event.meeting = Meeting::Request { request_id: "018f-1".into() };
    let created = world.google.put_event(&world.token, ANA, &event, Expected::Create).await.unwrap();
    assert_eq!(created.meeting, MeetingLink::Failed);
}

#[tokio::test]
async fn a_first_round_tells_the_window_and_the_next_one_what_changed() {
    let world = World::start().await;
    let timed = |id: &str, day: u32| {
        let at = |hour: u32| json!({"dateTime": format!("2026-11-{day:02}T{hour:02}:00:00Z")});
        json!({"id": id, "summary": id, "start": at(9), "end": at(10)})
    };
    for (id, day) in [("inside1", 2), ("inside2", 3), ("outside", 20)] {
        world.simulator.insert_event(ANA, timed(id, day)).unwrap();
    }
    let window = hours(0, 24 * 7);
    let first = world.google.changes(&world.token, ANA, None, window).await.unwrap();
    assert_eq!(ids(&first.events), ["inside1", "inside2"]);
    assert_eq!(first.time_zone.as_deref(), Some("Europe/Madrid"));

    world.simulator.delete_event(ANA, "inside1").unwrap();
    world.simulator.patch_event(ANA, "inside2", json!({"summary": "Renamed"})).unwrap();
    world.simulator.insert_event(ANA, timed("inside3", 4)).unwrap();
    let second = world.google.changes(&world.token, ANA, Some(&first.cursor), window).await.unwrap();
    let mut changed = ids(&second.events);
    changed.sort();
    assert_eq!(changed, ["-inside1", "inside2", "inside3"]);
    let third = world.google.changes(&world.token, ANA, Some(&second.cursor), window).await.unwrap();
    assert_eq!(ids(&third.events), Vec::<String>::new());

    let queries: Vec<_> = world.api_exchanges().into_iter().map(|exchange| exchange.query).collect();
    assert!(queries[0].contains("timeMin=") && !queries[0].contains("syncToken="), "{}", queries[0]);
    assert!(queries[1].contains("syncToken=") && !queries[1].contains("timeM"), "{}", queries[1]);
}

#[tokio::test]
async fn a_recurring_event_is_told_by_its_instances() {
    let world = World::start().await;
    let series = json!({
        "id": "series", "summary": "Stand-up", "recurrence": ["RRULE:FREQ=DAILY;COUNT=5"],
        "start": {"dateTime": "2026-11-02T09:00:00+01:00", "timeZone": "Europe/Madrid"},
        "end": {"dateTime": "2026-11-02T09:15:00+01:00", "timeZone": "Europe/Madrid"},
    });
    world.simulator.insert_event(ANA, series).unwrap();
    let round = world.google.changes(&world.token, ANA, None, hours(0, 24 * 7)).await.unwrap();
    assert_eq!(round.events.len(), 5);
    let EventChange::Upsert(instance) = &round.events[2] else { panic!("{:?}", round.events) };
    assert_eq!(instance.recurring_event_id.as_deref(), Some("series"));
    let original = instance.original_start.as_ref().map(|start| start.instant(chrono_tz::Tz::UTC));
    assert_eq!(original, Some(hour(48 + 8)));

    // A cancelled instance has an id and little else.
    world.simulator.delete_event(ANA, &instance.id).unwrap();
    let next = world.google.changes(&world.token, ANA, Some(&round.cursor), hours(0, 24 * 7)).await.unwrap();
    assert_eq!(ids(&next.events), [format!("-{}", instance.id)]);
}

#[tokio::test]
async fn a_recurring_event_is_read_by_its_first_date_and_moves_with_its_rule() {
    let world = World::start().await;
    let created = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    // The event is on a Monday.
    let weekly = json!({ "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3"] });
    world.simulator.patch_event(ANA, &created.id, weekly).unwrap();
    let read = async || world.google.get_event(&world.token, ANA, &created.id).await.unwrap();
    let first = read().await.unwrap();
    assert_eq!((&first.id, &first.start, &first.mark), (&created.id, &instant(hour(9)), &appointment_event().mark));
    let first_date = first.first_instance.clone().unwrap();
    world.simulator.delete_event(ANA, &first_date).unwrap();
    let next = read().await.unwrap();
    assert_eq!((&next.start, &next.etag), (&instant(hour(9 + 7 * 24)), &first.etag));
    assert_ne!(next.first_instance.as_deref(), Some(first_date.as_str()));

    let tuesday = CalendarEvent { start: instant(hour(33)), end: instant(hour(34)), ..next };
    let expected = Expected::Update { etag: first.etag.as_deref() };
    world.google.put_event(&world.token, ANA, &tuesday, expected).await.unwrap();
    assert_eq!(read().await.unwrap().start, instant(hour(33)));
    let stored = world.simulator.events(ANA).unwrap();
    let whole = stored.iter().find(|event| event["id"] == created.id).unwrap();
    assert_eq!(whole["recurrence"], json!(["RRULE:FREQ=WEEKLY;COUNT=3"]));

    for _ in 0..3 {
        let first = read().await.unwrap().first_instance.unwrap();
        world.simulator.delete_event(ANA, &first).unwrap();
    }
    assert_eq!(read().await, None, "no date is left");
}

#[tokio::test]
async fn the_round_after_an_event_came_to_recur_names_it() {
    let world = World::start().await;
    let created = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    let window = hours(0, 24 * 30);
    let whole = world.google.changes(&world.token, ANA, None, window).await.unwrap();
    assert_eq!(whole.series, Vec::<String>::new());
    world.simulator.patch_event(ANA, &created.id, json!({ "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"] })).unwrap();
    let round = world.google.changes(&world.token, ANA, Some(&whole.cursor), window).await.unwrap();
    assert_eq!(round.series, std::slice::from_ref(&created.id));
    let first = world.google.get_event(&world.token, ANA, &created.id).await.unwrap().unwrap().first_instance.unwrap();
    world.simulator.delete_event(ANA, &first).unwrap();
    let round = world.google.changes(&world.token, ANA, Some(&round.cursor), window).await.unwrap();
    assert_eq!((ids(&round.events), round.series), (vec![format!("-{first}")], vec![created.id]));
}

#[tokio::test]
async fn a_round_of_many_pages_is_one_round() {
    let world = World::start().await;
    let series = json!({
        "id": "series", "summary": "Often", "recurrence": ["RRULE:FREQ=HOURLY;COUNT=2300"],
        "start": {"dateTime": "2026-11-02T00:00:00Z", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-02T00:15:00Z", "timeZone": "UTC"},
    });
    world.simulator.insert_event(ANA, series).unwrap();
    let round = world.google.changes(&world.token, ANA, None, hours(0, 24 * 100)).await.unwrap();
    assert_eq!(round.events.len(), 2300);
    let next = world.google.changes(&world.token, ANA, Some(&round.cursor), hours(0, 1)).await.unwrap();
    assert_eq!(next.events, []);
    // Google demands that all but the page and the sync token, and the window of the first round, stays as it was.
    let without_place = |query: &str| {
        let named = |pair: &&str| {
            !["pageToken=", "syncToken=", "timeMin=", "timeMax="].iter().any(|name| pair.starts_with(name))
        };
        query.split('&').filter(named).map(str::to_owned).collect::<Vec<_>>()
    };
    let queries: Vec<String> = world.api_exchanges().into_iter().map(|exchange| exchange.query).collect();
    assert_eq!(queries.len(), 4);
    assert!(queries[..3].iter().all(|query| query.contains("timeMin=") && query.contains("timeMax=")), "{queries:?}");
    assert!(
        queries.iter().all(|query| without_place(query) == ["singleEvents=true", "maxResults=1000"]),
        "{queries:?}"
    );
}

#[tokio::test]
async fn an_all_day_event_keeps_its_days() {
    let world = World::start().await;
    let away =
        json!({"id": "absent1", "summary": "Away", "start": {"date": "2026-11-03"}, "end": {"date": "2026-11-05"}});
    world.simulator.insert_event(ANA, away).unwrap();
    let round = world.google.changes(&world.token, ANA, None, hours(0, 24 * 7)).await.unwrap();
    let EventChange::Upsert(event) = &round.events[0] else { panic!("{:?}", round.events) };
    assert_eq!(event.start, EventTime::Day("2026-11-03".parse().unwrap()));
    let zone = round.time_zone.as_deref().unwrap().parse().unwrap();
    assert_eq!(event.busy_interval(zone), Interval::new(hour(24 - 1), hour(72 - 1)));
}

#[tokio::test]
async fn an_expired_sync_token_asks_for_a_full_round_and_a_lost_calendar_does_not() {
    let world = World::start().await;
    let first = world.google.changes(&world.token, ANA, None, hours(0, 24)).await.unwrap();
    world.simulator.expire_sync_tokens();
    let expired = world.google.changes(&world.token, ANA, Some(&first.cursor), hours(0, 24)).await;
    assert_eq!(expired, Err(ProviderError::CursorExpired));
    world.google.changes(&world.token, ANA, None, hours(0, 24)).await.unwrap();
    let lost = world.google.changes(&world.token, "gone@group.calendar.google.com", None, hours(0, 24)).await;
    assert_eq!(lost, Err(ProviderError::NotFound));
}

#[tokio::test]
async fn busy_time_is_merged_over_chunks_of_calendars_and_of_days() {
    let world = World::with(with_calendars(60)).await;
    let last = "calendar59@group.calendar.google.com";
    // It crosses the border between the first sixty days and the next.
    let event = json!({"start": {"date": "2026-12-31"}, "end": {"date": "2027-01-03"}, "summary": "Away"});
    world.simulator.insert_event(last, event).unwrap();
    let calendars: Vec<String> = (0..60).map(|index| format!("calendar{index}@group.calendar.google.com")).collect();
    let calendars: Vec<&str> = calendars.iter().map(String::as_str).collect();
    let answers = world.google.free_busy(&world.token, &calendars, hours(0, 24 * 90)).await.unwrap();
    assert_eq!(answers.iter().map(|answer| answer.calendar.as_str()).collect::<Vec<_>>(), calendars);
    let away = Interval::new("2026-12-30T23:00:00Z".parse().unwrap(), "2027-01-02T23:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(answers[59].busy, Ok(vec![away]));
    assert!(answers[..59].iter().all(|answer| answer.busy == Ok(Vec::new())));
    assert_eq!(world.calls().len(), 4);
}

#[tokio::test]
async fn fifty_calendars_are_asked_about_in_one_request() {
    let world = World::with(with_calendars(51)).await;
    let calendars: Vec<String> = (0..51).map(|index| format!("calendar{index}@group.calendar.google.com")).collect();
    let calendars: Vec<&str> = calendars.iter().map(String::as_str).collect();
    world.google.free_busy(&world.token, &calendars[..50], hours(0, 24 * 60)).await.unwrap();
    assert_eq!(world.calls(), ["POST /calendar/v3/freeBusy"]);
    world.simulator.clear_exchanges();
    world.google.free_busy(&world.token, &calendars, hours(0, 24)).await.unwrap();
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn the_busy_time_of_an_unknown_calendar_is_unknown_and_not_free() {
    let world = World::start().await;
    let answers = world.google.free_busy(&world.token, &[ANA, "nobody@example.com"], hours(0, 24)).await.unwrap();
    assert_eq!(answers[0].busy, Ok(Vec::new()));
    assert_eq!(answers[1].busy.as_ref().unwrap_err().reason, "notFound");
    assert_eq!(world.google.free_busy(&world.token, &[], hours(0, 24)).await, Ok(Vec::new()));
}

#[tokio::test]
async fn the_rule_of_what_blocks_agrees_with_googles_free_busy() {
    let world = World::start().await;
    let at = |hour: u32| json!({"dateTime": format!("2026-11-02T{hour:02}:00:00Z")});
    let declined = json!([{"email": ANA, "self": true, "responseStatus": "declined"}]);
    let unanswered = json!([{"email": ANA, "self": true, "responseStatus": "needsAction"}]);
    for (index, changes) in [
        json!({}),
        json!({"transparency": "transparent"}),
        json!({"attendees": declined}),
        json!({"status": "tentative"}),
        json!({"transparency": "opaque", "visibility": "private"}),
        json!({"eventType": "outOfOffice"}),
        json!({"eventType": "workingLocation", "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}}}),
        json!({"eventType": "focusTime"}),
        json!({"attendees": unanswered}),
    ]
    .into_iter()
    .enumerate()
    {
        let start = 2 * index as u32;
        let mut event = json!({"summary": "x", "start": at(start), "end": at(start + 1)});
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        world.simulator.insert_event(ANA, event).unwrap();
    }
    let day = hours(0, 24);
    let told = world.google.free_busy(&world.token, &[ANA], day).await.unwrap().remove(0).busy.unwrap();
    let round = world.google.changes(&world.token, ANA, None, day).await.unwrap();
    let read = round.events.iter().filter_map(|change| match change {
        EventChange::Upsert(event) => event.busy_interval(chrono_tz::Tz::Europe__Madrid),
        EventChange::Series { .. } | EventChange::Removed { .. } => None,
    });
    assert_eq!(cupo_core::interval::normalize(read.collect()), told);
    assert_eq!(told, [0, 6, 8, 10, 14, 16].map(|start| hours(start, start + 1)));
}

fn channel(id: &str, token: &str) -> WatchRequest {
    WatchRequest {
        id: id.into(),
        token: Secret::new(token),
        address: Url::parse("http://127.0.0.1:1/webhooks/google").unwrap(),
        ttl: Duration::from_secs(3600),
    }
}

#[tokio::test]
async fn a_channel_is_opened_and_closed_and_closing_an_unknown_one_is_no_error() {
    let world = World::start().await;
    let watch = world.google.watch(&world.token, ANA, &channel("channel-1", "hush")).await.unwrap();
    let life = watch.expires_at - world.simulator.clock().now();
    assert!(life > TimeDelta::minutes(59) && life <= TimeDelta::hours(1), "{life}");
    assert_eq!(world.simulator.channels().len(), 1);
    world.google.unwatch(&world.token, "channel-1", &watch.resource_id).await.unwrap();
    assert_eq!(world.simulator.channels().len(), 0);
    world.google.unwatch(&world.token, "channel-1", &watch.resource_id).await.unwrap();
}

#[tokio::test]
async fn a_channel_that_google_would_refuse_is_not_asked_for() {
    let world = World::start().await;
    let (long_id, long_token) = ("a".repeat(65), "t".repeat(257));
    for wrong in [channel("", "t"), channel(&long_id, "t"), channel("a b", "t"), channel("a", &long_token)] {
        let refused = world.google.watch(&world.token, ANA, &wrong).await;
        assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    }
    assert_eq!(world.calls(), Vec::<String>::new());
    world.google.watch(&world.token, ANA, &channel(&"a".repeat(64), &"t".repeat(256))).await.unwrap();
}

#[tokio::test]
async fn an_id_that_would_change_the_path_is_refused_and_odd_ones_are_encoded() {
    let world = World::start().await;
    for id in ["", ".", ".."] {
        let refused = world.google.get_event(&world.token, ANA, id).await;
        assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    }
    let holidays = "en.spain#holiday@group.v.calendar.google.com";
    let cursor = SyncCursor::new("a&b=c");
    world.google.changes(&world.token, holidays, Some(&cursor), hours(0, 1)).await.unwrap_err();
    world.google.get_event(&world.token, ANA, "../events").await.unwrap();
    let exchanges = world.api_exchanges();
    assert!(exchanges[0].path.contains("en.spain%23holiday@"), "{}", exchanges[0].path);
    assert!(exchanges[0].query.contains("syncToken=a%26b%3Dc"), "{}", exchanges[0].query);
    assert!(exchanges[1].path.ends_with("/..%2Fevents"), "{}", exchanges[1].path);
}
