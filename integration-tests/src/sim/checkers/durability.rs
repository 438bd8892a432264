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
    engine::{Op, Table, place_key},
    feed::{Ack, AckItem, Body, Header, Kind, Run},
    hash::{FeedId, NodeKey},
    sync::{Message, Point},
};

use super::{
    super::{
        disk::{Disk, read_place},
        network::NodeIx,
    },
    Checker, Facts, Seen, Verdict, Violation,
    append_only::told_points,
};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Durability {
    asked: BTreeMap<(NodeIx, NodeKey, u64), (FeedId, Point)>,
    acked: BTreeSet<(FeedId, u64)>,
    /// Withheld payloads that were not due to a node at some time: it may have acknowledged then.
    spared: BTreeSet<(NodeIx, FeedId, u64)>,
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

    /// Remembers which payloads are not due to a node.
    pub(super) fn flushing(&mut self, node: NodeIx, ops: &[Op]) {
        // Of several writes of one key the last holds.
        let rows = |table: Table| {
            let rows = ops.iter().filter(move |op| op.table == table);
            rows.map(|op| (&op.key, op.value.as_ref())).collect::<BTreeMap<_, _>>()
        };
        let (payloads, missing) = (rows(Table::Payloads), rows(Table::Missing));
        let comes = |key: &Vec<u8>| {
            let is_put = |rows: &BTreeMap<_, Option<_>>| rows.get(key).is_some_and(Option::is_some);
            is_put(&payloads) || is_put(&missing)
        };
        let is_withheld = |bytes: &Vec<u8>| {
            Header::from_bytes(bytes).is_ok_and(|header| header.kind.is_withheld())
        };
        let headers = rows(Table::Headers).into_iter();
        let headers = headers.filter(|(_, bytes)| bytes.is_some_and(is_withheld));
        let removed =
            missing.iter().map(|(key, row)| (*key, *row)).filter(|(_, row)| row.is_none());
        for (key, _) in headers.chain(removed).filter(|(key, _)| !comes(key)) {
            self.spared.extend(read_place(key).map(|(feed, _, seq)| (node, feed, seq)));
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
        let own = facts.is_of(&run.feed, node);
        for (seq, entry) in (run.from..).zip(&run.entries) {
            let Body::Carried(sealed) = &entry.body else { continue };
            if !stores_payload(disk, &run.feed, seq, &sealed.to_bytes()) {
                let what = format_args!("the payload of entry {seq} of {:?}", run.feed);
                return Err(violation(node, what));
            }
            if own && entry.kind == Kind::ACK && self.acked.insert((run.feed, seq)) {
                let items = Ack::from_bytes(sealed.payload.bytes()).map_or(Vec::new(), |ack| ack.0);
                items.iter().try_for_each(|item| {
                    let is_spared = |seq| self.spared.contains(&(node, item.feed, seq));
                    expect_acknowledged((node, disk), item, is_spared)
                })?;
            }
        }
        Ok(())
    }
}

fn stores_payload(disk: &Disk, feed: &FeedId, seq: u64, bytes: &[u8]) -> bool {
    (0..24).any(|branch| disk.row(Table::Payloads, &place_key(feed, branch, seq)) == Some(bytes))
}

fn expect_acknowledged(
    (node, disk): (NodeIx, &Disk),
    item: &AckItem,
    is_spared: impl Fn(u64) -> bool,
) -> Verdict {
    let AckItem { feed, seq, id, payloads_through, missing, .. } = item;
    if !disk.holds(feed, *seq, id) {
        let what = format_args!("entry {seq} of {feed:?}, {id:?}, in an acknowledgement");
        return Err(violation(node, what));
    }
    for due in (0..=*payloads_through).filter(|due| !missing.contains(due)) {
        let stored =
            (0..24).any(|no| disk.row(Table::Payloads, &place_key(feed, no, due)).is_some());
        if !stored && !is_spared(due) {
            let what = format_args!("the payload of entry {due} of {feed:?} in an acknowledgement");
            return Err(violation(node, what));
        }
    }
    Ok(())
}
