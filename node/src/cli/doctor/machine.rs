//! What the doctor sees on this machine.
//!
//! *Source*: ours.

use std::{env, fs, os::unix::fs::PermissionsExt};

use super::Finding;
use crate::{
    cli::{context::Context, error::CliError, out::bytes_in_words},
    config::Config,
    control::{Answer, Request},
    home::{Home, free_bytes},
    keys::KeyDirectory,
    net,
    organisation::{Organisation, OrganisationError},
    view::Status,
};

/// By which programs are told of a proxy.
const PROXIES: [&str; 6] =
    ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const KEY_LOG: &str = "SSLKEYLOGFILE";

pub(super) struct Machine {
    pub(super) config: Config,
    /// Without keys nobody can be dialled.
    pub(super) organisation: Option<Organisation>,
    /// Without a store no partner is known.
    pub(super) status: Option<Status>,
    pub(super) findings: Vec<Finding>,
}

pub(super) fn look(context: &Context) -> Result<Machine, CliError> {
    let (config, home) = context.config()?;
    let file = context.config_path().display().to_string();
    let mut findings = vec![Finding::well("config", "config", format!("{file} is in order"))];
    findings.extend(environment());
    findings.push(directory(&home));
    let loaded = Organisation::load(&home);
    findings.push(keys(&home, &loaded));
    let asked = context.ask(Request::Status);
    let (stored, status) = match asked {
        Ok(Answer::Status(status)) => (Some(store(&status)), Some(*status)),
        Ok(_) => return Err(CliError::OtherAnswer),
        // Told already.
        Err(_) if loaded.is_err() => (None, None),
        Err(error) => {
            let next =
                "mend what is named; docs/storage.md says how a store is checked and replaced";
            let says = format!("{error} ({})", error.code());
            (Some(Finding::mend("store", "store", says, next)), None)
        }
    };
    findings.extend(stored);
    findings.push(disk(&home, &config));
    findings.extend(status.as_ref().map(clock));
    findings.extend(ports(&config, status.as_ref()));
    Ok(Machine { config, organisation: loaded.ok(), status, findings })
}

fn environment() -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(name) = PROXIES.into_iter().find(|name| env::var_os(name).is_some()) {
        let says = format!(
            "{name} is set, and concordat uses no proxy: it has to reach partners directly"
        );
        findings.push(Finding::note("proxy", "environment", says));
    }
    if env::var_os(KEY_LOG).is_some() {
        let says =
            format!("{KEY_LOG} is set: a daemon started so writes the secrets of TLS to a file");
        let next =
            format!("unset {KEY_LOG} where the daemon is started; the unit in config/systemd does");
        findings.push(Finding::mend("tls-key-log", "environment", says, next));
    }
    findings
}

fn directory(home: &Home) -> Finding {
    let path = home.directory().display();
    match fs::metadata(home.directory()).map(|found| found.permissions().mode() & 0o077) {
        Ok(0) => Finding::well("home", "directory", format!("{path} is for its owner alone")),
        Ok(_) => {
            let says = format!("other users of this machine can look into {path}");
            Finding::mend("home-open", "directory", says, format!("run `chmod 700 {path}`"))
        }
        Err(error) => {
            let next = "see whether its disk is mounted, and whose it is";
            Finding::mend("home", "directory", format!("{path}: {error}"), next)
        }
    }
}

fn keys(home: &Home, loaded: &Result<Organisation, OrganisationError>) -> Finding {
    match loaded {
        Ok(_) => {
            let is_locked = KeyDirectory::open(home.directory()).map(|keys| keys.is_locked());
            let lock = match is_locked {
                Ok(true) => "locked with a passphrase",
                Ok(false) => "not locked",
                Err(_) => "of an unknown lock",
            };
            let says =
                format!("all are there, fit the card, are for their owner alone, and {lock}");
            Finding::well("keys", "keys", says)
        }
        Err(error) => {
            let next = "mend what is named; docs/keys.md says how keys are locked and recovered";
            Finding::mend("keys", "keys", error.to_string(), next)
        }
    }
}

fn store(status: &Status) -> Finding {
    if let Some(why) = &status.restored {
        let next = "let the daemon run until partners have told how far this node's feeds had come";
        let says = format!("it may be an older copy: {why}");
        return Finding::mend("store-older", "store", says, next);
    }
    let who = match status.listening {
        Some(_) => "the running daemon has it open",
        None => "it can be opened; no daemon runs",
    };
    let bytes = bytes_in_words(status.store_bytes);
    Finding::well("store", "store", format!("{who}; {} keys, {bytes}", status.store_entries))
}

fn disk(home: &Home, config: &Config) -> Finding {
    let reserve = config.disk_reserve_bytes();
    match free_bytes(home.directory()) {
        Ok(free) if free < reserve => {
            let (free, reserve) = (bytes_in_words(free), bytes_in_words(reserve));
            let says = format!("{free} are free, less than the reserve of {reserve}");
            Finding::mend("disk-reserve", "disk", says, "free some space; nothing new is taken in")
        }
        Ok(free) => Finding::well("disk", "disk", format!("{} are free", bytes_in_words(free))),
        Err(error) => {
            let next = "see whether the node's directory is still mounted";
            Finding::mend("disk", "disk", error.to_string(), next)
        }
    }
}

fn clock(status: &Status) -> Finding {
    let clock = &status.clock;
    match (&clock.warning, clock.ahead_ms) {
        (Some(warning), _) => {
            let next = "set this machine's clock by NTP; ask partners about theirs";
            Finding::mend("clock", "clock", warning, next)
        }
        (None, Some(ahead)) => {
            let says = format!("{ahead} ms ahead of the median of {} partners", clock.peers);
            Finding::well("clock", "clock", says)
        }
        (None, None) => Finding::note("clock", "clock", "no partner has told its time yet"),
    }
}

fn ports(config: &Config, status: Option<&Status>) -> Vec<Finding> {
    let running = status.and_then(|status| status.listening.as_ref());
    if config.listen().is_empty() {
        let says = "this node listens nowhere: it has to be able to dial its partners";
        return vec![Finding::note("listens-nowhere", "ports", says)];
    }
    let mut findings = Vec::new();
    match running {
        Some(running) => {
            let addresses = running.addresses.join(", ");
            let says = format!("the running daemon listens on {addresses}");
            findings.push(Finding::well("listening", "ports", says));
        }
        None => {
            findings.extend(config.listen().iter().map(|address| {
                match net::refuse_taken_port(address) {
                    Ok(()) => Finding::well("port-free", "ports", format!("{address} is free")),
                    Err(error) => {
                        let next = "stop what uses it, or choose another port in `listen`";
                        Finding::mend("port-taken", "ports", error.to_string(), next)
                    }
                }
            }))
        }
    }
    if config.announce().is_empty() {
        let says = "the card names no address: partners cannot dial this node";
        findings.push(Finding::note("announces-nothing", "ports", says));
    }
    findings
}
