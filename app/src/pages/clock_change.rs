//! The weeks around the next clock change, in two zones.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::api::clock_change::{ClockChangeView, ZonedDayRow, ZonedHours, clock_change};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::text::{t, tf};

#[component]
pub(crate) fn ClockChangePage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let zone = Memo::new(move |_| query.with(|query| query.get("zone").unwrap_or_default()));
    let data = Resource::new_blocking(move || (id.get(), zone.get()), |(id, zone)| clock_change(id, zone));
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href=move || format!("/dashboard/event-types/{}", id.get())>
                {icons::chevron_left()} <span>{t("dashboard.event_type")}</span>
            </a>
        </nav>
        {loaded(data, move |view: ClockChangeView| {
            let ClockChangeView { title, host_zone, visitor_zone, visitor_zone_name, changes, weeks, time_zones } = view;
            let path = format!("/dashboard/event-types/{}/clock-change", id.get_untracked());
            view! {
                <PageHead title=t("dashboard.clock_change") lead=title/>
                <Choice path visitor_zone time_zones/>
                {if changes.is_empty() {
                    view! { <div class="empty">{icons::clock()} <p>{t("dashboard.clock_never")}</p></div> }.into_any()
                } else {
                    view! {
                        <ul class="clock-changes">
                            {changes
                                .into_iter()
                                .map(|change| view! { <li class="notice notice-warning">{icons::clock()} <span>{change}</span></li> })
                                .collect_view()}
                        </ul>
                        <p class="hint">{t("dashboard.clock_text")}</p>
                        <Weeks weeks host_zone visitor_zone=visitor_zone_name/>
                    }
                        .into_any()
                }}
            }
        })}
    }
    .into_any()
}

#[component]
fn Choice(path: String, visitor_zone: String, time_zones: Vec<String>) -> impl IntoView {
    view! {
        <form method="get" action=path class="inline-form">
            <label for="zone">{t("dashboard.visitor_zone")}</label>
            <div class="select">
                <select id="zone" name="zone">
                    {time_zones
                        .into_iter()
                        .map(|zone| {
                            let (selected, text) = (zone == visitor_zone, zone.replace('_', " "));
                            view! { <option value=zone selected=selected>{text}</option> }
                        })
                        .collect_view()}
                </select>
                {icons::chevron_down()}
            </div>
            <button type="submit" class="button">{t("dashboard.show")}</button>
        </form>
    }
    .into_any()
}

/// One part of the table a week.
#[component]
fn Weeks(weeks: Vec<Vec<ZonedDayRow>>, host_zone: String, visitor_zone: String) -> impl IntoView {
    let host = tf("dashboard.hours_in", &[("zone", &host_zone)]);
    let visitor = tf("dashboard.hours_in", &[("zone", &visitor_zone)]);
    let labels = (host.clone(), visitor.clone());
    let week = move |days: Vec<ZonedDayRow>| {
        let rows = days.into_iter().map(|day| view! { <Day day labels=labels.clone()/> }).collect_view();
        view! { <tbody>{rows}</tbody> }
    };
    view! {
        <table class="cards zoned">
            <thead>
                <tr>
                    <th scope="col">{t("dashboard.date")}</th>
                    <th scope="col">{host}</th>
                    <th scope="col">{visitor}</th>
                </tr>
            </thead>
            {weeks.into_iter().map(week).collect_view()}
        </table>
    }
    .into_any()
}

#[component]
fn Day(day: ZonedDayRow, labels: (String, String)) -> impl IntoView {
    let hours = |hours: ZonedHours, label: String| {
        let is_closed = hours.text.is_empty();
        let text = if is_closed { t("dashboard.closed").to_owned() } else { hours.text };
        let differs =
            hours.differs.then(|| view! { " " <span class="visually-hidden">{t("dashboard.differs")}</span> });
        view! {
            <td data-label=label class:is-changed=hours.differs class:is-closed=is_closed>
                <span>{text} {differs}</span>
            </td>
        }
    };
    view! {
        <tr>
            <th scope="row">
                {day.date}
                {day.changes.then(|| view! { " " <span class="badge badge-warm">{t("dashboard.clocks_change")}</span> })}
            </th>
            {hours(day.host, labels.0)}
            {hours(day.visitor, labels.1)}
        </tr>
    }
    .into_any()
}
