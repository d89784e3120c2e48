//! The real program on a data directory of its own: started, spoken to, administered, stopped, and its log searched for secrets.

mod builder;
mod cli;
mod components;
mod process;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use self::process::Process;
pub use self::{builder::GatewayBuilder, cli::CliOutput, components::component};
use crate::{
    client::{Answered, Call, RawConnection, SseReader},
    wait::{DEADLINE, eventually},
};

/// How soon the running server must follow what the command line changed. The promise is a second; a busy machine gets more.
pub const FOLLOWS: Duration = Duration::from_secs(10);

/// A running gateway. Dropping it kills the process and fails the test when a secret stands in its log.
pub struct TestGateway {
    pub(crate) settings: GatewayBuilder,
    pub(crate) dir: TempDir,
    process: Option<Process>,
    address: SocketAddr,
    secrets: Mutex<Vec<String>>,
    /// A key that may call every model, once there is one: it shows what the server knows.
    witness: Mutex<Option<String>>,
    /// Models of channels that were added before there was a key to see them with.
    awaited: Mutex<Vec<String>>,
    vendor_secret: String,
}

impl TestGateway {
    /// A gateway from this binary (`env!("CARGO_BIN_EXE_witgate")`), with nothing but what the builder adds.
    pub fn builder(binary: impl AsRef<Path>) -> GatewayBuilder {
        GatewayBuilder::new(binary.as_ref())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Where it looks for components.
    pub fn plugins_dir(&self) -> PathBuf {
        self.data_dir().join("plugins")
    }

    /// Its working directory: a `.env` here is read at the next start.
    pub fn work_dir(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// The credential that [`TestGateway::channel`] gives every channel.
    pub fn vendor_secret(&self) -> &str {
        &self.vendor_secret
    }

    /// From now on this text must not appear in the log.
    pub fn forbid_in_log(&self, secret: &str) {
        lock(&self.secrets).push(secret.to_owned());
    }

    /// Everything the server has written to stderr, and to stdout, so far.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    /// Waits until the log has this text.
    pub async fn wait_for_log(&self, text: &str) {
        eventually(&format!("{text:?} in the log"), DEADLINE, async || self.log().contains(text)).await;
    }

    /// What the process occupies, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.process.as_ref().expect("the gateway runs").resident_kib()
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.exited().is_none())
    }

    /// A request to any path.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.address, method, path)
    }

    /// GET with a key.
    pub async fn get(&self, path: &str, key: &str) -> Answered {
        self.call("GET", path).bearer(key).send().await
    }

    /// POST of a JSON body with a key.
    pub async fn post_json(&self, path: &str, key: &str, body: &Value) -> Answered {
        self.call("POST", path).bearer(key).json(body).send().await
    }

    /// A chat completion.
    pub async fn chat(&self, key: &str, body: &Value) -> Answered {
        self.post_json("/v1/chat/completions", key, body).await
    }

    /// A chat completion, read event by event.
    pub async fn chat_stream(&self, key: &str, body: &Value) -> SseReader {
        self.call("POST", "/v1/chat/completions").bearer(key).json(body).open().await
    }

    /// A bare connection.
    pub async fn raw(&self) -> RawConnection {
        RawConnection::open(self.address).await
    }

    /// Adds a channel with [`TestGateway::vendor_secret`] as its `key`, and waits until the server offers its models.
    pub async fn channel(&self, name: &str, provider: &str, base_url: &str, models: &str) {
        let secret = format!("key={}", self.vendor_secret);
        let add = ["channel", "add", "--name", name, "--provider", provider, "--base-url", base_url];
        let rest = ["--secret", &secret, "--models", models, "--json"];
        self.cli(&[add.as_slice(), rest.as_slice()].concat()).await.ok();
        let public = models.split(',').map(|model| model.split('=').next().unwrap_or_default().to_owned());
        let witness = lock(&self.witness).clone();
        let Some(key) = witness else {
            lock(&self.awaited).extend(public);
            return;
        };
        for model in public {
            self.wait_for_model(&key, &model).await;
        }
    }

    /// Makes an API key that may call every model, and waits until the server knows it, and with it everything that was set up before.
    pub async fn key(&self, name: &str) -> String {
        let key = self.key_with(name, &[]).await;
        let awaited = std::mem::take(&mut *lock(&self.awaited));
        for model in awaited {
            self.wait_for_model(&key, &model).await;
        }
        lock(&self.witness).get_or_insert_with(|| key.clone());
        key
    }

    /// Makes an API key with more options (`--models`, `--group`), and waits until the server knows it.
    pub async fn key_with(&self, name: &str, options: &[&str]) -> String {
        let create = [&["key", "create", "--name", name, "--json"], options].concat();
        let made = self.cli(&create).await.ok().json();
        let key = made["key"].as_str().expect("`key create --json` prints the key").to_owned();
        self.forbid_in_log(&key);
        let known = async || self.get("/v1/models", &key).await.status == 200;
        eventually("the server knows the new key", FOLLOWS, known).await;
        key
    }

    /// Waits until a key can call a model.
    pub async fn wait_for_model(&self, key: &str, model: &str) {
        let path = format!("/v1/models/{model}");
        let offered = async || self.get(&path, key).await.status == 200;
        eventually(&format!("the server offers {model}"), FOLLOWS, offered).await;
    }

    /// Waits until a key cannot call a model any more.
    pub async fn wait_for_model_gone(&self, key: &str, model: &str) {
        let path = format!("/v1/models/{model}");
        let gone = async || self.get(&path, key).await.status == 404;
        eventually(&format!("the server does not offer {model} any more"), FOLLOWS, gone).await;
    }

    /// Asks the server to stop, without waiting for it.
    pub fn terminate(&self) {
        self.process.as_ref().expect("the gateway runs").terminate();
    }

    /// Waits until the server has stopped by itself.
    pub async fn wait_for_exit(&mut self) -> ExitStatus {
        let process = self.process.as_mut().expect("the gateway was started");
        let start = std::time::Instant::now();
        loop {
            if let Some(status) = process.exited() {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "the gateway does not stop; its log:\n{}", process.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops the server as a service manager would, and waits for it.
    pub async fn stop(&mut self) -> ExitStatus {
        self.terminate();
        let status = self.wait_for_exit().await;
        self.check_log();
        self.process = None;
        status
    }

    /// Kills the server without a warning.
    pub fn kill(&mut self) {
        self.check_log();
        self.process = None;
    }

    /// Starts it again on the same data; it listens on another port.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "stop it first");
        self.launch().await;
    }

    async fn launch(&mut self) {
        let mut process = Process::spawn(self.settings.serve_command(self.dir.path()));
        self.address = process.address().await;
        self.process = Some(process);
        let ready = async || self.call("GET", "/ready").try_open().await.is_ok_and(|answer| answer.status == 200);
        eventually("the gateway is ready", DEADLINE, ready).await;
    }

    fn check_log(&self) {
        let log = self.log();
        for secret in lock(&self.secrets).iter() {
            assert!(!log.contains(secret), "the log has the secret {secret:?}:\n{log}");
        }
        for thread in ["thread 'main'", "thread 'tokio-rt-worker'"] {
            assert!(!log.contains(&format!("{thread} panicked")), "the gateway panicked:\n{log}");
        }
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        let died = self.process.as_mut().and_then(Process::exited);
        if std::thread::panicking() {
            show(&self.log());
            return;
        }
        if let Some(status) = died.filter(|status| !status.success()) {
            panic!("the gateway died by itself ({status}); its log:\n{}", self.log());
        }
        self.check_log();
    }
}

#[expect(clippy::print_stderr, reason = "the log of a failed test is what its reader wants")]
fn show(log: &str) {
    eprintln!("--- the gateway's log ---\n{log}-------------------------");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
