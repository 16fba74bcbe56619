use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use cupo_core::ids::{CalendarId, OrganizationId};
use cupo_providers::{CalendarProvider, Renewal, Secret, WatchRequest};
use cupo_store::{
    Calendar, Job, ProviderSubscription, Tx, account_get, calendar_get, subscription_extend, subscription_insert,
    subscription_list_by_calendar,
};
use serde::{Deserialize, Serialize};

use super::{Outcome, PullChanges, StopChannel, Task};
use crate::{
    Engine, EngineError,
    channel_token::{Opener, token_of},
    engine::{digest, transact},
    random::RandomSourceExt,
};

/// Google's own default, and the most that Microsoft gives (10,080 minutes).
const TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// Sees to it that a calendar has a notification channel. One that ends soon is renewed, where the provider can. Where it
/// cannot, the new channel is committed first, then the old ones are stopped, and both tell of changes in between.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OpenChannel {
    pub(crate) calendar_id: CalendarId,
    /// Renew it although it has long to live: the provider asked for that.
    #[serde(default)]
    pub(crate) renews: bool,
}

impl OpenChannel {
    pub(crate) fn of(calendar_id: CalendarId) -> Self {
        Self { calendar_id, renews: false }
    }
}

impl Task for OpenChannel {
    const KIND: &'static str = "open_channel";
    const PATIENCE: TimeDelta = TimeDelta::days(1);

    fn coalescing_key(&self) -> String {
        let renews = if self.renews { ":renew" } else { "" };
        format!("{}{renews}", self.calendar_id)
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, _: &Job) -> Result<Outcome, EngineError> {
        let (calendar, provider, old, is_used) = {
            let tx = &mut engine.0.store.read().await?;
            let calendar = calendar_get(tx, organization_id, &self.calendar_id).await?;
            let Some(calendar) = calendar else { return Ok(Outcome::Done) };
            let is_used = engine.is_in_use(tx, &calendar).await?;
            let old = subscription_list_by_calendar(tx, organization_id, &self.calendar_id).await?;
            let account = account_get(tx, organization_id, &calendar.account_id).await?;
            let Some(account) = account else { return Ok(Outcome::Done) };
            (calendar, account.provider, old, is_used)
        };
        if !is_used {
            // It tells of what counts for nothing.
            transact!(engine, tx => stop_all(engine, tx, &calendar, &old).await?)?;
            engine.committed(organization_id);
            return Ok(Outcome::Done);
        }
        let Some(address) = engine.0.settings.webhook_url(provider).cloned() else { return Ok(Outcome::Done) };
        let lasts = |subscription: &ProviderSubscription| {
            subscription.expires_at > engine.now() + crate::worker::RENEWAL_MARGIN
        };
        if old.iter().any(lasts) && !self.renews {
            return Ok(Outcome::Done);
        }
        if let Some(newest) = old.iter().max_by_key(|subscription| subscription.expires_at) {
            let resource_id = newest.resource_id.as_str();
            let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
                provider.renew(&access, resource_id, TTL).await
            };
            let renewal = engine.call_provider(organization_id, &calendar.account_id, call).await?;
            if let Renewal::Extended(until) = renewal {
                transact!(engine, tx => {
                    subscription_extend(tx, organization_id, &newest.id, until).await?;
                })?;
                engine.committed(organization_id);
                return Ok(Outcome::Done);
            }
        }
        let id = engine.0.random.uuid(engine.now());
        let opener = Opener { organization_id: organization_id.clone(), account_id: calendar.account_id.clone() };
        let token = token_of(&engine.0.session_secret, &opener, &id);
        let request = WatchRequest { id, token: Secret::new(token.as_str()), address, ttl: TTL };
        let request = &request;
        let external_id = calendar.external_id.as_str();
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.watch(&access, external_id, request).await
        };
        let watch = engine.call_provider(organization_id, &calendar.account_id, call).await?;
        let subscription = ProviderSubscription {
            id: request.id.parse().map_err(|e| EngineError::internal("a channel's id", e))?,
            organization_id: organization_id.clone(),
            calendar_id: calendar.id.clone(),
            provider,
            resource_id: watch.resource_id,
            token_hash: digest(&token),
            expires_at: watch.expires_at,
            last_message_number: 0,
            created_at: engine.now(),
        };
        transact!(engine, tx => {
            subscription_insert(tx, &subscription).await?;
            // What was told between the opening and this commit went to a channel that nobody knew.
            engine.enqueue(tx, organization_id, &PullChanges { calendar_id: calendar.id.clone() }).await?;
            stop_all(engine, tx, &calendar, &old).await?;
        })?;
        engine.committed(organization_id);
        Ok(Outcome::Done)
    }
}

async fn stop_all(
    engine: &Engine,
    tx: &mut Tx,
    calendar: &Calendar,
    subscriptions: &[ProviderSubscription],
) -> Result<(), EngineError> {
    for subscription in subscriptions {
        let account_id = calendar.account_id.clone();
        let stop = StopChannel { account_id, subscription_id: subscription.id.clone() };
        engine.enqueue(tx, &calendar.organization_id, &stop).await?;
    }
    Ok(())
}
