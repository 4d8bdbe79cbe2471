//! The requests the server takes, read in one pass over the octets without allocating.

use super::message::RecordView;
use super::names::{self, Hops};
use super::opt::{Opt, Wishes};
use super::tsig::TsigRecord;
use super::{Flags, HEADER_OCTETS, Header, WireError, u16_at, u32_at};
use crate::dns::{Edns, NameRef, Opcode, QuestionRef, RrClass, RrType};

/// A well-formed query: opcode QUERY, one question, EDNS version 0 if any.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The header.
    pub header: Header,
    /// The question, its name borrowed from the request.
    pub question: QuestionRef<'a>,
    /// What the OPT record says, if there is one.
    pub edns: Option<Edns>,
    /// What its options ask for.
    pub wishes: Wishes<'a>,
}

/// A request that is not such a query but gets a response.
#[derive(Debug, Clone, Copy)]
pub struct Unusual<'a> {
    /// The header.
    pub header: Header,
    /// The question, if one could be read.
    pub question: Option<QuestionRef<'a>>,
    /// What the OPT record says, if one was found.
    pub edns: Option<Edns>,
    /// What its options ask for.
    pub wishes: Wishes<'a>,
    /// What is the matter.
    pub problem: Problem,
}

/// Why a request is not answered as a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// FORMERR: the octets are no DNS message, or not one that may be a query.
    Malformed,
    /// The opcode is not QUERY: NOTIFY, UPDATE and what nobody implements.
    Opcode(Opcode),
    /// BADVERS: an EDNS version other than 0 (RFC 6891 6.1.3).
    EdnsVersion,
    /// No question but a cookie: the client wants ours (RFC 7873 5.4).
    CookieOnly,
    /// Signed with a key nobody knows here; the octets of the TSIG record begin at this place.
    UnknownKey(usize),
}

/// What a request turned out to be.
#[derive(Debug, Clone, Copy)]
pub enum Scan<'a> {
    /// A query.
    Query(Query<'a>),
    /// Something else that is answered.
    Unusual(Unusual<'a>),
    /// Fewer octets than a header: not answered.
    TooShort,
    /// A response: not answered, for that could go on for ever (RFC 1035 4.1.1).
    Response,
}

impl<'a> Query<'a> {
    /// Reads a request. Whatever the octets, this ends after one pass and never panics.
    pub fn scan(octets: &'a [u8]) -> Scan<'a> {
        let Some(header) = Header::read(octets) else { return Scan::TooShort };
        if header.flags.has(Flags::QR) {
            return Scan::Response;
        }
        let unusual = |question: Option<QuestionRef<'a>>, found: Trailer<'a>, problem| {
            let Trailer { edns, wishes, .. } = found;
            Scan::Unusual(Unusual { header, question, edns, wishes, problem })
        };
        let question = match header.counts[0] {
            1 => read_question(octets),
            _ => None,
        };
        if header.flags.opcode() != Opcode::QUERY {
            let found = question.and_then(|(_, end)| walk_records(octets, header, end).ok());
            let problem = Problem::Opcode(header.flags.opcode());
            return unusual(question.map(|(question, _)| question), found.unwrap_or_default(), problem);
        }
        if header.counts[0] == 0 {
            let found = walk_records(octets, header, HEADER_OCTETS).unwrap_or_default();
            return match found {
                Trailer { wishes: Wishes { cookie: Some(_), .. }, tsig: None, .. } => {
                    unusual(None, found, Problem::CookieOnly)
                }
                _ => unusual(None, Trailer::default(), Problem::Malformed),
            };
        }
        let Some((question, end)) = question else {
            return unusual(None, Trailer::default(), Problem::Malformed);
        };
        match walk_records(octets, header, end) {
            Err(_) => unusual(Some(question), Trailer::default(), Problem::Malformed),
            Ok(found @ Trailer { tsig: Some(at), .. }) => {
                unusual(Some(question), found, Problem::UnknownKey(at))
            }
            Ok(found @ Trailer { edns: Some(Edns { version: 1.., .. }), .. }) => {
                unusual(Some(question), found, Problem::EdnsVersion)
            }
            Ok(Trailer { edns, wishes, .. }) => Scan::Query(Query { header, question, edns, wishes }),
        }
    }
}

/// The question behind the header and where it ends. Its name cannot be compressed: nothing stands before it.
fn read_question(octets: &[u8]) -> Option<(QuestionRef<'_>, usize)> {
    let (name, _) = NameRef::split_from(octets.get(HEADER_OCTETS..)?).ok()?;
    let at = HEADER_OCTETS + name.octet_count();
    let (rr_type, class) = (u16_at(octets, at).ok()?, u16_at(octets, at + 2).ok()?);
    Some((QuestionRef { name, rr_type: RrType(rr_type), class: RrClass(class) }, at + 4))
}

/// What stands behind the question of a request.
#[derive(Default)]
struct Trailer<'a> {
    edns: Option<Edns>,
    wishes: Wishes<'a>,
    /// Where the TSIG record begins.
    tsig: Option<usize>,
}

/// Walks the records behind the question. Each takes eleven octets at least, so the walk is bounded by
/// the message whatever the counts claim.
fn walk_records(octets: &[u8], header: Header, mut at: usize) -> Result<Trailer<'_>, WireError> {
    let [_, answers, authorities, additionals] = header.counts.map(u32::from);
    let before_additional = answers + authorities;
    let mut found = Trailer::default();
    let (mut hops, mut names_followed) = (Hops::of_message(), Vec::new());
    for place in 0..before_additional + additionals {
        // RFC 8945 5.1: TSIG is the last record, and the only one.
        if found.tsig.is_some() {
            return Err(WireError::Rdata);
        }
        let start = at;
        let fixed = names::skip_name(octets, at)?;
        let rr_type = RrType(u16_at(octets, fixed)?);
        let (class, ttl) = (u16_at(octets, fixed + 2)?, u32_at(octets, fixed + 4)?);
        let rdata_at = fixed + 10;
        at = rdata_at + usize::from(u16_at(octets, fixed + 8)?);
        let rdata = octets.get(rdata_at..at).ok_or(WireError::Truncated)?;
        match rr_type {
            RrType::OPT => {
                // RFC 6891 6.1.1: one OPT, in the additional section, owned by the root.
                let is_root = octets[start] == 0;
                if found.edns.is_some() || place < before_additional || !is_root {
                    return Err(WireError::Opt);
                }
                let opt = Opt::read(class, ttl, rdata)?;
                found.wishes = opt.wishes().ok_or(WireError::Rdata)?;
                found.edns = Some(opt.edns);
            }
            RrType::TSIG => {
                TsigRecord::read(octets, start)?;
                if place < before_additional {
                    return Err(WireError::Rdata);
                }
                found.tsig = Some(start);
            }
            // Rare in a request (IXFR and UPDATE have them), and no excuse for octets that are not what they claim.
            _ => {
                names_followed.clear();
                RecordView::read(octets, start)?.read_rdata(&mut hops, &mut names_followed)?;
            }
        }
    }
    if at == octets.len() { Ok(found) } else { Err(WireError::TrailingOctets) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x03www\x07example\0\0\x01\0\x01";
    const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0";

    fn request(flags: u16, counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
        let header = Header { id: 7, flags: Flags(flags), counts };
        [&header.octets(), rest.concat().as_slice()].concat()
    }

    fn outcome(octets: &[u8]) -> String {
        match Query::scan(octets) {
            Scan::Query(query) => {
                format!("query {} {:?}", query.question, query.edns.map(|edns| edns.dnssec_ok))
            }
            Scan::Unusual(unusual) => format!("{:?}", unusual.problem),
            Scan::TooShort => "too short".into(),
            Scan::Response => "response".into(),
        }
    }

    #[test]
    fn requests_are_told_apart() {
        let opt = |ttl: u32, options: &[u8]| {
            let length = options.len() as u16;
            [b"\0\0\x29\x04\xd0", &ttl.to_be_bytes()[..], &length.to_be_bytes(), options].concat()
        };
        let a_record = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x01\x02\x03\x04";
        let rows: &[(&str, Vec<u8>, &str)] = &[
            ("plain", request(0x0100, [1, 0, 0, 0], &[QUESTION]), "query www.example. A None"),
            ("with EDNS", request(0, [1, 0, 0, 1], &[QUESTION, OPT]), "query www.example. A Some(true)"),
            (
                "option",
                request(0, [1, 0, 0, 1], &[QUESTION, &opt(0, b"\xfd\xe9\0\x01x")]),
                "query www.example. A Some(false)",
            ),
            (
                "other record",
                request(0, [1, 0, 1, 1], &[QUESTION, a_record, OPT]),
                "query www.example. A Some(true)",
            ),
            ("short", request(0, [1, 0, 0, 0], &[])[..11].to_vec(), "too short"),
            ("response", request(0x8000, [1, 0, 0, 0], &[QUESTION]), "response"),
            ("no question", request(0, [0, 0, 0, 0], &[]), "Malformed"),
            (
                "no question but a cookie",
                request(0, [0, 0, 0, 1], &[&opt(0, b"\0\x0a\0\x0812345678")]),
                "CookieOnly",
            ),
            ("no question and no cookie", request(0, [0, 0, 0, 1], &[OPT]), "Malformed"),
            ("two questions", request(0, [2, 0, 0, 0], &[QUESTION, QUESTION]), "Malformed"),
            ("cut name", request(0, [1, 0, 0, 0], &[&QUESTION[..6]]), "Malformed"),
            ("cut class", request(0, [1, 0, 0, 0], &[&QUESTION[..14]]), "Malformed"),
            ("pointer in the question", request(0, [1, 0, 0, 0], &[b"\xc0\x0c\0\x01\0\x01"]), "Malformed"),
            ("octets behind", request(0, [1, 0, 0, 0], &[QUESTION, b"x"]), "Malformed"),
            ("count lies", request(0, [1, 0, 0, 65_535], &[QUESTION, OPT]), "Malformed"),
            ("two OPT", request(0, [1, 0, 0, 2], &[QUESTION, OPT, OPT]), "Malformed"),
            ("OPT as answer", request(0, [1, 1, 0, 0], &[QUESTION, OPT]), "Malformed"),
            ("OPT not at the root", request(0, [1, 0, 0, 1], &[QUESTION, b"\x01a", OPT]), "Malformed"),
            ("option overruns", request(0, [1, 0, 0, 1], &[QUESTION, &opt(0, b"\0\x03\0\x09")]), "Malformed"),
            (
                "cookie of 7",
                request(0, [1, 0, 0, 1], &[QUESTION, &opt(0, b"\0\x0a\0\x071234567")]),
                "Malformed",
            ),
            (
                "cookie of 8",
                request(0, [1, 0, 0, 1], &[QUESTION, &opt(0, b"\0\x0a\0\x0812345678")]),
                "query www.example. A Some(false)",
            ),
            ("version 1", request(0, [1, 0, 0, 1], &[QUESTION, &opt(1 << 16, b"")]), "EdnsVersion"),
            ("notify", request(4 << 11, [1, 0, 0, 0], &[QUESTION]), "Opcode(NOTIFY)"),
            ("opcode 9 and rubbish", request(9 << 11, [7, 0, 0, 0], &[b"?"]), "Opcode(OPCODE9)"),
        ];
        for (what, octets, want) in rows {
            assert_eq!(&outcome(octets), want, "{what}");
        }
    }

    #[test]
    fn the_pointers_of_all_records_are_counted_together() {
        let record = b"\xc0\x0c\0\x0f\0\x01\0\0\0\0\0\x04\0\x0a\xc0\x0c";
        for (count, want) in [
            (crate::limits::POINTERS_PER_MESSAGE, "query www.example. A None"),
            (crate::limits::POINTERS_PER_MESSAGE + 1, "Malformed"),
        ] {
            let records = record.repeat(count);
            assert_eq!(outcome(&request(0, [1, count as u16, 0, 0], &[QUESTION, &records])), want);
        }
    }

    #[test]
    fn an_unknown_key_is_found_where_it_may_stand() {
        let rdata = b"\x0bhmac-sha256\0\0\0\x60\0\0\0\x01\x2c\0\x02ab\0\x07\0\0\0\0";
        let tsig =
            [b"\x05nokey\0\0\xfa\0\xff\0\0\0\0".as_slice(), &(rdata.len() as u16).to_be_bytes(), rdata]
                .concat();
        let good = request(0, [1, 0, 0, 1], &[QUESTION, &tsig]);
        assert_eq!(outcome(&good), format!("UnknownKey({})", 12 + QUESTION.len()));
        assert_eq!(outcome(&request(0, [1, 0, 0, 2], &[QUESTION, &tsig, OPT])), "Malformed");
        assert_eq!(outcome(&request(0, [1, 1, 0, 0], &[QUESTION, &tsig])), "Malformed");
        let mut class_in = tsig.clone();
        class_in[10] = 1;
        assert_eq!(outcome(&request(0, [1, 0, 0, 1], &[QUESTION, &class_in])), "Malformed");
    }
}
