//! What goes wrong over HTTP, and how it is told.
//!
//! The policy: a handler returns a [`Failure`] and nothing else. The one layer [`tell`] turns it into an answer: an RFC
//! 9457 problem in the reader's language for programs, a designed page for browsers. [`Failure::status`] is the one place
//! that maps failures to statuses. What the reader cannot mend is logged there too, with its cause; causes and bodies
//! never hold tokens or secrets.

use std::any::Any;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use cupo_app::error::AppError;
use cupo_core::parse::FieldErrors;
use cupo_core::text::{self, LanguageTag, Locale};
use cupo_core::wire::{Problem, ProblemField};
use cupo_engine::EngineError;
use cupo_store::StoreError;

use crate::language;
use crate::pages;
use crate::state::AppState;

/// After how many seconds a busy database is asked again.
const BUSY: u64 = 1;
/// The same, where a request could not be answered in its time.
const SLOW: u64 = 5;
/// Where the dashboard's server functions are.
const SERVER_FUNCTIONS: &str = "/dashboard/api/";

/// Why a request was not answered as asked.
#[derive(Debug, Clone)]
pub struct Failure(Arc<Kind>);

/// Every kind of failure; the engine's own and those of HTTP.
#[derive(Debug)]
pub enum Kind {
    /// A use case refused.
    Engine(EngineError),
    /// Somebody else was faster; what is still free around that day.
    SlotTaken { slots: Vec<DateTime<Utc>> },
    /// Fields of a query or of a body cannot be read.
    Malformed(FieldErrors),
    /// The body is no JSON of the expected shape; the text is the parser's, which names line and column.
    MalformedJson(String),
    /// A header that is needed is not there or cannot be used.
    MissingHeader(&'static str),
    /// The body has another type than the address takes.
    UnsupportedMediaType,
    /// The body is longer than allowed.
    BodyTooLarge { limit: usize },
    /// The body did not arrive.
    BodyUnreadable,
    /// No such address.
    UnknownAddress,
    /// The address knows other methods.
    MethodNotAllowed,
    /// A site that the organization has not named.
    OriginNotAllowed { origin: String },
    /// A form of another site.
    CrossSite,
    /// Too many requests of one client.
    RateLimited { seconds: u64 },
    /// It could not be answered in the time that a request may take.
    TookTooLong,
    /// The operator has switched it off, or the caller is not the operator.
    Forbidden,
    /// The code broke; the text is the panic's message.
    Panic(String),
}

/// What handlers return.
pub type Outcome<T> = Result<T, Failure>;

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Kind::Engine(error).into()
    }
}

impl IntoResponse for Failure {
    /// A bare status that carries the failure to [`tell`], which knows the reader.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Failure {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// The answer for a panic of a handler.
    #[must_use]
    pub fn from_panic(panic: Box<dyn Any + Send>) -> Self {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "no message".to_owned());
        Kind::Panic(message).into()
    }

    /// The HTTP status: the one place that maps them.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind() {
            Kind::Engine(error) => match error {
                EngineError::NotFound(_) => StatusCode::NOT_FOUND,
                EngineError::Invalid(_) | EngineError::SlotRefused(_) | EngineError::IdempotencyKeyReused => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                EngineError::SlotTaken | EngineError::Conflict(_) | EngineError::ReconnectNeeded(_) => {
                    StatusCode::CONFLICT
                }
                EngineError::Unauthenticated | EngineError::WrongCredentials => StatusCode::UNAUTHORIZED,
                EngineError::Forbidden | EngineError::ConsentDenied => StatusCode::FORBIDDEN,
                EngineError::RangeTooLong { .. } | EngineError::StateExpired => StatusCode::BAD_REQUEST,
                // It works again when somebody else has mended it.
                EngineError::CalendarUnreachable
                | EngineError::NotConfigured(_)
                | EngineError::ConsentNeeded(_)
                | EngineError::OperatorNeeded(_)
                | EngineError::Busy => StatusCode::SERVICE_UNAVAILABLE,
                EngineError::Store(StoreError::Unavailable(_) | StoreError::Retry | StoreError::Moved(_)) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                EngineError::Provider(_) => StatusCode::BAD_GATEWAY,
                EngineError::Store(_) | EngineError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Kind::SlotTaken { .. } => StatusCode::CONFLICT,
            Kind::Malformed(_) | Kind::MalformedJson(_) | Kind::MissingHeader(_) | Kind::BodyUnreadable => {
                StatusCode::BAD_REQUEST
            }
            Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::UnknownAddress => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::OriginNotAllowed { .. } | Kind::CrossSite | Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Kind::TookTooLong => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Panic(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable name for programs, and the catalogue key of the sentence for people.
    fn code_and_key(&self) -> (&'static str, &'static str) {
        match self.kind() {
            Kind::Engine(error) => (error.code(), error.key()),
            Kind::SlotTaken { .. } => (EngineError::SlotTaken.code(), EngineError::SlotTaken.key()),
            Kind::Malformed(_) => ("malformed-query", "error.malformed_query"),
            Kind::MalformedJson(_) => ("malformed-json", "error.malformed_json"),
            Kind::MissingHeader(_) => ("missing-header", "error.missing_header"),
            Kind::UnsupportedMediaType => ("unsupported-media-type", "error.unsupported_media_type"),
            Kind::BodyTooLarge { .. } => ("body-too-large", "error.body_too_large"),
            Kind::BodyUnreadable => ("body-unreadable", "error.body_unreadable"),
            Kind::UnknownAddress => ("unknown-address", "error.unknown_address"),
            Kind::MethodNotAllowed => ("method-not-allowed", "error.method_not_allowed"),
            Kind::OriginNotAllowed { .. } => ("origin-not-allowed", "error.origin_not_allowed"),
            Kind::CrossSite => ("cross-site", "error.cross_site"),
            Kind::RateLimited { .. } => ("rate-limited", "error.rate_limited"),
            Kind::TookTooLong => (EngineError::Busy.code(), EngineError::Busy.key()),
            Kind::Forbidden => (EngineError::Forbidden.code(), EngineError::Forbidden.key()),
            Kind::Panic(_) => ("internal", "error.internal"),
        }
    }

    /// The sentence for people.
    #[must_use]
    pub fn sentence(&self, locale: Locale) -> String {
        let (_, key) = self.code_and_key();
        match self.kind() {
            Kind::Engine(EngineError::RangeTooLong { max_days }) => text::format(locale, key, &[("max", max_days)]),
            Kind::MissingHeader(name) => text::format(locale, key, &[("header", name)]),
            Kind::BodyTooLarge { limit } => text::format(locale, key, &[("max", limit)]),
            Kind::OriginNotAllowed { origin } => text::format(locale, key, &[("origin", origin)]),
            Kind::RateLimited { seconds } => text::format(locale, key, &[("seconds", seconds)]),
            _ => text::lookup(locale, key).to_owned(),
        }
    }

    /// The refused fields with a sentence each.
    #[must_use]
    pub fn fields(&self, locale: Locale) -> Vec<(String, String)> {
        let (Kind::Engine(EngineError::Invalid(errors)) | Kind::Malformed(errors)) = self.kind() else {
            return Vec::new();
        };
        errors.0.iter().map(|it| (it.field.to_string(), text::problem(locale, &it.problem))).collect()
    }

    /// The problem document.
    #[must_use]
    pub fn problem(&self, locale: Locale) -> Problem {
        let (code, _) = self.code_and_key();
        let errors: Vec<ProblemField> =
            self.fields(locale).into_iter().map(|(field, detail)| ProblemField { field, detail }).collect();
        let detail = match self.kind() {
            Kind::MalformedJson(reason) => Some(reason.clone()),
            _ => errors.first().map(|first| first.detail.clone()),
        };
        let slots = match self.kind() {
            Kind::SlotTaken { slots } => Some(slots.clone()),
            _ => None,
        };
        Problem {
            kind: format!("urn:cupo:problem:{code}"),
            code: code.to_owned(),
            title: self.sentence(locale),
            status: self.status().as_u16(),
            detail,
            errors,
            slots,
        }
    }

    /// The whole answer for a program.
    #[must_use]
    pub fn to_problem_response(&self, locale: Locale) -> Response {
        let body = serde_json::to_vec(&self.problem(locale)).expect("a problem has string keys only");
        let mut response = (self.status(), body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.finish(&mut response);
        response
    }

    fn to_page_response(&self, state: &AppState, language: LanguageTag) -> Response {
        let sentence = self.sentence(language.locale());
        let mut response = pages::message(state, language, self.status(), &sentence);
        self.finish(&mut response);
        response
    }

    fn to_dashboard_response(&self, locale: Locale) -> Response {
        let (code, _) = self.code_and_key();
        let error = AppError { code: code.to_owned(), message: self.sentence(locale), ..AppError::default() };
        let mut response = (self.status(), axum::Json(error)).into_response();
        self.finish(&mut response);
        response
    }

    fn finish(&self, response: &mut Response) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }

    /// After how many seconds the same request may well be answered.
    fn retry_after(&self) -> Option<u64> {
        match self.kind() {
            Kind::RateLimited { seconds } => Some(*seconds),
            Kind::TookTooLong => Some(SLOW),
            Kind::Engine(EngineError::Busy | EngineError::Store(StoreError::Unavailable(_) | StoreError::Retry)) => {
                Some(BUSY)
            }
            _ => None,
        }
    }

    /// Logs what the reader cannot mend.
    pub fn log(&self) {
        if !self.status().is_server_error() {
            return;
        }
        match self.kind() {
            Kind::Panic(message) => tracing::error!(message, "a handler panicked"),
            // A flood is told by its count.
            Kind::Engine(error @ EngineError::Busy) => tracing::debug!(%error, "a request was put off"),
            Kind::Engine(error) => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::error!(%error, cause, "a request failed");
            }
            other => tracing::error!(?other, "a request failed"),
        }
    }
}

/// Who reads an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A person in a browser.
    Person,
    /// The dashboard's script, which knows one error type.
    Dashboard,
    /// Any other program.
    Program,
}

/// Turns a [`Failure`] that a handler or another layer left in its response into an answer that can be read.
pub async fn tell(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let reader = reader(&request);
    let language = language::tag_of_request(request.headers(), request.uri());
    let locale = language.locale();
    let mut response = next.run(request).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    failure.log();
    let mut told = match reader {
        Reader::Person => failure.to_page_response(&state, language),
        Reader::Dashboard => failure.to_dashboard_response(locale.dashboard()),
        Reader::Program => failure.to_problem_response(locale),
    };
    // What other layers have already said of this answer stays: CORS, policies, which methods an address knows.
    for (name, value) in response.headers() {
        if !told.headers().contains_key(name) {
            told.headers_mut().insert(name, value.clone());
        }
    }
    told
}

fn reader<B>(request: &axum::http::Request<B>) -> Reader {
    let path = request.uri().path();
    let is_for_programs = ["/embed/", "/api/", "/webhooks/", "/assets/"].iter().any(|prefix| path.starts_with(prefix));
    let accepted = request.headers().get(ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or("");
    if is_for_programs {
        Reader::Program
    } else if accepted.contains("text/html") {
        Reader::Person
    } else if path.starts_with(SERVER_FUNCTIONS) {
        Reader::Dashboard
    } else {
        Reader::Program
    }
}

/// Handler for addresses that do not exist.
pub async fn unknown_address() -> Failure {
    Kind::UnknownAddress.into()
}

/// Handler for methods that an address does not know.
pub async fn method_not_allowed() -> Failure {
    Kind::MethodNotAllowed.into()
}

/// The answer to a panic, for `CatchPanicLayer`.
pub fn panicked(panic: Box<dyn Any + Send>) -> axum::http::Response<Body> {
    Failure::from_panic(panic).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_database_is_no_internal_failure_and_tells_when_to_ask_again() {
        let busy = [StoreError::Retry, StoreError::Unavailable("gone".to_owned())];
        for failure in busy.map(|error| Failure::from(EngineError::Store(error))) {
            let answer = failure.to_problem_response(Locale::En);
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers()[RETRY_AFTER], "1");
            assert_eq!(failure.problem(Locale::En).code, "unavailable");
        }
    }
}
