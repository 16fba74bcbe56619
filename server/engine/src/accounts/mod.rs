//! Connected calendar accounts and what their calendars are used for.

mod test;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cupo_core::{
    ids::{AccountId, CalendarId},
    parse::FieldProblem,
};
use cupo_providers::CalendarProvider;
use cupo_store::{
    AccountState, AuthKind, Calendar, CalendarProviderAccount, EventTypeHost, Tx, account_get, account_list,
    account_update_state, calendar_get, calendar_holds_appointments, calendar_list_by_account, calendar_list_by_user,
    calendar_set_choices, event_type_hosts_with_own_calendars, job_run_at, provider_credential_get,
    subscription_list_by_calendar,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Engine, EngineError, Principal,
    access::{CONSENT_NEEDED, Patience},
    audit::{Actor, Subject},
    availability::{Freshness, channel_until},
    engine::transact,
    history,
    jobs::{OpenChannel, PullChanges, RevokeToken, StopChannel},
    polling::next_poll,
};

pub use test::{AccountTest, TestStep, TestWhat};

/// An account with its calendars.
#[derive(Debug, Clone)]
pub struct AccountOverview {
    /// The account.
    pub account: CalendarProviderAccount,
    /// Its calendars.
    pub calendars: Vec<Calendar>,
    /// How it fares, and whose turn it is.
    pub condition: AccountCondition,
    /// The host name of its server, where it has one of its own.
    pub server: Option<String>,
    /// The name of the credential that acts for it, if one does.
    pub credential_name: Option<String>,
    /// Since when nothing of a calendar in use has gone unread; `None` when one has never been read, or none is in use.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// When a calendar in use is read next, unless it changes before.
    pub next_sync_at: Option<DateTime<Utc>>,
    /// When the first of its notification channels is renewed; `None` without any.
    pub next_renewal_at: Option<DateTime<Utc>>,
}

/// How an account fares, and whose turn it is where it does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCondition {
    /// Its provider tells at once when a calendar changes.
    Live,
    /// Its calendars are read every few minutes.
    Polled,
    /// None of its calendars is used for anything.
    Unused,
    /// A calendar in use could not be read lately; what is known of it still counts.
    Behind {
        /// Why: `calendar_gone` or a code of [`EngineError::code`].
        code: String,
    },
    /// A calendar in use was not read for so long that what is known of it is not trusted any more.
    Stale {
        /// As of `Behind`, or `late`.
        code: String,
        /// When the one that waits longest was last read; `None`: never.
        read_at: Option<DateTime<Utc>>,
    },
    /// The host has to connect it again, or to enter another password.
    ReconnectNeeded {
        /// Why: `grant_revoked`, `missing_scope`, `wrong_password`, `claims_challenge`.
        code: String,
    },
    /// An administrator at the provider has to allow something.
    ConsentNeeded,
    /// The client or the credential by which Cupo acts has to be mended.
    OperatorNeeded,
}

/// Whether a calendar blocks slots.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CalendarChoice {
    /// The calendar.
    pub calendar_id: CalendarId,
    /// Whether its events block slots.
    pub checks_conflicts: bool,
    /// Whether tentative ones among them do.
    #[serde(default = "yes")]
    pub tentative_blocks: bool,
    /// Whether invitations that the host has not answered do.
    #[serde(default = "yes")]
    pub unanswered_blocks: bool,
}

/// The calendars that an event type looks at or writes to, whatever its host chose for all others.
fn named_by(host: &EventTypeHost) -> impl Iterator<Item = &CalendarId> {
    host.conflict_calendar_ids.iter().flatten().chain(&host.target_calendar_id)
}

fn yes() -> bool {
    true
}

/// A calendar that counts for something, and how it is kept up to date.
struct Used<'a> {
    calendar: &'a Calendar,
    /// The end of the notification channel that lasts longest.
    channel_until: Option<DateTime<Utc>>,
    /// When it is to be read, if that is planned.
    pull: Option<DateTime<Utc>>,
}

/// The account, if it is the principal's own, or one that was connected for a member by who runs the organization.
pub(crate) fn own_account(
    principal: &Principal,
    account: Option<CalendarProviderAccount>,
) -> Result<CalendarProviderAccount, EngineError> {
    let may = |account: &CalendarProviderAccount| {
        account.user_id == principal.user_id || (account.credential_id.is_some() && principal.require_admin().is_ok())
    };
    let account = account.filter(|account| account.state != AccountState::Disconnected && may(account));
    account.ok_or(EngineError::NotFound("account"))
}

impl Engine {
    /// The host's connected accounts.
    pub async fn accounts(&self, principal: &Principal) -> Result<Vec<AccountOverview>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let mut overviews = Vec::new();
        for account in account_list(tx, &principal.organization_id, &principal.user_id).await? {
            if account.state != AccountState::Disconnected {
                overviews.push(self.overview(tx, account).await?);
            }
        }
        Ok(overviews)
    }

    async fn overview(&self, tx: &mut Tx, account: CalendarProviderAccount) -> Result<AccountOverview, EngineError> {
        let organization_id = &account.organization_id;
        let calendars = calendar_list_by_account(tx, organization_id, &account.id).await?;
        let mut used = Vec::new();
        for calendar in &calendars {
            if self.is_in_use(tx, calendar).await? {
                let channels = subscription_list_by_calendar(tx, organization_id, &calendar.id).await?;
                let pull = job_run_at(tx, organization_id, &PullChanges::key_of(&calendar.id)).await?;
                used.push(Used { calendar, channel_until: channel_until(&channels), pull });
            }
        }
        let credential_name = match &account.credential_id {
            Some(id) => provider_credential_get(tx, organization_id, id).await?.map(|credential| credential.name),
            None => None,
        };
        let server = match account.auth_kind {
            AuthKind::Password => self.open_credentials(&account).ok().and_then(|credentials| credentials.server()),
            AuthKind::UserOauth | AuthKind::ServiceAccount | AuthKind::Application => None,
        };
        let never_read = used.iter().any(|used| used.calendar.synced_at.is_none());
        let oldest = used.iter().filter_map(|used| used.calendar.synced_at).min();
        let next_sync = used.iter().map(|used| self.next_sync_at(used)).min();
        let renewals = used.iter().filter_map(|used| used.channel_until).filter(|until| *until > self.now());
        Ok(AccountOverview {
            condition: self.condition(&account, &used),
            server,
            credential_name,
            last_sync_at: oldest.filter(|_| !never_read),
            next_sync_at: next_sync.filter(|_| account.state == AccountState::Active),
            next_renewal_at: renewals.map(|until| until - crate::worker::RENEWAL_MARGIN).min(),
            account,
            calendars,
        })
    }

    fn next_sync_at(&self, used: &Used<'_>) -> DateTime<Utc> {
        let Calendar { id, synced_at, .. } = used.calendar;
        let polled = synced_at.map_or(self.now(), |at| next_poll(id, at, self.0.settings.poll_interval));
        used.pull.unwrap_or(polled).max(self.now())
    }

    fn condition(&self, account: &CalendarProviderAccount, used: &[Used<'_>]) -> AccountCondition {
        if account.state != AccountState::Active {
            return AccountCondition::ReconnectNeeded { code: account.state_reason.clone().unwrap_or_default() };
        }
        match account.state_reason.as_deref() {
            Some(CONSENT_NEEDED) => return AccountCondition::ConsentNeeded,
            Some(_) => return AccountCondition::OperatorNeeded,
            None => {}
        }
        if used.is_empty() {
            return AccountCondition::Unused;
        }
        let now = self.now();
        let has_channel = |used: &Used<'_>| used.channel_until.is_some_and(|until| until > now);
        let freshness =
            |used: &Used<'_>| Freshness::of(used.calendar, used.channel_until, self.0.settings.stale_after, now);
        // One that was just chosen has not been read yet, and nothing is wrong with it.
        let was_tried = |used: &Used<'_>| used.calendar.synced_at.is_some() || used.calendar.sync_error.is_some();
        let stale = used.iter().filter(|used| was_tried(used) && freshness(used).is_stale());
        if let Some(Used { calendar, .. }) = stale.min_by_key(|used| used.calendar.synced_at) {
            let code = calendar.sync_error.clone().unwrap_or_else(|| "late".to_owned());
            return AccountCondition::Stale { code, read_at: calendar.synced_at };
        }
        if let Some(code) = used.iter().find_map(|used| used.calendar.sync_error.clone()) {
            AccountCondition::Behind { code }
        } else if used.iter().all(has_channel) {
            AccountCondition::Live
        } else {
            AccountCondition::Polled
        }
    }

    /// Says which of the host's calendars block slots and which one receives new events. Calendars that are not named
    /// block nothing.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `receives_events` for a calendar that cannot be written to.
    pub async fn calendar_choices_save(
        &self,
        principal: &Principal,
        choices: Vec<CalendarChoice>,
        receives: Option<CalendarId>,
    ) -> Result<(), EngineError> {
        let organization_id = &principal.organization_id;
        transact!(self, tx => {
            let mut calendars = calendar_list_by_user(tx, organization_id, &principal.user_id).await?;
            // A host has one target at any time: the old one gives it up before the new one takes it.
            calendars.sort_by_key(|calendar| receives.as_ref() == Some(&calendar.id));
            let known = |id: &CalendarId| calendars.iter().find(|calendar| calendar.id == *id);
            if choices.iter().any(|choice| known(&choice.calendar_id).is_none()) {
                return Err(EngineError::NotFound("calendar"));
            }
            if let Some(id) = &receives {
                let target = known(id).ok_or(EngineError::NotFound("calendar"))?;
                if !target.can_write {
                    return Err(FieldProblem::new("error.calendar_read_only").at("receives_events").into());
                }
            }
            for calendar in &calendars {
                let choice = choices.iter().find(|choice| choice.calendar_id == calendar.id);
                let checks = choice.is_some_and(|choice| choice.checks_conflicts);
                let is_target = receives.as_ref() == Some(&calendar.id);
                let tentative = choice.map_or(calendar.tentative_blocks, |choice| choice.tentative_blocks);
                let unanswered = choice.map_or(calendar.unanswered_blocks, |choice| choice.unanswered_blocks);
                let old = (
                    calendar.checks_conflicts,
                    calendar.receives_events,
                    calendar.tentative_blocks,
                    calendar.unanswered_blocks,
                );
                if (checks, is_target, tentative, unanswered) == old {
                    continue;
                }
                history::calendar_choices_changed(tx, calendar, self.now()).await?;
                calendar_set_choices(tx, organization_id, &calendar.id, checks, is_target, tentative, unanswered)
                    .await?;
                let was_used = calendar.checks_conflicts || calendar.receives_events;
                match (was_used, checks || is_target) {
                    (false, true) => self.start_mirroring(tx, calendar).await?,
                    (true, false) if !self.is_needed(tx, calendar).await? => self.stop_mirroring(tx, calendar).await?,
                    _ => {}
                }
            }
        })?;
        self.committed(organization_id);
        Ok(())
    }

    /// Reads the calendar now and opens a channel, so that its changes are told.
    pub(crate) async fn start_mirroring(&self, tx: &mut Tx, calendar: &Calendar) -> Result<(), EngineError> {
        let calendar_id = calendar.id.clone();
        self.enqueue(tx, &calendar.organization_id, &PullChanges { calendar_id: calendar_id.clone() }).await?;
        self.enqueue(tx, &calendar.organization_id, &OpenChannel::of(calendar_id)).await?;
        Ok(())
    }

    /// Whether the calendar is followed whatever the host chose: an event type names it, or the event of an appointment that
    /// is not over stands in it.
    async fn is_needed(&self, tx: &mut Tx, calendar: &Calendar) -> Result<bool, EngineError> {
        let Calendar { id, organization_id, .. } = calendar;
        Ok(self.is_named_by_event_type(tx, calendar).await?
            || calendar_holds_appointments(tx, organization_id, id, self.now()).await?)
    }

    /// Whether an event type of the host looks at this calendar, whatever the host chose for all others.
    async fn is_named_by_event_type(&self, tx: &mut Tx, calendar: &Calendar) -> Result<bool, EngineError> {
        let Calendar { id, organization_id, user_id, .. } = calendar;
        let naming = event_type_hosts_with_own_calendars(tx, organization_id, user_id).await?;
        Ok(naming.iter().any(|host| named_by(host).any(|named| named == id)))
    }

    /// Whether the calendar's events count for anything, so that it is mirrored.
    pub(crate) async fn is_in_use(&self, tx: &mut Tx, calendar: &Calendar) -> Result<bool, EngineError> {
        let is_chosen = calendar.checks_conflicts || calendar.receives_events;
        Ok(is_chosen || self.is_needed(tx, calendar).await?)
    }

    /// Reads the calendars that event types have come to look at.
    pub(crate) async fn mirror_named_calendars(&self, tx: &mut Tx, hosts: &[EventTypeHost]) -> Result<(), EngineError> {
        for host in hosts {
            for id in named_by(host) {
                let calendar = calendar_get(tx, &host.organization_id, id).await?;
                // One that was named before and not meanwhile has an old mirror.
                let is_chosen = |calendar: &Calendar| calendar.checks_conflicts || calendar.receives_events;
                if let Some(calendar) = calendar.filter(|calendar| !is_chosen(calendar)) {
                    self.start_mirroring(tx, &calendar).await?;
                }
            }
        }
        Ok(())
    }

    async fn stop_mirroring(&self, tx: &mut Tx, calendar: &Calendar) -> Result<(), EngineError> {
        for subscription in subscription_list_by_calendar(tx, &calendar.organization_id, &calendar.id).await? {
            let task = StopChannel { account_id: calendar.account_id.clone(), subscription_id: subscription.id };
            self.enqueue(tx, &calendar.organization_id, &task).await?;
        }
        Ok(())
    }

    /// Disconnects an account: at once it counts for nothing, then its channels are stopped and its grant revoked.
    /// Events that Cupo wrote stay in the calendar. Whoever runs the organization may also disconnect the mailboxes
    /// that were connected for others.
    pub async fn account_disconnect(&self, principal: &Principal, id: &AccountId) -> Result<(), EngineError> {
        let organization_id = &principal.organization_id;
        transact!(self, tx => {
            own_account(principal, account_get(tx, organization_id, id).await?)?;
            for calendar in calendar_list_by_account(tx, organization_id, id).await? {
                history::calendar_choices_changed(tx, &calendar, self.now()).await?;
                let (tentative, unanswered) = (calendar.tentative_blocks, calendar.unanswered_blocks);
                calendar_set_choices(tx, organization_id, &calendar.id, false, false, tentative, unanswered).await?;
            }
            account_update_state(tx, organization_id, id, AccountState::Disconnected, None, self.now()).await?;
            self.enqueue(tx, organization_id, &RevokeToken { account_id: id.clone() }).await?;
            let actor = Actor::User(&principal.user_id);
            self.audit(tx, organization_id, actor, "account.disconnected", Subject::Account(id), json!({})).await?;
        })?;
        self.0.resting.wake(id);
        self.committed(organization_id);
        Ok(())
    }

    /// Lists the account's calendars anew: those that are new, were renamed or are gone.
    pub async fn account_refresh(&self, principal: &Principal, id: &AccountId) -> Result<(), EngineError> {
        let organization_id = &principal.organization_id;
        own_account(principal, account_get(&mut self.0.store.read().await?, organization_id, id).await?)?;
        let call =
            move |provider: Arc<dyn CalendarProvider>, access| async move { provider.list_calendars(&access).await };
        let listed = self.call_provider_with(Patience::Asks, organization_id, id, call).await?;
        self.calendars_listed(organization_id, id, &listed).await
    }

    /// Whether mail can be sent.
    #[must_use]
    pub fn mail_configured(&self) -> bool {
        self.0.mailer.is_some()
    }
}
