//! Why no new key took over, with codes and what to do next.
//!
//! *Source*: ours.

use std::path::PathBuf;

use concordat_protocol::{feed::BadOpening, limits::EPOCHS_MAX};

use crate::{
    control::Refusal,
    keys::KeyError,
    organisation::OrganisationError,
    replica::{MarkError, OfflineError, ReplicaError},
    store::StoreError,
};

/// Why no new key took over.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// It would go on signing with the old key.
    #[error("a daemon runs for this home; stop it first, and start it again afterwards")]
    DaemonRuns,
    /// The end of the old epoch would be wrong.
    #[error(
        "the store may be an older copy: {why}; run `concordat serve` until `concordat status` no \
         longer says so, then try again"
    )]
    Restoring {
        /// Why.
        why: String,
    },
    /// The same, when the old key may be lost.
    #[error(
        "the store may be an older copy: {why}. What it does not hold of this organisation's own \
         feeds would be cut off, unless a majority had acknowledged it. If there still is a feed \
         key, run `concordat serve` first, so that partners give back what is missing; if not, \
         accept it with --older-store"
    )]
    OlderStore {
        /// Why.
        why: String,
    },
    /// There is no last entry to name.
    #[error("nothing is signed yet on {title:?}; run `concordat serve` until something is")]
    NotBegun {
        /// The board.
        title: String,
    },
    /// Another key has gone on already.
    #[error(
        "epoch {epoch} of this organisation was opened on {title:?} by another key. If an older \
         backup was put back here, put back the newest organisation.card, openings and keys; if \
         somebody stole the feed key, run `concordat keys recover`"
    )]
    OpenedByAnother {
        /// Which epoch.
        epoch: u64,
        /// The board.
        title: String,
    },
    /// The card is older than the keys beside it.
    #[error(
        "{path} has signed entries already, and the newest card does not name it: put back the \
         organisation.card that belongs to it"
    )]
    CardIsOlder {
        /// The key.
        path: PathBuf,
    },
    /// Anybody could bring a key.
    #[error("{path} is not the recovery key that this organisation was founded with")]
    NotTheRecoveryKey {
        /// The file.
        path: PathBuf,
    },
    /// No board is called so.
    #[error("{}", .0.message)]
    Board(Refusal),
    /// The end that was named is not here.
    #[error("there is no entry {seq} in this organisation's feed on {title:?}; it has {size}")]
    NoSuchEntry {
        /// What was named.
        seq: u64,
        /// The board.
        title: String,
        /// How many entries there are.
        size: u64,
    },
    /// Partners would refuse one more.
    #[error("this organisation has opened all {EPOCHS_MAX} epochs that it may on {title:?}")]
    TooMany {
        /// The board.
        title: String,
    },
    /// Partners would refuse what was made.
    #[error("the opening on {title:?} would be refused by partners: {why}")]
    WouldBeRefused {
        /// The board.
        title: String,
        /// Why.
        why: BadOpening,
    },
    /// The keys cannot be used or written.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The card cannot be used or written.
    #[error(transparent)]
    Organisation(#[from] OrganisationError),
    /// The store or the replica said no.
    #[error(transparent)]
    Offline(#[from] OfflineError),
    /// The mark cannot be read.
    #[error(transparent)]
    Mark(#[from] MarkError),
}

impl RotationError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::DaemonRuns => "daemon-runs",
            Self::Restoring { .. } => "restoring",
            Self::OlderStore { .. } => "older-store",
            Self::NotBegun { .. } => "not-begun",
            Self::OpenedByAnother { .. } => "opened-by-another",
            Self::CardIsOlder { .. } => "older-card",
            Self::NotTheRecoveryKey { .. } => "not-the-recovery-key",
            Self::Board(refusal) => &refusal.code,
            Self::NoSuchEntry { .. } => "no-such-entry",
            Self::TooMany { .. } => "too-many-epochs",
            Self::WouldBeRefused { .. } => "bad-opening",
            Self::Keys(_) | Self::Organisation(OrganisationError::Keys(_)) => "keys",
            Self::Organisation(_) => "organisation",
            Self::Offline(OfflineError::MemoryStore) => "memory-store",
            Self::Offline(OfflineError::Store(StoreError::Locked { .. })) => "busy",
            Self::Offline(_) | Self::Mark(_) => "store",
        }
    }
}

impl From<StoreError> for RotationError {
    fn from(error: StoreError) -> Self {
        Self::Offline(error.into())
    }
}

impl From<ReplicaError> for RotationError {
    fn from(error: ReplicaError) -> Self {
        Self::Offline(error.into())
    }
}
