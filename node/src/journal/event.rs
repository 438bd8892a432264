//! The catalogue: everything that the journal can tell, as data.
//!
//! *Invariants.* Closed: an entry of this version tells of one of these. A code keeps its meaning for
//! ever. Values are ids, numbers, codes and names of kinds: no content of notes, documents or records, no
//! secret, nothing that a peer or a person typed.
//!
//! *Source*: ours.

use concordat_protocol::{
    feed::Kind,
    hash::{ArtefactId, BoardId, FeedId, NodeKey, OrgId},
};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::{control::Word, net};

/// One event of the catalogue, as it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Described {
    /// The stable code.
    pub code: &'static str,
    /// What it means.
    pub means: &'static str,
    /// Names of its fields; see [`FIELDS`].
    pub fields: &'static [&'static str],
}

macro_rules! catalogue {
    ($($name:ident $code:literal $means:literal { $($field:ident: $kind:ty),* })*) => {
        /// What happened.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Event {
            $(#[doc = $means] $name { $(#[doc = "See `FIELDS`."] $field: $kind),* },)*
        }

        /// Every event there is, in the order of the handbook.
        pub const CATALOGUE: &[Described] = &[
            $(Described { code: $code, means: $means, fields: &[$(stringify!($field)),*] },)*
        ];

        impl Event {
            /// The stable code.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }

            /// Its fields with their values; those without a value are left out.
            #[must_use]
            pub fn fields(&self) -> Vec<(&'static str, String)> {
                let values: Vec<(&'static str, Option<String>)> = match self {
                    $(Self::$name { $($field),* } => Vec::from([
                        $((stringify!($field), $field.text())),*
                    ]),)*
                };
                values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
            }
        }
    };
}

catalogue! {
    DaemonStarted "daemon-started" "The daemon started." { version: String, config_sha256: String }
    DaemonStopped "daemon-stopped" "The daemon was told to stop, and did." { why: String }
    StoreOpened "store-opened" "The daemon opened its store." { engine: String, rows: u64, commits: u64 }
    StoreScrubbed "store-scrubbed" "Every row of the store was compared with what was written." {}
    StoreChecked "store-checked" "An administrator had the store checked, and it was sound." { engine: String, rows: u64, commits: u64 }
    StoreMigrated "store-migrated" "An administrator moved the store to another engine." { engine: String, rows: u64, sha256: String }
    StoreSetAside "store-set-aside" "An administrator set a damaged store aside; what could be read was carried over." { rows: u64 }
    DiskLow "disk-low" "Less was free on the disk than the reserve, so nothing new was taken in." { free_bytes: u64, reserve_bytes: u64 }
    DiskFreed "disk-freed" "There was space on the disk again." { free_bytes: u64 }
    RestoringBegun "restoring-begun" "The store may be an older copy: nothing is signed before partners told how far this organisation's feeds had come." { why: String }
    RestoringEnded "restoring-ended" "Partners told how far this organisation's feeds had come, and what they gave is durable." {}
    BackupMade "backup-made" "A backup of the node was written and read back." { backup_sha256: String, bytes: u64, rows: u64, commits: u64 }
    BackupRestored "backup-restored" "The node was made from a backup." { backup_sha256: String, commits: u64 }
    JournalCut "journal-cut" "The journal did not hold the last entry that it had held: it was shortened, changed, or is an older copy." { entry: u64, digest: String, held: u64 }
    JournalPruned "journal-pruned" "Entries older than `journal_days` were removed; the chain goes on from the last of them." { entry: u64, digest: String, entries: u64 }
    LinesLeftOut "lines-left-out" "The same happened more often than the journal takes in one minute." { of: String, times: u64 }
    Connected "connected" "A session with a partner's node began." { peer: NodeKey }
    Disconnected "disconnected" "A session with a partner's node ended." { peer: NodeKey, why: String }
    StrangerRefused "stranger-refused" "A node that is not on the allow list was turned away." { peer: Option<NodeKey>, address: String, times: u64 }
    PeerDropped "peer-dropped" "A partner's node was disconnected for what it sent; the code says why." { peer: NodeKey }
    ToldToGo "told-to-go" "A partner's node ended the session and said why." { peer: NodeKey, why: String }
    RunAccepted "run-accepted" "Entries that a partner's node passed on were verified, and are kept." { peer: NodeKey, board: Option<BoardId>, feed: FeedId, from: u64, to: u64 }
    RunNotTaken "run-not-taken" "Entries came of which none was kept: they were held already, or do not fit yet." { peer: NodeKey, board: Option<BoardId>, feed: FeedId, from: u64, to: u64 }
    RunRefused "run-refused" "Entries came that did not pass verification; the code says why." { peer: NodeKey, board: Option<BoardId>, feed: FeedId, from: u64, to: u64 }
    RunSent "run-sent" "Entries were handed to a partner's session." { peer: NodeKey, board: Option<BoardId>, feed: FeedId, from: u64, to: u64 }
    PayloadFetched "payload-fetched" "Content that comes apart from its entries was fetched, and is kept." { peer: Option<NodeKey>, board: Option<BoardId>, feed: FeedId, from: u64, to: u64 }
    PayloadSent "payload-sent" "Content that goes apart from its entries was handed to a partner's session." { peer: NodeKey, board: Option<BoardId>, feed: FeedId, from: u64, to: u64 }
    OpeningRefused "opening-refused" "The opening of a feed was refused." { org: OrgId, feed: FeedId, why: String }
    ForkProven "fork-proven" "An organisation was proven to have signed two histories of one feed; the proof is kept." { org: OrgId, feed: FeedId, from: u64 }
    ClockOff "clock-off" "This node's clock is away from those of its partners." { why: String }
    ClockRight "clock-right" "This node's clock agrees with those of its partners again." { why: String }
    TimeBack "time-back" "The times that a feed claims went back." { org: OrgId, feed: FeedId, from: u64 }
    TimeAhead "time-ahead" "A feed claims a time that has not come yet." { org: OrgId, feed: FeedId, from: u64 }
    EntriesSigned "entries-signed" "This organisation signed entries of its own." { board: BoardId, feed: FeedId, from: u64, to: u64, kind: Kind, artefact: Option<ArtefactId>, channel: Channel }
    EntryRefused "entry-refused" "An entry that was asked for was not signed; the code says why." { board: Option<BoardId>, channel: Channel }
    ActRefused "act-refused" "Something that was asked for was refused before anything was to be signed; the code says why." { act: String, channel: Channel }
    BoardJoined "board-joined" "This node takes part in a board." { board: BoardId }
    CardKept "card-kept" "A card of an organisation was added, or a newer one came from a partner." { org: OrgId, peer: Option<NodeKey> }
    CardIgnored "card-ignored" "A card in a feed was given no effect." { org: OrgId, feed: FeedId, from: u64, why: String }
    Promoted "promoted" "Fields of a private record were copied into an artefact, or were not to be; only they left." { collection: String, record: String, fields: String, values_sha256: String, artefact: String, channel: Channel }
    Exported "exported" "A board was written to a file for an auditor." { board: BoardId, entries: u64, bytes: u64 }
    KeysRotated "keys-rotated" "A new feed key took over by the old key's word." { epoch: u64, boards: u64 }
    KeysRecovered "keys-recovered" "A new feed key took over by the recovery key's word." { epoch: u64, boards: u64 }
    KeysLocked "keys-locked" "The keys were locked with a passphrase." {}
    KeysUnlocked "keys-unlocked" "The keys were unlocked: they can be read by whoever reads their files." {}
    PassphraseChanged "passphrase-changed" "The passphrase of the keys was changed." {}
    TokenMade "token-made" "A token for the API was made." { token: String, role: String }
    TokenRevoked "token-revoked" "A token for the API was revoked." { token: String }
    ApiRefused "api-refused" "A request to the API brought no token, an unknown one, or one whose role does not cover it." { path: String, token: Option<String>, times: u64 }
}

/// What the fields mean, ascending; each name has one meaning.
pub const FIELDS: &[(&str, &str)] = &[
    ("act", "what was asked for"),
    ("address", "from where, as the network told"),
    ("artefact", "the artefact"),
    ("backup_sha256", "SHA-256 of the backup file, hexadecimal"),
    ("board", "the board"),
    ("boards", "how many boards"),
    ("bytes", "length in bytes"),
    (
        "channel",
        "on whose word: `command-line`, `token` with its id, or `node` for what the node does by itself",
    ),
    ("collection", "the collection of private records"),
    ("commits", "number of the store's last commit"),
    ("config_sha256", "SHA-256 of the config file, hexadecimal"),
    ("digest", "hash of that entry of the journal, hexadecimal"),
    ("engine", "storage engine; of a migration, the new one"),
    ("entries", "how many entries"),
    ("entry", "number of that entry of the journal"),
    ("epoch", "epoch of the feed key, from 0"),
    ("feed", "the feed"),
    ("fields", "names of the fields that were promoted; no value stands in the journal"),
    ("free_bytes", "free on the disk"),
    ("from", "first entry, counted from 0 in the feed"),
    ("held", "number of the last entry that was found"),
    ("kind", "kind of the entries"),
    ("of", "code of the event that was left out"),
    ("org", "the organisation"),
    ("path", "path of the API, as it stands in its description"),
    ("peer", "the partner's node, by its libp2p name"),
    ("record", "the private record, by its id"),
    ("reserve_bytes", "`disk_reserve_mb` of the config, in bytes"),
    ("role", "role of the token"),
    ("rows", "rows of the store"),
    ("sha256", "SHA-256 over all rows, hexadecimal"),
    ("times", "how often"),
    ("to", "last entry, counted from 0 in the feed"),
    ("token", "id of the token; never its secret"),
    (
        "values_sha256",
        "salted SHA-256 of the promoted values, hexadecimal, as `record promotions` shows it",
    ),
    ("version", "version of this program"),
    ("why", "a sentence of this node's own, or a partner's code"),
];

/// On whose word something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Of whoever may run commands in the node's home.
    CommandLine,
    /// Of the holder of an API token.
    Token([u8; 16]),
    /// Of nobody: the node does it by itself.
    Node,
}

impl From<Word> for Channel {
    fn from(word: Word) -> Self {
        match word {
            Word::CommandLine => Self::CommandLine,
            Word::Token { id, .. } => Self::Token(id),
        }
    }
}

/// How a field's value is written; `None` when there is none.
trait Value {
    fn text(&self) -> Option<String>;
}

macro_rules! displayed {
    ($($kind:ty),*) => {
        $(impl Value for $kind {
            fn text(&self) -> Option<String> {
                Some(self.to_string())
            }
        })*
    };
}

displayed!(u64, String, BoardId, FeedId, ArtefactId, OrgId);

impl<V: Value> Value for Option<V> {
    fn text(&self) -> Option<String> {
        self.as_ref().and_then(Value::text)
    }
}

impl Value for NodeKey {
    fn text(&self) -> Option<String> {
        Some(peer_name(self))
    }
}

impl Value for Kind {
    fn text(&self) -> Option<String> {
        Some(self.name().map_or_else(|| self.0.to_string(), str::to_owned))
    }
}

impl Value for Channel {
    fn text(&self) -> Option<String> {
        Some(match self {
            Self::CommandLine => "command-line".to_owned(),
            Self::Token(id) => format!("token {}", HEXLOWER.encode(id)),
            Self::Node => "node".to_owned(),
        })
    }
}

/// The libp2p name, as `status` shows it; a key that has none is written as an id.
fn peer_name(peer: &NodeKey) -> String {
    let named = net::NodeKey::from_bytes(*peer.as_bytes());
    named.map_or_else(|_| peer.to_string(), |key| key.to_string())
}

impl Event {
    /// Takes in what goes on from this one, so that both are told as one.
    pub(super) fn absorb(&mut self, later: &Self) -> bool {
        use Event::{
            ApiRefused, EntriesSigned, PayloadSent, RunNotTaken, RunSent, StrangerRefused,
        };
        match (self, later) {
            (
                RunSent { peer, feed, to, .. },
                RunSent { peer: other, feed: same, from, to: end, .. },
            )
            | (
                RunNotTaken { peer, feed, to, .. },
                RunNotTaken { peer: other, feed: same, from, to: end, .. },
            )
            | (
                PayloadSent { peer, feed, to, .. },
                PayloadSent { peer: other, feed: same, from, to: end, .. },
            ) if (&*peer, &*feed) == (other, same) && to.checked_add(1) == Some(*from) => {
                *to = *end;
                true
            }
            (
                EntriesSigned { feed, to, kind, artefact, channel, .. },
                EntriesSigned {
                    feed: same, from, to: end, kind: k, artefact: a, channel: c, ..
                },
            ) if (&*feed, &*kind, &*artefact, &*channel) == (same, k, a, c)
                && to.checked_add(1) == Some(*from) =>
            {
                *to = *end;
                true
            }
            (
                StrangerRefused { peer, times, .. },
                StrangerRefused { peer: other, times: more, .. },
            ) if peer == other => {
                *times = times.saturating_add(*more);
                true
            }
            (
                ApiRefused { path, token, times },
                ApiRefused { path: same, token: other, times: more },
            ) if (&*path, &*token) == (same, other) => {
                *times = times.saturating_add(*more);
                true
            }
            _ => false,
        }
    }

    /// How many lines of it are written in one minute, if others bring it about as often as they like.
    pub(super) const fn most_per_minute(&self) -> Option<u64> {
        match self {
            Self::StrangerRefused { .. }
            | Self::ApiRefused { .. }
            | Self::Connected { .. }
            | Self::Disconnected { .. }
            | Self::PeerDropped { .. }
            | Self::ToldToGo { .. }
            | Self::OpeningRefused { .. } => Some(100),
            Self::RunNotTaken { .. }
            | Self::RunRefused { .. }
            | Self::RunSent { .. }
            | Self::PayloadSent { .. } => Some(3_000),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_and_every_field_stands_in_the_catalogue_once() {
        let codes: BTreeSet<&str> = CATALOGUE.iter().map(|one| one.code).collect();
        assert_eq!(codes.len(), CATALOGUE.len());
        let used: BTreeSet<&str> = CATALOGUE.iter().flat_map(|one| one.fields).copied().collect();
        let described: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(used.into_iter().collect::<Vec<_>>(), described);
    }

    #[test]
    fn runs_that_follow_one_another_are_one_and_others_are_not() {
        let sent = |peer, from, to| Event::RunSent {
            peer: NodeKey::from_bytes([peer; 32]),
            board: None,
            feed: FeedId::from_bytes([2; 32]),
            from,
            to,
        };
        let mut first = sent(1, 0, 9);
        assert!(first.absorb(&sent(1, 10, 12)));
        assert_eq!(first, sent(1, 0, 12));
        assert!(!first.absorb(&sent(1, 12, 14)));
        assert!(!first.absorb(&sent(3, 13, 14)));
    }

    #[test]
    fn a_peer_is_named_as_the_status_names_it() {
        let key = net::NodeKey::from_bytes(
            ed25519_dalek::SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes(),
        );
        let key = key.unwrap();
        let event = Event::Connected { peer: NodeKey::from_bytes(*key.as_bytes()) };
        assert_eq!(event.fields(), [("peer", key.to_string())]);
    }
}
