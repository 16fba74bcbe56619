//! Limits for each application and mailbox: so many requests in ten minutes, so many at the same time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;

use super::graph;
use super::graph::error::GraphError;
use super::simulation::Microsoft;
use crate::simulation::lock;

const PERIOD: TimeDelta = TimeDelta::minutes(10);

/// Which limits a request counts for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Admission {
    pub client_id: String,
    pub mailbox: String,
}

/// What was requested lately, and what is under way.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<Admission, Usage>>);

#[derive(Debug, Default)]
struct Usage {
    lately: VecDeque<DateTime<Utc>>,
    under_way: usize,
}

/// A request that was let in; it counts as under way until this is dropped.
#[derive(Debug)]
struct Admitted<'a> {
    throttle: &'a Throttle,
    admission: Admission,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if let Some(usage) = self.throttle.usages().get_mut(&self.admission) {
            usage.under_way -= 1;
        }
    }
}

impl Throttle {
    /// Forgets what was requested lately.
    pub fn clear(&self) {
        self.usages().values_mut().for_each(|usage| usage.lately.clear());
    }

    fn usages(&self) -> MutexGuard<'_, HashMap<Admission, Usage>> {
        lock(&self.0)
    }

    fn admit(
        &self,
        microsoft: &Microsoft,
        admission: Admission,
        now: DateTime<Utc>,
    ) -> Result<Admitted<'_>, GraphError> {
        let mut usages = self.usages();
        let usage = usages.entry(admission.clone()).or_default();
        while usage.lately.front().is_some_and(|at| *at + PERIOD <= now) {
            usage.lately.pop_front();
        }
        if microsoft.concurrent_requests.is_some_and(|limit| usage.under_way >= limit) {
            let message = "Application is over its MailboxConcurrency limit.";
            return Err(too_many(message, 1));
        }
        if let (Some(limit), Some(oldest)) = (microsoft.requests_per_ten_minutes, usage.lately.front())
            && usage.lately.len() >= limit
        {
            let wait = (*oldest + PERIOD - now).num_seconds() + 1;
            return Err(too_many("Application is over its request limit.", u64::try_from(wait).unwrap_or(1)));
        }
        usage.lately.push_back(now);
        usage.under_way += 1;
        Ok(Admitted { throttle: self, admission })
    }
}

/// The middleware around Graph.
pub async fn throttle(State(microsoft): State<Arc<Microsoft>>, request: Request, next: Next) -> Response {
    let now = microsoft.clock.now();
    let admission = graph::admission(&microsoft.world(), request.uri().path(), request.headers(), now);
    let Some(admission) = admission else { return next.run(request).await };
    match microsoft.throttle.admit(&microsoft, admission, now) {
        Ok(_under_way) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn too_many(message: &str, seconds: u64) -> GraphError {
    GraphError::new(StatusCode::TOO_MANY_REQUESTS, "ApplicationThrottled", message).retry_after(Some(seconds))
}
