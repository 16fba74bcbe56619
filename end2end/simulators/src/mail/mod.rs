//! A mail server that takes every mail, keeps it in memory, and shows it: SMTP on one socket, a page and JSON on another.

mod message;
mod smtp;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use self::message::{Attachment, Envelope, Message};
use crate::http_server::{BoundListener, HttpServer};

/// The mails and the faults that both sockets share.
#[derive(Debug, Default)]
struct Mailbox {
    messages: Mutex<Vec<Message>>,
    last_id: AtomicU64,
    fault: Mutex<Option<MailFault>>,
}

/// The next `times` `MAIL FROM` commands are answered with `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailFault {
    #[serde(default = "once")]
    pub times: u32,
    /// 400 to 499 asks the sender to try again, 500 to 599 to give up.
    pub code: u16,
}

fn once() -> u32 {
    1
}

impl Mailbox {
    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> MutexGuard<'_, Option<MailFault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, envelope: Envelope, raw: Vec<u8>) {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        self.messages().push(Message::parse(id, envelope, &raw));
    }

    /// The code for this `MAIL FROM`, if a fault waits for it.
    fn refusal(&self) -> Option<u16> {
        let mut waiting = self.fault();
        let fault = waiting.as_mut()?;
        let code = fault.code;
        fault.times -= 1;
        if fault.times == 0 {
            *waiting = None;
        }
        Some(code)
    }

    fn arm(&self, fault: MailFault) -> anyhow::Result<()> {
        anyhow::ensure!((400..=599).contains(&fault.code), "code must be from 400 to 599");
        anyhow::ensure!(fault.times >= 1, "times must be at least 1");
        *self.fault() = Some(fault);
        Ok(())
    }
}

/// A running mail sink.
#[derive(Debug)]
pub struct MailSink {
    mailbox: Arc<Mailbox>,
    smtp_address: SocketAddr,
    server: HttpServer,
    sessions: TaskTracker,
    stopping: DropGuard,
}

impl MailSink {
    /// Binds both sockets and serves; port 0 asks the system for free ones.
    pub async fn start(smtp: SocketAddr, http: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(smtp).await.with_context(|| format!("cannot listen on {smtp}"))?;
        let smtp_address = listener.local_addr().context("the socket has no local address")?;
        let mailbox = Arc::new(Mailbox::default());
        let server = BoundListener::bind(http).await?.serve(router(Arc::clone(&mailbox)));
        let (stopping, sessions) = (CancellationToken::new(), TaskTracker::new());
        sessions.spawn(smtp::accept(listener, Arc::clone(&mailbox), stopping.clone(), sessions.clone()));
        Ok(Self { mailbox, smtp_address, server, sessions, stopping: stopping.drop_guard() })
    }

    /// Where mail is taken in.
    pub fn smtp_address(&self) -> SocketAddr {
        self.smtp_address
    }

    /// Where the page and the JSON are, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// The mails so far, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.mailbox.messages().clone()
    }

    /// Forgets the mails so far.
    pub fn clear(&self) {
        self.mailbox.messages().clear();
    }

    /// Arms a fault, in place of the one before.
    pub fn add_fault(&self, fault: MailFault) -> anyhow::Result<()> {
        self.mailbox.arm(fault)
    }

    /// Forgets the fault that waits.
    pub fn clear_faults(&self) {
        *self.mailbox.fault() = None;
    }

    /// Closes every session and ends.
    pub async fn stop(self) {
        self.stopping.disarm().cancel();
        self.sessions.close();
        self.sessions.wait().await;
        self.server.stop().await;
    }
}

fn router(mailbox: Arc<Mailbox>) -> Router {
    Router::new()
        .route("/", get(|| async { Html(include_str!("page.html")) }))
        .route("/mail.css", get(|| async { asset("text/css", include_str!("mail.css")) }))
        .route("/mail.js", get(|| async { asset("text/javascript", include_str!("mail.js")) }))
        .route("/messages", get(list).delete(clear))
        .route("/messages/{id}", get(show))
        .route("/control/faults", post(add_fault).delete(clear_fault))
        .with_state(mailbox)
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, format!("{kind}; charset=utf-8")), (CACHE_CONTROL, "no-cache".to_owned())], text)
}

async fn list(State(mailbox): State<Arc<Mailbox>>) -> Json<Vec<Message>> {
    Json(mailbox.messages().clone())
}

async fn show(State(mailbox): State<Arc<Mailbox>>, Path(id): Path<u64>) -> Response {
    match mailbox.messages().iter().find(|message| message.id == id) {
        Some(message) => Json(message).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "there is no such mail" }))).into_response(),
    }
}

async fn clear(State(mailbox): State<Arc<Mailbox>>) -> StatusCode {
    mailbox.messages().clear();
    StatusCode::NO_CONTENT
}

async fn add_fault(State(mailbox): State<Arc<Mailbox>>, Json(fault): Json<MailFault>) -> Response {
    match mailbox.arm(fault) {
        Ok(()) => StatusCode::CREATED.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))).into_response(),
    }
}

async fn clear_fault(State(mailbox): State<Arc<Mailbox>>) -> StatusCode {
    *mailbox.fault() = None;
    StatusCode::NO_CONTENT
}
