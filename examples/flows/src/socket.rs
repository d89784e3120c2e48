//! A vendor behind a WebSocket whose address is signed: one message goes out, the answer comes as several.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Frame, Framing, Incoming, Io, Request, Stamp, Usage, sign};

use crate::question;

pub(crate) async fn run(call: Call, io: Io) -> Result<(), Fault> {
    let app = call.key_part("app_id").unwrap_or_default();
    let said = json!({
        "header": {"app_id": app},
        "payload": {"message": {"text": [{"role": "user", "content": question(&call)?}]}},
    });
    let keys = sign::Keys::new(call.key_part("api_key").unwrap_or_default(), "api_secret");
    let request = Request::get("/v3.5/chat").framing(Framing::WebSocket);
    let request = sign::url_hmac(request, call.endpoint("api").unwrap_or_default(), &keys, call.now);
    let mut socket = io.send(request);
    let head = socket.head().await?;
    if head.status != 101 {
        let body = socket.message().await?.map(|message| message.data).unwrap_or_default();
        return Err(Fault::from_openai(&head, &body));
    }
    socket.ws_send(Frame::Text(said.to_string()));
    let stamp = Stamp::new(&call);
    while let Some(incoming) = socket.next().await? {
        let bytes = match incoming {
            Incoming::Message(message) => message.data.into_bytes(),
            Incoming::Binary(binary) => binary.data,
            Incoming::Body(_) => continue,
        };
        let part: Value = serde_json::from_slice(&bytes).map_err(|error| Fault::upstream_broken(error.to_string()))?;
        if let Some(code) = part["header"]["code"].as_u64().filter(|code| *code != 0) {
            return Err(Fault::upstream_broken(format!("the vendor's error {code}")).with_vendor(part.to_string()));
        }
        let text = part.pointer("/payload/choices/text/0/content").and_then(Value::as_str).unwrap_or_default();
        io.emit(stamp.chunk().text(text).to_json());
        if part["header"]["status"] == 2 {
            let count = |name: &str| {
                let count = part.pointer(&format!("/payload/usage/text/{name}")).and_then(Value::as_u64);
                count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
            };
            io.usage(Usage::new().input(count("prompt_tokens")).output(count("completion_tokens")));
            io.emit(stamp.chunk().finish("stop").to_json());
            io.finish("stop");
            return Ok(());
        }
    }
    Ok(())
}
