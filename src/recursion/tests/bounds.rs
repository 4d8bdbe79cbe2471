//! Packets out for one cold question of a client, attack by attack, as everything is by default. The root's list is known.

use futures_util::future::join_all;

use super::*;

/// A root, the top zone `test.` at 192.0.2.11, and below it whatever `tld` says. `evil.test.` is at 192.0.2.66.
fn internet(tld: &[[&str; 5]], evil: &[[&str; 5]]) -> Lab {
    let test = ["*.test. *", "", "", "test. NS ns.test.", "ns.test. A 192.0.2.11"];
    let below_evil = ["*.evil.test. *", "", "", "evil.test. NS ns.evil.test.", "ns.evil.test. A 192.0.2.66"];
    let lab = Lab::with(ResolverOptions { priming: false, ..ResolverOptions::default() }, &[test], &[]);
    lab.world.server("192.0.2.11", &[tld, &[below_evil]].concat());
    lab.world.server("192.0.2.66", evil);
    lab
}

const VICTIM: [&str; 5] =
    ["*.victim.test. *", "", "", "victim.test. NS ns.victim.test.", "ns.victim.test. A 192.0.2.77"];
const VICTIM_SOA: &str = "victim.test. SOA ns.victim.test. h.victim.test. 1 2 3 4 60";

/// `owner NS` for each of `count` names that `name` makes.
fn name_servers(owner: &str, count: usize, name: impl Fn(usize) -> String) -> String {
    let ns: Vec<_> = (0..count).map(|at| format!("{owner} NS {}", name(at))).collect();
    ns.join(" | ")
}

#[track_caller]
fn fails_within(lab: &Lab, asked: &str, most: usize) {
    let answer = lab.ask(asked);
    assert!(answer.starts_with("SERVFAIL"), "{answer}");
    let sent = lab.sent();
    assert!(sent.len() <= most, "{} packets: {sent:#?}", sent.len());
}

#[test]
fn nxns_attack_row_1() {
    for (flags, below) in [("aa nxdomain", ""), ("aa", ""), ("aa nxdomain", "a.b.c."), ("aa", "a.b.c.")] {
        let ns = name_servers("sub.evil.test.", 13, |at| format!("n{at}.{below}victim.test."));
        let lab = internet(&[VICTIM], &[["*.sub.evil.test. *", "", "", &ns, ""]]);
        lab.world.server("192.0.2.77", &[["*.victim.test. *", flags, "", VICTIM_SOA, ""]]);
        fails_within(&lab, "x.sub.evil.test. A", 11);
    }
}

#[test]
fn nrdelegation_row_2() {
    let ns = name_servers("sub.evil.test.", 800, |at| format!("n.z{at}.victim.test."));
    for speaks in [true, false] {
        let lab = internet(&[VICTIM], &[]);
        // So many do not fit into a datagram: that costs a packet, too.
        let referral = ns.clone();
        lab.world.host("192.0.2.66", move |seen: &Seen| match seen.stream {
            true => vec![(1, seen.reply("", "", &referral, ""))],
            false => vec![(1, seen.reply("tc", "", "", ""))],
        });
        lab.world.host("192.0.2.77", move |seen: &Seen| {
            let zone = seen.question.name.as_ref().trim_to(3);
            let (ns, glue) = (format!("{zone} NS silent.{zone}"), format!("silent.{zone} A 192.0.2.200"));
            if speaks { vec![(1, seen.reply("", "", &ns, &glue))] } else { vec![] }
        });
        fails_within(&lab, "x.sub.evil.test. A", 8);
        fails_within(&lab, "y.sub.evil.test. A", 3);
    }
}

#[test]
fn shared_addresses_row_3() {
    let ns = name_servers("sub.evil.test.", 10, |at| format!("n{at}.sub.evil.test."));
    let glue: Vec<_> =
        (0..200).map(|at| format!("n{}.sub.evil.test. A 192.0.2.{}", at % 10, 100 + at % 40)).collect();
    let lab = internet(&[], &[["*.sub.evil.test. *", "", "", &ns, &glue.join(" | ")]]);
    fails_within(&lab, "x.sub.evil.test. A", 13);
}

#[test]
fn composed_attack_row_6() {
    // Each alias leads into a zone whose name servers are four of the victim's without an address and one with.
    for flags in ["aa", "aa nxdomain"] {
        let rows: Vec<_> = (0..12)
            .map(|at| {
                let zone = format!("z{at}.evil.test.");
                let ns = name_servers(&zone, 4, |ns| format!("n{at}-{ns}.victim.test."));
                (format!("*.{zone} *"), format!("{ns} | {zone} NS good{at}.victim.test."))
            })
            .collect();
        let rows: Vec<_> = rows.iter().map(|(asked, ns)| [asked, "", "", &**ns, ""]).collect();
        let lab = internet(&[VICTIM], &rows);
        lab.world.host("192.0.2.77", move |seen: &Seen| {
            let name = seen.question.name.to_string();
            match name.to_lowercase().starts_with("good") && seen.question.rr_type.to_string() == "A" {
                true => vec![(1, seen.reply("aa", &format!("{name} A 192.0.2.78"), "", ""))],
                false => vec![(1, seen.reply(flags, "", VICTIM_SOA, ""))],
            }
        });
        lab.world.host("192.0.2.78", |seen: &Seen| {
            let name = seen.question.name.to_string().to_lowercase();
            let at: usize = name[name.find('z').unwrap() + 1..].split('.').next().unwrap().parse().unwrap();
            vec![(1, seen.reply("aa", &format!("{name} CNAME x.z{}.evil.test.", at + 1), "", ""))]
        });
        fails_within(&lab, "x.z0.evil.test. A", 20);
    }
}

#[test]
fn chain_of_aliases_rows_6_and_9() {
    let lab = internet(&[], &[]);
    lab.world.host("192.0.2.66", |seen: &Seen| {
        let name = seen.question.name.to_string().to_lowercase();
        let at: usize = name[1..].split('.').next().unwrap().parse().unwrap_or(0);
        vec![(1, seen.reply("aa", &format!("{name} CNAME c{}.evil.test.", at + 1), "", ""))]
    });
    fails_within(&lab, "c0.evil.test. A", 13);
    let big: Vec<_> = (0..200).map(|at| format!("b{at}.evil.test. CNAME b{}.evil.test.", at + 1)).collect();
    let loops = "l1.evil.test. CNAME l2.evil.test. | l2.evil.test. CNAME l1.evil.test.";
    let rows =
        [["b0.evil.test. A", "aa", &*big.join(" | "), "", ""], ["*.evil.test. A", "aa", loops, "", ""]];
    fails_within(&internet(&[], &rows), "b0.evil.test. A", 3);
    fails_within(&internet(&[], &rows), "l1.evil.test. A", 3);
}

/// So many zones below `test.`, each with its only name server in the next.
fn ring(zones: usize) -> Lab {
    let rows: Vec<_> = (0..zones)
        .map(|at| (format!("*.r{at}.test. *"), format!("r{at}.test. NS ns.r{}.test.", (at + 1) % zones)))
        .collect();
    let rows: Vec<_> = rows.iter().map(|(asked, ns)| [&**asked, "", "", &**ns, ""]).collect();
    internet(&rows, &[])
}

#[test]
fn rings_of_zones_row_7() {
    for zones in 1..=3 {
        let lab = ring(zones);
        fails_within(&lab, "www.r0.test. A", 6);
        for _ in 0..100 {
            fails_within(&lab, "www.r0.test. A", 0);
        }
        // At the same instant, from an empty cache.
        let lab = ring(zones);
        let began = lab.world.now().tick;
        let asked = (0..zones).map(|at| lab.recursion.resolve(question(&format!("www.r{at}.test. A"))));
        for resolved in lab.world.run(join_all(asked)) {
            assert!(short(&resolved).starts_with("SERVFAIL 22"), "{}", short(&resolved));
        }
        let took = lab.world.now().tick.since(began);
        assert!(took <= Duration::from_millis(100), "{zones}: {took:?}");
        let sent = lab.sent();
        assert!(sent.len() <= 6 * zones, "{zones}: {sent:#?}");
        assert_eq!(lab.recursion.under_way(), 0);
    }
}

#[test]
fn servers_of_no_use_row_8() {
    let ns = name_servers("sub.evil.test.", 13, |at| format!("n{at}.sub.evil.test."));
    let glue: Vec<_> = (0..13).map(|at| format!("n{at}.sub.evil.test. A 192.0.2.{}", 100 + at)).collect();
    for flags in ["", "refused", "servfail", "formerr", "badvers", "badcookie", "tc", "notimp"] {
        let lab = internet(&[], &[["*.sub.evil.test. *", "", "", &ns, &glue.join(" | ")]]);
        for at in 0..13 {
            lab.world.host(&format!("192.0.2.{}", 100 + at), move |seen: &Seen| match seen.stream {
                true => vec![],
                false => vec![(1, seen.reply(flags, "", "", ""))],
            });
        }
        fails_within(&lab, "x.sub.evil.test. A", 14);
        let lab = internet(&[], &[["*.evil.test. *", flags, "", "", ""]]);
        fails_within(&lab, "x.y.z.evil.test. A", 14);
    }
}

#[test]
fn special_addresses_row_43() {
    let special = ["0.0.0.0", "127.0.0.1", "127.1.2.3", "169.254.1.1", "224.0.0.1", "255.255.255.255"];
    let special_ipv6 = ["::", "::1", "::ffff:127.0.0.1", "::ffff:192.0.2.1", "fe80::1", "ff02::1"];
    let addresses = special.iter().map(|ip| ("A", ip)).chain(special_ipv6.iter().map(|ip| ("AAAA", ip)));
    for (rr_type, ip) in addresses {
        // In glue, and as what the name of a name server resolves to.
        let glue = format!("n.sub.evil.test. {rr_type} {ip}");
        let (asked, answer) = (format!("n.evil.test. {rr_type}"), format!("n.evil.test. {rr_type} {ip}"));
        let lab = internet(
            &[],
            &[
                ["*.sub.evil.test. *", "", "", "sub.evil.test. NS n.sub.evil.test.", &glue],
                ["*.far.evil.test. *", "", "", "far.evil.test. NS n.evil.test.", ""],
                [&asked, "aa", &answer, "", ""],
                ["n.evil.test. *", "aa", "", "evil.test. SOA n. h. 1 2 3 4 60", ""],
            ],
        );
        lab.world.everybody_else(|seen: &Seen| vec![(1, seen.reply("aa", "", "", ""))]);
        for asked in ["x.sub.evil.test. A", "x.far.evil.test. A"] {
            assert!(lab.ask(asked).starts_with("SERVFAIL 22"), "{ip}");
            let sent = lab.sent();
            let known = ["192.0.2.1 ", "192.0.2.11 ", "192.0.2.66 "];
            assert!(sent.iter().all(|sent| known.iter().any(|ip| sent.starts_with(ip))), "{sent:?}");
        }
    }
}

#[test]
fn deep_names_row_49() {
    for labels in [10, 60, 110] {
        let soa = "evil.test. SOA n. h. 1 2 3 4 60";
        let lab = internet(&[], &[["*.evil.test. *", "aa nxdomain", "", soa, ""]]);
        assert_eq!(lab.ask(&format!("{}evil.test. A", "a.".repeat(labels))), "NXDOMAIN");
        assert!(lab.sent().len() <= 4, "no farther than to the first label that does not exist");
        let lab = internet(&[], &[["*.evil.test. *", "aa", "", soa, ""]]);
        assert_eq!(lab.ask(&format!("{}evil.test. A", "a.".repeat(labels))), "NOERROR");
        let sent = lab.sent();
        assert!(sent.len() <= 24, "{}", sent.len());
    }
}

#[test]
fn what_stands_below_a_name_that_does_not_exist_is_still_found_row_50() {
    // The parent denies `gone.evil.test.`, yet delegates a zone below it; its delegation was learnt before.
    let soa = "evil.test. SOA n. h. 1 2 3 4 60";
    let cut = [
        "*.sub.gone.evil.test. *",
        "",
        "",
        "sub.gone.evil.test. NS n.sub.gone.evil.test.",
        "n.sub.gone.evil.test. A 192.0.2.80",
    ];
    let lab = internet(&[], &[cut, ["gone.evil.test. *", "aa nxdomain", "", soa, ""]]);
    lab.world.server(
        "192.0.2.80",
        &[[
            "*.gone.evil.test. *",
            "aa",
            "a.sub.gone.evil.test. A 192.0.2.80 | b.sub.gone.evil.test. A 192.0.2.80",
            "",
            "",
        ]],
    );
    assert!(lab.ask("a.sub.gone.evil.test. A").starts_with("NOERROR"));
    assert_eq!(lab.ask("gone.evil.test. A"), "NXDOMAIN");
    assert!(lab.ask("b.sub.gone.evil.test. A").starts_with("NOERROR"));
}

#[test]
fn delegations_are_not_poisoned_row_18() {
    // Whatever evil.test. adds to whatever it answers, the victim's names and servers stay the victim's.
    let answers = [
        ("aa", "x.evil.test. A 192.0.2.80"),
        ("", "x.evil.test. A 192.0.2.80"),
        ("aa", "x.evil.test. CNAME www.victim.test. | www.victim.test. A 192.0.2.66"),
        ("aa nxdomain", ""),
        ("aa", ""),
        ("", ""),
    ];
    let authorities = [
        "victim.test. NS ns.evil.test.",
        "test. NS ns.evil.test.",
        ". NS ns.evil.test.",
        "www.victim.test. NS ns.evil.test.",
        "evil.test. NS ns.victim.test.",
        "x.evil.test. NS ns.victim.test. | victim.test. NS ns.evil.test.",
        "test. DNAME evil.test. | victim.test. DNAME evil.test.",
        "victim.test. SOA n. h. 1 2 3 4 60 | test. SOA n. h. 1 2 3 4 60",
    ];
    let glue = "ns.victim.test. A 192.0.2.66 | ns.test. A 192.0.2.66 | www.victim.test. A 192.0.2.66 \
                | ns.root. A 192.0.2.66 | ns.evil.test. A 192.0.2.66";
    for (flags, answer) in answers {
        for authority in authorities {
            for minimisation in [Minimisation::None, Minimisation::Relaxed, Minimisation::Strict] {
                let options = ResolverOptions { minimisation, ..ResolverOptions::default() };
                let lab = internet(&[VICTIM], &[["*. *", flags, answer, authority, glue]])
                    .afresh(options, &["192.0.2.1"]);
                lab.world.server(
                    "192.0.2.77",
                    &[["www.victim.test. A", "aa", "www.victim.test. A 192.0.2.80", "", ""]],
                );
                for asked in ["x.evil.test. A", "x.evil.test. NS", "evil.test. NS", "y.x.evil.test. A"] {
                    lab.ask(asked);
                }
                let what = format!("{flags} | {answer} | {authority} {minimisation:?}");
                let victim = lab.ask("www.victim.test. A");
                assert_eq!(victim, "NOERROR www.victim.test. A 192.0.2.80", "{what}");
                assert!(!lab.ask("ns.victim.test. A").contains("192.0.2.66"), "{what}");
            }
        }
    }
}
