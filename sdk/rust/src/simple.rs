//! The usual adapter: one request, one answer. A [`Mapper`] holds the mapping, [`Simple`] makes a machine of it.

use crate::{Binary, Call, Effect, Event, Fault, Head, Machine, Message, Request, Usage};

/// The id of the one request.
const REQUEST: u32 = 1;

/// What a mapper writes.
#[derive(Debug, Default)]
pub struct Out {
    effects: Vec<Effect>,
    finished: bool,
}

impl Out {
    /// A canonical chunk (when streaming) or the whole canonical answer, JSON.
    pub fn emit(&mut self, json: impl Into<String>) {
        self.effects.push(Effect::Emit(json.into()));
    }

    /// Absolute counts so far; the last report wins.
    pub fn usage(&mut self, usage: Usage) {
        self.effects.push(Effect::Usage(usage));
    }

    /// A field of the client's request that could not be mapped, and what became of it.
    pub fn loss(&mut self, field: impl Into<String>, what: impl Into<String>) {
        self.effects.push(Effect::Loss { field: field.into(), what: what.into() });
    }

    /// The answer is complete. Usage may follow.
    pub fn finish(&mut self, reason: impl Into<String>) {
        self.finished = true;
        self.effects.push(Effect::Finish(reason.into()));
    }

    /// Whether the answer was said to be complete.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The answer to this request (see [`Head::id`]) is canonical already: the host passes plain messages through.
    pub fn relay(&mut self, id: u32) {
        self.effects.push(Effect::Relay(id));
    }

    /// The access token is the text at this JSON pointer in the answer, good for so many seconds. Only in `grant`.
    pub fn grant(&mut self, pointer: impl Into<String>, lifetime_s: u32) {
        self.effects.push(Effect::Grant { id: REQUEST, pointer: pointer.into(), lifetime_s });
    }

    /// Anything else.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

/// A mapping with one request and one answer, for any capability. A fault ends the exchange; what was written before it still counts.
pub trait Mapper: Sized + 'static {
    /// Opens an exchange.
    ///
    /// # Errors
    /// What the client is told when the call cannot be served.
    fn open(call: Call) -> Result<Self, Fault>;

    /// The request to send; `None` when the mapper has written the whole answer by itself.
    ///
    /// # Errors
    /// What the client is told when there is no such request.
    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault>;

    /// A whole answer with a status below 400: of a request with [`Framing::Text`](crate::Framing::Text), or in place of the stream that was
    /// asked for (a JSON answer to a stream request, an HTML page).
    ///
    /// # Errors
    /// What is wrong with it.
    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault>;

    /// One message of a streamed answer.
    ///
    /// # Errors
    /// What is wrong with it.
    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault>;

    /// What an answer with a status of 400 or more means; `body` is all of it and may be empty.
    fn fault(&mut self, head: &Head, body: &str) -> Fault;

    /// The answer's status, below 400, and headers.
    ///
    /// # Errors
    /// What is wrong with them.
    fn head(&mut self, head: &Head, out: &mut Out) -> Result<(), Fault> {
        let _ = (head, out);
        Ok(())
    }

    /// One message of a streamed answer that is bytes, not text.
    ///
    /// # Errors
    /// What is wrong with it; that it came at all, unless the mapper says otherwise.
    fn binary(&mut self, binary: Binary, out: &mut Out) -> Result<(), Fault> {
        let _ = (binary, out);
        Err(Fault::upstream_broken("the vendor sent bytes where text was expected"))
    }

    /// The answer is complete. When nothing has finished it until then, it counts as cut off.
    ///
    /// # Errors
    /// What is missing.
    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        let _ = out;
        Ok(())
    }
}

/// The machine of a [`Mapper`].
#[derive(Debug)]
pub struct Simple<M> {
    state: State<M>,
    out: Out,
}

#[derive(Debug)]
enum State<M> {
    /// Nothing happened yet.
    Opened(Box<Call>),
    /// The request is on its way.
    Sent(M, Head),
    /// Finished by itself, failed, or the answer has ended.
    Over,
}

impl<M: Mapper> Machine for Simple<M> {
    fn open(call: Call) -> Self {
        Simple { state: State::Opened(Box::new(call)), out: Out::default() }
    }

    fn step(&mut self, _now: u32, events: Vec<Event>) -> Vec<Effect> {
        for event in events {
            if let Err(fault) = self.take(event) {
                self.out.effects.push(Effect::Fail(fault));
                self.state = State::Over;
            }
        }
        std::mem::take(&mut self.out.effects)
    }
}

impl<M: Mapper> Simple<M> {
    fn take(&mut self, event: Event) -> Result<(), Fault> {
        let out = &mut self.out;
        self.state = match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Opened(call), Event::Start) => start(*call, out)?,
            (State::Sent(mut mapper, _), Event::Head(head)) if head.id == REQUEST => {
                if head.status < 400 {
                    mapper.head(&head, out).map_err(|fault| fault.with_head(&head))?;
                }
                State::Sent(mapper, head)
            }
            (State::Sent(mut mapper, head), Event::Message(message)) if message.id == REQUEST => {
                let mapped = match head {
                    _ if head.status >= 400 => Err(mapper.fault(&head, &message.data)),
                    _ if head.is_whole() => mapper.response(&message.data, out),
                    _ => mapper.stream(message, out),
                };
                mapped.map_err(|fault| fault.with_head(&head))?;
                State::Sent(mapper, head)
            }
            (State::Sent(mut mapper, head), Event::Binary(binary)) if binary.id == REQUEST => {
                mapper.binary(binary, out).map_err(|fault| fault.with_head(&head))?;
                State::Sent(mapper, head)
            }
            (State::Sent(mut mapper, head), Event::End(REQUEST)) => {
                if head.status >= 400 {
                    return Err(mapper.fault(&head, "").with_head(&head));
                }
                mapper.end(out).map_err(|fault| fault.with_head(&head))?;
                if !out.finished {
                    let what = "the vendor's answer broke off before it was complete";
                    return Err(Fault::upstream_broken(what).with_head(&head));
                }
                State::Over
            }
            (State::Sent(_, head), Event::Failed(failure)) if failure.id == REQUEST => {
                return Err(Fault::from(failure).with_head(&head));
            }
            (State::Sent(..), Event::Body { id: REQUEST, .. }) => {
                return Err(Fault::adapter_broken("a mapper reads messages; it cannot ask for an answer in bytes"));
            }
            (state, _) => state,
        };
        Ok(())
    }
}

fn start<M: Mapper>(call: Call, out: &mut Out) -> Result<State<M>, Fault> {
    let mut mapper = M::open(call)?;
    match mapper.request(out)? {
        Some(mut request) => {
            request.id = REQUEST;
            out.effects.push(Effect::Send(request));
            Ok(State::Sent(mapper, Head { id: REQUEST, ..Head::default() }))
        }
        None if out.finished => Ok(State::Over),
        None => Err(Fault::adapter_broken("the mapper neither made a request nor finished the answer")),
    }
}

#[cfg(test)]
mod tests;
