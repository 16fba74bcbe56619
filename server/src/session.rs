//! Who asks: the session cookie becomes a [`RequestContext`] in the request's extensions.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cupo_app::{RequestContext, session_cookie};
use cupo_core::text::LanguageTag;
use cupo_engine::{EngineError, Principal};

use crate::language;
use crate::problem::{Failure, Outcome};
use crate::state::AppState;

/// Who is signed in, in the language of the request. Nobody else is let in.
pub struct SignedIn(pub Principal);

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Outcome<Self> {
        let context = parts.extensions.get::<RequestContext>();
        let signed_in = context.and_then(|context| Some((context.principal.clone()?, context.locale)));
        let (principal, locale) = signed_in.ok_or(EngineError::Unauthenticated)?;
        Ok(Self(Principal { locale, ..principal }))
    }
}

/// Loads the principal of the cookie's session, if there is one.
pub async fn load(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let is_secure = state.is_secure();
    let session_token = language::cookie(request.headers(), session_cookie(is_secure)).map(str::to_owned);
    let principal = match &session_token {
        None => None,
        Some(token) => match state.engine.principal(token).await {
            Ok(principal) => principal,
            Err(error) => return Failure::from(error).into_response(),
        },
    };
    let chosen = language::chosen(request.headers(), request.uri()).map(LanguageTag::locale);
    let locale = chosen
        .or(principal.as_ref().map(|it| it.locale))
        .unwrap_or_else(|| language::negotiated(request.headers()))
        .dashboard();
    let context = RequestContext { principal, session_token, locale, is_secure };
    request.extensions_mut().insert(context);
    next.run(request).await
}
