//! The `concordat` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    concordat_node::cli::main()
}
