//! The forms of the visitor's page: cancelling and rescheduling.

use chrono::{DateTime, Utc};
use cupo_core::appointment::AppointmentStatus;
use cupo_core::wire::SeriesScope;
use leptos::prelude::*;

use super::ManageState;
use super::address::Address;
use super::month::{Offer, rfc3339};
use crate::escape::raw_text;
use crate::parts::icons;
use crate::text::{language, t, tf, tn};
use crate::time;

/// What both forms carry unseen.
fn hidden(state: &ManageState) -> impl IntoView + use<> {
    view! {
        {state.query.embed.clone().map(|embed| view! { <input type="hidden" name="embed" value=embed/> })}
        <input type="hidden" name="lang" value=language().to_string()/>
    }
}

/// Whether the change is for this date alone or for those after it too, where there are any.
fn scope(state: &ManageState, hint: Option<&'static str>) -> Option<AnyView> {
    let start = state.appointment.start;
    let later = state.appointment.series.iter().filter(|other| other.start > start).count();
    if later == 0 {
        return None;
    }
    let following = tn("public.scope_following", later, &[]);
    let option = |value: &'static str, text: String, is_chosen: bool| {
        view! {
            <label class="choice">
                <input type="radio" name="scope" value=value checked=is_chosen/>
                <span>{text}</span>
            </label>
        }
    };
    let scope = state.scope;
    let view = view! {
        <fieldset class="field">
            <legend>{t("public.scope")}</legend>
            <div class="options">
                {option("this", t("public.scope_this").to_owned(), scope == SeriesScope::This)}
                {option("following", following, scope == SeriesScope::Following)}
            </div>
            {hint.map(|hint| view! { <p class="hint">{hint}</p> })}
        </fieldset>
    };
    Some(view.into_any())
}

/// Asks once more before the appointment goes.
pub(super) fn cancel_form(state: &ManageState, address: &Address) -> impl IntoView + use<> {
    view! {
        <form method="post" action=format!("{}/cancel", address.path) class="card stack">
            <h2>{t("public.cancel_question")}</h2>
            {hidden(state)}
            {scope(state, None)}
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

/// Another time, picked as at the booking, and the form that confirms it.
pub(super) fn reschedule(state: &ManageState, now: DateTime<Utc>, address: &Address) -> impl IntoView + use<> {
    let appointment = &state.appointment;
    let picks = state.query.raw().resolve(&appointment.time_zone, now, &state.slots);
    let keep = address.with(&[]);
    let mut address = address.clone();
    address.kept.push(("step", "reschedule".to_owned()));
    address.kept.push(("tz", picks.tz.name().to_owned()));
    let offer =
        Offer { address: &address, picks, slots: &state.slots, seats_left: &state.seats_left, now, window_end: None };
    let length = appointment.end - appointment.start;
    let asks_again = (appointment.status == AppointmentStatus::Pending)
        .then(|| view! { <p class="hint">{t("public.reschedule_asks_again")}</p> });
    let chosen = picks.slot.filter(|slot| state.slots.contains(slot)).map(|slot| {
        let when = time::span(slot, slot + length, picks.tz, language());
        view! {
            <form method="post" action=format!("/manage/{}/reschedule", state.token) class="stack details" id="details">
                <p class="picked">{icons::calendar()} <strong>{when}</strong> <small>{time::zone(picks.tz, slot)}</small></p>
                {hidden(state)}
                <input type="hidden" name="slot" value=rfc3339(slot)/>
                <input type="hidden" name="tz" value=picks.tz.name()/>
                {scope(state, Some(t("public.scope_keeps_distance")))}
                <button type="submit" class="button button-primary">{t("public.reschedule_confirm")}</button>
            </form>
        }
    });
    view! {
        <section class="card stack">
            <div class="section-head"><h2>{t("public.reschedule_title")}</h2> <a href=keep>{t("public.keep")}</a></div>
            <p class="hint">{tf("public.reschedule_lead", &[("title", &appointment.title)])}</p>
            {asks_again}
            {offer.view()}
            {chosen}
        </section>
    }
}
