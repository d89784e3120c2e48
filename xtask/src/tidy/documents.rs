//! Rule: a path that a document names exists: in links, and in `code` that looks like a path of this repository.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::{Finding, TextFile, Tree};

/// What a path in `code` starts with to be taken for one of ours.
const ROOTS: &[&str] =
    &[".cargo/", ".ci/", "admin-ui/", "docs/", "examples/", "fuzz/", "host/", "plugins/", "sdk/", "wit/", "xtask/"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (number, line) in file.text.lines().enumerate() {
            for path in links(line).filter_map(|link| beside(file, link)).chain(code(line).map(PathBuf::from)) {
                if !exists(tree, &path) {
                    let what = format!("`{}` does not exist; correct the path, or the sentence", path.display());
                    findings.push(Finding::on_line(&file.path, number, what));
                }
            }
        }
    }
    Ok(findings)
}

/// Targets of `[text](target)` that are files: not a URL, not a place in the same document.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let local = targets
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '<']) && !target.starts_with("mailto:"));
    local.filter_map(|target| target.split('#').next()).filter(|target| !target.is_empty())
}

/// Spans of `code` that are a plain path below one of the roots. A `:line` at the end is not part of it.
fn code(line: &str) -> impl Iterator<Item = &str> {
    let spans = line.split('`').skip(1).step_by(2);
    let paths = spans.filter(|span| ROOTS.iter().any(|root| span.starts_with(root)));
    let plain = paths
        .filter(|span| span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:".contains(c)) && !span.contains("..."));
    plain.filter_map(|span| span.split(':').next())
}

/// The link as a path from the root of the repository.
fn beside(file: &TextFile, link: &str) -> Option<PathBuf> {
    if let Some(from_root) = link.strip_prefix('/') {
        return Some(PathBuf::from(from_root));
    }
    let mut path = Path::new(&file.path).parent()?.to_path_buf();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir if path.as_os_str().is_empty() => return None,
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    Some(path)
}

/// A file of the repository, or a folder with one in it.
fn exists(tree: &Tree, path: &Path) -> bool {
    path.as_os_str().is_empty()
        || tree.files.iter().any(|file| Path::new(&file.path).starts_with(path))
        || path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> usize {
        check(&Tree::of(&[("docs/a.md", text), ("host/src/zzz.rs", "")])).unwrap().len()
    }

    #[test]
    fn only_what_is_missing_is_found() {
        let good = "[a](../host/src/zzz.rs) [b](https://a.test/x) [c](#here) [d](a.md#there) `host/src/zzz.rs:12` `host/src/` `host/<x>/y.rs` `cargo xtask`";
        assert_eq!(findings(good), 0);
        assert_eq!(findings("[a](zzz.md) `host/src/nothere.rs` and `wit/nothere/`"), 3);
    }
}
