//! The vendor's answers: a whole message, the events of a streamed one, an error, a list of models, a count.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A whole message, or the beginning of a streamed one.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) content: Option<Vec<Block<'a>>>,
    #[serde(borrow)]
    pub(crate) stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) stop_details: Option<StopDetails<'a>>,
    #[serde(borrow)]
    pub(crate) usage: Option<&'a RawValue>,
}

/// An event of a stream, whatever its type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Event<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Option<Cow<'a, str>>,
    pub(crate) index: u32,
    #[serde(borrow)]
    pub(crate) message: Option<Message<'a>>,
    #[serde(borrow)]
    pub(crate) content_block: Option<Block<'a>>,
    #[serde(borrow)]
    pub(crate) delta: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(crate) usage: Option<&'a RawValue>,
}

/// A block of content, whatever its type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Block<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) thinking: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) signature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) input: Option<&'a RawValue>,
    pub(crate) citations: Option<Vec<Citation>>,
}

/// What is new in a block, or in the message.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Delta<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) thinking: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) signature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) partial_json: Option<Cow<'a, str>>,
    pub(crate) citation: Option<Citation>,
    #[serde(borrow)]
    pub(crate) stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) stop_details: Option<StopDetails<'a>>,
}

/// Where a text comes from. Only web pages have a place in a canonical answer.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Citation {
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
}

/// Why the model refused.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct StopDetails<'a> {
    #[serde(borrow)]
    pub(crate) explanation: Option<Cow<'a, str>>,
}

/// What was used. A streamed message reports it twice, and not always all of it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Counts {
    #[serde(deserialize_with = "count")]
    pub(crate) input_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    pub(crate) cache_creation_input_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    pub(crate) cache_read_input_tokens: Option<u32>,
    pub(crate) cache_creation: Option<Written>,
    #[serde(deserialize_with = "count")]
    pub(crate) output_tokens: Option<u32>,
    pub(crate) output_tokens_details: Option<OutputDetails>,
    pub(crate) iterations: Option<Vec<Iteration>>,
}

/// How long what was written to the cache is kept.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Written {
    #[serde(deserialize_with = "count")]
    pub(crate) ephemeral_1h_input_tokens: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct OutputDetails {
    #[serde(deserialize_with = "count")]
    pub(crate) thinking_tokens: Option<u32>,
}

/// One run of a model inside an answer. With them, the totals leave out some.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Iteration {
    pub(crate) r#type: String,
    #[serde(deserialize_with = "count")]
    pub(crate) input_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    pub(crate) output_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    pub(crate) cache_creation_input_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    pub(crate) cache_read_input_tokens: Option<u32>,
}

/// Some servers write counts as floats.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number: Option<f64> = Option::deserialize(deserializer)?;
    Ok(number.map(|number| number as u32)) // `as` saturates
}

/// A page of `/v1/models`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ModelPage {
    pub(crate) data: Vec<ModelEntry>,
    pub(crate) has_more: bool,
    pub(crate) last_id: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ModelEntry {
    pub(crate) id: String,
}

/// The answer of `/v1/messages/count_tokens`.
#[derive(Deserialize)]
pub(crate) struct Counted {
    pub(crate) input_tokens: u32,
}
