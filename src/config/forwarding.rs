//! Options of those who are asked in place of the tree, and of what is changed in what they and others say.

use std::fmt;
use std::net::SocketAddr;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::config::{Config, DNS_PORT, ZoneOptions, ZoneType};
use crate::dns::Name;
use crate::options::{AddressPort, Network, from_text};
use crate::policy::Nat64Prefix;
use crate::resolver::{Strategy, UpstreamKind, UpstreamZone, Upstreams};

/// How names are resolved that are not served here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolverMode {
    /// From the root on.
    #[default]
    Recursive,
    /// By asking `upstreams`.
    Forward,
}

/// Which of several servers is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamStrategy {
    /// The one that answered fastest so far.
    #[default]
    Fastest,
    /// The first, then the next when it fails.
    Ordered,
    /// Up to three at once.
    Parallel,
}

/// A server asked by its address: `192.0.2.1` or `192.0.2.1@5300`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server(pub SocketAddr);

impl<'de> Deserialize<'de> for Server {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Server, D::Error> {
        from_text(deserializer, "an address such as 192.0.2.1 or 192.0.2.1@5300", |text| {
            if let Some((scheme, _)) = text.split_once("://") {
                return Err(format!(
                    "`{scheme}` upstreams are not built yet; write an address such as 192.0.2.1 or 192.0.2.1@5300"
                ));
            }
            let AddressPort { address, port } = text.parse().map_err(|error| format!("{error}"))?;
            match port {
                Some(0) => Err(format!("`{text}` has no port to ask at; write a number from 1 to 65535")),
                port => Ok(Server(SocketAddr::new(address, port.unwrap_or(DNS_PORT)))),
            }
        })
    }
}

/// Networks whose addresses are stripped from answers of public names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateNetworks {
    /// Loopback, link-local and unspecified addresses, and these.
    And(Vec<Network>),
    /// No address is stripped.
    None,
}

impl Default for PrivateNetworks {
    fn default() -> PrivateNetworks {
        PrivateNetworks::And(Vec::new())
    }
}

impl<'de> Deserialize<'de> for PrivateNetworks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PrivateNetworks, D::Error> {
        struct WordOrList;

        impl<'de> Visitor<'de> for WordOrList {
            type Value = PrivateNetworks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`builtin`, `none` or a list of networks")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<PrivateNetworks, E> {
                match word {
                    "builtin" => Ok(PrivateNetworks::default()),
                    "none" => Ok(PrivateNetworks::None),
                    _ => Err(E::unknown_variant(word, &["builtin", "none"])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<PrivateNetworks, A::Error> {
                let networks: Vec<Network> = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(if networks.is_empty() { PrivateNetworks::None } else { PrivateNetworks::And(networks) })
            }
        }

        deserializer.deserialize_any(WordOrList)
    }
}

/// The prefix IPv4 addresses are reached under; none means no DNS64.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dns64Prefix(pub Option<Nat64Prefix>);

impl<'de> Deserialize<'de> for Dns64Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dns64Prefix, D::Error> {
        from_text(deserializer, "`none` or a prefix such as 64:ff9b::/96", |text| {
            if text == "none" {
                return Ok::<_, String>(Dns64Prefix(None));
            }
            let prefix = text.parse().ok().and_then(Nat64Prefix::new);
            let prefix = prefix.ok_or_else(|| {
                format!(
                    "`{text}` is no prefix of IPv4 addresses (RFC 6052 2.2); write an IPv6 network of /32, /40, \
                     /48, /56, /64 or /96, such as 64:ff9b::/96"
                )
            })?;
            Ok(Dns64Prefix(Some(prefix)))
        })
    }
}

/// The zone an overlay is laid over; none means over what is resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base(pub Option<Name>);

impl<'de> Deserialize<'de> for Base {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Base, D::Error> {
        from_text(deserializer, "`none` or the name of a zone", |text| match text {
            "none" => Ok(Base(None)),
            _ => text.parse().map(|name| Base(Some(name))).map_err(|error| {
                format!("`{text}` is not a domain name: {error}; write a name such as example.org")
            }),
        })
    }
}

impl Config {
    /// The zones whose records stand in a file of their own here.
    pub fn primaries(&self) -> impl Iterator<Item = &ZoneOptions> {
        self.zones.iter().filter(|zone| zone.zone_type == ZoneType::Primary)
    }

    /// The zones laid over others.
    pub fn overlays(&self) -> impl Iterator<Item = &ZoneOptions> {
        self.zones.iter().filter(|zone| zone.zone_type == ZoneType::Overlay)
    }

    /// Who is asked in place of the tree.
    pub fn upstreams(&self) -> Upstreams {
        let strategy = match self.resolver.upstream_strategy {
            UpstreamStrategy::Fastest => Strategy::Fastest,
            UpstreamStrategy::Ordered => Strategy::Ordered,
            UpstreamStrategy::Parallel => Strategy::Parallel,
        };
        let addresses = |servers: &[Server]| servers.iter().map(|server| server.0).collect();
        let of_zone = |zone: &ZoneOptions| {
            let kind = match zone.zone_type {
                ZoneType::Forward => UpstreamKind::Forward,
                ZoneType::Stub => UpstreamKind::Stub,
                ZoneType::Primary | ZoneType::Overlay => return None,
            };
            let (apex, servers) = (zone.name.clone(), addresses(&zone.servers));
            Some(UpstreamZone { apex, kind, servers, strategy, fallback: zone.fallback })
        };
        let everything = (self.resolver.mode == ResolverMode::Forward).then(|| UpstreamZone {
            apex: Name::root(),
            kind: UpstreamKind::Forward,
            servers: addresses(&self.resolver.upstreams),
            strategy,
            fallback: false,
        });
        Upstreams::new(self.zones.iter().filter_map(of_zone).chain(everything).collect())
    }
}
