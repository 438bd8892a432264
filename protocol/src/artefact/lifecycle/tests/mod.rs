//! The fold, on small boards written out by hand, on every state and transition, and on random
//! histories.

mod aid;
mod board;
mod decision;
mod matrix;
mod random;
