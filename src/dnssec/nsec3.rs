//! Hashed owner names (RFC 5155 section 5).

use sha1::{Digest, Sha1};

use super::nsec::TypeBitmap;
use crate::dns::name::MAX_NAME_OCTETS;
use crate::dns::{NameBuf, NameRef};

/// The only hash algorithm there is: SHA-1 (RFC 5155 11).
const SHA_1: u8 = 1;
/// Octets of a SHA-1 hash.
pub const HASH_OCTETS: usize = 20;
/// Digits of that many octets in base32.
const HASH_DIGITS: usize = HASH_OCTETS / 5 * 8;
/// Octets of SHA-1's blocks, and those it adds at least behind what is hashed (RFC 3174 section 4).
const BLOCK_OCTETS: usize = 64;
/// See [`BLOCK_OCTETS`].
const PADDING_OCTETS: usize = 9;
/// Base32 with the extended hex alphabet, whose order is that of the octets it stands for (RFC 4648 section 7).
const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// How a zone hashes its owner names: the RDATA of NSEC3PARAM, and the front of that of its NSEC3 records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nsec3Params {
    /// Times the hash is hashed again. RFC 9276 3.1 wants 0.
    pub iterations: u16,
    /// What is added to each round. RFC 9276 3.1 wants none.
    pub salt: Box<[u8]>,
}

impl Nsec3Params {
    /// From the RDATA of NSEC3PARAM. None when it is malformed, of an unknown algorithm, or has flags, which say that the
    /// chain is not to be used (RFC 5155 4.1.2).
    pub fn from_nsec3param(rdata: &[u8]) -> Option<Nsec3Params> {
        match rdata {
            [SHA_1, 0, high, low, length, salt @ ..] if salt.len() == usize::from(*length) => {
                Some(Nsec3Params { iterations: u16::from_be_bytes([*high, *low]), salt: salt.into() })
            }
            _ => None,
        }
    }

    /// Whether a record with this RDATA belongs to the chain of these parameters.
    pub fn are_of_nsec3(&self, rdata: &[u8]) -> bool {
        match rdata {
            [SHA_1, _, high, low, length, rest @ ..] => {
                u16::from_be_bytes([*high, *low]) == self.iterations
                    && rest.get(..usize::from(*length)) == Some(&*self.salt)
            }
            _ => false,
        }
    }

    /// The hash of a name. Costs one more than the iterations.
    pub fn hash(&self, name: NameRef<'_>) -> OwnerHash {
        hash(name, self.iterations, &self.salt)
    }
}

/// The hash of a name; see [`Nsec3Params`].
pub(super) fn hash(name: NameRef<'_>, iterations: u16, salt: &[u8]) -> OwnerHash {
    let mut folded = [0; MAX_NAME_OCTETS];
    let folded = &mut folded[..name.octet_count()];
    folded.copy_from_slice(name.octets());
    // RFC 5155 5: the owner name in canonical form.
    folded.make_ascii_lowercase();
    let round = |octets: &[u8]| Sha1::new().chain_update(octets).chain_update(salt).finalize().into();
    let mut hash: [u8; HASH_OCTETS] = round(folded);
    for _ in 0..iterations {
        hash = round(&hash);
    }
    OwnerHash(hash)
}

/// How many blocks of SHA-1 the hash of a name costs. Time follows them, not the iterations alone: salt may be long.
pub(super) fn hash_blocks(name: NameRef<'_>, iterations: u16, salt: &[u8]) -> usize {
    let blocks = |octets: usize| (octets + salt.len() + PADDING_OCTETS).div_ceil(BLOCK_OCTETS);
    blocks(name.octet_count()) + usize::from(iterations) * blocks(HASH_OCTETS)
}

/// The RDATA of an NSEC3 record of the only hash algorithm there is (RFC 5155 3.2).
#[derive(Debug, Clone, Copy)]
pub struct Nsec3<'a> {
    /// Whether insecure delegations may be missing between this record and the next (RFC 5155 6).
    pub opt_out: bool,
    /// Times the hash is hashed again.
    pub iterations: u16,
    /// What is added to each round.
    pub salt: &'a [u8],
    /// The next hash of the chain; the first after the last.
    pub next: OwnerHash,
    /// The types at the name that was hashed.
    pub types: TypeBitmap<'a>,
}

impl<'a> Nsec3<'a> {
    /// From RDATA. None when it is malformed or one that validators must ignore, because of an unknown hash algorithm or
    /// flags other than opt-out (RFC 5155 8.1 and 8.2).
    pub fn read(rdata: &'a [u8]) -> Option<Nsec3<'a>> {
        let [SHA_1, flags @ (0 | 1), high, low, salt_octets, rest @ ..] = rdata else {
            return None;
        };
        let (salt, rest) = rest.split_at_checked(usize::from(*salt_octets))?;
        let (hash_octets, rest) = rest.split_first()?;
        let (next, types) = rest.split_first_chunk()?;
        (usize::from(*hash_octets) == HASH_OCTETS).then_some(())?;
        Some(Nsec3 {
            opt_out: *flags == 1,
            iterations: u16::from_be_bytes([*high, *low]),
            salt,
            next: OwnerHash(*next),
            types: TypeBitmap::read(types)?,
        })
    }
}

/// The hash of an owner name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnerHash(pub [u8; HASH_OCTETS]);

impl OwnerHash {
    /// The hash that a label is the text of: the first of an NSEC3 record's owner name, in any case.
    pub fn from_label(label: &[u8]) -> Option<OwnerHash> {
        let label: &[u8; HASH_DIGITS] = label.try_into().ok()?;
        let mut hash = [0; HASH_OCTETS];
        for (octets, digits) in hash.chunks_exact_mut(5).zip(label.chunks_exact(8)) {
            let bits = digits.iter().try_fold(0u64, |bits, digit| {
                let value = BASE32HEX.iter().position(|known| *known == digit.to_ascii_lowercase())?;
                Some(bits << 5 | value as u64)
            })?;
            octets.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        Some(OwnerHash(hash))
    }

    /// The owner name of the NSEC3 record of this hash in the zone `apex`, made in `buf`. None where the zone's own name
    /// leaves no room for it; such a zone has no NSEC3 records.
    pub fn owner<'b>(self, apex: NameRef<'_>, buf: &'b mut NameBuf) -> Option<NameRef<'b>> {
        let mut label = [0; HASH_DIGITS];
        for (digits, octets) in label.chunks_exact_mut(8).zip(self.0.chunks_exact(5)) {
            let bits = octets.iter().fold(0u64, |bits, octet| bits << 8 | u64::from(*octet));
            for (place, digit) in digits.iter_mut().enumerate() {
                *digit = BASE32HEX[(bits >> (35 - 5 * place)) as usize % 32];
            }
        }
        buf.push_label(&label).ok()?;
        buf.finish_with(apex).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    fn params(iterations: u16, salt: &[u8]) -> Nsec3Params {
        Nsec3Params { iterations, salt: salt.into() }
    }

    /// The names of RFC 5155 appendix A and their hashes.
    #[test]
    fn names_hash_as_in_rfc_5155() {
        let params = params(12, &[0xaa, 0xbb, 0xcc, 0xdd]);
        let apex: Name = "example.".parse().unwrap();
        for (name, want) in [
            ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("ai.example.", "gjeqe526plbf1g8mklp59enfd789njgi"),
            ("ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
            ("ns2.example.", "q04jkcevqvmu85r014c7dkba38o0ji5r"),
            ("w.example.", "k8udemvp1j2f7eg6jebps17vp3n8i58h"),
            ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
            ("X.w.example.", "b4um86eghhds6nea196smvmlo4ors995"),
            ("y.w.example.", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"),
            ("x.y.w.eXAMPLE.", "2vptu5timamqttgl4luu9kg21e0aor3s"),
            ("xx.example.", "t644ebqk9bibcna874givr6joj62mlhv"),
        ] {
            let hash = params.hash(name.parse::<Name>().unwrap().as_ref());
            let mut buf = NameBuf::new();
            let owner = hash.owner(apex.as_ref(), &mut buf).unwrap();
            assert_eq!(owner.to_string(), format!("{want}.example."), "{name}");
            assert_eq!(OwnerHash::from_label(want.to_uppercase().as_bytes()), Some(hash), "{name}");
        }
    }

    #[test]
    fn owners_sort_as_their_hashes() {
        let hashes: Vec<OwnerHash> =
            (0..200u8).map(|octet| OwnerHash([octet.wrapping_mul(151); HASH_OCTETS])).collect();
        for pair in hashes.windows(2) {
            let (mut a, mut b) = (NameBuf::new(), NameBuf::new());
            let a = pair[0].owner(NameRef::ROOT, &mut a).unwrap();
            let b = pair[1].owner(NameRef::ROOT, &mut b).unwrap();
            assert_eq!(a.cmp(&b), pair[0].cmp(&pair[1]));
        }
    }

    #[test]
    fn labels_that_are_no_hash_are_refused() {
        for bad in [&b""[..], &[b'0'; 31], &[b'0'; 33], &[b'w'; 32], &[b'='; 32], &[0xff; 32]] {
            assert_eq!(OwnerHash::from_label(bad), None, "{bad:?}");
        }
        assert_eq!(OwnerHash::from_label(&[b'v'; 32]), Some(OwnerHash([0xff; HASH_OCTETS])));
    }

    #[test]
    fn records_are_read_unless_they_must_be_ignored() {
        let rdata = |front: &[u8], types: &[u8]| [front, b"\x14", &[7; HASH_OCTETS], types].concat();
        let good = rdata(b"\x01\x01\0\x0a\x02\xab\xcd", b"\0\x01\x40");
        let nsec3 = Nsec3::read(&good).unwrap();
        assert!(nsec3.opt_out && nsec3.types.has(crate::dns::RrType::A));
        assert_eq!(
            (nsec3.iterations, nsec3.salt, nsec3.next),
            (10, &b"\xab\xcd"[..], OwnerHash([7; HASH_OCTETS]))
        );
        assert!(!Nsec3::read(&rdata(b"\x01\0\0\0\0", b"")).unwrap().opt_out);
        for (case, bad) in [
            ("unknown algorithm", rdata(b"\x02\0\0\0\0", b"")),
            ("other flags", rdata(b"\x01\x02\0\0\0", b"")),
            ("opt-out and other flags", rdata(b"\x01\x81\0\0\0", b"")),
            ("malformed types", rdata(b"\x01\0\0\0\0", b"\0\0")),
            ("long salt", rdata(b"\x01\0\0\0\xff", b"")),
            ("short hash", b"\x01\0\0\0\0\x01a".to_vec()),
            ("no hash", b"\x01\0\0\0\0".to_vec()),
        ] {
            assert!(Nsec3::read(&bad).is_none(), "{case}");
        }
    }

    #[test]
    fn a_hash_costs_the_blocks_of_its_rounds() {
        let name: Name = format!("{}.", "a".repeat(45)).parse().unwrap();
        for (iterations, salt, want) in
            [(0, 0, 1), (0, 8, 1), (0, 9, 2), (50, 0, 51), (50, 35, 52), (50, 36, 102), (1, 255, 10)]
        {
            assert_eq!(hash_blocks(name.as_ref(), iterations, &vec![0; salt]), want, "{iterations} {salt}");
        }
    }

    #[test]
    fn parameters_are_read_and_told_apart() {
        let salted = b"\x01\0\0\x0a\x02\xab\xcd";
        assert_eq!(Nsec3Params::from_nsec3param(salted), Some(params(10, b"\xab\xcd")));
        assert_eq!(Nsec3Params::from_nsec3param(b"\x01\0\0\0\0"), Some(params(0, b"")));
        for bad in [
            &b""[..],
            b"\x01\0\0\0",
            b"\x01\0\0\0\x01",
            b"\x01\0\0\0\0\0",
            b"\x02\0\0\0\0",
            b"\x01\x01\0\0\0",
        ] {
            assert_eq!(Nsec3Params::from_nsec3param(bad), None, "{bad:?}");
        }
        let params = params(10, b"\xab\xcd");
        assert!(params.are_of_nsec3(b"\x01\x01\0\x0a\x02\xab\xcd\x14hash"), "opt-out is no difference");
        for other in [
            &b"\x01\0\0\x0b\x02\xab\xcd"[..],
            b"\x01\0\0\x0a\x02\xab\xce",
            b"\x01\0\0\x0a\x01\xab",
            b"\x02\0\0\x0a\x02\xab\xcd",
        ] {
            assert!(!params.are_of_nsec3(other), "{other:?}");
        }
    }

    #[test]
    fn a_zone_without_room_for_a_hash_has_no_owner() {
        let long: Name = format!("{}.", ["a".repeat(55).as_str(); 4].join(".")).parse().unwrap();
        assert!(OwnerHash([0; HASH_OCTETS]).owner(long.as_ref(), &mut NameBuf::new()).is_none());
    }
}
