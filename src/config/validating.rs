//! Options of validation: whether it is done, with which trust anchors, and where not.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::check::{Check, shown};
use super::config::Config;
use crate::clock::Unix;
use crate::diagnostic::nearest;
use crate::dns::Name;
use crate::options::from_text;
use crate::validator::NegativeAnchor;

/// Whether answers of others are validated (RFC 4035).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// They are not.
    None,
    /// They are, and those that fail are written down and given out.
    Log,
    /// They are, and those that fail are not given out.
    Enforce,
}

/// With which trust anchors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustAnchors {
    /// Those of the root zone known to this build.
    Builtin,
    /// None: nothing is validated.
    None,
    /// The DS and DNSKEY records of a file in zone file format, relative to `server.directory`.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for TrustAnchors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TrustAnchors, D::Error> {
        from_text(deserializer, "`builtin`, `none` or a file", |text| {
            Ok::<_, String>(match text {
                "builtin" => TrustAnchors::Builtin,
                "none" => TrustAnchors::None,
                _ => TrustAnchors::File(text.into()),
            })
        })
    }
}

/// What signatures and digests made with SHA-1 are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnssecSha1 {
    /// As much as others.
    Validate,
    /// Nothing: a zone that has no others is insecure (RFC 9905).
    Insecure,
}

/// Names at and below which nothing is validated (RFC 7646).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NegativeTrustAnchors(pub Vec<NegativeTrustAnchor>);

impl<'de> Deserialize<'de> for NegativeTrustAnchors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NegativeTrustAnchors, D::Error> {
        struct NoneOrList;

        impl<'de> Visitor<'de> for NoneOrList {
            type Value = NegativeTrustAnchors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none` or a list of names")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<NegativeTrustAnchors, E> {
                match word {
                    "none" => Ok(NegativeTrustAnchors::default()),
                    _ => Err(E::custom(format!("`{word}` is no list; write `[{word}]`"))),
                }
            }

            fn visit_unit<E: Error>(self) -> Result<NegativeTrustAnchors, E> {
                Ok(NegativeTrustAnchors::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<NegativeTrustAnchors, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(NegativeTrustAnchors)
            }
        }

        deserializer.deserialize_any(NoneOrList)
    }
}

/// `legacy.example`, or `legacy.example until 2026-12-01T00:00:00Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegativeTrustAnchor {
    /// The name.
    pub name: Name,
    /// When it ends.
    pub until: Option<Unix>,
}

impl FromStr for NegativeTrustAnchor {
    type Err = String;

    fn from_str(text: &str) -> Result<NegativeTrustAnchor, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let read_name = |text: &str| {
            text.parse().map_err(|why| {
                format!("`{text}` is not a domain name: {why}; write a name such as legacy.example")
            })
        };
        match words[..] {
            [name] => Ok(NegativeTrustAnchor { name: read_name(name)?, until: None }),
            [name, "until", moment] => {
                let until = parse_moment(moment).ok_or_else(|| {
                    format!(
                        "`{moment}` is no date and no moment; write one such as 2026-12-01, which is its \
                         beginning in UTC, or 2026-12-01T18:00:00Z"
                    )
                })?;
                Ok(NegativeTrustAnchor { name: read_name(name)?, until: Some(until) })
            }
            [name, ..] => {
                Err(format!("`{text}` is not understood; write {name}, or {name} until 2026-12-01T00:00:00Z"))
            }
            [] => Err("a name is missing; write one such as legacy.example".into()),
        }
    }
}

impl<'de> Deserialize<'de> for NegativeTrustAnchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NegativeTrustAnchor, D::Error> {
        from_text(deserializer, "a name, or a name with `until` and a date", str::parse)
    }
}

/// Whether names at and below a zone are validated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ZoneTrustAnchor {
    /// As the trust anchors and its parents say.
    #[default]
    Inherited,
    /// They are not: the zone is a negative trust anchor.
    None,
}

impl<'de> Deserialize<'de> for ZoneTrustAnchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ZoneTrustAnchor, D::Error> {
        from_text(deserializer, "`none`", |text| match text {
            "none" => Ok(ZoneTrustAnchor::None),
            _ => Err(format!(
                "`{text}` is not known here; write none, or remove `trust-anchor` and name the file of trust \
                 anchors under `resolver`"
            )),
        })
    }
}

impl Config {
    /// Whether what is resolved is validated.
    pub fn validates(&self) -> bool {
        let resolver = &self.resolver;
        resolver.trust_anchors != TrustAnchors::None && resolver.validation != Validation::None
    }

    /// The names at and below which nothing is validated: those of `negative-trust-anchors`, and zones that say so.
    pub fn negative_anchors(&self) -> Vec<NegativeAnchor> {
        let listed = &self.resolver.negative_trust_anchors.0;
        let listed = listed.iter().map(|anchor| (&anchor.name, anchor.until));
        let zones = self.zones.iter().filter(|zone| zone.trust_anchor == ZoneTrustAnchor::None);
        let all = listed.chain(zones.map(|zone| (&zone.name, None)));
        all.map(|(name, until)| NegativeAnchor { apex: name.clone(), until }).collect()
    }
}

impl Check<'_, '_> {
    /// Names that are listed twice, of which one may be forgotten when the other is removed.
    pub(super) fn negative_trust_anchors(&mut self, section: usize) {
        let Some(list) = self.outline.child(section, "negative-trust-anchors") else { return };
        let anchors = &self.config.resolver.negative_trust_anchors.0;
        let mut seen = BTreeMap::new();
        for (item, anchor) in self.outline.items(list).zip(anchors) {
            let line = self.outline.value_stretch(item).line;
            if let Some(first) = seen.insert(&anchor.name, line) {
                let message = format!("`{}` is listed twice", shown(&anchor.name));
                self.report_item(item, &message, &format!("first listed on line {first}"));
            }
        }
    }

    /// A file that is called almost like one of the words.
    pub(super) fn trust_anchors(&mut self, section: usize) {
        let TrustAnchors::File(path) = &self.config.resolver.trust_anchors else { return };
        let text = path.to_string_lossy();
        if let Some(meant) = nearest(&text, ["builtin", "none"]).filter(|_| !text.contains(['.', '/'])) {
            let message = format!("`{text}` is taken for a file");
            let help = format!("did you mean `{meant}`? A file of that name is written `./{text}`");
            self.report_at(section, "trust-anchors", &message, &help);
        }
    }
}

/// A moment as RFC 3339 writes it, or a day, which stands for its beginning in UTC.
fn parse_moment(text: &str) -> Option<Unix> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in = |month| match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if year < 1970 || !(1..=12).contains(&month) || !(1..=days_in(month)).contains(&day) {
        return None;
    }
    let before = year - 1;
    // 719,162 days lie before 1970.
    let days = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    let days = days + (1..month).map(days_in).sum::<i64>() + day - 1;
    let seconds = days * 86_400 + time.map_or(Some(0), parse_time)?;
    u64::try_from(seconds).ok().map(Unix::of_seconds)
}

/// `HH:MM:SS` with its distance from UTC, in seconds; a fraction of a second is left out.
fn parse_time(text: &str) -> Option<i64> {
    let end = text.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = text.split_at(end);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
    // RFC 3339 5.6: a leap second is the 60th.
    if hour > 23 || minute > 59 || second > 60 || !is_fraction {
        return None;
    }
    let ahead = match zone {
        "Z" | "z" => 0,
        _ => {
            let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
            let distance = hours * 3600 + minutes * 60;
            (hours <= 23 && minutes <= 59).then_some(if zone.starts_with('-') {
                -distance
            } else {
                distance
            })?
        }
    };
    Some(hour * 3600 + minute * 60 + second - ahead)
}

/// Numbers of so many digits each.
fn numbers<const COUNT: usize>(text: &str, between: char, digits: [usize; COUNT]) -> Option<[i64; COUNT]> {
    let mut words = text.split(between);
    let mut numbers = [0; COUNT];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let is_number =
            |word: &&str| word.len() == digits && word.bytes().all(|digit| digit.is_ascii_digit());
        *number = words.next().filter(is_number)?.parse().ok()?;
    }
    words.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;

    fn read(text: &str) -> Result<Config, Vec<Diagnostic>> {
        Config::parse("c.yaml", text.into())
    }

    #[test]
    fn moments_are_dates_of_the_calendar_with_their_offset() {
        for (text, want) in [
            ("1970-01-01", Some(0)),
            ("2026-12-01", Some(1_796_083_200)),
            ("2026-12-01T00:00:00Z", Some(1_796_083_200)),
            ("2026-12-01t18:30:15.25z", Some(1_796_149_815)),
            ("2026-12-01T00:00:00+02:00", Some(1_796_076_000)),
            ("2026-11-30T16:30:00-07:30", Some(1_796_083_200)),
            ("2028-02-29", Some(1_835_395_200)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_800)),
            ("2000-02-29", Some(951_782_400)),
            ("2026-02-29", None),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-12-00", None),
            ("2026-12-32", None),
            ("1969-12-31", None),
            ("1970-01-01T00:00:00+01:00", None),
            ("2026-12-1", None),
            ("26-12-01", None),
            ("2026-12-01T", None),
            ("2026-12-01T00:00", None),
            ("2026-12-01T00:00:00", None),
            ("2026-12-01T24:00:00Z", None),
            ("2026-12-01T00:60:00Z", None),
            ("2026-12-01T00:00:61Z", None),
            ("2026-12-01T00:00:00.Z", None),
            ("2026-12-01T00:00:00+24:00", None),
            ("2026-12-01T00:00:00+02", None),
            ("2026-12-01T00:00:00Zulu", None),
            ("+026-12-01", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(parse_moment(text).map(Unix::seconds), want, "{text}");
        }
    }

    #[test]
    fn names_that_are_not_validated_come_from_the_list_and_from_zones() {
        let config = read(
            "zones:\n  - {name: a.test, type: stub, servers: [192.0.2.1], trust-anchor: none}\n  \
             - {name: b.test, type: forward, servers: [192.0.2.1]}\n\
             resolver:\n  negative-trust-anchors: [legacy.example, old.example until 2026-12-01]\n",
        );
        let negative = config.unwrap_or_else(|errors| panic!("{errors:?}")).negative_anchors();
        let told = |anchor: &NegativeAnchor| (anchor.apex.to_string(), anchor.until.map(Unix::seconds));
        let want = [
            ("legacy.example.".into(), None),
            ("old.example.".into(), Some(1_796_083_200)),
            ("a.test.".into(), None),
        ];
        assert_eq!(negative.iter().map(told).collect::<Vec<_>>(), want);
        for absent in ["[]", "none", ""] {
            let config = read(&format!("resolver:\n  negative-trust-anchors: {absent}\n")).unwrap();
            assert!(config.negative_anchors().is_empty(), "{absent}");
        }
    }

    #[test]
    fn nothing_is_validated_without_trust_anchors() {
        for (text, want) in [
            ("", true),
            ("validation: log", true),
            ("validation: enforce", true),
            ("trust-anchors: keys", true),
            ("validation: none", false),
            ("trust-anchors: none", false),
        ] {
            let config = read(&format!("resolver: {{{text}}}")).unwrap_or_else(|errors| panic!("{errors:?}"));
            assert_eq!(config.validates(), want, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_where_they_stand() {
        for (text, want) in [
            (
                "negative-trust-anchors: [a.test, A.test until 2026-12-01]",
                "1:45: `A.test` is listed twice; first",
            ),
            (
                "negative-trust-anchors: [a.test untl 2026-12-01]",
                "1:37: resolver.negative-trust-anchors[0]: `a.test untl 2026-12-01` is not understood; write a.test, or a.test until",
            ),
            ("negative-trust-anchors: [a.test until 2026-13-01]", "`2026-13-01` is no date and no moment"),
            ("negative-trust-anchors: [a..test]", "`a..test` is not a domain name"),
            ("negative-trust-anchors: a.test", "`a.test` is no list; write `[a.test]`"),
            ("negative-trust-anchors: {a: b}", "`none` or a list of names"),
            ("trust-anchors: buildin", "1:27: `buildin` is taken for a file; did you mean `builtin`? A file"),
            ("trust-anchors: ./buildin", ""),
            ("trust-anchors: keys", ""),
            ("trust-anchors: [a]", "`builtin`, `none` or a file"),
            ("trust-anchor-tracking: builtin", "true or false"),
            ("validation: false", "validation"),
            ("validation: enforced", "unknown value `enforced`; did you mean `enforce`?"),
            ("dnssec-sha1: none", "unknown value `none`"),
            ("dnssec-sha1: validate, aggressive-nsec: false, trust-anchor-signaling: false", ""),
        ] {
            let errors = read(&format!("resolver: {{{text}}}")).err().unwrap_or_default();
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            match want {
                "" => assert_eq!(said, Vec::<String>::new(), "{text}"),
                _ => assert!(said.len() == 1 && said[0].contains(want), "{text}\n{said:?}"),
            }
        }
        let zone = |text: &str| read(&format!("zones:\n  - {{name: a.test, {text}}}\n")).err();
        assert_eq!(zone("type: primary, file: a, trust-anchor: none"), None);
        let said = zone("type: overlay, file: a, trust-anchor: none").unwrap()[0].to_string();
        assert!(said.contains("`trust-anchor` does not belong to a zone of `type: overlay`"), "{said}");
        let said = zone("type: stub, servers: [192.0.2.1], trust-anchor: keys").unwrap()[0].to_string();
        assert!(said.contains("`keys` is not known here; write none"), "{said}");
    }
}
