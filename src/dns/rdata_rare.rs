//! Fields of RDATA with parts of their own, in types few zones have.

use super::NameRef;
use super::rdata::gateway_octets;

/// The octets of a relay in their parts (RFC 8777 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relay<'a> {
    /// Whether a gateway may leave out the discovery message.
    pub discovery_optional: bool,
    /// 0 none, 1 an IPv4 address, 2 an IPv6 address, 3 a name.
    pub kind: u8,
    /// The relay as its kind says.
    pub relay: &'a [u8],
}

impl<'a> Relay<'a> {
    /// None for octets that are no relay.
    pub fn split_from(octets: &'a [u8]) -> Option<Relay<'a>> {
        let (first, relay) = octets.split_first()?;
        let kind = first & 0x7f;
        let whole = gateway_octets(kind, relay)? == relay.len();
        whole.then_some(Relay { discovery_optional: first & 0x80 != 0, kind, relay })
    }
}

/// The octets of a host identity in their parts (RFC 8005 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostIdentity<'a> {
    /// What kind of key it is.
    pub algorithm: u8,
    /// The host identity tag, not empty.
    pub tag: &'a [u8],
    /// The public key, not empty.
    pub key: &'a [u8],
    /// Names of rendezvous servers, one after the other.
    pub servers: &'a [u8],
}

impl<'a> HostIdentity<'a> {
    /// None for octets that are no host identity.
    pub fn split_from(octets: &'a [u8]) -> Option<HostIdentity<'a>> {
        let ([tag_length, algorithm, high, low], rest) = octets.split_first_chunk::<4>()?;
        let (tag, rest) = rest.split_at_checked(usize::from(*tag_length))?;
        let (key, servers) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        let valid = !tag.is_empty() && !key.is_empty() && names(servers).all(|name| name.is_some());
        valid.then_some(HostIdentity { algorithm: *algorithm, tag, key, servers })
    }
}

/// Names one after the other to the end; none once where there is no name.
pub fn names(octets: &[u8]) -> impl Iterator<Item = Option<NameRef<'_>>> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = NameRef::split_from(rest).ok();
        rest = split.map_or(&[], |(_, after)| after);
        Some(split.map(|(name, _)| name))
    })
}

/// The octets of an A6 record in their parts (RFC 2874 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitAddress<'a> {
    /// Bits of the address that are not here, at most 128.
    pub prefix_length: u8,
    /// The whole address, with zeros for these bits.
    pub suffix: [u8; 16],
    /// The name that has the prefix, unless there are no such bits.
    pub prefix_name: Option<NameRef<'a>>,
}

impl<'a> SplitAddress<'a> {
    /// None for octets that are no such address.
    pub fn split_from(octets: &'a [u8]) -> Option<SplitAddress<'a>> {
        let (&prefix_length, rest) = octets.split_first()?;
        if prefix_length > 128 {
            return None;
        }
        let absent = usize::from(prefix_length / 8);
        let (present, rest) = rest.split_at_checked(16 - absent)?;
        let mut suffix = [0; 16];
        suffix[absent..].copy_from_slice(present);
        let prefix_name = match prefix_length {
            0 => None,
            _ => Some(NameRef::from_wire(rest).ok()?),
        };
        let ends = prefix_length > 0 || rest.is_empty();
        let address = SplitAddress { prefix_length, suffix, prefix_name };
        (ends && address.is_padded()).then_some(address)
    }

    /// RFC 2874 3.1.1: the bits of the prefix in the first octet of the suffix are zero.
    pub fn is_padded(&self) -> bool {
        u128::from_be_bytes(self.suffix) & !u128::MAX.checked_shr(u32::from(self.prefix_length)).unwrap_or(0)
            == 0
    }
}

/// A protocol, and ports to the last one (RFC 1035 3.4.2).
pub(super) fn is_services(octets: &[u8]) -> bool {
    const PORT_OCTETS: usize = 65_536 / 8;
    octets.split_first().is_some_and(|(_, ports)| ports.len() <= PORT_OCTETS && ports.last() != Some(&0))
}

/// RFC 2535 5.2: one bitmap; bit 0 would say that it is of another form.
pub(super) fn is_low_types(octets: &[u8]) -> bool {
    octets.len() <= 16 && octets.last() != Some(&0) && octets.first().is_none_or(|first| first & 0x80 == 0)
}

/// One octet for the form and an address of that form.
pub(super) fn is_atm_address(octets: &[u8]) -> bool {
    match octets.split_first() {
        Some((0, address)) => !address.is_empty(),
        Some((1, address)) => !address.is_empty() && address.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split_as_their_prefix_length_says() {
        for (octets, good) in [
            (&[&[0][..], &[1; 16]].concat()[..], true),
            (&[&[0][..], &[1; 17]].concat(), false),
            (&[&[0][..], &[1; 15]].concat(), false),
            (b"\x80\x01a\0", true),
            (b"\x80", false),
            (b"\x81\0", false),
            (b"\x7c\x0f\0", true),
            (b"\x7c\x1f\0", false),
            (b"\x78\xff\x01a\0", true),
            (b"\x78\xff\x01a\0\0", false),
        ] {
            assert_eq!(SplitAddress::split_from(octets).is_some(), good, "{octets:?}");
        }
    }

    #[test]
    fn identities_and_relays_end_with_their_octets() {
        for (octets, good) in [
            (&b"\x01\x02\0\x01ab"[..], true),
            (b"\x01\x02\0\x01ab\x01a\0\0", true),
            (b"\x01\x02\0\x01ab\x01a", false),
            (b"\0\x02\0\x01b", false),
            (b"\x01\x02\0\0a", false),
            (b"\x01\x02\0\x02ab", false),
        ] {
            assert_eq!(HostIdentity::split_from(octets).is_some(), good, "{octets:?}");
        }
        for (octets, good) in [
            (&b"\x80"[..], true),
            (b"\0\0", false),
            (b"\x01\xc0\0\x02\x01", true),
            (b"\x83\x01a\0", true),
            (b"\x83\x01a\0\0", false),
            (b"\x04", false),
            (b"", false),
        ] {
            assert_eq!(Relay::split_from(octets).is_some(), good, "{octets:?}");
        }
    }
}
