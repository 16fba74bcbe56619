//! Asking the provider itself when the host is free.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

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

impl Engine {
    /// Asks for the busy time of `calendars` within `range`: one call for each account, all at once, each within
    /// `patience`. To be called outside any transaction.
    pub(crate) async fn live_busy(
        &self,
        organization_id: &OrganizationId,
        calendars: impl IntoIterator<Item = &Calendar>,
        range: Interval,
        patience: Duration,
    ) -> Vec<(CalendarId, Live)> {
        let mut accounts = BTreeMap::<&AccountId, Vec<&Calendar>>::new();
        for calendar in calendars {
            accounts.entry(&calendar.account_id).or_default().push(calendar);
        }
        let asked = accounts.into_iter().map(|(account_id, calendars)| async move {
            let asked = self.ask_account(organization_id, account_id, &calendars, range);
            let answer = match tokio::time::timeout(patience, asked).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => {
                    tracing::warn!(account = %account_id, %error, "the live free/busy check failed");
                    Vec::new()
                }
                Err(_) => {
                    tracing::warn!(account = %account_id, "the live free/busy check took too long");
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
