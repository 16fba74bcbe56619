//! All that the database keeps of an organization.

use std::collections::{BTreeMap, BTreeSet};

use cupo_store::Tx;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column, Row, ValueRef};

use crate::world::World;

/// Of these columns the time and the worker decide, whoever asks for what.
const MOVING: [(&str, &str); 8] = [
    ("job", "run_at"),
    ("job", "attempts"),
    ("job", "leased_until"),
    ("job", "lease_owner"),
    ("calendar", "synced_at"),
    ("calendar", "mirror_until"),
    ("holiday_calendar", "fetched_at"),
    ("holiday_calendar", "updated_at"),
];

/// The rows of each table, each row as its columns and values.
pub type Rows = BTreeMap<String, BTreeSet<String>>;

async fn query(world: &World, text: String) -> Vec<SqliteRow> {
    let mut tx = world.server.store.read().await.unwrap();
    let Tx::Sqlite(connection) = &mut tx else { panic!("these tests run on SQLite") };
    sqlx::query(AssertSqlSafe(text)).fetch_all(&mut **connection).await.unwrap()
}

/// Every table.
pub async fn tables(world: &World) -> Vec<String> {
    let text = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name";
    query(world, text.to_owned()).await.iter().map(|row| row.get(0)).collect()
}

/// The tables whose rows say which organization they belong to.
pub async fn tables_of_organizations(world: &World) -> Vec<String> {
    let mut with = Vec::new();
    for table in tables(world).await {
        let columns = query(world, format!("select name from pragma_table_info('{table}')")).await;
        if columns.iter().any(|row| row.get::<String, _>(0) == "organization_id") {
            with.push(table);
        }
    }
    assert!(with.len() > 20, "{with:?}");
    with
}

/// Everything of an organization: its own row, those of its users, and all rows that name it.
pub async fn rows_of(world: &World, organization: &str) -> Rows {
    let mut rows = Rows::new();
    for table in tables_of_organizations(world).await {
        let text = format!("select * from \"{table}\" where organization_id = '{organization}'");
        rows.insert(table.clone(), shown(&table, &query(world, text).await));
    }
    let members = format!("select user_id from membership where organization_id = '{organization}'");
    for (table, condition) in
        [("organization", format!("id = '{organization}'")), ("user", format!("id in ({members})"))]
    {
        let text = format!("select * from \"{table}\" where {condition}");
        rows.insert(table.to_owned(), shown(table, &query(world, text).await));
    }
    rows
}

/// Every row of every table, with the table's name.
pub async fn everything(world: &World) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for table in tables(world).await {
        let rows = query(world, format!("select * from \"{table}\"")).await;
        all.extend(shown(&table, &rows).into_iter().map(|row| (table.clone(), row)));
    }
    all
}

fn shown(table: &str, rows: &[SqliteRow]) -> BTreeSet<String> {
    let cell = |row: &SqliteRow, column: usize| {
        let raw = row.try_get_raw(column).unwrap();
        if raw.is_null() {
            return "null".to_owned();
        }
        match raw.type_info().to_string().as_str() {
            "INTEGER" => row.get::<i64, _>(column).to_string(),
            "TEXT" => row.get::<String, _>(column),
            // Whatever is text in it stays readable.
            "BLOB" => String::from_utf8_lossy(&row.get::<Vec<u8>, _>(column)).into_owned(),
            other => panic!("{table} has a column of type {other}"),
        }
    };
    let line = |row: &SqliteRow| {
        let columns = row.columns().iter().enumerate();
        let kept = columns.filter(|(_, column)| !MOVING.contains(&(table, column.name())));
        kept.map(|(at, column)| format!("{}: {}", column.name(), cell(row, at))).collect::<Vec<_>>().join(", ")
    };
    rows.iter().map(line).collect()
}

/// What is in one and not in the other, to be shown.
pub fn difference(before: &Rows, after: &Rows) -> Vec<String> {
    let mut told = Vec::new();
    for table in before.keys() {
        let (before, after) = (&before[table], &after[table]);
        told.extend(before.difference(after).map(|row| format!("- {table} {row}")));
        told.extend(after.difference(before).map(|row| format!("+ {table} {row}")));
    }
    told
}
