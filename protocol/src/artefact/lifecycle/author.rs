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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        charter::{
            Succession,
            fixture::{mini_board, org},
        },
        time::TimeMs,
    };

    fn heir(from: u8, to: u8) -> Succession {
        Succession { closed: org(from), successor: org(to), at: TimeMs(0) }
    }

    #[test]
    fn a_charter_says_what_an_organisation_is_to_an_artefact() {
        let charter = mini_board();
        let expected = Author {
            org: org(1),
            class: "council".into(),
            takes_part: true,
            is_sponsor: false,
            is_secretariat: true,
            localities: alloc::vec!["bury".into()],
        };
        assert_eq!(Author::of(&charter, org(1), org(5), true), Some(expected));
        let takes_part = |number, in_audience| {
            Author::of(&charter, org(number), org(1), in_audience).map(|author| author.takes_part)
        };
        assert_eq!(takes_part(1, false), Some(false));
        assert_eq!(takes_part(6, true), Some(false));
        assert_eq!(takes_part(9, true), None);
    }

    #[test]
    fn the_sponsor_is_who_opened_the_artefact_or_follows_from_it() {
        let mut charter = mini_board();
        charter.succession = alloc::vec![heir(3, 4), heir(4, 5), heir(5, 3)];
        let sponsors = |opener: u8| -> Vec<u8> {
            let is = |number: &u8| {
                Author::of(&charter, org(*number), org(opener), true).unwrap().is_sponsor
            };
            (1..=6).filter(is).collect()
        };
        assert_eq!([sponsors(1), sponsors(3)], [alloc::vec![1], alloc::vec![3, 4, 5]]);
    }
}
