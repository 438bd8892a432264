//! Two members edit one document while nobody reaches anybody: text merges, a threshold does not.
//!
//! *Source*: ours; scenarios 8 and 9 of the domain.

use super::Story;
use crate::{
    control::AsOf,
    demo::{DemoError, checks, deeds, papers::ENGAGEMENT, partnership::JOINT_RULE, stage::Found},
    view::artefact::Artefact,
};

const BEFORE: &str = "Families that are refered to a clinic are told what happens next.";
const ADDED: &str = " They are told the date of the first visit.";
const AFTER: &str = "Families that are referred to a clinic are told what happens next. They are told the date of the \
                     first visit.";
/// Where the letter is missing.
const TYPO: &str = "refered";
const MENDED: &str = "referred";
const THRESHOLD: &str = "/threshold";

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let standard = draft(story)?;
    let entries = edit_apart(story, &standard)?;
    text_merges(story, &standard)?;
    threshold_waits(story, &standard)?;
    threshold_is_settled(story, &standard, &entries)?;
    if story.cast.clinicians().is_some() { agree(story, &standard) } else { Ok(()) }
}

/// The sponsor drafts a standard and brings it to clinical review.
fn draft(story: &Story<'_>) -> Result<String, DemoError> {
    let sponsor = story.board.member(story.cast.sponsor)?;
    let adopts =
        sponsor.act(deeds::open("decision", "Adopt the standard on ADHD (illustrative)"))?;
    let title = "Children and young people with ADHD (illustrative)";
    let standard = sponsor.act(deeds::open("standard", title))?.artefact;
    for deed in [
        deeds::event(&standard, "begin_drafting", &[]),
        deeds::set(
            &standard,
            &[
                ("version", "1.0"),
                ("summary", BEFORE),
                ("engagement_ref", ENGAGEMENT),
                ("decision_ref", &adopts.artefact),
            ],
        ),
        deeds::add(&standard, "statements", &[("code", "ADHD-02")]),
        deeds::add(&standard, "statements/1/measures", &[("unit", "days"), ("direction", "lower")]),
        deeds::event(&standard, "consult", &[]),
        deeds::event(&standard, "begin_clinical_review", &[]),
    ] {
        sponsor.act(deed)?;
    }
    story.stage.say(&format!(
        "  {} drafts a standard for all to review, and the network fails: nobody reaches anybody.",
        story.cast.sponsor
    ));
    story.until_all_show(&standard, "clinical_review")?;
    story.stage.wait("every node has the whole draft", || {
        story.board.all(|member| {
            let shown = member.show(&standard)?;
            let has_text = checks::text_fault(&shown, "summary", BEFORE).is_none();
            Ok(has_text && measure(&shown).is_some())
        })
    })?;
    Ok(standard)
}

/// Where the unit of the measure stands, and so the threshold beside it.
fn measure(shown: &Artefact) -> Option<String> {
    let unit = shown.fields.iter().find_map(|field| field.path.strip_suffix("/unit"));
    unit.map(ToOwned::to_owned)
}

fn threshold(shown: &Artefact) -> String {
    measure(shown).unwrap_or_default() + THRESHOLD
}

/// Both edit, each with everybody else away; the entries by which they set the threshold.
fn edit_apart(story: &mut Story<'_>, standard: &str) -> Result<[String; 2], DemoError> {
    story.cut()?;
    let Story { stage, board, cast, .. } = story;
    let [one, other] = cast.editors;
    stage.say(&format!(
        "  {one} adds a sentence and sets ADHD-02 to 84 days; {other} mends a word in the same paragraph, and sets 126."
    ));
    let (first, second) = (board.member(one)?, board.member(other)?);
    let text =
        checks::field(&second.show(standard)?, "summary").and_then(|field| field.text.clone());
    let text = text.unwrap_or_default();
    let before = text.split(TYPO).next().unwrap_or_default();
    let missing = before.encode_utf16().count().saturating_add("refer".len());

    first.act(deeds::splice(standard, "summary", None, (0, ADDED)))?;
    second.act(deeds::splice(standard, "summary", Some(missing as u64), (0, "r")))?;
    let sets = |days| deeds::set(standard, &[("statements/1/measures/1/threshold", days)]);
    let set = [first.act(sets("84"))?, second.act(sets("126"))?];
    stage.until(
        "apart",
        "While they are apart, each sees its own edits and nothing else.",
        || {
            let (first, second) = (first.show(standard)?, second.show(standard)?);
            let fault = checks::text_fault(&first, "summary", &format!("{BEFORE}{ADDED}"))
                .or_else(|| checks::value_fault(&first, &threshold(&first), &["84"]))
                .or_else(|| checks::text_fault(&second, "summary", &BEFORE.replace(TYPO, MENDED)))
                .or_else(|| checks::value_fault(&second, &threshold(&second), &["126"]));
            Ok(Found::unless(fault, format!("{one} reads 84, {other} reads 126")))
        },
    )?;
    let entry = |acted: &crate::control::Acted| {
        acted.written.first().map(|written| written.id.clone()).unwrap_or_default()
    };
    let entries = [entry(&set[0]), entry(&set[1])];
    stage.say("  The network is mended.");
    story.heal()?;
    Ok(entries)
}

fn text_merges(story: &mut Story<'_>, standard: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let [one, other] = cast.editors;
    stage.until("text-merges", "Both edits are in the text, the same on every node.", || {
        let shown = board.each(|member| member.show(standard));
        let fault = |shown: &Artefact| checks::text_fault(shown, "summary", AFTER);
        checks::alike(shown, fault, |_| format!("{AFTER:?}"))
    })?;
    stage.until("both-named", "A note names both who changed the paragraph at once.", || {
        let shown = board.each(|member| member.show(standard));
        let fault =
            |shown: &Artefact| checks::conflict_fault(shown, "C2", &[("", one), ("", other)]);
        checks::alike(shown, fault, |shown| {
            checks::open_conflicts(shown, "C2").map(checks::in_words).collect()
        })
    })?;
    let office = board.member(cast.office)?;
    let notes: Vec<String> = {
        let shown = office.show(standard)?;
        checks::open_conflicts(&shown, "C2").map(|one| one.about.clone()).collect()
    };
    for about in notes {
        let read = ("C2", about.as_str());
        office.act(deeds::settle(standard, read, "as merged", "It reads well."))?;
    }
    Ok(())
}

fn threshold_waits(story: &mut Story<'_>, standard: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let [one, other] = cast.editors;
    let what = "Of the threshold there are two values, and neither wins: a person has to choose.";
    stage.until("two-values", what, || {
        let shown = board.each(|member| member.show(standard));
        let fault = |shown: &Artefact| {
            checks::value_fault(shown, &threshold(shown), &["84", "126"])
                .or_else(|| checks::conflict_fault(shown, "C1", &[("84", one), ("126", other)]))
                .or_else(|| checks::none_open(shown, "C2"))
        };
        checks::alike(shown, fault, |shown| {
            checks::open_conflicts(shown, "C1").map(checks::in_words).collect()
        })
    })?;
    let refusal = board.member(cast.sponsor)?.refusal(deeds::freeze(standard, JOINT_RULE))?;
    let found = checks::refused(refusal.as_ref(), "not-ready", "C1");
    stage.check("two-values-not-frozen", "What is in conflict cannot be frozen.", found);
    Ok(())
}

fn threshold_is_settled(
    story: &mut Story<'_>,
    standard: &str,
    entries: &[String; 2],
) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let sponsor = board.member(cast.sponsor)?;
    let shown = sponsor.show(standard)?;
    let about: Vec<&str> =
        checks::open_conflicts(&shown, "C1").map(|one| one.about.as_str()).collect();
    for about in about {
        sponsor.act(deeds::settle(standard, ("C1", about), "84", "As the clinics can do it."))?;
    }
    let what =
        format!("{} chooses 84, on the record, and every node shows 84 alone.", cast.sponsor);
    stage.until("settled", what, || {
        let shown = board.each(|member| member.show(standard));
        let fault = |shown: &Artefact| {
            let recorded = shown.settlements.iter().any(|one| {
                (one.code.as_str(), one.chosen.as_str()) == ("C1", "84")
                    && one.by.org == cast.sponsor
            });
            checks::value_fault(shown, &threshold(shown), &["84"])
                .or_else(|| checks::none_open(shown, "C1"))
                .or_else(|| (!recorded).then(|| "the settlement is not on record".to_owned()))
        };
        checks::alike(shown, fault, |_| "84, settled by the sponsor".to_owned())
    })?;
    both_are_kept(story, standard, entries)?;

    let Story { stage, board, cast, .. } = story;
    board.member(cast.sponsor)?.act(deeds::freeze(standard, JOINT_RULE))?;
    stage.until("settled-frozen", "Now it can be frozen, with one digest everywhere.", || {
        let shown = board.each(|member| member.show(standard));
        checks::alike(shown, |shown| checks::state_fault(shown, "frozen"), digest)
    })?;
    Ok(())
}

/// The digest of the last wording that was put to a decision.
pub(super) fn digest(shown: &Artefact) -> String {
    let digest = shown.proposals.last().map(|one| one.digest.as_str()).unwrap_or_default();
    format!("wording {digest}")
}

/// The history still has who wrote which value, on a node of neither.
fn both_are_kept(
    story: &mut Story<'_>,
    standard: &str,
    entries: &[String; 2],
) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let observer = board.member(cast.observer)?;
    let what = "The record keeps both values, who wrote each, and who chose.";
    stage.until("both-kept", what, || {
        let history = observer.history(standard)?;
        let mut kept = Vec::new();
        for ((entry, org), days) in entries.iter().zip(cast.editors).zip(["84", "126"]) {
            let is_there =
                history.deeds.iter().any(|deed| deed.by.entry == *entry && deed.by.org == org);
            let then = observer.show_as_of(standard, AsOf::At(entry.clone()))?;
            let fault = checks::value_fault(&then, &threshold(&then), &[days]);
            if let Some(fault) = fault
                .or_else(|| (!is_there).then(|| format!("the history has no {entry} by {org}")))
            {
                return Ok(Found::fault(fault));
            }
            kept.push(format!("{days} by {org}"));
        }
        let chosen = history
            .deeds
            .iter()
            .find(|deed| deed.what == "settle_conflict" && { deed.by.org == cast.sponsor });
        let fault = chosen.is_none().then(|| "the history has no settlement".to_owned());
        let chose = format!("chosen by {}", cast.sponsor);
        Ok(Found::unless(
            fault,
            format!("{}; {chose}; as {} shows it", kept.join(", "), cast.observer),
        ))
    })?;
    Ok(())
}

/// All vote for it, which is not enough: it is agreed once the clinicians of two trusts and two groups have signed.
fn agree(story: &mut Story<'_>, standard: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let Some(clinicians) = cast.clinicians() else { return Ok(()) };
    stage.working("the members vote on the standard", || {
        board.for_all(|member| match member.part.is_observer {
            true => Ok(()),
            false => member.act(deeds::sign(standard, "approve")).map(drop),
        })
    })?;
    let what =
        "All vote for the standard; it is carried, and not agreed before clinicians have signed.";
    stage.until("standard-carried", what, || {
        let shown = board.each(|member| member.show(standard));
        let fault = |shown: &Artefact| {
            let result = shown.proposals.last().map(|one| one.result.as_str());
            checks::state_fault(shown, "frozen").or_else(|| {
                (result != Some("carried")).then(|| format!("its result is {result:?}"))
            })
        };
        checks::alike(shown, fault, |shown| shown.state.clone())
    })?;
    story.sign_off_clinically(standard)?;
    let Story { stage, board, .. } = story;
    let what = format!("The clinicians of {} sign it off: it is agreed.", clinicians.join(", "));
    stage.until("standard-agreed", what, || {
        let shown = board.each(|member| member.show(standard));
        let state = |shown: &Artefact| shown.state.clone();
        checks::alike(shown, |shown| checks::state_fault(shown, "agreed"), state)
    })?;
    Ok(())
}
