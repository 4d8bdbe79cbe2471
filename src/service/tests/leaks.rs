//! Names that mean nothing to the internet's servers: no packet about them leaves.

use super::*;

/// RFC 6761, 6303, 7686, 8375, 8880, 9462, 9476, 9665, each by its apex and by what people really ask.
const NAMES: [&str; 72] = [
    // RFC 6761
    "localhost.",
    "a.localhost.",
    "LOCALHOST.",
    "wpad.localhost.",
    "invalid.",
    "x.invalid.",
    "a.b.c.invalid.",
    "test.",
    "host.test.",
    "_ldap._tcp.dc.test.",
    // RFC 6762 22.1
    "local.",
    "printer.local.",
    "_ipp._tcp.local.",
    "lb._dns-sd._udp.local.",
    // RFC 7686
    "onion.",
    "example.onion.",
    "www.duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion.",
    // RFC 9476
    "alt.",
    "a.b.alt.",
    // RFC 8375
    "nas.home.arpa.",
    "home.arpa.",
    "_dns-sd._udp.home.arpa.",
    // RFC 9665
    "service.arpa.",
    "default.service.arpa.",
    "_dnssd-srp._tcp.default.service.arpa.",
    // RFC 9462
    "resolver.arpa.",
    "_dns.resolver.arpa.",
    // RFC 8880
    "ipv4only.arpa.",
    "170.0.0.192.in-addr.arpa.",
    "171.0.0.192.in-addr.arpa.",
    // RFC 6303 4.1 and RFC 7793
    "10.in-addr.arpa.",
    "1.0.0.10.in-addr.arpa.",
    "255.255.255.10.in-addr.arpa.",
    "16.172.in-addr.arpa.",
    "1.1.16.172.in-addr.arpa.",
    "17.172.in-addr.arpa.",
    "18.172.in-addr.arpa.",
    "19.172.in-addr.arpa.",
    "20.172.in-addr.arpa.",
    "24.172.in-addr.arpa.",
    "1.0.31.172.in-addr.arpa.",
    "168.192.in-addr.arpa.",
    "1.0.168.192.in-addr.arpa.",
    "b._dns-sd._udp.0.1.168.192.in-addr.arpa.",
    "64.100.in-addr.arpa.",
    "1.0.100.100.in-addr.arpa.",
    "1.0.127.100.in-addr.arpa.",
    // RFC 6303 4.2
    "0.in-addr.arpa.",
    "1.0.0.0.in-addr.arpa.",
    "127.in-addr.arpa.",
    "1.0.0.127.in-addr.arpa.",
    "53.0.0.127.in-addr.arpa.",
    "254.169.in-addr.arpa.",
    "254.169.254.169.in-addr.arpa.",
    "2.0.192.in-addr.arpa.",
    "1.2.0.192.in-addr.arpa.",
    "100.51.198.in-addr.arpa.",
    "1.100.51.198.in-addr.arpa.",
    "113.0.203.in-addr.arpa.",
    "1.113.0.203.in-addr.arpa.",
    "255.255.255.255.in-addr.arpa.",
    // RFC 6303 4.3 to 4.6
    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
    "d.f.ip6.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.",
    "8.e.f.ip6.arpa.",
    "9.e.f.ip6.arpa.",
    "a.e.f.ip6.arpa.",
    "b.e.f.ip6.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
    "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
];

#[test]
fn no_special_name_makes_a_packet_of_any_type() {
    let special = ServeOptions { special_names: Some(SpecialNames::builtin().into()), ..options() };
    // The world behind this recursion panics when anything is looked up.
    let mut house = House::new(resolving(snapshot(special)));
    for name in NAMES {
        for rr_type in ["A", "AAAA", "PTR", "SOA", "NS", "HTTPS", "ANY"] {
            let (begun, response) = house.begin(&request(&format!("{name} {rr_type}"), None, b""));
            let Begin::Done { event, .. } = begun else { panic!("{name} {rr_type}: {begun:?}") };
            let rcode = MessageView::parse(&response).unwrap().rcode();
            assert!(matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN), "{name} {rr_type}: {rcode}");
            assert_eq!(event.source, Source::Local, "{name} {rr_type}");
        }
    }
}

#[test]
fn neighbours_of_special_names_are_looked_up() {
    let special = ServeOptions { special_names: Some(SpecialNames::builtin().into()), ..options() };
    let mut house = House::new(resolving(snapshot(special)));
    for name in [
        "localhost.example.com.",
        "onion.example.com.",
        "arpa.",
        "in-addr.arpa.",
        "1.1.15.172.in-addr.arpa.",
        "1.1.32.172.in-addr.arpa.",
        "1.1.63.100.in-addr.arpa.",
        "1.1.128.100.in-addr.arpa.",
        "1.1.167.192.in-addr.arpa.",
        "8.8.8.8.in-addr.arpa.",
        "172.0.0.192.in-addr.arpa.",
        "c.f.ip6.arpa.",
    ] {
        let (begun, _) = house.begin(&request(&format!("{name} PTR"), None, b""));
        assert!(matches!(begun, Begin::Continue(_)), "{name}: {begun:?}");
    }
}
