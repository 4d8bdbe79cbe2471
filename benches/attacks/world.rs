//! An internet of hostile hosts in memory: each address is a function from a question to a reply. What it costs itself is
//! counted apart, so that the rest is what the server under attack had to do.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use namu::clock::{Now, Tick};
use namu::dns::{Answer, AnswerRrset, Name, Question, Rcode, RrType, Rrset, Ttl};
use namu::limits::UDP_PAYLOAD;
use namu::resolver::{DatagramFlight, NoReply, World};
use namu::wire::{Flags, MessageView, RecordOrder, ResponseHead, ResponseWriter};

use crate::clock::Time;

/// From a query to its reply.
const ROUND_TRIP: Duration = Duration::from_millis(10);

/// A query as a host sees it.
pub struct Asked {
    pub question: Question,
    pub stream: bool,
}

/// What a host does with a query.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Said {
    Answer(Answer<'static>),
    /// A message whose id and question are put right before it goes out.
    Octets(Arc<[u8]>),
    Nothing,
}

type Host = Box<dyn Fn(&Asked) -> Said + Send + Sync>;

/// Hosts by their address.
#[derive(Default)]
pub struct Hosts(Vec<(IpAddr, Host)>);

impl Hosts {
    /// One more.
    pub fn add(&mut self, ip: &str, host: impl Fn(&Asked) -> Said + Send + Sync + 'static) {
        self.0.push((ip.parse().expect("an address"), Box::new(host)));
    }

    /// One that gives the first answer whose zone the question's name is in, else REFUSED.
    pub fn server(&mut self, ip: &str, rows: Vec<(String, Answer<'static>)>) {
        let rows: Vec<(Name, _)> =
            rows.into_iter().map(|(zone, answer)| (zone.parse().expect("a name"), answer)).collect();
        self.add(ip, move |asked| {
            let name = asked.question.name.as_ref();
            let row = rows.iter().find(|(zone, _)| name.is_at_or_below(zone.as_ref()));
            Said::Answer(row.map_or_else(|| Answer::empty(Rcode::REFUSED), |(_, answer)| answer.clone()))
        });
    }
}

/// An RRset with a TTL of five minutes.
pub fn rrset(owner: &str, rr_type: RrType, rdata: impl IntoIterator<Item = Vec<u8>>) -> AnswerRrset<'static> {
    let rdata: Vec<_> = rdata.into_iter().collect();
    let (records, none) = (rdata.iter().map(Vec::as_slice).collect(), [].into_iter().collect());
    let owner = owner.parse().expect("a name");
    AnswerRrset::shared(Arc::new(Rrset::new(owner, rr_type, Ttl::saturating(300), records, none)))
}

/// RDATA that is a name.
pub fn target(name: impl AsRef<str>) -> Vec<u8> {
    name.as_ref().parse::<Name>().expect("a name").octets().to_vec()
}

/// A referral to these name servers.
pub fn referral(zone: &str, servers: impl IntoIterator<Item = String>) -> Answer<'static> {
    let mut answer = Answer::empty(Rcode::NOERROR);
    answer.authority.push(rrset(zone, RrType::NS, servers.into_iter().map(target)));
    answer
}

/// The same with an address of one of them.
pub fn with_glue(mut answer: Answer<'static>, server: &str, last: u8) -> Answer<'static> {
    answer.additional.push(rrset(server, RrType::A, [vec![192, 0, 2, last]]));
    answer
}

/// Nothing of this type, or nothing of this name.
pub fn denial(zone: &str, rcode: Rcode) -> Answer<'static> {
    let soa = [target(format!("ns.{zone}")), target(format!("h.{zone}")), [0, 0, 0, 60].repeat(5)];
    let mut answer = Answer::empty(rcode);
    answer.authoritative = true;
    answer.authority.push(rrset(zone, RrType::SOA, [soa.concat()]));
    answer
}

/// These records, with authority.
pub fn data(rrsets: impl IntoIterator<Item = AnswerRrset<'static>>) -> Answer<'static> {
    let mut answer = Answer::empty(Rcode::NOERROR);
    answer.authoritative = true;
    rrsets.into_iter().for_each(|rrset| answer.answer.push(rrset));
    answer
}

/// The hosts, the time among them, and what was sent.
pub struct Internet {
    pub time: Time,
    hosts: Arc<Hosts>,
    packets: AtomicUsize,
    own_nanoseconds: AtomicU64,
    draws: AtomicU64,
    is_aloud: bool,
}

impl Internet {
    /// The seed decides every chance in it. Aloud, it prints the queries it gets.
    pub fn new(hosts: Arc<Hosts>, seed: u64, is_aloud: bool) -> Internet {
        let (packets, own_nanoseconds) = (AtomicUsize::new(0), AtomicU64::new(0));
        let draws = AtomicU64::new(seed);
        Internet { time: Time::default(), hosts, packets, own_nanoseconds, draws, is_aloud }
    }

    pub fn packets(&self) -> usize {
        self.packets.load(Ordering::Relaxed)
    }

    /// Time spent on the replies.
    pub fn own_time(&self) -> Duration {
        Duration::from_nanos(self.own_nanoseconds.load(Ordering::Relaxed))
    }

    fn exchange(&self, to: SocketAddr, octets: &[u8], stream: bool) -> Option<Bytes> {
        let began = crate::thread_time();
        if self.is_aloud {
            let query = MessageView::parse(octets).expect("the resolver sends messages");
            let question = query.question().map(|question| question.to_question().to_string());
            println!("     {to} {}{}", question.unwrap_or_default(), if stream { " over TCP" } else { "" });
        }
        // A datagram and a connection count alike.
        self.packets.fetch_add(1, Ordering::Relaxed);
        assert!(!to.ip().is_loopback() && !to.ip().is_unspecified(), "{to} is never to be asked");
        let host = self.hosts.0.iter().find(|(ip, _)| *ip == to.ip());
        let reply = host.and_then(|(_, host)| reply(host, octets, stream));
        let spent = crate::thread_time().saturating_sub(began);
        self.own_nanoseconds.fetch_add(spent.as_nanos() as u64, Ordering::Relaxed);
        reply
    }
}

fn reply(host: &Host, octets: &[u8], stream: bool) -> Option<Bytes> {
    let query = MessageView::parse(octets).expect("the resolver sends messages");
    let asked = Asked { question: query.question().expect("with a question").to_question(), stream };
    let octets = match host(&asked) {
        Said::Answer(answer) => write(&query, &asked.question, &answer),
        Said::Octets(message) => {
            let mut octets = message.to_vec();
            octets[..2].copy_from_slice(&query.header().id.to_be_bytes());
            let name = asked.question.name.octets();
            octets.get_mut(12..12 + name.len())?.copy_from_slice(name);
            octets
        }
        Said::Nothing => return None,
    };
    if stream || octets.len() <= usize::from(UDP_PAYLOAD) {
        return Some(octets.into());
    }
    let mut cut = write(&query, &asked.question, &Answer::empty(Rcode::NOERROR));
    cut[2] |= (Flags::TC.0 >> 8) as u8;
    Some(cut.into())
}

fn write(query: &MessageView<'_>, question: &Question, answer: &Answer<'_>) -> Vec<u8> {
    let head = ResponseHead {
        id: query.header().id,
        flags: Flags::QR,
        question: Some(question.as_ref()),
        opt: query.opt().map(|_| Default::default()),
        extended_errors: false,
        limit: 65_535,
        order: RecordOrder::Fixed,
    };
    let mut out = vec![0; 65_535];
    let written = ResponseWriter::new().write(head, answer, &mut out);
    assert!(!written.flags.has(Flags::TC), "the attack fits into a message");
    out.truncate(written.octets);
    out
}

/// The internet as the resolver holds it.
pub struct Outside(pub Arc<Internet>);

struct Flight {
    time: Time,
    due: Tick,
    reply: Option<Bytes>,
}

impl DatagramFlight for Flight {
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>> {
        async {
            if self.reply.is_none() {
                return std::future::pending().await;
            }
            self.time.sleep_until(self.due).await;
            Ok(self.reply.take().expect("looked at above"))
        }
        .boxed()
    }
}

impl World for Outside {
    fn now(&self) -> Now {
        self.0.time.now()
    }

    fn random(&self) -> u64 {
        // SplitMix64.
        let mut value = self.0.draws.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn datagram(&self, to: SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight> {
        let time = self.0.time.clone();
        let due = time.now().tick.plus(ROUND_TRIP);
        Box::new(Flight { time, due, reply: self.0.exchange(to, octets, false) })
    }

    fn stream(&self, to: SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        let (reply, time) = (self.0.exchange(to, octets, true), self.0.time.clone());
        let due = time.now().tick.plus(ROUND_TRIP * 2);
        async move {
            time.sleep_until(due).await;
            reply.ok_or(NoReply::Refused)
        }
        .boxed()
    }

    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        self.0.time.sleep_until(tick)
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        self.0.time.spawn(flight);
    }
}
