//! Records, as they come, to RRsets (RFC 2181 section 5). What a reply may put here costs time in proportion to it.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use super::{WireError, u16_at};
use crate::dns::{Name, NameRef, RecordsBuf, RrType, Rrset, Ttl};
use crate::limits;

/// Records up to which each is compared with each to find duplicates; more go through a table.
const FEW: usize = 8;

/// The RRsets of a section being collected, in the order their first record stood.
pub(super) struct Groups {
    groups: Vec<Group>,
    /// The hash of owner and type of each, side by side: there are few enough to be scanned, but comparing
    /// every one of their names with each record's would take milliseconds.
    hashes: Vec<u64>,
    /// Keyed, so that no server can make names that collide.
    hasher: RandomState,
}

impl Groups {
    pub fn new() -> Groups {
        Groups { groups: Vec::new(), hashes: Vec::new(), hasher: RandomState::new() }
    }

    /// Adds a record. An RRSIG goes with the RRset it covers.
    pub fn add(
        &mut self,
        owner: NameRef<'_>,
        rr_type: RrType,
        ttl: Ttl,
        rdata: &[u8],
    ) -> Result<(), WireError> {
        let covers = match rr_type {
            RrType::RRSIG => RrType(u16_at(rdata, 0)?),
            _ => rr_type,
        };
        let hash = self.hasher.hash_one((owner, covers));
        let is_it = |place: &usize| {
            let group = &self.groups[*place];
            self.hashes[*place] == hash && group.covers == covers && group.owner.as_ref() == owner
        };
        // Records of an RRset nearly always follow each other, so the search goes backwards.
        let place = match (0..self.groups.len()).rev().find(is_it) {
            Some(place) => place,
            None if self.groups.len() >= limits::RRSETS_PER_SECTION => return Err(WireError::TooManyRecords),
            None => {
                self.groups.push(Group::new(owner, covers, ttl));
                self.hashes.push(hash);
                self.groups.len() - 1
            }
        };
        self.groups[place].add(rr_type, ttl, rdata);
        Ok(())
    }

    /// Signatures that cover nothing here, as those that answer a question for RRSIG, are one RRset for each owner.
    pub fn into_rrsets(self) -> Vec<Rrset> {
        let mut kept: Vec<Group> = Vec::with_capacity(self.groups.len());
        let mut strays: HashMap<Name, usize> = HashMap::new();
        for group in self.groups {
            let place = kept.len();
            let first = match group.is_stray() {
                true => *strays.entry(group.owner.clone()).or_insert(place),
                false => place,
            };
            match kept.get_mut(first) {
                Some(first) => group
                    .signatures
                    .as_records()
                    .iter()
                    .for_each(|rdata| first.add(RrType::RRSIG, group.ttl, rdata)),
                None => kept.push(group),
            }
        }
        kept.into_iter().map(Group::into_rrset).collect()
    }
}

/// An RRset being collected.
struct Group {
    owner: Name,
    covers: RrType,
    ttl: Ttl,
    records: RecordsBuf,
    signatures: RecordsBuf,
}

impl Group {
    fn new(owner: NameRef<'_>, covers: RrType, ttl: Ttl) -> Group {
        let (records, signatures) = (RecordsBuf::new(), RecordsBuf::new());
        Group { owner: owner.to_name(), covers, ttl, records, signatures }
    }

    fn add(&mut self, rr_type: RrType, ttl: Ttl, rdata: &[u8]) {
        let list = if rr_type == self.covers { &mut self.records } else { &mut self.signatures };
        self.ttl = self.ttl.min(ttl);
        list.push(rdata);
    }

    /// It has nothing but signatures.
    fn is_stray(&self) -> bool {
        self.records.as_records().is_empty()
    }

    fn into_rrset(self) -> Rrset {
        let is_stray = self.is_stray();
        let (records, signatures) = (without_duplicates(self.records), without_duplicates(self.signatures));
        match is_stray {
            true => Rrset::new(self.owner, RrType::RRSIG, self.ttl, signatures, records),
            false => Rrset::new(self.owner, self.covers, self.ttl, records, signatures),
        }
    }
}

/// Each record once, where it stood first. A duplicate is nearly always absent.
fn without_duplicates(records: RecordsBuf) -> RecordsBuf {
    let all = records.as_records();
    let mut seen = HashSet::new();
    let is_distinct = match all.count() {
        0..=FEW => all.iter().enumerate().all(|(at, rdata)| all.iter().take(at).all(|other| other != rdata)),
        _ => all.iter().all(|rdata| seen.insert(rdata)),
    };
    if is_distinct {
        return records;
    }
    seen.clear();
    all.iter().filter(|rdata| seen.insert(*rdata)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn duplicates_go_and_the_order_stays(numbers in prop::collection::vec(0..40u8, 0..60)) {
            let records: RecordsBuf = numbers.iter().map(std::slice::from_ref).collect();
            let mut expected: Vec<u8> = Vec::new();
            numbers.iter().for_each(|number| if !expected.contains(number) { expected.push(*number) });
            let kept = without_duplicates(records);
            prop_assert_eq!(kept.as_records().iter().map(|rdata| rdata[0]).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn records_find_their_rrset_wherever_it_stands(
            records in prop::collection::vec((0..3u8, prop::sample::select(&[1u16, 16, 46][..]), 0..3u8, 1..100u32), 0..40)
        ) {
            let owner = |number: u8| Name::from_wire(&[1, b'a' + number, 0]).unwrap();
            let mut groups = Groups::new();
            let is_signature = |rr_type: u16| rr_type == RrType::RRSIG.0;
            let has_data = |name: u8, covers: u8| {
                records.iter().any(|(other, rr_type, ..)| *other == name && *rr_type == u16::from(covers))
            };
            let mut expected: Vec<(u8, u16, u32)> = Vec::new();
            for (name, rr_type, covers, ttl) in &records {
                let rdata = [0, *covers];
                groups.add(owner(*name).as_ref(), RrType(*rr_type), Ttl::from_wire(*ttl), &rdata).unwrap();
                let part_of = match *rr_type {
                    rr_type if is_signature(rr_type) && has_data(*name, *covers) => u16::from(*covers),
                    rr_type => rr_type,
                };
                match expected.iter_mut().find(|(other, rr_type, _)| (other, *rr_type) == (name, part_of)) {
                    Some((_, _, lowest)) => *lowest = (*lowest).min(*ttl),
                    None => expected.push((*name, part_of, *ttl)),
                }
            }
            let sets = groups.into_rrsets();
            prop_assert_eq!(sets.len(), expected.len());
            for (set, (name, rr_type, ttl)) in sets.iter().zip(expected) {
                prop_assert_eq!((&set.owner, set.rr_type.0, set.ttl.seconds()), (&owner(name), rr_type, ttl));
            }
        }
    }
}
