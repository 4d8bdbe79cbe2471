//! One node as a run of octets, which means the same wherever it is copied to.
//!
//! ```text
//!  0  kind                  1  flags           2  labels of the owner    3  labels of the barrier's owner
//!  4  children (4 octets)   8  RRsets (2)     10  octets of the owner
//! 11  the owner in wire form
//!     in a zone with NSEC3: the hash of the owner (20)
//!     for each RRset, by type: type (2), TTL (4), end of its records (4), end of its signatures (4)
//!     the records and signatures, packed as `dns::Records`
//! ```

use std::cmp::Ordering;
use std::ops::Range;

use super::node::NodeKind;
use crate::dns::{NameRef, Records, RrClass, RrType, RrsetRef, Ttl};
use crate::dnssec::OwnerHash;
use crate::dnssec::nsec3::HASH_OCTETS;

const CHILDREN: usize = 4;
const OWNER: usize = 11;
const RRSET_OCTETS: usize = 14;

const WILDCARD_CHILD: u8 = 1;
const BARRIER_IS_CUT: u8 = 2;
const BARRIER_IS_DNAME: u8 = 4;
const HASHED: u8 = 8;

/// Where the walk from the apex to a name ends early (RFC 1034 4.3.2 step 3): the owner of the topmost zone cut
/// or DNAME on the way, by its label count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Barrier {
    pub(super) kind: BarrierKind,
    pub(super) labels: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BarrierKind {
    Cut,
    Dname,
}

/// Where a node stands in its tree.
#[derive(Clone, Copy)]
pub(super) struct Position<'a> {
    pub(super) owner: NameRef<'a>,
    pub(super) is_apex: bool,
    /// The barrier above the node, if any.
    pub(super) above: Option<Barrier>,
    /// How many nodes are one label below.
    pub(super) children: u32,
    /// Whether one of them is the asterisk label.
    pub(super) has_wildcard: bool,
    /// Kept with the node, so that it is not worked out for each proof.
    pub(super) hash: Option<OwnerHash>,
}

/// The RRsets of a node, packed; a buffer to be used again.
#[derive(Default)]
pub(super) struct Content {
    rrsets: Vec<(RrType, Ttl, Range<u32>)>,
    octets: Vec<u8>,
    record_count: usize,
}

impl Content {
    pub(super) fn clear(&mut self) {
        self.rrsets.clear();
        self.octets.clear();
        self.record_count = 0;
    }

    /// Adds an RRset; types come in ascending order, each once.
    pub(super) fn push<'r>(
        &mut self,
        rr_type: RrType,
        ttl: Ttl,
        records: impl Iterator<Item = &'r [u8]>,
        signatures: impl Iterator<Item = &'r [u8]>,
    ) {
        debug_assert!(self.rrsets.last().is_none_or(|(last, ..)| *last < rr_type));
        records.for_each(|rdata| self.push_rdata(rdata));
        let records_end = self.end();
        signatures.for_each(|rdata| self.push_rdata(rdata));
        self.rrsets.push((rr_type, ttl, records_end..self.end()));
    }

    fn push_rdata(&mut self, rdata: &[u8]) {
        let length =
            u16::try_from(rdata.len()).expect("the builder refuses longer RDATA, Records cannot hold it");
        self.octets.extend_from_slice(&length.to_be_bytes());
        self.octets.extend_from_slice(rdata);
        self.record_count += 1;
    }

    fn end(&self) -> u32 {
        u32::try_from(self.octets.len()).expect("limits::ZONE_OWNER_OCTETS is far below 2^32")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rrsets.is_empty()
    }

    pub(super) fn rrset_count(&self) -> usize {
        self.rrsets.len()
    }

    pub(super) fn record_count(&self) -> usize {
        self.record_count
    }

    /// Octets of the records.
    pub(super) fn octet_count(&self) -> usize {
        self.octets.len()
    }

    /// Appends the node with these RRsets to `out`; returns the barrier for what lies below it.
    pub(super) fn write_node(&self, position: &Position<'_>, out: &mut Vec<u8>) -> Option<Barrier> {
        let owner = position.owner.octets();
        let start = out.len();
        out.extend_from_slice(&[0, 0, position.owner.label_count() as u8, 0]);
        out.extend_from_slice(&position.children.to_be_bytes());
        let rrsets =
            u16::try_from(self.rrsets.len()).expect("fewer types than numbers of types stand in a zone");
        out.extend_from_slice(&rrsets.to_be_bytes());
        out.push(owner.len() as u8);
        out.extend_from_slice(owner);
        if let Some(OwnerHash(hash)) = &position.hash {
            out.extend_from_slice(hash);
        }
        for (rr_type, ttl, ends) in &self.rrsets {
            out.extend_from_slice(&rr_type.0.to_be_bytes());
            out.extend_from_slice(&ttl.seconds().to_be_bytes());
            out.extend_from_slice(&ends.start.to_be_bytes());
            out.extend_from_slice(&ends.end.to_be_bytes());
        }
        out.extend_from_slice(&self.octets);
        let mut node = PackedNodeMut { octets: &mut out[start..] };
        node.set_wildcard_child(position.has_wildcard);
        node.set_flag(HASHED, position.hash.is_some());
        node.stand_below(position.above, position.is_apex)
    }
}

impl<'r> FromIterator<RrsetRef<'r>> for Content {
    fn from_iter<I: IntoIterator<Item = RrsetRef<'r>>>(rrsets: I) -> Content {
        let mut content = Content::default();
        for rrset in rrsets {
            content.push(rrset.rr_type, rrset.ttl, rrset.records.iter(), rrset.signatures.iter());
        }
        content
    }
}

/// Octets that [`Content::write_node`] wrote.
#[derive(Clone, Copy)]
pub(super) struct PackedNode<'a> {
    pub(super) octets: &'a [u8],
}

impl<'a> PackedNode<'a> {
    pub(super) fn kind(self) -> NodeKind {
        NodeKind::ALL[self.octets[0] as usize]
    }

    pub(super) fn has_wildcard_child(self) -> bool {
        self.octets[1] & WILDCARD_CHILD != 0
    }

    pub(super) fn labels(self) -> u8 {
        self.octets[2]
    }

    /// The topmost barrier at or above this node.
    pub(super) fn barrier(self) -> Option<Barrier> {
        let kind = match self.octets[1] & (BARRIER_IS_CUT | BARRIER_IS_DNAME) {
            0 => return None,
            BARRIER_IS_CUT => BarrierKind::Cut,
            _ => BarrierKind::Dname,
        };
        Some(Barrier { kind, labels: self.octets[3] })
    }

    /// The topmost barrier above this node.
    pub(super) fn barrier_above(self) -> Option<Barrier> {
        self.barrier().filter(|barrier| barrier.labels < self.labels())
    }

    pub(super) fn children(self) -> u32 {
        u32_at(self.octets, CHILDREN)
    }

    pub(super) fn owner_octets(self) -> &'a [u8] {
        &self.octets[OWNER..self.owner_end()]
    }

    pub(super) fn owner(self) -> NameRef<'a> {
        NameRef::from_wire(self.owner_octets()).expect("write_node copied it from a name")
    }

    /// The hash of the owner, where it was worked out.
    pub(super) fn hash(self) -> Option<OwnerHash> {
        match self.octets[1] & HASHED {
            0 => None,
            _ => self.octets[self.owner_end()..].first_chunk().copied().map(OwnerHash),
        }
    }

    fn owner_end(self) -> usize {
        OWNER + self.octets[10] as usize
    }

    pub(super) fn rrset_count(self) -> usize {
        u16_at(self.octets, 8) as usize
    }

    pub(super) fn rrset(self, rr_type: RrType) -> Option<RrsetRef<'a>> {
        self.find(rr_type).map(|at| self.rrset_at(at))
    }

    pub(super) fn rrsets(self) -> impl Iterator<Item = RrsetRef<'a>> {
        (0..self.rrset_count()).map(move |at| self.rrset_at(at))
    }

    /// Where in the table the RRset of a type stands.
    fn find(self, rr_type: RrType) -> Option<usize> {
        let table = self.table();
        let (mut low, mut high) = (0, self.rrset_count());
        while low < high {
            let middle = (low + high) / 2;
            match u16_at(table, middle * RRSET_OCTETS).cmp(&rr_type.0) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(middle),
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn rrset_at(self, at: usize) -> RrsetRef<'a> {
        let table = self.table();
        let row = &table[at * RRSET_OCTETS..];
        let start = match at {
            0 => 0,
            _ => u32_at(table, at * RRSET_OCTETS - 4),
        };
        let (records_end, end) = (u32_at(row, 6), u32_at(row, 10));
        let octets = &table[self.rrset_count() * RRSET_OCTETS..];
        RrsetRef {
            owner: self.owner(),
            rr_type: RrType(u16_at(row, 0)),
            class: RrClass::IN,
            ttl: Ttl::from_wire(u32_at(row, 2)),
            records: Records::from_packed(&octets[start as usize..records_end as usize]),
            signatures: Records::from_packed(&octets[records_end as usize..end as usize]),
        }
    }

    /// The table of RRsets and what follows it.
    fn table(self) -> &'a [u8] {
        let hash_octets = if self.octets[1] & HASHED == 0 { 0 } else { HASH_OCTETS };
        &self.octets[self.owner_end() + hash_octets..]
    }
}

/// The few octets of a node that depend on its neighbours and may change in place.
pub(super) struct PackedNodeMut<'a> {
    pub(super) octets: &'a mut [u8],
}

impl PackedNodeMut<'_> {
    pub(super) fn add_child(&mut self) {
        self.set_children(self.view().children() + 1);
    }

    pub(super) fn remove_child(&mut self) {
        self.set_children(self.view().children() - 1);
    }

    pub(super) fn set_wildcard_child(&mut self, has_wildcard: bool) {
        self.set_flag(WILDCARD_CHILD, has_wildcard);
    }

    /// Takes the barrier above the node and works out its kind and the barrier for what lies below it, which it returns.
    pub(super) fn stand_below(&mut self, above: Option<Barrier>, is_apex: bool) -> Option<Barrier> {
        let (node, labels) = (self.view(), self.view().labels());
        let has = |rr_type| node.find(rr_type).is_some();
        let own = if !is_apex && has(RrType::NS) {
            // Beside NS below the apex a DNAME belongs to the child zone and means nothing here (RFC 6672 2.3).
            Some(BarrierKind::Cut)
        } else {
            has(RrType::DNAME).then_some(BarrierKind::Dname)
        };
        let kind = match (above, own) {
            _ if is_apex => NodeKind::Apex,
            (Some(_), _) => NodeKind::Occluded,
            (None, Some(BarrierKind::Cut)) => NodeKind::Cut,
            (None, _) if node.rrset_count() == 0 => NodeKind::EmptyNonTerminal,
            (None, _) => NodeKind::Authoritative,
        };
        let barrier = above.or(own.map(|kind| Barrier { kind, labels }));
        self.octets[0] = kind as u8;
        self.set_flag(BARRIER_IS_CUT, barrier.is_some_and(|barrier| barrier.kind == BarrierKind::Cut));
        self.set_flag(BARRIER_IS_DNAME, barrier.is_some_and(|barrier| barrier.kind == BarrierKind::Dname));
        self.octets[3] = barrier.map_or(0, |barrier| barrier.labels);
        barrier
    }

    fn set_children(&mut self, children: u32) {
        self.octets[CHILDREN..CHILDREN + 4].copy_from_slice(&children.to_be_bytes());
    }

    fn set_flag(&mut self, flag: u8, on: bool) {
        self.octets[1] = self.octets[1] & !flag | if on { flag } else { 0 };
    }

    pub(super) fn view(&self) -> PackedNode<'_> {
        PackedNode { octets: self.octets }
    }
}

fn u16_at(octets: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([octets[at], octets[at + 1]])
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}
