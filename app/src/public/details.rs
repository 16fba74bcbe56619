//! The form of a booking: the picked time, the visitor, the event type's questions.

use chrono::{DateTime, Utc};
use leptos::either::Either;
use leptos::prelude::*;

use super::BookingState;
use super::fields::{Field, Line, Need};
use super::month::rfc3339;
use super::picks::Picks;
use super::{questions, series};
use crate::parts::icons;
use crate::text::{language, t, tf};
use crate::time;

/// Which time the form is about.
pub(super) enum Choice {
    /// The slot, and the address where another can be picked.
    Picked {
        /// The slot.
        slot: DateTime<Utc>,
        /// The address.
        other: String,
    },
    /// Slots to choose from within the form.
    Anew(Vec<DateTime<Utc>>),
}

/// The form. What was typed stays, and every problem stands beside its field.
pub(super) fn details(state: &BookingState, picks: Picks, choice: Choice) -> impl IntoView + use<> {
    let event = &state.event;
    let minutes = state.minutes();
    let span = |slot: DateTime<Utc>| {
        time::span(slot, slot + chrono::TimeDelta::minutes(i64::from(minutes)), picks.tz, language())
    };
    let with = state.query.host(event).map(|host| tf("public.with_host", &[("host", &host.name)]));
    let dates = state.series.as_ref().filter(|_| matches!(choice, Choice::Picked { .. }));
    let when = match choice {
        Choice::Picked { slot, other } => Either::Left(view! {
            <p class="picked">
                {icons::calendar()} <strong>{span(slot)}</strong>
                <small>{time::zone(picks.tz, slot)}</small>
                {with.map(|with| view! { <small>{with}</small> })}
                <a href=other>{t("public.other_time")}</a>
            </p>
            <input type="hidden" name="slot" value=rfc3339(slot)/>
        }),
        Choice::Anew(slots) => Either::Right(anew(&slots, span)),
    };
    let form = &state.form;
    let was_posted = !form.idempotency_key.is_empty();
    let nothing = Vec::new();
    let asked = event
        .questions
        .iter()
        .map(|question| {
            let given = form.answers.get(&question.id).unwrap_or(&nothing);
            questions::control(question, given, problem_of(state, &format!("answers.{}", question.id)))
        })
        .collect_view();
    let field = |name: &str, label: &str, need| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        help: String::new(),
        need,
        problem: problem_of(state, name),
    };
    let line = |kind, autocomplete| Line { autocomplete: Some(autocomplete), ..Line::of(kind) };
    let phone = event
        .location
        .needs_phone
        .then(|| field("phone", t("public.phone"), Need::Required).line(&form.phone, line("tel", "tel")));
    view! {
        <form
            method="post"
            action=format!("/{}/{}", state.org, event.slug)
            class="stack details"
            id="details"
            data-typed=was_posted.then_some("")
        >
            <h3>{t("public.your_details")}</h3>
            {when}
            {hidden(state, picks)}
            {series::repeat(state)}
            {dates.map(|dates| series::dates(state, dates, picks, minutes))}
            {field("name", t("public.name"), Need::Required).line(&form.name, line("text", "name"))}
            {field("email", t("public.email"), Need::Required).line(&form.email, line("email", "email"))}
            {phone}
            {asked}
            {field("notes", t("public.notes"), Need::Optional).lines(&form.notes, "2000")}
            {series::submit(state, dates)}
        </form>
    }
}

/// What the form carries unseen.
fn hidden(state: &BookingState, picks: Picks) -> impl IntoView + use<> {
    let query = &state.query;
    let given = [
        ("tz", Some(picks.tz.name().to_owned())),
        ("duration", query.duration(&state.event).map(|minutes| minutes.to_string())),
        ("host", query.host(&state.event).map(|host| host.id.clone())),
        ("link", query.link().map(str::to_owned)),
        ("idempotency_key", Some(state.idempotency_key.clone())),
        ("embed", query.embed.clone()),
        ("lang", Some(language().to_string())),
    ];
    given
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| view! { <input type="hidden" name=name value=value/> }))
        .collect_view()
}

fn anew(slots: &[DateTime<Utc>], span: impl Fn(DateTime<Utc>) -> String) -> AnyView {
    let choices = slots
        .iter()
        .map(|slot| {
            view! {
                <label class="choice">
                    <input type="radio" name="slot" value=rfc3339(*slot) required/>
                    <span>{span(*slot)}</span>
                </label>
            }
        })
        .collect_view();
    let none = slots.is_empty().then(|| view! { <p class="hint">{t("public.nothing_free")}</p> });
    view! {
        <fieldset class="anew">
            <legend>{t("public.choose_another")}</legend>
            {none}
            {choices}
        </fieldset>
    }
    .into_any()
}

/// What is wrong with a field, by the name that the engine gives it.
pub(super) fn problem_of(state: &BookingState, name: &str) -> Option<String> {
    state.errors.iter().find(|(field, _)| field == name).map(|(_, sentence)| sentence.clone())
}
