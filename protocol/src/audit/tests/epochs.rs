//! Bundles in which keys were stolen and taken back: what still settles, and what is told of feeds.

use super::*;

/// The seed of a thief's key.
const THIEF: u8 = 71;
/// The seed of the key after that one.
const FURTHER: u8 = 72;
/// The seed of the owner's new key.
const OWNER: u8 = 73;

/// The epoch after a feed, warranted by a key in its role.
fn after(old: &Pen, prior: (WarrantRole, &KeyPair), seed: u8) -> Pen {
    let key = KeyPair::from_seed(&[seed; 32]);
    let epoch = old.descriptor.epoch + 1;
    let descriptor = Descriptor { epoch, key: key.public(), ..old.descriptor };
    let end = End(old.tip.size() - 1, old.tip.id());
    let opening = OpenFeed::next(descriptor, end, (prior.0, prior.1), &key);
    let mut pen = Pen::blank(descriptor, key);
    pen.write(Kind::OPEN_FEED, opening.to_bytes());
    pen
}

fn rotated(old: &Pen, seed: u8) -> Pen {
    after(old, (WarrantRole::Old, &old.key), seed)
}

fn recovered(old: &Pen, seed: u8) -> Pen {
    after(old, (WarrantRole::Recovery, &fixture::recovery_key(4)), seed)
}

/// A note that two of its four others acknowledged: the one whose feeds these are settles it.
struct Vote {
    noted: Pen,
    others: [Pen; 2],
    first: Pen,
}

impl Vote {
    fn new() -> Self {
        let mut noted = Pen::of(1);
        noted.note("one");
        let others = [2, 3].map(|number| {
            let mut pen = Pen::of(number);
            pen.ack(&[&noted]);
            pen
        });
        Self { noted, others, first: Pen::of(4) }
    }

    /// A feed that goes on with an acknowledgement of the note.
    fn by(&self, pen: &Pen) -> Pen {
        let mut pen = pen.clone();
        pen.ack(&[&self.noted]);
        pen
    }

    /// How many entries with the note are settled, by these feeds; and what else is found.
    fn counted(&self, feeds: &[&Pen]) -> (u64, Vec<Finding>) {
        let feeds = [&self.noted].into_iter().chain(&self.others).chain(feeds.iter().copied());
        let runs = feeds.map(|pen| Piece::Run(pen.run(0, pen.entries.len())));
        let pieces: Vec<Piece> = core::iter::once(Piece::Founding).chain(runs).collect();
        let report = audit_bundle(&bundle(&pieces));
        let mut feeds = report.summary.feeds.iter();
        let settled = feeds.find(|feed| feed.name == self.noted.name()).unwrap().settled;
        let is_told = |finding: &Finding| !matches!(finding, Finding::Silent { .. });
        (settled, report.findings.into_iter().filter(is_told).collect())
    }
}

fn superseded(pen: &Pen) -> Finding {
    Finding::Superseded { of: pen.name(), entries: pen.tip.size() }
}

fn opened_twice(pens: [&Pen; 2]) -> Vec<Finding> {
    let mut pens = pens;
    pens.sort_by_key(|pen| pen.feed());
    pens.map(|pen| Finding::OpenedTwice { of: pen.name() }).to_vec()
}

#[test]
fn what_a_thief_acknowledges_beyond_an_end_settles_nothing() {
    let vote = Vote::new();
    let stolen = vote.by(&vote.first);
    let next = rotated(&vote.first, OWNER);
    assert_eq!(vote.counted(&[&stolen]), (2, vec![]));
    let beyond = || vec![Finding::BeyondEnd { of: stolen.name(), end: 1, entries: 2 }];
    assert_eq!(vote.counted(&[&stolen, &next]), (0, beyond()));
    assert_eq!(vote.counted(&[&next, &stolen]), (0, beyond()), "in another order");
    assert_eq!(vote.counted(&[&stolen, &vote.by(&next)]), (2, beyond()), "under the new key");
    assert_eq!(vote.counted(&[&stolen, &rotated(&stolen, OWNER)]), (2, vec![]), "within the end");
}

#[test]
fn a_feed_ends_before_the_entry_that_the_named_end_contradicts() {
    let vote = Vote::new();
    let stolen = vote.by(&vote.first);
    let mut true_end = vote.first.clone();
    true_end.note("mine");
    let beyond = Finding::BeyondEnd { of: stolen.name(), end: 1, entries: 2 };
    assert_eq!(vote.counted(&[&stolen, &rotated(&true_end, OWNER)]), (0, vec![beyond]));
}

#[test]
fn a_recovery_beats_a_thiefs_rotation_and_all_that_follows_from_it() {
    let vote = Vote::new();
    let stolen = vote.by(&rotated(&vote.first, THIEF));
    let further = vote.by(&rotated(&stolen, FURTHER));
    let back = recovered(&vote.first, OWNER);
    assert_eq!(vote.counted(&[&vote.first, &stolen, &further]), (2, vec![]));
    let mut beaten = [&stolen, &further];
    beaten.sort_by_key(|pen| pen.feed());
    let told = beaten.map(superseded).to_vec();
    for feeds in
        [[&stolen, &further, &back], [&back, &stolen, &further], [&stolen, &back, &further]]
    {
        let feeds = [&vote.first, feeds[0], feeds[1], feeds[2]];
        assert_eq!(vote.counted(&feeds), (0, told.clone()));
    }
    let (settled, _) = vote.counted(&[&vote.first, &stolen, &further, &vote.by(&back)]);
    assert_eq!(settled, 2);
}

#[test]
fn a_recovery_stands_although_it_follows_what_another_superseded() {
    let vote = Vote::new();
    let stolen = rotated(&vote.first, THIEF);
    let back = recovered(&vote.first, OWNER);
    let again = vote.by(&recovered(&back, FURTHER));
    let feeds = [&vote.first, &stolen, &back, &again];
    assert_eq!(vote.counted(&feeds), (2, vec![superseded(&stolen)]));
}

#[test]
fn two_openings_of_one_epoch_by_equal_right_are_proven() {
    let vote = Vote::new();
    let rivals =
        |open: fn(&Pen, u8) -> Pen| [THIEF, OWNER].map(|seed| vote.by(&open(&vote.first, seed)));
    for [one, other] in [rivals(rotated), rivals(recovered)] {
        let found = vote.counted(&[&vote.first, &one, &other]);
        assert_eq!(found, (0, opened_twice([&one, &other])));
    }
    let spoken = vote.by(&vote.first);
    let [early, late] = [rotated(&vote.first, THIEF), rotated(&spoken, OWNER)];
    let (settled, told) = vote.counted(&[&spoken, &early, &late]);
    assert_eq!(settled, 0, "the lower end counts");
    assert!(told.contains(&Finding::BeyondEnd { of: spoken.name(), end: 1, entries: 2 }));
}

#[test]
fn an_opening_counts_though_its_run_does_not_hold() {
    let vote = Vote::new();
    let [one, other] = [THIEF, OWNER].map(|seed| rotated(&vote.first, seed));
    let mut run = other.run(0, 1);
    run.heads = one.run(0, 1).heads;
    let pieces = [
        Piece::Founding,
        Piece::Run(vote.first.run(0, 1)),
        Piece::Run(one.run(0, 1)),
        Piece::Run(run),
    ];
    let told: Vec<Finding> = audit(&pieces)
        .into_iter()
        .filter(|finding| matches!(finding, Finding::OpenedTwice { .. }))
        .collect();
    assert_eq!(told, opened_twice([&one, &other]));
}

#[test]
fn evidence_may_come_before_the_feed_that_it_accuses() {
    let vote = Vote::new();
    let next = rotated(&vote.first, OWNER);
    let (one, mut other) = (vote.by(&next), next.clone());
    other.note("another");
    let proof = ForkProof::new(next.descriptor, 1, one.side(1), other.side(1)).unwrap();
    let mut judge = Pen::of(5);
    judge.write(Kind::EVIDENCE, Evidence::Fork(proof).to_bytes());
    let (by, seq) = (judge.name(), 1);
    let proven = Finding::ForkProven { of: next.name(), index: 1, by: by.clone(), seq };
    assert_eq!(vote.counted(&[&judge, &vote.first, &one]), (0, vec![proven]));
    let unknown = Finding::AccusesUnknown { feed: next.feed(), by, seq };
    assert_eq!(vote.counted(&[&judge, &vote.first]), (0, vec![unknown]));
}

#[test]
fn a_thief_cannot_use_up_the_room_of_a_recovery() {
    let first = Pen::of(4);
    let mut feeds = vec![first.clone()];
    feeds.extend((100..163).map(|seed| rotated(&first, seed)));
    let refused = |feeds: &[Pen]| {
        let runs = feeds.iter().map(|pen| Piece::Run(pen.run(0, 1)));
        let pieces: Vec<Piece> = core::iter::once(Piece::Founding).chain(runs).collect();
        let told = audit(&pieces).into_iter().filter_map(|finding| {
            let Finding::OpeningRefused { record, why, .. } = finding else { return None };
            Some((record, why))
        });
        told.collect::<Vec<_>>()
    };
    let full = BadOpening::TooMany { max: EPOCHS_MAX };
    feeds.push(rotated(&first, 163));
    assert_eq!(refused(&feeds), [(EPOCHS_MAX + 2, full.clone())]);
    let back = recovered(&first, OWNER);
    feeds.extend([back.clone(), rotated(&back, 164), rotated(&first, 165), rotated(&first, 166)]);
    // Room for the recovery, for what follows from it, and for one more that it supersedes.
    assert_eq!(refused(&feeds), [(EPOCHS_MAX + 2, full.clone()), (EPOCHS_MAX + 6, full)]);
}
