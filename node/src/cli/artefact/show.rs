//! What is shown of artefacts, in words.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        out::{Out, count_in_words, time_in_words},
    },
    control::{Answer, AsOf, ListQuery, Look, Request},
    view::artefact::{
        Artefact, ArtefactList, AuthorLine, ClaimLine, ConflictLine, FieldLine, History, OfferLine,
        ProposalLine, ProvenDecision, RowLine,
    },
};

/// A text that is longer is shown from its beginning.
const TEXT_CHARS_MAX: usize = 400;
/// Artefacts that are asked for at a time.
const PAGE: usize = 100;

pub(super) fn list(list: &ArtefactList) -> Vec<String> {
    let line = |one: &crate::view::artefact::ArtefactLine| {
        let title = one.title.as_deref().unwrap_or("(no title)");
        let conflicts = match one.open_conflicts {
            0 => String::new(),
            count => format!(", {}", count_in_words(count, "open conflict", "open conflicts")),
        };
        format!("{}  {:?}, {}{conflicts}  {}", one.kind, title, one.state, one.artefact)
    };
    let mut lines: Vec<String> = list.artefacts.iter().map(line).collect();
    match (list.artefacts.last(), list.more) {
        (None, 0) => lines.push("there are no artefacts here".to_owned()),
        (Some(last), more) if more > 0 => {
            lines.push(format!("{more} more; go on with --after {}", last.artefact));
        }
        (Some(_) | None, _) => {}
    }
    lines
}

pub(in crate::cli) fn proof(proof: &ProvenDecision) -> Vec<String> {
    let title = proof.title.as_deref().unwrap_or("(no title)");
    let mut lines = vec![format!("{title:?}, now: {}", proof.state)];
    lines.extend(proof.lines.iter().cloned());
    lines
}

pub(super) fn history(history: &History) -> Vec<String> {
    let title = history.title.as_deref().unwrap_or("(no title)");
    let mut lines = vec![format!("{title:?}, now: {}", history.state)];
    for one in &history.deeds {
        let role = one.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
        let values: Vec<String> =
            one.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let said =
            if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        lines.push(format!("{}{role}  {}{said}", by(&one.by), one.did));
        let known: Vec<String> = one
            .received
            .iter()
            .map(|(org, at)| format!("{org} had it by {}", time_in_words(*at)))
            .collect();
        let settled = if one.is_settled { "settled" } else { "open" };
        let known =
            if known.is_empty() { String::new() } else { format!("; {}", known.join(", ")) };
        lines.push(format!("  {}, {settled}{known}", one.by.entry));
        lines.extend(one.why_not.iter().map(|why| format!("  WITHOUT EFFECT: {why}")));
    }
    lines
}

/// The conflicts of one artefact.
pub(super) fn conflicts(context: &Context, artefact: String, out: &Out) -> Result<(), CliError> {
    let look = Look::Show { artefact, as_of: AsOf::Now };
    match context.ask(Request::Look(look))? {
        Answer::Artefact(artefact) => {
            let words = match artefact.conflicts.as_slice() {
                [] => vec!["there are no conflicts".to_owned()],
                conflicts => conflicts.iter().flat_map(conflict).collect(),
            };
            out.show(&artefact.conflicts, &words)
        }
        _ => Err(CliError::OtherAnswer),
    }
}

/// What nobody has settled, of one artefact.
#[derive(Serialize)]
struct OpenConflicts {
    artefact: String,
    title: Option<String>,
    conflicts: Vec<ConflictLine>,
}

/// The conflicts of every artefact that has one which nobody has settled.
pub(super) fn all_conflicts(
    context: &Context,
    board: Option<String>,
    out: &Out,
) -> Result<(), CliError> {
    let mut found = Vec::new();
    for board in boards(context, board)? {
        let mut after = None;
        loop {
            let query = ListQuery { board: Some(board.clone()), after, limit: PAGE };
            let Answer::Artefacts(page) = context.ask(Request::Look(Look::List(query)))? else {
                return Err(CliError::OtherAnswer);
            };
            for line in page.artefacts.iter().filter(|line| line.open_conflicts > 0) {
                found.push(open_conflicts(context, &line.artefact)?);
            }
            after = page.artefacts.last().map(|last| last.artefact.clone());
            if page.more == 0 || after.is_none() {
                break;
            }
        }
    }
    let words = match found.as_slice() {
        [] => vec!["there are no conflicts that nobody has settled".to_owned()],
        found => found.iter().flat_map(open_conflicts_in_words).collect(),
    };
    out.show(&found, &words)
}

/// The board that was named, or all.
fn boards(context: &Context, named: Option<String>) -> Result<Vec<String>, CliError> {
    if let Some(named) = named {
        return Ok(vec![named]);
    }
    match context.ask(Request::Status)? {
        Answer::Status(status) => Ok(status.boards.into_iter().map(|one| one.board).collect()),
        _ => Err(CliError::OtherAnswer),
    }
}

fn open_conflicts(context: &Context, artefact: &str) -> Result<OpenConflicts, CliError> {
    let look = Look::Show { artefact: artefact.to_owned(), as_of: AsOf::Now };
    let Answer::Artefact(shown) = context.ask(Request::Look(look))? else {
        return Err(CliError::OtherAnswer);
    };
    let Artefact { artefact, title, conflicts, .. } = *shown;
    let conflicts = conflicts.into_iter().filter(|one| one.settled_in.is_none()).collect();
    Ok(OpenConflicts { artefact, title, conflicts })
}

fn open_conflicts_in_words(one: &OpenConflicts) -> Vec<String> {
    let title = one.title.as_deref().unwrap_or("(no title)");
    let mut lines = vec![format!("{title:?}  {}", one.artefact)];
    lines.extend(one.conflicts.iter().flat_map(conflict));
    lines
}

pub(in crate::cli) fn artefact(artefact: &Artefact) -> Vec<String> {
    let title = artefact.title.as_deref().unwrap_or("(no title)");
    let settled = if artefact.is_settled { "settled" } else { "not settled yet" };
    let mut lines = vec![
        format!("{title:?}, {}", artefact.label),
        format!("  {}", artefact.artefact),
        format!("  begun by {}", artefact.opened_by),
        format!("  state: {}, {settled}", artefact.state),
    ];
    for hold in &artefact.holds {
        lines.push(format!("  held in {} by {}", hold.state, by(&hold.by)));
    }
    if let Some(audience) = &artefact.audience {
        lines.push(format!("  audience: {}", audience.join(", ")));
    }
    if let Some(why) = &artefact.suspended {
        lines.push(format!("  SUSPENDED on this node: {why}"));
    }
    let places = places(&artefact.fields);
    let fields = artefact.fields.iter().flat_map(|one| field(one, &places));
    section(&mut lines, &fields_title(&artefact.proposals), fields);
    section(&mut lines, "strays", artefact.strays.iter().map(|path| format!("  {path}")));
    section(&mut lines, "said", artefact.rows.iter().map(row));
    section(&mut lines, "offered", artefact.offers.iter().map(offer));
    section(&mut lines, "claimed", artefact.claims.iter().map(claim));
    section(&mut lines, "decided", artefact.proposals.iter().flat_map(proposal));
    section(
        &mut lines,
        "remarks",
        artefact.remarks.iter().map(|one| {
            let about = one.anchor.as_ref().map(|at| format!(" on {at}")).unwrap_or_default();
            format!("  {}{about} by {}: {}", one.kind, by(&one.by), one.text)
        }),
    );
    section(
        &mut lines,
        "settled",
        artefact.settlements.iter().map(|one| {
            let reason = one.reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("  {} on {} by {}: {}{reason}", one.code, one.about, by(&one.by), one.chosen)
        }),
    );
    section(&mut lines, "conflicts", artefact.conflicts.iter().flat_map(conflict));
    section(
        &mut lines,
        "without effect",
        artefact
            .not_applied
            .iter()
            .map(|one| format!("  {} by {}: {}", one.what, by(&one.by), one.why)),
    );
    lines
}

/// What stands in the fields may not be what was decided.
fn fields_title(proposals: &[ProposalLine]) -> String {
    let last = proposals.iter().rfind(|one| one.is_current);
    match last.map_or(0, |one| one.amendments) {
        0 => "fields".to_owned(),
        count => {
            let (changes, are) = match count {
                1 => ("1 change that came".to_owned(), "is"),
                count => (format!("{count} changes that came"), "are"),
            };
            format!(
                "fields, with {changes} after the text was fixed and {are} only proposed (`prove` shows the fixed text)"
            )
        }
    }
}

fn section(lines: &mut Vec<String>, title: &str, more: impl Iterator<Item = String>) {
    let more: Vec<String> = more.collect();
    if !more.is_empty() {
        lines.push(format!("{title}:"));
        lines.extend(more);
    }
}

fn by(author: &AuthorLine) -> String {
    format!("{}, {}", author.org, time_in_words(author.at_ms))
}

fn authors(authors: &[AuthorLine]) -> String {
    let each: Vec<String> = authors.iter().map(by).collect();
    each.join("; ")
}

/// Ids of items, and the places by which people can name them.
pub(in crate::cli) fn places(fields: &[FieldLine]) -> BTreeMap<&str, String> {
    let mut places = BTreeMap::new();
    for field in fields {
        let shown = field.items.iter().filter(|item| item.presence != "removed");
        let numbered = (1..).zip(shown);
        places
            .extend(numbered.map(|(place, item): (u64, _)| (item.id.as_str(), place.to_string())));
    }
    places
}

/// A path with items by their places: `finance/split/1/pence`.
pub(in crate::cli) fn by_place(path: &str, places: &BTreeMap<&str, String>) -> String {
    let parts = path.split('/');
    let parts: Vec<&str> =
        parts.map(|part| places.get(part).map_or(part, String::as_str)).collect();
    parts.join("/")
}

fn field(field: &FieldLine, places: &BTreeMap<&str, String>) -> Vec<String> {
    let mut lines = Vec::new();
    let path = by_place(&field.path, places);
    if let Some(text) = &field.text {
        let shown: String = text.chars().take(TEXT_CHARS_MAX).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        lines.push(format!("  {path}: {shown}{more}  ({})", field.text_by.join(", ")));
    }
    for value in &field.values {
        let problem =
            value.problem.as_ref().map(|why| format!(" INVALID: {why}")).unwrap_or_default();
        let authors = authors(&value.by);
        lines.push(format!("  {path}: {}{problem}  ({authors})", value.shown));
    }
    for item in &field.items {
        let presence = match item.presence.as_str() {
            "present" => String::new(),
            other => format!(", {other}"),
        };
        let item_path = by_place(&format!("{}/{}", field.path, item.id), places);
        lines.push(format!("  {item_path}: item {}{presence}  ({})", item.id, authors(&item.by)));
    }
    if field.is_overwritten {
        lines.push(format!("  {path}: overwritten, and cannot be read"));
    }
    lines
}

fn row(row: &RowLine) -> String {
    let values: Vec<String> =
        row.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let open = if row.is_settled { "" } else { ", open" };
    format!("  {}: {}  ({}{open})", row.did, values.join(", "), by(&row.by))
}

fn offer(offer: &OfferLine) -> String {
    let recalled = if offer.is_recalled { ", recalled" } else { "" };
    format!(
        "  {} {} by {}, {} to {}: confirmed {}, claimed {}, remaining {}{recalled}",
        offer.quantity,
        offer.unit,
        offer.org,
        time_in_words(offer.from_ms),
        time_in_words(offer.to_ms),
        offer.confirmed,
        offer.claimed,
        offer.remaining
    )
}

fn claim(claim: &ClaimLine) -> String {
    let notes = [
        (claim.is_declined, ", declined"),
        (claim.is_given_up, ", given up"),
        (claim.is_late, ", late"),
        (!claim.is_settled, ", open"),
    ];
    let notes: String = notes.iter().filter(|(is, _)| *is).map(|(_, note)| *note).collect();
    format!(
        "  {} of {} by {}: confirmed {}{notes}",
        claim.quantity,
        claim.offered_by,
        by(&claim.by),
        claim.confirmed
    )
}

fn proposal(proposal: &ProposalLine) -> Vec<String> {
    let current = if proposal.is_current { "" } else { ", replaced or reopened" };
    let mut lines = vec![
        format!("  fixed by {}: {}{current}", by(&proposal.by), proposal.result),
        format!("    wording {}", proposal.digest),
        format!(
            "    rule {:?}; {} may close it, by {}",
            proposal.rule,
            proposal.closer,
            time_in_words(proposal.closes_at_ms)
        ),
    ];
    for (org, answer) in &proposal.answers {
        lines.push(format!("    {org}: {answer}"));
    }
    if proposal.amendments > 0 {
        let count = count_in_words(proposal.amendments, "later change", "later changes");
        lines.push(format!("    {count}, proposed as amendments"));
    }
    lines
}

fn conflict(conflict: &ConflictLine) -> Vec<String> {
    let settled = match &conflict.settled_in {
        Some(author) => format!("settled by {}", by(author)),
        None => format!("to be settled by {}", conflict.settled_by_whom),
    };
    let mut lines = vec![format!("  {} on {}, {settled}", conflict.code, conflict.about)];
    for side in &conflict.sides {
        let at = side.at_ms.map(|at| format!(", {}", time_in_words(at))).unwrap_or_default();
        let who = match side.orgs.join(", ") {
            orgs if orgs.is_empty() => String::new(),
            orgs => format!("  ({orgs}{at})"),
        };
        lines.push(format!("    {}{who}", side.says));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_were_edited_after_the_text_was_fixed_are_headed_as_proposed() {
        let proposal = |is_current: bool, amendments: u64| -> ProposalLine {
            serde_json::from_value(json!({
                "by": { "org": "la-wigan", "entry": "entry-a", "at_ms": 1 }, "digest": "d", "rule": "r",
                "closer": "gmhscp", "closes_at_ms": 1, "result": "carried", "is_current": is_current,
                "answers": [], "amendments": amendments,
            }))
            .unwrap()
        };
        let title = |proposals: &[ProposalLine]| fields_title(proposals);
        assert_eq!(title(&[]), "fields");
        assert_eq!(title(&[proposal(false, 2), proposal(true, 0)]), "fields");
        let one = title(&[proposal(true, 1)]);
        assert!(one.starts_with("fields, with 1 change that came after"), "{one}");
        assert!(title(&[proposal(true, 3), proposal(false, 0)]).contains("3 changes"));
    }
}
