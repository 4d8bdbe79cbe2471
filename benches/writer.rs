//! How long `ResponseWriter` takes to turn an answer into octets.

#[path = "../tests/hostile/answers.rs"]
#[allow(dead_code, reason = "the answers of hostile servers are measured elsewhere")]
mod answers;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use namu::dns::{Answer, AnswerRrset, Name, Question, Rcode, RecordsBuf, RrType, Rrset, Ttl};
use namu::wire::{Flags, ResponseWriter};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for (bench, answer) in [
        ("writer, one address", one_address()),
        ("writer, referral with glue", referral()),
        ("writer, 250 MX records", mail_servers(|n| format!("mx{n}.example."))),
        // What a hostile server could make us write: nothing here can be compressed, and all of it is tried.
        ("writer, 250 names of 120 labels", mail_servers(|n| format!("{}{n}.", "a.".repeat(119)))),
    ] {
        let question = Question::new(name("www.example."), RrType::A);
        let head = answers::head(question.as_ref());
        let (mut writer, mut out) = (ResponseWriter::new(), vec![0; 65_535]);
        let written = writer.write(head, &answer, &mut out);
        assert!(!written.flags.has(Flags::TC));
        println!("{bench}: {} octets", written.octets);
        criterion.bench_function(bench, |bencher| {
            bencher.iter(|| black_box(writer.write(head, black_box(&answer), &mut out)));
        });
    }
    criterion.final_summary();
}

fn one_address() -> Answer<'static> {
    let mut answer = Answer::empty(Rcode::NOERROR);
    answer.answer.push(rrset("www.example.", RrType::A, [b"\xc0\0\x02\x01".to_vec()]));
    answer
}

fn referral() -> Answer<'static> {
    let server = |number: usize| format!("ns{number}.example.");
    let mut answer = Answer::empty(Rcode::NOERROR);
    let targets = (1..=4).map(|number| name(&server(number)).octets().to_vec());
    answer.authority.push(rrset("example.", RrType::NS, targets));
    for number in 1..=4 {
        for (rr_type, octets) in [(RrType::A, 4), (RrType::AAAA, 16)] {
            answer.additional.push(rrset(&server(number), rr_type, [vec![number as u8; octets]]).required());
        }
    }
    answer
}

fn mail_servers(server: impl Fn(usize) -> String) -> Answer<'static> {
    let target = |number: usize| [b"\0\x0a", name(&server(number)).octets()].concat();
    let mut answer = Answer::empty(Rcode::NOERROR);
    answer.answer.push(rrset("www.example.", RrType::MX, (0..250).map(target)));
    answer
}

fn rrset(owner: &str, rr_type: RrType, records: impl IntoIterator<Item = Vec<u8>>) -> AnswerRrset<'static> {
    let mut buf = RecordsBuf::new();
    for rdata in records {
        buf.push(&rdata);
    }
    let set = Rrset::new(name(owner), rr_type, Ttl::saturating(300), buf, RecordsBuf::new());
    AnswerRrset::shared(Arc::new(set))
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}
