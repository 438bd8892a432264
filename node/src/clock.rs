//! The one place that reads the wall clock and draws randomness.
//!
//! Everything else is given the time and fresh bytes as arguments, so that the same inputs give
//! the same run. Durations (a back-off, a timeout) are measured by tokio's monotonic clock where
//! they are waited for: they never enter a format and never decide what an entry means.
//!
//! *Invariants.* `now_ms` may step backwards when the administrator sets the clock: a claimed time
//! is a claim. `entropy` never repeats and never falls back to a weaker source.
//!
//! *Source*: ours; the operating system's generator through `getrandom`.

use std::time::{SystemTime, UNIX_EPOCH};

/// The operating system gave no random bytes; nothing that needs a key or a salt can go on.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {source}; check /dev/urandom and getrandom")]
pub struct EntropyError {
    source: getrandom::Error,
}

/// Milliseconds since 1970-01-01T00:00:00Z by this machine's clock; 0 if it stands before that.
#[must_use]
pub fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// 32 fresh random bytes.
///
/// # Errors
/// - [`EntropyError`]: the operating system's generator failed; nobody's fault but the machine's.
pub fn entropy() -> Result<[u8; 32], EntropyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|source| EntropyError { source })?;
    Ok(bytes)
}

/// 16 fresh random bytes.
///
/// # Errors
/// - [`EntropyError`]: as for [`entropy`].
pub fn nonce() -> Result<[u8; 16], EntropyError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|source| EntropyError { source })?;
    Ok(bytes)
}

/// One fresh random number, for jitter and session numbers.
///
/// # Errors
/// - [`EntropyError`]: as for [`entropy`].
pub fn dice() -> Result<u64, EntropyError> {
    getrandom::u64().map_err(|source| EntropyError { source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_after_this_was_written() {
        let written_ms = 1_795_000_000_000; // 2026-11-18
        assert!(now_ms() > written_ms);
    }

    #[test]
    fn entropy_differs_from_draw_to_draw() {
        assert_ne!(entropy().unwrap(), entropy().unwrap());
    }
}
