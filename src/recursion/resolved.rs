//! Resolved: what a client's question came to, as `service` takes it.

use std::sync::Arc;

use crate::dns::answer::Section;
use crate::dns::{Answer, AnswerRrset, ExtendedError, Rcode, SharedRrset};
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
    /// What the client is told of a failure, or of an answer that is stale.
    pub extended_error: Option<ExtendedError>,
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
                let (rcode, failure, extended_error) = (resolution.rcode, None, None);
                Resolved { rcode, answer, authority, failure, extended_error, source, facts, steps }
            }
            Err(failure) => {
                let source = match failure {
                    Failure::Cached(_) if facts.tries == 0 => Source::FailureCache,
                    _ => Source::Recursion,
                };
                let (answer, authority) = (Vec::new(), Vec::new());
                Resolved {
                    rcode: Rcode::SERVFAIL,
                    answer,
                    authority,
                    extended_error: Some(failure.extended_error()),
                    failure: Some(failure),
                    source,
                    facts,
                    steps,
                }
            }
        }
    }

    /// For a client that cannot be waited for any longer.
    pub fn busy() -> Resolved {
        Resolved::new(Landing { answered: Err(Failure::Busy), steps: Arc::new([]) })
    }

    /// From the cache, after what was tried without success or need.
    pub(super) fn from_cached(Cached { answer, source }: Cached, steps: Arc<[Step]>) -> Resolved {
        let shared = |rrsets: &Section<'static>| -> Vec<SharedRrset> {
            let rrset = |rrset: &AnswerRrset<'_>| {
                let mut own = rrset.rrset().to_rrset();
                own.ttl = rrset.ttl;
                Arc::new(own)
            };
            rrsets.iter().map(rrset).collect()
        };
        Resolved {
            rcode: answer.rcode,
            answer: shared(&answer.answer),
            authority: shared(&answer.authority),
            failure: None,
            extended_error: answer.extended_error,
            source,
            facts: facts(&steps),
            steps,
        }
    }

    /// As the writer of responses takes it.
    pub fn to_answer(&self) -> Answer<'static> {
        let section = |rrsets: &[SharedRrset]| rrsets.iter().cloned().map(AnswerRrset::shared).collect();
        Answer {
            extended_error: self.extended_error.clone(),
            answer: section(&self.answer),
            authority: section(&self.authority),
            ..Answer::empty(self.rcode)
        }
    }
}
