//! From the records of one owner name to its RRsets: duplicates, TTLs, signatures.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::check::Problem;
use super::packed::Content;
use crate::dns::rdata_table::{Field, fixed_octets, format_of};
use crate::dns::{NameRef, RrType, Ttl};

/// Records of one RRset up to which each is compared with each; more are sorted.
const FEW: usize = 8;

/// A record of the zone being built.
#[derive(Clone, Copy)]
pub(super) struct Record<'a, M> {
    pub(super) rr_type: RrType,
    pub(super) ttl: Ttl,
    pub(super) rdata: &'a [u8],
    pub(super) mark: M,
}

impl<M> Record<'_, M> {
    /// Groups records into RRsets, and RRSIG records by what they cover.
    pub(super) fn sort_key(&self) -> (RrType, RrType) {
        (self.rr_type, self.covered())
    }

    /// The type an RRSIG covers (RFC 4034 3.1.1); 0 for other records.
    pub(super) fn covered(&self) -> RrType {
        match (self.rr_type, self.rdata) {
            (RrType::RRSIG, [high, low, ..]) => RrType(u16::from_be_bytes([*high, *low])),
            _ => RrType(0),
        }
    }
}

/// Fills `content` with the RRsets of records that are sorted by [`Record::sort_key`]. Duplicates become one record, the
/// first (RFC 2181 5), and `odd` hears of them with the record they repeat. Of different TTLs in an RRset the lowest is
/// taken (RFC 2181 5.2), and `odd` hears of the first two records that differ. An RRSIG takes the TTL of what it covers;
/// where that does not exist it stays in an RRset of type RRSIG, so that nothing is lost.
pub(super) fn merge<'r, M: Copy>(
    records: &[Record<'r, M>],
    content: &mut Content,
    mut odd: impl FnMut(Problem, &Record<'r, M>, &Record<'r, M>),
) {
    content.clear();
    let signatures = {
        let start = records.partition_point(|record| record.rr_type < RrType::RRSIG);
        let end = records.partition_point(|record| record.rr_type <= RrType::RRSIG);
        &records[start..end]
    };
    let signatures_of = |rr_type: RrType| {
        let start = signatures.partition_point(|signature| signature.covered() < rr_type);
        let end = signatures.partition_point(|signature| signature.covered() <= rr_type);
        &signatures[start..end]
    };
    let has = |rr_type: RrType| {
        rr_type != RrType::RRSIG && records.binary_search_by_key(&rr_type, |record| record.rr_type).is_ok()
    };
    for rrset in records.chunk_by(|a, b| a.rr_type == b.rr_type) {
        let rr_type = rrset[0].rr_type;
        let orphans: Vec<Record<'r, M>>;
        let rrset = if rr_type == RrType::RRSIG {
            orphans = rrset.iter().filter(|signature| !has(signature.covered())).copied().collect();
            &orphans[..]
        } else {
            rrset
        };
        let Some(ttl) = rrset.iter().map(|record| record.ttl).min() else {
            continue;
        };
        if let Some(other) =
            rrset.iter().find(|record| record.ttl != rrset[0].ttl && rr_type != RrType::RRSIG)
        {
            odd(Problem::TtlsDiffer(rr_type), other, &rrset[0]);
        }
        let covering = if rr_type == RrType::RRSIG { &[] } else { signatures_of(rr_type) };
        let (kept, kept_covering) = (distinct(rrset), distinct(covering));
        // Tools that write what a transfer gave them end with the SOA once more (RFC 5936 2.2).
        let is_odd =
            rr_type != RrType::SOA && kept.len() < rrset.len() || kept_covering.len() < covering.len();
        if is_odd {
            for repeated in [rrset, covering] {
                each_duplicate(repeated, |again, first| odd(Problem::Duplicate(again.rr_type), again, first));
            }
        }
        content.push(rr_type, ttl, kept.into_iter(), kept_covering.into_iter());
    }
}

/// The RDATA of records of one type without duplicates, in their order.
pub(super) fn distinct<'r, M>(records: &[Record<'r, M>]) -> SmallVec<[&'r [u8]; FEW]> {
    let mut kept: SmallVec<[&'r [u8]; FEW]> = SmallVec::new();
    let mut seen = BTreeSet::new();
    for record in records {
        let is_new = match records.len() {
            0..=FEW => !kept.iter().any(|other| is_same_rdata(record.rr_type, record.rdata, other)),
            _ => seen.insert(folded(record.rr_type, record.rdata)),
        };
        if is_new {
            kept.push(record.rdata);
        }
    }
    kept
}

/// Tells of each record that repeats one before it, and of that one.
fn each_duplicate<'r, M>(records: &[Record<'r, M>], mut tell: impl FnMut(&Record<'r, M>, &Record<'r, M>)) {
    let mut seen = BTreeMap::new();
    for record in records {
        let first = *seen.entry(folded(record.rr_type, record.rdata)).or_insert(record);
        if !std::ptr::eq(first, record) {
            tell(record, first);
        }
    }
}

/// Whether two RDATA of a type are the same record: names of the types that RFC 4034 6.2 folds compare without case.
pub(super) fn is_same_rdata(rr_type: RrType, a: &[u8], b: &[u8]) -> bool {
    a == b || a.eq_ignore_ascii_case(b) && folded(rr_type, a) == folded(rr_type, b)
}

/// See [`fold_into`].
fn folded(rr_type: RrType, rdata: &[u8]) -> Vec<u8> {
    let mut folded = Vec::new();
    fold_into(rr_type, rdata, &mut folded);
    folded
}

/// Appends RDATA with the names that fold in lower case. What is not of its type's format stays as it is from there on.
pub(super) fn fold_into(rr_type: RrType, rdata: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(rdata);
    let folded = &mut out[start..];
    let mut at = 0;
    for field in format_of(rr_type).map_or(&[][..], |format| format.fields) {
        let rest = &rdata[at..];
        let octets = match field {
            Field::CompressibleName | Field::FoldedName | Field::PlainName => match NameRef::split_from(rest)
            {
                Ok((name, _)) => name.octet_count(),
                Err(_) => break,
            },
            Field::Text => 1 + rest.first().map_or(0, |length| *length as usize),
            // Whatever runs to the end, or has names behind it in no format that folds any.
            field => fixed_octets(*field).unwrap_or(rest.len()),
        };
        if octets > rest.len() {
            break;
        }
        if matches!(field, Field::CompressibleName | Field::FoldedName) {
            folded[at..at + octets].make_ascii_lowercase();
        }
        at += octets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_fold_compare_without_case() {
        for (rr_type, a, b, same) in [
            (RrType::NS, &b"\x01a\0"[..], &b"\x01A\0"[..], true),
            (RrType::MX, b"\0A\x01a\0", b"\0A\x01A\0", true),
            (RrType::MX, b"\0A\x01a\0", b"\0a\x01a\0", false),
            (RrType::RP, b"\x01a\0\x01b\0", b"\x01A\0\x01B\0", true),
            (RrType::NAPTR, b"\0\0\0\0\x01s\0\0\x01a\0", b"\0\0\0\0\x01s\0\0\x01A\0", true),
            (RrType::NAPTR, b"\0\0\0\0\x01s\0\0\x01a\0", b"\0\0\0\0\x01S\0\0\x01a\0", false),
            (RrType::TXT, b"\x01a", b"\x01A", false),
            (RrType::SVCB, b"\0\0\x01a\0", b"\0\0\x01A\0", false),
            (RrType(65_280), b"\x01a\0", b"\x01A\0", false),
            // Not of the format: compared as it is.
            (RrType::NS, b"\x05a", b"\x05A", false),
            (RrType::NAPTR, b"\0\0\0\0\xffa", b"\0\0\0\0\xffA", false),
        ] {
            assert_eq!(is_same_rdata(rr_type, a, b), same, "{rr_type} {a:?} {b:?}");
        }
    }

    #[test]
    fn many_records_lose_their_duplicates_as_few_do() {
        let octets: Vec<[u8; 1]> = (0..40u8).map(|number| [number % 20]).collect();
        let records: Vec<Record<'_, ()>> = octets
            .iter()
            .map(|rdata| Record { rr_type: RrType::TXT, ttl: Ttl::ZERO, rdata, mark: () })
            .collect();
        let first_twenty: Vec<&[u8]> = octets[..20].iter().map(|octets| &octets[..]).collect();
        assert_eq!(distinct(&records).as_slice(), first_twenty);
    }
}
