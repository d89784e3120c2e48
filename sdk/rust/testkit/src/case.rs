//! A case as its files describe it.

use crate::Files;
use crate::files::text;
use serde::Deserialize;
use std::collections::BTreeMap;
use witgate_sdk::{Body, Call};

/// `case.json`. Everything but the source and the provider may be left out, and where there is a client the model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows, for readers.
    #[serde(default)]
    pub about: String,
    /// Where what is expected is documented: a page of the vendor and what to look for on it, or a rule of the contract. Never empty.
    #[serde(default)]
    pub source: String,
    /// Which of the component's providers.
    pub provider: String,
    /// The vendor's name of the model.
    #[serde(default)]
    pub model: String,
    /// The operation, where the capability has several: the grant's name, `balance`, `models`, `count-tokens`.
    pub operation: Option<String>,
    /// The client wants a stream; as the client's `stream` says when left out.
    pub streaming: Option<bool>,
    /// The channel's settings; `{}`.
    #[serde(default = "empty_object")]
    pub settings: serde_json::Value,
    /// The secrets that are set: names, or names with test values.
    #[serde(default)]
    pub secrets: Secrets,
    /// The public parts of composite keys.
    #[serde(default)]
    pub key_parts: BTreeMap<String, String>,
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
    /// The state that the exchange resumes.
    pub resume: Option<String>,
    /// What the vendor's first answer is beside its body.
    pub answer: Option<Answer>,
    /// The same for each answer in turn.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// The client leaves when the adapter has been told this many messages.
    pub client_leaves_after: Option<usize>,
    /// `chat`, `embeddings`, `grant` or `account`: the folder that the case is in.
    #[serde(skip)]
    pub capability: String,
    /// `client.json`.
    #[serde(skip)]
    pub client: Option<String>,
    /// Every file of the case.
    #[serde(skip)]
    pub files: Files,
}

/// Secrets by name. One that is only named has the value `{secret:NAME}`, so that it is seen where it goes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Listed")]
pub struct Secrets(pub BTreeMap<String, String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Names(Vec<String>),
    Values(BTreeMap<String, String>),
}

impl From<Listed> for Secrets {
    fn from(listed: Listed) -> Secrets {
        Secrets(match listed {
            // As the host takes them in: a key file's last newline is not part of the key.
            Listed::Values(values) => values.into_iter().map(|(name, value)| (name, value.trim().to_owned())).collect(),
            Listed::Names(names) => {
                names.into_iter().map(|name| (name.clone(), format!("{{secret:{name}}}"))).collect()
            }
        })
    }
}

/// Status and headers of one of the vendor's answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// The HTTP status; 200 (101 for a WebSocket).
    pub status: Option<u16>,
    /// Headers. The content type follows from the answer's file when it is left out.
    pub headers: BTreeMap<String, String>,
    /// A failure code of the contract (`reset`, `timeout-idle`...): the answer breaks off with it in place of its end. With `connect`,
    /// `timeout-first-byte` and `refused-by-host` there is no answer.
    pub failure: Option<String>,
    /// Nothing comes at all, not even a failure: only what else is outstanding happens.
    pub silent: bool,
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

/// What of a name comes before the number of the request: `upstream-request-2.json`.
const NUMBERED: [&str; 3] = ["upstream-request", "upstream-response", "fetch"];

impl Case {
    /// Reads a case's files. `capability` is the folder that the case is in.
    ///
    /// # Errors
    /// What is missing or wrong in it, for people.
    pub fn read(capability: &str, files: Files) -> Result<Case, String> {
        let known = text(&files, "case.json")?.ok_or("case.json is missing")?;
        let mut case: Case = serde_json::from_str(known).map_err(|error| format!("case.json is wrong: {error}"))?;
        capability.clone_into(&mut case.capability);
        case.client = text(&files, "client.json")?.map(str::to_owned);
        case.files = files;
        case.check()?;
        Ok(case)
    }

    fn check(&self) -> Result<(), String> {
        if self.source.trim().is_empty() {
            let what =
                "case.json needs a `source`: where the vendor says that it is so, or which rule of the contract does";
            return Err(what.to_owned());
        }
        let has_client = match (self.capability.as_str(), self.operation.as_deref()) {
            ("chat" | "embeddings", None) | ("account", Some("count-tokens")) => true,
            ("chat" | "embeddings", Some(_)) => {
                return Err("case.json has an `operation`; its folder says it".to_owned());
            }
            ("account", Some("balance" | "models")) | ("grant", Some(_)) => false,
            ("account", _) => return Err("case.json needs an `operation`: balance, models or count-tokens".to_owned()),
            ("grant", None) => return Err("case.json needs an `operation`: the name of the grant".to_owned()),
            (other, _) => {
                return Err(format!("`{other}` is no capability (known: chat, embeddings, grant, account)"));
            }
        };
        match &self.client {
            None if has_client => return Err("client.json is missing".to_owned()),
            Some(_) if !has_client => return Err("there is a client.json, but this operation has no client".to_owned()),
            _ => {}
        }
        if has_client && self.model.is_empty() {
            return Err("case.json needs a `model`".to_owned());
        }
        if self.answer.is_some() && !self.answers.is_empty() {
            return Err("case.json has both `answer` and `answers`".to_owned());
        }
        self.files.keys().try_for_each(|name| check_name(name))
    }

    /// What the vendor's `number`-th answer (from 1) is beside its body.
    pub fn answer(&self, number: usize) -> Answer {
        let first = self.answer.as_ref().filter(|_| number == 1);
        first.or_else(|| self.answers.get(number - 1)).cloned().unwrap_or_default()
    }

    /// As the catalog spells it.
    pub fn operation(&self) -> &str {
        self.operation.as_deref().unwrap_or(&self.capability)
    }

    /// The call that the host would make of it.
    ///
    /// # Errors
    /// What is wrong with the client's request.
    pub fn call(&self) -> Result<Call, String> {
        let body = match &self.client {
            Some(client) => Body::parse(client).map_err(|fault| format!("client.json is {}", fault.message))?,
            None => Body::new(),
        };
        let stream = body.optional::<bool>("stream").map_err(|fault| format!("client.json: {}", fault.message))?;
        let pairs = |map: &BTreeMap<String, String>| map.clone().into_iter().collect();
        Ok(Call {
            operation: self.operation().to_owned(),
            provider: self.provider.clone(),
            model: self.model.clone(),
            streaming: self.capability == "chat" && self.streaming.or(stream).unwrap_or(false),
            settings: self.settings.clone(),
            secrets: self.secrets.0.keys().cloned().collect(),
            key_parts: pairs(&self.key_parts),
            endpoints: pairs(&self.endpoints),
            dialect: "openai".to_owned(),
            headers: pairs(&self.headers),
            now: self.now,
            seed: self.seed.clone(),
            body,
            resume: self.resume.clone(),
            extras: Vec::new(),
        })
    }
}

/// A misspelled file would silently be none.
fn check_name(name: &str) -> Result<(), String> {
    if matches!(name, "case.json" | "client.json" | "effects.json" | "README.md") {
        return Ok(());
    }
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let kind = NUMBERED.into_iter().find(|kind| numbered(kind, stem).is_some());
    let fits = match kind {
        Some("upstream-request" | "fetch") => ending == "json",
        Some(_) => crate::answer::ENDINGS.contains(&ending),
        None => false,
    };
    if fits { Ok(()) } else { Err(format!("{name} is no file that a case has")) }
}

/// The number in a name: 1 for the plain one. A fetch always has one.
fn numbered(kind: &str, stem: &str) -> Option<usize> {
    match stem.strip_prefix(kind)? {
        "" if kind != "fetch" => Some(1),
        rest => {
            let number = rest.strip_prefix('-')?.parse().ok()?;
            (number >= if kind == "fetch" { 1 } else { 2 }).then_some(number)
        }
    }
}

/// The name of a file of the `number`-th request, without its ending.
pub(crate) fn name_of(kind: &str, number: usize) -> String {
    if number == 1 && kind != "fetch" { kind.to_owned() } else { format!("{kind}-{number}") }
}

/// The highest number that this kind of file has.
pub(crate) fn highest(files: &Files, kind: &str) -> usize {
    files.keys().filter_map(|name| numbered(kind, name.split('.').next()?)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(capability: &str, known: &str, others: &[&str]) -> Result<Case, String> {
        let mut files: Files = others.iter().map(|name| ((*name).to_owned(), b"{}".to_vec())).collect();
        files.insert("case.json".to_owned(), known.as_bytes().to_vec());
        Case::read(capability, files)
    }

    #[test]
    fn what_is_wrong_with_a_case_is_said() {
        for (capability, known, others, expected) in [
            ("chat", "{}", &["client.json"][..], "missing field `provider`"),
            ("chat", r#"{"source": "s", "provider": "p", "modle": "m"}"#, &["client.json"], "modle"),
            ("chat", r#"{"source": "s", "provider": "p"}"#, &["client.json"], "`model`"),
            ("chat", r#"{"source": "s", "provider": "p", "model": "m"}"#, &[], "client.json is missing"),
            (
                "chat",
                r#"{"source": "s", "provider": "p", "model": "m", "operation": "chat"}"#,
                &["client.json"],
                "operation",
            ),
            ("chat", r#"{"provider": "p", "model": "m"}"#, &["client.json"], "needs a `source`"),
            ("chat", r#"{"provider": "p", "model": "m", "source": " "}"#, &["client.json"], "needs a `source`"),
            (
                "chat",
                r#"{"source": "s", "provider": "p", "model": "m", "answer": {}, "answers": [{}]}"#,
                &["client.json"],
                "both",
            ),
            ("account", r#"{"source": "s", "provider": "p"}"#, &[], "balance"),
            ("account", r#"{"source": "s", "provider": "p", "operation": "balance"}"#, &["client.json"], "no client"),
            ("grant", r#"{"source": "s", "provider": "p"}"#, &[], "name of the grant"),
            ("chta", r#"{"source": "s", "provider": "p", "model": "m"}"#, &[], "no capability"),
            (
                "grant",
                r#"{"source": "s", "provider": "p", "operation": "a"}"#,
                &["upstream-request-1.json"],
                "upstream-request-1.json",
            ),
            (
                "grant",
                r#"{"source": "s", "provider": "p", "operation": "a"}"#,
                &["upstream-reponse.json"],
                "upstream-reponse.json",
            ),
            ("grant", r#"{"source": "s", "provider": "p", "operation": "a"}"#, &["fetch.json"], "fetch.json"),
        ] {
            let error = read(capability, known, others).unwrap_err();
            assert!(error.contains(expected), "{error} (expected {expected})");
        }
    }

    #[test]
    fn secrets_are_names_or_values() {
        let secrets = |known: &str| {
            let known = format!(r#"{{"source": "s", "provider": "p", "operation": "access", "secrets": {known}}}"#);
            let case = read("grant", &known, &["upstream-response-2.json", "fetch-1.json"]).unwrap();
            assert_eq!((case.operation(), case.call().unwrap().operation.as_str()), ("access", "access"));
            case.secrets.0.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(secrets(r#"["key"]"#), [("key".to_owned(), "{secret:key}".to_owned())]);
        assert_eq!(secrets(r#"{"key": "abc"}"#), [("key".to_owned(), "abc".to_owned())]);
    }
}
