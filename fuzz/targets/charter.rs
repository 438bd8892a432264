//! Charters, and what is said about the next one.

#![no_main]

#[path = "../over.rs"]
mod over;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| over::each(
    &["charter", "founding", "charter_candidate", "charter_vote",],
    bytes
));
