//! Runs a folder of cases against a machine in this process, as an ordinary test.

use crate::check::{compare, same};
use crate::{Ask, Case, Pace, Plain, Play, Run, files};
use std::path::{Path, PathBuf};
use witgate_sdk::{Call, Effect, Event, Machine};

/// One exchange, however it is run: what `step` of a machine is.
pub type Step = Box<dyn FnMut(u32, Vec<Event>) -> Vec<Effect>>;

/// Runs every case under `folder` (relative to the package) against a machine. The folder's name is the capability.
///
/// # Panics
/// With a readable difference when a case does not give what its files say, and when there is no case.
pub fn golden<M: Machine>(folder: &str) {
    golden_with(folder, |call| {
        let mut machine = M::open(call);
        Box::new(move |now, events| machine.step(now, events))
    });
}

/// Runs every case under `folder` against whatever `open` opens.
///
/// # Panics
/// As [`golden`].
#[expect(clippy::panic, reason = "a failed test is a panic")]
pub fn golden_with(folder: &str, open: impl Fn(Call) -> Step) {
    let update = update(|name| std::env::var(name).unwrap_or_default()).unwrap_or_else(|what| panic!("{what}"));
    let cases = cases(Path::new(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    assert!(!cases.is_empty(), "{folder}: there is no case in it");
    let mut failures = Vec::new();
    for case in cases {
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&case, &open, update)));
        let checked = checked.unwrap_or_else(|_| Err("the adapter panicked, see above".to_owned()));
        if let Err(what) = checked {
            failures.push(format!("{}: {what}", case.display()));
        }
    }
    assert!(failures.is_empty(), "{}\n(UPDATE=1 writes what is there now)", failures.join("\n\n"));
}

/// Whether expectations are to be written. That is for people: a machine that writes what it checks checks nothing.
fn update(variable: impl Fn(&str) -> String) -> Result<bool, String> {
    if variable("UPDATE") != "1" {
        return Ok(false);
    }
    match ["CI", "WITGATE_CI"].into_iter().find(|name| !variable(name).is_empty()) {
        Some(name) => Err(format!("UPDATE=1 writes expectations and is refused here, because {name} is set")),
        None => Ok(true),
    }
}

/// The case folders, by name.
fn cases(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}

fn run(folder: &Path, open: &impl Fn(Call) -> Step, update: bool) -> Result<(), String> {
    let name = |folder: Option<&Path>| folder.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let case = Case::read(&name(folder.parent()).unwrap_or_default(), files::of_case(folder)?)?;
    let single = drive(&case, open, Pace::Single)?;
    for pace in single.paces() {
        same(&case, &single, &drive(&case, open, pace)?, pace)?;
    }
    compare(&case, &single, update.then_some(folder))
}

fn drive(case: &Case, open: &impl Fn(Call) -> Step, pace: Pace) -> Result<Run, String> {
    let mut play = Play::new(case, &Plain, pace)?;
    let mut step: Option<Step> = None;
    loop {
        match play.ask()? {
            Ask::Open(call) => step = Some(open(*call)),
            Ask::Step { now, events } => {
                let step = step.as_mut().ok_or("nothing was opened")?;
                play.effects(step(now, events))?;
            }
            Ask::Done => return play.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_not_written_by_machines() {
        let with = |set: &'static [(&str, &str)]| {
            update(move |name| set.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value).to_owned())
        };
        assert_eq!(with(&[]), Ok(false));
        assert_eq!(with(&[("CI", "true")]), Ok(false));
        assert_eq!(with(&[("UPDATE", "1"), ("CI", "")]), Ok(true));
        for name in [&[("UPDATE", "1"), ("CI", "true")], &[("UPDATE", "1"), ("WITGATE_CI", "1")]] {
            assert!(with(name).unwrap_err().contains(name[1].0));
        }
    }
}
