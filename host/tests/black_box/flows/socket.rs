//! A vendor that speaks over a WebSocket whose address is signed.

use std::net::SocketAddr;

use base64::Engine as _;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_tungstenite::tungstenite::{
    Message,
    handshake::server::{ErrorResponse, Request, Response},
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::MODEL;
use crate::{
    expect,
    setup::{self, question, streaming},
};

const KEY: &str = "APPID0001|demoapisecretMDEyMzQ1Njc4OWFiY2Rl|demoapikey0123456789abcdef012345";

/// How the server ends a conversation.
#[derive(Clone, Copy)]
enum Play {
    Whole,
    Binary,
    CloseEarly,
    Refuse,
}

/// A WebSocket server: answers each first message with three, and tells the address it was opened with and what it was sent.
async fn server(play: Play) -> (SocketAddr, mpsc::UnboundedReceiver<(String, String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                let (mut address, mut host) = (String::new(), String::new());
                #[expect(clippy::result_large_err, reason = "the library's own type")]
                let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                    address = request.uri().to_string();
                    host = request.headers()["host"].to_str().unwrap_or_default().to_owned();
                    if matches!(play, Play::Refuse) {
                        let body = json!({"error": {"message": "HMAC signature does not match"}}).to_string();
                        let mut refused = ErrorResponse::new(Some(body));
                        *refused.status_mut() = http::StatusCode::UNAUTHORIZED;
                        return Err(refused);
                    }
                    Ok(response)
                };
                let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, look).await else { return };
                let Some(Ok(first)) = socket.next().await else { return };
                let first = serde_json::from_str(first.to_text().unwrap_or_default()).unwrap_or_default();
                let _unheard = told.send((address, host, first));
                for (status, text) in [(0, "po"), (1, "n"), (2, "g")] {
                    if matches!((play, status), (Play::CloseEarly, 1)) {
                        let frame = CloseFrame { code: CloseCode::Error, reason: "going away".into() };
                        let _closed = socket.close(Some(frame)).await;
                        return;
                    }
                    let usage = json!({"text": {"prompt_tokens": 8, "completion_tokens": 3}});
                    let said = json!({"header": {"code": 0, "status": status}, "payload":
                        {"choices": {"status": status, "text": [{"content": text}]}, "usage": usage}});
                    let message = match play {
                        Play::Binary => Message::binary(said.to_string().into_bytes()),
                        _ => Message::text(said.to_string()),
                    };
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
                let _closed = socket.close(None).await;
            });
        }
    });
    (address, heard)
}

async fn gateway(address: SocketAddr) -> (testkit::TestGateway, String) {
    let gateway = setup::bare().plugin("flows").start().await;
    super::add_channel(&gateway, "flow-socket", &format!("http://{address}"), KEY).await;
    let key = gateway.key("app").await;
    gateway.wait_for_model(&key, MODEL).await;
    (gateway, key)
}

#[tokio::test]
async fn messages_go_both_ways_over_a_signed_address() {
    for play in [Play::Whole, Play::Binary] {
        let (address, mut heard) = server(play).await;
        let (gateway, key) = gateway(address).await;
        let stream = gateway.chat_stream(&key, &streaming(MODEL)).await.collect().await;
        assert!(stream.done && stream.content() == "pong", "{stream:?}");
        let (uri, host, first) = heard.recv().await.unwrap();
        assert_eq!(first["payload"]["message"]["text"][0]["content"], "ping");
        assert_eq!(first["header"]["app_id"], "APPID0001");
        check_signature(&uri, &host);
        let answer = gateway.chat(&key, &question(MODEL)).await;
        assert_eq!((answer.content().as_str(), answer.json()["usage"]["total_tokens"].as_u64()), ("pong", Some(11)));
        for secret in ["demoapisecretMDEyMzQ1Njc4OWFiY2Rl", "demoapikey0123456789abcdef012345"] {
            assert!(!gateway.log().contains(secret));
        }
    }
}

/// Takes the address apart as the vendor does: HMAC over host, date and request line.
fn check_signature(uri: &str, host: &str) {
    let (path, query) = uri.split_once('?').unwrap();
    let pairs: std::collections::HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let engine = base64::engine::general_purpose::STANDARD;
    let authorization = String::from_utf8(engine.decode(pairs["authorization"].as_bytes()).unwrap()).unwrap();
    let to_sign = format!("host: {host}\ndate: {}\nGET {path} HTTP/1.1", pairs["date"]);
    let signature = engine.encode(super::signed::hmac(b"demoapisecretMDEyMzQ1Njc4OWFiY2Rl", &to_sign));
    let expected = format!(
        r#"api_key="demoapikey0123456789abcdef012345", algorithm="hmac-sha256", headers="host date request-line", signature="{signature}""#
    );
    assert_eq!(authorization, expected);
    assert_eq!(pairs["host"], host);
}

#[tokio::test]
async fn a_socket_that_closes_early_or_is_refused_is_a_fault() {
    let (address, _heard) = server(Play::CloseEarly).await;
    let (early, key) = gateway(address).await;
    let stream = early.chat_stream(&key, &streaming(MODEL)).await.collect().await;
    expect::broken_stream(&stream);
    let (address, _heard) = server(Play::Refuse).await;
    let (refused, key) = gateway(address).await;
    let answer = refused.chat(&key, &question(MODEL)).await;
    assert!(expect::error(&answer, expect::CREDENTIAL_DEAD).contains("HMAC signature"), "{}", answer.text());
}
