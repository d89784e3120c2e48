//! `witgate plugin`: what is loaded, and whether a file would be. Also loads the plugins directory for the commands that need catalogs.

use std::path::PathBuf;

use clap::Subcommand;
use plugin_runtime::{PluginStatus, Registry, Runtime, RuntimeOptions};
use serde_json::{Value, json};
use store::{PluginState, Store};

use super::{Done, Failure, table};
use crate::config::Config;

mod cases;
mod check;

/// A command runs no exchanges: room for the trial of each plugin is enough.
const INSTANCES: u32 = 32;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List plugin files, what they offer and why one is refused
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say whether a plugin file would be loaded, what it is and what it asks for, without loading it into the server
    Check {
        /// The component
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the fixtures that are packed into a plugin file, or those of a folder
    Test(cases::Test),
    /// Pack fixtures into a plugin file, in place of those that it has
    Pack(cases::Pack),
}

/// Runs a command about plugins.
pub(super) async fn run(command: Command, config: &Config) -> Done {
    match command {
        Command::List { json } => list(config, json).await,
        Command::Check { file, json } => check::check(config, &file, json).await,
        Command::Test(test) => cases::test(config, &test).await,
        Command::Pack(pack) => cases::pack(&pack),
    }
}

/// The sandboxes, for a command. A data directory that is not there (it may be mistyped) is not made for them: then compiled code is
/// kept aside and dropped with this.
struct Sandboxes {
    runtime: Runtime,
    aside: Option<PathBuf>,
}

impl Sandboxes {
    fn new(config: &Config) -> Result<Sandboxes, Failure> {
        Sandboxes::with(config, config.runtime_options()?)
    }

    /// Sandboxes that load a plugin whatever its packed fixtures say.
    fn without_trial(config: &Config) -> Result<Sandboxes, Failure> {
        Sandboxes::with(config, RuntimeOptions { trial: None, ..config.runtime_options()? })
    }

    fn with(config: &Config, mut options: RuntimeOptions) -> Result<Sandboxes, Failure> {
        options.instances = options.instances.min(INSTANCES);
        let aside = (!config.data.dir.exists())
            .then(|| std::env::temp_dir().join(format!("witgate-{:032x}", rand::random::<u128>())));
        if let Some(aside) = &aside {
            options.cache_dir.clone_from(aside);
        }
        Ok(Sandboxes { runtime: Runtime::new(options)?, aside })
    }
}

impl Drop for Sandboxes {
    fn drop(&mut self) {
        if let Some(aside) = &self.aside {
            std::fs::remove_dir_all(aside).ok();
        }
    }
}

/// Everything in the plugins directory, as this process finds it.
pub(super) async fn load(config: &Config) -> Result<Registry, Failure> {
    Ok(plugin_runtime::load_dir(&Sandboxes::new(config)?.runtime, &config.plugins_dir()).await)
}

/// The last good build that a server serves of a file that does not load as it is now.
pub(super) fn last_good<'a>(served: &'a [PluginState], file: &str) -> Option<&'a PluginState> {
    served.iter().find(|plugin| plugin.file == file && plugin.state == "serving-last-good")
}

/// What the running server has loaded; `None` when none runs on this database.
pub(super) async fn served(store: &Store) -> Result<Option<(String, Vec<PluginState>)>, store::StoreError> {
    match store.server_alive().await? {
        Some(address) => Ok(Some((address, store.plugin_states().await?))),
        None => Ok(None),
    }
}

async fn list(config: &Config, as_json: bool) -> Done {
    // Without a database there is no server to ask; any other trouble with it is worth knowing.
    let served = match Store::open(config.store_options(false)?).await {
        Ok(store) => {
            let served = served(&store).await;
            store.close().await;
            served?
        }
        Err(store::StoreError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let (from, plugins) = match served {
        Some((address, plugins)) => (format!("the server at {address}"), plugins),
        None => {
            let plugins = load(config).await?.plugins().into_iter().map(published).collect();
            (format!("{}; no server runs", config.plugins_dir().display()), plugins)
        }
    };
    if as_json {
        return Ok(table::print_json(&plugins.iter().map(describe).collect())?);
    }
    let rows: Vec<_> = plugins.iter().map(row).collect();
    let none = format!("no plugins in {}", config.plugins_dir().display());
    table::print(&["FILE", "STATE", "VERSION", "DIGEST", "MODELS", "PROVIDERS", "REASON"], &rows, &none)?;
    Ok(table::remark(&format!("as seen by {from}"))?)
}

/// A plugin as this process found it, in the words of the server.
fn published(status: PluginStatus) -> PluginState {
    PluginState {
        file: status.file,
        providers: status.providers,
        version: status.version,
        digest: status.digest,
        models: u32::try_from(status.models).unwrap_or(u32::MAX),
        state: status.state.as_str().to_owned(),
        reason: status.reason,
        changed_ms: status.changed_ms,
    }
}

fn describe(plugin: &PluginState) -> Value {
    json!({
        "file": plugin.file,
        "state": plugin.state,
        "reason": plugin.reason,
        "version": plugin.version,
        "digest": plugin.digest,
        "models": plugin.models,
        "providers": plugin.providers,
        "changed_ms": plugin.changed_ms,
    })
}

fn row(plugin: &PluginState) -> Vec<String> {
    vec![
        plugin.file.clone(),
        plugin.state.clone(),
        plugin.version.clone(),
        plugin.digest.chars().take(12).collect(),
        plugin.models.to_string(),
        table::shorten(&plugin.providers),
        plugin.reason.clone(),
    ]
}
