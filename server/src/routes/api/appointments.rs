//! `/api/v1/appointments`: a host agrees to a pending appointment, or does not.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use cupo_core::ids::AppointmentId;
use serde::Deserialize;

use super::id;
use crate::body::Json;
use crate::problem::Outcome;
use crate::session::SignedIn;
use crate::state::AppState;

/// The body of `POST /api/v1/appointments/{id}/decline`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineRequest {
    /// What the visitor is told, up to 500 characters.
    #[serde(default)]
    reason: String,
}

pub async fn confirm(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(appointment): Path<String>,
) -> Outcome<StatusCode> {
    let appointment: AppointmentId = id(&appointment, "appointment")?;
    state.engine.appointment_confirm(&principal, &appointment).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn decline(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(appointment): Path<String>,
    Json(request): Json<DeclineRequest>,
) -> Outcome<StatusCode> {
    let appointment: AppointmentId = id(&appointment, "appointment")?;
    state.engine.appointment_decline(&principal, &appointment, &request.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
