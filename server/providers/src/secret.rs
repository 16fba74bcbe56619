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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", Secret::new("ya29.very-secret")).contains("very-secret"));
    }

    #[test]
    fn a_secret_matches_only_itself() {
        let secret = Secret::new("abc");
        assert!(secret.matches("abc"));
        assert!(!secret.matches("abd"));
        assert!(!secret.matches("abcd"));
    }
}
