//! The trace of a decision: each test of the rule on a line, in figures and in words.
//!
//! ```text
//! all of these — holds
//!   all of these — holds
//!     at least 4 members answer: 5 answered — holds
//!     at least 1 of the ccg members answer: 2 answered — holds
//!   3 of 4 of the votes cast: 4 for, 1 against: 80 % — holds
//!   more for than against among the council members: 2 for, 0 against — holds
//! ```
//!
//! *Spare* is how many answers could be taken away, whichever they are, and the line would still
//! hold: the margin of a decision. A percentage is for people, to one decimal place, and never shows
//! a line that fails as if it held; what decides is the comparison of products in `charter::Ballot`.
//!
//! Invariants: integers only; nothing is decided here.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::charter::{Charter, Outcome, Scope, Share, ShareOf, Tally, Test, TraceLine};

/// One test of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How deep it stands in the rule; 0 is the whole rule.
    pub depth: usize,
    /// What was tested.
    pub test: Test,
    /// The seats it was tested on; none for a test that only joins those below it.
    pub tally: Option<Tally>,
    /// For a share, what was reached so far, in thousandths.
    pub per_mille: Option<u64>,
    /// If it holds, how many answers could be taken away and it would still hold.
    pub spare: Option<u64>,
    /// What came out.
    pub outcome: Outcome,
    /// All of this in one sentence.
    pub words: String,
}

/// The lines of an evaluation, with their figures and words.
pub(super) fn lines(trace: &[TraceLine], charter: &Charter) -> Vec<Line> {
    let line = |(at, line): (usize, &TraceLine)| {
        let below = trace.get(at..).unwrap_or_default();
        let per_mille = per_mille(line);
        Line {
            depth: line.depth,
            test: line.test.clone(),
            tally: line.tally,
            per_mille,
            spare: spare(below),
            outcome: line.outcome,
            words: in_words(line, per_mille, charter),
        }
    };
    trace.iter().enumerate().map(line).collect()
}

/// How many answers could be taken away and the first line would still hold, if it holds.
pub(super) fn spare(trace: &[TraceLine]) -> Option<u64> {
    let (line, rest) = trace.split_first()?;
    if line.outcome != Outcome::True {
        return None;
    }
    let tally = line.tally.unwrap_or_default();
    // Open seats may all turn against it.
    let against = tally.reject.saturating_add(tally.open);
    let least = match &line.test {
        Test::Joined { needed, .. } => return joined_spare(*needed, line.depth, rest),
        Test::Org(_) => 1,
        Test::Majority(_) => against.saturating_add(1),
        Test::Answered { least, .. } => return Some(tally.answered().saturating_sub(*least)),
        Test::Share(share) => least_approvals(share, against, tally.seats()),
    };
    Some(tally.approve.saturating_sub(least))
}

/// Of several tests of which so many are needed, the one that gives way when too few are left.
fn joined_spare(needed: u64, depth: usize, rest: &[TraceLine]) -> Option<u64> {
    let below = depth.saturating_add(1);
    let inside = rest.iter().take_while(|line| line.depth > depth).count();
    let parts = rest.iter().enumerate().take(inside).filter(|(_, line)| line.depth == below);
    let mut spares: Vec<u64> =
        parts.filter_map(|(at, _)| spare(rest.get(at..).unwrap_or_default())).collect();
    spares.sort_unstable_by(|one, other| other.cmp(one));
    let last = usize::try_from(needed).ok()?.checked_sub(1)?;
    spares.get(last).copied()
}

/// The fewest approvals that reach the share against so many rejections.
fn least_approvals(share: &Share, against: u64, seats: u64) -> u64 {
    let (n, d) = (share.numerator, share.denominator);
    let least = match share.of {
        ShareOf::Members => n.saturating_mul(seats).div_ceil(d.max(1)),
        ShareOf::Cast if against == 0 => 1,
        ShareOf::Cast => match d.saturating_sub(n) {
            0 => u64::MAX,
            rest => n.saturating_mul(against).div_ceil(rest),
        },
    };
    least.max(1)
}

fn per_mille(line: &TraceLine) -> Option<u64> {
    let (Test::Share(share), Some(tally)) = (&line.test, line.tally) else {
        return None;
    };
    let whole = match share.of {
        ShareOf::Cast => tally.approve.saturating_add(tally.reject),
        ShareOf::Members => tally.seats(),
    };
    let exact = tally.approve.saturating_mul(1000);
    let nearest = exact.saturating_add(whole / 2).checked_div(whole)?;
    let looks_enough =
        nearest.saturating_mul(share.denominator) >= share.numerator.saturating_mul(1000);
    let is_enough =
        tally.approve.saturating_mul(share.denominator) >= share.numerator.saturating_mul(whole);
    if looks_enough && !is_enough { exact.checked_div(whole) } else { Some(nearest) }
}

/// The tests by which a rule fails, among those that count: what lies below a part that does not fail is none of them,
/// and parts of which not all are needed are told together.
pub(super) fn failing(trace: &[Line], counts: fn(&Test) -> bool) -> Vec<String> {
    let Some((line, below)) =
        trace.split_first().filter(|(line, _)| line.outcome == Outcome::False)
    else {
        return Vec::new();
    };
    let parts = below.chunk_by(|_, next| next.depth > line.depth.saturating_add(1));
    let parts: Vec<String> = parts.flat_map(|part| failing(part, counts)).collect();
    let end = format!(" — {}", line.outcome);
    let words = line.words.strip_suffix(&end).unwrap_or(&line.words);
    match &line.test {
        Test::Joined { needed, of } if needed == of => parts,
        Test::Joined { .. } if parts.is_empty() => parts,
        Test::Joined { .. } => Vec::from([format!("{words} ({})", parts.join(" or "))]),
        test if counts(test) => Vec::from([words.to_string()]),
        Test::Majority(_) | Test::Share(_) | Test::Answered { .. } | Test::Org(_) => Vec::new(),
    }
}

fn in_words(line: &TraceLine, per_mille: Option<u64>, charter: &Charter) -> String {
    let test = match &line.test {
        Test::Joined { needed, of } if needed == of => "all of these".to_string(),
        Test::Joined { needed: 1, .. } => "any of these".to_string(),
        Test::Joined { needed, of } => format!("at least {needed} of these {of}"),
        Test::Majority(class) => format!("more for than against among the {class} members"),
        Test::Share(Share { scope, numerator, denominator, of }) => {
            let whole = match (of, scope) {
                (ShareOf::Cast, Scope::Board) => "the votes cast".to_string(),
                (ShareOf::Cast, Scope::Class(class)) => {
                    format!("the votes cast by {class} members")
                }
                (ShareOf::Members, Scope::Board) => "all members".to_string(),
                (ShareOf::Members, Scope::Class(class)) => format!("all {class} members"),
            };
            format!("{numerator} of {denominator} of {whole}")
        }
        Test::Answered { scope: Scope::Board, least } => format!("at least {least} members answer"),
        Test::Answered { scope: Scope::Class(class), least } => {
            format!("at least {least} of the {class} members answer")
        }
        Test::Org(org) => match charter.member(org) {
            Some(member) => format!("{} approves", member.slug),
            None => format!("{org} approves"),
        },
    };
    let figures =
        line.tally.map_or_else(String::new, |tally| figures(&line.test, &tally, per_mille));
    format!("{test}{figures} — {}", line.outcome)
}

/// The figures that the test is about, and no others.
fn figures(test: &Test, tally: &Tally, per_mille: Option<u64>) -> String {
    let cast = format!("{} for, {} against", tally.approve, tally.reject);
    let open = match tally.open {
        0 => String::new(),
        open => format!(", {open} still to answer"),
    };
    let percent = match per_mille.map(|thousandths| (thousandths / 10, thousandths % 10)) {
        None => String::new(),
        Some((whole, 0)) => format!(": {whole} %"),
        Some((whole, tenth)) => format!(": {whole}.{tenth} %"),
    };
    match test {
        Test::Joined { .. } => String::new(),
        Test::Majority(_) => format!(": {cast}{open}"),
        Test::Answered { .. } => format!(": {} answered{open}", tally.answered()),
        Test::Share(Share { of: ShareOf::Cast, .. }) if per_mille.is_none() => {
            format!(": no vote cast{open}")
        }
        Test::Share(Share { of: ShareOf::Cast, .. }) => format!(": {cast}{open}{percent}"),
        Test::Share(Share { of: ShareOf::Members, .. }) => {
            format!(": {} for of {}{open}{percent}", tally.approve, tally.seats())
        }
        Test::Org(_) => match (tally.approve, tally.answered(), tally.open) {
            (1.., _, _) => ": it did",
            (0, 1.., _) => ": it answered otherwise",
            (0, 0, 1..) => ": still to answer",
            (0, 0, 0) => ": it did not answer",
        }
        .to_string(),
    }
}
