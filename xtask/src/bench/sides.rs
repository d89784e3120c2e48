//! The sides of the comparison: the mock vendor itself, nginx in front of it, the gateway in front of it with either of two adapters.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::process::Process;
use super::vendor::ENDLESS;
use super::wire::{self, Connection};
use crate::{start, step, tools};

/// Everything of a run, made anew each time.
const HOME: &str = "target/bench";
const GATEWAY: &str = "target/release/witgate";
const MODEL: &str = "bench-fast";
/// The model behind the adapter that maps every event.
const MAPPED: &str = "bench-mapped";

/// The running processes. All end when this is dropped.
pub(super) struct Sides {
    pub(super) gateway: Process,
    /// Where the gateway looks for plugins.
    pub(super) plugins: PathBuf,
    pub(super) key: String,
    pub(super) gateway_address: SocketAddr,
    nginx_address: Option<SocketAddr>,
    vendor_address: SocketAddr,
    _others: Vec<Process>,
}

/// What a load is pointed at: an address and ready-made requests.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    pub(super) is_gateway: bool,
    pub(super) plain: Vec<u8>,
    pub(super) stream: Vec<u8>,
    pub(super) hold: Vec<u8>,
}

impl Sides {
    /// Starts vendor and gateway, and nginx when it is wanted, and waits until each answers a chat.
    pub(super) async fn start(with_nginx: bool) -> Result<Self> {
        let home = Path::new(HOME);
        if home.exists() {
            fs::remove_dir_all(home)?;
        }
        fs::create_dir_all(home)?;
        let (vendor_address, gateway_address) = (free_address()?, free_address()?);
        let mut vendor_command = Command::new(std::env::current_exe()?);
        vendor_command.args(["bench-vendor", &vendor_address.to_string()]);
        let mut others = vec![Process::start(&mut vendor_command, &home.join("vendor.log"))?];
        let nginx_address = if with_nginx { Some(free_address()?) } else { None };
        if let Some(address) = nginx_address {
            others.push(start_nginx(home, address, vendor_address)?);
        }
        let data = home.join("data");
        let key = set_up(&data, vendor_address)?;
        let mut serve = Command::new(GATEWAY);
        serve.args(["serve", "--listen", &gateway_address.to_string(), "--data-dir"]).arg(&data);
        let gateway = Process::start(&mut serve, &home.join("gateway.log"))?;
        let mut sides = Self {
            gateway,
            plugins: data.join("plugins"),
            key,
            gateway_address,
            nginx_address,
            vendor_address,
            _others: others,
        };
        sides.wait().await?;
        Ok(sides)
    }

    /// Direct, nginx, the gateway with the compatible adapter and with the Anthropic one: in this order.
    pub(super) fn targets(&self) -> Vec<Target> {
        let target = |name, address, key: &str, model| Target {
            name,
            address,
            is_gateway: !key.is_empty(),
            plain: wire::chat(address, key, model, false),
            stream: wire::chat(address, key, model, true),
            hold: wire::chat(address, key, ENDLESS, true),
        };
        let nginx = self.nginx_address.map(|address| target("nginx", address, "", MODEL));
        let direct = target("the vendor itself", self.vendor_address, "", MODEL);
        let gateway = |name, model| target(name, self.gateway_address, &self.key, model);
        let (compatible, anthropic) = (gateway("the gateway", MODEL), gateway("the gateway (anthropic)", MAPPED));
        [Some(direct), nginx, Some(compatible), Some(anthropic)].into_iter().flatten().collect()
    }

    async fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        for target in self.targets() {
            loop {
                let answer =
                    async { Connection::open(target.address).await?.exchange(&target.plain, |_| {}).await }.await;
                match answer {
                    Ok(200) => break,
                    _ if target.is_gateway && !self.gateway.is_alive() => {
                        bail!("the gateway has ended; see {HOME}/gateway.log")
                    }
                    other if Instant::now() > deadline => {
                        bail!("{} does not answer a chat: {other:?}; see {HOME}/*.log", target.name)
                    }
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        }
        Ok(())
    }
}

/// A data directory with the plugins, a channel to the vendor and a key.
fn set_up(data: &Path, vendor: SocketAddr) -> Result<String> {
    start::copy_plugins(&data.join("plugins"))?;
    let models = format!("{MODEL},{ENDLESS}");
    for (provider, base_url, models) in [
        ("compatible", format!("http://{vendor}/v1"), models.as_str()),
        ("anthropic", format!("http://{vendor}"), MAPPED),
    ] {
        let channel = ["channel", "add", "--name", provider, "--provider", provider, "--base-url", &base_url];
        let mut command = Command::new(GATEWAY);
        command.args(channel).args(["--secret", "key=not-a-secret", "--models", models, "--data-dir"]).arg(data);
        step::output(&mut command)?;
    }
    start::create_key(Path::new(GATEWAY), data, "bench")
}

fn start_nginx(home: &Path, listen: SocketAddr, vendor: SocketAddr) -> Result<Process> {
    let nginx = tools::nginx().context("nginx is not installed")?;
    let home = home.canonicalize()?;
    let place = home.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {place}/nginx-{kind};\n"))
        .concat();
    let config = home.join("nginx.conf");
    let text = format!(
        "daemon off;\nworker_processes 1;\npid {place}/nginx.pid;\nerror_log {place}/nginx-error.log;\nevents {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n{temporary}  keepalive_requests 1000000000;\n  upstream vendor {{\n    server {vendor};\n    \
         keepalive 128;\n    keepalive_requests 1000000000;\n  }}\n  server {{\n    listen {listen};\n    location / {{\n      \
         proxy_pass http://vendor;\n      proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n      proxy_buffering off;\n    \
         }}\n  }}\n}}\n"
    );
    fs::write(&config, text)?;
    Process::start(Command::new(nginx).arg("-c").arg(&config).arg("-p").arg(&home), &home.join("nginx.log"))
}

/// A loopback address that nobody listens on at the moment.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
