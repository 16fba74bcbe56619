//! Steps with their times: a spinner on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_LENGTH: Duration = Duration::from_millis(100);
/// Wider lines would wrap, and a wrapped line cannot be drawn over.
const LINE_WIDTH: usize = 100;

/// One piece of work that a person waits for. Dropped without [`Step::done`], it counts as failed.
pub struct Step {
    title: String,
    started: Instant,
    finished: bool,
    spinner: Option<Spinner>,
}

struct Spinner {
    note: Arc<Mutex<String>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Step {
    pub fn start(title: impl Into<String>) -> Self {
        let title = title.into();
        let spinner = if stderr().is_terminal() {
            Some(Spinner::start(title.clone()))
        } else {
            say(&format!("  … {title}"));
            None
        };
        Self { title, started: Instant::now(), finished: false, spinner }
    }

    /// Shows what the step is busy with, where there is a terminal to show it on.
    pub fn note(&self, line: &str) {
        if let Some(spinner) = &self.spinner {
            line.trim().clone_into(&mut spinner.note.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn done(mut self, detail: impl AsRef<str>) {
        self.finish('✓', detail.as_ref());
    }

    /// Ends the step as failed, for a caller that goes on all the same.
    pub fn failed(mut self, detail: impl AsRef<str>) {
        self.finish('✗', detail.as_ref());
    }

    fn finish(&mut self, mark: char, detail: &str) {
        if let Some(spinner) = self.spinner.take() {
            spinner.stop();
        }
        self.finished = true;
        let separator = if detail.is_empty() { "" } else { "  " };
        say(&format!("  {mark} {} ({}){separator}{detail}", self.title, seconds(self.started.elapsed())));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.finished {
            self.finish('✗', "");
        }
    }
}

impl Spinner {
    fn start(title: String) -> Self {
        let note = Arc::new(Mutex::new(String::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (note, stop, started) = (Arc::clone(&note), Arc::clone(&stop), Instant::now());
            move || {
                for frame in FRAMES.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let note = note.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let line = format!("  {frame} {title} ({}) {note}", seconds(started.elapsed()));
                    let line: String = line.chars().take(LINE_WIDTH).collect();
                    draw(&format!("\r\x1b[2K{line}"));
                    thread::sleep(FRAME_LENGTH);
                }
                draw("\r\x1b[2K");
            }
        });
        Self { note, stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        // A spinner that panicked has nothing to say to the person who waits.
        let _ = self.thread.join();
    }
}

/// Prints one line for a person, beside the command's results on standard output.
pub fn say(line: &str) {
    draw(&format!("{line}\n"));
}

fn draw(text: &str) {
    // A closed standard error must not end the work.
    let _ = stderr().lock().write_all(text.as_bytes());
    let _ = stderr().flush();
}

/// `0.4 s`, `12.3 s`, `2 min 05 s`.
pub fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_a_person_would_say_them() {
        assert_eq!(seconds(Duration::from_millis(440)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
