//! Packets that get lost, and a network that goes and comes back.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use super::*;

/// A root, a top zone `test.` with two servers and fifty zones below it, all at two others; of each query `lost` of 100
/// do not come back. As everywhere by default: priming, minimisation, random case.
fn internet(lost: u64, seed: u64) -> Lab {
    let tld = "ns1.test. A 192.0.2.11 | ns2.test. A 192.0.2.12";
    let lab = Lab::with(
        ResolverOptions::default(),
        &[["*.test. *", "", "", "test. NS ns1.test. | test. NS ns2.test.", tld]],
        &[],
    );
    lab.world.draw(seed);
    for at in 0..2 {
        let dice = [Dice::new(seed + 100 + at), Dice::new(seed + 200 + at)];
        let [of_tld, of_zone] = dice;
        lab.world.host(&format!("192.0.2.{}", 11 + at), move |seen: &Seen| {
            let zone = name(&seen.question.name.as_ref().trim_to(2).to_name().to_string().to_lowercase());
            let ns = format!("{zone} NS ns1.{zone} | {zone} NS ns2.{zone}");
            let glue = format!("ns1.{zone} A 192.0.2.21 | ns2.{zone} A 192.0.2.22");
            // From 30 to 39, zones have name servers in others, and no glue.
            let is_bare = zone.to_string().starts_with("zone3") && zone.octets()[0] == 6;
            let (ns, glue) = match is_bare {
                true => (format!("{zone} NS ns.zone1.test. | {zone} NS ns.zone2.test."), String::new()),
                false => (ns, glue),
            };
            match of_tld.below(100) < lost {
                true => vec![],
                false => vec![(20, seen.reply("", "", &ns, &glue))],
            }
        });
        lab.world.host(&format!("192.0.2.{}", 21 + at), move |seen: &Seen| {
            let asked = &seen.question.name;
            let is_server =
                asked.as_ref().first_label().is_some_and(|label| label.eq_ignore_ascii_case(b"ns"));
            let answer = format!("{asked} A 192.0.2.{}", if is_server { 21 + at } else { 80 });
            match of_zone.below(100) < lost {
                true => vec![],
                false => vec![(20, seen.reply("aa", &answer, "", ""))],
            }
        });
    }
    lab
}

/// How many of 1000 cold names were not found, the time of the 990th, and the packets sent.
fn thousand(lab: &Lab) -> (usize, Duration, usize) {
    let mut failures = 0;
    let mut times: Vec<_> = (0..1000)
        .map(|at| {
            let began = lab.world.now().tick;
            failures +=
                usize::from(!lab.ask(&format!("a{at}.zone{}.test. A", at % 50)).starts_with("NOERROR"));
            lab.world.now().tick.since(began)
        })
        .collect();
    times.sort();
    (failures, times[990], lab.sent().len())
}

#[test]
fn a_thousand_cold_names_survive_thirty_percent_loss_each_way() {
    let (_, _, clean) = thousand(&internet(0, 1));
    let mut failures = 0;
    for seed in 1..=5 {
        let (failed, late, sent) = thousand(&internet(51, seed));
        failures += failed;
        assert!(late <= Duration::from_millis(2500), "{late:?}");
        assert!(sent <= 3 * clean, "{sent} instead of {clean}");
    }
    assert!(failures <= 5, "{failures} of 5000");
}

#[test]
fn names_asked_together_survive_thirty_percent_loss_too() {
    let lab = internet(51, 7);
    let mut failures = 0;
    for round in 0..10 {
        let asked = (0..100)
            .map(|at| lab.recursion.resolve(question(&format!("a{round}-{at}.zone{}.test. A", at % 50))));
        let resolved = lab.world.run(join_all(asked));
        failures += resolved.iter().filter(|resolved| !short(resolved).starts_with("NOERROR")).count();
    }
    assert!(failures <= 1, "{failures}");
}

#[test]
fn a_network_that_is_back_is_noticed_at_once() {
    // Gone for a moment, for ten seconds, for two hours; unreachable is noticed otherwise than silent.
    for (away, warm) in [(10, true), (10, false), (7200, true)] {
        static IS_AWAY: AtomicBool = AtomicBool::new(false);
        let lab = Lab::with(
            ResolverOptions::default(),
            &[
                ["*.test. *", "", "", "test. NS ns1.test.", "ns1.test. A 192.0.2.11"],
                ["*.bare. *", "", "", "bare. NS ns1.test.", ""],
            ],
            &[],
        );
        let at_test = |seen: &Seen| {
            let answer = format!("{} A 192.0.2.11", seen.question.name);
            match IS_AWAY.load(Ordering::Relaxed) {
                true => vec![],
                false => vec![(20, seen.reply("aa", &answer, "", ""))],
            }
        };
        lab.world.host("192.0.2.11", at_test);
        if warm {
            for asked in ["warm.test. A", "warm.bare. A"] {
                assert!(lab.ask(asked).starts_with("NOERROR"), "{asked}");
            }
        }
        IS_AWAY.store(true, Ordering::Relaxed);
        let (began, mut at) = (lab.world.now().tick, 0);
        while lab.world.now().tick.since(began) < Duration::from_secs(away) {
            at += 1;
            assert!(lab.ask(&format!("gone{at}.test. A")).starts_with("SERVFAIL"));
            assert!(lab.ask(&format!("gone{at}.bare. A")).starts_with("SERVFAIL"));
            lab.world.later(Duration::from_millis(100 * away));
        }
        IS_AWAY.store(false, Ordering::Relaxed);
        let began = lab.world.now().tick;
        assert!(lab.ask("back.test. A").starts_with("NOERROR"), "{away} {warm}");
        let took = lab.world.now().tick.since(began);
        assert!(took <= Duration::from_secs(1), "{away}: {took:?}");
    }
}

#[test]
fn servers_that_died_cost_no_more_than_their_time_and_packets() {
    static IS_DEAD: AtomicBool = AtomicBool::new(false);
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| match IS_DEAD.load(Ordering::Relaxed) {
        true => vec![],
        false => vec![(20, seen.reply("aa", &format!("{} A 192.0.2.80", seen.question.name), "", ""))],
    });
    assert_eq!(lab.ask("a.example. A"), FOUND);
    lab.later(10);
    IS_DEAD.store(true, Ordering::Relaxed);
    lab.sent();
    let began = lab.world.now().tick;
    let want = "SERVFAIL 22 no name server of example. gave a usable answer: 192.0.2.2 timeout";
    assert_eq!(lab.ask("b.example. A"), want);
    assert!(lab.world.now().tick.since(began) <= Duration::from_secs(5));
    assert_eq!(lab.sent().len() as u32, crate::limits::TRIES_PER_KNOWN_DELEGATION);
    assert_eq!(lab.ask("c.example. A"), want);
    assert_eq!(lab.sent().len() as u32, crate::limits::TRIES_PER_SILENT_DELEGATION, "a probe");
}
