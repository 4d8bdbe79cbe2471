//! A transfer to a peer: the whole zone as a stream of messages, each made when the one before it is on its way.

use std::iter::{self, Peekable};

use crate::dns::{RrType, RrsetRef};
use crate::limits;
use crate::wire::{Flags, ResponseHead, ResponseWriter, StreamedRecord};
use crate::zone::Zone;

/// One version of a zone on its way out. Between two messages it keeps a place in the zone and nothing else.
pub struct Outgoing<'z> {
    head: ResponseHead<'z>,
    writer: ResponseWriter,
    records: Peekable<Box<dyn Iterator<Item = StreamedRecord<'z>> + Send + 'z>>,
}

/// The next step of a transfer.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// This message, and more after it.
    More(Vec<u8>),
    /// This message, the last, and the flags all of them had.
    Last(Vec<u8>, Flags),
    /// The next record has no room in any message: the transfer cannot go on.
    TooLarge,
}

impl<'z> Outgoing<'z> {
    /// The transfer of `zone`. `head` is that of the first message; the others have neither its question nor its OPT
    /// record (RFC 5936 2.2).
    pub fn new(zone: &'z Zone, head: ResponseHead<'z>) -> Outgoing<'z> {
        let records: Box<dyn Iterator<Item = _> + Send + 'z> = Box::new(records(zone));
        Outgoing { head, writer: ResponseWriter::new(), records: records.peekable() }
    }

    /// Makes the next message. Not to be called after the last.
    pub fn next_message(&mut self) -> Progress {
        for limit in [limits::TRANSFER_MESSAGE, usize::from(u16::MAX)] {
            let mut out = vec![0; limit];
            let head = ResponseHead { limit, ..self.head };
            let (written, count) = self.writer.write_stream(head, &mut self.records, &mut out);
            if count == 0 {
                continue;
            }
            out.truncate(written.octets);
            (self.head.question, self.head.opt) = (None, None);
            return match self.records.peek() {
                Some(_) => Progress::More(out),
                None => Progress::Last(out, written.flags),
            };
        }
        Progress::TooLarge
    }
}

/// RFC 5936 2.2: the SOA, every other record once, the SOA again. Glue and hidden data are part of the zone
/// (section 3.5), and so are the signatures of each RRset.
fn records(zone: &Zone) -> impl Iterator<Item = StreamedRecord<'_>> {
    let soa = zone.soa();
    let soa_record = move || {
        soa.records.iter().take(1).map(move |rdata| StreamedRecord { set: soa, rr_type: RrType::SOA, rdata })
    };
    let others = zone.nodes().flat_map(|node| node.rrsets()).flat_map(|set| {
        let own =
            if set.rr_type == RrType::SOA { RrsetRef { records: Default::default(), ..set } } else { set };
        let record = move |rr_type| move |rdata| StreamedRecord { set, rr_type, rdata };
        own.records.iter().map(record(set.rr_type)).chain(set.signatures.iter().map(record(RrType::RRSIG)))
    });
    iter::empty().chain(soa_record()).chain(others).chain(soa_record())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, NameBuf, QuestionRef, RrClass, Ttl};
    use crate::wire::names::Hops;
    use crate::wire::{MessageView, OptToWrite, RecordOrder, SectionKind};
    use crate::zone::ZoneBuilder;
    use crate::zonefile::{Files, NoIncludes, parse};

    fn zone(text: &str) -> Zone {
        let apex: Name = "example.".parse().unwrap();
        let mut files = Files::new("zone", text.as_bytes().to_vec());
        let mut builder = ZoneBuilder::new(apex.clone());
        parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
            builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
        })
        .unwrap();
        builder.build().ok().unwrap().zone
    }

    const HEAD: &str =
        "$ORIGIN example.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n";

    fn messages(zone: &Zone) -> (Vec<Vec<u8>>, bool) {
        let apex: Name = "example.".parse().unwrap();
        let question = QuestionRef { name: apex.as_ref(), rr_type: RrType::AXFR, class: RrClass::IN };
        let head = ResponseHead {
            id: 7,
            flags: Flags::RD,
            question: Some(question),
            opt: Some(OptToWrite { udp_payload_size: 1232, ..OptToWrite::default() }),
            extended_errors: true,
            limit: 65_535,
            order: RecordOrder::Fixed,
        };
        let mut outgoing = Outgoing::new(zone, head);
        let mut messages = Vec::new();
        loop {
            match outgoing.next_message() {
                Progress::More(message) => messages.push(message),
                Progress::Last(message, _) => {
                    messages.push(message);
                    return (messages, true);
                }
                Progress::TooLarge => return (messages, false),
            }
        }
    }

    /// Owner and type of each record, in order.
    fn read(messages: &[Vec<u8>]) -> Vec<String> {
        let mut records = Vec::new();
        for message in messages {
            let view = MessageView::parse(message).expect("well-formed");
            for record in view.records(SectionKind::Answer) {
                let mut owner = NameBuf::new();
                record.read_owner(&mut Hops::of_message(), &mut owner).unwrap();
                records.push(format!("{} {}", owner.as_name().unwrap(), record.rr_type));
            }
        }
        records
    }

    #[test]
    fn a_small_zone_is_one_message_with_the_soa_at_both_ends() {
        let text = format!(
            "{HEAD}sub NS ns.sub\nns.sub A 192.0.2.9\nhidden.sub TXT x\n\
            www A 192.0.2.2\nwww RRSIG A 13 2 300 20300101000000 20200101000000 1 example. AAAA\n\
            @ RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. AAAA\n"
        );
        let (messages, is_whole) = messages(&zone(&text));
        assert!(is_whole && messages.len() == 1);
        assert_eq!(
            read(&messages),
            [
                "example. SOA",
                "example. NS",
                "example. RRSIG",
                "ns1.example. A",
                "sub.example. NS",
                "hidden.sub.example. TXT",
                "ns.sub.example. A",
                "www.example. A",
                "www.example. RRSIG",
                "example. SOA"
            ]
        );
        let view = MessageView::parse(&messages[0]).unwrap();
        assert!(view.header().flags.has(Flags(Flags::QR.0 | Flags::AA.0 | Flags::RD.0)));
        assert!(view.opt().is_some() && view.question().is_some());
    }

    #[test]
    fn a_large_zone_fills_its_messages_and_says_the_question_once() {
        let mut text = HEAD.to_string();
        for host in 0..5000 {
            text += &format!("host-number-{host} TXT \"some text that takes room\"\n");
        }
        let zone = zone(&text);
        let (messages, is_whole) = messages(&zone);
        assert!(is_whole);
        let records = read(&messages);
        assert_eq!(records.len(), zone.record_count() + 1);
        assert_eq!((&*records[0], &**records.last().unwrap()), ("example. SOA", "example. SOA"));
        for (number, message) in messages.iter().enumerate() {
            let is_last = number + 1 == messages.len();
            assert!(message.len() <= limits::TRANSFER_MESSAGE);
            assert!(is_last || message.len() > limits::TRANSFER_MESSAGE - 100, "{}", message.len());
            let view = MessageView::parse(message).unwrap();
            assert_eq!(view.question().is_some(), number == 0);
            assert_eq!(view.opt().is_some(), number == 0);
            assert_eq!(view.header().id, 7);
        }
    }

    #[test]
    fn a_record_larger_than_a_message_gets_one_of_its_own_and_one_larger_than_any_ends_the_transfer() {
        for (octets, is_whole) in [(40_000, true), (65_535, false)] {
            let mut builder = ZoneBuilder::new("example.".parse().unwrap());
            let (apex, big): (Name, Name) = ("example.".parse().unwrap(), "big.example.".parse().unwrap());
            let soa = [&b"\x02ns\0\0"[..], &[0; 20]].concat();
            let ttl = Ttl::saturating(60);
            builder.push(apex.as_ref(), RrType::SOA, ttl, &soa, ());
            builder.push(apex.as_ref(), RrType::NS, ttl, b"\x02ns\0", ());
            builder.push(big.as_ref(), RrType(65_280), ttl, &vec![7; octets], ());
            let zone = builder.build().ok().unwrap().zone;
            let (messages, ended) = messages(&zone);
            assert_eq!(ended, is_whole, "{octets}");
            assert_eq!(messages.iter().any(|message| message.len() > octets), is_whole);
        }
    }
}
