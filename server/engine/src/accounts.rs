//! Connected calendar accounts and what their calendars are used for.

use chrono::{DateTime, Utc};
use cupo_core::{
    ids::{AccountId, CalendarId},
    parse::FieldProblem,
};
use cupo_store::{
    AccountState, Calendar, CalendarProviderAccount, EventTypeHost, Job, Tx, account_get, account_list,
    account_update_state, calendar_get, calendar_list_by_account, calendar_list_by_user, calendar_set_choices,
    event_type_hosts_with_own_calendars, job_list_dead, subscription_list_by_account, subscription_list_by_calendar,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Engine, EngineError, Principal,
    audit::{Actor, Subject},
    engine::transact,
    history,
    jobs::{OpenChannel, PullChanges, RevokeToken, StopChannel},
};

/// An account with its calendars.
#[derive(Debug, Clone)]
pub struct AccountOverview {
    /// The account.
    pub account: CalendarProviderAccount,
    /// Its calendars.
    pub calendars: Vec<Calendar>,
    /// Until when the last of its notification channels lives; `None` means that its calendars are polled.
    pub subscription_expires_at: Option<DateTime<Utc>>,
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

fn yes() -> bool {
    true
}

impl Engine {
    /// The host's connected accounts.
    pub async fn accounts(&self, principal: &Principal) -> Result<Vec<AccountOverview>, EngineError> {
        let organization_id = &principal.organization_id;
        let tx = &mut self.0.store.read().await?;
        let mut overviews = Vec::new();
        for account in account_list(tx, organization_id, &principal.user_id).await? {
            if account.state == AccountState::Disconnected {
                continue;
            }
            let calendars = calendar_list_by_account(tx, organization_id, &account.id).await?;
            let subscriptions = subscription_list_by_account(tx, organization_id, &account.id).await?;
            let subscription_expires_at = subscriptions.iter().map(|subscription| subscription.expires_at).max();
            overviews.push(AccountOverview { account, calendars, subscription_expires_at });
        }
        Ok(overviews)
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
                let is_named = self.is_named_by_event_type(tx, calendar).await?;
                match (was_used, checks || is_target) {
                    (false, true) if !is_named => self.start_mirroring(tx, calendar).await?,
                    (true, false) if !is_named => self.stop_mirroring(tx, calendar).await?,
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
        if self.0.settings.webhook_url.is_some() {
            self.enqueue(tx, &calendar.organization_id, &OpenChannel { calendar_id }).await?;
        }
        Ok(())
    }

    /// Whether an event type of the host looks at this calendar, whatever the host chose for all others.
    async fn is_named_by_event_type(&self, tx: &mut Tx, calendar: &Calendar) -> Result<bool, EngineError> {
        let Calendar { id, organization_id, user_id, .. } = calendar;
        let naming = event_type_hosts_with_own_calendars(tx, organization_id, user_id).await?;
        Ok(naming.iter().any(|host| host.conflict_calendar_ids.as_ref().is_some_and(|ids| ids.contains(id))))
    }

    /// Whether the calendar's events count for anything, so that it is mirrored.
    pub(crate) async fn is_in_use(&self, tx: &mut Tx, calendar: &Calendar) -> Result<bool, EngineError> {
        let is_chosen = calendar.checks_conflicts || calendar.receives_events;
        Ok(is_chosen || self.is_named_by_event_type(tx, calendar).await?)
    }

    /// Reads the calendars that event types have come to look at.
    pub(crate) async fn mirror_named_calendars(&self, tx: &mut Tx, hosts: &[EventTypeHost]) -> Result<(), EngineError> {
        for host in hosts {
            for id in host.conflict_calendar_ids.iter().flatten() {
                let calendar = calendar_get(tx, &host.organization_id, id).await?;
                let is_new = |calendar: &Calendar| {
                    !calendar.checks_conflicts && !calendar.receives_events && calendar.synced_at.is_none()
                };
                if let Some(calendar) = calendar.filter(is_new) {
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
    /// Events that Cupo wrote stay in the calendar.
    pub async fn account_disconnect(&self, principal: &Principal, id: &AccountId) -> Result<(), EngineError> {
        let organization_id = &principal.organization_id;
        transact!(self, tx => {
            account_get(tx, organization_id, id)
                .await?
                .filter(|account| account.user_id == principal.user_id && account.state != AccountState::Disconnected)
                .ok_or(EngineError::NotFound("account"))?;
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
        self.committed(organization_id);
        Ok(())
    }

    /// The organization's jobs that were given up.
    pub async fn failed_jobs(&self, principal: &Principal) -> Result<Vec<Job>, EngineError> {
        Ok(job_list_dead(&mut self.0.store.read().await?, &principal.organization_id).await?)
    }

    /// Whether mail can be sent.
    #[must_use]
    pub fn mail_configured(&self) -> bool {
        self.0.mailer.is_some()
    }
}
