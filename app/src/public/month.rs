//! Picking a slot without JavaScript: a month of links, a day of links, a zone.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use cupo_core::dates;
use cupo_core::zone::TimeZoneName;
use leptos::either::Either;
use leptos::prelude::*;

use super::address::Address;
use super::picks::Picks;
use crate::parts::icons;
use crate::text::{language, t, tf, tn};
use crate::time;

/// What can be picked.
pub(super) struct Offer<'a> {
    pub(super) address: &'a Address,
    pub(super) picks: Picks,
    pub(super) slots: &'a [DateTime<Utc>],
    /// How many seats each slot has left; empty where that is not told.
    pub(super) seats_left: &'a [u32],
    pub(super) now: DateTime<Utc>,
    /// The last instant at which a slot may start; nothing is known of it when an appointment is moved.
    pub(super) window_end: Option<DateTime<Utc>>,
}

impl Offer<'_> {
    /// Month, day and zone.
    pub(super) fn view(&self) -> impl IntoView + use<> {
        view! {
            <div class="picker">
                <div>{self.month()} {self.zone()}</div>
                {self.day()}
            </div>
        }
    }

    fn pick(&self, picks: &[(&str, String)]) -> String {
        self.address.with(picks)
    }

    fn month(&self) -> impl IntoView + use<> {
        let Picks { tz, month, .. } = self.picks;
        let free: BTreeSet<NaiveDate> = self.slots.iter().map(|slot| time::date_in(*slot, tz)).collect();
        let (before, after) = (month - Months::new(1), month + Months::new(1));
        let first_month = time::date_in(self.now, tz);
        let has_before = month > first_month;
        let has_after = self.window_end.is_none_or(|end| after <= time::date_in(end, tz));
        let dates = dates::of(language());
        let first = month - Days::new(u64::from(month.weekday().days_since(dates.first_weekday())));
        let heads = first
            .iter_days()
            .take(7)
            .map(|date| {
                let (short, name) = time::weekday(date, language());
                view! { <th scope="col"><abbr title=name>{short}</abbr></th> }
            })
            .collect_view();
        let weeks: Vec<_> = (0..6)
            .map(|week| first + Days::new(7 * week))
            .take_while(|start| *start < after)
            .map(|start| {
                let days = start
                    .iter_days()
                    .take(7)
                    .map(|date| view! { <td>{(date >= month && date < after).then(|| self.date(date, free.contains(&date)))}</td> })
                    .collect_view();
                view! { <tr>{days}</tr> }
            })
            .collect();
        let nothing_free = !free.range(month..after).any(|_| true);
        view! {
            <div class="month">
                <div class="month-head">
                    <h3 id="month">{time::month_and_year(month, language())}</h3>
                    {self.turn(has_before, before, t("public.previous_month"), icons::chevron_left().into_any())}
                    {self.turn(has_after, after, t("public.next_month"), icons::chevron_right().into_any())}
                </div>
                <table aria-labelledby="month">
                    <thead>
                        <tr>{heads}</tr>
                    </thead>
                    <tbody>{weeks}</tbody>
                </table>
                {nothing_free.then(|| view! { <p class="hint">{t("public.nothing_free")}</p> })}
            </div>
        }
    }

    fn turn(&self, possible: bool, month: NaiveDate, label: &'static str, icon: AnyView) -> impl IntoView + use<> {
        if possible {
            let href = self.pick(&[("month", month.format("%Y-%m").to_string())]);
            Either::Left(view! { <a class="turn" href=href aria-label=label>{icon}</a> })
        } else {
            Either::Right(view! { <span class="turn is-off" aria-hidden="true">{icon}</span> })
        }
    }

    fn date(&self, date: NaiveDate, is_free: bool) -> impl IntoView + use<> {
        let number = dates::of(language()).number(date.day().into());
        if is_free {
            let href = self.pick(&[("month", date.format("%Y-%m").to_string()), ("day", date.to_string())]);
            let picked = self.picks.day == Some(date);
            Either::Left(view! {
                <a href=format!("{href}#times") aria-label=time::date(date, language()) aria-current=picked.then_some("date")>
                    {number}
                </a>
            })
        } else {
            Either::Right(view! { <span>{number}</span> })
        }
    }

    fn day(&self) -> impl IntoView + use<> {
        let Some(day) = self.picks.day else {
            return Either::Left(
                view! { <div class="times" id="times"><p class="hint">{t("public.pick_day")}</p></div> },
            );
        };
        let tz = self.picks.tz;
        let on_day: Vec<_> =
            self.slots.iter().enumerate().filter(|(_, slot)| time::date_in(**slot, tz) == day).collect();
        let times = if on_day.is_empty() {
            Either::Left(view! { <p class="hint">{t("public.day_full")}</p> })
        } else {
            let clocks: Vec<_> = on_day.iter().map(|(_, slot)| **slot).collect();
            let links = on_day
                .iter()
                .map(|(place, slot)| {
                    self.time(**slot, day, clock_among(**slot, &clocks, tz), self.seats_left.get(*place))
                })
                .collect_view();
            Either::Right(view! { <ul>{links}</ul> })
        };
        Either::Right(view! {
            <div class="times" id="times">
                <h3>{time::date(day, language())}</h3>
                {times}
            </div>
        })
    }

    fn time(&self, slot: DateTime<Utc>, day: NaiveDate, clock: String, seats: Option<&u32>) -> impl IntoView + use<> {
        let href =
            self.pick(&[("month", day.format("%Y-%m").to_string()), ("day", day.to_string()), ("slot", rfc3339(slot))]);
        let picked = self.picks.slot == Some(slot);
        view! {
            <li>
                <a href=format!("{href}#details") aria-current=picked.then_some("true")>
                    <span>{clock}</span>
                    {seats.map(|seats| view! { " " <small>{seats_left(*seats)}</small> })}
                </a>
            </li>
        }
    }

    fn zone(&self) -> impl IntoView + use<> {
        let current = self.picks.tz;
        let options = TimeZoneName::all()
            .map(|name| view! { <option value=name selected=name == current.name()>{name.replace('_', " ")}</option> })
            .collect_view();
        view! {
            <form method="get" action=self.address.path.clone() class="zone">
                {self.address.hidden_fields("tz")}
                <input type="hidden" name="month" value=self.picks.month.format("%Y-%m").to_string()/>
                <label for="zone">{t("public.time_zone")}</label>
                <div class="zone-row">
                    <div class="select">
                        <select id="zone" name="tz">{options}</select>
                        {icons::chevron_down()}
                    </div>
                    <button type="submit" class="button">{t("public.change")}</button>
                </div>
                <p class="hint">{tf("public.times_in", &[("zone", &time::zone(current, self.now))])}</p>
            </form>
        }
    }
}

/// A slot as it stands in addresses and forms.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How many seats are left, in words.
pub(super) fn seats_left(seats: u32) -> String {
    tn("public.seats", seats as usize, &[])
}

/// The clock time of a slot; with the offset where the clock goes back and shows the same time twice.
fn clock_among(slot: DateTime<Utc>, others: &[DateTime<Utc>], tz: Tz) -> String {
    let clock = |at| time::clock(at, tz, language());
    let told = clock(slot);
    let is_doubled = others.iter().any(|other| *other != slot && clock(*other) == told);
    if !is_doubled {
        return told;
    }
    let offset = slot.with_timezone(&tz).format("%:z").to_string();
    format!("{told} {}", time::left_to_right(offset, language()))
}
