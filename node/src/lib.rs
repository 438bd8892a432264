//! The Concordat daemon and command line.
//!
//! ```text
//!   cli ──control──▶ daemon        the only place where the parts below meet
//!    └───────────▶  replica        the protocol's engine over this node's store, and the local orders
//!                   /     \
//!               store     net      bytes on disk; bytes to and from peers
//!
//!   http             asks the daemon as the command line does, for programs on this machine
//!   home config keys organisation clock      what a start needs
//!   openings rotation                        how a new feed key takes over
//!   draft paper                              what organisations hand one another to found a board
//!   artefact                                 what people do with artefacts, as entries to be signed
//!   records                                  what the organisation keeps for itself; `net` cannot name it
//!   view                                     what people see
//!   backup                                   a node in one file, and a home made of it
//!   journal                                  what this node received, accepted, refused, sent, and was told to do
//!   errors                                   every code there is, what it means and what to do next
//!   demo                                     a whole partnership of such nodes on one machine
//! ```
//!
//! *Invariants.* `store` and `net` carry bytes and never look inside them. Nothing but `clock`
//! reads the wall clock or draws randomness. Nothing here prints but the command line.

pub mod artefact;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
mod contacts;
pub mod control;
pub mod daemon;
pub mod demo;
pub mod draft;
pub mod errors;
#[cfg(test)]
mod fixture;
pub mod home;
pub mod http;
pub mod journal;
pub mod keys;
pub mod net;
pub mod openings;
pub mod organisation;
pub mod paper;
pub mod records;
pub mod replica;
pub mod rotation;
pub mod store;
pub mod view;
