//! Tools and the choice among them.

use std::borrow::Cow;

use serde_json::{Map, Value};
use witgate_sdk::{Body, Fault};

use super::field;
use crate::ability::Ability;
use crate::fault::refused;
use crate::lost::Lost;
use crate::names::Names;
use crate::schema;
use crate::wire::ask::{Choice, Schema, Tool};
use crate::wire::canonical;

/// What the model may call.
#[derive(Default)]
pub(crate) struct Tools<'a> {
    pub(crate) tools: Vec<Tool<'a>>,
    pub(crate) choice: Option<Choice<'a>>,
}

/// Reads `tools`, `tool_choice`, `parallel_tool_calls` and `web_search_options`. `called`: the tools that the conversation has calls of.
pub(crate) fn read<'a>(
    body: &'a Body,
    called: &[Cow<'a, str>],
    able: Ability,
    names: &mut Names,
    lost: &mut Lost,
) -> Result<Tools<'a>, Fault> {
    if body.raw("functions").is_some_and(|raw| raw != "null") {
        return Err(refused("functions", "is not supported, use `tools`"));
    }
    let asked: Vec<canonical::Tool<'a>> = field(body, "tools")?.unwrap_or_default();
    let mut tools = Vec::with_capacity(asked.len());
    for (at, tool) in asked.into_iter().enumerate() {
        tools.push(offer(tool, able, names, lost).map_err(|what| refused(format!("tools[{at}]"), what))?);
    }
    let mut choice = match field::<Value>(body, "tool_choice")? {
        Some(asked) => Some(chosen(&asked, names).map_err(|what| refused("tool_choice", what))?),
        None => None,
    };
    tools.extend(web_search(body, lost)?);
    if tools.is_empty() {
        if choice.as_ref().is_some_and(Choice::is_forced) {
            return Err(refused("tool_choice", "asks for a tool, but `tools` is empty"));
        }
        return Ok(from_history(called));
    }
    if field(body, "parallel_tool_calls")? == Some(false) {
        let choice = choice.get_or_insert(Choice { r#type: "auto", name: None, disable_parallel_tool_use: false });
        choice.disable_parallel_tool_use = choice.r#type != "none";
    }
    Ok(Tools { tools, choice })
}

fn offer<'a>(tool: canonical::Tool<'a>, able: Ability, names: &mut Names, lost: &mut Lost) -> Result<Tool<'a>, String> {
    if let Some(kind) = tool.r#type.filter(|kind| kind != "function") {
        return Err(format!("tools of the type `{kind}` are not supported"));
    }
    let function = tool.function.ok_or("`function` is missing")?;
    let mut strict = function.strict.unwrap_or(false);
    if strict && !able.formats {
        strict = false;
        lost.add("tools.function.strict", "the model does not hold itself to a schema");
    }
    let input_schema = match function.parameters {
        None => Schema::EMPTY,
        Some(own) if strict => Schema::Mended(schema::mended(own.get(), lost, "tools.function.parameters")?),
        Some(own) => schema::of_object(own)?.map_or(Schema::Own(own), Schema::Mended),
    };
    Ok(Tool::Function {
        name: names.fit(function.name),
        description: function.description,
        input_schema,
        strict,
        cache_control: tool.cache_control.or(function.cache_control),
    })
}

fn chosen<'a>(asked: &Value, names: &mut Names) -> Result<Choice<'a>, String> {
    let plain = |r#type| Choice { r#type, name: None, disable_parallel_tool_use: false };
    match asked.as_str() {
        Some("auto") => return Ok(plain("auto")),
        Some("required") => return Ok(plain("any")),
        Some("none") => return Ok(plain("none")),
        Some(other) => return Err(format!("`{other}` is not supported: auto, required, none and a function are")),
        None => {}
    }
    let name = asked.pointer("/function/name").and_then(Value::as_str);
    match name {
        Some(name) => Ok(Choice { name: Some(names.fit(name.to_owned().into())), ..plain("tool") }),
        None => Err("only auto, required, none and a named function are supported".to_owned()),
    }
}

/// OpenAI's own web search as the vendor's.
fn web_search<'a>(body: &Body, lost: &mut Lost) -> Result<Option<Tool<'a>>, Fault> {
    let Some(asked) = field::<Value>(body, "web_search_options")? else { return Ok(None) };
    if asked.get("search_context_size").is_some_and(|size| size != "medium") {
        lost.add("web_search_options.search_context_size", "the vendor decides how much it reads");
    }
    let user_location = asked.pointer("/user_location/approximate").and_then(Value::as_object).map(|place| {
        let mut location = Map::from_iter([("type".to_owned(), Value::from("approximate"))]);
        location.extend(place.clone());
        Value::Object(location)
    });
    Ok(Some(Tool::WebSearch { r#type: "web_search_20250305", name: "web_search", user_location }))
}

/// A history with tool calls, and no tools: the vendor wants them declared. The model may call none of them, as the client asked.
fn from_history<'a>(called: &[Cow<'a, str>]) -> Tools<'a> {
    let tool = |name: &Cow<'a, str>| Tool::Function {
        name: name.clone(),
        description: None,
        input_schema: Schema::EMPTY,
        strict: false,
        cache_control: None,
    };
    let none = Choice { r#type: "none", name: None, disable_parallel_tool_use: false };
    Tools { tools: called.iter().map(tool).collect(), choice: (!called.is_empty()).then_some(none) }
}
