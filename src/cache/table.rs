//! A small map with a fixed size: what is not used makes room for what is new.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries of one bucket. Eight are searched faster than a tree, and in a keyed hash few buckets overflow early.
const WAYS: usize = 8;

/// A map in buckets of [`WAYS`], each with a lock of its own and its most recently used entry in front.
///
/// - A bucket holds at most [`WAYS`] entries and at most its share of the octets, so the whole map does too.
/// - Every operation touches one bucket, so it costs the same however full the map is.
/// - The hash is keyed, so nobody outside can choose which bucket a name falls into.
pub(super) struct Table<K, V> {
    buckets: Box<[Mutex<Bucket<K, V>>]>,
    bucket_octets: usize,
    octets_of: fn(&K, &V) -> usize,
    hasher: RandomState,
}

/// Most recently used first.
type Bucket<K, V> = Vec<(K, V)>;

impl<K: Hash + Eq, V> Table<K, V> {
    /// A table of at most `entries` entries and `octets` octets, as `octets_of` counts them.
    pub(super) fn new(entries: usize, octets: usize, octets_of: fn(&K, &V) -> usize) -> Table<K, V> {
        let buckets = entries / WAYS;
        Table {
            buckets: (0..buckets).map(|_| Mutex::default()).collect(),
            bucket_octets: octets / buckets,
            octets_of,
            hasher: RandomState::new(),
        }
    }

    /// What `read` makes of the value whose key `is` the one looked for. `probe` hashes as that key does.
    pub(super) fn find<R>(
        &self,
        probe: impl Hash,
        is: impl Fn(&K) -> bool,
        read: impl FnOnce(&V) -> R,
    ) -> Option<R> {
        let mut bucket = self.bucket(probe);
        let at = bucket.iter().position(|(key, _)| is(key))?;
        bucket[..=at].rotate_right(1);
        Some(read(&bucket[0].1))
    }

    /// Puts what `change` makes of the value there is, if any; nothing happens when that is none.
    pub(super) fn update(&self, key: K, change: impl FnOnce(Option<&V>) -> Option<V>) {
        let mut bucket = self.bucket(&key);
        let at = bucket.iter().position(|(other, _)| *other == key);
        let Some(value) = change(at.map(|at| &bucket[at].1)) else {
            return;
        };
        match at {
            Some(at) => drop(bucket.remove(at)),
            None => bucket.truncate(WAYS - 1),
        }
        bucket.insert(0, (key, value));
        let (mut octets, octets_of) = (0, self.octets_of);
        let within = bucket.iter().take_while(|(key, value)| {
            octets += octets_of(key, value);
            octets <= self.bucket_octets
        });
        let within = within.count();
        bucket.truncate(within);
    }

    /// Removes what is `meant`; says how much that was. One bucket after the other.
    pub(super) fn remove_all(&self, meant: impl Fn(&K) -> bool) -> usize {
        let remove = |bucket: &Mutex<Bucket<K, V>>| {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            let before = bucket.len();
            bucket.retain(|(key, _)| !meant(key));
            before - bucket.len()
        };
        self.buckets.iter().map(remove).sum()
    }

    /// How many octets one entry may have.
    pub(super) fn entry_octets(&self) -> usize {
        self.bucket_octets
    }

    fn bucket(&self, probe: impl Hash) -> MutexGuard<'_, Bucket<K, V>> {
        let at = self.hasher.hash_one(probe) % self.buckets.len() as u64;
        // A panic under the lock can only have left a bucket short of an entry, which is what a cache may be.
        self.buckets[at as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.lock().unwrap().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(table: &Table<u32, usize>, key: u32, value: usize) {
        table.update(key, |_| Some(value));
    }

    fn find(table: &Table<u32, usize>, key: u32) -> Option<usize> {
        table.find(key, |other| *other == key, |value| *value)
    }

    #[test]
    fn at_its_bound_the_least_recently_used_entry_goes() {
        let table = Table::new(WAYS, 1000, |_, octets| *octets);
        for key in 0..WAYS as u32 {
            put(&table, key, 1);
        }
        assert_eq!(find(&table, 0), Some(1), "used, so it stays");
        put(&table, 100, 1);
        assert_eq!((find(&table, 0), find(&table, 1), find(&table, 100)), (Some(1), None, Some(1)));
        assert_eq!(table.count(), WAYS);
    }

    #[test]
    fn octets_are_a_bound_too() {
        let table = Table::new(WAYS, 100, |_, octets| *octets);
        put(&table, 1, 60);
        put(&table, 2, 40);
        assert_eq!(table.count(), 2);
        put(&table, 2, 41);
        assert_eq!((find(&table, 1), find(&table, 2)), (None, Some(41)));
        put(&table, 3, 101);
        assert_eq!(table.count(), 0, "larger than the table: nothing fits");
    }

    #[test]
    fn a_flood_stays_within_the_bound() {
        let table = Table::new(64, 6400, |_, octets| *octets);
        for key in 0..100_000 {
            put(&table, key, 100);
            assert_eq!(find(&table, key), Some(100), "what was just put is there");
        }
        assert_eq!(table.count(), 64);
    }

    #[test]
    fn no_change_leaves_what_is_there() {
        let table = Table::new(WAYS, 1000, |_, octets| *octets);
        put(&table, 1, 5);
        table.update(1, |old| {
            assert_eq!(old, Some(&5));
            None
        });
        table.update(2, |old| {
            assert_eq!(old, None);
            None
        });
        assert_eq!((find(&table, 1), find(&table, 2)), (Some(5), None));
    }
}
