//! `audit replay`: what a bundle comes to, now or on a day.
//!
//! ```text
//!   bundle ──two readings──▶ holdings ──dossier──▶ sight ──▶ state, conflicts, what was frozen
//! ```
//!
//! Every document is built again from its changes; every wording that was put to a decision is rendered
//! anew and compared, by its digest, with what was signed.
//!
//! *Source*: ours.

use std::process::ExitCode;

use concordat_protocol::{audit::Report, decision::Ruling, hash::ArtefactId};
use serde::Serialize;

use super::{EXIT_UNDECIDED, exit_code, opened::Opened, unread::Unread};
use crate::{
    artefact::Sight,
    cli::{
        args::audit::Replay,
        artefact::artefact_in_words,
        error::CliError,
        out::{Out, count_in_words, time_in_words},
    },
    control::AsOf,
    view::artefact::{Artefact, show_of},
};

#[derive(Serialize)]
struct Replayed {
    exit_code: u8,
    /// What the bundle itself was found to be.
    bundle: String,
    /// As of when; none: with all that is in it.
    as_of: Option<String>,
    entries: u64,
    /// The earliest and the latest time that its entries claim.
    first_ms: Option<u64>,
    last_ms: Option<u64>,
    artefacts: Vec<ReplayedArtefact>,
    /// The one that was asked for, in full.
    artefact: Option<Artefact>,
    failures: Vec<String>,
    closing: String,
}

#[derive(Serialize)]
struct ReplayedArtefact {
    artefact: String,
    board: String,
    kind: String,
    title: Option<String>,
    state: String,
    state_name: String,
    entries: usize,
    open_conflicts: usize,
    frozen: Vec<Frozen>,
    /// What is said about it and is not in the file.
    not_here: Vec<Unread>,
}

/// One wording that was put to a decision.
#[derive(Serialize)]
struct Frozen {
    proposal: String,
    /// The digest that the proposal and every sign-off name.
    wording: String,
    /// Whether the text, rendered anew, has this digest.
    matches: bool,
    result: String,
}

pub(super) fn run(args: &Replay, out: &Out) -> Result<ExitCode, CliError> {
    let opened = Opened::read(&args.file, out)?;
    let mut replayed = about(&opened.report, args);
    Replaying { opened: &opened, args, out }.run(&mut replayed)?;
    replayed.exit_code = exit_code(&opened.report, !replayed.failures.is_empty());
    replayed.closing = closing(&replayed);
    out.show(&replayed, &words(&replayed))?;
    Ok(ExitCode::from(replayed.exit_code))
}

fn about(report: &Report, args: &Replay) -> Replayed {
    let claimed = || report.summary.feeds.iter().filter_map(|feed| feed.claimed);
    Replayed {
        exit_code: 0,
        bundle: report.closing(),
        as_of: args.to.clone().or_else(|| args.known_to.clone()),
        entries: report.summary.entries(),
        first_ms: claimed().map(|(first, _)| first.0).min(),
        last_ms: claimed().map(|(_, last)| last.0).max(),
        artefacts: Vec::new(),
        artefact: None,
        failures: Vec::new(),
        closing: String::new(),
    }
}

struct Replaying<'a> {
    opened: &'a Opened,
    args: &'a Replay,
    out: &'a Out,
}

impl Replaying<'_> {
    fn run(&self, replayed: &mut Replayed) -> Result<(), CliError> {
        let as_of = match (&self.args.to, &self.args.known_to) {
            (Some(time), _) => AsOf::By(time.clone()),
            (None, Some(member)) => AsOf::KnownTo(member.clone()),
            (None, None) => AsOf::Now,
        };
        let wanted = self.args.artefact.as_deref();
        let artefacts: Vec<ArtefactId> = match wanted {
            Some(named) => vec![self.opened.artefact(named)?],
            None => self.opened.holdings.artefacts().collect(),
        };
        let bar = self.out.progress(artefacts.len() as u64, "artefacts replayed");
        for artefact in artefacts {
            bar.inc(1);
            match self.opened.sight(&artefact, &as_of) {
                Ok(Some(sight)) => self.look(&sight, wanted.is_some(), replayed),
                // Not begun by then, or its opening is not in the bundle.
                Ok(None) => {}
                Err(refusal) if refusal.code == "newer-kind" => {
                    replayed.failures.push(format!("{artefact}: {}", refusal.message));
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn look(&self, sight: &Sight<'_>, is_wanted: bool, replayed: &mut Replayed) {
        let name = sight.dossier.artefact.to_string();
        if let Err(why) = &sight.seen {
            replayed.failures.push(format!("{name}: its document cannot be built: {why}"));
        }
        let shown = show_of(sight);
        let frozen = frozen(sight);
        for one in frozen.iter().filter(|one| !one.matches) {
            let Frozen { proposal, wording, .. } = one;
            replayed.failures.push(format!(
                "{name}: proposal {proposal} names the wording {wording}, which its text does not have"
            ));
        }
        let open = shown.conflicts.iter().filter(|one| one.settled_in.is_none());
        replayed.artefacts.push(ReplayedArtefact {
            artefact: name,
            board: shown.board.clone(),
            kind: shown.kind.clone(),
            title: shown.title.clone(),
            state: shown.state.clone(),
            state_name: shown.state_name.clone(),
            entries: sight.dossier.entries.len(),
            open_conflicts: open.count(),
            frozen,
            not_here: Unread::of(sight),
        });
        replayed.artefact = is_wanted.then_some(shown);
    }
}

/// Every proposal that may count, with its wording rendered anew.
fn frozen(sight: &Sight<'_>) -> Vec<Frozen> {
    let may_count = sight
        .replay
        .proposals
        .iter()
        .filter(|(_, proposed)| !matches!(proposed.poll.ruling, Ruling::WithoutEffect(_)));
    let proofs = may_count.filter_map(|(id, _)| sight.dossier.proof(sight.ground(), id));
    let frozen = proofs.map(|proof| Frozen {
        proposal: proof.proposal,
        wording: proof.wording.named,
        matches: proof.wording.matches,
        result: proof.result.to_owned(),
    });
    frozen.collect()
}

fn words(replayed: &Replayed) -> Vec<String> {
    let mut lines = vec![replayed.bundle.clone()];
    if let (Some(first), Some(last)) = (replayed.first_ms, replayed.last_ms) {
        let (first, last) = (time_in_words(first), time_in_words(last));
        let entries = replayed.entries;
        lines.push(format!("checked {entries} entries, claimed from {first} to {last}"));
    }
    for one in &replayed.artefacts {
        let title = one.title.as_deref().unwrap_or("(no title)");
        let conflicts = match one.open_conflicts {
            0 => String::new(),
            count => format!(", {}", count_in_words(count, "open conflict", "open conflicts")),
        };
        lines.push(format!("{}  {title:?}, {}{conflicts}  {}", one.kind, one.state, one.artefact));
        lines.extend(one.frozen.iter().map(|frozen| {
            let matches = if frozen.matches { "is the text again" } else { "IS NOT THE TEXT" };
            format!("  frozen {}: {matches}; {}", frozen.wording, frozen.result)
        }));
        lines.extend(one.not_here.iter().map(|unread| format!("  {}", unread.in_words())));
    }
    lines.extend(replayed.artefact.iter().flat_map(artefact_in_words));
    lines.extend(replayed.failures.iter().map(|failure| format!("FAILURE: {failure}")));
    lines.push(replayed.closing.clone());
    lines
}

fn closing(replayed: &Replayed) -> String {
    let artefacts = count_in_words(replayed.artefacts.len(), "artefact", "artefacts");
    let frozen: usize = replayed.artefacts.iter().map(|one| one.frozen.len()).sum();
    let frozen = count_in_words(frozen, "frozen wording", "frozen wordings");
    let when = replayed.as_of.as_ref().map(|when| format!(" as of {when}")).unwrap_or_default();
    let is_whole = replayed.artefacts.iter().all(|one| one.not_here.is_empty());
    let failures = match replayed.failures.len() {
        0 if is_whole && replayed.exit_code != EXIT_UNDECIDED => "no failure".to_owned(),
        0 => "no failure in what could be read, which is not all".to_owned(),
        count => count_in_words(count, "failure", "failures"),
    };
    format!("Replayed {artefacts}{when} and compared {frozen}: {failures}.")
}
