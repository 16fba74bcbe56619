//! People who sign in.

use chrono::{DateTime, Utc};
use cupo_core::ids::UserId;
use cupo_core::parse::EmailAddress;
use cupo_core::text::Locale;

use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A person who signs in. Users belong to the installation; a [`Membership`](crate::Membership) ties one to a tenant.
#[derive(Clone)]
pub struct User {
    pub id: UserId,
    /// Unique in the installation, whatever its case.
    pub email: EmailAddress,
    pub name: String,
    pub password_hash: String,
    pub locale: Locale,
    pub created_at: DateTime<Utc>,
}

shown_in_debug!(User { id, email, name, locale, created_at });

macro_rules! columns {
    () => {
        "id, email, name, password_hash, locale, created_at"
    };
}

impl Record for User {
    const TABLE: &'static str = "user";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", UserId::parse)?,
            email: fields.parse("email", EmailAddress::parse)?,
            name: fields.text("name")?,
            password_hash: fields.text("password_hash")?,
            locale: fields.choice("locale", Locale::parse)?,
            created_at: fields.instant("created_at")?,
        })
    }
}

/// Fails with `Unique("user.email")` when the address is taken.
pub async fn user_insert(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    sql(concat!("insert into \"user\" (", columns!(), ") values ($1, $2, $3, $4, $5, $6)"))
        .bind(&user.id)
        .bind(user.email.as_str())
        .bind(&user.name)
        .bind(&user.password_hash)
        .bind(user.locale.as_str())
        .bind(user.created_at)
        .execute(tx)
        .await
        .map(drop)
}

pub async fn user_get(tx: &mut Tx, user_id: &UserId) -> Result<Option<User>, StoreError> {
    sql(concat!("select ", columns!(), " from \"user\" where id = $1")).bind(user_id).optional(tx).await
}

pub async fn user_get_by_email(tx: &mut Tx, email: &EmailAddress) -> Result<Option<User>, StoreError> {
    sql(concat!("select ", columns!(), " from \"user\" where lower(email) = lower($1)"))
        .bind(email.as_str())
        .optional(tx)
        .await
}

pub async fn user_update_locale(tx: &mut Tx, user_id: &UserId, locale: Locale) -> Result<bool, StoreError> {
    let changed =
        sql("update \"user\" set locale = $2 where id = $1").bind(user_id).bind(locale.as_str()).execute(tx).await?;
    Ok(changed == 1)
}
