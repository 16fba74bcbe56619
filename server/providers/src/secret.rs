//! Values that must not be shown.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;

/// A text that has no `Display`, no `Serialize` and a redacted `Debug`.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that must send or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same text, in a time that does not tell where they differ.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}

/// A bearer token of one mailbox.
#[derive(Debug, Clone)]
pub struct AccessToken {
    mailbox: Arc<str>,
    secret: Secret,
}

impl AccessToken {
    /// `mailbox` groups the calls that share a provider's limit of concurrent requests: the id of the
    /// `CalendarProviderAccount`, not an address.
    pub fn new(mailbox: impl Into<Arc<str>>, secret: Secret) -> Self {
        Self { mailbox: mailbox.into(), secret }
    }

    pub fn mailbox(&self) -> &Arc<str> {
        &self.mailbox
    }

    pub fn expose(&self) -> &str {
        self.secret.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let token = AccessToken::new("account", Secret::new("ya29.very-secret"));
        assert!(!format!("{token:?}").contains("very-secret"));
    }

    #[test]
    fn a_secret_matches_only_itself() {
        let secret = Secret::new("abc");
        assert!(secret.matches("abc"));
        assert!(!secret.matches("abd"));
        assert!(!secret.matches("abcd"));
    }
}
