//! Our own events in a provider's calendar: recognized, never counted as conflicts, and followed when they change there.

use chrono::TimeDelta;
use chrono_tz::Tz;
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy},
    interval::{Interval, normalize, subtract},
};
use cupo_providers::{CalendarEvent, EventStatus, MeetingLink, Transparency};
use cupo_store::{
    Appointment, AppointmentCursor, AppointmentExternalMapping, AppointmentFilter, Calendar, MeetingState, Tx,
    appointment_get, appointment_list, appointment_list_claims, appointment_set_meeting_url, event_type_get,
    mapping_get, mapping_get_by_external, mapping_mark_deleted, mapping_upsert,
};
use serde_json::json;

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    booking::transitions::NewTime,
    jobs::{PushEvent, SendMail},
    mail::{MailKind, Recipient},
};

/// An event that an appointment of the future is mapped to.
pub(super) struct MappedEvent {
    pub(super) external_event_id: String,
}

const PAGE: u32 = 200;

/// A sequence that no appointment has: the provider's state is not known to be ours.
const NOTHING_PUSHED: i64 = -1;

impl Engine {
    /// The events of confirmed appointments that a full round of the calendar must name.
    pub(super) async fn mapped_events(
        &self,
        calendar: &Calendar,
        window: Interval,
    ) -> Result<Vec<MappedEvent>, EngineError> {
        let organization_id = &calendar.organization_id;
        let tx = &mut self.0.store.read().await?;
        let mut mapped = Vec::new();
        let mut after: Option<AppointmentCursor> = None;
        loop {
            let filter = AppointmentFilter::Upcoming;
            let page = appointment_list(tx, organization_id, filter, self.now(), PAGE, after.as_ref()).await?;
            for appointment in &page {
                if appointment.host_user_id != calendar.user_id || appointment.start_at >= window.end {
                    continue;
                }
                let mapping = mapping_get(tx, organization_id, &appointment.id).await?;
                mapped.extend(
                    mapping
                        .filter(|mapping| mapping.calendar_id == calendar.id && mapping.deleted_at.is_none())
                        .map(|mapping| MappedEvent { external_event_id: mapping.external_event_id }),
                );
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => {
                    after = Some(AppointmentCursor { start_at: last.start_at, id: last.id.clone() });
                }
                _ => return Ok(mapped),
            }
        }
    }

    /// The mapping of an event that is ours: by the stored id, or by our mark where the answer to our write was lost or
    /// the calendar was connected anew. A copy that a host made of our event bears the mark under another id and is not.
    pub(super) async fn own_mapping(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        event: &CalendarEvent,
    ) -> Result<Option<AppointmentExternalMapping>, EngineError> {
        let organization_id = &calendar.organization_id;
        let known = mapping_get_by_external(tx, organization_id, &calendar.id, &event.id).await?;
        if known.is_some() {
            return Ok(known);
        }
        let Some(mark) = event.mark.as_ref().filter(|mark| mark.installation == self.installation()) else {
            return Ok(None);
        };
        if appointment_get(tx, organization_id, &mark.appointment_id).await?.is_none() {
            return Ok(None);
        }
        let old = mapping_get(tx, organization_id, &mark.appointment_id).await?;
        if old.as_ref().is_some_and(|old| old.external_event_id != event.id) {
            return Ok(None);
        }
        let adopted = AppointmentExternalMapping {
            appointment_id: mark.appointment_id.clone(),
            organization_id: organization_id.clone(),
            calendar_id: calendar.id.clone(),
            external_event_id: event.id.clone(),
            etag: event.etag.clone(),
            html_link: event.html_link.clone(),
            meeting_state: old.as_ref().map_or(MeetingState::None, |old| old.meeting_state),
            pushed_sequence: NOTHING_PUSHED,
            deleted_at: None,
        };
        mapping_upsert(tx, &adopted).await?;
        let push = PushEvent { appointment_id: mark.appointment_id.clone() };
        self.enqueue(tx, organization_id, &push).await?;
        Ok(Some(adopted))
    }

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
        mapping_mark_deleted(tx, organization_id, &mapping.appointment_id, self.now()).await?;
        let appointment = appointment_get(tx, organization_id, &mapping.appointment_id).await?;
        if let Some(appointment) = appointment.filter(|found| found.status == AppointmentStatus::Confirmed) {
            self.cancel_within(tx, &appointment, CancelledBy::Calendar, None, Actor::Calendar).await?;
        }
        Ok(())
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
        let Some(appointment) = appointment_get(tx, &mapping.organization_id, &mapping.appointment_id).await? else {
            return Ok(None);
        };
        let time = time_of(event, tz);
        let is_covered = |claim: Interval, time: Interval| claim.start <= time.start && time.end <= claim.end;
        let beyond = |appointment: &Appointment| {
            let is_confirmed = appointment.status == AppointmentStatus::Confirmed;
            time.filter(|time| is_confirmed && !is_covered(appointment.claim, *time))
        };
        if mapping.etag.is_some() && mapping.etag == event.etag {
            // The echo of our own write.
            return Ok(beyond(&appointment));
        }
        mapping.etag = event.etag.clone();
        if let MeetingLink::Ready { url } = MeetingLink::from(event.meeting.clone())
            && mapping.meeting_state == MeetingState::Pending
        {
            mapping.meeting_state = MeetingState::Ready;
            appointment_set_meeting_url(tx, &appointment.organization_id, &appointment.id, Some(&url)).await?;
        }
        let is_ours_newer = mapping.pushed_sequence < appointment.sequence;
        let moved_to = time.filter(|time| (time.start, time.end) != (appointment.start_at, appointment.end_at));
        let is_confirmed = appointment.status == AppointmentStatus::Confirmed;
        let mut appointment = appointment;
        if let Some(time) = moved_to.filter(|_| is_confirmed && !is_ours_newer)
            && let Some(moved) = self.follow(tx, &appointment, time).await?
        {
            // The provider has this time already: there is nothing to push.
            mapping.pushed_sequence = moved.sequence;
            appointment = moved;
        }
        mapping_upsert(tx, &mapping).await?;
        Ok(if is_ours_newer { None } else { beyond(&appointment) })
    }

    /// Moves an appointment to where the host moved its event. Its buffers give way to other appointments. Two
    /// appointments of a host can never share time, though a host may put one event over another: then the appointment
    /// stays where it was, the mirror takes the event's time too, and the host is told.
    async fn follow(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        time: Interval,
    ) -> Result<Option<Appointment>, EngineError> {
        let Appointment { id, organization_id, host_user_id, event_type_id, .. } = appointment;
        let rules = event_type_get(tx, organization_id, event_type_id).await?.map(|event_type| event_type.rules);
        let before = rules.map_or(TimeDelta::zero(), |rules| rules.buffer_before);
        let after = rules.map_or(TimeDelta::zero(), |rules| rules.buffer_after);
        let wanted = Interval { start: time.start - before, end: time.end + after };
        let others = appointment_list_claims(tx, organization_id, host_user_id, wanted).await?;
        let others = others.into_iter().filter(|(other, _)| other != id).map(|(_, claim)| claim);
        let left = subtract(&[wanted], &normalize(others.collect()));
        if let Some(claim) = left.into_iter().find(|left| left.start <= time.start && time.end <= left.end) {
            let to = NewTime { start_at: time.start, end_at: time.end, claim };
            return self.move_within(tx, appointment, to, Actor::Calendar).await.map(Some);
        }
        let detail = json!({ "start": time.start, "end": time.end });
        let subject = Subject::Appointment(id);
        self.audit(tx, organization_id, Actor::Calendar, "appointment.collides", subject, detail).await?;
        if self.0.mailer.is_some() {
            let mail = SendMail {
                appointment_id: id.clone(),
                kind: MailKind::Collision,
                recipient: Recipient::Host,
                sequence: appointment.sequence,
            };
            self.enqueue(tx, organization_id, &mail).await?;
        }
        Ok(None)
    }
}

/// When an event takes place, whether or not it blocks time.
fn time_of(event: &CalendarEvent, tz: Tz) -> Option<Interval> {
    let blocking = CalendarEvent {
        status: EventStatus::Confirmed,
        transparency: Transparency::Opaque,
        kind: cupo_providers::EventKind::Default,
        attendees: Vec::new(),
        ..event.clone()
    };
    blocking.busy_interval(tz)
}
