//! Roles of tokens, and what each may.
//!
//! | role | state of the node | read | log | journal | write | bind | private records |
//! |---|---|---|---|---|---|---|---|
//! | viewer | yes | yes | | | | | |
//! | editor | yes | yes | | | yes | | yes |
//! | signatory | yes | yes | | | yes | yes | yes |
//! | auditor | yes | yes | yes | yes | | | |
//! | node_admin | yes | | | yes | | | |
//!
//! Private records are for those who do the organisation's work with them: an auditor is shown what was
//! shared, and whoever looks after the machine sees no content. To promote is to write, so who may keep
//! records may let out what their collections allow.
//!
//! What a role may is asked twice: by the path, here; and by what is to be signed, where the daemon prepares
//! it, since some events bind the organisation and others do not.
//!
//! *Source*: ours.

use serde::{Deserialize, Serialize};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads what the boards share.
    Viewer,
    /// Writes and comments as well.
    Editor,
    /// Binds the organisation as well: signs off, closes, claims, confirms.
    Signatory,
    /// Reads everything, the entries of every feed too, and writes nothing.
    Auditor,
    /// Watches the node and reads its journal: sees no content and signs nothing.
    NodeAdmin,
}

/// One thing that a request may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To see how the node is and whom it meets.
    Watch,
    /// To read what boards share.
    Read,
    /// To read every entry of every feed.
    Audit,
    /// To read this node's own account of what it did and saw.
    Journal,
    /// To write in the organisation's name.
    Write,
    /// To bind the organisation.
    Bind,
    /// To read and write private records, and to promote what their collections allow.
    Keep,
}

impl Role {
    /// Every role, the one that may least first.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Editor, Self::Signatory, Self::Auditor, Self::NodeAdmin];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Signatory => "signatory",
            Self::Auditor => "auditor",
            Self::NodeAdmin => "node_admin",
        }
    }

    /// What it may.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Audit, Bind, Journal, Keep, Read, Watch, Write};
        match self {
            Self::Viewer => &[Watch, Read],
            Self::Editor => &[Watch, Read, Write, Keep],
            Self::Signatory => &[Watch, Read, Write, Bind, Keep],
            Self::Auditor => &[Watch, Read, Audit, Journal],
            Self::NodeAdmin => &[Watch, Journal],
        }
    }

    /// Whether it may this.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }

    /// The roles that may this, in words.
    pub(super) fn who_may(permission: Permission) -> String {
        let names = Self::ALL.iter().filter(|role| role.may(permission)).map(|role| role.name());
        names.collect::<Vec<_>>().join(", ")
    }
}
