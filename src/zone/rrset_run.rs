//! RRsets one after the other as octets: what changesets hold and journals keep.
//!
//! ```text
//! owner in wire form, type (2), TTL (4), octets of the records (4), octets of the signatures (4),
//! the records and signatures, packed as `dns::Records`
//! ```

use super::page::PAGE_OCTETS;
use crate::dns::{NameRef, Records, RrClass, RrType, RrsetRef, Ttl};
use crate::limits::ZONE_OWNER_OCTETS;

/// RRsets in canonical order of their owners, then by ascending type; none twice.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct RrsetRun {
    octets: Vec<u8>,
}

impl RrsetRun {
    /// Adds an RRset; it comes after all that were added before.
    pub(super) fn push(&mut self, rrset: RrsetRef<'_>) {
        let (records, signatures) = (rrset.records.packed(), rrset.signatures.packed());
        self.octets.extend_from_slice(rrset.owner.octets());
        self.octets.extend_from_slice(&rrset.rr_type.0.to_be_bytes());
        self.octets.extend_from_slice(&rrset.ttl.seconds().to_be_bytes());
        for part in [records, signatures] {
            let length = u32::try_from(part.len()).expect("limits::ZONE_OWNER_OCTETS is far below 2^32");
            self.octets.extend_from_slice(&length.to_be_bytes());
        }
        self.octets.extend_from_slice(records);
        self.octets.extend_from_slice(signatures);
    }

    /// The run in octets that may be anything. None unless they are RRsets at or below `apex`, in order, each with records.
    pub(super) fn read(octets: &[u8], apex: NameRef<'_>) -> Option<RrsetRun> {
        let (mut rest, mut last) = (octets, None::<(NameRef<'_>, RrType)>);
        let mut octets_here = 0;
        while !rest.is_empty() {
            let (rrset, behind) = split_rrset(rest)?;
            let is_new = match last {
                Some((owner, _)) if owner != rrset.owner => owner < rrset.owner,
                Some((_, rr_type)) => rr_type < rrset.rr_type,
                None => true,
            };
            if last.is_none_or(|(owner, _)| owner != rrset.owner) {
                octets_here = 0;
            }
            octets_here += rest.len() - behind.len();
            let is_whole = is_packed(rrset.records) && is_packed(rrset.signatures);
            // The table of RRsets and the owner are counted in, hence the room of a page.
            let fits = octets_here <= ZONE_OWNER_OCTETS + PAGE_OCTETS;
            let is_in_zone = rrset.owner.is_at_or_below(apex);
            if !is_new || !is_whole || !fits || !is_in_zone || rrset.records.is_empty() {
                return None;
            }
            last = Some((rrset.owner, rrset.rr_type));
            rest = behind;
        }
        Some(RrsetRun { octets: octets.to_vec() })
    }

    /// The RRsets of both, none of which stands in the other too.
    pub(super) fn merged(self, other: RrsetRun) -> RrsetRun {
        if other.octets.is_empty() {
            return self;
        }
        let mut merged = RrsetRun { octets: Vec::with_capacity(self.octets.len() + other.octets.len()) };
        let mut others = other.iter().peekable();
        for rrset in self.iter() {
            let is_before =
                |other: &RrsetRef<'_>| (other.owner, other.rr_type) < (rrset.owner, rrset.rr_type);
            while let Some(earlier) = others.next_if(is_before) {
                merged.push(earlier);
            }
            merged.push(rrset);
        }
        others.for_each(|rrset| merged.push(rrset));
        merged
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = RrsetRef<'_>> {
        let mut rest = &self.octets[..];
        std::iter::from_fn(move || {
            let (rrset, behind) = split_rrset(rest)?;
            rest = behind;
            Some(rrset)
        })
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Puts other RRsets in place of those in the first `octets` octets.
    pub(super) fn replace_front(&mut self, octets: usize, front: &RrsetRun) {
        self.octets.splice(..octets, front.octets.iter().copied());
    }
}

/// The RRset at the front, and what follows it.
fn split_rrset(octets: &[u8]) -> Option<(RrsetRef<'_>, &[u8])> {
    let (owner, rest) = NameRef::split_from(octets).ok()?;
    let (rr_type, rest) = rest.split_first_chunk()?;
    let (ttl, rest) = rest.split_first_chunk()?;
    let (records, rest) = rest.split_first_chunk()?;
    let (signatures, rest) = rest.split_first_chunk()?;
    let (records, rest) = rest.split_at_checked(u32::from_be_bytes(*records) as usize)?;
    let (signatures, rest) = rest.split_at_checked(u32::from_be_bytes(*signatures) as usize)?;
    let rrset = RrsetRef {
        owner,
        rr_type: RrType(u16::from_be_bytes(*rr_type)),
        class: RrClass::IN,
        ttl: Ttl::from_wire(u32::from_be_bytes(*ttl)),
        records: Records::from_packed(records),
        signatures: Records::from_packed(signatures),
    };
    Some((rrset, rest))
}

/// Whether the lengths in packed records add up to their octets.
fn is_packed(records: Records<'_>) -> bool {
    records.iter().map(|rdata| rdata.len() + 2).sum::<usize>() == records.packed().len()
}
