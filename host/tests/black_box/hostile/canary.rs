//! Texts that must not turn up anywhere, and where they are looked for.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
};

use base64::Engine as _;
use testkit::VendorRequest;

/// Files that are searched.
const FILE_MAX: u64 = 64 << 20;

/// The secret of every hostile channel, and the access token that its vendor gives out.
pub(super) struct Canary {
    pub(super) secret: String,
    pub(super) token: String,
}

impl Canary {
    pub(super) fn new() -> Canary {
        let random =
            |salt: u32| format!("{:016x}{:016x}", RandomState::new().hash_one(salt), RandomState::new().hash_one(salt));
        Canary { secret: format!("canary-{}", random(1)), token: format!("granted-{}", random(2)) }
    }

    /// Says what was found in this text: one of the two, plainly, in hex or in base64.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let texts = [("the secret", &self.secret), ("the access token", &self.token)];
        let forms = |text: &str| {
            // In base64 three spellings: what comes before decides which.
            [text.to_owned(), hex::encode(text), base64(text, 0), base64(text, 1), base64(text, 2)]
        };
        let searched = String::from_utf8_lossy(bytes);
        texts.iter().find_map(|(what, text)| {
            let form = forms(text).into_iter().find(|form| searched.contains(form.as_str()))?;
            Some(format!("{what} ({form})"))
        })
    }

    /// The same for what an upstream was sent: one header of it may carry them.
    pub(super) fn found_in_request(&self, request: &VendorRequest) -> Option<String> {
        let others = request.headers.iter().filter(|(name, _)| name != "authorization");
        let headers: String = others.map(|(name, value)| format!("{name}: {value}\n")).collect();
        let shown = format!("{} {}?{}\n{headers}\n", request.method, request.path, request.query);
        self.found_in(shown.as_bytes()).or_else(|| self.found_in(&request.body))
    }

    /// The files below a directory that have one of them.
    pub(super) fn found_below(&self, dir: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).expect("a directory of the gateway").flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => found.extend(self.found_below(&path)),
                // What is larger was made by a test, of nothing.
                Ok(kind) if kind.is_file() && entry.metadata().is_ok_and(|meta| meta.len() < FILE_MAX) => {
                    // A file of the database may be gone again.
                    let what = fs::read(&path).ok().and_then(|bytes| self.found_in(&bytes));
                    found.extend(what.map(|what| format!("{what} in {}", path.display())));
                }
                _ => {}
            }
        }
        found
    }
}

/// The letters of the base64 of any text that has this one `offset` bytes after a multiple of three, without those that depend on
/// its neighbours.
fn base64(text: &str, offset: usize) -> String {
    let own = &text.as_bytes()[(3 - offset) % 3..];
    base64::engine::general_purpose::STANDARD.encode(&own[..own.len() / 3 * 3])
}

#[test]
fn a_canary_is_found_in_every_form() {
    let canary = Canary { secret: "canary-0123456789".to_owned(), token: "granted-0123456789".to_owned() };
    for text in [
        "Bearer canary-0123456789.",
        "63616e6172792d30313233343536373839",
        "Y2FuYXJ5LTAxMjM0NTY3ODk=",
        "OmNhbmFyeS0wMTIzNDU2Nzg5",
        "eDpjYW5hcnktMDEyMzQ1Njc4OQ==",
        "x granted-0123456789",
    ] {
        assert!(canary.found_in(text.as_bytes()).is_some(), "{text}");
    }
    assert_eq!(canary.found_in(b"canary-1123456789 [secret]"), None);
}
