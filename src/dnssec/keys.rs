//! The keys of a zone, and the digests by which its parent names them (RFC 4034 sections 2 and 5).

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384};

use crate::dns::NameRef;
use crate::dns::name::MAX_NAME_OCTETS;

use super::algorithms::{Algorithm, DigestType};

/// RDATA of a DNSKEY record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dnskey<'a> {
    /// What the key is for.
    pub flags: u16,
    /// Always 3 in a key that counts (RFC 4034 2.1.2).
    pub protocol: u8,
    /// What it verifies.
    pub algorithm: Algorithm,
    /// In the form of its algorithm; not looked at before it is used.
    pub public_key: &'a [u8],
    /// All of it.
    pub rdata: &'a [u8],
}

const ZONE_KEY: u16 = 0x0100;
const SECURE_ENTRY_POINT: u16 = 0x0001;
const REVOKED: u16 = 0x0080;
const DNSSEC_PROTOCOL: u8 = 3;

impl<'a> Dnskey<'a> {
    /// None when it is cut short. A key of no octets is read, and is of no use to [`super::verify()`].
    pub fn parse(rdata: &'a [u8]) -> Option<Dnskey<'a>> {
        let ([high, low, protocol, algorithm], public_key) = rdata.split_first_chunk::<4>()?;
        let flags = u16::from_be_bytes([*high, *low]);
        Some(Dnskey { flags, protocol: *protocol, algorithm: Algorithm(*algorithm), public_key, rdata })
    }

    /// A number by which signatures and delegations point to the key; other keys may have the same.
    pub fn key_tag(&self) -> u16 {
        if self.algorithm == Algorithm::RSAMD5 {
            // RFC 4034 appendix B.1: the upper two of the last three octets, which end the modulus.
            return match self.public_key {
                [.., high, low, _] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            };
        }
        // RFC 4034 appendix B. RDATA of 65,535 octets adds up to less than 2^31.
        let sum = self.rdata.chunks(2).fold(0u32, |sum, pair| {
            sum + u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
        });
        (sum + (sum >> 16)) as u16
    }

    /// Whether it may sign the records of a zone (RFC 4034 2.1.1 and 2.1.2).
    pub fn is_zone_key(&self) -> bool {
        self.flags & ZONE_KEY != 0 && self.protocol == DNSSEC_PROTOCOL
    }

    /// Whether its zone means it for the parent to name. A hint only: RFC 4034 2.1.1 forbids validators to look.
    pub fn is_sep(&self) -> bool {
        self.flags & SECURE_ENTRY_POINT != 0
    }

    /// Whether its zone has given it up (RFC 5011 section 3).
    pub fn is_revoked(&self) -> bool {
        self.flags & REVOKED != 0
    }
}

/// RDATA of a DS record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ds<'a> {
    /// The tag of the key it names.
    pub key_tag: u16,
    /// The algorithm of that key.
    pub algorithm: Algorithm,
    /// How the digest is made.
    pub digest_type: DigestType,
    /// The digest of owner and key.
    pub digest: &'a [u8],
}

impl<'a> Ds<'a> {
    /// None when it is cut short.
    pub fn parse(rdata: &'a [u8]) -> Option<Ds<'a>> {
        let ([high, low, algorithm, digest_type], digest) = rdata.split_first_chunk::<4>()?;
        Some(Ds {
            key_tag: u16::from_be_bytes([*high, *low]),
            algorithm: Algorithm(*algorithm),
            digest_type: DigestType(*digest_type),
            digest,
        })
    }

    /// Whether it could name that key: tag and algorithm agree. Costs no digest.
    pub fn points_to(&self, key: &Dnskey<'_>) -> bool {
        self.algorithm == key.algorithm && self.key_tag == key.key_tag()
    }

    /// Whether it names that key of that zone: tag, algorithm and digest agree. Costs a digest only when tag and
    /// algorithm do.
    pub fn is_of(&self, owner: NameRef<'_>, key: &Dnskey<'_>) -> bool {
        self.points_to(key)
            && digest(owner, key, self.digest_type).is_some_and(|digest| digest == self.digest)
    }
}

/// The digest of a key and the name of its zone (RFC 4034 5.1.4), none for a type that is not known here.
pub fn digest(owner: NameRef<'_>, key: &Dnskey<'_>, digest_type: DigestType) -> Option<Vec<u8>> {
    let mut context = Context::new(match digest_type {
        DigestType::SHA1 => &SHA1_FOR_LEGACY_USE_ONLY,
        DigestType::SHA256 => &SHA256,
        DigestType::SHA384 => &SHA384,
        _ => return None,
    });
    let mut folded = [0; MAX_NAME_OCTETS];
    let folded = &mut folded[..owner.octet_count()];
    folded.copy_from_slice(owner.octets());
    folded.make_ascii_lowercase();
    context.update(folded);
    context.update(key.rdata);
    Some(context.finish().as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_one_by_one() {
        for (flags, protocol, zone, sep, revoked) in [
            (0x0100, 3, true, false, false),
            (0x0101, 3, true, true, false),
            (0x0181, 3, true, true, true),
            (0x0100, 2, false, false, false),
            (0x0001, 3, false, true, false),
            (0xfe7e, 3, false, false, false),
        ] {
            let [high, low] = u16::to_be_bytes(flags);
            let rdata = [high, low, protocol, 13, 1];
            let key = Dnskey::parse(&rdata).unwrap();
            assert_eq!((key.is_zone_key(), key.is_sep(), key.is_revoked()), (zone, sep, revoked), "{key:?}");
        }
    }

    #[test]
    fn tags_are_sums_but_for_algorithm_1() {
        for (rdata, want) in [
            (&b"\x01\0\x03\x0d"[..], 0x040d),
            (b"\x01\0\x03\x0d\x02", 0x060d),
            // The sum has a carry.
            (b"\x01\0\x03\x0d\xff\xff", 0x040d),
            (b"\x01\0\x03\x01\x03\x01\0\x01\xaa\xbb\xcc", 0xaabb),
            (b"\x01\0\x03\x01\xaa\xbb", 0),
        ] {
            assert_eq!(Dnskey::parse(rdata).unwrap().key_tag(), want, "{rdata:?}");
        }
        assert_eq!(
            Dnskey::parse(&[255; 65_535]).unwrap().key_tag(),
            0xff00,
            "the largest RDATA does not overflow"
        );
    }

    #[test]
    fn what_is_cut_short_is_no_key_and_no_delegation() {
        for length in 0..4 {
            assert_eq!(Dnskey::parse(&[1; 4][..length]), None);
            assert_eq!(Ds::parse(&[1; 4][..length]), None);
        }
        assert_eq!(Dnskey::parse(b"\x01\0\x03\x0d").unwrap().public_key, b"");
        let key = Dnskey::parse(b"\x01\0\x03\x0dkey").unwrap();
        let tag = key.key_tag().to_be_bytes();
        for digest_type in [0, 1, 2, 3, 4, 255] {
            let rdata = [tag[0], tag[1], 13, digest_type];
            let ds = Ds::parse(&rdata).unwrap();
            assert!(ds.points_to(&key) && !ds.is_of(NameRef::ROOT, &key), "no digest is no proof");
        }
    }
}
