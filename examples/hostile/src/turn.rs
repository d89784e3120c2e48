//! One step of an exchange: asks each kind of misbehaviour whether it is its turn, and otherwise behaves.

use crate::{
    Exchange,
    bindings::witgate::adapter::machine::{
        Amount, Batch, Call, Effect, Event, Fault, Field, Payload, Piece, Request, Usage,
    },
    exhaust, liar, request, spy, thief,
};

/// What a step has to go by.
pub(crate) struct Turn<'a> {
    pub(crate) name: &'a str,
    pub(crate) call: &'a Call,
    pub(crate) in_grant: bool,
    pub(crate) step: u32,
    pub(crate) events: &'a [Event],
    exchange: &'a Exchange,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(exchange: &'a Exchange, batch: &'a Batch) -> Turn<'a> {
        Turn {
            name: &exchange.name,
            call: &exchange.call,
            in_grant: exchange.in_grant,
            step: exchange.steps.get(),
            events: &batch.events,
            exchange,
        }
    }

    /// The exchange begins.
    pub(crate) fn starts(&self) -> bool {
        matches!(self.events.first(), Some(Event::Start))
    }

    /// Everything that upstreams have shown in this exchange.
    pub(crate) fn seen(&self) -> String {
        self.exchange.seen.borrow().clone()
    }

    /// The client's request, as this guest gets it.
    pub(crate) fn body(&self) -> &str {
        match &self.call.body {
            Payload::Text(text) => text,
            _ => "",
        }
    }

    pub(crate) fn effects(&self) -> Vec<Effect> {
        let mut over = false;
        for event in self.events {
            let mut seen = self.exchange.seen.borrow_mut();
            match event {
                Event::Head(head) => {
                    head.headers
                        .iter()
                        .for_each(|header| seen.push_str(&format!("{}: {}\n", header.name, header.value)));
                }
                Event::Message(message) => seen.push_str(&message.data),
                Event::Failed(failure) => {
                    seen.push_str(&format!("{}: {}", failure.code, failure.text));
                    over = true;
                }
                Event::End(_) | Event::Timer(_) => over = true,
                _ => {}
            }
        }
        let turns = [exhaust::step, request::step, thief::step, liar::step, spy::step];
        turns.iter().find_map(|turn| turn(self)).unwrap_or_else(|| match (self.starts(), over) {
            (true, _) => answer("harmless"),
            // Whatever came back goes to the client: if there was a secret in it, the client has it now.
            (false, true) => answer(&self.seen()),
            (false, false) => Vec::new(),
        })
    }
}

/// The whole canonical answer with this text.
pub(crate) fn completion(text: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-hostile","object":"chat.completion","created":1,"model":"hostile","choices":[{{"index":0,"message":{{"role":"assistant","content":{}}},"finish_reason":"stop"}}]}}"#,
        quoted(text)
    )
}

/// Says this, correctly.
pub(crate) fn answer(text: &str) -> Vec<Effect> {
    let amounts = ["input", "output"].map(|class| Amount { class: class.to_owned(), count: 1 });
    vec![
        Effect::Emit(completion(text)),
        Effect::Usage(Usage { amounts: amounts.into(), estimated: false, extras: Vec::new() }),
        finish(),
    ]
}

pub(crate) fn finish() -> Effect {
    Effect::Finish("stop".to_owned())
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            letter if letter.is_control() => json.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => json.push(letter),
        }
    }
    json.push('"');
    json
}

/// A fault with nothing but a code and a message.
pub(crate) fn fault(code: &str, message: &str) -> Fault {
    Fault {
        code: code.to_owned(),
        status: 0,
        retry_after_ms: None,
        until: None,
        param: None,
        message: message.to_owned(),
        vendor: String::new(),
        extras: Vec::new(),
    }
}

/// A request that nobody could object to.
pub(crate) fn harmless(id: u32) -> Request {
    Request {
        id,
        method: "POST".to_owned(),
        endpoint: "api".to_owned(),
        path: "/hostile".to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Payload::Text("{\"model\":\"hostile\"}".to_owned()),
        framing: "text".to_owned(),
        extras: Vec::new(),
    }
}

/// The same with the secret where the catalog has a place for it.
pub(crate) fn authorized(id: u32) -> Request {
    let value = vec![Piece::Text("Bearer ".to_owned()), Piece::Secret("key".to_owned())];
    Request { headers: vec![Field { name: "authorization".to_owned(), value }], ..harmless(id) }
}

/// A field of one text.
pub(crate) fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: vec![Piece::Text(value.to_owned())] }
}
