//! The commands of the binary, as an operator types them.

use std::path::{Path, PathBuf};
use std::process::Output;

use cupo_server::config::Config;
use tempfile::TempDir;
use tokio::process::Command;

use crate::world::{World, configuration};

/// A folder with a configuration file, for a world whose database is not in memory.
pub struct Operator {
    pub folder: TempDir,
}

impl Operator {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of a database in the folder.
    pub fn sqlite(&self, name: &str) -> String {
        format!("sqlite://{}", self.path(name).display())
    }

    /// A world without rate limits on this database, and the configuration file of the commands.
    pub async fn world(&self, database: &str) -> World {
        self.world_with(database, "").await
    }

    /// As [`Operator::world`], where these lines end the server's own configuration.
    pub async fn world_with(&self, database: &str, lines: &str) -> World {
        let file = self.path("cupo.toml");
        World::configured(|google, smtp_port, limits| {
            let text = configuration(google, smtp_port, limits).replace("sqlite::memory:", database);
            std::fs::write(&file, &text).unwrap();
            text + lines
        })
        .await
    }

    /// The configuration of the file with another database.
    pub fn config(&self, database: &str) -> Config {
        let text = std::fs::read_to_string(self.path("cupo.toml")).unwrap();
        let mut config = Config::from_toml(&text).unwrap();
        let other = format!("[database]\nurl = \"{database}\"\n{}", &text[text.find("[secrets]").unwrap()..]);
        config.database = Config::from_toml(&other).unwrap().database;
        config
    }

    /// A command with the configuration file, and with these variables over it.
    pub async fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cupo"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CUPO_") || name == "DATABASE_URL") {
            command.env_remove(name);
        }
        let file = self.path("cupo.toml");
        command.args(arguments).current_dir(self.folder.path()).envs(variables.iter().copied());
        if Path::exists(&file) {
            command.arg("--config").arg(file);
        }
        command.output().await.unwrap()
    }

    /// As [`Operator::run`], of a command that succeeds: gives what it prints.
    pub async fn told(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables).await;
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// As [`Operator::run`], of a command that fails: gives what it prints to both outputs.
    pub async fn refused(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }
}
