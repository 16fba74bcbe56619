//! The accounts that wait for somebody else than their host: they are tried every hour, not with every call.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::AccountId;
use cupo_store::CalendarProviderAccount;

/// Between two tries. Kept in memory, so that a restart, by which an operator may have mended it, tries at once.
const PAUSE: TimeDelta = TimeDelta::hours(1);

/// When the accounts of this process that wait were tried last.
#[derive(Default)]
pub(crate) struct Resting(Mutex<HashMap<AccountId, DateTime<Utc>>>);

impl Resting {
    /// Whether the account was tried within the last hour, and not changed since by whichever process.
    pub(super) fn rests(&self, account: &CalendarProviderAccount, now: DateTime<Utc>) -> bool {
        let tried_at = self.lock().get(&account.id).copied();
        tried_at.is_some_and(|tried_at| now < tried_at + PAUSE && account.updated_at <= tried_at)
    }

    /// It was tried, in vain.
    pub(super) fn rest(&self, id: &AccountId, now: DateTime<Utc>) {
        let mut tried = self.lock();
        tried.retain(|_, tried_at| now < *tried_at + PAUSE);
        tried.insert(id.clone(), now);
    }

    /// It may be tried at once.
    pub(crate) fn wake(&self, id: &AccountId) {
        self.lock().remove(id);
    }

    /// All may be tried at once.
    pub(crate) fn wake_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, DateTime<Utc>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
