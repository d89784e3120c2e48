//! What a script sees of the world: requests, pauses, files, and what it tells the client and the host.

use super::desk::Desk;
use super::flight::{Flight, Reply};
use super::race::{Either, Race};
use crate::{Effect, Fault, Fetched, Request, Usage};
use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// The only thing a [`Script`](crate::Script) may wait for. Copies of it are the same.
#[derive(Clone)]
pub struct Io {
    desk: Rc<RefCell<Desk>>,
}

impl Io {
    pub(super) fn at(desk: &Rc<RefCell<Desk>>) -> Io {
        Io { desk: Rc::clone(desk) }
    }

    fn effect(&self, effect: Effect) {
        self.desk.borrow_mut().effects.push(effect);
    }

    /// Unix seconds.
    pub fn now(&self) -> u32 {
        self.desk.borrow().now
    }

    /// A canonical chunk (when streaming) or the whole canonical answer, JSON.
    pub fn emit(&self, json: impl Into<String>) {
        self.desk.borrow_mut().say(Effect::Emit(json.into()));
    }

    /// Absolute counts so far; the last report wins.
    pub fn usage(&self, usage: Usage) {
        self.effect(Effect::Usage(usage));
    }

    /// A field of the client's request that could not be mapped, and what became of it.
    pub fn loss(&self, field: impl Into<String>, what: impl Into<String>) {
        self.effect(Effect::Loss { field: field.into(), what: what.into() });
    }

    /// The answer is complete. Usage may follow.
    pub fn finish(&self, reason: impl Into<String>) {
        let mut desk = self.desk.borrow_mut();
        desk.finished = true;
        desk.effects.push(Effect::Finish(reason.into()));
    }

    /// Whether the answer was said to be complete.
    pub fn is_finished(&self) -> bool {
        self.desk.borrow().finished
    }

    /// The answer to this request is canonical already: the host passes plain messages through.
    pub fn relay(&self, flight: &Flight) {
        self.desk.borrow_mut().say(Effect::Relay(flight.id()));
    }

    /// The access token is the text at this JSON pointer in the answer to this request (a [`Reply`], a [`Flight`] or its id), good for so many
    /// seconds. Only in `grant`.
    pub fn grant(&self, answer: impl Into<u32>, pointer: impl Into<String>, lifetime_s: u32) {
        self.desk.borrow_mut().say(Effect::Grant { id: answer.into(), pointer: pointer.into(), lifetime_s });
    }

    /// Sends a request and does not wait; several may be under way. Its id is chosen here.
    pub fn send(&self, mut request: Request) -> Flight {
        let id = self.desk.borrow_mut().ask(|id| {
            request.id = id;
            Effect::Send(request)
        });
        Flight::new(id, &self.desk)
    }

    /// Sends a request and waits for the whole answer, whatever its status is.
    ///
    /// # Errors
    /// Why there is no answer, or only a part of one.
    pub async fn text(&self, request: Request) -> Result<Reply, Fault> {
        self.send(request).text().await
    }

    /// Waits. Dropped before the time is over, the pause is cancelled.
    pub async fn sleep(&self, ms: u32) {
        let pause = self.asked(|id| Effect::Sleep { id, ms });
        let _ended = pause.ended().await;
    }

    /// Fetches a file at an address that the client gave.
    ///
    /// # Errors
    /// `invalid-request` when it cannot be had: the address is the client's.
    pub async fn fetch(&self, url: &str) -> Result<Fetched, Fault> {
        let fetch = self.asked(|id| Effect::Fetch { id, url: url.to_owned() });
        fetch.ended().await.map_err(|failure| {
            let why = if failure.text.is_empty() { failure.code } else { failure.text };
            Fault::invalid_request(format!("the file at {url} cannot be fetched: {why}"))
        })?;
        let file = self.desk.borrow_mut().slots.get_mut(&fetch.id).and_then(|slot| slot.file.take());
        file.ok_or_else(|| Fault::adapter_broken("a fetch ended without a file"))
    }

    /// Gives this exchange up for `ms` milliseconds. It never comes back here: a fresh instance gets `state` as
    /// [`Call::resume`](crate::Call::resume). What is still under way is cancelled; nothing may have been emitted.
    pub async fn park(&self, state: String, ms: u32) -> ! {
        {
            let mut desk = self.desk.borrow_mut();
            let under_way: Vec<u32> = desk.slots.keys().copied().collect();
            under_way.into_iter().for_each(|id| desk.drop_slot(id));
            desk.parked = true;
            desk.effects.push(Effect::Park { state, ms });
        }
        pending().await
    }

    /// Waits for the client to leave. What is under way never comes to an end then; one last request may be sent, within five seconds.
    pub async fn abandoned(&self) {
        poll_fn(|context| {
            let mut desk = self.desk.borrow_mut();
            if desk.abandoned {
                return Poll::Ready(());
            }
            if !desk.leaving.iter().any(|waker| waker.will_wake(context.waker())) {
                desk.leaving.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Waits for the first of two; the other is dropped, and so cancelled. When both are there, the first one counts.
    pub async fn race<A: Future, B: Future>(&self, first: A, second: B) -> Either<A::Output, B::Output> {
        Race { first: pin!(first), second: pin!(second) }.await
    }

    fn asked(&self, effect: impl FnOnce(u32) -> Effect) -> Asked {
        let id = self.desk.borrow_mut().ask(effect);
        Asked { id, desk: Rc::clone(&self.desk) }
    }
}

/// A sleep or a fetch under way.
struct Asked {
    id: u32,
    desk: Rc<RefCell<Desk>>,
}

impl Asked {
    async fn ended(&self) -> Result<(), crate::Failure> {
        poll_fn(|context| {
            let mut desk = self.desk.borrow_mut();
            let Some(slot) = desk.slots.get_mut(&self.id) else { return Poll::Pending }; // parked
            match &slot.end {
                Some(end) => Poll::Ready(end.clone()),
                None => {
                    slot.wait(context.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.desk.borrow_mut().drop_slot(self.id);
    }
}
