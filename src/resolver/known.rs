//! What is told of an answer from the cache: since when it is known, for how long, and how far it is believed.

use std::time::Duration;

use crate::cache::entry::remaining;
use crate::cache::{Cache, CachedAnswer, CachedRrset, Credibility, Kind};
use crate::clock::Now;
use crate::dns::{Question, Rrset, Ttl};
use crate::observe::Step;

/// Of a whole answer. It is believed as far as the least of its RRsets that are on the shelf.
pub fn of_answer(cache: &Cache, question: &Question, cached: &CachedAnswer, now: Now) -> Step {
    let age = |part: &CachedRrset| age(cache, &part.rrset, part.ttl(now));
    let credibility = |part: &CachedRrset| credibility(cache, &part.rrset, now);
    Step::Known {
        question: question.clone(),
        age: cached.answer.iter().chain(&cached.authority).map(age).max().unwrap_or_default(),
        ttl: remaining(cached.expires, now),
        credibility: match cached.kind {
            Kind::Positive => words(cached.answer.iter().filter_map(credibility).min()),
            Kind::NoData => "denial of the type",
            Kind::NxDomain => "denial of the name",
        },
    }
}

/// Of one RRset, whose TTL is what is left of it.
pub fn of_rrset(cache: &Cache, question: &Question, rrset: &Rrset, now: Now) -> Step {
    let shelved = cache.rrset(rrset.owner.as_ref(), rrset.rr_type, Credibility::Additional, now);
    Step::Known {
        question: question.clone(),
        age: shelved.as_ref().map_or(Duration::ZERO, |entry| age(cache, &entry.rrset, entry.ttl(now))),
        ttl: rrset.ttl,
        credibility: words(shelved.map(|entry| entry.credibility)),
    }
}

fn credibility(cache: &Cache, rrset: &Rrset, now: Now) -> Option<Credibility> {
    let shelved = cache.rrset(rrset.owner.as_ref(), rrset.rr_type, Credibility::Additional, now)?;
    Some(shelved.credibility)
}

/// Data ages from the TTL it was stored with to nothing.
fn age(cache: &Cache, rrset: &Rrset, left: Ttl) -> Duration {
    Duration::from_secs(cache.clamp(rrset.ttl).seconds().saturating_sub(left.seconds()).into())
}

/// Where data was found (RFC 2181 5.4.1).
fn words(credibility: Option<Credibility>) -> &'static str {
    match credibility {
        Some(Credibility::Forwarded) => "answer of a forwarder",
        Some(Credibility::Additional) => "additional data",
        Some(Credibility::AuthorityNonAuth) => "referral",
        Some(Credibility::AuthorityAuth) => "authority section of the zone's own server",
        Some(Credibility::AnswerAuth) => "answer of the zone's own server",
        Some(Credibility::AnswerNonAuth) | None => "answer",
    }
}
