//! When each peer was last met, kept in the store so that a restart forgets nothing.
//!
//! ```text
//!   table own_contacts:   node key, 32 bytes  ->  time of last contact, ms since 1970, u64 BE
//! ```
//!
//! *Invariants.* A time only moves forward, but for a clock that was set back. While there is a session
//! it is written once a minute, and once at its end: a crash loses a minute of it.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    net::NodeKey,
    store::{KeyRange, Op, Order, Own, Reader, StoreError},
};

/// How old what is stored may be while there is a session.
const STALE_MS: u64 = 60_000;

/// Times of last contact, by peer.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    last_ms: BTreeMap<NodeKey, u64>,
    written_ms: BTreeMap<NodeKey, u64>,
    changed: BTreeSet<NodeKey>,
}

impl Contacts {
    pub(crate) fn load(reader: &Reader) -> Result<Self, StoreError> {
        let mut contacts = Self::default();
        for (key, last_ms) in stored(reader)? {
            contacts.last_ms.insert(key, last_ms);
            contacts.written_ms.insert(key, last_ms);
        }
        Ok(contacts)
    }

    /// There is a session, or was until now.
    pub(crate) fn met(&mut self, peer: NodeKey, now_ms: u64) {
        self.last_ms.insert(peer, now_ms);
        let written_ms = self.written_ms.get(&peer).copied().unwrap_or_default();
        if now_ms.abs_diff(written_ms) >= STALE_MS {
            self.changed.insert(peer);
        }
    }

    /// The session has ended: what is known of it is written.
    pub(crate) fn left(&mut self, peer: NodeKey, now_ms: u64) {
        self.last_ms.insert(peer, now_ms);
        self.changed.insert(peer);
    }

    /// For how many seconds a peer has been away that has no session; none if it was never met.
    pub(crate) fn age_s(&self, peer: NodeKey, now_ms: u64) -> Option<u64> {
        self.last_ms.get(&peer).map(|last_ms| age_s(*last_ms, now_ms))
    }

    /// What is to be written.
    pub(crate) fn take_rows(&mut self) -> Vec<Op> {
        let changed = std::mem::take(&mut self.changed);
        let rows = changed.into_iter().filter_map(|peer| {
            let last_ms = *self.last_ms.get(&peer)?;
            self.written_ms.insert(peer, last_ms);
            let (key, value) = (peer.as_bytes().to_vec(), last_ms.to_be_bytes().to_vec());
            Some(Op::put(Own::Contacts, key, value))
        });
        rows.collect()
    }
}

/// Whole seconds since then; 0 if the clock was set back since.
pub(crate) const fn age_s(last_ms: u64, now_ms: u64) -> u64 {
    now_ms.saturating_sub(last_ms) / 1_000
}

/// What is stored of peers that have a key; a row of another shape is nobody's.
pub(crate) fn stored(reader: &Reader) -> Result<Vec<(NodeKey, u64)>, StoreError> {
    let rows = reader.scan(Own::Contacts, &KeyRange::all(), usize::MAX, Order::Ascending)?;
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        let key = NodeKey::from_bytes(key.try_into().ok()?).ok()?;
        Some((key, u64::from_be_bytes(value.try_into().ok()?)))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{self, EngineKind};

    fn peer() -> NodeKey {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        NodeKey::from_bytes(key.to_bytes()).unwrap()
    }

    #[test]
    fn a_contact_outlives_a_restart_and_is_written_once_a_minute() {
        let place = tempfile::tempdir().unwrap();
        let store = store::open(place.path(), EngineKind::Sled).unwrap();
        let mut contacts = Contacts::load(&store.reader()).unwrap();
        assert_eq!(contacts.age_s(peer(), 5), None);

        contacts.met(peer(), 1_000_000);
        let rows = contacts.take_rows();
        assert_eq!(rows.len(), 1);
        let _durable = store.commit(rows).unwrap();
        contacts.met(peer(), 1_059_999);
        assert_eq!(contacts.take_rows(), []);
        contacts.met(peer(), 1_060_000);
        assert_eq!(contacts.take_rows().len(), 1);
        contacts.left(peer(), 1_061_000);
        let _durable = store.commit(contacts.take_rows()).unwrap();
        assert_eq!(contacts.take_rows(), []);

        let again = Contacts::load(&store.reader()).unwrap();
        assert_eq!(again.age_s(peer(), 91_061_999), Some(90_000));
        // The clock was set back.
        assert_eq!(again.age_s(peer(), 7), Some(0));
    }

    #[test]
    fn a_row_of_another_shape_is_nobodys() {
        let place = tempfile::tempdir().unwrap();
        let store = store::open(place.path(), EngineKind::Sled).unwrap();
        let key = peer().as_bytes().to_vec();
        let short = Op::put(Own::Contacts, key, vec![1]);
        let rows = vec![short, Op::put(Own::Contacts, vec![1], vec![0; 8])];
        let _durable = store.commit(rows).unwrap();
        assert_eq!(stored(&store.reader()).unwrap(), []);
    }
}
