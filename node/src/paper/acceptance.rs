//! Acceptance papers: one member's agreement to one charter, with both its keys.
//!
//! ```text
//!   acceptance field = [ org bstr32, role, key, signature ]      as it stands in a founding file
//! ```
//!
//! *Invariants.* Both acceptances are by one organisation, feed key first. Whether the signatures
//! hold can only be told beside the charter, when the board is founded.
//!
//! *Source*: ours; formats, section 8.

use concordat_protocol::{
    charter::{AcceptRole, Acceptance},
    codec::{Fixed, Malformed},
    hash::{CharterHash, OrgId},
};

use super::{Field, PaperError, PaperKind, read, write, wrong_fields};

/// One member's acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptancePaper {
    charter: CharterHash,
    by_feed_key: Acceptance,
    by_witness_key: Acceptance,
}

impl AcceptancePaper {
    /// Puts the acceptances of both keys together.
    #[must_use]
    pub const fn new(charter: CharterHash, feed: Acceptance, witness: Acceptance) -> Self {
        Self { charter, by_feed_key: feed, by_witness_key: witness }
    }

    /// Reads an acceptance paper.
    ///
    /// # Errors
    /// - [`PaperError`]: exactly what is wrong with it.
    pub fn from_text(text: &str) -> Result<Self, PaperError> {
        let fields = read(PaperKind::Acceptance, text)?;
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let wrong = || wrong_fields("charter, acceptance, acceptance", &fields);
        let ([charter, feed, witness], ["charter", "acceptance", "acceptance"]) =
            (fields.as_slice(), names.as_slice())
        else {
            return Err(wrong());
        };
        let hash = charter.bytes.as_slice().try_into();
        let hash = hash.map_err(|_| Malformed::Shape { what: "charter hash" })?;
        let paper = Self {
            charter: CharterHash(Fixed(hash)),
            by_feed_key: decode(feed, AcceptRole::Feed)?,
            by_witness_key: decode(witness, AcceptRole::Witness)?,
        };
        if paper.by_feed_key.org == paper.by_witness_key.org { Ok(paper) } else { Err(wrong()) }
    }

    /// The text of the paper; `name` tells people whose it is.
    #[must_use]
    pub fn to_text(&self, name: &str) -> String {
        let (feed, witness) = (self.by_feed_key.to_bytes(), self.by_witness_key.to_bytes());
        let fields: [(&str, &[u8]); 3] =
            [("charter", self.charter.as_bytes()), ("acceptance", &feed), ("acceptance", &witness)];
        let comment = format!("{name} accepts {}", self.charter);
        write(PaperKind::Acceptance, &[comment], &fields)
    }

    /// Which charter is accepted.
    #[must_use]
    pub const fn charter(&self) -> CharterHash {
        self.charter
    }

    /// Who accepts it.
    #[must_use]
    pub const fn org(&self) -> OrgId {
        self.by_feed_key.org
    }

    /// Both acceptances.
    #[must_use]
    pub const fn both(&self) -> [Acceptance; 2] {
        [self.by_feed_key, self.by_witness_key]
    }
}

fn decode(field: &Field, role: AcceptRole) -> Result<Acceptance, Malformed> {
    let acceptance = Acceptance::from_bytes(&field.bytes)?;
    if acceptance.role == role {
        Ok(acceptance)
    } else {
        Err(Malformed::Range { what: "acceptance role", value: acceptance.role as u64 })
    }
}
