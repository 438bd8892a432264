//! Payloads: what entries carry, save those that are the feed's own mechanics or the charter's.
//!
//! ```text
//! no  kind      payload                                                              file
//!  3  open      [nonce bstr16, artefact kind, schema version, audience]              artefact
//!  4  change    [raw change bstr…]                                                   change
//!  5  event     [name, [value…]]                                                     fact
//!  6  remark    [name, [value…]]                                                     fact
//!  7  audience  [[org…], reason]                                                     artefact
//!  8  proposal  [[head bstr32…], wording digest bstr32, frozen snapshot bstr,
//!                rule name, closer org, closes_at ms, [] or [replaces]]              decision
//!  9  signoff   [proposal, answer, wording digest bstr32]                            decision
//! 10  close     [proposal, [signoff…]]                                               decision
//! 14  redact    [entry, part, ground]                                                redact
//! 17  blob      [media type, length, [chunk hash bstr32…], name]                     attachment
//! 18  note      [text]                                                               attachment
//! ```
//!
//! Formats, bounds and order alone: who may write what, and with which effect, is decided by the
//! charter, the feeds and the decisions that these payloads belong to. Each has at most 1 MiB.
//!
//! Source: ours, `SPEC.md` section "Kinds".

mod artefact;
mod attachment;
mod change;
mod decision;
mod fact;
mod redact;

pub use artefact::{Audience, Open, Reason, Widening};
pub use attachment::{Attachment, Note};
pub use change::Changes;
pub use decision::{Close, Proposal, SignOff};
pub use fact::{Event, Remark};
pub use redact::{Ground, Part, Redaction};
