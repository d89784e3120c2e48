//! `witgate key`: makes, lists and revokes the keys that client programs send.

use clap::{Args, Subcommand};
use domain::{ApiKey, KeyStatus};
use serde_json::{Value, json};
use store::Store;

use super::{Done, Failure, table};
use crate::{channel_draft::DEFAULT_GROUP, config::Config};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a key and print it; it cannot be shown again
    Create(Create),
    /// List keys
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key for ever
    Revoke {
        /// Name, id, prefix, or the whole key
        #[arg(value_name = "KEY", required_unless_present = "name")]
        key: Option<String>,
        /// The same, as an option
        #[arg(long, value_name = "NAME", conflicts_with = "key")]
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// Name to recognize it by
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Group whose channels it sees
    #[arg(long, value_name = "GROUP", default_value = DEFAULT_GROUP)]
    group: String,
    /// Models it may call [default: all of its group]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    models: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs a command about keys.
pub(super) async fn run(command: Command, config: &Config) -> Done {
    let store = Store::open(config.store_options(matches!(command, Command::Create(_)))?).await?;
    let done = on(&store, command).await;
    store.close().await;
    done
}

async fn on(store: &Store, command: Command) -> Done {
    match command {
        Command::Create(create) => make(store, create).await,
        Command::List { json: as_json } => {
            let keys = store.api_keys().await?;
            if as_json {
                return Ok(table::print_json(&keys.iter().map(describe).collect())?);
            }
            let rows: Vec<_> = keys.iter().map(row).collect();
            let none = "no keys yet; make one with: witgate key create --name NAME";
            Ok(table::print(&["ID", "NAME", "PREFIX", "STATUS", "GROUP", "MODELS", "CREATED (UTC)"], &rows, none)?)
        }
        Command::Revoke { key, name, json: as_json } => {
            let wanted = key.or(name).unwrap_or_default();
            let key = store.revoke_api_key(&wanted).await?;
            if as_json {
                return Ok(table::print_json(&describe(&key))?);
            }
            Ok(table::say(&format!("key `{}` ({}...) is revoked", key.name, key.prefix))?)
        }
    }
}

async fn make(store: &Store, create: Create) -> Done {
    let models: Vec<String> =
        create.models.iter().map(|model| model.trim().to_owned()).filter(|model| !model.is_empty()).collect();
    if models.is_empty() && !create.models.is_empty() {
        return Err(Failure::usage(vec![
            "--models names no model; leave it out for all models of the group".to_owned(),
        ]));
    }
    let models = Some(models).filter(|models| !models.is_empty());
    let (key, secret) = store.create_api_key(&create.name, &create.group, models).await?;
    if create.json {
        let mut shown = describe(&key);
        shown["key"] = Value::String(secret.expose().to_owned());
        return Ok(table::print_json(&shown)?);
    }
    table::say(secret.expose())?;
    Ok(table::remark("This key is shown only now; keep it where the client program reads it.")?)
}

fn status(key: &ApiKey) -> &'static str {
    match key.status {
        KeyStatus::Active => "active",
        KeyStatus::Revoked => "revoked",
    }
}

fn describe(key: &ApiKey) -> Value {
    json!({
        "id": key.id.0,
        "name": key.name,
        "prefix": key.prefix,
        "status": status(key),
        "group": key.group,
        "models": key.models,
        "created_ms": key.created_ms,
    })
}

fn row(key: &ApiKey) -> Vec<String> {
    vec![
        key.id.to_string(),
        key.name.clone(),
        key.prefix.clone(),
        status(key).to_owned(),
        key.group.clone(),
        key.models.as_ref().map_or_else(|| "all".to_owned(), |models| models.join(",")),
        table::time(key.created_ms),
    ]
}
