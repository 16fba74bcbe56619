//! One calendar against the appointments, in one transaction, after its provider was asked.
//!
//! What the sync would do about the round is done by the sync itself; what it did is then read off the appointments. To
//! report only, the transaction is undone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use cupo_core::{
    appointment::AppointmentStatus,
    ids::{AppointmentId, ClaimId},
    interval::Interval,
};
use cupo_providers::{CalendarEvent, EventChange};
use cupo_store::{
    Appointment, AppointmentExternalMapping, BusyInterval, BusyKind, Calendar, JobStanding, StoreError, Tx,
    appointment_list_by_claim, appointment_list_upcoming_for_host, audit_list, busy_interval_list_all, calendar_get,
    calendar_set_reconciled, claim_is_remembered, claim_owner, job_standing, mapping_get, mapping_get_by_external,
    mapping_list_standing, mapping_upsert,
};
use serde_json::json;

use super::{Compared, Finding, FindingKind, FindingOutcome, Mending, orphans::Marked};
use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    details::version_of,
    engine::TRANSACTION_ATTEMPTS,
    jobs::{DeleteOrphan, PushEvent},
    sync::{Pulled, Round, time_of},
};

/// What is to stand in the calendar.
struct Standing {
    mapping: AppointmentExternalMapping,
    /// The confirmed appointments that are not over.
    confirmed: Vec<Appointment>,
    /// See [`version_of`].
    version: i64,
}

/// An event of the mirror, without its title: what makes a difference.
type Mirrored = BTreeMap<String, (Interval, BusyKind)>;

/// A comparison under way.
struct Comparison<'a> {
    engine: &'a Engine,
    /// As it is in the transaction.
    calendar: Calendar,
    round: &'a Round,
    marked: &'a [Marked],
    mending: Mending,
    findings: Vec<Finding>,
}

impl Engine {
    /// Compares a round with the appointments and mends what differs; `None` when the calendar was read, or one of our events
    /// written, by somebody else since.
    pub(super) async fn compare(
        &self,
        compared: &Compared,
        round: &Round,
        marked: &[Marked],
        mending: Mending,
    ) -> Result<Option<Vec<Finding>>, EngineError> {
        let mut attempt = 0;
        loop {
            let outcome = self.compare_once(compared, round, marked, mending).await;
            attempt += 1;
            match outcome {
                Err(EngineError::Store(StoreError::Retry)) if attempt < TRANSACTION_ATTEMPTS => {
                    self.pause_before_retry(attempt).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn compare_once(
        &self,
        compared: &Compared,
        round: &Round,
        marked: &[Marked],
        mending: Mending,
    ) -> Result<Option<Vec<Finding>>, EngineError> {
        let mut tx = self.0.store.write().await?;
        let findings = self.compare_within(&mut tx, compared, round, marked, mending).await?;
        if mending == Mending::Report {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(findings)
    }

    async fn compare_within(
        &self,
        tx: &mut Tx,
        compared: &Compared,
        round: &Round,
        marked: &[Marked],
        mending: Mending,
    ) -> Result<Option<Vec<Finding>>, EngineError> {
        let Compared { calendar: asked, is_in_use, .. } = compared;
        let Some(calendar) = calendar_get(tx, &asked.organization_id, &asked.id).await? else {
            return Ok(Some(Vec::new()));
        };
        if calendar.sync_cursor != asked.sync_cursor || self.is_outdated(tx, &calendar, round).await? {
            return Ok(None);
        }
        let mut comparison = Comparison { engine: self, calendar, round, marked, mending, findings: Vec::new() };
        if *is_in_use {
            let before = comparison.standing(tx).await?;
            let unmapped = comparison.unmapped(tx).await?;
            let mirrored = comparison.mirrored(tx).await?;
            comparison.let_stuck_ones_follow(tx, &before).await?;
            if self.apply(tx, asked, round).await? == Pulled::Overtaken {
                return Ok(None);
            }
            comparison.find_followed(tx, before).await?;
            comparison.find_mapped(tx, unmapped).await?;
            comparison.compare_mirror(tx, mirrored).await?;
        }
        comparison.find_outdated(tx).await?;
        comparison.find_unpushed(tx).await?;
        comparison.find_orphans(tx).await?;
        if mending != Mending::Report {
            comparison.note(tx).await?;
        }
        Ok(Some(comparison.findings))
    }
}

impl Comparison<'_> {
    fn mended(&self) -> FindingOutcome {
        if self.mending == Mending::Report { FindingOutcome::Found } else { FindingOutcome::Mended }
    }

    fn found(
        &mut self,
        kind: FindingKind,
        of: Option<(&ClaimId, Option<&AppointmentId>)>,
        event_id: Option<&str>,
        outcome: FindingOutcome,
    ) {
        let (claim_id, appointment_id) = of.unzip();
        self.findings.push(Finding {
            kind,
            organization_id: self.calendar.organization_id.clone(),
            calendar_id: self.calendar.id.clone(),
            claim_id: claim_id.cloned(),
            appointment_id: appointment_id.flatten().cloned(),
            event_id: event_id.map(str::to_owned),
            count: 1,
            outcome,
        });
    }

    /// What the provider said of an event.
    fn event(&self, id: &str) -> Option<&CalendarEvent> {
        self.round.changes.events.iter().rev().find_map(|change| match change {
            EventChange::Upsert(event) if event.id == id => Some(&**event),
            _ => None,
        })
    }

    async fn push_standing(&self, tx: &mut Tx, claim_id: &ClaimId) -> Result<JobStanding, EngineError> {
        Ok(job_standing(tx, &self.calendar.organization_id, &PushEvent::key_of(claim_id)).await?)
    }

    /// The events that are to stand in the calendar, by claim.
    async fn standing(&self, tx: &mut Tx) -> Result<BTreeMap<ClaimId, Standing>, EngineError> {
        let (organization_id, now) = (&self.calendar.organization_id, self.engine.now());
        let mut standing = BTreeMap::new();
        for mapping in mapping_list_standing(tx, organization_id, &self.calendar.id, now).await? {
            let sharing = appointment_list_by_claim(tx, organization_id, &mapping.claim_id).await?;
            let version = version_of(&sharing);
            let mut confirmed = sharing;
            confirmed.retain(|of| of.status == AppointmentStatus::Confirmed && of.end_at > now);
            standing.insert(mapping.claim_id.clone(), Standing { mapping, confirmed, version });
        }
        Ok(standing)
    }

    /// The marked events that no mapping knows, before the round is applied.
    async fn unmapped(&self, tx: &mut Tx) -> Result<BTreeSet<ClaimId>, EngineError> {
        let Calendar { organization_id, id, .. } = &self.calendar;
        let mut unmapped = BTreeSet::new();
        for Marked { claim_id, event, .. } in self.marked.iter().filter(|marked| !marked.is_second) {
            if mapping_get_by_external(tx, organization_id, id, &event.id).await?.is_none() {
                unmapped.insert(claim_id.clone());
            }
        }
        Ok(unmapped)
    }

    /// What of the mirror was to be right: from now on, as far as it reached.
    async fn mirrored(&self, tx: &mut Tx) -> Result<Option<(Interval, Mirrored)>, EngineError> {
        let Calendar { organization_id, id, mirror_until, synced_at, .. } = &self.calendar;
        let range = mirror_until.filter(|_| synced_at.is_some()).and_then(|end| Interval::new(self.engine.now(), end));
        let Some(range) = range else { return Ok(None) };
        Ok(Some((range, by_event(busy_interval_list_all(tx, organization_id, id, range).await?))))
    }

    /// Where an event is at another time than its appointment, nothing is to be pushed, and the event is known as it
    /// is, the sync has nothing to follow any more. It is made to look again, unless it did and another appointment is
    /// in the way.
    async fn let_stuck_ones_follow(
        &self,
        tx: &mut Tx,
        before: &BTreeMap<ClaimId, Standing>,
    ) -> Result<(), EngineError> {
        for of_claim in before.values() {
            let Standing { mapping, confirmed, .. } = of_claim;
            let Some(start) = self.differs(of_claim) else { continue };
            let is_known = mapping.etag.is_some()
                && self.event(&mapping.external_event_id).is_some_and(|event| event.etag == mapping.etag);
            if is_known
                && !self.push_standing(tx, &mapping.claim_id).await?.is_pending
                && !self.collided(tx, confirmed, start).await?
            {
                mapping_upsert(tx, &AppointmentExternalMapping { etag: None, ..mapping.clone() }).await?;
            }
        }
        Ok(())
    }

    /// Where the event of a claim begins, if it is at another time than the appointments and they are as they were
    /// pushed.
    fn differs(&self, of_claim: &Standing) -> Option<DateTime<Utc>> {
        let Standing { mapping, confirmed, version } = of_claim;
        let first = confirmed.first().filter(|_| mapping.pushed_sequence == *version)?;
        let time = time_of(self.event(&mapping.external_event_id)?, self.round.tz)?;
        ((time.start, time.end) != (first.start_at, first.end_at)).then_some(time.start)
    }

    /// Whether it was told already that the event lies on another appointment.
    async fn collided(
        &self,
        tx: &mut Tx,
        confirmed: &[Appointment],
        start: DateTime<Utc>,
    ) -> Result<bool, EngineError> {
        let Some(first) = confirmed.first() else { return Ok(false) };
        let subject = Subject::Appointment(&first.id);
        let history = audit_list(tx, &first.organization_id, subject.kind(), subject.id()).await?;
        Ok(history.iter().any(|entry| entry.action == "appointment.collides" && entry.detail["start"] == json!(start)))
    }

    /// What the sync has done about the events that were to stand here.
    async fn find_followed(&mut self, tx: &mut Tx, before: BTreeMap<ClaimId, Standing>) -> Result<(), EngineError> {
        let after = self.standing(tx).await?;
        for (claim_id, Standing { mapping, confirmed, .. }) in before {
            let now = appointment_list_by_claim(tx, &self.calendar.organization_id, &claim_id).await?;
            let event_id = mapping.external_event_id.as_str();
            let mut kind = None;
            for old in &confirmed {
                let Some(new) = now.iter().find(|new| new.id == old.id) else { continue };
                if new.status != old.status {
                    kind = Some((FindingKind::Gone, &old.id));
                } else if (new.start_at, new.end_at) != (old.start_at, old.end_at) {
                    kind = Some((FindingKind::Moved, &old.id));
                }
            }
            let mended = self.mended();
            if let Some((kind, id)) = kind {
                self.found(kind, Some((&claim_id, Some(id))), Some(event_id), mended);
            } else if after.get(&claim_id).is_some_and(|after| self.differs(after).is_some()) {
                let id = confirmed.first().map(|first| &first.id);
                self.found(FindingKind::Moved, Some((&claim_id, id)), Some(event_id), FindingOutcome::Left("collides"));
            }
        }
        Ok(())
    }

    /// The events that were not known and now are.
    async fn find_mapped(&mut self, tx: &mut Tx, unmapped: BTreeSet<ClaimId>) -> Result<(), EngineError> {
        for claim_id in unmapped {
            let mapping = mapping_get(tx, &self.calendar.organization_id, &claim_id).await?;
            if let Some(mapping) = mapping.filter(|mapping| mapping.calendar_id == self.calendar.id) {
                let sharing = appointment_list_by_claim(tx, &self.calendar.organization_id, &claim_id).await?;
                let is_standing = sharing.iter().any(|of| of.status == AppointmentStatus::Confirmed);
                // Of one that no appointment has any more, the push that follows deletes the event.
                let kind = if is_standing { FindingKind::Unmapped } else { FindingKind::Orphan };
                if mapping.deleted_at.is_none() {
                    let (id, mended) = (sharing.first().map(|first| &first.id), self.mended());
                    self.found(kind, Some((&claim_id, id)), Some(&mapping.external_event_id), mended);
                }
            }
        }
        Ok(())
    }

    /// Whether the mirror was what it is now.
    async fn compare_mirror(&mut self, tx: &mut Tx, before: Option<(Interval, Mirrored)>) -> Result<(), EngineError> {
        let Some((range, before)) = before else { return Ok(()) };
        let Calendar { organization_id, id, .. } = &self.calendar;
        let after = by_event(busy_interval_list_all(tx, organization_id, id, range).await?);
        let events: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let count = events.into_iter().filter(|event| before.get(*event) != after.get(*event)).count();
        if count > 0 {
            let mended = self.mended();
            self.found(FindingKind::Mirror, None, None, mended);
            if let Some(mirror) = self.findings.last_mut() {
                mirror.count = count;
            }
        }
        Ok(())
    }

    /// Writes the events of the claim again, unless that was tried to the end.
    async fn push(
        &mut self,
        tx: &mut Tx,
        kind: FindingKind,
        claim_id: &ClaimId,
        appointment_id: Option<&AppointmentId>,
        event_id: Option<&str>,
    ) -> Result<(), EngineError> {
        let standing = self.push_standing(tx, claim_id).await?;
        if standing.is_pending {
            return Ok(());
        }
        let outcome = if standing.is_dead {
            FindingOutcome::Left("failed")
        } else {
            let push = PushEvent { claim_id: claim_id.clone() };
            self.engine.enqueue(tx, &self.calendar.organization_id, &push).await?;
            self.mended()
        };
        self.found(kind, Some((claim_id, appointment_id)), event_id, outcome);
        Ok(())
    }

    /// The events that are not as the appointments are, though nothing is on its way.
    async fn find_outdated(&mut self, tx: &mut Tx) -> Result<(), EngineError> {
        for (claim_id, Standing { mapping, confirmed, version }) in self.standing(tx).await? {
            if mapping.pushed_sequence != version {
                let id = confirmed.first().map(|first| &first.id);
                let event_id = Some(mapping.external_event_id.as_str());
                self.push(tx, FindingKind::Outdated, &claim_id, id, event_id).await?;
            }
        }
        Ok(())
    }

    /// The appointments whose events are to go into this calendar and were never written.
    async fn find_unpushed(&mut self, tx: &mut Tx) -> Result<(), EngineError> {
        let (organization_id, user_id) = (self.calendar.organization_id.clone(), self.calendar.user_id.clone());
        let now = self.engine.now();
        let mut seen = BTreeSet::new();
        for appointment in appointment_list_upcoming_for_host(tx, &organization_id, &user_id, now).await? {
            let claim_id = &appointment.claim_id;
            if !seen.insert(claim_id.clone()) {
                continue;
            }
            let mapping = mapping_get(tx, &organization_id, claim_id).await?;
            if let Some(mapping) = mapping.filter(|mapping| mapping.deleted_at.is_none())
                && calendar_get(tx, &organization_id, &mapping.calendar_id).await?.is_some()
            {
                continue;
            }
            let target = self.engine.target_of(tx, &appointment).await?;
            if target.is_some_and(|target| target.id == self.calendar.id) {
                self.push(tx, FindingKind::Unpushed, claim_id, Some(&appointment.id), None).await?;
            }
        }
        Ok(())
    }

    /// The events that Cupo made and that no appointment has.
    async fn find_orphans(&mut self, tx: &mut Tx) -> Result<(), EngineError> {
        let marked = self.marked;
        for Marked { claim_id, event, is_second } in marked {
            let organization_id = self.calendar.organization_id.clone();
            let sharing = appointment_list_by_claim(tx, &organization_id, claim_id).await?;
            let appointment_id = sharing.first().map(|first| first.id.clone());
            let mapping = mapping_get(tx, &organization_id, claim_id).await?;
            let is_here = |mapping: &AppointmentExternalMapping| mapping.calendar_id == self.calendar.id;
            if sharing.iter().any(|of| of.status == AppointmentStatus::Confirmed) {
                if *is_second {
                    let is_here = mapping.as_ref().is_some_and(is_here);
                    let kind = if is_here { FindingKind::Duplicate } else { FindingKind::Elsewhere };
                    self.delete(tx, kind, claim_id, appointment_id.as_ref(), event).await?;
                }
                continue;
            }
            if sharing.iter().any(|of| of.status == AppointmentStatus::Pending) {
                // Its event went, or is about to, when a host was asked; it may be wanted again at any moment.
                let stands = |mapping: &AppointmentExternalMapping| {
                    is_here(mapping) && mapping.deleted_at.is_none() && mapping.external_event_id == event.id
                };
                if mapping.as_ref().is_some_and(stands) {
                    let of = appointment_id.as_ref();
                    self.push(tx, FindingKind::Outdated, claim_id, of, Some(&event.id)).await?;
                }
                continue;
            }
            if self.push_standing(tx, claim_id).await?.is_pending {
                continue;
            }
            if sharing.is_empty() {
                match claim_owner(tx, claim_id).await? {
                    Some(owner) if owner != organization_id => continue,
                    Some(_) => {}
                    None if claim_is_remembered(tx, &organization_id, &self.calendar.user_id, claim_id).await? => {}
                    None if self.mending == Mending::MendUnknown => {
                        self.delete(tx, FindingKind::Unknown, claim_id, None, event).await?;
                        continue;
                    }
                    None => {
                        let outcome = FindingOutcome::Left("unknown");
                        self.found(FindingKind::Unknown, Some((claim_id, None)), Some(&event.id), outcome);
                        continue;
                    }
                }
            }
            self.delete(tx, FindingKind::Orphan, claim_id, appointment_id.as_ref(), event).await?;
        }
        Ok(())
    }

    async fn delete(
        &mut self,
        tx: &mut Tx,
        kind: FindingKind,
        claim_id: &ClaimId,
        appointment_id: Option<&AppointmentId>,
        event: &CalendarEvent,
    ) -> Result<(), EngineError> {
        let Calendar { organization_id, id, .. } = &self.calendar;
        let standing = job_standing(tx, organization_id, &DeleteOrphan::key_of(id, &event.id)).await?;
        if standing.is_pending {
            return Ok(());
        }
        let outcome = if standing.is_dead {
            FindingOutcome::Left("failed")
        } else {
            let task = DeleteOrphan {
                calendar_id: id.clone(),
                claim_id: claim_id.clone(),
                external_event_id: event.id.clone(),
            };
            self.engine.enqueue(tx, organization_id, &task).await?;
            self.mended()
        };
        self.found(kind, Some((claim_id, appointment_id)), Some(&event.id), outcome);
        Ok(())
    }

    /// Notes that the calendar was compared, and what was mended.
    async fn note(&self, tx: &mut Tx) -> Result<(), EngineError> {
        let Calendar { organization_id, id, account_id, .. } = &self.calendar;
        calendar_set_reconciled(tx, organization_id, id, self.engine.now()).await?;
        for finding in self.findings.iter().filter(|finding| finding.outcome == FindingOutcome::Mended) {
            let subject = match &finding.appointment_id {
                Some(id) => Subject::Appointment(id),
                None => Subject::Account(account_id),
            };
            let detail = json!({
                "kind": finding.kind.as_str(), "calendar": id, "event": finding.event_id, "count": finding.count,
            });
            self.engine.audit(tx, organization_id, Actor::System, "reconcile.mended", subject, detail).await?;
        }
        Ok(())
    }
}

fn by_event(busy: Vec<BusyInterval>) -> Mirrored {
    busy.into_iter().map(|busy| (busy.external_event_id, (busy.interval, busy.kind))).collect()
}
