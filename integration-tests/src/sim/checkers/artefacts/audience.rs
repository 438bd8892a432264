//! No payload reaches those outside the audience.
//!
//! The record is kept from what is flushed anywhere, by honest nodes and others: whoever was ever
//! named by an opening, or let in by somebody inside, counts as inside. A Byzantine member may pass
//! on what it was shown, by whatever way; an honest node that was never told whom an artefact is
//! for would keep it. So what is looked at is what honest nodes send, and what they hold of an
//! artefact whose audience they know.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{Op, Table},
    feed::{Body, Header, Kind, Sealed},
    hash::{ArtefactId, BoardId, EntryId, FeedId, NodeKey, OrgId},
    payload::{Audience, Open, Widening},
    sync::{Message, Point},
};

use super::super::{super::network::NodeIx, Checker, Verdict, Violation};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    artefacts: BTreeMap<ArtefactId, Inside>,
    /// Withheld entries, and what they are about.
    withheld: BTreeMap<EntryId, ArtefactId>,
    /// By node and place on its disk.
    placed: BTreeMap<(NodeIx, Vec<u8>), Placed>,
    /// Payloads that peers asked a node for.
    wanted: BTreeMap<(NodeIx, NodeKey, u64), EntryId>,
}

#[derive(Debug, Default)]
struct Inside {
    is_everyone: bool,
    named: BTreeSet<OrgId>,
    let_in: BTreeSet<(OrgId, OrgId)>,
    /// Nodes that flushed an opening, and so know whom it is for.
    knowing: BTreeSet<NodeIx>,
}

impl Inside {
    fn includes(&self, org: &OrgId) -> bool {
        let mut inside = self.named.clone();
        loop {
            let more =
                self.let_in.iter().filter(|(by, _)| inside.contains(by)).map(|(_, org)| *org);
            let more: BTreeSet<OrgId> = more.filter(|org| !inside.contains(org)).collect();
            if more.is_empty() {
                return self.is_everyone || inside.contains(org);
            }
            inside.extend(more);
        }
    }
}

fn violation(sentence: String) -> Violation {
    Violation { checker: Checker::Audience, sentence }
}

/// An entry that has been flushed, as far as audiences need it.
#[derive(Debug, Clone, Copy)]
struct Placed {
    id: EntryId,
    feed: FeedId,
    kind: Kind,
    artefact: ArtefactId,
}

/// Who is who on the board.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The board.
    pub board: BoardId,
    /// The members, in the order of the plan.
    pub orgs: &'a [OrgId],
    /// Which of them a feed is of.
    pub feeds: &'a BTreeMap<FeedId, usize>,
}

impl Names<'_> {
    fn author(&self, feed: &FeedId) -> Option<OrgId> {
        self.feeds.get(feed).and_then(|place| self.orgs.get(*place)).copied()
    }

    /// Which organisation an opening by this nonce is of.
    fn opener(&self, artefact: &ArtefactId, open: &Open) -> Option<OrgId> {
        let is_its = |org: &&OrgId| open.artefact_id(&self.board, org) == *artefact;
        self.orgs.iter().find(is_its).copied()
    }
}

impl Audiences {
    pub(super) fn flushing(
        &mut self,
        names: Names<'_>,
        (node, org): (NodeIx, OrgId),
        ops: &[Op],
        is_honest: bool,
    ) -> Verdict {
        let rows = |table: Table| {
            let rows = ops.iter().filter(move |op| op.table == table);
            rows.filter_map(|op| Some((&op.key, op.value.as_ref()?)))
        };
        for (key, bytes) in rows(Table::Headers) {
            let Ok(header) = Header::from_bytes(bytes) else { continue };
            let Some(artefact) = header.artefact else { continue };
            let id = Header::id_of(bytes);
            if header.kind.is_withheld() {
                self.withheld.insert(id, artefact);
            }
            let placed = Placed { id, feed: header.feed, kind: header.kind, artefact };
            self.placed.insert((node, key.clone()), placed);
        }
        let mut kept = Vec::new();
        for (key, bytes) in rows(Table::Payloads) {
            let Some(placed) = self.placed.get(&(node, key.clone())).copied() else { continue };
            if placed.kind.is_withheld() {
                kept.push(placed);
            } else if let Ok(sealed) = Sealed::from_bytes(bytes) {
                self.learn(names, node, &placed, sealed.payload.bytes());
            }
        }
        if !is_honest {
            return Ok(());
        }
        kept.iter().try_for_each(|placed| self.expect_inside(node, &org, placed))
    }

    /// An honest node holds a payload.
    fn expect_inside(&self, node: NodeIx, org: &OrgId, placed: &Placed) -> Verdict {
        let Placed { id, artefact, .. } = placed;
        let Some(inside) = self.artefacts.get(artefact) else { return Ok(()) };
        if inside.knowing.contains(&node) && !inside.includes(org) {
            let sentence = format!("node {node} holds {id} about {artefact}, which is not for it");
            return Err(violation(sentence));
        }
        Ok(())
    }

    fn learn(&mut self, names: Names<'_>, node: NodeIx, placed: &Placed, payload: &[u8]) {
        match placed.kind {
            Kind::OPEN => {
                let Ok(open) = Open::from_bytes(payload) else { return };
                let Some(opener) = names.opener(&placed.artefact, &open) else { return };
                let inside = self.artefacts.entry(placed.artefact).or_default();
                inside.knowing.insert(node);
                inside.named.insert(opener);
                match open.audience {
                    Audience::Everyone => inside.is_everyone = true,
                    Audience::Only(orgs) => inside.named.extend(orgs),
                }
            }
            Kind::AUDIENCE => {
                let Ok(widening) = Widening::from_bytes(payload) else { return };
                let Some(by) = names.author(&placed.feed) else { return };
                let inside = self.artefacts.entry(placed.artefact).or_default();
                inside.let_in.extend(widening.orgs.into_iter().map(|org| (by, org)));
            }
            _ => {}
        }
    }

    /// A backup was put back at a node: it may know no longer whom artefacts are for.
    pub(super) fn forget(&mut self, node: NodeIx) {
        for inside in self.artefacts.values_mut() {
            inside.knowing.remove(&node);
        }
    }

    pub(super) fn received(&mut self, node: NodeIx, peer: &NodeKey, message: &Message) {
        if let Message::WantPayload { request, at: Point(_, id), .. } = message {
            self.wanted.insert((node, *peer, *request), *id);
        }
    }

    /// What an honest node sends.
    pub(super) fn sending(
        &self,
        node: NodeIx,
        (peer, to): (&NodeKey, &OrgId),
        message: &Message,
    ) -> Verdict {
        match message {
            Message::Run { run, .. } => {
                let carried = run.entries.iter().filter(|entry| {
                    entry.kind.is_withheld() && matches!(entry.body, Body::Carried(_))
                });
                let mut about = carried.filter_map(|entry| entry.artefact);
                about.try_for_each(|artefact| self.expect_for(node, to, &artefact))
            }
            Message::Payload { request, .. } => {
                let id = self.wanted.get(&(node, *peer, *request));
                let about = id.and_then(|id| self.withheld.get(id));
                about.map_or(Ok(()), |artefact| self.expect_for(node, to, artefact))
            }
            _ => Ok(()),
        }
    }

    fn expect_for(&self, node: NodeIx, to: &OrgId, artefact: &ArtefactId) -> Verdict {
        match self.artefacts.get(artefact) {
            Some(inside) if inside.includes(to) => Ok(()),
            Some(_) | None => {
                let sentence = format!("node {node} sends {to} a payload about {artefact}");
                Err(violation(sentence))
            }
        }
    }
}
