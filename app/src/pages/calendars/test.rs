//! What a test of an account found.

use leptos::prelude::*;

use crate::api::account_test::{AccountTest, AccountTestView, StepOutcome, TestStepView};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::{t, tf};

/// With a script what the action found, without one what came with the page.
#[component]
pub(super) fn Test(id: String, test: ServerAction<AccountTest>, tested: Option<AccountTestView>) -> impl IntoView {
    let refused = FormState::of(test).only("id", id.clone());
    let value = test.value();
    let found = Memo::new(move |before: Option<&Option<AccountTestView>>| {
        let last = value.with(|value| match value {
            Some(Ok(found)) if found.account == id => Some(found.clone()),
            _ => None,
        });
        last.or_else(|| before.cloned().unwrap_or_else(|| tested.clone()))
    });
    view! {
        <div role="alert">
            {move || refused.message().map(|message| view! { <p class="notice notice-error">{icons::warning()} <span>{message}</span></p> })}
        </div>
        <div role="status">{move || found.get().map(|found| view! { <Found found/> })}</div>
    }
    .into_any()
}

#[component]
fn Found(found: AccountTestView) -> impl IntoView {
    let AccountTestView { steps, more, sum, is_good, .. } = found;
    view! {
        <div class="test">
            <p class="test-sum" class:is-wrong=!is_good>
                {if is_good { icons::check().into_any() } else { icons::warning().into_any() }}
                <strong>{sum}</strong>
            </p>
            <ol>{steps.into_iter().map(|step| view! { <Step step/> }).collect_view()}</ol>
            {(more > 0).then(|| view! { <p class="hint">{tf("dashboard.test_more", &[("count", &more)])}</p> })}
        </div>
    }
    .into_any()
}

#[component]
fn Step(step: TestStepView) -> impl IntoView {
    let TestStepView { what, calendar, outcome, result, took } = step;
    let mark = match outcome {
        StepOutcome::Good => icons::check().into_any(),
        StepOutcome::Without => icons::minus().into_any(),
        StepOutcome::Wrong => icons::cross().into_any(),
    };
    view! {
        <li class:is-wrong=outcome == StepOutcome::Wrong class:is-without=outcome == StepOutcome::Without>
            <span class="mark">{mark}</span>
            <span class="test-what">{what} {calendar.map(|calendar| view! { <small>{calendar}</small> })}</span>
            <span class="test-result">{result}</span>
            <span class="test-took"><span class="visually-hidden">{t("dashboard.took")} " "</span>{took}</span>
        </li>
    }
    .into_any()
}
