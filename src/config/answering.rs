//! Options of how requests are answered: what the server says of itself, cookies, how often.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::limits;
use crate::options::from_text;
use crate::policy::RateLimit;
use crate::service::Version;

/// The name of this server: NSID (RFC 5001), id.server and hostname.bind (RFC 4892).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerName(pub Option<String>);

impl<'de> Deserialize<'de> for ServerName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ServerName, D::Error> {
        from_text(deserializer, "a name for this server", |text| match text {
            "none" => Ok(ServerName(None)),
            _ if text.len() > limits::IDENTITY => Err(format!(
                "the identity has {} octets; write a name of at most {}",
                text.len(),
                limits::IDENTITY
            )),
            _ => Ok(ServerName(Some(text.into()))),
        })
    }
}

/// What is told to who asks for version.bind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionBind(pub Version);

impl<'de> Deserialize<'de> for VersionBind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<VersionBind, D::Error> {
        from_text(deserializer, "hidden, full or a text", |text| match text {
            "hidden" | "none" => Ok(VersionBind(Version::Hidden)),
            "full" => Ok(VersionBind(Version::Full)),
            _ if text.len() > limits::IDENTITY => {
                Err(format!("a text of {} octets; write one of at most {}", text.len(), limits::IDENTITY))
            }
            _ => Ok(VersionBind(Version::Text(text.into()))),
        })
    }
}

/// Which special-use names are answered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecialZones {
    /// Those of the RFCs: 6303, 6761, 7686, 8375 ...
    Builtin,
    /// None; they are resolved as other names are.
    None,
}

/// How often somebody is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimitOptions {
    /// How often one answer is sent to one network.
    pub responses: ResponseLimit,
    /// How often one network is heard.
    pub clients: ClientsLimit,
}

impl<'de> Deserialize<'de> for RateLimitOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RateLimitOptions, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
        struct Sections {
            responses: ResponseLimit,
            clients: ClientsLimit,
        }

        none_or_map(deserializer, "`none` or the options of `rate-limit`", |sections: Option<Sections>| {
            let off = Sections { responses: ResponseLimit(None), clients: ClientsLimit(None) };
            let Sections { responses, clients } = sections.unwrap_or(off);
            RateLimitOptions { responses, clients }
        })
    }
}

/// How often one answer is sent over UDP to one network (/24, /56), unless the client has a cookie; none is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseLimit(pub Option<RateLimit>);

impl Default for ResponseLimit {
    fn default() -> ResponseLimit {
        ResponseLimit(Some(RateLimit { per_second: 200, slip: 2 }))
    }
}

impl<'de> Deserialize<'de> for ResponseLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ResponseLimit, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
        struct Numbers {
            per_second: PerSecond,
            slip: u16,
        }

        impl Default for Numbers {
            fn default() -> Numbers {
                Numbers { per_second: PerSecond(200), slip: 2 }
            }
        }

        none_or_map(deserializer, "`none` or `per-second` and `slip`", |numbers: Option<Numbers>| {
            let limited = numbers.filter(|numbers| numbers.per_second.0 > 0);
            let limit =
                |Numbers { per_second, slip }| RateLimit { per_second: per_second.0, slip: slip.into() };
            ResponseLimit(limited.map(limit))
        })
    }
}

/// How many requests of one network are looked at, whatever they ask; the others get no response. None is no limit, and
/// what there is until this is written: over UDP anybody can pretend to be a network, and use up what it may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientsLimit(pub Option<ClientLimitOptions>);

impl<'de> Deserialize<'de> for ClientsLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ClientsLimit, D::Error> {
        none_or_map(deserializer, "`none` or `queries-per-second` and others", ClientsLimit)
    }
}

/// How often one network is heard. Each worker allows its share.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ClientLimitOptions {
    /// In the long run.
    pub queries_per_second: Requests,
    /// At once after silence.
    pub burst: Requests,
    /// Leading bits that make a network of IPv4.
    pub ipv4_prefix: PrefixLength<32>,
    /// Leading bits that make a network of IPv6.
    pub ipv6_prefix: PrefixLength<128>,
    /// Who is always heard: networks and ACLs.
    pub exempt: Vec<String>,
}

impl Default for ClientLimitOptions {
    fn default() -> ClientLimitOptions {
        ClientLimitOptions {
            queries_per_second: Requests(200),
            burst: Requests(400),
            ipv4_prefix: PrefixLength(24),
            ipv6_prefix: PrefixLength(56),
            exempt: vec!["loopback".into()],
        }
    }
}

/// A number of requests, one at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests(pub u32);

impl<'de> Deserialize<'de> for Requests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Requests, D::Error> {
        from_text(deserializer, "a number of requests", |text| match text.parse() {
            Ok(number @ 1..=limits::RATE_LIMIT_MOST) => Ok(Requests(number)),
            _ => Err(format!(
                "`{text}` is not a number of requests; write one from 1 to {}",
                limits::RATE_LIMIT_MOST
            )),
        })
    }
}

/// Leading bits of an address, one at least and at most so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixLength<const MOST: u8>(pub u8);

impl<'de, const MOST: u8> Deserialize<'de> for PrefixLength<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PrefixLength<MOST>, D::Error> {
        from_text(deserializer, "a prefix length", |text| match text.parse() {
            Ok(bits) if (1..=MOST).contains(&bits) => Ok(PrefixLength(bits)),
            _ => Err(format!("`{text}` is not a prefix length; write a number from 1 to {MOST}")),
        })
    }
}

/// Responses a second; 0 is no limit.
struct PerSecond(u32);

impl<'de> Deserialize<'de> for PerSecond {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PerSecond, D::Error> {
        from_text(deserializer, "a number of responses", |text| match text.parse() {
            _ if text == "none" => Ok(PerSecond(0)),
            Ok(number @ 0..=limits::RATE_LIMIT_MOST) => Ok(PerSecond(number)),
            _ => Err(format!(
                "`{text}` is not a number of responses; write 0 for no limit, or a number up to {}",
                limits::RATE_LIMIT_MOST
            )),
        })
    }
}

/// Reads the word `none` as nothing, and a map as what it says.
fn none_or_map<'de, D: Deserializer<'de>, M: Deserialize<'de>, T>(
    deserializer: D,
    expecting: &'static str,
    make: fn(Option<M>) -> T,
) -> Result<T, D::Error> {
    struct NoneOrMap<M, T>(&'static str, fn(Option<M>) -> T);

    impl<'de, M: Deserialize<'de>, T> Visitor<'de> for NoneOrMap<M, T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
            match word {
                "none" => Ok(self.1(None)),
                _ => Err(E::unknown_variant(word, &["none"])),
            }
        }

        fn visit_unit<E: Error>(self) -> Result<T, E> {
            self.visit_map(serde::de::value::MapDeserializer::<_, E>::new(std::iter::empty::<(&str, &str)>()))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            M::deserialize(MapAccessDeserializer::new(map)).map(|map| self.1(Some(map)))
        }
    }

    deserializer.deserialize_any(NoneOrMap(expecting, make))
}
