//! The keyed hash under which API keys are stored and looked up.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA256 under a key that is derived from the master key: a stolen database alone allows no guessing.
#[derive(Clone)]
pub struct KeyHasher(Hmac<Sha256>);

impl KeyHasher {
    /// A hasher under this key.
    pub fn new(key: &[u8; 32]) -> Self {
        // HMAC pads keys with zeros to the block size; doing it here makes the constructor infallible.
        let mut block = [0u8; 64];
        block[..32].copy_from_slice(key);
        KeyHasher(Hmac::new(&block.into()))
    }

    /// The hash of an API key as the client sends it.
    pub fn hash(&self, key: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(key.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_vector() {
        // RFC 4231, test case 1: a key of twenty bytes, which HMAC pads with zeros.
        let mut key = [0u8; 32];
        key[..20].fill(0x0b);
        let hex: String = KeyHasher::new(&key).hash("Hi There").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }
}
