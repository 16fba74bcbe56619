//! The one place that talks to providers.

use std::sync::Arc;
use std::time::Duration;

use crate::error::ProviderError;

/// How the transport behaves.
#[derive(Debug, Clone)]
pub struct TransportConfig {
    pub connect_timeout: Duration,
    /// From the first byte sent to the last byte read, for one attempt.
    pub total_timeout: Duration,
    pub max_response_bytes: usize,
    pub max_concurrent_per_mailbox: usize,
    /// Repetitions of an idempotent request after its first attempt.
    pub max_retries: u32,
    pub user_agent: String,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(10),
            max_response_bytes: 32 * 1024 * 1024,
            max_concurrent_per_mailbox: 4,
            max_retries: 2,
            user_agent: concat!("Cupo/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The HTTP client of every adapter. Cheap to clone; one per process, so that the limits hold.
#[derive(Debug, Clone)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {}

impl Transport {
    /// Fails when TLS cannot be set up.
    pub fn new(config: TransportConfig) -> Result<Self, ProviderError> {
        todo!()
    }
}
