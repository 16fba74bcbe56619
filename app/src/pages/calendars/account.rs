//! One account: whose it is, how it fares, what can be done.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::test::Test;
use crate::api::account_test::{AccountTest, AccountTestView};
use crate::api::calendars::{AccountDisconnect, AccountPassword, AccountRefresh, AccountView, Remedy, Tone};
use crate::parts::fields::{Confirm, Copyable, FormEnd, TextField};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::t;

/// What can be done with an account.
#[derive(Clone, Copy)]
pub(super) struct Actions {
    pub(super) test: ServerAction<AccountTest>,
    pub(super) refresh: ServerAction<AccountRefresh>,
    pub(super) password: ServerAction<AccountPassword>,
    pub(super) disconnect: ServerAction<AccountDisconnect>,
}

#[component]
pub(super) fn Account(account: AccountView, actions: Actions, tested: Option<AccountTestView>) -> impl IntoView {
    let AccountView {
        id, service, service_name, who, through, may, condition, state, tone, last, next, remedy, ..
    } = account;
    let (place, heading) = (format!("test-{id}"), format!("account-{id}"));
    view! {
        <section class="card account stack" id=place aria-labelledby=heading.clone()>
            <div class="account-head">
                <span class="service-sign">{icons::service(&service)}</span>
                <div>
                    <h2 id=heading.clone()>{who}</h2>
                    <p class="hint">{service_name} {through.map(|through| format!(" · {through}"))}</p>
                </div>
                <span
                    class="badge"
                    class:badge-good=tone == Tone::Good
                    class:badge-warm=tone == Tone::Waiting
                    class:badge-wrong=tone == Tone::Wrong
                >
                    {condition}
                </span>
            </div>
            <State tone text=state/>
            {remedy.map(|remedy| view! { <Help remedy id=id.clone() password=actions.password/> })}
            <dl class="account-facts">
                <div><dt>{t("dashboard.may")}</dt> <dd>{may}</dd></div>
                <div><dt>{t("dashboard.last_sync")}</dt> <dd>{last}</dd></div>
                {next.map(|next| view! { <div><dt>{t("dashboard.next")}</dt> <dd>{next}</dd></div> })}
            </dl>
            <Buttons id=id.clone() actions/>
            <Test id test=actions.test tested/>
        </section>
    }
    .into_any()
}

/// The state as a sentence; one that concerns the host stands out.
#[component]
fn State(tone: Tone, text: String) -> impl IntoView {
    match tone {
        Tone::Good => view! { <p>{text}</p> }.into_any(),
        Tone::Waiting => view! { <p class="notice notice-warning">{icons::clock()} <span>{text}</span></p> }.into_any(),
        Tone::Wrong => view! { <p class="notice notice-error">{icons::warning()} <span>{text}</span></p> }.into_any(),
    }
}

/// What helps.
#[component]
fn Help(remedy: Remedy, id: String, password: ServerAction<AccountPassword>) -> impl IntoView {
    match remedy {
        Remedy::SignIn(href) => view! {
            <p><a class="button button-primary" href=href rel="external">{t("dashboard.reconnect")}</a></p>
        }
        .into_any(),
        Remedy::ConnectAgain(href) => {
            view! { <p><a class="button button-primary" href=href>{t("dashboard.reconnect")}</a></p> }.into_any()
        }
        Remedy::Password => view! { <NewPassword id password/> }.into_any(),
        Remedy::Consent { url, again, guide } => view! { <Consent id url again guide/> }.into_any(),
        Remedy::Credential(true) => view! {
            <p><a class="button button-primary" href="/dashboard/credentials">{t("dashboard.credentials_open")}</a></p>
        }
        .into_any(),
        Remedy::Credential(false) => view! { <p class="hint">{t("dashboard.ask_admin")}</p> }.into_any(),
        Remedy::Operator => view! { <p class="hint">{t("dashboard.operator_told")}</p> }.into_any(),
    }
}

#[component]
fn NewPassword(id: String, password: ServerAction<AccountPassword>) -> impl IntoView {
    let form = FormState::of(password).only("id", id.clone());
    view! {
        <ActionForm action=password>
            <input type="hidden" name="form[id]" value=id.clone()/>
            <div class="making">
                <TextField
                    form
                    name="password"
                    label=t("dashboard.new_password")
                    hint=t("dashboard.new_password_hint").to_owned()
                    kind="password"
                    autocomplete="off"
                    scope=id
                />
                <FormEnd form submit=t("dashboard.reconnect")/>
            </div>
        </ActionForm>
    }
    .into_any()
}

/// What whoever administers the accounts at the provider has to know.
#[component]
pub(super) fn Consent(
    #[prop(into)] id: String,
    url: Option<String>,
    again: Option<String>,
    #[prop(into)] guide: String,
) -> impl IntoView {
    view! {
        {url.map(|url| {
            view! {
                <div>
                    <p class="hint">{t("dashboard.consent_link_text")}</p>
                    <Copyable label=t("dashboard.consent_link") text=url id=format!("consent-{id}")/>
                </div>
            }
        })}
        <div class="buttons">
            {again.map(|href| view! { <a class="button" href=href rel="external">{t("dashboard.consent_given")}</a> })}
            <a href=guide>{t("dashboard.how_to")}</a>
        </div>
    }
    .into_any()
}

#[component]
fn Buttons(id: String, actions: Actions) -> impl IntoView {
    let Actions { test, refresh, disconnect, .. } = actions;
    let refused = FormState::of(refresh).or(FormState::of(disconnect)).only("id", id.clone());
    let (tested, refreshed) = (id.clone(), id.clone());
    view! {
        <div role="alert">
            {move || refused.message().map(|message| view! { <p class="notice notice-error">{icons::warning()} <span>{message}</span></p> })}
        </div>
        <div class="buttons account-buttons">
            <ActionForm action=test>
                <input type="hidden" name="id" value=tested/>
                <button type="submit" class="button" aria-busy=move || test.pending().get().then_some("true")>
                    {icons::pulse()} <span>{t("dashboard.test_account")}</span>
                </button>
            </ActionForm>
            <ActionForm action=refresh>
                <input type="hidden" name="id" value=refreshed/>
                <button type="submit" class="button" aria-busy=move || refresh.pending().get().then_some("true")>
                    {icons::refresh()} <span>{t("dashboard.refresh_calendars")}</span>
                </button>
            </ActionForm>
            <Confirm label=t("dashboard.disconnect") question=t("dashboard.disconnect_question")>
                <ActionForm action=disconnect>
                    <input type="hidden" name="id" value=id/>
                    <button type="submit" class="button button-danger">{t("dashboard.disconnect_confirm")}</button>
                </ActionForm>
            </Confirm>
        </div>
    }
    .into_any()
}
