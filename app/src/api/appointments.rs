//! What was booked.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A page of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentsView {
    /// The rows.
    pub rows: Vec<AppointmentRow>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The zone of every time in the rows.
    pub time_zone: String,
}

/// An appointment in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentRow {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The visitor's name.
    pub visitor: String,
    /// Its date, in the host's zone.
    pub date: String,
    /// Its start and end, in the host's zone.
    pub hours: String,
    /// Where it takes place, in words.
    pub location: String,
    /// Whether it was cancelled.
    pub is_cancelled: bool,
}

/// Everything about one appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentDetailView {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Date, start and end, in the host's zone.
    pub when: String,
    /// The host's zone.
    pub time_zone: String,
    /// The same in the visitor's zone, if that is another.
    pub when_for_visitor: Option<String>,
    /// The visitor's name.
    pub visitor_name: String,
    /// The visitor's e-mail address.
    pub visitor_email: String,
    /// The visitor's phone number.
    pub visitor_phone: Option<String>,
    /// What the visitor wrote.
    pub visitor_notes: Option<String>,
    /// Where it takes place, in words.
    pub location: String,
    /// The conference's address.
    pub meeting_url: Option<String>,
    /// What stands in the host's calendar, as a sentence.
    pub calendar: String,
    /// The event's address at the provider.
    pub event_url: Option<String>,
    /// How it was cancelled, as a sentence.
    pub cancelled: Option<String>,
    /// The reason that was given.
    pub cancel_reason: Option<String>,
    /// Whether it can still be cancelled.
    pub can_cancel: bool,
    /// What happened, oldest first.
    pub history: Vec<HistoryRow>,
}

/// Something that happened to an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// When, in the host's zone.
    pub at: String,
    /// What, as a sentence.
    pub what: String,
}

/// The form that cancels an appointment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppointmentCancelForm {
    /// The appointment.
    pub id: String,
    /// What the visitor is told.
    pub reason: String,
}

/// Appointments that are `upcoming`, `past` or `cancelled`.
#[server(prefix = "/dashboard/api", endpoint = "appointments")]
pub async fn appointments(
    #[server(default)] filter: String,
    #[server(default)] before: Option<String>,
) -> Result<AppointmentsView, AppError> {
    use super::request::{answer, host};
    use cupo_store::AppointmentFilter;

    let (engine, principal) = host()?;
    let tz = answer(engine.schedule(&principal).await)?.time_zone.tz();
    let filter = match filter.as_str() {
        "past" => AppointmentFilter::Past,
        "cancelled" => AppointmentFilter::Cancelled,
        _ => AppointmentFilter::Upcoming,
    };
    let page = answer(engine.appointments(&principal, filter, before.as_deref()).await)?;
    Ok(AppointmentsView {
        rows: page.items.iter().map(|item| view::row(&item.appointment, tz)).collect(),
        next: page.next,
        time_zone: crate::time::zone(tz, engine.now()),
    })
}

/// One appointment with its history.
#[server(prefix = "/dashboard/api", endpoint = "appointment")]
pub async fn appointment(id: String) -> Result<AppointmentDetailView, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let id = view::id(&id)?;
    let tz = answer(engine.schedule(&principal).await)?.time_zone.tz();
    let detail = answer(engine.appointment(&principal, &id).await)?;
    Ok(view::detail(detail, tz, engine.now()))
}

/// Cancels an appointment; the visitor is told.
#[server(prefix = "/dashboard/api", endpoint = "appointment_cancel")]
pub async fn appointment_cancel(form: AppointmentCancelForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = view::id(&form.id)?;
    answer(engine.appointment_cancel(&principal, &id, &form.reason).await)
        .map_err(|error| error.with_typed(&[("reason", &form.reason)]))?;
    done(&format!("/dashboard/appointments/{id}"), "cancelled");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(super) mod view {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;
    use cupo_core::appointment::{AppointmentStatus, CancelledBy};
    use cupo_core::ids::AppointmentId;
    use cupo_engine::{AppointmentDetail, EngineError};
    use cupo_store::{Appointment, AuditEntry, MeetingState};

    use super::{AppointmentDetailView, AppointmentRow, HistoryRow};
    use crate::api::event_types::convert::location;
    use crate::api::request::answer;
    use crate::error::AppError;
    use crate::text::{locale, t, text_of, tf};
    use crate::time;

    pub(super) fn id(text: &str) -> Result<AppointmentId, AppError> {
        answer(AppointmentId::parse(text).map_err(|_| EngineError::NotFound("appointment")))
    }

    pub(crate) fn row(appointment: &Appointment, tz: Tz) -> AppointmentRow {
        let locale = locale();
        AppointmentRow {
            id: appointment.id.to_string(),
            title: appointment.title.to_string(),
            visitor: appointment.visitor_name.to_string(),
            date: time::date(time::date_in(appointment.start_at, tz), locale),
            hours: format!(
                "{} – {}",
                time::clock(appointment.start_at, tz, locale),
                time::clock(appointment.end_at, tz, locale)
            ),
            location: location(&appointment.location),
            is_cancelled: appointment.status == AppointmentStatus::Cancelled,
        }
    }

    pub(super) fn detail(detail: AppointmentDetail, tz: Tz, now: DateTime<Utc>) -> AppointmentDetailView {
        let AppointmentDetail { appointment, mapping, calendar_name, audit } = detail;
        let locale = locale();
        let when = |tz| time::span(appointment.start_at, appointment.end_at, tz, locale);
        let visitor_tz = appointment.visitor_time_zone.tz();
        let calendar = match (&mapping, &calendar_name) {
            (Some(mapping), _) if mapping.deleted_at.is_some() => t("dashboard.event_removed").to_owned(),
            (Some(mapping), Some(name)) if mapping.meeting_state == MeetingState::Failed => {
                tf("dashboard.event_without_meeting", &[("calendar", name)])
            }
            (Some(_), Some(name)) => tf("dashboard.event_stands", &[("calendar", name)]),
            (Some(_), None) => t("dashboard.event_calendar_gone").to_owned(),
            (None, _) => t("dashboard.event_none").to_owned(),
        };
        AppointmentDetailView {
            id: appointment.id.to_string(),
            title: appointment.title.to_string(),
            when: when(tz),
            time_zone: time::zone(tz, appointment.start_at),
            when_for_visitor: (visitor_tz != tz)
                .then(|| format!("{} · {}", when(visitor_tz), time::zone(visitor_tz, appointment.start_at))),
            visitor_name: appointment.visitor_name.to_string(),
            visitor_email: appointment.visitor_email.to_string(),
            visitor_phone: appointment.visitor_phone.as_ref().map(ToString::to_string),
            visitor_notes: appointment.visitor_notes.clone(),
            location: location(&appointment.location),
            meeting_url: appointment.meeting_url.as_ref().map(ToString::to_string),
            calendar,
            event_url: mapping.filter(|mapping| mapping.deleted_at.is_none()).and_then(|mapping| mapping.html_link),
            cancelled: appointment.cancelled_by.map(|by| cancelled(by).to_owned()),
            cancel_reason: appointment.cancel_reason.clone(),
            can_cancel: appointment.status == AppointmentStatus::Confirmed && appointment.end_at > now,
            history: audit.iter().map(|entry| history(entry, tz)).collect(),
        }
    }

    fn cancelled(by: CancelledBy) -> &'static str {
        match by {
            CancelledBy::Visitor => t("dashboard.cancelled_by_visitor"),
            CancelledBy::Host => t("dashboard.cancelled_by_host"),
            CancelledBy::Calendar => t("dashboard.cancelled_by_calendar"),
        }
    }

    fn history(entry: &AuditEntry, tz: Tz) -> HistoryRow {
        HistoryRow {
            at: time::instant(entry.at, tz, locale()),
            what: text_of("dashboard.audit_", &entry.action.replace('.', "_")).unwrap_or_else(|| entry.action.clone()),
        }
    }
}
