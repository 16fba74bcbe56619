//! Events of ours that a host moved from one calendar into another.
//!
//! The calendar where such an event was tells that it is gone, which would cancel its appointment. So whoever misses one of ours looks
//! for it in the other calendars of the host that are followed: by the id that most providers leave it, by its UID on a CalDAV
//! server. In a calendar that is not followed nobody looks: there it counts as deleted.

use std::sync::Arc;

use chrono_tz::Tz;
use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{CalendarEvent, CalendarProvider, Changes, EventChange, ProviderCalendar, ProviderError};
use cupo_store::{
    AccountState, AppointmentExternalMapping, Calendar, Tx, account_get, appointment_list_by_calendar,
    busy_interval_delete, busy_interval_upsert, calendar_list_by_account, calendar_list_by_user, mapping_get,
    mapping_get_by_external, mapping_upsert,
};
use serde_json::json;

use super::{busy_interval, is_named, own_events::MappedEvent};
use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    engine::transact,
};

/// An event of ours in the calendar that it was moved to.
pub(super) struct Elsewhere {
    /// Its id in the calendar where it was.
    external_event_id: String,
    calendar: Calendar,
    event: CalendarEvent,
    /// The zone of that calendar.
    tz: Tz,
}

impl Engine {
    /// Looks for the events of coming appointments that the round calls removed, or, of `mapped`, does not name.
    pub(super) async fn look_elsewhere(
        &self,
        calendar: &Calendar,
        changes: &Changes,
        mapped: &[MappedEvent],
    ) -> Result<Vec<Elsewhere>, EngineError> {
        let removed = changes.events.iter().filter_map(|change| match change {
            EventChange::Removed { id } => Some(id.as_str()),
            EventChange::Upsert(_) | EventChange::Series { .. } => None,
        });
        let unnamed = mapped.iter().map(|mapped| mapped.external_event_id.as_str());
        let mut gone: Vec<&str> = removed.chain(unnamed.filter(|id| !is_named(id, &changes.events))).collect();
        gone.sort_unstable();
        gone.dedup();
        if gone.is_empty() || !calendar.can_write {
            return Ok(Vec::new());
        }
        let missed = {
            let tx = &mut self.0.store.read().await?;
            let mut missed = Vec::new();
            for id in gone {
                let mapping = mapping_get_by_external(tx, &calendar.organization_id, &calendar.id, id).await?;
                if let Some(mapping) = mapping.filter(|mapping| mapping.deleted_at.is_none())
                    && !self.confirmed_of(tx, &mapping).await?.is_empty()
                {
                    missed.push(mapping);
                }
            }
            missed
        };
        self.look_in_others(calendar, missed).await
    }

    /// Follows the events that were moved out of the account's calendars before those were deleted: `listed` are left.
    pub(crate) async fn follow_out_of_deleted(
        &self,
        organization_id: &OrganizationId,
        account_id: &AccountId,
        listed: &[ProviderCalendar],
    ) -> Result<(), EngineError> {
        let mut missed = Vec::new();
        {
            let tx = &mut self.0.store.read().await?;
            for calendar in calendar_list_by_account(tx, organization_id, account_id).await? {
                if listed.iter().any(|listed| listed.id == calendar.external_id) {
                    continue;
                }
                let mut of_calendar = Vec::new();
                for appointment in appointment_list_by_calendar(tx, organization_id, &calendar.id, self.now()).await? {
                    of_calendar.extend(mapping_get(tx, organization_id, &appointment.claim_id).await?);
                }
                of_calendar.dedup_by(|one, other| one.claim_id == other.claim_id);
                missed.push((calendar, of_calendar));
            }
        }
        for (calendar, missed) in missed {
            let elsewhere = self.look_in_others(&calendar, missed).await?;
            if !elsewhere.is_empty() {
                transact!(self, tx => {
                    for moved in &elsewhere {
                        self.adopt_elsewhere(tx, &calendar, moved).await?;
                    }
                })?;
            }
        }
        Ok(())
    }

    /// Looks for the events that are `missed` in the calendar.
    async fn look_in_others(
        &self,
        calendar: &Calendar,
        missed: Vec<AppointmentExternalMapping>,
    ) -> Result<Vec<Elsewhere>, EngineError> {
        if missed.is_empty() {
            return Ok(Vec::new());
        }
        let others = self.other_calendars(&mut self.0.store.read().await?, calendar).await?;
        let mut elsewhere = Vec::new();
        for AppointmentExternalMapping { claim_id, external_event_id, ical_uid, .. } in missed {
            for other in &others {
                let (calendar_id, id, uid) =
                    (other.external_id.as_str(), external_event_id.as_str(), ical_uid.as_deref());
                let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
                    provider.find_moved(&access, calendar_id, id, uid).await
                };
                let is_of_same = other.account_id == calendar.account_id;
                let found = match self.call_provider(&other.organization_id, &other.account_id, call).await {
                    // A calendar that is gone too holds nothing for us.
                    Err(EngineError::Provider(ProviderError::NotFound)) => None,
                    // Nor does one that nobody can ask until somebody mends it. What goes for the account that was just read is
                    // that the event may well be there: it is looked for once more when the account works again.
                    Err(
                        EngineError::ReconnectNeeded(_)
                        | EngineError::ConsentNeeded(_)
                        | EngineError::OperatorNeeded(_),
                    ) if !is_of_same => None,
                    found => found?,
                };
                let is_ours = |event: &CalendarEvent| {
                    let mark = event.mark.as_ref();
                    mark.is_some_and(|mark| mark.claim_id == claim_id && mark.installation == self.installation())
                };
                if let Some(event) = found.filter(is_ours) {
                    let tz = self.zone_called(other, other.time_zone.as_deref()).await?;
                    elsewhere.push(Elsewhere { external_event_id, calendar: other.clone(), event, tz });
                    break;
                }
            }
        }
        Ok(elsewhere)
    }

    /// The other calendars of the host that are followed and written to, those of the same account first.
    pub(crate) async fn other_calendars(&self, tx: &mut Tx, calendar: &Calendar) -> Result<Vec<Calendar>, EngineError> {
        let mut others = Vec::new();
        for other in calendar_list_by_user(tx, &calendar.organization_id, &calendar.user_id).await? {
            if other.id == calendar.id || !other.can_write || !self.is_in_use(tx, &other).await? {
                continue;
            }
            let account = account_get(tx, &other.organization_id, &other.account_id).await?;
            if account.is_some_and(|account| account.state == AccountState::Active) {
                others.push(other);
            }
        }
        others.sort_by_key(|other| other.account_id != calendar.account_id);
        Ok(others)
    }

    /// From now on the event is followed where it is, with whatever else was changed about it.
    pub(super) async fn adopt_elsewhere(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        moved: &Elsewhere,
    ) -> Result<(), EngineError> {
        let Elsewhere { external_event_id, calendar: there, event, tz } = moved;
        let organization_id = &calendar.organization_id;
        let mapping = mapping_get_by_external(tx, organization_id, &calendar.id, external_event_id).await?;
        let Some(mapping) = mapping.filter(|mapping| mapping.deleted_at.is_none()) else { return Ok(()) };
        let mapping = self.moved_into(tx, there, &mapping, event).await?;
        // That calendar may have told of it already, when it was not known to be this one.
        busy_interval_delete(tx, organization_id, &there.id, &event.id, self.now()).await?;
        if let Some(taken) = self.own_event_changed(tx, mapping, event, *tz).await? {
            busy_interval_upsert(tx, &busy_interval(there, event, taken), self.now()).await?;
        }
        Ok(())
    }

    /// The mapping of an event that was moved into this calendar.
    pub(super) async fn moved_into(
        &self,
        tx: &mut Tx,
        there: &Calendar,
        old: &AppointmentExternalMapping,
        event: &CalendarEvent,
    ) -> Result<AppointmentExternalMapping, EngineError> {
        let mapping = AppointmentExternalMapping {
            calendar_id: there.id.clone(),
            external_event_id: event.id.clone(),
            // What is there now has not been looked at.
            etag: None,
            ical_uid: event.ical_uid.clone(),
            html_link: event.html_link.clone(),
            untold_since: Some(self.now()),
            ..old.clone()
        };
        mapping_upsert(tx, &mapping).await?;
        for appointment in self.confirmed_of(tx, &mapping).await? {
            let (subject, detail) = (Subject::Appointment(&appointment.id), json!({ "calendar": there.name }));
            let action = "appointment.changed_calendar";
            self.audit(tx, &there.organization_id, Actor::Calendar, action, subject, detail).await?;
        }
        Ok(mapping)
    }
}
