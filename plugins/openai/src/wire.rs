//! The parts of OpenAI's answers that the adapter looks at, borrowed from the text they came in. Everything else is passed on unread.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A whole answer or a chunk of a streamed one.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(borrow, default)]
    pub(crate) object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    pub(crate) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) x_groq: Option<Aside<'a>>,
}

/// What one vendor puts beside the choices.
#[derive(Deserialize)]
pub(crate) struct Aside<'a> {
    #[serde(borrow, default)]
    pub(crate) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
}

/// A choice: `delta` in a chunk, `message` in a whole answer, and some vendors send both.
#[derive(Deserialize)]
pub(crate) struct Choice<'a> {
    #[serde(borrow, default)]
    pub(crate) index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) delta: Option<Said<'a>>,
    #[serde(borrow, default)]
    pub(crate) message: Option<&'a RawValue>,
    /// Absent only when the whole member is; `null` is there.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) finish_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
}

impl Choice<'_> {
    /// Which of the choices it is.
    pub(crate) fn index(&self) -> u32 {
        self.index.and_then(|raw| raw.get().parse().ok()).unwrap_or(0)
    }
}

/// A member that is there, `null` or not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What is said in a delta or a message.
#[derive(Deserialize)]
pub(crate) struct Said<'a> {
    #[serde(borrow, default)]
    pub(crate) role: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) tool_calls: Option<&'a RawValue>,
}

/// A tool call, or a piece of one.
#[derive(Deserialize)]
pub(crate) struct ToolCall<'a> {
    #[serde(default)]
    pub(crate) index: Option<u32>,
    #[serde(borrow, default)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) r#type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) function: Option<Function<'a>>,
}

/// The function of a tool call.
#[derive(Deserialize)]
pub(crate) struct Function<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) arguments: Option<&'a RawValue>,
}

/// Whether a value is there and says something: not `""` and not `{}`.
pub(crate) fn says(value: Option<&RawValue>) -> bool {
    value.is_some_and(|raw| !matches!(raw.get(), "\"\"" | "{}" | "false"))
}
