//! What the organization gives Cupo for all its members.

mod application;
mod mailbox;
mod service_account;

use leptos::form::ActionForm;
use leptos::prelude::*;

use self::application::NewApplication;
use self::mailbox::Mailbox;
use self::service_account::NewServiceAccount;
use crate::api::credentials::{
    ApplicationAdd, CredentialDelete, CredentialRow, CredentialsView, MailboxConnect, MailboxDisconnect, MailboxRow,
    ServiceAccountAdd, credentials,
};
use crate::parts::fields::Confirm;
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn CredentialsPage() -> impl IntoView {
    let google = ServerAction::<ServiceAccountAdd>::new();
    let microsoft = ServerAction::<ApplicationAdd>::new();
    let mailbox = ServerAction::<MailboxConnect>::new();
    let delete = ServerAction::<CredentialDelete>::new();
    let disconnect = ServerAction::<MailboxDisconnect>::new();
    let (added, added_too) = (successes(google), successes(microsoft));
    let (connected, disconnected, deleted) = (successes(mailbox), successes(disconnect), successes(delete));
    let seen = move || (added.get(), added_too.get(), connected.get(), disconnected.get(), deleted.get());
    let data = Resource::new_blocking(seen, |_| credentials());
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/calendars">{icons::chevron_left()} <span>{t("dashboard.calendars")}</span></a>
        </nav>
        <PageHead title=t("dashboard.credentials") lead=t("dashboard.credentials_lead")/>
        <PageNotice form=FormState::of(google).or(FormState::of(microsoft)).or(FormState::of(mailbox))/>
        {loaded(data, move |view: CredentialsView| {
            let CredentialsView { credentials, members, own_id } = view;
            let choices = credentials.iter().map(|row| (row.id.clone(), format!("{} ({})", row.name, row.kind))).collect();
            let has_any = !credentials.is_empty();
            view! {
                <Rows rows=credentials delete disconnect/>
                {has_any.then(|| view! { <Mailbox action=mailbox credentials=choices members own_id/> })}
                <section class="stack" aria-labelledby="add-credential">
                    <h2 id="add-credential">{t("dashboard.credential_add")}</h2>
                    <div class="addings">
                        <NewServiceAccount action=google/>
                        <NewApplication action=microsoft/>
                    </div>
                </section>
            }
        })}
    }
    .into_any()
}

#[component]
fn Rows(
    rows: Vec<CredentialRow>,
    delete: ServerAction<CredentialDelete>,
    disconnect: ServerAction<MailboxDisconnect>,
) -> impl IntoView {
    let form = FormState::of(delete).or(FormState::of(disconnect));
    view! {
        <div role="alert">
            {move || form.message().map(|message| view! { <p class="notice notice-error">{icons::warning()} <span>{message}</span></p> })}
        </div>
        {if rows.is_empty() {
            view! {
                <section class="empty">
                    {icons::key()}
                    <h2>{t("dashboard.no_credentials")}</h2>
                    <p>{t("dashboard.no_credentials_text")}</p>
                </section>
            }
                .into_any()
        } else {
            view! {
                <ul class="card list credentials">
                    {rows.into_iter().map(|row| view! { <Row row delete disconnect/> }).collect_view()}
                </ul>
            }
                .into_any()
        }}
    }
    .into_any()
}

#[component]
fn Row(
    row: CredentialRow,
    delete: ServerAction<CredentialDelete>,
    disconnect: ServerAction<MailboxDisconnect>,
) -> impl IntoView {
    let is_used = !row.mailboxes.is_empty();
    let remove = tf("dashboard.remove_named", &[("name", &row.name)]);
    view! {
        <li>
            <span class="service-sign">{icons::service(&row.service)}</span>
            <div>
                <strong class="as-typed">{row.name}</strong>
                <small>{row.kind} " · " {row.used}</small>
                <small>{row.added}</small>
                {is_used.then(|| view! { <Mailboxes rows=row.mailboxes disconnect/> })}
            </div>
            {(!is_used)
                .then(|| {
                    view! {
                        <ActionForm action=delete>
                            <input type="hidden" name="id" value=row.id/>
                            <button type="submit" class="button button-quiet button-icon" aria-label=remove>{icons::cross()}</button>
                        </ActionForm>
                    }
                })}
        </li>
    }
    .into_any()
}

/// The mailboxes that are reached through a credential.
#[component]
fn Mailboxes(rows: Vec<MailboxRow>, disconnect: ServerAction<MailboxDisconnect>) -> impl IntoView {
    view! {
        <details class="mailboxes">
            <summary>{t("dashboard.mailboxes")}</summary>
            <ul>{rows.into_iter().map(|row| view! { <MailboxLine row disconnect/> }).collect_view()}</ul>
        </details>
    }
    .into_any()
}

#[component]
fn MailboxLine(row: MailboxRow, disconnect: ServerAction<MailboxDisconnect>) -> impl IntoView {
    view! {
        <li>
            <span>{row.mailbox} <small>{row.member}</small></span>
            <Confirm label=t("dashboard.disconnect") question=t("dashboard.disconnect_question")>
                <ActionForm action=disconnect>
                    <input type="hidden" name="id" value=row.account/>
                    <button type="submit" class="button button-danger">{t("dashboard.disconnect_confirm")}</button>
                </ActionForm>
            </Confirm>
        </li>
    }
    .into_any()
}
