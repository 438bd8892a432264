//! What a firewall has to let through, as it is written in a request: direction, protocol, where to.
//!
//! *Source*: ours.

use std::{collections::BTreeSet, net::SocketAddr};

use libp2p::{Multiaddr, multiaddr::Protocol};

use crate::config::Config;

/// One rule a line: inwards first, then outwards by partner.
pub(super) fn rules(
    config: &Config,
    partners: &[(String, Multiaddr, Vec<SocketAddr>)],
) -> Vec<String> {
    let mut rules = Vec::new();
    for address in config.listen() {
        let Some((host, protocol, port)) = parts(address) else { continue };
        let to = match host.as_str() {
            "0.0.0.0" | "::" => "this machine".to_owned(),
            host => host.to_owned(),
        };
        rules.push(format!("allow in {protocol} {port} to {to}, from the partners' addresses"));
    }
    let mut names = BTreeSet::new();
    for (slug, address, resolved) in partners {
        let Some((host, protocol, port)) = parts(address) else { continue };
        if resolved.is_empty() {
            rules.push(format!(
                "allow out {protocol} {host}:{port}, {slug}; the name leads nowhere yet"
            ));
        }
        for to in resolved {
            let is_name =
                !matches!(address.iter().next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
            let name = if is_name { format!(" ({host})") } else { String::new() };
            rules.push(format!("allow out {protocol} {to}, {slug}{name}"));
            if is_name {
                names.insert(host.clone());
            }
        }
    }
    if !names.is_empty() {
        rules.push("allow out UDP and TCP 53 to this machine's name server".to_owned());
    }
    rules
}

fn parts(address: &Multiaddr) -> Option<(String, &'static str, u16)> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(ip) => ip.to_string(),
        Protocol::Ip6(ip) => ip.to_string(),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => name.into_owned(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some((host, "TCP", port)),
        Protocol::Udp(port) => Some((host, "UDP", port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_way_in_and_out_is_a_line() {
        let text = "listen = [\"/ip4/0.0.0.0/tcp/4001\", \"/ip6/2001:db8::7/udp/4001/quic-v1\"]";
        let config = Config::parse(text, Path::new("concordat.toml")).unwrap();
        let partner = |address: &str, resolved: &[&str]| {
            let resolved = resolved.iter().map(|one| one.parse().unwrap()).collect();
            ("la-wigan".to_owned(), address.parse().unwrap(), resolved)
        };
        let partners = [
            partner("/ip4/203.0.113.5/tcp/4001", &["203.0.113.5:4001"]),
            partner("/dns4/node.example/udp/4001/quic-v1", &["203.0.113.6:4001"]),
            partner("/dns4/gone.example/tcp/8443", &[]),
        ];

        assert_eq!(
            rules(&config, &partners),
            [
                "allow in TCP 4001 to this machine, from the partners' addresses",
                "allow in UDP 4001 to 2001:db8::7, from the partners' addresses",
                "allow out TCP 203.0.113.5:4001, la-wigan",
                "allow out UDP 203.0.113.6:4001, la-wigan (node.example)",
                "allow out TCP gone.example:8443, la-wigan; the name leads nowhere yet",
                "allow out UDP and TCP 53 to this machine's name server",
            ]
        );
    }
}
