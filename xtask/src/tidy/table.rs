//! Rule: versions stand in one table, `[workspace.dependencies]`; a member says only that it takes an entry from it.

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::{Finding, Tree};

const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let members: Vec<String> = tree.metadata.ours().map(|package| package.manifest()).collect();
    for file in tree.files.iter().filter(|file| members.contains(&file.path)) {
        let manifest: Table = file.text.parse().with_context(|| format!("cannot read {}", file.path))?;
        let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        for part in targets.filter_map(Value::as_table).chain([&manifest]) {
            for name in own_versions(part) {
                let what = format!(
                    "`{name}` has a version of its own; put it into the table of Cargo.toml and write `{name}.workspace = true`"
                );
                findings.push(Finding::new(&file.path, what));
            }
        }
    }
    Ok(findings)
}

fn own_versions(part: &Table) -> Vec<&str> {
    let dependencies = SECTIONS.iter().filter_map(|section| part.get(*section)?.as_table()).flatten();
    let from_table = |value: &Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
    dependencies.filter(|(_, value)| !from_table(value)).map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_the_table_pass() {
        let manifest: Table =
            "[dependencies]\na.workspace = true\nb = '1'\n[dev-dependencies]\nc = { path = 'c' }".parse().unwrap();
        assert_eq!(own_versions(&manifest), ["b", "c"]);
    }
}
