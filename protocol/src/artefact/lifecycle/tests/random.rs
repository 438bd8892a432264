//! Random histories: organisations write and meet at random, also what they may not.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::{
    board::*,
    matrix::{AID, DECISIONS, STANDARDS, reach},
};
use crate::{
    artefact::{
        calendar,
        kind::{Effect, EventKind},
        kinds,
        lifecycle::{Body, Decided, Fact},
    },
    hash::EntryId,
    payload::Event,
    value::Value,
};

/// One act of a history: who, what, whom it meets before, what it names, which value.
type Act = (u8, u8, u8, prop::sample::Index, u8);

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (0u8..8, any::<u8>(), any::<u8>(), any::<prop::sample::Index>(), 0u8..4);
    prop::collection::vec(act, 1..60)
}

/// Plays a history from one of the states that steps lead to.
fn play(kind: usize, from: usize, acts: &[Act]) -> Board {
    let rules = [DECISIONS, AID, STANDARDS];
    let (kind, rules) = (kinds::ALL[kind], rules[kind]);
    let start = kind.states[from % kind.states.len()].name;
    let (mut board, _) = reach(kind, rules, start).unwrap_or((Board::new(kind), EntryId::NONE));
    if kind.name == "mutual_aid" && board.fold().base == "offered" {
        let line = kind.event("line_quantity").unwrap();
        board.say(SPONSOR, line.name, fitting(line.params, EntryId::NONE, 0));
    }
    board.meet();
    let events: Vec<_> = kind.all_events().collect();
    for (by, what, met, about, choice) in acts {
        let by = ALL[usize::from(*by) % ALL.len()];
        match met % 8 {
            0..2 => {}
            2..4 => board.meet(),
            other => board.learn(by, ALL[usize::from(other)]),
        }
        let what = usize::from(*what) % (events.len() + 2);
        let Some(event) = events.get(what) else {
            let proposal = board.write(by, Body::Proposal);
            let decided = [Decided::Carried, Decided::NotCarried];
            if let Some(decided) = decided.get(usize::from(*choice)) {
                board.results.insert(proposal, *decided);
            }
            continue;
        };
        let named = named(&board, event, *about);
        let values = fitting(event.params, named, usize::from(*choice));
        board.write(by, Body::Event(Event { name: event.name.into(), values }));
    }
    board
}

/// An entry of the sort that the event should name, or any if there is none.
fn named(board: &Board, event: &EventKind, about: prop::sample::Index) -> EntryId {
    let sought: &[&str] = match event.effect {
        Effect::LetGo { .. } => &["suspend", "call_in"],
        Effect::Capacity(_) => &["claim"],
        Effect::Log | Effect::Row { .. } | Effect::Move | Effect::Hold { .. } | Effect::Uphold => {
            &[]
        }
    };
    let fits = |fact: &&Fact| match &fact.body {
        Body::Event(event) => sought.contains(&event.name.as_str()),
        Body::Proposal => false,
    };
    let fitting: Vec<_> = board.facts.iter().filter(fits).collect();
    let all: Vec<_> = board.facts.iter().collect();
    let among = if fitting.is_empty() { all } else { fitting };
    if among.is_empty() { EntryId::NONE } else { among[about.index(among.len())].entry }
}

/// The fact and all in its past.
fn known(board: &Board, fact: &Fact) -> Vec<Fact> {
    let within =
        |other: &&Fact| other.entry == fact.entry || fact.past.contains(&other.feed, other.seq);
    board.facts.iter().filter(within).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_of_arrival_gives_an_equal_lifecycle(
        kind in 0usize..3,
        from in 0usize..20,
        acts in acts(),
        seed in any::<u64>(),
    ) {
        let board = play(kind, from, &acts);
        let mut facts = board.facts.clone();
        let mixed = |fact: &Fact| {
            let first = u64::from(fact.entry.as_bytes()[0]) + fact.seq * 7 + fact.past.size();
            first.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        facts.sort_by_key(mixed);
        facts.extend(board.facts.first().cloned());
        let (one, other) = (board.fold(), board.fold_of(&facts));
        prop_assert_eq!(&one, &other);
        for day in ["2017-12-04", "2017-12-10", "2018-12-10"] {
            let day = calendar::day(day).unwrap();
            prop_assert_eq!(one.at(day), other.at(day));
        }
    }

    #[test]
    fn what_has_effect_depends_on_its_past_alone(
        kind in 0usize..3,
        from in 0usize..20,
        acts in acts(),
    ) {
        let board = play(kind, from, &acts);
        let all = board.fold();
        for fact in &board.facts {
            let then = board.fold_of(&known(&board, fact));
            prop_assert_eq!(
                then.without_effect.get(&fact.entry),
                all.without_effect.get(&fact.entry)
            );
        }
    }

    /// A result that is fixed later, or a step that nobody knew of, takes nothing back.
    #[test]
    fn what_has_effect_keeps_it_whatever_results_and_facts_come(
        kind in prop_oneof![Just(0usize), Just(2)],
        from in 0usize..20,
        acts in acts(),
        fixed in any::<u64>(),
        hidden in any::<u64>(),
    ) {
        let board = play(kind, from, &acts);
        let mut early = board.clone();
        let mut number = 0;
        early.results.retain(|_, _| {
            number += 1;
            fixed >> (number % 64) & 1 == 1
        });
        let all = board.fold();
        let known = |fact: &&Fact| {
            let last = &board.facts[usize::try_from(hidden).unwrap_or(0) % board.facts.len().max(1)];
            hidden.is_multiple_of(3) || last.entry == fact.entry || last.past.contains(&fact.feed, fact.seq)
        };
        let facts: Vec<Fact> = board.facts.iter().filter(known).cloned().collect();
        let before = early.fold_of(&facts);
        for fact in &facts {
            let lost = !before.without_effect.contains_key(&fact.entry)
                && all.without_effect.contains_key(&fact.entry);
            prop_assert!(!lost, "{:?} {:?}", fact.body, all.without_effect.get(&fact.entry));
        }
    }

    #[test]
    fn an_answer_to_a_claim_depends_on_its_past_alone(
        bids in prop::collection::vec((0u8..8, 1u64..5, any::<prop::sample::Index>()), 1..40),
        qty in 1u64..20,
    ) {
        let (board, _) = trade(&bids, qty);
        let all = board.fold();
        for fact in &board.facts {
            let then = board.fold_of(&known(&board, fact));
            prop_assert_eq!(
                then.without_effect.get(&fact.entry),
                all.without_effect.get(&fact.entry)
            );
        }
    }

    #[test]
    fn no_line_is_confirmed_above_what_it_had_nor_a_claim_above_what_it_asked(
        bids in prop::collection::vec((0u8..8, 1u64..5, any::<prop::sample::Index>()), 1..40),
        qty in 1u64..20,
    ) {
        let (board, answers) = trade(&bids, qty);
        let fold = board.fold();
        let mut confirmed = 0;
        let mut unanswered = 0;
        for claim in fold.capacity.claims.values() {
            prop_assert!(claim.confirmed <= claim.qty);
            confirmed += claim.confirmed;
            unanswered += if claim.is_unanswered() { claim.qty } else { 0 };
        }
        let line = fold.capacity.lines.values().next().unwrap();
        prop_assert!(line.confirmed <= line.qty);
        prop_assert_eq!((line.confirmed, line.unanswered), (confirmed, unanswered));
        // What has effect is what fits, so the offers' own sums agree.
        let counted = answers.iter().filter(|(id, _)| !fold.without_effect.contains_key(id));
        prop_assert_eq!(counted.map(|(_, qty)| qty * 1000).sum::<u64>(), confirmed);
        let mut facts = board.facts.clone();
        facts.reverse();
        prop_assert_eq!(board.fold_of(&facts), fold);
    }
}

/// Claims and answers at random on one line; the confirmations tried, with their quantities.
fn trade(bids: &[(u8, u64, prop::sample::Index)], qty: u64) -> (Board, Vec<(EntryId, u64)>) {
    let mut board = Board::new(&kinds::MUTUAL_AID);
    let line = |qty: u64| {
        let times = [text("2017-12-09T20:00Z"), text("2017-12-10T08:00Z")];
        (text("nurses"), text(&alloc::format!("{qty}")), times)
    };
    let (name, has, [from, to]) = line(qty);
    board.say(SPONSOR, "line_quantity", [name, has, text("shift"), from, to].into());
    board.say(SPONSOR, "offer", [text("2017-12-08T12:00Z")].into());
    board.meet();
    let (mut claims, mut answers) = (Vec::new(), Vec::new());
    for (what, qty, about) in bids {
        let (name, has, [from, to]) = line(*qty);
        let claim = |at: &prop::sample::Index| claims.get(at.index(claims.len().max(1))).copied();
        match (what, claim(about)) {
            (0..3, _) | (_, None) => {
                let by = [TRUST, TRUST_2, CCG][usize::from(*what % 3)];
                let lender = Value::Bytes([SPONSOR; 32].into());
                let values = [lender, name, has, from, to].into();
                claims.push((by, board.apart(by, "claim", values)));
            }
            // Of what the claimant wrote since, its offer knows only if it has met it again.
            (3 | 4 | 6 | 7, Some((by, id))) => {
                if *what < 5 {
                    board.learn(SPONSOR, by);
                }
                let confirm = board.apart(SPONSOR, "confirm", [entry(id), has].into());
                answers.push((confirm, *qty));
            }
            (_, Some((by, id))) if *qty < 3 => {
                board.learn(SPONSOR, by);
                board.apart(SPONSOR, "decline_claim", [entry(id), text("no")].into());
            }
            (_, Some((by, id))) => {
                board.apart(by, "give_up_claim", [entry(id)].into());
            }
        }
    }
    (board, answers)
}
