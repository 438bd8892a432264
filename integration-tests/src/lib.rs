//! Simulated partnerships.
