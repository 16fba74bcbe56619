//! The error policy of the store: one variant for each thing a caller can do about it.
//!
//! Absence is no error: a lookup answers `Option`, an update answers whether a row was changed.

/// Why a statement, a transaction or a connection failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The transaction lost against a concurrent one and changed nothing: run the whole of it again.
    #[error("the transaction collided with another one; try it again")]
    Retry,
    /// A value that must be unique is taken. Names the table and the last column of the key, such as `user.email` or
    /// `event_type.slug`, alike on both stores.
    #[error("{0} is taken")]
    Unique(String),
    /// Another claim on a host's time overlaps, or the slot has no seat left.
    #[error("the host's time is taken")]
    ClaimTaken,
    /// The database cannot be reached or is out of connections.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database was closed when everything in it moved to another one, whose address this names without its password.
    /// Nothing can be written here any more.
    #[error("this installation has moved to another database, {0}: use that one")]
    Moved(String),
    /// A stored value is not what this version of Cupo writes.
    #[error("{table}.{column} holds a value that cannot be read")]
    Corrupt { table: &'static str, column: &'static str },
    /// The address of the database is not understood.
    #[error("the database address is not valid: {0}")]
    Address(String),
    /// A migration could not be applied.
    #[error("a migration failed: {0}")]
    Migration(String),
    /// A value could not be written as JSON.
    #[error("a value could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The database refused the statement: a defect of Cupo, or of the database.
    #[error("the database refused a statement: {0}")]
    Sql(sqlx::Error),
}

/// The message that SQLite's triggers raise and the name of PostgreSQL's exclusion constraint.
const CLAIM_TAKEN: &str = "claim_taken";
/// What the triggers of a closed database raise, before the address to which everything has moved.
pub(crate) const MOVED: &str = "cupo_moved ";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                if let Some(postgres) = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                    of_postgres(&code, postgres.constraint(), postgres.message()).unwrap_or(Self::Sql(error))
                } else {
                    of_sqlite(&code, database.message()).unwrap_or(Self::Sql(error))
                }
            }
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_) => Self::Unavailable(error.to_string()),
            sqlx::Error::Configuration(problem) => Self::Address(problem.to_string()),
            _ => Self::Sql(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        let reason = error.to_string();
        if reason.contains("btree_gist") {
            return Self::Migration(format!(
                "the database lacks the extension btree_gist, which guards against double bookings; let a superuser or \
                 the owner of the database run `create extension btree_gist` (PostgreSQL's contrib package has it): \
                 {reason}"
            ));
        }
        Self::Migration(reason)
    }
}

/// SQLSTATE codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_postgres(code: &str, constraint: Option<&str>, message: &str) -> Option<StoreError> {
    match (code, constraint) {
        // serialization_failure, deadlock_detected
        ("40001" | "40P01", _) => Some(StoreError::Retry),
        ("23505", Some(constraint)) => Some(StoreError::Unique(constraint.to_owned())),
        ("23P01", Some(CLAIM_TAKEN)) => Some(StoreError::ClaimTaken),
        // raise_exception
        ("P0001", _) => message.strip_prefix(MOVED).map(|address| StoreError::Moved(address.to_owned())),
        // too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now; class 08: connection exceptions
        ("53300" | "57P01" | "57P02" | "57P03", _) => Some(StoreError::Unavailable(message.to_owned())),
        (code, _) if code.starts_with("08") => Some(StoreError::Unavailable(message.to_owned())),
        _ => None,
    }
}

/// Whether SQLite says that another process holds a lock, beyond the busy time-out where there is one: BUSY and its extended
/// codes.
pub(crate) fn is_busy(code: &str) -> bool {
    matches!(code, "5" | "261" | "517" | "773")
}

/// Extended result codes: <https://www.sqlite.org/rescode.html>.
fn of_sqlite(code: &str, message: &str) -> Option<StoreError> {
    if is_busy(code) {
        return Some(StoreError::Retry);
    }
    match code.parse::<u32>().ok()? {
        // CONSTRAINT_PRIMARYKEY, CONSTRAINT_UNIQUE: "UNIQUE constraint failed: event_type.organization_id, event_type.slug"
        1555 | 2067 => {
            // or, of an index over an expression: "UNIQUE constraint failed: index 'user.email'"
            let columns = message.rsplit_once(": ").map_or(message, |(_, columns)| columns);
            let last = columns.rsplit_once(", ").map_or(columns, |(_, last)| last);
            let named = last.strip_prefix("index '").and_then(|name| name.strip_suffix('\'')).unwrap_or(last);
            Some(StoreError::Unique(named.to_owned()))
        }
        // CONSTRAINT_TRIGGER
        1811 if message.contains(CLAIM_TAKEN) => Some(StoreError::ClaimTaken),
        1811 => message.strip_prefix(MOVED).map(|address| StoreError::Moved(address.to_owned())),
        // CANTOPEN, FULL and IOERR with its extended codes
        code if matches!(code & 0xff, 10 | 13 | 14) => Some(StoreError::Unavailable(message.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_extension_is_told_with_its_remedy() {
        let refusal =
            sqlx::migrate::MigrateError::Source("permission denied to create extension \"btree_gist\"".into());
        let told = StoreError::from(refusal).to_string();
        assert!(told.contains("create extension btree_gist") && told.contains("permission denied"), "{told}");
    }

    #[test]
    fn a_unique_violation_names_the_last_column_of_its_key() {
        for (message, constraint) in [
            ("UNIQUE constraint failed: organization.slug", "organization.slug"),
            ("UNIQUE constraint failed: event_type.organization_id, event_type.slug", "event_type.slug"),
            ("UNIQUE constraint failed: index 'user.email'", "user.email"),
        ] {
            assert!(matches!(of_sqlite("2067", message), Some(StoreError::Unique(told)) if told == constraint));
        }
    }
}
