//! The machine around a mapper: what it sends, what it completes, what it refuses.

use super::*;
use crate::{Code, Framing};

/// Sends one request, passes messages through, finishes on `done`, trips on `bad`.
struct Pass;

impl Mapper for Pass {
    fn open(call: Call) -> Result<Self, Fault> {
        if call.model == "none" { Err(Fault::model_missing("no such model")) } else { Ok(Pass) }
    }
    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault> {
        out.loss("seed", "ignored");
        Ok(Some(Request::get("/").framing(Framing::Sse)))
    }
    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
        out.emit(format!("whole {body}"));
        out.finish("stop");
        Ok(())
    }
    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        match message.data.as_str() {
            "bad" => return Err(Fault::upstream_broken("bad")),
            "done" => out.finish("stop"),
            _ => out.emit(message.data),
        }
        Ok(())
    }
    fn fault(&mut self, _: &Head, body: &str) -> Fault {
        Fault::rate_limited(body)
    }
}

fn opened(model: &str) -> (Simple<Pass>, Vec<Effect>) {
    let mut machine = Simple::<Pass>::open(Call { model: model.into(), ..Call::default() });
    let effects = machine.step(0, vec![Event::Start]);
    (machine, effects)
}

fn head(status: u16) -> Event {
    framed(status, if status < 400 { "sse" } else { "text" })
}

fn framed(status: u16, framing: &str) -> Event {
    let headers = vec![("retry-after".into(), "3".into())];
    Event::Head(Head { id: 1, status, headers, framing: framing.into() })
}

fn message(data: &str) -> Event {
    Event::Message(Message { id: 1, data: data.into(), ..Message::default() })
}

#[test]
fn an_answer_is_mapped_until_it_is_finished() {
    let (mut machine, effects) = opened("m");
    assert!(matches!(&effects[..], [Effect::Loss { .. }, Effect::Send(request)] if request.id == 1));
    let effects = machine.step(0, vec![head(200), message("a"), message("done"), Event::End(1)]);
    assert_eq!(effects, [Effect::Emit("a".into()), Effect::Finish("stop".into())]);
}

#[test]
fn what_was_mapped_before_a_fault_still_counts() {
    let (mut machine, _) = opened("m");
    let effects = machine.step(0, vec![head(200), message("a"), message("bad"), message("b"), Event::End(1)]);
    let fault = Fault::upstream_broken("bad").with_status(200).with_retry_after_ms(3000);
    assert_eq!(effects, [Effect::Emit("a".into()), Effect::Fail(fault)]);
}

#[test]
fn the_framing_of_the_answer_says_who_reads_it() {
    let (mut machine, _) = opened("m");
    let effects = machine.step(0, vec![framed(200, "text"), message("a"), Event::End(1)]);
    assert_eq!(effects, [Effect::Emit("whole a".into()), Effect::Finish("stop".into())]);
    let (mut machine, _) = opened("m");
    let binary = Event::Binary(Binary { id: 1, data: vec![1], ..Binary::default() });
    let effects = machine.step(0, vec![framed(200, "websocket"), message("a"), binary]);
    assert!(
        matches!(&effects[..], [Effect::Emit(a), Effect::Fail(fault)] if a == "a" && fault.code == Code::UpstreamBroken)
    );
}

#[test]
fn an_error_status_goes_to_the_mapper_once() {
    for (events, body) in [(vec![message("slow"), Event::End(1)], "slow"), (vec![Event::End(1)], "")] {
        let (mut machine, _) = opened("m");
        machine.step(0, vec![head(429)]);
        let fault = Fault::rate_limited(body).with_status(429).with_retry_after_ms(3000);
        assert_eq!(machine.step(0, events), [Effect::Fail(fault)]);
    }
}

#[test]
fn an_end_without_a_finish_is_a_truncated_answer() {
    let (mut machine, _) = opened("m");
    let effects = machine.step(0, vec![head(200), message("a"), Event::End(1)]);
    assert!(matches!(&effects[..], [Effect::Emit(_), Effect::Fail(fault)] if fault.code == Code::UpstreamBroken));
}

#[test]
fn a_refused_call_fails_in_the_first_step() {
    let (mut machine, effects) = opened("none");
    assert_eq!(effects, [Effect::Fail(Fault::model_missing("no such model"))]);
    assert_eq!(machine.step(0, vec![head(200), message("a")]), []);
}

#[test]
fn other_requests_and_unknown_events_are_ignored() {
    let (mut machine, _) = opened("m");
    let other = Event::Message(Message { id: 2, data: "a".into(), ..Message::default() });
    assert_eq!(machine.step(0, vec![head(200), other, Event::Timer(4), Event::End(2), Event::Abandoned]), []);
    let failure = crate::Failure { id: 1, code: "reset".into(), text: String::new() };
    let effects = machine.step(0, vec![Event::Failed(failure)]);
    assert!(matches!(&effects[..], [Effect::Fail(fault)] if fault.message == "reset"));
}
