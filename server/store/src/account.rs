//! Connected mailboxes and how they authenticate.

use chrono::{DateTime, Utc};
use cupo_core::ids::{AccountId, CredentialId, OrganizationId, UserId};

use crate::row::{Fields, Record, shown_in_debug, text_enum};
use crate::tx::sql;
use crate::{StoreError, Tx};

text_enum! {
    /// Who holds the calendars.
    pub enum Provider {
        Google = "google",
        Outlook = "outlook",
        Caldav = "caldav",
        Ics = "ics",
    }
}

text_enum! {
    /// How an account proves to its provider that it may act.
    pub enum AuthKind {
        /// The user has consented.
        UserOauth = "user_oauth",
        /// A Google service account, which impersonates the user.
        ServiceAccount = "service_account",
        /// A Microsoft application, to which an administrator gave the mailbox.
        Application = "application",
        /// What the user has entered and nobody else knows: a password, or the secret address of a feed.
        Password = "password",
    }
}

text_enum! {
    /// Whether an account can be used.
    pub enum AccountState {
        /// Unless there is a `state_reason`, it works. A reason names whose turn it is to make it work again; it is
        /// tried meanwhile.
        Active = "active",
        /// The provider refuses what is stored: the user has to consent anew, or to enter another password.
        ReconnectNeeded = "reconnect_needed",
        Disconnected = "disconnected",
    }
}

/// A user's mailbox at a provider.
#[derive(Clone)]
pub struct CalendarProviderAccount {
    pub id: AccountId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub provider: Provider,
    pub auth_kind: AuthKind,
    /// The mailbox's address, or what else the user knows the account by.
    pub email: String,
    pub impersonated_email: Option<String>,
    /// What acts for the account, if that is not the user's own consent or password.
    pub credential_id: Option<CredentialId>,
    pub scopes: Vec<String>,
    pub token_ciphertext: Option<Vec<u8>>,
    /// Rises with each [`account_update_token`] and [`account_reconnect`].
    pub token_version: i64,
    pub state: AccountState,
    pub state_reason: Option<String>,
    /// The claims (JSON) that a policy demands of the next sign-in.
    pub claims_challenge: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

shown_in_debug!(CalendarProviderAccount {
    id,
    organization_id,
    user_id,
    provider,
    auth_kind,
    email,
    impersonated_email,
    credential_id,
    scopes,
    token_version,
    state,
    state_reason,
    created_at,
    updated_at,
});

macro_rules! columns {
    () => {
        "id, organization_id, user_id, provider, auth_kind, email, impersonated_email, credential_id, scopes, \
         token_ciphertext, token_version, state, state_reason, claims_challenge, created_at, updated_at"
    };
}

impl Record for CalendarProviderAccount {
    const TABLE: &'static str = "calendar_provider_account";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", AccountId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            provider: fields.choice("provider", Provider::parse)?,
            auth_kind: fields.choice("auth_kind", AuthKind::parse)?,
            email: fields.text("email")?,
            impersonated_email: fields.optional_text("impersonated_email")?,
            credential_id: fields.optional_parse("credential_id", CredentialId::parse)?,
            scopes: fields.json("scopes")?,
            token_ciphertext: fields.optional_blob("token_ciphertext")?,
            token_version: fields.int("token_version")?,
            state: fields.choice("state", AccountState::parse)?,
            state_reason: fields.optional_text("state_reason")?,
            claims_challenge: fields.optional_text("claims_challenge")?,
            created_at: fields.instant("created_at")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

/// Fails with `Unique("calendar_provider_account.email")` when the user has connected the mailbox already.
pub async fn account_insert(tx: &mut Tx, account: &CalendarProviderAccount) -> Result<(), StoreError> {
    sql(concat!(
        "insert into calendar_provider_account (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    ))
    .bind(&account.id)
    .bind(&account.organization_id)
    .bind(&account.user_id)
    .bind(account.provider.as_str())
    .bind(account.auth_kind.as_str())
    .bind(&account.email)
    .bind(&account.impersonated_email)
    .bind(account.credential_id.as_ref())
    .bind(serde_json::to_string(&account.scopes)?)
    .bind(&account.token_ciphertext)
    .bind(account.token_version)
    .bind(account.state.as_str())
    .bind(&account.state_reason)
    .bind(&account.claims_challenge)
    .bind(account.created_at)
    .bind(account.updated_at)
    .execute(tx)
    .await
    .map(drop)
}

pub async fn account_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    account_id: &AccountId,
) -> Result<Option<CalendarProviderAccount>, StoreError> {
    sql(concat!("select ", columns!(), " from calendar_provider_account where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(account_id)
        .optional(tx)
        .await
}

/// The user's accounts in every state, oldest first.
pub async fn account_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Vec<CalendarProviderAccount>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from calendar_provider_account where organization_id = $1 and user_id = $2 order by created_at, id"
    ))
    .bind(organization_id)
    .bind(user_id)
    .list(tx)
    .await
}

/// The accounts of all organizations that can be used: for the worker.
pub async fn account_list_active(tx: &mut Tx) -> Result<Vec<CalendarProviderAccount>, StoreError> {
    sql(concat!("select ", columns!(), " from calendar_provider_account where state = 'active' order by id"))
        .list(tx)
        .await
}

/// The mailbox `email` of the user, whatever its state. Addresses are compared as they were stored.
pub async fn account_get_by_email(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    provider: Provider,
    email: &str,
) -> Result<Option<CalendarProviderAccount>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from calendar_provider_account
         where organization_id = $1 and user_id = $2 and provider = $3 and email = $4"
    ))
    .bind(organization_id)
    .bind(user_id)
    .bind(provider.as_str())
    .bind(email)
    .optional(tx)
    .await
}

/// Stores a token if the version is still `expected_version`, and raises the version by one. `false`: somebody else has
/// stored one meanwhile (read it again), or the account is gone.
pub async fn account_update_token(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    account_id: &AccountId,
    expected_version: i64,
    token_ciphertext: &[u8],
    scopes: &[String],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar_provider_account
            set token_ciphertext = $4, scopes = $5, token_version = token_version + 1, updated_at = $6
          where organization_id = $1 and id = $2 and token_version = $3")
    .bind(organization_id)
    .bind(account_id)
    .bind(expected_version)
    .bind(token_ciphertext)
    .bind(serde_json::to_string(scopes)?)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Connects the account anew: stores how it is authorized from now on, makes it active, and raises the token's version,
/// if that is still the one of `account`. `false`: somebody else has connected it or stored a token meanwhile, or it is
/// gone.
pub async fn account_reconnect(
    tx: &mut Tx,
    account: &CalendarProviderAccount,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar_provider_account
            set auth_kind = $4, impersonated_email = $5, credential_id = $6, scopes = $7, token_ciphertext = $8,
                token_version = token_version + 1, state = 'active', state_reason = null, claims_challenge = null,
                updated_at = $9
          where organization_id = $1 and id = $2 and token_version = $3")
    .bind(&account.organization_id)
    .bind(&account.id)
    .bind(account.token_version)
    .bind(account.auth_kind.as_str())
    .bind(&account.impersonated_email)
    .bind(account.credential_id.as_ref())
    .bind(serde_json::to_string(&account.scopes)?)
    .bind(&account.token_ciphertext)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// The accounts for which a credential acts, in every state, oldest first.
pub async fn account_list_by_credential(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    credential_id: &CredentialId,
) -> Result<Vec<CalendarProviderAccount>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from calendar_provider_account where organization_id = $1 and credential_id = $2 order by created_at, id"
    ))
    .bind(organization_id)
    .bind(credential_id)
    .list(tx)
    .await
}

/// Keeps the claims (JSON) that a policy demands of the next sign-in, until [`account_reconnect`].
pub async fn account_set_claims_challenge(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    account_id: &AccountId,
    claims: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar_provider_account set claims_challenge = $3, updated_at = $4
          where organization_id = $1 and id = $2")
    .bind(organization_id)
    .bind(account_id)
    .bind(claims)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

pub async fn account_update_state(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    account_id: &AccountId,
    state: AccountState,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar_provider_account set state = $3, state_reason = $4, updated_at = $5
          where organization_id = $1 and id = $2")
    .bind(organization_id)
    .bind(account_id)
    .bind(state.as_str())
    .bind(reason)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Deletes the account with its calendars, their busy intervals and subscriptions. Appointments and their external
/// mappings stay.
pub async fn account_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    account_id: &AccountId,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from calendar_provider_account where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(account_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}
