//! QNAME minimisation (RFC 9156): who is shown how much of a name.

use super::*;

fn lab(minimisation: Minimisation, root: &[[&str; 5]], example: &[[&str; 5]]) -> Lab {
    Lab::with(ResolverOptions { priming: false, minimisation, ..ResolverOptions::default() }, root, example)
}

const DEEP: [&str; 5] = ["w.x.y.example. TXT", "aa", "w.x.y.example. TXT found", "", ""];
const FOUND_DEEP: &str = "NOERROR w.x.y.example. TXT (6 octets)";

#[test]
fn each_zone_is_shown_one_label_more_and_no_type() {
    let nodata = ["*.y.example. A", "aa", "", SOA, ""];
    let lab = lab(Minimisation::Relaxed, &[], &[DEEP, nodata]);
    assert_eq!(lab.ask("w.x.y.example. TXT"), FOUND_DEEP);
    let want = [
        "192.0.2.1 example. A",
        "192.0.2.2 y.example. A",
        "192.0.2.2 x.y.example. A",
        "192.0.2.2 w.x.y.example. TXT",
    ];
    assert_eq!(lab.sent(), want);
    assert_eq!(lab.hit("y.example. A"), Some((60, Source::NegativeCache)), "what was learnt is kept");
    lab.ask("v.x.y.example. TXT");
    assert_eq!(lab.sent(), ["192.0.2.2 v.x.y.example. TXT"], "and used");
}

#[test]
fn a_name_one_label_below_its_zone_costs_no_more() {
    let found = ["*.example. *", "aa", "a.example. A 192.0.2.80", "", ""];
    let lab = lab(Minimisation::Strict, &[], &[found]);
    assert_eq!(lab.ask("a.example. A"), FOUND);
    assert_eq!(lab.sent(), ["192.0.2.1 example. A", "192.0.2.2 a.example. A"]);
    assert_eq!(lab.ask("a.example. MX"), "NOERROR");
    assert_eq!(lab.sent(), ["192.0.2.2 a.example. MX"], "the delegation is known");
}

#[test]
fn without_it_all_are_shown_all() {
    let lab = lab(Minimisation::None, &[], &[DEEP]);
    assert_eq!(lab.ask("w.x.y.example. TXT"), FOUND_DEEP);
    assert_eq!(lab.sent(), ["192.0.2.1 w.x.y.example. TXT", "192.0.2.2 w.x.y.example. TXT"]);
}

/// Servers that do not know that an empty non-terminal exists, or understand nothing but whole names.
const BROKEN: [(&str, &str, &str); 5] = [
    ("NXDOMAIN", "aa nxdomain", SOA),
    ("REFUSED", "refused", ""),
    ("SERVFAIL", "servfail", ""),
    ("NOTIMP with EDNS and without", "notimp", ""),
    ("an upward referral", "", ". NS ns.root."),
];

#[test]
fn relaxed_it_asks_the_whole_name_of_servers_that_do_not_understand_less() {
    for (what, flags, authority) in BROKEN {
        let lab = lab(Minimisation::Relaxed, &[], &[DEEP, ["*.example. *", flags, "", authority, ""]]);
        assert_eq!(lab.ask("w.x.y.example. TXT"), FOUND_DEEP, "{what}");
        let sent = lab.sent();
        assert_eq!(sent.last().unwrap(), "192.0.2.2 w.x.y.example. TXT", "{what}");
        assert!(sent.len() <= 4, "{what}: {sent:?}");
    }
}

#[test]
fn strictly_nothing_is_below_a_name_that_does_not_exist() {
    let lab = lab(Minimisation::Strict, &[], &[DEEP, ["*.example. *", "aa nxdomain", "", SOA, ""]]);
    let denied = lab.resolve("w.x.y.example. TXT");
    assert_eq!((short(&denied).as_str(), denied.authority[0].ttl.seconds()), ("NXDOMAIN", 60));
    assert_eq!(lab.sent(), ["192.0.2.1 example. A", "192.0.2.2 y.example. A"]);
}

#[test]
fn strictly_servers_that_do_not_understand_are_no_help() {
    for (what, flags, authority) in &BROKEN[1..] {
        let lab = lab(Minimisation::Strict, &[], &[DEEP, ["*.example. *", flags, "", authority, ""]]);
        assert!(lab.ask("w.x.y.example. TXT").starts_with("SERVFAIL 22"), "{what}");
    }
}

#[test]
fn an_alias_on_the_way_says_nothing_of_what_is_below() {
    for minimisation in [Minimisation::Relaxed, Minimisation::Strict] {
        for (flags, authority) in [("aa", ""), ("aa nxdomain", SOA)] {
            let alias = ["y.example. A", flags, "y.example. CNAME gone.example.", authority, ""];
            let lab = lab(minimisation, &[], &[DEEP, alias]);
            assert_eq!(lab.ask("w.x.y.example. TXT"), FOUND_DEEP);
        }
    }
}

#[test]
fn a_dname_on_the_way_redirects_the_whole_name() {
    let dname = "y.example. DNAME z.example.";
    let rows = [
        ["y.example. A", "aa", "", SOA, ""],
        ["x.y.example. A", "aa", &format!("{dname} | x.y.example. CNAME x.z.example."), "", ""],
        ["w.x.y.example. TXT", "aa", &format!("{dname} | w.x.z.example. TXT old"), "", ""],
        ["*.z.example. A", "aa", "", SOA, ""],
        ["w.x.z.example. TXT", "aa", "w.x.z.example. TXT found", "", ""],
    ];
    let lab = lab(Minimisation::Strict, &[], &rows);
    assert!(lab.ask("w.x.y.example. TXT").ends_with("w.x.z.example. TXT (6 octets)"));
}

#[test]
fn a_zone_cut_deeper_than_one_label_is_found() {
    let cut = ["*.x.y.example. *", "", "", "x.y.example. NS ns.x.y.example.", "ns.x.y.example. A 192.0.2.3"];
    let lab = lab(Minimisation::Strict, &[], &[cut]);
    lab.world.server("192.0.2.3", &[DEEP]);
    assert_eq!(lab.ask("w.x.y.example. TXT"), FOUND_DEEP);
    let want = [
        "192.0.2.1 example. A",
        "192.0.2.2 y.example. A",
        "192.0.2.2 x.y.example. A",
        "192.0.2.3 w.x.y.example. TXT",
    ];
    assert_eq!(lab.sent(), want);
}

#[test]
fn a_name_of_many_labels_takes_ten_questions_at_most() {
    let deep = format!("{}example. A", "a.".repeat(100));
    let lab = lab(Minimisation::Relaxed, &[], &[["*.example. *", "aa", "", SOA, ""]]);
    assert_eq!(lab.ask(&deep), "NOERROR");
    // What the root is asked among them; the last is for the whole name.
    assert_eq!(lab.sent().len() as u32, crate::limits::MINIMISED_STEPS);
}

#[test]
fn the_target_of_an_alias_is_not_hidden_from_the_zone_that_said_it() {
    // Ten aliases in a row, each target below four empty non-terminals.
    let target = |at: usize| format!("a.b.c.d.e{at}.example.");
    let rows: Vec<_> = (0..10)
        .map(|at| (format!("{} A", target(at)), format!("{} CNAME {}", target(at), target(at + 1))))
        .collect();
    let mut rows: Vec<_> = rows.iter().map(|(asked, cname)| [asked, "aa", &**cname, "", ""]).collect();
    let (last, address) = (format!("{} A", target(10)), format!("{} A 192.0.2.80", target(10)));
    rows.push([&last, "aa", &address, "", ""]);
    let lab = lab(Minimisation::Relaxed, &[], &rows);
    assert!(lab.ask("a.b.c.d.e0.example. A").starts_with("NOERROR"));
    // The root, four parts of the first name, eleven whole names.
    assert_eq!(lab.sent().len(), 1 + 4 + 11);
}

#[test]
fn strictly_what_is_known_not_to_exist_has_nothing_below() {
    let rows = [
        ["gone.example. *", "aa nxdomain", "", SOA, ""],
        ["*.gone.example. *", "aa", "here.gone.example. A 192.0.2.80", "", ""],
    ];
    for (minimisation, sent) in [(Minimisation::Strict, 0), (Minimisation::Relaxed, 1)] {
        let lab = lab(minimisation, &[], &rows);
        assert_eq!(lab.ask("gone.example. MX"), "NXDOMAIN");
        lab.sent();
        lab.later(20);
        let below = lab.resolve("here.gone.example. A");
        assert_eq!(lab.sent().len(), sent, "{minimisation:?}");
        match minimisation {
            Minimisation::Strict => {
                assert_eq!((short(&below).as_str(), below.authority[0].ttl.seconds()), ("NXDOMAIN", 40));
            }
            _ => assert_eq!(short(&below), "NOERROR here.gone.example. A 192.0.2.80"),
        }
    }
}
