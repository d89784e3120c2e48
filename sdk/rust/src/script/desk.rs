//! What a script's parts share: the effects to be, and one slot for everything that was asked for and may still bring something.

use super::flight::Incoming;
use crate::{Effect, Event, Failure, Fault, Fetched, Head};
use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

/// The desk of one exchange. Events are put into slots, never dropped while somebody may still ask for them.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) now: u32,
    pub(super) effects: Vec<Effect>,
    pub(super) finished: bool,
    pub(super) parked: bool,
    pub(super) abandoned: bool,
    pub(super) slots: BTreeMap<u32, Slot>,
    /// Who waits for the client to leave.
    pub(super) leaving: Vec<Waker>,
    last_id: u32,
    /// What the exchange was for was said.
    said: bool,
}

/// What one request, sleep or fetch has brought so far.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) head: Option<Head>,
    pub(super) queue: VecDeque<Incoming>,
    pub(super) file: Option<Fetched>,
    /// Nothing more comes; with the failure, if it was one.
    pub(super) end: Option<Result<(), Failure>>,
    /// The host has dropped it, because the client has left.
    gone: bool,
    /// Who waits for it.
    waker: Option<Waker>,
}

impl Slot {
    pub(super) fn wait(&mut self, waker: &Waker) {
        self.waker = Some(waker.clone());
    }
}

impl Desk {
    pub(super) fn new(now: u32) -> Desk {
        Desk { now, ..Desk::default() }
    }

    /// Opens a slot; gives its id.
    pub(super) fn ask(&mut self, effect: impl FnOnce(u32) -> Effect) -> u32 {
        self.last_id += 1;
        self.slots.insert(self.last_id, Slot::default());
        self.effects.push(effect(self.last_id));
        self.last_id
    }

    /// Something that the exchange was for.
    pub(super) fn say(&mut self, effect: Effect) {
        self.said = true;
        self.effects.push(effect);
    }

    /// Nobody will ask for this slot any more.
    pub(super) fn drop_slot(&mut self, id: u32) {
        if self.slots.remove(&id).is_some_and(|slot| slot.end.is_none() && !slot.gone) {
            self.effects.push(Effect::Cancel(id));
        }
    }

    /// Puts an event where it belongs; gives those to wake.
    pub(super) fn deliver(&mut self, event: Event) -> Vec<Waker> {
        if event == Event::Abandoned {
            self.abandoned = true;
            self.slots.values_mut().for_each(|slot| slot.gone = true);
            return std::mem::take(&mut self.leaving);
        }
        // A slot that is not there was cancelled a moment ago.
        let Some(slot) = about(&event).and_then(|id| self.slots.get_mut(&id)) else { return Vec::new() };
        match event {
            Event::Head(head) => slot.head = Some(head),
            Event::Message(message) => slot.queue.push_back(Incoming::Message(message)),
            Event::Binary(binary) => slot.queue.push_back(Incoming::Binary(binary)),
            Event::Body { data, .. } => slot.queue.push_back(Incoming::Body(data)),
            Event::End(_) | Event::Timer(_) => slot.end = Some(Ok(())),
            Event::Fetched(file) => {
                slot.file = Some(file);
                slot.end = Some(Ok(()));
            }
            Event::Failed(failure) => slot.end = Some(Err(failure)),
            Event::Start | Event::Abandoned | Event::Ext(_) => {}
        }
        slot.waker.take().into_iter().collect()
    }

    /// Whether somebody waits for what may still come.
    pub(super) fn something_is_coming(&self) -> bool {
        let mut open = self.slots.values().filter(|slot| slot.end.is_none() && !slot.gone).peekable();
        (open.peek().is_some() && !self.leaving.is_empty()) || open.any(|slot| slot.waker.is_some())
    }

    /// The script has come to its end.
    pub(super) fn close(&mut self, ended: Result<(), Fault>, chat: bool) {
        match ended {
            Err(fault) => self.effects.push(Effect::Fail(fault)),
            Ok(()) if self.finished || self.parked => {}
            Ok(()) if chat => {
                let what = "the vendor's answer broke off before it was complete";
                self.effects.push(Effect::Fail(Fault::upstream_broken(what)));
            }
            Ok(()) if self.said => self.effects.push(Effect::Finish("stop".to_owned())),
            Ok(()) => {
                let what = "the adapter came to its end without an answer";
                self.effects.push(Effect::Fail(Fault::adapter_broken(what)));
            }
        }
    }
}

/// The request, sleep or fetch that an event is about.
fn about(event: &Event) -> Option<u32> {
    match event {
        Event::Head(head) => Some(head.id),
        Event::Message(message) => Some(message.id),
        Event::Binary(binary) => Some(binary.id),
        Event::Fetched(file) => Some(file.id),
        Event::Failed(failure) => Some(failure.id),
        Event::Body { id, .. } | Event::End(id) | Event::Timer(id) => Some(*id),
        Event::Start | Event::Abandoned | Event::Ext(_) => None,
    }
}
