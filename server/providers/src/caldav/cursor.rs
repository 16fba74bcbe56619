//! Where the next round of changes begins.

use cupo_core::interval::Interval;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::error::ProviderError;
use crate::provider::SyncCursor;

/// The window that the first round was about, and how far the calendar was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) window: Interval,
    pub(super) at: Position,
}

/// By what it is known whether anything has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Position {
    /// RFC 6578: the server tells what changed since.
    SyncToken(String),
    /// `getctag` of calendarserver.org: it is another one when anything has changed.
    Ctag(String),
    /// A digest of the addresses and etags in the window.
    Etags(String),
}

impl Cursor {
    /// A cursor that cannot be read is of no more use than one that the server has forgotten.
    pub(super) fn parse(cursor: &SyncCursor) -> Result<Self, ProviderError> {
        serde_json::from_str(cursor.as_str()).map_err(|_| ProviderError::CursorExpired)
    }

    pub(super) fn to_sync_cursor(&self) -> SyncCursor {
        SyncCursor::new(serde_json::to_string(self).expect("texts and instants are JSON"))
    }
}

/// Of what touches the window. A resource without an etag may have changed, so there is no digest with one.
pub(super) fn digest<'a>(resources: impl Iterator<Item = (&'a Url, Option<&'a str>)>) -> Option<String> {
    let mut lines = Vec::new();
    for (url, etag) in resources {
        lines.push(format!("{url} {}\n", etag?));
    }
    lines.sort_unstable();
    let digest = lines.iter().fold(Sha256::new(), |digest, line| digest.chain_update(line));
    Some(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Interval {
        Interval::new("2026-01-01T00:00:00Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_any_other_has_expired() {
        for at in
            [Position::SyncToken("http://x/1".into()), Position::Ctag("\"2\"".into()), Position::Etags("3".into())]
        {
            let cursor = Cursor { window: window(), at };
            assert_eq!(Cursor::parse(&cursor.to_sync_cursor()), Ok(cursor));
        }
        for other in ["", "CPDAlvWDx70CEPDAlvWDx70CGAU=", "{}", "[]"] {
            assert_eq!(Cursor::parse(&SyncCursor::new(other)), Err(ProviderError::CursorExpired), "{other}");
        }
    }

    #[test]
    fn a_digest_does_not_depend_on_the_order_and_needs_every_etag() {
        let (a, b) = (Url::parse("https://x.example/a").unwrap(), Url::parse("https://x.example/b").unwrap());
        let of = |list: &[(&Url, Option<&'static str>)]| digest(list.iter().copied());
        assert_eq!(of(&[(&a, Some("1")), (&b, Some("2"))]), of(&[(&b, Some("2")), (&a, Some("1"))]));
        assert_ne!(of(&[(&a, Some("1"))]), of(&[(&a, Some("2"))]));
        assert_ne!(of(&[(&a, Some("1"))]), of(&[(&b, Some("1"))]));
        assert_eq!(of(&[(&a, None)]), None);
        assert!(of(&[]).is_some());
    }
}
