//! `parse(print(zone)) = zone`, for whole zones.

use namu::dns::{Name, RrType, Ttl};
use namu::zone::{Zone, ZoneBuilder};
use namu::zonefile::{Files, NoIncludes, parse, write_rrset};
use proptest::prelude::*;

use crate::values;

const SOA: &[u8] = b"\0\0\0\0\0\x07\0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\0\x01\x2c";

/// A record to be pushed.
type Pushed = (Name, RrType, Ttl, Vec<u8>);

fn apex() -> Name {
    "example.".parse().unwrap()
}

fn build(records: &[Pushed]) -> Zone {
    let mut builder = ZoneBuilder::new(apex());
    builder.push(apex().as_ref(), RrType::SOA, Ttl::from_wire(60), SOA, ());
    for (owner, rr_type, ttl, rdata) in records {
        builder.push(owner.as_ref(), *rr_type, *ttl, rdata, ());
    }
    builder.build().unwrap_or_else(|errors| panic!("{errors:?}")).zone
}

fn print(zone: &Zone) -> String {
    let mut text = String::new();
    for rrset in zone.nodes().flat_map(|node| node.rrsets()) {
        write_rrset(rrset, &mut text).unwrap();
    }
    text
}

fn read(text: &str) -> Zone {
    let mut files = Files::new("zone", text.as_bytes().to_vec());
    let mut builder = ZoneBuilder::new(apex());
    let read = parse(&mut files, apex().as_ref(), &NoIncludes, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, ());
    });
    assert_eq!(read, Ok(vec![]), "{text}");
    builder.build().unwrap_or_else(|errors| panic!("{errors:?}")).zone
}

/// Any types but those that may not stand beside others, which have names of their own.
fn records() -> impl Strategy<Value = Vec<Pushed>> {
    let alone = [RrType::SOA, RrType::CNAME, RrType::DNAME];
    let rr_type = values::rr_type().prop_filter("it stands alone", move |rr_type| !alone.contains(rr_type));
    let record = |owner: BoxedStrategy<Name>, rr_type: BoxedStrategy<RrType>| {
        (owner, rr_type, values::ttl()).prop_flat_map(|(owner, rr_type, ttl)| {
            values::rdata(rr_type).prop_map(move |rdata| (owner.clone(), rr_type, ttl, rdata))
        })
    };
    let ordinary = record(values::name_below("example.").boxed(), rr_type.boxed());
    let single = |number: usize| {
        let owner: Name = format!("alone-{number}.example.").parse().unwrap();
        let rr_type = [RrType::CNAME, RrType::DNAME][number % 2];
        record(Just(owner).boxed(), Just(rr_type).boxed())
    };
    let singles: Vec<_> = (0..4).map(single).collect();
    (prop::collection::vec(ordinary, 0..60), singles)
        .prop_map(|(ordinary, singles)| [ordinary, singles].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_zone_that_is_printed_and_read_is_the_same_zone(records in records()) {
        let zone = build(&records);
        let text = print(&zone);
        let again = read(&text);
        prop_assert_eq!(zone.record_count(), again.record_count());
        prop_assert_eq!(zone.nodes().count(), again.nodes().count());
        for (ours, theirs) in zone.nodes().zip(again.nodes()) {
            prop_assert_eq!(ours.owner().octets(), theirs.owner().octets());
            prop_assert_eq!(ours.kind(), theirs.kind());
            prop_assert!(ours.rrsets().eq(theirs.rrsets()), "{:?} in\n{}", ours, text);
        }
        prop_assert_eq!(print(&again), text);
    }
}
