//! Random internets: for any seed, what must always hold.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use namu::cache::CacheOptions;
use namu::clock::Tick;
use namu::dns::{Question, Rcode, RrType};
use namu::resolver::ResolverOptions;
use proptest::prelude::*;

use crate::internet::{FORGED_ADDRESS, Internet};
use crate::scenario::{Reply, Stage};

const FAULTS: [&[&str]; 18] = [
    &["none"],
    &["none"],
    &["none"],
    &["drops", "1"],
    &["loss", "30"],
    &["silent"],
    &["delay", "900"],
    &["duplicates"],
    &["truncates"],
    &["wrong-id"],
    &["wrong-question"],
    &["refuses"],
    &["lame"],
    &["no-edns"],
    &["garbage"],
    &["lies"],
    &["changes-case"],
    &["denies-empty"],
];

/// A root, three top zones and nine below, two servers each, with random faults; some delegations have no glue, some
/// name servers lie in each other's zones, some names are aliases of others.
fn build(seed: u64, faults: &[usize]) -> Stage {
    let internet = Internet::new(seed);
    let tops = ["aa", "bb", "cc"];
    let server =
        |zone: usize, number: usize| IpAddr::from(Ipv4Addr::new(192, 0, 2 + zone as u8, 1 + number as u8));
    let mut faults = faults.iter().cycle();
    let mut host = |name: String, address: IpAddr, apex: &str, zone: &str| {
        let text = format!("$ORIGIN {apex}\n$TTL 300\n@ SOA ns1 admin 1 3600 600 86400 60\n{zone}");
        internet.serve(&name, address, apex, &text).unwrap();
        internet.fault(&name, FAULTS[*faults.next().unwrap() % FAULTS.len()]).unwrap();
    };
    let mut root = "@ NS ns1.root-servers.test.\nns1.root-servers.test. A 198.41.0.4\n".to_string();
    for (number, top) in tops.iter().enumerate() {
        root += &format!(
            "{top}. NS ns1.{top}.\n{top}. NS ns2.{top}.\nns1.{top}. A {}\nns2.{top}. A {}\n",
            server(number, 0),
            server(number, 1)
        );
    }
    // The root itself is sound: without it there is no internet.
    internet
        .serve(
            "root",
            Ipv4Addr::new(198, 41, 0, 4).into(),
            ".",
            &format!("$ORIGIN .\n$TTL 300\n@ SOA ns1 admin 1 3600 600 86400 60\n{root}"),
        )
        .unwrap();
    for (number, top) in tops.iter().enumerate() {
        let mut zone = format!(
            "@ NS ns1\n@ NS ns2\nns1 A {}\nns2 A {}\nwww A 203.0.113.1\n",
            server(number, 0),
            server(number, 1)
        );
        for child in 0..3 {
            let place = 10 + 3 * number + child;
            let next = tops[(number + 1) % 3];
            // The third child's servers have names in the next top's third child: a ring of them.
            zone += &match child {
                0 => format!(
                    "z{child} NS ns1.z{child}\nz{child} NS ns2.z{child}\nns1.z{child} A {}\nns2.z{child} A {}\n",
                    server(place, 0),
                    server(place, 1)
                ),
                1 => format!("z{child} NS ns1.z0.{next}.\nz{child} NS ns2.z0.{next}.\n"),
                _ => format!("z{child} NS ns1.z2.{next}.\n"),
            };
            let apex = format!("z{child}.{top}.");
            let text = format!(
                "@ NS ns1\n@ NS ns2\nns1 A {}\nns2 A {}\nwww A 203.0.113.2\nalias CNAME www.z0.{next}.\nloop CNAME loop\nring CNAME ring.z{child}.{next}.\n*.wild A 203.0.113.3\n",
                server(place, 0),
                server(place, 1)
            );
            let previous = 10 + 3 * ((number + 1) % 3);
            for number in 0..2 {
                let address = if child == 1 { server(previous, number) } else { server(place, number) };
                host(format!("h{place}-{number}"), address, &apex, &text);
            }
        }
        for server_number in 0..2 {
            host(
                format!("t{number}-{server_number}"),
                server(number, server_number),
                &format!("{top}."),
                &zone,
            );
        }
    }
    let hints = vec![("ns1.root-servers.test.".to_string(), Ipv4Addr::new(198, 41, 0, 4).into())];
    let options = ResolverOptions { ipv6: false, ..ResolverOptions::default() };
    Stage::new(internet, hints, options, CacheOptions::default())
}

fn questions(chosen: &[(usize, usize, usize)]) -> Vec<Question> {
    let names = ["www", "alias", "loop", "ring", "nx", "x.wild", "ns1"];
    let types = [RrType::A, RrType::AAAA, RrType::MX];
    let question = |(name, zone, rr_type): &(usize, usize, usize)| {
        let top = ["aa", "bb", "cc"][zone / 3 % 3];
        let name = format!("{}.z{}.{top}.", names[name % names.len()], zone % 3);
        Question::new(name.parse().unwrap(), types[rr_type % types.len()])
    };
    chosen.iter().map(question).collect()
}

fn ttls(reply: &Reply) -> Vec<u32> {
    reply.answer.answer.iter().chain(reply.answer.authority.iter()).map(|set| set.ttl.seconds()).collect()
}

fn mentions_forged_address(reply: &Reply) -> bool {
    let records = reply.answer.answer.iter().flat_map(|set| {
        let records = set.rrset().records.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        records.into_iter()
    });
    records.collect::<BTreeSet<_>>().contains(FORGED_ADDRESS.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_question_ends_in_bounds_and_nothing_forged_is_believed(
        seed: u64,
        faults in prop::collection::vec(0..FAULTS.len(), 24),
        chosen in prop::collection::vec((0..7usize, 0..9usize, 0..3usize), 1..6),
    ) {
        let stage = build(seed, &faults);
        let options = ResolverOptions::default();
        let questions = questions(&chosen);
        for question in &questions {
            let (exchanges, began): (usize, Tick) = (stage.internet.exchanges(), stage.internet.time.now().tick);
            let reply = stage.ask(std::slice::from_ref(question)).remove(0);
            let made = stage.internet.exchanges() - exchanges;
            let took = stage.internet.time.now().tick.since(began);
            prop_assert!(made <= options.max_upstream_queries as usize, "{made} exchanges for {question}");
            prop_assert!(took <= options.query_timeout + Duration::from_millis(100), "{took:?} for {question}");
            prop_assert!(!mentions_forged_address(&reply), "{question} was answered with a forged address");
            prop_assert!(!reply.answer.authentic && !reply.answer.authoritative);
            if reply.answer.rcode == Rcode::SERVFAIL {
                prop_assert!(reply.answer.extended_error.is_some(), "SERVFAIL for {question} says why");
            }
            // Asked again later: what is cached is not older than it was, and its TTLs have not grown.
            let before = ttls(&reply);
            let exchanges = stage.internet.exchanges();
            stage.internet.time.pass(Duration::from_secs(2));
            let again = stage.ask(std::slice::from_ref(question)).remove(0);
            if again.answer.rcode == reply.answer.rcode && stage.internet.exchanges() == exchanges {
                prop_assert!(ttls(&again).iter().zip(&before).all(|(after, before)| after < before || *before == 0), "{question}");
            }
        }
    }

    #[test]
    fn questions_asked_together_end_too(
        seed: u64,
        faults in prop::collection::vec(0..FAULTS.len(), 24),
        chosen in prop::collection::vec((0..7usize, 0..9usize, 0..3usize), 2..8),
    ) {
        let stage = build(seed, &faults);
        let questions = questions(&chosen);
        let began = stage.internet.time.now().tick;
        let replies = stage.ask(&questions);
        prop_assert_eq!(replies.len(), questions.len());
        prop_assert!(!replies.iter().any(mentions_forged_address));
        let took = stage.internet.time.now().tick.since(began);
        prop_assert!(took <= ResolverOptions::default().query_timeout + Duration::from_millis(100), "{took:?}");
    }
}
