//! Rule: every dependency comes under a license that lets the program be given away under Apache-2.0 or MIT.

use anyhow::Result;

use super::{Finding, Tree};

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in tree.metadata.packages.iter().filter(|package| package.source.is_some()) {
        let name = format!("{} {}", package.name, package.version);
        match package.license.as_deref() {
            None => findings
                .push(Finding::new(name, "states no license as an expression; read its license file before using it")),
            Some(license) if !is_allowed(license) => {
                findings.push(Finding::new(
                    name,
                    format!("is under `{license}`, which is not in the list of xtask/src/tidy/licenses.rs"),
                ));
            }
            Some(_) => {}
        }
    }
    Ok(findings)
}

/// Evaluates a license expression: one side of every OR and both sides of every AND must be allowed. AND binds tighter.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = either(&mut rest);
    allowed && rest.is_empty()
}

fn either(rest: &mut &[&str]) -> bool {
    let mut allowed = both(rest);
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        allowed |= both(rest);
    }
    allowed
}

fn both(rest: &mut &[&str]) -> bool {
    let mut allowed = one(rest);
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        allowed &= one(rest);
    }
    allowed
}

fn one(rest: &mut &[&str]) -> bool {
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let allowed = either(rest);
            let [")", tail @ ..] = *rest else { return false };
            *rest = tail;
            allowed
        }
        [license, "WITH", exception, tail @ ..] => {
            *rest = tail;
            ALLOWED.contains(&format!("{license} WITH {exception}").as_str())
        }
        [license, tail @ ..] => {
            *rest = tail;
            ALLOWED.contains(license)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_they_are_meant() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-3.0) AND ISC",
            "Apache-2.0 WITH LLVM-exception OR MIT",
            "MIT OR GPL-3.0 AND LGPL-3.0",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT",
            "",
            "MIT MIT",
            "GPL-3.0 WITH LLVM-exception",
            "(MIT OR ISC) AND GPL-3.0",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
