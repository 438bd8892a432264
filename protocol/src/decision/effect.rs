//! Whether a proposal has any effect, and who may close it.
//!
//! ```text
//! proposal  the snapshot is a wording and has the digest · the charter has the rule ·
//!           every seat that the rule counts, and the closer, is inside the audience ·
//!           the charter lists the closer
//! closing   by the closer; if a charter ends its right, by the first of that charter's closers,
//!           and so on to the charter that the closing names
//! ```
//!
//! All of this follows from the entry, the audience in its past and the chain of charters.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use super::{
    papers::{Papers, Standing, Written},
    wording::{BadWording, Wording},
};
use crate::{
    charter::{Charter, Rule, Scope, Status},
    codec::Fixed,
    hash::{CharterHash, OrgId},
    payload::{Audience, Proposal},
};

/// Why a proposal has no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEffect {
    /// It lies beyond the end of its feed.
    #[error("it lies beyond the last entry of its author that counts")]
    Void,
    /// Its snapshot is no wording.
    #[error("its frozen text cannot be read: {0}")]
    Snapshot(#[from] BadWording),
    /// Its snapshot is other wording than the one it names.
    #[error("its frozen text has another digest than the one it names")]
    Digest {
        /// The digest that it names.
        named: Fixed<32>,
        /// The digest of its snapshot.
        found: Fixed<32>,
    },
    /// The charter has no such rule.
    #[error("the charter has no rule called {rule:?}")]
    UnknownRule {
        /// The rule that it names.
        rule: String,
    },
    /// The rule counts organisations that may not read what they would decide.
    #[error("its rule counts {} organisations outside the audience; widen the audience first", orgs.len())]
    OutsideAudience {
        /// Those, ascending.
        orgs: Vec<OrgId>,
    },
    /// The charter does not list the closer as one.
    #[error("the organisation that it names as closer is not among the charter's closers")]
    NotACloser {
        /// The organisation named.
        closer: OrgId,
    },
}

/// The rule that decides, and the frozen wording.
///
/// # Errors
/// The first [`NoEffect`], in the order of its variants.
pub(super) fn admit<'a>(
    papers: &Papers<'_>,
    charter: &'a Charter,
) -> Result<(&'a Rule, Wording), NoEffect> {
    let Proposal { wording: named, snapshot, rule: name, closer, .. } = &papers.proposal.says;
    if papers.proposal.by.standing == Standing::Void {
        return Err(NoEffect::Void);
    }
    let wording = Wording::from_bytes(snapshot)?;
    let found = wording.digest();
    if found != *named {
        return Err(NoEffect::Digest { named: *named, found });
    }
    let rule = charter.rule(name).ok_or_else(|| NoEffect::UnknownRule { rule: name.clone() })?;
    let mut concerned = counted(rule, charter);
    concerned.insert(*closer);
    let orgs: Vec<_> =
        concerned.into_iter().filter(|org| !includes(papers.audience, org)).collect();
    if !orgs.is_empty() {
        return Err(NoEffect::OutsideAudience { orgs });
    }
    if !is_closer(charter, closer) {
        return Err(NoEffect::NotACloser { closer: *closer });
    }
    Ok((rule, wording))
}

/// Whether the organisation is in the audience.
pub(super) fn includes(audience: &Audience, org: &OrgId) -> bool {
    match audience {
        Audience::Everyone => true,
        Audience::Only(orgs) => orgs.contains(org),
    }
}

/// The organisations whose answers a rule counts: those it names, and the seats of its scopes.
pub(super) fn counted(rule: &Rule, charter: &Charter) -> BTreeSet<OrgId> {
    let seats_of = |scope: &Scope| -> Vec<OrgId> {
        let seats = charter.seats().filter(|member| scope.includes(&member.class));
        seats.map(|member| member.org).collect()
    };
    let of_part = |part: &Rule| match part {
        Rule::Org(org) => Vec::from([*org]),
        Rule::Majority(class) => seats_of(&Scope::Class(class.clone())),
        Rule::Share(share) => seats_of(&share.scope),
        Rule::Quorum(_) => seats_of(&Scope::Board),
        Rule::All(_) | Rule::Any(_) | Rule::AtLeast(..) => Vec::new(),
    };
    rule.parts().into_iter().flat_map(of_part).collect()
}

fn is_closer(charter: &Charter, org: &OrgId) -> bool {
    let is_active = charter.member(org).is_some_and(|member| member.status == Status::Active);
    is_active && charter.closers.contains(org)
}

/// Who may close the proposal under a charter of the chain, if this reader knows the charter and it
/// has anybody for it.
#[must_use]
pub fn closer_under(papers: &Papers<'_>, charter: &CharterHash) -> Option<OrgId> {
    let at = papers.charters.iter().position(|(hash, _)| hash == charter)?;
    let mut closer = Some(papers.proposal.says.closer);
    for (_, charter) in papers.charters.iter().take(at.saturating_add(1)) {
        if !closer.is_some_and(|closer| is_closer(charter, &closer)) {
            closer = charter.closers.iter().find(|org| is_closer(charter, org)).copied();
        }
    }
    closer
}

/// Whether whoever wrote this closing may close the proposal.
pub(super) fn may_close(papers: &Papers<'_>, by: &Written) -> bool {
    closer_under(papers, &by.charter) == Some(by.org)
}
