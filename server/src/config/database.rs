//! `database.url`: which store holds everything.

use std::fmt;
use std::path::Path;

use url::Url;

use super::reader::{Reader, Show};

/// The address of the database. Its `Debug` hides user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    url: String,
}

impl Database {
    /// Takes an address of a kind that Cupo knows, such as `sqlite://data/cupo.db` or `postgres://user@host/name`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let schemes = ["sqlite:", "postgres://", "postgresql://"];
        schemes.iter().any(|scheme| text.starts_with(scheme)).then(|| Self { url: text.to_owned() })
    }

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

/// The address without user and password, and without its parameters, in which a password may stand, too.
fn shown(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let Ok(parsed) = Url::parse(url) else { return "an address that cannot be read".to_owned() };
    let user = if parsed.username().is_empty() && parsed.password().is_none() { "" } else { "***@" };
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{user}{}{port}{}", parsed.scheme(), parsed.host_str().unwrap_or_default(), parsed.path())
}

pub fn read(reader: &Reader) -> Option<Database> {
    let right = "give sqlite://data/cupo.db or postgres://user:password@host/name; DATABASE_URL is read too";
    reader
        .optional("database.url", right, Show::Nothing, Database::parse)
        .map(|found| found.unwrap_or_else(|| Database { url: "sqlite://data/cupo.db".to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_user_password_and_parameters() {
        for (url, told) in [
            ("postgres://cupo:hunter2@db.example:5432/cupo", "postgres://***@db.example:5432/cupo"),
            ("postgres://cupo:hun?ter2@db.example/cupo", "an address that cannot be read"),
            ("postgresql://db.example/cupo?user=cupo&password=hunter2", "postgresql://db.example/cupo"),
            ("sqlite:///var/lib/cupo/a@b.db?mode=rwc", "sqlite:///var/lib/cupo/a@b.db?mode=rwc"),
        ] {
            assert_eq!(format!("{:?}", Database::parse(url).unwrap()), told);
        }
        assert_eq!(Database::parse("mysql://cupo@db.example/cupo"), None);
    }
}
