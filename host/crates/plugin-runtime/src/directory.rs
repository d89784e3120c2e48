//! The component files of a directory, and how to see that one changed.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// What tells whether a file is still the one that was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
    inode: u64,
}

impl Stamp {
    pub(crate) fn of(meta: &fs::Metadata) -> Stamp {
        let ns = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Stamp {
            size: meta.size(),
            modified_ns: ns(meta.mtime(), meta.mtime_nsec()),
            changed_ns: ns(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        }
    }

    /// Whether nothing happened to the file within the last second, by its own times.
    pub(crate) fn is_old(self) -> bool {
        let last = self.modified_ns.max(self.changed_ns);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i128::try_from(now.as_nanos()).is_ok_and(|now| now - last > 1_000_000_000)
    }
}

/// The component files of a directory, ordered by name. Hidden files are ignored: tools write those before they rename them.
pub(crate) fn list(dir: &Path) -> Result<Vec<(String, Stamp)>, String> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err("there is no such directory".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.ends_with(".wasm") || name.starts_with('.') {
            continue;
        }
        // Follows links: that is how mounted configuration appears.
        match fs::metadata(entry.path()) {
            Ok(meta) if meta.is_file() => files.push((name, Stamp::of(&meta))),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // A link that leads to itself leads to no file; it says nothing about the others.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {}
            Err(error) => return Err(format!("{name}: {error}")),
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}
