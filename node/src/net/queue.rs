//! What waits to be sent to one peer on one lane.
//!
//! *Invariants.* Bounded in frames and in bytes; whoever passes a bound is too slow to be kept.
//! What waits is counted from when it is taken until it is written or its session has ended.
//!
//! *Source*: ours.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{End, Lane, NetLimits, meter::PeerMeter};

/// What waits to be sent on one lane.
#[derive(Debug)]
pub(super) struct Queue {
    frames: mpsc::Sender<Vec<u8>>,
    lane: Lane,
    bytes_max: u64,
    meter: Arc<PeerMeter>,
}

/// The receiving end of a queue; what it still holds when dropped is no longer counted.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) frames: mpsc::Receiver<Vec<u8>>,
    /// Being written: still waiting, as long as it is not written.
    pub(super) current: Option<Vec<u8>>,
    pub(super) lane: Lane,
    pub(super) meter: Arc<PeerMeter>,
}

impl Queue {
    pub(super) fn new(lane: Lane, limits: &NetLimits, meter: &Arc<PeerMeter>) -> (Self, Queued) {
        let frames_max = match lane {
            Lane::Control => limits.control_frames_max,
            Lane::Bulk => limits.bulk_frames_max,
        };
        let (sender, receiver) = mpsc::channel(frames_max.max(1));
        let (bytes_max, meter) = (limits.queue_bytes_max, Arc::clone(meter));
        let queued = Queued { frames: receiver, current: None, lane, meter: Arc::clone(&meter) };
        (Self { frames: sender, lane, bytes_max, meter }, queued)
    }

    /// Err if the queue would pass its bounds: the peer is too slow to be kept.
    pub(super) fn push(&self, frame: Vec<u8>) -> Result<(), End> {
        let meter = self.meter.lane(self.lane);
        meter.queued(&frame);
        let waiting = meter.counts();
        let refused = if waiting.queued_bytes > self.bytes_max {
            Some(frame)
        } else {
            match self.frames.try_send(frame) {
                // The session is ending; its end is on the way.
                Ok(()) => None,
                Err(mpsc::error::TrySendError::Closed(frame)) => {
                    meter.unqueued(&frame);
                    return Ok(());
                }
                Err(mpsc::error::TrySendError::Full(frame)) => Some(frame),
            }
        };
        let Some(frame) = refused else {
            return Ok(());
        };
        meter.unqueued(&frame);
        let (frames, bytes) = (waiting.queued_frames, waiting.queued_bytes);
        Err(End::QueueFull { lane: self.lane, frames, bytes })
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.frames.close();
        if let Some(frame) = self.current.take() {
            self.meter.lane(self.lane).unqueued(&frame);
        }
        while let Ok(frame) = self.frames.try_recv() {
            self.meter.lane(self.lane).unqueued(&frame);
        }
    }
}
