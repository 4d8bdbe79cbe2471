//! How far two versions of a zone are apart, in the numbers an operator decides by.

use crate::dns::{Records, RrType, Ttl};
use crate::zone::{Change, Changeset, Zone};

/// The numbers of a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Records the new version does not have any more. Those of denial chains and signatures are not counted: a signer makes
    /// all of them anew from the others.
    pub records_lost: usize,
    /// The longest a cache may go on with something old: the longest TTL of what went or changed, and for what came the
    /// time its absence may be remembered.
    pub stale_for: Ttl,
}

impl Extent {
    /// The numbers of what leads on from `old`.
    pub fn of(changes: &Changeset, old: &Zone) -> Extent {
        let mut extent = Extent::default();
        // The SOA of every version is another one.
        for change in changes.changes().filter(|change| change.rr_type() != RrType::SOA) {
            extent.records_lost += lost(&change);
            let ttl = change.old.map_or(old.negative_ttl(), |old| old.ttl);
            extent.stale_for = extent.stale_for.max(ttl);
        }
        extent
    }
}

/// Records of the old RRset that the new one lacks.
fn lost(change: &Change<'_>) -> usize {
    let Some(old) = change.old else { return 0 };
    if [RrType::NSEC, RrType::NSEC3, RrType::RRSIG].contains(&old.rr_type) {
        return 0;
    }
    let kept = change.new.map_or(Vec::new(), |new| sorted(new.records));
    old.records.iter().filter(|record| kept.binary_search(record).is_err()).count()
}

fn sorted(records: Records<'_>) -> Vec<&[u8]> {
    let mut sorted: Vec<&[u8]> = records.iter().collect();
    sorted.sort_unstable();
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;
    use crate::zone::ZoneBuilder;
    use crate::zonefile::{Files, NoIncludes, parse};

    fn zone(records: &str) -> Zone {
        let text = format!("$ORIGIN a.test.\n$TTL 300\n{records}");
        let apex: Name = "a.test.".parse().unwrap();
        let mut builder = ZoneBuilder::new(apex.clone());
        let mut files = Files::new("a.zone", text.into_bytes());
        parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
            builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
        })
        .unwrap();
        builder.build().unwrap_or_else(|errors| panic!("{errors:?}")).zone
    }

    const BASE: &str = "@ SOA ns h 1 2 3 4 60\n@ NS ns\nns A 192.0.2.1\nw A 192.0.2.1\nw A 192.0.2.2\n\
        ab NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n";

    #[test]
    fn what_is_lost_and_how_long_it_lives_on() {
        for (new, records_lost, seconds) in [
            (BASE.to_string(), 0, 0),
            (BASE.replace("h 1", "h 9"), 0, 0),
            (BASE.replace("w A 192.0.2.2", "w A 192.0.2.3"), 1, 300),
            (BASE.replace("w A", "w 60 A"), 0, 300),
            (format!("{BASE}x 900 A 192.0.2.9\n"), 0, 60),
            (BASE.replace("w A", "v A"), 2, 300),
            (format!("{BASE}w AAAA 2001:db8::1\n"), 0, 60),
            (BASE.replace("ab NSEC", "ac NSEC"), 0, 300),
            (BASE.replace("NSEC3 1 0 0 -", "NSEC3 1 0 0 ab"), 0, 300),
        ] {
            let (old, new) = (zone(BASE), zone(&new));
            let extent = Extent::of(&Changeset::between(&old, &new), &old);
            assert_eq!(extent, Extent { records_lost, stale_for: Ttl::saturating(seconds) }, "{new:?}");
        }
    }
}
