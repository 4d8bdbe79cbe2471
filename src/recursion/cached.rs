//! The hot path: what the cache can answer at once.

use std::sync::Arc;

use super::Cached;
use crate::cache::{Cache, CacheOptions, CachedAnswer, CachedRrset, Kind, Lookup};
use crate::clock::Now;
use crate::dns::{Answer, AnswerRrset, ErrorCode, ExtendedError, QuestionRef, Rcode, Ttl};
use crate::observe::Source;

/// What stands beside a stale answer whose servers were asked a moment ago.
const NOT_REFRESHED: &str = "expired, and could not be had anew a moment ago";

/// An answer from the cache: positive, negative, a failure of a moment ago, or stale because of such a failure. RRsets
/// are shared, so a hit of up to four in a section allocates nothing; a failure copies its text.
///
/// None for a miss, for what is stale and may be had anew, and once for a hit that is worth fetching anew before it
/// expires: these go to [`Recursion::resolve`](super::Recursion::resolve), where flights begin.
pub fn cached(cache: &Cache, question: QuestionRef<'_>, now: Now) -> Option<Cached> {
    match cache.lookup(question, now) {
        Lookup::Fresh(found) if cache.options().prefetch && found.is_due(now) => None,
        found => known(cache, found, question, now),
    }
}

/// The same for those for whom no flight may begin.
pub fn only_cached(cache: &Cache, question: QuestionRef<'_>, now: Now) -> Option<Cached> {
    known(cache, cache.lookup(question, now), question, now)
}

fn known(cache: &Cache, found: Lookup, question: QuestionRef<'_>, now: Now) -> Option<Cached> {
    match found {
        Lookup::Fresh(found) => Some(from_answer(&found, now)),
        Lookup::Stale(found) if found.is_quiet(now) => {
            Some(stale(cache.options(), &found, NOT_REFRESHED.into(), now))
        }
        Lookup::Stale(found) => {
            let error = cache.failure(question, now)?;
            Some(stale(cache.options(), &found, error.text.clone(), now))
        }
        Lookup::Miss => {
            let error = cache.failure(question, now)?;
            let answer = Answer::failure(Rcode::SERVFAIL, (*error).clone());
            Some(Cached { answer, source: Source::FailureCache })
        }
    }
}

/// A fresh answer with what is left of its TTLs.
pub(super) fn from_answer(found: &Arc<CachedAnswer>, now: Now) -> Cached {
    let source = match found.kind {
        Kind::Positive => Source::Cache,
        Kind::NoData | Kind::NxDomain => Source::NegativeCache,
    };
    Cached { answer: answer(found, |cached| cached.ttl(now)), source }
}

/// An answer behind its end (RFC 8767), and why it is given.
pub(super) fn stale(
    options: &CacheOptions,
    found: &Arc<CachedAnswer>,
    why: std::borrow::Cow<'static, str>,
    now: Now,
) -> Cached {
    // RFC 8767 4: more than zero, so that it is not asked for again at once. What has not expired gets no more than it has.
    let most = options.stale_answer_ttl;
    let ttl = |cached: &CachedRrset| match cached.ttl(now) {
        Ttl::ZERO => most,
        left => left.min(most),
    };
    let code = match found.kind {
        Kind::NxDomain => ErrorCode::STALE_NXDOMAIN_ANSWER,
        Kind::Positive | Kind::NoData => ErrorCode::STALE_ANSWER,
    };
    let mut answer = answer(found, ttl);
    answer.extended_error = Some(ExtendedError { code, text: why });
    Cached { answer, source: Source::Stale }
}

fn answer(found: &CachedAnswer, ttl: impl Fn(&CachedRrset) -> Ttl) -> Answer<'static> {
    let section = |rrsets: &[CachedRrset]| {
        let aged = |cached: &CachedRrset| AnswerRrset::shared(cached.rrset.clone()).with_ttl(ttl(cached));
        rrsets.iter().map(aged).collect()
    };
    Answer {
        answer: section(&found.answer),
        authority: section(&found.authority),
        ..Answer::empty(found.rcode())
    }
}
