//! The RRset shelf: single RRsets for the resolver's own use, such as addresses of name servers and keys.

use std::sync::Arc;

use super::cache::{Cache, NotCached, lifetime};
use super::entry::{Credibility, Entry, Security};
use super::store::{Kept, Key};
use crate::clock::Now;
use crate::dns::{Name, NameRef, RrClass, RrType, SharedRrset};
use crate::limits;

/// An RRset to be stored.
#[derive(Debug, Clone)]
pub struct NewRrset {
    /// The RRset, with the TTL it arrived with.
    pub rrset: SharedRrset,
    /// How far it is believed.
    pub credibility: Credibility,
    /// The apex of the zone whose server said it.
    pub source_zone: Name,
    /// What validation has said.
    pub security: Security,
}

impl Cache {
    /// Stores an RRset. Fresh data that is believed more stays (RFC 2181 5.4.1); data believed as much is replaced.
    pub fn store_rrset(&self, new: NewRrset, now: Now) -> Result<(), NotCached> {
        let NewRrset { rrset, credibility, source_zone, security } = new;
        check_size([&rrset])?;
        let ttl = self.clamp_of(security, rrset.ttl);
        if ttl.seconds() == 0 {
            return Err(NotCached::ZeroTtl);
        }
        let expires = now.age.plus(lifetime(ttl));
        let entry = Arc::new(Entry { rrset, expires, credibility, source_zone, security });
        self.put_rrset(entry, now)
    }

    pub(super) fn put_rrset(&self, entry: Arc<Entry>, now: Now) -> Result<(), NotCached> {
        let (credibility, security) = (entry.credibility, entry.security);
        let outranks = |old: &Kept| match old {
            Kept::Rrset(old) if old.is_fresh(now) => {
                let is_better = security == Security::Unchecked && old.security.is_good();
                old.credibility > credibility || is_better && old.credibility == credibility
            }
            _ => false,
        };
        self.sweep(now);
        match self.store().put(entry.key(), Kept::Rrset(entry.clone()), outranks) {
            true => Ok(()),
            false => Err(NotCached::LessCredible),
        }
    }

    /// A fresh RRset of class IN that is believed at least as much as `at_least`.
    pub fn rrset(
        &self,
        name: NameRef<'_>,
        rr_type: RrType,
        at_least: Credibility,
        now: Now,
    ) -> Option<Arc<Entry>> {
        match self.store().find(Key::rrset(name, rr_type, RrClass::IN))? {
            Kept::Rrset(entry) if entry.is_fresh(now) && entry.credibility >= at_least => Some(entry),
            _ => None,
        }
    }
}

/// Whether RRsets are few and small enough to be kept as one entry.
pub(super) fn check_size<'r>(rrsets: impl IntoIterator<Item = &'r SharedRrset>) -> Result<(), NotCached> {
    let mut octets = 0;
    for rrset in rrsets {
        octets += rrset.heap_octets();
        // The octets first: they bound the walk that counts.
        if octets > limits::CACHE_ENTRY_OCTETS {
            return Err(NotCached::TooLarge);
        }
        if rrset.records().count() > limits::CACHE_RRSET_RECORDS {
            return Err(NotCached::TooManyRecords);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::cache::tests::{address_rrset, cache, name, second, txt_rrset};

    fn new(ttl: u32, last_octet: u8, credibility: Credibility) -> NewRrset {
        NewRrset {
            rrset: address_rrset("ns1.example.", ttl, &[last_octet]),
            credibility,
            source_zone: name("example."),
            security: Security::Unchecked,
        }
    }

    fn found(cache: &Cache, at_least: Credibility, at: u64) -> Option<(u8, u32)> {
        let entry = cache.rrset(name("NS1.example.").as_ref(), RrType::A, at_least, second(at))?;
        Some((entry.rrset.records().first().unwrap()[3], entry.ttl(second(at)).seconds()))
    }

    #[test]
    fn data_believed_less_waits_until_better_data_has_expired() {
        use Credibility::*;
        let cache = cache();
        cache.store_rrset(new(60, 1, AnswerAuth), second(0)).unwrap();
        for credibility in [Additional, AuthorityNonAuth, AnswerNonAuth, AuthorityAuth] {
            let refused = cache.store_rrset(new(600, 2, credibility), second(59));
            assert_eq!(refused, Err(NotCached::LessCredible), "{credibility:?}");
        }
        assert_eq!(found(&cache, Additional, 59), Some((1, 1)));
        cache.store_rrset(new(600, 2, Additional), second(60)).unwrap();
        assert_eq!(found(&cache, Additional, 60), Some((2, 600)));
        cache.store_rrset(new(300, 3, Additional), second(61)).unwrap();
        assert_eq!(found(&cache, Additional, 61), Some((3, 300)), "believed as much: the newer");
        assert_eq!(found(&cache, AnswerNonAuth, 61), None, "not believed enough for this use");
        cache.store_rrset(new(30, 4, AnswerAuth), second(62)).unwrap();
        assert_eq!(found(&cache, AnswerAuth, 62), Some((4, 30)));
    }

    #[test]
    fn an_rrset_at_the_bounds_is_kept_and_one_over_is_not() {
        let cache = cache();
        let store =
            |rrset| cache.store_rrset(NewRrset { rrset, ..new(60, 1, Credibility::AnswerAuth) }, second(0));
        let octets: Vec<u8> = (0..=100).collect();
        assert_eq!(store(address_rrset("many.example.", 60, &octets[..100])), Ok(()));
        assert_eq!(store(address_rrset("many.example.", 60, &octets)), Err(NotCached::TooManyRecords));
        let room = limits::CACHE_ENTRY_OCTETS - txt_rrset("large.example.", 60, 0).heap_octets();
        assert_eq!(store(txt_rrset("large.example.", 60, room)), Ok(()));
        assert_eq!(store(txt_rrset("large.example.", 60, room + 1)), Err(NotCached::TooLarge));
        assert_eq!(store(address_rrset("zero.example.", 0, &[1])), Err(NotCached::ZeroTtl));
    }
}
