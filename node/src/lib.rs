//! The Concordat daemon and command line.
//!
//! ```text
//!   config  keys  clock        what a start needs: one file, the secrets, the time
//!        \    |    /
//!         (daemon)             the only place where the parts below meet
//!        /    |    \
//!   store    net    …          bytes on disk; bytes to and from peers
//! ```
//!
//! *Invariants.* `store` and `net` carry bytes and never look inside them. Nothing but `clock`
//! reads the wall clock or draws randomness. Nothing here prints but the command line.

pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod daemon;
pub mod draft;
#[cfg(test)]
mod fixture;
pub mod home;
pub mod keys;
pub mod net;
pub mod organisation;
pub mod paper;
pub mod replica;
pub mod store;
pub mod view;
