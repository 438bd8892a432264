//! Whether an organisation may write an event, by what its charter says about it.
//!
//! Roles inside an organisation are its own word and are not tested here.

use alloc::{string::String, vec::Vec};

use super::{Aid, Fact};
use crate::{
    artefact::{events::Statement, kind::Among},
    charter::{Charter, Status},
    hash::OrgId,
    identity::OrgClass,
};

/// The author of an entry, as the charter that the entry names has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The organisation.
    pub org: OrgId,
    /// Its class.
    pub class: OrgClass,
    /// Whether it is an active member, and in the audience.
    pub takes_part: bool,
    /// Whether it opened the artefact, or follows an organisation that did.
    pub is_sponsor: bool,
    /// Whether it is on the secretariat's rota.
    pub is_secretariat: bool,
    /// The localities for which it writes, ascending.
    pub localities: Vec<String>,
}

impl Author {
    /// What the charter says about an organisation; nothing if it is no member.
    #[must_use]
    pub fn of(charter: &Charter, org: OrgId, opener: OrgId, in_audience: bool) -> Option<Self> {
        let member = charter.members.iter().find(|member| member.org == org)?;
        let writes = charter.localities.iter().filter(|locality| locality.orgs.contains(&org));
        Some(Self {
            org,
            class: member.class.clone(),
            takes_part: in_audience && member.status == Status::Active,
            is_sponsor: org == opener || follows(charter, opener, org),
            is_secretariat: charter.secretariat.contains(&org),
            localities: writes.map(|locality| locality.name.clone()).collect(),
        })
    }

    /// Whether it is among those who may write the statement.
    pub(super) fn is(&self, among: Among, said: &Said<'_>) -> bool {
        self.takes_part
            && match among {
                Among::Members => true,
                Among::Sponsor => self.is_sponsor,
                Among::Secretariat => self.is_secretariat,
                Among::Classes(classes) => classes.contains(&self.class.as_str()),
                Among::Locality => said.names(&self.localities),
                Among::Offering => self.is_offering(said.aid),
                Among::Requesting => !self.is_offering(said.aid),
                Among::Author => said.about.is_some_and(|fact| fact.author.org == self.org),
            }
    }

    fn is_offering(&self, aid: Aid) -> bool {
        self.is_sponsor == (aid != Aid::Request)
    }
}

/// What is said, as far as it decides who may say it.
pub(super) struct Said<'a> {
    /// The statement; a proposal has none.
    pub(super) statement: Option<&'a Statement>,
    /// The fact in its past that its first value names.
    pub(super) about: Option<&'a Fact>,
    /// The kind of aid, as its past has it.
    pub(super) aid: Aid,
}

impl Said<'_> {
    fn names(&self, localities: &[String]) -> bool {
        let first = self.statement.and_then(|said| said.given().next());
        let Some((param, _)) = first else {
            return false;
        };
        let named = self.statement.and_then(|said| said.text(param.name));
        named.is_some_and(|named| localities.iter().any(|locality| locality == named))
    }
}

/// Whether one organisation took over from the other, directly or through others.
fn follows(charter: &Charter, closed: OrgId, org: OrgId) -> bool {
    let mut reached = alloc::vec![closed];
    let mut at = 0;
    while let Some(from) = reached.get(at).copied() {
        at = at.saturating_add(1);
        for succession in charter.succession.iter().filter(|one| one.closed == from) {
            if !reached.contains(&succession.successor) {
                reached.push(succession.successor);
            }
        }
    }
    reached.contains(&org)
}
