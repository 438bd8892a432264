//! The papers that the board meets on: what they say, and how the members answer.
//!
//! | file | papers | come to |
//! |---|---|---|
//! | `decisions` | JCB/2017/003, money for the dementia standard | carried, ratified by the members, in force |
//! | | JCB/2017/006, where strokes are treated | carried, in force |
//! | | JCB/2017/009, one vascular hub | not carried |
//! | `standards` | DEM, dementia | carried; from ten nodes on agreed, in force, adopted by localities |
//! | | IDT, discharge teams; from ten nodes on | agreed, in force, and replaced by its next version |
//!
//! `ballots` says who answers what.
//!
//! *Invariants.* Texts, amounts and answers are illustrative, and every title says so. Each paper is begun by a
//! member that takes part at every size.
//!
//! *Source*: ours; domain, section 3.4 (D01, D02, D04, D18, D19).

mod ballots;
mod decisions;
mod standards;

pub(super) use ballots::{Ballot, ballots};
pub(super) use decisions::{DECISIONS, DEMENTIA_POUNDS};
pub(super) use standards::{ADOPTION, DEMENTIA, DISCHARGE, DISCHARGE_NEXT, EXCEPTED, EXCEPTION};

use super::{
    deeds::pairs,
    partnership::{COMMISSIONING_RULE, JOINT_RULE},
};
use crate::control::Edit;

/// Stands for an engagement strategy, of which there is none in this story.
pub(super) const ENGAGEMENT: &str = "artefact-engagementengagementengagementengagementengagementaa";
/// Stands for a decision of an earlier year.
pub(super) const EARLIER: &str = "artefact-earlierdecisionearlierdecisionearlierdecisiondecidea";

/// What is laid before the board.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) reference: &'static str,
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
    /// Who begins it.
    pub(super) by: &'static str,
    /// The check of what its ballot comes to, and whether that is that it is carried.
    pub(super) check: &'static str,
    pub(super) is_carried: bool,
    /// Written one after the other: later ones name by their place what earlier ones have added.
    drafts: &'static [&'static [Write]],
}

/// Something that is written into a document.
#[derive(Debug)]
enum Write {
    /// A value of a field.
    Set(&'static str, &'static str),
    /// Items of a list: the names of their fields, and for each item a value of each.
    Add(&'static str, &'static [&'static str], &'static [&'static [&'static str]]),
}

impl Paper {
    pub(super) fn is_standard(&self) -> bool {
        self.kind == "standard"
    }

    /// The rule that decides it: on money those who pay, on standards all.
    pub(super) fn rule(&self) -> &'static str {
        if self.is_standard() { JOINT_RULE } else { COMMISSIONING_RULE }
    }

    /// What is written, one edit after the other.
    pub(super) fn edits(&self) -> impl Iterator<Item = Vec<Edit>> {
        self.drafts.iter().map(|draft| draft.iter().flat_map(Write::edits).collect())
    }
}

impl Write {
    fn edits(&self) -> Vec<Edit> {
        match *self {
            Self::Set(at, value) => {
                Vec::from([Edit::Set { at: at.to_owned(), value: value.to_owned() }])
            }
            Self::Add(list, names, items) => {
                let named = |values: &&[&'static str]| -> Vec<(&str, &str)> {
                    names.iter().copied().zip(values.iter().copied()).collect()
                };
                let add = |values| Edit::Add { at: list.to_owned(), values, after: None };
                items.iter().map(|item| add(pairs(&named(item)))).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::cast::{Cast, Size};

    #[test]
    fn every_paper_says_that_it_is_illustrative_and_is_begun_by_a_member() {
        let parts = Cast::of(Size::Five).parts;
        for paper in DECISIONS.iter().chain([&DEMENTIA, &DISCHARGE]) {
            assert!(paper.title.ends_with(" (illustrative)"), "{}", paper.title);
            assert!(parts.iter().any(|part| part.slug == paper.by), "{}", paper.reference);
        }
    }

    #[test]
    fn items_have_a_value_for_each_name() {
        let papers = DECISIONS.iter().chain([&DEMENTIA, &DISCHARGE]);
        for write in papers.flat_map(|paper| paper.drafts).copied().flatten() {
            if let Write::Add(list, names, items) = write {
                assert!(items.iter().all(|item| item.len() == names.len()), "{list}");
            }
        }
    }
}
