//! The one writer: an [`Answer`] becomes octets. Compression, truncation and EDNS exist here and nowhere else.

use std::iter::Peekable;

use super::compress::Compressor;
use super::opt::{OPT_OCTETS, OptToWrite};
use super::order::{RecordOrder, shuffled};
use super::{Flags, HEADER_OCTETS, Header};
use crate::dns::rdata_table::compressible_names;
use crate::dns::{Answer, AnswerRrset, NameRef, Question, QuestionRef, Rcode, Records, RrType, RrsetRef};
use crate::limits;

/// What a response takes from its request and from the options of the server.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'q> {
    /// The id of the request.
    pub id: u16,
    /// QR, opcode, RD, CD and RA as the response has them; AA, TC and the code come from the answer. AD when whoever asked
    /// understands it; it is sent when the answer is authentic as well.
    pub flags: Flags,
    /// Echoed octet for octet, unless none could be read.
    pub question: Option<QuestionRef<'q>>,
    /// The OPT record, when the request had one (RFC 6891 6.1.1). Its extended error is that of the answer.
    pub opt: Option<OptToWrite<'q>>,
    /// Whether an extended error is sent along.
    pub extended_errors: bool,
    /// The most octets the response may have.
    pub limit: usize,
    /// In which order the records of each RRset of the answer section stand.
    pub order: RecordOrder,
}

/// One record of a stream of messages.
#[derive(Debug, Clone, Copy)]
pub struct StreamedRecord<'r> {
    /// The RRset it belongs to or, as a signature, covers: its owner, class and TTL.
    pub set: RrsetRef<'r>,
    /// Its type.
    pub rr_type: RrType,
    /// Its RDATA.
    pub rdata: &'r [u8],
}

/// A response that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Octets of the message.
    pub octets: usize,
    /// The flags as sent, with the header's part of the response code.
    pub flags: Flags,
}

/// Writes responses. One a worker, kept from message to message; a warm one allocates nothing.
#[derive(Debug, Default)]
pub struct ResponseWriter {
    compressor: Compressor,
}

/// The message under construction: what is final ends at `at`.
struct Draft<'m> {
    octets: &'m mut [u8],
    at: usize,
    compressor: &'m mut Compressor,
    counts: [u16; 4],
}

impl ResponseWriter {
    /// A writer that has written nothing.
    pub fn new() -> ResponseWriter {
        ResponseWriter::default()
    }

    /// Writes the response into `out`, which has room for `head.limit` octets, else as much as there is.
    ///
    /// An RRset stands whole with its signatures or not at all. When one of the answer or authority
    /// sections, or one that is required, has no room, TC is set and nothing follows (RFC 2181 section 9);
    /// other additional RRsets are left out silently.
    pub fn write(&mut self, head: ResponseHead<'_>, answer: &Answer<'_>, out: &mut [u8]) -> Written {
        let limit = head.limit.min(out.len());
        let mut draft = self.draft(&head, &mut out[..limit]);
        let truncated = !draft.write_sections(answer, head.order);
        let (counts, at) = (draft.counts, draft.at);
        let extended_error = answer.extended_error.as_ref().filter(|_| head.extended_errors);
        let opt = head.opt.map(|opt| OptToWrite { extended_error, ..opt });
        let flags = head
            .flags
            .without(if answer.authentic { Flags::default() } else { Flags::AD })
            .set_if(Flags::AA, answer.authoritative)
            .set_if(Flags::TC, truncated);
        finish(&head, Finish { flags, rcode: answer.rcode, opt, counts, at }, &mut out[..limit])
    }

    /// Writes a message of a stream (RFC 5936 2.2) with as many records in its answer section as have room; what has
    /// none stays with `records`. Records written: none when not even one has room.
    pub fn write_stream<'r>(
        &mut self,
        head: ResponseHead<'_>,
        records: &mut Peekable<impl Iterator<Item = StreamedRecord<'r>>>,
        out: &mut [u8],
    ) -> (Written, usize) {
        let limit = head.limit.min(out.len());
        let mut draft = self.draft(&head, &mut out[..limit]);
        while let Some(StreamedRecord { set, rr_type, rdata }) = records.peek() {
            let (before, count) = (draft.at, draft.counts[1]);
            if draft.write_record(*set, &mut None, *rr_type, rdata, 1).is_none() {
                draft.take_back(before, 1, count);
                break;
            }
            records.next();
        }
        let (counts, at) = (draft.counts, draft.at);
        let flags = head.flags.without(Flags::AD).set_if(Flags::AA, true);
        let finish_with = Finish { flags, rcode: Rcode::NOERROR, opt: head.opt, counts, at };
        (finish(&head, finish_with, &mut out[..limit]), usize::from(counts[1]))
    }

    /// A message with its question written and the room of its OPT record kept free.
    fn draft<'m>(&'m mut self, head: &ResponseHead<'_>, out: &'m mut [u8]) -> Draft<'m> {
        self.compressor.reset();
        let reserved = head.opt.map_or(0, |opt| opt.octets());
        let (octets, _) = out.split_at_mut(out.len() - reserved);
        let mut draft = Draft { octets, at: HEADER_OCTETS, compressor: &mut self.compressor, counts: [0; 4] };
        if let Some(question) = head.question {
            draft.write_question(question);
        }
        draft
    }
}

/// What is added to a draft to make it a message.
struct Finish<'q> {
    flags: Flags,
    rcode: Rcode,
    opt: Option<OptToWrite<'q>>,
    counts: [u16; 4],
    at: usize,
}

/// Writes the OPT record and the header.
fn finish(head: &ResponseHead<'_>, with: Finish<'_>, out: &mut [u8]) -> Written {
    let Finish { flags, rcode, opt, mut counts, mut at } = with;
    if let Some(opt) = opt {
        at += opt.write(rcode, &mut out[at..]);
        counts[3] += 1;
    }
    let flags = flags.set_if(Flags::QR, true);
    let flags = Flags(flags.0 & !0x0f | rcode.0 & 0x0f);
    out[..HEADER_OCTETS].copy_from_slice(&Header { id: head.id, flags, counts }.octets());
    Written { octets: at, flags }
}

impl Draft<'_> {
    fn write_question(&mut self, question: QuestionRef<'_>) {
        let name = question.name.octets();
        let end = self.at + name.len() + 4;
        let room = &mut self.octets[self.at..end];
        room[..name.len()].copy_from_slice(name);
        room[name.len()..name.len() + 2].copy_from_slice(&question.rr_type.0.to_be_bytes());
        room[name.len() + 2..].copy_from_slice(&question.class.0.to_be_bytes());
        self.compressor.note_asked(self.at as u16);
        self.at = end;
        self.counts[0] = 1;
    }

    /// Whether everything that must be there found room.
    fn write_sections(&mut self, answer: &Answer<'_>, order: RecordOrder) -> bool {
        let fixed = RecordOrder::Fixed;
        let fits = answer.answer.iter().all(|rrset| self.write_rrset(rrset, 1, order))
            && answer.authority.iter().all(|rrset| self.write_rrset(rrset, 2, fixed));
        // Required ones first: what may be left out must not take their room.
        let (required, optional) =
            (|set: &&AnswerRrset<'_>| set.required, |set: &&AnswerRrset<'_>| !set.required);
        let additional = &answer.additional;
        let fits = fits && additional.iter().filter(required).all(|rrset| self.write_rrset(rrset, 3, fixed));
        if fits {
            for rrset in additional.iter().filter(optional) {
                self.write_rrset(rrset, 3, fixed);
            }
        }
        fits
    }

    /// Writes an RRset and its signatures, or nothing. Whether it was written.
    fn write_rrset(&mut self, rrset: &AnswerRrset<'_>, section: usize, order: RecordOrder) -> bool {
        let (before, count_before) = (self.at, self.counts[section]);
        let set = rrset.rrset();
        let signatures = if rrset.with_signatures { set.signatures } else { Records::default() };
        let owner = &mut None;
        let written = self.write_records(set, owner, section, order).and_then(|()| {
            let mut signatures = signatures.iter();
            signatures.try_for_each(|rdata| self.write_record(set, owner, RrType::RRSIG, rdata, section))
        });
        if written.is_none() {
            self.take_back(before, section, count_before);
        }
        written.is_some()
    }

    /// Takes back what was written behind `at`.
    fn take_back(&mut self, at: usize, section: usize, count: u16) {
        // Suffixes remembered from the part taken back lie behind `at` and would be overwritten.
        self.compressor.forget_from(at);
        (self.at, self.counts[section]) = (at, count);
    }

    fn write_records(
        &mut self,
        set: RrsetRef<'_>,
        owner: &mut Option<[u8; 2]>,
        section: usize,
        order: RecordOrder,
    ) -> Option<()> {
        let mut each = |rdata| self.write_record(set, owner, set.rr_type, rdata, section);
        let records = set.records;
        let taking_turns = || records.iter().take(limits::ROTATED_RECORDS).count();
        let first = match order {
            RecordOrder::Fixed => 0,
            RecordOrder::Rotated(rotation) => rotation.checked_rem(taking_turns()).unwrap_or(0),
            RecordOrder::Shuffled(seed) => match shuffled(records, seed) {
                Some((room, count)) => return room[..count].iter().try_for_each(|rdata| each(rdata)),
                None => (seed as usize).checked_rem(taking_turns()).unwrap_or(0),
            },
        };
        records.iter().skip(first).chain(records.iter().take(first)).try_for_each(each)
    }

    /// `owner` is the pointer to the name of the records, once one is written.
    fn write_record(
        &mut self,
        set: RrsetRef<'_>,
        owner: &mut Option<[u8; 2]>,
        rr_type: RrType,
        rdata: &[u8],
        section: usize,
    ) -> Option<()> {
        let mut at = self.write_owner(set.owner, owner)?;
        let head = self.octets.get_mut(at..at + 10)?;
        head[..2].copy_from_slice(&rr_type.0.to_be_bytes());
        head[2..4].copy_from_slice(&set.class.0.to_be_bytes());
        head[4..8].copy_from_slice(&set.ttl.seconds().to_be_bytes());
        at += 10;
        let end = self.write_rdata(rr_type, rdata, at)?;
        self.octets[at - 2..at].copy_from_slice(&((end - at) as u16).to_be_bytes());
        self.at = end;
        self.counts[section] = self.counts[section].checked_add(1)?;
        Some(())
    }

    /// Writes the owner of a record and returns where it ends. All records of an RRset but the first have a pointer to it,
    /// which need not be searched for.
    fn write_owner(&mut self, name: NameRef<'_>, pointer: &mut Option<[u8; 2]>) -> Option<usize> {
        if let Some(pointer) = pointer {
            self.octets.get_mut(self.at..self.at + 2)?.copy_from_slice(pointer);
            return Some(self.at + 2);
        }
        let end = self.compressor.write(name, self.octets, self.at)?;
        *pointer = Compressor::pointer_to(self.octets, self.at);
        Some(end)
    }

    /// Copies RDATA, compressing the names of RFC 1035 types. RDATA that is not of its type's format, which no zone
    /// or cache holds, is copied as it is.
    fn write_rdata(&mut self, rr_type: RrType, rdata: &[u8], mut at: usize) -> Option<usize> {
        let (skip, names) = compressible_names(rr_type);
        let (mut rest, mut copied) = (rdata.get(skip..).unwrap_or_default(), skip.min(rdata.len()));
        self.octets.get_mut(at..at + copied)?.copy_from_slice(&rdata[..copied]);
        at += copied;
        for _ in 0..names {
            let Ok((name, behind)) = NameRef::split_from(rest) else { break };
            at = self.compressor.write(name, self.octets, at)?;
            copied += name.octet_count();
            rest = behind;
        }
        let end = at + (rdata.len() - copied);
        self.octets.get_mut(at..end)?.copy_from_slice(&rdata[copied..]);
        Some(end)
    }
}

/// Writes a query for an upstream server into `out`, which is cleared first. `opt` is the UDP payload size
/// offered and the DO bit.
pub fn write_query(question: &Question, id: u16, flags: Flags, opt: Option<(u16, bool)>, out: &mut Vec<u8>) {
    let counts = [1, 0, 0, u16::from(opt.is_some())];
    out.clear();
    out.extend_from_slice(&Header { id, flags, counts }.octets());
    out.extend_from_slice(question.name.octets());
    out.extend_from_slice(&question.rr_type.0.to_be_bytes());
    out.extend_from_slice(&question.class.0.to_be_bytes());
    if let Some((udp_payload_size, dnssec_ok)) = opt {
        let mut octets = [0; OPT_OCTETS];
        let opt = OptToWrite { udp_payload_size, dnssec_ok, ..OptToWrite::default() };
        opt.write(Rcode::NOERROR, &mut octets);
        out.extend_from_slice(&octets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{ErrorCode, ExtendedError, Name, Rcode, RecordsBuf, RrClass, Rrset, Ttl};
    use crate::wire::names::Hops;
    use crate::wire::{MessageView, SectionKind};
    use hickory_proto::op::Message;
    use std::sync::Arc;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn rrset(owner: &str, rr_type: RrType, rdata: &[&[u8]]) -> AnswerRrset<'static> {
        let records = rdata.iter().copied().collect();
        let signatures =
            [b"\0\x01\x0d\x02\0\0\0\x3c\0\0\0\0\0\0\0\0\0\x01\0sig".as_slice()].into_iter().collect();
        let set = Rrset::new(name(owner), rr_type, Ttl::saturating(300), records, signatures);
        AnswerRrset::shared(Arc::new(set))
    }

    fn addresses(owner: &str, count: u8) -> AnswerRrset<'static> {
        let rdata: Vec<[u8; 4]> = (0..count).map(|last| [192, 0, 2, last]).collect();
        rrset(owner, RrType::A, &rdata.iter().map(|octets| octets.as_slice()).collect::<Vec<_>>())
    }

    struct Wanted<'q> {
        head: ResponseHead<'q>,
        answer: Answer<'static>,
    }

    fn wanted(question: &Name, limit: usize) -> Wanted<'_> {
        let question = QuestionRef { name: question.as_ref(), rr_type: RrType::A, class: RrClass::IN };
        let opt = Some(OptToWrite { udp_payload_size: 1232, dnssec_ok: true, ..OptToWrite::default() });
        let (id, flags) = (7, Flags::RD);
        let head = ResponseHead {
            id,
            flags,
            question: Some(question),
            opt,
            extended_errors: true,
            limit,
            order: RecordOrder::Fixed,
        };
        Wanted { head, answer: Answer::empty(Rcode::NOERROR) }
    }

    fn write(wanted: &Wanted<'_>) -> Vec<u8> {
        let mut out = vec![0; 65_535];
        let written = ResponseWriter::new().write(wanted.head, &wanted.answer, &mut out);
        out.truncate(written.octets);
        assert!(out.len() <= wanted.head.limit);
        MessageView::parse(&out).expect("what is written is well-formed");
        out
    }

    fn has(message: &[u8], flags: Flags) -> bool {
        Header::read(message).unwrap().flags.has(flags)
    }

    fn counts(message: &[u8]) -> [u16; 4] {
        Header::read(message).unwrap().counts
    }

    #[test]
    fn hickory_reads_what_was_written() {
        let question = name("WWW.example.org.");
        let mut wanted = wanted(&question, 1232);
        wanted.answer.authoritative = true;
        wanted.answer.answer.push(rrset(
            "www.example.org.",
            RrType::CNAME,
            &[b"\x03web\x07example\x03org\0"],
        ));
        wanted.answer.answer.push(addresses("web.example.org.", 3).with_signatures(true));
        wanted.answer.authority.push(rrset("example.org.", RrType::NS, &[b"\x02ns\x07example\x03org\0"]));
        wanted.answer.additional.push(addresses("ns.example.org.", 1));
        let message = Message::from_vec(&write(&wanted)).unwrap();
        assert_eq!(message.metadata.id, 7);
        assert!(message.metadata.authoritative && message.metadata.recursion_desired);
        let lines: Vec<String> =
            message.answers.iter().map(|record| record.to_string().to_lowercase()).collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[0].contains("cname") && lines[0].contains("web.example.org."), "{lines:?}");
        assert!(lines[1].starts_with("web.example.org.") && lines[1].contains("192.0.2.0"), "{lines:?}");
        assert_eq!(message.authorities[0].to_string(), "example.org. 300 IN NS ns.example.org.");
        assert_eq!(message.additionals.len(), 1);
        assert!(message.edns.unwrap().flags().dnssec_ok);
    }

    #[test]
    fn an_answer_without_room_is_truncated_at_an_rrset() {
        let question = name("www.example.org.");
        for (limit, want_records) in [(1232, 20), (512, 20), (300, 0)] {
            let mut wanted = wanted(&question, limit);
            wanted.answer.answer.push(addresses("www.example.org.", 20));
            let message = write(&wanted);
            assert_eq!(
                (counts(&message)[1], has(&message, Flags::TC)),
                (want_records, want_records == 0),
                "{limit}"
            );
            assert_eq!(counts(&message)[3], 1, "the OPT record always has room");
        }
    }

    #[test]
    fn additional_data_goes_silently_unless_it_is_required() {
        let question = name("www.example.org.");
        for (required, want_truncated) in [(false, false), (true, true)] {
            let mut wanted = wanted(&question, 512);
            wanted.answer.authority.push(rrset("example.org.", RrType::NS, &[b"\x02ns\x07example\x03org\0"]));
            wanted.answer.additional.push(addresses("big.example.org.", 60));
            let glue = addresses("ns.example.org.", 30);
            wanted.answer.additional.push(if required { glue.required() } else { glue });
            let message = write(&wanted);
            assert_eq!(has(&message, Flags::TC), want_truncated);
            assert_eq!(counts(&message)[2], 1);
        }
    }

    #[test]
    fn a_name_taken_back_is_not_pointed_at() {
        let question = name("q.example.");
        let mut wanted = wanted(&question, 512);
        wanted.answer.additional.push(addresses("gone.example.", 60));
        wanted.answer.additional.push(addresses("gone.example.", 2));
        let message = write(&wanted);
        let view = MessageView::parse(&message).unwrap();
        let sets = view.rrsets(SectionKind::Additional, &mut Hops::of_message()).unwrap();
        assert_eq!(sets[0].owner, name("gone.example."));
        assert_eq!(sets[0].records().count(), 2);
    }

    #[test]
    fn records_rotate() {
        let question = name("www.example.org.");
        for (rotation, want) in [(0, [0, 1, 2]), (1, [1, 2, 0]), (5, [2, 0, 1])] {
            let mut wanted = wanted(&question, 512);
            wanted.head.order = RecordOrder::Rotated(rotation);
            wanted.answer.answer.push(addresses("www.example.org.", 3));
            let message = write(&wanted);
            let view = MessageView::parse(&message).unwrap();
            let sets = view.rrsets(SectionKind::Answer, &mut Hops::of_message()).unwrap();
            assert_eq!(sets[0].records().iter().map(|rdata| rdata[3]).collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn of_very_many_records_only_some_take_turns() {
        let question = name("www.example.org.");
        let mut wanted = wanted(&question, 65_535);
        let rdata: Vec<[u8; 2]> = (0..1000u16).map(u16::to_be_bytes).collect();
        let rdata: Vec<&[u8]> = rdata.iter().map(|octets| octets.as_slice()).collect();
        wanted.answer.answer.push(rrset("www.example.org.", RrType(65_280), &rdata));
        for (rotation, want) in [(255, 255), (256, 0), (257, 1)] {
            wanted.head.order = RecordOrder::Rotated(rotation);
            let message = write(&wanted);
            let view = MessageView::parse(&message).unwrap();
            let sets = view.rrsets(SectionKind::Answer, &mut Hops::of_message()).unwrap();
            assert_eq!(sets[0].records().count(), 1000);
            assert_eq!(sets[0].records().first(), Some(rdata[want]));
        }
    }

    #[test]
    fn names_in_later_types_are_not_compressed() {
        let question = name("srv.example.");
        let mut wanted = wanted(&question, 512);
        let target = b"\0\0\0\0\0\x35\x03srv\x07example\0".as_slice();
        wanted.answer.answer.push(rrset("srv.example.", RrType::SRV, &[target]));
        assert!(write(&wanted).windows(target.len()).any(|octets| octets == target));
    }

    #[test]
    fn an_extended_error_and_an_extended_code_stand_in_the_opt_record() {
        let question = name("www.example.org.");
        let mut wanted = wanted(&question, 512);
        let error = ExtendedError::new(ErrorCode::PROHIBITED, "not for you");
        wanted.answer = Answer::failure(Rcode::BADVERS, error);
        let message = write(&wanted);
        let view = MessageView::parse(&message).unwrap();
        assert_eq!(view.rcode(), Rcode::BADVERS);
        assert_eq!(view.opt().unwrap().extended_error(), Some((ErrorCode::PROHIBITED, &b"not for you"[..])));
    }

    #[test]
    fn an_rrset_of_no_records_is_written_as_none() {
        let question = name("www.example.org.");
        let mut wanted = wanted(&question, 512);
        wanted.head.order = RecordOrder::Rotated(3);
        let empty = Rrset::new(name("x."), RrType::A, Ttl::ZERO, RecordsBuf::new(), RecordsBuf::new());
        wanted.answer.answer.push(AnswerRrset::shared(Arc::new(empty)));
        assert_eq!(counts(&write(&wanted))[1], 0);
    }

    #[test]
    fn queries_are_those_hickory_would_read() {
        let mut out = Vec::new();
        write_query(&Question::new(name("a.b."), RrType::AAAA), 9, Flags::RD, Some((1232, false)), &mut out);
        let message = Message::from_vec(&out).unwrap();
        assert_eq!(message.metadata.id, 9);
        assert_eq!(message.queries[0].to_string(), "a.b. IN AAAA");
        assert_eq!(message.edns.unwrap().max_payload(), 1232);
    }
}
