//! How two nodes meet: what they say to each other, and how much at a time.
//!
//! Moves and proves entries without understanding payloads. Knows nothing of stores or sockets.

mod glimpse;
mod message;
mod session;

pub use glimpse::Glimpse;
pub use message::{
    BadFrame, Goodbye, HaveItem, Lane, Message, NoPayload, Point, VERSION, have_digest,
};
pub use session::{Overrun, Session, to_wire};
