//! New API keys from the operating system's randomness, and the few characters of one that people may see.

use std::fmt;

use domain::Secret;
use rand::{TryRng, rngs::SysRng};

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const RANDOM_CHARS: usize = 48;
const PREFIX_CHARS: usize = 7;

/// The operating system gave no random bytes.
#[derive(Debug)]
pub struct EntropyError(String);

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operating system gave no random bytes: {}", self.0)
    }
}

impl std::error::Error for EntropyError {}

/// A new API key: `sk-` and 48 characters of `A-Za-z0-9`, 285 bits of randomness.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn generate_key() -> Result<Secret, EntropyError> {
    let mut key = String::with_capacity(3 + RANDOM_CHARS);
    key.push_str("sk-");
    let mut bytes = [0u8; 64];
    while key.len() < 3 + RANDOM_CHARS {
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| EntropyError(error.to_string()))?;
        // 248 is the largest multiple of 62 in a byte: values above it would make the first letters likelier.
        let fair = bytes.iter().filter(|byte| **byte < 248).map(|byte| ALPHABET[usize::from(*byte) % 62]);
        key.extend(fair.take(3 + RANDOM_CHARS - key.len()).map(char::from));
    }
    Ok(Secret::new(&key))
}

/// What people recognize a key by: its first seven characters, `sk-AbCd`. Of a short key (one that an operator made up) no more than a
/// quarter is shown.
pub fn display_prefix(key: &str) -> String {
    let shown = PREFIX_CHARS.min(key.chars().count() / 4);
    key.chars().take(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_documented_shape_and_differ() {
        let first = generate_key().unwrap();
        let second = generate_key().unwrap();
        let random = first.expose().strip_prefix("sk-").unwrap();
        assert_eq!(random.len(), 48);
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(first, second);
    }

    #[test]
    fn every_character_is_used_about_equally_often() {
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..1_000 {
            for char in generate_key().unwrap().expose()[3..].chars() {
                *counts.entry(char).or_insert(0u32) += 1;
            }
        }
        // 48,000 draws over 62 characters: 774 expected, a standard deviation of 28.
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| (550..1_000).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_prefix_never_shows_much_of_a_key() {
        assert_eq!(display_prefix(&format!("sk-AbCd{}", "x".repeat(44))), "sk-AbCd");
        assert_eq!(display_prefix("secret"), "s");
        assert_eq!(display_prefix("häßlich-lang"), "häß");
    }
}
