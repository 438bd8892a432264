//! Members: organisations as one board knows them.
//!
//! ```text
//! member  = [ org bstr32, slug, names [[from ms, name]…], codes [[scheme, code]…], class, status,
//!             feed key, witness key, recovery digest bstr32, cutoff ]
//! slug    = 1 to 32 of a-z 0-9 -, for example la-wigan; unique in the charter
//! names   ascend by their date, at least one; codes ascend
//! status  0 active    votes, and is counted wherever voting members are
//!         1 observer  reads; is never counted
//!         2 suspended may not write; is still counted, so that no vote becomes easier
//!         3 removed   listed for its history, its name and its cutoff; is never counted
//! cutoff  [] or [[epoch, seq, entry id]]: what the member wrote above it has no effect
//! ```
//!
//! A member that leaves stays listed as removed: its cutoff then stands in every later charter, and
//! what it wrote up to there keeps its name and its effect. Suspended and removed members have a
//! cutoff. An active member may have one from before it came back; it then writes in a later epoch.
//!
//! Knows nothing of where nodes are reached: that is for node cards.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Fixed, Malformed, Opt},
    hash::{EntryId, OrgId},
    identity::{Code, OrgClass, PublicKey},
    limits::{CODES_MAX, DATED_NAMES_MAX, SEQ_MAX, SLUG_BYTES_MAX},
    time::TimeMs,
    value::{expect_filled, expect_name},
};

/// One organisation in a charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The organisation's id: the hash of its inception record.
    pub org: OrgId,
    /// Its short name on this board.
    pub slug: Slug,
    /// Its names, each from a date on, ascending.
    pub names: Vec<DatedName>,
    /// Codes that others gave it, ascending.
    pub codes: Vec<Code>,
    /// The class in which it is counted.
    pub class: OrgClass,
    /// Whether it votes.
    pub status: Status,
    /// The key that signs its first feed.
    pub feed_key: PublicKey,
    /// The key that cosigns checkpoints.
    pub witness_key: PublicKey,
    /// The digest of its recovery key.
    pub recovery_digest: Fixed<32>,
    /// Above which of its entries nothing has effect.
    pub cutoff: Option<Cutoff>,
}

/// A name, from a date on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatedName {
    /// The first moment at which it is the name.
    pub from: TimeMs,
    /// The name.
    pub name: String,
}

/// The last entry of a feed that has effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff {
    /// The epoch of the feed.
    pub epoch: u64,
    /// The last entry's place.
    pub seq: u64,
    /// The last entry.
    pub entry: EntryId,
}

/// Whether a member votes, and whether it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Votes and is counted.
    Active = 0,
    /// Reads; is never counted.
    Observer = 1,
    /// May not write; is still counted.
    Suspended = 2,
    /// No longer on the board; is never counted.
    Removed = 3,
}

impl Status {
    const ALL: [Self; 4] = [Self::Active, Self::Observer, Self::Suspended, Self::Removed];

    /// Whether such a member has a seat: is counted wherever voting members are.
    #[must_use]
    pub const fn has_seat(self) -> bool {
        matches!(self, Self::Active | Self::Suspended)
    }

    /// Whether such a member is on the board: receives what the board shares.
    #[must_use]
    pub const fn is_present(self) -> bool {
        !matches!(self, Self::Removed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Observer => "observer",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        })
    }
}

/// A member's short name on a board.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slug(String);

/// Text that is no slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a short name has 1 to {SLUG_BYTES_MAX} lower-case letters, digits and hyphens, as in la-wigan"
)]
pub struct BadSlug;

impl Slug {
    /// The text of the slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = BadSlug;

    fn from_str(text: &str) -> Result<Self, BadSlug> {
        let fits = matches!(text.len(), 1..=SLUG_BYTES_MAX);
        let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if fits && text.bytes().all(plain) { Ok(Self(text.to_string())) } else { Err(BadSlug) }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// [`Member`] on the wire.
#[derive(Serialize, Deserialize)]
pub(super) struct MemberWire(
    OrgId,
    String,
    Vec<(TimeMs, String)>,
    Vec<Code>,
    OrgClass,
    u64,
    PublicKey,
    PublicKey,
    Fixed<32>,
    Opt<(u64, u64, EntryId)>,
);

impl Member {
    /// The name at a moment: the last that had begun, or the first if none had.
    #[must_use]
    pub fn name_at(&self, now: TimeMs) -> Option<&str> {
        let begun = self.names.iter().rev().find(|dated| dated.from <= now);
        begun.or(self.names.first()).map(|dated| dated.name.as_str())
    }

    pub(super) fn to_wire(&self) -> MemberWire {
        let member = self.clone();
        let dated = |dated: DatedName| (dated.from, dated.name);
        let cutoff = |cutoff: Cutoff| (cutoff.epoch, cutoff.seq, cutoff.entry);
        MemberWire(
            member.org,
            member.slug.0,
            member.names.into_iter().map(dated).collect(),
            member.codes,
            member.class,
            member.status as u64,
            member.feed_key,
            member.witness_key,
            member.recovery_digest,
            Opt(member.cutoff.map(cutoff)),
        )
    }

    pub(super) fn from_wire(wire: MemberWire) -> Result<Self, Malformed> {
        let MemberWire(
            org,
            slug,
            names,
            codes,
            class,
            status,
            feed_key,
            witness_key,
            recovery_digest,
            Opt(cutoff),
        ) = wire;
        expect_filled("member slug", slug.len(), SLUG_BYTES_MAX)?;
        let slug = slug.parse().map_err(|BadSlug| Malformed::Shape { what: "member slug" })?;
        codec::expect_count("member codes", codes.len(), 0, CODES_MAX)?;
        codec::expect_ascending("member codes", &codes)?;
        for Code(scheme, code) in &codes {
            expect_name("member code scheme", scheme)?;
            expect_name("member code", code)?;
        }
        expect_name("member class", &class)?;
        Ok(Self {
            org,
            slug,
            names: read_names(names)?,
            codes,
            class,
            status: read_status(status)?,
            feed_key: feed_key.admit("member feed key")?,
            witness_key: witness_key.admit("member witness key")?,
            recovery_digest,
            cutoff: cutoff.map(read_cutoff).transpose()?,
        })
    }
}

fn read_names(names: Vec<(TimeMs, String)>) -> Result<Vec<DatedName>, Malformed> {
    codec::expect_count("member names", names.len(), 1, DATED_NAMES_MAX)?;
    let dates: Vec<_> = names.iter().map(|(from, _)| *from).collect();
    codec::expect_ascending("member names", &dates)?;
    for (from, name) in &names {
        super::terms::expect_time("member name from", *from)?;
        expect_name("member name", name)?;
    }
    let dated = |(from, name)| DatedName { from, name };
    Ok(names.into_iter().map(dated).collect())
}

fn read_status(number: u64) -> Result<Status, Malformed> {
    let known = Status::ALL.into_iter().find(|status| *status as u64 == number);
    known.ok_or(Malformed::Range { what: "member status", value: number })
}

fn read_cutoff((epoch, seq, entry): (u64, u64, EntryId)) -> Result<Cutoff, Malformed> {
    for (what, value) in [("member cutoff epoch", epoch), ("member cutoff seq", seq)] {
        if value > SEQ_MAX {
            return Err(Malformed::Range { what, value });
        }
    }
    Ok(Cutoff { epoch, seq, entry })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_lower_case_letters_digits_and_hyphens_only() {
        for good in ["a", "la-wigan", "tr-2", "abcdefghijklmnopqrstuvwxyz012345"] {
            assert_eq!(good.parse::<Slug>().unwrap().as_str(), good);
        }
        for bad in ["", "La", "la wigan", "la_wigan", "é", "abcdefghijklmnopqrstuvwxyz0123456"] {
            assert_eq!(bad.parse::<Slug>(), Err(BadSlug), "{bad}");
        }
    }
}
