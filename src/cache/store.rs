//! Where answers and RRsets are kept: our index answers, moka decides who stays.
//!
//! moka alone would do both, but a moka `get` takes its turn at the housekeeping for all writers: with 50,000 inserts a
//! second into a full cache its p99.9 was 32 to 44 us, and 20 us is the bound. So a lookup is one probe of a sharded
//! map of ours and leaves a note; whoever stores something hands the notes to moka and pays for the housekeeping.
//! `benches/cache.rs` on the same two cores: p50 0.4 to 0.7 us, p99 1.0 to 1.6 us, p99.9 1.4 to 5.6 us.
//!
//! - Whatever is in the index was put into moka right after, and whatever moka lets go of leaves the index, so the
//!   index never holds more than moka counts.
//! - A shard is locked for one probe of its map. Nothing is allocated, freed or compared with a foreign name under it,
//!   except when its map grows.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use moka::policy::EvictionPolicy;
use moka::sync::Cache as Keeper;

use super::answers::CachedAnswer;
use super::entry::Entry;
use crate::dns::{NameRef, QuestionRef, RrClass, RrType, Rrset};

/// Shards of the index: so many that writers seldom stand in a reader's way, and each small enough to grow in
/// microseconds.
const SHARDS: usize = 256;
/// Notes of use that wait for the next store. Later ones overwrite earlier ones: what is used often is noted again.
/// All are handed over within 128 stores, a moment beside what a cache of a useful size holds.
const NOTES: usize = 1024;
/// Places for notes looked at by each store.
const NOTES_PER_STORE: usize = 8;
/// Octets that moka and the index take for an entry beside what it owns. Measured as growth of resident memory: a full
/// moka 0.12.16 takes 303 to 312 an entry with values of no size, the index 35 to 48, and what a flood leaves unused
/// between them makes it 383 (`tests/cache_memory.rs` sees the sum).
const OVERHEAD: usize = 384;

/// What is kept under one key.
#[derive(Clone)]
pub(super) enum Kept {
    Answer(Arc<CachedAnswer>),
    Rrset(Arc<Entry>),
}

/// What to look for. Hashed without regard to the letter case of the name.
#[derive(Clone, Copy, Hash)]
pub(super) struct Key<'a> {
    shelf: Shelf,
    name: NameRef<'a>,
    rr_type: RrType,
    class: RrClass,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shelf {
    Answers,
    DeniedNames,
    Rrsets,
}

impl<'a> Key<'a> {
    pub(super) fn answer(question: QuestionRef<'a>) -> Key<'a> {
        Key { shelf: Shelf::Answers, name: question.name, rr_type: question.rr_type, class: question.class }
    }

    /// NXDOMAIN holds for every type (RFC 2308 5).
    pub(super) fn denied_name(name: NameRef<'a>, class: RrClass) -> Key<'a> {
        Key { shelf: Shelf::DeniedNames, name, rr_type: RrType::ANY, class }
    }

    pub(super) fn rrset(name: NameRef<'a>, rr_type: RrType, class: RrClass) -> Key<'a> {
        Key { shelf: Shelf::Rrsets, name, rr_type, class }
    }
}

impl Kept {
    fn is(&self, key: &Key<'_>) -> bool {
        match self {
            Kept::Rrset(entry) => {
                let Rrset { owner, rr_type, class, .. } = &*entry.rrset;
                key.shelf == Shelf::Rrsets
                    && *rr_type == key.rr_type
                    && *class == key.class
                    && owner.as_ref() == key.name
            }
            Kept::Answer(answer) => {
                let question = answer.question.as_ref();
                let same = question.class == key.class && question.name == key.name;
                match (key.shelf, answer.denies_name_asked()) {
                    (Shelf::DeniedNames, true) => same,
                    (Shelf::Answers, false) => same && question.rr_type == key.rr_type,
                    _ => false,
                }
            }
        }
    }

    fn is_same(&self, other: &Kept) -> bool {
        match (self, other) {
            (Kept::Answer(a), Kept::Answer(b)) => Arc::ptr_eq(a, b),
            (Kept::Rrset(a), Kept::Rrset(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Octets of memory, overhead included.
    fn octets(&self) -> u32 {
        let own = match self {
            Kept::Answer(answer) => answer.octets(),
            Kept::Rrset(entry) => shared::<Entry>() + rrset_octets(&entry.rrset),
        };
        u32::try_from(own + OVERHEAD).unwrap_or(u32::MAX)
    }
}

/// See the head of this file.
pub(super) struct Store {
    index: Arc<Index>,
    keeper: Keeper<u64, Kept, BuildHasherDefault<Fingerprint>>,
    notes: Box<[AtomicU64]>,
    next_note: AtomicUsize,
    hasher: RandomState,
}

impl Store {
    /// A store of at most `octets` octets; of none it keeps nothing.
    pub(super) fn new(octets: u64) -> Store {
        let index = Arc::new(Index::new());
        let leaves = index.clone();
        // Least recently used, not moka's TinyLFU: that refuses what is stored for the first time into a full cache,
        // so that the very next question for it would be resolved again.
        let keeper = Keeper::builder()
            // moka switches itself off at zero, listener and all, and the index would grow without end.
            .max_capacity(octets.max(1))
            .weigher(|_, kept: &Kept| kept.octets())
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(move |fingerprint, kept, _| {
                leaves.remove_if(*fingerprint, |k| k.is_same(&kept))
            })
            .build_with_hasher(BuildHasherDefault::default());
        Store {
            index,
            keeper,
            notes: (0..NOTES).map(|_| AtomicU64::new(0)).collect(),
            next_note: AtomicUsize::new(0),
            hasher: RandomState::new(),
        }
    }

    /// What is kept under `key`.
    pub(super) fn find(&self, key: Key<'_>) -> Option<Kept> {
        let fingerprint = self.fingerprint(&key);
        // Two keys with one fingerprint take turns in one place: never a wrong answer, at worst a miss.
        let kept = self.index.find(fingerprint).filter(|kept| kept.is(&key))?;
        let note = &self.notes[fingerprint as usize % NOTES];
        if note.load(Ordering::Relaxed) != fingerprint {
            note.store(fingerprint, Ordering::Relaxed);
        }
        Some(kept)
    }

    /// Puts `kept`, unless something is kept under `key` that `outranks` it; says whether it did.
    pub(super) fn put(&self, key: Key<'_>, kept: Kept, outranks: impl FnOnce(&Kept) -> bool) -> bool {
        debug_assert!(kept.is(&key));
        let fingerprint = self.fingerprint(&key);
        let is_put = self.index.put(fingerprint, kept.clone(), |old| old.is(&key) && outranks(old));
        if is_put {
            self.keeper.insert(fingerprint, kept);
            self.hand_over_notes();
        }
        is_put
    }

    /// Forgets what is kept under `key`.
    pub(super) fn remove(&self, key: Key<'_>) {
        let fingerprint = self.fingerprint(&key);
        if self.index.find(fingerprint).is_some_and(|kept| kept.is(&key)) {
            self.keeper.invalidate(&fingerprint);
        }
    }

    /// Entries and octets kept, after the housekeeping that was due.
    pub(super) fn usage(&self) -> (u64, u64) {
        self.keeper.run_pending_tasks();
        (self.keeper.entry_count(), self.keeper.weighted_size())
    }

    /// Tells moka what was used since, a few places at a time.
    fn hand_over_notes(&self) {
        let first = self.next_note.fetch_add(NOTES_PER_STORE, Ordering::Relaxed);
        for at in first..first.wrapping_add(NOTES_PER_STORE) {
            let note = &self.notes[at % NOTES];
            if note.load(Ordering::Relaxed) != 0 {
                self.keeper.get(&note.swap(0, Ordering::Relaxed));
            }
        }
    }

    /// Keyed, so that nobody outside can make names collide. Never zero, which is the empty note.
    fn fingerprint(&self, key: &Key<'_>) -> u64 {
        self.hasher.hash_one(key).max(1)
    }
}

type Shard = HashMap<u64, Kept, BuildHasherDefault<Fingerprint>>;

/// Fingerprint to what is kept.
struct Index {
    shards: Box<[RwLock<Shard>]>,
}

impl Index {
    fn new() -> Index {
        Index { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    fn find(&self, fingerprint: u64) -> Option<Kept> {
        let shard = self.shard(fingerprint).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&fingerprint).cloned()
    }

    fn put(&self, fingerprint: u64, kept: Kept, outranks: impl FnOnce(&Kept) -> bool) -> bool {
        let mut shard = self.shard(fingerprint).write().unwrap_or_else(PoisonError::into_inner);
        if shard.get(&fingerprint).is_some_and(outranks) {
            return false;
        }
        let old = shard.insert(fingerprint, kept);
        // Freed after the lock is given back.
        drop(shard);
        drop(old);
        true
    }

    fn remove_if(&self, fingerprint: u64, is: impl FnOnce(&Kept) -> bool) {
        let mut shard = self.shard(fingerprint).write().unwrap_or_else(PoisonError::into_inner);
        if shard.get(&fingerprint).is_some_and(is) {
            let old = shard.remove(&fingerprint);
            drop(shard);
            drop(old);
        }
    }

    fn shard(&self, fingerprint: u64) -> &RwLock<Shard> {
        // The map takes the lowest and the seven highest bits.
        &self.shards[(fingerprint >> 40) as usize % SHARDS]
    }
}

/// Passes a fingerprint through: it is a hash already.
#[derive(Default)]
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn write(&mut self, octets: &[u8]) {
        debug_assert!(false, "only fingerprints are hashed, not {} octets", octets.len());
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What an allocation of so many octets takes of the C library's heap: a word of its own, in steps of 16, at least 32.
pub(super) const fn allocation(octets: usize) -> usize {
    let whole = (octets + 8).next_multiple_of(16);
    if whole < 32 { 32 } else { whole }
}

/// The allocation of an `Arc<T>`, which has two counts in front.
pub(super) const fn shared<T>() -> usize {
    allocation(16 + size_of::<T>())
}

/// Memory of a shared RRset. One that an answer and the RRset shelf both hold is counted with each, since either may
/// be the last to go: the bound is then reached early, never late.
pub(super) fn rrset_octets(rrset: &Rrset) -> usize {
    let records = [rrset.records().packed().len(), rrset.signatures().packed().len()];
    let records = records.into_iter().filter(|octets| *octets > 0).map(allocation);
    shared::<Rrset>() + allocation(16 + rrset.owner.octets().len()) + records.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::cache::tests::{address_rrset, name, second};
    use crate::cache::entry::{Credibility, Security};
    use crate::dns::Name;

    fn put(store: &Store, owner: &str) {
        let rrset = address_rrset(owner, 60, &[1]);
        let (credibility, security) = (Credibility::AnswerAuth, Security::Unchecked);
        let expires = second(60).age;
        let entry = Arc::new(Entry { rrset, expires, credibility, source_zone: Name::root(), security });
        assert!(store.put(key(&name(owner)), Kept::Rrset(entry), |_| false));
    }

    fn key(owner: &Name) -> Key<'_> {
        Key::rrset(owner.as_ref(), RrType::A, RrClass::IN)
    }

    fn is_kept(store: &Store, owner: &str) -> bool {
        store.find(key(&name(owner))).is_some()
    }

    fn in_index(store: &Store) -> u64 {
        store.index.shards.iter().map(|shard| shard.read().unwrap().len() as u64).sum()
    }

    #[test]
    fn at_its_bound_the_unused_go_and_the_index_holds_what_moka_holds() {
        const SIZE: u64 = 1_000_000;
        let store = Store::new(SIZE);
        put(&store, "used.example.");
        for number in 0..10_000 {
            put(&store, &format!("n{number}.example."));
            assert!(is_kept(&store, "used.example."), "{number}");
            assert!(is_kept(&store, &format!("n{number}.example.")), "what was just stored is there");
        }
        let (entries, octets) = store.usage();
        assert!(octets <= SIZE && entries > 1000, "{entries} entries, {octets} octets");
        assert_eq!(in_index(&store), entries);
        assert!(!is_kept(&store, "n0.example."));
    }

    #[test]
    fn a_store_of_no_size_keeps_nothing() {
        let store = Store::new(0);
        for number in 0..1000 {
            put(&store, &format!("n{number}.example."));
        }
        assert_eq!((store.usage(), in_index(&store)), ((0, 0), 0));
    }

    #[test]
    fn what_is_replaced_or_removed_is_not_counted_any_more() {
        let store = Store::new(100_000);
        for _ in 0..1000 {
            put(&store, "same.example.");
        }
        let (entries, octets) = store.usage();
        assert_eq!((entries, in_index(&store)), (1, 1));
        assert!(octets < 1000, "{octets}");
        store.remove(key(&name("other.example.")));
        assert!(is_kept(&store, "SAME.example."));
        store.remove(key(&name("SAME.example.")));
        assert!(!is_kept(&store, "same.example."));
        assert_eq!((store.usage(), in_index(&store)), ((0, 0), 0));
    }

    #[test]
    fn writers_that_meet_leave_nothing_uncounted() {
        let store = Store::new(50_000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..3000 {
                        put(&store, &format!("n{}.example.", number % 120));
                        store.remove(key(&name(&format!("n{}.example.", number % 7))));
                    }
                });
            }
        });
        let (entries, _) = store.usage();
        // Two that put the same key at once may leave moka the older value: then the index forgets the newer one, and
        // moka counts what nobody finds until the key is put again. The other way round memory would go uncounted.
        assert!(in_index(&store) <= entries, "{} in the index, {entries} counted", in_index(&store));
    }
}
