//! A vendor on a loopback socket: it plays a scripted answer for each request and remembers what it was sent.
//!
//! It speaks HTTP/1.1 on bare sockets, because half of what it is for (resets, cut bodies, garbage) is what an HTTP library prevents.

mod answer;
mod completion;
mod connection;
mod gate;
mod request;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinHandle,
};

pub use self::{
    answer::{Answer, End, Step},
    completion::{default_answer, sample_of_schema},
    gate::Gate,
    request::VendorRequest,
};
use crate::wait::within;

/// How answers are chosen, first match first: the model's queue, the queue, the standing answer, the default.
#[derive(Default)]
struct Script {
    queue: VecDeque<Answer>,
    by_model: HashMap<String, VecDeque<Answer>>,
    always: Option<Chooser>,
}

type Chooser = Box<dyn FnMut(&VendorRequest) -> Answer + Send>;

/// What the connections of one vendor share.
pub(crate) struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<VendorRequest>>,
    /// Counts every change of `requests`, so that waiting needs no polling.
    changed: watch::Sender<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Remembers a request and picks what it is answered with. The number names the request in [`Shared::update`].
    fn arrived(&self, request: VendorRequest) -> (usize, Answer) {
        let answer = {
            let mut script = lock(&self.script);
            let model = request.model().unwrap_or_default();
            let queued = match script.by_model.get_mut(&model).and_then(VecDeque::pop_front) {
                Some(answer) => Some(answer),
                None => script.queue.pop_front(),
            };
            match (queued, script.always.as_mut()) {
                (Some(answer), _) => answer,
                (None, Some(choose)) => choose(&request),
                (None, None) => default_answer(&request),
            }
        };
        let mut requests = lock(&self.requests);
        requests.push(request);
        let number = requests.len() - 1;
        drop(requests);
        self.changed.send_modify(|count| *count += 1);
        (number, answer)
    }

    fn update(&self, number: usize, change: impl FnOnce(&mut VendorRequest)) {
        if let Some(request) = lock(&self.requests).get_mut(number) {
            change(request);
        }
        self.changed.send_modify(|count| *count += 1);
    }
}

/// The scripted vendor. Dropping it closes its listener and every connection.
pub struct ScriptedVendor {
    address: SocketAddr,
    shared: Arc<Shared>,
    accept: JoinHandle<()>,
}

impl ScriptedVendor {
    /// Listens on a free loopback port; without a script every request gets [`default_answer`].
    pub async fn start() -> ScriptedVendor {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("the listener's address");
        let shared =
            Arc::new(Shared { script: Mutex::default(), requests: Mutex::default(), changed: watch::channel(0).0 });
        let accept = tokio::spawn(connection::accept(listener, shared.clone()));
        ScriptedVendor { address, shared, accept }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL a channel is given: with the version path, as people paste it.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Queues an answer for the next request that no model's queue claims.
    pub fn reply(&self, answer: Answer) -> &Self {
        lock(&self.shared.script).queue.push_back(answer);
        self
    }

    /// Queues an answer for the next request whose body names this model.
    pub fn reply_for_model(&self, model: &str, answer: Answer) -> &Self {
        lock(&self.shared.script).by_model.entry(model.to_owned()).or_default().push_back(answer);
        self
    }

    /// Answers every request that no queue claims.
    pub fn always(&self, choose: impl FnMut(&VendorRequest) -> Answer + Send + 'static) -> &Self {
        lock(&self.shared.script).always = Some(Box::new(choose));
        self
    }

    /// Everything it was sent so far, in order of arrival.
    pub fn requests(&self) -> Vec<VendorRequest> {
        lock(&self.shared.requests).clone()
    }

    /// The last request. Panics when there was none.
    pub fn last_request(&self) -> VendorRequest {
        self.requests().pop().expect("the vendor was sent a request")
    }

    /// Waits until at least `count` requests have arrived, and returns them all.
    pub async fn wait_for_requests(&self, count: usize) -> Vec<VendorRequest> {
        self.wait(&format!("{count} requests at the vendor"), |requests| requests.len() >= count).await
    }

    /// Waits until the gateway has hung up on an answer that was not finished, and returns that request.
    pub async fn wait_for_disconnect(&self) -> VendorRequest {
        let requests = self.wait("the gateway hangs up on the vendor", |all| all.iter().any(|r| r.disconnected)).await;
        requests.into_iter().find(|request| request.disconnected).expect("just waited for it")
    }

    async fn wait(&self, what: &str, met: impl Fn(&[VendorRequest]) -> bool) -> Vec<VendorRequest> {
        let mut changed = self.shared.changed.subscribe();
        let wait = async {
            loop {
                changed.borrow_and_update();
                let requests = self.requests();
                if met(&requests) {
                    return requests;
                }
                changed.changed().await.expect("the vendor lives as long as this borrow");
            }
        };
        within(what, wait).await
    }
}

impl Drop for ScriptedVendor {
    fn drop(&mut self) {
        // The accept task owns the connections, so this ends them too.
        self.accept.abort();
    }
}

/// A loopback address that refuses connections, and keeps doing so: the port is bound but nothing listens.
pub struct RefusingAddress {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl RefusingAddress {
    /// Takes a free loopback port.
    pub fn new() -> RefusingAddress {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free loopback port");
        RefusingAddress { address: socket.local_addr().expect("the bound address"), _socket: socket }
    }

    /// The base URL of nothing.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl Default for RefusingAddress {
    fn default() -> Self {
        RefusingAddress::new()
    }
}
