//! A new feed key takes over from the old one, by the old key's word or by the recovery key's.
//!
//! ```text
//!   rotate    old key + new key         the old key is known and nobody else has it
//!   recover   recovery key + new key    the old key is lost, or somebody stole it
//!
//!   1  the store is locked and read: where does our feed end on each board?
//!   2  new key files, beside those in use     ┐ a crash up to here leaves the old keys in use,
//!   3  openings, in a file of their own       ┘ and files that nobody uses
//!   4  the card of the next epoch takes the place of the old one: the switch
//!   5  the new key signs the first entry of its feeds; the next start of the daemon does it
//!      if a crash comes between
//!   6  the old keys are removed, now or at a later start
//! ```
//!
//! *Invariants.* No partner sees anything of it before 4 is durable. What the new key signs first
//! passes the check that partners make. The old feed key stays until 5 is durable on every board.
//!
//! *Source*: ours; `protocol/SPEC.md`, sections "Node card" and "Openings and epochs".

mod error;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use concordat_protocol::{
    feed::{Descriptor, End, OpenFeed, WarrantRole},
    hash::BoardId,
    identity::{KeyPair, PublicKey, Signer, recovery_digest},
    limits::EPOCHS_MAX,
};

use crate::{
    config::Config,
    control,
    home::Home,
    journal::Event,
    keys::{self, KeyDirectory, Keys, NewKeys},
    openings::{self, Openings},
    organisation::{Organisation, own_paper},
    paper::CardPaper,
    replica::{Mark, OfflineError, OwnEpoch, board_named, catch_up, own_epochs, suspicion},
    store::{self, EngineKind, Reader, Store},
};

pub use error::RotationError;

/// What `recover` is asked for.
#[derive(Debug)]
pub struct Recovery {
    /// Where the recovery key is kept.
    pub key: PathBuf,
    /// The last entry that this organisation itself wrote, where a thief wrote on.
    pub ends: Vec<NamedEnd>,
    /// Go on although the store may be an older copy.
    pub accepts_older_store: bool,
}

/// Where a person says that the old epoch ends on a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEnd {
    /// The beginning of the board's id.
    pub board: String,
    /// The last entry.
    pub seq: u64,
}

/// What a new key took over.
#[derive(Debug)]
pub struct TakenOver {
    /// Record and card of the new epoch.
    pub paper: CardPaper,
    /// By board.
    pub boards: Vec<TakenBoard>,
    /// Titles of boards on which nothing was ever signed, so that there is nothing to go on from.
    pub left_out: Vec<String>,
    /// Whether the new key has signed its first entries already. Else the daemon does, once partners
    /// told how far the old feed had come.
    pub has_begun: bool,
}

/// What a new key took over on one board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBoard {
    /// The board's title.
    pub title: String,
    /// The new feed, with its board and epoch.
    pub descriptor: Descriptor,
    /// The last entry of the epoch before.
    pub end: End,
}

/// Gives this organisation a new feed key, warranted by the one in use; and a new node key if asked.
///
/// # Errors
/// - [`RotationError`]: the old keys are still in use.
pub fn rotate(home: &Home, config: &Config, with_node: bool) -> Result<TakenOver, RotationError> {
    let store = lock(home, config)?;
    let organisation = Arc::new(Organisation::load(home)?);
    // Finishes what an interrupted command left, so that there is one key to go on from.
    let replica = catch_up(home, Arc::clone(&organisation), &store, None)?;
    if let Some(why) = replica.suspicion() {
        return Err(RotationError::Restoring { why: why.to_string() });
    }
    drop(replica);
    let epoch = organisation.paper().card().card().epoch;
    let keys = keys::load(home.directory(), epoch)?;
    let change = Change {
        home,
        new: NewKeys::generate(with_node)?,
        paper: organisation.paper().clone(),
        right: (WarrantRole::Old, organisation.feed_signer()),
    };
    let successor = change.successor(config, (keys.witness, keys.node, keys.recovery_public))?;
    let owns = own_epochs(&successor, &store.reader())?;
    change.expect_left_over_is_unused(&owns)?;
    let mut plans = Vec::new();
    for own in change.present(&owns) {
        let title = own.title.clone();
        let later = owns.iter().map(|other| other.descriptor);
        let later = later.filter(|other| other.board == own.board());
        if let Some(epoch) = later.map(|d| d.epoch).filter(|e| *e > own.descriptor.epoch).max() {
            return Err(RotationError::OpenedByAnother { epoch, title });
        }
        let end = own.last.ok_or(RotationError::NotBegun { title })?;
        plans.push(change.after(own, end)?);
    }
    change.carry_out(&store, successor, plans, Vec::new())
}

/// Gives this organisation a new feed key, warranted by the recovery key; and a new node key if asked.
///
/// # Errors
/// - [`RotationError`]: the old keys are still in use, or still lost.
pub fn recover(
    home: &Home,
    config: &Config,
    recovery: &Recovery,
    with_node: bool,
) -> Result<TakenOver, RotationError> {
    let store = lock(home, config)?;
    let paper = own_paper(home)?;
    let signer = recovery_signer(recovery, &paper)?;
    let reader = store.reader();
    let mark = Mark::load(&home.mark())?;
    if let Some(why) = suspicion(mark.as_ref(), &reader)?.filter(|_| !recovery.accepts_older_store)
    {
        return Err(RotationError::OlderStore { why: why.to_string() });
    }
    let (directory, epoch) = (KeyDirectory::open(home.directory())?, paper.card().card().epoch);
    let new = NewKeys::generate(with_node)?;
    // What is about to be replaced may be lost.
    let node = new.node.clone().map_or_else(|| directory.node(epoch), Ok)?;
    let kept = (directory.witness()?, node, directory.recovery_public()?);
    let change = Change { home, new, paper, right: (WarrantRole::Recovery, signer) };
    let successor = change.successor(config, kept)?;
    let owns = own_epochs(&successor, &reader)?;
    change.expect_left_over_is_unused(&owns)?;
    let (plans, left_out) = change.plans_of_recovery(&owns, &recovery.ends, &reader)?;
    change.carry_out(&store, successor, plans, left_out)
}

/// Opens the store, which nobody else then can.
fn lock(home: &Home, config: &Config) -> Result<Store, RotationError> {
    if control::is_running(&home.socket()) {
        return Err(RotationError::DaemonRuns);
    }
    if config.store() == EngineKind::Memory {
        return Err(OfflineError::MemoryStore.into());
    }
    Ok(store::open(&home.store(), config.store())?)
}

fn recovery_signer(recovery: &Recovery, paper: &CardPaper) -> Result<KeyPair, RotationError> {
    let signer = KeyPair::from_seed(keys::load_recovery(&recovery.key)?.as_bytes());
    if recovery_digest(&signer.public()) == paper.inception().recovery_digest {
        return Ok(signer);
    }
    Err(RotationError::NotTheRecoveryKey { path: recovery.key.clone() })
}

/// A change of keys in the making.
struct Change<'a> {
    home: &'a Home,
    new: NewKeys,
    /// Still the newest card.
    paper: CardPaper,
    /// Who warrants the new key, and in which capacity.
    right: (WarrantRole, KeyPair),
}

/// What is to be opened on one board.
struct Plan {
    board: TakenBoard,
    opening: OpenFeed,
}

impl Change<'_> {
    fn successor(
        &self,
        config: &Config,
        (witness, node, recovery_public): (keys::Seed, keys::Seed, [u8; 32]),
    ) -> Result<Organisation, RotationError> {
        let node = self.new.node.clone().unwrap_or(node);
        let keys = Keys { feed: self.new.feed.clone(), witness, node, recovery_public };
        Ok(Organisation::successor(&self.paper, keys, config.announce())?)
    }

    fn epoch(&self) -> u64 {
        self.paper.card().card().epoch.saturating_add(1)
    }

    fn key_in_use(&self) -> PublicKey {
        self.paper.card().card().feed_key
    }

    /// The feeds that the key in use signs.
    fn present<'b>(&self, owns: &'b [OwnEpoch]) -> impl Iterator<Item = &'b OwnEpoch> {
        let key = self.key_in_use();
        owns.iter().filter(move |own| own.descriptor.key == key)
    }

    /// A key that a command left behind is replaced, so nothing may rest on it.
    fn expect_left_over_is_unused(&self, owns: &[OwnEpoch]) -> Result<(), RotationError> {
        let directory = KeyDirectory::open(self.home.directory())?;
        let Some(left) = directory.left_over(self.epoch())? else { return Ok(()) };
        let key = PublicKey::ed25519(left.to_public());
        if owns.iter().any(|own| own.descriptor.key == key) {
            return Err(RotationError::CardIsOlder { path: directory.feed_file(self.epoch()) });
        }
        Ok(())
    }

    /// The opening of the epoch after a feed.
    fn after(&self, own: &OwnEpoch, end: End) -> Result<Plan, RotationError> {
        let epoch = own.descriptor.epoch.saturating_add(1);
        let plan = self.plan(&own.title, own.board(), epoch, end)?;
        let digest = self.paper.inception().recovery_digest;
        let checked = plan.opening.check_next(&own.descriptor, &digest);
        let title = own.title.clone();
        checked.map_err(|why| RotationError::WouldBeRefused { title, why })?;
        Ok(plan)
    }

    fn plan(
        &self,
        title: &str,
        board: BoardId,
        epoch: u64,
        end: End,
    ) -> Result<Plan, RotationError> {
        if epoch >= EPOCHS_MAX {
            return Err(RotationError::TooMany { title: title.to_owned() });
        }
        let new = KeyPair::from_seed(self.new.feed.as_bytes());
        let org = self.paper.card().card().org;
        let descriptor = Descriptor { board, org, epoch, key: new.public() };
        let (role, prior) = &self.right;
        let opening = OpenFeed::next(descriptor, end, (*role, prior), &new);
        Ok(Plan { board: TakenBoard { title: title.to_owned(), descriptor, end }, opening })
    }

    /// What is to be opened when the key in use is lost or stolen; and the titles of boards where there
    /// is nothing to go on from.
    fn plans_of_recovery(
        &self,
        owns: &[OwnEpoch],
        ends: &[NamedEnd],
        reader: &Reader,
    ) -> Result<(Vec<Plan>, Vec<String>), RotationError> {
        let firsts: Vec<&OwnEpoch> = owns.iter().filter(|own| own.descriptor.epoch == 0).collect();
        let mut named = Vec::new();
        for NamedEnd { board, seq } in ends {
            let own = board_named(&firsts, |own| own.board(), Some(board.as_str()));
            named.push((own.map_err(RotationError::Board)?.board(), *seq));
        }
        let unpublished = self.unpublished();
        let (mut plans, mut left_out) = (Vec::new(), Vec::new());
        for first in firsts {
            let (board, title) = (first.board(), first.title.clone());
            let own = self.present(owns).find(|own| own.board() == board);
            let begun = own.and_then(|own| own.last.map(|last| (own, last)));
            let named = named.iter().find(|(of, _)| *of == board).map(|(_, seq)| *seq);
            plans.push(match (begun, unpublished.get(&board), named) {
                (Some((own, last)), _, None) => self.after(own, last)?,
                (Some((own, End(last, _))), _, Some(seq)) => {
                    let size = last.saturating_add(1);
                    let no_entry = RotationError::NoSuchEntry { seq, title, size };
                    self.after(own, own.entry(reader, seq)?.ok_or(no_entry)?)?
                }
                (None, _, Some(seq)) => {
                    return Err(RotationError::NoSuchEntry { seq, title, size: 0 });
                }
                // The key in use has signed nothing yet: what it was to open, the new one opens.
                (None, Some(OpenFeed { descriptor, end: Some(end), .. }), None) => {
                    self.plan(&title, board, descriptor.epoch, *end)?
                }
                (None, _, None) => {
                    left_out.push(title);
                    continue;
                }
            });
        }
        Ok((plans, left_out))
    }

    /// The openings of the key in use; none if it is the first, or if they are lost with it.
    fn unpublished(&self) -> Openings {
        let path = self.home.openings(self.paper.card().card().epoch);
        openings::load(&path, &self.key_in_use()).unwrap_or_default()
    }

    /// What the journal is told.
    fn told(&self, boards: usize) -> Event {
        let (epoch, boards) = (self.epoch(), boards as u64);
        match self.right.0 {
            WarrantRole::Old => Event::KeysRotated { epoch, boards },
            _ => Event::KeysRecovered { epoch, boards },
        }
    }

    /// Steps 2 to 6.
    fn carry_out(
        &self,
        store: &Store,
        successor: Organisation,
        plans: Vec<Plan>,
        left_out: Vec<String>,
    ) -> Result<TakenOver, RotationError> {
        let directory = KeyDirectory::open(self.home.directory())?;
        directory.add(self.epoch(), &self.new)?;
        let openings = plans.iter().map(|plan| (plan.board.descriptor.board, plan.opening.clone()));
        let organisation = successor.take_over(self.home, openings.collect())?;
        let paper = organisation.paper().clone();
        let told = self.told(plans.len());
        let replica = catch_up(self.home, Arc::new(organisation), store, Some(told))?;
        // A sure replica has signed whatever it may by now; one that asks its partners first has not.
        let has_begun = replica.suspicion().is_none();
        if has_begun {
            replica.organisation().forget_older(self.home)?;
        }
        let boards = plans.into_iter().map(|plan| plan.board).collect();
        Ok(TakenOver { paper, boards, left_out, has_begun })
    }
}
