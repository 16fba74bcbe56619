//! Connecting accounts that need no page of their provider: CalDAV servers and calendar feeds.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Which accounts can be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionsView {
    /// Whether the operator has registered a client at Google.
    pub google: bool,
    /// Whether the operator has registered an application at Microsoft.
    pub microsoft: bool,
    /// Whether the user looks after the whole organization.
    pub is_admin: bool,
}

/// The form that connects a CalDAV account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaldavForm {
    /// `nextcloud`, `icloud`, `fastmail` or `generic`.
    pub preset: String,
    /// The server's address; empty where the preset knows it.
    pub server: String,
    /// Whose calendars.
    pub username: String,
    /// The password; never given back.
    pub password: String,
}

impl fmt::Debug for CaldavForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaldavForm").field("preset", &self.preset).finish_non_exhaustive()
    }
}

/// The form that connects a feed. Its address may be a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedForm {
    /// What the host calls it; as the file says when empty.
    pub name: String,
    /// Where its iCalendar file lies.
    pub address: String,
}

impl fmt::Debug for FeedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedForm").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Which accounts can be connected on this server.
#[server(prefix = "/dashboard/api", endpoint = "connections")]
pub async fn connections() -> Result<ConnectionsView, AppError> {
    use cupo_store::{Provider, Role};
    let (engine, principal) = super::request::host()?;
    Ok(ConnectionsView {
        google: engine.provider_configured(Provider::Google),
        microsoft: engine.provider_configured(Provider::Outlook),
        is_admin: principal.role != Role::Host,
    })
}

/// Connects a CalDAV account; one that is connected already gets the new password.
#[server(prefix = "/dashboard/api", endpoint = "caldav_connect")]
pub async fn caldav_connect(form: CaldavForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let typed = [("preset", form.preset.clone()), ("server", form.server.clone()), ("username", form.username.clone())];
    let input = cupo_engine::CaldavInput {
        preset: form.preset,
        server: form.server,
        username: form.username,
        password: form.password,
    };
    answer(engine.connect_caldav(&principal, input).await).map_err(|error| {
        let typed: Vec<_> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        error.with_typed(&typed)
    })?;
    done("/dashboard/calendars", "connected");
    Ok(())
}

/// Connects a calendar feed. After a refusal without a script its address has to be given again: it may be a secret, and what a
/// redirect holds is written into logs.
#[server(prefix = "/dashboard/api", endpoint = "feed_connect")]
pub async fn feed_connect(form: FeedForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let name = form.name.clone();
    let input = cupo_engine::FeedInput { name: form.name, address: form.address };
    answer(engine.connect_feed(&principal, input).await).map_err(|error| error.with_typed(&[("name", &name)]))?;
    done("/dashboard/calendars", "connected");
    Ok(())
}
