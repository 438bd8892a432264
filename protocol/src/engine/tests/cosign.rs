//! Checkpoints of votes, and who cosigns them.

use super::*;
use crate::{
    charter::fixture::org,
    checkpoint::{Checkpoint, Cosigned, CosignedList, Origin, SignedCheckpoint},
    feed::{Header, Sealed, SignedHead},
};

fn vote(net: &mut Net, number: u8, kind: Kind) {
    let draft = Draft::of(kind, vec![0x80]);
    let board = founding().board();
    net.input(node_key(number), Input::Write { ticket: Ticket(net.calls), board, draft });
}

fn feed_of(number: u8) -> FeedId {
    let key = fixture::feed_key(number).public();
    Descriptor { board: founding().board(), org: org(number), epoch: 0, key }.feed_id()
}

/// The payloads of one kind in a feed, with their places, as one node holds them.
fn held(net: &Net, by: u8, of: u8, kind: Kind) -> Vec<(u64, Vec<u8>)> {
    let disk = &net.nodes[&node_key(by)].disk;
    let from = place_key(&feed_of(of), 0, 0);
    let to = place_key(&feed_of(of), 0, u64::MAX);
    let headers = disk.scan(Table::Headers, &from, &to, usize::MAX);
    let headers = headers.into_iter().map(|(key, row)| (key, Header::from_bytes(&row).unwrap()));
    let of_kind = headers.filter(|(_, header)| header.kind == kind);
    let read = |(key, header): (Vec<u8>, Header)| {
        let sealed = Sealed::from_bytes(&disk.get(Table::Payloads, &key).unwrap()).unwrap();
        (header.seq, sealed.payload.bytes().to_vec())
    };
    of_kind.map(read).collect()
}

/// What an organisation's feed cosigns of another's, each verified under its witness key.
fn cosigned(net: &Net, by: u8, of: u8) -> Vec<Checkpoint> {
    let payloads = held(net, by, by, Kind::COSIGN).into_iter();
    let given = payloads.flat_map(|(_, bytes)| CosignedList::from_bytes(&bytes).unwrap().given);
    given
        .filter(|one: &Cosigned| one.checkpoint.origin.org == org(of))
        .map(|one| {
            one.verify(&fixture::witness_key(by).public()).unwrap();
            one.checkpoint
        })
        .collect()
}

/// The checkpoints in a feed, as another node holds them; each repeats the head before it.
fn checkpoints(net: &Net, by: u8, of: u8) -> Vec<Checkpoint> {
    let origin = Origin { board: founding().board(), org: org(of), epoch: 0 };
    let key = fixture::feed_key(of).public();
    let disk = &net.nodes[&node_key(by)].disk;
    let read = |(seq, bytes): (u64, Vec<u8>)| {
        let signed = SignedCheckpoint::from_bytes(&bytes, (&origin, &key), &[]).unwrap();
        let head = disk.get(Table::Heads, &place_key(&feed_of(of), 0, seq)).unwrap();
        let head = SignedHead::from_bytes(&head).unwrap().head;
        let checkpoint = *signed.checkpoint();
        assert_eq!((checkpoint.size, checkpoint.root), (seq, head.root));
        checkpoint
    };
    held(net, by, of, Kind::CHECKPOINT).into_iter().map(read).collect()
}

#[test]
fn a_vote_is_followed_by_a_checkpoint_that_all_others_cosign_once() {
    let mut net = Net::new(&[1, 2, 3]);
    net.note(1, "nothing to cosign");
    net.tick(70);
    assert_eq!(checkpoints(&net, 2, 1), []);

    vote(&mut net, 1, Kind::SIGNOFF);
    net.tick(15);

    let signed = checkpoints(&net, 2, 1);
    assert_eq!(signed.len(), 1);
    for by in [2, 3] {
        assert_eq!(cosigned(&net, by, 1), signed);
        assert_eq!(held(&net, 1, by, Kind::COSIGN), held(&net, by, by, Kind::COSIGN));
        net.restart(by, Standing::Sure);
    }
    assert_eq!(held(&net, 1, 1, Kind::COSIGN), []);
    net.note(1, "nothing to cosign either");
    net.tick(200);
    assert_eq!((cosigned(&net, 2, 1), cosigned(&net, 3, 1)), (signed.clone(), signed));
    net.assert_equal();
}

/// Who comes late cosigns what covers all: the newest.
#[test]
fn of_several_checkpoints_the_newest_is_cosigned() {
    let mut net = Net::new(&[1, 2]);
    net.cut(1, 2);
    for kind in [Kind::PROPOSAL, Kind::SIGNOFF, Kind::CLOSE] {
        vote(&mut net, 1, kind);
        net.tick(1);
    }
    vote(&mut net, 2, Kind::SIGNOFF);
    net.heal();
    net.tick(15);

    let signed = checkpoints(&net, 2, 1);
    assert_eq!(signed.len(), 3);
    assert_eq!(cosigned(&net, 2, 1), signed[2..]);
    assert_eq!(cosigned(&net, 1, 2), checkpoints(&net, 1, 2));
}

/// Many votes that wait are signed in runs of the length that runs may have.
#[test]
fn checkpoints_have_room_in_their_run() {
    let mut net = Net::new(&[1, 2]);
    for _ in 0..400 {
        vote(&mut net, 1, Kind::SIGNOFF);
    }
    net.run();
    net.tick(15);
    assert_eq!(checkpoints(&net, 2, 1).len(), 400);
    assert_eq!(net.written.len(), 400);
    net.assert_equal();
}

/// The row that says how far we cosigned comes back with our own feed: nothing smaller follows.
#[test]
fn a_restored_node_cosigns_nothing_below_what_it_cosigned() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    vote(&mut net, 1, Kind::SIGNOFF);
    net.tick(15);
    let backup = net.nodes[&node_key(2)].disk.clone();
    vote(&mut net, 1, Kind::SIGNOFF);
    net.tick(15);
    let given = cosigned(&net, 2, 1);
    assert_eq!(given.len(), 2);

    net.nodes.get_mut(&node_key(2)).unwrap().disk = backup;
    net.restart(2, Standing::Restored);
    net.tick(200);

    assert_eq!(cosigned(&net, 2, 1), given);
    vote(&mut net, 1, Kind::SIGNOFF);
    net.tick(15);
    let sizes: Vec<u64> = cosigned(&net, 2, 1).iter().map(|one| one.size).collect();
    assert!(sizes.len() == 3 && sizes.is_sorted_by(|one, next| one < next), "{sizes:?}");
}

/// Drafts are in memory: what was due before a crash is due after it.
#[test]
fn what_waits_to_be_cosigned_outlasts_a_restart() {
    let mut net = Net::new(&[1, 2, 3]);
    vote(&mut net, 1, Kind::SIGNOFF);
    net.run();
    assert_eq!(cosigned(&net, 2, 1), []);
    net.restart(2, Standing::Sure);
    net.tick(15);
    assert_eq!(cosigned(&net, 2, 1), checkpoints(&net, 2, 1));
}

/// The charter names the key whose cosignatures count; with another none is given.
#[test]
fn who_has_another_witness_key_than_the_charter_names_cosigns_nothing() {
    let mut net = Net::new(&[1, 2]);
    let witness = Box::new(KeyPair::from_seed(&[99; 32]));
    net.restart_as(2, Identity { witness, ..identity(2) }, Standing::Sure);
    vote(&mut net, 1, Kind::SIGNOFF);
    net.tick(130);
    assert_eq!((checkpoints(&net, 2, 1).len(), cosigned(&net, 2, 1)), (1, vec![]));
}
