//! Bounds of one question, each met and not passed.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, join_all};

use super::*;
use crate::clock::{Now, Tick};
use crate::limits;
use crate::observe::{ExchangeResult, Step, UpstreamExchange};
use crate::resolver::testing::address;
use crate::resolver::{Budget, DatagramFlight, FlightId, NoReply, Resolver, Strategy, Task, World, facts};
use crate::resolver::{UpstreamKind, UpstreamZone, Upstreams};

/// `zone NS` for each name that `name` makes, and an address for each when there is one to begin with.
fn delegation(zone: &str, count: usize, name: &str, first: Option<usize>) -> (String, String) {
    let servers = (0..count).map(|at| (at, format!("n{at}.{name}")));
    let (ns, glue): (Vec<_>, Vec<_>) = servers
        .map(|(at, server)| {
            let glue = first.map(|first| format!("{server} A 192.0.2.{}", first + at));
            (format!("{zone} NS {server}"), glue)
        })
        .unzip();
    (ns.join(" | "), glue.into_iter().flatten().collect::<Vec<_>>().join(" | "))
}

fn sent_to(lab: &Lab, hosts: &[&str]) -> usize {
    let sent = lab.sent();
    sent.iter().filter(|line| hosts.iter().any(|host| line.starts_with(host))).count()
}

/// As [`sent_to`], of questions for this name.
fn sent_for(lab: &Lab, host: &str, name: &str) -> usize {
    let sent = lab.sent();
    sent.iter().filter(|line| line.starts_with(host) && line.contains(name)).count()
}

#[test]
fn questions_wait_for_each_other_so_deep_and_no_deeper() {
    for (zones, want) in [(limits::CHILD_DEPTH, "NOERROR"), (limits::CHILD_DEPTH + 1, "SERVFAIL 22")] {
        let rows: Vec<_> = (0..=zones)
            .map(|at| {
                let next = if at == zones { "ns.example.".to_string() } else { format!("ns.z{}.", at + 1) };
                (
                    format!("*.z{at}. *"),
                    format!("z{at}. NS {next}"),
                    if at == zones { "ns.example. A 192.0.2.2" } else { "" },
                )
            })
            .collect();
        let rows: Vec<_> = rows.iter().map(|(asked, ns, glue)| [&**asked, "", "", &**ns, *glue]).collect();
        let lab = Lab::new(&rows, &[]);
        lab.world.host("192.0.2.2", |seen: &Seen| {
            vec![(10, seen.reply("aa", &format!("{} A 192.0.2.2", seen.question.name), "", ""))]
        });
        let said = lab.ask("www.z0. A");
        assert!(said.starts_with(want), "{zones}: {said}");
        if zones > limits::CHILD_DEPTH {
            assert!(said.contains("6 zones that need each other's name servers"), "{said}");
        }
    }
}

#[test]
fn so_many_name_servers_of_a_delegation_are_looked_up() {
    let (ns, _) = delegation("bare.", 13, "example.", None);
    let lab = Lab::new(&[["*.bare. *", "", "", &ns, ""]], &[["*.example. *", "aa", "", SOA, ""]]);
    let lab = lab.afresh(
        ResolverOptions { ipv6: false, priming: false, ..ResolverOptions::default() },
        &["192.0.2.1"],
    );
    assert!(lab.ask("www.bare. A").starts_with("SERVFAIL 22"));
    assert_eq!(sent_to(&lab, &["192.0.2.2 "]), limits::CHILDREN_PER_DELEGATION);
}

#[test]
fn so_many_addresses_of_a_name_server_are_asked() {
    let answer: Vec<_> = (0..10).map(|at| format!("ns.example. A 192.0.2.{}", 100 + at)).collect();
    let answer = answer.join(" | ");
    let rows = [["ns.example. A", "aa", &answer, "", ""], ["ns.example. *", "aa", "", SOA, ""]];
    let lab = Lab::new(&[["*.bare. *", "", "", "bare. NS ns.example.", ""]], &rows);
    assert!(lab.ask("www.bare. A").starts_with("SERVFAIL 22"));
    let mut asked: Vec<_> = lab
        .sent()
        .into_iter()
        .filter(|line| line.starts_with("192.0.2.10"))
        .map(|line| line[..11].to_string())
        .collect();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), limits::NAME_SERVER_ADDRESSES);
}

#[test]
fn so_many_silent_tries_are_enough_at_servers_nobody_has_heard_of() {
    let (ns, glue) = delegation("quiet.", 6, "quiet.", Some(100));
    let bare = ["*.bare. *", "", "", "bare. NS n0.quiet2.", ""];
    let bare2 = ["*.bare2. *", "", "", "bare2. NS x.quiet2.", ""];
    let (ns2, glue2) = delegation("quiet2.", 2, "quiet2.", Some(120));
    let rows = [["*.quiet. *", "", "", &ns, &glue], bare, bare2, ["*.quiet2. *", "", "", &ns2, &glue2]];
    let lab = Lab::new(&rows, &[]).afresh(
        ResolverOptions {
            ipv6: false,
            priming: false,
            minimisation: Minimisation::None,
            ..ResolverOptions::default()
        },
        &["192.0.2.1"],
    );
    assert!(lab.ask("www.quiet. A").starts_with("SERVFAIL 22"));
    assert_eq!(sent_to(&lab, &["192.0.2.10"]) as u32, limits::TRIES_PER_DELEGATION);
    // As a child, then as a child that all have been silent to.
    assert!(lab.ask("www.bare. A").starts_with("SERVFAIL 22"));
    assert_eq!(sent_for(&lab, "192.0.2.12", " n0.quiet2.") as u32, limits::TRIES_PER_DELEGATION_OF_CHILD);
    // They are left alone while this one ends.
    lab.ask("a.quiet2. A");
    lab.sent();
    assert!(lab.ask("www.bare2. A").starts_with("SERVFAIL 22"));
    let silent = limits::TRIES_PER_SILENT_DELEGATION_OF_CHILD;
    assert_eq!(sent_for(&lab, "192.0.2.12", " x.quiet2.") as u32, silent);
}

#[test]
fn a_delegation_that_looks_made_up_is_worth_one_silent_try() {
    let (ns, _) = delegation("wide.", limits::NAME_SERVERS + 1, "quiet.", None);
    let quiet = ["*.quiet. *", "", "", "quiet. NS ns.quiet.", "ns.quiet. A 192.0.2.100"];
    let lab = Lab::new(&[["*.wide. *", "", "", &ns, ""], quiet], &[]).afresh(
        ResolverOptions { ipv6: false, priming: false, ..ResolverOptions::default() },
        &["192.0.2.1"],
    );
    assert!(lab.ask("www.wide. A").starts_with("SERVFAIL 22"));
    let tries = limits::NAME_SERVERS_OF_TOO_MANY as u32 * limits::TRIES_PER_DELEGATION_OF_WARY_CHILD;
    assert_eq!(sent_to(&lab, &["192.0.2.100 "]) as u32, tries);
}

#[test]
fn so_many_questions_of_our_own_are_asked_for_one_query() {
    // Aliases from zone to zone, each with three servers to look up, of which the third that is asked is of use.
    let zone = |at: u8| {
        let ns: Vec<_> = (0..3).map(|server| format!("z{at}. NS n{server}.z{at}.example.")).collect();
        (format!("*.z{at}. *"), ns.join(" | "))
    };
    let rows: Vec<_> = (0..8).map(zone).collect();
    let rows: Vec<_> = rows.iter().map(|(asked, ns)| [&**asked, "", "", &**ns, ""]).collect();
    let lab = Lab::new(&rows, &[]).afresh(
        ResolverOptions {
            ipv6: false,
            priming: false,
            minimisation: Minimisation::None,
            ..ResolverOptions::default()
        },
        &["192.0.2.1"],
    );
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let name = seen.question.name.to_string().to_lowercase();
        let number = |letter| name.split(letter).nth(1).unwrap()[..1].parse::<u8>().unwrap();
        let last = 100 + 10 * number('z') + number('n');
        vec![(1, seen.reply("aa", &format!("{name} A 192.0.2.{last}"), "", ""))]
    });
    let asked: [AtomicUsize; 8] = Default::default();
    lab.world.everybody_else(move |seen: &Seen| {
        let name = seen.question.name.to_string().to_lowercase();
        let at: usize = name[3..4].parse().unwrap();
        let alias = format!("{name} CNAME x.z{}.", at + 1);
        let is_third = asked[at].fetch_add(1, Ordering::Relaxed) == 2;
        vec![(
            1,
            seen.reply(if is_third { "aa" } else { "servfail" }, if is_third { &alias } else { "" }, "", ""),
        )]
    });
    let answer = lab.ask("x.z0. A");
    assert!(answer.starts_with("SERVFAIL 22"), "{answer}");
    assert_eq!(sent_to(&lab, &["192.0.2.2 "]) as u32, limits::CHILDREN);
}

#[test]
fn a_delegation_with_very_much_glue_is_worth_fewer_silent_tries() {
    for (addresses, tries) in [
        (limits::UPSTREAM_ADDRESSES, limits::TRIES_PER_DELEGATION),
        (limits::UPSTREAM_ADDRESSES + 1, limits::TRIES_PER_WARY_DELEGATION),
    ] {
        let (ns, _) = delegation("wide.", limits::NAME_SERVERS, "wide.", None);
        let glue = (0..addresses).map(|at| format!("n{}.wide. A 192.0.2.{}", at % 13, 100 + at));
        let lab = Lab::new(&[["*.wide. *", "", "", &ns, &glue.collect::<Vec<_>>().join(" | ")]], &[]);
        assert!(lab.ask("www.wide. A").starts_with("SERVFAIL 22"));
        assert_eq!(sent_to(&lab, &["192.0.2.1"]) as u32 - 1, tries, "{addresses}");
    }
}

#[test]
fn a_child_asks_servers_that_died_so_often() {
    static IS_DEAD: AtomicUsize = AtomicUsize::new(0);
    let lab = Lab::new(&[["*.bare. *", "", "", "bare. NS ns.example.", ""]], &[]).afresh(
        ResolverOptions { ipv6: false, priming: false, ..ResolverOptions::default() },
        &["192.0.2.1"],
    );
    lab.world.host("192.0.2.2", |seen: &Seen| match IS_DEAD.load(Ordering::Relaxed) {
        1 => vec![],
        _ => vec![(20, seen.reply("aa", &format!("{} A 192.0.2.80", seen.question.name), "", ""))],
    });
    assert_eq!(lab.ask("a.example. A"), FOUND);
    lab.later(10);
    IS_DEAD.store(1, Ordering::Relaxed);
    lab.sent();
    assert!(lab.ask("www.bare. A").starts_with("SERVFAIL 22"));
    let tries = limits::TRIES_PER_KNOWN_DELEGATION_OF_CHILD;
    assert_eq!(sent_for(&lab, "192.0.2.2 ", " ns.example.") as u32, tries);
}

#[test]
fn so_many_bad_replies_of_a_delegation_are_enough() {
    let (ns, glue) = delegation("broken.", 13, "broken.", Some(100));
    let lab = Lab::new(&[["*.broken. *", "", "", &ns, &glue]], &[]);
    lab.world.everybody_else(|seen: &Seen| vec![(10, seen.reply("servfail", "", "", ""))]);
    assert!(lab.ask("www.broken. A").starts_with("SERVFAIL 22"));
    assert_eq!(sent_to(&lab, &["192.0.2.1"]) as u32 - 1, limits::BAD_REPLIES_PER_DELEGATION);
}

#[test]
fn so_many_stray_datagrams_are_read_before_a_stream_is_asked() {
    for (strays, streams) in [(limits::STRAY_DATAGRAMS, 0), (limits::STRAY_DATAGRAMS + 1, 1)] {
        let lab = Lab::new(&[], &[]);
        lab.world.host("192.0.2.2", move |seen: &Seen| {
            let answer = (2, seen.reply("aa", "a.example. A 192.0.2.80", "", ""));
            let strays = std::iter::repeat_n((1, vec![7; 11]), strays as usize);
            if seen.stream { vec![answer] } else { strays.chain([answer]).collect() }
        });
        assert_eq!(lab.ask("a.example. A"), FOUND);
        let sent = lab.sent();
        assert_eq!(sent.iter().filter(|line| line.ends_with("tcp")).count(), streams, "{strays}: {sent:?}");
    }
}

#[test]
fn a_reply_over_a_stream_has_so_much_time() {
    let longest = limits::STREAM_TIMEOUT.as_millis() as u64;
    for (after, is_found) in [(longest, true), (longest + 1, false)] {
        let lab = Lab::new(&[], &[]);
        lab.world.host("192.0.2.2", move |seen: &Seen| match seen.stream {
            true => vec![(after, seen.reply("aa", "a.example. A 192.0.2.80", "", ""))],
            false => vec![(10, seen.reply("tc", "", "", ""))],
        });
        let resolved = lab.resolve("a.example. A");
        let first = resolved.facts.exchanges.get(1).map(|exchange| exchange.result);
        assert_eq!(matches!(first, Some(ExchangeResult::Answered(_))), is_found, "{after}: {first:?}");
    }
}

#[test]
fn a_lone_forwarder_has_so_much_time() {
    let longest = limits::FORWARD_TIMEOUT.as_millis() as u64;
    for (after, packets) in [(longest, 1), (longest + 1, 2)] {
        let (apex, servers) = (name("example."), vec![address("192.0.2.9")]);
        let (kind, strategy) = (UpstreamKind::Forward, Strategy::Fastest);
        let zone = UpstreamZone { apex, kind, servers, strategy, fallback: false };
        let options = ResolverOptions { upstreams: Upstreams::new(vec![zone]), ..ResolverOptions::default() };
        let lab = Lab::with(options, &[], &[]);
        lab.world.host("192.0.2.9", move |seen: &Seen| {
            vec![(after, seen.reply("ra", "a.example. A 192.0.2.80", "", ""))]
        });
        assert_eq!(lab.ask("a.example. A"), FOUND);
        assert_eq!(lab.sent().len(), packets, "{after}");
    }
}

#[test]
fn a_trace_keeps_so_many_steps_and_shows_so_many_exchanges() {
    let lab = Lab::new(&[], &[]);
    let budget = Arc::new(Budget::new(&ResolverOptions::default(), lab.world.now()));
    let asked = question("a.example. A");
    let resolver = Arc::new(Resolver {
        cache: Arc::new(Cache::new(CacheOptions::default())),
        world: Arc::new(Outside(lab.world.clone())),
        hints: hints(&[]),
        options: ResolverOptions::default(),
    });
    let task = Task::new(asked.clone(), FlightId(1), resolver, budget, lab.recursion.clone());
    let exchange = UpstreamExchange { server: address("192.0.2.2"), result: ExchangeResult::Timeout };
    for _ in 0..=limits::TRACE_STEPS {
        task.step(Step::Exchange { question: asked.clone(), exchange });
    }
    let steps: Arc<[Step]> = task.steps().into();
    assert_eq!(steps.len(), limits::TRACE_STEPS);
    let facts = facts(&steps);
    assert_eq!((facts.exchanges.len(), facts.tries), (limits::TRACE_EXCHANGES, limits::TRACE_STEPS as u32));
}

/// A world whose flights never get anywhere, and are given up after this time.
struct Grounded {
    outside: Outside,
    flights: AtomicUsize,
    given_up_after: Duration,
}

impl World for Grounded {
    fn now(&self) -> Now {
        self.outside.now()
    }

    fn random(&self) -> u64 {
        self.outside.random()
    }

    fn datagram(&self, to: std::net::SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight> {
        self.outside.datagram(to, octets)
    }

    fn stream(&self, to: std::net::SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        self.outside.stream(to, octets)
    }

    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        self.outside.sleep_until(tick)
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        self.flights.fetch_add(1, Ordering::Relaxed);
        let end = self.sleep_until(self.now().tick.plus(self.given_up_after));
        self.outside.spawn(end.map(move |()| drop(flight)).boxed());
    }
}

/// What so many clients with one question are told when its flights never end, after how long, and how many flew.
fn grounded(clients: usize, given_up_after: Duration) -> (Vec<String>, Duration, usize) {
    let lab = Lab::new(&[], &[]);
    let (outside, flights) = (Outside(lab.world.clone()), AtomicUsize::new(0));
    let world = Arc::new(Grounded { outside, flights, given_up_after });
    let cache = Arc::new(Cache::new(CacheOptions::default()));
    let recursion = Recursion::new(cache, world.clone(), hints(&["192.0.2.1"]), ResolverOptions::default());
    let began = lab.world.now().tick;
    let clients = (0..clients).map(|_| {
        let (recursion, world) = (recursion.clone(), world.clone());
        async move {
            let resolved = recursion.resolve(question("a.example. A")).await;
            (short(&resolved), world.now().tick.since(began))
        }
    });
    let (told, took): (Vec<_>, Vec<_>) = lab.world.run(join_all(clients)).into_iter().unzip();
    (told, took.into_iter().max().unwrap(), world.flights.load(Ordering::Relaxed))
}

#[test]
fn a_follower_begins_again_so_often() {
    let (told, _, flights) = grounded(10, Duration::from_millis(10));
    assert!(told.iter().all(|told| told.starts_with("SERVFAIL 0")), "{told:?}");
    assert_eq!(flights, 1 + limits::FOLLOWER_RESTARTS as usize);
}

#[test]
fn a_client_waits_for_a_flight_a_moment_longer_than_its_deadline() {
    let (told, took, _) = grounded(2, Duration::from_secs(60));
    let time = limits::QUERY_TIMEOUT - limits::QUERY_TIMEOUT / limits::QUERY_TIMEOUT_SHARE_OF_ANSWER;
    assert_eq!(took, time + limits::LANDING_GRACE);
    assert!(told.iter().all(|told| told.contains("4900 ms")), "{told:?}");
}
