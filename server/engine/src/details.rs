//! An appointment with everything that is told about it: to its visitor, to its host, to their calendars.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    appointment::AppointmentStatus,
    event_type::Location,
    wire::{AddToCalendar, AppointmentView, LocationView, SeriesEntry},
};
use cupo_store::{
    Appointment, AppointmentExternalMapping, Calendar, EventType, MeetingState, Organization, Provider, Schedule, Tx,
    User, account_get, appointment_list_by_series, calendar_get, calendar_list_by_user, claim_hosts, event_type_get,
    event_type_host_list, mapping_get, organization_get, user_get,
};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{Engine, EngineError};

/// An appointment and what belongs to it.
pub(crate) struct Details {
    pub(crate) appointment: Appointment,
    pub(crate) organization: Organization,
    pub(crate) event_type: EventType,
    /// Whose calendar has the event.
    pub(crate) host: User,
    /// Who else is there, while the appointment stands.
    pub(crate) co_hosts: Vec<User>,
    /// The schedule whose zone is the event type's.
    pub(crate) schedule: Schedule,
    pub(crate) mapping: Option<AppointmentExternalMapping>,
    /// The host's calendar that receives the event, if there is one.
    pub(crate) target: Option<Calendar>,
    /// Whether the calendar provider invites the visitor. Then our mails carry no invitation: there is one inviter only.
    pub(crate) provider_invites: bool,
    /// The others of its series that still stand, by start.
    pub(crate) series: Vec<Appointment>,
    /// The others of its series that ended with it, by start.
    pub(crate) ended_together: Vec<Appointment>,
}

/// By which it is known whether the provider has what there is of an event: other for every state of the appointments that
/// share the claim. Of an appointment alone it is its sequence.
pub(crate) fn version_of(sharing: &[Appointment]) -> i64 {
    match sharing {
        [alone] => alone.sequence,
        sharing => {
            let mut hash = Sha256::new();
            for appointment in sharing {
                hash.update(appointment.id.as_str());
                hash.update(appointment.sequence.to_be_bytes());
                hash.update(appointment.status.as_str());
            }
            let digest = hash.finalize();
            let bytes: [u8; 8] = std::array::from_fn(|at| digest[at]);
            // Never negative: those are the versions of what is not known.
            i64::from_be_bytes(bytes) & i64::MAX
        }
    }
}

fn is_too_late(appointment: &Appointment, notice_minutes: u32, now: DateTime<Utc>) -> bool {
    notice_minutes > 0 && now > appointment.start_at - TimeDelta::minutes(notice_minutes.into())
}

/// Whether the visitor's time to cancel has passed.
pub(crate) fn is_too_late_to_cancel(event_type: &EventType, appointment: &Appointment, now: DateTime<Utc>) -> bool {
    is_too_late(appointment, event_type.options.cancel_notice_minutes, now)
}

/// Whether the visitor's time to reschedule has passed.
pub(crate) fn is_too_late_to_reschedule(event_type: &EventType, appointment: &Appointment, now: DateTime<Utc>) -> bool {
    is_too_late(appointment, event_type.options.reschedule_notice_minutes, now)
}

impl Details {
    /// The names of everybody who is there for the visitor.
    pub(crate) fn host_names(&self) -> String {
        let others = self.co_hosts.iter().map(|user| user.name.as_str());
        std::iter::once(self.host.name.as_str()).chain(others).collect::<Vec<_>>().join(", ")
    }

    /// Whether the address of the conference is still to come.
    pub(crate) fn meeting_pending(&self) -> bool {
        let Appointment { location, status, meeting_url, .. } = &self.appointment;
        let failed = self.mapping.as_ref().is_some_and(|mapping| {
            matches!(mapping.meeting_state, MeetingState::Failed) || mapping.deleted_at.is_some()
        });
        location.meeting_service().is_some()
            && *status == AppointmentStatus::Confirmed
            && meeting_url.is_none()
            && (self.mapping.is_some() || self.target.is_some())
            && !failed
    }

    /// Where it takes place, as one line: an address, a number or a link; `None` while there is none.
    pub(crate) fn place(&self) -> Option<&str> {
        let Appointment { location, meeting_url, visitor_phone, .. } = &self.appointment;
        match location {
            Location::GoogleMeet | Location::MicrosoftTeams => meeting_url.as_deref(),
            Location::Phone(None) => visitor_phone.as_ref().map(|phone| phone.as_str()),
            other => Some(other.detail()),
        }
    }
}

/// Whether the provider mails the attendees of an event. What a CalDAV server does of itself differs from one to the next: our
/// events tell it to leave it to us (RFC 6638 §7.1).
fn invites(provider: Provider) -> bool {
    matches!(provider, Provider::Google | Provider::Outlook)
}

impl Engine {
    /// The host's calendar for the events of this event type: the one named for it, or the one for all.
    pub(crate) async fn target_of(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
    ) -> Result<Option<Calendar>, EngineError> {
        let Appointment { organization_id, event_type_id, host_user_id, .. } = appointment;
        let calendars = calendar_list_by_user(tx, organization_id, host_user_id).await?;
        let hosts = event_type_host_list(tx, organization_id, event_type_id).await?;
        let named =
            hosts.into_iter().find(|host| host.user_id == *host_user_id).and_then(|host| host.target_calendar_id);
        let is_named = |calendar: &&Calendar| named.as_ref() == Some(&calendar.id) && calendar.can_write;
        let target =
            calendars.iter().find(is_named).or_else(|| calendars.iter().find(|calendar| calendar.receives_events));
        Ok(target.cloned())
    }

    pub(crate) async fn details(&self, tx: &mut Tx, appointment: Appointment) -> Result<Details, EngineError> {
        let organization_id = &appointment.organization_id;
        let organization = organization_get(tx, organization_id).await?.ok_or(EngineError::NotFound("organization"))?;
        let event_type = event_type_get(tx, organization_id, &appointment.event_type_id)
            .await?
            .ok_or(EngineError::NotFound("event type"))?;
        let schedule = self.schedule_of(tx, &event_type).await?;
        let host = user_get(tx, &appointment.host_user_id).await?.ok_or(EngineError::NotFound("host"))?;
        let mut co_hosts = Vec::new();
        for id in claim_hosts(tx, organization_id, &appointment.claim_id).await? {
            if id != host.id {
                co_hosts.extend(user_get(tx, &id).await?);
            }
        }
        co_hosts.sort_by(|a: &User, b: &User| a.name.cmp(&b.name));
        let mapping = mapping_get(tx, organization_id, &appointment.claim_id).await?;
        let target = self.target_of(tx, &appointment).await?;
        let written_to = match &mapping {
            Some(mapping) => calendar_get(tx, organization_id, &mapping.calendar_id).await?,
            None => target.clone(),
        };
        let account = match &written_to {
            Some(calendar) => account_get(tx, organization_id, &calendar.account_id).await?,
            None => None,
        };
        // Of a calendar that is no longer connected, the event's id tells: a CalDAV resource has an address.
        let was_invited_there =
            || mapping.as_ref().is_some_and(|mapping| !mapping.external_event_id.starts_with("http"));
        let provider_invites = account.map_or_else(was_invited_there, |account| invites(account.provider));
        let mut series = match &appointment.series_id {
            Some(series_id) => appointment_list_by_series(tx, organization_id, series_id).await?,
            None => Vec::new(),
        };
        series.retain(|other| other.id != appointment.id);
        series.sort_by_key(|other| other.start_at);
        let (series, mut ended_together): (Vec<_>, Vec<_>) =
            series.into_iter().partition(|other| other.status.claims_time());
        ended_together.retain(|other| (other.status, other.updated_at) == (appointment.status, appointment.updated_at));
        Ok(Details {
            appointment,
            organization,
            event_type,
            host,
            co_hosts,
            schedule,
            mapping,
            target,
            provider_invites,
            series,
            ended_together,
        })
    }

    /// The visitor's page of an appointment.
    pub(crate) fn manage_url(&self, token: &str) -> String {
        self.public_address(&format!("manage/{token}"))
    }

    /// What the visitor sees of an appointment.
    pub(crate) fn view(&self, details: &Details) -> AppointmentView {
        let Details { appointment, organization, event_type, series, .. } = details;
        let now = self.now();
        let stands = appointment.status.claims_time() && appointment.end_at > now;
        let token = self.manage_token(&appointment.id);
        let location = LocationView {
            kind: appointment.location.kind().to_owned(),
            detail: details.place().filter(|_| appointment.location.meeting_service().is_none()).map(str::to_owned),
            needs_phone: appointment.location.needs_visitor_phone(),
        };
        AppointmentView {
            manage_url: self.manage_url(&token),
            add_to_calendar: self.add_to_calendar(details, &token),
            token,
            status: appointment.status,
            title: appointment.title.clone(),
            org: organization.slug.to_string(),
            event: event_type.slug.to_string(),
            organization_name: organization.name.clone(),
            host_name: details.host_names(),
            start: appointment.start_at,
            end: appointment.end_at,
            time_zone: appointment.visitor_time_zone.to_string(),
            visitor_name: appointment.visitor_name.clone(),
            visitor_email: appointment.visitor_email.to_string(),
            location,
            meeting_url: appointment.meeting_url.clone(),
            meeting_pending: details.meeting_pending(),
            cancel_reason: appointment.cancel_reason.clone(),
            cancelled_by: appointment.cancelled_by,
            sequence: appointment.sequence,
            expires_at: appointment.expires_at.filter(|_| appointment.status == AppointmentStatus::Pending),
            can_cancel: stands && !is_too_late_to_cancel(event_type, appointment, now),
            can_reschedule: stands && !is_too_late_to_reschedule(event_type, appointment, now),
            answers: appointment.answers.clone(),
            series: series
                .iter()
                .map(|other| SeriesEntry {
                    start: other.start_at,
                    manage_url: self.manage_url(&self.manage_token(&other.id)),
                })
                .collect(),
        }
    }

    /// The forms of the two common web calendars, filled in, and the iCalendar file for all others.
    fn add_to_calendar(&self, details: &Details, token: &str) -> AddToCalendar {
        let Appointment { title, start_at, end_at, .. } = &details.appointment;
        let title = format!("{title} · {}", details.organization.name);
        let place = details.place().unwrap_or_default();
        let body = self.manage_url(token);
        let basic = |instant: &DateTime<Utc>| instant.format("%Y%m%dT%H%M%SZ").to_string();
        let extended = |instant: &DateTime<Utc>| instant.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let form = |address: &str, fields: &[(&str, &str)]| {
            Url::parse_with_params(address, fields).map(String::from).unwrap_or_default()
        };
        AddToCalendar {
            google: form(
                "https://calendar.google.com/calendar/render",
                &[
                    ("action", "TEMPLATE"),
                    ("text", &title),
                    ("dates", &format!("{}/{}", basic(start_at), basic(end_at))),
                    ("details", &body),
                    ("location", place),
                ],
            ),
            outlook: form(
                "https://outlook.live.com/calendar/0/deeplink/compose",
                &[
                    ("path", "/calendar/action/compose"),
                    ("rru", "addevent"),
                    ("subject", &title),
                    ("startdt", &extended(start_at)),
                    ("enddt", &extended(end_at)),
                    ("body", &body),
                    ("location", place),
                ],
            ),
            ics: self.public_address(&format!("embed/v1/appointments/{token}/calendar.ics")),
        }
    }
}
