//! The cases of a whole plugin.

use crate::{Case, Files, files};

/// A case with its place: the capability's folder and its own.
pub struct Named {
    /// `chat`, `embeddings`, `grant`, `account`.
    pub capability: String,
    /// The case's folder.
    pub name: String,
    /// The case, or what is wrong with its files.
    pub case: Result<Case, String>,
}

/// The cases among the files of a `fixtures` folder, ordered.
///
/// # Errors
/// When a file is in no case's folder, and when there is no case.
pub fn suite(archive: &Files) -> Result<Vec<Named>, String> {
    let cases = files::cases(archive)?;
    if cases.is_empty() {
        return Err("there is no case among the fixtures".to_owned());
    }
    let named = |((capability, name), files): ((String, String), Files)| Named {
        case: Case::read(&capability, files),
        capability,
        name,
    };
    Ok(cases.into_iter().map(named).collect())
}
