//! What attacks cost: packets out, and processor time of this server without the kernel's part, for one cold query of a
//! client each, or for one hostile message. Prints a table; the time of the hostile hosts is not in it. A word on the
//! command line runs the attacks on recursion named so, and shows their exchanges.

#[path = "../../tests/hostile/answers.rs"]
mod answers;
#[path = "../../tests/sim/clock.rs"]
#[allow(dead_code, reason = "the rest is for the stories of tests/sim")]
mod clock;
#[path = "../../tests/hostile/messages.rs"]
mod messages;
#[path = "../../tests/served/mod.rs"]
mod served;
mod stories;
mod world;

use std::future::Future;
use std::hint::black_box;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use namu::cache::{Cache, CacheOptions, NameServer};
use namu::clock::{Age, Now, Tick, Unix};
use namu::dns::{Name, Question, RrType};
use namu::limits::UDP_PAYLOAD;
use namu::observe::{Event, Transport};
use namu::policy::{Access, AccessOptions};
use namu::recursion::Recursion;
use namu::resolver::{ResolverOptions, RootHints};
use namu::service::{Begin, Local, Packet, Replies, Snapshot, begin, complete};
use namu::wire::{Flags, ResponseWriter, write_query};
use namu::zone::ZoneEntry;

use stories::Story;
use world::{Internet, Outside};

const ROUNDS: u64 = 200;
const CLIENT: ([u8; 4], u16) = ([192, 0, 2, 99], 5353);
const NOW: Now = Now { tick: Tick(0), age: Age(0), unix: Unix(0) };

fn main() {
    println!("{:4} {:58} {:>11} {:>16} {:>9}", "row", "attack", "packets", "median ms", "p95 ms");
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for story in stories::all() {
        match &word {
            Some(word) if story.what.contains(word) => resolved(story, true),
            Some(_) => {}
            None => resolved(story, false),
        }
    }
    if word.is_some() {
        return;
    }
    requests();
    responses();
    large_rrset();
}

/// Processor time of this thread.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec`, which is there.
    #[allow(unsafe_code)]
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0, "Linux has this clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A line of the table.
fn line(row: &str, what: &str, packets: Option<(usize, usize)>, mut times: Vec<Duration>, most: f64) {
    times.sort();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
    let told = packets.map_or(String::new(), |(sent, most)| format!("{sent} of {most}"));
    let is_over = packets.is_some_and(|(sent, most)| sent > most) || at(50) > most;
    let of = if most.is_finite() { format!(" of {most}") } else { String::new() };
    let (median, verdict) = (format!("{:.3}{of:>7}", at(50)), if is_over { "OVER" } else { "" });
    println!("{row:4} {what:58} {told:>11} {median:>16} {:>9.3} {verdict}", at(95));
}

/// A cold query of a client, over TCP, so that the answer is written whole.
fn resolved(story: Story, is_aloud: bool) {
    let hosts = Arc::new(story.hosts);
    let (name, rr_type) = story.asked.split_once(' ').expect("a name and a type");
    let question = Question::new(name.parse().expect("a name"), rr_type.parse().expect("a type"));
    let mut query = Vec::new();
    write_query(&question, 7, Flags::RD, Some((UDP_PAYLOAD, false)), &mut query);
    let (mut packets, mut times) = (0, Vec::new());
    for round in 0..ROUNDS {
        let internet = Arc::new(Internet::new(hosts.clone(), round, is_aloud && round == 0));
        let snapshot = resolving(internet.clone());
        let before = thread_time();
        ask(&internet, snapshot.clone(), query.clone());
        // Whatever the answer did not wait for.
        internet.time.pass(Duration::from_secs(10));
        let spent = thread_time() - before;
        packets = packets.max(internet.packets());
        times.push(spent.saturating_sub(internet.own_time()));
    }
    line(story.row, &story.what, Some((packets, story.packets)), times, story.milliseconds);
}

fn resolving(internet: Arc<Internet>) -> Arc<Snapshot> {
    let root: Name = "ns.root.".parse().expect("a name");
    let server = NameServer { name: root, addresses: ["192.0.2.1".parse().expect("an address")].into() };
    let options = ResolverOptions { priming: false, ..ResolverOptions::default() };
    let cache = Arc::new(Cache::new(CacheOptions { size: 16 << 20, ..CacheOptions::default() }));
    let hints = RootHints { servers: [server].into() };
    let recursion = Recursion::new(cache, Arc::new(Outside(internet)), hints, options);
    let mut access = AccessOptions::default();
    access.recursion = vec!["192.0.2.0/24".into()];
    let access = Access::compile(&access, &[]).expect("the list is good");
    Arc::new(Snapshot { access, recursion: Some(recursion), ..served::snapshot([]).copy() })
}

fn ask(internet: &Internet, snapshot: Arc<Snapshot>, query: Vec<u8>) {
    let client: SocketAddr = CLIENT.into();
    let packet = Packet { octets: &query, client, local: client, transport: Transport::Tcp };
    let mut out = vec![0; 65_535];
    match begin(&mut Local::new([1, 2, 3], 1), &packet, &snapshot, internet.time.now(), &mut out) {
        Begin::Continue(request) => internet.time.run(async move {
            complete(*request, &mut Nobody).await;
        }),
        other => panic!("nothing is known yet: {other:?}"),
    }
}

/// A client that does not look at its answers.
struct Nobody;

impl Replies for Nobody {
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        _event: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        assert!(octets.len() >= 12, "a response");
        Box::pin(std::future::ready(true))
    }

    fn give_up(&mut self, _event: Event) {}
}

/// Times a piece of code.
fn timed(mut code: impl FnMut()) -> Vec<Duration> {
    let mut time = || {
        let before = thread_time();
        code();
        thread_time() - before
    };
    (0..ROUNDS).map(|_| time()).collect()
}

/// Hostile messages as requests.
fn requests() {
    let zone = served::zone("example.", "$TTL 1\n@ SOA a a 1 1 1 1 1\n@ NS a\nwww A 192.0.2.1\n");
    let snapshot = served::snapshot([ZoneEntry::Loaded(zone.into())]);
    let floods = [
        ("16370 NSID options", options(&[0, 3, 0, 0])),
        ("5000 cookie options", options(b"\0\x0a\0\x0812345678")),
    ];
    let requests = messages::all().into_iter().map(|(what, message)| (what, messages::as_request(&message)));
    for (what, request) in requests.chain(floods) {
        let (row, most) = match what {
            _ if what.contains("option") => ("29", 0.5),
            _ if what.contains("count") => ("31", f64::INFINITY),
            _ => ("27", 1.0),
        };
        let times = answered(&snapshot, &request, Transport::Tcp);
        line(row, &format!("request: {what}"), None, times, most);
        if request.len() > 4096 {
            continue;
        }
        let times = answered(&snapshot, &request, Transport::Udp);
        line(row, &format!("request over UDP: {what}"), None, times, most);
    }
}

fn answered(snapshot: &Arc<Snapshot>, request: &[u8], transport: Transport) -> Vec<Duration> {
    let client: SocketAddr = CLIENT.into();
    let packet = Packet { octets: request, client, local: client, transport };
    let (mut local, mut out) = (Local::new([1, 2, 3], 1), vec![0; 65_535]);
    timed(|| drop(black_box(begin(&mut local, &packet, snapshot, NOW, &mut out))))
}

/// A query whose OPT record has as many of this option as fit.
fn options(option: &[u8]) -> Vec<u8> {
    let mut query = Vec::new();
    let question = Question::new("www.example.".parse().expect("a name"), RrType::A);
    write_query(&question, 7, Flags::RD, Some((UDP_PAYLOAD, false)), &mut query);
    let options = option.repeat((65_535 - query.len()) / option.len());
    let at = query.len() - 2;
    query[at..].copy_from_slice(&(options.len() as u16).to_be_bytes());
    [query, options].concat()
}

/// Answers that are dear to write.
fn responses() {
    let question = Question::new("www.example.".parse().expect("a name"), RrType::MX);
    let head = answers::head(question.as_ref());
    let (mut writer, mut out) = (ResponseWriter::new(), vec![0; 65_535]);
    for (what, answer) in answers::all() {
        let times = timed(|| _ = black_box(writer.write(head, &answer, &mut out)));
        line("28", &format!("response: {what}"), None, times, 2.0);
    }
}

/// A zone with 100 and with 100,000 records at one name, and what other names of it cost.
fn large_rrset() {
    for records in [100, 100_000u32] {
        let mut text = "$TTL 1\n@ SOA a a 1 1 1 1 1\n@ NS a\nwww A 192.0.2.1\n".to_string();
        for number in 0..records {
            text += &format!("big A {}\n", std::net::Ipv4Addr::from_bits(number));
        }
        let began = Instant::now();
        let zone = served::zone("example.", &text);
        let loaded = began.elapsed();
        println!("30   {records} records at one name are loaded in {loaded:.2?} (at most 1 s)");
        let snapshot = served::snapshot([ZoneEntry::Loaded(zone.into())]);
        for (name, transport) in [("www", Transport::Udp), ("big", Transport::Udp), ("big", Transport::Tcp)] {
            let mut query = Vec::new();
            let question = Question::new(format!("{name}.example.").parse().expect("a name"), RrType::A);
            write_query(&question, 7, Flags::RD, None, &mut query);
            let times = answered(&snapshot, &query, transport);
            line("30", &format!("{name} over {transport:?}, {records} records"), None, times, f64::INFINITY);
        }
    }
}
