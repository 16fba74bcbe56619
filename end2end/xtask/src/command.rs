//! Runs other programs: quietly while they work, with their words when they fail.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::progress::Step;

/// Long enough for any build; a program that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(3600);
const TAIL_LINES: usize = 60;

/// What a program printed, standard output and error in the order of their lines, and how it ended.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub output: String,
}

/// `cargo`, without the variables with which `cargo run` described xtask itself: they would reach build scripts.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in env::vars_os() {
        let describes_xtask = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if describes_xtask {
            command.env_remove(name);
        }
    }
    command.current_dir(root).env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
    command
}

/// Runs to the end, whatever the exit status; each line is the step's note.
pub fn outcome(step: &Step, command: &mut Command) -> Result<Outcome> {
    outcome_within(step, command, PATIENCE)
}

/// Runs to the end; a failure carries the last lines that the program printed.
pub fn succeed(step: &Step, command: &mut Command) -> Result<Outcome> {
    succeed_within(step, command, PATIENCE)
}

/// As [`succeed`], and ends the program when the time is over.
pub fn succeed_within(step: &Step, command: &mut Command, limit: Duration) -> Result<Outcome> {
    let outcome = outcome_within(step, command, limit)?;
    if !outcome.status.success() {
        bail!(
            "{} ended with {}:\n{}",
            line_of(command),
            outcome.status,
            tail(&without_chatter(&outcome.output), TAIL_LINES)
        );
    }
    Ok(outcome)
}

fn outcome_within(step: &Step, command: &mut Command, limit: Duration) -> Result<Outcome> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", line_of(command)))?;
    let (stdout, output) = match collect(step, &mut child, limit) {
        Some(lines) => lines,
        None => {
            child.kill()?;
            child.wait()?;
            bail!("{} was ended after {} seconds", line_of(command), limit.as_secs());
        }
    };
    Ok(Outcome { status: child.wait()?, stdout, output })
}

/// The program's standard output, and that together with its standard error; `None` when the time is over.
fn collect(step: &Step, child: &mut Child, limit: Duration) -> Option<(String, String)> {
    let deadline = Instant::now() + limit;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone(), true);
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender, false);
    }
    let (mut stdout, mut output) = (String::new(), String::new());
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((is_stdout, line)) => {
                step.note(&line);
                if is_stdout {
                    stdout.push_str(&line);
                    stdout.push('\n');
                }
                output.push_str(&line);
                output.push('\n');
            }
            Err(RecvTimeoutError::Disconnected) => return Some((stdout, output)),
            Err(RecvTimeoutError::Timeout) => return None,
        }
    }
}

fn forward(stream: impl Read + Send + 'static, sender: Sender<(bool, String)>, is_stdout: bool) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if sender.send((is_stdout, String::from_utf8_lossy(&line).into_owned())).is_err() {
                break;
            }
        }
    });
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A program's words without the lines in which cargo only tells what it is at.
pub fn without_chatter(output: &str) -> String {
    const CHATTER: [&str; 7] =
        ["Compiling ", "Checking ", "Documenting ", "Downloading ", "Downloaded ", "Blocking ", "Updating "];
    let is_chatter = |line: &&str| CHATTER.iter().any(|word| line.trim_start().starts_with(word));
    output.lines().filter(|line| !is_chatter(line)).collect::<Vec<_>>().join("\n")
}

/// A program's path, when it is to be found on `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_carries_the_words_of_the_program() {
        let error = succeed(&Step::start("test"), &mut shell("echo why >&2; exit 3")).err().unwrap().to_string();
        assert!(error.contains("exit status: 3") && error.contains("why"), "{error}");
    }

    #[test]
    fn standard_output_is_kept_apart_from_the_whole() {
        let outcome = outcome(&Step::start("test"), &mut shell("echo out; echo err >&2")).unwrap();
        assert_eq!(outcome.stdout, "out\n");
        assert!(outcome.output.contains("err\n"));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let limit = Duration::from_millis(200);
        let started = Instant::now();
        let error = succeed_within(&Step::start("test"), Command::new("sleep").arg("30"), limit).err().unwrap();
        assert!(error.to_string().contains("was ended"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_cargo_tells_of_its_progress_is_left_out_of_a_failure() {
        assert_eq!(
            without_chatter("   Compiling a v1\nerror: no\n    Blocking waiting\n  --> a.rs"),
            "error: no\n  --> a.rs"
        );
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("a", 5), "a");
    }
}
