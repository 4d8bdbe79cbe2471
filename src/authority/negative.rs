//! That something is not there (RFC 2308): the SOA says for how long that may be remembered, and a signed zone proves it.

use super::answer::{Answering, Synthesis};
use crate::dns::{AnswerRrset, NameRef, Rcode};
use crate::dnssec::{Proof, denial};
use crate::zone::{DenialChain, Node};

/// NODATA: the name exists, or a wildcard answers for it, but the type does not.
pub(super) fn nodata<'a>(answering: &mut Answering<'a>, node: Node<'a>, synthesis: Synthesis<'a>) {
    push_soa(answering);
    prove(answering, |chain, sname| match synthesis {
        Synthesis::None => denial::prove_nodata(chain, node.owner()),
        Synthesis::Wildcard { closest_encloser } => {
            denial::prove_wildcard_nodata(chain, sname, closest_encloser.owner())
        }
    });
}

/// NXDOMAIN: the name does not exist. After an alias this is said of its target (RFC 6604 section 2).
pub(super) fn nxdomain<'a>(answering: &mut Answering<'a>, closest_encloser: Node<'a>) {
    answering.answer.authoritative = true;
    answering.answer.rcode = Rcode::NXDOMAIN;
    push_soa(answering);
    prove(answering, |chain, sname| denial::prove_nxdomain(chain, sname, closest_encloser.owner()));
}

/// What a wildcard answers is right only where the name itself does not exist.
pub(super) fn no_closer_match<'a>(answering: &mut Answering<'a>, closest_encloser: Node<'a>) {
    prove(answering, |chain, sname| denial::prove_wildcard_answer(chain, sname, closest_encloser.owner()));
}

/// A delegation without DS leads out of the secure part of the tree.
pub(super) fn no_ds<'a>(answering: &mut Answering<'a>, cut: Node<'a>) {
    prove(answering, |chain, _| denial::prove_nodata(chain, cut.owner()));
}

fn push_soa(answering: &mut Answering<'_>) {
    let zone = answering.zone;
    // RFC 2308 section 3: the TTL is the lesser of the SOA's own and its MINIMUM field.
    let soa = AnswerRrset::borrowed(zone.soa()).with_ttl(zone.negative_ttl());
    answering.answer.authority.push(soa.with_signatures(answering.dnssec_ok));
}

/// Adds a proof about the name at hand, where DNSSEC is wanted and the zone is signed. The TTL of its records is the one
/// they were signed with: RFC 9077 has made it the signer's task to keep it down to that of negative answers.
fn prove<'a>(answering: &mut Answering<'a>, find: impl FnOnce(&DenialChain<'a>, NameRef<'_>) -> Proof<'a>) {
    let Some(chain) = answering.zone.denial_chain().filter(|_| answering.dnssec_ok) else { return };
    let proof = find(&chain, answering.sname.name());
    for rrset in proof.iter() {
        // An alias may lead twice into the same gap; it is said once.
        let authority = &mut answering.answer.authority;
        let stands = authority
            .iter()
            .map(AnswerRrset::rrset)
            .any(|other| other.owner == rrset.owner && other.rr_type == rrset.rr_type);
        if !stands {
            authority.push(AnswerRrset::borrowed(rrset).with_signatures(true));
        }
    }
}
