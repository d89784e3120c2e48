//! The sandbox of one exchange: constructed with a call, stepped with events, dropped at the end and never used again.

use std::{sync::Arc, time::Duration};

use domain::{Fault, FaultCode};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use wasmtime::{Store, component::ResourceAny};

use crate::{
    component::{Step, Version, arm, explain, with_stderr},
    machine::{Batch, Effect, Event},
    sandbox::Sandbox,
};

/// Effects that one step may answer with.
const EFFECTS_MAX: usize = 4096;

/// A guest that is in the middle of its exchange.
pub struct Guest {
    version: Arc<Version>,
    store: Store<Sandbox>,
    step: Step,
    exchange: ResourceAny,
    /// Set while a call runs: a call that was dropped half way leaves a guest that cannot be entered again.
    dead: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Guest {
    pub(crate) fn new(
        version: Arc<Version>,
        store: Store<Sandbox>,
        step: Step,
        exchange: ResourceAny,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Guest {
        Guest { version, store, step, exchange, dead: false, _permit: permit }
    }

    /// Tells the guest what happened and returns what it wants done. `now` is in Unix seconds.
    ///
    /// # Errors
    /// `adapter-broken` when the guest trapped, went over a limit or answered with more than 4,096 effects. The guest is dead then, and
    /// every later step fails the same way.
    pub async fn step(&mut self, now: u32, events: Vec<Event>) -> Result<Vec<Effect>, Fault> {
        if std::mem::replace(&mut self.dead, true) {
            return Err(broken("it was stepped after it had failed"));
        }
        let options = self.version.runtime.options();
        let _running = self.version.runtime.ticker().running();
        arm(&mut self.store, options.step_cpu);
        let call = self.step.call_async(&mut self.store, (self.exchange, Batch { now, events }));
        let answer = timeout(options.step_wall, call).await;
        let failed = match answer {
            Ok(Ok((effects,))) if effects.len() <= EFFECTS_MAX => {
                self.dead = false;
                return Ok(effects);
            }
            Ok(Ok((effects,))) => format!("answered a step with {} effects, the limit is {EFFECTS_MAX}", effects.len()),
            Ok(Err(error)) => explain(&error, options.step_cpu),
            Err(_) => overlong(options.step_wall),
        };
        let what = with_stderr(failed, &self.store.data().stderr.text());
        self.version.log.write("error", &what);
        Err(broken(what))
    }

    /// The value of this number that the guest built from secrets, for the host to put where an effect says.
    pub fn opaque(&self, number: u32) -> Option<&[u8]> {
        self.store.data().values.value(number)
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guest({}, dead: {})", self.version.file, self.dead)
    }
}

/// The text for a step that waited too long.
pub(crate) fn overlong(wall: Duration) -> String {
    format!("took longer than {} ms for one step", wall.as_millis())
}

/// The fault of an adapter that failed: neutral for the client, the cause for the operator.
pub(crate) fn broken(what: impl Into<String>) -> Fault {
    Fault::new(FaultCode::AdapterBroken, "the adapter for this model failed").with_detail(what)
}
