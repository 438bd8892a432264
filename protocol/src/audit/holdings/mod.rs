//! What a bundle holds about artefacts, for whoever wants to see them again as they were.
//!
//! ```text
//! second reading ──runs, payloads──▶ Gathering ──▶ Holdings ──dossier──▶ `replay`
//!                                        counting.rs   which acknowledgements count, what they settle
//!                                        standing.rs   which entries stand
//!                                        dossier.rs    all of it about one artefact
//!                                        listing.rs    every entry, and by when others had it
//!                                        checkpoints.rs  proofs of entries by checkpoints
//! ```
//!
//! The same rules as the engine's (`SPEC.md` 6.7, 8.2, 9.3), worked out anew: a node keeps account as
//! entries come, this looks at all of them at once. So each can be held against the other.
//!
//! Invariants: only what the second reading verified is gathered, and only a payload that fits its
//! entry. Memory grows with the entries, and with the payloads of those about artefacts.

mod checkpoints;
mod counting;
mod dossier;
mod listing;
mod standing;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

pub use checkpoints::{Logged, Unlogged};
pub use listing::{HeldEntry, HeldFeed, Knew};

use super::{board::Boards, bundle::LoosePayload};
use crate::{
    charter::Charter,
    feed::{Ack, Extent, Header, Kind, Sealed, VerifiedRun},
    hash::{ArtefactId, BoardId, EntryId, FeedId, OrgId},
    identity::PublicKey,
};

/// Of which kinds payloads are gathered although they are about no artefact.
const READ: [Kind; 3] = [Kind::ACK, Kind::CHECKPOINT, Kind::COSIGN];

/// What is gathered while a bundle is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathering {
    feeds: BTreeMap<FeedId, Vec<History>>,
}

/// One history of a feed: the first, or a branch from where it leaves the first.
#[derive(Debug, Clone, Default)]
struct History {
    /// The place of its first entry here.
    start: u64,
    /// Its entries from there on.
    lines: Vec<Line>,
}

/// One entry.
#[derive(Debug, Clone)]
struct Line {
    id: EntryId,
    header: Header,
    /// Whether its payload is in the bundle.
    is_here: bool,
    /// The payload, of an entry that names an artefact or is of one of these kinds.
    sealed: Option<Sealed>,
}

impl Line {
    fn of(id: EntryId, header: Header, sealed: Option<&Sealed>) -> Self {
        let mut line = Self { id, header, is_here: false, sealed: None };
        sealed.into_iter().for_each(|sealed| line.take(sealed));
        line
    }

    fn take(&mut self, sealed: &Sealed) {
        let is_read = self.header.artefact.is_some() || READ.contains(&self.header.kind);
        self.is_here = true;
        self.sealed = is_read.then(|| sealed.clone());
    }
}

impl Gathering {
    /// A run goes on with a history, which is numbered as the second reading numbers it.
    pub(super) fn take_run(&mut self, (feed, no): (FeedId, usize), run: &VerifiedRun) {
        let histories = self.feeds.entry(feed).or_default();
        while histories.len() <= no {
            let start = run.entries().first().map_or(0, |first| first.header.seq);
            histories.push(History { start, ..History::default() });
        }
        let Some(history) = histories.get_mut(no) else { return };
        for entry in run.entries() {
            let header = entry.header.clone();
            history.lines.push(Line::of(entry.id, header, entry.sealed.as_ref()));
        }
    }

    /// A payload that did not travel with its run; it follows the run.
    pub(super) fn take_payload(&mut self, loose: &LoosePayload) {
        for history in self.feeds.get_mut(&loose.feed).into_iter().flatten() {
            let last = history.lines.iter_mut().rev();
            let mut last = last.take_while(|line| line.header.seq >= loose.seq);
            if let Some(line) = last.find(|line| line.id == loose.id)
                && loose.sealed.fits(&line.header)
            {
                line.take(&loose.sealed);
            }
        }
    }
}

/// Everything that a bundle holds about artefacts.
#[derive(Debug, Clone)]
pub struct Holdings {
    charters: BTreeMap<BoardId, Charter>,
    feeds: BTreeMap<FeedId, Chains>,
    /// Every acknowledgement of others' feeds, in the order of feeds and places.
    said: Vec<Said>,
    /// Where the entries about each artefact stand: feed, history, line.
    places: BTreeMap<ArtefactId, Vec<(FeedId, usize, usize)>>,
}

/// A feed and what acknowledgements of it come to, history by history.
#[derive(Debug, Clone)]
struct Chains {
    board: BoardId,
    org: OrgId,
    epoch: u64,
    key: PublicKey,
    extent: Extent,
    /// The lowest index at which it is known to be forked.
    fork: Option<u64>,
    histories: Vec<History>,
    counts: Vec<Count>,
}

/// What acknowledgements of one history come to: numbers of entries, from the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Count {
    /// That somebody else acknowledged.
    acknowledged: u64,
    /// In which acknowledgements count.
    heard: u64,
    /// That each organisation holds with their payloads, as it says of this history.
    complete: BTreeMap<OrgId, u64>,
    /// That are settled.
    settled: u64,
}

/// One acknowledgement, in whose feed it stands and where.
#[derive(Debug, Clone)]
struct Said {
    feed: FeedId,
    history: usize,
    place: u64,
    ack: Ack,
}

impl Holdings {
    pub(super) fn new(boards: &Boards, gathering: Gathering) -> Self {
        let extents = boards.extents();
        let chains = gathering.feeds.into_iter().filter_map(|(id, histories)| {
            let feed = boards.feeds.get(&id)?;
            let counts = histories.iter().map(|_| Count::default()).collect();
            let chains = Chains {
                board: feed.descriptor.board,
                org: feed.descriptor.org,
                epoch: feed.descriptor.epoch,
                key: feed.descriptor.key,
                extent: extents.get(&id).copied().unwrap_or(Extent::Open),
                fork: feed.fork,
                histories,
                counts,
            };
            Some((id, chains))
        });
        let charters = boards.foundings.iter();
        let mut holdings = Self {
            charters: charters.map(|(id, one)| (*id, one.charter().clone())).collect(),
            feeds: chains.collect(),
            said: Vec::new(),
            places: BTreeMap::new(),
        };
        holdings.said = holdings.all_said();
        holdings.places = holdings.all_places();
        holdings.count();
        holdings
    }

    /// The charter of a board.
    #[must_use]
    pub fn charter(&self, board: &BoardId) -> Option<&Charter> {
        self.charters.get(board)
    }

    /// Every artefact of which there are entries, by id.
    pub fn artefacts(&self) -> impl Iterator<Item = ArtefactId> {
        self.places.keys().copied()
    }

    fn all_places(&self) -> BTreeMap<ArtefactId, Vec<(FeedId, usize, usize)>> {
        let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (id, chains) in &self.feeds {
            for (no, history) in chains.histories.iter().enumerate() {
                for (at, line) in history.lines.iter().enumerate() {
                    if let Some(artefact) = line.header.artefact {
                        places.entry(artefact).or_default().push((*id, no, at));
                    }
                }
            }
        }
        places
    }

    fn line(&self, (feed, no, at): (FeedId, usize, usize)) -> Option<&Line> {
        self.feeds.get(&feed)?.histories.get(no)?.lines.get(at)
    }

    /// Who votes on a board beside an organisation.
    fn voting_others(&self, board: &BoardId, org: &OrgId) -> BTreeSet<OrgId> {
        let seats = self.charters.get(board).into_iter().flat_map(Charter::seats);
        seats.map(|member| member.org).filter(|other| other != org).collect()
    }
}

impl Chains {
    fn start(&self, no: usize) -> u64 {
        self.histories.get(no).map_or(0, |history| history.start)
    }

    /// How many entries a history has, with those that it shares with the first.
    fn size(&self, no: usize) -> u64 {
        let own = self.histories.get(no).map_or(0, |history| history.lines.len() as u64);
        self.start(no).saturating_add(own)
    }

    fn id_at(&self, no: usize, seq: u64) -> Option<EntryId> {
        let history = self.histories.get(if seq < self.start(no) { 0 } else { no })?;
        let at = usize::try_from(seq.checked_sub(history.start)?).ok()?;
        history.lines.get(at).map(|line| line.id)
    }

    /// Whether an entry that is gathered with one history is one of another's too.
    fn has(&self, no: usize, (gathered_with, seq): (usize, u64)) -> bool {
        no == gathered_with || gathered_with == 0 && seq < self.start(no)
    }

    /// How many entries, from the first, two histories have in common.
    fn shared(&self, one: usize, other: usize) -> u64 {
        let least = self.size(one).min(self.size(other));
        if one == other {
            return least;
        }
        let from = self.start(one).min(self.start(other));
        let alike = |seq: &u64| self.id_at(one, *seq) == self.id_at(other, *seq);
        (from..least).find(|seq| !alike(seq)).unwrap_or(least)
    }
}
