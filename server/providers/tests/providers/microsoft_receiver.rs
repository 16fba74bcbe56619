//! A webhook for Graph's notifications.

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::response::IntoResponse;
use tokio::sync::{Mutex, mpsc};
use url::{Url, form_urlencoded};

pub struct Receiver {
    base: String,
    deliveries: Mutex<mpsc::UnboundedReceiver<(String, Bytes)>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::unbounded_channel();
        let server = Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned();
            if let Some((_, token)) = query.into_iter().find(|(name, _)| name == "validationToken") {
                return ([("content-type", "text/plain")], token).into_response();
            }
            let body = to_bytes(body, 1 << 20).await.unwrap();
            sender.send((parts.uri.path().to_owned(), body)).unwrap();
            http::StatusCode::ACCEPTED.into_response()
        });
        tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
        Self { base, deliveries: Mutex::new(receiver) }
    }

    pub fn address(&self) -> Url {
        Url::parse(&format!("{}/hook", self.base)).unwrap()
    }

    /// The next delivery, which must be to `path`.
    pub async fn next(&self, path: &str) -> Bytes {
        let (to, body) = self.deliveries.lock().await.recv().await.unwrap();
        assert_eq!(to, path);
        body
    }
}
