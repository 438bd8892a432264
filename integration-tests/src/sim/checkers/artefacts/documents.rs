//! Automerge does what it should with what the verdict lets through: it never panics, every good
//! change applies, and what it saves loads as the same document.

use super::super::{
    super::{
        artefacts::{Scene, made_of, skeleton, unharmed},
        network::NodeIx,
        rng::Rng,
    },
    Checker, Verdict, Violation,
};

/// Looks at one artefact of one node.
///
/// # Errors
/// What harm was done.
pub fn check(node: NodeIx, scene: &Scene, rng: &mut Rng) -> Verdict {
    let artefact = scene.dossier.artefact;
    let harm = |what: String| Violation {
        checker: Checker::Documents,
        sentence: format!("node {node}: {artefact}: {what}"),
    };
    let mut document = scene.document.clone();
    let save = unharmed(|| document.try_save().map_err(|why| why.to_string())).map_err(harm)?;
    let (kind, version) = (&scene.dossier.kind, scene.dossier.schema_version);
    let Some(skeleton) = skeleton(kind, version) else { return Ok(()) };
    // All at once, in any order: Automerge queues what comes before what it builds on.
    let mut raw: Vec<&[u8]> = scene.replay.applied().collect();
    rng.shuffle(&mut raw);
    let mut made = made_of(skeleton, &[raw]).map_err(harm)?;
    let again = unharmed(|| made.save().map_err(|why| why.to_string())).map_err(harm)?;
    if save == again {
        return Ok(());
    }
    Err(harm("the same changes make another document".into()))
}
