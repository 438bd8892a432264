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

use concordat_protocol::audit::{FeedSummary, Report};

use super::parts::{contents, one_signature};

/// Its name.
pub(super) const NAME: &str = "README.txt";
/// The name of the bundle beside it.
pub(super) const BUNDLE: &str = "board.bundle";

/// The page for a bundle in which this was found.
pub(super) fn text(report: &Report) -> String {
    let mut page = String::new();
    for board in &report.summary.boards {
        page.push_str(&part_one(&board.title, &board.board.to_string()));
    }
    page.push_str(&contents(2, &report.summary.feeds));
    page.push_str(ALL_OF_IT);
    let written = |feed: &&FeedSummary| feed.entries > 0;
    let first = report.summary.feeds.iter().filter(written).max_by_key(|feed| feed.entries);
    if let Some((feed, head)) = first.and_then(|feed| Some((feed, feed.head?))) {
        page.push_str(&one_signature(4, feed, &head));
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

const ALL_OF_IT: &str = "3. ALL OF IT

Two programs, written apart, derive everything anew from the bytes: membership, keys, every link and
every signature, payloads, what others acknowledged, forks.

    concordat audit verify board.bundle
    python3 concordat_reader.py verify board.bundle

Both end with the exit status 0 if everything holds, 1 if misbehaviour is proven, 2 if something could
not be checked. The second needs Python 3.11 and nothing else; it comes with the source of Concordat, in
integration-tests/spec-reader. With --json both name each finding alike.

";

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
