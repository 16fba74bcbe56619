//! Connected accounts and their calendars.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Everything that the calendars page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarsView {
    /// Whether the operator has registered a client at Google.
    pub google_configured: bool,
    /// The connected accounts, and those that have to be connected again.
    pub accounts: Vec<AccountView>,
    /// Whether any calendar receives events.
    pub has_target: bool,
}

/// One account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// Its address at the provider.
    pub email: String,
    /// The state as a sentence.
    pub state: String,
    /// Whether the host has to connect it again.
    pub needs_reconnect: bool,
    /// Its calendars.
    pub calendars: Vec<CalendarView>,
}

/// One calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarView {
    /// Its id.
    pub id: String,
    /// Its name at the provider.
    pub name: String,
    /// Its colour at the provider, as CSS writes it.
    pub color: Option<String>,
    /// Whether it is the account's own calendar.
    pub is_primary: bool,
    /// Whether events can be written to it.
    pub can_write: bool,
    /// Whether its events block slots.
    pub checks_conflicts: bool,
    /// Whether events that may still change their mind block too.
    pub tentative_blocks: bool,
    /// Whether invitations without an answer block too.
    pub unanswered_blocks: bool,
    /// Whether it receives the appointments.
    pub receives_events: bool,
    /// When it was last read, as a sentence.
    pub synced: String,
    /// What is wrong with it, as a sentence.
    pub problem: Option<String>,
}

/// The form of the calendars page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CalendarChoicesForm {
    /// Ids of the ticked calendars.
    pub blocks: Vec<String>,
    /// Ids of those whose tentative events block.
    pub tentative: Vec<String>,
    /// Ids of those whose unanswered invitations block.
    pub unanswered: Vec<String>,
    /// Id of the calendar that receives events; empty for none.
    pub receives: String,
}

/// The host's accounts and calendars.
#[server(prefix = "/dashboard/api", endpoint = "calendars")]
pub async fn calendars() -> Result<CalendarsView, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let overviews = answer(engine.accounts(&principal).await)?;
    let now = engine.now();
    let has_target = overviews.iter().flat_map(|overview| &overview.calendars).any(|calendar| calendar.receives_events);
    let accounts = overviews.into_iter().filter_map(|overview| view::account(overview, now)).collect();
    Ok(CalendarsView { google_configured: engine.google_configured(), accounts, has_target })
}

/// Keeps which calendars block and which receives events.
#[server(prefix = "/dashboard/api", endpoint = "calendar_choices_save")]
pub async fn calendar_choices_save(#[server(default)] form: CalendarChoicesForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    use cupo_core::ids::CalendarId;
    use cupo_engine::{CalendarChoice, EngineError};

    let (engine, principal) = host()?;
    let overviews = answer(engine.accounts(&principal).await)?;
    let choices = overviews
        .iter()
        .flat_map(|overview| &overview.calendars)
        .map(|calendar| {
            let is_in = |ids: &[String]| ids.iter().any(|id| id == calendar.id.as_str());
            CalendarChoice {
                calendar_id: calendar.id.clone(),
                checks_conflicts: is_in(&form.blocks),
                tentative_blocks: is_in(&form.tentative),
                unanswered_blocks: is_in(&form.unanswered),
            }
        })
        .collect();
    let receives = match form.receives.as_str() {
        "" => None,
        id => Some(answer(CalendarId::parse(id).map_err(|_| EngineError::NotFound("calendar")))?),
    };
    answer(engine.calendar_choices_save(&principal, choices, receives).await)?;
    done("/dashboard/calendars", "saved");
    Ok(())
}

/// Revokes the access to an account and forgets its calendars.
#[server(prefix = "/dashboard/api", endpoint = "account_disconnect")]
pub async fn account_disconnect(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    use cupo_core::ids::AccountId;
    use cupo_engine::EngineError;

    let (engine, principal) = host()?;
    let id = answer(AccountId::parse(&id).map_err(|_| EngineError::NotFound("account")))?;
    answer(engine.account_disconnect(&principal, &id).await)?;
    done("/dashboard/calendars", "disconnected");
    Ok(())
}

#[cfg(feature = "ssr")]
mod view {
    use chrono::{DateTime, Utc};
    use cupo_engine::AccountOverview;
    use cupo_store::{AccountState, Calendar};

    use super::{AccountView, CalendarView};
    use crate::text::{locale, t, tf};
    use crate::time;

    /// `None` for an account that was disconnected.
    pub(super) fn account(overview: AccountOverview, now: DateTime<Utc>) -> Option<AccountView> {
        let AccountOverview { account, calendars, subscription_expires_at } = overview;
        let state = match account.state {
            AccountState::Disconnected => return None,
            AccountState::ReconnectNeeded => t("dashboard.account_reconnect"),
            AccountState::Active if subscription_expires_at.is_some_and(|end| end > now) => t("dashboard.account_live"),
            AccountState::Active => t("dashboard.account_polled"),
        };
        Some(AccountView {
            id: account.id.to_string(),
            email: account.email.to_string(),
            state: state.to_owned(),
            needs_reconnect: account.state == AccountState::ReconnectNeeded,
            calendars: calendars.into_iter().map(|entry| calendar(entry, now)).collect(),
        })
    }

    fn calendar(calendar: Calendar, now: DateTime<Utc>) -> CalendarView {
        let synced = match calendar.synced_at {
            Some(at) => tf("dashboard.synced", &[("ago", &time::ago(at, now, locale()))]),
            None if calendar.checks_conflicts || calendar.receives_events => t("dashboard.not_synced_yet").to_owned(),
            None => t("dashboard.not_followed").to_owned(),
        };
        CalendarView {
            id: calendar.id.to_string(),
            color: calendar.color.filter(|color| is_hex_color(color)),
            is_primary: calendar.is_primary,
            can_write: calendar.can_write,
            checks_conflicts: calendar.checks_conflicts,
            tentative_blocks: calendar.tentative_blocks,
            unanswered_blocks: calendar.unanswered_blocks,
            receives_events: calendar.receives_events,
            problem: calendar.sync_error.map(|_| t("dashboard.sync_problem").to_owned()),
            name: calendar.name,
            synced,
        }
    }

    fn is_hex_color(text: &str) -> bool {
        text.strip_prefix('#').is_some_and(|digits| {
            matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    }
}
