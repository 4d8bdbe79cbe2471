//! Requests in, responses out: what cookies, options, limits, special names and transfers make of them.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::*;
use crate::cache::{Cache, CacheOptions};
use crate::clock::{Age, Now, Tick, Unix};
use crate::dns::{Name, Rcode, RrClass, RrType, Serial};
use crate::limits;
use crate::observe::{DropReason, Event, Source, Transfer, Transport};
use crate::policy::{
    Access, AccessOptions, Acl, AclOptions, ClientLimit, CookieSecret, CookieSecrets, RateLimit, SpecialNames,
};
use crate::recursion::Recursion;
use crate::resolver::{DatagramFlight, NoReply, ResolverOptions, RootHints, World};
use crate::wire::names::Hops;
use crate::wire::{Flags, Header, MessageView, SectionKind};
use crate::zone::{ZoneBuilder, ZoneEntry, ZoneTable};
use crate::zonefile::{Files, NoIncludes, parse};

const ZONE: &str = "$ORIGIN example.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n\
    www A 192.0.2.2\nmany A 192.0.2.1\nmany A 192.0.2.2\nmany A 192.0.2.3\nmany A 192.0.2.4\nsub NS ns.sub\n\
    ns.sub A 192.0.2.5\n*.wild A 192.0.2.6\n";

fn zone(apex: &str, text: &str) -> ZoneEntry {
    let apex: Name = apex.parse().unwrap();
    let mut files = Files::new("zone", text.as_bytes().to_vec());
    let mut builder = ZoneBuilder::new(apex.clone());
    parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    })
    .unwrap();
    ZoneEntry::Loaded(builder.build().ok().unwrap().zone.into())
}

fn options() -> ServeOptions {
    ServeOptions {
        identity: Identity::new(Some("ns1.example.net"), &Version::Text("a server".into())),
        cookies: Some(CookieSecrets::new(CookieSecret([7; 16]), &[])),
        ..ServeOptions::default()
    }
}

fn snapshot(options: ServeOptions) -> Snapshot {
    let mut zones = ZoneTable::new().with(zone("example.", ZONE));
    let fat =
        format!("$ORIGIN fat.\n$TTL 300\n@ SOA ns admin 7 1 1 1 1\n@ NS ns\n@ TXT {}\n", "x".repeat(250));
    let fat: String = (0..3).fold(fat, |text, n| format!("{text}@ TXT {n}{}\n", "y".repeat(240)));
    zones = zones.with(zone("fat.", &fat)).with(ZoneEntry::Unavailable("broken.".parse().unwrap()));
    let mut access = AccessOptions::default();
    access.recursion = vec!["192.0.2.0/24".into()];
    access.transfer = vec!["192.0.2.0/24".into()];
    Snapshot {
        zones,
        access: Access::compile(&access, &[] as &[AclOptions]).unwrap(),
        options,
        recursion: None,
        #[cfg(debug_assertions)]
        panic_on: None,
    }
}

/// A world nobody may send anything into.
struct NoWorld;

impl World for NoWorld {
    fn now(&self) -> Now {
        at(0)
    }

    fn random(&self) -> u64 {
        0
    }

    fn datagram(&self, _: SocketAddr, _: &[u8]) -> Box<dyn DatagramFlight> {
        panic!("a packet went out")
    }

    fn stream(&self, _: SocketAddr, _: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        panic!("a connection went out")
    }

    fn sleep_until(&self, _: Tick) -> BoxFuture<'static, ()> {
        panic!("something waited")
    }

    fn spawn(&self, _: BoxFuture<'static, ()>) {
        panic!("something was looked up")
    }
}

fn resolving(snapshot: Snapshot) -> Snapshot {
    let cache = Arc::new(Cache::new(CacheOptions::default()));
    let world = Arc::new(NoWorld);
    let recursion = Recursion::new(cache, world, RootHints::builtin(), ResolverOptions::default());
    Snapshot { recursion: Some(recursion), ..snapshot }
}

fn at(milliseconds: u64) -> Now {
    let nanoseconds = milliseconds * 1_000_000;
    Now { tick: Tick(nanoseconds), age: Age(0), unix: Unix(1_700_000_000_000_000_000 + nanoseconds) }
}

/// A request: `name TYPE` or `name CLASS/TYPE`, an OPT record with these options, and these authority records.
fn request(question: &str, options: Option<&[u8]>, authority: &[u8]) -> Vec<u8> {
    let (name, rr_type) = question.split_once(' ').unwrap();
    let (class, rr_type) = rr_type.split_once('/').unwrap_or(("IN", rr_type));
    let name: Name = name.parse().unwrap();
    let counts = [1, 0, u16::from(!authority.is_empty()), u16::from(options.is_some())];
    let header = Header { id: 7, flags: Flags::RD, counts };
    let mut octets = [&header.octets()[..], name.octets()].concat();
    octets.extend(rr_type.parse::<RrType>().unwrap().0.to_be_bytes());
    octets.extend(class.parse::<RrClass>().unwrap().0.to_be_bytes());
    octets.extend(authority);
    if let Some(options) = options {
        octets.extend(opt(options));
    }
    octets
}

fn opt(options: &[u8]) -> Vec<u8> {
    [&b"\0\0\x29\x04\xd0\0\0\0\0"[..], &(options.len() as u16).to_be_bytes(), options].concat()
}

/// An option without data for each code.
fn asking_for(codes: &[u16]) -> Vec<u8> {
    codes.iter().flat_map(|code| [&code.to_be_bytes()[..], &[0, 0]].concat()).collect()
}

fn cookie(data: &[u8]) -> Vec<u8> {
    [&[0, 10, 0, data.len() as u8], data].concat()
}

struct House {
    snapshot: Arc<Snapshot>,
    local: Local,
    now: Now,
    client: SocketAddr,
    transport: Transport,
}

impl House {
    fn new(snapshot: Snapshot) -> House {
        let client = "192.0.2.99:5353".parse().unwrap();
        let local = Local::new([1, 2, 3], 1);
        House { snapshot: Arc::new(snapshot), local, now: at(0), client, transport: Transport::Udp }
    }

    fn begin(&mut self, octets: &[u8]) -> (Begin, Vec<u8>) {
        let packet = Packet { octets, client: self.client, local: self.client, transport: self.transport };
        let mut out = vec![0; 65_535];
        let begun = begin(&mut self.local, &packet, &self.snapshot, self.now, &mut out);
        let length = if let Begin::Done { length, .. } = &begun { *length } else { 0 };
        out.truncate(length);
        (begun, out)
    }

    /// The response to what is answered at once.
    fn ask(&mut self, octets: &[u8]) -> Vec<u8> {
        let (begun, response) = self.begin(octets);
        assert!(matches!(begun, Begin::Done { .. }), "{begun:?}");
        response
    }

    fn rcode(&mut self, octets: &[u8]) -> Rcode {
        MessageView::parse(&self.ask(octets)).unwrap().rcode()
    }
}

/// The options of a response by code.
fn told(response: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let opt = MessageView::parse(response).unwrap().opt();
    opt.map_or(Vec::new(), |opt| opt.options().map(|(code, data)| (code, data.to_vec())).collect())
}

#[test]
fn options_are_told_to_who_asks_where_they_mean_something() {
    let mut house = House::new(snapshot(options()));
    let (nsid, expire, version) = (3u16, 9u16, 19u16);
    let zone_of = |labels: u8| (version, vec![labels, 0, 0, 0, 0, 7]);
    let name = || (nsid, b"ns1.example.net".to_vec());
    type Row<'r> = (&'r str, &'r [u16], Vec<(u16, Vec<u8>)>);
    let rows: [Row<'_>; 9] = [
        ("www.example. A", &[], vec![]),
        ("www.example. A", &[nsid], vec![name()]),
        ("www.example. A", &[expire], vec![]),
        ("example. SOA", &[expire], vec![(expire, 86_400u32.to_be_bytes().to_vec())]),
        ("www.example. SOA", &[expire], vec![]),
        ("nx.www.example. A", &[version], vec![zone_of(1)]),
        ("a.sub.example. A", &[version], vec![zone_of(1)]),
        ("elsewhere. A", &[version, nsid], vec![name()]),
        (
            "example. SOA",
            &[version, expire, nsid],
            vec![name(), (expire, vec![0, 1, 0x51, 0x80]), zone_of(1)],
        ),
    ];
    for (question, asked, want) in rows {
        let response = house.ask(&request(question, Some(&asking_for(asked)), b""));
        let found: Vec<_> = told(&response).into_iter().filter(|(code, _)| *code != 15).collect();
        assert_eq!(found, want, "{question} {asked:?}");
    }
    assert!(MessageView::parse(&house.ask(&request("www.example. A", None, b""))).unwrap().opt().is_none());
    let mut silent = House::new(snapshot(ServeOptions::default()));
    assert_eq!(told(&silent.ask(&request("www.example. A", Some(&asking_for(&[nsid])), b""))), []);
}

#[test]
fn the_server_says_of_itself_what_it_is_told_to() {
    let silent = || House::new(snapshot(ServeOptions::default()));
    let full = || {
        let identity = Identity::new(None, &Version::Full);
        House::new(snapshot(ServeOptions { identity, ..ServeOptions::default() }))
    };
    let named = || House::new(snapshot(options()));
    let version = concat!("namu ", env!("CARGO_PKG_VERSION"));
    type Row<'r> = (&'r dyn Fn() -> House, &'r str, Rcode, Option<&'r str>);
    let rows: [Row<'_>; 11] = [
        (&silent, "version.bind. CH/TXT", Rcode::REFUSED, None),
        (&silent, "id.server. CH/TXT", Rcode::REFUSED, None),
        (&full, "VERSION.bind. CH/TXT", Rcode::NOERROR, Some(version)),
        (&full, "version.server. CH/TXT", Rcode::NOERROR, Some(version)),
        (&full, "hostname.bind. CH/TXT", Rcode::REFUSED, None),
        (&named, "version.bind. CH/ANY", Rcode::NOERROR, Some("a server")),
        (&named, "id.server. CH/TXT", Rcode::NOERROR, Some("ns1.example.net")),
        (&named, "hostname.bind. CH/TXT", Rcode::NOERROR, Some("ns1.example.net")),
        (&named, "hostname.bind. CH/A", Rcode::NOERROR, None),
        (&named, "version.bind. HS/TXT", Rcode::REFUSED, None),
        (&named, "www.example. CH/A", Rcode::REFUSED, None),
    ];
    for (house, question, rcode, want) in rows {
        let response = house().ask(&request(question, None, b""));
        let view = MessageView::parse(&response).unwrap();
        assert_eq!(view.rcode(), rcode, "{question}");
        let mut rdata = Vec::new();
        let record = view.records(SectionKind::Answer).next();
        let text = record.map(|record| {
            assert_eq!((record.rr_type, record.class), (RrType::TXT, RrClass::CH));
            record.read_rdata(&mut Hops::of_message(), &mut rdata).unwrap();
            String::from_utf8(rdata[1..].to_vec()).unwrap()
        });
        assert_eq!(text.as_deref(), want, "{question}");
    }
}

#[test]
fn a_client_learns_a_cookie_and_proves_its_address_with_it() {
    let mut house = House::new(snapshot(options()));
    let learnt = told(&house.ask(&request("www.example. A", Some(&cookie(b"12345678")), b"")));
    let (code, both) = &learnt[0];
    assert_eq!((*code, both.len(), &both[..8]), (10, 24, &b"12345678"[..]));
    assert_eq!(told(&house.ask(&request("www.example. A", Some(&cookie(both)), b"")))[0].1, *both);
    house.client = "192.0.2.98:5353".parse().unwrap();
    let response = house.ask(&request("www.example. A", Some(&cookie(both)), b""));
    assert_eq!(MessageView::parse(&response).unwrap().rcode(), Rcode::NOERROR, "no need for it, no error");
    assert_ne!(told(&response)[0].1, *both, "made for another address, so a new one");
    assert_eq!(house.rcode(&request("www.example. A", Some(&cookie(b"1234567")), b"")), Rcode::FORMERR);
}

#[test]
fn a_cookie_may_be_asked_for_alone() {
    let alone = |data: &[u8]| {
        let header = Header { id: 7, flags: Flags::default(), counts: [0, 0, 0, 1] };
        [&header.octets()[..], &opt(&cookie(data))].concat()
    };
    let mut house = House::new(snapshot(options()));
    let response = house.ask(&alone(b"12345678"));
    assert_eq!(MessageView::parse(&response).unwrap().rcode(), Rcode::NOERROR);
    let (_, both) = &told(&response)[0];
    assert_eq!(house.rcode(&alone(both)), Rcode::NOERROR);
    assert_eq!(house.rcode(&alone(b"12345678not-from-here---")), Rcode::BADCOOKIE);
    let mut without = House::new(snapshot(ServeOptions::default()));
    assert_eq!(without.rcode(&alone(b"12345678")), Rcode::FORMERR);
}

fn limited(slip: u32) -> ServeOptions {
    ServeOptions { rate_limit: Some(RateLimit { per_second: 200, slip }), ..options() }
}

/// BOUNDS on amplification: the answer is over a kilobyte, the query a few dozen octets.
#[test]
fn a_flood_from_one_network_gets_no_more_octets_than_it_sends() {
    let mut house = House::new(snapshot(limited(2)));
    let query = request("fat. TXT", Some(b""), b"");
    let whole = house.ask(&query).len();
    assert!(whole > 1000, "{whole}");
    for second in 1..4u64 {
        let (mut octets_in, mut octets_out) = (0, 0);
        for number in 0..10_000u64 {
            house.now = at(second * 1000 + number / 10);
            house.client = SocketAddr::from(([203, 0, 113, number as u8], 1024 + number as u16));
            octets_in += query.len();
            octets_out += house.begin(&query).1.len();
        }
        let bound = if second == 1 { octets_in + 200 * whole } else { octets_in };
        assert!(octets_out <= bound, "second {second}: {octets_out} out for {octets_in} in");
        assert!(second > 1 || octets_out >= 200 * whole, "what is allowed is sent");
    }
}

#[test]
fn what_is_too_much_is_truncated_or_silent_and_written_down() {
    let mut house = House::new(snapshot(limited(2)));
    let query = request("www.example. A", None, b"");
    let mut outcomes = [0; 3];
    for _ in 0..300 {
        match house.begin(&query) {
            (Begin::Done { event: Event { source: Source::Authoritative, .. }, .. }, _) => outcomes[0] += 1,
            (Begin::Done { event, .. }, response) => {
                let view = MessageView::parse(&response).unwrap();
                assert!(view.header().flags.has(Flags::TC) && view.header().counts == [1, 0, 0, 0]);
                assert_eq!((event.source, event.octets), (Source::Dropped, response.len() as u32));
                outcomes[1] += 1;
            }
            (Begin::Silent(event), _) => {
                assert_eq!((event.source, event.octets, event.rcode), (Source::Dropped, 0, Rcode::NOERROR));
                outcomes[2] += 1;
            }
            (begun, _) => panic!("{begun:?}"),
        }
    }
    assert_eq!(outcomes, [200, 50, 50]);
    assert_eq!(DropReason::RateLimit.word(), "rate_limit");
}

#[test]
fn a_network_that_asks_too_often_is_not_heard_whatever_it_asks_and_through_which_door() {
    let exempt = Acl::compile(&["198.51.100.0/24"], &[]).unwrap();
    let limit = ClientLimit { per_second: 10, burst: 20, ipv4_prefix: 24, ipv6_prefix: 56, exempt };
    let mut house = House::new(snapshot(ServeOptions { client_limit: Some(limit), ..options() }));
    let is_heard = |house: &mut House, octets: &[u8]| match house.begin(octets).0 {
        Begin::Drop(DropReason::ClientLimit) => false,
        Begin::Done { .. } => true,
        begun => panic!("{begun:?}"),
    };
    let query = request("www.example. A", None, b"");
    for asked in 0..20 {
        house.transport = if asked % 2 == 0 { Transport::Udp } else { Transport::Tcp };
        let other = request(&format!("n{asked}.example. TXT"), None, b"");
        assert!(is_heard(&mut house, if asked % 3 == 0 { &query } else { &other }), "{asked}");
    }
    assert!(!is_heard(&mut house, &query));
    assert!(!is_heard(&mut house, &[0; 12]), "what is malformed is counted too");
    house.client = "198.51.100.1:53".parse().unwrap();
    assert!((0..100).all(|_| is_heard(&mut house, &query)), "the exempt are always heard");
    house.client = "203.0.113.1:53".parse().unwrap();
    assert!(is_heard(&mut house, &query), "another network has its own account");
}

#[test]
fn who_is_known_by_a_cookie_or_a_stream_is_not_limited() {
    let mut house = House::new(snapshot(limited(1)));
    let plain = request("www.example. A", None, b"");
    let known = told(&house.ask(&request("www.example. A", Some(&cookie(b"12345678")), b"")))[0].1.clone();
    let known = request("www.example. A", Some(&cookie(&known)), b"");
    let new = request("www.example. A", Some(&cookie(b"abcdefgh")), b"");
    let forged = request("www.example. A", Some(&cookie(b"abcdefghnot-from-here---")), b"");
    for _ in 0..500 {
        house.begin(&plain);
        let response = house.ask(&known);
        assert_eq!(
            MessageView::parse(&response).unwrap().header().counts[1],
            1,
            "the cookie holder loses none"
        );
    }
    for octets in [&new, &forged] {
        assert_eq!(house.rcode(octets), Rcode::BADCOOKIE, "come back with this cookie");
        assert_eq!(told(&house.ask(octets))[0].1.len(), 24);
    }
    house.transport = Transport::Tcp;
    assert_eq!(MessageView::parse(&house.ask(&plain)).unwrap().header().counts[1], 1);
}

#[test]
fn special_names_have_no_limit_for_those_they_are_for() {
    let special = ServeOptions { special_names: Some(SpecialNames::builtin().into()), ..limited(0) };
    let mut house = House::new(resolving(snapshot(special)));
    (0..500).for_each(|_| drop(house.ask(&request("1.0.0.10.in-addr.arpa. PTR", None, b""))));
}

#[test]
fn random_names_below_a_wildcard_or_nowhere_are_one_answer() {
    for (suffix, sent) in
        [("wild.example.", 200), ("example.", 200), ("sub.example.", 200), ("elsewhere.", 200)]
    {
        let mut house = House::new(snapshot(limited(0)));
        let answered =
            (0..300).filter(|n| !house.begin(&request(&format!("r{n}.{suffix} A"), None, b"")).1.is_empty());
        assert_eq!(answered.count(), sent, "{suffix}");
    }
}

#[test]
fn special_names_are_answered_here_and_only_to_who_may_recurse() {
    let special = ServeOptions { special_names: Some(SpecialNames::builtin().into()), ..options() };
    let lan =
        zone("1.168.192.in-addr.arpa.", "@ 60 SOA ns admin 1 1 1 1 1\n@ 60 NS ns\n5 60 PTR nas.example.\n");
    let served = snapshot(special);
    let served = Snapshot { zones: served.zones.with(lan), ..served };
    let mut house = House::new(resolving(served));
    for (question, rcode, answers) in [
        ("localhost. A", Rcode::NOERROR, 1),
        ("a.localhost. AAAA", Rcode::NOERROR, 1),
        ("localhost. MX", Rcode::NOERROR, 0),
        ("x.invalid. A", Rcode::NXDOMAIN, 0),
        ("example.onion. A", Rcode::NXDOMAIN, 0),
        ("a.b.alt. A", Rcode::NXDOMAIN, 0),
        ("printer.local. A", Rcode::NXDOMAIN, 0),
        ("host.test. A", Rcode::NXDOMAIN, 0),
        ("nas.home.arpa. A", Rcode::NXDOMAIN, 0),
        ("home.arpa. SOA", Rcode::NOERROR, 1),
        ("_dns.resolver.arpa. SVCB", Rcode::NXDOMAIN, 0),
        ("default.service.arpa. NS", Rcode::NXDOMAIN, 0),
        ("ipv4only.arpa. A", Rcode::NOERROR, 1),
        ("ipv4only.arpa. AAAA", Rcode::NOERROR, 0),
        ("170.0.0.192.in-addr.arpa. PTR", Rcode::NOERROR, 1),
        ("1.0.0.127.in-addr.arpa. PTR", Rcode::NXDOMAIN, 0),
        ("1.2.168.192.in-addr.arpa. PTR", Rcode::NXDOMAIN, 0),
        ("5.1.168.192.in-addr.arpa. PTR", Rcode::NOERROR, 1),
        ("6.1.168.192.in-addr.arpa. PTR", Rcode::NXDOMAIN, 0),
    ] {
        let (begun, response) = house.begin(&request(question, None, b""));
        let Begin::Done { event, .. } = begun else { panic!("{question}: {begun:?}") };
        let view = MessageView::parse(&response).unwrap();
        let sets = view.rrsets(SectionKind::Answer, &mut Hops::of_message()).unwrap();
        assert_eq!((view.rcode(), sets.len()), (rcode, answers), "{question}");
        let is_operators = question.contains(".1.168.192");
        assert_eq!(event.source == Source::Authoritative, is_operators, "{question}");
        assert!(is_operators || event.source == Source::Local, "{question}");
    }
    assert!(matches!(house.begin(&request("home.arpa. DS", None, b"")).0, Begin::Continue(_)));
    assert!(matches!(house.begin(&request("example.com. A", None, b"")).0, Begin::Continue(_)));
    house.client = "198.51.100.1:53".parse().unwrap();
    assert_eq!(house.rcode(&request("localhost. A", None, b"")), Rcode::REFUSED);
}

#[test]
fn records_come_in_the_order_the_operator_chose() {
    let orders = |rrset_order| {
        let mut house = House::new(snapshot(ServeOptions { rrset_order, ..options() }));
        let mut orders: Vec<Vec<u8>> = (0..60)
            .map(|_| {
                let response = house.ask(&request("many.example. A", None, b""));
                let view = MessageView::parse(&response).unwrap();
                let sets = view.rrsets(SectionKind::Answer, &mut Hops::of_message()).unwrap();
                sets[0].records().iter().map(|rdata| rdata[3]).collect()
            })
            .collect();
        orders.sort();
        orders.dedup();
        orders.len()
    };
    assert_eq!((orders(RrsetOrder::Fixed), orders(RrsetOrder::Rotate)), (1, 4));
    assert!(orders(RrsetOrder::Random) > 15, "of 24 orders, in 60 responses");
}

/// The SOA of `example.` with this serial, as the authority section of an IXFR request has it.
fn soa(serial: u32) -> Vec<u8> {
    let numbers = [serial, 0, 0, 0, 0].map(u32::to_be_bytes).concat();
    [&b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x18\xc0\x0c\xc0\x0c"[..], &numbers].concat()
}

#[test]
fn a_transfer_is_for_who_may_have_it_over_the_door_it_needs() {
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    let (friend, stranger) = ("192.0.2.99:5353", "198.51.100.1:5353");
    // What is answered at once, as code and records of the answer section; none is a transfer.
    type Row<'r> = (&'r str, Vec<u8>, Transport, &'r str, Option<(Rcode, u16)>);
    let rows: [Row<'_>; 13] = [
        ("example. AXFR", vec![], tcp, friend, None),
        ("EXAMPLE. AXFR", vec![], tcp, friend, None),
        ("example. AXFR", vec![], udp, friend, Some((Rcode::REFUSED, 0))),
        ("example. AXFR", vec![], tcp, stranger, Some((Rcode::REFUSED, 0))),
        ("www.example. AXFR", vec![], tcp, friend, Some((Rcode::NOTAUTH, 0))),
        ("elsewhere. AXFR", vec![], tcp, stranger, Some((Rcode::NOTAUTH, 0))),
        ("broken. AXFR", vec![], tcp, friend, Some((Rcode::SERVFAIL, 0))),
        ("example. IXFR", soa(6), tcp, friend, None),
        ("example. IXFR", soa(7), tcp, friend, Some((Rcode::NOERROR, 1))),
        ("example. IXFR", soa(8), tcp, friend, Some((Rcode::NOERROR, 1))),
        ("example. IXFR", soa(6), udp, friend, Some((Rcode::NOERROR, 1))),
        ("example. IXFR", vec![], tcp, friend, Some((Rcode::FORMERR, 0))),
        ("example. IXFR", soa(6), udp, stranger, Some((Rcode::REFUSED, 0))),
    ];
    for (question, authority, transport, client, want) in rows {
        let mut house = House::new(snapshot(options()));
        (house.transport, house.client) = (transport, client.parse().unwrap());
        let (begun, response) = house.begin(&request(question, None, &authority));
        let found = match begun {
            Begin::Continue(_) => None,
            _ => {
                let view = MessageView::parse(&response).unwrap();
                Some((view.rcode(), view.header().counts[1]))
            }
        };
        assert_eq!(found, want, "{question} {transport} {client}");
    }
}

/// Takes so many messages, then the client is gone.
struct Client {
    patience: usize,
    messages: Vec<Vec<u8>>,
    events: Vec<Event>,
}

impl Replies for Client {
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        event: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        self.messages.push(octets);
        self.events.extend(event);
        Box::pin(std::future::ready(self.messages.len() < self.patience))
    }

    fn give_up(&mut self, event: Event) {
        self.events.push(event);
    }
}

fn transfer(house: &mut House, patience: usize) -> Client {
    house.transport = Transport::Tcp;
    let (begun, _) = house.begin(&request("big. AXFR", Some(&asking_for(&[9, 3])), b""));
    let Begin::Continue(request) = begun else { panic!("{begun:?}") };
    let mut client = Client { patience, messages: Vec::new(), events: Vec::new() };
    complete(*request, &mut client).now_or_never().expect("nothing here waits");
    client
}

fn with_big_zone() -> House {
    let text = (0..3000).fold("@ 60 SOA ns admin 1 1 1 9 1\n@ 60 NS ns\n".to_string(), |text, host| {
        format!("{text}host{host} 60 TXT \"text that fills messages {host}\"\n")
    });
    let served = snapshot(options());
    House::new(Snapshot { zones: served.zones.with(zone("big.", &text)), ..served })
}

#[test]
fn a_transfer_is_one_line_of_the_log_with_all_its_octets() {
    let client = transfer(&mut with_big_zone(), usize::MAX);
    assert!(client.messages.len() > 5);
    let records: usize =
        client.messages.iter().map(|message| usize::from(Header::read(message).unwrap().counts[1])).sum();
    assert_eq!(records, 3003);
    let octets: usize = client.messages.iter().map(Vec::len).sum();
    let [event] = &client.events[..] else { panic!("{:?}", client.events) };
    assert_eq!(
        (event.octets, event.source, event.rcode),
        (octets as u32, Source::Authoritative, Rcode::NOERROR)
    );
    assert_eq!(event.question.unwrap().rr_type, RrType::AXFR);
    assert_eq!(event.transfer, Some(Transfer { serial: Serial(1), is_whole: true }));
    let first = told(&client.messages[0]);
    assert_eq!(first, [(3, b"ns1.example.net".to_vec()), (9, vec![0, 0, 0, 9])]);
}

#[test]
fn a_client_that_is_gone_ends_its_transfer_with_a_line_that_says_so() {
    let client = transfer(&mut with_big_zone(), 3);
    let [event] = &client.events[..] else { panic!("{:?}", client.events) };
    assert_eq!(event.transfer, Some(Transfer { serial: Serial(1), is_whole: false }));
    // The third message did not get through.
    let octets: usize = client.messages[..2].iter().map(Vec::len).sum();
    assert_eq!((client.messages.len(), event.octets), (3, octets as u32));
}

#[test]
fn transfers_have_places_and_give_them_back() {
    let mut house = with_big_zone();
    house.transport = Transport::Tcp;
    let axfr = request("example. AXFR", None, b"");
    let begin = |house: &mut House| house.begin(&axfr);
    let held: Vec<Begin> = (0..limits::TRANSFERS_PER_PEER).map(|_| begin(&mut house).0).collect();
    assert!(held.iter().all(|begun| matches!(begun, Begin::Continue(_))));
    let (_, refused) = begin(&mut house);
    assert_eq!(MessageView::parse(&refused).unwrap().rcode(), Rcode::REFUSED);
    // Strangers in any number take nobody's place: they are refused before places are counted.
    house.client = "198.51.100.1:53".parse().unwrap();
    (0..100).for_each(|_| drop(begin(&mut house)));
    house.client = "192.0.2.1:53".parse().unwrap();
    assert!(matches!(begin(&mut house).0, Begin::Continue(_)));
    drop(held);
    house.client = "192.0.2.99:53".parse().unwrap();
    assert!(matches!(begin(&mut house).0, Begin::Continue(_)));
}
