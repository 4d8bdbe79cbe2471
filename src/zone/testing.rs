//! Zones for tests, written as lines of a zone file.

use super::{Zone, ZoneBuilder};
use crate::dns::{Name, Records};
use crate::zonefile::{Files, NoIncludes, parse};

/// `example.` with this serial and these lines; TTLs are 60 unless written.
pub(super) fn zone(serial: u32, lines: &[&str]) -> Zone {
    try_zone(serial, lines).unwrap()
}

/// As [`zone`]; none when the lines contradict each other.
pub(super) fn try_zone(serial: u32, lines: &[&str]) -> Option<Zone> {
    let lines = lines.join("\n");
    let text = format!("$TTL 60\n@ SOA ns hostmaster {serial} 7200 900 1209600 300\n@ NS ns\n{lines}\n");
    let apex: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(apex.clone());
    let mut files = Files::new("example.zone", text.into_bytes());
    parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, ());
    })
    .unwrap();
    builder.build().ok().map(|built| built.zone)
}

/// A line for each RRset, the same for two zones that say the same: in lower case, records sorted.
pub(super) fn listing(zone: &Zone) -> Vec<String> {
    let sorted = |records: Records<'_>| {
        let mut sorted: Vec<String> =
            records.iter().map(|rdata| rdata.escape_ascii().to_string().to_lowercase()).collect();
        sorted.sort();
        sorted
    };
    let rrsets = zone.nodes().flat_map(|node| node.rrsets());
    rrsets
        .map(|rrset| {
            let (records, signatures) = (sorted(rrset.records), sorted(rrset.signatures));
            let owner = rrset.owner.to_string().to_lowercase();
            format!("{owner} {} {} {records:?} {signatures:?}", rrset.ttl, rrset.rr_type)
        })
        .collect()
}
