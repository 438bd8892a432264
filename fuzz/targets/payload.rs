//! What entries carry, and checkpoints.

#![no_main]

#[path = "../over.rs"]
mod over;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| over::each(
    &[
        "open",
        "change",
        "event",
        "remark",
        "audience",
        "proposal",
        "signoff",
        "close",
        "redact",
        "blob",
        "note",
        "checkpoint",
        "cosign",
    ],
    bytes
));
