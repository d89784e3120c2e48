//! The runner itself: what it writes, what it holds an adapter to, and that it can fail.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up must fail")]

use std::path::PathBuf;
use witgate_sdk::{
    Call, Effect, Event, Fault, Framing, Head, Machine, Mapper, Message, Opaque, Out, Request, Simple, secret, text,
};
use witgate_sdk_testkit::golden;

/// A vendor that speaks the canonical format. The model says how the adapter misbehaves.
struct Chat(Call);

impl Mapper for Chat {
    fn open(call: Call) -> Result<Self, Fault> {
        Ok(Chat(call))
    }
    fn request(&mut self, _: &mut Out) -> Result<Option<Request>, Fault> {
        self.0.body.set("model", &self.0.model);
        let sign = Opaque::hex(Opaque::secret("key"));
        let request = Request::post("/chat")
            .query("sign", [sign.into()])
            .header("authorization", [text("Bearer "), secret("key")]);
        Ok(Some(request.json(self.0.body.to_string()).framing(Framing::Sse)))
    }
    fn on_head(&mut self, head: &Head, out: &mut Out) -> Result<(), Fault> {
        if self.0.model != "no-relay" {
            out.relay(head.id);
        }
        Ok(())
    }
    fn on_message(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
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
    fn on_error(&mut self, head: &Head, body: &str) -> Fault {
        Fault::from_openai(head, body)
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

/// Does nothing at all.
struct Idle;

impl Machine for Idle {
    fn open(_: Call) -> Self {
        Idle
    }
    fn step(&mut self, _: u32, _: Vec<Event>) -> Vec<Effect> {
        Vec::new()
    }
}

const CHUNK: &str =
    r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
const LAST: &str = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const REQUEST: &str = r#"{"method": "POST", "endpoint": "api", "path": "/chat", "query": {"sign": "{opaque:hex(secret:key)}"},
    "headers": {"authorization": "Bearer {secret:key}", "content-type": "application/json"}, "framing": "sse",
    "body": {"z": 1.0, "model": "MODEL"}}"#;

/// Writes a folder with one case and gives the folder.
fn folder(name: &str, model: &str, effects: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let case = folder.join("case");
    std::fs::create_dir_all(&case).unwrap();
    let write = |name: &str, text: &str| std::fs::write(case.join(name), text).unwrap();
    let key = if model == "no-key" { "" } else { "\"key\"" };
    write("case.json", &format!(r#"{{"provider": "p", "model": "{model}", "streaming": true, "secrets": [{key}]}}"#));
    write("client.json", r#"{"z": 1.0}"#);
    write("upstream-request.json", &REQUEST.replace("MODEL", model));
    write("upstream-response.sse", &format!("data: {CHUNK}\n\ndata: {CHUNK}\n\ndata: {LAST}\n\ndata: [DONE]\n\n"));
    write("effects.json", effects);
    folder
}

fn relayed() -> String {
    format!(
        r#"[{{"relay": 1}}, {{"emit": {CHUNK}}}, {{"relayed": {CHUNK}}}, {{"emit": {LAST}}}, {{"finish": "stop"}}]"#
    )
}

/// Why the golden test of this case fails.
fn failure<M: Machine>(name: &str, model: &str, effects: &str) -> String {
    let folder = folder(name, model, effects);
    let panic = std::panic::catch_unwind(|| golden::<M>(folder.to_str().unwrap())).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn plain_messages_are_withheld_after_relay() {
    golden::<Simple<Chat>>(folder("relay", "m", &relayed()).to_str().unwrap());
}

#[test]
fn a_difference_is_shown() {
    let why = failure::<Simple<Chat>>("no-relay", "no-relay", &relayed());
    assert!(why.contains("effects.json differs") && why.contains("+   {\"emit\": "), "{why}");
    let why = failure::<Simple<Chat>>("spelling", "m", &relayed().replace("\"a\"", "\"b\""));
    assert!(why.contains("effects.json differs"), "{why}");
}

#[test]
fn effects_must_not_depend_on_batching() {
    assert!(failure::<Counting>("counting", "m", "[]").contains("depend on how messages are batched"));
}

#[test]
fn the_rules_of_the_contract_hold() {
    assert!(failure::<Idle>("idle", "m", "[]").contains("left nothing outstanding"));
    assert!(failure::<Simple<Chat>>("rubbish", "rubbish", "[]").contains("neither a chat.completion"));
    assert!(failure::<Simple<Chat>>("no-key", "no-key", "[]").contains("the secret `key`, which is not set"));
}
