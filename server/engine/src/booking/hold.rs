//! Holds: a slot is kept while its visitor fills in the form.

use cupo_core::{
    slots::claim,
    wire::{HoldRequest, HoldResponse},
};
use cupo_store::{Hold, hold_delete, hold_get_by_token_hash, hold_insert};

use super::check::{Verdict, Wish};
use crate::{
    Engine, EngineError,
    availability::{Own, check_duration},
    engine::{digest, transact},
    random::RandomSourceExt,
};

impl Engine {
    /// Keeps a slot for `hold_ttl`. No provider is asked; booking does that.
    ///
    /// # Errors
    /// [`EngineError::SlotTaken`], [`EngineError::SlotRefused`], [`EngineError::NotFound`].
    pub async fn hold(&self, request: HoldRequest) -> Result<HoldResponse, EngineError> {
        let token = self.0.random.token();
        let token_hash = digest(&token);
        let replaced_hash = request.replaces.as_deref().map(digest);
        let kept = transact!(self, tx => {
            let (organization, event_type) = self.offered(tx, &request.org, &request.event).await?;
            check_duration(event_type.rules.duration, request.duration)?;
            let (schedule, _) = self.schedule_and_host(tx, &event_type).await?;
            if let Some(hash) = &replaced_hash
                && let Some(replaced) = hold_get_by_token_hash(tx, hash).await?
            {
                hold_delete(tx, &replaced.organization_id, &replaced.id).await?;
            }
            let (rules, start) = (&event_type.rules, request.start);
            let wish =
                Wish { event_type: &event_type, schedule: &schedule, rules, start, own: Own::default() };
            if self.check_within(tx, &wish, &[]).await? == Verdict::Taken {
                return Err(EngineError::SlotTaken);
            }
            let hold = Hold {
                id: self.fresh(),
                organization_id: organization.id,
                event_type_id: event_type.id.clone(),
                host_user_id: event_type.host_user_id.clone(),
                token_hash: token_hash.clone(),
                start_at: start,
                claim: claim(rules, start),
                expires_at: self.now() + self.0.settings.hold_ttl,
            };
            hold_insert(tx, &hold).await?;
            hold
        })?;
        self.committed(&kept.organization_id);
        Ok(HoldResponse { hold: token, expires_at: kept.expires_at })
    }

    /// Lets a held slot go; an unknown or expired hold is no error.
    pub async fn hold_release(&self, token: &str) -> Result<(), EngineError> {
        let hash = digest(token);
        let released = transact!(self, tx => {
            let hold = hold_get_by_token_hash(tx, &hash).await?;
            if let Some(hold) = &hold {
                hold_delete(tx, &hold.organization_id, &hold.id).await?;
            }
            hold
        })?;
        if let Some(hold) = released {
            self.committed(&hold.organization_id);
        }
        Ok(())
    }
}
