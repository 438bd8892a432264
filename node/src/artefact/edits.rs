//! Edits of a document: from what a person wants to raw changes, and to the entries that carry them.
//!
//! *Invariants.* One fresh actor for each command. What was typed is looked through for patients'
//! numbers before anything is said of it, and the text that remains before anything is signed, field
//! by field of those that were written.
//!
//! *Source*: ours; formats, section 5.

use concordat_protocol::{
    artefact::{
        document::{Document, Path},
        edit::{edit, fold},
        guard,
        read::{Cell, read},
    },
    codec::Blob,
    feed::{Draft, Kind},
    hash::EntryId,
    limits::{CHANGES_MAX, DOC_HEADS_MAX},
    payload::Changes,
    time::TimeMs,
    verdict::{Actor, ActorPrefix, ChangeHash},
};

use super::{Case, wishes::Wishes};
use crate::{
    clock,
    control::{Edit, Refusal},
};

/// Bytes of changes in one entry, unless a single one has more.
const ENTRY_BYTES_MAX: usize = 768 * 1024;

/// What edits come to.
pub(super) struct Edited {
    pub(super) drafts: Vec<Draft>,
    /// The document with them.
    pub(super) document: Document,
    /// Ids of items that were added.
    pub(super) items: Vec<String>,
}

/// Carries out edits on the document.
///
/// # Errors
/// - [`Refusal`]: one of them cannot be carried out; nothing is signed.
pub(super) fn carry_out(case: &Case<'_>, edits: &[Edit]) -> Result<Edited, Refusal> {
    let Wishes { intents, items, .. } = Wishes::read(case, edits)?;
    let folded = fold_heads(case)?;
    let now = TimeMs(clock::now_ms());
    let edited = edit(&folded.document, intents, fresh_actor(case)?, now)
        .map_err(|why| Refusal::new("cannot-edit", why))?;
    expect_no_patient(&edited.document, &edited.touched)?;
    let mut drafts = folded.drafts;
    drafts.extend(entries(case, &folded.document.heads(), edited.changes));
    Ok(Edited { drafts, document: edited.document, items })
}

/// Makes the document's heads few enough to build on.
///
/// # Errors
/// - [`Refusal`]: Automerge fails.
pub(super) fn fold_heads(case: &Case<'_>) -> Result<Edited, Refusal> {
    let mut document = case.seen()?.document.clone();
    let mut drafts = Vec::new();
    if document.heads().len() > DOC_HEADS_MAX {
        let now = TimeMs(clock::now_ms());
        let folded = fold(&document, fresh_actor(case)?, now).map_err(super::sight::suspended)?;
        // One entry each: what one of them builds on fits an entry's refs.
        for change in folded.changes {
            let chunk = concordat_protocol::verdict::Chunk::from_bytes(&change);
            let dependencies = chunk.map(|chunk| chunk.dependencies).unwrap_or_default();
            drafts.extend(entries(case, &dependencies, Vec::from([change])));
        }
        document = folded.document;
    }
    Ok(Edited { drafts, document, items: Vec::new() })
}

fn fresh_actor(case: &Case<'_>) -> Result<Actor, Refusal> {
    let fresh = clock::nonce().map_err(|why| Refusal::new("system", why))?;
    Ok(Actor::of(ActorPrefix::of(&case.board.own), fresh))
}

/// Entries that carry changes, each within its bounds.
fn entries(case: &Case<'_>, heads: &[ChangeHash], changes: Vec<Vec<u8>>) -> Vec<Draft> {
    let refs = case.replay.refs(&case.board.own, heads);
    let mut parts: Vec<Vec<Vec<u8>>> = Vec::new();
    for change in changes {
        let fits = |part: &Vec<Vec<u8>>| {
            let bytes: usize = part.iter().map(Vec::len).sum();
            part.len() < CHANGES_MAX && bytes.saturating_add(change.len()) <= ENTRY_BYTES_MAX
        };
        match parts.last_mut().filter(|part| fits(part)) {
            Some(part) => part.push(change),
            None => parts.push(Vec::from([change])),
        }
    }
    parts.into_iter().map(|part| entry(case, refs.clone(), part)).collect()
}

fn entry(case: &Case<'_>, refs: Vec<EntryId>, part: Vec<Vec<u8>>) -> Draft {
    let raw = part.into_iter().map(Blob::from).collect();
    Draft {
        kind: Kind::CHANGE,
        artefact: Some(case.dossier.artefact),
        refs,
        payload: Changes { raw }.to_bytes(),
        attribution: None,
    }
}

/// Refuses what would leave a patient's number in a field that was written, or in an item that is
/// brought back.
fn expect_no_patient(document: &Document, touched: &[Path]) -> Result<(), Refusal> {
    let reading = read(document);
    let is_touched = |cell: &&Cell| touched.iter().any(|path| path.covers(&cell.path));
    let mut cells = reading.cells.iter().filter(is_touched);
    cells.try_for_each(guard::expect_none_in).map_err(|why| Refusal::new("patient-number", why))
}
