//! What one guest's store holds: its limits, a WASI that grants nothing, the values built from secrets, the tail of its stderr.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use domain::Secret;
use rand::{SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use wasmtime::{ResourceLimiter, Result, bail, component::ResourceTable};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

use crate::{
    budget::Budget,
    machine::{interface, log, secrets},
    opaque::Values,
    plugin_log::PluginLog,
};

/// Bytes of stderr that are kept for the operator.
const STDERR_MAX: usize = 8 << 10;
/// Table elements of all tables of a guest; the largest interpreters need fewer than 8,000.
const TABLE_ELEMENTS_MAX: usize = 200_000;

/// The state of one guest.
pub(crate) struct Sandbox {
    pub(crate) memory: MemoryLimit,
    pub(crate) budget: Budget,
    pub(crate) values: Values,
    pub(crate) stderr: Tail,
    pub(crate) log: Arc<PluginLog>,
    now: u32,
    seed: String,
    /// Made when the guest first asks for it: most never do.
    wasi: Option<WasiCtx>,
    resources: ResourceTable,
}

/// What a sandbox is made from.
pub(crate) struct Granted {
    /// Unix seconds at which its clocks stand.
    pub(crate) now: u32,
    /// Where its randomness comes from.
    pub(crate) seed: String,
    /// Secrets that it may compute with.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Bytes of memory.
    pub(crate) memory_max: usize,
    /// Bytes of values built from secrets.
    pub(crate) values_max: usize,
    /// Where its log lines go.
    pub(crate) log: Arc<PluginLog>,
}

impl Sandbox {
    pub(crate) fn new(granted: Granted) -> Self {
        Sandbox {
            memory: MemoryLimit { bytes_max: granted.memory_max, bytes: 0, elements: 0 },
            budget: Budget::default(),
            values: Values::new(granted.secrets, granted.values_max),
            stderr: Tail::default(),
            log: granted.log,
            now: granted.now,
            seed: granted.seed,
            wasi: None,
            resources: ResourceTable::new(),
        }
    }

    /// Whether the guest has called anything of WASI: making one costs about as much as a whole step.
    #[cfg(test)]
    pub(crate) fn asked_for_wasi(&self) -> bool {
        self.wasi.is_some()
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get_or_insert_with(|| deny_all(self.now, &self.seed, self.stderr.clone()));
        WasiCtxView { ctx: wasi, table: &mut self.resources }
    }
}

/// A WASI without files, environment, arguments or sockets, whose clocks stand still and whose randomness is the seed's.
fn deny_all(now: u32, seed: &str, stderr: Tail) -> WasiCtx {
    let seed: [u8; 32] = Sha256::digest(seed.as_bytes()).into();
    let mut number = [0; 16];
    number.copy_from_slice(&seed[..16]);
    WasiCtx::builder()
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .allow_blocking_current_thread(false)
        .wall_clock(Frozen(now))
        .monotonic_clock(Frozen(now))
        .secure_random(StdRng::from_seed(seed))
        .insecure_random(StdRng::from_seed(seed))
        .insecure_random_seed(u128::from_le_bytes(number))
        .stderr(stderr)
        .build()
}

/// Both clocks of a guest.
struct Frozen(u32);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1_000_000_000
    }

    fn now(&self) -> u64 {
        0
    }
}

/// Bounds the memories and tables of a guest, all of them together. Growing past a bound is a trap with a text, because a refused growth
/// shows up as an unexplained abort in most languages.
pub(crate) struct MemoryLimit {
    bytes_max: usize,
    bytes: usize,
    elements: usize,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.bytes.saturating_add(desired.saturating_sub(current));
        if total > self.bytes_max {
            bail!("the guest asked for {total} bytes of memory, the limit is {}", self.bytes_max);
        }
        self.bytes = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        Err(error.context("the guest's memory could not be grown"))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS_MAX {
            bail!("the guest asked for tables of {total} elements, the limit is {TABLE_ELEMENTS_MAX}");
        }
        self.elements = total;
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        Err(error.context("the guest's table could not be grown"))
    }

    fn instances(&self) -> usize {
        100
    }

    fn tables(&self) -> usize {
        100
    }

    fn memories(&self) -> usize {
        20
    }
}

/// The last bytes that a guest wrote to stderr: where panics and tracebacks of every language end up.
#[derive(Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    /// What is kept, as text.
    pub(crate) fn text(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(bytes.make_contiguous()).trim().to_owned()
    }

    fn push(&self, new: &[u8]) {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = &new[new.len().saturating_sub(STDERR_MAX)..];
        let surplus = (bytes.len() + new.len()).saturating_sub(STDERR_MAX);
        bytes.drain(..surplus);
        bytes.extend(new);
    }
}

impl IsTerminal for Tail {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Tail {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 and preview 1 ask for this form; neither is linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Tail {
    async fn ready(&mut self) {}
}

impl OutputStream for Tail {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(STDERR_MAX)
    }
}

impl interface::Host for Sandbox {}

impl log::Host for Sandbox {
    fn write(&mut self, level: log::Level, text: String) -> Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.log.write(level, &text);
        Ok(())
    }
}

impl secrets::Host for Sandbox {
    fn get(&mut self, name: String) -> Result<Option<u32>> {
        self.values.get(&name)
    }

    fn text(&mut self, value: String) -> Result<u32> {
        self.values.text(value)
    }

    fn concat(&mut self, values: Vec<u32>) -> Result<Result<u32, String>> {
        self.values.concat(&values)
    }

    fn hmac(&mut self, algorithm: String, key: u32, data: u32) -> Result<Result<u32, String>> {
        self.values.hmac(&algorithm, key, data)
    }

    fn hash(&mut self, algorithm: String, data: u32) -> Result<Result<u32, String>> {
        self.values.hash(&algorithm, data)
    }

    fn encode(&mut self, encoding: String, data: u32) -> Result<Result<u32, String>> {
        self.values.encode(&encoding, data)
    }

    fn sign(&mut self, algorithm: String, key: u32, data: u32) -> Result<Result<u32, String>> {
        self.values.sign(&algorithm, key, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_keeps_the_end() {
        let tail = Tail::default();
        tail.push(&[b'a'; STDERR_MAX]);
        tail.push(b"the end");
        assert!(tail.text().ends_with("aathe end"));
        assert_eq!(tail.text().len(), STDERR_MAX);
        tail.push(&[b'b'; 3 * STDERR_MAX]);
        assert_eq!(tail.text(), "b".repeat(STDERR_MAX));
    }
}
