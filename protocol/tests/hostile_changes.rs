//! The table of hostile changes: what becomes of each, whatever came before it.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made should end the test")]
#![expect(clippy::panic, reason = "a fixture that is not good should end the test")]

#[path = "support/change.rs"]
#[allow(unreachable_pub, dead_code, reason = "also part of the simulator, which is a library")]
mod change;
#[path = "support/hostile.rs"]
#[allow(unreachable_pub, reason = "also part of the simulator, which is a library")]
mod hostile;

use std::collections::BTreeSet;

use change::{Change, Id, Op, action, hash_of};
use concordat_protocol::{
    limits::{CHANGE_BYTES_MAX, DOCUMENT_OPERATIONS_MAX},
    verdict::{ActorPrefix, ChangeHash, History, Judgement, Rule},
};
use hostile::{Expected, Ground};

const FEED: [u8; 16] = [0x11; 16];

/// A skeleton with one text.
fn skeleton() -> Vec<u8> {
    let change = Change {
        dependencies: Vec::new(),
        actor: vec![0; 32],
        seq: 1,
        start_op: 1,
        time: 0,
        message: Vec::new(),
        operations: vec![Op::on_key("title", action::TEXT)],
        extra: Vec::new(),
    };
    change.to_bytes()
}

fn ground() -> Ground {
    Ground::over(hash_of(&skeleton()), 1, FEED)
}

/// A history of these changes over the skeleton.
fn history(changes: &[&[u8]]) -> History {
    let mut history = History::new(&skeleton()).unwrap();
    for change in changes {
        admit(&mut history, change);
    }
    history
}

fn admit(history: &mut History, change: &[u8]) {
    match history.judge(change, ActorPrefix(FEED)) {
        Judgement::Good(judged) => history.admit(judged),
        other => panic!("{other:?}"),
    }
}

/// The judgement in a word.
fn word(history: &History, bytes: &[u8]) -> String {
    match history.judge(bytes, ActorPrefix(FEED)) {
        Judgement::Good(_) => "good".to_string(),
        Judgement::Waiting { .. } => "waiting".to_string(),
        Judgement::Refused(rule) => rule.code().to_string(),
    }
}

#[test]
fn every_hostile_change_meets_the_same_rule_in_both_orders_of_arrival() {
    let ground = ground();
    let mut names = BTreeSet::new();
    for row in ground.rows() {
        assert!(names.insert(row.name), "{} twice", row.name);
        let mut before: Vec<&[u8]> = vec![&ground.base];
        before.extend(row.before.iter().map(Vec::as_slice));
        let first = word(&history(&before), &row.bytes);
        before.insert(1, &ground.concurrent);
        let second = word(&history(&before), &row.bytes);
        let expected = match row.expected {
            Expected::Refused(code) => (code, code),
            Expected::Good => ("good", "good"),
            Expected::GoodAfterConcurrent => ("waiting", "good"),
            Expected::Waiting => ("waiting", "waiting"),
        };
        assert_eq!((first.as_str(), second.as_str()), expected, "{}", row.name);
    }
}

#[test]
fn every_code_has_a_row_but_those_of_whole_documents() {
    let codes: BTreeSet<&str> = ground()
        .rows()
        .iter()
        .filter_map(|row| match row.expected {
            Expected::Refused(code) => Some(code),
            Expected::Good | Expected::GoodAfterConcurrent | Expected::Waiting => None,
        })
        .collect();
    let lacking: Vec<_> = Rule::CODES.iter().filter(|code| !codes.contains(**code)).collect();
    assert_eq!(lacking, [&"document-operations", &"document-bytes"]);
    assert!(codes.iter().all(|code| Rule::CODES.contains(code)));
}

#[test]
fn a_refusal_has_the_numbers_that_a_person_needs() {
    let ground = ground();
    let history = history(&[&ground.base]);
    let refusal = |change: &Change| match history.judge(&change.to_bytes(), ActorPrefix(FEED)) {
        Judgement::Refused(rule) => rule.to_string(),
        other => panic!("{other:?}"),
    };
    let plain = ground.plain();
    assert_eq!(
        refusal(&Change { start_op: 99, ..plain.clone() }),
        "the first operation is numbered 99, expected 10"
    );
    assert_eq!(refusal(&Change { seq: 7, ..plain.clone() }), "the change has seq 7, expected 1");
    let table = Change { operations: vec![Op::put("a", 1), Op::on_key("b", 6)], ..plain };
    assert_eq!(refusal(&table), "operation 1: its action is 6, expected 0 to 5 or 7");
}

#[test]
fn what_is_missing_is_named() {
    let ground = ground();
    let history = history(&[&ground.base]);
    let change = Change { dependencies: vec![[1; 32], [2; 32]], ..ground.plain() };
    let Judgement::Waiting { missing } = history.judge(&change.to_bytes(), ActorPrefix(FEED))
    else {
        panic!("not waiting")
    };
    assert_eq!(missing, [ChangeHash([1; 32]), ChangeHash([2; 32])]);
}

#[test]
fn a_skeleton_has_the_zero_actor_and_nobody_else_has_it() {
    let ground = ground();
    assert_eq!(History::new(&ground.plain().to_bytes()).map(drop), Err(Rule::ActorFeed));
    let on_nothing = Change { actor: vec![0; 32], ..ground.plain() };
    assert_eq!(
        History::new(&on_nothing.to_bytes()).map(drop),
        Err(Rule::DependencyCount { count: 1 })
    );
    assert_eq!(word(&history(&[&ground.base]), &on_nothing.to_bytes()), "actor-feed");
}

#[test]
fn a_document_holds_two_million_operations_and_not_one_more() {
    let mut history = history(&[]);
    let mut under = hash_of(&skeleton());
    let mut start_op = 2;
    let change = |at: u64, under, start_op, count: u64| Change {
        dependencies: vec![under],
        actor: [FEED, [1; 16]].concat(),
        seq: at + 1,
        start_op,
        time: 0,
        message: Vec::new(),
        operations: (0..count).map(|_| Op::put("k", 1)).collect(),
        extra: Vec::new(),
    };
    let full = DOCUMENT_OPERATIONS_MAX / 20_000;
    for at in 0..full - 1 {
        let bytes = change(at, under, start_op, 20_000).to_bytes();
        admit(&mut history, &bytes);
        under = hash_of(&bytes);
        start_op += 20_000;
    }
    assert_eq!(
        word(&history, &change(full - 1, under, start_op, 20_000).to_bytes()),
        "document-operations"
    );
    assert_eq!(word(&history, &change(full - 1, under, start_op, 19_999).to_bytes()), "good");
}

#[test]
fn a_document_holds_64_mebibytes_of_changes_and_no_more() {
    let mut history = history(&[]);
    let mut under = hash_of(&skeleton());
    let mut total = skeleton().len();
    for at in 0.. {
        let text = Op { value: (6, vec![b'x'; CHANGE_BYTES_MAX - 250]), ..Op::put("k", 1) };
        let change = Change {
            dependencies: vec![under],
            actor: [FEED, [1; 16]].concat(),
            seq: at + 1,
            start_op: at + 2,
            time: 0,
            message: Vec::new(),
            operations: vec![text],
            extra: Vec::new(),
        };
        let bytes = change.to_bytes();
        total += bytes.len();
        if total > 64 * 1024 * 1024 {
            assert_eq!(word(&history, &bytes), "document-bytes");
            assert!(at >= 127, "{at}");
            return;
        }
        admit(&mut history, &bytes);
        under = hash_of(&bytes);
    }
}

/// A list as it would be laid out, beside the verdict's tree.
struct Laid {
    elements: Vec<Id>,
}

impl Laid {
    /// Automerge's rule: behind the element, and past all that have greater ids.
    fn insert(&mut self, after: Option<&Id>, id: Id) {
        let mut at =
            after.map_or(0, |after| self.elements.iter().position(|id| id == after).unwrap() + 1);
        let greater = |other: &Id| (other.counter, &other.actor) > (id.counter, &id.actor);
        while self.elements.get(at).is_some_and(greater) {
            at += 1;
        }
        self.elements.insert(at, id);
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn a_mark_is_good_exactly_when_the_text_laid_out_has_its_end_later() {
    for seed in 0..10 {
        let mut dice = Dice(seed);
        let ground = ground();
        let text = Id { counter: 1, actor: vec![0; 32] };
        let mut history = history(&[]);
        let mut laid = Laid { elements: Vec::new() };
        let mut heads = vec![(hash_of(&skeleton()), 1)];
        for at in 1..18 {
            // Each change builds on one before it, or on all: concurrent branches and merges.
            let mut on = vec![heads[dice.below(heads.len())]];
            if dice.below(3) == 0 {
                on = heads.clone();
                on.sort();
            }
            let start_op = on.iter().map(|(_, max)| max).max().unwrap() + 1;
            let actor = [FEED, [at; 16]].concat();
            let mut operations = Vec::new();
            let all = on.len() == heads.len();
            let known = laid.elements.clone();
            for counter in start_op..start_op + 1 + dice.below(6) as u64 {
                let own = (counter > start_op && dice.below(3) > 0)
                    .then(|| Id { counter: counter - 1, actor: actor.clone() });
                let any =
                    (all && !known.is_empty()).then(|| known[dice.below(known.len())].clone());
                let after = own.or(any);
                operations.push(Op::insert_text(text.clone(), after.clone(), "x"));
                laid.insert(after.as_ref(), Id { counter, actor: actor.clone() });
            }
            let max_op = start_op + operations.len() as u64 - 1;
            let change = Change {
                dependencies: on.iter().map(|(hash, _)| *hash).collect(),
                actor,
                start_op,
                ..ground.change(3, operations)
            };
            let bytes = change.to_bytes();
            admit(&mut history, &bytes);
            if all {
                heads.clear();
            } else {
                heads.retain(|head| *head != on[0]);
            }
            heads.push((hash_of(&bytes), max_op));
        }
        heads.sort();
        let mark = |begin: &Id, end: &Id| Change {
            dependencies: heads.iter().map(|(hash, _)| *hash).collect(),
            start_op: heads.iter().map(|(_, max)| max).max().unwrap() + 1,
            ..ground.change(
                99,
                vec![
                    Op::mark_begin(text.clone(), Some(begin.clone())),
                    Op::mark_end(text.clone(), Some(end.clone())),
                ],
            )
        };
        for (x, begin) in laid.elements.iter().enumerate() {
            for (y, end) in laid.elements.iter().enumerate() {
                let expected = if x < y { "good" } else { "mark-order" };
                let found = word(&history, &mark(begin, end).to_bytes());
                assert_eq!(found, expected, "seed {seed}, {x} to {y}");
            }
        }
    }
}

#[test]
fn other_changes_admitted_between_judgement_and_admission_do_no_harm() {
    let ground = ground();
    let mut history = history(&[&ground.base]);
    let good = |history: &History, change: &Change| match history
        .judge(&change.to_bytes(), ActorPrefix(FEED))
    {
        Judgement::Good(judged) => judged,
        other => panic!("{other:?}"),
    };
    let one = ground.change(3, vec![Op::on_key("new key", action::MAP)]);
    let two = ground.change(4, vec![Op::on_key("another", action::MAP)]);
    let (judged_one, judged_two) = (good(&history, &one), good(&history, &two));
    history.admit(judged_two);
    history.admit(judged_one);
    let on_one = Change {
        dependencies: vec![hash_of(&one.to_bytes())],
        start_op: 11,
        ..ground.change(5, vec![Op::put("new key", 1).over(&[ground.id(9, 3)])])
    };
    assert_eq!(word(&history, &on_one.to_bytes()), "good");
    let elsewhere = Op::put("another", 1).over(&[ground.id(9, 3)]);
    let elsewhere = Change { operations: vec![elsewhere], ..on_one };
    assert_eq!(word(&history, &elsewhere.to_bytes()), "predecessor-elsewhere");
}
