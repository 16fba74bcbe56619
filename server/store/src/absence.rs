//! When a user is away.

use chrono::{DateTime, NaiveDateTime, Utc};
use cupo_core::availability::Absence;
use cupo_core::ids::{AbsenceId, OrganizationId, UserId};

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// An absence of a user, which holds for all of their schedules.
#[derive(Debug, Clone)]
pub struct AbsenceRow {
    pub id: AbsenceId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub absence: Absence,
    /// For the user's own eyes; may be empty.
    pub note: String,
    pub created_at: DateTime<Utc>,
}

impl Record for AbsenceRow {
    const TABLE: &'static str = "absence";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", AbsenceId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            absence: Absence {
                from: fields.parse("from_local", local_time)?,
                to: fields.parse("to_local", local_time)?,
            },
            note: fields.text("note")?,
            created_at: fields.instant("created_at")?,
        })
    }
}

/// The texts sort as the times do.
const LOCAL_TIME: &str = "%Y-%m-%dT%H:%M:%S";

fn local_time(text: &str) -> chrono::ParseResult<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, LOCAL_TIME)
}

pub async fn absence_insert(tx: &mut Tx, row: &AbsenceRow) -> Result<(), StoreError> {
    sql("insert into absence (id, organization_id, user_id, from_local, to_local, note, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)")
    .bind(&row.id)
    .bind(&row.organization_id)
    .bind(&row.user_id)
    .bind(row.absence.from.format(LOCAL_TIME).to_string())
    .bind(row.absence.to.format(LOCAL_TIME).to_string())
    .bind(&row.note)
    .bind(row.created_at)
    .execute(tx)
    .await
    .map(drop)
}

/// The earliest first.
pub async fn absence_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Vec<AbsenceRow>, StoreError> {
    sql("select id, organization_id, user_id, from_local, to_local, note, created_at from absence
          where organization_id = $1 and user_id = $2 order by from_local, id")
    .bind(organization_id)
    .bind(user_id)
    .list(tx)
    .await
}

pub async fn absence_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    absence_id: &AbsenceId,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from absence where organization_id = $1 and user_id = $2 and id = $3")
        .bind(organization_id)
        .bind(user_id)
        .bind(absence_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}
