//! Whether a charter makes sense: checks that need more than one field.
//!
//! A board should find every mistake before anybody signs, so each has an error of its own that
//! names what is wrong. The checks depend on the charter alone.
//!
//! ```text
//! members   no organisation, slug or key twice · classes known · one active
//!           suspended and removed ones have a cutoff
//! lists     no name twice · every organisation named is a member · dates in order
//! rules     names free · classes known · organisations have a seat · can be satisfied
//! amend, admit, suspend
//!           only share of members, org, all and any,
//!           with an org or a share above one half outside any `any`
//! ```
//!
//! The last makes two disjoint sets of members unable to satisfy such a rule: no organisation is in
//! both, and two sets above one half of the same members meet. An `any` proves nothing, since each
//! set may satisfy another of its parts.
//!
//! Source: ours, `SPEC.md` section "Charter and decisions".

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
};
use core::fmt;

use super::{
    ballot::Ballot,
    document::Charter,
    member::{Member, Slug, Status},
    rule::{Rule, RuleOp, ShareOf},
    tally::{Answer, Outcome},
    terms::Who,
};
use crate::{
    codec::Fixed,
    hash::OrgId,
    identity::{OrgClass, recovery_digest},
};

/// What is wrong with a charter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// Two members are one organisation.
    #[error("{first} and {second} are the same organisation; list it once")]
    OrgTwice {
        /// The member listed first.
        first: Slug,
        /// The other.
        second: Slug,
    },
    /// Two members have one slug.
    #[error("two members are called {slug}; short names must differ")]
    SlugTwice {
        /// The slug.
        slug: Slug,
    },
    /// A key stands in two places.
    #[error(
        "the {first_use} key of {first} is also the {second_use} key of {second}; a key has one use"
    )]
    KeyTwice {
        /// The member it was found at first.
        first: Slug,
        /// What for.
        first_use: KeyUse,
        /// The member it was found at again.
        second: Slug,
        /// What for.
        second_use: KeyUse,
    },
    /// A member is of a class that the charter does not list.
    #[error("{slug} is of the class {class}, which the charter does not list")]
    MemberClass {
        /// The member.
        slug: Slug,
        /// The class.
        class: OrgClass,
    },
    /// Nobody could ever act.
    #[error("the charter has no active member")]
    NoActiveMember,
    /// A member left without a last entry that counts.
    #[error("{slug} is {status} and has no cutoff; name the last of its entries that counts")]
    NoCutoff {
        /// The member.
        slug: Slug,
        /// Its status.
        status: Status,
    },
    /// A list has one name twice.
    #[error("the charter lists {name} twice among its {list}")]
    ListedTwice {
        /// The list.
        list: &'static str,
        /// What stands in it twice.
        name: String,
    },
    /// A list names an organisation that is not on the board.
    #[error("the charter names {org} among its {list}, which is no member; add it or leave it out")]
    NotAMember {
        /// The list.
        list: &'static str,
        /// The organisation.
        org: OrgId,
    },
    /// A lead ends before it begins.
    #[error("the lead of {slug} for {service} ends before it begins")]
    LeadEndsEarly {
        /// The member.
        slug: Slug,
        /// The service.
        service: String,
    },
    /// An organisation takes over from itself.
    #[error("{slug} cannot take over from itself")]
    OwnSuccessor {
        /// The member.
        slug: Slug,
    },
    /// An artefact kind has no schema version.
    #[error("the kind {kind} has schema version 0; versions count from 1")]
    NoSchemaVersion {
        /// The kind.
        kind: String,
    },
    /// An artefact kind names a class that the charter does not list.
    #[error("the kind {kind} names the class {class}, which the charter does not list")]
    KindClass {
        /// The kind.
        kind: String,
        /// The class.
        class: OrgClass,
    },
    /// No active member may create a kind, or none may edit it.
    #[error("the kind {kind} needs an active member who may create it, and one who may edit it")]
    NobodyWrites {
        /// The kind.
        kind: String,
    },
    /// A rule for proposals has the name of one about the charter.
    #[error(
        "a rule for proposals may not be called {name}: that name is for the charter's own rule"
    )]
    RuleNameTaken {
        /// The name.
        name: String,
    },
    /// A rule names a class that the charter does not list.
    #[error("the rule {rule} names the class {class}, which the charter does not list")]
    RuleClass {
        /// The rule.
        rule: String,
        /// The class.
        class: OrgClass,
    },
    /// A rule names an organisation that cannot vote.
    #[error("the rule {rule} waits for {org}, which has no vote on this board")]
    RuleOrg {
        /// The rule.
        rule: String,
        /// The organisation.
        org: OrgId,
    },
    /// A rule that not even unanimity satisfies.
    #[error("the rule {rule} could never hold, not even if every member approved")]
    NeverHolds {
        /// The rule.
        rule: String,
    },
    /// A rule about the charter uses what such a rule may not.
    #[error(
        "the rule {rule} uses {part}; rules about the charter take only all, any, org and share of \
         members, so that whoever does not answer can never help to pass them"
    )]
    UnfitPart {
        /// The rule.
        rule: &'static str,
        /// What it uses.
        part: RuleOp,
    },
    /// Two groups without a common member could both satisfy a rule about the charter.
    #[error(
        "two groups of members with nobody in common could both satisfy the rule {rule}, and adopt \
         two charters; outside every any it must ask for one organisation, or for more than half \
         of the members or of a class"
    )]
    NotExclusive {
        /// The rule.
        rule: &'static str,
    },
}

/// What a key in a charter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// It signs heads.
    Feed,
    /// It cosigns checkpoints.
    Witness,
    /// It recovers the organisation; the charter knows its digest.
    Recovery,
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Feed => "feed",
            Self::Witness => "witness",
            Self::Recovery => "recovery",
        })
    }
}

impl Charter {
    /// Checks that the charter makes sense, whatever its version.
    ///
    /// # Errors
    /// The first [`Unsound`]: members before lists, lists before rules.
    pub fn check(&self) -> Result<(), Unsound> {
        self.check_members()?;
        self.check_keys()?;
        self.check_names()?;
        self.check_references()?;
        self.check_kinds()?;
        self.check_rules()?;
        self.own_rules().into_iter().try_for_each(|(name, rule)| check_exclusive(name, rule))
    }

    fn check_members(&self) -> Result<(), Unsound> {
        let mut orgs = BTreeMap::new();
        let mut slugs = BTreeSet::new();
        for member in &self.members {
            let slug = member.slug.clone();
            if let Some(first) = orgs.insert(member.org, slug.clone()) {
                let second = slug;
                return Err(Unsound::OrgTwice { first, second });
            }
            if !slugs.insert(slug.clone()) {
                return Err(Unsound::SlugTwice { slug });
            }
            if !self.classes.contains(&member.class) {
                let class = member.class.clone();
                return Err(Unsound::MemberClass { slug, class });
            }
            let status = member.status;
            let left = matches!(status, Status::Suspended | Status::Removed);
            if left && member.cutoff.is_none() {
                return Err(Unsound::NoCutoff { slug, status });
            }
        }
        let active = |member: &Member| member.status == Status::Active;
        if self.members.iter().any(active) { Ok(()) } else { Err(Unsound::NoActiveMember) }
    }

    /// Recovery keys are known by their digests alone, so all keys are compared by digest.
    fn check_keys(&self) -> Result<(), Unsound> {
        let mut seen: BTreeMap<Fixed<32>, (&Slug, KeyUse)> = BTreeMap::new();
        for member in &self.members {
            for (digest, second_use) in [
                (recovery_digest(&member.feed_key), KeyUse::Feed),
                (recovery_digest(&member.witness_key), KeyUse::Witness),
                (member.recovery_digest, KeyUse::Recovery),
            ] {
                if let Some((first, first_use)) = seen.insert(digest, (&member.slug, second_use)) {
                    return Err(Unsound::KeyTwice {
                        first: first.clone(),
                        first_use,
                        second: member.slug.clone(),
                        second_use,
                    });
                }
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), Unsound> {
        once("classes", self.classes.iter())?;
        once("localities", self.localities.iter().map(|item| &item.name))?;
        once("sites", self.sites.iter().map(|site| &site.code))?;
        once("kinds", self.kinds.iter().map(|item| &item.kind))?;
        once("rules", self.rules.iter().map(|named| &named.name))?;
        once("retention classes", self.retention.iter().map(|item| &item.class))?;
        once("secretariat", &self.secretariat)?;
        once("closers", &self.closers)
    }

    fn check_references(&self) -> Result<(), Unsound> {
        let slug = |list, org: &OrgId| match self.member(org) {
            Some(member) => Ok(member.slug.clone()),
            None => Err(Unsound::NotAMember { list, org: *org }),
        };
        for org in self.localities.iter().flat_map(|item| &item.orgs) {
            slug("localities", org)?;
        }
        for site in &self.sites {
            slug("sites", &site.org)?;
        }
        for lead in &self.leads {
            let slug = slug("leads", &lead.org)?;
            if lead.to.is_some_and(|to| to <= lead.from) {
                let service = lead.service.clone();
                return Err(Unsound::LeadEndsEarly { slug, service });
            }
        }
        for (list, orgs) in [("secretariat", &self.secretariat), ("closers", &self.closers)] {
            orgs.iter().try_for_each(|org| slug(list, org).map(drop))?;
        }
        for succession in &self.succession {
            let closed = slug("succession", &succession.closed)?;
            let successor = slug("succession", &succession.successor)?;
            if closed == successor {
                return Err(Unsound::OwnSuccessor { slug: closed });
            }
        }
        Ok(())
    }

    fn check_kinds(&self) -> Result<(), Unsound> {
        for terms in &self.kinds {
            let kind = terms.kind.clone();
            if terms.schema_version == 0 {
                return Err(Unsound::NoSchemaVersion { kind });
            }
            for who in [&terms.creates, &terms.edits] {
                let Who::Named { classes, orgs } = who else {
                    continue;
                };
                if let Some(class) = classes.iter().find(|class| !self.classes.contains(class)) {
                    let class = class.clone();
                    return Err(Unsound::KindClass { kind, class });
                }
                if let Some(org) = orgs.iter().find(|org| self.member(org).is_none()) {
                    return Err(Unsound::NotAMember { list: "kinds", org: *org });
                }
                if !self.members.iter().any(|member| who.permits(member)) {
                    return Err(Unsound::NobodyWrites { kind });
                }
            }
        }
        Ok(())
    }

    fn check_rules(&self) -> Result<(), Unsound> {
        let own = self.own_rules().map(|(name, _)| name);
        if let Some(taken) = self.rules.iter().find(|named| own.contains(&named.name.as_str())) {
            let name = taken.name.clone();
            return Err(Unsound::RuleNameTaken { name });
        }
        // Rules are monotone: if all approving does not satisfy one, nothing does.
        let mut unanimous = Ballot::new(self);
        for member in self.seats() {
            let _counted = unanimous.settle(&member.org, Answer::Approve);
        }
        for (name, rule) in self.all_rules() {
            self.check_rule_names(name, rule)?;
            if unanimous.evaluate(rule).outcome != Outcome::True {
                return Err(Unsound::NeverHolds { rule: name.to_string() });
            }
        }
        Ok(())
    }

    fn check_rule_names(&self, name: &str, rule: &Rule) -> Result<(), Unsound> {
        for part in rule.parts() {
            let mut classes = part.classes().into_iter();
            if let Some(class) = classes.find(|class| !self.classes.contains(class)) {
                return Err(Unsound::RuleClass { rule: name.to_string(), class: class.clone() });
            }
            if let Rule::Org(org) = part
                && !self.member(org).is_some_and(|member| member.status.has_seat())
            {
                return Err(Unsound::RuleOrg { rule: name.to_string(), org: *org });
            }
        }
        Ok(())
    }
}

/// Refuses a list in which something stands twice.
fn once<'a, T: Ord + ToString + 'a>(
    list: &'static str,
    items: impl IntoIterator<Item = &'a T>,
) -> Result<(), Unsound> {
    let mut seen = BTreeSet::new();
    let twice = items.into_iter().find(|item| !seen.insert(*item));
    twice.map_or(Ok(()), |item| {
        let name = item.to_string();
        Err(Unsound::ListedTwice { list, name })
    })
}

/// Refuses a rule about the charter that two disjoint sets of members could both satisfy.
fn check_exclusive(name: &'static str, rule: &Rule) -> Result<(), Unsound> {
    if let Some(part) = rule.parts().into_iter().find(|part| !is_fit(part)) {
        let part = part.op();
        return Err(Unsound::UnfitPart { rule: name, part });
    }
    if is_anchored(rule) { Ok(()) } else { Err(Unsound::NotExclusive { rule: name }) }
}

fn is_fit(part: &Rule) -> bool {
    match part {
        Rule::All(_) | Rule::Any(_) | Rule::Org(_) => true,
        Rule::Share(share) => share.of == ShareOf::Members,
        Rule::AtLeast(..) | Rule::Majority(_) | Rule::Quorum(_) => false,
    }
}

/// Whether every set that satisfies the rule meets every other: outside any `any` stands an
/// organisation, or a share above one half.
fn is_anchored(rule: &Rule) -> bool {
    match rule {
        Rule::All(rules) => rules.iter().any(is_anchored),
        Rule::Org(_) => true,
        Rule::Share(share) => {
            share.of == ShareOf::Members && share.numerator.saturating_mul(2) > share.denominator
        }
        Rule::Any(_) | Rule::AtLeast(..) | Rule::Majority(_) | Rule::Quorum(_) => false,
    }
}
