//! What makes the copies of this guest differ: bytes in its data that `cargo xtask hostile` writes over. As it is built it is `any`, which
//! behaves as the model says that it is called with.

use crate::bindings::witgate::adapter::machine::Call;

/// The marker, then the name of the behaviour, then the provider id to use, both padded with zeros. The marker stands in the component
/// exactly once; `xtask/src/hostile.rs` knows the same three lengths.
#[used]
static BEHAVIOR: [u8; MARKER + NAME + PROVIDER] =
    *b"witgate-hostile-behaviorany\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0hostile-any\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

const MARKER: usize = 24;
const NAME: usize = 32;
const PROVIDER: usize = 40;

/// Which behaviour this copy has.
pub(crate) fn name() -> String {
    field(MARKER, NAME)
}

/// Which behaviour an exchange has.
pub(crate) fn of(call: &Call) -> String {
    match name().as_str() {
        "any" => call.model.strip_prefix("hostile-").unwrap_or_default().to_owned(),
        name => name.to_owned(),
    }
}

/// The provider that this copy says it is.
pub(crate) fn provider() -> String {
    field(MARKER + NAME, PROVIDER)
}

fn field(from: usize, length: usize) -> String {
    // SAFETY: a shared reference to a static; volatile because the bytes in the file are not the ones that the compiler saw.
    let bytes = unsafe { std::ptr::read_volatile(&raw const BEHAVIOR) };
    let field = &bytes[from..from + length];
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
    String::from_utf8_lossy(&field[..end]).into_owned()
}
