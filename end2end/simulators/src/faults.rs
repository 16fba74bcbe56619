//! Faults on demand: which request, notification or query one meets, how often, and how a request is struck by it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use regex::Regex;

use crate::http_server::DropConnection;

/// What a simulator can be told to do wrong.
pub trait Fault: Clone {
    /// The kinds of things that a fault can meet.
    type Target: Copy + PartialEq + std::fmt::Debug;

    /// What it meets, or what is wrong with it.
    fn target(&self) -> anyhow::Result<Self::Target>;

    /// Which of those.
    fn aim(&self) -> Aim<'_>;
}

/// The requests (or notifications) that a fault meets.
#[derive(Debug, Clone, Copy)]
pub struct Aim<'a> {
    /// The HTTP method; any, when absent.
    pub method: Option<&'a str>,
    /// A regular expression that is searched in the path (for notifications, in the webhook's address).
    pub path_pattern: Option<&'a str>,
    /// How many matches it concerns; at least 1.
    pub times: u32,
}

#[derive(Debug)]
struct Armed<F: Fault> {
    fault: F,
    target: F::Target,
    method: Option<String>,
    pattern: Option<Regex>,
    left: u32,
}

/// The faults that still wait for their match, oldest first.
#[derive(Debug)]
pub struct Faults<F: Fault>(Vec<Armed<F>>);

impl<F: Fault> Default for Faults<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Fault> Faults<F> {
    /// Arms a fault, or says what is wrong with it.
    pub fn add(&mut self, fault: F) -> anyhow::Result<()> {
        let aim = fault.aim();
        anyhow::ensure!(aim.times >= 1, "times must be at least 1");
        let target = fault.target()?;
        let pattern = aim.path_pattern.map(Regex::new).transpose()?;
        let (method, left) = (aim.method.map(str::to_owned), aim.times);
        self.0.push(Armed { fault, target, method, pattern, left });
        Ok(())
    }

    /// Forgets all faults.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The first fault for `target` at `path`, counted down.
    pub fn take(&mut self, target: F::Target, method: Option<&str>, path: &str) -> Option<F> {
        let index = self.0.iter().position(|armed| armed.meets(target, method, path))?;
        let armed = &mut self.0[index];
        armed.left -= 1;
        let fault = armed.fault.clone();
        if armed.left == 0 {
            self.0.remove(index);
        }
        Some(fault)
    }

    /// Every fault for `target`, each counted down.
    pub fn take_all(&mut self, target: F::Target) -> Vec<F> {
        let met = self.0.iter_mut().filter(|armed| armed.target == target).map(|armed| {
            armed.left -= 1;
            armed.fault.clone()
        });
        let met = met.collect();
        self.0.retain(|armed| armed.left > 0);
        met
    }
}

impl<F: Fault> Armed<F> {
    fn meets(&self, target: F::Target, method: Option<&str>, path: &str) -> bool {
        let method_matches = match (&self.method, method) {
            (Some(wanted), Some(method)) => wanted.eq_ignore_ascii_case(method),
            _ => true,
        };
        self.target == target && method_matches && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(path))
    }
}

/// What a fault does to one request.
#[derive(Debug, Default)]
pub struct Strike {
    /// Waited before anything else.
    pub delay: Duration,
    /// The answer in place of the real one; nothing is done then.
    pub answer: Option<Response>,
    /// Do everything that was asked, then close the connection without an answer.
    pub drop_answer: bool,
    /// Do everything that was asked, then wait with the answer.
    pub answer_delay: Duration,
}

/// A simulator whose requests can be struck.
pub trait Struck: Send + Sync + 'static {
    /// The next fault for this request, counted down.
    fn strike(&self, method: &str, path: &str) -> Option<Strike>;
}

/// The middleware by which faults strike.
pub async fn strike<S: Struck>(State(simulator): State<Arc<S>>, request: Request, next: Next) -> Response {
    let struck = simulator.strike(request.method().as_str(), request.uri().path());
    let Some(strike) = struck else { return next.run(request).await };
    if !strike.delay.is_zero() {
        tokio::time::sleep(strike.delay).await;
    }
    let mut response = match strike.answer {
        Some(answer) => answer,
        None => next.run(request).await,
    };
    if !strike.answer_delay.is_zero() {
        tokio::time::sleep(strike.answer_delay).await;
    }
    if strike.drop_answer {
        response.extensions_mut().insert(DropConnection);
    }
    response
}
