//! Value types every option uses: the text of a scalar in, a checked value out.
//!
//! They read their text inside the visitor, so that an error stands at the value and not at the start of its section.
//! Every error is a sentence part, then `; ` and what to write instead.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, Unexpected, Visitor};

use crate::dns::{Name, Ttl};

/// What is wrong with the text of a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionError {
    /// No number where one has to be; what was expected, and an example.
    NotANumber(String, &'static str, &'static str),
    /// A number without its unit; the units there are.
    NoUnit(String, &'static [&'static str]),
    /// A number with a unit that is not known; the units there are.
    UnknownUnit(String, &'static [&'static str]),
    /// More than the type holds; the largest there is.
    TooLarge(String, &'static str),
    /// A TTL with a fraction of a second.
    NotWholeSeconds(String),
    /// Neither an address nor a network.
    NotANetwork(String),
    /// A network with bits set behind its prefix; the network that was probably meant.
    HostBits(String, IpNet),
    /// Not an address.
    NotAnAddress(String),
    /// An address with a port where the port is a key of its own.
    AddressWithPort(String, IpAddr),
    /// A port behind a colon, which an IPv6 address has enough of.
    ColonPort(SocketAddr),
    /// A size EDNS cannot have here.
    PayloadSize(String),
    /// Not a port number.
    NotAPort(String),
    /// Not a domain name, and why.
    NotAName(String, crate::dns::NameError),
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionError::NotANumber(text, what, example) => {
                write!(f, "`{text}` is not {what}; write a number with its unit, such as {example}")
            }
            OptionError::NoUnit(text, units) => {
                write!(f, "`{text}` has no unit; write a unit behind it: {}", units.join(", "))
            }
            OptionError::UnknownUnit(text, units) => {
                let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
                let unit = text[digits.len()..].trim_start();
                match meant_unit(unit, units) {
                    Some(meant) => write!(f, "`{text}` has an unknown unit; did you mean `{digits}{meant}`?"),
                    None => write!(f, "`{text}` has an unknown unit; write one of {}", units.join(", ")),
                }
            }
            OptionError::TooLarge(text, largest) => {
                write!(f, "`{text}` is too large; write at most {largest}")
            }
            OptionError::NotWholeSeconds(text) => {
                write!(f, "`{text}` is no whole number of seconds; write s, m, h, d or w")
            }
            OptionError::NotANetwork(text) => {
                write!(f, "`{text}` is not a network; write an address or a prefix, such as 10.0.0.0/8")
            }
            OptionError::HostBits(text, network) => {
                let address = network.addr();
                let whole = text.split('/').next().unwrap_or(text);
                write!(f, "`{text}` has bits set behind its prefix; write {network}")?;
                write!(f, ", or {whole}/{} for the one address", if address.is_ipv4() { 32 } else { 128 })
            }
            OptionError::NotAnAddress(text) => {
                write!(f, "`{text}` is not an address; write an IPv4 or IPv6 address")
            }
            OptionError::AddressWithPort(text, address) => {
                write!(
                    f,
                    "`{text}` is an address with a port; write `address: {address}` and `port:` as two keys"
                )
            }
            OptionError::ColonPort(at) => {
                write!(f, "`{at}` has a port behind a colon; write `{}@{}`", at.ip(), at.port())
            }
            OptionError::PayloadSize(text) => {
                let (least, most) = (PayloadSize::LEAST, PayloadSize::MOST);
                write!(f, "`{text}` is not a payload size; write a number from {least} to {most}")
            }
            OptionError::NotAPort(text) => {
                write!(f, "`{text}` is not a port; write a number from 0 to 65535")
            }
            OptionError::NotAName(text, why) => {
                write!(f, "`{text}` is not a domain name: {why}; write a name such as example.org")
            }
        }
    }
}

impl std::error::Error for OptionError {}

/// The unit that begins most like what was written.
fn meant_unit(written: &str, units: &[&'static str]) -> Option<&'static str> {
    let alike = |unit: &str| {
        let pairs = unit.bytes().zip(written.bytes());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    units.iter().copied().filter(|unit| alike(unit) > 0).max_by_key(|unit| alike(unit))
}

/// Reads a scalar as text with `read`; `expecting` names what belongs there, for a list or a map found instead.
pub fn from_text<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    deserializer: D,
    expecting: &'static str,
    read: fn(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Text<T, E>(&'static str, fn(&str) -> Result<T, E>);

    impl<T, E: fmt::Display> Visitor<'_> for Text<T, E> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<X: Error>(self, text: &str) -> Result<T, X> {
            if text.is_empty() {
                return Err(X::invalid_type(Unexpected::Unit, &self));
            }
            (self.1)(text).map_err(X::custom)
        }
    }

    deserializer.deserialize_str(Text(expecting, read))
}

macro_rules! deserialize_from_text {
    ($type:ty, $expecting:literal, $read:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_text(deserializer, $expecting, $read)
            }
        }
    };
}

/// A key whose feature is not built: it is known, and takes only the values that say the feature is absent.
/// Which those are is said in one table, `config/check.rs`, before this is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotBuilt;

impl<'de> Deserialize<'de> for NotBuilt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NotBuilt, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| NotBuilt)
    }
}

/// An amount of memory: `256MiB`. The unit is always written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Bytes, OptionError> {
        const UNITS: &[&str] = &["B", "KiB", "MiB", "GiB", "TiB"];
        let (number, unit) = number_and_unit(text, UNITS, "an amount of memory", "256MiB")?;
        number
            .checked_mul(1 << (10 * unit))
            .map(Bytes)
            .ok_or_else(|| OptionError::TooLarge(text.to_owned(), "16777215TiB"))
    }
}

deserialize_from_text!(Bytes, "an amount of memory such as 256MiB", str::parse);

/// A length of time: `1800ms`, `30s`, `10m`, `1d`. The unit is always written, for zero too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub std::time::Duration);

impl Duration {
    /// Of whole seconds, for defaults.
    pub const fn from_secs(seconds: u64) -> Duration {
        Duration(std::time::Duration::from_secs(seconds))
    }
}

impl FromStr for Duration {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Duration, OptionError> {
        const UNITS: &[&str] = &["ms", "s", "m", "h", "d", "w"];
        const MILLISECONDS: [u64; 6] = [1, 1000, 60_000, 3_600_000, 86_400_000, 604_800_000];
        let (number, unit) = number_and_unit(text, UNITS, "a length of time", "30s or 10m")?;
        number
            .checked_mul(MILLISECONDS[unit])
            .map(|milliseconds| Duration(std::time::Duration::from_millis(milliseconds)))
            .ok_or_else(|| OptionError::TooLarge(text.to_owned(), "30500568904w"))
    }
}

deserialize_from_text!(Duration, "a length of time such as 30s or 10m", str::parse);

fn read_ttl(text: &str) -> Result<Ttl, OptionError> {
    let Duration(duration) = text.parse()?;
    if duration.subsec_nanos() != 0 {
        return Err(OptionError::NotWholeSeconds(text.to_owned()));
    }
    if duration.as_secs() > u64::from(Ttl::MAX.seconds()) {
        return Err(OptionError::TooLarge(text.to_owned(), "2147483647s"));
    }
    Ok(Ttl::saturating(duration.as_secs()))
}

deserialize_from_text!(Ttl, "a length of time such as 30s or 10m", read_ttl);

/// The number, and which of `units` follows it.
fn number_and_unit(
    text: &str,
    units: &'static [&'static str],
    what: &'static str,
    example: &'static str,
) -> Result<(u64, usize), OptionError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(OptionError::NotANumber(text.to_owned(), what, example));
    }
    if unit.is_empty() {
        return Err(OptionError::NoUnit(text.to_owned(), units));
    }
    let Some(unit) = units.iter().position(|known| *known == unit) else {
        return Err(OptionError::UnknownUnit(text.to_owned(), units));
    };
    let number =
        number.parse().map_err(|_| OptionError::TooLarge(text.to_owned(), "18446744073709551615"))?;
    Ok((number, unit))
}

/// An address or a prefix. IPv4 in IPv6 clothes (`::ffff:10.0.0.0/104`) is taken as the IPv4 it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// Address and prefix length.
    pub fn net(self) -> IpNet {
        self.0
    }

    /// The lowest and the highest address.
    pub fn bounds(self) -> (IpAddr, IpAddr) {
        (self.0.network(), self.0.broadcast())
    }

    fn new(net: IpNet) -> Network {
        const MAPPED_BITS: u8 = 96;
        match net.addr() {
            IpAddr::V6(address) if net.prefix_len() >= MAPPED_BITS => match address.to_ipv4_mapped() {
                Some(v4) => {
                    Network(IpNet::new_assert(IpAddr::V4(v4), net.prefix_len().saturating_sub(MAPPED_BITS)))
                }
                None => Network(net),
            },
            _ => Network(net),
        }
    }
}

impl FromStr for Network {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Network, OptionError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Network::new(address.into()));
        }
        let net: IpNet = text.parse().map_err(|_| OptionError::NotANetwork(text.to_owned()))?;
        match net.trunc() {
            truncated if truncated == net => Ok(Network::new(net)),
            truncated => Err(OptionError::HostBits(text.to_owned(), truncated)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

deserialize_from_text!(Network, "a network such as 10.0.0.0/8", str::parse);

/// One address, without a port: the port is a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(pub IpAddr);

impl FromStr for Address {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Address, OptionError> {
        if let Ok(address) = text.parse() {
            return Ok(Address(address));
        }
        let with_port = text.parse().map(|socket: SocketAddr| socket.ip()).ok().or_else(|| {
            let before = text.split('@').next().filter(|before| before.len() < text.len());
            before.and_then(|address| address.parse().ok())
        });
        let in_brackets = || {
            let inner = text.strip_prefix('[')?.strip_suffix(']')?;
            inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        };
        Err(match with_port.or_else(in_brackets) {
            Some(address) => OptionError::AddressWithPort(text.to_owned(), address),
            None => OptionError::NotAnAddress(text.to_owned()),
        })
    }
}

deserialize_from_text!(Address, "an address such as 127.0.0.1", str::parse);

/// `ADDR` or `ADDR@PORT`, as servers and listeners are named in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressPort {
    /// The address.
    pub address: IpAddr,
    /// The port, when it was written.
    pub port: Option<u16>,
}

impl FromStr for AddressPort {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<AddressPort, OptionError> {
        let (address, port) = match text.split_once('@') {
            Some((address, port)) => (address, Some(port)),
            None => (text, None),
        };
        let address = address.parse().map_err(|_| match text.parse() {
            Ok(socket) => OptionError::ColonPort(socket),
            Err(_) => OptionError::NotAnAddress(text.to_owned()),
        })?;
        let port = port.map(|port| port.parse().map_err(|_| OptionError::NotAPort(port.to_owned())));
        Ok(AddressPort { address, port: port.transpose()? })
    }
}

/// Octets of the largest UDP message, as EDNS tells it (RFC 6891 6.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PayloadSize(u16);

impl PayloadSize {
    const LEAST: u16 = 512; // RFC 6891 6.2.3: lower values count as 512.
    const MOST: u16 = 4096; // RFC 6891 6.2.5: the largest a server should start with.

    /// Fragments begin above this (RFC 9715).
    pub const DEFAULT: PayloadSize = PayloadSize(crate::limits::UDP_PAYLOAD);

    /// In octets.
    pub const fn octets(self) -> u16 {
        self.0
    }
}

impl FromStr for PayloadSize {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<PayloadSize, OptionError> {
        match text.parse() {
            Ok(octets @ PayloadSize::LEAST..=PayloadSize::MOST) => Ok(PayloadSize(octets)),
            _ => Err(OptionError::PayloadSize(text.to_owned())),
        }
    }
}

deserialize_from_text!(PayloadSize, "a number of octets", str::parse);

fn read_name(text: &str) -> Result<Name, OptionError> {
    text.parse().map_err(|why| OptionError::NotAName(text.to_owned(), why))
}

deserialize_from_text!(Name, "a domain name", read_name);

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome<T: FromStr<Err = OptionError> + fmt::Debug>(text: &str) -> Result<T, String> {
        text.parse().map_err(|error: OptionError| error.to_string())
    }

    #[test]
    fn memory_is_written_with_its_unit() {
        for (text, octets) in [("0B", 0), ("4KiB", 4096), ("256MiB", 256 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(outcome(text), Ok(Bytes(octets)), "{text}");
        }
        for (text, says) in [
            ("256", "`256` has no unit; write a unit behind it: B, KiB, MiB, GiB, TiB"),
            ("256MB", "`256MB` has an unknown unit; did you mean `256MiB`?"),
            ("1parsec", "`1parsec` has an unknown unit; write one of B, KiB, MiB, GiB, TiB"),
            ("lots", "`lots` is not an amount of memory; write a number with its unit, such as 256MiB"),
            ("16777216TiB", "`16777216TiB` is too large; write at most 16777215TiB"),
        ] {
            assert_eq!(outcome::<Bytes>(text), Err(says.into()), "{text}");
        }
    }

    #[test]
    fn time_is_written_with_its_unit() {
        for (text, milliseconds) in [("0ms", 0), ("1800ms", 1800), ("30s", 30_000), ("1d", 86_400_000)] {
            let wanted = Duration(std::time::Duration::from_millis(milliseconds));
            assert_eq!(outcome(text), Ok(wanted), "{text}");
        }
        for (text, says) in [
            ("0", "`0` has no unit"),
            ("30 s", "`30 s` has an unknown unit; did you mean `30s`?"),
            ("5min", "did you mean `5m`?"),
            ("5msec", "did you mean `5ms`?"),
            ("5x6", "write one of ms, s, m"),
            ("true", "`true` is not a length of time"),
            ("99999999999999999999s", "is too large"),
            ("30500568905w", "is too large"),
        ] {
            let got = outcome::<Duration>(text).expect_err(text);
            assert!(got.contains(says), "{text}: {got}");
        }
        assert_eq!(outcome::<Duration>("30500568904w").map(|d| d.0.as_secs()), Ok(30_500_568_904 * 604_800));
        assert_eq!(read_ttl("1d").map(Ttl::seconds), Ok(86_400));
        assert_eq!(read_ttl("1800ms"), Err(OptionError::NotWholeSeconds("1800ms".into())));
        assert_eq!(read_ttl("2147483648s"), Err(OptionError::TooLarge("2147483648s".into(), "2147483647s")));
    }

    #[test]
    fn networks_have_no_bits_behind_their_prefix() {
        for (text, printed) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("fd00::/8", "fd00::/8"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(outcome::<Network>(text).map(|n| n.to_string()), Ok(printed.into()), "{text}");
        }
        assert_eq!(
            outcome::<Network>("10.0.0.1/8"),
            Err("`10.0.0.1/8` has bits set behind its prefix; write 10.0.0.0/8, or 10.0.0.1/32 for the one address"
                .into())
        );
        assert!(outcome::<Network>("10.0.0.0/33").is_err());
        assert!(outcome::<Network>("lan").is_err());
    }

    #[test]
    fn addresses_and_ports() {
        assert!(outcome::<Address>("::1").is_ok());
        for text in ["127.0.0.1:53", "[::1]:53", "::1@53", "[::1]"] {
            let got = outcome::<Address>(text).expect_err(text);
            assert!(got.contains("as two keys"), "{got}");
        }
        assert!(outcome::<Address>("localhost").expect_err("a name").contains("is not an address"));
        let port = |text| outcome::<AddressPort>(text).map(|at| (at.address.to_string(), at.port));
        assert_eq!(port("::1"), Ok(("::1".into(), None)));
        assert_eq!(port("192.0.2.1@5300"), Ok(("192.0.2.1".into(), Some(5300))));
        assert_eq!(port("::1@70000"), Err("`70000` is not a port; write a number from 0 to 65535".into()));
        assert_eq!(port("[::1]:53"), Err("`[::1]:53` has a port behind a colon; write `::1@53`".into()));
        assert!(outcome::<PayloadSize>("512").is_ok());
        assert!(outcome::<PayloadSize>("4096").is_ok());
        assert!(outcome::<PayloadSize>("511").is_err());
        assert!(outcome::<PayloadSize>("4097").is_err());
    }
}
