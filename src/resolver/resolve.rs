//! resolve: from a question to its answer, over as many zones and aliases as it takes.

use std::sync::Arc;

use super::classify::End;
use super::forward;
use super::here::{self, Local};
use super::iterate::Iterated;
use super::known;
use super::{Failure, Task};
use crate::cache::{Cache, CachedAnswer, Credibility, Kind, Lookup, NewRrset, Security};
use crate::clock::Now;
use crate::dns::{Name, NameRef, Question, Rcode, RrType, Rrset, SharedRrset, Ttl};
use crate::observe::Step;

/// The answer to a question. TTLs are those of the moment it was made.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The response code.
    pub rcode: Rcode,
    /// What sort of answer, none for one that is not remembered.
    pub kind: Option<Kind>,
    /// The answer begins in a zone served here (RFC 1034 4.3.2: AA speaks of the first owner).
    pub authoritative: bool,
    /// Aliases in the order they were followed, then data.
    pub answer: Vec<SharedRrset>,
    /// With a denial: its SOA RRset, if the server gave one.
    pub authority: Vec<SharedRrset>,
    /// RRsets that came from the network, each with the zone it came from.
    pub learnt: Vec<NewRrset>,
}

/// Part of an answer: from one name over the aliases that one source knows.
pub(super) struct Leg {
    pub(super) answer: Vec<SharedRrset>,
    pub(super) authority: Vec<SharedRrset>,
    pub(super) learnt: Vec<NewRrset>,
    pub(super) aliases: Vec<(Name, Name)>,
    pub(super) end: End,
    pub(super) origin: Origin,
}

/// Where a leg came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From the cache or the network.
    Others,
    /// From a zone served here. It changes when the zone does, so no answer it is part of is remembered.
    Here { authoritative: bool },
}

/// Answers the task's question.
pub async fn resolve(task: &Task) -> Result<Resolution, Failure> {
    let mut question = task.question.clone();
    let (mut answer, mut learnt) = (Vec::<SharedRrset>::new(), Vec::new());
    let mut passed: Vec<Name> = Vec::new();
    let (mut authoritative, mut is_remembered) = (None, true);
    loop {
        let leg = next_leg(&question, task).await?;
        for rrset in leg.answer {
            // A DNAME that is passed twice stands in the answer once; no other name can come again.
            let is_there = |known: &SharedRrset| known.owner == rrset.owner && known.rr_type == rrset.rr_type;
            if !answer.iter().any(is_there) {
                answer.push(rrset);
            }
        }
        for (from, to) in leg.aliases {
            task.budget().alias()?;
            task.step(Step::Alias(from.clone(), to.clone()));
            passed.push(from);
            if passed.contains(&to) {
                return Err(Failure::AliasLoop { name: to, aliases: answer.into() });
            }
        }
        authoritative.get_or_insert(leg.origin == Origin::Here { authoritative: true });
        is_remembered &= leg.origin == Origin::Others;
        learnt.extend(leg.learnt);
        let (rcode, kind) = match leg.end {
            End::Alias(target) => {
                question.name = target;
                continue;
            }
            End::Data => (Rcode::NOERROR, Some(Kind::Positive)),
            End::NoData => (Rcode::NOERROR, Some(Kind::NoData)),
            End::NxDomain => (Rcode::NXDOMAIN, Some(Kind::NxDomain)),
            End::Overlong => (Rcode::YXDOMAIN, None),
        };
        task.step(Step::Found(question, rcode));
        let (authority, kind) = (leg.authority, kind.filter(|_| is_remembered));
        let authoritative = authoritative == Some(true);
        return Ok(Resolution { rcode, kind, authoritative, answer, authority, learnt });
    }
}

/// From a zone served here, else from the cache, else from the network.
async fn next_leg(question: &Question, task: &Task) -> Result<Leg, Failure> {
    let cut = match here::look(question, task)? {
        Some(Local::Leg(leg)) => return Ok(leg),
        Some(Local::Cut(cut)) => Some(cut),
        None => None,
    };
    if !task.is_past_cache
        && let Some((leg, step)) = from_cache(question, task)
    {
        task.step(step);
        return Ok(leg);
    }
    // RFC 9520 3.2: neither a client's question nor one on the way to it is tried again so soon.
    if let Some(error) = task.cache().failure(question.as_ref(), task.now()) {
        task.step(Step::FailedBefore(question.clone(), error.clone()));
        return Err(Failure::Cached(error));
    }
    let iterated = forward::ask_around(question, cut, task).await?;
    Ok(Leg::from_network(iterated, task.cache()))
}

/// What the cache knows of a question, or of an alias at its name.
fn from_cache(question: &Question, task: &Task) -> Option<(Leg, Step)> {
    if let Lookup::Fresh(cached) = task.cache().lookup(question.as_ref(), task.now()) {
        let step = known::of_answer(task.cache(), question, &cached, task.now());
        return Some((Leg::from_cached(&cached, question, task.now()), step));
    }
    if question.rr_type == RrType::ANY {
        return None;
    }
    let name = question.name.as_ref();
    let leg = |rrset: SharedRrset, aliases, end| {
        let step = known::of_rrset(task.cache(), question, &rrset, task.now());
        let (answer, authority, learnt) = (vec![rrset], vec![], vec![]);
        (Leg { answer, authority, learnt, aliases, end, origin: Origin::Others }, step)
    };
    if let Some(data) = task.known_rrset(name, question.rr_type) {
        return Some(leg(data, vec![], End::Data));
    }
    let alias = task.known_rrset(name, RrType::CNAME)?;
    let target = alias_target(&alias)?;
    Some(leg(alias, vec![(question.name.clone(), target.clone())], End::Alias(target)))
}

impl Leg {
    /// TTLs are within the limits of the cache from here on: who asks first is told no more than who asks second.
    fn from_network(Iterated { found, zone, is_forwarded }: Iterated, cache: &Cache) -> Leg {
        let within_limits = |mut rrset: Rrset| {
            rrset.ttl = cache.clamp(rrset.ttl);
            Arc::new(rrset)
        };
        let answer: Vec<SharedRrset> = found.rrsets.into_iter().map(within_limits).collect();
        let first = answer.first().map(|rrset| rrset.owner.clone());
        // Lone RRSIG records of one owner cover several types; the shelf would take one for all.
        let kept = answer.iter().filter(|rrset| rrset.rr_type != RrType::RRSIG);
        let learnt = kept.map(|rrset| {
            // RFC 2181 5.4.1: what follows an alias is believed less than the answer itself. A CNAME made from a DNAME
            // stands for one name of many, so it is as good as sent.
            let is_of_name_asked = found.authoritative && first.as_ref() == Some(&rrset.owner);
            let credibility = match is_of_name_asked {
                _ if is_forwarded => Credibility::Forwarded,
                true => Credibility::AnswerAuth,
                false => Credibility::AnswerNonAuth,
            };
            let source_zone = zone.clone();
            NewRrset { rrset: rrset.clone(), credibility, source_zone, security: Security::Unchecked }
        });
        let learnt = learnt.collect();
        let authority = found.soa.into_iter().map(|soa| with_negative_ttl(soa, cache)).collect();
        let origin = Origin::Others;
        Leg { answer, authority, learnt, aliases: found.aliases, end: found.end, origin }
    }

    fn from_cached(cached: &CachedAnswer, question: &Question, now: Now) -> Leg {
        let all = |rrsets: &[crate::cache::CachedRrset]| -> Vec<_> {
            rrsets.iter().map(|cached| aged(&cached.rrset, cached.ttl(now))).collect()
        };
        let answer = all(&cached.answer);
        let is_alias = |rrset: &&SharedRrset| {
            rrset.rr_type == RrType::CNAME && !matches!(question.rr_type, RrType::CNAME | RrType::ANY)
        };
        let aliases = answer.iter().filter(is_alias);
        let aliases = aliases.filter_map(|rrset| Some((rrset.owner.clone(), alias_target(rrset)?))).collect();
        let end = match cached.kind {
            Kind::Positive => End::Data,
            Kind::NoData => End::NoData,
            Kind::NxDomain => End::NxDomain,
        };
        let (authority, origin) = (all(&cached.authority), Origin::Others);
        Leg { answer, authority, learnt: vec![], aliases, end, origin }
    }
}

/// The SOA of a denial says how long it holds: no longer than its MINIMUM (RFC 2308 5).
pub(super) fn with_negative_ttl(mut soa: Rrset, cache: &Cache) -> SharedRrset {
    soa.ttl = cache.negative_ttl(&soa).unwrap_or(Ttl::ZERO);
    Arc::new(soa)
}

pub(super) fn alias_target(rrset: &Rrset) -> Option<Name> {
    NameRef::from_wire(rrset.records().first()?).ok().map(NameRef::to_name)
}

/// The RRset with the TTL it has left: what is stored again must not begin to live anew.
pub(super) fn aged(rrset: &SharedRrset, ttl: Ttl) -> SharedRrset {
    if rrset.ttl == ttl {
        return rrset.clone();
    }
    let mut aged = Rrset::clone(rrset);
    aged.ttl = ttl;
    Arc::new(aged)
}
