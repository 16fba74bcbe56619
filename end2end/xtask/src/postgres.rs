//! A PostgreSQL of its own for tests and benchmarks: fresh, on a free port, gone afterwards.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{find, succeed};
use crate::install::{apt_install, has_apt};
use crate::progress::{Step, say};

const SETTINGS: [&str; 3] = ["max_connections=300", "listen_addresses=127.0.0.1", "timezone=UTC"];
/// What a database that holds nothing worth keeping need not do.
const CARELESS: [&str; 3] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// A cluster in a temporary folder, stopped and removed with this value.
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    owner: Option<Owner>,
    running: bool,
}

/// PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Postgres {
    /// Starts a cluster for tests; `None`, said plainly, where PostgreSQL is not and cannot be installed.
    pub fn start() -> Result<Option<Self>> {
        Self::start_with(&[&SETTINGS[..], &CARELESS].concat())
    }

    /// As [`Postgres::start`], one that keeps what was committed over every crash, as in earnest.
    pub fn start_durable() -> Result<Option<Self>> {
        Self::start_with(&SETTINGS)
    }

    fn start_with(settings: &[&str]) -> Result<Option<Self>> {
        if programs().is_none() && has_apt() {
            apt_install(&["postgresql"], "the store's tests run on SQLite and on PostgreSQL")?;
        }
        let Some(programs) = programs() else {
            say("  PostgreSQL is not installed: the tests on it are left out (on macOS: `brew install postgresql`)");
            return Ok(None);
        };
        let step = Step::start("Starting a PostgreSQL for the tests");
        let owner = if rustix::process::geteuid().is_root() { Some(Owner::unprivileged()?) } else { None };
        let folder = env::temp_dir().join(format!("cupo-postgres-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut postgres = Self { programs, folder, port, owner, running: false };
        postgres.start_cluster(&step, settings)?;
        step.done(format!("port {port}"));
        Ok(Some(postgres))
    }

    fn start_cluster(&mut self, step: &Step, settings: &[&str]) -> Result<()> {
        if let Some(Owner { uid, gid }) = self.owner {
            chown(&self.folder, Some(uid), Some(gid))?;
        }
        let mut initdb = self.command("initdb");
        initdb.args(["--username=cupo", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--pgdata"]);
        succeed(step, initdb.arg(self.data()))?;
        let mut options = format!("-p {} -k {}", self.port, self.folder.display());
        for setting in settings {
            options.push_str(&format!(" -c {setting}"));
        }
        let mut start = self.command("pg_ctl");
        start.args(["start", "--wait", "--timeout=60", "--options", &options, "--log"]).arg(self.folder.join("log"));
        succeed(step, start.arg("--pgdata").arg(self.data()))
            .with_context(|| fs::read_to_string(self.folder.join("log")).unwrap_or_default())?;
        self.running = true;
        Ok(())
    }

    /// The address of a database in which the tests may make schemas of their own.
    pub fn url(&self) -> String {
        format!("postgres://cupo@127.0.0.1:{}/postgres", self.port)
    }

    /// How `cupo-chaos` is told to restart it.
    pub fn restart_arguments(&self) -> Vec<std::ffi::OsString> {
        let mut arguments =
            vec!["--pg-ctl".into(), self.programs.join("pg_ctl").into(), "--pg-data".into(), self.data().into()];
        if let Some(Owner { uid, gid }) = self.owner {
            let ids = ["--pg-uid".to_owned(), uid.to_string(), "--pg-gid".to_owned(), gid.to_string()];
            arguments.extend(ids.map(Into::into));
        }
        arguments
    }

    pub fn stop(mut self) -> Result<()> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<()> {
        if self.running {
            self.running = false;
            let step = Step::start("Stopping PostgreSQL");
            succeed(&step, self.command("pg_ctl").args(["stop", "--mode=immediate", "--pgdata"]).arg(self.data()))?;
            step.done("");
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // The folder of the repository may be closed to the cluster's owner.
        command.current_dir(&self.folder);
        if let Some(Owner { uid, gid }) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            say(&format!("  PostgreSQL in {} could not be stopped: {error:#}", self.folder.display()));
        }
    }
}

impl Owner {
    /// The user that Debian's package makes, or nobody.
    fn unprivileged() -> Result<Self> {
        let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let entry = |name: &str| users.lines().find_map(|line| Self::of_entry(line, name));
        entry("postgres")
            .or_else(|| entry("nobody"))
            .context("there is no user to run PostgreSQL as: run this without root")
    }

    fn of_entry(line: &str, name: &str) -> Option<Self> {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        Some(Self { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }
}

/// The folder of `initdb` and its kin; Debian keeps them off `PATH`, by version.
fn programs() -> Option<PathBuf> {
    let complete = |folder: &Path| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file());
    let on_path = find("pg_ctl").and_then(|path| Some(fs::canonicalize(path).ok()?.parent()?.to_path_buf()));
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    on_path.into_iter().chain(versions.into_iter().rev()).find(|folder| complete(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_read_from_the_users_of_the_machine() {
        let owner =
            Owner::of_entry("postgres:x:105:109:PostgreSQL,,,:/var/lib/postgresql:/bin/bash", "postgres").unwrap();
        assert_eq!((owner.uid, owner.gid), (105, 109));
        assert!(Owner::of_entry("postgresql:x:1:1::/:/bin/sh", "postgres").is_none());
    }
}
