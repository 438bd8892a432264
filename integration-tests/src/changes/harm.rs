//! What goes wrong when the real Automerge is given changes.
//!
//! *Invariants.* A panic of Automerge's is caught and counted as harm; nothing else is.
//!
//! *Source*: ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{
    ActorId, AutoSerde, Automerge, AutomergeError, Change, ChangeHash, ObjType, ROOT, ReadDoc,
    Value, transaction::Transactable,
};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Automerge panicked in this step.
    Panic(Step),
    /// Automerge returned an error in this step.
    Error(Step),
    /// A change was accepted and is not there.
    NotApplied,
    /// A change comes back with other bytes.
    OtherBytes,
    /// The document differs after a save and a load.
    LoadsDifferently,
    /// The document depends on the order or the batches in which changes came.
    DependsOnOrder,
}

/// What Automerge was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Reading a change.
    Parse,
    /// Applying it, or others after it.
    Apply,
    /// Giving the changes back.
    GiveBack,
    /// Saving.
    Save,
    /// Loading what was saved.
    Load,
    /// Reading all content, at old heads too.
    Read,
    /// A local edit after it.
    Edit,
    /// Saving and loading after that edit.
    LoadAfterEdit,
}

/// A document's content and heads.
pub type Content = (String, Vec<ChangeHash>);

/// Runs a step, and tells a panic from an error.
fn guarded<T, E>(step: Step, work: impl FnOnce() -> Result<T, E>) -> Result<T, Harm> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Err(_) => Err(Harm::Panic(step)),
        Ok(Err(_)) => Err(Harm::Error(step)),
        Ok(Ok(value)) => Ok(value),
    }
}

/// A step that cannot return an error.
fn sound<T>(step: Step, work: impl FnOnce() -> T) -> Result<T, Harm> {
    guarded(step, || Ok::<T, AutomergeError>(work()))
}

/// Reads a change.
///
/// # Errors
/// The harm done.
pub fn parse(raw: &[u8]) -> Result<Change, Harm> {
    guarded(Step::Parse, || Change::from_bytes(raw.to_vec()))
}

/// Gives batches of changes to a document, then saves, loads, reads and edits it.
///
/// # Errors
/// The harm done.
pub fn endure(base: &Automerge, batches: &[&[Change]]) -> Result<Content, Harm> {
    let mut document = base.clone();
    for batch in batches {
        guarded(Step::Apply, || document.apply_changes(batch.to_vec()))?;
    }
    for change in batches.iter().copied().flatten() {
        let there = sound(Step::GiveBack, || {
            let back = document.get_change_by_hash(&change.hash());
            back.map(|back| back.raw_bytes() == change.raw_bytes())
        })?;
        match there {
            None => return Err(Harm::NotApplied),
            Some(false) => return Err(Harm::OtherBytes),
            Some(true) => {}
        }
    }
    let saved = sound(Step::Save, || document.save())?;
    let loaded = guarded(Step::Load, || Automerge::load(&saved))?;
    let (content, again) = sound(Step::Read, || (content(&document), content(&loaded)))?;
    if content != again {
        return Err(Harm::LoadsDifferently);
    }
    if let Some(old) = batches.first().and_then(|batch| batch.first()) {
        let old = [old.hash()];
        sound(Step::Read, || {
            drop(document.diff(&old, &content.1));
            drop(document.hydrate(Some(&old)));
        })?;
    }
    guarded(Step::Edit, || edit_everywhere(&mut document))?;
    let saved = sound(Step::Save, || document.save())?;
    guarded(Step::LoadAfterEdit, || Automerge::load(&saved))?;
    Ok(content)
}

fn content(document: &Automerge) -> Content {
    drop(document.hydrate(None));
    let json = serde_json::to_string(&AutoSerde::from(document)).unwrap_or_default();
    (json, document.get_heads())
}

/// Edits every object below the root, then the root itself.
fn edit_everywhere(document: &mut Automerge) -> Result<(), AutomergeError> {
    document.set_actor(ActorId::from([0xee; 32]));
    let mut tx = document.transaction();
    let keys: Vec<String> = tx.keys(ROOT).collect();
    for key in keys {
        let kind = |value: &Value<'_>| match value {
            Value::Object(kind) => Some(*kind),
            Value::Scalar(_) => None,
        };
        let all = tx.get_all(ROOT, key.as_str())?;
        let all: Vec<_> = all.into_iter().map(|(value, id)| (kind(&value), id)).collect();
        for (kind, object) in all {
            match kind {
                Some(ObjType::Text) => {
                    let middle = tx.length(&object) / 2;
                    tx.splice_text(&object, middle, 0, "e")?;
                    drop(tx.marks(&object)?);
                    tx.spans(&object)?.for_each(drop);
                }
                Some(ObjType::List) => tx.insert(&object, 0, 1)?,
                Some(ObjType::Map | ObjType::Table) => tx.put(&object, "q", 1)?,
                None => {}
            }
        }
        tx.put(ROOT, key.as_str(), 1)?;
    }
    tx.put(ROOT, "z", 1)?;
    tx.commit();
    Ok(())
}
