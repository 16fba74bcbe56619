//! An account in words: what it is, how it fares, what helps.

use chrono::{DateTime, Utc};
use cupo_engine::{AccountCondition, AccountOverview};
use cupo_store::{AuthKind, Provider};

use super::{AccountView, Remedy, Tone, calendar_view, services};
use crate::text::{locale, t, text_of, tf};
use crate::time;

/// When an account is looked at, and by whom.
pub(super) struct Situation<'a> {
    pub(super) now: DateTime<Utc>,
    /// Whether who looks looks after the whole organization.
    pub(super) is_admin: bool,
    /// Where an administrator at Microsoft allows Cupo for everybody.
    pub(super) consent_url: Option<&'a str>,
}

pub(super) fn account(overview: &AccountOverview, situation: &Situation<'_>) -> AccountView {
    let now = situation.now;
    let service = services::of(overview);
    let AccountOverview { account, calendars, condition, last_sync_at, next_sync_at, next_renewal_at, .. } = overview;
    let last = match last_sync_at {
        Some(at) => time::ago(*at, now, locale()),
        None => t("dashboard.not_yet").to_owned(),
    };
    let ahead = |key: &'static str, at| tf(key, &[("when", &time::ahead(at, now, locale()))]);
    // What is told by notices is not read at fixed times.
    let next = match (condition, next_sync_at, next_renewal_at) {
        (AccountCondition::Live, _, Some(at)) => Some(ahead("dashboard.next_renewal", *at)),
        (_, Some(at), _) => Some(ahead("dashboard.next_sync", *at)),
        _ => None,
    };
    AccountView {
        id: account.id.to_string(),
        service: service.icon.to_owned(),
        service_name: service.name.to_owned(),
        who: account.email.clone(),
        through: through(overview),
        may: may(account.provider, account.auth_kind, &account.scopes),
        condition: badge(condition).to_owned(),
        state: state(condition, service.name, now),
        tone: tone(condition),
        last,
        next,
        remedy: remedy(overview, situation),
        calendars: calendars.iter().cloned().map(|entry| calendar_view::calendar(entry, now)).collect(),
    }
}

/// Through what it is reached, where that is not its own sign-in.
fn through(overview: &AccountOverview) -> Option<String> {
    let credential = overview.credential_name.as_ref().map(|name| tf("dashboard.through", &[("name", name)]));
    credential.or_else(|| overview.server.clone())
}

/// What the account lets Cupo do.
fn may(provider: Provider, auth_kind: AuthKind, scopes: &[String]) -> String {
    let has = |name: &str| {
        let granted =
            scopes.iter().any(|scope| scope.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name)));
        // What an administrator gave is tried before it is stored, and is always the whole.
        granted || auth_kind != AuthKind::UserOauth
    };
    let (events, busy) = (t("dashboard.may_events"), t("dashboard.may_busy"));
    let parts: Vec<&str> = match provider {
        Provider::Google => [
            ("calendar.events", events),
            ("calendar.freebusy", busy),
            ("calendar.calendarlist.readonly", t("dashboard.may_list")),
        ]
        .into_iter()
        .filter_map(|(scope, text)| has(scope).then_some(text))
        .collect(),
        Provider::Outlook if has("Calendars.ReadWrite") => vec![events, busy],
        Provider::Outlook => Vec::new(),
        Provider::Caldav => vec![events],
        Provider::Ics => vec![t("dashboard.may_read")],
    };
    if parts.is_empty() { t("dashboard.may_nothing").to_owned() } else { parts.join(", ") }
}

fn badge(condition: &AccountCondition) -> &'static str {
    match condition {
        AccountCondition::Live | AccountCondition::Polled => t("dashboard.condition_good"),
        AccountCondition::Unused => t("dashboard.condition_unused"),
        AccountCondition::Behind { .. } => t("dashboard.condition_behind"),
        AccountCondition::Stale { .. } => t("dashboard.condition_stale"),
        AccountCondition::ReconnectNeeded { .. } => t("dashboard.condition_reconnect"),
        AccountCondition::ConsentNeeded | AccountCondition::OperatorNeeded => t("dashboard.condition_waiting"),
    }
}

fn tone(condition: &AccountCondition) -> Tone {
    match condition {
        AccountCondition::Live | AccountCondition::Polled | AccountCondition::Unused => Tone::Good,
        AccountCondition::Behind { .. } | AccountCondition::ConsentNeeded | AccountCondition::OperatorNeeded => {
            Tone::Waiting
        }
        AccountCondition::ReconnectNeeded { .. } | AccountCondition::Stale { .. } => Tone::Wrong,
    }
}

fn state(condition: &AccountCondition, service: &str, now: DateTime<Utc>) -> String {
    match condition {
        AccountCondition::Live => t("dashboard.account_live").to_owned(),
        AccountCondition::Polled => t("dashboard.account_polled").to_owned(),
        AccountCondition::Unused => t("dashboard.account_unused").to_owned(),
        AccountCondition::Behind { code } => calendar_view::problem(code),
        AccountCondition::Stale { code, read_at } => {
            let since = match read_at {
                Some(at) => tf("dashboard.account_stale_since", &[("ago", &time::ago(*at, now, locale()))]),
                None => t("dashboard.account_stale_never").to_owned(),
            };
            // That it has not been read for a while is said already.
            let why = (code != "late").then(|| calendar_view::problem(code));
            let parts = [Some(since), why, Some(t("dashboard.account_stale").to_owned())];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        AccountCondition::ReconnectNeeded { code } => reconnect(code, service),
        AccountCondition::ConsentNeeded => t("dashboard.account_consent").to_owned(),
        AccountCondition::OperatorNeeded => t("dashboard.account_operator").to_owned(),
    }
}

/// Why an account has to be connected again.
pub(in crate::api) fn reconnect(code: &str, service: &str) -> String {
    text_of("dashboard.reconnect_", code).unwrap_or_else(|| tf("dashboard.account_reconnect", &[("service", &service)]))
}

fn remedy(overview: &AccountOverview, situation: &Situation<'_>) -> Option<Remedy> {
    let account = &overview.account;
    let by_credential = matches!(account.auth_kind, AuthKind::ServiceAccount | AuthKind::Application);
    match &overview.condition {
        AccountCondition::ReconnectNeeded { .. } | AccountCondition::ConsentNeeded if by_credential => {
            Some(Remedy::Credential(situation.is_admin))
        }
        AccountCondition::ReconnectNeeded { .. } => match account.provider {
            Provider::Google | Provider::Outlook => sign_in(overview).map(Remedy::SignIn),
            Provider::Caldav => Some(Remedy::Password),
            Provider::Ics => Some(Remedy::ConnectAgain("/dashboard/calendars/connect/feed".to_owned())),
        },
        AccountCondition::ConsentNeeded => {
            let is_microsoft = account.provider == Provider::Outlook;
            let guide = if is_microsoft { "/docs/connecting-microsoft" } else { "/docs/connecting-google" };
            Some(Remedy::Consent {
                url: situation.consent_url.filter(|_| is_microsoft).map(str::to_owned),
                again: sign_in(overview),
                guide: guide.to_owned(),
            })
        }
        AccountCondition::OperatorNeeded => Some(Remedy::Operator),
        _ => None,
    }
}

/// Where the account signs in at its provider again.
fn sign_in(overview: &AccountOverview) -> Option<String> {
    let provider = match overview.account.provider {
        Provider::Google => "google",
        Provider::Outlook => "microsoft",
        Provider::Caldav | Provider::Ics => return None,
    };
    Some(format!("/oauth/{provider}/start?account={}", overview.account.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_a_host_unticked_is_not_told_as_allowed() {
        let granted = scopes(&["https://www.googleapis.com/auth/calendar.events"]);
        assert_eq!(may(Provider::Google, AuthKind::UserOauth, &granted), t("dashboard.may_events"));
        assert_eq!(may(Provider::Outlook, AuthKind::UserOauth, &[]), t("dashboard.may_nothing"));
    }

    #[test]
    fn microsoft_names_its_scopes_with_and_without_their_address() {
        for name in ["Calendars.ReadWrite", "https://graph.microsoft.com/Calendars.ReadWrite", "calendars.readwrite"] {
            let told = may(Provider::Outlook, AuthKind::UserOauth, &scopes(&[name]));
            assert!(told.contains(t("dashboard.may_events")) && told.contains(t("dashboard.may_busy")), "{name}");
        }
    }

    #[test]
    fn a_feed_is_only_read() {
        assert_eq!(may(Provider::Ics, AuthKind::Password, &[]), t("dashboard.may_read"));
    }

    #[test]
    fn a_stale_account_tells_since_when_why_and_what_helps() {
        let now: DateTime<Utc> = "2026-11-23T10:00:00Z".parse().unwrap();
        let stale = |code: &str, read_at: Option<&str>| AccountCondition::Stale {
            code: code.to_owned(),
            read_at: read_at.map(|at| at.parse().unwrap()),
        };
        let refused = state(&stale("provider-failed", Some("2026-11-23T07:00:00Z")), "Google", now);
        assert!(refused.contains(&time::ago(now - chrono::TimeDelta::hours(3), now, locale())), "{refused}");
        assert!(refused.contains(t("dashboard.trouble_provider_failed")), "{refused}");
        assert!(refused.ends_with(t("dashboard.account_stale")), "{refused}");
        let never = state(&stale("late", None), "Google", now);
        assert!(never.starts_with(t("dashboard.account_stale_never")), "{never}");
        assert!(!never.contains(t("dashboard.trouble_late")), "{never}");
        assert_eq!(badge(&stale("late", None)), t("dashboard.condition_stale"));
    }

    #[test]
    fn only_what_the_host_can_mend_is_told_as_the_hosts_turn() {
        assert_eq!(tone(&AccountCondition::ReconnectNeeded { code: String::new() }), Tone::Wrong);
        assert_eq!(tone(&AccountCondition::Stale { code: String::new(), read_at: None }), Tone::Wrong);
        for other in [AccountCondition::ConsentNeeded, AccountCondition::OperatorNeeded] {
            assert_eq!(tone(&other), Tone::Waiting);
        }
    }
}
