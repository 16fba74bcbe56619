//! A transaction on either database, and the statement that runs on both.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use cupo_core::ids;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Database, Encode, Postgres, Sqlite, Transaction, Type};

use crate::StoreError;
use crate::row::{Fields, Record};

/// A transaction on either database. Dropping it rolls back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one expression on whichever connection the transaction has.
macro_rules! on {
    ($tx:expr, $connection:ident => $run:expr) => {
        match $tx {
            Tx::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $run
            }
            Tx::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $run
            }
        }
    };
}

pub(crate) use on;

impl Tx {
    /// Makes the changes durable and visible to others. On [`StoreError::Retry`] nothing was changed.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Undoes the changes and waits until that is done; dropping does the same without waiting.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// A value in the types that both databases have.
#[derive(Debug)]
pub(crate) enum Param {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

/// One SQL text with `$1` placeholders and its values.
pub(crate) struct Statement {
    text: Cow<'static, str>,
    params: Vec<Param>,
}

/// Starts a statement. The text must hold no value, only placeholders: it is the key of the connection's cache of
/// prepared statements.
pub(crate) fn sql(text: impl Into<Cow<'static, str>>) -> Statement {
    Statement { text: text.into(), params: Vec::new() }
}

impl Statement {
    pub fn bind(mut self, value: impl Into<Param>) -> Self {
        self.params.push(value.into());
        self
    }

    /// The number of rows inserted, changed or deleted.
    pub async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        Ok(on!(tx, connection => self.query().execute(connection).await?.rows_affected()))
    }

    pub async fn optional<T: Record>(self, tx: &mut Tx) -> Result<Option<T>, StoreError> {
        on!(tx, connection => {
            self.query().fetch_optional(connection).await?.map(|row| T::decode(&Fields::of::<T>(&row))).transpose()
        })
    }

    pub async fn list<T: Record>(self, tx: &mut Tx) -> Result<Vec<T>, StoreError> {
        on!(tx, connection => {
            self.query().fetch_all(connection).await?.iter().map(|row| T::decode(&Fields::of::<T>(row))).collect()
        })
    }

    fn query<DB>(self) -> Query<'static, DB, DB::Arguments>
    where
        DB: Database,
        Option<i64>: for<'q> Encode<'q, DB> + Type<DB>,
        Option<String>: for<'q> Encode<'q, DB> + Type<DB>,
        Option<Vec<u8>>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        self.params.into_iter().fold(sqlx::query(AssertSqlSafe(self.text)), |query, param| match param {
            Param::Int(value) => query.bind(value),
            Param::Text(value) => query.bind(value),
            Param::Blob(value) => query.bind(value),
        })
    }
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<u32> for Param {
    fn from(value: u32) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<Option<u32>> for Param {
    fn from(value: Option<u32>) -> Self {
        Self::Int(value.map(i64::from))
    }
}

impl From<bool> for Param {
    fn from(value: bool) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<DateTime<Utc>> for Param {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Int(Some(value.timestamp_micros()))
    }
}

impl From<Option<DateTime<Utc>>> for Param {
    fn from(value: Option<DateTime<Utc>>) -> Self {
        Self::Int(value.map(|at| at.timestamp_micros()))
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<&String> for Param {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<Option<&str>> for Param {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<&Option<String>> for Param {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&[u8]> for Param {
    fn from(value: &[u8]) -> Self {
        Self::Blob(Some(value.to_vec()))
    }
}

impl From<&Vec<u8>> for Param {
    fn from(value: &Vec<u8>) -> Self {
        Self::Blob(Some(value.clone()))
    }
}

impl From<&Option<Vec<u8>>> for Param {
    fn from(value: &Option<Vec<u8>>) -> Self {
        Self::Blob(value.clone())
    }
}

macro_rules! ids_are_text {
    ($($id:ident),* $(,)?) => {$(
        impl From<&ids::$id> for Param {
            fn from(id: &ids::$id) -> Self {
                Self::Text(Some(id.as_str().to_owned()))
            }
        }

        impl From<Option<&ids::$id>> for Param {
            fn from(id: Option<&ids::$id>) -> Self {
                Self::Text(id.map(|id| id.as_str().to_owned()))
            }
        }
    )*};
}

ids_are_text!(
    OrganizationId,
    UserId,
    AccountId,
    CredentialId,
    CalendarId,
    ScheduleId,
    EventTypeId,
    AppointmentId,
    SiteId,
    JobId,
    HoldId,
    SubscriptionId,
    AuditEntryId,
    InboxMessageId,
    ClaimId,
    SeriesId,
    AbsenceId,
    HolidayCalendarId,
    BookingLinkId,
);
