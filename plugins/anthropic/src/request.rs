//! The request to the vendor: the client's canonical body, field by field. What has no place is refused or told as lost, never dropped in
//! silence.

mod format;
mod parts;
mod sampling;
mod thinking;
mod tools;
mod turns;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use witgate_sdk::{Body, Call, Fault, Out};

use crate::ability;
use crate::fault::{refused, unread};
use crate::lost::Lost;
use crate::names::Names;
use crate::settings::Settings;
use crate::wire::ask::{Ask, Block, Choice, Content, Metadata, OutputConfig};
use crate::wire::canonical::Said;

/// An answer that may grow beyond this is streamed, even for a client that waits for all of it: the vendor gives up on silent ones after ten
/// minutes. The host puts it together.
const LONG: u32 = 21_333;

/// Fields that other modules read, that the host reads, or that say nothing the vendor could do differently.
const READ: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "user",
    "safety_identifier",
    "metadata",
    "service_tier",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "web_search_options",
    "response_format",
    "reasoning_effort",
    "thinking",
    "temperature",
    "top_p",
    "top_k",
    "cache_control",
    "context_management",
    "functions",
    "function_call",
    "n",
    "logprobs",
    "modalities",
    "audio",
];

/// The vendor's body, and what the answer has to be read with.
pub(crate) struct Built {
    pub(crate) json: String,
    pub(crate) streaming: bool,
    /// The beta features that it needs.
    pub(crate) betas: Vec<&'static str>,
    pub(crate) names: Names,
    /// The name of the tool whose input is the answer.
    pub(crate) answer_tool: Option<&'static str>,
}

/// The body of `/v1/messages`.
pub(crate) fn message(call: &Call, settings: &Settings, out: &mut Out) -> Result<Built, Fault> {
    let mut lost = Lost::default();
    let mut names = Names::default();
    let (mut ask, answer_tool) = ask(call, settings, &mut names, &mut lost)?;
    lost.report(out);
    ask.stream = call.streaming || ask.max_tokens.is_some_and(|limit| limit > LONG);
    let (json, streaming, betas) = (written(&ask)?, ask.stream, betas(&ask));
    Ok(Built { json, streaming, betas, names, answer_tool })
}

/// The body of `/v1/messages/count_tokens`: what is counted, without how the answer is made.
pub(crate) fn count(call: &Call, settings: &Settings) -> Result<String, Fault> {
    let (ask, _) = ask(call, settings, &mut Names::default(), &mut Lost::default())?;
    let Ask { model, system, messages, tools, tool_choice, thinking, output_config, cache_control, .. } = ask;
    let ask =
        Ask { model, system, messages, tools, tool_choice, thinking, output_config, cache_control, ..Ask::default() };
    written(&ask)
}

/// Context management is a beta feature, and compaction among its edits one more.
fn betas(ask: &Ask<'_>) -> Vec<&'static str> {
    let Some(edits) = ask.context_management else { return Vec::new() };
    let compaction = edits.get().contains("compact_20260112").then_some("compact-2026-01-12");
    ["context-management-2025-06-27"].into_iter().chain(compaction).collect()
}

fn written(ask: &Ask<'_>) -> Result<String, Fault> {
    serde_json::to_string(ask).map_err(|error| Fault::adapter_broken(format!("the request cannot be written: {error}")))
}

fn ask<'a>(
    call: &'a Call,
    settings: &Settings,
    names: &mut Names,
    lost: &mut Lost,
) -> Result<(Ask<'a>, Option<&'static str>), Fault> {
    let (body, able) = (&call.body, ability::of(&call.model));
    refuse(body)?;
    let limit = field(body, "max_completion_tokens")?.or(field(body, "max_tokens")?);
    let max_tokens = limit.or(settings.output_limit).unwrap_or(able.output);

    let said: Vec<Said<'a>> = field(body, "messages")?.unwrap_or_default();
    let mut conversation = turns::Conversation::read(said, names, lost)?;
    let mut tools = tools::read(body, &conversation.called, able, names, lost)?;
    let form = format::read(body, able, &mut tools, lost)?;
    let around = thinking::Around {
        able,
        max_tokens,
        forced: tools.choice.as_ref().is_some_and(Choice::is_forced),
        unthought: conversation.unthought,
    };
    let plan = thinking::plan(body, settings.effort.as_deref(), around, lost)?;
    let sampling = sampling::read(body, able, settings.samples(), plan.thinks(), lost)?;
    let mut system = std::mem::take(&mut conversation.system);
    system.extend(form.instruction.map(Block::text));
    let prefills = able.prefills && !plan.thinks() && form.format.is_none();
    let ask = Ask {
        model: &call.model,
        max_tokens: Some(max_tokens),
        system: Content(system),
        messages: conversation.close(prefills, lost)?,
        tools: tools.tools,
        tool_choice: tools.choice,
        output_config: OutputConfig { effort: plan.effort, format: form.format },
        thinking: plan.thinking,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences: stop(body, lost)?,
        metadata: metadata(body, lost)?,
        service_tier: service_tier(body, lost)?,
        cache_control: field(body, "cache_control")?,
        context_management: field(body, "context_management")?,
        stream: false,
    };
    leftovers(body, lost);
    Ok((ask, form.answer_tool))
}

/// What a client would be misled about.
fn refuse(body: &Body) -> Result<(), Fault> {
    let no = |name: &'static str, what: &str| Err(refused(name, what));
    if field::<u32>(body, "n")?.is_some_and(|n| n != 1) {
        return no("n", "the vendor gives one choice; ask again for another");
    }
    if field::<bool>(body, "logprobs")? == Some(true) {
        return no("logprobs", "the vendor tells no probabilities");
    }
    if field::<Vec<String>>(body, "modalities")?.is_some_and(|kinds| kinds.iter().any(|kind| kind != "text")) {
        return no("modalities", "the model only writes text");
    }
    if field::<Value>(body, "audio")?.is_some() {
        return no("audio", "the model does not speak");
    }
    if field::<Value>(body, "function_call")?.is_some() {
        return no("function_call", "is not supported, use `tool_choice`");
    }
    Ok(())
}

fn stop<'a>(body: &'a Body, lost: &mut Lost) -> Result<Vec<Cow<'a, str>>, Fault> {
    let Some(raw) = body.raw("stop").filter(|raw| *raw != "null") else { return Ok(Vec::new()) };
    let mut stops: Vec<Cow<'a, str>> = match raw.starts_with('[') {
        true => field(body, "stop")?.unwrap_or_default(),
        false => field(body, "stop")?.into_iter().collect(),
    };
    let all = stops.len();
    stops.retain(|stop| !stop.trim().is_empty());
    if stops.len() < all {
        lost.add("stop", "the vendor does not stop at white space");
    }
    Ok(stops)
}

/// Who the client's user is, by the newest name for it.
fn metadata<'a>(body: &'a Body, lost: &mut Lost) -> Result<Option<Metadata<'a>>, Fault> {
    let mut user_id = field(body, "safety_identifier")?.or(field(body, "user")?);
    if let Some(mut own) = field::<Body>(body, "metadata")? {
        user_id = user_id.or(own.optional::<String>("user_id")?.map(Cow::Owned));
        own.remove("user_id");
        if !own.is_empty() {
            lost.add("metadata", "the vendor keeps no notes about requests");
        }
    }
    Ok(user_id.map(|user_id| Metadata { user_id }))
}

fn service_tier(body: &Body, lost: &mut Lost) -> Result<Option<&'static str>, Fault> {
    Ok(match field::<Cow<'_, str>>(body, "service_tier")?.as_deref() {
        None => None,
        Some("auto") => Some("auto"),
        Some("default" | "standard_only") => Some("standard_only"),
        Some(_) => {
            lost.add("service_tier", "the vendor has auto and default");
            None
        }
    })
}

/// Fields that nothing here reads.
fn leftovers(body: &Body, lost: &mut Lost) {
    for name in body.keys().filter(|name| !READ.contains(name)) {
        if matches!(body.raw(name), Some("null" | "false" | "0" | "0.0" | "{}" | "[]" | "\"\"") | None) {
            continue;
        }
        lost.add(name.to_owned(), "the vendor has no such field");
    }
}

/// A field of a body; absent and `null` are the same.
fn field<'a, T: Deserialize<'a>>(body: &'a Body, name: &'static str) -> Result<Option<T>, Fault> {
    let Some(raw) = body.raw(name) else { return Ok(None) };
    serde_json::from_str(raw).map_err(|error| unread(name, &error))
}
