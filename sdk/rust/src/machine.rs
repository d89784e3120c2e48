//! What a component implements: a catalog, and a step machine for each capability.

use crate::{Call, Effect, Event};

/// The bare step machine. Most adapters implement [`Mapper`](crate::Mapper) instead.
pub trait Machine: Sized + 'static {
    /// Opens an exchange. A call that cannot be served is refused in the first step, with [`Effect::Fail`].
    fn open(call: Call) -> Self;

    /// Told what happened, answers what to do next. `now` is in Unix seconds.
    ///
    /// A step that leaves nothing outstanding before [`Effect::Finish`] or [`Effect::Fail`] is a fault.
    fn step(&mut self, now: u32, events: Vec<Event>) -> Vec<Effect>;
}

/// What a component offers. Called once, when it is loaded.
pub trait Catalog {
    /// The providers, each with an id that is unique in an installation.
    fn providers() -> Vec<Provider>;
}

/// A vendor as the catalog describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// `[a-z0-9-]{1,40}`.
    pub id: String,
    /// The descriptor, JSON; its keys are described beside the contract.
    pub descriptor: String,
}

impl Provider {
    /// A provider from its id and its descriptor's JSON text.
    pub fn new(id: impl Into<String>, descriptor: impl Into<String>) -> Provider {
        Provider { id: id.into(), descriptor: descriptor.into() }
    }
}
