//! The daemon's config: one TOML file, checked once, never global.
//!
//! - `home`: directory of keys and store. A path, relative to the file's own directory. Default:
//!   that directory.
//! - `listen`: where peers may connect. A list of multiaddr, each `/ip4/…` or `/ip6/…` and then
//!   `/tcp/PORT` or `/udp/PORT/quic-v1`; more of them are more ways in, `[]` makes a node that only
//!   dials. Default: `["/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/udp/4001/quic-v1"]`.
//! - `announce`: addresses put on the node card. A list of at most 8 multiaddr of the same two kinds,
//!   also with names (`/dns4/…`, `/dns6/…`, `/dns/…`); peers try them all, QUIC a moment ahead of TCP,
//!   and many sites let no UDP out, so announce TCP beside QUIC. `[]` makes a node that dials everyone
//!   itself. Default: `[]`.
//! - `http`: where programs on this machine reach the API. A loopback address with a port; the API is
//!   then served there and at `http.sock` in the home. Default: none, there is no API.
//! - `store`: storage engine, `sled`, `redb` or `memory`. A store stays its engine's: `concordat store
//!   migrate` moves it to another. Default: `sled`.
//! - `allow_memory_store`: permits `store = "memory"`. A boolean. Default: `false`.
//! - `disk_reserve_mb`: free space on the store's disk below which the daemon takes in nothing new, and says
//!   so. Megabytes, 0 to 1000000; if raised, it stops sooner, and leaves more for everything else on the
//!   disk; 0 makes it write until the disk is full. Default: 256.
//! - `journal_days`: for how many days entries of the journal are kept. Days, 180 to 36500; if raised, an auditor
//!   sees further back, and the store grows. Default: 180.
//! - `log`: what is logged, as `level` or `target=level,…`. Beyond `info` there are more lines, and
//!   the node is slower. Default: `info`.
//! - `redial_ms_min`: first pause before a peer is dialled again. Milliseconds, 10 to 3600000; if
//!   raised, fewer dials, and peers are back later after a short break. Default: 1000.
//! - `redial_ms_max`: longest pause, reached by doubling. Milliseconds, `redial_ms_min` to 3600000;
//!   if raised, fewer dials, and peers are back later after a long break. Default: 300000.
//!
//! In `config/examples`: `smallest.toml`, defaults alone; `council.toml`, a node that partners can reach;
//! `trust-behind-firewall.toml`, one that dials out; `relay-member.toml`, one through which others share;
//! `demonstration.toml`, one that forgets; `board.toml`, the draft of a board.
//!
//! Why `memory` needs a second key: an acknowledgement says "I durably hold", and settlement counts
//! it. A node that forgets on restart would break its word to its partners, so nobody may get there
//! by changing one word. Tests and simulations open the memory engine without a config.
//!
//! *Invariants.* A [`Config`] is valid: nothing checks it again. Unknown keys are errors. All
//! problems of a file are reported together. Limits on which nodes must agree are not config.
//!
//! *Source*: ours.

mod check;
mod problem;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use libp2p::Multiaddr;
use sha2::{Digest, Sha256};
use toml::Value;

pub use check::is_dialable;
pub use problem::{ConfigError, Problem, Reason};

use crate::store::EngineKind;
use check::Fields;

const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A key of the file, with a value that would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As written in the file.
    pub name: &'static str,
    /// A line that can be copied.
    pub example: &'static str,
}

/// Every key there is.
pub const KEYS: [Key; 11] = [
    check::HOME,
    check::LISTEN,
    check::ANNOUNCE,
    check::HTTP,
    check::STORE,
    check::ALLOW_MEMORY_STORE,
    check::DISK_RESERVE_MB,
    check::JOURNAL_DAYS,
    check::LOG,
    check::REDIAL_MS_MIN,
    check::REDIAL_MS_MAX,
];

/// A checked config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    home: PathBuf,
    listen: Vec<Multiaddr>,
    announce: Vec<Multiaddr>,
    http: Option<SocketAddr>,
    store: EngineKind,
    disk_reserve_bytes: u64,
    journal_days: u64,
    log: String,
    redial_ms_min: u64,
    redial_ms_max: u64,
    sha256: [u8; 32],
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// - [`ConfigError::Unreadable`], [`ConfigError::TooLong`]: no text could be had from it.
    /// - [`ConfigError::Syntax`], [`ConfigError::Problems`]: as [`Config::parse`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            let path = path.to_path_buf();
            return Err(ConfigError::TooLong { path, bytes_max: FILE_BYTES_MAX });
        }
        Self::parse(&text, path)
    }

    /// Checks `text`, the content of the file at `path`; touches no file.
    ///
    /// # Errors
    /// - [`ConfigError::Syntax`]: not TOML; where and why.
    /// - [`ConfigError::Problems`]: TOML, but not a config; every problem there is.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let table: toml::Table =
            text.parse().map_err(|error| ConfigError::syntax(path, text, &error))?;
        let mut file = Fields { table, problems: Vec::new() };
        let config = Self {
            home: check::home(&mut file, path),
            listen: check::addresses(&mut file, check::LISTEN, check::check_listen)
                .unwrap_or_else(check::default_listen),
            announce: check::announce(&mut file),
            http: check::http(&mut file),
            store: check::store(&mut file),
            disk_reserve_bytes: check::disk_reserve_bytes(&mut file),
            journal_days: check::journal_days(&mut file),
            log: check::log(&mut file),
            redial_ms_min: check::redial_ms(&mut file, check::REDIAL_MS_MIN, 1_000),
            redial_ms_max: check::redial_ms(&mut file, check::REDIAL_MS_MAX, 300_000),
            sha256: Sha256::digest(text).into(),
        };
        check::check_redial_order(&config, &mut file.problems);
        file.refuse_unknown();
        if file.problems.is_empty() {
            return Ok(config);
        }
        Err(ConfigError::Problems { path: path.to_path_buf(), problems: file.problems })
    }

    /// Every setting with its value, as a file that says all of it would. Without an API `http` is absent:
    /// there is no value that means none.
    #[must_use]
    pub fn settings(&self) -> toml::Table {
        let list = |addresses: &[Multiaddr]| {
            Value::Array(addresses.iter().map(|address| address.to_string().into()).collect())
        };
        // No value in bounds is beyond what TOML can say.
        let number = |number: u64| Value::Integer(number.try_into().unwrap_or(i64::MAX));
        let http = self.http.map(|address| (check::HTTP, address.to_string().into()));
        // Wherever the file is put, it names this directory.
        let home = std::path::absolute(&self.home).unwrap_or_else(|_| self.home.clone());
        let settings = [
            (check::HOME, home.display().to_string().into()),
            (check::LISTEN, list(&self.listen)),
            (check::ANNOUNCE, list(&self.announce)),
            (check::STORE, self.store.name().into()),
            (check::ALLOW_MEMORY_STORE, (self.store == EngineKind::Memory).into()),
            (check::DISK_RESERVE_MB, number(self.disk_reserve_bytes / check::MB)),
            (check::JOURNAL_DAYS, number(self.journal_days)),
            (check::LOG, self.log.as_str().into()),
            (check::REDIAL_MS_MIN, number(self.redial_ms_min)),
            (check::REDIAL_MS_MAX, number(self.redial_ms_max)),
        ];
        let settings = settings.into_iter().chain(http);
        settings.map(|(key, value)| (key.name.to_owned(), value)).collect()
    }

    /// Directory of keys and store.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Where peers may connect.
    #[must_use]
    pub fn listen(&self) -> &[Multiaddr] {
        &self.listen
    }

    /// Addresses put on the node card.
    #[must_use]
    pub fn announce(&self) -> &[Multiaddr] {
        &self.announce
    }

    /// Where the API is served, if it is.
    #[must_use]
    pub const fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// The storage engine.
    #[must_use]
    pub const fn store(&self) -> EngineKind {
        self.store
    }

    /// Free space below which nothing new is taken in; 0: there is no such bound.
    #[must_use]
    pub const fn disk_reserve_bytes(&self) -> u64 {
        self.disk_reserve_bytes
    }

    /// For how many days entries of the journal are kept.
    #[must_use]
    pub const fn journal_days(&self) -> u64 {
        self.journal_days
    }

    /// SHA-256 of the file's text: which config this is.
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// What is logged.
    #[must_use]
    pub fn log(&self) -> &str {
        &self.log
    }

    /// First pause before a peer is dialled again.
    #[must_use]
    pub const fn redial_ms_min(&self) -> u64 {
        self.redial_ms_min
    }

    /// Longest pause before a peer is dialled again.
    #[must_use]
    pub const fn redial_ms_max(&self) -> u64 {
        self.redial_ms_max
    }
}
