//! Asking the daemon from within its process: for the control socket and for `http`.
//!
//! ```text
//!   Request ──▶ Order (papers verified here, off the engine's task) ──▶ daemon
//!   Reply   ◀──────────────────── oneshot ◀──────────────────────────────┘
//! ```
//!
//! *Invariants.* At most [`CALLS_MAX`] orders wait; whoever asks beyond that waits to be heard.
//!
//! *Source*: ours.

use tokio::sync::{mpsc, oneshot};

use super::{Refusal, Reply, Request};
use crate::replica::Order;

const CALLS_MAX: usize = 64;

/// One order, and where its answer goes.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub order: Order,
    /// Dropped without an answer only when the daemon ends.
    pub reply: oneshot::Sender<Reply>,
}

/// The way to the daemon.
#[derive(Debug, Clone)]
pub struct Calls(mpsc::Sender<Call>);

impl Calls {
    /// A way, and the daemon's end of it.
    #[must_use]
    pub fn open() -> (Self, mpsc::Receiver<Call>) {
        let (calls, received) = mpsc::channel(CALLS_MAX);
        (Self(calls), received)
    }

    /// Reads a request aside, hands it over, and waits for what comes of it; `None` when the daemon ends.
    pub async fn ask(
        &self,
        request: impl FnOnce() -> Result<Request, Refusal> + Send + 'static,
    ) -> Option<Reply> {
        let read = tokio::task::spawn_blocking(move || request().and_then(Order::read));
        let order = match read.await.ok()? {
            Ok(order) => order,
            Err(refusal) => return Some(Reply::Refused(refusal)),
        };
        let (reply, answer) = oneshot::channel();
        self.0.send(Call { order, reply }).await.ok()?;
        answer.await.ok()
    }
}
