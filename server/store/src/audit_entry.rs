//! Who did what, when.

use chrono::{DateTime, Utc};
use cupo_core::ids::{AuditEntryId, OrganizationId};
use serde_json::Value;

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A line of history; never changed.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    pub id: AuditEntryId,
    pub organization_id: OrganizationId,
    /// Such as `visitor`, `calendar` or `user:` and an id.
    pub actor: String,
    /// Such as `appointment.moved`.
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub detail: Value,
    pub at: DateTime<Utc>,
}

impl Record for AuditEntry {
    const TABLE: &'static str = "audit_entry";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", AuditEntryId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            actor: fields.text("actor")?,
            action: fields.text("action")?,
            subject_kind: fields.text("subject_kind")?,
            subject_id: fields.text("subject_id")?,
            detail: fields.json("detail")?,
            at: fields.instant("at")?,
        })
    }
}

pub async fn audit_insert(tx: &mut Tx, entry: &AuditEntry) -> Result<(), StoreError> {
    sql("insert into audit_entry (id, organization_id, actor, action, subject_kind, subject_id, detail, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(&entry.id)
    .bind(&entry.organization_id)
    .bind(&entry.actor)
    .bind(&entry.action)
    .bind(&entry.subject_kind)
    .bind(&entry.subject_id)
    .bind(serde_json::to_string(&entry.detail)?)
    .bind(entry.at)
    .execute(tx)
    .await
    .map(drop)
}

pub async fn audit_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    id: &AuditEntryId,
) -> Result<Option<AuditEntry>, StoreError> {
    sql("select id, organization_id, actor, action, subject_kind, subject_id, detail, at from audit_entry
          where organization_id = $1 and id = $2")
    .bind(organization_id)
    .bind(id)
    .optional(tx)
    .await
}

/// The history of one subject, oldest first.
pub async fn audit_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    subject_kind: &str,
    subject_id: &str,
) -> Result<Vec<AuditEntry>, StoreError> {
    sql("select id, organization_id, actor, action, subject_kind, subject_id, detail, at from audit_entry
          where organization_id = $1 and subject_kind = $2 and subject_id = $3 order by at, id")
    .bind(organization_id)
    .bind(subject_kind)
    .bind(subject_id)
    .list(tx)
    .await
}
