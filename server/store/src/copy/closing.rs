//! Closing a database whose contents have moved away: triggers on every table refuse each change from then on, in the
//! processes that are connected and in those that come, and say where everything went.

use super::catalogue::{Table, quoted};
use crate::error::MOVED;
use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{Store, StoreError, Tx};

const FUNCTION: &str = "cupo_moved";
const EVENTS: [&str; 3] = ["insert", "update", "delete"];

/// Refuses every change from the commit on. `address` is shown in errors: it must hold no password.
pub(super) async fn close(tx: &mut Tx, tables: &[Table], address: &str) -> Result<(), StoreError> {
    let message = format!("'{MOVED}{}'", address.replace('\'', "''"));
    if !tx.is_postgres() {
        for table in tables {
            for event in EVENTS {
                let (trigger, table) = (trigger(table, event), table.quoted());
                let text = format!(
                    "create trigger {trigger} before {event} on {table} begin select raise(abort, {message}); end"
                );
                sql(text).execute(tx).await?;
            }
        }
        return Ok(());
    }
    // One that was left by an earlier move is replaced.
    let body = format!("begin raise exception using message = {message}; end");
    sql(format!("create or replace function {FUNCTION}() returns trigger language plpgsql as $cupo${body}$cupo$"))
        .execute(tx)
        .await?;
    for table in tables {
        // For each statement, so that one that would change no row is told too.
        let text = format!(
            "create trigger {FUNCTION} before insert or update or delete or truncate on {}
             for each statement execute function {FUNCTION}()",
            table.quoted()
        );
        sql(text).execute(tx).await?;
    }
    Ok(())
}

/// Lets changes in again, where the database was closed.
pub(super) async fn open(tx: &mut Tx, tables: &[Table]) -> Result<(), StoreError> {
    for table in tables {
        if tx.is_postgres() {
            sql(format!("drop trigger if exists {FUNCTION} on {}", table.quoted())).execute(tx).await?;
        } else {
            for event in EVENTS {
                sql(format!("drop trigger if exists {}", trigger(table, event))).execute(tx).await?;
            }
        }
    }
    if tx.is_postgres() {
        sql(format!("drop function if exists {FUNCTION}()")).execute(tx).await?;
    }
    Ok(())
}

/// The trigger's name on SQLite, where names are the database's and not the table's.
fn trigger(table: &Table, event: &str) -> String {
    quoted(&format!("{FUNCTION}_{event}_{}", table.name))
}

impl Store {
    /// Where everything in this database went, without a password; `None` while it is in use.
    pub async fn moved_to(&self) -> Result<Option<String>, StoreError> {
        let mut tx = self.read().await?;
        let source: Option<Source> = sql(if tx.is_postgres() {
            "select p.prosrc as source from pg_proc p join pg_namespace n on n.oid = p.pronamespace
              where p.proname = 'cupo_moved' and n.nspname = current_schema()"
        } else {
            "select sql as source from sqlite_master where type = 'trigger' and name like 'cupo\\_moved\\_%' escape '\\'
              limit 1"
        })
        .optional(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(source.and_then(|Source(text)| address_in(&text)))
    }
}

/// The address in the text of a trigger or of its function.
fn address_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("'{MOVED}"))?;
    let (address, _) = rest.rsplit_once('\'')?;
    Some(address.replace("''", "'"))
}

struct Source(String);

impl Record for Source {
    const TABLE: &'static str = "catalogue";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.text("source")?))
    }
}
