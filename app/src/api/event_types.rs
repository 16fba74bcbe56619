//! What can be booked.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// An event type in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTypeRow {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `org/slug`, as the script tag names it.
    pub path: String,
    /// The public page's address.
    pub url: String,
    /// Such as `30 min`, or `15 min, 30 min`.
    pub duration: String,
    /// Where it takes place, in words.
    pub location: String,
    /// `meet`, `teams`, `phone`, `address` or `link`.
    pub location_kind: String,
    /// Who can see it, where that is not everybody.
    pub listing: Option<String>,
    /// Whether it can be booked.
    pub is_active: bool,
}

/// Every event type of the organization.
#[server(prefix = "/dashboard/api", endpoint = "event_types")]
pub async fn event_types() -> Result<Vec<EventTypeRow>, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let event_types = answer(engine.event_types(&principal).await)?;
    Ok(event_types.iter().map(|event_type| convert::row(&engine, &principal, event_type)).collect())
}

/// Removes an event type; one with appointments can no longer be booked instead.
#[server(prefix = "/dashboard/api", endpoint = "event_type_delete")]
pub async fn event_type_delete(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "event type")?;
    answer(engine.event_type_delete(&principal, &id).await)?;
    done("/dashboard/event-types", "deleted");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(crate) mod convert {
    use cupo_core::event_type::{Listing, Location};
    use cupo_engine::{Engine, Principal};
    use cupo_store::EventType;

    use super::EventTypeRow;
    use crate::text::{locale, t, tf};
    use crate::time;

    /// The address of a public page.
    pub(crate) fn public_url(engine: &Engine, org: &str, slug: &str) -> String {
        format!("{}/{org}/{slug}", engine.settings().public_url.as_str().trim_end_matches('/'))
    }

    pub(super) fn row(engine: &Engine, principal: &Principal, event_type: &EventType) -> EventTypeRow {
        let org = principal.organization_slug.as_str();
        let durations = event_type
            .options
            .durations(&event_type.rules)
            .into_iter()
            .map(|minutes| time::duration(minutes, locale()));
        let listing = match event_type.options.listing {
            Listing::Public => None,
            Listing::Unlisted => Some(t("dashboard.listing_unlisted").to_owned()),
            Listing::LinkOnly => Some(t("dashboard.listing_link_only").to_owned()),
        };
        EventTypeRow {
            id: event_type.id.to_string(),
            title: event_type.title.to_string(),
            path: format!("{org}/{}", event_type.slug),
            url: public_url(engine, org, event_type.slug.as_str()),
            duration: durations.collect::<Vec<_>>().join(", "),
            location: location(&event_type.location),
            location_kind: event_type.location.kind().to_owned(),
            listing,
            is_active: event_type.is_active,
        }
    }

    /// A location in words.
    pub(crate) fn location(location: &Location) -> String {
        match location {
            Location::GoogleMeet => t("dashboard.location_meet").to_owned(),
            Location::MicrosoftTeams => t("dashboard.location_teams").to_owned(),
            Location::Phone(None) => t("dashboard.location_host_calls").to_owned(),
            Location::Phone(Some(number)) => tf("dashboard.location_visitor_calls", &[("number", number)]),
            Location::Address(place) => place.clone(),
            Location::Link(url) => url.to_string(),
        }
    }
}
