//! Whether what was answered and what the database holds go together, by arithmetic of its own.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Utc};
use cupo_core::appointment::AppointmentStatus;
use cupo_core::event_type::Assignment;
use cupo_core::ids::{ClaimId, UserId};
use cupo_core::interval::Interval;
use sha2::{Digest, Sha256};

use super::plan::{Booking, Decision, Kind, Prepared, Wish};
use super::records::{AppointmentRow, Records};
use super::scene::{MOVING, Offer, Offers, REQUEST};
use super::volley::{Answer, Shot};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    OneAtATime,
    Seats,
    OneWinner,
    WinsStand,
    RefusalsLeaveNothing,
    FreeIsGiven,
    ClaimsMatch,
    SameKeySameAnswer,
    HoldsAreKept,
    ChangesAddUp,
    NoOtherErrors,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.rule {
            Rule::OneAtATime => "a host has two appointments at once",
            Rule::Seats => "a slot has more appointments than seats",
            Rule::OneWinner => "a slot has not one winner",
            Rule::WinsStand => "a booking that was confirmed is not there as it was confirmed",
            Rule::RefusalsLeaveNothing => "an appointment is there that was confirmed to nobody",
            Rule::FreeIsGiven => "a request was refused although the time is free",
            Rule::ClaimsMatch => "the claims are not those of the appointments",
            Rule::SameKeySameAnswer => "the same request with the same key got another answer",
            Rule::HoldsAreKept => "a slot was not kept for whoever had a hold on it",
            Rule::ChangesAddUp => "an appointment is not what its changes make of it",
            Rule::NoOtherErrors => "a request failed as none may",
        };
        write!(f, "{rule}: {}", self.what)
    }
}

/// Everything that is broken.
pub fn judge(offers: &Offers, prepared: &[Prepared], shots: &[Shot], records: &Records) -> Vec<Violation> {
    let mut judge = Judge { offers, prepared, shots, records, found: Vec::new() };
    judge.one_at_a_time();
    judge.seats();
    judge.one_winner();
    judge.wins_stand();
    judge.refusals_leave_nothing();
    judge.free_is_given();
    judge.claims_match();
    judge.same_key_same_answer();
    judge.holds_are_kept();
    judge.changes_add_up();
    judge.no_other_errors();
    judge.found
}

struct Judge<'a> {
    offers: &'a Offers,
    prepared: &'a [Prepared],
    shots: &'a [Shot],
    records: &'a Records,
    found: Vec<Violation>,
}

impl<'a> Judge<'a> {
    fn broken(&mut self, rule: Rule, what: String) {
        self.found.push(Violation { rule, what });
    }

    fn offer(&self, slug: &str) -> &'a Offer {
        &self.offers[slug]
    }

    /// Everybody who is at an appointment.
    fn hosts(&self, row: &'a AppointmentRow) -> Vec<&'a UserId> {
        let offer = self.offer(row.offer);
        match offer.assignment {
            Assignment::Collective => offer.hosts.iter().collect(),
            Assignment::Single | Assignment::RoundRobin => vec![&row.host],
        }
    }

    /// What an appointment takes, reckoned from its start and end and the buffers of its event type.
    fn span(&self, row: &AppointmentRow) -> Interval {
        let offer = self.offer(row.offer);
        Interval { start: row.start - offer.before, end: row.end + offer.after }
    }

    fn bookings(&self) -> impl Iterator<Item = (&'a Shot, &'a Booking)> + use<'a> {
        self.shots.iter().filter_map(|shot| match &shot.request.wish {
            Wish::Book(booking) => Some((shot, booking)),
            _ => None,
        })
    }

    /// No two appointments overlap on a host's time, buffers included, unless they are seats of the same slot.
    fn one_at_a_time(&mut self) {
        let mut of_hosts: BTreeMap<&UserId, Vec<(Interval, &AppointmentRow)>> = BTreeMap::new();
        for row in self.records.standing() {
            for host in self.hosts(row) {
                of_hosts.entry(host).or_default().push((self.span(row), row));
            }
        }
        for (host, mut rows) in of_hosts {
            rows.sort_by_key(|(span, _)| *span);
            let mut latest: Option<(Interval, &AppointmentRow)> = None;
            for (span, row) in rows {
                if let Some((before, other)) = latest
                    && span.start < before.end
                    && !self.share_a_slot(row, other)
                {
                    let what = format!("host {host} has {} and {}", told(other), told(row));
                    self.broken(Rule::OneAtATime, what);
                }
                latest = latest.filter(|(before, _)| before.end >= span.end).or(Some((span, row)));
            }
        }
    }

    fn share_a_slot(&self, one: &AppointmentRow, other: &AppointmentRow) -> bool {
        one.offer == other.offer
            && one.start == other.start
            && one.claim_id == other.claim_id
            && self.offer(one.offer).seats > 1
    }

    fn seats(&mut self) {
        let mut taken: BTreeMap<(&str, DateTime<Utc>), usize> = BTreeMap::new();
        for row in self.records.standing() {
            *taken.entry((row.offer, row.start)).or_default() += 1;
        }
        for ((slug, start), count) in taken {
            let offer = self.offer(slug);
            let most = match offer.assignment {
                Assignment::RoundRobin => offer.seats * offer.hosts.len(),
                Assignment::Single | Assignment::Collective => offer.seats,
            };
            if count > most {
                self.broken(Rule::Seats, format!("{slug} at {start} has {count} of {most}"));
            }
        }
    }

    /// A slot that nothing but the same slot contends with is won by one.
    fn one_winner(&mut self) {
        let mut winners: BTreeMap<DateTime<Utc>, BTreeSet<&str>> = BTreeMap::new();
        for (shot, booking) in self.bookings().filter(|(shot, _)| shot.request.kind == Kind::Single) {
            let tokens = winners.entry(booking.start).or_default();
            if let Answer::Booked { token, .. } = &shot.answer {
                tokens.insert(token);
            }
        }
        for (start, tokens) in winners {
            if tokens.len() != 1 {
                self.broken(Rule::OneWinner, format!("{start} was won by {}", tokens.len()));
            }
        }
    }

    fn wins_stand(&mut self) {
        for (shot, booking) in self.bookings() {
            let Answer::Booked { token, .. } = &shot.answer else { continue };
            let hash = Sha256::digest(token.as_bytes());
            let rows = self.records.appointments.iter().filter(|row| row.token_hash == hash.as_slice());
            let rows: Vec<_> = rows.collect();
            let is_there = matches!(rows[..], [row] if row.status.claims_time()
                && (row.offer, row.start, &row.email) == (booking.offer, booking.start, &booking.email)
                && row.end == row.start + self.offer(row.offer).duration
                && self.offer(row.offer).hosts.contains(&row.host));
            if !is_there {
                let found = rows.into_iter().map(told).collect::<Vec<_>>().join(", ");
                let Booking { offer, start, email, .. } = booking;
                self.broken(Rule::WinsStand, format!("{email} booked {offer} at {start}; there is: {found}"));
            }
        }
    }

    fn refusals_leave_nothing(&mut self) {
        let mut known: BTreeSet<&str> = self.prepared.iter().map(|prepared| prepared.email.as_str()).collect();
        let won = self.bookings().filter(|(shot, _)| shot.answer.is_win());
        known.extend(won.map(|(_, booking)| booking.email.as_str()));
        for row in &self.records.appointments {
            // Each of them has one.
            if !known.remove(row.email.as_str()) {
                self.broken(Rule::RefusalsLeaveNothing, told(row));
            }
        }
    }

    /// Nobody is refused for the sake of a rival who was refused too. Where appointments move away again nobody can say
    /// afterwards what was free.
    fn free_is_given(&mut self) {
        for shot in self.shots.iter().filter(|shot| shot.request.kind != Kind::Moves) {
            let (slug, start) = match &shot.request.wish {
                Wish::Book(booking) => (booking.offer, booking.start),
                Wish::Hold { offer, start } => (*offer, *start),
                Wish::Move { .. } | Wish::Decide { .. } => continue,
            };
            if let Answer::Refused(code) = shot.answer
                && self.is_free(slug, start)
            {
                self.broken(Rule::FreeIsGiven, format!("{slug} at {start}, as {code}"));
            }
        }
    }

    fn is_free(&self, slug: &str, start: DateTime<Utc>) -> bool {
        let offer = self.offer(slug);
        let session = self.records.standing().filter(|row| row.offer == slug && row.start == start).count();
        if offer.seats > 1 && session > 0 {
            return session < offer.seats;
        }
        let span = offer.span(start);
        let is_free = |host: &UserId| {
            let mut booked = self.records.standing().filter(|row| self.hosts(row).contains(&host));
            let mut held = self.records.holds.iter().filter(|hold| hold.host == *host);
            !booked.any(|row| self.span(row).overlaps(&span))
                && !held.any(|hold| self.offer(hold.offer).span(hold.start).overlaps(&span))
        };
        match offer.assignment {
            Assignment::RoundRobin => offer.hosts.iter().any(is_free),
            Assignment::Single | Assignment::Collective => offer.hosts.iter().all(is_free),
        }
    }

    /// Each standing appointment has a claim on the time of each of its hosts, and there are no others.
    fn claims_match(&mut self) {
        type Expected<'e> = (&'e str, Interval, DateTime<Utc>, usize, usize);
        let mut expected: BTreeMap<(&ClaimId, &UserId), Expected<'_>> = BTreeMap::new();
        for row in self.records.standing() {
            let span = self.span(row);
            if row.claim != span {
                self.broken(Rule::ClaimsMatch, format!("{} takes {:?} instead of {span:?}", told(row), row.claim));
            }
            for host in self.hosts(row) {
                let seats = self.offer(row.offer).seats;
                let entry = expected.entry((&row.claim_id, host)).or_insert((row.offer, span, row.start, seats, 0));
                entry.4 += 1;
            }
        }
        for row in &self.records.claims {
            let found = (row.offer, row.claim, row.start, row.seats, row.seats_taken);
            match expected.remove(&(&row.id, &row.host)) {
                Some(right) if right == found => {}
                right => {
                    let what = format!("claim {} on host {} is {found:?} instead of {right:?}", row.id, row.host);
                    self.broken(Rule::ClaimsMatch, what);
                }
            }
        }
        for ((claim, host), right) in expected {
            self.broken(Rule::ClaimsMatch, format!("claim {claim} on host {host} is missing: {right:?}"));
        }
    }

    fn same_key_same_answer(&mut self) {
        let mut sent: BTreeMap<&str, Vec<&Answer>> = BTreeMap::new();
        for (shot, booking) in self.bookings() {
            sent.entry(&booking.key).or_default().push(&shot.answer);
        }
        for (key, answers) in sent {
            let tokens: BTreeSet<Option<&str>> = answers.iter().map(|answer| token(answer)).collect();
            let first =
                answers.iter().filter(|answer| matches!(answer, Answer::Booked { replayed: false, .. })).count();
            let is_first = usize::from(tokens.iter().any(Option::is_some));
            if tokens.len() != 1 || first != is_first {
                self.broken(Rule::SameKeySameAnswer, format!("{key}: {answers:?}"));
            }
        }
    }

    /// Whoever has a hold gets the slot, and no hold lies on the time of a standing appointment or of another hold.
    fn holds_are_kept(&mut self) {
        for (shot, booking) in self.bookings() {
            if booking.hold.is_some() && !shot.answer.is_win() {
                let what = format!("{} at {}: {:?}", booking.offer, booking.start, shot.answer);
                self.broken(Rule::HoldsAreKept, what);
            }
        }
        let holds = &self.records.holds;
        for (number, hold) in holds.iter().enumerate() {
            let span = self.offer(hold.offer).span(hold.start);
            let is_seat = |offer: &str, start: DateTime<Utc>| {
                offer == hold.offer && start == hold.start && self.offer(offer).seats > 1
            };
            let meets = |row: &&AppointmentRow| {
                self.hosts(row).contains(&&hold.host)
                    && self.span(row).overlaps(&span)
                    && !is_seat(row.offer, row.start)
            };
            let booked = self.records.standing().find(meets).map(told);
            let held = holds[number + 1..].iter().find(|other| {
                other.host == hold.host
                    && self.offer(other.offer).span(other.start).overlaps(&span)
                    && !is_seat(other.offer, other.start)
            });
            let other = booked.or(held.map(|other| format!("a hold on {} at {}", other.offer, other.start)));
            if let Some(other) = other {
                let what = format!("{} at {} on host {} and {other}", hold.offer, hold.start, hold.host);
                self.broken(Rule::HoldsAreKept, what);
            }
        }
    }

    fn changes_add_up(&mut self) {
        for (number, prepared) in self.prepared.iter().enumerate() {
            let rows = self.records.appointments.iter().filter(|row| row.email == prepared.email);
            let rows: Vec<_> = rows.collect();
            let [row] = rows[..] else {
                self.broken(Rule::ChangesAddUp, format!("{} is there {} times", prepared.email, rows.len()));
                continue;
            };
            let adds_up = match prepared.offer {
                MOVING => self.moves_add_up(number, prepared, row),
                REQUEST => self.decisions_add_up(number, row),
                _ => true,
            };
            if !adds_up {
                self.broken(Rule::ChangesAddUp, format!("{} after {} changes", told(row), row.sequence));
            }
        }
    }

    /// It stands where one of its moves has led, or where it was when none was made.
    fn moves_add_up(&self, number: usize, prepared: &Prepared, row: &AppointmentRow) -> bool {
        let targets = self.shots.iter().filter_map(|shot| match (&shot.request.wish, &shot.answer) {
            (Wish::Move { appointment, start }, Answer::Done) if *appointment == number => Some(*start),
            _ => None,
        });
        let targets: Vec<_> = targets.collect();
        let is_there = if targets.is_empty() { row.start == prepared.start } else { targets.contains(&row.start) };
        // Who is told twice to go to the same place goes once.
        let least = i64::from(!targets.is_empty());
        let most = i64::try_from(targets.len()).unwrap_or(i64::MAX);
        is_there && row.status == AppointmentStatus::Confirmed && (least..=most).contains(&row.sequence)
    }

    /// Its status is that of the last decision, and none was made that its predecessors exclude.
    fn decisions_add_up(&self, number: usize, row: &AppointmentRow) -> bool {
        let made = |decisions: &[Decision]| {
            let is_it = |shot: &&Shot| match (&shot.request.wish, &shot.answer) {
                (Wish::Decide { appointment, decision }, Answer::Done) => {
                    *appointment == number && decisions.contains(decision)
                }
                _ => false,
            };
            self.shots.iter().filter(is_it).count()
        };
        let confirmed = made(&[Decision::Confirm]);
        let declined = made(&[Decision::Decline]);
        let expired = made(&[Decision::Expire]);
        let cancelled = made(&[Decision::CancelAsHost, Decision::CancelAsVisitor]);
        let right = match (confirmed, declined, expired, cancelled) {
            (0, 0, 0, 0) => AppointmentStatus::Pending,
            (1, 0, 0, 0) => AppointmentStatus::Confirmed,
            (0, 1, 0, 0) => AppointmentStatus::Declined,
            (0, 0, 1, 0) => AppointmentStatus::Expired,
            (0 | 1, 0, 0, 1) => AppointmentStatus::Cancelled,
            _ => return false,
        };
        let changes = confirmed + declined + expired + cancelled;
        row.status == right && usize::try_from(row.sequence) == Ok(changes) && (changes > 0 || !self.is_asked(number))
    }

    fn is_asked(&self, number: usize) -> bool {
        let about =
            |shot: &Shot| matches!(shot.request.wish, Wish::Decide { appointment, .. } if appointment == number);
        self.shots.iter().any(about)
    }

    fn no_other_errors(&mut self) {
        for shot in self.shots {
            if let Answer::Failed(error) = &shot.answer {
                self.broken(Rule::NoOtherErrors, format!("{:?}: {error}", shot.request.wish));
            }
        }
    }
}

fn token(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Booked { token, .. } => Some(token),
        _ => None,
    }
}

fn told(row: &AppointmentRow) -> String {
    format!("{} {} at {} of {}", row.status, row.offer, row.start, row.email)
}
