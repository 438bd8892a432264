//! What pages beside a bundle have in common: how far its feeds go, and one signature checked by hand.
//!
//! *Invariants.* As of the pages: all of it was read from the bundle, and every indented line is one for a shell.
//!
//! *Source*: ours; keys per RFC 8410.

use std::fmt::Write as _;

use concordat_protocol::{audit::FeedSummary, feed::SignedHead, identity::PublicKey};
use data_encoding::BASE64;

/// What stands before the 32 bytes of an Ed25519 key where keys of any kind may stand (RFC 8410, section 4).
pub(in crate::cli) const DER_OF_KEY: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

/// The section on how far each feed goes.
pub(in crate::cli) fn contents(number: usize, feeds: &[FeedSummary]) -> String {
    format!("{number}. WHAT IS IN IT\n\n{}\n", heads(feeds))
}

/// How far each feed goes.
pub(in crate::cli) fn heads(feeds: &[FeedSummary]) -> String {
    let mut text = "\
Each organisation writes a feed of its own; after a change of its key, the next in another epoch. The
root is that of the tree over all entries of the feed (RFC 6962). Two auditors with the same last
entries have the same bundle.

"
    .to_owned();
    for feed in feeds {
        let FeedSummary { name, entries, settled, .. } = feed;
        let _infallible = writeln!(text, "{name}: {entries} entries, {settled} settled");
        if let Some(SignedHead { head, .. }) = &feed.head {
            let root = BASE64.encode(&head.root.0);
            let _infallible = writeln!(text, "  last {}\n  root {root}", head.id);
        }
    }
    text
}

/// The section on one signature.
pub(in crate::cli) fn one_signature(
    number: usize,
    feed: &FeedSummary,
    signed: &SignedHead,
) -> String {
    let name = &feed.name;
    format!(
        "{number}. ONE SIGNATURE, BY HAND

The newest head of {name}, over its {} entries. The first file is what was signed: the text
concordat/head/v1, a zero byte, and in CBOR [1, feed, number of entries, last entry, root]. The last is
the organisation's key, which the charter names, or for a later epoch the opening of its feed.

    echo {} | openssl base64 -d -A >head.signed
    echo {} | openssl base64 -d -A >head.signature
    echo {} | openssl base64 -d -A >key.der
    openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in head.signed -sigfile head.signature

openssl (3.0 or later) answers: Signature Verified Successfully.

",
        feed.entries,
        BASE64.encode(&signed.head.message()),
        BASE64.encode(signed.signature.as_bytes()),
        BASE64.encode(&der_of(&feed.key)),
    )
}

fn der_of(key: &PublicKey) -> Vec<u8> {
    [&DER_OF_KEY[..], key.as_bytes()].concat()
}
