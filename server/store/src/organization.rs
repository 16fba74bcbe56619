//! The tenant.

use chrono::{DateTime, Utc};
use cupo_core::ids::OrganizationId;
use cupo_core::parse::Slug;
use cupo_core::theme::Theme;

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A tenant of this installation.
#[derive(Debug, Clone)]
pub struct Organization {
    pub id: OrganizationId,
    /// Unique in the installation: the first part of public addresses.
    pub slug: Slug,
    pub name: String,
    /// How its widgets look.
    pub theme: Theme,
    pub created_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "id, slug, name, theme, created_at"
    };
}

impl Record for Organization {
    const TABLE: &'static str = "organization";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", OrganizationId::parse)?,
            slug: fields.parse("slug", Slug::parse)?,
            name: fields.text("name")?,
            theme: fields.json("theme")?,
            created_at: fields.instant("created_at")?,
        })
    }
}

/// Fails with `Unique("organization.slug")` when the slug is taken.
pub async fn organization_insert(tx: &mut Tx, organization: &Organization) -> Result<(), StoreError> {
    sql(concat!("insert into organization (", columns!(), ") values ($1, $2, $3, $4, $5)"))
        .bind(&organization.id)
        .bind(organization.slug.as_str())
        .bind(&organization.name)
        .bind(serde_json::to_string(&organization.theme)?)
        .bind(organization.created_at)
        .execute(tx)
        .await
        .map(drop)
}

pub async fn organization_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
) -> Result<Option<Organization>, StoreError> {
    sql(concat!("select ", columns!(), " from organization where id = $1")).bind(organization_id).optional(tx).await
}

pub async fn organization_get_by_slug(tx: &mut Tx, slug: &Slug) -> Result<Option<Organization>, StoreError> {
    sql(concat!("select ", columns!(), " from organization where slug = $1")).bind(slug.as_str()).optional(tx).await
}

/// Stores how the organization's widgets look.
pub async fn organization_set_theme(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    theme: &Theme,
) -> Result<bool, StoreError> {
    let changed = sql("update organization set theme = $2 where id = $1")
        .bind(organization_id)
        .bind(serde_json::to_string(theme)?)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// Deletes the organization with everything of it, and the users who belong to no other one.
pub async fn organization_delete(tx: &mut Tx, organization_id: &OrganizationId) -> Result<bool, StoreError> {
    // What must not vanish with its parent by accident comes first.
    for text in [
        "delete from appointment where organization_id = $1",
        "delete from claim where organization_id = $1",
        "delete from event_type where organization_id = $1",
        "delete from \"user\"
          where id in (select user_id from membership where organization_id = $1)
            and id not in (select user_id from membership where organization_id <> $1)",
    ] {
        sql(text).bind(organization_id).execute(tx).await?;
    }
    let deleted = sql("delete from organization where id = $1").bind(organization_id).execute(tx).await?;
    Ok(deleted == 1)
}
