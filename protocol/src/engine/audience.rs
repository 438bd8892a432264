//! Artefacts as the engine knows them: who opened them, who receives their content, and where their
//! entries stand.
//!
//! ```text
//! artefact record = [ [] or [first opening], opener bstr32, [] or [orgs…], widenings [[org, orgs…]…] ]
//! first opening   = [ entry bstr32, kind, schema version ]
//! ```
//!
//! 1. *Index.* Every entry that names an artefact has its place in a table, so that an artefact is read
//!    without reading feeds.
//! 2. *Audience.* The opening names it; it widens by entries of those who are in it. All of this is
//!    told to everybody; only payloads of withheld kinds are kept from those outside.
//! 3. *Due.* A payload is due to a member unless the audience is known and leaves it out. One that was
//!    not due becomes due when the audience widens, and is then asked for like any other.
//! 4. *Give.* A payload goes to a peer only when the audience is durably known and the peer is in it.
//!
//! Of several openings (a forked feed) the lowest entry id gives the kind, and the audience is
//! whoever all of them name. Sets only grow or only shrink, so the order of arrival does not matter.
//!
//! Private to one node: never signed, never sent.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use super::{
    Engine, Step,
    tables::{BranchNo, Reader, Table, after_prefix, artefact_key, place_key, placed_key},
};
use crate::{
    codec::{self, Malformed, Opt},
    feed::Header,
    hash::{ArtefactId, BoardId, EntryId, FeedId, OrgId},
    limits::{MEMBERS_MAX, MIB},
    payload::{Audience, Open, Widening},
};

/// Longest artefact record: each member may have named every other.
const RECORD_BYTES_MAX: usize = 64 * MIB;
/// Entries of one artefact that are looked through at a time.
const PLACES_MAX: usize = usize::MAX;

/// What is known of an artefact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtefactRecord {
    /// The opening with the lowest id, if one has come.
    pub first: Option<FirstOpening>,
    /// Who opened it.
    opener: OrgId,
    /// Whom the openings name; none when all members are meant.
    only: Option<BTreeSet<OrgId>>,
    /// Whom each organisation added.
    widened: BTreeMap<OrgId, BTreeSet<OrgId>>,
}

/// The opening that says what an artefact is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstOpening {
    /// The entry.
    pub entry: EntryId,
    /// The artefact's kind.
    pub kind: String,
    /// The version of its schema.
    pub schema_version: u64,
}

type Wire = (Opt<(EntryId, String, u64)>, OrgId, Opt<Vec<OrgId>>, Vec<(OrgId, Vec<OrgId>)>);

impl ArtefactRecord {
    const fn new(opener: OrgId) -> Self {
        Self { first: None, opener, only: None, widened: BTreeMap::new() }
    }

    /// Reads the record of an artefact, if anything of it has come.
    #[must_use]
    pub fn read(reader: &dyn Reader, board: &BoardId, id: &ArtefactId) -> Option<Self> {
        reader
            .get(Table::Artefacts, &artefact_key(board, id))
            .and_then(|bytes| Self::from_bytes(&bytes).ok())
    }

    /// The artefacts of a board, by id.
    #[must_use]
    pub fn all(reader: &dyn Reader, board: &BoardId) -> Vec<(ArtefactId, Self)> {
        let prefix = board.as_bytes();
        let end = after_prefix(prefix).unwrap_or_default();
        let rows = reader.scan(Table::Artefacts, prefix, &end, usize::MAX);
        let records = rows.into_iter().filter_map(|(key, bytes)| {
            let id = ArtefactId::from_bytes(*key.last_chunk()?);
            Some((id, Self::from_bytes(&bytes).ok()?))
        });
        records.collect()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let list = |set: &BTreeSet<OrgId>| set.iter().copied().collect::<Vec<_>>();
        let widened = self.widened.iter().map(|(by, orgs)| (*by, list(orgs))).collect();
        let first = self.first.clone().map(|first| (first.entry, first.kind, first.schema_version));
        let wire: Wire = (Opt(first), self.opener, Opt(self.only.as_ref().map(list)), widened);
        codec::encode(&wire)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (Opt(first), opener, Opt(only), widened): Wire =
            codec::decode(bytes, "artefact record", RECORD_BYTES_MAX)?;
        let set = |orgs: Vec<OrgId>| orgs.into_iter().collect();
        let widened = widened.into_iter().map(|(by, orgs)| (by, set(orgs))).collect();
        let first =
            first.map(|(entry, kind, schema_version)| FirstOpening { entry, kind, schema_version });
        Ok(Self { first, opener, only: only.map(set), widened })
    }

    /// Takes in an opening.
    fn open(&mut self, entry: EntryId, open: Open) {
        let Open { kind, schema_version, audience, .. } = open;
        let new = FirstOpening { entry, kind, schema_version };
        self.only = match (audience, self.only.take()) {
            (Audience::Everyone, only) => only,
            (Audience::Only(orgs), None) => Some(orgs.into_iter().collect()),
            (Audience::Only(orgs), Some(only)) => {
                Some(orgs.into_iter().filter(|org| only.contains(org)).collect())
            }
        };
        self.first = match self.first.take() {
            Some(first) if first.entry <= entry => Some(first),
            Some(_) | None => Some(new),
        };
    }

    /// Takes in a widening by `by`. Says whether it is news.
    fn widen(&mut self, by: OrgId, orgs: Vec<OrgId>) -> bool {
        let known = self.widened.entry(by).or_default();
        let before = known.len();
        known.extend(orgs.into_iter().take(MEMBERS_MAX));
        known.len() > before
    }

    /// Who opened it.
    #[must_use]
    pub const fn opener(&self) -> OrgId {
        self.opener
    }

    /// Who receives its content: `None` when that is not known yet.
    #[must_use]
    pub fn audience(&self) -> Option<Audience> {
        self.first.as_ref()?;
        let Some(only) = &self.only else { return Some(Audience::Everyone) };
        let mut all = only.clone();
        all.insert(self.opener);
        let mut asked: Vec<OrgId> = all.iter().copied().collect();
        while let Some(by) = asked.pop() {
            let added = self.widened.get(&by).into_iter().flatten();
            asked.extend(added.copied().filter(|org| all.insert(*org)));
        }
        Some(Audience::Only(all.into_iter().collect()))
    }

    /// Whether an organisation receives its content: `None` when that is not known yet.
    #[must_use]
    pub fn includes(&self, org: &OrgId) -> Option<bool> {
        self.audience().map(|audience| match audience {
            Audience::Everyone => true,
            Audience::Only(orgs) => orgs.binary_search(org).is_ok(),
        })
    }
}

impl Engine {
    /// Notes where an entry about an artefact stands.
    pub(super) fn place_of_artefact(
        &mut self,
        (board, id, no): (BoardId, FeedId, BranchNo),
        header: &Header,
    ) {
        if let Some(artefact) = header.artefact {
            let key = placed_key(&artefact, &id, no, header.seq);
            self.pending.put(Table::Placed, key, Vec::new());
            self.pending.consequences().artefacts.insert((board, artefact));
        }
    }

    /// An opening counts.
    pub(super) fn apply_open(
        &mut self,
        step: &mut Step<'_>,
        (board, feed): (BoardId, FeedId),
        (header, open): (&Header, Open),
    ) {
        let Some(org) = self.feed(&board, &feed).map(|feed| feed.descriptor.org) else { return };
        let id = open.artefact_id(&board, &org);
        if header.artefact != Some(id) {
            return;
        }
        let mut record = self.artefact(step, &board, &id);
        let record_before = record.clone();
        let known = record.get_or_insert(ArtefactRecord::new(org));
        known.opener = org;
        known.open(Header::id_of(&header.to_bytes()), open);
        self.put_artefact(step, (board, id), record_before.as_ref(), record);
    }

    /// A widening counts. Whether its author is in the audience shows when the opening is known.
    pub(super) fn apply_widening(
        &mut self,
        step: &mut Step<'_>,
        (board, feed): (BoardId, FeedId),
        (header, widening): (&Header, Widening),
    ) {
        let Some(org) = self.feed(&board, &feed).map(|feed| feed.descriptor.org) else { return };
        let Some(id) = header.artefact else { return };
        let mut record = self.artefact(step, &board, &id);
        let record_before = record.clone();
        // Before the opening has come its author stands for the opener, and is replaced by it.
        if record.get_or_insert(ArtefactRecord::new(org)).widen(org, widening.orgs) {
            self.put_artefact(step, (board, id), record_before.as_ref(), record);
        }
    }

    /// What is known of an artefact, through the writes under way.
    pub(super) fn artefact(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        id: &ArtefactId,
    ) -> Option<ArtefactRecord> {
        let bytes = self.pending.get(step.reader, Table::Artefacts, &artefact_key(board, id))?;
        ArtefactRecord::from_bytes(&bytes).ok()
    }

    fn put_artefact(
        &mut self,
        step: &mut Step<'_>,
        (board, id): (BoardId, ArtefactId),
        before: Option<&ArtefactRecord>,
        record: Option<ArtefactRecord>,
    ) {
        let Some(record) = record.filter(|record| before != Some(record)) else { return };
        self.pending.put(Table::Artefacts, artefact_key(&board, &id), record.to_bytes());
        self.pending.consequences().artefacts.insert((board, id));
        let me = self.me.org;
        let was_due = before.and_then(|before| before.includes(&me)).unwrap_or(true);
        let is_due = record.includes(&me).unwrap_or(true);
        if was_due != is_due {
            self.change_what_is_due(step, (board, id), is_due);
        }
    }

    /// The audience has changed for us: payloads of the artefact are due from now on, or are not.
    fn change_what_is_due(
        &mut self,
        step: &mut Step<'_>,
        (board, artefact): (BoardId, ArtefactId),
        is_due: bool,
    ) {
        for (id, no, seq) in self.places(step, &artefact) {
            let Some(feed) = self.feed(&board, &id) else { continue };
            let header = self.header_at(step, feed, no, seq);
            let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
            let Some(header) = header.filter(|header| header.kind.is_withheld()) else { continue };
            let place = place_key(&id, no, seq);
            let is_here = self.pending.get(step.reader, Table::Payloads, &place).is_some();
            if is_here {
                continue;
            }
            match is_due {
                true => self.pending.put(Table::Missing, place, Vec::new()),
                false => self.pending.remove(Table::Missing, place),
            }
            let Some(feed) = self.feed_mut(&board, &id) else { continue };
            let is_first_chain = feed.fork.is_none() && no == 0;
            feed.ack_due |= is_first_chain && !is_due && header.kind.calls_for_ack();
            let is_ack_due = feed.ack_due;
            if let Some(branch) = feed.branch_mut(no) {
                match is_due {
                    true => branch.missing.insert(seq),
                    false => branch.missing.remove(&seq),
                };
            }
            if let Some(board) = self.boards.get_mut(&board).filter(|_| is_ack_due) {
                board.acks.due.get_or_insert(step.uptime);
            }
        }
    }

    /// Where the entries about an artefact stand.
    fn places(&self, step: &Step<'_>, id: &ArtefactId) -> Vec<(FeedId, BranchNo, u64)> {
        let prefix = id.as_bytes();
        let end = after_prefix(prefix).unwrap_or_default();
        let rows = self.pending.scan(step.reader, Table::Placed, (prefix, &end), PLACES_MAX);
        rows.iter().filter_map(|(key, _)| super::tables::read_placed_key(key)).collect()
    }

    /// Whether an entry's payload is due to us: to everybody, unless its kind is withheld and the
    /// audience of its artefact is known and leaves us out.
    pub(super) fn is_due(&self, step: &Step<'_>, board: &BoardId, header: &Header) -> bool {
        let record = |id: &ArtefactId| self.artefact(step, board, id);
        is_due_to(&self.me.org, header, record).unwrap_or(true)
    }

    /// Whether an entry's payload may be given to an organisation's node: by what is durable, since
    /// a widening that a crash takes back would not call back what was given.
    pub(super) fn may_give(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        org: &OrgId,
        header: &Header,
    ) -> bool {
        let record = |id: &ArtefactId| ArtefactRecord::read(step.reader, board, id);
        is_due_to(org, header, record).unwrap_or(false)
    }
}

/// Whether an organisation receives an entry's payload, by what is known of its artefact.
fn is_due_to(
    org: &OrgId,
    header: &Header,
    record: impl Fn(&ArtefactId) -> Option<ArtefactRecord>,
) -> Option<bool> {
    match header.artefact {
        Some(id) if header.kind.is_withheld() => {
            record(&id).and_then(|record| record.includes(org))
        }
        Some(_) | None => Some(true),
    }
}
