//! One member that writes what costs the others most: what it may put into a document is bounded,
//! and a replay takes no longer than there is to read.
//!
//! Where a test is about work, its sizes would take minutes if that grew with the square of them.

use super::*;
use crate::{
    artefact::edit::fold,
    limits::{CHANGES_MAX, DOC_HEADS_MAX, FEED_HEADS_MAX, FEED_OPERATIONS_MAX, OPERATIONS_MAX},
};

/// A change of one editor on these.
struct Written {
    fresh: u64,
    seq: u64,
    start_op: u64,
    on: Vec<ChangeHash>,
    puts: Puts,
}

/// What it writes under `title`, over and over.
#[derive(Clone, Copy)]
enum Puts {
    Nothing,
    /// As often as this: a few bytes, however often.
    Null(u64),
    /// A letter, as often as this.
    Letter(u64),
    /// Numbers of three bytes.
    Numbers {
        from: u64,
        count: u64,
    },
}

impl Written {
    fn by(&self, number: u8) -> (Blob, ChangeHash) {
        let mut fresh = [0; 16];
        fresh[..8].copy_from_slice(&self.fresh.to_be_bytes());
        let actor = Actor::of(ActorPrefix::of(&feed(number)), fresh);
        let raw = chunk(actor, self, &columns(self.puts));
        let hash = crate::verdict::Chunk::from_bytes(&raw).unwrap().hash;
        (Blob::from(raw), hash)
    }
}

fn uleb(mut number: u64, out: &mut Vec<u8>) {
    while number > 127 {
        out.push(number.to_le_bytes()[0] | 128);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn sleb(number: u64) -> Vec<u8> {
    let mut out = vec![];
    uleb(number, &mut out);
    if out.last().unwrap() & 64 != 0 {
        *out.last_mut().unwrap() |= 128;
        out.push(0);
    }
    out
}

fn columns(puts: Puts) -> Vec<(u64, Vec<u8>)> {
    let (count, about, values) = match puts {
        Puts::Nothing => return vec![],
        Puts::Null(count) => (count, 0, vec![]),
        Puts::Letter(count) => (count, 16 + 6, (0..count).map(|_| b'x').collect()),
        Puts::Numbers { from, count } => {
            let mut values = vec![];
            (from..from + count).for_each(|number| uleb(number, &mut values));
            (count, 3 * 16 + 3, values)
        }
    };
    let run = |value: &[u8]| [sleb(count), value.to_vec()].concat();
    let mut insert = vec![];
    uleb(count, &mut insert);
    let all = [
        (0x15, run(b"\x05title")),
        (0x34, insert),
        (0x42, run(&[1])),
        (0x56, run(&[about])),
        (0x57, values),
        (0x70, run(&[0])),
    ];
    all.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
}

fn chunk(actor: Actor, written: &Written, columns: &[(u64, Vec<u8>)]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut body = vec![];
    uleb(written.on.len() as u64, &mut body);
    let mut on = written.on.clone();
    on.sort();
    on.iter().for_each(|dependency| body.extend(dependency.0));
    body.push(32);
    body.extend(actor.0);
    uleb(written.seq, &mut body);
    uleb(written.start_op, &mut body);
    body.extend([0, 0, 0]);
    uleb(columns.len() as u64, &mut body);
    for (column, bytes) in columns {
        uleb(*column, &mut body);
        uleb(bytes.len() as u64, &mut body);
    }
    columns.iter().for_each(|(_, bytes)| body.extend(bytes));
    let mut hashed = vec![1];
    uleb(body.len() as u64, &mut hashed);
    hashed.extend(body);
    let checksum = Sha256::digest(&hashed);
    [&[0x85, 0x6f, 0x4a, 0x83], &checksum[..4], hashed.as_slice()].concat()
}

impl Partnership {
    /// The number of the first operation on the skeleton alone.
    fn first_op(&self) -> u64 {
        let document = Document::new(&self.skeleton);
        let actor = Actor::of(ActorPrefix::of(&feed(1)), [0; 16]);
        let raw = edit(&document, vec![title("a")], actor, TimeMs(0)).unwrap().changes.remove(0);
        crate::verdict::Chunk::from_bytes(&raw).unwrap().start_op
    }

    /// Changes on the skeleton alone, each of an editor of its own.
    fn at_once(&self, by: u8, number: u64, puts: Puts) -> Vec<(Blob, ChangeHash)> {
        let (on, start_op) = (vec![self.skeleton.hash()], self.first_op());
        let change = |fresh| Written { fresh, seq: 1, start_op, on: on.clone(), puts }.by(by);
        (1..=number).map(change).collect()
    }

    fn carry(&mut self, by: u8, changes: &[(Blob, ChangeHash)]) {
        let opened = self.dossier.entries[0].by.entry;
        for part in changes.chunks(CHANGES_MAX) {
            let raw = part.iter().map(|(raw, _)| raw.clone()).collect();
            self.write(by, Kind::CHANGE, Changes { raw }.to_bytes(), vec![opened]);
        }
    }

    fn count(&self, is_meant: impl Fn(&Status) -> bool) -> usize {
        self.statuses().iter().filter(|status| is_meant(status)).count()
    }
}

#[test]
fn one_feed_alone_cannot_fill_a_document() {
    let mut board = decision();
    let changes = board.at_once(2, 101, Puts::Null(OPERATIONS_MAX));
    assert!(changes.iter().map(|(raw, _)| raw.as_slice().len()).sum::<usize>() < 13_000);
    board.carry(2, &changes);
    board.edit(3, vec![splice("summary", 0, "One.")]);
    assert_eq!(board.document().size().operations, 12 * OPERATIONS_MAX + 4);
    let beyond =
        |status: &Status| matches!(status, Status::Refused(Refusal::FeedOperations { .. }));
    assert_eq!(board.count(beyond), 101 - 12);
    let count = 13 * OPERATIONS_MAX;
    assert_eq!(board.statuses()[12], Status::Refused(Refusal::FeedOperations { count }));
    assert!(count > FEED_OPERATIONS_MAX);
    // It is over for this feed, and for nobody else.
    let known = board.replay();
    board.edit_from(2, &board.document(), &known, vec![splice("summary", 0, "More.")]);
    assert!(beyond(board.statuses().last().unwrap()));
}

/// A history of its own feed counts, whatever others put into the document and in what order it came.
#[test]
fn what_a_feed_has_put_in_is_counted_in_the_order_of_the_feed() {
    let mut board = decision();
    let changes = board.at_once(2, 13, Puts::Null(OPERATIONS_MAX));
    board.carry(2, &changes);
    let others = board.at_once(3, 2, Puts::Null(OPERATIONS_MAX));
    board.carry(3, &others);
    let applied = board.count(|status| *status == Status::Applied);
    let outcome = board.replay().changes;
    board.dossier.entries.reverse();
    assert_eq!((applied, board.replay().changes), (12 + 2, outcome));
}

#[test]
fn a_feed_has_at_most_as_many_heads_as_editors_may_be_at_work() {
    let mut board = decision();
    let most = FEED_HEADS_MAX as u64;
    let changes = board.at_once(2, most + 68, Puts::Nothing);
    board.carry(2, &changes);
    let refused = Status::Refused(Refusal::FeedHeads { count: FEED_HEADS_MAX + 1 });
    assert_eq!(board.statuses()[FEED_HEADS_MAX..], vec![refused; 68]);
    let others = board.at_once(3, 10, Puts::Nothing);
    board.carry(3, &others);
    let document = board.document();
    assert_eq!(document.heads().len(), FEED_HEADS_MAX + 10);
    // Whoever comes next folds them, and goes on; so does the feed itself.
    let actor = Actor::of(ActorPrefix::of(&feed(2)), [77; 16]);
    let folded = fold(&document, actor, TimeMs(NOON)).unwrap();
    let raw = folded.changes.iter().cloned().map(Blob::from).collect();
    let refs = board.replay().refs(&feed(2), &document.heads());
    board.write(2, Kind::CHANGE, Changes { raw }.to_bytes(), refs);
    assert!(folded.document.heads().len() <= DOC_HEADS_MAX);
    assert_eq!(board.document().heads(), folded.document.heads());
    board.edit(2, vec![title("a")]);
    assert_eq!(*board.statuses().last().unwrap(), Status::Applied);
}

/// A payload that is not here may build on all of them.
#[test]
fn heads_that_an_unread_change_may_build_on_are_not_held_against_the_feed() {
    let mut board = decision();
    let changes = board.at_once(2, FEED_HEADS_MAX as u64 + 1, Puts::Nothing);
    board.carry(2, &changes[..FEED_HEADS_MAX]);
    let on = changes[..FEED_HEADS_MAX].iter().map(|(_, hash)| *hash).collect();
    let start_op = board.first_op();
    board.carry(2, &[Written { fresh: 99, seq: 1, start_op, on, puts: Puts::Nothing }.by(2)]);
    board.carry(2, &changes[FEED_HEADS_MAX..]);
    assert_eq!(board.statuses(), vec![Status::Applied; FEED_HEADS_MAX + 2]);
    let unread = board.dossier.entries.iter_mut().rfind(|one| one.by.seq == 1).unwrap();
    unread.content = Content::Due;
    let entry = unread.by.entry;
    assert_eq!(*board.statuses().last().unwrap(), Status::Unknown { entry });
}

#[test]
fn copies_of_a_change_cost_those_that_build_on_it_nothing() {
    let mut board = decision();
    let number = 20_000;
    let on = vec![board.skeleton.hash()];
    let refused = Written { fresh: 0, seq: 1, start_op: 1_000, on, puts: Puts::Nothing }.by(2);
    board.carry(2, &vec![refused.clone(); number]);
    let on = vec![refused.1];
    let change =
        |seq| Written { fresh: 1, seq, start_op: 1_000, on: on.clone(), puts: Puts::Nothing }.by(2);
    let dependents: Vec<_> = (1..=number as u64).map(change).collect();
    board.carry(2, &dependents);
    let repeated = |status: &Status| *status == Status::Refused(Refusal::Repeated);
    assert_eq!(board.count(repeated), number - 1);
    let entry = board.dossier.entries[1].by.entry;
    let shares = Status::Shares { cause: refused.1, entry };
    assert_eq!(board.count(|status| *status == shares), number);
}

#[test]
fn widenings_cost_as_much_as_there_are_members() {
    let mut board = Partnership::new(&DECISION, Audience::Only(vec![org(1), org(2)]));
    let opened = board.dossier.entries[0].by.entry;
    let lets_in = |org| Widening { orgs: vec![org], reason: Reason::MENTIONED }.to_bytes();
    let number = 5_000;
    for _ in 0..number {
        board.write(2, Kind::AUDIENCE, lets_in(org(3)), vec![opened]);
    }
    board.write(3, Kind::AUDIENCE, lets_in(org(4)), vec![opened]);
    board.add(3, Kind::AUDIENCE, lets_in(org(9)));
    board.add(5, Kind::AUDIENCE, lets_in(org(5)));
    let replay = board.replay();
    let outside = replay.entries.values().filter(|it| **it == Standing::OutsideAudience).count();
    assert_eq!((outside, replay.entries.len()), (2, number + 4));
    let in_audience: Vec<OrgId> = [1, 2, 3, 4, 9].into_iter().map(org).collect();
    let Audience::Only(found) = replay.audience else { panic!("named") };
    assert_eq!(
        found,
        in_audience.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    );
}

#[test]
fn what_relies_on_one_of_many_unkept_entries_is_not_named() {
    let mut board = decision();
    let opened = board.dossier.entries[0].by.entry;
    let forked = board.write(2, Kind::REMARK, vec![], vec![opened]);
    for _ in 0..5_000 {
        board.write(2, Kind::REMARK, vec![], vec![]);
    }
    let standing = crate::decision::Standing::Forked { branch: forked };
    for held in board.dossier.entries.iter_mut().filter(|one| one.feed == feed(2)) {
        (held.by.standing, held.by.settled, held.is_kept) = (standing, false, false);
    }
    let last = board.dossier.entries.last().unwrap().by.entry;
    board.write(3, Kind::REMARK, vec![], vec![last]);
    let kept = board.write(4, Kind::REMARK, vec![], vec![opened]);
    assert_eq!(board.replay().refs(&feed(5), &[]), [kept]);
}

#[test]
fn heads_of_many_feeds_fold_at_once() {
    let board = decision();
    let document = Document::new(&board.skeleton);
    let raw: Vec<Vec<u8>> = (1..=6)
        .flat_map(|by| board.at_once(by, 500, Puts::Nothing))
        .map(|(raw, _)| raw.into_vec())
        .collect();
    let document = document.with(&raw).unwrap();
    assert_eq!(document.heads().len(), 3_000);
    let actor = Actor::of(ActorPrefix::of(&feed(1)), [77; 16]);
    let folded = fold(&document, actor, TimeMs(NOON)).unwrap();
    // Each takes the place of 32 heads, its own one before included.
    assert_eq!((folded.changes.len(), folded.document.heads().len()), (96, 3_000 - 96 * 31));
    let history = crate::verdict::History::new(board.skeleton.raw()).unwrap();
    let verdict = history.judge(&folded.changes[0], ActorPrefix::of(&feed(1)));
    assert!(matches!(verdict, crate::verdict::Judgement::Waiting { .. }), "the bytes are in order");
}

#[test]
fn many_values_under_one_key_are_read_one_by_one() {
    let mut board = decision();
    let (on, start_op) = (vec![board.skeleton.hash()], board.first_op());
    let numbers = [20_000, 40_000, 60_000, 20_000];
    let changes = numbers.into_iter().zip(1..).map(|(from, fresh)| {
        let puts = Puts::Numbers { from, count: OPERATIONS_MAX };
        Written { fresh, seq: 1, start_op, on: on.clone(), puts }.by(2)
    });
    let changes: Vec<_> = changes.collect();
    board.carry(2, &changes);
    let reading = read(&board.document());
    let title = reading.cell(&path("title")).unwrap();
    let crate::artefact::read::Content::Scalar(values) = &title.content else { panic!("a value") };
    let twice = values.iter().filter(|value| value.by.len() == 2).count();
    assert_eq!((values.len(), twice), (60_000, 20_000));
}

/// A change overwrites at most 40,000 values: more are deleted first, a change for each 20,000.
#[test]
fn a_field_with_more_values_than_a_change_may_overwrite_is_set_all_the_same() {
    for intents in [
        vec![title("Home care")],
        vec![splice("summary", 0, "One."), Intent::Clear { at: path("title") }],
        vec![Intent::Choose { at: path("title"), value: Atom::Text("x".into()) }],
    ] {
        let mut board = decision();
        let changes = board.at_once(2, 3, Puts::Letter(OPERATIONS_MAX));
        board.carry(2, &changes);
        board.edit(3, intents);
        let statuses = board.statuses();
        assert_eq!(statuses, vec![Status::Applied; statuses.len()]);
        assert!(statuses.len() >= 3 + 3);
        let reading = read(&board.document());
        let title = &reading.cell(&path("title")).unwrap().content;
        let crate::artefact::read::Content::Scalar(values) = title else { panic!("a value") };
        assert!(values.iter().map(|value| value.by.len()).sum::<usize>() < 2);
    }
}

/// On a branch counts what stands on it and below, and not what another branch says.
#[test]
fn what_another_branch_put_in_is_not_held_against_a_feed() {
    let mut board = decision();
    let changes = board.at_once(2, 18, Puts::Null(OPERATIONS_MAX));
    board.carry(2, &changes[..6]);
    board.carry(2, &changes[6..12]);
    let below = board.dossier.entries[1].by.entry;
    board.carry(2, &changes[12..]);
    let other = board.dossier.entries.last_mut().unwrap();
    (other.after, other.by.seq) = (Some(below), 1);
    let branches: Vec<EntryId> =
        board.dossier.entries[2..].iter().map(|entry| entry.by.entry).collect();
    for settled in &branches {
        for entry in board.dossier.entries.iter_mut().skip(2) {
            let branch = entry.by.entry;
            entry.by.standing = crate::decision::Standing::Forked { branch };
            entry.by.settled = branch == *settled;
        }
        assert_eq!(board.count(|status| *status == Status::Applied), 12);
        assert_eq!(board.count(|it| *it == Status::Entry(Standing::Held)), 6);
    }
}
