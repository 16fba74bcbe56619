//! The store, read by SQL of the driver's own: nothing of the product is linked.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

/// The database behind the product.
#[derive(Debug, Clone)]
pub enum Reader {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A row that is read as a JSON object of these columns.
pub trait Row: DeserializeOwned {
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];
}

impl Reader {
    pub fn sqlite(file: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        Self::Sqlite(SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options))
    }

    pub fn postgres(url: &str) -> Result<Self> {
        Ok(Self::Postgres(PgPoolOptions::new().max_connections(4).connect_lazy(url)?))
    }

    /// Every row of a table.
    pub async fn all<R: Row>(&self) -> Result<Vec<R>> {
        self.those::<R>("1 = 1").await
    }

    /// The rows of a table of which `condition` (SQL that both databases understand) is true.
    pub async fn those<R: Row>(&self, condition: &str) -> Result<Vec<R>> {
        let object = match self {
            Self::Sqlite(_) => "json_object",
            Self::Postgres(_) => "json_build_object",
        };
        let pairs: Vec<String> = R::COLUMNS.iter().map(|column| format!("'{column}', {column}")).collect();
        let cast = format!("cast({object}({}) as text)", pairs.join(", "));
        let query = format!("select {cast} from {} where {condition}", R::TABLE);
        let texts: Vec<String> = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(pool).await,
            Self::Postgres(pool) => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(pool).await,
        }
        .with_context(|| format!("reading {}", R::TABLE))?;
        let read = |text: String| serde_json::from_str(&text).with_context(|| format!("a row of {}", R::TABLE));
        texts.into_iter().map(read).collect()
    }
}

fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    let micros = i64::deserialize(from)?;
    DateTime::from_timestamp_micros(micros).ok_or_else(|| serde::de::Error::custom("no instant"))
}

fn maybe_instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let micros = Option::<i64>::deserialize(from)?;
    micros
        .map(|micros| DateTime::from_timestamp_micros(micros).ok_or_else(|| serde::de::Error::custom("no instant")))
        .transpose()
}

macro_rules! row {
    ($(#[$doc:meta])* $name:ident of $table:literal { $($(#[$attribute:meta])* $column:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        pub struct $name {
            $($(#[$attribute])* pub $column: $kind,)*
        }

        impl Row for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),*];
        }
    };
}

row!(User of "\"user\"" { id: String, email: String });

row!(Account of "calendar_provider_account" { id: String, user_id: String, state: String });

row!(Calendar of "calendar" {
    id: String,
    account_id: String,
    external_id: String,
    is_primary: i64,
    checks_conflicts: i64,
    #[serde(deserialize_with = "maybe_instant")]
    synced_at: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "maybe_instant")]
    mirror_until: Option<DateTime<Utc>>,
    sync_error: Option<String>,
});

row!(Appointment of "appointment" {
    id: String,
    claim_id: String,
    host_user_id: String,
    status: String,
    #[serde(deserialize_with = "instant")]
    start_at: DateTime<Utc>,
    #[serde(deserialize_with = "instant")]
    end_at: DateTime<Utc>,
    visitor_email: String,
    sequence: i64,
    cancelled_by: Option<String>,
});

row!(Claim of "claim" {
    id: String,
    host_user_id: String,
    #[serde(deserialize_with = "instant")]
    claim_start: DateTime<Utc>,
    #[serde(deserialize_with = "instant")]
    claim_end: DateTime<Utc>,
    seats: i64,
    seats_taken: i64,
});

row!(Mapping of "appointment_external_mapping" {
    claim_id: String,
    calendar_id: String,
    external_event_id: String,
    pushed_sequence: i64,
    #[serde(deserialize_with = "maybe_instant")]
    deleted_at: Option<DateTime<Utc>>,
});

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calendar_id, external_event_id, pushed_sequence, deleted_at, .. } = self;
        write!(f, "{external_event_id} in {calendar_id}, pushed {pushed_sequence}, deleted {deleted_at:?}")
    }
}

row!(Busy of "busy_interval" {
    calendar_id: String,
    #[serde(deserialize_with = "instant")]
    start_at: DateTime<Utc>,
    #[serde(deserialize_with = "instant")]
    end_at: DateTime<Utc>,
});

row!(Job of "job" {
    kind: String,
    payload: String,
    state: String,
    attempts: i64,
    #[serde(deserialize_with = "instant")]
    run_at: DateTime<Utc>,
    #[serde(deserialize_with = "maybe_instant")]
    leased_until: Option<DateTime<Utc>>,
    last_error: Option<String>,
});

row!(Audit of "audit_entry" {
    action: String,
    subject_id: String,
    detail: String,
});
