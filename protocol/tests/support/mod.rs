//! What the integration tests of the protocol share.

pub(crate) mod decoders;
pub(crate) mod world;
