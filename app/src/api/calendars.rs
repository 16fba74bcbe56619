//! Connected accounts and their calendars.

#[cfg(feature = "ssr")]
mod account_view;
#[cfg(feature = "ssr")]
mod calendar_view;
#[cfg(feature = "ssr")]
pub(crate) mod services;

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::account_test::AccountTestView;
use crate::error::AppError;

/// Everything that the calendars page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarsView {
    /// The connected accounts, and those that have to be connected again.
    pub accounts: Vec<AccountView>,
    /// Whether any calendar receives events.
    pub has_target: bool,
    /// Whether the user looks after the whole organization.
    pub is_admin: bool,
    /// Where an administrator at Microsoft allows Cupo for everybody in their organization.
    pub consent_url: Option<String>,
    /// The test that was just made, where no script could show it; it is told once.
    pub tested: Option<AccountTestView>,
}

/// One account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// Names the icon: `google`, `microsoft`, `nextcloud`, `icloud`, `fastmail`, `caldav` or `feed`.
    pub service: String,
    /// The service's own name.
    pub service_name: String,
    /// Whose calendars they are: an address, or the name of a feed.
    pub who: String,
    /// The service account or application through which a mailbox is reached, or the server that holds the calendars.
    pub through: Option<String>,
    /// What Cupo may do, in words.
    pub may: String,
    /// The state in a word or two.
    pub condition: String,
    /// The state as a sentence.
    pub state: String,
    /// Whose turn it is.
    pub tone: Tone,
    /// When it was last read.
    pub last: String,
    /// When it is read next, or its notices are renewed.
    pub next: Option<String>,
    /// What can be done about its state.
    pub remedy: Option<Remedy>,
    /// Its calendars.
    pub calendars: Vec<CalendarView>,
}

/// Whether somebody has to do something about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// Nobody.
    Good,
    /// Somebody else, or Cupo itself.
    Waiting,
    /// The host.
    Wrong,
}

/// What helps an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remedy {
    /// To sign in at the provider again, at this address.
    SignIn(String),
    /// To type the account's new password.
    Password,
    /// To connect it anew, on this page of ours.
    ConnectAgain(String),
    /// To ask whoever administers the accounts at the provider, and to connect again.
    Consent {
        /// Where an administrator allows it for everybody.
        url: Option<String>,
        /// Where the host tries again.
        again: Option<String>,
        /// The guide that explains it.
        guide: String,
    },
    /// That whoever looks after the organization mends the service account or application. True for who does.
    Credential(bool),
    /// Nothing: the operator of the server has been told.
    Operator,
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
    /// The video meetings that it can make, by their services' names.
    pub meetings: Option<String>,
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

/// The form that gives an account its new password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountPasswordForm {
    /// The account.
    pub id: String,
    /// The password; never given back.
    pub password: String,
}

impl fmt::Debug for AccountPasswordForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountPasswordForm").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The host's accounts and calendars.
#[server(prefix = "/dashboard/api", endpoint = "calendars")]
pub async fn calendars() -> Result<CalendarsView, AppError> {
    use super::request::{answer, host};
    use cupo_store::Role;

    let (engine, principal) = host()?;
    let overviews = answer(engine.accounts(&principal).await)?;
    let has_target = overviews.iter().flat_map(|overview| &overview.calendars).any(|calendar| calendar.receives_events);
    let is_admin = principal.role != Role::Host;
    let consent_url = engine.admin_consent_url(&principal).map(|url| url.to_string());
    let situation = account_view::Situation { now: engine.now(), is_admin, consent_url: consent_url.as_deref() };
    let accounts = overviews.into_iter().map(|overview| account_view::account(&overview, &situation)).collect();
    let tested = super::account_test::view::just_made();
    Ok(CalendarsView { accounts, has_target, is_admin, consent_url, tested })
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

/// Asks an account for its calendars again: new ones, renamed ones, those that are gone.
#[server(prefix = "/dashboard/api", endpoint = "account_refresh")]
pub async fn account_refresh(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let account = super::request::id(&id, "account")?;
    answer(engine.account_refresh(&principal, &account).await).map_err(|error| error.with_typed(&[("id", &id)]))?;
    done("/dashboard/calendars", "refreshed");
    Ok(())
}

/// Gives an account its new password, once the server has taken it.
#[server(prefix = "/dashboard/api", endpoint = "account_password")]
pub async fn account_password(form: AccountPasswordForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&form.id, "account")?;
    answer(engine.account_password_replace(&principal, &id, form.password).await)
        .map_err(|error| error.with_typed(&[("id", &form.id)]))?;
    done("/dashboard/calendars", "password_replaced");
    Ok(())
}

/// Revokes the access to an account and forgets its calendars.
#[server(prefix = "/dashboard/api", endpoint = "account_disconnect")]
pub async fn account_disconnect(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let account = super::request::id(&id, "account")?;
    answer(engine.account_disconnect(&principal, &account).await).map_err(|error| error.with_typed(&[("id", &id)]))?;
    done("/dashboard/calendars", "disconnected");
    Ok(())
}
