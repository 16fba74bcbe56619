//! Whether a page of a site shows the calendar.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::Chosen;
use crate::api::embed::{SiteCheck, SiteCheckView};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::t;

/// With a script what the action found, without one what came with the page.
#[component]
pub(super) fn Check(chosen: Chosen, check: ServerAction<SiteCheck>, checked: Option<SiteCheckView>) -> impl IntoView {
    let form = FormState::of(check);
    let value = check.value();
    let found = Memo::new(move |before: Option<&Option<SiteCheckView>>| {
        let last = value.with(|value| value.as_ref().and_then(|value| value.as_ref().ok().cloned()));
        last.or_else(|| before.cloned().unwrap_or_else(|| checked.clone()))
    });
    view! {
        <section class="card stack" id="check" aria-labelledby="check-title">
            <h2 id="check-title">{t("dashboard.embed_check")}</h2>
            <p class="hint">{t("dashboard.embed_check_text")}</p>
            <ActionForm action=check>
                <input type="hidden" name="event" value=move || chosen.event.get()/>
                <div class="inline-form embed-check">
                    <div class="field">
                        <label for="check-address">{t("dashboard.embed_check_address")}</label>
                        <div class="control">
                            <input
                                id="check-address"
                                name="address"
                                type="text"
                                inputmode="url"
                                autocomplete="url"
                                spellcheck="false"
                                placeholder="https://www.example.com/booking"
                                required
                                value=form.start_value("address", String::new())
                                aria-invalid=move || form.message().map(|_| "true")
                                aria-describedby="check-problem"
                            />
                        </div>
                    </div>
                    <button type="submit" class="button button-primary" aria-busy=move || form.is_pending().then_some("true")>
                        {t("dashboard.embed_check_submit")}
                    </button>
                </div>
                <div role="alert" id="check-problem">
                    {move || {
                        let problem = form.problem("address").or_else(|| form.message());
                        problem.map(|problem| view! { <p class="problem">{icons::warning()} {problem}</p> })
                    }}
                </div>
            </ActionForm>
            <div role="status">{move || found.get().map(|found| view! { <Found found/> })}</div>
        </section>
    }
    .into_any()
}

#[component]
fn Found(found: SiteCheckView) -> impl IntoView {
    let SiteCheckView { address, is_good, sum, findings } = found;
    view! {
        <div class="test">
            <p class="test-sum" class:is-wrong=!is_good>
                {if is_good { icons::check().into_any() } else { icons::warning().into_any() }}
                <strong>{sum}</strong>
            </p>
            {(!address.is_empty()).then(|| view! { <p class="hint embed-checked">{address}</p> })}
            <ul class="findings">
                {findings
                    .into_iter()
                    .map(|(is_good, sentence)| {
                        view! {
                            <li class:is-wrong=!is_good>
                                {if is_good { icons::check().into_any() } else { icons::cross().into_any() }}
                                <span>{sentence}</span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </div>
    }
    .into_any()
}
