//! What an adapter has asked for and not heard the end of: an answer, a timer, a fetch, a conversation.

use crate::dialogue::Line;
use crate::frames::{Content, Frame};
use crate::{answer, play::Pace};
use std::collections::VecDeque;
use witgate_sdk::{Event, Head};

pub(super) struct Outstanding {
    id: u32,
    what: What,
    /// Whether the adapter has seen a message of it.
    introduced: bool,
}

enum What {
    Steps(VecDeque<Batch>),
    Talk(Box<Talk>),
    Silence,
}

/// What is told together.
struct Batch {
    events: Vec<Event>,
    /// How much later it happens.
    after_ms: u32,
}

/// A WebSocket.
struct Talk {
    number: usize,
    head: Option<Head>,
    lines: VecDeque<Line>,
    last: Option<Event>,
    /// One message in a step, or all that may come.
    single: bool,
    ready: Vec<Event>,
    /// What the adapter has sent and no line has asked for yet.
    heard: VecDeque<Content>,
}

/// What comes next of it.
pub(super) enum Next {
    Events {
        events: Vec<Event>,
        after_ms: u32,
    },
    /// Something was said in the conversation of this request.
    Said(Line, usize),
    /// Nothing, before something else happens.
    Waits,
    /// It is over.
    Over,
}

impl Outstanding {
    fn new(id: u32, what: What) -> Outstanding {
        Outstanding { id, what, introduced: false }
    }

    fn steps(id: u32, batches: impl IntoIterator<Item = (Vec<Event>, u32)>) -> Outstanding {
        let batch = |(events, after_ms)| Batch { events, after_ms };
        Outstanding::new(id, What::Steps(batches.into_iter().map(batch).collect()))
    }

    pub(super) fn timer(id: u32, ms: u32) -> Outstanding {
        Outstanding::steps(id, [(vec![Event::Timer(id)], ms)])
    }

    pub(super) fn event(id: u32, event: Event) -> Outstanding {
        Outstanding::steps(id, [(vec![event], 0)])
    }

    pub(super) fn silence(id: u32) -> Outstanding {
        Outstanding::new(id, What::Silence)
    }

    /// `cut`: the head and that many parts come together, and the rest.
    pub(super) fn answer(
        id: u32,
        head: Option<Head>,
        parts: Vec<Event>,
        last: Event,
        at_once: bool,
        cut: Option<usize>,
    ) -> Outstanding {
        let mut events: Vec<Event> = head.map(Event::Head).into_iter().chain(parts).chain([last]).collect();
        if at_once {
            return Outstanding::steps(id, [(events, 0)]);
        }
        match cut {
            Some(parts) if parts + 1 < events.len() => {
                let rest = events.split_off(parts + 1);
                Outstanding::steps(id, [(events, 0), (rest, 0)])
            }
            _ => Outstanding::steps(id, events.into_iter().map(|event| (vec![event], 0))),
        }
    }

    pub(super) fn talk(
        id: u32,
        number: usize,
        head: Option<Head>,
        lines: Vec<Line>,
        last: Event,
        pace: Pace,
    ) -> Outstanding {
        let talk = Talk {
            number,
            head,
            lines: lines.into(),
            last: Some(last),
            single: pace != Pace::Whole,
            ready: Vec::new(),
            heard: VecDeque::new(),
        };
        Outstanding::new(id, What::Talk(Box::new(talk)))
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn introduced(&self) -> bool {
        self.introduced
    }

    pub(super) fn introduce(&mut self, seen: bool) {
        self.introduced = seen;
    }

    pub(super) fn is_talk(&self, id: u32) -> bool {
        self.id == id && self.talks()
    }

    pub(super) fn talks(&self) -> bool {
        matches!(self.what, What::Talk(_))
    }

    /// Whether nothing more comes of it.
    pub(super) fn is_spent(&self) -> bool {
        match &self.what {
            What::Steps(batches) => batches.is_empty(),
            What::Talk(talk) => talk.last.is_none(),
            What::Silence => false,
        }
    }

    /// Whether its end is all that comes next.
    pub(super) fn ends(&self) -> bool {
        let What::Steps(batches) = &self.what else { return false };
        batches.front().is_some_and(|batch| matches!(batch.events.as_slice(), [Event::End(_) | Event::Failed(_)]))
    }

    /// The adapter sends a message.
    pub(super) fn hear(&mut self, message: Content) {
        if let What::Talk(talk) = &mut self.what {
            talk.heard.push_back(message);
        }
    }

    /// What the adapter sent that nobody had asked for, and in which request.
    pub(super) fn unsaid(self) -> Option<(usize, Vec<Line>)> {
        match self.what {
            What::Talk(talk) => Some((talk.number, talk.heard.into_iter().map(Line::Adapter).collect())),
            What::Steps(_) | What::Silence => None,
        }
    }

    /// What was taken too early.
    pub(super) fn put_back(&mut self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        match &mut self.what {
            What::Steps(batches) => batches.push_front(Batch { events, after_ms: 0 }),
            What::Talk(talk) => drop(talk.ready.splice(0..0, events)),
            What::Silence => {}
        }
    }

    /// What comes next, with at most `room` messages in it.
    pub(super) fn next(&mut self, room: usize) -> Next {
        match &mut self.what {
            What::Silence => Next::Waits,
            What::Steps(batches) => match batches.pop_front() {
                None => Next::Over,
                Some(Batch { mut events, after_ms }) => {
                    let rest = beyond(&mut events, room);
                    self.put_back(rest);
                    Next::Events { events, after_ms }
                }
            },
            What::Talk(talk) => talk.next(self.id, room),
        }
    }
}

impl Talk {
    fn next(&mut self, id: u32, room: usize) -> Next {
        let now = |events| Next::Events { events, after_ms: 0 };
        if let Some(head) = self.head.take() {
            return now(vec![Event::Head(head)]);
        }
        let full = self.ready.len() >= if self.single { 1 } else { room };
        match self.lines.front() {
            Some(Line::Vendor(said)) if !full => {
                let frame = Frame { name: String::new(), headers: Vec::new(), content: said.clone() };
                self.ready.push(answer::event(id, frame));
                self.lines.pop_front().map_or(Next::Over, |line| Next::Said(line, self.number))
            }
            _ if !self.ready.is_empty() => now(std::mem::take(&mut self.ready)),
            Some(_) => match self.heard.pop_front() {
                None => Next::Waits,
                Some(message) => {
                    self.lines.pop_front();
                    Next::Said(Line::Adapter(message), self.number)
                }
            },
            None => self.last.take().map_or(Next::Over, |last| now(vec![last])),
        }
    }
}

/// Whether this is a part of an answer.
pub(super) fn is_message(event: &Event) -> bool {
    matches!(event, Event::Message(_) | Event::Binary(_) | Event::Body { .. })
}

/// Takes off what comes after so many messages.
fn beyond(events: &mut Vec<Event>, room: usize) -> Vec<Event> {
    let over = events.iter().enumerate().filter(|(_, event)| is_message(event)).nth(room);
    over.map(|(at, _)| at).map_or_else(Vec::new, |at| events.split_off(at))
}
