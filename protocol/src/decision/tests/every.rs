//! Every small case: three seats, every answer, every closing, every order in which members
//! acknowledge, and every state of knowledge on the way.
//!
//! Each feed is a sequence of acts; a reader knows a prefix of each. What a reader makes of it is
//! computed from acknowledgements alone, as a node does, with [`Bounds`].

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

use super::fixture::{ABSTAIN, APPROVE, Case, REJECT, entry};
use crate::{
    charter::{
        Answer, Charter, NamedRule, Quorum, Rule, Scope, Share, ShareOf, Status,
        fixture::{member, mini_board, org},
    },
    decision::{Bounds, Covered, Fate, Ruling},
};

/// The organisations that sit at places 0, 1 and 2; the last one closes.
const SEATS: [u8; 3] = [1, 3, 5];
const CLOSER: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    /// It signs.
    Sign,
    /// It closes; only the closer does.
    Close,
    /// It acknowledges the sign-off of a place.
    AckSign(usize),
    /// It acknowledges the closing.
    AckClose,
}

/// What a reader knows that matters for the count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Known {
    /// Of each place: not read, or whether it is settled and whether it is in time.
    signed: [Option<(bool, bool)>; 3],
    shut: [bool; 3],
    /// Not read, or whether it is settled.
    closing: Option<bool>,
}

type Feeds = [Vec<Act>; 3];

fn permutations(acts: &[Act]) -> Vec<Vec<Act>> {
    if acts.is_empty() {
        return vec![vec![]];
    }
    let mut all = vec![];
    for at in 0..acts.len() {
        let mut rest = acts.to_vec();
        let first = rest.remove(at);
        for mut tail in permutations(&rest) {
            tail.insert(0, first);
            all.push(tail);
        }
    }
    all
}

/// Every history in which these places sign, with or without a closing.
fn histories(signers: [bool; 3], closes: bool) -> Vec<Feeds> {
    let acts = |place: usize| {
        let mut acts: Vec<Act> = vec![];
        if signers[place] {
            acts.push(Act::Sign);
        }
        acts.extend((0..3).filter(|of| *of != place && signers[*of]).map(Act::AckSign));
        if closes {
            acts.push(if place == CLOSER { Act::Close } else { Act::AckClose });
        }
        let mut orders = permutations(&acts);
        // Where its own sign-off stands among its acknowledgements says when it is read, no more:
        // first and last are enough. A closer's stands before or after its closing.
        let is_at_an_end = |order: &Vec<Act>| {
            order.first() == Some(&Act::Sign) || order.last() == Some(&Act::Sign)
        };
        if place != CLOSER && signers[place] {
            orders.retain(is_at_an_end);
        }
        orders
    };
    let position = |feed: &[Act], act: Act| feed.iter().position(|one| *one == act);
    let mut all = vec![];
    for last in acts(CLOSER) {
        // Feeds are linear: whoever acknowledges the closer's entries does so in their order.
        let sign_first = position(&last, Act::Sign) < position(&last, Act::Close);
        let in_order = |feed: &Vec<Act>| {
            let (sign, close) =
                (position(feed, Act::AckSign(CLOSER)), position(feed, Act::AckClose));
            sign.is_none() || close.is_none() || (sign < close) == sign_first
        };
        for first in acts(0).into_iter().filter(in_order) {
            for second in acts(1).into_iter().filter(in_order) {
                all.push([first.clone(), second, last.clone()]);
            }
        }
    }
    all
}

/// What a reader of these prefixes knows.
fn known(feeds: &Feeds, read: [usize; 3]) -> Known {
    let prefix = |place: usize| &feeds[place][..read[place]];
    let closing_held = prefix(CLOSER).contains(&Act::Close);
    // What a member says after it acknowledged something of the closer's that is not held here
    // does not count yet.
    let heard = |place: usize| -> &[Act] {
        let acts = prefix(place);
        let end = acts.iter().position(|act| *act == Act::AckClose && !closing_held);
        &acts[..end.unwrap_or(acts.len())]
    };
    // The closer's own entries, in their order: seq 0 and 1.
    let own: Vec<Act> =
        feeds[CLOSER].iter().copied().filter(|act| matches!(act, Act::Sign | Act::Close)).collect();
    let seq_of = |act: Act| own.iter().position(|one| *one == act).unwrap() as u64;
    let others = |place: usize| (0..3).filter(move |other| *other != place);
    let covered = |place: usize, acts: &[Act]| -> u64 {
        let of_act = |act: &Act| match act {
            Act::AckSign(of) if *of == place && place != CLOSER => Some(1),
            Act::AckSign(of) if *of == place => Some(seq_of(Act::Sign) + 1),
            Act::AckClose if place == CLOSER => Some(seq_of(Act::Close) + 1),
            Act::AckSign(_) | Act::AckClose | Act::Sign | Act::Close => None,
        };
        acts.iter().filter_map(of_act).max().unwrap_or(0)
    };
    let is_settled =
        |place: usize, seq: u64| others(place).all(|other| covered(place, heard(other)) > seq);
    let bounds = |place: usize| {
        let of = |other: usize| {
            let acts = heard(other);
            let closed = acts.iter().position(|act| matches!(act, Act::AckClose | Act::Close));
            let until = &acts[..closed.map_or(acts.len(), |at| at + 1)];
            Covered { entries: covered(place, until), has_closing: closed.is_some() }
        };
        let covered: Vec<_> = others(place).map(of).collect();
        let own = (place == CLOSER && closing_held).then(|| seq_of(Act::Close));
        Bounds::of(2, &covered, own)
    };
    let sign_seq = |place| if place == CLOSER { seq_of(Act::Sign) } else { 0 };
    let signed = |place: usize| {
        prefix(place).contains(&Act::Sign).then(|| {
            let seq = sign_seq(place);
            let settled = is_settled(place, seq);
            (settled, settled && seq < bounds(place).in_time)
        })
    };
    let read_entries = |place: usize| {
        let own = prefix(place).iter().filter(|act| matches!(act, Act::Sign | Act::Close));
        own.count() as u64
    };
    let shut = |place: usize| bounds(place).shut.is_some_and(|at| read_entries(place) >= at);
    Known {
        signed: [signed(0), signed(1), signed(2)],
        shut: [shut(0), shut(1), shut(2)],
        closing: closing_held.then(|| is_settled(CLOSER, seq_of(Act::Close))),
    }
}

/// Every state of knowledge in these histories, and every step from one to the next.
fn steps(signers: [bool; 3], closes: bool) -> BTreeSet<(Known, Known)> {
    let mut steps = BTreeSet::new();
    for feeds in histories(signers, closes) {
        let mut states = BTreeMap::new();
        for one in 0..=feeds[0].len() {
            for two in 0..=feeds[1].len() {
                for three in 0..=feeds[2].len() {
                    let read = [one, two, three];
                    states.insert(read, known(&feeds, read));
                }
            }
        }
        for (read, now) in &states {
            for place in 0..3 {
                let mut more = *read;
                more[place] += 1;
                if let Some(next) = states.get(&more).filter(|next| *next != now) {
                    steps.insert((now.clone(), next.clone()));
                }
            }
        }
    }
    steps
}

fn board(rule: Rule) -> Charter {
    Charter {
        members: vec![
            member(1, "la-bury", "council", Status::Active),
            member(3, "ccg-bury", "ccg", Status::Active),
            member(5, "gmhscp", "office", Status::Active),
        ],
        rules: vec![NamedRule { name: "joint decision".into(), rule }],
        ..mini_board()
    }
}

fn case(known: &Known, base: &Case, answers: [Option<Answer>; 3], listed: u8) -> Case {
    let mut case = base.clone();
    for place in 0..3 {
        if let (Some((settled, in_time)), Some(answer)) = (known.signed[place], answers[place]) {
            case = case.sign_as(SEATS[place], answer, |one| {
                one.by.settled = settled;
                one.in_time = in_time;
            });
        }
    }
    if let Some(settled) = known.closing {
        let list = (0..3).filter(|place| listed & (1 << place) != 0 && answers[*place].is_some());
        let ids: Vec<_> = list.clone().map(|place| entry(SEATS[place])).collect();
        let mut closing = case.closed_by(5, ids);
        closing.by.settled = settled;
        let unread = list.filter(|place| known.signed[*place].is_none());
        closing.unread = unread.map(|place| entry(SEATS[place])).collect();
        case.closings.push(closing);
    }
    let shut = (0..3).filter(|place| known.shut[*place]);
    case.shut = shut.map(|place| org(SEATS[place])).collect();
    case
}

fn check(rule: Rule, choice: &[Answer]) -> BTreeMap<&'static str, usize> {
    let base = Case::on(board(rule), "joint decision");
    let mut seen = BTreeMap::new();
    for signers in 0..8u8 {
        let signers = [0, 1, 2].map(|place| signers & (1 << place) != 0);
        for closes in [false, true] {
            let steps = steps(signers, closes);
            let states: BTreeSet<&Known> =
                steps.iter().flat_map(|(one, next)| [one, next]).collect();
            for number in 0..choice.len().pow(3) {
                let answer = |place: usize| {
                    let nth = number / choice.len().pow(u32::try_from(place).unwrap());
                    signers[place].then(|| choice[nth % choice.len()])
                };
                let answers = [answer(0), answer(1), answer(2)];
                let is_twin = (0..3).any(|place| {
                    let nth = number / choice.len().pow(u32::try_from(place).unwrap());
                    !signers[place] && nth % choice.len() != 0
                });
                if is_twin {
                    continue;
                }
                for listed in 0..if closes { 8 } else { 1 } {
                    check_one(&base, &states, &steps, answers, listed, &mut seen);
                }
            }
        }
    }
    seen
}

fn check_one(
    base: &Case,
    states: &BTreeSet<&Known>,
    steps: &BTreeSet<(Known, Known)>,
    answers: [Option<Answer>; 3],
    listed: u8,
    seen: &mut BTreeMap<&'static str, usize>,
) {
    let mut rulings = BTreeMap::new();
    for known in states {
        let mut case = case(known, base, answers, listed);
        let poll = case.poll();
        if listed == 0 {
            case.sign_offs.reverse();
            assert_eq!(case.poll(), poll, "the order of the papers says nothing");
        }
        for number in SEATS {
            let counted = poll.slips.iter().filter(|slip| slip.org == org(number));
            let counted = counted.filter(|slip| slip.fate == Fate::Counted).count();
            let is_answered = matches!(poll.seats[&org(number)], crate::charter::Seat::Answered(_));
            assert_eq!(counted, usize::from(is_answered), "one organisation, one vote");
        }
        *seen.entry(poll.ruling.word()).or_insert(0) += 1;
        rulings.insert((*known).clone(), poll.ruling);
    }
    for (now, next) in steps {
        let (before, after) = (&rulings[now], &rulings[next]);
        assert!(
            *before == Ruling::Open || before == after,
            "{before:?} became {after:?}: {answers:?} listed {listed:03b}\n{now:?}\n{next:?}"
        );
    }
}

#[test]
fn a_fixed_result_never_changes_whatever_comes_later_with_a_quorum_and_a_share() {
    let rule = Rule::All(vec![
        Rule::Quorum(Quorum { least: 2, classes: vec![] }),
        Rule::Share(Share { scope: Scope::Board, numerator: 2, denominator: 3, of: ShareOf::Cast }),
    ]);
    let seen = check(rule, &[APPROVE, REJECT, ABSTAIN]);
    let words: Vec<_> = seen.keys().copied().collect();
    assert_eq!(words, ["carried", "failed", "inquorate", "open"]);
    assert!(seen.values().all(|count| *count > 100), "{seen:?}");
}

#[test]
fn a_fixed_result_never_changes_whatever_comes_later_with_shares_of_members_and_a_named_member() {
    let rule = Rule::Any(vec![
        Rule::Share(Share {
            scope: Scope::Board,
            numerator: 2,
            denominator: 3,
            of: ShareOf::Members,
        }),
        Rule::All(vec![Rule::Org(org(5)), Rule::Majority("council".into())]),
    ]);
    let seen = check(rule, &[APPROVE, REJECT]);
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), ["carried", "failed", "open"]);
    assert!(seen.values().all(|count| *count > 100), "{seen:?}");
}
