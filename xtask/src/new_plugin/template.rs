//! What a new plugin is made of: the plugin of an invented vendor called Acme (`xtask/templates/plugin`), with another name.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

macro_rules! templates {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("../../templates/plugin/", $path)))),*] };
}

/// The files that are the same wherever the plugin lives.
const FILES: &[(&str, &str)] = &templates![
    "README.md",
    "catalog/acme.json",
    "src/lib.rs",
    "src/catalog.rs",
    "src/wire.rs",
    "src/request.rs",
    "src/response.rs",
    "src/stream.rs",
    "src/fault.rs",
    "tests/golden.rs",
    "fixtures/chat/basic/case.json",
    "fixtures/chat/basic/client.json",
    "fixtures/chat/basic/upstream-request.json",
    "fixtures/chat/basic/upstream-response.json",
    "fixtures/chat/basic/effects.json",
    "fixtures/chat/stream/case.json",
    "fixtures/chat/stream/client.json",
    "fixtures/chat/stream/upstream-request.json",
    "fixtures/chat/stream/upstream-response.sse",
    "fixtures/chat/stream/effects.json",
    "fixtures/chat/error/case.json",
    "fixtures/chat/error/client.json",
    "fixtures/chat/error/upstream-request.json",
    "fixtures/chat/error/upstream-response.json",
    "fixtures/chat/error/effects.json",
];

/// Those that differ.
const MEMBER: &str = include_str!("../../templates/plugin/member.toml");
const ALONE: &str = include_str!("../../templates/plugin/standalone.toml");
const CARGO_CONFIG: &str = include_str!("../../templates/plugin/cargo-config.toml");

/// Where a plugin lives.
#[derive(Clone, Copy)]
pub(super) enum Home<'a> {
    /// Under `plugins/`, a member of the workspace.
    Member,
    /// Anywhere, with the SDK of the checkout at `root`.
    Alone {
        /// Absolute.
        root: &'a Path,
    },
}

/// The files of a new plugin: paths from its folder, and texts.
pub(super) fn files(name: &str, home: Home<'_>) -> Result<Vec<(String, String)>> {
    let rename = |text: &str| renamed(text, name);
    let mut files: Vec<(String, String)> = FILES.iter().map(|(path, text)| (rename(path), rename(text))).collect();
    for (_, text) in &mut files {
        *text = text.replace("@commands@", &commands(name, home));
    }
    match home {
        Home::Member => files.push(("Cargo.toml".to_owned(), rename(MEMBER))),
        Home::Alone { root } => {
            let quoted = |path: &str| toml::Value::String(root.join(path).display().to_string()).to_string();
            let manifest =
                rename(ALONE).replace("@sdk@", &quoted("sdk/rust")).replace("@testkit@", &quoted("sdk/rust/testkit"));
            // The versions that the SDK is tested with; cargo drops what the plugin does not need.
            let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
            files.extend([
                ("Cargo.toml".to_owned(), manifest),
                ("Cargo.lock".to_owned(), lock),
                (".cargo/config.toml".to_owned(), CARGO_CONFIG.to_owned()),
                (".gitignore".to_owned(), "/target\n".to_owned()),
                ("rust-toolchain.toml".to_owned(), include_str!("../../../rust-toolchain.toml").to_owned()),
                ("rustfmt.toml".to_owned(), include_str!("../../../rustfmt.toml").to_owned()),
            ]);
        }
    }
    Ok(files)
}

/// What an author types next, from the root of the repository or, alone, from the plugin's folder.
pub(super) fn commands(name: &str, home: Home<'_>) -> String {
    let text = match home {
        Home::Member => include_str!("../../templates/plugin/member.txt"),
        Home::Alone { .. } => include_str!("../../templates/plugin/standalone.txt"),
    };
    renamed(text.trim_end(), name)
}

/// The text with another name in every spelling that the templates use.
fn renamed(text: &str, name: &str) -> String {
    let title: Vec<String> = name.split('-').map(capitalized).collect();
    let spellings = [
        ("plugin_acme", format!("plugin_{}", name.replace('-', "_"))),
        ("ACME", name.replace('-', "_").to_uppercase()),
        ("Acme", title.join(" ")),
        ("acme", name.to_owned()),
    ];
    let (mut out, mut rest) = (String::with_capacity(text.len() + 64), text);
    // In one pass: the new name may have the old one in it.
    while let Some(next) = rest.chars().next() {
        let found = spellings.iter().find_map(|(old, new)| Some((rest.strip_prefix(old)?, new)));
        match found {
            Some((after, new)) => {
                out.push_str(new);
                rest = after;
            }
            None => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    #[test]
    fn every_spelling_of_the_name_is_replaced_once() {
        let text = "use plugin_acme::Chat; // Acme: plugin-acme, ACME_API_KEY, api.acme.example";
        assert_eq!(
            renamed(text, "acme-two"),
            "use plugin_acme_two::Chat; // Acme Two: plugin-acme-two, ACME_TWO_API_KEY, api.acme-two.example"
        );
        assert_eq!(renamed(text, "acme"), text);
    }

    #[test]
    fn nothing_of_the_template_is_left_over() {
        let root = tools::root();
        for home in [Home::Member, Home::Alone { root }] {
            let files = files("zebra", home).unwrap();
            for (path, text) in files.iter().filter(|(path, _)| path != "Cargo.lock") {
                let lower = format!("{path}\n{text}").to_lowercase();
                assert!(!lower.contains("acme") && !lower.contains('@'), "{path}: {text}");
            }
        }
    }

    #[test]
    fn every_file_of_the_template_is_written() {
        fn count(folder: &Path) -> usize {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        assert_eq!(count(&tools::root().join("xtask/templates/plugin")), FILES.len() + 5);
    }

    #[test]
    fn both_manifests_name_the_same_dependencies() {
        let root = tools::root();
        let names = |home| -> Vec<String> {
            let files = files("zebra", home).unwrap();
            let (_, text) = files.iter().find(|(path, _)| path == "Cargo.toml").unwrap();
            let manifest: toml::Table = text.parse().unwrap();
            let section = |name: &str| manifest[name].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
            [section("dependencies"), section("dev-dependencies")].concat()
        };
        assert_eq!(names(Home::Member), names(Home::Alone { root }));
    }
}
