//! `token new`, `token list`, `token revoke`.
//!
//! They work on the home's files: a running daemon needs no word, since it looks at every request. What was
//! done is in the journal before it is told.
//!
//! *Source*: ours.

use super::{
    args::{TokenNew, TokenRevoke},
    context::Context,
    error::CliError,
    out::{Out, time_in_words},
};
use crate::{
    http::{TokenLine, Tokens},
    journal::Event,
};

pub(super) fn new(context: &Context, args: &TokenNew, out: &Out) -> Result<(), CliError> {
    let (config, home) = context.config()?;
    let made = context.refused("token-new", Tokens::of(&home).create(args.role, &args.name))?;
    let role = args.role.name().to_owned();
    context.record(Event::TokenMade { token: made.line.id.clone(), role })?;
    let mut words = vec![
        made.token.clone(),
        "  keep it where only its user reads it: it is shown this once".to_owned(),
        format!("  {}", line(&made.line)),
    ];
    if config.http().is_none() {
        words.push("  the API is off; set `http` in the config, and start the daemon again".into());
    }
    out.show(&made, &words)
}

pub(super) fn list(context: &Context, out: &Out) -> Result<(), CliError> {
    let (_, home) = context.config()?;
    let lines = Tokens::of(&home).list()?;
    let mut words: Vec<String> = lines.iter().map(line).collect();
    if words.is_empty() {
        words.push("there are no tokens; make one with `concordat token new`".to_owned());
    }
    out.show(&lines, &words)
}

pub(super) fn revoke(context: &Context, args: &TokenRevoke, out: &Out) -> Result<(), CliError> {
    let (_, home) = context.config()?;
    let revoked = context.refused("token-revoke", Tokens::of(&home).revoke(&args.id))?;
    context.record(Event::TokenRevoked { token: revoked.id.clone() })?;
    out.show(&revoked, &[line(&revoked)])
}

fn line(token: &TokenLine) -> String {
    let TokenLine { id, name, role, created_ms, revoked_ms } = token;
    let made = time_in_words(*created_ms);
    let revoked = revoked_ms.map(|at| format!(", revoked {}", time_in_words(at)));
    format!("{id}  {}, {name:?}, made {made}{}", role.name(), revoked.unwrap_or_default())
}
