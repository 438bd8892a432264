//! The `concordat` program.
fn main() {}
