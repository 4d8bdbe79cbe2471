//! Proofs, true and false.

mod bounds;
mod examples;
mod false_proofs;
mod mirror;

use super::*;
use crate::dns::{Name, RecordsBuf, RrType, Rrset, RrsetRef, Ttl};
use crate::zonefile::{Files, NoIncludes, parse};

/// What an answer says, which is to be proven.
#[derive(Debug, Clone)]
enum Claim {
    NxDomain,
    NoData(RrType),
    /// Made of the wildcard below this name.
    Wildcard(&'static str),
    /// Not a claim: what the parent zone says of a delegation.
    NoDs,
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn rrset(owner: &str, rr_type: RrType, rdata: &[u8]) -> Rrset {
    Rrset::new(name(owner), rr_type, Ttl::ZERO, [rdata].into_iter().collect(), RecordsBuf::new())
}

/// The records of lines of a zone file whose origin is `example.`
fn records(lines: &str) -> Vec<Rrset> {
    let mut files = Files::new("zone", format!("$TTL 3600\n{lines}\n").into_bytes());
    let mut rrsets = Vec::new();
    parse(&mut files, name("example.").as_ref(), &NoIncludes, &mut |record| {
        rrsets.push(rrset(&record.owner.to_string(), record.rr_type, record.rdata));
    })
    .unwrap();
    rrsets
}

fn evidence<'a>(apex: &'a Name, rrsets: &'a [Rrset]) -> Evidence<'a> {
    Evidence::new(apex.as_ref(), rrsets.iter().map(Rrset::view))
}

/// What the check of a claim finds, as text.
fn found(evidence: &Evidence<'_>, claim: &Claim, asked: &str, hashes: &mut Hashes) -> String {
    let asked = name(asked);
    let denial = match claim {
        Claim::NxDomain => check_nxdomain(evidence, asked.as_ref(), hashes),
        Claim::NoData(rr_type) => check_nodata(evidence, asked.as_ref(), *rr_type, hashes),
        Claim::Wildcard(encloser) => {
            check_wildcard_answer(evidence, asked.as_ref(), name(encloser).as_ref(), hashes)
        }
        Claim::NoDs => return format!("{:?}", check_no_ds(evidence, asked.as_ref(), hashes)),
    };
    format!("{denial:?}")
}

/// A line with an NSEC3 record for a name: the span ends right behind its hash, or begins right before it when `is_covered`.
fn nsec3_line(of: &str, is_covered: bool, types: &str) -> String {
    let hash = super::super::nsec3::hash(name(of).as_ref(), 0, b"");
    let (before, after) = (neighbour(hash, false), neighbour(hash, true));
    let text = |hash: super::super::OwnerHash| {
        let mut buf = NameBuf::new();
        let owner = hash.owner(NameRef::ROOT, &mut buf).unwrap().to_string();
        owner.trim_end_matches('.').to_owned()
    };
    let owner = text(if is_covered { before } else { hash });
    format!("{owner} NSEC3 1 0 0 - {} {types}\n", text(after))
}

/// The next or the last number, as if the hash were one.
fn neighbour(hash: super::super::OwnerHash, is_after: bool) -> super::super::OwnerHash {
    let mut octets = hash.0;
    for octet in octets.iter_mut().rev() {
        let (changed, goes_on) = if is_after { octet.overflowing_add(1) } else { octet.overflowing_sub(1) };
        *octet = changed;
        if !goes_on {
            break;
        }
    }
    super::super::OwnerHash(octets)
}
