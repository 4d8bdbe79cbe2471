//! Changing one name of a tree: copies the pages it touches and the path to them, shares the rest.

use std::sync::Arc;

use super::bulk::{BulkTree, hash_of};
use super::denial::hashing_of;
use super::index::NameHash;
use super::node::Node;
use super::packed::{Barrier, Content, PackedNodeMut, Position};
use super::page::{Page, PageDraft};
use super::tree::{APEX_PAGE, NameTree, Place};
use crate::dns::{NameRef, RrType, RrsetRef};
use crate::dnssec::Nsec3Params;

impl NameTree {
    /// The tree in which `owner` has exactly these RRsets: in ascending order of types, each type once, RRSIGs as signatures
    /// of what they cover, at most [`crate::limits::ZONE_OWNER_OCTETS`] in all. No RRset takes the name away, unless
    /// there are names below it; the apex always stays. Nothing is checked: see [`super::ZoneBuilder`] for what a
    /// zone may hold.
    ///
    /// A clone of this tree is not changed. Several changes in a row cost less than each alone, since what the first
    /// copied the next may change in place. NS or DNAME that comes or goes touches all names below it, NSEC3PARAM all names.
    /// NSEC3 goes to its own tree, and what else its owner has stays here.
    pub fn with<'r>(
        mut self,
        owner: NameRef<'_>,
        rrsets: impl IntoIterator<Item = RrsetRef<'r>>,
    ) -> NameTree {
        debug_assert!(owner.is_at_or_below(self.apex()), "{owner} is not in {}", self.apex);
        let (nsec3, own): (Vec<_>, Vec<_>) =
            rrsets.into_iter().partition(|rrset| rrset.rr_type == RrType::NSEC3);
        let content: Content = own.iter().copied().collect();
        self.set(owner, &content);
        let had_nsec3 = self.nsec3.as_ref().and_then(|tree| tree.exact(owner)).is_some_and(has_data);
        if had_nsec3 || !nsec3.is_empty() {
            let mut tree = match self.nsec3.take() {
                Some(tree) => Arc::unwrap_or_clone(tree),
                None => {
                    let mut apex_only = BulkTree::new(self.apex());
                    apex_only.push(self.apex(), &Content::default());
                    apex_only.finish()
                }
            };
            tree.set(owner, &nsec3.into_iter().collect());
            self = self.with_nsec3(Some(tree));
        }
        if owner == self.apex() {
            let params = own.iter().filter(|rrset| rrset.rr_type == RrType::NSEC3PARAM);
            let hashing = hashing_of(params.flat_map(|rrset| rrset.records));
            if hashing.as_ref() != self.hashing.as_deref() {
                return self.hashed_anew(hashing);
            }
        }
        self
    }

    /// The same tree with other hashes kept at its nodes.
    fn hashed_anew(&self, hashing: Option<Nsec3Params>) -> NameTree {
        let mut bulk = BulkTree::new(self.apex());
        bulk.keep_hashes(hashing);
        for node in self.own_nodes() {
            bulk.push(node.owner(), &node.rrsets().collect());
        }
        NameTree { nsec3: self.nsec3.clone(), ..bulk.finish() }
    }

    fn set(&mut self, owner: NameRef<'_>, content: &Content) {
        match self.place(owner) {
            Some(place) => {
                self.replace(place, content);
                self.prune(owner);
            }
            None if content.is_empty() => {}
            None => self.insert(owner, content),
        }
    }

    /// Gives an existing node other RRsets.
    fn replace(&mut self, place: Place, content: &Content) {
        let old = self.packed(place);
        let old_records =
            old.rrsets().map(|rrset| rrset.records.count() + rrset.signatures.count()).sum::<usize>();
        let (records, rrsets) = (self.record_count - old_records, self.rrset_count - old.rrset_count());
        let position = Position {
            owner: old.owner(),
            is_apex: is_apex(place),
            above: old.barrier_above(),
            children: old.children(),
            has_wildcard: old.has_wildcard_child(),
            hash: old.hash(),
        };
        let (owner, barrier) = (position.owner.to_name(), old.barrier());
        let mut octets = Vec::new();
        let new_barrier = content.write_node(&position, &mut octets);
        let (is_below_changed, above) = (barrier != new_barrier && position.children > 0, position.above);
        self.put(place.0, place.1..place.1 + 1, Some((owner.as_ref(), &octets)));
        self.record_count = records + content.record_count();
        self.rrset_count = rrsets + content.rrset_count();
        if is_below_changed {
            debug_assert_eq!(above, None, "under a barrier a node's own records change nothing");
            self.stand_anew(owner.as_ref(), new_barrier);
        }
    }

    /// Works out kind and barrier of all nodes below `top`, whose own barrier has changed.
    fn stand_anew(&mut self, top: NameRef<'_>, barrier: Option<Barrier>) {
        // The topmost barrier over the nodes now walked, with its owner.
        let mut over = barrier.map(|barrier| (top.to_name(), barrier));
        let pages: Vec<u32> = self.order.iter_from(top).collect();
        for page in pages {
            let first = self.pages.get(page).rank(top);
            for at in first..self.pages.get(page).count() {
                let owner = self.packed((page, at)).owner().to_name();
                if owner.as_ref() == top {
                    continue;
                }
                if !owner.as_ref().is_below(top) {
                    return;
                }
                let above = over.as_ref().filter(|(over, _)| owner.as_ref().is_below(over.as_ref()));
                let above = above.map(|(_, barrier)| *barrier);
                let below = self.change((page, at), |node| node.stand_below(above, false));
                if above.is_none() {
                    over = below.map(|barrier| (owner, barrier));
                }
            }
        }
    }

    /// Adds a name that does not exist, and the empty non-terminals above it.
    fn insert(&mut self, owner: NameRef<'_>, content: &Content) {
        let labels = owner.label_count();
        let (mut parent, mut above) = {
            let super::Found::Below { closest_encloser } = self.find(owner) else {
                return debug_assert!(false, "the name was just found to be missing");
            };
            let packed = closest_encloser.packed();
            (packed.labels() as usize, packed.barrier())
        };
        let new_child = owner.trim_to(parent + 1);
        self.change_at(new_child.parent().expect("it is below the apex"), |node| {
            node.add_child();
            if new_child.is_wildcard() {
                node.set_wildcard_child(true);
            }
        });
        let nothing = Content::default();
        while parent < labels {
            let name = owner.trim_to(parent + 1);
            let is_last = parent + 1 == labels;
            let position = Position {
                owner: name,
                is_apex: false,
                above,
                children: u32::from(!is_last),
                has_wildcard: !is_last && owner.trim_to(parent + 2).is_wildcard(),
                hash: hash_of(&self.hashing, name, above),
            };
            let mut octets = Vec::new();
            above = if is_last { content } else { &nothing }.write_node(&position, &mut octets);
            let page = self.order.page_of(name);
            let at = self.pages.get(page).rank(name);
            self.put(page, at..at, Some((name, &octets)));
            parent += 1;
        }
        self.record_count += content.record_count();
        self.rrset_count += content.rrset_count();
    }

    /// Takes out a node that has neither RRsets nor children, and then its parents for which the same has come true.
    fn prune(&mut self, owner: NameRef<'_>) {
        for name in owner.ancestors() {
            let place = self.place(name).expect("a node's ancestors exist down from the apex");
            let node = self.packed(place);
            if is_apex(place) || node.children() > 0 || node.rrset_count() > 0 {
                return;
            }
            self.put(place.0, place.1..place.1 + 1, None);
            self.index.remove(NameHash::of(name), place.0);
            self.change_at(name.parent().expect("it is below the apex"), |node| {
                node.remove_child();
                if name.is_wildcard() {
                    node.set_wildcard_child(false);
                }
            });
        }
    }

    /// Changes in place what a node keeps about its neighbours.
    fn change<R>(&mut self, (page, at): Place, change: impl FnOnce(&mut PackedNodeMut<'_>) -> R) -> R {
        change(&mut Arc::make_mut(self.pages.get_mut(page)).node_mut(at))
    }

    fn change_at(&mut self, name: NameRef<'_>, change: impl FnOnce(&mut PackedNodeMut<'_>)) {
        let place = self.place(name).expect("the caller names a node's parent");
        self.change(place, change);
    }

    /// Writes a page anew with some nodes replaced by one or by none. Grown too large it becomes several pages; the first keeps
    /// the number. Empty it goes. A node that is replaced by none must still be taken out of the index.
    fn put(&mut self, page: u32, replaced: std::ops::Range<usize>, new: Option<(NameRef<'_>, &[u8])>) {
        let old = Arc::clone(self.pages.get(page));
        let mut draft = PageDraft::default();
        old.copy_to(0..replaced.start, &mut draft);
        if let Some((owner, octets)) = new {
            let hash = NameHash::of(owner);
            draft.octets.extend_from_slice(octets);
            draft.close(hash.page_tag());
            if replaced.is_empty() {
                self.index.insert(hash, page);
            }
        }
        old.copy_to(replaced.end..old.count(), &mut draft);
        let mut pages = draft.into_pages().into_iter();
        match pages.next() {
            Some(first) => *self.pages.get_mut(page) = Arc::new(first),
            None => {
                self.order.remove(old.node(0).owner());
                self.pages.remove(page);
            }
        }
        for split_off in pages {
            self.add_page(split_off, page);
        }
    }

    /// Adds a page whose nodes the index still knows under another page's number.
    fn add_page(&mut self, page: Page, index_says: u32) {
        let first = page.node(0).owner().to_name();
        let hashes: Vec<NameHash> = page.nodes().map(|node| NameHash::of(node.owner())).collect();
        let number = self.pages.insert(Arc::new(page));
        for hash in hashes {
            self.index.remove(hash, index_says);
            self.index.insert(hash, number);
        }
        self.order.insert(first, number);
    }
}

fn has_data(node: Node<'_>) -> bool {
    node.rrsets().next().is_some()
}

fn is_apex(place: Place) -> bool {
    place == (APEX_PAGE, 0)
}
