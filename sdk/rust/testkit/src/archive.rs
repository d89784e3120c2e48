//! Fixtures inside a component: one custom section with all files as JSON, so that any language can read and write it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

pub use crate::Files;

/// The custom section's name.
pub const SECTION: &str = "witgate:fixtures";
/// The version of the format that is written, and the only one that is read.
const FORMAT: u32 = 1;
/// Bytes of a packed archive; more would slow every load of the component.
pub const ARCHIVE_MAX: usize = 8 << 20;

#[derive(Serialize, Deserialize)]
struct Archive {
    format: u32,
    files: BTreeMap<String, Content>,
}

/// Text as it is; anything else as base64.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Bytes { base64: String },
}

/// Fixtures as an archive. The same files give the same bytes.
///
/// # Errors
/// When they are larger than [`ARCHIVE_MAX`].
pub fn encode(files: &Files) -> Result<Vec<u8>, String> {
    let content = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
        Ok(text) => Content::Text(text.to_owned()),
        Err(_) => Content::Bytes { base64: BASE64_STANDARD.encode(bytes) },
    };
    let files = files.iter().map(|(path, bytes)| (path.clone(), content(bytes))).collect();
    let archive = serde_json::to_vec(&Archive { format: FORMAT, files }).map_err(|error| error.to_string())?;
    if archive.len() > ARCHIVE_MAX {
        return Err(format!("the fixtures have {} bytes, the limit is {ARCHIVE_MAX}", archive.len()));
    }
    Ok(archive)
}

/// Whether there is a case in a `fixtures` folder.
pub fn has_cases(folder: &Path) -> bool {
    let names = |folder: &Path| folders(folder).unwrap_or_default();
    let has = |capability: &String| !names(&folder.join(capability)).is_empty();
    names(folder).iter().any(has)
}

/// A component with the cases of a `fixtures` folder packed into it, in place of those that it has.
///
/// # Errors
/// What is wrong with the component or the folder.
pub fn pack(wasm: &[u8], folder: &Path) -> Result<Vec<u8>, String> {
    crate::section::put(wasm, SECTION, &encode(&read_folder(folder)?)?)
}

/// The fixtures in a component; none when it has none.
///
/// # Errors
/// What is wrong with the component or its fixtures.
pub fn unpack(wasm: &[u8]) -> Result<Option<Files>, String> {
    crate::section::find(wasm, SECTION)?.map(decode).transpose()
}

/// The files of an archive.
///
/// # Errors
/// What is wrong with it, for people.
pub fn decode(archive: &[u8]) -> Result<Files, String> {
    if archive.len() > ARCHIVE_MAX {
        return Err(format!("the packed fixtures have {} bytes, the limit is {ARCHIVE_MAX}", archive.len()));
    }
    let unreadable = |what: String| format!("the packed fixtures (section `{SECTION}`) cannot be read: {what}");
    let archive: Archive = serde_json::from_slice(archive).map_err(|error| unreadable(error.to_string()))?;
    if archive.format != FORMAT {
        return Err(unreadable(format!("they have format {}, this program knows {FORMAT}", archive.format)));
    }
    let mut files = Files::new();
    for (path, content) in archive.files {
        let bytes = match content {
            Content::Text(text) => text.into_bytes(),
            Content::Bytes { base64 } => {
                BASE64_STANDARD.decode(base64).map_err(|error| unreadable(format!("{path}: {error}")))?
            }
        };
        files.insert(path, bytes);
    }
    Ok(files)
}

/// Everything under a `fixtures` folder whose path a case can have: `<capability>/<case>/<file>`.
///
/// # Errors
/// What cannot be read, and a folder without a case.
pub fn read_folder(folder: &Path) -> Result<Files, String> {
    let mut files = Files::new();
    for capability in folders(folder)? {
        for case in folders(&folder.join(&capability))? {
            for (name, bytes) in crate::files::of_case(&folder.join(&capability).join(&case))? {
                files.insert(format!("{capability}/{case}/{name}"), bytes);
            }
        }
    }
    if files.is_empty() {
        return Err(format!("{}: there is no case in it (<capability>/<case>/case.json)", folder.display()));
    }
    Ok(files)
}

fn folders(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_dir() {
            let name = entry.file_name().into_string();
            names.push(name.map_err(|name| format!("{}: {name:?} is no UTF-8", folder.display()))?);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let files = Files::from([
            ("chat/a/case.json".to_owned(), b"{}\n".to_vec()),
            ("chat/a/upstream-response.bin".to_owned(), vec![0, 0xff, 1]),
        ]);
        let archive = encode(&files).unwrap();
        assert_eq!(
            String::from_utf8(archive.clone()).unwrap(),
            r#"{"format":1,"files":{"chat/a/case.json":"{}\n","chat/a/upstream-response.bin":{"base64":"AP8B"}}}"#
        );
        assert_eq!(decode(&archive).unwrap(), files);
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for (archive, expected) in [
            ("garbage", "cannot be read"),
            (r#"{"format":2,"files":{}}"#, "format 2"),
            (r#"{"format":1,"files":{"a":{"base64":"?"}}}"#, "a: "),
        ] {
            let error = decode(archive.as_bytes()).unwrap_err();
            assert!(error.contains(expected) && error.contains(SECTION), "{error}");
        }
    }
}
