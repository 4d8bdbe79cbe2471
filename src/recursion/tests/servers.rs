//! Servers that are slow, silent, lame or old.

use super::*;
use crate::limits;

/// `example.` has servers at 192.0.2.2 and 192.0.2.3; the second answers.
fn two_servers() -> Lab {
    let both = "ns.example. A 192.0.2.2 | ns2.example. A 192.0.2.3";
    let ns = "example. NS ns.example. | example. NS ns2.example.";
    let lab = Lab::new(&[["*.example. *", "", "", ns, both]], &[]);
    lab.world.server(
        "192.0.2.3",
        &[["*.example. A", "aa", "a.example. A 192.0.2.80 | b.example. A 192.0.2.81", "", ""]],
    );
    lab
}

#[test]
fn a_lame_server_is_skipped_and_then_avoided() {
    let mut met = 0;
    for seed in 0..4 {
        let lab = two_servers();
        lab.world.server("192.0.2.2", &[["*. *", "", "", ". NS ns.root.", ""]]);
        lab.world.draw(seed);
        assert_eq!(lab.ask("a.example. A"), FOUND);
        if lab.sent().iter().any(|sent| sent.starts_with("192.0.2.2")) {
            met += 1;
            lab.ask("b.example. A");
            assert_eq!(lab.sent(), ["192.0.2.3 b.example. A"]);
        }
    }
    assert!(met > 0, "chance has chosen it first at least once");
}

#[test]
fn a_silent_server_gives_way_to_the_next_and_is_left_alone() {
    let lab = two_servers();
    for at in 0..12 {
        assert_eq!(lab.ask("a.example. A"), FOUND, "{at}");
        lab.later(301);
    }
    let silent = lab.sent().iter().filter(|sent| sent.starts_with("192.0.2.2")).count();
    assert!(silent <= 3, "asked {silent} times");
}

#[test]
fn a_truncated_reply_is_fetched_over_a_stream() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let flags = if seen.stream { "aa" } else { "aa tc" };
        let answer = if seen.stream { "a.example. A 192.0.2.80" } else { "" };
        vec![(10, seen.reply(flags, answer, "", ""))]
    });
    assert_eq!(lab.ask("a.example. A"), FOUND);
    assert_eq!(lab.sent()[1..], ["192.0.2.2 a.example. A", "192.0.2.2 a.example. A tcp"]);
}

/// A server of `example.` that has an answer for every name, but hears no datagrams.
fn deaf_to_datagrams(seen: &Seen) -> Vec<(u64, Vec<u8>)> {
    let answer = format!("{} A 192.0.2.80", seen.question.name);
    if seen.stream { vec![(20, seen.reply("aa", &answer, "", ""))] } else { vec![] }
}

#[test]
fn a_server_that_speaks_tcp_only_is_found_and_remembered_for_a_time() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", deaf_to_datagrams);
    let found = lab.resolve("a.example. A");
    assert_eq!(short(&found), FOUND);
    let udp = "192.0.2.2 a.example. A";
    assert_eq!(lab.sent()[1..], [udp, udp, "192.0.2.2 a.example. A tcp"]);
    let packets = found.facts.spent.unwrap()[0];
    assert_eq!((packets.what, packets.spent), ("packets", 4), "the stream counts");
    assert_eq!(lab.ask("b.example. A"), "NOERROR b.example. A 192.0.2.80");
    assert_eq!(lab.sent(), ["192.0.2.2 b.example. A tcp"]);
    // Later a datagram is tried again, and one is enough.
    lab.later(limits::STREAM_ONLY_MEMORY.as_secs());
    lab.ask("c.example. A");
    let asked: Vec<_> = lab.sent().into_iter().filter(|sent| sent.starts_with("192.0.2.2")).collect();
    assert_eq!(asked, ["192.0.2.2 c.example. A", "192.0.2.2 c.example. A tcp"]);
    // It hears datagrams again.
    lab.later(limits::STREAM_ONLY_MEMORY.as_secs());
    lab.world.server("192.0.2.2", &[["d.example. A", "aa", "d.example. A 192.0.2.80", "", ""]]);
    lab.ask("d.example. A");
    assert!(lab.sent().iter().all(|sent| !sent.ends_with("tcp")));
}

#[test]
fn a_server_that_lost_its_stream_is_asked_by_datagram_at_once() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", deaf_to_datagrams);
    lab.ask("a.example. A");
    lab.world.host("192.0.2.2", |seen| match seen.stream {
        true => vec![],
        false => vec![(10, seen.reply("aa", "b.example. A 192.0.2.80", "", ""))],
    });
    lab.sent();
    assert_eq!(lab.ask("b.example. A"), "NOERROR b.example. A 192.0.2.80");
    assert_eq!(lab.sent(), ["192.0.2.2 b.example. A tcp", "192.0.2.2 b.example. A"]);
}

#[test]
fn a_server_without_edns_is_asked_without_and_remembered() {
    for code in ["formerr", "notimp", "badvers"] {
        let lab = Lab::new(&[], &[]);
        lab.world.host("192.0.2.2", move |seen: &Seen| {
            let plain = Seen { edns: false, question: seen.question.clone(), ..*seen };
            let owner = seen.question.name.to_string();
            let answer = format!("{owner} A 192.0.2.80");
            match seen.edns {
                // BADVERS needs the OPT record it has never heard of; the others stand without.
                true if code == "badvers" => vec![(10, seen.reply(code, "", "", ""))],
                true => vec![(10, plain.reply(code, "", "", ""))],
                false => vec![(10, plain.reply("aa", &answer, "", ""))],
            }
        });
        assert_eq!(lab.ask("a.example. A"), FOUND);
        lab.ask("b.example. A");
        assert_eq!(
            lab.sent()[1..],
            ["192.0.2.2 a.example. A", "192.0.2.2 a.example. A plain", "192.0.2.2 b.example. A plain"]
        );
    }
}

#[test]
fn an_error_without_the_question_is_believed_late_and_not_remembered() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let plain = Seen { edns: false, question: seen.question.clone(), ..*seen };
        let answer = format!("{} A 192.0.2.80", seen.question.name);
        let mut bare = plain.reply("formerr", "", "", "");
        bare.truncate(12);
        bare[5] = 0;
        match (seen.edns, seen.question.name == name("forged.example.")) {
            (true, true) => vec![(5, bare), (10, plain.reply("aa", &answer, "", ""))],
            (true, false) => vec![(10, bare)],
            (false, _) => vec![(10, plain.reply("aa", &answer, "", ""))],
        }
    });
    assert_eq!(lab.ask("forged.example. A"), "NOERROR forged.example. A 192.0.2.80");
    assert_eq!(lab.ask("a.example. A"), FOUND);
    assert_eq!(
        lab.sent()[1..],
        ["192.0.2.2 forged.example. A", "192.0.2.2 a.example. A", "192.0.2.2 a.example. A plain"]
    );
    lab.ask("b.example. A");
    assert_eq!(lab.sent()[0], "192.0.2.2 b.example. A", "still with EDNS");
}

#[test]
fn the_network_is_named_when_it_is_the_network() {
    let lab = Lab::new(&[], &[]);
    lab.world.unreachable("192.0.2.2");
    let want = "SERVFAIL 23 no name server of example. gave a usable answer: 192.0.2.2 unreachable";
    assert_eq!(lab.ask("a.example. A"), want);
}

#[test]
fn dead_servers_cost_no_more_than_their_time_and_packets() {
    let lab = Lab::new(&[], &[]);
    let dead = lab.resolve("a.example. A");
    let want = "SERVFAIL 22 gave up after 4900 ms at the name servers of example.: 192.0.2.2 timeout";
    assert_eq!(short(&dead), want);
    assert!(dead.facts.tries >= 4, "{}", dead.facts.tries);
    // A client that waits for five seconds sees it.
    assert_eq!(lab.world.now().tick.0 / 1_000_000, 4900);
    let sent = lab.sent();
    assert!(sent.len() <= 8, "{sent:?}");
    // A second name: the server has been silent for a while, a probe is all it gets.
    lab.ask("b.example. A");
    assert!(lab.sent().len() <= 3);
}

#[test]
fn half_of_all_packets_may_be_lost() {
    for addresses in [1, 2] {
        let glue: Vec<_> = (0..addresses).map(|at| format!("ns.example. A 192.0.2.{}", 2 + at)).collect();
        let lab = Lab::new(&[["*.example. *", "", "", "example. NS ns.example.", &glue.join(" | ")]], &[]);
        for at in 0..addresses {
            let dice = Dice::new(at);
            lab.world.host(&format!("192.0.2.{}", 2 + at), move |seen: &Seen| {
                let answer = format!("{} A 192.0.2.80", seen.question.name);
                match dice.below(100) {
                    0..51 => vec![],
                    _ => vec![(10, seen.reply("aa", &answer, "", ""))],
                }
            });
        }
        let mut failures = 0;
        let mut times: Vec<_> = (0..1000)
            .map(|at| {
                let began = lab.world.now().tick;
                let answer = lab.ask(&format!("a{at}.example. A"));
                failures += u32::from(!answer.starts_with("NOERROR"));
                lab.world.now().tick.since(began)
            })
            .collect();
        times.sort();
        // Fourteen packets in a row are lost once in ten thousand times.
        assert!(failures <= 1, "{failures}");
        assert!(times[990] <= Duration::from_millis(2500), "{:?}", times[990]);
        assert!(lab.sent().len() <= 3 * 1000);
    }
}

#[test]
fn what_a_lame_server_has_in_its_cache_is_the_last_resort() {
    let cached = ["*.example. A", "ra", "a.example. A 192.0.2.66 | b.example. A 192.0.2.66", "", ""];
    // Alone, it is better than nothing.
    let lab = two_servers();
    lab.world.server("192.0.2.2", &[cached]);
    lab.world.server("192.0.2.3", &[["*. *", "refused", "", "", ""]]);
    assert_eq!(lab.ask("a.example. A"), "NOERROR a.example. A 192.0.2.66");
    // A denial has to show whose it is.
    lab.world.server("192.0.2.2", &[["*.example. A", "ra nxdomain", "", "", ""]]);
    assert!(lab.ask("c.example. A").starts_with("SERVFAIL"));
    lab.world.server("192.0.2.2", &[["*.example. A", "ra nxdomain", "", SOA, ""]]);
    assert_eq!(lab.ask("d.example. A"), "NXDOMAIN");
    // With another server of the zone it is not heard, whoever is asked first.
    for seed in 0..8 {
        let lab = two_servers();
        lab.world.server("192.0.2.2", &[cached]);
        lab.world.draw(seed);
        assert_eq!(lab.ask("a.example. A"), FOUND);
    }
}

#[test]
fn glue_that_another_delegation_has_is_the_last_resort() {
    // The parent says that ns.other. is at 192.0.2.7; the zone itself says 192.0.2.8.
    let root = [
        ["*.other. *", "", "", "other. NS ns.other.", "ns.other. A 192.0.2.7"],
        ["*.third. *", "", "", "third. NS ns.other.", ""],
    ];
    for (at_8, want) in [
        ("servfail", "NOERROR a.third. A 192.0.2.80"),
        ("silent", "NOERROR a.third. A 192.0.2.80"),
        ("aa", "NOERROR a.third. A 192.0.2.81"),
    ] {
        let lab = Lab::new(&root, &[]);
        let own = ["ns.other. A", "aa", "ns.other. A 192.0.2.8", "", ""];
        lab.world.server("192.0.2.7", &[own, ["*.third. A", "aa", "a.third. A 192.0.2.80", "", ""]]);
        if at_8 != "silent" {
            lab.world.server("192.0.2.8", &[["*.third. A", at_8, "a.third. A 192.0.2.81", "", ""]]);
        }
        assert_eq!(lab.ask("a.third. A"), want, "192.0.2.8 {at_8}");
        let sent = lab.sent();
        let first = sent.iter().position(|sent| sent == "192.0.2.8 a.third. A");
        let last = sent.iter().position(|sent| sent == "192.0.2.7 a.third. A");
        assert!(first.is_some() && last.is_none_or(|last| first < Some(last)), "{sent:?}");
    }
}

#[test]
fn glue_of_other_delegations_shares_the_tries_of_a_zone() {
    let root = [
        ["*.other. *", "", "", "other. NS ns.other.", "ns.other. A 192.0.2.7"],
        ["*.third. *", "", "", "third. NS ns.other.", ""],
    ];
    let lab = Lab::new(&root, &[]);
    lab.world.host("192.0.2.7", |seen| match seen.question.name == name("ns.other.") {
        true => vec![(1, seen.reply("aa", "ns.other. A 192.0.2.8", "", ""))],
        false => vec![],
    });
    assert!(lab.ask("a.third. A").starts_with("SERVFAIL"));
    let sent: Vec<_> = lab.sent().into_iter().filter(|sent| sent.ends_with(" a.third. A")).collect();
    let before = sent.iter().filter(|sent| sent.starts_with("192.0.2.8")).count();
    let glue = sent.iter().position(|sent| sent.starts_with("192.0.2.7"));
    assert_eq!(glue, Some(1 + limits::TRIES_BEFORE_OTHER_GLUE as usize), "{sent:#?}");
    assert!(before >= 3 && sent.len() <= 1 + limits::TRIES_PER_KNOWN_DELEGATION as usize, "{sent:#?}");
}

#[test]
fn addresses_that_no_referral_gave_are_asked_of_the_parent() {
    let cut = "sub.example. NS ns.sub.example.";
    let found = ["*.sub.example. A", "aa", "a.sub.example. A 192.0.2.80", "", ""];
    for (what, at_parent) in [
        ("data of the parent", vec![["ns.sub.example. A", "aa", "ns.sub.example. A 192.0.2.5", "", ""]]),
        ("glue when asked for", vec![["ns.sub.example. A", "", "", cut, "ns.sub.example. A 192.0.2.5"]]),
        (
            "an alias",
            vec![
                ["ns.sub.example. A", "aa", "ns.sub.example. CNAME b.sub.example.", "", ""],
                ["b.sub.example. A", "aa", "b.sub.example. A 192.0.2.5", "", ""],
            ],
        ),
    ] {
        for glue in ["", "ns.sub.example. AAAA 2001:db8::5"] {
            let rows = [at_parent.clone(), vec![["*.sub.example. *", "", "", cut, glue]]].concat();
            let options = ResolverOptions { ipv6: false, priming: false, ..ResolverOptions::default() };
            let lab = Lab::with(options, &[], &rows);
            lab.world.server("192.0.2.5", &[found]);
            assert_eq!(lab.ask("a.sub.example. A"), "NOERROR a.sub.example. A 192.0.2.80", "{what} {glue}");
        }
    }
}

#[test]
fn parents_are_asked_for_so_many_addresses_and_no_more() {
    let ns: Vec<_> = (0..13).map(|at| format!("sub.example. NS ns{at}.sub.example.")).collect();
    let lab = Lab::new(&[], &[["*.sub.example. *", "", "", &ns.join(" | "), ""]]);
    assert!(lab.ask("a.sub.example. A").starts_with("SERVFAIL"));
    let sent = lab.sent();
    let sought = sent.iter().filter(|sent| sent.starts_with("192.0.2.2 ns")).count();
    assert_eq!(sought, limits::CHILDREN_PER_DELEGATION, "{sent:?}");
}
