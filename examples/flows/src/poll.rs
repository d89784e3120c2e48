//! Create, ask until it is done, then read: three kinds of request in one exchange, and a cancel when the client leaves.

use serde_json::{Value, json};
use witgate_sdk::{Call, Either, Fault, Io, Request, secret};

use crate::{answer, question};

/// How long between two questions; the vendor's limit is one a second.
const PAUSE_MS: u32 = 50;

pub(crate) async fn run(call: Call, io: Io) -> Result<(), Fault> {
    let made: Value =
        ask(&io, Request::post("/v3/chat").json(json!({"bot": call.model, "query": question(&call)?}).to_string()))
            .await?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    match io.race(wait(&io, &id), io.abandoned()).await {
        Either::First(done) => {
            let usage = done?;
            let list: Value =
                ask(&io, Request::get("/v3/chat/messages").query("chat_id", [witgate_sdk::text(&id)])).await?;
            let texts: Vec<&str> =
                list["messages"].as_array().into_iter().flatten().filter_map(|m| m["content"].as_str()).collect();
            answer(&call, &io, &texts.join("\n"), usage);
        }
        Either::Second(()) => {
            ask(&io, Request::post("/v3/chat/cancel").json(json!({"chat_id": id}).to_string())).await?;
        }
    }
    Ok(())
}

async fn wait(io: &Io, id: &str) -> Result<(u32, u32), Fault> {
    loop {
        let state: Value = ask(io, Request::get("/v3/chat/retrieve").query("chat_id", [witgate_sdk::text(id)])).await?;
        match state["status"].as_str() {
            Some("completed") => {
                let count = |name: &str| state["usage"][name].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
                return Ok((count("input_count"), count("output_count")));
            }
            Some("failed") => return Err(Fault::upstream_broken("the vendor could not answer")),
            _ => io.sleep(PAUSE_MS).await,
        }
    }
}

/// A request whose answer is `{"code": 0, "data": {...}}`; another code is an error in spite of the status 200.
async fn ask(io: &Io, request: Request) -> Result<Value, Fault> {
    let reply = io.text(request.bearer([secret("key")])).await?.accepted(Fault::from_openai)?;
    let mut whole: Value = reply.json()?;
    match whole["code"].as_u64() {
        Some(0) => Ok(whole["data"].take()),
        Some(4013) => {
            Err(Fault::rate_limited(whole["msg"].as_str().unwrap_or_default()).with_vendor(whole.to_string()))
        }
        _ => Err(Fault::invalid_request(whole["msg"].as_str().unwrap_or_default()).with_vendor(whole.to_string())),
    }
}
