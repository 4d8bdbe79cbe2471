//! A reply as text in the layout of dig, as bare RDATA, or as JSON (RFC 8427).

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::query::Replied;
use crate::dns::{ErrorCode, NameBuf, RrClass, RrType};
use crate::observe::access_log::FLAGS;
use crate::wire::names::Hops;
use crate::wire::{Flags, MessageView, RecordView, SectionKind};
use crate::zonefile::RdataText;

/// Names of extended errors (RFC 8914 section 4, and the IANA registry), by code.
const EXTENDED_ERRORS: [&str; 31] = [
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
];

/// The name of an extended error; the newest stand outside the row.
fn name_of(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::NEGATIVE_TRUST_ANCHOR => Some("Negative Trust Anchor"),
        ErrorCode(code) => EXTENDED_ERRORS.get(usize::from(code)).copied(),
    }
}

const SECTIONS: [(SectionKind, &str, &str); 3] = [
    (SectionKind::Answer, "ANSWER", "answerRRs"),
    (SectionKind::Authority, "AUTHORITY", "authorityRRs"),
    (SectionKind::Additional, "ADDITIONAL", "additionalRRs"),
];

/// One record, its names whole. The text of RDATA has no control characters.
struct Record {
    owner: String,
    rr_type: RrType,
    class: RrClass,
    ttl: u32,
    rdata: Vec<u8>,
}

impl Record {
    /// None when its names do not lead anywhere.
    fn of(view: RecordView<'_>, hops: &mut Hops) -> Option<Record> {
        let (mut owner, mut rdata) = (NameBuf::new(), Vec::new());
        view.read_owner(hops, &mut owner).ok()?;
        view.read_rdata(hops, &mut rdata).ok()?;
        let RecordView { rr_type, class, ttl, .. } = view;
        Some(Record { owner: owner.as_name().ok()?.to_string(), rr_type, class, ttl: ttl.seconds(), rdata })
    }

    fn rdata_text(&self) -> String {
        format!("{:#}", RdataText { rr_type: self.rr_type, rdata: &self.rdata })
    }
}

fn records(message: &MessageView<'_>, section: SectionKind, hops: &mut Hops) -> Vec<Option<Record>> {
    message.records(section).map(|view| Record::of(view, hops)).collect()
}

/// The RDATA of the answer section, one a line.
pub(super) fn short(message: &MessageView<'_>) -> String {
    let found = records(message, SectionKind::Answer, &mut Hops::of_message());
    found.iter().flatten().map(|record| record.rdata_text() + "\n").collect()
}

/// All of it, in the layout of dig.
pub(super) fn text(message: &MessageView<'_>, replied: &Replied) -> String {
    let mut text = String::new();
    append(message, replied, &mut text).expect("a string takes all that is written to it");
    text
}

fn append(message: &MessageView<'_>, replied: &Replied, out: &mut String) -> std::fmt::Result {
    if replied.was_truncated {
        writeln!(out, ";; the datagram was truncated, so it was asked again over TCP")?;
    }
    let header = message.header();
    writeln!(
        out,
        ";; ->>HEADER<<- opcode: {}, status: {}, id: {}",
        header.flags.opcode(),
        message.rcode(),
        header.id
    )?;
    let flags = FLAGS.iter().filter(|(bit, _)| header.flags.0 & bit != 0);
    let flags: String = flags.map(|(_, [a, b])| format!(" {}{}", char::from(*a), char::from(*b))).collect();
    let [questions, answers, authorities, additionals] = header.counts;
    writeln!(
        out,
        ";; flags:{flags}; QUERY: {questions}, ANSWER: {answers}, AUTHORITY: {authorities}, ADDITIONAL: {additionals}\n"
    )?;
    if let Some(opt) = message.opt() {
        let dnssec_ok = if opt.edns.dnssec_ok { " do" } else { "" };
        let (version, size) = (opt.edns.version, opt.edns.udp_payload_size);
        writeln!(out, ";; OPT PSEUDOSECTION:\n; EDNS: version: {version}, flags:{dnssec_ok}; udp: {size}")?;
        if let Some((code, text)) = opt.extended_error() {
            write!(out, "; EDE: {code}")?;
            if let Some(name) = name_of(code) {
                write!(out, " ({name})")?;
            }
            match text {
                [] => writeln!(out)?,
                text => writeln!(out, ": {}", harmless(text))?,
            }
        }
    }
    if let Some(question) = message.question() {
        writeln!(
            out,
            ";; QUESTION SECTION:\n;{}\t\t{}\t{}",
            question.name, question.class, question.rr_type
        )?;
    }
    let mut hops = Hops::of_message();
    for (section, name, _) in SECTIONS {
        let found = records(message, section, &mut hops);
        if !found.is_empty() {
            writeln!(out, "\n;; {name} SECTION:")?;
        }
        for record in found {
            match record {
                None => writeln!(out, "; a record that cannot be read")?,
                Some(record) => {
                    let Record { owner, rr_type, class, ttl, .. } = &record;
                    writeln!(out, "{owner}\t{ttl}\t{class}\t{rr_type}\t{}", record.rdata_text())?;
                }
            }
        }
    }
    let Replied { server, transport, took, octets, .. } = replied;
    let (ip, port) = (server.ip(), server.port());
    let time = match took.as_millis() {
        0 => format!("{} usec", took.as_micros()),
        milliseconds => format!("{milliseconds} msec"),
    };
    writeln!(out, "\n;; Query time: {time}")?;
    writeln!(out, ";; SERVER: {ip}#{port} ({})", transport.to_uppercase())?;
    writeln!(out, ";; MSG SIZE  rcvd: {}", octets.len())
}

/// Foreign text without what could steer a terminal.
fn harmless(text: &[u8]) -> String {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    String::from_utf8_lossy(text).chars().map(|c| if is_harmful(c) { '?' } else { c }).collect()
}

/// A message object of RFC 8427 2.1 to 2.4. What that has no name for, the way of the reply and the extended error, stands
/// in members that it leaves to others.
pub(super) fn json(message: &MessageView<'_>, replied: &Replied) -> String {
    let header = message.header();
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("ID", json!(header.id));
    let bit = |flag: Flags| json!(u8::from(header.flags.has(flag)));
    put("QR", bit(Flags::QR));
    put("Opcode", json!(header.flags.opcode().0));
    for (name, flag) in [
        ("AA", Flags::AA),
        ("TC", Flags::TC),
        ("RD", Flags::RD),
        ("RA", Flags::RA),
        ("AD", Flags::AD),
        ("CD", Flags::CD),
    ] {
        put(name, bit(flag));
    }
    put("RCODE", json!(message.rcode().0));
    for (name, count) in ["QDCOUNT", "ANCOUNT", "NSCOUNT", "ARCOUNT"].into_iter().zip(header.counts) {
        put(name, json!(count));
    }
    if let Some(question) = message.question() {
        put("QNAME", json!(question.name.to_string()));
        put("QTYPE", json!(question.rr_type.0));
        put("QTYPEname", json!(question.rr_type.to_string()));
        put("QCLASS", json!(question.class.0));
        put("QCLASSname", json!(question.class.to_string()));
    }
    let mut hops = Hops::of_message();
    for (section, _, name) in SECTIONS {
        let found = records(message, section, &mut hops);
        if !found.is_empty() {
            put(name, found.iter().flatten().map(record_json).collect());
        }
    }
    if let Some((code, text)) = message.opt().and_then(|opt| opt.extended_error()) {
        put("EDE", json!([{ "CODE": code.0, "TEXT": harmless(text) }]));
    }
    put("server", json!(replied.server.to_string()));
    put("transport", json!(replied.transport));
    put("rttMicroseconds", json!(replied.took.as_micros() as u64));
    put("msgLength", json!(replied.octets.len()));
    format!("{}\n", Value::Object(object))
}

fn record_json(record: &Record) -> Value {
    let hex: String = record.rdata.iter().map(|octet| format!("{octet:02X}")).collect();
    let mut object = json!({
        "NAME": record.owner,
        "TYPE": record.rr_type.0,
        "TYPEname": record.rr_type.to_string(),
        "CLASS": record.class.0,
        "CLASSname": record.class.to_string(),
        "TTL": record.ttl,
        "RDLENGTH": record.rdata.len(),
        "RDATAHEX": hex,
    });
    if record.rr_type.mnemonic().is_some() {
        object[format!("rdata{}", record.rr_type)] = json!(record.rdata_text());
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        assert_eq!(harmless(b"a\x1b[31mb\nc\xff"), "a?[31mb?c\u{fffd}");
        assert_eq!(harmless("a\u{202e}b".as_bytes()), "a?b");
    }
}
