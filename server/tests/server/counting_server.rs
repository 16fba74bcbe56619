//! A server on this machine that answers whatever it is asked alike, and counts how often that is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;

pub struct CountingServer {
    pub port: u16,
    requests: Arc<AtomicUsize>,
}

impl CountingServer {
    pub async fn start(status: StatusCode, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let router = Router::new().fallback(move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
            (status, body)
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, requests }
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
