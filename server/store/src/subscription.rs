//! Subscriptions to the providers' change notifications.

use chrono::{DateTime, Utc};
use cupo_core::ids::{AccountId, CalendarId, OrganizationId, SubscriptionId};

use crate::account::Provider;
use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::{Statement, sql};
use crate::{StoreError, Tx};

/// A Google channel or a Graph subscription for one calendar.
#[derive(Clone)]
pub struct ProviderSubscription {
    /// Google's channel id.
    pub id: SubscriptionId,
    pub organization_id: OrganizationId,
    pub calendar_id: CalendarId,
    pub provider: Provider,
    /// The provider's own id, which stops the subscription.
    pub resource_id: String,
    /// Of the token that every notification must carry.
    pub token_hash: Vec<u8>,
    pub expires_at: DateTime<Utc>,
    /// The highest number of a notification so far; 0 before the first.
    pub last_message_number: i64,
    pub created_at: DateTime<Utc>,
}

shown_in_debug!(ProviderSubscription {
    id,
    organization_id,
    calendar_id,
    provider,
    resource_id,
    expires_at,
    last_message_number,
    created_at,
});

macro_rules! columns {
    () => {
        "s.id, s.organization_id, s.calendar_id, s.provider, s.resource_id, s.token_hash, s.expires_at, \
         s.last_message_number, s.created_at"
    };
}

impl Record for ProviderSubscription {
    const TABLE: &'static str = "provider_subscription";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", SubscriptionId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            calendar_id: fields.parse("calendar_id", CalendarId::parse)?,
            provider: fields.choice("provider", Provider::parse)?,
            resource_id: fields.text("resource_id")?,
            token_hash: fields.blob("token_hash")?,
            expires_at: fields.instant("expires_at")?,
            last_message_number: fields.int("last_message_number")?,
            created_at: fields.instant("created_at")?,
        })
    }
}

pub async fn subscription_insert(tx: &mut Tx, subscription: &ProviderSubscription) -> Result<(), StoreError> {
    sql("insert into provider_subscription
           (id, organization_id, calendar_id, provider, resource_id, token_hash, expires_at, last_message_number,
            created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(&subscription.id)
    .bind(&subscription.organization_id)
    .bind(&subscription.calendar_id)
    .bind(subscription.provider.as_str())
    .bind(&subscription.resource_id)
    .bind(&subscription.token_hash)
    .bind(subscription.expires_at)
    .bind(subscription.last_message_number)
    .bind(subscription.created_at)
    .execute(tx)
    .await
    .map(drop)
}

/// The subscription that a notification names, of any organization.
pub async fn subscription_get(
    tx: &mut Tx,
    subscription_id: &SubscriptionId,
) -> Result<Option<ProviderSubscription>, StoreError> {
    sql(concat!("select ", columns!(), " from provider_subscription s where s.id = $1"))
        .bind(subscription_id)
        .optional(tx)
        .await
}

/// As many ids as one statement names. Fewer are filled up, so that there is one text to prepare.
const IDS_AT_ONCE: usize = 64;

macro_rules! ids_at_once {
    () => {
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, \
         $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, \
         $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64"
    };
}

/// The subscriptions that many notifications name, of any organization; those that do not exist are left out.
pub async fn subscription_list_by_ids(
    tx: &mut Tx,
    subscription_ids: &[SubscriptionId],
) -> Result<Vec<ProviderSubscription>, StoreError> {
    let mut found = Vec::new();
    for ids in subscription_ids.chunks(IDS_AT_ONCE) {
        if let [only] = ids {
            found.extend(subscription_get(tx, only).await?);
            continue;
        }
        let statement =
            sql(concat!("select ", columns!(), " from provider_subscription s where s.id in (", ids_at_once!(), ")"));
        let filled = ids.iter().cycle().take(IDS_AT_ONCE);
        found.extend(filled.fold(statement, Statement::bind).list(tx).await?);
    }
    Ok(found)
}

/// The one that lasts longest first.
pub async fn subscription_list_by_calendar(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
) -> Result<Vec<ProviderSubscription>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from provider_subscription s
         where s.organization_id = $1 and s.calendar_id = $2 order by s.expires_at desc, s.id"
    ))
    .bind(organization_id)
    .bind(calendar_id)
    .list(tx)
    .await
}

/// The one that lasts longest first.
pub async fn subscription_list_by_account(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    account_id: &AccountId,
) -> Result<Vec<ProviderSubscription>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from provider_subscription s join calendar c on c.id = s.calendar_id
         where s.organization_id = $1 and c.account_id = $2 order by s.expires_at desc, s.id"
    ))
    .bind(organization_id)
    .bind(account_id)
    .list(tx)
    .await
}

/// The subscriptions of all organizations that end at or before `before`, the first to end first: for the worker.
pub async fn subscriptions_expiring(
    tx: &mut Tx,
    before: DateTime<Utc>,
) -> Result<Vec<ProviderSubscription>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from provider_subscription s where s.expires_at <= $1 order by s.expires_at, s.id"
    ))
    .bind(before)
    .list(tx)
    .await
}

/// Notes the number of a notification. `false`: it is no higher than the last one (a replay, or one that was
/// overtaken), or the subscription is gone.
pub async fn subscription_advance_message(
    tx: &mut Tx,
    subscription_id: &SubscriptionId,
    message_number: i64,
) -> Result<bool, StoreError> {
    let changed = sql("update provider_subscription set last_message_number = $2
          where id = $1 and last_message_number < $2")
    .bind(subscription_id)
    .bind(message_number)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// The subscription lives until then.
pub async fn subscription_extend(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    subscription_id: &SubscriptionId,
    expires_at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update provider_subscription set expires_at = $3 where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(subscription_id)
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

pub async fn subscription_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    subscription_id: &SubscriptionId,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from provider_subscription where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(subscription_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}
