//! The script tag to paste, and the sites that may show the widget.

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::event_types::EventTypeRow;
use crate::api::sites::{SiteDelete, SiteSave, SiteView, SitesView, sites};
use crate::parts::fields::{Confirm, Copyable, FormEnd, TextArea, TextField};
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::t;

#[component]
pub(crate) fn SitesPage() -> impl IntoView {
    let save = ServerAction::<SiteSave>::new();
    let delete = ServerAction::<SiteDelete>::new();
    let (saved, deleted) = (successes(save), successes(delete));
    let data = Resource::new_blocking(move || (saved.get(), deleted.get()), |_| sites());
    view! {
        <PageHead title=t("dashboard.sites") lead=t("dashboard.sites_lead")/>
        <PageNotice form=FormState::of(save)/>
        {loaded(data, move |view: SitesView| {
            let SitesView { sites, event_types, embed_url } = view;
            let deleting = FormState::of(delete);
            view! {
                <Tag event_types embed_url/>
                <section class="stack" aria-labelledby="allowed">
                    <h2 id="allowed">{t("dashboard.allowed_sites")}</h2>
                    <p class="hint">{t("dashboard.allowed_sites_text")}</p>
                    <div role="alert">{move || deleting.message().map(|message| view! { <p class="notice notice-error">{message}</p> })}</div>
                    {sites.into_iter().map(|site| view! { <Site save delete site/> }).collect_view()}
                    <NewSite save/>
                </section>
            }
        })}
    }
    .into_any()
}

#[component]
fn Tag(event_types: Vec<EventTypeRow>, embed_url: String) -> impl IntoView {
    let query = use_query_map();
    let first = event_types.first().map(|event_type| event_type.path.clone()).unwrap_or_default();
    let asked =
        query.with_untracked(|query| query.get("event")).filter(|path| event_types.iter().any(|row| row.path == *path));
    let chosen = RwSignal::new(asked.unwrap_or(first));
    let tag = Signal::derive(move || {
        format!("<script async src=\"{embed_url}\"></script>\n<cupo-booking event=\"{}\"></cupo-booking>", chosen.get())
    });
    view! {
        <section class="card stack" aria-labelledby="tag">
            <h2 id="tag">{t("dashboard.tag")}</h2>
            {if event_types.is_empty() {
                Either::Left(view! {
                    <p>{t("dashboard.tag_needs_event_type")}</p>
                    <p><a class="button" href="/dashboard/event-types/new">{t("dashboard.new_event_type")}</a></p>
                })
            } else {
                Either::Right(view! {
                    <p class="hint">{t("dashboard.tag_text")}</p>
                    <form method="get" action="/dashboard/sites" class="inline-form">
                        <label for="tag-event">{t("dashboard.event_type")}</label>
                        <div class="select">
                            <select id="tag-event" name="event" on:change=move |event| chosen.set(event_target_value(&event))>
                                {event_types
                                    .into_iter()
                                    .map(|row| {
                                        let selected = row.path == chosen.get_untracked();
                                        view! { <option value=row.path selected=selected>{row.title}</option> }
                                    })
                                    .collect_view()}
                            </select>
                            {icons::chevron_down()}
                        </div>
                        <button type="submit" class="button unscripted">{t("dashboard.show")}</button>
                    </form>
                    <Copyable label=t("dashboard.tag") text=tag multiline=true id="tag-text"/>
                    <p><a href="/dashboard/embed">{t("dashboard.tag_ways")}</a></p>
                })
            }}
        </section>
    }
    .into_any()
}

#[component]
fn Site(save: ServerAction<SiteSave>, delete: ServerAction<SiteDelete>, site: SiteView) -> impl IntoView {
    let form = FormState::of(save).only("id", site.id.clone());
    let open = form.message().is_some();
    let deleted = site.id.clone();
    view! {
        <div class="card site">
            <details open=open>
                <summary>
                    <strong>{site.name.clone()}</strong>
                    <span class="hint">{site.origins.replace('\n', ", ")}</span>
                    <span class="edit">{t("dashboard.edit")}</span>
                </summary>
                <ActionForm action=save>
                    <SiteFields form id=site.id.clone() name=site.name origins=site.origins/>
                </ActionForm>
                <Confirm label=t("dashboard.delete_site") question=t("dashboard.delete_site_question")>
                    <ActionForm action=delete>
                        <input type="hidden" name="id" value=deleted/>
                        <button type="submit" class="button button-danger">{t("dashboard.delete_confirm")}</button>
                    </ActionForm>
                </Confirm>
            </details>
        </div>
    }
    .into_any()
}

#[component]
fn NewSite(save: ServerAction<SiteSave>) -> impl IntoView {
    let form = FormState::of(save).only("id", String::new());
    view! {
        <section class="card" aria-labelledby="new-site">
            <h3 id="new-site">{t("dashboard.new_site")}</h3>
            <ActionForm action=save>
                <SiteFields form id=String::new() name=String::new() origins=String::new()/>
            </ActionForm>
        </section>
    }
    .into_any()
}

#[component]
fn SiteFields(form: FormState, id: String, name: String, origins: String) -> impl IntoView {
    let scope = if id.is_empty() { "new".to_owned() } else { id.clone() };
    let submit = if id.is_empty() { t("dashboard.add_site") } else { t("dashboard.save") };
    view! {
        <div class="stack">
            <input type="hidden" name="form[id]" value=id/>
            <TextField form name="name" label=t("dashboard.site_name") value=name scope=scope.clone() autocomplete="off"/>
            <TextArea
                form
                name="origins"
                label=t("dashboard.origins")
                hint=t("dashboard.origins_hint").to_owned()
                value=origins
                rows=3
                placeholder="https://www.example.com"
                scope
            />
            <FormEnd form submit/>
        </div>
    }
    .into_any()
}
