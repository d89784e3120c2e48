//! A case for every shape of exchange: several requests, timers, files, WebSockets, parking, grants, questions about an account.

use crate::{Teller, Told, fails, passes, with};
use witgate_sdk::{
    Call, Data, Effect, Event, Form, Frame, Framing, Opaque, Payload, Request, Usage, basic, secret, text, token,
};

const ANSWER: &str = r#"{"object":"chat.completion","choices":[]}"#;

fn done() -> [Effect; 2] {
    [Effect::Emit(ANSWER.to_owned()), Effect::Finish("stop".to_owned())]
}

fn request(id: u32, path: &str) -> Request {
    Request { id, ..Request::get(path) }
}

/// Creates, waits, looks; the second look finds it done.
struct Job;

impl Told for Job {
    fn told(_: &Call, _: usize, event: &Event) -> Vec<Effect> {
        match event {
            Event::Start => vec![Effect::Send(Request { method: "POST".to_owned(), ..request(1, "/jobs") })],
            Event::Message(message) if message.data.contains("done") => done().into(),
            Event::Message(_) => vec![Effect::Sleep { id: 9, ms: 1500 }],
            Event::Timer(9) => vec![Effect::Send(request(2, "/jobs/1"))],
            Event::Abandoned => vec![Effect::Send(request(3, "/jobs/1/cancel")), Effect::Usage(Usage::new().input(1))],
            _ => Vec::new(),
        }
    }
}

const JOB: [(&str, &str); 9] = [
    ("case.json", r#"{"source": "s", "provider": "p", "model": "m", "answers": [{"status": 201}]}"#),
    ("client.json", "{}"),
    ("upstream-request.json", r#"{"method":"POST","endpoint":"api","path":"/jobs","framing":"text","body":null}"#),
    ("upstream-response.json", r#"{"id": 1}"#),
    ("upstream-request-2.json", r#"{"method":"GET","endpoint":"api","path":"/jobs/1","framing":"text","body":null}"#),
    ("upstream-response-2.json", r#"{"state": "busy"}"#),
    ("upstream-request-3.json", r#"{"method":"GET","endpoint":"api","path":"/jobs/1","framing":"text","body":null}"#),
    ("upstream-response-3.json", r#"{"state": "done"}"#),
    (
        "effects.json",
        r#"[{"sleep":1500},{"send":2},{"sleep":1500},{"send":3},{"emit":{"object":"chat.completion","choices":[]}},{"finish":"stop"}]"#,
    ),
];

#[test]
fn several_requests_and_timers() {
    passes::<Teller<Job>>("job", "chat", &JOB);
    let why = fails::<Teller<Job>>("job-short", "chat", &JOB[..6]);
    assert!(why.contains("request 3 was sent, but there is no upstream-response-3 file"), "{why}");
}

#[test]
fn the_client_leaves_and_one_last_request_is_sent() {
    let leave = with(&JOB, "case.json", r#"{"source": "s", "provider": "p", "model": "m", "client_leaves_after": 1}"#);
    let leave = with(&leave, "effects.json", r#"[{"sleep":1500}, {"send":2}, {"usage":{"input":1}}]"#);
    let cancel = r#"{"method":"GET","endpoint":"api","path":"/jobs/1/cancel","framing":"text","body":null}"#;
    let mut leave = with(&leave, "upstream-request-2.json", cancel);
    leave.retain(|(name, _)| !name.contains("-3."));
    passes::<Teller<Job>>("leave", "chat", &leave);
    let late = with(&leave, "case.json", r#"{"source": "s", "provider": "p", "model": "m", "client_leaves_after": 7}"#);
    let late = with(&late, "upstream-response-2.json", r#"{"state": "done"}"#);
    let why = fails::<Teller<Job>>("leave-late", "chat", &late);
    assert!(why.contains("only 2 came"), "{why}");
}

/// Parks until its second life.
struct Task;

impl Told for Task {
    fn told(call: &Call, _: usize, event: &Event) -> Vec<Effect> {
        match (event, call.resume.as_deref()) {
            (Event::Start, None) => vec![Effect::Send(request(1, "/tasks"))],
            (Event::Start, Some(state)) => {
                vec![Effect::Send(request(1, &format!("/{state}/{}", call.now)))]
            }
            (Event::Message(_), None) => vec![Effect::Park { state: "task-1".to_owned(), ms: 60_000 }],
            (Event::Message(_), Some(_)) => done().into(),
            _ => Vec::new(),
        }
    }
}

#[test]
fn a_parked_exchange_is_resumed_in_a_fresh_instance() {
    let get =
        |path: &str| format!(r#"{{"method":"GET","endpoint":"api","path":"{path}","framing":"text","body":null}}"#);
    let effects =
        format!(r#"[{{"park":{{"ms":60000,"state":"task-1"}}}},{{"send":2}},{{"emit":{ANSWER}}},{{"finish":"stop"}}]"#);
    let files = [
        ("case.json", r#"{"source": "s", "provider": "p", "model": "m", "now": 1000}"#),
        ("client.json", "{}"),
        ("upstream-request.json", &get("/tasks")),
        ("upstream-response.json", "{}"),
        ("upstream-request-2.json", &get("/task-1/1060")),
        ("upstream-response-2.json", "{}"),
        ("effects.json", &effects),
    ];
    // The end of the first answer is still to come when it parks, but only when its messages come alone.
    let why = fails::<Teller<Task>>("park-early", "chat", &files);
    assert!(why.contains("something outstanding"), "{why}");
    passes::<Teller<Late<Task>>>("park", "chat", &files);
}

/// The same, but a message is acted upon with the end of its answer.
struct Late<T>(std::marker::PhantomData<T>);

impl<T: Told> Told for Late<T> {
    fn told(call: &Call, step: usize, event: &Event) -> Vec<Effect> {
        match event {
            Event::Message(_) => Vec::new(),
            Event::End(id) => {
                T::told(call, step, &Event::Message(witgate_sdk::Message { id: *id, ..Default::default() }))
            }
            event => T::told(call, step, event),
        }
    }
}

/// Fetches a file, and sends it in a form and in a body.
struct Fetching;

impl Told for Fetching {
    fn told(_: &Call, _: usize, event: &Event) -> Vec<Effect> {
        match event {
            Event::Start => vec![Effect::Fetch { id: 5, url: "https://a.example/cat.png".to_owned() }],
            Event::Fetched(file) => {
                assert_eq!((file.id, file.size, file.content_type.as_str()), (5, 3, "image/png"));
                let form = Form::multipart()
                    .field("key", [secret("key"), token("access")])
                    .file("image", "cat.png", file.content_type.clone(), Data::Held(file.token.clone()))
                    .part(witgate_sdk::Part {
                        name: "raw".to_owned(),
                        filename: None,
                        content_type: None,
                        data: Data::Bytes(vec![0xff]),
                    });
                let sent = Request::post("/images").basic([text("me")], [secret("key")]).form(form);
                vec![Effect::Send(sent.framing(Framing::Bytes))]
            }
            Event::Failed(failure) => vec![Effect::Fail(witgate_sdk::Fault::invalid_request(&failure.code))],
            Event::End(1) => done().into(),
            _ => Vec::new(),
        }
    }
}

const FETCHING: [(&str, &str); 6] = [
    ("case.json", r#"{"source": "s", "provider": "p", "model": "m", "secrets": {"key": "k"}}"#),
    ("client.json", "{}"),
    ("fetch-1.json", r#"{"url": "https://a.example/cat.png", "content_type": "image/png", "base64": "AAEC"}"#),
    (
        "upstream-request.json",
        r#"{"method":"POST","endpoint":"api","path":"/images","headers":{"authorization":"Basic bWU6aw=="},"framing":"bytes",
        "body":{"form":"multipart","parts":[{"name":"key","value":"k{token:access}"},
        {"name":"image","filename":"cat.png","content_type":"image/png","held":"{fetch:1}"},{"name":"raw","base64":"/w=="}]}}"#,
    ),
    ("upstream-response.txt", "some bytes"),
    (
        "effects.json",
        r#"[{"fetch":"https://a.example/cat.png"},{"emit":{"object":"chat.completion","choices":[]}},{"finish":"stop"}]"#,
    ),
];

#[test]
fn files_are_fetched_and_forms_are_shown() {
    passes::<Teller<Fetching>>("fetch", "chat", &FETCHING);
    let other = with(&FETCHING, "fetch-1.json", r#"{"url": "https://b.example/"}"#);
    let why = fails::<Teller<Fetching>>("fetch-other", "chat", &other);
    assert!(why.contains("fetches https://a.example/cat.png, fetch-1.json expects https://b.example/"), "{why}");
    let failed = [
        FETCHING[0],
        FETCHING[1],
        ("fetch-1.json", r#"{"url": "https://a.example/cat.png", "failure": "too-large"}"#),
        (
            "effects.json",
            r#"[{"fetch":"https://a.example/cat.png"},{"fail":{"code":"invalid-request","status":0,"message":"too-large"}}]"#,
        ),
    ];
    passes::<Teller<Fetching>>("fetch-failed", "chat", &failed);
}

/// Says hello over a WebSocket, and answers once.
struct Talking;

impl Told for Talking {
    fn told(_: &Call, _: usize, event: &Event) -> Vec<Effect> {
        let say = |message| Effect::WsSend { id: 1, message };
        match event {
            Event::Start => vec![Effect::Send(Request::get("/talk").framing(Framing::WebSocket))],
            Event::Head(head) if head.status == 101 => vec![say(Frame::Text("{\"n\": 1.50}".to_owned()))],
            Event::Head(_) => vec![Effect::Fail(witgate_sdk::Fault::upstream_broken("refused"))],
            Event::Message(message) if message.data == "more" => vec![say(Frame::Bytes(vec![255]))],
            Event::Binary(binary) if binary.data == [1] => done().into(),
            _ => Vec::new(),
        }
    }
}

#[test]
fn a_conversation_is_compared_line_by_line() {
    let talk = "{\"adapter\": {\"n\": 1.50}}\n{\"vendor\": \"wait\"}\n{\"vendor\": \"more\"}\n{\"adapter_base64\": \"/w==\"}\n{\"vendor_base64\": \"AQ==\"}\n";
    let effects = format!(r#"[{{"emit":{ANSWER}}},{{"finish":"stop"}}]"#);
    let files = [
        ("case.json", r#"{"source": "s", "provider": "p", "model": "m"}"#),
        ("client.json", "{}"),
        (
            "upstream-request.json",
            r#"{"method":"GET","endpoint":"api","path":"/talk","framing":"websocket","body":null}"#,
        ),
        ("upstream-response.ws.ndjson", talk),
        ("effects.json", &effects),
    ];
    passes::<Teller<Talking>>("talk", "chat", &files);
    let other = talk.replace("1.50", "1.5");
    let why = fails::<Teller<Talking>>("talk-other", "chat", &with(&files, "upstream-response.ws.ndjson", &other));
    assert!(why.contains("- {\"adapter\": {\"n\": 1.5}}\n+ {\"adapter\": {\"n\":1.50}}"), "{why}");
    let longer = format!("{talk}{{\"adapter\": \"bye\"}}\n");
    let why = fails::<Teller<Talking>>("talk-longer", "chat", &with(&files, "upstream-response.ws.ndjson", &longer));
    assert!(why.contains("- {\"adapter\": \"bye\"}"), "{why}");
    let silent = format!("{{\"adapter\": \"x\"}}\n{talk}");
    let why = fails::<Teller<Talking>>("talk-silent", "chat", &with(&files, "upstream-response.ws.ndjson", &silent));
    assert!(why.contains("a message of the adapter is expected"), "{why}");
}

/// Obtains a token with a signed assertion.
struct Token;

impl Told for Token {
    fn told(call: &Call, _: usize, event: &Event) -> Vec<Effect> {
        match event {
            Event::Start => {
                let signed = Opaque::hmac(witgate_sdk::Algorithm::Sha256, Opaque::secret("key"), Opaque::text("x"));
                let form = Form::urlencoded()
                    .field("id", [text(call.key_part("id").unwrap_or_default())])
                    .field("assertion", [Opaque::hex(signed).into()])
                    .field("basic", [basic([text("a")], [text("b")])]);
                vec![Effect::Send(Request::post("/token").form(form))]
            }
            Event::Head(head) => {
                assert_eq!(head.headers, [("content-type".to_owned(), "application/json".to_owned())]);
                Vec::new()
            }
            Event::Message(message) => {
                assert!(message.data.contains("(withheld)") && !message.data.contains("ya29"), "{}", message.data);
                vec![Effect::Grant { id: 1, pointer: "/access_token".to_owned(), lifetime_s: 3600 }]
            }
            _ => Vec::new(),
        }
    }
}

#[test]
fn a_grant_names_the_token_that_it_does_not_see() {
    // The assertion: printf x | openssl dgst -sha256 -hmac Jefe
    let files = [
        (
            "case.json",
            r#"{"source": "s", "provider": "p", "operation": "access", "secrets": {"key": "Jefe"}, "key_parts": {"id": "me"},
            "answer": {"headers": {"Set-Cookie": "a=b"}}}"#,
        ),
        (
            "upstream-request.json",
            r#"{"method":"POST","endpoint":"api","path":"/token","framing":"text","body":{"form":"urlencoded","parts":[
            {"name":"id","value":"me"},
            {"name":"assertion","value":"30c1a252726d9f629121f7efb69852b3d25b3accb5410de2dfdd3b069eb51745"},
            {"name":"basic","value":"YTpi"}]}}"#,
        ),
        ("upstream-response.json", r#"{"access_token": "ya29.abcdefghijklmnopqrstuvwxyz", "expires_in": 3600}"#),
        ("effects.json", r#"[{"grant":{"id":1,"pointer":"/access_token","lifetime_s":3600}}]"#),
    ];
    passes::<Teller<Token>>("grant", "grant", &files);
    let no_token =
        with(&files, "upstream-response.json", r#"{"access_token":{"a":"ya29.abcdefghijklmnopqrstuvwxyz"}}"#);
    let why = fails::<Teller<Token>>("grant-none", "grant", &no_token);
    assert!(why.contains("no text at `/access_token` of the answer to request 1"), "{why}");
}

/// Answers questions about an account without asking anybody.
struct Account;

impl Told for Account {
    fn told(call: &Call, _: usize, _: &Event) -> Vec<Effect> {
        let answer = match call.operation.as_str() {
            "balance" => r#"{"amount": "12.5", "currency": "USD"}"#,
            "models" => r#"{"models": [{"id": "m"}]}"#,
            _ if call.model == "wrong" => r#"{"input_tokens": "12"}"#,
            _ => r#"{"input_tokens": 12}"#,
        };
        vec![Effect::Emit(answer.to_owned()), Effect::Finish("stop".to_owned())]
    }
}

#[test]
fn questions_about_an_account_have_canonical_answers() {
    for (operation, answer) in
        [("balance", r#"{"amount": "12.5", "currency": "USD"}"#), ("models", r#"{"models": [{"id": "m"}]}"#)]
    {
        let case = format!(r#"{{"source": "s", "provider": "p", "operation": "{operation}"}}"#);
        let effects = format!(r#"[{{"emit":{answer}}},{{"finish":"stop"}}]"#);
        passes::<Teller<Account>>(operation, "account", &[("case.json", &case), ("effects.json", &effects)]);
    }
    let count =
        |model: &str| format!(r#"{{"source": "s", "provider": "p", "model": "{model}", "operation": "count-tokens"}}"#);
    let effects = r#"[{"emit":{"input_tokens": 12}},{"finish":"stop"}]"#;
    let (good, wrong) = (count("m"), count("wrong"));
    let files = [("case.json", good.as_str()), ("client.json", "{}"), ("effects.json", effects)];
    passes::<Teller<Account>>("count-tokens", "account", &files);
    let why = fails::<Teller<Account>>("count-wrong", "account", &with(&files, "case.json", &wrong));
    assert!(why.contains("not a count of tokens"), "{why}");
}

/// Tells the names and texts of the messages of a stream.
struct Naming;

impl Told for Naming {
    fn told(call: &Call, _: usize, event: &Event) -> Vec<Effect> {
        let loss = |field: &str, what: &str| vec![Effect::Loss { field: field.to_owned(), what: what.to_owned() }];
        match event {
            Event::Start => {
                let framing = match call.model.as_str() {
                    "array" => Framing::JsonArray,
                    _ => Framing::AwsEventStream,
                };
                let sent = Request::post("/").payload(Payload::Bytes(vec![1, 2])).framing(framing);
                vec![Effect::Send(sent)]
            }
            Event::Head(head) => loss("head", &head.framing),
            Event::Message(message) => loss(&message.name, &message.data),
            Event::Failed(failure) => vec![Effect::Fail(witgate_sdk::Fault::upstream_broken(&failure.code))],
            Event::End(_) => done().into(),
            _ => Vec::new(),
        }
    }
}

#[test]
fn arrays_and_event_streams_are_cut() {
    let request = |framing: &str| {
        format!(r#"{{"method":"POST","endpoint":"api","path":"/","framing":"{framing}","body":{{"base64":"AQI="}}}}"#)
    };
    let check = |model: &str, framing: &str, response: (&str, &str), told: &str, status: u16| {
        let case =
            format!(r#"{{"source": "s", "provider": "p", "model": "{model}", "answer": {{"status": {status}}}}}"#);
        let effects = format!(r#"[{told},{{"emit":{ANSWER}}},{{"finish":"stop"}}]"#);
        let files = [
            ("case.json", case.as_str()),
            ("client.json", "{}"),
            ("upstream-request.json", &request(framing)),
            response,
            ("effects.json", &effects),
        ];
        passes::<Teller<Naming>>(&format!("{model}-{status}-{}", response.0), "chat", &files);
    };
    let head = |framing: &str| format!(r#"{{"loss":{{"field":"head","what":"{framing}"}}}}"#);
    let told = format!(
        r#"{},{{"loss":{{"field":"","what":"{{\"a\": 1}}"}}}},{{"loss":{{"field":"","what":"2"}}}}"#,
        head("json-array")
    );
    check("array", "json-array", ("upstream-response.json", "[{\"a\": 1},\n2]"), &told, 200);
    let told = format!(r#"{},{{"loss":{{"field":"start","what":"{{\"a\":1}}"}}}}"#, head("aws-event-stream"));
    let list = r#"[{"event": "start", "payload": {"a": 1}}]"#;
    check("events", "aws-event-stream", ("upstream-response.events.json", list), &told, 200);
    let told = format!(r#"{},{{"loss":{{"field":"","what":"{{}}"}}}}"#, head("text"));
    check("events", "aws-event-stream", ("upstream-response.json", "{}"), &told, 200);
    check("events", "aws-event-stream", ("upstream-response.json", "{}"), &told, 403);
}

#[test]
fn a_stream_that_breaks_off_loses_its_unfinished_message() {
    let effects = r#"[{"loss":{"field":"head","what":"json-array"}},{"loss":{"field":"","what":"{}"}},
        {"fail":{"code":"upstream-broken","status":0,"message":"reset"}}]"#;
    let files = [
        ("case.json", r#"{"source": "s", "provider": "p", "model": "array", "answer": {"failure": "reset"}}"#),
        ("client.json", "{}"),
        (
            "upstream-request.json",
            r#"{"method":"POST","endpoint":"api","path":"/","framing":"json-array","body":{"base64":"AQI="}}"#,
        ),
        ("upstream-response.json", "[{}, {\"a\":"),
        ("effects.json", effects),
    ];
    passes::<Teller<Naming>>("broken-off", "chat", &files);
    let why = fails::<Teller<Naming>>(
        "not-an-array",
        "chat",
        &with(&files, "case.json", r#"{"source": "s", "provider": "p", "model": "array"}"#),
    );
    assert!(why.contains("the array is not closed") && why.contains("bad-framing"), "{why}");
}
