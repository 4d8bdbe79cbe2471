//! Options of how requests are answered: what the server says of itself, cookies, how often.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::limits;
use crate::options::{NotBuilt, from_text};
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
}

impl<'de> Deserialize<'de> for RateLimitOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RateLimitOptions, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
        struct Sections {
            responses: ResponseLimit,
            #[allow(dead_code)]
            clients: NotBuilt,
        }

        none_or_map(deserializer, "`none` or the options of `rate-limit`", |sections: Option<Sections>| {
            let responses = sections.map_or(ResponseLimit(None), |sections| sections.responses);
            RateLimitOptions { responses }
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
