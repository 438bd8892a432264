//! Random histories: any order and any batches of the same changes give the same bytes and readings.

use std::sync::Arc;

use concordat_protocol::{
    artefact::{
        document::{Atom, Document, Job, Size, Skeleton, feed_of, materialise},
        edit::Intent,
        read::read,
    },
    verdict::{ChangeHash, Chunk, History, Judgement},
};
use proptest::prelude::*;

use crate::editors::{Editor, add_item, in_item, path, set, skeleton, spot, text};

/// What happens next in a history.
#[derive(Debug, Clone)]
enum Step {
    /// An editor carries out intents; those that cannot be are left.
    Edit(usize, Vec<Intent>),
    /// An editor takes what another has.
    Pull(usize, usize),
    /// An editor begins anew, with a fresh actor, where it was.
    Restart(usize),
}

const EDITORS: usize = 4;
const ITEMS: u8 = 4;

fn any_intent() -> impl Strategy<Value = Intent> {
    let texts = prop_oneof![
        Just(path("summary")),
        Just(path("reasons")),
        (1..ITEMS).prop_map(|n| in_item("recommendations", n, "text")),
        (1..ITEMS).prop_map(|n| in_item("options", n, "why")),
    ];
    let days = prop_oneof![Just("2017-12-04"), Just("2017-12-11"), Just("2018-01-08")];
    let years = prop_oneof![Just("2017/18"), Just("2018/19")];
    let words = prop_oneof![Just("a"), Just("😀"), Just("one\ntwo"), Just("")];
    let lists = prop_oneof![Just("recommendations"), Just("options")];
    let after = proptest::option::of(1..ITEMS);
    prop_oneof![
        4 => (texts.clone(), 0..12u64, 0..3u64, words).prop_map(|(at, position, delete, word)| {
            Intent::Splice { at, position, delete, insert: word.into() }
        }),
        2 => (texts.clone(), 0..8u64, 1..6u64, any::<bool>()).prop_map(|(at, from, len, grows)| {
            let (name, value) = ("strong".into(), Atom::Bool(true));
            Intent::Mark { at, from, to: from + len, name, value, grows }
        }),
        1 => (texts.clone(), 0..8u64, 1..6u64).prop_map(|(at, from, len)| {
            Intent::Unmark { at, from, to: from + len, name: "strong".into() }
        }),
        1 => (texts.clone(), 0..8u64).prop_map(|(at, position)| {
            Intent::Split { at, position, kind: "heading".into() }
        }),
        1 => (texts, 0..8u64).prop_map(|(at, position)| Intent::Join { at, position }),
        2 => days.clone().prop_map(|day| set("effective_from", day)),
        1 => days.prop_map(|day| Intent::Choose { at: path("effective_from"), value: text(day) }),
        1 => Just(Intent::Clear { at: path("effective_from") }),
        2 => years.clone().prop_map(|year| {
            Intent::Include { at: path("finance/years"), value: text(year) }
        }),
        1 => years.prop_map(|year| {
            Intent::Exclude { at: path("finance/years"), value: text(year) }
        }),
        3 => (lists.clone(), 1..ITEMS, after.clone())
            .prop_map(|(list, n, after)| add_item(list, n, after)),
        1 => (lists.clone(), 1..ITEMS)
            .prop_map(|(list, n)| Intent::RemoveItem { at: in_item(list, n, "") }),
        1 => (lists.clone(), 1..ITEMS)
            .prop_map(|(list, n)| Intent::RestoreItem { at: in_item(list, n, "") }),
        1 => (lists, 1..ITEMS, after).prop_map(|(list, n, after)| Intent::MoveItem {
            at: in_item(list, n, ""),
            spot: spot(after),
        }),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..EDITORS, proptest::collection::vec(any_intent(), 1..4))
            .prop_map(|(editor, intents)| Step::Edit(editor, intents)),
        2 => (0..EDITORS, 0..EDITORS).prop_map(|(to, from)| Step::Pull(to, from)),
        1 => (0..EDITORS).prop_map(Step::Restart),
    ]
}

/// All changes that a history leads to, dependencies first.
fn run(skeleton: &Arc<Skeleton>, steps: Vec<Step>) -> Vec<Vec<u8>> {
    let org = |editor: usize| u8::try_from(editor / 2 + 1).unwrap();
    let mut starts = 0u8;
    let mut fresh = |editor| {
        starts += 1;
        Editor::new(skeleton, org(editor), starts)
    };
    let mut editors: Vec<Editor> = (0..EDITORS).map(&mut fresh).collect();
    let mut all = vec![];
    for step in steps {
        match step {
            Step::Edit(editor, intents) => {
                for intent in intents {
                    all.extend(editors[editor].try_edit(vec![intent]).unwrap_or_default());
                }
            }
            Step::Pull(to, from) => {
                let other = editors[from].clone();
                editors[to].pull(&other);
            }
            Step::Restart(editor) => {
                let document = editors[editor].document.clone();
                editors[editor] = Editor { document, ..fresh(editor) };
            }
        }
    }
    all
}

/// The verdict on each change, as a receiver takes it, lets all of them through.
fn expect_good(skeleton: &Skeleton, changes: &[Vec<u8>]) {
    let mut history = History::new(skeleton.raw()).unwrap();
    for raw in changes {
        let chunk = Chunk::from_bytes(raw).unwrap();
        let Judgement::Good(judged) = history.judge(raw, feed_of(&chunk.actor)) else {
            let change = automerge::Change::try_from(raw.as_slice()).unwrap();
            panic!("{:?} {:?}", history.judge(raw, feed_of(&chunk.actor)), change.decode())
        };
        history.admit(judged);
    }
}

/// Applies the changes in batches, waiting for dependencies as a node does.
fn arrive(skeleton: &Arc<Skeleton>, mut changes: Vec<Vec<u8>>, batch: usize) -> Document {
    let mut document = Document::new(skeleton);
    while !changes.is_empty() {
        let before = changes.len();
        let mut ready = vec![];
        changes.retain(|raw| {
            let change = automerge::Change::try_from(raw.as_slice()).unwrap();
            let is_ready = ready.len() < batch
                && change.deps().iter().all(|dep| document.holds(&ChangeHash(dep.0)));
            if is_ready {
                ready.push(raw.clone());
            }
            !is_ready
        });
        document = document.with(&ready).unwrap();
        assert!(changes.len() < before, "a dependency is missing");
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_batches_give_the_same_bytes_and_the_same_reading(
        steps in proptest::collection::vec(any_step(), 1..40),
        batch in 1..9usize,
        turn in any::<usize>(),
    ) {
        let skeleton = skeleton();
        let changes = run(&skeleton, steps);
        expect_good(&skeleton, &changes);
        let mut in_one_call = Document::new(&skeleton).with(&changes).unwrap();
        let expected = (in_one_call.try_save().unwrap(), read(&in_one_call));

        let mut others = changes.clone();
        others.reverse();
        let mut in_batches = arrive(&skeleton, others.clone(), batch);
        prop_assert_eq!(read(&in_batches), expected.1.clone());
        prop_assert_eq!(in_batches.save().unwrap(), expected.0.clone());
        prop_assert_eq!(read(&in_batches), expected.1.clone());

        let len = others.len().max(1);
        others.rotate_left(turn % len);
        let mut one_by_one = arrive(&skeleton, others, 1);
        prop_assert_eq!(one_by_one.save().unwrap(), expected.0.clone());
        prop_assert_eq!(one_by_one.size(), in_one_call.size());

        let half = changes.len() / 2;
        let mut first = Document::new(&skeleton).with(&changes[..half]).unwrap();
        let saved = Some((first.save().unwrap(), first.size()));
        let job = Job { skeleton, saved, changes: changes[half..].to_vec(), trial: true };
        let mut resumed = materialise(&job).unwrap();
        prop_assert_eq!(resumed.save().unwrap(), expected.0);
        prop_assert_eq!(read(&resumed), expected.1);
        prop_assert_ne!(resumed.size(), Size { raw_bytes: 1, ..Size::default() });
    }
}
