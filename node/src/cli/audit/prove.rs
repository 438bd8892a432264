//! `audit prove`: who decided what, from a bundle alone.
//!
//! ```text
//!   bundle ──dossier──▶ sight ──▶ proof: wording, votes, rules line by line, what is missing
//!                             ──▶ what was put to the vote, options, interests declared, positions
//!                        ──▶ words, JSON, one page (`page`), PROV-JSON (`prov`)
//! ```
//!
//! *Invariants.* The proof is the one that nodes give (`artefact prove`). What is said of the wording is
//! read from the frozen snapshot, never from the document as it is now.
//!
//! *Source*: ours.

use std::process::ExitCode;

use concordat_protocol::{decision::Proof, hash::ArtefactId};
use serde::Serialize;

use super::{
    EXIT_UNDECIDED, exit_code,
    opened::{Input, Opened},
    page, prov,
    unread::{self, Unread},
};
use crate::{
    artefact::{Sight, proposal_of},
    cli::{
        args::audit::Prove,
        artefact::proof_in_words,
        error::CliError,
        out::{Out, time_in_words},
    },
    control::{AsOf, Refusal},
    home::{Readers, create_file},
    view::artefact::{DeedLine, ProvenDecision, WordingLine, history_of, proof_of, wording_of},
};

/// How something was decided, with what an auditor asks beside.
#[derive(Debug, Serialize)]
pub(super) struct Proven {
    pub(super) exit_code: u8,
    pub(super) decision: ProvenDecision,
    /// What was put to the vote, field by field, as people read it.
    pub(super) wording: Vec<WordingLine>,
    /// The options in it.
    pub(super) options: Vec<OptionLine>,
    pub(super) interests: Vec<DeedLine>,
    pub(super) positions: Vec<DeedLine>,
    /// Whether members ratify what was recommended to them.
    pub(super) ratifications: Vec<DeedLine>,
    /// What speaks against it; without any the exit code is that of the bundle.
    pub(super) findings: Vec<String>,
    /// What is said about it and is not in the file; it may be decided otherwise.
    pub(super) not_here: Vec<Unread>,
    pub(super) input: Input,
    /// Of a decision, not of an agreement that nobody votes on.
    #[serde(skip)]
    pub(super) proof: Option<Proof>,
}

/// One of the options that were put to the vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct OptionLine {
    pub(super) label: String,
    /// `preferred` or `rejected`, if that was said.
    pub(super) result: Option<String>,
    pub(super) why: Option<String>,
}

pub(super) fn run(args: &Prove, out: &Out) -> Result<ExitCode, CliError> {
    let opened = Opened::read(&args.file, out)?;
    let artefact = opened.artefact(&args.artefact)?;
    let proven = prove(&opened, &artefact, args.proposal.as_deref())?;
    // What cannot be made leaves no file behind.
    let prov = match &args.prov {
        Some(path) => Some((path, prov_of(&proven)?)),
        None => None,
    };
    let mut words = words(&proven);
    if let Some(path) = &args.html {
        create_file(path, page::of(&proven).as_bytes(), Readers::Everyone)?;
        words.push(format!("wrote it as a page: {}", path.display()));
    }
    if let Some((path, document)) = prov {
        create_file(path, &document, Readers::Everyone)?;
        words.push(format!("wrote where it comes from: {}", path.display()));
    }
    out.show(&proven, &words)?;
    Ok(ExitCode::from(proven.exit_code))
}

/// How an artefact of a bundle was decided: its last proposal, or the one that is named.
pub(super) fn prove(
    opened: &Opened,
    artefact: &ArtefactId,
    proposal: Option<&str>,
) -> Result<Proven, Refusal> {
    let sight = opened.sight(artefact, &AsOf::Now)?;
    let sight = sight.ok_or_else(|| opened.doubted(not_begun(artefact)))?;
    let proven = proven(&sight, proposal, opened.input());
    let mut proven = proven.map_err(|refusal| opened.doubted(refusal))?;
    proven.exit_code = match exit_code(&opened.report, !proven.findings.is_empty()) {
        0 if !proven.not_here.is_empty() => EXIT_UNDECIDED,
        code => code,
    };
    Ok(proven)
}

/// What to say where the opening of an artefact is missing.
pub(super) fn not_begun(artefact: &ArtefactId) -> Refusal {
    let message = format!("the bundle does not hold how {artefact} was begun");
    Refusal::new("unknown-artefact", message)
}

fn prov_of(proven: &Proven) -> Result<Vec<u8>, CliError> {
    let proof = proven.proof.as_ref().ok_or_else(|| {
        let message = "nobody votes on this kind of artefact; leave --prov out";
        Refusal::new("no-proposal", message)
    })?;
    Ok(serde_json::to_vec_pretty(&prov::of(proven, proof))?)
}

fn proven(sight: &Sight<'_>, proposal: Option<&str>, input: Input) -> Result<Proven, Refusal> {
    let not_here = Unread::of(sight);
    let decision = proof_of(sight, proposal).map_err(|refusal| match refusal.code.as_str() {
        "no-proposal" if not_here.is_empty() => {
            let message = "it was never put to a decision, as far as the bundle tells";
            Refusal::new("no-proposal", message)
        }
        "no-proposal" => {
            let message = format!(
                "the bundle cannot tell what was decided about it: {}; ask a member of its audience",
                unread::in_words(&not_here)
            );
            Refusal::new("no-proposal", message)
        }
        _ => refusal,
    })?;
    // An agreement that nobody votes on has no proposal.
    let id = proposal_of(sight, proposal).ok();
    let proof = id.and_then(|id| sight.dossier.proof(sight.ground(), &id));
    let snapshot = proof.as_ref().map_or("", |proof| &proof.wording.snapshot);
    let wording = wording_of(sight, snapshot);
    let deeds = history_of(sight).deeds;
    let named = |what: &str| deeds.iter().filter(|one| one.what == what).cloned().collect();
    Ok(Proven {
        exit_code: 0,
        decision,
        options: options(&wording),
        wording,
        interests: named("declare_interest"),
        positions: named("position"),
        ratifications: named("ratify"),
        findings: proof.as_ref().map(findings).unwrap_or_default(),
        not_here,
        input,
        proof,
    })
}

fn findings(proof: &Proof) -> Vec<String> {
    let wording = (!proof.wording.matches).then(|| {
        format!("the frozen text does not have the digest that was signed, {}", proof.wording.named)
    });
    let flags = proof.flags.iter().map(|flag| format!("{}: {}", flag.code, flag.words));
    wording.into_iter().chain(flags).collect()
}

/// Items of the field `options`.
fn options(wording: &[WordingLine]) -> Vec<OptionLine> {
    let part = |number: usize, name: &str| {
        let path = format!("options/{number}/{name}");
        wording.iter().find(|line| line.path == path).map(|line| line.says.clone())
    };
    let is_there = |number: &usize| {
        let before = format!("options/{number}/");
        wording.iter().any(|line| line.path.starts_with(&before))
    };
    let option = |number| OptionLine {
        label: part(number, "label").unwrap_or_else(|| format!("option {number}")),
        result: part(number, "result"),
        why: part(number, "why"),
    };
    (1..).take_while(is_there).map(option).collect()
}

fn words(proven: &Proven) -> Vec<String> {
    let mut lines = proven.input.verdict();
    let mut proof = proof_in_words(&proven.decision);
    let sentence = proof.pop();
    lines.extend(proof);
    for option in &proven.options {
        let OptionLine { label, result, why } = option;
        let result = result.as_ref().map(|result| format!(", {result}")).unwrap_or_default();
        let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        lines.push(format!("Option {label:?}{result}{why}"));
    }
    if proven.proof.is_some() && proven.interests.is_empty() {
        lines.push("Interests declared: none".to_owned());
    }
    lines.extend(proven.interests.iter().map(|one| format!("Interest: {}", deed(one))));
    lines.extend(proven.positions.iter().map(|one| format!("Position: {}", deed(one))));
    lines.extend(proven.ratifications.iter().map(|one| format!("Ratification: {}", deed(one))));
    lines.extend(proven.input.in_words());
    lines.extend(proven.findings.iter().map(|finding| format!("FINDING: {finding}")));
    lines.extend(proven.not_here.iter().map(|one| format!("Missing: {}", one.in_words())));
    lines.extend(sentence);
    lines
}

fn deed(one: &DeedLine) -> String {
    let values: Vec<String> =
        one.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let why_not = one.why_not.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let at = time_in_words(one.by.at_ms);
    format!("{}, claimed {at}: {}{why_not}", one.by.org, values.join(", "))
}
