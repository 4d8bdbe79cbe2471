//! What validated NSEC and NSEC3 records say of names that nobody has asked for yet (RFC 8198): spans, by the zone that
//! signed them. They are not dumped: whoever starts anew learns them with the first denials.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::cache::{CacheOptions, lifetime};
use super::rrsets::check_size;
use crate::clock::{Age, Now};
use crate::dns::{Name, NameRef, RrType, Rrset, SharedRrset, Ttl};
use crate::dnssec::nsec3::Nsec3;
use crate::dnssec::{Nsec, Nsec3Params, OwnerHash};
use crate::limits;

/// An RRset with a good signature of a zone that has a chain of trust, which says more than it was asked for: an NSEC or
/// NSEC3 RRset, the SOA RRset that came with it, or data of a wildcard as it was signed, with the asterisk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The apex of the zone.
    pub zone: Name,
    /// The RRset, with a TTL no longer than its signature holds.
    pub rrset: SharedRrset,
}

/// The zones of which such RRsets are known.
pub(super) struct Denials {
    zones: RwLock<Zones>,
    /// Outside the lock, for those who find nothing at all.
    count: AtomicUsize,
    /// Keyed, so that nobody outside can choose zones that take each other's place.
    hasher: RandomState,
}

/// Invariant: `queue` holds the keys of `by_apex`, each once, `octets` is what all of them take, and `count` how many RRsets
/// they have.
#[derive(Default)]
struct Zones {
    by_apex: HashMap<u64, Arc<ZoneSpans>>,
    queue: VecDeque<u64>,
    octets: usize,
    count: usize,
}

/// What is known of one zone.
pub(super) struct ZoneSpans {
    pub(super) apex: Name,
    /// Written under the lock of all zones only.
    pub(super) spans: RwLock<Spans>,
    is_used: AtomicBool,
}

/// Invariant: `queue` holds the keys of `kept`, each once, and `octets` is what they take.
#[derive(Default)]
pub(super) struct Spans {
    kept: BTreeMap<Key, Span>,
    queue: VecDeque<Key>,
    octets: usize,
    params: Option<Nsec3Params>,
}

/// In the order of the chains: from a name or hash the record before it is found, and the last NSEC3 is the last of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Soa,
    Source(Name, u16),
    Nsec(Name),
    Nsec3(OwnerHash),
}

/// One RRset.
pub(super) struct Span {
    pub(super) rrset: SharedRrset,
    pub(super) expires: Age,
    is_used: AtomicBool,
}

impl Denials {
    pub(super) fn new() -> Denials {
        Denials { zones: RwLock::default(), count: AtomicUsize::new(0), hasher: RandomState::new() }
    }

    /// Keeps what can be used, denials no longer than the SOA of their zone says.
    pub(super) fn put(&self, proven: &[Proven], options: &CacheOptions, now: Now) {
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        // The SOA first: it says how long the others hold.
        let is_soa = |proven: &&Proven| proven.rrset.rr_type == RrType::SOA;
        let (soas, others) = (proven.iter().filter(is_soa), proven.iter().filter(|proven| !is_soa(proven)));
        for Proven { zone, rrset } in soas.chain(others) {
            if check_size([rrset]).is_err() {
                continue;
            }
            let fingerprint = self.hasher.hash_one(zone.as_ref());
            zones.put(fingerprint, zone, rrset, options, now);
        }
        zones.make_room();
        self.note_count(&zones);
    }

    /// The zone with the longest apex at or above a name.
    pub(super) fn nearest(&self, name: NameRef<'_>) -> Option<Arc<ZoneSpans>> {
        if self.count() == 0 {
            return None;
        }
        let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
        name.ancestors().find_map(|apex| {
            let zone = zones.by_apex.get(&self.hasher.hash_one(apex))?;
            (zone.apex.as_ref() == apex).then(|| Arc::clone(zone))
        })
    }

    /// How many RRsets there are.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Forgets all of the zones whose apexes are `meant`; says how many RRsets that was.
    pub(super) fn remove_all(&self, meant: impl Fn(NameRef<'_>) -> bool) -> usize {
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        let before = zones.count;
        let gone = |(key, zone): (&u64, &Arc<ZoneSpans>)| meant(zone.apex.as_ref()).then_some(*key);
        let gone: Vec<u64> = zones.by_apex.iter().filter_map(gone).collect();
        gone.into_iter().for_each(|key| zones.remove(key));
        let Zones { by_apex, queue, .. } = &mut *zones;
        queue.retain(|key| by_apex.contains_key(key));
        self.note_count(&zones);
        before - zones.count
    }

    fn note_count(&self, zones: &Zones) {
        self.count.store(zones.count, Ordering::Relaxed);
    }
}

impl Zones {
    fn put(&mut self, fingerprint: u64, apex: &Name, rrset: &SharedRrset, options: &CacheOptions, now: Now) {
        let zone = self.by_apex.get(&fingerprint).filter(|zone| zone.apex == *apex).cloned();
        let zone = match zone {
            Some(zone) => zone,
            None if self.by_apex.contains_key(&fingerprint) => return,
            None => {
                let zone = ZoneSpans::new(apex.clone());
                self.octets += zone.octets();
                self.queue.push_back(fingerprint);
                self.by_apex.insert(fingerprint, Arc::clone(&zone));
                zone
            }
        };
        let before = (zone.octets(), zone.count());
        zone.spans.write().unwrap_or_else(PoisonError::into_inner).put(apex.as_ref(), rrset, options, now);
        self.octets = self.octets + zone.octets() - before.0;
        self.count = self.count + zone.count() - before.1;
    }

    /// Lets zones go that came first and were not used since they were looked at last.
    fn make_room(&mut self) {
        while self.octets > limits::CACHE_DENIALS_OCTETS || self.queue.len() > limits::CACHE_DENIALS_ZONES {
            let Some(key) = self.queue.pop_front() else { return };
            let zone = self.by_apex.get(&key).expect("the queue holds what is there");
            match zone.is_used.swap(false, Ordering::Relaxed) {
                true => self.queue.push_back(key),
                false => self.remove(key),
            }
        }
    }

    fn remove(&mut self, key: u64) {
        if let Some(zone) = self.by_apex.remove(&key) {
            self.octets -= zone.octets();
            self.count -= zone.count();
        }
    }
}

impl ZoneSpans {
    fn new(apex: Name) -> Arc<ZoneSpans> {
        Arc::new(ZoneSpans { apex, spans: RwLock::default(), is_used: AtomicBool::new(false) })
    }

    fn octets(&self) -> usize {
        let own = size_of::<ZoneSpans>() + 16 + self.apex.octets().len() + 2 * size_of::<(u64, u64)>();
        own + self.read(|spans| spans.octets)
    }

    fn count(&self) -> usize {
        self.read(|spans| spans.kept.len())
    }

    /// What `look` makes of the spans.
    pub(super) fn read<R>(&self, look: impl FnOnce(&Spans) -> R) -> R {
        look(&self.spans.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that an answer was made of these.
    pub(super) fn note_use<'s>(&self, spans: impl IntoIterator<Item = &'s Span>) {
        self.is_used.store(true, Ordering::Relaxed);
        spans.into_iter().for_each(|span| span.is_used.store(true, Ordering::Relaxed));
    }
}

impl Spans {
    fn put(&mut self, apex: NameRef<'_>, rrset: &SharedRrset, options: &CacheOptions, now: Now) {
        let Some(key) = self.key_of(apex, rrset) else { return };
        let (ttl, most) = match (&key, self.soa(now)) {
            // RFC 9077 3.4: no longer than the denial that they came with, or one that is known, would hold.
            (Key::Nsec(_) | Key::Nsec3(_), Some(soa)) => {
                (rrset.ttl.min(negative_ttl(&soa.rrset)), options.max_negative_ttl)
            }
            (Key::Nsec(_) | Key::Nsec3(_), None) => (rrset.ttl, options.max_negative_ttl),
            (Key::Soa, _) => (negative_ttl(rrset), options.max_negative_ttl),
            (Key::Source(..), _) => (rrset.ttl, options.max_ttl),
        };
        let expires = now.age.plus(lifetime(ttl.min(most)));
        // What was made of an old one, or comes again, does not shorten what it had.
        let is_known = |known: &Span| {
            known.expires >= expires && known.rrset.records() == rrset.records() && known.is_fresh(now)
        };
        if expires <= now.age || self.kept.get(&key).is_some_and(is_known) {
            return;
        }
        let span = Span { rrset: rrset.clone(), expires, is_used: AtomicBool::new(false) };
        self.octets += span.octets();
        match self.kept.insert(key.clone(), span) {
            Some(old) => self.octets -= old.octets(),
            None => self.queue.push_back(key),
        }
        self.make_room(now);
    }

    /// Where an RRset belongs; none when it is of no use.
    fn key_of(&mut self, apex: NameRef<'_>, rrset: &Rrset) -> Option<Key> {
        let owner = rrset.owner.as_ref();
        owner.is_at_or_below(apex).then_some(())?;
        let rdata = rrset.records().first()?;
        match rrset.rr_type {
            RrType::SOA => (owner == apex && rdata.len() >= 4).then_some(Key::Soa),
            RrType::NSEC => {
                // RFC 4034 4.1.1: what leads out of the zone is no link of its chain.
                Nsec::read(rdata).filter(|nsec| nsec.next.is_at_or_below(apex))?;
                Some(Key::Nsec(rrset.owner.clone()))
            }
            RrType::NSEC3 => {
                let Nsec3 { iterations, salt, .. } = Nsec3::read(rdata)?;
                let is_used = iterations <= limits::NSEC3_ITERATIONS_CHECKED && owner.parent()? == apex;
                let hash = OwnerHash::from_label(owner.first_label()?).filter(|_| is_used)?;
                self.be_of(Nsec3Params { iterations, salt: salt.into() });
                Some(Key::Nsec3(hash))
            }
            rr_type => owner.is_wildcard().then(|| Key::Source(rrset.owner.clone(), rr_type.0)),
        }
    }

    /// From here on hashes are made so. Those that were made otherwise cannot be compared with them (RFC 5155 8.2).
    fn be_of(&mut self, params: Nsec3Params) {
        if self.params.as_ref() != Some(&params) {
            let is_other = |key: &Key| !matches!(key, Key::Nsec3(_));
            self.kept.retain(|key, _| is_other(key));
            self.queue.retain(is_other);
            self.octets = self.kept.values().map(Span::octets).sum();
            self.params = Some(params);
        }
    }

    /// Lets RRsets go that came first and were not used since they were looked at last, or have expired.
    fn make_room(&mut self, now: Now) {
        while self.octets > limits::CACHE_DENIALS_ZONE_OCTETS {
            let Some(key) = self.queue.pop_front() else { return };
            let span = &self.kept[&key];
            match span.is_used.swap(false, Ordering::Relaxed) && span.is_fresh(now) {
                true => self.queue.push_back(key),
                false => self.octets -= self.kept.remove(&key).map_or(0, |span| span.octets()),
            }
        }
    }

    /// The SOA RRset of the zone.
    pub(super) fn soa(&self, now: Now) -> Option<&Span> {
        self.kept.get(&Key::Soa).filter(|span| span.is_fresh(now))
    }

    /// The SOA, NSEC or NSEC3 RRset that is known in the place of this one.
    pub(super) fn of(&self, rrset: &Rrset, now: Now) -> Option<&Span> {
        let known = match rrset.rr_type {
            RrType::SOA => self.soa(now),
            RrType::NSEC => self.nsec(rrset.owner.as_ref(), now),
            RrType::NSEC3 => {
                let hash = OwnerHash::from_label(rrset.owner.as_ref().first_label()?)?;
                self.nsec3(hash, now).map(|(span, _)| span)
            }
            _ => None,
        };
        known.filter(|known| known.rrset.owner == rrset.owner)
    }

    /// How names are hashed, when NSEC3 RRsets are known.
    pub(super) fn params(&self) -> Option<&Nsec3Params> {
        self.params.as_ref()
    }

    /// The data of a wildcard.
    pub(super) fn source(&self, wildcard: NameRef<'_>, rr_type: RrType, now: Now) -> Option<&Span> {
        let key = Key::Source(wildcard.to_name(), rr_type.0);
        self.kept.get(&key).filter(|span| span.is_fresh(now))
    }

    /// Whether data of any wildcard is known.
    pub(super) fn has_sources(&self) -> bool {
        let mut from = self.kept.range(Key::Source(Name::root(), 0)..);
        from.next().is_some_and(|(key, _)| matches!(key, Key::Source(..)))
    }

    /// The NSEC RRset of a name, or else the one known that comes before it. Whether its span holds the name is not said.
    pub(super) fn nsec(&self, name: NameRef<'_>, now: Now) -> Option<&Span> {
        let (key, span) = self.kept.range(..=Key::Nsec(name.to_name())).next_back()?;
        (matches!(key, Key::Nsec(_)) && span.is_fresh(now)).then_some(span)
    }

    /// The NSEC3 RRset of a hash and that it is the one, or else the one known that comes before it, in a circle.
    pub(super) fn nsec3(&self, hash: OwnerHash, now: Now) -> Option<(&Span, bool)> {
        let is_hashed = |found: &(&Key, &Span)| matches!(found.0, Key::Nsec3(_));
        let before = self.kept.range(..=Key::Nsec3(hash)).next_back().filter(is_hashed);
        // RFC 5155 3.1.7: before the first is the last.
        let (key, span) = before.or_else(|| self.kept.last_key_value().filter(is_hashed))?;
        span.is_fresh(now).then(|| (span, *key == Key::Nsec3(hash)))
    }
}

impl Span {
    pub(super) fn is_fresh(&self, now: Now) -> bool {
        now.age < self.expires
    }

    fn octets(&self) -> usize {
        // Its keys share the octets of the name; trees are three quarters full.
        self.rrset.heap_octets()
            + size_of::<Rrset>()
            + 16
            + size_of::<(Key, Span)>() * 4 / 3
            + size_of::<Key>()
    }
}

/// How long a denial with this SOA RRset holds (RFC 2308 5).
fn negative_ttl(soa: &Rrset) -> Ttl {
    let minimum = soa.records().first().and_then(|rdata| rdata.last_chunk::<4>());
    minimum.map_or(Ttl::ZERO, |minimum| soa.ttl.min(Ttl::from_wire(u32::from_be_bytes(*minimum))))
}

#[cfg(test)]
mod tests;
