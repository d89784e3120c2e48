//! The chat capability: one request, one answer, whole or streamed.

use witgate_sdk::{Call, Fault, Head, Mapper, Message, Out, Request};

use crate::dialect::Dialect;
use crate::stream::Stream;
use crate::{fault, request, response};

/// One exchange.
#[derive(Debug)]
pub struct Chat {
    call: Call,
    dialect: Dialect<'static>,
    /// Absent when the client wants a whole answer.
    stream: Option<Stream>,
}

impl Mapper for Chat {
    fn open(call: Call) -> Result<Self, Fault> {
        let dialect = Dialect::of_call(&call)?;
        let stream = call.streaming.then(|| {
            let choices = call.body.raw("n").and_then(|n| n.parse().ok()).unwrap_or(1);
            Stream::new(request::may_relay(&call.body, &dialect), choices)
        });
        Ok(Chat { call, dialect, stream })
    }

    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault> {
        request::build(&mut self.call, self.dialect, out).map(Some)
    }

    fn head(&mut self, head: &Head, _: &mut Out) -> Result<(), Fault> {
        fault::redirected(head)
    }

    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
        // Also when a stream was asked for: the vendor does not stream, and the host will.
        response::map(body, out)
    }

    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        match &mut self.stream {
            Some(stream) => stream.map(message, out),
            None => response::map(&message.data, out),
        }
    }

    fn fault(&mut self, head: &Head, body: &str) -> Fault {
        fault::refused(head, body, self.call.now)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        if let Some(stream) = &mut self.stream {
            stream.end(out);
        }
        Ok(())
    }
}
