//! One version of one component file, linked into both engines, its exports found and type-checked once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::Secret;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use wasmtime::{
    PoolConcurrencyLimitError, Result, Store, UpdateDeadline, bail,
    component::{
        Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, ResourceAny,
        types::ComponentItem,
    },
};

use crate::{
    Capability, LoadError, Runtime,
    contract::Generation,
    functions::{Construct, Step},
    machine::{Batch, Call, CatalogEntry, Effect},
    plugin_log::PluginLog,
    runtime::Place,
    sandbox::{Granted, Sandbox, Tail},
    v0_1,
};

/// The time that a component has to say what it offers, as a multiple of a step's: interpreters start slowly, once.
const TRIAL_FACTOR: u32 = 10;

/// A loaded version of a component. Lives as long as an exchange uses it, also after it was replaced.
pub(crate) struct Version {
    pub(crate) runtime: Runtime,
    pub(crate) file: String,
    pub(crate) digest: String,
    pub(crate) log: Arc<PluginLog>,
    /// It imports the interface that computes with secrets.
    pub(crate) computes: bool,
    /// It is still being tried: nothing that its guests write can quote a user.
    tried: AtomicBool,
    pool: Option<Linked>,
    overflow: Linked,
}

/// A component linked into one engine.
struct Linked {
    pre: InstancePre<Sandbox>,
    generation: Generation,
    catalog: ComponentExportIndex,
    machines: Vec<Machine>,
}

/// Where an `exchange` resource of one capability is among the exports.
struct Machine {
    capability: Capability,
    construct: ComponentExportIndex,
    step: ComponentExportIndex,
}

/// An instance in its store, and leave to be outside the pool when it is.
pub(crate) struct Started {
    pub(crate) store: Store<Sandbox>,
    instance: Instance,
    pooled: bool,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// Why no instance was started.
#[derive(Debug)]
pub(crate) enum StartError {
    /// As many guests run as may.
    Full,
    /// The component failed.
    Failed(wasmtime::Error),
}

impl Version {
    /// Links a component, compiled for the pool (first, when there is one) and for the overflow engine.
    pub(crate) fn link(
        runtime: &Runtime,
        mut components: Vec<Component>,
        generation: Generation,
        file: &str,
        digest: &str,
        log: Arc<PluginLog>,
    ) -> Result<Version, LoadError> {
        let shape = |error: wasmtime::Error| LoadError::Shape(format!("{error:#}"));
        let Some(last) = components.pop() else { return Err(LoadError::Compile("nothing was compiled".to_owned())) };
        let shown = last.component_type();
        let computes = shown.imports(last.engine()).any(|(name, _)| name.starts_with("witgate:adapter/secrets@"));
        let overflow = Linked::new(runtime.overflow(), &last, generation).map_err(shape)?;
        let pool = match (runtime.pool(), components.pop()) {
            (Some(place), Some(component)) => Some(Linked::new(place, &component, generation).map_err(shape)?),
            _ => None,
        };
        Ok(Version {
            runtime: runtime.clone(),
            file: file.to_owned(),
            digest: digest.to_owned(),
            log,
            computes,
            tried: AtomicBool::new(true),
            pool,
            overflow,
        })
    }

    /// Whether the component exports the interface of this capability.
    pub(crate) fn exports(&self, capability: Capability) -> bool {
        self.overflow.machines.iter().any(|machine| machine.capability == capability)
    }

    /// It passed, and may be given what users say.
    pub(crate) fn passed(&self) {
        self.tried.store(false, Ordering::Relaxed);
    }

    /// Notes why a guest failed, and returns that for the operator. What the guest wrote to stderr may quote what a user said: it is added
    /// during the trial, and for those who turned the plugin's log on.
    pub(crate) fn failure(&self, what: String, stderr: &Tail) -> String {
        self.log.failure(stderr, &what);
        let quoted = self.tried.load(Ordering::Relaxed) || self.log.is_on();
        if quoted { with_stderr(what, &stderr.text()) } else { what }
    }

    /// Asks the component what it offers, in a trial instance.
    pub(crate) async fn catalog(&self) -> Result<Vec<CatalogEntry>, LoadError> {
        let options = self.runtime.options();
        let (cpu, wall) = (options.step_cpu * TRIAL_FACTOR, options.step_wall.max(Duration::from_secs(1)));
        let _running = self.runtime.ticker().running();
        let (stderr, answer) = {
            let sandbox = self.sandbox(1, String::new(), BTreeMap::new());
            let stderr = sandbox.stderr.clone();
            (stderr, timeout(wall, Box::pin(self.ask(sandbox, cpu))).await)
        };
        let failed = match answer {
            Ok(Ok(entries)) => return Ok(entries),
            Ok(Err(StartError::Failed(error))) => explain(&error, cpu),
            Ok(Err(StartError::Full)) => "no sandbox was free".to_owned(),
            Err(_) => format!("took longer than {} ms", wall.as_millis()),
        };
        Err(LoadError::Trial(with_stderr(failed, &stderr.text())))
    }

    async fn ask(&self, sandbox: Sandbox, cpu: Duration) -> Result<Vec<CatalogEntry>, StartError> {
        // Outside the pool: a trial must not compete with exchanges.
        let mut started = self.overflow.start(self.runtime.overflow(), sandbox, self, cpu).await?;
        let ask = async {
            let linked = self.linked(&started);
            let providers =
                started.instance.get_typed_func::<(), (Vec<CatalogEntry>,)>(&mut started.store, &linked.catalog)?;
            arm(&mut started.store, cpu);
            Ok(providers.call_async(&mut started.store, ()).await?.0)
        };
        ask.await.map_err(StartError::Failed)
    }

    /// A fresh instance: in the pool when it has room, outside it otherwise.
    pub(crate) async fn start(
        &self,
        now: u32,
        seed: &str,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<Started, StartError> {
        let cpu = self.runtime.options().step_cpu;
        if let (Some(linked), Some(place)) = (&self.pool, self.runtime.pool()) {
            match linked.start(place, self.sandbox(now, seed.to_owned(), secrets.clone()), self, cpu).await {
                Err(StartError::Failed(error)) if error.is::<PoolConcurrencyLimitError>() => {}
                started => return started.map(|started| Started { pooled: true, ..started }),
            }
        }
        let permit = self.runtime.overflow_permit().ok_or(StartError::Full)?;
        let sandbox = self.sandbox(now, seed.to_owned(), secrets.clone());
        let mut started = self.overflow.start(self.runtime.overflow(), sandbox, self, cpu).await?;
        started.permit = Some(permit);
        Ok(started)
    }

    /// The two functions of an `exchange` in this instance.
    pub(crate) fn functions(&self, started: &mut Started, capability: Capability) -> Result<(Construct, Step)> {
        let linked = self.linked(started);
        let Some(machine) = linked.machines.iter().find(|machine| machine.capability == capability) else {
            bail!("the component does not export `{capability}`");
        };
        let Started { store, instance, .. } = started;
        Ok(match linked.generation {
            Generation::V0_1 => (
                Construct::V0_1(instance.get_typed_func(&mut *store, machine.construct)?),
                Step::V0_1(instance.get_typed_func(&mut *store, machine.step)?),
            ),
            Generation::V0_2 => (
                Construct::V0_2(instance.get_typed_func(&mut *store, machine.construct)?),
                Step::V0_2(instance.get_typed_func(&mut *store, machine.step)?),
            ),
        })
    }

    fn linked(&self, started: &Started) -> &Linked {
        self.pool.as_ref().filter(|_| started.pooled).unwrap_or(&self.overflow)
    }

    fn sandbox(&self, now: u32, seed: String, secrets: BTreeMap<String, Secret>) -> Sandbox {
        let options = self.runtime.options();
        Sandbox::new(Granted {
            now,
            seed,
            secrets,
            memory_max: options.memory_max,
            values_max: options.hostcall_bytes,
            log: self.log.clone(),
        })
    }
}

impl Linked {
    fn new(place: &Place, component: &Component, generation: Generation) -> Result<Linked> {
        let pre = place.linker.instantiate_pre(component)?;
        let Some(catalog) = interface(&pre, generation, "catalog")? else {
            bail!("it does not export {}", path(generation, "catalog"));
        };
        let catalog = function::<(), (Vec<CatalogEntry>,)>(&pre, &catalog, "providers")?;
        let mut machines = Vec::new();
        for &capability in generation.capabilities() {
            let Some(exports) = interface(&pre, generation, capability.as_str())? else { continue };
            machines.push(match generation {
                Generation::V0_1 => Machine::find::<v0_1::Call, v0_1::Batch, v0_1::Effect>(&pre, capability, &exports)?,
                Generation::V0_2 => Machine::find::<Call, Batch, Effect>(&pre, capability, &exports)?,
            });
        }
        Ok(Linked { pre, generation, catalog, machines })
    }

    async fn start(
        &self,
        place: &Place,
        sandbox: Sandbox,
        version: &Version,
        cpu: Duration,
    ) -> Result<Started, StartError> {
        let mut store = Store::new(&place.engine, sandbox);
        store.limiter(|sandbox| &mut sandbox.memory);
        store.set_hostcall_fuel(version.runtime.options().hostcall_bytes);
        store.epoch_deadline_callback(|mut context| {
            Ok(match context.data_mut().budget.tick() {
                Some(others) => UpdateDeadline::YieldCustom(1, others),
                None => UpdateDeadline::Interrupt,
            })
        });
        arm(&mut store, cpu);
        let instance = self.pre.instantiate_async(&mut store).await.map_err(StartError::Failed)?;
        Ok(Started { store, instance, pooled: false, permit: None })
    }
}

impl Machine {
    /// Finds the two functions of a capability, with the calls, batches and effects of one generation.
    fn find<C, B, E>(
        pre: &InstancePre<Sandbox>,
        capability: Capability,
        exports: &ComponentExportIndex,
    ) -> Result<Machine>
    where
        (C,): ComponentNamedList + Lower,
        (ResourceAny, B): ComponentNamedList + Lower,
        (Vec<E>,): ComponentNamedList + Lift,
    {
        Ok(Machine {
            capability,
            construct: function::<(C,), (ResourceAny,)>(pre, exports, "[constructor]exchange")?,
            step: function::<(ResourceAny, B), (Vec<E>,)>(pre, exports, "[method]exchange.step")?,
        })
    }
}

/// A step begins: its CPU budget is whole, and the first look at it is due at the next tick.
pub(crate) fn arm(store: &mut Store<Sandbox>, cpu: Duration) {
    store.data_mut().budget.reset(cpu);
    store.set_epoch_deadline(1);
}

fn path(generation: Generation, interface: &str) -> String {
    format!("witgate:adapter/{interface}@{}", generation.contract())
}

fn interface(pre: &InstancePre<Sandbox>, generation: Generation, name: &str) -> Result<Option<ComponentExportIndex>> {
    let path = path(generation, name);
    match pre.component().get_export(None, path.as_str()) {
        None => Ok(None),
        Some((ComponentItem::ComponentInstance(_), at)) => Ok(Some(at)),
        Some(_) => bail!("its export {path} is not an interface"),
    }
}

/// Finds a function and checks its type: without this a mismatch would show in the first request only.
fn function<P, R>(
    pre: &InstancePre<Sandbox>,
    interface: &ComponentExportIndex,
    name: &str,
) -> Result<ComponentExportIndex>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let Some((ComponentItem::ComponentFunc(found), at)) = pre.component().get_export(Some(interface), name) else {
        bail!("it does not export the function `{name}`");
    };
    found
        .typecheck::<P, R>(&pre.instance_type())
        .map_err(|error| error.context(format!("`{name}` has other types")))?;
    Ok(at)
}

/// What went wrong in a guest, for the operator.
pub(crate) fn explain(error: &wasmtime::Error, cpu: Duration) -> String {
    if matches!(error.downcast_ref::<wasmtime::Trap>(), Some(wasmtime::Trap::Interrupt)) {
        return format!("used more than {} ms of CPU time in one step and was interrupted", cpu.as_millis());
    }
    // The cause first; the outermost text is where in the guest it happened.
    let (cause, place) = (error.root_cause().to_string(), error.to_string());
    let text = if place == cause { cause } else { format!("{cause}; {place}") };
    crate::plugin_log::cut(&text, 2000).to_owned()
}

/// Adds what the guest wrote to stderr, its last two thousand bytes, as one line.
fn with_stderr(what: String, stderr: &str) -> String {
    if stderr.is_empty() {
        return what;
    }
    let start = stderr.ceil_char_boundary(stderr.len().saturating_sub(2000));
    format!("{what}; its stderr ends: {}", crate::plugin_log::one_line(&stderr[start..]))
}
