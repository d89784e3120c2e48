//! Rule: one version of each big dependency in Cargo.lock, and no lock file that pins a package to one server.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;

use super::{Finding, Tree};

/// Two of one of these would cost minutes of building, or types that look the same and are not.
const BIG: &[&str] = &[
    "axum",
    "bytes",
    "cranelift-codegen",
    "http",
    "hyper",
    "reqwest",
    "ring",
    "rustls",
    "serde",
    "serde_json",
    "sqlx-core",
    "tokio",
    "tracing",
    "wasmtime",
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}
#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
}

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = duplicates(&tree.file("Cargo.lock")?.text)?;
    for file in tree.files.iter().filter(|file| file.path.ends_with("package-lock.json")) {
        if let Some(line) = file.text.lines().position(|line| line.trim_start().starts_with("\"resolved\"")) {
            let what = "names a server to download from; lock again with `omit-lockfile-registry-resolved=true`";
            findings.push(Finding::on_line(&file.path, line, what));
        }
    }
    Ok(findings)
}

fn duplicates(lock: &str) -> Result<Vec<Finding>> {
    let lock: Lock = toml::from_str(lock)?;
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.package.iter().filter(|package| BIG.contains(&package.name.as_str())) {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let twice = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    let finding = |(name, versions): (&str, Vec<&str>)| {
        Finding::new(
            "Cargo.lock",
            format!("`{name}` is there as {}; `cargo tree -d` shows who asks for which", versions.join(" and ")),
        )
    };
    Ok(twice.map(finding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(entries: &[(&str, &str)]) -> String {
        entries
            .iter()
            .map(|(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n"))
            .collect()
    }

    #[test]
    fn only_a_big_one_twice_is_found() {
        assert!(duplicates(&lock(&[("tokio", "1.0.0"), ("base64", "0.1.0"), ("base64", "0.2.0")])).unwrap().is_empty());
        assert_eq!(duplicates(&lock(&[("tokio", "1.0.0"), ("tokio", "2.0.0")])).unwrap().len(), 1);
    }

    #[test]
    fn a_lock_file_with_a_server_in_it_is_found() {
        let package_lock = "{\n  \"resolved\": \"https://a.test/x.tgz\"\n}";
        let tree = Tree::of(&[("Cargo.lock", &lock(&[("tokio", "1.0.0")])), ("x/package-lock.json", package_lock)]);
        assert_eq!(check(&tree).unwrap()[0].at, "x/package-lock.json:2");
    }
}
