//! The master key: 32 bytes from the environment or from a private file in the data directory, and the keys derived from it.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{StoreError, location};

/// The key that all others are derived from. Wiped from memory when dropped.
pub(crate) struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Reads the text form, 64 hexadecimal digits; `origin` says in errors where it came from.
    pub(crate) fn parse(text: &str, origin: &str) -> Result<MasterKey, StoreError> {
        let mut key = Zeroizing::new([0u8; 32]);
        hex::decode_to_slice(text.trim(), key.as_mut_slice()).map_err(|_| {
            StoreError::MasterKey(format!(
                "the master key from {origin} must be 64 hexadecimal digits (32 bytes), as `openssl rand -hex 32` prints them"
            ))
        })?;
        Ok(MasterKey(key))
    }

    /// Reads the key file; `None` when there is none.
    pub(crate) fn read(file: &Path) -> Result<Option<MasterKey>, StoreError> {
        match fs::read_to_string(file) {
            Ok(text) => MasterKey::parse(&Zeroizing::new(text), &file.display().to_string()).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(StoreError::MasterKey(format!("cannot read the master key file {}: {error}", file.display())))
            }
        }
    }

    /// Makes the key file. When another process is faster, its key is the one.
    pub(crate) fn create(file: &Path) -> Result<MasterKey, StoreError> {
        let failed = |error: io::Error| {
            StoreError::MasterKey(format!("cannot make the master key file {}: {error}", file.display()))
        };
        if let Some(dir) = file.parent() {
            location::make_private_dir(dir)?;
        }
        let mut key = Zeroizing::new([0u8; 32]);
        fill_random(key.as_mut_slice())?;
        let text = Zeroizing::new(format!("{}\n", hex::encode(*key)));
        // Written aside and linked into place, so that nobody ever reads half a key.
        let mut suffix = [0u8; 8];
        fill_random(&mut suffix)?;
        let draft = file.with_extension(format!("key.{}", hex::encode(suffix)));
        let mut writer = location::create_private_file(&draft).map_err(failed)?;
        let linked = writer
            .write_all(text.as_bytes())
            .and_then(|()| writer.sync_all())
            .and_then(|()| fs::hard_link(&draft, file));
        fs::remove_file(&draft).map_err(failed)?;
        match linked {
            Ok(()) => Ok(MasterKey(key)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                MasterKey::read(file)?.ok_or_else(|| failed(io::Error::from(io::ErrorKind::NotFound)))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A key for one purpose; different labels give unrelated keys.
    pub(crate) fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut block = Zeroizing::new([0u8; 64]);
        block[..32].copy_from_slice(self.0.as_slice());
        let mut mac = Hmac::<Sha256>::new(&(*block).into());
        mac.update(b"witgate/v1/");
        mac.update(label.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

/// Random bytes of the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), StoreError> {
    SysRng
        .try_fill_bytes(bytes)
        .map_err(|error| StoreError::Unavailable(format!("the operating system gave no random bytes: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_file_is_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("master.key");
        assert!(MasterKey::read(&file).unwrap().is_none());
        let first = MasterKey::create(&file).unwrap();
        let second = MasterKey::create(&file).unwrap();
        let third = MasterKey::read(&file).unwrap().unwrap();
        assert_eq!(*first.derive("seal"), *second.derive("seal"));
        assert_eq!(*first.derive("seal"), *third.derive("seal"));
        assert_ne!(*first.derive("seal"), *first.derive("key-hash"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "drafts are removed");
    }

    #[test]
    fn a_malformed_key_is_refused_and_not_repeated() {
        for text in ["", "hunter2", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
            let Err(error) = MasterKey::parse(text, "the configuration") else { panic!("{text} was taken") };
            assert!(error.to_string().contains("64 hexadecimal digits") && !error.to_string().contains("hunter2"));
        }
    }
}
