//! Writes the answer as a whole.

use witgate_sdk::{Call, Out, Stamp};

/// One chat completion.
pub(crate) fn write(call: &Call, text: &str, out: &mut Out) {
    out.emit(Stamp::new(call).completion().text(text).finish("stop").to_json());
}
