//! What must hold when servers mean harm, and what each bound does.

use futures_util::future::join_all;

use super::*;

#[test]
fn replies_that_do_not_match_change_nothing() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        if seen.stream {
            return vec![];
        }
        let other = Seen { question: question("a.examplf. A"), ..*seen };
        let mut query = seen.reply("aa", "", "", "");
        query[2] &= 0x7f;
        let evil = "a.example. A 192.0.2.66";
        vec![
            (1, with_other_id(seen.reply("aa", evil, "", ""))),
            (2, other.reply("aa", evil, "", "")),
            (3, query),
            (4, vec![0; 5]),
            (50, seen.reply("aa", "a.example. A 192.0.2.80", "", "")),
        ]
    });
    assert_eq!(lab.ask("a.example. A"), FOUND);
    // The first guess sends the question over a stream; there is none, so the true datagram counts.
    assert_eq!(lab.sent()[1..], ["192.0.2.2 a.example. A", "192.0.2.2 a.example. A tcp"]);
}

#[test]
fn a_guesser_is_left_for_a_stream() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let good = seen.reply("aa", "a.example. A 192.0.2.80", "", "");
        match seen.stream {
            true => vec![(10, good)],
            false => (0..100).map(|at| (at, with_other_id(good.clone()))).collect(),
        }
    });
    assert_eq!(lab.ask("a.example. A"), FOUND);
    assert_eq!(lab.sent()[1..], ["192.0.2.2 a.example. A", "192.0.2.2 a.example. A tcp"]);
}

#[test]
fn foreign_data_does_not_enter_the_cache() {
    let lab = Lab::new(
        &[["*.victim. *", "", "", "victim. NS ns.victim.", "ns.victim. A 192.0.2.3"]],
        &[
            ["b.example. A", "aa", "b.example. CNAME www.victim. | www.victim. A 192.0.2.66", "", ""],
            ["*.sub.example. A", "", "", "sub.example. NS ns.victim.", "ns.victim. A 192.0.2.66"],
            [
                "a.example. A",
                "aa",
                "a.example. A 192.0.2.80 | www.victim. A 192.0.2.66",
                "victim. NS evil.example. | . NS evil.example. | example. NS evil.example.",
                "ns.victim. A 192.0.2.66 | evil.example. A 192.0.2.66 | www.victim. A 192.0.2.66",
            ],
        ],
    );
    lab.world.server("192.0.2.3", &[["www.victim. A", "aa", "www.victim. A 192.0.2.80", "", ""]]);
    assert_eq!(lab.ask("a.example. A"), FOUND);
    let chased = "NOERROR b.example. CNAME www.victim., www.victim. A 192.0.2.80";
    assert_eq!(lab.ask("b.example. A"), chased);
    lab.ask("www.sub.example. A");
    assert_eq!(lab.ask("www.victim. A"), "NOERROR www.victim. A 192.0.2.80");
    assert_eq!(lab.hit("evil.example. A"), None);
    assert!(lab.sent().iter().all(|sent| !sent.starts_with("192.0.2.66")));
}

#[test]
fn special_addresses_in_glue_are_never_asked() {
    let glue =
        "ns.example. A 127.0.0.1 | ns.example. A 0.0.0.0 | ns.example. AAAA ::1 | ns.example. AAAA ff02::1";
    let rows = [["*.example. *", "", "", "example. NS ns.example.", glue]];
    let lab = Lab::new(&rows, &[]);
    let want = "SERVFAIL 22 no address of a name server of example. could be found";
    assert_eq!(lab.ask("a.example. A"), want);
    assert_eq!(lab.sent(), ["192.0.2.1 a.example. A"]);
}

#[test]
fn name_servers_that_do_not_exist_are_not_looked_up_for_ever() {
    let nxdomain = ["*.example. *", "aa nxdomain", "", SOA, ""];
    let nodata = ["*.example. *", "aa", "", SOA, ""];
    for (denial, count, most) in [(nxdomain, 13, 11), (nodata, 13, 11), (nxdomain, 800, 8)] {
        let ns: Vec<_> = (0..count).map(|at| format!("evil.test. NS ns{at}.example.")).collect();
        let ns = ns.join(" | ");
        let lab = Lab::with(ResolverOptions::default(), &[["*.evil.test. *", "", "", &ns, ""]], &[denial]);
        assert!(lab.ask("a.evil.test. A").starts_with("SERVFAIL"));
        let sent = lab.sent();
        assert!(sent.len() <= most, "{count}: {sent:?}");
        lab.ask("b.evil.test. A");
        assert!(lab.sent().len() <= 5, "what was denied is known");
    }
}

#[test]
fn name_servers_behind_silent_servers_are_not_looked_up_for_ever() {
    let ns: Vec<_> = (0..800).map(|at| format!("evil.test. NS ns.z{at}.example.")).collect();
    let ns = ns.join(" | ");
    let lab = Lab::new(&[["*.evil.test. *", "", "", &ns, ""]], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let zone = seen.question.name.as_ref().trim_to(2);
        let (ns, glue) = (format!("{zone} NS ns.silent.{zone}"), format!("ns.silent.{zone} A 192.0.2.200"));
        vec![(1, seen.reply("", "", &ns, &glue))]
    });
    assert!(lab.ask("a.evil.test. A").starts_with("SERVFAIL"));
    let sent = lab.sent();
    assert!(sent.len() <= 8, "{sent:?}");
}

/// Two zones, each with its only name server in the other.
fn cyclic() -> Lab {
    Lab::with(
        ResolverOptions::default(),
        &[
            ["*.a.test. *", "", "", "a.test. NS ns.b.test.", ""],
            ["*.b.test. *", "", "", "b.test. NS ns.a.test.", ""],
        ],
        &[],
    )
}

#[test]
fn zones_that_need_each_other_end_at_once() {
    let lab = cyclic();
    assert!(lab.ask("www.a.test. A").starts_with("SERVFAIL 22"));
    let sent = lab.sent();
    assert!(sent.len() <= 6, "{sent:?}");
    assert!(lab.world.now().tick.0 < 1_000_000_000, "not at the deadline");
    lab.ask("www.a.test. A");
    assert_eq!(lab.sent().len(), 0, "remembered");
}

#[test]
fn zones_that_need_each_other_end_at_once_for_two_clients_too() {
    let lab = cyclic();
    let asked = ["www.a.test. A", "www.b.test. A"].map(|asked| lab.recursion.resolve(question(asked)));
    for resolved in lab.world.run(join_all(asked)) {
        assert!(short(&resolved).starts_with("SERVFAIL 22"), "{}", short(&resolved));
    }
    let sent = lab.sent();
    assert!(sent.len() <= 12, "{sent:?}");
    assert!(lab.world.now().tick.0 < 1_000_000_000, "not at the deadline");
    assert_eq!(lab.recursion.under_way(), 0);
}

#[test]
fn a_zone_that_needs_itself_ends_at_once() {
    let lab = Lab::new(&[["*.self.test. *", "", "", "self.test. NS ns.self.test.", ""]], &[]);
    assert!(lab.ask("www.self.test. A").starts_with("SERVFAIL 22"));
    // Only the parent could know the address of its name server, of either type.
    let want = ["www.self.test. A", "ns.self.test. A", "ns.self.test. AAAA"];
    assert_eq!(lab.sent(), want.map(|asked| format!("192.0.2.1 {asked}")));
}

#[test]
fn alias_loops_and_long_chains_end() {
    let chain: Vec<_> = (0..200).map(|at| format!("c{at}.example. CNAME c{}.example.", at + 1)).collect();
    let chain = chain.join(" | ");
    let lab = Lab::new(
        &[],
        &[
            ["a.example. A", "aa", "a.example. CNAME b.example.", "", ""],
            ["b.example. A", "aa", "b.example. CNAME a.example.", "", ""],
            ["c0.example. A", "aa", &chain, "", ""],
        ],
    );
    let want = "SERVFAIL a.example. CNAME b.example., b.example. CNAME a.example. 24 aliases lead back to a.example.";
    assert_eq!(lab.ask("a.example. A"), want);
    assert_eq!(lab.sent().len(), 3);
    assert_eq!(lab.ask("c0.example. A"), "SERVFAIL 0 gave up after 10 aliases");
    assert_eq!(lab.sent().len(), 1);
}

#[test]
fn an_alias_loop_costs_a_primed_server_three_packets_at_most() {
    let lab = Lab::with(
        ResolverOptions::default(),
        &[[". NS", "aa", ". NS ns.root.", "", "ns.root. A 192.0.2.1"]],
        &[["*.loop.example. *", "", "", "loop.example. NS ns.loop.example.", "ns.loop.example. A 192.0.2.3"]],
    );
    // A server of the zone says the loop in one reply (RFC 1034 4.3.2 3a).
    let ring = "a.loop.example. CNAME b.loop.example. | b.loop.example. CNAME a.loop.example.";
    lab.world.server("192.0.2.3", &[["a.loop.example. A", "aa", ring, "", ""]]);
    lab.ask(". NS");
    assert_eq!(lab.sent(), ["192.0.2.1 . NS"]);
    let looped = lab.resolve("a.loop.example. A");
    assert!(short(&looped).ends_with("24 aliases lead back to a.loop.example."), "{}", short(&looped));
    let sent = lab.sent();
    assert!(sent.len() <= 3, "{sent:?}");
    assert_eq!(looped.facts.spent.unwrap()[0].spent, sent.len() as u64);
    // And nothing for as long as the failure is remembered.
    lab.ask("a.loop.example. A");
    assert!(lab.sent().is_empty());
}

#[test]
fn packets_end_at_their_bound() {
    let options = ResolverOptions { max_upstream_queries: 1, priming: false, ..ResolverOptions::default() };
    let lab = Lab::with(options, &[], &[["*.example. A", "aa", "a.example. A 192.0.2.80", "", ""]]);
    assert_eq!(
        lab.ask("a.example. A"),
        "SERVFAIL 0 gave up after 1 packets to servers at the name servers of example."
    );
    assert_eq!(lab.sent().len(), 1);
}

#[test]
fn referrals_end_at_their_bound() {
    let lab = Lab::new(&[], &[]);
    // A server that always knows a zone one label further down.
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let name = &seen.question.name;
        let asked = DEPTH.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let apex = name.as_ref().trim_to(asked + 2);
        let (ns, glue) = (format!("{apex} NS ns.{apex}"), format!("ns.{apex} A 192.0.2.2"));
        vec![(1, seen.reply("", "", &ns, &glue))]
    });
    static DEPTH: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let deep = format!("{}example. A", "a.".repeat(60));
    assert_eq!(lab.ask(&deep), "SERVFAIL 0 gave up after 24 referrals");
    assert_eq!(lab.sent().len(), 25);
}

#[test]
fn bad_replies_of_many_servers_end_at_their_bound() {
    let ns: Vec<_> = (0..13).map(|at| format!("example. NS ns{at}.example.")).collect();
    let glue: Vec<_> = (0..13).map(|at| format!("ns{at}.example. A 192.0.2.{}", 100 + at)).collect();
    let rows = [["*.example. *", "", "", &*ns.join(" | "), &*glue.join(" | ")]];
    for (what, flags) in
        [("lame", ""), ("refused", "refused"), ("edns for ever", "formerr"), ("truncated", "tc")]
    {
        let lab = Lab::new(&rows, &[]);
        for at in 0..13 {
            lab.world.host(&format!("192.0.2.{}", 100 + at), move |seen: &Seen| match seen.stream {
                true => vec![],
                false => vec![(1, seen.reply(flags, "", "", ""))],
            });
        }
        assert!(lab.ask("a.example. A").starts_with("SERVFAIL"), "{what}");
        let sent = lab.sent();
        assert!(sent.len() <= 14, "{what}: {}", sent.len());
    }
}

#[test]
fn shared_and_many_addresses_end_at_their_bound() {
    let ns: Vec<_> = (0..10).map(|at| format!("example. NS ns{at}.example.")).collect();
    let glue: Vec<_> =
        (0..200).map(|at| format!("ns{}.example. A 192.0.2.{}", at % 10, 10 + at % 40)).collect();
    let lab = Lab::new(&[["*.example. *", "", "", &*ns.join(" | "), &*glue.join(" | ")]], &[]);
    lab.ask("a.example. A");
    let sent = lab.sent();
    assert!(sent.len() <= 13, "{}", sent.len());
}

#[test]
fn zones_deeper_than_the_bound_are_not_found() {
    // z0.test. needs the address of ns.z1.test., which needs that of ns.z2.test., and so on.
    for (depth, found) in [(5, true), (6, true), (7, false)] {
        let rows: Vec<_> = (0..depth)
            .map(|at| (format!("*.z{at}.test. *"), format!("z{at}.test. NS ns.z{}.test.", at + 1)))
            .collect();
        let mut rows: Vec<_> = rows.iter().map(|(asked, ns)| [asked, "", "", ns, ""]).collect();
        let (last, address) = (format!("*.z{depth}.test. A"), format!("ns.z{depth}.test. A 192.0.2.9"));
        rows.push([&last, "aa", &address, "", ""]);
        let lab = Lab::new(&rows, &[]);
        lab.world.host("192.0.2.9", |seen: &Seen| {
            let answer = format!("{} A 192.0.2.9", seen.question.name);
            vec![(1, seen.reply("aa", &answer, "", ""))]
        });
        assert_eq!(lab.ask("z0.test. A").starts_with("NOERROR"), found, "{depth}");
    }
}

#[test]
fn octets_received_end_at_their_bound() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let stray = with_other_id([vec![0; 12], vec![0; 20_000]].concat());
        vec![(1, stray.clone()), (2, stray.clone()), (3, stray.clone()), (4, stray.clone()), (5, stray)]
            .into_iter()
            .chain([(6, seen.reply("aa", "a.example. A 192.0.2.80", "", ""))])
            .collect()
    });
    let want = "SERVFAIL 0 gave up after 100000 octets from servers at the name servers of example.";
    assert_eq!(lab.ask("a.example. A"), want);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn a_hostile_zone_harms_nobody_else(seed: u64) {
        let lab = Lab::with(
            ResolverOptions::default(),
            &[
                ["*.victim. *", "", "", "victim. NS ns.victim.", "ns.victim. A 192.0.2.3"],
                ["*.evil. *", "", "", "evil. NS ns.evil.", "ns.evil. A 192.0.2.2"],
            ],
            &[],
        );
        lab.world.server("192.0.2.3", &[
            ["www.victim. A", "aa", "www.victim. A 192.0.2.80", "", ""],
            ["www.victim. *", "aa", "", "victim. SOA ns.victim. h.victim. 1 2 3 4 60", ""],
["*.victim. *", "aa nxdomain", "", "victim. SOA ns.victim. h.victim. 1 2 3 4 60", ""],
        ]);
        let dice = Dice::new(seed);
        lab.world.everybody_else(move |seen: &Seen| hostile(seen, &dice));
        let asked = ["a.evil. A", "b.a.evil. AAAA", "a.evil. A", "c.evil. ANY", "evil. NS", "x.b.a.evil. CNAME"];
        for asked in asked {
            let began = lab.world.now().tick;
            lab.ask(asked);
            let took = lab.world.now().tick.since(began);
            proptest::prop_assert!(took <= Duration::from_millis(5050), "{asked} took {took:?}");
            let sent = lab.sent();
            proptest::prop_assert!(sent.len() <= 64, "{asked} sent {}", sent.len());
        }
        proptest::prop_assert_eq!(lab.recursion.under_way(), 0);
        let answer = lab.ask("www.victim. A");
        proptest::prop_assert_eq!(answer, "NOERROR www.victim. A 192.0.2.80");
        proptest::prop_assert!(lab.ask("evil.victim. A").starts_with("NXDOMAIN"));
    }
}

/// What a host says that wants to have `www.victim.` at 192.0.2.66.
fn hostile(seen: &Seen, dice: &Dice) -> Vec<(u64, Vec<u8>)> {
    let names = [
        "a.evil.",
        "b.a.evil.",
        "evil.",
        "www.victim.",
        "victim.",
        ".",
        "ns.evil.",
        "x.test.",
        "evil.victim.",
    ];
    let name = |dice: &Dice| match dice.below(4) {
        0 => seen.question.name.to_string(),
        1 => format!("n{}.evil.", dice.below(1000)),
        _ => names[dice.below(names.len() as u64) as usize].to_string(),
    };
    let record = |dice: &Dice| {
        let (owner, target) = (name(dice), name(dice));
        match dice.below(7) {
            0 | 1 => format!("{owner} A 192.0.2.{}", [66, 67, 68, 3][dice.below(4) as usize]),
            2 => format!("{owner} CNAME {target}"),
            3 => format!("{owner} DNAME {target}"),
            4 => format!("{owner} SOA {target} {target} 1 2 3 4 60"),
            _ => format!("{owner} NS {target}"),
        }
    };
    let asked = &seen.question.name;
    match dice.below(8) {
        0 => {
            let answer = format!("{asked} CNAME www.victim. | www.victim. A 192.0.2.66");
            return vec![(1, seen.reply("aa", &answer, "victim. NS ns.evil.", "ns.victim. A 192.0.2.66"))];
        }
        1 => {
            let cut = format!("{asked} NS ns.victim. | victim. NS ns.evil.");
            let glue = "ns.victim. A 192.0.2.66 | ns.evil. A 192.0.2.66 | www.victim. A 192.0.2.66";
            return vec![(1, seen.reply("", "", &cut, glue))];
        }
        _ => {}
    }
    let section = |dice: &Dice| {
        let records: Vec<_> = (0..dice.below(5)).map(|_| record(dice)).collect();
        records.join(" | ")
    };
    let flags =
        ["aa", "", "ra", "aa tc", "aa nxdomain", "formerr", "badvers", "badcookie", "servfail", "yxdomain"];
    let flags = flags[dice.below(flags.len() as u64) as usize];
    let mut octets = seen.reply(flags, &section(dice), &section(dice), &section(dice));
    match dice.below(6) {
        0 => return vec![],
        1 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(octets.len() as u64) as usize;
                octets[at] = dice.below(256) as u8;
            }
        }
        2 => octets.truncate(dice.below(octets.len() as u64) as usize),
        _ => {}
    }
    vec![(dice.below(100), with_other_id(octets.clone())), (dice.below(400), octets)]
}
