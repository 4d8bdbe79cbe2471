//! Places in a random internet that are made to reach a bound, each below a top zone of its own.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use namu::dns::{Name, Question, RrType};
use namu::resolver::{Strategy, UpstreamKind, UpstreamZone};

use crate::internet::Internet;
use crate::twin::Twin;

/// What happens on an internet, in order.
#[derive(Debug, Clone)]
pub enum Act {
    /// A question; the flag says that it has to be answered.
    Ask(Question, bool),
    /// An answer too large for the cache to keep, because of this bound.
    AskLarge(Question, &'static str),
    /// So many clients with one question at the same instant.
    Crowd(usize, Question),
    /// A host breaks.
    Break(String, &'static str),
    /// So many seconds later.
    Later(u64),
}

/// A kind of place.
pub type Trap = fn(&mut Build, &str, u64) -> String;

/// Each kind by name. It is given its top zone and a number that varies it, and tells the records of the top zone.
pub const TRAPS: [(&str, Trap); 19] = [
    ("deep", deep),
    ("aliases", aliases),
    ("wide", wide),
    ("wide without glue", wide_without_glue),
    ("chain", chain),
    ("denied", denied),
    ("silent", silent),
    ("silent behind", silent_behind),
    ("died", died),
    ("died behind", died_behind),
    ("bad", bad),
    ("packets", packets),
    ("addresses", addresses),
    ("odd", odd),
    ("far", far),
    ("crowd", crowd),
    ("long", long),
    ("large", large),
    ("forwarded", forwarded),
];

/// What cannot be seen from a question.
#[derive(Default)]
pub struct Truth {
    /// Servers whose answers contradict themselves.
    pub contradicting: BTreeSet<IpAddr>,
    /// Zones with more name servers than are kept.
    pub wide: BTreeSet<Name>,
}

/// An internet under construction.
pub struct Build {
    pub internet: Internet,
    pub twin: Twin,
    pub acts: Vec<Act>,
    pub upstreams: Vec<UpstreamZone>,
    pub truth: Truth,
    last_address: u32,
}

impl Build {
    pub fn new(seed: u64) -> Build {
        Build {
            internet: Internet::new(seed),
            twin: Twin::default(),
            acts: Vec::new(),
            upstreams: Vec::new(),
            truth: Truth::default(),
            last_address: u32::from(Ipv4Addr::new(20, 0, 0, 0)),
        }
    }

    pub fn serve(&mut self, host: &str, address: IpAddr, apex: &str, zone: &str) {
        let text = format!("$ORIGIN {apex}\n$TTL 300\n@ SOA ns1 admin 1 3600 600 86400 60\n{zone}");
        self.internet.serve(host, address, apex, &text).unwrap();
        self.twin.serve(apex, &text);
    }

    pub fn fault(&self, host: &str, words: &[&str]) {
        self.internet.fault(host, words).unwrap();
    }

    fn address(&mut self) -> IpAddr {
        self.last_address += 1;
        Ipv4Addr::from(self.last_address).into()
    }

    /// A zone on so many hosts of its own, called as its apex with a number before; the records that delegate it are added
    /// to its parent's.
    pub fn cut(&mut self, parent: &mut String, apex: &str, servers: usize, zone: &str) -> Vec<IpAddr> {
        let addresses: Vec<_> = (0..servers).map(|_| self.address()).collect();
        let records: String = addresses
            .iter()
            .enumerate()
            .map(|(at, address)| format!("{apex} NS s{at}.{apex}\ns{at}.{apex} A {address}\n"))
            .collect();
        for (at, address) in addresses.iter().enumerate() {
            self.serve(&format!("{at}.{apex}"), *address, apex, &format!("{records}{zone}"));
        }
        *parent += &records;
        addresses
    }

    fn ask(&mut self, name: &str, must: bool) {
        self.acts.push(Act::Ask(Question::new(name.parse().unwrap(), RrType::A), must));
    }

    fn break_all(&mut self, apex: &str, servers: usize, fault: &'static str) {
        self.acts.extend((0..servers).map(|at| Act::Break(format!("{at}.{apex}"), fault)));
    }
}

fn a(name: &str) -> Question {
    Question::new(name.parse().unwrap(), RrType::A)
}

/// Zones within zones.
fn deep(build: &mut Build, top: &str, vary: u64) -> String {
    let depth = [3, 12, 20, 25, 26, 27][vary as usize % 6];
    let apex = |level: usize| format!("{}{top}", "d.".repeat(level));
    let mut zone = "www A 203.0.113.1\n".to_string();
    for level in (1..=depth).rev() {
        let mut parent = String::new();
        build.cut(&mut parent, &apex(level), 1, &zone);
        zone = parent;
    }
    build.ask(&format!("www.{}", apex(depth)), depth <= 20);
    zone
}

fn aliases(build: &mut Build, top: &str, vary: u64) -> String {
    let count = [1, 9, 10, 11, 12, 14][vary as usize % 6];
    let chain: String = (0..count).map(|at| format!("c{at} CNAME c{}\n", at + 1)).collect();
    build.ask(&format!("c0.{top}"), count <= 10);
    let mut zone = format!("{chain}c{count} A 203.0.113.1\n");
    // A DNAME that leads to no name.
    zone += &format!("long DNAME {0}.{0}.{0}.{1}.{top}\n", "x".repeat(55), "y".repeat(50));
    build.ask(&format!("{}.long.{top}", "z".repeat(60)), true);
    // Aliases into a zone of others.
    build.cut(&mut zone, &format!("far.{top}"), 1, "www A 203.0.113.1\n");
    zone += &format!("near CNAME www.far.{top}\ngone CNAME nothing.far.{top}\n");
    for name in ["near", "gone", "none"] {
        build.ask(&format!("{name}.{top}"), true);
    }
    zone
}

/// More name servers than are kept, one with more addresses than are kept.
fn wide(build: &mut Build, top: &str, vary: u64) -> String {
    let apex = format!("w.{top}");
    build.truth.wide.insert(apex.parse().unwrap());
    let addresses: Vec<_> = (0..8).map(|_| build.address()).collect();
    let mut records = String::new();
    for at in 0..14 + vary % 6 {
        records += &format!("{apex} NS s{at}.{apex}\n");
        let last = if at == 0 { 8 } else { 1 };
        records += &addresses[..last].iter().map(|ip| format!("s{at}.{apex} A {ip}\n")).collect::<String>();
    }
    for (at, address) in addresses.into_iter().enumerate() {
        build.serve(&format!("{at}.{apex}"), address, &apex, &format!("{records}www A 203.0.113.1\n"));
    }
    build.ask(&format!("www.{apex}"), true);
    records
}

/// The same without glue, and the zone of the name servers is silent.
fn wide_without_glue(build: &mut Build, top: &str, vary: u64) -> String {
    let mut zone = String::new();
    build.cut(&mut zone, &format!("quiet.{top}"), 2, "");
    build.fault(&format!("0.quiet.{top}"), &["silent"]);
    build.fault(&format!("1.quiet.{top}"), &["silent"]);
    zone += &(0..14 + vary % 20).map(|at| format!("w NS n{at}.quiet.{top}\n")).collect::<String>();
    build.truth.wide.insert(format!("w.{top}").parse().unwrap());
    build.ask(&format!("www.w.{top}"), false);
    zone
}

/// The only name server of each zone lies in the next.
fn chain(build: &mut Build, top: &str, vary: u64) -> String {
    let length = [2, 5, 6, 7, 8, 9][vary as usize % 6];
    let addresses: Vec<_> = (0..length).map(|_| build.address()).collect();
    let mut records = String::new();
    for (at, address) in addresses.iter().enumerate() {
        let apex = format!("c{at}.{top}");
        let server = format!("ns.c{}.{top}", at + 1);
        let next = addresses.get(at + 1).map_or(String::new(), |_| format!("{apex} NS {server}\n"));
        let before = at.checked_sub(1).map_or(*address, |before| addresses[before]);
        build.serve(&apex, *address, &apex, &format!("@ NS {server}\nns A {before}\nwww A 203.0.113.1\n"));
        records += &next;
    }
    let mut zone = records;
    let last = format!("c{length}.{top}");
    let before = addresses[length - 1];
    build.cut(&mut zone, &last, 1, &format!("ns A {before}\n"));
    // The last of the chain has its server there, too.
    zone += &format!("c{}.{top} NS ns.{last}\n", length - 1);
    build.ask(&format!("www.c0.{top}"), length <= 6);
    zone
}

/// Aliases over zones most of whose name servers do not exist, or have no address.
fn denied(build: &mut Build, top: &str, vary: u64) -> String {
    let (mut zone, mut good) = (String::new(), String::new());
    let mut bad: String = "x TXT x\n".into();
    let body = |at: usize| match at {
        3 => "www A 203.0.113.1\n".to_string(),
        _ => format!("www CNAME www.h{}.{top}\n", at + 1),
    };
    for at in 0..4 {
        let (apex, address) = (format!("h{at}.{top}"), build.address());
        let servers: String = (0..4).map(|of| format!("{apex} NS n{at}-{of}.bad.{top}\n")).collect();
        let servers = format!("{servers}{apex} NS zgood{at}.good.{top}\n");
        build.serve(&apex, address, &apex, &format!("{servers}{}", body(at)));
        zone += &servers;
        good += &format!("zgood{at} A {address}\n");
        if vary.is_multiple_of(2) {
            bad += &(0..4).map(|of| format!("n{at}-{of} TXT x\n")).collect::<String>();
        }
    }
    zone += &(0..8).map(|at| format!("many NS m{at}.bad.{top}\n")).collect::<String>();
    bad += &(0..8).map(|at| format!("m{at} TXT x\n")).collect::<String>();
    build.cut(&mut zone, &format!("good.{top}"), 1, &good);
    build.cut(&mut zone, &format!("bad.{top}"), 1, &bad);
    build.ask(&format!("www.h0.{top}"), false);
    build.ask(&format!("www.many.{top}"), false);
    zone
}

fn silent(build: &mut Build, top: &str, _: u64) -> String {
    let mut zone = String::new();
    let apex = format!("s.{top}");
    build.cut(&mut zone, &apex, 6, "");
    build.break_all(&apex, 6, "silent");
    // The third time all of them have been silent so often that a probe will do.
    for name in ["www", "mail", "ftp"] {
        build.ask(&format!("{name}.{apex}"), false);
    }
    zone
}

/// Name servers in a silent zone.
fn silent_behind(build: &mut Build, top: &str, _: u64) -> String {
    let mut zone = format!("q NS a.s.{top}\nr NS b.s.{top}\n");
    let apex = format!("s.{top}");
    build.cut(&mut zone, &apex, 2, "");
    build.break_all(&apex, 2, "silent");
    build.ask(&format!("www.q.{top}"), false);
    build.ask(&format!("www.r.{top}"), false);
    zone
}

fn died(build: &mut Build, top: &str, _: u64) -> String {
    let mut zone = String::new();
    let apex = format!("d.{top}");
    build.cut(&mut zone, &apex, 1, "www A 203.0.113.1\n");
    build.ask(&format!("www.{apex}"), true);
    build.acts.push(Act::Later(10));
    build.break_all(&apex, 1, "silent");
    build.ask(&format!("gone.{apex}"), false);
    zone
}

fn died_behind(build: &mut Build, top: &str, _: u64) -> String {
    let mut zone = format!("e NS ns.d.{top}\n");
    let apex = format!("d.{top}");
    build.cut(&mut zone, &apex, 1, "www A 203.0.113.1\n");
    build.ask(&format!("www.{apex}"), true);
    build.acts.push(Act::Later(10));
    build.break_all(&apex, 1, "silent");
    build.ask(&format!("www.e.{top}"), false);
    zone
}

/// Six servers of no use.
fn bad(build: &mut Build, top: &str, vary: u64) -> String {
    let mut zone = String::new();
    let apex = format!("b.{top}");
    let fault = ["refuses", "lame", "fails", "contradicts", "swells"][vary as usize % 5];
    let addresses = build.cut(&mut zone, &apex, 6, "www A 203.0.113.1\n");
    build.break_all(&apex, 6, fault);
    match fault {
        "contradicts" => build.truth.contradicting.extend(addresses),
        "swells" => build.break_all(&apex, 6, "fails"),
        _ => {}
    }
    build.ask(&format!("www.{apex}"), false);
    zone
}

/// Aliases over eleven zones on the same five servers, four of which refuse, and all of which make us ask twice.
fn packets(build: &mut Build, top: &str, _: u64) -> String {
    let addresses: Vec<_> = (0..5).map(|_| build.address()).collect();
    through_refusers(build, top, |_, _| addresses.clone())
}

/// The same with five servers of its own for each zone, so that they are many.
fn addresses(build: &mut Build, top: &str, _: u64) -> String {
    through_refusers(build, top, |build, _| (0..5).map(|_| build.address()).collect())
}

fn through_refusers(
    build: &mut Build,
    top: &str,
    mut servers: impl FnMut(&mut Build, usize) -> Vec<IpAddr>,
) -> String {
    let mut zone = String::new();
    for at in 0..10 {
        let apex = format!("p{at}.{top}");
        let addresses = servers(build, at);
        let records = addresses
            .iter()
            .enumerate()
            .map(|(server, address)| format!("{apex} NS s{server}.{apex}\ns{server}.{apex} A {address}\n"));
        let records: String = records.collect();
        let body = match at {
            9 => "www A 203.0.113.1\n".to_string(),
            _ => format!("www CNAME www.p{}.{top}\n", at + 1),
        };
        for (server, address) in addresses.into_iter().enumerate() {
            build.serve(&format!("{server}.{top}"), address, &apex, &format!("{records}{body}"));
        }
        zone += &records;
    }
    for server in 0..5 {
        build.acts.push(Act::Break(format!("{server}.{top}"), "truncates"));
        if server > 0 {
            build.acts.push(Act::Break(format!("{server}.{top}"), "refuses"));
        }
    }
    build.acts.push(Act::Break(format!("top.{top}"), "truncates"));
    build.ask(&format!("www.p0.{top}"), false);
    zone
}

/// Servers that are hard to talk to.
fn odd(build: &mut Build, top: &str, _: u64) -> String {
    let mut zone = String::new();
    for (name, faults, must) in [
        ("a", &["strays"][..], true),
        ("b", &["truncates", "stalls"], false),
        ("c", &["truncates", "no-tcp"], false),
        ("d", &["poisons"], true),
        ("e", &["lies"], true),
    ] {
        let apex = format!("{name}.{top}");
        build.cut(&mut zone, &apex, 1, "www A 203.0.113.1\n");
        faults.iter().for_each(|fault| build.fault(&format!("0.{apex}"), &[fault]));
        build.ask(&format!("www.{apex}"), must);
    }
    zone
}

/// A server on the moon.
fn far(build: &mut Build, top: &str, _: u64) -> String {
    let mut zone = String::new();
    let apex = format!("f.{top}");
    build.cut(&mut zone, &apex, 1, "www A 203.0.113.1\n");
    build.fault(&format!("0.{apex}"), &["delay", "900"]);
    build.ask(&format!("www.{apex}"), false);
    build.ask(&format!("gone.{apex}"), false);
    zone
}

fn crowd(build: &mut Build, top: &str, vary: u64) -> String {
    build.acts.push(Act::Crowd(105 + vary as usize % 5, a(&format!("www.{top}"))));
    "www A 203.0.113.1\n".into()
}

/// Names of many labels, the client's and the target of an alias.
fn long(build: &mut Build, top: &str, vary: u64) -> String {
    let labels = 14 + vary as usize % 40;
    let mut zone = String::new();
    let name = format!("{}n.{top}", "a.".repeat(labels));
    let target = format!("{}m.{top}", "b.".repeat(labels));
    build.cut(&mut zone, &format!("n.{top}"), 1, &format!("{name} A 203.0.113.1\n"));
    build.cut(&mut zone, &format!("m.{top}"), 1, &format!("{target} A 203.0.113.1\n"));
    zone += &format!("alias CNAME {target}\n");
    build.ask(&name, true);
    build.ask(&format!("alias.{top}"), true);
    zone
}

fn large(build: &mut Build, top: &str, vary: u64) -> String {
    let mut zone = (0..101 + vary % 20).map(|at| format!("many A 203.0.114.{at}\n")).collect::<String>();
    zone += &(0..50).map(|at| format!("much TXT {}{at}\n", "x".repeat(200))).collect::<String>();
    let much = Question::new(format!("much.{top}").parse().unwrap(), RrType::TXT);
    build.acts.push(Act::AskLarge(a(&format!("many.{top}")), "CACHE_RRSET_RECORDS"));
    build.acts.push(Act::AskLarge(much, "CACHE_ENTRY_OCTETS"));
    zone
}

/// Zones for which others are asked.
fn forwarded(build: &mut Build, top: &str, _: u64) -> String {
    let mut zone = String::new();
    for (name, count, faults, strategy, fallback, must) in [
        ("a", 2, &["silent"][..], Strategy::Ordered, false, false),
        ("b", 2, &["silent"], Strategy::Ordered, true, true),
        ("c", 6, &["authoritative-only"], Strategy::Fastest, false, false),
        ("d", 4, &["recursive"], Strategy::Parallel, false, true),
    ] {
        let apex = format!("{name}.{top}");
        // The servers of the tree are others.
        build.cut(&mut zone, &apex, 1, "www A 203.0.113.1\n");
        let servers: Vec<_> = (0..count)
            .map(|at| {
                let (host, address) = (format!("forwarder{at}.{apex}"), build.address());
                build.serve(&host, address, &apex, "@ NS ns\nns A 203.0.113.2\nwww A 203.0.113.1\n");
                faults.iter().for_each(|fault| build.fault(&host, &[fault]));
                SocketAddr::new(address, 53)
            })
            .collect();
        let kind = UpstreamKind::Forward;
        let apex_name = apex.parse().unwrap();
        build.upstreams.push(UpstreamZone { apex: apex_name, kind, servers, strategy, fallback });
        build.ask(&format!("www.{apex}"), must);
    }
    zone
}
