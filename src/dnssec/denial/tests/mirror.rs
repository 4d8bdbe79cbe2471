//! `prove_*` and `check_*` as mirror images, over random small zones: what the one writes the other accepts, and no records of
//! a zone prove what a slow obvious twin, looking at the zone, knows to be false.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::super::{Nsec3Params, OwnerHash};
use super::*;

/// What stands at an owner name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Data {
    Address,
    Alias,
    Dname,
    Insecure,
    Secure,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Signing {
    Nsec,
    Nsec3,
    OptOut,
}

/// What the zone says of a name.
#[derive(Debug, PartialEq)]
enum Truth {
    /// It is below a cut or a DNAME.
    Elsewhere,
    /// It exists; nothing stands at an empty non-terminal.
    Exists(Option<Data>),
    /// Below the closest encloser; and the wildcard there, if it exists.
    Absent { closest_encloser: Name, wildcard: Option<Option<Data>> },
}

struct Twin {
    owners: BTreeMap<Name, Data>,
    signing: Signing,
    params: Nsec3Params,
    /// In the order of the chain.
    links: Vec<Rrset>,
}

fn apex() -> Name {
    name("z.")
}

fn child(label: &str, parent: NameRef<'_>) -> Name {
    let mut buf = NameBuf::new();
    buf.push_label(label.as_bytes()).unwrap();
    buf.finish_with(parent).unwrap().to_name()
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} {}", self.signing, self.owners, self.params.iterations)
    }
}

impl Twin {
    fn new(owners: BTreeMap<Name, Data>, signing: Signing, iterations: u16) -> Twin {
        let params = Nsec3Params { iterations, salt: Box::from(*b"salt") };
        let mut twin = Twin { owners, signing, params, links: Vec::new() };
        twin.links = twin.chain();
        twin
    }

    /// The topmost delegation or DNAME above a name.
    fn barrier(&self, name: NameRef<'_>) -> bool {
        let ends = |name: NameRef<'_>| {
            self.owners.get(&name.to_name()).is_some_and(|data| !matches!(data, Data::Address | Data::Alias))
        };
        name.ancestors().skip(1).any(ends)
    }

    /// Owners that are not below a cut or a DNAME.
    fn seen(&self) -> impl Iterator<Item = (&Name, Data)> {
        self.owners
            .iter()
            .filter(|(owner, _)| !self.barrier(owner.as_ref()))
            .map(|(owner, data)| (owner, *data))
    }

    fn exists(&self, name: NameRef<'_>) -> bool {
        name == apex().as_ref() || self.seen().any(|(owner, _)| owner.as_ref().is_at_or_below(name))
    }

    fn truth(&self, name: NameRef<'_>) -> Truth {
        if self.barrier(name) {
            return Truth::Elsewhere;
        }
        if self.exists(name) {
            return Truth::Exists(self.owners.get(&name.to_name()).copied());
        }
        let closest_encloser = name.ancestors().find(|above| self.exists(*above)).unwrap().to_name();
        let wildcard = child("*", closest_encloser.as_ref());
        let wildcard = self.exists(wildcard.as_ref()).then(|| self.owners.get(&wildcard).copied());
        Truth::Absent { closest_encloser, wildcard }
    }

    fn is_nxdomain(&self, name: NameRef<'_>) -> bool {
        matches!(self.truth(name), Truth::Absent { wildcard: None, .. })
    }

    fn is_nodata(&self, name: NameRef<'_>, rr_type: RrType) -> bool {
        let lacks = |data: Option<Data>| match data {
            None => true,
            Some(Data::Address) => rr_type != RrType::A,
            Some(Data::Alias) => false,
            Some(Data::Dname) => rr_type != RrType::DNAME,
            // Of a cut the parent knows the DS.
            Some(Data::Insecure) => rr_type == RrType::DS,
            Some(Data::Secure) => false,
        };
        match self.truth(name) {
            Truth::Elsewhere => false,
            Truth::Exists(_) if name == apex().as_ref() => {
                ![RrType::NS, RrType::SOA, RrType::DS].contains(&rr_type)
            }
            Truth::Exists(data) => lacks(data),
            Truth::Absent { wildcard, .. } => wildcard.is_some_and(lacks),
        }
    }

    fn is_wildcard_answer(&self, name: NameRef<'_>, encloser: NameRef<'_>) -> bool {
        matches!(self.truth(name), Truth::Absent { closest_encloser, .. } if closest_encloser.as_ref() == encloser)
    }

    /// The names with a record, and its types.
    fn linked(&self) -> BTreeMap<Name, Vec<u8>> {
        let mut types: BTreeMap<Name, Vec<u8>> = self
            .seen()
            .map(|(owner, data)| {
                let types = match data {
                    Data::Address => vec![1],
                    Data::Alias => vec![5],
                    Data::Dname => vec![39],
                    Data::Insecure => vec![2],
                    Data::Secure => vec![2, 43],
                };
                (owner.clone(), types)
            })
            .collect();
        if self.signing == Signing::OptOut {
            types.retain(|_, types| *types != [2]);
        }
        if self.signing != Signing::Nsec {
            let owners: Vec<Name> = types.keys().cloned().collect();
            for above in owners.iter().flat_map(|owner| owner.as_ref().ancestors()) {
                if above.is_below(apex().as_ref()) {
                    types.entry(above.to_name()).or_default();
                }
            }
        }
        types.insert(apex(), vec![2, 6]);
        types
    }

    fn chain(&self) -> Vec<Rrset> {
        let linked: BTreeMap<Name, Vec<u8>> =
            self.linked().into_iter().map(|(name, types)| (self.link_owner(name.as_ref()), types)).collect();
        let nexts = linked.keys().cycle().skip(1);
        linked.iter().zip(nexts).map(|((owner, types), next)| self.link(owner, next, types)).collect()
    }

    fn link(&self, owner: &Name, next: &Name, types: &[u8]) -> Rrset {
        let mut bits = [0u8; 8];
        types.iter().for_each(|rr_type| bits[usize::from(rr_type / 8)] |= 0x80 >> (rr_type % 8));
        let octets = types.iter().max().map_or(0, |rr_type| usize::from(rr_type / 8) + 1);
        let bitmap = if octets == 0 { vec![] } else { [&[0, octets as u8][..], &bits[..octets]].concat() };
        let (rr_type, rdata) = match self.signing {
            Signing::Nsec => (RrType::NSEC, [next.octets(), &bitmap].concat()),
            signing => {
                let next = OwnerHash::from_label(next.as_ref().first_label().unwrap()).unwrap();
                let flags = u8::from(signing == Signing::OptOut);
                let front = [1, flags, 0, self.params.iterations as u8, 4];
                (RrType::NSEC3, [&front[..], &self.params.salt, &[20], &next.0, &bitmap].concat())
            }
        };
        rrset(&owner.to_string(), rr_type, &rdata)
    }

    fn link_owner(&self, name: NameRef<'_>) -> Name {
        match self.signing {
            Signing::Nsec => name.to_name(),
            _ => self.params.hash(name).owner(apex().as_ref(), &mut NameBuf::new()).unwrap().to_name(),
        }
    }

    /// Whether opt-out leaves the closest encloser of a name that does not exist without record. What can be said of the name
    /// then depends on whether a wildcard exists further up, and some of it cannot be proven at all.
    fn hides_encloser(&self, name: NameRef<'_>) -> bool {
        matches!(self.truth(name), Truth::Absent { closest_encloser, .. }
            if self.signing == Signing::OptOut && (&self).matching(closest_encloser.as_ref()).is_none())
    }

    fn accepts(&self, denial: &Denial) -> bool {
        *denial == Denial::Proven || (self.signing == Signing::OptOut && *denial == Denial::OptOut)
    }
}

impl<'z> Chain<'z> for &'z Twin {
    fn kind(&self) -> ChainKind {
        if self.signing == Signing::Nsec { ChainKind::Nsec } else { ChainKind::Nsec3 }
    }

    fn matching(&self, name: NameRef<'_>) -> Option<RrsetRef<'z>> {
        let owner = self.link_owner(name);
        self.links.iter().find(|link| link.owner == owner).map(Rrset::view)
    }

    fn covering(&self, name: NameRef<'_>) -> Option<RrsetRef<'z>> {
        let owner = self.link_owner(name);
        self.links.iter().rfind(|link| link.owner < owner).or(self.links.last()).map(Rrset::view)
    }
}

/// Names at and below the apex, from few labels so that they meet.
fn some_name(least: usize) -> impl Strategy<Value = Name> {
    let label = proptest::sample::select(vec!["a", "b", "*"]);
    proptest::collection::vec(label, least..5)
        .prop_map(|labels| labels.into_iter().fold(apex(), |parent, label| child(label, parent.as_ref())))
}

fn zone() -> impl Strategy<Value = Twin> {
    let data = proptest::sample::select(vec![
        Data::Address,
        Data::Address,
        Data::Alias,
        Data::Dname,
        Data::Insecure,
        Data::Insecure,
        Data::Secure,
    ]);
    let owners = proptest::collection::btree_map(some_name(1), data, 0..7).prop_map(|mut owners| {
        // A wildcard that is a cut or a DNAME has no meaning (RFC 4592 4.2 and 4.4).
        for (owner, data) in &mut owners {
            if owner.as_ref().is_wildcard() && *data != Data::Alias {
                *data = Data::Address;
            }
        }
        owners
    });
    let signing = proptest::sample::select(vec![Signing::Nsec, Signing::Nsec3, Signing::OptOut]);
    (owners, signing, 0u16..3)
        .prop_map(|(owners, signing, iterations)| Twin::new(owners, signing, iterations))
}

fn some_type() -> impl Strategy<Value = RrType> {
    proptest::sample::select(vec![RrType::A, RrType::MX, RrType::DS, RrType::NS, RrType::DNAME, RrType::SOA])
}

/// A proof is accepted, and without any of its records it is not.
fn assert_mirrors(twin: &Twin, proof: &Proof<'_>, check: impl Fn(&Evidence<'_>) -> Denial) {
    let (apex, rrsets): (Name, Vec<RrsetRef<'_>>) = (apex(), proof.iter().collect());
    let found = check(&Evidence::new(apex.as_ref(), rrsets.iter().copied()));
    assert!(twin.accepts(&found), "{found:?} {rrsets:?} {twin:?}");
    for gone in 0..rrsets.len() {
        let rest = rrsets.iter().enumerate().filter(|(place, _)| *place != gone).map(|(_, rrset)| *rrset);
        let found = check(&Evidence::new(apex.as_ref(), rest));
        assert!(matches!(found, Denial::Unproven(_)), "{found:?} without {gone} of {rrsets:?} {twin:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_proven_is_accepted_and_needs_each_of_its_records(
        twin in zone(),
        names in proptest::collection::vec(some_name(0), 12),
        rr_type in some_type(),
    ) {
        let chain = &&twin;
        for name in names.iter().map(Name::as_ref).filter(|name| !twin.hides_encloser(*name)) {
            match twin.truth(name) {
                Truth::Exists(_) if twin.is_nodata(name, rr_type) => {
                    let check = |evidence: &Evidence<'_>| check_nodata(evidence, name, rr_type, &mut Hashes::new());
                    assert_mirrors(&twin, &prove_nodata(chain, name), check);
                }
                Truth::Absent { closest_encloser, wildcard } => {
                    let encloser = closest_encloser.as_ref();
                    let check = |evidence: &Evidence<'_>| {
                        check_wildcard_answer(evidence, name, encloser, &mut Hashes::new())
                    };
                    // Opt-out may hide the encloser; but then no wildcard below it is signed.
                    if wildcard.is_some_and(|data| data.is_some()) {
                        assert_mirrors(&twin, &prove_wildcard_answer(chain, name, encloser), check);
                    }
                    if wildcard.is_none() {
                        let check = |evidence: &Evidence<'_>| check_nxdomain(evidence, name, &mut Hashes::new());
                        assert_mirrors(&twin, &prove_nxdomain(chain, name, encloser), check);
                    } else if twin.is_nodata(name, rr_type) {
                        let proof = prove_wildcard_nodata(chain, name, encloser);
                        let check = |evidence: &Evidence<'_>| {
                            check_nodata(evidence, name, rr_type, &mut Hashes::new())
                        };
                        // An opt-out span leaves so much open that the wildcard's own record adds nothing.
                        if twin.signing == Signing::OptOut {
                            let apex = apex();
                            let found = check(&Evidence::new(apex.as_ref(), proof.iter()));
                            prop_assert!(twin.accepts(&found), "{:?} {:?}", found, twin);
                        } else {
                            assert_mirrors(&twin, &proof, check);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn what_proves_that_a_name_does_not_exist_proves_it_of_those_below(
        twin in zone(),
        names in proptest::collection::vec(some_name(1), 12),
        hidden in proptest::collection::vec(proptest::sample::select(vec!["a", "b", "*"]), 1..4),
        kept in proptest::collection::vec(any::<bool>(), 32),
    ) {
        let apex = apex();
        let came = twin.links.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(link, _)| link.view());
        let evidence = Evidence::new(apex.as_ref(), came);
        for name in names {
            let found = check_nxdomain(&evidence, name.as_ref(), &mut Hashes::new());
            let mut below = name.clone();
            for label in hidden.iter().filter(|_| found == Denial::Proven) {
                below = child(label, below.as_ref());
                let found = check_nxdomain(&evidence, below.as_ref(), &mut Hashes::new());
                prop_assert_eq!(found, Denial::Proven, "{} below {}: {:?}", below, name, twin);
            }
        }
    }

    #[test]
    fn no_records_of_a_zone_prove_what_is_false(
        twin in zone(),
        names in proptest::collection::vec(some_name(0), 12),
        rr_type in some_type(),
        kept in proptest::collection::vec(any::<bool>(), 32),
        all in any::<bool>(),
    ) {
        let apex = apex();
        let came = twin.links.iter().zip(&kept).filter(|(_, kept)| all || **kept).map(|(link, _)| link.view());
        let evidence = Evidence::new(apex.as_ref(), came);
        // Of all records of the chain nothing is missing to prove what is true.
        let is_whole = all && twin.links.len() <= kept.len();
        let is_provable = |name: &Name| is_whole && !twin.hides_encloser(name.as_ref());
        let judge = |found: Denial, is_true: bool, asked: &Name, what: &str| {
            let what = format!("{what} {asked}");
            assert!(is_true || found != Denial::Proven, "{what}: {twin:?}");
            assert!(twin.signing == Signing::OptOut || found != Denial::OptOut, "{what}: {twin:?}");
            assert!(!(is_true && is_provable(asked)) || twin.accepts(&found), "{what}: {found:?} {twin:?}");
        };
        for asked in &names {
            let name = asked.as_ref();
            let mut hashes = Hashes::new();
            let found = check_nxdomain(&evidence, name, &mut hashes);
            judge(found, twin.is_nxdomain(name), asked, "NXDOMAIN");
            let found = check_nodata(&evidence, name, rr_type, &mut hashes);
            judge(found, twin.is_nodata(name, rr_type), asked, &format!("no {rr_type} at"));
            for encloser in name.ancestors().skip(1).filter(|encloser| twin.exists(*encloser)) {
                let found = check_wildcard_answer(&evidence, name, encloser, &mut hashes);
                let is_true = twin.is_wildcard_answer(name, encloser);
                // What is below a cut or a DNAME has no wildcard that is signed.
                if twin.truth(name) != Truth::Elsewhere {
                    judge(found, is_true, asked, &format!("wildcard of {} for", encloser.to_name()));
                }
            }
        }
    }

    #[test]
    fn what_a_zone_says_of_a_delegation_is_true(
        twin in zone(),
        names in proptest::collection::vec(some_name(1), 12),
        kept in proptest::collection::vec(any::<bool>(), 32),
        all in any::<bool>(),
    ) {
        let apex = apex();
        let came = twin.links.iter().zip(&kept).filter(|(_, kept)| all || **kept).map(|(link, _)| link.view());
        let evidence = Evidence::new(apex.as_ref(), came);
        for asked in &names {
            let (found, truth) = (check_no_ds(&evidence, asked.as_ref(), &mut Hashes::new()), twin.truth(asked.as_ref()));
            let is_insecure = truth == Truth::Exists(Some(Data::Insecure));
            let is_no_cut =
                !is_insecure && !matches!(truth, Truth::Elsewhere | Truth::Exists(Some(Data::Secure)));
            match &found {
                NoDs::InsecureDelegation => prop_assert!(is_insecure, "{} {:?}", asked, twin),
                NoDs::NotACut => prop_assert!(is_no_cut, "{} {:?}", asked, twin),
                NoDs::OptOut => prop_assert_eq!(twin.signing, Signing::OptOut),
                NoDs::Unproven(_) => {
                    prop_assert!(!all || !(is_insecure || is_no_cut), "{} {:?} {:?}", asked, found, twin);
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn random_octets_harm_nothing(
        records in proptest::collection::vec(
            (some_name(0), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..6),
        twin in zone(),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        asked in some_name(0),
        encloser in some_name(0),
        rr_type in any::<u16>(),
    ) {
        let mut rrsets: Vec<Rrset> = records
            .iter()
            .map(|(owner, is_nsec, rdata)| {
                rrset(&owner.to_string(), if *is_nsec { RrType::NSEC } else { RrType::NSEC3 }, rdata)
            })
            .collect();
        // And those of a chain, each octet of which may be another.
        rrsets.extend(twin.links.iter().cloned());
        for (which, octet, other) in flips {
            let changed = which.index(rrsets.len());
            let mut rdata = rrsets[changed].records().first().unwrap().to_vec();
            if !rdata.is_empty() {
                let place = octet.index(rdata.len());
                rdata[place] = other;
            }
            rrsets[changed] = rrset(&rrsets[changed].owner.to_string(), rrsets[changed].rr_type, &rdata);
        }
        let (apex, asked) = (apex(), asked.as_ref());
        let evidence = evidence(&apex, &rrsets);
        let mut hashes = Hashes::new();
        check_nxdomain(&evidence, asked, &mut hashes);
        check_nodata(&evidence, asked, RrType(rr_type), &mut hashes);
        check_wildcard_answer(&evidence, asked, encloser.as_ref(), &mut hashes);
        check_no_ds(&evidence, asked, &mut hashes);
        prop_assert!(hashes.blocks() <= crate::limits::NSEC3_HASH_BLOCKS);
    }
}

/// The random zones hold all kinds of answers, or the properties above say little.
#[test]
fn random_zones_have_answers_of_all_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    for _ in 0..400 {
        let twin = zone().new_tree(&mut runner).unwrap().current();
        let asked = some_name(0).new_tree(&mut runner).unwrap().current();
        kinds.insert(match twin.truth(asked.as_ref()) {
            Truth::Elsewhere => "elsewhere",
            Truth::Exists(None) => "empty non-terminal",
            Truth::Exists(Some(_)) => "exists",
            Truth::Absent { wildcard: None, .. } => "absent",
            Truth::Absent { wildcard: Some(None), .. } => "empty wildcard",
            Truth::Absent { wildcard: Some(Some(_)), .. } => "wildcard",
        });
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}
