//! Frames of a meeting.

#![no_main]

#[path = "../over.rs"]
mod over;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| over::each(&["frame",], bytes));
