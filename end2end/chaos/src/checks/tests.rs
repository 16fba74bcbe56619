//! A picture that agrees, and every way in which it may not.

use serde_json::{Value, json};

use super::*;
use crate::store::Row;

const START: &str = "2026-11-30T09:00:00Z";
const END: &str = "2026-11-30T09:30:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn row<R: Row>(mut value: Value) -> R {
    // Instants are microseconds in the store.
    for member in value.as_object_mut().unwrap().values_mut() {
        if let Some(at) = member.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()) {
            *member = json!(at.timestamp_micros());
        }
    }
    serde_json::from_value(value).unwrap()
}

fn event(claim: Option<&str>, start: &str, end: &str) -> (String, String, Event) {
    let id = format!("event-{start}-{claim:?}");
    let event = Event { id, claim: claim.map(str::to_owned), start: at(start), end: at(end), takes_time: true };
    ("work".to_owned(), "host".to_owned(), event)
}

fn audit(action: &str, detail: Value) -> Audit {
    row(json!({ "action": action, "subject_id": "a1", "detail": detail.to_string() }))
}

fn mail(to: &str, subject: &str) -> Mail {
    Mail { to: vec![to.to_owned()], subject: subject.to_owned() }
}

/// One visitor has booked, and everything is as it should be.
fn picture() -> Picture {
    let mail_sent = |recipient: &str| json!({ "kind": "confirmation", "recipient": recipient, "sequence": 0 });
    Picture {
        now: at("2026-11-29T00:00:00Z"),
        bookings: vec![Booking {
            email: "visitor1@visitors.example".to_owned(),
            event: "intro".to_owned(),
            standing: Standing::Booked { token: "t".to_owned() },
            starts: BTreeSet::from([at(START)]),
            moves: BTreeSet::new(),
            end_was_asked: false,
            cancelled: false,
            timed_out: false,
        }],
        accounts: vec![row(json!({ "id": "acc", "user_id": "host", "state": "active" }))],
        calendars: vec![row(json!({
            "id": "c1", "account_id": "acc", "external_id": "work", "is_primary": 1, "checks_conflicts": 1,
            "synced_at": START, "mirror_until": "2027-11-30T09:00:00Z", "sync_error": null,
        }))],
        appointments: vec![row(json!({
            "id": "a1", "claim_id": "k1", "host_user_id": "host", "status": "confirmed", "start_at": START,
            "end_at": END, "visitor_email": "visitor1@visitors.example", "sequence": 0, "cancelled_by": null,
        }))],
        claims: vec![row(json!({
            "id": "k1", "host_user_id": "host", "claim_start": START, "claim_end": END, "seats": 1, "seats_taken": 1,
        }))],
        mappings: vec![row(json!({
            "claim_id": "k1", "calendar_id": "c1", "external_event_id": "e1", "pushed_sequence": 0, "deleted_at": null,
        }))],
        busy: vec![row(json!({
            "calendar_id": "c1", "start_at": "2026-12-01T09:00:00Z", "end_at": "2026-12-01T10:00:00Z",
        }))],
        events: vec![event(Some("k1"), START, END), event(None, "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z")],
        audit: vec![
            audit("appointment.booked", json!({ "sequence": 0 })),
            audit("mail.sent", mail_sent("visitor")),
            audit("mail.sent", mail_sent("host")),
        ],
        mails: vec![
            mail("visitor1@visitors.example", "Confirmed: intro, Monday"),
            mail("host@hosts.example", "New appointment: intro with Visitor 1., Monday"),
        ],
        host_emails: BTreeMap::from([("host".to_owned(), "host@hosts.example".to_owned())]),
        ..Picture::default()
    }
}

/// The counts of lost, doubled, orphans, overlaps and stale after a change of the picture.
fn counts(change: impl FnOnce(&mut Picture)) -> [usize; 5] {
    let mut picture = picture();
    change(&mut picture);
    picture.judge().groups().map(|(_, details)| details.len())
}

#[test]
fn a_picture_that_agrees_is_clean_and_the_closing_line_says_so() {
    let verdict = picture().judge();
    assert_eq!(verdict, Verdict::default());
    assert_eq!(verdict.line(1_000), "lost=0 doubled=0 orphans=0 overlaps=0 stale=0 faults=1000");
}

#[test]
fn a_booking_that_is_not_in_the_store_is_lost() {
    let found = counts(|picture| {
        picture.appointments.clear();
        picture.claims.clear();
        picture.events.remove(0);
    });
    assert_eq!(found, [1, 0, 0, 0, 0]);
}

#[test]
fn an_appointment_that_ended_without_anybody_asking_is_lost() {
    let end = |picture: &mut Picture| {
        picture.appointments[0].status = "cancelled".to_owned();
        picture.claims.clear();
        picture.events.remove(0);
        picture.audit[0] = audit("appointment.cancelled", json!({ "sequence": 0 }));
        for (entry, recipient) in [(1, "visitor"), (2, "host")] {
            let detail = json!({ "kind": "cancellation", "recipient": recipient, "sequence": 0 });
            picture.audit[entry] = audit("mail.sent", detail);
        }
        picture.mails[0].subject = "Cancelled: intro, Monday".to_owned();
        picture.mails[1].subject = "Cancelled: intro with Visitor 1., Monday".to_owned();
    };
    assert_eq!(counts(end), [1, 0, 0, 0, 0]);
    let asked = counts(|picture| {
        end(picture);
        picture.bookings[0].end_was_asked = true;
    });
    assert_eq!(asked, [0; 5]);
    let deleted = counts(|picture| {
        end(picture);
        picture.by_hand.insert("k1".to_owned(), ByHand { deletion_was_tried: true, ..ByHand::default() });
    });
    assert_eq!(deleted, [0; 5]);
}

#[test]
fn a_cancellation_or_a_deletion_without_effect_is_lost() {
    assert_eq!(counts(|picture| picture.bookings[0].cancelled = true), [1, 0, 0, 0, 0]);
    let delete = |picture: &mut Picture| {
        picture.by_hand.insert("k1".to_owned(), ByHand { deleted: true, ..ByHand::default() });
    };
    assert_eq!(counts(delete), [1, 0, 0, 0, 0]);
    let asked_for_another_time = counts(|picture| {
        delete(picture);
        picture.bookings[0].moves.insert(at(START));
    });
    assert_eq!(asked_for_another_time, [0; 5]);
}

#[test]
fn a_move_by_hand_without_effect_is_lost_unless_a_visitor_moved_it_too() {
    let moved = |picture: &mut Picture| {
        let to = at("2026-12-05T19:00:00Z");
        let by_hand = ByHand { starts: BTreeSet::from([to]), moved_to: Some(to), ..ByHand::default() };
        picture.by_hand.insert("k1".to_owned(), by_hand);
    };
    assert_eq!(counts(moved), [1, 0, 0, 0, 0]);
    let moved_back = counts(|picture| {
        moved(picture);
        picture.bookings[0].moves.insert(at(START));
    });
    assert_eq!(moved_back, [0; 5], "the visitor asked for the time that was booked at first");
    let by_one_who_left = counts(|picture| {
        moved(picture);
        picture.by_hand.get_mut("k1").unwrap().asked.insert(at(START));
    });
    assert_eq!(by_one_who_left, [0; 5]);
    let to_another_time = counts(|picture| {
        moved(picture);
        picture.bookings[0].moves.insert(at(END));
    });
    assert_eq!(to_another_time, [1, 0, 0, 0, 0], "nobody asked for the time at which it is");
}

#[test]
fn a_time_that_nobody_chose_is_lost() {
    assert_eq!(counts(|picture| picture.bookings[0].starts = BTreeSet::from([at(END)])), [1, 0, 0, 0, 0]);
}

#[test]
fn an_appointment_without_event_is_lost_and_one_with_two_is_doubled() {
    assert_eq!(counts(|picture| drop(picture.events.remove(0))), [1, 0, 0, 0, 0]);
    let twice = counts(|picture| {
        let mut other = event(Some("k1"), START, END);
        other.2.id = "another".to_owned();
        picture.events.push(other);
    });
    assert_eq!(twice, [0, 1, 0, 0, 0]);
    let elsewhere = counts(|picture| picture.events[0].0 = "another calendar".to_owned());
    assert_eq!(elsewhere, [1, 0, 0, 0, 0]);
}

#[test]
fn two_appointments_of_one_booking_are_doubled() {
    let found = counts(|picture| {
        let mut other = picture.appointments[0].clone();
        other.id = "a1".to_owned();
        picture.claims[0].seats = 2;
        picture.claims[0].seats_taken = 2;
        picture.appointments.push(other);
    });
    assert_eq!(found, [0, 1, 0, 0, 0]);
}

#[test]
fn an_event_without_a_confirmed_appointment_and_an_appointment_that_was_refused_are_orphans() {
    let of_nobody =
        counts(|picture| picture.events.push(event(Some("k2"), "2026-12-03T09:00:00Z", "2026-12-03T10:00:00Z")));
    assert_eq!(of_nobody, [0, 0, 1, 0, 0]);
    let refused = counts(|picture| picture.bookings[0].standing = Standing::Refused { status: 409 });
    assert_eq!(refused, [0, 0, 1, 0, 0]);
}

#[test]
fn claims_and_events_of_a_host_that_overlap_are_told() {
    let claims = counts(|picture| {
        let mut other = picture.claims[0].clone();
        other.id = "k2".to_owned();
        other.seats_taken = 0;
        picture.claims.push(other);
    });
    assert_eq!(claims, [0, 0, 0, 1, 0]);
    // Beside the event of nobody.
    let events =
        counts(|picture| picture.events.push(event(Some("k2"), "2026-11-30T09:15:00Z", "2026-11-30T10:00:00Z")));
    assert_eq!(events, [0, 0, 1, 1, 0]);
    assert_eq!(counts(|picture| picture.claims[0].seats_taken = 2), [0, 0, 0, 1, 0]);
}

#[test]
fn an_event_at_another_time_a_mirror_that_differs_and_a_job_that_is_dead_or_left_are_stale() {
    let late = counts(|picture| picture.events[0] = event(Some("k1"), "2026-11-30T10:00:00Z", "2026-11-30T10:30:00Z"));
    assert_eq!(late, [0, 0, 0, 0, 1]);
    assert_eq!(counts(|picture| picture.busy.clear()), [0, 0, 0, 0, 1]);
    assert_eq!(counts(|picture| drop(picture.events.remove(1))), [0, 0, 0, 0, 1]);
    assert_eq!(counts(|picture| picture.calendars[0].mirror_until = None), [0, 0, 0, 0, 1]);
    assert_eq!(counts(|picture| picture.left.push("push_event".to_owned())), [0, 0, 0, 0, 1]);
    let job = |state: &str, leased_until: Option<&str>| {
        row::<Job>(json!({
            "kind": "push_event", "payload": "{}", "state": state, "attempts": 1, "run_at": START,
            "leased_until": leased_until, "last_error": null,
        }))
    };
    assert_eq!(counts(|picture| picture.jobs.push(job("dead", None))), [0, 0, 0, 0, 1]);
    assert_eq!(counts(|picture| picture.jobs.push(job("pending", Some("2026-11-28T00:00:00Z")))), [0, 0, 0, 0, 1]);
    assert_eq!(counts(|picture| picture.jobs.push(job("pending", None))), [0; 5]);
}

#[test]
fn a_mail_that_is_not_on_record_or_never_arrived_is_lost() {
    assert_eq!(counts(|picture| drop(picture.audit.remove(1))), [1, 0, 0, 0, 0]);
    assert_eq!(counts(|picture| drop(picture.mails.remove(1))), [1, 0, 0, 0, 0]);
    assert_eq!(counts(|picture| drop(picture.audit.remove(0))), [1, 0, 0, 0, 0]);
    // A later change has to be told of too.
    let moved = counts(|picture| {
        picture.appointments[0].sequence = 1;
        picture.audit.push(audit("appointment.moved", json!({ "sequence": 1 })));
    });
    assert_eq!(moved, [2, 0, 0, 0, 0]);
}

#[test]
fn an_event_that_was_put_onto_another_appointment_is_an_exception() {
    let found = counts(|picture| {
        picture.events[0] = event(Some("k1"), "2026-12-05T09:00:00Z", "2026-12-05T09:30:00Z");
        picture.audit.push(audit("appointment.collides", json!({})));
        picture.busy.push(row(json!({
            "calendar_id": "c1", "start_at": "2026-12-05T09:00:00Z", "end_at": "2026-12-05T09:30:00Z",
        })));
    });
    assert_eq!(found, [0; 5]);
}
