//! What becomes of an appointment whose event was changed in the calendar.

use chrono_tz::Tz;
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy},
    ids::ClaimId,
    interval::{Interval, normalize, subtract},
};
use cupo_providers::{CalendarEvent, EventStatus, MeetingLink, Transparency};
use cupo_store::{
    Appointment, AppointmentExternalMapping, Calendar, MeetingState, Tx, appointment_list_by_claim,
    appointment_set_meeting_url, claim_hosts, claim_list, event_type_get, mapping_get_by_external,
    mapping_mark_deleted, mapping_upsert,
};
use serde_json::json;

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    booking::transitions::Ending,
    details::version_of,
    jobs::{PushEvent, SendMail},
    mail::{MailKind, Recipient},
    sync::BEING_DELETED,
};

impl Engine {
    /// Our event was deleted or cancelled there: so is the appointment.
    pub(super) async fn own_event_removed(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        external_event_id: &str,
    ) -> Result<(), EngineError> {
        let organization_id = &calendar.organization_id;
        let mapping = mapping_get_by_external(tx, organization_id, &calendar.id, external_event_id).await?;
        let Some(mapping) = mapping.filter(|mapping| mapping.deleted_at.is_none()) else { return Ok(()) };
        // That is our own doing, and who does it looks whether the event is wanted all the same.
        if self.is_being_deleted(tx, calendar, external_event_id).await? {
            return Ok(());
        }
        mapping_mark_deleted(tx, organization_id, &mapping.claim_id, self.now()).await?;
        if mapping.pushed_sequence == BEING_DELETED {
            // Our own doing too, though its answer was lost. Whoever was confirmed meanwhile gets another.
            self.enqueue(tx, organization_id, &PushEvent { claim_id: mapping.claim_id }).await?;
            return Ok(());
        }
        for appointment in self.confirmed_of(tx, &mapping).await? {
            let ending = Ending::Cancelled(CancelledBy::Calendar, None);
            self.end_within(tx, &appointment, ending, Actor::Calendar).await?;
        }
        Ok(())
    }

    /// The appointments for which an event stands in the calendar, as long as they are not over: what becomes of the event
    /// of one that is over changes nothing.
    pub(super) async fn confirmed_of(
        &self,
        tx: &mut Tx,
        mapping: &AppointmentExternalMapping,
    ) -> Result<Vec<Appointment>, EngineError> {
        let mut sharing = appointment_list_by_claim(tx, &mapping.organization_id, &mapping.claim_id).await?;
        sharing.retain(|appointment| {
            appointment.status == AppointmentStatus::Confirmed && appointment.end_at > self.now()
        });
        Ok(sharing)
    }

    /// Our event looks like this now. Gives the time it takes beyond its appointment's claim: none, unless the host moved it
    /// onto another appointment.
    pub(super) async fn own_event_changed(
        &self,
        tx: &mut Tx,
        mut mapping: AppointmentExternalMapping,
        event: &CalendarEvent,
        tz: Tz,
    ) -> Result<Option<Interval>, EngineError> {
        let sharing = appointment_list_by_claim(tx, &mapping.organization_id, &mapping.claim_id).await?;
        let is_ours_newer = mapping.pushed_sequence != version_of(&sharing);
        let mut confirmed = self.confirmed_of(tx, &mapping).await?;
        let time = time_of(event, tz);
        let is_covered = |claim: Interval, time: Interval| claim.start <= time.start && time.end <= claim.end;
        let beyond = |confirmed: &[Appointment]| {
            let claim = confirmed.first()?.claim;
            time.filter(|time| !is_covered(claim, *time))
        };
        if event.first_instance.is_some() {
            self.note_series(tx, &confirmed).await?;
        }
        let has_answers = self.note_answers(tx, &mut mapping, &confirmed, event).await?;
        // The etag of an event that recurs says nothing of its first date, which may be moved by itself.
        if mapping.etag.is_some() && mapping.etag == event.etag && event.first_instance.is_none() {
            // The echo of our own write.
            if has_answers {
                mapping_upsert(tx, &mapping).await?;
            }
            return Ok(if is_ours_newer { None } else { beyond(&confirmed) });
        }
        mapping.etag = event.etag.clone();
        if let MeetingLink::Ready { url } = MeetingLink::from(event.meeting.clone())
            && mapping.meeting_state == MeetingState::Pending
        {
            mapping.meeting_state = MeetingState::Ready;
            for appointment in &sharing {
                let Appointment { organization_id, id, .. } = appointment;
                appointment_set_meeting_url(tx, organization_id, id, Some(&url)).await?;
            }
        }
        let is_over = |of: &Appointment| of.status == AppointmentStatus::Confirmed && of.end_at <= self.now();
        if confirmed.is_empty() && sharing.iter().any(is_over) {
            // The appointment is over. Where its event is now, it takes time as any other.
            mapping_upsert(tx, &mapping).await?;
            return Ok(event.busy_interval(tz).filter(|busy| busy.end > self.now()));
        }
        let is_at = |time: &Interval, of: &Appointment| (time.start, time.end) == (of.start_at, of.end_at);
        let moved_to = time.filter(|time| confirmed.first().is_some_and(|first| !is_at(time, first)));
        // Who took a seat or left one changed the event, not its time.
        let is_our_time_newer =
            is_ours_newer && confirmed.first().is_some_and(|first| mapping.pushed_start != Some(first.start_at));
        if let Some(time) = moved_to.filter(|_| !is_our_time_newer)
            && self.follow(tx, &mapping.claim_id, &confirmed, time).await?
        {
            let sharing = appointment_list_by_claim(tx, &mapping.organization_id, &mapping.claim_id).await?;
            // The provider has this time already. Where nothing else is to be pushed, nothing is.
            mapping.pushed_start = Some(time.start);
            if !is_ours_newer {
                mapping.pushed_sequence = version_of(&sharing);
            }
            confirmed = self.confirmed_of(tx, &mapping).await?;
        }
        mapping_upsert(tx, &mapping).await?;
        Ok(if is_our_time_newer { None } else { beyond(&confirmed) })
    }

    /// Moves the appointments of a claim to where the host moved their event; says whether they went. Their buffers give way
    /// to other appointments. Two claims of a host can never share time, though a host may put one event over another: then
    /// the appointments stay where they were, the mirror takes the event's time too, and the host is told.
    async fn follow(
        &self,
        tx: &mut Tx,
        claim_id: &ClaimId,
        confirmed: &[Appointment],
        time: Interval,
    ) -> Result<bool, EngineError> {
        let Some(first) = confirmed.first() else { return Ok(false) };
        let Appointment { id, organization_id, event_type_id, .. } = first;
        let rules = event_type_get(tx, organization_id, event_type_id).await?.map(|event_type| event_type.rules);
        let wanted = rules.map_or(time, |rules| Interval {
            start: time.start - rules.buffer_before,
            end: time.end + rules.buffer_after,
        });
        let mut others = Vec::new();
        for host in claim_hosts(tx, organization_id, claim_id).await? {
            let claims = claim_list(tx, organization_id, &host, wanted).await?;
            others.extend(claims.into_iter().filter(|other| other.id != *claim_id).map(|other| other.claim));
        }
        let left = subtract(&[wanted], &normalize(others));
        if let Some(claim) = left.into_iter().find(|left| left.start <= time.start && time.end <= left.end) {
            let sharing = appointment_list_by_claim(tx, organization_id, claim_id).await?;
            let standing: Vec<_> = sharing.into_iter().filter(|of| of.status.claims_time()).collect();
            return Ok(!self.follow_within(tx, &standing, time, claim).await?.is_empty());
        }
        let detail = json!({ "start": time.start, "end": time.end });
        let subject = Subject::Appointment(id);
        self.audit(tx, organization_id, Actor::Calendar, "appointment.collides", subject, detail).await?;
        if self.0.mailer.is_some() {
            let mail = SendMail {
                appointment_id: id.clone(),
                kind: MailKind::Collision,
                recipient: Recipient::Host,
                sequence: first.sequence,
            };
            self.enqueue(tx, organization_id, &mail).await?;
        }
        Ok(false)
    }
}

/// When an event takes place, whether or not it blocks time.
pub(crate) fn time_of(event: &CalendarEvent, tz: Tz) -> Option<Interval> {
    let blocking = CalendarEvent {
        status: EventStatus::Confirmed,
        transparency: Transparency::Opaque,
        kind: cupo_providers::EventKind::Default,
        attendees: Vec::new(),
        ..event.clone()
    };
    blocking.busy_interval(tz)
}
