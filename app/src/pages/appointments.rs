//! What was booked: waiting for an answer, upcoming, past, cancelled.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::appointments::{AppointmentRow, AppointmentsView, StatusView, appointments};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn AppointmentsPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(|query| query.get("filter").unwrap_or_default()));
    let before = Memo::new(move |_| query.with(|query| query.get("before")));
    let list =
        Resource::new_blocking(move || (filter.get(), before.get()), |(filter, before)| appointments(filter, before));
    view! {
        <PageHead title=t("dashboard.appointments")/>
        <PageNotice/>
        {loaded(list, move |view: AppointmentsView| {
            let AppointmentsView { rows, next, time_zone, filter, has_pending } = view;
            let older = next.map(|next| {
                let href = format!("/dashboard/appointments?filter={filter}&before={next}");
                view! { <p><a class="button" href=href>{t("dashboard.more")}</a></p> }
            });
            view! {
                <Tabs filter has_pending/>
                {if rows.is_empty() {
                    Either::Left(view! { <div class="empty">{icons::calendar()} <p>{t("dashboard.no_appointments")}</p></div> })
                } else {
                    Either::Right(view! {
                        <AppointmentTable rows/>
                        <p class="hint">{tf("dashboard.times_in", &[("zone", &time_zone)])}</p>
                        {older}
                    })
                }}
            }
        })}
    }
    .into_any()
}

/// Those that wait for an answer come first, while there are any.
#[component]
fn Tabs(filter: String, has_pending: bool) -> impl IntoView {
    let pending = (has_pending || filter == "pending").then(|| ("pending", t("dashboard.pending")));
    let others =
        [("upcoming", t("dashboard.upcoming")), ("past", t("dashboard.past")), ("cancelled", t("dashboard.cancelled"))];
    view! {
        <nav class="tabs" aria-label=t("dashboard.filter")>
            <ul>
                {pending
                    .into_iter()
                    .chain(others)
                    .map(|(name, text)| {
                        view! {
                            <li>
                                <a
                                    href=format!("/dashboard/appointments?filter={name}")
                                    aria-current=(filter == name).then_some("page")
                                >
                                    {text}
                                </a>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </nav>
    }
    .into_any()
}

/// Where an appointment stands, as a badge.
#[component]
pub(crate) fn StatusBadge(status: StatusView) -> impl IntoView {
    let (is_pending, is_over) = (status.is_pending(), status.is_over());
    view! {
        <span class="badge" class:badge-warm=is_pending class:badge-wrong=is_over class:badge-good=!is_pending && !is_over>
            {status.text}
        </span>
    }
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
                        let is_over = row.status.as_ref().is_some_and(StatusView::is_over);
                        view! {
                            <tr class:is-cancelled=is_over>
                                <th scope="row">
                                    <a href=href>{row.date}</a>
                                    <span class="hours">{row.hours}</span>
                                    {row.status.map(|status| view! { <StatusBadge status/> })}
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
