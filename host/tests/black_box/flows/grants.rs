//! Access tokens: obtained once for all who wait, kept, renewed when stale, and never seen by a guest.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use testkit::{Answer, Gate};

use super::{MODEL, flow, paths};
use crate::{
    expect,
    setup::{Setup, question},
};

const TOKEN: &str = "24.0123456789abcdef0123456789abcdef.2592000";
const RENEWED: &str = "24.fedcba9876543210fedcba9876543210.2592000";

/// A vendor that gives a token for a key and a secret, and another the second time. `stale` tells which token is refused.
fn script(setup: &Setup, stale: Option<&'static str>) {
    let asked = AtomicUsize::new(0);
    setup.vendor.always(move |request| match request.path.as_str() {
        "/oauth/2.0/token" => {
            let token = if asked.fetch_add(1, Ordering::Relaxed) == 0 { TOKEN } else { RENEWED };
            Answer::json(&json!({"access_token": token, "expires_in": 2_592_000, "scope": "public"}))
        }
        _ if stale.is_some_and(|stale| request.query.contains(stale)) => {
            Answer::json(&json!({"error_code": 111, "error_msg": "Access token expired"}))
        }
        _ => Answer::json(&json!({"result": "pong", "usage": {"prompt_tokens": 4, "completion_tokens": 1}})),
    });
}

#[tokio::test]
async fn one_token_serves_many() {
    let setup = flow("flow-token-key", "client-id-012345|client-secret-012345").await;
    let gate = Gate::new();
    let held = gate.clone();
    script(&setup, None);
    setup.vendor.reply(Answer::json(&json!({"access_token": TOKEN, "expires_in": 2_592_000})).gate_head(&held));
    let (gateway, key) = (&setup.gateway, &setup.key);
    let body = question(MODEL);
    let many = futures_of(16, || gateway.chat(key, &body));
    let open = async {
        gate.reached(1).await;
        gate.open();
    };
    let (answers, ()) = tokio::join!(many, open);
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.content() == "pong"), "{answers:?}");
    let requests = setup.vendor.requests();
    let tokens: Vec<_> = requests.iter().filter(|request| request.path == "/oauth/2.0/token").collect();
    assert_eq!(tokens.len(), 1, "asked once for sixteen: {:?}", paths(&requests));
    let query = "grant_type=client_credentials&client_id=client-id-012345&client_secret=client-secret-012345";
    assert_eq!(tokens[0].query, query);
    assert!(tokens[0].body.is_empty(), "a grant is told nothing of a client: {:?}", tokens[0].text());
    let asked: Vec<_> = requests.iter().filter(|request| request.path != "/oauth/2.0/token").collect();
    assert!(asked.iter().all(|request| request.query == format!("access_token={TOKEN}")), "{:?}", asked[0].query);
}

#[tokio::test]
async fn a_stale_token_is_renewed_once() {
    let setup = flow("flow-token-key", "client-id-012345|client-secret-012345").await;
    script(&setup, Some(TOKEN));
    let answer = setup.chat(&question(MODEL)).await;
    assert_eq!((answer.status.as_u16(), answer.content().as_str()), (200, "pong"), "{}", answer.text());
    let requests = setup.vendor.requests();
    assert_eq!(paths(&requests), ["/oauth/2.0/token", "/chat", "/oauth/2.0/token", "/chat"]);
    assert!(requests[3].query.contains(RENEWED));
    assert_eq!(setup.chat(&question(MODEL)).await.status, 200);
    assert_eq!(setup.vendor.requests().len(), 5, "the new one is kept");
}

#[tokio::test]
async fn a_vendor_that_refuses_every_token_is_asked_twice_and_no_more() {
    let setup = flow("flow-token-key", "client-id-012345|client-secret-012345").await;
    script(&setup, Some("access_token"));
    let answer = setup.chat(&question(MODEL)).await;
    expect::error(&answer, expect::CREDENTIAL_DEAD);
    assert_eq!(setup.vendor.requests().len(), 4);
}

#[tokio::test]
async fn a_key_that_is_refused_is_a_dead_credential() {
    let setup = flow("flow-token-key", "client-id-012345|client-secret-012345").await;
    let body = json!({"error": "invalid_client", "error_description": "unknown client id"});
    setup.vendor.always(move |_| Answer::error(401, &body));
    let answer = setup.chat(&question(MODEL)).await;
    assert!(expect::error(&answer, expect::CREDENTIAL_DEAD).contains("unknown client id"));
}

#[tokio::test]
async fn a_guest_cannot_see_or_take_out_a_token() {
    let setup = flow("flow-token-key", "client-id-012345|client-secret-012345").await;
    script(&setup, None);
    // The flow's grant puts what it saw of the answer into its fault when the vendor says `echo`.
    setup.vendor.reply(Answer::json(&json!({"access_token": TOKEN, "echo": TOKEN, "expires_in": 0, "note": "see it"})));
    let answer = setup.chat(&question(MODEL)).await;
    assert_ne!(answer.status, 200);
    let all = format!("{} {}", answer.text(), setup.gateway.log());
    assert!(!all.contains(TOKEN) && all.contains("(withheld)"), "{all}");
}

#[tokio::test]
async fn a_signed_token_request_carries_a_jwt_in_a_form() {
    let (pem, public) = super::signed::rsa_key();
    let account =
        json!({"type": "service_account", "client_email": "bot@flow.example", "private_key": pem}).to_string();
    let setup = flow("flow-token-jwt", &account).await;
    setup.vendor.always(move |request| match request.path.as_str() {
        "/token" => Answer::json(&json!({"access_token": "ya29.c0123456789abcdefghijkl", "expires_in": 3599})),
        _ => Answer::json(&json!({"result": "pong", "usage": {}})),
    });
    assert_eq!(setup.chat(&question(MODEL)).await.content(), "pong");
    let requests = setup.vendor.requests();
    assert_eq!(requests[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = requests[0].text();
    let jwt = form
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .unwrap_or_else(|| panic!("{form}"));
    super::signed::check_jwt(jwt, &public, "bot@flow.example");
    assert_eq!(requests[1].header("authorization"), Some("Bearer ya29.c0123456789abcdefghijkl"));
    assert!(!setup.gateway.log().contains("PRIVATE KEY"));
}

async fn futures_of<T, F: Future<Output = T>>(count: usize, make: impl Fn() -> F) -> Vec<T> {
    futures_util::future::join_all((0..count).map(|_| make())).await
}
