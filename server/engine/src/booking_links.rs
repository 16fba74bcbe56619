//! Secret addresses that book once.

use chrono::TimeDelta;
use cupo_core::{
    ids::{BookingLinkId, EventTypeId},
    parse::{FieldProblem, number_between},
};
use cupo_store::{BookingLink, booking_link_delete, booking_link_insert, booking_link_list};

use crate::{
    Engine, EngineError, Principal,
    engine::{digest, transact},
    random::RandomSourceExt,
};

/// How long a link may serve, in days.
const MOST_DAYS: u32 = 365;
/// The most links of one event type.
const MOST_LINKS: usize = 1_000;

/// A link was made; its address is told this once.
#[derive(Clone)]
pub struct BookingLinkMade {
    /// The link.
    pub id: BookingLinkId,
    /// The address for the visitor.
    pub url: String,
}

cupo_core::shown_in_debug!(BookingLinkMade { id });

impl Engine {
    /// The links of an event type, the latest first.
    pub async fn booking_links(
        &self,
        principal: &Principal,
        event_type_id: &EventTypeId,
    ) -> Result<Vec<BookingLink>, EngineError> {
        self.event_type(principal, event_type_id).await?;
        let tx = &mut self.0.store.read().await?;
        Ok(booking_link_list(tx, &principal.organization_id, event_type_id).await?)
    }

    /// Makes an address of the event type that serves for one booking, within so many days where they are limited.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `days`.
    pub async fn booking_link_make(
        &self,
        principal: &Principal,
        event_type_id: &EventTypeId,
        days: Option<u32>,
    ) -> Result<BookingLinkMade, EngineError> {
        let event_type = self.event_type(principal, event_type_id).await?;
        let days = days.map(|days| number_between(days, 1, MOST_DAYS).map_err(|problem| problem.at("days")));
        let days = days.transpose()?;
        let token = self.0.random.token();
        let now = self.now();
        let link = BookingLink {
            id: self.fresh(),
            organization_id: principal.organization_id.clone(),
            event_type_id: event_type.id,
            token_hash: digest(&token),
            created_by: principal.user_id.clone(),
            created_at: now,
            expires_at: days.map(|days| now + TimeDelta::days(days.into())),
            used_at: None,
            appointment_id: None,
        };
        transact!(self, tx => {
            if booking_link_list(tx, &link.organization_id, event_type_id).await?.len() >= MOST_LINKS {
                return Err(FieldProblem::new("error.too_many").with("max", MOST_LINKS).at("days").into());
            }
            booking_link_insert(tx, &link).await?;
        })?;
        let path = format!("{}/{}?link={token}", principal.organization_slug, event_type.slug);
        Ok(BookingLinkMade { id: link.id, url: self.public_address(&path) })
    }

    /// Takes a link back. What was booked by it stays.
    pub async fn booking_link_delete(&self, principal: &Principal, id: &BookingLinkId) -> Result<(), EngineError> {
        let organization_id = &principal.organization_id;
        let mine = self.event_types(principal).await?;
        let deleted = transact!(self, tx => {
            let mut is_mine = false;
            for event_type in &mine {
                let links = booking_link_list(tx, organization_id, &event_type.id).await?;
                is_mine |= links.iter().any(|link| link.id == *id);
            }
            is_mine && booking_link_delete(tx, organization_id, id).await?
        })?;
        self.committed(organization_id);
        if deleted { Ok(()) } else { Err(EngineError::NotFound("booking link")) }
    }
}
