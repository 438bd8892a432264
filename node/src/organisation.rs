//! Whom this node acts for: its organisation's inception record and newest card, beside its keys.
//!
//! A card says where the node is reached. When the config announces other addresses than the card,
//! the next start signs the next card, and partners learn it at the next meeting.
//!
//! The card also says which keys are in use: a card of the next epoch that takes the place of the old
//! one switches feed key, node key and openings at once.
//!
//! *Invariants.* Record, card, keys and openings belong together, or nothing starts. Cards only grow,
//! and a card is durable here before anybody can be shown it.
//!
//! *Source*: ours; formats, section 1.

use concordat_protocol::{
    codec::Fixed,
    engine::Identity,
    hash::{NodeKey, OrgId},
    identity::{
        BadCard, Card, Code, Inception, KeyPair, PublicKey, SignedCard, Signer, recovery_digest,
    },
    time::TimeMs,
};
use libp2p::Multiaddr;

use crate::{
    clock::{self, EntropyError},
    home::{FileError, Home, Readers, create_file, remove_file, replace_file},
    keys::{self, KeyDirectory, KeyError, Keys, Seed},
    openings::{self, Openings, OpeningsError},
    paper::{self, CardPaper, PaperError},
};

/// This organisation, with the keys of this node.
#[derive(Debug)]
pub struct Organisation {
    paper: CardPaper,
    keys: Keys,
    openings: Openings,
}

/// What the founder of a node says of its organisation.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What kind of organisation this is.
    pub class: String,
    /// Its legal name.
    pub legal_name: String,
    /// Codes that others gave it, in whatever order.
    pub codes: Vec<Code>,
}

impl Facts {
    /// Checks that they fit an inception record, before anything is made.
    ///
    /// # Errors
    /// - [`OrganisationError::Facts`]: a name or code is too long, or stands there twice.
    pub fn check(&self) -> Result<(), OrganisationError> {
        inception(&[0; 32], self.clone()).map(|_fits| ())
    }
}

/// Why a node does not know whom it acts for.
#[derive(Debug, thiserror::Error)]
pub enum OrganisationError {
    /// The file is not what was written.
    #[error("{path}: {source}")]
    Paper {
        /// Which file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        source: PaperError,
    },
    /// The card belongs to other keys.
    #[error(
        "{path} names another {key} key than the one in the keys directory beside it; \
         put back the file and the keys that belong together"
    )]
    OtherKey {
        /// Which file.
        path: std::path::PathBuf,
        /// feed, witness, node or recovery.
        key: &'static str,
    },
    /// Another command made a newer card meanwhile.
    #[error("{path} was replaced while this command began; run it again")]
    Replaced {
        /// Which file.
        path: std::path::PathBuf,
    },
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The openings cannot be used.
    #[error(transparent)]
    Openings(#[from] OpeningsError),
    /// The facts make no record, or the addresses no card.
    #[error("{0}")]
    Facts(#[from] PaperError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Organisation {
    /// Makes the inception record and card number 0, and keeps both at home.
    ///
    /// # Errors
    /// - [`OrganisationError::Facts`]: a name or code is too long, or stands there twice.
    /// - [`OrganisationError::File`]: the file is there already, or the disk said no.
    pub fn create(
        home: &Home,
        keys: Keys,
        facts: Facts,
        addresses: &[Multiaddr],
    ) -> Result<Self, OrganisationError> {
        let inception = inception(&keys.recovery_public, facts)?;
        let card = Card {
            org: inception.org_id(),
            epoch: 0,
            number: 0,
            feed_key: public(&keys.feed),
            witness_key: public(&keys.witness),
            node_key: NodeKey::from_bytes(keys.node.to_public()),
            addresses: texts(addresses),
            not_before: TimeMs(clock::now_ms()),
        };
        let paper = CardPaper::new(inception, sign(&card, &keys)?)?;
        create_file(&home.own_card(), paper.to_text().as_bytes(), Readers::Owner)?;
        Ok(Self { paper, keys, openings: Openings::new() })
    }

    /// Reads what `create` wrote, and `take_over` since.
    ///
    /// # Errors
    /// - [`OrganisationError`]: exactly what is wrong.
    pub fn load(home: &Home) -> Result<Self, OrganisationError> {
        let path = home.own_card();
        let paper = own_paper(home)?;
        let card = paper.card().card();
        let keys = keys::load(home.directory(), card.epoch)?;
        let openings = match card.epoch {
            0 => Openings::new(),
            epoch => openings::load(&home.openings(epoch), &card.feed_key)?,
        };
        let recovery = recovery_digest(&PublicKey::ed25519(keys.recovery_public));
        for (key, fits) in [
            ("feed", card.feed_key == public(&keys.feed)),
            ("witness", card.witness_key == public(&keys.witness)),
            ("node", *card.node_key.as_bytes() == keys.node.to_public()),
            ("recovery", paper.inception().recovery_digest == recovery),
        ] {
            if !fits {
                return Err(OrganisationError::OtherKey { path, key });
            }
        }
        Ok(Self { paper, keys, openings })
    }

    /// The organisation as it will be under new keys, in the epoch after `paper`'s. Nothing is written.
    ///
    /// # Errors
    /// - [`OrganisationError::Facts`]: the addresses do not fit a card.
    pub fn successor(
        paper: &CardPaper,
        keys: Keys,
        addresses: &[Multiaddr],
    ) -> Result<Self, OrganisationError> {
        let before = paper.card().card();
        let card = Card {
            epoch: before.epoch.saturating_add(1),
            number: 0,
            feed_key: public(&keys.feed),
            witness_key: public(&keys.witness),
            node_key: NodeKey::from_bytes(keys.node.to_public()),
            addresses: texts(addresses),
            not_before: TimeMs(clock::now_ms()),
            ..before.clone()
        };
        let paper = CardPaper::new(paper.inception().clone(), sign(&card, &keys)?)?;
        Ok(Self { paper, keys, openings: Openings::new() })
    }

    /// Makes this organisation, with these openings, the one that `load` finds. Its keys must be in
    /// the directory of keys; the old card stands until the last step, and the new one from then on.
    ///
    /// # Errors
    /// - [`OrganisationError::File`]: the disk said no, and the old card stands.
    pub fn take_over(mut self, home: &Home, openings: Openings) -> Result<Self, OrganisationError> {
        let epoch = self.paper.card().card().epoch;
        openings::save(&home.openings(epoch), &openings)?;
        self.openings = openings;
        replace_file(&home.own_card(), self.paper.to_text().as_bytes())?;
        Ok(self)
    }

    /// Removes the keys and openings of earlier epochs. Only for whoever knows that the feed of this
    /// epoch has begun on every board: then nothing is ever signed by those keys again, and a key that
    /// is not there cannot be stolen.
    ///
    /// # Errors
    /// - [`OrganisationError::Keys`], [`OrganisationError::File`]: a file could not be removed.
    pub fn forget_older(&self, home: &Home) -> Result<(), OrganisationError> {
        let epoch = self.paper.card().card().epoch;
        KeyDirectory::open(home.directory())?.remove_older(epoch)?;
        for older in 1..epoch {
            remove_file(&home.openings(older))?;
        }
        Ok(())
    }

    /// Refuses when another command has made a newer card since this one was read.
    ///
    /// # Errors
    /// - [`OrganisationError::Replaced`], or the card cannot be read.
    pub fn expect_newest(&self, home: &Home) -> Result<(), OrganisationError> {
        if own_paper(home)? == self.paper {
            return Ok(());
        }
        Err(OrganisationError::Replaced { path: home.own_card() })
    }

    /// Signs and keeps the next card, unless the newest names these addresses already.
    ///
    /// # Errors
    /// - [`OrganisationError::Facts`]: the addresses do not fit a card.
    /// - [`OrganisationError::Replaced`]: another command made a card meanwhile.
    /// - [`OrganisationError::File`]: the disk said no; the card is not used.
    pub fn announce(
        &mut self,
        home: &Home,
        addresses: &[Multiaddr],
    ) -> Result<bool, OrganisationError> {
        self.expect_newest(home)?;
        if self.announces(addresses) {
            return Ok(false);
        }
        let newest = self.paper.card().card();
        let next = Card {
            number: newest.number.saturating_add(1),
            addresses: texts(addresses),
            not_before: TimeMs(clock::now_ms()),
            ..newest.clone()
        };
        let paper = CardPaper::new(self.paper.inception().clone(), sign(&next, &self.keys)?)?;
        replace_file(&home.own_card(), paper.to_text().as_bytes())?;
        self.paper = paper;
        Ok(true)
    }

    /// Whether the newest card names these addresses.
    #[must_use]
    pub fn announces(&self, addresses: &[Multiaddr]) -> bool {
        self.paper.card().card().addresses == texts(addresses)
    }

    /// The organisation's id.
    #[must_use]
    pub const fn id(&self) -> OrgId {
        self.paper.card().card().org
    }

    /// Inception record and newest card.
    #[must_use]
    pub const fn paper(&self) -> &CardPaper {
        &self.paper
    }

    /// The keys of this node.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Who the protocol's engine signs for.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            org: self.id(),
            signer: Box::new(self.feed_signer()),
            witness: Box::new(self.witness_signer()),
            card: self.paper.card().clone(),
            openings: self.openings.clone(),
        }
    }

    /// Signs with the feed key.
    #[must_use]
    pub fn feed_signer(&self) -> KeyPair {
        KeyPair::from_seed(self.keys.feed.as_bytes())
    }

    /// Signs with the witness key.
    #[must_use]
    pub fn witness_signer(&self) -> KeyPair {
        KeyPair::from_seed(self.keys.witness.as_bytes())
    }
}

/// This organisation's inception record and newest card, whether or not its keys are there.
///
/// # Errors
/// - [`OrganisationError::Paper`]: the file cannot be read, or is not what was written.
pub fn own_paper(home: &Home) -> Result<CardPaper, OrganisationError> {
    let path = home.own_card();
    let paper = paper::read_text(&path).and_then(|text| CardPaper::from_text(&text));
    paper.map_err(|source| OrganisationError::Paper { path, source })
}

fn inception(recovery: &[u8; 32], facts: Facts) -> Result<Inception, OrganisationError> {
    let nonce = clock::nonce()?;
    let Facts { class, legal_name, mut codes } = facts;
    codes.sort();
    let recovery_digest = recovery_digest(&PublicKey::ed25519(*recovery));
    let inception = Inception { class, legal_name, codes, recovery_digest, nonce: Fixed(nonce) };
    // Only what decodes again can be shown to anybody.
    Ok(Inception::from_bytes(&inception.to_bytes()).map_err(PaperError::from)?)
}

fn sign(card: &Card, keys: &Keys) -> Result<SignedCard, OrganisationError> {
    let signed = card.sign(&KeyPair::from_seed(keys.feed.as_bytes()));
    signed.map_err(|error: BadCard| PaperError::from(error).into())
}

fn public(seed: &Seed) -> PublicKey {
    KeyPair::from_seed(seed.as_bytes()).public()
}

fn texts(addresses: &[Multiaddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}
