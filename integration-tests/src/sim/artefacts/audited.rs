//! What an auditor makes of a node's bundle: the same artefacts that the node shows.
//!
//! The audit works out anew what counts, what is settled and what stands (`audit::Holdings`), so a fault
//! on either side shows here.
//!
//! *Source*: ours.

use concordat_protocol::{
    audit::{
        Audit, Holdings,
        bundle::{LoosePayload, Records, Writer},
    },
    engine::{ArtefactRecord, BoardView, Chain, Reader, Table, place_key},
    feed::{Body, Header, Run, Sealed},
    replay::{Content, Dossier},
};

use super::{
    super::{
        super::trace::Group,
        Sim,
        checkers::{Checker, Verdict, Violation, artefacts::equal},
        disk::Disk,
        network::NodeIx,
    },
    Board,
    checks::seen,
};

impl Sim {
    /// Compares what one node shows of every artefact with what its bundle comes to.
    pub(super) fn check_audited(&mut self, node: NodeIx, view: &BoardView) -> Verdict {
        let disk = &self.nodes[node].disk;
        let Some(holdings) = self.bundle(disk, view).and_then(|bundle| holdings(&bundle)) else {
            let sentence = format!("node {node}: its bundle cannot be read");
            return Err(Violation { checker: Checker::Artefacts, sentence });
        };
        let board = Board::of(self.partnership.founding.charter());
        for (artefact, _) in ArtefactRecord::all(disk, &view.board) {
            let Some(mut shown) = Dossier::gather(disk, view, &artefact, false) else { continue };
            if node == 0 {
                self.breaks().shown(&mut shown);
            }
            // What has not come is not in the bundle either, which cannot tell why.
            if shown.entries.iter().any(|one| matches!(one.content, Content::Due)) {
                continue;
            }
            let Some(audited) = holdings.dossier(&artefact, false) else {
                let sentence = format!("node {node}: {artefact} is not in its bundle");
                return Err(Violation { checker: Checker::Artefacts, sentence });
            };
            self.counts.one(Group::Audit, "artefact");
            if audited.entries.iter().any(|one| one.by.branch().is_some()) {
                self.counts.one(Group::Audit, "artefact above a fork");
            }
            if audited.entries.iter().any(|one| one.by.epoch > 0) {
                self.counts.one(Group::Audit, "artefact of a later epoch");
            }
            equal::headers((node, &shown), (node, &audited))?;
            if let (Some(shown), Some(audited)) =
                (seen(board, node, shown)?, seen(board, node, audited)?)
            {
                equal::scenes((node, &shown), (node, &audited))?;
            }
        }
        Ok(())
    }

    /// The bundle of all that a node holds of the board.
    fn bundle(&self, disk: &Disk, view: &BoardView) -> Option<Vec<u8>> {
        let (mut writer, magic) = Writer::new();
        let mut bytes = magic.to_vec();
        bytes.extend(writer.founding(&self.partnership.founding));
        let mut chains = Chain::all(disk, &view.board).ok()?;
        chains.sort_by_key(|chain| {
            (
                view.feeds.get(&chain.feed).map(|feed| feed.descriptor.epoch),
                chain.feed,
                chain.branch,
            )
        });
        for chain in &chains {
            let mut from = chain.parts_at(disk);
            while from < chain.head.head.size {
                let run = chain.run(disk, from, &|_| true)?;
                bytes.extend(writer.run(&run));
                for seq in named(&run) {
                    bytes.extend(
                        loose(disk, chain, seq).map(|one| writer.payload(&one)).unwrap_or_default(),
                    );
                }
                from = run.end();
            }
        }
        bytes.extend(writer.end());
        Some(bytes)
    }
}

fn named(run: &Run) -> impl Iterator<Item = u64> {
    let entries = (run.from..).zip(&run.entries);
    entries.filter(|(_, entry)| matches!(entry.body, Body::Named { .. })).map(|(seq, _)| seq)
}

fn loose(disk: &Disk, chain: &Chain, seq: u64) -> Option<LoosePayload> {
    let header = disk.get(Table::Headers, &place_key(&chain.feed, chain.branch, seq))?;
    let sealed = Sealed::from_bytes(&chain.payload(disk, seq)?).ok()?;
    Some(LoosePayload { feed: chain.feed, seq, id: Header::id_of(&header), sealed })
}

fn holdings(bundle: &[u8]) -> Option<Holdings> {
    let records = Records::new(bundle).ok()?;
    let mut first = Audit::new();
    for record in records.clone().flatten() {
        let _findings = first.take(record);
    }
    let (second, _) = first.second_reading();
    let mut second = second.gathering();
    for record in records.flatten() {
        let _findings = second.take(record);
    }
    second.finish_gathered().2
}
