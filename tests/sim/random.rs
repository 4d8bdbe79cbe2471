//! Random internets: for any seed, what must always hold.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use namu::cache::entry::Credibility;
use namu::cache::{Cache, CacheOptions, NameServer};
use namu::dns::{Answer, Question, Rcode, RrType};
use namu::limits;
use namu::observe::Step;
use namu::recursion::{Recursion, Resolved, Wants};
use namu::resolver::{Failure, Minimisation, ResolverOptions, RootHints, Upstreams};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use crate::internet::FORGED_ADDRESS;
use crate::reached::Reached;
use crate::traps::{Act, Build, TRAPS};

const FAULTS: [&[&str]; 24] = [
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
    &["fails"],
    &["poisons"],
    &["strays"],
    &["swells"],
    &["contradicts"],
    &["second-hand"],
];

/// A random internet and what happens on it.
#[derive(Debug, Clone)]
struct Plan {
    seed: u64,
    /// Of each host of the base, by its place in `FAULTS`. None: all are sound.
    faults: Option<Vec<usize>>,
    /// Traps by their place in `TRAPS`, each with a number that varies it.
    traps: Vec<(usize, u64)>,
    minimisation: Minimisation,
    priming: bool,
    /// Questions for names of the base: name, zone, type.
    asked: Vec<(usize, usize, usize)>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let faults = prop::option::weighted(0.8, prop::collection::vec(0..FAULTS.len(), 24));
    let traps = prop::collection::vec((0..TRAPS.len(), 0..60u64), 2..5);
    let minimisations =
        [Minimisation::Relaxed, Minimisation::Relaxed, Minimisation::Strict, Minimisation::None];
    let asked = prop::collection::vec((0..7usize, 0..9usize, 0..3usize), 1..5);
    let all =
        (any::<u64>(), faults, traps, prop::sample::select(minimisations.to_vec()), any::<bool>(), asked);
    all.prop_map(|(seed, faults, traps, minimisation, priming, asked)| Plan {
        seed,
        faults,
        traps,
        minimisation,
        priming,
        asked,
    })
}

/// A root, three top zones and nine below, two servers each, with random faults; some delegations have no glue, some
/// name servers lie in each other's zones, some names are aliases of others.
fn base(build: &mut Build, faults: &[usize]) -> String {
    let tops = ["aa", "bb", "cc"];
    let server =
        |zone: usize, number: usize| IpAddr::from(Ipv4Addr::new(192, 0, 2 + zone as u8, 1 + number as u8));
    let mut faults = faults.iter().cycle();
    let mut host = |name: String, address: IpAddr, apex: &str, zone: &str| {
        build.serve(&name, address, apex, zone);
        build.fault(&name, FAULTS[*faults.next().unwrap() % FAULTS.len()]);
    };
    let mut root = "@ NS ns1.root-servers.test.\nns1.root-servers.test. A 198.41.0.4\n".to_string();
    for (number, top) in tops.iter().enumerate() {
        root += &format!(
            "{top}. NS ns1.{top}.\n{top}. NS ns2.{top}.\nns1.{top}. A {}\nns2.{top}. A {}\n",
            server(number, 0),
            server(number, 1)
        );
    }
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
    root
}

/// The question, and whether it has to be answered when all hosts of the base are sound.
fn base_question((name, zone, rr_type): (usize, usize, usize)) -> (Question, bool) {
    let names = ["www", "alias", "loop", "ring", "nx", "x.wild", "ns1"];
    let types = [RrType::A, RrType::AAAA, RrType::MX];
    let (name, zone) = (names[name], zone % 9);
    let top = ["aa", "bb", "cc"][zone / 3];
    // The third zones have their only name servers in each other.
    let must = zone % 3 < 2 && !matches!(name, "loop" | "ring");
    (Question::new(format!("{name}.z{}.{top}.", zone % 3).parse().unwrap(), types[rr_type]), must)
}

/// A resolver on an internet that was built.
struct Lab {
    build: Build,
    recursion: Arc<Recursion>,
    cache: Arc<Cache>,
    /// Names that exist are denied somewhere.
    denies: bool,
}

/// What came back for a question. Not from recursion when the cache knew.
struct Told {
    answer: Answer<'static>,
    resolved: Option<Resolved>,
    exchanges: usize,
    took: Duration,
}

impl Lab {
    fn new(plan: &Plan) -> Lab {
        let mut build = Build::new(plan.seed);
        for asked in &plan.asked {
            let (question, must) = base_question(*asked);
            build.acts.push(Act::Ask(question, must && plan.faults.is_none()));
        }
        let sound = vec![0];
        let faults = plan.faults.as_ref().unwrap_or(&sound);
        let mut root = base(&mut build, faults);
        for (at, (trap, vary)) in plan.traps.iter().enumerate() {
            let apex = format!("t{at}.");
            let records = TRAPS[*trap].1(&mut build, &apex, *vary);
            let address = IpAddr::from(Ipv4Addr::new(192, 0, 100, at as u8));
            let own = format!("@ NS top\ntop A {address}\n");
            build.serve(&format!("top.{apex}"), address, &apex, &format!("{own}{records}"));
            root += &format!("{apex} NS top.{apex}\ntop.{apex} A {address}\n");
        }
        // What hosts lie about is asked last: it does not exist.
        for name in ["www.bank.test.", "x.org.", "ns1.org."] {
            build.acts.push(Act::Ask(Question::new(name.parse().unwrap(), RrType::A), true));
        }
        // The root itself is sound: without it there is no internet.
        let address = IpAddr::from(Ipv4Addr::new(198, 41, 0, 4));
        build.serve("root", address, ".", &root);
        let name = "ns1.root-servers.test.".parse().unwrap();
        let hints = RootHints { servers: [NameServer { name, addresses: [address].into() }].into() };
        let options = ResolverOptions {
            ipv6: false,
            minimisation: plan.minimisation,
            priming: plan.priming,
            upstreams: Upstreams::new(build.upstreams.clone()),
            ..ResolverOptions::default()
        };
        let cache = Arc::new(Cache::new(CacheOptions::default()));
        let recursion = Recursion::new(cache.clone(), Arc::new(build.internet.clone()), hints, options);
        let denies = faults.iter().any(|at| FAULTS[*at] == ["denies-empty"]);
        Lab { build, recursion, cache, denies }
    }

    /// Asks as so many clients at the same instant.
    fn ask(&self, question: &Question, clients: usize) -> Vec<Told> {
        let (internet, began) = (&self.build.internet, self.build.internet.time.now().tick);
        let before = internet.exchanges();
        if let Some(cached) = self.recursion.cached(question.as_ref(), Wants::DATA, internet.time.now()) {
            return vec![Told {
                answer: cached.to_answer(),
                resolved: None,
                exchanges: 0,
                took: Duration::ZERO,
            }];
        }
        let (recursion, question) = (self.recursion.clone(), question.clone());
        let resolved = internet.time.run(async move {
            futures_util::future::join_all((0..clients).map(|_| recursion.resolve(question.clone()))).await
        });
        let (exchanges, took) = (internet.exchanges() - before, internet.time.now().tick.since(began));
        let told = |resolved: Resolved| {
            let answer = resolved.to_answer(false);
            Told { answer, resolved: Some(resolved), exchanges, took }
        };
        resolved.into_iter().map(told).collect()
    }

    fn run(&self, reached: &mut Reached) -> Result<(), TestCaseError> {
        let internet = &self.build.internet;
        for act in &self.build.acts {
            match act {
                Act::Later(seconds) => internet.time.pass(Duration::from_secs(*seconds)),
                Act::Break(host, fault) => self.build.fault(host, &[fault]),
                Act::Ask(question, must) => self.ask_and_again(question, *must, reached)?,
                Act::AskLarge(question, bound) => {
                    for _ in 0..2 {
                        let told = self.ask(question, 1).remove(0);
                        self.check(question, &told, true)?;
                        prop_assert!(told.exchanges > 0, "{question} is too large to be kept");
                    }
                    reached.bound(bound);
                }
                Act::Crowd(clients, question) => {
                    let told = self.ask(question, *clients);
                    let is_busy = |told: &&Told| {
                        told.resolved.as_ref().is_some_and(|told| told.failure == Some(Failure::Busy))
                    };
                    let busy = told.iter().filter(is_busy).count();
                    prop_assert_eq!(busy, clients.saturating_sub(limits::FOLLOWERS + 1));
                    for told in &told {
                        self.check(question, told, false)?;
                    }
                    (0..busy).for_each(|_| reached.bound("FOLLOWERS"));
                }
            }
        }
        self.check_cache(reached)?;
        reached.faults_met(internet.faults_met());
        Ok(())
    }

    fn ask_and_again(
        &self,
        question: &Question,
        must: bool,
        reached: &mut Reached,
    ) -> Result<(), TestCaseError> {
        let told = self.ask(question, 1).remove(0);
        self.check(question, &told, must)?;
        if let Some(resolved) = &told.resolved {
            reached.question(question, resolved, &self.build.truth, told.took);
            let is_forwarded = resolved.facts.steps.iter().any(|step| matches!(step, Step::Upstream(_)));
            if is_forwarded && resolved.facts.tries == 1 && told.exchanges == limits::FORWARD_AT_ONCE {
                reached.bound("FORWARD_AT_ONCE");
            }
        }
        // Asked again later: what is cached is not older than it was, and its TTLs have not grown.
        self.build.internet.time.pass(Duration::from_secs(2));
        let again = self.ask(question, 1).remove(0);
        self.check(question, &again, must && told.answer.rcode != Rcode::YXDOMAIN)?;
        if again.answer.rcode == told.answer.rcode && again.exchanges == 0 {
            let pairs = ttls(&again.answer).into_iter().zip(ttls(&told.answer));
            for (after, before) in pairs {
                prop_assert!(after < before || before == 0, "{question}: {before} s, then {after} s");
            }
        }
        Ok(())
    }

    /// What holds for every answer.
    fn check(&self, question: &Question, told: &Told, must: bool) -> Result<(), TestCaseError> {
        let Told { answer, exchanges, took, .. } = told;
        let ladder = || self.build.internet.ladder(self.build.internet.exchanges() - exchanges);
        prop_assert!(*exchanges <= limits::UPSTREAM_PACKETS as usize, "{exchanges} exchanges for {question}");
        let longest = limits::QUERY_TIMEOUT + Duration::from_millis(100);
        prop_assert!(*took <= longest, "{took:?} for {question}");
        prop_assert!(!answer.authentic && !answer.authoritative);
        prop_assert_eq!(self.recursion.under_way(), 0);
        let records = records(answer);
        prop_assert!(
            records.iter().all(|(_, _, rdata)| rdata != FORGED_ADDRESS.as_slice()),
            "{question} is forged"
        );
        if answer.rcode == Rcode::SERVFAIL {
            prop_assert!(answer.extended_error.is_some(), "SERVFAIL for {question} says why");
            prop_assert!(!must, "{question}: {:?}\n{}", answer.extended_error, ladder());
            return Ok(());
        }
        let truth = self.build.twin.answer(question);
        let is_denied = self.denies && answer.rcode == Rcode::NXDOMAIN;
        let got = Some((answer.rcode, records));
        prop_assert!(got == truth || is_denied, "{question}: {got:?}, not {truth:?}\n{}", ladder());
        Ok(())
    }

    /// Nothing a server said of names that are not its own is there.
    fn check_cache(&self, reached: &mut Reached) -> Result<(), TestCaseError> {
        let now = self.build.internet.time.now();
        let evil = "ns.evil.test.".parse().unwrap();
        for name in [
            "www.bank.test.",
            "ns1.org.",
            "large.test.",
            "other.test.",
            "one.test.",
            "x.org.",
            "x.test.",
            ".",
        ] {
            let name: namu::dns::Name = name.parse().unwrap();
            for rr_type in [RrType::A, RrType::NS, RrType::TXT] {
                let found = self.cache.rrset(name.as_ref(), rr_type, Credibility::Additional, now);
                prop_assert!(found.is_none() || name.as_ref().is_root(), "{name} {rr_type} is in the cache");
            }
            let known = self.cache.closest_delegation(name.as_ref(), now);
            let is_evil = |server: &NameServer| server.name == evil;
            prop_assert!(known.is_none_or(|known| !known.servers.iter().any(is_evil)), "{name}");
        }
        for apex in &self.build.truth.wide {
            let known = self.cache.closest_delegation(apex.as_ref(), now).filter(|known| known.apex == *apex);
            for server in known.iter().flat_map(|known| &known.servers) {
                prop_assert!(server.addresses.len() <= limits::NAME_SERVER_ADDRESSES);
                if server.addresses.len() == limits::NAME_SERVER_ADDRESSES {
                    reached.bound("NAME_SERVER_ADDRESSES");
                }
            }
        }
        Ok(())
    }
}

fn ttls(answer: &Answer<'_>) -> Vec<u32> {
    answer.answer.iter().chain(answer.authority.iter()).map(|set| set.ttl.seconds()).collect()
}

/// The answer section as the twin tells it.
pub fn records(answer: &Answer<'_>) -> Vec<crate::twin::Record> {
    let records = answer.answer.iter().flat_map(|set| {
        let set = set.rrset();
        let of = |rdata: &[u8]| (set.owner.to_string(), set.rr_type, rdata.to_vec());
        set.records.iter().map(of).collect::<Vec<_>>()
    });
    records.collect::<BTreeSet<_>>().into_iter().collect()
}

/// A failing internet is printed, as small as it can be made. The seed of a run is `PROPTEST_RNG_SEED`, or always the same.
pub fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        seed => seed,
    };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..default }
}

#[test]
fn on_five_hundred_internets_what_must_hold_holds_and_every_bound_is_reached() {
    let reached = RefCell::new(Reached::default());
    let cases = 500;
    let result =
        TestRunner::new(config(cases)).run(&plans(), |plan| Lab::new(&plan).run(&mut reached.borrow_mut()));
    if let Err(error) = result {
        panic!("{error}");
    }
    reached.borrow().assert_all();
}

#[test]
fn the_same_seed_is_the_same_run() {
    let result = TestRunner::new(config(24)).run(&plans(), |plan| {
        let ladder = || {
            let lab = Lab::new(&plan);
            lab.run(&mut Reached::default())?;
            Ok::<_, TestCaseError>(lab.build.internet.ladder(0))
        };
        prop_assert_eq!(ladder()?, ladder()?);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn questions_asked_together_end_too() {
    let result = TestRunner::new(config(64)).run(&plans(), |plan| {
        let lab = Lab::new(&plan);
        let asked = lab.build.acts.iter().filter_map(|act| match act {
            Act::Ask(question, _) => Some(question.clone()),
            _ => None,
        });
        let (asked, recursion): (Vec<_>, _) = (asked.collect(), lab.recursion.clone());
        let (time, questions) = (lab.build.internet.time.clone(), asked.clone());
        let began = time.now().tick;
        let resolved = time.run(async move {
            futures_util::future::join_all(questions.into_iter().map(|question| recursion.resolve(question)))
                .await
        });
        let took = time.now().tick.since(began);
        for (question, resolved) in asked.iter().zip(resolved) {
            let told =
                Told { answer: resolved.to_answer(false), resolved: Some(resolved), exchanges: 0, took };
            lab.check(question, &told, false)?;
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
