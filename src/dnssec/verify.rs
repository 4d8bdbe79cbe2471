//! One signature by one key.

use std::fmt;

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents, VerificationAlgorithm,
};

use crate::dns::RrsetRef;

use super::algorithms::Algorithm;
use super::canonical::Canonical;
use super::keys::Dnskey;
use super::rrsig::Rrsig;
use super::small_rsa;

/// Why a signature proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// The key did not make it, or something was changed since.
    BadSignature,
    /// The key is none of its algorithm, or has a size that is not used.
    BadKey,
    /// It says that a name with more labels than the owner was signed (RFC 4035 5.3.1).
    Labels,
    /// It covers another type (RFC 4035 5.3.1).
    OtherType,
    /// It was made by a key with another tag or algorithm (RFC 4035 5.3.1).
    OtherKey,
    /// The algorithm is not known here; see [`Algorithm::is_supported`].
    UnknownAlgorithm,
    /// The RRset has more octets than are looked at; see [`crate::limits::SIGNED_OCTETS`].
    TooLong,
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unverified::BadSignature => "the signature does not fit the records",
            Unverified::BadKey => "the key cannot be used",
            Unverified::Labels => "the signature is for a name with more labels",
            Unverified::OtherType => "the signature covers another type",
            Unverified::OtherKey => "the signature was made by another key",
            Unverified::UnknownAlgorithm => "the algorithm is not supported",
            Unverified::TooLong => "the records are too many octets to verify",
        })
    }
}

impl std::error::Error for Unverified {}

/// Whether the key made the signature over exactly this RRset, or over the wildcard that it was made from. Nothing is
/// asked of time, nor of whose key it is and what it may sign. For several signatures of one RRset see [`Canonical`].
pub fn verify(rrset: RrsetRef<'_>, rrsig: &Rrsig<'_>, key: &Dnskey<'_>) -> Result<(), Unverified> {
    Canonical::of(rrset).verify(rrsig, key)
}

impl Canonical<'_> {
    /// As [`verify()`], without sorting the records again. Costs a public-key operation and a hash of all octets, unless
    /// the error is another than [`Unverified::BadSignature`].
    pub fn verify(&self, rrsig: &Rrsig<'_>, key: &Dnskey<'_>) -> Result<(), Unverified> {
        if rrsig.type_covered != self.rrset.rr_type {
            return Err(Unverified::OtherType);
        }
        if rrsig.algorithm != key.algorithm || rrsig.key_tag != key.key_tag() {
            return Err(Unverified::OtherKey);
        }
        let key = PublicKey::of(key)?;
        key.verify(&self.signed_octets(rrsig)?, rrsig.signature)
    }
}

/// A key in the form that the cryptography takes.
enum PublicKey<'a> {
    Parsed(ParsedPublicKey),
    Rsa(RsaKey<'a>),
}

impl<'a> PublicKey<'a> {
    fn of(key: &Dnskey<'a>) -> Result<PublicKey<'a>, Unverified> {
        let octets = key.public_key;
        match key.algorithm {
            Algorithm::RSASHA1 | Algorithm::RSASHA1_NSEC3_SHA1 => RsaKey::of(octets, RsaHash::Sha1),
            Algorithm::RSASHA256 => RsaKey::of(octets, RsaHash::Sha256),
            Algorithm::RSASHA512 => RsaKey::of(octets, RsaHash::Sha512),
            Algorithm::ECDSAP256SHA256 => PublicKey::on_curve(&ECDSA_P256_SHA256_FIXED, octets, 64),
            Algorithm::ECDSAP384SHA384 => PublicKey::on_curve(&ECDSA_P384_SHA384_FIXED, octets, 96),
            // RFC 8080 section 3.
            Algorithm::ED25519 if octets.len() == 32 => PublicKey::parsed(&ED25519, octets),
            Algorithm::ED25519 => Err(Unverified::BadKey),
            _ => Err(Unverified::UnknownAlgorithm),
        }
    }

    /// RFC 6605 section 4: the two coordinates alone, which SEC 1 writes behind a 4.
    fn on_curve(
        algorithm: &'static dyn VerificationAlgorithm,
        octets: &[u8],
        length: usize,
    ) -> Result<PublicKey<'a>, Unverified> {
        if octets.len() != length {
            return Err(Unverified::BadKey);
        }
        let mut point = [4; 1 + 96];
        point[1..=length].copy_from_slice(octets);
        PublicKey::parsed(algorithm, &point[..=length])
    }

    fn parsed(
        algorithm: &'static dyn VerificationAlgorithm,
        octets: &[u8],
    ) -> Result<PublicKey<'a>, Unverified> {
        ParsedPublicKey::new(algorithm, octets).map(PublicKey::Parsed).map_err(|_| Unverified::BadKey)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
        let is_good = match self {
            PublicKey::Parsed(key) => key.verify_sig(message, signature).is_ok(),
            PublicKey::Rsa(key) => key.verifies(message, signature),
        };
        if is_good { Ok(()) } else { Err(Unverified::BadSignature) }
    }
}

/// What an RSA signature is a signature of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RsaHash {
    Sha1,
    Sha256,
    Sha512,
}

/// Numbers without leading zeros, of sizes that are used.
struct RsaKey<'a> {
    exponent: &'a [u8],
    modulus: &'a [u8],
    hash: RsaHash,
}

/// Bits of a modulus (RFC 5702 2.1).
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 512..=4096;
/// From here on a modulus is one that aws-lc takes.
const STRONG_BITS: usize = 1024;
/// Bits of an exponent. RFC 3110 allows as many as the modulus has, which would make verifying as slow as signing; keys in use
/// have 3, 65537 or 4294967297.
const EXPONENT_BITS: usize = 33;

impl<'a> RsaKey<'a> {
    fn of(octets: &'a [u8], hash: RsaHash) -> Result<PublicKey<'a>, Unverified> {
        let key = RsaKey::split_from(octets, hash).ok_or(Unverified::BadKey)?;
        if key.is_sound() { Ok(PublicKey::Rsa(key)) } else { Err(Unverified::BadKey) }
    }

    /// RFC 3110 section 2: the length of the exponent in one octet, or in two after a zero; the exponent; the modulus.
    fn split_from(octets: &'a [u8], hash: RsaHash) -> Option<RsaKey<'a>> {
        let (length, rest) = match octets {
            [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            [0, ..] | [] => return None,
            [length, rest @ ..] => (usize::from(*length), rest),
        };
        let (exponent, modulus) = rest.split_at_checked(length)?;
        // RFC 3110 forbids leading zeros; they change no number, and keys with them were published.
        Some(RsaKey { exponent: without_zeros(exponent), modulus: without_zeros(modulus), hash })
    }

    fn is_sound(&self) -> bool {
        // RFC 5702 2.2.
        let least = if self.hash == RsaHash::Sha512 { STRONG_BITS } else { *MODULUS_BITS.start() };
        let bits = bits(self.modulus);
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        // An exponent of 1 would make every message its own signature.
        (least..=*MODULUS_BITS.end()).contains(&bits)
            && (2..=EXPONENT_BITS).contains(&self::bits(self.exponent))
            && is_odd(self.modulus)
            && is_odd(self.exponent)
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        if bits(self.modulus) < STRONG_BITS {
            return self.verifies_small(message, signature);
        }
        let parameters = match self.hash {
            RsaHash::Sha1 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            RsaHash::Sha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            RsaHash::Sha512 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        };
        let key = RsaPublicKeyComponents { n: self.modulus, e: self.exponent };
        key.verify(parameters, message, signature).is_ok()
    }

    fn verifies_small(&self, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, prefix) = match self.hash {
            RsaHash::Sha1 => (&SHA1_FOR_LEGACY_USE_ONLY, small_rsa::SHA1_PREFIX),
            RsaHash::Sha256 => (&SHA256, small_rsa::SHA256_PREFIX),
            RsaHash::Sha512 => return false,
        };
        let digest = digest::digest(algorithm, message);
        small_rsa::verifies(self.modulus, self.exponent, prefix, digest.as_ref(), signature)
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    &number[zeros..]
}

/// Of a number without leading zeros.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests;
