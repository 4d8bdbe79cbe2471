//! Which algorithms sign and digest, and which of them are verified here.

use std::fmt;

use crate::dns::rdata_table::ALGORITHMS;

/// A DNSSEC algorithm, its number in the IANA registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Algorithm(pub u8);

/// How the key of a delegation is digested, its number in the IANA registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigestType(pub u8);

/// What the operator accepts as a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Whether signatures and digests made with SHA-1 count. RFC 9905 advises against it, and so they do not by default.
    pub sha1: bool,
}

#[allow(missing_docs)]
impl Algorithm {
    pub const RSAMD5: Algorithm = Algorithm(1);
    pub const DSA: Algorithm = Algorithm(3);
    pub const RSASHA1: Algorithm = Algorithm(5);
    pub const DSA_NSEC3_SHA1: Algorithm = Algorithm(6);
    pub const RSASHA1_NSEC3_SHA1: Algorithm = Algorithm(7);
    pub const RSASHA256: Algorithm = Algorithm(8);
    pub const RSASHA512: Algorithm = Algorithm(10);
    pub const ECC_GOST: Algorithm = Algorithm(12);
    pub const ECDSAP256SHA256: Algorithm = Algorithm(13);
    pub const ECDSAP384SHA384: Algorithm = Algorithm(14);
    pub const ED25519: Algorithm = Algorithm(15);
    pub const ED448: Algorithm = Algorithm(16);
}

impl Algorithm {
    /// Whether signatures of this algorithm are verified. A zone signed with others only counts as not signed
    /// (RFC 4035 5.2, RFC 6840 5.2).
    pub fn is_supported(self, accepted: Accepted) -> bool {
        match self {
            Algorithm::RSASHA1 | Algorithm::RSASHA1_NSEC3_SHA1 => accepted.sha1,
            Algorithm::RSASHA256
            | Algorithm::RSASHA512
            | Algorithm::ECDSAP256SHA256
            | Algorithm::ECDSAP384SHA384
            | Algorithm::ED25519 => true,
            _ => false,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ALGORITHMS.iter().find(|(number, _)| *number == self.0) {
            Some((_, mnemonic)) => f.write_str(mnemonic),
            None => self.0.fmt(f),
        }
    }
}

#[allow(missing_docs)]
impl DigestType {
    pub const SHA1: DigestType = DigestType(1);
    pub const SHA256: DigestType = DigestType(2);
    pub const GOST: DigestType = DigestType(3);
    pub const SHA384: DigestType = DigestType(4);
}

impl DigestType {
    /// Whether digests of this type count. A delegation with others only is one to a zone that is not signed
    /// (RFC 4035 5.2, RFC 6840 5.2).
    pub fn is_supported(self, accepted: Accepted) -> bool {
        match self {
            DigestType::SHA1 => accepted.sha1,
            DigestType::SHA256 | DigestType::SHA384 => true,
            _ => false,
        }
    }
}

impl fmt::Display for DigestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            DigestType::SHA1 => f.write_str("SHA-1"),
            DigestType::SHA256 => f.write_str("SHA-256"),
            DigestType::GOST => f.write_str("GOST R 34.11-94"),
            DigestType::SHA384 => f.write_str("SHA-384"),
            DigestType(number) => number.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supported(sha1: bool, is_supported: fn(u8, Accepted) -> bool) -> Vec<u8> {
        (0..=u8::MAX).filter(|number| is_supported(*number, Accepted { sha1 })).collect()
    }

    #[test]
    fn sha_1_counts_only_where_the_operator_says_so() {
        let algorithms = |number, accepted| Algorithm(number).is_supported(accepted);
        assert_eq!(supported(false, algorithms), [8, 10, 13, 14, 15]);
        assert_eq!(supported(true, algorithms), [5, 7, 8, 10, 13, 14, 15]);
        let digests = |number, accepted| DigestType(number).is_supported(accepted);
        assert_eq!(supported(false, digests), [2, 4]);
        assert_eq!(supported(true, digests), [1, 2, 4]);
        assert_eq!(Accepted::default(), Accepted { sha1: false });
    }

    #[test]
    fn algorithms_are_shown_by_mnemonic_or_number() {
        for (number, want) in
            [(5, "RSASHA1"), (7, "RSASHA1-NSEC3-SHA1"), (13, "ECDSAP256SHA256"), (16, "ED448"), (200, "200")]
        {
            assert_eq!(Algorithm(number).to_string(), want);
        }
        assert_eq!(DigestType::SHA256.to_string(), "SHA-256");
        assert_eq!(DigestType(9).to_string(), "9");
    }
}
