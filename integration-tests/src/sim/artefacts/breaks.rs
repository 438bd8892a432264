//! Nodes broken on purpose: what node 0 makes of artefacts, to prove that each checker can fail.
//!
//! *Source*: ours.

use concordat_protocol::{
    charter::{Answer, Seat},
    decision::Ruling,
    engine::{Op, Table, place_key},
    feed::{CompactEntry, Header, Run, Sealed},
    hash::OrgId,
    replay::{Content, Dossier, Status},
    sync::Message,
};

use super::{
    super::{Sim, checkers::Verdict, plan::Sabotage},
    Scene,
};

/// How node 0 gets artefacts wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It forgets what entries rely on.
    Forgets,
    /// It takes a change for that of another entry.
    Misplaces,
    /// It counts an answer as another.
    Miscounts,
    /// It shows another result than before.
    Reverses,
    /// It gives payloads to those outside.
    Tells,
    /// It keeps payloads that are not for it.
    Keeps,
    /// It shows another state than follows.
    Strays,
    /// It loses a change from its document.
    Loses,
    /// It applies a change without those that it builds on.
    Orphans,
    /// It shows less than it hands to an auditor.
    Hides,
}

/// What is broken at node 0, if anything is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breaks(Option<(Broken, bool)>);

impl Breaks {
    fn is(self, broken: Broken) -> bool {
        self.0.is_some_and(|(this, is_due)| this == broken && is_due)
    }

    /// What node 0 reads.
    pub(super) fn dossier(self, dossier: &mut Dossier) {
        if self.is(Broken::Forgets) {
            dossier.entries.iter_mut().for_each(|one| one.refs.clear());
        }
    }

    /// What node 0 shows of what it hands to an auditor.
    pub(super) fn shown(self, dossier: &mut Dossier) {
        if self.is(Broken::Hides) {
            dossier.entries.pop();
        }
    }

    /// What node 0 makes of it.
    pub(super) fn scene(self, scene: &mut Scene) {
        let replay = &mut scene.replay;
        if self.is(Broken::Misplaces) {
            let changes = &mut replay.changes;
            let other = changes.iter().map(|one| one.entry).find(|id| *id != changes[0].entry);
            if let (Some(first), Some(other)) = (changes.first_mut(), other) {
                (first.entry, first.status) = (other, Status::Applied);
            }
        }
        for proposed in replay.proposals.values_mut() {
            if self.is(Broken::Miscounts)
                && let Some(seat) =
                    proposed.poll.seats.values_mut().find(|seat| **seat != Seat::Open)
            {
                let was = *seat == Seat::Answered(Answer::Recused);
                *seat = Seat::Answered(if was { Answer::Approve } else { Answer::Recused });
            }
            if self.is(Broken::Reverses) && proposed.poll.ruling == Ruling::Carried {
                proposed.poll.ruling = Ruling::Failed;
            }
        }
        if self.is(Broken::Strays) {
            replay.lifecycle.base = "lost";
        }
        if self.is(Broken::Orphans) {
            orphan(scene);
            return;
        }
        if self.is(Broken::Loses)
            && let Some(last) =
                replay.changes.iter_mut().rev().find(|one| one.status == Status::Applied)
        {
            last.status = Status::Entry(concordat_protocol::replay::Standing::Held);
        }
    }
}

/// Leaves out a change on which another builds.
fn orphan(scene: &mut Scene) {
    let changes = &mut scene.replay.changes;
    let needed = changes.iter().flat_map(|one| one.dependencies.clone()).collect::<Vec<_>>();
    if let Some(parent) = changes.iter_mut().find(|one| needed.contains(&one.hash)) {
        parent.status = Status::Entry(concordat_protocol::replay::Standing::Held);
    }
}

impl Sim {
    /// What is broken at node 0 by now: results change late, so that there are some.
    pub(super) fn breaks(&self) -> Breaks {
        let Some(Sabotage::Artefacts(broken)) = self.profile.sabotage else { return Breaks(None) };
        let is_late = self.now.0 >= self.plan.safety_ms;
        Breaks(Some((broken, broken != Broken::Reverses || is_late)))
    }

    /// Breaks node 0 in the ways that happen at one moment.
    pub(in crate::sim) fn break_artefacts(&mut self, broken: Broken) -> Verdict {
        let outside = |scene: &Dossier, org: &OrgId| {
            let record = concordat_protocol::engine::ArtefactRecord::read(
                &self.nodes[0].disk,
                &scene.board,
                &scene.artefact,
            );
            record.and_then(|record| record.includes(org)) == Some(false)
        };
        let Some(view) = self.nodes[0].views().into_iter().next() else { return Ok(()) };
        let shared = self.artefacts.shared.iter().map(|(id, _)| *id);
        let dossiers =
            shared.filter_map(|id| Dossier::gather(&self.nodes[0].disk, &view, &id, false));
        for dossier in dossiers {
            let all = 1..self.plan.orgs.len();
            let org = |node: usize| self.partnership.organisations[node].org;
            let Some(node) = all.into_iter().find(|node| outside(&dossier, &org(*node))) else {
                continue;
            };
            let is_kept = |content: &Content| matches!(content, Content::Here(_));
            let entries = dossier.entries.iter().filter(|one| one.kind.is_withheld());
            let Some(entry) = entries.into_iter().find(|one| is_kept(&one.content)) else {
                continue;
            };
            let key = place_key(&entry.feed, 0, entry.by.seq);
            let disk = &self.nodes[0].disk;
            let (Some(header), Some(sealed)) =
                (disk.row(Table::Headers, &key), disk.row(Table::Payloads, &key))
            else {
                continue;
            };
            let row =
                |table, value: &[u8]| Op { table, key: key.clone(), value: Some(value.to_vec()) };
            let ops = [row(Table::Headers, header), row(Table::Payloads, sealed)];
            let (header, sealed) = (Header::from_bytes(header), Sealed::from_bytes(sealed));
            let (Ok(header), Ok(sealed)) = (header, sealed) else { continue };
            let (peer, to) = (self.key(node), org(node));
            if broken == Broken::Keeps {
                return self.note_flushing(node, &ops);
            }
            let run = Run {
                feed: header.feed,
                from: header.seq,
                before: header.prev,
                entries: vec![CompactEntry::of(header, Some(sealed))],
                heads: Vec::new(),
            };
            let message = Message::Run { request: 0, last: true, run };
            return self.checkers.artefacts.sending(0, (&peer, &to), &message);
        }
        Ok(())
    }
}
