//! `init`: makes a node.
//!
//! Checks everything that can be wrong before the first file is made; the config file is written
//! last, so that a directory without one holds no node.
//!
//! *Source*: ours.

use serde::Serialize;

use super::{args::Init, context::Context, error::CliError, out::Out};
use crate::{
    config::Config,
    home::{Home, Readers, create_file},
    keys,
    organisation::{Facts, Organisation},
    paper::key_in_words,
    replica::Mark,
};

#[derive(Serialize)]
struct Made {
    org: String,
    name: String,
    home: String,
    feed_key: String,
    recovery: String,
}

pub(super) fn run(context: &Context, init: Init, out: &Out) -> Result<(), CliError> {
    let path = context.config_path();
    if path.exists() {
        return Err(CliError::NodeExists { path: path.to_path_buf() });
    }
    let text = config_text(&init);
    let config = Config::parse(&text, path)?;
    let home = Home::new(config.home());
    let Init { name, class, codes, recovery_out, .. } = init;
    let facts = Facts { class, legal_name: name, codes };
    facts.check()?;

    let keys = keys::create(home.directory(), &recovery_out)?;
    let organisation = Organisation::create(&home, keys, facts, config.announce())?;
    Mark::default().save(&home.mark())?;
    create_file(path, text.as_bytes(), Readers::Owner)?;

    let (inception, card) = (organisation.paper().inception(), organisation.paper().card().card());
    let made = Made {
        org: card.org.to_string(),
        name: inception.legal_name.clone(),
        home: context.directory().display().to_string(),
        feed_key: key_in_words(&card.feed_key),
        recovery: recovery_out.display().to_string(),
    };
    let words = [
        format!("made a node for {} in {}", made.name, made.home),
        format!("  {}", made.org),
        format!("  feed key {}", made.feed_key),
        format!("lock {} away now: it is the only copy of the recovery key", made.recovery),
    ];
    out.show(&made, &words)
}

fn config_text(init: &Init) -> String {
    let list = |addresses: &[libp2p::Multiaddr]| {
        let quoted: Vec<String> = addresses.iter().map(|one| format!("\"{one}\"")).collect();
        quoted.join(", ")
    };
    let mut text = "# This node's settings; config/examples shows all there are.\n".to_owned();
    for (key, addresses) in [("listen", &init.listen), ("announce", &init.announce)] {
        if !addresses.is_empty() {
            text.push_str(&format!("{key} = [{}]\n", list(addresses)));
        }
    }
    text
}
