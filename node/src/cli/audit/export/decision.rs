//! One decision as a directory that anybody can check, and archives take in.
//!
//! ```text
//!   whole ──excerpt──▶ decision.bundle ──read again──▶ the same answer? ──▶ all other files from it
//!                                                                      ──▶ manifest ──renamed──▶ DIR
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `README.txt` | `page`: what this is, who decided what, how to check it by hand |
//! | `decision.bundle` | the evidence: the board, and of content that of this artefact alone |
//! | `wording.txt` | the text that was put to the decision, byte by byte |
//! | `decision.json`, `decision.html` | derived: what `audit prove` answers |
//! | `proofs/*.tlog-proof` | `proofs`: each entry that it rests on, under a checkpoint of its feed (C2SP) |
//! | `policies/*.txt` | whose cosignatures a checkpoint of each of these feeds needs (C2SP) |
//! | `anchor.txt` | board, newest head of each feed, version of the program |
//! | `manifest-sha256.txt` | `folder`: digests of all of it, as BagIt has them |
//!
//! *Invariants.* Every other file follows from `decision.bundle`, which gives the same answer as the whole did.
//! Nothing of another artefact's content is in it. The directory is there whole, or not at all.
//!
//! *Source*: ours; BagIt (RFC 8493, section 2.1.3) for the manifest.

use std::{collections::BTreeSet, process::ExitCode};

use concordat_protocol::{audit::Selection, decision::Proof, hash::ArtefactId};
use serde::Serialize;
use serde_json::Value;

use super::{
    excerpt,
    folder::{Folder, HeldFile},
    page,
    proofs::{self, Logs},
};
use crate::{
    cli::{
        args::audit::Export,
        audit::{
            opened::Opened,
            page as html,
            prove::{self, Proven},
            source::Source,
            unread,
        },
        error::CliError,
        export::heads,
        out::{Out, bytes_in_words, count_in_words},
    },
    control::Refusal,
};

/// The bundle's name in the directory.
pub(super) const BUNDLE: &str = "decision.bundle";
/// What is said of the derived files, in the one that programs read.
const DERIVED: &str = "worked out from decision.bundle, and proof of nothing by itself: work it out again with \
                       `concordat audit prove`";

/// What was made.
#[derive(Debug, Serialize)]
struct Exported {
    exit_code: u8,
    directory: String,
    artefact: String,
    proposal: String,
    /// The result in one sentence.
    sentence: String,
    /// The entries that it rests on, and by what each is proven.
    entries: Vec<proofs::LogLine>,
    files: Vec<HeldFile>,
}

#[derive(Serialize)]
struct Derived<'a> {
    derived: &'static str,
    #[serde(flatten)]
    proven: &'a Proven,
}

/// Exports the artefact that a person named.
pub(super) fn run(args: &Export, named: &str, out: &Out) -> Result<ExitCode, CliError> {
    let mut folder = Folder::beside(&args.out)?;
    let source = Source::of(&args.file, out)?;
    let whole = Opened::of(&source, &args.file, out)?;
    excerpt::expect_checked(&whole)?;
    let artefact = whole.artefact(named)?;
    let expected = prove::prove(&whole, &artefact, args.proposal.as_deref())?;
    expect_all_read(&expected)?;
    write_excerpt(&whole, &source, &artefact, &mut folder, out)?;
    let part = Opened::read(&folder.path(BUNDLE), out)?;
    let proven = prove::prove(&part, &artefact, args.proposal.as_deref())?;
    expect_same(&expected, &proven)?;
    let proof = proven.proof.as_ref().ok_or_else(no_proposal)?;
    let logs = Logs::of(&part, proof, out);
    write_rest(&mut folder, &part, (&proven, proof), &logs)?;
    let exported = Exported {
        exit_code: proven.exit_code,
        directory: args.out.display().to_string(),
        artefact: proven.decision.artefact.clone(),
        proposal: proof.proposal.clone(),
        sentence: proven.decision.sentence.clone(),
        entries: logs.lines(),
        files: folder.finish()?,
    };
    out.show(&exported, &words(&exported, &part))?;
    Ok(ExitCode::from(exported.exit_code))
}

/// A decision told without one of its votes is another.
fn expect_all_read(proven: &Proven) -> Result<(), Refusal> {
    if proven.not_here.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the bundle does not have all that was written about it: {}; another member's bundle may be whole",
        unread::in_words(&proven.not_here)
    );
    Err(Refusal::new("unchecked", message))
}

fn no_proposal() -> Refusal {
    let message = "nobody votes on this kind of artefact, so there is no decision to export; `concordat audit \
                   prove` tells who is bound to what";
    Refusal::new("no-proposal", message)
}

fn write_excerpt(
    whole: &Opened,
    source: &Source,
    artefact: &ArtefactId,
    folder: &mut Folder,
    out: &Out,
) -> Result<(), CliError> {
    let board = whole.holdings.dossier(artefact, false).map(|dossier| dossier.board);
    let boards = BTreeSet::from([board.ok_or_else(|| prove::not_begun(artefact))?]);
    let meant = (Selection::about(*artefact), &boards);
    excerpt::write((whole, source), meant, &folder.path(BUNDLE), out)?;
    Ok(folder.take(BUNDLE)?)
}

/// The excerpt must give the answer of the whole: text, votes, rule, result.
fn expect_same(whole: &Proven, part: &Proven) -> Result<(), CliError> {
    let said = |proven: &Proven| -> Result<Value, CliError> {
        let mut value = serde_json::to_value(proven)?;
        // It names the file, and what is withheld in it.
        value.as_object_mut().map(|fields| fields.remove("input"));
        Ok(value)
    };
    if said(whole)? == said(part)? {
        return Ok(());
    }
    let message = "without the content of other artefacts the bundle gives another answer, which is a fault \
                   of this program; hand on the whole bundle, and report it";
    Err(Refusal::new("excerpt", message).into())
}

fn write_rest(
    folder: &mut Folder,
    part: &Opened,
    (proven, proof): (&Proven, &Proof),
    logs: &Logs,
) -> Result<(), CliError> {
    folder.add("wording.txt", proof.wording.snapshot.as_bytes())?;
    let mut derived = serde_json::to_vec_pretty(&Derived { derived: DERIVED, proven })?;
    derived.push(b'\n');
    folder.add("decision.json", &derived)?;
    folder.add("decision.html", html::of(proven).as_bytes())?;
    folder.add("anchor.txt", anchor(part).as_bytes())?;
    for (name, bytes) in logs.files() {
        folder.add(&name, &bytes)?;
    }
    let page = page::text(&part.report, (proven, proof), logs);
    Ok(folder.add("README.txt", page.as_bytes())?)
}

/// What ties the directory to the world: the board of the minutes, and how far each feed went.
fn anchor(part: &Opened) -> String {
    let summary = &part.report.summary;
    let mut text = format!("made by Concordat {}\n\n", env!("CARGO_PKG_VERSION"));
    for board in &summary.boards {
        text.push_str(&format!("board {:?}\n{}\n\n", board.title, board.board));
    }
    text.push_str(&heads(&summary.feeds));
    text
}

fn words(exported: &Exported, part: &Opened) -> Vec<String> {
    let bytes = exported.files.iter().map(|file| file.bytes).sum();
    let mut lines = part.input().verdict();
    lines.extend(exported.entries.iter().map(proofs::LogLine::in_words));
    lines.push(exported.sentence.clone());
    lines.push(format!(
        "wrote {}, {}, to {}; its README.txt says how to check them",
        count_in_words(exported.files.len(), "file", "files"),
        bytes_in_words(bytes),
        exported.directory
    ));
    lines
}
