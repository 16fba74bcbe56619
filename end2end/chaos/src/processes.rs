//! The product's processes: started, killed, their clocks stepped, their files forbidden to grow.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::say;

/// How often it is looked whether a process has ended by itself.
const WATCH: Duration = Duration::from_millis(200);
/// What somebody who looks after processes waits before starting one again.
const RESTART: Duration = Duration::from_millis(500);

/// How a process is started.
#[derive(Debug, Clone)]
pub struct Launch {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// Where its words go.
    pub log: PathBuf,
    /// The library that shows the process another time, and the file that says which.
    pub clock: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    pid: Pid,
}

/// A process that is to run, whatever happens to it.
#[derive(Debug)]
pub struct Process {
    pub launch: Launch,
    running: Mutex<Option<Running>>,
    /// Whether it is started again when it ends by itself.
    wanted: AtomicBool,
    pub ended_by_itself: AtomicU32,
}

impl Process {
    /// Starts it, and again whenever it ends by itself.
    pub async fn start(launch: Launch) -> Result<Arc<Self>> {
        let process = Arc::new(Self {
            launch,
            running: Mutex::new(None),
            wanted: AtomicBool::new(true),
            ended_by_itself: AtomicU32::new(0),
        });
        process.set_clock(0)?;
        process.spawn().await?;
        tokio::spawn(watch(Arc::clone(&process)));
        Ok(process)
    }

    pub fn name(&self) -> &str {
        &self.launch.name
    }

    async fn spawn(&self) -> Result<()> {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return Ok(());
        }
        // A file that may not grow is an error that the product meets, not a signal that ends it.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(&self.launch.program).args(&self.launch.arguments);
        if let Some((library, file)) = &self.launch.clock {
            command
                .env("LD_PRELOAD", library)
                .env("FAKETIME_TIMESTAMP_FILE", file)
                .env("FAKETIME_CACHE_DURATION", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .env("FAKETIME_DISABLE_SHM", "1")
                .env("NO_FAKE_STAT", "1");
        }
        // Pipes: what the process may not write is files, not its words.
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.launch.program.display()))?;
        let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).context("it has no process id")?;
        keep(child.stdout.take(), &self.launch.log)?;
        keep(child.stderr.take(), &self.launch.log)?;
        *running = Some(Running { child, pid });
        Ok(())
    }

    /// `kill -9`. Starting it again is the caller's.
    pub async fn kill(&self) -> Result<()> {
        if let Some(Running { mut child, pid }) = self.running.lock().await.take() {
            kill_process(pid, Signal::KILL).with_context(|| format!("killing {}", self.name()))?;
            child.wait().await?;
        }
        Ok(())
    }

    /// Starts it again after a pause, if nobody has.
    pub async fn revive(&self) -> Result<()> {
        if self.wanted.load(Ordering::Relaxed) { self.spawn().await } else { Ok(()) }
    }

    /// Ends it in good order, or fails when it does not end in time.
    pub async fn stop(&self, patience: Duration) -> Result<()> {
        self.wanted.store(false, Ordering::Relaxed);
        let Some(Running { mut child, pid }) = self.running.lock().await.take() else { return Ok(()) };
        kill_process(pid, Signal::TERM).with_context(|| format!("stopping {}", self.name()))?;
        let Ok(status) = tokio::time::timeout(patience, child.wait()).await else {
            bail!("{} did not stop within {patience:?}", self.name());
        };
        let status = status?;
        anyhow::ensure!(status.success(), "{} ended with {status}", self.name());
        Ok(())
    }

    /// Forbids its files to grow beyond `bytes`, or lifts that.
    pub async fn limit_files(&self, bytes: Option<u64>) -> Result<()> {
        if let Some(running) = &*self.running.lock().await {
            let limit = Rlimit { current: bytes, maximum: None };
            prlimit(Some(running.pid), Resource::Fsize, limit).with_context(|| format!("limiting {}", self.name()))?;
        }
        Ok(())
    }

    /// Sets its clock so many seconds ahead of the machine's.
    pub fn set_clock(&self, ahead: i64) -> Result<()> {
        let Some((_, file)) = &self.launch.clock else { return Ok(()) };
        // Replaced in one step: the process reads it at any time.
        let draft = file.with_extension("draft");
        fs::write(&draft, format!("{ahead:+}\n")).with_context(|| format!("cannot write {}", draft.display()))?;
        fs::rename(&draft, file).with_context(|| format!("cannot replace {}", file.display()))
    }
}

async fn watch(process: Arc<Process>) {
    loop {
        tokio::time::sleep(WATCH).await;
        if !process.wanted.load(Ordering::Relaxed) {
            return;
        }
        let ended = match &mut *process.running.lock().await {
            Some(running) => running.child.try_wait().ok().flatten(),
            None => None,
        };
        let Some(status) = ended else { continue };
        *process.running.lock().await = None;
        process.ended_by_itself.fetch_add(1, Ordering::Relaxed);
        say(&format!("  {} ended by itself with {status}; it is started again", process.name()));
        tokio::time::sleep(RESTART).await;
        if let Err(error) = process.revive().await {
            say(&format!("  {} could not be started again: {error:#}", process.name()));
        }
    }
}

/// Appends what a process says to its log.
fn keep(words: Option<impl AsyncRead + Unpin + Send + 'static>, log: &Path) -> Result<()> {
    let Some(words) = words else { return Ok(()) };
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot open {}", log.display()))?;
    tokio::spawn(async move {
        let mut lines = BufReader::new(words).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if writeln!(file, "{line}").is_err() {
                return;
            }
        }
    });
    Ok(())
}
