use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

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
