//! `doctor`: looks at all that keeps a node from working, and says what to do.
//!
//! | file | what it looks at |
//! |---|---|
//! | `machine` | config, keys, store, disk, clock, ports of this machine |
//! | `partners` | every address of every partner, by dialling it |
//! | `firewall` | what a firewall has to let through, line by line |
//!
//! | exit code | means |
//! |---|---|
//! | 0 | all is well |
//! | 1 | there is something to mend |
//! | 2 | nothing could be looked at |
//!
//! *Invariants.* Nothing is changed. Codes are never reused for another meaning. Whatever is to be mended
//! says what to do next.
//!
//! *Source*: ours.

mod firewall;
mod machine;
mod partners;

use std::process::ExitCode;

use serde::Serialize;

use super::{
    context::Context,
    error::CliError,
    out::{Out, count_in_words},
};

/// How something was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Well,
    /// Worth knowing; nothing has to be done.
    Note,
    /// To be mended.
    Mend,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    state: State,
    /// Stable.
    code: &'static str,
    /// What was looked at: a part of the node, or a partner and an address.
    about: String,
    /// What was found.
    says: String,
    /// What to do, if there is something to mend.
    next: Option<String>,
}

impl Finding {
    fn well(code: &'static str, about: impl Into<String>, says: impl Into<String>) -> Self {
        Self { state: State::Well, code, about: about.into(), says: says.into(), next: None }
    }

    fn note(code: &'static str, about: impl Into<String>, says: impl Into<String>) -> Self {
        Self { state: State::Note, ..Self::well(code, about, says) }
    }

    fn mend(
        code: &'static str,
        about: impl Into<String>,
        says: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let next = Some(next.into());
        Self { state: State::Mend, next, ..Self::well(code, about, says) }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    /// How many findings are to be mended.
    to_mend: usize,
    findings: Vec<Finding>,
    /// Rules to ask for, one a line.
    firewall: Vec<String>,
}

pub(super) fn run(context: &Context, out: &Out) -> Result<ExitCode, CliError> {
    let machine = machine::look(context)?;
    let partners = partners::look(&machine)?;
    let firewall = firewall::rules(&machine.config, &partners.addresses);
    let findings = [machine.findings, partners.findings].concat();
    let to_mend = findings.iter().filter(|finding| finding.state == State::Mend).count();
    let report = Report { version: env!("CARGO_PKG_VERSION"), to_mend, findings, firewall };
    out.show(&report, &words(&report))?;
    Ok(ExitCode::from(u8::from(to_mend > 0)))
}

fn words(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for Finding { state, code, about, says, next } in &report.findings {
        lines.push(match state {
            State::Well => format!("well  {about}: {says}"),
            State::Note => format!("note  {about}: {says}"),
            State::Mend => format!("MEND  {about}: {says} [{code}]"),
        });
        lines.extend(next.iter().map(|next| format!("      next: {next}")));
    }
    if !report.firewall.is_empty() {
        lines.push("a firewall has to let through:".to_owned());
        lines.extend(report.firewall.iter().map(|rule| format!("  {rule}")));
    }
    lines.push(match report.to_mend {
        0 => "all is well".to_owned(),
        count => format!("{} to mend", count_in_words(count, "thing", "things")),
    });
    lines
}
