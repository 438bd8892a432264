//! One vote for each organisation, and results that stay.
//!
//! What is counted is worked out anew, from the dossier: of an organisation's sign-offs on a
//! proposal and its wording the first in its feed, if it is settled. A feed that is forked is left
//! out: which of its branches stands is for others to check.

use std::collections::BTreeMap;

use concordat_protocol::{
    charter::{Charter, Seat},
    decision::{Fate, Ruling},
    feed::Kind,
    hash::{EntryId, OrgId},
    payload::SignOff,
    replay::Content,
};

use super::super::{
    super::{artefacts::Scene, network::NodeIx},
    Checker, Verdict, Violation,
};

fn violation(sentence: String) -> Violation {
    Violation { checker: Checker::Votes, sentence }
}

/// Counts the votes of every proposal anew.
///
/// # Errors
/// A vote that is counted and should not be.
pub fn count(charter: &Charter, node: NodeIx, scene: &Scene) -> Verdict {
    for (id, proposed) in &scene.replay.proposals {
        let firsts = firsts(scene, id);
        let mut counted: BTreeMap<OrgId, usize> = BTreeMap::new();
        for slip in proposed.poll.slips.iter().filter(|slip| slip.fate == Fate::Counted) {
            *counted.entry(slip.org).or_default() += 1;
        }
        if let Some((org, many)) = counted.iter().find(|(_, many)| **many > 1) {
            let sentence = format!("node {node}: {id}: {many} votes of {org} are counted");
            return Err(violation(sentence));
        }
        for (org, seat) in &proposed.poll.seats {
            let Seat::Answered(answer) = seat else { continue };
            let has_seat = charter.seats().any(|member| member.org == *org);
            let first = firsts.get(org);
            let is_right = match first {
                Some(First::Forked) => true,
                Some(First::Said { answer: said, settled }) => settled == &true && said == answer,
                None => false,
            };
            if !has_seat || !is_right {
                return Err(violation(format!(
                    "node {node}: {id}: {org} is counted as {answer:?}; its first answer is {first:?}"
                )));
            }
        }
    }
    Ok(())
}

/// The first answer of an organisation.
#[derive(Debug)]
enum First {
    Said { answer: concordat_protocol::charter::Answer, settled: bool },
    Forked,
}

fn firsts(scene: &Scene, proposal: &EntryId) -> BTreeMap<OrgId, First> {
    let Some(proposed) = scene.replay.proposals.get(proposal) else { return BTreeMap::new() };
    let mut entries: Vec<_> =
        scene.dossier.entries.iter().filter(|one| one.kind == Kind::SIGNOFF).collect();
    entries.sort_by_key(|one| (one.by.org, one.by.epoch, one.by.seq));
    let mut firsts = BTreeMap::new();
    for entry in entries {
        let Content::Here(sealed) = &entry.content else { continue };
        let Ok(says) = SignOff::from_bytes(sealed.payload.bytes()) else { continue };
        if says.proposal != *proposal || says.wording != proposed.says.wording {
            continue;
        }
        let is_forked = entry.by.branch().is_some();
        if !entry.by.may_count() && !is_forked {
            continue;
        }
        let said = First::Said { answer: says.answer, settled: entry.by.settled };
        let first = firsts.entry(entry.by.org).or_insert(said);
        if is_forked {
            *first = First::Forked;
        }
    }
    firsts
}

/// Results that nodes showed as fixed.
#[derive(Debug, Default)]
pub(super) struct Fixed(BTreeMap<(NodeIx, EntryId), Ruling>);

impl Fixed {
    pub(super) fn note(&mut self, node: NodeIx, scene: &Scene) -> Verdict {
        for (id, proposed) in &scene.replay.proposals {
            let ruling = &proposed.poll.ruling;
            let before = self.0.get(&(node, *id));
            if let Some(before) = before.filter(|before| *before != ruling) {
                return Err(violation(format!(
                    "node {node}: the result of {id} was {before:?} and is {ruling:?}"
                )));
            }
            if matches!(ruling, Ruling::Carried | Ruling::Failed | Ruling::Inquorate) {
                self.0.insert((node, *id), ruling.clone());
            }
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, node: NodeIx) {
        self.0.retain(|(of, _), _| *of != node);
    }
}
