//! Holds: a slot is kept while its visitor fills in the form.

use cupo_core::{
    slots::claim,
    wire::{HoldRequest, HoldResponse},
};
use cupo_store::{Hold, hold_delete, hold_get_by_token_hash, hold_insert};

use super::{
    check::{Providers, Verdict, Want},
    look_again,
};
use crate::{
    Engine, EngineError,
    availability::{Own, chosen_host, rules_for, starts_around},
    engine::{digest, transact},
    random::RandomSourceExt,
};

impl Engine {
    /// Keeps a slot for `hold_ttl`: the time of the hosts who would get the appointment, or one seat. No provider is asked;
    /// booking does that.
    ///
    /// # Errors
    /// [`EngineError::SlotTaken`], [`EngineError::SlotRefused`], [`EngineError::NotFound`], [`EngineError::Invalid`] with
    /// `duration` or `host`.
    pub async fn hold(&self, request: HoldRequest) -> Result<HoldResponse, EngineError> {
        let token = self.0.random.token();
        let token_hash = digest(&token);
        let replaced_hash = request.replaces.as_deref().map(digest);
        let kept = transact!(self, tx => {
            let (organization, event_type) = self.offered(tx, &request.org, &request.event).await?;
            self.booking_link(tx, &event_type, request.link.as_deref()).await?;
            let rules = rules_for(&event_type, request.duration)?;
            if let Some(hash) = &replaced_hash
                && let Some(replaced) = hold_get_by_token_hash(tx, hash).await?
                && replaced.organization_id == organization.id
            {
                hold_delete(tx, &replaced.organization_id, &replaced.id, self.now()).await?;
            }
            let start = request.start;
            let tz = self.schedule_of(tx, &event_type).await?.time_zone.tz();
            let starts = starts_around(&rules, tz, start);
            let situation = self.situation(tx, organization, event_type, starts).await?;
            let host = chosen_host(&situation, request.host.as_deref())?;
            let want = Want { rules: &rules, start, host: host.as_ref(), preferred: &[], own: Own::default() };
            let Verdict::Free(place) = self.check_within(tx, &situation, &want, Providers::LeftAlone).await? else {
                return Err(EngineError::SlotTaken);
            };
            let hold = Hold {
                id: self.fresh(),
                organization_id: situation.organization.id.clone(),
                event_type_id: situation.event_type.id.clone(),
                host_user_ids: place.hosts,
                token_hash: token_hash.clone(),
                start_at: start,
                end_at: start + rules.duration,
                claim: claim(&rules, start),
                created_at: self.now(),
                expires_at: self.now() + self.0.settings.hold_ttl,
            };
            hold_insert(tx, &hold, place.joins.as_ref()).await.map_err(look_again)?;
            hold
        })?;
        self.committed(&kept.organization_id);
        let expires_in = (kept.expires_at - kept.created_at).num_seconds();
        Ok(HoldResponse { hold: token, expires_at: kept.expires_at, expires_in })
    }

    /// Lets a held slot go; an unknown or expired hold is no error.
    pub async fn hold_release(&self, token: &str) -> Result<(), EngineError> {
        let hash = digest(token);
        let released = transact!(self, tx => {
            let hold = hold_get_by_token_hash(tx, &hash).await?;
            if let Some(hold) = &hold {
                hold_delete(tx, &hold.organization_id, &hold.id, self.now()).await?;
            }
            hold
        })?;
        if let Some(hold) = released {
            self.committed(&hold.organization_id);
        }
        Ok(())
    }
}
