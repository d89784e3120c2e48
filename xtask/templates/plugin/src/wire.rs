//! The vendor's JSON, as its documentation has it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use witgate_sdk::{Class, Fault, Usage};

/// What one side says.
#[derive(Serialize)]
pub(crate) struct Turn {
    /// `user` or `model`.
    pub(crate) by: &'static str,
    pub(crate) text: String,
}

/// A whole answer.
#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) text: String,
    #[serde(flatten)]
    pub(crate) end: End,
}

/// The stream's event `text`.
#[derive(Deserialize)]
pub(crate) struct More {
    pub(crate) text: String,
}

/// How an answer ends: part of a whole one, and the stream's event `done`.
#[derive(Deserialize)]
pub(crate) struct End {
    stopped: String,
    used: Used,
}

#[derive(Deserialize)]
struct Used {
    r#in: u32,
    out: u32,
    /// How many of `in` came from the vendor's cache.
    #[serde(default)]
    cached: u32,
}

impl End {
    /// The canonical finish reason.
    pub(crate) fn reason(&self) -> &'static str {
        match self.stopped.as_str() {
            "length" => "length",
            "filter" => "content_filter",
            _ => "stop",
        }
    }

    /// The counts in the contract's classes, which do not overlap.
    pub(crate) fn usage(&self) -> Usage {
        Usage::new().prompt(self.used.r#in, &[(Class::CachedRead, self.used.cached)]).output(self.used.out)
    }
}

/// Reads what the vendor sent.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Fault> {
    serde_json::from_str(json)
        .map_err(|error| Fault::upstream_broken(format!("the vendor's answer is not what it should be: {error}")))
}
