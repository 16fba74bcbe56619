//! The frame around pages: navigation, languages.

use cupo_core::text::Locale;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::components::{A, Outlet};
use leptos_router::hooks::use_location;

use super::icons;
use super::loaded::{loaded, loaded_quietly};
use crate::api::session::{SessionView, SetLanguage, SignOut, session};
use crate::text::{locale, t};

/// The dashboard: navigation beside the page, or above it on a small screen.
#[component]
pub(crate) fn DashboardFrame() -> impl IntoView {
    // What waits for an answer may have changed with each page, and with each change on one.
    let place = use_location();
    let notice = Memo::new(move |_| place.query.with(|query| query.get("notice")));
    let session = Resource::new_blocking(move || (place.pathname.get(), notice.get()), |_| session());
    view! {
        <a class="skip" href="#main">{t("dashboard.skip")}</a>
        <div class="dashboard">
            <header class="side">
                <a class="brand" href="/dashboard">{icons::wordmark()}</a>
                <div class="side-open"><Navigation session/></div>
                <details class="menu">
                    <summary class="button">{icons::menu()} <span>{t("dashboard.menu")}</span></summary>
                    <div class="menu-body" on:click=|event| crate::browser::close_menu(&event)><Navigation session/></div>
                </details>
            </header>
            <div class="page">
                <main id="main" tabindex="-1"><Outlet/></main>
                <Footer/>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Navigation(session: Resource<Result<SessionView, crate::error::AppError>>) -> impl IntoView {
    view! {
        <nav aria-label=t("dashboard.navigation")>
            <ul>
                <li><A href="/dashboard" exact=true>{icons::home()} <span>{t("dashboard.overview")}</span></A></li>
                <li>
                    <A href="/dashboard/appointments">
                        {icons::inbox()} <span>{t("dashboard.appointments")}</span> <Pending session/>
                    </A>
                </li>
                <li><A href="/dashboard/event-types">{icons::list()} <span>{t("dashboard.event_types")}</span></A></li>
                <li><A href="/dashboard/availability">{icons::clock()} <span>{t("dashboard.availability")}</span></A></li>
                <li><A href="/dashboard/calendars">{icons::calendar()} <span>{t("dashboard.calendars")}</span></A></li>
                <li><A href="/dashboard/embed">{icons::code()} <span>{t("dashboard.embed")}</span></A></li>
                <li><A href="/dashboard/sites">{icons::globe()} <span>{t("dashboard.sites")}</span></A></li>
                {loaded_quietly(session, |session: SessionView| {
                    session
                        .is_admin
                        .then(|| view! { <li><A href="/dashboard/hosts">{icons::people()} <span>{t("dashboard.hosts")}</span></A></li> })
                })}
                <FailedJobs session/>
            </ul>
            <ul class="nav-second">
                <li><A href="/docs">{icons::book()} <span>{t("dashboard.docs")}</span></A></li>
            </ul>
        </nav>
        <div class="who">
            {loaded(session, |session: SessionView| {
                view! { <p><strong>{session.name}</strong> <span>{session.organization}</span></p> }
            })}
            <form method="post" action=SignOut::url()>
                <button type="submit" class="button button-quiet">{t("dashboard.sign_out")}</button>
            </form>
        </div>
    }
    .into_any()
}

/// Where work that failed for good is shown, while there is any.
#[component]
fn FailedJobs(session: Resource<Result<SessionView, crate::error::AppError>>) -> impl IntoView {
    loaded_quietly(session, |session: SessionView| {
        (session.failed_jobs > 0).then(|| {
            view! {
                <li>
                    <A href="/dashboard/failed-jobs">
                        {icons::warning()} <span>{t("dashboard.failed_jobs")}</span>
                        <span class="badge badge-warm">{session.failed_jobs}</span>
                    </A>
                </li>
            }
        })
    })
}

/// How many appointments wait for an answer.
#[component]
fn Pending(session: Resource<Result<SessionView, crate::error::AppError>>) -> impl IntoView {
    loaded_quietly(session, |session: SessionView| {
        (!session.pending.is_empty()).then(|| {
            view! {
                <span class="badge badge-warm">
                    {session.pending} " " <span class="visually-hidden">{t("dashboard.wait_for_answer")}</span>
                </span>
            }
        })
    })
}

/// Pages outside the dashboard.
#[component]
pub(crate) fn PlainFrame(children: Children) -> impl IntoView {
    view! {
        <a class="skip" href="#main">{t("dashboard.skip")}</a>
        <div class="plain">
            <header class="top">
                <a class="brand" href="/">{icons::wordmark()}</a>
                <nav aria-label=t("dashboard.navigation")>
                    <ul>
                        <li><a href="/docs">{t("dashboard.docs")}</a></li>
                        <li><a class="button" href="/dashboard">{t("dashboard.dashboard")}</a></li>
                    </ul>
                </nav>
            </header>
            <main id="main" tabindex="-1">{children()}</main>
            <Footer/>
        </div>
    }
    .into_any()
}

/// The language switch. It reloads the page, which then speaks the other language.
#[component]
fn Footer() -> impl IntoView {
    let current = locale();
    view! {
        <footer class="foot">
            <form method="post" action=SetLanguage::url() class="languages" aria-label=t("dashboard.language")>
                {icons::globe()}
                {Locale::DASHBOARD
                    .into_iter()
                    .map(|locale| {
                        view! {
                            <button
                                type="submit"
                                name="language"
                                value=locale.as_str()
                                lang=locale.as_str()
                                aria-current=(locale == current).then_some("true")
                            >
                                {locale.name()}
                            </button>
                        }
                    })
                    .collect_view()}
            </form>
            <p>"Cupo"</p>
        </footer>
    }
    .into_any()
}

/// The head of a page: its title, a sentence, what can be done.
#[component]
pub(crate) fn PageHead(
    #[prop(into)] title: String,
    #[prop(optional, into)] lead: Option<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let document_title = title.clone();
    view! {
        <leptos_meta::Title text=document_title/>
        <div class="page-head">
            <div>
                <h1>{title}</h1>
                {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
            </div>
            {children.map(|children| view! { <div class="buttons">{children()}</div> })}
        </div>
    }
}
