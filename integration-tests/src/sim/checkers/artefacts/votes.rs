//! One vote for each organisation, and results that stay.
//!
//! What is counted is worked out anew, from the dossier: of an organisation's sign-offs on a
//! proposal and its wording the first in its feed, if it is settled. A feed that is forked is left
//! out: which of its branches stands is for others to check.
//!
//! Dropped votes: what an answer that is late and a seat that is absent rest on is worked out anew too,
//! from what each member acknowledged, walked entry by entry; as long as no feed is forked or followed
//! by another. And no two nodes may show different results of one proposal, nor one node two.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    charter::{Charter, Seat},
    decision::{Fate, Ruling},
    feed::Kind,
    hash::{EntryId, FeedId, OrgId},
    payload::{Close, SignOff},
    replay::{Content, Entry, Proposed},
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
        timely(charter, scene, (id, proposed))
            .map_err(|what| violation(format!("node {node}: {id}: {what}")))?;
    }
    Ok(())
}

/// What members say of an entry, as far as this node can tell.
#[derive(Debug, Default, Clone, Copy)]
struct Heard {
    /// How many acknowledged it no later than a closing.
    in_time: usize,
    /// How many may have, for all that is known here.
    may_be: usize,
}

/// Who has acknowledged what before a closing, walked anew.
struct Walk<'a> {
    scene: &'a Scene,
    /// Closings by who may close, and what may be one: where they stand, and whether they are read.
    closings: Vec<(FeedId, u64, bool)>,
    closer: OrgId,
}

impl Walk<'_> {
    /// What everybody but its author says of an entry.
    fn of(&self, charter: &Charter, one: &Entry) -> Heard {
        let mut heard = Heard::default();
        let own =
            self.closings.iter().find(|(feed, seq, _)| *feed == one.feed && *seq < one.by.seq);
        if own.is_some() {
            return heard;
        }
        for member in charter.seats().filter(|member| member.org != one.by.org) {
            let (in_time, is_ended) = self.member(&member.org, one);
            heard.in_time += usize::from(in_time);
            heard.may_be += usize::from(in_time || !is_ended);
        }
        heard
    }

    /// Whether a member acknowledged an entry in time, and whether it has acknowledged a closing.
    fn member(&self, org: &OrgId, one: &Entry) -> (bool, bool) {
        let feeds = &self.scene.dossier.feeds;
        let mut places: BTreeSet<(u64, u64)> = BTreeSet::new();
        let acknowledged = &self.scene.dossier.acknowledged;
        let of_member: Vec<_> = acknowledged.iter().filter(|ack| ack.by == *org).collect();
        places.extend(of_member.iter().map(|ack| ack.place));
        let mut in_time = false;
        let wrote = |(feed, _, _): &&(FeedId, u64, bool)| {
            feeds.get(feed).is_some_and(|(author, _)| author == org)
        };
        let written = self.closings.iter().filter(wrote).map(|(_, seq, is_read)| (*seq, *is_read));
        let written = written.min_by_key(|(seq, is_read)| (*seq, !is_read));
        for place in places {
            if let Some((_, is_read)) = written.filter(|(seq, _)| *seq < place.1) {
                return (in_time, is_read);
            }
            let here: Vec<_> = of_member.iter().filter(|ack| ack.place == place).collect();
            in_time |= here
                .iter()
                .any(|ack| ack.of == one.feed && ack.entries > one.by.seq && ack.on.is_some());
            let named = |is_read: bool| {
                here.iter().any(|ack| {
                    self.closings.iter().any(|(feed, seq, read)| {
                        *feed == ack.of && ack.entries > *seq && *read == is_read
                    })
                })
            };
            // A feed that this node has not heard of may be one of the closer's.
            let is_beyond = here.iter().any(|ack| {
                let of = feeds.get(&ack.of);
                of.is_none_or(|(author, _)| *author == self.closer) && ack.on.is_none()
            });
            if named(true) {
                return (in_time, true);
            }
            if named(false) || is_beyond {
                return (in_time, false);
            }
        }
        (in_time, written.is_some_and(|(_, is_read)| is_read))
    }
}

/// Whether answers that are late, and seats that are absent, had better not be.
fn timely(
    charter: &Charter,
    scene: &Scene,
    (id, proposed): (&EntryId, &Proposed),
) -> Result<(), String> {
    let dossier = &scene.dossier;
    let is_forked =
        dossier.acknowledged.iter().any(|ack| ack.history != 0 || ack.on.is_some_and(|on| on != 0))
            || dossier.entries.iter().any(|one| one.histories != [0] || one.by.branch().is_some());
    let epochs: BTreeSet<u64> = dossier.entries.iter().map(|one| one.by.epoch).collect();
    if is_forked || epochs.iter().any(|epoch| *epoch > 0) {
        return Ok(());
    }
    let closer = proposed.says.closer;
    let closing = |one: &Entry| {
        let is_closers = one.kind == Kind::CLOSE && one.by.org == closer;
        match &one.content {
            Content::Here(sealed) => {
                let says = Close::from_bytes(sealed.payload.bytes()).ok()?;
                (is_closers && says.proposal == *id).then_some((one.feed, one.by.seq, true))
            }
            Content::Due | Content::Withheld => is_closers.then_some((one.feed, one.by.seq, false)),
            Content::Beyond => None,
        }
    };
    let closings = dossier.entries.iter().filter_map(closing).collect();
    let walk = Walk { scene, closings, closer };
    let majority = charter.seats().count().saturating_sub(1) / 2 + 1;
    let listed = proposed.poll.closing.and_then(|id| {
        let one = dossier.entries.iter().find(|one| one.by.entry == id)?;
        let Content::Here(sealed) = &one.content else { return None };
        Close::from_bytes(sealed.payload.bytes()).ok()
    });
    for slip in &proposed.poll.slips {
        let Some(one) = dossier.entries.iter().find(|one| one.by.entry == slip.entry) else {
            continue;
        };
        let heard = walk.of(charter, one);
        let is_listed = listed.as_ref().is_some_and(|one| one.counted.contains(&slip.entry));
        let is_wrong = match slip.fate {
            Fate::Late => heard.may_be >= majority || is_listed,
            Fate::Counted => heard.in_time < majority && !is_listed,
            Fate::Waiting => one.by.settled && heard.in_time >= majority,
            _ => false,
        };
        if is_wrong {
            return Err(format!("the answer of {} is {:?}, and {heard:?}", slip.org, slip.fate));
        }
    }
    for (org, _) in proposed.poll.seats.iter().filter(|(_, seat)| **seat == Seat::Absent) {
        let unread =
            dossier.entries.iter().filter(|one| one.by.org == *org && one.kind == Kind::SIGNOFF);
        let mut unread =
            unread.filter(|one| matches!(one.content, Content::Due | Content::Withheld));
        if unread.any(|one| walk.of(charter, one).may_be >= majority) {
            return Err(format!(
                "{org} is absent, and an answer of it may be in time and is not read"
            ));
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

/// Whether a member acknowledges in two histories, so that a result may rest on which of them is read (`SPEC.md`
/// 19.7): the one way from a fixed result to a disputed one that no majority settled.
fn acknowledges_twice(scene: &Scene) -> bool {
    let mut histories = BTreeMap::new();
    scene.dossier.acknowledged.iter().any(|ack| {
        let history = (ack.feed, ack.history);
        *histories.entry((ack.by, ack.place.0)).or_insert(history) != history
    })
}

/// Results that nodes showed as fixed.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    by_node: BTreeMap<(NodeIx, EntryId), Ruling>,
    /// What the first node showed.
    first: BTreeMap<EntryId, (NodeIx, Ruling)>,
}

impl Fixed {
    pub(super) fn note(&mut self, node: NodeIx, scene: &Scene) -> Verdict {
        for (id, proposed) in &scene.replay.proposals {
            let ruling = &proposed.poll.ruling;
            if *ruling == Ruling::Disputed && acknowledges_twice(scene) {
                continue;
            }
            let before = self.by_node.get(&(node, *id));
            if let Some(before) = before.filter(|before| *before != ruling) {
                return Err(violation(format!(
                    "node {node}: the result of {id} was {before:?} and is {ruling:?}"
                )));
            }
            if matches!(ruling, Ruling::Carried | Ruling::Failed | Ruling::Inquorate) {
                self.by_node.insert((node, *id), ruling.clone());
                let (other, first) = self.first.entry(*id).or_insert((node, ruling.clone()));
                if first != ruling {
                    return Err(violation(format!(
                        "the result of {id} is {first:?} at node {other} and {ruling:?} at node {node}"
                    )));
                }
            }
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, node: NodeIx) {
        self.by_node.retain(|(of, _), _| *of != node);
    }
}
