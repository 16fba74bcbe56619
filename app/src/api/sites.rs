//! Sites that embed the widget, and the tag to paste.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::event_types::EventTypeRow;
use crate::error::AppError;

/// Everything that the sites page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitesView {
    /// The sites.
    pub sites: Vec<SiteView>,
    /// What the tag can be for.
    pub event_types: Vec<EventTypeRow>,
    /// Address of the loader, for the tag.
    pub embed_url: String,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its origins, one a line.
    pub origins: String,
}

/// The form of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteForm {
    /// Empty for a new one.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its origins, one a line.
    pub origins: String,
}

/// The organization's sites.
#[server(prefix = "/dashboard/api", endpoint = "sites")]
pub async fn sites() -> Result<SitesView, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let sites = answer(engine.sites(&principal).await)?
        .into_iter()
        .map(|site| SiteView {
            id: site.id.to_string(),
            name: site.name.to_string(),
            origins: site.allowed_origins.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        })
        .collect();
    let embed_url = format!("{}/embed.js", engine.settings().public_url.as_str().trim_end_matches('/'));
    let event_types =
        super::event_types::event_types().await?.into_iter().filter(|event_type| event_type.is_active).collect();
    Ok(SitesView { sites, event_types, embed_url })
}

/// Makes or changes a site.
#[server(prefix = "/dashboard/api", endpoint = "site_save")]
pub async fn site_save(form: SiteForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = if form.id.is_empty() { None } else { Some(site_id(&form.id)?) };
    let input = cupo_engine::SiteInput { name: form.name.clone(), origins: form.origins.clone() };
    answer(engine.site_save(&principal, id.as_ref(), input).await)
        .map_err(|error| error.with_typed(&[("id", &form.id), ("name", &form.name), ("origins", &form.origins)]))?;
    done("/dashboard/sites", "saved");
    Ok(())
}

/// Removes a site.
#[server(prefix = "/dashboard/api", endpoint = "site_delete")]
pub async fn site_delete(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = site_id(&id)?;
    answer(engine.site_delete(&principal, &id).await)?;
    done("/dashboard/sites", "deleted");
    Ok(())
}

#[cfg(feature = "ssr")]
fn site_id(text: &str) -> Result<cupo_core::ids::SiteId, AppError> {
    use cupo_core::ids::SiteId;
    use cupo_engine::EngineError;
    super::request::answer(SiteId::parse(text).map_err(|_| EngineError::NotFound("site")))
}
