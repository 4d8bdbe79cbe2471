//! resolve: from a question to its answer, over as many zones and aliases as it takes.

use std::sync::Arc;

use super::classify::End;
use super::iterate::{self, Iterated};
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
    /// Aliases in the order they were followed, then data.
    pub answer: Vec<SharedRrset>,
    /// With a denial: its SOA RRset, if the server gave one.
    pub authority: Vec<SharedRrset>,
    /// RRsets that came from the network, each with the zone it came from.
    pub learnt: Vec<NewRrset>,
}

/// Part of an answer: from one name over the aliases that one source knows.
struct Leg {
    answer: Vec<SharedRrset>,
    authority: Vec<SharedRrset>,
    learnt: Vec<NewRrset>,
    aliases: Vec<(Name, Name)>,
    end: End,
}

/// Answers the task's question.
pub async fn resolve(task: &Task) -> Result<Resolution, Failure> {
    let mut question = task.question.clone();
    let (mut answer, mut learnt) = (Vec::new(), Vec::new());
    let mut passed: Vec<Name> = Vec::new();
    loop {
        let leg = next_leg(&question, task).await?;
        for (from, to) in leg.aliases {
            task.budget().alias()?;
            task.step(Step::Alias(from.clone(), to.clone()));
            passed.push(from);
            if passed.contains(&to) {
                return Err(Failure::AliasLoop(to));
            }
        }
        answer.extend(leg.answer);
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
        let authority = leg.authority;
        return Ok(Resolution { rcode, kind, answer, authority, learnt });
    }
}

/// From the cache, else from the network.
async fn next_leg(question: &Question, task: &Task) -> Result<Leg, Failure> {
    if !task.is_past_cache
        && let Some(leg) = known(question, task)
    {
        task.step(Step::Known(question.clone()));
        return Ok(leg);
    }
    // RFC 9520 3.2: neither a client's question nor one on the way to it is tried again so soon.
    if let Some(error) = task.cache().failure(question.as_ref(), task.now()) {
        return Err(Failure::Cached(error));
    }
    let iterated = iterate::run(question, task).await?;
    Ok(Leg::from_network(iterated, task.cache()))
}

/// What the cache knows of a question, or of an alias at its name.
fn known(question: &Question, task: &Task) -> Option<Leg> {
    if let Lookup::Fresh(cached) = task.cache().lookup(question.as_ref(), task.now()) {
        return Some(Leg::from_cached(&cached, question, task.now()));
    }
    if question.rr_type == RrType::ANY {
        return None;
    }
    let name = question.name.as_ref();
    let leg = |rrset: SharedRrset, aliases, end| Leg {
        answer: vec![rrset],
        authority: vec![],
        learnt: vec![],
        aliases,
        end,
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
    fn from_network(Iterated { found, zone }: Iterated, cache: &Cache) -> Leg {
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
                true => Credibility::AnswerAuth,
                false => Credibility::AnswerNonAuth,
            };
            let source_zone = zone.clone();
            NewRrset { rrset: rrset.clone(), credibility, source_zone, security: Security::Unchecked }
        });
        let learnt = learnt.collect();
        let authority = found.soa.into_iter().map(|soa| with_negative_ttl(soa, cache)).collect();
        Leg { answer, authority, learnt, aliases: found.aliases, end: found.end }
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
        Leg { answer, authority: all(&cached.authority), learnt: vec![], aliases, end }
    }
}

/// The SOA of a denial says how long it holds: no longer than its MINIMUM (RFC 2308 5).
pub(super) fn with_negative_ttl(mut soa: Rrset, cache: &Cache) -> SharedRrset {
    soa.ttl = cache.negative_ttl(&soa).unwrap_or(Ttl::ZERO);
    Arc::new(soa)
}

fn alias_target(rrset: &Rrset) -> Option<Name> {
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
