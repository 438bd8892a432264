//! Documents that stay in memory for a while, bounded in number and size; the least used go first.
//!
//! *Invariants.* What is kept is known by the very changes in it, so it is never stale and nobody has
//! to drop it when something comes in.
//!
//! *Source*: ours; `benches/artefacts.rs` measures what it comes to.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{artefact::document::Document, hash::ArtefactId, verdict::ChangeHash};

/// Documents kept at most.
const KEPT_MAX: usize = 1_000;
/// What they may come to, by a rough measure: an operation takes about a hundred bytes in memory.
const KEPT_BYTES_MAX: u64 = 256 * 1024 * 1024;
const OPERATION_BYTES: u64 = 100;

/// Documents in memory, bounded in number and size.
#[derive(Debug, Default)]
pub(super) struct Kept {
    documents: BTreeMap<ArtefactId, One>,
    bytes: u64,
    uses: u64,
}

#[derive(Debug)]
struct One {
    document: Document,
    changes: BTreeSet<ChangeHash>,
    is_tried: bool,
    bytes: u64,
    last_use: u64,
}

/// How much is kept in memory, and how much may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptSize {
    /// Documents.
    pub documents: usize,
    /// How many there may be.
    pub documents_max: usize,
    /// What they come to, by a rough measure.
    pub bytes: u64,
    /// What they may come to.
    pub bytes_max: u64,
}

impl Kept {
    pub(super) fn size(&self) -> KeptSize {
        KeptSize {
            documents: self.documents.len(),
            documents_max: KEPT_MAX,
            bytes: self.bytes,
            bytes_max: KEPT_BYTES_MAX,
        }
    }

    /// A kept document of which every change is among these, and the changes that it has.
    pub(super) fn find(
        &mut self,
        artefact: &ArtefactId,
        changes: &BTreeSet<ChangeHash>,
    ) -> Option<(Document, BTreeSet<ChangeHash>, bool)> {
        self.uses = self.uses.saturating_add(1);
        let one = self.documents.get_mut(artefact)?;
        if !one.changes.is_subset(changes) {
            return None;
        }
        one.last_use = self.uses;
        Some((one.document.clone(), one.changes.clone(), one.is_tried))
    }

    pub(super) fn keep(
        &mut self,
        artefact: ArtefactId,
        document: Document,
        changes: BTreeSet<ChangeHash>,
        is_tried: bool,
    ) {
        self.remove(&artefact);
        let size = document.size();
        let bytes = size.operations.saturating_mul(OPERATION_BYTES).saturating_add(size.raw_bytes);
        if bytes > KEPT_BYTES_MAX {
            return;
        }
        self.uses = self.uses.saturating_add(1);
        let one = One { document, changes, is_tried, bytes, last_use: self.uses };
        self.documents.insert(artefact, one);
        self.bytes = self.bytes.saturating_add(bytes);
        while self.documents.len() > KEPT_MAX || self.bytes > KEPT_BYTES_MAX {
            let oldest = self.documents.iter().min_by_key(|(_, one)| one.last_use);
            let Some(oldest) = oldest.map(|(id, _)| *id) else { return };
            self.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, artefact: &ArtefactId) {
        if let Some(one) = self.documents.remove(artefact) {
            self.bytes = self.bytes.saturating_sub(one.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use concordat_protocol::artefact::{document::Skeleton, kinds::DECISION};

    use super::*;

    fn id(number: usize) -> ArtefactId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        ArtefactId::from_bytes(bytes)
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_least_used_goes_first() {
        let skeleton = Arc::new(Skeleton::new(&DECISION).unwrap());
        let mut kept = Kept::default();
        let document = Document::new(&skeleton);
        for number in 0..KEPT_MAX {
            kept.keep(id(number), document.clone(), BTreeSet::new(), false);
        }
        assert!(kept.find(&id(0), &BTreeSet::new()).is_some());
        kept.keep(id(KEPT_MAX), document, BTreeSet::new(), false);
        assert_eq!(kept.documents.len(), KEPT_MAX);
        assert!(kept.find(&id(0), &BTreeSet::new()).is_some());
        assert!(kept.find(&id(1), &BTreeSet::new()).is_none());
    }

    #[test]
    fn what_is_kept_is_used_only_where_all_of_its_changes_belong() {
        let skeleton = Arc::new(Skeleton::new(&DECISION).unwrap());
        let mut kept = Kept::default();
        let hashes = |numbers: &[u8]| numbers.iter().map(|one| ChangeHash([*one; 32])).collect();
        let has: BTreeSet<ChangeHash> = hashes(&[1, 2]);
        kept.keep(id(7), Document::new(&skeleton), has.clone(), true);
        let found = |kept: &mut Kept, numbers: &[u8]| {
            kept.find(&id(7), &hashes(numbers)).map(|(_, has, is_tried)| (has, is_tried))
        };
        assert_eq!(found(&mut kept, &[1, 2, 3]), Some((has, true)));
        assert_eq!(found(&mut kept, &[1, 3]), None);
    }
}
