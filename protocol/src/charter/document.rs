//! The charter itself: one whole document a version, in a linear chain.
//!
//! ```text
//! charter = [ 1, version, prev bstr32, nonce bstr16, title, replaces_board [] or [bstr32],
//!             rules_version, members [member…], classes [text…], localities [locality…],
//!             sites [site…], leads [lead…], kinds [kind…], rules [[name, R]…],
//!             amend R, admit R, suspend R,
//!             secretariat [org…], closers [org…], succession [succession…], silence_days,
//!             retention [retention…] ]
//! charter hash = H(charter, charter)   board id = the hash of version 0; its prev is 32 zero bytes
//! ```
//!
//! Members ascend by organisation, classes by text, rules by name; the other lists as `terms.rs`
//! says. Secretariat and closers stand in their order: the rota, and who inherits a proposal first.
//!
//! Reading checks the form and the bounds; whether the charter makes sense is for `validate.rs`.
//! Invariant: the bytes of a charter that was read are the bytes it was read from.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    member::{Member, MemberWire, Slug},
    rule::{NamedRule, Rule},
    terms::{
        KindTerms, KindWire, Lead, LeadWire, Locality, LocalityWire, Retention, RetentionWire,
        Site, SiteWire, Succession, SuccessionWire,
    },
};
use crate::{
    codec::{self, Fixed, Malformed, Opt},
    hash::{BoardId, CharterHash, OrgId, Tag, hash},
    identity::OrgClass,
    limits::{CHARTER_BYTES_MAX, CHARTER_ITEMS_MAX, MEMBERS_MAX, SEQ_MAX, SILENCE_DAYS_MAX},
    value::{Value, expect_name},
};

/// One version of a board's charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// Counts the charters of the board from 0.
    pub version: u64,
    /// The charter before this one; [`Charter::NO_PREV`] at version 0.
    pub prev: CharterHash,
    /// Fresh random bytes, so that two boards of the same members differ.
    pub nonce: Fixed<16>,
    /// The board's name.
    pub title: String,
    /// The board that this one goes on from, if any.
    pub replaces_board: Option<BoardId>,
    /// Which rules for changes hold.
    pub rules_version: u64,
    /// The members, ascending by organisation.
    pub members: Vec<Member>,
    /// The classes that members are counted in, ascending.
    pub classes: Vec<OrgClass>,
    /// Localities, ascending by name.
    pub localities: Vec<Locality>,
    /// Sites, ascending by code.
    pub sites: Vec<Site>,
    /// Lead commissioners, ascending by service, organisation and date.
    pub leads: Vec<Lead>,
    /// The kinds of artefacts shared, ascending by kind.
    pub kinds: Vec<KindTerms>,
    /// The rules that proposals may name, ascending by name.
    pub rules: Vec<NamedRule>,
    /// What adopts the next charter.
    pub amend: Rule,
    /// What admits a member.
    pub admit: Rule,
    /// What suspends one.
    pub suspend: Rule,
    /// The secretariat's rota.
    pub secretariat: Vec<OrgId>,
    /// Who may close proposals; the first inherits those of a closer that left.
    pub closers: Vec<OrgId>,
    /// Which organisations closed, and who took over.
    pub succession: Vec<Succession>,
    /// After how many days without an entry a member is shown as silent.
    pub silence_days: u64,
    /// How long artefacts are kept, ascending by retention class.
    pub retention: Vec<Retention>,
}

#[derive(Serialize, Deserialize)]
struct Wire(
    u64,
    u64,
    CharterHash,
    Fixed<16>,
    String,
    Opt<BoardId>,
    u64,
    Vec<MemberWire>,
    Vec<OrgClass>,
    Vec<LocalityWire>,
    Vec<SiteWire>,
    Vec<LeadWire>,
    Vec<KindWire>,
    Vec<(String, Value)>,
    Value,
    Value,
    Value,
    Vec<OrgId>,
    Vec<OrgId>,
    Vec<SuccessionWire>,
    u64,
    Vec<RetentionWire>,
);

impl Charter {
    /// What `prev` holds at version 0.
    pub const NO_PREV: CharterHash = CharterHash::from_bytes([0; 32]);

    /// The bytes of the charter.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let rule = |named: &NamedRule| (named.name.clone(), named.rule.to_value());
        codec::encode(&Wire(
            1,
            self.version,
            self.prev,
            self.nonce,
            self.title.clone(),
            Opt(self.replaces_board),
            self.rules_version,
            self.members.iter().map(Member::to_wire).collect(),
            self.classes.clone(),
            self.localities.iter().map(Locality::to_wire).collect(),
            self.sites.iter().map(Site::to_wire).collect(),
            self.leads.iter().map(Lead::to_wire).collect(),
            self.kinds.iter().map(KindTerms::to_wire).collect(),
            self.rules.iter().map(rule).collect(),
            self.amend.to_value(),
            self.admit.to_value(),
            self.suspend.to_value(),
            self.secretariat.clone(),
            self.closers.clone(),
            self.succession.iter().map(Succession::to_wire).collect(),
            self.silence_days,
            self.retention.iter().map(Retention::to_wire).collect(),
        ))
    }

    /// Reads a charter.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let wire: Wire = codec::decode(bytes, "charter", CHARTER_BYTES_MAX)?;
        codec::expect_version("charter", wire.0, 1)?;
        let charter = Self {
            version: wire.1,
            prev: wire.2,
            nonce: wire.3,
            title: wire.4,
            replaces_board: wire.5.0,
            rules_version: wire.6,
            members: read_all(wire.7, Member::from_wire)?,
            classes: wire.8,
            localities: read_all(wire.9, Locality::from_wire)?,
            sites: read_all(wire.10, Site::from_wire)?,
            leads: read_all(wire.11, Lead::from_wire)?,
            kinds: read_all(wire.12, KindTerms::from_wire)?,
            rules: read_all(wire.13, read_rule)?,
            amend: Rule::from_value(&wire.14)?,
            admit: Rule::from_value(&wire.15)?,
            suspend: Rule::from_value(&wire.16)?,
            secretariat: wire.17,
            closers: wire.18,
            succession: read_all(wire.19, Succession::from_wire)?,
            silence_days: wire.20,
            retention: read_all(wire.21, Retention::from_wire)?,
        };
        charter.expect_ranges()?;
        charter.expect_counts()?;
        charter.expect_order()?;
        Ok(charter)
    }

    /// The hash by which entries and later charters name this version.
    #[must_use]
    pub fn hash(&self) -> CharterHash {
        CharterHash::from_bytes(hash(Tag::Charter, &[&self.to_bytes()]))
    }

    /// The board that this charter founds, if it is a first one.
    #[must_use]
    pub fn board_id(&self) -> Option<BoardId> {
        let first = self.version == 0 && self.prev == Self::NO_PREV;
        first.then(|| BoardId(self.hash().0))
    }

    /// The member with this id, whatever its status.
    #[must_use]
    pub fn member(&self, org: &OrgId) -> Option<&Member> {
        self.members.iter().find(|member| member.org == *org)
    }

    /// The member with this slug, whatever its status.
    #[must_use]
    pub fn member_called(&self, slug: &Slug) -> Option<&Member> {
        self.members.iter().find(|member| member.slug == *slug)
    }

    /// The members that are counted wherever voting members are: active and suspended ones.
    pub fn seats(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.status.has_seat())
    }

    /// The rule that proposals name so.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        let named = self.rules.iter().find(|named| named.name == name);
        named.map(|named| &named.rule)
    }

    /// Every rule with its name: those that proposals may name, then amend, admit and suspend.
    pub fn all_rules(&self) -> impl Iterator<Item = (&str, &Rule)> {
        let named = self.rules.iter();
        named.map(|named| (named.name.as_str(), &named.rule)).chain(self.own_rules())
    }

    /// The rules about the charter itself.
    pub(super) fn own_rules(&self) -> [(&'static str, &Rule); 3] {
        [("amend", &self.amend), ("admit", &self.admit), ("suspend", &self.suspend)]
    }

    /// The same charter with its lists in the order that its bytes need.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.members.sort_by_key(|member| member.org);
        self.classes.sort();
        self.localities.sort_by(|a, b| a.name.cmp(&b.name));
        self.sites.sort_by(|a, b| a.code.cmp(&b.code));
        self.leads.sort_by(|a, b| lead_order(a).cmp(&lead_order(b)));
        self.kinds.sort_by(|a, b| a.kind.cmp(&b.kind));
        self.rules.sort_by(|a, b| a.name.cmp(&b.name));
        self.succession.sort_by_key(succession_order);
        self.retention.sort_by(|a, b| a.class.cmp(&b.class));
        self
    }

    fn expect_ranges(&self) -> Result<(), Malformed> {
        expect_name("charter title", &self.title)?;
        for class in &self.classes {
            expect_name("charter class", class)?;
        }
        for (what, value, max) in [
            ("charter version", self.version, SEQ_MAX),
            ("silence days", self.silence_days, SILENCE_DAYS_MAX),
        ] {
            if value > max {
                return Err(Malformed::Range { what, value });
            }
        }
        Ok(())
    }

    fn expect_counts(&self) -> Result<(), Malformed> {
        codec::expect_count("charter members", self.members.len(), 1, MEMBERS_MAX)?;
        for (what, count) in [
            ("charter classes", self.classes.len()),
            ("charter localities", self.localities.len()),
            ("charter sites", self.sites.len()),
            ("charter leads", self.leads.len()),
            ("charter kinds", self.kinds.len()),
            ("charter rules", self.rules.len()),
            ("charter secretariat", self.secretariat.len()),
            ("charter closers", self.closers.len()),
            ("charter succession", self.succession.len()),
            ("charter retention", self.retention.len()),
        ] {
            codec::expect_count(what, count, 0, CHARTER_ITEMS_MAX)?;
        }
        Ok(())
    }

    fn expect_order(&self) -> Result<(), Malformed> {
        ascending("charter members", &self.members, |member| member.org)?;
        ascending("charter classes", &self.classes, |class| class)?;
        ascending("charter localities", &self.localities, |item| &item.name)?;
        ascending("charter sites", &self.sites, |site| &site.code)?;
        ascending("charter leads", &self.leads, lead_order)?;
        ascending("charter kinds", &self.kinds, |item| &item.kind)?;
        ascending("charter rules", &self.rules, |named| &named.name)?;
        ascending("charter succession", &self.succession, succession_order)?;
        ascending("charter retention", &self.retention, |item| &item.class)
    }
}

fn lead_order(lead: &Lead) -> (&str, OrgId, u64) {
    (&lead.service, lead.org, lead.from.0)
}

const fn succession_order(succession: &Succession) -> (OrgId, OrgId) {
    (succession.closed, succession.successor)
}

fn ascending<'a, T, K: Ord>(
    what: &'static str,
    list: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Result<(), Malformed> {
    codec::expect_ascending(what, &list.iter().map(key).collect::<Vec<_>>())
}

fn read_rule((name, rule): (String, Value)) -> Result<NamedRule, Malformed> {
    expect_name("rule name", &name)?;
    let rule = Rule::from_value(&rule)?;
    Ok(NamedRule { name, rule })
}

fn read_all<W, T>(
    wires: Vec<W>,
    read: impl Fn(W) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    wires.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::fixture::{any_charter, mini_board};
    use alloc::vec;
    use proptest::prelude::*;

    fn reread(change: impl FnOnce(&mut Charter)) -> Result<Charter, Malformed> {
        let mut charter = mini_board();
        change(&mut charter);
        Charter::from_bytes(&charter.to_bytes())
    }

    #[test]
    fn only_a_first_charter_founds_a_board() {
        let first = mini_board();
        assert_eq!(first.board_id().unwrap().as_charter(), first.hash());
        let second = Charter { version: 1, prev: first.hash(), ..first.clone() };
        assert_eq!(second.board_id(), None);
        assert_eq!(Charter { prev: first.hash(), ..first }.board_id(), None);
    }

    #[test]
    fn lists_out_of_order_are_refused_and_in_order_mends_them() {
        let out_of_order = |charter: &mut Charter| charter.members.reverse();
        assert_eq!(reread(out_of_order), Err(Malformed::NotAscending { what: "charter members" }));
        let mended = |charter: &mut Charter| {
            charter.members.reverse();
            charter.classes.reverse();
            *charter = charter.clone().in_order();
        };
        assert_eq!(reread(mended), Ok(mini_board()));
    }

    #[test]
    fn each_bound_is_refused_with_the_field_it_concerns() {
        let empty = |what, max| Err(Malformed::Count { what, count: 0, min: 1, max });
        let range = |what, value| Err(Malformed::Range { what, value });
        assert_eq!(reread(|c| c.title.clear()), empty("charter title", 256));
        assert_eq!(reread(|c| c.members.clear()), empty("charter members", MEMBERS_MAX));
        assert_eq!(
            reread(|c| c.members[0].names.clear()),
            Err(Malformed::Count { what: "member names", count: 0, min: 1, max: 32 })
        );
        assert_eq!(reread(|c| c.silence_days = 3_651), range("silence days", 3_651));
        assert_eq!(reread(|c| c.version = SEQ_MAX + 1), range("charter version", SEQ_MAX + 1));
        assert_eq!(
            reread(|c| c.closers = vec![OrgId::from_bytes([1; 32]); CHARTER_ITEMS_MAX + 1]),
            Err(Malformed::Count {
                what: "charter closers",
                count: CHARTER_ITEMS_MAX + 1,
                min: 0,
                max: CHARTER_ITEMS_MAX
            })
        );
        assert_eq!(
            Charter::from_bytes(&vec![0; CHARTER_BYTES_MAX + 1]),
            Err(Malformed::TooLong {
                what: "charter",
                len: CHARTER_BYTES_MAX + 1,
                max: CHARTER_BYTES_MAX
            })
        );
    }

    proptest! {
        #[test]
        fn any_charter_comes_back_from_its_bytes(charter in any_charter()) {
            let bytes = charter.to_bytes();
            let read = Charter::from_bytes(&bytes);
            prop_assert_eq!(read.as_ref(), Ok(&charter));
            prop_assert_eq!(read.unwrap().to_bytes(), bytes);
        }

        #[test]
        fn a_changed_byte_is_refused_or_stays_what_was_read(
            at in any::<proptest::sample::Index>(),
            bits in 1u8..,
        ) {
            let mut bytes = mini_board().to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            if let Ok(charter) = Charter::from_bytes(&bytes) {
                prop_assert_eq!(charter.to_bytes(), bytes);
            }
        }
    }
}
