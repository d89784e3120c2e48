//! The tools that the commands need: finds them, installs what is missing and says so, or prints the one command that would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};

use crate::step;

/// Where the command was typed; see [`called_from`].
static CALLED_FROM: OnceLock<PathBuf> = OnceLock::new();

/// Goes to the root of the repository, where all commands work, and remembers where it was.
pub(crate) fn enter_root() -> Result<()> {
    CALLED_FROM.get_or_init(|| std::env::current_dir().unwrap_or_default());
    std::env::set_current_dir(root()).context("cannot enter the root of the repository")
}

/// Where the command was typed: what paths in its arguments are meant from.
pub(crate) fn called_from() -> &'static Path {
    CALLED_FROM.get().map_or(root(), PathBuf::as_path)
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Cargo, as it would run from a shell.
///
/// `cargo run` leaves variables about xtask in the environment. Build scripts that watch them (ring's does) would run again each time
/// one changes between a plain build and one from here, and everything above them would be compiled anew.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        let of_the_package = name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_");
        if of_the_package || matches!(&*name_text, "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "LD_LIBRARY_PATH") {
            command.env_remove(&name);
        }
    }
    command
}

/// Makes sure that the compiler can build for WebAssembly.
pub(crate) fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-wasip2";
    let sysroot = step::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib").is_dir() {
        return Ok(());
    }
    println!("    the compiler lacks the target {TARGET}; installing it");
    step::run(Command::new("rustup").args(["target", "add", TARGET]))
        .with_context(|| format!("install the target by hand: rustup target add {TARGET}"))
}

/// A Debian package and how to tell that it is there.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) present: fn() -> bool,
}

/// For `bench`: the reverse proxy that everyone knows, as the yardstick.
pub(crate) const NGINX: Package = Package { name: "nginx-light", present: || nginx().is_some() };
/// For the SDK clients in Python.
pub(crate) const PYTHON: Package =
    Package { name: "python3-venv", present: || answers("python3", &["-c", "import ensurepip, venv"]) };
/// For the SDK clients in JavaScript.
pub(crate) const NODE: Package = Package { name: "nodejs npm", present: || answers("npm", &["--version"]) };
/// Build scripts of a few crates compile C (SQLite, zstd).
pub(crate) const C_COMPILER: Package = Package { name: "gcc libc6-dev", present: || answers("cc", &["--version"]) };

/// libFuzzer comes as C++.
pub(crate) const CPP_COMPILER: Package = Package { name: "g++", present: || answers("c++", &["--version"]) };

/// Installs the packages that are missing when this is root, else stops with the command that would.
pub(crate) fn debian(packages: &[Package]) -> Result<()> {
    let missing: Vec<&str> =
        packages.iter().filter(|package| !(package.present)()).flat_map(|package| package.name.split(' ')).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get update && apt-get install --yes --no-install-recommends {}", missing.join(" "));
    if !is_root() {
        bail!("missing: {}. Install and try again: sudo sh -c '{by_hand}'", missing.join(", "));
    }
    println!("    missing: {}; installing", missing.join(", "));
    let apt = |arguments: &[&str]| {
        step::run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "--quiet=2"])?;
    apt(&[&["install", "--yes", "--quiet=2", "--no-install-recommends"], missing.as_slice()].concat())
        .with_context(|| format!("install by hand: {by_hand}"))
}

/// Where nginx is: Debian keeps it out of an ordinary user's PATH.
pub(crate) fn nginx() -> Option<PathBuf> {
    ["nginx", "/usr/sbin/nginx"].into_iter().find(|name| answers(name, &["-v"])).map(PathBuf::from)
}

/// A virtual environment under `target` with what the Python clients need; returns its interpreter.
pub(crate) fn python_environment() -> Result<PathBuf> {
    const REQUIREMENTS: &str = "examples/clients/python/requirements.txt";
    let home = root().join("target/clients/python");
    let python = home.join("bin/python");
    let (stamp, wanted) = (home.join("requirements.installed"), fs::read_to_string(REQUIREMENTS)?);
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    step::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    step::run(Command::new(&python).args(pip))?;
    fs::write(stamp, wanted)?;
    Ok(python)
}

/// The Node modules of a folder with a lock file, exactly as locked.
pub(crate) fn node_modules(folder: &Path) -> Result<()> {
    let (stamp, wanted) =
        (folder.join("node_modules/.installed"), fs::read_to_string(folder.join("package-lock.json"))?);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step::run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Puts a copy of a file where another may be, as [`place`] does.
pub(crate) fn replace(from: &Path, to: &Path) -> Result<bool> {
    place(&fs::read(from).with_context(|| format!("cannot read {}", from.display()))?, to)
}

/// Writes beside the target and renames it over, so that nobody ever sees half a file. Returns whether anything changed.
pub(crate) fn place(new: &[u8], to: &Path) -> Result<bool> {
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(false);
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let half = to.with_extension("partial");
    fs::write(&half, new).with_context(|| format!("cannot write {}", half.display()))?;
    fs::rename(&half, to).with_context(|| format!("cannot replace {}", to.display()))?;
    Ok(true)
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|status| status.uid() == 0)
}
