//! Every decoder of the protocol under its name: what vectors, properties and fuzz targets go over.
//!
//! A decoder gives the bytes that it would write for what it read, or the code and the details of
//! its refusal. A code is the path of variant names in the error, for example
//! `BadProof.Malformed.TooLong`.

use core::fmt::Debug;

use concordat_protocol::{
    audit::bundle,
    charter::{Candidate, Charter, CharterVote, Founding},
    checkpoint::{CosignedList, Cosigner, Origin, SignedCheckpoint, TlogProof},
    codec,
    decision::{Json, Wording},
    feed::{Ack, Descriptor, Evidence, ForkProof, Header, OpenFeed, Run, Sealed, SignedHead, Tip},
    hash::{BoardId, OrgId},
    identity::{Attribution, Inception, KeyPair, SignedCard, Signer},
    payload::{
        Attachment, Changes, Close, Event, Note, Open, Proposal, Redaction, Remark, SignOff,
        Widening,
    },
    sync::Message,
};

/// Why a decoder refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The path of variant names.
    pub(crate) code: String,
    /// The error with its figures.
    pub(crate) detail: String,
}

impl Refusal {
    /// The refusal that an error of the named type stands for.
    pub(crate) fn of(family: &str, error: &dyn Debug) -> Self {
        let detail = format!("{error:?}");
        let mut code = family.to_string();
        let mut rest = detail.as_str();
        loop {
            let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
            let (variant, tail) = rest.split_at(end);
            code = format!("{code}.{variant}");
            match tail.strip_prefix('(') {
                Some(inner) if inner.starts_with(char::is_alphabetic) => rest = inner,
                _ => return Self { code, detail },
            }
        }
    }
}

/// Reads bytes, and writes what was read.
pub(crate) type Decoder = fn(&[u8]) -> Result<Vec<u8>, Refusal>;

macro_rules! decoders {
    ($($name:literal, $family:literal, $type:ty;)*) => {
        &[$(($name, |bytes| {
            let read = <$type>::from_bytes(bytes).map_err(|error| Refusal::of($family, &error))?;
            Ok(read.to_bytes())
        }),)*
        ("cbor", read_cbor),
        ("checkpoint", read_checkpoint),
        ("tlog_proof", read_tlog_proof),
        ("frame", read_frame),
        ("bundle_end", read_end),
        ("canonical", read_canonical),
        ]
    };
}

/// The table.
pub(crate) const DECODERS: &[(&str, Decoder)] = decoders! {
    "inception", "Malformed", Inception;
    "card", "BadCard", SignedCard;
    "attribution", "Malformed", Attribution;
    "charter", "Malformed", Charter;
    "founding", "Unfounded", Founding;
    "descriptor", "Malformed", Descriptor;
    "header", "Malformed", Header;
    "head", "Malformed", SignedHead;
    "sealed", "Malformed", Sealed;
    "run", "Malformed", Run;
    "tip", "Malformed", Tip;
    "fork_proof", "BadProof", ForkProof;
    "open_feed", "Malformed", OpenFeed;
    "ack", "Malformed", Ack;
    "open", "Malformed", Open;
    "change", "Malformed", Changes;
    "event", "Malformed", Event;
    "remark", "Malformed", Remark;
    "audience", "Malformed", Widening;
    "proposal", "Malformed", Proposal;
    "signoff", "Malformed", SignOff;
    "close", "Malformed", Close;
    "charter_candidate", "Malformed", Candidate;
    "charter_vote", "Malformed", CharterVote;
    "evidence", "BadProof", Evidence;
    "redact", "Malformed", Redaction;
    "wording", "BadWording", Wording;
    "cosign", "Malformed", CosignedList;
    "blob", "Malformed", Attachment;
    "note", "Malformed", Note;
    "bundle_payload", "Malformed", bundle::LoosePayload;
};

/// The decoder of this name.
#[must_use]
pub(crate) fn decoder(name: &str) -> Decoder {
    let found = DECODERS.iter().find(|(known, _)| *known == name);
    found.map_or_else(|| unreachable!("no decoder is called {name}"), |(_, decoder)| *decoder)
}

fn read_cbor(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    codec::scan(bytes, "item", 256).map_err(|error| Refusal::of("Malformed", &error))?;
    Ok(bytes.to_vec())
}

/// The feed whose checkpoints the table reads: its name, the seed of its key, and a witness.
#[must_use]
pub(crate) fn checkpointed() -> (Origin, KeyPair, Cosigner) {
    let origin =
        Origin { board: BoardId::from_bytes([1; 32]), org: OrgId::from_bytes([1; 32]), epoch: 0 };
    let witness =
        Cosigner { org: OrgId::from_bytes([2; 32]), key: KeyPair::from_seed(&[102; 32]).public() };
    (origin, KeyPair::from_seed(&[1; 32]), witness)
}

fn read_checkpoint(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (origin, key, witness) = checkpointed();
    let read = SignedCheckpoint::from_bytes(bytes, (&origin, &key.public()), &[witness]);
    Ok(read.map_err(|error| Refusal::of("BadNote", &error))?.to_bytes())
}

/// A proof of the entry whose header is the extra data.
fn read_tlog_proof(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let refusal = |error| Refusal::of("BadTlogProof", &error);
    let (origin, key, witness) = checkpointed();
    let read = TlogProof::from_bytes(bytes).map_err(refusal)?;
    let leaf = read.extra().unwrap_or_default();
    read.verify(leaf, (&origin, &key.public()), &[witness]).map_err(refusal)?;
    Ok(read.to_bytes())
}

fn read_frame(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let read = Message::from_frame(bytes).map_err(|error| Refusal::of("BadFrame", &error))?;
    Ok(read.to_frame())
}

fn read_end(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let count = bundle::end_from_bytes(bytes).map_err(|error| Refusal::of("Malformed", &error))?;
    Ok(codec::encode(&(count,)))
}

fn read_canonical(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let refusal = |error| Refusal::of("BadJson", &error);
    Json::from_bytes(bytes).map_err(refusal)?.to_bytes().map_err(refusal)
}
