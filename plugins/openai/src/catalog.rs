//! What the component offers: one JSON file per provider, laid over what its family shares.

use serde_json::{Map, Value};
use witgate_sdk::{Catalog, Provider};

/// The family's catalog.
#[derive(Debug)]
pub struct Family;

impl Catalog for Family {
    fn providers() -> Vec<Provider> {
        // A file that cannot be read is left out; a test reads them all.
        FILES.iter().filter_map(|(id, file)| Some(Provider::new(*id, descriptor(file).ok()?.to_string()))).collect()
    }
}

/// Every provider with its file. The files are data: a new compatible vendor is a file and a line here.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("openai", include_str!("../catalog/openai.json")),
    ("deepseek", include_str!("../catalog/deepseek.json")),
    ("moonshot", include_str!("../catalog/moonshot.json")),
    ("groq", include_str!("../catalog/groq.json")),
    ("mistral", include_str!("../catalog/mistral.json")),
    ("xai", include_str!("../catalog/xai.json")),
    ("together", include_str!("../catalog/together.json")),
    ("novita", include_str!("../catalog/novita.json")),
    ("siliconflow", include_str!("../catalog/siliconflow.json")),
    ("stepfun", include_str!("../catalog/stepfun.json")),
    ("lingyiwanwu", include_str!("../catalog/lingyiwanwu.json")),
    ("openrouter", include_str!("../catalog/openrouter.json")),
    ("perplexity", include_str!("../catalog/perplexity.json")),
    ("ai360", include_str!("../catalog/ai360.json")),
    ("baichuan", include_str!("../catalog/baichuan.json")),
    ("vllm", include_str!("../catalog/vllm.json")),
    ("llamacpp", include_str!("../catalog/llamacpp.json")),
    ("localai", include_str!("../catalog/localai.json")),
    ("xinference", include_str!("../catalog/xinference.json")),
    ("compatible", include_str!("../catalog/compatible.json")),
];

const VENDOR: &str = include_str!("../catalog/_vendor.json");
const SERVER: &str = include_str!("../catalog/_server.json");

/// The file of a provider, as it is written.
#[cfg(test)]
pub(crate) fn file(provider: &str) -> Option<&'static str> {
    FILES.iter().find(|(id, _)| *id == provider).map(|(_, file)| *file)
}

/// The whole descriptor of a provider: its family's keys, its own over them, the version, and prices for every class that is reported.
pub(crate) fn descriptor(file: &str) -> Result<Value, String> {
    let mut own: Map<String, Value> = serde_json::from_str(file).map_err(|error| error.to_string())?;
    let family = match own.remove("extends").as_ref().and_then(Value::as_str) {
        Some("vendor") => VENDOR,
        Some("server") => SERVER,
        other => return Err(format!("`extends` must be `vendor` or `server`, not {other:?}")),
    };
    let mut whole: Map<String, Value> = serde_json::from_str(family).map_err(|error| error.to_string())?;
    whole.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    whole.append(&mut own);
    for model in whole.get_mut("models").and_then(Value::as_array_mut).into_iter().flatten() {
        for price in model.get_mut("prices").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(classes) = price.get_mut("per_million").and_then(Value::as_object_mut) {
                price_every_class(classes);
            }
        }
    }
    Ok(Value::Object(whole))
}

/// Usage classes are disjoint, so one without a price would be free. A vendor without a price of its own for a class charges that of the
/// class it is part of.
fn price_every_class(classes: &mut Map<String, Value>) {
    for (class, part_of) in [("cached-read", "input"), ("cache-write-5m", "input"), ("reasoning", "output")] {
        if let Some(price) = classes.get(part_of).cloned() {
            classes.entry(class).or_insert(price);
        }
    }
}

#[cfg(test)]
mod tests;
