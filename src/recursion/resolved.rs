//! Resolved: what a client's question came to, as `service` takes it.

use std::sync::Arc;

use crate::dns::{Answer, AnswerRrset, Rcode, SharedRrset};
use crate::observe::{RecursionFacts, Source, Step};
use crate::resolver::{Failure, Landing, facts};

/// What a question came to.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The response code.
    pub rcode: Rcode,
    /// Aliases in the order they were followed, then data; TTLs as they are to be written.
    pub answer: Vec<SharedRrset>,
    /// With a denial: its SOA RRset.
    pub authority: Vec<SharedRrset>,
    /// With a failure: why.
    pub failure: Option<Failure>,
    /// Where the answer came from.
    pub source: Source,
    /// What was done, for the access log.
    pub facts: RecursionFacts,
    /// What was done, step by step.
    pub steps: Arc<[Step]>,
}

/// An answer that needed nobody.
#[derive(Debug, Clone)]
pub struct Cached {
    /// The answer, with aged TTLs.
    pub answer: Answer<'static>,
    /// Which part of the cache.
    pub source: Source,
}

impl Resolved {
    /// From the end of a flight.
    pub(super) fn new(Landing { answered, steps }: Landing) -> Resolved {
        let facts = facts(&steps);
        match answered {
            Ok(resolution) => {
                let source = match (facts.tries, resolution.answer.is_empty()) {
                    (0, false) => Source::Cache,
                    (0, true) => Source::NegativeCache,
                    _ => Source::Recursion,
                };
                let (answer, authority) = (resolution.answer.clone(), resolution.authority.clone());
                Resolved { rcode: resolution.rcode, answer, authority, failure: None, source, facts, steps }
            }
            Err(failure) => {
                let source = match failure {
                    Failure::Cached(_) if facts.tries == 0 => Source::FailureCache,
                    _ => Source::Recursion,
                };
                let answer = match &failure {
                    Failure::AliasLoop { aliases, .. } => aliases.to_vec(),
                    _ => Vec::new(),
                };
                Resolved {
                    rcode: Rcode::SERVFAIL,
                    answer,
                    authority: Vec::new(),
                    failure: Some(failure),
                    source,
                    facts,
                    steps,
                }
            }
        }
    }

    /// As the writer of responses takes it.
    pub fn to_answer(&self) -> Answer<'static> {
        let section = |rrsets: &[SharedRrset]| rrsets.iter().cloned().map(AnswerRrset::shared).collect();
        Answer {
            extended_error: self.failure.as_ref().map(Failure::extended_error),
            answer: section(&self.answer),
            authority: section(&self.authority),
            ..Answer::empty(self.rcode)
        }
    }
}
