//! Secrets at rest: XChaCha20-Poly1305 under a key derived from the master key, bound to the place where they are stored.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::Secret;
use zeroize::Zeroizing;

use crate::{
    StoreError,
    master_key::{MasterKey, fill_random},
};

const NONCE_BYTES: usize = 24;

/// Seals and opens secrets. The text form is `v1:KEYID:BASE64`; the key id says which master key it belongs to without telling it.
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
    key_id: String,
}

impl Sealer {
    pub(crate) fn new(master: &MasterKey) -> Self {
        let key_id = hex::encode(&master.derive("key-id")[..4]);
        Sealer { cipher: XChaCha20Poly1305::new(&Key::from(*master.derive("seal"))), key_id }
    }

    /// Seals a text for one place (`table/row/column`): moved elsewhere it does not open.
    pub(crate) fn seal(&self, place: &str, secret: &Secret) -> Result<String, StoreError> {
        let mut nonce = [0u8; NONCE_BYTES];
        fill_random(&mut nonce)?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: place.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| StoreError::Invalid("a secret is too long to seal".to_owned()))?;
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&sealed);
        Ok(format!("v1:{}:{}", self.key_id, STANDARD_NO_PAD.encode(bytes)))
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<Secret, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("the sealed value at {place} is damaged; set it again"));
        let mut parts = sealed.splitn(3, ':');
        let (Some("v1"), Some(key_id), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(corrupt());
        };
        if key_id != self.key_id {
            return Err(StoreError::MasterKey(format!(
                "the master key is not the one that this database was sealed with (it has id {}, the database wants {key_id}): give \
                 the original key",
                self.key_id
            )));
        }
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| corrupt())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(corrupt)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let plain = Zeroizing::new(self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| corrupt())?);
        Ok(Secret::new(std::str::from_utf8(&plain).map_err(|_| corrupt())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(digit: &str) -> Sealer {
        Sealer::new(&MasterKey::parse(&digit.repeat(64), "a test").unwrap())
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let one = sealer("1");
        let secret = Secret::new("sk-upstream");
        let sealed = one.seal("channels/1/secrets/key", &secret).unwrap();
        assert!(!sealed.contains("sk-upstream"));
        assert_eq!(one.open("channels/1/secrets/key", &sealed).unwrap(), secret);
        assert_ne!(one.seal("channels/1/secrets/key", &secret).unwrap(), sealed, "a nonce is never used twice");

        assert!(matches!(one.open("channels/2/secrets/key", &sealed), Err(StoreError::Corrupt(_))));
        assert!(matches!(sealer("2").open("channels/1/secrets/key", &sealed), Err(StoreError::MasterKey(_))));
        let mut damaged = sealed.clone();
        let last = if damaged.pop() == Some('A') { 'B' } else { 'A' };
        damaged.push(last);
        for bad in [damaged.as_str(), "", "v1", "v2:0:0", &format!("v1:{}:AAAA", one.key_id)] {
            assert!(matches!(one.open("channels/1/secrets/key", bad), Err(StoreError::Corrupt(_))), "{bad}");
        }
    }
}
