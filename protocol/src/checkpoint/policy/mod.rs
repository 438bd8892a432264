//! Whose cosignatures make a checkpoint of a feed good enough: C2SP tlog-policy.
//!
//! ```text
//! log <vkey>                                         the feed; one, see below
//! witness <name> <vkey>                              each voting member but the feed's own
//! group majority-of-the-others <k> <name>…           k = ⌊n / 2⌋ + 1 of these n
//! quorum majority-of-the-others                      or the one witness, or none
//!
//! vkey = name "+" key id in 8 hex digits "+" base64( type ‖ 32 bytes of the public key )
//! ```
//!
//! **Why this quorum.** An entry is settled once a strict majority of the voting members *other than
//! its author* acknowledged it (SPEC 8.2). A cosignature says of a feed what an acknowledgement
//! says, so a checkpoint is as good as settled with as many of the same. The others differ from
//! feed to feed, and a policy has one quorum for all its logs: with all feeds in one file a member
//! whose node is broken into could vouch for itself. So each feed has a policy of its own.
//!
//! "A policy file must include exactly one quorum line"; "A line defining a group can only reference
//! names of groups and witnesses defined on preceding lines"; "Each defined name can be listed as a
//! group member at most once"; duplicate witnesses "with the same public key, are not allowed", which
//! a charter does not allow either. A witness is called by its key's name, which no group is.
//!
//! Invariant: the text and [`Policy::is_met_by`] say the same.
//!
//! Source: C2SP tlog-policy (c2sp.org/tlog-policy); vkeys per C2SP signed-note, "Verifier keys".

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Cosigner, Origin, SignedCheckpoint,
    note::{KeyName, SignatureType},
};
use crate::{
    charter::{Charter, Member},
    hash::OrgId,
    identity::PublicKey,
};

/// What the group is called; no witness is, since their names have a slash.
const GROUP: &str = "majority-of-the-others";

/// Whose cosignatures a checkpoint of one feed needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    origin: Origin,
    feed_key: PublicKey,
    /// The voting members other than the feed's own, in the order of the charter.
    witnesses: Vec<(Cosigner, String)>,
}

impl Policy {
    /// The policy for a feed of a member of this charter.
    #[must_use]
    pub fn of(charter: &Charter, origin: Origin, feed_key: PublicKey) -> Self {
        let others = charter.seats().filter(|member| member.org != origin.org);
        let named = |member: &Member| {
            let cosigner = Cosigner { org: member.org, key: member.witness_key };
            (cosigner, member.slug.to_string())
        };
        Self { origin, feed_key, witnesses: others.map(named).collect() }
    }

    /// The witnesses that count.
    #[must_use]
    pub fn witnesses(&self) -> Vec<Cosigner> {
        self.witnesses.iter().map(|(witness, _)| *witness).collect()
    }

    /// How many of them it takes: a strict majority; 0 if there are none.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        match self.witnesses.len() {
            0 => 0,
            others => others / 2 + 1,
        }
    }

    /// How many of them cosigned a checkpoint of the feed.
    #[must_use]
    pub fn counts(&self, checkpoint: &SignedCheckpoint) -> usize {
        let cosigned: BTreeSet<OrgId> = checkpoint.cosigned().iter().map(|(org, _)| *org).collect();
        self.witnesses.iter().filter(|(witness, _)| cosigned.contains(&witness.org)).count()
    }

    /// Whether enough of them did.
    #[must_use]
    pub fn is_met_by(&self, checkpoint: &SignedCheckpoint) -> bool {
        checkpoint.checkpoint().origin == self.origin && self.counts(checkpoint) >= self.threshold()
    }

    /// The file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let log = KeyName::new(self.origin.to_string(), SignatureType::Ed25519, &self.feed_key);
        let mut text = format!("log {}\n\n", log.vkey(SignatureType::Ed25519, &self.feed_key));
        let mut names: Vec<String> = Vec::new();
        for (witness, slug) in &self.witnesses {
            let key = witness.key_name();
            let vkey = key.vkey(SignatureType::Cosignature, &witness.key);
            text.push_str(&format!("# {slug}\nwitness {} {vkey}\n", key.name()));
            names.push(key.name().into());
        }
        let quorum = match names.as_slice() {
            [] => "none",
            [one] => one.as_str(),
            several => {
                let (least, names) = (self.threshold(), several.join(" "));
                text.push_str(&format!("\ngroup {GROUP} {least} {names}\n"));
                GROUP
            }
        };
        text.push_str(&format!("quorum {quorum}\n"));
        text
    }
}

#[cfg(test)]
mod tests;
