//! `begin` allocates nothing for what is answered here: counted, not believed.

#[path = "support/no_world.rs"]
mod no_world;
#[path = "served/mod.rs"]
#[allow(dead_code, reason = "only zones are needed of it")]
mod served;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;

use namu::cache::{Cache, CacheOptions};
use namu::dns::{Name, NameBuf, Question, RrClass, RrType};
use namu::dnssec::{Nsec3Params, OwnerHash};
use namu::observe::Transport;
use namu::policy::{Access, AccessOptions, CookieSecret, CookieSecrets, RateLimit, SpecialNames};
use namu::recursion::Recursion;
use namu::resolver::{ResolverOptions, RootHints};
use namu::service::{Begin, Identity, Local, Packet, RrsetOrder, ServeOptions, Snapshot, Version, begin};
use namu::wire::{Flags, write_query};
use namu::zone::{Zone, ZoneEntry, ZoneTable};

use no_world::{NOW, NoWorld};
use served::zone;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is handed to the system allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ZONE: &str = "$ORIGIN example.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\n@ NS ns2\n\
    ns1 A 192.0.2.1\nns2 A 192.0.2.2\nwww A 192.0.2.3\nwww A 192.0.2.4\nalias CNAME www\n*.wild TXT \"x\"\n\
    @ MX 10 www\nsub NS ns.sub\nsub NS ns2.sub\nns.sub A 192.0.2.5\nns2.sub AAAA 2001:db8::5\n";

/// Everything an answer can meet on its way is on.
fn options() -> ServeOptions {
    ServeOptions {
        rrset_order: RrsetOrder::Random,
        identity: Identity::new(Some("ns1.example"), &Version::Full),
        cookies: Some(CookieSecrets::new(CookieSecret([7; 16]), &[])),
        rate_limit: Some(RateLimit { per_second: 4, slip: 1 }),
        special_names: Some(SpecialNames::builtin().into()),
        ..ServeOptions::default()
    }
}

/// Signed with NSEC, as far as a server looks.
const NSEC_ZONE: &str = "$ORIGIN nsec.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1.test.\n\
    @ NSEC a NS SOA RRSIG NSEC\na CNAME x.wild\na NSEC sub CNAME RRSIG NSEC\nsub NS ns.test.\n\
    sub NSEC *.wild NS RRSIG NSEC\n*.wild A 192.0.2.1\n*.wild NSEC @ A RRSIG NSEC\n";

/// Signed with NSEC3: the hashes are those of no name here but the apex and `wild`; any record covers.
const NSEC3_ZONE: &str = "$ORIGIN example.org.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1.test.\n\
    @ NSEC3PARAM 1 0 5 abcd\n*.wild A 192.0.2.1\nsub NS ns.test.\n";

/// [`NSEC3_ZONE`] with a record for each name and two that cover the rest.
fn nsec3_zone() -> Zone {
    let apex: Name = "example.org.".parse().unwrap();
    let params = Nsec3Params { iterations: 5, salt: Box::from([0xab, 0xcd]) };
    let mut owners: Vec<OwnerHash> = ["example.org.", "wild.example.org.", "*.wild.example.org."]
        .iter()
        .map(|name| params.hash(name.parse::<Name>().unwrap().as_ref()))
        .collect();
    owners.extend([OwnerHash([0; 20]), OwnerHash([0x80; 20])]);
    let mut text = NSEC3_ZONE.to_owned();
    for owner in owners {
        let mut buf = NameBuf::new();
        let owner = owner.owner(apex.as_ref(), &mut buf).unwrap();
        text += &format!("{owner} NSEC3 1 1 5 abcd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A RRSIG\n");
    }
    zone("example.org.", &text)
}

fn snapshot(options: ServeOptions) -> Arc<Snapshot> {
    let plain = zone("example.", ZONE);
    let nsec = zone("nsec.", NSEC_ZONE);
    let zones = [plain, nsec, nsec3_zone()].map(|zone| ZoneEntry::Loaded(zone.into()));
    let mut access = AccessOptions::default();
    access.recursion = vec!["192.0.2.0/24".into()];
    let cache = Arc::new(Cache::new(CacheOptions { size: 1 << 20, ..CacheOptions::default() }));
    let recursion =
        Recursion::new(cache, Arc::new(NoWorld), RootHints::builtin(), ResolverOptions::default());
    Arc::new(Snapshot {
        zones: zones.into_iter().fold(ZoneTable::new(), |table, zone| table.with(zone)),
        access: Access::compile(&access, &[]).unwrap(),
        options,
        recursion: Some(recursion),
        #[cfg(debug_assertions)]
        panic_on: None,
    })
}

/// A query with EDNS, which asks for NSID, EXPIRE and ZONEVERSION and has this cookie.
fn query(name: &str, class: RrClass, rr_type: RrType, flags: Flags, cookie: &[u8]) -> Vec<u8> {
    let (mut octets, mut question) = (Vec::new(), Question::new(name.parse().unwrap(), rr_type));
    question.class = class;
    write_query(&question, 1, flags, Some((1232, true)), &mut octets);
    let mut options = vec![0, 3, 0, 0, 0, 9, 0, 0, 0, 19, 0, 0];
    if !cookie.is_empty() {
        options.extend([0, 10, 0, cookie.len() as u8]);
        options.extend(cookie);
    }
    let at = octets.len() - 2;
    octets[at..].copy_from_slice(&(options.len() as u16).to_be_bytes());
    octets.extend(options);
    octets
}

#[test]
fn an_answer_from_here_allocates_nothing() {
    let (plain, all) = (snapshot(ServeOptions::default()), snapshot(options()));
    let client: SocketAddr = "192.0.2.99:5353".parse().unwrap();
    let stranger: SocketAddr = "198.51.100.1:5353".parse().unwrap();
    let (none, new): (&[u8], &[u8]) = (b"", b"12345678");
    let mut out = vec![0; 4096];
    // Who may recurse gets what a delegation leads to, so referrals are for strangers.
    for (client, name, class, rr_type, cookie, rcode) in [
        (client, "www.example.", RrClass::IN, RrType::A, none, 0),
        (client, "WWW.example.", RrClass::IN, RrType::AAAA, none, 0),
        (client, "alias.example.", RrClass::IN, RrType::A, new, 0),
        (client, "nx.example.", RrClass::IN, RrType::A, none, 3),
        (client, "a.b.wild.example.", RrClass::IN, RrType::TXT, new, 0),
        (stranger, "host.sub.example.", RrClass::IN, RrType::A, none, 0),
        (client, "example.", RrClass::IN, RrType::MX, new, 0),
        (client, "example.", RrClass::IN, RrType::NS, none, 0),
        (client, "example.", RrClass::IN, RrType::SOA, new, 0),
        (stranger, "elsewhere.", RrClass::IN, RrType::A, none, 5),
        (stranger, "elsewhere.", RrClass::IN, RrType::A, new, 5),
        (client, "example.", RrClass::IN, RrType::AXFR, none, 5),
        (client, "nx.nsec.", RrClass::IN, RrType::A, none, 3),
        (client, "a.nsec.", RrClass::IN, RrType::A, none, 0),
        (client, "a.nsec.", RrClass::IN, RrType::TXT, none, 0),
        (client, "wild.nsec.", RrClass::IN, RrType::A, none, 0),
        (stranger, "x.sub.nsec.", RrClass::IN, RrType::A, none, 0),
        (client, "nx.example.org.", RrClass::IN, RrType::A, none, 3),
        (client, "wild.example.org.", RrClass::IN, RrType::A, none, 0),
        (client, "x.wild.example.org.", RrClass::IN, RrType::A, none, 0),
        (client, "x.wild.example.org.", RrClass::IN, RrType::TXT, none, 0),
        (stranger, "x.sub.example.org.", RrClass::IN, RrType::A, none, 0),
    ] {
        let octets = query(name, class, rr_type, Flags::RD, cookie);
        none_allocates(&plain, &octets, client, &mut out, rcode);
        none_allocates(&all, &octets, client, &mut out, rcode);
    }
    // What only the second snapshot has.
    for (name, class, rr_type, rcode) in [
        ("id.server.", RrClass::CH, RrType::TXT, 0),
        ("localhost.", RrClass::IN, RrType::A, 0),
        ("1.2.168.192.in-addr.arpa.", RrClass::IN, RrType::PTR, 3),
    ] {
        none_allocates(&all, &query(name, class, rr_type, Flags::RD, new), client, &mut out, rcode);
    }
}

/// Asks four times as often as is allowed: the first times the answer comes, then it is limited. The first round warms the
/// writer and the limiter up.
fn none_allocates(snapshot: &Arc<Snapshot>, octets: &[u8], client: SocketAddr, out: &mut [u8], rcode: u16) {
    let mut local = Local::new([1, 2, 3], 1);
    let packet = Packet { octets, client, local: client, transport: Transport::Udp };
    for round in 0..16 {
        let before = ALLOCATIONS.with(Cell::get);
        let done = begin(&mut local, &packet, snapshot, NOW, out);
        let allocations = ALLOCATIONS.with(Cell::get) - before;
        let Begin::Done { event, .. } = &done else { panic!("{octets:?}: {done:?}") };
        let is_limited = snapshot.options.rate_limit.is_some() && round >= 4;
        assert!(event.rcode.0 == rcode || is_limited, "{octets:?}: {done:?}");
        assert!(round == 0 || allocations == 0, "round {round} of {octets:?}: {allocations}");
    }
}
