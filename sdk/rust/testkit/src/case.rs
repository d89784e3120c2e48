//! A case as its files describe it.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use witgate_sdk::{Body, Call};

/// `case.json`. Everything but the provider and the model may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows, for readers.
    #[serde(default)]
    pub about: String,
    /// Which of the component's providers.
    pub provider: String,
    /// The vendor's name of the model.
    pub model: String,
    /// The client wants a stream; as the client's `stream` says when left out.
    pub streaming: Option<bool>,
    /// The channel's settings; `{}`.
    #[serde(default = "empty_object")]
    pub settings: serde_json::Value,
    /// Names of the secrets that are set.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Where endpoints lead.
    #[serde(default)]
    pub endpoints: BTreeMap<String, String>,
    /// The client's headers that an adapter may see.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Unix seconds.
    #[serde(default = "some_time")]
    pub now: u32,
    /// 32 hex digits.
    #[serde(default = "some_seed")]
    pub seed: String,
    /// What the vendor's answer is beside its body.
    #[serde(default)]
    pub answer: Answer,
    /// `client.json`.
    #[serde(skip)]
    pub client: String,
    /// The ending and the content of the `upstream-response` file.
    #[serde(skip)]
    pub response: Option<(String, String)>,
}

/// Status and headers of the vendor's answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// The HTTP status; 200.
    pub status: u16,
    /// Headers. The content type follows from the answer's file when it is left out.
    pub headers: BTreeMap<String, String>,
    /// A failure code of the contract (`reset`, `timeout-idle`...): the answer breaks off with it in place of its end. With `connect` and
    /// `timeout-first-byte` there is no answer.
    pub failure: Option<String>,
}

impl Default for Answer {
    fn default() -> Self {
        Answer { status: 200, headers: BTreeMap::new(), failure: None }
    }
}

fn empty_object() -> serde_json::Value {
    serde_json::json!({})
}

fn some_time() -> u32 {
    1_700_000_000
}

fn some_seed() -> String {
    "0123456789abcdef0123456789abcdef".to_owned()
}

impl Case {
    /// Reads a case's folder.
    ///
    /// # Errors
    /// What is missing or wrong in it, for people.
    pub fn load(folder: &Path) -> Result<Case, String> {
        let read = |name: &str| {
            std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name} cannot be read: {error}"))
        };
        let mut case: Case =
            serde_json::from_str(&read("case.json")?).map_err(|error| format!("case.json is wrong: {error}"))?;
        case.client = read("client.json")?;
        for ending in ["json", "sse", "ndjson", "txt"] {
            let name = format!("upstream-response.{ending}");
            if !folder.join(&name).exists() {
                continue;
            }
            if let Some((other, _)) = &case.response {
                return Err(format!("there are two answers, .{other} and .{ending}"));
            }
            case.response = Some((ending.to_owned(), read(&name)?));
        }
        Ok(case)
    }

    /// The call that the host would make of it.
    ///
    /// # Errors
    /// What is wrong with the client's request.
    pub fn call(&self) -> Result<Call, String> {
        let body = Body::parse(&self.client).map_err(|fault| format!("client.json is {}", fault.message))?;
        let stream = body.optional::<bool>("stream").map_err(|fault| format!("client.json: {}", fault.message))?;
        let pairs = |map: &BTreeMap<String, String>| map.clone().into_iter().collect();
        Ok(Call {
            operation: "chat".to_owned(),
            provider: self.provider.clone(),
            model: self.model.clone(),
            streaming: self.streaming.or(stream).unwrap_or(false),
            settings: self.settings.clone(),
            secrets: self.secrets.clone(),
            endpoints: pairs(&self.endpoints),
            dialect: "openai".to_owned(),
            headers: pairs(&self.headers),
            now: self.now,
            seed: self.seed.clone(),
            body,
            ..Call::default()
        })
    }
}
