//! The access tokens of service accounts and applications: they are made from a credential of the organization, live
//! for an hour or so, and are kept in memory only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::CredentialId;
use cupo_providers::{ProviderError, Secret, oauth::TokenGrant};
use cupo_store::{CalendarProviderAccount, provider_credential_get};
use sha2::{Digest, Sha256};

use super::{MARGIN, mailbox_of};
use crate::{
    Engine, EngineError,
    provider_credentials::{Agent, UNUSABLE},
};

/// A service account has a token for each mailbox, an application has one for all.
type Key = (CredentialId, Option<String>);

#[derive(Clone)]
struct Minted {
    token: Secret,
    /// Of the sealed credential that it was made from, which another process may replace.
    credential: [u8; 32],
    expires_at: DateTime<Utc>,
}

/// The tokens in use. One task at a time makes one; the others wait for it.
#[derive(Default)]
pub(crate) struct MintedTokens(Mutex<HashMap<Key, Arc<tokio::sync::Mutex<Option<Minted>>>>>);

impl MintedTokens {
    fn of(&self, key: Key) -> Arc<tokio::sync::Mutex<Option<Minted>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// The credential was replaced or deleted, here. Other processes see that by its digest.
    pub(crate) fn forget(&self, credential_id: &CredentialId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _), _| id != credential_id);
    }
}

impl Engine {
    /// A good access token for the account's mailbox, other than `refused`.
    pub(super) async fn minted_token(
        &self,
        account: &CalendarProviderAccount,
        refused: Option<&Secret>,
    ) -> Result<Secret, EngineError> {
        let unusable = || EngineError::ConsentNeeded(UNUSABLE.to_owned());
        let credential_id = account.credential_id.as_ref().ok_or_else(unusable)?;
        let credential = {
            let tx = &mut self.0.store.read().await?;
            provider_credential_get(tx, &account.organization_id, credential_id).await?.ok_or_else(unusable)?
        };
        let agent = self.open_credential(&credential)?;
        let mailbox = match agent {
            Agent::ServiceAccount(_) => Some(mailbox_of(account).to_owned()),
            Agent::Application(_) => None,
        };
        let slot = self.0.minted.of((credential_id.clone(), mailbox));
        let mut slot = slot.lock().await;
        let digest: [u8; 32] = Sha256::digest(&credential.ciphertext).into();
        let good = slot.as_ref().filter(|minted| {
            minted.expires_at - MARGIN > self.now()
                && minted.credential == digest
                && refused.is_none_or(|refused| !refused.matches(minted.token.expose()))
        });
        if let Some(minted) = good {
            return Ok(minted.token.clone());
        }
        let grant = self.mint(&agent, mailbox_of(account)).await;
        let label = if grant.is_ok() { "ok" } else { "refused" };
        metrics::counter!("cupo_token_mints_total", "result" => label).increment(1);
        let grant = grant?;
        let lives = TimeDelta::from_std(grant.expires_in).unwrap_or(TimeDelta::zero());
        let token = grant.access_token.clone();
        *slot = Some(Minted { token, credential: digest, expires_at: self.now() + lives });
        Ok(grant.access_token)
    }

    async fn mint(&self, agent: &Agent, mailbox: &str) -> Result<TokenGrant, EngineError> {
        let grant = match agent {
            Agent::ServiceAccount(service_account) => service_account.token_for(mailbox, self.now()).await,
            Agent::Application(application) => application.application_token().await,
        };
        grant.map_err(|error| ProviderError::from(error).into())
    }
}
