//! Reads bodies. Everything that can be wrong with one has its own failure.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use cupo_core::parse::FieldErrors;
use serde::de::DeserializeOwned;

use crate::problem::{Failure, Kind, Outcome};
use crate::state::AppState;

/// A body of `application/json`. Another type could be sent by a form of any site, without a preflight.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AppState) -> Outcome<Self> {
        let bytes = read(request, state, "application/json").await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Kind::MalformedJson(error.to_string()).into())
    }
}

/// A body of `application/x-www-form-urlencoded`, as browsers send forms.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AppState) -> Outcome<Self> {
        let bytes = read(request, state, "application/x-www-form-urlencoded").await?;
        let form = axum::Form::<T>::from_request(with_body(bytes), &()).await;
        form.map(|axum::Form(form)| Self(form)).map_err(|_| Kind::Malformed(FieldErrors::default()).into())
    }
}

async fn read(request: Request, state: &AppState, content_type: &str) -> Outcome<Bytes> {
    if !has_type(request.headers(), content_type) {
        return Err(Kind::UnsupportedMediaType.into());
    }
    let limit = state.limits.body_bytes;
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Kind::BodyTooLarge { limit }.into()
        }
        _ => Kind::BodyUnreadable.into(),
    })
}

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let essence = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).and_then(|it| it.split(';').next());
    essence.is_some_and(|it| it.trim().eq_ignore_ascii_case(wanted))
}

fn with_body(bytes: Bytes) -> Request {
    let mut request = Request::post("/").body(bytes.into()).expect("a path and a body make a request");
    request
        .headers_mut()
        .insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/x-www-form-urlencoded"));
    request
}
