//! The cache as its neighbours see it.

use std::sync::Arc;
use std::time::Duration;

use super::answers::CachedAnswer;
use super::delegations::{Delegation, Delegations, NewDelegation};
use super::denials::Denials;
use super::entry::Security;
use super::failures::Failures;
use super::servers::Servers;
use super::store::Store;
use crate::clock::Now;
use crate::dns::{ExtendedError, NameRef, QuestionRef, Ttl};
use crate::limits;

/// Everything learnt from the network. Shared by all threads; any may look, `recursion` stores.
///
/// What is fresh is judged with the `Now` that is handed in, and only with that.
pub struct Cache {
    store: Arc<Store>,
    failures: Arc<Failures>,
    delegations: Arc<Delegations>,
    denials: Arc<Denials>,
    servers: Arc<Servers>,
    options: CacheOptions,
}

/// Options of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// Octets of memory for answers and RRsets, what keeping them costs included.
    pub size: u64,
    /// Shortest time data is kept, whatever its TTL says. Anything but zero overrides what zones ask for, so use it
    /// only against zones that ask for nonsense. It does not extend delegations, nor what is secure (RFC 4035 5.3.3).
    pub min_ttl: Ttl,
    /// Longest time data is kept, whatever its TTL says.
    pub max_ttl: Ttl,
    /// Longest time a denial is kept (RFC 2308 5 suggests one to three hours).
    pub max_negative_ttl: Ttl,
    /// How long a question that could not be resolved is not tried again (RFC 9520), 1 s to 300 s.
    pub failure_ttl: Duration,
    /// How long behind its end data may still be given out when it cannot be had anew (RFC 8767); zero for never.
    pub serve_stale: Duration,
    /// How long a client waits for new data before it gets stale data; zero for not at all.
    pub stale_answer_timeout: Duration,
    /// The TTL of stale data.
    pub stale_answer_ttl: Ttl,
    /// Whether what is asked again shortly before its end is fetched anew.
    pub prefetch: bool,
}

impl Default for CacheOptions {
    fn default() -> CacheOptions {
        CacheOptions {
            size: 256 << 20,
            min_ttl: Ttl::ZERO,
            max_ttl: Ttl::saturating(86_400),
            max_negative_ttl: Ttl::saturating(3600),
            failure_ttl: Duration::from_secs(5),
            serve_stale: Duration::from_secs(86_400),
            stale_answer_timeout: Duration::from_millis(1800),
            stale_answer_ttl: Ttl::saturating(30),
            prefetch: true,
        }
    }
}

/// What the cache knows about a question.
#[derive(Debug)]
pub enum Lookup {
    /// This answers it.
    Fresh(Arc<CachedAnswer>),
    /// This answered it once, has expired, and may still be given out when nothing better can be had (RFC 8767).
    Stale(Arc<CachedAnswer>),
    /// Nothing.
    Miss,
}

/// Why something may be used for the question under way, but is not kept for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotCached {
    /// Its TTL is zero (RFC 1035 3.2.1).
    ZeroTtl,
    /// An RRset has more than [`limits::CACHE_RRSET_RECORDS`](crate::limits::CACHE_RRSET_RECORDS) records.
    TooManyRecords,
    /// It has more than [`limits::CACHE_ENTRY_OCTETS`](crate::limits::CACHE_ENTRY_OCTETS) octets.
    TooLarge,
    /// Fresh data that is believed more is there (RFC 2181 5.4.1).
    LessCredible,
    /// A denial without an SOA record (RFC 2308 5).
    NoSoa,
    /// A positive answer without any RRset.
    Empty,
    /// An apex NS RRset of a zone whose parent's word for it is not known.
    NoParent,
    /// A delegation whose time, or its parent's, is over.
    Expired,
}

/// How full the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Answers and RRsets.
    pub entries: u64,
    /// Octets of memory they take.
    pub octets: u64,
    /// Validated RRsets that deny names or make data of wildcards; see [`Proven`](super::Proven). Not among the entries.
    pub denials: u64,
    /// Entries that had to make room, or found none, so far.
    pub evicted: u64,
}

impl Cache {
    /// An empty cache.
    pub fn new(options: CacheOptions) -> Cache {
        Cache {
            store: Arc::new(Store::new(options.size)),
            failures: Arc::new(Failures::new()),
            delegations: Arc::new(Delegations::new()),
            denials: Arc::new(Denials::new()),
            servers: Arc::default(),
            options,
        }
    }

    /// The same content with other options. What it holds is shared with this one; only another size moves it.
    pub fn with_options(&self, options: CacheOptions) -> Cache {
        let store = match options.size == self.options.size {
            true => Arc::clone(&self.store),
            false => Arc::new(self.store.moved(options.size)),
        };
        Cache {
            store,
            failures: Arc::clone(&self.failures),
            delegations: Arc::clone(&self.delegations),
            denials: Arc::clone(&self.denials),
            servers: Arc::clone(&self.servers),
            options,
        }
    }

    /// Remembers that a question could not be resolved, and why.
    pub fn store_failure(&self, question: QuestionRef<'_>, error: ExtendedError, now: Now) {
        self.failures.put(question, error, self.options.failure_ttl, now);
    }

    /// Stores the servers of a zone; see [`NewDelegation`] and [`LearntFrom`](super::LearntFrom) for how long.
    pub fn store_delegation(&self, new: NewDelegation, now: Now) -> Result<(), NotCached> {
        let ttl = new.ttl.min(self.options.max_ttl);
        self.delegations.put(NewDelegation { ttl, ..new }, now)
    }

    /// Why a question could not be resolved a moment ago.
    pub fn failure(&self, question: QuestionRef<'_>, now: Now) -> Option<Arc<ExtendedError>> {
        self.failures.find(question, now)
    }

    /// The servers of the nearest zone at or above `name` that a fresh delegation is known of.
    pub fn closest_delegation(&self, name: NameRef<'_>, now: Now) -> Option<Arc<Delegation>> {
        self.delegations.closest(name, now)
    }

    /// What is known of server addresses.
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// How full it is. Does the housekeeping that is due, so ask from time to time, not for every question.
    pub fn usage(&self) -> Usage {
        let (entries, octets) = self.store.usage();
        let denials = self.denials.count() as u64;
        Usage { entries, octets, denials, evicted: self.store.evicted() }
    }

    /// How it was made.
    pub fn options(&self) -> &CacheOptions {
        &self.options
    }

    /// Frees what nobody may be given any more, a part of it each time: called for every store.
    pub(super) fn sweep(&self, now: Now) {
        let stores = self.store.count_store();
        if stores.is_multiple_of(limits::CACHE_SWEEP_STORES) {
            let shard = stores / limits::CACHE_SWEEP_STORES;
            self.store.remove_of_shard(shard, |kept| kept.end(self.options.serve_stale) <= now.age);
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn failures(&self) -> &Failures {
        &self.failures
    }

    pub(super) fn delegations(&self) -> &Delegations {
        &self.delegations
    }

    pub(super) fn denials(&self) -> &Denials {
        &self.denials
    }

    /// A TTL within `min-ttl` and `max-ttl`; where these contradict each other, the latter holds.
    pub fn clamp(&self, ttl: Ttl) -> Ttl {
        ttl.max(self.options.min_ttl).min(self.options.max_ttl)
    }

    /// The same of data of which validation has said this: what is secure lives no longer than its signature lets it (RFC 4035
    /// 5.3.3).
    pub(super) fn clamp_of(&self, security: Security, ttl: Ttl) -> Ttl {
        if security == Security::Secure { ttl.min(self.options.max_ttl) } else { self.clamp(ttl) }
    }
}

pub(super) fn lifetime(ttl: Ttl) -> Duration {
    Duration::from_secs(ttl.seconds().into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clock::{Age, Tick, Unix};
    use crate::dns::{Name, RecordsBuf, RrType, Rrset, SharedRrset};

    pub(crate) fn cache() -> Cache {
        Cache::new(CacheOptions { size: 1 << 20, ..CacheOptions::default() })
    }

    pub(crate) fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    /// So many seconds from the start. The monotonic and the wall clock stand still: only age counts here.
    pub(crate) fn second(age: u64) -> Now {
        Now { tick: Tick(0), age: Age::default().plus(Duration::from_secs(age)), unix: Unix(0) }
    }

    pub(crate) fn rrset(owner: &str, rr_type: RrType, ttl: u32, records: &[&[u8]]) -> SharedRrset {
        let records: RecordsBuf = records.iter().copied().collect();
        Arc::new(Rrset::new(name(owner), rr_type, Ttl::from_wire(ttl), records, RecordsBuf::new()))
    }

    pub(crate) fn address_rrset(owner: &str, ttl: u32, last_octets: &[u8]) -> SharedRrset {
        let records: Vec<_> = last_octets.iter().map(|last| [192, 0, 2, *last]).collect();
        rrset(owner, RrType::A, ttl, &records.iter().map(|rdata| &rdata[..]).collect::<Vec<_>>())
    }

    pub(crate) fn txt_rrset(owner: &str, ttl: u32, octets: usize) -> SharedRrset {
        rrset(owner, RrType::TXT, ttl, &[&vec![b'x'; octets]])
    }
}
