//! A secret value that does not print itself.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

/// Text that must never reach a guest, a log, an error or an answer. `Debug` shows its length only, there is no `Display`. Its memory is
/// wiped when the last copy of it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Wraps a value; surrounding white space (a key file's last newline) is dropped.
    pub fn new(value: &str) -> Self {
        Secret(Arc::new(Zeroizing::new(value.trim().to_owned())))
    }

    /// The value itself. Callers put it on the wire or seal it, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}
