//! Messages as they may come from a server: read to the last octet or refused, never a panic.

use hickory_proto::op::Message;
use hickory_proto::rr;
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use namu::dns::hickory::from_hickory_name;
use namu::dns::rdata_table::{Field, TABLE};
use namu::dns::{NameBuf, RrType, rdata};
use namu::limits::RRSETS_PER_SECTION;
use namu::wire::names::{Hops, read_name, skip_name};
use namu::wire::tsig::TsigRecord;
use namu::wire::{Flags, HEADER_OCTETS, Header, MessageView, Query, Scan, SectionKind};
use namu::zonefile::{Files, NoIncludes, RdataText, parse, write_rrset};
use proptest::prelude::*;

use crate::{corpus, values};

pub const SECTIONS: [SectionKind; 3] = [SectionKind::Answer, SectionKind::Authority, SectionKind::Additional];

/// Reads all there is to read, and shows all there is to show. Whether it was well-formed.
fn read_whole(octets: &[u8]) -> bool {
    let Ok(view) = MessageView::parse(octets) else { return false };
    let _ = (view.rcode(), view.question().map(|question| question.to_string()));
    if let Some(opt) = view.opt() {
        let _ = (opt.options().count(), opt.wishes().is_some(), opt.extended_error());
    }
    let mut hops = Hops::of_message();
    SECTIONS.into_iter().all(|section| match view.rrsets(section, &mut hops) {
        Err(_) => false,
        Ok(sets) => {
            assert!(sets.len() <= RRSETS_PER_SECTION);
            let records: usize =
                sets.iter().map(|set| set.records().count() + set.signatures().count()).sum();
            assert!(records <= view.records(section).count());
            for set in &sets {
                assert!(!set.records().is_empty());
                assert!(
                    set.records().iter().all(|octets| rdata::check(set.rr_type, octets).is_ok()),
                    "{set:?}"
                );
                let mut text = String::new();
                write_rrset(set.view(), &mut text).unwrap();
                assert!(text.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\n')), "{text:?}");
            }
            true
        }
    })
}

#[test]
fn the_replies_of_the_corpus_are_read_by_us_and_by_hickory() {
    for (name, octets) in corpus::messages("replies") {
        assert!(read_whole(&octets), "{name}");
        let (view, message) = (MessageView::parse(&octets).unwrap(), Message::from_vec(&octets).unwrap());
        let records = |section| view.records(section).count();
        assert_eq!(records(SectionKind::Answer), message.answers.len(), "{name}");
        assert_eq!(records(SectionKind::Authority), message.authorities.len(), "{name}");
        assert_eq!(records(SectionKind::Additional), message.additionals.len(), "{name}");
        for cut in 0..octets.len() {
            assert!(MessageView::parse(&octets[..cut]).is_err(), "{name} cut at {cut}");
        }
    }
}

#[test]
fn the_queries_of_the_corpus_are_what_they_say() {
    for (name, octets) in corpus::messages("queries") {
        let found = match Query::scan(&octets) {
            Scan::Query(_) => "query".to_owned(),
            Scan::Unusual(unusual) => format!("{:?}", unusual.problem),
            other => panic!("{name}: {other:?}"),
        };
        let want = match name.trim_end_matches(".hex") {
            "version" => "EdnsVersion",
            "notify" => "Opcode(NOTIFY)",
            "update" => "Opcode(UPDATE)",
            "status" => "Opcode(STATUS)",
            "tsig" => "UnknownKey(29)",
            _ => "query",
        };
        assert_eq!(found, want, "{name}");
        assert!(Message::from_vec(&octets).is_ok(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        read_whole(&octets);
        let _ = Query::scan(&octets);
    }

    #[test]
    fn changed_replies_are_read_or_refused(octets in corpus::mutated(corpus::messages("replies"), 4)) {
        read_whole(&octets);
    }

    #[test]
    fn names_are_those_hickory_reads(octets in name_octets(), at in 0..200usize) {
        let (mut name, mut hops) = (NameBuf::new(), Hops::of_message());
        let end = read_name(&octets, at, &mut hops, &mut name);
        if let Ok(end) = end {
            prop_assert_eq!(skip_name(&octets, at), Ok(end));
            let mut decoder = BinDecoder::new(&octets).clone(at as u16);
            let theirs = rr::Name::read(&mut decoder).unwrap();
            let theirs = from_hickory_name(&theirs);
            prop_assert_eq!(theirs.octets(), name.as_name().unwrap().octets());
            prop_assert_eq!(decoder.index(), end);
        }
    }

    #[test]
    fn tsig_is_read_or_refused_wherever_it_may_stand(octets in corpus::mutated(tsig_queries(), 3), at in 0..60usize) {
        if let Ok(record) = TsigRecord::read(&octets, at) {
            let mut reply = Vec::new();
            record.write_bad_key(&mut reply);
            // Two names, and the fixed parts of the record and its RDATA.
            prop_assert!(reply.len() <= 2 * 255 + 10 + 16);
            prop_assert!(TsigRecord::read(&reply, 0).is_ok());
        }
    }

    #[test]
    fn rdata_is_judged_alike_in_messages_and_in_zone_files(
        format in prop::sample::select(crate::values::usual()), octets in prop::collection::vec(any::<u8>(), 0..48)
    ) {
        judge_everywhere(format.rr_type, &octets);
    }

    #[test]
    fn changed_rdata_is_judged_alike_too((rr_type, octets) in values::changed_rdata()) {
        judge_everywhere(rr_type, &octets);
    }
}

/// Labels of few lengths and pointers to near places, so that names come about.
fn name_octets() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![3 => 0..4u8, 1 => Just(0xc0u8), 2 => 12..80u8, 1 => any::<u8>()];
    prop::collection::vec(octet, 0..200)
}

fn tsig_queries() -> Vec<(String, Vec<u8>)> {
    corpus::messages("queries").into_iter().filter(|(name, _)| name == "tsig.hex").collect()
}

/// RDATA of a type in a reply, in a request and in a zone file: taken everywhere or nowhere, and shown in any case.
fn judge_everywhere(rr_type: RrType, octets: &[u8]) {
    let good = rdata::check(rr_type, octets).is_ok();
    let text = RdataText { rr_type, rdata: octets }.to_string();
    assert!(text.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{text:?}");

    let record = |flags| {
        let header = Header { id: 1, flags, counts: [1, 1, 0, 0] };
        let fixed = [&rr_type.0.to_be_bytes()[..], b"\0\x01\0\0\0\x3c", &(octets.len() as u16).to_be_bytes()]
            .concat();
        [&header.octets()[..], b"\x01a\0\0\x01\0\x01", &b"\xc0\x0c"[..], &fixed, octets].concat()
    };
    let reply = record(Flags::QR);
    let view = MessageView::parse(&reply).unwrap();
    let read = view.rrsets(SectionKind::Answer, &mut Hops::of_message());
    let has_names =
        |field: &Field| matches!(field, Field::CompressibleName | Field::FoldedName | Field::PlainName);
    let may_have_pointers =
        TABLE.iter().any(|format| format.rr_type == rr_type && format.fields.iter().any(has_names));
    match (good, &read) {
        (true, Ok(sets)) => assert_eq!(sets[0].records().first(), Some(octets)),
        (false, Err(_)) => {}
        // What is no name by itself may be one in a message.
        (false, Ok(_)) => assert!(may_have_pointers, "{rr_type} {octets:?}"),
        (true, Err(error)) => panic!("{rr_type} {octets:?} {error}"),
    }
    assert_eq!(matches!(Query::scan(&record(Flags(0))), Scan::Query(_)), read.is_ok());

    let hexadecimal: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let generic = format!("a. 60 IN {rr_type} \\# {} {hexadecimal}\n", octets.len());
    let wanted = good && rdata::check_sense(rr_type, octets).is_ok();
    assert_eq!(rdata_of(&generic).as_deref(), wanted.then_some(octets), "{generic}");
    if wanted {
        assert_eq!(
            rdata_of(&format!("a. 60 IN {rr_type} {text}\n")).as_deref(),
            Some(octets),
            "{rr_type} {text}"
        );
    }
}

/// RDATA of the one record of a zone file, if there is no mistake.
fn rdata_of(text: &str) -> Option<Vec<u8>> {
    let mut files = Files::new("z", text.as_bytes().to_vec());
    let mut found = Vec::new();
    let root = namu::dns::NameRef::ROOT;
    let read = parse(&mut files, root, &NoIncludes, &mut |record| found = record.rdata.to_vec());
    read.ok().map(|_| found)
}

#[test]
fn a_header_alone_is_a_message() {
    let header = Header { id: 1, flags: Flags::QR, counts: [0; 4] };
    assert!(read_whole(&header.octets()));
    assert!(!read_whole(&header.octets()[..HEADER_OCTETS - 1]));
}
