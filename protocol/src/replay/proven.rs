//! The proof of a decision, from what is held about its artefact.
//!
//! When members say that they received an entry follows from their acknowledgements: the first that
//! covers it. So a dossier for a proof is gathered with acknowledgements.

use alloc::{
    collections::BTreeMap,
    vec::Vec,
};

use super::{Content, Dossier, Ground, effect, order, polls};
use crate::{
    decision::{Beside, Proof, prove},
    hash::{EntryId, OrgId},
    identity::Attribution,
    time::TimeMs,
};

impl Dossier {
    /// Proves what came of a proposal; `None` if there is none in this entry.
    #[must_use]
    pub fn proof(&self, ground: Ground<'_>, proposal: &EntryId) -> Option<Proof> {
        let order = order::Order::of(self);
        let effect = effect::Effects::of(ground, self, &order);
        let drawer = polls::Drawer::of(ground, self, &order, &effect);
        let proposal = drawer.proposals.get(proposal)?;
        let (attributions, received) = (self.attributions(), self.received());
        let beside = Beside { attributions: &attributions, received: &received };
        Some(drawer.papers(proposal, |papers| prove(papers, beside)))
    }

    /// On whose behalf entries were written, where that is told here.
    #[must_use]
    pub fn attributions(&self) -> BTreeMap<EntryId, Attribution> {
        let attributed = self.entries.iter().filter_map(|one| {
            let Content::Here(sealed) = &one.content else { return None };
            let bytes = sealed.attribution.as_ref()?.bytes();
            Some((one.by.entry, Attribution::from_bytes(bytes).ok()?))
        });
        attributed.collect()
    }

    /// Who says to have received each entry, and when at the latest.
    #[must_use]
    pub fn received(&self) -> BTreeMap<EntryId, Vec<(OrgId, TimeMs)>> {
        let of_entry = |one: &super::Entry| {
            let mut first: BTreeMap<OrgId, TimeMs> = BTreeMap::new();
            let covering = self.acknowledged.iter();
            for ack in covering.filter(|ack| ack.of == one.feed && ack.entries > one.by.seq) {
                let at = first.entry(ack.by).or_insert(ack.received_at);
                *at = ack.received_at.min(*at);
            }
            (one.by.entry, first.into_iter().collect())
        };
        self.entries.iter().map(of_entry).collect()
    }
}
