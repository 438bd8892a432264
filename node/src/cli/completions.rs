//! `completions`: what a shell needs to complete commands and flags.
//!
//! *Source*: ours; written by clap from the commands there are.

use clap::CommandFactory;

use super::{
    args::{Args, Completions},
    error::CliError,
    out::Out,
};

pub(super) fn run(completions: &Completions, out: &Out) -> Result<(), CliError> {
    let mut command = Args::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut command, name, &mut script);
    out.raw(&String::from_utf8_lossy(&script))
}
