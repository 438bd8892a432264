//! Vectors of the frames of a meeting.

use concordat_protocol::{
    codec::hex,
    hash::{BoardId, EntryId, FeedId},
    limits::{SEQ_MAX, TIME_MS_MAX},
    sync::{Goodbye, HaveItem, Message, NoPayload, Point, have_digest},
    time::TimeMs,
};
use serde_json::json;

use super::{
    File,
    edit::{bytes, copies, edit, list, reversed, text, uint},
    feed::forked,
};
use crate::support::world::{card, feed_key};

fn item(byte: u8, tips: Vec<Point>) -> HaveItem {
    HaveItem(FeedId::from_bytes([byte; 32]), 9, EntryId::from_bytes([byte; 32]), tips)
}

fn point(seq: u64, byte: u8) -> Point {
    Point(seq, EntryId::from_bytes([byte; 32]))
}

/// One of each, in the order of the tags; of some more than one.
fn messages() -> Vec<(&'static str, Message)> {
    let board = BoardId::from_bytes([1; 32]);
    let feed = FeedId::from_bytes([2; 32]);
    let card = card(1).sign(&feed_key(1)).unwrap().to_bytes();
    let items = vec![item(1, vec![]), item(2, vec![point(12, 3), point(15, 4)])];
    let digest = have_digest(&board, &items);
    let now = TimeMs(1_511_136_000_000);
    let hello = |versions, boards| Message::Hello { versions, card: card.clone(), boards, now };
    let (pen, _) = forked(crate::support::world::board());
    let want = |target| Message::Want {
        request: 1,
        feed,
        from: 9,
        before: EntryId::from_bytes([2; 32]),
        target,
    };
    vec![
        ("hello", hello(vec![1], vec![board])),
        ("hello of nobody known", hello(vec![1, 2], vec![])),
        ("credit", Message::Credit(8)),
        ("have: the digest alone", Message::Have { board, digest, items: vec![] }),
        ("have", Message::Have { board, digest, items }),
        ("ask", Message::Ask(board)),
        ("want", want(None)),
        ("want a branch", want(Some(point(12, 3)))),
        ("run", Message::Run { request: 1, last: true, run: pen.run(0, 2) }),
        ("run that is pushed", Message::Run { request: 0, last: true, run: pen.run(2, 3) }),
        ("run, more to come", Message::Run { request: 1, last: false, run: pen.run(0, 1) }),
        ("nothing", Message::Nothing { request: 1 }),
        (
            "compare",
            Message::Compare {
                request: 0,
                feed: pen.feed(),
                head: pen.heads[3],
                points: vec![Point(0, pen.entries[0].1), Point(3, pen.entries[3].1)],
            },
        ),
        ("side", Message::Side { feed: pen.feed(), index: 2, side: pen.side(2) }),
        ("want_payload", Message::WantPayload { request: 2, feed, at: point(9, 2), offset: 0 }),
        ("payload", Message::Payload { request: 2, offset: 0, total: 5, piece: vec![1, 2, 3] }),
        ("no_payload: not yours", Message::NoPayload { request: 2, why: NoPayload::NotYours }),
        (
            "no_payload: redacted",
            Message::NoPayload {
                request: 2,
                why: NoPayload::Redacted(EntryId::from_bytes([8; 32])),
            },
        ),
        ("no_payload: not here", Message::NoPayload { request: 2, why: NoPayload::NotHere }),
        (
            "goodbye",
            Message::Goodbye(Goodbye {
                code: "overrun".into(),
                sentence: "the peer sent more than 32 frames without waiting for credit".into(),
            }),
        ),
    ]
}

pub(crate) fn frame() -> File {
    let mut file = File::new(
        "frame",
        "Frames: a tag and a body. Their length on the stream, four bytes, is not shown.",
    );
    for (name, message) in messages() {
        let lane = format!("{:?}", message.lane()).to_lowercase();
        let fields = json!({ "message": message.name(), "lane": lane });
        file.good("frame", name, &message.to_frame(), fields);
    }
    let (name, items) =
        ("the digest of a have", vec![item(1, vec![]), item(2, vec![point(12, 3)])]);
    let board = BoardId::from_bytes([1; 32]);
    let fields = json!({
        "board": board.to_string(),
        "items": hex(&concordat_protocol::codec::encode(&items)),
        "digest": hex(&have_digest(&board, &items).0),
    });
    file.case(name, fields, Ok(json!({})));
    file.bad("frame", "nothing", &[]);
    file.bad("frame", "tag 0", &[0, 0x80]);
    file.bad("frame", "tag 14", &[14, 0x80]);
    for (name, what, path, new) in [
        ("hello", "without versions", vec![0], list(&[])),
        ("hello", "with 17 versions", vec![0], copies(uint(1), 17)),
        ("hello", "with a board twice", vec![2], copies(bytes(&[1; 32]), 2)),
        ("hello", "with a card of more than 4 KiB", vec![1], bytes(&[0; 4097])),
        ("hello", "with a clock past 2^53", vec![3], uint(TIME_MS_MAX + 1)),
        ("credit", "of nothing", vec![], list(&[])),
        ("credit", "of two numbers", vec![], copies(uint(1), 2)),
        ("have", "of size 2^48", vec![2, 0, 1], uint(SEQ_MAX + 1)),
        ("have", "with 33 tips", vec![2, 0, 3], copies(list(&[uint(1), bytes(&[1; 32])]), 33)),
        ("ask", "of two boards", vec![], copies(bytes(&[1; 32]), 2)),
        ("want", "from entry 2^48", vec![2], uint(SEQ_MAX + 1)),
        ("want", "of two targets", vec![4], copies(list(&[uint(1), bytes(&[1; 32])]), 2)),
        ("run", "that is last twice", vec![1], uint(2)),
        ("run", "of no entries", vec![2, 4], list(&[])),
        ("compare", "with a head that is none", vec![2], bytes(&[0x80])),
        ("compare", "of 33 points", vec![3], copies(list(&[uint(1), bytes(&[1; 32])]), 33)),
        (
            "compare",
            "of a point past 2^48",
            vec![3],
            list(&[list(&[uint(1 << 48), bytes(&[1; 32])])]),
        ),
        ("side", "of 64 steps", vec![2, 2], copies(bytes(&[1; 32]), 64)),
        ("want_payload", "of entry 2^48", vec![2], uint(SEQ_MAX + 1)),
        ("no_payload: not here", "for reason 3", vec![1], uint(3)),
        ("no_payload: not here", "redacted by nobody", vec![1], uint(1)),
        ("goodbye", "with a code of 257 bytes", vec![0], text(&"c".repeat(257))),
    ] {
        let messages = messages();
        let (_, message) = messages.into_iter().find(|(known, _)| *known == name).unwrap();
        let frame = message.to_frame();
        let changed = [&frame[..1], &edit(&frame[1..], &path, new)].concat();
        file.bad("frame", &format!("{name} {what}"), &changed);
    }
    let (_, have) = messages().into_iter().find(|(name, _)| *name == "have").unwrap();
    let have = have.to_frame();
    for (name, path) in [("items", vec![2]), ("tips", vec![2, 1, 3])] {
        let changed = [&have[..1], &reversed(&have[1..], &path)].concat();
        file.bad("frame", &format!("have with {name} out of order"), &changed);
    }
    file
}
