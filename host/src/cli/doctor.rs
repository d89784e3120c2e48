//! `witgate doctor`: checks what a server would need, and shows every value of the configuration with its origin.

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use clap::Args;
use domain::{Channel, ChannelStatus};
use plugin_runtime::{PluginState, Registry};
use serde_json::{Value, json};
use store::{Store, StoreError};

use super::{Done, Failure, plugin, table};
use crate::{
    channel_draft::{Offer, asks_for_more, unapproved},
    channel_seed::report,
    config::Config,
};

#[derive(Args)]
pub(super) struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Note,
    Wrong,
}

/// One thing that was looked at.
struct Check {
    subject: String,
    verdict: Verdict,
    says: String,
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, subject: impl Into<String>, verdict: Verdict, says: impl Into<String>) {
        self.0.push(Check { subject: subject.into(), verdict, says: says.into() });
    }
}

/// Checks everything and fails when something is wrong.
pub(super) async fn run(doctor: &Doctor, config: &Config, errors: &[String]) -> Done {
    let mut checks = Checks::default();
    for error in errors {
        checks.add("configuration", Verdict::Wrong, error);
    }
    if errors.is_empty() {
        checks.add("configuration", Verdict::Good, "no mistakes");
    }
    for note in &config.notes {
        checks.add("configuration", Verdict::Note, note);
    }
    data_dir(&config.data.dir, &mut checks);
    let store = database(config, &mut checks).await;
    let server = match &store {
        Some(store) => server(store, &mut checks).await,
        None => None,
    };
    let registry = plugins(config, server.as_ref(), &mut checks).await;
    let mut existing = Vec::new();
    if let Some(store) = store {
        match store.channels().await {
            Ok(channels) => existing = channels,
            Err(error) => checks.add("channels", Verdict::Wrong, error.to_string()),
        }
        store.close().await;
    }
    variables(config, registry.as_ref(), &existing, &mut checks);
    existing.iter().for_each(|one| channel(one, registry.as_ref(), server.as_ref(), &mut checks));
    let wrong = checks.0.iter().filter(|check| check.verdict == Verdict::Wrong).count();
    if doctor.json {
        table::print_json(&describe(config, &checks, wrong == 0))?;
    } else {
        print(config, &checks)?;
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::new(vec!["1 thing is wrong".to_owned()])),
        many => Err(Failure::new(vec![format!("{many} things are wrong")])),
    }
}

fn data_dir(dir: &Path, checks: &mut Checks) {
    let subject = "data directory";
    let meta = match std::fs::metadata(dir) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return checks.add(
                subject,
                Verdict::Note,
                format!("{} is not there yet; the server makes it", dir.display()),
            );
        }
        Err(error) => return checks.add(subject, Verdict::Wrong, format!("{}: {error}", dir.display())),
    };
    let mode = meta.permissions().mode() & 0o777;
    if !meta.is_dir() {
        checks.add(subject, Verdict::Wrong, format!("{} is not a directory", dir.display()));
    } else if let Err(error) = std::fs::read_dir(dir) {
        let says = format!(
            "{}: {error}; it belongs to the user with the id {}, run the command as the user that runs the server",
            dir.display(),
            meta.uid()
        );
        checks.add(subject, Verdict::Wrong, says);
    } else if mode & 0o077 != 0 {
        // Secrets in it are sealed and its files private, so this is a hint.
        let says = format!("{} can be entered by others (mode {mode:03o}); chmod 700 it", dir.display());
        checks.add(subject, Verdict::Note, says);
    } else {
        checks.add(subject, Verdict::Good, format!("{}, mode {mode:03o}", dir.display()));
    }
    let key = dir.join("master.key");
    if let Ok(meta) = std::fs::metadata(&key) {
        let mode = meta.permissions().mode() & 0o777;
        // That it is the right one is said with the database.
        if mode & 0o077 != 0 {
            checks.add("master key", Verdict::Wrong, format!("{}, mode {mode:03o}; chmod 600 it", key.display()));
        }
    }
}

/// What a running server says of itself: where it listens, and its plugins.
type Server = (String, Vec<store::PluginState>);

async fn plugins(config: &Config, server: Option<&Server>, checks: &mut Checks) -> Option<Registry> {
    let dir = config.plugins_dir();
    if let Err(error) = std::fs::read_dir(&dir) {
        let absent = error.kind() == std::io::ErrorKind::NotFound;
        let (verdict, says) = match (absent, config.plugins.dir.is_some()) {
            (true, false) => (Verdict::Note, "is not there yet; the server makes it".to_owned()),
            (true, true) => (Verdict::Wrong, "is not there; no server starts without it".to_owned()),
            (false, _) => (Verdict::Wrong, format!("cannot be read: {error}")),
        };
        checks.add("plugins", verdict, format!("{} {says}", dir.display()));
        return None;
    }
    let registry = match plugin::load(config).await {
        Ok(registry) => registry,
        Err(failure) => {
            checks.add("plugins", Verdict::Wrong, failure.lines.join("; "));
            return None;
        }
    };
    for status in registry.plugins() {
        let subject = format!("plugin {}", status.file);
        if status.state == PluginState::Serving {
            let says = format!("{} {}; models: {}", table::shorten(&status.providers), status.version, status.models);
            checks.add(subject, Verdict::Good, says);
        } else if let Some((address, served)) = server
            && let Some(good) = plugin::last_good(served, &status.file)
        {
            let says = format!(
                "the file is refused: {}; until it is replaced by a good one, the server at {address} serves the last good build \
                 ({}), which does not survive a restart",
                status.reason, good.version
            );
            checks.add(subject, Verdict::Wrong, says);
        } else {
            checks.add(subject, Verdict::Wrong, status.reason);
        }
    }
    if registry.plugins().is_empty() {
        checks.add("plugins", Verdict::Note, format!("none in {}", dir.display()));
    }
    Some(registry)
}

/// What becomes of the variables that vendors are known by, and of API keys in variables.
fn variables(config: &Config, registry: Option<&Registry>, channels: &[Channel], checks: &mut Checks) {
    let offers: Vec<Offer> = registry.map(Registry::adapters).iter().flatten().map(Offer::of).collect();
    for line in report::lines(&offers, channels, &config.environment) {
        checks.add(format!("variable {}", line.variable), Verdict::Note, line.says);
    }
    for (name, key) in &config.api_keys {
        if let Err(error) = store::check_import(name, key.expose()) {
            checks.add("API keys", Verdict::Wrong, format!("left out: {error}"));
        }
    }
}

async fn database(config: &Config, checks: &mut Checks) -> Option<Store> {
    let opened = match config.store_options(false) {
        Ok(options) => Store::open(options).await,
        Err(error) => {
            checks.add("master key", Verdict::Wrong, format!("{error:#}"));
            return None;
        }
    };
    let (subject, verdict, says) = match opened {
        Ok(store) => {
            checks.add("database", Verdict::Good, "reachable, schema up to date, master key fits");
            return Some(store);
        }
        Err(StoreError::NotFound(why)) => ("database", Verdict::Note, why),
        Err(StoreError::MasterKey(why)) => ("master key", Verdict::Wrong, why),
        Err(error) => ("database", Verdict::Wrong, error.to_string()),
    };
    checks.add(subject, verdict, says);
    None
}

async fn server(store: &Store, checks: &mut Checks) -> Option<Server> {
    match plugin::served(store).await {
        Ok(Some(server)) => {
            checks.add("server", Verdict::Good, format!("runs at {}", server.0));
            return Some(server);
        }
        Ok(None) => checks.add("server", Verdict::Note, "none runs on this database"),
        Err(error) => checks.add("server", Verdict::Wrong, error.to_string()),
    }
    None
}

fn channel(channel: &Channel, registry: Option<&Registry>, server: Option<&Server>, checks: &mut Checks) {
    let subject = format!("channel {}", channel.name);
    if channel.status == ChannelStatus::Disabled {
        return checks.add(subject, Verdict::Note, "disabled");
    }
    let Some(adapter) = registry.and_then(|registry| registry.provider(&channel.provider)) else {
        let serves = |plugin: &&store::PluginState| plugin.providers.contains(&channel.provider);
        if let Some((address, served)) = server
            && let Some(plugin) = served.iter().find(serves)
        {
            let build = if plugin.state == "serving-last-good" { "the last good build of " } else { "" };
            let says = format!("the server at {address} serves it with {build}{} {}", plugin.file, plugin.version);
            return checks.add(subject, Verdict::Note, says);
        }
        return checks.add(subject, Verdict::Wrong, format!("no plugin offers its provider `{}`", channel.provider));
    };
    let offer = Offer::of(&adapter);
    let mut wrong = (offer.check_settings)(&channel.settings).err().unwrap_or_default();
    let missing =
        offer.provider.secrets.iter().filter(|spec| spec.required && !channel.secrets.contains_key(&spec.name));
    wrong.extend(missing.map(|spec| format!("secret `{}` is missing", spec.name)));
    if let Err(error) = domain::split_secrets(&offer.provider, &channel.secrets) {
        wrong.push(error.to_string());
    }
    let more = unapproved(channel, &offer);
    if !more.is_empty() {
        wrong.push(asks_for_more(&channel.name, &more));
    }
    if wrong.is_empty() {
        checks.add(subject, Verdict::Good, format!("provider {} {}", channel.provider, adapter.version()));
    } else {
        checks.add(subject, Verdict::Wrong, wrong.join("; "));
    }
}

fn describe(config: &Config, checks: &Checks, ok: bool) -> Value {
    let checks: Vec<_> = checks
        .0
        .iter()
        .map(|check| json!({"subject": check.subject, "verdict": word(check.verdict), "says": check.says}))
        .collect();
    let settings: Vec<_> = config
        .settings
        .iter()
        .map(|setting| {
            let mut shown =
                json!({"key": setting.name(), "value": setting.shown(), "origin": setting.origin.to_string()});
            for (name, text) in setting.reference() {
                shown[name] = text.into();
            }
            shown
        })
        .collect();
    let variables: Vec<_> = config
        .variables
        .iter()
        .map(|variable| json!({"name": variable.name, "became": variable.became, "says": variable.says}))
        .collect();
    json!({"ok": ok, "checks": checks, "settings": settings, "variables": variables})
}

fn print(config: &Config, checks: &Checks) -> std::io::Result<()> {
    let rows: Vec<_> = checks
        .0
        .iter()
        .map(|check| vec![word(check.verdict).to_owned(), check.subject.clone(), check.says.clone()])
        .collect();
    table::print(&["", "CHECK", ""], &rows, "")?;
    table::say("")?;
    let rows: Vec<_> = config
        .settings
        .iter()
        .map(|setting| vec![setting.name().to_owned(), setting.shown(), setting.origin.to_string()])
        .collect();
    table::print(&["KEY", "VALUE", "FROM"], &rows, "")?;
    if config.variables.is_empty() {
        return Ok(());
    }
    table::say("")?;
    let rows: Vec<_> = config
        .variables
        .iter()
        .map(|variable| vec![variable.name.to_owned(), variable.became.to_owned(), variable.says.clone()])
        .collect();
    table::print(&["VARIABLE", "HERE", ""], &rows, "")
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "ok",
        Verdict::Note => "note",
        Verdict::Wrong => "WRONG",
    }
}
