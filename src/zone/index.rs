//! A persistent index from the hash of a folded name to small numbers: pages of a tree, zones of a table.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::sequence::Sequence;
use crate::dns::NameRef;

/// Entries a bucket holds on average before one more bucket is made: two cache lines, searched by halving.
const BUCKET_ENTRIES: usize = 16;

/// A name's hash; the letter case of the name does not matter.
///
/// SipHash without a secret: the same zone gives the same tree in every run. Whoever writes a zone can search
/// for names of equal tags, but not cheaply enough for many of them (each pair costs 2^32 hashes), and names
/// that merely share a bucket are told apart by halving.
#[derive(Clone, Copy)]
pub(super) struct NameHash(u64);

impl NameHash {
    pub(super) fn of(name: NameRef<'_>) -> NameHash {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        NameHash(hasher.finish())
    }

    /// The half that the index uses.
    fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Bits the index does not use, by which a page tells its names apart.
    pub(super) fn page_tag(self) -> u16 {
        self.0 as u16
    }
}

/// Numbers by name hash. Several names may have the same hash: whoever asks compares the names.
///
/// It grows by linear hashing, one bucket at a time, so no single change pays for a whole new table. It
/// does not shrink: a zone that lost most of its names is smaller after its next load.
#[derive(Clone)]
pub(super) struct Index {
    /// Sorted entries: the tag in the upper half, the number in the lower. Never without a bucket.
    buckets: Sequence<Arc<[u64]>>,
    len: usize,
}

impl Index {
    pub(super) fn build(entries: &[(NameHash, u32)]) -> Index {
        let bucket_count = entries.len().div_ceil(BUCKET_ENTRIES).max(1);
        let mut placed: Vec<(usize, u64)> = entries
            .iter()
            .map(|(hash, number)| (bucket_of(hash.tag(), bucket_count), entry(*hash, *number)))
            .collect();
        placed.sort_unstable();
        let mut rest = &placed[..];
        let buckets = (0..bucket_count).map(|bucket| {
            let (here, later) = rest.split_at(rest.partition_point(|(place, _)| *place == bucket));
            rest = later;
            here.iter().map(|(_, entry)| *entry).collect()
        });
        Index { buckets: buckets.collect(), len: entries.len() }
    }

    /// The numbers of all names with this hash.
    pub(super) fn candidates(&self, hash: NameHash) -> impl Iterator<Item = u32> {
        let bucket = self.buckets.get(bucket_of(hash.tag(), self.buckets.len()));
        let first = bucket.partition_point(|entry| tag_of(*entry) < hash.tag());
        bucket[first..]
            .iter()
            .take_while(move |entry| tag_of(**entry) == hash.tag())
            .map(|entry| *entry as u32)
    }

    pub(super) fn insert(&mut self, hash: NameHash, number: u32) {
        let bucket = self.bucket_mut(hash);
        let new = entry(hash, number);
        let (before, after) = bucket.split_at(bucket.partition_point(|entry| *entry < new));
        *bucket = before.iter().copied().chain([new]).chain(after.iter().copied()).collect();
        self.len += 1;
        if self.len > self.buckets.len() * BUCKET_ENTRIES {
            self.grow();
        }
    }

    /// Takes out an entry that was inserted.
    pub(super) fn remove(&mut self, hash: NameHash, number: u32) {
        let bucket = self.bucket_mut(hash);
        let at = bucket.partition_point(|entry| *entry < self::entry(hash, number));
        debug_assert_eq!(bucket.get(at), Some(&entry(hash, number)));
        *bucket = bucket[..at].iter().chain(bucket.iter().skip(at + 1)).copied().collect();
        self.len -= 1;
    }

    /// Splits the one bucket whose turn it is into itself and a new last one.
    fn grow(&mut self) {
        let count = self.buckets.len();
        let from = self.buckets.get_mut(count - previous_power_of_two(count));
        let (stay, go): (Vec<u64>, Vec<u64>) =
            from.iter().partition(|entry| bucket_of(tag_of(**entry), count + 1) != count);
        *from = stay.into();
        self.buckets.push(go.into());
    }

    fn bucket_mut(&mut self, hash: NameHash) -> &mut Arc<[u64]> {
        let bucket = bucket_of(hash.tag(), self.buckets.len());
        self.buckets.get_mut(bucket)
    }
}

fn entry(hash: NameHash, number: u32) -> u64 {
    u64::from(hash.tag()) << 32 | u64::from(number)
}

fn tag_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

/// Which of `count` buckets a tag belongs to: the lower bits, one bit fewer where the bucket is not made yet.
fn bucket_of(tag: u32, count: usize) -> usize {
    let mask = count.next_power_of_two() - 1;
    let bucket = tag as usize & mask;
    if bucket < count { bucket } else { bucket & (mask >> 1) }
}

fn previous_power_of_two(count: usize) -> usize {
    1 << count.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(tag: u32) -> NameHash {
        NameHash(u64::from(tag) << 32)
    }

    fn found(index: &Index, tag: u32) -> Vec<u32> {
        index.candidates(hash(tag)).collect()
    }

    #[test]
    fn entries_are_found_however_they_got_in() {
        let tags: Vec<u32> = (0..3000u32).map(|number| number.wrapping_mul(2_654_435_761)).collect();
        let all: Vec<(NameHash, u32)> = tags.iter().map(|tag| hash(*tag)).zip(0..).collect();
        let mut grown = Index::build(&[]);
        for (hash, number) in &all {
            grown.insert(*hash, *number);
        }
        let built = Index::build(&all);
        for (number, tag) in (0..).zip(&tags) {
            assert_eq!(found(&grown, *tag), [number]);
            assert_eq!(found(&built, *tag), [number]);
        }
        assert!(found(&built, 1).is_empty());
        for (hash, number) in &all[..2999] {
            grown.remove(*hash, *number);
        }
        assert!(tags[..2999].iter().all(|tag| found(&grown, *tag).is_empty()));
        assert_eq!(found(&grown, tags[2999]), [2999]);
    }

    #[test]
    fn names_of_one_hash_are_all_candidates() {
        let mut index = Index::build(&[]);
        for number in 0..100 {
            index.insert(hash(9), number);
        }
        let old = index.clone();
        index.remove(hash(9), 50);
        assert_eq!(found(&old, 9).len(), 100);
        assert!(found(&index, 9).into_iter().eq((0..50).chain(51..100)));
    }

    #[test]
    fn the_hash_of_a_name_ignores_case() {
        let (lower, upper) =
            (NameRef::from_wire(b"\x03www\0").unwrap(), NameRef::from_wire(b"\x03WWW\0").unwrap());
        assert_eq!(NameHash::of(lower).0, NameHash::of(upper).0);
        assert_ne!(NameHash::of(lower).0, NameHash::of(NameRef::ROOT).0);
    }
}
