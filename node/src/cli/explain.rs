//! `explain`: what a code means, and what to do next.
//!
//! *Source*: ours; from the catalogue of codes and the journal's.

use serde::Serialize;

use super::{args::Explain, error::CliError, out::Out};
use crate::{
    control::Refusal,
    errors::{self, Described},
    journal,
};

/// A code, as it is told.
#[derive(Debug, Serialize)]
struct Explained {
    code: &'static str,
    means: &'static str,
    /// What to do next; events of the journal ask for nothing.
    next: Option<&'static str>,
    /// What a command ends with that gives it.
    exit_code: Option<u8>,
    /// The status of an API answer that gives it.
    http_status: Option<u16>,
    page: String,
}

pub(super) fn run(asked: &Explain, out: &Out) -> Result<(), CliError> {
    let explained = described(&asked.code).or_else(|| event(&asked.code));
    let explained = explained.ok_or_else(|| {
        let message = "there is no such code; a code stands in square brackets at the end of a message, and \
                       docs/errors.md lists all of them";
        Refusal::new("unknown-code", message)
    })?;
    let mut words = vec![explained.means.to_owned()];
    words.extend(explained.next.map(|next| format!("next: {next}")));
    words.extend(explained.exit_code.map(|code| format!("a command ends with {code}")));
    words.extend(explained.http_status.map(|status| format!("the API answers with {status}")));
    words.push(format!("see {}", explained.page));
    out.show(&explained, &words)
}

fn described(code: &str) -> Option<Explained> {
    errors::find(code).map(|&Described { code, means, next, exit, family }| Explained {
        code,
        means,
        next: Some(next),
        exit_code: exit,
        http_status: family.map(errors::Family::status),
        page: format!("docs/errors.md#{code}"),
    })
}

fn event(code: &str) -> Option<Explained> {
    let event = journal::CATALOGUE.iter().find(|event| event.code == code)?;
    let &journal::Described { code, means, .. } = event;
    let page = "docs/journal.md".to_owned();
    Some(Explained { code, means, next: None, exit_code: None, http_status: None, page })
}
