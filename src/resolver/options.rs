//! Options of the resolver.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::upstreams::Upstreams;
use crate::limits;

/// Options of the resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverOptions {
    /// Ask servers at IPv4 addresses.
    pub ipv4: bool,
    /// Ask servers at IPv6 addresses.
    pub ipv6: bool,
    /// The port servers are asked at.
    pub upstream_port: u16,
    /// Addresses learnt from the network that are never asked.
    pub never_query: NeverQuery,
    /// The UDP payload size offered to servers (RFC 9715).
    pub edns_payload_size: u16,
    /// Time one client query may take, its answer's way to the client included.
    pub query_timeout: Duration,
    /// Packets sent for one client query, everything included.
    pub max_upstream_queries: u32,
    /// Ask the root hints for the root servers before anything else (RFC 9609).
    pub priming: bool,
    /// How much of a name the servers above its zone are shown (RFC 9156).
    pub minimisation: Minimisation,
    /// Ask with the letters of a name in random case, which the reply must repeat: some bits more for a forger to
    /// guess ("0x20").
    pub case_randomization: bool,
    /// Ask for signatures and proofs (RFC 3225) and keep them: answers are validated.
    pub dnssec: bool,
    /// The forward and stub zones.
    pub upstreams: Upstreams,
}

impl Default for ResolverOptions {
    fn default() -> ResolverOptions {
        ResolverOptions {
            ipv4: true,
            ipv6: true,
            upstream_port: 53,
            never_query: NeverQuery::Builtin,
            edns_payload_size: limits::UDP_PAYLOAD,
            query_timeout: limits::QUERY_TIMEOUT,
            max_upstream_queries: limits::UPSTREAM_PACKETS,
            priming: true,
            minimisation: Minimisation::Relaxed,
            case_randomization: true,
            dnssec: false,
            upstreams: Upstreams::default(),
        }
    }
}

/// How much of a name the servers above its zone are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Minimisation {
    /// The whole name and its type.
    None,
    /// One label more than the zone has, and the whole name when that leads nowhere and no signed proof says why.
    Relaxed,
    /// One label more than the zone has. What does not exist has nothing below (RFC 8020).
    Strict,
}

/// Addresses that are never asked when the network named them: glue that points at this machine or at everybody makes
/// us attack ourselves (CVE-2026-50251). Configured servers and root hints are asked wherever they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverQuery {
    /// Loopback, unspecified, link-local, multicast, broadcast and reserved addresses (RFC 6890).
    Builtin,
    /// Every address may be asked.
    None,
    /// These networks and no others.
    Networks(Vec<IpNet>),
}

impl NeverQuery {
    /// Whether `address` is never asked.
    pub fn forbids(&self, address: IpAddr) -> bool {
        match self {
            NeverQuery::Builtin => is_special(address),
            NeverQuery::None => false,
            NeverQuery::Networks(networks) => networks.iter().any(|network| network.contains(&address)),
        }
    }
}

fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            // 0/8 is "this network" (RFC 791), 240/4 is reserved and ends with the broadcast address (RFC 1112).
            let first = address.octets()[0];
            first == 0
                || first >= 240
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
        }
        IpAddr::V6(address) => {
            let mapped_or_compatible = address.segments()[..5] == [0; 5];
            mapped_or_compatible || address.is_unicast_link_local() || address.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_never_asked() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.1.1",
            "224.0.0.251",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:192.0.2.1",
            "::192.0.2.1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(NeverQuery::Builtin.forbids(address.parse().unwrap()), "{address}");
            assert!(!NeverQuery::None.forbids(address.parse().unwrap()), "{address}");
        }
        for address in ["192.0.2.1", "10.0.0.1", "223.255.255.255", "2001:db8::1", "fd00::1", "64:ff9b::1"] {
            assert!(!NeverQuery::Builtin.forbids(address.parse().unwrap()), "{address}");
        }
        let listed = NeverQuery::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
        assert!(listed.forbids("10.1.2.3".parse().unwrap()) && !listed.forbids("127.0.0.1".parse().unwrap()));
    }
}
