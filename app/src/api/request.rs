//! What every server function needs of its request.

use std::str::FromStr;

use chrono_tz::Tz;
use cupo_engine::{Engine, EngineError, Principal};
use http::request::Parts;
use http::{Method, StatusCode, header};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;

use crate::context::RequestContext;
use crate::error::AppError;

pub(crate) fn engine() -> Engine {
    expect_context()
}

pub(crate) fn request() -> RequestContext {
    expect_context()
}

/// The signed-in host; without one, an error, and the browser is led to the sign-in page.
pub(crate) fn host() -> Result<(Engine, Principal), AppError> {
    match request().principal {
        Some(principal) => Ok((engine(), principal)),
        None => {
            leptos_axum::redirect("/sign-in");
            Err(AppError::from(EngineError::Unauthenticated))
        }
    }
}

/// The engine's answer as a server function's. A refusal sets the status, except where a plain form is answered by a
/// redirect that carries the error.
pub(crate) fn answer<T>(result: Result<T, EngineError>) -> Result<T, AppError> {
    result.map_err(|error| {
        let error = AppError::from(error);
        if !is_plain_form()
            && let Some(response) = use_context::<ResponseOptions>()
        {
            response.set_status(status(&error.code));
        }
        error
    })
}

/// The zone in which a host reads times: that of the schedule which they use where none is chosen.
pub(crate) async fn zone(engine: &Engine, principal: &Principal) -> Result<Tz, AppError> {
    let schedules = answer(engine.schedules(principal).await)?;
    let own = schedules.iter().find(|overview| overview.schedule.is_default).or(schedules.first());
    answer(own.map(|overview| overview.schedule.time_zone.tz()).ok_or(EngineError::NotFound("schedule")))
}

/// What an id of the form or the address means.
pub(crate) fn id<T: FromStr>(text: &str, noun: &'static str) -> Result<T, AppError> {
    answer(text.parse().map_err(|_| EngineError::NotFound(noun)))
}

/// The same, where an empty text means that there is none yet.
pub(crate) fn id_or_new<T: FromStr>(text: &str, noun: &'static str) -> Result<Option<T>, AppError> {
    if matches!(text, "" | "new") { Ok(None) } else { id(text, noun).map(Some) }
}

/// Leads to `path` with a notice, as the end of a change.
pub(crate) fn done(path: &str, notice: &str) {
    let separator = if path.contains('?') { '&' } else { '?' };
    leptos_axum::redirect(&format!("{path}{separator}notice={notice}"));
}

/// Whether the form was sent without a script: the answer is then a redirect, and can hold nothing.
pub(crate) fn is_plain_form() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accepts_html = parts
            .headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("text/html"));
        parts.method == Method::POST && accepts_html
    })
}

fn status(code: &str) -> StatusCode {
    match code {
        "not-found" => StatusCode::NOT_FOUND,
        "invalid-input" => StatusCode::UNPROCESSABLE_ENTITY,
        "unauthenticated" | "wrong-credentials" => StatusCode::UNAUTHORIZED,
        "forbidden" => StatusCode::FORBIDDEN,
        "conflict" => StatusCode::CONFLICT,
        "not-configured" | "calendar-unreachable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
