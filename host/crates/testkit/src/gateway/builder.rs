//! What a gateway is started with.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{TestGateway, components};

/// Collects components, environment and files, then starts the program.
#[derive(Clone)]
pub struct GatewayBuilder {
    pub(crate) binary: PathBuf,
    components: Vec<PathBuf>,
    pub(crate) env: Vec<(String, String)>,
    args: Vec<String>,
    config: Option<String>,
    dotenv: Option<String>,
    listen: bool,
    plugins_dir: bool,
}

impl GatewayBuilder {
    pub(super) fn new(binary: &Path) -> Self {
        let binary = binary.to_owned();
        let (components, env, args) = (Vec::new(), Vec::new(), Vec::new());
        GatewayBuilder { binary, components, env, args, config: None, dotenv: None, listen: true, plugins_dir: true }
    }

    /// Installs a component that is built with the project (`echo`, `openai`).
    #[must_use]
    pub fn plugin(mut self, name: &str) -> Self {
        self.components.push(components::component(name));
        self
    }

    /// Sets an environment variable. The program gets nothing of the test's own environment but `PATH`.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds arguments to `serve`.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    /// Leaves the address to the configuration, where it is a free loopback port otherwise.
    #[must_use]
    pub fn configured_address(mut self) -> Self {
        self.listen = false;
        self
    }

    /// Does not name the plugins directory, so that arguments or the configuration may.
    #[must_use]
    pub fn default_plugins_dir(mut self) -> Self {
        self.plugins_dir = false;
        self
    }

    /// Writes a configuration file and names it with `--config`.
    #[must_use]
    pub fn config(mut self, toml: &str) -> Self {
        self.config = Some(toml.to_owned());
        self
    }

    /// Writes a `.env` into the working directory.
    #[must_use]
    pub fn dotenv(mut self, text: &str) -> Self {
        self.dotenv = Some(text.to_owned());
        self
    }

    /// Makes the directories and the files, but starts nothing: the command line works on them.
    pub fn prepare(self) -> TestGateway {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["data/plugins", "work"] {
            fs::create_dir_all(dir.path().join(name)).expect("a directory in the temporary directory");
        }
        for component in &self.components {
            let name = component.file_name().expect("a component is a file");
            let to = dir.path().join("data/plugins").join(name);
            fs::copy(component, to).expect("a component can be copied");
        }
        if let Some(config) = &self.config {
            fs::write(dir.path().join("witgate.toml"), config).expect("a file in the temporary directory");
        }
        if let Some(dotenv) = &self.dotenv {
            fs::write(dir.path().join("work/.env"), dotenv).expect("a file in the temporary directory");
        }
        let vendor_secret = unique_secret();
        TestGateway {
            settings: self,
            dir,
            process: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            secrets: Mutex::new(vec![vendor_secret.clone()]),
            witness: Mutex::default(),
            awaited: Mutex::default(),
            vendor_secret,
        }
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> TestGateway {
        let mut gateway = self.prepare();
        gateway.launch().await;
        gateway
    }

    /// The program with this environment and these global options, to which a subcommand is added.
    pub(super) fn command(&self, dir: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(dir.join("work")).env_clear();
        command.env("HOME", dir).envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The global options.
    pub(super) fn global_options(&self, dir: &Path) -> Vec<PathBuf> {
        let mut options = vec!["--data-dir".into(), dir.join("data")];
        if self.config.is_some() {
            options.extend(["--config".into(), dir.join("witgate.toml")]);
        }
        options
    }

    pub(super) fn serve_command(&self, dir: &Path) -> Command {
        let mut command = self.command(dir);
        command.arg("serve").args(self.global_options(dir));
        if self.plugins_dir {
            command.arg("--plugins-dir").arg(dir.join("data/plugins"));
        }
        if self.listen {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.args(&self.args);
        command
    }
}

/// A vendor key that no other gateway of this test run uses.
fn unique_secret() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("sk-vendor-secret-{}-{number}-9f86d081884c7d65", std::process::id())
}
