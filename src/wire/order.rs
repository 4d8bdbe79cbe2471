//! In which order the records of an RRset are written (RFC 2181 5: there is none, so a server may choose).

use crate::dns::Records;
use crate::limits;

/// In which order the records of an RRset are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOrder {
    /// As they are held.
    Fixed,
    /// From this one on, modulo how many there are.
    Rotated(usize),
    /// Shuffled, by this seed.
    Shuffled(u64),
}

/// Chance for the order of records, where nobody gains by guessing it: SplitMix64, one addition and two multiplications
/// a number.
#[derive(Debug, Clone, Default)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The numbers that belong to a seed.
    pub fn new(seed: u64) -> SplitMix {
        SplitMix(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// RDATA by place; the places beyond the count are empty.
pub(super) type Shuffled<'r> = ([&'r [u8]; limits::SHUFFLED_RECORDS], usize);

/// The records in another order, all orders equally likely (Fisher and Yates), and how many there are; none when there
/// are more than [`limits::SHUFFLED_RECORDS`].
pub(super) fn shuffled(records: Records<'_>, seed: u64) -> Option<Shuffled<'_>> {
    let (mut room, mut count) = ([&[][..]; limits::SHUFFLED_RECORDS], 0);
    for rdata in records {
        *room.get_mut(count)? = rdata;
        count += 1;
    }
    let mut random = SplitMix::new(seed);
    for last in (1..count).rev() {
        room.swap(last, (random.draw() % (last as u64 + 1)) as usize);
    }
    Some((room, count))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dns::RecordsBuf;

    #[test]
    fn every_order_is_about_equally_likely() {
        let records: RecordsBuf = [&b"a"[..], b"b", b"c"].into_iter().collect();
        let mut seen: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut seeds = SplitMix::new(1);
        for _ in 0..6000 {
            let (room, count) = shuffled(records.as_records(), seeds.draw()).unwrap();
            *seen.entry(room[..count].concat()).or_default() += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|times| (850..1150).contains(times)), "{seen:?}");
    }

    #[test]
    fn more_records_than_are_shuffled_are_left_to_the_caller() {
        let most: RecordsBuf = (0..limits::SHUFFLED_RECORDS).map(|_| &b"x"[..]).collect();
        assert_eq!(shuffled(most.as_records(), 9).unwrap().1, limits::SHUFFLED_RECORDS);
        let mut more = most;
        more.push(b"x");
        assert!(shuffled(more.as_records(), 9).is_none());
    }
}
