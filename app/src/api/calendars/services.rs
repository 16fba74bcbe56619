//! The services behind accounts, by the names that people know them by.

use cupo_engine::AccountOverview;
use cupo_store::Provider;

use crate::text::t;

/// A service: the name of its icon, and its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) icon: &'static str,
    pub(crate) name: &'static str,
}

/// The service of an account. A CalDAV server is known by its host, or by the path that every Nextcloud has.
pub(crate) fn of(overview: &AccountOverview) -> Service {
    match overview.account.provider {
        Provider::Google => Service { icon: "google", name: "Google Calendar" },
        Provider::Outlook => Service { icon: "microsoft", name: "Microsoft 365" },
        Provider::Caldav => caldav(overview.server.as_deref().unwrap_or_default()),
        Provider::Ics => Service { icon: "feed", name: t("dashboard.service_feed") },
    }
}

fn caldav(server: &str) -> Service {
    let is_at = |domain: &str| server == domain || server.ends_with(&format!(".{domain}"));
    if is_at("icloud.com") {
        Service { icon: "icloud", name: "iCloud" }
    } else if is_at("fastmail.com") {
        Service { icon: "fastmail", name: "Fastmail" }
    } else {
        Service { icon: "caldav", name: "CalDAV" }
    }
}

/// The service of a kind of meeting, by its own name.
pub(crate) fn meeting_service(kind: &str) -> Option<&'static str> {
    match kind {
        "meet" => Some("Google Meet"),
        "teams" => Some("Microsoft Teams"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::caldav;

    #[test]
    fn a_server_is_known_by_its_domain_and_not_by_one_that_ends_like_it() {
        for (server, icon) in [
            ("caldav.icloud.com", "icloud"),
            ("p12-caldav.icloud.com", "icloud"),
            ("noticloud.com", "caldav"),
            ("caldav.fastmail.com", "fastmail"),
            ("cloud.example.org", "caldav"),
            ("", "caldav"),
        ] {
            assert_eq!(caldav(server).icon, icon, "{server}");
        }
    }
}
