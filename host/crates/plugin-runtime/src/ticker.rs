//! The clock that interrupts guests: a thread that moves the engines' epoch every millisecond, asleep while no guest runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use wasmtime::{Engine, EngineWeak};

/// How often a running guest is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Quiet ticks after which the thread goes to sleep.
const QUIET_TICKS: u32 = 100;

/// A handle on the thread. It ends by itself when the engines are gone.
#[derive(Debug)]
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: thread::Thread,
}

#[derive(Debug, Default)]
struct State {
    running: AtomicUsize,
    asleep: AtomicBool,
    ended: AtomicBool,
}

impl Ticker {
    /// Starts the thread for these engines.
    pub(crate) fn start(engines: &[&Engine]) -> std::io::Result<Ticker> {
        let state = Arc::new(State::default());
        let weak: Vec<EngineWeak> = engines.iter().map(|engine| engine.weak()).collect();
        let seen = state.clone();
        let handle = thread::Builder::new().name("guest-ticker".to_owned()).spawn(move || tick(&weak, &seen))?;
        Ok(Ticker { thread: handle.thread().clone(), state })
    }

    /// Keeps the clock going for as long as the answer lives.
    pub(crate) fn running(&self) -> Running<'_> {
        // Sequentially consistent on both sides: either the thread sees this count before it sleeps, or we see that it sleeps.
        self.state.running.fetch_add(1, Ordering::SeqCst);
        if self.state.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.state)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// A guest is running.
pub(crate) struct Running<'a>(&'a State);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(engines: &[EngineWeak], state: &State) {
    let mut quiet = 0;
    while !state.ended.load(Ordering::SeqCst) {
        thread::sleep(TICK);
        let mut alive = false;
        for engine in engines.iter().filter_map(EngineWeak::upgrade) {
            engine.increment_epoch();
            alive = true;
        }
        if !alive {
            return;
        }
        quiet = if state.running.load(Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
        if quiet >= QUIET_TICKS {
            state.asleep.store(true, Ordering::SeqCst);
            while state.running.load(Ordering::SeqCst) == 0
                && state.asleep.load(Ordering::SeqCst)
                && !state.ended.load(Ordering::SeqCst)
            {
                thread::park();
            }
            state.asleep.store(false, Ordering::SeqCst);
            quiet = 0;
        }
    }
}
