//! `cargo xtask hostile`: makes one component per hostile behaviour out of one guest, and runs the suite that drops them all into a gateway.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::step::{self, Steps};
use crate::{plugins, test, tools};

/// The guest that all of them are made of.
pub(crate) const GUEST: &str = "hostile";
/// Its table of guests is the list: what it names is made, and what is made is documented.
const LIST: &str = "examples/hostile/README.md";
/// Copies that say they are somebody else.
const PROVIDERS: &[(&str, &str)] = &[("id-of-echo", "echo"), ("asks-for-more", "hostile-harmless")];

/// Behaves as the model's name says.
const ANY: &str = "any";

/// Stands in the guest once, before a name and a provider id of these many bytes (`examples/hostile/src/behavior.rs`).
const MARKER: &[u8] = b"witgate-hostile-behavior";
const NAME: usize = 32;
const PROVIDER: usize = 40;

/// The command. `--each` gives every behaviour a component of its own, where one that behaves as it is told would do.
pub(crate) fn hostile(arguments: &[String]) -> Result<()> {
    let each = match arguments {
        [] => false,
        [argument] if argument == "--each" => true,
        _ => bail!("`hostile` takes nothing or --each"),
    };
    let mut steps = Steps::default();
    steps.run("WebAssembly target", tools::wasm_target)?;
    steps.run("plugins", plugins::build)?;
    steps.run("test guests", plugins::build_test_guests)?;
    steps.run("hostile guests", || {
        let mut tests = tools::cargo();
        tests.args(["test", "--package", "witgate", "--test", "black_box", "--quiet", "hostile"]);
        if each {
            tests.env("WITGATE_HOSTILE", "each");
        }
        step::run(test::with_plugins(&mut tests))
    })
}

/// Makes a copy of the built guest for every behaviour, as `<folder>/<behaviour>.wasm`, and removes copies of behaviours that are gone.
pub(crate) fn stamp_all(guest: &Path, folder: &Path) -> Result<()> {
    let built = fs::read(guest).with_context(|| format!("cannot read {}", guest.display()))?;
    let mut names = listed(&fs::read_to_string(LIST).with_context(|| format!("cannot read {LIST}"))?);
    ensure!(!names.is_empty(), "{LIST} lists no guests");
    names.push(ANY.to_owned());
    fs::create_dir_all(folder)?;
    for name in &names {
        let own = format!("hostile-{name}");
        let provider = PROVIDERS.iter().find(|(of, _)| of == name).map_or(own.as_str(), |(_, id)| id);
        let copy = stamped(&built, name, provider).with_context(|| format!("the guest `{name}` of {LIST}"))?;
        fs::write(folder.join(format!("{name}.wasm")), copy)?;
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let known = path.file_stem().is_some_and(|stem| names.iter().any(|name| stem == name.as_str()));
        if !known {
            fs::remove_file(&path)?;
        }
    }
    println!("    {} ({} hostile guests of {} KiB)", folder.display(), names.len(), built.len().div_ceil(1024));
    Ok(())
}

/// The names in the first column of the tables above the heading about files.
fn listed(text: &str) -> Vec<String> {
    let guests = text.split("\n## Files").next().unwrap_or_default();
    let name = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    guests.lines().filter_map(name).collect()
}

/// The component with this behaviour and provider id written over its own.
fn stamped(component: &[u8], name: &str, provider: &str) -> Result<Vec<u8>> {
    ensure!(name.len() <= NAME && provider.len() <= PROVIDER, "names have at most {NAME} bytes, ids {PROVIDER}");
    let places: Vec<usize> =
        component.windows(MARKER.len()).enumerate().filter(|(_, bytes)| *bytes == MARKER).map(|(at, _)| at).collect();
    let [at] = places.as_slice() else {
        bail!("the marker stands in the guest {} times instead of once", places.len())
    };
    let mut copy = component.to_vec();
    let begin = at + MARKER.len();
    let place = copy.get_mut(begin..begin + NAME + PROVIDER).context("the guest ends at the marker")?;
    place.fill(0);
    place[..name.len()].copy_from_slice(name.as_bytes());
    place[NAME..NAME + provider.len()].copy_from_slice(provider.as_bytes());
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_its_own_name_and_the_same_length() {
        let guest = [b"before".as_slice(), MARKER, &[b'x'; NAME + PROVIDER], b"after"].concat();
        let copy = stamped(&guest, "loop", "hostile-loop").unwrap();
        assert_eq!(copy.len(), guest.len());
        assert!(copy.starts_with(b"before") && copy.ends_with(b"after"));
        let name = 6 + MARKER.len();
        assert_eq!(&copy[name..name + 5], b"loop\0");
        assert_eq!(&copy[name + NAME..name + NAME + 13], b"hostile-loop\0");
        assert!(stamped(&guest, &"x".repeat(NAME + 1), "y").is_err());
        assert!(stamped(b"no marker", "loop", "y").is_err());
        assert!(stamped(&[guest.clone(), guest].concat(), "loop", "y").is_err());
    }

    #[test]
    fn the_list_is_the_first_column_above_the_files() {
        let text = "# Title\n| guest | tries |\n|---|---|\n| `loop` | `more` |\n\n| `trap` | x |\n\n## Files\n| `torn` | x |\n";
        assert_eq!(listed(text), ["loop", "trap"]);
    }
}
