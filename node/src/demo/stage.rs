//! Telling the story, and keeping account of what was found.
//!
//! ```text
//!   look at the nodes ──▶ Found ──check──▶ a sentence for people, and a line of the report
//!        ▲── again, until it is well or the deadline has passed ──┘
//! ```
//!
//! *Invariants.* A sentence is told with what was found, never without having looked. Every check stands in the
//! report, and each id once. Nothing waits for a time, only for what is to be seen, and never beyond a deadline.
//!
//! *Source*: ours.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::DemoError;

/// Acknowledgements of content come once a minute, and machines are busy.
const DEADLINE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(50);
/// After which a person is shown that something is going on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who tells the story to people.
pub trait Narrator: Sync {
    /// Tells one line.
    fn say(&self, line: &str);
    /// Shows what is being waited for; none: nothing is any more.
    fn show_waiting(&self, what: Option<&str>);
}

/// What was found when something was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) is_well: bool,
    /// What was found, and what was expected if it is something else.
    pub(super) detail: String,
}

impl Found {
    pub(super) fn well(detail: impl Into<String>) -> Self {
        Self { is_well: true, detail: detail.into() }
    }

    pub(super) fn fault(detail: impl Into<String>) -> Self {
        Self { is_well: false, detail: detail.into() }
    }

    /// Well unless there is a fault.
    pub(super) fn unless(fault: Option<String>, detail: impl Into<String>) -> Self {
        fault.map_or_else(|| Self::well(detail), Self::fault)
    }
}

impl Found {
    /// All of them together; the first fault ends the looking.
    pub(super) fn all(
        found: impl IntoIterator<Item = Result<Self, DemoError>>,
    ) -> Result<Self, DemoError> {
        let mut details = Vec::new();
        for one in found {
            match one? {
                Self { is_well: true, detail } => details.push(detail),
                fault => return Ok(fault),
            }
        }
        // Where nothing was looked at, nothing was found.
        Ok(Self { is_well: !details.is_empty(), detail: details.join("\n") })
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable, and found once in a report.
    pub id: &'static str,
    /// What is said to hold.
    pub what: String,
    /// Whether it did.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// Where the story is told.
pub(super) struct Stage<'a> {
    narrator: &'a dyn Narrator,
    stop: &'a AtomicBool,
    checks: Vec<Check>,
    deadline: Duration,
}

impl<'a> Stage<'a> {
    pub(super) const fn new(narrator: &'a dyn Narrator, stop: &'a AtomicBool) -> Self {
        Self { narrator, stop, checks: Vec::new(), deadline: DEADLINE }
    }

    /// The report so far.
    pub(super) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The report.
    pub(super) fn into_checks(self) -> Vec<Check> {
        self.checks
    }

    pub(super) fn say(&self, line: &str) {
        self.narrator.say(line);
    }

    /// Does what takes its time.
    pub(super) fn working<T>(
        &self,
        what: &str,
        does: impl FnOnce() -> Result<T, DemoError>,
    ) -> Result<T, DemoError> {
        self.expect_wanted()?;
        self.narrator.show_waiting(Some(what));
        let done = does();
        self.narrator.show_waiting(None);
        // What was interrupted fails by that.
        self.expect_wanted()?;
        done
    }

    fn expect_wanted(&self) -> Result<(), DemoError> {
        if self.stop.load(Ordering::SeqCst) { Err(DemoError::Interrupted) } else { Ok(()) }
    }

    /// Tells what was found.
    pub(super) fn check(&mut self, id: &'static str, what: impl Into<String>, found: Found) {
        let (what, Found { is_well, detail }) = (what.into(), found);
        let mark = if is_well { "holds " } else { "FAILED" };
        self.say(&format!("  {mark}  {what}"));
        let lines = detail.lines().map(|line| format!("            {line}"));
        lines.for_each(|line| self.say(&line));
        self.checks.push(Check { id, what, ok: is_well, detail });
    }

    /// Looks until all is well, and tells what was found in the end; whether it is well.
    ///
    /// # Errors
    /// - [`DemoError::Interrupted`]: somebody asked the demonstration to stop.
    pub(super) fn until(
        &mut self,
        id: &'static str,
        what: impl Into<String>,
        look: impl FnMut() -> Result<Found, DemoError>,
    ) -> Result<bool, DemoError> {
        let what = what.into();
        let found = self.look_until(&what, look)?;
        let is_well = found.is_well;
        self.check(id, what, found);
        Ok(is_well)
    }

    /// Waits for something without which the story cannot go on.
    ///
    /// # Errors
    /// - [`DemoError::NeverCame`]: it did not come to be in time.
    /// - [`DemoError::Interrupted`]: somebody asked the demonstration to stop.
    pub(super) fn wait(
        &self,
        what: &str,
        mut holds: impl FnMut() -> Result<bool, DemoError>,
    ) -> Result<(), DemoError> {
        let look = || Ok(Found { is_well: holds()?, detail: String::new() });
        let found = self.look_until(what, look)?;
        if found.is_well {
            return Ok(());
        }
        let why =
            if found.detail.is_empty() { String::new() } else { format!("; {}", found.detail) };
        Err(DemoError::NeverCame { what: format!("{what}{why}") })
    }

    /// Looks until all is well, tells what was found, and ends the chapter if it is not well: the rest of it rests on this.
    ///
    /// # Errors
    /// - [`DemoError::NeverCame`]: it is not well.
    /// - [`DemoError::Interrupted`]: somebody asked the demonstration to stop.
    pub(super) fn must(
        &mut self,
        id: &'static str,
        what: impl Into<String>,
        look: impl FnMut() -> Result<Found, DemoError>,
    ) -> Result<(), DemoError> {
        let what = what.into();
        match self.until(id, what.clone(), look)? {
            true => Ok(()),
            false => Err(DemoError::NeverCame { what }),
        }
    }

    fn look_until(
        &self,
        what: &str,
        mut look: impl FnMut() -> Result<Found, DemoError>,
    ) -> Result<Found, DemoError> {
        let begun = Instant::now();
        let mut is_shown = false;
        let found = loop {
            self.expect_wanted()?;
            let looked = Instant::now();
            let looked_at = look();
            // Whoever says stop ends the nodes meanwhile, which is no fault of theirs.
            self.expect_wanted()?;
            // A node that has ended does not come back by itself.
            let is_final = matches!(looked_at, Err(DemoError::NotRunning { .. }));
            let found = looked_at.unwrap_or_else(|error| Found::fault(error.to_string()));
            if found.is_well || is_final || begun.elapsed() >= self.deadline {
                break found;
            }
            if !is_shown && begun.elapsed() >= PATIENCE {
                self.narrator.show_waiting(Some(what));
                is_shown = true;
            }
            // Whoever is asked all the time has no time for anything else.
            thread::sleep(looked.elapsed().clamp(PAUSE, PATIENCE));
        };
        if is_shown {
            self.narrator.show_waiting(None);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Narrator for Heard {
        fn say(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }

        fn show_waiting(&self, _what: Option<&str>) {}
    }

    #[test]
    fn what_comes_to_be_in_time_is_well_and_told_with_what_was_found() {
        let (heard, stop) = (Heard::default(), AtomicBool::new(false));
        let mut stage = Stage::new(&heard, &stop);
        let mut looks = 0;
        let is_well = stage.until("grows", "It grows.", || {
            looks += 1;
            Ok(Found { is_well: looks == 3, detail: format!("seen {looks} times") })
        });
        assert!(is_well.unwrap());
        let told = heard.0.lock().unwrap().join("\n");
        assert!(told.contains("holds   It grows.") && told.contains("seen 3 times"), "{told}");
        let checks = stage.into_checks();
        assert!(checks[0].ok && checks[0].id == "grows");
    }

    #[test]
    fn what_never_comes_is_a_failed_check_with_what_was_found_instead() {
        let (heard, stop) = (Heard::default(), AtomicBool::new(false));
        let mut stage = Stage::new(&heard, &stop);
        stage.deadline = Duration::ZERO;
        let refused = || Err(DemoError::NeverCame { what: "it rains".to_owned() });
        assert!(!stage.until("rain", "It rains.", refused).unwrap());
        let error = stage.wait("it snows", || Ok(false)).unwrap_err();
        assert_eq!(error.to_string(), "it never came to be that it snows");
        let told = heard.0.lock().unwrap().join("\n");
        assert!(told.contains("FAILED  It rains."), "{told}");
        let checks = stage.into_checks();
        assert_eq!((checks.len(), checks[0].ok), (1, false));
        assert!(checks[0].detail.contains("it rains"));
    }

    #[test]
    fn a_node_that_has_ended_is_not_waited_for() {
        let (heard, stop) = (Heard::default(), AtomicBool::new(false));
        let mut stage = Stage::new(&heard, &stop);
        let mut looks = 0;
        let is_well = stage.until("gone", "It answers.", || {
            looks += 1;
            Err(DemoError::NotRunning { who: "la-wigan".to_owned(), log: "la-wigan.log".into() })
        });
        assert!(!is_well.unwrap());
        assert_eq!(looks, 1);
    }

    #[test]
    fn whoever_is_asked_to_stop_looks_no_further() {
        let (heard, stop) = (Heard::default(), AtomicBool::new(true));
        let mut stage = Stage::new(&heard, &stop);
        let ended = stage.until("never", "It holds.", || Ok(Found::well(""))).unwrap_err();
        assert!(matches!(ended, DemoError::Interrupted));
        assert!(stage.into_checks().is_empty());
    }
}
