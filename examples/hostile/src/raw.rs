//! Texts that Rust does not allow: bytes that are not UTF-8, lengths that reach out of memory, one buffer handed over many times.

use std::mem::ManuallyDrop;

use crate::bindings::witgate::adapter::machine::Effect;

/// A text of bytes that are no UTF-8.
pub(crate) fn not_utf8() -> String {
    // SAFETY: breaks the rule of `String` on purpose. It is only moved and handed to the host as an address and a length.
    unsafe { String::from_utf8_unchecked(vec![b'"', 0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80, b'"']) }
}

/// A text that begins in memory and ends far outside of it.
pub(crate) fn out_of_bounds() -> String {
    let text = ManuallyDrop::new("text".to_owned());
    // SAFETY: none: the length is a lie. Nothing here reads it; the host must notice.
    unsafe { String::from_raw_parts(text.as_ptr().cast_mut(), 0x7000_0000, 0x7000_0000) }
}

/// `count` emissions of one and the same buffer: far more output than there is memory.
pub(crate) fn same_text_again_and_again(bytes: usize, count: usize) -> Vec<Effect> {
    let text = ManuallyDrop::new("x".repeat(bytes));
    let again = || {
        // SAFETY: the buffer is never freed and only read; the bindings hand it over without touching it.
        unsafe { String::from_raw_parts(text.as_ptr().cast_mut(), text.len(), text.len()) }
    };
    (0..count).map(|_| Effect::Emit(again())).collect()
}
