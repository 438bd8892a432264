//! Whether entries that are not signed yet would count, by the very replay that every node does.
//!
//! *Invariants.* Nothing is signed that this node itself would refuse, or that would have no effect:
//! the author is told why instead.
//!
//! *Source*: ours; formats, section 5: a node never signs a change of its own staff that would be
//! refused.

use concordat_protocol::{
    codec::Fixed,
    decision::{Fate, Ruling, Standing as Stands, Written},
    feed::{Draft, Kind, Salted, Sealed},
    hash::EntryId,
    payload::{Close, SignOff},
    replay::{Content, Entry, Replay, Status, replay},
    time::TimeMs,
};

use super::Case;
use crate::{
    clock,
    control::Refusal,
    view::{standing_in_words, status_in_words},
};

/// Tries drafts one after the other on top of what is known.
///
/// # Errors
/// - [`Refusal`]: one of them would not count, or would have no effect.
pub(super) fn expect_effect(case: &Case<'_>, drafts: &[Draft]) -> Result<(), Refusal> {
    let me = case.snapshot.me();
    let own = case.board.own;
    let view = case.board.feeds.get(&own);
    let (size, epoch) = view.map_or((0, 0), |feed| (feed.size, feed.descriptor.epoch));
    let mut dossier = case.dossier.clone();
    // An entry that opens the feed would come before.
    let mut seq = size.max(1);
    let mut ids = Vec::new();
    let written = dossier.entries.iter().filter(|one| one.feed == own);
    let mut after = written.max_by_key(|one| one.by.seq).map(|one| one.by.entry);
    for (number, draft) in (0u64..).zip(drafts) {
        let entry = unsigned_id(number);
        let sealed = Sealed {
            payload: Salted::new(Fixed([0; 16]), draft.payload.clone()),
            attribution: None,
        };
        let by = Written {
            entry,
            org: me,
            epoch,
            seq,
            at: TimeMs(clock::now_ms()),
            charter: case.charter_hash(),
            settled: false,
            standing: Stands::Stands,
        };
        let (feed, kind, refs) = (own, draft.kind, draft.refs.clone());
        let content = Content::Here(sealed);
        dossier.entries.push(Entry {
            by,
            feed,
            kind,
            refs,
            content,
            is_kept: true,
            after,
            histories: vec![0],
        });
        after = Some(entry);
        ids.push((entry, draft));
        seq = seq.saturating_add(1);
    }
    dossier.feeds.insert(own, (me, seq));
    let replay = replay(case.ground(), &dossier);
    for (entry, draft) in ids {
        expect_counted(&replay, &entry)?;
        expect_applied(&replay, &entry)?;
        if let Some(why) = replay.lifecycle.why_not(&entry) {
            return Err(Refusal::new("no-effect", why));
        }
        expect_poll(case, &replay, &entry, draft)?;
    }
    Ok(())
}

/// An id that no signed entry has.
fn unsigned_id(number: u64) -> EntryId {
    let mut bytes = [0xff; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    EntryId::from_bytes(bytes)
}

fn expect_counted(replay: &Replay, entry: &EntryId) -> Result<(), Refusal> {
    match replay.entries.get(entry) {
        Some(concordat_protocol::replay::Standing::Counts) => Ok(()),
        Some(standing) => Err(Refusal::new("no-effect", standing_in_words(*standing))),
        None => Err(Refusal::new("no-effect", "the entry was not found again on trial")),
    }
}

fn expect_applied(replay: &Replay, entry: &EntryId) -> Result<(), Refusal> {
    let mut of_entry = replay.changes.iter().filter(|one| one.entry == *entry);
    match of_entry.find(|one| one.status != Status::Applied) {
        Some(one) => {
            let why = status_in_words(&one.status);
            let message = format!("every node would refuse this edit: {why}; edit again");
            Err(Refusal::new("refused-change", message))
        }
        None => Ok(()),
    }
}

fn expect_poll(
    case: &Case<'_>,
    replay: &Replay,
    entry: &EntryId,
    draft: &Draft,
) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal::new("no-effect", why));
    match draft.kind {
        Kind::PROPOSAL => match replay.proposals.get(entry).map(|one| &one.poll.ruling) {
            Some(Ruling::WithoutEffect(why)) => refuse(why.to_string()),
            Some(_) => Ok(()),
            None => refuse("the proposal cannot be read".to_owned()),
        },
        Kind::SIGNOFF => {
            let says = SignOff::from_bytes(&draft.payload).ok();
            let poll = says.and_then(|says| replay.proposals.get(&says.proposal));
            let slips = poll.map(|one| one.poll.slips.as_slice()).unwrap_or_default();
            let fate = slips.iter().find(|slip| slip.entry == *entry).map(|slip| &slip.fate);
            match fate {
                Some(Fate::Counted | Fate::Waiting) => Ok(()),
                Some(fate) => refuse(format!("it would not count: {}", fate.why().unwrap_or(""))),
                None => refuse("there is no such proposal".to_owned()),
            }
        }
        Kind::CLOSE => {
            let says = Close::from_bytes(&draft.payload).ok();
            let closed = says.and_then(|says| replay.proposals.get(&says.proposal));
            match closed.map(|one| one.says.closer) {
                Some(closer) if closer == case.snapshot.me() => Ok(()),
                Some(closer) => refuse(format!("only {} may close it", case.slug(&closer))),
                None => refuse("there is no such proposal".to_owned()),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn many_drafts_have_as_many_ids() {
        let ids: BTreeSet<EntryId> = (0..1_000).map(unsigned_id).collect();
        assert_eq!(ids.len(), 1_000);
    }
}
