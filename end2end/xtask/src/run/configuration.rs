//! `data/cupo.toml`: secrets are made once and kept, and so is whatever a person adds; addresses follow each run.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use toml::{Table, Value};

use super::stage::Simulators;

/// Readable by its owner only: it holds secrets.
const MODE: u32 = 0o600;
const HEADER: &str =
    "# Written by `cargo xtask run`, for this machine only. Keys that you add are kept; comments are not.\n";

pub struct Configuration(Table);

impl Configuration {
    /// The configuration of the last run, or a new one with fresh secrets.
    pub fn load(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self(text.parse().with_context(|| format!("{} is not TOML", path.display()))?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::with_new_secrets()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn with_new_secrets() -> Self {
        let mut configuration = Self(Table::new());
        let encryption_key = format!("k1:{}", random_key());
        configuration.set("secrets", "encryption_keys", vec![encryption_key]);
        configuration.set("secrets", "session_secret", random_key());
        configuration.set("google", "client_id", "cupo-demo");
        configuration.set("google", "client_secret", "cupo-demo-secret");
        configuration.set("microsoft", "client_id", "cupo-demo");
        configuration.set("microsoft", "client_secret", "cupo-demo-secret");
        // So that a CalDAV server on this machine can be tried.
        configuration.set("limits", "private_addresses", true);
        configuration.set("log", "format", "text");
        configuration.set("log", "level", "info");
        configuration.set("sign_up", "open", true);
        configuration
    }

    /// Points it at this run's database and simulators.
    pub fn for_run(mut self, listen: SocketAddr, database: &str, simulators: &Simulators) -> Result<Self> {
        self.0.insert("public_url".to_owned(), format!("http://{listen}").into());
        self.0.insert("listen".to_owned(), listen.to_string().into());
        self.set("database", "url", database);
        let google = simulators.google.trim_end_matches('/');
        self.set("google", "auth_url", format!("{google}/o/oauth2/v2/auth"));
        self.set("google", "token_url", format!("{google}/token"));
        self.set("google", "revoke_url", format!("{google}/revoke"));
        self.set("google", "api_url", google);
        let microsoft = simulators.microsoft.trim_end_matches('/');
        self.set("microsoft", "login_url", microsoft);
        self.set("microsoft", "graph_url", microsoft);
        let smtp: SocketAddr =
            simulators.smtp.trim_start_matches("smtp://").parse().context("the mail sink's address")?;
        self.set("smtp", "host", smtp.ip().to_string());
        self.set("smtp", "port", i64::from(smtp.port()));
        self.set("smtp", "tls", "none");
        self.set("smtp", "from", "Cupo <cupo@example.com>");
        Ok(self)
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(path)?;
            file.write_all(format!("{HEADER}{}", self.0).as_bytes())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    fn set(&mut self, section: &str, key: &str, value: impl Into<Value>) {
        let entry = self.0.entry(section).or_insert_with(|| Table::new().into());
        if !entry.is_table() {
            *entry = Table::new().into();
        }
        if let Some(table) = entry.as_table_mut() {
            table.insert(key.to_owned(), value.into());
        }
    }
}

fn random_key() -> String {
    STANDARD.encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn simulators() -> Simulators {
        Simulators {
            google: "http://127.0.0.1:4001".into(),
            microsoft: "http://127.0.0.1:4004".into(),
            mail: "http://127.0.0.1:4002".into(),
            smtp: "127.0.0.1:4025".into(),
            site: "http://127.0.0.1:4003".into(),
        }
    }

    #[test]
    fn secrets_and_own_keys_survive_the_next_run_while_addresses_follow_it() {
        let path = std::env::temp_dir().join(format!("cupo-configuration-{}.toml", std::process::id()));
        let first = Configuration::load(&path).unwrap();
        first.for_run("127.0.0.1:3000".parse().unwrap(), "sqlite:///a.db", &simulators()).unwrap().save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let mut second = Configuration::load(&path).unwrap();
        let secrets = second.0["secrets"].clone();
        second.set("log", "level", "debug");
        second.save(&path).unwrap();
        let third = Configuration::load(&path).unwrap();
        let third = third.for_run("127.0.0.1:3001".parse().unwrap(), "postgres://x/y", &simulators()).unwrap();
        assert_eq!(third.0["secrets"], secrets);
        assert_eq!(third.0["log"]["level"].as_str(), Some("debug"));
        assert_eq!(third.0["database"]["url"].as_str(), Some("postgres://x/y"));
        assert_eq!(third.0["public_url"].as_str(), Some("http://127.0.0.1:3001"));
        assert_eq!(third.0["smtp"]["port"].as_integer(), Some(4025));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn two_machines_have_different_secrets() {
        assert_ne!(Configuration::with_new_secrets().0["secrets"], Configuration::with_new_secrets().0["secrets"]);
    }
}
