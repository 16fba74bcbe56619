//! An appointment with everything that is told about it: to its visitor, to its host, to their calendars.

use chrono::{DateTime, Utc};
use cupo_core::{
    appointment::AppointmentStatus,
    event_type::Location,
    wire::{AddToCalendar, AppointmentView, LocationView},
};
use cupo_store::{
    Appointment, AppointmentExternalMapping, Calendar, EventType, MeetingState, Organization, Schedule, Tx, User,
    calendar_list_by_user, event_type_get, mapping_get, organization_get,
};
use url::Url;

use crate::{Engine, EngineError};

/// An appointment and what belongs to it.
pub(crate) struct Details {
    pub(crate) appointment: Appointment,
    pub(crate) organization: Organization,
    pub(crate) event_type: EventType,
    pub(crate) host: User,
    pub(crate) schedule: Schedule,
    pub(crate) mapping: Option<AppointmentExternalMapping>,
    /// The host's calendar that receives events, if there is one.
    pub(crate) target: Option<Calendar>,
}

impl Details {
    /// Whether the calendar provider invites the visitor. Then our mails carry no invitation: there is one inviter only.
    pub(crate) fn provider_invites(&self) -> bool {
        self.mapping.is_some() || self.target.is_some()
    }

    /// Whether the address of the conference is still to come.
    pub(crate) fn meeting_pending(&self) -> bool {
        let Appointment { location, status, meeting_url, .. } = &self.appointment;
        let failed = self.mapping.as_ref().is_some_and(|mapping| {
            matches!(mapping.meeting_state, MeetingState::Failed) || mapping.deleted_at.is_some()
        });
        *location == Location::GoogleMeet
            && *status == AppointmentStatus::Confirmed
            && meeting_url.is_none()
            && self.provider_invites()
            && !failed
    }

    /// Where it takes place, as one line: an address, a number or a link; `None` while there is none.
    pub(crate) fn place(&self) -> Option<&str> {
        let Appointment { location, meeting_url, visitor_phone, .. } = &self.appointment;
        match location {
            Location::GoogleMeet => meeting_url.as_deref(),
            Location::Phone(None) => visitor_phone.as_ref().map(|phone| phone.as_str()),
            other => Some(other.detail()),
        }
    }
}

impl Engine {
    pub(crate) async fn details(&self, tx: &mut Tx, appointment: Appointment) -> Result<Details, EngineError> {
        let organization_id = &appointment.organization_id;
        let organization = organization_get(tx, organization_id).await?.ok_or(EngineError::NotFound("organization"))?;
        let event_type = event_type_get(tx, organization_id, &appointment.event_type_id)
            .await?
            .ok_or(EngineError::NotFound("event type"))?;
        let (schedule, host) = self.schedule_and_host(tx, &event_type).await?;
        let mapping = mapping_get(tx, organization_id, &appointment.id).await?;
        let calendars = calendar_list_by_user(tx, organization_id, &appointment.host_user_id).await?;
        let target = calendars.into_iter().find(|calendar| calendar.receives_events);
        Ok(Details { appointment, organization, event_type, host, schedule, mapping, target })
    }

    /// The visitor's page of an appointment.
    pub(crate) fn manage_url(&self, token: &str) -> String {
        self.public_address(&format!("manage/{token}"))
    }

    /// What the visitor sees of an appointment.
    pub(crate) fn view(&self, details: &Details) -> AppointmentView {
        let Details { appointment, organization, event_type, host, .. } = details;
        let token = self.manage_token(&appointment.id);
        let location = LocationView {
            kind: appointment.location.kind().to_owned(),
            detail: details.place().filter(|_| appointment.location != Location::GoogleMeet).map(str::to_owned),
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
            host_name: host.name.clone(),
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
