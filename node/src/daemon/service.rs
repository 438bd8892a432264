//! What systemd is told: that the node is ready, and that it is stopping.
//!
//! *Invariants.* Outside a service nothing is told. If nobody listens, nothing ends for that.
//!
//! *Source*: systemd's `sd_notify(3)`, through the crate `sd-notify`.

use sd_notify::NotifyState;

/// Store, sockets and network are there.
pub(super) fn ready() {
    tell(NotifyState::Ready);
}

/// It was asked to end, and writes what it has accepted.
pub(super) fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(code = "no-notice", %error, "systemd could not be told");
    }
}
