//! Resolved: what a client's question came to, as `service` takes it.

use std::sync::Arc;

use super::cached::{self, Cached, Checking, Wants};
use crate::cache::Security;
use crate::dns::answer::Section;
use crate::dns::{Answer, AnswerRrset, ErrorCode, ExtendedError, Rcode, SharedRrset};
use crate::observe::{RecordId, RecursionFacts, Source, Spendings, Step};
use crate::resolver::{Failure, Landing, Resolution, facts};

/// What a question came to.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The response code.
    pub rcode: Rcode,
    /// AA: the answer begins in a zone served here.
    pub authoritative: bool,
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
    /// What validation has said of it.
    pub security: Security,
    /// What was done, for the access log and for explanations.
    pub facts: RecursionFacts,
}

/// A failure as the client is told of it, with where the rest is to be found.
pub(super) fn told(failure: &Failure, id: Option<RecordId>) -> ExtendedError {
    with_id(&failure.extended_error(), id)
}

/// An extended error, with where the rest is to be found.
pub(super) fn with_id(error: &ExtendedError, id: Option<RecordId>) -> ExtendedError {
    match id {
        None => error.clone(),
        Some(id) => ExtendedError { text: format!("{}; id={id}", error.text).into(), ..error.clone() },
    }
}

/// Where the steps of a failure are to be found, as `told` wrote it: a remembered one is the text alone.
pub fn told_id(error: &ExtendedError) -> Option<RecordId> {
    error.text.rsplit_once("; id=")?.1.parse().ok()
}

impl Resolved {
    /// From the end of a flight.
    pub(super) fn new(landing: Landing, wants: Wants, spent: Option<Spendings>) -> Resolved {
        let Landing { answered, steps, id } = landing;
        let security = security_of(&answered);
        let answered = answered.and_then(|resolution| match resolution.security {
            Security::Bogus if wants.checking == Checking::Enforce => {
                Err(Failure::Bogus(resolution.error.clone().unwrap_or_else(cached::unsaid)))
            }
            _ => Ok(resolution),
        });
        let facts = RecursionFacts { id: id.or(remembered_id(&answered)), spent, ..facts(&steps) };
        match answered {
            Ok(resolution) => {
                let is_here = steps.iter().any(|step| matches!(step, Step::Here(_)));
                let source = match (facts.tries, resolution.answer.is_empty()) {
                    (0, _) if resolution.is_synthesised => Source::Synthesized,
                    (0, _) if resolution.authoritative => Source::Authoritative,
                    (0, _) if is_here => Source::Local,
                    (0, false) => Source::Cache,
                    (0, true) => Source::NegativeCache,
                    _ => asked(&steps),
                };
                let (answer, authority) = (resolution.answer.clone(), resolution.authority.clone());
                let (rcode, authoritative) = (resolution.rcode, resolution.authoritative);
                let extended_error = resolution.error.as_deref().cloned();
                let failure = None;
                Resolved {
                    rcode,
                    authoritative,
                    answer,
                    authority,
                    failure,
                    extended_error,
                    source,
                    security,
                    facts,
                }
            }
            Err(failure) => {
                let source = match failure {
                    Failure::Cached(_) if facts.tries == 0 => Source::FailureCache,
                    _ => asked(&steps),
                };
                let answer = match &failure {
                    Failure::AliasLoop { aliases, .. } => aliases.to_vec(),
                    _ => Vec::new(),
                };
                Resolved {
                    rcode: Rcode::SERVFAIL,
                    authoritative: false,
                    answer,
                    authority: Vec::new(),
                    extended_error: Some(told(&failure, id)),
                    failure: Some(failure),
                    source,
                    security,
                    facts,
                }
            }
        }
    }

    /// For a client that cannot be waited for any longer.
    pub fn busy() -> Resolved {
        let landing = Landing { answered: Err(Failure::Busy), steps: Arc::new([]), id: None };
        Resolved::new(landing, Wants::DATA, None)
    }

    /// From the cache, after what was tried without success or need.
    pub(super) fn from_cached(cached: Cached, facts: RecursionFacts) -> Resolved {
        let (answer, source, security) = (cached.to_answer(), cached.source, cached.security);
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
            authoritative: false,
            answer: shared(&answer.answer),
            authority: shared(&answer.authority),
            failure: None,
            extended_error: answer.extended_error,
            source,
            security,
            facts,
        }
    }

    /// As the writer of responses takes it.
    pub fn to_answer(&self, dnssec_ok: bool) -> Answer<'static> {
        let shown = |rrset: &SharedRrset| AnswerRrset::shared(rrset.clone()).with_signatures(dnssec_ok);
        let is_shown = |rrset: &&SharedRrset| dnssec_ok || !rrset.rr_type.is_proof();
        Answer {
            extended_error: self.extended_error.clone(),
            answer: self.answer.iter().map(shown).collect(),
            authority: self.authority.iter().filter(is_shown).map(shown).collect(),
            authoritative: self.authoritative,
            authentic: self.security == Security::Secure && self.failure.is_none(),
            ..Answer::empty(self.rcode)
        }
    }
}

/// What validation has said of an answer, or of there being none.
pub(super) fn security_of(answered: &Result<Arc<Resolution>, Failure>) -> Security {
    match answered {
        Ok(resolution) => resolution.security,
        Err(failure) => of_failure(failure.extended_error().code),
    }
}

/// What is to be thought of something that is not there to be judged.
pub(super) fn of_failure(code: ErrorCode) -> Security {
    match code {
        ErrorCode::DNSSEC_INDETERMINATE => Security::Indeterminate,
        _ => Security::Unchecked,
    }
}

/// Of a failure of a moment ago: where its steps are, not those of being told of it.
fn remembered_id<T>(answered: &Result<T, Failure>) -> Option<RecordId> {
    match answered {
        Err(Failure::Cached(error)) => told_id(error),
        _ => None,
    }
}

/// Who was asked for most: servers the operator named, or those of the tree.
fn asked(steps: &[Step]) -> Source {
    let is_forwarded = steps.iter().any(|step| matches!(step, Step::Upstream(_)));
    let is_iterated = steps.iter().any(|step| matches!(step, Step::Zone { .. }));
    if is_forwarded && !is_iterated { Source::Forward } else { Source::Recursion }
}
