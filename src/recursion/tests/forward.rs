//! Forwarding: what is believed of a forwarder, and what asking costs at most.

use std::net::SocketAddr;

use super::*;
use crate::cache::Credibility;
use crate::dns::RrType;
use crate::limits;
use crate::observe::{Choice, Step};
use crate::resolver::{Strategy, UpstreamKind, UpstreamZone, Upstreams};

fn server(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 53))
}

fn lab(apex: &str, servers: &[u8], strategy: Strategy, fallback: bool) -> Lab {
    let (apex, kind) = (name(apex), UpstreamKind::Forward);
    let servers = servers.iter().map(|last| server(*last)).collect();
    let upstreams = Upstreams::new(vec![UpstreamZone { apex, kind, servers, strategy, fallback }]);
    let options = ResolverOptions { priming: false, upstreams, ..ResolverOptions::default() };
    Lab::with(options, &[], &[["a.example. A", "aa", "a.example. A 192.0.2.80", "", ""]])
}

#[test]
fn of_a_forwarders_reply_only_the_chain_is_believed_and_nothing_is_built_on_it() {
    let lab = lab("example.", &[9], Strategy::Fastest, false);
    let rows: &[(&str, [&str; 5], &str)] = &[
        (
            "answer",
            ["a.example. A", "ra", "a.example. A 192.0.2.80 | b.example. A 192.0.2.66", "", ""],
            FOUND,
        ),
        (
            "alias in the zone",
            ["c.example. A", "ra", "c.example. CNAME a.example. | a.example. A 192.0.2.80", "", ""],
            "NOERROR c.example. CNAME a.example., a.example. A 192.0.2.80",
        ),
        ("without SOA", ["d.example. A", "ra", "", "", ""], "NOERROR"),
        (
            "NXDOMAIN of above",
            ["e.example. A", "ra nxdomain", "", ". 60 SOA a. b. 1 2 3 4 5", ""],
            "NXDOMAIN",
        ),
        (
            "referral",
            ["f.example. A", "ra", "", "f.example. NS ns.evil.test.", "ns.evil.test. A 192.0.2.66"],
            "SERVFAIL 22 no server named for example. gave a usable answer: 192.0.2.9 lame",
        ),
        (
            "not a resolver",
            ["g.example. A", "", "", "", ""],
            "SERVFAIL 22 no server named for example. gave a usable answer: 192.0.2.9 lame",
        ),
        (
            "refused",
            ["h.example. A", "refused", "", "", ""],
            "SERVFAIL 22 no server named for example. gave a usable answer: 192.0.2.9 REFUSED",
        ),
    ];
    let all: Vec<[&str; 5]> = rows.iter().map(|(_, row, _)| *row).collect();
    lab.world.server("192.0.2.9", &all);
    for (what, row, want) in rows {
        assert_eq!(&lab.ask(row[0]), want, "{what}");
        assert_eq!(lab.sent(), [format!("192.0.2.9 {}", row[0])], "{what}");
    }
    // Not even what was asked for counts as the address of a name server.
    let (cache, now) = (lab.recursion.cache(), lab.world.now());
    let a = name("a.example.");
    assert!(cache.rrset(a.as_ref(), RrType::A, Credibility::Forwarded, now).is_some());
    assert!(cache.rrset(a.as_ref(), RrType::A, Credibility::AnswerNonAuth, now).is_none());
    assert!(cache.closest_delegation(name("f.example.").as_ref(), now).is_none());
}

#[test]
fn silent_forwarders_are_tried_so_often_and_no_more() {
    for (fallback, tries) in [(false, limits::FORWARD_TRIES), (true, limits::FORWARD_TRIES_BEFORE_FALLBACK)] {
        let lab = lab("example.", &[9, 10], Strategy::Ordered, fallback);
        let said = lab.ask("a.example. A");
        let sent = lab.sent();
        let to_forwarders =
            sent.iter().filter(|line| !line.starts_with("192.0.2.1 ") && !line.starts_with("192.0.2.2 "));
        assert_eq!(to_forwarders.count() as u32, tries, "{sent:?}");
        match fallback {
            true => assert_eq!(said, FOUND),
            false => assert!(said.starts_with("SERVFAIL 22 no server named for example."), "{said}"),
        }
    }
}

#[test]
fn so_many_bad_replies_are_enough() {
    let servers: Vec<u8> = (10..10 + limits::FORWARD_SERVERS as u8).collect();
    let lab = lab(".", &servers, Strategy::Ordered, false);
    lab.world.everybody_else(|seen| vec![(10, seen.reply("servfail", "", "", ""))]);
    assert!(lab.ask("a.example. A").starts_with("SERVFAIL 22"));
    assert_eq!(lab.sent().len() as u32, limits::FORWARD_BAD_REPLIES);
}

#[test]
fn in_parallel_so_many_are_asked_at_once() {
    let lab = lab(".", &[9, 10, 11, 12, 13], Strategy::Parallel, false);
    for last in 9..14 {
        let found = ["a.example. A", "ra", "a.example. A 192.0.2.80", "", ""];
        lab.world.server(&format!("192.0.2.{last}"), &[found]);
    }
    assert_eq!(lab.ask("a.example. A"), FOUND);
    assert_eq!(lab.sent().len(), limits::FORWARD_AT_ONCE);
}

#[test]
fn the_fastest_is_asked_when_all_are_known() {
    let lab = lab(".", &[9, 10], Strategy::Fastest, false);
    for (last, milliseconds) in [(9, 40), (10, 5)] {
        lab.world.host(&format!("192.0.2.{last}"), move |seen| {
            let answer = format!("{} A 192.0.2.80", seen.question.name);
            vec![(milliseconds, seen.reply("ra", &answer, "", ""))]
        });
        lab.recursion.cache().servers().replied(
            server(last),
            Duration::from_millis(milliseconds),
            lab.world.now(),
        );
    }
    for at in 0..5 {
        lab.ask(&format!("n{at}.example. A"));
    }
    assert!(lab.sent().iter().all(|line| line.starts_with("192.0.2.10 ")));
}

#[test]
fn it_is_told_why_a_server_was_asked() {
    let whys = |lab: &Lab, asked: &str| -> Vec<(SocketAddr, Choice)> {
        let steps = lab.resolve(asked).facts.steps;
        let chosen = steps.iter().filter_map(|step| match step {
            Step::Chosen { server, why, .. } => Some((*server, *why)),
            _ => None,
        });
        chosen.collect()
    };
    let answers = |lab: &Lab, last: u8| {
        lab.world.host(&format!("192.0.2.{last}"), |seen| {
            let answer = format!("{} A 192.0.2.80", seen.question.name);
            vec![(10, seen.reply("ra", &answer, "", ""))]
        });
    };
    let only = lab(".", &[9], Strategy::Fastest, false);
    answers(&only, 9);
    assert_eq!(whys(&only, "a.test. A"), [(server(9), Choice::Only)]);

    let fastest = lab(".", &[9, 10], Strategy::Fastest, false);
    answers(&fastest, 9);
    answers(&fastest, 10);
    assert!(matches!(whys(&fastest, "a.test. A")[..], [(_, Choice::Untried(2))]));
    let known = Duration::from_millis(7);
    let servers = fastest.recursion.cache().servers();
    [9, 10].iter().for_each(|last| servers.replied(server(*last), known, fastest.world.now()));
    assert!(matches!(whys(&fastest, "b.test. A")[..], [(_, Choice::Fastest(2, _))]));

    let ordered = lab(".", &[9, 10], Strategy::Ordered, false);
    answers(&ordered, 10);
    let want = [(server(9), Choice::Ordered(2)), (server(10), Choice::Ordered(2))];
    assert_eq!(whys(&ordered, "a.test. A"), want);

    let at_once = lab(".", &[9, 10], Strategy::Parallel, false);
    answers(&at_once, 10);
    let want = [(server(9), Choice::Parallel(2)), (server(10), Choice::Parallel(2))];
    assert_eq!(whys(&at_once, "a.test. A"), want);

    // Nobody answers: first each once, then again; when all are left alone, one is tried all the same.
    let silent = lab(".", &[9, 10], Strategy::Ordered, false);
    let again = |last| (server(last), Choice::Again(1));
    assert_eq!(whys(&silent, "a.test. A")[2..], [again(9), again(10)]);
    assert_eq!(whys(&silent, "b.test. A")[0], (server(9), Choice::Ordered(2)));
    assert!(whys(&silent, "c.test. A").contains(&(server(9), Choice::LastResort)));
}

#[test]
fn the_servers_of_a_forward_zone_have_so_many_flights_and_those_of_all_names_any_number() {
    for (apex, refused) in [("dead.example.", 1), (".", 0)] {
        let lab = lab(apex, &[9], Strategy::Fastest, false);
        let flights = (0..=limits::ZONE_FLIGHTS)
            .map(|at| lab.recursion.resolve(question(&format!("a{at}.dead.example. A"))));
        let said = lab.world.run(futures_util::future::join_all(flights));
        let crowded = said.iter().filter(|resolved| short(resolved).contains("too many questions"));
        assert_eq!(crowded.count(), refused, "{apex}");
    }
}

#[test]
fn the_servers_of_a_stub_zone_have_so_many_flights() {
    let zone = UpstreamZone {
        apex: name("dead.example."),
        kind: UpstreamKind::Stub,
        servers: vec![server(9)],
        strategy: Strategy::Fastest,
        fallback: false,
    };
    let upstreams = Upstreams::new(vec![zone]);
    let lab =
        Lab::with(ResolverOptions { priming: false, upstreams, ..ResolverOptions::default() }, &[], &[]);
    let flights = (0..=limits::ZONE_FLIGHTS)
        .map(|at| lab.recursion.resolve(question(&format!("a{at}.dead.example. A"))));
    let said = lab.world.run(futures_util::future::join_all(flights));
    let crowded = said.iter().filter(|resolved| short(resolved).contains("too many questions"));
    assert_eq!(crowded.count(), 1);
}
