//! The configuration: defaults, then a TOML file, then the environment, then flags; every value knows where it comes from.
//! `keys.rs` is the table of keys, `one_api.rs` the table of One API's variables.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use domain::Secret;

mod dotenv;
mod environment;
mod file;
mod keys;
mod one_api;
#[cfg(test)]
mod reference;
mod rooms;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use environment::Environment;
#[cfg(test)]
pub(crate) use environment::tests::environment_of;
pub(crate) use file::nearest;
use keys::{KEYS, Key, Sections};
use one_api::{Converted, Meaning};
use value::Value;

/// The configuration of a run. Sections are reached directly: `config.server.listen`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    sections: Sections,
    /// Every key with its text and origin, in the order of the reference.
    pub(crate) settings: Vec<Setting>,
    /// Every variable of One API that is set, and what became of it.
    pub(crate) variables: Vec<VariableReport>,
    /// What a person should know about the configuration though it is no error; One API's variables have their own list.
    pub(crate) notes: Vec<String>,
    /// API keys that variables hold, by the name to import them under.
    pub(crate) api_keys: Vec<(String, Secret)>,
    /// The variables of the process and of `.env`; catalogs name those that make channels exist.
    pub(crate) environment: Environment,
}

impl std::ops::Deref for Config {
    type Target = Sections;

    fn deref(&self) -> &Sections {
        &self.sections
    }
}

impl Config {
    /// Where plugins are.
    pub(crate) fn plugins_dir(&self) -> PathBuf {
        self.plugins.dir.clone().unwrap_or_else(|| self.data.dir.join("plugins"))
    }

    /// Where compiled plugins are kept.
    pub(crate) fn plugin_cache_dir(&self) -> PathBuf {
        self.data.dir.join("cache").join("plugins")
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The table of keys.
    Default,
    /// A file and its line.
    File(String, usize),
    /// Variables; the flag says that the last of them is in `.env`.
    Env(Vec<String>, bool),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(name, line) => write!(f, "{name}:{line}"),
            Origin::Env(names, dotenv) => {
                write!(f, "{}{}", names.join(" and "), if *dotenv { " in .env" } else { "" })
            }
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A key's text and where it comes from.
#[derive(Clone)]
pub(crate) struct Setting {
    key: &'static Key,
    text: String,
    value: Value,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

impl Setting {
    /// The key's name.
    pub(crate) fn name(&self) -> &'static str {
        self.key.name
    }

    /// What the reference says about it: its default, what it holds, its variable, what it does.
    pub(crate) fn reference(&self) -> [(&'static str, String); 4] {
        let doc = self.key.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        [
            ("default", self.key.default.to_owned()),
            ("holds", self.key.kind.describe()),
            ("variable", self.key.env()),
            ("what", doc),
        ]
    }

    /// Its text as people may see it: no secret, no password.
    pub(crate) fn shown(&self) -> String {
        self.key.kind.shown(&self.text)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?} ({})", self.name(), self.shown(), self.origin)
    }
}

/// What became of a variable of One API that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VariableReport {
    /// Its name.
    pub(crate) name: &'static str,
    /// `used`, `overridden`, `ignored`, `later`, `no meaning here` or `refused`.
    pub(crate) became: &'static str,
    /// One line for people. Never the variable's text.
    pub(crate) says: String,
}

/// What the command line says about the configuration: the file, and keys that flags set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--config`.
    pub(crate) file: Option<PathBuf>,
    /// Flag, key and text.
    pub(crate) keys: Vec<(&'static str, &'static str, String)>,
    /// `--port`: the port of `server.listen`.
    pub(crate) port: Option<u16>,
}

/// Whether a variable configures the gateway itself, so that it is nobody's credential for a vendor.
pub(crate) fn is_own_variable(name: &str) -> bool {
    name.starts_with("WITGATE_") || one_api::ROWS.iter().any(|row| row.name == name)
}

/// The file that is read when none is named, if it is there.
const DEFAULT_FILE: &str = "witgate.toml";

/// Gathers the configuration. What is wrong is left out of it and listed: one error, one line.
pub(crate) fn load(flags: &Flags, directory: &Path) -> (Config, Vec<String>) {
    let (environment, dotenv_errors) = Environment::read(directory);
    let named = flags.file.clone().or_else(|| environment.get("WITGATE_CONFIG").map(|file| file.value.clone().into()));
    let path = named.clone().unwrap_or_else(|| DEFAULT_FILE.into());
    let name = path.display().to_string();
    let (text, unreadable) = match std::fs::read_to_string(directory.join(&path)) {
        Ok(text) => (text, None),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => (String::new(), None),
        Err(error) => (String::new(), Some(format!("{name}: cannot be read: {error}"))),
    };
    let (config, mut errors) = gather(flags, &name, &text, environment);
    errors.splice(0..0, dotenv_errors.into_iter().chain(unreadable));
    (config, errors)
}

/// The layers over each other, without reading anything.
fn gather(flags: &Flags, file: &str, text: &str, environment: Environment) -> (Config, Vec<String>) {
    let mut layers = Layers::default();
    for key in KEYS {
        match key.kind.read(key.default) {
            Ok(value) => {
                layers.settings.push(Setting { key, text: key.default.to_owned(), value, origin: Origin::Default });
            }
            Err(error) => layers.errors.push(format!("default of {}: {error}", key.name)),
        }
    }
    let (entries, errors) = file::read(file, text);
    layers.errors.extend(errors);
    for entry in entries {
        layers.set(entry.key.name, &entry.text, Origin::File(file.to_owned(), entry.line));
    }
    let mut variables = layers.one_api(&environment);
    layers.own_variables(&environment);
    layers.flags(flags);
    for variable in variables.iter_mut().filter(|variable| variable.became == "used") {
        if let Some(setting) = layers.shadowed(variable.name) {
            variable.became = "overridden";
            variable.says = format!("{} comes from {}", setting.name(), setting.origin);
        }
    }
    let value = |name: &'static str| layers.settings.iter().find(|s| s.name() == name).map(|s| s.value.clone());
    let sections = Sections::build(value);
    let Layers { settings, errors, notes, api_keys } = layers;
    (Config { sections, settings, variables, notes, api_keys, environment }, errors)
}

/// What has been gathered so far.
#[derive(Default)]
struct Layers {
    settings: Vec<Setting>,
    errors: Vec<String>,
    notes: Vec<String>,
    api_keys: Vec<(String, Secret)>,
}

impl Layers {
    /// Puts a text over a key's text, or reports why it cannot be.
    fn set(&mut self, name: &str, text: &str, origin: Origin) {
        let Some(setting) = self.settings.iter_mut().find(|setting| setting.name() == name) else { return };
        match setting.key.kind.read(text) {
            Ok(value) => (setting.text, setting.value, setting.origin) = (text.to_owned(), value, origin),
            Err(error) => {
                let name = if matches!(origin, Origin::File(..)) { format!("{name}: ") } else { String::new() };
                self.errors.push(format!("{origin}: {name}{error}"));
            }
        }
    }

    fn text(&self, name: &str) -> String {
        self.settings.iter().find(|setting| setting.name() == name).map_or_else(String::new, |s| s.text.clone())
    }

    fn origin(&self, name: &str) -> Option<&Origin> {
        self.settings.iter().find(|setting| setting.name() == name).map(|setting| &setting.origin)
    }

    /// The variables that One API knows, as `one_api.rs` explains them.
    fn one_api(&mut self, environment: &Environment) -> Vec<VariableReport> {
        let mut reports = Vec::new();
        for row in one_api::ROWS {
            let Some(variable) = environment.get(row.name) else { continue };
            let mut report =
                VariableReport { name: row.name, became: one_api::word(&row.meaning), says: row.says.to_owned() };
            match row.meaning {
                Meaning::Sets(key, convert) => match convert(&variable.value, &self.text(key)) {
                    Converted::To(text) => {
                        // HOST and PORT both have a part in one key.
                        let mut names = match self.origin(key) {
                            Some(Origin::Env(names, _)) => names.clone(),
                            _ => Vec::new(),
                        };
                        names.push(row.name.to_owned());
                        self.set(key, &text, Origin::Env(names, variable.dotenv));
                    }
                    Converted::Ignored(why) => (report.became, report.says) = ("ignored", why),
                    Converted::Bad(error) => self.errors.push(format!("{}: {error}", row.name)),
                },
                Meaning::ApiKeys(stem) => {
                    let keys = variable.value.split(',').map(str::trim).filter(|key| !key.is_empty());
                    let keys = keys.enumerate().map(|(index, key)| (format!("{stem}-{}", index + 1), Secret::new(key)));
                    self.api_keys.extend(keys);
                }
                Meaning::Refused => self.errors.push(format!("{}: {}", row.name, row.says)),
                Meaning::Later | Meaning::Nothing => {}
            }
            reports.push(report);
        }
        reports
    }

    /// `WITGATE_*`. A name that no key has is a note, not an error: Kubernetes makes such variables for a service called witgate.
    fn own_variables(&mut self, environment: &Environment) {
        let mut known: Vec<String> = vec!["WITGATE_CONFIG".to_owned()];
        for key in KEYS {
            let names: Vec<String> =
                std::iter::once(key.env()).chain(key.short_env.iter().map(|&name| name.to_owned())).collect();
            let set: Vec<_> = names.iter().filter_map(|name| Some((name, environment.get(name)?))).collect();
            if let [(name, variable), rest @ ..] = set.as_slice() {
                if let Some((other, _)) = rest.iter().find(|(_, other)| other.value != variable.value) {
                    self.errors.push(format!("{name} and {other} are both set and differ; keep one"));
                }
                self.set(key.name, &variable.value, Origin::Env(vec![(*name).clone()], variable.dotenv));
            }
            known.extend(names);
        }
        let kubernetes = |name: &str| name.starts_with("WITGATE_SERVICE_") || name.starts_with("WITGATE_PORT");
        for (name, _) in environment.iter().filter(|(name, _)| name.starts_with("WITGATE_")) {
            if known.iter().any(|key| key == name) || kubernetes(name) {
                continue;
            }
            let near = file::nearest(name, known.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            self.notes.push(format!("{name}: ignored: no key has this name{near}"));
        }
    }

    fn flags(&mut self, flags: &Flags) {
        for (flag, key, text) in &flags.keys {
            self.set(key, text, Origin::Flag(flag));
        }
        if let Some(port) = flags.port
            && let Converted::To(text) = one_api::port(&port.to_string(), &self.text("server.listen"))
        {
            self.set("server.listen", &text, Origin::Flag("--port"));
        }
    }

    /// The setting that a variable of One API would set, when something stronger set it.
    fn shadowed(&self, variable: &str) -> Option<&Setting> {
        let key = one_api::ROWS.iter().find(|row| row.name == variable).and_then(|row| match row.meaning {
            Meaning::Sets(key, _) => Some(key),
            _ => None,
        })?;
        let setting = self.settings.iter().find(|setting| setting.name() == key)?;
        match &setting.origin {
            Origin::Env(names, _) if names.iter().any(|name| name == variable) => None,
            _ => Some(setting),
        }
    }
}
