//! `status`: how the node is, whom it meets, and how far its boards have come.
//!
//! *Invariants.* Says of each number whose word it is: sizes and settlement are this node's own
//! knowledge; traffic counts since the daemon's start.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use concordat_protocol::{
    charter::Charter,
    engine::{BoardView, ClockCheck, FeedStanding, FeedView},
    hash::FeedId,
    identity::SignedCard,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::slug_of;
use crate::{clock, contacts, net, replica::Snapshot, store::StoreError};

/// What only a running daemon knows.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// Addresses that the node can be dialled at, from inside its own network.
    pub listening: Vec<String>,
    /// Where the API is served.
    pub http: Option<String>,
    /// What waits for the disk.
    pub writer: WriterLine,
    /// Why nothing new is taken in, when the disk is nearly full.
    pub disk: Option<String>,
    /// Attempts with keys that are on no card, since the start.
    pub strangers: u64,
    /// Every peer that was ever allowed.
    pub peers: BTreeMap<net::NodeKey, PeerTraffic>,
}

/// One peer's session and traffic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerTraffic {
    /// Whether there is a session.
    pub is_connected: bool,
    /// For how many seconds there has been none; none if there never was.
    pub contact_age_s: Option<u64>,
    /// Counts since the daemon's start.
    pub counts: net::PeerCounts,
    /// The connections that are up.
    pub paths: Vec<net::Path>,
}

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Of the program.
    pub version: String,
    /// The organisation's id.
    pub org: String,
    /// Its legal name at inception.
    pub name: String,
    /// The libp2p name of this node.
    pub node: String,
    /// The newest card.
    pub card: CardLine,
    /// The daemon's network; none when no daemon runs.
    pub listening: Option<Listening>,
    /// What waits for the disk; none when no daemon runs.
    pub writer: Option<WriterLine>,
    /// This node's clock beside those of the peers that it met since the daemon's start.
    pub clock: ClockLine,
    /// Why the store may be an older copy, while partners are asked.
    pub restored: Option<String>,
    /// Attempts to connect with keys that are on no card, since the daemon's start; none when no daemon
    /// runs.
    pub strangers: Option<u64>,
    /// Keys in the store.
    pub store_entries: u64,
    /// Bytes of the store on disk.
    pub store_bytes: u64,
    /// Why the daemon takes in nothing new, when its disk is nearly full.
    pub disk: Option<String>,
    /// By id.
    pub boards: Vec<BoardLine>,
    /// By organisation.
    pub peers: Vec<PeerLine>,
}

/// The newest card of this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CardLine {
    /// Its epoch.
    pub epoch: u64,
    /// Its number in the epoch.
    pub number: u64,
    /// Where it says that the node is reached.
    pub addresses: Vec<String>,
}

/// This node's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockLine {
    /// How many peers told theirs.
    pub peers: usize,
    /// By how many milliseconds it is ahead of the median of theirs; below 0 it is behind.
    pub ahead_ms: Option<i64>,
    /// In words, when it is more than 15 minutes off.
    pub warning: Option<String>,
}

/// Where a running daemon listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listening {
    /// Multiaddresses with the real port.
    pub addresses: Vec<String>,
    /// The address of the API with the real port, if it is served.
    pub http: Option<String>,
}

/// What a running daemon has handed to its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct WriterLine {
    /// Bytes that are not durable yet.
    pub waiting_bytes: usize,
    /// For how long the writer has had some and made none of them durable, in milliseconds.
    pub waiting_ms: u64,
}

/// One board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoardLine {
    /// Its id.
    pub board: String,
    /// Its title.
    pub title: String,
    /// The version of its charter.
    pub charter_version: u64,
    /// The digest over all that is durably held: equal digests, equal holdings.
    pub digest: String,
    /// Drafts that wait to be signed.
    pub drafts: usize,
    /// Whether the node waits for partners before it signs.
    pub is_restoring: bool,
    /// This organisation's own feed.
    pub own_feed: String,
    /// Every feed, by short name.
    pub feeds: Vec<FeedLine>,
}

/// One feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedLine {
    /// The member's short name.
    pub slug: String,
    /// The organisation.
    pub org: String,
    /// The feed.
    pub feed: String,
    /// Its epoch.
    pub epoch: u64,
    /// Entries held.
    pub size: u64,
    /// The id of the last, if there is one.
    pub last: Option<String>,
    /// Entries that are durable here.
    pub durable: u64,
    /// Entries, from the first, that are settled.
    pub settled: u64,
    /// Entries, from the first, that have effect.
    pub effective: u64,
    /// Payloads that are due and not here.
    pub missing: usize,
    /// sound, held, won or halted.
    pub standing: String,
    /// Since which entry, unless it is sound.
    pub forked_at: Option<u64>,
    /// What that means and who does what about it, the same sentence on every node; none if it is sound.
    pub instruction: Option<String>,
    /// The first entry, since the daemon's start, that claims an earlier time than the one before.
    pub time_back_at: Option<u64>,
    /// The first entry, since the daemon's start, whose claimed time had not come when it came.
    pub time_ahead_at: Option<u64>,
    /// Acknowledgements, by organisation, of entries that are not the ones held here.
    pub unexplained: BTreeMap<String, usize>,
}

/// One partner's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerLine {
    /// Its short name on one of the boards, or its id.
    pub slug: String,
    /// The organisation.
    pub org: String,
    /// The libp2p name of its node.
    pub node: String,
    /// Where its card says that it is reached.
    pub addresses: Vec<String>,
    /// Whether there is a session.
    pub is_connected: bool,
    /// For how many seconds there has been none, restarts of the daemon included: 0 while there is one,
    /// none if there never was.
    pub contact_age_s: Option<u64>,
    /// The connections that are up; more than one for a moment after both have dialled.
    pub paths: Vec<PathLine>,
    /// Bytes sent since the daemon's start, on both lanes.
    pub sent_bytes: u64,
    /// Bytes received since the daemon's start, on both lanes.
    pub received_bytes: u64,
    /// Bytes that wait to be sent.
    pub queued_bytes: u64,
}

/// One connection to a partner's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathLine {
    /// tcp or quic.
    pub transport: String,
    /// Where this node dialled it, or where it came from.
    pub address: String,
    /// Whether this node dialled.
    pub is_dialled: bool,
}

/// How the node is, at the moment of the snapshot.
///
/// # Errors
/// - [`StoreError`]: the store could not be read.
pub fn status(snapshot: &Snapshot, running: Option<&Running>) -> Result<Status, StoreError> {
    let paper = snapshot.organisation.paper();
    let card = paper.card().card();
    let size = snapshot.reader.size()?;
    let others: Vec<SignedCard> =
        snapshot.cards()?.into_iter().filter(|other| other.card().org != card.org).collect();
    let traffic = running.map(|running| &running.peers);
    let contacts: BTreeMap<net::NodeKey, u64> =
        contacts::stored(&snapshot.reader)?.into_iter().collect();
    let listening = |running: &Running| Listening {
        addresses: running.listening.clone(),
        http: running.http.clone(),
    };
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        org: card.org.to_string(),
        name: paper.inception().legal_name.clone(),
        node: peer_id(card.node_key.as_bytes()),
        card: CardLine {
            epoch: card.epoch,
            number: card.number,
            addresses: card.addresses.clone(),
        },
        listening: running.map(listening),
        writer: running.map(|running| running.writer),
        clock: clock_line(&snapshot.clock),
        restored: snapshot.suspicion.clone(),
        strangers: running.map(|running| running.strangers),
        store_entries: size.entries,
        store_bytes: size.disk_bytes,
        disk: running.and_then(|running| running.disk.clone()),
        boards: snapshot.views.iter().map(|view| board_line(snapshot, view)).collect(),
        peers: others.iter().map(|card| peer_line(snapshot, card, traffic, &contacts)).collect(),
    })
}

fn clock_line(check: &ClockCheck) -> ClockLine {
    let ClockCheck { peers, ahead_ms } = *check;
    ClockLine { peers, ahead_ms, warning: check.is_off().then(|| check.to_string()) }
}

fn board_line(snapshot: &Snapshot, view: &BoardView) -> BoardLine {
    let charter = snapshot.foundings.get(&view.board).map(|founding| founding.charter());
    let mut feeds: Vec<FeedLine> =
        view.feeds.iter().map(|(id, feed)| feed_line(charter, id, feed)).collect();
    feeds.sort_by(|a, b| (&a.slug, a.epoch).cmp(&(&b.slug, b.epoch)));
    BoardLine {
        board: view.board.to_string(),
        title: charter.map(|charter| charter.title.clone()).unwrap_or_default(),
        charter_version: charter.map_or(0, |charter| charter.version),
        digest: data_encoding::HEXLOWER.encode(&view.digest.0),
        drafts: view.drafts,
        is_restoring: view.is_restoring,
        own_feed: view.own.to_string(),
        feeds,
    }
}

fn feed_line(charter: Option<&Charter>, id: &FeedId, feed: &FeedView) -> FeedLine {
    let (standing, forked_at) = match feed.standing {
        FeedStanding::Sound => ("sound", None),
        FeedStanding::Superseded => ("superseded", None),
        FeedStanding::Held { index } => ("held", Some(index)),
        FeedStanding::Won { index, .. } => ("won", Some(index)),
        FeedStanding::Halted { index } => ("halted", Some(index)),
    };
    let unexplained = feed.unexplained.iter();
    let slug = slug_of(charter, &feed.descriptor.org);
    FeedLine {
        instruction: forked_at.map(|index| instruction(&slug, index)),
        slug,
        org: feed.descriptor.org.to_string(),
        feed: id.to_string(),
        epoch: feed.descriptor.epoch,
        size: feed.size,
        last: (feed.size > 0).then(|| feed.id.to_string()),
        durable: feed.durable_size,
        settled: feed.settled,
        effective: feed.effective,
        missing: feed.missing,
        standing: standing.to_owned(),
        forked_at,
        time_back_at: feed.odd_times.back,
        time_ahead_at: feed.odd_times.ahead,
        unexplained: unexplained.map(|(org, count)| (slug_of(charter, org), *count)).collect(),
    }
}

/// What people are told of a forked feed, whoever they are.
fn instruction(slug: &str, index: u64) -> String {
    format!(
        "{slug} signed two histories from entry {index} on: two nodes signed with one key, or an old copy was \
         restored; {slug} stops its node and opens a new epoch with `concordat keys rotate`, or with `concordat \
         keys recover` if somebody else has the key; what was settled before stays"
    )
}

fn peer_line(
    snapshot: &Snapshot,
    signed: &SignedCard,
    traffic: Option<&BTreeMap<net::NodeKey, PeerTraffic>>,
    contacts: &BTreeMap<net::NodeKey, u64>,
) -> PeerLine {
    let card = signed.card();
    let on_a_board = snapshot.foundings.values().map(|founding| founding.charter());
    let charter = on_a_board.into_iter().find(|charter| charter.member(&card.org).is_some());
    let key = net::NodeKey::from_bytes(*card.node_key.as_bytes()).ok();
    let stored = key.and_then(|key| contacts.get(&key).copied());
    let stored_age_s = stored.map(|last_ms| contacts::age_s(last_ms, clock::now_ms()));
    let traffic = key.and_then(|key| traffic?.get(&key).cloned()).unwrap_or_default();
    let (control, bulk) = (traffic.counts.control, traffic.counts.bulk);
    PeerLine {
        slug: slug_of(charter, &card.org),
        org: card.org.to_string(),
        node: peer_id(card.node_key.as_bytes()),
        addresses: card.addresses.clone(),
        is_connected: traffic.is_connected,
        contact_age_s: traffic.contact_age_s.or(stored_age_s),
        paths: traffic.paths.iter().map(path_line).collect(),
        sent_bytes: control.sent_bytes + bulk.sent_bytes,
        received_bytes: control.received_bytes + bulk.received_bytes,
        queued_bytes: control.queued_bytes + bulk.queued_bytes,
    }
}

fn path_line(path: &net::Path) -> PathLine {
    PathLine {
        transport: path.transport.to_string(),
        address: path.address.to_string(),
        is_dialled: path.is_dialled,
    }
}

/// The libp2p name of a node key; a card in hand names a key that has one.
fn peer_id(bytes: &[u8; 32]) -> String {
    net::NodeKey::from_bytes(*bytes).map(|key| key.to_string()).unwrap_or_default()
}
