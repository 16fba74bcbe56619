//! The checks: what the visitors were told, the store and the calendars must agree.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::calendars::Event;
use crate::ledger::{Booking, ByHand, Standing};
use crate::now;
use crate::settle::{Rest, describe};
use crate::store::{Account, Appointment, Audit, Busy, Calendar, Claim, Job, Mapping};
use crate::world::World;

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: Vec<String>,
    pub subject: String,
}

/// Everything that is to agree, read once.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    pub now: DateTime<Utc>,
    pub bookings: Vec<Booking>,
    pub by_hand: BTreeMap<String, ByHand>,
    pub accounts: Vec<Account>,
    pub calendars: Vec<Calendar>,
    pub appointments: Vec<Appointment>,
    pub claims: Vec<Claim>,
    pub mappings: Vec<Mapping>,
    pub busy: Vec<Busy>,
    pub jobs: Vec<Job>,
    pub audit: Vec<Audit>,
    /// The events that stand, by the calendar's external id, and whose calendar it is.
    pub events: Vec<(String, String, Event)>,
    pub mails: Vec<Mail>,
    /// The addresses of the hosts by their ids.
    pub host_emails: BTreeMap<String, String>,
    /// What was still to be done when patience ended.
    pub left: Vec<String>,
}

/// What does not agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What somebody was promised and is not there: an appointment, its event, a mail.
    pub lost: Vec<String>,
    /// What is there twice.
    pub doubled: Vec<String>,
    /// What is there and nobody was promised.
    pub orphans: Vec<String>,
    /// What takes the same time of the same host.
    pub overlaps: Vec<String>,
    /// What is not up to date: a time, the busy mirror, a job that is dead or stuck.
    pub stale: Vec<String>,
}

/// What is told of in mails.
const CHANGES: [&str; 6] = [
    "appointment.booked",
    "appointment.moved",
    "appointment.confirmed",
    "appointment.cancelled",
    "appointment.declined",
    "appointment.expired",
];

/// How the mails of each kind begin, to the visitor and to the host.
const SUBJECTS: [(&str, &str, &str); 6] = [
    ("confirmation", "Confirmed: ", "New appointment: "),
    ("request", "Requested: ", "Please confirm: "),
    ("change", "New time: ", "New time: "),
    ("cancellation", "Cancelled: ", "Cancelled: "),
    ("declined", "Not possible: ", "Declined: "),
    ("expired", "Not confirmed: ", "Not answered: "),
];

/// The name of the visitor with this address.
fn name_of(email: &str) -> String {
    email.split('@').next().unwrap_or_default().replace("visitor", "Visitor ")
}

impl Verdict {
    pub fn groups(&self) -> [(&'static str, &[String]); 5] {
        [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("orphans", &self.orphans),
            ("overlaps", &self.overlaps),
            ("stale", &self.stale),
        ]
    }

    pub fn is_clean(&self) -> bool {
        self.groups().iter().all(|(_, details)| details.is_empty())
    }

    /// The closing line.
    pub fn line(&self, faults: u32) -> String {
        let counts: Vec<String> = self.groups().map(|(name, details)| format!("{name}={}", details.len())).to_vec();
        format!("{} faults={faults}", counts.join(" "))
    }
}

impl Picture {
    pub async fn take(world: &World, rest: Rest) -> Result<Self> {
        let mut events = Vec::new();
        for host in &world.hosts {
            for calendar in &host.calendars {
                let standing = world.calendars.events(calendar)?;
                events.extend(standing.into_iter().map(|it| (calendar.external_id.clone(), host.user_id.clone(), it)));
            }
        }
        let appointments: Vec<Appointment> = world.reader.all().await?;
        let claims = appointments.iter().map(|of| of.claim_id.clone()).collect::<BTreeSet<_>>();
        let mails = world.mail.messages();
        Ok(Self {
            now: now() + rest.ahead,
            bookings: world.ledger.bookings(),
            by_hand: claims.into_iter().map(|claim| (claim.clone(), world.ledger.by_hand(&claim))).collect(),
            accounts: world.reader.all().await?,
            calendars: world.reader.all().await?,
            appointments,
            claims: world.reader.all().await?,
            mappings: world.reader.all().await?,
            busy: world.reader.all().await?,
            jobs: world.reader.all().await?,
            audit: world.reader.all().await?,
            events,
            mails: mails.into_iter().map(|mail| Mail { to: mail.envelope.to, subject: mail.subject }).collect(),
            host_emails: world.hosts.iter().map(|host| (host.user_id.clone(), host.email.clone())).collect(),
            left: rest.left,
        })
    }

    /// Everything that does not agree.
    pub fn judge(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.judge_bookings(&mut verdict);
        self.judge_events(&mut verdict);
        self.judge_claims(&mut verdict);
        self.judge_mirror(&mut verdict);
        self.judge_mails(&mut verdict);
        self.judge_jobs(&mut verdict);
        verdict
    }

    /// What each visitor was told against what is in the store.
    fn judge_bookings(&self, verdict: &mut Verdict) {
        for booking in &self.bookings {
            let email = &booking.email;
            let stored: Vec<&Appointment> = self.appointments.iter().filter(|of| of.visitor_email == *email).collect();
            if stored.len() > 1 {
                verdict.doubled.push(format!("{email} has {} appointments for one booking", stored.len()));
            }
            match (&booking.standing, stored.first()) {
                (Standing::Booked { .. }, None) => {
                    verdict.lost.push(format!("{email} read 201 and has no appointment"))
                }
                (Standing::Booked { .. }, Some(stored)) => self.judge_booking(booking, stored, verdict),
                (Standing::Refused { status }, Some(stored)) => {
                    verdict.orphans.push(format!("{email} was told {status} and has the appointment {}", stored.id));
                }
                (Standing::Asking, _) if !booking.timed_out => {
                    verdict.lost.push(format!("{email} never got an answer"));
                }
                (Standing::Refused { .. } | Standing::Asking, _) => {}
            }
        }
        for stored in &self.appointments {
            if !self.bookings.iter().any(|booking| booking.email == stored.visitor_email) {
                verdict.orphans.push(format!("the appointment {} is nobody's", stored.id));
            }
        }
    }

    fn judge_booking(&self, booking: &Booking, stored: &Appointment, verdict: &mut Verdict) {
        let Booking { email, starts, end_was_asked, cancelled, .. } = booking;
        let Appointment { id, status, start_at, claim_id, cancelled_by, .. } = stored;
        let by_hand = self.by_hand.get(claim_id).cloned().unwrap_or_default();
        let has_ended = !matches!(status.as_str(), "pending" | "confirmed");
        if has_ended && !end_was_asked && !by_hand.deletion_was_tried {
            verdict.lost.push(format!(
                "the appointment {id} of {email} is {status} by {cancelled_by:?}, and nobody asked for that"
            ));
        }
        if *cancelled && !has_ended {
            verdict.lost.push(format!("{email} cancelled, and the appointment {id} is {status}"));
        }
        // A visitor who asked for this time may have asked after the host, and took along those who share the event.
        let sharing = self.appointments.iter().filter(|of| of.claim_id == *claim_id);
        let mut visitors = sharing.flat_map(|of| self.bookings.iter().filter(|it| it.email == of.visitor_email));
        let was_asked_for =
            by_hand.asked.contains(start_at) || visitors.any(|booking| booking.moves.contains(start_at));
        if !has_ended && by_hand.deleted && !was_asked_for && stored.end_at > self.now {
            verdict.lost.push(format!("a host deleted the event of {id} of {email}, and it is {status}"));
        }
        if let Some(moved_to) = by_hand.moved_to
            && status == "confirmed"
            && !was_asked_for
            && *start_at != moved_to
            && !self.collides(stored)
        {
            verdict
                .lost
                .push(format!("a host moved the event of {id} of {email} to {moved_to}, and it is at {start_at}"));
        }
        if !starts.contains(start_at) && !by_hand.starts.contains(start_at) {
            verdict.lost.push(format!("the appointment {id} of {email} is at {start_at}, where nobody put it"));
        }
    }

    /// The appointments that take place.
    fn confirmed(&self) -> impl Iterator<Item = &Appointment> {
        self.appointments.iter().filter(|of| of.status == "confirmed" && of.end_at > self.now)
    }

    /// Whether a host put the event onto another appointment: then the appointment keeps its time, as is written.
    fn collides(&self, appointment: &Appointment) -> bool {
        self.audit.iter().any(|entry| entry.action == "appointment.collides" && entry.subject_id == appointment.id)
    }

    fn mapping_of(&self, claim: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.claim_id == claim)
    }

    /// Every confirmed appointment has one event at its time in its calendar, and every event of ours an appointment.
    fn judge_events(&self, verdict: &mut Verdict) {
        let mut by_claim: BTreeMap<&str, Vec<(&str, &Event)>> = BTreeMap::new();
        for (calendar, _, event) in &self.events {
            if let Some(claim) = &event.claim {
                by_claim.entry(claim).or_default().push((calendar, event));
            }
        }
        for appointment in self.confirmed() {
            let Appointment { id, claim_id, visitor_email, start_at, end_at, .. } = appointment;
            let what = format!("the appointment {id} of {visitor_email}, claim {claim_id}");
            let events = by_claim.get(claim_id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let of_claim = self.mapping_of(claim_id);
            let mapped = of_claim.and_then(|of| self.calendars.iter().find(|calendar| calendar.id == of.calendar_id));
            let mapping = of_claim.map_or("nothing".to_owned(), ToString::to_string);
            match events {
                [] => verdict.lost.push(format!("{what} has no event, mapped to {mapping}")),
                [(calendar, event)] => {
                    if mapped.is_none_or(|mapped| mapped.external_id != *calendar) {
                        verdict.lost.push(format!("{what} has its event in {calendar}, mapped to {mapping}"));
                    }
                    if (event.start, event.end) != (*start_at, *end_at) && !self.collides(appointment) {
                        verdict.stale.push(format!(
                            "{what} is at {start_at} and its event at {} ({}), by hand {:?}, mapped to {mapping}",
                            event.start,
                            event.id,
                            self.by_hand.get(claim_id)
                        ));
                    }
                }
                several => {
                    let ids: Vec<&str> = several.iter().map(|(_, event)| event.id.as_str()).collect();
                    verdict.doubled.push(format!("{what} has {} events: {}", several.len(), ids.join(", ")));
                }
            }
        }
        for (claim, events) in by_claim {
            let using: Vec<&Appointment> = self.appointments.iter().filter(|of| of.claim_id == claim).collect();
            if !using.iter().any(|of| of.status == "confirmed") {
                let statuses: Vec<&str> = using.iter().map(|of| of.status.as_str()).collect();
                let mapping = self.mapping_of(claim).map_or("nothing".to_owned(), ToString::to_string);
                for (calendar, event) in events {
                    verdict.orphans.push(format!(
                        "the event {} at {} in {calendar} is of the claim {claim}, whose appointments are \
                         {statuses:?}, \
                         by hand {:?}, mapped to {mapping}",
                        event.id,
                        event.start,
                        self.by_hand.get(claim)
                    ));
                }
            }
        }
    }

    /// No two claims of a host overlap, nor do two events of ours; seats are as many as are used.
    fn judge_claims(&self, verdict: &mut Verdict) {
        for (number, one) in self.claims.iter().enumerate() {
            for other in &self.claims[number + 1..] {
                let is_same = one.host_user_id == other.host_user_id;
                if is_same && one.claim_start < other.claim_end && other.claim_start < one.claim_end {
                    verdict.overlaps.push(format!("the claims {} and {} overlap", one.id, other.id));
                }
            }
            let users = self
                .appointments
                .iter()
                .filter(|of| of.claim_id == one.id && matches!(of.status.as_str(), "pending" | "confirmed"));
            let users = i64::try_from(users.count()).unwrap_or(i64::MAX);
            if users != one.seats_taken || one.seats_taken > one.seats {
                let Claim { id, seats, seats_taken, .. } = one;
                verdict.overlaps.push(format!("the claim {id} has {seats_taken} of {seats} seats taken, by {users}"));
            }
        }
        let ours: Vec<&(String, String, Event)> =
            self.events.iter().filter(|(.., event)| event.claim.is_some()).collect();
        for (number, (_, host, one)) in ours.iter().enumerate() {
            for (_, other_host, other) in &ours[number + 1..] {
                let overlap = host == other_host && one.start < other.end && other.start < one.end;
                let is_allowed = self.appointments.iter().any(|of| {
                    (Some(&of.claim_id) == one.claim.as_ref() || Some(&of.claim_id) == other.claim.as_ref())
                        && self.collides(of)
                });
                if overlap && one.claim != other.claim && !is_allowed {
                    verdict.overlaps.push(format!("the events {} and {} of a host overlap", one.id, other.id));
                }
            }
        }
    }

    /// Whether it is an event of ours that was put onto another appointment, and takes time beside its own
    /// appointment's.
    fn lies_beyond(&self, event: &Event) -> bool {
        let is_elsewhere = |of: &&Appointment| Some(&of.claim_id) == event.claim.as_ref() && of.start_at != event.start;
        self.confirmed().find(is_elsewhere).is_some_and(|of| self.collides(of))
    }

    /// The busy mirror holds what the provider holds, within the mirrored time.
    fn judge_mirror(&self, verdict: &mut Verdict) {
        for calendar in self.calendars.iter().filter(|calendar| calendar.checks_conflicts == 1) {
            let is_active = self.accounts.iter().any(|of| of.id == calendar.account_id && of.state == "active");
            let Some(until) = calendar.mirror_until.filter(|_| is_active) else {
                verdict.stale.push(format!("the calendar {} is not followed", calendar.external_id));
                continue;
            };
            let here = self.events.iter().filter(|(external_id, ..)| *external_id == calendar.external_id);
            let mut expected: Vec<(DateTime<Utc>, DateTime<Utc>)> = here
                .filter(|(.., event)| event.takes_time && (event.claim.is_none() || self.lies_beyond(event)))
                .map(|(.., event)| (event.start, event.end))
                .filter(|(start, end)| *end > self.now && *start < until)
                .collect();
            let rows = self.busy.iter().filter(|busy| busy.calendar_id == calendar.id && busy.end_at > self.now);
            let mut mirrored: Vec<_> = rows.map(|busy| (busy.start_at, busy.end_at)).collect();
            expected.sort();
            mirrored.sort();
            if expected != mirrored {
                let lacking: Vec<_> = expected.iter().filter(|it| !mirrored.contains(it)).collect();
                let beyond: Vec<_> = mirrored.iter().filter(|it| !expected.contains(it)).collect();
                verdict.stale.push(format!(
                    "the mirror of {} ({}) lacks {lacking:?} and has beyond {beyond:?}",
                    calendar.external_id, calendar.id
                ));
            }
        }
    }

    /// Visitor and host were told how each appointment stands, and that is on record.
    fn judge_mails(&self, verdict: &mut Verdict) {
        let mut by_subject: BTreeMap<&str, Vec<&Audit>> = BTreeMap::new();
        for entry in &self.audit {
            by_subject.entry(&entry.subject_id).or_default().push(entry);
        }
        for appointment in &self.appointments {
            let entries = by_subject.get(appointment.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            if let Err(what) = self.judge_mails_of(appointment, entries, verdict) {
                verdict.lost.push(format!("the appointment {}: {what}", appointment.id));
            }
        }
    }

    fn judge_mails_of(&self, of: &Appointment, entries: &[&Audit], verdict: &mut Verdict) -> Result<(), String> {
        let Appointment { id, status, visitor_email, host_user_id, sequence, .. } = of;
        let details = entries.iter().map(|entry| Ok((entry.action.as_str(), serde_json::from_str(&entry.detail)?)));
        let details: Vec<(&str, Value)> =
            details.collect::<Result<_, serde_json::Error>>().map_err(|error| error.to_string())?;
        let changes = details.iter().filter(|(action, _)| CHANGES.contains(action));
        let last = changes.max_by_key(|(_, detail)| detail["sequence"].as_i64());
        let (last, detail) = last.ok_or_else(|| "nothing is on record".to_owned())?;
        if detail["sequence"].as_i64() != Some(*sequence) {
            return Err(format!("its change {sequence} is not on record"));
        }
        let kind = match (*last, status.as_str()) {
            ("appointment.moved", "confirmed") => "change",
            (_, "confirmed") => "confirmation",
            (_, "pending") => "request",
            (_, "declined") => "declined",
            (_, "expired") => "expired",
            _ => "cancellation",
        };
        let host_email = self.host_emails.get(host_user_id).map_or("", String::as_str);
        for (recipient, address) in [("visitor", visitor_email.as_str()), ("host", host_email)] {
            let is_on_record = details.iter().any(|(action, detail)| {
                *action == "mail.sent"
                    && detail["kind"] == kind
                    && detail["recipient"] == recipient
                    && detail["sequence"].as_i64() == Some(*sequence)
            });
            if !is_on_record {
                verdict.lost.push(format!("{address} was not told of {kind} {sequence} of the appointment {id}"));
            }
        }
        // What is on record has arrived: every mail that is, by the words that its kind begins with.
        for (_, detail) in details.iter().filter(|(action, _)| *action == "mail.sent") {
            let (kind, is_host) = (detail["kind"].as_str().unwrap_or_default(), detail["recipient"] == "host");
            let Some((_, of_visitor, of_host)) = SUBJECTS.iter().find(|(known, ..)| *known == kind) else { continue };
            let begins = if is_host { of_host } else { of_visitor };
            // A visitor's name is in no other's mail; a host may be another one since.
            let name = format!("with {}.", name_of(visitor_email));
            let arrived = self.mails.iter().any(|mail| {
                let is_theirs = if is_host { mail.subject.contains(&name) } else { mail.to.contains(visitor_email) };
                is_theirs && mail.subject.starts_with(begins)
            });
            if !arrived {
                verdict.lost.push(format!("a mail {kind} of the appointment {id} is on record and never arrived"));
            }
        }
        Ok(())
    }

    /// No job is dead or stuck.
    fn judge_jobs(&self, verdict: &mut Verdict) {
        verdict.stale.extend(self.left.iter().map(|left| format!("this was never done: {left}")));
        for job in &self.jobs {
            if job.state == "dead" {
                verdict.stale.push(format!("a job is dead: {}", describe(job)));
            } else if job.leased_until.is_some_and(|until| until < self.now) {
                verdict.stale.push(format!("a job's lease ended and nobody took it: {}", describe(job)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
