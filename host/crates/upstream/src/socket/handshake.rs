//! Opening a WebSocket: an ordinary request, so that every rule for connections holds, whose answer gives the connection away.

use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::{Request, Response};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

use super::Socket;
use crate::failure::Peer;
use crate::{Failure, FailureCode, Framing, Limits, Outgoing, Reply};

/// One request to speak WebSocket.
pub(crate) struct Handshake {
    key: String,
    /// The subprotocols that were offered.
    offered: Vec<HeaderValue>,
}

impl Handshake {
    pub(crate) fn new(outgoing: &Outgoing, peer: &Peer) -> Result<Handshake, Failure> {
        if outgoing.method != Method::GET || !outgoing.body.is_empty() {
            let text = "a WebSocket is opened with the method GET and without a body";
            return Err(Failure::of(peer, FailureCode::RefusedByHost, &format!(" was not asked: {text}"), text));
        }
        let offered = outgoing.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect();
        Ok(Handshake { key: generate_key(), offered })
    }

    pub(crate) fn request(&self, outgoing: Outgoing) -> Request {
        let mut request = outgoing.into_request();
        let headers = request.headers_mut();
        headers.remove(header::SEC_WEBSOCKET_EXTENSIONS);
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        if let Ok(key) = HeaderValue::from_str(&self.key) {
            headers.insert(header::SEC_WEBSOCKET_KEY, key);
        }
        request
    }

    /// The open socket, or the words with which the server refused.
    pub(crate) async fn finish(self, mut response: Response, limits: Limits, peer: Peer) -> Result<Reply, Failure> {
        if response.status().as_u16() != 101 {
            return Reply::new(response, Framing::WebSocket, limits, peer);
        }
        let headers = std::mem::take(response.headers_mut());
        if let Some(wrong) = self.objection(&headers) {
            let what = format!("'s answer is not a WebSocket handshake: {wrong}");
            return Err(Failure::of(&peer, FailureCode::BadFraming, &what, wrong));
        }
        let upgraded = response.upgrade().await.map_err(|error| Failure::in_send(error, &peer))?;
        let socket = Socket::new(upgraded, limits, peer.clone()).await;
        Ok(Reply::open(headers, socket, limits, peer))
    }

    fn objection(&self, headers: &HeaderMap) -> Option<&'static str> {
        let accept = derive_accept_key(self.key.as_bytes());
        if !has_token(headers, header::UPGRADE, "websocket") || !has_token(headers, header::CONNECTION, "upgrade") {
            return Some("it does not upgrade to `websocket`");
        }
        if headers.get(header::SEC_WEBSOCKET_ACCEPT).is_none_or(|value| value.as_bytes() != accept.as_bytes()) {
            return Some("its `sec-websocket-accept` does not answer our key");
        }
        if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
            return Some("it uses an extension that was not offered");
        }
        let chosen = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().unwrap_or_default();
        let was_offered = self.offered.iter().any(|value| tokens(value).any(|token| token == chosen));
        (!was_offered).then_some("it uses a subprotocol that was not offered")
    }
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim)
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    headers.get_all(name).iter().any(|value| tokens(value).any(|token| token.eq_ignore_ascii_case(wanted)))
}
