//! The sandbox of one exchange: constructed with a call, stepped with events, dropped at the end and never used again.

use std::{sync::Arc, time::Duration};

use domain::{Fault, FaultCode};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use wasmtime::{Store, component::ResourceAny};

use crate::{
    component::{Version, arm, explain},
    functions::Step,
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
        let call = self.step.call(&mut self.store, self.exchange, Batch { now, events });
        let answer = timeout(options.step_wall, call).await;
        let failed = match answer {
            Ok(Ok(effects)) if effects.len() <= EFFECTS_MAX => {
                self.dead = false;
                return Ok(effects);
            }
            Ok(Ok(effects)) => format!("answered a step with {} effects, the limit is {EFFECTS_MAX}", effects.len()),
            Ok(Err(error)) => explain(&error, options.step_cpu),
            Err(_) => overlong(options.step_wall),
        };
        Err(broken(self.version.failure(failed, &self.store.data().stderr)))
    }

    /// The value of this number that the guest built from secrets, for the host to put where an effect says.
    pub fn opaque(&self, number: u32) -> Option<&[u8]> {
        self.store.data().values.value(number)
    }

    /// Every value so far that a secret of the channel went into, oldest first: what must be masked where a vendor echoes it. Values that
    /// the guest built of texts alone are not among them.
    pub fn opaques(&self) -> impl Iterator<Item = &[u8]> {
        self.store.data().values.secret_values()
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;
    use crate::{
        Runtime, RuntimeOptions, check_file,
        machine::{Call, Head, Message, Payload},
    };

    fn call(provider: &str) -> Call {
        let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Say hi."}]}"#;
        Call {
            operation: "chat".to_owned(),
            provider: provider.to_owned(),
            model: "m".to_owned(),
            streaming: true,
            settings: "{}".to_owned(),
            secrets: vec!["key".to_owned()],
            key_parts: Vec::new(),
            endpoints: Vec::new(),
            dialect: "openai".to_owned(),
            headers: Vec::new(),
            now: 1_800_000_000,
            seed: "00112233445566778899aabbccddeeff".to_owned(),
            body: Payload::Text(body.to_owned()),
            resume: None,
            extras: Vec::new(),
        }
    }

    #[tokio::test]
    async fn the_plugins_that_ship_never_ask_for_wasi_in_an_exchange() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let dir = std::env::var_os("WITGATE_PLUGINS").map_or_else(|| root.join("target/plugins"), Into::into);
        let cache = tempfile::tempdir().unwrap();
        let mut options = RuntimeOptions::new(cache.path());
        options.instances = 2;
        let runtime = Runtime::new(options).unwrap();
        let mut files = 0;
        for entry in std::fs::read_dir(&dir).expect("`cargo xtask plugins` built them") {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "wasm") {
                continue;
            }
            files += 1;
            let adapter = check_file(&runtime, &path).await.unwrap().adapters.remove(0);
            let call = call(&adapter.provider().id);
            let mut guest = adapter.open("chat", call, BTreeMap::new()).await.unwrap();
            let chunk = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}"#;
            let (framing, extras) = ("sse".to_owned(), Vec::new());
            let head = Head { id: 1, status: 200, headers: Vec::new(), framing, extras: Vec::new() };
            let message = Message { id: 1, name: String::new(), headers: Vec::new(), data: chunk.to_owned(), extras };
            for event in [Event::Start, Event::Head(head), Event::Message(message), Event::End(1)] {
                guest.step(0, vec![event]).await.unwrap();
            }
            assert!(!guest.store.data().asked_for_wasi(), "{}", path.display());
        }
        assert!(files > 0, "no plugin in {}", dir.display());
    }
}
