//! The property of every decoder: it refuses, or writes again what it read.

#[path = "../protocol/tests/support/decoders.rs"]
mod decoders;

/// Gives the bytes to each of these decoders.
pub(crate) fn each(names: &[&str], bytes: &[u8]) {
    for name in names {
        if let Ok(again) = decoders::decoder(name)(bytes) {
            assert_eq!(again, bytes, "{name} writes other bytes than it read");
        }
    }
}
