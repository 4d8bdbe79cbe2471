//! The hot path: what the cache can answer at once.

use std::borrow::Cow;
use std::sync::Arc;

use super::resolved::of_failure;
use crate::cache::{Cache, CacheOptions, CachedAnswer, CachedRrset, Kind, Lookup, Security};
use crate::clock::Now;
use crate::dns::{Answer, AnswerRrset, ErrorCode, ExtendedError, QuestionRef, Rcode, SharedRrset, Ttl};
use crate::observe::Source;
use crate::resolver::Aim;

/// What of validation concerns the one who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// How answers are checked for him.
    pub checking: Checking,
    /// He is to be sent signatures and proofs (DO).
    pub dnssec_ok: bool,
}

/// How answers are checked before they are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checking {
    /// Not at all: validation is off, or the one who asks does it himself (CD, RFC 4035 3.2.2).
    None,
    /// They are validated, and given out whatever comes of it.
    Log,
    /// What is bogus is not given out.
    Enforce,
}

impl Wants {
    /// What a flight for him is for.
    pub(super) fn aim(self) -> Aim {
        if self.checking == Checking::None { Aim::Data } else { Aim::Validated }
    }

    /// Data as it comes, without signatures.
    pub const DATA: Wants = Wants { checking: Checking::None, dnssec_ok: false };
}

/// An answer that needed nobody.
#[derive(Debug, Clone)]
pub struct Cached {
    told: Told,
    /// Which part of the cache.
    pub source: Source,
    /// What validation has said of it.
    pub security: Security,
}

#[derive(Debug, Clone)]
enum Told {
    Fresh(Aged),
    /// With the longest TTL it may have, and why it is given out.
    Stale(Aged, Ttl, ExtendedError),
    Failure(ExtendedError),
}

/// An answer as old as it is now, for one who wants DNSSEC records or not.
#[derive(Debug, Clone)]
struct Aged {
    found: Arc<CachedAnswer>,
    dnssec_ok: bool,
    now: Now,
}

/// What stands beside a stale answer whose servers were asked a moment ago.
const NOT_REFRESHED: &str = "expired, and could not be had anew a moment ago";

/// An answer from the cache: positive, negative, a failure of a moment ago, or stale because of such a failure. RRsets
/// are shared, so a hit of up to four in a section allocates nothing; a failure copies its text. After a miss `made` may say
/// what is proven without having been asked.
///
/// None for a miss, and for what is stale and may be had anew. A hit that is worth fetching anew before it expires is none,
/// once, unless it `may_be_due`: it goes to [`Recursion::resolve`](super::Recursion::resolve), where flights begin.
pub(super) fn cached(
    cache: &Cache,
    question: QuestionRef<'_>,
    wants: Wants,
    may_be_due: bool,
    made: impl FnOnce() -> Option<Cached>,
    now: Now,
) -> Option<Cached> {
    match lookup(cache, question, wants.checking, now) {
        Lookup::Fresh(found) if !may_be_due && cache.options().prefetch && found.is_due(now) => None,
        found => known(cache, found, question, wants, made, now),
    }
}

/// What is known of a question and may be given to one for whom answers are checked so: what nobody has validated yet is
/// not there for those who leave that to us, nor for anybody a denial that came with a referral, without SOA.
pub(super) fn lookup(cache: &Cache, question: QuestionRef<'_>, checking: Checking, now: Now) -> Lookup {
    match cache.lookup(question, now) {
        Lookup::Fresh(found) | Lookup::Stale(found)
            if checking != Checking::None && found.security == Security::Unchecked
                || found.kind != Kind::Positive && !found.has_soa() && found.security != Security::Bogus =>
        {
            Lookup::Miss
        }
        found => found,
    }
}

fn known(
    cache: &Cache,
    found: Lookup,
    question: QuestionRef<'_>,
    wants: Wants,
    made: impl FnOnce() -> Option<Cached>,
    now: Now,
) -> Option<Cached> {
    let found = match found {
        Lookup::Fresh(found) => return Some(from_answer(found, wants, now)),
        found => found,
    };
    // What is proven is better than what is old or failed.
    if let Some(made) = made() {
        return Some(made);
    }
    let failure = cache.failure(question, now);
    if let Some(error) = failure.as_deref().filter(|error| error.code.is_of_validation()) {
        // It concerns those who leave validation to us. For them nothing old takes the place of what is bogus.
        if wants.checking != Checking::Enforce {
            return None;
        }
        if error.code != ErrorCode::DNSSEC_INDETERMINATE {
            let (source, security) = (Source::FailureCache, Security::Bogus);
            return Some(Cached { told: Told::Failure(error.clone()), source, security });
        }
    }
    match found {
        Lookup::Fresh(_) => None,
        Lookup::Stale(found) if found.is_quiet(now) => {
            Some(stale(cache.options(), found, NOT_REFRESHED.into(), wants, now))
        }
        Lookup::Stale(found) => Some(stale(cache.options(), found, failure?.text.clone(), wants, now)),
        Lookup::Miss => {
            let error = (*failure?).clone();
            let (source, security) = (Source::FailureCache, of_failure(error.code));
            Some(Cached { told: Told::Failure(error), source, security })
        }
    }
}

/// A fresh answer with what is left of its TTLs; a bogus one as the failure it is, but for those who want it all the same.
pub(super) fn from_answer(found: Arc<CachedAnswer>, wants: Wants, now: Now) -> Cached {
    let security = found.security;
    if security == Security::Bogus && wants.checking == Checking::Enforce {
        // What is said in place of a bogus answer (RFC 4035 5.5).
        let error = found.error.as_deref().cloned().unwrap_or_else(|| (*unsaid()).clone());
        return Cached { told: Told::Failure(error), source: Source::FailureCache, security };
    }
    let source = match found.kind {
        Kind::Positive => Source::Cache,
        Kind::NoData | Kind::NxDomain => Source::NegativeCache,
    };
    Cached { told: Told::Fresh(Aged { found, dnssec_ok: wants.dnssec_ok, now }), source, security }
}

/// Why an answer is bogus of which no more is known.
pub(super) fn unsaid() -> Arc<ExtendedError> {
    Arc::new(ExtendedError::new(ErrorCode::DNSSEC_BOGUS, "the answer did not stand validation"))
}

/// An answer behind its end (RFC 8767), and why it is given.
pub(super) fn stale(
    options: &CacheOptions,
    found: Arc<CachedAnswer>,
    why: Cow<'static, str>,
    wants: Wants,
    now: Now,
) -> Cached {
    let code = match found.kind {
        Kind::NxDomain => ErrorCode::STALE_NXDOMAIN_ANSWER,
        Kind::Positive | Kind::NoData => ErrorCode::STALE_ANSWER,
    };
    let aged = Aged { found, dnssec_ok: wants.dnssec_ok, now };
    let told = Told::Stale(aged, options.stale_answer_ttl, ExtendedError { code, text: why });
    Cached { told, source: Source::Stale, security: Security::Unchecked }
}

impl Cached {
    /// The same as made of what is proven of other names.
    pub(super) fn synthesised(self) -> Cached {
        Cached { source: Source::Synthesized, ..self }
    }

    /// What is to be written. It is large: who has no other use for it makes it where it is written from.
    pub fn to_answer(&self) -> Answer<'static> {
        match &self.told {
            Told::Failure(error) => Answer::failure(Rcode::SERVFAIL, error.clone()),
            Told::Fresh(aged) => Answer {
                extended_error: aged.found.error.as_deref().cloned(),
                authentic: aged.found.security == Security::Secure,
                ..aged.answer(|cached| cached.ttl(aged.now))
            },
            // RFC 8767 4: more than zero, so that it is not asked for again at once. What has not expired gets no more
            // than it has. Its signatures may have expired with it, so it is not authentic.
            Told::Stale(aged, most, error) => Answer {
                extended_error: Some(error.clone()),
                ..aged.answer(|cached| match cached.ttl(aged.now) {
                    Ttl::ZERO => *most,
                    left => left.min(*most),
                })
            },
        }
    }

    /// The RRsets of its answer section.
    pub fn answered(&self) -> impl Iterator<Item = &SharedRrset> {
        let found = match &self.told {
            Told::Failure(_) => None,
            Told::Fresh(aged) | Told::Stale(aged, ..) => Some(&aged.found),
        };
        found.into_iter().flat_map(|found| &found.answer).map(|cached| &cached.rrset)
    }
}

impl Aged {
    fn answer(&self, ttl: impl Fn(&CachedRrset) -> Ttl) -> Answer<'static> {
        let aged = |cached: &CachedRrset| {
            let rrset = AnswerRrset::shared(cached.rrset.clone()).with_ttl(ttl(cached));
            rrset.with_signatures(self.dnssec_ok)
        };
        // RFC 4035 3.2.1: proofs are for those who ask for them.
        let is_shown = |cached: &&CachedRrset| self.dnssec_ok || !cached.rrset.rr_type.is_proof();
        let mut answer = Answer::empty(self.found.rcode());
        self.found.answer.iter().map(aged).for_each(|rrset| answer.answer.push(rrset));
        let authority = self.found.authority.iter().filter(is_shown);
        authority.map(aged).for_each(|rrset| answer.authority.push(rrset));
        answer
    }
}
