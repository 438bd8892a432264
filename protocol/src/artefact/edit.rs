//! Stage 1 of 8: edit. From `node::artefact`; to `replay::refs`.
//!
//! What a person meant becomes raw changes of one actor at the document's heads.
//!
//! ```text
//! intents ─▶ each checked against its kind ─▶ operations ─▶ change ─▶ change …   at most 20,000 operations each
//!              │ CannotEdit: nothing was changed
//! ```
//!
//! 1. A document of more than 32 heads is folded first ([`fold`]).
//! 2. Paths, types, units, ranges and positions are checked; the first fault ends the edit.
//! 3. What is too much for one change goes on in the next: a paste of 50,000 characters makes three.
//! 4. What would overwrite more values than one change may deletes them first, in changes of its own.
//! 5. The caller takes the verdict on each change before it is signed.
//!
//! Positions count UTF-16 code units. Actors and times are arguments. One actor belongs to one editor,
//! which keeps the document that this gives back and goes on from there: its next change has the next seq.

use alloc::{boxed::Box, collections::VecDeque, string::String, vec::Vec};

use automerge::{Change, transaction::CommitOptions};

pub use super::fold::fold;
use super::{
    document::{Atom, Document, Path, Suspended, Unplaced, names},
    scalar::Misfit,
    thin::thinning,
    write::{Budget, Write},
};
use crate::{
    limits::{CHANGE_BYTES_MAX, DOC_HEADS_MAX},
    time::TimeMs,
    verdict::{Actor, Chunk, Rule},
};

/// What a person meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Give a field a value, over all that it has.
    Set {
        /// The field.
        at: Path,
        /// The value.
        value: Atom,
    },
    /// Take a field's value away, all of them.
    Clear {
        /// The field.
        at: Path,
    },
    /// Settle on one of several values of a field.
    Choose {
        /// The field.
        at: Path,
        /// One of its values.
        value: Atom,
    },
    /// Take text out and put text in.
    Splice {
        /// The text.
        at: Path,
        /// Where.
        position: u64,
        /// How much goes.
        delete: u64,
        /// What comes.
        insert: String,
    },
    /// Put a mark over text.
    Mark {
        /// The text.
        at: Path,
        /// The first position.
        from: u64,
        /// The position after the last.
        to: u64,
        /// The mark's name.
        name: String,
        /// Its value: true for most.
        value: Atom,
        /// Whether text typed at its end belongs to it.
        grows: bool,
    },
    /// Take a mark off text.
    Unmark {
        /// The text.
        at: Path,
        /// The first position.
        from: u64,
        /// The position after the last.
        to: u64,
        /// The mark's name.
        name: String,
    },
    /// Begin a block.
    Split {
        /// The text.
        at: Path,
        /// Before this position.
        position: u64,
        /// What the block is.
        kind: String,
    },
    /// Join a block to the one before it.
    Join {
        /// The text.
        at: Path,
        /// Where its marker stands.
        position: u64,
    },
    /// Add an element to a set.
    Include {
        /// The set.
        at: Path,
        /// The element.
        value: Atom,
    },
    /// Take an element out of a set.
    Exclude {
        /// The set.
        at: Path,
        /// The element.
        value: Atom,
    },
    /// Add an empty item to a list.
    AddItem {
        /// The list.
        at: Path,
        /// Its id, from fresh randomness.
        id: ItemId,
        /// Where among the others.
        spot: Spot,
    },
    /// Remove an item.
    RemoveItem {
        /// The list and the item.
        at: Path,
    },
    /// Bring an item back, or keep one that was removed and edited at once.
    RestoreItem {
        /// The list and the item.
        at: Path,
    },
    /// Move an item.
    MoveItem {
        /// The list and the item.
        at: Path,
        /// Where among the others.
        spot: Spot,
    },
}

/// Where an item comes to stand among the others of its list, as they are when the intent is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// Before all.
    First,
    /// After the item with this id, and after whatever shares its place.
    After(String),
    /// After all, also after those that were removed.
    Last,
}

/// The id of a new item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemId(String);

impl ItemId {
    /// The id that these fresh random bytes give: 26 letters and digits.
    #[must_use]
    pub fn fresh(random: [u8; 16]) -> Self {
        Self(data_encoding::BASE32_NOPAD.encode(&random).to_ascii_lowercase())
    }

    /// The id as it stands in paths.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why an intent cannot be carried out. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotEdit {
    /// The path leads nowhere.
    #[error(transparent)]
    Unplaced(#[from] Unplaced),
    /// The field is of another shape.
    #[error("{at}: this is not {wanted}")]
    Shape {
        /// Where.
        at: Path,
        /// What the intent is for.
        wanted: &'static str,
    },
    /// The value does not fit the field.
    #[error("{at}: the value {why}")]
    Unfit {
        /// Where.
        at: Path,
        /// Why not.
        why: Misfit,
    },
    /// The value to settle on is none of those that stand there.
    #[error("{at}: this is none of the {count} values to choose from; set it instead")]
    NotAmongValues {
        /// Where.
        at: Path,
        /// How many there are.
        count: usize,
    },
    /// The position lies beyond the text's end.
    #[error("{at}: position {position} is beyond the end at {len}")]
    BeyondEnd {
        /// Where.
        at: Path,
        /// The position.
        position: u64,
        /// The length of the text.
        len: u64,
    },
    /// The position lies between the two halves of one character.
    #[error("{at}: position {position} is inside a character")]
    InsideCharacter {
        /// Where.
        at: Path,
        /// The position.
        position: u64,
    },
    /// A mark over nothing, or without a name.
    #[error("{at}: a mark needs a name and at least one character")]
    EmptyMark {
        /// Where.
        at: Path,
    },
    /// The text to put in has a character that stands for block markers.
    #[error(
        "{at}: the text holds U+FFFC, which stands for the beginning of a block; split instead"
    )]
    HoldsMarker {
        /// Where.
        at: Path,
    },
    /// No block marker stands there.
    #[error("{at}: no block begins at {position}")]
    NoBlock {
        /// Where.
        at: Path,
        /// The position.
        position: u64,
    },
    /// The set does not have the element.
    #[error("{at}: the set does not have this element")]
    NotInSet {
        /// Where.
        at: Path,
    },
    /// The list has an item with this id.
    #[error("{at}: there is an item with this id; take a fresh one")]
    ItemExists {
        /// Where.
        at: Path,
    },
    /// The item was removed.
    #[error("{at}: the item was removed; restore it first")]
    ItemRemoved {
        /// Where.
        at: Path,
    },
    /// The document has too many heads for one change to build on.
    #[error("the document has {count} heads; fold them first, to at most {max}")]
    TooManyHeads {
        /// How many it has.
        count: usize,
        /// How many it may have.
        max: usize,
    },
    /// The intents change nothing.
    #[error("there is nothing to change")]
    Nothing,
    /// One change would be too long.
    #[error("the change has {bytes} bytes; at most {max} are allowed; edit in smaller steps")]
    TooLong {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// Automerge did not do what the document allows.
    #[error("{at}: Automerge refused the edit; load the document again and repeat it")]
    Failed {
        /// Where.
        at: Path,
    },
    /// The document cannot be edited here for now.
    #[error(transparent)]
    Suspended(#[from] Suspended),
}

/// The outcome of an edit.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The document with the edit in it, for this editor to go on from.
    pub document: Document,
    /// The raw changes, dependencies first: to be judged, signed and appended.
    pub changes: Vec<Vec<u8>>,
    /// The fields that were written, as often as they were, and the items that were added or brought
    /// back: what the guard reads before signing.
    pub touched: Vec<Path>,
}

/// Carries out intents, one after the other, as changes of one actor.
///
/// # Errors
/// The [`CannotEdit`] of the first intent that cannot be carried out.
pub fn edit(
    document: &Document,
    intents: Vec<Intent>,
    actor: Actor,
    now: TimeMs,
) -> Result<Edited, CannotEdit> {
    let count = document.heads().len();
    if count > DOC_HEADS_MAX {
        return Err(CannotEdit::TooManyHeads { count, max: DOC_HEADS_MAX });
    }
    let touched = intents.iter().filter_map(Intent::touches).collect();
    let mut intents: VecDeque<Intent> = intents.into();
    let mut edited = Edited { document: document.clone(), changes: Vec::new(), touched };
    while !intents.is_empty() {
        let mut left = intents.clone();
        match write_one_change(document, &mut edited, &mut left, (actor, now))? {
            Outcome::Written => intents = left,
            Outcome::TooHeavy(change) => {
                thin(&mut edited, &change)?;
                // What is to be chosen was seen to stand there, and may be deleted with the others.
                intents = intents.into_iter().map(Intent::chosen).collect();
            }
        }
    }
    if edited.changes.is_empty() { Err(CannotEdit::Nothing) } else { Ok(edited) }
}

/// What became of one change.
enum Outcome {
    Written,
    /// It would overwrite more values than one change may.
    TooHeavy(Box<Change>),
}

/// Carries out as many intents as fit one change.
fn write_one_change(
    before: &Document,
    edited: &mut Edited,
    intents: &mut VecDeque<Intent>,
    (actor, now): (Actor, TimeMs),
) -> Result<Outcome, CannotEdit> {
    let mut inner = edited.document.inner.clone();
    inner.set_actor(names::actor_id(actor));
    let mut write = Write::new(before, inner.transaction(), Budget::of_a_change());
    while let Some(intent) = intents.pop_front() {
        if write.is_full_for(&intent) {
            intents.push_front(intent);
            break;
        }
        if let Some(rest) = write.carry_out(intent)? {
            intents.push_front(rest);
            break;
        }
    }
    let options = CommitOptions::default().with_time(seconds(now));
    if write.commit(options).is_none() {
        return Ok(Outcome::Written);
    }
    let change = inner.get_last_local_change().ok_or(Suspended::Failed)?;
    let raw = change.raw_bytes().to_vec();
    if matches!(Chunk::from_bytes(&raw), Err(Rule::TooManyPredecessors { .. })) {
        return Ok(Outcome::TooHeavy(Box::new(change)));
    }
    if raw.len() > CHANGE_BYTES_MAX {
        return Err(CannotEdit::TooLong { bytes: raw.len(), max: CHANGE_BYTES_MAX });
    }
    edited.document = edited.document.grown(inner, &change)?;
    edited.changes.push(raw);
    Ok(Outcome::Written)
}

/// Takes away what a change would overwrite, before it is made again.
fn thin(edited: &mut Edited, heavy: &Change) -> Result<(), Suspended> {
    let changes = thinning(heavy);
    if changes.is_empty() {
        return Err(Suspended::Failed);
    }
    let changes: Vec<Vec<u8>> = changes.iter().map(|change| change.raw_bytes().to_vec()).collect();
    edited.document = edited.document.with(&changes)?;
    edited.changes.extend(changes);
    Ok(())
}

/// Automerge's changes state seconds. The claim that counts is the entry's.
pub(super) fn seconds(now: TimeMs) -> i64 {
    i64::try_from(now.0 / 1_000).unwrap_or(0)
}

impl Intent {
    /// A choice as what was chosen.
    fn chosen(self) -> Self {
        if let Self::Choose { at, value } = self { Self::Set { at, value } } else { self }
    }

    /// The field that it writes, or the item that is there because of it.
    fn touches(&self) -> Option<Path> {
        match self {
            Self::AddItem { at, id, .. } => Some(at.then(id.as_str())),
            Self::RemoveItem { .. } | Self::MoveItem { .. } => None,
            Self::Set { .. }
            | Self::Clear { .. }
            | Self::Choose { .. }
            | Self::Splice { .. }
            | Self::Mark { .. }
            | Self::Unmark { .. }
            | Self::Split { .. }
            | Self::Join { .. }
            | Self::Include { .. }
            | Self::Exclude { .. }
            | Self::RestoreItem { .. } => Some(self.at().clone()),
        }
    }

    /// What it is about.
    #[must_use]
    pub const fn at(&self) -> &Path {
        match self {
            Self::Set { at, .. }
            | Self::Clear { at }
            | Self::Choose { at, .. }
            | Self::Splice { at, .. }
            | Self::Mark { at, .. }
            | Self::Unmark { at, .. }
            | Self::Split { at, .. }
            | Self::Join { at, .. }
            | Self::Include { at, .. }
            | Self::Exclude { at, .. }
            | Self::AddItem { at, .. }
            | Self::RemoveItem { at }
            | Self::RestoreItem { at }
            | Self::MoveItem { at, .. } => at,
        }
    }
}
