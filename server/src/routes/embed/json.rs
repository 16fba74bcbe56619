//! Reads JSON bodies; everything that can be wrong with one has its own failure.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::problem::{Failure, Kind, Outcome};
use crate::state::AppState;

/// A body of `application/json`.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AppState) -> Outcome<Self> {
        if !is_json(request.headers()) {
            return Err(Kind::UnsupportedMediaType.into());
        }
        let limit = state.limits.body_bytes;
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Failure::from(Kind::BodyTooLarge { limit })
            }
            _ => Kind::BodyUnreadable.into(),
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Kind::MalformedJson(error.to_string()).into())
    }
}

/// Other types could be sent by a form of any site, without a preflight.
fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).and_then(|it| it.split(';').next());
    essence.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}
