//! How much CPU time one step of a guest has left.
//!
//! Epochs count time in which the thread was not even scheduled, so the budget is kept in the thread's own CPU time; epochs only decide
//! when to look. The clock is read from the first tick on: a step that ends within a millisecond pays nothing.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::ticker::TICK;

/// The budget of the step that runs now.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    left: Duration,
    resumed: Option<Arc<Mutex<Option<Mark>>>>,
}

/// A thread and the CPU time that it had used.
#[derive(Debug)]
struct Mark {
    thread: ThreadId,
    cpu: Duration,
}

impl Mark {
    fn now() -> Mark {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let cpu = Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0));
        Mark { thread: thread::current().id(), cpu }
    }
}

impl Budget {
    /// A step begins.
    pub(crate) fn reset(&mut self, allowed: Duration) {
        self.left = allowed;
        if let Some(resumed) = &self.resumed {
            *resumed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// The guest still runs at a tick: a future that lets others run before it goes on, or none when the budget is spent.
    pub(crate) fn tick(&mut self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let here = Mark::now();
        let resumed = self.resumed.get_or_insert_default().clone();
        let before = resumed.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The first tick, and one after a wait that moved the guest to another thread, count as a whole one.
        let spent = match before {
            Some(mark) if mark.thread == here.thread => here.cpu.saturating_sub(mark.cpu),
            _ => TICK,
        };
        self.left = self.left.checked_sub(spent).filter(|left| !left.is_zero())?;
        Some(Box::pin(async move {
            tokio::task::yield_now().await;
            *resumed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Mark::now());
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_cpu_time_is_charged() {
        let mut budget = Budget::default();
        budget.reset(Duration::from_millis(20));
        // Ticks without work: far more of them than the budget has milliseconds.
        for _ in 0..200 {
            budget.tick().expect("the thread did nothing").await;
        }
        let began = Mark::now();
        while Mark::now().cpu - began.cpu < Duration::from_millis(25) {
            std::hint::spin_loop();
        }
        assert!(budget.tick().is_none(), "25 ms of work fit into a budget of 20");
        budget.reset(Duration::from_millis(20));
        assert!(budget.tick().is_some());
    }
}
