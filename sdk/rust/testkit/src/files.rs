//! The files of one case, wherever they come from.

use std::collections::BTreeMap;
use std::path::Path;

/// Contents by name: of one case `case.json`, of a whole archive `chat/plain/case.json`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What is in a case's folder.
pub(crate) fn of_case(folder: &Path) -> Result<Files, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(format!("{}: a name that is no UTF-8", path.display()));
        };
        if path.is_dir() {
            return Err(format!("{}: a case has files only, not folders", path.display()));
        }
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        files.insert(name.to_owned(), bytes);
    }
    Ok(files)
}

/// The cases of an archive: capability, name and files, ordered.
pub(crate) fn cases(archive: &Files) -> Result<BTreeMap<(String, String), Files>, String> {
    let mut cases: BTreeMap<(String, String), Files> = BTreeMap::new();
    for (path, bytes) in archive {
        let parts: Vec<&str> = path.split('/').collect();
        let [capability, case, name] = parts.as_slice() else {
            return Err(format!("`{path}` is no file of a case (<capability>/<case>/<file>)"));
        };
        let case = cases.entry(((*capability).to_owned(), (*case).to_owned())).or_default();
        case.insert((*name).to_owned(), bytes.clone());
    }
    Ok(cases)
}

/// A file as text.
pub(crate) fn text<'a>(files: &'a Files, name: &str) -> Result<Option<&'a str>, String> {
    let Some(bytes) = files.get(name) else { return Ok(None) };
    std::str::from_utf8(bytes).map(Some).map_err(|_| format!("{name} is not UTF-8"))
}
