//! A gate in an answer: the vendor stops there until the test opens it.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::wait::within;

/// Lets a test step a stream and know how far it has come. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    permits: Arc<Semaphore>,
    reached: Arc<watch::Sender<usize>>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate { permits: Arc::new(Semaphore::new(0)), reached: Arc::new(watch::channel(0).0) }
    }

    /// Lets one waiter through, now or when it comes.
    pub fn open(&self) {
        self.permits.add_permits(1);
    }

    /// Lets everyone through from now on.
    pub fn open_for_all(&self) {
        self.permits.close();
    }

    /// Waits until `count` waiters have come to the gate since it was made.
    pub async fn reached(&self, count: usize) {
        let mut reached = self.reached.subscribe();
        let arrived = within("the vendor comes to the gate", reached.wait_for(|so_far| *so_far >= count)).await;
        arrived.expect("the gate holds its own sender");
    }

    pub(super) async fn pass(&self) {
        self.reached.send_modify(|count| *count += 1);
        // An error means that the gate was opened for all.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}
