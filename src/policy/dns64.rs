//! DNS64 (RFC 6147): IPv6 addresses made of IPv4 addresses, for clients that reach IPv4 through a translator.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv6Net};

use crate::dns::{Answer, AnswerRrset, Name, NameRef, QuestionRef, Rcode, RecordsBuf, RrType, Rrset, Ttl};

/// The time a synthesised address may be kept when the zone does not say how long it has no other (RFC 6147 5.1.7).
const TTL_WITHOUT_SOA: Ttl = Ttl::saturating(600);
/// RFC 6052 2.1: of everybody, so it never stands before addresses that only some can reach (3.1).
const WELL_KNOWN: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

/// A prefix IPv4 addresses are reached under, of one of the lengths of RFC 6052 2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nat64Prefix(Ipv6Net);

impl Nat64Prefix {
    /// The prefix; none for a network that cannot be one.
    pub fn new(network: IpNet) -> Option<Nat64Prefix> {
        let IpNet::V6(network) = network else { return None };
        let is_whole =
            network.trunc() == network && matches!(network.prefix_len(), 32 | 40 | 48 | 56 | 64 | 96);
        // Bits 64 to 71 are zero in all of them (RFC 6052 2.2).
        (is_whole && network.addr().octets()[8] == 0).then_some(Nat64Prefix(network))
    }

    /// The address a translator makes of an IPv4 address (RFC 6052 2.2); none for one it must not (3.1).
    pub fn embed(self, address: Ipv4Addr) -> Option<Ipv6Addr> {
        let is_local = address.is_private() || address.is_loopback() || address.is_link_local();
        if self.0.addr() == WELL_KNOWN && (is_local || address.is_unspecified()) {
            return None;
        }
        let mut octets = self.0.addr().octets();
        for (place, octet) in self.places().zip(address.octets()) {
            octets[place] = octet;
        }
        Some(octets.into())
    }

    /// The IPv4 address in an address with this prefix.
    pub fn extract(self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        if !self.0.contains(&address) {
            return None;
        }
        let mut octets = [0; 4];
        for (octet, place) in octets.iter_mut().zip(self.places()) {
            *octet = address.octets()[place];
        }
        Some(octets.into())
    }

    /// Where the octets of the IPv4 address stand: behind the prefix, and never in octet 8.
    fn places(self) -> impl Iterator<Item = usize> {
        (usize::from(self.0.prefix_len() / 8)..16).filter(|place| *place != 8).take(4)
    }

    /// Whether the client of a question may be given synthesised addresses: not one that validates by itself
    /// (RFC 6147 5.5: DO and CD), to which they are forgeries.
    pub fn serves(self, question: QuestionRef<'_>, dnssec_ok: bool, checking_disabled: bool) -> bool {
        question.rr_type == RrType::AAAA && !(dnssec_ok && checking_disabled)
    }

    /// Whether an answer to a question for AAAA leaves the client without an address: none in it, or only some that are
    /// of no use (RFC 6147 5.1.1 to 5.1.4). NXDOMAIN is an answer (5.1.2); any other failure counts as none.
    pub fn is_wanting(self, answer: &Answer<'_>) -> bool {
        let has_address = answer
            .answer
            .iter()
            .map(AnswerRrset::rrset)
            .any(|rrset| rrset.rr_type == RrType::AAAA && !rrset.records.iter().all(is_excluded));
        answer.rcode != Rcode::NXDOMAIN && !has_address
    }

    /// The answer to a question for AAAA made of that for A; none when there is no address in it. `aaaa` is the answer
    /// that was found wanting.
    pub fn synthesise(self, aaaa: &Answer<'_>, a: &Answer<'_>) -> Option<Answer<'static>> {
        if a.rcode != Rcode::NOERROR {
            return None;
        }
        // RFC 6147 5.1.7: no longer than it is known that there is no other address.
        let soa = aaaa.authority.iter().find(|rrset| rrset.rrset().rr_type == RrType::SOA);
        let longest = soa.map_or(TTL_WITHOUT_SOA, |soa| soa.ttl);
        let mut answer = Answer { authoritative: a.authoritative, ..Answer::empty(Rcode::NOERROR) };
        let mut has_address = false;
        for rrset in a.answer.iter().map(AnswerRrset::rrset) {
            let made = match rrset.rr_type {
                RrType::A => {
                    let addresses = rrset.records.iter().filter_map(|rdata| {
                        let address = Ipv4Addr::from(<[u8; 4]>::try_from(rdata).ok()?);
                        self.embed(address).map(|address| address.octets())
                    });
                    let addresses: Vec<_> = addresses.collect();
                    if addresses.is_empty() {
                        continue;
                    }
                    has_address = true;
                    let records: RecordsBuf = addresses.iter().map(|octets| &octets[..]).collect();
                    let ttl = rrset.ttl.min(longest);
                    Rrset::new(rrset.owner.to_name(), RrType::AAAA, ttl, records, RecordsBuf::new())
                }
                // RFC 6147 5.1.5: the aliases on the way stay.
                _ => rrset.to_rrset(),
            };
            answer.answer.push(AnswerRrset::shared(Arc::new(made)));
        }
        has_address.then_some(answer)
    }

    /// The alias of a reverse name below the prefix: that of the IPv4 address (RFC 6147 5.3.1).
    pub fn reverse(self, name: NameRef<'_>) -> Option<Name> {
        let suffix = b"\x03ip6\x04arpa\0";
        // 32 nibbles, each a label of its own.
        let nibbles = name.octets().strip_suffix_ignoring_case(suffix).filter(|octets| octets.len() == 64)?;
        let mut octets = [0u8; 16];
        for (place, label) in nibbles.as_chunks::<2>().0.iter().enumerate() {
            let [1, digit] = label else { return None };
            let nibble = char::from(*digit).to_digit(16)? as u8;
            octets[15 - place / 2] |= nibble << (4 * (place % 2));
        }
        let [a, b, c, d] = self.extract(octets.into())?.octets();
        format!("{d}.{c}.{b}.{a}.in-addr.arpa.").parse().ok()
    }
}

/// Addresses that serve no one who needs DNS64 (RFC 6147 5.1.4): IPv4 ones in the dress of IPv6.
fn is_excluded(rdata: &[u8]) -> bool {
    <[u8; 16]>::try_from(rdata).is_ok_and(|octets| Ipv6Addr::from(octets).to_ipv4_mapped().is_some())
}

/// The one thing a slice lacks here.
trait StripSuffix {
    fn strip_suffix_ignoring_case(&self, suffix: &[u8]) -> Option<&[u8]>;
}

impl StripSuffix for [u8] {
    fn strip_suffix_ignoring_case(&self, suffix: &[u8]) -> Option<&[u8]> {
        let (front, back) = self.split_at_checked(self.len().checked_sub(suffix.len())?)?;
        back.eq_ignore_ascii_case(suffix).then_some(front)
    }
}

/// A CNAME from one name to another, as an answer begins with it.
pub fn alias(from: NameRef<'_>, to: &Name) -> AnswerRrset<'static> {
    let records: RecordsBuf = [to.octets()].into_iter().collect();
    let cname = Rrset::new(from.to_name(), RrType::CNAME, TTL_WITHOUT_SOA, records, RecordsBuf::new());
    AnswerRrset::shared(Arc::new(cname))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Option<Nat64Prefix> {
        Nat64Prefix::new(text.parse().unwrap())
    }

    #[test]
    fn addresses_are_embedded_as_rfc_6052_2_4_shows() {
        let address: Ipv4Addr = "192.0.2.33".parse().unwrap();
        for (network, want) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
            ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
        ] {
            let prefix = prefix(network).unwrap();
            let embedded = prefix.embed(address).unwrap();
            assert_eq!(embedded, want.parse::<Ipv6Addr>().unwrap(), "{network}");
            assert_eq!(prefix.extract(embedded), Some(address), "{network}");
        }
        for network in ["10.0.0.0/8", "2001:db8::/33", "::/0", "2001:db8:0:0:ff00::/96"] {
            assert_eq!(prefix(network), None, "{network}");
        }
    }

    #[test]
    fn the_well_known_prefix_stands_before_no_private_address() {
        let (well_known, own) = (prefix("64:ff9b::/96").unwrap(), prefix("2001:db8::/96").unwrap());
        for (address, is_embedded) in [("10.1.2.3", false), ("127.0.0.1", false), ("192.0.2.1", true)] {
            let address = address.parse().unwrap();
            assert_eq!(well_known.embed(address).is_some(), is_embedded, "{address}");
            assert!(own.embed(address).is_some(), "{address}");
        }
    }

    #[test]
    fn reverse_names_below_the_prefix_lead_to_those_of_the_ipv4_address() {
        let prefix = prefix("64:ff9b::/96").unwrap();
        let below = "1.2.2.0.0.0.0.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.B.9.F.F.4.6.0.0.ip6.ARPA.";
        for (name, want) in [
            (below, Some("33.2.0.192.in-addr.arpa.")),
            (&below[2..], None),
            (&below.replace("4.6.0.0", "4.6.0.1"), None),
            (&below.replace("B.9", "G.9"), None),
            ("ip6.arpa.", None),
            (".", None),
        ] {
            let name: Name = name.parse().unwrap();
            let led = prefix.reverse(name.as_ref()).map(|name| name.to_string());
            assert_eq!(led.as_deref(), want, "{name}");
        }
    }
}
