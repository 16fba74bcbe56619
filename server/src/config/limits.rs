//! `limits`: how much one client may ask for.

use std::time::Duration;

use super::reader::{Reader, parse_bool};

/// Requests per minute and client address, and sizes. A rate of 0 is no limit.
#[derive(Debug, Clone)]
pub struct Limits {
    pub sign_in_per_minute: u32,
    pub bookings_per_minute: u32,
    pub holds_per_minute: u32,
    /// Slots, event types and other reading by widgets.
    pub slots_per_minute: u32,
    /// Generous: the providers' few addresses send for all calendars.
    pub webhooks_per_minute: u32,
    /// Everything else: pages, server functions, the visitor's link.
    pub pages_per_minute: u32,
    /// Looks at pages of other sites, of each organization.
    pub site_checks_per_minute: u32,
    /// How long a request may take until the head of its answer. Widgets wait 30 seconds.
    pub request: Duration,
    /// The largest request body in bytes.
    pub body_bytes: usize,
    /// Whether a proxy that is trusted stands in front: the client is then the last address of `X-Forwarded-For`.
    pub trust_proxy: bool,
    /// Whether what hosts connect by an address of their own (CalDAV servers, calendar feeds, holiday calendars) may be on this
    /// machine and in its private network.
    pub private_addresses: bool,
}

pub fn read(reader: &Reader) -> Option<Limits> {
    let rate = |key: &'static str, default: u32| {
        reader.or(key, default, "give requests per minute from 0 (no limit) to 1000000", |text| {
            text.parse().ok().filter(|rate| *rate <= 1_000_000)
        })
    };
    let sign_in_per_minute = rate("limits.sign_in_per_minute", 10);
    let bookings_per_minute = rate("limits.bookings_per_minute", 30);
    let holds_per_minute = rate("limits.holds_per_minute", 60);
    let slots_per_minute = rate("limits.slots_per_minute", 1_200);
    let webhooks_per_minute = rate("limits.webhooks_per_minute", 60_000);
    let pages_per_minute = rate("limits.pages_per_minute", 1_200);
    let site_checks_per_minute = rate("limits.site_checks_per_minute", 10);
    let request = reader.or("limits.request_seconds", Duration::from_secs(25), "give seconds from 1 to 600", |text| {
        text.parse().ok().filter(|seconds| (1..=600).contains(seconds)).map(Duration::from_secs)
    });
    let body_bytes = reader.or("limits.body_bytes", 64 * 1024, "give bytes from 4096 to 10485760", |text| {
        text.parse().ok().filter(|bytes| (4_096..=10_485_760).contains(bytes))
    });
    let trust_proxy = reader.or("limits.trust_proxy", false, "give true or false", parse_bool);
    let private_addresses = reader.or("limits.private_addresses", false, "give true or false", parse_bool);
    Some(Limits {
        sign_in_per_minute: sign_in_per_minute?,
        bookings_per_minute: bookings_per_minute?,
        holds_per_minute: holds_per_minute?,
        slots_per_minute: slots_per_minute?,
        webhooks_per_minute: webhooks_per_minute?,
        pages_per_minute: pages_per_minute?,
        site_checks_per_minute: site_checks_per_minute?,
        request: request?,
        body_bytes: body_bytes?,
        trust_proxy: trust_proxy?,
        private_addresses: private_addresses?,
    })
}
