//! The first page of the dashboard: what comes next, what is still to be set up, what is wrong.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::appointments::AppointmentRow;
use crate::error::AppError;

/// Everything that the overview shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewView {
    /// The next appointments.
    pub next: Vec<AppointmentRow>,
    /// The zone of their times.
    pub time_zone: String,
    /// What is set up already.
    pub setup: SetupView,
    /// Address of the first public page.
    pub first_url: Option<String>,
    /// What is wrong.
    pub notices: Vec<NoticeView>,
}

/// The steps of the set-up and whether each is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupView {
    /// A calendar account is connected.
    pub calendar: bool,
    /// There is at least one bookable hour in the week.
    pub hours: bool,
    /// There is an event type.
    pub event_type: bool,
    /// A site is allowed to embed the widget.
    pub site: bool,
}

impl SetupView {
    /// Whether nothing is left to do.
    pub fn is_done(self) -> bool {
        self.calendar && self.hours && self.event_type && self.site
    }
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// A sentence.
    pub text: String,
    /// Where it can be mended, and the link's text.
    pub link: Option<(String, String)>,
}

/// The overview.
#[server(prefix = "/dashboard/api", endpoint = "overview")]
pub async fn overview() -> Result<OverviewView, AppError> {
    use super::request::{answer, host};
    use cupo_store::AppointmentFilter;

    const SHOWN: usize = 5;

    let (engine, principal) = host()?;
    let tz = super::request::zone(&engine, &principal).await?;
    let schedules = answer(engine.schedules(&principal).await)?;
    let accounts = answer(engine.accounts(&principal).await)?;
    let event_types = super::event_types::event_types().await?;
    let sites = answer(engine.sites(&principal).await)?;
    let failed = answer(engine.failed_job_count(&principal).await)?;
    let upcoming = answer(engine.appointments(&principal, AppointmentFilter::Upcoming, None).await)?;
    let pending = answer(engine.appointments(&principal, AppointmentFilter::Pending, None).await)?;
    Ok(OverviewView {
        next: upcoming
            .items
            .iter()
            .take(SHOWN)
            .map(|item| super::appointments::view::row(&item.appointment, tz))
            .collect(),
        time_zone: crate::time::zone(tz, engine.now()),
        setup: SetupView {
            calendar: accounts.iter().any(|overview| !overview.calendars.is_empty()),
            hours: schedules
                .iter()
                .flat_map(|overview| overview.schedule.weekly_hours.days())
                .any(|day| !day.is_empty()),
            event_type: !event_types.is_empty(),
            site: !sites.is_empty(),
        },
        first_url: event_types.iter().find(|event_type| event_type.is_active).map(|event_type| event_type.url.clone()),
        notices: notices::of(&engine, &principal, &accounts, failed, pending.items.len()),
    })
}

#[cfg(feature = "ssr")]
mod notices {
    use cupo_engine::{AccountCondition, AccountOverview, Engine, Principal};
    use cupo_store::{Provider, Role};

    use super::NoticeView;
    use crate::text::{t, tf};

    pub(super) fn of(
        engine: &Engine,
        principal: &Principal,
        accounts: &[AccountOverview],
        failed: u64,
        pending: usize,
    ) -> Vec<NoticeView> {
        let link = |path: &str, text: &str| Some((path.to_owned(), text.to_owned()));
        let waiting = match pending {
            0 => None,
            1 => Some(t("dashboard.notice_pending").to_owned()),
            count => Some(tf("dashboard.notice_pending_many", &[("count", &count)])),
        };
        let waiting = waiting.map(|text| NoticeView {
            text,
            link: link("/dashboard/appointments?filter=pending", t("dashboard.decide")),
        });
        let is_admin = principal.role != Role::Host;
        let of_accounts = accounts.iter().filter_map(|overview| account(overview, is_admin));
        let mut notices: Vec<_> = waiting.into_iter().chain(of_accounts).collect();
        if !engine.mail_configured() {
            notices.push(NoticeView { text: t("dashboard.notice_no_mail").to_owned(), link: None });
        }
        let failed = match failed {
            0 => None,
            1 => Some(t("dashboard.notice_failed_job").to_owned()),
            count => Some(tf("dashboard.notice_failed_jobs", &[("count", &count)])),
        };
        let look = || link("/dashboard/failed-jobs", t("dashboard.look"));
        notices.extend(failed.map(|text| NoticeView { text, link: look() }));
        notices
    }

    /// What is wrong with an account, and whose turn it is.
    fn account(overview: &AccountOverview, is_admin: bool) -> Option<NoticeView> {
        let args: &[(&str, &dyn std::fmt::Display)] = &[("account", &overview.account.email)];
        let place = || (format!("/dashboard/calendars#test-{}", overview.account.id), t("dashboard.look"));
        // Who looks after an organization often runs the server too.
        let guide = || match overview.account.provider {
            Provider::Google if is_admin => ("/docs/registering-google".to_owned(), t("dashboard.how_to")),
            Provider::Outlook if is_admin => ("/docs/registering-microsoft".to_owned(), t("dashboard.how_to")),
            _ => place(),
        };
        let (key, link) = match &overview.condition {
            AccountCondition::ReconnectNeeded { .. } => ("dashboard.notice_reconnect", place()),
            AccountCondition::ConsentNeeded => ("dashboard.notice_consent", place()),
            AccountCondition::OperatorNeeded => ("dashboard.notice_operator", guide()),
            AccountCondition::Behind { .. } => ("dashboard.notice_behind", place()),
            AccountCondition::Stale { .. } => ("dashboard.notice_stale", place()),
            AccountCondition::Live | AccountCondition::Polled | AccountCondition::Unused => return None,
        };
        let (href, text) = link;
        Some(NoticeView { text: tf(key, args), link: Some((href, text.to_owned())) })
    }
}
