//! By the address of an iCalendar file, which is read and never written.

use chrono::TimeDelta;
use chrono_tz::Tz;
use cupo_core::{
    ids::AccountId,
    interval::Interval,
    parse::{FieldErrors, FieldProblem, required_text},
};
use cupo_providers::{CalendarProvider, Feed, ics};
use cupo_store::{AccountState, AuthKind, Provider, account_get_by_email, schedule_get_by_user};
use url::Url;

use super::{Connected, Proof};
use crate::{
    Engine, EngineError, Principal,
    credentials::Credentials,
    holiday_calendars::{feed_problem, file_problem, parse_feed_url},
};

const LONGEST_NAME: usize = 120;

/// The form, as it was filled in.
#[derive(Clone, Default)]
pub struct FeedInput {
    /// What the host calls it; empty: as the file says, or its server.
    pub name: String,
    /// Where the file is.
    pub address: String,
}

impl std::fmt::Debug for FeedInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address is a secret.
        f.debug_struct("FeedInput").finish_non_exhaustive()
    }
}

impl Engine {
    /// Subscribes to a calendar feed, once it could be read.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] at `name`, when another feed has it, or at `address`.
    pub async fn connect_feed(&self, principal: &Principal, input: FeedInput) -> Result<AccountId, EngineError> {
        let mut errors = FieldErrors::default();
        let name = match input.name.trim() {
            "" => Some(None),
            name => errors.collect("name", required_text(name, LONGEST_NAME)).map(Some),
        };
        let address = errors.collect("address", parse_feed_url(&input.address));
        let (Some(name), Some(address)) = (name, address) else { return Err(errors.into()) };
        let told = self.read_feed(principal, address.as_str()).await?;
        let host = Url::parse(address.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned));
        let told = told.and_then(|told| required_text(&told, LONGEST_NAME).ok());
        let name = name.or(told).or(host).unwrap_or_default();
        self.require_own_name(principal, &name, address.as_str()).await?;
        let credentials = Credentials::Feed { address: address.as_str().to_owned() };
        let access = credentials
            .standing_access(&self.fresh())
            .ok_or_else(|| EngineError::internal("connecting a feed", "it has an address"))?;
        let calendars = self.0.providers.ics.provider.list_calendars(&access).await?;
        let connected = Connected {
            user_id: &principal.user_id,
            provider: Provider::Ics,
            auth_kind: AuthKind::Password,
            email: name,
            impersonated_email: None,
            credential_id: None,
            scopes: Vec::new(),
            proof: Proof::Entered(credentials),
        };
        self.store_account(principal, connected, &calendars).await
    }

    /// Reads the file as it will be read for its events; gives the name that it tells.
    async fn read_feed(&self, principal: &Principal, address: &str) -> Result<Option<String>, EngineError> {
        let refused = |key: &'static str| EngineError::from(FieldProblem::new(key).at("address"));
        let feed = self.0.providers.ics.reader.get(address, None).await;
        let text = match feed.map_err(|error| refused(feed_problem(&error)))? {
            Feed::Changed { text, .. } => text,
            Feed::Unchanged => return Err(refused("error.feed_refused")),
        };
        let tx = &mut self.0.store.read().await?;
        let schedule = schedule_get_by_user(tx, &principal.organization_id, &principal.user_id).await?;
        let time_zone = schedule.map_or(Tz::UTC, |schedule| schedule.time_zone.tz());
        let now = self.now();
        let end = now + TimeDelta::days(self.0.settings.mirror_days.into());
        let window = Interval { start: now - TimeDelta::days(1), end };
        // A file can keep a processor busy for a moment, so the async threads are spared.
        tokio::task::spawn_blocking(move || ics::events(&text, window, time_zone, None))
            .await
            .map_err(|e| EngineError::internal("reading a feed", e))?
            .map(|events| events.name)
            .map_err(|error| refused(file_problem(error)))
    }

    /// Two feeds of one name could not be told apart, and the second would take the place of the first.
    async fn require_own_name(&self, principal: &Principal, name: &str, address: &str) -> Result<(), EngineError> {
        let (organization_id, user_id) = (&principal.organization_id, &principal.user_id);
        let tx = &mut self.0.store.read().await?;
        let namesake = account_get_by_email(tx, organization_id, user_id, Provider::Ics, name).await?;
        // One that is no longer read may be given its new address.
        let Some(namesake) = namesake.filter(|account| account.state == AccountState::Active) else { return Ok(()) };
        match self.open_credentials(&namesake)? {
            Credentials::Feed { address: known } if known == address => Ok(()),
            _ => Err(FieldProblem::new("error.feed_name_taken").at("name").into()),
        }
    }
}
