//! What came back, in the words of scenarios.

use namu::dns::{Answer, AnswerRrset, RrType};
use namu::observe::Spending;
use namu::zonefile::RdataText;

use crate::scenario::Reply;

/// Whether an answer has signatures or records that deny.
pub fn has_proofs(answer: &Answer<'_>) -> bool {
    answer.answer.iter().chain(answer.authority.iter()).any(|set| {
        let set = set.rrset();
        !set.signatures.is_empty() || matches!(set.rr_type, RrType::NSEC | RrType::NSEC3)
    })
}

/// How many signatures were verified for an answer.
pub fn verified(reply: &Reply) -> u64 {
    let facts = reply.event.as_ref().and_then(|event| event.recursion.as_ref());
    let spent = facts.and_then(|facts| facts.spent.as_ref());
    let of =
        |spent: &[Spending]| spent.iter().find(|one| one.what == "signatures verified").map(|one| one.spent);
    spent.and_then(|spent| of(spent)).unwrap_or(0)
}

/// A reply in a line.
pub fn told(reply: &Reply) -> String {
    let error =
        reply.answer.extended_error.as_ref().map(|error| format!(" EDE {} {}", error.code, error.text));
    let (rcode, source) = (reply.answer.rcode, reply.source.word());
    format!("{rcode} from {source}: {}{}", records(&reply.answer).join(" ; "), error.unwrap_or_default())
}

/// The records of the answer section without TTL and final dots.
pub fn records(answer: &Answer<'_>) -> Vec<String> {
    records_of(answer.answer.iter())
}

/// The same of any section.
pub fn records_of<'a>(sets: impl Iterator<Item = &'a AnswerRrset<'a>>) -> Vec<String> {
    let mut records = Vec::new();
    for set in sets {
        let set = set.rrset();
        for rdata in set.records {
            let text = format!("{} {} {}", set.owner, set.rr_type, RdataText { rr_type: set.rr_type, rdata });
            records.push(text.split(' ').map(without_dot).collect::<Vec<_>>().join(" "));
        }
    }
    records
}

fn without_dot(word: &str) -> &str {
    match word {
        "." => word,
        word => word.strip_suffix('.').unwrap_or(word),
    }
}
