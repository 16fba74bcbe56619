//! Work that failed for good.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Everything that the page of failed work shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedJobsView {
    /// The failed work, the latest first.
    pub jobs: Vec<FailedJobView>,
    /// The zone of their times.
    pub time_zone: String,
}

/// Work that failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedJobView {
    /// Its id.
    pub id: String,
    /// What it was to do, in words.
    pub what: String,
    /// To which appointment, calendar or account, in words; empty where that is not there any more.
    pub about: String,
    /// Where that is shown.
    pub href: Option<String>,
    /// When it was given up, and how often it was tried, in words.
    pub given_up: String,
    /// Why, as it was told.
    pub why: String,
}

/// The organization's failed work.
#[server(prefix = "/dashboard/api", endpoint = "failed_jobs")]
pub async fn failed_jobs() -> Result<FailedJobsView, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let failed = answer(engine.failed_jobs(&principal).await)?;
    let tz = super::request::zone(&engine, &principal).await?;
    Ok(FailedJobsView {
        jobs: failed.into_iter().map(|job| view::of(job, tz)).collect(),
        time_zone: crate::time::zone(tz, engine.now()),
    })
}

/// Lets failed work begin anew.
#[server(prefix = "/dashboard/api", endpoint = "failed_job_retry")]
pub async fn failed_job_retry(id: String) -> Result<(), AppError> {
    use super::request::{self, answer, done, host};
    let (engine, principal) = host()?;
    let id: cupo_core::ids::JobId = request::id(&id, "failed work")?;
    answer(engine.failed_job_retry(&principal, &id).await)?;
    done("/dashboard/failed-jobs", "job_retried");
    Ok(())
}

/// Lets all failed work begin anew.
#[server(prefix = "/dashboard/api", endpoint = "failed_jobs_retry")]
pub async fn failed_jobs_retry() -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    answer(engine.failed_jobs_retry(&principal).await)?;
    done("/dashboard/failed-jobs", "job_retried");
    Ok(())
}

/// Forgets failed work.
#[server(prefix = "/dashboard/api", endpoint = "failed_job_discard")]
pub async fn failed_job_discard(id: String) -> Result<(), AppError> {
    use super::request::{self, answer, done, host};
    let (engine, principal) = host()?;
    let id: cupo_core::ids::JobId = request::id(&id, "failed work")?;
    answer(engine.failed_job_discard(&principal, &id).await)?;
    done("/dashboard/failed-jobs", "job_discarded");
    Ok(())
}

#[cfg(feature = "ssr")]
mod view {
    use chrono_tz::Tz;
    use cupo_engine::{FailedJob, FailedWork};

    use super::FailedJobView;
    use crate::text::{locale, t, text_of, tf};
    use crate::time;

    pub(super) fn of(job: FailedJob, tz: Tz) -> FailedJobView {
        let calendars = || Some("/dashboard/calendars".to_owned());
        let (about, href) = match &job.work {
            FailedWork::Appointment { id, title, visitor, start_at } => {
                let when = time::instant(*start_at, tz, locale());
                (format!("{title} · {visitor} · {when}"), Some(format!("/dashboard/appointments/{id}")))
            }
            FailedWork::Calendar(name) => (name.clone(), calendars()),
            FailedWork::Account(name) => (name.clone(), None),
            FailedWork::HolidayCalendar(name) => (name.clone(), Some("/dashboard/availability".to_owned())),
            FailedWork::Gone => (String::new(), None),
        };
        let at = time::instant(job.given_up_at, tz, locale());
        let given_up = match job.attempts {
            0 | 1 => tf("dashboard.failed_given_up_once", &[("at", &at)]),
            count => tf("dashboard.failed_given_up", &[("at", &at), ("count", &count)]),
        };
        let why = if job.why.is_empty() { t("dashboard.failed_why_unknown").to_owned() } else { job.why };
        let what = text_of("dashboard.job_", &job.kind);
        let what = what.unwrap_or_else(|| tf("dashboard.failed_other", &[("kind", &job.kind)]));
        FailedJobView { id: job.id.to_string(), what, about, href, given_up, why }
    }
}
