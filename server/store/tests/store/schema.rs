//! Both stores have the same tables.

use std::collections::BTreeSet;

use cupo_store::{Store, Tx};
use sqlx::{AssertSqlSafe, Row};

use crate::world::{World, on_postgres, on_sqlite};

const SQLITE: &str = include_str!("../../../../migrations/sqlite/0001_initial.sql");
const POSTGRES: &str = include_str!("../../../../migrations/postgres/0001_initial.sql");

/// The statements of a migration without what is each database's own: comments, names of constraints and types, SQLite's
/// `strict` and triggers, PostgreSQL's extension and exclusion constraint.
fn statements(migration: &str) -> BTreeSet<String> {
    let mut text: String =
        migration.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    while let Some(start) = text.find("create trigger") {
        let end = start + text[start..].find("\nend;").unwrap() + "\nend;".len();
        text.replace_range(start..end, "");
    }
    while let Some(start) = text.find("constraint claim_taken") {
        let end = start + text[start..].find("'confirmed'),").unwrap() + "'confirmed'),".len();
        text.replace_range(start..end, "");
    }
    while let Some(start) = text.find("constraint ") {
        let name = start + "constraint ".len();
        let end = name + text[name..].find(char::is_whitespace).unwrap();
        text.replace_range(start..end, "");
    }
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| match word.trim_end_matches(',') {
            "bigint" => word.replace("bigint", "integer").leak(),
            "bytea" => word.replace("bytea", "blob").leak(),
            _ => word,
        })
        .collect();
    words
        .join(" ")
        .split(';')
        .map(|statement| statement.trim().trim_end_matches(" strict").to_owned())
        .filter(|statement| !statement.is_empty() && !statement.starts_with("create extension"))
        .collect()
}

/// Table, column, kind of type, whether it may be null.
type Column = (String, String, &'static str, bool);

fn kind(type_name: &str) -> &'static str {
    match type_name.to_ascii_lowercase().as_str() {
        "integer" | "bigint" => "integer",
        "text" => "text",
        "blob" | "bytea" => "bytes",
        other => panic!("a type that the portable subset does not have: {other}"),
    }
}

async fn columns_of_sqlite(store: &Store) -> BTreeSet<Column> {
    let Tx::Sqlite(mut connection) = store.read().await.unwrap() else { panic!("not SQLite") };
    let tables =
        sqlx::query("select name from sqlite_master where type = 'table' and name not like '\\_sqlx%' escape '\\'")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    let mut columns = BTreeSet::new();
    for table in tables.iter().map(|row| row.get::<String, _>(0)) {
        let info = sqlx::query(AssertSqlSafe(format!("pragma table_info(\"{table}\")")));
        for row in info.fetch_all(&mut *connection).await.unwrap() {
            let type_name: String = row.get("type");
            columns.insert((table.clone(), row.get("name"), kind(&type_name), row.get::<i64, _>("notnull") == 0));
        }
    }
    columns
}

async fn columns_of_postgres(store: &Store) -> BTreeSet<Column> {
    let Tx::Postgres(mut connection) = store.read().await.unwrap() else { panic!("not PostgreSQL") };
    let rows = sqlx::query(
        "select table_name::text, column_name::text, data_type::text, is_nullable::text
           from information_schema.columns
          where table_schema = current_schema() and table_name not like '\\_sqlx%'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    rows.iter()
        .map(|row| {
            let (type_name, nullable): (String, String) = (row.get("data_type"), row.get("is_nullable"));
            (row.get("table_name"), row.get("column_name"), kind(&type_name), nullable == "YES")
        })
        .collect()
}

#[test]
fn both_migrations_say_the_same_but_for_the_claims() {
    let (sqlite, postgres) = (statements(SQLITE), statements(POSTGRES));
    assert!(sqlite.len() > 30, "the comparison found only {} statements", sqlite.len());
    assert_eq!(sqlite, postgres);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_columns() {
    on_postgres(async |on_postgres: World| {
        on_sqlite(async |on_sqlite: World| {
            let columns = columns_of_sqlite(&on_sqlite.store).await;
            assert!(columns.len() > 100);
            assert_eq!(columns, columns_of_postgres(&on_postgres.store).await);
        })
        .await;
    })
    .await;
}

/// A foreign key without an index makes each delete of the parent read the whole child table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_foreign_key_has_an_index() {
    on_sqlite(async |world: World| {
        let Tx::Sqlite(mut connection) = world.store.read().await.unwrap() else { panic!("not SQLite") };
        let keys = sqlx::query(
            "select m.name as child, f.id, group_concat(f.\"from\") as columns
               from sqlite_master m join pragma_foreign_key_list(m.name) f
              where m.type = 'table' group by m.name, f.id",
        )
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        assert!(keys.len() > 20);
        for key in keys {
            let (child, columns): (String, String) = (key.get("child"), key.get("columns"));
            let condition: Vec<String> = columns.split(',').map(|column| format!("{column} = ?")).collect();
            let plan = format!("explain query plan select 1 from \"{child}\" where {}", condition.join(" and "));
            let steps = sqlx::query(AssertSqlSafe(plan)).fetch_all(&mut *connection).await.unwrap();
            for step in steps {
                let detail: String = step.get("detail");
                assert!(detail.starts_with("SEARCH"), "{child} ({columns}): {detail}");
            }
        }
    })
    .await;
}

async fn plan(world: &World, query: &str) -> String {
    let Tx::Sqlite(mut connection) = world.store.read().await.unwrap() else { panic!("not SQLite") };
    let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {query}")));
    let steps = plan.fetch_all(&mut *connection).await.unwrap();
    steps.iter().map(|step| step.get("detail")).collect::<Vec<String>>().join("; ")
}

/// The queries behind every page of slots read their index only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slots_queries_are_covered_by_their_indices() {
    let queries = [
        (
            "busy_interval_by_time",
            "select start_at, end_at from busy_interval
              where organization_id = $1 and end_at > $2 and start_at < $3 and calendar_id in ($4, $5)",
        ),
        (
            "appointment_claims",
            "select id, claim_start, claim_end from appointment
              where organization_id = $1 and host_user_id = $2 and status = 'confirmed'
                and claim_end > $3 and claim_start < $4",
        ),
    ];
    on_sqlite(async |world: World| {
        for (index, query) in queries {
            let plan = plan(&world, query).await;
            assert!(plan.contains(&format!("USING COVERING INDEX {index}")), "{plan}");
        }
    })
    .await;
}

/// Years of past appointments cost a page of the coming ones nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_coming_appointments_skips_the_past() {
    on_sqlite(async |world: World| {
        let plan = plan(
            &world,
            "with coming as materialized (
               select id, start_at from appointment where organization_id = $1 and status = 'confirmed' and end_at > $5)
             select id from coming where (start_at, id) > ($2, $3) order by start_at, id limit $4",
        )
        .await;
        assert!(plan.contains("SEARCH appointment USING INDEX appointment_by_end"), "{plan}");
    })
    .await;
}
