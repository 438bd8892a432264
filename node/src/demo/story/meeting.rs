//! The board meets on several papers at once: they are written, fixed, voted on and counted.
//!
//! *Source*: ours; domain, section 3.4 (D01, D02, D04, D18, D19).

use super::{Story, editing::digest, outcome, versions};
use crate::{
    demo::{
        DemoError,
        cast::{Cast, Part},
        checks, deeds,
        papers::{
            Ballot, DECISIONS, DEMENTIA, DEMENTIA_POUNDS, DISCHARGE, EARLIER, Paper, ballots,
        },
        partnership::Partnership,
        stage::Found,
    },
    view::artefact::{Artefact, History},
};

/// One paper before the board.
pub(super) struct Item {
    pub(super) paper: &'static Paper,
    pub(super) artefact: String,
    pub(super) ballot: Ballot,
}

/// What the board meets on.
pub(super) struct Agenda {
    /// Adopts the dementia standard, moves stroke care, would move vascular care.
    pub(super) decisions: [Item; 3],
    /// On dementia; and on discharge teams, where there are the clinicians to agree it.
    pub(super) standards: Vec<Item>,
}

impl Agenda {
    fn items(&self) -> impl Iterator<Item = &Item> {
        self.decisions.iter().chain(&self.standards)
    }
}

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let agenda = draft(story)?;
    give_views(story, &agenda)?;
    freeze(story, &agenda)?;
    vote(story, &agenda)?;
    count(story, &agenda)?;
    interests(story, &agenda)?;
    outcome::of_decisions(story, &agenda)?;
    outcome::of_standards(story, &agenda)?;
    match agenda.standards.as_slice() {
        [_, discharge] => versions::tell(story, &discharge.artefact),
        _ => Ok(()),
    }
}

/// Each paper is written by one member, and brought before all.
fn draft(story: &Story<'_>) -> Result<Agenda, DemoError> {
    let Story { stage, board, cast, .. } = story;
    let begin = |paper: &'static Paper, ballot: Ballot| -> Result<Item, DemoError> {
        Ok(Item { paper, artefact: write(board, paper)?, ballot })
    };
    let ([adopts, stroke, hub], [first, second, third]) = (&DECISIONS, ballots(cast.size));
    let decisions = [begin(adopts, first)?, begin(stroke, second)?, begin(hub, third)?];
    let standards =
        [&DEMENTIA, &DISCHARGE].into_iter().take(1 + usize::from(cast.behind.is_some()));
    let standards = standards.map(|paper| begin(paper, Ballot::AllFor));
    let agenda = Agenda { decisions, standards: standards.collect::<Result<_, _>>()? };

    let [adopts, ..] = &agenda.decisions;
    split_money(board, cast, adopts)?;
    for item in &agenda.decisions {
        board.member(item.paper.by)?.act(deeds::event(&item.artefact, "consult", &[]))?;
    }
    for (item, adopted_by) in agenda.standards.iter().zip([adopts.artefact.as_str(), EARLIER]) {
        let by = board.member(item.paper.by)?;
        by.act(deeds::set(&item.artefact, &[("decision_ref", adopted_by)]))?;
        by.act(deeds::event(&item.artefact, "consult", &[]))?;
        by.act(deeds::event(&item.artefact, "begin_clinical_review", &[]))?;
    }
    stage.say(&format!(
        "  {} papers are before the board: {}.",
        agenda.items().count(),
        "money for dementia care, where strokes are treated, one vascular hub, and standards"
    ));
    for item in agenda.items() {
        let author = item.paper.by;
        stage.wait("every node has the whole paper", || {
            let written = board.member(author)?.show(&item.artefact)?;
            board.all(|member| Ok(member.show(&item.artefact)?.fields == written.fields))
        })?;
    }
    Ok(agenda)
}

/// The id of the artefact that says what the paper does.
fn write(board: &Partnership, paper: &Paper) -> Result<String, DemoError> {
    let by = board.member(paper.by)?;
    let artefact = by.act(deeds::open(paper.kind, paper.title))?.artefact;
    if paper.is_standard() {
        by.act(deeds::event(&artefact, "begin_drafting", &[]))?;
    }
    for edits in paper.edits() {
        by.act(deeds::edit(&artefact, edits))?;
    }
    Ok(artefact)
}

/// Each council gets the same, for its locality.
fn split_money(board: &Partnership, cast: &Cast, adopts: &Item) -> Result<(), DemoError> {
    let councils: Vec<&Part> = cast.parts.iter().filter(|part| part.class == "council").collect();
    let each = format!("£{}", DEMENTIA_POUNDS / councils.len().max(1) as u64);
    for council in councils {
        let given = [("org", council.slug), ("year", "2017/18"), ("pence", each.as_str())];
        let add = deeds::add(&adopts.artefact, "finance/split", &given);
        board.member(adopts.paper.by)?.act(add)?;
    }
    Ok(())
}

/// Nothing is decided before every trust has said what it means for care.
fn give_views(story: &Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    for item in agenda.items() {
        let state = if item.paper.is_standard() { "clinical_review" } else { "consultation" };
        story.until_all_show(&item.artefact, state)?;
    }
    stage.working("the trusts give their views", || {
        board.for_all(|member| {
            let is_trust = member.part.class == "trust";
            for item in agenda.decisions.iter().filter(|_| is_trust) {
                let view = [("view", "support_with_conditions"), ("text", "If staff agree.")];
                member.act(deeds::event(&item.artefact, "provider_view", &view))?;
            }
            Ok(())
        })
    })?;
    let trusts = cast.parts.iter().filter(|part| part.class == "trust").count();
    let sponsor = board.member(cast.sponsor)?;
    stage.wait("the secretariat has the views of all providers", || {
        let mut has_all = true;
        for item in &agenda.decisions {
            let shown = sponsor.show(&item.artefact)?;
            has_all &= checks::authors_of(&shown, "provider_views").len() == trusts;
        }
        Ok(has_all)
    })
}

/// The secretariat gives each its reference, and fixes its text.
fn freeze(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let secretariat = board.member(cast.sponsor)?;
    for Item { paper, artefact, .. } in agenda.items() {
        let reference = [("reference", paper.reference)];
        secretariat.act(deeds::event(artefact, "set_reference", &reference))?;
        secretariat.act(deeds::freeze(artefact, paper.rule()))?;
    }
    stage.must("meeting-frozen", "The texts are fixed; every node shows the same of each.", || {
        Found::all(agenda.items().map(|item| {
            let shown = board.each(|member| member.show(&item.artefact));
            checks::alike(
                shown,
                |shown| checks::state_fault(shown, "frozen"),
                |shown| format!("{}, {}", item.paper.reference, digest(shown)),
            )
        }))
    })
}

/// All that vote do, on all papers; who decides and has an interest declares it, and takes no part.
fn vote(story: &Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    for line in [
        "  The first three are decided by those who pay: councils, commissioning groups, the partnership office.",
        "  Trusts would be paid, and take no part.",
    ] {
        stage.say(line);
    }
    stage.working("the members vote", || {
        board.for_all(|member| {
            for Item { artefact, ballot, .. } in agenda.items() {
                let Some(answer) = ballot.answer_of(&member.part, &cast.parts) else { continue };
                if ballot.interested(&cast.parts).contains(&member.slug()) {
                    member.act(deeds::event(artefact, DECLARE, &INTEREST))?;
                }
                member.act(deeds::sign(artefact, answer))?;
            }
            Ok(())
        })
    })
}

const DECLARE: &str = "declare_interest";
const INTEREST: [(&str, &str); 4] = [
    ("role", "clinical lead"),
    ("kind", "non_financial_professional"),
    ("nature", "Works at one of the hospitals."),
    ("action", "no_vote"),
];

/// What the ballots come to, on every node; and by which line of the rule.
fn count(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    for Item { paper, artefact, ballot } in agenda.items() {
        let division = ballot.division(&cast.parts);
        let [approve, reject, abstain, recuse] = division;
        let (result, said) =
            if paper.is_carried { ("carried", "carried") } else { ("failed", "not carried") };
        let state = match (paper.is_standard(), paper.is_carried) {
            // It waits for clinicians.
            (true, _) => "frozen",
            (false, true) => "decided",
            (false, false) => "not_carried",
        };
        let what = format!(
            "{}: {approve} for, {reject} against, {abstain} abstain, {recuse} take no part; it is {said}.",
            paper.reference
        );
        stage.must(paper.check, what, || {
            let shown = board.each(|member| member.show(artefact));
            let fault = |shown: &Artefact| {
                checks::state_fault(shown, state)
                    .or_else(|| checks::division_fault(shown, result, division))
            };
            let found = checks::alike(shown, fault, |shown| shown.state.clone())?;
            let trace = checks::trace(&board.member(cast.observer)?.prove(artefact)?);
            Ok(Found { detail: format!("{}\n{trace}", found.detail), ..found })
        })?;
    }
    Ok(())
}

/// Of those who decide, whoever took no part had said why before.
fn interests(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let observer = board.member(cast.observer)?;
    let interested = |item: &Item| {
        let slugs = item.ballot.interested(&cast.parts).into_iter();
        slugs.map(|slug| (item.artefact.clone(), item.paper.reference, slug)).collect::<Vec<_>>()
    };
    let interested: Vec<_> = agenda.items().flat_map(interested).collect();
    if interested.is_empty() {
        return Ok(());
    }
    let what = "Of those who decide, whoever took no part had declared an interest before.";
    stage.until("meeting-interests", what, || {
        Found::all(interested.iter().map(|(artefact, reference, slug)| {
            let is_declared = declared_before_answering(&observer.history(artefact)?, slug);
            Ok(Found { is_well: is_declared, detail: format!("{slug}, on {reference}") })
        }))
    })?;
    Ok(())
}

fn declared_before_answering(history: &History, slug: &str) -> bool {
    let mut own = history.deeds.iter().filter(|deed| deed.by.org == slug);
    own.find(|deed| [DECLARE, "signoff"].contains(&deed.what.as_str()))
        .is_some_and(|first| first.what == DECLARE)
}
