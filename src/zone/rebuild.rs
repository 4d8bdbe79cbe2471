//! The next version of a tree from the changes to the last one, made all at once.

use std::iter::Peekable;

use smallvec::SmallVec;

use super::bulk::BulkTree;
use super::changeset::Change;
use super::denial::hashing_of;
use super::node::Node;
use super::tree::NameTree;
use crate::dns::{NameRef, RrType, RrsetRef};

/// The changes at one owner name, by ascending type.
pub(super) struct OwnerChange<'c> {
    pub(super) owner: NameRef<'c>,
    pub(super) changes: SmallVec<[Change<'c>; 2]>,
}

impl<'c> OwnerChange<'c> {
    /// What is at the name afterwards, by ascending type.
    pub(super) fn rrsets(&self, before: impl Iterator<Item = RrsetRef<'c>>) -> SmallVec<[RrsetRef<'c>; 4]> {
        let is_changed =
            |rrset: &RrsetRef<'_>| self.changes.iter().any(|change| change.rr_type() == rrset.rr_type);
        let mut rrsets: SmallVec<[RrsetRef<'c>; 4]> = before.filter(|rrset| !is_changed(rrset)).collect();
        rrsets.extend(self.changes.iter().filter_map(|change| change.new));
        rrsets.sort_unstable_by_key(|rrset| rrset.rr_type);
        rrsets
    }
}

/// Changes in canonical order, by owner.
pub(super) fn changed_owners<'c>(
    changes: impl Iterator<Item = Change<'c>>,
) -> impl Iterator<Item = OwnerChange<'c>> {
    let mut changes = changes.peekable();
    std::iter::from_fn(move || {
        let first = changes.next()?;
        let owner = first.new.or(first.old)?.owner;
        let mut here = OwnerChange { owner, changes: SmallVec::from_iter([first]) };
        while let Some(change) = changes.next_if(|change| change.owner() == owner) {
            here.changes.push(change);
        }
        Some(here)
    })
}

/// The tree that follows `before`. The changes are in canonical order, and the same each time they are asked for.
pub(super) fn rebuild<'c, C: Iterator<Item = Change<'c>>>(
    apex: NameRef<'c>,
    before: Option<&'c NameTree>,
    changes: impl Fn() -> C,
) -> NameTree {
    let is_nsec3 = |change: &Change<'_>| change.rr_type() == RrType::NSEC3;
    let own = rebuild_alone(apex, before, changes().filter(|change| !is_nsec3(change)));
    let nsec3 = before.and_then(|tree| tree.nsec3.as_deref());
    own.with_nsec3(Some(rebuild_alone(apex, nsec3, changes().filter(is_nsec3))))
}

/// The tree of the nodes of `before` with `changes`, and no NSEC3 beside it.
fn rebuild_alone<'c>(
    apex: NameRef<'c>,
    before: Option<&'c NameTree>,
    changes: impl Iterator<Item = Change<'c>>,
) -> NameTree {
    let mut nodes = before.into_iter().flat_map(NameTree::own_nodes).peekable();
    let mut owners = changed_owners(changes).peekable();
    let mut all = std::iter::from_fn(|| next_owner(&mut nodes, &mut owners)).peekable();
    let (apex, at_apex) = all.next_if(|(owner, _)| *owner == apex).unwrap_or((apex, SmallVec::new()));
    let mut tree = BulkTree::new(apex);
    let params = at_apex.iter().filter(|rrset| rrset.rr_type == RrType::NSEC3PARAM);
    tree.keep_hashes(hashing_of(params.flat_map(|rrset| rrset.records)));
    tree.push(apex, &at_apex.into_iter().collect());
    // Empty non-terminals are made by those below them.
    for (owner, rrsets) in all.filter(|(_, rrsets)| !rrsets.is_empty()) {
        tree.push(owner, &rrsets.into_iter().collect());
    }
    tree.finish()
}

/// The next name, of the nodes, of the changes, or of both, and what is there afterwards.
fn next_owner<'c>(
    nodes: &mut Peekable<impl Iterator<Item = Node<'c>>>,
    owners: &mut Peekable<impl Iterator<Item = OwnerChange<'c>>>,
) -> Option<(NameRef<'c>, SmallVec<[RrsetRef<'c>; 4]>)> {
    let is_node_first = match (nodes.peek(), owners.peek()) {
        (None, None) => return None,
        (Some(node), Some(change)) => node.owner() < change.owner,
        (node, _) => node.is_some(),
    };
    if is_node_first {
        return nodes.next().map(|node| (node.owner(), node.rrsets().collect()));
    }
    let change = owners.next()?;
    // A name that exists keeps its letter case.
    let node = nodes.next_if(|node| node.owner() == change.owner);
    Some((node.map_or(change.owner, Node::owner), change.rrsets(node.into_iter().flat_map(Node::rrsets))))
}
