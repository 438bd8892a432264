//! What must hold of artefacts, each in a file of its own.
//!
//! ```text
//! equal       equal knowledge, equal artefacts: in any order of entries and any batches of changes
//! permitted   nothing is applied that the charter, the audience or the verdict forbids
//! votes       one vote for each organisation; a result that is fixed stays
//! documents   Automerge does what it should with what the verdict lets through
//! audience    no payload reaches those outside
//! ```
//!
//! *Source*: ours.

mod audience;
pub mod documents;
pub mod equal;
pub mod permitted;
pub mod votes;

pub use audience::Names;

use concordat_protocol::{
    engine::Op,
    hash::{NodeKey, OrgId},
    sync::Message,
};

use super::{
    super::{artefacts::Scene, network::NodeIx},
    Verdict,
};

/// What the checkers remember from one moment to the next.
#[derive(Debug, Default)]
pub struct Artefacts {
    audience: audience::Audiences,
    fixed: votes::Fixed,
}

impl Artefacts {
    /// A batch is about to be flushed at a node of this organisation.
    ///
    /// # Errors
    /// What must not be.
    pub fn flushing(
        &mut self,
        names: Names<'_>,
        at: (NodeIx, OrgId),
        ops: &[Op],
        is_honest: bool,
    ) -> Verdict {
        self.audience.flushing(names, at, ops, is_honest)
    }

    /// An honest node received a message.
    pub fn received(&mut self, node: NodeIx, peer: &NodeKey, message: &Message) {
        self.audience.received(node, peer, message);
    }

    /// An honest node sends a message to a node of this organisation.
    ///
    /// # Errors
    /// What must not be.
    pub fn sending(&self, node: NodeIx, to: (&NodeKey, &OrgId), message: &Message) -> Verdict {
        self.audience.sending(node, to, message)
    }

    /// Results that a node shows.
    ///
    /// # Errors
    /// What must not be.
    pub fn fixed(&mut self, node: NodeIx, scene: &Scene) -> Verdict {
        self.fixed.note(node, scene)
    }

    /// A backup was put back at a node.
    pub fn restored(&mut self, node: NodeIx) {
        self.fixed.forget(node);
        self.audience.forget(node);
    }
}
