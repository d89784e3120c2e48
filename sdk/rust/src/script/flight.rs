//! A request under way: its head, what comes of its answer, and its end.

use super::desk::{Desk, Slot};
use crate::{Binary, Effect, Fault, Frame, Head, Message};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// A request that was sent. Dropped before its answer has ended, it is cancelled.
pub struct Flight {
    id: u32,
    desk: Rc<RefCell<Desk>>,
}

/// Part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Text, whole by itself.
    Message(Message),
    /// Bytes, whole by themselves.
    Binary(Binary),
    /// The next bytes of an answer that was asked for with [`Framing::Bytes`](crate::Framing::Bytes).
    Body(Vec<u8>),
}

impl Flight {
    pub(super) fn new(id: u32, desk: &Rc<RefCell<Desk>>) -> Flight {
        Flight { id, desk: Rc::clone(desk) }
    }

    /// The request's id, for [`Io::grant`](crate::Io::grant).
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The answer's status and headers. Whatever the status is: an answer of 400 and more is one message with the whole text.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn head(&mut self) -> Result<Head, Fault> {
        self.wait(|slot| match (&slot.head, &slot.end) {
            (Some(head), _) => Some(Ok(head.clone())),
            (None, Some(Err(failure))) => Some(Err(Fault::from(failure.clone()))),
            (None, Some(Ok(()))) => Some(Err(Fault::upstream_broken("the answer ended before it began"))),
            (None, None) => None,
        })
        .await
    }

    /// The next part of the answer; `None` at its end.
    ///
    /// # Errors
    /// Why the answer broke off.
    pub async fn next(&mut self) -> Result<Option<Incoming>, Fault> {
        self.wait(|slot| match (slot.queue.pop_front(), &slot.end) {
            (Some(incoming), _) => Some(Ok(Some(incoming))),
            (None, Some(Ok(()))) => Some(Ok(None)),
            (None, Some(Err(failure))) => {
                let fault = Fault::from(failure.clone());
                Some(Err(slot.head.iter().fold(fault, Fault::with_head)))
            }
            (None, None) => None,
        })
        .await
    }

    /// The next part of the answer if it is text. Bytes in place of it are a fault.
    ///
    /// # Errors
    /// Why the answer broke off.
    pub async fn message(&mut self) -> Result<Option<Message>, Fault> {
        match self.next().await? {
            Some(Incoming::Message(message)) => Ok(Some(message)),
            Some(_) => Err(Fault::upstream_broken("the vendor sent bytes where text was expected")),
            None => Ok(None),
        }
    }

    /// The whole answer, whatever its status is.
    ///
    /// # Errors
    /// Why there is no answer, or only a part of one.
    pub async fn text(mut self) -> Result<Reply, Fault> {
        let head = self.head().await?;
        let mut body = Vec::new();
        while let Some(incoming) = self.next().await? {
            match incoming {
                Incoming::Message(message) => body.extend_from_slice(message.data.as_bytes()),
                Incoming::Binary(binary) => body.extend_from_slice(&binary.data),
                Incoming::Body(data) => body.extend_from_slice(&data),
            }
        }
        let body =
            String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Reply { id: self.id, status: head.status, headers: head.headers, body })
    }

    /// Sends a message on the WebSocket that the request opened. Wait for [`Flight::head`] first: until then there is no connection.
    pub fn ws_send(&self, message: Frame) {
        self.desk.borrow_mut().effects.push(Effect::WsSend { id: self.id, message });
    }

    /// Wants nothing more of the answer. The same as dropping it.
    pub fn cancel(self) {}

    async fn wait<T>(&self, mut look: impl FnMut(&mut Slot) -> Option<T>) -> T {
        poll_fn(|context| {
            let mut desk = self.desk.borrow_mut();
            let Some(slot) = desk.slots.get_mut(&self.id) else { return Poll::Pending }; // parked
            match look(slot) {
                Some(found) => Poll::Ready(found),
                None => {
                    slot.wait(context.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.desk.borrow_mut().drop_slot(self.id);
    }
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The request that it answers.
    pub id: u32,
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The text.
    pub body: String,
}

impl Reply {
    /// The head of the answer, for a [`Mapper`](crate::Mapper)'s function or [`Fault::from_openai`].
    pub fn head(&self) -> Head {
        Head { id: self.id, status: self.status, headers: self.headers.clone(), framing: "text".to_owned() }
    }

    /// The body as a Rust value.
    ///
    /// # Errors
    /// `upstream-broken` when it is not JSON of that shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.body).map_err(|error| {
            Fault::upstream_broken(format!("the vendor's answer is not what it should be: {error}"))
                .with_head(&self.head())
        })
    }

    /// The reply, unless its status is 400 or more.
    ///
    /// # Errors
    /// What `fault` makes of it, with the status and the time to wait that the head knows.
    pub fn accepted(self, fault: impl FnOnce(&Head, &str) -> Fault) -> Result<Reply, Fault> {
        if self.status < 400 {
            return Ok(self);
        }
        let head = self.head();
        Err(fault(&head, &self.body).with_head(&head))
    }
}

impl From<&Reply> for u32 {
    fn from(reply: &Reply) -> u32 {
        reply.id
    }
}

impl From<&Flight> for u32 {
    fn from(flight: &Flight) -> u32 {
        flight.id
    }
}
