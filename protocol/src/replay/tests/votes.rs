//! Votes of five organisations, one of which may close: what is in time, and what a result that is fixed
//! rests on.

use super::*;
use crate::{charter::Seat, decision::Fate};

const CLOSER: u8 = 5;

/// A decision that organisation 1 has put to the vote of all five.
pub(super) struct Vote {
    pub(super) board: Partnership,
    pub(super) proposal: EntryId,
    pub(super) wording: Fixed<32>,
}

impl Vote {
    pub(super) fn new() -> Self {
        let mut board = decision();
        board.edit(1, vec![title("a")]);
        let document = board.document();
        let frozen = wording(&DECISION, &read(&document)).unwrap();
        let says = Proposal {
            heads: document.heads().into_iter().map(|head| Fixed(head.0)).collect(),
            wording: frozen.digest(),
            snapshot: Blob::from(frozen.to_bytes()),
            rule: board.charter.rules[0].name.clone(),
            closer: org(CLOSER),
            closes_at: TimeMs(NOON + 86_400_000),
            replaces: None,
        };
        let proposal = board.add(1, Kind::PROPOSAL, says.to_bytes());
        Self { board, proposal, wording: says.wording }
    }

    fn sign(&mut self, by: u8, answer: Answer) -> EntryId {
        let says = SignOff { proposal: self.proposal, answer, wording: self.wording };
        self.board.add(by, Kind::SIGNOFF, says.to_bytes())
    }

    fn approve(&mut self, by: impl IntoIterator<Item = u8>) -> Vec<EntryId> {
        by.into_iter().map(|by| self.sign(by, Answer::Approve)).collect()
    }

    fn close(&mut self, by: u8, mut counted: Vec<EntryId>) -> EntryId {
        counted.sort_unstable();
        let says = Close { proposal: self.proposal, counted };
        self.board.add(by, Kind::CLOSE, says.to_bytes())
    }

    fn acknowledge(&mut self, by: impl IntoIterator<Item = u8>) {
        self.board.acknowledge(by);
    }

    /// How many entries of a feed there are.
    pub(super) fn size(&self, of: u8) -> u64 {
        self.board.dossier.feeds[&feed(of)].1
    }

    fn entry(&mut self, id: EntryId) -> &mut Entry {
        self.board.dossier.entries.iter_mut().find(|one| one.by.entry == id).unwrap()
    }

    fn poll(&self) -> Poll {
        self.board.replay().proposals[&self.proposal].poll.clone()
    }

    fn ruling(&self) -> Ruling {
        self.poll().ruling
    }

    fn fates(&self) -> Vec<Fate> {
        self.poll().slips.iter().map(|slip| slip.fate).collect()
    }

    /// The same where an entry, and what follows it in its feed, has not come yet.
    fn without(&self, id: EntryId) -> Self {
        let mut board = Partnership {
            charter: self.board.charter.clone(),
            skeleton: Arc::clone(&self.board.skeleton),
            dossier: self.board.dossier.clone(),
            clock: self.board.clock,
            actors: 0,
        };
        let gone = board.dossier.entries.iter().find(|one| one.by.entry == id).unwrap();
        let (of, seq) = (gone.feed, gone.by.seq);
        board.dossier.entries.retain(|one| one.feed != of || one.by.seq < seq);
        board.dossier.feeds.get_mut(&of).unwrap().1 = seq;
        for one in board.dossier.acknowledged.iter_mut().filter(|one| one.of == of) {
            one.on = one.on.filter(|_| one.entries <= seq);
        }
        Self { board, ..*self }
    }
}

/// Else any member could write a closing before anybody answers, and no answer would ever be in time.
#[test]
fn a_closing_by_a_member_that_may_not_close_changes_nothing() {
    let mut vote = Vote::new();
    vote.close(3, vec![]);
    vote.acknowledge(1..=5);
    vote.approve(1..=5);
    assert_eq!(vote.ruling(), Ruling::Open);
    vote.acknowledge(1..=5);
    assert_eq!((vote.ruling(), vote.fates()), (Ruling::Carried, vec![Fate::Counted; 5]));
}

/// Acknowledgements that are on their way may settle a closing that is void now, so it ends what is in
/// time; whoever may close can still list what came later.
#[test]
fn a_closing_that_is_void_makes_late_and_another_can_list_what_is() {
    let mut vote = Vote::new();
    let void = vote.close(CLOSER, vec![]);
    vote.entry(void).by.standing = crate::decision::Standing::Void;
    vote.entry(void).by.settled = false;
    vote.acknowledge(1..=4);
    let signed = vote.approve(1..=4);
    vote.acknowledge(1..=5);
    assert_eq!((vote.ruling(), vote.fates()), (Ruling::Open, vec![Fate::Late; 4]));
    vote.close(CLOSER, signed);
    vote.acknowledge(1..=4);
    assert_eq!((vote.ruling(), vote.fates()), (Ruling::Carried, vec![Fate::Counted; 4]));
}

/// Who has not received the closing, or not its payload, must not take for carried what came after it.
/// A node that holds a sign-off above a fork which nobody else acknowledged shows what others show.
#[test]
fn a_sign_off_that_others_may_never_hold_is_as_if_it_were_not_here() {
    let mut board = decision();
    let proposal = board.propose(5);
    board.sign(1, proposal, Answer::Approve);
    let without = board.replay().proposals;
    board.sign(2, proposal, Answer::Approve);
    let last = board.dossier.entries.last_mut().unwrap();
    last.by.standing = crate::decision::Standing::Forked { branch: last.by.entry };
    last.by.at = TimeMs(0);
    (last.by.settled, last.is_kept) = (false, false);
    assert_eq!(board.replay().proposals[&proposal].poll, without[&proposal].poll);
    board.dossier.entries.last_mut().unwrap().content = Content::Due;
    assert_eq!(board.replay().proposals[&proposal].poll, without[&proposal].poll);
}

#[test]
fn a_closing_that_is_not_here_keeps_what_was_acknowledged_after_it_from_counting() {
    let mut vote = Vote::new();
    let close = vote.close(CLOSER, vec![]);
    vote.acknowledge(1..=4);
    vote.approve(1..=4);
    vote.acknowledge(1..=4);
    assert_eq!(vote.ruling(), Ruling::Inquorate);
    // Of what relies on the closing nothing is here either, but sign-offs need no place to count.
    assert_eq!(vote.without(close).ruling(), Ruling::Open);
    vote.entry(close).content = Content::Due;
    assert_eq!(vote.ruling(), Ruling::Open);
}

#[test]
fn a_sign_off_whose_payload_has_not_come_is_not_absent() {
    let mut vote = Vote::new();
    let signed = vote.approve(1..=4);
    vote.acknowledge(1..=5);
    vote.close(CLOSER, vec![]);
    vote.acknowledge(1..=4);
    assert_eq!(vote.ruling(), Ruling::Carried);
    for id in &signed[..2] {
        vote.entry(*id).content = Content::Due;
    }
    assert_eq!(vote.ruling(), Ruling::Open);
    for id in &signed[..2] {
        vote.entry(*id).content = Content::Withheld;
    }
    assert_eq!(vote.ruling(), Ruling::Open, "it comes, once the reader is let in");
    for id in &signed[..2] {
        vote.entry(*id).content = Content::Beyond;
    }
    assert_ne!(vote.ruling(), Ruling::Open, "it has no effect anywhere");
}

/// Organisation 1 has signed last. Of the four others, 3 and the closer have acknowledged that before the
/// closing and 4 after it: it depends on 2, of which nothing is known yet.
#[test]
fn a_sign_off_that_may_still_be_in_time_is_not_absent() {
    let mut vote = Vote::new();
    let signed = vote.approve(2..=4);
    vote.acknowledge(2..=5);
    vote.sign(1, Answer::Reject);
    let of_first = (feed(1), vote.size(1));
    vote.board.say_held(CLOSER, &[of_first]);
    vote.close(CLOSER, signed);
    let of_closer = (feed(CLOSER), vote.size(CLOSER));
    vote.board.say_held(1, &[of_closer]);
    for items in [[of_closer, of_first], [of_first, of_closer]].iter().zip([4, 3]) {
        for item in items.0 {
            vote.board.say_held(items.1, &[*item]);
        }
    }
    let seat = |vote: &Vote| vote.poll().seats[&org(1)];
    assert_eq!((seat(&vote), vote.ruling()), (Seat::Open, Ruling::Open));
    vote.board.say_held(2, &[of_first]);
    assert_eq!(seat(&vote), Seat::Answered(Answer::Reject));
}

/// Who closes knows its own closing: what it acknowledges after it is late, and does not keep a seat open.
#[test]
fn what_the_closer_acknowledges_after_its_closing_is_late() {
    let mut vote = Vote::new();
    vote.approve([1]);
    vote.close(CLOSER, vec![]);
    let of_closer = (feed(CLOSER), vote.size(CLOSER));
    (1..=4).for_each(|by| vote.board.say_held(by, &[of_closer]));
    vote.acknowledge(2..=5);
    assert_eq!(vote.fates(), [Fate::Late]);
}

/// 2 and 3 acknowledge the sign-off of 1 and then the closing, 4 the closing first; then the feed of 3 turns
/// out to be forked, below all that. What somebody else acknowledged of it counts as before.
#[test]
fn a_fork_of_a_member_that_acknowledged_takes_no_vote_away() {
    let vote = |other: &[u8]| {
        let mut vote = Vote::new();
        vote.approve(1..=4);
        let forked_at = vote.size(3);
        let all = [1, 2, 3, 4].map(|of| (feed(of), vote.size(of)));
        vote.acknowledge([1, 2, 3]);
        vote.board.say_held(CLOSER, &all);
        vote.close(CLOSER, vec![]);
        let closing = (feed(CLOSER), vote.size(CLOSER));
        vote.board.say_held(4, &[closing]);
        vote.acknowledge(1..=4);
        let items = [&[closing][..], &all[..]];
        for (place, which) in (forked_at..).zip(other) {
            for (of, entries) in items[usize::from(*which)] {
                let said = acknowledged(3, place, *of, *entries);
                vote.board.dossier.acknowledged.push(Acknowledged { history: 1, ..said });
            }
        }
        vote
    };
    let before = vote(&[]);
    assert_eq!((before.ruling(), before.fates()), (Ruling::Carried, vec![Fate::Counted; 4]));
    // Another history that says the same, or says nothing of all that, changes nothing.
    for other in [&[1][..], &[1, 0]] {
        assert_eq!(vote(other).ruling(), Ruling::Carried);
    }
    // By the other history it is late, and who saw that one first saw another result.
    let contested = vote(&[0, 1]);
    let fates = [Fate::Disputed, Fate::Disputed, Fate::Counted, Fate::Counted];
    assert_eq!((contested.ruling(), contested.fates()), (Ruling::Disputed, fates.to_vec()));
}
