//! Reading and writing rows of tables that are known only when it runs.

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;

use super::catalogue::{Column, Kind, Table};
use super::checksum::Checksum;
use super::{CopyError, TableCopied};
use crate::row::{AnyRow, Fields, Record};
use crate::tx::{Param, on, sql};
use crate::{StoreError, Tx};

/// A batch ends with so many values or bytes. PostgreSQL takes 65,535 values in one statement. SQLite takes 32,766, but finds
/// each by walking through those before it: few are faster.
const BATCH_VALUES_OF_POSTGRES: usize = 4_000;
const BATCH_VALUES_OF_SQLITE: usize = 400;
const BATCH_BYTES: usize = 1 << 20;

/// Copies the rows of a table, a batch at a time.
pub(super) async fn copy(source: &mut Tx, target: &mut Tx, table: &Table) -> Result<(), CopyError> {
    let text = format!("select {} from {}", table.column_list(), table.quoted());
    let most = if target.is_postgres() { BATCH_VALUES_OF_POSTGRES } else { BATCH_VALUES_OF_SQLITE };
    let refused = |error: StoreError| CopyError::Refused { table: table.name.clone(), error };
    on!(source, connection => {
        let mut rows = sqlx::query(AssertSqlSafe(text)).fetch(connection);
        let mut batch = Batch::default();
        while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
            batch.push(values(&row, &table.columns)?);
            if batch.values >= most || batch.bytes >= BATCH_BYTES {
                std::mem::take(&mut batch).insert(target, table).await.map_err(refused)?;
            }
        }
        batch.insert(target, table).await.map_err(refused)
    })
}

/// Counts and sums what a table holds, as this transaction sees it.
pub(super) async fn measure(tx: &mut Tx, table: &Table) -> Result<TableCopied, StoreError> {
    let text = format!("select {} from {}", table.column_list(), table.quoted());
    let (mut count, mut checksum) = (0, Checksum::default());
    on!(tx, connection => {
        let mut rows = sqlx::query(AssertSqlSafe(text)).fetch(connection);
        while let Some(row) = rows.try_next().await? {
            checksum.add_row(table, &values(&row, &table.columns)?);
            count += 1;
        }
    });
    Ok(TableCopied { table: table.name.clone(), rows: count, checksum })
}

/// The first of the tables that holds a row.
pub(super) async fn first_filled<'t>(tx: &mut Tx, tables: &'t [Table]) -> Result<Option<&'t Table>, StoreError> {
    for table in tables {
        let text = format!("select count(*) as present from (select 1 from {} limit 1) as found", table.quoted());
        let Some(Present(present)) = sql(text).optional(tx).await? else { continue };
        if present > 0 {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

/// Deletes every row of the tables, children first.
pub(super) async fn delete(tx: &mut Tx, tables: &[Table]) -> Result<(), StoreError> {
    for table in tables.iter().rev() {
        sql(format!("delete from {}", table.quoted())).execute(tx).await?;
    }
    Ok(())
}

struct Present(i64);

impl Record for Present {
    const TABLE: &'static str = "catalogue";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.int("present")?))
    }
}

fn values(row: &dyn AnyRow, columns: &[Column]) -> Result<Vec<Param>, StoreError> {
    columns
        .iter()
        .map(|column| {
            Ok(match column.kind {
                Kind::Int => Param::Int(row.int(&column.name)?),
                Kind::Text => Param::Text(row.text(&column.name)?),
                Kind::Blob => Param::Blob(row.blob(&column.name)?),
            })
        })
        .collect()
}

/// Rows on their way.
#[derive(Default)]
struct Batch {
    rows: Vec<Vec<Param>>,
    values: usize,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, row: Vec<Param>) {
        self.values += row.len();
        self.bytes += row.iter().map(size).sum::<usize>();
        self.rows.push(row);
    }

    async fn insert(self, target: &mut Tx, table: &Table) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let width = table.columns.len();
        let row = |number: usize| {
            let places = (1..=width).map(|column| format!("${}", number * width + column)).collect::<Vec<_>>();
            format!("({})", places.join(", "))
        };
        let places = (0..self.rows.len()).map(row).collect::<Vec<_>>().join(", ");
        let text = format!("insert into {} ({}) values {places}", table.quoted(), table.column_list());
        let rows = self.rows.len() as u64;
        let statement = self.rows.into_iter().flatten().fold(sql(text), |statement, value| statement.bind(value));
        let inserted = statement.execute(target).await?;
        debug_assert_eq!(inserted, rows, "the checksums would tell");
        Ok(())
    }
}

fn size(value: &Param) -> usize {
    match value {
        Param::Int(_) => 8,
        Param::Text(text) => text.as_ref().map_or(0, String::len),
        Param::Blob(blob) => blob.as_ref().map_or(0, Vec::len),
    }
}
