//! Asking the provider itself when the host is free.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    ids::{AccountId, CalendarId, OrganizationId},
    interval::Interval,
};
use cupo_providers::CalendarProvider;
use cupo_store::Calendar;
use futures::future::join_all;

use crate::{Engine, EngineError};

/// What the provider said of one calendar.
#[derive(Debug)]
pub(crate) enum Live {
    /// These times are taken.
    Busy(Vec<Interval>),
    /// It could not be learned: this is never the same as free.
    Unknown,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Somebody who looks at slots, and waits for `stale_patience`. An account that kept one of them waiting in vain is not
    /// asked for the others for [`SILENCE`].
    Slots,
    /// Somebody who books, and waits for `live_check_timeout`.
    Booking,
}

/// How long those who look at slots leave an account alone that did not answer one of them.
const SILENCE: TimeDelta = TimeDelta::seconds(5);

/// The accounts of this process that did not answer in time, and when.
#[derive(Default)]
pub(crate) struct Silent(Mutex<HashMap<AccountId, DateTime<Utc>>>);

impl Silent {
    fn is_silent(&self, id: &AccountId, now: DateTime<Utc>) -> bool {
        self.lock().get(id).is_some_and(|since| now < *since + SILENCE)
    }

    fn note(&self, id: &AccountId, now: DateTime<Utc>) {
        let mut silent = self.lock();
        silent.retain(|_, since| now < *since + SILENCE);
        silent.insert(id.clone(), now);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, DateTime<Utc>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Asks for the busy time of `calendars` within `range`: one call for each account, all at once, each for as long as the
    /// asker waits. To be called outside any transaction.
    pub(crate) async fn live_busy(
        &self,
        organization_id: &OrganizationId,
        calendars: impl IntoIterator<Item = &Calendar>,
        range: Interval,
        asker: Asker,
    ) -> Vec<(CalendarId, Live)> {
        let mut accounts = BTreeMap::<&AccountId, Vec<&Calendar>>::new();
        for calendar in calendars {
            accounts.entry(&calendar.account_id).or_default().push(calendar);
        }
        let patience = match asker {
            Asker::Slots => self.0.settings.stale_patience,
            Asker::Booking => self.0.settings.live_check_timeout,
        };
        let asked = accounts.into_iter().map(|(account_id, calendars)| async move {
            if asker == Asker::Slots && self.0.silent.is_silent(account_id, self.now()) {
                return calendars.iter().map(|calendar| (calendar.id.clone(), Live::Unknown)).collect::<Vec<_>>();
            }
            let asked = self.ask_account(organization_id, account_id, &calendars, range);
            let answer = match tokio::time::timeout(patience, asked).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => {
                    tracing::warn!(account = %account_id, %error, "the live free/busy check failed");
                    Vec::new()
                }
                Err(_) => {
                    tracing::warn!(account = %account_id, "the live free/busy check took too long");
                    self.0.silent.note(account_id, self.now());
                    Vec::new()
                }
            };
            let mut answer = answer.into_iter();
            let of = |calendar: &&Calendar| (calendar.id.clone(), answer.next().unwrap_or(Live::Unknown));
            calendars.iter().map(of).collect::<Vec<_>>()
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn ask_account(
        &self,
        organization_id: &OrganizationId,
        account_id: &AccountId,
        calendars: &[&Calendar],
        range: Interval,
    ) -> Result<Vec<Live>, EngineError> {
        let ids: Vec<&str> = calendars.iter().map(|calendar| calendar.external_id.as_str()).collect();
        let ids = &ids;
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.free_busy(&access, ids, range).await
        };
        let mut answer = self.call_provider(organization_id, account_id, call).await?;
        let live = calendars.iter().map(|calendar| {
            let of_calendar = answer.iter_mut().find(|answer| answer.calendar == calendar.external_id);
            match of_calendar.map(|answer| std::mem::replace(&mut answer.busy, Ok(Vec::new()))) {
                Some(Ok(busy)) => Live::Busy(busy),
                Some(Err(problem)) => {
                    tracing::warn!(calendar = %calendar.id, reason = %problem.reason, "free/busy is unknown");
                    Live::Unknown
                }
                None => Live::Unknown,
            }
        });
        Ok(live.collect())
    }
}
