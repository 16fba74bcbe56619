//! Several dates at once: how often, how many, and which of them are free.

use chrono::TimeDelta;
use cupo_core::dates;
use cupo_core::recurrence::Frequency;
use cupo_core::wire::{SeriesDate, SeriesResponse};
use cupo_core::zone::TimeZoneName;
use leptos::either::Either;
use leptos::prelude::*;

use super::BookingState;
use super::details::problem_of;
use super::fields::{Field, Line, Need};
use super::picks::Picks;
use crate::parts::icons;
use crate::text::{language, t, tf, tn};
use crate::time;

/// The number that is proposed.
const PROPOSED: u32 = 4;

/// How often and how many, where the event type allows more than one date.
pub(super) fn repeat(state: &BookingState) -> impl IntoView + use<> {
    let most = state.event.most_occurrences;
    if most < 2 {
        return Either::Left(());
    }
    let name = |frequency: Frequency| match frequency {
        Frequency::Weekly => t("public.weekly"),
        Frequency::EveryTwoWeeks => t("public.every_two_weeks"),
        Frequency::Monthly => t("public.monthly"),
    };
    let once = (String::new(), t("public.once").to_owned());
    let options =
        Frequency::ALL.into_iter().map(|frequency| (frequency.as_str().to_owned(), name(frequency).to_owned()));
    let frequency = Field {
        name: "frequency".to_owned(),
        label: t("public.how_often").to_owned(),
        help: String::new(),
        need: Need::Preset,
        problem: problem_of(state, "recurrence.frequency").or_else(|| problem_of(state, "recurrence")),
    };
    let count = Field {
        name: "count".to_owned(),
        label: t("public.how_many_dates").to_owned(),
        help: String::new(),
        need: Need::Preset,
        problem: problem_of(state, "recurrence.count"),
    };
    let typed = if state.form.count.is_empty() { PROPOSED.min(most).to_string() } else { state.form.count.clone() };
    let line = Line { min: Some("2".to_owned()), max: Some(most.to_string()), ..Line::of("number") };
    Either::Right(view! {
        <fieldset class="repeat">
            <legend>{t("public.repeat")}</legend>
            <div class="columns">
                {frequency.select(std::iter::once(once).chain(options).collect(), &state.form.frequency)}
                {count.line(&typed, line)}
            </div>
            <p class="hint">{t("public.repeat_hint")}</p>
        </fieldset>
    })
}

/// The dates, told before anything is booked, and the mark that they were told.
pub(super) fn dates(
    state: &BookingState,
    series: &SeriesResponse,
    picks: Picks,
    minutes: u32,
) -> impl IntoView + use<> {
    let (all, free) = (series.dates.len(), free(series));
    let summary = if free == all {
        tn("public.dates_all_free", all, &[])
    } else {
        tn("public.dates_some_free", free, &[("all", &dates::of(language()).number(all as u64))])
    };
    let length = TimeDelta::minutes(minutes.into());
    let date = |date: &SeriesDate| {
        let when = time::span(date.start, date.start + length, picks.tz, language());
        let mark = if date.is_free { Either::Left(icons::check()) } else { Either::Right(icons::cross()) };
        let told = match &date.reason {
            Some(reason) => reason.clone(),
            None => t("public.date_free").to_owned(),
        };
        view! {
            <li class:is-taken=!date.is_free>
                <span class="mark">{mark}</span>
                <span><strong>{when}</strong> <small>{told}</small></span>
            </li>
        }
    };
    // Where the visitor's clocks change on another day than the host's, the dates have other times there.
    let host_zone = TimeZoneName::parse(&state.event.time_zone).map(TimeZoneName::tz).ok();
    let kept_in = host_zone.filter(|zone| *zone != picks.tz).map(|zone| {
        let name = zone.name().replace('_', " ");
        view! { <p class="hint">{tf("public.dates_kept_in", &[("zone", &name)])}</p> }
    });
    view! {
        <section class="dates" id="dates" aria-labelledby="dates-title">
            <h3 id="dates-title">{t("public.dates_title")}</h3>
            <p>{summary}</p>
            <ol>{series.dates.iter().map(date).collect_view()}</ol>
            {kept_in}
        </section>
        <input type="hidden" name="dates_seen" value=state.form.dates_asked()/>
    }
}

fn free(series: &SeriesResponse) -> usize {
    series.dates.iter().filter(|date| date.is_free).count()
}

/// What sends the form: one date, all dates, or those that are free.
pub(super) fn submit(state: &BookingState, series: Option<&SeriesResponse>) -> impl IntoView + use<> {
    let asks = state.event.needs_approval;
    let pick = |book, request| if asks { request } else { book };
    let Some(series) = series else {
        let text = t(pick("public.book", "public.request"));
        return Either::Left(view! { <button type="submit" class="button button-primary">{text}</button> });
    };
    let (all, free) = (series.dates.len(), free(series));
    // Without the first date there is no series; the time was taken while its visitor read.
    if !series.dates.first().is_some_and(|first| first.is_free) {
        return Either::Right(Either::Left(view! {
            <p class="notice notice-warning">{icons::warning()} <span>{t("public.first_date_taken")}</span></p>
        }));
    }
    let skips = free < all;
    let text = match free {
        free if free == all => tn(pick("public.book_all", "public.request_all"), all, &[]),
        free => tn(pick("public.book_free", "public.request_free"), free, &[]),
    };
    Either::Right(Either::Right(view! {
        <button
            type="submit"
            class="button button-primary"
            name=skips.then_some("skip_taken")
            value=skips.then_some("1")
        >
            {text}
        </button>
    }))
}
