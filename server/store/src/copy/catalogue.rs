//! The tables of a database as it describes them itself: nothing has to be added here when a migration adds a table.

use std::collections::{BTreeMap, BTreeSet};

use super::{CopyError, Side};
use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// The three types that tables have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Blob,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A table and its columns by name: their order differs between databases that were migrated in different steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

impl Table {
    /// The name as SQL takes it.
    pub fn quoted(&self) -> String {
        quoted(&self.name)
    }

    /// The columns as SQL takes them, separated by commas.
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All tables of a database but those that keep its books (their names begin with `_`), each behind the tables that its
/// foreign keys refer to.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub tables: Vec<Table>,
    /// The versions of the migrations that were applied, rising.
    pub migrations: Vec<i64>,
}

impl Catalogue {
    pub async fn read(tx: &mut Tx, side: Side) -> Result<Self, CopyError> {
        let names = names(tx).await?;
        if !names.contains(MIGRATIONS) {
            return Err(CopyError::NotCupo(side));
        }
        let versions: Vec<Version> =
            sql("select version from _sqlx_migrations where success order by version").list(tx).await?;
        let mut columns: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        let described: Vec<Described> =
            sql(if tx.is_postgres() { COLUMNS_OF_POSTGRES } else { COLUMNS_OF_SQLITE }).list(tx).await?;
        for Described { table, column, type_name } in described.into_iter().filter(|it| !it.table.starts_with('_')) {
            let kind = match type_name.to_ascii_lowercase().as_str() {
                "integer" | "bigint" => Kind::Int,
                "text" => Kind::Text,
                "blob" | "bytea" => Kind::Blob,
                _ => return Err(CopyError::Type { side, table, column, type_name }),
            };
            columns.entry(table).or_default().push(Column { name: column, kind });
        }
        let mut tables: Vec<Table> = columns
            .into_iter()
            .map(|(name, mut columns)| {
                columns.sort_by(|one, two| one.name.cmp(&two.name));
                Table { name, columns }
            })
            .collect();
        let references: Vec<Reference> =
            sql(if tx.is_postgres() { REFERENCES_OF_POSTGRES } else { REFERENCES_OF_SQLITE }).list(tx).await?;
        tables = parents_first(tables, &references).ok_or(CopyError::Circle(side))?;
        Ok(Self { tables, migrations: versions.into_iter().map(|Version(version)| version).collect() })
    }

    /// Whether a copy from `self` to `target` carries every column of every table over.
    pub fn must_equal(&self, target: &Self) -> Result<(), CopyError> {
        let missing = |has: &[i64], needs: &[i64]| -> Vec<String> {
            needs.iter().filter(|version| !has.contains(version)).map(|version| format!("{version:04}")).collect()
        };
        for (side, lacks) in [
            (Side::Source, missing(&self.migrations, &target.migrations)),
            (Side::Target, missing(&target.migrations, &self.migrations)),
        ] {
            if !lacks.is_empty() {
                return Err(CopyError::Behind { side, migrations: lacks.join(", ") });
            }
        }
        let described = |catalogue: &Self| -> BTreeSet<String> {
            let column = |table: &Table, column: &Column| format!("{}.{} {:?}", table.name, column.name, column.kind);
            let columns = |table: &Table| table.columns.iter().map(|it| column(table, it)).collect::<Vec<_>>();
            catalogue.tables.iter().flat_map(columns).collect()
        };
        let (source, target) = (described(self), described(target));
        let differing: Vec<&str> = source.symmetric_difference(&target).map(String::as_str).collect();
        if differing.is_empty() { Ok(()) } else { Err(CopyError::Tables(differing.join(", "))) }
    }
}

/// The tables in an order in which rows can be inserted; none where the references run in a circle.
fn parents_first(tables: Vec<Table>, references: &[Reference]) -> Option<Vec<Table>> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    let mut left = tables;
    while !left.is_empty() {
        let waits = |table: &Table| {
            references.iter().any(|it| it.child == table.name && left.iter().any(|other| other.name == it.parent))
        };
        let (waiting, ready): (Vec<Table>, Vec<Table>) = left.iter().cloned().partition(waits);
        if ready.is_empty() {
            return None;
        }
        ordered.extend(ready);
        left = waiting;
    }
    Some(ordered)
}

const MIGRATIONS: &str = "_sqlx_migrations";

/// The names of all tables, those that keep the books among them.
async fn names(tx: &mut Tx) -> Result<BTreeSet<String>, StoreError> {
    let names: Vec<Name> = sql(if tx.is_postgres() {
        "select t.relname::text as name from pg_class t join pg_namespace n on n.oid = t.relnamespace
          where n.nspname = current_schema() and t.relkind = 'r'"
    } else {
        "select name from sqlite_master where type = 'table'"
    })
    .list(tx)
    .await?;
    Ok(names.into_iter().map(|Name(name)| name).collect())
}

const COLUMNS_OF_SQLITE: &str = "
    select m.name as table_name, c.name as column_name, c.type as type_name
      from sqlite_master m join pragma_table_info(m.name) c
     where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'";
const COLUMNS_OF_POSTGRES: &str = "
    select t.relname::text as table_name, a.attname::text as column_name, format_type(a.atttypid, a.atttypmod) as type_name
      from pg_class t
      join pg_namespace n on n.oid = t.relnamespace
      join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
     where n.nspname = current_schema() and t.relkind = 'r'";

/// A reference of a table to itself would need rows in an order of their own; no table has one.
const REFERENCES_OF_SQLITE: &str = "
    select distinct m.name as child, f.\"table\" as parent
      from sqlite_master m join pragma_foreign_key_list(m.name) f
     where m.type = 'table'";
const REFERENCES_OF_POSTGRES: &str = "
    select distinct t.relname::text as child, p.relname::text as parent
      from pg_constraint c
      join pg_class t on t.oid = c.conrelid
      join pg_class p on p.oid = c.confrelid
      join pg_namespace n on n.oid = t.relnamespace
     where c.contype = 'f' and n.nspname = current_schema()";

struct Name(String);

impl Record for Name {
    const TABLE: &'static str = "catalogue";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.text("name")?))
    }
}

struct Version(i64);

impl Record for Version {
    const TABLE: &'static str = MIGRATIONS;

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.int("version")?))
    }
}

struct Described {
    table: String,
    column: String,
    type_name: String,
}

impl Record for Described {
    const TABLE: &'static str = "catalogue";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            table: fields.text("table_name")?,
            column: fields.text("column_name")?,
            type_name: fields.text("type_name")?,
        })
    }
}

struct Reference {
    child: String,
    parent: String,
}

impl Record for Reference {
    const TABLE: &'static str = "catalogue";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self { child: fields.text("child")?, parent: fields.text("parent")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(references: &[(&str, &str)]) -> Option<Vec<String>> {
        let tables = ["a", "b", "c"].map(|name| Table { name: name.to_owned(), columns: Vec::new() });
        let references: Vec<Reference> = references
            .iter()
            .map(|(child, parent)| Reference { child: (*child).to_owned(), parent: (*parent).to_owned() })
            .collect();
        Some(parents_first(tables.to_vec(), &references)?.into_iter().map(|table| table.name).collect())
    }

    #[test]
    fn a_table_comes_after_those_that_it_refers_to() {
        assert_eq!(ordered(&[("a", "b"), ("b", "c")]).unwrap(), ["c", "b", "a"]);
        assert_eq!(ordered(&[]).unwrap(), ["a", "b", "c"]);
        assert_eq!(ordered(&[("a", "b"), ("b", "a")]), None);
    }
}
