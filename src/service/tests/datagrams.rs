//! What leaves over UDP is never longer than a datagram that needs no fragments (RFC 9715).

use super::*;
use crate::resolver::testing::Seen;

/// A query with this payload size, without EDNS for none.
fn asking(question: &str, payload: Option<u16>) -> Vec<u8> {
    let mut octets = request(question, payload.map(|_| &b""[..]), b"");
    if let Some(payload) = payload {
        let at = octets.len() - 8;
        octets[at..at + 2].copy_from_slice(&payload.to_be_bytes());
    }
    octets
}

/// A root server whose answers are 40 strings of 250 octets, over a stream.
fn large_world() -> Arc<TestWorld> {
    let world = Arc::new(TestWorld::default());
    world.host("192.0.2.1", |seen: &Seen| {
        let name = &seen.question.name;
        let record = |at| format!("{name} TXT {at}{}", "x".repeat(240));
        let records: Vec<_> = (10..50).map(record).collect();
        match seen.stream {
            true => vec![(1, seen.reply("aa", &records.join(" | "), "", ""))],
            false => vec![(1, seen.reply("tc", "", "", ""))],
        }
    });
    world
}

#[test]
fn no_datagram_is_longer_than_needs_no_fragments_whatever_the_client_says_it_takes() {
    let world = large_world();
    let recursion = resolving_in(&world);
    let large: String = (0..40).map(|n| format!("@ TXT {n}{}\n", "y".repeat(240))).collect();
    let large = format!("$ORIGIN large.\n$TTL 300\n@ SOA ns admin 7 1 1 1 1\n@ NS ns\n{large}");
    let served = snapshot(options());
    let served = Snapshot { zones: served.zones.with(zone("large.", &large)), ..served };
    let mut house = House::new(Snapshot { recursion: Some(recursion), ..served });
    // From a zone, from recursion, and from the cache.
    for question in ["large. TXT", "elsewhere. TXT", "elsewhere. TXT"] {
        for payload in [None, Some(0), Some(512), Some(1232), Some(1233), Some(4096), Some(65_535)] {
            for transport in [Transport::Udp, Transport::Tcp] {
                house.transport = transport;
                house.now = world.now();
                let (begun, mut octets) = house.begin(&asking(question, payload));
                if let Begin::Continue(request) = begun {
                    let mut client = Client::default();
                    world.run(complete(*request, &mut client));
                    octets = client.messages.remove(0);
                }
                let flags = MessageView::parse(&octets).unwrap().header().flags;
                let most = payload.unwrap_or(512).clamp(512, limits::UDP_PAYLOAD);
                let is_stream = transport == Transport::Tcp;
                assert_eq!(octets.len() > usize::from(most), is_stream, "{question} {payload:?}");
                assert_eq!(flags.has(Flags::TC), !is_stream, "{question} {payload:?}: {}", octets.len());
            }
        }
    }
}
