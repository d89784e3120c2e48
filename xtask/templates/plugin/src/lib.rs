//! Acme: maps chat completions to the vendor's API and back. `Chat` is the list of what happens in an exchange; each of its four
//! functions has a file.

mod catalog;
mod fault;
mod request;
mod response;
mod stream;
mod wire;

use witgate_sdk::{Call, Fault, Head, Mapper, Message, Out, Request, Simple, Stamp};

pub use catalog::Shop;

/// One exchange: a client's request and the answer to it.
#[derive(Debug)]
pub struct Chat {
    call: Call,
    /// What all chunks of the answer share.
    stamp: Stamp,
    /// A chunk was emitted.
    begun: bool,
}

impl Mapper for Chat {
    fn open(call: Call) -> Result<Self, Fault> {
        Ok(Chat { stamp: Stamp::new(&call), call, begun: false })
    }

    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault> {
        request::build(&self.call, out).map(Some)
    }

    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
        response::map(body, &self.stamp, out)
    }

    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        stream::map(&message, &self.stamp, &mut self.begun, out)
    }

    fn fault(&mut self, head: &Head, body: &str) -> Fault {
        fault::read(head.status, body)
    }
}

witgate_sdk::adapter! { catalog = Shop, chat = Simple<Chat> }
