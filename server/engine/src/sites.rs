//! The sites that may embed the widget.

use cupo_core::{
    ids::SiteId,
    parse::{FieldErrors, Origin, required_text},
};
use cupo_store::{Site, site_delete, site_insert, site_list, site_update};
use serde::{Deserialize, Serialize};

use crate::{Engine, EngineError, Principal, engine::transact};

/// The site form, as it was filled in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SiteInput {
    /// What the host calls it.
    pub name: String,
    /// Its origins, one a line; any address of the site will do.
    pub origins: String,
}

impl SiteInput {
    fn parse(&self) -> Result<(String, Vec<Origin>), FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.collect("name", required_text(&self.name, 120));
        let mut lines: Vec<&str> = self.origins.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() {
            // The parser's own refusal of an empty text names what is missing.
            lines.push("");
        }
        let mut origins = Vec::new();
        for line in lines {
            origins.extend(errors.collect("origins", Origin::parse(line)));
        }
        origins.sort_unstable();
        origins.dedup();
        match name {
            Some(name) if errors.is_empty() => Ok((name, origins)),
            _ => Err(errors),
        }
    }
}

impl Engine {
    /// The organization's sites.
    pub async fn sites(&self, principal: &Principal) -> Result<Vec<Site>, EngineError> {
        Ok(site_list(&mut self.0.store.read().await?, &principal.organization_id).await?)
    }

    /// Adds a site, or changes the one with `id`.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `name` or `origins`; [`EngineError::Forbidden`] for who does not run the organization.
    pub async fn site_save(
        &self,
        principal: &Principal,
        id: Option<&SiteId>,
        input: SiteInput,
    ) -> Result<Site, EngineError> {
        principal.require_admin()?;
        let (name, allowed_origins) = input.parse()?;
        let saved = transact!(self, tx => {
            let organization_id = &principal.organization_id;
            match id {
                Some(id) => {
                    let site = site_list(tx, organization_id).await?.into_iter().find(|site| site.id == *id);
                    let site = site.ok_or(EngineError::NotFound("site"))?;
                    let site = Site { name: name.clone(), allowed_origins: allowed_origins.clone(), ..site };
                    site_update(tx, &site).await?;
                    site
                }
                None => {
                    let site = Site {
                        id: self.fresh(),
                        organization_id: organization_id.clone(),
                        name: name.clone(),
                        allowed_origins: allowed_origins.clone(),
                        created_at: self.now(),
                    };
                    site_insert(tx, &site).await?;
                    site
                }
            }
        })?;
        self.committed(&principal.organization_id);
        Ok(saved)
    }

    /// Removes a site: the widget stops working there.
    pub async fn site_delete(&self, principal: &Principal, id: &SiteId) -> Result<(), EngineError> {
        principal.require_admin()?;
        let deleted = transact!(self, tx => site_delete(tx, &principal.organization_id, id).await?)?;
        self.committed(&principal.organization_id);
        if deleted { Ok(()) } else { Err(EngineError::NotFound("site")) }
    }
}
