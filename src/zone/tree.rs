//! The names of a zone: a persistent map from owner names to nodes, read without locks or allocation.

use std::sync::Arc;

use super::index::{Index, NameHash};
use super::node::Node;
use super::order::Order;
use super::packed::PackedNode;
use super::page::Page;
use super::sequence::Slots;
use crate::dns::{Name, NameRef, RrType, RrsetRef};
use crate::dnssec::Nsec3Params;

/// The page of the apex. It is the first page in every order and stays.
pub(super) const APEX_PAGE: u32 = 0;

/// The names at and below an apex, and apart from them the owners of NSEC3. Cloning it is cheap, and a changed clone shares with the original all pages that did
/// not change.
///
/// Invariants:
/// - the apex is a node, the first of page 0;
/// - each ancestor of a node, down from the apex, is a node: empty non-terminals are real;
/// - each node is in the page the order names for it, and in the index under its hash;
/// - each node's barrier, child count and wildcard flag agree with its ancestors and children.
#[derive(Clone)]
pub struct NameTree {
    pub(super) apex: Name,
    pub(super) pages: Slots<Arc<Page>>,
    pub(super) order: Order,
    pub(super) index: Index,
    pub(super) record_count: usize,
    pub(super) rrset_count: usize,
    /// How the zone hashes its names, when it has NSEC3PARAM.
    pub(super) hashing: Option<Arc<Nsec3Params>>,
    /// The NSEC3 RRsets, by owner. They stand apart, since their owner names do not exist for any question (RFC 5155 7.2.8).
    pub(super) nsec3: Option<Arc<NameTree>>,
}

/// What a tree knows about a name.
#[derive(Debug, Clone, Copy)]
pub enum Found<'z> {
    /// The name exists. An empty non-terminal does, without any RRset.
    Exact(Node<'z>),
    /// It does not exist.
    Below {
        /// Its longest existing ancestor (RFC 4592 3.3.1).
        closest_encloser: Node<'z>,
    },
}

/// A node's place: its page and where in it.
pub(super) type Place = (u32, usize);

impl NameTree {
    /// The apex's name.
    pub fn apex(&self) -> NameRef<'_> {
        self.apex.as_ref()
    }

    /// The node of the apex.
    pub fn apex_node(&self) -> Node<'_> {
        self.node((APEX_PAGE, 0))
    }

    /// The node of a name at or below the apex, or the closest there is. Letter case does not matter.
    pub fn find(&self, name: NameRef<'_>) -> Found<'_> {
        debug_assert!(name.is_at_or_below(self.apex()), "{name} is not in {}", self.apex);
        if let Some(node) = self.exact(name) {
            return Found::Exact(node);
        }
        // Ancestors exist from the apex down to some depth and not below it, so that depth is found by halving:
        // a name of 127 labels costs 7 looks, an ordinary one none or one.
        let mut closest_encloser = self.apex_node();
        let (mut exists, mut is_missing) = (closest_encloser.label_count(), name.label_count());
        while is_missing.saturating_sub(exists) > 1 {
            let middle = (exists + is_missing) / 2;
            match self.exact(name.trim_to(middle)) {
                Some(node) => (exists, closest_encloser) = (middle, node),
                None => is_missing = middle,
            }
        }
        Found::Below { closest_encloser }
    }

    /// The node of exactly this name.
    pub fn exact(&self, name: NameRef<'_>) -> Option<Node<'_>> {
        self.place(name).map(|place| self.node(place))
    }

    /// The RRset of a type at a name, NSEC3 too.
    pub(super) fn rrset_at(&self, name: NameRef<'_>, rr_type: RrType) -> Option<RrsetRef<'_>> {
        let tree = if rr_type == RrType::NSEC3 { self.nsec3.as_deref()? } else { self };
        tree.exact(name)?.rrset(rr_type)
    }

    /// The RRsets at a name by ascending type, NSEC3 among them.
    pub(super) fn rrsets_at(&self, name: NameRef<'_>) -> impl Iterator<Item = RrsetRef<'_>> {
        let own = self.exact(name);
        let rrsets = move || own.into_iter().flat_map(Node::rrsets);
        let before = rrsets().take_while(|rrset| rrset.rr_type < RrType::NSEC3);
        let after = rrsets().skip_while(|rrset| rrset.rr_type < RrType::NSEC3);
        before.chain(self.rrset_at(name, RrType::NSEC3)).chain(after)
    }

    /// All nodes in canonical order (RFC 4034 6.1), the apex first; after them, in that order too, those of NSEC3
    /// RRsets: an owner that has other data as well comes twice.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let nsec3 = self.nsec3.iter().flat_map(|nsec3| nsec3.own_nodes());
        self.own_nodes().chain(nsec3.filter(|node| node.rrsets().next().is_some()))
    }

    /// The nodes without those of NSEC3.
    pub(super) fn own_nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.order.iter().flat_map(|page| self.pages.get(page).nodes()).map(|packed| Node::new(self, packed))
    }

    /// The nodes at and before a name, from the last to the first.
    pub(super) fn back_from(&self, name: NameRef<'_>) -> impl Iterator<Item = Node<'_>> {
        let mut pages = self.order.iter_back_from(name).map(|page| self.pages.get(page));
        let here = pages.next().expect("every name of the zone has a page");
        let before = here.rank(name);
        let at = before < here.count() && here.node(before).owner() == name;
        let here = (0..before + usize::from(at)).rev().map(|at| here.node(at));
        let earlier = pages.flat_map(|page| (0..page.count()).rev().map(|at| page.node(at)));
        here.chain(earlier).map(|packed| Node::new(self, packed))
    }

    /// The nodes from the last to the first.
    pub(super) fn back(&self) -> impl Iterator<Item = Node<'_>> {
        let pages = self.order.iter_back().map(|page| self.pages.get(page));
        let nodes = pages.flat_map(|page| (0..page.count()).rev().map(|at| page.node(at)));
        nodes.map(|packed| Node::new(self, packed))
    }

    /// How many records there are, RRSIGs counted too.
    pub fn record_count(&self) -> usize {
        self.record_count + self.nsec3.as_ref().map_or(0, |nsec3| nsec3.record_count)
    }

    /// How many RRsets there are; signatures belong to those they cover.
    pub fn rrset_count(&self) -> usize {
        self.rrset_count + self.nsec3.as_ref().map_or(0, |nsec3| nsec3.rrset_count)
    }

    /// With a tree of NSEC3 RRsets beside it, if there are any in it.
    pub(super) fn with_nsec3(self, nsec3: Option<NameTree>) -> NameTree {
        NameTree { nsec3: nsec3.filter(|tree| tree.rrset_count > 0).map(Arc::new), ..self }
    }

    pub(super) fn place(&self, name: NameRef<'_>) -> Option<Place> {
        let hash = NameHash::of(name);
        self.index.candidates(hash).find_map(|page| Some((page, self.pages.get(page).find(hash, name)?)))
    }

    pub(super) fn packed(&self, (page, at): Place) -> PackedNode<'_> {
        self.pages.get(page).node(at)
    }

    fn node(&self, place: Place) -> Node<'_> {
        Node::new(self, self.packed(place))
    }
}
