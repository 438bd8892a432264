//! Bytes and frames of each peer and lane, counted where they pass.
//!
//! *Invariants.* Counts start at 0 with the process and only grow, but for what is queued. A
//! frame's 4-byte length is counted; TLS, yamux and pings are not. Reading never stops a writer.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Lane, NodeKey, frame::LENGTH_BYTES};

/// Counts of all peers met since the start.
#[derive(Debug, Default)]
pub struct Meter {
    peers: RwLock<BTreeMap<NodeKey, Arc<PeerMeter>>>,
}

impl Meter {
    /// Counts of one peer, if it was ever allowed.
    #[must_use]
    pub fn peer(&self, peer: NodeKey) -> Option<PeerCounts> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.get(&peer).map(|meter| meter.counts())
    }

    /// Counts of all peers that were ever allowed, by key.
    #[must_use]
    pub fn peers(&self) -> Vec<(NodeKey, PeerCounts)> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.iter().map(|(peer, meter)| (*peer, meter.counts())).collect()
    }

    pub(super) fn of(&self, peer: NodeKey) -> Arc<PeerMeter> {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(peers.entry(peer).or_default())
    }
}

/// Counts of one peer at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeerCounts {
    /// Of the control lane.
    pub control: LaneCounts,
    /// Of the bulk lane.
    pub bulk: LaneCounts,
}

/// Counts of one lane at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneCounts {
    /// Given to the transport.
    pub sent_frames: u64,
    /// Given to the transport, lengths included.
    pub sent_bytes: u64,
    /// Read whole.
    pub received_frames: u64,
    /// Read whole, lengths included.
    pub received_bytes: u64,
    /// Waiting to be sent.
    pub queued_frames: u64,
    /// Waiting to be sent, lengths included.
    pub queued_bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct PeerMeter {
    control: LaneMeter,
    bulk: LaneMeter,
}

impl PeerMeter {
    pub(super) const fn lane(&self, lane: Lane) -> &LaneMeter {
        match lane {
            Lane::Control => &self.control,
            Lane::Bulk => &self.bulk,
        }
    }

    fn counts(&self) -> PeerCounts {
        PeerCounts { control: self.control.counts(), bulk: self.bulk.counts() }
    }
}

#[derive(Debug, Default)]
pub(super) struct LaneMeter {
    sent_frames: AtomicU64,
    sent_bytes: AtomicU64,
    received_frames: AtomicU64,
    received_bytes: AtomicU64,
    queued_frames: AtomicU64,
    queued_bytes: AtomicU64,
}

impl LaneMeter {
    pub(super) fn queued(&self, frame: &[u8]) {
        self.queued_frames.fetch_add(1, Ordering::Relaxed);
        self.queued_bytes.fetch_add(len_bytes(frame), Ordering::Relaxed);
    }

    pub(super) fn sent(&self, frame: &[u8]) {
        self.unqueued(frame);
        self.sent_frames.fetch_add(1, Ordering::Relaxed);
        self.sent_bytes.fetch_add(len_bytes(frame), Ordering::Relaxed);
    }

    /// The frame will not be sent: its session ended first.
    pub(super) fn unqueued(&self, frame: &[u8]) {
        self.queued_frames.fetch_sub(1, Ordering::Relaxed);
        self.queued_bytes.fetch_sub(len_bytes(frame), Ordering::Relaxed);
    }

    pub(super) fn received(&self, frame: &[u8]) {
        self.received_frames.fetch_add(1, Ordering::Relaxed);
        self.received_bytes.fetch_add(len_bytes(frame), Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> LaneCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        LaneCounts {
            sent_frames: read(&self.sent_frames),
            sent_bytes: read(&self.sent_bytes),
            received_frames: read(&self.received_frames),
            received_bytes: read(&self.received_bytes),
            queued_frames: read(&self.queued_frames),
            queued_bytes: read(&self.queued_bytes),
        }
    }
}

const fn len_bytes(frame: &[u8]) -> u64 {
    (frame.len() + LENGTH_BYTES) as u64
}
