//! The first page of the dashboard.

use leptos::prelude::*;

use super::appointments::AppointmentTable;
use crate::api::overview::{NoticeView, OverviewView, SetupView, overview};
use crate::parts::fields::Copyable;
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    let overview = Resource::new_blocking(|| (), |()| overview());
    view! {
        <PageHead title=t("dashboard.overview")/>
        <PageNotice/>
        {loaded(overview, |overview: OverviewView| {
            view! {
                <Notices notices=overview.notices/>
                {(!overview.setup.is_done()).then(|| view! { <Setup setup=overview.setup/> })}
                {overview.first_url.map(|url| view! { <PublicPage url/> })}
                <section aria-labelledby="next">
                    <div class="section-head">
                        <h2 id="next">{t("dashboard.next_appointments")}</h2>
                        <a href="/dashboard/appointments">{t("dashboard.all_appointments")}</a>
                    </div>
                    {if overview.next.is_empty() {
                        view! { <div class="empty">{icons::calendar()} <p>{t("dashboard.no_upcoming")}</p></div> }.into_any()
                    } else {
                        view! {
                            <AppointmentTable rows=overview.next/>
                            <p class="hint">{tf("dashboard.times_in", &[("zone", &overview.time_zone)])}</p>
                        }
                            .into_any()
                    }}
                </section>
            }
        })}
    }
    .into_any()
}

#[component]
fn Notices(notices: Vec<NoticeView>) -> impl IntoView {
    notices
        .into_iter()
        .map(|notice| {
            view! {
                <p class="notice notice-warning">
                    {icons::warning()} <span>{notice.text}</span>
                    {notice.link.map(|(href, text)| view! { <a href=href>{text}</a> })}
                </p>
            }
        })
        .collect_view()
}

#[component]
fn Setup(setup: SetupView) -> impl IntoView {
    let steps = [
        (setup.calendar, "/dashboard/calendars", t("dashboard.setup_calendar"), t("dashboard.setup_calendar_text")),
        (setup.hours, "/dashboard/availability", t("dashboard.setup_hours"), t("dashboard.setup_hours_text")),
        (
            setup.event_type,
            "/dashboard/event-types/new",
            t("dashboard.setup_event_type"),
            t("dashboard.setup_event_type_text"),
        ),
        (setup.site, "/dashboard/sites", t("dashboard.setup_site"), t("dashboard.setup_site_text")),
    ];
    let done = steps.iter().filter(|(done, ..)| *done).count();
    view! {
        <section class="card setup" aria-labelledby="setup">
            <div class="section-head">
                <h2 id="setup">{t("dashboard.setup")}</h2>
                <span class="badge">{tf("dashboard.setup_count", &[("done", &done), ("all", &steps.len())])}</span>
            </div>
            <ol>
                {steps
                    .into_iter()
                    .map(|(done, href, title, text)| {
                        view! {
                            <li class:is-done=done>
                                <span class="mark">{done.then(icons::check)}</span>
                                <span class="step">
                                    <a href=href>{title}</a>
                                    {done.then(|| view! { <span class="visually-hidden">{t("dashboard.done")}</span> })}
                                    <span>{text}</span>
                                </span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn PublicPage(url: String) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="public">
            <div class="section-head">
                <h2 id="public">{t("dashboard.public_page")}</h2>
                <a href=url.clone() rel="external">{t("dashboard.open")}</a>
            </div>
            <p class="hint">{t("dashboard.public_page_text")}</p>
            <Copyable label=t("dashboard.public_page") text=url id="public-url"/>
        </section>
    }
    .into_any()
}
