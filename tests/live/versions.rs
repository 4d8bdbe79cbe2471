//! Serials and history of the real binary: over edits, restarts and sudden death.

use std::collections::BTreeSet;
use std::process::Command;

use hickory_proto::rr::{RData, RecordType};
use namu::dns::{Name, RrType, Serial};
use namu::zone::{Journal, Zone};

use crate::dns::udp;
use crate::namu::{Folder, Namu, program, run, skipped};

const JOURNAL: &str = "state/zones/home.test.journal";
/// Records of the zone that each edit changes: enough for a record of the journal that takes several blocks of a disk.
const CHANGED: u32 = 100;
/// A journal with room for some ten edits, so that it is shortened every few kills.
const SMALL_JOURNAL: &str = "listen: [{address: 127.0.0.1, port: 0}]
access-log: []
zones: [{name: home.test, type: primary, file: zones/home.test.zone, journal: 96KiB}]
";

/// The zone under serial 1 in its `edit`th content.
fn zone(edit: u32) -> String {
    let header =
        "$ORIGIN home.test.\n$TTL 60\n@ SOA ns1 root 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n";
    let records = (0..CHANGED).map(|n| format!("r{n} TXT edit-{edit}\n"));
    records.fold(header.to_string(), |text, line| text + &line)
}

fn serial(namu: &Namu) -> u32 {
    let reply = udp(namu.address(), "home.test.", RecordType::SOA);
    match &reply.answers[0].data {
        RData::SOA(soa) => soa.serial,
        other => panic!("no SOA: {other}"),
    }
}

fn start(folder: &Folder) -> Namu {
    Namu::start(&folder.path, &["run", "--port", "0"])
}

/// Which edit a version is. All its records are of one.
fn edit_of(zone: &Zone) -> u32 {
    let txts = zone.nodes().filter_map(|node| node.rrset(RrType::TXT));
    let edits: BTreeSet<&[u8]> = txts.map(|rrset| &rrset.records.first().unwrap()[1..]).collect();
    assert_eq!(edits.len(), 1, "one version, one edit");
    let text = std::str::from_utf8(edits.first().unwrap()).unwrap();
    text.trim_start_matches("edit-").parse().unwrap()
}

#[test]
fn a_start_with_a_broken_file_goes_on_with_the_last_version() {
    let folder = Folder::new();
    let file = folder.write("zones/home.test.zone", &zone(1));
    let namu = start(&folder);
    assert_eq!(serial(&namu), 1);
    assert!(namu.stop().success());
    std::fs::write(&file, zone(2).replace("r7 TXT", "r7 TXTT")).unwrap();
    let mut namu = start(&folder);
    let heard = namu.heard();
    assert!(heard.contains("its file has errors; serial 1 stays") && heard.contains("TXTT"), "{heard}");
    let reply = udp(namu.address(), "r7.home.test.", RecordType::TXT);
    assert_eq!((serial(&namu), reply.answers[0].data.to_string()), (1, "edit-1".to_string()));
    let (_, status, _) = run(&folder.path, &["ctl", "status"]);
    assert!(status.contains("serial 1 stays"), "{status}");
    std::fs::write(&file, zone(2)).unwrap();
    namu.wait_for("serial 1 -> 2");
    assert_eq!(history(&folder), [(1, 1), (2, 2)]);
}

/// The versions of a journal without the tail a killed writer may have left: serial and edit of each.
fn history(folder: &Folder) -> Vec<(u32, u32)> {
    let octets = std::fs::read(folder.path.join(JOURNAL)).unwrap();
    let apex: Name = "home.test.".parse().unwrap();
    let journal = Journal::read(&octets, apex.as_ref()).unwrap();
    let version = |(at, serial): (usize, Serial)| (serial.0, edit_of(&journal.zone(at).unwrap()));
    journal.versions().map(|version| version.serial).enumerate().map(version).collect()
}

#[test]
fn an_edit_without_a_new_serial_is_published_under_the_next_one_and_stays_so() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", &zone(1));
    let mut namu = start(&folder);
    folder.write("zones/home.test.zone", &(zone(1) + "new A 192.0.2.9\n"));
    namu.signal("HUP");
    namu.wait_for("zone home.test.: serial 1 -> 2, +1 RRset");
    assert_eq!(serial(&namu), 2);
    assert!(namu.stop().success());
    assert_eq!(serial(&start(&folder)), 2, "the file still says 1");
}

#[test]
fn a_server_that_may_not_write_serves_all_the_same() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", &zone(1));
    folder.write("state", "a file where the directory should be");
    let mut namu = start(&folder);
    assert_eq!(serial(&namu), 1);
    folder.write("zones/home.test.zone", &zone(2));
    namu.signal("HUP");
    namu.wait_for("serial 1 -> 2");
    assert_eq!(serial(&namu), 2);
    assert_eq!(namu.kill().matches("are not kept beyond this run").count(), 1);
}

/// Moments that differ in each round, and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn a_server_killed_at_any_moment_keeps_every_version_it_told_of() {
    let kills = std::env::var("NAMU_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(25);
    let folder = Folder::new();
    folder.write("config.yaml", SMALL_JOURNAL);
    folder.write("zones/home.test.zone", &zone(0));
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let (mut edit, mut told_count) = (0, 0);
    for kill in 0..kills {
        let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
        let known = history(&folder);
        let served = serial(&namu);
        assert_eq!(known.last().unwrap(), &(served, edit), "kill {kill}: the file's content is served");
        for _ in 0..1 + chance.below(4) {
            edit += 1;
            folder.write("zones/home.test.new", &zone(edit));
            let path = |name: &str| folder.path.join("zones").join(name);
            std::fs::rename(path("home.test.new"), path("home.test.zone")).unwrap();
            namu.signal("HUP");
            // Any moment of the reload will do, or one before the next.
            (0..chance.below(2_000_000)).for_each(|turn| {
                std::hint::black_box(turn);
            });
        }
        let said = namu.kill();
        assert!(!said.contains("no history is kept"), "{said}");
        let after = history(&folder);
        let told = said.lines().filter_map(|line| line.split_once(" -> ")?.1.split_once(','));
        for (serial, _) in told {
            let serial: u32 = serial.parse().unwrap();
            assert!(after.iter().any(|version| version.0 == serial), "kill {kill}: {serial} in {after:?}");
            told_count += 1;
        }
        let old: Vec<(u32, u32)> = after.iter().copied().filter(|version| version.0 <= served).collect();
        assert!(known.ends_with(&old), "kill {kill}: {known:?} became {after:?}");
        assert!(after.is_sorted(), "later serials have later content");
    }
    assert!(told_count > 0 || kills < 5, "some edits were told of");
}

/// The zone with this serial and these records, signed with NSEC3 under a salt, until 2050.
fn sign(folder: &Folder, key: &str, serial: u32, salt: &str, records: &str) {
    let text = format!(
        "$ORIGIN home.test.\n$TTL 60\n@ SOA ns1 root {serial} 3600 600 86400 60\n@ NS ns1\n{records}"
    );
    folder.write("unsigned", &text);
    let path = |name: &str| folder.path.join(name);
    let signed = Command::new("ldns-signzone")
        .args([
            "-n",
            "-t",
            "0",
            "-s",
            salt,
            "-i",
            "20200101",
            "-e",
            "20500101",
            "-o",
            "home.test",
            "-f",
            "signed",
        ])
        .args(["unsigned", key])
        .current_dir(&folder.path)
        .status();
    assert!(signed.unwrap().success());
    std::fs::create_dir_all(path("zones")).unwrap();
    std::fs::rename(path("signed"), path("zones/home.test.zone")).unwrap();
}

#[test]
fn a_zone_signed_with_nsec3_has_a_history_a_difference_and_a_way_back() {
    if ["ldns-signzone", "ldns-keygen"].into_iter().any(|tool| program(tool).is_none()) {
        return skipped("ldns-signzone is not installed, so there is no zone signed with NSEC3");
    }
    let folder = Folder::new();
    let mut keygen = Command::new("ldns-keygen");
    let key = keygen.args(["-a", "ECDSAP256SHA256", "home.test"]).current_dir(&folder.path).output().unwrap();
    let key = String::from_utf8(key.stdout).unwrap();
    sign(&folder, key.trim(), 1, "ab", "ns1 A 192.0.2.1\nwww A 192.0.2.2\n");
    let mut namu = start(&folder);
    sign(&folder, key.trim(), 2, "ab", "ns1 A 192.0.2.1\nwww A 192.0.2.3\nnew A 192.0.2.4\n");
    namu.signal("HUP");
    namu.wait_for("zone home.test.: serial 1 -> 2, +2 RRsets");
    sign(&folder, key.trim(), 3, "cd", "ns1 A 192.0.2.1\nwww A 192.0.2.3\nnew A 192.0.2.4\n");
    namu.signal("HUP");
    namu.wait_for("zone home.test.: serial 2 -> 3, +4 -4 RRsets");
    let say = |arguments: &[&str]| {
        let (code, said, talk) = run(&folder.path, &[&["zone"], arguments].concat());
        (code, said + &talk)
    };
    let (code, history) = say(&["history", "home.test"]);
    assert!(code == 0 && history.lines().count() == 3 && !history.contains("not kept"), "{history}");
    let (code, diff) = say(&["diff", "home.test"]);
    let chain = |sign: char, salt: &str| {
        let of_chain = |line: &&str| line.contains(&format!(" IN NSEC3 1 0 0 {salt} "));
        diff.lines().filter(|line| line.starts_with(sign)).filter(of_chain).count()
    };
    assert_eq!((code, chain('-', "ab"), chain('+', "cd")), (1, 4, 4), "{diff}");
    let shown = |arguments: &[&str]| -> BTreeSet<String> {
        say(&[&["show", "home.test"], arguments].concat()).1.lines().map(String::from).collect()
    };
    let first = shown(&["--at", "1"]);
    assert_eq!(first.iter().filter(|line| line.contains(" NSEC3 ")).count(), 6, "three and their RRSIGs");
    let (_, said) = say(&["rollback", "home.test", "1"]);
    assert!(said.contains("serial 3 -> 1") && said.contains("serial 1 is not after 3"), "{said}");
    assert_eq!((serial(&namu), shown(&[])), (1, first), "its SOA is signed, so it comes back as it was");
    let reply = udp(namu.address(), "www.home.test.", RecordType::A);
    assert_eq!(reply.answers[0].data.to_string(), "192.0.2.2");
    assert!(namu.stop().success());
    let namu = start(&folder);
    assert_eq!(serial(&namu), 1, "until the file changes");
}
