//! What an answer to the question for a zone's keys shows to those who follow them (RFC 5011 2.1 and 2.3).

use super::{Anchor, Look, ValidatedKeys};
use crate::cache::Security;
use crate::clock::Unix;
use crate::dns::{RrType, Rrset, Ttl};
use crate::dnssec::{Canonical, Dnskey, Period, Rrsig};
use crate::limits;
use crate::resolver::Resolution;

impl Look {
    /// Of an answer that was validated with these trust anchors of the zone.
    pub fn at(found: &Resolution, anchor: Option<&Anchor>, now: Unix) -> Look {
        let Some(rrset) = found.answer.iter().find(|rrset| rrset.rr_type == RrType::DNSKEY) else {
            return Look::default();
        };
        let mut signed = Signed { rrset, canonical: None, now };
        let revoked = signed.by(|key| key.is_revoked());
        let is_trusted =
            |key: &Dnskey<'_>| !key.is_revoked() && anchor.is_some_and(|anchor| anchor.has(key.rdata));
        let is_secure = found.security == Security::Secure;
        let validated = is_secure.then(|| validated(rrset, signed.by(is_trusted), now));
        Look { validated, revoked }
    }
}

fn validated(rrset: &Rrset, signers: Vec<Box<[u8]>>, now: Unix) -> ValidatedKeys {
    let signatures = || rrset.signatures().iter().take(limits::SIGNATURES_READ).filter_map(Rrsig::parse);
    let left = signatures().map(|signature| signature.seconds_left(now.seconds())).min();
    ValidatedKeys {
        keys: rrset.records().iter().take(limits::KEYS_READ).map(Into::into).collect(),
        signers,
        ttl: signatures().map(|signature| Ttl::from_wire(signature.original_ttl)).min().unwrap_or(rrset.ttl),
        expires: Unix::of_seconds(now.seconds() + u64::from(left.unwrap_or(0))),
    }
}

/// A DNSKEY RRset with its signatures.
struct Signed<'r> {
    rrset: &'r Rrset,
    canonical: Option<Canonical<'r>>,
    now: Unix,
}

impl<'r> Signed<'r> {
    /// RDATA of those of its keys that are of this kind and have signed it. Not more are tried than an honest zone has.
    fn by(&mut self, is_meant: impl Fn(&Dnskey<'_>) -> bool) -> Vec<Box<[u8]>> {
        let keys = self.rrset.records().iter().take(limits::KEYS_READ).filter_map(Dnskey::parse);
        let keys = keys.filter(|key| key.is_zone_key() && self.names(key) && is_meant(key));
        let keys: Vec<_> = keys.take(limits::SIGNATURES_PER_RRSET).collect();
        let signers = keys.into_iter().filter(|key| self.has_signature_of(key));
        signers.map(|key| key.rdata.into()).collect()
    }

    /// Whether a signature claims to be by that key. Costs nothing worth counting.
    fn names(&self, key: &Dnskey<'_>) -> bool {
        signatures_of(self.rrset, key, self.now).next().is_some()
    }

    fn has_signature_of(&mut self, key: &Dnskey<'_>) -> bool {
        let canonical = self.canonical.get_or_insert_with(|| Canonical::of(self.rrset.view()));
        let mut signatures = signatures_of(self.rrset, key, self.now).take(limits::SIGNATURES_PER_RRSET);
        signatures.any(|signature| canonical.verify(&signature, key).is_ok())
    }
}

/// The signatures that claim to be by a key. RFC 5011 2.1 wants one that is validated, which one outside its time is not (RFC
/// 4035 5.3.1).
fn signatures_of<'r>(rrset: &'r Rrset, key: &Dnskey<'_>, now: Unix) -> impl Iterator<Item = Rrsig<'r>> {
    let (tag, algorithm, now) = (key.key_tag(), key.algorithm, now.seconds());
    let signatures = rrset.signatures().iter().take(limits::SIGNATURES_READ).filter_map(Rrsig::parse);
    signatures.filter(move |signature| {
        signature.key_tag == tag
            && signature.algorithm == algorithm
            && signature.signer == rrset.owner.as_ref()
            && signature.period(now, limits::CLOCK_SKEW) == Period::Valid
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordsBuf};
    use crate::dnssec::DigestType;
    use crate::dnssec::testing::{KEY_SIGNING_KEY, SigningKey, with_signatures};
    use crate::resolver::testing::resolution_of;

    #[test]
    fn not_more_keys_are_tried_than_an_honest_zone_has() {
        let count = limits::SIGNATURES_PER_RRSET as u8 + 1;
        let key = |number: u8| SigningKey::ed25519_of(&[number], KEY_SIGNING_KEY | 0x80);
        let all: Vec<SigningKey> = (0..count).map(key).collect();
        let records: RecordsBuf = all.iter().map(SigningKey::dnskey).collect();
        let apex = Name::root();
        let keys = Rrset::new(apex.clone(), RrType::DNSKEY, Ttl::from_wire(600), records, RecordsBuf::new());
        let look = |signers: &[SigningKey]| {
            let sign = |key: &SigningKey| key.sign(keys.view(), apex.as_ref(), 0, 5000);
            let signed = with_signatures(keys.view(), &signers.iter().map(sign).collect::<Vec<_>>());
            Look::at(&resolution_of(vec![signed], Security::Bogus), None, Unix::of_seconds(1000)).revoked
        };
        assert_eq!(look(&all).len(), limits::SIGNATURES_PER_RRSET);
        // Those that no signature names take no place.
        let last = usize::from(count) - 1;
        assert_eq!(look(&all[last..]), [all[last].dnskey().into()]);
    }

    #[test]
    fn only_a_key_that_signed_its_revocation_is_revoked() {
        const REVOKED: u16 = KEY_SIGNING_KEY | 0x80;
        let good = SigningKey::ed25519_of(b"good", KEY_SIGNING_KEY);
        let silent = SigningKey::ed25519_of(b"silent", REVOKED);
        let revoked = SigningKey::ed25519_of(b"revoked", REVOKED);
        let apex = Name::root();
        let stranger = SigningKey::ed25519_of(b"stranger", KEY_SIGNING_KEY);
        let all = [&good, &silent, &revoked, &stranger];
        let records: RecordsBuf = all.map(SigningKey::dnskey).into_iter().collect();
        let keys = Rrset::new(apex.clone(), RrType::DNSKEY, Ttl::from_wire(600), records, RecordsBuf::new());
        let signed = |key: &SigningKey, end| key.sign(keys.view(), apex.as_ref(), 0, end);
        let all = [signed(&stranger, 5000), signed(&good, 5000), signed(&revoked, 4000)];
        let signed = with_signatures(keys.view(), &all);
        let ds = good.ds(apex.as_ref(), DigestType::SHA256).into();
        let anchor = Anchor { apex: apex.clone(), ds: vec![ds], keys: vec![silent.dnskey().into()] };
        for (security, is_validated) in [(Security::Secure, true), (Security::Bogus, false)] {
            let found = resolution_of(vec![signed.clone()], security);
            let look = Look::at(&found, Some(&anchor), Unix::of_seconds(1000));
            assert_eq!(look.revoked, [revoked.dnskey().into()]);
            assert_eq!(look.validated.is_some(), is_validated);
            if let Some(validated) = look.validated {
                assert_eq!((validated.keys.len(), validated.ttl.seconds()), (4, 600));
                assert_eq!(validated.expires, Unix::of_seconds(4000));
                assert_eq!(validated.signers, [good.dnskey().into()]);
            }
        }
        // Outside their time signatures say nothing.
        let late = Look::at(&resolution_of(vec![signed], Security::Bogus), None, Unix::of_seconds(4301));
        assert_eq!(late.revoked, [] as [Box<[u8]>; 0]);
        let nothing = resolution_of(vec![], Security::Secure);
        assert_eq!(Look::at(&nothing, Some(&anchor), Unix::of_seconds(1000)), Look::default());
    }
}
