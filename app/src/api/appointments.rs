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
    /// Which appointments these are: `pending`, `upcoming`, `past` or `cancelled`.
    pub filter: String,
    /// Whether any wait for an answer.
    pub has_pending: bool,
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
    /// Where it stands, where that has to be said.
    pub status: Option<StatusView>,
}

/// Where an appointment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// `pending`, `confirmed`, `cancelled`, `declined` or `expired`.
    pub name: String,
    /// The same in words.
    pub text: String,
}

impl StatusView {
    /// Whether a host has still to agree.
    pub fn is_pending(&self) -> bool {
        self.name == "pending"
    }

    /// Whether it does not take place.
    pub fn is_over(&self) -> bool {
        !matches!(self.name.as_str(), "pending" | "confirmed")
    }
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
    /// What the visitor answered: question and answer.
    pub answers: Vec<(String, String)>,
    /// Where the visitor came from, such as `utm_source: letter`.
    pub tracking: Vec<String>,
    /// Who is there for the visitor, where that is not who looks alone.
    pub hosts: Option<String>,
    /// The others of its series.
    pub series: Vec<OtherRow>,
    /// Those who have another seat of the same slot.
    pub sharing: Vec<OtherRow>,
    /// Where it stands.
    pub status: StatusView,
    /// What that means, as a sentence: how it ended, until when it waits, or that the visitor declined in their calendar.
    pub standing: Option<String>,
    /// The reason that was given.
    pub cancel_reason: Option<String>,
    /// Whether a host can agree to it, or not.
    pub can_decide: bool,
    /// Whether it can still be cancelled.
    pub can_cancel: bool,
    /// What happened, oldest first.
    pub history: Vec<HistoryRow>,
}

/// Another appointment that belongs to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherRow {
    /// Its id.
    pub id: String,
    /// Its time, or who has booked it.
    pub text: String,
    /// Where it stands, where that has to be said.
    pub status: Option<StatusView>,
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

/// The form that declines an appointment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppointmentDeclineForm {
    /// The appointment.
    pub id: String,
    /// What the visitor is told.
    pub reason: String,
}

/// Appointments that are `pending`, `upcoming`, `past` or `cancelled`. Without a choice those that wait for an answer,
/// if there are any.
#[server(prefix = "/dashboard/api", endpoint = "appointments")]
pub async fn appointments(
    #[server(default)] filter: String,
    #[server(default)] before: Option<String>,
) -> Result<AppointmentsView, AppError> {
    use super::request::{answer, host};
    use cupo_store::AppointmentFilter;

    let (engine, principal) = host()?;
    let tz = super::request::zone(&engine, &principal).await?;
    let pending = answer(engine.appointments(&principal, AppointmentFilter::Pending, None).await)?;
    let has_pending = !pending.items.is_empty();
    let (filter, chosen) = match filter.as_str() {
        "past" => ("past", AppointmentFilter::Past),
        "cancelled" => ("cancelled", AppointmentFilter::Cancelled),
        "pending" => ("pending", AppointmentFilter::Pending),
        "" if has_pending => ("pending", AppointmentFilter::Pending),
        _ => ("upcoming", AppointmentFilter::Upcoming),
    };
    let page = answer(engine.appointments(&principal, chosen, before.as_deref()).await)?;
    Ok(AppointmentsView {
        rows: page.items.iter().map(|item| view::row(&item.appointment, tz)).collect(),
        next: page.next,
        time_zone: crate::time::zone(tz, engine.now()),
        filter: filter.to_owned(),
        has_pending,
    })
}

/// One appointment with its history.
#[server(prefix = "/dashboard/api", endpoint = "appointment")]
pub async fn appointment(id: String) -> Result<AppointmentDetailView, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "appointment")?;
    let tz = super::request::zone(&engine, &principal).await?;
    let detail = answer(engine.appointment(&principal, &id).await)?;
    Ok(view::detail(detail, &principal.name, tz, engine.now()))
}

/// Agrees to an appointment; the visitor is told.
#[server(prefix = "/dashboard/api", endpoint = "appointment_confirm")]
pub async fn appointment_confirm(id: String) -> Result<(), AppError> {
    use super::request::{self, answer, done, host};
    use cupo_core::ids::AppointmentId;

    let (engine, principal) = host()?;
    let id: AppointmentId = request::id(&id, "appointment")?;
    answer(engine.appointment_confirm(&principal, &id).await)?;
    done(&format!("/dashboard/appointments/{id}"), "confirmed");
    Ok(())
}

/// Does not agree to an appointment; the visitor is told.
#[server(prefix = "/dashboard/api", endpoint = "appointment_decline")]
pub async fn appointment_decline(form: AppointmentDeclineForm) -> Result<(), AppError> {
    use super::request::{self, answer, done, host};
    use cupo_core::ids::AppointmentId;

    let (engine, principal) = host()?;
    let id: AppointmentId = request::id(&form.id, "appointment")?;
    answer(engine.appointment_decline(&principal, &id, &form.reason).await)
        .map_err(|error| error.with_typed(&[("reason", &form.reason)]))?;
    done(&format!("/dashboard/appointments/{id}"), "declined");
    Ok(())
}

/// Cancels an appointment; the visitor is told.
#[server(prefix = "/dashboard/api", endpoint = "appointment_cancel")]
pub async fn appointment_cancel(form: AppointmentCancelForm) -> Result<(), AppError> {
    use super::request::{self, answer, done, host};
    use cupo_core::ids::AppointmentId;

    let (engine, principal) = host()?;
    let id: AppointmentId = request::id(&form.id, "appointment")?;
    answer(engine.appointment_cancel(&principal, &id, &form.reason).await)
        .map_err(|error| error.with_typed(&[("reason", &form.reason)]))?;
    done(&format!("/dashboard/appointments/{id}"), "cancelled");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(super) mod view {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;
    use cupo_core::appointment::{AppointmentStatus, CancelledBy, Transition};
    use cupo_core::question::Answer;
    use cupo_engine::AppointmentDetail;
    use cupo_store::{Appointment, AuditEntry, MeetingState};

    use super::{AppointmentDetailView, AppointmentRow, HistoryRow, OtherRow, StatusView};
    use crate::api::event_types::convert::location;
    use crate::text::{locale, t, text_of, tf};
    use crate::time;

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
            status: told(appointment.status),
        }
    }

    fn status(status: AppointmentStatus) -> StatusView {
        let text = match status {
            AppointmentStatus::Pending => t("dashboard.status_pending"),
            AppointmentStatus::Confirmed => t("dashboard.status_confirmed"),
            AppointmentStatus::Cancelled => t("dashboard.status_cancelled"),
            AppointmentStatus::Declined => t("dashboard.status_declined"),
            AppointmentStatus::Expired => t("dashboard.status_expired"),
        };
        StatusView { name: status.as_str().to_owned(), text: text.to_owned() }
    }

    /// Confirmed is what an appointment is unless something else is said.
    fn told(of: AppointmentStatus) -> Option<StatusView> {
        (of != AppointmentStatus::Confirmed).then(|| status(of))
    }

    pub(super) fn detail(
        detail: AppointmentDetail,
        own_name: &str,
        tz: Tz,
        now: DateTime<Utc>,
    ) -> AppointmentDetailView {
        let AppointmentDetail { appointment, mapping, calendar_name, audit, host_names, series, sharing } = detail;
        let locale = locale();
        let when = |tz| time::span(appointment.start_at, appointment.end_at, tz, locale);
        let visitor_tz = appointment.visitor_time_zone.tz();
        let calendar = match (&mapping, &calendar_name) {
            (Some(mapping), _) if mapping.deleted_at.is_some() => t("dashboard.event_removed").to_owned(),
            (Some(mapping), Some(name)) if mapping.meeting_state == MeetingState::Failed => {
                let service = appointment.location.meeting_service().unwrap_or_default();
                tf("dashboard.event_without_meeting", &[("calendar", name), ("service", &service)])
            }
            (Some(_), Some(name)) => tf("dashboard.event_stands", &[("calendar", name)]),
            (Some(_), None) => t("dashboard.event_calendar_gone").to_owned(),
            (None, _) => t("dashboard.event_none").to_owned(),
        };
        let is_over = appointment.end_at <= now;
        let is_them = |email: &String| email.eq_ignore_ascii_case(appointment.visitor_email.as_str());
        let has_declined = !is_over && mapping.iter().flat_map(|mapping| &mapping.declined).any(is_them);
        let can = |transition| !is_over && appointment.status.apply(transition).is_ok();
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
            answers: appointment.answers.iter().map(answer_of).collect(),
            tracking: appointment.tracking.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
            hosts: (host_names != own_name).then_some(host_names),
            series: series.iter().map(|other| of_series(other, tz)).collect(),
            sharing: sharing.iter().map(of_slot).collect(),
            status: status(appointment.status),
            standing: standing(&appointment, tz)
                .or_else(|| has_declined.then(|| t("dashboard.guest_declined_text").to_owned())),
            cancel_reason: appointment.cancel_reason.clone(),
            can_decide: can(Transition::Confirm),
            can_cancel: can(Transition::Cancel) && !can(Transition::Confirm),
            history: audit.iter().map(|entry| history(entry, tz)).collect(),
        }
    }

    fn answer_of(answer: &Answer) -> (String, String) {
        // A ticked box has no words of its own.
        let is_ticked = |values: &[String]| matches!(values, [only] if only == "on");
        let text = if is_ticked(&answer.values) { t("dashboard.yes").to_owned() } else { answer.values.join(", ") };
        (answer.label.clone(), text)
    }

    fn of_series(other: &Appointment, tz: Tz) -> OtherRow {
        OtherRow {
            id: other.id.to_string(),
            text: time::span(other.start_at, other.end_at, tz, locale()),
            status: told(other.status),
        }
    }

    fn of_slot(other: &Appointment) -> OtherRow {
        OtherRow { id: other.id.to_string(), text: other.visitor_name.to_string(), status: told(other.status) }
    }

    /// How it ended, or until when it waits.
    fn standing(appointment: &Appointment, tz: Tz) -> Option<String> {
        let sentence = match (appointment.status, appointment.cancelled_by) {
            (AppointmentStatus::Confirmed, _) => return None,
            (AppointmentStatus::Pending, _) => match appointment.expires_at {
                Some(at) => {
                    return Some(tf("dashboard.pending_until", &[("when", &time::instant(at, tz, locale()))]));
                }
                None => t("dashboard.pending_text"),
            },
            (AppointmentStatus::Declined, _) => t("dashboard.declined_text"),
            (AppointmentStatus::Expired, _) => t("dashboard.expired_text"),
            (AppointmentStatus::Cancelled, Some(CancelledBy::Visitor)) => t("dashboard.cancelled_by_visitor"),
            (AppointmentStatus::Cancelled, Some(CancelledBy::Host)) => t("dashboard.cancelled_by_host"),
            (AppointmentStatus::Cancelled, Some(CancelledBy::Calendar)) => t("dashboard.cancelled_by_calendar"),
            (AppointmentStatus::Cancelled, None) => t("dashboard.status_cancelled"),
        };
        Some(sentence.to_owned())
    }

    fn history(entry: &AuditEntry, tz: Tz) -> HistoryRow {
        HistoryRow {
            at: time::instant(entry.at, tz, locale()),
            what: text_of("dashboard.audit_", &entry.action.replace('.', "_")).unwrap_or_else(|| entry.action.clone()),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_ticked_box_is_told_as_yes_and_several_choices_as_a_list() {
            let answer = |values: &[&str]| Answer {
                id: "q".to_owned(),
                label: "Q?".to_owned(),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            };
            assert_eq!(answer_of(&answer(&["on"])).1, t("dashboard.yes"));
            assert_eq!(answer_of(&answer(&["red", "on"])), ("Q?".to_owned(), "red, on".to_owned()));
        }
    }
}
