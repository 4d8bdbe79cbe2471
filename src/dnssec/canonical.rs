//! The canonical form of RRsets: the octets that signatures cover (RFC 4034 section 6).

use crate::dns::name::MAX_NAME_OCTETS;
use crate::dns::rdata::split_field;
use crate::dns::rdata_rare::SplitAddress;
use crate::dns::rdata_table::{Field, Format, format_of};
use crate::dns::{NameRef, RecordsBuf, RrType, RrsetRef};
use crate::limits;

use super::rrsig::Rrsig;
use super::verify::Unverified;

/// An RRset whose records were put in canonical form and order, once for all signatures that cover it.
#[derive(Debug, Clone)]
pub struct Canonical<'a> {
    /// The RRset as it came.
    pub rrset: RrsetRef<'a>,
    /// Its records, each once.
    records: RecordsBuf,
}

impl<'a> Canonical<'a> {
    /// Sorts the records.
    pub fn of(rrset: RrsetRef<'a>) -> Canonical<'a> {
        Canonical { rrset, records: records(rrset) }
    }

    /// The octets that a signature with these fields covers (RFC 4034 3.1.8.1, RFC 4035 5.3.2): its RDATA without the
    /// signature, then the records with the owner and the TTL that they were signed with.
    pub fn signed_octets(&self, rrsig: &Rrsig<'_>) -> Result<Vec<u8>, Unverified> {
        let mut owner = [0; MAX_NAME_OCTETS + 2];
        let owner = signed_owner(self.rrset.owner, rrsig, &mut owner)?;
        let records = self.records.as_records();
        let each = owner.len() + 8;
        // What is packed has two octets of length with each record, which are signed too.
        let length = rrsig_octets(rrsig) + records.packed().len() + records.count() * each;
        if length > limits::SIGNED_OCTETS {
            return Err(Unverified::TooLong);
        }
        let mut octets = Vec::with_capacity(length);
        push_rrsig(rrsig, &mut octets);
        for rdata in records {
            octets.extend_from_slice(owner);
            octets.extend_from_slice(&self.rrset.rr_type.0.to_be_bytes());
            octets.extend_from_slice(&self.rrset.class.0.to_be_bytes());
            // RFC 4034 6.2: the TTL of the zone, whatever is left of it.
            octets.extend_from_slice(&rrsig.original_ttl.to_be_bytes());
            octets.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
            octets.extend_from_slice(rdata);
        }
        debug_assert_eq!(octets.len(), length);
        Ok(octets)
    }
}

/// The records of an RRset in canonical form and order, each once (RFC 4034 6.2 and 6.3).
pub fn records(rrset: RrsetRef<'_>) -> RecordsBuf {
    let folding = format_of(rrset.rr_type).filter(|format| format.fields.iter().any(has_folded_name));
    let Some(format) = folding else {
        return sorted(rrset.records.iter().collect());
    };
    let folded: Vec<Vec<u8>> = rrset.records.iter().map(|rdata| folded(format, rdata)).collect();
    sorted(folded.iter().map(Vec::as_slice).collect())
}

/// One record's RDATA in canonical form: names folded in the types that RFC 4034 6.2 lists and RFC 6840 5.1 corrects.
/// Octets that are not of the format of their type stay as they are from there on.
pub fn rdata(rr_type: RrType, rdata: &[u8]) -> Vec<u8> {
    format_of(rr_type).map_or_else(|| rdata.to_vec(), |format| folded(format, rdata))
}

/// RFC 4034 6.3: by octets from the left, a beginning before the whole; of records that are equal one is left.
fn sorted(mut records: Vec<&[u8]>) -> RecordsBuf {
    records.sort_unstable();
    records.dedup();
    records.into_iter().collect()
}

fn has_folded_name(field: &Field) -> bool {
    matches!(field, Field::CompressibleName | Field::FoldedName | Field::SplitAddress)
}

fn folded(format: &Format, rdata: &[u8]) -> Vec<u8> {
    let mut octets = rdata.to_vec();
    let mut rest = rdata;
    for field in format.fields {
        let Ok((front, after)) = split_field(*field, rest) else { break };
        let (from, to) = (rdata.len() - rest.len(), rdata.len() - after.len());
        match field {
            // Length octets are below 64 and so untouched by the folding of A to Z.
            Field::CompressibleName | Field::FoldedName => octets[from..to].make_ascii_lowercase(),
            Field::SplitAddress => {
                let name = SplitAddress::split_from(front).and_then(|address| address.prefix_name);
                octets[to - name.map_or(0, NameRef::octet_count)..to].make_ascii_lowercase();
            }
            _ => {}
        }
        rest = after;
    }
    octets
}

/// The owner that was signed, folded: the RRset's own, or the wildcard that it was made from (RFC 4035 5.3.2).
fn signed_owner<'b>(
    owner: NameRef<'_>,
    rrsig: &Rrsig<'_>,
    buf: &'b mut [u8; MAX_NAME_OCTETS + 2],
) -> Result<&'b [u8], Unverified> {
    let (asterisk, name): (&[u8], _) = match rrsig.closest_encloser(owner)? {
        None => (b"", owner),
        Some(encloser) => (b"\x01*", encloser),
    };
    let length = asterisk.len() + name.octet_count();
    buf[..asterisk.len()].copy_from_slice(asterisk);
    buf[asterisk.len()..length].copy_from_slice(name.octets());
    buf[..length].make_ascii_lowercase();
    Ok(&buf[..length])
}

fn rrsig_octets(rrsig: &Rrsig<'_>) -> usize {
    super::rrsig::FIXED_OCTETS + rrsig.signer.octet_count()
}

/// RDATA of an RRSIG without the signature, the signer's name folded (RFC 4034 3.1.8.1).
fn push_rrsig(rrsig: &Rrsig<'_>, octets: &mut Vec<u8>) {
    octets.extend_from_slice(&rrsig.type_covered.0.to_be_bytes());
    octets.extend_from_slice(&[rrsig.algorithm.0, rrsig.labels]);
    for number in [rrsig.original_ttl, rrsig.expiration, rrsig.inception] {
        octets.extend_from_slice(&number.to_be_bytes());
    }
    octets.extend_from_slice(&rrsig.key_tag.to_be_bytes());
    let from = octets.len();
    octets.extend_from_slice(rrsig.signer.octets());
    octets[from..].make_ascii_lowercase();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::rrset;

    fn sorted_records(text: &str) -> Vec<Vec<u8>> {
        records(rrset(text).view()).as_records().iter().map(<[u8]>::to_vec).collect()
    }

    /// RFC 4034 6.3: octets compare without sign, and nothing comes before a zero octet.
    #[test]
    fn records_sort_by_octets_from_the_left() {
        let text = ["0200", "", "ff", "0100", "01", "0100", "7f"]
            .map(|hex| format!("a. 1 TYPE65280 \\# {} {hex}", hex.len() / 2))
            .join("\n");
        let want: Vec<&[u8]> = vec![b"", b"\x01", b"\x01\0", b"\x02\0", b"\x7f", b"\xff"];
        assert_eq!(sorted_records(&text), want);
    }

    /// In another order than that of the names: the length octet of a label counts.
    #[test]
    fn names_in_rdata_sort_as_octets_and_are_folded_first() {
        let text = "a. 1 NS bb.\na. 1 NS C.\na. 1 NS Bb.\na. 1 NS a.bb.";
        assert_eq!(sorted_records(text), [&b"\x01a\x02bb\0"[..], b"\x01c\0", b"\x02bb\0"]);
    }

    #[test]
    fn octets_out_of_format_stay_as_they_are() {
        for (rr_type, octets, want) in [
            (RrType::MX, &b"\0\x0a\x01A\0"[..], &b"\0\x0a\x01a\0"[..]),
            (RrType::MX, b"\0\x0a\x05A\0", b"\0\x0a\x05A\0"),
            (RrType::MX, b"\0", b"\0"),
            (RrType::SOA, b"\x01A\0\x01", b"\x01a\0\x01"),
            (RrType::NAPTR, b"\0\0\0\0\x09ABC", b"\0\0\0\0\x09ABC"),
            (RrType::A6, b"\xffA\0", b"\xffA\0"),
            (RrType(65_280), b"\x01A\0", b"\x01A\0"),
        ] {
            assert_eq!(rdata(rr_type, octets), want, "{rr_type} {octets:?}");
        }
    }
}
