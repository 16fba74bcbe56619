use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cupo_simulators::google::{GoogleOptions, GoogleSimulator};
use cupo_simulators::microsoft::{MicrosoftOptions, MicrosoftSimulator};
use serde_json::Value;

fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cupo-simulators"))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("standard output")).read_line(&mut line).expect("a line");
    (child, serde_json::from_str(&line).expect("the line is JSON"))
}

fn terminate(mut child: Child) {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    assert!(child.wait().expect("the program ends").success(), "SIGTERM is a graceful end");
}

#[test]
fn everything_starts_says_where_it_is_and_ends_gracefully() {
    let any = "127.0.0.1:0";
    let (child, ready) = start(&[
        "all",
        "--google-listen",
        any,
        "--microsoft-listen",
        any,
        "--mail-listen",
        any,
        "--smtp-listen",
        any,
        "--site-listen",
        any,
    ]);
    assert_eq!(ready["ready"], true);
    for name in ["google", "microsoft", "mail", "site"] {
        assert!(ready[name].as_str().is_some_and(|address| address.starts_with("http://127.0.0.1:")), "{ready}");
    }
    assert!(ready["smtp"].as_str().is_some_and(|address| address.starts_with("127.0.0.1:")), "{ready}");
    terminate(child);
}

#[test]
fn only_what_was_asked_for_starts() {
    let (child, ready) = start(&["mail", "--mail-listen", "127.0.0.1:0", "--smtp-listen", "127.0.0.1:0"]);
    let names: Vec<_> = ready.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["mail", "ready", "smtp"]);
    terminate(child);
}

/// Of five starts the best, so that a busy machine does not matter.
#[tokio::test]
async fn a_test_waits_for_both_calendars_less_than_a_tenth_of_a_second() {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begin = Instant::now();
        let google = GoogleSimulator::start(GoogleOptions::default()).await.expect("Google starts");
        let microsoft = MicrosoftSimulator::start(MicrosoftOptions::default()).await.expect("Microsoft starts");
        best = best.min(begin.elapsed());
        drop((google, microsoft));
    }
    assert!(best < Duration::from_millis(100), "{best:?}");
}
