//! Questions that an operator puts to a vendor about a channel's account. The channel's adapter asks them, in a sandbox as ever.

use std::sync::Arc;

use domain::Fault;
use exchange::Query;
use plugin_runtime::one_line;
use serde_json::Value;
use store::Store;

use super::{CountArgs, Done, Failure, Named, find, plugin, table};
use crate::{config::Config, serve};

/// Prints what the account has left.
pub(super) async fn balance(store: &Store, config: &Config, named: Named) -> Done {
    let answer = ask(store, config, &named, Query::Balance).await?;
    if named.json {
        return Ok(table::print_json(&answer)?);
    }
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(table::say(&format!("{} {}", text("amount"), text("currency")))?)
}

/// Prints the models that the account may call.
pub(super) async fn models(store: &Store, config: &Config, named: Named) -> Done {
    let answer = ask(store, config, &named, Query::Models).await?;
    if named.json {
        return Ok(table::print_json(&answer)?);
    }
    let models = answer.get("models").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<_> = models.iter().filter_map(|model| Some(vec![model.get("id")?.as_str()?.to_owned()])).collect();
    Ok(table::print(&["MODEL"], &rows, "the vendor lists no models for this account")?)
}

/// Prints how many tokens a chat request has.
pub(super) async fn count(store: &Store, config: &Config, args: CountArgs) -> Done {
    let file = args.body.display();
    let body = std::fs::read_to_string(&args.body).map_err(|error| Failure::new(vec![format!("{file}: {error}")]))?;
    let request: Value =
        serde_json::from_str(&body).map_err(|error| Failure::new(vec![format!("{file} is not JSON: {error}")]))?;
    let Some(model) = request.get("model").and_then(Value::as_str) else {
        return Err(Failure::new(vec![format!("{file} has no `model`: say which of the vendor's models counts")]));
    };
    let answer = ask(store, config, &args.channel, Query::CountTokens { body: &body, model }).await?;
    if args.channel.json {
        return Ok(table::print_json(&answer)?);
    }
    Ok(table::say(&answer.get("input_tokens").map(Value::to_string).unwrap_or_default())?)
}

async fn ask(store: &Store, config: &Config, named: &Named, query: Query<'_>) -> Result<Value, Failure> {
    let channel = store.channel(&named.wanted()).await?;
    let registry = plugin::load(config).await?;
    // Says why when no plugin offers it.
    find(store, config, &registry, &channel.provider).await?;
    let rooms = Arc::new(serve::rooms(config, store, registry)?);
    exchange::query(&rooms, &Arc::new(channel), query).await.map_err(|fault| Failure::new(vec![explain(&fault)]))
}

/// A fault for the operator, who may see what a client is not told.
fn explain(fault: &Fault) -> String {
    // Vendors and adapters wrote it: a line of theirs must not look like one of ours.
    let text = match fault.detail.as_deref().filter(|detail| !detail.is_empty()) {
        Some(detail) => format!("{}: {} ({detail})", fault.code.as_str(), fault.message),
        None => format!("{}: {}", fault.code.as_str(), fault.message),
    };
    one_line(&text)
}
