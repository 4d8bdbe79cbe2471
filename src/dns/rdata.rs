//! RDATA in wire form, uncompressed: split into the fields of the table, and checked by it.

use std::fmt;

use super::rdata_rare::{self, HostIdentity, Relay, SplitAddress};
use super::rdata_table::{Field, fixed_octets, format_of};
use super::svc_params::{self, SvcParamsError};
use super::{NameError, NameRef, RrType};

/// Why octets are not RDATA of their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RdataError {
    /// More than 65,535 octets (RFC 1035 3.2.1).
    TooLong,
    /// The octets end before or inside this field.
    Truncated(Field),
    /// Octets are left over after the last field.
    Trailing,
    /// A name is not one.
    Name(NameError),
    /// A field has octets its format does not allow.
    Malformed(Field),
    /// SvcParams do not obey RFC 9460.
    SvcParams(SvcParamsError),
    /// A digest has not the length its algorithm gives it.
    DigestLength {
        /// What it has.
        found: usize,
        /// What it should have.
        wanted: usize,
    },
}

impl fmt::Display for RdataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RdataError::TooLong => f.write_str("the RDATA has more than 65535 octets"),
            RdataError::Truncated(field) => write!(f, "the RDATA ends where {} is expected", field.noun()),
            RdataError::Trailing => f.write_str("the RDATA goes on after its last field"),
            RdataError::Name(error) => error.fmt(f),
            RdataError::Malformed(field) => write!(f, "the RDATA has octets that are not {}", field.noun()),
            RdataError::SvcParams(error) => error.fmt(f),
            RdataError::DigestLength { found, wanted } => {
                write!(f, "the digest has {found} octets, but its algorithm makes {wanted}")
            }
        }
    }
}

impl std::error::Error for RdataError {}

impl From<NameError> for RdataError {
    fn from(error: NameError) -> RdataError {
        RdataError::Name(error)
    }
}

impl From<SvcParamsError> for RdataError {
    fn from(error: SvcParamsError) -> RdataError {
        RdataError::SvcParams(error)
    }
}

/// Whether `rdata`, names uncompressed, is of the format of its type to the last octet. Types without a format
/// are opaque (RFC 3597 section 4) and may hold anything. Each octet is looked at a fixed number of times.
pub fn check(rr_type: RrType, rdata: &[u8]) -> Result<(), RdataError> {
    if rdata.len() > usize::from(u16::MAX) {
        return Err(RdataError::TooLong);
    }
    let Some(format) = format_of(rr_type) else {
        return Ok(());
    };
    let mut rest = rdata;
    for field in format.fields {
        (_, rest) = split_field(*field, rest)?;
    }
    if rest.is_empty() { Ok(()) } else { Err(RdataError::Trailing) }
}

/// Takes one field off the front of RDATA: its octets, length octets included, and what follows.
pub fn split_field(field: Field, octets: &[u8]) -> Result<(&[u8], &[u8]), RdataError> {
    let malformed = RdataError::Malformed(field);
    let split_at = |at: usize| octets.split_at_checked(at).ok_or(RdataError::Truncated(field));
    let counted = || match octets.first() {
        Some(length) => split_at(1 + usize::from(*length)),
        None => Err(RdataError::Truncated(field)),
    };
    let to_the_end = |valid: bool| if valid { Ok((octets, &[][..])) } else { Err(malformed) };
    if let Some(size) = fixed_octets(field) {
        let split = split_at(size)?;
        return if field == Field::Location && !is_location(split.0) { Err(malformed) } else { Ok(split) };
    }
    match field {
        Field::CompressibleName | Field::FoldedName | Field::PlainName => {
            let (name, rest) = NameRef::split_from(octets)?;
            Ok((name.octets(), rest))
        }
        Field::Text | Field::Salt => counted(),
        Field::HashedName => {
            counted().and_then(|split| if split.0[0] > 0 { Ok(split) } else { Err(malformed) })
        }
        Field::CaaTag => {
            counted().and_then(|split| if is_caa_tag(&split.0[1..]) { Ok(split) } else { Err(malformed) })
        }
        Field::Hex | Field::Base64 | Field::Texts | Field::Nsap if octets.is_empty() => {
            Err(RdataError::Truncated(field))
        }
        Field::Texts => to_the_end(character_strings(octets).all(|string| string.is_some())),
        Field::OptionalText => {
            to_the_end(octets.split_first().is_none_or(|(length, text)| usize::from(*length) == text.len()))
        }
        Field::Types => to_the_end(is_bitmap(octets)),
        Field::LowTypes => to_the_end(rdata_rare::is_low_types(octets)),
        Field::SvcParams => {
            svc_params::check(octets)?;
            to_the_end(true)
        }
        Field::Prefixes => to_the_end(prefixes(octets).all(|prefix| prefix.is_some())),
        Field::Gateway => to_the_end(Gateway::split_from(octets).is_some()),
        Field::Relay => to_the_end(Relay::split_from(octets).is_some()),
        Field::Services => to_the_end(rdata_rare::is_services(octets)),
        Field::HostIdentity => to_the_end(HostIdentity::split_from(octets).is_some()),
        Field::SplitAddress => to_the_end(SplitAddress::split_from(octets).is_some()),
        Field::AtmAddress => to_the_end(rdata_rare::is_atm_address(octets)),
        _ => to_the_end(true),
    }
}

/// The character-strings of a [`Field::Texts`], without their length octets; none once where they are cut short.
pub fn character_strings(octets: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first()?;
        match after.split_at_checked(usize::from(*length)) {
            Some((string, after)) => {
                rest = after;
                Some(Some(string))
            }
            None => {
                rest = &[];
                Some(None)
            }
        }
    })
}

/// The types in a type bitmap, in order. Octets that are no bitmap end the walk.
pub fn bitmap_types(octets: &[u8]) -> impl Iterator<Item = RrType> {
    let windows = std::iter::successors(split_window(octets), |(_, _, rest)| split_window(rest));
    windows.flat_map(|(window, bits, _)| {
        (0..bits.len() * 8)
            .filter(|bit| bits[bit / 8] & (0x80 >> (bit % 8)) != 0)
            .map(move |bit| RrType(u16::from(window) << 8 | bit as u16))
    })
}

/// RFC 4034 4.1.2: windows in increasing order, one to 32 octets each, without trailing zeros.
fn is_bitmap(octets: &[u8]) -> bool {
    let mut rest = octets;
    let mut last = None;
    while !rest.is_empty() {
        let Some((window, bits, after)) = split_window(rest) else {
            return false;
        };
        if last >= Some(window) || bits.last() == Some(&0) {
            return false;
        }
        last = Some(window);
        rest = after;
    }
    true
}

fn split_window(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([window, length], rest) = octets.split_first_chunk::<2>()?;
    let (bits, rest) = rest.split_at_checked(usize::from(*length))?;
    (1..=32).contains(length).then_some((*window, bits, rest))
}

/// RFC 8659 4.1: letters and digits, at least one.
fn is_caa_tag(tag: &[u8]) -> bool {
    !tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric)
}

/// RFC 1876 section 2: version 0, sizes of two decimal digits, angles within the globe.
fn is_location(octets: &[u8]) -> bool {
    const MIDDLE: u32 = 1 << 31;
    const DEGREE: u32 = 3_600_000;
    let angle =
        |at: usize| octets[at..].first_chunk().map_or(0, |four| u32::from_be_bytes(*four)).abs_diff(MIDDLE);
    let is_size = |size: &u8| size & 15 < 10 && size >> 4 < 10 && (size >> 4 > 0 || *size == 0);
    octets[0] == 0 && octets[1..4].iter().all(is_size) && angle(4) <= 90 * DEGREE && angle(8) <= 180 * DEGREE
}

/// One item of an address prefix list (RFC 3123 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix<'a> {
    /// 1 for IPv4, 2 for IPv6.
    pub family: u16,
    /// Leading bits that count.
    pub length: u8,
    /// Whether the prefix is excepted.
    pub negated: bool,
    /// The address without its trailing zero octets.
    pub address: &'a [u8],
}

/// The items of a [`Field::Prefixes`]; none once where one is malformed. RFC 3123 section 4: trailing zero octets of
/// an address are left out, and only the two IP families are defined.
pub fn prefixes(octets: &[u8]) -> impl Iterator<Item = Option<Prefix<'_>>> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = split_prefix(rest);
        rest = split.map_or(&[], |(_, after)| after);
        Some(split.map(|(prefix, _)| prefix))
    })
}

fn split_prefix(octets: &[u8]) -> Option<(Prefix<'_>, &[u8])> {
    let ([family_high, family_low, length, flags], rest) = octets.split_first_chunk::<4>()?;
    let (address, rest) = rest.split_at_checked(usize::from(flags & 0x7f))?;
    let family = u16::from_be_bytes([*family_high, *family_low]);
    let most = match family {
        1 => 4,
        2 => 16,
        _ => return None,
    };
    let fits = address.len() <= most && usize::from(*length) <= most * 8 && address.last() != Some(&0);
    fits.then_some((Prefix { family, length: *length, negated: flags & 0x80 != 0, address }, rest))
}

/// The octets of a [`Field::Gateway`] in their parts (RFC 4025 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gateway<'a> {
    /// 0 none, 1 an IPv4 address, 2 an IPv6 address, 3 a name.
    pub kind: u8,
    /// What kind of key follows.
    pub algorithm: u8,
    /// The gateway as its kind says.
    pub gateway: &'a [u8],
    /// The public key, empty for none.
    pub key: &'a [u8],
}

impl<'a> Gateway<'a> {
    /// None for octets that are no gateway.
    pub fn split_from(octets: &'a [u8]) -> Option<Gateway<'a>> {
        let ([kind, algorithm], rest) = octets.split_first_chunk::<2>()?;
        let (gateway, key) = rest.split_at_checked(gateway_octets(*kind, rest)?)?;
        Some(Gateway { kind: *kind, algorithm: *algorithm, gateway, key })
    }
}

/// How many octets a gateway or relay of that kind has at the front of `rest`; none for other kinds and bad names.
pub(super) fn gateway_octets(kind: u8, rest: &[u8]) -> Option<usize> {
    match kind {
        0 => Some(0),
        1 => Some(4),
        2 => Some(16),
        3 => NameRef::split_from(rest).ok().map(|(name, _)| name.octet_count()),
        _ => None,
    }
}

/// Whether checked RDATA makes sense: a digest has the length its algorithm makes (algorithms not known here may have
/// any), and a KEY has a key unless its flags say that there is none. A zone file with such a mistake is refused; a record
/// from elsewhere is merely of no use to anyone.
pub fn check_sense(rr_type: RrType, rdata: &[u8]) -> Result<(), RdataError> {
    // RFC 2535 3.1.2: both of the first two flags.
    if let (RrType::KEY, [flags, _, _, _]) = (rr_type, rdata)
        && flags & 0xc0 != 0xc0
    {
        return Err(RdataError::Truncated(Field::Base64));
    }
    // RFC 4034 5.1, RFC 4509, RFC 6605; RFC 4255 3.1.2, RFC 6594; RFC 8976 2.2.3.
    let (algorithm, begin, lengths): (usize, usize, &[(u8, usize)]) = match rr_type {
        RrType::DS | RrType::CDS | RrType::DLV | RrType::TA => (3, 4, &[(1, 20), (2, 32), (4, 48)]),
        RrType::SSHFP => (1, 2, &[(1, 20), (2, 32)]),
        RrType::ZONEMD => (5, 6, &[(1, 48), (2, 64)]),
        _ => return Ok(()),
    };
    let found = rdata.len().saturating_sub(begin);
    let known = lengths.iter().find(|(number, _)| rdata.get(algorithm) == Some(number));
    match known {
        Some((_, wanted)) if *wanted != found => Err(RdataError::DigestLength { found, wanted: *wanted }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::rdata_table::TABLE;
    use proptest::prelude::*;

    #[test]
    fn rdata_has_its_format_to_the_last_octet() {
        use Field::*;
        use RdataError::*;
        for (rr_type, rdata, want) in [
            (RrType::A, &b"\xc0\0\x02\x01"[..], Ok(())),
            (RrType::A, b"\xc0\0\x02", Err(Truncated(Ipv4))),
            (RrType::A, b"\xc0\0\x02\x01\0", Err(Trailing)),
            (RrType::MX, b"\0\x0a\x01a\0", Ok(())),
            (RrType::MX, b"\0\x0a\x01a", Err(Name(NameError::Truncated))),
            (RrType::MX, b"\0\x0a\xc0\x0c", Err(Name(NameError::BadLabelType))),
            (RrType::TXT, b"\x01a\0\x01b", Ok(())),
            (RrType::TXT, b"\x01a\x02b", Err(Malformed(Texts))),
            (RrType::TXT, b"", Err(Truncated(Texts))),
            (RrType::HINFO, b"\x01a", Err(Truncated(Text))),
            (RrType::CAA, b"\0\x05issue", Ok(())),
            (RrType::CAA, b"\0\0x", Err(Malformed(CaaTag))),
            (RrType::CAA, b"\0\x02i-x", Err(Malformed(CaaTag))),
            (RrType::NSEC, b"\0", Ok(())),
            (RrType::NSEC, b"\0\0\x01\x40\x01\x01\x80", Ok(())),
            (RrType::NSEC, b"\0\0\x01\x40\0\x01\x80", Err(Malformed(Types))),
            (RrType::NSEC, b"\0\0\x02\x40\0", Err(Malformed(Types))),
            (RrType::NSEC, b"\0\0\0", Err(Malformed(Types))),
            (RrType::NSEC, b"\0\0\x21aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Err(Malformed(Types))),
            (RrType::NSEC3, b"\x01\0\0\0\0\x01a", Ok(())),
            (RrType::NSEC3, b"\x01\0\0\0\0\0", Err(Malformed(HashedName))),
            (RrType::DNSKEY, b"\x01\0\x03\x0d", Err(Truncated(Base64))),
            (RrType::LOC, &[0, 0x12, 0x16, 0x13, 128, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0], Ok(())),
            (RrType::LOC, &[1, 0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0], Err(Malformed(Location))),
            (RrType::LOC, &[0, 1, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0], Err(Malformed(Location))),
            (RrType::LOC, &[0, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0], Err(Malformed(Location))),
            (RrType::APL, b"", Ok(())),
            (RrType::APL, b"\0\x01\x18\x83\xc0\0\x02", Ok(())),
            (RrType::APL, b"\0\x01\x21\0", Err(Malformed(Prefixes))),
            (RrType::APL, b"\0\x01\x18\x02\xc0\0", Err(Malformed(Prefixes))),
            (RrType::APL, b"\0\x03\0\0", Err(Malformed(Prefixes))),
            (RrType::IPSECKEY, b"\x0a\x03\x02\x01a\0key", Ok(())),
            (RrType::IPSECKEY, b"\x0a\x01\x02\x01a", Err(Malformed(Gateway))),
            (RrType::IPSECKEY, b"\x0a\x04\x02", Err(Malformed(Gateway))),
            (RrType::SVCB, b"\0\x01\0\0\x03\0\x02\x01\xbb", Ok(())),
            (
                RrType::SVCB,
                b"\0\x01\0\0\x03\0\x02\x01",
                Err(RdataError::SvcParams(SvcParamsError::Truncated)),
            ),
            (RrType::ISDN, b"\x01a", Ok(())),
            (RrType::ISDN, b"\x01a\x01b", Ok(())),
            (RrType::ISDN, b"\x01a\x01b\0", Err(Malformed(OptionalText))),
            (RrType::ISDN, b"\x01a\x02b", Err(Malformed(OptionalText))),
            (RrType::WKS, b"\x0a\0\0\x01\x06\0\x40", Ok(())),
            (RrType::WKS, b"\x0a\0\0\x01\x06\0", Err(Malformed(Services))),
            (RrType::NXT, b"\0\x40\x01", Ok(())),
            (RrType::NXT, b"\0\x80", Err(Malformed(LowTypes))),
            (RrType::ATMA, b"\x01123", Ok(())),
            (RrType::ATMA, b"\x01x", Err(Malformed(AtmAddress))),
            (RrType::NSAP, b"", Err(Truncated(Nsap))),
            (RrType::KEY, b"\xc0\0\x03\x05", Ok(())),
            (RrType::IPN, b"\0\0\0\0\0\0\0", Err(Truncated(NodeNumber))),
            (RrType::DSYNC, b"\0\x3b\x01\x14\xef\x01a\0", Ok(())),
            (RrType(65_280), b"anything", Ok(())),
        ] {
            assert_eq!(check(rr_type, rdata), want, "{rr_type} {rdata:?}");
        }
        assert_eq!(check(RrType(65_280), &vec![0; 65_536]), Err(TooLong));
        assert_eq!(check(RrType(65_280), &vec![0; 65_535]), Ok(()));
    }

    #[test]
    fn digests_and_keys_make_sense() {
        let digest = |head: &[u8], length| [head, &vec![0; length]].concat();
        for (rr_type, rdata, good) in [
            (RrType::DS, digest(&[0, 1, 13, 2], 32), true),
            (RrType::DS, digest(&[0, 1, 13, 2], 20), false),
            (RrType::DS, digest(&[0, 1, 13, 1], 20), true),
            (RrType::DS, digest(&[0, 1, 13, 4], 48), true),
            (RrType::DS, digest(&[0, 1, 13, 9], 1), true),
            (RrType::CDS, digest(&[0, 0, 0, 0], 1), true),
            (RrType::SSHFP, digest(&[1, 2], 20), false),
            (RrType::ZONEMD, digest(&[0, 0, 0, 1, 1, 1], 48), true),
            (RrType::ZONEMD, digest(&[0, 0, 0, 1, 1, 2], 48), false),
            (RrType::KEY, vec![0xc0, 0, 3, 5], true),
            (RrType::KEY, vec![0x80, 0, 3, 5], false),
            (RrType::KEY, vec![0x80, 0, 3, 5, 0], true),
        ] {
            assert_eq!(check_sense(rr_type, &rdata).is_ok(), good, "{rr_type} {rdata:?}");
        }
    }

    #[test]
    fn bitmaps_and_strings_are_walked() {
        let types: Vec<u16> = bitmap_types(b"\0\x02\x40\x01\xff\x01\x80").map(|rr_type| rr_type.0).collect();
        assert_eq!(types, [1, 15, 0xff00]);
        assert_eq!(bitmap_types(b"\0\x02\x40").count(), 0);
        let strings: Vec<Option<&[u8]>> = character_strings(b"\x01a\0\x02b").collect();
        assert_eq!(strings, [Some(&b"a"[..]), Some(b""), None]);
    }

    proptest! {
        #[test]
        fn arbitrary_octets_are_judged_and_fields_cover_what_passes(
            octets in prop::collection::vec(any::<u8>(), 0..64),
            format in prop::sample::select(TABLE),
        ) {
            let mut rest = &octets[..];
            let mut covered = Vec::new();
            for field in format.fields {
                let Ok((front, after)) = split_field(*field, rest) else {
                    prop_assert!(check(format.rr_type, &octets).is_err());
                    return Ok(());
                };
                covered.extend_from_slice(front);
                rest = after;
            }
            prop_assert_eq!(check(format.rr_type, &octets).is_ok(), covered == octets);
        }
    }
}
