//! The chat capability: one request, one answer, whole or streamed.

use witgate_sdk::{Call, Fault, Framing, Head, Mapper, Message, Out, Request, Stamp, ToolCalls};

use crate::names::Names;
use crate::response::{self, Reading};
use crate::settings::Settings;
use crate::stream::Stream;
use crate::{fault, request};

/// One exchange.
#[derive(Debug)]
pub struct Chat {
    call: Call,
    reading: Reading,
    stream: Option<Stream>,
}

impl Mapper for Chat {
    fn open(call: Call) -> Result<Self, Fault> {
        let (stamp, calls) = (Stamp::new(&call), ToolCalls::new(&call));
        let reading = Reading { stamp, calls, names: Names::default(), answer_tool: None };
        Ok(Chat { call, reading, stream: None })
    }

    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault> {
        let mut settings = Settings::read(&self.call);
        let built = request::message(&self.call, &settings, out)?;
        built.betas.iter().for_each(|beta| settings.needs(beta));
        (self.reading.names, self.reading.answer_tool) = (built.names, built.answer_tool);
        let framing = if built.streaming { Framing::Sse } else { Framing::Text };
        let request = settings.apply(Request::post("/v1/messages")).json(built.json);
        Ok(Some(request.framing(framing)))
    }

    fn head(&mut self, head: &Head, _: &mut Out) -> Result<(), Fault> {
        if head.status >= 300 {
            let what = "the vendor answered with a redirect, which is not followed; check the channel's base URL";
            return Err(Fault::upstream_broken(what).with_status(head.status));
        }
        Ok(())
    }

    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
        response::map(body, &self.reading, out)
    }

    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        self.stream.get_or_insert_with(|| Stream::new(self.reading.clone())).map(&message, out)
    }

    fn fault(&mut self, head: &Head, body: &str) -> Fault {
        fault::answered(head, body, self.call.now)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        if let Some(stream) = &mut self.stream {
            stream.end(out);
        }
        Ok(())
    }
}
