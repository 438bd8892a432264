//! The watchdog: ends the process when a commit does not end.
//!
//! After an error of the disk an engine may wait for ever in a commit, and so would everybody who waits
//! for it. What was acknowledged is durable, so the next start finds it.
//!
//! *Invariants.* Runs on a thread of its own, which waits for nothing that the engine may hold.
//!
//! *Source*: ours; sled 0.34.7 was seen to hang in `flush` after a full disk.

use std::{
    io, process,
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::store::CommitClock;

const COMMIT_MAX: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);
/// As for any other failure of the machine.
const EXIT_CODE: i32 = 2;

/// Watches until the process ends.
pub(super) fn start(clock: CommitClock) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        wait_for(&clock, COMMIT_MAX);
        tracing::error!(
            code = "store-hangs", seconds = COMMIT_MAX.as_secs(),
            "a commit to the store did not end; this process ends, and nothing that was called written is \
             lost: look at the disk, then start the daemon again"
        );
        process::exit(EXIT_CODE);
    })
}

/// Returns when a commit has been under way for longer than this.
fn wait_for(clock: &CommitClock, longest: Duration) {
    while clock.under_way().is_none_or(|since| since <= longest) {
        thread::sleep(PAUSE.min(longest));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn it_waits_while_commits_end_and_no_longer_than_one_may_take() {
        let clock = CommitClock::default();
        let longest = Duration::from_millis(200);
        let watching = {
            let clock = clock.clone();
            thread::spawn(move || wait_for(&clock, longest))
        };
        let give_up = Instant::now() + 3 * longest;
        while Instant::now() < give_up {
            let _under_way = clock.begin();
            thread::sleep(longest / 20);
        }
        assert!(!watching.is_finished());

        let _hangs = clock.begin();

        watching.join().unwrap();
    }
}
