//! The partnership: organisations with keys and cards, and the board they found.
//!
//! *Invariants.* Keys and ids come from the seed alone. One process plays all organisations here;
//! what crosses between them is the founding file, cards and frames.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use concordat_protocol::{
    artefact::{kind::Kind, kinds::ALL},
    charter::{
        AcceptRole, Acceptance, Charter, DatedName, Founding, KindTerms, Locality, Member,
        NamedRule, Quorum, Rule, Scope, Share, ShareOf, Status, Unfounded, Who,
    },
    codec::Fixed,
    feed::{Descriptor, OpenFeed},
    hash::{BoardId, NodeKey, OrgId},
    identity::{BadCard, Card, Inception, KeyPair, OrgClass, SignedCard, Signer, recovery_digest},
    time::TimeMs,
};

use super::rng::Rng;

/// The classes of members, one after the other.
const CLASSES: [&str; 3] = ["trust", "ccg", "council"];

fn class_of(number: usize) -> OrgClass {
    CLASSES[number % CLASSES.len()].into()
}

/// One organisation.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// Its id.
    pub org: OrgId,
    /// The key that signs its feed.
    pub feed_key: KeyPair,
    /// Its node's transport key.
    pub node_key: NodeKey,
    /// Its node's card.
    pub card: SignedCard,
    /// The key that takes a stolen one's place.
    pub recovery_key: KeyPair,
    /// By which right its key signs, where it is not the first.
    pub openings: BTreeMap<BoardId, OpenFeed>,
    /// The key that cosigns checkpoints.
    pub witness_key: KeyPair,
    inception: Inception,
    status: Status,
}

/// The organisations and their board.
#[derive(Debug, Clone)]
pub struct Partnership {
    /// The organisations, in the order of the plan.
    pub organisations: Vec<Organisation>,
    /// The board's founding file.
    pub founding: Founding,
}

/// What keeps a partnership from being founded: a mistake in the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPartnership {
    /// A card was refused.
    Card(BadCard),
    /// The founding file was refused.
    Founding(Unfounded),
    /// A slug was refused.
    Slug,
}

impl Organisation {
    fn draw(rng: &mut Rng, number: usize, status: Status) -> Result<Self, BadCard> {
        let mut key = || KeyPair::from_seed(&rng.bytes32());
        let (feed_key, witness_key, recovery_key, node) = (key(), key(), key(), key());
        let inception = Inception {
            class: class_of(number),
            legal_name: format!("Council {number}"),
            codes: Vec::new(),
            recovery_digest: recovery_digest(&recovery_key.public()),
            nonce: Fixed([u8::try_from(number).unwrap_or(u8::MAX); 16]),
        };
        let node_key = NodeKey::from_bytes(*node.public().as_bytes());
        let card = Card {
            org: inception.org_id(),
            epoch: 0,
            number: 0,
            feed_key: feed_key.public(),
            witness_key: witness_key.public(),
            node_key,
            addresses: vec![format!("/ip4/192.0.2.{number}/tcp/4001")],
            not_before: TimeMs(0),
        };
        let card = card.sign(&feed_key)?;
        Ok(Self {
            org: inception.org_id(),
            feed_key,
            node_key,
            card,
            recovery_key,
            openings: BTreeMap::new(),
            witness_key,
            inception,
            status,
        })
    }

    /// The same organisation with the key that an opening opens a feed for.
    ///
    /// # Errors
    /// [`BadCard`]: the protocol refuses the card.
    pub fn succeeded(&self, opening: OpenFeed, feed_key: KeyPair) -> Result<Self, BadCard> {
        let epoch = opening.descriptor.epoch;
        let card = Card { epoch, feed_key: feed_key.public(), ..self.card.card().clone() };
        let card = card.sign(&feed_key)?;
        let openings = BTreeMap::from([(opening.descriptor.board, opening)]);
        Ok(Self { feed_key, card, openings, ..self.clone() })
    }

    /// The same organisation with its next card: its node is at another address, perhaps with another key.
    ///
    /// # Errors
    /// [`BadCard`]: the protocol refuses the card.
    pub fn moved(&self, address: String, node: Option<&KeyPair>) -> Result<Self, BadCard> {
        let last = self.card.card().clone();
        let node_key = node.map(|node| NodeKey::from_bytes(*node.public().as_bytes()));
        let node_key = node_key.unwrap_or(self.node_key);
        let number = last.number + 1;
        let card = Card { number, node_key, addresses: vec![address], ..last };
        Ok(Self { node_key, card: card.sign(&self.feed_key)?, ..self.clone() })
    }

    fn to_member(&self, number: usize) -> Result<Member, NoPartnership> {
        Ok(Member {
            org: self.org,
            slug: format!("council-{number}").parse().map_err(|_| NoPartnership::Slug)?,
            names: vec![DatedName { from: TimeMs(0), name: self.inception.legal_name.clone() }],
            codes: Vec::new(),
            class: class_of(number),
            status: self.status,
            feed_key: self.feed_key.public(),
            witness_key: self.witness_key.public(),
            recovery_digest: self.inception.recovery_digest,
            cutoff: None,
        })
    }

    fn accept(&self, charter: &Charter) -> [Acceptance; 2] {
        let sign = |role, key| Acceptance::sign(charter.hash(), self.org, role, key);
        [sign(AcceptRole::Feed, &self.feed_key), sign(AcceptRole::Witness, &self.witness_key)]
    }
}

impl Partnership {
    /// Founds a board of organisations with these statuses.
    ///
    /// # Errors
    /// [`NoPartnership`]: the protocol refuses what the simulator made.
    pub fn draw(seed: u64, statuses: &[Status]) -> Result<Self, NoPartnership> {
        let mut rng = Rng::named(seed, "keys");
        let organisations = statuses
            .iter()
            .enumerate()
            .map(|(number, status)| Organisation::draw(&mut rng, number, *status))
            .collect::<Result<Vec<_>, _>>()
            .map_err(NoPartnership::Card)?;
        let members = organisations.iter().enumerate();
        let members = members
            .map(|(number, organisation)| organisation.to_member(number))
            .collect::<Result<Vec<_>, _>>()?;
        let charter = charter(rng.bytes32(), members);
        let acceptances: Vec<_> =
            organisations.iter().flat_map(|one| one.accept(&charter)).collect();
        let founding = Founding::new(&charter, &acceptances).map_err(NoPartnership::Founding)?;
        Ok(Self { organisations, founding })
    }

    /// The feed that the charter names as an organisation's.
    #[must_use]
    pub fn first_feed(&self, org: usize) -> Descriptor {
        let Organisation { org, feed_key, .. } = &self.organisations[org];
        Descriptor { board: self.founding.board(), org: *org, epoch: 0, key: feed_key.public() }
    }
}

fn charter(nonce: [u8; 32], members: Vec<Member>) -> Charter {
    let most = || {
        Rule::Share(Share {
            scope: Scope::Board,
            numerator: 2,
            denominator: 3,
            of: ShareOf::Members,
        })
    };
    let active = members.iter().filter(|member| member.status == Status::Active);
    let active: Vec<OrgId> = active.map(|member| member.org).collect();
    let mut short = [0; 16];
    short.copy_from_slice(&nonce[..16]);
    let charter = Charter {
        version: 0,
        prev: Charter::NO_PREV,
        nonce: Fixed(short),
        title: "Joint board".into(),
        replaces_board: None,
        rules_version: 1,
        members,
        classes: CLASSES.map(OrgClass::from).to_vec(),
        localities: localities(&active),
        sites: Vec::new(),
        leads: Vec::new(),
        kinds: kinds(),
        rules: rules(&active),
        amend: most(),
        admit: most(),
        suspend: most(),
        secretariat: active.iter().step_by(3).copied().collect(),
        closers: active.clone(),
        succession: Vec::new(),
        silence_days: 14,
        retention: Vec::new(),
    };
    charter.in_order()
}

/// Two localities; the first organisation writes for both.
fn localities(active: &[OrgId]) -> Vec<Locality> {
    let (bury, wigan) = active.split_at(active.len().div_ceil(2));
    let wigan: Vec<OrgId> = active.iter().take(1).chain(wigan).copied().collect();
    let locality = |name: &str, mut orgs: Vec<OrgId>| {
        orgs.sort_unstable();
        orgs.dedup();
        Locality { name: name.into(), orgs }
    };
    vec![locality("bury", bury.to_vec()), locality("wigan", wigan)]
}

/// Every kind; one class may not edit standards, and one may not begin mutual aid.
fn kinds() -> Vec<KindTerms> {
    let classes = |names: [&str; 2]| Who::Named {
        classes: names.map(OrgClass::from).to_vec(),
        orgs: Vec::new(),
    };
    let terms = |kind: &&'static Kind| {
        let (creates, edits) = match kind.name {
            "standard" => (Who::Everyone, classes(["council", "trust"])),
            "mutual_aid" => (classes(["ccg", "trust"]), Who::Everyone),
            _ => (Who::Everyone, Who::Everyone),
        };
        KindTerms { kind: kind.name.into(), schema_version: kind.version, creates, edits }
    };
    ALL.iter().map(terms).collect()
}

/// A rule that one answer fulfils, one that takes half of the board, and one with a quorum.
fn rules(active: &[OrgId]) -> Vec<NamedRule> {
    let half = |of| Rule::Share(Share { scope: Scope::Board, numerator: 1, denominator: 2, of });
    let lead = active.first().copied().map(Rule::Org);
    let quorum = Rule::Quorum(Quorum { least: 1, classes: Vec::new() });
    let named = |name: &str, rule| NamedRule { name: name.into(), rule };
    let mut rules = vec![
        named("cast", Rule::All(vec![half(ShareOf::Cast), quorum])),
        named("half", half(ShareOf::Members)),
    ];
    rules.extend(lead.map(|lead| named("lead", lead)));
    rules
}
