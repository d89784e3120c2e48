//! `witgate plugin pack` and `witgate plugin test`: the cases that an adapter must get right, put into its component and run through it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use fixtures::{Depth, archive};

use super::{Done, Failure, Sandboxes, table};
use crate::config::Config;

#[derive(Args)]
pub(in crate::cli) struct Test {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A folder of cases to run in place of those that are packed into the component
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Run this case only, `plain` or `chat/plain`
    #[arg(long, value_name = "CASE")]
    only: Option<String>,
}

#[derive(Args)]
pub(in crate::cli) struct Pack {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder of cases, `<capability>/<case>/`
    #[arg(long, value_name = "DIR")]
    fixtures: PathBuf,
    /// Where to write the component [default: over the one that is read]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs every case at every pace, and prints what came of it.
pub(super) async fn test(config: &Config, test: &Test) -> Done {
    let named = |what: String| Failure::new(vec![format!("{}: {what}", test.file.display())]);
    let files = match &test.fixtures {
        Some(folder) => archive::read_folder(folder).map_err(|what| Failure::new(vec![what]))?,
        None => archive::unpack(&read(&test.file)?).map_err(named)?.ok_or_else(|| {
            named(
                "no fixtures are packed into it; name a folder with --fixtures, or pack one with `witgate plugin pack`"
                    .to_owned(),
            )
        })?,
    };
    let sandboxes = Sandboxes::without_trial(config)?;
    let report = plugin_runtime::check_file(&sandboxes.runtime, &test.file)
        .await
        .map_err(|error| named(plugin_runtime::one_line(&error.to_string())))?;
    // A case quotes nobody: what a guest says when it fails is what its author looks for.
    report.adapters.iter().for_each(|adapter| adapter.keep_log(true));
    let outcome = fixtures::run(&report.adapters, &files, Depth::Thorough, test.only.as_deref()).await;
    let outcome = outcome.map_err(|what| Failure::new(vec![what]))?;
    table::say(&outcome.to_string())?;
    if outcome.passed() { Ok(()) } else { Err(Failure::new(outcome.failures())) }
}

/// Puts cases into a component.
pub(super) fn pack(pack: &Pack) -> Done {
    let packed = archive::pack(&read(&pack.file)?, &pack.fixtures)
        .map_err(|what| Failure::new(vec![format!("{}: {what}", pack.file.display())]))?;
    let out = pack.out.as_ref().unwrap_or(&pack.file);
    let cases = archive::unpack(&packed)
        .ok()
        .flatten()
        .map_or(0, |files| files.keys().filter(|path| path.ends_with("/case.json")).count());
    // Beside it, then moved: a directory that is watched never shows half a component.
    let half = out.with_extension("partial");
    fs::write(&half, &packed).with_context(|| format!("cannot write {}", half.display()))?;
    fs::rename(&half, out).with_context(|| format!("cannot replace {}", out.display()))?;
    Ok(table::say(&format!("{}: packed {cases} {}", out.display(), if cases == 1 { "case" } else { "cases" }))?)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    Ok(fs::read(file).with_context(|| format!("cannot read {}", file.display()))?)
}
