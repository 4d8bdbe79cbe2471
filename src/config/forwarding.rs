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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;
    use crate::limits;

    fn read(text: &str) -> Result<Config, Vec<Diagnostic>> {
        Config::parse("c.yaml", text.into())
    }

    #[test]
    fn forward_and_stub_zones_and_upstreams_become_one_table() {
        let config = read(
            "zones:\n  - {name: a.test, type: forward, servers: ['192.0.2.1@5300', '2001:db8::1'], fallback: true}\n  \
             - {name: b.test, type: stub, servers: [192.0.2.2]}\n  - {name: c.test, type: primary, file: c}\n\
             resolver:\n  mode: forward\n  upstreams: [192.0.2.3]\n  upstream-strategy: ordered\n",
        );
        let upstreams = config.unwrap_or_else(|errors| panic!("{errors:?}")).upstreams();
        let found = |name: &str| {
            let zone = upstreams.find(name.parse::<Name>().unwrap().as_ref()).unwrap();
            let servers: Vec<_> = zone.servers.iter().map(ToString::to_string).collect();
            (zone.kind, servers.join(" "), zone.strategy, zone.fallback)
        };
        let (ordered, forward) = (Strategy::Ordered, UpstreamKind::Forward);
        let want = (forward, "192.0.2.1:5300 [2001:db8::1]:53".into(), ordered, true);
        assert_eq!(found("www.a.test."), want);
        assert_eq!(found("b.test."), (UpstreamKind::Stub, "192.0.2.2:53".into(), ordered, false));
        assert_eq!(found("c.test."), (forward, "192.0.2.3:53".into(), ordered, false));
    }

    #[test]
    fn private_networks_and_the_prefix_are_words_or_networks() {
        let resolver = |text: &str| {
            let config = read(&format!("resolver:\n  {text}\n"));
            config.map(|config| config.resolver).map_err(|errors| errors[0].to_string())
        };
        let networks = |text: &str| resolver(text).map(|resolver| resolver.private_networks);
        let ten = PrivateNetworks::And(vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(networks("ecs: none"), Ok(PrivateNetworks::And(vec![])));
        assert_eq!(networks("private-networks: builtin"), Ok(PrivateNetworks::And(vec![])));
        assert_eq!(networks("private-networks: none"), Ok(PrivateNetworks::None));
        assert_eq!(networks("private-networks: []"), Ok(PrivateNetworks::None));
        assert_eq!(networks("private-networks: [10.0.0.0/8]"), Ok(ten));
        assert!(networks("private-networks: [lan]").unwrap_err().contains("is not a network"));
        let prefix = |text: &str| resolver(text).map(|resolver| resolver.dns64_prefix.0.is_some());
        assert_eq!(prefix("dns64-prefix: none"), Ok(false));
        assert_eq!(prefix("dns64-prefix: 64:ff9b::/96"), Ok(true));
        assert!(prefix("dns64-prefix: 2001:db8::/33").unwrap_err().contains("RFC 6052"));
    }

    #[test]
    fn what_does_not_fit_together_is_said_where_it_stands() {
        let seventeen = vec!["192.0.2.1"; limits::FORWARD_SERVERS + 1].join(", ");
        let many = format!("resolver: {{mode: forward, upstreams: [{seventeen}]}}");
        let primary = "{name: a.test, type: primary, file: a}";
        let zone = |text: &str| format!("zones:\n  - {primary}\n  - {text}\n");
        for (text, want) in [
            (zone("{name: b.test, type: forward}"), "zones[1] has no `servers`; add `servers: [192.0.2.1]`"),
            (zone("{name: b.test, type: stub, servers: []}"), "stub zone `b.test` has no server"),
            (
                zone("{name: b.test, type: forward, servers: ['tls://192.0.2.53#dns.test']}"),
                "`tls` upstreams are not built yet",
            ),
            (zone("{name: b.test, type: forward, servers: ['192.0.2.1:53']}"), "write `192.0.2.1@53`"),
            (zone("{name: b.test, type: forward, servers: ['192.0.2.1@0']}"), "has no port to ask at"),
            (zone("{name: b.test, type: stub, servers: [192.0.2.1], file: b}"), "`file` does not belong"),
            (zone("{name: b.test, type: primary, file: b, fallback: true}"), "`fallback` does not belong"),
            (zone("{name: a.test, type: stub, servers: [192.0.2.1]}"), "zone `a.test` is defined twice"),
            (zone("{name: a.test, type: overlay, file: b, base: a.test}"), ""),
            (zone("{name: a.test, type: overlay, file: b, base: a.tst}"), "did you mean `a.test`?"),
            (
                zone("{name: b.test, type: overlay, file: b, base: a.test}"),
                "`b.test` is not in the zone `a.test`",
            ),
            (zone("{name: b.test, type: overlay}"), "zones[1] has no `file`"),
            ("resolver: {mode: forward}".into(), "`mode: forward` has no upstream"),
            ("resolver: {upstreams: [192.0.2.1]}".into(), "`upstreams` are not asked with `mode: recursive`"),
            (many, "17 servers are too many; write at most 16"),
        ] {
            let said: Vec<_> =
                read(&text).err().into_iter().flatten().map(|error| error.to_string()).collect();
            match want {
                "" => assert_eq!(said, Vec::<String>::new(), "{text}"),
                _ => assert!(said.len() == 1 && said[0].contains(want), "{text}\n{said:?}"),
            }
        }
    }
}
