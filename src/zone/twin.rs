//! The slow obvious twin of a tree: a list of owners and types, searched from end to end as RFC 1034 4.3.2 says, and the
//! properties that hold the tree to it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::builder::ZoneBuilder;
use super::bulk::BulkTree;
use super::node::{Node, NodeKind};
use super::packed::Content;
use super::tree::{Found, NameTree};
use crate::dns::{Name, NameRef, RecordsBuf, RrType, Rrset, Ttl};

const TYPES: [RrType; 5] = [RrType::A, RrType::NS, RrType::TXT, RrType::DNAME, RrType(65_280)];

/// Owners with a bit for each of [`TYPES`]; the apex is always among them.
#[derive(Clone, Debug)]
struct Twin {
    apex: Name,
    owners: BTreeMap<Name, u8>,
}

impl Twin {
    fn new() -> Twin {
        let apex: Name = "Zone.test.".parse().unwrap();
        Twin { owners: [(apex.clone(), 1)].into(), apex }
    }

    fn set(&mut self, owner: &Name, types: u8) {
        if types == 0 && *owner != self.apex {
            self.owners.remove(owner);
        } else {
            self.owners.insert(owner.clone(), types);
        }
    }

    fn has(&self, owner: NameRef<'_>, rr_type: RrType) -> bool {
        self.owners
            .iter()
            .any(|(name, types)| name.as_ref() == owner && types_of(*types).any(|known| known == rr_type))
    }

    fn exists(&self, name: NameRef<'_>) -> bool {
        self.owners.keys().any(|owner| owner.as_ref().is_at_or_below(name))
    }

    fn closest_encloser(&self, name: NameRef<'_>) -> Name {
        name.ancestors().find(|ancestor| self.exists(*ancestor)).unwrap().to_name()
    }

    /// The names from the apex down to `name`.
    fn way(&self, name: NameRef<'_>) -> Vec<Name> {
        let mut way: Vec<Name> = name
            .ancestors()
            .take_while(|ancestor| ancestor.is_at_or_below(self.apex.as_ref()))
            .map(NameRef::to_name)
            .collect();
        way.reverse();
        way
    }

    /// Where the walk to `name`, that name included, meets NS below the apex or a DNAME.
    fn barrier(&self, name: NameRef<'_>) -> Option<(RrType, Name)> {
        self.way(name).into_iter().find_map(|step| {
            if step != self.apex && self.has(step.as_ref(), RrType::NS) {
                return Some((RrType::NS, step));
            }
            self.has(step.as_ref(), RrType::DNAME).then_some((RrType::DNAME, step))
        })
    }

    fn seen(&self, name: NameRef<'_>) -> Seen {
        let barrier = self.barrier(name);
        let of = |rr_type| barrier.clone().filter(|(kind, _)| *kind == rr_type).map(|(_, owner)| owner);
        let is_empty = self.owners.get(&name.to_name()).is_none_or(|types| *types == 0);
        let wildcard = child(b"*", name).filter(|wildcard| self.exists(wildcard.as_ref()));
        Seen {
            owner: name.to_name(),
            kind: match &barrier {
                _ if name == self.apex.as_ref() => NodeKind::Apex,
                Some((_, owner)) if owner.as_ref() != name => NodeKind::Occluded,
                Some((RrType::NS, _)) => NodeKind::Cut,
                _ if is_empty => NodeKind::EmptyNonTerminal,
                _ => NodeKind::Authoritative,
            },
            types: TYPES.into_iter().filter(|rr_type| self.has(name, *rr_type)).collect(),
            cut: of(RrType::NS),
            dname_above: of(RrType::DNAME).filter(|owner| owner.as_ref() != name),
            dname_at_or_above: of(RrType::DNAME),
            wildcard,
        }
    }

    fn all(&self) -> Vec<Seen> {
        let mut names: Vec<Name> = self.owners.keys().flat_map(|owner| self.way(owner.as_ref())).collect();
        names.sort_by(|a, b| a.as_ref().canonical_cmp(b.as_ref()));
        names.dedup();
        names.iter().map(|name| self.seen(name.as_ref())).collect()
    }

    /// The same made at once by the code under test.
    fn tree(&self) -> NameTree {
        let mut bulk = BulkTree::new(self.apex.as_ref());
        for (owner, types) in &self.owners {
            let rrsets = rrsets(owner, *types);
            bulk.push(owner.as_ref(), &rrsets.iter().map(Rrset::view).collect::<Content>());
        }
        bulk.finish()
    }
}

/// All a node tells.
#[derive(Debug, PartialEq)]
struct Seen {
    owner: Name,
    kind: NodeKind,
    types: Vec<RrType>,
    cut: Option<Name>,
    dname_above: Option<Name>,
    dname_at_or_above: Option<Name>,
    wildcard: Option<Name>,
}

impl Seen {
    fn of(node: Node<'_>) -> Seen {
        let owner = |node: Node<'_>| node.owner().to_name();
        for rrset in node.rrsets() {
            assert_eq!(node.rrset(rrset.rr_type), Some(rrset));
        }
        assert_eq!(node.packed().has_wildcard_child(), node.wildcard().is_some());
        Seen {
            owner: owner(node),
            kind: node.kind(),
            types: node.rrsets().map(|rrset| rrset.rr_type).collect(),
            cut: node.cut().map(owner),
            dname_above: node.dname_above().map(owner),
            dname_at_or_above: node.dname_at_or_above().map(owner),
            wildcard: node.wildcard().map(owner),
        }
    }

    fn all(tree: &NameTree) -> Vec<Seen> {
        tree.nodes().map(Seen::of).collect()
    }
}

fn types_of(types: u8) -> impl Iterator<Item = RrType> {
    TYPES.into_iter().enumerate().filter(move |(bit, _)| types & (1 << bit) != 0).map(|(_, rr_type)| rr_type)
}

fn rrsets(owner: &Name, types: u8) -> Vec<Rrset> {
    let records =
        |rr_type: RrType| -> RecordsBuf { [&[7; 20][..rr_type.0 as usize % 20]].into_iter().collect() };
    let rrset = |rr_type| Rrset::new(owner.clone(), rr_type, Ttl::MAX, records(rr_type), RecordsBuf::new());
    types_of(types).map(rrset).collect()
}

fn child(label: &[u8], parent: NameRef<'_>) -> Option<Name> {
    let mut buf = crate::dns::NameBuf::new();
    buf.push_label(label).unwrap();
    buf.finish_with(parent).ok().map(NameRef::to_name)
}

/// Names at and below the apex, from few labels so that they meet, with those whose order is easily wrong.
fn name() -> impl Strategy<Value = Name> {
    let labels = [
        &b"a"[..],
        b"A",
        b"b",
        b"*",
        b"ab",
        b"\0",
        b"\x01",
        b"a\0",
        b"\xff",
        b"fourteen-bytes",
        b"fifteen--bytes-",
        b"sixteen---bytes-",
        b"sixteen---bytes-!",
    ];
    proptest::collection::vec(proptest::sample::select(labels.to_vec()), 0..5).prop_map(|labels| {
        let apex = Twin::new().apex;
        labels.into_iter().fold(apex, |parent, label| child(label, parent.as_ref()).unwrap())
    })
}

/// Types that give many plain names, some cuts and DNAMEs, and with `gaps` names that go.
fn types(gaps: u32) -> impl Strategy<Value = u8> {
    prop_oneof![gaps => Just(0u8), 8 => Just(1u8), 1 => 1u8..32, 1 => Just(2u8), 1 => Just(8u8)]
}

fn assert_found(tree: &NameTree, twin: &Twin, name: &Name) {
    match tree.find(name.as_ref()) {
        Found::Exact(node) => {
            assert!(twin.exists(name.as_ref()), "{name}");
            assert_eq!(Seen::of(node), twin.seen(name.as_ref()));
        }
        Found::Below { closest_encloser } => {
            assert!(!twin.exists(name.as_ref()), "{name}");
            assert_eq!(closest_encloser.owner().to_name(), twin.closest_encloser(name.as_ref()));
        }
    }
}

fn assert_counted(tree: &NameTree) {
    let rrsets = tree.nodes().flat_map(Node::rrsets).count();
    let records = tree.nodes().flat_map(Node::rrsets).map(|rrset| rrset.records.count()).sum::<usize>();
    assert_eq!((tree.rrset_count(), tree.record_count()), (rrsets, records));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_built_tree_tells_what_its_twin_tells(
        owners in proptest::collection::vec((name(), types(0)), 0..150),
        questions in proptest::collection::vec(name(), 40),
    ) {
        let mut twin = Twin::new();
        owners.iter().for_each(|(owner, types)| twin.set(owner, *types));
        let tree = twin.tree();
        prop_assert_eq!(Seen::all(&tree), twin.all());
        questions.iter().for_each(|name| assert_found(&tree, &twin, name));
        assert_counted(&tree);
    }

    #[test]
    fn a_builder_sorts_what_comes_in_any_order(
        owners in proptest::collection::vec((name(), types(0)), 0..80),
    ) {
        let mut twin = Twin::new();
        let mut builder = ZoneBuilder::new(twin.apex.clone());
        for (owner, types) in owners.iter().filter(|(owner, _)| *owner != Twin::new().apex) {
            let known = twin.owners.get(owner).copied().unwrap_or(0);
            twin.set(owner, known | types);
            for rrset in rrsets(owner, *types) {
                builder.push(owner.as_ref(), rrset.rr_type, rrset.ttl, rrset.records().first().unwrap(), ());
            }
        }
        let apex = twin.apex.as_ref();
        builder.push(apex, RrType::A, Ttl::MAX, &[7], ());
        builder.push(apex, RrType::SOA, Ttl::MAX, &[0; 22], ());
        let zone = builder.build().ok().unwrap().zone;
        // The twin's apex has no SOA.
        let tree = zone.tree().clone().with(apex, rrsets(&twin.apex, 1).iter().map(Rrset::view));
        prop_assert_eq!(Seen::all(&tree), twin.all());
        assert_counted(&tree);
    }

    #[test]
    fn a_changed_tree_equals_one_built_anew_and_its_old_version_stays(
        before in proptest::collection::vec((name(), types(0)), 0..150),
        changes in proptest::collection::vec((name(), any::<proptest::sample::Index>(), types(12)), 1..150),
        questions in proptest::collection::vec(name(), 20),
    ) {
        let mut twin = Twin::new();
        before.iter().for_each(|(owner, types)| twin.set(owner, *types));
        let (old, old_twin) = (twin.tree(), twin.clone());
        let mut tree = old.clone();
        for (owner, existing, types) in &changes {
            // What goes should be there; what comes may be anything.
            let owner = if *types == 0 { existing.get(&twin.owners.keys().cloned().collect::<Vec<_>>()).clone() } else { owner.clone() };
            twin.set(&owner, *types);
            let rrsets = rrsets(&owner, *types);
            tree = tree.with(owner.as_ref(), rrsets.iter().map(Rrset::view));
        }
        prop_assert_eq!(Seen::all(&tree), twin.all());
        questions.iter().for_each(|name| assert_found(&tree, &twin, name));
        assert_counted(&tree);
        prop_assert_eq!(Seen::all(&old), old_twin.all());
    }
}

#[test]
fn a_tree_grows_over_many_pages_and_shrinks_to_its_apex() {
    let mut twin = Twin::new();
    let names: Vec<Name> = (0..2000u32)
        .map(|n| child(format!("n{}", n.wrapping_mul(2_654_435_761)).as_bytes(), twin.apex.as_ref()).unwrap())
        .collect();
    let empty = twin.tree();
    let mut tree = empty.clone();
    for name in &names {
        twin.set(name, 1);
        tree = tree.with(name.as_ref(), rrsets(name, 1).iter().map(Rrset::view));
    }
    let grown = tree.clone();
    assert!(grown.nodes().map(|node| node.owner().to_name()).eq(twin.owners.keys().cloned()));
    assert!(names.iter().all(|name| grown.exact(name.as_ref()).is_some()));
    for name in &names {
        tree = tree.with(name.as_ref(), []);
        assert!(tree.exact(name.as_ref()).is_none());
    }
    assert_eq!((tree.nodes().count(), empty.nodes().count(), grown.nodes().count()), (1, 1, 2001));
    assert_eq!(Seen::all(&tree), Seen::all(&empty));
    // The pages that went are used again.
    for name in &names {
        tree = tree.with(name.as_ref(), rrsets(name, 1).iter().map(Rrset::view));
    }
    assert_eq!(Seen::all(&tree), Seen::all(&grown));
}

#[test]
fn a_delegation_that_comes_and_goes_touches_every_page_below_it() {
    let mut twin = Twin::new();
    let top = child(b"d", twin.apex.as_ref()).unwrap();
    twin.set(&top, 1);
    for n in 0..300 {
        let middle = child(format!("m{n}").as_bytes(), top.as_ref()).unwrap();
        // Some have cuts and DNAMEs of their own, which count again once the one above is gone.
        twin.set(&middle, [1, 2, 8][n % 3]);
        twin.set(&child(b"x", middle.as_ref()).unwrap(), 1);
    }
    for types in [2, 8, 10, 1, 0] {
        let tree = twin.tree().with(top.as_ref(), rrsets(&top, types).iter().map(Rrset::view));
        let mut changed = twin.clone();
        changed.set(&top, types);
        assert_eq!(Seen::all(&tree), changed.all(), "types {types}");
    }
}

#[test]
fn the_closest_encloser_is_found_at_every_depth() {
    let twin = Twin::new();
    let deepest = (0..120).try_fold(twin.apex.clone(), |parent, _| child(b"a", parent.as_ref())).unwrap();
    let labels = deepest.as_ref().label_count();
    for existing in 2..labels {
        let mut twin = twin.clone();
        twin.set(&deepest.as_ref().trim_to(existing).to_name(), 1);
        let tree = twin.tree();
        let Found::Below { closest_encloser } = tree.find(deepest.as_ref()) else {
            panic!("{existing} labels exist, not {labels}");
        };
        assert_eq!(closest_encloser.label_count(), existing);
    }
}
