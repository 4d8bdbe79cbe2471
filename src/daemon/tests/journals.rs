//! Disks that cannot be written, files that are torn, and journals that are full.

use std::fs;

use super::super::durable::{self, Appended};
use super::super::versions::{HistoryError, When};
use super::*;
use crate::dns::Serial;
use crate::zone::{Held, NotHeld};

#[test]
fn a_journal_torn_anywhere_is_cut_and_the_zone_is_served() {
    let mut home = Home::plain();
    home.load(1, &["a A 192.0.2.1"]);
    let first = fs::metadata(home.journal()).unwrap().len() as usize;
    home.load(1, &["a A 192.0.2.2"]);
    let whole = fs::read(home.journal()).unwrap();
    for length in 0..whole.len() {
        fs::write(home.journal(), &whole[..length]).unwrap();
        home.restart();
        let (serial, remark) = home.load(1, &["a A 192.0.2.2"]);
        let is_first_there = length >= first;
        assert_eq!(serial, if is_first_there { 2 } else { 1 }, "{length} octets");
        // An empty file, the header alone and the first record alone are whole.
        let is_torn = ![0, 27, first].contains(&length);
        assert_eq!(remark.contains("were not written to their end"), is_torn, "{length} octets: {remark}");
        home.restart();
        assert_eq!(home.load(1, &["a A 192.0.2.2"]), (serial, String::new()), "{length} octets");
        assert_eq!(home.serials(), if is_first_there { vec![1, 2] } else { vec![1] });
    }
}

#[test]
fn without_a_writable_disk_all_goes_on_and_it_is_said_once() {
    let mut home = Home::plain();
    // A file where the folder should be: no user can write there, not even root.
    fs::write(home.folder.join("state"), "").unwrap();
    let (serial, remark) = home.load(1, &["a A 192.0.2.1"]);
    assert!(serial == 1 && remark.contains("are not kept beyond this run"), "{remark}");
    assert_eq!(home.load(1, &["a A 192.0.2.2"]), (2, String::new()));
    assert_eq!(home.load(1, &["a A 192.0.2.2"]), (2, String::new()));
    assert_eq!(home.load(1, &["a A 192.0.2.3"]), (3, String::new()));
    // The disk is back.
    fs::remove_file(home.folder.join("state")).unwrap();
    assert_eq!(home.load(1, &["a A 192.0.2.4"]), (4, String::new()));
    assert_eq!(home.serials(), [3, 4]);
    home.restart();
    assert_eq!(home.load(1, &["a A 192.0.2.4"]).0, 4);
}

#[test]
fn versions_that_could_not_be_written_leave_a_gap_and_no_more() {
    let mut home = Home::plain();
    home.load(1, &["a A 192.0.2.1"]);
    home.load(1, &["a A 192.0.2.2"]);
    let journals = home.folder.join("state/zones");
    fs::rename(&journals, home.folder.join("aside")).unwrap();
    fs::write(&journals, "").unwrap();
    assert_eq!(home.load(1, &["a A 192.0.2.3"]).0, 3);
    fs::remove_file(&journals).unwrap();
    fs::rename(home.folder.join("aside"), &journals).unwrap();
    assert_eq!(home.load(1, &["a A 192.0.2.4"]), (4, String::new()));
    assert_eq!(home.load(1, &["a A 192.0.2.5"]), (5, String::new()));
    assert_eq!(home.serials(), [1, 2, 4, 5]);
    home.restart();
    for serial in home.serials() {
        assert!(home.versions.at(apex().as_ref(), When::Serial(Serial(serial))).is_ok(), "{serial}");
    }
}

#[test]
fn what_another_process_wrote_is_not_cut() {
    let mut home = Home::plain();
    home.load(1, &["a A 192.0.2.1"]);
    let mut other = Home::plain();
    other.versions = Versions::new(State::new(home.folder.join("state")));
    other.load(1, &["a A 192.0.2.2"]);
    let (serial, remark) = home.load(1, &["a A 192.0.2.3"]);
    assert!(serial == 2 && remark.contains("another process"), "{remark}");
    home.load(1, &["a A 192.0.2.4"]);
    assert_eq!(home.serials(), [1, 2, 3]);
}

#[test]
fn a_journal_of_a_newer_format_is_left_untouched_and_the_zone_is_served() {
    let mut home = Home::plain();
    home.load(1, &["a A 192.0.2.1"]);
    let mut newer = fs::read(home.journal()).unwrap();
    newer[9] = 2;
    fs::write(home.journal(), &newer).unwrap();
    home.restart();
    let (serial, remark) = home.load(1, &["a A 192.0.2.2"]);
    assert!(serial == 1 && remark.contains("is of format 2"), "{remark}");
    assert_eq!(home.load(1, &["a A 192.0.2.3"]), (2, String::new()));
    assert_eq!(fs::read(home.journal()).unwrap(), newer);
    assert!(matches!(home.versions.history(apex().as_ref()), Err(HistoryError::NotReadable(_))));
}

#[test]
fn a_full_journal_loses_its_oldest_versions() {
    let mut home = Home::with_room(2000);
    for n in 0..40 {
        assert_eq!(home.load(1, &[&format!("a{n} A 192.0.2.1")]), (n + 1, String::new()));
        assert!(fs::metadata(home.journal()).unwrap().len() <= 2000);
        let serials = home.serials();
        assert_eq!(serials.last(), Some(&(n + 1)));
        assert!(n < 8 || serials.len() >= 3, "{serials:?}");
        assert!(serials.is_sorted());
    }
    for serial in home.serials() {
        let zone = home.versions.at(apex().as_ref(), When::Serial(Serial(serial))).unwrap();
        assert!(listing(&zone)[2].starts_with(&format!("a{}.", serial - 1)));
    }
}

#[test]
fn a_zone_larger_than_its_journal_keeps_its_serial() {
    let mut home = Home::with_room(100);
    let (_, remark) = home.load(1, &["a A 192.0.2.1"]);
    assert!(remark.contains("100 octets are too little"), "{remark}");
    assert_eq!(home.load(1, &["a A 192.0.2.2"]), (2, String::new()));
    home.restart();
    assert_eq!(home.load(1, &["a A 192.0.2.2"]), (2, String::new()));
    assert_eq!(home.load(1, &["a A 192.0.2.3"]).0, 3);
}

#[test]
fn without_a_journal_the_last_serial_and_hash_are_kept() {
    let mut home = Home::new(SerialPolicy::Increment, JournalSize::Off);
    home.load(1, &["a A 192.0.2.1"]);
    home.load(1, &["a A 192.0.2.2"]);
    home.restart();
    assert_eq!(home.load(1, &["a A 192.0.2.2"]), (2, String::new()));
    let history = home.versions.history(apex().as_ref()).unwrap();
    assert!(history.len() == 1 && history[0].held == Held::Mark);
    let at = home.versions.at(apex().as_ref(), When::Serial(Serial(2)));
    assert!(matches!(at, Err(HistoryError::NotHeld(NotHeld::Mark))));
    // Switched on, it begins with what is served.
    home.options.journal = JournalSize::default();
    home.load(1, &["a A 192.0.2.3"]);
    assert_eq!(home.serials(), [2, 3]);
}

#[test]
fn a_file_is_replaced_whole_where_its_links_lead_and_with_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::plain();
    let (real, link) = (home.folder.join("real"), home.folder.join("link"));
    fs::write(&real, "old").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    fs::write(home.folder.join(".real.new"), "left by a killed writer").unwrap();
    durable::replace(&link, b"new").unwrap();
    assert_eq!(fs::read(&real).unwrap(), b"new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(&home.folder).unwrap().count(), 2, "nothing is left beside them");
    assert_eq!(durable::append(&real, 2, b"!").unwrap(), Appended::Moved);
    assert_eq!(durable::append(&real, 3, b"!").unwrap(), Appended::Written);
    assert_eq!(durable::read(&real, 4).unwrap().unwrap(), b"new!");
    assert!(durable::read(&real, 3).is_err());
    assert_eq!(durable::read(&home.folder.join("none"), 3).unwrap(), None);
}

/// Signed with NSEC3 under this salt, with one address.
fn signed(salt: &str, address: &str) -> Vec<String> {
    let next = "2t7b4g4vsa5smi47k61mv5bv1a22bojr";
    let signature = |covered| format!("RRSIG {covered} 8 2 60 20300101000000 20200101000000 1 example. AAAA");
    vec![
        format!("@ NSEC3PARAM 1 0 0 {salt}"),
        format!("{next} NSEC3 1 0 0 {salt} {next} A RRSIG"),
        format!("{next} {}", signature("NSEC3")),
        format!("a A {address}"),
        format!("a {}", signature("A")),
    ]
}

fn load_signed(home: &mut Home, salt: &str, address: &str) -> (u32, String) {
    let lines = signed(salt, address);
    home.load(1, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn zones_with_nsec3_have_a_history_like_any_other() {
    let mut home = Home::plain();
    let mut published = Vec::new();
    for (salt, address) in [("ab", "192.0.2.1"), ("ab", "192.0.2.2"), ("cd", "192.0.2.2")] {
        let (serial, remark) = load_signed(&mut home, salt, address);
        published.push(listing(home.served.as_ref().unwrap()));
        assert_eq!((serial, remark), (published.len() as u32, String::new()));
    }
    assert_eq!(load_signed(&mut home, "cd", "192.0.2.2"), (3, String::new()));
    home.restart();
    assert_eq!(load_signed(&mut home, "cd", "192.0.2.2"), (3, String::new()));
    assert_eq!(home.serials(), [1, 2, 3]);
    for (serial, listed) in (1..).zip(&published) {
        let zone = home.versions.at(apex().as_ref(), When::Serial(Serial(serial))).unwrap();
        assert_eq!(&listing(&zone), listed);
        assert!(zone.nodes().any(|node| node.rrset(crate::dns::RrType::NSEC3).is_some()));
    }
}

#[test]
fn a_mark_an_earlier_build_left_for_a_zone_with_nsec3_is_where_its_history_begins() {
    let mut home = Home::new(SerialPolicy::Increment, JournalSize::Off);
    load_signed(&mut home, "ab", "192.0.2.1");
    let mark = fs::read(home.journal()).unwrap();
    assert_eq!(home.versions.history(apex().as_ref()).unwrap()[0].held, Held::Mark);
    home.options.journal = JournalSize::default();
    home.restart();
    assert_eq!(load_signed(&mut home, "ab", "192.0.2.1"), (1, String::new()));
    assert_eq!(fs::read(home.journal()).unwrap(), mark, "nothing is new");
    assert_eq!(load_signed(&mut home, "cd", "192.0.2.2"), (2, String::new()));
    for serial in [1, 2] {
        assert!(home.versions.at(apex().as_ref(), When::Serial(Serial(serial))).is_ok(), "{serial}");
    }
    // Edited while the server was away, only the new version is known.
    fs::write(home.journal(), &mark).unwrap();
    home.restart();
    assert_eq!(load_signed(&mut home, "ab", "192.0.2.9"), (2, String::new()));
    assert_eq!(home.serials(), [2]);
}
