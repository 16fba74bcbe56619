//! No secret comes out: not in a log line, not in an answer that is not there to carry it, not in a column that is not sealed
//! or hashed.

mod relay;
mod story;

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::tenancy::rows::everything;
use story::Story;

/// Everything that Cupo says, and what its libraries say to who looks for a fault. The simulators are no part of it.
const FILTER: &str = "debug,cupo_server=trace,cupo_app=trace,cupo_engine=trace,cupo_store=trace,cupo_providers=trace,\
                      cupo_core=trace,cupo_simulators=off";

/// What passed between Cupo and the providers, at least.
const KINDS: [&str; 11] = [
    "access_token",
    "assertion",
    "authorization",
    "client_assertion",
    "client_secret",
    "clientState",
    "code",
    "code_verifier",
    "refresh_token",
    "state",
    "token",
];

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_whole_story_is_in_a_log_an_answer_or_an_open_column() {
    let captured = Captured::default();
    // Each test has a process of its own under nextest; this is the only one that sets the subscriber.
    tracing_subscriber::fmt().with_writer(captured.clone()).with_env_filter(EnvFilter::new(FILTER)).init();
    let mut story = Story::begins().await;
    story.is_told().await;

    let secrets = story.secrets();
    assert!(secrets.len() > 60 && story.rotated() > 1, "too few secrets were heard: {}", secrets.len());
    for kind in KINDS {
        assert!(story.kinds().contains(kind), "no {kind} has passed");
    }
    let mut found = Vec::new();
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for library in ["cupo_engine", "cupo_providers", "cupo_server", "sqlx", "hyper", "tower_http"] {
        assert!(log.contains(library), "{library} has said nothing");
    }
    for line in log.lines() {
        let visitors = Story::visitors();
        let told = secrets.iter().map(String::as_str).chain(visitors).filter(|secret| line.contains(secret));
        found.extend(told.map(|secret| format!("the log tells {secret}: {line}")));
    }
    for answer in story.answers().iter() {
        let told = secrets.iter().filter(|secret| answer.text.contains(*secret) && !answer.carries.contains(secret));
        let beginning: String = answer.text.chars().take(600).collect();
        found.extend(told.map(|secret| format!("{} tells {secret}: {beginning}", answer.what)));
    }
    let rows = everything(&story.world).await;
    for (table, trace) in [("calendar_provider_account", "state: reconnect_needed"), ("job", "last_error: ")] {
        let is_there =
            |(of, row): &(String, String)| of == table && row.contains(trace) && !row.contains("last_error: null");
        assert!(rows.iter().any(is_there), "what went wrong has left nothing in {table}");
    }
    for (table, row) in &rows {
        // A visitor's key counts within its organization, and opens nothing without the request that it came with.
        let is_key = |secret: &String| table == "idempotency_key" && row.contains(&format!("key: {secret},"));
        let told = secrets.iter().filter(|secret| row.contains(*secret) && !is_key(secret));
        found.extend(told.map(|secret| format!("{table} holds {secret}: {row}")));
    }
    assert!(found.is_empty(), "{} times: {}", found.len(), found.join("\n"));
}
