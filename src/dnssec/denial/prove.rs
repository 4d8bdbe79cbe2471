//! Which records of a zone's chain an answer needs: the half of the one who answers.

use super::{next_closer, wildcard_of};
use crate::dns::{NameBuf, NameRef, RrsetRef};

/// The kinds of chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainKind {
    /// Owner names in canonical order (RFC 4034 section 4).
    Nsec,
    /// Hashed owner names in the order of the hashes (RFC 5155).
    Nsec3,
}

/// The chain of a signed zone, each record of which says which names and types exist.
pub trait Chain<'z> {
    /// What it is made of.
    fn kind(&self) -> ChainKind;

    /// The record of a name that exists. NSEC has none for an empty non-terminal, NSEC3 with opt-out none for an
    /// insecure delegation and the empty non-terminals above such ones only.
    fn matching(&self, name: NameRef<'_>) -> Option<RrsetRef<'z>>;

    /// The record in whose span a name lies that has none of its own.
    fn covering(&self, name: NameRef<'_>) -> Option<RrsetRef<'z>>;
}

/// Records that prove something together, each once. No proof needs more than three.
#[derive(Debug, Clone, Default)]
pub struct Proof<'z> {
    rrsets: [Option<RrsetRef<'z>>; 3],
}

impl<'z> Proof<'z> {
    /// The RRsets of type NSEC or NSEC3.
    pub fn iter(&self) -> impl Iterator<Item = RrsetRef<'z>> {
        self.rrsets.iter().flatten().copied()
    }

    /// Adds a record, unless it is among them. A chain with a gap has none: then the rest is said.
    fn push(&mut self, rrset: Option<RrsetRef<'z>>) {
        let Some(rrset) = rrset.filter(|new| self.iter().all(|known| known.owner != new.owner)) else {
            return;
        };
        if let Some(free) = self.rrsets.iter_mut().find(|place| place.is_none()) {
            *free = Some(rrset);
        }
    }
}

/// That neither the name exists nor a wildcard it could be made of (RFC 4035 3.1.3.2, RFC 5155 7.2.2).
pub fn prove_nxdomain<'z>(
    chain: &impl Chain<'z>,
    name: NameRef<'_>,
    closest_encloser: NameRef<'_>,
) -> Proof<'z> {
    let mut proof = Proof::default();
    let closest_encloser = push_absence(chain, name, closest_encloser, &mut proof);
    let mut buf = NameBuf::new();
    if let Some(wildcard) = wildcard_of(closest_encloser, &mut buf) {
        proof.push(chain.covering(wildcard));
    }
    proof
}

/// That a name has not the type asked for (RFC 4035 3.1.3.1, RFC 5155 7.2.3): also said of the DS of an insecure
/// delegation, asked for or not (RFC 4035 3.1.4, RFC 5155 7.2.4 and 7.2.7).
pub fn prove_nodata<'z>(chain: &impl Chain<'z>, name: NameRef<'_>) -> Proof<'z> {
    let mut proof = Proof::default();
    match (chain.matching(name), chain.kind()) {
        (Some(matching), _) => proof.push(Some(matching)),
        // An empty non-terminal: the record before it names one after it that is below it.
        (None, ChainKind::Nsec) => proof.push(chain.covering(name)),
        // Left out of the chain by opt-out.
        (None, ChainKind::Nsec3) => {
            push_closest_encloser(chain, name, name.parent(), &mut proof);
        }
    }
    proof
}

/// That the name itself does not exist, so that the wildcard answers for it (RFC 4035 3.1.3.3, RFC 5155 7.2.6).
pub fn prove_wildcard_answer<'z>(
    chain: &impl Chain<'z>,
    name: NameRef<'_>,
    closest_encloser: NameRef<'_>,
) -> Proof<'z> {
    let mut proof = Proof::default();
    proof.push(chain.covering(match chain.kind() {
        ChainKind::Nsec => name,
        // That the encloser exists is seen from the signature of the answer, which counts its labels.
        ChainKind::Nsec3 => next_closer(name, closest_encloser),
    }));
    proof
}

/// That the name does not exist and the wildcard that answers for it has not the type asked for (RFC 4035 3.1.3.4, RFC
/// 5155 7.2.5).
pub fn prove_wildcard_nodata<'z>(
    chain: &impl Chain<'z>,
    name: NameRef<'_>,
    closest_encloser: NameRef<'_>,
) -> Proof<'z> {
    let mut proof = Proof::default();
    push_absence(chain, name, closest_encloser, &mut proof);
    let mut buf = NameBuf::new();
    if let Some(wildcard) = wildcard_of(closest_encloser, &mut buf) {
        // It has no record when it is an empty non-terminal, or there by opt-out only.
        proof.push(chain.matching(wildcard).or_else(|| chain.covering(wildcard)));
    }
    proof
}

/// Proves that `name` does not exist; returns the closest encloser that this speaks of.
fn push_absence<'z, 'n>(
    chain: &impl Chain<'z>,
    name: NameRef<'_>,
    closest_encloser: NameRef<'n>,
    proof: &mut Proof<'z>,
) -> NameRef<'n> {
    match chain.kind() {
        ChainKind::Nsec => {
            proof.push(chain.covering(name));
            closest_encloser
        }
        ChainKind::Nsec3 => {
            push_closest_encloser(chain, name, Some(closest_encloser), proof).unwrap_or(closest_encloser)
        }
    }
}

/// The closest encloser proof of RFC 5155 7.2.1: an ancestor exists, and the name one label below it on the way to `name`
/// does not. Opt-out may leave the closest encloser without record; then it is the closest provable one, which is
/// returned.
fn push_closest_encloser<'z, 'n>(
    chain: &impl Chain<'z>,
    name: NameRef<'_>,
    closest_encloser: Option<NameRef<'n>>,
    proof: &mut Proof<'z>,
) -> Option<NameRef<'n>> {
    let enclosers = closest_encloser.into_iter().flat_map(NameRef::ancestors);
    let (provable, matching) =
        enclosers.into_iter().find_map(|encloser| Some((encloser, chain.matching(encloser)?)))?;
    proof.push(Some(matching));
    proof.push(chain.covering(next_closer(name, provable)));
    Some(provable)
}
