//! The environment as a value: real variables first, then those of `.env` in the working directory. Nothing is written back to the process.

use std::{collections::BTreeMap, path::Path};

use super::dotenv;

/// One variable.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its text, never empty: an empty variable counts as absent, as compose files pass every name they list.
    pub(crate) value: String,
    /// It comes from `.env`.
    pub(crate) dotenv: bool,
}

/// Variables by name.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, Variable>);

/// Values may be secrets: only names are shown.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// The process's variables and the `.env` of a directory, and what could not be read of it.
    pub(crate) fn read(directory: &Path) -> (Environment, Vec<String>) {
        let real =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let path = directory.join(".env");
        match std::fs::read_to_string(&path) {
            Ok(text) => Environment::join(real, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Environment::join(real, ""),
            Err(error) => {
                let (environment, mut errors) = Environment::join(real, "");
                errors.push(format!(".env: cannot be read: {error}"));
                (environment, errors)
            }
        }
    }

    /// Puts variables over the text of a `.env` file.
    pub(crate) fn join(real: impl IntoIterator<Item = (String, String)>, dotenv: &str) -> (Environment, Vec<String>) {
        let mut variables = BTreeMap::new();
        let (read, errors) = dotenv::read(dotenv);
        for (name, value) in read {
            // The first of two equal names wins, as everywhere that reads such files.
            variables.entry(name).or_insert(Variable { value, dotenv: true });
        }
        for (name, value) in real {
            variables.insert(name, Variable { value, dotenv: false });
        }
        variables.retain(|_, variable| !variable.value.trim().is_empty());
        (Environment(variables), errors)
    }

    /// The variable of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.0.get(name)
    }

    /// The first of these names that is set, and its variable.
    pub(crate) fn first<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> Option<(&'a str, &Variable)> {
        names.into_iter().find_map(|name| Some((name.as_str(), self.get(name)?)))
    }

    /// Every variable.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.0.iter().map(|(name, variable)| (name.as_str(), variable))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn environment(real: &[(&str, &str)], dotenv: &str) -> Environment {
        let real = real.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let (environment, errors) = Environment::join(real, dotenv);
        assert_eq!(errors, Vec::<String>::new());
        environment
    }

    pub(crate) fn environment_of(real: &[(&str, &str)]) -> Environment {
        environment(real, "")
    }

    #[test]
    fn real_variables_win_and_empty_ones_are_absent() {
        let environment = environment(&[("A", "real"), ("EMPTY", "")], "A=file\nB='two words' # why\nexport C=3\nD=\n");
        assert_eq!(environment.get("A").unwrap().value, "real");
        assert!(!environment.get("A").unwrap().dotenv);
        assert_eq!(environment.get("B").unwrap().value, "two words");
        assert!(environment.get("B").unwrap().dotenv);
        assert_eq!(environment.get("C").unwrap().value, "3");
        assert!(environment.get("D").is_none() && environment.get("EMPTY").is_none());
    }
}
