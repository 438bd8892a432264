//! The processes of the demonstration, by handle.
//!
//! *Invariants.* Every process that was started is ended and waited for: by [`Crew::end_all`], which also keeps new ones
//! from starting, and at the latest when the crew is dropped. Each is in a process group of its own, so that Ctrl-C
//! at the terminal reaches the demonstration alone, and it decides who ends when. None is ever looked for by name.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::DemoError;

/// How long a node that was asked to end may take.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// The running processes, by name.
#[derive(Debug, Default)]
pub(super) struct Crew(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_closed: bool,
    running: BTreeMap<String, Child>,
}

/// What the running nodes hold of the machine's memory, in kilobytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// All of them, now.
    pub(super) now_kb: u64,
    /// The most that one of them ever held.
    pub(super) largest_kb: u64,
    /// How many were looked at.
    pub(super) nodes: u64,
}

impl Crew {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a process under this name.
    pub(super) fn start(&self, name: &str, command: &mut Command) -> Result<(), DemoError> {
        let mut inner = self.inner();
        if inner.is_closed {
            return Err(DemoError::Interrupted);
        }
        let child = command.process_group(0).spawn();
        let child = child.map_err(DemoError::system("starting a node"))?;
        inner.running.insert(name.to_owned(), child);
        Ok(())
    }

    /// Whether the process of this name runs.
    pub(super) fn runs(&self, name: &str) -> bool {
        let mut inner = self.inner();
        inner.running.get_mut(name).is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Ends the process at once, as a power cut would.
    pub(super) fn kill(&self, name: &str) {
        let child = self.inner().running.remove(name);
        if let Some(child) = child {
            end_at_once(child);
        }
    }

    /// Asks the process to end, and waits until it has; whether it ended well.
    pub(super) fn stop(&self, name: &str) -> bool {
        let child = self.inner().running.remove(name);
        child.is_some_and(end)
    }

    /// Ends all of them, and lets none start any more.
    pub(super) fn end_all(&self) {
        let running = {
            let mut inner = self.inner();
            inner.is_closed = true;
            std::mem::take(&mut inner.running)
        };
        running.values().for_each(ask_to_end);
        running.into_values().for_each(|child| {
            let _ended_well = end(child);
        });
    }

    /// What they hold, where the system tells.
    pub(super) fn memory(&self) -> Memory {
        let inner = self.inner();
        let of = inner.running.values().filter_map(|child| memory_of(child.id()));
        of.fold(Memory::default(), |sum, (now, most)| Memory {
            now_kb: sum.now_kb.saturating_add(now),
            largest_kb: sum.largest_kb.max(most),
            nodes: sum.nodes.saturating_add(1),
        })
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.end_all();
    }
}

fn ask_to_end(child: &Child) {
    // Err: it has ended by itself.
    let _ended = kill_process(Pid::from_child(child), Signal::TERM);
}

/// Asks, waits, and insists when asking does not help.
fn end(mut child: Child) -> bool {
    ask_to_end(&child);
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(PAUSE),
            Err(_) => break,
        }
    }
    end_at_once(child);
    false
}

fn end_at_once(mut child: Child) {
    // Err: it has ended by itself.
    let _ended = (child.kill(), child.wait());
}

/// Resident memory now and at most, as Linux tells; none elsewhere.
fn memory_of(process: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some((kilobytes(&status, "VmRSS:")?, kilobytes(&status, "VmHWM:")?))
}

fn kilobytes(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping() -> Command {
        let mut command = Command::new("sleep");
        command.arg("600");
        command
    }

    fn process(crew: &Crew, name: &str) -> u32 {
        crew.inner().running[name].id()
    }

    #[test]
    fn whatever_was_started_has_ended_when_the_crew_has() {
        let crew = Crew::default();
        crew.start("one", &mut sleeping()).unwrap();
        crew.start("other", &mut sleeping()).unwrap();
        let processes = ["one", "other"].map(|name| process(&crew, name));
        assert!(crew.runs("one") && !crew.runs("a third"));
        drop(crew);
        for process in processes {
            assert!(!std::path::Path::new(&format!("/proc/{process}/status")).exists());
        }
    }

    #[test]
    fn one_is_killed_and_none_starts_after_the_end() {
        let crew = Crew::default();
        crew.start("one", &mut sleeping()).unwrap();
        crew.kill("one");
        assert!(!crew.runs("one"));
        crew.end_all();
        let refused = crew.start("other", &mut sleeping()).unwrap_err();
        assert!(matches!(refused, DemoError::Interrupted));
    }

    #[test]
    fn memory_is_read_as_linux_tells_it() {
        let status = "Name:\tconcordat\nVmHWM:\t   30720 kB\nVmRSS:\t   20480 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(20_480));
        assert_eq!(kilobytes(status, "VmHWM:"), Some(30_720));
        assert_eq!(kilobytes("VmRSS: much", "VmRSS:"), None);
    }
}
