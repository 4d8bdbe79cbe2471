//! RRsets: the records of one owner, class and type, with one TTL (RFC 2181 section 5), and the RRSIGs that cover them.

use std::fmt;
use std::sync::Arc;

use super::{Name, NameRef, RrClass, RrType, Ttl};

/// RDATA of the records of one RRset, packed into one run of octets: for each record its length in two
/// octets, then the RDATA in wire form with names uncompressed. One run is one cache line or two, and
/// it is written into a response from left to right.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Records<'a> {
    packed: &'a [u8],
}

impl<'a> Records<'a> {
    /// Takes octets packed by [`RecordsBuf`]. Anything else ends the iteration early and harms nothing.
    pub fn from_packed(packed: &'a [u8]) -> Records<'a> {
        Records { packed }
    }

    /// The packed octets.
    pub fn packed(self) -> &'a [u8] {
        self.packed
    }

    /// The RDATA of each record.
    pub fn iter(self) -> RecordsIter<'a> {
        RecordsIter { rest: self.packed }
    }

    /// How many records; walks them.
    pub fn count(self) -> usize {
        self.iter().count()
    }

    /// The RDATA of the first record.
    pub fn first(self) -> Option<&'a [u8]> {
        self.iter().next()
    }

    /// Whether there is no record.
    pub fn is_empty(self) -> bool {
        self.packed.is_empty()
    }
}

impl<'a> IntoIterator for Records<'a> {
    type Item = &'a [u8];
    type IntoIter = RecordsIter<'a>;

    fn into_iter(self) -> RecordsIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// See [`Records::iter`].
#[derive(Clone)]
pub struct RecordsIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RecordsIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let (rdata, rest) = rest.split_at_checked(u16::from_be_bytes(*length) as usize)?;
        self.rest = rest;
        Some(rdata)
    }
}

/// Packs records; see [`Records`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RecordsBuf {
    packed: Vec<u8>,
}

impl RecordsBuf {
    /// No record yet.
    pub fn new() -> RecordsBuf {
        RecordsBuf::default()
    }

    /// Adds a record. RDATA of more than 65,535 octets cannot be (RFC 1035 3.2.1) and is refused with `false`.
    pub fn push(&mut self, rdata: &[u8]) -> bool {
        let Ok(length) = u16::try_from(rdata.len()) else {
            return false;
        };
        self.packed.extend_from_slice(&length.to_be_bytes());
        self.packed.extend_from_slice(rdata);
        true
    }

    /// What was packed so far.
    pub fn as_records(&self) -> Records<'_> {
        Records::from_packed(&self.packed)
    }
}

impl<'r> FromIterator<&'r [u8]> for RecordsBuf {
    fn from_iter<I: IntoIterator<Item = &'r [u8]>>(rdata: I) -> RecordsBuf {
        let mut buf = RecordsBuf::new();
        for rdata in rdata {
            buf.push(rdata);
        }
        buf
    }
}

impl fmt::Debug for RecordsBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_records().fmt(f)
    }
}

/// An RRset that borrows from a zone or a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RrsetRef<'a> {
    /// The owner name.
    pub owner: NameRef<'a>,
    /// The type.
    pub rr_type: RrType,
    /// The class.
    pub class: RrClass,
    /// The one TTL of all its records.
    pub ttl: Ttl,
    /// The records.
    pub records: Records<'a>,
    /// RDATA of the RRSIG records that cover this RRset; their TTL is that of the RRset (RFC 4034 section 3).
    pub signatures: Records<'a>,
}

impl RrsetRef<'_> {
    /// An owned copy.
    pub fn to_rrset(self) -> Rrset {
        Rrset {
            owner: self.owner.to_name(),
            rr_type: self.rr_type,
            class: self.class,
            ttl: self.ttl,
            records: self.records.packed().into(),
            signatures: self.signatures.packed().into(),
        }
    }
}

/// An RRset that owns its octets and never changes once made.
#[derive(Clone, PartialEq, Eq)]
pub struct Rrset {
    /// The owner name.
    pub owner: Name,
    /// The type.
    pub rr_type: RrType,
    /// The class.
    pub class: RrClass,
    /// The one TTL of all its records.
    pub ttl: Ttl,
    records: Box<[u8]>,
    signatures: Box<[u8]>,
}

impl Rrset {
    /// An RRset in class IN.
    pub fn new(owner: Name, rr_type: RrType, ttl: Ttl, records: RecordsBuf, signatures: RecordsBuf) -> Rrset {
        Rrset {
            owner,
            rr_type,
            class: RrClass::IN,
            ttl,
            records: records.packed.into(),
            signatures: signatures.packed.into(),
        }
    }

    /// The borrowed form.
    pub fn view(&self) -> RrsetRef<'_> {
        RrsetRef {
            owner: self.owner.as_ref(),
            rr_type: self.rr_type,
            class: self.class,
            ttl: self.ttl,
            records: self.records(),
            signatures: self.signatures(),
        }
    }

    /// The records.
    pub fn records(&self) -> Records<'_> {
        Records::from_packed(&self.records)
    }

    /// RDATA of the RRSIG records that cover this RRset.
    pub fn signatures(&self) -> Records<'_> {
        Records::from_packed(&self.signatures)
    }

    /// Whether there are signatures.
    pub fn is_signed(&self) -> bool {
        !self.signatures.is_empty()
    }

    /// Whether it was made from a wildcard, as a signature tells that counts fewer labels than the owner has (RFC 4035
    /// 5.3.4). An asterisk of the owner itself does not count (RFC 4034 3.1.3).
    pub fn is_expanded_wildcard(&self) -> bool {
        let owner = self.owner.as_ref();
        let labels = owner.label_count() - usize::from(owner.is_wildcard());
        let counted = self.signatures().iter().filter_map(|rdata| rdata.get(3));
        counted.into_iter().any(|counted| usize::from(*counted) < labels)
    }

    /// Octets held on the heap, for those who count memory.
    pub fn heap_octets(&self) -> usize {
        // The name's reference counts are two words beside its octets.
        self.owner.octets().len() + 16 + self.records.len() + self.signatures.len()
    }
}

impl fmt::Debug for Rrset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

/// An RRset that several answers may hold at once.
pub type SharedRrset = Arc<Rrset>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_records_come_back() {
        let records: RecordsBuf = [&b"one"[..], b"", b"three"].into_iter().collect();
        assert_eq!(records.as_records().iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!(records.as_records().count(), 3);
    }

    #[test]
    fn octets_not_packed_here_end_the_walk() {
        assert_eq!(Records::from_packed(b"\0\x09abc").count(), 0);
        assert_eq!(Records::from_packed(b"\0\x01a\0").count(), 1);
    }

    #[test]
    fn rdata_over_its_limit_is_refused() {
        let mut records = RecordsBuf::new();
        assert!(records.push(&vec![0; 65_535]));
        assert!(!records.push(&vec![0; 65_536]));
        assert_eq!(records.as_records().count(), 1);
    }
}
