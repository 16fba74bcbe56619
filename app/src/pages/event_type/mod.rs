//! One event type: making it, changing it, removing it.

mod basics;
mod folds;
mod hosts;
mod links;
mod questions;

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use self::basics::{What, When, Where};
use self::folds::{Approval, Deadlines, Freshness, Limits, ListingFold, Seats, Times};
use self::hosts::Hosts;
use self::links::Links;
use self::questions::Questions;
use crate::api::event_type::{EventTypePreview, EventTypeSave, EventTypeView, event_type};
use crate::api::event_types::EventTypeDelete;
use crate::parts::changes::{Changes, CheckButton};
use crate::parts::draft::{FirstButton, use_draft};
use crate::parts::fields::{Confirm, Copyable, FormEnd};
use crate::parts::form::FormState;
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::text::t;

#[component]
pub(crate) fn EventTypePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let draft = use_draft();
    let data = Resource::new_blocking(move || (id.get(), draft.get()), |(id, query)| event_type(id, query));
    let save = ServerAction::<EventTypeSave>::new();
    let check = ServerAction::<EventTypePreview>::new();
    let delete = ServerAction::<EventTypeDelete>::new();
    // A refusal of the one is out of date once the other was asked.
    Effect::new(move |_| {
        if save.pending().get() {
            check.clear()
        }
    });
    Effect::new(move |_| {
        if check.pending().get() {
            save.clear()
        }
    });
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/event-types">{icons::chevron_left()} <span>{t("dashboard.event_types")}</span></a>
        </nav>
        {loaded(data, move |view: EventTypeView| {
            let form = FormState::of(save).or(FormState::of(check)).or_refused(view.refused.clone());
            let stored = (!view.title.is_empty()).then(|| view.form.id.clone());
            let title = if view.title.is_empty() { t("dashboard.new_event_type").to_owned() } else { view.title.clone() };
            let (found, links, made) = (view.changes.clone(), view.links.clone(), view.made_link.clone());
            view! {
                <PageHead title/>
                {view.url.clone().zip(stored.clone()).map(|(url, id)| view! { <Addresses url id/> })}
                <ActionForm action=save>
                    <div class="stack">
                        <FirstButton/>
                        <Fields form view/>
                        <FormEnd form submit=t("dashboard.save")>
                            <CheckButton check/>
                            <a class="button button-quiet" href="/dashboard/event-types">{t("dashboard.back")}</a>
                        </FormEnd>
                    </div>
                </ActionForm>
                <Changes check found/>
                {stored
                    .map(|id| {
                        view! {
                            <Links event_type=id.clone() stored=links made/>
                            <Delete action=delete id/>
                        }
                    })}
            }
        })}
    }
    .into_any()
}

/// Where the event type can be seen, and where its offer can be looked into.
#[component]
fn Addresses(url: String, id: String) -> impl IntoView {
    view! {
        <section class="card stack">
            <Copyable label=t("dashboard.public_link") text=url id="public-url"/>
            <nav class="facts" aria-label=t("dashboard.look_into")>
                <a class="with-icon" href=format!("/dashboard/event-types/{id}/why")>
                    {icons::question()} <span>{t("dashboard.why")}</span>
                </a>
                <a class="with-icon" href=format!("/dashboard/event-types/{id}/clock-change")>
                    {icons::globe()} <span>{t("dashboard.clock_change")}</span>
                </a>
            </nav>
        </section>
    }
    .into_any()
}

#[component]
fn Fields(form: FormState, view: EventTypeView) -> impl IntoView {
    let EventTypeView { form: stored, url_base, meeting_gaps, members, states, step, .. } = view;
    let stored = form.start(stored);
    let questions_open = step.starts_with("questions");
    view! {
        <input type="hidden" name="form[id]" value=stored.id.clone()/>
        <What form stored=stored.clone() url_base/>
        <Where form kind=stored.location_kind.clone() detail=stored.location_detail.clone() gaps=meeting_gaps/>
        <When form stored=stored.clone()/>
        <section class="card folds" aria-labelledby="more">
            <h2 id="more">{t("dashboard.more_settings")}</h2>
            <Questions form stored=stored.questions_in_order() state=states.questions is_open=questions_open/>
            <Hosts form stored=stored.clone() members state=states.hosts/>
            <Times form stored=stored.clone() state=states.times/>
            <Limits form stored=stored.clone() state=states.limits/>
            <Seats form stored=stored.clone() state=states.seats/>
            <Approval form stored=stored.clone() state=states.approval/>
            <Freshness form when_stale=stored.when_stale.clone() state=states.freshness/>
            <Deadlines form stored=stored.clone() state=states.deadlines/>
            <ListingFold form listing=stored.listing.clone() state=states.listing/>
        </section>
        <label class="choice card">
            <input type="checkbox" name="form[is_active]" value="on" checked=stored.is_active == "on"/>
            <span>{t("dashboard.active")} <small>{t("dashboard.active_text")}</small></span>
        </label>
    }
    .into_any()
}

#[component]
fn Delete(action: ServerAction<EventTypeDelete>, id: String) -> impl IntoView {
    let form = FormState::of(action);
    view! {
        <section class="quiet-section">
            <div role="alert">{move || form.message().map(|message| view! { <p class="notice notice-error">{message}</p> })}</div>
            <Confirm label=t("dashboard.delete_event_type") question=t("dashboard.delete_event_type_question")>
                <ActionForm action>
                    <input type="hidden" name="id" value=id/>
                    <button type="submit" class="button button-danger">{t("dashboard.delete_confirm")}</button>
                </ActionForm>
            </Confirm>
        </section>
    }
    .into_any()
}
