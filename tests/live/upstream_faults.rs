//! Faults on the way to name servers, and of the clock: loss, silence, a network that comes back, a wall clock that leaps.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use namu::observe::Source;
use namu::observe::access_log_parse::{OwnedRecord, parse};

use crate::dns::udp;
use crate::namu::{Folder, Namu, eventually, skipped};
use crate::relay::Afar;

/// Names asked in one round of the loss.
const NAMES: usize = 300;
/// A machine that stands still for a second makes every packet late, which is no loss of the network: the round is told
/// again with other names. What is wrong with the resolver is wrong in each.
const ROUNDS: usize = 3;
/// Questions asked at the same time.
const CLIENTS: usize = 4;
/// Most packets one question may cost.
const PACKETS: u32 = 32;

/// Asks for an address of a name; how that went.
fn ask(server: SocketAddr, name: &str) -> ResponseCode {
    udp(server, name, RecordType::A).metadata.response_code
}

/// Asks for names from several clients; how many were found.
fn ask_all(server: SocketAddr, names: &[String]) -> usize {
    let (next, found) = <(AtomicUsize, AtomicUsize)>::default();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let is_found = ask(server, name) == ResponseCode::NoError;
                    found.fetch_add(usize::from(is_found), Ordering::Relaxed);
                }
            });
        }
    });
    found.into_inner()
}

/// The access log. Markers of lines that were lost are an error here.
fn log(folder: &Folder) -> Vec<OwnedRecord> {
    let text = folder.read("access.log");
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| parse(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The line of the last question, when `count` were asked in all.
fn line(folder: &Folder, count: usize) -> OwnedRecord {
    eventually("a line for each question", || log(folder).len() >= count);
    let mut log = log(folder);
    assert_eq!(log.len(), count);
    log.pop().unwrap()
}

fn tries(record: &OwnedRecord) -> u32 {
    record.recursion.as_ref().map_or(0, |facts| facts.tries)
}

#[test]
fn names_are_found_while_three_datagrams_of_ten_are_lost_each_way() {
    let names = std::env::var("NAMU_NAMES").map_or(NAMES, |names| names.parse().unwrap());
    let afar = Afar::start();
    let namu = afar.resolver("", |_| {});
    let server = namu.address();
    assert_eq!(ask(server, "first.test."), ResponseCode::NoError);
    afar.roads.lose(30);
    let is_well = (0..ROUNDS).any(|round| {
        let names: Vec<_> = (0..names).map(|name| format!("name-{round}-{name}.test.")).collect();
        let (before, began) = (afar.roads.sent(), Instant::now());
        let found = ask_all(server, &names);
        let mean = (afar.roads.sent() - before) as f64 / names.len() as f64;
        println!("{found} of {} found, {mean:.2} packets each, in {:?}", names.len(), began.elapsed());
        found * 1000 >= names.len() * 995
    });
    assert!(namu.stop().success());
    let log = log(&afar.folder);
    let most = log.iter().max_by_key(|record| tries(record)).unwrap();
    assert!(tries(most) > 1 && tries(most) <= PACKETS, "{most:?}");
    assert!(is_well, "names were not found");
}

#[test]
fn a_silent_internet_costs_few_packets_and_is_back_when_it_is_back() {
    let afar = Afar::start();
    let namu = afar.resolver("", |_| {});
    let server = namu.address();
    assert_eq!(ask(server, "first.test."), ResponseCode::NoError);
    afar.roads.lose(100);
    let (began, mut down) = (Instant::now(), 0);
    // Long enough that each server is left alone for a while, more than once.
    while began.elapsed() < Duration::from_secs(8) {
        let sent = afar.roads.sent();
        assert_eq!(ask(server, &format!("down-{down}.test.")), ResponseCode::ServFail);
        let spent = afar.roads.sent() - sent;
        assert!((1..=u64::from(PACKETS)).contains(&spent), "{spent} packets for question {down}");
        down += 1;
    }
    assert_eq!(ask(server, "first.test."), ResponseCode::NoError, "what is cached is there");
    afar.roads.lose(0);
    let (back, mut asked) = (Instant::now(), 0);
    eventually("a name is found", || {
        asked += 1;
        ask(server, &format!("up-{asked}.test.")) == ResponseCode::NoError
    });
    println!("{down} questions failed; back with question {asked} after {:?}", back.elapsed());
    eventually("what had failed is found", || ask(server, "down-0.test.") == ResponseCode::NoError);
    assert!(namu.stop().success());
    let log = log(&afar.folder);
    let failed: Vec<_> =
        log.iter().filter(|record| record.source == Source::Recursion && is_failed(record)).collect();
    assert!(failed.len() >= down);
    for record in failed {
        let code = record.extended_error.map(|code| code.0);
        assert!(matches!(code, Some(22 | 23)) && tries(record) <= PACKETS, "{record:?}");
    }
}

fn is_failed(record: &OwnedRecord) -> bool {
    record.rcode == namu::dns::Rcode::SERVFAIL
}

/// Where libfaketime is, if it is installed.
pub fn faketime() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].into_iter().map(PathBuf::from);
    let below = |folder: PathBuf| {
        let inner = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        inner.chain([folder]).collect::<Vec<_>>()
    };
    folders
        .flat_map(below)
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|file| file.is_file())
}

/// A namu whose wall clock the test sets, and what it has been asked.
struct Clocked {
    afar: Afar,
    namu: Namu,
    asked: usize,
}

const DAY: i64 = 86_400;

impl Clocked {
    fn start(library: PathBuf) -> Clocked {
        let afar = Afar::start();
        set_clock(&afar.folder, 0);
        let file = afar.folder.path.join("clock");
        let namu = afar.resolver("", |command| {
            command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", file);
            // Only the wall clock leaps, at once, and no file changes its date.
            command.envs(
                ["FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_NO_CACHE", "NO_FAKE_STAT"].map(|name| (name, "1")),
            );
        });
        Clocked { afar, namu, asked: 0 }
    }

    /// Asks for an address: its TTL, and the line of the access log.
    fn ask(&mut self, name: &str) -> (u32, OwnedRecord) {
        let reply = udp(self.namu.address(), name, RecordType::A);
        self.asked += 1;
        assert_eq!(reply.metadata.response_code, ResponseCode::NoError, "{reply}");
        (reply.answers[0].ttl, line(&self.afar.folder, self.asked))
    }

    /// Sets the clock off by so many seconds, and asks for a name until the log has that time.
    fn leap(&mut self, seconds: i64, name: &str) -> Vec<(u32, OwnedRecord)> {
        set_clock(&self.afar.folder, seconds);
        let mut seen = Vec::new();
        eventually("the clock has leapt", || {
            seen.push(self.ask(name));
            let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
            let off = seen[seen.len() - 1].1.time.seconds() as i64 - real - seconds;
            off.abs() < DAY / 2
        });
        seen
    }
}

/// In one step: a file half written would be no time at all.
pub fn set_clock(folder: &Folder, seconds: i64) {
    let new = folder.write("clock.new", &format!("{seconds:+}\n"));
    std::fs::rename(new, folder.path.join("clock")).unwrap();
}

#[test]
fn a_clock_that_leaps_ages_what_is_cached_and_never_makes_it_younger() {
    let Some(library) = faketime() else {
        return skipped("libfaketime is not installed, so no clock can leap");
    };
    let mut clocked = Clocked::start(library);
    let (mut youngest, first) = clocked.ask("www.test.");
    assert_eq!((youngest, first.source), (300, Source::Recursion));
    // Set back, and right again: nothing has happened.
    for seconds in [-DAY, 0] {
        for (ttl, line) in clocked.leap(seconds, "www.test.") {
            assert!(line.source == Source::Cache && ttl <= youngest, "{ttl} after {youngest}: {line:?}");
            youngest = ttl;
        }
    }
    // Set forward: what is cached has expired, is looked for anew, and is cached again.
    for seconds in [DAY, 3652 * DAY] {
        let seen = clocked.leap(seconds, "www.test.");
        let fresh = seen.iter().filter(|(_, line)| line.source == Source::Recursion);
        assert_eq!(fresh.count(), 1, "{seen:?}");
        let (again, line) = clocked.ask("www.test.");
        assert!(line.source == Source::Cache && again <= 300, "{again}: {line:?}");
        youngest = again;
        let (ttl, line) = clocked.ask(&format!("cold-{seconds}.test."));
        assert_eq!((ttl, line.source), (300, Source::Recursion));
    }
    // Ten years back: TTLs go on from where they were.
    for (ttl, line) in clocked.leap(0, "www.test.") {
        assert!(line.source == Source::Cache && ttl <= youngest, "{ttl} after {youngest}: {line:?}");
        youngest = ttl;
    }
    assert_eq!(clocked.ask("cold.test.").1.source, Source::Recursion);
    let Clocked { afar, mut namu, asked } = clocked;
    assert!(!namu.heard().contains("panic"), "{}", namu.heard());
    assert!(namu.stop().success());
    assert_eq!(log(&afar.folder).len(), asked, "a line each");
}
