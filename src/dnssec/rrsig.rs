//! RRSIG records: what a signature says it covers, and when it is valid (RFC 4034 section 3).

use crate::dns::{NameRef, RrType, Serial};

use super::algorithms::Algorithm;
use super::verify::Unverified;

/// RDATA of an RRSIG record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rrsig<'a> {
    /// The type of the RRset that it covers.
    pub type_covered: RrType,
    /// How it was made.
    pub algorithm: Algorithm,
    /// Labels of the owner as it was signed, root and wildcard not counted.
    pub labels: u8,
    /// The TTL that the RRset has in its zone, in seconds as signed; see [`crate::dns::Ttl::from_wire`].
    pub original_ttl: u32,
    /// The last second it is valid, since 1970 modulo 2^32.
    pub expiration: u32,
    /// The first second it is valid, since 1970 modulo 2^32.
    pub inception: u32,
    /// The tag of the key that made it.
    pub key_tag: u16,
    /// The zone that made it, in the case it was written.
    pub signer: NameRef<'a>,
    /// The signature itself.
    pub signature: &'a [u8],
}

/// Octets of RDATA before the signer's name.
pub(super) const FIXED_OCTETS: usize = 18;

/// How a point in time relates to the period a signature is valid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// It lies within.
    Valid,
    /// It comes before the inception.
    NotYetValid,
    /// It comes after the expiration, or the period ends before it begins.
    Expired,
}

impl<'a> Rrsig<'a> {
    /// None when it is cut short or the signer's name is not one. A signature of no octets is read; it verifies nothing.
    pub fn parse(rdata: &'a [u8]) -> Option<Rrsig<'a>> {
        let (fixed, rest) = rdata.split_first_chunk::<FIXED_OCTETS>()?;
        let (signer, signature) = NameRef::split_from(rest).ok()?;
        let u16_at = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let u32_at = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        Some(Rrsig {
            type_covered: RrType(u16_at(0)),
            algorithm: Algorithm(fixed[2]),
            labels: fixed[3],
            original_ttl: u32_at(4),
            expiration: u32_at(8),
            inception: u32_at(12),
            key_tag: u16_at(16),
            signer,
            signature,
        })
    }

    /// Whether it is valid at that time, give or take `skew_seconds`: clocks differ. Both ends belong to the period.
    pub fn period(&self, unix_seconds: u64, skew_seconds: u32) -> Period {
        // RFC 4034 3.1.5: serial arithmetic, so that the period is found in the 68 years around now.
        let now = unix_seconds as u32;
        if Serial(self.inception).is_after(Serial(self.expiration)) {
            return Period::Expired;
        }
        if seconds_after(now, self.expiration) > i64::from(skew_seconds) {
            Period::Expired
        } else if seconds_after(self.inception, now) > i64::from(skew_seconds) {
            Period::NotYetValid
        } else {
            Period::Valid
        }
    }

    /// Seconds of validity that are left at that time, none after the expiration (RFC 4035 5.3.3: no TTL goes beyond).
    pub fn seconds_left(&self, unix_seconds: u64) -> u32 {
        seconds_after(self.expiration, unix_seconds as u32).try_into().unwrap_or(0)
    }

    /// None when the label count says that `owner` itself was signed; else the owner was made from a wildcard, the closest
    /// encloser is returned, and that nothing closer exists remains to be proven (RFC 4035 5.3.4). An owner with fewer
    /// labels than the count is an error (RFC 4035 5.3.1).
    pub fn closest_encloser<'n>(&self, owner: NameRef<'n>) -> Result<Option<NameRef<'n>>, Unverified> {
        let labels = usize::from(self.labels);
        // RFC 4034 3.1.3: a leftmost asterisk is not counted.
        let owner_labels = owner.label_count() - usize::from(owner.is_wildcard());
        match labels.cmp(&owner_labels) {
            std::cmp::Ordering::Equal => Ok(None),
            std::cmp::Ordering::Less => Ok(Some(owner.trim_to(labels))),
            std::cmp::Ordering::Greater => Err(Unverified::Labels),
        }
    }
}

/// From `b` to `a` (RFC 1982 3.2); negative when `a` comes first. Times 2^31 apart have no order and count as past.
fn seconds_after(a: u32, b: u32) -> i64 {
    i64::from(a.wrapping_sub(b) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    fn rrsig(labels: u8, inception: u32, expiration: u32) -> Rrsig<'static> {
        Rrsig {
            type_covered: RrType::A,
            algorithm: Algorithm::ED25519,
            labels,
            original_ttl: 3600,
            expiration,
            inception,
            key_tag: 1,
            signer: NameRef::ROOT,
            signature: b"",
        }
    }

    #[test]
    fn rdata_is_read_to_its_last_field_or_not_at_all() {
        let rdata = b"\0\x01\x0d\x02\0\0\x0e\x10\0\0\0\x02\0\0\0\x01\x12\x34\x07Example\0sig";
        let rrsig = Rrsig::parse(rdata).unwrap();
        assert_eq!((rrsig.type_covered, rrsig.algorithm), (RrType::A, Algorithm::ECDSAP256SHA256));
        assert_eq!((rrsig.labels, rrsig.original_ttl, rrsig.key_tag), (2, 3600, 0x1234));
        assert_eq!((rrsig.inception, rrsig.expiration), (1, 2));
        assert_eq!((rrsig.signer.to_string().as_str(), rrsig.signature), ("Example.", &b"sig"[..]));
        for length in 0..rdata.len() - 3 {
            assert_eq!(Rrsig::parse(&rdata[..length]), None, "{length}");
        }
        assert_eq!(Rrsig::parse(&rdata[..rdata.len() - 3]).unwrap().signature, b"");
    }

    #[test]
    fn periods_have_both_ends_and_wrap_around() {
        use Period::*;
        const ROUND: u64 = 1 << 32;
        for (inception, expiration, now, skew, want) in [
            (100, 200, 99, 0, NotYetValid),
            (100, 200, 100, 0, Valid),
            (100, 200, 200, 0, Valid),
            (100, 200, 201, 0, Expired),
            (100, 200, 90, 10, Valid),
            (100, 200, 89, 10, NotYetValid),
            (100, 200, 210, 10, Valid),
            (100, 200, 211, 10, Expired),
            (100, 200, ROUND + 150, 0, Valid),
            (0xffff_ff00, 0x100, ROUND - 1, 0, Valid),
            (0xffff_ff00, 0x100, ROUND, 0, Valid),
            (0xffff_ff00, 0x100, ROUND + 0x101, 0, Expired),
            (0xffff_ff00, 0x100, 0xffff_feff, 0, NotYetValid),
            // Ends before it begins: no skew helps.
            (200, 199, 199, 3600, Expired),
            (200, 200, 200, 0, Valid),
            // 2^31 apart there is no order, and no validity.
            (100, 200, 200 + (1 << 31), 0, NotYetValid),
            (100, 200, 150, u32::MAX, Valid),
        ] {
            let found = rrsig(0, inception, expiration).period(now, skew);
            assert_eq!(found, want, "{inception} {expiration} {now} {skew}");
        }
    }

    #[test]
    fn what_is_left_of_a_signature_bounds_a_ttl() {
        for (now, want) in [(100, 100), (199, 1), (200, 0), (201, 0), (1 << 32, 200)] {
            assert_eq!(rrsig(0, 0, 200).seconds_left(now), want, "{now}");
        }
    }

    #[test]
    fn label_counts_tell_wildcards() {
        for (owner, labels, want) in [
            ("www.example.", 2, Ok(None)),
            ("www.example.", 1, Ok(Some("example."))),
            ("www.example.", 0, Ok(Some("."))),
            ("www.example.", 3, Err(Unverified::Labels)),
            ("*.example.", 1, Ok(None)),
            ("*.example.", 2, Err(Unverified::Labels)),
            ("*.a.example.", 1, Ok(Some("example."))),
            ("a.*.example.", 3, Ok(None)),
            (".", 0, Ok(None)),
            (".", 255, Err(Unverified::Labels)),
            ("*.", 0, Ok(None)),
        ] {
            let owner: Name = owner.parse().unwrap();
            let found = rrsig(labels, 0, 0).closest_encloser(owner.as_ref());
            let found = found.map(|name| name.map(|name| name.to_string()));
            assert_eq!(found, want.map(|name: Option<&str>| name.map(str::to_owned)), "{owner} {labels}");
        }
    }
}
