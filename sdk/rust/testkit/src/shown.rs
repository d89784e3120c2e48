//! How an exchange is written in a case's files: what is expected, and compared.

mod request;

use crate::play::{Happening, Run};
use crate::{Case, case, dialogue};
use serde_json::Value;
use std::collections::BTreeMap;
use witgate_sdk::{Body, Effect, Fault, Usage};

/// Every file that an exchange leads to, by name.
pub(crate) fn files(run: &Run, case: &Case) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    for (index, request) in run.requests.iter().enumerate() {
        let name = format!("{}.json", case::name_of("upstream-request", index + 1));
        files.insert(name, request::shown(request, case)?);
    }
    for (number, lines) in &run.dialogues {
        let name = format!("{}.ws.ndjson", case::name_of("upstream-response", *number));
        files.insert(name, dialogue::write(lines));
    }
    files.insert("effects.json".to_owned(), happenings(&run.happenings, case)?);
    Ok(files)
}

/// What is neither a request nor a file of its own, a line each.
pub(crate) fn happenings(happenings: &[Happening], case: &Case) -> Result<String, String> {
    let line = |happening| self::happening(happening, case);
    let lines = happenings.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[\n  {}\n]\n", lines.join(",\n  ")))
}

fn happening(happening: &Happening, case: &Case) -> Result<String, String> {
    let text = |text: &str| Value::from(text).to_string();
    let (name, json) = match happening {
        Happening::Relayed(data) => ("relayed", canonical(data, case)?),
        Happening::Sent(number) => ("send", number.to_string()),
        Happening::Effect(effect) => match effect {
            Effect::Emit(text) => ("emit", canonical(text, case)?),
            Effect::Relay(id) => ("relay", id.to_string()),
            Effect::Cancel(id) => ("cancel", id.to_string()),
            Effect::Sleep { ms, .. } => ("sleep", ms.to_string()),
            Effect::Fetch { url, .. } => ("fetch", text(url)),
            Effect::Usage(usage) => ("usage", self::usage(usage)),
            Effect::Loss { field, what } => {
                ("loss", object([("field", field.as_str().into()), ("what", what.as_str().into())]))
            }
            Effect::Finish(reason) => ("finish", text(reason)),
            Effect::Fail(fault) => ("fail", self::fault(fault)),
            Effect::Park { state, ms } => {
                let state = serde_json::from_str(state).unwrap_or_else(|_| Value::from(state.as_str()));
                ("park", object([("ms", (*ms).into()), ("state", state)]))
            }
            Effect::Grant { id, pointer, lifetime_s } => {
                let fields = [("id", (*id).into()), ("pointer", pointer.as_str().into())];
                let [id, pointer] = fields;
                ("grant", object([id, pointer, ("lifetime_s", (*lifetime_s).into())]))
            }
            Effect::Send(_) | Effect::WsSend { .. } | Effect::Ext(_) => {
                return Err(format!("this effect has no place here: {effect:?}"));
            }
        },
    };
    Ok(format!("{{\"{name}\": {json}}}"))
}

/// What is emitted must have the canonical form of the operation.
fn canonical(text: &str, case: &Case) -> Result<String, String> {
    let body = Body::parse(text).map_err(|fault| format!("emitted {text:?}: {}", fault.message))?;
    let object = body.get::<String>("object").and_then(Result::ok).unwrap_or_default();
    let is_number = |name| body.get::<u32>(name).is_some_and(|count| count.is_ok());
    let (fits, what) = match case.operation() {
        "chat" => (
            matches!(object.as_str(), "chat.completion" | "chat.completion.chunk"),
            "neither a chat.completion nor a chunk of one",
        ),
        "embeddings" => (object == "list" && body.contains("data"), "not a list of embeddings"),
        "balance" => (
            ["amount", "currency"].iter().all(|name| body.get::<String>(name).is_some_and(|value| value.is_ok())),
            "not a balance (\"amount\" and \"currency\", texts)",
        ),
        "models" => {
            (body.get::<Vec<Value>>("models").is_some_and(|list| list.is_ok()), "not a list of models (\"models\")")
        }
        "count-tokens" => (is_number("input_tokens"), "not a count of tokens (\"input_tokens\")"),
        _ => (true, ""),
    };
    if fits { Ok(text.to_owned()) } else { Err(format!("emitted what is {what}: {text}")) }
}

fn usage(usage: &Usage) -> String {
    let mut shown = Body::new();
    for (class, count) in &usage.amounts {
        shown.set(class.as_str(), count);
    }
    if usage.estimated {
        shown.set("estimated", true);
    }
    shown.to_string()
}

fn fault(fault: &Fault) -> String {
    let mut shown = Body::new();
    shown.set("code", fault.code.as_str());
    shown.set("status", fault.status);
    if let Some(ms) = fault.retry_after_ms {
        shown.set("retry_after_ms", ms);
    }
    if let Some(until) = fault.until {
        shown.set("until", until);
    }
    if let Some(param) = &fault.param {
        shown.set("param", param);
    }
    shown.set("message", &fault.message);
    if !fault.vendor.is_empty() {
        shown.set("vendor", &fault.vendor);
    }
    shown.to_string()
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> String {
    let mut shown = Body::new();
    for (name, value) in fields {
        shown.set(name, value);
    }
    shown.to_string()
}
