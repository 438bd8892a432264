//! Checkpoints that repeat no head of their feed are not cosigned, whoever signed them.

use super::*;
use crate::{
    checkpoint::{Checkpoint, Origin},
    engine::{Table, place_key},
    hash::OrgId,
};

const SIGNOFF: u8 = 0x80;

/// Organisation 2's feed with a vote at its end.
fn voted(author: &Author) -> Chain {
    author.begin(&[(Kind::SIGNOFF, vec![SIGNOFF])])
}

fn checkpoint(of: &Chain, org: OrgId) -> Checkpoint {
    let origin = Origin { board: founding().board(), org, epoch: 0 };
    Checkpoint { origin, size: of.tip.size(), root: of.tip.head().root }
}

/// How many cosignatures a node that holds such an entry behind a vote has given.
fn given(signed: impl FnOnce(&Author, &Chain) -> Vec<u8>) -> usize {
    let mut one = One::among(&[2, 3]);
    let author = Author::first(2);
    let voted = voted(&author);
    let payload = signed(&author, &voted);
    one.say(2, push(&voted));
    one.say(2, push(&author.go_on(&voted, &[(Kind::CHECKPOINT, payload)])));
    assert_eq!(one.feed_view(author.id()).size, 3);
    cosign_entries(&mut one)
}

fn cosign_entries(one: &mut One) -> usize {
    (0..130).for_each(|_| drop(one.tick()));
    let own = Author::first(1).id();
    let size = one.feed_view(own).size;
    let kind = |seq| {
        let row = one.disk.0.get(&(Table::Headers, place_key(&own, 0, seq))).unwrap();
        Header::from_bytes(row).unwrap().kind
    };
    (0..size).filter(|seq| kind(*seq) == Kind::COSIGN).count()
}

#[test]
fn a_checkpoint_of_anything_but_the_head_before_it_is_not_cosigned() {
    let org = fixture::org(2);
    let sign = |checkpoint: Checkpoint, key: &KeyPair| checkpoint.sign(key).to_bytes();
    assert_eq!(given(|author, chain| sign(checkpoint(chain, org), &author.key)), 1);

    let other_root = |author: &Author, chain: &Chain| {
        sign(Checkpoint { root: Fixed([1; 32]), ..checkpoint(chain, org) }, &author.key)
    };
    // The opening has a head that is kept too.
    let smaller =
        |author: &Author, _: &Chain| sign(checkpoint(&author.begin(&[]), org), &author.key);
    let ahead = |author: &Author, chain: &Chain| {
        sign(Checkpoint { size: 1_000, ..checkpoint(chain, org) }, &author.key)
    };
    let of_another =
        |author: &Author, chain: &Chain| sign(checkpoint(chain, fixture::org(3)), &author.key);
    let by_another =
        |_: &Author, chain: &Chain| sign(checkpoint(chain, org), &Author::first(3).key);
    assert_eq!(given(other_root), 0);
    assert_eq!(given(smaller), 0);
    assert_eq!(given(ahead), 0);
    assert_eq!(given(of_another), 0);
    assert_eq!(given(by_another), 0);
    assert_eq!(given(|_, _| b"no note".to_vec()), 0);
}

/// A note is no governance: no head is kept before its checkpoint, and nothing is cosigned.
#[test]
fn a_checkpoint_behind_anything_but_a_vote_is_not_cosigned() {
    let mut one = One::among(&[2, 3]);
    let author = Author::first(2);
    let noted = author.begin(&[note("a"), note("b")]);
    let payload = checkpoint(&noted, fixture::org(2)).sign(&author.key).to_bytes();
    one.say(2, push(&author.begin(&[note("a"), note("b"), (Kind::CHECKPOINT, payload)])));
    assert_eq!(one.feed_view(author.id()).size, 4);
    assert_eq!(cosign_entries(&mut one), 0);
}

/// A member that shows two histories gets a cosignature of neither.
#[test]
fn nothing_of_a_forked_feed_is_cosigned() {
    let mut one = One::among(&[2, 3]);
    let author = Author::first(2);
    let voted = voted(&author);
    let other = author.begin(&[note("another history")]);
    let payload = checkpoint(&voted, fixture::org(2)).sign(&author.key).to_bytes();
    one.say(2, push(&voted));
    one.say(2, push(&author.go_on(&voted, &[(Kind::CHECKPOINT, payload)])));
    let proof = author.prove(1, &voted, &other);
    one.say(3, push(&Author::first(3).begin(&[evidence(&proof)])));
    assert!(one.feed(author.id()).fork.is_some());
    assert_eq!(cosign_entries(&mut one), 0);
}
