//! Honest editors: every call of Automerge's that changes a document, drawn at random.
//!
//! *Source*: ours.

use automerge::{
    Automerge, AutomergeError, ChangeHash, ObjId, ObjType, ROOT, ReadDoc, ScalarValue,
    TextEncoding, Value, hydrate,
    marks::{ExpandMark, Mark},
    transaction::{CommitOptions, Transactable, Transaction},
};

use super::{fresh_actor, skeleton};
use crate::sim::rng::Rng;

/// Objects among which an edit chooses.
const OBJECTS_MAX: usize = 60;
const WORDS: [&str; 6] =
    ["héllo", "a", "🌍 wörld", "\r\n", "e\u{301}", "long phrase of several words "];

/// A document that three editors wrote, offline and on, and that fresh actors edited at old heads.
///
/// # Errors
/// What Automerge says against an honest call that should work.
pub fn write(rng: &mut Rng, steps: u64) -> Result<Automerge, AutomergeError> {
    let encoding =
        if rng.chance(50) { TextEncoding::Utf16CodeUnit } else { TextEncoding::UnicodeCodePoint };
    let mut base = Automerge::new_with_encoding(encoding).with_actor(fresh_actor(rng));
    let first = automerge::Change::from_bytes(skeleton()).map_err(|_| AutomergeError::Fail)?;
    base.apply_changes([first])?;
    edit(&mut base, rng);
    let mut replicas = [base.fork(), base.fork(), base.fork()];
    for replica in &mut replicas {
        replica.set_actor(fresh_actor(rng));
    }
    let mut old: [Vec<ChangeHash>; 3] = Default::default();
    for step in 0..steps {
        let at = rng.place(3);
        if step % 4 == 1 {
            old[at] = replicas[at].get_heads();
        }
        match rng.below(10) {
            0 | 1 => {
                let mut other = replicas[(at + 1) % 3].clone();
                replicas[at].merge(&mut other)?;
            }
            2 if !old[at].is_empty() => {
                // How an older state is edited: a fork there, a fresh actor, a merge.
                let mut fork = replicas[at].fork_at(&old[at])?.with_actor(fresh_actor(rng));
                edit(&mut fork, rng);
                replicas[at].merge(&mut fork)?;
            }
            3 => {
                let options = CommitOptions::default().with_time(1).with_message("empty");
                replicas[at].empty_commit(options);
            }
            _ => edit(&mut replicas[at], rng),
        }
    }
    let [mut all, mut second, mut third] = replicas;
    all.merge(&mut second)?;
    all.merge(&mut third)?;
    Ok(all)
}

/// The changes of a document, the skeleton first.
#[must_use]
pub fn raw_changes(document: &Automerge) -> Vec<Vec<u8>> {
    document.get_changes(&[]).iter().map(|change| change.raw_bytes().to_vec()).collect()
}

/// One change of a few calls; a call that Automerge refuses changes nothing.
fn edit(document: &mut Automerge, rng: &mut Rng) {
    let mut transaction = document.transaction();
    for _ in 0..rng.between(1, 5) {
        let objects = objects(&transaction);
        let Some((object, kind)) = rng.pick(&objects).cloned() else { continue };
        // A refused call is as honest as a good one.
        let _refused = match kind {
            ObjType::Map | ObjType::Table => in_map(&mut transaction, &object, rng),
            ObjType::List => in_list(&mut transaction, &object, rng),
            ObjType::Text => in_text(&mut transaction, &object, rng),
        };
    }
    if rng.chance(8) {
        transaction.rollback();
    } else {
        transaction.commit_with(CommitOptions::default().with_time(0));
    }
}

fn objects(document: &Transaction<'_>) -> Vec<(ObjId, ObjType)> {
    let mut found = vec![(ROOT, ObjType::Map)];
    let mut at = 0;
    while at < found.len() && found.len() < OBJECTS_MAX {
        let (object, kind) = found[at].clone();
        at += 1;
        let mut add = |values: Result<Vec<(Value<'_>, ObjId)>, AutomergeError>| {
            for (value, id) in values.unwrap_or_default() {
                if let Value::Object(kind) = value {
                    found.push((id, kind));
                }
            }
        };
        match kind {
            ObjType::Map | ObjType::Table => {
                document.keys(&object).for_each(|key| add(document.get_all(&object, key)));
            }
            ObjType::List => {
                (0..document.length(&object)).for_each(|at| add(document.get_all(&object, at)));
            }
            ObjType::Text => {}
        }
    }
    found
}

fn scalar(rng: &mut Rng) -> ScalarValue {
    match rng.below(9) {
        0 => ScalarValue::Int(1),
        1 => ScalarValue::Uint(7),
        2 => "str".into(),
        3 => ScalarValue::F64(1.5),
        4 => ScalarValue::Boolean(true),
        5 => ScalarValue::Null,
        6 => ScalarValue::Timestamp(5),
        7 => ScalarValue::Bytes(vec![1, 2]),
        _ => ScalarValue::counter(3),
    }
}

fn in_map(tx: &mut Transaction<'_>, map: &ObjId, rng: &mut Rng) -> Result<(), AutomergeError> {
    let key = ["a", "b", "c", "ключ", "d"][rng.place(5)];
    match rng.below(9) {
        0 | 1 => tx.put(map, key, scalar(rng)),
        2 => tx.delete(map, key),
        3 => tx.increment(map, key, rng.between(0, 8).cast_signed() - 3),
        4 => tx.put_object(map, key, ObjType::Map).map(drop),
        5 => tx.put_object(map, key, ObjType::List).map(drop),
        6 | 7 => {
            let text = tx.put_object(map, key, ObjType::Text)?;
            tx.splice_text(&text, 0, 0, "some first text here")
        }
        _ => {
            // Writing into an object just deleted.
            let made = tx.put_object(map, key, ObjType::Map)?;
            tx.delete(map, key)?;
            tx.put(&made, "late", 1)
        }
    }
}

fn in_list(tx: &mut Transaction<'_>, list: &ObjId, rng: &mut Rng) -> Result<(), AutomergeError> {
    let len = tx.length(list);
    match rng.below(8) {
        3 if len > 0 => tx.put(list, rng.place(len), scalar(rng)),
        4 if len > 0 => tx.delete(list, rng.place(len)),
        5 if len > 0 => tx.increment(list, rng.place(len), 2),
        6 => {
            let kind = [ObjType::Map, ObjType::List, ObjType::Text][rng.place(3)];
            tx.insert_object(list, rng.place(len + 1), kind).map(drop)
        }
        7 => {
            let at = rng.place(len + 1);
            let deleted = rng.place((len - at).min(3) + 1).cast_signed();
            let new: Vec<_> = (0..3).map(|_| hydrate::Value::Scalar(scalar(rng))).collect();
            tx.splice(list, at, deleted, new)
        }
        _ => tx.insert(list, rng.place(len + 1), scalar(rng)),
    }
}

fn in_text(tx: &mut Transaction<'_>, text: &ObjId, rng: &mut Rng) -> Result<(), AutomergeError> {
    let len = tx.length(text);
    let start = rng.place(len + 1);
    let end = start + rng.place(len - start + 1);
    match rng.below(11) {
        4 | 5 => {
            let all = [ExpandMark::After, ExpandMark::Before, ExpandMark::Both, ExpandMark::None];
            tx.mark(text, Mark::new("strong".into(), true, start, end), all[rng.place(4)])
        }
        6 => tx.unmark(text, "strong", start, end, ExpandMark::After),
        7 => {
            let block = tx.split_block(text, start)?;
            tx.put(&block, "type", "paragraph")
        }
        8 => change_first_block(tx, text, rng),
        9 => {
            let mut new = tx.text(text)?.replace('\u{fffc}', "");
            new.push_str(" more");
            tx.update_text(text, new)
        }
        10 if len > 0 => tx.splice_text(text, rng.place(len), 1, "Z"),
        _ => {
            let deleted = (end - start).min(6).cast_signed();
            tx.splice_text(text, start, deleted, WORDS[rng.place(WORDS.len())])
        }
    }
}

fn change_first_block(
    tx: &mut Transaction<'_>,
    text: &ObjId,
    rng: &mut Rng,
) -> Result<(), AutomergeError> {
    for at in 0..tx.length(text) {
        if matches!(tx.get(text, at)?, Some((Value::Object(_), _))) {
            if rng.chance(50) {
                return tx.join_block(text, at);
            }
            let block = tx.replace_block(text, at)?;
            return tx.put(&block, "type", "heading");
        }
    }
    Ok(())
}
