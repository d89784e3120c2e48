//! Values computed from secrets: the guest builds them and names them by number, only the host can read them.
//!
//! Four counters bound what a guest can make the host do: values and signatures per exchange, bytes held, and bytes worked on. Every value
//! is wiped when the exchange ends.

mod rs256;
#[cfg(test)]
mod vectors;

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::Secret;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use wasmtime::{Result, bail};
use zeroize::Zeroizing;

const VALUES_MAX: usize = 1024;
/// Signatures per exchange: one takes the host milliseconds, and a flow needs one.
const SIGNATURES_MAX: usize = 16;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secrets of one exchange and the values built from them.
#[derive(Default)]
pub(crate) struct Values {
    secrets: BTreeMap<String, Secret>,
    values: Vec<Value>,
    held: usize,
    worked: usize,
    signed: usize,
    bytes_max: usize,
}

struct Value {
    bytes: Zeroizing<Vec<u8>>,
    /// A secret went into it. What was made of texts alone is nothing that the guest does not know.
    secret: bool,
}

impl Values {
    /// At most `bytes_max` bytes are held at once, and four times as many hashed or encoded in all.
    pub(crate) fn new(secrets: BTreeMap<String, Secret>, bytes_max: usize) -> Self {
        Values { secrets, bytes_max, ..Values::default() }
    }

    /// The value of this number.
    pub(crate) fn value(&self, number: u32) -> Option<&[u8]> {
        self.at(number).map(|value| value.bytes.as_slice())
    }

    /// Every value that a secret went into, oldest first.
    pub(crate) fn secret_values(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().filter(|value| value.secret).map(|value| value.bytes.as_slice())
    }

    /// A secret as a value; none when it is not set.
    pub(crate) fn get(&mut self, name: &str) -> Result<Option<u32>> {
        match self.secrets.get(name).map(|secret| secret.expose().as_bytes().to_vec()) {
            Some(bytes) => self.keep(bytes, true).map(Some),
            None => Ok(None),
        }
    }

    /// A text as a value.
    pub(crate) fn text(&mut self, text: String) -> Result<u32> {
        self.keep(text.into_bytes(), false)
    }

    /// Several values in a row.
    pub(crate) fn concat(&mut self, numbers: &[u32]) -> Result<Result<u32, String>> {
        let mut size = 0;
        for &number in numbers {
            match self.value(number) {
                Some(value) => size += value.len(),
                None => return Ok(Err(unknown(number))),
            }
        }
        self.work(size)?;
        let joined = numbers.iter().filter_map(|&number| self.value(number)).collect::<Vec<_>>().concat();
        self.keep(joined, self.any_secret(numbers)).map(Ok)
    }

    /// The keyed hash of a value.
    pub(crate) fn hmac(&mut self, algorithm: &str, key: u32, data: u32) -> Result<Result<u32, String>> {
        self.work(self.size(key) + self.size(data))?;
        let (key_bytes, data_bytes) = match self.pair(key, data) {
            Ok(pair) => pair,
            Err(what) => return Ok(Err(what)),
        };
        let code = match algorithm {
            "sha1" => keyed::<Hmac<Sha1>>(key_bytes, data_bytes),
            "sha256" => keyed::<Hmac<Sha256>>(key_bytes, data_bytes),
            "sha512" => keyed::<Hmac<Sha512>>(key_bytes, data_bytes),
            _ => Err(unknown_algorithm(algorithm, HASHES)),
        };
        self.keep_answer(code, &[key, data])
    }

    /// The hash of a value.
    pub(crate) fn hash(&mut self, algorithm: &str, data: u32) -> Result<Result<u32, String>> {
        self.work(self.size(data))?;
        let Some(bytes) = self.value(data) else { return Ok(Err(unknown(data))) };
        let digest = match algorithm {
            "sha1" => Ok(Sha1::digest(bytes).to_vec()),
            "sha256" => Ok(Sha256::digest(bytes).to_vec()),
            "sha512" => Ok(Sha512::digest(bytes).to_vec()),
            _ => Err(unknown_algorithm(algorithm, HASHES)),
        };
        self.keep_answer(digest, &[data])
    }

    /// A value in a text form.
    pub(crate) fn encode(&mut self, encoding: &str, data: u32) -> Result<Result<u32, String>> {
        self.work(self.size(data))?;
        let Some(bytes) = self.value(data) else { return Ok(Err(unknown(data))) };
        let text = match encoding {
            "hex" => Ok(hex::encode(bytes)),
            "base64" => Ok(STANDARD.encode(bytes)),
            "base64url" => Ok(URL_SAFE_NO_PAD.encode(bytes)),
            "url" => {
                // With room for the longest form: a text that grows leaves copies of its beginning behind.
                let mut text = String::with_capacity(bytes.len().saturating_mul(3));
                text.extend(percent_encode(bytes, RESERVED));
                Ok(text)
            }
            _ => Err(format!("unknown encoding `{encoding}` (known: hex, base64, base64url, url)")),
        };
        self.keep_answer(text.map(String::into_bytes), &[data])
    }

    /// The signature of a value under a private key.
    pub(crate) fn sign(&mut self, algorithm: &str, key: u32, data: u32) -> Result<Result<u32, String>> {
        if self.signed == SIGNATURES_MAX {
            bail!("the guest asked for more than {SIGNATURES_MAX} signatures in one exchange");
        }
        self.signed += 1;
        self.work(self.size(key) + self.size(data))?;
        let signature = match (self.pair(key, data), algorithm) {
            (Err(what), _) => Err(what),
            (Ok((key, data)), "rs256") => rs256::sign(key, data),
            (Ok(_), _) => Err(unknown_algorithm(algorithm, "rs256")),
        };
        self.keep_answer(signature, &[key, data])
    }

    fn at(&self, number: u32) -> Option<&Value> {
        self.values.get(usize::try_from(number).ok()?)
    }

    fn pair(&self, key: u32, data: u32) -> Result<(&[u8], &[u8]), String> {
        let value = |number| self.value(number).ok_or_else(|| unknown(number));
        Ok((value(key)?, value(data)?))
    }

    fn any_secret(&self, numbers: &[u32]) -> bool {
        numbers.iter().any(|&number| self.at(number).is_some_and(|value| value.secret))
    }

    fn size(&self, number: u32) -> usize {
        self.value(number).map_or(0, <[u8]>::len)
    }

    fn work(&mut self, bytes: usize) -> Result<()> {
        self.worked = self.worked.saturating_add(bytes);
        if self.worked > self.bytes_max.saturating_mul(4) {
            bail!("the guest hashed or encoded more than {} bytes in one exchange", self.bytes_max.saturating_mul(4));
        }
        Ok(())
    }

    fn keep_answer(&mut self, answer: Result<Vec<u8>, String>, from: &[u32]) -> Result<Result<u32, String>> {
        match answer {
            Ok(bytes) => self.keep(bytes, self.any_secret(from)).map(Ok),
            Err(what) => Ok(Err(what)),
        }
    }

    fn keep(&mut self, bytes: Vec<u8>, secret: bool) -> Result<u32> {
        let bytes = Zeroizing::new(bytes);
        if self.values.len() == VALUES_MAX {
            bail!("the guest built more than {VALUES_MAX} values from secrets in one exchange");
        }
        self.held = self.held.saturating_add(bytes.len());
        if self.held > self.bytes_max {
            bail!("the guest built values from secrets of more than {} bytes in one exchange", self.bytes_max);
        }
        self.values.push(Value { bytes, secret });
        Ok(u32::try_from(self.values.len() - 1)?)
    }
}

/// The hashes that `hash` and `hmac` know.
const HASHES: &str = "sha1, sha256, sha512";

fn keyed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Result<Vec<u8>, String> {
    let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(data);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn unknown(number: u32) -> String {
    format!("there is no value {number}")
}

fn unknown_algorithm(algorithm: &str, known: &str) -> String {
    format!("unknown algorithm `{algorithm}` (known: {known})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(secret: &str) -> Values {
        Values::new(BTreeMap::from([("key".to_owned(), Secret::new(secret))]), 1 << 20)
    }

    fn read(values: &Values, number: u32) -> &str {
        std::str::from_utf8(values.value(number).unwrap()).unwrap()
    }

    #[test]
    fn keyed_hashes_match_the_published_vectors() {
        // RFC 4231 and RFC 2202, test case 2.
        for (algorithm, expected) in [
            ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                "sha512",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let mut values = values("Jefe");
            let key = values.get("key").unwrap().unwrap();
            let data = values.text("what do ya want for nothing?".to_owned()).unwrap();
            let code = values.hmac(algorithm, key, data).unwrap().unwrap();
            let hex = values.encode("hex", code).unwrap().unwrap();
            assert_eq!(read(&values, hex), expected);
        }
    }

    #[test]
    fn values_are_joined_hashed_and_encoded() {
        let mut values = values("abc");
        let key = values.get("key").unwrap().unwrap();
        let hash = values.hash("sha256", key).unwrap().unwrap();
        let hex = values.encode("hex", hash).unwrap().unwrap();
        assert_eq!(read(&values, hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let text = values.text("?a b/ä~".to_owned()).unwrap();
        let joined = values.concat(&[key, text, key]).unwrap().unwrap();
        assert_eq!(read(&values, joined), "abc?a b/ä~abc");
        let url = values.encode("url", text).unwrap().unwrap();
        assert_eq!(read(&values, url), "%3Fa%20b%2F%C3%A4~");
        let base64url = values.encode("base64url", text).unwrap().unwrap();
        assert_eq!(read(&values, base64url), "P2EgYi_DpH4");
        assert_eq!(values.get("other").unwrap(), None);
        assert!(values.hash("md5", key).unwrap().unwrap_err().contains("md5"));
        assert_eq!(values.concat(&[key, 99]).unwrap(), Err("there is no value 99".to_owned()));
        assert!(values.hmac("sha256", 99, key).unwrap().is_err());
        assert!(values.value(99).is_none());
    }

    #[test]
    fn what_a_secret_went_into_is_known() {
        let mut values = values("canary");
        let (key, text) = (values.get("key").unwrap().unwrap(), values.text("Bearer ".to_owned()).unwrap());
        let (key_hash, text_hash) = (values.hash("sha256", key).unwrap(), values.hash("sha256", text).unwrap());
        let joined = values.concat(&[text, key]).unwrap().unwrap();
        let keyed_by_text = values.hmac("sha256", text, text).unwrap().unwrap();
        let keyed_by_secret = values.hmac("sha256", key, text).unwrap().unwrap();
        let over_secret = values.hmac("sha256", text_hash.clone().unwrap(), key).unwrap().unwrap();
        let encoded = values.encode("hex", over_secret).unwrap().unwrap();
        let known = [key, key_hash.unwrap(), joined, keyed_by_secret, over_secret, encoded];
        let known: Vec<_> = known.iter().map(|&number| values.value(number).unwrap()).collect();
        assert_eq!(values.secret_values().collect::<Vec<_>>(), known);
        assert!(!known.contains(&values.value(keyed_by_text).unwrap()));
    }

    #[test]
    fn a_signature_needs_a_known_algorithm_and_a_key() {
        let mut values = values("not a key");
        let (key, data) = (values.get("key").unwrap().unwrap(), values.text("data".to_owned()).unwrap());
        let refused = |answer: Result<Result<u32, String>>| answer.unwrap().unwrap_err();
        assert!(refused(values.sign("rs256", key, data)).contains("not a PEM private key"));
        assert!(refused(values.sign("es256", key, data)).contains("known: rs256"));
        assert!(refused(values.sign("rs256", key, 99)).contains("no value 99"));
        assert!(refused(values.sign("rs256", 98, data)).contains("no value 98"));
        for _ in 4..SIGNATURES_MAX {
            assert!(values.sign("rs256", key, data).unwrap().is_err());
        }
        assert!(values.sign("rs256", key, data).unwrap_err().to_string().contains("16 signatures"));
    }

    #[test]
    fn counts_bytes_and_work_are_bounded() {
        let mut many = values("abc");
        for _ in 0..VALUES_MAX {
            many.text(String::new()).unwrap();
        }
        assert!(many.text(String::new()).is_err());

        let mut doubling = values("abc");
        let mut last = doubling.text("x".repeat(1024)).unwrap();
        let error = loop {
            match doubling.concat(&[last, last]) {
                Ok(number) => last = number.unwrap(),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("bytes"), "{error}");
        assert!(doubling.held < 4 << 20);

        let mut busy = values("abc");
        let large = busy.text("x".repeat(900_000)).unwrap();
        let done = (0..100).take_while(|_| busy.hash("sha512", large).is_ok()).count();
        assert_eq!(done, 4);
    }
}
