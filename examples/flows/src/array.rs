//! A stream that is one JSON array, its elements coming one by one; the key goes into the query.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Framing, Io, Request, Stamp, Usage, secret};

use crate::question;

pub(crate) async fn run(call: Call, io: Io) -> Result<(), Fault> {
    let body = json!({"contents": [{"parts": [{"text": question(&call)?}]}]});
    let path = format!("/models/{}:streamGenerateContent", call.model);
    let request = Request::post(path).query("key", [secret("key")]).json(body.to_string()).framing(Framing::JsonArray);
    let mut flight = io.send(request);
    let head = flight.head().await?;
    let stamp = Stamp::new(&call);
    while let Some(message) = flight.message().await? {
        if head.status >= 400 {
            return Err(Fault::from_openai(&head, &message.data).with_status(head.status));
        }
        let part: Value =
            serde_json::from_str(&message.data).map_err(|error| Fault::upstream_broken(error.to_string()))?;
        if let Some(text) = part.pointer("/candidates/0/content/parts/0/text").and_then(Value::as_str) {
            io.emit(stamp.chunk().text(text).to_json());
        }
        if part.pointer("/candidates/0/finishReason").is_some() {
            let count =
                |name: &str| part["usageMetadata"][name].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            io.usage(Usage::new().input(count("promptTokenCount")).output(count("candidatesTokenCount")));
            io.emit(stamp.chunk().finish("stop").to_json());
            io.finish("stop");
        }
    }
    Ok(())
}
