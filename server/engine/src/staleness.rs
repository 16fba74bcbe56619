//! Telling hosts that nobody could read their calendars for long: once for each time they grow stale.

use cupo_core::ids::{AccountId, OrganizationId, UserId};
use cupo_store::{
    AccountState, Calendar, StaleHost, Tx, account_get, calendar_list_by_user, calendars_set_stale_told,
    hosts_to_tell_of_stale_calendars,
};

use crate::{Engine, EngineError, engine::transact, jobs::TellStale};

/// How many hosts are told in one go.
const BATCH: u32 = 200;

impl Engine {
    /// Enqueues a mail for each host who has a calendar that is stale for longer than `stale_grace` and who was not
    /// told of it.
    pub(crate) async fn enqueue_stale_tells(&self) -> Result<(), EngineError> {
        if self.0.mailer.is_none() {
            return Ok(());
        }
        loop {
            let now = self.now();
            let before = now - self.0.settings.stale_after - self.0.settings.stale_grace;
            let hosts = hosts_to_tell_of_stale_calendars(&mut self.0.store.read().await?, before, now, BATCH).await?;
            let mut told = 0;
            for StaleHost { organization_id, user_id } in &hosts {
                told += transact!(self, tx => {
                    let stale = self.stale_calendars(tx, organization_id, user_id).await?;
                    let ids: Vec<_> = stale.iter().map(|calendar| calendar.id.clone()).collect();
                    // All of them stand in the mail, whatever their age.
                    let told = calendars_set_stale_told(tx, organization_id, &ids, now).await?;
                    if told > 0 {
                        self.enqueue(tx, organization_id, &TellStale { user_id: user_id.clone() }).await?;
                    }
                    told
                })?;
            }
            // Were none of them stale after all, they would be found again.
            if told == 0 || hosts.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    /// The host's calendars that count for something and are stale, of accounts that are not waiting for the host
    /// anyway.
    pub(crate) async fn stale_calendars(
        &self,
        tx: &mut Tx,
        organization_id: &OrganizationId,
        user_id: &UserId,
    ) -> Result<Vec<Calendar>, EngineError> {
        let mut stale = Vec::new();
        let mut known: Option<(AccountId, bool)> = None;
        for calendar in calendar_list_by_user(tx, organization_id, user_id).await? {
            let is_active = match &known {
                Some((id, is_active)) if *id == calendar.account_id => *is_active,
                _ => {
                    let account = account_get(tx, organization_id, &calendar.account_id).await?;
                    account.is_some_and(|account| account.state == AccountState::Active)
                }
            };
            known = Some((calendar.account_id.clone(), is_active));
            if is_active
                && self.is_in_use(tx, &calendar).await?
                && self.freshness(tx, &calendar, self.now()).await?.is_stale()
            {
                stale.push(calendar);
            }
        }
        Ok(stale)
    }
}
