//! Looking at every artefact on every honest node: what the checkers in `checkers/artefacts` say.
//!
//! ```text
//! now and then   one artefact, on those nodes that hold the same headers and open payloads
//! at the end     every artefact, on all of them, and as an auditor sees it in their bundles
//! ```
//!
//! Replays cost time, so of nodes with equal dossiers one is replayed for all.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use concordat_protocol::{
    engine::{ArtefactRecord, BoardView, Reader, Table},
    feed::Header,
    hash::ArtefactId,
    replay::Dossier,
};
use sha2::{Digest, Sha256};

use super::{
    super::{
        Sim,
        checkers::{
            Checker, Verdict, Violation,
            artefacts::{documents, equal, permitted, votes},
            effects,
        },
        disk::{Disk, read_place},
        network::NodeIx,
    },
    Board, NoScene, Scene,
};

/// Nodes that show one artefact alike.
struct Alike {
    node: NodeIx,
    others: Vec<NodeIx>,
    dossier: Dossier,
}

impl Sim {
    /// Looks at artefacts on all honest nodes: at all of them at the end of a run.
    pub(in crate::sim) fn check_artefacts(&mut self, is_end: bool) -> Verdict {
        let views = self.settled_views();
        let mut artefacts: Vec<ArtefactId> = {
            let all = views
                .iter()
                .flat_map(|(node, view)| ArtefactRecord::all(&self.nodes[*node].disk, &view.board));
            let ids: std::collections::BTreeSet<ArtefactId> = all.map(|(id, _)| id).collect();
            ids.into_iter().collect()
        };
        if !is_end {
            let shared = self.artefacts.shared.clone();
            let one = self.artefacts.rng.pick(&shared).map(|(id, _)| *id);
            artefacts.retain(|id| Some(*id) == one);
        }
        let knowledge: BTreeMap<NodeIx, [u8; 32]> = views
            .iter()
            .map(|(node, _)| {
                let known = if is_end { [0; 32] } else { known(&self.nodes[*node].disk) };
                (*node, known)
            })
            .collect();
        for artefact in artefacts {
            for alike in self.alike(&views, &knowledge, &artefact)? {
                self.check_alike(&alike, is_end)?;
            }
        }
        if is_end {
            for (node, view) in &views {
                self.check_audited(*node, view)?;
            }
            self.artefacts.count(&mut self.counts);
        }
        Ok(())
    }

    /// The boards of honest nodes of which everything is on disk, and which count no more than others
    /// who hold the same (`checkers/effects.rs`).
    fn settled_views(&self) -> Vec<(NodeIx, BoardView)> {
        let honest = (0..self.plan.orgs.len()).filter(|node| self.is_honest(*node));
        let on = honest.filter(|node| self.nodes[*node].is_on());
        let settled = on.filter(|node| self.nodes[*node].disk.is_settled());
        let views = settled.filter_map(|node| Some((node, self.views(node).into_iter().next()?)));
        let facts = self.checkers.facts();
        let counts_alike = |(node, view): &(NodeIx, BoardView)| {
            effects::may_say_what_it_applied(facts, &self.nodes[*node].disk, view)
        };
        views.filter(counts_alike).collect()
    }

    /// Groups of nodes that show an artefact alike. Of those that know the same, the headers have to
    /// be the same even where payloads are withheld.
    fn alike(
        &self,
        views: &[(NodeIx, BoardView)],
        knowledge: &BTreeMap<NodeIx, [u8; 32]>,
        artefact: &ArtefactId,
    ) -> Result<Vec<Alike>, Violation> {
        let mut headers: BTreeMap<[u8; 32], (NodeIx, Dossier)> = BTreeMap::new();
        let mut groups: BTreeMap<([u8; 32], Vec<u8>), Vec<Alike>> = BTreeMap::new();
        for (node, view) in views {
            let disk = &self.nodes[*node].disk;
            let Some(mut dossier) = Dossier::gather(disk, view, artefact, false) else { continue };
            if *node == 0 {
                self.breaks().dossier(&mut dossier);
            }
            let known = knowledge.get(node).copied().unwrap_or_default();
            let (first, reference) =
                headers.entry(known).or_insert_with(|| (*node, dossier.clone()));
            equal::headers((*first, reference), (*node, &dossier))?;
            let alike = groups.entry((known, equal::contents(&dossier))).or_default();
            match alike.iter_mut().find(|one| equal::is_same(&one.dossier, &dossier)) {
                Some(one) => one.others.push(*node),
                None => alike.push(Alike { node: *node, others: Vec::new(), dossier }),
            }
        }
        let board = Board::of(self.partnership.founding.charter());
        for group in groups.values() {
            let Some((first, rest)) = group.split_first() else { continue };
            for other in rest {
                let (one, two) = (first.dossier.clone(), other.dossier.clone());
                let (one, two) = (seen(board, first.node, one)?, seen(board, other.node, two)?);
                if let (Some(one), Some(two)) = (one, two) {
                    equal::scenes((first.node, &one), (other.node, &two))?;
                }
            }
        }
        Ok(groups.into_values().flatten().collect())
    }

    fn check_alike(&mut self, alike: &Alike, is_end: bool) -> Verdict {
        let charter = self.partnership.founding.charter();
        let board = Board::of(charter);
        let node = alike.node;
        let Some(mut scene) = seen(board, node, alike.dossier.clone())? else { return Ok(()) };
        if node == 0 {
            self.breaks().scene(&mut scene);
        }
        votes::count(charter, node, &scene)?;
        for one in alike.others.iter().chain([&node]) {
            self.checkers.artefacts.fixed(*one, &scene)?;
        }
        let rng = &mut self.artefacts.rng;
        documents::check(node, &scene, rng)?;
        permitted::check(board, node, &scene)?;
        if is_end || rng.chance(30) {
            equal::shuffled(board, node, &scene, rng)?;
        }
        self.artefacts.note(&scene);
        if is_end {
            self.artefacts.hostile.found(&scene, &mut self.counts)?;
            let save = scene.document.clone().save().unwrap_or_default();
            let digest = Sha256::digest(save);
            let state = scene.replay.lifecycle.base;
            let artefact = scene.dossier.artefact;
            self.trace_line(node, "shows", &format!("{artefact} {state} {digest:02x?}"));
        }
        Ok(())
    }
}

/// What follows from a dossier at a node; nothing for kinds that nobody knows.
pub(super) fn seen(
    board: Board<'_>,
    node: NodeIx,
    dossier: Dossier,
) -> Result<Option<Scene>, Violation> {
    let artefact = dossier.artefact;
    match board.scene_of(dossier) {
        Ok(scene) => Ok(Some(scene)),
        Err(NoScene::Unopened) => Ok(None),
        Err(NoScene::Harm(what)) => Err(Violation {
            checker: Checker::Documents,
            sentence: format!("node {node}: {artefact}: {what}"),
        }),
    }
}

/// What a disk holds of headers, evidence and payloads that are for all.
fn known(disk: &Disk) -> [u8; 32] {
    let mut digest = Sha256::new();
    let is_open = |key: &[u8]| {
        let header = disk.get(Table::Headers, key);
        let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
        header.is_some_and(|header| !header.kind.is_withheld())
    };
    for (key, bytes) in disk.rows(Table::Headers) {
        digest.update(key);
        digest.update(bytes);
    }
    for (key, _) in disk.rows(Table::Payloads) {
        if read_place(key).is_some() && is_open(key) {
            digest.update(key);
        }
    }
    for (key, bytes) in disk.rows(Table::Evidence) {
        digest.update(key);
        digest.update(bytes);
    }
    digest.finalize().into()
}
