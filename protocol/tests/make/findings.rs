//! Bundles that show one finding each, beside those of `bundle.rs`.

use concordat_protocol::{
    audit::bundle::{LoosePayload, Writer},
    feed::{Ack, AckItem, Descriptor, End, Evidence, ForkProof, Kind, OpenFeed, Run, WarrantRole},
    hash::{BoardId, EntryId, FeedId},
    identity::{Card, KeyPair, Signer},
    payload::Note,
    time::TimeMs,
};

use super::{
    bundle::loose,
    feed::{forked, proof},
};
use crate::support::world::{NOON, Pen, board, card, charter, feed_key, founding, org, seed, tiny};

/// A day and more, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A record after the founding file.
#[derive(Clone)]
enum Piece {
    Run(Run),
    Payload(LoosePayload),
}

/// A bundle of the board of six.
fn file(pieces: Vec<Piece>) -> Vec<u8> {
    let (mut writer, magic) = Writer::new();
    let mut file = magic.to_vec();
    file.extend(writer.founding(&founding(&charter())));
    for piece in pieces {
        file.extend(match piece {
            Piece::Run(run) => writer.run(&run),
            Piece::Payload(payload) => writer.payload(&payload),
        });
    }
    file.extend(writer.end());
    file
}

fn of_runs(runs: Vec<Run>) -> Vec<u8> {
    file(runs.into_iter().map(Piece::Run).collect())
}

pub(crate) fn note(pen: &mut Pen, text: &str) {
    pen.write(Kind::NOTE, Note { text: text.into() }.to_bytes());
}

/// An opened feed with these notes.
fn noted(number: u8, texts: &[&str]) -> Pen {
    let mut pen = Pen::of(number);
    texts.iter().for_each(|text| note(&mut pen, text));
    pen
}

/// A feed that acknowledges one entry.
fn acknowledging(number: u8, feed: FeedId, (seq, id): (u64, EntryId)) -> Pen {
    let mut pen = Pen::of(number);
    let received_at = TimeMs(pen.clock);
    let item = AckItem { feed, seq, id, payloads_through: seq, missing: vec![], received_at };
    pen.write(Kind::ACK, Ack(vec![item]).to_bytes());
    pen
}

/// A feed that acknowledges the last entry of another.
fn acknowledging_all(number: u8, of: &Pen) -> Pen {
    acknowledging(number, of.feed(), (of.size() - 1, of.tip.id()))
}

/// The next epoch of a feed, under this key.
fn next_epoch(old: &Pen, key: KeyPair) -> Pen {
    opened_after(old, (WarrantRole::Old, old.signer()), key)
}

/// The epoch after a feed, under this key, by this warrant.
pub(crate) fn opened_after(old: &Pen, prior: (WarrantRole, &dyn Signer), key: KeyPair) -> Pen {
    let epoch = old.descriptor.epoch + 1;
    let descriptor = Descriptor { epoch, key: key.public(), ..old.descriptor };
    let end = End(old.size() - 1, old.tip.id());
    let opening = OpenFeed::next(descriptor, end, prior, &key);
    let mut pen = Pen::blank(descriptor, key);
    pen.write(Kind::OPEN_FEED, opening.to_bytes());
    pen
}

/// Every bundle with its name.
pub(crate) fn bundles() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = places();
    all.extend(histories());
    all.extend(authors());
    all.extend(cards());
    all.extend(claims());
    all.extend(changed());
    all
}

/// Runs with an entry changed between two signed heads, and what is told once of several.
fn changed() -> Vec<(&'static str, Vec<u8>)> {
    let mut one = noted(2, &["one", "two"]);
    one.write(Kind::EVIDENCE, Evidence::Fork(proof(board())).to_bytes());
    note(&mut one, "three");
    note(&mut one, "four");
    let accused = Piece::Run(noted(1, &["one"]).whole());
    let with = |at: usize| {
        let mut run = one.whole();
        run.entries[at].t = TimeMs(NOON);
        file(vec![accused.clone(), Piece::Run(run)])
    };
    let without_head = {
        let mut run = one.whole();
        run.heads.remove(1);
        file(vec![accused.clone(), Piece::Run(run)])
    };
    let short = {
        let mut run = one.whole();
        run.entries.pop();
        file(vec![accused.clone(), Piece::Run(run)])
    };
    let (left, right) = forked(board());
    let lower = noted(1, &["another"]);
    let of_lower =
        ForkProof::new(left.descriptor, 1, left.side(1), lower.side(1)).map(Evidence::Fork);
    let mut judge = Pen::of(2);
    judge.write(Kind::EVIDENCE, Evidence::Fork(proof(board())).to_bytes());
    judge.write(Kind::EVIDENCE, of_lower.unwrap().to_bytes());
    judge.write(Kind::EVIDENCE, Evidence::Fork(proof(board())).to_bytes());
    let mut back = noted(1, &["one"]);
    back.clock -= 60 * 1_000;
    note(&mut back, "a minute before");
    back.clock -= 14 * 60 * 1_000;
    note(&mut back, "a quarter of an hour before");
    back.clock -= 60 * 1_000;
    note(&mut back, "and more");
    let mut unknown = Pen::of(2);
    for seq in [3, 9] {
        let feed = FeedId::from_bytes([9; 32]);
        let id = EntryId::from_bytes([9; 32]);
        let received_at = TimeMs(unknown.clock);
        let item =
            AckItem { feed, seq, id, payloads_through: 12 - seq, missing: vec![], received_at };
        unknown.write(Kind::ACK, Ack(vec![item]).to_bytes());
    }
    let mut silenced = acknowledging_all(2, &noted(1, &["one"]));
    silenced.apart.push(1);
    let unreadable = {
        let (mut writer, magic) = Writer::new();
        let head = [magic.to_vec(), writer.founding(&founding(&charter()))].concat();
        let mut bytes = of_runs(vec![left.whole()]);
        // After the length and the tag of the second record.
        bytes[head.len() + 5] ^= 0x40;
        bytes
    };
    vec![
        ("with an acknowledgement whose payload is not there", of_runs(vec![silenced.whole()])),
        ("with a run that cannot be read", unreadable),
        ("with an entry changed before its second head", with(2)),
        ("with an entry changed after its second head", with(4)),
        ("with an entry changed right before its second head", with(3)),
        ("without a head that must be there", without_head),
        ("without the last entry of a run", short),
        ("with evidence of two forks", of_runs(vec![left.whole(), judge.whole()])),
        (
            "with evidence of two forks, before the feed",
            of_runs(vec![judge.whole(), left.whole(), right.run(2, 3)]),
        ),
        ("with a clock that goes back by little at a time", of_runs(vec![back.whole()])),
        ("with notes by an observer", of_runs(vec![noted(6, &["one", "two"]).whole()])),
        ("with acknowledgements of an unknown feed", of_runs(vec![unknown.whole()])),
    ]
}

/// Runs and payloads that stand elsewhere than they should.
fn places() -> Vec<(&'static str, Vec<u8>)> {
    let one = noted(1, &["one", "two", "three"]);
    let elsewhere = Run { before: EntryId::from_bytes([9; 32]), ..one.run(2, 3) };
    let mut apart = one.clone();
    apart.apart.push(1);
    let two = Pen::of(2);
    let after_end = {
        let whole = of_runs(vec![one.run(0, 2)]);
        let (mut writer, _) = Writer::new();
        [whole, writer.run(&one.run(2, 4)), writer.run(&two.whole())].concat()
    };
    let before_founding = {
        let (mut writer, magic) = Writer::new();
        let records = [
            writer.run(&one.run(2, 4)),
            writer.founding(&founding(&charter())),
            writer.run(&one.run(0, 2)),
        ];
        [magic.to_vec(), records.concat(), writer.end()].concat()
    };
    vec![
        ("with runs in another order", of_runs(vec![one.run(0, 1), one.run(3, 4), one.run(1, 3)])),
        ("with a run twice", of_runs(vec![one.run(0, 2), one.run(1, 2), one.run(2, 4)])),
        ("with a run that continues nothing", of_runs(vec![one.run(0, 2), elsewhere])),
        ("with runs after the end", after_end),
        ("with a run before its founding file", before_founding),
        (
            "with a payload after another run",
            file(vec![
                Piece::Run(apart.whole()),
                Piece::Run(two.whole()),
                Piece::Payload(loose(&apart, 1)),
            ]),
        ),
        (
            "with a payload twice",
            file(vec![
                Piece::Run(apart.whole()),
                Piece::Payload(loose(&apart, 1)),
                Piece::Payload(loose(&apart, 1)),
            ]),
        ),
    ]
}

/// More than one history of a feed.
fn histories() -> Vec<(&'static str, Vec<u8>)> {
    let same = noted(1, &["same"]);
    let written = |text| {
        let mut pen = same.clone();
        note(&mut pen, text);
        pen
    };
    let [first, mut second, third] = ["one", "two", "three"].map(written);
    let lower = noted(1, &["not the same", "more"]);
    let on = |number, pen: &Pen| acknowledging_all(number, pen).whole();
    let settled = of_runs(vec![
        first.whole(),
        second.run(2, 3),
        third.run(2, 3),
        lower.run(1, 3),
        on(2, &first),
        on(3, &second),
        on(4, &second),
        on(5, &second),
    ]);
    let shared =
        of_runs(vec![first.whole(), second.run(2, 3), on(2, &first), on(3, &second), on(4, &same)]);
    second.write(Kind::EVIDENCE, Evidence::Fork(proof(tiny(&[1]).board_id().unwrap())).to_bytes());
    note(&mut second, "above");
    vec![
        ("with four histories, one of them settled", settled),
        ("with two histories, settled as far as they are one", shared),
        ("with evidence on a branch", of_runs(vec![first.whole(), second.run(2, 5)])),
    ]
}

/// Newer cards in feeds: of the organisation and key whose feed it is, and not.
fn cards() -> Vec<(&'static str, Vec<u8>)> {
    let newer = |number: u8| Card { number: 1, ..card(number) };
    let signed = |number| newer(number).sign(&feed_key(number)).unwrap().to_bytes();
    let with = |number, payload| {
        let mut pen = Pen::of(number);
        pen.write(Kind::CARD, payload);
        of_runs(vec![pen.whole()])
    };
    let other_key = Card { feed_key: seed(77).public(), ..newer(1) };
    let mut unsigned = signed(1);
    if let Some(last) = unsigned.last_mut() {
        *last ^= 1;
    }
    vec![
        ("with a newer card", with(1, signed(1))),
        ("with a newer card by an observer", with(6, signed(6))),
        ("with a card of another organisation", with(1, signed(2))),
        (
            "with a card of another key than the feed's",
            with(1, other_key.sign(&seed(77)).unwrap().to_bytes()),
        ),
        ("with a card that nobody signed", with(1, unsigned)),
    ]
}

/// What authors signed, and strangers.
fn authors() -> Vec<(&'static str, Vec<u8>)> {
    let one = noted(1, &["one"]);
    let mut rotated = next_epoch(&one, seed(77));
    note(&mut rotated, "under a new key");
    let back = next_epoch(&rotated, feed_key(1));
    let mut twice = one.clone();
    twice.write(Kind::OPEN_FEED, OpenFeed::first(one.descriptor).to_bytes());
    let mut foreign = Pen::blank(one.descriptor, feed_key(1));
    foreign.write(Kind::OPEN_FEED, OpenFeed::first(Pen::of(2).descriptor).to_bytes());
    let mut garbled = one.clone();
    garbled.write(Kind::NOTE, b"\xff".to_vec());
    let mut newer = Pen::of(6);
    newer.write(Kind(30), b"\x80".to_vec());
    let other = Descriptor { board: BoardId::from_bytes([9; 32]), ..one.descriptor };
    let mut stranger = Pen::blank(other, feed_key(1));
    stranger.write(Kind::OPEN_FEED, OpenFeed::first(other).to_bytes());
    note(&mut stranger, "one");
    vec![
        ("with a second epoch", of_runs(vec![one.whole(), rotated.whole()])),
        (
            "with an epoch under a key of an earlier one",
            of_runs(vec![one.whole(), rotated.whole(), back.whole()]),
        ),
        ("with a feed that is opened twice", of_runs(vec![twice.whole()])),
        ("with an opening of another feed", of_runs(vec![foreign.whole()])),
        ("with a payload that is not what its kind says", of_runs(vec![garbled.whole()])),
        ("with a note by an observer", of_runs(vec![noted(6, &["one"]).whole()])),
        ("with a newer kind by an observer", of_runs(vec![newer.whole()])),
        ("with two runs of another board", of_runs(vec![stranger.run(0, 1), stranger.run(1, 2)])),
        ("with a feed of nobody", of_runs(vec![stranger.run(1, 2)])),
    ]
}

/// Acknowledgements, evidence and clocks that do not match.
fn claims() -> Vec<(&'static str, Vec<u8>)> {
    let one = noted(1, &["one"]);
    let claim = |feed, at| of_runs(vec![one.whole(), acknowledging(2, feed, at).whole()]);
    let other = EntryId::from_bytes([9; 32]);
    let longer = noted(1, &["one", "two", "three"]);
    let mut accusing = Pen::of(2);
    let abroad = tiny(&[1]).board_id().unwrap();
    accusing.write(Kind::EVIDENCE, Evidence::Fork(proof(abroad)).to_bytes());
    let mut accused = Pen::of(2);
    accused.write(Kind::EVIDENCE, Evidence::Fork(proof(board())).to_bytes());
    let (left, right) = forked(board());
    let mut back = one.clone();
    back.clock -= DAY_MS;
    note(&mut back, "yesterday");
    let mut jumped = one.clone();
    jumped.clock += 400 * DAY_MS;
    note(&mut jumped, "next year");
    let received = acknowledging_all(2, &jumped);
    let elsewhere = {
        let mut pen = Pen::of(1);
        let charter = tiny(&[1]).hash();
        let note = Note { text: "one".into() }.to_bytes();
        pen.write_with(Kind::NOTE, note, |header| header.charter = charter);
        pen
    };
    vec![
        ("with an acknowledgement of more", claim(one.feed(), (9, other))),
        ("with an acknowledgement of another entry", claim(one.feed(), (1, other))),
        (
            "with acknowledgements of an entry and of another after it",
            of_runs(vec![
                longer.whole(),
                acknowledging(2, longer.feed(), (1, longer.entries[1].1)).whole(),
                acknowledging(3, longer.feed(), (3, other)).whole(),
            ]),
        ),
        ("with an acknowledgement of an unknown feed", {
            claim(FeedId::from_bytes([9; 32]), (1, other))
        }),
        ("with evidence about an unknown feed", of_runs(vec![accusing.whole()])),
        (
            "with evidence and both histories",
            of_runs(vec![left.whole(), right.run(2, 3), accused.whole()]),
        ),
        ("with a clock that goes back", of_runs(vec![back.whole()])),
        ("with a clock that jumps", of_runs(vec![jumped.whole(), received.whole()])),
        ("with an entry under another charter", of_runs(vec![elsewhere.whole()])),
        ("with a founding file alone", of_runs(vec![])),
    ]
}

/// The organisation that these bundles' observer is.
#[test]
fn the_sixth_member_is_the_observer() {
    let charter = charter();
    let member = charter.member(&org(6)).unwrap();
    assert!(!member.status.has_seat());
}
