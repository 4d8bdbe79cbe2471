//! What 64 KiB from a stranger cost: allocations are counted, and held to a small multiple of the input.
//!
//! Time is not asserted, for it depends on the machine. The inputs are those whose time was measured: each message and
//! zone file takes less than a millisecond of an optimised build.

mod answers;
mod counting;
mod messages;
#[path = "../served/mod.rs"]
mod served;
mod texts;

use std::hint::black_box;
use std::net::SocketAddr;

use namu::clock::{Age, Now, Tick, Unix};
use namu::config::Config;
use namu::dns::{Name, NameRef, Question, RrType};
use namu::limits::POINTERS_PER_MESSAGE;
use namu::observe::Transport;
use namu::service::{Begin, Local, Packet, begin};
use namu::wire::names::Hops;
use namu::wire::{MessageView, Query, ResponseWriter, SectionKind};
use namu::zone::{ZoneBuilder, ZoneEntry};
use namu::zonefile::{Files, NoIncludes, parse};

use counting::cost;

const SECTIONS: [SectionKind; 3] = [SectionKind::Answer, SectionKind::Authority, SectionKind::Additional];

#[test]
fn a_message_is_walked_without_allocating() {
    for (what, message) in messages::all() {
        let walk = |view: MessageView<'_>| SECTIONS.map(|section| view.records(section).count());
        let (walked, cost) = cost(|| MessageView::parse(&message).map(walk));
        assert_eq!(cost.allocations, 0, "{what}");
        // Only those are malformed that count what they have not.
        assert_eq!(walked.is_err(), what.contains("of 65535"), "{what}");
    }
}

/// The smallest records are the dearest: 12 octets of message are 2 in an RRset, and a slot of 18 in the table that
/// finds duplicates, of which at most half are in use. Twice that, since what grows is allocated anew.
const GROUPED: usize = 8;
/// Each pointer that is followed may bring a name of 255 octets, in a list that has grown by doubling.
const POINTED_AT: usize = 2 * 255 * POINTERS_PER_MESSAGE;

#[test]
fn rrsets_take_a_small_multiple_of_their_message() {
    for (what, message) in messages::all() {
        let Ok(view) = MessageView::parse(&message) else { continue };
        let mut hops = Hops::of_message();
        let (_, cost) = cost(|| SECTIONS.map(|section| view.rrsets(section, &mut hops)));
        assert!(
            cost.octets <= GROUPED * message.len() + POINTED_AT,
            "{cost:?} for {} octets: {what}",
            message.len()
        );
    }
}

#[test]
fn a_request_is_scanned_with_room_for_its_longest_record() {
    for (what, message) in messages::all() {
        let request = messages::as_request(&message);
        let (_, cost) = cost(|| black_box(Query::scan(&request)));
        // One buffer, which may have grown by doubling as names without their pointers went in.
        assert!(cost.octets <= 2 * request.len(), "{cost:?} for {} octets: {what}", request.len());
    }
}

#[test]
fn a_request_is_answered_with_no_more() {
    let zone = served::zone("example.", "$TTL 1\n@ SOA a a 1 1 1 1 1\n@ NS a\nwww A 192.0.2.1\n");
    let snapshot = served::snapshot([ZoneEntry::Loaded(zone.into())]);
    let client: SocketAddr = "192.0.2.99:5353".parse().unwrap();
    let now = Now { tick: Tick(0), age: Age(0), unix: Unix(0) };
    let (mut local, mut out) = (Local::default(), vec![0; 65_535]);
    for (what, message) in messages::all() {
        let request = messages::as_request(&message);
        let packet = Packet { octets: &request, client, local: client, transport: Transport::Tcp };
        let (done, cost) = cost(|| begin(&mut local, &packet, &snapshot, now, &mut out));
        assert!(matches!(done, Begin::Done { length: 12..=600, .. }), "{done:?}: {what}");
        // The writer is warmed up on the way, a BADKEY has a record of its own: a kilobyte each.
        assert!(cost.octets <= 2 * request.len() + 2048, "{cost:?} for {} octets: {what}", request.len());
    }
}

#[test]
fn a_warm_writer_allocates_for_no_answer() {
    let question = Question::new("www.example.".parse::<Name>().unwrap(), RrType::A);
    let head = answers::head(question.as_ref());
    let (mut writer, mut out) = (ResponseWriter::new(), vec![0; 65_535]);
    for (what, answer) in answers::all() {
        let first = writer.write(head, &answer, &mut out);
        let (again, cost) = cost(|| writer.write(head, &answer, &mut out));
        assert_eq!((again, cost.allocations), (first, 0), "{what}");
        assert!(MessageView::parse(&out[..again.octets]).is_ok(), "{what}");
    }
}

/// SvcParams are sorted before they are written: 32 octets of list for the six of `key1 `, in a list that has grown by
/// doubling. All else takes less than the text.
const READ: usize = 16;

#[test]
fn a_zone_file_is_read_in_a_small_multiple_of_its_text() {
    for (what, text) in texts::zones() {
        let mut files = Files::new("zone", text.clone().into_bytes());
        let (_, cost) = cost(|| parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |_| {}).is_ok());
        assert!(cost.octets <= READ * text.len(), "{cost:?} for {} octets: {what}", text.len());
    }
}

/// Each label of an owner may bring an empty non-terminal, which has a name of its own.
const BUILT: usize = namu::dns::name::MAX_LABELS;

#[test]
fn a_zone_is_built_in_a_small_multiple_of_its_text() {
    let apex: Name = "example.".parse().unwrap();
    for (what, text) in texts::zones() {
        let text = format!("example. 1 SOA a. a. 1 1 1 1 1\n{text}");
        let mut files = Files::new("zone", text.clone().into_bytes());
        let (_, cost) = cost(|| {
            let mut builder = ZoneBuilder::new(apex.clone());
            let _ = parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |record| {
                builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
            });
            builder.build().is_ok()
        });
        assert!(cost.octets <= BUILT * text.len(), "{cost:?} for {} octets: {what}", text.len());
    }
}

/// One reading takes two parsers with their tokens, a tree, and the text printed again.
const CONFIGURED: usize = 160;

#[test]
fn a_configuration_is_read_in_a_small_multiple_of_its_text_once_for_each_mistake() {
    for (what, text) in texts::configs() {
        let octets = text.clone().into_bytes();
        let (read, cost) = cost(|| Config::parse("config", octets));
        let readings = 1 + read.map_or_else(|mistakes| mistakes.len(), |_| 0);
        let most = CONFIGURED * text.len() * readings;
        assert!(cost.octets <= most, "{cost:?} in {readings} readings for {} octets: {what}", text.len());
    }
}
