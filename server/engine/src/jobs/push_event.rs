use chrono::TimeDelta;
use cupo_core::{
    appointment::AppointmentStatus,
    event_type::Location,
    ids::{AppointmentId, OrganizationId},
    text,
};
use cupo_providers::{
    Attendee, CalendarEvent, CalendarProvider, EventMark, EventTime, Expected, Meeting, MeetingLink, ProviderError,
    PutOutcome,
};
use cupo_store::{
    Appointment, AppointmentExternalMapping, Calendar, Job, MeetingState, appointment_get, appointment_set_meeting_url,
    calendar_get, mapping_get, mapping_mark_deleted, mapping_upsert,
};
use serde::{Deserialize, Serialize};

use super::{Outcome, PullChanges, ReadMeetingLink, Task};
use crate::{Engine, EngineError, details::Details, engine::transact};

/// Makes the event in the host's calendar equal to the appointment: creates, changes or deletes it.
///
/// The event's id follows from the appointment, so that a repetition after a lost answer finds the event. When the
/// appointment changed while the provider was being told, the task runs once more.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PushEvent {
    pub(crate) appointment_id: AppointmentId,
}

/// How soon an event is written again that somebody changed meanwhile.
const AFTER_CONFLICT: TimeDelta = TimeDelta::seconds(2);

impl Task for PushEvent {
    const KIND: &'static str = "push_event";
    const PATIENCE: TimeDelta = TimeDelta::days(60);

    fn coalescing_key(&self) -> String {
        self.appointment_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let (details, calendar) = {
            let tx = &mut engine.0.store.read().await?;
            let Some(appointment) = appointment_get(tx, organization_id, &self.appointment_id).await? else {
                return Ok(Outcome::Done);
            };
            let details = engine.details(tx, appointment).await?;
            let mapped = match &details.mapping {
                Some(mapping) => calendar_get(tx, organization_id, &mapping.calendar_id).await?,
                None => None,
            };
            (details, mapped)
        };
        match details.appointment.status {
            AppointmentStatus::Confirmed => put(engine, job, &details, calendar).await,
            AppointmentStatus::Cancelled => delete(engine, &details, calendar).await,
        }
    }
}

async fn put(engine: &Engine, job: &Job, details: &Details, mapped: Option<Calendar>) -> Result<Outcome, EngineError> {
    let Details { appointment, mapping, target, .. } = details;
    let Appointment { id, organization_id, .. } = appointment;
    let mapping = mapping.as_ref().filter(|_| mapped.is_some());
    if mapping.is_some_and(|mapping| mapping.pushed_sequence >= appointment.sequence || mapping.deleted_at.is_some()) {
        return Ok(Outcome::Done);
    }
    let Some(calendar) = mapped.as_ref().or(target.as_ref()) else { return Ok(Outcome::Done) };
    let event = event_of(engine, details, mapping);
    let expected = match mapping {
        Some(mapping) => Expected::Update { etag: mapping.etag.as_deref() },
        None => Expected::Create,
    };
    let (provider, event) = (&engine.google()?.provider, &event);
    let external_id = calendar.external_id.as_str();
    let call = move |token| async move { provider.put_event(&token, external_id, event, expected).await };
    match engine.call_provider(organization_id, &calendar.account_id, call).await {
        Ok(outcome) => store_outcome(engine, appointment, calendar, mapping, outcome).await,
        // Somebody changed or deleted it there: learn what, then decide again. The calendar wins.
        Err(EngineError::Provider(error @ (ProviderError::Conflict | ProviderError::NotFound)))
            if mapping.is_some() =>
        {
            transact!(engine, tx => {
                engine.enqueue(tx, organization_id, &PullChanges { calendar_id: calendar.id.clone() }).await?;
            })?;
            engine.committed(organization_id);
            tracing::info!(appointment = %id, %error, "the event was changed meanwhile");
            let is_new = engine.age(job) < TimeDelta::minutes(1);
            let after = if is_new { AFTER_CONFLICT } else { engine.pause(job) };
            Ok(Outcome::Retry(after, error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Remembers what the provider holds. An appointment that moved on meanwhile is pushed again.
async fn store_outcome(
    engine: &Engine,
    appointment: &Appointment,
    calendar: &Calendar,
    old: Option<&AppointmentExternalMapping>,
    outcome: PutOutcome,
) -> Result<Outcome, EngineError> {
    let Appointment { id, organization_id, sequence, .. } = appointment;
    let has_moved_on = transact!(engine, tx => {
        let meeting_state = match (&outcome.meeting, old) {
            (MeetingLink::None, Some(old)) => old.meeting_state,
            (meeting, _) => state_of(meeting),
        };
        let mapping = AppointmentExternalMapping {
            appointment_id: id.clone(),
            organization_id: organization_id.clone(),
            calendar_id: calendar.id.clone(),
            external_event_id: outcome.id.clone(),
            etag: outcome.etag.clone(),
            html_link: outcome.html_link.clone(),
            meeting_state,
            pushed_sequence: *sequence,
            deleted_at: None,
        };
        mapping_upsert(tx, &mapping).await?;
        match &outcome.meeting {
            MeetingLink::Ready { url } => {
                appointment_set_meeting_url(tx, organization_id, id, Some(url)).await?;
            }
            MeetingLink::Pending => {
                engine.enqueue(tx, organization_id, &ReadMeetingLink { appointment_id: id.clone() }).await?;
            }
            MeetingLink::None | MeetingLink::Failed => {}
        }
        let current = appointment_get(tx, organization_id, id).await?;
        current.is_some_and(|current| current.sequence != *sequence)
    })?;
    engine.committed(organization_id);
    if has_moved_on {
        return Ok(Outcome::Retry(TimeDelta::zero(), "the appointment has changed meanwhile".to_owned()));
    }
    Ok(Outcome::Done)
}

async fn delete(engine: &Engine, details: &Details, mapped: Option<Calendar>) -> Result<Outcome, EngineError> {
    let Details { appointment, mapping, .. } = details;
    let Appointment { id, organization_id, .. } = appointment;
    // Without a mapping nothing was written, or its answer was lost: then the sync finds the event by its mark.
    let Some(mapping) = mapping.as_ref().filter(|mapping| mapping.deleted_at.is_none()) else {
        return Ok(Outcome::Done);
    };
    let Some(calendar) = mapped else { return Ok(Outcome::Done) };
    let provider = &engine.google()?.provider;
    let (external_id, event_id) = (calendar.external_id.as_str(), mapping.external_event_id.as_str());
    let call = move |token| async move { provider.delete_event(&token, external_id, event_id, true).await };
    engine.call_provider(organization_id, &calendar.account_id, call).await?;
    transact!(engine, tx => {
        mapping_mark_deleted(tx, organization_id, id, engine.now()).await?;
    })?;
    engine.committed(organization_id);
    Ok(Outcome::Done)
}

fn state_of(meeting: &MeetingLink) -> MeetingState {
    match meeting {
        MeetingLink::None => MeetingState::None,
        MeetingLink::Pending => MeetingState::Pending,
        MeetingLink::Ready { .. } => MeetingState::Ready,
        MeetingLink::Failed => MeetingState::Failed,
    }
}

/// The event as the visitor, who is invited, and the host read it: in the visitor's language.
fn event_of(engine: &Engine, details: &Details, mapping: Option<&AppointmentExternalMapping>) -> CalendarEvent {
    let Details { appointment, schedule, .. } = details;
    let time_zone = Some(schedule.time_zone.to_string());
    let at = |at| EventTime::Instant { at, time_zone: time_zone.clone() };
    let title = format!("{}: {}", appointment.title, appointment.visitor_name);
    let meeting = match (&appointment.location, mapping) {
        (Location::GoogleMeet, None) => Meeting::Request { request_id: appointment.id.to_string() },
        _ => Meeting::None,
    };
    let visitor = Attendee::invited(appointment.visitor_email.as_str(), Some(appointment.visitor_name.clone()));
    let place = details.place().filter(|_| appointment.location != Location::GoogleMeet);
    CalendarEvent {
        id: mapping.map(|mapping| mapping.external_event_id.clone()).unwrap_or_default(),
        description: Some(description(engine, details)),
        location: place.filter(|place| !place.is_empty()).map(str::to_owned),
        attendees: vec![visitor],
        meeting,
        mark: Some(EventMark {
            appointment_id: appointment.id.clone(),
            installation: engine.installation().to_owned(),
        }),
        ..CalendarEvent::draft(title, at(appointment.start_at), at(appointment.end_at))
    }
}

fn description(engine: &Engine, details: &Details) -> String {
    let Appointment { visitor_name, visitor_email, visitor_phone, visitor_notes, visitor_locale, id, .. } =
        &details.appointment;
    let label = |key| text::lookup(*visitor_locale, key);
    let mut lines = vec![format!("{}: {visitor_name} <{visitor_email}>", label("mail.visitor"))];
    lines.extend(visitor_phone.as_ref().map(|phone| format!("{}: {phone}", label("mail.phone"))));
    lines.extend(visitor_notes.as_ref().map(|notes| format!("{}: {notes}", label("mail.notes"))));
    lines.push(format!("{}: {}", label("mail.manage"), engine.manage_url(&engine.manage_token(id))));
    lines.join("\n")
}

impl Engine {
    /// Stores the outcome of a conference that was being made. The event's new etag is not taken over: only the sync may,
    /// which also looks whether the event was moved.
    pub(super) async fn store_meeting(
        &self,
        organization_id: &OrganizationId,
        appointment_id: &AppointmentId,
        link: &MeetingLink,
    ) -> Result<(), EngineError> {
        transact!(self, tx => {
            if let Some(mapping) = mapping_get(tx, organization_id, appointment_id).await? {
                mapping_upsert(tx, &AppointmentExternalMapping { meeting_state: state_of(link), ..mapping }).await?;
                if let MeetingLink::Ready { url } = link {
                    appointment_set_meeting_url(tx, organization_id, appointment_id, Some(url)).await?;
                }
            }
        })?;
        self.committed(organization_id);
        Ok(())
    }
}
