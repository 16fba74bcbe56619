//! The booking page `/{org}/{slug}`.

use chrono::{DateTime, Utc};
use cupo_core::wire::LocationView;
use leptos::either::EitherOf3;
use leptos::prelude::*;

use super::address::Address;
use super::details::{Choice, details};
use super::document::{Document, Told};
use super::fields::page_problem;
use super::month::{Offer, rfc3339};
use super::picks::Picks;
use super::wishes::wishes;
use super::{BookingState, PublicContext};
use crate::parts::icons;
use crate::text::{language, t, text_of, tf, tn};
use crate::time;

/// The whole HTML document of `/{org}/{slug}`.
pub fn render_booking_page(context: &PublicContext, state: &BookingState) -> String {
    let event = &state.event;
    let is_embedded = state.query.embed.as_deref() == Some("1");
    let picks = state.query.raw().resolve(&event.time_zone, context.now, &state.slots);
    let wished = [
        ("tz", Some(picks.tz.name().to_owned())),
        ("duration", state.query.picked_duration(event).map(|minutes| minutes.to_string())),
        ("host", state.query.host(event).map(|host| host.id.clone())),
        ("link", state.query.link().map(str::to_owned)),
        ("embed", is_embedded.then(|| "1".to_owned())),
    ];
    let kept = wished.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let mut address = Address { path: format!("/{}/{}", state.org, event.slug), kept };
    let switch = address.open(&picked(picks));
    if state.query.lang.is_some() {
        address.kept.push(("lang", context.language.to_string()));
    }
    let document = Document {
        title: format!("{} · {}", event.title, event.organization_name),
        is_embedded,
        // In a frame the widget has already had to give way to this page.
        has_widget: !is_embedded,
        awaits_meeting_link: false,
        told: Some(Told { name: "ready", interval: None }),
        address: switch,
    };
    document.render(context, || {
        view! {
            <h1 class="visually-hidden">{format!("{} · {}", event.title, event.organization_name)}</h1>
            <cupo-booking
                event=format!("{}/{}", state.org, event.slug)
                link=state.query.link().map(str::to_owned)
                lang=context.language.to_string()
            >
                <div class="booking">
                    {summary(state)}
                    <div class="steps">
                        {page_problem(state.problem.clone())}
                        {step(state, context, picks, &address)}
                    </div>
                </div>
            </cupo-booking>
        }
    })
}

fn picked(picks: Picks) -> Vec<(&'static str, String)> {
    let mut pairs = day_of(picks);
    pairs.extend(picks.slot.map(|slot| ("slot", rfc3339(slot))));
    pairs
}

fn day_of(picks: Picks) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("month", picks.month.format("%Y-%m").to_string())];
    pairs.extend(picks.day.map(|day| ("day", day.to_string())));
    pairs
}

fn summary(state: &BookingState) -> impl IntoView + use<> {
    let event = &state.event;
    let lengths =
        event.durations.iter().map(|minutes| time::duration(*minutes, language())).collect::<Vec<_>>().join(" · ");
    let description =
        (!event.description.is_empty()).then(|| view! { <p class="prewrap">{event.description.clone()}</p> });
    // Of several hosts any of whom will do, nobody is named before it is known who it is.
    let host = (!event.host_name.is_empty())
        .then(|| view! { <li>{icons::person()} <span>{event.host_name.clone()}</span></li> });
    let approval =
        event.needs_approval.then(|| view! { <li>{icons::check()} <span>{t("public.needs_approval")}</span></li> });
    let series = (event.most_occurrences > 1).then(|| {
        let text = tn("public.series_of", event.most_occurrences as usize, &[]);
        view! { <li>{icons::calendar()} <span>{text}</span></li> }
    });
    view! {
        <section class="summary">
            <p class="organization">{event.organization_name.clone()}</p>
            <h2 class="title">{event.title.clone()}</h2>
            <ul class="facts">
                {host}
                <li>{icons::clock()} <span>{lengths}</span></li>
                <li>{icons::location(&event.location.kind)} <span>{place(&event.location)}</span></li>
                {series}
                {approval}
            </ul>
            {description}
        </section>
    }
}

/// Where it takes place, in words.
pub(super) fn place(location: &LocationView) -> String {
    match (&location.detail, location.kind.as_str()) {
        (Some(number), "phone") if location.needs_phone => tf("public.location_host_calls", &[("number", number)]),
        (Some(detail), "phone") => tf("public.location_visitor_calls", &[("number", detail)]),
        (Some(detail), _) => detail.clone(),
        (None, kind) => text_of("public.location_", kind).unwrap_or_default(),
    }
}

/// Picking first; the form once a slot is picked. A refused form keeps what was typed and offers other slots in itself.
fn step(state: &BookingState, context: &PublicContext, picks: Picks, address: &Address) -> impl IntoView + use<> {
    let was_posted = !state.form.idempotency_key.is_empty();
    let is_free = |slot: &DateTime<Utc>| state.slots.contains(slot);
    match picks.slot {
        Some(slot) if is_free(&slot) => {
            let other = address.with(&day_of(picks));
            let is_unseen = state.series.is_some() && !state.form.has_seen_dates();
            let check = is_unseen.then(|| {
                view! { <p class="notice" role="status">{icons::calendar()} <span>{t("public.check_dates")}</span></p> }
            });
            EitherOf3::A(view! { {check} {details(state, picks, Choice::Picked { slot, other })} })
        }
        _ if was_posted => EitherOf3::B(details(state, picks, Choice::Anew(nearby(state)))),
        slot => {
            let offer = Offer {
                address,
                picks,
                slots: &state.slots,
                seats_left: &state.seats_left,
                now: context.now,
                window_end: Some(state.event.window_end),
            };
            EitherOf3::C(view! {
                {slot.map(|_| view! { <p class="notice notice-warning" role="status">{t("public.slot_gone")}</p> })}
                {wishes(state, address, &day_of(picks))}
                {offer.view()}
            })
        }
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
