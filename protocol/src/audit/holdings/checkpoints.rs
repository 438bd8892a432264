//! Which checkpoint covers an entry, who cosigned it, and the proof that any C2SP tool checks.
//!
//! ```text
//! author's feed   ──●──●──E──●──C──●         C: checkpoint entries of the same feed, kind 15
//! others' feeds   ──●──W──●                  W: cosign entries, kind 16
//!                    └─▶ E under C, with the cosignatures of W that verify
//! ```
//!
//! Of several checkpoints that cover the entry the first counts that enough others cosigned; if there
//! is none, the first that most of them did. One whose root is not that of the feed is passed over:
//! it proves nothing of this history. Of a note only the feed's own signature is taken: whatever else
//! its author wrote into it could make the whole note void for others.
//!
//! Invariant: what is given verifies, for the feed and its key, under the policy beside it.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Chains, Holdings, Line};
use crate::{
    charter::{Charter, Member},
    checkpoint::{
        Checkpoint, Cosigned, CosignedList, Cosigner, Origin, Policy, SignedCheckpoint, TlogProof,
    },
    codec::Fixed,
    feed::{Frontier, Kind, inclusion_path, leaf_hash},
    hash::{EntryId, FeedId, OrgId},
    identity::PublicKey,
};

/// An entry under a checkpoint of its feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The proof.
    pub proof: TlogProof,
    /// Its checkpoint, with the cosignatures of other members.
    pub checkpoint: SignedCheckpoint,
    /// Whose cosignatures it takes.
    pub policy: Policy,
    /// The feed's name in checkpoints.
    pub origin: Origin,
    /// The feed's key.
    pub key: PublicKey,
}

/// Why there is no such proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unlogged {
    /// The entry is not here.
    #[error("the entry is not in the bundle")]
    Unknown,
    /// It stands on a branch, and checkpoints are read of first histories alone.
    #[error("its author signed two histories, and it stands in the second of them here")]
    OnBranch,
    /// No checkpoint covers it.
    #[error("its author signed no checkpoint that covers it, as far as the bundle goes")]
    NoCheckpoint,
}

impl Holdings {
    /// The policy of a feed; `None` if its charter is not here.
    #[must_use]
    pub fn policy(&self, feed: &FeedId) -> Option<Policy> {
        let chains = self.feeds.get(feed)?;
        let charter = self.charters.get(&chains.board)?;
        Some(Policy::of(charter, chains.origin(), chains.key))
    }

    /// The feed in which an entry stands; `None` if it is not here.
    #[must_use]
    pub fn feed_of(&self, entry: &EntryId) -> Option<FeedId> {
        self.find(entry).map(|(_, _, line)| line.header.feed)
    }

    /// The proof that an entry is in its feed, by the best checkpoint that covers it.
    ///
    /// # Errors
    /// [`Unlogged`], exactly.
    pub fn logged(&self, entry: &EntryId) -> Result<Logged, Unlogged> {
        let (chains, no, line) = self.find(entry).ok_or(Unlogged::Unknown)?;
        let charter = self.charters.get(&chains.board).ok_or(Unlogged::Unknown)?;
        let trunk = chains.histories.first().filter(|_| no == 0).ok_or(Unlogged::OnBranch)?;
        let (origin, key) = (chains.origin(), chains.key);
        let policy = Policy::of(charter, origin, key);
        let witnesses = witnesses(charter, &chains.org);
        let headers = trunk.lines.iter().map(|line| line.header.to_bytes());
        let leaves: Vec<_> = headers.map(|header| leaf_hash(&header)).collect();
        let seq = line.header.seq;
        let covering = chains.checkpoints().filter(|one| one.checkpoint().size > seq);
        let sound = sound(covering.collect(), &leaves);
        let given = self.given(&origin);
        let cosigned = sound.iter().map(|one| cosigned(one, &witnesses, &given));
        let checkpoint = best(cosigned, &policy).ok_or(Unlogged::NoCheckpoint)?;
        let size = usize::try_from(checkpoint.checkpoint().size).unwrap_or(usize::MAX);
        let covered = leaves.get(..size).unwrap_or_default();
        let index = usize::try_from(seq).unwrap_or(usize::MAX);
        let path = inclusion_path(covered, index).ok_or(Unlogged::NoCheckpoint)?;
        let proof = TlogProof::of(&line.header.to_bytes(), (seq, path), &checkpoint);
        Ok(Logged { proof, checkpoint, policy, origin, key })
    }

    fn find(&self, entry: &EntryId) -> Option<(&Chains, usize, &Line)> {
        let mut all = self.feeds.values().flat_map(|chains| {
            let histories = chains.histories.iter().enumerate();
            histories.flat_map(move |(no, history)| {
                history.lines.iter().map(move |line| (chains, no, line))
            })
        });
        all.find(|(_, _, line)| line.id == *entry)
    }

    /// The cosignatures of checkpoints of a feed, by whoever gave them; none verified.
    fn given(&self, origin: &Origin) -> BTreeMap<OrgId, Vec<Cosigned>> {
        let mut given: BTreeMap<OrgId, Vec<Cosigned>> = BTreeMap::new();
        for chains in self.feeds.values().filter(|one| one.board == origin.board) {
            let lists = chains.of_kind(Kind::COSIGN);
            let lists = lists.filter_map(|bytes| CosignedList::from_bytes(bytes).ok());
            let of_feed = lists.flat_map(|list| list.given);
            let of_feed = of_feed.filter(|one| one.checkpoint.origin == *origin);
            given.entry(chains.org).or_default().extend(of_feed);
        }
        given
    }
}

/// A checkpoint with a cosignature of each witness that gave one that verifies, while there is room.
fn cosigned(
    of: &SignedCheckpoint,
    witnesses: &[Cosigner],
    given: &BTreeMap<OrgId, Vec<Cosigned>>,
) -> SignedCheckpoint {
    let mut signed = of.clone();
    for witness in witnesses {
        let given = given.get(&witness.org).into_iter().flatten();
        let given = given.filter(|one| one.checkpoint == *of.checkpoint());
        // Err: it is forged, or one more line would be too long for a note.
        let mut with_one_more = given.filter_map(|one| signed.with(witness, one).ok());
        if let Some(with_one_more) = with_one_more.next() {
            signed = with_one_more;
        }
    }
    signed
}

/// Of checkpoints in ascending order the first that enough cosigned, else the first that most did.
fn best(
    checkpoints: impl Iterator<Item = SignedCheckpoint>,
    policy: &Policy,
) -> Option<SignedCheckpoint> {
    let mut best: Option<SignedCheckpoint> = None;
    for one in checkpoints {
        if policy.is_met_by(&one) {
            return Some(one);
        }
        if best.as_ref().is_none_or(|best| policy.counts(best) < policy.counts(&one)) {
            best = Some(one);
        }
    }
    best
}

impl Chains {
    fn origin(&self) -> Origin {
        Origin { board: self.board, org: self.org, epoch: self.epoch }
    }

    /// The payloads of a kind, history by history.
    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &[u8]> {
        let lines = self.histories.iter().flat_map(|history| &history.lines);
        let of_kind = lines.filter(move |line| line.header.kind == kind);
        of_kind.filter_map(|line| Some(line.sealed.as_ref()?.payload.bytes()))
    }

    /// The checkpoints that the feed signed.
    fn checkpoints(&self) -> impl Iterator<Item = SignedCheckpoint> {
        let origin = self.origin();
        self.of_kind(Kind::CHECKPOINT).filter_map(move |bytes| {
            let signed = SignedCheckpoint::from_bytes(bytes, (&origin, &self.key), &[]).ok()?;
            Some(signed.alone(&self.key))
        })
    }
}

/// All other members: those with a vote first, for a note holds only so many lines.
fn witnesses(charter: &Charter, author: &OrgId) -> Vec<Cosigner> {
    let others = charter.members.iter().filter(|member| member.org != *author);
    let (seats, observers): (Vec<_>, Vec<_>) = others.partition(|one| one.status.has_seat());
    let witness = |one: &Member| Cosigner { org: one.org, key: one.witness_key };
    seats.into_iter().chain(observers).map(witness).collect()
}

/// The checkpoints whose root is that of the tree at their size.
fn sound(mut checkpoints: Vec<SignedCheckpoint>, leaves: &[Fixed<32>]) -> Vec<SignedCheckpoint> {
    checkpoints.sort_by_key(|one| one.checkpoint().size);
    let mut tree = Frontier::default();
    let mut leaves = leaves.iter();
    checkpoints.retain(|one| {
        let Checkpoint { size, root, .. } = *one.checkpoint();
        while tree.size() < size {
            match leaves.next() {
                Some(leaf) => tree.append(*leaf),
                None => return false,
            }
        }
        tree.root() == root
    });
    checkpoints
}
