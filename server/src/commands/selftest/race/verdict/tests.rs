use std::time::Duration;

use chrono::TimeDelta;
use cupo_core::ids::EventTypeId;

use super::super::plan::Request;
use super::super::records::{ClaimRow, HoldRow};
use super::super::scene::{CLASS, HELD, PANEL, SINGLE, TEAM, WIDE};
use super::*;

fn uuid(number: usize) -> String {
    format!("00000000-0000-7000-8000-{number:012}")
}

fn host(number: usize) -> UserId {
    UserId::parse(&uuid(number)).unwrap()
}

fn claim_id(number: usize) -> ClaimId {
    ClaimId::parse(&uuid(number)).unwrap()
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

fn offers() -> Offers {
    let plain = Offer {
        id: EventTypeId::parse(&uuid(1)).unwrap(),
        hosts: vec![host(0)],
        assignment: Assignment::Single,
        duration: TimeDelta::minutes(30),
        before: TimeDelta::zero(),
        after: TimeDelta::zero(),
        seats: 1,
    };
    let half_hour = TimeDelta::minutes(30);
    let three = vec![host(1), host(2), host(3)];
    BTreeMap::from([
        (SINGLE, plain.clone()),
        (WIDE, Offer { before: half_hour, after: half_hour, ..plain.clone() }),
        (TEAM, Offer { hosts: three.clone(), assignment: Assignment::RoundRobin, ..plain.clone() }),
        (PANEL, Offer { hosts: three, assignment: Assignment::Collective, ..plain.clone() }),
        (CLASS, Offer { seats: 2, ..plain.clone() }),
        (MOVING, plain.clone()),
        (HELD, plain.clone()),
        (REQUEST, plain),
    ])
}

/// A race in the making: what was answered, and what the database is said to hold.
#[derive(Default)]
struct Race {
    prepared: Vec<Prepared>,
    shots: Vec<Shot>,
    records: Records,
}

impl Race {
    fn broken(&self) -> Vec<Rule> {
        let found = judge(&offers(), &self.prepared, &self.shots, &self.records);
        found.into_iter().map(|violation| violation.rule).collect()
    }

    fn shot(&mut self, kind: Kind, wish: Wish, answer: Answer) {
        let request = Request { kind, place: 0, wish };
        self.shots.push(Shot { request, answer, took: Duration::ZERO });
    }

    /// A booking that was answered, of a visitor with this number.
    fn answered(&mut self, kind: Kind, visitor: usize, offer: &'static str, start: i64, answer: Answer) {
        let (key, email) = (format!("key-{visitor}"), email(visitor));
        self.shot(kind, Wish::Book(Booking { offer, start: at(start), key, email, hold: None }), answer);
    }

    /// A booking that was won and is stored as it should be.
    fn won(&mut self, kind: Kind, visitor: usize, offer: &'static str, start: i64, hosts: &[usize]) {
        self.answered(kind, visitor, offer, start, Answer::Booked { token: token_of(visitor), replayed: false });
        self.stored(visitor, offer, start, hosts);
    }

    fn stored(&mut self, visitor: usize, offer: &'static str, start: i64, hosts: &[usize]) {
        let of = &offers()[offer];
        self.records.appointments.push(AppointmentRow {
            offer,
            email: email(visitor),
            token_hash: Sha256::digest(token_of(visitor)).to_vec(),
            host: host(hosts[0]),
            status: AppointmentStatus::Confirmed,
            start: at(start),
            end: at(start) + of.duration,
            claim: of.span(at(start)),
            claim_id: claim_id(visitor),
            sequence: 0,
        });
        for number in hosts {
            self.records.claims.push(ClaimRow {
                id: claim_id(visitor),
                host: host(*number),
                offer,
                start: at(start),
                claim: of.span(at(start)),
                seats: of.seats,
                seats_taken: 1,
            });
        }
    }

    /// An appointment that was there before.
    fn prepared(&mut self, visitor: usize, offer: &'static str, start: i64) {
        let id = cupo_core::ids::AppointmentId::parse(&uuid(visitor)).unwrap();
        let (token, email) = (token_of(visitor), email(visitor));
        self.prepared.push(Prepared { offer, id, token, email, start: at(start) });
        self.stored(visitor, offer, start, &[0]);
    }

    fn decided(&mut self, decision: Decision, answer: Answer) {
        self.shot(Kind::Approval, Wish::Decide { appointment: 0, decision }, answer);
    }

    fn row(&mut self) -> &mut AppointmentRow {
        &mut self.records.appointments[0]
    }
}

fn email(visitor: usize) -> String {
    format!("visitor-{visitor}@example.com")
}

fn token_of(visitor: usize) -> String {
    format!("token-{visitor}")
}

const REFUSED: Answer = Answer::Refused("slot-taken");

#[test]
fn a_race_in_order_breaks_nothing() {
    let mut race = Race::default();
    race.won(Kind::Single, 10, SINGLE, 0, &[0]);
    race.answered(Kind::Single, 11, SINGLE, 0, REFUSED);
    race.answered(Kind::Single, 10, SINGLE, 0, Answer::Booked { token: token_of(10), replayed: true });
    race.won(Kind::Collective, 12, PANEL, 0, &[1, 2, 3]);
    race.won(Kind::RoundRobin, 13, TEAM, 60, &[2]);
    race.won(Kind::Buffers, 14, WIDE, 60, &[0]);
    race.won(Kind::Single, 15, SINGLE, 120, &[0]);
    race.won(Kind::Seats, 16, CLASS, 300, &[0]);
    race.won(Kind::Seats, 17, CLASS, 300, &[0]);
    race.records.appointments.last_mut().unwrap().claim_id = claim_id(16);
    race.records.claims.pop();
    race.records.claims.last_mut().unwrap().seats_taken = 2;
    race.answered(Kind::Seats, 18, CLASS, 300, REFUSED);
    assert_eq!(race.broken(), []);
}

#[test]
fn two_appointments_of_one_host_at_once_are_found() {
    let mut race = Race::default();
    race.won(Kind::RoundRobin, 10, TEAM, 0, &[1]);
    race.won(Kind::RoundRobin, 11, TEAM, 15, &[1]);
    assert_eq!(race.broken(), [Rule::OneAtATime]);
}

#[test]
fn an_appointment_within_another_ones_buffer_is_found() {
    let mut race = Race::default();
    race.won(Kind::Buffers, 10, WIDE, 60, &[0]);
    race.won(Kind::Buffers, 11, SINGLE, 90, &[0]);
    assert_eq!(race.broken(), [Rule::OneAtATime]);
}

#[test]
fn a_long_appointment_is_compared_with_all_that_begin_within_it() {
    let mut race = Race::default();
    race.won(Kind::Buffers, 10, WIDE, 60, &[0]);
    race.won(Kind::Buffers, 11, SINGLE, 30, &[0]);
    race.won(Kind::Buffers, 12, SINGLE, 90, &[0]);
    assert_eq!(race.broken(), [Rule::OneAtATime; 2]);
}

#[test]
fn somebody_who_is_booked_alone_while_all_are_is_found() {
    let mut race = Race::default();
    race.won(Kind::Collective, 10, PANEL, 0, &[1, 2, 3]);
    race.won(Kind::Collective, 11, TEAM, 0, &[3]);
    assert_eq!(race.broken(), [Rule::OneAtATime]);
}

#[test]
fn two_winners_of_one_slot_are_found() {
    let mut race = Race::default();
    race.won(Kind::Single, 10, SINGLE, 0, &[0]);
    race.won(Kind::Single, 11, SINGLE, 0, &[0]);
    assert_eq!(race.broken(), [Rule::OneAtATime, Rule::Seats, Rule::OneWinner]);
}

#[test]
fn one_appointment_more_than_seats_is_found() {
    let mut race = Race::default();
    for visitor in 10..13 {
        race.won(Kind::Seats, visitor, CLASS, 0, &[0]);
        race.records.appointments.last_mut().unwrap().claim_id = claim_id(10);
    }
    race.records.claims.truncate(1);
    race.records.claims[0].seats_taken = 3;
    assert_eq!(race.broken(), [Rule::Seats]);
}

#[test]
fn a_confirmed_booking_that_is_gone_or_elsewhere_is_found() {
    let mut race = Race::default();
    race.won(Kind::Buffers, 10, SINGLE, 0, &[0]);
    race.records.appointments.clear();
    race.records.claims.clear();
    assert_eq!(race.broken(), [Rule::WinsStand]);
    race.stored(10, SINGLE, 60, &[0]);
    assert_eq!(race.broken(), [Rule::WinsStand]);
}

#[test]
fn an_appointment_of_somebody_who_was_refused_is_found() {
    let mut race = Race::default();
    race.answered(Kind::Buffers, 10, SINGLE, 0, REFUSED);
    race.stored(10, SINGLE, 0, &[0]);
    assert_eq!(race.broken(), [Rule::RefusalsLeaveNothing]);
}

#[test]
fn a_refusal_of_what_is_free_is_found() {
    let mut race = Race::default();
    race.won(Kind::RoundRobin, 10, TEAM, 0, &[1]);
    race.won(Kind::RoundRobin, 11, TEAM, 0, &[2]);
    race.answered(Kind::RoundRobin, 12, TEAM, 0, REFUSED);
    assert_eq!(race.broken(), [Rule::FreeIsGiven]);
    race.won(Kind::RoundRobin, 13, TEAM, 0, &[3]);
    assert_eq!(race.broken(), []);
}

#[test]
fn a_claim_that_is_missing_too_long_or_too_many_is_found() {
    let collective = || {
        let mut race = Race::default();
        race.won(Kind::Collective, 10, PANEL, 0, &[1, 2, 3]);
        race
    };
    let mut race = collective();
    race.records.claims.pop();
    assert_eq!(race.broken(), [Rule::ClaimsMatch]);
    let mut race = collective();
    race.records.claims[0].claim.end = at(31);
    assert_eq!(race.broken(), [Rule::ClaimsMatch]);
    let mut race = collective();
    race.row().status = AppointmentStatus::Cancelled;
    assert_eq!(race.broken(), [Rule::WinsStand, Rule::ClaimsMatch, Rule::ClaimsMatch, Rule::ClaimsMatch]);
}

#[test]
fn another_answer_to_the_same_request_is_found() {
    let mut race = Race::default();
    race.won(Kind::Buffers, 10, SINGLE, 0, &[0]);
    race.answered(Kind::Buffers, 10, SINGLE, 0, REFUSED);
    assert_eq!(race.broken(), [Rule::SameKeySameAnswer]);
}

#[test]
fn a_hold_that_was_not_kept_is_found() {
    let mut race = Race::default();
    let (key, email) = ("key".to_owned(), email(10));
    let booking = Booking { offer: HELD, start: at(0), key, email, hold: Some("hold".to_owned()) };
    race.shot(Kind::Holds, Wish::Book(booking), REFUSED);
    race.won(Kind::Holds, 11, HELD, 0, &[0]);
    assert_eq!(race.broken(), [Rule::HoldsAreKept]);
}

#[test]
fn a_hold_on_the_time_of_an_appointment_is_found() {
    let mut race = Race::default();
    race.won(Kind::Holds, 10, HELD, 0, &[0]);
    race.records.holds.push(HoldRow { offer: HELD, start: at(15), host: host(0) });
    assert_eq!(race.broken(), [Rule::HoldsAreKept]);
}

#[test]
fn an_appointment_where_no_move_has_led_is_found() {
    let mut race = Race::default();
    race.prepared(10, MOVING, 0);
    assert_eq!(race.broken(), []);
    race.shot(Kind::Moves, Wish::Move { appointment: 0, start: at(60) }, Answer::Done);
    assert_eq!(race.broken(), [Rule::ChangesAddUp]);
}

#[test]
fn decisions_that_exclude_each_other_are_found() {
    let mut race = Race::default();
    race.prepared(10, REQUEST, 0);
    race.decided(Decision::Confirm, Answer::Done);
    race.row().sequence = 1;
    assert_eq!(race.broken(), []);
    race.decided(Decision::Decline, Answer::Done);
    race.row().sequence = 2;
    assert_eq!(race.broken(), [Rule::ChangesAddUp]);
}

#[test]
fn a_request_about_which_nobody_could_decide_is_found() {
    let mut race = Race::default();
    race.prepared(10, REQUEST, 0);
    race.row().status = AppointmentStatus::Pending;
    race.decided(Decision::Confirm, Answer::Refused("conflict"));
    assert_eq!(race.broken(), [Rule::ChangesAddUp]);
}

#[test]
fn an_error_that_is_no_refusal_is_found() {
    let mut race = Race::default();
    race.answered(Kind::Buffers, 10, SINGLE, 0, Answer::Failed("the database is on fire".to_owned()));
    assert_eq!(race.broken(), [Rule::NoOtherErrors]);
}
