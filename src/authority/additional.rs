//! Addresses of the servers an answer names (RFC 1034 4.3.2 step 6).

use super::answer::Answering;
use crate::dns::{AnswerRrset, NameRef, RrType, rdata_table};
use crate::limits;
use crate::zone::{Found, NodeKind};

/// For each NS, MX, SRV, SVCB... record that ends the answer section, the addresses this zone has for its target.
pub(super) fn add_addresses(answering: &mut Answering<'_>) {
    // What is borrowed from the zone outlives the answer it stands in; what was synthesised has no such types.
    let Some(leading) = answering.answer.answer.iter().last().and_then(AnswerRrset::borrowed_rrset) else {
        return;
    };
    for rdata in leading.records.iter().take(limits::ADDITIONAL_TARGETS) {
        let Some(target) = rdata_table::additional_name(leading.rr_type, rdata) else { continue };
        add_addresses_of(answering, target, leading.rr_type);
    }
}

fn add_addresses_of<'a>(answering: &mut Answering<'a>, target: NameRef<'a>, leading_type: RrType) {
    let zone = answering.zone;
    if !target.is_at_or_below(zone.apex()) {
        return;
    }
    let Found::Exact(node) = zone.find(target) else { return };
    // Glue is data of another zone: worth giving along with the NS records that need it only.
    if node.kind() == NodeKind::Occluded && leading_type != RrType::NS {
        return;
    }
    for rr_type in [RrType::A, RrType::AAAA] {
        let Some(rrset) = node.rrset(rr_type).filter(|_| !stands(answering, target, rr_type)) else {
            continue;
        };
        let address = AnswerRrset::borrowed(rrset).with_signatures(answering.dnssec_ok);
        answering.answer.additional.push(address);
    }
}

/// Whether the answer has this RRset already.
fn stands(answering: &Answering<'_>, owner: NameRef<'_>, rr_type: RrType) -> bool {
    let answer = &answering.answer;
    let mut sets = answer.answer.iter().chain(answer.additional.iter()).map(AnswerRrset::rrset);
    sets.any(|set| set.rr_type == rr_type && set.owner == owner)
}
