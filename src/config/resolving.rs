//! Options of the resolver and of the cache.

use std::fmt;
use std::num::NonZeroU16;
use std::path::PathBuf;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::config::DNS_PORT;
use super::forwarding::{Dns64Prefix, PrivateNetworks, ResolverMode, Server, UpstreamStrategy};
use super::validating::{DnssecSha1, NegativeTrustAnchors, TrustAnchors, Validation};
use crate::dns::{Name, Ttl};
#[cfg(doc)]
use crate::limits;
use crate::options::{Address, Bytes, Duration, Network, NotBuilt, PayloadSize, from_text};

/// How names are resolved that are not served here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "the options of `resolver`")]
pub struct ResolverOptions {
    /// Whether they are at all; if not, they are REFUSED.
    pub enabled: bool,
    /// Where resolution begins.
    pub root_hints: RootHints,
    /// Whether the hints are replaced by what the root servers say (RFC 9609).
    pub priming: bool,
    /// Whether servers are asked over IPv4.
    pub ipv4: bool,
    /// Whether servers are asked over IPv6.
    pub ipv6: Ipv6,
    /// Source addresses of queries; none leaves the choice to the kernel.
    pub outgoing_addresses: Vec<Address>,
    /// The port where servers found in the DNS are asked.
    pub upstream_port: NonZeroU16,
    /// Addresses learnt from the network that are never asked.
    pub never_query: NeverQuery,
    /// EDNS size told to servers, when it is not `server.udp-payload-size`.
    pub edns_payload_size: Option<PayloadSize>,
    /// Longest time a client waits for its answer. The work ends a fiftieth earlier.
    pub query_timeout: Duration,
    /// Most queries sent for one question of a client.
    pub max_upstream_queries: NonZeroU16,
    /// How much of a name the servers above its zone are told (RFC 9156).
    pub qname_minimization: QnameMinimization,
    /// Whether names are asked in random letter case, which a true reply repeats.
    pub case_randomization: bool,
    /// Whether they are looked for from the root, or asked of `upstreams`.
    pub mode: ResolverMode,
    /// The resolvers asked with `mode: forward`, at most [`limits::FORWARD_SERVERS`].
    pub upstreams: Vec<Server>,
    /// Which server of `upstreams`, or of a forward or stub zone, is asked first.
    pub upstream_strategy: UpstreamStrategy,
    /// Networks whose addresses are stripped from answers of public names, besides loopback and link-local ones.
    pub private_networks: PrivateNetworks,
    /// Names at and below which no address is stripped. Those of zones, overlays, forward and stub zones need none.
    pub private_exceptions: Vec<Name>,
    /// The prefix of IPv6 addresses made for names that have none (DNS64, RFC 6147).
    pub dns64_prefix: Dns64Prefix,
    /// Whether what is found is validated (RFC 4035).
    pub validation: Validation,
    /// Where chains of trust begin.
    pub trust_anchors: TrustAnchors,
    /// Whether trust anchors follow their zones (RFC 5011); what was learnt is kept in the state directory.
    pub trust_anchor_tracking: bool,
    /// Whether zones are told which of their keys are trust anchors here (RFC 8145).
    pub trust_anchor_signaling: bool,
    /// Names at and below which nothing is validated (RFC 7646), such as `legacy.example`, or with an end
    /// `legacy.example until 2026-12-01T00:00:00Z`.
    pub negative_trust_anchors: NegativeTrustAnchors,
    /// What signatures and digests made with SHA-1 are worth: algorithms 5 and 7, digest type 1 (RFC 9905).
    pub dnssec_sha1: DnssecSha1,
    /// Whether validated denials answer further questions (RFC 8198).
    pub aggressive_nsec: bool,
    ecs: NotBuilt,
    error_reporting: NotBuilt,
    harden_glue: NotBuilt,
}

impl Default for ResolverOptions {
    fn default() -> ResolverOptions {
        const UPSTREAM_PORT: NonZeroU16 = NonZeroU16::new(DNS_PORT).unwrap();
        const MAX_UPSTREAM_QUERIES: NonZeroU16 = NonZeroU16::new(64).unwrap();
        ResolverOptions {
            enabled: true,
            root_hints: RootHints::Builtin,
            priming: true,
            ipv4: true,
            ipv6: Ipv6::Auto,
            outgoing_addresses: Vec::new(),
            upstream_port: UPSTREAM_PORT,
            never_query: NeverQuery::Builtin,
            edns_payload_size: None,
            query_timeout: Duration::from_secs(5),
            max_upstream_queries: MAX_UPSTREAM_QUERIES,
            qname_minimization: QnameMinimization::Relaxed,
            case_randomization: true,
            mode: ResolverMode::default(),
            upstreams: Vec::new(),
            upstream_strategy: UpstreamStrategy::default(),
            private_networks: PrivateNetworks::default(),
            private_exceptions: Vec::new(),
            dns64_prefix: Dns64Prefix::default(),
            validation: Validation::Enforce,
            trust_anchors: TrustAnchors::Builtin,
            trust_anchor_tracking: true,
            trust_anchor_signaling: true,
            negative_trust_anchors: NegativeTrustAnchors::default(),
            dnssec_sha1: DnssecSha1::Insecure,
            aggressive_nsec: true,
            ecs: NotBuilt,
            error_reporting: NotBuilt,
            harden_glue: NotBuilt,
        }
    }
}

/// Where resolution begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootHints {
    /// With the root servers known to this build.
    Builtin,
    /// With the name servers of a file in zone file format, relative to `server.directory`.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for RootHints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RootHints, D::Error> {
        from_text(deserializer, "`builtin` or a file", |text| match text {
            "builtin" => Ok(RootHints::Builtin),
            "none" => Err("root hints are needed to resolve; write builtin or a file"),
            _ => Ok(RootHints::File(text.into())),
        })
    }
}

/// Whether IPv6 is used upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6 {
    /// When this machine has a route.
    Auto,
    /// Always.
    Yes,
    /// Never.
    No,
}

impl<'de> Deserialize<'de> for Ipv6 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ipv6, D::Error> {
        from_text(deserializer, "true, false or auto", |text| match text {
            "auto" => Ok(Ipv6::Auto),
            "true" => Ok(Ipv6::Yes),
            "false" => Ok(Ipv6::No),
            _ => Err(format!("`{text}` is neither true, false nor auto; write true, false or auto")),
        })
    }
}

/// How much of a name the servers above its zone are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QnameMinimization {
    /// All of it.
    None,
    /// One label more than their zone has; all of it when that leads nowhere.
    Relaxed,
    /// One label more than their zone has; when that does not exist, nothing below it does (RFC 8020).
    Strict,
}

/// Addresses learnt from the network that are never asked. Servers the operator named are always asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverQuery {
    /// Those where no name server of the internet can be.
    Builtin,
    /// These; an empty list means none.
    Networks(Vec<Network>),
}

impl NeverQuery {
    /// This network, this host, link-local, multicast, reserved: RFC 6890 without the private networks, in which
    /// a lab or a company does have name servers.
    const BUILTIN: [&'static str; 9] = [
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::",
        "::1",
        "fe80::/10",
        "ff00::/8",
    ];

    /// The networks meant.
    pub fn networks(&self) -> Vec<Network> {
        match self {
            NeverQuery::Builtin => {
                let network = |text: &&str| text.parse().expect("a constant that a test reads");
                NeverQuery::BUILTIN.iter().map(network).collect()
            }
            NeverQuery::Networks(networks) => networks.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for NeverQuery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NeverQuery, D::Error> {
        struct WordOrList;

        impl<'de> Visitor<'de> for WordOrList {
            type Value = NeverQuery;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`builtin`, `none` or a list of networks")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<NeverQuery, E> {
                match word {
                    "builtin" => Ok(NeverQuery::Builtin),
                    "none" => Ok(NeverQuery::Networks(Vec::new())),
                    _ => Err(E::unknown_variant(word, &["builtin", "none"])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<NeverQuery, A::Error> {
                let list = SeqAccessDeserializer::new(list);
                Vec::deserialize(list).map(NeverQuery::Networks)
            }
        }

        deserializer.deserialize_any(WordOrList)
    }
}

/// How long answers of others are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "the options of `cache`")]
pub struct CacheOptions {
    /// Memory for cached RRsets.
    pub size: Bytes,
    /// Shortest time an RRset is kept, whatever its TTL says.
    pub min_ttl: Ttl,
    /// Longest time an RRset is kept, whatever its TTL says (RFC 8767 4 suggests at most 7 days).
    pub max_ttl: Ttl,
    /// Longest time it is remembered that something does not exist (RFC 2308 5).
    pub max_negative_ttl: Ttl,
    /// How long a failed resolution is remembered (RFC 9520 3.2: 1 second to 5 minutes).
    pub failure_ttl: Ttl,
    /// How long behind its end an answer may still be given when its servers do not answer (RFC 8767); none for never.
    pub serve_stale: ServeStale,
    /// How long a client waits before it is given such an answer; 0ms for not at all.
    pub stale_answer_timeout: Duration,
    /// The TTL it is given with (RFC 8767 4: 30 seconds).
    pub stale_answer_ttl: Ttl,
    /// Whether answers that are asked for again shortly before their end are fetched anew.
    pub prefetch: bool,
    /// Whether the cache is saved in the state directory on stop and taken up again on start.
    pub persist: bool,
    shared: NotBuilt,
}

impl Default for CacheOptions {
    fn default() -> CacheOptions {
        CacheOptions {
            size: Bytes(256 << 20),
            min_ttl: Ttl::ZERO,
            max_ttl: Ttl::saturating(86_400),
            max_negative_ttl: Ttl::saturating(3600),
            failure_ttl: Ttl::saturating(5),
            serve_stale: ServeStale(Duration::from_secs(86_400)),
            stale_answer_timeout: Duration(std::time::Duration::from_millis(1800)),
            stale_answer_ttl: Ttl::saturating(30),
            prefetch: true,
            persist: false,
            shared: NotBuilt,
        }
    }
}

/// How long answers are kept behind their end; zero when they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeStale(pub Duration);

impl<'de> Deserialize<'de> for ServeStale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ServeStale, D::Error> {
        from_text(deserializer, "a length of time such as 1d, or none", |text| match text {
            "none" => Ok(ServeStale(Duration::from_secs(0))),
            _ => text.parse().map(ServeStale),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Acl;

    #[test]
    fn the_builtin_networks_never_asked_hold_no_name_server_of_the_internet() {
        let never = Acl::of(NeverQuery::Builtin.networks());
        for (address, is_never_asked) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("0.0.0.0", true),
            ("255.255.255.255", true),
            ("ff02::1", true),
            ("198.41.0.4", false),
            ("10.0.0.1", false),
            ("2001:503:ba3e::2:30", false),
        ] {
            assert_eq!(never.admits(address.parse().unwrap()), is_never_asked, "{address}");
        }
    }
}
