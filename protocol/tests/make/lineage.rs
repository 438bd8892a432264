//! Vectors of what follows from openings: sets of feeds with their extents, and bundles.

use concordat_protocol::{
    audit::bundle::Writer,
    feed::{
        End, Evidence, Extent, ForkProof, Kind, Opened, Right, Run, WarrantRole, expect_room,
        extents,
    },
    hash::{BoardId, EntryId, FeedId},
    identity::Signer,
    limits::EPOCHS_MAX,
};
use serde_json::{Value, json};

use super::{
    File,
    bundle::ack,
    feed::proof,
    findings::{note, opened_after},
};
use crate::support::{
    decoders::Refusal,
    world::{Pen, founding, recovery_key, seed, tiny},
};

const MEMBERS: [u8; 3] = [1, 2, 3];

/// By which right a feed of a vector was opened.
#[derive(Clone, Copy)]
enum By {
    Charter,
    /// The key of this feed.
    Key(u8),
    Recovery,
    /// Twice: by the key of this feed, and in another way.
    Twice(u8),
}

/// A feed of a vector: its number, its epoch, by which right, and the end that it names.
type Row = (u8, u64, By, Option<(u64, u8)>);

const fn first(no: u8) -> Row {
    (no, 0, By::Charter, None)
}

const fn next(no: u8, epoch: u64, by: By, end: (u64, u8)) -> Row {
    (no, epoch, by, Some(end))
}

fn opened(&(no, epoch, by, end): &Row) -> Opened {
    let right = match by {
        By::Charter => Right::Charter,
        By::Key(old) | By::Twice(old) => Right::Rotation(seed(old).public()),
        By::Recovery => Right::Recovery,
    };
    let end = end.map(|(seq, id)| End(seq, EntryId::from_bytes([id; 32])));
    Opened {
        feed: FeedId::from_bytes([no; 32]),
        key: seed(no).public(),
        epoch,
        right,
        end,
        is_forked: matches!(by, By::Twice(_)),
    }
}

fn written(&(no, epoch, by, end): &Row) -> Value {
    let by = match by {
        By::Charter => json!("charter"),
        By::Key(old) => json!(old),
        By::Recovery => json!("recovery"),
        By::Twice(old) => json!(["twice", old]),
    };
    json!([no, epoch, by, end])
}

fn extent_of(row: &Row, all: &[Row]) -> Value {
    let opened_all: Vec<Opened> = all.iter().map(opened).collect();
    match extents(&opened_all).get(&opened(row).feed).unwrap() {
        Extent::Open => json!("open"),
        Extent::Until(End(seq, id)) => json!([seq, id.as_bytes()[0]]),
        Extent::Contested => json!("contested"),
        Extent::Superseded => json!("superseded"),
    }
}

/// Sets of feeds, and what follows from them.
pub(crate) fn lineage() -> File {
    let mut file = File::new(
        "lineage",
        "Sets of feeds of one organisation on a board. A feed is its number, its epoch, by which \
         right it was opened (the charter, the recovery key, the key of the feed of this number, or \
         twice, by that key and in another way), and the end that its opening names: seq, and the one byte of an entry id. \
         `extents` says of each, in the same order: open, contested, superseded, or where it \
         ends. `room_for` is one feed more, for which there is room beside the others, or not.",
    );
    for (name, feeds) in sets() {
        let fields = json!({
            "feeds": feeds.iter().map(written).collect::<Vec<_>>(),
            "extents": feeds.iter().map(|row| extent_of(row, &feeds)).collect::<Vec<_>>(),
        });
        file.case(name, fields, Ok(json!({})));
    }
    for (name, feeds, new) in rooms() {
        let held: Vec<Opened> = feeds.iter().map(opened).collect();
        let fields = json!({
            "feeds": feeds.iter().map(written).collect::<Vec<_>>(),
            "room_for": written(&new),
        });
        let room = expect_room(&held, &opened(&new));
        file.case(
            name,
            fields,
            room.map(|()| json!({})).map_err(|why| Refusal::of("BadOpening", &why)),
        );
    }
    file
}

fn sets() -> Vec<(&'static str, Vec<Row>)> {
    use By::{Key, Recovery, Twice};
    let rotated = || vec![first(1), next(2, 1, Key(1), (7, 9))];
    let with = |more: &[Row]| [rotated(), more.to_vec()].concat();
    let mut mixed = with(&[
        next(3, 1, Recovery, (4, 9)),
        next(4, 2, Key(2), (6, 9)),
        next(5, 2, Key(3), (5, 9)),
        next(6, 3, Key(4), (8, 9)),
        next(7, 3, Key(5), (2, 9)),
    ]);
    let in_order = mixed.clone();
    mixed.reverse();
    vec![
        ("one feed", vec![first(1)]),
        ("a rotation", rotated()),
        ("a recovery", vec![first(1), next(2, 1, Recovery, (7, 9))]),
        ("two rotations by one key", with(&[next(3, 1, Key(1), (5, 9))])),
        ("two ends at one seq", with(&[next(3, 1, Key(1), (7, 8))])),
        ("a recovery of the same epoch", with(&[next(3, 1, Recovery, (8, 9))])),
        (
            "two recoveries and a rotation",
            with(&[next(3, 1, Recovery, (8, 9)), next(4, 1, Recovery, (6, 9))]),
        ),
        ("a recovery of the next epoch", with(&[next(3, 2, Recovery, (3, 9))])),
        (
            "a recovery that follows what is superseded",
            with(&[next(3, 1, Recovery, (8, 9)), next(4, 2, Recovery, (3, 9))]),
        ),
        (
            "a rotation after one of two that contest each other",
            with(&[next(3, 1, Key(1), (5, 9)), next(4, 2, Key(3), (0, 9))]),
        ),
        (
            "a recovery after two that contest each other",
            with(&[next(3, 1, Key(1), (5, 9)), next(4, 2, Recovery, (0, 9))]),
        ),
        (
            "a rotation and a recovery after a recovery",
            vec![
                first(1),
                next(2, 1, Recovery, (7, 9)),
                next(3, 2, Key(2), (1, 9)),
                next(4, 2, Recovery, (3, 9)),
            ],
        ),
        ("a feed that was opened twice", vec![first(1), next(2, 1, Twice(1), (7, 9))]),
        (
            "a recovery beside a feed that was opened twice",
            vec![first(1), next(2, 1, Twice(1), (7, 9)), next(3, 1, Recovery, (5, 9))],
        ),
        ("what follows from a superseded rotation", in_order),
        ("the same in another order", mixed),
    ]
}

/// Sets of feeds with one more.
fn rooms() -> Vec<(&'static str, Vec<Row>, Row)> {
    use By::{Key, Recovery};
    let last = u8::try_from(EPOCHS_MAX).unwrap();
    let rotation = |no| next(no, 1, Key(1), (0, 9));
    let recovery = |no| next(no, 1, Recovery, (0, 9));
    let fewer: Vec<Row> = core::iter::once(first(1)).chain((2..last).map(rotation)).collect();
    let full = [fewer.clone(), vec![rotation(last)]].concat();
    let taken_back = [full.clone(), vec![recovery(100)]].concat();
    let beaten = [taken_back.clone(), vec![rotation(101)]].concat();
    let recovered: Vec<Row> =
        core::iter::once(first(1)).chain((2..=last + 1).map(recovery)).collect();
    vec![
        ("room for the last rotation", fewer, rotation(last)),
        ("no room for one more", full.clone(), rotation(99)),
        ("room for a recovery beside them", full, recovery(100)),
        ("room after a recovery", taken_back.clone(), next(101, 2, Key(100), (0, 9))),
        ("room for the last that is superseded", taken_back, rotation(101)),
        ("no room for one more that is superseded", beaten.clone(), rotation(102)),
        ("no room for what follows from one", beaten, next(102, 2, Key(2), (0, 9))),
        ("no room for one more recovery", recovered.clone(), recovery(102)),
        ("room for a rotation beside recoveries", recovered, rotation(102)),
        ("the last epoch", vec![first(1)], next(2, EPOCHS_MAX - 1, Recovery, (0, 9))),
        ("an epoch above the last", vec![first(1)], next(2, EPOCHS_MAX, Recovery, (0, 9))),
    ]
}

fn board() -> BoardId {
    tiny(&MEMBERS).board_id().unwrap()
}

fn of_runs(runs: impl IntoIterator<Item = Run>) -> Vec<u8> {
    let (mut writer, magic) = Writer::new();
    let mut file = magic.to_vec();
    file.extend(writer.founding(&founding(&tiny(&MEMBERS))));
    runs.into_iter().for_each(|run| file.extend(writer.run(&run)));
    file.extend(writer.end());
    file
}

/// A note of organisation 1 that organisation 2 acknowledged: it is settled if 3 did, too.
fn noted() -> (Pen, Pen) {
    let mut author = Pen::on(board(), 1);
    note(&mut author, "one");
    let mut other = Pen::on(board(), 2);
    ack(&mut other, &author);
    (author, other)
}

fn rotated(old: &Pen, key: u8) -> Pen {
    opened_after(old, (WarrantRole::Old, old.signer()), seed(key))
}

fn recovered(old: &Pen, key: u8) -> Pen {
    opened_after(old, (WarrantRole::Recovery, &recovery_key(3)), seed(key))
}

fn acknowledging(mut pen: Pen, of: &Pen) -> Pen {
    ack(&mut pen, of);
    pen
}

/// Bundles in which organisation 3 has several epochs, and whether it settles the note.
pub(crate) fn bundles() -> Vec<(&'static str, Vec<u8>)> {
    let (author, other) = noted();
    let whole = |pens: &[&Pen]| {
        let pens = [&author, &other].into_iter().chain(pens.iter().copied());
        of_runs(pens.map(Pen::whole))
    };
    let says = |pen: &Pen| acknowledging(pen.clone(), &author);
    let old = Pen::on(board(), 3);
    let next = rotated(&old, 70);
    let thief = says(&rotated(&old, 71));
    let further = says(&rotated(&thief, 72));
    let back = recovered(&old, 73);
    let mut true_end = old.clone();
    note(&mut true_end, "mine");
    let mut accusing = rotated(&old, 71);
    accusing.write(Kind::EVIDENCE, Evidence::Fork(proof(board())).to_bytes());
    let damaged = {
        let mut run = says(&next).whole();
        run.heads.pop();
        run
    };
    let early = {
        let (one, mut another) = (says(&next), next.clone());
        note(&mut another, "another");
        let sides = (one.side(1), another.side(1));
        let proof = ForkProof::new(next.descriptor, 1, sides.0, sides.1).unwrap();
        let mut judge = other.clone();
        judge.write(Kind::EVIDENCE, Evidence::Fork(proof).to_bytes());
        [author.whole(), judge.whole(), old.whole(), one.whole()]
    };
    let forked = {
        let mut one = says(&old);
        let mut parted = old.clone();
        note(&mut parted, "another");
        note(&mut one, "on");
        [author.whole(), other.whole(), one.whole(), parted.run(1, 2), rotated(&one, 70).whole()]
    };
    vec![
        (
            "with an end that holds an acknowledgement",
            whole(&[&says(&old), &rotated(&says(&old), 70)]),
        ),
        ("with an acknowledgement beyond an end", whole(&[&says(&old), &next])),
        ("with the opening before the epoch that it ends", whole(&[&next, &says(&old)])),
        ("with an acknowledgement under the next key", whole(&[&says(&old), &says(&next)])),
        ("with an end that names another entry", whole(&[&says(&old), &rotated(&true_end, 70)])),
        ("with a rotation that a recovery beats", whole(&[&old, &thief, &back])),
        ("with a rotation after it was beaten", whole(&[&old, &back, &thief, &further])),
        ("with an acknowledgement after a recovery", whole(&[&old, &thief, &says(&back)])),
        (
            "with two recoveries in turn",
            whole(&[&old, &thief, &back, &says(&recovered(&back, 74))]),
        ),
        (
            "with a recovery after a rotation",
            whole(&[&old, &thief, &recovered(&rotated(&old, 71), 74)]),
        ),
        ("with two rotations of one key", whole(&[&old, &thief, &says(&next)])),
        ("with two recoveries of one epoch", whole(&[&old, &says(&back), &recovered(&old, 74)])),
        (
            "with a rotation after one of two",
            whole(&[&old, &thief, &next, &says(&rotated(&next, 74))]),
        ),
        ("with the lower of two ends", {
            let spoken = says(&old);
            whole(&[&spoken, &rotated(&spoken, 70), &rotated(&old, 71)])
        }),
        (
            "with an opening in a run that does not hold",
            of_runs([author.whole(), other.whole(), old.whole(), thief.whole(), damaged]),
        ),
        ("with evidence in a superseded feed", whole(&[&old, &accusing, &back])),
        ("with evidence before the feed that it accuses", of_runs(early)),
        ("with a fork below an end", of_runs(forked)),
        ("with two openings of one feed", {
            let spoken = says(&old);
            whole(&[&spoken, &rotated(&spoken, 70), &next])
        }),
    ]
}
