//! Signing schemes that vendors use, as chains of values. The expected results are the vendors' published ones, or were made with their own
//! SDKs and with openssl.

use std::collections::BTreeMap;

use domain::Secret;

use super::Values;

/// Builds values and names what fails in a test.
struct Chain(Values);

impl Chain {
    fn new(secrets: &[(&str, &str)]) -> Chain {
        let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(value)));
        Chain(Values::new(secrets.collect::<BTreeMap<_, _>>(), 1 << 20))
    }

    fn secret(&mut self, name: &str) -> u32 {
        self.0.get(name).unwrap().unwrap()
    }

    fn text(&mut self, text: &str) -> u32 {
        self.0.text(text.to_owned()).unwrap()
    }

    fn join(&mut self, values: &[u32]) -> u32 {
        self.0.concat(values).unwrap().unwrap()
    }

    fn hmac(&mut self, key: u32, text: &str) -> u32 {
        let data = self.text(text);
        self.0.hmac("sha256", key, data).unwrap().unwrap()
    }

    fn encode(&mut self, encoding: &str, value: u32) -> u32 {
        self.0.encode(encoding, value).unwrap().unwrap()
    }

    /// The SHA-256 of a value, in hex.
    fn digest(&mut self, value: u32) -> u32 {
        let hash = self.0.hash("sha256", value).unwrap().unwrap();
        self.encode("hex", hash)
    }

    fn read(&self, value: u32) -> &str {
        std::str::from_utf8(self.0.value(value).unwrap()).unwrap()
    }
}

/// One case of AWS Signature Version 4.
struct SigV4 {
    secret_key: &'static str,
    at: &'static str,
    region: &'static str,
    service: &'static str,
    /// `{token}` is where the session token goes.
    canonical_request: &'static str,
    signing_key: &'static str,
    signature: &'static str,
}

const SIGV4: [SigV4; 5] = [
    // `get-vanilla` of AWS's own suite.
    SigV4 {
        secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        at: "20150830T123600Z",
        region: "us-east-1",
        service: "service",
        canonical_request: "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signing_key: "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    SigV4 {
        secret_key: "made-up-Secret/Key+ForTests0123456789abcd",
        at: "20260102T030405Z",
        region: "us-east-1",
        service: "bedrock",
        canonical_request: "POST\n/model/anthropic.claude-3-5-sonnet-20241022-v2%253A0/invoke\n\naccept:application/json\n\
            content-type:application/json\nhost:bedrock-runtime.us-east-1.amazonaws.com\nx-amz-date:20260102T030405Z\n\n\
            accept;content-type;host;x-amz-date\n616eb59224eb795b641b4c541ad9ee8b939a1e8798f73b54fce66bb79ddbb992",
        signing_key: "d2180492064a363bb61e2202b57b478477a4e52d25e7182beba5a49e987276c5",
        signature: "8122884eb8618a5c8f63878c1079d5d36a05fc77009746ad4d28ddc22401b8a4",
    },
    SigV4 {
        secret_key: "made-up-Secret/Key+ForTests0123456789abcd",
        at: "20260102T030405Z",
        region: "us-east-1",
        service: "bedrock",
        canonical_request: "POST\n/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/invoke\n\naccept:application/json\n\
            content-type:application/json\nhost:bedrock-runtime.us-east-1.amazonaws.com\nx-amz-date:20260102T030405Z\n\n\
            accept;content-type;host;x-amz-date\n616eb59224eb795b641b4c541ad9ee8b939a1e8798f73b54fce66bb79ddbb992",
        signing_key: "d2180492064a363bb61e2202b57b478477a4e52d25e7182beba5a49e987276c5",
        signature: "86fd4cfac81306b8ea165b98b04b0483ba9f3105528bb49770b5defc58470be6",
    },
    // A session token is secret too, and is signed: the canonical request is a value itself.
    SigV4 {
        secret_key: "made-up-Secret/Key+ForTests0123456789abcd",
        at: "20260102T030405Z",
        region: "eu-west-1",
        service: "bedrock",
        canonical_request: "POST\n/model/arn%253Aaws%253Abedrock%253Aeu-west-1%253A123456789012%253Aapplication-inference-profile\
            %252Fabc123def456/converse-stream\n\ncontent-type:application/json\nhost:bedrock-runtime.eu-west-1.amazonaws.com\n\
            x-amz-date:20260102T030405Z\nx-amz-security-token:{token}\n\n\
            content-type;host;x-amz-date;x-amz-security-token\n5903c58ae9037766e41ea3e3ef4368cbac6b3f82d1c1f15a67ac4a7520b79d7f",
        signing_key: "b695612fb42f24a9a187b69162b7780ead107446496d57667ad3513e226dbacc",
        signature: "e3a75e98d7af74aeac11fa61d4cb5898efe014f79c484637fe173dabe86ae91f",
    },
    SigV4 {
        secret_key: "made-up-Secret/Key+ForTests0123456789abcd",
        at: "20260102T030405Z",
        region: "us-west-2",
        service: "bedrock",
        canonical_request: "GET\n/foundation-models\nbyOutputModality=TEXT&byProvider=Anthropic\n\
            host:bedrock.us-west-2.amazonaws.com\nx-amz-date:20260102T030405Z\n\nhost;x-amz-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signing_key: "5272af442581a5fd15866b4f7103fc76dd1ced6eee94f644c4c13a0e366895e7",
        signature: "17cb11e706b6216d2000124591b60390eee75748847666cf2f84d80a19242f07",
    },
];

#[test]
fn aws_signature_version_4() {
    for case in SIGV4 {
        let mut chain = Chain::new(&[("secret_key", case.secret_key), ("session_token", "made-up-session-token==")]);
        let mut parts = Vec::new();
        for (index, part) in case.canonical_request.split("{token}").enumerate() {
            if index > 0 {
                parts.push(chain.secret("session_token"));
            }
            parts.push(chain.text(part));
        }
        let canonical = chain.join(&parts);
        let day = &case.at[..8];
        let scope = format!("{day}/{}/{}/aws4_request", case.region, case.service);
        let head = chain.text(&format!("AWS4-HMAC-SHA256\n{}\n{scope}\n", case.at));
        let digest = chain.digest(canonical);
        let string_to_sign = chain.join(&[head, digest]);

        let (prefix, secret) = (chain.text("AWS4"), chain.secret("secret_key"));
        let mut key = chain.join(&[prefix, secret]);
        for step in [day, case.region, case.service, "aws4_request"] {
            key = chain.hmac(key, step);
        }
        let key_hex = chain.encode("hex", key);
        assert_eq!(chain.read(key_hex), case.signing_key);
        let signature = chain.0.hmac("sha256", key, string_to_sign).unwrap().unwrap();
        let signature = chain.encode("hex", signature);
        assert_eq!(chain.read(signature), case.signature);
    }
}

#[test]
fn tencent_tc3() {
    let payload_sha256 = "6690e0a5574590b870015a8306850eaef67d8d9df984722b6bac70e6ba0aab9f";
    for (headers, signed, canonical_sha256, expected) in [
        (
            "content-type:application/json\nhost:hunyuan.tencentcloudapi.com\nx-tc-action:chatcompletions\n",
            "content-type;host;x-tc-action",
            "af6808151e343c8c6208025ff52eb7c8353e9a5b510f7a8c865525b739da879b",
            "6d732070b753bb5fd59c9285889f70685e1906a8da37f1bbe8bf7c876f65ff63",
        ),
        (
            "content-type:application/json\nhost:hunyuan.tencentcloudapi.com\n",
            "content-type;host",
            "e535f09edb0590ea242cd7e58c858d1cf18ef1f09f99247fb390ba54ff565bfa",
            "b3bd1f57838b613d21c2546aa334bff9617e3e7b34608726b8c55fe354dbaddb",
        ),
    ] {
        let mut chain = Chain::new(&[("secret_key", "demoTencentSecretKey")]);
        let canonical = chain.text(&format!("POST\n/\n\n{headers}\n{signed}\n{payload_sha256}"));
        let digest = chain.digest(canonical);
        assert_eq!(chain.read(digest), canonical_sha256);
        let (prefix, secret) = (chain.text("TC3"), chain.secret("secret_key"));
        let mut key = chain.join(&[prefix, secret]);
        for step in ["2023-11-14", "hunyuan", "tc3_request"] {
            key = chain.hmac(key, step);
        }
        let to_sign = format!("TC3-HMAC-SHA256\n1700000000\n2023-11-14/hunyuan/tc3_request\n{canonical_sha256}");
        let signature = chain.hmac(key, &to_sign);
        let signature = chain.encode("hex", signature);
        assert_eq!(chain.read(signature), expected);
    }
}

#[test]
fn baidu_bce_v1() {
    let mut chain = Chain::new(&[("secret_key", "demoBceSk")]);
    let secret = chain.secret("secret_key");
    let prefix = "bce-auth-v1/demoBceAk/2023-11-14T22:13:20Z/1800";
    let key = chain.hmac(secret, prefix);
    // The key of the second step is the hex text of the first.
    let key = chain.encode("hex", key);
    assert_eq!(chain.read(key), "814536a354536e5ca14f6506d66eddef13c4fd8895f4c61fb6ae69e6acec370a");
    let signature = chain.hmac(key, "GET\n/v1/BCE-BEARER/token\nexpireInSeconds=86400\nhost:iam.bj.baidubce.com");
    let (start, signature) = (chain.text(&format!("{prefix}/host/")), chain.encode("hex", signature));
    let authorization = chain.join(&[start, signature]);
    let expected = format!("{prefix}/host/a7b5a65a251d8d9e66a9d03d15c5e6874de7f59d66facbb078ee5ce0e8f19333");
    assert_eq!(chain.read(authorization), expected);
}

#[test]
fn spark_signed_address() {
    for (path, signed, expected) in [
        (
            "/v3.5/chat",
            "aHnotyRM0zEjV+611PdGxdfQEIgUTRx7IpYd67QgciA=",
            "YXBpX2tleT0iZGVtb2FwaWtleTAxMjM0NTY3ODlhYmNkZWYwMTIzNDUiLCBhbGdvcml0aG09ImhtYWMtc2hhMjU2IiwgaGVhZGVycz0iaG9zdCBkYXRlIHJlcXVl\
             c3QtbGluZSIsIHNpZ25hdHVyZT0iYUhub3R5Uk0wekVqVis2MTFQZEd4ZGZRRUlnVVRSeDdJcFlkNjdRZ2NpQT0i",
        ),
        (
            "/chat/max-32k",
            "nDjLrQvzGKVNs+iSwqLprSsTT1MRqTEnebkWDAMr36M=",
            "YXBpX2tleT0iZGVtb2FwaWtleTAxMjM0NTY3ODlhYmNkZWYwMTIzNDUiLCBhbGdvcml0aG09ImhtYWMtc2hhMjU2IiwgaGVhZGVycz0iaG9zdCBkYXRlIHJlcXVl\
             c3QtbGluZSIsIHNpZ25hdHVyZT0ibkRqTHJRdnpHS1ZOcytpU3dxTHByU3NUVDFNUnFURW5lYmtXREFNcjM2TT0i",
        ),
    ] {
        let secrets = [("secret", "demoapisecretMDEyMzQ1Njc4OWFiY2Rl"), ("key", "demoapikey0123456789abcdef012345")];
        let mut chain = Chain::new(&secrets);
        let date = "Tue, 14 Nov 2023 22:13:20 GMT";
        let secret = chain.secret("secret");
        let signature = chain.hmac(secret, &format!("host: spark-api.xf-yun.com\ndate: {date}\nGET {path} HTTP/1.1"));
        let signature = chain.encode("base64", signature);
        assert_eq!(chain.read(signature), signed);
        let parts = [
            chain.text("api_key=\""),
            chain.secret("key"),
            chain.text("\", algorithm=\"hmac-sha256\", headers=\"host date request-line\", signature=\""),
            signature,
            chain.text("\""),
        ];
        let authorization = chain.join(&parts);
        let authorization = chain.encode("base64", authorization);
        assert_eq!(chain.read(authorization), expected);
        let date = chain.text(date);
        let date = chain.encode("url", date);
        assert_eq!(chain.read(date), "Tue%2C%2014%20Nov%202023%2022%3A13%3A20%20GMT");
    }
}

#[test]
fn zhipu_jwt() {
    let start =
        "eyJhcGlfa2V5IjoiZGVtb2lkMDEyMzQ1Njc4OSIsImV4cCI6MTcwMDAwMDIxMDAwMCwidGltZXN0YW1wIjoxNzAwMDAwMDAwMDAwfQ";
    for (header, expected) in [
        (r#"{"alg":"HS256","sign_type":"SIGN"}"#, "qhL9E2wkpafPccqhuM_n86AJuadAIgH6WvXws0C1_Tc"),
        (r#"{"alg":"HS256","sign_type":"SIGN","typ":"JWT"}"#, "TggiRodO7Us0Za0tQjxjtpDuVU1TgbfnTDYk6TFct-E"),
    ] {
        let mut chain = Chain::new(&[("secret", "demoSecretABCDEF")]);
        let header = chain.text(header);
        let header = chain.encode("base64url", header);
        let claims = chain.text(r#"{"api_key":"demoid0123456789","exp":1700000210000,"timestamp":1700000000000}"#);
        let claims = chain.encode("base64url", claims);
        assert_eq!(chain.read(claims), start);
        let dot = chain.text(".");
        let signed = chain.join(&[header, dot, claims]);
        let secret = chain.secret("secret");
        let signature = chain.0.hmac("sha256", secret, signed).unwrap().unwrap();
        let signature = chain.encode("base64url", signature);
        assert_eq!(chain.read(signature), expected);
    }
}
