//! Fuzzes the decoder of server-sent events: no input may panic, and where the bytes are cut must not matter.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| upstream::frame::fuzz::sse(input));
