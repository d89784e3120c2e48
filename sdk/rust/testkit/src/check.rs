//! Compares what came of an exchange with what its case expects.

use crate::play::{Pace, Run, without_relay};
use crate::{Case, case, diff, json, shown};
use std::collections::BTreeSet;
use std::path::Path;

/// Compares an exchange with the files of its case.
///
/// # Errors
/// Every difference, for people.
pub fn check(case: &Case, run: &Run) -> Result<(), String> {
    compare(case, run, None)
}

/// Whether another pace led to the same.
///
/// # Errors
/// The difference, for people.
pub fn same(case: &Case, single: &Run, other: &Run, pace: Pace) -> Result<(), String> {
    let one = shown::happenings(&without_relay(&single.happenings), case)?;
    let all = shown::happenings(&without_relay(&other.happenings), case)?;
    if one == all && single.requests == other.requests && single.dialogues == other.dialogues {
        return Ok(());
    }
    let how = match pace {
        Pace::Single => "one in a step".to_owned(),
        Pace::Whole => "all in one step".to_owned(),
        Pace::Split { request, after } => format!("answer {request} split after {after}"),
    };
    let what = if one == all { "the requests differ".to_owned() } else { diff::lines(&one, &all) };
    Err(format!("the effects depend on how messages are batched (- one in a step, + {how})\n{what}"))
}

/// The same as [`check`]; with a folder, what is expected there becomes what is.
pub(crate) fn compare(case: &Case, run: &Run, update: Option<&Path>) -> Result<(), String> {
    let actual = shown::files(run, case)?;
    let expected = case
        .files
        .keys()
        .filter(|name| name.starts_with("upstream-request") || *name == "effects.json" || name.ends_with(".ws.ndjson"));
    let names: BTreeSet<&String> = expected.chain(actual.keys()).collect();
    let mut wrong = Vec::new();
    for name in names {
        let expected = case.files.get(name).map(|bytes| String::from_utf8_lossy(bytes));
        let actual = actual.get(name);
        let same = match (&expected, actual) {
            (Some(expected), Some(actual)) => json::squeezed(expected) == json::squeezed(actual),
            _ => false,
        };
        if same {
            continue;
        }
        if let Some(folder) = update {
            write(&folder.join(name), actual)?;
            continue;
        }
        let difference = diff::lines(&expected.unwrap_or_default(), actual.map_or("", String::as_str));
        wrong.push(format!("{name} differs (- expected, + actual)\n{difference}"));
    }
    if wrong.is_empty() { unused(case, run) } else { Err(wrong.join("\n")) }
}

fn write(file: &Path, actual: Option<&String>) -> Result<(), String> {
    let written = match actual {
        Some(actual) => std::fs::write(file, actual),
        None => std::fs::remove_file(file),
    };
    written.map_err(|error| format!("{}: cannot be written: {error}", file.display()))
}

/// An answer that nobody asked for is a mistake in the case.
fn unused(case: &Case, run: &Run) -> Result<(), String> {
    for (kind, used) in [("upstream-response", run.requests.len()), ("fetch", run.fetched)] {
        let there = case::highest(&case.files, kind);
        if there > used {
            return Err(format!("{} was never asked for", case::name_of(kind, there)));
        }
    }
    Ok(())
}
