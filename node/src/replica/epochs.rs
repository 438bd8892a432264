//! What the store holds of this organisation's own feeds, epoch by epoch: what a new key goes on from.
//!
//! *Invariants.* Nothing is signed and nothing is changed here.
//!
//! *Source*: ours.

use concordat_protocol::{
    engine::{BoardView, Engine, Standing, Table, place_key},
    feed::{Descriptor, End, Header},
    hash::BoardId,
};

use super::ReplicaError;
use crate::{
    organisation::Organisation,
    store::{Reader, StoreError},
};

/// One of our own feeds on one board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEpoch {
    /// The board's title, for people.
    pub title: String,
    /// The feed, with its board and epoch.
    pub descriptor: Descriptor,
    /// Its last durable entry, if it has any.
    pub last: Option<End>,
}

/// All of our own feeds that the store knows, by board and epoch. Feeds that a thief of a key opened
/// are among them.
///
/// # Errors
/// - [`ReplicaError`]: the store cannot be read.
pub fn own_epochs(
    organisation: &Organisation,
    reader: &Reader,
) -> Result<Vec<OwnEpoch>, ReplicaError> {
    // Never given anything to handle, so it signs nothing.
    let engine = Engine::open(organisation.identity(), Standing::Restored, reader)?;
    let views = engine.views(reader);
    if let Some(error) = reader.failure() {
        return Err(ReplicaError::Unreadable { why: error.to_string() });
    }
    let of_board = |view: &BoardView| {
        let founding = engine.founding(&view.board);
        let title = founding.map(|f| f.charter().title.clone()).unwrap_or_default();
        let ours = view.feeds.values().filter(|feed| feed.descriptor.org == organisation.id());
        let mut ours: Vec<OwnEpoch> = ours
            .map(|feed| OwnEpoch {
                title: title.clone(),
                descriptor: feed.descriptor,
                last: feed
                    .durable_size
                    .checked_sub(1)
                    .zip(feed.durable_id)
                    .map(|(s, id)| End(s, id)),
            })
            .collect();
        ours.sort_by_key(|own| own.descriptor.epoch);
        ours
    };
    Ok(views.iter().flat_map(of_board).collect())
}

impl OwnEpoch {
    /// The board.
    #[must_use]
    pub const fn board(&self) -> BoardId {
        self.descriptor.board
    }

    /// The entry at a place of the feed, if it is held.
    ///
    /// # Errors
    /// - [`StoreError`]: the store cannot be read.
    pub fn entry(&self, reader: &Reader, seq: u64) -> Result<Option<End>, StoreError> {
        if self.last.is_none_or(|End(last, _)| seq > last) {
            return Ok(None);
        }
        let header = reader.get(Table::Headers, &place_key(&self.descriptor.feed_id(), 0, seq))?;
        Ok(header.map(|bytes| End(seq, Header::id_of(&bytes))))
    }
}
