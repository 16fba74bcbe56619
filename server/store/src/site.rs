//! Sites that embed the widget.

use chrono::{DateTime, Utc};
use cupo_core::ids::{OrganizationId, SiteId};
use cupo_core::parse::Origin;

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A site and the origins that it may embed from.
#[derive(Debug, Clone)]
pub struct Site {
    pub id: SiteId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub allowed_origins: Vec<Origin>,
    pub created_at: DateTime<Utc>,
}

impl Record for Site {
    const TABLE: &'static str = "site";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", SiteId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            name: fields.text("name")?,
            allowed_origins: fields.json("allowed_origins")?,
            created_at: fields.instant("created_at")?,
        })
    }
}

pub async fn site_insert(tx: &mut Tx, site: &Site) -> Result<(), StoreError> {
    sql("insert into site (id, organization_id, name, allowed_origins, created_at) values ($1, $2, $3, $4, $5)")
        .bind(&site.id)
        .bind(&site.organization_id)
        .bind(&site.name)
        .bind(serde_json::to_string(&site.allowed_origins)?)
        .bind(site.created_at)
        .execute(tx)
        .await
        .map(drop)
}

/// Oldest first.
pub async fn site_list(tx: &mut Tx, organization_id: &OrganizationId) -> Result<Vec<Site>, StoreError> {
    sql("select id, organization_id, name, allowed_origins, created_at from site
          where organization_id = $1 order by created_at, id")
    .bind(organization_id)
    .list(tx)
    .await
}

/// Stores name and origins.
pub async fn site_update(tx: &mut Tx, site: &Site) -> Result<bool, StoreError> {
    let changed = sql("update site set name = $3, allowed_origins = $4 where organization_id = $1 and id = $2")
        .bind(&site.organization_id)
        .bind(&site.id)
        .bind(&site.name)
        .bind(serde_json::to_string(&site.allowed_origins)?)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

pub async fn site_delete(tx: &mut Tx, organization_id: &OrganizationId, site_id: &SiteId) -> Result<bool, StoreError> {
    let deleted = sql("delete from site where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(site_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}

/// The allowed origins of all sites of the organization, each once, sorted.
pub async fn origins_of_organization(tx: &mut Tx, organization_id: &OrganizationId) -> Result<Vec<Origin>, StoreError> {
    let sites = site_list(tx, organization_id).await?;
    let mut origins: Vec<Origin> = sites.into_iter().flat_map(|site| site.allowed_origins).collect();
    origins.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    origins.dedup();
    Ok(origins)
}
