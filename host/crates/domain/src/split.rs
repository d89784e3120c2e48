//! Composite keys: several values that an operator pastes as one text. The catalog says where the parts are and which of them are public.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::{Provider, Secret, SecretSpec};

/// How a composite key falls into parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySplit {
    /// What divides it.
    pub by: SplitBy,
    /// Its parts, in order.
    pub parts: Vec<KeyPart>,
}

/// What divides a composite key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitBy {
    /// A text between the parts. The last part keeps whatever more of it there is.
    Separator(String),
    /// It is a JSON object, the parts are values in it.
    Json,
}

/// A part of a composite key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// The name that the contract uses.
    pub name: String,
    /// JSON pointer to it; empty when the key is no JSON.
    pub pointer: String,
    /// Whether the adapter may read it: an access key's id, an account's address.
    pub public: bool,
    /// Whether the key may come without.
    pub optional: bool,
}

/// A channel's credentials with the composite ones in their parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitSecrets {
    /// Whole secrets, and the secret parts of composite ones, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Public parts by name, in the catalog's order.
    pub public: Vec<(String, String)>,
}

impl SplitSecrets {
    /// The public part of this name.
    pub fn public(&self, name: &str) -> Option<&str> {
        self.public.iter().find(|(part, _)| part == name).map(|(_, value)| value.as_str())
    }
}

/// A composite key that does not have the form that the catalog declares. Says nothing of what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitError {
    /// Name of the secret.
    pub secret: String,
    /// What it must look like.
    pub expected: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secret `{}` must be {}: {}", self.secret, self.expected, self.what)
    }
}

impl std::error::Error for SplitError {}

/// Takes a channel's composite keys apart.
///
/// # Errors
/// A key that does not have the declared form.
pub fn split_secrets(provider: &Provider, secrets: &BTreeMap<String, Secret>) -> Result<SplitSecrets, SplitError> {
    let mut all = SplitSecrets { secrets: secrets.clone(), public: Vec::new() };
    for spec in &provider.secrets {
        if let (Some(split), Some(secret)) = (&spec.split, secrets.get(&spec.name)) {
            for (part, value) in split_secret(spec, split, secret)? {
                if part.public {
                    all.public.push((part.name.clone(), value));
                } else {
                    all.secrets.insert(part.name.clone(), Secret::new(&value));
                }
            }
        }
    }
    Ok(all)
}

/// Takes one composite key apart: the parts that are there.
///
/// # Errors
/// The key does not have the declared form.
pub fn split_secret<'a>(
    spec: &SecretSpec,
    split: &'a KeySplit,
    secret: &Secret,
) -> Result<Vec<(&'a KeyPart, String)>, SplitError> {
    let wrong = |what: String| SplitError { secret: spec.name.clone(), expected: expected(spec, split), what };
    let values = match &split.by {
        SplitBy::Separator(separator) => between(secret.expose(), separator, split.parts.len()),
        SplitBy::Json => pointed(secret.expose(), &split.parts).map_err(wrong)?,
    };
    let mut parts = Vec::new();
    for (part, value) in split.parts.iter().zip(values) {
        match value {
            Some(value) => parts.push((part, value)),
            None if part.optional => {}
            None => return Err(wrong(format!("{} is missing in it", place(part)))),
        }
    }
    Ok(parts)
}

/// What of composite keys an adapter of this catalog reads. Each says where in the key it is, not how it is called, because that is what an
/// operator approves: a newer catalog that calls another piece of a key by an old name asks for more.
pub fn readable_parts(provider: &Provider) -> Vec<String> {
    let parts = provider.secrets.iter().filter_map(|spec| Some((spec, spec.split.as_ref()?)));
    parts.flat_map(|(spec, split)| readable(&spec.name, split)).collect()
}

fn readable(secret: &str, split: &KeySplit) -> Vec<String> {
    let place = |(index, part): (usize, &KeyPart)| match &split.by {
        SplitBy::Separator(separator) => {
            format!("part {} of {} of `{secret}`, divided by `{separator}`", index + 1, split.parts.len())
        }
        SplitBy::Json => format!("`{}` of `{secret}`", part.pointer),
    };
    split.parts.iter().enumerate().filter(|(_, part)| part.public).map(place).collect()
}

fn between(text: &str, separator: &str, most: usize) -> Vec<Option<String>> {
    let mut values: Vec<_> = text.splitn(most, separator).map(|value| filled(value.trim())).collect();
    values.resize(most, None);
    values
}

fn pointed(text: &str, parts: &[KeyPart]) -> Result<Vec<Option<String>>, String> {
    // The parser's own words could repeat what they stumbled over.
    let whole: Value = serde_json::from_str(text).map_err(|_| "it is not JSON".to_owned())?;
    if !whole.is_object() {
        return Err("it is JSON, but no object".to_owned());
    }
    let value = |part: &KeyPart| match whole.pointer(&part.pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(filled(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(format!("{} is no text in it", place(part))),
    };
    parts.iter().map(value).collect()
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn place(part: &KeyPart) -> String {
    format!("`{}`", if part.pointer.is_empty() { &part.name } else { &part.pointer })
}

/// What the key must look like, in the catalog's words when it has some.
fn expected(spec: &SecretSpec, split: &KeySplit) -> String {
    match &split.by {
        _ if !spec.example.is_empty() => format!("`{}`", spec.example),
        SplitBy::Separator(separator) => {
            let names: Vec<_> = split.parts.iter().map(|part| part.name.to_ascii_uppercase()).collect();
            format!("`{}`", names.join(separator))
        }
        SplitBy::Json => {
            let needed: Vec<_> = split.parts.iter().filter(|part| !part.optional).map(place).collect();
            format!("a JSON object with {}", needed.join(" and "))
        }
    }
}

#[cfg(test)]
mod tests;
