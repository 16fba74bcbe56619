//! The visitor's page `/manage/{token}`.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::text;
use cupo_core::wire::AppointmentView;
use cupo_core::zone::TimeZoneName;
use leptos::either::EitherOf3;
use leptos::prelude::*;

use super::address::Address;
use super::booking::place;
use super::changes::{cancel_form, reschedule};
use super::document::{Document, Told};
use super::fields::page_problem;
use super::{ManageQuery, ManageState, PublicContext};
use crate::parts::icons;
use crate::text::{language, locale, t, tf};
use crate::time;

/// The whole HTML document of `/manage/{token}`.
pub fn render_manage_page(context: &PublicContext, state: &ManageState) -> String {
    let appointment = &state.appointment;
    let is_embedded = state.query.embed.as_deref() == Some("1");
    let path = format!("/manage/{}", state.token);
    let kept = is_embedded.then(|| ("embed", "1".to_owned())).into_iter().collect();
    let mut address = Address { path, kept };
    let step = Step::of(state, context.now);
    let switch = address.open(&step.name().map(|name| ("step", name.to_owned())).into_iter().collect::<Vec<_>>());
    if state.query.lang.is_some() {
        address.kept.push(("lang", context.language.to_string()));
    }
    let document = Document {
        title: format!("{} · {}", appointment.title, appointment.organization_name),
        is_embedded,
        has_widget: false,
        awaits_meeting_link: appointment.meeting_pending && matches!(step, Step::See(_)),
        told: told(&state.query, appointment),
        address: switch,
    };
    document.render(context, || {
        let tz = TimeZoneName::parse(&appointment.time_zone).map_or(chrono_tz::UTC, TimeZoneName::tz);
        let step = match step {
            Step::See(may) => EitherOf3::A(see(state, may, tz, &address)),
            Step::Cancel => EitherOf3::B(cancel_form(state, &address)),
            Step::Reschedule => EitherOf3::C(reschedule(state, context.now, &address)),
        };
        view! {
            <div class="manage">
                {head(state, tz)}
                {page_problem(state.problem.clone())}
                {facts(appointment, tz, address.with(&[]))}
                {step}
            </div>
        }
    })
}

/// What has just been done to the appointment, for the page around the frame.
fn told(query: &ManageQuery, appointment: &AppointmentView) -> Option<Told> {
    let name = match (query.booked.as_deref(), query.done.as_deref()) {
        (_, Some("cancelled")) => "cancelled",
        (_, Some("rescheduled")) => "rescheduled",
        (Some("1"), _) => "booked",
        _ => return None,
    };
    Some(Told { name, interval: Some((appointment.start, appointment.end)) })
}

/// What the visitor may still do.
#[derive(Clone, Copy)]
struct May {
    /// Whether the appointment is still to come.
    is_ahead: bool,
    cancel: bool,
    reschedule: bool,
}

enum Step {
    See(May),
    Cancel,
    Reschedule,
}

impl Step {
    fn of(state: &ManageState, now: DateTime<Utc>) -> Self {
        let AppointmentView { status, start, can_cancel, can_reschedule, .. } = state.appointment;
        let is_ahead = status.claims_time() && start > now;
        let may = May { is_ahead, cancel: is_ahead && can_cancel, reschedule: is_ahead && can_reschedule };
        match state.query.step.as_deref() {
            Some("cancel") if may.cancel => Self::Cancel,
            Some("reschedule") if may.reschedule => Self::Reschedule,
            _ => Self::See(may),
        }
    }

    fn name(&self) -> Option<&'static str> {
        match self {
            Self::See(_) => None,
            Self::Cancel => Some("cancel"),
            Self::Reschedule => Some("reschedule"),
        }
    }
}

fn head(state: &ManageState, tz: Tz) -> impl IntoView + use<> {
    let (appointment, query) = (&state.appointment, &state.query);
    let was_moved = query.done.as_deref() == Some("rescheduled");
    let is_new = query.booked.is_some();
    let title = match appointment.status {
        AppointmentStatus::Cancelled => t("public.is_cancelled"),
        AppointmentStatus::Declined => t("public.is_declined"),
        AppointmentStatus::Expired => t("public.is_expired"),
        AppointmentStatus::Pending if was_moved => t("public.new_time_requested"),
        AppointmentStatus::Pending if is_new => t("public.is_requested"),
        AppointmentStatus::Pending => t("public.is_pending"),
        AppointmentStatus::Confirmed if was_moved => t("public.is_rescheduled"),
        AppointmentStatus::Confirmed if is_new => t("public.is_booked"),
        AppointmentStatus::Confirmed => t("public.your_appointment"),
    };
    let lead = match (appointment.status, appointment.cancelled_by) {
        (AppointmentStatus::Confirmed, _) => is_new.then(|| t("public.keep_link").to_owned()),
        (AppointmentStatus::Pending, _) => Some(waiting(appointment, tz)),
        (AppointmentStatus::Declined, _) => Some(t("public.declined_by_host").to_owned()),
        (AppointmentStatus::Expired, _) => Some(t("public.expired_unanswered").to_owned()),
        (AppointmentStatus::Cancelled, Some(CancelledBy::Visitor)) => Some(t("public.cancelled_by_you").to_owned()),
        (AppointmentStatus::Cancelled, _) => Some(t("public.cancelled_by_host").to_owned()),
    };
    let is_over = !appointment.status.claims_time();
    let is_pending = appointment.status == AppointmentStatus::Pending;
    let mark = match appointment.status {
        AppointmentStatus::Confirmed => EitherOf3::A(icons::check()),
        AppointmentStatus::Pending => EitherOf3::B(icons::clock()),
        _ => EitherOf3::C(icons::cross()),
    };
    view! {
        <div class="manage-head" class:is-cancelled=is_over class:is-pending=is_pending role="status">
            <span class="mark">{mark}</span>
            <div>
                <h1>{title}</h1>
                {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
                {appointment.cancel_reason.clone().map(|reason| view! { <p><q>{reason}</q></p> })}
            </div>
        </div>
    }
}

fn waiting(appointment: &AppointmentView, tz: Tz) -> String {
    let who = &appointment.organization_name;
    match appointment.expires_at {
        Some(end) => {
            tf("public.waiting_until", &[("organization", who), ("when", &time::instant(end, tz, language()))])
        }
        None => tf("public.waiting", &[("organization", who)]),
    }
}

fn facts(appointment: &AppointmentView, tz: Tz, here: String) -> impl IntoView + use<> {
    let is_over = !appointment.status.claims_time();
    let is_confirmed = appointment.status == AppointmentStatus::Confirmed;
    let calendars = &appointment.add_to_calendar;
    let links = [
        (calendars.google.clone(), "Google Calendar", Some("noopener")),
        (calendars.outlook.clone(), "Outlook", Some("noopener")),
        (calendars.ics.clone(), t("public.ics"), None),
    ];
    let names = [&appointment.organization_name, &appointment.host_name];
    let names = names.into_iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
    let answers: Vec<_> = appointment
        .answers
        .iter()
        .map(|answer| {
            let given = text::answer(locale(), answer);
            view! {
                <div>
                    <dt>{answer.label.clone()}</dt>
                    <dd class="prewrap">{given}</dd>
                </div>
            }
        })
        .collect();
    view! {
        <section class="card" class:is-cancelled=is_over>
            <h2>{appointment.title.clone()}</h2>
            <p class="hint">{names}</p>
            <ul class="facts is-column">
                <li>
                    {icons::calendar()}
                    <span>
                        <time datetime=appointment.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)>
                            <strong>{time::span(appointment.start, appointment.end, tz, language())}</strong>
                        </time>
                        <small>{time::zone(tz, appointment.start)}</small>
                    </span>
                </li>
                <li>{icons::location(&appointment.location.kind)} <span>{where_(appointment, &here)}</span></li>
                <li>
                    {icons::person()}
                    <span>{appointment.visitor_name.clone()} <small>{appointment.visitor_email.clone()}</small></span>
                </li>
            </ul>
            {(!answers.is_empty()).then(|| view! { <dl class="answers">{answers}</dl> })}
            {is_confirmed
                .then(|| {
                    view! {
                        <p class="add">
                            <span>{t("public.add_to_calendar")}</span>
                            {links
                                .into_iter()
                                .map(|(href, text, rel)| view! { <a class="button" href=href rel=rel>{text}</a> })
                                .collect_view()}
                        </p>
                    }
                })}
        </section>
    }
}

fn where_(appointment: &AppointmentView, here: &str) -> impl IntoView + use<> {
    let link = appointment
        .meeting_url
        .clone()
        .or_else(|| appointment.location.detail.clone().filter(|_| appointment.location.kind == "link"));
    match (link, appointment.meeting_pending) {
        (Some(url), _) => EitherOf3::A(view! { <a href=url.clone() rel="noopener">{url.clone()}</a> }),
        (None, true) => EitherOf3::B(
            view! { <span role="status">{t("public.meeting_pending")} " " <a href=here.to_owned()>{t("public.check_again")}</a></span> },
        ),
        (None, false) => EitherOf3::C(place(&appointment.location)),
    }
}

/// The appointment without a form: the other dates of its series, and what can be done.
fn see(state: &ManageState, may: May, tz: Tz, address: &Address) -> impl IntoView + use<> {
    let appointment = &state.appointment;
    let others = (!appointment.series.is_empty()).then(|| other_dates(appointment, tz, address));
    let too_late = match may {
        May { is_ahead: false, .. } | May { cancel: true, reschedule: true, .. } => None,
        May { cancel: false, reschedule: false, .. } => Some("public.too_late"),
        May { cancel: false, .. } => Some("public.too_late_to_cancel"),
        May { reschedule: false, .. } => Some("public.too_late_to_reschedule"),
    };
    let too_late = too_late.map(|key| {
        let text = tf(key, &[("organization", &appointment.organization_name)]);
        view! { <p class="notice">{icons::clock()} <span>{text}</span></p> }
    });
    let step = |name: &str| address.with(&[("step", name.to_owned())]);
    let reschedule =
        may.reschedule.then(|| view! { <a class="button" href=step("reschedule")>{t("public.reschedule")}</a> });
    let cancel = may
        .cancel
        .then(|| view! { <a class="button button-quiet-danger" href=step("cancel")>{t("public.cancel")}</a> });
    let again = state.can_book_again.then(|| {
        let href = address.of(format!("/{}/{}", appointment.org, appointment.event)).with(&[]);
        view! { <a class="button button-primary" href=href>{t("public.book_again")}</a> }
    });
    let is_any = may.reschedule || may.cancel || state.can_book_again;
    view! {
        {others}
        {too_late}
        {is_any.then(|| view! { <p class="buttons">{reschedule} {cancel} {again}</p> })}
    }
}

fn other_dates(appointment: &AppointmentView, tz: Tz, address: &Address) -> impl IntoView + use<> {
    let dates = appointment
        .series
        .iter()
        .map(|other| {
            // The secret is the address's last part; the page stays in its frame and in its language.
            let token = other.manage_url.rsplit('/').next().unwrap_or_default();
            let href = address.of(format!("/manage/{token}")).with(&[]);
            view! { <li><a href=href>{time::instant(other.start, tz, language())}</a></li> }
        })
        .collect_view();
    view! {
        <section class="card other-dates">
            <h2>{t("public.other_dates")}</h2>
            <ul>{dates}</ul>
        </section>
    }
}
