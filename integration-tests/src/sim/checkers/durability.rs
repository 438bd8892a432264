//! What an honest node tells others is on its disk already.
//!
//! ```text
//! have, compare, side    each entry named stands on the disk
//! run                    each signed head's last entry stands there, and each payload carried
//! payload                the payload asked for stands there
//! acknowledgement        in one's own feed, the first time it is sent: each entry it names stands
//!                        there, with every payload due to the node that it does not except
//! ```
//!
//! A restored node may send acknowledgements that its lost disk had made good; they were checked
//! when they were new.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{ArtefactRecord, Table, place_key},
    feed::{Ack, AckItem, Body, Header, Kind, Run},
    hash::{FeedId, NodeKey},
    sync::{Message, Point},
};

use super::{
    super::{disk::Disk, network::NodeIx},
    Checker, Facts, Seen, Verdict, Violation,
    append_only::told_points,
};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Durability {
    asked: BTreeMap<(NodeIx, NodeKey, u64), (FeedId, Point)>,
    acked: BTreeSet<(FeedId, u64)>,
}

fn violation(node: NodeIx, what: impl std::fmt::Display) -> Violation {
    Violation {
        checker: Checker::Durability,
        sentence: format!("node {node} tells of {what}, which is not on its disk"),
    }
}

impl Durability {
    /// Remembers which payload a request of a peer is about.
    pub(super) fn received(&mut self, node: NodeIx, peer: &NodeKey, message: &Message) {
        if let Message::WantPayload { request, feed, at, .. } = message {
            self.asked.insert((node, *peer, *request), (*feed, *at));
        }
    }

    pub(super) fn sending(
        &mut self,
        facts: &Facts,
        seen: Seen<'_>,
        peer: &NodeKey,
        message: &Message,
    ) -> Verdict {
        let Seen { node, disk, .. } = seen;
        for (feed, Point(seq, id)) in told_points(message) {
            if !disk.holds(&feed, seq, &id) {
                return Err(violation(node, format_args!("entry {seq} of {feed:?}, {id:?}")));
            }
        }
        match message {
            Message::Run { run, .. } => self.sending_run(facts, seen, run),
            Message::Payload { request, .. } => {
                let asked = self.asked.get(&(node, *peer, *request)).copied();
                match asked {
                    Some((feed, Point(seq, id))) if !disk.holds_payload(&feed, seq, &id) => {
                        Err(violation(node, format_args!("the payload of entry {seq} of {feed:?}")))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn sending_run(
        &mut self,
        facts: &Facts,
        Seen { node, disk, .. }: Seen<'_>,
        run: &Run,
    ) -> Verdict {
        let own = facts.orgs.get(node).is_some_and(|org| org.feed == run.feed);
        for (seq, entry) in (run.from..).zip(&run.entries) {
            let Body::Carried(sealed) = &entry.body else { continue };
            if !stores_payload(disk, &run.feed, seq, &sealed.to_bytes()) {
                let what = format_args!("the payload of entry {seq} of {:?}", run.feed);
                return Err(violation(node, what));
            }
            if own && entry.kind == Kind::ACK && self.acked.insert((run.feed, seq)) {
                let items = Ack::from_bytes(sealed.payload.bytes()).map_or(Vec::new(), |ack| ack.0);
                items.iter().try_for_each(|item| expect_acknowledged(facts, node, disk, item))?;
            }
        }
        Ok(())
    }
}

fn stores_payload(disk: &Disk, feed: &FeedId, seq: u64, bytes: &[u8]) -> bool {
    (0..24).any(|branch| disk.row(Table::Payloads, &place_key(feed, branch, seq)) == Some(bytes))
}

/// Whether a payload is not due to the node: it is withheld from those outside an audience.
fn is_for_others(facts: &Facts, node: NodeIx, disk: &Disk, feed: &FeedId, seq: u64) -> bool {
    let header = (0..24).find_map(|no| disk.row(Table::Headers, &place_key(feed, no, seq)));
    let header = header.and_then(|bytes| Header::from_bytes(bytes).ok());
    let header = header.filter(|header| header.kind.is_withheld());
    let record = header
        .and_then(|header| header.artefact)
        .and_then(|artefact| ArtefactRecord::read(disk, &facts.board, &artefact));
    let org = facts.orgs.get(node).map(|org| org.org);
    record.zip(org).is_some_and(|(record, org)| record.includes(&org) == Some(false))
}

fn expect_acknowledged(facts: &Facts, node: NodeIx, disk: &Disk, item: &AckItem) -> Verdict {
    let AckItem { feed, seq, id, payloads_through, missing, .. } = item;
    if !disk.holds(feed, *seq, id) {
        let what = format_args!("entry {seq} of {feed:?}, {id:?}, in an acknowledgement");
        return Err(violation(node, what));
    }
    for due in (0..=*payloads_through).filter(|due| !missing.contains(due)) {
        let stored =
            (0..24).any(|no| disk.row(Table::Payloads, &place_key(feed, no, due)).is_some());
        if !stored && !is_for_others(facts, node, disk, feed, due) {
            let what = format_args!("the payload of entry {due} of {feed:?} in an acknowledgement");
            return Err(violation(node, what));
        }
    }
    Ok(())
}
