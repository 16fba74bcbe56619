//! A child process with a log, which ends when its owner does.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::POLL;
use crate::command::tail;
use crate::progress::say;

/// How long a child may take to finish what it has begun.
const WIND_DOWN: Duration = Duration::from_secs(15);
const LOG_TAIL: usize = 30;

pub struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
    stdout: Receiver<String>,
}

impl Service {
    /// Starts a program whose standard output and error go to `<logs>/<name>.log`.
    pub fn start(name: &'static str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = logs.join(name).with_extension("log");
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        // A group of its own: ctrl-c reaches xtask alone, which ends its children in order.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file.try_clone()?);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("the standard output is piped")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut file = file;
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // A full disk must not block the child; nobody listens after its start.
                let _ = writeln!(file, "{line}");
                let _ = sender.send(line);
            }
        });
        Ok(Self { name, child, log, stdout: lines })
    }

    /// The next line of its standard output, when there is one.
    pub fn stdout_line(&self) -> Option<String> {
        self.stdout.try_recv().ok()
    }

    /// Asks again and again until there is an answer; an error when the child dies or the time is over.
    pub fn wait_for<T>(
        &mut self,
        limit: Duration,
        interrupted: &AtomicBool,
        mut ready: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(answer) = ready(self) {
                return Ok(answer);
            }
            self.check_alive()?;
            if interrupted.load(Ordering::Relaxed) {
                bail!("stopped before {} was ready", self.name);
            }
            if Instant::now() > deadline {
                bail!("{} was not ready after {} s; {}", self.name, limit.as_secs(), self.last_words());
            }
            thread::sleep(POLL);
        }
    }

    /// An error with the end of its log, when the child is no more.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} died with {status}; {}", self.name, self.last_words()),
        }
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        format!("the end of {}:\n{}", self.log.display(), tail(&log, LOG_TAIL))
    }

    /// Asks the child to end, and ends it when it does not.
    pub fn stop(&mut self) {
        if let Err(error) = self.try_stop() {
            say(&format!("  {} (process {}) could not be stopped: {error:#}", self.name, self.child.id()));
        }
    }

    fn try_stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let deadline = Instant::now() + WIND_DOWN;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
                self.child.wait()?;
                bail!("it did not end within {} s and was killed", WIND_DOWN.as_secs());
            }
            thread::sleep(POLL / 4);
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether a plain HTTP `GET` is answered with 200.
pub fn answers_ok(address: SocketAddr, path: &str) -> bool {
    status_line(address, path).is_ok_and(|line| line.starts_with("HTTP/1.1 200"))
}

fn status_line(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream.take(1024)).read_line(&mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(name: &'static str, script: &str) -> (Service, PathBuf) {
        let logs = std::env::temp_dir().join(format!("cupo-service-{}-{name}", std::process::id()));
        fs::create_dir_all(&logs).unwrap();
        (Service::start(name, Command::new("sh").args(["-c", script]), &logs).unwrap(), logs)
    }

    #[test]
    fn a_child_that_dies_is_named_with_the_end_of_its_log() {
        let (mut service, logs) = shell("dies", "echo the disk is full >&2; exit 7");
        let never = AtomicBool::new(false);
        let error = service.wait_for::<()>(STARTUP, &never, |_| None).unwrap_err().to_string();
        assert!(error.contains("dies died with exit status: 7") && error.contains("the disk is full"), "{error}");
        fs::remove_dir_all(logs).unwrap();
    }

    #[test]
    fn a_line_of_its_standard_output_makes_it_ready_and_stop_ends_it() {
        let (mut service, logs) = shell("ready", "echo hello; exec sleep 60");
        let never = AtomicBool::new(false);
        let line = service.wait_for(STARTUP, &never, Service::stdout_line).unwrap();
        assert_eq!(line, "hello");
        service.stop();
        assert!(service.check_alive().is_err());
        fs::remove_dir_all(logs).unwrap();
    }

    const STARTUP: Duration = Duration::from_secs(10);
}
