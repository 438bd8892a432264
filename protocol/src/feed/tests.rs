//! Runs, heads, forks and epochs: what passes, and the exact reason for what does not.

use alloc::{format, vec, vec::Vec};

use proptest::prelude::*;

use super::*;
use crate::{
    codec::{Fixed, Malformed},
    hash::{BoardId, CharterHash, EntryId, OrgId, Tag},
    identity::{KeyPair, Signer, recovery_digest},
    limits::{MANDATORY_EVERY, REFS_MAX},
    time::TimeMs,
};

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

fn descriptor() -> Descriptor {
    Descriptor {
        board: BoardId::from_bytes([1; 32]),
        org: OrgId::from_bytes([2; 32]),
        epoch: 0,
        key: key(3).public(),
    }
}

/// An author that signs a head after every run, and can be told to sign anything.
struct Author {
    tip: Tip,
    key: KeyPair,
}

impl Author {
    fn new() -> Self {
        Self { tip: Tip::empty(descriptor().feed_id()), key: key(3) }
    }

    fn header(&self, kind: Kind, sealed: &Sealed) -> Header {
        Header {
            feed: self.tip.feed(),
            seq: self.tip.size(),
            prev: self.tip.id(),
            charter: CharterHash::from_bytes([4; 32]),
            t: TimeMs(1_000),
            kind,
            artefact: None,
            refs: vec![],
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: sealed.payload.bytes().len() as u64,
            attribution_hash: None,
        }
    }

    /// A run of entries of these kinds and texts, with every head that is due.
    fn run(&mut self, entries: &[(Kind, &str)]) -> Run {
        let (from, before) = (self.tip.size(), self.tip.id());
        let mut run = Run { feed: self.tip.feed(), from, before, entries: vec![], heads: vec![] };
        for (kind, text) in entries {
            let payload = Salted::new(Fixed([5; 16]), text.as_bytes().to_vec());
            let sealed = Sealed { payload, attribution: None };
            let header = self.header(*kind, &sealed);
            self.tip.push(&header);
            run.entries.push(CompactEntry::of(header, Some(sealed)));
            if self.tip.is_mandatory() {
                run.heads.push(self.tip.head().sign(&self.key));
            }
        }
        if !self.tip.is_mandatory() {
            run.heads.push(self.tip.head().sign(&self.key));
        }
        run
    }

    fn opened() -> (Self, Tip) {
        let mut author = Self::new();
        author.run(&[(Kind::OPEN_FEED, "opening")]);
        let tip = author.tip.clone();
        (author, tip)
    }
}

fn verify(tip: &Tip, run: Run) -> Result<VerifiedRun, Misbehaved> {
    verify_run(tip, &descriptor(), run)
}

#[test]
fn a_run_comes_back_from_its_bytes_and_extends_the_chain_that_it_continues() {
    let (mut author, tip) = Author::opened();
    let run = author.run(&[(Kind::NOTE, "one"), (Kind::PROPOSAL, "two"), (Kind::NOTE, "three")]);
    assert_eq!(Run::from_bytes(&run.to_bytes()), Ok(run.clone()));
    let verified = verify(&tip, run).unwrap();
    assert_eq!(verified.tip(), &author.tip);
    assert_eq!(verified.entries().len(), 3);
    let mandatory: Vec<u64> =
        verified.mandatory_heads().iter().map(|head| head.head.size).collect();
    assert_eq!(mandatory, vec![3]);
    assert_eq!(verified.newest_head().head, author.tip.head());
}

#[test]
fn a_tip_comes_back_from_its_bytes_and_from_its_headers() {
    let (mut author, tip) = Author::opened();
    let run = author.run(&[(Kind::NOTE, "one"), (Kind::NOTE, "two")]);
    assert_eq!(Tip::from_bytes(&author.tip.to_bytes()), Ok(author.tip.clone()));
    let mut replayed = tip.clone();
    for entry in verify(&tip, run).unwrap().entries() {
        replayed.replay(&entry.bytes).unwrap();
    }
    assert_eq!(replayed, author.tip);
}

#[test]
fn a_run_of_another_feed_place_or_chain_is_refused_with_both_values() {
    let (mut author, tip) = Author::opened();
    let run = author.run(&[(Kind::NOTE, "one")]);
    let other = FeedIdOf(9).id();
    let foreign = Run { feed: other, ..run.clone() };
    assert_eq!(
        verify(&tip, foreign),
        Err(Misbehaved::OtherFeed { expected: tip.feed(), found: other })
    );
    let skipping = author.run(&[(Kind::NOTE, "two")]);
    assert_eq!(verify(&tip, skipping), Err(Misbehaved::WrongSeq { expected: 1, found: 2 }));
    let repeated = verify(&author.tip, run.clone());
    assert_eq!(repeated, Err(Misbehaved::WrongSeq { expected: 3, found: 1 }));
    let before = EntryId::from_bytes([8; 32]);
    let elsewhere = verify(&tip, Run { before, ..run });
    let expected = tip.id();
    assert_eq!(elsewhere, Err(Misbehaved::WrongPrev { seq: 1, expected, found: before }));
}

struct FeedIdOf(u8);

impl FeedIdOf {
    fn id(&self) -> crate::hash::FeedId {
        crate::hash::FeedId::from_bytes([self.0; 32])
    }
}

#[test]
fn whoever_changes_an_entry_a_head_or_a_signature_is_found_out() {
    let (mut author, tip) = Author::opened();
    let run = author.run(&[(Kind::NOTE, "one"), (Kind::NOTE, "two")]);
    let mut reworded = run.clone();
    let payload = Salted::new(Fixed([5; 16]), b"won".to_vec());
    reworded.entries[0].body = Body::Carried(Sealed { payload, attribution: None });
    assert_eq!(verify(&tip, reworded), Err(Misbehaved::OtherEntries { size: 3 }));
    let mut resigned = run.clone();
    resigned.heads[0] = resigned.heads[0].head.sign(&key(7));
    assert_eq!(verify(&tip, resigned), Err(Misbehaved::BadSignature { size: 3 }));
    let mut rerooted = run.clone();
    rerooted.heads[0].head.root = Fixed([0; 32]);
    rerooted.heads[0] = rerooted.heads[0].head.sign(&author.key);
    assert_eq!(verify(&tip, rerooted), Err(Misbehaved::OtherEntries { size: 3 }));
}

#[test]
fn missing_stray_and_late_heads_are_refused_with_their_size() {
    let (mut author, tip) = Author::opened();
    let run = author.run(&[(Kind::SIGNOFF, "yes"), (Kind::NOTE, "one")]);
    let mut without = run.clone();
    without.heads.remove(0);
    assert_eq!(verify(&tip, without), Err(Misbehaved::MissingMandatoryHead { size: 2 }));
    let mut uncovered = run.clone();
    uncovered.heads.pop();
    assert_eq!(verify(&tip, uncovered), Err(Misbehaved::Uncovered { from: 2, end: 3 }));
    let mut stray = run.clone();
    stray.heads.push(run.heads[0]);
    assert_eq!(verify(&tip, stray), Err(Misbehaved::StrayHead { size: 2, from: 1, end: 3 }));
}

#[test]
fn a_head_is_mandatory_every_256_entries_and_before_headers_pass_256_kib() {
    let (mut author, _) = Author::opened();
    let notes = vec![(Kind::NOTE, "x"); 300];
    let run = author.run(&notes[..256]);
    assert_eq!(run.heads.len(), 1);
    let sizes: Vec<u64> = author.run(&notes).heads.iter().map(|head| head.head.size).collect();
    assert_eq!(sizes, vec![1 + 2 * MANDATORY_EVERY, 557]);

    let (mut author, _) = Author::opened();
    let mut longest = 0;
    let mut since = 0;
    for i in 0..300u64 {
        let sealed = Sealed { payload: Salted::new(Fixed([0; 16]), vec![]), attribution: None };
        let mut header = author.header(Kind::NOTE, &sealed);
        header.refs =
            (0..REFS_MAX).map(|r| EntryId::from_bytes([u8::try_from(r).unwrap(); 32])).collect();
        header.t = TimeMs(i);
        author.tip.push(&header);
        since += header.to_bytes().len();
        longest = longest.max(since);
        if author.tip.is_mandatory() {
            since = 0;
        }
    }
    assert!(longest <= crate::limits::RUN_BYTES_MAX, "{longest}");
    assert!(
        longest > crate::limits::RUN_BYTES_MAX - 3 * crate::limits::HEADER_BYTES_MAX,
        "{longest}"
    );
}

#[test]
fn what_an_author_signs_against_the_rules_is_laid_at_its_door() {
    let mut author = Author::new();
    let tip = author.tip.clone();
    let run = author.run(&[(Kind::NOTE, "no opening")]);
    let why = verify(&tip, run).unwrap_err();
    assert_eq!(why, Misbehaved::NotOpened { kind: Kind::NOTE });
    assert!(why.is_by_author());
    let (mut author, tip) = Author::opened();
    let run = author.run(&[(Kind::OPEN_FEED, "again")]);
    assert_eq!(verify(&tip, run), Err(Misbehaved::OpenedAgain { seq: 1 }));
}

#[test]
fn headers_over_a_bound_are_refused_with_the_bound() {
    let (author, tip) = Author::opened();
    let sealed = Sealed { payload: Salted::new(Fixed([0; 16]), vec![]), attribution: None };
    let header = Header { payload_len: 1 << 21, ..author.header(Kind::NOTE, &sealed) };
    let entry = CompactEntry::of(header, None);
    let heads = vec![tip.head().sign(&author.key)];
    let run = Run { feed: tip.feed(), from: 1, before: tip.id(), entries: vec![entry], heads };
    let fault = Malformed::Range { what: "payload length", value: 1 << 21 };
    assert_eq!(verify(&tip, run), Err(Misbehaved::Header { seq: 1, fault }));
}

#[test]
fn a_run_has_one_encoding() {
    let (mut author, _) = Author::opened();
    let run = author.run(&[(Kind::NOTE, "one"), (Kind::NOTE, "two")]);
    let bytes = run.to_bytes();
    let mut accepted = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            if let Ok(other) = Run::from_bytes(&changed) {
                assert_eq!(other.to_bytes(), changed);
                assert_ne!(other, run);
                accepted += 1;
            }
        }
    }
    assert!(accepted > 0, "a changed hash still decodes");
}

fn sides(one: &Author, other: &Author, headers: [&[Vec<u8>]; 2], index: usize) -> [ForkSide; 2] {
    let side = |author: &Author, headers: &[Vec<u8>]| {
        let leaves: Vec<_> = headers.iter().map(|bytes| leaf_hash(bytes)).collect();
        ForkSide {
            head: author.tip.head().sign(&author.key),
            leaf: leaves[index],
            path: inclusion_path(&leaves, index).unwrap(),
        }
    };
    [side(one, headers[0]), side(other, headers[1])]
}

/// Two authors with one key that part after two entries, and all their headers.
fn forked() -> ([Author; 2], [Vec<Vec<u8>>; 2]) {
    let texts = [["same", "left", "left too"], ["same", "right", "right too"]];
    let both = texts.map(|texts| {
        let mut author = Author::new();
        let tip = author.tip.clone();
        let mut entries = vec![(Kind::OPEN_FEED, "opening")];
        entries.extend(texts.map(|text| (Kind::NOTE, text)));
        let run = author.run(&entries);
        let headers =
            verify(&tip, run).unwrap().entries().iter().map(|entry| entry.bytes.clone()).collect();
        (author, headers)
    });
    let [(one, one_headers), (other, other_headers)] = both;
    ([one, other], [one_headers, other_headers])
}

#[test]
fn two_signed_heads_over_different_entries_prove_a_fork_whichever_comes_first() {
    let ([one, other], [ones, others]) = forked();
    let [left, right] = sides(&one, &other, [&ones, &others], 2);
    let proof = ForkProof::new(descriptor(), 2, left.clone(), right.clone()).unwrap();
    assert_eq!(ForkProof::new(descriptor(), 2, right, left), Ok(proof.clone()));
    assert_eq!(ForkProof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
    let evidence = Evidence::Fork(proof);
    assert_eq!(Evidence::from_bytes(&evidence.to_bytes()), Ok(evidence));
}

#[test]
fn nobody_is_accused_without_two_signatures() {
    let ([one, other], [ones, others]) = forked();
    let [left, right] = sides(&one, &other, [&ones, &others], 2);
    let prove = |left: &ForkSide, right: &ForkSide, index| {
        ForkProof::new(descriptor(), index, left.clone(), right.clone())
    };
    assert_eq!(prove(&left, &left, 2), Err(BadProof::NoContradiction { index: 2 }));
    let [same, _] = sides(&one, &other, [&ones, &others], 1);
    assert_eq!(prove(&same, &same, 1), Err(BadProof::NoContradiction { index: 1 }));
    assert_eq!(prove(&left, &right, 3), Err(BadProof::Path { index: 3, size: 4 }));
    let forged = ForkSide { head: right.head.head.sign(&key(7)), ..right.clone() };
    assert_eq!(prove(&left, &forged, 2), Err(BadProof::Signature { size: 4 }));
    let mut foreign = right.clone();
    foreign.head.head.feed = FeedIdOf(9).id();
    let expected = descriptor().feed_id();
    assert_eq!(
        prove(&left, &foreign, 2),
        Err(BadProof::OtherFeed { expected, found: FeedIdOf(9).id() })
    );
}

#[test]
fn an_epoch_opens_by_old_and_new_key_or_by_recovery_and_new_key() {
    let next = Descriptor { epoch: 1, key: key(5).public(), ..descriptor() };
    let end = End(7, EntryId::from_bytes([6; 32]));
    let recovery = recovery_digest(&key(8).public());
    for (role, prior) in [(WarrantRole::Old, key(3)), (WarrantRole::Recovery, key(8))] {
        let opening = OpenFeed::next(next, end, (role, &prior), &key(5));
        assert_eq!(OpenFeed::from_bytes(&opening.to_bytes()), Ok(opening.clone()));
        assert_eq!(opening.check_next(&descriptor(), &recovery), Ok(()));
        assert_eq!(opening.is_by_recovery(), role == WarrantRole::Recovery);
    }
    let stranger = OpenFeed::next(next, end, (WarrantRole::Old, &key(9)), &key(5));
    assert_eq!(stranger.check_next(&descriptor(), &recovery), Err(BadOpening::NotWarranted));
    let mut alone = OpenFeed::next(next, end, (WarrantRole::Old, &key(3)), &key(5));
    alone.warrants.truncate(1);
    assert_eq!(alone.check_next(&descriptor(), &recovery), Err(BadOpening::NotWarranted));
    let mut moved = OpenFeed::next(next, end, (WarrantRole::Old, &key(3)), &key(5));
    moved.end = Some(End(6, EntryId::from_bytes([6; 32])));
    let role = WarrantRole::Old;
    assert_eq!(moved.check_next(&descriptor(), &recovery), Err(BadOpening::Signature { role }));
    let late = Descriptor { epoch: 2, ..next };
    let late = OpenFeed::next(late, end, (WarrantRole::Old, &key(3)), &key(5));
    let skipped = BadOpening::NotNext { held: 0, found: 2 };
    assert_eq!(late.check_next(&descriptor(), &recovery), Err(skipped));
}

#[test]
fn an_epoch_does_not_open_under_the_key_of_the_one_before() {
    let again = Descriptor { epoch: 1, ..descriptor() };
    let end = End(7, EntryId::from_bytes([6; 32]));
    let recovery = recovery_digest(&key(8).public());
    for (role, prior) in [(WarrantRole::Old, key(3)), (WarrantRole::Recovery, key(8))] {
        let opening = OpenFeed::next(again, end, (role, &prior), &key(3));
        assert_eq!(opening.check_next(&descriptor(), &recovery), Err(BadOpening::KeyUsedBefore));
    }
}

#[test]
fn an_acknowledgement_covers_what_is_not_missing() {
    let item = |through, missing: &[u64]| AckItem {
        feed: descriptor().feed_id(),
        seq: 9,
        id: EntryId::from_bytes([1; 32]),
        payloads_through: through,
        missing: missing.to_vec(),
        received_at: TimeMs(1),
    };
    assert_eq!(item(9, &[]).complete_through(), Some(9));
    assert_eq!(item(9, &[3]).complete_through(), Some(9));
    assert_eq!(item(9, &[3, 8, 9]).complete_through(), Some(7));
    assert_eq!(item(1, &[0, 1]).complete_through(), None);
    let ack = Ack(vec![item(9, &[3])]);
    assert_eq!(Ack::from_bytes(&ack.to_bytes()), Ok(ack));
    let beyond = Ack(vec![item(10, &[])]).to_bytes();
    let fault = Malformed::Range { what: "payloads_through", value: 10 };
    assert_eq!(Ack::from_bytes(&beyond), Err(fault));
}

proptest! {
    #[test]
    fn however_a_feed_is_cut_into_runs_it_ends_the_same(cuts in proptest::collection::vec(1usize..40, 1..12)) {
        let mut author = Author::new();
        let mut tip = author.tip.clone();
        let mut texts = vec![(Kind::OPEN_FEED, "opening".into())];
        texts.extend((0..cuts.iter().sum()).map(|i| {
            (if i % 17 == 3 { Kind::CLOSE } else { Kind::NOTE }, format!("entry {i}"))
        }));
        let entries: Vec<(Kind, &str)> = texts.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
        let mut rest = entries.as_slice();
        for cut in cuts {
            let (now, later) = rest.split_at(cut);
            rest = later;
            tip = verify(&tip, author.run(now)).unwrap().tip().clone();
        }
        tip = verify(&tip, author.run(rest)).unwrap().tip().clone();
        let mut whole = Author::new();
        whole.run(&entries);
        prop_assert_eq!(tip.head(), whole.tip.head());
    }
}
