//! For tests: replies written as text, and a world in memory with a clock that jumps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};

pub(crate) use super::reply::Reply;
use super::{DatagramFlight, NoReply, World};
use crate::clock::{Age, Now, Tick, Unix};
use crate::dns::{Name, Question, Rcode, RecordsBuf, RrType, Rrset, Ttl};
use crate::wire::{Flags, Header, MessageView};

/// `www.example. A`
pub(crate) fn question(text: &str) -> Question {
    let (name, rr_type) = text.split_once(' ').expect("a name and a type");
    Question::new(name.parse().unwrap(), rr_type.parse().unwrap())
}

/// Records separated by ` | `, each `owner [TTL] TYPE RDATA`; the TTL is 300 unless given. Grouped into RRsets.
pub(crate) fn records(text: &str) -> Vec<Rrset> {
    let mut rrsets: Vec<(Name, RrType, u32, RecordsBuf)> = Vec::new();
    for record in text.split('|').map(str::trim).filter(|record| !record.is_empty()) {
        let mut words: VecDeque<&str> = record.split_whitespace().collect();
        let owner: Name = words.pop_front().unwrap().parse().unwrap();
        let ttl = words[0].parse().ok();
        if ttl.is_some() {
            words.pop_front();
        }
        let kind = words.pop_front().unwrap();
        let rr_type = if kind == "NS-JUNK" { RrType::NS } else { kind.parse().unwrap() };
        let rdata = rdata(kind, words.make_contiguous());
        let found = rrsets.iter_mut().find(|(name, known, ..)| *name == owner && *known == rr_type);
        match found {
            Some((_, _, _, records)) => _ = records.push(&rdata),
            None => rrsets.push((owner, rr_type, ttl.unwrap_or(300), [&rdata[..]].into_iter().collect())),
        }
    }
    let rrset = |(owner, rr_type, ttl, records)| {
        Rrset::new(owner, rr_type, Ttl::from_wire(ttl), records, RecordsBuf::new())
    };
    rrsets.into_iter().map(rrset).collect()
}

fn rdata(kind: &str, words: &[&str]) -> Vec<u8> {
    let name = |word: &str| word.parse::<Name>().unwrap().octets().to_vec();
    match kind {
        "A" => words[0].parse::<std::net::Ipv4Addr>().unwrap().octets().to_vec(),
        "AAAA" => words[0].parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec(),
        "NS" | "CNAME" | "DNAME" => name(words[0]),
        "SOA" => {
            let numbers = words[2..].iter().flat_map(|word| word.parse::<u32>().unwrap().to_be_bytes());
            [name(words[0]), name(words[1])].concat().into_iter().chain(numbers).collect()
        }
        _ => [&[words[0].len() as u8], words[0].as_bytes()].concat(),
    }
}

/// A reply with flags and response code in words (`aa ra tc`, `nxdomain`), and three sections.
pub(crate) fn reply(flags: &str, answer: &str, authority: &str, additional: &str) -> Reply {
    let rcode = flags.split_whitespace().find_map(|word| word.parse().ok());
    Reply {
        rcode: rcode.unwrap_or(Rcode::NOERROR),
        authoritative: flags.contains("aa"),
        recursive: flags.contains("ra"),
        answer: records(answer),
        authority: records(authority),
        additional: records(additional),
    }
}

/// A query as a host of the test world sees it.
pub(crate) struct Seen {
    pub(crate) question: Question,
    pub(crate) id: u16,
    pub(crate) stream: bool,
    pub(crate) edns: bool,
}

impl Seen {
    /// The octets of a reply; see [`reply`].
    pub(crate) fn reply(&self, flags: &str, answer: &str, authority: &str, additional: &str) -> Vec<u8> {
        self.say(flags, &reply(flags, answer, authority, additional))
    }

    /// The octets of a reply with these flags in words, and with the signatures of its RRsets.
    pub(crate) fn say(&self, flags: &str, said: &Reply) -> Vec<u8> {
        let set = |flag, word| Flags::default().set_if(flag, flags.split_whitespace().any(|w| w == word));
        let flags = [set(Flags::AA, "aa"), set(Flags::RA, "ra"), set(Flags::TC, "tc"), Flags::QR];
        let flags = flags.iter().fold(said.rcode.0 & 15, |all, flag| all | flag.0);
        let mut body = Vec::new();
        body.extend(self.question.name.octets());
        body.extend(self.question.rr_type.0.to_be_bytes());
        body.extend(self.question.class.0.to_be_bytes());
        let mut counts = [1, 0, 0, 0];
        for (place, section) in [&said.answer, &said.authority, &said.additional].into_iter().enumerate() {
            for rrset in section {
                let records = rrset.records().iter().map(|rdata| (rrset.rr_type, rdata));
                let signatures = rrset.signatures().iter().map(|rdata| (RrType::RRSIG, rdata));
                for (rr_type, rdata) in records.chain(signatures) {
                    counts[place + 1] += 1;
                    body.extend(rrset.owner.octets());
                    body.extend(rr_type.0.to_be_bytes());
                    body.extend(1u16.to_be_bytes());
                    body.extend(rrset.ttl.seconds().to_be_bytes());
                    body.extend((rdata.len() as u16).to_be_bytes());
                    body.extend(rdata);
                }
            }
        }
        if self.edns {
            counts[3] += 1;
            body.extend(b"\0\0\x29\x04\xd0");
            body.extend([(said.rcode.0 >> 4) as u8, 0, 0, 0, 0, 0]);
        }
        [&Header { id: self.id, flags: Flags(flags), counts }.octets()[..], &body].concat()
    }
}

/// Chance that is the same every run (SplitMix64).
#[derive(Default)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&self, most: u64) -> u64 {
        self.next() % most
    }
}

/// What a host does with a query: datagrams that come back, each after so many milliseconds. Over a stream the first
/// is the reply, and none is a refused connection.
type Host = Box<dyn Fn(&Seen) -> Vec<(u64, Vec<u8>)> + Send + Sync>;

/// The outside, in memory.
#[derive(Default)]
pub(crate) struct TestWorld {
    hosts: Mutex<BTreeMap<SocketAddr, Arc<Host>>>,
    others: Mutex<Option<Arc<Host>>>,
    unreachable: Mutex<BTreeSet<SocketAddr>>,
    tick: AtomicU64,
    timers: Arc<Mutex<BTreeSet<Tick>>>,
    dice: Dice,
    spawned: Mutex<Vec<BoxFuture<'static, ()>>>,
    /// Every query sent: `192.0.2.1 www.example. A`, with `tcp` or `plain` behind it when that applies.
    pub(crate) sent: Mutex<Vec<String>>,
}

pub(crate) fn address(text: &str) -> SocketAddr {
    SocketAddr::new(text.parse().unwrap(), 53)
}

impl TestWorld {
    /// A host; see [`Host`].
    pub(crate) fn host(&self, ip: &str, host: impl Fn(&Seen) -> Vec<(u64, Vec<u8>)> + Send + Sync + 'static) {
        self.hosts.lock().unwrap().insert(address(ip), Arc::new(Box::new(host)));
    }

    /// A host that gives each question one reply after 10 ms: the first row whose question agrees (`*` for any type,
    /// `*.zone.` for any name at or below), NODATA for a name that has rows below it, else REFUSED. Rows: question, flags, answer, authority, additional.
    pub(crate) fn server(&self, ip: &str, rows: &[[&str; 5]]) {
        let rows: Vec<[String; 5]> = rows.iter().map(|row| row.map(str::to_string)).collect();
        self.host(ip, move |seen| {
            let row = rows.iter().find(|row| agrees(&row[0], &seen.question));
            let octets = match row {
                Some([_, flags, answer, authority, additional]) => {
                    seen.reply(flags, answer, authority, additional)
                }
                None if rows.iter().any(|row| is_above(&row[0], &seen.question)) => {
                    seen.reply("aa", "", "", "")
                }
                None => seen.reply("refused", "", "", ""),
            };
            vec![(10, octets)]
        });
    }

    /// What all addresses do that have no host of their own.
    pub(crate) fn everybody_else(&self, host: impl Fn(&Seen) -> Vec<(u64, Vec<u8>)> + Send + Sync + 'static) {
        *self.others.lock().unwrap() = Some(Arc::new(Box::new(host)));
    }

    /// There is no route to this address.
    pub(crate) fn unreachable(&self, ip: &str) {
        self.unreachable.lock().unwrap().insert(address(ip));
    }

    /// Another row of chances.
    pub(crate) fn draw(&self, seed: u64) {
        self.dice.0.store(seed, Ordering::Relaxed);
    }

    /// Moves the clock.
    pub(crate) fn later(&self, duration: Duration) {
        self.tick.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Queries sent since the last call.
    pub(crate) fn take_sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    /// Runs a future and everything spawned to its end. The clock jumps when nothing else is left to do. Panics when
    /// all wait for nothing.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        let mut future = Box::pin(future);
        let mut value = None;
        let mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
        loop {
            while woken.0.swap(false, Ordering::Relaxed) {
                if value.is_none()
                    && let Poll::Ready(ready) = future.as_mut().poll(&mut context)
                {
                    value = Some(ready);
                }
                tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
                let new = std::mem::take(&mut *self.spawned.lock().unwrap());
                if !new.is_empty() {
                    tasks.extend(new);
                    woken.0.store(true, Ordering::Relaxed);
                }
            }
            if tasks.is_empty()
                && let Some(value) = value.take()
            {
                return value;
            }
            let next = self.timers.lock().unwrap().pop_first().expect("somebody waits for a moment");
            self.tick.fetch_max(next.0, Ordering::Relaxed);
            woken.0.store(true, Ordering::Relaxed);
        }
    }

    fn receive(&self, to: SocketAddr, octets: &[u8], stream: bool) -> VecDeque<(Tick, Bytes)> {
        let message = MessageView::parse(octets).expect("we send messages");
        let question = message.question().expect("with a question").to_question();
        let edns = message.opt().is_some();
        let (tcp, plain) = (if stream { " tcp" } else { "" }, if edns { "" } else { " plain" });
        // In lower case: the letters of a name are drawn by lot.
        let asked = question.to_string().replacen(
            &question.name.to_string(),
            &question.name.to_string().to_lowercase(),
            1,
        );
        self.sent.lock().unwrap().push(format!("{} {asked}{tcp}{plain}", to.ip()));
        let host = self.hosts.lock().unwrap().get(&to).cloned();
        let host = host.or_else(|| self.others.lock().unwrap().clone());
        let seen = Seen { question, id: message.header().id, stream, edns };
        let replies = host.map(|host| host(&seen)).unwrap_or_default();
        let after = |milliseconds| self.now().tick.plus(Duration::from_millis(milliseconds));
        replies.into_iter().map(|(delay, octets)| (after(delay), octets.into())).collect()
    }
}

fn agrees(pattern: &str, question: &Question) -> bool {
    let (name, rr_type) = pattern.split_once(' ').unwrap();
    let is_type = rr_type == "*" || rr_type == question.rr_type.to_string();
    let is_name = match name.strip_prefix("*.") {
        Some("") => true,
        Some(zone) => question.name.as_ref().is_at_or_below(zone.parse::<Name>().unwrap().as_ref()),
        None => question.name == name.parse().unwrap(),
    };
    is_type && is_name
}

/// Whether the name of a question is an empty non-terminal above that of a pattern.
fn is_above(pattern: &str, question: &Question) -> bool {
    let (name, _) = pattern.split_once(' ').unwrap();
    let name: Name = name
        .strip_prefix("*")
        .unwrap_or(name)
        .trim_start_matches('.')
        .parse()
        .unwrap_or_else(|_| Name::root());
    !question.name.as_ref().is_root() && name.as_ref().is_below(question.name.as_ref())
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Ready from a moment on.
struct Until {
    tick: Tick,
    world: Arc<TestWorld>,
}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.world.now().tick >= self.tick {
            return Poll::Ready(());
        }
        self.world.timers.lock().unwrap().insert(self.tick);
        Poll::Pending
    }
}

impl TestWorld {
    /// Waits.
    pub(crate) fn sleep(self: &Arc<Self>, duration: Duration) -> impl Future<Output = ()> + use<> {
        Until { tick: self.now().tick.plus(duration), world: self.clone() }
    }
}

/// The world as the engines hold it.
pub(crate) struct Outside(pub(crate) Arc<TestWorld>);

struct InFlight {
    replies: VecDeque<(Tick, Bytes)>,
    world: Arc<TestWorld>,
    unreachable: bool,
}

impl DatagramFlight for InFlight {
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>> {
        async {
            if self.unreachable {
                return Err(NoReply::Unreachable);
            }
            match self.replies.front().cloned() {
                Some((tick, octets)) => {
                    Until { tick, world: self.world.clone() }.await;
                    self.replies.pop_front();
                    Ok(octets)
                }
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}

impl TestWorld {
    pub(crate) fn now(&self) -> Now {
        let tick = Tick(self.tick.load(Ordering::Relaxed));
        Now { tick, age: Age(tick.0), unix: Unix(tick.0) }
    }
}

impl World for Outside {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn random(&self) -> u64 {
        self.0.dice.next()
    }

    fn datagram(&self, to: SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight> {
        let replies = self.0.receive(to, octets, false);
        let unreachable = self.0.unreachable.lock().unwrap().contains(&to);
        Box::new(InFlight { replies, world: self.0.clone(), unreachable })
    }

    fn stream(&self, to: SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        let (mut replies, world) = (self.0.receive(to, octets, true), self.0.clone());
        async move {
            let (tick, octets) = replies.pop_front().ok_or(NoReply::Refused)?;
            Until { tick, world }.await;
            Ok(octets)
        }
        .boxed()
    }

    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        Until { tick, world: self.0.clone() }.boxed()
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        self.0.spawned.lock().unwrap().push(flight);
    }
}

/// The id of a reply changed: a forger's guess.
pub(crate) fn with_other_id(mut octets: Vec<u8>) -> Vec<u8> {
    if let Some(low) = octets.get_mut(1) {
        *low ^= 1;
    }
    octets
}

/// An answer of these RRsets that validation has spoken of.
pub(crate) fn resolution_of(answer: Vec<Rrset>, security: crate::cache::Security) -> super::Resolution {
    super::Resolution {
        rcode: Rcode::NOERROR,
        kind: Some(crate::cache::Kind::Positive),
        authoritative: false,
        answer: answer.into_iter().map(Arc::new).collect(),
        authority: vec![],
        learnt: vec![],
        legs: vec![],
        security,
        denial: Some(security),
        error: None,
        is_synthesised: false,
        proven: vec![],
    }
}
