//! Messages of nearly 64 KiB, each made to cost as much as it can in one place.

use namu::wire::{Flags, HEADER_OCTETS, Header};

/// Octets of the largest message there is.
const MOST: usize = 65_535;
/// What all of them ask: `www.example.`, A.
const QUESTION: &[u8] = b"\x03www\x07example\0\0\x01\0\x01";
/// The owner of that question, as a pointer.
const ASKED: &[u8] = b"\xc0\x0c";

const A: u16 = 1;
const SOA: u16 = 6;
const TXT: u16 = 16;
const RP: u16 = 17;
const OPT: u16 = 41;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const SVCB: u16 = 64;
const TSIG: u16 = 250;
/// A type that is opaque here.
const UNKNOWN: u16 = 65_280;

/// Each with its name. Replies; [`as_request`] makes requests of them.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a chain of 8000 pointers, asked for 3000 times", pointer_chain()),
        ("as many pointers a name as are followed", longest_chains()),
        ("the longest name, asked for by pointers", longest_names(UNKNOWN, 0)),
        ("the longest names in RDATA of two names", longest_names(RP, 2)),
        ("long names that differ at their end", names_that_differ_late()),
        ("65500 empty strings in one TXT", one_record(TXT, &[0; 65_400])),
        ("empty records without end", many_records(|_| (UNKNOWN, vec![]))),
        ("an OPT of 16370 options", additional(OPT, &b"\0\x03\0\0".repeat(16_340))),
        ("an SVCB of 16000 keys", one_record(SVCB, &svcb(16_000, false))),
        ("an SVCB that demands all its keys", one_record(SVCB, &svcb(10_800, true))),
        ("an NSEC of all types", one_record(NSEC, &all_types())),
        ("4300 addresses of the root", many_records(|n| (A, (n as u32).to_be_bytes().to_vec()))),
        ("one address 4000 times", many_records(|_| (A, vec![192, 0, 2, 1]))),
        ("TXT records that differ at their end", many_records(|n| (TXT, text_that_differs_late(n)))),
        (
            "as many RRsets of one owner as are told apart",
            many_records(|n| (60_000 + n as u16 % 256, vec![n as u8])),
        ),
        ("more RRsets of one owner than are told apart", many_records(|n| (60_000 + n as u16, vec![]))),
        ("signatures of as many types", many_records(|n| (RRSIG, signature(n as u16 % 250, n)))),
        ("RRsets of as many owners as are told apart", many_owners()),
        ("SOA records whose names are pointers", many_records(|n| (SOA, soa(n)))),
        (
            "TSIG with a long MAC",
            additional(TSIG, &[&b"\0\0\0\0\0\0\0\0\0\xff\x00"[..], &[0; 65_286]].concat()),
        ),
        ("counts of 65535 and nothing else", counts_without_records([65_535; 4])),
        ("a count of 65535 questions", counts_without_records([65_535, 0, 0, 0])),
        ("a count of 65535 answers", counts_without_records([1, 65_535, 0, 0])),
        ("a count of 65535 additional records", counts_without_records([1, 0, 0, 65_535])),
    ]
}

/// The same octets with QR clear.
pub fn as_request(message: &[u8]) -> Vec<u8> {
    let mut octets = message.to_vec();
    octets[2] &= 0x7f;
    octets
}

/// A message under construction: the records follow each other in one section.
struct Draft {
    octets: Vec<u8>,
    records: u16,
}

impl Draft {
    fn new() -> Draft {
        Draft { octets: [&[0; HEADER_OCTETS], QUESTION].concat(), records: 0 }
    }

    /// Adds a record unless it would not fit. Whether it did.
    fn add(&mut self, owner: &[u8], rr_type: u16, rdata: &[u8]) -> bool {
        if self.octets.len() + owner.len() + 10 + rdata.len() > MOST {
            return false;
        }
        let (class, ttl): (u16, u32) = match rr_type {
            OPT => (1232, 0),
            TSIG => (255, 0),
            _ => (1, 300),
        };
        self.octets.extend_from_slice(owner);
        self.octets.extend(rr_type.to_be_bytes());
        self.octets.extend(class.to_be_bytes());
        self.octets.extend(ttl.to_be_bytes());
        self.octets.extend((rdata.len() as u16).to_be_bytes());
        self.octets.extend_from_slice(rdata);
        self.records += 1;
        true
    }

    /// The message with all records in the answer (1) or additional (3) section.
    fn finish(mut self, section: usize) -> Vec<u8> {
        let mut counts = [1, 0, 0, 0];
        counts[section] = self.records;
        let header = Header { id: 7, flags: Flags::QR, counts };
        self.octets[..HEADER_OCTETS].copy_from_slice(&header.octets());
        self.octets
    }
}

fn one_record(rr_type: u16, rdata: &[u8]) -> Vec<u8> {
    let mut draft = Draft::new();
    assert!(draft.add(ASKED, rr_type, rdata));
    draft.finish(1)
}

fn additional(rr_type: u16, rdata: &[u8]) -> Vec<u8> {
    let mut draft = Draft::new();
    assert!(draft.add(&[0], rr_type, rdata));
    draft.finish(3)
}

/// As many records of the question's owner as fit.
fn many_records(record: impl Fn(usize) -> (u16, Vec<u8>)) -> Vec<u8> {
    let mut draft = Draft::new();
    for number in 0.. {
        let (rr_type, rdata) = record(number);
        let owner: &[u8] = if rr_type == A { &[0] } else { ASKED };
        if !draft.add(owner, rr_type, &rdata) {
            break;
        }
    }
    draft.finish(1)
}

fn pointer(to: usize) -> [u8; 2] {
    (0xc000 | to as u16).to_be_bytes()
}

fn pointer_chain() -> Vec<u8> {
    let mut draft = Draft::new();
    let first = draft.octets.len() + 12;
    // Each pointer leads to the one before it; the first to the question.
    let chain: Vec<u8> = (0..8000)
        .flat_map(|hop: usize| pointer(if hop == 0 { HEADER_OCTETS } else { first + 2 * (hop - 1) }))
        .collect();
    draft.add(ASKED, UNKNOWN, &chain);
    let last = pointer(first + chain.len() - 2);
    while draft.add(&last, UNKNOWN, &[]) {}
    draft.finish(1)
}

fn longest_chains() -> Vec<u8> {
    let mut draft = Draft::new();
    let first = draft.octets.len() + 12;
    let links = namu::limits::POINTERS_PER_NAME - 1;
    let chain: Vec<u8> = (0..links)
        .flat_map(|hop: usize| pointer(if hop == 0 { HEADER_OCTETS } else { first + 2 * (hop - 1) }))
        .collect();
    draft.add(ASKED, UNKNOWN, &chain);
    let last = pointer(first + chain.len() - 2);
    while draft.add(&last, UNKNOWN, &[]) {}
    draft.finish(1)
}

/// A record with a name of 127 labels, and then as many as fit that point to it: the owner, and so many names in RDATA.
fn longest_names(rr_type: u16, names_in_rdata: usize) -> Vec<u8> {
    let mut draft = Draft::new();
    let name = pointer(draft.octets.len() + 12);
    draft.add(ASKED, UNKNOWN, &[&b"\x01a".repeat(127)[..], &[0]].concat());
    while draft.add(&name, rr_type, &name.repeat(names_in_rdata)) {}
    draft.finish(1)
}

/// Owners of 250 octets that share all but their last label, asked for in turn.
fn names_that_differ_late() -> Vec<u8> {
    let mut draft = Draft::new();
    let mut owners = Vec::new();
    for number in 0..60u8 {
        let at = draft.octets.len();
        let owner = [&b"\x01a".repeat(124)[..], &[1, number, 0]].concat();
        draft.add(&owner, UNKNOWN, &[]);
        owners.push(pointer(at));
    }
    for number in 0.. {
        if !draft.add(&owners[number % owners.len()], UNKNOWN, &[]) {
            break;
        }
    }
    draft.finish(1)
}

/// 256 owners, and records of them in turn.
fn many_owners() -> Vec<u8> {
    let mut draft = Draft::new();
    let mut owners = Vec::new();
    for number in 0..=255u8 {
        owners.push(pointer(draft.octets.len()));
        draft.add(&[&[1, number][..], ASKED].concat(), UNKNOWN, &[]);
    }
    for number in 0..900 {
        draft.add(&owners[number % owners.len()], UNKNOWN, &(number as u16).to_be_bytes());
    }
    draft.finish(1)
}

fn svcb(keys: u16, mandatory: bool) -> Vec<u8> {
    let mut rdata = b"\0\x01\0".to_vec();
    // Keys without rules of their own.
    let keys = 1000..1000 + keys;
    if mandatory {
        rdata.extend([0, 0]);
        rdata.extend((2 * keys.len() as u16).to_be_bytes());
        rdata.extend(keys.clone().flat_map(u16::to_be_bytes));
    }
    for key in keys {
        rdata.extend(key.to_be_bytes());
        rdata.extend([0, 0]);
    }
    rdata
}

fn all_types() -> Vec<u8> {
    let windows = (0..=255u8).flat_map(|window| [&[window, 32][..], &[255; 32]].concat());
    [0].into_iter().chain(windows).collect()
}

fn text_that_differs_late(number: usize) -> Vec<u8> {
    [&[200][..], &[b'x'; 198], &(number as u16).to_be_bytes()].concat()
}

fn signature(covers: u16, number: usize) -> Vec<u8> {
    [&covers.to_be_bytes()[..], &[0; 16], &[0], &(number as u32).to_be_bytes()].concat()
}

fn soa(number: usize) -> Vec<u8> {
    [ASKED, ASKED, &[0; 16], &(number as u32).to_be_bytes()].concat()
}

fn counts_without_records(counts: [u16; 4]) -> Vec<u8> {
    let header = Header { id: 7, flags: Flags::QR, counts };
    [&header.octets(), QUESTION].concat()
}
