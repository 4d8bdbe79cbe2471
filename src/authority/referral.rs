//! The name belongs to a zone that was delegated away: say to whom (RFC 1034 4.3.2 step 3b).

use super::answer::{Answering, Step};
use super::negative;
use crate::dns::{AnswerRrset, NameRef, RrType, rdata_table};
use crate::limits;
use crate::zone::{Found, Node};

/// Adds the NS RRset of the zone cut, when DNSSEC is wanted the DS RRset or the proof that there is none, and glue.
///
/// AA stays as it is: clear for a referral, set when an alias of ours led here.
pub(super) fn refer<'a>(answering: &mut Answering<'a>, cut: Node<'a>) -> Step<'a> {
    let Some(servers) = cut.rrset(RrType::NS) else { return Step::Done };
    // RFC 4035 3.1.4: NS at a cut is not ours to sign.
    answering.answer.authority.push(AnswerRrset::borrowed(servers));
    match cut.rrset(RrType::DS) {
        // RFC 4035 3.1.4.1: DS goes along where the zone is signed; unsigned it proves nothing.
        Some(ds) if answering.dnssec_ok && !ds.signatures.is_empty() => {
            answering.answer.authority.push(AnswerRrset::borrowed(ds).with_signatures(true));
        }
        Some(_) => {}
        None => negative::no_ds(answering, cut),
    }
    for rdata in servers.records.iter().take(limits::REFERRAL_SERVERS) {
        let Some(server) = rdata_table::additional_name(RrType::NS, rdata) else { continue };
        push_glue(answering, server, cut.owner());
    }
    Step::Done
}

/// RFC 9471 section 3: glue for servers in the delegated zone must be there, for siblings it may.
fn push_glue<'a>(answering: &mut Answering<'a>, server: NameRef<'a>, cut: NameRef<'_>) {
    if !server.is_at_or_below(answering.zone.apex()) {
        return;
    }
    let Found::Exact(node) = answering.zone.find(server) else { return };
    for rr_type in [RrType::A, RrType::AAAA] {
        let Some(rrset) = node.rrset(rr_type) else { continue };
        // RFC 4035 3.1.1: glue has no signatures, but a server may be a name of ours that has.
        let glue = AnswerRrset::borrowed(rrset).with_signatures(answering.dnssec_ok);
        let in_domain = server.is_at_or_below(cut);
        answering.answer.additional.push(if in_domain { glue.required() } else { glue });
    }
}
