//! Zone cuts: glue, DS, and what is hidden below them.

use super::Advisor;
use super::advice::Advice;
use super::book::Owner;
use crate::dns::{NameRef, RrType};

/// Types that mean something only at the apex (RFC 4034 2, RFC 5155 4, RFC 7344 4.1, RFC 7477 2.1).
const AT_APEX: [RrType; 5] =
    [RrType::DNSKEY, RrType::NSEC3PARAM, RrType::CDS, RrType::CDNSKEY, RrType::CSYNC];

/// Types the parent answers for at a zone cut (RFC 4035 2.6), or would if it were signed.
const AT_CUT: [RrType; 4] = [RrType::NS, RrType::DS, RrType::NSEC, RrType::RRSIG];

pub(super) fn look<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    match owner.hidden_by() {
        // What a DNAME hides is found whenever a zone is built.
        Some(above) if !above.is_cut() => {}
        Some(cut) => look_below(owner, cut, &[], advisor),
        None if owner.is_cut() => {
            look_below(owner, owner, &AT_CUT, advisor);
            look_for_glue(owner, advisor);
        }
        None => look_at_parental(owner, advisor),
    }
}

fn look_at_parental<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    if let [ds, ..] = owner.of_type(RrType::DS) {
        let advice = if owner.is_apex() { Advice::DsAtApex } else { Advice::DsWithoutNs };
        advisor.say(advice, owner, ds.mark);
    }
    if !owner.is_apex() {
        for rr_type in AT_APEX {
            if let [record, ..] = owner.of_type(rr_type) {
                advisor.say(Advice::BelowApex { rr_type }, owner, record.mark);
            }
        }
    }
}

/// Data at or below a cut is glue, or nobody's.
fn look_below<M: Copy>(
    owner: Owner<'_, '_, M>,
    cut: Owner<'_, '_, M>,
    allowed: &[RrType],
    advisor: &mut Advisor<'_, M>,
) {
    let Some(ns) = cut.of_type(RrType::NS).first() else {
        return;
    };
    let name = || cut.name().to_name();
    for records in owner.records().chunk_by(|a, b| a.rr_type == b.rr_type) {
        let rr_type = records[0].rr_type;
        let is_address = [RrType::A, RrType::AAAA].contains(&rr_type);
        // The servers of other delegations may live here too (RFC 9471 2.2).
        if allowed.contains(&rr_type) || is_address && owner.book().name_servers().contains(&owner.name()) {
            continue;
        }
        let advice = if is_address {
            Advice::GlueOfNobody { cut: name() }
        } else {
            Advice::HiddenByCut { rr_type, cut: name() }
        };
        advisor.say_both(advice, owner, records[0].mark, ns.mark);
    }
}

fn look_for_glue<M: Copy>(cut: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    for (server, mark) in servers(cut) {
        if !server.is_at_or_below(cut.name()) || cut.book().exact(server).is_some_and(Owner::has_address) {
            continue;
        }
        advisor.say(Advice::GlueMissing { server: server.to_name() }, cut, mark);
    }
}

fn servers<'b, 'a, M: Copy>(
    owner: Owner<'b, 'a, M>,
) -> impl Iterator<Item = (NameRef<'a>, M)> + use<'b, 'a, M> {
    let ns = owner.of_type(RrType::NS).iter();
    ns.filter_map(|record| Some((NameRef::from_wire(record.rdata).ok()?, record.mark)))
}
