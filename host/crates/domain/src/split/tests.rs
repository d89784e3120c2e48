//! Composite keys fall into the declared parts, and a refusal never shows one.

use std::collections::BTreeMap;

use super::{KeyPart, KeySplit, SplitBy, SplitError, SplitSecrets, readable_parts, split_secrets};
use crate::{EnvSpec, Provider, Secret, SecretSpec};

fn provider(split: KeySplit, example: &str) -> Provider {
    let secret = |name: &str, split| SecretSpec {
        name: name.into(),
        title: String::new(),
        required: true,
        split,
        example: example.into(),
    };
    Provider {
        id: "vendor".into(),
        title: String::new(),
        docs: String::new(),
        version: "1.0.0".into(),
        endpoints: vec![],
        secrets: vec![secret("key", Some(split)), secret("other", None)],
        placements: vec![],
        grants: vec![],
        settings_schema: "{}".into(),
        operations: vec![],
        models: vec![],
        env: EnvSpec::default(),
        whole_body: false,
        built_in: false,
        descriptor: "{}".into(),
    }
}

fn part(name: &str, pointer: &str, public: bool, optional: bool) -> KeyPart {
    KeyPart { name: name.into(), pointer: pointer.into(), public, optional }
}

fn three() -> KeySplit {
    let parts = vec![part("id", "", true, false), part("code", "", false, false), part("region", "", true, true)];
    KeySplit { by: SplitBy::Separator("|".into()), parts }
}

fn account() -> KeySplit {
    let parts = vec![
        part("email", "/client_email", true, false),
        part("pem", "/private_key", false, false),
        part("project", "/project", true, true),
    ];
    KeySplit { by: SplitBy::Json, parts }
}

fn run(split: KeySplit, example: &str, key: &str) -> Result<SplitSecrets, SplitError> {
    let secrets = BTreeMap::from([("key", key), ("other", "o|p")]);
    let secrets = secrets.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    split_secrets(&provider(split, example), &secrets)
}

type Pairs<'a> = Vec<(&'a str, &'a str)>;

fn shown(split: &SplitSecrets) -> (Pairs<'_>, Pairs<'_>) {
    let secrets = split.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose())).collect();
    (secrets, split.public.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
}

#[test]
fn a_separator_divides_and_the_last_part_keeps_the_rest() {
    for (key, code, public) in [
        ("AK|S|eu", "S", vec![("id", "AK"), ("region", "eu")]),
        (" AK | S | eu ", "S", vec![("id", "AK"), ("region", "eu")]),
        ("AK|S|eu|1", "S", vec![("id", "AK"), ("region", "eu|1")]),
        ("AK|S", "S", vec![("id", "AK")]),
        ("AK|S|", "S", vec![("id", "AK")]),
    ] {
        let split = run(three(), "", key).unwrap();
        assert_eq!(shown(&split), (vec![("code", code), ("key", key.trim()), ("other", "o|p")], public), "{key}");
    }
    assert_eq!(run(three(), "", "AK|S|eu").unwrap().public("region"), Some("eu"));
    assert_eq!(run(three(), "", "AK|S|eu").unwrap().public("code"), None, "a secret part is not public");
}

#[test]
fn pointers_find_the_parts_of_json() {
    let key = "{\n \"client_email\": \"a@b.test\", \"private_key\": \"-----BEGIN\\nx\\n\", \"project\": 7}\n";
    let split = run(account(), "", key).unwrap();
    assert_eq!(split.secrets["pem"].expose(), "-----BEGIN\nx", "as `Secret` keeps it");
    assert_eq!(split.public, [("email".to_owned(), "a@b.test".to_owned()), ("project".to_owned(), "7".to_owned())]);
    assert_eq!(split.secrets["key"].expose(), key.trim());
}

#[test]
fn what_does_not_fit_is_refused_without_being_shown() {
    for (split, example, key, says) in [
        (three(), "", "hunter2", "the secret `key` must be `ID|CODE|REGION`: `code` is missing in it"),
        (three(), "AK|SK|REGION", "hunter2", "the secret `key` must be `AK|SK|REGION`: `code` is missing in it"),
        (three(), "", "|hunter2|", "the secret `key` must be `ID|CODE|REGION`: `id` is missing in it"),
        (
            account(),
            "",
            "hunter2",
            "the secret `key` must be a JSON object with `/client_email` and `/private_key`: it is not JSON",
        ),
        (account(), "the file", "[\"hunter2\"]", "the secret `key` must be `the file`: it is JSON, but no object"),
        (
            account(),
            "the file",
            r#"{"client_email": "hunter2", "private_key": ""}"#,
            "the secret `key` must be `the file`: `/private_key` is missing in it",
        ),
        (
            account(),
            "the file",
            r#"{"client_email": ["hunter2"], "private_key": "x"}"#,
            "the secret `key` must be `the file`: `/client_email` is no text in it",
        ),
    ] {
        let error = run(split, example, key).unwrap_err().to_string();
        assert_eq!(error, says);
    }
}

#[test]
fn a_secret_that_is_not_set_has_no_parts() {
    let split = split_secrets(&provider(three(), ""), &BTreeMap::new()).unwrap();
    assert_eq!(split, SplitSecrets::default());
}

#[test]
fn what_an_adapter_reads_is_named_by_its_place() {
    let parts = |split| readable_parts(&provider(split, ""));
    assert_eq!(parts(three()), ["part 1 of 3 of `key`, divided by `|`", "part 3 of 3 of `key`, divided by `|`"]);
    assert_eq!(parts(account()), ["`/client_email` of `key`", "`/project` of `key`"]);
    let mut moved = three();
    moved.parts.remove(0);
    (moved.parts[0].name, moved.parts[0].public) = ("id".into(), true);
    assert!(!parts(three()).contains(&parts(moved)[0]), "the same name for another piece");
}
