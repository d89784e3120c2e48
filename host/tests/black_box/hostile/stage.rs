//! One gateway with every hostile guest in its plugins directory, a harmless plugin, and a vendor that echoes what it is sent.

use std::{fs, time::Duration};

use serde_json::{Value, json};
use testkit::{Answer, GatewayBuilder, ScriptedVendor, TestGateway, VendorRequest, eventually, gateway::component};

use super::{
    canary::Canary,
    cases::{CASES, needs_its_own},
};
use crate::setup::{self, question};

/// How long any call may take. The limits below are far shorter; a busy machine gets more.
pub(super) const LATEST: Duration = Duration::from_secs(12);
/// How long until everything that was dropped in is judged: each is compiled first.
const JUDGED: Duration = Duration::from_secs(120);

pub(super) struct Stage {
    pub(super) gateway: TestGateway,
    pub(super) vendor: ScriptedVendor,
    pub(super) key: String,
    pub(super) canary: Canary,
}

/// A gateway with short limits, the harmless plugin, and the canary in the variable of every hostile channel.
pub(super) async fn bare() -> Stage {
    bare_with(&[]).await
}

/// The same with other settings.
pub(super) async fn bare_with(env: &[(&str, &str)]) -> Stage {
    let (vendor, canary) = (ScriptedVendor::start().await, Canary::new());
    let token = canary.token.clone();
    vendor.always(move |request| Answer::json(&echo(request, &token)));
    let builder = with_channels(setup::bare(), &vendor.base_url(), &canary).plugin("echo");
    let gateway = env.iter().fold(builder, |builder, (name, value)| builder.env(name, value)).start().await;
    gateway.forbid_in_log(&canary.secret);
    gateway.forbid_in_log(&canary.token);
    let key = gateway.key("app").await;
    Stage { gateway, vendor, key, canary }
}

/// The same with all hostile guests.
pub(super) async fn everyone() -> Stage {
    let stage = bare().await;
    // What misbehaves only when it is called can be played by one copy, which saves the time of compiling many.
    let each = std::env::var_os("WITGATE_HOSTILE").is_some_and(|value| value == "each");
    let (own, by_model): (Vec<_>, Vec<_>) = CASES.iter().partition(|(name, is)| each || needs_its_own(name, *is));
    // A variable is whose plugin was there first; the thief comes later.
    stage.install("harmless", "harmless");
    stage.gateway.wait_for_model(&stage.key, "hostile-harmless").await;
    for (name, _) in &own {
        stage.install(name, name);
    }
    stage.install("any", "any");
    let judged = async || stage.rows().await.iter().all(|row| row["state"] != "loading");
    eventually("all are there", JUDGED, async || stage.rows().await.len() == own.len() + 2).await;
    eventually("all are judged", JUDGED, judged).await;
    let by_model: Vec<&str> = by_model.iter().map(|(name, _)| *name).collect();
    if !by_model.is_empty() {
        stage.add_any(&by_model).await;
    }
    for name in ["hostile-trap", "hostile-harmless", "hostile-grant-nosy"] {
        stage.gateway.wait_for_model(&stage.key, name).await;
    }
    stage
}

fn with_channels(mut builder: GatewayBuilder, url: &str, canary: &Canary) -> GatewayBuilder {
    for (name, _) in CASES {
        let variable: String = name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_uppercase() }).collect();
        builder = builder.env(&format!("HOSTILE_KEY_{variable}"), &canary.secret);
    }
    builder
        .env("HOSTILE_BASE_URL", url)
        .env("WITGATE_SERVER_LOG_LEVEL", "debug")
        .env("WITGATE_PLUGINS_STEP_WALL_MS", "1000")
        .env("WITGATE_PLUGINS_EXCHANGE_WALL_S", "1")
        .env("WITGATE_PLUGINS_COMPILE_WALL_S", "60")
        .env("WITGATE_EXCHANGE_TOTAL_S", "4")
        .env("WITGATE_EXCHANGE_PARKED_TOTAL_S", "4")
        .env("WITGATE_EXCHANGE_ANSWER_MAX_BYTES", "8388608")
}

impl Stage {
    /// Adds a channel of the copy that behaves as its model says, with a model for each of these.
    pub(super) async fn add_any(&self, names: &[&str]) {
        let file = async || self.row("any.wasm").await["state"] == "serving";
        eventually("the guest of many behaviours is loaded", JUDGED, file).await;
        let models: Vec<String> = names.iter().map(|name| format!("hostile-{name}")).collect();
        let (url, secret) = (self.vendor.base_url(), format!("key={}", self.canary.secret));
        let add = ["channel", "add", "--name", "any", "--provider", "hostile-any", "--base-url", &url];
        let rest = ["--secret", &secret, "--models", &models.join(",")];
        self.gateway.cli(&[add.as_slice(), rest.as_slice()].concat()).await.ok();
        for model in models {
            self.gateway.wait_for_model(&self.key, &model).await;
        }
    }

    /// Puts a hostile guest under a name as careful people do.
    pub(super) fn install(&self, guest: &str, name: &str) {
        let bytes = fs::read(component(&format!("hostile/{guest}"))).expect("it was just found");
        self.place(&bytes, &format!("{name}.wasm"));
    }

    pub(super) fn place(&self, bytes: &[u8], name: &str) {
        let aside = self.gateway.work_dir().join("aside");
        fs::write(&aside, bytes).unwrap();
        fs::rename(aside, self.gateway.plugins_dir().join(name)).unwrap();
    }

    /// What `plugin list` says of all files.
    pub(super) async fn rows(&self) -> Vec<Value> {
        let list = self.gateway.cli(&["plugin", "list", "--json"]).await.ok().json();
        list.as_array().expect("an array").clone()
    }

    /// What `plugin list` says of one file; null when it does not name it.
    pub(super) async fn row(&self, file: &str) -> Value {
        self.rows().await.into_iter().find(|row| row["file"] == file).unwrap_or(Value::Null)
    }

    /// The harmless plugin answers as ever.
    pub(super) async fn echo_lives(&self) -> Result<(), String> {
        let answer = self.gateway.chat(&self.key, &question("echo")).await;
        if answer.status == 200 && answer.content().contains("ping") {
            return Ok(());
        }
        Err(format!("the harmless plugin answers {}: {}", answer.status, answer.text()))
    }

    /// The canary in the log, in the data directory, in what the vendor was sent; control characters and forged lines in the log.
    pub(super) fn leaks(&self) -> Vec<String> {
        let log = self.gateway.log();
        let mut found = self.canary.found_below(&self.gateway.data_dir());
        found.extend(self.canary.found_in(log.as_bytes()).map(|what| format!("{what} in the log")));
        for request in self.vendor.requests() {
            let what = self.canary.found_in_request(&request);
            found.extend(what.map(|what| format!("{what} in {} {}", request.method, request.path)));
        }
        let forged = log.lines().find(|line| line.starts_with("2026-01-01T00:00:00Z"));
        found.extend(forged.map(|line| format!("a forged line in the log: {line}")));
        // Colours are off: the log is no terminal.
        let escaped = log.lines().find(|line| line.contains(['\u{1b}', '\u{7}']));
        found.extend(escaped.map(|line| format!("terminal escapes in the log: {line:?}")));
        found
    }
}

/// Everything of a request, as a vendor that debugs would send it back; and a token for those who came for one.
fn echo(request: &VendorRequest, token: &str) -> Value {
    json!({
        "access_token": if request.path.ends_with("/token") { token } else { "none" },
        "expires_in": 3600,
        "path": request.path,
        "query": request.query,
        "headers": request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(&request.body),
    })
}
