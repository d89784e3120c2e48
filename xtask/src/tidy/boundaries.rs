//! Rule: each big dependency is known to one room, and a room depends only on the rooms it may know (docs/architecture.md).

use anyhow::Result;

use super::workspace::{Metadata, Package};
use super::{Finding, Tree};

/// Who may depend on what, directly. The load generator and the scripted vendors speak HTTP without any of these.
const ONE_ROOM: &[(&str, &[&str])] = &[
    ("axum", &["witgate"]),
    ("notify", &["plugin-runtime"]),
    ("reqwest", &["upstream"]),
    ("rustls", &["upstream"]),
    ("sea-query", &["store"]),
    ("sea-query-sqlx", &["store"]),
    ("sqlx", &["store"]),
    ("wasmtime", &["plugin-runtime"]),
    ("wasmtime-wasi", &["plugin-runtime"]),
    // The probe of the tests and the hostile guests do what no SDK would let them do.
    ("wit-bindgen", &["witgate-sdk", "guest-probe", "hostile"]),
];

/// The rooms and whom each may know. `telemetry` is open to all; tests may use `testkit`.
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("telemetry", &[]),
    ("testkit", &[]),
    ("auth", &["domain"]),
    ("routing", &["domain"]),
    ("quota", &["domain"]),
    ("plugin-runtime", &["domain"]),
    ("upstream", &["domain"]),
    ("store", &["domain", "quota", "auth"]),
    ("exchange", &["domain", "routing", "quota", "plugin-runtime", "upstream"]),
    ("fixtures", &["domain", "plugin-runtime", "upstream", "witgate-sdk", "witgate-sdk-testkit"]),
    ("witgate", &["domain", "auth", "routing", "quota", "plugin-runtime", "upstream", "exchange", "store", "fixtures"]),
    ("witgate-sdk", &[]),
    ("witgate-sdk-testkit", &["witgate-sdk"]),
    // It packs fixtures into the components that it builds.
    ("xtask", &["witgate-sdk-testkit"]),
];

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in tree.metadata.ours() {
        big_dependencies(package, &mut findings);
        edges(&tree.metadata, package, &mut findings);
    }
    Ok(findings)
}

fn big_dependencies(package: &Package, findings: &mut Vec<Finding>) {
    for dependency in &package.dependencies {
        let Some((name, rooms)) = ONE_ROOM.iter().find(|(name, _)| *name == dependency.name) else { continue };
        if !rooms.contains(&package.name.as_str()) {
            findings.push(Finding::new(
                package.manifest(),
                format!("only {} may know `{name}`; ask that room instead", rooms.join(" and ")),
            ));
        }
    }
}

fn edges(metadata: &Metadata, package: &Package, findings: &mut Vec<Finding>) {
    let is_ours = |name: &str| metadata.ours().any(|other| other.name == name);
    let manifest = package.manifest();
    let is_guest =
        manifest.starts_with("plugins/") || manifest.starts_with("examples/") || manifest.contains("/guests/");
    let allowed = match EDGES.iter().find(|(name, _)| *name == package.name) {
        Some((_, allowed)) => *allowed,
        None if is_guest => &["witgate-sdk"],
        None => {
            let what = "a new package: say in xtask/src/tidy/boundaries.rs which rooms it may know";
            findings.push(Finding::new(manifest, what));
            return;
        }
    };
    for dependency in package.dependencies.iter().filter(|dependency| is_ours(&dependency.name)) {
        let name = dependency.name.as_str();
        let in_tests = dependency.kind.as_deref() == Some("dev");
        let for_tests = name == "testkit" || name == "witgate-sdk-testkit" && package.name != "witgate";
        // What a test brings along is no edge of the architecture.
        if in_tests || name == "telemetry" || allowed.contains(&name) {
            continue;
        }
        let what = if for_tests { "is for tests: make it a dev-dependency" } else { "is a room this one may not know" };
        findings.push(Finding::new(package.manifest(), format!("`{name}` {what}")));
    }
}

#[cfg(test)]
mod tests {
    use super::super::workspace::Dependency;
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
        };
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            source: None,
            license: None,
            manifest_path: format!("{name}/Cargo.toml"),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    fn findings(packages: Vec<Package>) -> Vec<String> {
        let mut tree = Tree::of(&[]);
        tree.metadata.packages = packages;
        check(&tree).unwrap().into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn what_the_design_allows_passes() {
        let packages = vec![
            package("witgate", &[("axum", None), ("store", None), ("testkit", Some("dev"))]),
            package("store", &[("sqlx", None)]),
            package("testkit", &[]),
            package("plugins/x", &[("witgate-sdk", None)]),
            package("witgate-sdk", &[]),
        ];
        assert_eq!(findings(packages), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_edge_and_a_wandering_dependency_are_found() {
        let packages = vec![
            package("exchange", &[("store", None), ("sqlx", None)]),
            package("store", &[("testkit", None)]),
            package("testkit", &[]),
        ];
        let found = findings(packages);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(findings(vec![package("novelty", &[])])[0].contains("new package"));
    }
}
