//! The page that goes with a bundle: what it is, and how it is checked with the machine's own tools.
//!
//! ```text
//! 1 which board       its id, to compare with the minutes
//! 2 what is in it     each feed with its newest head
//! 3 all of it         two verifiers, and what their exit status means
//! 4 one signature     by `openssl` alone
//! 5 a checkpoint      ten lines of Python, then `openssl`
//! ```
//!
//! *Invariants.* All that it says was read from the bundle, none of it from the store. Every indented line is a
//! line for a shell, in the directory where the page lies.
//!
//! *Source*: ours; notes per C2SP `signed-note`, keys per RFC 8410.

use std::fmt::Write as _;

use concordat_protocol::{
    audit::{FeedSummary, Report},
    feed::SignedHead,
    identity::PublicKey,
};
use data_encoding::BASE64;

/// Its name.
pub(super) const NAME: &str = "README.txt";
/// The name of the bundle beside it.
pub(super) const BUNDLE: &str = "board.bundle";

/// What stands before the 32 bytes of an Ed25519 key where keys of any kind may stand (RFC 8410, section 4).
const DER_OF_KEY: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

/// The page for a bundle in which this was found.
pub(super) fn text(report: &Report) -> String {
    let mut page = String::new();
    for board in &report.summary.boards {
        page.push_str(&part_one(&board.title, &board.board.to_string()));
    }
    page.push_str(&contents(&report.summary.feeds));
    page.push_str(ALL_OF_IT);
    let written = |feed: &&FeedSummary| feed.entries > 0;
    let first = report.summary.feeds.iter().filter(written).max_by_key(|feed| feed.entries);
    if let Some((feed, head)) = first.and_then(|feed| Some((feed, feed.head?))) {
        page.push_str(&one_signature(feed, &head));
        page.push_str(&checkpoint(feed));
    }
    page
}

fn part_one(title: &str, board: &str) -> String {
    format!(
        "THE BUNDLE OF A BOARD, FOR AUDITORS

{BUNDLE} holds what the members of the board {title:?} signed, as far as the node
that wrote it held it. Who has the file needs no node, no key and no network to check it.

This page is signed by nobody, and nothing rests on it: verifiers go by the bundle alone.

1. WHICH BOARD

{board}

This id is the hash of the founding charter. Compare it with the minutes of the meeting that founded
the board. Members, their keys and their rules all follow from it.

"
    )
}

fn contents(feeds: &[FeedSummary]) -> String {
    let mut text = "2. WHAT IS IN IT

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
    text.push('\n');
    text
}

const ALL_OF_IT: &str = "3. ALL OF IT

Two programs, written apart, derive everything anew from the bytes: membership, keys, every link and
every signature, payloads, what others acknowledged, forks.

    concordat audit verify board.bundle
    python3 concordat_reader.py verify board.bundle

Both end with the exit status 0 if everything holds, 1 if misbehaviour is proven, 2 if something could
not be checked. The second needs Python 3.11 and nothing else; it comes with the source of Concordat, in
integration-tests/spec-reader. With --json both name each finding alike.

";

fn one_signature(feed: &FeedSummary, signed: &SignedHead) -> String {
    let name = &feed.name;
    format!(
        "4. ONE SIGNATURE, BY HAND

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

fn checkpoint(feed: &FeedSummary) -> String {
    let name = &feed.name;
    format!(
        "5. A CHECKPOINT, BY HAND

Somebody may hand you a checkpoint of a feed, a signed note as C2SP describes it: three lines (which feed,
how many entries, their root), an empty line, and signatures. Save one of {name} as checkpoint.txt
here. It is signed as it stands, and a signature begins with four bytes that are not part of it.

    python3 - <<'END'
    import base64
    note = open(\"checkpoint.txt\", encoding=\"utf-8\", newline=\"\").read()
    text, signatures = note.split(\"\\n\\n\", 1)
    origin, size, root = text.split(\"\\n\")
    line = next(line for line in signatures.split(\"\\n\") if line.startswith(f\"\\u2014 {{origin}} \"))
    open(\"note.signed\", \"w\", encoding=\"utf-8\", newline=\"\").write(text + \"\\n\")
    open(\"note.signature\", \"wb\").write(base64.b64decode(line.split(\" \")[2])[4:])
    print(size, \"entries of\", origin, \"with root\", root)
    END
    openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in note.signed -sigfile note.signature

At the same number of entries its root must be the one that stands above. A root that is another, signed
by the same key, is proof of two histories: keep both.
"
    )
}
