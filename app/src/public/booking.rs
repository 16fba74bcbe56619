//! The booking page `/{org}/{slug}`.

use chrono::{DateTime, Utc};
use cupo_core::wire::{EventTypeView, LocationView};
use leptos::either::Either;
use leptos::prelude::*;

use super::document::Document;
use super::month::{Address, Offer, rfc3339};
use super::query::Picks;
use super::{BookingState, PublicContext};
use crate::escape::raw_text;
use crate::parts::icons;
use crate::text::{locale, t, text_of, tf};
use crate::time;

/// The whole HTML document of `/{org}/{slug}`.
pub fn render_booking_page(context: &PublicContext, state: &BookingState) -> String {
    let event = &state.event;
    let is_embedded = state.query.embed.as_deref() == Some("1");
    let picks = state.query.raw().resolve(&event.time_zone, context.now, &state.slots);
    let mut kept = vec![("tz", picks.tz.name().to_owned())];
    if is_embedded {
        kept.push(("embed", "1".to_owned()));
    }
    let mut address = Address { path: format!("/{}/{}", state.org, event.slug), kept };
    let switch = format!("{}&", address.with(&picked(picks)));
    if state.query.lang.is_some() {
        address.kept.push(("lang", context.locale.as_str().to_owned()));
    }
    let document = Document {
        title: format!("{} · {}", event.title, event.organization_name),
        is_embedded,
        // In a frame the widget has already had to give way to this page.
        has_widget: !is_embedded,
        awaits_meeting_link: false,
        address: switch,
    };
    document.render(context, || {
        let offer =
            Offer { address: &address, picks, slots: &state.slots, now: context.now, window_end: Some(event.window_end) };
        view! {
            <h1 class="visually-hidden">{format!("{} · {}", event.title, event.organization_name)}</h1>
            <cupo-booking event=format!("{}/{}", state.org, event.slug) lang=context.locale.as_str()>
                <div class="booking">
                    {summary(event)}
                    <div class="steps">
                        {state.problem.clone().map(|problem| view! { <p class="notice notice-error" role="alert">{icons::warning()} <span>{problem}</span></p> })}
                        {step(state, picks, &offer, &address)}
                    </div>
                </div>
            </cupo-booking>
        }
    })
}

fn picked(picks: Picks) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("month", picks.month.format("%Y-%m").to_string())];
    pairs.extend(picks.day.map(|day| ("day", day.to_string())));
    pairs.extend(picks.slot.map(|slot| ("slot", rfc3339(slot))));
    pairs
}

fn summary(event: &EventTypeView) -> impl IntoView + use<> {
    let minutes = event.durations.iter().map(|minutes| time::duration(*minutes)).collect::<Vec<_>>().join(" · ");
    let description =
        (!event.description.is_empty()).then(|| view! { <p class="prewrap">{event.description.clone()}</p> });
    view! {
        <section class="summary">
            <p class="organization">{event.organization_name.clone()}</p>
            <h2 class="title">{event.title.clone()}</h2>
            <ul class="facts">
                <li>{icons::person()} <span>{event.host_name.clone()}</span></li>
                <li>{icons::clock()} <span>{minutes}</span></li>
                <li>{icons::location(&event.location.kind)} <span>{place(&event.location)}</span></li>
            </ul>
            {description}
        </section>
    }
}

/// Where it takes place, in words.
pub(super) fn place(location: &LocationView) -> String {
    match (&location.detail, location.kind.as_str()) {
        (Some(detail), "phone") => tf("public.location_visitor_calls", &[("number", detail)]),
        (Some(detail), _) => detail.clone(),
        (None, kind) => text_of("public.location_", kind).unwrap_or_default(),
    }
}

/// Picking first; the form once a slot is picked. A refused form keeps what was typed and offers other slots in itself.
fn step(state: &BookingState, picks: Picks, offer: &Offer<'_>, address: &Address) -> impl IntoView + use<> {
    let was_posted = !state.form.idempotency_key.is_empty();
    let is_free = |slot: &DateTime<Utc>| state.slots.contains(slot);
    match picks.slot {
        Some(slot) if is_free(&slot) => {
            let other = address.with(&picked(Picks { slot: None, ..picks }));
            Either::Left(details(state, picks, Choice::Picked { slot, other }))
        }
        _ if was_posted => Either::Left(details(state, picks, Choice::Anew(nearby(state)))),
        slot => Either::Right(view! {
            {slot.map(|_| view! { <p class="notice notice-warning" role="status">{t("public.slot_gone")}</p> })}
            {offer.view()}
        }),
    }
}

/// The free slots that come closest to the one that was lost, in rising order.
fn nearby(state: &BookingState) -> Vec<DateTime<Utc>> {
    const OFFERED: usize = 12;
    let mut slots = state.slots.clone();
    if let Ok(lost) = state.form.slot.parse::<DateTime<Utc>>() {
        slots.sort_by_key(|slot| (*slot - lost).abs());
    }
    slots.truncate(OFFERED);
    slots.sort_unstable();
    slots
}

enum Choice {
    /// The slot, and the address where another can be picked.
    Picked { slot: DateTime<Utc>, other: String },
    /// Slots to choose from within the form.
    Anew(Vec<DateTime<Utc>>),
}

fn details(state: &BookingState, picks: Picks, choice: Choice) -> impl IntoView + use<> {
    let locale = locale();
    let duration = state.event.durations.first().copied().unwrap_or_default();
    let span = |slot: DateTime<Utc>| {
        time::span(slot, slot + chrono::TimeDelta::minutes(i64::from(duration)), picks.tz, locale)
    };
    let when = match choice {
        Choice::Picked { slot, other } => Either::Left(view! {
            <p class="picked">
                {icons::calendar()} <strong>{span(slot)}</strong>
                <small>{time::zone(picks.tz, slot)}</small>
                <a href=other>{t("public.other_time")}</a>
            </p>
            <input type="hidden" name="slot" value=rfc3339(slot)/>
        }),
        Choice::Anew(slots) => Either::Right(view! {
            <fieldset class="anew">
                <legend>{t("public.choose_another")}</legend>
                {if slots.is_empty() {
                    Either::Left(view! { <p class="hint">{t("public.nothing_free")}</p> })
                } else {
                    Either::Right(
                        slots
                            .into_iter()
                            .map(|slot| {
                                view! {
                                    <label class="choice">
                                        <input type="radio" name="slot" value=rfc3339(slot) required/>
                                        <span>{span(slot)}</span>
                                    </label>
                                }
                            })
                            .collect_view(),
                    )
                }}
            </fieldset>
        }),
    };
    let form = &state.form;
    let needs_phone = state.event.location.needs_phone;
    let text = |name, label, value: &str, kind, autocomplete| Field {
        name,
        label,
        value: value.to_owned(),
        kind,
        autocomplete,
        problem: problem_of(state, name),
    };
    view! {
        <form method="post" action=format!("/{}/{}", state.org, state.event.slug) class="stack details" id="details">
            <h3>{t("public.your_details")}</h3>
            {when}
            <input type="hidden" name="tz" value=picks.tz.name()/>
            <input type="hidden" name="idempotency_key" value=state.idempotency_key.clone()/>
            {state.query.embed.clone().map(|embed| view! { <input type="hidden" name="embed" value=embed/> })}
            <input type="hidden" name="lang" value=locale.as_str()/>
            {text("name", t("public.name"), &form.name, "text", "name").view()}
            {text("email", t("public.email"), &form.email, "email", "email").view()}
            {needs_phone.then(|| text("phone", t("public.phone"), &form.phone, "tel", "tel").view())}
            {notes(&form.notes, problem_of(state, "notes"))}
            <button type="submit" class="button button-primary">{t("public.book")}</button>
        </form>
    }
}

fn problem_of(state: &BookingState, name: &str) -> Option<String> {
    state.errors.iter().find(|(field, _)| field == name).map(|(_, sentence)| sentence.clone())
}

struct Field {
    name: &'static str,
    label: &'static str,
    value: String,
    kind: &'static str,
    autocomplete: &'static str,
    problem: Option<String>,
}

impl Field {
    fn view(self) -> impl IntoView + use<> {
        let problem_id = format!("{}-problem", self.name);
        let is_wrong = self.problem.is_some();
        view! {
            <div class="field" class:is-wrong=is_wrong>
                <label for=self.name>{self.label}</label>
                <input
                    id=self.name
                    name=self.name
                    type=self.kind
                    value=self.value
                    required
                    autocomplete=self.autocomplete
                    aria-invalid=is_wrong.then_some("true")
                    aria-describedby=is_wrong.then(|| problem_id.clone())
                />
                {problem(problem_id, self.problem)}
            </div>
        }
    }
}

fn notes(value: &str, sentence: Option<String>) -> impl IntoView + use<> {
    let is_wrong = sentence.is_some();
    view! {
        <div class="field" class:is-wrong=is_wrong>
            <label for="notes">{t("public.notes")} " " <span class="optional">{t("public.optional")}</span></label>
            <textarea
                id="notes"
                name="notes"
                rows="3"
                maxlength="2000"
                aria-invalid=is_wrong.then_some("true")
                aria-describedby=is_wrong.then_some("notes-problem")
            >
                {raw_text(value.to_owned())}
            </textarea>
            {problem("notes-problem".to_owned(), sentence)}
        </div>
    }
}

fn problem(id: String, sentence: Option<String>) -> impl IntoView + use<> {
    sentence.map(|sentence| view! { <p class="problem" id=id>{icons::warning()} <span>{sentence}</span></p> })
}
