//! Answers at their end: given out stale when they cannot be had anew, fetched anew before it when they are hot.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::join_all;

use super::*;
use crate::dns::{QuestionRef, Rcode};
use crate::limits;
use crate::recursion::Wants;
use crate::resolver::{Here, Said};

/// `example.` at a server that knows any name of two labels, and can be made silent or slow.
struct Valve {
    lab: Lab,
    is_silent: Arc<AtomicBool>,
    delay: Arc<AtomicU64>,
}

fn valve() -> Valve {
    let lab = Lab::new(&[], &[]);
    let (is_silent, delay) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(10)));
    let (silent, after) = (is_silent.clone(), delay.clone());
    lab.world.host("192.0.2.2", move |seen: &Seen| {
        let name = &seen.question.name;
        let reply = match name.to_string().to_lowercase().starts_with("no") {
            true => seen.reply("aa nxdomain", "", SOA, ""),
            false => seen.reply("aa", &format!("{name} 60 A 192.0.2.80"), "", ""),
        };
        match silent.load(Ordering::Relaxed) {
            true => vec![],
            false => vec![(after.load(Ordering::Relaxed), reply)],
        }
    });
    Valve { lab, is_silent, delay }
}

impl Valve {
    /// As a client is answered: source, EDE and TTL, and how many milliseconds it took.
    fn client(&self, asked: &str) -> (Source, Option<u16>, u32, u64) {
        let recursion = self.lab.recursion.clone();
        let (asked, world) = (question(asked), self.lab.world.clone());
        let began = world.now();
        let told = |answer: &crate::dns::Answer<'static>, source, took: Duration| {
            let code = answer.extended_error.as_ref().map(|error| error.code.0);
            let ttl = answer.answer.iter().chain(answer.authority.iter()).next();
            (source, code, ttl.map_or(0, |rrset| rrset.ttl.seconds()), took.as_millis() as u64)
        };
        if let Some(cached) = recursion.cached(asked.as_ref(), Wants::DATA, began) {
            return told(&cached.to_answer(), cached.source, Duration::ZERO);
        }
        let clock = world.clone();
        let (resolved, took) = world.run(async move {
            let resolved = recursion.resolve(asked).await;
            (resolved, clock.now().tick.since(began.tick))
        });
        told(&resolved.to_answer(false), resolved.source, took)
    }
}

const STALE: Option<u16> = Some(3);

#[test]
fn warm_names_stay_when_their_servers_die() {
    let valve = valve();
    for at in 0..50 {
        valve.client(&format!("a{at}.example. A"));
    }
    valve.client("no.example. A");
    valve.lab.later(61);
    valve.is_silent.store(true, Ordering::Relaxed);
    for at in 0..50 {
        let asked = format!("a{at}.example. A");
        let (source, code, ttl, took) = valve.client(&asked);
        assert_eq!((source, code, ttl), (Source::Stale, STALE, 30));
        assert!(took <= 1850, "{took} ms");
        let (source, code, ttl, took) = valve.client(&asked);
        assert_eq!((source, code, ttl, took), (Source::Stale, STALE, 30, 0), "at once");
    }
    let (source, code, ttl, _) = valve.client("no.example. A");
    assert_eq!((source, code, ttl), (Source::Stale, Some(19), 30));
    assert_eq!(valve.lab.resolve("no.example. A").rcode.to_string(), "NXDOMAIN");
    let cold = valve.lab.resolve("cold.example. A");
    assert_eq!((cold.rcode.to_string(), cold.source), ("SERVFAIL".into(), Source::Recursion));
}

#[test]
fn after_half_a_minute_of_quiet_it_is_tried_again_and_a_day_later_given_up() {
    let valve = valve();
    valve.client("a.example. A");
    valve.lab.later(61);
    valve.is_silent.store(true, Ordering::Relaxed);
    valve.client("a.example. A");
    valve.lab.sent();
    for _ in 0..5 {
        valve.lab.later(5);
        assert_eq!(valve.client("a.example. A").0, Source::Stale);
    }
    assert!(valve.lab.sent().is_empty(), "quiet");
    valve.lab.later(10);
    assert_eq!(valve.client("a.example. A").0, Source::Stale);
    assert!(!valve.lab.sent().is_empty(), "tried again");
    valve.is_silent.store(false, Ordering::Relaxed);
    valve.lab.later(600);
    let (source, code, ttl, _) = valve.client("a.example. A");
    assert_eq!((source, code, ttl), (Source::Recursion, None, 60), "fresh as soon as it can be had");
    valve.is_silent.store(true, Ordering::Relaxed);
    valve.lab.later(86_400 + 61);
    assert_eq!(valve.client("a.example. A").1, Some(22), "too old");
}

#[test]
fn a_slow_server_costs_the_client_its_patience_and_the_flight_goes_on() {
    let valve = valve();
    let options = CacheOptions {
        stale_answer_timeout: Duration::from_millis(100),
        ..*valve.lab.recursion.cache().options()
    };
    let valve = Valve { lab: valve.lab.with_cache(options), ..valve };
    valve.delay.store(300, Ordering::Relaxed);
    valve.client("a.example. A");
    valve.lab.later(61);
    let (source, code, _, took) = valve.client("a.example. A");
    assert_eq!((source, code, took), (Source::Stale, STALE, 100));
    // Everything spawned has ended by now.
    let (source, code, ttl, took) = valve.client("a.example. A");
    assert_eq!((source, code, took), (Source::Cache, None, 0));
    assert!(ttl > 30, "{ttl}");
}

#[test]
fn without_patience_the_stale_answer_comes_at_once_and_is_refreshed_behind() {
    let valve = valve();
    let cache = valve.lab.recursion.cache();
    let options = CacheOptions { stale_answer_timeout: Duration::ZERO, ..*cache.options() };
    let valve = Valve { lab: valve.lab.with_cache(options), ..valve };
    valve.client("a.example. A");
    valve.lab.later(61);
    let (source, code, _, took) = valve.client("a.example. A");
    assert_eq!((source, code, took), (Source::Stale, STALE, 0));
    assert_eq!(valve.client("a.example. A").0, Source::Cache);
}

#[test]
fn none_is_stale_where_none_may_be() {
    let valve = valve();
    let options = CacheOptions { serve_stale: Duration::ZERO, ..*valve.lab.recursion.cache().options() };
    let valve = Valve { lab: valve.lab.with_cache(options), ..valve };
    valve.client("a.example. A");
    valve.lab.later(61);
    valve.is_silent.store(true, Ordering::Relaxed);
    assert_eq!(valve.client("a.example. A").1, Some(22));
}

#[test]
fn what_is_bogus_is_never_stale() {
    use crate::cache::{Kind, NewAnswer, Security};
    let valve = valve();
    let answer = vec![Arc::new(crate::resolver::testing::records("a.example. 60 A 192.0.2.66").remove(0))];
    let new = NewAnswer { security: Security::Bogus, ..NewAnswer::unchecked(Kind::Positive, answer, vec![]) };
    let (cache, asked) = (valve.lab.recursion.cache(), question("a.example. A"));
    cache.store_answer(asked.as_ref(), new, valve.lab.world.now()).unwrap();
    valve.lab.later(61);
    valve.is_silent.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(valve.client("a.example. A").1, Some(22));
    }
}

#[test]
fn a_name_asked_again_near_its_end_is_fetched_anew_by_one_flight_nobody_waits_for() {
    let valve = valve();
    valve.client("hot.example. A");
    valve.client("cold.example. A");
    valve.lab.later(30);
    assert_eq!(valve.client("hot.example. A").0, Source::Cache);
    valve.lab.sent();
    valve.lab.later(25);
    assert_eq!(valve.client("cold.example. A").0, Source::Cache, "its first hit");
    assert!(valve.lab.sent().is_empty());
    let (source, code, ttl, took) = valve.client("hot.example. A");
    assert_eq!((source, code, took), (Source::Cache, None, 0));
    assert!(ttl <= 5, "{ttl}");
    assert_eq!(valve.lab.sent(), ["192.0.2.2 hot.example. A"]);
    assert_eq!(valve.lab.recursion.prefetched(), 1);
    valve.lab.later(10);
    let (source, _, ttl, _) = valve.client("hot.example. A");
    assert_eq!(source, Source::Cache);
    assert!((45..=50).contains(&ttl), "{ttl}");
    assert!(valve.lab.sent().is_empty());
}

#[test]
fn many_clients_near_the_end_make_one_flight() {
    let valve = valve();
    valve.client("hot.example. A");
    valve.client("hot.example. A");
    valve.lab.later(56);
    valve.lab.sent();
    let recursion = &valve.lab.recursion;
    let asked = question("hot.example. A");
    let to_resolve: Vec<_> = (0..100)
        .filter(|_| recursion.cached(asked.as_ref(), Wants::DATA, valve.lab.world.now()).is_none())
        .collect();
    assert_eq!(to_resolve.len(), 1, "one leaves the fast path");
    let both = [asked.clone(), asked].map(|asked| recursion.resolve(asked));
    valve.lab.world.run(join_all(both));
    assert_eq!(valve.lab.sent().len(), 1);
}

#[test]
fn so_many_are_fetched_anew_at_once() {
    let valve = valve();
    let names: Vec<_> =
        (0..limits::PREFETCHES + 50).map(|at| question(&format!("a{at}.example. A"))).collect();
    let all = |valve: &Valve| {
        let recursion = valve.lab.recursion.clone();
        let now = valve.lab.world.now();
        let missing =
            names.iter().filter(|asked| recursion.cached(asked.as_ref(), Wants::DATA, now).is_none());
        let flights: Vec<_> = missing.map(|asked| recursion.resolve(asked.clone())).collect();
        let count = flights.len();
        valve.lab.world.run(join_all(flights));
        count
    };
    for chunk in names.chunks(100) {
        let flights = chunk.iter().map(|asked| valve.lab.recursion.resolve(asked.clone()));
        valve.lab.world.run(join_all(flights));
    }
    assert_eq!(all(&valve), 0, "all are there");
    valve.lab.later(56);
    assert_eq!(all(&valve), names.len(), "all are due");
    assert_eq!(valve.lab.recursion.prefetched(), limits::PREFETCHES as u64);
}

#[test]
fn who_may_have_nothing_resolved_takes_no_turn() {
    let valve = valve();
    valve.client("hot.example. A");
    valve.client("hot.example. A");
    valve.lab.later(56);
    let asked = question("hot.example. A");
    let now = valve.lab.world.now();
    assert!(valve.lab.recursion.only_cached(asked.as_ref(), Wants::DATA, now).is_some());
    assert!(valve.lab.recursion.cached(asked.as_ref(), Wants::DATA, now).is_none(), "still due");
}

/// Random names of a dead zone, and cold names of good ones, asked together.
#[test]
fn good_names_are_answered_while_a_dead_zone_is_flooded() {
    let referral =
        |zone: &str, server: &str| (format!("{zone} NS ns.{zone}"), format!("ns.{zone} A {server}"));
    let (dead, good) = (referral("dead.example.", "192.0.2.66"), referral("good.example.", "192.0.2.3"));
    let lab = Lab::new(
        &[],
        &[["*.dead.example. *", "", "", &dead.0, &dead.1], ["*.good.example. *", "", "", &good.0, &good.1]],
    );
    lab.world.host("192.0.2.3", |seen: &Seen| {
        vec![(10, seen.reply("aa", &format!("{} A 192.0.2.80", seen.question.name), "", ""))]
    });
    lab.ask("first.dead.example. A");
    lab.sent();
    let names = (0..2000).map(|at| match at % 10 {
        0 => format!("w{at}.good.example. A"),
        _ => format!("w{at}.dead.example. A"),
    });
    let asked: Vec<_> = names.map(|asked| lab.recursion.resolve(question(&asked))).collect();
    let answers = lab.world.run(join_all(asked));
    let good = answers.iter().filter(|resolved| resolved.rcode.to_string() == "NOERROR").count();
    assert_eq!(good, 200, "all of them");
    let crowded = answers.iter().filter(|resolved| short(resolved).contains("too many questions")).count();
    assert_eq!(crowded, 1800 - limits::ZONE_FLIGHTS);
    let to_dead = lab.sent().iter().filter(|sent| sent.starts_with("192.0.2.66")).count();
    assert!(to_dead <= limits::ZONE_FLIGHTS * limits::TRIES_PER_DELEGATION as usize, "{to_dead}");
    assert_eq!(lab.recursion.under_way(), 0);
}

/// A zone taken up while the cache still knew its names from others.
struct Own;

impl Here for Own {
    fn answer(&self, _: QuestionRef<'_>, _: usize) -> Option<Said> {
        let (answer, authority, additional) = (vec![], vec![], vec![]);
        Some(Said::Answer { rcode: Rcode::NXDOMAIN, authoritative: true, answer, authority, additional })
    }

    fn depth(&self, _: NameRef<'_>) -> Option<usize> {
        Some(0)
    }
}

#[test]
fn what_stands_here_is_neither_stale_nor_fetched_anew() {
    let valve = valve();
    for seconds in [57, 61] {
        valve.client("a.example. A");
        valve.client("a.example. A");
        valve.lab.later(seconds);
        let asked = question("a.example. A");
        assert!(valve.lab.recursion.cached(asked.as_ref(), Wants::DATA, valve.lab.world.now()).is_none());
        let recursion = valve.lab.recursion.clone();
        let resolved = valve
            .lab
            .world
            .run(async move { recursion.resolve_with(asked, Some(Arc::new(Own)), Wants::DATA).await });
        assert_eq!((resolved.rcode, resolved.source), (Rcode::NXDOMAIN, Source::Authoritative));
        assert_eq!(valve.lab.recursion.prefetched(), 0);
        valve.lab.later(100_000);
    }
}
