//! What the control APIs of the simulated providers have in common.

use std::convert::Infallible;

use axum::Json;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use futures::Stream;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::SimClock;

/// 400 with a sentence: what the test asked for makes no sense.
#[derive(Debug)]
pub struct Misused(pub anyhow::Error);

impl IntoResponse for Misused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": format!("{:#}", self.0) }))).into_response()
    }
}

impl<E: Into<anyhow::Error>> From<E> for Misused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// `{"now": instant}` or `{"advance_seconds": number}`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockChange {
    Now(DateTime<Utc>),
    AdvanceSeconds(i64),
}

impl ClockChange {
    /// Moves the clock.
    pub fn apply(self, clock: &SimClock) -> anyhow::Result<()> {
        match self {
            Self::Now(instant) => clock.set(instant),
            Self::AdvanceSeconds(seconds) => {
                clock.advance(TimeDelta::try_seconds(seconds).ok_or_else(|| anyhow::anyhow!("too many seconds"))?);
            }
        }
        Ok(())
    }
}

/// A line for every change of the world; the page reads the week again.
pub fn change_lines(
    changes: watch::Receiver<u64>,
    stopping: CancellationToken,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = futures::stream::unfold((changes, stopping), |(mut changes, stopping)| async move {
        tokio::select! {
            () = stopping.cancelled() => return None,
            changed = changes.changed() => changed.ok()?,
        }
        let count = *changes.borrow_and_update();
        Some((Ok(Event::default().data(count.to_string())), (changes, stopping)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
