//! Where the answers differ from those of NSD, Knot DNS and BIND on purpose: at most five entries, each with the sentence
//! of the RFC.

use std::fmt::Write;

use namu::dns::{Name, Question, RrClass, RrType};
use namu::observe::Transport;
use namu::wire::{Flags, Header};
use namu::zone::ZoneEntry;

use crate::requests::answer_from;
use crate::served;

/// A zone with the signatures of a key of 4096 bits; what they say is nobody's business here.
fn signed(text: &str) -> String {
    let signature = "AAAA".repeat(170) + "AAA=";
    let mut whole = String::from("$TTL 300\n");
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (owner, rr_type) = (words.next().unwrap(), words.next().unwrap());
        let labels =
            if owner == "@" { 1 } else { 1 + owner.split('.').filter(|label| *label != "*").count() };
        let dates = "20500101000000 20240101000000";
        writeln!(whole, "{line}\n{owner} RRSIG {rr_type} 8 {labels} 300 {dates} 7 example. {signature}")
            .unwrap();
    }
    whole
}

/// 1. A proof that does not fit is not sent in half. The peers leave out what is too much and do not say so.
///
/// RFC 4035 3.1.3.4: "If space does not permit inclusion of these NSEC and RRSIG RRs, the name server MUST set the TC
/// bit (see Section 3.1.1)."
#[test]
fn half_a_proof_is_truncation() {
    let zone = signed(
        "@ SOA ns admin 1 1 1 1 300\n@ NS ns\n@ NSEC *.w.example. NS SOA RRSIG NSEC\n*.w TXT x\n\
         *.w NSEC dn.example. TXT RRSIG NSEC\ndn DNAME w\ndn NSEC ns.example. DNAME RRSIG NSEC\nns A 192.0.2.1\n\
         ns NSEC example. A RRSIG NSEC",
    );
    let snapshot = served::snapshot([ZoneEntry::Loaded(served::zone("example.", &zone).into())]);
    let name: Name = "a.dn.example.".parse().unwrap();
    let question = Question { name, rr_type: RrType::A, class: RrClass::IN };
    let mut request = Vec::new();
    namu::wire::write_query(&question, 1, Flags::default(), Some((1232, true)), &mut request);
    let flags = |transport| {
        let response = answer_from(&snapshot, &request, transport).unwrap();
        let header = Header::read(&response).unwrap();
        (header.flags.has(Flags::TC), header.counts[1], header.counts[2])
    };
    // The DNAME, its signature, the alias; the SOA and the wildcard's NSEC, signed: that is 1.8 kB.
    assert_eq!(flags(Transport::Tcp), (false, 3, 4));
    assert!(flags(Transport::Udp).0, "{:?}", flags(Transport::Udp));
}
