//! `/api/v1/schedules`: what a change of a schedule would bring.

use axum::Json;
use axum::extract::{Path, State};
use cupo_core::ids::ScheduleId;
use cupo_core::wire::ImpactView;
use cupo_engine::ScheduleInput;
use serde::Serialize;

use super::id;
use crate::body;
use crate::problem::Outcome;
use crate::session::SignedIn;
use crate::state::AppState;

/// The answer of `POST /api/v1/schedules/{id}/preview`.
#[derive(Serialize)]
pub struct Impacts {
    /// One for each event type that uses the schedule.
    impacts: Vec<ImpactView>,
}

pub async fn preview(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(schedule): Path<String>,
    body::Json(input): body::Json<ScheduleInput>,
) -> Outcome<Json<Impacts>> {
    let schedule: ScheduleId = id(&schedule, "schedule")?;
    let impacts = state.engine.schedule_preview(&principal, Some(&schedule), input).await?;
    Ok(Json(Impacts { impacts }))
}
