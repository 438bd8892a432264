//! What entries carry, checkpoints, and proofs of what they cover.

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
        "tlog_proof",
        "cosign",
    ],
    bytes
));
