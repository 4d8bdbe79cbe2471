//! What a proof may cost.

use super::*;
use crate::limits;

/// A chain of one record, that of the apex, with these parameters.
fn lone_apex(iterations: u16, salt: &[u8]) -> Rrset {
    let hash = super::super::super::nsec3::hash(name("example.").as_ref(), iterations, salt);
    let mut buf = NameBuf::new();
    let owner = hash.owner(name("example.").as_ref(), &mut buf).unwrap().to_string();
    let front = [&[1, 0][..], &iterations.to_be_bytes(), &[salt.len() as u8], salt, &[20], &hash.0].concat();
    rrset(&owner, RrType::NSEC3, &[&front[..], b"\0\x01\x22"].concat())
}

fn deep(labels: usize) -> String {
    format!("{}example.", "a.".repeat(labels))
}

#[test]
fn iterations_up_to_the_bound_are_checked_and_more_cost_nothing() {
    let apex = name("example.");
    for (iterations, want, count) in
        [(0, "Proven", 3), (50, "Proven", 3), (51, "TooManyIterations", 0), (65_535, "TooManyIterations", 0)]
    {
        let (nsec3, mut hashes) = ([lone_apex(iterations, b"")], Hashes::new());
        assert_eq!(found(&evidence(&apex, &nsec3), &Claim::NxDomain, "a.example.", &mut hashes), want);
        assert_eq!(hashes.count(), count, "{iterations} iterations");
    }
}

#[test]
fn no_name_is_hashed_twice() {
    let (apex, nsec3, mut hashes) = (name("example."), [lone_apex(0, b"")], Hashes::new());
    for asked in ["a.example.", "A.Example."] {
        for _ in 0..2 {
            assert_eq!(found(&evidence(&apex, &nsec3), &Claim::NxDomain, asked, &mut hashes), "Proven");
            assert_eq!((hashes.count(), hashes.blocks()), (3, 3));
        }
    }
    // Other parameters make other hashes.
    let salted = [lone_apex(0, b"salt")];
    assert_eq!(found(&evidence(&apex, &salted), &Claim::NxDomain, "a.example.", &mut hashes), "Proven");
    assert_eq!(hashes.count(), 6);
}

#[test]
fn many_labels_below_the_apex_cost_few_hashes() {
    let (apex, nsec3) = (name("example."), [lone_apex(0, b"")]);
    for labels in [1, 2, 7, 8, 9, 10, 50, 120] {
        let mut hashes = Hashes::new();
        let got = found(&evidence(&apex, &nsec3), &Claim::NxDomain, &deep(labels), &mut hashes);
        assert_eq!(got, "Proven", "{labels} labels");
        assert!(hashes.count() <= limits::NSEC3_LABELS_FIRST + 3, "{labels} labels: {}", hashes.count());
    }
}

#[test]
fn every_closest_encloser_is_found_within_the_bound() {
    let apex = name("example.");
    for (labels, above) in (1..28).flat_map(|labels| (0..labels).map(move |above| (labels, above))) {
        let encloser = deep(above);
        let lines = nsec3_line(&encloser, false, if above == 0 { "NS SOA" } else { "A" })
            + &nsec3_line(&deep(above + 1), true, "A")
            + &nsec3_line(&format!("*.{encloser}"), true, "A");
        let got =
            found(&evidence(&apex, &records(&lines)), &Claim::NxDomain, &deep(labels), &mut Hashes::new());
        assert_eq!(got, "Proven", "{labels} labels, {above} exist");
    }
}

#[test]
fn the_search_for_an_encloser_ends_at_the_bounds() {
    let apex = name("example.");
    let long_salt = [7; 255];
    for (iterations, salt, count) in
        [(0, &b""[..], limits::NSEC3_HASHES), (50, b"", 32), (50, &long_salt, 19)]
    {
        // The record of a name that is not above the one asked for.
        let mut other = lone_apex(iterations, salt);
        other.owner = name("00000000000000000000000000000000.example.");
        let (came, mut hashes) = ([other], Hashes::new());
        for claim in [Claim::NxDomain, Claim::NoData(RrType::A), Claim::NoDs] {
            let got = found(&evidence(&apex, &came), &claim, &deep(120), &mut hashes);
            assert_eq!(got, "TooManyHashes");
        }
        assert_eq!(hashes.count(), count, "{iterations} iterations, {} octets of salt", salt.len());
        assert!(hashes.blocks() <= limits::NSEC3_HASH_BLOCKS);
    }
}

#[test]
fn names_of_another_zone_are_not_hashed() {
    let (apex, nsec3) = (name("example."), [lone_apex(50, &[7; 255])]);
    for claim in [Claim::NxDomain, Claim::NoData(RrType::A), Claim::NoDs, Claim::Wildcard("test.")] {
        let mut hashes = Hashes::new();
        let got = found(&evidence(&apex, &nsec3), &claim, &deep(100).replace("example", "test"), &mut hashes);
        assert_eq!((got.as_str(), hashes.count()), ("Unproven(OutOfZone)", 0));
    }
}

#[test]
fn only_so_many_records_are_looked_at() {
    let apex = name("example.");
    for (junk, want) in [(limits::DENIAL_RRSETS - 1, "Proven"), (limits::DENIAL_RRSETS, "Unproven(Cover)")] {
        let mut came = vec![rrset("a.example.", RrType::NSEC, b"\x01b\x07example\0\0\x01\x40"); junk];
        came.extend(records("m NSEC n A"));
        let got =
            found(&evidence(&apex, &came), &Claim::NoData(RrType::MX), "m.example.", &mut Hashes::new());
        assert_eq!(got, want, "{junk} others");
    }
}
