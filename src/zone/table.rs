//! The zones served here, found by the longest apex at or above a name.

use std::sync::Arc;

use super::index::{Index, NameHash};
use super::sequence::Slots;
use super::zone::Zone;
use crate::dns::name::MAX_LABELS;
use crate::dns::{Name, NameRef};

/// A zone as it is served.
#[derive(Debug, Clone)]
pub enum ZoneEntry {
    /// Loaded.
    Loaded(Arc<Zone>),
    /// Configured, but no version of it could be loaded. Names in it are SERVFAIL: they are neither another zone's
    /// nor to be resolved.
    Unavailable(Name),
}

impl ZoneEntry {
    /// The name of the zone.
    pub fn apex(&self) -> NameRef<'_> {
        match self {
            ZoneEntry::Loaded(zone) => zone.apex(),
            ZoneEntry::Unavailable(apex) => apex.as_ref(),
        }
    }
}

/// Zones by apex; persistent: a changed table shares with the old one all but the path to the change.
#[derive(Clone)]
pub struct ZoneTable {
    entries: Slots<ZoneEntry>,
    index: Index,
    /// How many zones have an apex of so many labels.
    counts: Arc<[u32; MAX_LABELS + 1]>,
    /// Bit n says that some apex has n labels: the depths worth a look.
    depths: u128,
}

impl ZoneTable {
    /// No zone yet.
    pub fn new() -> ZoneTable {
        ZoneTable {
            entries: [].into_iter().collect(),
            index: Index::build(&[]),
            counts: Arc::new([0; MAX_LABELS + 1]),
            depths: 0,
        }
    }

    /// The zone with the longest apex at or above `name`.
    pub fn find(&self, name: NameRef<'_>) -> Option<&ZoneEntry> {
        self.find_from(name, name.label_count())
    }

    /// The zone with the longest apex strictly above `name`: the parent's side of a zone cut, where DS is (RFC 4035 3.1.4.1).
    pub fn find_above(&self, name: NameRef<'_>) -> Option<&ZoneEntry> {
        self.find_from(name, name.label_count().checked_sub(1)?)
    }

    /// The zone of exactly this apex.
    pub fn get(&self, apex: NameRef<'_>) -> Option<&ZoneEntry> {
        self.number_of(apex).map(|number| self.entries.get(number))
    }

    /// The table with this zone in place of the one of the same apex, if there was one.
    pub fn with(&self, entry: ZoneEntry) -> ZoneTable {
        let mut table = self.clone();
        if let Some(number) = self.number_of(entry.apex()) {
            *table.entries.get_mut(number) = entry;
            return table;
        }
        let (hash, labels) = (NameHash::of(entry.apex()), entry.apex().label_count());
        let number = table.entries.insert(entry);
        table.index.insert(hash, number);
        Arc::make_mut(&mut table.counts)[labels] += 1;
        table.depths |= 1 << labels;
        table
    }

    /// The table without the zone of this apex.
    pub fn without(&self, apex: NameRef<'_>) -> ZoneTable {
        let mut table = self.clone();
        let Some(number) = self.number_of(apex) else {
            return table;
        };
        table.index.remove(NameHash::of(apex), number);
        table.entries.remove(number);
        let labels = apex.label_count();
        let left = &mut Arc::make_mut(&mut table.counts)[labels];
        *left -= 1;
        if *left == 0 {
            table.depths &= !(1 << labels);
        }
        table
    }

    /// All zones, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &ZoneEntry> {
        self.entries.iter()
    }

    /// The zone with the longest apex among the ancestors of `name` with at most so many labels.
    fn find_from(&self, name: NameRef<'_>, most_labels: usize) -> Option<&ZoneEntry> {
        let mut depths = self.depths & (u128::MAX >> (MAX_LABELS - most_labels));
        let (mut name, mut labels) = (name, name.label_count());
        while depths != 0 {
            let depth = depths.ilog2() as usize;
            while labels > depth {
                name = name.parent()?;
                labels -= 1;
            }
            if let Some(entry) = self.get(name) {
                return Some(entry);
            }
            depths &= !(1 << depth);
        }
        None
    }

    fn number_of(&self, apex: NameRef<'_>) -> Option<u32> {
        let mut candidates = self.index.candidates(NameHash::of(apex));
        candidates.find(|number| self.entries.get(*number).apex() == apex)
    }
}

impl Default for ZoneTable {
    fn default() -> ZoneTable {
        ZoneTable::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unavailable(apex: &Name) -> ZoneEntry {
        ZoneEntry::Unavailable(apex.clone())
    }

    /// Names of up to six labels from very few, so that one is often above another.
    fn name() -> impl Strategy<Value = Name> {
        proptest::collection::vec(proptest::sample::select(vec!["a.", "B.", "c."]), 0..7).prop_map(|labels| {
            if labels.is_empty() { Name::root() } else { labels.concat().parse().unwrap() }
        })
    }

    /// The twin: all zones looked at, the longest taken.
    fn longest(zones: &[Name], is_above: impl Fn(&Name) -> bool) -> Option<&Name> {
        zones.iter().filter(|apex| is_above(apex)).max_by_key(|apex| apex.as_ref().label_count())
    }

    fn apexes(table: &ZoneTable) -> Vec<Name> {
        let mut apexes: Vec<Name> = table.iter().map(|entry| entry.apex().to_name()).collect();
        apexes.sort();
        apexes
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_longest_apex_wins_through_all_changes(
            changes in proptest::collection::vec((name(), any::<bool>()), 1..60),
            questions in proptest::collection::vec(name(), 30),
        ) {
            let (mut table, mut zones) = (ZoneTable::new(), Vec::new());
            for (apex, is_kept) in &changes {
                let (old, before) = (table.clone(), apexes(&table));
                zones.retain(|zone| zone != apex);
                if *is_kept {
                    zones.push(apex.clone());
                    table = table.with(unavailable(apex));
                } else {
                    table = table.without(apex.as_ref());
                }
                prop_assert_eq!(apexes(&old), before);
            }
            zones.sort();
            prop_assert_eq!(&apexes(&table), &zones);
            for name in &questions {
                let name = name.as_ref();
                let apex = |entry: Option<&ZoneEntry>| entry.map(|entry| entry.apex().to_name());
                let at_or_above = longest(&zones, |zone| name.is_at_or_below(zone.as_ref()));
                let above = longest(&zones, |zone| name.is_below(zone.as_ref()));
                prop_assert_eq!(apex(table.find(name)), at_or_above.cloned());
                prop_assert_eq!(apex(table.find_above(name)), above.cloned());
                prop_assert_eq!(table.get(name).is_some(), zones.contains(&name.to_name()));
            }
        }
    }

    #[test]
    fn ten_thousand_zones_and_the_longest_name_are_found() {
        let zone = |number: usize| -> Name { format!("z{number}.example.").parse().unwrap() };
        let table =
            (0..10_000).fold(ZoneTable::new(), |table, number| table.with(unavailable(&zone(number))));
        for number in 0..10_000 {
            let below: Name = format!("a.b.{}", zone(number)).parse().unwrap();
            assert_eq!(table.find(below.as_ref()).unwrap().apex(), zone(number).as_ref());
        }
        assert!(table.find(NameRef::ROOT).is_none() && table.find_above(NameRef::ROOT).is_none());
        let longest = "a.".repeat(MAX_LABELS).parse::<Name>().unwrap();
        let table = table.with(unavailable(&longest)).with(unavailable(&Name::root()));
        assert_eq!(table.find(longest.as_ref()).unwrap().apex(), longest.as_ref());
        assert!(table.find_above(longest.as_ref()).unwrap().apex().is_root());
    }
}
