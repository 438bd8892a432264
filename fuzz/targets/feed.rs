//! Feeds: what is chained, signed and proven.

#![no_main]

#[path = "../over.rs"]
mod over;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| over::each(
    &[
        "descriptor",
        "header",
        "head",
        "sealed",
        "run",
        "tip",
        "fork_proof",
        "evidence",
        "open_feed",
        "ack",
    ],
    bytes
));
