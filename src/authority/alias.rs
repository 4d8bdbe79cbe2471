//! CNAME and DNAME: one name leads to another (RFC 1034 3.6.2, RFC 6672).

use std::sync::Arc;

use super::answer::{Answering, Sname, Step, Synthesis};
use crate::dns::{AnswerRrset, NameBuf, NameRef, Rcode, RecordsBuf, RrType, Rrset, RrsetRef};

/// A CNAME at the name: it is part of the answer, and the search starts again at its target.
pub(super) fn follow<'a>(
    answering: &mut Answering<'a>,
    cname: RrsetRef<'a>,
    synthesis: Synthesis<'a>,
) -> Step<'a> {
    // A loop: everything it holds has been said.
    if stands_in_answer(answering, answering.sname.name(), RrType::CNAME) {
        return Step::Done;
    }
    answering.push_answer(cname, synthesis);
    let target = cname.records.first().and_then(|rdata| NameRef::from_wire(rdata).ok());
    target.map_or(Step::Done, |target| Step::Alias(Sname::Borrowed(target)))
}

/// A DNAME above the name: it is part of the answer, with the CNAME that follows from it (RFC 6672 3.1).
pub(super) fn redirect<'a>(answering: &mut Answering<'a>, dname: RrsetRef<'a>) -> Step<'a> {
    answering.answer.authoritative = true;
    if stands_in_answer(answering, answering.sname.name(), RrType::CNAME) {
        return Step::Done;
    }
    // A chain may pass the same DNAME twice; it is said once.
    if !stands_in_answer(answering, dname.owner, RrType::DNAME) {
        answering.push_answer(dname, Synthesis::None);
    }
    let Some(target) = dname.records.first().and_then(|rdata| NameRef::from_wire(rdata).ok()) else {
        return Step::Done;
    };
    let mut buf = NameBuf::new();
    let Ok(target) = substitute(answering.sname.name(), dname.owner, target, &mut buf) else {
        // RFC 6672 2.2: the name that would result has more than 255 octets.
        answering.answer.rcode = Rcode::YXDOMAIN;
        return Step::Done;
    };
    let owner = answering.sname.name().to_name();
    let target = target.to_name();
    let records: RecordsBuf = [target.octets()].into_iter().collect();
    // RFC 6672 3.1: the TTL of the DNAME. The CNAME is not signed (5.3.1).
    let cname = Rrset::new(owner, RrType::CNAME, dname.ttl, records, RecordsBuf::new());
    answering.answer.answer.push(AnswerRrset::shared(Arc::new(cname)));
    match answering.rr_type {
        RrType::CNAME | RrType::ANY => Step::Done,
        _ => Step::Alias(Sname::Synthesised(target)),
    }
}

/// `name` with its ending `from` replaced by `to` (RFC 6672 2.2).
fn substitute<'b>(
    name: NameRef<'_>,
    from: NameRef<'_>,
    to: NameRef<'_>,
    buf: &'b mut NameBuf,
) -> Result<NameRef<'b>, crate::dns::NameError> {
    let kept = name.label_count() - from.label_count();
    for label in name.labels().take(kept) {
        buf.push_label(label)?;
    }
    buf.finish_with(to)
}

fn stands_in_answer(answering: &Answering<'_>, owner: NameRef<'_>, rr_type: RrType) -> bool {
    let mut sets = answering.answer.answer.iter().map(AnswerRrset::rrset);
    sets.any(|set| set.rr_type == rr_type && set.owner == owner)
}
