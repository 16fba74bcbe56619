//! A stateful stand-in for Google's OAuth endpoints and the Google Calendar API.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CalendarSeed {
    #[serde(default)]
    pub id: Option<String>,
    pub summary: String,
    #[serde(default)]
    pub primary: bool,
    #[serde(default)]
    pub time_zone: Option<String>,
    #[serde(default)]
    pub color: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserSeed {
    pub email: String,
    pub time_zone: String,
    #[serde(default)]
    pub calendars: Vec<CalendarSeed>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Client {
    pub client_id: String,
    pub client_secret: String,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct GoogleOptions {
    pub listen: SocketAddr,
    pub users: Vec<UserSeed>,
    pub clients: Vec<Client>,
    pub state_file: Option<PathBuf>,
    pub meet_pending: Duration,
    pub delivery_retry: Duration,
    pub requests_per_user_per_minute: Option<u32>,
    pub sample_events: bool,
}

impl Default for GoogleOptions {
    fn default() -> Self {
        todo!()
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    pub method: Option<String>,
    pub path_pattern: Option<String>,
    pub times: u32,
    pub status: Option<u16>,
    pub body_reason: Option<String>,
    pub delay_ms: u64,
    pub drop_answer_after_effect: bool,
    pub retry_after: Option<u64>,
    pub lose_notifications: bool,
    pub double_notifications: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: Option<Value>,
    pub status: u16,
    pub answer: Option<Value>,
}

#[derive(Debug, Clone, Serialize)]
pub struct IssuedTokens {
    pub access_token: String,
    pub refresh_token: String,
}

pub struct GoogleSimulator {}

impl GoogleSimulator {
    pub async fn start(_options: GoogleOptions) -> anyhow::Result<Self> {
        todo!()
    }
    pub fn base_url(&self) -> String {
        todo!()
    }
    pub async fn stop(self) {}
    pub fn exchanges(&self) -> Vec<Exchange> {
        todo!()
    }
    pub fn clear_exchanges(&self) {}
    pub fn add_fault(&self, _fault: Fault) -> anyhow::Result<()> {
        todo!()
    }
    pub fn clear_faults(&self) {}
    pub fn issue_tokens(&self, _email: &str, _scopes: &[&str]) -> anyhow::Result<IssuedTokens> {
        todo!()
    }
    /// Every stored event of a calendar, cancelled ones and exceptions included, as the API would tell it.
    pub fn events(&self, _calendar: &str) -> anyhow::Result<Vec<Value>> {
        todo!()
    }
    pub fn insert_event(&self, _calendar: &str, _event: Value) -> anyhow::Result<Value> {
        todo!()
    }
    pub fn patch_event(&self, _calendar: &str, _id: &str, _patch: Value) -> anyhow::Result<Value> {
        todo!()
    }
    pub fn delete_event(&self, _calendar: &str, _id: &str) -> anyhow::Result<()> {
        todo!()
    }
    pub fn expire_sync_tokens(&self) {}
    pub fn expire_access_tokens(&self) {}
    pub fn revoke(&self, _email: &str) {}
    pub fn clock(&self) -> &crate::clock::SimClock {
        todo!()
    }
}
