//! What one node shows of one artefact: its dossier, and all that follows from it.
//!
//! ```text
//! disk, view ──▶ Dossier ──▶ Replay ──▶ Document ──▶ Reading ──▶ conflicts
//! ```
//!
//! *Invariants.* Automerge is called under `catch_unwind`: what it makes of good changes is for a
//! checker to say.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
};

use concordat_protocol::{
    artefact::{
        document::{Document, Skeleton},
        kinds::ALL,
        read::{Reading, read},
    },
    charter::Charter,
    engine::{BoardView, Reader},
    hash::{ArtefactId, CharterHash},
    replay::{Conflict, Dossier, Ground, Replay, conflicts, replay},
};

/// What one node shows of one artefact.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What it holds.
    pub dossier: Dossier,
    /// What that comes to.
    pub replay: Replay,
    /// What the applied changes make.
    pub document: Document,
    /// What the document says.
    pub reading: Reading,
    /// What contradicts itself.
    pub conflicts: Vec<Conflict>,
}

/// Why there is no scene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoScene {
    /// The artefact was not opened, or is of no known kind.
    Unopened,
    /// Good changes did harm; what, in a sentence.
    Harm(String),
}

/// The skeleton of a kind, made once.
#[must_use]
pub fn skeleton(kind: &str, version: u64) -> Option<&'static Arc<Skeleton>> {
    static MADE: OnceLock<BTreeMap<&'static str, Arc<Skeleton>>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = |kind: &&'static concordat_protocol::artefact::kind::Kind| {
            Some((kind.name, Arc::new(Skeleton::new(kind).ok()?)))
        };
        ALL.iter().filter_map(made).collect()
    });
    made.get(kind).filter(|made| made.kind().version == version)
}

/// What does not change from one artefact to the next.
#[derive(Debug, Clone, Copy)]
pub struct Board<'a> {
    /// The charter in force.
    pub charter: &'a Charter,
    /// Its hash.
    pub hash: CharterHash,
}

impl<'a> Board<'a> {
    /// The board under a charter.
    #[must_use]
    pub fn of(charter: &'a Charter) -> Self {
        Self { charter, hash: charter.hash() }
    }

    /// What a replay of a dossier stands on.
    #[must_use]
    pub fn ground(&self, dossier: &Dossier) -> Option<Ground<'a>> {
        let skeleton = skeleton(&dossier.kind, dossier.schema_version)?;
        Some(Ground { charter: self.charter, charter_hash: self.hash, skeleton })
    }

    /// What a node shows of an artefact.
    ///
    /// # Errors
    /// Why there is nothing to show.
    pub fn scene(
        &self,
        disk: &dyn Reader,
        view: &BoardView,
        artefact: &ArtefactId,
    ) -> Result<Scene, NoScene> {
        let dossier = Dossier::gather(disk, view, artefact, false).ok_or(NoScene::Unopened)?;
        self.scene_of(dossier)
    }

    /// What follows from a dossier.
    ///
    /// # Errors
    /// Why nothing does.
    pub fn scene_of(&self, dossier: Dossier) -> Result<Scene, NoScene> {
        let ground = self.ground(&dossier).ok_or(NoScene::Unopened)?;
        let skeleton = skeleton(&dossier.kind, dossier.schema_version).ok_or(NoScene::Unopened)?;
        let replay = replay(ground, &dossier);
        let raw: Vec<&[u8]> = replay.applied().collect();
        let document = made_of(skeleton, &[raw]).map_err(NoScene::Harm)?;
        let (reading, conflicts) = unharmed(|| {
            let reading = read(&document);
            let found = conflicts(&replay, &document, &reading);
            Ok((reading, found))
        })
        .map_err(NoScene::Harm)?;
        Ok(Scene { dossier, replay, document, reading, conflicts })
    }
}

/// The document that batches of changes make.
///
/// # Errors
/// What harm the changes did.
pub fn made_of(skeleton: &Arc<Skeleton>, batches: &[Vec<&[u8]>]) -> Result<Document, String> {
    unharmed(|| {
        batches.iter().try_fold(Document::new(skeleton), |document, batch| {
            document.with(batch).map_err(|why| why.to_string())
        })
    })
}

/// Calls what calls Automerge.
///
/// # Errors
/// What it says, or that it panicked.
pub fn unharmed<T>(call: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err("Automerge panicked".into()))
}
