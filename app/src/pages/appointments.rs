//! What was booked: upcoming, past, cancelled.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::appointments::{AppointmentRow, AppointmentsView, appointments};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn AppointmentsPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(|query| query.get("filter").unwrap_or_else(|| "upcoming".to_owned())));
    let before = Memo::new(move |_| query.with(|query| query.get("before")));
    let list =
        Resource::new_blocking(move || (filter.get(), before.get()), |(filter, before)| appointments(filter, before));
    let tabs =
        [("upcoming", t("dashboard.upcoming")), ("past", t("dashboard.past")), ("cancelled", t("dashboard.cancelled"))];
    view! {
        <PageHead title=t("dashboard.appointments")/>
        <PageNotice/>
        <nav class="tabs" aria-label=t("dashboard.filter")>
            <ul>
                {tabs
                    .into_iter()
                    .map(|(name, text)| {
                        view! {
                            <li>
                                <a
                                    href=format!("/dashboard/appointments?filter={name}")
                                    aria-current=move || (filter.get() == name).then_some("page")
                                >
                                    {text}
                                </a>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </nav>
        {loaded(list, move |view: AppointmentsView| {
            if view.rows.is_empty() {
                Either::Left(view! { <div class="empty">{icons::calendar()} <p>{t("dashboard.no_appointments")}</p></div> })
            } else {
                let older = view.next.map(|next| {
                    let href = format!("/dashboard/appointments?filter={}&before={next}", filter.get_untracked());
                    view! { <p><a class="button" href=href>{t("dashboard.more")}</a></p> }
                });
                Either::Right(view! {
                    <AppointmentTable rows=view.rows/>
                    <p class="hint">{tf("dashboard.times_in", &[("zone", &view.time_zone)])}</p>
                    {older}
                })
            }
        })}
    }
    .into_any()
}

/// Rows of appointments; each a card on a small screen.
#[component]
pub(crate) fn AppointmentTable(rows: Vec<AppointmentRow>) -> impl IntoView {
    view! {
        <table class="cards appointments">
            <thead>
                <tr>
                    <th scope="col">{t("dashboard.when")}</th>
                    <th scope="col">{t("dashboard.visitor")}</th>
                    <th scope="col">{t("dashboard.appointment")}</th>
                    <th scope="col">{t("dashboard.where")}</th>
                </tr>
            </thead>
            <tbody>
                {rows
                    .into_iter()
                    .map(|row| {
                        let href = format!("/dashboard/appointments/{}", row.id);
                        view! {
                            <tr class:is-cancelled=row.is_cancelled>
                                <th scope="row">
                                    <a href=href>{row.date}</a>
                                    <span class="hours">{row.hours}</span>
                                </th>
                                <td data-label=t("dashboard.visitor")>{row.visitor}</td>
                                <td data-label=t("dashboard.appointment")>{row.title}</td>
                                <td data-label=t("dashboard.where")>{row.location}</td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
    .into_any()
}
