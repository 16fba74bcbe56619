//! Provider notifications: hints that a calendar changed, never what.

use cupo_core::ids::{InboxMessageId, SubscriptionId};
use cupo_providers::{Notification, NotificationState};
use cupo_store::{
    Calendar, InboxMessage, Provider, ProviderSubscription, Tx, calendar_get, calendar_update_sync, inbox_insert,
    subscription_advance_message, subscription_delete, subscription_get,
};
use http::HeaderMap;
use subtle::ConstantTimeEq;

use crate::{
    Engine, EngineError,
    engine::{digest, transact},
    jobs::{OpenChannel, PullChanges},
};

/// What became of a notification. Either way the provider is told that it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// The calendar will be read.
    Accepted,
    /// Nothing was done; the text says why.
    Ignored(&'static str),
}

impl Engine {
    /// Takes the notifications of one delivery of a provider. One of an unknown channel, with a wrong token, or one that came
    /// before does nothing.
    pub async fn notifications(
        &self,
        provider: Provider,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<NotificationOutcome>, EngineError> {
        let mut outcomes = Vec::new();
        match self.provider(provider).read_notifications(headers, body) {
            Ok(notifications) => {
                for notification in notifications {
                    outcomes.push(self.take_notification(provider, notification).await?);
                }
            }
            Err(_) => outcomes.push(NotificationOutcome::Ignored("malformed")),
        }
        for outcome in &outcomes {
            let label = match outcome {
                NotificationOutcome::Accepted => "accepted",
                NotificationOutcome::Ignored(why) => why,
            };
            let labels = [("provider", provider.as_str()), ("outcome", label)];
            metrics::counter!("cupo_notifications_total", &labels).increment(1);
        }
        if outcomes.contains(&NotificationOutcome::Accepted) {
            self.0.wake.notify_one();
        }
        Ok(outcomes)
    }

    async fn take_notification(
        &self,
        provider: Provider,
        notification: Notification,
    ) -> Result<NotificationOutcome, EngineError> {
        use NotificationOutcome::Ignored;
        let Ok(id) = SubscriptionId::parse(&notification.channel_id) else { return Ok(Ignored("unknown_channel")) };
        let subscription = subscription_get(&mut self.0.store.read().await?, &id).await?;
        let Some(subscription) = subscription.filter(|subscription| subscription.provider == provider) else {
            return Ok(Ignored("unknown_channel"));
        };
        let presented = digest(notification.channel_token.expose());
        if !bool::from(presented.ct_eq(&subscription.token_hash)) {
            return Ok(Ignored("wrong_token"));
        }
        if subscription.resource_id != notification.resource_id {
            return Ok(Ignored("wrong_resource"));
        }
        transact!(self, tx => self.note(tx, &subscription, &notification).await?)
    }

    async fn note(
        &self,
        tx: &mut Tx,
        subscription: &ProviderSubscription,
        notification: &Notification,
    ) -> Result<NotificationOutcome, EngineError> {
        let ProviderSubscription { id, organization_id, calendar_id, .. } = subscription;
        if let Some(number) = notification.message_number
            && !subscription_advance_message(tx, id, number).await?
        {
            return Ok(NotificationOutcome::Ignored("replayed"));
        }
        let calendar_id = calendar_id.clone();
        match notification.state {
            // The channel says that it is open; nothing changed.
            NotificationState::Sync => return Ok(NotificationOutcome::Accepted),
            NotificationState::RenewalNeeded => {
                self.enqueue(tx, organization_id, &OpenChannel { calendar_id, renews: true }).await?;
                return Ok(NotificationOutcome::Accepted);
            }
            NotificationState::Ended => {
                subscription_delete(tx, organization_id, id).await?;
                self.enqueue(tx, organization_id, &OpenChannel::of(calendar_id.clone())).await?;
            }
            NotificationState::Missed => {
                if let Some(calendar) = calendar_get(tx, organization_id, &calendar_id).await? {
                    let Calendar { synced_at, mirror_until, sync_error, .. } = &calendar;
                    let error = sync_error.as_deref();
                    calendar_update_sync(tx, organization_id, &calendar_id, None, *synced_at, *mirror_until, error)
                        .await?;
                }
            }
            NotificationState::Exists | NotificationState::NotExists => {}
        }
        let message_id: InboxMessageId = self.fresh();
        let message = InboxMessage {
            organization_id: organization_id.clone(),
            subscription_id: id.clone(),
            // Without a number, one delivery is not told from another: the pull is coalesced anyway.
            dedupe_key: notification.message_number.map_or(message_id.to_string(), |number| number.to_string()),
            id: message_id,
            received_at: self.now(),
        };
        inbox_insert(tx, &message).await?;
        self.enqueue(tx, organization_id, &PullChanges { calendar_id }).await?;
        Ok(NotificationOutcome::Accepted)
    }
}
