//! The configuration of the product's processes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cupo_simulators::{google, microsoft};
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};

/// What the configuration is made of.
pub struct Configuration<'a> {
    pub seed: u64,
    pub public_url: &'a str,
    pub database: &'a str,
    pub google: &'a str,
    pub microsoft: &'a str,
    pub smtp_port: u16,
    pub has_workers: bool,
}

impl Configuration<'_> {
    /// The file of a process that listens at this port, if it listens.
    pub fn text(&self, port: u16) -> String {
        let Self { public_url, database, google, microsoft, smtp_port, .. } = self;
        let mut secret = [0; 32];
        StdRng::seed_from_u64(self.seed).fill_bytes(&mut secret);
        let secret = STANDARD.encode(secret);
        let rates = ["sign_in", "bookings", "holds", "slots", "webhooks", "pages"];
        let lifted: String = rates.iter().map(|rate| format!("{rate}_per_minute = 0\n")).collect();
        format!(
            r#"
public_url = "{public_url}"
listen = "127.0.0.1:{port}"
[database]
url = "{database}"
[secrets]
encryption_keys = ["k1:{secret}"]
session_secret = "{secret}"
[google]
client_id = "{}"
client_secret = "{}"
auth_url = "{google}/o/oauth2/v2/auth"
token_url = "{google}/token"
revoke_url = "{google}/revoke"
api_url = "{google}"
webhook_url = "{public_url}"
requests_per_minute_per_account = 0
requests_per_minute_per_project = 0
[microsoft]
client_id = "{}"
client_secret = "{}"
login_url = "{microsoft}"
graph_url = "{microsoft}"
webhook_url = "{public_url}"
requests_per_minute_per_account = 0
requests_per_minute_per_project = 0
[caldav]
requests_per_minute_per_account = 0
[smtp]
host = "127.0.0.1"
port = {smtp_port}
tls = "none"
from = "Cupo <cupo@example.com>"
[sync]
poll_seconds = 5
stale_after_seconds = 20
[worker]
in_server = {}
[limits]
private_addresses = true
{lifted}
"#,
            google::DEMO_CLIENT_ID,
            google::DEMO_CLIENT_SECRET,
            microsoft::DEMO_CLIENT_ID,
            microsoft::DEMO_CLIENT_SECRET,
            !self.has_workers,
        )
    }
}
