//! One check for each key: its value, or its default and a problem.
//!
//! *Invariants.* A check takes its key out of the table, so that what is left is unknown. After a
//! problem the default stands in, so that the next check can be made; no such config gets out.
//!
//! *Source*: ours.

use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use toml::{Table, Value};
use tracing_subscriber::EnvFilter;

use super::{Config, KEYS, Key, Problem, Reason};
use crate::store::EngineKind;

const LISTEN_PORT: u16 = 4001;
const ANNOUNCE_MAX: usize = 8;
const REDIAL_MS_LEAST: u64 = 10;
const REDIAL_MS_MOST: u64 = 3_600_000;
const DISK_RESERVE_MB_DEFAULT: u64 = 256;
const DISK_RESERVE_MB_MOST: u64 = 1_000_000;
/// Six months: what security logs in government are kept for at least.
const JOURNAL_DAYS_LEAST: u64 = 180;
const JOURNAL_DAYS_MOST: u64 = 36_500;

pub(super) const HOME: Key = Key { name: "home", example: "home = \"/var/lib/concordat\"" };
pub(super) const LISTEN: Key = Key {
    name: "listen",
    example: "listen = [\"/ip4/0.0.0.0/tcp/4001\", \"/ip4/0.0.0.0/udp/4001/quic-v1\"]",
};
pub(super) const ANNOUNCE: Key =
    Key { name: "announce", example: "announce = [\"/dns4/node.example.org/tcp/4001\"]" };
pub(super) const HTTP: Key = Key { name: "http", example: "http = \"127.0.0.1:4080\"" };
pub(super) const STORE: Key = Key { name: "store", example: "store = \"sled\"" };
pub(super) const ALLOW_MEMORY_STORE: Key =
    Key { name: "allow_memory_store", example: "allow_memory_store = false" };
pub(super) const DISK_RESERVE_MB: Key =
    Key { name: "disk_reserve_mb", example: "disk_reserve_mb = 256" };
pub(super) const JOURNAL_DAYS: Key = Key { name: "journal_days", example: "journal_days = 180" };
pub(super) const LOG: Key =
    Key { name: "log", example: "log = \"info,concordat_node::net=debug\"" };
pub(super) const REDIAL_MS_MIN: Key =
    Key { name: "redial_ms_min", example: "redial_ms_min = 1000" };
pub(super) const REDIAL_MS_MAX: Key =
    Key { name: "redial_ms_max", example: "redial_ms_max = 300000" };

pub(super) const MB: u64 = 1_000_000;

/// What is left of the file while its keys are taken, and what was wrong so far.
pub(super) struct Fields {
    pub(super) table: Table,
    pub(super) problems: Vec<Problem>,
}

impl Fields {
    fn take(&mut self, key: Key) -> Option<Value> {
        self.table.remove(key.name)
    }

    fn problem(&mut self, key: Key, value: impl ToString, reason: Reason) {
        self.problems.push(Problem {
            key: key.name.to_owned(),
            value: value.to_string(),
            reason,
            example: Some(key.example),
        });
    }

    fn text(&mut self, key: Key) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => {
                self.wrong_type(key, &other, "text");
                None
            }
        }
    }

    fn wrong_type(&mut self, key: Key, found: &Value, expected: &'static str) {
        self.problem(key, found, Reason::WrongType { expected, found: found.type_str() });
    }

    pub(super) fn refuse_unknown(&mut self) {
        for (name, value) in std::mem::take(&mut self.table) {
            let nearest = nearest_key(&name);
            self.problems.push(Problem {
                key: name,
                value: value.to_string(),
                reason: Reason::UnknownKey { nearest: nearest.map(|key| key.name) },
                example: nearest.map(|key| key.example),
            });
        }
    }
}

pub(super) fn home(file: &mut Fields, path: &Path) -> PathBuf {
    let beside = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    match file.text(HOME) {
        Some(home) if home.is_empty() => {
            file.problem(HOME, "\"\"", Reason::Empty);
            beside.to_path_buf()
        }
        Some(home) => beside.join(home),
        None => beside.to_path_buf(),
    }
}

pub(super) fn addresses(
    file: &mut Fields,
    key: Key,
    check: fn(&Multiaddr) -> Result<(), Reason>,
) -> Option<Vec<Multiaddr>> {
    let values = match file.take(key)? {
        Value::Array(values) => values,
        other => {
            file.wrong_type(key, &other, "a list of addresses");
            return None;
        }
    };
    let mut found = Vec::new();
    for value in values {
        let Value::String(text) = &value else {
            file.wrong_type(key, &value, "an address as text");
            continue;
        };
        let address = text.parse().map_err(|source| Reason::NotAnAddress { source });
        match address.and_then(|address| check(&address).map(|()| address)) {
            Ok(address) if found.contains(&address) => {
                file.problem(key, &value, Reason::Repeated);
            }
            Ok(address) => found.push(address),
            Err(reason) => file.problem(key, &value, reason),
        }
    }
    Some(found)
}

/// TCP and QUIC at the same port.
pub(super) fn default_listen() -> Vec<Multiaddr> {
    let everywhere = || Multiaddr::empty().with(Protocol::Ip4(Ipv4Addr::UNSPECIFIED));
    Vec::from([
        everywhere().with(Protocol::Tcp(LISTEN_PORT)),
        everywhere().with(Protocol::Udp(LISTEN_PORT)).with(Protocol::QuicV1),
    ])
}

/// What is written before the port, and the port, of an address of either transport.
fn host_and_port(address: &Multiaddr) -> Option<(Protocol<'_>, u16)> {
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    match parts.as_slice() {
        [host, Protocol::Tcp(port)] | [host, Protocol::Udp(port), Protocol::QuicV1] => {
            Some((host.clone(), *port))
        }
        _ => None,
    }
}

/// An IP address with `/tcp/…` or `/udp/…/quic-v1`: what this build can listen on.
pub(super) fn check_listen(address: &Multiaddr) -> Result<(), Reason> {
    match host_and_port(address) {
        Some((Protocol::Ip4(_) | Protocol::Ip6(_), _)) => Ok(()),
        _ => Err(Reason::NotListenable),
    }
}

/// A host that others can reach, and a port; the key stands on the card already.
fn check_announce(address: &Multiaddr) -> Result<(), Reason> {
    let Some((host, port)) = host_and_port(address) else {
        return Err(Reason::NotAnnounceable);
    };
    let is_nowhere = match host {
        Protocol::Ip4(ip) => ip.is_unspecified(),
        Protocol::Ip6(ip) => ip.is_unspecified(),
        Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) => false,
        _ => return Err(Reason::NotAnnounceable),
    };
    if is_nowhere || port == 0 {
        return Err(Reason::Nowhere);
    }
    Ok(())
}

/// Whether this node dials such an address when it stands on a partner's card.
#[must_use]
pub fn is_dialable(address: &Multiaddr) -> bool {
    check_announce(address).is_ok()
}

pub(super) fn announce(file: &mut Fields) -> Vec<Multiaddr> {
    let found = addresses(file, ANNOUNCE, check_announce).unwrap_or_default();
    if found.len() > ANNOUNCE_MAX {
        let reason = Reason::TooMany { found: found.len(), max: ANNOUNCE_MAX };
        file.problem(ANNOUNCE, format!("{} addresses", found.len()), reason);
    }
    found
}

pub(super) fn http(file: &mut Fields) -> Option<SocketAddr> {
    let text = file.text(HTTP)?;
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => return Some(address),
        Ok(_) => file.problem(HTTP, format!("{text:?}"), Reason::NotLoopback),
        Err(_) => file.problem(HTTP, format!("{text:?}"), Reason::NotAnHttpAddress),
    }
    None
}

pub(super) fn store(file: &mut Fields) -> EngineKind {
    let is_memory_allowed = match file.take(ALLOW_MEMORY_STORE) {
        None => false,
        Some(Value::Boolean(allowed)) => allowed,
        Some(other) => {
            file.wrong_type(ALLOW_MEMORY_STORE, &other, "true or false");
            false
        }
    };
    let Some(name) = file.text(STORE) else { return EngineKind::Sled };
    match name.parse() {
        Ok(EngineKind::Memory) => {
            if !is_memory_allowed {
                file.problem(STORE, "\"memory\"", Reason::ForgetsOnRestart);
            }
            EngineKind::Memory
        }
        Ok(kind) => kind,
        Err(unknown) => {
            file.problem(STORE, format!("{name:?}"), Reason::UnknownEngine(unknown));
            EngineKind::Sled
        }
    }
}

pub(super) fn log(file: &mut Fields) -> String {
    let log = file.text(LOG).unwrap_or_else(|| "info".to_owned());
    if let Err(source) = EnvFilter::builder().parse(&log) {
        file.problem(LOG, format!("{log:?}"), Reason::NotAFilter { source });
    }
    log
}

pub(super) fn redial_ms(file: &mut Fields, key: Key, default: u64) -> u64 {
    let range = REDIAL_MS_LEAST..=REDIAL_MS_MOST;
    number(file, key, default, Unit { short: "ms", whole: "a whole number of milliseconds", range })
}

pub(super) fn disk_reserve_bytes(file: &mut Fields) -> u64 {
    let unit =
        Unit { short: "MB", whole: "a whole number of megabytes", range: 0..=DISK_RESERVE_MB_MOST };
    let megabytes = number(file, DISK_RESERVE_MB, DISK_RESERVE_MB_DEFAULT, unit);
    megabytes.saturating_mul(MB)
}

pub(super) fn journal_days(file: &mut Fields) -> u64 {
    let range = JOURNAL_DAYS_LEAST..=JOURNAL_DAYS_MOST;
    let unit = Unit { short: "days", whole: "a whole number of days", range };
    number(file, JOURNAL_DAYS, JOURNAL_DAYS_LEAST, unit)
}

struct Unit {
    short: &'static str,
    whole: &'static str,
    range: RangeInclusive<u64>,
}

fn number(file: &mut Fields, key: Key, default: u64, unit: Unit) -> u64 {
    match file.take(key) {
        None => default,
        Some(Value::Integer(found)) => match u64::try_from(found) {
            Ok(number) if unit.range.contains(&number) => number,
            Ok(_) | Err(_) => {
                let (min, max) = unit.range.into_inner();
                file.problem(key, found, Reason::OutOfRange { unit: unit.short, min, max });
                default
            }
        },
        Some(other) => {
            file.wrong_type(key, &other, unit.whole);
            default
        }
    }
}

pub(super) fn check_redial_order(config: &Config, problems: &mut Vec<Problem>) {
    let (min, max) = (config.redial_ms_min, config.redial_ms_max);
    if min > max {
        problems.push(Problem {
            key: REDIAL_MS_MAX.name.to_owned(),
            value: max.to_string(),
            reason: Reason::BelowMin { min_key: REDIAL_MS_MIN.name, min },
            example: Some(REDIAL_MS_MAX.example),
        });
    }
}

/// The key that was most likely meant: the one with the longest run of equal letters in front,
/// three at least, or one that contains the name or is contained in it.
fn nearest_key(name: &str) -> Option<Key> {
    let common = |key: &Key| key.name.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    let contains =
        |key: &&Key| name.len() > 2 && (key.name.contains(name) || name.contains(key.name));
    let by_start = KEYS.iter().max_by_key(|key| common(key)).filter(|key| common(key) >= 3);
    KEYS.iter().find(contains).or(by_start).copied()
}
