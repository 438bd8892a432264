//! Thirty seeds on every push: faults, liars and staff drawn from each, every checker on.

use concordat_integration_tests::{
    outcome::Exit,
    sim::{Profile, Sim},
};

#[test]
fn thirty_seeds_hold_in_safety_and_reach_agreement() {
    for seed in 0..30 {
        let outcome = Sim::new(seed, Profile::default()).unwrap().run();
        assert_eq!(outcome.exit, Exit::Passed, "{outcome}");
    }
}
