//! Requests in, responses out: what cookies, options, limits, special names and transfers make of them.

use std::net::SocketAddr;
use std::sync::Arc;

use super::*;
use crate::cache::{Cache, CacheOptions, NameServer};
use crate::clock::{Age, Now, Tick, Unix};
use crate::dns::{Name, Rcode, RrClass, RrType, Serial};
use crate::limits;
use crate::observe::{DropReason, Event, Source, Transfer, Transport};
use crate::policy::{
    Access, AccessOptions, Acl, AclOptions, ClientLimit, CookieSecret, CookieSecrets, RateLimit, SpecialNames,
};
use crate::recursion::Recursion;
use crate::resolver::testing::{Outside, TestWorld};
use crate::resolver::{ResolverOptions, RootHints};
use crate::wire::names::Hops;
use crate::wire::{Flags, Header, MessageView, SectionKind};
use crate::zone::{ZoneBuilder, ZoneEntry, ZoneTable};
use crate::zonefile::{Files, NoIncludes, parse};

#[path = "../../tests/support/client.rs"]
mod client;
mod datagrams;
mod leaks;
mod limiting;
#[path = "../../tests/support/no_world.rs"]
mod no_world;
mod pulses;
mod transfers;
mod verdicts;

use client::Client;
use no_world::NoWorld;

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

fn resolving(snapshot: Snapshot) -> Snapshot {
    let cache = Arc::new(Cache::new(CacheOptions::default()));
    let world = Arc::new(NoWorld);
    let recursion = Recursion::new(cache, world, RootHints::builtin(), ResolverOptions::default());
    Snapshot { recursion: Some(recursion), ..snapshot }
}

/// The recursion in a world whose root server is 192.0.2.1.
fn resolving_in(world: &Arc<TestWorld>) -> Arc<Recursion> {
    let root =
        NameServer { name: "ns.root.".parse().unwrap(), addresses: ["192.0.2.1".parse().unwrap()].into() };
    let hints = RootHints { servers: [root].into() };
    let options = ResolverOptions { priming: false, ..ResolverOptions::default() };
    let cache = Arc::new(Cache::new(CacheOptions::default()));
    Recursion::new(cache, Arc::new(Outside(world.clone())), hints, options)
}

fn at(milliseconds: u64) -> Now {
    let nanoseconds = milliseconds * 1_000_000;
    Now { tick: Tick(nanoseconds), age: Age(0), unix: Unix(no_world::NOW.unix.0 + nanoseconds) }
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
