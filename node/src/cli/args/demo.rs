//! The flags of `demo`.
//!
//! *Source*: ours.

use std::path::PathBuf;

use super::engine_on_disk;
use crate::{demo::Size, store::EngineKind};

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// How many nodes: 5, 10 or 36
    #[arg(long, value_name = "N", default_value = "5", value_parser = size)]
    pub(crate) nodes: Size,
    /// The storage engine of the nodes: sled or redb
    #[arg(long, value_name = "ENGINE", default_value = "sled", value_parser = engine_on_disk)]
    pub(crate) engine: EngineKind,
    /// End after the story; exit code 0: every check held. With --json it always ends so
    #[arg(long)]
    pub(crate) once: bool,
    /// Use this directory, which must be empty, and leave it [default: one that is removed in the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

fn size(text: &str) -> Result<Size, String> {
    let size = text.parse().ok().and_then(Size::of);
    size.ok_or_else(|| "there is a demonstration of 5, of 10 and of 36 nodes".to_owned())
}
