//! What must hold in every run, each in a file of its own.
//!
//! ```text
//! append_only   what an honest organisation announced, and what was flushed, never changes
//! authorship    what is stored in an honest organisation's feed was signed by that organisation
//! durability    what an honest node tells others is on its disk already
//! settlement    what is settled stays settled
//! effects       equal knowledge, equal effects
//! ends          what is written beyond an end counts as far as another organisation acknowledged it
//! witnesses     what a node cosigns is so, and never goes back
//! forks         a fork of which both branches reached honest nodes is known to all of them
//! artefacts     what replays and documents come to, in files of their own
//! liveness      once faults end, honest nodes agree within a bounded time
//! ```
//!
//! The first four and `witnesses` look at every step or second, `effects` every second, the others after healing.
//!
//! *Invariants.* Checkers see disks, frames and views, never the inside of an engine. Each is
//! proven able to fail by a node broken on purpose (`tests/checkers_can_fail.rs`).
//!
//! *Source*: ours.

mod append_only;
pub mod artefacts;
mod authorship;
mod durability;
pub mod effects;
pub(super) mod ends;
mod forks;
mod liveness;
mod settlement;
mod witnesses;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use concordat_protocol::{
    engine::{BoardView, Effect, Op},
    feed::SignedHead,
    hash::{BoardId, FeedId, NodeKey},
    identity::SignedCard,
    sync::Message,
};

use super::{disk::Disk, network::NodeIx};

/// Which checker found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checker {
    /// `append_only.rs`
    AppendOnly,
    /// `authorship.rs`
    Authorship,
    /// `durability.rs`
    Durability,
    /// `effects.rs`
    Effects,
    /// `ends.rs`
    Ends,
    /// `settlement.rs`
    Settlement,
    /// `witnesses.rs`
    Witnesses,
    /// `forks.rs`
    Forks,
    /// `liveness.rs`
    Liveness,
    /// An honest node sent an honest node away (`shell.rs`).
    Courtesy,
    /// `artefacts/equal.rs`
    Artefacts,
    /// `artefacts/permitted.rs`
    Permitted,
    /// `artefacts/votes.rs`
    Votes,
    /// `artefacts/audience.rs`
    Audience,
    /// `artefacts/documents.rs`
    Documents,
    /// The engine panicked, or did not open.
    Crash,
}

impl fmt::Display for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AppendOnly => "append_only",
            Self::Authorship => "authorship",
            Self::Durability => "durability",
            Self::Effects => "effects",
            Self::Ends => "ends",
            Self::Settlement => "settlement",
            Self::Witnesses => "witnesses",
            Self::Forks => "forks",
            Self::Liveness => "liveness",
            Self::Courtesy => "courtesy",
            Self::Artefacts => "artefacts",
            Self::Permitted => "permitted",
            Self::Votes => "votes",
            Self::Audience => "audience",
            Self::Documents => "documents",
            Self::Crash => "crash",
        })
    }
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Who found it.
    pub checker: Checker,
    /// What it is, with the numbers.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.checker, self.sentence)
    }
}

/// What a checker says.
pub type Verdict = Result<(), Violation>;

/// An organisation, as far as checkers need to know it.
#[derive(Debug, Clone)]
pub struct OrgFacts {
    /// The feed on the board that its key signs.
    pub feed: FeedId,
    /// Its newest card.
    pub card: SignedCard,
    /// Whether it keeps to the protocol.
    pub is_honest: bool,
    /// Whether it is counted.
    pub has_seat: bool,
    /// Whether it may write.
    pub is_active: bool,
}

/// What is true of a run from its start.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The board.
    pub board: BoardId,
    /// The organisations, in order.
    pub orgs: Vec<OrgFacts>,
    /// Which organisation a feed is of.
    pub feeds: BTreeMap<FeedId, usize>,
    /// Feeds whose key somebody has who is not of the organisation.
    pub stolen: BTreeSet<FeedId>,
}

impl Facts {
    /// Whether a feed is of an honest organisation, and its key in no other hands.
    #[must_use]
    pub fn is_honest(&self, feed: &FeedId) -> bool {
        let org = self.feeds.get(feed).and_then(|org| self.orgs.get(*org));
        org.is_some_and(|org| org.is_honest) && !self.stolen.contains(feed)
    }

    /// Whether a feed is that organisation's, and nobody else signs it.
    #[must_use]
    pub fn is_of(&self, feed: &FeedId, org: usize) -> bool {
        self.feeds.get(feed) == Some(&org) && !self.stolen.contains(feed)
    }

    /// Seats other than that of an organisation: all, and those of honest active ones.
    #[must_use]
    pub fn others(&self, org: usize) -> (usize, Vec<usize>) {
        let others = (0..self.orgs.len()).filter(|other| *other != org);
        let seats: Vec<usize> = others.filter(|other| self.orgs[*other].has_seat).collect();
        let honest = seats.iter().copied();
        let honest =
            honest.filter(|other| self.orgs[*other].is_honest && self.orgs[*other].is_active);
        (seats.len(), honest.collect())
    }
}

/// An honest node, as checkers see it. An honest organisation's place is its node's place.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The node.
    pub node: NodeIx,
    /// Its disk.
    pub disk: &'a Disk,
    /// Its view of each board.
    pub views: &'a [BoardView],
}

/// All checkers of one run.
#[derive(Debug)]
pub struct Checkers {
    facts: Facts,
    append_only: append_only::AppendOnly,
    authorship: authorship::Authorship,
    durability: durability::Durability,
    settlement: settlement::Settlement,
    witnesses: witnesses::Witnesses,
    forks: forks::Forks,
    /// Those of artefacts.
    pub artefacts: artefacts::Artefacts,
}

impl Checkers {
    /// Checkers for a run.
    #[must_use]
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            append_only: append_only::AppendOnly::default(),
            authorship: authorship::Authorship::default(),
            durability: durability::Durability::default(),
            settlement: settlement::Settlement::default(),
            witnesses: witnesses::Witnesses::default(),
            forks: forks::Forks::default(),
            artefacts: artefacts::Artefacts::default(),
        }
    }

    /// What is true of the run.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// An organisation has one more feed: its own node signs it from now on, or a thief does.
    pub fn opened(&mut self, org: usize, feed: FeedId, is_stolen: bool) {
        self.facts.feeds.insert(feed, org);
        if is_stolen {
            self.facts.stolen.insert(feed);
        } else if let Some(org) = self.facts.orgs.get_mut(org) {
            org.feed = feed;
        }
    }

    /// An organisation has a newer card.
    pub fn renewed(&mut self, org: usize, card: SignedCard) {
        if let Some(org) = self.facts.orgs.get_mut(org) {
            org.card = card;
        }
    }

    /// Somebody has the key of a feed who is not of the organisation.
    pub fn stolen(&mut self, feed: FeedId) {
        self.facts.stolen.insert(feed);
    }

    /// An honest node's engine handled an input: these heads it signed, these effects it gave.
    pub fn handled(&mut self, node: NodeIx, signed: &[SignedHead], effects: &[Effect]) {
        self.authorship.handled(&self.facts, node, signed, effects);
    }

    /// An honest node is about to flush a batch.
    ///
    /// # Errors
    /// What must not be.
    pub fn flushing(&mut self, node: NodeIx, ops: &[Op]) -> Verdict {
        self.append_only.flushing(&self.facts, node, ops)?;
        self.authorship.flushing(&self.facts, node, ops)?;
        self.durability.flushing(node, ops);
        self.forks.flushing(node, ops);
        Ok(())
    }

    /// An honest node received a message.
    pub fn received(&mut self, node: NodeIx, peer: &NodeKey, message: &Message) {
        self.durability.received(node, peer, message);
        self.artefacts.received(node, peer, message);
    }

    /// An honest node sends a message.
    ///
    /// # Errors
    /// What must not be.
    pub fn sending(&mut self, seen: Seen<'_>, peer: &NodeKey, message: &Message) -> Verdict {
        self.durability.sending(&self.facts, seen, peer, message)?;
        let excused_from = |feed: &FeedId| self.append_only.excused_from(feed);
        self.witnesses.sending(&self.facts, seen, message, excused_from)?;
        self.append_only.sending(&self.facts, seen.node, message)
    }

    /// How many cosignatures honest nodes gave.
    #[must_use]
    pub const fn cosignatures(&self) -> u64 {
        self.witnesses.given()
    }

    /// A second has passed at an honest node.
    ///
    /// # Errors
    /// What must not be.
    pub fn second(&mut self, seen: Seen<'_>) -> Verdict {
        self.settlement.second(seen)
    }

    /// Every honest node that runs, together.
    ///
    /// # Errors
    /// What must not be.
    pub fn together(&self, nodes: &[Seen<'_>]) -> Verdict {
        effects::check(&self.facts, nodes)
    }

    /// Reads an honest node's disk from end to end.
    ///
    /// # Errors
    /// What must not be.
    pub fn audit(&self, node: NodeIx, disk: &Disk) -> Verdict {
        self.append_only.audit(node, disk)
    }

    /// An honest node starts again over its disk, after a crash.
    pub fn restarted(&mut self, node: NodeIx) {
        self.settlement.restarted(node);
    }

    /// A node's word about settlement is forgotten, though nothing else is.
    pub fn forget_settlement(&mut self, node: NodeIx) {
        self.settlement.forget(node);
    }

    /// An honest node is about to start over a backup that was just put back; `disks` are those of
    /// all honest nodes.
    pub fn restored(&mut self, node: NodeIx, disks: &BTreeMap<NodeIx, &Disk>) {
        self.settlement.forget(node);
        self.artefacts.restored(node);
        self.append_only.restored(&self.facts, node, disks);
        self.forks.restored(node, disks);
    }

    /// Whether honest nodes agree by now; what is still open if they do not.
    #[must_use]
    pub fn open_matter(&self, nodes: &[Seen<'_>]) -> Option<String> {
        let lost = |feed: &FeedId| {
            let missing = nodes.iter().flat_map(|seen| seen.disk.missing(feed));
            let missing = missing.collect::<BTreeSet<_>>();
            let is_held =
                |seq, id| nodes.iter().any(|seen| seen.disk.holds_payload(feed, seq, &id));
            self.append_only.is_excused(feed)
                && !missing.is_empty()
                && missing.into_iter().all(|(seq, id)| !is_held(seq, id))
        };
        let is_excused = |feed: &FeedId| self.append_only.is_excused(feed);
        liveness::open_matter(&self.facts, lost, is_excused, nodes)
    }

    /// Long after healing: whether all know what each could know of forks, and count
    /// what counts.
    ///
    /// # Errors
    /// What must not be.
    pub fn after_healing(&self, nodes: &[Seen<'_>]) -> Verdict {
        self.forks.after_healing(nodes)?;
        let mut settled = nodes.iter().filter(|seen| seen.disk.is_settled());
        settled.try_for_each(|seen| ends::after_healing(&self.facts, *seen))
    }
}
