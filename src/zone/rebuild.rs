//! The next version of a tree from the changes to the last one, made all at once.

use std::iter::Peekable;

use smallvec::SmallVec;

use super::bulk::BulkTree;
use super::changeset::Change;
use super::node::Node;
use super::packed::Content;
use super::tree::NameTree;
use crate::dns::{NameRef, RrsetRef};

/// The changes at one owner name, by ascending type.
pub(super) struct OwnerChange<'c> {
    pub(super) owner: NameRef<'c>,
    pub(super) changes: SmallVec<[Change<'c>; 2]>,
}

impl<'c> OwnerChange<'c> {
    /// What is at the name afterwards, by ascending type.
    pub(super) fn rrsets(&self, before: Option<Node<'c>>) -> SmallVec<[RrsetRef<'c>; 4]> {
        let is_changed =
            |rrset: &RrsetRef<'_>| self.changes.iter().any(|change| change.rr_type() == rrset.rr_type);
        let kept = before.into_iter().flat_map(Node::rrsets).filter(|rrset| !is_changed(rrset));
        let mut rrsets: SmallVec<[RrsetRef<'c>; 4]> = kept.collect();
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

/// The tree of `nodes` with `changes`, both in canonical order. None when nothing is left at the apex.
pub(super) fn rebuild<'c>(
    apex: NameRef<'c>,
    nodes: impl Iterator<Item = Node<'c>>,
    changes: impl Iterator<Item = Change<'c>>,
) -> Option<NameTree> {
    let (mut nodes, mut owners) = (nodes.peekable(), changed_owners(changes).peekable());
    let mut tree = BulkTree::new(apex);
    let mut is_apex = true;
    while let Some((owner, rrsets)) = next_owner(&mut nodes, &mut owners) {
        if std::mem::take(&mut is_apex) && (owner != apex || rrsets.is_empty()) {
            return None;
        }
        // Empty non-terminals are made by those below them.
        if !rrsets.is_empty() {
            tree.push(owner, &rrsets.into_iter().collect::<Content>());
        }
    }
    (!is_apex).then(|| tree.finish())
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
    Some((node.map_or(change.owner, Node::owner), change.rrsets(node)))
}
