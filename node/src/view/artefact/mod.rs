//! `artefact`: what an artefact is, says and waits for, as plain values.
//!
//! | file | what |
//! |---|---|
//! | `lines` | the values, as they are printed and sent |
//! | `fields` | what the document says, with who wrote it |
//! | `history` | everything that was written, in order |
//! | `standing` | why entries do not count, in words |
//! | `wording` | what was put to a decision, field by field |
//!
//! *Invariants.* Two nodes that hold the same show the same, byte by byte: nothing here depends on
//! which node asks, but for what its organisation may not see.
//!
//! *Source*: ours; domain, section 2.12.

mod fields;
mod history;
mod lines;
mod standing;
mod wording;

use concordat_protocol::{
    artefact::{
        kind::Scalar,
        lifecycle::{Claim, Lifecycle, Line, LineKey},
    },
    decision::Written,
    engine::{Begun, BoardView},
    hash::EntryId,
    payload::Audience,
    replay::{Conflict, Said, Standing, Status},
    value::Value,
};

pub use history::{history, history_of};
pub use lines::{
    Artefact, ArtefactLine, ArtefactList, AuthorLine, ClaimLine, ConflictLine, DeedLine, FieldLine,
    History, HoldLine, ItemLine, NotApplied, OfferLine, ProposalLine, ProvenDecision, RemarkLine,
    RowLine, SettlementLine, SideLine, ValueLine, WordingLine,
};
pub use standing::{standing_in_words, status_in_words};
pub use wording::wording_of;

use crate::{
    artefact::{Case, Sight, Span, artefact_named, in_words, settles_in_words},
    control::{AsOf, ListQuery, Refusal},
    replica::{Snapshot, board_named},
};

/// Most artefacts in one answer: each is opened.
const LISTED_MAX: usize = 1_000;

/// Artefacts of a board, the one begun last before the others. Only those shown are opened.
///
/// # Errors
/// - [`Refusal`]: the store could not be read, or nothing is called so.
pub fn list(snapshot: &Snapshot, query: &ListQuery) -> Result<ArtefactList, Refusal> {
    let board = board_named(&snapshot.views, |view| view.board, query.board.as_deref())?;
    let reader = snapshot.reader.apart();
    let begun = board.begun(&reader);
    if let Some(error) = reader.failure() {
        return Err(Refusal::new("store", error));
    }
    let from = match &query.after {
        None => 0,
        Some(named) => place_after(snapshot, board, &begun, named)?,
    };
    let left = begun.get(from..).unwrap_or_default();
    let shown = left.get(..query.limit.min(LISTED_MAX)).unwrap_or(left);
    Ok(ArtefactList {
        board: board.board.to_string(),
        artefacts: shown.iter().map(|one| line(snapshot, board, one)).collect(),
        more: left.len().saturating_sub(shown.len()),
    })
}

/// The place after an artefact that a person named.
fn place_after(
    snapshot: &Snapshot,
    board: &BoardView,
    begun: &[Begun],
    named: &str,
) -> Result<usize, Refusal> {
    let (of, artefact) = artefact_named(snapshot, named)?;
    let place = begun.iter().position(|one| of.board == board.board && one.artefact == artefact);
    place.map(|place| place.saturating_add(1)).ok_or_else(|| {
        let message = format!("{artefact} is not on {}; name that of the last line", board.board);
        Refusal::new("unknown-artefact", message)
    })
}

fn line(snapshot: &Snapshot, board: &BoardView, begun: &Begun) -> ArtefactLine {
    let case = Case::of_artefact(snapshot, board, &begun.artefact, &Span::Look(AsOf::Now)).ok();
    let seen = case.as_ref().and_then(|case| case.seen.as_ref().ok());
    ArtefactLine {
        artefact: begun.artefact.to_string(),
        kind: begun.opening.as_ref().map(|(first, _)| first.kind.clone()).unwrap_or_default(),
        title: case.as_ref().and_then(|case| fields::title(case)),
        state: case.as_ref().map(|case| state(case).0).unwrap_or_default(),
        open_conflicts: seen.map_or(0, |seen| seen.open_conflicts().count()),
    }
}

/// One artefact.
///
/// # Errors
/// - [`Refusal`]: it is not known.
pub fn show(snapshot: &Snapshot, named: &str, as_of: AsOf) -> Result<Artefact, Refusal> {
    Ok(show_of(&*Case::of(snapshot, named, &Span::Look(as_of))?))
}

/// What is in sight.
#[must_use]
pub fn show_of(case: &Sight<'_>) -> Artefact {
    let lifecycle = &case.replay.lifecycle;
    let (state, state_name) = state(case);
    let conflicts = case.seen.as_ref().map(|seen| seen.conflicts.as_slice()).unwrap_or_default();
    Artefact {
        artefact: case.dossier.artefact.to_string(),
        board: case.dossier.board.to_string(),
        kind: case.kind().name.to_owned(),
        label: case.kind().label.to_owned(),
        title: fields::title(case),
        opened_by: case.slug(&case.dossier.opener),
        audience: match &case.replay.audience {
            Audience::Everyone => None,
            Audience::Only(orgs) => Some(orgs.iter().map(|org| case.slug(org)).collect()),
        },
        state,
        state_name,
        is_settled: lifecycle.settled,
        holds: lifecycle.holds.iter().map(|hold| hold_line(case, hold)).collect(),
        suspended: case.seen.as_ref().err().map(ToString::to_string),
        fields: fields::fields(case),
        strays: fields::strays(case),
        rows: rows(case, lifecycle),
        offers: offers(case, lifecycle),
        claims: claims(case, lifecycle),
        proposals: proposals(case),
        remarks: case.replay.remarks.iter().map(|said| remark_line(case, said)).collect(),
        conflicts: conflicts.iter().map(|one| conflict_line(case, one)).collect(),
        settlements: case.replay.settlements.iter().map(|one| settlement_line(case, one)).collect(),
        not_applied: not_applied(case),
    }
}

/// How something was decided, or what each side bound itself to if nobody decides on it.
///
/// # Errors
/// - [`Refusal`]: there is no such proposal.
pub fn proof(
    snapshot: &Snapshot,
    named: &str,
    proposal: Option<&str>,
) -> Result<ProvenDecision, Refusal> {
    proof_of(&*Case::of(snapshot, named, &Span::Prove)?, proposal)
}

/// How what is in sight was decided, acknowledgements included.
///
/// # Errors
/// - [`Refusal`]: there is no such proposal.
pub fn proof_of(case: &Sight<'_>, proposal: Option<&str>) -> Result<ProvenDecision, Refusal> {
    let json = |proof: serde_json::Result<serde_json::Value>| {
        proof.map_err(|why| Refusal::new("output", why))
    };
    let bonds = case.dossier.bonds(case.ground(), &case.replay);
    let (sentence, lines, proof) = if let Some(bonds) = bonds.filter(|_| proposal.is_none()) {
        (bonds.sentence.clone(), bonds.lines(), json(serde_json::to_value(&bonds))?)
    } else {
        let id = crate::artefact::proposal_of(case, proposal)?;
        let proof = case
            .dossier
            .proof(case.ground(), &id)
            .ok_or_else(|| Refusal::new("no-proposal", "the proposal cannot be read here"))?;
        (proof.sentence(), proof.lines(), json(serde_json::to_value(&proof))?)
    };
    let (artefact, title) = (case.dossier.artefact.to_string(), fields::title(case));
    Ok(ProvenDecision { artefact, title, state: state(case).0, sentence, lines, proof })
}

/// What people call the state, and its name.
fn state(case: &Sight<'_>) -> (String, String) {
    let state = case.replay.lifecycle.at(case.as_of);
    (state.label.to_owned(), state.name.to_owned())
}

pub(crate) fn author(case: &Sight<'_>, by: &Written) -> AuthorLine {
    AuthorLine { org: case.slug(&by.org), entry: by.entry.to_string(), at_ms: by.at.0 }
}

fn author_of(case: &Sight<'_>, entry: &EntryId) -> AuthorLine {
    case.written(entry).map_or_else(
        || AuthorLine { org: String::new(), entry: entry.to_string(), at_ms: 0 },
        |by| author(case, by),
    )
}

fn hold_line(case: &Sight<'_>, hold: &concordat_protocol::artefact::lifecycle::Hold) -> HoldLine {
    HoldLine { state: hold.state.to_owned(), by: author_of(case, &hold.entry) }
}

fn rows(case: &Sight<'_>, lifecycle: &Lifecycle) -> Vec<RowLine> {
    let values = |said: &concordat_protocol::artefact::events::Statement| {
        let given = said.given();
        given
            .map(|(param, value)| (param.name.to_owned(), shown(case, param.scalar, value)))
            .collect()
    };
    let rows = lifecycle.rows.iter().map(|(key, row)| RowLine {
        table: key.table.to_owned(),
        did: row.statement.kind.label.to_owned(),
        values: values(&row.statement),
        by: author_of(case, &row.entry),
        is_settled: row.settled,
    });
    rows.collect()
}

fn shown(case: &Sight<'_>, scalar: Scalar, value: &Value) -> String {
    in_words(case, scalar, value)
}

fn offers(case: &Sight<'_>, lifecycle: &Lifecycle) -> Vec<OfferLine> {
    use concordat_protocol::artefact::scalar::quantity;
    let offer = |(key, line): (&LineKey, &Line)| OfferLine {
        org: case.slug(&key.org),
        line: key.line.clone(),
        quantity: quantity(line.qty),
        unit: line.unit.clone(),
        from_ms: line.from.0,
        to_ms: line.to.0,
        confirmed: quantity(line.confirmed),
        claimed: quantity(line.unanswered),
        remaining: quantity(line.remaining()),
        over_claimed: quantity(line.over_claimed()),
        is_recalled: line.recalled.is_some(),
    };
    lifecycle.capacity.lines.iter().map(offer).collect()
}

fn claims(case: &Sight<'_>, lifecycle: &Lifecycle) -> Vec<ClaimLine> {
    use concordat_protocol::artefact::scalar::quantity;
    let claim = |(entry, claim): (&EntryId, &Claim)| ClaimLine {
        by: author_of(case, entry),
        offered_by: case.slug(&claim.line.org),
        line: claim.line.line.clone(),
        quantity: quantity(claim.qty),
        confirmed: quantity(claim.confirmed),
        is_declined: claim.declined,
        is_given_up: claim.given_up,
        is_late: claim.late,
        is_settled: claim.settled,
    };
    lifecycle.capacity.claims.iter().map(claim).collect()
}

fn proposals(case: &Sight<'_>) -> Vec<ProposalLine> {
    let counts = |id: &EntryId| case.replay.entries.get(id) == Some(&Standing::Counts);
    let of = case.replay.proposals.iter().filter(|(id, _)| counts(id));
    let mut lines: Vec<(usize, ProposalLine)> = of
        .map(|(id, one)| {
            let others = case.replay.proposals.keys();
            let before = others.filter(|other| case.replay.is_before(other, id)).count();
            let answers = one.poll.slips.iter().map(|slip| {
                let settled = case.written(&slip.entry).is_some_and(|by| by.settled);
                let why = slip.fate.why();
                let says = why.map_or_else(
                    || slip.answer.to_string(),
                    |why| format!("{}, {why}", slip.answer),
                );
                (case.slug(&slip.org), if settled { says } else { format!("{says} (open)") })
            });
            let line = ProposalLine {
                by: author(case, &one.by),
                digest: data_encoding::HEXLOWER.encode(&one.says.wording.0),
                rule: one.says.rule.clone(),
                closer: case.slug(&one.says.closer),
                closes_at_ms: one.says.closes_at.0,
                result: one.poll.ruling.word().to_owned(),
                is_current: [case.replay.lifecycle.proposal, case.replay.lifecycle.carried]
                    .contains(&Some(*id)),
                answers: answers.collect(),
                amendments: case.replay.amendments(id).len(),
            };
            (before, line)
        })
        .collect();
    lines.sort_by(|a, b| (a.0, &a.1.by.entry).cmp(&(b.0, &b.1.by.entry)));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn remark_line(case: &Sight<'_>, said: &Said) -> RemarkLine {
    RemarkLine {
        kind: said.statement.kind.name.to_owned(),
        text: said.statement.text("text").unwrap_or_default().to_owned(),
        anchor: said.statement.text("anchor").map(ToOwned::to_owned),
        mentions: said.statement.orgs("mentions").map(|org| case.slug(&org)).collect(),
        by: author(case, &said.by),
    }
}

fn conflict_line(case: &Sight<'_>, one: &Conflict) -> ConflictLine {
    let sides = one.sides.iter().map(|side| SideLine {
        says: side.says.clone(),
        orgs: side.orgs.iter().map(|org| case.slug(org)).collect(),
        at_ms: side.at.map(|at| at.0),
    });
    ConflictLine {
        code: one.code.to_string(),
        about: one.about.clone(),
        sides: sides.collect(),
        settled_by_whom: settles_in_words(one.code.settles()).to_owned(),
        settled_in: one.settled_by.map(|entry| author_of(case, &entry)),
    }
}

fn settlement_line(case: &Sight<'_>, said: &Said) -> SettlementLine {
    let text = |name: &str| said.statement.text(name).map(ToOwned::to_owned);
    SettlementLine {
        code: text("code").unwrap_or_default(),
        about: text("field").unwrap_or_default(),
        chosen: text("chosen").unwrap_or_default(),
        reason: text("reason"),
        by: author(case, &said.by),
    }
}

/// Entries and changes without effect, each with the reason.
fn not_applied(case: &Sight<'_>) -> Vec<NotApplied> {
    let mut lines = Vec::new();
    let mut add = |entry: &EntryId, what: &str, why: String| {
        lines.push(NotApplied { what: what.to_owned(), why, by: author_of(case, entry) });
    };
    for one in &case.dossier.entries {
        let id = one.by.entry;
        let standing = case.replay.entries.get(&id).copied();
        if let Some(standing) = standing.filter(|standing| *standing != Standing::Counts) {
            add(&id, &one.kind.to_string(), standing_in_words(standing));
        } else if let Some(why) = case.replay.lifecycle.why_not(&id) {
            add(&id, &one.kind.to_string(), why);
        }
    }
    for change in &case.replay.changes {
        match &change.status {
            Status::Applied | Status::Entry(_) => {}
            status @ (Status::Refused(_) | Status::Shares { .. } | Status::Unknown { .. }) => {
                add(&change.entry, "change", status_in_words(status));
            }
        }
    }
    lines.sort_by(|a, b| (&a.by.entry, &a.what, &a.why).cmp(&(&b.by.entry, &b.what, &b.why)));
    lines
}
