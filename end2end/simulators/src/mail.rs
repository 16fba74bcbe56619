//! A mail server that keeps what it is given.

use std::net::SocketAddr;

use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub struct Attachment {
    pub filename: Option<String>,
    pub content_type: String,
    pub text: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Message {
    pub id: u64,
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub date: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    pub raw: String,
}

pub struct MailSink {}

impl MailSink {
    pub async fn start(_smtp: SocketAddr, _http: SocketAddr) -> anyhow::Result<Self> {
        todo!()
    }
    pub fn smtp_address(&self) -> SocketAddr {
        todo!()
    }
    pub fn base_url(&self) -> String {
        todo!()
    }
    pub fn messages(&self) -> Vec<Message> {
        todo!()
    }
    pub fn clear(&self) {}
    /// The next `times` `MAIL FROM` commands are answered with `code` (400 to 599).
    pub fn fail(&self, _times: u32, _code: u16) {}
    pub async fn stop(self) {}
}
