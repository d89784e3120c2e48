//! What most tests start from: a gateway in front of a scripted vendor, and a key.

use domain::UsageRecord;
use serde_json::{Value, json};
use store::{OpenOptions, Store};
use testkit::{Answered, GatewayBuilder, ScriptedVendor, SseReader, TestGateway};

/// Providers whose wire is OpenAI's: one passes answers through the host, one maps every event in its sandbox.
pub(crate) const PROVIDERS: [&str; 2] = ["compatible", "openai"];

/// The model that every vendor channel of these tests offers.
pub(crate) const MODEL: &str = "gpt-test";

/// A gateway without any component.
pub(crate) fn bare() -> GatewayBuilder {
    TestGateway::builder(env!("CARGO_BIN_EXE_witgate"))
}

/// A gateway whose answers need no vendor, and a key.
pub(crate) async fn echo() -> (TestGateway, String) {
    let gateway = bare().plugin("echo").start().await;
    let key = gateway.key("app").await;
    (gateway, key)
}

/// A gateway, a vendor behind it, and a key.
pub(crate) struct Setup {
    // The gateway is dropped first: it may still be talking.
    pub(crate) gateway: TestGateway,
    pub(crate) vendor: ScriptedVendor,
    pub(crate) key: String,
}

impl Setup {
    pub(crate) async fn chat(&self, body: &Value) -> Answered {
        self.gateway.chat(&self.key, body).await
    }

    pub(crate) async fn ask(&self) -> Answered {
        self.chat(&question(MODEL)).await
    }

    pub(crate) async fn ask_stream(&self) -> SseReader {
        self.gateway.chat_stream(&self.key, &streaming(MODEL)).await
    }

    /// The gateway still serves.
    pub(crate) async fn lives_on(&self) {
        let answer = self.ask().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// A channel of the mapping provider in front of a vendor that gives its default answers.
pub(crate) async fn vendor() -> Setup {
    vendor_of("compatible", bare()).await
}

/// The same for any provider and any gateway.
pub(crate) async fn vendor_of(provider: &str, builder: GatewayBuilder) -> Setup {
    let vendor = ScriptedVendor::start().await;
    let gateway = builder.plugin("openai").start().await;
    gateway.channel("main", provider, &vendor.base_url(), MODEL).await;
    let key = gateway.key("app").await;
    Setup { gateway, vendor, key }
}

/// The smallest request.
pub(crate) fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "ping"}]})
}

/// The smallest request for a stream.
pub(crate) fn streaming(model: &str) -> Value {
    let mut body = question(model);
    body["stream"] = json!(true);
    body
}

/// A vendor's chunk of text.
pub(crate) fn text_chunk(text: &str) -> Value {
    chunk(json!({"content": text}), Value::Null)
}

/// A vendor's chunk with the finish reason.
pub(crate) fn last_chunk() -> Value {
    chunk(json!({}), json!("stop"))
}

fn chunk(delta: Value, finish: Value) -> Value {
    let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "vendor-model", "choices": choices})
}

/// A vendor's whole answer.
pub(crate) fn completion(text: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "vendor-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    })
}

/// The usage records of a gateway, newest first, read beside the running server.
pub(crate) async fn records(gateway: &TestGateway) -> Vec<UsageRecord> {
    let options = OpenOptions { url: None, data_dir: gateway.data_dir(), master_key: None, create: false };
    let store = Store::open(options).await.expect("the gateway's database");
    let records = store.usage_records(1000).await.expect("the records can be read");
    store.close().await;
    records
}
