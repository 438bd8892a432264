//! What a charter lists besides members and rules: places, leads, kinds, successions, retention.
//!
//! ```text
//! locality   = [ name, [org…] ]                              who writes that locality's rows
//! site       = [ code, name, org ]                           a place of one organisation
//! lead       = [ service, org, from ms, [] or [to ms], limit pence ]
//! kind       = [ artefact kind, schema version, who creates, who edits ]
//! who        = [] every active member, or [[class…], [org…]] the active members among these
//! succession = [ closed org, successor org, at ms ]
//! retention  = [ retention class, days ]
//! ```
//!
//! Each list ascends strictly by its first items, so there is one way to write it: localities by
//! name, sites by code, leads by (service, org, from), kinds by kind, successions by (closed,
//! successor), retention by class. Classes and organisations in `who` and `locality` ascend too.

use alloc::{string::String, vec::Vec};

use super::{Member, Status};
use crate::{
    codec::{self, Malformed, Opt},
    hash::OrgId,
    identity::OrgClass,
    limits::{CHARTER_ITEMS_MAX, MEMBERS_MAX, TIME_MS_MAX},
    time::TimeMs,
    value::expect_name,
};

/// A locality, and the organisations that write for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locality {
    /// Its name.
    pub name: String,
    /// The members that write its rows, ascending. One member may serve several localities.
    pub orgs: Vec<OrgId>,
}

/// A place of one organisation, for example a hospital.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The code by which artefacts name it.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The member whose site it is.
    pub org: OrgId,
}

/// A lead commissioner: one member that may decide alone on a service, within limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The service line.
    pub service: String,
    /// The member that leads.
    pub org: OrgId,
    /// The first moment at which it leads.
    pub from: TimeMs,
    /// The first moment at which it no longer does.
    pub to: Option<TimeMs>,
    /// How much it may commit alone in a year, in pence.
    pub limit_pence: u64,
}

/// A kind of artefact that the board shares, and who may write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindTerms {
    /// The artefact kind, for example `decision`.
    pub kind: String,
    /// The schema version that new artefacts take.
    pub schema_version: u64,
    /// Who may open one.
    pub creates: Who,
    /// Who may edit one.
    pub edits: Who,
}

/// Which active members may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// All of them.
    Everyone,
    /// Those of a class named, and those named themselves.
    Named {
        /// The classes, ascending.
        classes: Vec<OrgClass>,
        /// The members, ascending.
        orgs: Vec<OrgId>,
    },
}

/// One organisation takes over from another that closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The organisation that closed.
    pub closed: OrgId,
    /// The one that inherits its seats, commitments and rights.
    pub successor: OrgId,
    /// From when.
    pub at: TimeMs,
}

/// How long artefacts of a retention class are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The retention class that artefacts name.
    pub class: String,
    /// For how many days after their end.
    pub days: u64,
}

impl Who {
    /// Whether a member is among them.
    #[must_use]
    pub fn includes(&self, member: &Member) -> bool {
        match self {
            Self::Everyone => true,
            Self::Named { classes, orgs } => {
                classes.contains(&member.class) || orgs.contains(&member.org)
            }
        }
    }

    /// Whether the member may, given that it is among these and active.
    #[must_use]
    pub fn permits(&self, member: &Member) -> bool {
        let named = match self {
            Self::Everyone => true,
            Self::Named { classes, orgs } => {
                classes.contains(&member.class) || orgs.contains(&member.org)
            }
        };
        named && member.status == Status::Active
    }
}

/// [`Locality`] on the wire.
pub(super) type LocalityWire = (String, Vec<OrgId>);
/// [`Site`] on the wire.
pub(super) type SiteWire = (String, String, OrgId);
/// [`Lead`] on the wire.
pub(super) type LeadWire = (String, OrgId, TimeMs, Opt<TimeMs>, u64);
/// [`KindTerms`] on the wire.
pub(super) type KindWire = (String, u64, WhoWire, WhoWire);
/// [`Who`] on the wire.
type WhoWire = Opt<(Vec<OrgClass>, Vec<OrgId>)>;
/// [`Succession`] on the wire.
pub(super) type SuccessionWire = (OrgId, OrgId, TimeMs);
/// [`Retention`] on the wire.
pub(super) type RetentionWire = (String, u64);

impl Locality {
    pub(super) fn to_wire(&self) -> LocalityWire {
        (self.name.clone(), self.orgs.clone())
    }

    pub(super) fn from_wire((name, orgs): LocalityWire) -> Result<Self, Malformed> {
        expect_name("locality name", &name)?;
        codec::expect_count("locality organisations", orgs.len(), 0, MEMBERS_MAX)?;
        codec::expect_ascending("locality organisations", &orgs)?;
        Ok(Self { name, orgs })
    }
}

impl Site {
    pub(super) fn to_wire(&self) -> SiteWire {
        (self.code.clone(), self.name.clone(), self.org)
    }

    pub(super) fn from_wire((code, name, org): SiteWire) -> Result<Self, Malformed> {
        expect_name("site code", &code)?;
        expect_name("site name", &name)?;
        Ok(Self { code, name, org })
    }
}

impl Lead {
    pub(super) fn to_wire(&self) -> LeadWire {
        (self.service.clone(), self.org, self.from, Opt(self.to), self.limit_pence)
    }

    pub(super) fn from_wire(wire: LeadWire) -> Result<Self, Malformed> {
        let (service, org, from, Opt(to), limit_pence) = wire;
        expect_name("lead service", &service)?;
        expect_time("lead from", from)?;
        if let Some(to) = to {
            expect_time("lead to", to)?;
        }
        Ok(Self { service, org, from, to, limit_pence })
    }
}

impl KindTerms {
    pub(super) fn to_wire(&self) -> KindWire {
        (self.kind.clone(), self.schema_version, self.creates.to_wire(), self.edits.to_wire())
    }

    pub(super) fn from_wire(wire: KindWire) -> Result<Self, Malformed> {
        let (kind, schema_version, creates, edits) = wire;
        expect_name("artefact kind", &kind)?;
        Ok(Self {
            kind,
            schema_version,
            creates: Who::from_wire(creates)?,
            edits: Who::from_wire(edits)?,
        })
    }
}

impl Who {
    fn to_wire(&self) -> WhoWire {
        match self {
            Self::Everyone => Opt(None),
            Self::Named { classes, orgs } => Opt(Some((classes.clone(), orgs.clone()))),
        }
    }

    fn from_wire(Opt(named): WhoWire) -> Result<Self, Malformed> {
        let Some((classes, orgs)) = named else {
            return Ok(Self::Everyone);
        };
        codec::expect_count("who classes", classes.len(), 0, CHARTER_ITEMS_MAX)?;
        codec::expect_ascending("who classes", &classes)?;
        codec::expect_count("who organisations", orgs.len(), 0, MEMBERS_MAX)?;
        codec::expect_ascending("who organisations", &orgs)?;
        for class in &classes {
            expect_name("who class", class)?;
        }
        Ok(Self::Named { classes, orgs })
    }
}

impl Succession {
    pub(super) const fn to_wire(&self) -> SuccessionWire {
        (self.closed, self.successor, self.at)
    }

    pub(super) fn from_wire((closed, successor, at): SuccessionWire) -> Result<Self, Malformed> {
        expect_time("succession date", at)?;
        Ok(Self { closed, successor, at })
    }
}

impl Retention {
    pub(super) fn to_wire(&self) -> RetentionWire {
        (self.class.clone(), self.days)
    }

    pub(super) fn from_wire((class, days): RetentionWire) -> Result<Self, Malformed> {
        expect_name("retention class", &class)?;
        Ok(Self { class, days })
    }
}

/// Refuses a time that not every language can hold exactly.
pub(super) const fn expect_time(what: &'static str, time: TimeMs) -> Result<(), Malformed> {
    if time.0 > TIME_MS_MAX { Err(Malformed::Range { what, value: time.0 }) } else { Ok(()) }
}
