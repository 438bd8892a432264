//! A document: what the changes of one artefact come to.
//!
//! ```text
//! skeleton ─┐
//! save     ─┼─▶ materialise(job) ─▶ Document ─▶ edit · read · compare
//! changes  ─┘        │    on a worker, under catch_unwind
//!                    └─▶ Suspended: shown, kept in the log, tried again after an upgrade; never a verdict
//! ```
//!
//! Invariants:
//! - only raw changes that the verdict let through come here, in one batch for each document;
//! - a document is never half changed: [`Document::with`] works on a copy, which costs microseconds, so
//!   a panic under it leaves nothing behind;
//! - equal changes give equal saves, whatever their order and batches ([`Document::save`]);
//! - positions in texts count UTF-16 code units, as every browser and JavaScript's Automerge count them.
//!
//! Randomness and time: of the crates that Automerge brings, `getrandom`, `rand`, `chacha20` and `libc`
//! reach the machine. What we call reaches them in one way: making, loading or forking a document
//! draws 16 bytes for a *provisional* actor. It would enter a document only with a transaction, and
//! each of ours names its actor first (`edit.rs`, `skeleton.rs`). Hash tables are seeded, and nothing
//! that we are given stands in their order. No clock is read: a change without a time has time 0.
//!
//! Source: ours, `SPEC.md` section "Documents"; Automerge 0.12.0.

mod atom;
mod causal;
pub(in crate::artefact) mod names;
mod order;
mod place;
mod rich;
mod skeleton;

use alloc::{sync::Arc, vec::Vec};
use core::mem;

use automerge::{Automerge, AutomergeError, Change, LoadOptions, TextEncoding};

pub use atom::Atom;
pub use names::feed_of;
pub(in crate::artefact) use order::between;
pub(in crate::artefact) use place::{Look, Place, Under};
pub use place::{Path, Unplaced};
pub(in crate::artefact) use rich::{BLOCK, width};
pub use rich::{Block, MarkSpan, RichText};
pub use skeleton::Skeleton;
pub(in crate::artefact) use skeleton::object_of;

use crate::{
    limits::{DOCUMENT_BYTES_MAX, DOCUMENT_OPERATIONS_MAX},
    verdict::ChangeHash,
};

/// How positions in texts are counted: the one encoding that a browser's editor, JavaScript's
/// Automerge and this crate can share.
pub const ENCODING: TextEncoding = TextEncoding::Utf16CodeUnit;

/// A document in memory.
#[derive(Debug, Clone)]
pub struct Document {
    skeleton: Arc<Skeleton>,
    pub(in crate::artefact) inner: Automerge,
    size: Size,
}

/// How much a document's changes come to, the skeleton not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Operations.
    pub operations: u64,
    /// Bytes of raw changes.
    pub raw_bytes: u64,
}

/// Why a document cannot be shown on this node for now. Never a reason to refuse a change: others
/// may show it, and so may this node after an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Suspended {
    /// Given by the worker, which catches panics.
    #[error("Automerge panicked; the document is tried again after the next upgrade")]
    Panicked,
    /// The node ended while it worked on the document.
    #[error("the node ended while it opened the document")]
    Ended,
    /// A change whose verdict is good does not parse.
    #[error("the change at place {place} does not parse")]
    Unreadable {
        /// Its place among those given.
        place: usize,
    },
    /// A change was not applied, as a dependency is not here.
    #[error("change {change} was not applied, as something it depends on is not here")]
    NotApplied {
        /// Its hash.
        change: ChangeHash,
    },
    /// Two changes of one actor and seq.
    #[error("two changes of one editor have one number")]
    TwoOfOneSeq,
    /// The library reports another error.
    #[error("Automerge could not apply the changes")]
    Failed,
    /// The save does not load.
    #[error("the document's save does not load")]
    SaveDoesNotLoad,
    /// The save loads as something else.
    #[error("the document's save loads as another document")]
    SaveDiffers,
    /// The changes of all organisations together are too many.
    #[error("the document has {count} operations; at most {max} are opened")]
    TooManyOperations {
        /// How many there are.
        count: u64,
        /// How many there may be.
        max: u64,
    },
    /// The changes of all organisations together are too long.
    #[error("the document's changes have {bytes} bytes; at most {max} are opened")]
    TooLarge {
        /// How many bytes there are.
        bytes: u64,
        /// How many there may be.
        max: u64,
    },
}

/// What a worker is asked to do for one document.
#[derive(Debug, Clone)]
pub struct Job {
    /// Of the document's kind.
    pub skeleton: Arc<Skeleton>,
    /// The last save of this node, and the size that belongs to it.
    pub saved: Option<(Vec<u8>, Size)>,
    /// Raw changes that the verdict let through, in any order.
    pub changes: Vec<Vec<u8>>,
    /// Whether to save and load on trial: after foreign changes, and not to look.
    pub trial: bool,
}

/// Does the job: the function that a worker calls under `catch_unwind`.
///
/// Pure. Nothing outside it changes before it returns, so a panic in it loses nothing: the worker
/// drops the job and answers [`Suspended::Panicked`]. An abort cannot be caught: the worker notes the
/// document before and after, and one found half done at the start is [`Suspended::Ended`].
///
/// # Errors
/// Why the document is suspended on this node.
pub fn materialise(job: &Job) -> Result<Document, Suspended> {
    let document = match &job.saved {
        Some((bytes, size)) => Document::load(&job.skeleton, bytes, *size)?,
        None => Document::new(&job.skeleton),
    };
    let mut document = document.with(&job.changes)?;
    if job.trial {
        document.try_save()?;
    }
    Ok(document)
}

impl Document {
    /// A document of which only the skeleton is there.
    #[must_use]
    pub fn new(skeleton: &Arc<Skeleton>) -> Self {
        let inner = skeleton.empty().clone();
        Self { skeleton: Arc::clone(skeleton), inner, size: Size::default() }
    }

    /// Loads this node's own save, with the size kept beside it.
    ///
    /// # Errors
    /// - [`Suspended::SaveDoesNotLoad`]: the bytes are no save.
    /// - [`Suspended::SaveDiffers`]: they do not hold the skeleton.
    pub fn load(skeleton: &Arc<Skeleton>, bytes: &[u8], size: Size) -> Result<Self, Suspended> {
        let options = LoadOptions::new().text_encoding(ENCODING);
        let inner =
            Automerge::load_with_options(bytes, options).map_err(|_| Suspended::SaveDoesNotLoad)?;
        let document = Self { skeleton: Arc::clone(skeleton), inner, size };
        if document.holds(&skeleton.hash()) { Ok(document) } else { Err(Suspended::SaveDiffers) }
    }

    /// A copy with these changes applied, in one batch; the document itself stays as it is.
    ///
    /// # Errors
    /// The [`Suspended`] of the first change that does not go in, or of the bounds of one document.
    pub fn with(&self, raw: &[impl AsRef<[u8]>]) -> Result<Self, Suspended> {
        let mut copy = self.clone();
        let mut changes = Vec::with_capacity(raw.len());
        for (place, bytes) in raw.iter().enumerate() {
            let change =
                Change::try_from(bytes.as_ref()).map_err(|_| Suspended::Unreadable { place })?;
            if !copy.holds(&names::ours(change.hash())) {
                changes.push(change);
            }
        }
        let changes = in_causal_order(changes);
        for change in &changes {
            copy.size = copy.size.and(change);
        }
        copy.size.expect_bounds()?;
        let hashes: Vec<_> = changes.iter().map(|change| names::ours(change.hash())).collect();
        copy.inner.apply_changes(changes).map_err(|why| suspended(&why))?;
        match hashes.into_iter().find(|hash| !copy.holds(hash)) {
            Some(change) => Err(Suspended::NotApplied { change }),
            None => Ok(copy),
        }
    }

    /// The document after one more change of its own, which `inner` holds already.
    pub(in crate::artefact) fn grown(
        &self,
        inner: Automerge,
        change: &Change,
    ) -> Result<Self, Suspended> {
        let size = self.size.and(change);
        size.expect_bounds()?;
        Ok(Self { skeleton: Arc::clone(&self.skeleton), inner, size })
    }

    /// The kind, and the objects of its skeleton.
    #[must_use]
    pub fn skeleton(&self) -> &Skeleton {
        &self.skeleton
    }

    /// To read it now, or as it was.
    pub(in crate::artefact) fn look<'a>(
        &'a self,
        heads: Option<&'a [automerge::ChangeHash]>,
    ) -> Look<'a, Automerge> {
        Look { doc: &self.inner, skeleton: &self.skeleton, heads }
    }

    /// How much the changes come to.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The hashes of the changes that no other change builds on, ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.inner.get_heads().into_iter().map(names::ours).collect()
    }

    /// Whether the change is in the document.
    #[must_use]
    pub fn holds(&self, change: &ChangeHash) -> bool {
        self.inner.get_change_meta_by_hash(&names::theirs(*change)).is_some()
    }

    /// The raw changes, dependencies first, the skeleton left out.
    #[must_use]
    pub fn raw_changes(&self) -> Vec<Vec<u8>> {
        let changes = self.in_order(&[]);
        let skeleton = self.skeleton.hash();
        let others = changes.iter().filter(|change| names::ours(change.hash()) != skeleton);
        others.map(|change| change.raw_bytes().to_vec()).collect()
    }

    /// The changes that these heads do not include, dependencies first.
    pub(in crate::artefact) fn in_order(&self, base: &[automerge::ChangeHash]) -> Vec<Change> {
        in_causal_order(self.inner.get_changes(base))
    }

    /// The bytes of the document: the same for the same changes, on every machine.
    ///
    /// Changes stand in causal order, and nothing is deflated, since deflating may differ by
    /// processor and version. Where the order of arrival was another, the document is built anew
    /// once; afterwards saving is cheap again.
    ///
    /// # Errors
    /// [`Suspended::Failed`] and its like if the changes cannot be applied again.
    pub fn save(&mut self) -> Result<Vec<u8>, Suspended> {
        let nodes: Vec<_> =
            self.inner.get_changes_meta(&[]).into_iter().map(|it| (it.hash, it.deps)).collect();
        let order = causal::causal_order(&nodes);
        if order.iter().enumerate().any(|(place, from)| place != *from) {
            let changes = self.in_order(&[]);
            let mut inner = self.skeleton.empty().clone();
            inner.apply_changes(changes).map_err(|why| suspended(&why))?;
            if inner.get_heads() != self.inner.get_heads() {
                return Err(Suspended::SaveDiffers);
            }
            self.inner = inner;
        }
        Ok(self.inner.save_nocompress())
    }

    /// Saves, loads what was saved, and compares: the net beneath the verdict.
    ///
    /// # Errors
    /// - [`Suspended::SaveDoesNotLoad`], [`Suspended::SaveDiffers`], and what saving may give.
    pub fn try_save(&mut self) -> Result<Vec<u8>, Suspended> {
        let bytes = self.save()?;
        let loaded = Self::load(&self.skeleton, &bytes, self.size)?;
        if loaded.heads() != self.heads() || loaded.inner.save_nocompress() != bytes {
            return Err(Suspended::SaveDiffers);
        }
        Ok(bytes)
    }
}

impl Size {
    fn and(self, change: &Change) -> Self {
        Self {
            operations: self.operations.saturating_add(change.len() as u64),
            raw_bytes: self.raw_bytes.saturating_add(change.raw_bytes().len() as u64),
        }
    }

    const fn expect_bounds(self) -> Result<(), Suspended> {
        let Self { operations, raw_bytes } = self;
        if operations > DOCUMENT_OPERATIONS_MAX {
            let max = DOCUMENT_OPERATIONS_MAX;
            return Err(Suspended::TooManyOperations { count: operations, max });
        }
        if raw_bytes > DOCUMENT_BYTES_MAX {
            return Err(Suspended::TooLarge { bytes: raw_bytes, max: DOCUMENT_BYTES_MAX });
        }
        Ok(())
    }
}

fn in_causal_order(changes: Vec<Change>) -> Vec<Change> {
    let nodes: Vec<_> = changes.iter().map(|it| (it.hash(), it.deps().to_vec())).collect();
    let mut changes: Vec<Option<Change>> = changes.into_iter().map(Some).collect();
    let order = causal::causal_order(&nodes);
    order.into_iter().filter_map(|place| changes.get_mut(place).and_then(mem::take)).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's errors are many; a person needs two"
)]
const fn suspended(why: &AutomergeError) -> Suspended {
    match why {
        AutomergeError::DuplicateSeqNumber(..) => Suspended::TwoOfOneSeq,
        _ => Suspended::Failed,
    }
}
