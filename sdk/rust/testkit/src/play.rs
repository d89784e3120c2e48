//! Plays the host in one exchange of a case. It runs nothing itself: it says what the adapter is to be told and is handed what came of it,
//! so that a machine in this process and a compiled component are driven by the same rules.

mod outstanding;
mod run;
mod size;

pub use run::Run;
pub(crate) use run::{Happening, without_relay};

use crate::answer::{self, Parts};
use crate::fetch;
use crate::frames::{Content, Cutter};
use crate::plain::is_plain;
use crate::{Case, withhold};
use outstanding::{Next, Outstanding, is_message};
use size::size;
use std::collections::VecDeque;
use witgate_sdk::{Call, Effect, Event, Frame, Framing, Request};

/// How messages are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// One in a step.
    Single,
    /// An answer in one step.
    Whole,
    /// One in a step, but the answer to request `request` (from 1) in two: with its head what is complete when it is split there, then
    /// the rest.
    Split {
        /// Which request.
        request: usize,
        /// After how many messages, or bytes of a `bytes` answer.
        after: usize,
    },
}

/// What is to be done next.
#[derive(Debug)]
pub enum Ask {
    /// Open a fresh instance.
    Open(Box<Call>),
    /// Step the instance, then hand its effects to [`Play::effects`].
    Step {
        /// Unix seconds.
        now: u32,
        /// What it is told.
        events: Vec<Event>,
    },
    /// Nothing: the exchange is over, see [`Play::finish`].
    Done,
}

/// Steps of one exchange: a case that needs more goes round in circles.
const STEPS_MAX: usize = 20_000;
/// Bytes of what an adapter asks for in one exchange: nobody compares more.
const ASKED_MAX: usize = 16 << 20;

/// One exchange under way.
pub struct Play<'a> {
    case: &'a Case,
    cutter: &'a dyn Cutter,
    pace: Pace,
    now_ms: u64,
    call: Option<Box<Call>>,
    started: bool,
    outstanding: VecDeque<Outstanding>,
    relaying: Vec<u32>,
    /// Answers that a grant saw only in part.
    originals: Vec<(u32, String)>,
    /// How many messages of the vendor have arrived.
    arrived: usize,
    /// `finish`, `fail` or `grant` was said.
    over: bool,
    failed: bool,
    /// The client has left, and how many requests were sent by then.
    left: Option<usize>,
    parked: bool,
    steps: usize,
    /// Bytes of what the adapter asked for.
    asked: usize,
    run: Run,
}

impl<'a> Play<'a> {
    /// An exchange that has not begun.
    ///
    /// # Errors
    /// What is wrong with the client's request.
    pub fn new(case: &'a Case, cutter: &'a dyn Cutter, pace: Pace) -> Result<Play<'a>, String> {
        Ok(Play {
            case,
            cutter,
            pace,
            now_ms: u64::from(case.now) * 1000,
            call: Some(Box::new(case.call()?)),
            started: false,
            outstanding: VecDeque::new(),
            relaying: Vec::new(),
            originals: Vec::new(),
            arrived: 0,
            over: false,
            failed: false,
            left: None,
            parked: false,
            steps: 0,
            asked: 0,
            run: Run::default(),
        })
    }

    /// What is to be done next.
    ///
    /// # Errors
    /// What the case lacks, or how the adapter broke the contract.
    pub fn ask(&mut self) -> Result<Ask, String> {
        if let Some(call) = self.call.take() {
            self.started = false;
            return Ok(Ask::Open(call));
        }
        if !std::mem::replace(&mut self.started, true) {
            return self.step(vec![Event::Start]);
        }
        let mut waited = 0;
        while !self.failed {
            // An answer's end comes with its last message.
            let ends = self.outstanding.front().is_some_and(Outstanding::ends);
            let due = self.case.client_leaves_after.is_some_and(|after| self.arrived >= after);
            if self.left.is_none() && due && !ends {
                self.close(|_| true);
                self.left = Some(self.run.requests.len());
                return self.step(vec![Event::Abandoned]);
            }
            let room = self.case.client_leaves_after.filter(|_| self.left.is_none());
            let room = room.map_or(usize::MAX, |after| after - self.arrived);
            let Some(next) = self.outstanding.front_mut() else { break };
            match next.next(room) {
                Next::Over => {
                    let id = next.id();
                    self.close(|outstanding| outstanding.id() == id && outstanding.is_spent());
                }
                Next::Waits => {
                    waited += 1;
                    if waited > self.outstanding.len() {
                        return self.stuck();
                    }
                    self.outstanding.rotate_left(1);
                }
                Next::Said(line, number) => {
                    waited = 0;
                    self.run.dialogues.entry(number).or_default().push(line);
                }
                Next::Events { events, after_ms } => {
                    self.now_ms += u64::from(after_ms);
                    let events = self.passed(events);
                    if !events.is_empty() {
                        return self.step(events);
                    }
                }
            }
        }
        Ok(Ask::Done)
    }

    /// What of these events enters the adapter now. A plain message of an answer that is relayed passes it by; what follows it comes next.
    fn passed(&mut self, mut events: Vec<Event>) -> Vec<Event> {
        if self.over {
            // A wire that fails after the answer is complete is nobody's business.
            events.retain(|event| !matches!(event, Event::Failed(_)));
        }
        let Some(front) = self.outstanding.front_mut() else { return events };
        let mut seen = front.introduced();
        let plain = events.iter().position(|event| {
            let Event::Message(message) = event else { return false };
            let introduced = std::mem::replace(&mut seen, true);
            introduced && self.relaying.contains(&message.id) && is_plain(&message.data)
        });
        front.introduce(seen);
        if let Some(at) = plain {
            front.put_back(events.split_off(at.max(1)));
        }
        self.arrived += events.iter().filter(|event| is_message(event)).count();
        if plain == Some(0)
            && let Some(Event::Message(message)) = events.pop()
        {
            self.run.happenings.push(Happening::Relayed(message.data));
        }
        events
    }

    /// Ends what is outstanding, and keeps what was said in it.
    fn close(&mut self, over: impl Fn(&Outstanding) -> bool) {
        for outstanding in std::mem::take(&mut self.outstanding) {
            if !over(&outstanding) {
                self.outstanding.push_back(outstanding);
            } else if let Some((number, said)) = outstanding.unsaid() {
                self.run.dialogues.entry(number).or_default().extend(said);
            }
        }
    }

    fn step(&mut self, events: Vec<Event>) -> Result<Ask, String> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(format!("the exchange did not come to an end in {STEPS_MAX} steps"));
        }
        Ok(Ask::Step { now: self.now(), events })
    }

    fn now(&self) -> u32 {
        u32::try_from(self.now_ms / 1000).unwrap_or(u32::MAX)
    }

    /// Nothing that is outstanding can go on.
    fn stuck(&self) -> Result<Ask, String> {
        if self.over || self.left.is_some() {
            return Ok(Ask::Done);
        }
        Err(if self.outstanding.iter().any(Outstanding::talks) {
            "a message of the adapter is expected on the WebSocket, which it does not send".to_owned()
        } else {
            "the adapter waits for an answer that never comes".to_owned()
        })
    }

    /// Takes what a step answered with.
    ///
    /// # Errors
    /// How the adapter broke the contract.
    pub fn effects(&mut self, effects: Vec<Effect>) -> Result<(), String> {
        let first = self.run.requests.is_empty() && self.run.happenings.is_empty();
        for effect in effects {
            if self.failed || self.parked {
                let after = if self.failed { "fail" } else { "park" };
                return Err(format!("the adapter went on after `{after}`"));
            }
            self.asked += size(&effect);
            if self.asked > ASKED_MAX {
                return Err(format!("the adapter asked for more than {ASKED_MAX} bytes in one exchange"));
            }
            self.effect(effect)?;
        }
        if self.parked {
            self.parked = false;
            return self.resume();
        }
        if self.over || self.left.is_some() || self.outstanding.iter().any(|outstanding| !outstanding.is_spent()) {
            return Ok(());
        }
        Err(if first && self.run.requests.is_empty() {
            "the first step left nothing outstanding: no request, no `finish`, no `fail`".to_owned()
        } else {
            NEVER_OVER.to_owned()
        })
    }

    fn effect(&mut self, effect: Effect) -> Result<(), String> {
        match effect {
            Effect::Send(request) => return self.send(request),
            Effect::Usage(_) => {}
            // The client does not hear it any more.
            _ if self.left.is_some() => return Ok(()),
            Effect::WsSend { id, message } => {
                let talk = self.outstanding.iter_mut().find(|outstanding| outstanding.is_talk(id));
                let talk = talk.ok_or_else(|| format!("there is no WebSocket {id} to send on"))?;
                talk.hear(match message {
                    Frame::Text(text) => Content::Text(text),
                    Frame::Bytes(bytes) => Content::Bytes(bytes),
                });
                return Ok(());
            }
            Effect::Cancel(id) => self.close(|outstanding| outstanding.id() == id),
            Effect::Sleep { id, ms } => self.outstanding.push_back(Outstanding::timer(id, ms)),
            Effect::Fetch { id, ref url } => {
                self.run.fetched += 1;
                let event = fetch::answer(self.case, self.run.fetched, id, url)?;
                self.outstanding.push_back(Outstanding::event(id, event));
            }
            Effect::Relay(id) => {
                if !self.outstanding.iter().any(|outstanding| outstanding.id() == id) {
                    return Err(format!("`relay` names request {id}, which was not sent"));
                }
                self.relaying.push(id);
            }
            Effect::Emit(_) if self.case.capability == "grant" => {
                return Err("a grant has nobody to emit to".to_owned());
            }
            Effect::Grant { id, ref pointer, .. } => {
                if self.case.capability != "grant" {
                    return Err("only a grant may name an access token".to_owned());
                }
                let answer = self.originals.iter().find(|(answered, _)| *answered == id);
                if answer.and_then(|(_, answer)| withhold::at(answer, pointer)).is_none() {
                    return Err(format!("there is no text at `{pointer}` of the answer to request {id}"));
                }
                self.over = true;
            }
            Effect::Finish(_) => self.over = true,
            Effect::Fail(_) => (self.over, self.failed) = (true, true),
            Effect::Park { .. } => self.parked = true,
            Effect::Ext(ref extra) => return Err(format!("this program does not know the effect `{}`", extra.name)),
            Effect::Emit(_) | Effect::Loss { .. } => {}
        }
        self.run.happenings.push(Happening::Effect(effect));
        Ok(())
    }

    fn send(&mut self, request: Request) -> Result<(), String> {
        let id = request.id;
        self.close(Outstanding::is_spent);
        if self.outstanding.iter().any(|outstanding| outstanding.id() == id) {
            return Err(format!("a second request {id} was sent while the first is in flight"));
        }
        if self.left.is_some_and(|sent| self.run.requests.len() > sent) {
            return Err("more than one request was sent after the client had left".to_owned());
        }
        if self.case.capability == "grant" && request.framing != Framing::Text {
            return Err("a grant reads its answers as `text`".to_owned());
        }
        self.relaying.retain(|relayed| *relayed != id);
        let number = self.run.requests.len() + 1;
        if number > 1 {
            self.run.happenings.push(Happening::Sent(number));
        }
        let reply = answer::reply(self.case, number, &request, self.cutter)?;
        self.run.requests.push(request);
        let Some(reply) = reply else {
            self.outstanding.push_back(Outstanding::silence(id));
            return Ok(());
        };
        self.originals.extend(reply.original.map(|original| (id, original)));
        self.outstanding.push_back(match reply.parts {
            Parts::Dialogue(lines) => Outstanding::talk(id, number, reply.head, lines, reply.last, self.pace),
            parts => {
                let cuts = parts.cuts();
                if cuts.len() > 1 {
                    self.run.cuts.insert(number, cuts);
                }
                let cut = match self.pace {
                    Pace::Split { request, after } if request == number => Some(after),
                    _ => None,
                };
                let at_once = self.pace == Pace::Whole;
                let events = parts.events(id, cut.or(at_once.then_some(0)));
                // The first of two pieces of bytes is one event, however long.
                let cut = if matches!(parts, Parts::Bytes(_)) { cut.map(|after| usize::from(after > 0)) } else { cut };
                Outstanding::answer(id, reply.head, events, reply.last, at_once, cut)
            }
        });
        Ok(())
    }

    fn resume(&mut self) -> Result<(), String> {
        let Some(Happening::Effect(Effect::Park { state, ms })) = self.run.happenings.last() else {
            return Err("`park` was not the last effect".to_owned());
        };
        if self.outstanding.iter().any(|outstanding| !outstanding.is_spent()) {
            return Err("the adapter parked with something outstanding".to_owned());
        }
        let emitted = |happening: &Happening| {
            matches!(happening, Happening::Relayed(_) | Happening::Effect(Effect::Emit(_) | Effect::Finish(_)))
        };
        if self.case.capability == "grant" || self.run.happenings.iter().any(emitted) {
            return Err(
                "the adapter parked an exchange that cannot be: it has begun to answer, or is a grant".to_owned()
            );
        }
        self.now_ms += u64::from(*ms);
        let call = Call { resume: Some(state.clone()), ..self.case.call()? };
        self.outstanding.clear();
        self.call = Some(Box::new(Call { now: self.now(), ..call }));
        Ok(())
    }

    /// What came of it all.
    ///
    /// # Errors
    /// When the adapter never came to an end, or the client never left although the case says so.
    pub fn finish(mut self) -> Result<Run, String> {
        self.close(|_| true);
        match (self.case.client_leaves_after, self.left) {
            (Some(after), None) => {
                Err(format!("the client was to leave after {after} messages, but only {} came", self.arrived))
            }
            (None, None) if !self.over => Err(NEVER_OVER.to_owned()),
            _ => Ok(self.run),
        }
    }
}

const NEVER_OVER: &str = "the exchange never came to `finish` or `fail`";
