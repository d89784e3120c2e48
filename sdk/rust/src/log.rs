//! The plugin's log: a bounded ring that the host drops unless the operator turned it on. Natively nothing is written.

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the author.
    Debug,
    /// Worth knowing.
    Info,
    /// Strange.
    Warn,
    /// Broken.
    Error,
}

/// Writes a line. Never write what a client or a vendor said: the log is not theirs.
pub fn write(level: Level, text: &str) {
    #[cfg(target_family = "wasm")]
    crate::export::write_log(level, text);
    #[cfg(not(target_family = "wasm"))]
    let _ = (level, text);
}

/// Writes a line for the author.
pub fn debug(text: &str) {
    write(Level::Debug, text);
}

/// Writes a line worth knowing.
pub fn info(text: &str) {
    write(Level::Info, text);
}

/// Writes a line about something strange.
pub fn warn(text: &str) {
    write(Level::Warn, text);
}

/// Writes a line about something broken.
pub fn error(text: &str) {
    write(Level::Error, text);
}
