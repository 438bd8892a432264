//! `config check` and `config show`: what a config file says, and what holds where it says nothing.
//!
//! *Source*: ours.

use serde::Serialize;

use super::{context::Context, error::CliError, out::Out};

#[derive(Serialize)]
struct Checked {
    file: String,
    home: String,
}

/// Every mistake is one error, which names all of them.
pub(super) fn check(context: &Context, out: &Out) -> Result<(), CliError> {
    let (_, home) = context.config()?;
    let file = context.config_path().display().to_string();
    let checked = Checked { file, home: home.directory().display().to_string() };
    let words = [
        format!("{} is in order", checked.file),
        format!("  the node's directory is {}", checked.home),
    ];
    out.show(&checked, &words)
}

pub(super) fn show(context: &Context, out: &Out) -> Result<(), CliError> {
    let (config, _) = context.config()?;
    let settings = config.settings();
    if out.is_json() {
        return out.show(&settings, &[]);
    }
    out.raw(&settings.to_string())
}
