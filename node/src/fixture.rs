//! Partners for tests: organisations with homes of their own, and boards that they found.

use std::{path::PathBuf, sync::Arc};

use concordat_protocol::{
    charter::{AcceptRole, Acceptance, Founding},
    identity::Code,
};
use libp2p::Multiaddr;

use crate::{
    config::Config,
    control::{Answer, Refusal, Reply, Request},
    draft,
    home::{Home, config_file},
    keys,
    organisation::{Facts, Organisation},
    paper::{AcceptancePaper, BoardPaper, CardPaper, DraftPaper},
    replica::{Mark, Order, act},
};

/// An organisation with a home.
pub(crate) struct Partner {
    pub(crate) place: tempfile::TempDir,
    pub(crate) home: Home,
    pub(crate) config: Config,
    pub(crate) organisation: Organisation,
    pub(crate) slug: &'static str,
}

pub(crate) fn partner(slug: &'static str, class: &str) -> Partner {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("home");
    // One file, of which tests can put back an older copy.
    let config = Config::parse("store = \"redb\"", &config_file(&directory)).unwrap();
    let home = Home::new(config.home());
    let keys = keys::create(&directory, &place.path().join("recovery.key")).unwrap();
    let facts = Facts {
        class: class.to_owned(),
        legal_name: format!("The organisation {slug}"),
        codes: vec![Code("ods".into(), slug.into())],
    };
    let organisation = Organisation::create(&home, keys, facts, &[]).unwrap();
    Mark::default().save(&home.mark()).unwrap();
    Partner { place, home, config, organisation, slug }
}

impl Partner {
    pub(crate) fn card(&self) -> &CardPaper {
        self.organisation.paper()
    }

    /// The same organisation as a process that has just started would know it.
    pub(crate) fn again(&self) -> Organisation {
        Organisation::load(&self.home).unwrap()
    }

    /// Where its recovery key is kept.
    pub(crate) fn recovery_key(&self) -> PathBuf {
        self.place.path().join("recovery.key")
    }

    pub(crate) fn ask(&self, request: Request) -> Result<Answer, Refusal> {
        let order = Order::read(request)?;
        match act(&self.home, &self.config, Arc::new(self.again()), order).unwrap() {
            Reply::Done(answer) => Ok(answer),
            Reply::Refused(refusal) => Err(refusal),
        }
    }

    pub(crate) fn accept(&self, draft: &DraftPaper) -> AcceptancePaper {
        let (charter, org) = (draft.charter().hash(), self.organisation.id());
        let one = &self.organisation;
        AcceptancePaper::new(
            charter,
            Acceptance::sign(charter, org, AcceptRole::Feed, &one.feed_signer()),
            Acceptance::sign(charter, org, AcceptRole::Witness, &one.witness_signer()),
        )
    }
}

/// The TOML of a board of these partners, with their cards beside it.
pub(crate) fn draft_file(place: &tempfile::TempDir, partners: &[&Partner]) -> PathBuf {
    let mut text = "title = \"Test board\"\n[rules]\n".to_owned();
    for rule in ["amend", "admit", "suspend"] {
        text.push_str(&format!("{rule} = \"share(2/3 of members)\"\n"));
    }
    for partner in partners {
        let name = format!("{}.card", partner.slug);
        std::fs::write(place.path().join(&name), partner.card().to_text()).unwrap();
        text.push_str(&format!("[[members]]\ncard = {name:?}\nslug = {:?}\n", partner.slug));
    }
    let path = place.path().join("board.toml");
    std::fs::write(&path, text).unwrap();
    path
}

pub(crate) fn draft(partners: &[&Partner]) -> DraftPaper {
    let place = tempfile::tempdir().unwrap();
    draft::read(&draft_file(&place, partners), [7; 16]).unwrap()
}

pub(crate) fn found(partners: &[&Partner]) -> BoardPaper {
    let draft = draft(partners);
    let accepted: Vec<Acceptance> =
        partners.iter().flat_map(|partner| partner.accept(&draft).both()).collect();
    let founding = Founding::new(draft.charter(), &accepted).unwrap();
    BoardPaper::new(founding, draft.cards().to_vec()).unwrap()
}

pub(crate) fn address(port: u16) -> Multiaddr {
    format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
}
