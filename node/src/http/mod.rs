//! The API: so far, who may use it.
//!
//! *Source*: ours.

mod token;

pub use token::{Holder, NewToken, Permission, Role, TokenError, TokenLine, Tokens};
