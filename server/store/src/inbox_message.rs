//! Notifications that were received, each once.

use chrono::{DateTime, Utc};
use cupo_core::ids::{InboxMessageId, OrganizationId, SubscriptionId};

use crate::tx::sql;
use crate::{StoreError, Tx};

/// A notification of a provider that made work: one that finds its work waiting leaves no trace of its own.
#[derive(Debug, Clone)]
pub struct InboxMessage {
    pub id: InboxMessageId,
    pub organization_id: OrganizationId,
    pub subscription_id: SubscriptionId,
    /// What makes a repeated delivery the same message; unique in the subscription.
    pub dedupe_key: String,
    pub received_at: DateTime<Utc>,
}

/// Notes the message. `false`: it was received before.
pub async fn inbox_insert(tx: &mut Tx, message: &InboxMessage) -> Result<bool, StoreError> {
    let inserted = sql("insert into inbox_message (id, organization_id, subscription_id, dedupe_key, received_at)
         values ($1, $2, $3, $4, $5)
         on conflict (subscription_id, dedupe_key) do nothing")
    .bind(&message.id)
    .bind(&message.organization_id)
    .bind(&message.subscription_id)
    .bind(&message.dedupe_key)
    .bind(message.received_at)
    .execute(tx)
    .await?;
    Ok(inserted == 1)
}

/// Forgets the messages of all organizations from before `before`, at most `limit` of them; answers how many.
pub async fn inbox_delete_before(tx: &mut Tx, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
    sql("delete from inbox_message where id in (
           select id from inbox_message where received_at < $1 order by received_at limit $2)")
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}
