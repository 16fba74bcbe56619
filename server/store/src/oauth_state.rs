//! Consents that are under way.

use chrono::{DateTime, Utc};
use cupo_core::ids::{OrganizationId, UserId};

use crate::account::Provider;
use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// What is remembered of an authorization request until its callback (RFC 6749, 10.12; RFC 7636).
#[derive(Clone)]
pub struct OauthState {
    pub state_hash: Vec<u8>,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub provider: Provider,
    /// Of the session that started it: the callback must come from the same browser.
    pub session_token_hash: Vec<u8>,
    pub pkce_verifier_ciphertext: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

shown_in_debug!(OauthState { organization_id, user_id, provider, created_at, expires_at });

macro_rules! columns {
    () => {
        "state_hash, organization_id, user_id, provider, session_token_hash, pkce_verifier_ciphertext, created_at, \
         expires_at"
    };
}

impl Record for OauthState {
    const TABLE: &'static str = "oauth_state";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            state_hash: fields.blob("state_hash")?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            provider: fields.choice("provider", Provider::parse)?,
            session_token_hash: fields.blob("session_token_hash")?,
            pkce_verifier_ciphertext: fields.blob("pkce_verifier_ciphertext")?,
            created_at: fields.instant("created_at")?,
            expires_at: fields.instant("expires_at")?,
        })
    }
}

pub async fn oauth_state_insert(tx: &mut Tx, state: &OauthState) -> Result<(), StoreError> {
    sql(concat!("insert into oauth_state (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8)"))
        .bind(&state.state_hash)
        .bind(&state.organization_id)
        .bind(&state.user_id)
        .bind(state.provider.as_str())
        .bind(&state.session_token_hash)
        .bind(&state.pkce_verifier_ciphertext)
        .bind(state.created_at)
        .bind(state.expires_at)
        .execute(tx)
        .await
        .map(drop)
}

/// Takes the state out, so that it serves once. `None`: unknown, used already, or expired at `now`.
pub async fn oauth_state_take(
    tx: &mut Tx,
    state_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<OauthState>, StoreError> {
    sql(concat!("delete from oauth_state where state_hash = $1 and expires_at > $2 returning ", columns!()))
        .bind(state_hash)
        .bind(now)
        .optional(tx)
        .await
}

/// Deletes at most `limit`; answers how many.
pub async fn oauth_states_delete_expired(tx: &mut Tx, now: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
    sql("delete from oauth_state where state_hash in (
           select state_hash from oauth_state where expires_at <= $1 order by expires_at limit $2)")
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await
}
