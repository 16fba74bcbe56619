//! Whether an account works, step by step: what its provider answers now, without changing anything there.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use cupo_core::{ids::AccountId, interval::Interval};
use cupo_providers::{Access, CalendarProvider, ProviderError, SyncCursor};
use cupo_store::{
    Calendar, CalendarProviderAccount, account_get, calendar_list_by_account, subscription_list_by_calendar,
};
use tokio::time::Instant;

use super::own_account;
use crate::{Engine, EngineError, Principal, access::Patience};

/// How long one step may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What a test of an account found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTest {
    /// In the order in which they were made; what needs a failed one is left out.
    pub steps: Vec<TestStep>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestStep {
    /// What.
    pub what: TestWhat,
    /// The name of the calendar, where it is about one.
    pub calendar: Option<String>,
    /// What did not work, by a stable code: one of [`AccountCondition`](super::AccountCondition), `consent_needed`,
    /// `operator_needed`, `throttled`, `transient`, `not_found`, `rejected`, `timeout`, `no_webhook`, `no_channel`, a
    /// provider's own reason for not telling busy time, or one of [`EngineError::code`] with underscores.
    pub outcome: Result<(), String>,
    /// How long it took.
    pub took: Duration,
}

/// What a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TestWhat {
    /// The account is let in.
    Token,
    /// Its calendars are listed.
    Calendars,
    /// A calendar in use is still there.
    Calendar,
    /// The busy time of a calendar in use is told.
    FreeBusy,
    /// The changes of a calendar in use are told.
    Changes,
    /// There is a channel by which the changes of a calendar in use are told at once.
    Notifications,
}

impl TestWhat {
    /// Every step, in the order in which they are made.
    pub const ALL: [Self; 6] =
        [Self::Token, Self::Calendars, Self::Calendar, Self::FreeBusy, Self::Changes, Self::Notifications];

    /// A stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Calendars => "calendars",
            Self::Calendar => "calendar",
            Self::FreeBusy => "free_busy",
            Self::Changes => "changes",
            Self::Notifications => "notifications",
        }
    }
}

impl Engine {
    /// Tries what an account is needed for. One that waits for somebody is asked too, and goes on when it works again.
    pub async fn account_test(&self, principal: &Principal, id: &AccountId) -> Result<AccountTest, EngineError> {
        let (account, used) = {
            let tx = &mut self.0.store.read().await?;
            let account = own_account(principal, account_get(tx, &principal.organization_id, id).await?)?;
            let mut used = Vec::new();
            for calendar in calendar_list_by_account(tx, &principal.organization_id, id).await? {
                if self.is_in_use(tx, &calendar).await? {
                    used.push(calendar);
                }
            }
            (account, used)
        };
        let mut steps = Vec::new();
        let provider = self.provider(account.provider);
        let asked = Instant::now();
        let listed =
            self.asked(&account, |provider, access| async move { provider.list_calendars(&access).await }).await;
        let took = asked.elapsed();
        let step = |what, calendar: Option<&Calendar>, outcome, took| TestStep {
            what,
            calendar: calendar.map(|calendar| calendar.name.clone()),
            outcome,
            took,
        };
        let listed = match listed {
            Ok(listed) => listed,
            Err(Failed { code, is_about_access }) => {
                if is_about_access {
                    steps.push(step(TestWhat::Token, None, Err(code), took));
                } else {
                    steps.push(step(TestWhat::Calendars, None, Err(code), took));
                }
                return Ok(AccountTest { steps });
            }
        };
        // The list is the first that an account is let in to see.
        steps.push(step(TestWhat::Token, None, Ok(()), took));
        steps.push(step(TestWhat::Calendars, None, Ok(()), took));
        for calendar in &used {
            if !listed.iter().any(|listed| listed.id == calendar.external_id) {
                let gone = Err("not_found".to_owned());
                steps.push(step(TestWhat::Calendar, Some(calendar), gone, Duration::ZERO));
            }
        }
        let used: Vec<_> =
            used.iter().filter(|used| listed.iter().any(|listed| listed.id == used.external_id)).collect();
        steps.extend(self.test_free_busy(&account, &used).await);
        for calendar in &used {
            let asked = Instant::now();
            let outcome = self.test_changes(&account, calendar).await;
            steps.push(step(TestWhat::Changes, Some(calendar), outcome, asked.elapsed()));
        }
        if provider.has_notifications() {
            for calendar in &used {
                let outcome = self.test_channel(calendar, &account).await?;
                steps.push(step(TestWhat::Notifications, Some(calendar), outcome, Duration::ZERO));
            }
        }
        Ok(AccountTest { steps })
    }

    async fn test_free_busy(&self, account: &CalendarProviderAccount, used: &[&Calendar]) -> Vec<TestStep> {
        let ids: Vec<&str> = used.iter().map(|calendar| calendar.external_id.as_str()).collect();
        let (ids, now) = (&ids, self.now());
        if ids.is_empty() {
            return Vec::new();
        }
        let range = Interval { start: now, end: now + TimeDelta::days(1) };
        let asked = Instant::now();
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.free_busy(&access, ids, range).await
        };
        let answer = self.asked(account, call).await;
        let took = asked.elapsed();
        let of = |calendar: &&&Calendar| -> Result<(), String> {
            let answer = answer.as_ref().map_err(|failed| failed.code.clone())?;
            match answer.iter().find(|answer| answer.calendar == calendar.external_id).map(|answer| &answer.busy) {
                Some(Ok(_)) => Ok(()),
                Some(Err(problem)) if problem.reason == "notFound" => Err("not_found".to_owned()),
                Some(Err(problem)) => Err(problem.reason.clone()),
                None => Err("not_found".to_owned()),
            }
        };
        let step = |calendar: &&Calendar| TestStep {
            what: TestWhat::FreeBusy,
            calendar: Some(calendar.name.clone()),
            outcome: of(&calendar),
            took,
        };
        used.iter().map(step).collect()
    }

    /// Reads what a pull would, and drops it.
    async fn test_changes(&self, account: &CalendarProviderAccount, calendar: &Calendar) -> Result<(), String> {
        let external_id = calendar.external_id.as_str();
        let cursor = calendar.sync_cursor.as_deref().map(SyncCursor::new);
        let now = self.now();
        // Without a cursor, a day of it shows that it can be read.
        let window = Interval { start: now, end: now + TimeDelta::days(1) };
        let cursor = cursor.as_ref();
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            match provider.changes(&access, external_id, cursor, window).await {
                // A full round follows.
                Ok(_) | Err(ProviderError::CursorExpired) => Ok(()),
                Err(error) => Err(error),
            }
        };
        self.asked(account, call).await.map_err(|failed| failed.code)
    }

    async fn test_channel(
        &self,
        calendar: &Calendar,
        account: &CalendarProviderAccount,
    ) -> Result<Result<(), String>, EngineError> {
        if self.0.settings.webhook_url(account.provider).is_none() {
            return Ok(Err("no_webhook".to_owned()));
        }
        let tx = &mut self.0.store.read().await?;
        let channels = subscription_list_by_calendar(tx, &calendar.organization_id, &calendar.id).await?;
        let is_open = channels.iter().any(|channel| channel.expires_at > self.now());
        Ok(if is_open { Ok(()) } else { Err("no_channel".to_owned()) })
    }

    async fn asked<T, F, Called>(&self, account: &CalendarProviderAccount, call: F) -> Result<T, Failed>
    where
        F: Fn(Arc<dyn CalendarProvider>, Access) -> Called,
        Called: Future<Output = Result<T, ProviderError>>,
    {
        let called = self.call_provider_with(Patience::Asks, &account.organization_id, &account.id, call);
        match tokio::time::timeout(TIMEOUT, called).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Failed::of(&error)),
            Err(_) => Err(Failed { code: "timeout".to_owned(), is_about_access: false }),
        }
    }
}

struct Failed {
    code: String,
    /// Whether nothing else can be tried.
    is_about_access: bool,
}

impl Failed {
    fn of(error: &EngineError) -> Self {
        let (code, is_about_access) = match error {
            EngineError::ReconnectNeeded(code) => (code.as_str(), true),
            EngineError::ConsentNeeded(_) => ("consent_needed", true),
            EngineError::OperatorNeeded(_) => ("operator_needed", true),
            EngineError::NotConfigured(_) => ("not_configured", true),
            EngineError::Provider(ProviderError::Throttled(_)) => ("throttled", false),
            EngineError::Provider(ProviderError::Transient(_)) => ("transient", false),
            EngineError::Provider(ProviderError::NotFound) => ("not_found", false),
            EngineError::Provider(ProviderError::Rejected(_)) => ("rejected", false),
            other => (other.code(), false),
        };
        Self { code: code.replace('-', "_"), is_about_access }
    }
}
