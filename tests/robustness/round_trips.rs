//! What we write, hickory-proto reads as it was meant, and we do; what it writes, we read.

use std::collections::BTreeMap;
use std::sync::Arc;

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr;
use hickory_proto::rr::rdata as theirs;
use hickory_proto::serialize::binary::{BinDecoder, BinEncodable, BinEncoder, NameEncoding, Restrict};
use namu::dns::hickory::{from_hickory_name, to_hickory_name};
use namu::dns::rdata_table::compressible_names;
use namu::dns::{Answer, AnswerRrset, Name, Question, Rcode, RecordsBuf, RrType, Rrset, Ttl};
use namu::wire::names::Hops;
use namu::wire::{Flags, MessageView, OptToWrite, RecordOrder, ResponseHead, ResponseWriter};
use proptest::prelude::*;

use crate::messages::SECTIONS;
use crate::values;

/// A record, however it was written: its owner, and its names where they may be compressed, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Plain {
    owner: Vec<u8>,
    rr_type: u16,
    ttl: u32,
    rdata: Vec<u8>,
}

fn plain(owner: &Name, rr_type: RrType, ttl: Ttl, rdata: &[u8]) -> Plain {
    // A pointer may lead to a name in other letters: names say the same in any.
    let folds = compressible_names(rr_type).1 > 0;
    Plain {
        owner: owner.octets().to_ascii_lowercase(),
        rr_type: rr_type.0,
        ttl: ttl.seconds(),
        rdata: if folds { rdata.to_ascii_lowercase() } else { rdata.to_vec() },
    }
}

fn plain_rrsets<'r>(sets: impl IntoIterator<Item = &'r Rrset>) -> Vec<Plain> {
    let records = sets.into_iter().flat_map(|set| {
        let records = set.records().iter().map(|rdata| plain(&set.owner, set.rr_type, set.ttl, rdata));
        let signatures =
            set.signatures().iter().map(|rdata| plain(&set.owner, RrType::RRSIG, set.ttl, rdata));
        records.chain(signatures).collect::<Vec<_>>()
    });
    sorted(records.collect())
}

fn plain_records<'r>(records: impl IntoIterator<Item = &'r rr::Record>) -> Vec<Plain> {
    let records = records.into_iter().map(|record| {
        let rdata = uncompressed(&record.data);
        let rr_type = RrType(record.record_type().into());
        plain(&from_hickory_name(&record.name), rr_type, Ttl::from_wire(record.ttl), &rdata)
    });
    sorted(records.collect())
}

fn uncompressed(data: &rr::RData) -> Vec<u8> {
    let mut rdata = Vec::new();
    let mut encoder = BinEncoder::new(&mut rdata);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    data.emit(&mut encoder).unwrap();
    rdata
}

/// Whether hickory takes RDATA and gives it back: it is strict with some types (flags of NAPTR, parameters of SVCB), and an
/// empty one is for it that of an UPDATE.
fn survives_hickory(rr_type: RrType, rdata: &[u8]) -> bool {
    let length = Restrict::new(rdata.len() as u16);
    let read = rr::RData::read(&mut BinDecoder::new(rdata), rr_type.0.into(), length);
    !rdata.is_empty() && read.is_ok_and(|data| uncompressed(&data) == rdata)
}

/// In an order of their own. Names that differ in letters only may have become one by compression.
fn sorted(mut records: Vec<Plain>) -> Vec<Plain> {
    records.sort();
    records.dedup();
    records
}

/// Types of RFC 1035, whose names may be compressed, which hickory takes for opaque octets.
const OPAQUE_TO_HICKORY: [RrType; 4] = [RrType::MB, RrType::MG, RrType::MR, RrType::MINFO];

/// RRsets of different owners or types, in three sections.
fn sections() -> impl Strategy<Value = [Vec<Rrset>; 3]> {
    let rrset = || {
        (values::name(), values::rr_type(), values::ttl(), any::<bool>()).prop_flat_map(
            |(owner, rr_type, ttl, is_signed)| {
                let records = prop::collection::btree_set(values::rdata(rr_type), 1..4);
                let signature = values::rdata(RrType::RRSIG);
                (records, signature).prop_map(move |(records, mut signature)| {
                    signature[..2].copy_from_slice(&rr_type.0.to_be_bytes());
                    let records = records.iter().map(Vec::as_slice);
                    let records = records.filter(|rdata| survives_hickory(rr_type, rdata)).collect();
                    let mut signatures = RecordsBuf::new();
                    if is_signed && rr_type != RrType::RRSIG {
                        signatures.push(&signature);
                    }
                    Rrset::new(owner.clone(), rr_type, ttl, records, signatures)
                })
            },
        )
    };
    let section = || prop::collection::vec(rrset(), 0..8);
    [section(), section(), section()].prop_map(|sections| sections.map(distinct))
}

/// Without RRsets that would become one when they are read.
fn distinct(sets: Vec<Rrset>) -> Vec<Rrset> {
    let mut by_owner_and_type = BTreeMap::new();
    for set in sets.into_iter().filter(|set| {
        !set.records().is_empty() && set.rr_type != RrType::RRSIG && !OPAQUE_TO_HICKORY.contains(&set.rr_type)
    }) {
        by_owner_and_type.insert((set.owner.clone(), set.rr_type), set);
    }
    by_owner_and_type.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_we_write_is_read_by_hickory_and_by_us(sections in sections(), name in values::name(), rotation in 0..5usize) {
        let mut answer = Answer::empty(Rcode::NXDOMAIN);
        let shared = |set: &Rrset| AnswerRrset::shared(Arc::new(set.clone())).with_signatures(true);
        sections[0].iter().map(shared).for_each(|rrset| answer.answer.push(rrset));
        sections[1].iter().map(shared).for_each(|rrset| answer.authority.push(rrset));
        sections[2].iter().map(shared).for_each(|rrset| answer.additional.push(rrset));
        let question = Question::new(name, RrType::A);
        let head = ResponseHead {
            id: 7,
            flags: Flags::RD,
            question: Some(question.as_ref()),
            opt: Some(OptToWrite { udp_payload_size: 1232, dnssec_ok: true, ..OptToWrite::default() }),
            extended_errors: false,
            limit: 65_535,
            order: RecordOrder::Rotated(rotation),
        };
        let mut out = vec![0; 65_535];
        let written = ResponseWriter::new().write(head, &answer, &mut out);
        out.truncate(written.octets);

        let view = MessageView::parse(&out).unwrap();
        prop_assert_eq!(view.question(), Some(question.as_ref()));
        let message = Message::from_vec(&out).unwrap();
        let theirs = [&message.answers, &message.authorities, &message.additionals];
        for (place, section) in SECTIONS.into_iter().enumerate() {
            let wanted = plain_rrsets(&sections[place]);
            let read = view.rrsets(section, &mut Hops::of_message()).unwrap();
            prop_assert_eq!(plain_rrsets(&read), wanted.clone());
            prop_assert_eq!(plain_records(theirs[place]), wanted);
        }
    }

    #[test]
    fn what_hickory_writes_we_read(records in prop::collection::vec(hickory_record(), 0..30), name in values::name()) {
        let mut message = Message::response(7, OpCode::Query);
        message.add_query(hickory_proto::op::Query::query(to_hickory_name(name.as_ref()), rr::RecordType::A));
        message.add_answers(records.clone());
        message.add_authorities(records.iter().rev().cloned());
        let octets = message.to_vec().unwrap();

        let view = MessageView::parse(&octets).unwrap();
        prop_assert_eq!(view.question().map(|question| question.name), Some(name.as_ref()));
        let wanted = merged(plain_records(&records));
        for section in &SECTIONS[..2] {
            let read = view.rrsets(*section, &mut Hops::of_message()).unwrap();
            prop_assert_eq!(plain_rrsets(&read), wanted.clone());
        }
    }
}

/// Duplicates once, and all records of an RRset with its lowest TTL (RFC 2181 section 5).
fn merged(mut records: Vec<Plain>) -> Vec<Plain> {
    let all = records.clone();
    for record in &mut records {
        let same =
            all.iter().filter(|other| (&other.owner, other.rr_type) == (&record.owner, record.rr_type));
        record.ttl = same.map(|other| other.ttl).min().unwrap();
    }
    records.sort();
    records.dedup();
    records
}

fn hickory_record() -> impl Strategy<Value = rr::Record> {
    // In lower case: duplicates are those of equal octets.
    let name = || values::name().prop_map(|name| to_hickory_name(name.as_ref()).to_lowercase());
    let rdata = prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| rr::RData::A(theirs::A(octets.into()))),
        any::<[u8; 16]>().prop_map(|octets| rr::RData::AAAA(theirs::AAAA(octets.into()))),
        name().prop_map(|name| rr::RData::NS(theirs::NS(name))),
        name().prop_map(|name| rr::RData::CNAME(theirs::CNAME(name))),
        name().prop_map(|name| rr::RData::PTR(theirs::PTR(name))),
        (0..3u16, name()).prop_map(|(preference, name)| rr::RData::MX(theirs::MX::new(preference, name))),
        (0..3u16, name()).prop_map(|(port, name)| rr::RData::SRV(theirs::SRV::new(0, 0, port, name))),
        (name(), name(), any::<u32>()).prop_map(|(server, mailbox, serial)| rr::RData::SOA(
            theirs::SOA::new(server, mailbox, serial, 1, 2, 3, 4)
        )),
        prop::collection::vec("[ -~]{0,20}", 1..4)
            .prop_map(|strings| rr::RData::TXT(theirs::TXT::new(strings))),
    ];
    (name(), 0..1000u32, rdata).prop_map(|(owner, ttl, rdata)| rr::Record::from_rdata(owner, ttl, rdata))
}
