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
fn both_first_migrations_say_the_same_but_for_the_claims() {
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

/// The answers to a question that both databases can be asked, each row one text.
async fn texts(store: &Store, on_sqlite: &'static str, on_postgres: &'static str) -> BTreeSet<String> {
    match &mut store.read().await.unwrap() {
        Tx::Sqlite(connection) => {
            let rows = sqlx::query(on_sqlite).fetch_all(&mut **connection).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        }
        Tx::Postgres(connection) => {
            let rows = sqlx::query(on_postgres).fetch_all(&mut **connection).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        }
    }
}

/// Table, columns in their order (`?` for an expression), whether it is unique and whether it is partial. Of the names only
/// those that errors tell are the same: an index that only serves a constraint has none in SQLite.
const INDICES_OF_SQLITE: &str = "
    select m.name || ' (' || (select group_concat(coalesce(x.name, '?'), ', ' order by x.seqno)
                                from pragma_index_info(i.name) x)
           || ') ' || i.\"unique\" || ' ' || i.partial
      from sqlite_master m join pragma_index_list(m.name) i
     where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\'";
const INDICES_OF_POSTGRES: &str = "
    select t.relname || ' (' || (select string_agg(coalesce(a.attname, '?'), ', ' order by k.position)
                                   from unnest(i.indkey) with ordinality k (number, position)
                                   left join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number and k.number > 0)
           || ') ' || i.indisunique::int || ' ' || (i.indpred is not null)::int
      from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
     where n.nspname = current_schema() and t.relname not like '\\_sqlx%' and not i.indisexclusion";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_indices() {
    on_postgres(async |on_postgres: World| {
        on_sqlite(async |on_sqlite: World| {
            let indices = texts(&on_sqlite.store, INDICES_OF_SQLITE, INDICES_OF_POSTGRES).await;
            assert!(indices.len() > 60);
            assert_eq!(indices, texts(&on_postgres.store, INDICES_OF_SQLITE, INDICES_OF_POSTGRES).await);
        })
        .await;
    })
    .await;
}

/// Table and columns, the table and columns that they refer to, and what becomes of a row when that one goes.
const KEYS_OF_SQLITE: &str = "
    select m.name || ' (' || group_concat(f.\"from\", ', ' order by f.seq) || ') ' || f.\"table\"
           || ' (' || group_concat(f.\"to\", ', ' order by f.seq) || ') ' || lower(f.on_delete)
      from sqlite_master m join pragma_foreign_key_list(m.name) f
     where m.type = 'table' group by m.name, f.id";
const KEYS_OF_POSTGRES: &str = "
    select t.relname || ' (' || (select string_agg(a.attname, ', ' order by k.position)
                                   from unnest(c.conkey) with ordinality k (number, position)
                                   join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number)
           || ') ' || p.relname
           || ' (' || (select string_agg(a.attname, ', ' order by k.position)
                         from unnest(c.confkey) with ordinality k (number, position)
                         join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number)
           || ') ' || case c.confdeltype when 'c' then 'cascade' when 'a' then 'no action' else 'other' end
      from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class p on p.oid = c.confrelid
      join pg_namespace n on n.oid = t.relnamespace
     where c.contype = 'f' and n.nspname = current_schema()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_foreign_keys() {
    on_postgres(async |on_postgres: World| {
        on_sqlite(async |on_sqlite: World| {
            let keys = texts(&on_sqlite.store, KEYS_OF_SQLITE, KEYS_OF_POSTGRES).await;
            assert!(keys.len() > 30);
            assert_eq!(keys, texts(&on_postgres.store, KEYS_OF_SQLITE, KEYS_OF_POSTGRES).await);
        })
        .await;
    })
    .await;
}

/// The words of an expression in their order, without what the databases write differently: `a in ('x', 'y')` is
/// `a = ANY (ARRAY['x'::text, 'y'::text])` in PostgreSQL's words.
fn words(expression: &str) -> String {
    let noise = ["in", "any", "array", "text", "bigint", "and", "check", "asc", "="];
    let is_part = |character: char| character.is_alphanumeric() || "_'<>=".contains(character);
    let words = expression.split(|character| !is_part(character)).map(str::to_lowercase);
    words.filter(|word| !word.is_empty() && !noise.contains(&word.as_str())).collect::<Vec<_>>().join(" ")
}

/// Table and definition of each index that a migration makes by name, from its first column on.
const DEFINITIONS_OF_SQLITE: &str = "
    select tbl_name || ': ' || substr(sql, instr(sql, '(')) from sqlite_master
     where type = 'index' and sql is not null";
const DEFINITIONS_OF_POSTGRES: &str = "
    select t.relname || ': ' || substring(pg_get_indexdef(i.indexrelid) from position('(' in pg_get_indexdef(i.indexrelid)))
      from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
     where n.nspname = current_schema() and t.relname not like '\\_sqlx%'
       and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))";

/// For which rows an index is, and of which expressions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_indices_of_both_databases_are_over_the_same_expressions_and_rows() {
    on_postgres(async |on_postgres: World| {
        on_sqlite(async |on_sqlite: World| {
            let told = async |store: &Store| -> BTreeSet<String> {
                let definitions = texts(store, DEFINITIONS_OF_SQLITE, DEFINITIONS_OF_POSTGRES).await;
                definitions.iter().map(|definition| words(definition)).collect()
            };
            let definitions = told(&on_sqlite.store).await;
            assert!(definitions.len() > 30 && definitions.contains("user lower email"), "{definitions:?}");
            assert_eq!(definitions, told(&on_postgres.store).await);
        })
        .await;
    })
    .await;
}

/// The parts of a statement between `check (` and its end.
fn checks(statement: &str) -> Vec<String> {
    let plain: String = statement.lines().map(|line| line.split("--").next().unwrap().to_owned() + "\n").collect();
    let mut checks = Vec::new();
    for (at, _) in plain.match_indices("check (") {
        let mut depth = 0;
        let end = plain[at..].find(|character| {
            depth += i32::from(character == '(') - i32::from(character == ')');
            character == ')' && depth == 0
        });
        checks.push(plain[at..at + end.unwrap()].to_owned());
    }
    checks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_refuse_the_same_values() {
    on_postgres(async |on_postgres: World| {
        on_sqlite(async |on_sqlite: World| {
            let tables =
                texts(&on_sqlite.store, "select name || '\n' || sql from sqlite_master where type = 'table'", "").await;
            let of_sqlite: BTreeSet<String> = tables
                .iter()
                .map(|table| table.split_once('\n').unwrap())
                .flat_map(|(name, sql)| checks(sql).into_iter().map(move |check| words(&format!("{name} {check}"))))
                .collect();
            let constraints = "select t.relname || ' ' || pg_get_constraintdef(c.oid) from pg_constraint c
                  join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
                 where c.contype = 'c' and n.nspname = current_schema()";
            let mut of_postgres: BTreeSet<String> =
                texts(&on_postgres.store, "", constraints).await.iter().map(|check| words(check)).collect();
            // The first migration said so; what the second one says implies it.
            assert!(of_postgres.remove("hold claim_start < claim_end"));
            assert!(
                of_sqlite.len() > 25 && of_sqlite.contains("membership role 'owner' 'admin' 'host'"),
                "{of_sqlite:?}"
            );
            assert_eq!(of_sqlite, of_postgres);
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_have_the_same_defaults_in_both_databases() {
    on_postgres(async |on_postgres: World| {
        on_sqlite(async |on_sqlite: World| {
            let defaults = async |store: &Store| {
                texts(
                    store,
                    "select m.name || '.' || c.name || ' ' || c.dflt_value
                       from sqlite_master m join pragma_table_info(m.name) c
                      where m.type = 'table' and c.dflt_value is not null and m.name not like '\\_sqlx%' escape '\\'",
                    "select t.relname || '.' || a.attname || ' ' || replace(pg_get_expr(d.adbin, d.adrelid), '::text', '')
                       from pg_attrdef d join pg_class t on t.oid = d.adrelid
                       join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
                       join pg_namespace n on n.oid = t.relnamespace
                      where n.nspname = current_schema() and t.relname not like '\\_sqlx%'",
                )
                .await
            };
            let of_sqlite = defaults(&on_sqlite.store).await;
            assert!(of_sqlite.contains("calendar.tentative_blocks 1"), "{of_sqlite:?}");
            assert_eq!(of_sqlite, defaults(&on_postgres.store).await);
        })
        .await;
    })
    .await;
}

/// What SQLite's triggers see to and PostgreSQL's exclusion constraint: the only guards that are not the same text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_overlap_of_claims_is_guarded_in_both_databases() {
    on_postgres(async |on_postgres: World| {
        on_sqlite(async |on_sqlite: World| {
            let triggers = "select name || ' on ' || tbl_name from sqlite_master where type = 'trigger'";
            let exclusions = "select c.conname || ' on ' || t.relname from pg_constraint c
                  join pg_class t on t.oid = c.conrelid where c.contype = 'x'";
            let guards = async |store: &Store| texts(store, triggers, exclusions).await;
            let expected = ["claim_insert on claim", "claim_update on claim"].map(str::to_owned);
            assert_eq!(guards(&on_sqlite.store).await, BTreeSet::from(expected));
            assert_eq!(guards(&on_postgres.store).await, BTreeSet::from(["claim_taken on claim".to_owned()]));
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
            "b USING COVERING INDEX busy_interval_by_time (organization_id=? AND calendar_id=? AND end_at>?)",
            "select b.start_at, b.end_at from calendar c cross join busy_interval b
              where c.organization_id = $1 and c.id in ($4, $5)
                and b.organization_id = $1 and b.calendar_id = c.id and b.end_at > $2 and b.start_at < $3
                and (b.kind in ('busy', 'out_of_office') or (b.kind = 'tentative' and c.tentative_blocks = 1)
                     or (b.kind = 'unanswered' and c.unanswered_blocks = 1))
              order by b.start_at",
        ),
        (
            "claim USING COVERING INDEX claim_by_host (organization_id=? AND host_user_id=? AND claim_end>?)",
            "select id, organization_id, host_user_id, event_type_id, start_at, end_at, claim_start, claim_end, seats,
                    seats_taken, recorded_at
               from claim
              where organization_id = $1 and host_user_id = $2 and claim_end > $3 and claim_start < $4
              order by claim_start, id",
        ),
        (
            "claim USING INDEX claim_by_event_type (organization_id=? AND event_type_id=? AND start_at>? AND start_at<?)",
            "select id, seats_taken from claim
              where organization_id = $1 and event_type_id = $2 and start_at >= $3 and start_at < $4",
        ),
        (
            "hold_host USING COVERING INDEX hold_host_by_host (organization_id=? AND host_user_id=?)",
            "select id from hold
              where organization_id = $1 and claim_end > $3 and claim_start < $4 and expires_at > $5
                and id in (select hold_id from hold_host where organization_id = $1 and host_user_id = $2)",
        ),
        (
            "appointment USING INDEX appointment_loads (organization_id=? AND event_type_id=? AND created_at>?)",
            "select host_user_id, count(*) as given, max(created_at) as last_given from appointment
              where organization_id = $1 and event_type_id = $2 and created_at >= $3
                and status in ('pending', 'confirmed')
              group by host_user_id order by host_user_id",
        ),
    ];
    on_sqlite(async |world: World| {
        for (step, query) in queries {
            let plan = plan(&world, query).await;
            assert!(plan.contains(&format!("SEARCH {step}")), "{plan}");
        }
    })
    .await;
}

/// What is looked for now and then is found without reading the whole table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_queries_find_their_rows_by_an_index() {
    let queries = [
        ("appointment_by_claim", "select * from appointment where organization_id = $1 and claim_id = $2"),
        ("appointment_by_series", "select * from appointment where organization_id = $1 and series_id = $2"),
        ("appointment_by_expiry", "select * from appointment where status = 'pending' and expires_at <= $1"),
        (
            "appointment_ended",
            "select * from appointment
              where organization_id = $1 and status in ('cancelled', 'declined', 'expired') and (start_at, id) < ($2, $3)
              order by start_at desc, id desc limit $4",
        ),
        (
            "appointment_external_mapping_by_event",
            "select * from appointment_external_mapping where organization_id = $1 and external_event_id = $2",
        ),
        (
            "history_by_subject",
            "select * from history
              where organization_id = $1 and kind = 'busy' and subject_id in ($2, $3) and valid_to > $4",
        ),
        ("history_by_age", "delete from history where valid_to < $1"),
        (
            "holiday_calendar_due",
            "select id from holiday_calendar where source_url is not null and coalesce(fetched_at, 0) <= $1",
        ),
    ];
    on_sqlite(async |world: World| {
        for (index, query) in queries {
            let plan = plan(&world, query).await;
            assert!(plan.contains("SEARCH") && plan.contains(index), "{index}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{index}: {plan}");
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
