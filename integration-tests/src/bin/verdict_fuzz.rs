//! The verdict on mutated changes and wild histories, at length, beside the real Automerge.
//!
//! `make fuzz-verdict` runs it. Ends with 1 when a change that passed did harm, or a verdict depended
//! on more than its closure.

#![expect(clippy::print_stdout, reason = "a program for people to read")]

use std::{env, panic, process::ExitCode};

use concordat_integration_tests::changes::{mutants, wild};

/// Mutants of each of three sorts, histories, and the first seed, unless given in this order.
const DEFAULTS: [u64; 3] = [40_000, 6_000, 1];
/// Documents whose changes are mutated.
const DOCUMENTS: usize = 40;

fn main() -> ExitCode {
    // Automerge's panics are what is counted here, not news.
    panic::set_hook(Box::new(|_| {}));
    let given: Vec<u64> = env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let number = |at: usize| given.get(at).or(DEFAULTS.get(at)).copied().unwrap_or(1);
    let mut is_clean = true;
    let mut total = 0;
    for (mutation, account) in mutants::run(number(2), number(0), DOCUMENTS) {
        println!("{mutation:?}: {account:?}");
        total += account.mutants;
        is_clean &= account.harms.is_empty() && account.impure == 0;
    }
    match wild::run(number(2), number(1)) {
        Ok(account) => {
            println!("Wild: {account:?}");
            is_clean &= account.harms.is_empty();
            println!("{total} mutants, {} histories, clean: {is_clean}", account.histories);
        }
        Err(rule) => {
            println!("the skeleton is refused: {rule}");
            is_clean = false;
        }
    }
    ExitCode::from(u8::from(!is_clean))
}
