//! Any papers at all.
