//! A small HTTP/1.1 server around an axum router that can also drop a connection instead of answering.
//!
//! `axum::serve` insists on an answer for every request. A lost reply is the very thing that a booking system must
//! survive, so the simulators serve by hyper: a response that carries [`DropConnection`] closes the socket unanswered.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// A response extension: close the connection and send nothing.
#[derive(Debug, Clone, Copy)]
pub struct DropConnection;

/// The error by which hyper is made to close a connection.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection was dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// A bound socket that does not serve yet: its address is known before the router is built.
#[derive(Debug)]
pub struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl BoundListener {
    /// Binds `address`; port 0 asks the system for a free one.
    pub async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().context("the socket has no local address")?;
        Ok(Self { listener, address })
    }

    /// The address that was really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router` until the returned server is stopped or dropped.
    pub fn serve(self, router: Router) -> HttpServer {
        self.serve_by(router, None)
    }

    /// As [`BoundListener::serve`], by HTTPS.
    pub fn serve_tls(self, router: Router, identity: &TlsIdentity) -> anyhow::Result<HttpServer> {
        let acceptor = TlsAcceptor::from(Arc::new(identity.config()?));
        Ok(self.serve_by(router, Some(acceptor)))
    }

    fn serve_by(self, router: Router, acceptor: Option<TlsAcceptor>) -> HttpServer {
        let address = self.address;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let stopping = CancellationToken::new();
        let connections = TaskTracker::new();
        connections.spawn(accept(self.listener, acceptor, router, stopping.clone(), connections.clone()));
        HttpServer { address, scheme, connections, stopping: stopping.drop_guard() }
    }
}

/// A certificate chain and its private key, both as PEM.
#[derive(Clone)]
pub struct TlsIdentity {
    pub certificate_pem: String,
    pub private_key_pem: String,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TlsIdentity")
    }
}

impl TlsIdentity {
    fn config(&self) -> anyhow::Result<ServerConfig> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes()).collect();
        let key =
            PrivateKeyDer::from_pem_slice(self.private_key_pem.as_bytes()).context("the private key is no PEM")?;
        ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain.context("the certificate is no PEM")?, key)
            .context("the certificate and the key do not go together")
    }
}

/// Whether an address leads to this machine by its name alone.
pub fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A running server. Dropping it stops it without waiting; [`HttpServer::stop`] waits for answers under way.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    scheme: &'static str,
    connections: TaskTracker,
    stopping: DropGuard,
}

impl HttpServer {
    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` or `https://` and the address, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Stops accepting and waits for the answers under way.
    pub async fn stop(self) {
        self.stopping.disarm().cancel();
        self.connections.close();
        self.connections.wait().await;
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    stopping: CancellationToken,
    connections: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY on a connection");
                }
                let (router, stopping) = (router.clone(), stopping.clone());
                match acceptor.clone() {
                    None => connections.spawn(serve_connection(stream, router, stopping)),
                    Some(acceptor) => connections.spawn(async move {
                        let handshake = tokio::select! {
                            () = stopping.cancelled() => return,
                            handshake = acceptor.accept(stream) => handshake,
                        };
                        match handshake {
                            Ok(stream) => serve_connection(stream, router, stopping).await,
                            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                        }
                    }),
                };
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve_connection<S>(stream: S, router: Router, stopping: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<hyper::body::Incoming>| answer(router.clone(), request));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let finished = tokio::select! {
        finished = connection.as_mut() => finished,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = finished {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(router: Router, request: Request<hyper::body::Incoming>) -> Result<Response<Body>, Dropped> {
    let Ok(response) = router.oneshot(request.map(Body::new)).await;
    if response.extensions().get::<DropConnection>().is_some() { Err(Dropped) } else { Ok(response) }
}
