//! The attacks on a resolver, each with what it may cost: packets out, and milliseconds where a figure is asked for.

use std::sync::Arc;

use namu::dns::{Answer, Rcode, RrType};

use crate::messages;
use crate::world::{Hosts, Said, data, denial, referral, rrset, target, with_glue};

/// One attack: what a client asks, and who answers.
pub struct Story {
    pub row: &'static str,
    pub what: String,
    pub asked: &'static str,
    pub hosts: Hosts,
    pub packets: usize,
    pub milliseconds: f64,
}

/// No figure is asked for.
const ANY: f64 = f64::INFINITY;

/// All of them.
pub fn all() -> Vec<Story> {
    let mut all = vec![];
    let mut add = |row, what: &str, asked, packets, milliseconds, hosts| {
        all.push(Story { row, what: what.into(), asked, hosts, packets, milliseconds });
    };
    add("-", "an honest name", "www.good.test. A", 4, ANY, honest());
    for (what, rcode) in [("nxns, NXDOMAIN", Rcode::NXDOMAIN), ("nxns, NODATA", Rcode::NOERROR)] {
        add("1", what, "x.sub.evil.test. A", 11, 1.0, nxns(rcode));
    }
    add("2", "nrdeleg, 800 silent", "x.sub.evil.test. A", 8, 3.0, nrdeleg(false));
    add("2", "nrdeleg, 800 referrals", "x.sub.evil.test. A", 8, 3.0, nrdeleg(true));
    add("3", "overlap, 10 x 20", "x.sub.evil.test. A", 13, ANY, overlap());
    add("6", "camp", "x.z0.evil.test. A", 20, ANY, camp());
    add("6", "chain", "c0.evil.test. A", 13, ANY, chain());
    for zones in 1..=3 {
        add("7", &format!("ring of {zones}"), "www.r0.test. A", 6, ANY, ring(zones));
    }
    for (what, rcode) in [
        ("REFUSED", Rcode::REFUSED),
        ("SERVFAIL", Rcode::SERVFAIL),
        ("FORMERR", Rcode::FORMERR),
        ("BADVERS", Rcode::BADVERS),
        ("BADCOOKIE", Rcode::BADCOOKIE),
        ("lame", Rcode::NOERROR),
    ] {
        let of_no_use = useless(move |_| Said::Answer(Answer::empty(rcode)));
        add("8", &format!("13 servers, {what}"), "x.sub.evil.test. A", 14, ANY, of_no_use);
    }
    add("8", "13 servers, tcdead", "x.sub.evil.test. A", 14, ANY, useless(truncated));
    add("9", "loop", "l0.evil.test. A", 3, ANY, aliases(2, 2));
    add("9", "bigchain of 50", "l0.evil.test. A", 3, ANY, aliases(50, 51));
    // Over a stream: one packet more.
    add("9", "bigchain of 300", "l0.evil.test. A", 4, ANY, aliases(300, 301));
    add("28", "bigset, 2400 names in MX", "x.evil.test. MX", 4, 2.0, mail_servers());
    add("30", "bigset, 4000 addresses", "x.evil.test. A", 4, ANY, addresses());
    add("43", "badglue, loopback", "x.sub.evil.test. A", 4, ANY, bad_glue());
    let deep = Box::leak(format!("{}evil.test. A", "a.".repeat(110)).into_boxed_str());
    add("49", "deep, 110 labels NODATA", deep, 24, 5.0, deep_names(Rcode::NOERROR));
    add("49", "deep, 110 labels NXDOMAIN", deep, 24, 5.0, deep_names(Rcode::NXDOMAIN));
    for (what, message) in messages::all() {
        let row = if what.contains("options") { "29" } else { "27" };
        // Any server may be asked once more, without EDNS or over a stream.
        add(row, &format!("reply: {what}"), "www.example. A", 8, 1.0, replier(message));
    }
    all
}

/// The root knows `test.` at 192.0.2.11, which knows these zones and `evil.test.` at 192.0.2.66.
fn below_test(mut zones: Vec<(String, Answer<'static>)>) -> Hosts {
    let mut hosts = Hosts::default();
    let test = referral("test.", ["ns.test.".into()]);
    hosts.server("192.0.2.1", vec![("test.".into(), with_glue(test, "ns.test.", 11))]);
    let evil = referral("evil.test.", ["ns.evil.test.".into()]);
    zones.push(("evil.test.".into(), with_glue(evil, "ns.evil.test.", 66)));
    hosts.server("192.0.2.11", zones);
    hosts
}

fn victim() -> (String, Answer<'static>) {
    let victim = referral("victim.test.", ["ns.victim.test.".into()]);
    ("victim.test.".into(), with_glue(victim, "ns.victim.test.", 77))
}

fn honest() -> Hosts {
    let good = referral("good.test.", ["ns.good.test.".into()]);
    let mut hosts = below_test(vec![("good.test.".into(), with_glue(good, "ns.good.test.", 80))]);
    let address = rrset("www.good.test.", RrType::A, [vec![192, 0, 2, 80]]);
    hosts.server("192.0.2.80", vec![(".".into(), data([address]))]);
    hosts
}

fn nxns(rcode: Rcode) -> Hosts {
    let mut hosts = below_test(vec![victim()]);
    let servers = (0..13).map(|at| format!("n{at}.a.b.c.victim.test."));
    hosts.server("192.0.2.66", vec![("sub.evil.test.".into(), referral("sub.evil.test.", servers))]);
    hosts.server("192.0.2.77", vec![("victim.test.".into(), denial("victim.test.", rcode))]);
    hosts
}

fn nrdeleg(speaks: bool) -> Hosts {
    let mut hosts = below_test(vec![victim()]);
    let servers = (0..800).map(|at| format!("n.z{at}.victim.test."));
    hosts.server("192.0.2.66", vec![("sub.evil.test.".into(), referral("sub.evil.test.", servers))]);
    hosts.add("192.0.2.77", move |asked| {
        let zone = asked.question.name.as_ref().trim_to(3).to_string();
        let server = format!("silent.{zone}");
        let answer = with_glue(referral(&zone, [server.clone()]), &server, 200);
        if speaks { Said::Answer(answer) } else { Said::Nothing }
    });
    hosts
}

fn overlap() -> Hosts {
    let mut hosts = below_test(vec![]);
    let server = |at| format!("n{at}.sub.evil.test.");
    let mut answer = referral("sub.evil.test.", (0..10).map(server));
    for at in 0..10 {
        let addresses = (0..20).map(|n| vec![192, 0, 2, 100 + (10 * n + at) % 40]);
        answer.additional.push(rrset(&server(at), RrType::A, addresses));
    }
    hosts.server("192.0.2.66", vec![("sub.evil.test.".into(), answer)]);
    hosts
}

/// Each alias leads into a zone whose name servers are four of the victim's without an address and one with.
fn camp() -> Hosts {
    let mut hosts = below_test(vec![victim()]);
    let zones = (0..12).map(|at| {
        let servers = (0..4).map(|server| format!("n{at}-{server}.victim.test."));
        let zone = format!("z{at}.evil.test.");
        let answer = referral(&zone, servers.chain([format!("good{at}.victim.test.")]));
        (zone, answer)
    });
    hosts.server("192.0.2.66", zones.collect());
    hosts.add("192.0.2.77", |asked| {
        let name = asked.question.name.to_string().to_lowercase();
        match name.starts_with("good") && asked.question.rr_type == RrType::A {
            true => Said::Answer(data([rrset(&name, RrType::A, [vec![192, 0, 2, 78]])])),
            false => Said::Answer(denial("victim.test.", Rcode::NXDOMAIN)),
        }
    });
    hosts.add("192.0.2.78", |asked| {
        let name = asked.question.name.to_string().to_lowercase();
        let next = number_after('z', &name) + 1;
        Said::Answer(data([rrset(&name, RrType::CNAME, [target(format!("x.z{next}.evil.test."))])]))
    });
    hosts
}

fn number_after(letter: char, name: &str) -> usize {
    let digits = name.split(letter).nth(1).and_then(|rest| rest.split('.').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn chain() -> Hosts {
    let mut hosts = below_test(vec![]);
    hosts.add("192.0.2.66", |asked| {
        let name = asked.question.name.to_string().to_lowercase();
        let next = format!("c{}.evil.test.", number_after('c', &name) + 1);
        Said::Answer(data([rrset(&name, RrType::CNAME, [target(next)])]))
    });
    hosts
}

/// So many zones, each with its only name server in the next.
fn ring(zones: usize) -> Hosts {
    let zone = |at| {
        let name = format!("r{at}.test.");
        let answer = referral(&name, [format!("ns.r{}.test.", (at + 1) % zones)]);
        (name, answer)
    };
    below_test((0..zones).map(zone).collect())
}

/// Thirteen servers with an address each, that do this.
fn useless(host: impl Fn(&crate::world::Asked) -> Said + Clone + Send + Sync + 'static) -> Hosts {
    let mut hosts = below_test(vec![]);
    let server = |at| format!("n{at}.sub.evil.test.");
    let mut answer = referral("sub.evil.test.", (0..13).map(server));
    for at in 0..13 {
        answer = with_glue(answer, &server(at), 100 + at);
        hosts.add(&format!("192.0.2.{}", 100 + at), host.clone());
    }
    hosts.server("192.0.2.66", vec![("sub.evil.test.".into(), answer)]);
    hosts
}

/// More than a datagram takes, and no stream.
fn truncated(asked: &crate::world::Asked) -> Said {
    let text = rrset("large.test.", RrType::TXT, (0..10).map(|at| [&[250][..], &[at; 250]].concat()));
    if asked.stream { Said::Nothing } else { Said::Answer(data([text])) }
}

/// So many aliases in one reply, each of the next of so many names.
fn aliases(count: usize, names: usize) -> Hosts {
    let mut hosts = below_test(vec![]);
    let name = |at: usize| format!("l{}.evil.test.", at % names);
    let chain = (0..count).map(|at| rrset(&name(at), RrType::CNAME, [target(name(at + 1))]));
    hosts.server("192.0.2.66", vec![("evil.test.".into(), data(chain))]);
    hosts
}

fn mail_servers() -> Hosts {
    let mut hosts = below_test(vec![]);
    let servers = (0..2400).map(|at| [vec![0, 10], target(format!("n{at}.m{at}."))].concat());
    let set = rrset("x.evil.test.", RrType::MX, servers);
    hosts.server("192.0.2.66", vec![("evil.test.".into(), data([set]))]);
    hosts
}

fn addresses() -> Hosts {
    let mut hosts = below_test(vec![]);
    let set = rrset("x.evil.test.", RrType::A, (0..4000u32).map(|at| at.to_be_bytes().to_vec()));
    hosts.server("192.0.2.66", vec![("evil.test.".into(), data([set]))]);
    hosts
}

fn bad_glue() -> Hosts {
    let mut hosts = below_test(vec![]);
    let mut answer = referral("sub.evil.test.", ["n.sub.evil.test.".into()]);
    let special = [[127, 0, 0, 1], [0, 0, 0, 0]];
    answer.additional.push(rrset("n.sub.evil.test.", RrType::A, special.map(Vec::from)));
    hosts.server("192.0.2.66", vec![("sub.evil.test.".into(), answer)]);
    hosts
}

fn deep_names(rcode: Rcode) -> Hosts {
    let mut hosts = below_test(vec![]);
    hosts.server("192.0.2.66", vec![("evil.test.".into(), denial("evil.test.", rcode))]);
    hosts
}

/// A server that says this, whatever it is asked.
fn replier(message: Vec<u8>) -> Hosts {
    let mut hosts = Hosts::default();
    let example = referral("example.", ["ns.example.".into()]);
    hosts.server("192.0.2.1", vec![("example.".into(), with_glue(example, "ns.example.", 2))]);
    let message: Arc<[u8]> = message.into();
    hosts.add("192.0.2.2", move |_| Said::Octets(message.clone()));
    hosts
}
