//! Promotion: the one way out of the private records, and the note that it leaves behind.
//!
//! ```text
//! begin   what leaves is as it was shown ─▶ note and salt, durable ─▶ act, as for `artefact`
//! end     done: the note with its entries        refused: no note
//! ```
//!
//! The note says when, on whose word, which fields of which record, where to, who held the artefact then, in
//! which entries, and a digest of the values:
//!
//! ```text
//! SHA-256( "concordat promotion 1" | salt 32 | for each value: len u64 BE | field | len u64 BE | value )
//! ```
//!
//! The salt stands apart from the note: whoever is shown the note alone cannot try values until one fits.
//!
//! *Invariants.* The note is durable before anything leaves: a node that ends in between knows of it, and
//! says that it does not know what became of it. The note holds no value.
//!
//! *Source*: ours; domain, section 1.6.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{
    leaving::leaving,
    table::{self, PromotionId},
};
use crate::{
    clock,
    control::{
        Act, Acted, Leaving, Promoting, PromotionLine, PromotionPage, Refusal, Word, Written,
    },
    home::Home,
    journal::Event,
    replica::Snapshot,
    store::{Op, Reader},
};

/// Most promotions of one answer.
const PAGE_MAX: usize = 1_000;

/// A promotion of which nothing has left yet.
#[derive(Debug)]
pub struct Begun {
    /// To be durable before the act is done.
    pub ops: Vec<Op>,
    /// What lets it out.
    pub act: Act,
    id: PromotionId,
    line: PromotionLine,
}

impl Begun {
    /// What is to be promoted.
    #[must_use]
    pub const fn line(&self) -> &PromotionLine {
        &self.line
    }
}

/// What the journal is told of a promotion: names and a digest, no value.
#[must_use]
pub fn journalled(line: &PromotionLine, word: Word) -> Event {
    let fields: Vec<&str> = line.fields.iter().map(|(field, _)| field.as_str()).collect();
    Event::Promoted {
        collection: line.collection.clone(),
        record: line.record.clone(),
        fields: fields.join(", "),
        values_sha256: line.digest.clone(),
        artefact: line.artefact.clone(),
        channel: word.into(),
    }
}

/// Begins a promotion: what leaves must be what was shown.
///
/// # Errors
/// - [`Refusal`]: it may not leave, or it is not what was shown.
pub fn begin(
    snapshot: &Snapshot,
    home: &Home,
    (what, seal, word): (&Promoting, &str, Word),
) -> Result<Begun, Refusal> {
    let (leaving, deed) = leaving(snapshot, home, what)?;
    if leaving.seal != seal {
        let message = "the record, the artefact or who holds it has changed since it was shown; look \
                       at what would leave again, and promote then";
        return Err(Refusal::new("changed-meanwhile", message));
    }
    let system = |why| Refusal::new("system", why);
    let (salt, nonce) = (clock::entropy().map_err(system)?, clock::nonce().map_err(system)?);
    let at_ms = clock::now_ms();
    let id = id(at_ms, nonce);
    let line = note(id, at_ms, word, &leaving, &salt);
    let ops = Vec::from([table::put_promotion(id, bytes(&line)), table::put_salt(id, salt)]);
    Ok(Begun { ops, act: Act { role: None, word, deed }, id, line })
}

impl Begun {
    /// Its entries are durable.
    #[must_use]
    pub fn done(self, acted: &Acted) -> (Vec<Op>, PromotionLine) {
        let line = PromotionLine { written: Some(acted.written.clone()), ..self.line };
        (Vec::from([table::put_promotion(self.id, bytes(&line))]), line)
    }

    /// Nothing left.
    #[must_use]
    pub fn refused(self) -> Vec<Op> {
        table::delete_promotion(self.id)
    }
}

fn id(at_ms: u64, nonce: [u8; 16]) -> PromotionId {
    let mut id = [0; 16];
    let (time, rest) = id.split_at_mut(8);
    time.copy_from_slice(&at_ms.to_be_bytes());
    rest.copy_from_slice(nonce.first_chunk::<8>().unwrap_or(&[0; 8]));
    PromotionId(id)
}

/// What is kept of a promotion.
fn note(
    id: PromotionId,
    at_ms: u64,
    word: Word,
    leaving: &Leaving,
    salt: &[u8; 32],
) -> PromotionLine {
    let by = match word {
        Word::CommandLine => "command line".to_owned(),
        Word::Token { id, binds: _ } => format!("token {}", HEXLOWER.encode(&id)),
    };
    let fields = leaving.values.iter().map(|one| (one.field.clone(), one.to.clone()));
    PromotionLine {
        promotion: HEXLOWER.encode(&id.0),
        at_ms,
        by,
        collection: leaving.collection.clone(),
        record: leaving.record.clone(),
        fields: fields.collect(),
        artefact: leaving.artefact.clone(),
        holders: leaving.holders.clone(),
        written: None::<Vec<Written>>,
        digest: digest(leaving, salt),
    }
}

fn digest(leaving: &Leaving, salt: &[u8; 32]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"concordat promotion 1");
    hash.update(salt);
    for one in &leaving.values {
        for text in [&one.field, &one.value] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
    HEXLOWER.encode(&hash.finalize())
}

fn bytes(line: &PromotionLine) -> Vec<u8> {
    // Texts and numbers always become JSON.
    serde_json::to_vec(line).unwrap_or_default()
}

/// What was promoted, the first before the others.
///
/// # Errors
/// - [`Refusal`]: the store cannot be read, or nothing is called so.
pub(super) fn promotions(
    reader: &Reader,
    after: Option<&str>,
    limit: usize,
) -> Result<PromotionPage, Refusal> {
    let after = after.map(|text| {
        let id = HEXLOWER.decode(text.as_bytes()).ok().and_then(|id| id.try_into().ok());
        id.map(PromotionId).ok_or_else(|| {
            let message = "a promotion is named by the 32 digits that its list shows";
            Refusal::new("unknown-promotion", message)
        })
    });
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = table::promotions(reader, after.transpose()?, limit + 1)?;
    let is_more = rows.len() > limit;
    let mut promotions = Vec::new();
    for (_, bytes) in rows.iter().take(limit) {
        let line: PromotionLine = serde_json::from_slice(bytes).map_err(|_| {
            let message = "a promotion was noted by a later version of this program; update it";
            Refusal::new("newer-record", message)
        })?;
        promotions.push(line);
    }
    let next = promotions.last().filter(|_| is_more).map(|line| line.promotion.clone());
    Ok(PromotionPage { promotions, next })
}
