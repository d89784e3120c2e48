//! The smallest real adapter: an invented vendor with an API of its own, mapped to chat completions and back.
//!
//! The vendor takes `POST /say {"model", "prompt", "stream"}` and answers `{"text", "words_in", "words_out"}`, or, streaming, lines
//! `{"part"}` and at last `{"words_in", "words_out"}`. An error is `{"error": "..."}` with an HTTP status.

use serde::Deserialize;
use serde_json::{Value, json};
use witgate_sdk::{
    Call, Catalog, Fault, Framing, Head, Mapper, Message, Out, Provider, Request, Simple, Stamp, Usage, secret, text,
};

/// What the component offers.
pub struct Shop;

impl Catalog for Shop {
    fn providers() -> Vec<Provider> {
        let descriptor = json!({
            "title": "Hello",
            "version": env!("CARGO_PKG_VERSION"),
            "endpoints": [{"name": "api", "url": "https://api.hello.example/v1"}],
            "secrets": [{"name": "key", "title": "API key"}],
            "placements": [{"endpoint": "api", "in": "header", "name": "authorization"}],
            "settings": {"type": "object", "properties": {}, "additionalProperties": false},
            "operations": ["chat"],
            "models": [{"id": "hello-1", "context": 8192}],
        });
        vec![Provider::new("hello", descriptor.to_string())]
    }
}

/// One exchange.
pub struct Chat {
    call: Call,
    stamp: Stamp,
    /// A chunk was emitted.
    begun: bool,
}

/// The vendor's answer, or a line of it. What a line does not have is absent.
#[derive(Deserialize)]
struct Answer {
    text: Option<String>,
    part: Option<String>,
    words_in: Option<u32>,
    words_out: Option<u32>,
}

impl Answer {
    fn read(text: &str) -> Result<Answer, Fault> {
        serde_json::from_str(text)
            .map_err(|error| Fault::upstream_broken(format!("the vendor's answer is not what it should be: {error}")))
    }
}

impl Mapper for Chat {
    fn open(call: Call) -> Result<Self, Fault> {
        Ok(Chat { stamp: Stamp::new(&call), call, begun: false })
    }

    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault> {
        let body = &self.call.body;
        let messages: Vec<Value> = body.required("messages")?;
        let texts: Vec<&str> = messages.iter().filter_map(|message| message.get("content")?.as_str()).collect();
        if texts.len() < messages.len() {
            return Err(Fault::unsupported("this vendor only understands messages whose content is text"));
        }
        // What cannot be mapped is told, not dropped in silence.
        for field in body.keys().filter(|key| !["model", "messages", "stream", "stream_options"].contains(key)) {
            out.loss(field, "the vendor has no such field");
        }
        let said = json!({"model": self.call.model, "prompt": texts.join("\n"), "stream": self.call.streaming});
        let request =
            Request::post("/say").header("authorization", [text("Bearer "), secret("key")]).json(said.to_string());
        Ok(Some(request.framing(if self.call.streaming { Framing::Ndjson } else { Framing::Text })))
    }

    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
        let answer = Answer::read(body)?;
        out.emit(self.stamp.completion().text(&answer.text.unwrap_or_default()).finish("stop").to_json());
        out.usage(Usage::new().input(answer.words_in.unwrap_or(0)).output(answer.words_out.unwrap_or(0)));
        out.finish("stop");
        Ok(())
    }

    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        let answer = Answer::read(&message.data)?;
        if let Some(part) = &answer.part {
            let chunk = self.stamp.chunk().text(part);
            let begun = std::mem::replace(&mut self.begun, true);
            out.emit(if begun { chunk } else { chunk.role("assistant") }.to_json());
        }
        if let (Some(input), Some(output)) = (answer.words_in, answer.words_out) {
            out.emit(self.stamp.chunk().finish("stop").to_json());
            out.usage(Usage::new().input(input).output(output));
            out.finish("stop");
        }
        Ok(())
    }

    fn fault(&mut self, head: &Head, body: &str) -> Fault {
        Fault::from_openai(head, body) // also reads `{"error": "text"}`
    }
}

witgate_sdk::adapter! { catalog = Shop, chat = Simple<Chat> }
