//! The chain of a signed zone: which of its NSEC or NSEC3 records matches or covers a name.

use super::node::{Node, NodeKind};
use super::tree::NameTree;
use crate::dns::{NameBuf, NameRef, RrType, RrsetRef};
use crate::dnssec::{Chain, ChainKind, Nsec3Params, OwnerHash};
use crate::limits;

/// The records of a zone that prove what it does not have.
#[derive(Clone, Copy)]
pub struct DenialChain<'z> {
    tree: &'z NameTree,
    kind: ChainKind,
}

impl<'z> DenialChain<'z> {
    pub(super) fn new(tree: &'z NameTree, kind: ChainKind) -> DenialChain<'z> {
        DenialChain { tree, kind }
    }

    /// The kind of chain a zone has, if it has one. Where there are both, NSEC3PARAM says that its chain is whole, and the
    /// other is being made or on its way out (RFC 5155 10.4 and 10.5).
    pub(super) fn kind_of(tree: &NameTree) -> Option<ChainKind> {
        let begins = |kind: &ChainKind| DenialChain::new(tree, *kind).matching(tree.apex()).is_some();
        [ChainKind::Nsec3, ChainKind::Nsec].into_iter().find(begins)
    }

    fn nsec_at(node: Node<'z>) -> Option<RrsetRef<'z>> {
        node.rrset(RrType::NSEC)
    }

    /// The NSEC of the last name before `name` that has one.
    fn nsec_before(&self, name: NameRef<'_>) -> Option<RrsetRef<'z>> {
        self.tree.back_from(name).take(limits::DENIAL_STEPS_BACK).find_map(|node| match node.kind() {
            // What a cut or a DNAME hides has no record, however much it is; they come right before it.
            NodeKind::Occluded => node.cut().or_else(|| node.dname_at_or_above()).and_then(Self::nsec_at),
            _ => Self::nsec_at(node),
        })
    }

    fn nsec3_params(&self) -> Option<(&'z Nsec3Params, &'z NameTree)> {
        Some((self.tree.hashing.as_deref()?, self.tree.nsec3.as_deref()?))
    }

    fn nsec3_of(&self, hash: OwnerHash) -> Option<RrsetRef<'z>> {
        let (params, nsec3) = self.nsec3_params()?;
        let mut buf = NameBuf::new();
        nsec3_at(params, nsec3.exact(hash.owner(self.tree.apex(), &mut buf)?)?)
    }

    /// The NSEC3 RRset of the last hash before `hash`; of all hashes when none comes before it (RFC 5155 3.1.7).
    fn nsec3_before(&self, hash: OwnerHash) -> Option<RrsetRef<'z>> {
        let (params, nsec3) = self.nsec3_params()?;
        let mut buf = NameBuf::new();
        let owner = hash.owner(self.tree.apex(), &mut buf)?;
        let mut before = nsec3.back_from(owner).chain(nsec3.back()).take(limits::DENIAL_STEPS_BACK);
        before.find_map(|node| nsec3_at(params, node))
    }
}

impl<'z> Chain<'z> for DenialChain<'z> {
    fn kind(&self) -> ChainKind {
        self.kind
    }

    fn matching(&self, name: NameRef<'_>) -> Option<RrsetRef<'z>> {
        let node = self.tree.exact(name)?;
        match self.kind {
            ChainKind::Nsec => Self::nsec_at(node),
            ChainKind::Nsec3 => {
                let (params, _) = self.nsec3_params()?;
                self.nsec3_of(node.packed().hash().unwrap_or_else(|| params.hash(name)))
            }
        }
    }

    fn covering(&self, name: NameRef<'_>) -> Option<RrsetRef<'z>> {
        match self.kind {
            ChainKind::Nsec => self.nsec_before(name),
            ChainKind::Nsec3 => self.nsec3_before(self.nsec3_params()?.0.hash(name)),
        }
    }
}

/// How a zone hashes its names, by the RDATA of its NSEC3PARAM. Of several each has a whole chain (RFC 5155 4); the first
/// that can be used is.
pub(super) fn hashing_of<'r>(params: impl Iterator<Item = &'r [u8]>) -> Option<Nsec3Params> {
    let mut usable = params.filter_map(Nsec3Params::from_nsec3param);
    usable.find(|params| params.iterations <= limits::NSEC3_ITERATIONS)
}

/// The NSEC3 RRset at a node, when it is of the chain in use and not of another with other parameters.
fn nsec3_at<'z>(params: &Nsec3Params, node: Node<'z>) -> Option<RrsetRef<'z>> {
    node.rrset(RrType::NSEC3).filter(|rrset| rrset.records.iter().any(|rdata| params.are_of_nsec3(rdata)))
}

#[cfg(test)]
mod tests {
    use super::super::ZoneBuilder;
    use super::super::zone::Zone;
    use super::*;
    use crate::dns::{Name, RecordsBuf, Rrset, Ttl};

    const SOA: &[u8] = b"\0\0\0\0\0\x07\0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\0\x01\x2c";
    /// No iterations, no salt; and the front of an NSEC3 of that chain, all a server reads of it.
    const PARAMS: &[u8] = b"\x01\0\0\0\0";
    const OTHER_PARAMS: &[u8] = b"\x01\0\0\x01\0";

    type Line<'a> = (&'a str, RrType, &'a [u8]);

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn zone(lines: &[Line<'_>]) -> Zone {
        let mut builder = ZoneBuilder::new(name("example."));
        builder.push(name("example.").as_ref(), RrType::SOA, Ttl::ZERO, SOA, ());
        for (owner, rr_type, rdata) in lines {
            builder.push(name(owner).as_ref(), *rr_type, Ttl::ZERO, rdata, ());
        }
        builder.build().ok().unwrap().zone
    }

    fn hashed(of: &str, params: &[u8]) -> String {
        let hash = Nsec3Params::from_nsec3param(params).unwrap().hash(name(of).as_ref());
        hash.owner(name("example.").as_ref(), &mut NameBuf::new()).unwrap().to_string()
    }

    fn covering(zone: &Zone, asked: &str) -> Option<String> {
        let covering = zone.denial_chain().unwrap().covering(name(asked).as_ref());
        covering.map(|rrset| rrset.owner.to_string())
    }

    fn matching(zone: &Zone, asked: &str) -> Option<String> {
        let matching = zone.denial_chain().unwrap().matching(name(asked).as_ref());
        matching.map(|rrset| rrset.owner.to_string())
    }

    #[test]
    fn the_kind_of_chain_is_told_from_the_apex() {
        let apex_nsec3 = hashed("example.", PARAMS);
        let nsec: Line<'_> = ("example.", RrType::NSEC, b"\0");
        let params: Line<'_> = ("example.", RrType::NSEC3PARAM, PARAMS);
        let nsec3: Line<'_> = (&apex_nsec3, RrType::NSEC3, PARAMS);
        for (case, lines, want) in [
            ("unsigned", &[][..], None),
            ("NSEC", &[nsec], Some(ChainKind::Nsec)),
            ("NSEC3", &[params, nsec3], Some(ChainKind::Nsec3)),
            ("both", &[nsec, params, nsec3], Some(ChainKind::Nsec3)),
            ("NSEC3 in the making", &[nsec, nsec3], Some(ChainKind::Nsec)),
            ("NSEC3 that is not there", &[nsec, params], Some(ChainKind::Nsec)),
            ("unknown parameters", &[("example.", RrType::NSEC3PARAM, b"\x02\0\0\0\0"), nsec3], None),
        ] {
            assert_eq!(zone(lines).denial_chain().map(|chain| chain.kind()), want, "{case}");
        }
    }

    #[test]
    fn owners_of_nsec3_are_counted_and_listed_but_do_not_exist() {
        let (apex, other) = (hashed("example.", PARAMS), hashed("a.example.", PARAMS));
        let zone = zone(&[
            ("example.", RrType::NSEC3PARAM, PARAMS),
            (&apex, RrType::NSEC3, PARAMS),
            (&apex, RrType::RRSIG, &[&RrType::NSEC3.0.to_be_bytes()[..], b"signature"].concat()),
            (&other, RrType::NSEC3, PARAMS),
            ("a.example.", RrType::A, b"abcd"),
        ]);
        assert!(matches!(zone.find(name(&apex).as_ref()), super::super::Found::Below { .. }));
        assert_eq!((zone.record_count(), zone.rrset_count(), zone.nodes().count()), (6, 5, 4));
        let nsec3 = zone.denial_chain().unwrap().matching(zone.apex()).unwrap();
        assert_eq!(nsec3.signatures.count(), 1);
    }

    #[test]
    fn what_is_hidden_or_empty_is_passed_over() {
        let mut owners =
            vec![("cut.example.".to_owned(), RrType::NS), ("cut.example.".to_owned(), RrType::NSEC)];
        // Far more glue than steps, and then as many empty non-terminals as there can be.
        owners.extend((0..5 * limits::DENIAL_STEPS_BACK).map(|n| (format!("g{n}.cut.example."), RrType::A)));
        let deep = format!("{}example.", "e.".repeat(120));
        owners.extend([(deep.clone(), RrType::A), (deep.clone(), RrType::NSEC)]);
        let mut lines: Vec<Line<'_>> =
            owners.iter().map(|(owner, rr_type)| (owner.as_str(), *rr_type, &b"\x01x\0"[..])).collect();
        lines.push(("example.", RrType::NSEC, b"\0"));
        let zone = zone(&lines);
        assert_eq!(covering(&zone, "d.example.").unwrap(), "cut.example.");
        assert_eq!(covering(&zone, &deep["e.".len()..]).unwrap(), "cut.example.");
        assert_eq!(covering(&zone, &deep.replacen("e.", "d.", 1)).unwrap(), "cut.example.");
        assert_eq!(covering(&zone, "f.example.").unwrap(), deep);
        assert_eq!(covering(&zone, "b.example.").unwrap(), "example.");
    }

    #[test]
    fn a_zone_signed_by_halves_costs_no_more_than_the_bound() {
        let owners: Vec<String> =
            (0..2 * limits::DENIAL_STEPS_BACK).map(|n| format!("n{n:04}.example.")).collect();
        let mut lines: Vec<Line<'_>> =
            owners.iter().map(|owner| (owner.as_str(), RrType::A, &b"abcd"[..])).collect();
        lines.push(("example.", RrType::NSEC, b"\0"));
        let zone = zone(&lines);
        // From one that does not exist the steps before it lead over as many names.
        let asked = |steps: usize| format!("x.n{:04}.example.", steps - 1);
        assert_eq!(covering(&zone, &asked(limits::DENIAL_STEPS_BACK - 1)).unwrap(), "example.");
        assert_eq!(covering(&zone, &asked(limits::DENIAL_STEPS_BACK)), None);
    }

    #[test]
    fn a_name_with_very_many_records_is_one_step() {
        let (many, long) = (0..100_000u32, vec![b'x'; 65_535]);
        let numbers: Vec<[u8; 4]> = many.map(u32::to_be_bytes).collect();
        let mut lines: Vec<Line<'_>> =
            numbers.iter().map(|rdata| ("big.example.", RrType::A, &rdata[..])).collect();
        lines.extend([
            ("example.", RrType::NSEC, &b"\0"[..]),
            ("big.example.", RrType::NSEC, b"\0"),
            ("long.example.", RrType::NULL, &long),
            ("long.example.", RrType::NSEC, b"\0"),
            ("small.example.", RrType::A, b"abcd"),
            ("small.example.", RrType::NSEC, b"\0"),
        ]);
        let zone = zone(&lines);
        for (asked, want) in [
            ("a.example.", "example."),
            ("x.big.example.", "big.example."),
            ("c.example.", "big.example."),
            ("m.example.", "long.example."),
            ("z.example.", "small.example."),
        ] {
            assert_eq!(covering(&zone, asked).as_deref(), Some(want), "{asked}");
        }
        // No page holds them together with a neighbour, so finding and changing that moves none of their octets.
        let nodes_beside = zone.tree().pages.iter().filter_map(|page| {
            let is_large = page.nodes().any(|node| node.octets.len() > 60_000);
            is_large.then_some(page.count() - 1)
        });
        assert_eq!(nodes_beside.collect::<Vec<_>>(), [0, 0]);
    }

    #[test]
    fn before_the_first_hash_comes_the_last() {
        let (apex, a) = (hashed("example.", PARAMS), hashed("a.example.", PARAMS));
        let zone = zone(&[
            ("example.", RrType::NSEC3PARAM, PARAMS),
            (&apex, RrType::NSEC3, PARAMS),
            (&a, RrType::NSEC3, PARAMS),
            // Of another chain.
            ("00000000000000000000000000000000.example.", RrType::NSEC3, OTHER_PARAMS),
            ("vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv.example.", RrType::NSEC3, OTHER_PARAMS),
        ]);
        let (low, high) = if apex < a { (apex, a) } else { (a, apex) };
        let mut spans = [0, 0];
        for asked in (0..50).map(|n| format!("n{n}.example.")) {
            let hash = hashed(&asked, PARAMS);
            let is_between = low < hash && hash < high;
            spans[usize::from(is_between)] += 1;
            assert_eq!(
                covering(&zone, &asked).as_ref(),
                Some(if is_between { &low } else { &high }),
                "{asked}"
            );
        }
        assert!(!spans.contains(&0), "both spans were tried");
    }

    #[test]
    fn a_chain_follows_the_changes_of_its_tree() {
        let set = |owner: &str, rr_type, rdata: &[u8]| {
            Rrset::new(name(owner), rr_type, Ttl::ZERO, [rdata].into_iter().collect(), RecordsBuf::new())
        };
        let owners = ["example.", "a.example.", "b.example."];
        let mut tree = zone(&[]).tree().clone();
        let apex = [set("example.", RrType::SOA, SOA), set("example.", RrType::NSEC3PARAM, PARAMS)];
        for owner in &owners[1..] {
            tree = tree.with(name(owner).as_ref(), [set(owner, RrType::A, b"abcd").view()]);
        }
        tree = tree.with(name("example.").as_ref(), apex.iter().map(Rrset::view));
        for owner in owners.map(|owner| hashed(owner, PARAMS)) {
            tree = tree.with(name(&owner).as_ref(), [set(&owner, RrType::NSEC3, PARAMS).view()]);
        }
        tree = tree.with(name("c.example.").as_ref(), [set("c.example.", RrType::A, b"abcd").view()]);
        let old = Zone::new(tree.clone()).unwrap();
        for owner in owners {
            assert_eq!(matching(&old, owner), Some(hashed(owner, PARAMS)));
        }
        assert_eq!(matching(&old, "c.example."), None, "it has no record yet");
        // Other parameters: the records of the old ones go, those of the new ones come.
        for owner in owners {
            let (gone, come) = (hashed(owner, PARAMS), hashed(owner, OTHER_PARAMS));
            tree = tree.with(name(&gone).as_ref(), []);
            tree = tree.with(name(&come).as_ref(), [set(&come, RrType::NSEC3, OTHER_PARAMS).view()]);
        }
        let apex = [set("example.", RrType::SOA, SOA), set("example.", RrType::NSEC3PARAM, OTHER_PARAMS)];
        tree = tree.with(name("example.").as_ref(), apex.iter().map(Rrset::view));
        let new = Zone::new(tree).unwrap();
        for owner in owners {
            assert_eq!(matching(&new, owner), Some(hashed(owner, OTHER_PARAMS)));
            assert_eq!(matching(&old, owner), Some(hashed(owner, PARAMS)), "the old version stays");
        }
        assert_eq!((new.record_count(), old.record_count()), (8, 8));
    }
}
