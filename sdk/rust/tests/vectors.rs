//! Every signature recipe against values that the vendors' own tools computed.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set itself up must fail")]

use std::collections::BTreeMap;
use witgate_sdk::sign::{self, Keys, Scope};
use witgate_sdk::{Opaque, Piece, Request, text};
use witgate_sdk_testkit::evaluate;

const AWS_ID: &str = "AKIDTESTVECTOR000001";
const AWS_SECRET: &str = "made-up-Secret/Key+ForTests0123456789abcd";
/// 2026-01-02T03:04:05Z
const AWS_NOW: u32 = 1_767_323_045;
/// 2023-11-14T22:13:20Z
const NOW: u32 = 1_700_000_000;

fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The value as it would be sent.
fn joined(value: &[Piece], secrets: &BTreeMap<String, String>) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Secret(name) => secrets[name].clone(),
        Piece::Opaque(value) => evaluated(value, secrets),
        other => panic!("{other:?} has no place in a signature"),
    };
    value.iter().map(piece).collect()
}

fn evaluated(value: &Opaque, secrets: &BTreeMap<String, String>) -> String {
    String::from_utf8(evaluate(value, secrets).unwrap()).unwrap()
}

fn header(request: &Request, name: &str, secrets: &BTreeMap<String, String>) -> String {
    joined(&request.headers.iter().find(|(key, _)| key == name).unwrap().1, secrets)
}

/// The signature of a request to Bedrock, and what was signed.
fn aws(request: Request, url: &str, keys: &Keys<'_>, region: &str) -> (String, String) {
    let secrets = secrets(&[("secret", AWS_SECRET), ("session", "made-up-session-token==")]);
    let signed = sign::sigv4(request, url, keys, Scope { region, service: "bedrock" }, AWS_NOW).unwrap();
    assert_eq!(header(&signed, "x-amz-date", &secrets), "20260102T030405Z");
    assert!(!format!("{signed:?}").contains("made-up"), "a secret is in the request");
    let authorization = header(&signed, "authorization", &secrets);
    let start = format!("AWS4-HMAC-SHA256 Credential={AWS_ID}/20260102/{region}/bedrock/aws4_request, SignedHeaders=");
    let (names, signature) = authorization.strip_prefix(&start).unwrap().split_once(", Signature=").unwrap();
    (names.to_owned(), signature.to_owned())
}

#[test]
fn sigv4_of_the_published_suite() {
    let secrets = secrets(&[("secret", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")]);
    let scope = Scope { region: "us-east-1", service: "service" };
    let keys = Keys::new("AKIDEXAMPLE", "secret");
    let now = 1_440_938_160; // 2015-08-30T12:36:00Z
    let signed = sign::sigv4(Request::get("/"), "https://example.amazonaws.com", &keys, scope, now).unwrap();
    assert_eq!(
        header(&signed, "authorization", &secrets),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
}

#[test]
fn sigv4_of_paths_that_are_encoded_and_not() {
    let body =
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":16,"messages":[{"role":"user","content":"hi"}]}"#;
    let keys = Keys::new(AWS_ID, "secret");
    for (colon, signature) in [
        ("%3A", "8122884eb8618a5c8f63878c1079d5d36a05fc77009746ad4d28ddc22401b8a4"),
        (":", "86fd4cfac81306b8ea165b98b04b0483ba9f3105528bb49770b5defc58470be6"),
    ] {
        let path = format!("/model/anthropic.claude-3-5-sonnet-20241022-v2{colon}0/invoke");
        let request = Request::post(path).header("Accept", [text("application/json")]).json(body);
        let signed = aws(request, "https://bedrock-runtime.us-east-1.amazonaws.com", &keys, "us-east-1");
        assert_eq!(signed, ("accept;content-type;host;x-amz-date".to_owned(), signature.to_owned()), "{colon}");
    }
}

#[test]
fn sigv4_with_a_session_token_and_with_a_query() {
    let keys = Keys { session: Some("session"), ..Keys::new(AWS_ID, "secret") };
    let arn = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fabc123def456";
    let request = Request::post(format!("/model/{arn}/converse-stream"))
        .json(r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":16}}"#);
    let signed = aws(request, "https://bedrock-runtime.eu-west-1.amazonaws.com", &keys, "eu-west-1");
    assert_eq!(signed.0, "content-type;host;x-amz-date;x-amz-security-token");
    assert_eq!(signed.1, "e3a75e98d7af74aeac11fa61d4cb5898efe014f79c484637fe173dabe86ae91f");

    let request = Request::get("/foundation-models")
        .query("byProvider", [text("Anthropic")])
        .query("byOutputModality", [text("TEXT")]);
    let keys = Keys::new(AWS_ID, "secret");
    let signed = aws(request, "https://bedrock.us-west-2.amazonaws.com", &keys, "us-west-2");
    assert_eq!(signed.1, "17cb11e706b6216d2000124591b60390eee75748847666cf2f84d80a19242f07");
}

#[test]
fn tc3_with_and_without_the_action() {
    let secrets = secrets(&[("secret", "demoTencentSecretKey")]);
    let body = r#"{"Model":"hunyuan-turbos-latest","Messages":[{"Role":"user","Content":"hi"}],"Stream":false}"#;
    let keys = Keys::new("AKIDdemo0123456789", "secret");
    let plain = Request::post("/").json(body);
    for (request, names, signature) in [
        (
            plain.clone().header("x-tc-action", [text("ChatCompletions")]),
            "content-type;host;x-tc-action",
            "6d732070b753bb5fd59c9285889f70685e1906a8da37f1bbe8bf7c876f65ff63",
        ),
        (plain, "content-type;host", "b3bd1f57838b613d21c2546aa334bff9617e3e7b34608726b8c55fe354dbaddb"),
    ] {
        let signed = sign::tc3(request, "https://hunyuan.tencentcloudapi.com", &keys, "hunyuan", NOW).unwrap();
        let scope = "AKIDdemo0123456789/2023-11-14/hunyuan/tc3_request";
        assert_eq!(header(&signed, "x-tc-timestamp", &secrets), "1700000000");
        assert_eq!(
            header(&signed, "authorization", &secrets),
            format!("TC3-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}")
        );
    }
}

#[test]
fn bce_of_a_token_request() {
    let request = Request::get("/v1/BCE-BEARER/token").query("expireInSeconds", [text("86400")]);
    let keys = Keys::new("demoBceAk", "secret");
    let signed = sign::bce(request, "https://iam.bj.baidubce.com", &keys, 1800, NOW).unwrap();
    assert_eq!(
        header(&signed, "authorization", &secrets(&[("secret", "demoBceSk")])),
        "bce-auth-v1/demoBceAk/2023-11-14T22:13:20Z/1800/host/\
         a7b5a65a251d8d9e66a9d03d15c5e6874de7f59d66facbb078ee5ce0e8f19333"
    );
}

#[test]
fn the_signed_url_of_a_websocket() {
    let secrets = secrets(&[("secret", "demoapisecretMDEyMzQ1Njc4OWFiY2Rl")]);
    let keys = Keys::new("demoapikey0123456789abcdef012345", "secret");
    for (path, signature) in [
        ("/v3.5/chat", "aHnotyRM0zEjV+611PdGxdfQEIgUTRx7IpYd67QgciA="),
        ("/chat/max-32k", "nDjLrQvzGKVNs+iSwqLprSsTT1MRqTEnebkWDAMr36M="),
    ] {
        let signed = sign::url_hmac(Request::get(path), "https://spark-api.xf-yun.com", &keys, NOW);
        let said = format!(
            "api_key=\"{}\", algorithm=\"hmac-sha256\", headers=\"host date request-line\", signature=\"{signature}\"",
            keys.id
        );
        let expected = evaluated(&Opaque::base64(Opaque::text(said)), &secrets);
        let query: Vec<(&str, String)> =
            signed.query.iter().map(|(name, value)| (name.as_str(), joined(value, &secrets))).collect();
        assert_eq!(
            query,
            [
                ("authorization", expected),
                ("date", "Tue, 14 Nov 2023 22:13:20 GMT".to_owned()),
                ("host", "spark-api.xf-yun.com".to_owned())
            ]
        );
    }
}

#[test]
fn tokens_signed_with_a_shared_key() {
    let secrets = secrets(&[("secret", "demoSecretABCDEF")]);
    let claims = r#"{"api_key":"demoid0123456789","exp":1700000210000,"timestamp":1700000000000}"#;
    for (header, signature) in [
        (r#"{"alg":"HS256","sign_type":"SIGN"}"#, "qhL9E2wkpafPccqhuM_n86AJuadAIgH6WvXws0C1_Tc"),
        (r#"{"alg":"HS256","sign_type":"SIGN","typ":"JWT"}"#, "TggiRodO7Us0Za0tQjxjtpDuVU1TgbfnTDYk6TFct-E"),
    ] {
        let token = evaluated(&sign::jwt_hs256(header, claims, "secret"), &secrets);
        assert!(token.ends_with(&format!(".{signature}")), "{token}");
        assert_eq!(token.split('.').count(), 3);
    }
}

#[test]
fn tokens_signed_with_a_private_key_say_what_is_signed() {
    let token = sign::jwt_rs256("{}", "[]", "key");
    let signed = r#"concat(base64url("{}"), ".", base64url("[]"))"#;
    assert_eq!(token.to_string(), format!(r#"concat({signed}, ".", base64url(rs256(secret:key, {signed})))"#));
}
