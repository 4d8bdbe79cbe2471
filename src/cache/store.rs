//! Where answers and RRsets are kept: our index answers, a window and moka decide who stays.
//!
//! What is new waits in the window, first in, first out, a quarter of the room. What leaves it is offered to moka, whose
//! TinyLFU takes it as long as there is room, and afterwards only in the place of what was asked less. So what was just
//! stored is there for the next question, and a flood of names nobody asks twice (CVE-2023-2828) washes through the
//! window and leaves what is asked where it is. Least recently used, as it was before, lost the hot names as soon as the
//! flood was as long as the cache between two questions for one of them.
//!
//! moka alone would do both, but a moka `get` takes its turn at the housekeeping for all writers: with 50,000 inserts a
//! second into a full cache its p99.9 was 32 to 44 us, and 20 us is the bound. So a lookup is one probe of a sharded
//! map of ours and leaves a note; whoever stores something hands the notes to moka and pays for the housekeeping.
//! `benches/cache.rs` on the same two cores: p50 0.4 to 0.7 us, p99 1.0 to 1.6 us, p99.9 1.4 to 5.6 us.
//!
//! - Whatever is in the index was put into the window or moka right after, and whatever they let go of leaves the index,
//!   so the index never holds more than they count.
//! - A shard is locked for one probe of its map. Nothing is allocated, freed or compared with a foreign name under it,
//!   except when its map grows.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache as Keeper;

use super::answers::CachedAnswer;
use super::entry::{Entry, Security};
use super::window::Window;
use crate::clock::Age;
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
/// The share of the window: one octet in so many. A smaller one forgets a name before its second question, a larger one
/// leaves less to what has proven itself.
const WINDOW_SHARE: u64 = 4;

/// What is kept under one key.
#[derive(Debug, Clone)]
pub enum Kept {
    /// What answers a question.
    Answer(Arc<CachedAnswer>),
    /// A single RRset.
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

    /// What it is kept under.
    fn key(&self) -> Key<'_> {
        match self {
            Kept::Answer(answer) => answer.key(),
            Kept::Rrset(entry) => entry.key(),
        }
    }

    /// From when on nobody may be given it: answers are of use so much longer than they are fresh, unless they are bogus.
    pub(super) fn end(&self, serve_stale: Duration) -> Age {
        match self {
            Kept::Answer(answer) if answer.security != Security::Bogus => answer.expires.plus(serve_stale),
            Kept::Answer(answer) => answer.expires,
            Kept::Rrset(entry) => entry.expires,
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
    pub(super) fn octets(&self) -> u32 {
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
    window: Mutex<Window>,
    window_octets: u64,
    keeper: Keeper<u64, Kept, BuildHasherDefault<Fingerprint>>,
    evicted: Arc<AtomicU64>,
    notes: Box<[AtomicU64]>,
    next_note: AtomicUsize,
    stores: AtomicUsize,
    hasher: RandomState,
}

impl Store {
    /// A store of at most `octets` octets; of none it keeps nothing.
    pub(super) fn new(octets: u64) -> Store {
        let index = Arc::new(Index::new());
        let evicted = Arc::new(AtomicU64::new(0));
        let (leaves, counted) = (index.clone(), evicted.clone());
        let window_octets = octets / WINDOW_SHARE;
        let keeper = Keeper::builder()
            // moka switches itself off at zero, listener and all, and the index would grow without end.
            .max_capacity((octets - window_octets).max(1))
            .weigher(|_, kept: &Kept| kept.octets())
            .eviction_policy(EvictionPolicy::tiny_lfu())
            .eviction_listener(move |fingerprint, kept, cause| {
                leaves.remove_if(*fingerprint, |k| k.is_same(&kept));
                if cause == RemovalCause::Size {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build_with_hasher(BuildHasherDefault::default());
        Store {
            index,
            window: Mutex::default(),
            window_octets,
            keeper,
            evicted,
            notes: (0..NOTES).map(|_| AtomicU64::new(0)).collect(),
            next_note: AtomicUsize::new(0),
            stores: AtomicUsize::new(0),
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
            // The newer value of what has its place already does not have to earn it again.
            match self.keeper.contains_key(&fingerprint) {
                true => self.keeper.insert(fingerprint, kept),
                false => self.put_in_window(fingerprint, kept),
            }
            self.hand_over_notes();
        }
        is_put
    }

    fn put_in_window(&self, fingerprint: u64, kept: Kept) {
        let mut window = self.window();
        window.put(fingerprint, kept);
        let mut leaving = Vec::new();
        while window.octets() > self.window_octets {
            leaving.extend(window.pop());
        }
        drop(window);
        for fingerprint in leaving {
            // What stands in the index now, whoever put it there meanwhile: nothing there may go uncounted.
            if let Some(kept) = self.index.find(fingerprint) {
                self.keeper.insert(fingerprint, kept);
            }
        }
    }

    /// Forgets what is kept under `key`.
    pub(super) fn remove(&self, key: Key<'_>) {
        let fingerprint = self.fingerprint(&key);
        if let Some(kept) = self.index.find(fingerprint).filter(|kept| kept.is(&key)) {
            self.remove_same(fingerprint, &kept);
        }
    }

    fn remove_same(&self, fingerprint: u64, kept: &Kept) {
        self.index.remove_if(fingerprint, |now| now.is_same(kept));
        self.window().remove_if(fingerprint, |now| now.is_same(kept));
        self.keeper.invalidate(&fingerprint);
    }

    /// Forgets all that is `meant`; says how much that was. One shard after the other, so it sees no one moment.
    pub(super) fn remove_all(&self, meant: impl Fn(&Kept) -> bool) -> usize {
        (0..SHARDS).map(|shard| self.remove_of_shard(shard, &meant)).sum()
    }

    /// Forgets what is `meant` of one shard of the index, counted round.
    pub(super) fn remove_of_shard(&self, shard: usize, meant: impl Fn(&Kept) -> bool) -> usize {
        let meant = self.index.of_shard(shard % SHARDS, meant);
        meant.iter().for_each(|(fingerprint, kept)| self.remove_same(*fingerprint, kept));
        meant.len()
    }

    /// What is `meant`, in no order.
    pub(super) fn all(&self, meant: impl Fn(&Kept) -> bool) -> impl Iterator<Item = Kept> {
        (0..SHARDS).flat_map(move |shard| self.index.of_shard(shard, &meant)).map(|(_, kept)| kept)
    }

    /// What is kept from a place on, in an order that stays, with the places behind each; up to the end of a shard.
    pub(super) fn all_from(&self, place: Place) -> Vec<(Place, Kept)> {
        let Place { shard, fingerprint } = place;
        let behind = |kept: &(u64, Kept)| kept.0 >= fingerprint;
        let mut found: Vec<_> = self.index.of_shard(shard, |_| true).into_iter().filter(behind).collect();
        found.sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
        let place = |fingerprint| Place { shard, fingerprint };
        found.into_iter().map(|(fingerprint, kept)| (place(fingerprint.saturating_add(1)), kept)).collect()
    }

    /// Entries and octets kept, after the housekeeping that was due.
    pub(super) fn usage(&self) -> (u64, u64) {
        self.keeper.run_pending_tasks();
        let window = self.window();
        (self.keeper.entry_count() + window.count(), self.keeper.weighted_size() + window.octets())
    }

    /// Entries that had to make room, or found none, so far.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Counts one more store; says how many there were.
    pub(super) fn count_store(&self) -> usize {
        self.stores.fetch_add(1, Ordering::Relaxed)
    }

    /// The content in a store of another size. This one keeps its own until it is dropped.
    pub(super) fn moved(&self, octets: u64) -> Store {
        let other = Store::new(octets);
        for kept in self.all(|_| true) {
            other.put(kept.key(), kept.clone(), |_| false);
        }
        other
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

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keyed, so that nobody outside can make names collide. Never zero, which is the empty note.
    fn fingerprint(&self, key: &Key<'_>) -> u64 {
        self.hasher.hash_one(key).max(1)
    }
}

/// A place in the order of [`Store::all_from`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    shard: usize,
    fingerprint: u64,
}

impl Place {
    pub(super) fn numbers(self) -> (usize, u64) {
        (self.shard, self.fingerprint)
    }

    pub(super) fn from_numbers((shard, fingerprint): (usize, u64)) -> Option<Place> {
        (shard < SHARDS).then_some(Place { shard, fingerprint })
    }

    /// The beginning of the next shard; none behind the last.
    pub(super) fn next_shard(self) -> Option<Place> {
        (self.shard + 1 < SHARDS).then_some(Place { shard: self.shard + 1, fingerprint: 0 })
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

    fn of_shard(&self, shard: usize, meant: impl Fn(&Kept) -> bool) -> Vec<(u64, Kept)> {
        let shard = self.shards[shard].read().unwrap_or_else(PoisonError::into_inner);
        let meant = shard.iter().filter(|(_, kept)| meant(kept));
        meant.map(|(fingerprint, kept)| (*fingerprint, kept.clone())).collect()
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
        assert_eq!(store.evicted() + entries, 10_001);
    }

    /// A flood of large names nobody asks twice (CVE-2023-2828), and a thousand names asked now and then between them.
    #[test]
    fn a_flood_of_unique_names_leaves_the_hot_ones_where_they_are() {
        // How moka hashes is drawn anew for each store; what is asked for is the rule, not the luck of one.
        let floods = [flood(), flood(), flood()];
        let (hits, asked) = floods.iter().fold((0, 0), |sum, flood| (sum.0 + flood.0, sum.1 + flood.1));
        assert!(hits * 100 >= asked * 95, "{hits} of {asked}: {floods:?}");
    }

    /// How many questions for hot names were hits, and how many there were.
    fn flood() -> (usize, usize) {
        const SIZE: u64 = 4_000_000;
        let store = Store::new(SIZE);
        let hot: Vec<_> = (0..1000).map(|number| format!("hot{number}.example.")).collect();
        for _ in 0..3 {
            for owner in &hot {
                if !is_kept(&store, owner) {
                    put(&store, owner);
                }
            }
        }
        let (mut asked, mut hits, mut most) = (0, 0, 0);
        for number in 0..20_000 {
            put_large(&store, &format!("flood{number}.example."));
            // One question for a hot name to four of the flood: between two for the same name goes eight times the cache.
            if number % 4 == 0 {
                let owner = &hot[number / 4 * 7 % hot.len()];
                asked += 1;
                match is_kept(&store, owner) {
                    true => hits += 1,
                    false => put(&store, owner),
                }
            }
            if number % 100 == 0 {
                most = most.max(store.usage().1);
            }
        }
        assert!(most <= SIZE + SIZE / 10, "{most} octets");
        // What becomes hot during the flood finds a place, too, at its first question or one soon after.
        for number in 0..2000 {
            if number % 10 == 0 {
                asked += 1;
                match is_kept(&store, "new.example.") {
                    true => hits += 1,
                    false => put(&store, "new.example."),
                }
            }
            put_large(&store, &format!("more{number}.example."));
        }
        (hits, asked)
    }

    fn put_large(store: &Store, owner: &str) {
        let rrset = crate::cache::cache::tests::txt_rrset(owner, 60, 8000);
        let (credibility, security) = (Credibility::AnswerAuth, Security::Unchecked);
        let source_zone = Name::root();
        let entry = Entry { rrset, expires: second(60).age, credibility, source_zone, security };
        let owner = name(owner);
        let key = Key::rrset(owner.as_ref(), RrType::TXT, RrClass::IN);
        assert!(store.put(key, Kept::Rrset(Arc::new(entry)), |_| false));
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
