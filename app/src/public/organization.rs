//! The list page `/{org}`: what anybody may book with an organization.

use cupo_core::wire::LocationView;
use leptos::either::Either;
use leptos::prelude::*;

use super::address::Address;
use super::booking::place;
use super::document::Document;
use super::query::OrganizationQuery;
use super::{ListedEventType, OrganizationState, PublicContext};
use crate::parts::icons;
use crate::text::{language, t};
use crate::time;

/// The whole HTML document of `/{org}`.
pub fn render_organization_page(context: &PublicContext, state: &OrganizationState) -> String {
    let OrganizationQuery { embed, lang } = &state.query;
    let is_embedded = embed.as_deref() == Some("1");
    let mut address = Address { path: format!("/{}", state.org), kept: Vec::new() };
    if is_embedded {
        address.kept.push(("embed", "1".to_owned()));
    }
    let document = Document {
        title: state.organization_name.clone(),
        is_embedded,
        has_widget: false,
        awaits_meeting_link: false,
        told: None,
        address: address.open(&[]),
    };
    if lang.is_some() {
        address.kept.push(("lang", context.language.to_string()));
    }
    document.render(context, || {
        let entries = state.event_types.iter().map(|listed| entry(listed, &state.org, &address)).collect_view();
        let list = if state.event_types.is_empty() {
            Either::Left(view! {
                <div class="empty">{icons::calendar()} <p>{t("public.nothing_listed")}</p></div>
            })
        } else {
            Either::Right(view! { <ul class="offers">{entries}</ul> })
        };
        view! {
            <div class="offers-page">
                <div class="offers-head">
                    <h1>{state.organization_name.clone()}</h1>
                    <p class="lead">{t("public.pick_event_type")}</p>
                </div>
                {list}
            </div>
        }
    })
}

fn entry(listed: &ListedEventType, org: &str, address: &Address) -> impl IntoView + use<> {
    let ListedEventType { slug, title, description, durations, location } = listed;
    let lengths = durations.iter().map(|minutes| time::duration(*minutes, language())).collect::<Vec<_>>().join(" · ");
    let LocationView { kind, .. } = location;
    let description = (!description.is_empty()).then(|| view! { <p class="prewrap">{description.clone()}</p> });
    view! {
        <li class="card offer">
            <h2><a href=address.of(format!("/{org}/{slug}")).with(&[])>{title.clone()}</a></h2>
            {description}
            <ul class="facts">
                <li>{icons::clock()} <span>{lengths}</span></li>
                <li>{icons::location(kind)} <span>{place(location)}</span></li>
            </ul>
            <span class="go">{icons::chevron_right()}</span>
        </li>
    }
}
