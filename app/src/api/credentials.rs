//! What an organization gives Cupo at its providers for all its members: service accounts, applications, and the mailboxes
//! that are reached through them.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Everything that the page of the credentials shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsView {
    /// The credentials, the newest first.
    pub credentials: Vec<CredentialRow>,
    /// Who can be given a mailbox: id and name.
    pub members: Vec<(String, String)>,
    /// The user who looks.
    pub own_id: String,
}

/// A credential in the list. Its secret is never told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRow {
    /// Its id.
    pub id: String,
    /// Names the icon: `google` or `microsoft`.
    pub service: String,
    /// What it is, in words.
    pub kind: String,
    /// Its name at the provider.
    pub name: String,
    /// When it was added.
    pub added: String,
    /// How many accounts use it, in words.
    pub used: String,
    /// The mailboxes that are reached through it. It cannot be removed while there are any.
    pub mailboxes: Vec<MailboxRow>,
}

/// A mailbox that was connected for a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxRow {
    /// The account's id.
    pub account: String,
    /// The mailbox's address.
    pub mailbox: String,
    /// The member's name.
    pub member: String,
}

/// The form that adds a Google service account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceAccountForm {
    /// The key file that Google made; never given back.
    pub key_json: String,
}

impl fmt::Debug for ServiceAccountForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccountForm").finish_non_exhaustive()
    }
}

/// The form that adds a Microsoft application.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApplicationForm {
    /// The directory's id.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// `secret` or `certificate`.
    pub proof: String,
    /// The secret; never given back, like those that follow.
    pub client_secret: String,
    /// The certificate that was uploaded at Microsoft.
    pub certificate_pem: String,
    /// Its private key.
    pub private_key_pem: String,
}

impl fmt::Debug for ApplicationForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationForm").field("proof", &self.proof).finish_non_exhaustive()
    }
}

/// The form that connects a mailbox for a member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailboxForm {
    /// Through which credential.
    pub credential_id: String,
    /// The mailbox's address.
    pub mailbox: String,
    /// The member whose calendars these are.
    pub user_id: String,
}

/// The organization's credentials, for those who look after it.
#[server(prefix = "/dashboard/api", endpoint = "credentials")]
pub async fn credentials() -> Result<CredentialsView, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let now = engine.now();
    let mut overviews = answer(engine.credentials(&principal).await)?;
    overviews.sort_by_key(|overview| std::cmp::Reverse(overview.created_at));
    let members = answer(engine.members(&principal).await)?;
    let told = members.iter().map(|member| (member.user_id.to_string(), format!("{} ({})", member.name, member.email)));
    Ok(CredentialsView {
        credentials: overviews.into_iter().map(|overview| view::row(overview, &members, now)).collect(),
        members: told.collect(),
        own_id: principal.user_id.to_string(),
    })
}

/// Adds a Google service account.
#[server(prefix = "/dashboard/api", endpoint = "service_account_add")]
pub async fn service_account_add(form: ServiceAccountForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let input = cupo_engine::CredentialInput::GoogleServiceAccount { key_json: form.key_json };
    answer(engine.credential_add(&principal, input).await)?;
    done("/dashboard/credentials", "credential_added");
    Ok(())
}

/// Adds a Microsoft application. Of secret and certificate only that counts which was chosen.
#[server(prefix = "/dashboard/api", endpoint = "application_add")]
pub async fn application_add(form: ApplicationForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let typed = [("tenant", form.tenant.clone()), ("client_id", form.client_id.clone()), ("proof", form.proof.clone())];
    answer(engine.credential_add(&principal, view::application(form)).await).map_err(|error| {
        let typed: Vec<_> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        error.with_typed(&typed)
    })?;
    done("/dashboard/credentials", "credential_added");
    Ok(())
}

/// Removes a credential that nobody uses.
#[server(prefix = "/dashboard/api", endpoint = "credential_delete")]
pub async fn credential_delete(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "credential")?;
    answer(engine.credential_delete(&principal, &id).await)?;
    done("/dashboard/credentials", "deleted");
    Ok(())
}

/// Gives up the access to a member's mailbox.
#[server(prefix = "/dashboard/api", endpoint = "mailbox_disconnect")]
pub async fn mailbox_disconnect(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "account")?;
    answer(engine.account_disconnect(&principal, &id).await)?;
    done("/dashboard/credentials", "disconnected");
    Ok(())
}

/// Connects a mailbox for a member, once it was tried.
#[server(prefix = "/dashboard/api", endpoint = "mailbox_connect")]
pub async fn mailbox_connect(form: MailboxForm) -> Result<(), AppError> {
    use super::request::{answer, done, host, id};
    let (engine, principal) = host()?;
    let typed = [
        ("credential_id", form.credential_id.as_str()),
        ("mailbox", form.mailbox.as_str()),
        ("user_id", form.user_id.as_str()),
    ];
    let input = cupo_engine::MailboxInput {
        credential_id: id(&form.credential_id, "credential")?,
        mailbox: form.mailbox.clone(),
        user_id: id(&form.user_id, "user")?,
    };
    answer(engine.connect_mailbox(&principal, input).await).map_err(|error| error.with_typed(&typed))?;
    done("/dashboard/credentials", "mailbox_connected");
    Ok(())
}

#[cfg(feature = "ssr")]
mod view {
    use chrono::{DateTime, Utc};
    use cupo_engine::{CredentialInput, CredentialMailbox, CredentialOverview, Member};
    use cupo_store::Provider;

    use super::{ApplicationForm, CredentialRow, MailboxRow};
    use crate::text::{locale, t, tf};
    use crate::time;

    pub(super) fn row(overview: CredentialOverview, members: &[Member], now: DateTime<Utc>) -> CredentialRow {
        let (service, kind) = match overview.provider {
            Provider::Google => ("google", t("dashboard.service_account")),
            _ => ("microsoft", t("dashboard.application")),
        };
        CredentialRow {
            id: overview.id.to_string(),
            service: service.to_owned(),
            kind: kind.to_owned(),
            name: overview.name,
            added: tf("dashboard.credential_added", &[("ago", &time::ago(overview.created_at, now, locale()))]),
            used: match overview.accounts {
                0 => t("dashboard.used_by_none").to_owned(),
                1 => t("dashboard.used_by_one").to_owned(),
                count => tf("dashboard.used_by_count", &[("count", &count)]),
            },
            mailboxes: overview.mailboxes.into_iter().map(|entry| mailbox(entry, members)).collect(),
        }
    }

    fn mailbox(entry: CredentialMailbox, members: &[Member]) -> MailboxRow {
        let member = members.iter().find(|member| member.user_id == entry.user_id);
        MailboxRow {
            account: entry.account_id.to_string(),
            mailbox: entry.mailbox,
            member: member.map(|member| member.name.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn application(form: ApplicationForm) -> CredentialInput {
        let by_certificate = form.proof == "certificate";
        let (client_secret, certificate_pem, private_key_pem) = if by_certificate {
            (String::new(), form.certificate_pem, form.private_key_pem)
        } else {
            (form.client_secret, String::new(), String::new())
        };
        CredentialInput::MicrosoftApplication {
            tenant: form.tenant,
            client_id: form.client_id,
            client_secret,
            certificate_pem,
            private_key_pem,
        }
    }
}
