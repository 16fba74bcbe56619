//! Where chance comes from: ids, tokens, nonces and jitter.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use rand::{TryRngCore, rngs::OsRng};

/// A cryptographically strong source of bytes.
pub trait RandomSource: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl RandomSource for OsRandom {
    fn fill(&self, buffer: &mut [u8]) {
        OsRng
            .try_fill_bytes(buffer)
            .expect("without the system's random source no secret can be made, so stopping is right");
    }
}

/// What the engine makes out of a random source.
pub(crate) trait RandomSourceExt {
    /// A UUIDv7 (RFC 9562): time-ordered, so that new rows stand side by side in an index.
    fn uuid(&self, now: DateTime<Utc>) -> String;
    /// A bearer secret of 256 bits, base64url.
    fn token(&self) -> String;
    /// Between half of `span` and the whole of it.
    fn jittered(&self, span: Duration) -> Duration;
}

impl RandomSourceExt for dyn RandomSource + '_ {
    fn uuid(&self, now: DateTime<Utc>) -> String {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().hyphenated().to_string()
    }

    fn token(&self) -> String {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn jittered(&self, span: Duration) -> Duration {
        let mut bytes = [0; 2];
        self.fill(&mut bytes);
        span.mul_f64(0.5 + f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX) / 2.0)
    }
}
