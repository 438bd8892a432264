//! What the doctor sees of each partner, by dialling all its addresses.
//!
//! *Invariants.* A partner that some address reaches is not to be mended for another that does not answer:
//! many sites let no UDP through. One that is there and turns this node away is.
//!
//! *Source*: ours.

use std::{collections::BTreeMap, net::SocketAddr};

use indicatif::ProgressBar;
use libp2p::Multiaddr;

use super::{Finding, machine::Machine};
use crate::{
    cli::{error::CliError, out::age_in_words},
    daemon::DaemonError,
    net::{self, NodeKey, Probed, Reached, Target, Transport},
    view::PeerLine,
};

#[derive(Default)]
pub(super) struct Partners {
    pub(super) findings: Vec<Finding>,
    /// Whose, what stands on the card, and where it leads.
    pub(super) addresses: Vec<(String, Multiaddr, Vec<SocketAddr>)>,
}

pub(super) fn look(machine: &Machine) -> Result<Partners, CliError> {
    let (Some(status), Some(organisation)) = (&machine.status, &machine.organisation) else {
        let says = "not looked at: without keys and store no partner is known";
        let findings = vec![Finding::note("not-looked-at", "partners", says)];
        return Ok(Partners { findings, ..Partners::default() });
    };
    let targets: Vec<Target> = status.peers.iter().flat_map(targets).collect();
    let bar = ProgressBar::new(targets.len() as u64);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(CliError::System)?;
    let seed = organisation.keys().node.clone();
    let probing = net::probe(seed.as_bytes(), targets, || bar.inc(1));
    let probed = runtime.block_on(probing).map_err(DaemonError::from)?;
    bar.finish_and_clear();

    let mut by_peer: BTreeMap<NodeKey, Vec<Probed>> = BTreeMap::new();
    for one in probed {
        by_peer.entry(one.target.peer).or_default().push(one);
    }
    let mut partners = Partners::default();
    if status.peers.is_empty() {
        let says = "none is known; add their cards with `concordat card add`";
        partners.findings.push(Finding::note("no-partners", "partners", says));
    }
    for peer in &status.peers {
        let probed = key_of(peer).and_then(|key| by_peer.remove(&key)).unwrap_or_default();
        partners.findings.extend(findings(peer, &probed));
        for one in probed {
            partners.addresses.push((peer.slug.clone(), one.target.address, one.resolved));
        }
    }
    Ok(partners)
}

fn key_of(peer: &PeerLine) -> Option<NodeKey> {
    peer.node.parse().ok()
}

fn targets(peer: &PeerLine) -> Vec<Target> {
    let Some(key) = key_of(peer) else { return Vec::new() };
    let addresses = peer.addresses.iter().filter_map(|text| text.parse().ok());
    addresses.map(|address| Target { peer: key, address }).collect()
}

fn findings(peer: &PeerLine, probed: &[Probed]) -> Vec<Finding> {
    let is_reached = |one: &Probed| matches!(one.reached, Reached::LetsIn | Reached::Undecided);
    let works = peer.is_connected || probed.iter().any(is_reached);
    let mut found: Vec<Finding> = probed.iter().map(|one| finding(peer, one, works)).collect();
    let slug = &peer.slug;
    if peer.is_connected {
        let paths: Vec<String> =
            peer.paths.iter().map(|path| path.transport.to_uppercase()).collect();
        let says = format!("connected to the running daemon over {}", paths.join(" and "));
        found.insert(0, Finding::well("connected", slug, says));
    } else if probed.is_empty() {
        let last = peer.contact_age_s.map_or("it was never connected".to_owned(), |age_s| {
            format!("last connected {} ago", age_in_words(age_s))
        });
        let says = format!("its card names no address, so it has to dial this node; {last}");
        found.push(Finding::note("dials-us", slug, says));
    }
    found
}

/// Where something else works, what does not answer is worth knowing and no more.
fn finding(peer: &PeerLine, probed: &Probed, works: bool) -> Finding {
    let address = &probed.target.address;
    let about = format!("{} {address}", peer.slug);
    let transport = Transport::of(address).map_or("", |transport| match transport {
        Transport::Tcp => "TCP",
        Transport::Quic => "UDP",
    });
    let firewall = format!(
        "ask for the {transport} rule below, on this side and the partner's; then see that its node runs"
    );
    let (code, says, next) = match &probed.reached {
        Reached::LetsIn => {
            let says = "the partner's node answers over TLS 1.3 with the key on its card, and lets this node in";
            return Finding::well("reached", about, says);
        }
        Reached::Undecided => {
            let says = "the partner's node answers with the key on its card, and said nothing more";
            return Finding::note("undecided", about, says);
        }
        Reached::TurnsAway => {
            let says =
                "the partner's node answers and turns this node away: it does not know its card";
            let next = "send it this node's newest card (`concordat card export`) to be added";
            return Finding::mend("turned-away", about, says, next);
        }
        Reached::OtherKey { found } => {
            let says = format!("another node answers there: {found}");
            let next =
                "ask the partner for its newest card; if it has none, somebody stands between";
            return Finding::mend("other-node", about, says, next);
        }
        Reached::NoName { cause } => (
            "no-name",
            format!("the name leads nowhere: {cause}"),
            "ask the partner whether the name is right, and see this machine's name server"
                .to_owned(),
        ),
        Reached::Refused => (
            "refused",
            "the machine is there, and nobody listens at this port".to_owned(),
            "ask the partner whether its node runs, and whether it listens at this port".to_owned(),
        ),
        Reached::Silent => ("unanswered", format!("nothing answers over {transport}"), firewall),
        Reached::Failed { cause } => ("failed", format!("no connection: {cause}"), firewall),
    };
    if works {
        return Finding::note(code, about, format!("{says}; the partner is reached otherwise"));
    }
    Finding::mend(code, about, says, next)
}
