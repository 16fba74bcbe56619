//! What hosts offer for booking.

use cupo_core::{
    event_type::{Location, Rules, RulesInput},
    ids::EventTypeId,
    parse::{FieldErrors, FieldProblem, Slug, optional_text, required_text},
};
use cupo_store::{
    EventType, Role, StoreError, event_type_delete, event_type_get, event_type_insert, event_type_list,
    event_type_update, schedule_get_by_user,
};
use serde::{Deserialize, Serialize};

use crate::{Engine, EngineError, Principal, engine::transact};

/// The event type form, as it was filled in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventTypeInput {
    /// What visitors book, such as "First visit".
    pub title: String,
    /// The last part of its public address.
    pub slug: String,
    /// What it is about.
    pub description: String,
    /// The length of an appointment.
    pub duration_minutes: u32,
    /// From one offered start to the next.
    pub increment_minutes: u32,
    /// Kept free before.
    pub buffer_before_minutes: u32,
    /// Kept free after.
    pub buffer_after_minutes: u32,
    /// How long before its start a slot stops being offered.
    pub notice_minutes: u32,
    /// For how many days slots are offered.
    pub window_days: u32,
    /// `meet`, `phone`, `address` or `link`.
    pub location_kind: String,
    /// The number, place or address.
    pub location_detail: String,
    /// Whether it can be booked.
    pub is_active: bool,
}

struct ParsedEventType {
    title: String,
    slug: Slug,
    description: String,
    rules: Rules,
    location: Location,
    is_active: bool,
}

impl EventTypeInput {
    fn parse(&self) -> Result<ParsedEventType, FieldErrors> {
        let mut errors = FieldErrors::default();
        let title = errors.collect("title", required_text(&self.title, 120));
        let slug = errors.collect("slug", Slug::parse(&self.slug));
        let description = errors.collect("description", optional_text(&self.description, 2000));
        let rules = Rules::parse(RulesInput {
            duration_minutes: self.duration_minutes,
            increment_minutes: self.increment_minutes,
            buffer_before_minutes: self.buffer_before_minutes,
            buffer_after_minutes: self.buffer_after_minutes,
            notice_minutes: self.notice_minutes,
            window_days: self.window_days,
        });
        let rules = rules.map_err(|more| errors.0.extend(more.0)).ok();
        let location = Location::parse(&self.location_kind, &self.location_detail);
        let location = location.map_err(|more| errors.0.extend(more.0)).ok();
        match (title, slug, description, rules, location) {
            (Some(title), Some(slug), Some(description), Some(rules), Some(location)) => Ok(ParsedEventType {
                title,
                slug,
                description: description.unwrap_or_default(),
                rules,
                location,
                is_active: self.is_active,
            }),
            _ => Err(errors),
        }
    }
}

impl Principal {
    /// A host sees their own event types, who runs the organization sees all.
    fn may_edit(&self, event_type: &EventType) -> bool {
        self.role != Role::Host || event_type.host_user_id == self.user_id
    }
}

impl Engine {
    /// The organization's event types.
    pub async fn event_types(&self, principal: &Principal) -> Result<Vec<EventType>, EngineError> {
        let mut listed = event_type_list(&mut self.0.store.read().await?, &principal.organization_id).await?;
        listed.retain(|event_type| principal.may_edit(event_type));
        Ok(listed)
    }

    /// One event type.
    pub async fn event_type(&self, principal: &Principal, id: &EventTypeId) -> Result<EventType, EngineError> {
        event_type_get(&mut self.0.store.read().await?, &principal.organization_id, id)
            .await?
            .filter(|event_type| principal.may_edit(event_type))
            .ok_or(EngineError::NotFound("event type"))
    }

    /// Makes an event type of the host's own, or changes the one with `id`. Appointments that stand stay as they are.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] names the fields, a taken slug among them.
    pub async fn event_type_save(
        &self,
        principal: &Principal,
        id: Option<&EventTypeId>,
        input: EventTypeInput,
    ) -> Result<EventType, EngineError> {
        let input = input.parse()?;
        let organization_id = &principal.organization_id;
        let saved = transact!(self, tx => {
            let existing = match id {
                Some(id) => Some(
                    event_type_get(tx, organization_id, id)
                        .await?
                        .filter(|event_type| principal.may_edit(event_type))
                        .ok_or(EngineError::NotFound("event type"))?,
                ),
                None => None,
            };
            let (id, host_user_id, schedule_id, created_at) = match &existing {
                Some(old) => (old.id.clone(), old.host_user_id.clone(), old.schedule_id.clone(), old.created_at),
                None => {
                    let schedule = schedule_get_by_user(tx, organization_id, &principal.user_id)
                        .await?
                        .ok_or(EngineError::NotFound("schedule"))?;
                    (self.fresh(), principal.user_id.clone(), schedule.id, self.now())
                }
            };
            let event_type = EventType {
                id,
                organization_id: organization_id.clone(),
                host_user_id,
                schedule_id,
                slug: input.slug.clone(),
                title: input.title.clone(),
                description: input.description.clone(),
                rules: input.rules,
                location: input.location.clone(),
                is_active: input.is_active,
                created_at,
                updated_at: self.now(),
            };
            if existing.is_some() {
                event_type_update(tx, &event_type).await?;
            } else {
                event_type_insert(tx, &event_type).await?;
            }
            event_type
        });
        self.committed(organization_id);
        saved.map_err(|error| match error {
            EngineError::Store(StoreError::Unique(_)) => FieldProblem::new("error.slug_taken").at("slug").into(),
            other => other,
        })
    }

    /// Removes an event type; one that has appointments is switched off instead, so that they keep their history.
    pub async fn event_type_delete(&self, principal: &Principal, id: &EventTypeId) -> Result<(), EngineError> {
        transact!(self, tx => {
            event_type_get(tx, &principal.organization_id, id)
                .await?
                .filter(|event_type| principal.may_edit(event_type))
                .ok_or(EngineError::NotFound("event type"))?;
            event_type_delete(tx, &principal.organization_id, id, self.now()).await?;
        })?;
        self.committed(&principal.organization_id);
        Ok(())
    }
}
