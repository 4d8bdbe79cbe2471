//! A tree made all at once from owner names in canonical order.

use std::sync::Arc;

use super::index::{Index, NameHash};
use super::order::Order;
use super::packed::{Barrier, Content, PackedNodeMut, Position};
use super::page::{BULK_PAGE_NODES, PAGE_OCTETS, Page, PageDraft};
use super::sequence::Slots;
use super::tree::{NameTree, Place};
use crate::dns::{Name, NameRef};
use crate::dnssec::{Nsec3Params, OwnerHash};

/// Takes the nodes of a tree in canonical order, apex first, and makes the empty non-terminals between them.
pub(super) struct BulkTree<'a> {
    apex: NameRef<'a>,
    pages: Vec<Page>,
    order: Vec<(Name, u32)>,
    index: Vec<(NameHash, u32)>,
    /// The page being filled, which will be the next in `pages`, and the octets at which its nodes begin.
    draft: PageDraft,
    starts: Vec<usize>,
    /// The nodes from the apex to the last one taken.
    path: Vec<Ancestor<'a>>,
    no_content: Content,
    hashing: Option<Arc<Nsec3Params>>,
    record_count: usize,
    rrset_count: usize,
}

struct Ancestor<'a> {
    owner: NameRef<'a>,
    place: Place,
    barrier: Option<Barrier>,
}

impl<'a> BulkTree<'a> {
    /// No node yet, not even the apex.
    pub(super) fn new(apex: NameRef<'a>) -> BulkTree<'a> {
        BulkTree {
            apex,
            pages: Vec::new(),
            order: Vec::new(),
            index: Vec::new(),
            draft: PageDraft::default(),
            starts: Vec::new(),
            path: Vec::new(),
            no_content: Content::default(),
            hashing: None,
            record_count: 0,
            rrset_count: 0,
        }
    }

    /// The nodes added from here on keep their hashes, if `hashing` says how; nodes without are hashed when one asks.
    pub(super) fn keep_hashes(&mut self, hashing: Option<Nsec3Params>) {
        self.hashing = hashing.map(Arc::new);
    }

    /// Adds a name with its RRsets; it comes after all that were added before. The apex is added first.
    pub(super) fn push(&mut self, owner: NameRef<'a>, content: &Content) {
        let new = owner.label_count() - self.apex.label_count();
        // How many nodes of the path are ancestors of the new name; most often its parent is the first tried.
        let mut shared = new.min(self.path.len());
        let labels = |depth: usize| self.apex.label_count() + depth;
        while shared > 0 && self.path[shared - 1].owner != owner.trim_to(labels(shared - 1)) {
            shared -= 1;
        }
        debug_assert!(shared > 0 || self.path.is_empty() && new == 0, "the apex comes first");
        self.path.truncate(shared);
        let no_content = std::mem::take(&mut self.no_content);
        for depth in shared..new {
            self.push_node(owner.trim_to(self.apex.label_count() + depth), &no_content);
        }
        self.no_content = no_content;
        self.push_node(owner, content);
        self.record_count += content.record_count();
        self.rrset_count += content.rrset_count();
    }

    fn push_node(&mut self, owner: NameRef<'a>, content: &Content) {
        let above = self.path.last().and_then(|parent| parent.barrier);
        if let Some(parent) = self.path.last() {
            let mut node = node_mut(&mut self.pages, &mut self.draft, &self.starts, parent.place);
            node.add_child();
            if owner.is_wildcard() {
                node.set_wildcard_child(true);
            }
        }
        let overflows = self.draft.octets.len() + content.octet_count() > PAGE_OCTETS;
        if self.draft.count() >= BULK_PAGE_NODES || overflows && self.draft.count() > 0 {
            self.close_page();
        }
        let place = (self.pages.len() as u32, self.draft.count());
        if place.1 == 0 {
            self.order.push((owner.to_name(), place.0));
        }
        let hash = NameHash::of(owner);
        let is_apex = self.path.is_empty();
        let position = Position {
            owner,
            is_apex,
            above,
            children: 0,
            has_wildcard: false,
            hash: hash_of(&self.hashing, owner, above),
        };
        self.starts.push(self.draft.octets.len());
        let barrier = content.write_node(&position, &mut self.draft.octets);
        self.draft.close(hash.page_tag());
        self.index.push((hash, place.0));
        self.path.push(Ancestor { owner, place, barrier });
    }

    fn close_page(&mut self) {
        self.pages.push(self.draft.page(0..self.draft.count()));
        self.draft.clear();
        self.starts.clear();
    }

    /// The tree of all that was added.
    pub(super) fn finish(mut self) -> NameTree {
        debug_assert!(!self.path.is_empty(), "a tree has an apex");
        self.close_page();
        NameTree {
            apex: self.apex.to_name(),
            order: Order::build(&self.order),
            index: Index::build(&self.index),
            hashing: self.hashing,
            nsec3: None,
            pages: self.pages.into_iter().map(Arc::new).collect::<Slots<_>>(),
            record_count: self.record_count,
            rrset_count: self.rrset_count,
        }
    }
}

/// The hash a node keeps: glue and what else is hidden has no NSEC3 record to be found by it.
pub(super) fn hash_of(
    hashing: &Option<Arc<Nsec3Params>>,
    owner: NameRef<'_>,
    above: Option<Barrier>,
) -> Option<OwnerHash> {
    hashing.as_ref().filter(|_| above.is_none()).map(|params| params.hash(owner))
}

/// A node already added, in a finished page or in the draft.
fn node_mut<'n>(
    pages: &'n mut [Page],
    draft: &'n mut PageDraft,
    starts: &[usize],
    (page, at): Place,
) -> PackedNodeMut<'n> {
    match pages.get_mut(page as usize) {
        Some(page) => page.node_mut(at),
        None => PackedNodeMut { octets: &mut draft.octets[starts[at]..] },
    }
}
