//! NSEC records, and the type bitmaps they share with NSEC3 (RFC 4034 section 4).

use crate::dns::rdata::split_field;
use crate::dns::rdata_table::Field;
use crate::dns::{NameRef, RrType};

/// The RDATA of an NSEC record.
#[derive(Debug, Clone, Copy)]
pub struct Nsec<'a> {
    /// The next name of the zone that has an NSEC record; the apex after the last.
    pub next: NameRef<'a>,
    /// The types at the owner name.
    pub types: TypeBitmap<'a>,
}

impl<'a> Nsec<'a> {
    /// From RDATA. None when it is malformed.
    pub fn read(rdata: &'a [u8]) -> Option<Nsec<'a>> {
        let (next, types) = NameRef::split_from(rdata).ok()?;
        Some(Nsec { next, types: TypeBitmap::read(types)? })
    }
}

/// A well-formed type bitmap (RFC 4034 4.1.2): which types a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeBitmap<'a> {
    octets: &'a [u8],
}

impl<'a> TypeBitmap<'a> {
    /// From the octets at the end of RDATA. None when they are malformed.
    pub fn read(octets: &'a [u8]) -> Option<TypeBitmap<'a>> {
        split_field(Field::Types, octets).ok()?;
        Some(TypeBitmap { octets })
    }

    /// Whether there is no type, as of an empty non-terminal.
    pub fn is_empty(self) -> bool {
        self.octets.is_empty()
    }

    /// Whether the bit of a type is set.
    pub fn has(self, rr_type: RrType) -> bool {
        let [wanted, low] = rr_type.0.to_be_bytes();
        let mut rest = self.octets;
        while let [window, length, after @ ..] = rest {
            let (bits, after) = after.split_at_checked(usize::from(*length)).unwrap_or((after, &[]));
            if *window == wanted {
                return bits.get(usize::from(low / 8)).is_some_and(|octet| octet & (0x80 >> (low % 8)) != 0);
            }
            rest = after;
        }
        false
    }

    /// Whether the name is a delegation, seen from its parent zone: NS without SOA (RFC 6840 4.1).
    pub fn is_delegation(self) -> bool {
        self.has(RrType::NS) && !self.has(RrType::SOA)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dns::rdata::bitmap_types;

    /// The example of RFC 4034 4.3: A, MX, RRSIG, NSEC and TYPE1234.
    const RFC_4034: &[u8] =
        b"\x04host\x07example\x03com\0\0\x06\x40\x01\0\0\0\x03\x04\x1b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x20";

    #[test]
    fn the_example_of_rfc_4034_is_read() {
        let nsec = Nsec::read(RFC_4034).unwrap();
        assert_eq!(nsec.next.to_string(), "host.example.com.");
        for rr_type in [RrType::A, RrType::MX, RrType::RRSIG, RrType::NSEC, RrType(1234)] {
            assert!(nsec.types.has(rr_type), "{rr_type}");
        }
        for rr_type in
            [RrType::NS, RrType::AAAA, RrType(1233), RrType(1235), RrType(1234 + 256), RrType(65_535)]
        {
            assert!(!nsec.types.has(rr_type), "{rr_type}");
        }
        assert!(!nsec.types.is_empty());
    }

    #[test]
    fn malformed_records_are_not_read() {
        for bad in [
            &b""[..],
            b"\x01",
            b"\0\0",
            b"\0\0\0",
            b"\0\0\x02\x40",
            b"\0\0\x01\0",
            b"\0\x01\x01\x40\0\x01\x40",
        ] {
            assert!(Nsec::read(bad).is_none(), "{bad:?}");
        }
        assert!(Nsec::read(b"\0").unwrap().types.is_empty());
    }

    #[test]
    fn a_delegation_is_ns_without_soa() {
        // NS is type 2, SOA is type 6.
        for (octet, want) in [(0x20, true), (0x22, false), (0x02, false), (0x40, false)] {
            assert_eq!(TypeBitmap::read(&[0, 1, octet]).unwrap().is_delegation(), want, "{octet}");
        }
    }

    proptest! {
        #[test]
        fn a_bit_is_set_where_the_walk_over_all_finds_it(
            octets in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                proptest::collection::btree_map(any::<u8>(), proptest::collection::vec(1u8.., 1..33), 0..4).prop_map(|windows| {
                    let octets = |(window, bits): (u8, Vec<u8>)| [&[window, bits.len() as u8][..], &bits].concat();
                    windows.into_iter().flat_map(octets).collect()
                }),
            ],
            others in proptest::collection::vec(any::<u16>(), 20),
        ) {
            if let Some(types) = TypeBitmap::read(&octets) {
                let all: Vec<RrType> = bitmap_types(&octets).collect();
                prop_assert!(all.iter().all(|rr_type| types.has(*rr_type)));
                for other in others.into_iter().map(RrType) {
                    prop_assert_eq!(types.has(other), all.contains(&other));
                }
            }
        }
    }
}
