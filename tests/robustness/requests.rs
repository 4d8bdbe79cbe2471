//! Requests as they may come from a client, through the whole of `service::begin`.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use hickory_proto::op::{Message, MessageType};
use namu::clock::{Age, Now, Tick, Unix};
use namu::dns::hickory::from_hickory_name;
use namu::dns::{Name, Question, RrClass, RrType};
use namu::limits::{REFERRAL_SERVERS, UDP_PAYLOAD};
use namu::observe::{DropReason, Transport};
use namu::service::{Begin, Local, Packet, Snapshot, begin, recover};
use namu::wire::names::Hops;
use namu::wire::{Flags, HEADER_OCTETS, Header, MessageView, SectionKind};
use namu::zone::ZoneEntry;
use proptest::prelude::*;

use crate::messages::SECTIONS;
use crate::{corpus, served, values};

/// The zones of the corpus, one with RRsets that no datagram holds, and one that could not be loaded.
static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let large: String = (0..200)
        .map(|n| {
            format!("big A 10.0.0.{n}\nbig TXT \"{n:0>200}\"\ncut NS ns{n}.cut\nns{n}.cut A 10.0.1.{n}\n")
        })
        .collect();
    let large = format!("$TTL 60\n@ SOA a a 1 1 1 1 1\n@ NS a\n@ MX 1 big\n{large}");
    let corpus = corpus::texts("zones").into_iter().filter_map(|(name, text)| {
        let apex = match name.trim_end_matches(".zone") {
            "names" => "example.",
            "types" => "types.example.",
            "small" => "small.test.",
            _ => return None,
        };
        let text = String::from_utf8(text).unwrap();
        Some((apex, text.replace("$ORIGIN example.", &format!("$ORIGIN {apex}"))))
    });
    let texts = corpus.chain([("large.test.", large)]);
    let loaded = texts.map(|(apex, text)| ZoneEntry::Loaded(served::zone(apex, &text).into()));
    served::snapshot(loaded.chain([ZoneEntry::Unavailable("broken.test.".parse().unwrap())]))
});

/// Answers a request from the zones of the corpus.
fn answer(octets: &[u8], transport: Transport) -> Option<Vec<u8>> {
    answer_from(&SNAPSHOT, octets, transport)
}

/// Answers a request, and holds the response to all that must be true of any.
pub fn answer_from(snapshot: &Arc<Snapshot>, octets: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let client: SocketAddr = "192.0.2.99:5353".parse().unwrap();
    let now = Now { tick: Tick(0), age: Age(0), unix: Unix(0) };
    let packet = Packet { octets, client, local: client, transport };
    let mut out = vec![0xaa; 65_535];
    let (length, event) = match begin(&mut Local::default(), &packet, snapshot, now, &mut out) {
        Begin::Done { length, event } => (length, event),
        Begin::Drop(reason) => {
            let header = Header::read(octets);
            match reason {
                DropReason::TooShort => assert!(header.is_none()),
                DropReason::IsResponse => assert!(header.unwrap().flags.has(Flags::QR)),
                _ => panic!("{reason:?}"),
            }
            return None;
        }
        Begin::Continue(_) => panic!("nobody recurses here"),
        Begin::Silent(event) => panic!("nobody is limited here: {event:?}"),
    };
    out.truncate(length);
    let request = Header::read(octets).expect("what is shorter is not answered");
    assert!(!request.flags.has(Flags::QR), "a response is not answered");
    assert!(length <= limit(octets, transport), "{length} octets");
    assert_eq!(event.octets as usize, length);
    if let Some(question) = event.question {
        assert!(question.question(octets).is_some());
    }
    check(request, &out);
    Some(out)
}

/// The most octets the response to a request may have, as far as hickory can tell.
fn limit(request: &[u8], transport: Transport) -> usize {
    match (transport, Message::from_vec(request).map(|message| message.edns)) {
        (Transport::Tcp, _) => 65_535,
        (Transport::Udp, Ok(None)) => 512,
        (Transport::Udp, Ok(Some(edns))) => usize::from(edns.max_payload().clamp(512, UDP_PAYLOAD)),
        (Transport::Udp, Err(_)) => usize::from(UDP_PAYLOAD),
    }
}

fn check(request: Header, response: &[u8]) {
    let view = MessageView::parse(response).expect("a response is a message");
    let header = view.header();
    assert_eq!(header.id, request.id);
    assert!(header.flags.has(Flags::QR));
    assert_eq!(header.flags.opcode(), request.flags.opcode());
    assert!(
        !header.flags.has(Flags::AD) && header.flags.0 & 0x40 == 0,
        "nothing is validated, and Z is zero"
    );
    assert_eq!(header.flags.has(Flags::RD), request.flags.has(Flags::RD));
    let mut hops = Hops::of_message();
    for section in SECTIONS {
        // A TSIG record stands in class ANY, which is no class of RRsets.
        view.rrsets(section, &mut hops).expect("what is sent can be read");
    }
    let message = Message::from_vec(response).expect("a response is one for hickory too");
    assert_eq!((message.metadata.id, message.metadata.message_type), (request.id, MessageType::Response));
    assert_eq!(u16::from(message.metadata.response_code), view.rcode().0);
    assert_eq!(message.answers.len(), view.records(SectionKind::Answer).count());
    assert_eq!(message.authorities.len(), view.records(SectionKind::Authority).count());
    assert_eq!(message.additionals.len(), view.records(SectionKind::Additional).count());
    if let Some(question) = view.question() {
        assert_eq!(from_hickory_name(&message.queries[0].name).octets(), question.name.octets());
        assert_eq!(u16::from(message.queries[0].query_type), question.rr_type.0);
    }
}

#[test]
fn the_queries_of_the_corpus_are_answered() {
    for (name, octets) in corpus::messages("queries") {
        for transport in [Transport::Udp, Transport::Tcp] {
            assert!(answer(&octets, transport).is_some(), "{name}");
        }
    }
}

#[test]
fn replies_and_short_messages_are_not_answered() {
    for (name, octets) in corpus::messages("replies") {
        assert!(answer(&octets, Transport::Udp).is_none(), "{name}");
    }
    for (name, octets) in corpus::messages("queries") {
        for cut in 0..HEADER_OCTETS {
            assert!(answer(&octets[..cut], Transport::Udp).is_none(), "{name} cut at {cut}");
        }
        for cut in HEADER_OCTETS..octets.len() {
            let response = answer(&octets[..cut], Transport::Udp).expect("a header is enough");
            assert!(Header::read(&response).unwrap().flags.rcode().0 != 0, "{name} cut at {cut}");
        }
    }
}

#[test]
fn only_class_in_has_answers_and_meta_types_have_none() {
    let name: Name = "example.".parse().unwrap();
    for class in [0, 1, 2, 3, 4, 254, 255, 256, 65_535].map(RrClass) {
        for rr_type in (0..=300).chain([32_768, 65_280, 65_535]).map(RrType) {
            let question = Question { name: name.clone(), rr_type, class };
            let mut octets = Vec::new();
            namu::wire::write_query(&question, 1, Flags::RD, None, &mut octets);
            let response = answer(&octets, Transport::Udp).unwrap();
            let header = Header::read(&response).unwrap();
            // OPT and the types of signatures are FORMERR in class IN, transfers REFUSED; ANY is answered.
            let wanted = match (class, rr_type.0) {
                (RrClass::IN, 41 | 249 | 250) => 1,
                (RrClass::IN, 251 | 252) => 5,
                (RrClass::IN, _) => 0,
                _ => 5,
            };
            assert_eq!(header.flags.rcode().0, wanted, "{question}");
            assert!(wanted == 0 || header.counts[1..] == [0; 3], "{question}");
        }
    }
}

#[test]
fn a_signed_request_with_long_names_is_answered_within_its_limit() {
    let long = |letter: u8| [&[63][..], &[letter; 63]].concat().repeat(3);
    let question = [&long(b'q')[..], b"\x07example\0\0\x01\0\x01"].concat();
    let rdata = [&long(b'a')[..], b"\0", &[0; 8], b"\0\0\0\x07\0\0\0\0"].concat();
    let record =
        [&long(b'k')[..], b"\0\0\xfa\0\xff\0\0\0\0", &(rdata.len() as u16).to_be_bytes(), &rdata].concat();
    let header = Header { id: 7, flags: Flags(0), counts: [1, 0, 0, 1] };
    let request = [&header.octets()[..], &question, &record].concat();
    let udp = answer(&request, Transport::Udp).unwrap();
    let tcp = answer(&request, Transport::Tcp).unwrap();
    let outcome = |response: &[u8]| {
        let header = Header::read(response).unwrap();
        (header.flags.rcode().0, header.flags.has(Flags::TC), header.counts[3])
    };
    // RFC 8945 5.3: without room for its TSIG record a response is truncated.
    assert_eq!((outcome(&udp), outcome(&tcp)), ((9, true, 0), (9, false, 1)));
}

#[test]
fn a_referral_to_very_many_servers_has_glue_up_to_its_bound() {
    for servers in [REFERRAL_SERVERS, REFERRAL_SERVERS + 1] {
        let line = |n: usize| format!("sub NS n{n}.sub\nn{n}.sub A 10.0.{}.{}\n", n / 256, n % 256);
        let text: String = (0..servers).map(line).collect();
        let zone = served::zone("example.", &format!("$TTL 60\n@ SOA a a 1 1 1 1 1\n@ NS a\n{text}"));
        let snapshot = served::snapshot([ZoneEntry::Loaded(zone.into())]);
        let mut octets = Vec::new();
        let question = Question::new("www.sub.example.".parse().unwrap(), RrType::A);
        namu::wire::write_query(&question, 1, Flags::RD, None, &mut octets);
        let response = answer_from(&snapshot, &octets, Transport::Tcp).unwrap();
        let wanted = [1, 0, servers as u16, REFERRAL_SERVERS as u16];
        assert_eq!(Header::read(&response).unwrap().counts, wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_octets_are_answered_well_or_not_at_all(
        octets in prop::collection::vec(any::<u8>(), 0..200), transport in transport()
    ) {
        answer(&octets, transport);
        let client: SocketAddr = "192.0.2.99:5353".parse().unwrap();
        let packet = Packet { octets: &octets, client, local: client, transport };
        recover(&packet, &SNAPSHOT, &mut [0; 512]);
    }

    #[test]
    fn changed_queries_are_answered_well_or_not_at_all(
        octets in corpus::mutated(corpus::messages("queries"), 4), transport in transport()
    ) {
        answer(&octets, transport);
    }

    #[test]
    fn every_question_has_a_well_formed_answer(octets in query(), transport in transport()) {
        let response = answer(&octets, transport).unwrap();
        let truncated = Header::read(&response).unwrap().flags.has(Flags::TC);
        prop_assert!(!truncated || transport == Transport::Udp);
    }
}

fn transport() -> impl Strategy<Value = Transport> {
    prop_oneof![Just(Transport::Udp), Just(Transport::Tcp)]
}

/// Questions for names in the zones and near them, with all that a query may have besides.
fn query() -> impl Strategy<Value = Vec<u8>> {
    const NAMES: &[&str] = &[
        "example.",
        "www.example.",
        "a.example.",
        "loop.example.",
        "out.example.",
        "x.wild.example.",
        "b.alias.example.",
        "w.old.example.",
        "empty.example.",
        "x.sub.example.",
        "sub.example.",
        "types.example.",
        "a.types.example.",
        "b.types.example.",
        "c.types.example.",
        "large.test.",
        "big.large.test.",
        "x.cut.large.test.",
        "x.broken.test.",
    ];
    let name = prop_oneof![
        3 => prop::sample::select(NAMES).prop_map(|name| name.parse::<Name>().unwrap()),
        1 => values::name(),
    ];
    let rr_type = prop_oneof![
        2 => values::rr_type(),
        2 => prop::sample::select(&[1u16, 2, 5, 15, 16, 28, 43, 46, 255]).prop_map(RrType),
    ];
    let edns = prop::option::of((any::<u16>(), any::<bool>()));
    (name, rr_type, edns, any::<u16>(), any::<bool>()).prop_map(|(name, rr_type, edns, id, recursion)| {
        let mut octets = Vec::new();
        let flags = Flags::default().set_if(Flags::RD, recursion);
        namu::wire::write_query(&Question::new(name, rr_type), id, flags, edns, &mut octets);
        octets
    })
}
