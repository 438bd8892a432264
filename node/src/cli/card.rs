//! `card export`, `card show`, `card add`.
//!
//! *Source*: ours.

use serde::Serialize;

use super::{
    args::{CardAdd, CardExport, CardShow},
    context::Context,
    error::CliError,
    out::Out,
};
use crate::{
    control::{self, Answer, Request},
    home::{Readers, create_file},
    net::NodeKey,
    paper::{self, CardPaper, key_in_words},
};

/// What a card paper says.
#[derive(Serialize)]
struct CardFacts {
    org: String,
    name: String,
    class: String,
    codes: Vec<String>,
    epoch: u64,
    number: u64,
    feed_key: String,
    witness_key: String,
    node: String,
    addresses: Vec<String>,
}

impl CardFacts {
    fn of(paper: &CardPaper) -> Self {
        let (inception, card) = (paper.inception(), paper.card().card());
        let node = NodeKey::from_bytes(*card.node_key.as_bytes());
        Self {
            org: card.org.to_string(),
            name: inception.legal_name.clone(),
            class: inception.class.clone(),
            codes: inception.codes.iter().map(|code| format!("{}:{}", code.0, code.1)).collect(),
            epoch: card.epoch,
            number: card.number,
            feed_key: key_in_words(&card.feed_key),
            witness_key: key_in_words(&card.witness_key),
            node: node.map(|key| key.to_string()).unwrap_or_default(),
            addresses: card.addresses.clone(),
        }
    }

    fn words(&self) -> Vec<String> {
        let codes = if self.codes.is_empty() { String::new() } else { ", ".to_owned() };
        let reached = if self.addresses.is_empty() {
            "it dials its partners itself".to_owned()
        } else {
            self.addresses.join(", ")
        };
        vec![
            format!("{}, {}{codes}{}", self.name, self.class, self.codes.join(", ")),
            format!("  {}", self.org),
            format!("  card        number {} of epoch {}", self.number, self.epoch),
            format!("  feed key    {}", self.feed_key),
            format!("  witness key {}", self.witness_key),
            format!("  node        {}", self.node),
            format!("  reached at  {reached}"),
        ]
    }
}

pub(super) fn export(context: &Context, args: &CardExport, out: &Out) -> Result<(), CliError> {
    let (config, home) = context.config()?;
    let mut organisation = context.organisation()?;
    // The card that the next start would show, so that nobody is handed an old one. While a daemon
    // runs it alone signs cards, so that no two have one number.
    if !control::is_running(&home.socket()) {
        organisation.announce(&home, config.announce())?;
    } else if !organisation.announces(config.announce()) {
        tracing::warn!(
            "the config announces other addresses; restart the daemon for its next card"
        );
    }
    let paper = organisation.paper();
    let facts = CardFacts::of(paper);
    match &args.out {
        None if out.is_json() => out.show(&facts, &[]),
        None => out.raw(&paper.to_text()),
        Some(path) => {
            create_file(path, paper.to_text().as_bytes(), Readers::Everyone)?;
            out.show(&facts, &[format!("wrote the card of {} to {}", facts.name, path.display())])
        }
    }
}

pub(super) fn show(args: &CardShow, out: &Out) -> Result<(), CliError> {
    let facts = CardFacts::of(&read(&args.file)?.1);
    out.show(&facts, &facts.words())
}

pub(super) fn add(context: &Context, args: &CardAdd, out: &Out) -> Result<(), CliError> {
    let (text, paper) = read(&args.file)?;
    let facts = CardFacts::of(&paper);
    let accepts_new_key = args.accept_new_key;
    match context.ask(Request::AddCard { paper: text, accepts_new_key })? {
        Answer::CardAdded(added) => {
            let mut words = facts.words();
            words.push(if added.was_known {
                "this card was known already".to_owned()
            } else {
                "added; compare the feed key with the organisation by another way".to_owned()
            });
            out.show(&facts, &words)
        }
        _ => Err(CliError::OtherAnswer),
    }
}

fn read(path: &std::path::Path) -> Result<(String, CardPaper), CliError> {
    let text = paper::read_text(path).map_err(CliError::paper(path))?;
    let paper = CardPaper::from_text(&text).map_err(CliError::paper(path))?;
    Ok((text, paper))
}
