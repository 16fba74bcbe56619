//! The notifications of one transaction.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use cupo_core::ids::{InboxMessageId, SubscriptionId};
use cupo_providers::{Notification, NotificationState};
use cupo_store::{
    AccountState, Calendar, InboxMessage, Provider, ProviderSubscription, Tx, account_get, calendar_get,
    calendar_update_sync, inbox_insert, job_run_at, subscription_advance_message, subscription_delete,
    subscription_list_by_ids,
};

use super::{
    Delivery,
    NotificationOutcome::{self, Accepted, Ignored},
};
use crate::{
    Engine, EngineError,
    channel_token::{Opener, is_right, opener_of},
    engine::transact,
    jobs::{OpenChannel, PullChanges, StopOrphan},
};

const UNKNOWN: NotificationOutcome = Ignored("unknown_channel");

/// A notification, and the channel that it says it is of.
struct Told<'a> {
    provider: Provider,
    channel: Option<SubscriptionId>,
    notification: &'a Notification,
}

/// What a look at the store says of a notification.
#[derive(PartialEq, Eq)]
enum Verdict {
    /// Nothing has to be written.
    Settled(NotificationOutcome),
    /// It is of a channel that is stored.
    Known(SubscriptionId),
    /// It is of a channel of ours that is not stored.
    Orphan(SubscriptionId, Opener),
}

/// Whether a notification of this state asks for its calendar to be read.
fn tells_of_changes(state: NotificationState) -> bool {
    match state {
        NotificationState::Exists
        | NotificationState::NotExists
        | NotificationState::Ended
        | NotificationState::Missed => true,
        // The channel says that it is open, or that it wants to be renewed; nothing changed.
        NotificationState::Sync | NotificationState::RenewalNeeded => false,
    }
}

impl Engine {
    /// Takes the deliveries in one transaction; gives the outcomes of each. Where nothing has to be written none is
    /// begun.
    pub(super) async fn take_deliveries(
        &self,
        deliveries: &[Delivery],
    ) -> Result<Vec<Vec<NotificationOutcome>>, EngineError> {
        let told: Vec<Told<'_>> = deliveries
            .iter()
            .flat_map(|delivery| {
                delivery.notifications.iter().map(|notification| Told {
                    provider: delivery.provider,
                    channel: SubscriptionId::parse(&notification.channel_id).ok(),
                    notification,
                })
            })
            .collect();
        let verdicts = self.judge(&told).await?;
        let is_settled = |verdict: &Verdict| matches!(verdict, Verdict::Settled(_));
        let outcomes = if verdicts.iter().all(is_settled) {
            verdicts.iter().map(settled).collect()
        } else {
            let outcomes = transact!(self, tx => self.write_told(tx, &told, &verdicts).await?)?;
            self.enqueued();
            outcomes
        };
        let mut outcomes = outcomes.into_iter();
        Ok(deliveries.iter().map(|delivery| outcomes.by_ref().take(delivery.notifications.len()).collect()).collect())
    }

    /// Looks up all channels at once and checks the tokens.
    async fn judge(&self, told: &[Told<'_>]) -> Result<Vec<Verdict>, EngineError> {
        let mut ids: Vec<SubscriptionId> = told.iter().filter_map(|told| told.channel.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(told.iter().map(|_| Verdict::Settled(UNKNOWN)).collect());
        }
        let tx = &mut self.0.store.read().await?;
        let known = subscription_list_by_ids(tx, &ids).await?;
        let known: HashMap<_, _> = known.into_iter().map(|found| (found.id.clone(), found)).collect();
        let mut openers = HashMap::new();
        let mut pulls = HashMap::new();
        let mut verdicts = Vec::with_capacity(told.len());
        for told in told {
            let Some(id) = &told.channel else {
                verdicts.push(Verdict::Settled(UNKNOWN));
                continue;
            };
            verdicts.push(match known.get(id).filter(|known| known.provider == told.provider) {
                Some(known) => self.judge_known(tx, told, known, &mut pulls).await?,
                None if known.contains_key(id) => Verdict::Settled(UNKNOWN),
                None => self.judge_unknown(tx, told, id, &mut openers).await?,
            });
        }
        Ok(verdicts)
    }

    /// `pulls` remembers the calendars for which a pull is known to wait, or not.
    async fn judge_known(
        &self,
        tx: &mut Tx,
        told: &Told<'_>,
        subscription: &ProviderSubscription,
        pulls: &mut HashMap<SubscriptionId, bool>,
    ) -> Result<Verdict, EngineError> {
        let Notification { channel_token, resource_id, message_number, state, .. } = told.notification;
        if !bool::from(is_right(&subscription.token_hash, channel_token.expose())) {
            return Ok(Verdict::Settled(Ignored("wrong_token")));
        }
        if subscription.resource_id != *resource_id {
            return Ok(Verdict::Settled(Ignored("wrong_resource")));
        }
        // Where the provider does not count, a notification that finds its work waiting has nothing to write: that work
        // begins after this look, and finds what changed before it.
        let only_changes = matches!(state, NotificationState::Exists | NotificationState::NotExists);
        if message_number.is_none() && only_changes {
            let waits = match pulls.get(&subscription.id) {
                Some(waits) => *waits,
                None => {
                    let waits = self.pull_waits(tx, subscription).await?;
                    pulls.insert(subscription.id.clone(), waits);
                    waits
                }
            };
            if waits {
                return Ok(Verdict::Settled(Accepted));
            }
        }
        Ok(Verdict::Known(subscription.id.clone()))
    }

    /// `openers` remembers which accounts can still stop a channel.
    async fn judge_unknown(
        &self,
        tx: &mut Tx,
        told: &Told<'_>,
        id: &SubscriptionId,
        openers: &mut HashMap<Opener, bool>,
    ) -> Result<Verdict, EngineError> {
        let token = told.notification.channel_token.expose();
        let Some(opener) = opener_of(&self.0.session_secret, id.as_str(), token) else {
            return Ok(Verdict::Settled(UNKNOWN));
        };
        let can_stop = match openers.get(&opener) {
            Some(can_stop) => *can_stop,
            None => {
                let account = account_get(tx, &opener.organization_id, &opener.account_id).await?;
                let can_stop = account.is_some_and(|account| {
                    account.state != AccountState::Disconnected && account.provider == told.provider
                });
                openers.insert(opener.clone(), can_stop);
                can_stop
            }
        };
        Ok(if can_stop { Verdict::Orphan(id.clone(), opener) } else { Verdict::Settled(UNKNOWN) })
    }

    /// Whether the calendar's next pull waits and is due.
    async fn pull_waits(&self, tx: &mut Tx, subscription: &ProviderSubscription) -> Result<bool, EngineError> {
        let ProviderSubscription { organization_id, calendar_id, .. } = subscription;
        let run_at = job_run_at(tx, organization_id, &PullChanges::key_of(calendar_id)).await?;
        Ok(run_at.is_some_and(|at| at <= self.now()))
    }

    async fn write_told(
        &self,
        tx: &mut Tx,
        told: &[Told<'_>],
        verdicts: &[Verdict],
    ) -> Result<Vec<NotificationOutcome>, EngineError> {
        let now = self.now();
        let mut outcomes: Vec<_> = verdicts.iter().map(settled).collect();
        // In the order of their ids, so that no two processes wait for one another.
        let mut of_channels: BTreeMap<&SubscriptionId, Vec<usize>> = BTreeMap::new();
        let mut orphans: BTreeMap<&SubscriptionId, (&Opener, &str)> = BTreeMap::new();
        for (index, verdict) in verdicts.iter().enumerate() {
            match verdict {
                Verdict::Settled(_) => {}
                Verdict::Known(id) => of_channels.entry(id).or_default().push(index),
                Verdict::Orphan(id, opener) => {
                    orphans.insert(id, (opener, told[index].notification.resource_id.as_str()));
                }
            }
        }
        let ids: Vec<SubscriptionId> = of_channels.keys().map(|id| (*id).clone()).collect();
        for subscription in subscription_list_by_ids(tx, &ids).await? {
            let Some(indices) = of_channels.get(&subscription.id) else { continue };
            let of_channel: Vec<&Notification> = indices.iter().map(|index| told[*index].notification).collect();
            let are_new = self.note(tx, &subscription, &of_channel, now).await?;
            for (index, is_new) in indices.iter().zip(are_new) {
                outcomes[*index] = if is_new { Accepted } else { Ignored("replayed") };
            }
        }
        for (id, (opener, resource_id)) in orphans {
            tracing::debug!(channel = %id, "a channel of ours that is not stored tells something");
            let stop = StopOrphan {
                account_id: opener.account_id.clone(),
                channel_id: id.clone(),
                resource_id: resource_id.to_owned(),
            };
            let run_at = now + StopOrphan::PATIENCE_WITH_OPENING;
            self.enqueue_at(tx, &opener.organization_id, &stop, run_at).await?;
        }
        Ok(outcomes)
    }

    /// Does what the notifications of one channel ask for; says of each whether it is new.
    async fn note(
        &self,
        tx: &mut Tx,
        subscription: &ProviderSubscription,
        told: &[&Notification],
        now: DateTime<Utc>,
    ) -> Result<Vec<bool>, EngineError> {
        let ProviderSubscription { id, organization_id, calendar_id, last_message_number, .. } = subscription;
        let mut last = *last_message_number;
        let mut are_new: Vec<bool> = told
            .iter()
            .map(|told| match told.message_number {
                Some(number) if number <= last => false,
                Some(number) => {
                    last = number;
                    true
                }
                None => true,
            })
            .collect();
        if last > *last_message_number && !subscription_advance_message(tx, id, last).await? {
            // Another process was told the same, or more, since the subscription was read.
            are_new = told.iter().map(|told| told.message_number.is_none()).collect();
        }
        let states: Vec<NotificationState> =
            told.iter().zip(&are_new).filter(|(_, is_new)| **is_new).map(|(told, _)| told.state).collect();
        if states.contains(&NotificationState::RenewalNeeded) {
            let open = OpenChannel { calendar_id: calendar_id.clone(), renews: true };
            self.enqueue(tx, organization_id, &open).await?;
        }
        if states.contains(&NotificationState::Ended) {
            subscription_delete(tx, organization_id, id).await?;
            self.enqueue(tx, organization_id, &OpenChannel::of(calendar_id.clone())).await?;
        }
        if states.contains(&NotificationState::Missed)
            && let Some(calendar) = calendar_get(tx, organization_id, calendar_id).await?
        {
            let Calendar { synced_at, mirror_until, sync_error, .. } = &calendar;
            let error = sync_error.as_deref();
            calendar_update_sync(tx, organization_id, calendar_id, None, *synced_at, *mirror_until, error).await?;
        }
        if states.into_iter().any(tells_of_changes) && !self.pull_waits(tx, subscription).await? {
            let message_id: InboxMessageId = self.fresh();
            let numbered = told.iter().any(|told| told.message_number.is_some());
            let message = InboxMessage {
                organization_id: organization_id.clone(),
                subscription_id: id.clone(),
                // Without a number, one delivery is not told from another: the pull is coalesced anyway.
                dedupe_key: if numbered { last.to_string() } else { message_id.to_string() },
                id: message_id,
                received_at: now,
            };
            inbox_insert(tx, &message).await?;
            self.enqueue(tx, organization_id, &PullChanges { calendar_id: calendar_id.clone() }).await?;
        }
        Ok(are_new)
    }
}

/// What is known of a notification before anything is written: one of a channel that is gone by then is of an unknown
/// one.
fn settled(verdict: &Verdict) -> NotificationOutcome {
    match verdict {
        Verdict::Settled(outcome) => *outcome,
        Verdict::Known(_) => UNKNOWN,
        Verdict::Orphan(..) => Ignored("orphan"),
    }
}
