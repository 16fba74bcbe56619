//! `metrics`: who may read `/metrics`.

use cupo_providers::Secret;

use super::reader::{Reader, Show, parse_bool};

/// Whether and to whom the figures of the process are served.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Without a token, a client on this machine that came through no proxy may read them.
    pub enabled: bool,
    /// With a token, whoever sends it as `Authorization: Bearer`.
    pub token: Option<Secret>,
}

pub fn read(reader: &Reader) -> Option<Metrics> {
    let enabled = reader.or("metrics.enabled", false, "give true or false", parse_bool);
    let token = reader.optional("metrics.token", "give at least 16 characters", Show::Nothing, |text| {
        (text.len() >= 16).then(|| Secret::new(text))
    });
    Some(Metrics { enabled: enabled?, token: token? })
}
