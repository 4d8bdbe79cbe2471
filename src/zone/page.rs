//! A page: nodes that are neighbours in canonical order, in one run of octets.

use super::index::NameHash;
use super::packed::{PackedNode, PackedNodeMut};
use crate::dns::NameRef;

/// Most nodes of a page. An update copies a page, so it should be small; each page costs its place in the order and
/// in the sequence of pages, so not too small.
pub(super) const PAGE_NODES: usize = 64;
/// Nodes of a page when all are made at once: room for names that come later.
pub(super) const BULK_PAGE_NODES: usize = 48;
/// Octets from which a page of several nodes is split, so that a name with very many records makes no
/// update of its neighbours slow.
pub(super) const PAGE_OCTETS: usize = 16 * 1024;

/// Nodes in canonical order. Never empty once it is in a tree.
#[derive(Clone)]
pub(super) struct Page {
    count: u8,
    /// Some bits of each owner's hash: all are looked at to find a name, in two cache lines.
    tags: [u16; PAGE_NODES],
    /// Where each node ends in the octets.
    ends: [u32; PAGE_NODES],
    octets: Box<[u8]>,
}

impl Page {
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// The node at a place below the count.
    pub(super) fn node(&self, at: usize) -> PackedNode<'_> {
        PackedNode { octets: &self.octets[self.start(at)..self.ends[at] as usize] }
    }

    pub(super) fn node_mut(&mut self, at: usize) -> PackedNodeMut<'_> {
        let start = self.start(at);
        PackedNodeMut { octets: &mut self.octets[start..self.ends[at] as usize] }
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = PackedNode<'_>> {
        (0..self.count()).map(|at| self.node(at))
    }

    /// Where the node of this name is.
    pub(super) fn find(&self, hash: NameHash, name: NameRef<'_>) -> Option<usize> {
        let tags = self.tags[..self.count()].iter().enumerate();
        tags.filter(|(_, tag)| **tag == hash.page_tag())
            .map(|(at, _)| at)
            .find(|at| self.node(*at).owner_octets().eq_ignore_ascii_case(name.octets()))
    }

    /// How many nodes come before `name` in canonical order.
    pub(super) fn rank(&self, name: NameRef<'_>) -> usize {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = (low + high) / 2;
            if self.node(middle).owner() < name {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The tag and the octets of each node in `places`, to be put into another page.
    pub(super) fn copy_to(&self, places: std::ops::Range<usize>, draft: &mut PageDraft) {
        for at in places {
            draft.octets.extend_from_slice(self.node(at).octets);
            draft.close(self.tags[at]);
        }
    }

    fn start(&self, at: usize) -> usize {
        match at {
            0 => 0,
            _ => self.ends[at - 1] as usize,
        }
    }
}

/// A page in the making, which may grow beyond what one page holds before it is cut into pages.
#[derive(Default)]
pub(super) struct PageDraft {
    tags: Vec<u16>,
    ends: Vec<usize>,
    /// The nodes so far; a node is appended here and then closed.
    pub(super) octets: Vec<u8>,
}

impl PageDraft {
    /// Ends the node whose octets were just appended.
    pub(super) fn close(&mut self, tag: u16) {
        self.tags.push(tag);
        self.ends.push(self.octets.len());
    }

    pub(super) fn count(&self) -> usize {
        self.tags.len()
    }

    /// The pages: one, or more where one would be too large. None without a node.
    pub(super) fn into_pages(self) -> Vec<Page> {
        let fits = self.count() <= PAGE_NODES && (self.octets.len() <= PAGE_OCTETS || self.count() == 1);
        if fits {
            return if self.count() == 0 { Vec::new() } else { vec![self.page(0..self.count())] };
        }
        let mut pages = Vec::new();
        self.split(0..self.count(), &mut pages);
        pages
    }

    /// Halves by octets until each part fits.
    fn split(&self, nodes: std::ops::Range<usize>, pages: &mut Vec<Page>) {
        let (start, end) = (self.start(nodes.start), self.start(nodes.end));
        if nodes.len() == 1 || nodes.len() <= PAGE_NODES && end - start <= PAGE_OCTETS {
            return pages.push(self.page(nodes));
        }
        let half = self.ends[nodes.clone()].partition_point(|end_of| *end_of <= start + (end - start) / 2);
        let middle = nodes.start + half.clamp(1, nodes.len() - 1);
        self.split(nodes.start..middle, pages);
        self.split(middle..nodes.end, pages);
    }

    /// One page of these nodes.
    pub(super) fn page(&self, nodes: std::ops::Range<usize>) -> Page {
        let start = self.start(nodes.start);
        let mut page = Page {
            count: nodes.len() as u8,
            tags: [0; PAGE_NODES],
            ends: [0; PAGE_NODES],
            octets: self.octets[start..self.start(nodes.end)].into(),
        };
        page.tags[..nodes.len()].copy_from_slice(&self.tags[nodes.clone()]);
        for (end, &drafted) in page.ends.iter_mut().zip(&self.ends[nodes]) {
            *end = u32::try_from(drafted - start).expect("limits::ZONE_OWNER_OCTETS is far below 2^32");
        }
        page
    }

    pub(super) fn clear(&mut self) {
        self.tags.clear();
        self.ends.clear();
        self.octets.clear();
    }

    /// Where node `at` begins: where the one before it ends.
    fn start(&self, at: usize) -> usize {
        match at {
            0 => 0,
            _ => self.ends[at - 1],
        }
    }
}
