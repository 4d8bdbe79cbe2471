//! From the root to the answer, and what is known afterwards.

use std::time::Duration;

use futures_util::future::join_all;

use super::*;

#[test]
fn a_name_is_found_over_referrals_with_glue() {
    let lab = Lab::new(&[], &[["www.example. A", "aa", "www.example. A 192.0.2.80", "", ""]]);
    assert_eq!(lab.ask("www.example. A"), "NOERROR www.example. A 192.0.2.80");
    assert_eq!(lab.sent(), ["192.0.2.1 www.example. A", "192.0.2.2 www.example. A"]);
    assert_eq!(lab.hit("www.example. A"), Some((300, Source::Cache)));
    lab.later(100);
    assert_eq!(lab.hit("WWW.example. A"), Some((200, Source::Cache)));
    let again = lab.resolve("www.example. A");
    assert_eq!((again.source, again.facts.tries), (Source::Cache, 0));
    lab.later(200);
    assert_eq!(lab.hit("www.example. A"), None);
}

#[test]
fn priming_comes_first_and_once() {
    let rows = [["*.example. A", "aa", "a.example. A 192.0.2.80", "", ""]];
    let lab = Lab::with(ResolverOptions::default(), &[], &rows);
    lab.ask("a.example. A");
    assert_eq!(lab.sent(), ["192.0.2.1 . NS", "192.0.2.1 example. A", "192.0.2.2 a.example. A"]);
    lab.ask("test. A");
    assert_eq!(lab.sent(), ["192.0.2.1 test. A"]);
}

#[test]
fn a_failed_priming_leaves_the_hints() {
    let rows = [["*.example. A", "aa", "a.example. A 192.0.2.80", "", ""]];
    let root = [[". NS", "refused", "", "", ""]];
    let lab = Lab::with(ResolverOptions::default(), &root, &rows);
    assert_eq!(lab.ask("a.example. A"), "NOERROR a.example. A 192.0.2.80");
}

#[test]
fn of_a_priming_reply_only_the_root_s_own_servers_are_taken() {
    let forged = [
        ". NS",
        "aa",
        ". 600 NS ns.root. | test. NS ns.evil.",
        "test. NS ns.evil. | example. NS ns.evil.",
        "ns.root. A 192.0.2.1 | ns.evil. A 192.0.2.66 | ns.example. A 192.0.2.66 | a.example. A 192.0.2.66",
    ];
    let rows = [["*.example. A", "aa", "a.example. A 192.0.2.80", "", ""]];
    let lab = Lab::with(ResolverOptions::default(), &[forged], &rows);
    assert_eq!(lab.ask("a.example. A"), FOUND);
    lab.ask("a.test. A");
    assert!(lab.sent().iter().all(|sent| !sent.starts_with("192.0.2.66")));
    // The list is good for as long as it says, then asked for again.
    lab.later(590);
    lab.ask("b.example. A");
    assert!(!lab.sent().contains(&"192.0.2.1 . NS".into()));
    lab.later(11);
    lab.ask("c.test. A");
    assert_eq!(lab.sent()[0], "192.0.2.1 . NS");
}

#[test]
fn a_priming_reply_without_addresses_leaves_the_hints() {
    let rows = [["*.example. A", "aa", "a.example. A 192.0.2.80", "", ""]];
    let lab = Lab::with(ResolverOptions::default(), &[[". NS", "aa", ". NS ns.evil.", "", ""]], &rows);
    assert_eq!(lab.ask("a.example. A"), FOUND);
}

#[test]
fn parent_and_child_may_disagree_about_the_servers() {
    // The parent names a server that is lame and one that is not; the child names itself and one that is gone.
    let ns = "test. NS ns1.test. | test. NS ns2.test.";
    let glue = "ns1.test. A 192.0.2.3 | ns2.test. A 192.0.2.4";
    let lab = Lab::new(&[["*.test. *", "", "", ns, glue]], &[]);
    lab.world.server("192.0.2.3", &[]);
    let of_child = "test. NS ns3.test. | test. NS ns4.test.";
    let glue_of_child = "ns3.test. A 192.0.2.66 | ns4.test. A 192.0.2.67";
    lab.world.server(
        "192.0.2.4",
        &[
            ["test. NS", "aa", of_child, "", glue_of_child],
            ["*.test. A", "aa", "a.test. A 192.0.2.80 | b.test. A 192.0.2.80", of_child, glue_of_child],
        ],
    );
    for asked in ["a.test. A", "b.test. A"] {
        assert!(lab.ask(asked).ends_with(".test. A 192.0.2.80"));
    }
    assert_eq!(
        lab.ask("test. NS"),
        "NOERROR test. NS ns3.test.",
        "of its NS records the child is the master"
    );
    assert!(lab.sent().iter().all(|sent| !sent.starts_with("192.0.2.6")), "the parent says whom to ask");
}

#[test]
fn glue_of_a_sibling_is_used_and_mistrusted_when_it_does_not_help() {
    // ns.example. had another address when the parent was told.
    let lab = Lab::new(
        &[["*.test. *", "", "", "test. NS ns.example.", "ns.example. A 192.0.2.66"]],
        &[["ns.example. A", "aa", "ns.example. A 192.0.2.3", "", ""]],
    );
    lab.world.server("192.0.2.66", &[]);
    lab.world.server("192.0.2.3", &[["a.test. A", "aa", "a.test. A 192.0.2.80", "", ""]]);
    assert_eq!(lab.ask("a.test. A"), "NOERROR a.test. A 192.0.2.80");
    let want = [
        "192.0.2.1 a.test. A",
        "192.0.2.66 a.test. A",
        "192.0.2.1 ns.example. A",
        "192.0.2.2 ns.example. A",
        "192.0.2.3 a.test. A",
    ];
    assert_eq!(lab.sent(), want);
}

#[test]
fn glue_from_outside_the_zone_asked_is_looked_up_instead() {
    let sub = ["*.sub.example. *", "", "", "sub.example. NS ns.test.", "ns.test. A 192.0.2.66"];
    let lab = Lab::new(&[["*.test. *", "", "", "test. NS ns.test.", "ns.test. A 192.0.2.3"]], &[sub]);
    lab.world.server(
        "192.0.2.3",
        &[
            ["ns.test. A", "aa", "ns.test. A 192.0.2.3", "", ""],
            ["a.sub.example. A", "aa", "a.sub.example. A 192.0.2.80", "", ""],
        ],
    );
    assert_eq!(lab.ask("a.sub.example. A"), "NOERROR a.sub.example. A 192.0.2.80");
    assert!(lab.sent().iter().all(|sent| !sent.starts_with("192.0.2.66")));
}

#[test]
fn a_host_with_one_family_asks_only_addresses_of_that() {
    for (ipv4, want) in [(true, "192.0.2.3"), (false, "2001:db8::3")] {
        let options = ResolverOptions { ipv4, ipv6: !ipv4, priming: false, ..ResolverOptions::default() };
        let glue = "ns.test. A 192.0.2.3 | ns.test. AAAA 2001:db8::3";
        let root = ["*.test. *", "", "", "test. NS ns.test.", glue];
        let lab = Lab::with(options.clone(), &[root], &[]).afresh(options, &["192.0.2.1", "2001:db8::1"]);
        lab.world.server("2001:db8::1", &[root]);
        for ip in ["192.0.2.3", "2001:db8::3"] {
            lab.world.server(
                ip,
                &[
                    ["*.bare.test. A", "", "", "bare.test. NS ns.far.test.", ""],
                    ["ns.far.test. A", "aa", "ns.far.test. A 192.0.2.3", "", ""],
                    ["ns.far.test. AAAA", "aa", "ns.far.test. AAAA 2001:db8::3", "", ""],
                    ["*.test. A", "aa", "a.test. A 192.0.2.80", "", ""],
                ],
            );
        }
        assert_eq!(lab.ask("a.test. A"), "NOERROR a.test. A 192.0.2.80");
        lab.ask("a.bare.test. A");
        let sent = lab.sent();
        let family = |sent: &String| sent.starts_with("192.0.2.") == ipv4;
        assert!(sent.iter().all(family) && sent.iter().any(|sent| sent.starts_with(want)), "{sent:?}");
    }
}

#[test]
fn addresses_of_name_servers_without_glue_are_looked_up() {
    let lab = Lab::new(
        &[["*.test. *", "", "", "test. NS ns.example.", ""]],
        &[["ns.example. A", "aa", "ns.example. A 192.0.2.3", "", ""]],
    );
    lab.world.server("192.0.2.3", &[["a.test. A", "aa", "a.test. A 192.0.2.80", "", ""]]);
    assert_eq!(lab.ask("a.test. A"), "NOERROR a.test. A 192.0.2.80");
    assert_eq!(
        lab.sent(),
        ["192.0.2.1 a.test. A", "192.0.2.1 ns.example. A", "192.0.2.2 ns.example. A", "192.0.2.3 a.test. A"]
    );
    assert_eq!(lab.hit("ns.example. A"), Some((299, Source::Cache)), "what was learnt for it is for all");
}

#[test]
fn a_name_server_with_only_an_ipv6_address_is_found() {
    let lab = Lab::new(
        &[["*.test. *", "", "", "test. NS ns.example.", ""]],
        &[
            ["ns.example. A", "aa", "", SOA, ""],
            ["ns.example. AAAA", "aa", "ns.example. AAAA 2001:db8::3", "", ""],
        ],
    );
    lab.world.server("2001:db8::3", &[["a.test. A", "aa", "a.test. A 192.0.2.80", "", ""]]);
    assert_eq!(lab.ask("a.test. A"), "NOERROR a.test. A 192.0.2.80");
}

#[test]
fn aliases_are_chased_over_zones() {
    let test = ["*.test. *", "", "", "test. NS ns.test.", "ns.test. A 192.0.2.3"];
    let lab = Lab::new(&[test], &[["www.example. *", "aa", "www.example. 100 CNAME web.test.", "", ""]]);
    lab.world.server("192.0.2.3", &[["web.test. A", "aa", "web.test. A 192.0.2.80", "", ""]]);
    let want = "NOERROR www.example. CNAME web.test., web.test. A 192.0.2.80";
    assert_eq!(lab.ask("www.example. A"), want);
    assert_eq!(lab.hit("www.example. A"), Some((100, Source::Cache)));
    lab.sent();
    lab.later(40);
    assert_eq!(lab.ask("web.test. A"), "NOERROR web.test. A 192.0.2.80", "its parts are known by themselves");
    lab.ask("www.example. AAAA");
    assert_eq!(lab.sent(), ["192.0.2.3 web.test. AAAA"], "so is the alias");
    lab.later(60);
    assert_eq!(lab.hit("www.example. A"), None, "and nothing of it lives anew");
    assert_eq!(lab.hit("web.test. A").map(|(ttl, _)| ttl), Some(199));
}

#[test]
fn a_dname_redirects_what_is_below() {
    let lab = Lab::new(
        &[],
        &[
            [
                "a.old.example. A",
                "aa",
                "old.example. DNAME new.example. | a.old.example. CNAME a.new.example.",
                "",
                "",
            ],
            ["a.new.example. A", "aa", "a.new.example. A 192.0.2.80", "", ""],
        ],
    );
    let want = "NOERROR old.example. DNAME new.example., a.old.example. CNAME a.new.example., a.new.example. A 192.0.2.80";
    assert_eq!(lab.ask("a.old.example. A"), want);
}

#[test]
fn a_dname_that_is_passed_twice_stands_in_the_answer_once() {
    let lab = Lab::new(
        &[],
        &[
            ["b.a.a.example. A", "aa", "a.example. DNAME example.", "", ""],
            ["b.a.example. A", "aa", "a.example. DNAME example.", "", ""],
            ["b.example. A", "aa", "b.example. A 192.0.2.80", "", ""],
        ],
    );
    let want = "NOERROR a.example. DNAME example., b.a.a.example. CNAME b.a.example., \
                b.a.example. CNAME b.example., b.example. A 192.0.2.80";
    assert_eq!(lab.ask("b.a.a.example. A"), want);
}

#[test]
fn denials_are_remembered_for_their_time() {
    let lab = Lab::new(
        &[],
        &[
            ["no.example. *", "aa nxdomain", "", SOA, ""],
            ["empty.example. A", "aa", "", SOA, ""],
            ["empty.example. AAAA", "aa", "empty.example. AAAA 2001:db8::1", "", ""],
        ],
    );
    assert_eq!(lab.ask("no.example. A"), "NXDOMAIN");
    let empty = lab.resolve("empty.example. A");
    assert_eq!(short(&empty), "NOERROR");
    assert_eq!(empty.authority[0].ttl.seconds(), 60, "the SOA's MINIMUM, not its TTL");
    assert_eq!(lab.hit("no.example. MX"), Some((59, Source::NegativeCache)), "for all types");
    assert_eq!(lab.hit("empty.example. A"), Some((60, Source::NegativeCache)));
    assert_eq!(lab.hit("empty.example. AAAA"), None);
    lab.later(60);
    assert_eq!(lab.hit("no.example. A"), None);
}

#[test]
fn one_question_is_under_way_once() {
    let lab = Lab::new(&[], &[["*.example. A", "aa", "a.example. A 192.0.2.80", "", ""]]);
    let asked = (0..20).map(|_| lab.recursion.resolve(question("a.example. A")));
    for resolved in lab.world.run(join_all(asked)) {
        assert_eq!(short(&resolved), FOUND);
    }
    assert_eq!(lab.sent().len(), 2);
}

#[test]
fn a_flight_outlives_the_one_who_asked() {
    let lab = Lab::new(&[], &[["*.example. A", "aa", "a.example. A 192.0.2.80", "", ""]]);
    lab.world.run(async {
        let mut asked = Box::pin(lab.recursion.resolve(question("a.example. A")));
        let once = std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context)));
        assert!(once.await.is_pending());
    });
    assert_eq!(lab.hit("a.example. A"), Some((300, Source::Cache)));
}

#[test]
fn a_failure_is_remembered_for_five_seconds_and_no_longer() {
    let lab = Lab::new(&[], &[["*.example. A", "servfail", "", "", ""]]);
    let want = "SERVFAIL 22 no name server of example. gave a usable answer: 192.0.2.2 SERVFAIL";
    assert_eq!(lab.ask("a.example. A"), want);
    assert_eq!(lab.sent().len(), 2);
    assert_eq!(lab.hit("a.example. A"), Some((0, Source::FailureCache)));
    let again = lab.resolve("a.example. A");
    assert_eq!((short(&again).as_str(), again.source), (want, Source::FailureCache));
    lab.later(4);
    lab.ask("a.example. A");
    assert_eq!(lab.sent().len(), 0);
    lab.later(1);
    lab.ask("a.example. A");
    assert_eq!(lab.sent().len(), 1);
}

#[test]
fn a_revoked_delegation_dies_when_its_parent_says() {
    let lab = Lab::new(
        &[["*.example. *", "", "", "example. 100 NS ns.example.", "ns.example. 86400 A 192.0.2.2"]],
        &[[
            "*.example. A",
            "aa",
            "a.example. 10 A 192.0.2.80",
            "example. 86400 NS ns.example.",
            "ns.example. 86400 A 192.0.2.2",
        ]],
    );
    for _ in 0..9 {
        lab.ask("a.example. A");
        lab.later(11);
    }
    assert_eq!(lab.sent().iter().filter(|sent| sent.starts_with("192.0.2.1 ")).count(), 1);
    lab.later(2);
    lab.ask("a.example. A");
    assert_eq!(lab.sent()[0], "192.0.2.1 a.example. A");
}

#[test]
fn ds_is_asked_of_the_parent() {
    let sub = ["*.sub.example. *", "", "", "sub.example. NS ns.sub.example.", "ns.sub.example. A 192.0.2.3"];
    let lab = Lab::new(&[], &[["sub.example. DS", "aa", "", SOA, ""], sub]);
    lab.world.server("192.0.2.3", &[["*.sub.example. A", "aa", "sub.example. A 192.0.2.80", "", ""]]);
    lab.ask("sub.example. A");
    lab.sent();
    assert_eq!(lab.ask("sub.example. DS"), "NOERROR");
    assert_eq!(lab.sent(), ["192.0.2.2 sub.example. DS"]);
}

#[test]
fn steps_tell_the_walk() {
    let lab = Lab::new(&[], &[["www.example. A", "aa", "www.example. A 192.0.2.80", "", ""]]);
    let resolved = lab.resolve("www.example. A");
    let words: Vec<_> = resolved.facts.steps.iter().map(|step| format!("{step:?}")).collect();
    let kinds: Vec<_> = words.iter().map(|word| word.split([' ', '(']).next().unwrap()).collect();
    assert_eq!(kinds, ["Zone", "Chosen", "Exchange", "Referral", "Zone", "Chosen", "Exchange", "Found"]);
    assert_eq!((resolved.facts.tries, resolved.facts.exchanges.len()), (2, 2));
    assert_eq!(resolved.source, Source::Recursion);
}

#[test]
fn a_follower_leads_again_when_its_leader_had_spent_its_budget() {
    // `slow.test.` has name servers that stay silent, then one in `example.`, whose address takes a moment.
    let ns: Vec<_> = (0..2).map(|at| format!("slow.test. NS ns{at}.slow.test.")).collect();
    let ns = format!("{} | slow.test. NS late.example.", ns.join(" | "));
    let glue = "ns0.slow.test. A 192.0.2.100 | ns1.slow.test. A 192.0.2.101";
    let options = ResolverOptions { max_upstream_queries: 5, priming: false, ..ResolverOptions::default() };
    let lab = Lab::with(options, &[["*.slow.test. *", "", "", &ns, glue]], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let answer = format!("{} A 192.0.2.3", seen.question.name);
        let lost = TRIES.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2;
        if lost { vec![] } else { vec![(10, seen.reply("aa", &answer, "", ""))] }
    });
    static TRIES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    // The first client spends three packets before it needs late.example. and has two left for it: too few.
    let leader = lab.recursion.resolve(question("www.slow.test. A"));
    // The second wants that very address and comes while the first is at it.
    let follower = async {
        lab.world.sleep(Duration::from_millis(800)).await;
        lab.recursion.resolve(question("late.example. A")).await
    };
    let (leader, follower) = lab.world.run(futures_util::future::join(leader, follower));
    assert!(short(&leader).starts_with("SERVFAIL 0 gave up after 5 packets"), "{}", short(&leader));
    assert_eq!(short(&follower), "NOERROR late.example. A 192.0.2.3");
}

#[test]
fn what_failed_or_took_long_is_kept_and_what_went_well_is_not() {
    let lab = Lab::recorded(
        &[["*.slow. *", "aa", "www.slow. A 192.0.2.80", "", ""]],
        &[["www.example. A", "aa", "www.example. A 192.0.2.80", "", ""]],
    );
    let good = lab.resolve("www.example. A");
    assert_eq!((good.failure.clone(), good.facts.id), (None, None));

    let failed = lab.resolve("nobody.example. A");
    let id = failed.facts.id.expect("a failure is kept");
    let text = failed.to_answer(false).extended_error.unwrap().text;
    assert!(text.ends_with(&format!("192.0.2.2 REFUSED; id={id}")), "{text}");
    let record = lab.recorder.find(id).unwrap();
    assert_eq!(record.question, question("nobody.example. A"));
    assert_eq!(record.steps, failed.facts.steps);
    // Who asks again is told the same.
    let asked = question("nobody.example. A");
    let again = lab.recursion.cached(asked.as_ref(), Wants::DATA, lab.world.now()).unwrap();
    let remembered = again.to_answer().extended_error.unwrap();
    assert_eq!(remembered.text, text);
    assert_eq!(crate::recursion::told_id(&remembered), Some(id));
    let waited_for = lab.resolve("nobody.example. A");
    assert_eq!((waited_for.facts.id, waited_for.source), (Some(id), Source::FailureCache));
    assert_eq!(waited_for.extended_error.unwrap().text, text, "the id stands there once");

    let late = 1 + crate::limits::SLOW_QUERY.as_millis() as u64;
    let asked = std::sync::atomic::AtomicUsize::new(0);
    lab.world.host("192.0.2.1", move |seen: &Seen| {
        // The reply comes late to the first, too late; whoever asks again is answered at once.
        let is_first = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2;
        match is_first {
            true => vec![],
            false => vec![(late / 2, seen.reply("aa", "www.slow. A 192.0.2.80", "", ""))],
        }
    });
    let slow = lab.resolve("www.slow. A");
    assert_eq!(short(&slow), "NOERROR www.slow. A 192.0.2.80");
    let record = lab.recorder.find(slow.facts.id.expect("slow is kept")).unwrap();
    assert!(record.error.is_none() && record.took >= crate::limits::SLOW_QUERY, "{:?}", record.took);
}

#[test]
fn of_an_alias_only_the_name_asked_for_is_believed() {
    let sub = ["*.sub.example. *", "", "", "sub.example. NS ns.sub.example.", "ns.sub.example. A 192.0.2.3"];
    let old = "a.example. CNAME b.example. | b.example. CNAME c.sub.example. | c.sub.example. A 192.0.2.66";
    let next =
        ["b.example. A", "aa", "b.example. CNAME c.sub.example. | c.sub.example. A 192.0.2.66", "", ""];
    let lab = Lab::new(&[], &[["a.example. A", "aa", old, "", ""], next, sub]);
    lab.world.server("192.0.2.3", &[["c.sub.example. A", "aa", "c.sub.example. A 192.0.2.80", "", ""]]);
    let want =
        "NOERROR a.example. CNAME b.example., b.example. CNAME c.sub.example., c.sub.example. A 192.0.2.80";
    assert_eq!(lab.ask("a.example. A"), want);
    assert_eq!(
        lab.hit("c.sub.example. A").map(|(_, source)| source),
        None,
        "stored as part of the whole only"
    );
}
