//! Questions for more than one type: ANY and RRSIG.

use std::sync::Arc;

use super::answer::{Answering, Step, Synthesis};
use super::negative;
use crate::dns::{AnswerRrset, RecordsBuf, RrType, Rrset};
use crate::zone::Node;

/// RFC 8482 4.1: one of the RRsets at the name, with its signatures, is an answer to ANY; more is a gift to those who amplify.
pub(super) fn answer<'a>(
    answering: &mut Answering<'a>,
    node: Node<'a>,
    synthesis: Synthesis<'a>,
) -> Step<'a> {
    match node.rrsets().next() {
        Some(rrset) => answering.push_answer(rrset, synthesis),
        None => negative::nodata(answering, node, synthesis),
    }
    Step::Done
}

/// The signatures at the name, each with the TTL of the RRset it covers.
pub(super) fn signatures<'a>(
    answering: &mut Answering<'a>,
    node: Node<'a>,
    synthesis: Synthesis<'a>,
) -> Step<'a> {
    let before = answering.answer.answer.len();
    for rrset in node.rrsets().filter(|rrset| !rrset.signatures.is_empty()) {
        let signatures = rrset.signatures.iter().collect();
        let owner = rrset.owner.to_name();
        let set = Rrset::new(owner, RrType::RRSIG, rrset.ttl, signatures, RecordsBuf::new());
        answering.push_answer_rrset(AnswerRrset::shared(Arc::new(set)), synthesis);
    }
    if answering.answer.answer.len() == before {
        negative::nodata(answering, node, synthesis);
    }
    Step::Done
}
