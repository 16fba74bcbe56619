//! Connecting to a database, migrating it, and starting transactions.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgConnection, PgPool, SqlSafeStr, SqliteConnection, SqlitePool};
use tempfile::TempDir;

use crate::announcement::{self, Announcement, Announcements};
use crate::{StoreError, Tx, error};

/// The versions, descriptions and texts of one store, in order. (`sqlx::migrate!` would compile every driver once more, for
/// the compiler's own use.)
macro_rules! migrations {
    ($store:literal) => {
        &[
            (1, "initial", include_str!(concat!("../../../migrations/", $store, "/0001_initial.sql"))),
            (2, "availability", include_str!(concat!("../../../migrations/", $store, "/0002_availability.sql"))),
            (3, "providers", include_str!(concat!("../../../migrations/", $store, "/0003_providers.sql"))),
            (4, "operations", include_str!(concat!("../../../migrations/", $store, "/0004_operations.sql"))),
            (5, "theme", include_str!(concat!("../../../migrations/", $store, "/0005_theme.sql"))),
            (6, "tracking", include_str!(concat!("../../../migrations/", $store, "/0006_tracking.sql"))),
            (7, "untold events", include_str!(concat!("../../../migrations/", $store, "/0007_untold_events.sql"))),
        ]
    };
}

static SQLITE_MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| migrator(migrations!("sqlite")));
static POSTGRES_MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| migrator(migrations!("postgres")));

fn migrator(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |&(version, description, text): &(i64, &'static str, &'static str)| {
        Migration::new(version, description.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.iter().map(migration).collect())
}

const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// How long a transaction waits for its connection. On SQLite that is the queue of the writers.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long SQLite waits for another *process* that writes (inside this one, writers queue for their connection).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Where SQLite does not wait by itself for another process (while the file is switched to WAL, or while that one migrates),
/// it is tried again this often, after this pause.
const SQLITE_RETRIES: u32 = 20;
const SQLITE_RETRY_PAUSE: Duration = Duration::from_millis(250);
const SQLITE_READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;
/// Above the number of statements in this crate, so that each is prepared once per connection.
const STATEMENT_CACHE: usize = 256;

/// A database: SQLite or PostgreSQL. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Store(Backend);

#[derive(Debug, Clone)]
enum Backend {
    /// SQLite admits one writer at a time: the pool of one connection is the queue in which writers wait, first come,
    /// first served. WAL lets readers go on meanwhile.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// Of a database that nobody else knows.
        directory: Option<Arc<TempDir>>,
    },
    Postgres(PgPool),
}

impl Store {
    /// Opens `sqlite:///absolute/path.db`, `sqlite://relative.db` (the file is created when missing), `sqlite::memory:`
    /// (a database in a temporary file that goes with the last clone: for tests) or `postgres://user@host/database`.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let backend = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            connect_postgres(url).await?
        } else if url == "sqlite::memory:" {
            let directory = tempfile::tempdir().map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let options = SqliteConnectOptions::new().filename(directory.path().join("cupo.db"));
            connect_sqlite(options, Some(directory)).await?
        } else if url.starts_with("sqlite:") {
            connect_sqlite(SqliteConnectOptions::from_str(url)?, None).await?
        } else {
            return Err(StoreError::Address("it must start with sqlite: or postgres:".to_owned()));
        };
        Ok(Self(backend))
    }

    /// Opens the SQLite database of one file, which is created when missing. The path may hold any character.
    pub async fn connect_file(file: &Path) -> Result<Self, StoreError> {
        Ok(Self(connect_sqlite(SqliteConnectOptions::new().filename(file), None).await?))
    }

    /// Applies the migrations that are missing. Several processes may call it at once: one does the work, the others wait.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => Ok(again(|| SQLITE_MIGRATIONS.run(writer), was_refused).await?),
            Backend::Postgres(pool) => Ok(POSTGRES_MIGRATIONS.run(pool).await?),
        }
    }

    /// The migrations that [`Store::migrate`] would apply, such as `0001 initial`; changes no table but sqlx's own.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => pending(&SQLITE_MIGRATIONS, &mut *writer.acquire().await?).await,
            Backend::Postgres(pool) => pending(&POSTGRES_MIGRATIONS, &mut *pool.acquire().await?).await,
        }
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match &self.0 {
            Backend::Sqlite { readers, .. } => sqlx::query("select 1").execute(readers).await.map(drop)?,
            Backend::Postgres(pool) => sqlx::query("select 1").execute(pool).await.map(drop)?,
        }
        Ok(())
    }

    /// Starts a transaction that sees one state of the database and cannot change it. Many run at once.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        match &self.0 {
            Backend::Sqlite { readers, .. } => Ok(Tx::Sqlite(readers.begin_with("begin deferred").await?)),
            Backend::Postgres(pool) => {
                Ok(Tx::Postgres(pool.begin_with("begin isolation level repeatable read, read only").await?))
            }
        }
    }

    /// Starts a transaction that may change the database. The outcome is as if all of these ran one after another: on
    /// SQLite they do, on PostgreSQL one that would break this fails with [`StoreError::Retry`], in any statement or at
    /// the commit.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => Ok(Tx::Sqlite(writer.begin_with("begin immediate").await?)),
            Backend::Postgres(pool) => Ok(Tx::Postgres(pool.begin_with("begin isolation level serializable").await?)),
        }
    }

    /// Starts a transaction for what workers do with leases alone: [`job_lease`](crate::job_lease) and what ends a lease.
    /// PostgreSQL's serializable transactions collide when two owners lease at once, whichever jobs they get; with row locks
    /// (`read committed`) they pass one another.
    pub async fn write_leases(&self) -> Result<Tx, StoreError> {
        match &self.0 {
            Backend::Sqlite { .. } => self.write().await,
            Backend::Postgres(pool) => Ok(Tx::Postgres(pool.begin_with("begin isolation level read committed").await?)),
        }
    }

    /// Whether the processes on this database have to tell one another what they do. On SQLite they see it for themselves.
    #[must_use]
    pub fn announces(&self) -> bool {
        matches!(self.0, Backend::Postgres(_))
    }

    /// Tells the other processes on the database something, after the commit of what it is about. `from` names this process.
    /// It may be lost. Where [`Self::announces`] is false this does nothing.
    pub async fn announce(&self, from: &str, announcements: &[Announcement]) -> Result<(), StoreError> {
        match &self.0 {
            Backend::Sqlite { .. } => Ok(()),
            Backend::Postgres(pool) => announcement::announce(pool, from, announcements).await,
        }
    }

    /// What the other processes on the database tell; what `own` announces is left out. On PostgreSQL this holds one more
    /// connection, and makes it again when it is lost.
    #[must_use]
    pub fn announcements(&self, own: &str) -> Announcements {
        match &self.0 {
            Backend::Sqlite { directory: Some(_), .. } => Announcements::alone(own),
            Backend::Sqlite { writer, .. } => Announcements::of_sqlite(own, writer.clone()),
            Backend::Postgres(pool) => Announcements::of_postgres(own, pool.connect_options().as_ref().clone()),
        }
    }

    /// Starts a transaction that sees one state of the database and may change it, for a copy of all tables. On SQLite every
    /// other writer waits; on PostgreSQL that takes locks on the tables, before the first question is asked.
    pub(crate) async fn copying(&self) -> Result<Tx, StoreError> {
        match &self.0 {
            Backend::Sqlite { .. } => self.write().await,
            Backend::Postgres(pool) => {
                Ok(Tx::Postgres(pool.begin_with("begin isolation level repeatable read").await?))
            }
        }
    }

    /// What tells this database from every other one: the same for each connection to it, whatever its address says.
    pub(crate) async fn identity(&self) -> Result<String, StoreError> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => {
                let file: String = sqlx::query_scalar("select file from pragma_database_list where name = 'main'")
                    .fetch_one(writer)
                    .await?;
                let canonical = std::fs::canonicalize(&file);
                Ok(canonical.map_or(file, |path| path.to_string_lossy().into_owned()))
            }
            Backend::Postgres(pool) => {
                let started =
                    "select current_database() || ' ' || current_schema() || ' ' || pg_postmaster_start_time()";
                Ok(sqlx::query_scalar(started).fetch_one(pool).await?)
            }
        }
    }

    /// Makes one file of an SQLite database, without a log beside it, and closes it.
    pub(crate) async fn seal(self) -> Result<(), StoreError> {
        if let Backend::Sqlite { writer, readers, .. } = &self.0 {
            readers.close().await;
            sqlx::query("pragma journal_mode = delete").execute(writer).await?;
        }
        self.close().await;
        Ok(())
    }

    /// Closes the connections, after the transactions that are open have ended.
    pub async fn close(&self) {
        match &self.0 {
            Backend::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

async fn connect_sqlite(options: SqliteConnectOptions, directory: Option<TempDir>) -> Result<Backend, StoreError> {
    let options = options.foreign_keys(true).busy_timeout(BUSY_TIMEOUT).statement_cache_capacity(STATEMENT_CACHE);
    // A confirmed appointment must outlive a power cut: WAL syncs at each commit only with `full`.
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    // Before the readers: it is this connection that makes the file and switches it to WAL.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_between_transactions(connection)));
    let writer = again(|| writer.clone().connect_with(writing.clone()), is_busy).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_between_transactions(connection)))
        .connect_lazy_with(options.pragma("query_only", "on"));
    Ok(Backend::Sqlite { writer, readers, directory: directory.map(Arc::new) })
}

/// Whether the connection can begin a transaction; another one takes the place of one that cannot. SQLite ends a transaction
/// by itself where the disk is full or fails (<https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction>).
/// Then neither a commit nor a rollback succeeds, and sqlx takes it for open for ever.
async fn is_between_transactions(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(!connection.is_in_transaction())
}

/// Repeats what failed because another process was at the same SQLite file.
async fn again<T, E, F: Future<Output = Result<T, E>>>(
    attempt: impl Fn() -> F,
    may_pass: impl Fn(&E) -> bool,
) -> Result<T, E> {
    for _ in 0..SQLITE_RETRIES {
        match attempt().await {
            Err(error) if may_pass(&error) => tokio::time::sleep(SQLITE_RETRY_PAUSE).await,
            ended => return ended,
        }
    }
    attempt().await
}

/// Whether another process holds a lock. For the one that the switch to WAL takes, no busy time-out waits
/// (<https://www.sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode>).
fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if database.code().is_some_and(|code| error::is_busy(&code)))
}

/// Whether a statement failed: another process may have made the same table a moment before.
fn was_refused(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Execute(_) | MigrateError::ExecuteMigration(..))
}

async fn connect_postgres(url: &str) -> Result<Backend, StoreError> {
    let options = PgConnectOptions::from_str(url)?.application_name("cupo").statement_cache_capacity(STATEMENT_CACHE);
    // The pool would go on trying until its time-out: a wrong address is told at once.
    PgConnection::connect_with(&options).await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    Ok(Backend::Postgres(pool))
}

async fn pending<C: Migrate>(migrations: &Migrator, connection: &mut C) -> Result<Vec<String>, StoreError> {
    connection.ensure_migrations_table(MIGRATIONS_TABLE).await?;
    let applied: BTreeSet<i64> =
        connection.list_applied_migrations(MIGRATIONS_TABLE).await?.iter().map(|migration| migration.version).collect();
    Ok(migrations
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .map(|migration| format!("{:04} {}", migration.version, migration.description))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tx::sql;

    /// Ends a transaction behind the back of the driver, as SQLite does after some errors.
    async fn end(mut tx: Tx) {
        sql("rollback").execute(&mut tx).await.unwrap();
        assert!(tx.commit().await.is_err(), "nothing is open any more");
    }

    async fn works(mut tx: Tx) {
        sql("select 1").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_transaction_that_the_database_ended_by_itself_is_not_the_end_of_its_connection() {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        end(store.write().await.unwrap()).await;
        works(store.write().await.unwrap()).await;
        end(store.read().await.unwrap()).await;
        works(store.read().await.unwrap()).await;
    }

    #[tokio::test]
    async fn a_full_disk_costs_only_the_transactions_that_meet_it() {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        let mut tx = store.write().await.unwrap();
        sql("create table heap (bytes blob)").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let Backend::Sqlite { writer, .. } = &store.0 else { unreachable!("it is SQLite") };
        sqlx::query("pragma max_page_count = 40").execute(writer).await.unwrap();
        let mut tx = store.write().await.unwrap();
        let filled = sql("insert into heap values (zeroblob(1000000))").execute(&mut tx).await;
        assert!(filled.is_err(), "the file is full");
        let _refused = tx.commit().await;
        sqlx::query("pragma max_page_count = 100000").execute(writer).await.unwrap();
        let mut tx = store.write().await.unwrap();
        sql("insert into heap values (zeroblob(1000000))").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}
