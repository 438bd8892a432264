//! The Concordat daemon and command line.
