//! Embeddings in their canonical form: the inputs of a request, and the list that answers it.

use crate::{Body, Fault, body::push_text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt::Write as _;

/// One thing to embed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum EmbeddingInput {
    /// A text.
    Text(String),
    /// The tokens of a text, by OpenAI's numbers.
    Tokens(Vec<u32>),
}

impl EmbeddingInput {
    /// The text.
    ///
    /// # Errors
    /// `invalid-request` for tokens, whose numbers mean something else to every other vendor.
    pub fn text(&self) -> Result<&str, Fault> {
        match self {
            EmbeddingInput::Text(text) => Ok(text),
            EmbeddingInput::Tokens(_) => Err(Fault::invalid_request(
                "`input` holds token numbers, which mean nothing to this vendor; send texts",
            )
            .with_param("input")),
        }
    }
}

/// The inputs of a request, whichever of its four shapes `input` has.
///
/// # Errors
/// `invalid-request` when it has none of them.
pub fn embedding_inputs(body: &Body) -> Result<Vec<EmbeddingInput>, Fault> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Inputs {
        One(EmbeddingInput),
        Many(Vec<EmbeddingInput>),
    }
    let shape = "`input` must be a text, a list of texts, a list of tokens or a list of such lists";
    let inputs = match body.optional("input") {
        Ok(Some(inputs)) => inputs,
        Ok(None) => return Err(Fault::invalid_request("`input` is required").with_param("input")),
        Err(_) => return Err(Fault::invalid_request(shape).with_param("input")),
    };
    Ok(match inputs {
        Inputs::One(EmbeddingInput::Tokens(tokens)) if tokens.is_empty() => Vec::new(),
        Inputs::One(one) => vec![one],
        Inputs::Many(many) => many,
    })
}

/// A list of embeddings, for vendors that send another one. Vectors keep their digits.
#[derive(Clone, Debug, Default)]
pub struct EmbeddingList {
    data: String,
    count: usize,
}

impl EmbeddingList {
    /// None yet.
    pub fn new() -> EmbeddingList {
        EmbeddingList::default()
    }

    /// The embedding of the next input: a list of numbers, or their base64 as a JSON text.
    pub fn push(&mut self, vector: &RawValue) {
        let comma = if self.count == 0 { "" } else { "," };
        let _never_fails = write!(
            self.data,
            "{comma}{{\"object\":\"embedding\",\"index\":{},\"embedding\":{}}}",
            self.count,
            vector.get()
        );
        self.count += 1;
    }

    /// How many there are: one for every input, or the vendor broke off.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The whole answer, JSON. Usage is not in it: the host writes what [`Out::usage`](crate::Out::usage) was told.
    pub fn to_json(&self, model: &str) -> String {
        let mut out = format!("{{\"object\":\"list\",\"data\":[{}],\"model\":", self.data);
        push_text(&mut out, model);
        out.push('}');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(input: &str) -> Result<Vec<EmbeddingInput>, Fault> {
        embedding_inputs(&Body::parse(&format!(r#"{{"input":{input}}}"#)).unwrap())
    }

    #[test]
    fn every_shape_of_input_is_read() {
        let text = |text: &str| EmbeddingInput::Text(text.into());
        assert_eq!(inputs(r#""a""#).unwrap(), [text("a")]);
        assert_eq!(inputs(r#"["a","b"]"#).unwrap(), [text("a"), text("b")]);
        assert_eq!(inputs("[1,2]").unwrap(), [EmbeddingInput::Tokens(vec![1, 2])]);
        assert_eq!(inputs("[[1],[2]]").unwrap().len(), 2);
        assert_eq!(inputs("[]").unwrap(), []);
        assert!(inputs("[1]").unwrap()[0].text().unwrap_err().message.contains("token numbers"));
        for wrong in ["3", r#"["a",{}]"#, "null"] {
            assert_eq!(inputs(wrong).unwrap_err().param.as_deref(), Some("input"), "{wrong}");
        }
    }

    #[test]
    fn the_list_has_the_canonical_shape() {
        let mut list = EmbeddingList::new();
        for vector in ["[0.10,-1e-9]", "\"AACAPw==\""] {
            list.push(&RawValue::from_string(vector.to_owned()).unwrap());
        }
        assert_eq!(list.len(), 2);
        assert_eq!(
            list.to_json("m"),
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,-1e-9]},{"object":"embedding","index":1,"embedding":"AACAPw=="}],"model":"m"}"#
        );
    }
}
