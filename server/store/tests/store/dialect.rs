//! What of PostgreSQL is used, and that `server/docs/stores.md` names all of it: whoever runs Cupo on a database that only
//! speaks PostgreSQL's protocol reads there what it has to know.
//!
//! The SQL texts are those of the migrations and of the crate's sources. Each keyword of PostgreSQL, each function, operator and
//! cast in them must be in one of the lists below.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cupo_store::{StoreError, Tx, claim_list};
use sqlx::Executor;

use crate::world::{World, appointment, between, insert, on_postgres};

/// `select word from pg_get_keywords()` of PostgreSQL 15.
const KEYWORDS: &str = include_str!("postgres_keywords.txt");
const DOCUMENT: &str = include_str!("../../../docs/stores.md");

/// Keywords and functions of plain SQL that every database takes which speaks PostgreSQL's protocol, and nouns of ours that
/// happen to be keywords.
const PLAIN: &str = "
    action add all alter and as begin bigint by cascade case check column constraint create cross default delete desc
    distinct do drop each else end exists for foreign from function group if in index insert into is isolation join key left
    level like limit not null nothing on or order primary read references select set statement table text then type union
    unique update using values when where with replace execute
    at columns event hold last name names offset only options owner position role sequence session sql until version
    count coalesce lower min max substr length";

/// What is said to SQLite alone.
const OF_SQLITE: &str =
    "abort before deferred escape immediate integer strict raise pragma_table_info pragma_foreign_key_list";

/// What of PostgreSQL is used beyond plain SQL: by the name that the document has for it, the words that are a sign of it.
const BEYOND: &[(&str, &[&str])] = &[
    ("serializable", &["serializable"]),
    ("repeatable read, read only", &["repeatable"]),
    ("read committed", &["committed"]),
    ("for update skip locked", &["skip", "locked"]),
    ("pg_notify", &["pg_notify"]),
    ("create extension btree_gist", &["extension"]),
    ("exclude using gist", &["exclude", "&&"]),
    ("int8range", &["int8range"]),
    ("pg_advisory_xact_lock", &["pg_advisory_xact_lock", "hashtextextended"]),
    ("materialized", &["materialized"]),
    ("returning", &["returning"]),
    ("on conflict", &["conflict"]),
    ("lock table", &["lock", "exclusive", "mode"]),
    ("create trigger", &["trigger", "truncate"]),
    ("plpgsql", &["language", "returns"]),
    ("pg_class", &["format_type", "::text"]),
    ("current_schema()", &["current_schema"]),
    ("pg_postmaster_start_time", &["pg_postmaster_start_time", "current_database"]),
];

const OPERATORS: &[&str] = &["=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "||"];

/// What of a Rust source is between quotes, without comments and without the tests at its end.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut literals = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        if from.starts_with("//") {
            rest = from.split_once('\n').map_or("", |(_, next)| next);
        } else if let Some(character) = from.strip_prefix('\'') {
            // A character such as '"' or '\''; a lifetime has no second quote.
            let width =
                if character.starts_with('\\') { 2 } else { character.chars().next().map_or(0, char::len_utf8) };
            let closes = character.get(width..).is_some_and(|tail| tail.starts_with('\''));
            rest = if closes { &character[width + 1..] } else { character };
        } else if let Some(division) = from.strip_prefix('/') {
            rest = division;
        } else {
            let hashes = before.len() - before.trim_end_matches('#').len();
            if before.trim_end_matches('#').ends_with('r') {
                let (raw, next) = from[1..].split_once(&format!("\"{}", "#".repeat(hashes))).unwrap();
                literals.push(raw.to_owned());
                rest = next;
            } else {
                let (literal, next) = quoted(&from[1..]);
                literals.push(literal);
                rest = next;
            }
        }
    }
    literals
}

/// The literal that ends at the next quote that is not escaped, and what comes after it.
fn quoted(text: &str) -> (String, &str) {
    let mut literal = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (literal, &text[at + 1..]),
            '\\' => match characters.next().unwrap().1 {
                // The line goes on behind the white space.
                '\n' => literal.push(' '),
                escaped => literal.push(escaped),
            },
            other => literal.push(other),
        }
    }
    panic!("a literal without an end: {literal}");
}

/// Whether a literal is SQL or a piece of it.
fn is_sql(literal: &str) -> bool {
    let first = literal.split_whitespace().next().unwrap_or_default();
    let begins = [
        "select",
        "insert",
        "update",
        "delete",
        "with",
        "create",
        "drop",
        "lock",
        "begin",
        "alter",
        "from",
        "where",
        "and",
        "or",
        "order",
        "for",
        "union",
        "returning",
        "set",
        "limit",
        "on",
        "values",
        "group",
        "having",
        "join",
        "left",
        "listen",
    ];
    begins.contains(&first) && literal.contains(' ')
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every SQL text and where it stands.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut sources, mut migrations) = (Vec::new(), Vec::new());
    files(&root.join("src"), &mut sources);
    files(&root.join("../../migrations/postgres"), &mut migrations);
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut texts = Vec::new();
    for path in sources {
        let source = std::fs::read_to_string(&path).unwrap();
        texts.extend(literals(&source).into_iter().filter(|text| is_sql(text)).map(|text| (name(&path), text)));
    }
    for path in migrations {
        texts.push((name(&path), std::fs::read_to_string(&path).unwrap()));
    }
    texts
}

/// The signs in a text: keywords, functions, operators and casts; what is quoted in it and its comments are not looked at.
fn signs(text: &str) -> BTreeSet<String> {
    let keywords: BTreeSet<&str> = KEYWORDS.split_whitespace().collect();
    let text: String = text.lines().map(|line| line.split("--").next().unwrap_or_default().to_owned() + "\n").collect();
    let unquoted = |text: &str, quote: char| -> String {
        text.split(quote)
            .enumerate()
            .filter(|(number, _)| number % 2 == 0)
            .map(|(_, it)| it)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let text = unquoted(&unquoted(&text, '\''), '"');
    let mut signs = BTreeSet::new();
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let end = |belongs: &dyn Fn(char) -> bool| rest.find(|it| !belongs(it)).unwrap_or(rest.len());
        let length = if is_word(first) {
            let word = &rest[..end(&is_word)];
            if keywords.contains(word) || rest[word.len()..].starts_with('(') {
                signs.insert(word.to_owned());
            }
            word.len()
        } else if let Some(cast) = rest.strip_prefix("::") {
            let type_name: String = cast.chars().take_while(|it| is_word(*it)).collect();
            signs.insert(format!("::{type_name}"));
            2 + type_name.len()
        } else if "+-*/<>=~!@#%^&|?".contains(first) {
            let operator = &rest[..end(&|it| "+-*/<>=~!@#%^&|?".contains(it))];
            signs.insert(operator.to_owned());
            operator.len()
        } else {
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    signs
}

#[test]
fn no_statement_uses_more_of_postgres_than_is_documented() {
    let mut allowed: BTreeSet<&str> = PLAIN.split_whitespace().chain(OF_SQLITE.split_whitespace()).collect();
    allowed.extend(OPERATORS);
    allowed.extend(BEYOND.iter().flat_map(|(_, signs)| signs.iter().copied()));
    let mut unknown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let texts = texts();
    assert!(texts.len() > 250, "only {} SQL texts were found", texts.len());
    for (file, text) in texts {
        for sign in signs(&text).into_iter().filter(|sign| !allowed.contains(sign.as_str())) {
            unknown.entry(sign).or_default().insert(file.clone());
        }
    }
    assert!(
        unknown.is_empty(),
        "put these into PLAIN if every database has them, or into BEYOND and server/docs/stores.md: {unknown:?}"
    );
}

#[test]
fn the_document_names_all_that_is_used_and_nothing_that_is_not() {
    let used: BTreeSet<String> = texts().iter().flat_map(|(_, text)| signs(text)).collect();
    for (feature, signs) in BEYOND {
        assert!(DOCUMENT.contains(&format!("`{feature}")), "server/docs/stores.md does not name `{feature}`");
        for sign in *signs {
            assert!(
                used.contains(*sign),
                "{sign} ({feature}) is not used any more: take it out here and in the document"
            );
        }
    }
    let no_longer: Vec<&str> = PLAIN.split_whitespace().filter(|word| !used.contains(*word)).collect();
    assert!(no_longer.is_empty(), "not used any more: {no_longer:?}");
}

/// What no sign tells: kinds of indices.
#[test]
fn indices_are_of_the_documented_kinds() {
    let migrations: String =
        texts().into_iter().filter(|(file, _)| file.ends_with(".sql")).map(|(_, text)| text).collect();
    let indices: Vec<&str> = migrations
        .split(';')
        .map(str::trim)
        .filter_map(|it| it.find("create index").or_else(|| it.find("create unique index")).map(|at| &it[at..]))
        .collect();
    assert!(indices.len() > 40);
    assert!(indices.iter().all(|it| !it.contains(" using ") && !it.contains(" include ")), "all are btree indices");
    for (kind, used) in [
        ("partial indices", indices.iter().any(|it| it.contains(" where "))),
        ("expression indices", indices.iter().any(|it| it.contains("(lower(email))"))),
    ] {
        assert!(used && DOCUMENT.contains(kind), "{kind}");
    }
}

#[test]
fn literals_of_a_source_are_found_and_comments_are_not() {
    let source = "// \"no\"\nlet a = \"one \\\n   more\"; let c = '\"'; let l: &'static str = r#\"t\"wo\"#; // 'x\n#[cfg(test)] \"no\"";
    assert_eq!(literals(source), ["one     more", "t\"wo"]);
    let expected = ["::text", "select", "||"].map(str::to_owned);
    assert_eq!(signs("select a || 'union' from_x::text -- join\n"), BTreeSet::from(expected));
}

/// Two transactions that ask for a host's claims, find nothing, and then each take the same time. Gives what the second one
/// is told, at its insert or at its commit.
async fn second_of_two(world: &World, mut one: Tx, mut two: Tx) -> Result<(), StoreError> {
    let tenant = world.tenant("acme").await;
    let range = between(0, 200);
    for tx in [&mut one, &mut two] {
        assert!(claim_list(tx, tenant.id(), &tenant.user.id, range).await.unwrap().is_empty());
    }
    insert(&mut one, &appointment(&tenant, 60)).await.unwrap();
    one.commit().await.unwrap();
    insert(&mut two, &appointment(&tenant, 75)).await?;
    two.commit().await
}

async fn without_the_constraint(world: &World) {
    let Tx::Postgres(mut connection) = world.store.write().await.unwrap() else { panic!("not PostgreSQL") };
    connection.execute("alter table claim drop constraint claim_taken").await.unwrap();
    connection.commit().await.unwrap();
}

/// What the document says of databases that have no exclusion constraints.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_exclusion_constraint_a_question_within_serializable_transactions_is_enough() {
    on_postgres(async |world: World| {
        without_the_constraint(&world).await;
        let (one, two) = (world.store.write().await.unwrap(), world.store.write().await.unwrap());
        let outcome = second_of_two(&world, one, two).await;
        assert!(matches!(outcome, Err(StoreError::Retry)), "{outcome:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_exclusion_constraint_a_weaker_isolation_would_book_twice() {
    on_postgres(async |world: World| {
        without_the_constraint(&world).await;
        let (one, two) = (world.store.write_leases().await.unwrap(), world.store.write_leases().await.unwrap());
        second_of_two(&world, one, two).await.unwrap();
    })
    .await;
}
