//! Questions about the account, and embeddings: the same step machine as a chat.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Io, Request, Script, Usage, secret};

/// Balance, models, count of tokens.
pub struct Account;

impl Script for Account {
    async fn run(call: Call, io: Io) -> Result<(), Fault> {
        let get = async |path: &str| -> Result<Value, Fault> {
            io.text(Request::get(path).bearer([secret("key")])).await?.accepted(Fault::from_openai)?.json()
        };
        let answer = match call.operation.as_str() {
            "balance" => {
                let balance = get("/balance").await?;
                json!({"amount": balance["left"], "currency": "USD"})
            }
            "models" => {
                let list = get("/models").await?;
                let ids = list["data"].as_array().into_iter().flatten().map(|model| json!({"id": model["id"]}));
                json!({"models": ids.collect::<Vec<_>>()})
            }
            "count-tokens" => {
                let request = Request::post("/count").bearer([secret("key")]).json(call.body.to_json());
                let counted: Value = io.text(request).await?.accepted(Fault::from_openai)?.json()?;
                json!({"input_tokens": counted["tokens"]})
            }
            other => return Err(Fault::unsupported(format!("there is no `{other}`"))),
        };
        io.emit(answer.to_string());
        io.finish("stop");
        Ok(())
    }
}

/// Embeddings of a vendor with field names of its own.
pub struct Embeddings;

impl Script for Embeddings {
    async fn run(call: Call, io: Io) -> Result<(), Fault> {
        let input: Value = call.body.required("input")?;
        let request = json!({"model": call.model, "texts": input});
        let request = Request::post("/embed").bearer([secret("key")]).json(request.to_string());
        let reply: Value = io.text(request).await?.accepted(Fault::from_openai)?.json()?;
        let vectors = reply["vectors"].as_array().cloned().unwrap_or_default();
        let row = |(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector});
        let data: Vec<Value> = vectors.into_iter().enumerate().map(row).collect();
        io.emit(json!({"object": "list", "data": data, "model": call.model}).to_string());
        io.usage(Usage::new().input(reply["tokens"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0)));
        io.finish("stop");
        Ok(())
    }
}
