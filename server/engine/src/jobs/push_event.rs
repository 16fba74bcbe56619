use std::sync::Arc;

use chrono::TimeDelta;
use cupo_core::{
    appointment::AppointmentStatus,
    ids::{ClaimId, OrganizationId},
    text,
};
use cupo_providers::{
    Attendee, CalendarEvent, CalendarProvider, EventMark, EventTime, Expected, Meeting, MeetingLink, ProviderError,
    PutOutcome,
};
use cupo_store::{
    Appointment, AppointmentExternalMapping, Calendar, Job, MeetingState, Tx, appointment_list_by_claim,
    appointment_set_meeting_url, busy_interval_delete, calendar_get, mapping_get, mapping_mark_deleted, mapping_upsert,
};
use serde::{Deserialize, Serialize};

use super::{DeleteOrphan, Outcome, PullChanges, ReadMeetingLink, Task};
use crate::{
    Engine, EngineError,
    details::{Details, version_of},
    engine::transact,
    sync::{BEING_DELETED, NOTHING_PUSHED, Pulled},
};

/// Makes the event in the host's calendar equal to the appointments of a claim: one event with everybody who has a seat.
/// Creates, changes or deletes it.
///
/// The event's id follows from the claim, so that a repetition after a lost answer finds the event. When an appointment
/// changed while the provider was being told, the task runs once more.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PushEvent {
    /// Called `appointment_id` while each appointment had an event of its own: jobs of then may still wait.
    #[serde(alias = "appointment_id")]
    pub(crate) claim_id: ClaimId,
}

impl PushEvent {
    /// The whole coalescing key of the job that writes the event of a claim.
    pub(crate) fn key_of(claim_id: &ClaimId) -> String {
        format!("{}:{claim_id}", Self::KIND)
    }
}

/// How soon an event is written again that somebody changed meanwhile.
const AFTER_CONFLICT: TimeDelta = TimeDelta::seconds(2);

/// What the event is to be.
struct Wanted {
    /// Everybody with a seat who is confirmed, the first one first.
    guests: Vec<Appointment>,
    /// Of the first of them.
    details: Details,
    /// See [`version_of`].
    version: i64,
}

impl Task for PushEvent {
    const KIND: &'static str = "push_event";
    const PATIENCE: TimeDelta = TimeDelta::days(60);

    fn coalescing_key(&self) -> String {
        self.claim_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let (wanted, mapping, calendar) = {
            let tx = &mut engine.0.store.read().await?;
            let sharing = appointment_list_by_claim(tx, organization_id, &self.claim_id).await?;
            let version = version_of(&sharing);
            let mut guests = sharing;
            guests.retain(|appointment| appointment.status == AppointmentStatus::Confirmed);
            let wanted = match guests.first() {
                Some(first) => {
                    let details = engine.details(tx, first.clone()).await?;
                    Some(Wanted { details, guests, version })
                }
                None => None,
            };
            let mapping = mapping_get(tx, organization_id, &self.claim_id).await?;
            let calendar = match &mapping {
                Some(mapping) => calendar_get(tx, organization_id, &mapping.calendar_id).await?,
                None => None,
            };
            (wanted, mapping, calendar)
        };
        match wanted {
            Some(wanted) => put(engine, job, &self.claim_id, &wanted, mapping, calendar).await,
            None => delete(engine, organization_id, mapping, calendar).await,
        }
    }
}

async fn put(
    engine: &Engine,
    job: &Job,
    claim_id: &ClaimId,
    wanted: &Wanted,
    mapping: Option<AppointmentExternalMapping>,
    mapped: Option<Calendar>,
) -> Result<Outcome, EngineError> {
    let Details { appointment, target, .. } = &wanted.details;
    let organization_id = &appointment.organization_id;
    // What is gone because nobody was confirmed may be wanted again: a host agreed a second time.
    let before = mapping;
    let mapping = before.as_ref().filter(|mapping| mapped.is_some() && mapping.deleted_at.is_none());
    let mapped = mapped.as_ref().filter(|_| mapping.is_some());
    let Some(calendar) = mapped.or(target.as_ref()) else { return Ok(Outcome::Done) };
    let event = event_of(engine, claim_id, wanted, mapping, calendar);
    let invited: Vec<String> = event.attendees.iter().map(|attendee| attendee.email.clone()).collect();
    if mapping.is_some_and(|mapping| has_all(mapping, wanted, &invited)) {
        return Ok(Outcome::Done);
    }
    if mapping.is_none() && job.attempts > 1 {
        match earlier_try(engine, claim_id, calendar).await? {
            Earlier::Found => return Ok(Outcome::Retry(TimeDelta::zero(), "its event was there".to_owned())),
            Earlier::Unknown => return Ok(Outcome::Retry(TimeDelta::zero(), "another pull was faster".to_owned())),
            Earlier::None => {}
        }
    }
    let gone: Vec<String> = match mapping {
        Some(mapping) => mapping.guests.iter().filter(|guest| !invited.contains(guest)).cloned().collect(),
        None => Vec::new(),
    };
    let expected = match mapping {
        Some(mapping) if gone.is_empty() && mapping.guests.len() == invited.len() => {
            Expected::Update { etag: mapping.etag.as_deref() }
        }
        Some(mapping) => Expected::UpdateAttendees { etag: mapping.etag.as_deref(), gone: &gone },
        None => Expected::Create,
    };
    let event = &event;
    let external_id = calendar.external_id.as_str();
    let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
        provider.put_event(&access, external_id, event, expected).await
    };
    match engine.call_provider(organization_id, &calendar.account_id, call).await {
        // Written before, and moved since. The calendar wins.
        Ok(PutOutcome { stands: Some(event), .. }) => {
            engine.take_up(calendar, claim_id, &event).await?;
            Ok(Outcome::Retry(engine.pause(job), "its event stands at another time".to_owned()))
        }
        Ok(outcome) => {
            let stored = Stored { calendar, before: before.as_ref(), is_new: mapping.is_none(), guests: invited };
            store_outcome(engine, claim_id, wanted, stored, outcome).await
        }
        // It was deleted before, because nobody was confirmed then; that the answer was lost is no reason to cancel.
        Err(EngineError::Provider(error @ ProviderError::NotFound))
            if mapping.is_some_and(|mapping| mapping.pushed_sequence == BEING_DELETED) =>
        {
            if let Some(mapping) = mapping {
                transact!(engine, tx => {
                    mark_gone(engine, tx, mapping).await?;
                })?;
            }
            Ok(Outcome::Retry(TimeDelta::zero(), error.to_string()))
        }
        // Somebody changed or deleted it there: learn what, then decide again. The calendar wins.
        Err(EngineError::Provider(error @ (ProviderError::Conflict | ProviderError::NotFound)))
            if mapping.is_some() =>
        {
            transact!(engine, tx => {
                engine.enqueue(tx, organization_id, &PullChanges { calendar_id: calendar.id.clone() }).await?;
            })?;
            engine.committed(organization_id);
            tracing::info!(claim = %claim_id, %error, "the event was changed meanwhile");
            let is_new = engine.age(job) < TimeDelta::minutes(1);
            let after = if is_new { AFTER_CONFLICT } else { engine.pause(job) };
            Ok(Outcome::Retry(after, error.to_string()))
        }
        Err(EngineError::Provider(ProviderError::NotFound)) => after_lost_calendar(engine, calendar).await,
        Err(error) => Err(error),
    }
}

/// Whether the provider has what is wanted. Who shares a slot alone after others did may have the version of one of those.
fn has_all(mapping: &AppointmentExternalMapping, wanted: &Wanted, invited: &[String]) -> bool {
    mapping.pushed_sequence == wanted.version
        && mapping.guests.len() == invited.len()
        && invited.iter().all(|guest| mapping.guests.contains(guest))
        && mapping.pushed_start.is_none_or(|start| start == wanted.details.appointment.start_at)
}

/// What became of an earlier try whose answer was lost.
enum Earlier {
    /// Its event stands in the calendar, or in another one to which its host has carried it: it was adopted, with what the host has
    /// done to it meanwhile.
    Found,
    /// No event of it is to be seen.
    None,
    /// Something was written meanwhile to a calendar that was read: it is to be read again.
    Unknown,
}

async fn earlier_try(engine: &Engine, claim_id: &ClaimId, calendar: &Calendar) -> Result<Earlier, EngineError> {
    let organization_id = &calendar.organization_id;
    let others = engine.other_calendars(&mut engine.0.store.read().await?, calendar).await?;
    for Calendar { id, .. } in std::iter::once(calendar).chain(&others) {
        match engine.pull(organization_id, id).await {
            Ok(Pulled::Overtaken) => return Ok(Earlier::Unknown),
            Ok(_) => {}
            // A calendar that cannot be read may well be written to.
            Err(error) => {
                tracing::warn!(calendar = %id, %error, "whether an event was written before could not be learned");
            }
        }
        let mapping = mapping_get(&mut engine.0.store.read().await?, organization_id, claim_id).await?;
        if mapping.is_some_and(|mapping| mapping.deleted_at.is_none()) {
            return Ok(Earlier::Found);
        }
    }
    Ok(Earlier::None)
}

/// The calendar for a new event is not there. When it is really gone, it is dropped, and the event goes to the one that
/// receives events then.
async fn after_lost_calendar(engine: &Engine, calendar: &Calendar) -> Result<Outcome, EngineError> {
    engine.calendar_not_found(calendar).await?;
    Ok(Outcome::Retry(AFTER_CONFLICT, "the calendar is gone".to_owned()))
}

/// Where the event was written, and who was invited to it.
struct Stored<'a> {
    calendar: &'a Calendar,
    /// What was known when the provider was asked.
    before: Option<&'a AppointmentExternalMapping>,
    is_new: bool,
    guests: Vec<String>,
}

/// What a round has learned of the event since the provider was asked to write it: that is newer than the answer, for the
/// provider wrote over nothing else than what was known before. Where it was deleted, the answer may be of one that was made
/// after that.
fn learned_since(
    before: Option<&AppointmentExternalMapping>,
    now: Option<AppointmentExternalMapping>,
    outcome: &PutOutcome,
) -> Option<AppointmentExternalMapping> {
    let state = |of: &AppointmentExternalMapping| {
        (of.calendar_id.clone(), of.external_event_id.clone(), of.etag.clone(), of.deleted_at)
    };
    let is_of_answer =
        |now: &AppointmentExternalMapping| now.external_event_id == outcome.id && now.etag == outcome.etag;
    now.filter(|now| now.deleted_at.is_none() && before.map(state) != Some(state(now)) && !is_of_answer(now))
}

/// Remembers what the provider holds. Appointments that have moved on meanwhile are pushed again, and so is an event that was
/// changed meanwhile.
async fn store_outcome(
    engine: &Engine,
    claim_id: &ClaimId,
    wanted: &Wanted,
    Stored { calendar, before, is_new, guests }: Stored<'_>,
    outcome: PutOutcome,
) -> Result<Outcome, EngineError> {
    let organization_id = &wanted.details.appointment.organization_id;
    let has_moved_on = transact!(engine, tx => {
        let wants_meeting = wanted.details.appointment.location.meeting_service().is_some();
        let now = mapping_get(tx, organization_id, claim_id).await?;
        let meeting_state = match (&outcome.meeting, now.as_ref().filter(|_| !is_new)) {
            (MeetingLink::None, Some(now)) => now.meeting_state,
            // The calendar makes none.
            (MeetingLink::None, None) if wants_meeting => MeetingState::Failed,
            (meeting, _) => state_of(meeting),
        };
        let declined = now.as_ref().map(|now| now.declined.clone()).unwrap_or_default();
        let untold_since = match now.as_ref().filter(|_| !is_new) {
            Some(now) => now.untold_since,
            None => Some(engine.now()),
        };
        let learned = learned_since(before, now, &outcome);
        let is_changed = learned.is_some();
        let start = wanted.details.appointment.start_at;
        let mapping = learned.map(|learned| {
            let is_same_start = before.is_some_and(|before| before.pushed_start == learned.pushed_start);
            let pushed_start = if is_same_start { Some(start) } else { learned.pushed_start };
            let learned = AppointmentExternalMapping { pushed_start, meeting_state, ..learned };
            still_to_write(learned, &guests)
        });
        let mapping = mapping.unwrap_or_else(|| AppointmentExternalMapping {
            claim_id: claim_id.clone(),
            organization_id: organization_id.clone(),
            calendar_id: calendar.id.clone(),
            external_event_id: outcome.id.clone(),
            etag: outcome.etag.clone(),
            ical_uid: outcome.ical_uid.clone(),
            html_link: outcome.html_link.clone(),
            meeting_state,
            pushed_sequence: wanted.version,
            pushed_start: Some(start),
            guests: guests.clone(),
            declined,
            untold_since,
            deleted_at: None,
        });
        mapping_upsert(tx, &mapping).await?;
        if mapping.external_event_id != outcome.id {
            // The host carried the event away that an earlier try had made: the one that was made now is a second one.
            let (calendar_id, claim_id) = (calendar.id.clone(), claim_id.clone());
            let second = DeleteOrphan { calendar_id, claim_id, external_event_id: outcome.id.clone() };
            engine.enqueue(tx, organization_id, &second).await?;
        }
        // The sync may have met it before its id was known here; not every provider tells our mark.
        busy_interval_delete(tx, organization_id, &calendar.id, &outcome.id, engine.now()).await?;
        let current = appointment_list_by_claim(tx, organization_id, claim_id).await?;
        // Whoever took a seat after the meeting was made joins there too.
        let known = current.iter().find_map(|appointment| appointment.meeting_url.clone());
        let url = match &outcome.meeting {
            MeetingLink::Ready { url } => Some(url.clone()),
            MeetingLink::Pending => {
                engine.enqueue(tx, organization_id, &ReadMeetingLink { claim_id: claim_id.clone() }).await?;
                None
            }
            MeetingLink::None | MeetingLink::Failed => known,
        };
        if let Some(url) = url {
            for appointment in current.iter().filter(|of| of.meeting_url.as_ref() != Some(&url)) {
                appointment_set_meeting_url(tx, organization_id, &appointment.id, Some(&url)).await?;
            }
        }
        is_changed || version_of(&current) != wanted.version
    })?;
    engine.committed(organization_id);
    if has_moved_on {
        return Ok(Outcome::Retry(TimeDelta::zero(), "the appointment has changed meanwhile".to_owned()));
    }
    Ok(Outcome::Done)
}

/// What a round has learned of an event that was written meanwhile: it is not known to be what is wanted, and those who were
/// invited are.
fn still_to_write(learned: AppointmentExternalMapping, invited: &[String]) -> AppointmentExternalMapping {
    let mut guests = learned.guests.clone();
    guests.extend(invited.iter().filter(|guest| !learned.guests.contains(guest)).cloned());
    AppointmentExternalMapping { guests, pushed_sequence: NOTHING_PUSHED, ..learned }
}

async fn delete(
    engine: &Engine,
    organization_id: &OrganizationId,
    mapping: Option<AppointmentExternalMapping>,
    mapped: Option<Calendar>,
) -> Result<Outcome, EngineError> {
    // Without a mapping nothing was written, or its answer was lost: then the sync finds the event by its mark.
    let Some(mapping) = mapping.filter(|mapping| mapping.deleted_at.is_none()) else {
        return Ok(Outcome::Done);
    };
    let Some(calendar) = mapped else { return Ok(Outcome::Done) };
    if !begins_to_delete(engine, &mapping).await? {
        return Ok(Outcome::Retry(TimeDelta::zero(), "the appointment was confirmed meanwhile".to_owned()));
    }
    let (external_id, event_id) = (calendar.external_id.as_str(), mapping.external_event_id.as_str());
    let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
        provider.delete_event(&access, external_id, event_id, true).await
    };
    engine.call_provider(organization_id, &calendar.account_id, call).await?;
    let (is_gone, is_wanted_again) = transact!(engine, tx => {
        let is_gone = mark_gone(engine, tx, &mapping).await?;
        let sharing = appointment_list_by_claim(tx, organization_id, &mapping.claim_id).await?;
        (is_gone, sharing.iter().any(|appointment| appointment.status == AppointmentStatus::Confirmed))
    })?;
    engine.committed(organization_id);
    if !is_gone {
        return Ok(Outcome::Retry(TimeDelta::zero(), "its event was carried elsewhere meanwhile".to_owned()));
    }
    if is_wanted_again {
        return Ok(Outcome::Retry(TimeDelta::zero(), "the appointment was confirmed meanwhile".to_owned()));
    }
    Ok(Outcome::Done)
}

/// Notes that an event is gone, unless its host carried it into another calendar before it could be deleted where it was: then it
/// stands there.
async fn mark_gone(engine: &Engine, tx: &mut Tx, deleted: &AppointmentExternalMapping) -> Result<bool, EngineError> {
    let AppointmentExternalMapping { organization_id, claim_id, calendar_id, external_event_id, .. } = deleted;
    let now = mapping_get(tx, organization_id, claim_id).await?;
    let is_there =
        now.is_some_and(|now| now.calendar_id == *calendar_id && now.external_event_id == *external_event_id);
    if is_there {
        mapping_mark_deleted(tx, organization_id, claim_id, engine.now()).await?;
    }
    Ok(is_there)
}

/// Notes on the mapping that its event is being deleted, so that whoever finds it gone knows by whom, also when the answer gets
/// lost. Not when somebody is confirmed again.
async fn begins_to_delete(engine: &Engine, mapping: &AppointmentExternalMapping) -> Result<bool, EngineError> {
    let AppointmentExternalMapping { organization_id, claim_id, .. } = mapping;
    transact!(engine, tx => {
        let sharing = appointment_list_by_claim(tx, organization_id, claim_id).await?;
        let is_unwanted = sharing.iter().all(|appointment| appointment.status != AppointmentStatus::Confirmed);
        if is_unwanted && let Some(mapping) = mapping_get(tx, organization_id, claim_id).await? {
            // What is written there now is of no account: it is written whole, should it be wanted after all.
            let unknown = AppointmentExternalMapping { pushed_sequence: BEING_DELETED, pushed_start: None, etag: None, ..mapping };
            mapping_upsert(tx, &unknown).await?;
        }
        is_unwanted
    })
}

fn state_of(meeting: &MeetingLink) -> MeetingState {
    match meeting {
        MeetingLink::None => MeetingState::None,
        MeetingLink::Pending => MeetingState::Pending,
        MeetingLink::Ready { .. } => MeetingState::Ready,
        MeetingLink::Failed => MeetingState::Failed,
    }
}

/// The event as the visitors, who are invited, and the hosts read it: in the first visitor's language. What visitors
/// wrote stands in it only while there is one of them.
fn event_of(
    engine: &Engine,
    claim_id: &ClaimId,
    wanted: &Wanted,
    mapping: Option<&AppointmentExternalMapping>,
    calendar: &Calendar,
) -> CalendarEvent {
    let Wanted { details, guests, .. } = wanted;
    let Details { appointment, schedule, event_type, co_hosts, .. } = details;
    let time_zone = Some(schedule.time_zone.to_string());
    let at = |at| EventTime::Instant { at, time_zone: time_zone.clone() };
    let has_seats = event_type.rules.seats > 1 || guests.len() > 1;
    let title = if has_seats {
        format!("{} ({}/{})", appointment.title, guests.len(), event_type.rules.seats)
    } else {
        format!("{}: {}", appointment.title, appointment.visitor_name)
    };
    // One that the calendar cannot make is not asked for: it would be refused with the event.
    let is_possible = calendar.meetings.iter().any(|kind| kind == appointment.location.kind());
    let meeting = match mapping {
        None if is_possible => Meeting::Request { request_id: claim_id.to_string() },
        _ => Meeting::None,
    };
    let visitors =
        guests.iter().map(|guest| Attendee::invited(guest.visitor_email.as_str(), Some(guest.visitor_name.clone())));
    let hosts = co_hosts.iter().map(|user| Attendee::invited(user.email.as_str(), Some(user.name.clone())));
    let mut attendees: Vec<Attendee> = Vec::new();
    for attendee in visitors.chain(hosts) {
        // Somebody may have two seats.
        if !attendees.iter().any(|known| known.email.eq_ignore_ascii_case(&attendee.email)) {
            attendees.push(attendee);
        }
    }
    let place = details.place().filter(|_| appointment.location.meeting_service().is_none());
    CalendarEvent {
        id: mapping.map(|mapping| mapping.external_event_id.clone()).unwrap_or_default(),
        description: (!has_seats).then(|| description(engine, details)),
        location: place.filter(|place| !place.is_empty()).map(str::to_owned),
        attendees,
        guests_see_each_other: !has_seats,
        meeting,
        mark: Some(EventMark { claim_id: claim_id.clone(), installation: engine.installation().to_owned() }),
        ..CalendarEvent::draft(title, at(appointment.start_at), at(appointment.end_at))
    }
}

fn description(engine: &Engine, details: &Details) -> String {
    let Appointment {
        visitor_name, visitor_email, visitor_phone, visitor_notes, visitor_language, answers, id, ..
    } = &details.appointment;
    let locale = visitor_language.locale();
    let label = |key| text::lookup(locale, key);
    let mut lines = vec![format!("{}: {visitor_name} <{visitor_email}>", label("mail.visitor"))];
    lines.extend(visitor_phone.as_ref().map(|phone| format!("{}: {phone}", label("mail.phone"))));
    lines.extend(answers.iter().map(|answer| format!("{}: {}", answer.label, text::answer(locale, answer))));
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
        claim_id: &ClaimId,
        link: &MeetingLink,
    ) -> Result<(), EngineError> {
        transact!(self, tx => {
            if let Some(mapping) = mapping_get(tx, organization_id, claim_id).await? {
                mapping_upsert(tx, &AppointmentExternalMapping { meeting_state: state_of(link), ..mapping }).await?;
                if let MeetingLink::Ready { url } = link {
                    for appointment in appointment_list_by_claim(tx, organization_id, claim_id).await? {
                        appointment_set_meeting_url(tx, organization_id, &appointment.id, Some(url)).await?;
                    }
                }
            }
        })?;
        self.committed(organization_id);
        Ok(())
    }
}
