//! The hot path: what the cache can answer at once.

use std::sync::Arc;

use super::Cached;
use crate::cache::{Cache, CachedAnswer, CachedRrset, Kind, Lookup};
use crate::clock::Now;
use crate::dns::{Answer, AnswerRrset, QuestionRef, Rcode};
use crate::observe::Source;

/// An answer from the cache: positive, negative, or a failure of a moment ago. RRsets are shared, so a hit of up to four
/// in a section allocates nothing; a failure copies its text.
pub fn cached(cache: &Cache, question: QuestionRef<'_>, now: Now) -> Option<Cached> {
    match cache.lookup(question, now) {
        Lookup::Fresh(found) => Some(from_answer(&found, now)),
        Lookup::Stale(_) | Lookup::Miss => {
            let error = cache.failure(question, now)?;
            let answer = Answer::failure(Rcode::SERVFAIL, (*error).clone());
            Some(Cached { answer, source: Source::FailureCache })
        }
    }
}

fn from_answer(found: &Arc<CachedAnswer>, now: Now) -> Cached {
    let section = |rrsets: &[CachedRrset]| {
        let aged = |cached: &CachedRrset| AnswerRrset::shared(cached.rrset.clone()).with_ttl(cached.ttl(now));
        rrsets.iter().map(aged).collect()
    };
    let answer = Answer {
        answer: section(&found.answer),
        authority: section(&found.authority),
        ..Answer::empty(found.rcode())
    };
    let source = match found.kind {
        Kind::Positive => Source::Cache,
        Kind::NoData | Kind::NxDomain => Source::NegativeCache,
    };
    Cached { answer, source }
}
