//! What is asked again and again takes the room it took the first time.

use super::*;

/// BOUNDS on entries that are never freed (CVE-2026-11622): each second all that is known has expired and is learnt anew.
#[test]
fn names_asked_for_an_hour_at_a_ttl_of_one_take_no_more_room_than_at_first() {
    let soa = "example. 1 SOA ns.example. h.example. 1 2 3 4 1";
    let rows = [
        ["a.example. A", "aa", "a.example. 1 A 192.0.2.80", "", ""],
        ["alias.example. A", "aa", "alias.example. 1 CNAME a.example. | a.example. 1 A 192.0.2.80", "", ""],
        ["a.example. *", "aa", "", soa, ""],
        ["*.example. *", "aa nxdomain", "", soa, ""],
    ];
    let lab = Lab::new(&[], &rows);
    let asked = ["a.example. A", "a.example. AAAA", "alias.example. A", "gone.example. A"];
    let mut first = None;
    for second in 0..3600 {
        asked.iter().for_each(|asked| assert!(!lab.ask(asked).starts_with("SERVFAIL"), "{asked}"));
        assert!(lab.sent().len() >= asked.len() - 1, "{second}: nothing was there any more");
        lab.later(2);
        // Both after the first turn of everything that turns: the delegation of an honest zone lives for 300 s.
        if second == 400 {
            first = Some(lab.recursion.cache().usage());
        }
    }
    let (first, last) = (first.unwrap(), lab.recursion.cache().usage());
    assert_eq!((last.entries, last.octets), (first.entries, first.octets));
    assert!(last.octets < 1 << 20, "{last:?}");
}
