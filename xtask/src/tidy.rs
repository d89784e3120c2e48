//! `cargo xtask tidy`: the invariants and house numbers that no compiler checks. One rule a file; each finding says where and what to do.

mod boundaries;
mod documents;
mod licenses;
mod lockfiles;
mod sources;
mod table;
mod vendors;
mod workspace;

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step;

/// One broken rule.
pub(crate) struct Finding {
    /// `file`, or `file:line`.
    at: String,
    /// What is wrong and what to do about it.
    what: String,
}

impl Finding {
    fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at: at.into(), what: what.into() }
    }

    /// A finding on a line, counted from zero.
    fn on_line(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self::new(format!("{file}:{}", line + 1), what)
    }
}

/// What the rules look at, read once.
pub(crate) struct Tree {
    /// Every text file that is or would be in the repository.
    files: Vec<TextFile>,
    /// What cargo says about the workspace and all that it depends on.
    metadata: workspace::Metadata,
}

/// A file with its path from the root.
pub(crate) struct TextFile {
    path: String,
    text: String,
}

impl Tree {
    fn read() -> Result<Self> {
        let listed = step::output(Command::new("git").args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ]))?;
        let mut files = Vec::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // Deleted but not yet committed, or not text: neither is ours to judge.
            if let Ok(text) = fs::read_to_string(path) {
                files.push(TextFile { path: path.to_owned(), text });
            }
        }
        Ok(Self { files, metadata: workspace::Metadata::read()? })
    }

    /// Rust files, wherever they are.
    fn rust(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    fn file(&self, path: &str) -> Result<&TextFile> {
        self.files.iter().find(|file| file.path == path).with_context(|| format!("{path} is missing"))
    }
}

type Rule = fn(&Tree) -> Result<Vec<Finding>>;

const RULES: &[(&str, Rule)] = &[
    ("every source file says what it is, is short enough and well named", sources::check),
    ("no vendor in the host", vendors::check),
    ("each big dependency has one room; rooms know only who they may", boundaries::check),
    ("one table of dependency versions", table::check),
    ("one version of each big dependency; lock files name no server", lockfiles::check),
    ("dependencies under licenses that ours allows", licenses::check),
    ("paths in documents exist", documents::check),
];

/// The command.
pub(crate) fn tidy(arguments: &[String]) -> Result<()> {
    if let Some(argument) = arguments.first() {
        bail!("`tidy` takes no arguments, not `{argument}`");
    }
    check()
}

/// All rules, all findings.
pub(crate) fn check() -> Result<()> {
    let tree = Tree::read()?;
    let mut broken = 0;
    for (name, rule) in RULES {
        let findings = rule(&tree).with_context(|| format!("cannot check: {name}"))?;
        println!("    {} {name}", if findings.is_empty() { "ok    " } else { "BROKEN" });
        for Finding { at, what } in &findings {
            println!("           {at}: {what}");
        }
        broken += findings.len();
    }
    println!("    {}", sources::house_numbers(&tree));
    if broken > 0 {
        bail!("{broken} findings");
    }
    Ok(())
}

#[cfg(test)]
impl Tree {
    /// A tree of these files alone, for the tests of a rule.
    fn of(files: &[(&str, &str)]) -> Self {
        let files =
            files.iter().map(|(path, text)| TextFile { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
        Self { files, metadata: workspace::Metadata::default() }
    }
}
