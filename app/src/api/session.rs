//! Signing up, in and out; the language.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// What the frame of the dashboard shows of the signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// The organization's name.
    pub organization: String,
    /// Whether the user looks after the whole organization.
    pub is_admin: bool,
    /// How many appointments wait for an answer: a number, or `50+`; empty for none.
    pub pending: String,
    /// How much work of the organization failed for good; none for who does not look after it.
    pub failed_jobs: u64,
}

/// The form of the sign-in page.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    /// The user's e-mail address.
    pub email: String,
    /// The user's password.
    pub password: String,
}

/// The form of the sign-up page.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SignUpForm {
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// At least as long as the engine asks for.
    pub password: String,
    /// The organization's name.
    pub organization_name: String,
    /// The first part of every public address; made from the name when empty.
    pub organization_slug: String,
    /// The host's zone.
    pub time_zone: String,
}

impl fmt::Debug for SignInForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInForm").finish_non_exhaustive()
    }
}

impl fmt::Debug for SignUpForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUpForm").field("organization_slug", &self.organization_slug).finish_non_exhaustive()
    }
}

/// What the sign-up page has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUpOptions {
    /// Whether strangers may sign up.
    pub is_open: bool,
    /// The fewest characters of a password.
    pub min_password: usize,
    /// Every zone that can be chosen.
    pub time_zones: Vec<String>,
}

/// The signed-in user; an error leads to the sign-in page.
#[server(prefix = "/dashboard/api", endpoint = "session")]
pub async fn session() -> Result<SessionView, AppError> {
    use super::request::{answer, host};
    use cupo_store::{AppointmentFilter, Role};

    let (engine, principal) = host()?;
    let pending = answer(engine.appointments(&principal, AppointmentFilter::Pending, None).await)?;
    let failed_jobs = answer(engine.failed_job_count(&principal).await)?;
    let more = if pending.next.is_some() { "+" } else { "" };
    Ok(SessionView {
        pending: match pending.items.len() {
            0 => String::new(),
            count => format!("{count}{more}"),
        },
        failed_jobs,
        is_admin: principal.role != Role::Host,
        name: principal.name.to_string(),
        email: principal.email.to_string(),
        organization: principal.organization_name,
    })
}

/// Whether somebody is signed in; never an error.
#[server(prefix = "/dashboard/api", endpoint = "is_signed_in")]
pub async fn is_signed_in() -> Result<bool, AppError> {
    Ok(super::request::request().principal.is_some())
}

/// What the sign-up page has to know.
#[server(prefix = "/dashboard/api", endpoint = "sign_up_page")]
pub async fn sign_up_page() -> Result<SignUpOptions, AppError> {
    Ok(SignUpOptions {
        is_open: super::request::engine().settings().sign_up_open,
        min_password: cupo_engine::passwords::MIN_LENGTH,
        time_zones: cupo_core::zone::TimeZoneName::all().map(str::to_owned).collect(),
    })
}

/// Starts a session and leads to the dashboard.
#[server(prefix = "/dashboard/api", endpoint = "sign_in")]
pub async fn sign_in(form: SignInForm) -> Result<(), AppError> {
    use super::request::{answer, engine};
    let signed_in = answer(engine().sign_in(&form.email, &form.password).await)
        .map_err(|error| error.with_typed(&[("email", &form.email)]))?;
    cookie::start(&signed_in);
    leptos_axum::redirect("/dashboard");
    Ok(())
}

/// Makes a user, an organization and a session, and leads to the dashboard.
#[server(prefix = "/dashboard/api", endpoint = "sign_up")]
pub async fn sign_up(form: SignUpForm) -> Result<(), AppError> {
    use super::request::{answer, engine, request};
    use crate::slug::slug_of;
    let slug = match form.organization_slug.trim() {
        "" => slug_of(&form.organization_name),
        typed => typed.to_owned(),
    };
    let typed = [
        ("name", form.name.as_str()),
        ("email", &form.email),
        ("organization_name", &form.organization_name),
        ("organization_slug", &form.organization_slug),
        ("time_zone", &form.time_zone),
    ];
    let signed_in = answer(
        engine()
            .sign_up(cupo_engine::SignUp {
                email: form.email.clone(),
                password: form.password.clone(),
                name: form.name.clone(),
                organization_name: form.organization_name.clone(),
                organization_slug: slug,
                time_zone: form.time_zone.clone(),
                locale: request().locale,
            })
            .await,
    )
    .map_err(|error| error.with_typed(&typed))?;
    cookie::start(&signed_in);
    leptos_axum::redirect("/dashboard");
    Ok(())
}

/// Ends the session, here and in the database.
#[server(prefix = "/dashboard/api", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    use super::request::{answer, engine, request};
    if let Some(token) = request().session_token {
        answer(engine().sign_out(&token).await)?;
    }
    cookie::end();
    leptos_axum::redirect("/sign-in");
    Ok(())
}

/// Keeps the language for this browser and, if somebody is signed in, for the user.
#[server(prefix = "/dashboard/api", endpoint = "set_language")]
pub async fn set_language(language: String) -> Result<(), AppError> {
    use super::request::{answer, engine, request};
    let Some(locale) = cupo_core::text::Locale::parse(&language).map(cupo_core::text::Locale::dashboard) else {
        return Ok(());
    };
    if let Some(principal) = request().principal {
        answer(engine().set_locale(&principal, locale).await)?;
    }
    cookie::keep_language(locale.as_str());
    Ok(())
}

#[cfg(feature = "ssr")]
mod cookie {
    use chrono::{DateTime, Utc};
    use cupo_engine::SignedIn;
    use http::{HeaderValue, header};
    use leptos::prelude::expect_context;
    use leptos_axum::ResponseOptions;

    use crate::context::{LANGUAGE_COOKIE, session_cookie};

    const YEAR_IN_SECONDS: u32 = 31_536_000;

    pub(super) fn start(signed_in: &SignedIn) {
        set(&session(signed_in.session_token.expose(), signed_in.expires_at));
    }

    pub(super) fn end() {
        set(&format!("{}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax", name()));
    }

    pub(super) fn keep_language(language: &str) {
        set(&format!("{LANGUAGE_COOKIE}={language}; Path=/; Max-Age={YEAR_IN_SECONDS}; Secure; SameSite=Lax"));
    }

    fn session(token: &str, expires_at: DateTime<Utc>) -> String {
        let expires = expires_at.format("%a, %d %b %Y %H:%M:%S GMT");
        format!("{}={token}; Path=/; Expires={expires}; HttpOnly; Secure; SameSite=Lax", name())
    }

    fn name() -> &'static str {
        session_cookie(crate::api::request::request().is_secure)
    }

    fn set(cookie: &str) {
        let value = HeaderValue::from_str(cookie).expect("a cookie of base64url and dates is a header value");
        expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, value);
    }
}
