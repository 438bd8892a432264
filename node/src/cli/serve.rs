//! `serve`: runs the node until it is told to stop.
//!
//! *Source*: ours.

use super::{args::Serve, context::Context, error::CliError, out::Out};
use crate::daemon::{self, Start};

pub(super) fn run(context: &Context, args: &Serve, out: &Out) -> Result<(), CliError> {
    let (config, home) = context.config()?;
    let organisation = context.organisation()?;
    out.log(config.log());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::System)?;
    let start = Start { home, config, organisation, is_restored: args.restored };
    let ended = runtime.block_on(daemon::run(start));
    if let Err(error) = &ended {
        tracing::error!(code = "ended", %error, "the daemon could not go on");
    }
    Ok(ended?)
}
