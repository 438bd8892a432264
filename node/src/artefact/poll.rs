//! Fixing a text, answering a proposal, and closing it.
//!
//! *Invariants.* What is frozen is what the document reads at its heads, and the author sees it with
//! its digest; it is looked through for patients' numbers as a whole, since two edits may make one
//! that neither held. An answer is to the digest that the proposal names.
//!
//! *Source*: ours; formats, section 8; domain, section 2.0, "Freeze".

use concordat_protocol::{
    artefact::{
        guard,
        kind::{Among, Role, Trigger},
        read::read,
    },
    charter::{Answer, Rule, Status},
    codec::{Blob, Fixed},
    decision::{Fate, Wording},
    feed::Kind,
    hash::{EntryId, OrgId},
    payload::{Close, Proposal, SignOff},
    replay::{Proposed, Standing, wording},
    time::TimeMs,
};

use super::{
    Case, edits, names, needs,
    prepare::{Made, draft},
};
use crate::{
    clock,
    control::{Frozen, Refusal},
};

/// For how long a proposal is open, unless its author says otherwise: 14 days.
const OPEN_MS: u64 = 14 * 24 * 60 * 60 * 1_000;

/// Fixes the text and puts it to a decision.
pub(super) fn freeze(
    case: &Case<'_>,
    rule: Option<&str>,
    closer: Option<&str>,
    closes_on: Option<&str>,
) -> Result<Made, Refusal> {
    expect_may_freeze(case)?;
    // Before anything else: other refusals tell what stands in the fields.
    expect_no_patient(case)?;
    needs::expect_met(case, |trigger| matches!(trigger, Trigger::Proposal(_)))?;
    let (name, rule) = rule_named(case, rule)?;
    let closer = closer_named(case, closer)?;
    let closes_at = match closes_on {
        Some(text) => names::time_named(text)?,
        None => TimeMs(clock::now_ms()).plus_ms(OPEN_MS),
    };
    let folded = edits::fold_heads(case)?;
    let frozen = wording(case.kind(), &read(&folded.document))
        .map_err(|why| Refusal::new("not-decidable", why))?;
    let heads = folded.document.heads();
    let proposal = Proposal {
        heads: heads.iter().map(|head| Fixed(head.0)).collect(),
        wording: frozen.digest(),
        snapshot: Blob::from(frozen.to_bytes()),
        rule: name.clone(),
        closer,
        closes_at,
        replaces: last(case),
    };
    let mut drafts = folded.drafts;
    let mut entry = draft(case, Kind::PROPOSAL, proposal.to_bytes());
    entry.refs = case.replay.refs(&case.board.own, &heads);
    drafts.push(entry);
    let did = "fixed its text and put it to a decision".to_owned();
    let mut made = Made::tried(case, drafts, Role::Secretariat, did)?;
    made.acted.frozen = Some(Frozen {
        digest: data_encoding::HEXLOWER.encode(&proposal.wording.0),
        heads: heads.iter().map(|head| data_encoding::HEXLOWER.encode(&head.0)).collect(),
        rule: name,
        rule_in_words: rule.in_words(case.charter),
        closer: case.slug(&closer),
        closes_at_ms: closes_at.0,
        replaces: proposal.replaces.map(|id| id.to_string()),
        wording: as_json(&frozen),
    });
    Ok(made)
}

/// Told before what is missing; the trial tests it again.
fn expect_may_freeze(case: &Case<'_>) -> Result<(), Refusal> {
    let is_of_secretariat = |trigger: &Trigger| match trigger {
        Trigger::Proposal(who) => who.org == Among::Secretariat,
        Trigger::Event(_) | Trigger::Carried | Trigger::NotCarried => false,
    };
    let mut steps = case.kind().transitions.iter();
    let needs_secretariat = steps.any(|step| is_of_secretariat(&step.by));
    if needs_secretariat && !case.charter.secretariat.contains(&case.snapshot.me()) {
        return Err(Refusal::new("no-effect", "only the secretariat may put it to a decision"));
    }
    Ok(())
}

/// Refuses a document with a patient's number in any of its fields, whoever wrote it.
fn expect_no_patient(case: &Case<'_>) -> Result<(), Refusal> {
    let mut cells = case.seen()?.reading.cells.iter();
    cells.try_for_each(guard::expect_none_in).map_err(|why| {
        Refusal::new("patient-number", format!("{why}; edit that field, then freeze again"))
    })
}

fn as_json(wording: &Wording) -> serde_json::Value {
    serde_json::from_slice(&wording.to_bytes()).unwrap_or_default()
}

fn rule_named<'a>(case: &Case<'a>, named: Option<&str>) -> Result<(String, &'a Rule), Refusal> {
    let rules = &case.charter.rules;
    let names = || {
        let names: Vec<String> = rules.iter().map(|rule| format!("{:?}", rule.name)).collect();
        names.join(", ")
    };
    match (named, rules.as_slice()) {
        (Some(named), _) => match rules.iter().find(|rule| rule.name == named) {
            Some(rule) => Ok((rule.name.clone(), &rule.rule)),
            None => {
                let message = format!("the charter has no rule {named:?}; it has {}", names());
                Err(Refusal::new("unknown-rule", message))
            }
        },
        (None, [rule]) => Ok((rule.name.clone(), &rule.rule)),
        (None, _) => {
            let message = format!("say with --rule which rule decides: {}", names());
            Err(Refusal::new("which-rule", message))
        }
    }
}

fn closer_named(case: &Case<'_>, named: Option<&str>) -> Result<OrgId, Refusal> {
    if let Some(named) = named {
        return names::member_named(case.charter, named).map(|member| member.org);
    }
    let is_active = |org: &&OrgId| {
        let member = case.charter.member(org);
        member.is_some_and(|member| member.status == Status::Active) && needs::is_inside(case, org)
    };
    case.charter.closers.iter().find(is_active).copied().ok_or_else(|| {
        let message = "the charter names nobody in the audience who may close a vote";
        Refusal::new("no-closer", message)
    })
}

/// The last proposal that counts: the one that no other counting proposal came after.
fn last(case: &Case<'_>) -> Option<EntryId> {
    let counts = |id: &&EntryId| case.replay.entries.get(*id) == Some(&Standing::Counts);
    let all: Vec<EntryId> = case.replay.proposals.keys().filter(counts).copied().collect();
    let current = case.replay.lifecycle.proposal.filter(|id| all.contains(id));
    current.or_else(|| {
        let is_last = |id: &&EntryId| !all.iter().any(|other| case.replay.is_before(id, other));
        all.iter().find(is_last).copied()
    })
}

/// The proposal that a person named, or the last.
///
/// # Errors
/// - [`Refusal`]: there is none.
pub(super) fn proposal_named<'a>(
    case: &'a Case<'_>,
    named: Option<&str>,
) -> Result<(EntryId, &'a Proposed), Refusal> {
    let id = match named {
        Some(named) => Some(names::entry_in(&case.dossier, named)?.entry),
        None => last(case),
    };
    let found = id.and_then(|id| Some((id, case.replay.proposals.get(&id)?)));
    found.ok_or_else(|| {
        let message = "no such proposal; `concordat propose` makes one";
        Refusal::new("no-proposal", message)
    })
}

/// The entry of the proposal that a person named, or of the last.
///
/// # Errors
/// - [`Refusal`]: there is none.
pub fn proposal_of(case: &Case<'_>, named: Option<&str>) -> Result<EntryId, Refusal> {
    proposal_named(case, named).map(|(id, _)| id)
}

/// Answers a proposal.
pub(super) fn sign(case: &Case<'_>, named: Option<&str>, answer: &str) -> Result<Made, Refusal> {
    let (proposal, proposed) = proposal_named(case, named)?;
    let (answer, did) = match answer {
        "approve" => (Answer::Approve, "approved"),
        "reject" => (Answer::Reject, "rejected"),
        "abstain" => (Answer::Abstain, "abstained on"),
        "recuse" => (Answer::Recused, "took no part in deciding"),
        _ => {
            let message = "an answer is approve, reject, abstain or recuse";
            return Err(Refusal::new("bad-value", message));
        }
    };
    let wording = proposed.says.wording;
    let payload = SignOff { proposal, answer, wording }.to_bytes();
    let drafts = vec![draft(case, Kind::SIGNOFF, payload)];
    let digest = data_encoding::HEXLOWER.encode(&wording.0);
    let did = format!("{did} the wording {digest}");
    Made::tried(case, drafts, Role::Signatory, did)
}

/// Closes a proposal, with every answer that has come: late ones too, which another closing by this
/// organisation made so that has no effect, under a key that was taken back or on a history that lost.
pub(super) fn close(case: &Case<'_>, named: Option<&str>) -> Result<Made, Refusal> {
    let (proposal, proposed) = proposal_named(case, named)?;
    let slips = proposed.poll.slips.iter();
    let has_come = |fate| matches!(fate, Fate::Counted | Fate::Waiting | Fate::Late);
    let counted = slips.filter(|slip| has_come(slip.fate));
    let mut counted: Vec<EntryId> = counted.map(|slip| slip.entry).collect();
    counted.sort_unstable();
    let did = format!("closed the vote, with {} answers counted", counted.len());
    let payload = Close { proposal, counted }.to_bytes();
    let drafts = vec![draft(case, Kind::CLOSE, payload)];
    Made::tried(case, drafts, Role::Secretariat, did)
}
