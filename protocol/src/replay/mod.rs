//! Stage 6 of 8: apply. From `engine::dossier`; to `artefact::read`.
//!
//! What an artefact is, from its entries alone.
//!
//! ```text
//! dossier ─▶ order.rs      what lies in the past of each entry
//!            inside.rs     who is in the audience, as a past has it
//!            effect.rs     which entries count, and why others do not
//!            changes.rs    the verdict on each change ──▶ changes for Automerge, the rest with its cause
//!            carried.rs    which entries carry which changes, and how much each feed has said
//!            polls.rs      proposals, sign-offs, closings ──▶ results
//!            timing.rs     which sign-offs are in time
//!            lifecycle     events and results ──▶ state, rows, capacity
//!         ─▶ Replay ── with a reading of the document ──▶ conflicts.rs      C1 to C10
//! proven.rs  how something was decided, for somebody who was not there
//! bonds/     the same for kinds that nobody votes on: what each side bound itself to
//! wording.rs what is put to a decision        refs.rs   what the next entry relies on
//! cut.rs     the same of fewer entries: as of an entry or a time, as known to an organisation
//! ```
//!
//! An effect is a function of the entry's bytes, its causal past, the settlement that it has reached
//! and the charter: never of the order of arrival, of clocks, or of documents. So equal dossiers
//! give equal replays, and every node comes to the same. Nothing here is stored; a replay is
//! a view, made when somebody looks.
//!
//! *Invariants.* No change reaches Automerge without a good verdict in an entry that counts. Each
//! entry is either applied or shown with the reason why not.
//!
//! Absent: no store, no engine, no Automerge. Reads a dossier, which whoever holds entries makes.

mod bonds;
mod carried;
mod changes;
mod conflicts;
mod cut;
mod effect;
mod inside;
mod order;
mod polls;
mod proven;
mod refs;
#[cfg(test)]
mod tests;
mod timing;
mod wording;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use crate::{
    artefact::{
        document::{Skeleton, feed_of},
        events::{self, Statement},
        kind::Kind as Of,
        lifecycle::{self, Author, Body, Case, Decided, Fact, Frontier, Lifecycle},
    },
    charter::Charter,
    decision::{Poll, Ruling, Written},
    feed::{Kind, Sealed},
    hash::{ArtefactId, BoardId, CharterHash, EntryId, FeedId, OrgId},
    payload::{Audience, Event, Proposal, Remark},
    time::TimeMs,
    verdict::{Actor, ActorPrefix, ChangeHash},
};

pub use bonds::{Act, Bonds, BoundClaim, BoundLine, Share};
pub use changes::{ChangeState, Refusal, Status};
pub use conflicts::{Code, Conflict, Settles, Side, conflicts};
pub use cut::Cut;
pub use effect::{Lack, Standing};
pub use wording::{NotDecidable, wording};

/// Everything that a reader holds about one artefact.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The board.
    pub board: BoardId,
    /// The artefact.
    pub artefact: ArtefactId,
    /// Who opened it.
    pub opener: OrgId,
    /// Its kind, by name.
    pub kind: String,
    /// The version of its schema.
    pub schema_version: u64,
    /// Every entry about it, in any order.
    pub entries: Vec<Entry>,
    /// Every feed of the board: whose, and how many entries of it the reader holds; of a forked one,
    /// how many of them everybody comes to hold.
    pub feeds: BTreeMap<FeedId, (OrgId, u64)>,
    /// What members acknowledged, in the order of their feeds, history by history: all that counts
    /// for settlement too. None unless something was put to a decision.
    pub acknowledged: Vec<Acknowledged>,
}

impl Dossier {
    /// The entries that everybody comes to hold: no result rests on others.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|one| one.is_kept)
    }
}

/// One entry about the artefact.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it stands, when its author says it was written, and whether it is settled.
    pub by: Written,
    /// The feed.
    pub feed: FeedId,
    /// Its kind.
    pub kind: Kind,
    /// The entries that it relies on.
    pub refs: Vec<EntryId>,
    /// Its payload.
    pub content: Content,
    /// Whether everybody comes to hold it: it is below every fork of its feed, or somebody else
    /// acknowledged it.
    pub is_kept: bool,
    /// The last entry about the artefact before it in its history, if there is one.
    pub after: Option<EntryId>,
    /// In which histories of its feed it stands: one, if the feed is not forked above it.
    pub histories: Vec<History>,
}

/// One history of a feed, by a number that says nothing elsewhere; a feed that is not forked has only
/// number 0.
pub type History = u16;

/// The payload of an entry, as far as the reader has it.
#[derive(Debug, Clone)]
pub enum Content {
    /// It is here.
    Here(Sealed),
    /// It is due and has not come.
    Due,
    /// It is not due to the reader's organisation.
    Withheld,
    /// Its feed says more about the artefact before it than has effect.
    Beyond,
}

/// One item of one acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Who says so.
    pub by: OrgId,
    /// In which feed.
    pub feed: FeedId,
    /// In which history of it; what two have in common is told for each.
    pub history: History,
    /// In which epoch, and at which place of that feed.
    pub place: (u64, u64),
    /// Of which feed.
    pub of: FeedId,
    /// On which history of that one the reader holds the entry named; none if it does not hold it.
    pub on: Option<History>,
    /// How many entries of it, from the first, with the payloads due.
    pub entries: u64,
    /// When the last of them was received, by the author's clock.
    pub received_at: TimeMs,
}

/// What does not change from one artefact to the next.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The charter in force.
    pub charter: &'a Charter,
    /// Its hash.
    pub charter_hash: CharterHash,
    /// Of the artefact's kind.
    pub skeleton: &'a Skeleton,
}

/// What an artefact is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Its kind.
    pub kind: &'static Of,
    /// Whether each entry counts.
    pub entries: BTreeMap<EntryId, Standing>,
    /// Every change, in an order that agrees with what each builds on.
    pub changes: Vec<ChangeState>,
    /// The proposals that may count, with what came of them.
    pub proposals: BTreeMap<EntryId, Proposed>,
    /// State, rows and capacity.
    pub lifecycle: Lifecycle,
    /// Comments and positions that fit their kind, each after those in its past.
    pub remarks: Vec<Said>,
    /// Events that say a conflict is settled.
    pub settlements: Vec<Said>,
    /// Who receives the content, by all that counts.
    pub audience: Audience,
    /// Whose feed an actor belongs to, by the half that names the feed.
    pub writers: BTreeMap<ActorPrefix, OrgId>,
    /// What lies in the past of each entry.
    pub(crate) pasts: BTreeMap<EntryId, Frontier>,
    /// Where each entry stands among those of its feed about this artefact.
    pub(crate) places: BTreeMap<EntryId, (FeedId, u64)>,
    /// Who wrote each entry, and when.
    pub(crate) written: BTreeMap<EntryId, Written>,
    /// Who says that conflicts are settled, as the charter has them.
    pub(crate) settlers: BTreeMap<EntryId, Author>,
}

/// A proposal and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Its entry.
    pub by: Written,
    /// What it says.
    pub says: Proposal,
    /// Its result.
    pub poll: Poll,
}

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its entry.
    pub by: Written,
    /// What it says.
    pub statement: Statement,
}

/// Works out what an artefact is.
#[must_use]
pub fn replay(ground: Ground<'_>, dossier: &Dossier) -> Replay {
    let order = order::Order::of(dossier);
    let effect = effect::Effects::of(ground, dossier, &order);
    let changes = changes::judge(ground.skeleton, dossier, &order, &effect);
    let proposals = polls::count(ground, dossier, &order, &effect);
    let results = proposals.iter().filter_map(|(id, one)| Some((*id, decided(&one.poll)?)));
    let results: BTreeMap<EntryId, Decided> = results.collect();
    let kind = ground.skeleton.kind();
    let facts = facts(ground, dossier, &order, &effect);
    let case = Case { kind, opener: dossier.opener, results: &results };
    let lifecycle = lifecycle::fold(case, &facts);
    let settlements = settlements(kind, &lifecycle, &effect);
    let settling: BTreeSet<EntryId> = settlements.iter().map(|one| one.by.entry).collect();
    let settlers = facts.iter().filter(|fact| settling.contains(&fact.entry));
    let settlers = settlers.map(|fact| (fact.entry, fact.author.clone()));
    let writers = dossier.feeds.iter().map(|(feed, (org, _))| (ActorPrefix::of(feed), *org));
    Replay {
        kind,
        settlers: settlers.collect(),
        settlements,
        lifecycle,
        remarks: remarks(kind, &order, &effect),
        audience: effect.audience(None),
        entries: effect.standings,
        changes,
        proposals,
        writers: writers.collect(),
        written: dossier.entries.iter().map(|one| (one.by.entry, one.by.clone())).collect(),
        pasts: order.pasts,
        places: order.places,
    }
}

impl Replay {
    /// The raw changes to hand to Automerge, dependencies first.
    pub fn applied(&self) -> impl Iterator<Item = &[u8]> {
        let applied = self.changes.iter().filter(|one| one.status == Status::Applied);
        applied.map(|one| one.raw.as_slice())
    }

    /// The applied changes that the wording of a proposal does not hold: proposed amendments.
    #[must_use]
    pub fn amendments(&self, proposal: &EntryId) -> Vec<&ChangeState> {
        let Some(frozen) = self.proposals.get(proposal) else { return Vec::new() };
        let by_hash: BTreeMap<_, _> = self.changes.iter().map(|one| (one.hash, one)).collect();
        let mut reached = BTreeSet::new();
        let heads = frozen.says.heads.iter().map(|head| ChangeHash(head.0));
        let mut next: Vec<ChangeHash> = heads.collect();
        while let Some(hash) = next.pop() {
            if let Some(change) = by_hash.get(&hash).filter(|_| reached.insert(hash)) {
                next.extend(change.dependencies.iter().copied());
            }
        }
        let is_later =
            |one: &&ChangeState| one.status == Status::Applied && !reached.contains(&one.hash);
        self.changes.iter().filter(is_later).collect()
    }

    /// Whose feed an actor belongs to, if it is one of the board's.
    #[must_use]
    pub fn org_of(&self, actor: &Actor) -> Option<OrgId> {
        self.writers.get(&feed_of(actor)).copied()
    }

    /// The entries that have a place, each after those in its past.
    #[must_use]
    pub fn in_order(&self) -> Vec<EntryId> {
        let mut placed: Vec<(u64, EntryId)> =
            self.pasts.iter().map(|(id, past)| (past.size(), *id)).collect();
        placed.sort_unstable();
        placed.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether one entry lies in the past of another.
    #[must_use]
    pub fn is_before(&self, one: &EntryId, other: &EntryId) -> bool {
        let past = self.pasts.get(other);
        let place = self.places.get(one);
        past.zip(place).is_some_and(|(past, (feed, seq))| past.contains(feed, *seq))
    }
}

/// The result of a proposal, once it is fixed.
const fn decided(poll: &Poll) -> Option<Decided> {
    match poll.ruling {
        Ruling::Carried => Some(Decided::Carried),
        Ruling::Failed | Ruling::Inquorate => Some(Decided::NotCarried),
        Ruling::Open | Ruling::Disputed | Ruling::WithoutEffect(_) => None,
    }
}

/// The events and proposals that count.
fn facts(
    ground: Ground<'_>,
    dossier: &Dossier,
    order: &order::Order,
    effect: &effect::Effects<'_>,
) -> Vec<Fact> {
    let fact = |entry: &Entry| {
        let payload = effect.counting(&entry.by.entry)?;
        let body = match entry.kind {
            Kind::EVENT => Body::Event(Event::from_bytes(payload).ok()?),
            Kind::PROPOSAL => Body::Proposal,
            _ => return None,
        };
        let past = order.pasts.get(&entry.by.entry)?.clone();
        let in_audience = effect.includes(&entry.by.org, Some(&past));
        let author = Author::of(ground.charter, entry.by.org, dossier.opener, in_audience)?;
        let (feed, seq) = *order.places.get(&entry.by.entry)?;
        Some(Fact {
            entry: entry.by.entry,
            feed,
            epoch: entry.by.epoch,
            seq,
            past,
            author,
            at: entry.by.at,
            settled: entry.by.settled,
            body,
        })
    };
    dossier.entries.iter().filter_map(fact).collect()
}

fn settlements(
    kind: &'static Of,
    lifecycle: &Lifecycle,
    effect: &effect::Effects<'_>,
) -> Vec<Said> {
    let settled = lifecycle.log.get("settle_conflict").into_iter().flatten();
    let said = settled.filter_map(|id| {
        let event = Event::from_bytes(effect.counting(id)?).ok()?;
        let statement = events::read(kind, &event).ok()?;
        Some(Said { by: effect.entry(id)?.by.clone(), statement })
    });
    said.collect()
}

fn remarks(kind: &'static Of, order: &order::Order, effect: &effect::Effects<'_>) -> Vec<Said> {
    let said = |entry: &&Entry| {
        let payload = effect.counting(&entry.by.entry).filter(|_| entry.kind == Kind::REMARK)?;
        let remark = Remark::from_bytes(payload).ok()?;
        let statement = events::read_remark(kind, &remark).ok()?;
        Some(Said { by: entry.by.clone(), statement })
    };
    order.sorted(effect.entries()).iter().filter_map(said).collect()
}
