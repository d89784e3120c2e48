//! Rule: no vendor in the host. What the catalogs of the plugins name (provider ids, hosts) appears nowhere under `host/`.
//!
//! Ids are looked for word by word, so that `MoonshotKey` and `moonshot_key` are both found and `moonshots` is not.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Finding, TextFile, Tree};

/// Ids that mean something else in the host as well. Each with that meaning; whatever is not listed here is a vendor.
const ALSO_WORDS: &[(&str, &str)] = &[
    ("360", "a number"),
    ("compatible", "an English word"),
    ("echo", "an English word, and the built-in model of `start`"),
    ("local", "an English word"),
    (
        "openai",
        "the canonical wire format and the dialect of most clients; the hosts of the vendor are refused all the same",
    ),
    ("together", "an English word"),
];

/// Where a vendor may be named: the client dialects are ours to know, black-box tests drive the gateway with real plugins, and the test
/// vectors of a signing scheme are its vendor's, byte for byte.
fn may_name_vendors(path: &str) -> bool {
    let dialect = path.strip_prefix("host/src/http/").is_some_and(|rest| rest.contains('/'));
    dialect || path.starts_with("host/tests/") || path == "host/crates/plugin-runtime/src/opaque/vectors.rs"
}

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let vendors = Vendors::of_catalogs(tree)?;
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with("host/") && !may_name_vendors(&file.path)) {
        vendors.find(file, &mut findings);
    }
    Ok(findings)
}

#[derive(Default)]
struct Vendors {
    /// Each as its words in lower case.
    ids: Vec<Vec<String>>,
    hosts: Vec<String>,
}

impl Vendors {
    /// Reads every `plugins/*/catalog/**/*.json` (or a single `catalog.json`).
    fn of_catalogs(tree: &Tree) -> Result<Self> {
        let mut vendors = Self::default();
        for file in tree.files.iter().filter(|file| is_catalog(&file.path)) {
            let catalog: Value =
                serde_json::from_str(&file.text).with_context(|| format!("{} is not JSON", file.path))?;
            vendors.add_hosts(&catalog, false);
            let before = vendors.ids.len();
            vendors.add_ids(&catalog);
            if vendors.ids.len() == before
                && let Some(stem) = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".json"))
                // A template that other files extend, or a list that says its ids itself.
                && !stem.starts_with('_')
                && stem != "catalog"
            {
                vendors.add_id(stem);
            }
        }
        vendors.hosts.sort();
        vendors.hosts.dedup();
        Ok(vendors)
    }

    /// A provider is an object with an `id`: the document itself, an entry of its list, or an entry of its `providers`. Where a file has
    /// none, its name is the id.
    fn add_ids(&mut self, catalog: &Value) {
        let listed = catalog.as_array().or_else(|| catalog.get("providers").and_then(Value::as_array));
        for provider in listed.map_or(std::slice::from_ref(catalog), Vec::as_slice) {
            if let Some(id) = provider.get("id").and_then(Value::as_str) {
                self.add_id(id);
            }
        }
    }

    fn add_id(&mut self, id: &str) {
        if !ALSO_WORDS.iter().any(|(word, _)| *word == id) {
            self.ids.push(words(id).into_iter().map(|(_, word)| word).collect());
        }
    }

    /// Hosts of the URLs that requests go to. Links to documentation are nobody's secret.
    fn add_hosts(&mut self, value: &Value, is_url: bool) {
        match value {
            Value::String(text) if is_url => self.hosts.extend(host(text)),
            Value::Array(values) => values.iter().for_each(|value| self.add_hosts(value, is_url)),
            Value::Object(fields) => {
                fields
                    .iter()
                    .for_each(|(name, value)| self.add_hosts(value, matches!(name.as_str(), "url" | "base_url")));
            }
            _ => {}
        }
    }

    fn find(&self, file: &TextFile, findings: &mut Vec<Finding>) {
        let what = "belongs in the catalog of a plugin; the host knows no vendor";
        for (number, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            if let Some(host) = self.hosts.iter().find(|host| lower.contains(host.as_str())) {
                findings.push(Finding::on_line(&file.path, number, format!("`{host}` {what}")));
            }
            let words = words(line);
            for id in &self.ids {
                if words
                    .windows(id.len())
                    .any(|window| window.iter().map(|(_, word)| word).eq(id) && is_joined(line, window))
                {
                    findings.push(Finding::on_line(&file.path, number, format!("`{}` {what}", id.join("-"))));
                }
            }
        }
    }
}

fn is_catalog(path: &str) -> bool {
    let Some(inside) = path.strip_prefix("plugins/").and_then(|rest| rest.split_once('/')) else { return false };
    let (_, inside) = inside;
    let inside = inside.strip_prefix("src/").unwrap_or(inside);
    inside.ends_with(".json") && (inside.starts_with("catalog/") || inside == "catalog.json")
}

/// The host of a URL, when it is somebody's: loopback addresses and names without a dot are nobody's.
fn host(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let host = rest.split(['/', ':', '?', '#']).next()?.to_lowercase();
    let name = host.contains('.') && host.contains(|c: char| c.is_ascii_alphabetic()) && !host.contains(['{', '}']);
    (name && !host.ends_with(".example") && !host.starts_with("example.")).then_some(host)
}

/// The words of a line in lower case, each with the byte where it starts. A capital after a small letter starts a word.
fn words(line: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character.is_ascii_alphanumeric() {
            let begins =
                !before.is_ascii_alphanumeric() || (before.is_ascii_lowercase() && character.is_ascii_uppercase());
            match words.last_mut() {
                Some((_, word)) if !begins => word.push(character.to_ascii_lowercase()),
                _ => words.push((at, character.to_ascii_lowercase().to_string())),
            }
        }
        before = character;
    }
    words
}

/// Whether the words of an id stand together, with at most one sign between two of them.
fn is_joined(line: &str, window: &[(usize, String)]) -> bool {
    window.iter().zip(window.iter().skip(1)).all(|((at, word), (next, _))| {
        let between = &line[at + word.len()..*next];
        matches!(between, "" | "-" | "_" | ".")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: (&str, &str) = (
        "plugins/x/catalog/acme.json",
        r#"{"id": "acme-ai", "endpoints": [{"url": "https://api.acme.test/v1"}], "models": [{"id": "compatible"}]}"#,
    );

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[CATALOG, (path, text)])).unwrap().into_iter().map(|finding| finding.at).collect()
    }

    #[test]
    fn ids_are_found_in_every_spelling() {
        for line in ["a(\"acme-ai\")", "fn acme_ai_key()", "struct AcmeAi;", "// ask acme-ai"] {
            assert_eq!(findings("host/src/cli.rs", line), ["host/src/cli.rs:1"], "{line}");
        }
        for line in ["acme", "acme ai", "acmeai2", "acme-aim", "compatible"] {
            assert!(findings("host/src/cli.rs", line).is_empty(), "{line}");
        }
    }

    #[test]
    fn hosts_are_found_outside_the_dialects_only() {
        assert_eq!(
            findings("host/crates/domain/src/url.rs", "\n\"https://api.acme.test\""),
            ["host/crates/domain/src/url.rs:2"]
        );
        assert!(findings("host/src/http/acme/chat.rs", "api.acme.test acme-ai").is_empty());
        assert!(findings("docs/a.md", "api.acme.test").is_empty());
        assert_eq!(host("http://127.0.0.1:8000/v1"), None);
        assert_eq!(host("https://{region}.acme.test"), None);
    }
}
