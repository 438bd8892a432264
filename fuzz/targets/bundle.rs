//! Records of bundles, and whole bundles under audit.

#![no_main]

use concordat_protocol::audit::{audit_bundle, bundle::MAGIC};

#[path = "../over.rs"]
mod over;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    over::each(&["bundle_payload", "bundle_end"], bytes);
    // Whatever it finds, it comes to one of three ends.
    assert!(audit_bundle(&[MAGIC, bytes].concat()).exit_status() <= 2);
});
