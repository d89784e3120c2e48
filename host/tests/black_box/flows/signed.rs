//! Signatures that the adapter describes and the host computes, checked here against the vendors' own rules, over what really arrived.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};
use testkit::{Answer, VendorRequest};

use super::{MODEL, flow};
use crate::setup::{Setup, question};

/// A throw-away key, made for this test.
pub(super) fn rsa_key() -> (&'static str, Vec<u8>) {
    (include_str!("service-account-test-key.pem"), include_bytes!("service-account-test-key.pub.der").to_vec())
}

/// Checks a JWT's signature with the public key, and whose it is.
pub(super) fn check_jwt(jwt: &str, public: &[u8], issuer: &str) {
    use base64::Engine as _;
    let decode = |part: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
    let (signed, signature) = jwt.rsplit_once('.').expect("three parts");
    let (header, claims) = signed.split_once('.').expect("three parts");
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(signed.as_bytes(), &decode(signature)).expect("the signature holds");
    let header: serde_json::Value = serde_json::from_slice(&decode(header)).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&decode(claims)).unwrap();
    assert_eq!((header["alg"].as_str(), claims["iss"].as_str()), (Some("RS256"), Some(issuer)));
}

pub(super) fn hmac(key: &[u8], data: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha256(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

async fn signed(provider: &str, secret: &str) -> (Setup, VendorRequest) {
    let setup = flow(provider, secret).await;
    setup.vendor.always(|_| Answer::json(&json!({"text": "pong"})));
    let answer = setup.chat(&question(MODEL)).await;
    assert_eq!((answer.status.as_u16(), answer.content().as_str()), (200, "pong"), "{}", answer.text());
    let request = setup.vendor.last_request();
    (setup, request)
}

fn header<'a>(request: &'a VendorRequest, name: &str) -> &'a str {
    request.header(name).unwrap_or_else(|| panic!("no header {name}: {:?}", request.headers))
}

/// The values of `names` in a list like `Credential=..., SignedHeaders=..., Signature=...`.
fn field<'a>(authorization: &'a str, name: &str) -> &'a str {
    let start = authorization.find(&format!("{name}=")).unwrap_or_else(|| panic!("{authorization}")) + name.len() + 1;
    authorization[start..].split(',').next().unwrap_or_default().trim()
}

fn canonical_headers(request: &VendorRequest, signed: &str) -> String {
    signed.split(';').map(|name| format!("{name}:{}\n", header(request, name).trim())).collect()
}

#[tokio::test]
async fn sigv4_covers_exactly_what_was_sent() {
    let secret = "made-up-Secret/Key+ForTests0123456789abcd";
    let (_setup, request) = signed("flow-sigv4", &format!("AKIDTEST0001|{secret}|eu-west-9")).await;
    let authorization = header(&request, "authorization");
    let (names, date) = (field(authorization, "SignedHeaders"), header(&request, "x-amz-date"));
    assert!(
        names.split(';').any(|name| name == "host") && names.split(';').any(|name| name == "x-amz-date"),
        "{names}"
    );
    let day = &date[..8];
    let scope = format!("{day}/eu-west-9/bedrock/aws4_request");
    assert_eq!(field(authorization, "AWS4-HMAC-SHA256 Credential"), format!("AKIDTEST0001/{scope}"));
    // The path is encoded once more for the signature, as this service wants it.
    let path = request.path.replace('%', "%25");
    let canonical = format!(
        "{}\n{path}\n{}\n{}\n{names}\n{}",
        request.method,
        request.query,
        canonical_headers(&request, names),
        sha256(&request.body)
    );
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), day);
    for part in ["eu-west-9", "bedrock", "aws4_request"] {
        key = hmac(&key, part);
    }
    assert_eq!(field(authorization, "Signature"), hex::encode(hmac(&key, &to_sign)), "{canonical}");
    assert!(request.path.contains("%3A"), "the colon of the model stays encoded: {}", request.path);
}

#[tokio::test]
async fn tc3_covers_exactly_what_was_sent() {
    let secret = "demoTencentSecretKey";
    let (_setup, request) = signed("flow-tc3", &format!("AKIDdemo0123456789|{secret}")).await;
    let authorization = header(&request, "authorization");
    let (names, timestamp) = (field(authorization, "SignedHeaders"), header(&request, "x-tc-timestamp"));
    let scope = field(authorization, "TC3-HMAC-SHA256 Credential").strip_prefix("AKIDdemo0123456789/").unwrap();
    let (date, service) = scope.strip_suffix("/tc3_request").and_then(|scope| scope.split_once('/')).unwrap();
    let canonical =
        format!("POST\n/\n\n{}\n{names}\n{}", canonical_headers(&request, names).to_lowercase(), sha256(&request.body));
    let to_sign = format!("TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let key = hmac(&hmac(&hmac(format!("TC3{secret}").as_bytes(), date), service), "tc3_request");
    assert_eq!(field(authorization, "Signature"), hex::encode(hmac(&key, &to_sign)), "{canonical}");
}

#[tokio::test]
async fn bce_covers_method_path_query_and_host() {
    let (_setup, request) = signed("flow-bce", "demoBceAk0000|demoBceSk0000").await;
    let authorization = header(&request, "authorization");
    let parts: Vec<&str> = authorization.split('/').collect();
    let [scheme, ak, time, expiry, names, signature] = parts[..] else { panic!("{authorization}") };
    assert_eq!((scheme, ak, names), ("bce-auth-v1", "demoBceAk0000", "host"));
    let key = hex::encode(hmac(b"demoBceSk0000", &format!("bce-auth-v1/{ak}/{time}/{expiry}")));
    let host = header(&request, "host").replace(':', "%3A");
    let canonical = format!("{}\n{}\n{}\nhost:{host}", request.method, request.path, request.query);
    assert_eq!(signature, hex::encode(hmac(key.as_bytes(), &canonical)), "{canonical}");
}

#[tokio::test]
async fn a_jwt_made_from_a_split_key() {
    use base64::Engine as _;
    let (_setup, request) = signed("flow-jwt", "demoid0123456789.demoSecretABCDEF").await;
    let jwt = header(&request, "authorization").strip_prefix("Bearer ").unwrap();
    let (to_sign, signature) = jwt.rsplit_once('.').unwrap();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    assert_eq!(signature, engine.encode(hmac(b"demoSecretABCDEF", to_sign)));
    let claims = engine.decode(to_sign.split_once('.').unwrap().1).unwrap();
    assert!(String::from_utf8_lossy(&claims).contains(r#""api_key":"demoid0123456789""#));
}

#[tokio::test]
async fn a_key_of_the_wrong_shape_is_refused_when_the_channel_is_made() {
    let gateway = crate::setup::bare().plugin("flows").start().await;
    let add = ["channel", "add", "main", "--provider", "flow-sigv4", "--secret", "key=-"];
    let said = gateway.cli_with_input(&add, "only-one-part-0123").await.failed();
    assert!(said.contains("key") && !said.contains("only-one-part-0123"), "{said}");
    let said = gateway.cli_with_input(&add, "id|secret|eu.evil.test").await.failed();
    assert!(said.contains("region"), "{said}");
    gateway.cli_with_input(&add, "id-0123456|secret-0123456|eu-west-9").await.ok();
    let shown = gateway.cli(&["channel", "show", "main", "--json"]).await.ok().stdout;
    assert!(shown.contains("https://runtime.eu-west-9.flow.example"), "{shown}");
}
