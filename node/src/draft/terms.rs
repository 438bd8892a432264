//! What a draft says of artefacts: which kinds the board has and who works on them, and which
//! organisations write for which locality.
//!
//! ```toml
//! [[kinds]]                              # default: every kind that this program knows
//! kind = "decision"
//! creates = ["council", "gmhscp"]        # classes and short names; default: every member
//! edits = ["council", "ccg"]             # the same
//!
//! [localities]
//! bury = ["la-bury", "ccg-bury"]         # who reports for it
//! ```
//!
//! *Invariants.* A kind stands in the charter with the version of its schema that this program has.
//!
//! *Source*: ours; formats, section 8.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    artefact::{kind::Kind, kinds},
    charter::{KindTerms, Locality, Who},
    hash::OrgId,
};
use serde::Deserialize;

use super::DraftError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindLines {
    kind: String,
    creates: Option<Vec<String>>,
    edits: Option<Vec<String>>,
}

/// Who there is on the board.
pub(super) struct Named<'a> {
    pub(super) classes: &'a [String],
    pub(super) orgs: &'a BTreeMap<String, OrgId>,
}

impl Named<'_> {
    /// What the draft says of kinds; all of them, for everybody, if it says nothing.
    pub(super) fn kinds(
        &self,
        lines: Option<&Vec<KindLines>>,
    ) -> Result<Vec<KindTerms>, DraftError> {
        let Some(lines) = lines else {
            let everyone = |kind: &&'static Kind| terms(kind, Who::Everyone, Who::Everyone);
            return Ok(kinds::ALL.iter().map(everyone).collect());
        };
        let of = |lines: &KindLines| {
            let known = kinds::ALL.iter().find(|kind| kind.name == lines.kind);
            let kind =
                known.ok_or_else(|| DraftError::UnknownKind { kind: lines.kind.clone() })?;
            let creates = self.who("creates", lines.creates.as_ref())?;
            Ok(terms(kind, creates, self.who("edits", lines.edits.as_ref())?))
        };
        lines.iter().map(of).collect()
    }

    fn who(&self, list: &'static str, names: Option<&Vec<String>>) -> Result<Who, DraftError> {
        let Some(names) = names else { return Ok(Who::Everyone) };
        let (mut classes, mut orgs) = (BTreeSet::new(), BTreeSet::new());
        for name in names {
            match self.orgs.get(name) {
                Some(org) => drop(orgs.insert(*org)),
                None if self.classes.contains(name) => drop(classes.insert(name.clone())),
                None => return Err(DraftError::UnknownWho { list, name: name.clone() }),
            }
        }
        let (classes, orgs) = (classes.into_iter().collect(), orgs.into_iter().collect());
        Ok(Who::Named { classes, orgs })
    }

    pub(super) fn localities(
        &self,
        lines: &BTreeMap<String, Vec<String>>,
    ) -> Result<Vec<Locality>, DraftError> {
        let of = |(name, slugs): (&String, &Vec<String>)| {
            let orgs: BTreeSet<OrgId> =
                super::orgs("localities", slugs, self.orgs)?.into_iter().collect();
            Ok(Locality { name: name.clone(), orgs: orgs.into_iter().collect() })
        };
        lines.iter().map(of).collect()
    }
}

fn terms(kind: &'static Kind, creates: Who, edits: Who) -> KindTerms {
    KindTerms { kind: kind.name.to_owned(), schema_version: kind.version, creates, edits }
}
