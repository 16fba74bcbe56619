//! Provider notifications: hints that a calendar changed, never what.

use cupo_core::ids::SubscriptionId;
use cupo_providers::{CalendarProvider, NotificationState};
use cupo_store::{InboxMessage, inbox_insert, subscription_advance_message, subscription_get};
use http::HeaderMap;
use subtle::ConstantTimeEq;

use crate::{
    Engine, EngineError,
    engine::{digest, transact},
    jobs::PullChanges,
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
    /// Takes a notification of a Google channel. One of an unknown channel, with a wrong token, or one that came before
    /// does nothing.
    pub async fn google_notification(&self, headers: &HeaderMap) -> Result<NotificationOutcome, EngineError> {
        let outcome = self.take_notification(headers).await?;
        let label = match outcome {
            NotificationOutcome::Accepted => "accepted",
            NotificationOutcome::Ignored(why) => why,
        };
        metrics::counter!("cupo_notifications_total", "outcome" => label).increment(1);
        Ok(outcome)
    }

    async fn take_notification(&self, headers: &HeaderMap) -> Result<NotificationOutcome, EngineError> {
        use NotificationOutcome::{Accepted, Ignored};
        let Ok(notification) = self.google()?.provider.verify_notification(headers) else {
            return Ok(Ignored("malformed"));
        };
        let Ok(id) = SubscriptionId::parse(&notification.channel_id) else { return Ok(Ignored("unknown_channel")) };
        let Some(subscription) = subscription_get(&mut self.0.store.read().await?, &id).await? else {
            return Ok(Ignored("unknown_channel"));
        };
        let presented = digest(notification.channel_token.expose());
        if !bool::from(presented.ct_eq(&subscription.token_hash)) {
            return Ok(Ignored("wrong_token"));
        }
        if subscription.resource_id != notification.resource_id {
            return Ok(Ignored("wrong_resource"));
        }
        let organization_id = &subscription.organization_id;
        let number = notification.message_number;
        let outcome = transact!(self, tx => {
            if !subscription_advance_message(tx, &id, number).await? {
                Ignored("replayed")
            } else if notification.state == NotificationState::Sync {
                // The channel says that it is open; nothing changed.
                Accepted
            } else {
                let message = InboxMessage {
                    id: self.fresh(),
                    organization_id: organization_id.clone(),
                    subscription_id: id.clone(),
                    dedupe_key: number.to_string(),
                    received_at: self.now(),
                };
                inbox_insert(tx, &message).await?;
                let pull = PullChanges { calendar_id: subscription.calendar_id.clone() };
                self.enqueue(tx, organization_id, &pull).await?;
                Accepted
            }
        })?;
        self.0.wake.notify_one();
        Ok(outcome)
    }
}
