//! The pooled clients, one per reach, and `send`: from a request to the head of its answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Request, Response, redirect, retry};
use rustls::{ClientConfig, RootCertStore};

use crate::connect::{CONNECT_WITHIN, ConnectDeadline};
use crate::egress::{self, Reach, Resolver};
use crate::failure::Peer;
use crate::socket::Handshake;
use crate::{Failure, Framing, Limits, Outgoing, Reply};

/// How long an unused connection is kept. Longer than the pauses of a busy gateway, shorter than most servers' own limit.
const POOL_IDLE: Duration = Duration::from_secs(60);
/// Connections kept per host, so that a burst does not hold sockets for ever.
const POOL_PER_HOST: usize = 512;

/// The way out. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Upstream {
    clients: Arc<Clients>,
}

/// Two per reach: a connection that was opened to a private address must never serve a request that may only go to public ones, and a
/// connection that becomes a WebSocket must not be agreed to be HTTP/2.
struct Clients {
    public: Pair,
    typed: Pair,
}

struct Pair {
    http: Client,
    websocket: Client,
}

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot build the HTTP client: {0}")]
pub struct BuildError(String);

impl Upstream {
    /// `user_agent` is sent where a request has none of its own.
    ///
    /// The system's root certificates are read once, here. When there are none, plain HTTP still works and HTTPS fails to connect.
    pub fn new(user_agent: &str) -> Result<Upstream, BuildError> {
        let tls = tls()?;
        let clients =
            Clients { public: pair(user_agent, &tls, Reach::Public)?, typed: pair(user_agent, &tls, Reach::Typed)? };
        Ok(Upstream { clients: Arc::new(clients) })
    }

    /// Sends a request and waits for the head of the answer; of an event stream also for its first byte, which tells whether it is one.
    ///
    /// Nothing is retried and no redirect is followed. Dropping the future closes the connection.
    ///
    /// With [`Framing::WebSocket`] the connection is upgraded, `http` standing for `ws` and `https` for `wss`: the reply then has the
    /// status 101. When the upstream refuses, the reply has its status and its words as `text`.
    ///
    /// # Errors
    /// [`FailureCode`](crate::FailureCode) lists what can go wrong. An answer with an error status is not a failure.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Reply, Failure> {
        let peer = Peer::upstream(&outgoing.url);
        self.send_to(outgoing, peer).await
    }

    pub(crate) async fn send_to(&self, outgoing: Outgoing, peer: Peer) -> Result<Reply, Failure> {
        if let Err(refused) = egress::check_url(&outgoing.url, outgoing.reach) {
            return Err(Failure::refused(&refused, &peer));
        }
        let pair = match outgoing.reach {
            Reach::Public => &self.clients.public,
            Reach::Typed => &self.clients.typed,
        };
        let limits = outgoing.limits;
        if outgoing.framing == Framing::WebSocket {
            let handshake = Handshake::new(&outgoing, &peer)?;
            let request = handshake.request(outgoing);
            return within(limits, &peer, async {
                let response = execute(&pair.websocket, request, limits, &peer).await?;
                handshake.finish(response, limits, peer.clone()).await
            })
            .await;
        }
        let framing = outgoing.framing;
        let response = within(limits, &peer, execute(&pair.http, outgoing.into_request(), limits, &peer)).await?;
        Ok(Reply::new(response, framing, limits, peer)?.decide().await)
    }
}

async fn execute(client: &Client, request: Request, limits: Limits, peer: &Peer) -> Result<Response, Failure> {
    let sending = CONNECT_WITHIN.scope(limits.connect, client.execute(request));
    sending.await.map_err(|error| Failure::in_send(error, peer))
}

/// Keeps the deadline for the head.
async fn within<T>(limits: Limits, peer: &Peer, head: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(limits.first_byte, head).await {
        Ok(done) => done,
        Err(_) => Err(Failure::no_head(peer, limits.first_byte)),
    }
}

fn pair(user_agent: &str, tls: &ClientConfig, reach: Reach) -> Result<Pair, BuildError> {
    let mut one = tls.clone();
    one.alpn_protocols = vec![b"http/1.1".to_vec()];
    let build = |builder: ClientBuilder| builder.build().map_err(|error| BuildError(error.to_string()));
    Ok(Pair {
        http: build(client(user_agent, tls, reach))?,
        websocket: build(client(user_agent, &one, reach).http1_only())?,
    })
}

fn client(user_agent: &str, tls: &ClientConfig, reach: Reach) -> ClientBuilder {
    Client::builder()
        .user_agent(user_agent)
        .tls_backend_preconfigured(tls.clone())
        .dns_resolver(Resolver { reach })
        .connector_layer(ConnectDeadline)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .no_proxy()
        .tcp_nodelay(true)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(POOL_PER_HOST)
        // A dead HTTP/2 connection would otherwise swallow every request until its own deadline.
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
}

/// One configuration for all clients, with ring given by hand: what other libraries install as the process default does not matter.
fn tls() -> Result<ClientConfig, BuildError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!("no root certificates found, HTTPS will not work; install ca-certificates or set SSL_CERT_FILE");
    }
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}
