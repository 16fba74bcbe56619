//! What hosts offer for booking, and who is booked by it.

mod input;
mod listed;

use cupo_core::{
    event_type::Assignment,
    ids::{CalendarId, EventTypeId, UserId},
    parse::{FieldErrors, FieldProblem},
};
use cupo_store::{
    EventType, EventTypeHost, Role, Schedule, StoreError, Tx, calendar_list_by_user, event_type_delete, event_type_get,
    event_type_host_list, event_type_hosts_replace, event_type_insert, event_type_list, event_type_update,
    memberships_of_organization, schedule_get, schedule_get_by_user,
};

use crate::{Engine, EngineError, Principal, engine::transact, history};

pub(crate) use input::ParsedEventType;
pub use input::{EventTypeHostInput, EventTypeInput};
use input::{ParsedHost, check_number};
pub use listed::PublicEventTypes;

impl Principal {
    /// A host sees their own event types, who runs the organization sees all.
    pub(crate) fn may_edit(&self, event_type: &EventType) -> bool {
        self.role != Role::Host || event_type.host_user_id == self.user_id
    }
}

impl Engine {
    /// The organization's event types that the user may change.
    pub async fn event_types(&self, principal: &Principal) -> Result<Vec<EventType>, EngineError> {
        let mut listed = event_type_list(&mut self.0.store.read().await?, &principal.organization_id).await?;
        listed.retain(|event_type| principal.may_edit(event_type));
        Ok(listed)
    }

    /// One event type.
    pub async fn event_type(&self, principal: &Principal, id: &EventTypeId) -> Result<EventType, EngineError> {
        self.editable_event_type(&mut self.0.store.read().await?, principal, id).await
    }

    pub(crate) async fn editable_event_type(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        id: &EventTypeId,
    ) -> Result<EventType, EngineError> {
        event_type_get(tx, &principal.organization_id, id)
            .await?
            .filter(|event_type| principal.may_edit(event_type))
            .ok_or(EngineError::NotFound("event type"))
    }

    /// Who is booked by an event type, in the order in which they are shown.
    pub async fn event_type_hosts(
        &self,
        principal: &Principal,
        id: &EventTypeId,
    ) -> Result<Vec<EventTypeHost>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        self.editable_event_type(tx, principal, id).await?;
        Ok(event_type_host_list(tx, &principal.organization_id, id).await?)
    }

    /// Makes an event type of the host's own, or changes the one with `id`. Appointments that stand stay as they are.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] names the fields, a taken slug among them; those of hosts such as `hosts.0.weight`, and
    /// `hosts` for what is wrong with all of them together.
    pub async fn event_type_save(
        &self,
        principal: &Principal,
        id: Option<&EventTypeId>,
        input: EventTypeInput,
    ) -> Result<EventType, EngineError> {
        let input = input.parse()?;
        let organization_id = &principal.organization_id;
        let saved = transact!(self, tx => {
            let (old, event_type, hosts) = self.event_type_from(tx, principal, id, &input).await?;
            match old {
                Some(old) => {
                    let old_hosts = event_type_host_list(tx, organization_id, &old.id).await?;
                    history::event_type_changed(tx, &old, &old_hosts, event_type.updated_at).await?;
                    event_type_update(tx, &event_type).await?;
                }
                None => event_type_insert(tx, &event_type).await?,
            }
            event_type_hosts_replace(tx, organization_id, &event_type.id, &hosts).await?;
            self.mirror_named_calendars(tx, &hosts).await?;
            event_type
        });
        self.committed(organization_id);
        saved.map_err(|error| match error {
            EngineError::Store(StoreError::Unique(what)) if what.contains("slug") => {
                FieldProblem::new("error.slug_taken").at("slug").into()
            }
            other => other,
        })
    }

    /// The event type as it is stored, and as it would be with the input, with its hosts; nothing is written.
    pub(crate) async fn event_type_from(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        id: Option<&EventTypeId>,
        input: &ParsedEventType,
    ) -> Result<(Option<EventType>, EventType, Vec<EventTypeHost>), EngineError> {
        let old = match id {
            Some(id) => Some(self.editable_event_type(tx, principal, id).await?),
            None => None,
        };
        let id = old.as_ref().map_or_else(|| self.fresh(), |old| old.id.clone());
        let hosts = match &old {
            Some(old) if input.hosts.is_empty() => event_type_host_list(tx, &old.organization_id, &old.id).await?,
            _ => self.hosts_from(tx, principal, &id, input).await?,
        };
        let required = hosts.iter().filter(|host| host.is_required).count();
        check_number(input.options.assignment, hosts.len(), required).map_err(|problem| problem.at("hosts"))?;
        // The event type is its owner's while that is one of its hosts; then it passes to the first of them.
        let owner = old.as_ref().map_or(&principal.user_id, |old| &old.host_user_id);
        let owner = hosts.iter().find(|host| host.user_id == *owner).unwrap_or(&hosts[0]);
        let event_type = EventType {
            id,
            organization_id: principal.organization_id.clone(),
            host_user_id: owner.user_id.clone(),
            schedule_id: owner.schedule_id.clone(),
            slug: input.slug.clone(),
            title: input.title.clone(),
            description: input.description.clone(),
            rules: input.rules,
            options: input.options.clone(),
            location: input.location.clone(),
            is_active: input.is_active,
            created_at: old.as_ref().map_or_else(|| self.now(), |old| old.created_at),
            updated_at: self.now(),
        };
        Ok((old, event_type, hosts))
    }

    /// The hosts of the input, each a member with a schedule and calendars of their own.
    async fn hosts_from(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        event_type_id: &EventTypeId,
        input: &ParsedEventType,
    ) -> Result<Vec<EventTypeHost>, EngineError> {
        let myself = [ParsedHost::alone(principal.user_id.clone())];
        let given = if input.hosts.is_empty() { &myself[..] } else { &input.hosts };
        let members = memberships_of_organization(tx, &principal.organization_id).await?;
        let mut errors = FieldErrors::default();
        let mut hosts = Vec::with_capacity(given.len());
        for (number, host) in given.iter().enumerate() {
            let mut refuse = |field: &str, key| {
                errors.0.push(FieldProblem::new(key).at(format!("hosts.{number}.{field}")));
            };
            if !members.iter().any(|member| member.user_id == host.user_id) {
                refuse("user_id", "error.not_found");
                continue;
            }
            // Who does not run the organization offers nobody's time but their own.
            if principal.role == Role::Host && host.user_id != principal.user_id {
                refuse("user_id", "error.forbidden");
                continue;
            }
            let Some(schedule) = self.schedule_of_host(tx, principal, host).await? else {
                refuse("schedule_id", "error.not_found");
                continue;
            };
            if host.conflict_calendar_ids.is_some() || host.target_calendar_id.is_some() {
                let own = calendar_list_by_user(tx, &principal.organization_id, &host.user_id).await?;
                let known = |id: &CalendarId| own.iter().find(|calendar| calendar.id == *id);
                if host.conflict_calendar_ids.iter().flatten().any(|id| known(id).is_none()) {
                    refuse("conflict_calendar_ids", "error.not_found");
                    continue;
                }
                match host.target_calendar_id.as_ref().map(known) {
                    Some(None) => {
                        refuse("target_calendar_id", "error.not_found");
                        continue;
                    }
                    Some(Some(target)) if !target.can_write => {
                        refuse("target_calendar_id", "error.calendar_read_only");
                        continue;
                    }
                    _ => {}
                }
            }
            let is_single = input.options.assignment == Assignment::Single;
            hosts.push(EventTypeHost {
                organization_id: principal.organization_id.clone(),
                event_type_id: event_type_id.clone(),
                user_id: host.user_id.clone(),
                schedule_id: schedule.id,
                is_required: host.is_required || is_single,
                weight: host.weight,
                priority: host.priority,
                conflict_calendar_ids: host.conflict_calendar_ids.clone(),
                target_calendar_id: host.target_calendar_id.clone(),
            });
        }
        errors.into_result()?;
        Ok(hosts)
    }

    async fn schedule_of_host(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        host: &ParsedHost,
    ) -> Result<Option<Schedule>, EngineError> {
        let organization_id = &principal.organization_id;
        let found = match &host.schedule_id {
            Some(id) => schedule_get(tx, organization_id, id).await?,
            None => schedule_get_by_user(tx, organization_id, &host.user_id).await?,
        };
        Ok(found.filter(|schedule| schedule.user_id == host.user_id))
    }

    /// Removes an event type; one that has appointments is switched off instead, so that they keep their history.
    pub async fn event_type_delete(&self, principal: &Principal, id: &EventTypeId) -> Result<(), EngineError> {
        transact!(self, tx => {
            let old = self.editable_event_type(tx, principal, id).await?;
            let hosts = event_type_host_list(tx, &principal.organization_id, id).await?;
            history::event_type_changed(tx, &old, &hosts, self.now()).await?;
            event_type_delete(tx, &principal.organization_id, id, self.now()).await?;
        })?;
        self.committed(&principal.organization_id);
        Ok(())
    }
}

impl ParsedHost {
    /// Who offers an event type alone.
    fn alone(user_id: UserId) -> Self {
        Self {
            user_id,
            schedule_id: None,
            is_required: true,
            weight: 1,
            priority: 1,
            conflict_calendar_ids: None,
            target_calendar_id: None,
        }
    }
}
