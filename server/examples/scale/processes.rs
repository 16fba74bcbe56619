//! `cupo serve`, as many of them as are asked for.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cupo_simulators::google::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, GoogleSimulator};
use reqwest::Client;
use tempfile::TempDir;
use tokio::process::{Child, Command};

const START: Duration = Duration::from_secs(30);

/// The secret and the key of every process.
pub const SESSION_SECRET: &str = "a session secret of more than 32 characters";
pub const ENCRYPTION_KEY: [u8; 32] = [7; 32];

/// Running servers on one database.
pub struct Servers {
    pub addresses: Vec<String>,
    pub client: Client,
    processes: Vec<Child>,
    _folder: TempDir,
}

impl Servers {
    pub async fn start(database: &str, google: &GoogleSimulator, count: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let client = Client::builder().pool_max_idle_per_host(64).build()?;
        let mut servers = Self { addresses: Vec::new(), client, processes: Vec::new(), _folder: folder };
        for number in 0..count {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let file = servers._folder.path().join(format!("cupo{number}.toml"));
            std::fs::write(&file, configuration(database, &google.base_url(), port))?;
            let process = Command::new(program()?)
                .args(["serve", "--config"])
                .arg(&file)
                .stdout(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .context("cannot start cupo")?;
            servers.processes.push(process);
            servers.addresses.push(format!("http://127.0.0.1:{port}"));
        }
        for address in servers.addresses.clone() {
            servers.ready(&address).await?;
        }
        Ok(servers)
    }

    /// The server whose turn it is.
    pub fn address(&self, turn: usize) -> &str {
        &self.addresses[turn % self.addresses.len()]
    }

    async fn ready(&self, address: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            let answer = self.client.get(format!("{address}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(started.elapsed() < START, "{address} does not get ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn stop(mut self) -> Result<()> {
        for process in &mut self.processes {
            process.kill().await?;
        }
        Ok(())
    }
}

/// The binary beside this example.
fn program() -> Result<PathBuf> {
    let examples = std::env::current_exe()?;
    let program = examples.parent().and_then(|folder| folder.parent()).context("a target folder")?.join("cupo");
    ensure!(program.exists(), "{} is not built", program.display());
    Ok(program)
}

fn configuration(database: &str, google: &str, port: u16) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let key = STANDARD.encode(ENCRYPTION_KEY);
    format!(
        r#"
listen = "127.0.0.1:{port}"
[database]
url = "{database}"
[secrets]
encryption_keys = ["k1:{key}"]
session_secret = "{SESSION_SECRET}"
[google]
client_id = "{DEMO_CLIENT_ID}"
client_secret = "{DEMO_CLIENT_SECRET}"
auth_url = "{google}/o/oauth2/v2/auth"
token_url = "{google}/token"
revoke_url = "{google}/revoke"
api_url = "{google}"
requests_per_minute_per_project = 1000000
[limits]
bookings_per_minute = 0
holds_per_minute = 0
slots_per_minute = 0
[sync]
poll_seconds = 604800
stale_after_seconds = 604800
reconcile_seconds = 604800
[log]
level = "error"
"#
    )
}
