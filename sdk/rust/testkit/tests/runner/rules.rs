//! What an adapter is held to, and how a difference is shown.

use crate::{Teller, Told, fails, passes, with};
use witgate_sdk::{
    Call, Effect, Event, Fault, Framing, Head, Machine, Mapper, Message, Opaque, Out, Request, Simple, secret, text,
};

/// A vendor that speaks the canonical format. The model says how the adapter misbehaves.
struct Chat(Call);

impl Mapper for Chat {
    fn open(call: Call) -> Result<Self, Fault> {
        Ok(Chat(call))
    }
    fn request(&mut self, _: &mut Out) -> Result<Option<Request>, Fault> {
        self.0.body.set("model", &self.0.model);
        let request = Request::post("/chat")
            .query("sign", [Opaque::hex(Opaque::secret("key")).into()])
            .header("authorization", [text("Bearer "), secret("key")]);
        Ok(Some(request.json(self.0.body.to_string()).framing(Framing::Sse)))
    }
    fn head(&mut self, head: &Head, out: &mut Out) -> Result<(), Fault> {
        if self.0.model != "no-relay" {
            out.relay(head.id);
        }
        Ok(())
    }
    fn response(&mut self, body: &str, _: &mut Out) -> Result<(), Fault> {
        Err(Fault::upstream_broken(body))
    }
    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        if message.data == "[DONE]" {
            return Ok(());
        }
        let done = message.data.contains("\"stop\"");
        if self.0.model == "rubbish" {
            out.emit("{}");
        } else {
            out.emit(message.data);
        }
        if done {
            out.finish("stop");
        }
        Ok(())
    }
    fn fault(&mut self, head: &Head, body: &str) -> Fault {
        Fault::from_openai(head, body)
    }
}

const CHUNK: &str =
    r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
const LAST: &str = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const REQUEST: &str = r#"{"method": "POST", "endpoint": "api", "path": "/chat", "query": {"sign": "7b7365637265743a6b65797d"},
    "headers": {"authorization": "Bearer {secret:key}", "content-type": "application/json"}, "framing": "sse",
    "body": {"z": 1.0, "model": "MODEL"}}"#;

/// The files of a case with this model.
struct Files {
    case: String,
    request: String,
    response: String,
    effects: String,
}

impl Files {
    fn new(model: &str) -> Files {
        let key = if model == "no-key" { "" } else { "\"key\"" };
        Files {
            case: format!(
                r#"{{"source": "s", "provider": "p", "model": "{model}", "streaming": true, "secrets": [{key}]}}"#
            ),
            request: REQUEST.replace("MODEL", model),
            response: format!("data: {CHUNK}\n\ndata: {CHUNK}\n\ndata: {LAST}\n\ndata: [DONE]\n\n"),
            effects: format!(
                r#"[{{"relay": 1}}, {{"emit": {CHUNK}}}, {{"relayed": {CHUNK}}}, {{"emit": {LAST}}}, {{"finish": "stop"}}]"#
            ),
        }
    }

    fn list(&self) -> [(&str, &str); 5] {
        [
            ("case.json", &self.case),
            ("client.json", r#"{"z": 1.0}"#),
            ("upstream-request.json", &self.request),
            ("upstream-response.sse", &self.response),
            ("effects.json", &self.effects),
        ]
    }
}

/// Emits the number of events it got at once: depends on batching.
struct Counting;

impl Machine for Counting {
    fn open(_: Call) -> Self {
        Counting
    }
    fn step(&mut self, _: u32, events: Vec<Event>) -> Vec<Effect> {
        match events.as_slice() {
            [Event::Start] => vec![Effect::Send(Request::get("/").framing(Framing::Sse))],
            events => vec![Effect::Finish(events.len().to_string())],
        }
    }
}

/// Finishes with the greatest number of messages that came together, unless they were one or all.
struct HalfWay(usize);

impl Machine for HalfWay {
    fn open(_: Call) -> Self {
        HalfWay(0)
    }
    fn step(&mut self, _: u32, events: Vec<Event>) -> Vec<Effect> {
        let messages = events.iter().filter(|event| matches!(event, Event::Message(_))).count();
        self.0 = self.0.max(messages);
        match events.last() {
            Some(Event::Start) => vec![Effect::Send(Request::get("/").framing(Framing::Sse))],
            Some(Event::End(_)) if self.0 == 3 => vec![Effect::Finish("three".to_owned())],
            Some(Event::End(_)) => vec![Effect::Finish("all".to_owned())],
            _ => Vec::new(),
        }
    }
}

/// Does what its model says, which no adapter may.
struct Wrong;

impl Told for Wrong {
    fn told(call: &Call, step: usize, _: &Event) -> Vec<Effect> {
        let get = || Effect::Send(Request::get("/").framing(Framing::Sse));
        let fail = || Effect::Fail(Fault::unsupported("x"));
        match (call.model.as_str(), step) {
            ("twice", 0) => vec![get(), get()],
            ("after-fail", 0) => vec![fail(), Effect::Finish(String::new())],
            ("relay", 0) => vec![Effect::Relay(3), fail()],
            ("ws", 0) => vec![Effect::WsSend { id: 1, message: witgate_sdk::Frame::Text(String::new()) }],
            ("grant", 0) => vec![Effect::Grant { id: 1, pointer: String::new(), lifetime_s: 1 }],
            ("park", 0) => vec![get(), Effect::Park { state: String::new(), ms: 1 }],
            ("circles", _) => vec![Effect::Sleep { id: 1, ms: 1 }],
            ("never", 0) => vec![get()],
            ("flood", _) => vec![Effect::Loss { field: String::new(), what: "x".repeat(9 << 20) }, get()],
            _ => Vec::new(),
        }
    }
}

#[test]
fn plain_messages_are_withheld_after_relay() {
    passes::<Simple<Chat>>("relay", "chat", &Files::new("m").list());
}

#[test]
fn a_difference_is_shown() {
    let files = Files::new("no-relay");
    let why = fails::<Simple<Chat>>("no-relay", "chat", &files.list());
    assert!(why.contains("effects.json differs") && why.contains("+   {\"emit\": "), "{why}");
    let files = Files::new("m");
    let effects = files.effects.replace("\"a\"", "\"b\"");
    let why = fails::<Simple<Chat>>("spelling", "chat", &with(&files.list(), "effects.json", &effects));
    assert!(why.contains("effects.json differs"), "{why}");
    let more = with(&files.list(), "upstream-request-2.json", "{}");
    let why = fails::<Simple<Chat>>("more", "chat", &more);
    assert!(why.contains("upstream-request-2.json differs"), "{why}");
    let more = with(&files.list(), "upstream-response-2.json", "{}");
    let why = fails::<Simple<Chat>>("unused", "chat", &more);
    assert!(why.contains("upstream-response-2 was never asked for"), "{why}");
}

#[test]
fn effects_must_not_depend_on_batching() {
    let files = Files::new("m");
    let why = fails::<Counting>("counting", "chat", &files.list());
    assert!(why.contains("depend on how messages are batched"), "{why}");
    let why = fails::<HalfWay>("half-way", "chat", &files.list());
    assert!(why.contains("answer 1 split after 1"), "{why}");
}

#[test]
fn the_rules_of_the_contract_hold() {
    for (model, expected) in [
        ("nothing", "left nothing outstanding"),
        ("twice", "second request 1"),
        ("after-fail", "went on after `fail`"),
        ("relay", "request 3, which was not sent"),
        ("ws", "no WebSocket 1"),
        ("grant", "only a grant"),
        ("park", "something outstanding"),
        ("circles", "come to an end"),
        ("never", "never came to `finish`"),
        ("flood", "more than 16777216 bytes"),
    ] {
        let why = fails::<Teller<Wrong>>(model, "chat", &Files::new(model).list());
        assert!(why.contains(expected), "{why} (expected {expected})");
    }
    let why = fails::<Simple<Chat>>("rubbish", "chat", &Files::new("rubbish").list());
    assert!(why.contains("neither a chat.completion"), "{why}");
    let why = fails::<Simple<Chat>>("no-key", "chat", &Files::new("no-key").list());
    assert!(why.contains("the secret `key`, which is not set"), "{why}");
}
