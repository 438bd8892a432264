//! What the integration tests of the protocol share.

#[allow(dead_code, unreachable_pub, reason = "also part of the simulator, which is a library")]
pub(crate) mod change;
pub(crate) mod decoders;
#[allow(dead_code, unreachable_pub, reason = "also part of the simulator, which is a library")]
pub(crate) mod hostile;
pub(crate) mod world;
