//! The list of what can be booked.

use leptos::either::Either;
use leptos::prelude::*;

use crate::api::event_types::{EventTypeRow, event_types};
use crate::parts::fields::Copyable;
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::t;

#[component]
pub(crate) fn EventTypesPage() -> impl IntoView {
    let event_types = Resource::new_blocking(|| (), |()| event_types());
    view! {
        <PageHead title=t("dashboard.event_types") lead=t("dashboard.event_types_lead")>
            <a class="button button-primary" href="/dashboard/event-types/new">
                {icons::plus()} <span>{t("dashboard.new_event_type")}</span>
            </a>
        </PageHead>
        <PageNotice/>
        {loaded(event_types, |rows: Vec<EventTypeRow>| {
            if rows.is_empty() {
                Either::Left(view! {
                    <section class="empty">
                        {icons::list()}
                        <h2>{t("dashboard.no_event_types")}</h2>
                        <p>{t("dashboard.no_event_types_text")}</p>
                    </section>
                })
            } else {
                Either::Right(view! {
                    <ul class="tiles">{rows.into_iter().map(|row| view! { <Tile row/> }).collect_view()}</ul>
                })
            }
        })}
    }
    .into_any()
}

#[component]
fn Tile(row: EventTypeRow) -> impl IntoView {
    let edit = format!("/dashboard/event-types/{}", row.id);
    let why = format!("/dashboard/event-types/{}/why", row.id);
    view! {
        <li class="card tile" class:is-off=!row.is_active>
            <div class="section-head">
                <h2><a href=edit>{row.title}</a></h2>
                <span class="badges">
                    {row.listing.map(|listing| view! { <span class="badge">{listing}</span> })}
                    {(!row.is_active).then(|| view! { <span class="badge">{t("dashboard.inactive")}</span> })}
                </span>
            </div>
            <p class="facts">
                <span>{icons::clock()} {row.duration}</span>
                <span>{icons::location(&row.location_kind)} {row.location}</span>
            </p>
            <Copyable label=t("dashboard.public_link") text=row.url.clone() id=format!("link-{}", row.id)/>
            <p class="facts">
                {row
                    .is_active
                    .then(|| {
                        view! {
                            <a class="with-icon" href=row.url rel="external">
                                {icons::external()} <span>{t("dashboard.open_public_page")}</span>
                            </a>
                        }
                    })}
                <a class="with-icon" href=why>{icons::question()} <span>{t("dashboard.why")}</span></a>
            </p>
        </li>
    }
    .into_any()
}
