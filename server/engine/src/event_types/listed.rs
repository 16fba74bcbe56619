//! What an organization shows to everybody.

use cupo_core::{event_type::Listing, parse::Slug};
use cupo_store::{EventType, event_type_list, organization_get_by_slug};

use crate::{Engine, EngineError};

/// What anybody may find under an organization's address.
#[derive(Debug, Clone)]
pub struct PublicEventTypes {
    /// The organization's name.
    pub organization_name: String,
    /// Its active event types that everybody can see, by title. Those that need a link or an address are not among them.
    pub event_types: Vec<EventType>,
}

impl Engine {
    /// What can be booked with an organization by anybody who looks.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown organization.
    pub async fn public_event_types(&self, org: &str) -> Result<PublicEventTypes, EngineError> {
        let slug = Slug::parse(org).map_err(|_| EngineError::NotFound("organization"))?;
        let tx = &mut self.0.store.read().await?;
        let organization = organization_get_by_slug(tx, &slug).await?.ok_or(EngineError::NotFound("organization"))?;
        let mut event_types = event_type_list(tx, &organization.id).await?;
        event_types.retain(|event_type| event_type.is_active && event_type.options.listing == Listing::Public);
        event_types.sort_by_key(|event_type| event_type.title.to_lowercase());
        Ok(PublicEventTypes { organization_name: organization.name, event_types })
    }
}
