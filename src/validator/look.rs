//! What an answer to the question for a zone's keys shows to those who follow them (RFC 5011 2.1 and 2.3).

use super::{Look, ValidatedKeys};
use crate::cache::Security;
use crate::clock::Unix;
use crate::dns::{RrType, Rrset, Ttl};
use crate::dnssec::{Canonical, Dnskey, Rrsig};
use crate::limits;
use crate::resolver::Resolution;

impl Look {
    /// Of a validated answer.
    pub fn at(found: &Resolution, now: Unix) -> Look {
        let Some(rrset) = found.answer.iter().find(|rrset| rrset.rr_type == RrType::DNSKEY) else {
            return Look::default();
        };
        let validated = (found.security == Security::Secure).then(|| validated(rrset, now));
        Look { validated, revoked: revoked(rrset) }
    }
}

fn validated(rrset: &Rrset, now: Unix) -> ValidatedKeys {
    let signatures = || rrset.signatures().iter().take(limits::SIGNATURES_READ).filter_map(Rrsig::parse);
    let left = signatures().map(|signature| signature.seconds_left(now.seconds())).min();
    ValidatedKeys {
        keys: rrset.records().iter().take(limits::KEYS_READ).map(Into::into).collect(),
        ttl: signatures().map(|signature| Ttl::from_wire(signature.original_ttl)).min().unwrap_or(rrset.ttl),
        expires: Unix::of_seconds(now.seconds() + u64::from(left.unwrap_or(0))),
    }
}

/// The keys that say of themselves that they are not to be trusted any more, and have signed that.
fn revoked(rrset: &Rrset) -> Vec<Box<[u8]>> {
    let keys = rrset.records().iter().take(limits::KEYS_READ).filter_map(Dnskey::parse);
    let mut canonical = None;
    let mut has_signed = |key: &Dnskey<'_>| {
        let canonical = canonical.get_or_insert_with(|| Canonical::of(rrset.view()));
        let signatures = rrset.signatures().iter().take(limits::SIGNATURES_READ).filter_map(Rrsig::parse);
        let tag = key.key_tag();
        let own = signatures.filter(|signature| {
            signature.key_tag == tag
                && signature.algorithm == key.algorithm
                && signature.signer == rrset.owner.as_ref()
        });
        own.take(limits::KEYS_OF_ONE_TAG).any(|signature| canonical.verify(&signature, key).is_ok())
    };
    let revoked = keys.filter(|key| key.is_zone_key() && key.is_revoked());
    let revoked = revoked.take(limits::SIGNATURES_PER_RRSET).filter(|key| has_signed(key));
    revoked.map(|key| key.rdata.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordsBuf};
    use crate::dnssec::testing::{KEY_SIGNING_KEY, SigningKey, with_signatures};
    use crate::resolver::testing::resolution_of;

    #[test]
    fn only_a_key_that_signed_its_revocation_is_revoked() {
        const REVOKED: u16 = KEY_SIGNING_KEY | 0x80;
        let good = SigningKey::ed25519_of(b"good", KEY_SIGNING_KEY);
        let silent = SigningKey::ed25519_of(b"silent", REVOKED);
        let revoked = SigningKey::ed25519_of(b"revoked", REVOKED);
        let apex = Name::root();
        let records: RecordsBuf = [&good, &silent, &revoked].map(SigningKey::dnskey).into_iter().collect();
        let keys = Rrset::new(apex.clone(), RrType::DNSKEY, Ttl::from_wire(600), records, RecordsBuf::new());
        let signed = |key: &SigningKey, end| key.sign(keys.view(), apex.as_ref(), 0, end);
        let signed = with_signatures(keys.view(), &[signed(&good, 5000), signed(&revoked, 4000)]);
        for (security, is_validated) in [(Security::Secure, true), (Security::Bogus, false)] {
            let look = Look::at(&resolution_of(vec![signed.clone()], security), Unix::of_seconds(1000));
            assert_eq!(look.revoked, [revoked.dnskey().into()]);
            assert_eq!(look.validated.is_some(), is_validated);
            if let Some(validated) = look.validated {
                assert_eq!((validated.keys.len(), validated.ttl.seconds()), (3, 600));
                assert_eq!(validated.expires, Unix::of_seconds(4000));
            }
        }
        let nothing = resolution_of(vec![], Security::Secure);
        assert_eq!(Look::at(&nothing, Unix::of_seconds(1000)), Look::default());
    }
}
