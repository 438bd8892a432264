//! Bundles with checkpoints and cosignatures, that hold and that do not.

use concordat_protocol::{
    audit::bundle::Writer,
    checkpoint::{Checkpoint, Cosigned, CosignedList, Origin},
    codec::Fixed,
    feed::{Kind, Run},
    hash::BoardId,
    identity::KeyPair,
};

use super::{bundle::loose, findings::note};
use crate::support::world::{Pen, charter, feed_key, founding, witness_key};

fn file(runs: &[Run]) -> Vec<u8> {
    let (mut writer, magic) = Writer::new();
    let mut file = [magic.to_vec(), writer.founding(&founding(&charter()))].concat();
    runs.iter().for_each(|run| file.extend(writer.run(run)));
    file.extend(writer.end());
    file
}

fn checkpoint(pen: &Pen) -> Checkpoint {
    let origin = Origin::of(&pen.descriptor);
    Checkpoint { origin, size: pen.size(), root: pen.tip.root() }
}

/// A feed with a note, a checkpoint as `change` makes it, and another note.
fn checkpointed(change: impl FnOnce(Checkpoint) -> Checkpoint, key: &KeyPair) -> (Pen, Checkpoint) {
    let mut pen = Pen::of(1);
    note(&mut pen, "one");
    let checkpoint = change(checkpoint(&pen));
    pen.write(Kind::CHECKPOINT, checkpoint.sign(key).to_bytes());
    note(&mut pen, "two");
    (pen, checkpoint)
}

/// Member 2 cosigns these.
fn cosigning(checkpoints: &[Checkpoint], key: &KeyPair) -> Pen {
    let sign = |checkpoint| Cosigned::sign(checkpoint, 1_767_225_600, key);
    let given = checkpoints.iter().map(sign).collect();
    let mut pen = Pen::of(2);
    pen.write(Kind::COSIGN, CosignedList { given }.to_bytes());
    pen
}

/// Every bundle with its name.
pub(crate) fn bundles() -> Vec<(&'static str, Vec<u8>)> {
    let alone = |change: fn(Checkpoint) -> Checkpoint| {
        file(&[checkpointed(change, &feed_key(1)).0.whole()])
    };
    let (one, good) = checkpointed(|good| good, &feed_key(1));
    let cosigned = |checkpoints: &[Checkpoint]| {
        let two = cosigning(checkpoints, &witness_key(2));
        file(&[two.whole(), one.whole()])
    };
    let other_root = Checkpoint { root: Fixed([9; 32]), ..good };
    let abroad = Origin { board: BoardId::from_bytes([9; 32]), ..good.origin };
    let mut branch = Pen::of(1);
    note(&mut branch, "another");
    let (mut apart, _) = checkpointed(|good| good, &feed_key(1));
    apart.apart.push(2);
    let loose_checkpoint = {
        let (mut writer, magic) = Writer::new();
        let head = [magic.to_vec(), writer.founding(&founding(&charter()))].concat();
        let records = [writer.run(&apart.whole()), writer.payload(&loose(&apart, 2)), writer.end()];
        [head, records.concat()].concat()
    };
    let by_another = cosigning(&[good], &witness_key(3));
    vec![
        ("with a checkpoint", alone(|good| good)),
        (
            "with a checkpoint of another root",
            alone(|good| Checkpoint { root: Fixed([9; 32]), ..good }),
        ),
        ("with a checkpoint of fewer entries", alone(|good| Checkpoint { size: 1, ..good })),
        ("with a checkpoint of more entries", alone(|good| Checkpoint { size: 3, ..good })),
        (
            "with a checkpoint by another key",
            file(&[checkpointed(|good| good, &feed_key(2)).0.whole()]),
        ),
        ("with a checkpoint whose payload is not there", file(&[apart.whole()])),
        ("with a checkpoint whose payload comes apart", loose_checkpoint),
        ("with a cosignature", cosigned(&[good])),
        ("with a cosignature of another root", cosigned(&[other_root])),
        (
            "with a cosignature where no checkpoint stands",
            cosigned(&[Checkpoint { size: 3, ..good }]),
        ),
        ("with a cosignature of more than is there", cosigned(&[Checkpoint { size: 99, ..good }])),
        ("with a cosignature of nothing", cosigned(&[Checkpoint { size: 0, ..good }])),
        (
            "with a cosignature of an epoch that is not there",
            cosigned(&[Checkpoint { origin: Origin { epoch: 5, ..good.origin }, ..good }]),
        ),
        (
            "with two cosignatures of a feed",
            cosigned(&[Checkpoint { size: 1, ..other_root }, good]),
        ),
        ("with a cosignature of another board", cosigned(&[Checkpoint { origin: abroad, ..good }])),
        ("with a cosignature by another key", file(&[one.whole(), by_another.whole()])),
        (
            "with a cosignature above a fork",
            file(&[
                one.whole(),
                branch.run(1, 2),
                cosigning(&[other_root], &witness_key(2)).whole(),
            ]),
        ),
    ]
}
