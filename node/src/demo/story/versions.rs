//! A standard gets a new version while the node of one locality is away, which then adopts the old one.
//!
//! *Source*: ours; domain, sections 2.12 (C10) and 3.4 (D19).

use super::Story;
use crate::{
    demo::{
        DemoError, checks, deeds,
        member::Member,
        papers::{DISCHARGE, DISCHARGE_NEXT},
        partnership::JOINT_RULE,
    },
    view::artefact::Artefact,
};

pub(super) fn tell(story: &mut Story<'_>, standard: &str) -> Result<(), DemoError> {
    let Some((locality, council)) = story.cast.behind else { return Ok(()) };
    if !story.board.member(council)?.stop() {
        return Err(DemoError::NeverCame { what: format!("the node of {council} ends") });
    }
    story.stage.say(&format!(
        "  The node of {council} is shut down; meanwhile the others agree version 1.1 of {}.",
        DISCHARGE.reference
    ));
    revise(story, standard, council)?;
    adopt_the_old(story, standard, (locality, council))?;
    adopt_the_new(story, standard, (locality, council))
}

/// Waits until every node but one shows this.
fn until_others_show(
    story: &Story<'_>,
    away: &str,
    standard: &str,
    state: &str,
) -> Result<(), DemoError> {
    story.stage.wait(&format!("the others show the state {state}"), || {
        for member in story.board.others(away) {
            if member.show(standard)?.state_name != state {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// The next version is written, fixed, voted on, closed and signed off by all but one.
fn revise(story: &Story<'_>, standard: &str, away: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let author = board.member(DISCHARGE.by)?;
    let why = [("reason", "A day is enough, as two sites have shown.")];
    for deed in [
        deeds::event(standard, "revise", &why),
        deeds::set(standard, &DISCHARGE_NEXT),
        deeds::event(standard, "consult", &[]),
        deeds::event(standard, "begin_clinical_review", &[]),
    ] {
        author.act(deed)?;
    }
    let secretariat = board.member(cast.sponsor)?;
    stage.wait("the secretariat has the new version", || {
        let (written, seen) = (author.show(standard)?, secretariat.show(standard)?);
        Ok(seen.state_name == "clinical_review" && seen.fields == written.fields)
    })?;
    secretariat.act(deeds::freeze(standard, JOINT_RULE))?;
    until_others_show(story, away, standard, "frozen")?;
    stage.working("the members vote on the new version", || {
        board.for_all(|member| match member.part.is_observer || member.slug() == away {
            true => Ok(()),
            false => member.act(deeds::sign(standard, "approve")).map(drop),
        })
    })?;
    story.sign_off_clinically(standard)?;
    // Who is away could still vote; the closing ends that.
    let answers = board.members.iter().filter(|member| !member.part.is_observer).count() - 1;
    let office = board.member(cast.office)?;
    stage.wait("the office has all answers", || {
        let shown = office.show(standard)?;
        let last = shown.proposals.last();
        let open = |(_, says): &&(String, String)| !says.ends_with("(open)");
        Ok(last.is_some_and(|one| one.answers.iter().filter(open).count() == answers))
    })?;
    office.act(deeds::close(standard))?;
    until_others_show(story, away, standard, "agreed")
}

fn adopt(
    council: &Member,
    standard: &str,
    (locality, status): (&str, &str),
) -> Result<(), DemoError> {
    let says = [("locality", locality), ("version", "last"), ("status", status)];
    council.act(deeds::event(standard, "adopt", &says)).map(drop)
}

/// The node comes back, reaches nobody, and adopts the version that it knows.
fn adopt_the_old(
    story: &mut Story<'_>,
    standard: &str,
    (locality, slug): (&str, &str),
) -> Result<(), DemoError> {
    let Story { stage, board, .. } = &*story;
    board.cut();
    stage.wait("the others notice that they are apart", || {
        board.others(slug).try_fold(true, |apart, member| Ok(apart && member.connected()? == 0))
    })?;
    let council = board.member(slug)?;
    council.start()?;
    stage.wait("the node answers again", || council.has_started())?;
    adopt(council, standard, (locality, "partial"))?;
    if council.connected()? > 0 {
        return Err(DemoError::NeverCame { what: format!("{slug} reaches nobody") });
    }
    story.heal()?;

    let Story { stage, board, .. } = story;
    let what = format!(
        "Started where it reaches nobody, {slug} adopts version 1.0: every node keeps that, and shows that another \
         version holds."
    );
    stage.must("old-version", what, || {
        let shown = board.each(|member| member.show(standard));
        let fault = |shown: &Artefact| {
            checks::conflict_fault(shown, "C10", &[("adopted", slug)])
                .or_else(|| checks::state_fault(shown, "agreed"))
        };
        checks::alike(shown, fault, |shown| {
            checks::open_conflicts(shown, "C10").map(checks::in_words).collect()
        })
    })
}

/// Now it knows the new one, and adopts that.
fn adopt_the_new(
    story: &mut Story<'_>,
    standard: &str,
    (locality, slug): (&str, &str),
) -> Result<(), DemoError> {
    let Story { stage, board, .. } = story;
    adopt(board.member(slug)?, standard, (locality, "planned"))?;
    let [(_, next), _] = DISCHARGE_NEXT;
    let what = format!(
        "Back among the others, {slug} plans to adopt version {next}; on every node the conflict is gone."
    );
    stage.until("new-version", what, || {
        let shown = board.each(|member| member.show(standard));
        let fault = |shown: &Artefact| {
            let by = checks::authors_saying(shown, "adoption", ("status", "planned"));
            let is_missing = by != [slug];
            checks::none_open(shown, "C10")
                .or_else(|| checks::value_fault(shown, "version", &[next]))
                .or_else(|| is_missing.then(|| format!("planned by {by:?}")))
        };
        checks::alike(shown, fault, |_| format!("version {next}, planned by {slug}"))
    })?;
    Ok(())
}
