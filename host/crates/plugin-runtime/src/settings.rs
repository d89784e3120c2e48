//! The settings of a channel: the schema that a catalog declares for them, compiled once, and what it says about a given object.

use domain::{ProviderError, SecretSpec};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Value, json};

use crate::descriptor::At;

/// Words that name a credential. A setting called like that is a secret in the wrong place: settings are shown and logged.
const SECRET_WORDS: [&str; 4] = ["key", "secret", "token", "password"];

/// Bytes of a schema. The longest forms have a few dozen fields.
const SCHEMA_MAX: usize = 64 << 10;
/// Patterns of a schema, and bytes of memory that each may take: a short one can stand for a machine of megabytes.
const PATTERNS_MAX: usize = 100;
const PATTERN_BYTES_MAX: usize = 256 << 10;
/// Keywords that lead elsewhere. A few of them can ask for more checks than there is time, or for one without end.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// What the schema says about a name, when its value is to be a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// There is no such setting.
    Absent,
    /// There is one, which may be something else than a text.
    Other,
    /// There is one.
    Setting {
        /// Its value unless the channel has another.
        default: Option<&'a str>,
    },
}

/// The compiled schema of one provider's settings.
pub(crate) struct Settings {
    schema: Value,
    validator: Validator,
}

impl Settings {
    /// Compiles the schema; without one, a channel has no settings.
    pub(crate) fn compile(schema: Option<&At<'_>>, secrets: &[SecretSpec]) -> Result<Settings, ProviderError> {
        let nothing = json!({ "type": "object", "additionalProperties": false });
        let nothing_at = At::root(&nothing);
        let at = schema.unwrap_or(&nothing_at);
        if at.value().get("type").and_then(Value::as_str) != Some("object") {
            return Err(at.wrong("must be a JSON Schema with `\"type\": \"object\"`"));
        }
        if at.value().to_string().len() > SCHEMA_MAX {
            return Err(at.wrong(format!("a schema of settings has at most {SCHEMA_MAX} bytes")));
        }
        refuse_bombs(at, &mut 0)?;
        refuse_secrets(at, secrets)?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            // Patterns come from a plugin: only an engine without backtracking may run them.
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .build(at.value())
            .map_err(|error| at.wrong(format!("is not a usable JSON Schema: {error}")))?;
        let settings = Settings { schema: at.value().clone(), validator };
        Ok(settings)
    }

    /// The schema as text.
    pub(crate) fn schema(&self) -> String {
        self.schema.to_string()
    }

    /// The setting of this name as a text.
    pub(crate) fn text(&self, name: &str) -> Text<'_> {
        let Some(property) = self.schema.get("properties").and_then(|properties| properties.get(name)) else {
            return Text::Absent;
        };
        let texts = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let is_text = match property.get("type") {
            Some(kind) => kind == "string",
            None => property.get("enum").is_some_and(texts),
        };
        match property.get("default") {
            _ if !is_text => Text::Other,
            Some(Value::String(default)) => Text::Setting { default: Some(default) },
            Some(_) => Text::Other,
            None => Text::Setting { default: None },
        }
    }

    /// The settings with defaults filled in, or everything that is wrong with them.
    pub(crate) fn check(&self, settings: &str) -> Result<String, Vec<String>> {
        let mut settings: Value =
            serde_json::from_str(settings).map_err(|error| vec![format!("settings are not JSON: {error}")])?;
        fill(&self.schema, &mut settings);
        let problems: Vec<String> = self
            .validator
            .iter_errors(&settings)
            .map(|error| {
                let path = error.instance_path().to_string();
                let field = path.trim_start_matches('/').replace('/', ".");
                if field.is_empty() { format!("settings: {error}") } else { format!("setting `{field}`: {error}") }
            })
            .collect();
        if problems.is_empty() { Ok(settings.to_string()) } else { Err(problems) }
    }
}

/// Fills in the schema's defaults, also inside objects that are there.
fn fill(schema: &Value, settings: &mut Value) {
    let (Some(properties), Some(settings)) =
        (schema.get("properties").and_then(Value::as_object), settings.as_object_mut())
    else {
        return;
    };
    for (name, property) in properties {
        if let Some(default) = property.get("default")
            && !settings.contains_key(name)
        {
            settings.insert(name.clone(), default.clone());
        }
        if let Some(value) = settings.get_mut(name) {
            fill(property, value);
        }
    }
}

/// Whoever checks settings must come to an end, whatever the schema says.
fn refuse_bombs(at: &At<'_>, patterns: &mut usize) -> Result<(), ProviderError> {
    match at.value() {
        Value::Object(_) => {
            for (name, member) in at.members()? {
                if REFERENCES.contains(&name) {
                    return Err(member.wrong(format!("`{name}` is not offered here; write the schema out")));
                }
                *patterns += match name {
                    "pattern" => 1,
                    "patternProperties" => member.value().as_object().map_or(1, serde_json::Map::len),
                    _ => 0,
                };
                if *patterns > PATTERNS_MAX {
                    return Err(member.wrong(format!("settings have at most {PATTERNS_MAX} patterns")));
                }
                refuse_bombs(&member, patterns)?;
            }
            Ok(())
        }
        Value::Array(_) => at.items()?.iter().try_for_each(|item| refuse_bombs(item, patterns)),
        _ => Ok(()),
    }
}

/// Looks at every `properties` object of the schema, however deep.
fn refuse_secrets(at: &At<'_>, secrets: &[SecretSpec]) -> Result<(), ProviderError> {
    match at.value() {
        Value::Object(_) => {
            for (name, member) in at.members()? {
                if name == "properties" && member.value().is_object() {
                    for (property, place) in member.members()? {
                        if names_a_secret(property) || secrets.iter().any(|secret| is_called(secret, property)) {
                            return Err(place.wrong("names a secret; declare it in `secrets`"));
                        }
                    }
                }
                refuse_secrets(&member, secrets)?;
            }
        }
        Value::Array(_) => {
            for item in at.items()? {
                refuse_secrets(&item, secrets)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether a secret or a secret part of it has this name.
fn is_called(secret: &SecretSpec, name: &str) -> bool {
    let mut parts = secret.split.iter().flat_map(|split| &split.parts);
    secret.name == name || parts.any(|part| !part.public && part.name == name)
}

/// Whether one of a name's words (`api_key`, `api-key`, `apiKey`) is a word for a credential.
fn names_a_secret(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for letter in name.chars() {
        let starts = letter.is_uppercase() && lower_before;
        if !letter.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        lower_before = letter.is_lowercase() || letter.is_numeric();
    }
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Vec<SecretSpec> {
        vec![SecretSpec {
            name: "pin".to_owned(),
            title: "Pin".to_owned(),
            required: true,
            split: None,
            example: String::new(),
        }]
    }

    fn compile(schema: &Value) -> Result<Settings, ProviderError> {
        Settings::compile(Some(&At::root(schema)), &secrets())
    }

    #[test]
    fn defaults_are_filled_in_and_problems_name_the_field() {
        let settings = compile(&json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["region"],
            "properties": {
                "region": { "enum": ["eu", "us"] },
                "version": { "type": "string", "default": "2024-10-21" },
                "limits": { "type": "object", "properties": { "depth": { "type": "integer", "default": 3 } } },
            }
        }))
        .unwrap();
        let filled = settings.check(r#"{"region": "eu", "limits": {}}"#).unwrap();
        let expected = json!({ "region": "eu", "version": "2024-10-21", "limits": { "depth": 3 } });
        assert_eq!(serde_json::from_str::<Value>(&filled).unwrap(), expected);
        for (given, named) in [
            ("{}", "region"),
            (r#"{"region": "moon"}"#, "setting `region`"),
            (r#"{"region": "eu", "limits": {"depth": "x"}}"#, "setting `limits.depth`"),
            (r#"{"region": "eu", "colour": 1}"#, "colour"),
            ("[]", "object"),
            ("{", "not JSON"),
        ] {
            let problems = settings.check(given).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(named)), "{given}: {problems:?}");
        }
    }

    #[test]
    fn without_a_schema_there_are_no_settings() {
        let settings = Settings::compile(None, &[]).unwrap();
        assert_eq!(settings.check("{}").unwrap(), "{}");
        assert!(settings.check(r#"{"a": 1}"#).unwrap_err()[0].contains('a'));
    }

    #[test]
    fn a_schema_must_be_usable_and_free_of_secrets() {
        for (schema, pointer) in [
            (json!({ "type": "string" }), ""),
            (json!(true), ""),
            (json!({ "type": "object", "properties": { "a": { "type": "nonsense" } } }), ""),
            (
                json!({ "type": "object", "properties": { "a": { "$ref": "https://schema.test/x" } } }),
                "/properties/a/$ref",
            ),
            (json!({ "type": "object", "$defs": { "a": { "$ref": "#/$defs/a" } } }), "/$defs/a/$ref"),
            (json!({ "type": "object", "properties": { "a": { "pattern": "(\\w{500}){500}" } } }), ""),
            (json!({ "type": "object", "title": "x".repeat(SCHEMA_MAX) }), ""),
            (json!({ "type": "object", "properties": { "api_key": {} } }), "/properties/api_key"),
            (json!({ "type": "object", "properties": { "accessToken": {} } }), "/properties/accessToken"),
            (json!({ "type": "object", "properties": { "pin": {} } }), "/properties/pin"),
            (
                json!({ "type": "object", "properties": { "a": { "oneOf": [{ "properties": { "password": {} } }] } } }),
                "/properties/a/oneOf/0/properties/password",
            ),
        ] {
            match compile(&schema) {
                Err(error) => assert_eq!(error.pointer, pointer, "{schema}"),
                Ok(_) => panic!("{schema} was accepted"),
            }
        }
        let harmless = ["max_tokens", "keyword", "tokenizer", "monkey", "keepAlive"];
        let properties: serde_json::Map<_, _> = harmless.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        assert!(compile(&json!({ "type": "object", "properties": properties })).is_ok());
    }

    #[test]
    fn patterns_are_counted() {
        let with = |count: usize| {
            let patterns: serde_json::Map<_, _> = (0..count).map(|n| (format!("^{n}"), json!({}))).collect();
            compile(&json!({ "type": "object", "patternProperties": patterns }))
        };
        assert!(with(PATTERNS_MAX).is_ok());
        assert!(with(PATTERNS_MAX + 1).is_err());
    }

    #[test]
    fn a_pattern_cannot_take_exponential_time() {
        let settings = compile(&json!({ "type": "object", "properties": { "a": { "pattern": "^(a+)+$" } } })).unwrap();
        let long = json!({ "a": format!("{}!", "a".repeat(50_000)) }).to_string();
        assert!(settings.check(&long).is_err());
    }
}
