//! `board draft`, `board accept`, `board found`, `board join`: a board is founded by files.
//!
//! ```text
//!   cards of all ──draft──▶ draft ──accept, by each──▶ acceptances ──found──▶ board ──join, by each
//! ```
//!
//! Each step is made by one organisation on its own machine with its own keys, and refuses what does
//! not fit what it holds.
//!
//! *Source*: ours; formats, section 8.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use concordat_protocol::{
    charter::{AcceptRole, Acceptance, Charter, Founding, Slug},
    hash::OrgId,
    time::TimeMs,
};
use serde::Serialize;

use super::{
    args::{BoardAccept, BoardDraft, BoardFound, BoardJoin},
    context::Context,
    error::CliError,
    out::{Out, count_in_words},
};
use crate::{
    clock,
    control::{Answer, Joined, Refusal, Request},
    draft,
    home::{Readers, create_file},
    organisation::Organisation,
    paper::{self, AcceptancePaper, BoardPaper, DraftPaper, PaperError},
    view::charter_in_words,
};

/// What a step made.
#[derive(Serialize)]
struct Step {
    board: String,
    title: String,
    out: Option<PathBuf>,
}

impl Step {
    fn of(charter: &Charter, board: impl ToString, out: Option<&Path>) -> Self {
        let out = out.map(Path::to_path_buf);
        Self { board: board.to_string(), title: charter.title.clone(), out }
    }
}

pub(super) fn draft(args: &BoardDraft, out: &Out) -> Result<(), CliError> {
    let paper = draft::read(&args.file, clock::nonce()?)?;
    create_file(&args.out, paper.to_text().as_bytes(), Readers::Everyone)?;
    let mut words = charter_in_words(paper.charter(), None, now());
    words.push(format!(
        "wrote the draft to {}; hand it to every member, to be accepted",
        args.out.display()
    ));
    out.show(&Step::of(paper.charter(), paper.board(), Some(&args.out)), &words)
}

pub(super) fn accept(context: &Context, args: &BoardAccept, out: &Out) -> Result<(), CliError> {
    let draft = read(&args.draft, DraftPaper::from_text)?;
    let organisation = context.organisation()?;
    let slug = own_slug(&draft, &organisation)?;
    let charter = draft.charter().hash();
    let org = organisation.id();
    let feed = Acceptance::sign(charter, org, AcceptRole::Feed, &organisation.feed_signer());
    let witness =
        Acceptance::sign(charter, org, AcceptRole::Witness, &organisation.witness_signer());
    let paper = AcceptancePaper::new(charter, feed, witness);
    create_file(&args.out, paper.to_text(slug.as_str()).as_bytes(), Readers::Everyone)?;
    let mut words = charter_in_words(draft.charter(), Some(&org), now());
    words.push(format!(
        "accepted as {slug} with both keys; hand {} to whoever founds the board",
        args.out.display()
    ));
    out.show(&Step::of(draft.charter(), draft.board(), Some(&args.out)), &words)
}

/// This organisation's short name in the draft, which must name its own keys and no others.
fn own_slug(draft: &DraftPaper, organisation: &Organisation) -> Result<Slug, Refusal> {
    let (charter, card) = (draft.charter(), organisation.paper().card().card());
    let Some(member) = charter.member(&card.org) else {
        let slugs: Vec<String> = charter.members.iter().map(|one| one.slug.to_string()).collect();
        let message = format!(
            "{} is not a member in this draft; its members are {}",
            organisation.paper().inception().legal_name,
            slugs.join(", ")
        );
        return Err(Refusal::new("not-a-member", message));
    };
    let recovery = organisation.paper().inception().recovery_digest;
    for (key, fits) in [
        ("feed", member.feed_key == card.feed_key),
        ("witness", member.witness_key == card.witness_key),
        ("recovery", member.recovery_digest == recovery),
    ] {
        if !fits {
            let message = format!(
                "the draft names another {key} key for {} than this organisation has; have it \
                 drafted again with its newest card, and find out where the other key came from",
                member.slug
            );
            return Err(Refusal::new("charter-key", message));
        }
    }
    Ok(member.slug.clone())
}

pub(super) fn found(context: &Context, args: &BoardFound, out: &Out) -> Result<(), CliError> {
    let draft = read(&args.draft, DraftPaper::from_text)?;
    let organisation = context.organisation()?;
    // Founding is joining: who may not accept the draft may not found it.
    own_slug(&draft, &organisation)?;
    let acceptances = collect(&draft, &args.acceptances)?;
    let founding = Founding::new(draft.charter(), &acceptances)
        .map_err(|why| CliError::paper(&args.draft)(why.into()))?;
    let paper =
        BoardPaper::new(founding, draft.cards().to_vec()).map_err(CliError::paper(&args.draft))?;
    let text = paper.to_text();
    create_file(&args.out, text.as_bytes(), Readers::Everyone)?;
    let joined = ask_to_join(context, text)?;
    let words = [
        format!("founded {:?} with {}", joined.title, members(draft.charter())),
        format!("  {}", joined.board),
        format!("hand {} to every other member, to join with", args.out.display()),
    ];
    out.show(&Step::of(draft.charter(), draft.board(), Some(&args.out)), &words)
}

/// Everybody's acceptances; names all who are missing.
fn collect(draft: &DraftPaper, paths: &[PathBuf]) -> Result<Vec<Acceptance>, CliError> {
    let charter = draft.charter();
    let mut given: BTreeMap<OrgId, AcceptancePaper> = BTreeMap::new();
    for path in paths {
        let paper = read(path, AcceptancePaper::from_text)?;
        if paper.charter() != charter.hash() {
            let message = format!(
                "{} accepts another charter than this draft ({} and not {}); ask for an \
                 acceptance of this one",
                path.display(),
                paper.charter(),
                charter.hash()
            );
            return Err(Refusal::new("other-charter", message).into());
        }
        given.insert(paper.org(), paper);
    }
    let missing: Vec<String> = charter
        .members
        .iter()
        .filter(|member| !given.contains_key(&member.org))
        .map(|member| member.slug.to_string())
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "{} not accepted yet: {}; ask for the acceptance file",
            count_in_words(missing.len(), "member has", "members have"),
            missing.join(", ")
        );
        return Err(Refusal::new("not-accepted", message).into());
    }
    Ok(given.values().flat_map(AcceptancePaper::both).collect())
}

pub(super) fn join(context: &Context, args: &BoardJoin, out: &Out) -> Result<(), CliError> {
    let text = paper::read_text(&args.file).map_err(CliError::paper(&args.file))?;
    let paper = BoardPaper::from_text(&text).map_err(CliError::paper(&args.file))?;
    let charter = paper.founding().charter();
    let joined = ask_to_join(context, text)?;
    let what = if joined.was_joined { "was on" } else { "joined" };
    let words = [
        format!("{what} {:?} with {}", joined.title, members(charter)),
        format!("  {}", joined.board),
    ];
    out.show(&Step::of(charter, paper.founding().board(), None), &words)
}

fn ask_to_join(context: &Context, paper: String) -> Result<Joined, CliError> {
    match context.ask(Request::Join { paper })? {
        Answer::Joined(joined) => Ok(joined),
        _ => Err(CliError::OtherAnswer),
    }
}

fn members(charter: &Charter) -> String {
    count_in_words(charter.members.len(), "member", "members")
}

fn now() -> TimeMs {
    TimeMs(clock::now_ms())
}

fn read<T>(path: &Path, parse: fn(&str) -> Result<T, PaperError>) -> Result<T, CliError> {
    let text = paper::read_text(path).map_err(CliError::paper(path))?;
    parse(&text).map_err(CliError::paper(path))
}
