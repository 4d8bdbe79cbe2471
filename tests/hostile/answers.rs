//! Answers that hostile servers could make us pass on, each full of what costs a writer time.

use std::sync::Arc;

use namu::dns::{Answer, AnswerRrset, Name, QuestionRef, Rcode, RecordsBuf, RrType, Rrset, Ttl};
use namu::wire::{Flags, OptToWrite, RecordOrder, ResponseHead};

/// The head of a response that may be as long as a message can be.
pub fn head(question: QuestionRef<'_>) -> ResponseHead<'_> {
    ResponseHead {
        id: 1,
        flags: Flags::RD,
        question: Some(question),
        opt: Some(OptToWrite { udp_payload_size: 1232, dnssec_ok: true, ..OptToWrite::default() }),
        extended_errors: true,
        limit: 65_535,
        order: RecordOrder::Fixed,
    }
}

/// Each with its name.
pub fn all() -> Vec<(&'static str, Answer<'static>)> {
    let labels = |count: usize| "a.".repeat(count);
    vec![
        ("names that have nothing in common", mail_servers(250, |n| format!("{}{n}.", labels(119)))),
        ("names that differ in their first label", mail_servers(4000, |n| format!("{n}.{}", labels(119)))),
        (
            "names that differ in their middle",
            mail_servers(250, |n| format!("{}{n}.{}", labels(60), labels(59))),
        ),
        ("names of two labels", mail_servers(3800, |n| format!("n{n}.m{n}."))),
        ("records that do not fit", mail_servers(10_000, |n| format!("n{n}.example."))),
        ("addresses without end", addresses(4000)),
        (
            "more RRsets than have room",
            (0..3000).map(|n| rrset(&format!("n{n}."), RrType::A, [vec![0; 4]])).collect(),
        ),
    ]
    .into_iter()
    .map(|(what, rrsets)| {
        let mut answer = Answer::empty(Rcode::NOERROR);
        rrsets.into_iter().for_each(|rrset| answer.additional.push(rrset));
        (what, answer)
    })
    .collect()
}

fn mail_servers(count: usize, server: impl Fn(usize) -> String) -> Vec<AnswerRrset<'static>> {
    let target = |number| [b"\0\x0a", server(number).parse::<Name>().unwrap().octets()].concat();
    vec![rrset("www.example.", RrType::MX, (0..count).map(target))]
}

fn addresses(count: u32) -> Vec<AnswerRrset<'static>> {
    vec![rrset("www.example.", RrType::A, (0..count).map(|number| number.to_be_bytes().to_vec()))]
}

fn rrset(owner: &str, rr_type: RrType, records: impl IntoIterator<Item = Vec<u8>>) -> AnswerRrset<'static> {
    let mut buf = RecordsBuf::new();
    records.into_iter().for_each(|rdata| assert!(buf.push(&rdata)));
    let set = Rrset::new(owner.parse().unwrap(), rr_type, Ttl::saturating(300), buf, RecordsBuf::new());
    AnswerRrset::shared(Arc::new(set))
}
