//! Connecting accounts: by a user's consent, with a password, by a feed's address, or as a mailbox for which a
//! credential of the organization acts. Each is tried before anything is stored.

mod caldav;
mod feed;
mod mailbox;
mod oauth;

use cupo_core::{
    event_type::Location,
    ids::{AccountId, CalendarId, CredentialId, OrganizationId, UserId},
};
use cupo_providers::{MeetingKind, ProviderCalendar, ProviderError, oauth::TokenGrant};
use cupo_store::{
    AccountState, AuthKind, Calendar, CalendarProviderAccount, Provider, StoreError, Tx, account_get,
    account_get_by_email, account_insert, account_reconnect, calendar_delete, calendar_list_by_account,
    calendar_list_by_user, calendar_set_choices, calendar_update_sync, calendar_upsert, jobs_bring_forward,
    subscription_list_by_calendar,
};
use serde_json::json;

use crate::{
    Engine, EngineError, Principal,
    audit::{Actor, Subject},
    credentials::{Credentials, OauthTokens},
    engine::transact,
    history,
    jobs::StopOrphan,
};

pub use caldav::CaldavInput;
pub use feed::FeedInput;
pub use mailbox::MailboxInput;
pub use oauth::{ConnectOutcome, ConnectStart, OauthCallback};

/// An account that has been tried and works.
struct Connected<'a> {
    /// Whose calendars they are.
    user_id: &'a UserId,
    provider: Provider,
    auth_kind: AuthKind,
    email: String,
    impersonated_email: Option<String>,
    credential_id: Option<CredentialId>,
    scopes: Vec<String>,
    proof: Proof<'a>,
}

/// What the account has been given to prove that it may act.
enum Proof<'a> {
    Granted(&'a TokenGrant),
    Entered(Credentials),
    /// Nothing of its own.
    OfOrganization,
}

/// Whether the account has chosen what its calendars are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choices {
    /// Without any, the usual ones are made.
    AsUsual,
    /// What nobody ticked stays so.
    Made,
}

/// The location for which a calendar makes such meetings.
fn location_of(kind: MeetingKind) -> Location {
    match kind {
        MeetingKind::GoogleMeet => Location::GoogleMeet,
        MeetingKind::MicrosoftTeams => Location::MicrosoftTeams,
    }
}

impl Engine {
    /// Stores the account, or connects the one of this address anew, with its calendars, which are mirrored from now
    /// on.
    async fn store_account(
        &self,
        principal: &Principal,
        connected: Connected<'_>,
        calendars: &[ProviderCalendar],
    ) -> Result<AccountId, EngineError> {
        let organization_id = &principal.organization_id;
        let Connected { user_id, provider, email, .. } = &connected;
        let id = transact!(self, tx => {
            let existing = account_get_by_email(tx, organization_id, user_id, *provider, email).await?;
            let id = existing.as_ref().map_or_else(|| self.fresh(), |account| account.id.clone());
            let credentials = self.credentials_of(&connected.proof, existing.as_ref())?;
            let ciphertext = match &credentials {
                Some(credentials) => Some(self.seal_credentials(organization_id, &id, credentials)?),
                None => None,
            };
            let now = self.now();
            let account = CalendarProviderAccount {
                id: id.clone(),
                organization_id: organization_id.clone(),
                user_id: (*user_id).clone(),
                provider: *provider,
                auth_kind: connected.auth_kind,
                email: email.clone(),
                impersonated_email: connected.impersonated_email.clone(),
                credential_id: connected.credential_id.clone(),
                scopes: connected.scopes.clone(),
                token_ciphertext: ciphertext,
                token_version: existing.as_ref().map_or(1, |account| account.token_version),
                state: AccountState::Active,
                state_reason: None,
                claims_challenge: None,
                created_at: now,
                updated_at: now,
            };
            if existing.is_none() {
                account_insert(tx, &account).await?;
            } else if !account_reconnect(tx, &account, now).await? {
                return Err(StoreError::Retry.into());
            }
            self.store_calendars(tx, &account, calendars, Choices::AsUsual).await?;
            if existing.is_some() {
                self.catch_up(tx, &account).await?;
            }
            let action = if existing.is_some() { "account.reconnected" } else { "account.connected" };
            let actor = Actor::User(&principal.user_id);
            self.audit(tx, organization_id, actor, action, Subject::Account(&id), json!({ "email": email })).await?;
            id
        })?;
        self.0.resting.wake(&id);
        self.committed(organization_id);
        Ok(id)
    }

    fn credentials_of(
        &self,
        proof: &Proof<'_>,
        existing: Option<&CalendarProviderAccount>,
    ) -> Result<Option<Credentials>, EngineError> {
        Ok(match proof {
            Proof::Granted(grant) => {
                let old = existing.and_then(|account| self.open_tokens(account).ok());
                let tokens = OauthTokens::of(grant, old.as_ref(), self.now())
                    .ok_or_else(|| ProviderError::Rejected("no refresh token was granted".to_owned()))?;
                Some(Credentials::Oauth(tokens))
            }
            Proof::Entered(credentials) => Some(credentials.clone()),
            Proof::OfOrganization => None,
        })
    }

    /// Stores the listed calendars and drops those that are gone. An account without choices gets the usual ones: its
    /// primary calendar checks conflicts and, unless another one does, receives events. When the calendar that received
    /// events is gone, the primary one does.
    async fn store_calendars(
        &self,
        tx: &mut Tx,
        account: &CalendarProviderAccount,
        listed: &[ProviderCalendar],
        choices: Choices,
    ) -> Result<(), EngineError> {
        let (organization_id, user_id) = (&account.organization_id, &account.user_id);
        let (mut choices, mut has_lost_target, mut lost) = (choices, false, Vec::new());
        for calendar in calendar_list_by_account(tx, organization_id, &account.id).await? {
            if !listed.iter().any(|listed| listed.id == calendar.external_id) {
                if calendar.checks_conflicts || calendar.receives_events {
                    choices = Choices::AsUsual;
                }
                has_lost_target |= calendar.receives_events;
                for channel in subscription_list_by_calendar(tx, organization_id, &calendar.id).await? {
                    self.enqueue(tx, organization_id, &StopOrphan::of(&account.id, &channel)).await?;
                }
                lost.push(self.lost_with(tx, &calendar).await?);
                calendar_delete(tx, organization_id, &calendar.id).await?;
            }
        }
        let mut stored = Vec::with_capacity(listed.len());
        for calendar in listed {
            let row = Calendar {
                id: self.fresh::<CalendarId>(),
                organization_id: organization_id.clone(),
                account_id: account.id.clone(),
                user_id: user_id.clone(),
                external_id: calendar.id.clone(),
                // A feed is called what its host calls it.
                name: if account.provider == Provider::Ics { &account.email } else { &calendar.name }.clone(),
                time_zone: calendar.time_zone.clone(),
                color: calendar.color.clone(),
                can_write: calendar.can_write,
                is_primary: calendar.is_primary,
                meetings: calendar.meetings.iter().map(|kind| location_of(*kind).kind().to_owned()).collect(),
                checks_conflicts: false,
                receives_events: false,
                tentative_blocks: true,
                unanswered_blocks: true,
                sync_cursor: None,
                synced_at: None,
                mirror_until: None,
                sync_error: None,
            };
            stored.push(calendar_upsert(tx, &row).await?);
        }
        let of_user = calendar_list_by_user(tx, organization_id, user_id).await?;
        let nobody_receives = !of_user.iter().any(|calendar| calendar.receives_events);
        let is_used = |calendar: &Calendar| calendar.checks_conflicts || calendar.receives_events;
        let begins = choices == Choices::AsUsual && !stored.iter().any(is_used);
        if begins || (has_lost_target && nobody_receives) {
            self.choose_usual(tx, &mut stored, nobody_receives).await?;
        }
        for calendar in stored.iter().filter(|calendar| is_used(calendar)) {
            self.start_mirroring(tx, calendar).await?;
        }
        for lost in lost {
            self.note_lost(tx, account, lost).await?;
        }
        Ok(())
    }

    /// Has everything read anew that happened while nobody could read it, in every calendar that counts for anything.
    async fn catch_up(&self, tx: &mut Tx, account: &CalendarProviderAccount) -> Result<(), EngineError> {
        let organization_id = &account.organization_id;
        for calendar in calendar_list_by_account(tx, organization_id, &account.id).await? {
            if self.is_in_use(tx, &calendar).await? {
                let Calendar { id, synced_at, mirror_until, sync_error, .. } = &calendar;
                calendar_update_sync(tx, organization_id, id, None, *synced_at, *mirror_until, sync_error.as_deref())
                    .await?;
                self.start_mirroring(tx, &calendar).await?;
            }
        }
        // What met the account while it could not be used. Jobs of another account that still cannot wait again.
        jobs_bring_forward(tx, organization_id, crate::error::RECONNECT_NEEDED, self.now()).await?;
        Ok(())
    }

    /// The primary calendar checks conflicts and, if it can and nobody does, receives events.
    async fn choose_usual(
        &self,
        tx: &mut Tx,
        stored: &mut [Calendar],
        nobody_receives: bool,
    ) -> Result<(), EngineError> {
        // An account of one calendar, such as a feed, need not call it primary.
        let only = stored.len() == 1;
        let Some(calendar) = stored.iter_mut().find(|calendar| calendar.is_primary || only) else { return Ok(()) };
        history::calendar_choices_changed(tx, calendar, self.now()).await?;
        calendar.checks_conflicts = true;
        calendar.receives_events |= nobody_receives && calendar.can_write;
        let Calendar { receives_events, tentative_blocks, unanswered_blocks, .. } = *calendar;
        let organization_id = &calendar.organization_id;
        calendar_set_choices(
            tx,
            organization_id,
            &calendar.id,
            true,
            receives_events,
            tentative_blocks,
            unanswered_blocks,
        )
        .await?;
        Ok(())
    }

    /// Brings the calendars of a connected account up to date with what its provider lists.
    pub(crate) async fn calendars_listed(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        listed: &[ProviderCalendar],
    ) -> Result<(), EngineError> {
        self.follow_out_of_deleted(organization_id, id, listed).await?;
        transact!(self, tx => {
            let account = account_get(tx, organization_id, id).await?;
            let account = account.filter(|account| account.state != AccountState::Disconnected);
            let account = account.ok_or(EngineError::NotFound("account"))?;
            self.store_calendars(tx, &account, listed, Choices::Made).await?;
        })?;
        self.committed(organization_id);
        Ok(())
    }
}
