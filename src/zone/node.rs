//! A node: one owner name of a zone, with its RRsets and what its ancestors mean for it.

use super::packed::{BarrierKind, PackedNode};
use super::tree::NameTree;
use crate::dns::{NameBuf, NameRef, RrType, RrsetRef};

/// What a node is to the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// The topmost name of the zone.
    Apex,
    /// A name with data the zone answers for.
    Authoritative,
    /// A name without data that exists because names below it do (RFC 4592 2.2.2).
    EmptyNonTerminal,
    /// A name with NS below the apex: a delegation (RFC 1034 4.2.1).
    Cut,
    /// A name below a zone cut (glue, or hidden data) or below a DNAME. Never an answer of its own.
    Occluded,
}

impl NodeKind {
    /// By the octet that packed nodes keep.
    pub(super) const ALL: [NodeKind; 5] = [
        NodeKind::Apex,
        NodeKind::Authoritative,
        NodeKind::EmptyNonTerminal,
        NodeKind::Cut,
        NodeKind::Occluded,
    ];
}

/// One owner name of a zone. Copying it copies pointers.
#[derive(Clone, Copy)]
pub struct Node<'z> {
    tree: &'z NameTree,
    packed: PackedNode<'z>,
}

impl<'z> Node<'z> {
    pub(super) fn new(tree: &'z NameTree, packed: PackedNode<'z>) -> Node<'z> {
        Node { tree, packed }
    }

    pub(super) fn packed(self) -> PackedNode<'z> {
        self.packed
    }

    /// The owner name, in the letter case of its first record.
    pub fn owner(self) -> NameRef<'z> {
        self.packed.owner()
    }

    /// How many labels the owner has, the root label not counted.
    pub fn label_count(self) -> usize {
        self.packed.labels() as usize
    }

    /// What it is to the zone.
    pub fn kind(self) -> NodeKind {
        self.packed.kind()
    }

    /// The RRset of a type, with the RRSIGs that cover it. RRSIG itself is found only when there are signatures
    /// of types that do not exist here.
    pub fn rrset(self, rr_type: RrType) -> Option<RrsetRef<'z>> {
        self.packed.rrset(rr_type)
    }

    /// All RRsets by ascending type; RRSIG as in [`Node::rrset`].
    pub fn rrsets(self) -> impl Iterator<Item = RrsetRef<'z>> {
        self.packed.rrsets()
    }

    /// The topmost zone cut at or above this name. None when a DNAME stands above that cut: the walk from the apex ends
    /// there first. One lookup at most.
    pub fn cut(self) -> Option<Node<'z>> {
        let barrier = self.packed.barrier().filter(|barrier| barrier.kind == BarrierKind::Cut)?;
        Some(self.ancestor(barrier.labels))
    }

    /// The topmost DNAME owner strictly above this name: what a question for this very name meets, since a DNAME does
    /// not redirect its own owner (RFC 6672 2.3). None when a zone cut is met first.
    pub fn dname_above(self) -> Option<Node<'z>> {
        self.dname_at_or_above().filter(|dname| dname.packed.labels() < self.packed.labels())
    }

    /// The topmost DNAME owner at or above this name: what a question for a name below it meets. None when a zone cut is
    /// met first, or at the same name.
    pub fn dname_at_or_above(self) -> Option<Node<'z>> {
        let barrier = self.packed.barrier().filter(|barrier| barrier.kind == BarrierKind::Dname)?;
        Some(self.ancestor(barrier.labels))
    }

    /// The node one asterisk label below this one: the source of synthesis when this is the closest
    /// encloser (RFC 4592 3.3.1). It may be an empty non-terminal. Costs nothing when there is none.
    pub fn wildcard(self) -> Option<Node<'z>> {
        if !self.packed.has_wildcard_child() {
            return None;
        }
        let mut name = NameBuf::new();
        name.push_label(b"*").expect("one octet is a label");
        self.tree.exact(name.finish_with(self.owner()).ok()?)
    }

    /// This node or its ancestor with that many labels.
    fn ancestor(self, labels: u8) -> Node<'z> {
        if labels == self.packed.labels() {
            return self;
        }
        let ancestor = self.tree.exact(self.owner().trim_to(labels as usize));
        ancestor.expect("a barrier's label count was taken from an ancestor's node")
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("owner", &self.owner())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}
