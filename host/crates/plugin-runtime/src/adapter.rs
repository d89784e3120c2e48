//! One provider of one loaded component version: what it offers, and a fresh guest for each exchange.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{Fault, FaultCode, Provider, Secret};
use tokio::time::timeout;

use crate::{
    Capability,
    component::{StartError, Version, arm, explain},
    guest::{Guest, broken, overlong},
    machine,
    settings::Settings,
};

/// A provider that can be called. Keeps its version of the component alive, also after a newer one replaced it.
pub struct Adapter {
    provider: Arc<Provider>,
    settings: Settings,
    version: Arc<Version>,
}

impl Adapter {
    pub(crate) fn new(provider: Provider, settings: Settings, version: Arc<Version>) -> Adapter {
        Adapter { provider: Arc::new(provider), settings, version }
    }

    /// What the catalog says about it.
    pub fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    /// The adapter's own version, `MAJOR.MINOR.PATCH`.
    pub fn version(&self) -> &str {
        &self.provider.version
    }

    /// SHA-256 of the component file, hex.
    pub fn digest(&self) -> &str {
        &self.version.digest
    }

    /// Name of the component file, without its directory.
    pub fn file(&self) -> &str {
        &self.version.file
    }

    /// Whether it serves this operation: `chat`, `embeddings`, `balance`, `models`, `count-tokens`.
    pub fn supports(&self, operation: &str) -> bool {
        self.provider.operations.iter().any(|offered| offered == operation)
            && Capability::of(operation).is_some_and(|capability| self.offers(capability))
    }

    /// Whether it obtains the access token of this grant.
    pub fn grants(&self, name: &str) -> bool {
        self.offers(Capability::Grant) && self.provider.grants.iter().any(|grant| grant.name == name)
    }

    /// Whether its component exports the interface of this capability.
    pub fn offers(&self, capability: Capability) -> bool {
        self.version.exports(capability)
    }

    /// Whether it imports the interface that computes with secrets: that is asking for the permission.
    pub fn computes(&self) -> bool {
        self.version.computes
    }

    /// Checks a channel's settings (a JSON object) against the provider's schema and fills in its defaults.
    ///
    /// # Errors
    /// Every problem that was found, each naming the field.
    pub fn check_settings(&self, settings: &str) -> Result<String, Vec<String>> {
        self.settings.check(settings)
    }

    /// Starts keeping what the plugin writes to its log (256 lines of 1 KiB), or stops and forgets. Off at first.
    pub fn keep_log(&self, on: bool) {
        self.version.log.set(on);
    }

    /// What the plugin wrote lately, oldest first.
    pub fn log_lines(&self) -> Vec<String> {
        self.version.log.lines()
    }

    /// A fresh guest for one exchange of an operation that the catalog lists. `secrets` are the channel's, the parts of split ones among
    /// them, by the catalog's names; the guest can compute with them, not read them.
    ///
    /// # Errors
    /// `unsupported` for an operation that is not offered, `unavailable` when too many guests run, `adapter-broken` when the component
    /// trapped or went over a limit in its constructor.
    pub async fn open(
        &self,
        operation: &str,
        call: machine::Call,
        secrets: BTreeMap<String, Secret>,
    ) -> Result<Guest, Fault> {
        match Capability::of(operation) {
            Some(capability) => self.open_as(capability, operation, call, secrets).await,
            None => Err(self.unsupported(operation)),
        }
    }

    /// A fresh guest for one exchange in this capability, which is how a grant is run: its operation is the name of the grant.
    ///
    /// # Errors
    /// As [`open`](Adapter::open); `unsupported` also for a grant that is not offered.
    pub async fn open_as(
        &self,
        capability: Capability,
        operation: &str,
        call: machine::Call,
        secrets: BTreeMap<String, Secret>,
    ) -> Result<Guest, Fault> {
        let listed = match capability {
            Capability::Grant => self.grants(operation),
            _ => self.supports(operation) && Capability::of(operation) == Some(capability),
        };
        if !listed {
            return Err(self.unsupported(operation));
        }
        let _running = self.version.runtime.ticker().running();
        let wall = self.version.runtime.options().step_wall;
        match timeout(wall, Box::pin(self.construct(capability, call, &secrets))).await {
            Ok(opened) => opened,
            Err(_) => Err(broken(overlong(wall))),
        }
    }

    fn unsupported(&self, operation: &str) -> Fault {
        let what = format!("provider `{}` does not support `{operation}`", self.provider.id);
        Fault::new(FaultCode::Unsupported, what)
    }

    async fn construct(
        &self,
        capability: Capability,
        call: machine::Call,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<Guest, Fault> {
        let cpu = self.version.runtime.options().step_cpu;
        let mut started = match self.version.start(call.now, &call.seed, secrets).await {
            Ok(started) => started,
            Err(StartError::Full) => {
                let busy = Fault::new(FaultCode::Unavailable, "the gateway is busy; try again shortly");
                return Err(busy.with_retry_after(Duration::from_secs(1)).with_detail("as many adapters run as may"));
            }
            Err(StartError::Failed(error)) => return Err(broken(explain(&error, cpu))),
        };
        let failed = |error: &wasmtime::Error| broken(explain(error, cpu));
        let (construct, step) = self.version.functions(&mut started, capability).map_err(|error| failed(&error))?;
        arm(&mut started.store, cpu);
        match construct.call(&mut started.store, call).await {
            Ok(exchange) => Ok(Guest::new(self.version.clone(), started.store, step, exchange, started.permit)),
            Err(error) => {
                let stderr = &started.store.data().stderr;
                Err(broken(self.version.failure(explain(&error, cpu), stderr)))
            }
        }
    }
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Adapter({} {} of {})", self.provider.id, self.provider.version, self.version.file)
    }
}
