//! Who: organisations, their keys, their nodes, and staff as their organisation attributes them.
//!
//! Knows nothing of boards, feeds or peers.

mod attribution;
mod card;
mod keys;
mod org;

pub use attribution::Attribution;
pub use card::{BadCard, Card, SignedCard};
pub use keys::{BadSignature, KeyPair, PublicKey, Signature, Signer};
pub use org::{Code, Inception, OrgClass, recovery_digest};
