//! What only the operator can mend. Of the whole installation: no tenant sees it.

use chrono::{DateTime, Utc};

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// Something that does not work until the operator does something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorAlert {
    /// What: stable, and the key of the row.
    pub code: String,
    /// The provider's reason code; no secret, nobody's name.
    pub detail: String,
    /// When it was noticed.
    pub first_at: DateTime<Utc>,
    /// When it was noticed last.
    pub last_at: DateTime<Utc>,
    /// When the operator was told last.
    pub told_at: Option<DateTime<Utc>>,
}

macro_rules! columns {
    () => {
        "code, detail, first_at, last_at, told_at"
    };
}

impl Record for OperatorAlert {
    const TABLE: &'static str = "operator_alert";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            code: fields.text("code")?,
            detail: fields.text("detail")?,
            first_at: fields.instant("first_at")?,
            last_at: fields.instant("last_at")?,
            told_at: fields.optional_instant("told_at")?,
        })
    }
}

/// Notes that it was noticed, again or for the first time, and answers the row as it is stored.
pub async fn operator_alert_raise(
    tx: &mut Tx,
    code: &str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<OperatorAlert, StoreError> {
    let stored = sql(concat!(
        "insert into operator_alert (",
        columns!(),
        ") values ($1, $2, $3, $3, null)
         on conflict (code) do update set detail = excluded.detail, last_at = excluded.last_at
         returning ",
        columns!()
    ))
    .bind(code)
    .bind(detail)
    .bind(now)
    .optional(tx)
    .await?;
    stored.ok_or(StoreError::Corrupt { table: "operator_alert", column: "code" })
}

pub async fn operator_alert_get(tx: &mut Tx, code: &str) -> Result<Option<OperatorAlert>, StoreError> {
    sql(concat!("select ", columns!(), " from operator_alert where code = $1")).bind(code).optional(tx).await
}

/// The longest standing first.
pub async fn operator_alert_list(tx: &mut Tx) -> Result<Vec<OperatorAlert>, StoreError> {
    sql(concat!("select ", columns!(), " from operator_alert order by first_at, code")).list(tx).await
}

/// Notes that the operator is being told, unless that was done after `before`. `false`: it was, or all is well again.
pub async fn operator_alert_tell(
    tx: &mut Tx,
    code: &str,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update operator_alert set told_at = $3 where code = $1 and coalesce(told_at, 0) <= $2")
        .bind(code)
        .bind(before)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// All is well again. `false`: it was already.
pub async fn operator_alert_clear(tx: &mut Tx, code: &str) -> Result<bool, StoreError> {
    let deleted = sql("delete from operator_alert where code = $1").bind(code).execute(tx).await?;
    Ok(deleted == 1)
}
