//! CBOR, and who organisations are.

#![no_main]

#[path = "../over.rs"]
mod over;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| over::each(
    &["cbor", "inception", "card", "attribution",],
    bytes
));
