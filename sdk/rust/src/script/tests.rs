//! Scripts as adapters write them, driven event by event.

use super::*;
use crate::{Binary, Code, Failure, Fetched, Frame, Framing, Head, Message, Request};

/// A machine that has been started, and what it asked for first.
fn started<S: Script>(call: Call) -> (Straight<S>, Vec<Effect>) {
    let mut machine = Straight::<S>::open(Call { operation: "chat".into(), ..call });
    let effects = machine.step(1, vec![Event::Start]);
    (machine, effects)
}

fn head(id: u32, status: u16) -> Event {
    Event::Head(Head { id, status, ..Head::default() })
}

fn message(id: u32, data: &str) -> Event {
    Event::Message(Message { id, data: data.into(), ..Message::default() })
}

/// A whole answer.
fn whole(id: u32, status: u16, data: &str) -> Vec<Event> {
    vec![head(id, status), message(id, data), Event::End(id)]
}

fn get(id: u32, path: &str) -> Effect {
    let mut request = Request::get(path);
    request.id = id;
    Effect::Send(request)
}

fn emit(text: &str) -> Effect {
    Effect::Emit(text.into())
}

fn stop() -> Effect {
    Effect::Finish("stop".into())
}

/// Create, poll until it is done, list.
struct Background;

impl Script for Background {
    async fn run(call: Call, io: Io) -> Result<(), Fault> {
        let job = match call.resume {
            Some(job) => job,
            None => io.text(Request::get("/create")).await?.accepted(Fault::from_openai)?.body,
        };
        loop {
            match io.text(Request::get(format!("/poll/{job}"))).await?.body.as_str() {
                "done" => break,
                "slow" => io.park(job, 60_000).await,
                _ => io.sleep(500).await,
            }
        }
        let list = io.text(Request::get(format!("/list/{job}"))).await?;
        io.emit(list.body);
        io.finish("stop");
        Ok(())
    }
}

#[test]
fn a_job_is_created_asked_after_and_read() {
    let (mut machine, effects) = started::<Background>(Call::default());
    assert_eq!(effects, [get(1, "/create")]);
    assert_eq!(machine.step(2, whole(1, 200, "j7")), [get(2, "/poll/j7")]);
    assert_eq!(machine.step(2, whole(2, 200, "busy")), [Effect::Sleep { id: 3, ms: 500 }]);
    assert_eq!(machine.step(3, vec![Event::Timer(3)]), [get(4, "/poll/j7")]);
    assert_eq!(machine.step(3, whole(4, 200, "done")), [get(5, "/list/j7")]);
    assert_eq!(machine.step(3, whole(5, 200, "hello")), [emit("hello"), stop()]);
    assert_eq!(machine.step(4, vec![Event::Abandoned]), []);
}

#[test]
fn a_refusal_and_a_lost_connection_end_the_exchange() {
    let (mut machine, _) = started::<Background>(Call::default());
    let effects = machine.step(2, whole(1, 429, r#"{"error":{"message":"slow down"}}"#));
    assert!(matches!(&effects[..], [Effect::Fail(fault)] if fault.code == Code::RateLimited && fault.status == 429));
    let (mut machine, _) = started::<Background>(Call::default());
    let failure = Failure { id: 1, code: "reset".into(), text: String::new() };
    let effects = machine.step(2, vec![head(1, 200), message(1, "j"), Event::Failed(failure)]);
    assert!(matches!(&effects[..], [Effect::Fail(fault)] if fault.message == "reset" && fault.status == 200));
}

#[test]
fn a_parked_job_is_resumed_by_a_fresh_instance() {
    let (mut machine, _) = started::<Background>(Call::default());
    machine.step(2, whole(1, 200, "j7"));
    assert_eq!(machine.step(2, whole(2, 200, "slow")), [Effect::Park { state: "j7".into(), ms: 60_000 }]);
    assert_eq!(machine.step(2, vec![Event::Abandoned]), []);
    let (mut machine, effects) = started::<Background>(Call { resume: Some("j7".into()), ..Call::default() });
    assert_eq!(effects, [get(1, "/poll/j7")]);
    assert_eq!(machine.step(2, whole(1, 200, "done")), [get(2, "/list/j7")]);
}

/// Two requests under way, read in the order in which they were asked.
struct Both;

impl Script for Both {
    async fn run(_: Call, io: Io) -> Result<(), Fault> {
        let (mut a, mut b) = (io.send(Request::get("/a")), io.send(Request::get("/b")));
        while let Some(message) = a.message().await? {
            io.emit(message.data);
        }
        while let Some(message) = b.message().await? {
            io.emit(message.data);
        }
        io.finish("stop");
        Ok(())
    }
}

#[test]
fn events_of_another_request_are_kept_until_they_are_asked_for() {
    let (mut machine, effects) = started::<Both>(Call::default());
    assert_eq!(effects, [get(1, "/a"), get(2, "/b")]);
    let mut events = vec![head(2, 200), message(2, "b1"), head(1, 200), message(1, "a1"), message(2, "b2")];
    events.extend([Event::End(2), message(1, "a2"), Event::End(1)]);
    let expected = [emit("a1"), emit("a2"), emit("b1"), emit("b2"), stop()];
    assert_eq!(machine.step(2, events.clone()), expected);
    let (mut machine, _) = started::<Both>(Call::default());
    let single: Vec<Effect> = events.into_iter().flat_map(|event| machine.step(2, vec![event])).collect();
    assert_eq!(single, expected);
}

/// A WebSocket dialogue.
struct Dialogue;

impl Script for Dialogue {
    async fn run(_: Call, io: Io) -> Result<(), Fault> {
        let mut socket = io.send(Request::get("/chat").framing(Framing::WebSocket));
        assert_eq!(socket.head().await?.status, 101);
        socket.ws_send(Frame::Text("hello".into()));
        loop {
            match socket.next().await? {
                Some(Incoming::Message(message)) if message.data == "bye" => break,
                Some(Incoming::Message(message)) => io.emit(message.data),
                Some(Incoming::Binary(binary)) => socket.ws_send(Frame::Bytes(binary.data)),
                _ => return Err(Fault::upstream_broken("hung up")),
            }
        }
        socket.cancel();
        io.finish("stop");
        Ok(())
    }
}

#[test]
fn a_socket_is_a_dialogue() {
    let (mut machine, effects) = started::<Dialogue>(Call::default());
    assert!(matches!(&effects[..], [Effect::Send(request)] if request.framing == Framing::WebSocket));
    let said = |message| Effect::WsSend { id: 1, message };
    assert_eq!(machine.step(2, vec![head(1, 101)]), [said(Frame::Text("hello".into()))]);
    let binary = Event::Binary(Binary { id: 1, data: vec![7], ..Binary::default() });
    let effects = machine.step(2, vec![message(1, "a"), binary, message(1, "bye"), message(1, "late")]);
    assert_eq!(effects, [emit("a"), said(Frame::Bytes(vec![7])), Effect::Cancel(1), stop()]);
}

/// Tells the vendor that the client has left, or that it takes too long.
struct Leaving;

impl Script for Leaving {
    async fn run(_: Call, io: Io) -> Result<(), Fault> {
        let mut answer = io.send(Request::get("/long"));
        let patience = async { io.race(io.abandoned(), io.sleep(9)).await };
        match io.race(answer.message(), patience).await {
            Either::First(message) => io.emit(message?.map(|message| message.data).unwrap_or_default()),
            Either::Second(Either::First(())) => {
                io.text(Request::get("/cancel")).await?;
            }
            Either::Second(Either::Second(())) => io.emit("late"),
        }
        io.finish("stop");
        Ok(())
    }
}

#[test]
fn a_client_that_leaves_costs_one_last_request() {
    let (mut machine, effects) = started::<Leaving>(Call::default());
    assert_eq!(effects, [get(1, "/long"), Effect::Sleep { id: 2, ms: 9 }]);
    // The host has cancelled what was under way.
    assert_eq!(machine.step(2, vec![Event::Abandoned]), [get(3, "/cancel")]);
    assert_eq!(machine.step(2, whole(3, 200, "")), [stop()]);
    // A script that does not ask has nothing to say.
    let (mut machine, _) = started::<Both>(Call::default());
    assert_eq!(machine.step(2, vec![Event::Abandoned]), []);
}

#[test]
fn who_comes_first_wins_and_the_others_are_cancelled() {
    let (mut machine, _) = started::<Leaving>(Call::default());
    let effects = machine.step(2, vec![Event::Timer(2), head(1, 200), message(1, "a")]);
    assert_eq!(effects, [emit("late"), stop(), Effect::Cancel(1)]);
    let (mut machine, _) = started::<Leaving>(Call::default());
    let effects = machine.step(2, vec![head(1, 200), message(1, "a"), Event::Timer(2)]);
    assert_eq!(effects, [Effect::Cancel(2), emit("a"), stop(), Effect::Cancel(1)]);
}

/// Fetches the client's picture.
struct Picture;

impl Script for Picture {
    async fn run(_: Call, io: Io) -> Result<(), Fault> {
        let file = io.fetch("https://pictures.test/a.png").await?;
        io.emit(format!("{} {}", file.token, io.now()));
        io.finish("stop");
        Ok(())
    }
}

#[test]
fn a_file_comes_as_a_token_or_is_the_clients_mistake() {
    let (mut machine, effects) = started::<Picture>(Call::default());
    assert_eq!(effects, [Effect::Fetch { id: 1, url: "https://pictures.test/a.png".into() }]);
    let file = Fetched { id: 1, token: "f1".into(), content_type: "image/png".into(), size: 3 };
    assert_eq!(machine.step(5, vec![Event::Fetched(file)]), [emit("f1 5"), stop()]);
    let (mut machine, _) = started::<Picture>(Call::default());
    let failure = Failure { id: 1, code: "refused-by-host".into(), text: "not a public address".into() };
    let effects = machine.step(5, vec![Event::Failed(failure)]);
    let [Effect::Fail(fault)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(fault.code, Code::InvalidRequest);
    assert_eq!(fault.message, "the file at https://pictures.test/a.png cannot be fetched: not a public address");
}

/// Gets a token.
struct Token;

impl Script for Token {
    async fn run(_: Call, io: Io) -> Result<(), Fault> {
        let reply = io.text(Request::post("/token")).await?;
        io.grant(&reply, "/access_token", 3600);
        Ok(())
    }
}

#[test]
fn what_is_no_chat_is_finished_by_returning() {
    let mut machine = Straight::<Token>::open(Call { operation: "access".into(), ..Call::default() });
    machine.step(1, vec![Event::Start]);
    let granted = Effect::Grant { id: 1, pointer: "/access_token".into(), lifetime_s: 3600 };
    assert_eq!(machine.step(1, whole(1, 200, "{}")), [granted, stop()]);
}

/// Ends without an end: as the model says.
struct Broken;

impl Script for Broken {
    async fn run(call: Call, io: Io) -> Result<(), Fault> {
        let mut answer = io.send(Request::get("/"));
        match call.model.as_str() {
            "foreign" => std::future::pending().await,
            "nothing" => {
                answer.cancel();
                io.abandoned().await;
            }
            "unread" => {
                answer.message().await?;
                std::future::pending().await
            }
            _ => {
                answer.message().await?;
            }
        }
        Ok(())
    }
}

#[test]
fn what_would_never_end_is_a_fault() {
    let broken = |model: &str| started::<Broken>(Call { model: model.into(), ..Call::default() });
    for model in ["foreign", "nothing"] {
        let (_, effects) = broken(model);
        let [Effect::Send(_), Effect::Cancel(1), Effect::Fail(fault)] = &effects[..] else {
            panic!("{model}: {effects:?}")
        };
        assert_eq!(fault.code, Code::AdapterBroken, "{model}");
    }
    let (mut machine, _) = broken("unread");
    let effects = machine.step(1, vec![head(1, 200), message(1, "a")]);
    assert!(matches!(&effects[..], [Effect::Cancel(1), Effect::Fail(fault)] if fault.code == Code::AdapterBroken));
    let (mut machine, _) = broken("cut off");
    let effects = machine.step(1, vec![head(1, 200), message(1, "a")]);
    assert!(matches!(&effects[..], [Effect::Cancel(1), Effect::Fail(fault)] if fault.code == Code::UpstreamBroken));
}

/// Waits once for itself, as combinators do.
struct Yielding;

impl Script for Yielding {
    async fn run(_: Call, io: Io) -> Result<(), Fault> {
        let mut waited = false;
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        io.finish("stop");
        Ok(())
    }
}

#[test]
fn a_future_that_wakes_itself_is_polled_again() {
    assert_eq!(started::<Yielding>(Call::default()).1, [stop()]);
}
