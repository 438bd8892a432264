//! What can be wrong with a config file, in words that tell how to mend it.
//!
//! *Invariants.* Every problem names key, value, reason and, where a key is known, a line that
//! would be right. Knows nothing of how the file is read.
//!
//! *Source*: ours.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::store::UnknownEngine;

/// Why there is no config.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is missing, not readable, or not text.
    #[error("reading the config file {path}: {source}; name another with `--config`")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not a config file by its size alone.
    #[error("the config file {path} is longer than {bytes_max} bytes; is it the right file")]
    TooLong {
        /// Which file.
        path: PathBuf,
        /// The bound.
        bytes_max: u64,
    },
    /// Not TOML.
    #[error("{path}, line {line}: not TOML: {reason}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the TOML parser said.
        reason: String,
    },
    /// TOML, but not a config.
    #[error("{}", list(path, problems))]
    Problems {
        /// Which file.
        path: PathBuf,
        /// Every problem, unknown keys last.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    pub(super) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let reason = error.message().trim().replace('\n', "; ");
        Self::Syntax { path: path.to_path_buf(), line, reason }
    }
}

/// One thing that is wrong.
#[derive(Debug)]
pub struct Problem {
    /// The key, as in the file.
    pub key: String,
    /// The value, as TOML.
    pub value: String,
    /// Why it cannot be.
    pub reason: Reason,
    /// A line that would be right.
    pub example: Option<&'static str>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} = {}: {}", self.key, self.value, self.reason)?;
        match self.example {
            Some(example) => write!(formatter, "; for example: {example}"),
            None => Ok(()),
        }
    }
}

fn list(path: &Path, problems: &[Problem]) -> String {
    use fmt::Write as _;
    let mut text = format!("{}: {} to mend", path.display(), problems.len());
    for problem in problems {
        // Writing to a String cannot fail.
        let _written = write!(text, "\n  {problem}");
    }
    text
}

/// Why a value cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// No such key.
    #[error("there is no such key{}", meant(*nearest))]
    UnknownKey {
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// The TOML type differs.
    #[error("must be {expected}, not {found}")]
    WrongType {
        /// In words.
        expected: &'static str,
        /// TOML's name for what is there.
        found: &'static str,
    },
    /// An empty path.
    #[error("must not be empty")]
    Empty,
    /// Not a multiaddr.
    #[error("not an address: {source}")]
    NotAnAddress {
        /// What the parser said.
        source: libp2p::multiaddr::Error,
    },
    /// A multiaddr that nobody listens on here.
    #[error(
        "this node listens on /ip4/ADDRESS/tcp/PORT and /ip4/ADDRESS/udp/PORT/quic-v1, and on both \
         with ip6"
    )]
    NotListenable,
    /// A multiaddr that cannot stand on a card.
    #[error(
        "an announced address has a host (ip4, ip6, dns, dns4 or dns6), then /tcp/PORT or \
         /udp/PORT/quic-v1, and nothing else"
    )]
    NotAnnounceable,
    /// 0.0.0.0, ::, or port 0.
    #[error("nobody can dial this; announce the address by which partners reach the node")]
    Nowhere,
    /// The same address twice.
    #[error("stands there twice")]
    Repeated,
    /// More than a card holds.
    #[error("{found} addresses, and a card holds at most {max}")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// An address that other machines reach.
    #[error(
        "the API carries tokens and content without TLS, so it is for this machine alone: 127.0.0.1 \
         or [::1]; put a web server with TLS in front of it for others"
    )]
    NotLoopback,
    /// Not a socket address.
    #[error("not an IP address with a port")]
    NotAnHttpAddress,
    /// An engine that this build does not have.
    #[error(transparent)]
    UnknownEngine(UnknownEngine),
    /// The memory store, without the second key.
    #[error(
        "a memory store forgets on restart what this node has acknowledged to its partners; \
         it is for demonstrations, and needs allow_memory_store = true beside it"
    )]
    ForgetsOnRestart,
    /// Not a log filter.
    #[error("not a log filter: {source}")]
    NotAFilter {
        /// What the parser said.
        source: tracing_subscriber::filter::ParseError,
    },
    /// A number out of range.
    #[error("must be between {min} and {max} {unit}")]
    OutOfRange {
        /// Unit of both bounds.
        unit: &'static str,
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// A maximum below its minimum.
    #[error("must not be less than {min_key}, which is {min}")]
    BelowMin {
        /// The key of the minimum.
        min_key: &'static str,
        /// Its value.
        min: u64,
    },
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |key| format!(", perhaps {key} is meant"))
}
