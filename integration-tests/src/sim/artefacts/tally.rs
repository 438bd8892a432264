//! What came of the work, by name: what a full run has to have seen.
//!
//! *Source*: ours.

use concordat_protocol::{
    artefact::kinds::ALL,
    feed::Kind,
    payload::Event,
    replay::{Code, Content, Standing},
};

use super::{Artefacts, Scene, byzantine, edits, steps};
use crate::{
    changes::hostile::Ground,
    trace::{Counts, Group},
};

/// What a full run has to have counted.
#[must_use]
pub fn due() -> Vec<(Group, String)> {
    let conflicts = Code::ALL.iter().map(|code| (Group::Conflict, code.to_string()));
    let events = ALL.iter().flat_map(|kind| {
        let events = kind.all_events().map(|event| event.name);
        let remarks = kind.remarks.iter().map(|remark| remark.name);
        events.chain(remarks).map(|name| (Group::Event, format!("{}/{name}", kind.name)))
    });
    let rows = Ground::over([0; 32], 1, [0; 16]).rows();
    let rows = rows.into_iter().map(|row| (Group::Hostile, row.name.to_string()));
    let intents = edits::INTENTS.iter().map(|name| (Group::Intent, (*name).to_string()));
    let acts = byzantine::ACTS.iter().map(|name| (Group::Act, (*name).to_string()));
    let staff = ["open", "edit", "event", "remark", "proposal", "sign-off", "close", "settlement"];
    let staff = staff.into_iter().chain(["widening", "step at once"]);
    let staff = staff.map(|name| (Group::Act, name.to_string()));
    let audited = ["artefact", "artefact above a fork", "artefact of a later epoch"];
    let audited = audited.map(|name| (Group::Audit, name.to_string()));
    let cosigned = [(Group::Act, "cosignature".to_string())];
    let acts = intents.chain(acts).chain(staff).chain(cosigned);
    conflicts.chain(events).chain(rows).chain(acts).chain(audited).collect()
}

impl Artefacts {
    /// Remembers the conflicts and effects that a node shows.
    pub(super) fn note(&mut self, scene: &Scene) {
        let artefact = scene.dossier.artefact;
        self.is_far |= steps::is_far(scene);
        for one in &scene.conflicts {
            self.shown.insert((artefact, one.code, one.about.clone()));
        }
        let replay = &scene.replay;
        let counts = |id| replay.entries.get(id) == Some(&Standing::Counts);
        for entry in scene.dossier.entries.iter().filter(|one| counts(&one.by.entry)) {
            let Content::Here(sealed) = &entry.content else { continue };
            let has_effect = !replay.lifecycle.without_effect.contains_key(&entry.by.entry);
            let name = match entry.kind {
                Kind::EVENT if has_effect => {
                    Event::from_bytes(sealed.payload.bytes()).ok().map(|event| event.name)
                }
                Kind::REMARK => {
                    let said = replay.remarks.iter().find(|one| one.by.entry == entry.by.entry);
                    said.map(|one| one.statement.kind.name.to_string())
                }
                _ => None,
            };
            if let Some(name) = name {
                let name = format!("{}/{name}", replay.kind.name);
                self.effective.insert(entry.by.entry, name);
            }
        }
    }

    /// Counts what was remembered.
    pub(in crate::sim) fn count(&self, counts: &mut Counts) {
        for (_, code, _) in &self.shown {
            counts.one(Group::Conflict, &code.to_string());
        }
        for name in self.effective.values() {
            counts.one(Group::Event, name);
        }
    }
}
