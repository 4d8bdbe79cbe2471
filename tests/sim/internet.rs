//! An internet in memory: each address is a host that serves zones, written as text, through the server's own authority.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use namu::authority::{self, Verdict};
use namu::clock::{Now, Tick};
use namu::dns::{Answer, AnswerRrset, Name, NameRef, QuestionRef, Rcode, RecordsBuf, RrType, Rrset, Ttl};
use namu::resolver::{DatagramFlight, NoReply, World};
use namu::wire::{Flags, OptToWrite, Query, RecordOrder, ResponseHead, ResponseWriter, Scan};
use namu::zone::{Zone, ZoneBuilder, ZoneEntry, ZoneTable};
use namu::zonefile::{Files, NoIncludes, parse};

use crate::clock::Time;
use crate::faults::Faults;
use crate::tamper::{Message, Tamper};

/// The time from a query to its reply where nothing delays it.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// All hosts, and what was sent to them.
#[derive(Clone)]
pub struct Internet {
    pub time: Time,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    hosts: BTreeMap<IpAddr, Host>,
    ladder: Vec<String>,
    chance: u64,
    /// How often each kind of fault had its effect.
    met: BTreeMap<&'static str, usize>,
}

/// One host.
#[derive(Clone, Default)]
struct Host {
    name: String,
    zones: ZoneTable,
    faults: Faults,
    tamper: Option<Tamper>,
}

impl Internet {
    /// An internet without hosts. The seed decides every chance in it.
    pub fn new(seed: u64) -> Internet {
        let inner = Inner { hosts: BTreeMap::new(), ladder: Vec::new(), chance: seed, met: BTreeMap::new() };
        Internet { time: Time::default(), inner: Arc::new(Mutex::new(inner)) }
    }

    /// A host at an address, or one more zone for it. The text is a zone file whose `$ORIGIN` is `apex`.
    pub fn serve(&self, host: &str, address: IpAddr, apex: &str, text: &str) -> Result<(), String> {
        self.serve_zone(host, address, zone_of(apex, text)?.into());
        Ok(())
    }

    /// The same with a zone that was read before.
    pub fn serve_zone(&self, host: &str, address: IpAddr, zone: Arc<Zone>) {
        let mut inner = self.inner.lock().unwrap();
        let place = inner.hosts.entry(address).or_default();
        place.name = host.to_string();
        place.zones = place.zones.with(ZoneEntry::Loaded(zone));
    }

    /// Changes what is wrong with all addresses of a host.
    pub fn fault(&self, host: &str, words: &[&str]) -> Result<(), String> {
        let mut inner = self.inner.lock().unwrap();
        let mut found = false;
        for place in inner.hosts.values_mut().filter(|place| place.name == host) {
            place.faults.turn_on(words)?;
            found = true;
        }
        if found { Ok(()) } else { Err(format!("no host {host}")) }
    }

    /// Puts somebody before all addresses of a host who changes what it says.
    pub fn tamper(&self, host: &str, tamper: Tamper) {
        let mut inner = self.inner.lock().unwrap();
        for place in inner.hosts.values_mut().filter(|place| place.name == host) {
            place.tamper = Some(tamper.clone());
        }
    }

    /// All hosts are sound again, and nobody is before them.
    pub fn heal(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.hosts.values_mut().for_each(|place| (place.faults, place.tamper) = (Faults::default(), None));
    }

    /// How many messages were sent to hosts so far, over datagrams and streams.
    pub fn exchanges(&self) -> usize {
        self.inner.lock().unwrap().ladder.len()
    }

    /// How often each kind of fault had its effect so far.
    pub fn faults_met(&self) -> BTreeMap<&'static str, usize> {
        self.inner.lock().unwrap().met.clone()
    }

    /// The exchanges from the one numbered `from` on, one a line.
    pub fn ladder(&self, from: usize) -> String {
        self.inner.lock().unwrap().ladder[from..].join("\n")
    }
}

/// The zone in a text whose `$ORIGIN` is `apex`.
pub fn zone_of(apex: &str, text: &str) -> Result<Zone, String> {
    let apex: Name = apex.parse().map_err(|error| format!("{apex}: {error}"))?;
    let mut files = Files::new(apex.to_string().as_str(), text.as_bytes().to_vec());
    let mut builder = ZoneBuilder::new(apex.clone());
    parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    })
    .map_err(|errors| format!("zone {apex}: {}", errors[0]))?;
    builder.build().map(|built| built.zone).map_err(|errors| format!("zone {apex}: {}", errors[0]))
}

impl World for Internet {
    fn now(&self) -> Now {
        self.time.now()
    }

    fn random(&self) -> u64 {
        self.inner.lock().unwrap().random()
    }

    fn datagram(&self, to: SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight> {
        let sent = self.time.now().tick;
        let replies = self.inner.lock().unwrap().exchange(to, octets, false);
        let due = |(delay, reply): (Duration, Vec<u8>)| (sent.plus(delay), Bytes::from(reply));
        Box::new(Flight { time: self.time.clone(), replies: replies.into_iter().map(due).collect() })
    }

    fn stream(&self, to: SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        let sent = self.time.now().tick;
        let (refused, replies) = {
            let mut inner = self.inner.lock().unwrap();
            let host = inner.hosts.get(&to.ip());
            (host.is_some_and(|host| host.faults.no_tcp), inner.exchange(to, octets, true))
        };
        let time = self.time.clone();
        Box::pin(async move {
            if refused {
                time.sleep_until(sent.plus(ROUND_TRIP)).await;
                return Err(NoReply::Refused);
            }
            match replies.into_iter().next() {
                // A handshake, then the exchange.
                Some((delay, reply)) => {
                    time.sleep_until(sent.plus(delay * 2)).await;
                    Ok(reply.into())
                }
                None => std::future::pending().await,
            }
        })
    }

    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        self.time.sleep_until(tick)
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        self.time.spawn(flight);
    }
}

/// Replies on their way back, each with the moment it arrives.
struct Flight {
    time: Time,
    replies: VecDeque<(Tick, Bytes)>,
}

impl DatagramFlight for Flight {
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>> {
        Box::pin(async {
            let Some((due, _)) = self.replies.front() else { return std::future::pending().await };
            self.time.sleep_until(*due).await;
            let (_, reply) = self.replies.pop_front().expect("looked at above");
            Ok(reply)
        })
    }
}

impl Inner {
    fn random(&mut self) -> u64 {
        // SplitMix64: small, and the same for the same seed everywhere.
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.chance;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// What comes back for a message, and after how long each.
    fn exchange(&mut self, to: SocketAddr, octets: &[u8], stream: bool) -> Vec<(Duration, Vec<u8>)> {
        let Scan::Query(query) = Query::scan(octets) else {
            panic!("the resolver sends well-formed queries, not {octets:?}");
        };
        let chance = self.random();
        let step = format!("{} {}{}", query.question, to, if stream { " over TCP" } else { "" });
        let Some(host) = self.hosts.get_mut(&to.ip()) else {
            self.ladder.push(format!("{step}: no such host"));
            return Vec::new();
        };
        let is_on = host.faults.kinds().into_iter().filter_map(|(kind, is_on)| is_on.then_some(kind));
        let is_on: Vec<_> = is_on.collect();
        let lost = |at: u32| chance >> (8 * at) & 0xff < u64::from(host.faults.loss) * 256 / 100;
        let is_lost = !stream && (host.faults.drops > 0 || lost(0) || lost(1));
        let silent = host.faults.silent || is_lost;
        let manner = (stream, query.edns.is_some(), query.header.flags.has(Flags::RD));
        for kind in is_on.into_iter().filter(|kind| has_effect(kind, silent, is_lost, manner)) {
            *self.met.entry(kind).or_default() += 1;
        }
        if silent {
            host.faults.drops = host.faults.drops.saturating_sub(1);
            self.ladder.push(format!("{step} ({}): silence", host.name));
            return Vec::new();
        }
        let delay = ROUND_TRIP + host.faults.delay;
        let replies = host.replies(&query, stream);
        self.ladder.push(format!("{step} ({}): {}", host.name, replies.told));
        replies.octets.into_iter().map(|octets| (delay, octets)).collect()
    }
}

/// Whether a kind of fault that is on shows in this exchange: over a stream or not, with EDNS and RD or not.
fn has_effect(kind: &str, silent: bool, is_lost: bool, manner: (bool, bool, bool)) -> bool {
    let (stream, edns, recursion_desired) = manner;
    match kind {
        "silent" => true,
        "drops" | "loss" => is_lost,
        _ if silent => false,
        "no-tcp" | "stalls" => stream,
        "truncates" | "wrong-id" | "wrong-question" | "strays" => !stream,
        "no-edns" => edns,
        "authoritative-only" => recursion_desired,
        _ => true,
    }
}

/// The replies of one host to one query, and the last in words.
struct Replies {
    told: String,
    octets: Vec<Vec<u8>>,
}

impl Host {
    fn replies(&self, query: &Query<'_>, stream: bool) -> Replies {
        let faults = &self.faults;
        let question = query.question;
        let mut octets = Vec::new();
        let mut answer = self.answer(query);
        if faults.recursive || faults.second_hand {
            answer.authoritative = false;
        }
        if faults.poisons {
            // Where the last alias leads, too, when that is somebody else's.
            let last = answer.answer.iter().last().map(AnswerRrset::rrset);
            let alias = last.filter(|last| last.rr_type == RrType::CNAME);
            let target = alias
                .and_then(|alias| Some(NameRef::from_wire(alias.records.iter().next()?).ok()?.to_name()));
            let is_theirs = |target: &Name| {
                let asked = QuestionRef { name: target.as_ref(), ..question };
                matches!(authority::answer(&self.zones, asked, false), Verdict::NotOurs)
            };
            if let Some(target) = target.filter(is_theirs) {
                answer.answer.push(forged(&target.to_string()));
            }
            answer.answer.push(forged("www.bank.test."));
            answer.authority.push(forged_servers("org."));
            answer.additional.push(forged("ns1.org."));
        }
        if faults.contradicts {
            let alias = |to: &str| to.parse::<Name>().unwrap().octets().to_vec();
            let records = [alias("one.test."), alias("two.test.")];
            answer = Answer::empty(Rcode::NOERROR);
            answer.authoritative = true;
            answer.answer.push(rrset_of(question.name.to_name(), RrType::CNAME, &records));
        }
        if faults.swells {
            let large = [&[250][..], &[b'x'; 250]].concat();
            let records: Vec<_> = (0..160).map(|at| [&large[..], &[1, at]].concat()).collect();
            answer.additional.push(rrset_of("large.test.".parse().unwrap(), RrType::TXT, &records));
        }
        if faults.lies {
            answer.additional.push(forged("www.bank.test."));
            answer.authority.push(forged_servers("test."));
        }
        let limit = if stream { 65_535 } else { query.edns.map_or(512, |edns| edns.udp_payload_size.into()) };
        let mut true_reply = match &self.tamper {
            None => write(query, &answer, limit, query.header.id, question),
            Some(tamper) => {
                let mut message = Message::of(&answer);
                tamper(question, &mut message);
                let octets = message.octets(query.header.id, question);
                let truncated = || write_truncated(query, limit, question);
                if octets.len() > limit { truncated() } else { octets }
            }
        };
        if (faults.truncates || faults.swells) && !stream {
            true_reply = write_truncated(query, limit, question);
        }
        let mut lie = Answer::empty(Rcode::NOERROR);
        lie.authoritative = true;
        lie.answer.push(forged(&question.name.to_string()));
        if faults.strays && !stream {
            // The query itself comes back: QR is clear.
            let query = write(query, &lie, limit, query.header.id, question);
            let mut query = query[..12].to_vec();
            query[2] &= !((Flags::QR.0 >> 8) as u8);
            octets.extend(std::iter::repeat_n(query, 25));
        }
        // Nobody guesses into a stream.
        if faults.wrong_id && !stream {
            octets.push(write(query, &lie, limit, query.header.id ^ 0x5555, question));
        }
        if faults.wrong_question && !stream {
            let other: Name = "other.test.".parse().unwrap();
            let other = QuestionRef { name: other.as_ref(), ..question };
            octets.push(write(query, &lie, limit, query.header.id, other));
        }
        if faults.changes_case {
            let length = question.name.octets().len();
            true_reply[12..12 + length].make_ascii_lowercase();
        }
        if faults.garbage {
            true_reply.truncate(true_reply.len() / 2);
        }
        if faults.stalls && stream {
            return Replies { told: "nothing".into(), octets: Vec::new() };
        }
        octets.push(true_reply.clone());
        if faults.duplicates {
            octets.push(true_reply);
        }
        if faults.recursive || faults.second_hand {
            octets.iter_mut().for_each(|octets| octets[3] |= Flags::RA.0 as u8);
        }
        let sections = (answer.answer.len(), answer.authority.len(), answer.additional.len());
        Replies { told: format!("{} {sections:?}", answer.rcode), octets }
    }

    fn answer<'a>(&'a self, query: &Query<'a>) -> Answer<'a> {
        let faults = &self.faults;
        if faults.no_edns && query.edns.is_some() {
            return Answer::empty(Rcode::FORMERR);
        }
        let wants_recursion = query.header.flags.has(Flags::RD);
        if faults.recursive && !wants_recursion || faults.authoritative_only && wants_recursion {
            return Answer::empty(Rcode::REFUSED);
        }
        if faults.refuses {
            return Answer::empty(Rcode::REFUSED);
        }
        if faults.fails {
            return Answer::empty(Rcode::SERVFAIL);
        }
        if faults.lame {
            let mut upward = Answer::empty(Rcode::NOERROR);
            upward.authority.push(forged_servers("."));
            return upward;
        }
        match authority::answer(&self.zones, query.question, query.edns.is_some_and(|edns| edns.dnssec_ok)) {
            Verdict::Answer(mut answer) => {
                // A referral and an alias are something; so is an SOA of another name.
                let is_no_data =
                    answer.rcode == Rcode::NOERROR && answer.authoritative && answer.answer.is_empty();
                if faults.denies_empty && is_no_data {
                    answer.rcode = Rcode::NXDOMAIN;
                }
                answer
            }
            Verdict::ZoneUnavailable => Answer::empty(Rcode::SERVFAIL),
            Verdict::NotOurs => Answer::empty(Rcode::REFUSED),
        }
    }
}

fn write(
    query: &Query<'_>,
    answer: &Answer<'_>,
    limit: usize,
    id: u16,
    question: QuestionRef<'_>,
) -> Vec<u8> {
    let head = ResponseHead {
        id,
        flags: Flags::QR,
        question: Some(question),
        opt: query.edns.map(|edns| OptToWrite {
            udp_payload_size: 1232,
            dnssec_ok: edns.dnssec_ok,
            ..OptToWrite::default()
        }),
        extended_errors: false,
        limit,
        order: RecordOrder::Fixed,
    };
    let mut out = vec![0; limit.max(512)];
    let written = ResponseWriter::new().write(head, answer, &mut out);
    out.truncate(written.octets);
    out
}

fn write_truncated(query: &Query<'_>, limit: usize, question: QuestionRef<'_>) -> Vec<u8> {
    let empty = Answer::empty(Rcode::NOERROR);
    let mut reply = write(query, &empty, limit, query.header.id, question);
    reply[2] |= (Flags::TC.0 >> 8) as u8;
    reply
}

/// An address no true host of any scenario has.
pub const FORGED_ADDRESS: [u8; 4] = [203, 0, 113, 66];

fn forged(owner: &str) -> AnswerRrset<'static> {
    rrset(owner, RrType::A, &FORGED_ADDRESS)
}

fn forged_servers(owner: &str) -> AnswerRrset<'static> {
    rrset(owner, RrType::NS, "ns.evil.test.".parse::<Name>().unwrap().octets())
}

fn rrset(owner: &str, rr_type: RrType, rdata: &[u8]) -> AnswerRrset<'static> {
    rrset_of(owner.parse().unwrap(), rr_type, &[rdata])
}

fn rrset_of(owner: Name, rr_type: RrType, rdata: &[impl AsRef<[u8]>]) -> AnswerRrset<'static> {
    let records: RecordsBuf = rdata.iter().map(AsRef::as_ref).collect();
    let ttl = Ttl::saturating(86_400);
    let set = Rrset::new(owner, rr_type, ttl, records, RecordsBuf::new());
    AnswerRrset::shared(Arc::new(set))
}
