//! The test that `docs/writing-a-plugin.md` shows what is really there: its excerpts, and the places that it edits.

use std::fs;

use super::template::{self, Home};
use crate::tools;

const GUIDE: &str = "docs/writing-a-plugin.md";
/// The name that the guide gives to the author's plugin: the template's own.
const NAME: &str = "acme";
/// A line that stands for what was left out of an excerpt.
const LEFT_OUT: &str = "// ...";

/// An excerpt: the comment above it says of what.
struct Excerpt<'a> {
    of_template: bool,
    path: &'a str,
    code: &'a str,
}

fn excerpts(guide: &str) -> Vec<Excerpt<'_>> {
    let marked = guide.split("<!-- of the ").skip(1);
    marked
        .map(|text| {
            let (mark, rest) = text.split_once(" -->").unwrap();
            let (kind, path) = mark.split_once(": ").unwrap();
            let code = rest.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
            assert!(rest.starts_with("\n```rust\n"), "{path}: the excerpt must follow its mark");
            Excerpt { of_template: kind == "template", path, code }
        })
        .collect()
}

/// Without what a formatter may change.
fn squeezed(code: &str) -> String {
    code.chars().filter(|char| !char.is_whitespace() && *char != ',').collect()
}

/// Whether the pieces of an excerpt stand in the file in their order.
fn is_in(code: &str, file: &str) -> bool {
    let pieces = code.split(LEFT_OUT).map(squeezed);
    let file = squeezed(file);
    let mut rest = file.as_str();
    pieces.into_iter().all(|piece| match rest.split_once(piece.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[test]
fn every_excerpt_of_the_guide_is_what_is_there() {
    let guide = fs::read_to_string(tools::root().join(GUIDE)).unwrap();
    let template = template::files(NAME, Home::Member).unwrap();
    let excerpts = excerpts(&guide);
    assert!(excerpts.len() >= 7, "{} excerpts", excerpts.len());
    for Excerpt { of_template, path, code } in excerpts {
        let text = if of_template {
            template
                .iter()
                .find(|(known, _)| known == path)
                .unwrap_or_else(|| panic!("{path}: not in the template"))
                .1
                .clone()
        } else {
            fs::read_to_string(tools::root().join(path)).unwrap()
        };
        assert!(is_in(code, &text), "{GUIDE} shows of {path} what is not in it:\n{code}");
    }
}

/// The guide has the reader change the adapter with `sed`, and paste what follows.
#[test]
fn the_edits_of_the_guide_find_their_places() {
    let guide = fs::read_to_string(tools::root().join(GUIDE)).unwrap();
    let template = template::files(NAME, Home::Member).unwrap();
    let text = |path: &str| template.iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str()).unwrap();
    let edits: Vec<&str> = guide.lines().filter(|line| line.starts_with("sed -i ")).collect();
    assert_eq!(edits.len(), 2);
    for edit in edits {
        let old = edit.split('/').nth(1).unwrap();
        let path = edit.rsplit(' ').next().unwrap().strip_prefix("plugins/acme/").unwrap();
        assert!(text(path).contains(old), "{edit}");
    }
    assert!(
        text("src/response.rs")
            .contains("    out.emit(stamp.completion().text(&answer.text).finish(reason).to_json());")
    );
    assert!(text("src/wire.rs").contains("pub(crate) struct Answer {\n    pub(crate) text: String,\n"));
}

#[test]
fn an_excerpt_that_is_not_there_is_found() {
    let file = "fn a() {\n    one(1, 2);\n    two();\n}\n";
    assert!(is_in("fn a() {\n  // ...\n  two();", file) && is_in("one(\n1,\n2,\n)", file));
    assert!(!is_in("two();\n// ...\none(1, 2);", file) && !is_in("three()", file));
}
