//! Reads the messages of a canonical chat request, for vendors whose own look different.
//!
//! A content is a text or a list of parts, a picture is a URL or a data URL, arguments are JSON in a text: here all of it has one shape
//! ([`Said`], [`Part`], [`Media`]), and [`Turns`] brings it into the order that a vendor insists on.

mod part;
mod turns;

pub use part::{Media, Part, parts, text};
pub use turns::{Side, Turn, Turns};

use crate::{Body, Fault, ToolCall};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The operator of the conversation: `system` and `developer`.
    System,
    /// `user`.
    User,
    /// The model: `assistant`.
    Assistant,
    /// A tool's result: `tool`, and `function` of old.
    Tool,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Who says it.
    pub role: Role,
    /// What is said. Empty for a message that only calls tools.
    pub parts: Vec<Part>,
    /// The tools that the model calls, `function_call` of old among them.
    pub tool_calls: Vec<ToolCall>,
    /// The call that a tool's result answers, or the function's name.
    pub tool_call_id: Option<String>,
    /// The name of the one who says it.
    pub name: Option<String>,
    /// What else is in the message: `reasoning_content`, `thinking_blocks`, `refusal`, `cache_control`.
    pub rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct Wire {
    role: String,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    tool_calls: Option<Vec<WireCall>>,
    #[serde(default)]
    function_call: Option<WireFunction>,
    #[serde(default)]
    tool_call_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct WireCall {
    #[serde(default)]
    id: String,
    function: Option<WireFunction>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
struct WireFunction {
    name: String,
    #[serde(default)]
    arguments: String,
}

/// The messages of a request.
///
/// # Errors
/// `invalid-request` that says which message is wrong, and how.
pub fn read(body: &Body) -> Result<Vec<Said>, Fault> {
    let messages: Vec<Body> = body.required("messages")?;
    let mut said = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let wrong = |what: String| {
            let field = format!("messages[{index}]");
            Fault::invalid_request(format!("`{field}`: {what}")).with_param(field)
        };
        let wire: Wire = serde_json::from_str(&message.to_json()).map_err(|error| wrong(error.to_string()))?;
        said.push(Said::read(wire).map_err(wrong)?);
    }
    Ok(said)
}

impl Said {
    fn read(wire: Wire) -> Result<Said, String> {
        let role = match wire.role.as_str() {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" | "function" => Role::Tool,
            other => return Err(format!("unknown role `{other}` (known: system, developer, user, assistant, tool)")),
        };
        let mut tool_calls = Vec::new();
        for call in wire.tool_calls.unwrap_or_default() {
            let Some(function) = call.function else { return Err("a tool call has no `function`".to_owned()) };
            let mut extra = call.extra;
            extra.remove("type");
            tool_calls.push(ToolCall { id: call.id, name: function.name, arguments: function.arguments, extra });
        }
        if let Some(WireFunction { name, arguments }) = wire.function_call {
            tool_calls.push(ToolCall { id: name.clone(), name, arguments, extra: Map::new() });
        }
        let is_result = role == Role::Tool;
        Ok(Said {
            role,
            parts: parts(&wire.content)?,
            tool_calls,
            tool_call_id: wire.tool_call_id.or_else(|| wire.name.clone().filter(|_| is_result)),
            name: wire.name,
            rest: wire.rest,
        })
    }

    /// All text of the message, joined.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Text { text, .. } = part { Some(text.as_str()) } else { None })
            .collect()
    }

    /// The reasoning that a client hands back, in whichever field it does.
    pub fn reasoning(&self) -> Option<&str> {
        ["reasoning_content", "reasoning"].iter().find_map(|name| self.rest.get(*name)?.as_str())
    }
}

/// Takes the system's messages out, wherever they stand, for vendors that have a field for them. Gives their texts and the others.
pub fn without_system(said: Vec<Said>) -> (Vec<String>, Vec<Said>) {
    let (system, others): (Vec<Said>, Vec<Said>) = said.into_iter().partition(|said| said.role == Role::System);
    (system.iter().map(Said::text).filter(|text| !text.is_empty()).collect(), others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn said(messages: &str) -> Result<Vec<Said>, Fault> {
        read(&Body::parse(&format!(r#"{{"messages":{messages}}}"#)).unwrap())
    }

    #[test]
    fn every_spelling_of_a_message_is_read() {
        let all = said(
            r#"[{"role":"developer","content":"be brief"},
            {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"ann"},
            {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[
                {"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"x":1}}]},
            {"role":"tool","tool_call_id":"1","content":"r"},
            {"role":"assistant","function_call":{"name":"g","arguments":"[]"}},
            {"role":"function","name":"g","content":"s"}]"#,
        )
        .unwrap();
        let (system, others) = without_system(all);
        assert_eq!(system, ["be brief"]);
        let [user, calling, result, old, old_result] = &others[..] else { panic!("{others:?}") };
        assert_eq!((user.role, user.text().as_str(), user.name.as_deref()), (Role::User, "ab", Some("ann")));
        assert_eq!((calling.parts.len(), calling.reasoning()), (0, Some("hm")));
        assert_eq!((calling.tool_calls[0].name.as_str(), calling.tool_calls[0].extra.len()), ("f", 1));
        assert_eq!((result.role, result.tool_call_id.as_deref()), (Role::Tool, Some("1")));
        assert_eq!((old.tool_calls[0].id.as_str(), old_result.tool_call_id.as_deref()), ("g", Some("g")));
    }

    #[test]
    fn a_wrong_message_is_named() {
        for (messages, what) in [
            (r#"[{"role":"user","content":"a"},{"role":"boss","content":"b"}]"#, "`messages[1]`: unknown role `boss`"),
            (r#"[{"content":"a"}]"#, "`messages[0]`: missing field `role`"),
            (r#"[{"role":"user","content":3}]"#, "`messages[0]`: `content` must be a text or a list of parts"),
            (r#"[{"role":"assistant","tool_calls":[{"id":"1"}]}]"#, "`messages[0]`: a tool call has no `function`"),
        ] {
            let fault = said(messages).unwrap_err();
            assert_eq!(fault.code, Code::InvalidRequest);
            assert!(fault.message.starts_with(what), "{messages}: {}", fault.message);
            assert!(fault.param.unwrap().starts_with("messages["));
        }
        assert_eq!(read(&Body::new()).unwrap_err().message, "`messages` is required");
    }
}
