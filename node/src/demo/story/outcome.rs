//! What comes of what the board met on: what is carried takes effect, and what is not does not.
//!
//! *Source*: ours; domain, section 3.4 (D01, D02, D04, D18, D19).

use super::{
    Story,
    meeting::{Agenda, Item},
};
use crate::{
    demo::{
        DemoError,
        cast::Part,
        checks, deeds,
        papers::{ADOPTION, EXCEPTED, EXCEPTION},
        stage::Found,
    },
    view::artefact::Artefact,
};

/// From which day on what is carried is in force.
const FROM: [(&str, &str); 1] = [("effective_from", "2017-12-18")];

pub(super) fn of_decisions(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    positions(story, agenda)?;
    ratify(story, agenda)?;
    bring_into_force(story, agenda)
}

/// A standard needs clinicians of two trusts and of two commissioning groups.
pub(super) fn of_standards(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let [dementia, ..] = agenda.standards.as_slice() else { return Ok(()) };
    if story.cast.clinicians().is_none() {
        story.stage.say(
            "  The standard waits for clinicians of two trusts and two commissioning groups, whom this board has not.",
        );
        return Ok(());
    }
    agree(story, agenda)?;
    adopt(story, &dementia.artefact)
}

/// One for and one against what fell say why, and it stays beside the result.
fn positions(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let [_, _, Item { artefact: hub, ballot, .. }] = &agenda.decisions;
    let first = |answer| {
        let answers = |part: &&Part| ballot.answer_of(part, &cast.parts) == Some(answer);
        cast.parts.iter().find(answers).map(|part| part.slug).unwrap_or_default()
    };
    let stated = [
        (first("approve"), "Patients would have had better care in one place."),
        (first("reject"), "The way would have been too long for many of ours."),
    ];
    for (slug, text) in stated {
        board.member(slug)?.act(deeds::state_position(hub, text))?;
    }
    let what = "Two say why they voted as they did, and it stands beside the result on every node.";
    stage.until("meeting-positions", what, || {
        let shown = board.each(|member| member.show(hub));
        let fault = |shown: &Artefact| {
            let says = |(slug, text): &(&str, &str)| {
                shown.remarks.iter().any(|one| one.by.org == *slug && one.text == *text)
            };
            let missing = stated.iter().find(|one| !says(one));
            missing.map(|(slug, _)| format!("there is no position of {slug}"))
        };
        let [(one, _), (other, _)] = stated;
        checks::alike(shown, fault, |_| format!("positions of {one} and {other}"))
    })?;
    Ok(())
}

/// A recommendation binds nobody before the member's own body has agreed.
fn ratify(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let [Item { artefact: adopts, .. }, ..] = &agenda.decisions;
    let secretariat = story.board.member(story.cast.sponsor)?;
    secretariat.act(deeds::event(adopts, "begin_ratification", &[]))?;
    story.until_all_show(adopts, "ratifying")?;

    let Story { stage, board, cast, .. } = story;
    let bound = |part: &Part| {
        let body = match part.class {
            "council" => "Cabinet",
            "ccg" => "Governing body",
            _ => return None,
        };
        (Some(part.slug) != cast.undecided).then_some(body)
    };
    stage.working("the members' own bodies ratify", || {
        board.for_all(|member| {
            let Some(body) = bound(&member.part) else { return Ok(()) };
            let says = [("body", body), ("result", "ratified"), ("date", "2017-12-11")];
            member.act(deeds::event(adopts, "ratify", &says)).map(drop)
        })
    })?;
    let expected = cast.parts.iter().filter(|part| bound(part).is_some()).count();
    let still = cast.undecided.map(|slug| format!("; {slug} has yet to"));
    let what = format!(
        "It only recommends: {expected} of those who pay have ratified it{}, as every node shows.",
        still.unwrap_or_default()
    );
    stage.until("meeting-ratified", what, || {
        let shown = board.each(|member| member.show(adopts));
        let fault = |shown: &Artefact| {
            let by = checks::authors_saying(shown, "ratifications", ("result", "ratified"));
            let is_well =
                by.len() == expected && cast.undecided.is_none_or(|one| !by.contains(&one));
            (!is_well).then(|| format!("ratified by {by:?}"))
        };
        checks::alike(shown, fault, |shown| checks::authors_of(shown, "ratifications").join(", "))
    })?;
    Ok(())
}

fn bring_into_force(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let [adopts, stroke, hub] = agenda.decisions.each_ref().map(|item| &item.artefact);
    let secretariat = board.member(cast.sponsor)?;
    for artefact in [adopts, stroke] {
        secretariat.act(deeds::event(artefact, "bring_into_force", &FROM))?;
    }
    let refusal = secretariat.refusal(deeds::event(hub, "bring_into_force", &FROM))?;
    let found = checks::refused(refusal.as_ref(), "no-effect", "not_carried");
    stage.check("meeting-hub-not", "What was not carried cannot be brought into force.", found);
    let what = "What was carried is in force on every node.";
    stage.until("meeting-in-force", what, || {
        let said = checks::same(board.each(|member| {
            let [adopts, stroke] = [member.show(adopts)?, member.show(stroke)?];
            Ok(format!("{} and {}", adopts.state_name, stroke.state_name))
        }))?;
        let is_in_force = said.detail.starts_with("in_force and in_force ");
        Ok(Found { is_well: said.is_well && is_in_force, ..said })
    })?;
    Ok(())
}

/// The clinicians sign both standards off, and both are brought into force.
fn agree(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    for Item { artefact, .. } in &agenda.standards {
        story.sign_off_clinically(artefact)?;
        story.until_all_show(artefact, "agreed")?;
        let secretariat = story.board.member(story.cast.sponsor)?;
        secretariat.act(deeds::event(artefact, "bring_into_force", &FROM))?;
    }
    let Story { stage, board, .. } = story;
    let what = "Clinicians have signed: the standards are agreed, and in force on every node.";
    stage.must("standards-in-force", what, || {
        Found::all(agenda.standards.iter().map(|item| {
            let shown = board.each(|member| member.show(&item.artefact));
            let fault = |shown: &Artefact| checks::state_fault(shown, "in_force");
            checks::alike(shown, fault, |shown| {
                let codes = shown.fields.iter().filter(|one| one.path.ends_with("/code"));
                format!("{}, {} statements", item.paper.reference, codes.count())
            })
        }))
    })
}

/// Each locality says how far it has come, and one asks for more time.
fn adopt(story: &mut Story<'_>, dementia: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let takes_part = |slug: &str| cast.parts.iter().any(|part| part.slug == slug);
    let told: Vec<_> = ADOPTION.iter().filter(|(_, by, _)| takes_part(by)).collect();
    for (locality, by, status) in &told {
        let says = [("locality", *locality), ("version", "last"), ("status", *status)];
        board.member(by)?.act(deeds::event(dementia, "adopt", &says))?;
    }
    board.member(EXCEPTED)?.act(deeds::event(dementia, "except", &EXCEPTION))?;
    let what = format!(
        "{} localities say how far they have come, each for itself; {EXCEPTED} has an exception from one statement.",
        told.len()
    );
    stage.until("dementia-adopted", what, || {
        let shown = board.each(|member| member.show(dementia));
        let fault = |shown: &Artefact| {
            let says = |by: &str, said| checks::authors_saying(shown, TABLE, said).contains(&by);
            let missing = told.iter().find(|(_, by, status)| !says(by, ("status", status)));
            let [_, _, _, until, _] = EXCEPTION;
            missing
                .map(|(locality, by, status)| format!("{by} does not say {status} of {locality}"))
                .or_else(|| {
                    (!says(EXCEPTED, until)).then(|| format!("{EXCEPTED} has no exception"))
                })
        };
        checks::alike(shown, fault, |shown| checks::authors_of(shown, TABLE).join(", "))
    })?;
    Ok(())
}

/// Where rows of adoption and exceptions stand.
const TABLE: &str = "adoption";
