//! The slow obvious twin of versions, and the properties that hold changesets and journals to it: a version is a sorted
//! list of records, and what differs is what stands in one list and not in the other.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::changeset::{Changeset, Summary};
use super::content_hash::ContentHash;
use super::journal::{Cause, Held, Journal, Version, delta, full, new_with_full, new_with_mark};
use super::testing::try_zone;
use super::zone::Zone;
use crate::clock::Unix;
use crate::dns::{Name, NameBuf, Records, RrsetRef, Serial};
use crate::dnssec::{Chain, Nsec3Params};

/// Records as lines, sorted; each with its TTL, signatures with that of what they cover.
type Twin = Vec<String>;

fn twin(zone: &Zone) -> Twin {
    let mut records: Twin = zone.nodes().flat_map(|node| node.rrsets()).flat_map(lines_of).collect();
    records.sort();
    records
}

fn lines_of(rrset: RrsetRef<'_>) -> Vec<String> {
    let lines = |what: String, records: Records<'_>| -> Vec<String> {
        let line = |rdata: &[u8]| format!("{what} {}", rdata.escape_ascii()).to_lowercase();
        records.iter().map(line).collect()
    };
    let (owner, ttl, rr_type) = (rrset.owner, rrset.ttl, rrset.rr_type);
    let records = lines(format!("{owner} {ttl} {rr_type}"), rrset.records);
    [records, lines(format!("{owner} {ttl} RRSIG of {rr_type}"), rrset.signatures)].concat()
}

/// What stands in `left` and not in `right`.
fn only_in(left: &Twin, right: &Twin) -> Twin {
    left.iter().filter(|record| !right.contains(record)).cloned().collect()
}

/// The records that go and those that come, by the changeset.
fn told(changes: &Changeset) -> (Twin, Twin) {
    let (mut gone, mut come) = (Twin::new(), Twin::new());
    for change in changes.changes() {
        let [old, new] = [change.old, change.new].map(|rrset| rrset.map(lines_of).unwrap_or_default());
        gone.extend(only_in(&old, &new));
        come.extend(only_in(&new, &old));
    }
    gone.sort();
    come.sort();
    (gone, come)
}

/// How a version is signed.
#[derive(Debug, Clone)]
struct Signing {
    nsec: bool,
    nsec3: Option<Params>,
    ttl: u32,
}

#[derive(Debug, Clone)]
struct Params {
    iterations: u16,
    salt: &'static str,
    opts_out: bool,
}

impl Params {
    /// The owner in the chain of the name `owner`; both are relative to the apex.
    fn hashed(&self, owner: &str) -> String {
        let salt = match self.salt {
            "-" => Vec::new(),
            salt => vec![u8::from_str_radix(salt, 16).unwrap()],
        };
        let params = Nsec3Params { iterations: self.iterations, salt: salt.into() };
        let apex: Name = "example.".parse().unwrap();
        let mut buf = NameBuf::new();
        let hashed = params.hash(absolute(owner).as_ref()).owner(apex.as_ref(), &mut buf).unwrap();
        hashed.to_string().replace(".example.", "")
    }
}

fn absolute(owner: &str) -> Name {
    if owner == "@" { "example.".parse().unwrap() } else { format!("{owner}.example.").parse().unwrap() }
}

const NEXT: &str = "2t7b4g4vsa5smi47k61mv5bv1a22bojr";

fn signature(covered: &str) -> String {
    format!("RRSIG {covered} 8 2 60 20300101000000 20200101000000 1 example. AAAA")
}

/// The lines with those a signer adds.
fn signed(lines: &[String], signing: &Signing) -> Vec<String> {
    let mut all = lines.to_vec();
    let own = |line: &String| line.split_once(' ').unwrap().0.to_lowercase();
    let owners: BTreeSet<String> = lines.iter().map(own).chain(["@".into()]).collect();
    let ttl = signing.ttl;
    let mut add = |owner: &str, what: &str, covered: &str| {
        all.push(format!("{owner} {ttl} {what}"));
        all.push(format!("{owner} {ttl} {}", signature(covered)));
    };
    if signing.nsec {
        owners.iter().for_each(|owner| add(owner, "NSEC a A RRSIG NSEC", "NSEC"));
    }
    if let Some(params) = &signing.nsec3 {
        let Params { iterations, salt, opts_out } = params;
        add("@", &format!("NSEC3PARAM 1 0 {iterations} {salt}"), "NSEC3PARAM");
        let is_insecure =
            |owner: &&String| lines.iter().any(|line| own(line) == **owner && line.contains(" NS "));
        for owner in owners.iter().filter(|owner| !(*opts_out && is_insecure(owner))) {
            let what = format!("NSEC3 1 {} {iterations} {salt} {NEXT} A RRSIG", u8::from(*opts_out));
            add(&params.hashed(owner), &what, "NSEC3");
        }
    }
    all
}

fn signing() -> impl Strategy<Value = Signing> {
    let params = (0..2u16, select(vec!["-", "ab", "cd"]), any::<bool>())
        .prop_map(|(iterations, salt, opts_out)| Params { iterations, salt, opts_out });
    (any::<bool>(), proptest::option::of(params), 60..62u32).prop_map(|(nsec, nsec3, ttl)| Signing {
        nsec,
        nsec3,
        ttl,
    })
}

/// Lines of few owners and types, so that versions meet. At hashed owners other data stands too, before and after NSEC3 by its
/// type, and NSEC3 stands where no hash leads.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let plain = Params { iterations: 0, salt: "-", opts_out: false };
    let mut owners: Vec<String> =
        ["@", "a", "A", "b.a", "*.a", "d", "x.y.z.d", "e"].into_iter().map(String::from).collect();
    owners.extend(["@", "a", "e"].map(|owner| plain.hashed(owner)));
    let records = ["A 192.0.2.1", "A 192.0.2.2", "MX 1 a", "MX 1 A", "TXT x", "NS ns1", "TLSA 3 1 1 ab"];
    let mut records: Vec<String> = records.into_iter().map(String::from).collect();
    records.extend([signature("AAAA"), signature("A"), signature("NSEC3")]);
    records.push(format!("NSEC3 1 0 0 - {NEXT}"));
    let line = (select(owners), 59..61u32, select(records))
        .prop_map(|(owner, ttl, record)| format!("{owner} {ttl} {record}"));
    proptest::collection::vec(line, 0..16)
}

/// Versions of one zone with serials from 1 on. Beside many other names few changes are made in place, beside none the
/// trees are made anew.
fn history() -> impl Strategy<Value = Vec<Zone>> {
    let versions = proptest::collection::vec((lines(), signing()), 2..5);
    let others = prop_oneof![8 => Just(0), 1 => Just(3000)];
    (versions, others).prop_map(|(versions, others)| {
        let others: Vec<String> = (0..others).map(|n| format!("o{n} A 192.0.2.1")).collect();
        let zone = |(serial, (lines, signing)): (u32, (Vec<String>, Signing))| {
            let lines = [signed(&lines, &signing), others.clone()].concat();
            try_zone(serial, &lines.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let zones = (1..).zip(versions).map(zone);
        zones.map(|zone| zone.expect("nothing contradicts another line")).collect()
    })
}

fn version(zone: &Zone, summary: Summary) -> Version {
    let (serial, hash) = (zone.serial(), ContentHash::of(zone));
    let before = Serial(serial.0.max(2) - 1);
    let (time, cause, held) = (Unix(u64::from(serial.0)), Cause::Watch, Held::Full);
    Version { serial, before, file_serial: serial, time, cause, hash, file_hash: hash, summary, held }
}

/// That `made` says what `wanted` says, and is the same tree.
fn assert_same(made: &Zone, wanted: &Zone) {
    assert_eq!(twin(made), twin(wanted));
    assert_eq!(ContentHash::of(made), ContentHash::of(wanted));
    assert_eq!((made.rrset_count(), made.record_count()), (wanted.rrset_count(), wanted.record_count()));
    let kinds =
        |zone: &Zone| zone.nodes().map(|node| (node.owner().to_name(), node.kind())).collect::<Vec<_>>();
    assert_eq!(kinds(made), kinds(wanted));
    let proofs = |zone: &Zone| {
        let chain = zone.denial_chain()?;
        let of = |rrset: Option<RrsetRef<'_>>| rrset.map(|rrset| rrset.owner.to_name());
        let proof = |owner: &str| {
            let name = absolute(owner);
            (of(chain.matching(name.as_ref())), of(chain.covering(name.as_ref())))
        };
        Some((chain.kind(), ["@", "a", "b.a", "nowhere", "z.d", "o7"].map(proof)))
    };
    assert_eq!(proofs(made), proofs(wanted));
    assert!(Changeset::between(made, wanted).changes().next().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_are_what_differs_between_the_lists_and_lead_there_and_back(zones in history()) {
        for pair in zones.windows(2) {
            let [old, new] = pair else { unreachable!() };
            let changes = Changeset::between(old, new);
            let (before, after) = (twin(old), twin(new));
            prop_assert_eq!(told(&changes), (only_in(&before, &after), only_in(&after, &before)));
            assert_same(&changes.apply(old).unwrap(), new);
            let back = changes.clone().reverse();
            prop_assert_eq!(&back, &Changeset::between(new, old));
            assert_same(&back.apply(new).unwrap(), old);
            prop_assert_eq!(changes.is_content_same(), ContentHash::of(old) == ContentHash::of(new));
            // A serial set afterwards touches nothing but the SOA.
            let numbered = new.with_serial(Serial(77));
            prop_assert_eq!(changes.toward(old, &numbered), Changeset::between(old, &numbered));
            assert_same(&numbered.with_serial(new.serial()), new);
        }
    }

    #[test]
    fn a_journal_gives_back_every_version(zones in history()) {
        let mut octets = new_with_full(&version(&zones[0], Summary::default()), &zones[0]);
        for pair in zones.windows(2) {
            let changes = Changeset::between(&pair[0], &pair[1]);
            octets.extend(delta(&version(&pair[1], changes.summary()), &changes));
        }
        // A mark, as an earlier build left for a zone with NSEC3, and what began anew behind it.
        let mut marked = new_with_mark(&version(&zones[0], Summary::default()), zones[0].apex());
        marked.extend(full(&version(&zones[1], Summary::default()), &zones[1]));
        let apex = zones[0].apex();
        let journal = Journal::read(&octets, apex).unwrap();
        prop_assert_eq!((journal.versions().len(), journal.good_octets()), (zones.len(), octets.len()));
        for (at, zone) in zones.iter().enumerate() {
            assert_same(&journal.zone(at).unwrap(), zone);
        }
        let shortened = journal.shortened(octets.len() - 1, 0).unwrap();
        let shorter = Journal::read(&shortened, apex).unwrap();
        for (at, zone) in zones[zones.len() - shorter.versions().len()..].iter().enumerate() {
            assert_same(&shorter.zone(at).unwrap(), zone);
        }
        assert_same(&Journal::read(&marked, apex).unwrap().zone(1).unwrap(), &zones[1]);
    }
}

/// The format for zones with NSEC3 as it was first written: a version in full, and one delta.
const GOLDEN: &[u8] = include_bytes!("../../tests/golden/journal_v1_nsec3.journal");

#[test]
fn the_format_on_disk_stays_for_zones_with_nsec3() {
    let zone = |serial, salt, address: &str| {
        let params = Params { iterations: 0, salt, opts_out: true };
        let lines = [format!("a A {address}"), format!("{} A 192.0.2.1", params.hashed("a"))];
        let signing = Signing { nsec: false, nsec3: Some(params), ttl: 60 };
        let lines = signed(&lines, &signing);
        try_zone(serial, &lines.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
    };
    let zones = [zone(1, "ab", "192.0.2.1"), zone(2, "cd", "192.0.2.2")];
    let changes = Changeset::between(&zones[0], &zones[1]);
    let mut octets = new_with_full(&version(&zones[0], Summary::default()), &zones[0]);
    octets.extend(delta(&version(&zones[1], changes.summary()), &changes));
    assert_eq!(octets, GOLDEN);
    let journal = Journal::read(GOLDEN, zones[0].apex()).unwrap();
    zones.iter().enumerate().for_each(|(at, zone)| assert_same(&journal.zone(at).unwrap(), zone));
}
