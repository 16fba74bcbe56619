//! Which user belongs to which tenant, and as what.

use cupo_core::ids::{OrganizationId, UserId};

use crate::row::{Fields, Record, text_enum};
use crate::tx::sql;
use crate::{StoreError, Tx};

text_enum! {
    /// What a member may do in the organization.
    pub enum Role {
        Owner = "owner",
        Admin = "admin",
        Host = "host",
    }
}

/// A user's place in an organization. Schedules, accounts and event types of a user need it to exist.
#[derive(Debug, Clone)]
pub struct Membership {
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub role: Role,
}

impl Record for Membership {
    const TABLE: &'static str = "membership";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            role: fields.choice("role", Role::parse)?,
        })
    }
}

/// Fails with `Unique("membership.user_id")` when the user is a member already.
pub async fn membership_insert(tx: &mut Tx, membership: &Membership) -> Result<(), StoreError> {
    sql("insert into membership (organization_id, user_id, role) values ($1, $2, $3)")
        .bind(&membership.organization_id)
        .bind(&membership.user_id)
        .bind(membership.role.as_str())
        .execute(tx)
        .await
        .map(drop)
}

/// The user's first membership, by the age of the organization.
pub async fn membership_get(tx: &mut Tx, user_id: &UserId) -> Result<Option<Membership>, StoreError> {
    sql("select m.organization_id, m.user_id, m.role
           from membership m join organization o on o.id = m.organization_id
          where m.user_id = $1 order by o.created_at, o.id limit 1")
    .bind(user_id)
    .optional(tx)
    .await
}

pub async fn memberships_of_organization(
    tx: &mut Tx,
    organization_id: &OrganizationId,
) -> Result<Vec<Membership>, StoreError> {
    sql("select organization_id, user_id, role from membership where organization_id = $1 order by user_id")
        .bind(organization_id)
        .list(tx)
        .await
}
