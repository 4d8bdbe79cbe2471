//! The words of MATCH: each compares an entry with a message that was received.

use namu::dns::{Question, RrType};

use crate::message::{Message, Record};

const EXTENDED_ERROR: u16 = 15;
const NSID: u16 = 3;

/// One word of MATCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    Opcode,
    Rcode,
    Qtype,
    Qname,
    Qcase,
    Subdomain,
    Flags,
    Answer,
    Authority,
    Additional,
    Proof,
    Ttl,
    /// Any code, or this one.
    ExtendedError(Option<u16>),
    Edns,
    Nsid,
}

use Match::*;

impl Match {
    /// What a word stands for; some for several.
    pub fn read(word: &str) -> Result<Vec<Match>, String> {
        Ok(match word.to_ascii_lowercase().as_str() {
            "opcode" => vec![Opcode],
            "rcode" => vec![Rcode],
            "qtype" => vec![Qtype],
            "qname" => vec![Qname],
            "qcase" => vec![Qcase],
            "subdomain" => vec![Subdomain],
            "question" => vec![Qtype, Qname],
            "flags" => vec![Flags],
            "answer" => vec![Answer],
            "authority" => vec![Authority],
            "additional" => vec![Additional],
            "proof" => vec![Proof],
            "all" => vec![Opcode, Qtype, Qname, Flags, Rcode, Answer, Authority, Additional],
            "ttl" => vec![Ttl],
            "edns" => vec![Edns],
            "nsid" => vec![Nsid],
            "ede=any" => vec![ExtendedError(None)],
            word => match word.strip_prefix("ede=").map(str::parse) {
                Some(Ok(code)) => vec![ExtendedError(Some(code))],
                _ => return Err(format!("unknown word of MATCH `{word}`")),
            },
        })
    }

    fn agrees(self, words: &[Match], entry: &Message, received: &Message) -> bool {
        let ttl = words.contains(&Ttl);
        let section = |at: usize| are_same(&entry.sections[at], &received.sections[at], ttl, |_| true);
        match self {
            Opcode => entry.flags.opcode() == received.flags.opcode(),
            Rcode => entry.rcode == received.rcode,
            Qtype => both(entry, received, |a, b| a.rr_type == b.rr_type),
            Qname => both(entry, received, |a, b| a.name == b.name),
            Qcase => both(entry, received, |a, b| a.name.octets() == b.name.octets()),
            Subdomain => match (&entry.question, &received.question) {
                (None, _) => true,
                (Some(above), Some(below)) => below.name.as_ref().is_at_or_below(above.name.as_ref()),
                (Some(_), None) => false,
            },
            Flags => all_flags(entry) == all_flags(received),
            Answer => section(0),
            Authority => section(1),
            Additional => section(2),
            Proof => are_same(&entry.sections[1], &received.sections[1], ttl, is_proof),
            // Said together with a section.
            Ttl => true,
            ExtendedError(code) => has_extended_error(received, code),
            Edns => edns_state(entry) == edns_state(received),
            Nsid => nsid(entry) == nsid(received),
        }
    }
}

/// The first word that does not agree.
pub fn first_difference(words: &[Match], entry: &Message, received: &Message) -> Option<Match> {
    words.iter().copied().find(|word| !word.agrees(words, entry, received))
}

fn both(entry: &Message, received: &Message, same: impl Fn(&Question, &Question) -> bool) -> bool {
    match (&entry.question, &received.question) {
        (Some(entry), Some(received)) => same(entry, received),
        (None, None) => true,
        _ => false,
    }
}

fn all_flags(message: &Message) -> u16 {
    // QR AA TC RD RA AD CD.
    message.flags.only(namu::wire::Flags(0x87b0)).0
}

/// Whether two sections hold the same records of those `counted`.
fn are_same(entry: &[Record], received: &[Record], ttl: bool, counted: impl Fn(&Record) -> bool) -> bool {
    let key = |record: &Record| {
        let owner = record.owner.octets().to_ascii_lowercase();
        ((owner, record.rr_type.0, record.class.0, record.rdata.clone()), record.ttl)
    };
    let sorted = |records: &[Record]| {
        let mut records: Vec<_> = records.iter().filter(|record| counted(record)).map(key).collect();
        records.sort();
        records
    };
    let (entry, received) = (sorted(entry), sorted(received));
    let is_same =
        |((a, a_ttl), (b, b_ttl)): (&(_, u32), &(_, u32))| a == b && (!ttl || a_ttl.abs_diff(*b_ttl) <= 2);
    entry.len() == received.len() && entry.iter().zip(&received).all(is_same)
}

/// What a denial or an insecure delegation is shown with, and the signatures of these.
fn is_proof(record: &Record) -> bool {
    let is_kind = |rr_type| matches!(rr_type, RrType::SOA | RrType::NSEC | RrType::NSEC3 | RrType::DS);
    match (record.rr_type, record.rdata.as_slice()) {
        (RrType::RRSIG, [high, low, ..]) => is_kind(RrType(u16::from_be_bytes([*high, *low]))),
        (rr_type, _) => is_kind(rr_type),
    }
}

fn has_extended_error(message: &Message, wanted: Option<u16>) -> bool {
    let options = message.edns.iter().flat_map(|edns| &edns.options);
    let mut errors = options.filter(|(code, _)| *code == EXTENDED_ERROR);
    errors.any(|(_, data)| match data.as_slice() {
        [high, low, ..] => wanted.is_none_or(|wanted| wanted == u16::from_be_bytes([*high, *low])),
        _ => false,
    })
}

fn edns_state(message: &Message) -> Option<(u8, u16)> {
    message.edns.as_ref().map(|edns| (edns.version, edns.payload))
}

fn nsid(message: &Message) -> Option<&[u8]> {
    let mut options = message.edns.iter().flat_map(|edns| &edns.options);
    options.find(|(code, _)| *code == NSID).map(|(_, data)| data.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::entry;

    #[test]
    fn words_compare_what_they_name_and_nothing_else() {
        let base = "REPLY QR RD RA|SECTION QUESTION|www.a. A|SECTION ANSWER|www.a. 60 A 192.0.2.1|\
                    www.a. 60 A 192.0.2.2|SECTION AUTHORITY|a. SOA a. b. 1 2 3 4 5|a. NS ns.a.";
        let with = |from: &str, to: &str| base.replace(from, to);
        let rows = [
            ("all", base.to_string(), true),
            (
                "all",
                with(
                    "www.a. 60 A 192.0.2.1|www.a. 60 A 192.0.2.2",
                    "WWW.a. 9 A 192.0.2.2|www.a. 60 A 192.0.2.1",
                ),
                true,
            ),
            ("all", with("192.0.2.2", "192.0.2.3"), false),
            ("answer", with("|www.a. 60 A 192.0.2.2", ""), false),
            ("answer ttl", with("60 A 192.0.2.2", "62 A 192.0.2.2"), true),
            ("answer ttl", with("60 A 192.0.2.2", "63 A 192.0.2.2"), false),
            ("answer", with("NS ns.a.", "NS ns2.a."), true),
            ("authority", with("NS ns.a.", "NS ns2.a."), false),
            ("proof", with("NS ns.a.", "NS ns2.a."), true),
            ("proof", with("1 2 3", "2 2 3"), false),
            (
                "proof",
                with("a. NS", "a. RRSIG NSEC 8 1 5 20300101000000 20200101000000 1 a. AAAA|a. NS"),
                false,
            ),
            ("proof", with("a. NS", "a. RRSIG NS 8 1 5 20300101000000 20200101000000 1 a. AAAA|a. NS"), true),
            ("flags", with(" RA", ""), false),
            ("flags", with(" RA", " RA NXDOMAIN DO"), true),
            ("rcode", with(" RA", " RA NXDOMAIN"), false),
            ("opcode", with(" RA", " RA NOTIFY"), false),
            ("qname qtype", with("QUESTION|www.a. A", "QUESTION|WWW.a. A"), true),
            ("qcase", with("QUESTION|www.a. A", "QUESTION|WWW.a. A"), false),
            ("qtype", with("QUESTION|www.a. A", "QUESTION|www.a. AAAA"), false),
            ("question", with("QUESTION|www.a. A", "QUESTION|w.a. A"), false),
            ("qname", with("QUESTION|www.a. A", "QUESTION"), false),
            ("subdomain", with("QUESTION|www.a. A", "QUESTION|x.www.a. AAAA"), true),
            ("subdomain", with("QUESTION|www.a. A", "QUESTION|a. A"), false),
            ("ede=any", base.to_string(), false),
            ("nsid", base.to_string(), true),
        ];
        for (words, received, want) in rows {
            let (entry_text, received) =
                (format!("MATCH {words}|{base}"), format!("MATCH opcode|{received}"));
            let (entry, received) = (entry(&entry_text), entry(&received));
            let difference = first_difference(&entry.matches, &entry.message, &received.message);
            assert_eq!(difference.is_none(), want, "{words}: {received:?}");
        }
    }

    #[test]
    fn extended_errors_are_found_by_code() {
        let entry = entry("MATCH opcode|REPLY QR SERVFAIL");
        let mut received = entry.message.clone();
        received.edns.get_or_insert_default().options = vec![(15, vec![0, 22]), (15, vec![0, 9, b'x'])];
        for (word, want) in [("ede=any", true), ("ede=22", true), ("ede=9", true), ("ede=6", false)] {
            let words = Match::read(word).unwrap();
            assert_eq!(first_difference(&words, &entry.message, &received).is_none(), want, "{word}");
        }
    }
}
