//! Sending requests at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use cupo_core::wire::{CancelRequest, RescheduleRequest, SeriesScope};
use cupo_engine::EngineError;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::plan::{Decision, Prepared, Request, Wish, hold_request};
use super::scene::Scene;

/// A request and what became of it.
#[derive(Debug, Clone)]
pub struct Shot {
    pub request: Request,
    pub answer: Answer,
    pub took: Duration,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// An appointment with this secret; `replayed` when the same request had been carried out before.
    Booked { token: String, replayed: bool },
    /// The slot is kept under this secret.
    Held { token: String },
    /// The change was made.
    Done,
    /// Somebody else was faster; the error's code.
    Refused(&'static str),
    /// What no visitor and no host may ever be told.
    Failed(String),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Booked { replayed, .. } => {
                f.debug_struct("Booked").field("replayed", replayed).finish_non_exhaustive()
            }
            Self::Held { .. } => f.debug_struct("Held").finish_non_exhaustive(),
            Self::Done => f.write_str("Done"),
            Self::Refused(code) => f.debug_tuple("Refused").field(code).finish(),
            Self::Failed(why) => f.debug_tuple("Failed").field(why).finish(),
        }
    }
}

impl Answer {
    pub fn is_win(&self) -> bool {
        matches!(self, Self::Booked { .. } | Self::Held { .. } | Self::Done)
    }

    fn of_error(error: &EngineError) -> Self {
        match error {
            EngineError::SlotTaken | EngineError::SlotRefused(_) | EngineError::Conflict(_) => {
                Self::Refused(error.code())
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Sends all requests at the same moment and waits for every answer.
pub async fn fire(scene: &Scene, prepared: &[Prepared], requests: Vec<Request>) -> Result<Vec<Shot>> {
    let start = Arc::new(Barrier::new(requests.len()));
    let prepared: Arc<[Prepared]> = prepared.into();
    let mut flying = JoinSet::new();
    for request in requests {
        let (scene, prepared, start) = (scene.clone(), prepared.clone(), start.clone());
        flying.spawn(async move {
            start.wait().await;
            let sent = Instant::now();
            let answer = send(&scene, &prepared, &request.wish).await;
            let answer = answer.unwrap_or_else(|error| Answer::of_error(&error));
            Shot { request, answer, took: sent.elapsed() }
        });
    }
    let mut shots = Vec::with_capacity(flying.len());
    while let Some(shot) = flying.join_next().await {
        shots.push(shot?);
    }
    Ok(shots)
}

async fn send(scene: &Scene, prepared: &[Prepared], wish: &Wish) -> Result<Answer, EngineError> {
    let engine = &scene.engine;
    match wish {
        Wish::Book(booking) => {
            let booked = engine.book(&booking.key, booking.request(scene.org())).await?;
            Ok(Answer::Booked { token: booked.view.token, replayed: booked.replayed })
        }
        Wish::Hold { offer, start } => {
            let kept = engine.hold(hold_request(scene.org(), offer, *start)).await?;
            Ok(Answer::Held { token: kept.hold })
        }
        Wish::Move { appointment, start } => {
            let request = RescheduleRequest { start: *start, scope: SeriesScope::This };
            engine.reschedule_by_token(&prepared[*appointment].token, &request).await?;
            Ok(Answer::Done)
        }
        Wish::Decide { appointment, decision } => decide(scene, &prepared[*appointment], *decision).await,
    }
}

async fn decide(scene: &Scene, about: &Prepared, decision: Decision) -> Result<Answer, EngineError> {
    let (engine, principal) = (&scene.engine, &scene.principal);
    match decision {
        Decision::Confirm => engine.appointment_confirm(principal, &about.id).await?,
        Decision::Decline => engine.appointment_decline(principal, &about.id, "").await?,
        Decision::CancelAsHost => engine.appointment_cancel(principal, &about.id, "").await?,
        Decision::CancelAsVisitor => {
            engine.cancel_by_token(&about.token, &CancelRequest::default()).await?;
        }
        Decision::Expire => {
            let expired = scene.late_engine.appointment_expire(&principal.organization_id, &about.id).await?;
            if !expired {
                return Ok(Answer::Refused("decided"));
            }
        }
    }
    Ok(Answer::Done)
}
