//! Acts that wait to be prepared: of each artefact one at a time, so that each knows what this
//! organisation wrote before; an artefact that takes long holds up no other.
//!
//! *Source*: ours.

use std::collections::{BTreeSet, VecDeque};

use concordat_protocol::hash::ArtefactId;
use tokio::sync::oneshot;

use super::Replica;
use crate::{
    artefact::artefact_named,
    control::{Act, Deed, Reply, Word},
};

/// An act, and who waits for its answer.
#[derive(Debug)]
pub struct Begun {
    /// What a person wants done.
    pub act: Box<Act>,
    /// Where it is done.
    pub about: About,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Reply>,
}

/// The artefact that an act is about, none if it begins one, or names none that is known; and on whose
/// word it is done.
#[derive(Debug, Clone, Copy)]
pub struct About {
    artefact: Option<ArtefactId>,
    /// On whose word.
    pub(super) word: Word,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Acts {
    waiting: VecDeque<Begun>,
    /// Of which one is being prepared, or its entries are on their way to disk.
    busy: BTreeSet<ArtefactId>,
}

impl About {
    /// What is named at the moment the act is asked for.
    pub(super) fn of(act: &Act, replica: &Replica) -> Self {
        let find = |named| {
            let snapshot = replica.snapshot();
            artefact_named(&snapshot, named).ok().map(|(_, artefact)| artefact)
        };
        let artefact = named(&act.deed).and_then(find);
        Self { artefact, word: act.word }
    }
}

impl Acts {
    pub(super) fn add(&mut self, act: Begun) {
        self.waiting.push_back(act);
    }

    /// The first on whose artefact no other is under way; it is from now on.
    pub(super) fn next(&mut self) -> Option<Begun> {
        let is_free =
            |one: &Begun| one.about.artefact.is_none_or(|about| !self.busy.contains(&about));
        let place = self.waiting.iter().position(is_free)?;
        let next = self.waiting.remove(place)?;
        self.busy.extend(next.about.artefact);
        Some(next)
    }

    /// It is written, or never will be.
    pub(super) fn done(&mut self, about: About) {
        if let Some(about) = about.artefact {
            self.busy.remove(&about);
        }
    }
}

fn named(deed: &Deed) -> Option<&str> {
    match deed {
        Deed::Open { .. } => None,
        Deed::Edit { artefact, .. }
        | Deed::Event { artefact, .. }
        | Deed::Remark { artefact, .. }
        | Deed::Widen { artefact, .. }
        | Deed::Freeze { artefact, .. }
        | Deed::Sign { artefact, .. }
        | Deed::Close { artefact, .. }
        | Deed::Settle { artefact, .. } => Some(artefact),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(artefact: Option<ArtefactId>) -> About {
        About { artefact, word: Word::CommandLine }
    }

    #[test]
    fn of_each_artefact_one_act_is_under_way_and_others_go_on() {
        let id = |number| Some(ArtefactId::from_bytes([number; 32]));
        let mut acts = Acts::default();
        for (about, role) in [(id(1), "a"), (id(1), "b"), (id(2), "c"), (None, "d"), (id(2), "e")] {
            let deed = Deed::Close { artefact: String::new(), proposal: None };
            let act = Box::new(Act { role: Some(role.to_owned()), word: Word::CommandLine, deed });
            let (reply, _) = oneshot::channel();
            acts.add(Begun { act, about: at(about), reply });
        }
        let begun = |acts: &mut Acts| -> Vec<String> {
            std::iter::from_fn(|| acts.next()).filter_map(|begun| begun.act.role).collect()
        };
        assert_eq!(begun(&mut acts), ["a", "c", "d"]);
        acts.done(at(id(2)));
        assert_eq!(begun(&mut acts), ["e"]);
        acts.done(at(None));
        assert_eq!(begun(&mut acts), Vec::<String>::new());
        acts.done(at(id(1)));
        assert_eq!(begun(&mut acts), ["b"]);
    }
}
