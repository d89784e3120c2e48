//! The vendor's request.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The body of `/v1/messages`, and of `/v1/messages/count_tokens` with fewer members.
#[derive(Default, Serialize)]
pub(crate) struct Ask<'a> {
    pub(crate) model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Content::is_empty")]
    pub(crate) system: Content<'a>,
    pub(crate) messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thinking: Option<Thinking<'a>>,
    #[serde(skip_serializing_if = "OutputConfig::is_empty")]
    pub(crate) output_config: OutputConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_k: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stop_sequences: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context_management: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream: bool,
}

#[derive(Serialize)]
pub(crate) struct Metadata<'a> {
    pub(crate) user_id: Cow<'a, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    User,
    Assistant,
}

#[derive(Serialize)]
pub(crate) struct Turn<'a> {
    pub(crate) role: Role,
    pub(crate) content: Content<'a>,
}

/// Blocks; a single plain text is written as a string.
#[derive(Default)]
pub(crate) struct Content<'a>(pub(crate) Vec<Block<'a>>);

impl Content<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [Block::Text { text, cache_control: None }] => text.serialize(serializer),
            blocks => blocks.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block<'a> {
    Text {
        text: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
    },
    Thinking {
        thinking: Cow<'a, str>,
        signature: Cow<'a, str>,
    },
    RedactedThinking {
        data: Cow<'a, str>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: Cow<'a, str>,
        input: Box<RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Content::is_empty")]
        content: Content<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
    },
}

impl<'a> Block<'a> {
    /// A text of the adapter's own.
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Block::Text { text: Text::Own(text.into()), cache_control: None }
    }

    /// Marks the block as the end of what is to be cached, unless it is marked already.
    pub(crate) fn mark(&mut self, mark: Option<&'a RawValue>) {
        match self {
            Block::Text { cache_control, .. }
            | Block::Image { cache_control, .. }
            | Block::Document { cache_control, .. }
            | Block::ToolUse { cache_control, .. }
            | Block::ToolResult { cache_control, .. } => *cache_control = cache_control.or(mark),
            Block::Thinking { .. } | Block::RedactedThinking { .. } => {}
        }
    }
}

/// A text. The client's is passed on as it is written, escapes and all: prompts are long, and neither read nor written again.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Text<'a> {
    Written(&'a RawValue),
    Own(Cow<'a, str>),
}

impl Text<'_> {
    /// Whether there is nothing but white space in it.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Text::Own(text) => text.trim().is_empty(),
            Text::Written(raw) => {
                let mut rest = raw.get().trim_matches('"').chars();
                while let Some(letter) = rest.next() {
                    let blank =
                        letter.is_whitespace() || (letter == '\\' && matches!(rest.next(), Some('n' | 't' | 'r')));
                    if !blank {
                        return false;
                    }
                }
                true
            }
        }
    }

    /// Takes white space off the end.
    pub(crate) fn trim_end(&mut self) {
        let text = match self {
            Text::Own(text) => std::mem::take(text).into_owned(),
            Text::Written(raw) => serde_json::from_str(raw.get()).unwrap_or_default(),
        };
        *self = Text::Own(text.trim_end().to_owned().into());
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Source<'a> {
    Base64 { media_type: &'static str, data: String },
    Text { media_type: &'static str, data: String },
    Url { url: Cow<'a, str> },
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Tool<'a> {
    Function {
        name: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<Cow<'a, str>>,
        input_schema: Schema<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        strict: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
    },
    WebSearch {
        r#type: &'static str,
        name: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_location: Option<serde_json::Value>,
    },
}

/// A JSON schema: as the client wrote it, or mended.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Schema<'a> {
    Own(&'a RawValue),
    Mended(Box<RawValue>),
    Empty { r#type: &'static str, properties: Nothing },
}

/// `{}`.
#[derive(Serialize)]
pub(crate) struct Nothing {}

impl Schema<'_> {
    /// Of an object without members.
    pub(crate) const EMPTY: Schema<'static> = Schema::Empty { r#type: "object", properties: Nothing {} };
}

#[derive(Serialize)]
pub(crate) struct Choice<'a> {
    pub(crate) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disable_parallel_tool_use: bool,
}

impl Choice<'_> {
    /// Whether a tool must be used.
    pub(crate) fn is_forced(&self) -> bool {
        matches!(self.r#type, "any" | "tool")
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Thinking<'a> {
    Adaptive {
        display: &'static str,
    },
    Enabled {
        budget_tokens: u32,
    },
    Disabled,
    /// As the client wrote it.
    #[serde(untagged)]
    Own(&'a RawValue),
}

#[derive(Default, Serialize)]
pub(crate) struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<OutputFormat>,
}

impl OutputConfig {
    pub(crate) fn is_empty(&self) -> bool {
        self.effort.is_none() && self.format.is_none()
    }
}

#[derive(Serialize)]
pub(crate) struct OutputFormat {
    pub(crate) r#type: &'static str,
    pub(crate) schema: Box<RawValue>,
}
