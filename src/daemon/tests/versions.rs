//! Which serial is published, before and after a restart.

use super::super::versions::{HistoryError, When};
use super::*;
use crate::dns::Serial;

#[test]
fn content_that_changed_gets_the_next_serial_and_keeps_it_over_a_restart() {
    let mut home = Home::plain();
    assert_eq!(home.load(41, &["a A 192.0.2.1"]), (41, String::new()));
    assert_eq!(home.load(41, &["a A 192.0.2.1"]).0, 41);
    let prepared = home.prepare(41, &["a A 192.0.2.2", "b A 192.0.2.1"]);
    assert_eq!(prepared.to_string(), "zone example.: serial 41 -> 42, +1 RRset, 1 changed");
    assert_eq!(home.publish(prepared).0, 42);
    home.restart();
    assert_eq!(home.load(41, &["a A 192.0.2.2", "b A 192.0.2.1"]), (42, String::new()), "as it was");
    home.restart();
    let edited_meanwhile = home.prepare(41, &["a A 192.0.2.2"]);
    assert_eq!(edited_meanwhile.to_string(), "zone example.: serial 42 -> 43, -1 RRset");
    home.publish(edited_meanwhile);
    assert_eq!(home.load(99, &["a A 192.0.2.2"]).0, 99, "the file's serial is a floor");
    assert_eq!(home.serials(), [41, 42, 43, 99]);
}

#[test]
fn what_is_served_stays_the_same_value_when_nothing_differs() {
    let mut home = Home::plain();
    home.load(1, &["a A 192.0.2.1", "a A 192.0.2.2"]);
    home.load(1, &["a A 192.0.2.1", "a A 192.0.2.3"]);
    let served = home.served.clone().unwrap();
    let again = home.prepare(1, &["a A 192.0.2.1", "a A 192.0.2.3"]);
    assert!(Arc::ptr_eq(&again.zone, &served) && !again.is_new());
    // Another order is no other content, and is served as it was written.
    let reordered = home.prepare(1, &["a A 192.0.2.3", "a A 192.0.2.1"]);
    assert!(!Arc::ptr_eq(&reordered.zone, &served) && !reordered.is_new());
    assert_eq!(reordered.zone.serial(), Serial(2));
}

#[test]
fn a_serial_that_goes_back_is_explained() {
    let mut home = Home::plain();
    home.load(41, &[]);
    let (serial, remark) = home.load(7, &["a A 192.0.2.1"]);
    assert_eq!(serial, 42);
    assert_eq!(
        remark,
        "zone example.: the serial in its file went from 41 back to 7, which other servers would not take after 41; \
         42 is published"
    );
    assert_eq!(home.load(7, &["b A 192.0.2.1"]), (43, String::new()), "it was said once");
}

#[test]
fn keep_obeys_the_file_and_says_what_that_means() {
    let mut home = Home::new(SerialPolicy::Keep, JournalSize::default());
    home.load(41, &[]);
    let (serial, remark) = home.load(41, &["a A 192.0.2.1"]);
    assert!(serial == 41 && remark.contains("other servers will not notice"), "{serial} {remark}");
    let (serial, remark) = home.load(40, &["a A 192.0.2.1"]);
    assert!(serial == 40 && remark.contains("serial 40 is not after 41"), "{serial} {remark}");
    assert_eq!(home.load(42, &["a A 192.0.2.1"]), (42, String::new()));
}

#[test]
fn a_signed_soa_is_served_with_the_serial_that_was_signed() {
    let mut home = Home::plain();
    let signature = "@ RRSIG SOA 8 1 60 20300101000000 20200101000000 1 example. AAAA";
    home.load(41, &[signature]);
    let (serial, remark) = home.load(41, &[signature, "a A 192.0.2.1"]);
    assert!(serial == 41 && remark.contains("its SOA is signed"), "{serial} {remark}");
}

#[test]
fn an_old_version_comes_back_under_a_new_serial_and_stays_until_the_file_changes() {
    let mut home = Home::plain();
    home.load(1, &["a A 192.0.2.1"]);
    let first = listing(home.served.as_ref().unwrap())[2..].to_vec();
    home.load(2, &["b A 192.0.2.1"]);
    let options = home.options;
    let back = home.versions.roll_back(home.served.as_ref().unwrap(), Serial(1), options, NOW).unwrap();
    assert_eq!(back.to_string(), "zone example.: serial 2 -> 3, +1 -1 RRsets");
    home.publish(back);
    assert_eq!(listing(home.served.as_ref().unwrap())[2..], first);
    for is_restarted in [false, true] {
        if is_restarted {
            home.restart();
        }
        let (serial, remark) = home.load(2, &["b A 192.0.2.1"]);
        assert!(serial == 3 && remark.contains("before the rollback to serial 3"), "{serial} {remark}");
        assert_eq!(listing(home.served.as_ref().unwrap())[2..], first);
    }
    assert_eq!(home.load(2, &["c A 192.0.2.1"]), (4, String::new()));
    assert_eq!(home.serials(), [1, 2, 3, 4]);
}

#[test]
fn every_version_can_be_had_as_it_was() {
    let mut home = Home::plain();
    let mut published = Vec::new();
    for n in 0..5 {
        home.load(10, &[&format!("a{n} A 192.0.2.1"), "b A 192.0.2.2"]);
        published.push(listing(home.served.as_ref().unwrap()));
    }
    home.restart();
    let apex = apex();
    for (n, listed) in (10..).zip(&published) {
        assert_eq!(&listing(&home.versions.at(apex.as_ref(), When::Serial(Serial(n))).unwrap()), listed);
    }
    let latest = home.versions.at(apex.as_ref(), When::Time(NOW)).unwrap();
    assert_eq!(latest.serial(), Serial(14));
    for when in [When::Serial(Serial(9)), When::Time(Unix(5))] {
        assert!(matches!(home.versions.at(apex.as_ref(), when), Err(HistoryError::Unknown)));
    }
    let nobody: Name = "nobody.".parse().unwrap();
    assert!(home.versions.history(nobody.as_ref()).unwrap().is_empty());
}

#[test]
fn an_old_version_with_a_signed_soa_comes_back_as_it_was_signed() {
    let mut home = Home::plain();
    let signature = "@ RRSIG SOA 8 1 60 20300101000000 20200101000000 1 example. AAAA";
    home.load(1, &[signature, "a A 192.0.2.1"]);
    let first = listing(home.served.as_ref().unwrap());
    home.load(2, &[signature, "a A 192.0.2.2"]);
    let options = home.options;
    let back = home.versions.roll_back(home.served.as_ref().unwrap(), Serial(1), options, NOW).unwrap();
    let (serial, remark) = home.publish(back);
    assert!(serial == 1 && remark.contains("serial 1 is not after 2"), "{serial} {remark}");
    for is_restarted in [false, true] {
        if is_restarted {
            home.restart();
        }
        let (serial, remark) = home.load(2, &[signature, "a A 192.0.2.2"]);
        assert!(serial == 1 && remark.contains("before the rollback to serial 1"), "{serial} {remark}");
        assert_eq!(listing(home.served.as_ref().unwrap()), first);
    }
    assert_eq!(home.load(3, &[signature, "a A 192.0.2.3"]), (3, String::new()));
    assert_eq!(home.serials(), [1, 2, 1, 3]);
}
