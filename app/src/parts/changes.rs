//! What a change would bring, shown before it is saved.

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use serde::de::DeserializeOwned;

use super::draft::StepButton;
use super::icons;
use crate::api::changes::{ChangesView, OutsideRow, SlotsView};
use crate::error::AppError;
use crate::text::{t, tf};

/// The button that looks before anything is saved.
#[component]
pub(crate) fn CheckButton<S>(check: ServerAction<S>) -> impl IntoView
where
    S: ServerFn<Error = AppError> + DeserializeOwned + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let act = move |event: MouseEvent| {
        if let Some(form) = crate::browser::form_around(&event) {
            check.dispatch(form);
        }
    };
    view! {
        <StepButton step="check" anchor="changes" class="button" act>
            <span aria-busy=move || check.pending().get().then_some("true")>{t("dashboard.check_changes")}</span>
        </StepButton>
    }
}

/// What the last look found: with a script that of the action, without one that which came with the page.
#[component]
pub(crate) fn Changes<S>(check: ServerAction<S>, found: Option<Vec<ChangesView>>) -> impl IntoView
where
    S: ServerFn<Error = AppError, Output = Vec<ChangesView>> + Clone + Send + Sync + 'static,
{
    let place = NodeRef::<html::Section>::new();
    let value = check.value();
    let shown = Signal::derive(move || match value.get() {
        Some(Ok(changes)) => Some(changes),
        Some(Err(_)) => None,
        None => found.clone(),
    });
    Effect::new(move |before: Option<()>| {
        let looked = value.with(|value| matches!(value, Some(Ok(_))));
        if let (Some(()), true, Some(place)) = (before, looked, place.get_untracked()) {
            crate::browser::focus(&place);
        }
    });
    view! {
        <section class="changes" id="changes" tabindex="-1" node_ref=place aria-label=t("dashboard.changes")>
            {move || shown.get().map(|changes| view! { <All changes/> })}
        </section>
    }
}

#[component]
fn All(changes: Vec<ChangesView>) -> impl IntoView {
    view! {
        <div class="card stack">
            <div>
                <h2>{t("dashboard.changes")}</h2>
                <p class="hint">{t("dashboard.changes_unsaved")}</p>
            </div>
            {changes.is_empty().then(|| view! { <p>{t("dashboard.changes_no_event_type")}</p> })}
            {changes.into_iter().map(|changes| view! { <Of changes/> }).collect_view()}
        </div>
    }
    .into_any()
}

#[component]
fn Of(changes: ChangesView) -> impl IntoView {
    let ChangesView { title, range, gained, lost, outside } = changes;
    let nothing = gained.count == 0 && lost.count == 0;
    view! {
        <section class="change">
            <div>
                <h3>{title}</h3>
                <p class="hint">{range}</p>
            </div>
            {if nothing {
                view! { <p>{t("dashboard.changes_none")}</p> }.into_any()
            } else {
                view! {
                    <div class="gained-and-lost">
                        <Slots slots=gained label=t("dashboard.changes_gained") is_gain=true/>
                        <Slots slots=lost label=t("dashboard.changes_lost") is_gain=false/>
                    </div>
                }
                    .into_any()
            }}
            {(!outside.is_empty()).then(|| view! { <Outside rows=outside/> })}
        </section>
    }
    .into_any()
}

#[component]
fn Slots(slots: SlotsView, label: &'static str, is_gain: bool) -> impl IntoView {
    let sign = if is_gain { "+" } else { "−" };
    view! {
        <div class="slots-of" class:is-gain=is_gain class:is-none=slots.count == 0>
            <p><strong>{sign} {slots.count}</strong> " " {label}</p>
            <dl>
                {slots
                    .days
                    .into_iter()
                    .map(|(day, times)| view! { <div><dt>{day}</dt> <dd>{times.join(", ")}</dd></div> })
                    .collect_view()}
            </dl>
            {(slots.more > 0).then(|| view! { <p class="hint">{tf("dashboard.changes_more", &[("count", &slots.more)])}</p> })}
        </div>
    }
    .into_any()
}

#[component]
fn Outside(rows: Vec<OutsideRow>) -> impl IntoView {
    view! {
        <div class="notice notice-warning">
            {icons::warning()}
            <div class="outside">
                <p><strong>{t("dashboard.changes_outside")}</strong> " " {t("dashboard.changes_outside_text")}</p>
                <ul>
                    {rows
                        .into_iter()
                        .map(|row| {
                            let href = format!("/dashboard/appointments/{}", row.id);
                            view! { <li><a href=href>{row.visitor}</a> <small>{row.when}</small></li> }
                        })
                        .collect_view()}
                </ul>
            </div>
        </div>
    }
    .into_any()
}
