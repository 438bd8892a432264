//! What must be seen for a sentence of the story to hold: pure functions of what nodes and auditors say.
//!
//! *Invariants.* Nothing here knows what the demonstration did; what it expects, it is told. A fault names who says
//! what, beside what was expected.
//!
//! *Source*: ours.

use std::fmt::Display;

use serde_json::Value;

use super::{DemoError, stage::Found};
use crate::{
    control::Refusal,
    view::artefact::{Artefact, ConflictLine, FieldLine, ProvenDecision, RowLine},
};

/// What somebody says, beside its short name; asked only when it is looked at.
type Told<T> = Result<(&'static str, T), DemoError>;

/// Whether all say the same, and what that is; whoever differs first ends the asking.
pub(super) fn same<T: PartialEq + Display>(
    told: impl IntoIterator<Item = Told<T>>,
) -> Result<Found, DemoError> {
    let mut told = told.into_iter();
    let Some(first) = told.next() else { return Ok(Found::fault("nobody was asked")) };
    let (first, said) = first?;
    let mut count = 1_u64;
    for other in told {
        let (other, differs) = other?;
        if differs != said {
            return Ok(Found::fault(format!("{first} says {said}, and {other} says {differs}")));
        }
        count = count.saturating_add(1);
    }
    Ok(Found::well(format!("{said} (on all {count} nodes)")))
}

/// Whether nobody has a fault, and all show exactly the same; the first fault ends the asking.
pub(super) fn alike(
    told: impl IntoIterator<Item = Told<Artefact>>,
    fault: impl Fn(&Artefact) -> Option<String>,
    detail: impl FnOnce(&Artefact) -> String,
) -> Result<Found, DemoError> {
    let mut first: Option<(&str, Artefact)> = None;
    let mut count = 0_u64;
    for other in told {
        let (slug, shown) = other?;
        if let Some(fault) = fault(&shown) {
            return Ok(Found::fault(format!("at {slug}: {fault}")));
        }
        count = count.saturating_add(1);
        match &first {
            None => first = Some((slug, shown)),
            Some((_, same)) if *same == shown => {}
            Some((first, _)) => {
                return Ok(Found::fault(format!("{slug} shows something else than {first}")));
            }
        }
    }
    Ok(first.map_or_else(
        || Found::fault("nobody was asked"),
        |(_, shown)| Found::well(format!("{} (on all {count} nodes)", detail(&shown))),
    ))
}

pub(super) fn field<'a>(shown: &'a Artefact, path: &str) -> Option<&'a FieldLine> {
    shown.fields.iter().find(|field| field.path == path)
}

/// Whether a text is exactly this.
pub(super) fn text_fault(shown: &Artefact, path: &str, expected: &str) -> Option<String> {
    let text = field(shown, path).and_then(|field| field.text.as_deref()).unwrap_or_default();
    (text != expected).then(|| format!("{path} reads {text:?}, expected {expected:?}"))
}

/// Whether a field has exactly these values, in any order.
pub(super) fn value_fault(shown: &Artefact, path: &str, expected: &[&str]) -> Option<String> {
    let values = field(shown, path).map(|field| field.values.as_slice()).unwrap_or_default();
    let mut found: Vec<&str> = values.iter().map(|one| one.value.as_str()).collect();
    let mut wanted = expected.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    (found != wanted).then(|| format!("{path} has the values {found:?}, expected {wanted:?}"))
}

/// The conflicts of this code that nobody has settled.
pub(super) fn open_conflicts<'a>(
    shown: &'a Artefact,
    code: &'a str,
) -> impl Iterator<Item = &'a ConflictLine> {
    shown.conflicts.iter().filter(move |one| one.code == code && one.settled_in.is_none())
}

/// Whether there is an open conflict of this code of which the sides are these: what and whose.
pub(super) fn conflict_fault(
    shown: &Artefact,
    code: &str,
    sides: &[(&str, &str)],
) -> Option<String> {
    let says = |one: &ConflictLine, (what, whose): &(&str, &str)| {
        let mut sides = one.sides.iter();
        sides.any(|side| side.says.contains(what) && side.orgs.iter().any(|org| org == whose))
    };
    let open: Vec<&ConflictLine> = open_conflicts(shown, code).collect();
    if open.iter().any(|one| sides.iter().all(|side| says(one, side))) {
        return None;
    }
    let found: Vec<String> = open.iter().map(|one| in_words(one)).collect();
    Some(format!("expected an open {code} of {sides:?}, found {found:?}"))
}

/// A conflict with its sides.
pub(super) fn in_words(conflict: &ConflictLine) -> String {
    let sides = conflict.sides.iter().map(|side| match side.orgs.as_slice() {
        [] => side.says.clone(),
        orgs => format!("{} ({})", side.says, orgs.join(", ")),
    });
    let sides: Vec<String> = sides.collect();
    format!("{} on {}: {}", conflict.code, conflict.about, sides.join(" | "))
}

pub(super) fn none_open(shown: &Artefact, code: &str) -> Option<String> {
    let first = open_conflicts(shown, code).next();
    first.map(|one| format!("expected no open {code}, found {}", in_words(one)))
}

pub(super) fn state_fault(shown: &Artefact, expected: &str) -> Option<String> {
    let state = &shown.state_name;
    (state != expected).then(|| format!("the state is {state}, expected {expected}"))
}

/// Whether a refusal came, with this code and naming this.
pub(super) fn refused(refusal: Option<&Refusal>, code: &str, names: &str) -> Found {
    match refusal {
        None => Found::fault(format!("it was done; expected a refusal [{code}]")),
        Some(refusal) if refusal.code == code && refusal.message.contains(names) => {
            Found::well(format!("refused: {} [{code}]", refusal.message))
        }
        Some(refusal) => Found::fault(format!(
            "refused with {:?} [{}]; expected [{code}], naming {names:?}",
            refusal.message, refusal.code
        )),
    }
}

/// What is confirmed of one offer: who claims, how much, and how much of it is confirmed.
pub(super) fn capacity_fault(
    shown: &Artefact,
    claims: &[(&str, &str, &str)],
    remaining: &str,
) -> Option<String> {
    for (who, claimed, confirmed) in claims {
        let of = shown.claims.iter().find(|claim| claim.by.org == *who);
        let found = of.map(|claim| (claim.quantity.as_str(), claim.confirmed.as_str()));
        if found != Some((claimed, confirmed)) {
            return Some(format!(
                "expected of {who} {claimed} claimed and {confirmed} confirmed, found {found:?}"
            ));
        }
    }
    let left: Vec<&str> = shown.offers.iter().map(|offer| offer.remaining.as_str()).collect();
    (left != [remaining]).then(|| format!("expected {remaining} remaining, found {left:?}"))
}

/// What the amounts of a list come to, in pence, as the fields say.
pub(super) fn sum_of(shown: &Artefact, list: &str, amount: &str) -> u64 {
    let (before, after) = (format!("{list}/"), format!("/{amount}"));
    let cells = shown
        .fields
        .iter()
        .filter(|field| field.path.starts_with(&before) && field.path.ends_with(&after));
    let values = cells.filter_map(|field| match field.values.as_slice() {
        [one] => one.value.parse::<u64>().ok(),
        _ => None,
    });
    values.fold(0, u64::saturating_add)
}

/// Whether a proof has its wording computed anew, a trace of its rule that holds, and who closed it.
pub(super) fn proof_fault(proof: &ProvenDecision) -> Option<String> {
    let has = |what: &str| proof.lines.iter().any(|line| line.contains(what));
    if proof.proof["wording"]["matches"] != true {
        return Some("the wording, computed anew, is not the one that was signed".to_owned());
    }
    let lacking = ["— holds", "Closed by: "].into_iter().find(|what| !has(what));
    lacking.map(|what| format!("no line of the proof has {what:?}: {:?}", proof.lines))
}

/// The tests of the rule and what they found, and the result in a sentence.
pub(super) fn trace(proof: &ProvenDecision) -> String {
    let tests = proof.lines.iter().filter(|line| line.starts_with("  ") && line.contains(" — "));
    let lines: Vec<&str> = tests.chain([&proof.sentence]).map(String::as_str).collect();
    lines.join("\n")
}

/// Whether the last proposal has this result, by so many settled answers for, against, abstaining and taking no part.
pub(super) fn division_fault(
    shown: &Artefact,
    result: &str,
    expected: [usize; 4],
) -> Option<String> {
    let Some(last) = shown.proposals.last() else {
        return Some("nothing was put to a decision".to_owned());
    };
    let count = |word| last.answers.iter().filter(|(_, says)| says == word).count();
    let found = ["approve", "reject", "abstain", "recused"].map(count);
    let is_well = (last.result.as_str(), found) == (result, expected);
    (!is_well)
        .then(|| format!("{:?} by {found:?}, expected {result:?} by {expected:?}", last.result))
}

/// Who has a row in this table, by short name.
pub(super) fn authors_of<'a>(shown: &'a Artefact, table: &str) -> Vec<&'a str> {
    authors(shown.rows.iter().filter(|row| row.table == table))
}

/// Who says this in a row of the table: a name and its value.
pub(super) fn authors_saying<'a>(
    shown: &'a Artefact,
    table: &str,
    (name, value): (&str, &str),
) -> Vec<&'a str> {
    let rows = shown.rows.iter().filter(|row| row.table == table);
    authors(rows.filter(|row| row.values.iter().any(|one| one.0 == name && one.1 == value)))
}

fn authors<'a>(rows: impl Iterator<Item = &'a RowLine>) -> Vec<&'a str> {
    let mut authors: Vec<&str> = rows.map(|row| row.by.org.as_str()).collect();
    authors.sort_unstable();
    authors
}

/// Whether an auditor's report says that nothing is wrong.
pub(super) fn clean(exit_code: Option<i32>, report: &Value, list: &str) -> Found {
    let wrong = report[list].as_array().into_iter().flatten();
    let wrong: Vec<String> =
        wrong.filter(|one| one["severity"] != "note").map(sentence_of).collect();
    let closing = report["closing"].as_str().unwrap_or_default();
    if exit_code == Some(0) && wrong.is_empty() && !closing.is_empty() {
        return Found::well(closing);
    }
    Found::fault(format!("exit code {exit_code:?}, {wrong:?}, {closing:?}; expected nothing wrong"))
}

/// Whether a replay has just these artefacts, each in the state and with the results that a node shows.
pub(super) fn replayed_as_shown(replayed: &Value, shown: &[Artefact]) -> Found {
    let seen: Vec<&Value> = replayed["artefacts"].as_array().into_iter().flatten().collect();
    let of = |one: &Artefact| seen.iter().find(|seen| seen["artefact"] == one.artefact.as_str());
    let differs = |one: &&Artefact| {
        of(one).is_none_or(|seen| seen["state_name"] != one.state_name.as_str())
            || of(one).map(|seen| results_replayed(seen)) != Some(results_shown(one))
    };
    if let Some(one) = shown.iter().find(differs) {
        let title = one.title.as_deref().unwrap_or_default();
        let found = of(one).map_or("nothing".to_owned(), |seen| {
            format!("{}, {:?}", seen["state_name"], results_replayed(seen))
        });
        let expected = format!("{:?}, {:?}", one.state_name, results_shown(one));
        return Found::fault(format!("{title:?}: {found} in the file, {expected} on the node"));
    }
    if seen.len() != shown.len() {
        let (in_file, on_node) = (seen.len(), shown.len());
        return Found::fault(format!("{in_file} artefacts in the file, {on_node} on the node"));
    }
    let results: Vec<(String, String)> = shown.iter().flat_map(results_shown).collect();
    let detail = format!("{} artefacts, {} frozen texts", shown.len(), results.len());
    Found { is_well: !results.is_empty(), detail }
}

/// Digests of frozen texts that could be built again, with what came of each.
fn results_replayed(seen: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let frozen = seen["frozen"].as_array().into_iter().flatten();
    let matching = frozen.filter(|one| one["matches"] == true);
    let mut results: Vec<_> =
        matching.map(|one| (text(&one["wording"]), text(&one["result"]))).collect();
    results.sort_unstable();
    results
}

fn results_shown(shown: &Artefact) -> Vec<(String, String)> {
    let results = shown.proposals.iter().map(|one| (one.digest.clone(), one.result.clone()));
    let mut results: Vec<_> = results.collect();
    results.sort_unstable();
    results
}

/// Whether every entry that an exported decision rests on is proven by a checkpoint that enough others cosigned.
pub(super) fn proven_to_others(exit_code: Option<i32>, report: &Value) -> Found {
    let entries: Vec<&Value> = report["entries"].as_array().into_iter().flatten().collect();
    let told = |one: &&Value| format!("{}: {} of {}", one["what"], one["cosigned"], one["needed"]);
    match entries.iter().find(|one| one["is_enough"] != true) {
        None if exit_code == Some(0) && !entries.is_empty() => {
            let all: Vec<String> = entries.iter().map(told).collect();
            Found::well(format!("cosigned: {}", all.join(", ").replace('"', "")))
        }
        None => Found::fault(format!("exit code {exit_code:?}, {} entries", entries.len())),
        Some(one) => Found::fault(format!("cosigned by too few: {}", told(one))),
    }
}

/// Whether an auditor's report names this entry of this member as wrong, by itself or among others.
pub(super) fn entry_named(
    exit_code: Option<i32>,
    report: &Value,
    (author, seq): (&str, u64),
) -> Found {
    let findings = report["findings"].as_array().into_iter().flatten();
    let findings: Vec<&Value> = findings.filter(|one| one["severity"] != "note").collect();
    let names = |one: &&&Value| {
        let (first, last) = (one["seq"].as_u64(), one["last_seq"].as_u64());
        one["slug"] == author
            && first.is_some_and(|first| (first..=last.unwrap_or(first)).contains(&seq))
    };
    match findings.iter().find(names) {
        Some(one) if exit_code.is_some_and(|code| code != 0) => Found::well(sentence_of(one)),
        _ => Found::fault(format!(
            "exit code {exit_code:?}, {findings:?}; expected a finding about entry {seq} of {author}"
        )),
    }
}

fn sentence_of(finding: &Value) -> String {
    let sentence = finding["sentence"].as_str().or_else(|| finding.as_str());
    sentence.map_or_else(|| finding.to_string(), ToOwned::to_owned)
}

/// Whether bytes hold this text.
pub(super) fn holds(bytes: &[u8], text: &str) -> bool {
    let Some((first, rest)) = text.as_bytes().split_first() else { return true };
    let mut left = bytes;
    while let Some(at) = left.iter().position(|byte| byte == first) {
        left = left.get(at.saturating_add(1)..).unwrap_or_default();
        if left.starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
