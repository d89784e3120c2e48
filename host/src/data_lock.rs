//! One server on one data directory: a lock that the kernel takes back however the process ends.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::Context as _;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

const FILE: &str = "serve.lock";

/// Holds the data directory as long as it lives.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

/// Takes the data directory for this process, making it when it is absent.
///
/// Fails when another server holds it: two would each count usage and write the same channels.
pub(crate) fn acquire(dir: &Path) -> anyhow::Result<DataLock> {
    let path = dir.join(FILE);
    if !dir.is_dir() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.with_context(|| format!("cannot make the data directory {}", dir.display()))?;
    }
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = opened.with_context(|| format!("cannot open {}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            // Only to help: the holder may not have written it yet.
            file.read_to_string(&mut pid).ok();
            let pid = Some(pid.trim()).filter(|pid| !pid.is_empty()).map(|pid| format!(" (process {pid})"));
            anyhow::bail!(
                "another witgate serve{} runs on the data directory {}; stop it, or name another with --data-dir",
                pid.unwrap_or_default(),
                dir.display()
            );
        }
        Err(error) => return Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id())).ok();
    Ok(DataLock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let first = acquire(&data).unwrap();
        let refused = acquire(&data).unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()) && refused.contains("--data-dir"), "{refused}");
        drop(first);
        acquire(&data).unwrap();
    }
}
