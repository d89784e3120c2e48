//! Rule: a Rust file opens by saying what it is, is at most 600 lines, has no drawer's name and no unfinished business without an issue.

use anyhow::Result;

use super::{Finding, TextFile, Tree};

/// Nobody reads to the end of more.
const MOST_LINES: usize = 600;
/// What the house aims for: half of the files, and nine of ten.
const MEDIAN: usize = 130;
const NINE_OF_TEN: usize = 350;

/// Names that say nothing about what is inside.
const DRAWERS: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "misc", "manager", "managers", "types", "models", "mod"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        opens_with_a_description(file, &mut findings);
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            findings.push(Finding::new(
                &file.path,
                format!("{lines} lines; split it below {MOST_LINES}, along what it does"),
            ));
        }
        if let Some(drawer) = file.path.split('/').find_map(|part| drawer(part.trim_end_matches(".rs")))
            && !is_route(&file.path)
        {
            findings.push(Finding::new(&file.path, format!("`{drawer}` says nothing; name it for what it holds")));
        }
        unfinished(file, &mut findings);
    }
    Ok(findings)
}

/// The house numbers as one line, for people to watch.
pub(super) fn house_numbers(tree: &Tree) -> String {
    let mut lines: Vec<usize> = tree.rust().map(|file| file.text.lines().count()).collect();
    lines.sort_unstable();
    let at =
        |share: usize| lines.get((lines.len() * share / 100).min(lines.len().saturating_sub(1))).copied().unwrap_or(0);
    let longest = tree.rust().max_by_key(|file| file.text.lines().count()).map_or("", |file| &file.path);
    format!(
        "{} Rust files, {} lines; median {} (aim {MEDIAN}), nine of ten under {} (aim {NINE_OF_TEN}), longest {} ({longest})",
        lines.len(),
        lines.iter().sum::<usize>(),
        at(50),
        at(90),
        at(100),
    )
}

fn opens_with_a_description(file: &TextFile, findings: &mut Vec<Finding>) {
    if !file.text.starts_with("//! ") {
        findings.push(Finding::on_line(
            &file.path,
            0,
            "open with one or two sentences in `//!` that say what this file is",
        ));
    }
}

fn drawer(name: &str) -> Option<&'static str> {
    DRAWERS.iter().copied().find(|drawer| *drawer == name)
}

/// A file that serves or tests a path of the API is named after it: `/v1/models`.
fn is_route(path: &str) -> bool {
    path.ends_with("/openai/models.rs") || path.ends_with("/v1/models.rs")
}

fn unfinished(file: &TextFile, findings: &mut Vec<Finding>) {
    // Spelled in two halves so that this file does not accuse itself.
    for marker in [concat!("TO", "DO"), concat!("FIX", "ME")] {
        for (number, line) in file.text.lines().enumerate() {
            let Some(at) = line.find(marker) else { continue };
            let numbered = line[at + marker.len()..]
                .strip_prefix("(#")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if !numbered {
                findings.push(Finding::on_line(
                    &file.path,
                    number,
                    format!("write {marker}(#12) with the number of an issue, or do it"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).unwrap().into_iter().map(|finding| finding.at).collect()
    }

    #[test]
    fn a_good_file_passes() {
        assert!(findings("host/src/cli.rs", "//! What it is.\nfn f() {}\n").is_empty());
    }

    #[test]
    fn each_breach_is_found_where_it_is() {
        assert_eq!(findings("host/src/cli.rs", "fn f() {}\n"), ["host/src/cli.rs:1"]);
        assert_eq!(findings("host/src/utils.rs", "//! What it is.\n"), ["host/src/utils.rs"]);
        assert_eq!(findings("host/src/models/a.rs", "//! What it is.\n"), ["host/src/models/a.rs"]);
        assert_eq!(findings("a.rs", &format!("//! What it is.\n// {}: later\n", concat!("TO", "DO"))), ["a.rs:2"]);
        assert!(findings("a.rs", &format!("//! What it is.\n// {}(#12): later\n", concat!("TO", "DO"))).is_empty());
        assert_eq!(findings("a.rs", &format!("//! What it is.\n{}", "\n".repeat(600))), ["a.rs"]);
    }
}
