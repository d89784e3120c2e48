//! The parts of a canonical request that the adapter reads.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A message of any role.
#[derive(Deserialize)]
pub(crate) struct Said<'a> {
    #[serde(borrow)]
    pub(crate) role: Cow<'a, str>,
    /// A text, a list of parts, or nothing.
    #[serde(borrow, default)]
    pub(crate) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow, default)]
    pub(crate) tool_call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) refusal: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) thinking_blocks: Option<Vec<Thought<'a>>>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) is_error: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) audio: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) function_call: Option<&'a RawValue>,
}

/// A part of a message's content.
#[derive(Deserialize)]
pub(crate) struct Part<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) image_url: Option<Image<'a>>,
    #[serde(borrow, default)]
    pub(crate) file: Option<File<'a>>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<&'a RawValue>,
}

/// An image, as OpenAI writes it or as a bare URL.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Image<'a> {
    Object {
        #[serde(borrow)]
        url: Cow<'a, str>,
        #[serde(borrow, default)]
        detail: Option<Cow<'a, str>>,
    },
    Url(#[serde(borrow)] Cow<'a, str>),
}

/// A file.
#[derive(Deserialize)]
pub(crate) struct File<'a> {
    #[serde(borrow, default)]
    pub(crate) file_data: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) filename: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) file_id: Option<Cow<'a, str>>,
}

/// What the model thought in an earlier turn.
#[derive(Deserialize)]
pub(crate) struct Thought<'a> {
    #[serde(borrow, default)]
    pub(crate) thinking: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) data: Option<Cow<'a, str>>,
}

/// A tool call of an earlier turn.
#[derive(Deserialize)]
pub(crate) struct ToolCall<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) function: Option<Called<'a>>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<&'a RawValue>,
}

/// The function of a tool call.
#[derive(Deserialize)]
pub(crate) struct Called<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) arguments: Option<Cow<'a, str>>,
}

/// A tool that is offered.
#[derive(Deserialize)]
pub(crate) struct Tool<'a> {
    #[serde(borrow, default)]
    pub(crate) r#type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) function: Option<Function<'a>>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<&'a RawValue>,
}

/// The function of a tool.
#[derive(Deserialize)]
pub(crate) struct Function<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) description: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) parameters: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) strict: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<&'a RawValue>,
}

/// `response_format`.
#[derive(Deserialize)]
pub(crate) struct Format<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) json_schema: Option<FormatSchema<'a>>,
}

/// `response_format.json_schema`.
#[derive(Deserialize)]
pub(crate) struct FormatSchema<'a> {
    #[serde(borrow, default)]
    pub(crate) description: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) schema: Option<&'a RawValue>,
}

/// `thinking`, which is not OpenAI's: clients that know the vendor send it as the vendor takes it.
#[derive(Deserialize)]
pub(crate) struct AskedThinking<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Cow<'a, str>,
    #[serde(default)]
    pub(crate) budget_tokens: Option<u32>,
}
