//! Fuzzes the decoder of the elements of a JSON array: no input may panic, and where the bytes are cut must not matter.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| upstream::frame::fuzz::json_array(input));
