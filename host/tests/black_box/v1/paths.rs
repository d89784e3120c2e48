//! Paths as clients build them, and bodies as they send them.

use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use tokio::io::AsyncWriteExt;

use crate::{
    expect,
    setup::{self, question},
};

#[tokio::test]
async fn base_urls_with_and_without_the_version_all_work() {
    let (gateway, key) = setup::echo().await;
    let suffixes = ["/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions", "/v1/chat/completions/"];
    for path in suffixes {
        for query in ["", "?beta=true", "?limit=1000&x"] {
            let answer = gateway.post_json(&format!("{path}{query}"), &key, &question("echo")).await;
            assert_eq!(answer.status, 200, "{path}{query}: {}", answer.text());
        }
    }
    for path in ["/v1/models", "/models", "/v1/v1/models", "/v1/models/", "/v1/models?limit=1000"] {
        assert_eq!(gateway.get(path, &key).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn compressed_bodies_are_understood() {
    let (gateway, key) = setup::echo().await;
    let body = question("echo").to_string();
    let mut gzip = GzipEncoder::new(Vec::new());
    let mut zstd = ZstdEncoder::new(Vec::new());
    let mut brotli = BrotliEncoder::new(Vec::new());
    gzip.write_all(body.as_bytes()).await.unwrap();
    zstd.write_all(body.as_bytes()).await.unwrap();
    brotli.write_all(body.as_bytes()).await.unwrap();
    gzip.shutdown().await.unwrap();
    zstd.shutdown().await.unwrap();
    brotli.shutdown().await.unwrap();
    let bodies = [("gzip", gzip.into_inner()), ("zstd", zstd.into_inner()), ("br", brotli.into_inner())];
    let call = || gateway.call("POST", "/v1/chat/completions").bearer(&key);
    for (encoding, bytes) in bodies {
        let answer = call().header("content-encoding", encoding).json_text(bytes).send().await;
        assert_eq!(answer.status, 200, "{encoding}: {}", answer.text());
        assert!(answer.content().contains("ping"), "{encoding}");
    }
    let unknown = call().header("content-encoding", "rot13").json_text(body.clone()).send().await;
    assert!(matches!(unknown.status.as_u16(), 400 | 415), "{}", unknown.text());
    assert!(unknown.json()["error"]["message"].is_string());
    expect::error(&call().header("content-encoding", "gzip").json_text(body).send().await, expect::INVALID);
}

#[tokio::test]
async fn a_body_that_inflates_over_the_limit_is_refused() {
    let gateway = setup::bare().plugin("echo").env("WITGATE_SERVER_BODY_LIMIT_BYTES", "1048576").start().await;
    let key = gateway.key("app").await;
    let mut gzip = GzipEncoder::new(Vec::new());
    gzip.write_all(&vec![b' '; 64 << 20]).await.unwrap();
    gzip.shutdown().await.unwrap();
    let before = gateway.resident_kib();
    let call = gateway.call("POST", "/v1/chat/completions").bearer(&key).header("content-encoding", "gzip");
    expect::error(&call.json_text(gzip.into_inner()).send().await, expect::TOO_LARGE);
    assert!(gateway.resident_kib() < before + 32 * 1024, "the bomb was inflated");
}

#[tokio::test]
async fn a_body_needs_no_content_type() {
    let (gateway, key) = setup::echo().await;
    let call = gateway.call("POST", "/v1/chat/completions").bearer(&key).body(question("echo").to_string());
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let (gateway, key) = setup::echo().await;
    let first = gateway.chat(&key, &question("echo")).await;
    let second = gateway.chat(&key, &question("nothing")).await;
    let (first, second) = (first.header("x-request-id"), second.header("x-request-id"));
    assert!(!first.is_empty() && !second.is_empty() && first != second, "{first} {second}");
}
