//! Hashed owner names (RFC 5155 section 5).

use sha1::{Digest, Sha1};

use crate::dns::name::MAX_NAME_OCTETS;
use crate::dns::{NameBuf, NameRef};

/// The only hash algorithm there is: SHA-1 (RFC 5155 11).
const SHA_1: u8 = 1;
/// Octets of a SHA-1 hash.
pub const HASH_OCTETS: usize = 20;
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
        let mut folded = [0; MAX_NAME_OCTETS];
        let folded = &mut folded[..name.octet_count()];
        folded.copy_from_slice(name.octets());
        // RFC 5155 5: the owner name in canonical form.
        folded.make_ascii_lowercase();
        let mut hash = self.round(folded);
        for _ in 0..self.iterations {
            hash = self.round(&hash);
        }
        OwnerHash(hash)
    }

    fn round(&self, octets: &[u8]) -> [u8; HASH_OCTETS] {
        Sha1::new().chain_update(octets).chain_update(&self.salt).finalize().into()
    }
}

/// The hash of an owner name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnerHash(pub [u8; HASH_OCTETS]);

impl OwnerHash {
    /// The owner name of the NSEC3 record of this hash in the zone `apex`, made in `buf`. None where the zone's own name
    /// leaves no room for it; such a zone has no NSEC3 records.
    pub fn owner<'b>(self, apex: NameRef<'_>, buf: &'b mut NameBuf) -> Option<NameRef<'b>> {
        let mut label = [0; HASH_OCTETS / 5 * 8];
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
