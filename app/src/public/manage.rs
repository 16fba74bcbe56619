//! The visitor's page `/manage/{token}`.

use chrono::{DateTime, Utc};
use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::wire::AppointmentView;
use cupo_core::zone::TimeZoneName;
use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;

use super::booking::place;
use super::document::Document;
use super::month::{Address, Offer, rfc3339};
use super::query::Picks;
use super::{ManageState, PublicContext};
use crate::escape::raw_text;
use crate::parts::icons;
use crate::text::{locale, t, tf};
use crate::time;

/// The whole HTML document of `/manage/{token}`.
pub fn render_manage_page(context: &PublicContext, state: &ManageState) -> String {
    let appointment = &state.appointment;
    let is_embedded = state.query.embed.as_deref() == Some("1");
    let picks = state.query.raw().resolve(&appointment.time_zone, context.now, &state.slots);
    let path = format!("/manage/{}", state.token);
    let mut kept = Vec::new();
    if is_embedded {
        kept.push(("embed", "1".to_owned()));
    }
    let address = Address { path, kept };
    let step = Step::of(state, context.now);
    let switch = format!(
        "{}&",
        address.with(&step.name().map(|name| ("step", name.to_owned())).into_iter().collect::<Vec<_>>())
    );
    let document = Document {
        title: format!("{} · {}", appointment.title, appointment.organization_name),
        is_embedded,
        has_widget: false,
        awaits_meeting_link: appointment.meeting_pending && matches!(step, Step::See { .. }),
        address: switch.replace("?&", "?"),
    };
    document.render(context, || {
        let mut address = address;
        if state.query.lang.is_some() {
            address.kept.push(("lang", context.locale.as_str().to_owned()));
        }
        let step = match step {
            Step::See { can_change } => EitherOf3::A(can_change.then(|| actions(&address))),
            Step::Cancel => EitherOf3::B(cancel_form(state, &address)),
            Step::Reschedule => EitherOf3::C(reschedule(state, context, picks, &address)),
        };
        view! {
            <div class="manage">
                {head(state)}
                {state.problem.clone().map(|problem| view! { <p class="notice notice-error" role="alert">{icons::warning()} <span>{problem}</span></p> })}
                {facts(appointment, address.with(&[]))}
                {step}
            </div>
        }
    })
}

enum Step {
    See { can_change: bool },
    Cancel,
    Reschedule,
}

impl Step {
    fn of(state: &ManageState, now: DateTime<Utc>) -> Self {
        let can_change = state.appointment.status == AppointmentStatus::Confirmed && state.appointment.start > now;
        match state.query.step.as_deref() {
            Some("cancel") if can_change => Self::Cancel,
            Some("reschedule") if can_change => Self::Reschedule,
            _ => Self::See { can_change },
        }
    }

    fn name(&self) -> Option<&'static str> {
        match self {
            Self::See { .. } => None,
            Self::Cancel => Some("cancel"),
            Self::Reschedule => Some("reschedule"),
        }
    }
}

fn head(state: &ManageState) -> impl IntoView + use<> {
    let appointment = &state.appointment;
    let title = match (appointment.status, &state.query) {
        (AppointmentStatus::Cancelled, _) => t("public.is_cancelled"),
        (_, query) if query.done.as_deref() == Some("rescheduled") => t("public.is_rescheduled"),
        (_, query) if query.booked.is_some() => t("public.is_booked"),
        _ => t("public.your_appointment"),
    };
    let lead = match (appointment.status, appointment.cancelled_by) {
        (AppointmentStatus::Confirmed, _) if state.query.booked.is_some() => Some(t("public.keep_link")),
        (AppointmentStatus::Confirmed, _) => None,
        (AppointmentStatus::Cancelled, Some(CancelledBy::Visitor)) => Some(t("public.cancelled_by_you")),
        (AppointmentStatus::Cancelled, _) => Some(t("public.cancelled_by_host")),
    };
    let is_cancelled = appointment.status == AppointmentStatus::Cancelled;
    view! {
        <div class="manage-head" class:is-cancelled=is_cancelled role="status">
            <span class="mark">{if is_cancelled { Either::Left(icons::cross()) } else { Either::Right(icons::check()) }}</span>
            <div>
                <h1>{title}</h1>
                {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
                {appointment.cancel_reason.clone().map(|reason| view! { <p><q>{reason}</q></p> })}
            </div>
        </div>
    }
}

fn facts(appointment: &AppointmentView, here: String) -> impl IntoView + use<> {
    let tz = TimeZoneName::parse(&appointment.time_zone).map_or(chrono_tz::UTC, TimeZoneName::tz);
    let is_confirmed = appointment.status == AppointmentStatus::Confirmed;
    let calendars = &appointment.add_to_calendar;
    let links = [
        (calendars.google.clone(), "Google Calendar", Some("noopener")),
        (calendars.outlook.clone(), "Outlook", Some("noopener")),
        (calendars.ics.clone(), t("public.ics"), None),
    ];
    view! {
        <section class="card" class:is-cancelled=!is_confirmed>
            <h2>{appointment.title.clone()}</h2>
            <p class="hint">{format!("{} · {}", appointment.organization_name, appointment.host_name)}</p>
            <ul class="facts is-column">
                <li>
                    {icons::calendar()}
                    <span>
                        <time datetime=appointment.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)>
                            <strong>{time::span(appointment.start, appointment.end, tz, locale())}</strong>
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

fn actions(address: &Address) -> impl IntoView + use<> {
    let step = |name: &str| address.with(&[("step", name.to_owned())]);
    view! {
        <p class="buttons">
            <a class="button" href=step("reschedule")>{t("public.reschedule")}</a>
            <a class="button button-quiet-danger" href=step("cancel")>{t("public.cancel")}</a>
        </p>
    }
}

fn hidden(state: &ManageState) -> impl IntoView + use<> {
    view! {
        {state.query.embed.clone().map(|embed| view! { <input type="hidden" name="embed" value=embed/> })}
        <input type="hidden" name="lang" value=locale().as_str()/>
    }
}

fn cancel_form(state: &ManageState, address: &Address) -> impl IntoView + use<> {
    view! {
        <form method="post" action=format!("{}/cancel", address.path) class="card stack">
            <h2>{t("public.cancel_question")}</h2>
            {hidden(state)}
            <div class="field">
                <label for="reason">{t("public.reason")} " " <span class="optional">{t("public.optional")}</span></label>
                <textarea id="reason" name="reason" rows="3" maxlength="500">{raw_text(state.reason.clone())}</textarea>
            </div>
            <p class="buttons">
                <button type="submit" class="button button-danger">{t("public.cancel_confirm")}</button>
                <a class="button" href=address.with(&[])>{t("public.keep")}</a>
            </p>
        </form>
    }
}

fn reschedule(state: &ManageState, context: &PublicContext, picks: Picks, address: &Address) -> impl IntoView + use<> {
    let keep = address.with(&[]);
    let mut address = address.clone();
    address.kept.push(("step", "reschedule".to_owned()));
    address.kept.push(("tz", picks.tz.name().to_owned()));
    let offer = Offer { address: &address, picks, slots: &state.slots, now: context.now, window_end: None };
    let length = state.appointment.end - state.appointment.start;
    let chosen = picks.slot.filter(|slot| state.slots.contains(slot)).map(|slot| {
        let when = time::span(slot, slot + length, picks.tz, locale());
        view! {
            <form method="post" action=format!("/manage/{}/reschedule", state.token) class="stack details" id="details">
                <p class="picked">{icons::calendar()} <strong>{when}</strong> <small>{time::zone(picks.tz, slot)}</small></p>
                {hidden(state)}
                <input type="hidden" name="slot" value=rfc3339(slot)/>
                <input type="hidden" name="tz" value=picks.tz.name()/>
                <button type="submit" class="button button-primary">{t("public.reschedule_confirm")}</button>
            </form>
        }
    });
    view! {
        <section class="card stack">
            <div class="section-head"><h2>{t("public.reschedule_title")}</h2> <a href=keep>{t("public.keep")}</a></div>
            <p class="hint">{tf("public.reschedule_lead", &[("title", &state.appointment.title)])}</p>
            {offer.view()}
            {chosen}
        </section>
    }
}
