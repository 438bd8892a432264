//! `demo`: a whole partnership on this machine.
//!
//! *Source*: ours.

use std::{
    process::ExitCode,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::ProgressBar;
use serde::Serialize;

use super::{args::Demo, error::CliError, out::Out};
use crate::demo::{self, Check, Narrator, Options};

/// How often the sign of life moves.
const TICK: Duration = Duration::from_millis(120);

#[derive(Serialize)]
struct Report {
    checks: Vec<Check>,
}

pub(super) fn run(args: Demo, out: &Out) -> Result<ExitCode, CliError> {
    let Demo { nodes, engine, once, keep } = args;
    let options = Options { size: nodes, engine, is_once: once || out.is_json(), keep };
    let checks = demo::run(&options, &Teller { out, waiting: Mutex::default() })?;
    let has_failed = checks.is_empty() || checks.iter().any(|check| !check.ok);
    // In words it was told while it happened.
    out.show(&Report { checks }, &[])?;
    Ok(ExitCode::from(u8::from(has_failed)))
}

/// Tells the story on stdout, and what is being waited for on a terminal.
struct Teller<'a> {
    out: &'a Out,
    waiting: Mutex<Option<ProgressBar>>,
}

impl Narrator for Teller<'_> {
    fn say(&self, line: &str) {
        self.show_waiting(None);
        if !self.out.is_json() {
            // Nobody listens any more; the nodes have to be ended all the same.
            let _told = self.out.show(&(), &[line.to_owned()]);
        }
    }

    fn show_waiting(&self, what: Option<&str>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spinner) = waiting.take() {
            spinner.finish_and_clear();
        }
        *waiting = what.map(|what| {
            let spinner = self.out.spinner(what);
            spinner.enable_steady_tick(TICK);
            spinner
        });
    }
}
