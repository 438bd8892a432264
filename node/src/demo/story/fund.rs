//! Two clean edits break a sum; then the text is frozen, signed off, closed and proven.
//!
//! *Source*: ours; scenarios 10, 12 and 18 of the domain.

use super::{Story, editing::digest};
use crate::{
    control::Deed,
    demo::{
        DemoError,
        cast::{FUND_POUNDS, MOVED_POUNDS},
        checks, deeds,
        papers::ENGAGEMENT,
        partnership::JOINT_RULE,
        stage::Found,
    },
    view::artefact::Artefact,
};

const LIST: &str = "finance/split";
const AMOUNT: &str = "pence";
const TOTAL: &str = "finance/total_pence";
const FUND_PENCE: u64 = FUND_POUNDS * 100;
const BROKEN_PENCE: u64 = (FUND_POUNDS + MOVED_POUNDS) * 100;

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let fund = draft(story)?;
    story.fund = Some(fund.clone());
    edit_apart(story, &fund)?;
    sum_is_broken(story, &fund)?;
    freeze(story, &fund)?;
    vote(story, &fund)?;
    prove(story, &fund)
}

fn pounds(amount: u64) -> String {
    format!("£{amount}")
}

/// Pence as people read pounds.
fn in_pounds(pence: u64) -> String {
    let (pounds, mut groups) = (pence / 100, Vec::new());
    let mut left = pounds;
    while left >= 1_000 {
        groups.push(format!("{:03}", left % 1_000));
        left /= 1_000;
    }
    groups.push(left.to_string());
    groups.reverse();
    format!("£{}", groups.join(","))
}

/// Gives the amounts at these places, counted from 1, their values.
fn amounts(fund: &str, of: &[(usize, u64)]) -> Deed {
    let typed: Vec<(String, String)> = of
        .iter()
        .map(|(place, amount)| (format!("{LIST}/{place}/{AMOUNT}"), pounds(*amount)))
        .collect();
    let typed: Vec<(&str, &str)> =
        typed.iter().map(|(at, amount)| (at.as_str(), amount.as_str())).collect();
    deeds::set(fund, &typed)
}

/// The sponsor drafts the decision, and all see what it comes to.
fn draft(story: &mut Story<'_>) -> Result<String, DemoError> {
    let Story { stage, board, cast, .. } = story;
    let sponsor = board.member(cast.sponsor)?;
    let fund = sponsor.act(deeds::open("decision", "Winter fund 2017/18 (illustrative)"))?.artefact;
    let rejected = [("label", "Do nothing"), ("result", "rejected"), ("why", "Wards would close.")];
    let first = [
        ("decision_type", "key"),
        ("authority/basis", "delegated_to_board"),
        ("summary", "Three million pounds for the winter, from underspends."),
        ("engagement_ref", ENGAGEMENT),
    ];
    for deed in [
        deeds::set(&fund, &first),
        deeds::set(&fund, &[(TOTAL, &pounds(FUND_POUNDS))]),
        deeds::add(&fund, "options", &rejected),
    ] {
        sponsor.act(deed)?;
    }
    for (org, amount) in cast.fund.split {
        let item = [("org", *org), ("year", "2017/18"), (AMOUNT, &pounds(*amount))];
        sponsor.act(deeds::add(&fund, LIST, &item))?;
    }
    sponsor.act(deeds::event(&fund, "consult", &[]))?;
    stage.say(&format!("  {} drafts a winter fund, split among members.", cast.sponsor));
    stage.until("sum-holds", "The amounts come to their total, on every node.", || {
        let shown = board.each(|member| member.show(&fund));
        let fault = |shown: &Artefact| {
            checks::state_fault(shown, "consultation")
                .or_else(|| sum_fault(shown, FUND_PENCE))
                .or_else(|| checks::none_open(shown, "C9"))
        };
        checks::alike(shown, fault, |shown| in_pounds(checks::sum_of(shown, LIST, AMOUNT)))
    })?;
    Ok(fund)
}

fn sum_fault(shown: &Artefact, expected: u64) -> Option<String> {
    let sum = checks::sum_of(shown, LIST, AMOUNT);
    let (sum_is, expected_is) = (in_pounds(sum), in_pounds(expected));
    (sum != expected).then(|| format!("the amounts come to {sum_is}, expected {expected_is}"))
}

/// Each of two moves an amount; both keep the sum.
fn edit_apart(story: &mut Story<'_>, fund: &str) -> Result<(), DemoError> {
    story.cut()?;
    let Story { stage, board, cast, .. } = story;
    let of = |place: usize| cast.fund.split.get(place.wrapping_sub(1)).copied().unwrap_or_default();
    let lowered = cast.fund.lowered;
    let (from, left) = of(lowered);
    let less = left.saturating_sub(MOVED_POUNDS);
    stage.say("  The network fails again.");
    let mut edited = Vec::new();
    for (editor, raised) in cast.editors.into_iter().zip(cast.fund.raised) {
        let (to, had) = of(raised);
        let more = had.saturating_add(MOVED_POUNDS);
        let moved = in_pounds(MOVED_POUNDS * 100);
        stage.say(&format!("  {editor} moves {moved} from {from} to {to}."));
        let member = board.member(editor)?;
        member.act(amounts(fund, &[(raised, more), (lowered, less)]))?;
        edited.push(member);
    }
    stage.until("each-sum-holds", "For each of the two the sum still holds.", || {
        let mut faults = Vec::new();
        for member in &edited {
            faults.extend(sum_fault(&member.show(fund)?, FUND_PENCE));
        }
        Ok(Found::unless(faults.pop(), format!("{} at both", in_pounds(FUND_PENCE))))
    })?;
    stage.say("  The network is mended.");
    story.heal()
}

fn sum_is_broken(story: &mut Story<'_>, fund: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let what = "No field is in conflict, and yet the sum is broken: every node shows by how much.";
    stage.until("sum-broken", what, || {
        let shown = board.each(|member| member.show(fund));
        let (total, sum) = (FUND_PENCE.to_string(), BROKEN_PENCE.to_string());
        let fault = |shown: &Artefact| {
            let sides = checks::open_conflicts(shown, "C9").flat_map(|one| &one.sides);
            let sides: String = sides.map(|side| format!("{} ", side.says)).collect();
            sum_fault(shown, BROKEN_PENCE).or_else(|| checks::none_open(shown, "C1")).or_else(
                || {
                    let is_told = sides.contains(&total) && sides.contains(&sum);
                    (!is_told).then(|| format!("expected {sum} against {total}, found {sides:?}"))
                },
            )
        };
        checks::alike(shown, fault, |shown| {
            let sum = in_pounds(checks::sum_of(shown, LIST, AMOUNT));
            format!("{sum} against {}", in_pounds(FUND_PENCE))
        })
    })?;
    let refusal = board.member(cast.sponsor)?.refusal(deeds::freeze(fund, JOINT_RULE))?;
    let found = checks::refused(refusal.as_ref(), "not-ready", "C9");
    stage.check("sum-not-frozen", "What does not add up cannot be frozen.", found);
    Ok(())
}

/// The sum is mended, providers give their views, and the text is fixed.
fn freeze(story: &mut Story<'_>, fund: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let sponsor = board.member(cast.sponsor)?;
    let [first, _] = cast.fund.raised;
    let (org, had) = cast.fund.split.get(first.wrapping_sub(1)).copied().unwrap_or_default();
    sponsor.act(amounts(fund, &[(first, had)]))?;
    stage.say(&format!("  {} gives {org} its first amount again.", cast.sponsor));
    stage.working("the trusts give their views", || {
        board.for_all(|member| match member.part.class {
            "trust" => {
                let view = deeds::event(fund, "provider_view", &[("view", "support")]);
                member.act(view).map(drop)
            }
            _ => Ok(()),
        })
    })?;
    stage.wait("the sponsor has the views of all providers", || {
        let trusts = board.members.iter().filter(|member| member.part.class == "trust").count();
        Ok(checks::authors_of(&sponsor.show(fund)?, "provider_views").len() == trusts)
    })?;
    sponsor.act(deeds::freeze(fund, JOINT_RULE))?;
    stage.until(
        "frozen",
        "The text is fixed, and every node has the same digest of it.",
        || {
            let shown = board.each(|member| member.show(fund));
            checks::alike(shown, |shown| checks::state_fault(shown, "frozen"), digest)
        },
    )?;
    Ok(())
}

/// All that vote do; the office is against it, and one of many.
fn vote(story: &mut Story<'_>, fund: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let refusal = board.member(cast.observer)?.refusal(deeds::sign(fund, "approve"))?;
    let found = checks::refused(refusal.as_ref(), "no-effect", "no active member");
    let what = format!("{} observes, and cannot vote.", cast.observer);
    stage.check("observer-no-vote", what, found);

    let expected = board.members.iter().filter(|member| !member.part.is_observer).count();
    stage.working("the members vote", || {
        board.for_all(|member| {
            let answer = if member.slug() == cast.office { "reject" } else { "approve" };
            match member.part.is_observer {
                true => Ok(()),
                false => member.act(deeds::sign(fund, answer)).map(drop),
            }
        })
    })?;
    let what = format!(
        "{expected} members vote, {} against; the majorities of the rule carry it, on every node.",
        cast.office
    );
    stage.until("carried", what, || {
        let shown = board.each(|member| member.show(fund));
        let fault = |shown: &Artefact| {
            let (answers, result) = shown.proposals.last().map_or((0, ""), |one| {
                let counted = one.answers.iter().filter(|(_, says)| !says.ends_with("(open)"));
                (counted.count(), one.result.as_str())
            });
            checks::state_fault(shown, "decided").or_else(|| {
                ((answers, result) != (expected, "carried"))
                    .then(|| format!("{answers} answers count, {result:?}; expected {expected}"))
            })
        };
        checks::alike(shown, fault, |shown| {
            let last = shown.proposals.last();
            let result = last.map(|one| one.result.as_str()).unwrap_or_default();
            format!("{result}, with {expected} answers, to {}", digest(shown))
        })
    })?;
    Ok(())
}

fn prove(story: &mut Story<'_>, fund: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    board.member(cast.office)?.act(deeds::close(fund))?;
    let what =
        format!("{} closes the vote; every node proves the same, line by line.", cast.office);
    stage.until("proven", what, || {
        let mut first = None;
        for told in board.each(|member| member.prove(fund)) {
            let (slug, proof) = told?;
            if let Some(fault) = checks::proof_fault(&proof) {
                return Ok(Found::fault(format!("at {slug}: {fault}")));
            }
            if proof != *first.get_or_insert_with(|| proof.clone()) {
                return Ok(Found::fault(format!(
                    "{slug} proves it with other lines than the first"
                )));
            }
        }
        let Some(proof) = first else { return Ok(Found::fault("nobody was asked")) };
        Ok(Found::well(checks::trace(&proof)))
    })?;

    // Whoever edits what was decided proposes an amendment.
    let before = board.member(cast.sponsor)?.show(fund)?;
    let late = board.member(cast.editors[0])?;
    late.act(deeds::set(fund, &[("summary", "Four million pounds.")]))?;
    stage.until(
        "late-edit",
        "A later edit changes nothing of what was decided: it is a proposed amendment.",
        || {
            let shown = board.each(|member| member.show(fund));
            let fault = |shown: &Artefact| {
                let amendments = shown.proposals.last().map(|one| one.amendments);
                checks::state_fault(shown, "decided").or_else(|| {
                    let is_same = digest(shown) == digest(&before) && amendments == Some(1);
                    (!is_same).then(|| format!("{amendments:?} amendments to {}", digest(shown)))
                })
            };
            checks::alike(shown, fault, |shown| {
                format!("1 amendment proposed; still {}", digest(shown))
            })
        },
    )?;
    let sponsor = board.member(cast.sponsor)?;
    sponsor.act(deeds::event(fund, "bring_into_force", &[("effective_from", "2017-12-11")]))?;
    stage.until("in-force", "It is in force on every node.", || {
        let shown = board.each(|member| member.show(fund));
        let state = |shown: &Artefact| shown.state.clone();
        checks::alike(shown, |shown| checks::state_fault(shown, "in_force"), state)
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pounds_are_read_in_groups_of_three() {
        let read = [0, 5_000, 5_000_000, 305_000_000].map(in_pounds);
        assert_eq!(read, ["£0", "£50", "£50,000", "£3,050,000"]);
    }
}
