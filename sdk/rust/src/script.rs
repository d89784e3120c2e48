//! The adapter with several steps: one async function. A [`Script`] holds it, [`Straight`] makes a machine of it.

mod desk;
mod flight;
mod io;
mod race;

pub use flight::{Flight, Incoming, Reply};
pub use io::Io;
pub use race::Either;

use crate::{Call, Effect, Event, Fault, Machine};
use desk::Desk;
use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A mapping with any number of requests, written down in the order in which things happen.
///
/// It waits for nothing but its [`Io`]; a function that waits for anything else is the fault `adapter-broken`, because that would never come.
/// A fault ends the exchange; what was written before it still counts. A chat must say [`Io::finish`]; returning without it means that the
/// vendor's answer broke off. The other operations are finished by returning.
///
/// ```
/// use witgate_sdk::{Call, Fault, Io, Request, Script, Straight, secret};
///
/// /// A vendor whose answers are made in the background: asked for, then asked after.
/// struct Chat;
/// impl Script for Chat {
///     async fn run(call: Call, io: Io) -> Result<(), Fault> {
///         let ask = Request::post("/jobs").bearer([secret("key")]).json(call.body.to_json());
///         let job: serde_json::Value = io.text(ask).await?.json()?;
///         let path = format!("/jobs/{}", job["id"].as_str().unwrap_or_default());
///         loop {
///             let reply = io.text(Request::get(&path).bearer([secret("key")])).await?;
///             if reply.status != 202 {
///                 io.emit(reply.body);
///                 io.finish("stop");
///                 return Ok(());
///             }
///             io.sleep(500).await;
///         }
///     }
/// }
///
/// type Machine = Straight<Chat>; // for `adapter!`
/// ```
pub trait Script: 'static {
    /// The exchange from its start to its end.
    ///
    /// Resolves to the fault that the client is told when it fails.
    fn run(call: Call, io: Io) -> impl Future<Output = Result<(), Fault>> + 'static;
}

/// A script under way.
type Course = Pin<Box<dyn Future<Output = Result<(), Fault>>>>;

/// The machine of a [`Script`].
pub struct Straight<S> {
    /// Absent once the exchange is over.
    future: Option<Course>,
    desk: Rc<RefCell<Desk>>,
    chat: bool,
    again: Arc<Again>,
    script: PhantomData<S>,
}

impl<S: Script> Machine for Straight<S> {
    fn open(call: Call) -> Self {
        let desk = Rc::new(RefCell::new(Desk::new(call.now)));
        let chat = call.operation == "chat";
        let future = S::run(call, Io::at(&desk));
        Straight { future: Some(Box::pin(future)), desk, chat, again: Arc::default(), script: PhantomData }
    }

    fn step(&mut self, now: u32, events: Vec<Event>) -> Vec<Effect> {
        self.desk.borrow_mut().now = now;
        for event in events {
            // One at a time: what a script does must not depend on how events are batched.
            let woken = self.desk.borrow_mut().deliver(event);
            woken.into_iter().for_each(Waker::wake);
            self.poll();
        }
        std::mem::take(&mut self.desk.borrow_mut().effects)
    }
}

impl<S> Straight<S> {
    fn poll(&mut self) {
        let Some(future) = &mut self.future else { return };
        let waker = Waker::from(Arc::clone(&self.again));
        self.again.0.store(false, Ordering::Relaxed);
        let ended = loop {
            if let Poll::Ready(ended) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                break ended;
            }
            if self.again.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            let desk = self.desk.borrow();
            if desk.parked {
                break Ok(());
            }
            // Once the client has left, what was under way never ends: nobody is left to tell.
            if desk.finished || desk.abandoned || desk.something_is_coming() {
                return;
            }
            break Err(Fault::adapter_broken("the adapter waits for something that will never come"));
        };
        // What the function still held is dropped here, and so cancelled.
        self.future = None;
        self.desk.borrow_mut().close(ended, self.chat);
    }
}

/// Set when somebody inside the function wants to be polled again at once.
#[derive(Default)]
struct Again(AtomicBool);

impl Wake for Again {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
