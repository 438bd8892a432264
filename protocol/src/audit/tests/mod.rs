//! Bundles of the small board, whole and tampered with.

mod epochs;
mod excerpt;
mod listing;
mod selection;

use alloc::{format, string::ToString, vec, vec::Vec};

use super::{
    bundle::{BadBundle, LoosePayload, Record, Records, Writer},
    *,
};
use crate::{
    charter::fixture::{self, founding},
    codec::Fixed,
    feed::{
        Ack, AckItem, BadOpening, CompactEntry, Descriptor, End, Evidence, ForkProof, ForkSide,
        Header, Kind, Misbehaved, OpenFeed, Run, Salted, Sealed, SignedHead, Tip, WarrantRole,
        inclusion_path, leaf_hash,
    },
    hash::{CharterHash, EntryId, FeedId, Tag},
    identity::{Card, KeyPair, Signer},
    limits::EPOCHS_MAX,
    payload::Note,
    time::TimeMs,
};

const NOON: u64 = 1_511_136_000_000;

/// A feed in the writing.
#[derive(Clone)]
struct Pen {
    key: KeyPair,
    descriptor: Descriptor,
    tip: Tip,
    entries: Vec<(Header, EntryId, Sealed)>,
    heads: Vec<SignedHead>,
    clock: u64,
    /// The entries whose payloads do not travel with their run.
    apart: Vec<u64>,
}

impl Pen {
    fn blank(descriptor: Descriptor, key: KeyPair) -> Self {
        let tip = Tip::empty(descriptor.feed_id());
        Self { key, descriptor, tip, entries: vec![], heads: vec![], clock: NOON, apart: vec![] }
    }

    fn of(number: u8) -> Self {
        let key = fixture::feed_key(number);
        let (board, org) = (founding().board(), fixture::org(number));
        let descriptor = Descriptor { board, org, epoch: 0, key: key.public() };
        let mut pen = Self::blank(descriptor, key);
        pen.write(Kind::OPEN_FEED, OpenFeed::first(descriptor).to_bytes());
        pen
    }

    fn feed(&self) -> FeedId {
        self.tip.feed()
    }

    fn name(&self) -> FeedName {
        let number = self.descriptor.org.as_bytes()[0];
        let slugs = ["la-bury", "la-wigan", "ccg-bury", "ccg-trafford", "gmhscp", "nhsi-gm"];
        FeedName {
            feed: self.feed(),
            slug: slugs[usize::from(number) - 1].parse().unwrap(),
            epoch: self.descriptor.epoch,
        }
    }

    fn write(&mut self, kind: Kind, payload: Vec<u8>) {
        self.clock += 1_000;
        let sealed = Sealed { payload: Salted::new(Fixed([7; 16]), payload), attribution: None };
        let header = Header {
            feed: self.feed(),
            seq: self.tip.size(),
            prev: self.tip.id(),
            charter: self.descriptor.board.as_charter(),
            t: TimeMs(self.clock),
            kind,
            artefact: None,
            refs: vec![],
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: sealed.payload.bytes().len() as u64,
            attribution_hash: None,
        };
        self.push(header, sealed);
    }

    fn push(&mut self, header: Header, sealed: Sealed) {
        self.tip.push(&header);
        self.entries.push((header, self.tip.id(), sealed));
        self.heads.push(self.tip.head().sign(&self.key));
    }

    fn note(&mut self, text: &str) {
        self.write(Kind::NOTE, Note { text: text.to_string() }.to_bytes());
    }

    fn ack(&mut self, others: &[&Self]) {
        let item = |pen: &&Self| AckItem {
            feed: pen.feed(),
            seq: pen.tip.size() - 1,
            id: pen.tip.id(),
            payloads_through: pen.tip.size() - 1,
            missing: vec![],
            received_at: TimeMs(pen.clock + 10),
        };
        let mut items: Vec<_> = others.iter().map(item).collect();
        items.sort_by_key(|item| item.feed);
        self.write(Kind::ACK, Ack(items).to_bytes());
    }

    /// The run of these entries.
    fn run(&self, from: usize, end: usize) -> Run {
        let mut tip = Tip::empty(self.feed());
        let mut heads = vec![];
        for (at, (header, ..)) in self.entries.iter().enumerate() {
            tip.replay(&header.to_bytes()).unwrap();
            let size = at + 1;
            if size > from && size <= end && (tip.is_mandatory() || size == end) {
                heads.push(self.heads[at]);
            }
        }
        let compact = |(header, _, sealed): &(Header, EntryId, Sealed)| {
            let carried = (!self.apart.contains(&header.seq)).then(|| sealed.clone());
            CompactEntry::of(header.clone(), carried)
        };
        Run {
            feed: self.feed(),
            from: from as u64,
            before: if from == 0 { EntryId::NONE } else { self.entries[from - 1].1 },
            entries: self.entries[from..end].iter().map(compact).collect(),
            heads,
        }
    }

    fn loose(&self, seq: usize) -> LoosePayload {
        let (_, id, sealed) = self.entries[seq].clone();
        LoosePayload { feed: self.feed(), seq: seq as u64, id, sealed }
    }

    fn side(&self, index: usize) -> ForkSide {
        let leaf = |(header, ..): &(Header, EntryId, Sealed)| leaf_hash(&header.to_bytes());
        let leaves: Vec<_> = self.entries.iter().map(leaf).collect();
        let path = inclusion_path(&leaves, index).unwrap();
        ForkSide { head: *self.heads.last().unwrap(), leaf: leaves[index], path }
    }
}

/// What a bundle is made of, in order.
#[derive(Clone)]
enum Piece {
    Founding,
    Card,
    Run(Run),
    Payload(LoosePayload),
}

fn bundle(pieces: &[Piece]) -> Vec<u8> {
    let (mut writer, magic) = Writer::new();
    let mut bytes = magic.to_vec();
    for piece in pieces {
        bytes.extend(match piece {
            Piece::Founding => writer.founding(&founding()),
            Piece::Card => {
                let key = fixture::feed_key(1);
                let card = Card {
                    org: fixture::org(1),
                    epoch: 0,
                    number: 0,
                    feed_key: key.public(),
                    witness_key: fixture::witness_key(1).public(),
                    node_key: crate::hash::NodeKey::from_bytes(
                        *KeyPair::from_seed(&[151; 32]).public().as_bytes(),
                    ),
                    addresses: vec![],
                    not_before: TimeMs(0),
                };
                writer.card(&card.sign(&key).unwrap())
            }
            Piece::Run(run) => writer.run(run),
            Piece::Payload(loose) => writer.payload(loose),
        });
    }
    bytes.extend(writer.end());
    bytes
}

/// All five voting members, who acknowledge each other; the first has a payload that travels apart.
fn pens() -> Vec<Pen> {
    let mut pens: Vec<Pen> = (1..=5).map(Pen::of).collect();
    pens[0].note("good morning");
    pens[0].note("how long is a file?");
    pens[0].apart.push(2);
    pens[0].note("good night");
    let seen = pens.clone();
    for (at, pen) in pens.iter_mut().enumerate() {
        let others: Vec<&Pen> =
            seen.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, pen)| pen).collect();
        pen.ack(&others);
    }
    pens
}

fn pieces(pens: &[Pen]) -> Vec<Piece> {
    let mut pieces = vec![
        Piece::Founding,
        Piece::Card,
        Piece::Run(pens[0].run(0, 3)),
        Piece::Payload(pens[0].loose(2)),
        Piece::Run(pens[0].run(3, 5)),
    ];
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    pieces
}

fn silent_observer() -> Finding {
    let observer = Pen::of(6);
    Finding::Silent { of: observer.name() }
}

fn audit(pieces: &[Piece]) -> Vec<Finding> {
    audit_bundle(&bundle(pieces)).findings
}

/// The findings without the note that the observer wrote nothing.
fn faults(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|finding| *finding != silent_observer()).collect()
}

#[test]
fn a_whole_bundle_holds_and_says_so_in_one_sentence() {
    let pens = pens();
    let report = audit_bundle(&bundle(&pieces(&pens)));
    assert_eq!(report.findings, [silent_observer()]);
    assert_eq!(report.exit_status(), 0);
    assert_eq!(
        report.closing(),
        "Everything in this bundle holds: 13 entries by 5 organisations on 1 board, each signed \
         by its author and none left out before another; 8 of them are held by a majority of the \
         others."
    );
    let first = report.summary.feeds.iter().find(|feed| feed.name == pens[0].name()).unwrap();
    assert_eq!((first.entries, first.settled, first.fork), (5, 4, None));
    assert_eq!(first.claimed, Some((TimeMs(NOON + 1_000), TimeMs(NOON + 5_000))));
    assert_eq!(report.summary.boards[0].title, "Small joint commissioning board");
}

/// Whether a finding names the record, or the feed and a place in the span of the run.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others name no damaged place")]
fn names(finding: &Finding, record: u64, run: Option<(&FeedName, u64, u64)>) -> bool {
    let place = match finding {
        Finding::Damaged { record: before, .. } => return *before + 1 == record,
        Finding::Unreadable { record: named, .. }
        | Finding::NewerRecord { record: named, .. }
        | Finding::NotFounded { record: named, .. }
        | Finding::BadCard { record: named, .. }
        | Finding::Outsider { record: named, .. }
        | Finding::OpeningRefused { record: named, .. }
        | Finding::PayloadUnasked { record: named, .. } => return *named == record,
        Finding::WrongCount { .. } => return true,
        Finding::BrokenRun { of, from, .. } => (of, *from),
        Finding::Gap { of, due, .. } | Finding::Unplaced { of, due, .. } => (of, *due),
        Finding::PayloadAltered { of, seq } => (of, *seq),
        _ => return false,
    };
    run.is_some_and(|(name, from, end)| *place.0 == *name && place.1 >= from && place.1 < end)
}

#[test]
fn each_changed_byte_is_found_and_its_feed_and_place_or_its_record_named() {
    let pens = pens();
    let mut pieces = pieces(&pens);
    pieces.truncate(6);
    let whole = bundle(&pieces);
    let mut at = bundle::MAGIC.len();
    let mut number = 0;
    for piece in pieces {
        number += 1;
        let len = usize::try_from(u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()));
        let end = at + 4 + len.unwrap();
        let run = match &piece {
            Piece::Run(run) => {
                let pen = pens.iter().find(|pen| pen.feed() == run.feed).unwrap();
                Some((pen.name(), run.from, run.end()))
            }
            Piece::Payload(loose) => Some((pens[0].name(), loose.seq, loose.seq + 1)),
            Piece::Founding | Piece::Card => None,
        };
        // Every byte of a founding file and a card is tried where these are read.
        let step = if run.is_some() { 1 } else { 97 };
        for changed in (at..end).step_by(step) {
            let mut bytes = whole.clone();
            bytes[changed] ^= 1;
            let report = audit_bundle(&bytes);
            let run = run.as_ref().map(|(name, from, end)| (name, *from, *end));
            assert!(
                report.findings.iter().any(|finding| names(finding, number, run)),
                "byte {changed} of record {number}: {:?}",
                report.findings
            );
            assert_eq!(report.exit_status(), 2, "byte {changed}: {:?}", report.findings);
        }
        at = end;
    }
}

#[test]
fn a_run_left_out_or_out_of_place_is_named() {
    let pens = pens();
    let name = pens[0].name();
    let mut dropped = pieces(&pens);
    dropped.drain(2..4);
    assert_eq!(faults(audit(&dropped)), [Finding::Gap { of: name.clone(), due: 0, found: 3 }]);
    let mut swapped = pieces(&pens);
    swapped.swap(3, 4);
    swapped.swap(2, 3);
    assert_eq!(faults(audit(&swapped)), [Finding::Gap { of: name.clone(), due: 0, found: 3 }]);
    let mut last = pieces(&pens);
    last.remove(4);
    let early =
        |pen: &Pen| Finding::EndsEarly { of: name.clone(), size: 3, by: pen.name(), seq: 3 };
    let mut expected: Vec<_> = pens[1..].iter().map(early).collect();
    expected.sort_by_key(|finding| format!("{finding:?}"));
    let mut findings = faults(audit(&last));
    findings.sort_by_key(|finding| format!("{finding:?}"));
    assert_eq!(findings, expected);
}

#[test]
fn a_file_cut_anywhere_is_found_to_be_cut() {
    let pens = pens();
    let whole = bundle(&pieces(&pens));
    let mut ends = vec![bundle::MAGIC.len()];
    while let Some(next) = ends.last().filter(|end| **end < whole.len()) {
        let len = u32::from_be_bytes(whole[*next..*next + 4].try_into().unwrap());
        ends.push(next + 4 + usize::try_from(len).unwrap());
    }
    for (number, end) in ends.iter().take(ends.len() - 1).enumerate() {
        let record = number as u64;
        let report = audit_bundle(&whole[..*end]);
        assert!(report.findings.contains(&Finding::NoEnd { record }), "{:?}", report.findings);
        assert_eq!(report.exit_status(), 2);
        let fault = BadBundle::CutShort { at: *end as u64 };
        for more in [1, 4, 5] {
            let report = audit_bundle(&whole[..end + more]);
            assert!(report.findings.contains(&Finding::Damaged { record, fault }));
        }
    }
    assert_eq!(
        audit_bundle(b"something else").findings,
        [Finding::Damaged { record: 0, fault: BadBundle::NoMagic }]
    );
    let mut more = whole.clone();
    more.extend_from_slice(&[0, 0, 0, 1, 9]);
    let record = 11;
    assert_eq!(faults(audit_bundle(&more).findings), [Finding::AfterEnd { record }]);
}

/// The first member's feed, and another history of it from entry 2 on.
fn forked() -> (Vec<Pen>, Pen) {
    let mut pens: Vec<Pen> = (1..=5).map(Pen::of).collect();
    pens[0].note("one");
    let mut other = pens[0].clone();
    pens[0].note("two");
    pens[0].note("three");
    other.note("zwei");
    other.note("drei");
    other.note("vier");
    (pens, other)
}

#[test]
fn a_second_history_is_proven_by_the_bundle_alone_and_by_evidence() {
    let (mut pens, other) = forked();
    let name = pens[0].name();
    let with_branch = |pens: &[Pen]| {
        let mut pieces = vec![
            Piece::Founding,
            Piece::Run(pens[0].run(0, 4)),
            Piece::Run(other.run(2, 4)),
            Piece::Run(other.run(4, 5)),
        ];
        pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
        pieces
    };
    let report = audit_bundle(&bundle(&with_branch(&pens)));
    assert_eq!(
        faults(report.findings.clone()),
        [Finding::SecondHistory { of: name.clone(), index: 2 }]
    );
    assert_eq!(report.exit_status(), 1);
    assert!(report.closing().starts_with("This bundle proves misbehaviour: 1 statement of"));

    let (one, two) = (pens[0].side(2), other.side(2));
    let proof = ForkProof::new(pens[0].descriptor, 2, one, two).unwrap();
    pens[1].write(Kind::EVIDENCE, Evidence::Fork(proof).to_bytes());
    let by = pens[1].name();
    let proven = Finding::ForkProven { of: name, index: 2, by, seq: 1 };
    assert_eq!(faults(audit(&with_branch(&pens))), [proven]);
}

#[test]
fn settlement_counts_acknowledgements_of_the_history_that_they_name() {
    let (mut pens, other) = forked();
    let first = pens[0].clone();
    for pen in &mut pens[1..3] {
        pen.ack(&[&first]);
    }
    pens[3].ack(&[&other]);
    let mut pieces = vec![Piece::Founding, Piece::Run(pens[0].run(0, 4))];
    pieces.push(Piece::Run(other.run(2, 5)));
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let report = audit_bundle(&bundle(&pieces));
    let feed = report.summary.feeds.iter().find(|feed| feed.name == pens[0].name()).unwrap();
    // Three of four others hold it below the fork, and two, which is no majority, above.
    assert_eq!((feed.settled, feed.fork), (2, Some(2)));
    pieces.remove(2);
    let findings = faults(audit(&pieces));
    let (of, by) = (pens[0].name(), pens[3].name());
    assert_eq!(findings, [Finding::EndsEarly { of: of.clone(), size: 4, by: by.clone(), seq: 4 }]);
    pieces[1] = Piece::Run(other.run(0, 5));
    let acknowledged = first.tip.id();
    let disowned = |pen: &Pen| Finding::AcknowledgedOther {
        from: 0,
        of: of.clone(),
        seq: 3,
        by: pen.name(),
        acknowledged,
    };
    let mut expected = vec![disowned(&pens[1]), disowned(&pens[2])];
    expected.sort_by_key(|finding| format!("{finding:?}"));
    let mut findings = faults(audit(&pieces));
    findings.sort_by_key(|finding| format!("{finding:?}"));
    assert_eq!(findings, expected);
}

#[test]
fn payloads_that_are_missing_changed_or_not_asked_for_are_told_apart() {
    let pens = pens();
    let name = pens[0].name();
    let mut without = pieces(&pens);
    without.remove(3);
    let withheld = Finding::PayloadWithheld { of: name.clone(), seq: 2, kind: Kind::NOTE };
    let report = audit_bundle(&bundle(&without));
    assert_eq!(report.exit_status(), 0);
    let told = "What 1 entry said is not in it: ask a member of the audience.";
    assert!(report.closing().ends_with(told), "{}", report.closing());
    assert_eq!(faults(report.findings), [withheld]);
    let mut twice = pieces(&pens);
    twice.insert(3, twice[3].clone());
    let feed = name.feed;
    assert_eq!(faults(audit(&twice)), [Finding::PayloadUnasked { record: 5, feed, seq: 2 }]);
    let mut altered = pieces(&pens);
    let mut loose = pens[0].loose(2);
    loose.sealed.payload = Salted::new(Fixed([8; 16]), loose.sealed.payload.bytes().to_vec());
    altered[3] = Piece::Payload(loose);
    assert_eq!(faults(audit(&altered)), [Finding::PayloadAltered { of: name.clone(), seq: 2 }]);
    let mut pen = Pen::of(1);
    let items = |number: u8| AckItem {
        feed: FeedId::from_bytes([number; 32]),
        seq: 0,
        id: EntryId::NONE,
        payloads_through: 0,
        missing: vec![],
        received_at: TimeMs(0),
    };
    pen.write(Kind::ACK, Ack(vec![items(1), items(2)]).to_bytes());
    pen.apart.push(1);
    let findings = faults(audit(&[Piece::Founding, Piece::Run(pen.run(0, 2))]));
    assert!(findings.contains(&Finding::PayloadAbsent { of: name, seq: 1, kind: Kind::ACK }));
}

#[test]
fn what_a_feed_shows_by_itself_is_noted() {
    let mut pen = Pen::of(6);
    let of = pen.name();
    pen.note("an observer speaks");
    pen.write(Kind(99), vec![]);
    pen.clock -= 5_000;
    pen.write(Kind(99), vec![]);
    pen.clock += 400 * 24 * 60 * 60 * 1_000;
    pen.write(Kind::ACK, vec![0x80]);
    let (mut header, _, sealed) = pen.entries[4].clone();
    (header.seq, header.prev, header.kind) = (5, pen.tip.id(), Kind(99));
    header.charter = CharterHash::from_bytes([1; 32]);
    pen.push(header, sealed);
    let findings = audit(&[Piece::Founding, Piece::Run(pen.run(0, 6))]);
    let expected = [
        Finding::NotForObservers { of: of.clone(), seq: 1, kind: Kind::NOTE },
        Finding::NewerKind { of: of.clone(), seq: 2, kind: Kind(99) },
        Finding::ClockBack {
            of: of.clone(),
            seq: 3,
            before: TimeMs(NOON + 3_000),
            after: TimeMs(NOON - 1_000),
        },
        Finding::ClockJump {
            of: of.clone(),
            seq: 4,
            before: TimeMs(NOON - 1_000),
            after: TimeMs(pen.clock),
        },
        Finding::BadPayload {
            of: of.clone(),
            seq: 4,
            kind: Kind::ACK,
            why: BadPayload::Malformed(crate::codec::Malformed::Count {
                what: "acknowledgement",
                count: 0,
                min: 1,
                max: 1_000,
            }),
        },
        Finding::OtherCharter { of, seq: 5, charter: CharterHash::from_bytes([1; 32]) },
    ];
    assert_eq!(findings[..6], expected);
}

#[test]
fn a_clock_ahead_of_who_received_the_entry_is_noted() {
    let mut pens = [Pen::of(1), Pen::of(2)];
    pens[0].clock += 3_600_000;
    pens[0].note("from the future");
    let mut early = pens[0].clone();
    early.clock = NOON;
    pens[1].ack(&[&early]);
    let [one, two] = &pens;
    let findings = audit(&[Piece::Founding, Piece::Run(one.run(0, 2)), Piece::Run(two.run(0, 2))]);
    let ahead = Finding::ClockAhead { of: one.name(), seq: 1, by: two.name(), ahead_ms: 3_601_990 };
    assert!(findings.contains(&ahead), "{findings:?}");
}

#[test]
fn openings_are_followed_from_the_charter_and_strangers_are_named() {
    let pen = Pen::of(1);
    let new = KeyPair::from_seed(&[77; 32]);
    let descriptor = Descriptor { epoch: 1, key: new.public(), ..pen.descriptor };
    let end = End(0, pen.tip.id());
    let next_by = |old: &KeyPair| {
        let opening = OpenFeed::next(descriptor, end, (WarrantRole::Old, old), &new);
        let mut next = Pen::blank(descriptor, new.clone());
        next.write(Kind::OPEN_FEED, opening.to_bytes());
        next
    };
    let with = |next: &Pen| {
        let pieces = [
            Piece::Founding,
            Piece::Run(pen.run(0, 1)),
            Piece::Run(next.run(0, next.entries.len())),
        ];
        let findings = audit(&pieces);
        findings
            .into_iter()
            .filter(|one| !matches!(one, Finding::Silent { .. }))
            .collect::<Vec<_>>()
    };
    let mut good = next_by(&fixture::feed_key(1));
    good.note("under a new key");
    assert_eq!(with(&good), []);
    let foreign = next_by(&fixture::feed_key(2));
    let (feed, org) = (foreign.feed(), fixture::org(1));
    let why = BadOpening::NotWarranted;
    assert_eq!(with(&foreign), [Finding::OpeningRefused { record: 3, feed, org, why }]);
    let mut stranger = Pen::of(1);
    stranger.descriptor.org = fixture::org(9);
    let mut stranger = Pen::blank(stranger.descriptor, stranger.key);
    stranger.note("who am I?");
    let feed = stranger.feed();
    assert_eq!(with(&stranger), [Finding::Outsider { record: 3, feed, from: 0 }]);
}

#[test]
fn an_organisation_opens_at_most_64_feeds_on_a_board_each_under_a_key_of_its_own() {
    let mut pieces = vec![Piece::Founding, Piece::Run(Pen::of(1).run(0, 1))];
    let mut old = Pen::of(1);
    let mut next = |epoch: u64, seed: u8| {
        let key = KeyPair::from_seed(&[seed; 32]);
        let descriptor = Descriptor { epoch, key: key.public(), ..old.descriptor };
        let end = End(0, old.tip.id());
        let opening = OpenFeed::next(descriptor, end, (WarrantRole::Old, &old.key), &key);
        let mut pen = Pen::blank(descriptor, key);
        pen.write(Kind::OPEN_FEED, opening.to_bytes());
        pieces.push(Piece::Run(pen.run(0, 1)));
        old = pen;
    };
    (1..EPOCHS_MAX).for_each(|epoch| next(epoch, 100 + u8::try_from(epoch).unwrap()));
    next(EPOCHS_MAX, 99);
    let why = |pieces: &[Piece]| {
        let refused = audit(pieces).into_iter().find_map(|finding| {
            let Finding::OpeningRefused { record, why, .. } = finding else { return None };
            Some((record, why))
        });
        refused.unwrap()
    };
    assert_eq!(why(&pieces), (EPOCHS_MAX + 2, BadOpening::TooMany { max: EPOCHS_MAX }));
    // The key of epoch 0, in epoch 3.
    let (mut pieces, first) = (pieces[..4].to_vec(), Pen::of(1));
    let descriptor = Descriptor { epoch: 3, ..first.descriptor };
    let warrant = KeyPair::from_seed(&[102; 32]);
    let end = End(0, EntryId::NONE);
    let opening = OpenFeed::next(descriptor, end, (WarrantRole::Old, &warrant), &first.key);
    let mut again = Pen::blank(descriptor, first.key);
    again.write(Kind::OPEN_FEED, opening.to_bytes());
    pieces.push(Piece::Run(again.run(0, 1)));
    assert_eq!(why(&pieces), (5, BadOpening::KeyUsedBefore));
}

#[test]
fn a_feed_that_opens_wrongly_or_twice_is_its_authors_fault() {
    let pen = Pen::of(1);
    let mut twice = pen.clone();
    twice.write(Kind::OPEN_FEED, OpenFeed::first(pen.descriptor).to_bytes());
    let of = pen.name();
    let first = |findings: Vec<Finding>| findings.into_iter().next().unwrap();
    assert_eq!(
        first(audit(&[Piece::Founding, Piece::Run(twice.run(0, 2))])),
        Finding::MisSigned { of: of.clone(), why: Misbehaved::OpenedAgain { seq: 1 } }
    );
    let mut wrong = Pen::blank(pen.descriptor, fixture::feed_key(1));
    let other = Descriptor { epoch: 1, ..pen.descriptor };
    wrong.write(Kind::OPEN_FEED, OpenFeed::first(other).to_bytes());
    assert_eq!(
        first(audit(&[Piece::Founding, Piece::Run(wrong.run(0, 1))])),
        Finding::BadFirstOpening { of, why: BadOpening::OtherFeed }
    );
}

#[test]
fn records_are_bounded_before_memory_is_taken_and_newer_ones_are_passed_over() {
    let mut bytes = bundle::MAGIC.to_vec();
    bytes.extend_from_slice(&[0, 0, 0, 3, 77, 1, 2]);
    let mut records = Records::new(&bytes).unwrap();
    assert_eq!(records.next(), Some(Ok(Record::Newer { tag: 77 })));
    assert_eq!(records.next(), None);
    for len in [0, u32::MAX] {
        let mut bytes = bundle::MAGIC.to_vec();
        bytes.extend_from_slice(&len.to_be_bytes());
        let mut records = Records::new(&bytes).unwrap();
        let bad = BadBundle::RecordLength { at: 19, len: u64::from(len) };
        assert_eq!(records.next(), Some(Err(bad)));
        assert_eq!(records.next(), None);
    }
    assert_eq!(bundle::next_record(&[0, 0], 0), Ok(bundle::Next::Needs(4)));
    assert_eq!(bundle::next_record(&[0, 0, 0, 2, 5], 0), Ok(bundle::Next::Needs(6)));
}
