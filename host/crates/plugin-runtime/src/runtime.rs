//! The engines that all guests run in: one that pools memories, one without a pool for when the first is full.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails,
    component::{HasSelf, Linker},
};

use crate::{
    RuntimeError, RuntimeOptions,
    cache::Cache,
    machine::{interface, log, secrets},
    sandbox::Sandbox,
    ticker::Ticker,
    v0_1,
};

/// Everything that is shared by all components: engines, limits, the compiled-code cache. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    options: RuntimeOptions,
    pool: Option<Place>,
    overflow: Place,
    overflow_permits: Arc<Semaphore>,
    compilations: Semaphore,
    cache: Cache,
    ticker: Ticker,
}

/// An engine and what its guests may import.
pub(crate) struct Place {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Sandbox>,
}

impl Runtime {
    /// Makes the engines and the cache directory.
    ///
    /// A pool reserves address space (about 4 GiB per guest, never touched); where that is refused, guests run outside a pool, which
    /// takes tens of microseconds more for each.
    ///
    /// # Errors
    /// When the cache directory cannot be made private, or no engine can be made at all.
    pub fn new(options: RuntimeOptions) -> Result<Runtime, RuntimeError> {
        let cache = Cache::open(&options.cache_dir)?;
        let overflow = Place::new(&config()).map_err(engine_error)?;
        let pool = match Place::new(&pooled(options.instances)) {
            Ok(place) => Some(place),
            Err(error) => {
                tracing::warn!(reason = %format!("{error:#}"), "no pool of guest memories; guests start slower");
                None
            }
        };
        let engines: Vec<&Engine> = pool.iter().chain([&overflow]).map(|place| &place.engine).collect();
        let ticker = Ticker::start(&engines).map_err(|error| RuntimeError::Engine(error.to_string()))?;
        let instances = usize::try_from(options.instances).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Runtime {
            inner: Arc::new(Inner {
                pool,
                overflow,
                overflow_permits: Arc::new(Semaphore::new(instances)),
                // One more than there are cores, so that a component that compiles for seconds does not hold up one that needs 50 ms.
                compilations: Semaphore::new(cores + 1),
                cache,
                ticker,
                options,
            }),
        })
    }

    /// The limits.
    pub fn options(&self) -> &RuntimeOptions {
        &self.inner.options
    }

    /// Whether guests run in a pool; `false` when its address space was refused.
    pub fn pooled(&self) -> bool {
        self.inner.pool.is_some()
    }

    pub(crate) fn pool(&self) -> Option<&Place> {
        self.inner.pool.as_ref()
    }

    pub(crate) fn overflow(&self) -> &Place {
        &self.inner.overflow
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.inner.cache
    }

    pub(crate) fn ticker(&self) -> &Ticker {
        &self.inner.ticker
    }

    pub(crate) fn compilations(&self) -> &Semaphore {
        &self.inner.compilations
    }

    /// Leave to run one guest outside the pool; none when as many as the pool holds already do.
    pub(crate) fn overflow_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.inner.overflow_permits.clone().try_acquire_owned().ok()
    }
}

impl Place {
    fn new(config: &Config) -> wasmtime::Result<Place> {
        let engine = Engine::new(config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        // Each generation under its own version; a component takes from one of them.
        interface::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)?;
        log::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)?;
        secrets::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)?;
        v0_1::interface::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)?;
        v0_1::log::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)?;
        v0_1::secrets::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)?;
        Ok(Place { engine, linker })
    }
}

/// The configuration without a pool. It is also the compiler's: code compiled with it runs in both engines.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20)
        // Relaxed instructions may answer differently on another processor; a replay must be exact.
        .wasm_relaxed_simd(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable);
    config
}

/// The configuration with a pool for this many guests. The counts per guest are what interpreters compiled to components need.
fn pooled(instances: u32) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_memories(instances)
        .total_stacks(instances)
        .total_core_instances(instances.saturating_mul(40))
        .total_tables(instances.saturating_mul(3))
        .table_elements(60_000)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        // What a guest may have is the store's limit; a reservation of 4 GiB lets compiled code leave out bounds checks.
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function on errors")]
fn engine_error(error: wasmtime::Error) -> RuntimeError {
    RuntimeError::Engine(format!("{error:#}"))
}
