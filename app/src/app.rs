//! The routes of the dashboard and of the pages before it.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::escape::raw_text;
use crate::pages::appointment::AppointmentPage;
use crate::pages::appointments::AppointmentsPage;
use crate::pages::availability::AvailabilityPage;
use crate::pages::calendars::CalendarsPage;
use crate::pages::clock_change::ClockChangePage;
use crate::pages::connect::{ConnectCaldavPage, ConnectFeedPage, ConnectPage};
use crate::pages::credentials::CredentialsPage;
use crate::pages::docs::DocsPage;
use crate::pages::embed::EmbedPage;
use crate::pages::event_type::EventTypePage;
use crate::pages::event_types::EventTypesPage;
use crate::pages::failed_jobs::FailedJobsPage;
use crate::pages::hosts::HostsPage;
use crate::pages::landing::LandingPage;
use crate::pages::not_found::NotFoundPage;
use crate::pages::overview::OverviewPage;
use crate::pages::schedule::SchedulePage;
use crate::pages::sign_in::SignInPage;
use crate::pages::sign_up::SignUpPage;
use crate::pages::sites::SitesPage;
use crate::pages::why::WhyPage;
use crate::parts::frame::DashboardFrame;

/// The whole application. Every page is sent when its data is there, so that it is complete without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=document_title/>
        <Router base=crate::browser::base()>
            <Routes fallback=|| view! { <NotFoundPage/> }>
                <Route path=path!("/") view=LandingPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-up") view=SignUpPage ssr=SsrMode::Async/>
                <Route path=path!("/docs") view=DocsPage ssr=SsrMode::Async/>
                <Route path=path!("/docs/:name") view=DocsPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("/dashboard") view=DashboardFrame ssr=SsrMode::Async>
                    <Route path=path!("") view=OverviewPage ssr=SsrMode::Async/>
                    <Route path=path!("calendars") view=CalendarsPage ssr=SsrMode::Async/>
                    <Route path=path!("calendars/connect") view=ConnectPage ssr=SsrMode::Async/>
                    <Route path=path!("calendars/connect/feed") view=ConnectFeedPage ssr=SsrMode::Async/>
                    <Route path=path!("calendars/connect/:preset") view=ConnectCaldavPage ssr=SsrMode::Async/>
                    <Route path=path!("credentials") view=CredentialsPage ssr=SsrMode::Async/>
                    <Route path=path!("availability") view=AvailabilityPage ssr=SsrMode::Async/>
                    <Route path=path!("availability/:id") view=SchedulePage ssr=SsrMode::Async/>
                    <Route path=path!("event-types") view=EventTypesPage ssr=SsrMode::Async/>
                    <Route path=path!("event-types/new") view=EventTypePage ssr=SsrMode::Async/>
                    <Route path=path!("event-types/:id") view=EventTypePage ssr=SsrMode::Async/>
                    <Route path=path!("event-types/:id/why") view=WhyPage ssr=SsrMode::Async/>
                    <Route path=path!("event-types/:id/clock-change") view=ClockChangePage ssr=SsrMode::Async/>
                    <Route path=path!("appointments") view=AppointmentsPage ssr=SsrMode::Async/>
                    <Route path=path!("appointments/:id") view=AppointmentPage ssr=SsrMode::Async/>
                    <Route path=path!("embed") view=EmbedPage ssr=SsrMode::Async/>
                    <Route path=path!("sites") view=SitesPage ssr=SsrMode::Async/>
                    <Route path=path!("hosts") view=HostsPage ssr=SsrMode::Async/>
                    <Route path=path!("failed-jobs") view=FailedJobsPage ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

fn document_title(page: String) -> String {
    raw_text(if page.is_empty() { "Cupo".to_owned() } else { format!("{page} · Cupo") })
}
