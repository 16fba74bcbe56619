//! Connecting an account: the services to choose from, and the forms of those that need no page of their own.

mod caldav;
mod feed;

use leptos::either::Either;
use leptos::prelude::*;

pub(crate) use self::caldav::ConnectCaldavPage;
pub(crate) use self::feed::ConnectFeedPage;
use crate::api::connections::{ConnectionsView, connections};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::text::t;

#[component]
pub(crate) fn ConnectPage() -> impl IntoView {
    let connections = Resource::new_blocking(|| (), |()| connections());
    view! {
        <Crumbs/>
        <PageHead title=t("dashboard.connect_account") lead=t("dashboard.connect_lead")/>
        {loaded(connections, |view: ConnectionsView| {
            let ConnectionsView { google, microsoft, is_admin } = view;
            view! {
                <ul class="services">
                    <Service
                        icon="google"
                        name="Google Calendar"
                        text=t("dashboard.connect_google_text")
                        href="/oauth/google/start"
                        missing=(!google).then_some((t("dashboard.notice_no_google"), "/docs/registering-google"))
                        is_external=true
                    />
                    <Service
                        icon="microsoft"
                        name="Microsoft 365 / Outlook.com"
                        text=t("dashboard.connect_microsoft_text")
                        href="/oauth/microsoft/start"
                        missing=(!microsoft).then_some((t("dashboard.notice_no_microsoft"), "/docs/registering-microsoft"))
                        is_external=true
                    />
                    <Service
                        icon="nextcloud"
                        name="Nextcloud"
                        text=t("dashboard.connect_nextcloud_text")
                        href="/dashboard/calendars/connect/nextcloud"
                    />
                    <Service
                        icon="icloud"
                        name="iCloud"
                        text=t("dashboard.connect_icloud_text")
                        href="/dashboard/calendars/connect/icloud"
                    />
                    <Service
                        icon="fastmail"
                        name="Fastmail"
                        text=t("dashboard.connect_fastmail_text")
                        href="/dashboard/calendars/connect/fastmail"
                    />
                    <Service
                        icon="caldav"
                        name=t("dashboard.service_caldav")
                        text=t("dashboard.connect_caldav_text")
                        href="/dashboard/calendars/connect/caldav"
                    />
                    <Service
                        icon="feed"
                        name=t("dashboard.service_feed")
                        text=t("dashboard.connect_feed_text")
                        href="/dashboard/calendars/connect/feed"
                    />
                </ul>
                {is_admin.then(|| view! { <super::calendars::ForAdmins/> })}
            }
        })}
    }
    .into_any()
}

/// The way back to the calendars.
#[component]
fn Crumbs() -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/calendars">{icons::chevron_left()} <span>{t("dashboard.calendars")}</span></a>
        </nav>
    }
    .into_any()
}

/// The way back to the services.
#[component]
fn CrumbsToServices() -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/calendars/connect">{icons::chevron_left()} <span>{t("dashboard.connect_account")}</span></a>
        </nav>
    }
    .into_any()
}

/// A service to choose. `missing` says what the operator has not set up, and where it is told how.
#[component]
fn Service(
    icon: &'static str,
    name: &'static str,
    text: &'static str,
    href: &'static str,
    #[prop(optional_no_strip)] missing: Option<(&'static str, &'static str)>,
    /// Whether the address is not one of the dashboard's pages.
    #[prop(optional)]
    is_external: bool,
) -> impl IntoView {
    view! {
        <li class="card service-card" class:is-off=missing.is_some()>
            <span class="service-sign">{icons::service(icon)}</span>
            <div>
                <h2>
                    {if missing.is_some() {
                        Either::Left(name)
                    } else {
                        Either::Right(view! { <a href=href rel=is_external.then_some("external")>{name}</a> })
                    }}
                </h2>
                <p>{text}</p>
                {missing
                    .map(|(why, guide)| {
                        view! { <p class="missing">{icons::warning()} <span>{why} " " <a href=guide>{t("dashboard.how_to")}</a></span></p> }
                    })}
            </div>
        </li>
    }
    .into_any()
}
