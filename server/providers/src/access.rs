//! How the calls of an account are authorized, and which mailbox they are about.

use std::sync::Arc;

use chrono_tz::Tz;
use url::Url;

use crate::secret::Secret;

/// What an adapter needs to act for one account: never stored, made anew from the sealed row of the account.
#[derive(Debug, Clone)]
pub struct Access {
    account: Arc<str>,
    authorization: Authorization,
    target: Target,
    time_zone: Option<Tz>,
}

/// What a request says of who sends it.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// Nothing: the address of a calendar feed is its own secret.
    Anonymous,
    /// An access token (RFC 6750).
    Bearer(Secret),
    /// A user name and a password or app password (RFC 7617).
    Basic { username: Arc<str>, password: Secret },
}

/// Whose calendars are meant.
#[derive(Debug, Clone)]
pub enum Target {
    /// Those of the user who consented, or whom a service account impersonates.
    Own,
    /// Those of the owner of a personal Microsoft account, which knows neither `getSchedule` nor Teams.
    Personal,
    /// Those of the mailbox with this address, by application access.
    Mailbox(Arc<str>),
    /// Those below this calendar home (RFC 4791 §6.2.1).
    Home(Url),
    /// The calendar in this file. Whoever knows the address may read it.
    Feed(Secret),
}

impl Access {
    /// `account` groups the calls that share a provider's limits: the id of the `CalendarProviderAccount`, not an address.
    pub fn bearer(account: impl Into<Arc<str>>, access_token: Secret) -> Self {
        Self::new(account.into(), Authorization::Bearer(access_token), Target::Own)
    }

    /// A CalDAV account.
    pub fn basic(account: impl Into<Arc<str>>, home: Url, username: impl Into<Arc<str>>, password: Secret) -> Self {
        let authorization = Authorization::Basic { username: username.into(), password };
        Self::new(account.into(), authorization, Target::Home(home))
    }

    /// A calendar feed.
    pub fn feed(account: impl Into<Arc<str>>, address: Secret) -> Self {
        Self::new(account.into(), Authorization::Anonymous, Target::Feed(address))
    }

    fn new(account: Arc<str>, authorization: Authorization, target: Target) -> Self {
        Self { account, authorization, target, time_zone: None }
    }

    /// The same authorization, about other calendars.
    #[must_use]
    pub fn to(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// The same, with the zone of the host: in it are read the all-day events, and those of a floating time, of a calendar
    /// that tells no zone of its own.
    #[must_use]
    pub fn in_zone(self, time_zone: Tz) -> Self {
        Self { time_zone: Some(time_zone), ..self }
    }

    pub fn account(&self) -> &Arc<str> {
        &self.account
    }

    pub fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    pub fn time_zone(&self) -> Option<Tz> {
        self.time_zone
    }

    /// The access token, where there is one.
    pub fn token(&self) -> Option<&Secret> {
        match &self.authorization {
            Authorization::Bearer(token) => Some(token),
            Authorization::Anonymous | Authorization::Basic { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_account_is_printed() {
        let home = Url::parse("https://dav.example/ana/").unwrap();
        for access in [
            Access::bearer("account", Secret::new("very-secret")),
            Access::basic("account", home, "ana", Secret::new("very-secret")),
            Access::feed("account", Secret::new("https://example.com/very-secret.ics")),
        ] {
            assert!(!format!("{access:?}").contains("very-secret"));
        }
    }
}
