//! `database.url`: which store holds everything.

use std::fmt;
use std::path::Path;

use super::reader::{Reader, Show};

/// The address of the database. Its `Debug` hides user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    url: String,
}

impl Database {
    /// The whole address, for connecting only.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file of an SQLite database; `None` for one in memory or on a server.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<&Path> {
        let path = self.url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        (!path.is_empty() && path != ":memory:").then(|| Path::new(path))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.url))
    }
}

/// The address without what stands before its `@`.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => url.to_owned(),
    }
}

pub fn read(reader: &Reader) -> Option<Database> {
    let right = "give sqlite://data/cupo.db or postgres://user:password@host/name; DATABASE_URL is read too";
    reader
        .optional("database.url", right, Show::Nothing, |text| {
            let scheme = ["sqlite:", "postgres://", "postgresql://"];
            scheme.iter().any(|it| text.starts_with(it)).then(|| Database { url: text.to_owned() })
        })
        .map(|found| found.unwrap_or_else(|| Database { url: "sqlite://data/cupo.db".to_owned() }))
}
