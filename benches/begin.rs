//! How long `service::begin` takes from the octets of a request to those of its response, in a zone of 100,000 names.

use std::fmt::Write;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use criterion::Criterion;
use namu::clock::{Age, Now, Tick, Unix};
use namu::dns::{Question, RrType};
use namu::observe::Transport;
use namu::service::{Begin, Local, Packet, begin};
use namu::wire::{Flags, write_query};
use namu::zone::ZoneEntry;

#[path = "../tests/served/mod.rs"]
mod served;

const HOSTS: usize = 94_000;
const ALIASES: usize = 5_000;
const DELEGATIONS: usize = 1_000;
/// Different questions of each kind, asked in turn, so that no answer finds its octets in the nearest cache.
const QUESTIONS: usize = 4_096;
const NOW: Now = Now { tick: Tick(0), age: Age(0), unix: Unix(0) };

/// A bench, the names it asks for, and the code they are answered with.
type Kind = (&'static str, fn(usize) -> String, u16);

const KINDS: [Kind; 5] = [
    ("begin, exact hit", |n| format!("host{}.example.", n * 22 % HOSTS), 0),
    ("begin, NXDOMAIN", |n| format!("none{n}.example."), 3),
    ("begin, referral", |n| format!("www.child{}.example.", n % DELEGATIONS), 0),
    ("begin, chain of three CNAMEs", |n| format!("alias{}.example.", n % (ALIASES / 3) * 3), 0),
    ("begin, wildcard", |n| format!("x{n}.wild.example."), 0),
];

fn main() {
    let zone = served::zone("example.", &text());
    let snapshot = served::snapshot([ZoneEntry::Loaded(zone.into())]);
    let client: SocketAddr = "192.0.2.99:5353".parse().expect("an address");
    let (mut local, mut out) = (Local::default(), vec![0; 4096]);

    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for (bench, name, rcode) in KINDS {
        let requests: Vec<Vec<u8>> = (0..QUESTIONS).map(|number| request(&name(number))).collect();
        let mut number = 0;
        criterion.bench_function(bench, |bencher| {
            bencher.iter(|| {
                number = (number + 1) % QUESTIONS;
                let octets = &requests[number];
                let packet = Packet { octets, client, local: client, transport: Transport::Udp };
                let done = begin(&mut local, black_box(&packet), &snapshot, NOW, &mut out);
                assert!(matches!(&done, Begin::Done { event, .. } if event.rcode.0 == rcode), "{done:?}");
                black_box(done)
            });
        });
    }
    criterion.final_summary();
}

fn text() -> String {
    let mut text = "$TTL 300\n@ SOA ns1 admin 1 3600 600 86400 60\n@ NS ns1\n@ NS ns2\n\
        ns1 A 192.0.2.1\nns2 A 192.0.2.2\n*.wild A 192.0.2.3\n"
        .to_owned();
    let mut line = |line: std::fmt::Arguments<'_>| writeln!(text, "{line}").expect("strings take all");
    for host in 0..HOSTS {
        line(format_args!("host{host} A 10.{}.{}.{}", host >> 16, host >> 8 & 255, host & 255));
    }
    for alias in 0..ALIASES {
        match alias % 3 {
            2 => line(format_args!("alias{alias} CNAME host{alias}")),
            _ => line(format_args!("alias{alias} CNAME alias{}", alias + 1)),
        }
    }
    for child in 0..DELEGATIONS {
        line(format_args!("child{child} NS ns1.child{child}\nchild{child} NS ns2.child{child}"));
        line(format_args!("ns1.child{child} A 192.0.2.1\nns2.child{child} A 192.0.2.2"));
        line(format_args!("ns1.child{child} AAAA 2001:db8::1\nns2.child{child} AAAA 2001:db8::2"));
    }
    text
}

fn request(name: &str) -> Vec<u8> {
    let question = Question::new(name.parse().expect("a name"), RrType::A);
    let mut octets = Vec::new();
    write_query(&question, 1, Flags::RD, Some((1232, true)), &mut octets);
    octets
}
