//! Stage 4 of 8: sync. From `engine::append`; to `feed::verify`.
//!
//! One meeting with one peer: how much may be under way in each direction.
//!
//! * At most 32 frames are sent that the peer has not given credit back for. Credit frames are
//!   not counted.
//! * At most 16 requests of ours are unanswered, so that answers always find credit and two
//!   sessions full of requests cannot block each other.
//! * Announcements wait as a flag and not as frames: however long a peer is slow, it costs no
//!   memory.
//!
//! Knows nothing of boards or feeds: it counts.

use alloc::collections::{BTreeMap, VecDeque};

use super::{Lane, Message};
use crate::limits::{FRAMES_IN_FLIGHT, REQUESTS_IN_FLIGHT};

/// How many received frames are gathered before credit is given back.
const CREDIT_EVERY: u32 = 8;
/// Frames that may wait for credit: one answer to each frame that a peer may have under way, twice.
const WAITING_MAX: usize = 2 * FRAMES_IN_FLIGHT as usize;

/// A peer that does not keep to its credit, or leaves us no room to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overrun {
    /// It sent more frames than it had credit for.
    #[error("the peer sent more than {FRAMES_IN_FLIGHT} frames without waiting for credit")]
    Credit,
    /// It gave back more credit than we had used.
    #[error("the peer gave back credit for {given} frames, {used} were under way")]
    FalseCredit {
        /// How many frames it gave credit for.
        given: u64,
        /// How many were under way.
        used: u32,
    },
    /// It leaves no room for answers that it caused.
    #[error("the peer leaves more than {WAITING_MAX} answers waiting")]
    Waiting,
    /// It has more requests open than allowed.
    #[error("the peer has more than {REQUESTS_IN_FLIGHT} requests open")]
    Requests,
}

/// Counts of one meeting; `Q` is what we remember of a request, `S` of an answer in the making.
#[derive(Debug)]
pub struct Session<Q, S> {
    in_flight: u32,
    received: u32,
    waiting: VecDeque<Message>,
    next_request: u64,
    requests: BTreeMap<u64, Q>,
    serving: VecDeque<S>,
}

impl<Q, S> Default for Session<Q, S> {
    fn default() -> Self {
        Self {
            in_flight: 0,
            received: 0,
            waiting: VecDeque::new(),
            next_request: 1,
            requests: BTreeMap::new(),
            serving: VecDeque::new(),
        }
    }
}

impl<Q, S> Session<Q, S> {
    /// Counts a frame received, other than credit. Gives the credit frame to send, when one is due.
    ///
    /// # Errors
    /// [`Overrun::Credit`].
    pub const fn received(&mut self) -> Result<Option<Message>, Overrun> {
        self.received = self.received.saturating_add(1);
        if self.received > FRAMES_IN_FLIGHT {
            return Err(Overrun::Credit);
        }
        if self.received < CREDIT_EVERY {
            return Ok(None);
        }
        let frames = self.received as u64;
        self.received = 0;
        Ok(Some(Message::Credit(frames)))
    }

    /// Takes credit that the peer gave back.
    ///
    /// # Errors
    /// [`Overrun::FalseCredit`].
    pub fn credited(&mut self, given: u64) -> Result<(), Overrun> {
        let used = self.in_flight;
        let frames = u32::try_from(given).ok().filter(|frames| *frames <= used);
        let frames = frames.ok_or(Overrun::FalseCredit { given, used })?;
        self.in_flight = used.saturating_sub(frames);
        Ok(())
    }

    /// Puts a message in line.
    ///
    /// # Errors
    /// [`Overrun::Waiting`].
    pub fn queue(&mut self, message: Message) -> Result<(), Overrun> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(Overrun::Waiting);
        }
        self.waiting.push_back(message);
        Ok(())
    }

    /// The next message in line that there is credit for.
    pub fn next_queued(&mut self) -> Option<Message> {
        if self.in_flight >= FRAMES_IN_FLIGHT {
            return None;
        }
        let message = self.waiting.pop_front()?;
        self.in_flight = self.in_flight.saturating_add(1);
        Some(message)
    }

    /// Whether a frame could be sent at once: nothing waits, and there is credit.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.in_flight < FRAMES_IN_FLIGHT
    }

    /// Whether one more request may be made.
    #[must_use]
    pub fn may_request(&self) -> bool {
        self.requests.len() < REQUESTS_IN_FLIGHT && self.waiting.len() < FRAMES_IN_FLIGHT as usize
    }

    /// Remembers a request of ours and gives it a number.
    pub fn open_request(&mut self, request: Q) -> u64 {
        let number = self.next_request;
        self.next_request = number.saturating_add(1);
        self.requests.insert(number, request);
        number
    }

    /// What we asked under a number.
    #[must_use]
    pub fn request_mut(&mut self, number: u64) -> Option<&mut Q> {
        self.requests.get_mut(&number)
    }

    /// The requests of ours that are open.
    pub fn requests(&self) -> impl Iterator<Item = &Q> {
        self.requests.values()
    }

    /// Forgets an answered request.
    pub fn close_request(&mut self, number: u64) -> Option<Q> {
        self.requests.remove(&number)
    }

    /// Closes the requests that `is_due` picks, and gives them.
    pub fn close_requests(
        &mut self,
        mut is_due: impl FnMut(&Q) -> bool,
    ) -> impl Iterator<Item = Q> {
        let due =
            self.requests.iter().filter(|(_, request)| is_due(request)).map(|(number, _)| *number);
        let due: alloc::vec::Vec<u64> = due.collect();
        due.into_iter().filter_map(|number| self.requests.remove(&number))
    }

    /// Ends the session and gives the requests that were open.
    pub fn into_requests(self) -> impl Iterator<Item = Q> {
        self.requests.into_values()
    }

    /// Puts an answer in the making in line.
    ///
    /// # Errors
    /// [`Overrun::Requests`].
    pub fn serve(&mut self, answer: S) -> Result<(), Overrun> {
        if self.serving.len() >= REQUESTS_IN_FLIGHT {
            return Err(Overrun::Requests);
        }
        self.serving.push_back(answer);
        Ok(())
    }

    /// The next answer to work on, when its frame could be sent at once.
    pub fn next_serving(&mut self) -> Option<S> {
        if self.is_idle() { self.serving.pop_front() } else { None }
    }

    /// Puts an unfinished answer back in line, behind the others.
    pub fn resume(&mut self, answer: S) {
        self.serving.push_back(answer);
    }
}

/// Splits a message into its lane and its frame.
#[must_use]
pub fn to_wire(message: Message) -> (Lane, alloc::vec::Vec<u8>) {
    (message.lane(), message.to_frame())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sessions_full_of_requests_still_find_credit_for_answers() {
        let mut session = Session::<(), ()>::default();
        while session.may_request() {
            session.open_request(());
            session.queue(Message::Nothing { request: 1 }).unwrap();
            assert!(session.next_queued().is_some());
        }
        for _ in 0..REQUESTS_IN_FLIGHT {
            assert!(session.is_idle());
            session.queue(Message::Nothing { request: 1 }).unwrap();
            assert!(session.next_queued().is_some());
        }
        session.queue(Message::Nothing { request: 1 }).unwrap();
        assert_eq!(session.next_queued(), None);
        assert_eq!(session.credited(1), Ok(()));
        assert!(session.next_queued().is_some());
        assert_eq!(session.credited(33), Err(Overrun::FalseCredit { given: 33, used: 32 }));
    }

    #[test]
    fn credit_goes_back_for_every_frame_received() {
        let mut session = Session::<(), ()>::default();
        let given: u64 = (0..64)
            .filter_map(|_| session.received().unwrap())
            .map(|message| {
                let Message::Credit(frames) = message else { panic!("{message:?}") };
                frames
            })
            .sum();
        assert_eq!(given, 64);
    }

    #[test]
    fn a_peer_that_only_asks_is_stopped() {
        let mut session = Session::<(), ()>::default();
        for _ in 0..REQUESTS_IN_FLIGHT {
            assert_eq!(session.serve(()), Ok(()));
        }
        assert_eq!(session.serve(()), Err(Overrun::Requests));
        for _ in 0..WAITING_MAX {
            assert_eq!(session.queue(Message::Nothing { request: 1 }), Ok(()));
        }
        assert_eq!(session.queue(Message::Nothing { request: 1 }), Err(Overrun::Waiting));
    }
}
