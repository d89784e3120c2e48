//! Where the database is: reads `--database`, says no to what is not supported yet, makes the file and its directory private.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::StoreError;

const FILE_NAME: &str = "witgate.db";
const PATH_CHARS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The database file that a URL names; without a URL it is in the data directory.
///
/// Errors never repeat the URL: it may hold a password.
pub(crate) fn locate(url: Option<&str>, data_dir: &Path) -> Result<PathBuf, StoreError> {
    let Some(url) = url.map(str::trim).filter(|url| !url.is_empty()) else {
        return Ok(data_dir.join(FILE_NAME));
    };
    let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let product = match scheme.as_str() {
        "sqlite" => return sqlite_file(&url["sqlite:".len()..]),
        "postgres" | "postgresql" => "PostgreSQL",
        "mysql" | "mariadb" => "MySQL",
        _ if url.contains("@tcp(") || url.contains("@unix(") => "MySQL",
        _ => {
            let what =
                "the database URL is not understood: write `sqlite:PATH`, or leave it out to use the data directory";
            return Err(StoreError::Invalid(what.to_owned()));
        }
    };
    Err(StoreError::Invalid(format!(
        "{product} is not supported yet: it arrives with the ledger. Supported now is SQLite: write `sqlite:PATH`, or leave the \
         database out to use the data directory"
    )))
}

fn sqlite_file(rest: &str) -> Result<PathBuf, StoreError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains('?') {
        return Err(StoreError::Invalid("a SQLite URL takes no `?` options here: write `sqlite:PATH`".to_owned()));
    }
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| StoreError::Invalid("the path in the SQLite URL is not UTF-8".to_owned()))?;
    if path.is_empty() || path == ":memory:" {
        return Err(StoreError::Invalid(
            "a database in memory would be empty for every other process: write `sqlite:PATH`".to_owned(),
        ));
    }
    Ok(PathBuf::from(path.as_ref()))
}

/// The URL that the driver is given for a file.
pub(crate) fn url_of(file: &Path) -> Result<String, StoreError> {
    let text = file.to_str().ok_or_else(|| {
        StoreError::Invalid(format!("the database path {} is not UTF-8; choose another", file.display()))
    })?;
    Ok(format!("sqlite://{}?mode=rw", utf8_percent_encode(text, PATH_CHARS)))
}

/// Makes the directory of a private file, readable by its owner alone. An existing one is left as it is.
pub(crate) fn make_private_dir(dir: &Path) -> Result<(), StoreError> {
    if dir.as_os_str().is_empty() || dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(|error| StoreError::Invalid(format!("cannot make the directory {}: {error}", dir.display())))
}

/// Opens a new file that only its owner can read; `AlreadyExists` when there is one.
pub(crate) fn create_private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes sure that the database file exists: the driver would create it readable for everybody, and its `-wal` takes over its mode.
pub(crate) fn prepare(file: &Path, create: bool) -> Result<(), StoreError> {
    match fs::metadata(file) {
        Ok(meta) if meta.is_file() => return Ok(()),
        Ok(_) => return Err(StoreError::Invalid(format!("{} is not a file", file.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreachable(file, &error)),
    }
    if !create {
        return Err(StoreError::NotFound(format!(
            "there is no database at {}: start `witgate serve` once, or name the right one with --data-dir or --database",
            file.display()
        )));
    }
    if let Some(dir) = file.parent() {
        make_private_dir(dir)?;
    }
    match create_private_file(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::Invalid(format!("cannot make the database file {}: {error}", file.display())))
        }
        _ => Ok(()),
    }
}

/// The error for a database file that is there, or may be, but cannot be used by this user.
pub(crate) fn unreachable(file: &Path, error: &io::Error) -> StoreError {
    let file_shown = file.display();
    if error.kind() != io::ErrorKind::PermissionDenied {
        return StoreError::Invalid(format!("the database {file_shown} cannot be reached: {error}"));
    }
    // The nearest thing that can be looked at tells whose it is.
    #[cfg(unix)]
    let owner = file.ancestors().find_map(|path| fs::metadata(path).ok()).map_or_else(String::new, |meta| {
        format!(" it belongs to the user with the id {};", std::os::unix::fs::MetadataExt::uid(&meta))
    });
    #[cfg(not(unix))]
    let owner = "";
    StoreError::Invalid(format!(
        "permission denied for the database {file_shown}:{owner} run the command as the user that runs the server"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_people_write() {
        let dir = Path::new("/data");
        for (url, file) in [
            (None, "/data/witgate.db"),
            (Some(" "), "/data/witgate.db"),
            (Some("sqlite:/srv/w.db"), "/srv/w.db"),
            (Some("sqlite:///srv/w.db"), "/srv/w.db"),
            (Some("sqlite://w.db"), "w.db"),
            (Some("SQLite:w%20x.db"), "w x.db"),
        ] {
            assert_eq!(locate(url, dir).unwrap(), Path::new(file), "{url:?}");
        }
    }

    #[test]
    fn refuses_what_is_not_supported_without_repeating_the_password() {
        for url in [
            "postgres://u:hunter2@db/w",
            "postgresql://u:hunter2@db/w",
            "mysql://u:hunter2@db/w",
            "root:hunter2@tcp(localhost:3306)/oneapi",
            "oracle://u:hunter2@db",
            "sqlite::memory:",
            "sqlite:",
            "sqlite:w.db?mode=hunter2",
        ] {
            let message = locate(Some(url), Path::new("/data")).unwrap_err().to_string();
            assert!(message.contains("sqlite:PATH"), "{url}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_database_out_of_reach_is_not_called_absent() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let error = prepare(&dir.path().join("file/witgate.db"), false).unwrap_err().to_string();
        assert!(error.contains("cannot be reached"), "{error}");
        let denied = unreachable(&dir.path().join("witgate.db"), &io::ErrorKind::PermissionDenied.into()).to_string();
        assert!(denied.contains("permission denied") && denied.contains("belongs to the user"), "{denied}");
    }

    #[test]
    fn a_path_with_odd_characters_survives_the_url() {
        let url = url_of(Path::new("/a b/ü?#%.db")).unwrap();
        assert_eq!(url, "sqlite:///a%20b/%C3%BC%3F%23%25.db?mode=rw");
    }
}
