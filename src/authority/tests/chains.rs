//! Random signed zones against a slow obvious twin: the chain as a list, searched from end to end.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::signed::signed;
use super::*;
use crate::dns::{NameBuf, NameRef, Ttl};
use crate::dnssec::{Nsec3Params, OwnerHash};

const SOA: &[u8] = b"\0\0\0\0\0\x07\0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\0\x01\x2c";

/// What stands at an owner name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Data {
    Address,
    Insecure,
    Secure,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Signing {
    Nsec,
    Nsec3,
    OptOut,
}

/// Owners with their data, the apex not among them, and the chain over them.
#[derive(Debug)]
struct Twin {
    owners: BTreeMap<Name, Data>,
    signing: Signing,
    params: Nsec3Params,
    /// The names or hashes that have a record, in their order.
    links: BTreeMap<Vec<u8>, Name>,
}

impl Twin {
    fn new(owners: BTreeMap<Name, Data>, signing: Signing, iterations: u16) -> Twin {
        let params = Nsec3Params { iterations, salt: Box::from(*b"salt") };
        let mut twin = Twin { owners, signing, params, links: BTreeMap::new() };
        let linked: Vec<Name> = twin.names().into_iter().filter(|name| twin.is_linked(name)).collect();
        twin.links =
            linked.iter().map(|name| (twin.key(name.as_ref()), twin.record_owner(name.as_ref()))).collect();
        twin
    }

    /// All names that exist and are not below a cut, empty non-terminals too.
    fn names(&self) -> BTreeSet<Name> {
        let seen =
            self.owners.keys().filter(|owner| self.cut(owner.as_ref()).is_none_or(|cut| cut == **owner));
        let all = seen.flat_map(|owner| owner.as_ref().ancestors().map(NameRef::to_name).collect::<Vec<_>>());
        all.filter(|name| name.as_ref().is_at_or_below(apex().as_ref())).chain([apex()]).collect()
    }

    /// The topmost delegation at or above a name.
    fn cut(&self, name: NameRef<'_>) -> Option<Name> {
        let is_cut = |name: &Name| self.owners.get(name).is_some_and(|data| *data != Data::Address);
        name.ancestors().map(NameRef::to_name).filter(is_cut).last()
    }

    fn is_linked(&self, name: &Name) -> bool {
        let below = |secure: bool| {
            let mut owners = self.owners.iter().filter(|(owner, _)| {
                owner.as_ref().is_at_or_below(name.as_ref())
                    && self.cut(owner.as_ref()).is_none_or(|cut| cut == **owner)
            });
            owners.any(|(_, data)| !secure || *data != Data::Insecure)
        };
        *name == apex()
            || match self.signing {
                Signing::Nsec => self.owners.contains_key(name),
                Signing::Nsec3 => below(false),
                Signing::OptOut => below(true),
            }
    }

    fn hash(&self, name: NameRef<'_>) -> OwnerHash {
        self.params.hash(name)
    }

    /// Octets whose order is that of the chain.
    fn key(&self, name: NameRef<'_>) -> Vec<u8> {
        match self.signing {
            Signing::Nsec => {
                let mut labels: Vec<Vec<u8>> = name.labels().map(<[u8]>::to_ascii_lowercase).collect();
                labels.reverse();
                // The labels are letters and asterisks, so 0 comes before all of them.
                labels.join(&0)
            }
            _ => self.hash(name).0.to_vec(),
        }
    }

    fn record_owner(&self, name: NameRef<'_>) -> Name {
        match self.signing {
            Signing::Nsec => name.to_name(),
            _ => self.hash(name).owner(apex().as_ref(), &mut NameBuf::new()).unwrap().to_name(),
        }
    }

    fn matching(&self, name: NameRef<'_>) -> Option<Name> {
        self.links.iter().find(|(key, _)| **key == self.key(name)).map(|(_, owner)| owner.clone())
    }

    fn covering(&self, name: NameRef<'_>) -> Name {
        let key = self.key(name);
        let before = self.links.iter().rfind(|(link, _)| **link <= key);
        before.or(self.links.iter().last()).unwrap().1.clone()
    }

    /// RFC 5155 7.2.1, with the encloser it speaks of.
    fn encloser_proof(&self, name: NameRef<'_>) -> (Name, Vec<Name>) {
        let mut above = name.ancestors().skip(1);
        let provable = above.find(|encloser| self.matching(*encloser).is_some()).unwrap();
        let next_closer = name.trim_to(provable.label_count() + 1);
        (provable.to_name(), vec![self.matching(provable).unwrap(), self.covering(next_closer)])
    }

    fn nodata(&self, name: NameRef<'_>) -> Vec<Name> {
        match (self.matching(name), self.signing) {
            (Some(owner), _) => vec![owner],
            (None, Signing::Nsec) => vec![self.covering(name)],
            (None, _) => self.encloser_proof(name).1,
        }
    }

    /// The owners of the records that must stand in the authority section.
    fn proof(&self, name: NameRef<'_>, rr_type: RrType) -> BTreeSet<Name> {
        let names = self.names();
        let has = |name: &Name| match self.owners.get(name) {
            Some(Data::Address) => rr_type == RrType::A,
            Some(Data::Secure) => rr_type == RrType::DS,
            _ => false,
        };
        let owners = match self.cut(name) {
            Some(cut) if rr_type != RrType::DS || cut.as_ref() != name => match self.owners[&cut] {
                Data::Secure => vec![],
                _ => self.nodata(cut.as_ref()),
            },
            _ if names.contains(&name.to_name()) => {
                if has(&name.to_name()) {
                    vec![]
                } else {
                    self.nodata(name)
                }
            }
            _ => self.proof_of_absence(name, &names, &has),
        };
        owners.into_iter().collect()
    }

    fn proof_of_absence(
        &self,
        name: NameRef<'_>,
        names: &BTreeSet<Name>,
        has: &dyn Fn(&Name) -> bool,
    ) -> Vec<Name> {
        let encloser = name.ancestors().find(|ancestor| names.contains(&ancestor.to_name())).unwrap();
        let source = child(b"*", encloser);
        let next_closer = name.trim_to(encloser.label_count() + 1);
        if has(&source) {
            return vec![self.covering(if self.signing == Signing::Nsec { name } else { next_closer })];
        }
        let (provable, mut proof) = match self.signing {
            Signing::Nsec => (encloser.to_name(), vec![self.covering(name)]),
            _ => self.encloser_proof(name),
        };
        proof.push(match names.contains(&source) {
            true => self.matching(source.as_ref()).unwrap_or_else(|| self.covering(source.as_ref())),
            false => self.covering(child(b"*", provable.as_ref()).as_ref()),
        });
        proof
    }

    /// The zone as its signer makes it. What the records name as next is nothing the server reads.
    fn zones(&self) -> ZoneTable {
        let mut builder = ZoneBuilder::new(apex());
        let mut push =
            |owner: &Name, rr_type, rdata: &[u8]| builder.push(owner.as_ref(), rr_type, Ttl::ZERO, rdata, ());
        push(&apex(), RrType::SOA, SOA);
        push(&apex(), RrType::NS, b"\x02ns\x04test\0");
        let params = [&b"\x01\0"[..], &self.params.iterations.to_be_bytes(), b"\x04salt"].concat();
        if self.signing != Signing::Nsec {
            push(&apex(), RrType::NSEC3PARAM, &params);
        }
        for (owner, data) in &self.owners {
            match data {
                Data::Address => push(owner, RrType::A, b"abcd"),
                Data::Insecure => push(owner, RrType::NS, b"\x02ns\x04test\0"),
                Data::Secure => {
                    push(owner, RrType::NS, b"\x02ns\x04test\0");
                    push(owner, RrType::DS, b"\0\x01\x0d\x02digest");
                }
            }
        }
        for owner in self.links.values() {
            match self.signing {
                Signing::Nsec => push(owner, RrType::NSEC, b"\0"),
                _ => push(owner, RrType::NSEC3, &[&params[..], &[20; 21]].concat()),
            }
        }
        signed(&builder.build().ok().unwrap().zone)
    }
}

fn apex() -> Name {
    "example.".parse().unwrap()
}

fn child(label: &[u8], parent: NameRef<'_>) -> Name {
    let mut buf = NameBuf::new();
    buf.push_label(label).unwrap();
    buf.finish_with(parent).unwrap().to_name()
}

fn name() -> impl Strategy<Value = Name> {
    let labels = proptest::sample::select(vec![&b"a"[..], b"b", b"c", b"ab", b"*"]);
    proptest::collection::vec(labels, 1..5)
        .prop_map(|labels| labels.into_iter().fold(apex(), |parent, label| child(label, parent.as_ref())))
}

/// Cuts are rare, so that there is something beside them; what a wildcard that is one would mean nobody says (RFC 4592
/// 4.2).
fn owners() -> impl Strategy<Value = BTreeMap<Name, Data>> {
    let data = prop_oneof![6 => Just(Data::Address), 2 => Just(Data::Insecure), 1 => Just(Data::Secure)];
    let owner = (name(), data).prop_map(|(name, data)| {
        let data = if name.as_ref().is_wildcard() { Data::Address } else { data };
        (name, data)
    });
    proptest::collection::vec(owner, 0..40).prop_map(|owners| owners.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_answer_has_the_proof_its_twin_finds(
        owners in owners(),
        signing in proptest::sample::select(vec![Signing::Nsec, Signing::Nsec3, Signing::OptOut]),
        iterations in 0u16..3,
        questions in proptest::collection::vec((name(), proptest::sample::select(vec![RrType::A, RrType::TXT, RrType::DS])), 30),
    ) {
        let twin = Twin::new(owners, signing, iterations);
        let zones = twin.zones();
        for (name, rr_type) in &questions {
            let question = QuestionRef { name: name.as_ref(), rr_type: *rr_type, class: RrClass::IN };
            let Verdict::Answer(answer) = answer(&zones, question, true) else { panic!() };
            let proof: Vec<Name> = answer.authority.iter().map(AnswerRrset::rrset)
                .filter(|set| [RrType::NSEC, RrType::NSEC3].contains(&set.rr_type))
                .map(|set| set.owner.to_name()).collect();
            let set: BTreeSet<Name> = proof.iter().cloned().collect();
            prop_assert_eq!(set.len(), proof.len(), "a record twice for {} {}", name, rr_type);
            prop_assert_eq!(set, twin.proof(name.as_ref(), *rr_type), "{} {} of {:?}", name, rr_type, &twin);
        }
    }
}
