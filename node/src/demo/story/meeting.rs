//! The board meets on several papers at once: they are written, fixed, voted on and counted.
//!
//! *Source*: ours; domain, section 3.4 (D01, D02, D04, D18).

use super::{Story, outcome, versions};
use crate::{
    demo::{
        DemoError,
        cast::Part,
        checks, deeds,
        papers::{
            Ballot, DECISIONS, DEMENTIA, DEMENTIA_POUNDS, DISCHARGE, EARLIER, Paper, ballots,
        },
        partnership::{COMMISSIONING_RULE, JOINT_RULE},
        stage::Found,
    },
    view::artefact::Artefact,
};

/// The ids of what the board meets on.
pub(super) struct Agenda {
    /// What is decided by ballot: adopts the standard, moves stroke care, would move vascular care.
    pub(super) decisions: [String; 3],
    pub(super) dementia: String,
    /// Where there are the clinicians to agree it.
    discharge: Option<String>,
}

impl Agenda {
    pub(super) fn standards(&self) -> impl Iterator<Item = &String> {
        [&self.dementia].into_iter().chain(&self.discharge)
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
    match &agenda.discharge {
        Some(discharge) => versions::tell(story, discharge),
        None => Ok(()),
    }
}

/// Each paper is begun and written by one member, and brought before all.
fn draft(story: &mut Story<'_>) -> Result<Agenda, DemoError> {
    let Story { stage, board, cast, .. } = story;
    let begin = |paper: &Paper| {
        let by = board.member(paper.by)?;
        let artefact = by.act(deeds::open(paper.kind, paper.title))?.artefact;
        if paper.kind == "standard" {
            by.act(deeds::event(&artefact, "begin_drafting", &[]))?;
        }
        for edits in paper.edits() {
            by.act(deeds::edit(&artefact, edits))?;
        }
        Ok::<_, DemoError>(artefact)
    };
    let [adopts, stroke, vascular] = &DECISIONS;
    let decisions = [begin(adopts)?, begin(stroke)?, begin(vascular)?];
    let dementia = begin(&DEMENTIA)?;
    let discharge = cast.behind.map(|_| begin(&DISCHARGE)).transpose()?;
    let agenda = Agenda { decisions, dementia, discharge };

    let [adopts_id, ..] = &agenda.decisions;
    let councils: Vec<&Part> = cast.parts.iter().filter(|part| part.class == "council").collect();
    let each = format!("£{}", DEMENTIA_POUNDS / councils.len().max(1) as u64);
    for council in councils {
        let item = [("org", council.slug), ("year", "2017/18"), ("pence", each.as_str())];
        board.member(adopts.by)?.act(deeds::add(adopts_id, "finance/split", &item))?;
    }
    for (paper, artefact) in DECISIONS.iter().zip(&agenda.decisions) {
        board.member(paper.by)?.act(deeds::event(artefact, "consult", &[]))?;
    }
    let adopted_by = [adopts_id.as_str(), EARLIER];
    for ((paper, artefact), by) in
        [&DEMENTIA, &DISCHARGE].into_iter().zip(agenda.standards()).zip(adopted_by)
    {
        let author = board.member(paper.by)?;
        author.act(deeds::set(artefact, &[("decision_ref", by)]))?;
        author.act(deeds::event(artefact, "consult", &[]))?;
        author.act(deeds::event(artefact, "begin_clinical_review", &[]))?;
    }
    stage.say(&format!(
        "  {} papers are before the board: {}.",
        DECISIONS.len() + agenda.standards().count(),
        "money for dementia care, where strokes are treated, one vascular hub, and standards"
    ));
    for artefact in &agenda.decisions {
        story.until_all_show(artefact, "consultation")?;
    }
    for artefact in agenda.standards() {
        story.until_all_show(artefact, "clinical_review")?;
    }
    Ok(agenda)
}

/// Nothing is decided before every trust has said what it means for care.
fn give_views(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    stage.working("the trusts give their views", || {
        board.for_all(|member| {
            let is_trust = member.part.class == "trust";
            for artefact in agenda.decisions.iter().filter(|_| is_trust) {
                let view = [("view", "support_with_conditions"), ("text", "If staff agree.")];
                member.act(deeds::event(artefact, "provider_view", &view))?;
            }
            Ok(())
        })
    })?;
    let trusts = cast.parts.iter().filter(|part| part.class == "trust").count();
    let sponsor = board.member(cast.sponsor)?;
    stage.wait("the secretariat has the views of all providers", || {
        let mut has = true;
        for artefact in &agenda.decisions {
            has &= sponsor.show(artefact)?.rows.len() == trusts;
        }
        Ok(has)
    })
}

/// The secretariat gives each its reference, and fixes its text.
fn freeze(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let secretariat = board.member(cast.sponsor)?;
    let decisions = DECISIONS.iter().zip(&agenda.decisions).map(|one| (one, COMMISSIONING_RULE));
    let standards = [&DEMENTIA, &DISCHARGE].into_iter().zip(agenda.standards());
    for ((paper, artefact), rule) in decisions.chain(standards.map(|one| (one, JOINT_RULE))) {
        let reference = [("reference", paper.reference)];
        secretariat.act(deeds::event(artefact, "set_reference", &reference))?;
        secretariat.act(deeds::freeze(artefact, rule))?;
    }
    let all = || agenda.decisions.iter().chain(agenda.standards());
    let what = "The texts are fixed, and every node has the same digest of each.";
    stage.until("meeting-frozen", what, || {
        checks::same(board.each(|member| {
            let mut digests = Vec::new();
            for artefact in all() {
                let shown = member.show(artefact)?;
                let digest = shown.proposals.last().map_or("none", |one| one.digest.as_str());
                digests.push(digest.get(..8).unwrap_or(digest).to_owned());
            }
            Ok(digests.join(", "))
        }))
        .map(|found| Found { is_well: found.is_well && !found.detail.contains("none"), ..found })
    })?;
    Ok(())
}

/// All that vote do, on all papers; who has an interest declares it, and takes no part.
fn vote(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let ballots = ballots(cast.size);
    stage.say(
        "  Councils and commissioning groups pay, and decide the first three; trusts would be paid, and take no part.",
    );
    stage.working("the members vote", || {
        board.for_all(|member| {
            for (artefact, ballot) in agenda.decisions.iter().zip(&ballots) {
                let Some(answer) = ballot.answer_of(&member.part, &cast.parts) else { continue };
                if answer == "recuse" && member.part.class != "trust" {
                    member.act(deeds::event(artefact, "declare_interest", &INTEREST))?;
                }
                member.act(deeds::sign(artefact, answer))?;
            }
            for artefact in agenda.standards().filter(|_| !member.part.is_observer) {
                member.act(deeds::sign(artefact, "approve"))?;
            }
            Ok(())
        })
    })
}

const INTEREST: [(&str, &str); 4] = [
    ("role", "clinical lead"),
    ("kind", "non_financial_professional"),
    ("nature", "Works at one of the hospitals."),
    ("action", "no_vote"),
];

/// What the ballots come to; the third is a majority, and not enough.
fn count(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let results = [
        ("meeting-adopts", "decided", "carried"),
        ("meeting-stroke", "decided", "carried"),
        ("meeting-hub", "not_carried", "failed"),
    ];
    let ballots = ballots(cast.size);
    for (((paper, artefact), ballot), (id, state, result)) in
        DECISIONS.iter().zip(&agenda.decisions).zip(&ballots).zip(results)
    {
        let division = ballot.division(&cast.parts);
        let [approve, reject, abstain, recuse] = division;
        let said = if result == "carried" { "carried" } else { "not carried" };
        let what = format!(
            "{}: {approve} for, {reject} against, {abstain} abstain, {recuse} take no part; it is {said}.",
            paper.reference
        );
        stage.until(id, what, || {
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

/// Who pays, and yet takes no part, has said why.
fn interests(story: &mut Story<'_>, agenda: &Agenda) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let declared: usize =
        ballots(cast.size).iter().map(|ballot| declared_by(ballot, &cast.parts)).sum();
    if declared == 0 {
        return Ok(());
    }
    let observer = board.member(cast.observer)?;
    let what = "Who had an interest said so on the record before taking no part.";
    stage.until("meeting-interests", what, || {
        let mut found = Vec::new();
        for artefact in &agenda.decisions {
            let deeds = observer.history(artefact)?.deeds.into_iter();
            let of = deeds.filter(|deed| deed.what == "declare_interest");
            found.extend(of.map(|deed| deed.by.org));
        }
        let is_well = found.len() == declared;
        Ok(Found { is_well, detail: format!("declared by {}", found.join(", ")) })
    })?;
    Ok(())
}

/// How many take no part although they pay.
fn declared_by(ballot: &Ballot, parts: &[Part]) -> usize {
    let payers = parts.iter().filter(|part| part.class != "trust");
    payers.filter(|part| ballot.answer_of(part, parts) == Some("recuse")).count()
}
